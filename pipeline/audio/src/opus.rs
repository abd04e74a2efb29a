//! Opus for symphonia: libopus as its decoder, and what the containers say about where the sound begins and ends.

use std::sync::OnceLock;

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::formats::Track;

use crate::matroska;

/// Ogg, Matroska and MP4 count Opus in samples of this rate, and libopus decodes every stream at it.
const RATE_HZ: u32 = 48_000;
/// 120 ms (RFC 6716, 3.2.5).
const LONGEST_PACKET: u64 = 5_760;
const LONGEST_PACKET_NS: u64 = 120_000_000;

/// Symphonia's own decoders, and libopus.
pub(crate) fn codecs() -> &'static CodecRegistry {
    static CODECS: OnceLock<CodecRegistry> = OnceLock::new();
    CODECS.get_or_init(|| {
        let mut codecs = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut codecs);
        codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
        codecs
    })
}

/// What to do with a track's samples beside decoding them; nothing for other codecs than Opus.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Presentation {
    /// Samples per channel before the first one that belongs to the recording.
    pub skip: usize,
    pub padding: Padding,
    pub gain: f32,
}

/// Where the last packets hold more than the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Padding {
    /// So many samples per channel are dropped.
    Samples(u64),
    /// What comes after so many samples per channel is dropped, if it is no more than a packet.
    After(u64),
}

impl Padding {
    /// Samples that are left of so many decoded ones.
    pub fn left(self, decoded: usize) -> usize {
        let decoded = decoded as u64;
        let left = match self {
            Padding::Samples(padding) => decoded.saturating_sub(padding),
            Padding::After(end) if decoded.saturating_sub(end) <= LONGEST_PACKET => decoded.min(end),
            Padding::After(_) => decoded,
        };
        usize::try_from(left).unwrap_or(usize::MAX)
    }
}

impl Default for Presentation {
    fn default() -> Self {
        Presentation { skip: 0, padding: Padding::Samples(0), gain: 1.0 }
    }
}

pub(crate) fn is_opus(parameters: &AudioCodecParameters) -> bool {
    parameters.codec == CODEC_ID_OPUS
}

/// Reads where an Opus track's sound begins and ends, and makes its parameters such that the decoder leaves both to us:
/// it cuts at most one packet at the beginning and takes MP4's big-endian header for a little-endian one.
pub(crate) fn presentation(
    track: &Track,
    parameters: &mut AudioCodecParameters,
    container: &str,
    bytes: &[u8],
) -> Presentation {
    if !is_opus(parameters) {
        return Presentation::default();
    }
    parameters.sample_rate = Some(RATE_HZ);
    let head = parameters.extra_data.take();
    let (skip, gain) =
        head.as_deref().and_then(read_head).unwrap_or((usize::try_from(track.delay.unwrap_or(0)).unwrap_or(0), 1.0));
    Presentation { skip, padding: padding(track, container, bytes, skip), gain }
}

/// The identification header (RFC 7845, 5.1): samples to skip, and the factor of its output gain.
fn read_head(head: &[u8]) -> Option<(usize, f32)> {
    let fields = head.strip_prefix(b"OpusHead")?;
    let word = |at: usize| Some([*fields.get(at)?, *fields.get(at + 1)?]);
    // In MP4 the version is 0 and the fields are big-endian.
    let (skip, gain) = match fields.first()? {
        0 => (u16::from_be_bytes(word(2)?), i16::from_be_bytes(word(8)?)),
        _ => (u16::from_le_bytes(word(2)?), i16::from_le_bytes(word(8)?)),
    };
    // 1/256 dB.
    Some((usize::from(skip), libm::powf(10.0, f32::from(gain) / (256.0 * 20.0))))
}

/// Samples behind the last one of the recording, from what the container says beside the packets.
fn padding(track: &Track, container: &str, bytes: &[u8], skip: usize) -> Padding {
    if container == "MP4/M4A" {
        // The last packet is entered with a shorter time than it has.
        let (Some(duration), Some(base)) = (track.duration, track.time_base) else { return Padding::Samples(0) };
        let ticks = u128::from(duration.get()) * u128::from(base.numer.get()) * u128::from(RATE_HZ);
        let end = u64::try_from(ticks / u128::from(base.denom.get())).unwrap_or(u64::MAX);
        return Padding::After(end.saturating_sub(skip as u64));
    }
    let samples = matroska::discard_padding(bytes).min(LONGEST_PACKET_NS) * u64::from(RATE_HZ) + 500_000_000;
    Padding::Samples(samples / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_no_more_than_a_packet() {
        assert_eq!(Padding::Samples(648).left(960), 312);
        assert_eq!(Padding::Samples(648).left(100), 0);
        assert_eq!(Padding::After(900).left(960), 900);
        assert_eq!(Padding::After(900).left(800), 800);
        assert_eq!(Padding::After(0).left(48_000), 48_000);
    }

    #[test]
    fn heads_of_ogg_and_of_mp4() {
        let head = |version: u8, skip: [u8; 2], gain: [u8; 2]| {
            [b"OpusHead".as_slice(), &[version, 1], &skip, &[0; 4], &gain, &[0]].concat()
        };
        assert_eq!(read_head(&head(1, [0x38, 1], [0, 0])), Some((312, 1.0)));
        assert_eq!(read_head(&head(0, [1, 0x38], [0, 0])), Some((312, 1.0)));
        let (_, gain) = read_head(&head(1, [0, 0], (-1541i16).to_le_bytes())).unwrap();
        assert!((gain - 0.5).abs() < 1e-3, "−6.02 dB: {gain}");
        assert_eq!(read_head(&head(1, [0, 0], [0, 0])[..17]), None);
        assert_eq!(read_head(b"OpusHeap"), None);
    }
}
