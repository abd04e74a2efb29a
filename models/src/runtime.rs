//! ONNX Runtime: found and loaded once per process.
//!
//! It is loaded at run time (never linked), so a missing library is an error with a hint instead of a program that does
//! not start. `scripts/setup` puts it into `models/cache/onnxruntime/`; packages put it into `lib/callmark/`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use ort::environment::Environment;
use ort::session::Session;
use thiserror::Error;

use crate::manifest::search_roots;

/// Environment variable with the library's path.
pub const RUNTIME_VARIABLE: &str = "CALLMARK_ONNXRUNTIME";

/// Why ONNX Runtime or a network cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuntimeError {
    #[error("ONNX Runtime was not found (looked at {looked_at})")]
    NotFound { looked_at: String },
    #[error("ONNX Runtime cannot be loaded from {path}: {cause}")]
    Load { path: String, cause: String },
    #[error("the network {name} cannot be loaded: {cause}")]
    Network { name: String, cause: String },
    #[error("the network {name} failed: {cause}")]
    Inference { name: String, cause: String },
}

impl RuntimeError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            RuntimeError::NotFound { .. } => {
                "run scripts/setup, or set CALLMARK_ONNXRUNTIME to the path of libonnxruntime.so (1.24 or newer)"
            }
            RuntimeError::Load { .. } => {
                "the library must be ONNX Runtime 1.24 or newer for this processor: run scripts/setup"
            }
            RuntimeError::Network { .. } | RuntimeError::Inference { .. } => {
                "the model file is damaged or of another kind: run scripts/setup again"
            }
        }
    }
}

/// The process's ONNX Runtime. The first call decides which library is loaded; later calls get the same answer.
///
/// Looks at `path`, then `CALLMARK_ONNXRUNTIME`, then `lib/callmark/` beside the program's folder, then
/// `models/cache/onnxruntime/` of the checkout that holds the program or the working directory.
///
/// # Errors
/// The library is missing or is not ONNX Runtime ≥ 1.24.
pub fn onnx_runtime(path: Option<&Path>) -> Result<&'static Environment, RuntimeError> {
    static RUNTIME: OnceLock<Result<Environment, RuntimeError>> = OnceLock::new();
    RUNTIME.get_or_init(|| load(path)).as_ref().map_err(Clone::clone)
}

fn load(path: Option<&Path>) -> Result<Environment, RuntimeError> {
    let library = find(path)?;
    let failed = |cause: String| RuntimeError::Load { path: library.display().to_string(), cause };
    let builder = ort::init_from(&library).map_err(|error| failed(error.to_string()))?;
    builder.with_name("callmark").with_telemetry(false).build().map_err(|error| failed(error.to_string()))
}

/// An explicit path must be right; the usual places are tried in turn.
fn find(path: Option<&Path>) -> Result<PathBuf, RuntimeError> {
    let explicit = path.map(Path::to_path_buf).or_else(|| std::env::var_os(RUNTIME_VARIABLE).map(PathBuf::from));
    let places: Vec<PathBuf> = match explicit {
        Some(path) => vec![path],
        None => search_roots()
            .iter()
            .flat_map(|root| {
                let folders = [root.join("lib/callmark"), root.join("models/cache/onnxruntime")];
                folders.into_iter().map(|folder| folder.join("libonnxruntime.so"))
            })
            .collect(),
    };
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| RuntimeError::NotFound {
        looked_at: places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// Opens a network for one worker: one thread, so that workers do not fight and sums keep their order.
///
/// # Errors
/// The runtime is missing, or the file is no network that it knows.
pub fn open_session(path: &Path) -> Result<Session, RuntimeError> {
    let environment = onnx_runtime(None)?;
    let name = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let failed = |cause: String| RuntimeError::Network { name: name(), cause };
    Session::builder(environment)
        .map_err(|error| failed(error.to_string()))?
        .with_intra_threads(1)
        .map_err(|error| failed(error.to_string()))?
        .with_inter_threads(1)
        .map_err(|error| failed(error.to_string()))?
        .commit_from_file(path)
        .map_err(|error| failed(error.to_string()))
}
