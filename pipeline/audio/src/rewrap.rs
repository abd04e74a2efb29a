//! Sun/NeXT `.au`, Sony Wave64, big-endian WAV and sound without a header → the WAV file with the same sound, so that one path repairs and
//! decodes them all.

use crate::error::AudioError;
use crate::wav;

/// A WAV file; `size` is what the original header claims, true or not: the WAV reader checks it against the data.
fn wav_file(format: &[u8], data: &[u8], size: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + format.len() + 28);
    // Nothing reads the outer size.
    out.extend_from_slice(b"RIFF\0\0\0\0WAVEfmt ");
    out.extend_from_slice(&(format.len() as u32).to_le_bytes());
    out.extend_from_slice(format);
    if format.len() % 2 == 1 {
        out.push(0);
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(data);
    out
}

/// Sun/NeXT audio (audio(5) of SunOS): big-endian header of 24 bytes or more, then big-endian samples.
///
/// # Errors
/// A header that is cut or absurd; an encoding other than G.711, linear PCM and 32-bit float.
pub(crate) fn au(bytes: &[u8]) -> Result<Vec<u8>, AudioError> {
    let bad = |cause: &str| AudioError::BadHeader { container: "AU", cause: cause.to_string() };
    let field = |at: usize| {
        bytes
            .get(at..at + 4)
            .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
            .ok_or_else(|| bad("it is cut short"))
    };
    let (data_at, size, encoding, rate_hz) = (field(4)?, field(8)?, field(12)?, field(16)?);
    let channels = u16::try_from(field(20)?).map_err(|_| bad("it has more than 65535 channels"))?;
    if data_at < 24 {
        return Err(bad("its sound begins inside the header"));
    }
    let data = bytes.get(data_at as usize..).ok_or_else(|| bad("its sound begins behind the end of the file"))?;
    let (tag, width) = match encoding {
        1 => (7u16, 1usize),
        27 => (6, 1),
        2..=5 => (1, encoding as usize - 1),
        6 => (3, 4),
        other => {
            return Err(AudioError::UnsupportedCodec { container: "AU", codec: format!("encoding {other}") });
        }
    };
    let mut samples = data.to_vec();
    samples.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    if encoding == 2 {
        // Signed here, unsigned in WAV.
        samples.iter_mut().for_each(|sample| *sample ^= 0x80);
    }
    Ok(wav_file(&format_chunk(tag, channels, rate_hz, width as u16), &samples, u64::from(size)))
}

/// One channel of samples that have no header, as `tag` of the WAV registry, `width` bytes each.
pub(crate) fn headerless(tag: u16, rate_hz: u32, width: u16, samples: &[u8]) -> Vec<u8> {
    wav_file(&format_chunk(tag, 1, rate_hz, width), samples, samples.len() as u64)
}

fn format_chunk(tag: u16, channels: u16, rate_hz: u32, width: u16) -> Vec<u8> {
    let frame = channels.saturating_mul(width);
    let mut format = Vec::with_capacity(16);
    format.extend_from_slice(&tag.to_le_bytes());
    format.extend_from_slice(&channels.to_le_bytes());
    format.extend_from_slice(&rate_hz.to_le_bytes());
    format.extend_from_slice(&rate_hz.saturating_mul(u32::from(frame)).to_le_bytes());
    format.extend_from_slice(&frame.to_le_bytes());
    format.extend_from_slice(&(width * 8).to_le_bytes());
    format
}

/// RIFX: WAV in which every number is big-endian.
///
/// # Errors
/// No format chunk, or no sound; codecs other than G.711, linear PCM and float.
pub(crate) fn rifx(bytes: &[u8]) -> Result<Vec<u8>, AudioError> {
    const CONTAINER: &str = "RIFX";
    let bad = |cause: &str| AudioError::BadHeader { container: CONTAINER, cause: cause.to_string() };
    let mut format = None;
    let mut at = 12usize;
    while let Some(header) = bytes.get(at..at.saturating_add(8)) {
        let size = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let rest = &bytes[at + 8..];
        let body = &rest[..rest.len().min(size as usize)];
        match &header[..4] {
            b"data" => {
                let format: Vec<u8> = format.ok_or_else(|| bad("there is no format chunk"))?;
                // Where the size cannot be true, the WAV reader takes the rest of the file.
                let mut samples = if size == 0 { rest } else { body }.to_vec();
                let (tag, channels, frame) = (word(&format, 0), word(&format, 2), word(&format, 12));
                match if tag == wav::EXTENSIBLE { word(&format, wav::SUB_FORMAT_AT) } else { tag } {
                    1 | 3 => {
                        let width = usize::from(frame.checked_div(channels).ok_or_else(|| bad("it has 0 channels"))?);
                        samples.chunks_exact_mut(width.max(1)).for_each(<[u8]>::reverse);
                    }
                    6 | 7 => {}
                    other => {
                        return Err(AudioError::UnsupportedCodec {
                            container: CONTAINER,
                            codec: wav::codec_name(other),
                        });
                    }
                }
                return Ok(wav_file(&format, &samples, u64::from(size)));
            }
            b"fmt " => format = Some(little_endian_format(body)),
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(size as usize).saturating_add(size as usize & 1);
    }
    Err(AudioError::NoSamples { container: CONTAINER })
}

/// A big-endian format chunk's fields up to the sub-format, as far as they are there.
fn little_endian_format(body: &[u8]) -> Vec<u8> {
    let mut format = body.to_vec();
    let mut rest = &mut format[..];
    for width in [2, 2, 4, 4, 2, 2, 2, 2, 4, 4] {
        let Some((field, behind)) = rest.split_at_mut_checked(width) else { break };
        field.reverse();
        rest = behind;
    }
    format
}

/// A field of a little-endian format chunk; 0 where it ends before.
fn word(format: &[u8], at: usize) -> u16 {
    format.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

/// Sony Wave64: RIFF with 16-byte GUIDs as marks, 64-bit sizes that count the 24-byte chunk header, padding to 8.
///
/// # Errors
/// No format chunk, or no sound.
pub(crate) fn wave64(bytes: &[u8]) -> Result<Vec<u8>, AudioError> {
    let mut format = None;
    // Behind the RIFF GUID, its size and the WAVE GUID.
    let mut at = 40usize;
    while let Some(header) = bytes.get(at..at.saturating_add(24)) {
        let size = header[16..].iter().rev().fold(0u64, |size, byte| size << 8 | u64::from(*byte));
        let claimed = size.saturating_sub(24);
        let rest = &bytes[at + 24..];
        match &header[..4] {
            b"data" => {
                let format = format.ok_or_else(|| AudioError::BadHeader {
                    container: "Wave64",
                    cause: "there is no format chunk".to_string(),
                })?;
                let end = usize::try_from(claimed).ok().filter(|end| *end > 0).unwrap_or(rest.len()).min(rest.len());
                return Ok(wav_file(format, &rest[..end], claimed));
            }
            b"fmt " => format = Some(&rest[..rest.len().min(usize::try_from(claimed).unwrap_or(usize::MAX))]),
            _ => {}
        }
        let step = size.max(24).saturating_add(7) & !7;
        at = at.saturating_add(usize::try_from(step).unwrap_or(usize::MAX));
    }
    Err(AudioError::NoSamples { container: "Wave64" })
}
