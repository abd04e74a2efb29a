//! The structure of a Whisper file in whisper.cpp's ggml format, checked byte by byte.
//!
//! whisper.cpp trusts its files: wrong sizes abort or crash the process, and a file cut before its first tensor loads
//! as an empty model. So everything it would rely on is checked here first, without reading the weights themselves.
//!
//! Layout (little-endian): magic, 11 hyper-parameters, mel filters, vocabulary, then tensors until the end of the file:
//! dimensions, name length, type, sizes, name, data.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

/// `ggml` as a little-endian number.
const MAGIC: u32 = 0x6767_6d6c;

/// What the header says about a Whisper model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhisperShape {
    pub vocabulary: u32,
    pub audio_state: u32,
    pub audio_layers: u32,
    pub text_layers: u32,
    pub mel_bands: u32,
    /// Quantisation as ggml counts it (0 = f32, 1 = f16, 7 = q8_0, …).
    pub file_type: u32,
}

impl WhisperShape {
    /// English-only vocabularies have 51,864 entries, multilingual ones one or two more.
    pub fn multilingual(&self) -> bool {
        self.vocabulary >= 51_865
    }
}

/// Why a file is no Whisper model that can be handed to native code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GgmlError {
    #[error("it cannot be read: {0}")]
    Read(String),
    #[error("it is not a ggml file (wrong magic)")]
    Magic,
    #[error("it is a ggml file but no Whisper model: {name} = {value}")]
    HyperParameter { name: &'static str, value: i64 },
    #[error("it ends in the middle of {part}")]
    Cut { part: &'static str },
    #[error("its {part} is not what a Whisper model has: {detail}")]
    Structure { part: &'static str, detail: String },
}

struct Reader<R> {
    inner: R,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Reader<R> {
    fn take(&mut self, count: u64, part: &'static str) -> Result<Vec<u8>, GgmlError> {
        self.check(count, part)?;
        let mut out = vec![0; count as usize];
        self.inner.read_exact(&mut out).map_err(|error| GgmlError::Read(error.to_string()))?;
        self.at += count;
        Ok(out)
    }

    fn skip(&mut self, count: u64, part: &'static str) -> Result<(), GgmlError> {
        self.check(count, part)?;
        self.inner.seek_relative(count as i64).map_err(|error| GgmlError::Read(error.to_string()))?;
        self.at += count;
        Ok(())
    }

    fn check(&self, count: u64, part: &'static str) -> Result<(), GgmlError> {
        if count > self.length - self.at { Err(GgmlError::Cut { part }) } else { Ok(()) }
    }

    fn i32(&mut self, part: &'static str) -> Result<i64, GgmlError> {
        let bytes = self.take(4, part)?;
        Ok(i64::from(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
    }
}

/// Bytes and elements of one block of a ggml tensor type.
fn block(kind: i64) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (4, 1),
        1 => (2, 1),
        2 => (18, 32),
        3 => (20, 32),
        6 => (22, 32),
        7 => (24, 32),
        8 => (34, 32),
        10 => (84, 256),
        11 => (110, 256),
        12 => (144, 256),
        13 => (176, 256),
        14 => (210, 256),
        _ => return None,
    })
}

/// Checks the whole structure of a file.
///
/// # Errors
/// The first thing that is not as a Whisper model has it.
pub fn check_whisper_file(path: &Path) -> Result<WhisperShape, GgmlError> {
    let read = |error: std::io::Error| GgmlError::Read(error.to_string());
    let file = std::fs::File::open(path).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    check_whisper(BufReader::with_capacity(1 << 16, file), length)
}

fn check_whisper<R: Read + Seek>(mut inner: R, length: u64) -> Result<WhisperShape, GgmlError> {
    inner.seek(SeekFrom::Start(0)).map_err(|error| GgmlError::Read(error.to_string()))?;
    let mut reader = Reader { inner, at: 0, length };
    if reader.i32("its header")? != i64::from(MAGIC) {
        return Err(GgmlError::Magic);
    }
    let shape = hyper_parameters(&mut reader)?;

    let (bands, bins) = (reader.i32("its mel filters")?, reader.i32("its mel filters")?);
    if bands != i64::from(shape.mel_bands) || bins != 201 {
        return Err(GgmlError::Structure { part: "mel filter bank", detail: format!("{bands} × {bins}") });
    }
    reader.skip(bands as u64 * bins as u64 * 4, "its mel filters")?;

    let words = reader.i32("its vocabulary")?;
    if !(1..=i64::from(shape.vocabulary)).contains(&words) {
        return Err(GgmlError::Structure { part: "vocabulary", detail: format!("{words} entries") });
    }
    for _ in 0..words {
        let size = reader.i32("its vocabulary")?;
        if !(0..=1024).contains(&size) {
            return Err(GgmlError::Structure { part: "vocabulary", detail: format!("an entry of {size} bytes") });
        }
        reader.skip(size as u64, "its vocabulary")?;
    }

    let tensors = walk_tensors(&mut reader)?;
    // Two convolutions, positions and norms, embeddings; 15 tensors per encoder layer, 24 per decoder layer.
    let expected = 11 + 15 * u64::from(shape.audio_layers) + 24 * u64::from(shape.text_layers);
    if tensors != expected {
        return Err(GgmlError::Structure {
            part: "set of tensors",
            detail: format!("{tensors} instead of {expected}"),
        });
    }
    Ok(shape)
}

fn hyper_parameters<R: Read + Seek>(reader: &mut Reader<R>) -> Result<WhisperShape, GgmlError> {
    let mut next = |name: &'static str, allowed: &dyn Fn(i64) -> bool| {
        let value = reader.i32("its header")?;
        if allowed(value) { Ok(value) } else { Err(GgmlError::HyperParameter { name, value }) }
    };
    // The tokens for times and languages sit at fixed places behind these vocabularies.
    let vocabulary = next("n_vocab", &|v| (51_864..=51_866).contains(&v))?;
    next("n_audio_ctx", &|v| v == 1_500)?;
    let audio_state = next("n_audio_state", &|v| (64..=2_048).contains(&v) && v % 64 == 0)?;
    next("n_audio_head", &|v| v == audio_state / 64)?;
    let audio_layers = next("n_audio_layer", &|v| (1..=64).contains(&v))?;
    next("n_text_ctx", &|v| v == 448)?;
    next("n_text_state", &|v| v == audio_state)?;
    next("n_text_head", &|v| v == audio_state / 64)?;
    let text_layers = next("n_text_layer", &|v| (1..=64).contains(&v))?;
    let mel_bands = next("n_mels", &|v| v == 80 || v == 128)?;
    // Thousands count the version of the quantisation.
    let file_type = next("ftype", &|v| (0..10_000).contains(&v) && matches!(v % 1000, 0..=3 | 7..=14))? % 1000;
    Ok(WhisperShape {
        vocabulary: vocabulary as u32,
        audio_state: audio_state as u32,
        audio_layers: audio_layers as u32,
        text_layers: text_layers as u32,
        mel_bands: mel_bands as u32,
        file_type: file_type as u32,
    })
}

fn walk_tensors<R: Read + Seek>(reader: &mut Reader<R>) -> Result<u64, GgmlError> {
    let part = "its weights";
    let wrong = |detail: String| GgmlError::Structure { part: "tensor", detail };
    let mut count = 0;
    while reader.at < reader.length {
        let (dimensions, name_size, kind) = (reader.i32(part)?, reader.i32(part)?, reader.i32(part)?);
        if !(1..=4).contains(&dimensions) || !(1..=256).contains(&name_size) {
            return Err(wrong(format!("{dimensions} dimensions, name of {name_size} bytes")));
        }
        let (bytes, elements) = block(kind).ok_or_else(|| wrong(format!("type {kind}")))?;
        let mut total = 1u64;
        for _ in 0..dimensions {
            let size = reader.i32(part)?;
            if !(1..=1 << 24).contains(&size) {
                return Err(wrong(format!("a side of {size}")));
            }
            total = total.checked_mul(size as u64).ok_or_else(|| wrong("size overflows".to_string()))?;
        }
        reader.skip(name_size as u64, part)?;
        if !total.is_multiple_of(elements) || total > 1 << 40 {
            return Err(wrong(format!("{total} elements of type {kind}")));
        }
        reader.skip(total / elements * bytes, part)?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn starter() -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("starter/starter-en-q8_0.bin");
        std::fs::read(path).expect("the starter is part of the repository")
    }

    fn check(bytes: &[u8]) -> Result<WhisperShape, GgmlError> {
        check_whisper(Cursor::new(bytes), bytes.len() as u64)
    }

    #[test]
    fn the_starter_is_whole() {
        let shape = check(&starter()).unwrap();
        let expected = WhisperShape {
            vocabulary: 51_864,
            audio_state: 192,
            audio_layers: 4,
            text_layers: 3,
            mel_bands: 80,
            file_type: 7,
        };
        assert_eq!(shape, expected);
        assert!(!shape.multilingual());
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = starter();
        let cuts = [0, 3, 4, 40, 47, 50, 60_000, 64_380, 100_000, 700_000, bytes.len() / 2, bytes.len() - 1];
        for end in cuts {
            assert!(check(&bytes[..end]).is_err(), "cut at {end}");
        }
        // whisper.cpp takes a file without tensors for an "empty test model": find where they begin.
        let first_tensor = bytes.windows(28).position(|w| w == b"decoder.positional_embedding").unwrap();
        for end in first_tensor - 24..first_tensor + 40 {
            assert!(check(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(&[0; 16]);
        assert!(check(&longer).is_err());
    }

    #[test]
    fn hostile_headers_are_refused() {
        let bytes = starter();
        let with = |at: usize, value: i32| {
            let mut changed = bytes.clone();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            check(&changed)
        };
        assert_eq!(with(0, 0x1234), Err(GgmlError::Magic));
        // The eleven hyper-parameters, the filter bank's two sides, the vocabulary's size and its first entry.
        let vocabulary_at = 48 + 8 + 80 * 201 * 4;
        for at in (4..48).step_by(4).chain([48, 52, vocabulary_at, vocabulary_at + 4]) {
            for value in [-1, 0, i32::MAX, i32::MIN, 1_000_003] {
                // A wrong but known weight type is left to whisper.cpp, which compares the tensors' sizes and refuses.
                if !(at == 44 && value == 0) {
                    assert!(with(at, value).is_err(), "{value} at {at}");
                }
            }
        }
        let first_tensor = bytes.windows(28).position(|w| w == b"decoder.positional_embedding").unwrap();
        for back in [20, 16, 12, 8, 4] {
            for value in [-1, 0, i32::MAX, i32::MIN, 99] {
                // Type 0 (f32) is what this tensor has.
                if !(back == 12 && value == 0) {
                    assert!(with(first_tensor - back, value).is_err(), "{value} at first tensor − {back}");
                }
            }
        }
    }
}
