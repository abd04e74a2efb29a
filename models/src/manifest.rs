//! Which model files there are, where they lie, and whether they are what they should be.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::classifier;
use crate::ggml::{GgmlError, WhisperShape, check_whisper_file};

/// Environment variable with more folders for model files, separated like `PATH`.
pub const MODELS_VARIABLE: &str = "CALLMARK_MODELS";
/// The recogniser that comes with callmark and is used when no other is installed.
pub const STARTER: &str = "starter-en";

/// One known file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    pub name: String,
    /// `recogniser`, `voice_activity`, `runtime`, `encoder`, `sentiment_classifier`, …
    #[serde(default = "recogniser")]
    pub kind: String,
    /// Relative to a models folder.
    pub file: String,
    /// Where it can be pulled from; `None` for what comes with callmark or its set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub bytes: u64,
    pub sha256: String,
    /// Empty: every language that callmark scores.
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// Who published size and SHA-256.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Two or more independent sources agree on the SHA-256, or it was made here.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub verified: bool,
    /// About what one lane needs, MB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub memory_estimated: bool,
    /// Seconds of one core for one second of telephone speech.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_time_factor_1_core: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default, skip_serializing_if = "RecogniserSettings::is_default")]
    pub recogniser: RecogniserSettings,
    /// The folder whose `models.toml` says so; `None`: the built-in manifest.
    #[serde(skip)]
    pub added_in: Option<PathBuf>,
}

fn recogniser() -> String {
    "recogniser".to_string()
}

fn yes() -> bool {
    true
}

impl ModelEntry {
    /// The name of its file in a flat folder.
    pub fn file_name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or(&self.file)
    }
}

/// How a recogniser wants its sound, and how it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Words that the model is not sure of are left out where its own no-speech probability is this much on average: many
    /// voices, no speaker. 1000: hardly ever.
    pub babble_permille: u16,
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
            babble_permille: 1000,
            confidence_floor_permille: 400,
        }
    }
}

impl RecogniserSettings {
    fn is_default(&self) -> bool {
        *self == RecogniserSettings::default()
    }
}

/// All known models: the built-in ones, and those that a site added.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub models: Vec<ModelEntry>,
}

/// A manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    model: Vec<ModelEntry>,
    #[serde(default)]
    repository: Vec<Repository>,
}

/// Models with a common address; its other keys count for each of them.
#[derive(Deserialize)]
struct Repository {
    url: String,
    folder: String,
    models: Vec<toml::Table>,
    #[serde(flatten)]
    defaults: toml::Table,
}

impl Repository {
    fn entries(self) -> impl Iterator<Item = Result<ModelEntry, toml::de::Error>> {
        self.models.into_iter().map(move |model| {
            let mut table = self.defaults.clone();
            table.extend(model);
            let mut entry: ModelEntry = table.try_into()?;
            entry.url = Some(format!("{}/{}", self.url, entry.file));
            entry.file = format!("{}/{}", self.folder, entry.file);
            Ok(entry)
        })
    }
}

/// A model file on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    #[error("there is no {kind} named {name:?}")]
    Kind { name: String, kind: &'static str },
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
    #[error("the classifier {folder} cannot be used: {cause}")]
    Classifier { folder: String, cause: String, hint: &'static str },
    #[error("the list of added models {path} cannot be {action}: {cause}")]
    Added { path: String, action: &'static str, cause: String },
}

impl ModelError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ModelError::Unknown { .. } => "`callmark models list` shows the names; a path to a ggml file works too",
            ModelError::Kind { .. } => "`callmark models list` shows what there is",
            ModelError::NotInstalled { .. } => {
                "`callmark models pull` fetches recognisers (--mirror: from elsewhere); scripts/setup fetches what callmark itself needs"
            }
            ModelError::Read { .. } => "check the path and the permissions",
            ModelError::Size { .. } | ModelError::Hash { .. } => {
                "fetch the file again: `callmark models pull` replaces it, and `callmark models add` what you added yourself"
            }
            ModelError::Structure { .. } => {
                "callmark needs a complete Whisper model in whisper.cpp's ggml format (ggml-*.bin)"
            }
            ModelError::Classifier { hint, .. } => hint,
            ModelError::Added { .. } => "correct the file by hand, or move it away and add the models again",
        }
    }
}

/// Whether a model's file lies on this machine. Sizes are compared, contents are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    Installed(PathBuf),
    /// There is a file of its name with another size.
    Damaged(PathBuf),
    Missing,
}

impl Manifest {
    /// The manifest that was built in.
    ///
    /// # Errors
    /// Never for a released build: a test reads it.
    pub fn built_in() -> Result<Manifest, toml::de::Error> {
        Ok(Manifest { models: read(include_str!("../manifest.toml"))? })
    }

    /// The built-in manifest with the models that were added in `folders` (see [`crate::added`]). Of one name, the first counts:
    /// what a site added goes before what callmark brings.
    ///
    /// # Errors
    /// A `models.toml` cannot be read.
    pub fn with_added(folders: &[PathBuf]) -> Result<Manifest, ModelError> {
        let mut models: Vec<ModelEntry> = Vec::new();
        let built_in = Manifest::built_in().map_err(|e| ModelError::Added {
            path: "of callmark itself".to_string(),
            action: "read",
            cause: e.to_string(),
        })?;
        let added = folders.iter().map(|folder| crate::added::read(folder)).collect::<Result<Vec<_>, _>>()?;
        for entry in added.into_iter().flatten().chain(built_in.models) {
            if !models.iter().any(|known| known.name == entry.name) {
                models.push(entry);
            }
        }
        Ok(Manifest { models })
    }

    pub fn entry(&self, name: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|entry| entry.name == name)
    }

    /// The model that an entry's name means, or a hint at what was meant.
    ///
    /// # Errors
    /// There is none.
    pub fn known(&self, name: &str) -> Result<&ModelEntry, ModelError> {
        let unknown = || ModelError::Unknown { name: name.to_string(), suggestion: self.suggestion(name) };
        self.entry(name).ok_or_else(unknown)
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

    /// The model of a kind with this name.
    ///
    /// # Errors
    /// There is none of that kind, or its file is missing or another.
    pub fn find_of_kind(&self, name: &str, kind: &'static str, dirs: &[PathBuf]) -> Result<ModelFile, ModelError> {
        match self.entry(name).filter(|entry| entry.kind == kind) {
            Some(entry) => self.find_model(&entry.name, dirs),
            None => Err(ModelError::Kind { name: name.to_string(), kind }),
        }
    }

    /// The best installed recogniser: the manifest's last (largest) one that lies in `dirs`, else the starter.
    pub fn default_recogniser(&self, dirs: &[PathBuf]) -> &str {
        let installed = |entry: &&ModelEntry| {
            entry.kind == "recogniser"
                && entry.name != STARTER
                && matches!(presence(entry, dirs), Presence::Installed(_))
        };
        self.models.iter().filter(installed).max_by_key(|entry| entry.bytes).map_or(STARTER, |entry| &entry.name)
    }

    fn suggestion(&self, name: &str) -> String {
        let end = |entry: &&ModelEntry| entry.name.ends_with(name) || entry.name.starts_with(name);
        let part = |entry: &&ModelEntry| entry.name.contains(name) || name.contains(&entry.name);
        let close = self.models.iter().find(end).or_else(|| self.models.iter().find(part));
        close.map(|entry| format!("; did you mean {:?}?", entry.name)).unwrap_or_default()
    }
}

/// Where an entry's file lies. An intact file goes before one of another size.
pub fn presence(entry: &ModelEntry, dirs: &[PathBuf]) -> Presence {
    let (intact, other): (Vec<_>, Vec<_>) = places(entry, dirs).partition(|path| file_size(path) == Some(entry.bytes));
    match (intact.into_iter().next(), other.into_iter().next()) {
        (Some(path), _) => Presence::Installed(path),
        (None, Some(path)) => Presence::Damaged(path),
        (None, None) => Presence::Missing,
    }
}

/// The entries of a manifest's text.
pub(crate) fn read(text: &str) -> Result<Vec<ModelEntry>, toml::de::Error> {
    let written: Written = toml::from_str(text)?;
    let mut models = written.model;
    for repository in written.repository {
        models.extend(repository.entries().collect::<Result<Vec<_>, _>>()?);
    }
    Ok(models)
}

/// Checks size and SHA-256, for recognisers the structure, for classifiers the files that belong to it. Returns the SHA-256.
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
    match entry.kind.as_str() {
        "recogniser" => verify_whisper(path).map(|_| ())?,
        classifier::KIND => {
            let folder = path.parent().unwrap_or(path);
            classifier::check_files(folder).map_err(|error| ModelError::Classifier {
                folder: folder.display().to_string(),
                cause: error.to_string(),
                hint: error.hint(),
            })?;
        }
        _ => {}
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
    let usual = search_roots().into_iter().flat_map(|root| [root.join("share/callmark/models"), root.join("models")]);
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in extra.iter().cloned().chain(named_dirs()).chain(usual) {
        if dir.is_dir() && !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}

/// The folders that `CALLMARK_MODELS` names.
pub fn named_dirs() -> Vec<PathBuf> {
    std::env::var_os(MODELS_VARIABLE).map(|value| std::env::split_paths(&value).collect()).unwrap_or_default()
}

/// The folders above the program and above the working directory, nearest first.
pub(crate) fn search_roots() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let working = std::env::current_dir().ok();
    let above = |path: &PathBuf| path.ancestors().map(Path::to_path_buf).collect::<Vec<_>>();
    program.iter().chain(&working).flat_map(above).collect()
}

fn locate(entry: &ModelEntry, dirs: &[PathBuf]) -> Option<PathBuf> {
    match presence(entry, dirs) {
        Presence::Installed(path) | Presence::Damaged(path) => Some(path),
        Presence::Missing => None,
    }
}

/// The files of its name: an added model's lies beside its list, others anywhere, in folders as in the package or flat.
fn places<'a>(entry: &'a ModelEntry, dirs: &'a [PathBuf]) -> impl Iterator<Item = PathBuf> + 'a {
    let dirs = match &entry.added_in {
        Some(folder) => std::slice::from_ref(folder),
        None => dirs,
    };
    let named = |dir: &'a PathBuf| [dir.join(&entry.file), dir.join(entry.file_name())];
    dirs.iter().flat_map(named).filter(|path| path.is_file())
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
        assert!(manifest.models.len() >= 39);
        let mut names: Vec<&str> = manifest.models.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), manifest.models.len(), "names are unique");
        for model in &manifest.models {
            assert_eq!(model.sha256.len(), 64, "{}", model.name);
            assert!(model.sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            assert!(model.bytes > 0 && !model.licence.is_empty());
            assert!(Path::new(&model.file).is_relative() && !model.file.contains(".."));
            if let Some(url) = &model.url {
                assert!(url.starts_with("https://") && url.ends_with(".bin"), "{url}");
                assert!(!model.source.is_empty(), "{}: who says so?", model.name);
            }
        }
        assert!(manifest.entry(STARTER).unwrap().recogniser.second_speed_permille > 0);
    }

    #[test]
    fn a_model_of_another_kind_is_refused_by_name() {
        let manifest = Manifest::built_in().unwrap();
        for name in ["starter-en", "nonsense", "speaker/model.onnx"] {
            let error = manifest.find_of_kind(name, "speaker_encoder", &[]).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no speaker_encoder named {name:?}"));
        }
        let missing = manifest.find_of_kind("speaker-encoder", "speaker_encoder", &[]).unwrap_err();
        assert!(matches!(missing, ModelError::NotInstalled { .. }), "{missing}");
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
