//! Voice activity: Silero's network → probability of speech per 32 ms.
//!
//! The "sequence" form of the network (silero-vad 6.2) takes many frames in one call and gives the same probabilities
//! as the frame-by-frame form, its recurrent state handed on from block to block.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use crate::runtime::{RuntimeError, open_session};

/// Samples of one frame at 16 kHz: 32 ms.
const FRAME: usize = 512;
/// Samples of the previous frame that the network sees in front of a frame.
const CONTEXT: usize = 64;
/// Frames of one call: 16 s.
const BLOCK: usize = 512;
/// Size of the recurrent state.
const STATE: usize = 128;

/// Silero's network; one per worker.
pub struct VoiceActivity {
    session: Session,
}

impl VoiceActivity {
    /// Loads `silero_vad_16k_sequence.onnx`.
    ///
    /// # Errors
    /// ONNX Runtime is missing or the file is not that network.
    pub fn load(path: &Path) -> Result<VoiceActivity, RuntimeError> {
        let session = open_session(path)?;
        let has = |name: &str| session.inputs().iter().any(|input| input.name() == name);
        if !(has("input") && has("h") && has("c")) {
            return Err(RuntimeError::Network {
                name: "voice activity".to_string(),
                cause: "it is not Silero's sequence network (inputs input, h, c)".to_string(),
            });
        }
        Ok(VoiceActivity { session })
    }

    /// Probability of speech, per mille, for every 32 ms of a channel at 16 kHz; the last frame is filled with silence.
    ///
    /// # Errors
    /// The network failed; the samples do not matter for that.
    pub fn probabilities_permille(&mut self, samples_16k: &[f32]) -> Result<Vec<u16>, RuntimeError> {
        let failed = |error: ort::Error| RuntimeError::Inference {
            name: "voice activity".to_string(),
            cause: error.to_string(),
        };
        let frames = samples_16k.len().div_ceil(FRAME);
        let mut out = Vec::with_capacity(frames);
        let (mut hidden, mut cell) = (vec![0f32; STATE], vec![0f32; STATE]);
        let mut input = Vec::with_capacity(BLOCK * (CONTEXT + FRAME));
        for first in (0..frames).step_by(BLOCK) {
            let count = BLOCK.min(frames - first);
            input.clear();
            for frame in first..first + count {
                let begin = frame * FRAME;
                let end = samples_16k.len().min(begin + FRAME);
                if begin == 0 {
                    input.resize(CONTEXT, 0.0);
                } else {
                    input.extend_from_slice(&samples_16k[begin - CONTEXT..begin]);
                }
                input.extend_from_slice(&samples_16k[begin..end]);
                input.resize(input.len() + FRAME - (end - begin), 0.0);
            }
            let outputs = self
                .session
                .run(ort::inputs![
                    "input" => TensorRef::from_array_view(([count, CONTEXT + FRAME], &input[..])).map_err(failed)?,
                    "h" => TensorRef::from_array_view(([1usize, 1, STATE], &hidden[..])).map_err(failed)?,
                    "c" => TensorRef::from_array_view(([1usize, 1, STATE], &cell[..])).map_err(failed)?,
                ])
                .map_err(failed)?;
            let (_, probabilities) = outputs["speech_probs"].try_extract_tensor::<f32>().map_err(failed)?;
            out.extend(probabilities.iter().take(count).map(|p| (p.clamp(0.0, 1.0) * 1000.0).round() as u16));
            let (next_hidden, next_cell) = (
                outputs["hn"].try_extract_tensor::<f32>().map_err(failed)?.1.to_vec(),
                outputs["cn"].try_extract_tensor::<f32>().map_err(failed)?.1.to_vec(),
            );
            (hidden, cell) = (next_hidden, next_cell);
        }
        out.resize(frames, 0);
        Ok(out)
    }
}
