//! Which model files there are, where they lie, and whether they are what they should be.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::ggml::{GgmlError, WhisperShape, check_whisper_file};

/// Environment variable with more folders for model files, separated like `PATH`.
pub const MODELS_VARIABLE: &str = "CALLMARK_MODELS";
/// The recogniser that comes with callmark and is used when no other is installed.
pub const STARTER: &str = "starter-en";

/// One known file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelEntry {
    pub name: String,
    /// `recogniser`, `voice_activity`, `runtime`, `sentiment`, `encoder`, …
    pub kind: String,
    /// Relative to a models folder.
    pub file: String,
    /// Where it can be pulled from; `None` for what comes with callmark or its set-up.
    pub url: Option<String>,
    pub bytes: u64,
    pub sha256: String,
    pub languages: Vec<String>,
    pub licence: String,
    /// About what one lane needs, MB.
    pub memory_mb: Option<u32>,
    #[serde(default)]
    pub memory_estimated: bool,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub recogniser: RecogniserSettings,
    /// Keys of other kinds of models; their modules read them.
    #[serde(flatten)]
    pub other: BTreeMap<String, toml::Value>,
}

/// How a recogniser wants its sound, and how it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecogniserSettings {
    /// Longer speech is cut at its quietest moments.
    pub max_span_ms: i64,
    /// Speech is packed into clips up to this long; 0: every span is decoded by itself.
    pub window_ms: i64,
    /// The encoder looks at the span only instead of 30 s.
    pub short_audio_context: bool,
    /// Decode part of the speech a second time at this speed (1000 = unchanged) and count how much agrees; 0: do not.
    pub second_speed_permille: u16,
    /// Calls whose `recogniser_confidence_permille` is lower are not scored.
    pub confidence_floor_permille: u16,
}

impl Default for RecogniserSettings {
    /// For Whisper models that were never calibrated here: whole 30 s windows, mean word confidence against a floor
    /// that is an engineering guess.
    fn default() -> Self {
        RecogniserSettings {
            max_span_ms: 28_000,
            window_ms: 28_000,
            short_audio_context: false,
            second_speed_permille: 0,
            confidence_floor_permille: 400,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    #[serde(rename = "model")]
    pub models: Vec<ModelEntry>,
}

/// A model file on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    pub name: String,
    pub path: PathBuf,
    /// `None` for a file that the manifest does not know.
    pub entry: Option<ModelEntry>,
    /// Of the file's content, lower-case hexadecimal.
    pub sha256: String,
}

impl ModelFile {
    /// The manifest's settings, or the defaults for files it does not know.
    pub fn recogniser_settings(&self) -> RecogniserSettings {
        self.entry.as_ref().map(|entry| entry.recogniser).unwrap_or_default()
    }
}

/// Why a model file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    #[error("there is no model named {name:?}{suggestion}")]
    Unknown { name: String, suggestion: String },
    #[error("the model {name} is not installed (looked at {looked_at})")]
    NotInstalled { name: String, looked_at: String },
    #[error("the model file {path} cannot be read: {cause}")]
    Read { path: String, cause: String },
    #[error("the model file {path} has {found} bytes instead of {expected}")]
    Size { path: String, found: u64, expected: u64 },
    #[error("the model file {path} is damaged or another version (SHA-256 {found} instead of {expected})")]
    Hash { path: String, found: String, expected: String },
    #[error("the model file {path} cannot be used: {cause}")]
    Structure { path: String, cause: GgmlError },
}

impl ModelError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ModelError::Unknown { .. } => "`callmark models list` shows the names; a path to a ggml file works too",
            ModelError::NotInstalled { .. } => "run scripts/setup for what callmark needs, or pull the model",
            ModelError::Read { .. } => "check the path and the permissions",
            ModelError::Size { .. } | ModelError::Hash { .. } => "delete the file and fetch it again",
            ModelError::Structure { .. } => {
                "callmark needs a complete Whisper model in whisper.cpp's ggml format (ggml-*.bin)"
            }
        }
    }
}

/// One row of `callmark models list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelRow {
    pub name: String,
    pub kind: String,
    pub installed: bool,
    pub bytes: u64,
    pub languages: Vec<String>,
    pub licence: String,
    pub note: String,
}

impl Manifest {
    /// The manifest that was built in.
    ///
    /// # Errors
    /// Never for a released build: a test reads it.
    pub fn built_in() -> Result<Manifest, toml::de::Error> {
        toml::from_str(include_str!("../manifest.toml"))
    }

    pub fn entry(&self, name: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|entry| entry.name == name)
    }

    /// Everything that is known, with what lies in `dirs`. Sizes are compared, contents are not.
    pub fn rows(&self, dirs: &[PathBuf]) -> Vec<ModelRow> {
        let row = |entry: &ModelEntry| ModelRow {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            installed: locate(entry, dirs).is_some_and(|path| file_size(&path) == Some(entry.bytes)),
            bytes: entry.bytes,
            languages: entry.languages.clone(),
            licence: entry.licence.clone(),
            note: entry.note.clone(),
        };
        self.models.iter().map(row).collect()
    }

    /// Finds and verifies a model by name in `dirs`, or any Whisper file by its path.
    ///
    /// # Errors
    /// The name is unknown, the file is missing, or it is not intact.
    pub fn find_model(&self, name_or_path: &str, dirs: &[PathBuf]) -> Result<ModelFile, ModelError> {
        if let Some(entry) = self.entry(name_or_path) {
            let path = locate(entry, dirs).ok_or_else(|| ModelError::NotInstalled {
                name: entry.name.clone(),
                looked_at: dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", "),
            })?;
            let sha256 = verify_file(&path, entry)?;
            return Ok(ModelFile { name: entry.name.clone(), path, entry: Some(entry.clone()), sha256 });
        }
        let path = PathBuf::from(name_or_path);
        if !path.is_file() {
            let looks_like_path = name_or_path.contains(['/', '\\']) || name_or_path.ends_with(".bin");
            return Err(if looks_like_path {
                ModelError::Read { path: name_or_path.to_string(), cause: "there is no such file".to_string() }
            } else {
                ModelError::Unknown { name: name_or_path.to_string(), suggestion: self.suggestion(name_or_path) }
            });
        }
        verify_whisper(&path)?;
        let sha256 = file_sha256(&path)?;
        // A known file under another name is still known.
        let entry = self.models.iter().find(|entry| entry.sha256 == sha256).cloned();
        let name = entry.as_ref().map(|entry| entry.name.clone()).unwrap_or_else(|| file_name(&path));
        Ok(ModelFile { name, path, entry, sha256 })
    }

    /// The best installed recogniser: the manifest's last (largest) one that lies in `dirs`, else the starter.
    pub fn default_recogniser(&self, dirs: &[PathBuf]) -> &str {
        let installed = |entry: &&ModelEntry| {
            entry.kind == "recogniser"
                && entry.name != STARTER
                && locate(entry, dirs).is_some_and(|path| file_size(&path) == Some(entry.bytes))
        };
        self.models.iter().filter(installed).max_by_key(|entry| entry.bytes).map_or(STARTER, |entry| &entry.name)
    }

    fn suggestion(&self, name: &str) -> String {
        let close = |entry: &&ModelEntry| entry.name.contains(name) || name.contains(&entry.name);
        self.models.iter().find(close).map(|entry| format!("; did you mean {:?}?", entry.name)).unwrap_or_default()
    }
}

/// Checks size and SHA-256, and for recognisers the structure. Returns the SHA-256.
///
/// # Errors
/// What differs from the manifest.
pub fn verify_file(path: &Path, entry: &ModelEntry) -> Result<String, ModelError> {
    let shown = || path.display().to_string();
    let found =
        std::fs::metadata(path).map_err(|error| ModelError::Read { path: shown(), cause: error.to_string() })?.len();
    if found != entry.bytes {
        return Err(ModelError::Size { path: shown(), found, expected: entry.bytes });
    }
    let sha256 = file_sha256(path)?;
    if sha256 != entry.sha256 {
        return Err(ModelError::Hash { path: shown(), found: sha256, expected: entry.sha256.clone() });
    }
    if entry.kind == "recogniser" {
        verify_whisper(path)?;
    }
    Ok(sha256)
}

/// Checks that a file is a whole Whisper model, so that native code can be trusted with it.
///
/// # Errors
/// What is wrong with it.
pub fn verify_whisper(path: &Path) -> Result<WhisperShape, ModelError> {
    check_whisper_file(path).map_err(|cause| ModelError::Structure { path: path.display().to_string(), cause })
}

/// SHA-256 of a file's content, read in pieces.
///
/// # Errors
/// The file cannot be read.
pub fn file_sha256(path: &Path) -> Result<String, ModelError> {
    let failed =
        |error: std::io::Error| ModelError::Read { path: path.display().to_string(), cause: error.to_string() };
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..count]);
    }
}

/// Folders that may hold model files: `extra` first, then `CALLMARK_MODELS`, then `models/` and `share/callmark/models/`
/// of the folders above the program and above the working directory.
pub fn model_dirs(extra: &[PathBuf]) -> Vec<PathBuf> {
    let named = std::env::var_os(MODELS_VARIABLE).map(|value| std::env::split_paths(&value).collect::<Vec<_>>());
    let usual = search_roots().into_iter().flat_map(|root| [root.join("share/callmark/models"), root.join("models")]);
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in extra.iter().cloned().chain(named.into_iter().flatten()).chain(usual) {
        if dir.is_dir() && !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}

/// The folders above the program and above the working directory, nearest first.
pub(crate) fn search_roots() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let working = std::env::current_dir().ok();
    let above = |path: &PathBuf| path.ancestors().map(Path::to_path_buf).collect::<Vec<_>>();
    program.iter().chain(&working).flat_map(above).collect()
}

fn locate(entry: &ModelEntry, dirs: &[PathBuf]) -> Option<PathBuf> {
    let by_name = |dir: &PathBuf| {
        let file = Path::new(&entry.file);
        // A folder of downloaded files is flat.
        let flat = file.file_name().map(|name| dir.join(name));
        [Some(dir.join(file)), flat].into_iter().flatten().find(|path| path.is_file())
    };
    dirs.iter().find_map(by_name)
}

fn file_size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|data| data.len())
}

fn file_name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_is_sound() {
        let manifest = Manifest::built_in().unwrap();
        assert!(manifest.models.len() >= 20);
        let mut names: Vec<&str> = manifest.models.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), manifest.models.len(), "names are unique");
        for model in &manifest.models {
            assert_eq!(model.sha256.len(), 64, "{}", model.name);
            assert!(model.sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            assert!(model.bytes > 0 && !model.licence.is_empty());
            assert!(Path::new(&model.file).is_relative() && !model.file.contains(".."));
        }
        assert!(manifest.entry(STARTER).unwrap().recogniser.second_speed_permille > 0);
    }

    #[test]
    fn unknown_names_and_paths_are_told_apart() {
        let manifest = Manifest::built_in().unwrap();
        let error = |name: &str| manifest.find_model(name, &[]).unwrap_err();
        assert!(
            matches!(error("turbo"), ModelError::Unknown { suggestion, .. } if suggestion.contains("large-v3-turbo"))
        );
        assert!(matches!(error("missing/ggml.bin"), ModelError::Read { .. }));
        assert!(matches!(error("base"), ModelError::NotInstalled { .. }));
        assert_eq!(manifest.default_recogniser(&[]), STARTER);
    }
}
