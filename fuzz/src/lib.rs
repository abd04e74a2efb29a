//! What all fuzz targets do with their bytes.

use callmark_audio::{Limits, decode_named};
use libfuzzer_sys::Corpus;

#[path = "../../models/src/ggml.rs"]
pub mod ggml;

/// Half a gibibyte is what a target may take altogether: the decoder, its input and, while they grow, the samples twice.
const MOST_DECODED_BYTES: u64 = 64 << 20;

/// Lets panics inside symphonia be what they are for callmark: a damaged file. libFuzzer's wrapper ends the process at every
/// panic, caught or not; without its hook it still does where nothing caught it.
pub fn let_panics_be_caught() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Decodes a file that begins with one of the marks, `_` for any byte; others are left to other targets.
pub fn decode_marked(bytes: &[u8], marks: &[&[u8]]) -> Corpus {
    let is_marked = |mark: &&[u8]| {
        bytes.len() >= mark.len() && mark.iter().zip(bytes).all(|(mark, byte)| *mark == b'_' || mark == byte)
    };
    if !marks.iter().any(|mark| is_marked(&mark)) {
        return Corpus::Reject;
    }
    decode(bytes, "");
    Corpus::Keep
}

/// Sound within the limits, or an error that says what and what to do.
pub fn decode(bytes: &[u8], name: &str) {
    let limits = Limits { max_decoded_bytes: MOST_DECODED_BYTES, ..Limits::default() };
    match decode_named(bytes, name, &limits) {
        Ok(audio) => {
            let samples = audio.channels[0].len();
            assert!(samples > 0 && audio.channels.iter().all(|channel| channel.len() == samples));
            assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()));
            assert!(audio.channels.len() <= usize::from(limits.max_channels));
            assert!((limits.min_rate_hz..=limits.max_rate_hz).contains(&audio.sample_rate_hz));
            assert!((samples * audio.channels.len() * 4) as u64 <= limits.max_decoded_bytes);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.hint().is_empty() && !error.code().is_empty()),
    }
}
