//! `callmark generate` (hidden): man pages and shell completions, made from the command line itself for `scripts/stage`.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;

use crate::FINISHED;
use crate::cli::Cli;

/// Writes `man/*.1` and `completions/*` into a folder.
pub fn generate(folder: &Path) -> Result<u8> {
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    for made in [&man, &completions] {
        std::fs::create_dir_all(made).with_context(|| format!("cannot make the folder {}", made.display()))?;
    }
    clap_mangen::generate_to(Cli::command(), &man)
        .with_context(|| format!("cannot write man pages to {}", man.display()))?;
    for shell in Shell::value_variants().iter().filter(|s| matches!(s, Shell::Bash | Shell::Zsh | Shell::Fish)) {
        clap_complete::generate_to(*shell, &mut Cli::command(), "callmark", &completions)
            .with_context(|| format!("cannot write completions to {}", completions.display()))?;
    }
    Ok(FINISHED)
}
