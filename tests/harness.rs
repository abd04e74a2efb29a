//! Runs the program in a folder of its own and reads what it wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A store and an output folder of one test.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// A command of the program on this place's store, with no configuration of the machine's user.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callmark"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("CALLMARK_HOME", project())
            .env("CALLMARK_STORE", self.folder.path().join("store.db"))
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env_remove("CALLMARK_MODEL")
            .env_remove("CALLMARK_CONFIG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the program starts");
        Ran::new(output)
    }

    /// `callmark run` on paths, with this place's output folder.
    pub fn run_on(&self, paths: &[&Path], more: &[&str]) -> Ran {
        let out = self.out();
        let mut arguments = vec!["run", "--json", "--out", out.to_str().expect("UTF-8")];
        arguments.extend(paths.iter().map(|p| p.to_str().expect("UTF-8")));
        arguments.extend(more);
        self.run(&arguments)
    }

    /// Files below the folder that hold a word, without the recordings in `night` themselves; sorted.
    pub fn holding(&self, word: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.extend((name != "night").then_some(path));
                } else if std::fs::read(&path)
                    .expect("readable")
                    .windows(word.len())
                    .any(|bytes| bytes == word.as_bytes())
                {
                    found.push(name);
                }
            }
        }
        found.sort();
        found
    }

    /// The analysis of one call.
    pub fn analysis(&self, call_id: &str) -> Value {
        let path = self.out().join(format!("{call_id}.analysis.json"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// One of the tables, a map per row.
    pub fn table(&self, name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        read_csv(&self.out().join(name))
    }

    /// All outputs that must not differ between runs: name → bytes.
    pub fn outputs(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.out()).expect("an output folder");
        let read = |path: PathBuf| {
            (path.file_name().expect("a name").to_string_lossy().into_owned(), std::fs::read(&path).expect("readable"))
        };
        entries.map(|e| read(e.expect("an entry").path())).collect()
    }
}

/// A finished program.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

pub fn read_csv(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The sample calls from audio with the starter model: transcribed once for all tests.
pub fn sample_from_audio() -> &'static (Place, Value) {
    static RUN: OnceLock<(Place, Value)> = OnceLock::new();
    RUN.get_or_init(|| {
        let place = Place::new();
        let summary = place.run_on(&[&project().join("sample-audio")], &["--jobs", "2"]).expect(0).json();
        (place, summary)
    })
}

/// The sample calls from their reference transcripts.
pub fn sample_from_references() -> &'static Place {
    static RUN: OnceLock<Place> = OnceLock::new();
    RUN.get_or_init(|| {
        let place = Place::new();
        let (references, transcripts) =
            (project().join("sample-audio/references"), project().join("sample-audio/transcripts"));
        let metadata = project().join("sample-audio/metadata.csv");
        place.run_on(&[&references, &transcripts], &["--metadata", metadata.to_str().expect("UTF-8")]).expect(0);
        place
    })
}

/// Millipoints from a table's decimal with three places: `70.723` → 70,723.
pub fn millipoints(cell: &str) -> i64 {
    let (whole, thousandths) = cell.split_once('.').unwrap_or((cell, "0"));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.parse().expect("points");
    whole * 1000 + sign * format!("{thousandths:0<3}").parse::<i64>().expect("thousandths of a point")
}
