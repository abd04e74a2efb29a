//! Where the parts that come with callmark lie: models, scorecards, ONNX Runtime; and the user's own models and store.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use callmark_core::recording::Language;
use callmark_models::manifest::{Manifest, named_dirs};

use crate::config::user_folder;

/// The folder that holds `models/` and `scorecards/`.
#[derive(Debug, Clone)]
pub struct Install {
    root: PathBuf,
}

impl Install {
    /// `CALLMARK_HOME`, else `share/callmark` of a folder above the program, else the source tree around the program or the working folder.
    pub fn find() -> Result<Install> {
        let complete = |root: &Path| root.join("models/manifest.toml").is_file();
        if let Some(home) = std::env::var_os("CALLMARK_HOME").map(PathBuf::from) {
            if complete(&home) {
                return Ok(Install { root: home });
            }
            bail!(
                "CALLMARK_HOME is set to {}, but there is no models/manifest.toml\nhint: point it to callmark's own folder, or unset it",
                home.display()
            );
        }
        let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
        let above_program = program.iter().flat_map(|p| p.ancestors());
        let packaged: Vec<PathBuf> = above_program.map(|folder| folder.join("share/callmark")).collect();
        let around = |path: Option<PathBuf>| {
            path.into_iter().flat_map(|p| p.ancestors().map(Path::to_path_buf).collect::<Vec<_>>())
        };
        let candidates = packaged.into_iter().chain(around(program)).chain(around(std::env::current_dir().ok()));
        match candidates.into_iter().find(|root| complete(root)) {
            Some(root) => Ok(Install { root }),
            None => bail!(
                "callmark's models and scorecards were not found\nhint: set CALLMARK_HOME to the folder that holds models/ and scorecards/"
            ),
        }
    }

    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    pub fn scorecards(&self) -> PathBuf {
        self.root.join("scorecards")
    }

    /// The folder of a language's text encoder with its heads.
    pub fn text_model(&self, language: Language) -> PathBuf {
        self.models().join(format!("text-{}", language.code()))
    }

    /// The ONNX Runtime that came with callmark, unless CALLMARK_ONNXRUNTIME names another.
    pub fn onnx_runtime(&self) -> Option<PathBuf> {
        let library = self.models().join("cache/onnxruntime/libonnxruntime.so");
        (std::env::var_os("CALLMARK_ONNXRUNTIME").is_none() && library.is_file()).then_some(library)
    }

    /// Where model files may lie: the user's own first, then what comes with callmark.
    pub fn model_folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = user_models().into_iter().collect();
        folders.push(self.models());
        callmark_models::manifest::model_dirs(&folders)
    }
}

/// All known models: callmark's own, and those that were added for this user or in the folders of `CALLMARK_MODELS`.
///
/// # Errors
/// A list of added models cannot be read.
pub fn known_models() -> Result<Manifest> {
    let folders: Vec<PathBuf> = user_models().into_iter().chain(named_dirs()).collect();
    Manifest::with_added(&folders).map_err(|error| anyhow!("{error}\nhint: {}", error.hint()))
}

/// Where a user keeps production models.
pub fn user_models() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ".local/share").map(|d| d.join("callmark/models"))
}

/// The store of all nights when nothing else is said.
pub fn default_store() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ".local/share").map(|d| d.join("callmark/callmark.db"))
}
