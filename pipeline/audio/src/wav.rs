//! WAV headers: read what is there, however it lies, and say what had to be repaired.
//!
//! Recorders that stream write a size of 0 or 0xFFFFFFFF, or never come back to write it; copies are cut short.
//! The sound begins behind the `data` mark in all these cases, so sizes are checked against the file instead of trusted.

use std::io::{Cursor, Read};

use callmark_core::warning::Warning;

use crate::error::AudioError;

const CONTAINER: &str = "WAV";
/// WAVE_FORMAT_EXTENSIBLE: the true tag opens the sub-format, at [`SUB_FORMAT_AT`].
pub(crate) const EXTENSIBLE: u16 = 0xFFFE;
pub(crate) const SUB_FORMAT_AT: usize = 24;

/// Codec of the `data` chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Integer samples, little-endian; 8 bit unsigned.
    Pcm,
    Float,
    /// Any other tag of the registry; symphonia may know it.
    Tag(u16),
}

/// A WAV file taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Wav<'a> {
    pub codec: Codec,
    pub channels: u16,
    pub rate_hz: u32,
    /// Bits of one sample as stored (the container's, not the valid bits).
    pub bits: u16,
    /// The `fmt ` chunk's body as it stands in the file.
    pub format: &'a [u8],
    /// The `fact` chunk's body, if any: block codecs give their true length there.
    pub fact: Option<&'a [u8]>,
    pub data: &'a [u8],
    pub warnings: Vec<String>,
}

/// Takes a RIFF/RF64 WAVE file apart, repairing sizes that cannot be true.
pub(crate) fn parse(bytes: &[u8]) -> Result<Wav<'_>, AudioError> {
    let bad = |cause: String| AudioError::BadHeader { container: CONTAINER, cause };
    let mut warnings = Vec::new();
    let (mut format, mut fact, mut data, mut long_size) = (None, None, None, None);
    let mut at = 12;
    while let Some(header) = bytes.get(at..at + 8) {
        let (id, size) = (&header[..4], u32_at(header, 4));
        let body_at = at + 8;
        let left = bytes.len() - body_at;
        let body = &bytes[body_at..body_at + left.min(size as usize)];
        match id {
            b"fmt " => format = format.or(Some(body)),
            b"fact" => fact = Some(body),
            // RF64: the true sizes are 64 bit and stand here.
            b"ds64" => long_size = body.get(8..16).map(|b| u64::from(u32_at(b, 0)) | u64::from(u32_at(b, 4)) << 32),
            b"data" => {
                let claimed = match (size, long_size) {
                    (u32::MAX, Some(long)) => long,
                    _ => u64::from(size),
                };
                data = Some((body_at, claimed));
                break;
            }
            _ => {}
        }
        // Chunks are padded to even sizes.
        at = body_at.saturating_add(size as usize).saturating_add(size as usize & 1);
    }
    let format = format.ok_or_else(|| bad("there is no format chunk".to_string()))?;
    if format.len() < 14 {
        return Err(bad("the format chunk is cut short".to_string()));
    }
    let (body_at, claimed) = data.ok_or(AudioError::NoSamples { container: CONTAINER })?;
    let rest = &bytes[body_at..];
    let data = if claimed == 0 && rest.is_empty() {
        return Err(AudioError::NoSamples { container: CONTAINER });
    } else if claimed == 0 {
        warnings.push(Warning::HeaderSaysZeroBytes.with(&[]));
        rest
    } else if claimed == u64::from(u32::MAX) {
        warnings.push(Warning::HeaderWithoutLength.with(&[]));
        rest
    } else if claimed > rest.len() as u64 {
        warnings.push(Warning::HeaderPromisesBytes.with(&[&claimed, &rest.len()]));
        rest
    } else {
        &rest[..claimed as usize]
    };
    let word = |offset: usize| u16::from_le_bytes([format[offset], format[offset + 1]]);
    let (tag, channels, rate_hz, block_align) = (word(0), word(2), u32_at(format, 4), word(12));
    let mut bits = if format.len() >= 16 { word(14) } else { 0 };
    if channels == 0 {
        return Err(bad("it has 0 channels".to_string()));
    }
    let tag = if tag == EXTENSIBLE && format.len() >= SUB_FORMAT_AT + 2 { word(SUB_FORMAT_AT) } else { tag };
    let codec = match tag {
        1 => Codec::Pcm,
        3 => Codec::Float,
        other => Codec::Tag(other),
    };
    if codec == Codec::Pcm || codec == Codec::Float {
        let usable = |bits: u16| matches!((codec, bits), (Codec::Pcm, 8 | 16 | 24 | 32) | (Codec::Float, 32 | 64));
        if !usable(bits) {
            let stored = (block_align / channels).saturating_mul(8);
            if !usable(stored) || block_align % channels != 0 {
                return Err(bad(format!("{bits} bits per sample")));
            }
            if bits == 0 {
                warnings.push(Warning::HeaderSaysZeroBits.with(&[&stored]));
            }
            bits = stored;
        }
    }
    Ok(Wav { codec, channels, rate_hz, bits, format, fact, data, warnings })
}

impl<'a> Wav<'a> {
    /// The sound behind a header that is true, for readers that trust headers. Whole frames only.
    pub fn canonical_pcm(&self) -> impl Read + 'a {
        let frame = usize::from(self.channels) * usize::from(self.bits / 8);
        let whole = &self.data[..(self.data.len() / frame * frame).min(u32::MAX as usize / frame * frame)];
        let tag: u16 = if self.codec == Codec::Float { 3 } else { 1 };
        let mut header = Vec::with_capacity(44);
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&(whole.len() as u32).saturating_add(36).to_le_bytes());
        header.extend_from_slice(b"WAVEfmt ");
        header.extend_from_slice(&16u32.to_le_bytes());
        header.extend_from_slice(&tag.to_le_bytes());
        header.extend_from_slice(&self.channels.to_le_bytes());
        header.extend_from_slice(&self.rate_hz.to_le_bytes());
        header.extend_from_slice(&self.rate_hz.saturating_mul(frame as u32).to_le_bytes());
        header.extend_from_slice(&(frame.min(usize::from(u16::MAX)) as u16).to_le_bytes());
        header.extend_from_slice(&self.bits.to_le_bytes());
        header.extend_from_slice(b"data");
        header.extend_from_slice(&(whole.len() as u32).to_le_bytes());
        Cursor::new(header).chain(whole)
    }

    /// A whole file with true sizes and the original format chunk (completed), for symphonia.
    pub fn repaired_file(&self) -> Vec<u8> {
        let data = &self.data[..self.data.len().min(u32::MAX as usize / 2)];
        let mut out = Vec::with_capacity(data.len() + self.format.len() + 64);
        out.extend_from_slice(b"RIFF\0\0\0\0WAVE");
        let mut chunk = |id: &[u8; 4], body: &[u8]| {
            out.extend_from_slice(id);
            out.extend_from_slice(&(body.len() as u32).to_le_bytes());
            out.extend_from_slice(body);
            if body.len() % 2 == 1 {
                out.push(0);
            }
        };
        // Codecs other than PCM need the size of their extra data; some recorders leave the field out.
        let mut format = self.format.to_vec();
        format.resize(format.len().max(18), 0);
        if matches!(self.codec, Codec::Tag(6 | 7)) {
            // G.711 has no extra data; symphonia refuses a chunk that is longer all the same.
            format.truncate(16);
            format.extend_from_slice(&[0; 2]);
        }
        chunk(b"fmt ", &format);
        if let Some(fact) = self.fact {
            chunk(b"fact", fact);
        }
        chunk(b"data", data);
        let riff_size = (out.len() - 8) as u32;
        out[4..8].copy_from_slice(&riff_size.to_le_bytes());
        out
    }
}

/// The name of a registered codec tag, for errors.
pub(crate) fn codec_name(tag: u16) -> String {
    match tag {
        0x02 => "Microsoft ADPCM".into(),
        0x06 => "A-law".into(),
        0x07 => "µ-law".into(),
        0x11 => "IMA ADPCM".into(),
        0x31 => "GSM 6.10".into(),
        0x14 | 0x42 => "G.723".into(),
        0x40 | 0x45 | 0x64 => "G.726".into(),
        0x65 | 0x28F => "G.722".into(),
        0x83 | 0x133 => "G.729".into(),
        0x10 | 0x17 => "OKI/Dialogic ADPCM".into(),
        0x50 => "MPEG layer 1/2".into(),
        0x55 => "MP3".into(),
        other => format!("codec 0x{other:04x}"),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
