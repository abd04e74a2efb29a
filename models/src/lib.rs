//! The models: which files they are, whether they are intact, and what they say about sound and text.
//!
//! The only crate that knows model files and native inference. Everything leaves it as whole per mille, so that the
//! same inputs give the same records. Files are checked before native code sees them: C++ aborts cannot be caught.

pub mod act_head;
pub mod added;
pub mod asr;
pub mod classifier;
pub mod embedding;
pub mod ggml;
mod guards;
mod insult_head;
pub mod manifest;
pub mod overlap_detector;
pub mod random_model;
pub mod runtime;
pub mod sentiment;
pub mod speaker_encoder;
pub mod text_encoder;
pub mod text_model;
pub mod vad;
