//! AMR and AMR-WB recordings in their storage format (RFC 4867, 5): a mark, then one frame every 20 ms.

use callmark_core::warning::Warning;
use codec_core::codecs::amr::{AmrCodec, AmrFrameType, AmrVariant};
use codec_core::{CodecConfig, CodedFrame, FrameKind, VariableRateCodec};

use crate::decode::{Audio, Limits, check_format, check_length};
use crate::error::AudioError;

/// Bits of a frame's first byte that are always 0.
const PADDING: u8 = 0b1000_0011;

/// Decodes what begins with `#!AMR`.
///
/// # Errors
/// More than one channel, no frames, more bytes outside frames than in them, or a limit.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Audio, AudioError> {
    let narrow = AmrVariant::NarrowBand;
    let variants = [(narrow, "AMR", CodecConfig::amr_nb()), (AmrVariant::WideBand, "AMR-WB", CodecConfig::amr_wb())];
    let Some((variant, container, config)) =
        variants.into_iter().find(|(variant, ..)| bytes.starts_with(variant.storage_magic()))
    else {
        let several = bytes.starts_with(b"#!AMR_MC") || bytes.starts_with(b"#!AMR-WB_MC");
        let codec = if several { "several channels" } else { "a version of AMR that is not known" };
        return Err(AudioError::UnsupportedCodec { container: "AMR", codec: codec.to_string() });
    };
    let damaged = |cause: String| AudioError::Damaged { container, cause };
    let mut codec = AmrCodec::new(&config).map_err(|error| damaged(error.to_string()))?;
    let (rate_hz, frame_samples) = (variant.sample_rate(), variant.frame_samples());
    check_format(rate_hz, 1, limits)?;

    let frames = &bytes[variant.storage_magic().len()..];
    let mut samples: Vec<f32> = Vec::new();
    let (mut at, mut mode, mut skipped, mut cut) = (0, 0, 0usize, false);
    while let Some(&header) = frames.get(at) {
        let Some(kind) = frame_type(variant, header) else {
            skipped += 1;
            at += 1;
            continue;
        };
        let end = at + 1 + kind.octet_aligned_bytes();
        let Some(data) = frames.get(at + 1..end) else {
            cut = true;
            break;
        };
        // Where no frame follows, this was none, or a damaged one.
        if frames.get(end).is_some_and(|next| frame_type(variant, *next).is_none()) {
            skipped += 1;
            at += 1;
            continue;
        }
        at = end;
        check_length((samples.len() + frame_samples) as u64, rate_hz, 1, limits)?;
        let frame_kind = match kind {
            AmrFrameType::Speech(speech) => {
                mode = speech.index();
                FrameKind::Speech
            }
            AmrFrameType::Sid(_) => FrameKind::ComfortNoise,
            AmrFrameType::NoData => FrameKind::NoData,
            AmrFrameType::SpeechLost => FrameKind::Lost,
        };
        let frame = CodedFrame { kind: frame_kind, mode, quality_ok: header & 4 != 0, data: data.to_vec() };
        let decoded = codec.decode_frame(&frame).unwrap_or_default();
        let before = samples.len();
        samples.extend(decoded.iter().map(|sample| f32::from(*sample) / 32_768.0));
        // A frame that cannot be decoded takes its time, too.
        samples.resize(before + frame_samples, 0.0);
    }
    if samples.is_empty() && (cut || skipped == 0) {
        return Err(AudioError::NoSamples { container });
    }
    if skipped > frames.len() / 2 {
        return Err(damaged(format!("{skipped} of its {} bytes belong to no frame", frames.len())));
    }
    let mut warnings = Vec::new();
    if skipped > 0 {
        warnings.push(Warning::StrayBytes.with(&[&skipped, &container]));
    }
    if cut {
        warnings.push(Warning::EndsInFrame.with(&[&container]));
    }
    let codec = if variant == narrow { "amr_nb" } else { "amr_wb" };
    Ok(Audio { sample_rate_hz: rate_hz, channels: vec![samples], container, codec: codec.to_string(), warnings })
}

fn frame_type(variant: AmrVariant, header: u8) -> Option<AmrFrameType> {
    if header & PADDING != 0 {
        return None;
    }
    AmrFrameType::from_index(variant, header >> 3 & 15).ok()
}
