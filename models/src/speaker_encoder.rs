//! Whose voice it is: a speaker encoder turns a second or so of speech into a vector; vectors of one voice lie close together.
//!
//! Any ONNX network with one input (windows, samples at 16 kHz) and one output (windows, length) will do, whatever its names.
//! The one that comes with callmark: models/training/speakers.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use crate::runtime::{RuntimeError, open_session};

/// Samples that the network hears at once: 1.6 s. Shorter windows are repeated up to it, longer ones lose their end.
const WINDOW: usize = 25_600;
/// Windows of one call of the network.
const BATCH: usize = 16;

/// A speaker encoder; one per worker.
pub struct SpeakerEncoder {
    session: Session,
}

impl SpeakerEncoder {
    /// Loads an ONNX file.
    ///
    /// # Errors
    /// ONNX Runtime is missing, or the file is no network with one input and one output.
    pub fn load(path: &Path) -> Result<SpeakerEncoder, RuntimeError> {
        let session = open_session(path)?;
        if session.inputs().len() != 1 || session.outputs().len() != 1 {
            return Err(RuntimeError::Network {
                name: "speaker encoder".to_string(),
                cause: "it needs exactly one input (samples) and one output (vectors)".to_string(),
            });
        }
        Ok(SpeakerEncoder { session })
    }

    /// A vector for each window of samples at 16 kHz. The windows of one call only: what the network returns for a window
    /// may depend, in its last bits, on the others of its batch.
    ///
    /// # Errors
    /// The network failed.
    pub fn vectors(&mut self, windows: &[&[f32]]) -> Result<Vec<Vec<f32>>, RuntimeError> {
        let failed = |cause: String| RuntimeError::Inference { name: "speaker encoder".to_string(), cause };
        let mut out = Vec::with_capacity(windows.len());
        let mut input = Vec::with_capacity(BATCH * WINDOW);
        for batch in windows.chunks(BATCH) {
            input.clear();
            for window in batch {
                let end = input.len() + WINDOW;
                input.extend(window.iter().copied().map(sane).cycle().take(WINDOW));
                // An empty window is silence.
                input.resize(end, 0.0);
            }
            let tensor = TensorRef::from_array_view(([batch.len(), WINDOW], &input[..]));
            let outputs = self
                .session
                .run(ort::inputs![tensor.map_err(|e| failed(e.to_string()))?])
                .map_err(|e| failed(e.to_string()))?;
            let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(|e| failed(e.to_string()))?;
            if values.is_empty() || values.len() % batch.len() != 0 || values.iter().any(|v| !v.is_finite()) {
                return Err(failed(format!("it answered {batch} windows with {shape:?}", batch = batch.len())));
            }
            out.extend(values.chunks(values.len() / batch.len()).map(<[f32]>::to_vec));
        }
        Ok(out)
    }
}

/// Hostile files hold anything.
fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 }
}
