//! ITU-T G.722: 7 kHz speech in 64 kbit/s, without any header of its own.

use audio_codec::Decoder;
use audio_codec::g722::G722Decoder;

use crate::decode::{Audio, Limits, check_format, check_length};
use crate::error::AudioError;

/// Whatever a header says: RTP counts G.722 as if it had 8 kHz, and some recorders write that.
const RATE_HZ: u32 = 16_000;
/// Bytes that are decoded at once.
const CHUNK: usize = 4096;

/// Decodes raw G.722 of one channel: each byte gives two samples at 16 kHz.
///
/// # Errors
/// More sound than the limits allow.
pub(crate) fn decode(bytes: &[u8], container: &'static str, limits: &Limits) -> Result<Audio, AudioError> {
    check_format(RATE_HZ, 1, limits)?;
    check_length(2 * bytes.len() as u64, RATE_HZ, 1, limits)?;
    let mut decoder = G722Decoder::new();
    let mut samples = Vec::with_capacity(2 * bytes.len());
    let mut decoded = [0i16; 2 * CHUNK];
    for chunk in bytes.chunks(CHUNK) {
        let count = decoder
            .decode_into(chunk, &mut decoded)
            .map_err(|error| AudioError::Damaged { container, cause: error.to_string() })?;
        samples.extend(decoded[..count].iter().map(|sample| f32::from(*sample) / 32_768.0));
    }
    Ok(Audio {
        sample_rate_hz: RATE_HZ,
        channels: vec![samples],
        container,
        codec: "g722".to_string(),
        warnings: Vec::new(),
    })
}
