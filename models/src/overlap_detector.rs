//! Where two people speak at once: a small network hears the sound of one channel and says so for every 20 ms.
//!
//! Any ONNX network with one input (windows, samples at 16 kHz) and one output (windows, log-odds per 20 ms) will do, whatever its names.
//! The one that comes with callmark: models/training/overlap.

use std::path::Path;

use callmark_core::transcript::Span;
use ort::session::Session;
use ort::value::TensorRef;

use crate::runtime::{RuntimeError, open_session};

/// What one probability stands for.
pub const HOP_MS: i64 = 20;
const HOP: usize = 320;
/// Hops that the network hears at once: 4 s, as in training.
const WINDOW: usize = 200;
/// Hops at either end of a window whose answer is not used, as the network hears what lies around a hop.
const MARGIN: usize = 31;
const STEP: usize = WINDOW - 2 * MARGIN;

/// An overlap detector; one per worker.
pub struct OverlapDetector {
    session: Session,
}

impl OverlapDetector {
    /// Loads an ONNX file.
    ///
    /// # Errors
    /// ONNX Runtime is missing, or the file is no network with one input and one output.
    pub fn load(path: &Path) -> Result<OverlapDetector, RuntimeError> {
        let session = open_session(path)?;
        if session.inputs().len() != 1 || session.outputs().len() != 1 {
            return Err(RuntimeError::Network {
                name: "overlap detector".to_string(),
                cause: "it needs exactly one input (samples) and one output (log-odds)".to_string(),
            });
        }
        Ok(OverlapDetector { session })
    }

    /// Probability that two people speak, per mille, for every whole 20 ms of a channel at 16 kHz. Far from all spans of `speech` (sorted) it is 0:
    /// there the network does not listen.
    ///
    /// # Errors
    /// The network failed; the samples do not matter for that.
    pub fn probabilities_permille(&mut self, samples_16k: &[f32], speech: &[Span]) -> Result<Vec<u16>, RuntimeError> {
        let mut out = vec![0; samples_16k.len() / HOP];
        let mut window = Vec::with_capacity(WINDOW * HOP);
        for first in (0..out.len()).step_by(STEP) {
            let end = (first + STEP).min(out.len());
            let (begin_ms, end_ms) = (first as i64 * HOP_MS, end as i64 * HOP_MS);
            let next = speech.partition_point(|span| span.end_ms <= begin_ms);
            if speech.get(next).is_none_or(|span| span.begin_ms >= end_ms) {
                continue;
            }
            // Never over an end of the channel: silence put there would be heard. A channel shorter than that is repeated.
            let begin = first.saturating_sub(MARGIN).min(out.len().saturating_sub(WINDOW));
            window.clear();
            window.extend(samples_16k[begin * HOP..].iter().copied().map(sane).cycle().take(WINDOW * HOP));
            let log_odds = self.log_odds(&window)?;
            for (probability, odds) in out[first..end].iter_mut().zip(&log_odds[first - begin..]) {
                *probability = (1000.0 / (1.0 + libm::expf(-odds))).round() as u16;
            }
        }
        Ok(out)
    }

    /// Of one window. One at a time: the last bits of an answer may depend on the others of a batch.
    fn log_odds(&mut self, window: &[f32]) -> Result<Vec<f32>, RuntimeError> {
        let failed = |cause: String| RuntimeError::Inference { name: "overlap detector".to_string(), cause };
        let tensor = TensorRef::from_array_view(([1, window.len()], window)).map_err(|e| failed(e.to_string()))?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(|e| failed(e.to_string()))?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(|e| failed(e.to_string()))?;
        if values.len() != WINDOW || values.iter().any(|v| !v.is_finite()) {
            return Err(failed(format!("it answered {WINDOW} times 20 ms with {shape:?}")));
        }
        Ok(values.to_vec())
    }
}

/// Hostile files hold anything.
fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 }
}
