//! The layout that packages and `scripts/run` share: the program finds everything from there, and what ships beside it is true.
//! `scripts/package-test` does the rest by hand: the packages themselves in a bare Debian, without a network, on older processors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::harness::{project, read_csv};

/// An installed callmark, and a folder of its user.
struct Installed {
    folder: tempfile::TempDir,
}

/// Laid out once for all tests of this file.
fn installed() -> &'static Installed {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    INSTALLED.get_or_init(Installed::new)
}

impl Installed {
    fn new() -> Installed {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let prefix = folder.path().join("prefix");
        let staged =
            Command::new(project().join("scripts/stage")).arg(env!("CARGO_BIN_EXE_callmark")).arg(&prefix).output();
        succeeded(&staged.expect("scripts/stage starts"));
        std::fs::create_dir(folder.path().join("home")).expect("a home");
        Installed { folder }
    }

    fn path(&self, place: &str) -> PathBuf {
        self.folder.path().join("prefix").join(place)
    }

    /// The program away from the source tree, with nothing in its environment that leads there.
    fn run(&self, arguments: &[&str]) -> Output {
        let home = self.folder.path().join("home");
        let mut command = Command::new(self.path("bin/callmark"));
        command.args(arguments).env_clear().env("HOME", &home).env("PATH", "/usr/bin:/bin").current_dir(&home);
        command.output().expect("the program starts")
    }
}

fn succeeded(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn an_installed_program_finds_its_parts_and_scores_a_recording() {
    let installed = installed();
    let listed = succeeded(&installed.run(&["models", "list", "--json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("JSON");
    for name in ["starter-en", "silero-vad", "speaker-encoder", "overlap-detector", "onnxruntime"] {
        assert!(rows.iter().any(|row| row["name"] == name && row["installed"] == true), "{name}: {listed}");
    }
    let recording = project().join("sample-audio/T-1005.mp3");
    let metadata = project().join("sample-audio/metadata.csv");
    let (recording, metadata) = (recording.to_str().expect("UTF-8"), metadata.to_str().expect("UTF-8"));
    succeeded(&installed.run(&["run", recording, "--metadata", metadata, "--out", "out", "--quiet"]));
    let calls = read_csv(&installed.folder.path().join("home/out/calls.csv"));
    assert!(calls.len() == 1 && ["scored", "pending_review"].contains(&calls[0]["status"].as_str()), "{calls:?}");
}

#[test]
fn man_pages_and_completions_are_whole() {
    let installed = installed();
    let page = Command::new("gzip").arg("-dc").arg(installed.path("share/man/man1/callmark-run.1.gz")).output();
    let page = succeeded(&page.expect("gzip starts"));
    assert!(page.starts_with(".ie") && page.contains("\\-\\-metadata"), "{page}");
    let completions = installed.path("share/bash-completion/completions/callmark");
    let script = format!(
        "source '{}'; COMP_WORDS=(callmark sco); COMP_CWORD=1; _callmark callmark sco callmark; echo \"${{COMPREPLY[*]}}\"",
        completions.display()
    );
    let offered = succeeded(&Command::new("bash").args(["-c", &script]).output().expect("bash starts"));
    assert_eq!(offered.trim(), "score scorecard");
}

/// Units and the cron line must not name a command or an option that the program does not have.
#[test]
fn the_nightly_commands_are_ones_that_the_program_has() {
    let installed = installed();
    let mut commands = BTreeSet::new();
    for entry in std::fs::read_dir(project().join("scripts/nightly")).expect("scripts/nightly") {
        let path = entry.expect("an entry").path();
        for line in nightly_lines(&path) {
            let mut words = line.split_whitespace();
            let command = words.next().expect("a command");
            commands.insert(command.to_string());
            let help = succeeded(&installed.run(&[command, "--help"]));
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{}: `callmark {command}` has no {option}", path.display());
            }
        }
    }
    assert!(commands.contains("run"), "{commands:?}");
}

/// What follows `/usr/bin/callmark` in the lines that start it.
fn nightly_lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("readable");
    let started = text.lines().filter(|line| !line.starts_with('#')).filter_map(|l| l.split_once("/usr/bin/callmark "));
    started.map(|(_, arguments)| arguments.to_string()).collect()
}
