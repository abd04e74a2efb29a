//! `callmark generate` (hidden): man pages and shell completions, made from the command line itself for `scripts/stage`.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::FINISHED;
use crate::cli::Cli;

/// Writes `man/*.1` and `completions/*` into a folder.
pub fn generate(folder: &Path) -> Result<u8> {
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    for made in [&man, &completions] {
        std::fs::create_dir_all(made).with_context(|| format!("cannot make the folder {}", made.display()))?;
    }
    let mut command = for_people();
    clap_mangen::generate_to(command.clone(), &man)
        .with_context(|| format!("cannot write man pages to {}", man.display()))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "callmark", &completions)
            .with_context(|| format!("cannot write completions to {}", completions.display()))?;
    }
    Ok(FINISHED)
}

/// The command line without its hidden commands, which the completion generators would show.
fn for_people() -> Command {
    let all = Cli::command();
    Command::new("callmark")
        .version(env!("CARGO_PKG_VERSION"))
        .about(all.get_about().cloned().unwrap_or_default())
        .after_long_help(all.get_after_long_help().cloned().unwrap_or_default())
        .args(all.get_arguments())
        .subcommands(all.get_subcommands().filter(|command| !command.is_hide_set()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page_and_no_hidden_one_is_offered() {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        for name in Cli::command().get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name().to_string()) {
            assert!(read(&format!("man/callmark-{name}.1")).contains(".TH"), "{name}");
        }
        assert!(read("man/callmark.1").contains("Exit codes"));
        for completions in ["callmark.bash", "_callmark", "callmark.fish"] {
            let text = read(&format!("completions/{completions}"));
            let offered = ["callmark,generate", "'generate:", "-a \"generate\""].iter().any(|form| text.contains(form));
            assert!(text.contains("scorecard") && !offered, "{completions}");
        }
    }
}
