//! The structure of a Whisper file in whisper.cpp's ggml format, checked byte by byte.
//!
//! whisper.cpp trusts its files: wrong sizes abort or crash the process, a file cut before its first tensor loads as an
//! empty model, and a tensor that is there twice hides one that is missing, whose weights are then whatever the memory
//! held. So everything it would rely on is checked here first, without reading the weights themselves: the tensors must be
//! exactly those that the hyper-parameters call for. Memory needed: the names of one model's tensors.
//!
//! Layout (little-endian): magic, 11 hyper-parameters, mel filters, vocabulary, then tensors until the end of the file:
//! dimensions, name length, type, sizes, name, data.

use std::collections::BTreeMap;
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

    /// About how many weights it has: 12 matrices of state × state in a layer of the encoder, 16 in one of the decoder (it looks
    /// at the encoder, too), and the vocabulary. Within 7 % of the published counts
    /// of tiny (39 million) to large (1,550 million).
    pub fn parameters(&self) -> u64 {
        let state = u64::from(self.audio_state);
        let layers = 12 * u64::from(self.audio_layers) + 16 * u64::from(self.text_layers);
        layers * state * state + u64::from(self.vocabulary) * state
    }
}

/// Why a file is no Whisper model that can be handed to native code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GgmlError {
    #[error("it cannot be read: {0}")]
    Read(String),
    #[error("it is not a ggml file but {found}")]
    Magic { found: &'static str },
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
    fn take<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], GgmlError> {
        let mut out = [0; N];
        self.fill(&mut out, part)?;
        Ok(out)
    }

    fn fill(&mut self, out: &mut [u8], part: &'static str) -> Result<(), GgmlError> {
        self.check(out.len() as u64, part)?;
        self.inner.read_exact(out).map_err(|error| GgmlError::Read(error.to_string()))?;
        self.at += out.len() as u64;
        Ok(())
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
        Ok(i64::from(i32::from_le_bytes(self.take(part)?)))
    }
}

const F32: i64 = 0;
const F16: i64 = 1;
/// Longest name of a tensor: `decoder.blocks.63.cross_attn_ln.weight`, with room.
const LONGEST_NAME: usize = 64;

/// Bytes and elements of one block of a ggml tensor type.
fn block(kind: i64) -> Option<(u64, u64)> {
    Some(match kind {
        F32 => (4, 1),
        F16 => (2, 1),
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

/// The tensor type of the big weights in a file of this type; ggml counts files and tensors differently.
fn weight_type(file_type: u32) -> Option<i64> {
    Some(match file_type {
        0 => F32,
        1 => F16,
        2 => 2,
        3 => 3,
        7 => 8,
        8 => 6,
        9 => 7,
        10..=14 => i64::from(file_type),
        _ => return None,
    })
}

/// Sides (the fastest first) and type of a tensor.
type Form = ([u64; 4], i64);

/// The tensors of a Whisper model of this shape.
fn expected_tensors(shape: &WhisperShape, weights: i64) -> BTreeMap<String, Form> {
    let state = u64::from(shape.audio_state);
    let convolutions = if weights == F32 { F32 } else { F16 };
    let mut all = BTreeMap::from(
        [
            ("encoder.positional_embedding", [state, 1_500, 1, 1], F32),
            ("encoder.conv1.weight", [3, u64::from(shape.mel_bands), state, 1], convolutions),
            ("encoder.conv1.bias", [1, state, 1, 1], F32),
            ("encoder.conv2.weight", [3, state, state, 1], convolutions),
            ("encoder.conv2.bias", [1, state, 1, 1], F32),
            ("decoder.positional_embedding", [state, 448, 1, 1], F32),
            ("decoder.token_embedding.weight", [state, u64::from(shape.vocabulary), 1, 1], weights),
        ]
        .map(|(name, sides, kind)| (name.to_string(), (sides, kind))),
    );
    let mut norms = vec!["encoder.ln_post".to_string(), "decoder.ln".to_string()];
    let mut linears = Vec::new();
    let encoder = (0..shape.audio_layers).map(|n| (format!("encoder.blocks.{n}"), ["attn"].as_slice()));
    let decoder = (0..shape.text_layers).map(|n| (format!("decoder.blocks.{n}"), ["attn", "cross_attn"].as_slice()));
    for (layer, attentions) in encoder.chain(decoder) {
        norms.push(format!("{layer}.mlp_ln"));
        linears.push((format!("{layer}.mlp.0"), state, 4 * state));
        linears.push((format!("{layer}.mlp.2"), 4 * state, state));
        for attention in attentions {
            norms.push(format!("{layer}.{attention}_ln"));
            let parts = ["query", "key", "value", "out"];
            linears.extend(parts.map(|part| (format!("{layer}.{attention}.{part}"), state, state)));
        }
    }
    for name in norms {
        all.insert(format!("{name}.weight"), ([state, 1, 1, 1], F32));
        all.insert(format!("{name}.bias"), ([state, 1, 1, 1], F32));
    }
    for (name, from, to) in linears {
        if !name.ends_with(".key") {
            all.insert(format!("{name}.bias"), ([to, 1, 1, 1], F32));
        }
        all.insert(format!("{name}.weight"), ([from, to, 1, 1], weights));
    }
    all
}

/// What a file that is no ggml file is, as far as its beginning says so.
fn other_file(beginning: &[u8]) -> &'static str {
    let text = beginning.trim_ascii_start();
    let begins = |prefix: &[u8]| text.len() >= prefix.len() && text[..prefix.len()].eq_ignore_ascii_case(prefix);
    if begins(b"<!doctype") || begins(b"<html") || begins(b"<?xml") {
        "a web page, as servers and proxies send it instead of a file"
    } else if begins(b"version https://git-lfs") {
        "a pointer of Git LFS, without the file itself"
    } else if begins(b"GGUF") {
        "a GGUF file, which is for other programs"
    } else if begins(b"PK\x03\x04") {
        "a zip archive or a PyTorch checkpoint (whisper.cpp's models/convert-pt-to-ggml.py converts the latter)"
    } else if begins(b"{") {
        "JSON text"
    } else {
        "something else (wrong magic)"
    }
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

/// Checks the whole structure of a file of so many bytes.
///
/// # Errors
/// The first thing that is not as a Whisper model has it.
pub fn check_whisper<R: Read + Seek>(mut inner: R, length: u64) -> Result<WhisperShape, GgmlError> {
    inner.seek(SeekFrom::Start(0)).map_err(|error| GgmlError::Read(error.to_string()))?;
    let mut reader = Reader { inner, at: 0, length };
    let magic = reader.take::<4>("its header")?;
    if u32::from_le_bytes(magic) != MAGIC {
        let mut beginning = magic.to_vec();
        let _ = reader.inner.take(60).read_to_end(&mut beginning);
        return Err(GgmlError::Magic { found: other_file(&beginning) });
    }
    let (shape, weights) = hyper_parameters(&mut reader)?;

    let (bands, bins) = (reader.i32("its mel filters")?, reader.i32("its mel filters")?);
    if bands != i64::from(shape.mel_bands) || bins != 201 {
        return Err(GgmlError::Structure { part: "mel filter bank", detail: format!("{bands} × {bins}") });
    }
    reader.skip(bands as u64 * bins as u64 * 4, "its mel filters")?;

    let words = reader.i32("its vocabulary")?;
    if !(1..=i64::from(shape.vocabulary)).contains(&words) {
        return Err(GgmlError::Structure { part: "vocabulary", detail: format!("{words} entries") });
    }
    let mut has_blank = false;
    for _ in 0..words {
        let size = reader.i32("its vocabulary")?;
        match size {
            1 => has_blank |= reader.take::<1>("its vocabulary")? == *b" ",
            0..=1024 => reader.skip(size as u64, "its vocabulary")?,
            _ => {
                return Err(GgmlError::Structure { part: "vocabulary", detail: format!("an entry of {size} bytes") });
            }
        }
    }
    if !has_blank {
        // whisper.cpp suppresses it at every beginning, and ends the process when it is not there.
        return Err(GgmlError::Structure { part: "vocabulary", detail: "the blank is missing".to_string() });
    }

    tensors(&mut reader, expected_tensors(&shape, weights))?;
    Ok(shape)
}

/// The shape, and the tensor type of the big weights.
fn hyper_parameters<R: Read + Seek>(reader: &mut Reader<R>) -> Result<(WhisperShape, i64), GgmlError> {
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
    // Thousands count the version of the quantisation. Rows must be whole blocks.
    let known = |v: i64| u32::try_from(v % 1_000).ok().and_then(weight_type);
    let whole = |kind: i64| block(kind).is_some_and(|(_, elements)| (audio_state as u64).is_multiple_of(elements));
    let file_type = next("ftype", &|v| (0..10_000).contains(&v) && known(v).is_some_and(whole))?;
    let shape = WhisperShape {
        vocabulary: vocabulary as u32,
        audio_state: audio_state as u32,
        audio_layers: audio_layers as u32,
        text_layers: text_layers as u32,
        mel_bands: mel_bands as u32,
        file_type: (file_type % 1_000) as u32,
    };
    Ok((shape, known(file_type).unwrap_or(F32)))
}

/// Walks all tensors: each must be one that is expected, in its form, and all must be there.
fn tensors<R: Read + Seek>(reader: &mut Reader<R>, mut expected: BTreeMap<String, Form>) -> Result<(), GgmlError> {
    let part = "its weights";
    let wrong = |detail: String| GgmlError::Structure { part: "tensor", detail };
    while reader.at < reader.length {
        let (dimensions, name_size, kind) = (reader.i32(part)?, reader.i32(part)?, reader.i32(part)?);
        if !(1..=4).contains(&dimensions) || !(1..=LONGEST_NAME as i64).contains(&name_size) {
            return Err(wrong(format!("{dimensions} dimensions, name of {name_size} bytes")));
        }
        let mut sides = [1; 4];
        for side in sides.iter_mut().take(dimensions as usize) {
            *side = u64::try_from(reader.i32(part)?).map_err(|_| wrong("a negative side".to_string()))?;
        }
        let mut name = [0; LONGEST_NAME];
        let name = &mut name[..name_size as usize];
        reader.fill(name, part)?;
        let found = std::str::from_utf8(name).ok().and_then(|name| expected.remove(name));
        let Some((wanted, wanted_kind)) = found else {
            let name = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(wrong(format!("{name:?} is there twice or does not belong to a model of this shape")));
        };
        let name = String::from_utf8_lossy(name);
        if sides != wanted || kind != wanted_kind {
            return Err(wrong(format!(
                "{name} is {sides:?} of type {kind} instead of {wanted:?} of type {wanted_kind}"
            )));
        }
        // Of known forms: at most 2,048 × 51,866 × 4 bytes.
        let (bytes, elements) = block(kind).ok_or_else(|| wrong(format!("type {kind}")))?;
        reader.skip(sides.iter().product::<u64>() / elements * bytes, part)?;
    }
    match expected.first_key_value() {
        None => Ok(()),
        Some((name, _)) => Err(GgmlError::Structure {
            part: "set of tensors",
            detail: format!("{} are missing, among them {name}", expected.len()),
        }),
    }
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
    fn weights_are_counted_about_as_published() {
        for (state, audio_layers, text_layers, millions) in [
            (384, 4, 4, 39),
            (512, 6, 6, 74),
            (768, 12, 12, 244),
            (1_024, 24, 24, 769),
            (1_280, 32, 32, 1_550),
            (1_280, 32, 4, 809),
        ] {
            let (vocabulary, mel_bands, file_type) = (51_865, 80, 1);
            let shape =
                WhisperShape { vocabulary, audio_state: state, audio_layers, text_layers, mel_bands, file_type };
            let parameters = shape.parameters() / 10_000;
            assert!((93 * millions..=107 * millions).contains(&parameters), "{state}: {parameters}");
        }
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
        assert!(matches!(with(0, 0x1234), Err(GgmlError::Magic { .. })));
        // The eleven hyper-parameters, the filter bank's two sides, the vocabulary's size and its first entry.
        let vocabulary_at = 48 + 8 + 80 * 201 * 4;
        for at in (4..48).step_by(4).chain([48, 52, vocabulary_at, vocabulary_at + 4]) {
            for value in [-1, 0, i32::MAX, i32::MIN, 1_000_003] {
                assert!(with(at, value).is_err(), "{value} at {at}");
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

    /// A tensor's record: its place in the file, its end, and the place of its first side.
    fn record(bytes: &[u8], name: &str) -> std::ops::Range<usize> {
        let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        let number = |at: usize| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let begin = (1..=4)
            .map(|n| at - 4 * n - 12)
            .find(|begin| number(begin + 4) == name.len() as i32 && *begin + 12 + 4 * number(*begin) as usize == at);
        let begin = begin.unwrap();
        let sides: u64 = (0..number(begin)).map(|n| number(begin + 12 + 4 * n as usize) as u64).product();
        let (size, elements) = block(i64::from(number(begin + 8))).unwrap();
        begin..at + name.len() + (sides / elements * size) as usize
    }

    #[test]
    fn the_tensors_must_be_exactly_those_of_the_shape() {
        let bytes = starter();
        let (bias, other) =
            (record(&bytes, "encoder.blocks.1.mlp.2.bias"), record(&bytes, "encoder.blocks.2.mlp.2.bias"));
        assert_eq!(bias.len(), other.len());
        // The same tensor twice, with the right number of tensors: whisper.cpp would take it.
        let mut twice = bytes.clone();
        twice.copy_within(bias.clone(), other.start);
        let error = check(&twice).unwrap_err().to_string();
        assert!(error.contains("twice") && error.contains("encoder.blocks.1.mlp.2.bias"), "{error}");
        // Two of one form that changed places are a model still.
        let mut swapped = bytes.clone();
        swapped.copy_within(bias.clone(), other.start);
        swapped[bias.clone()].copy_from_slice(&bytes[other.clone()]);
        assert!(check(&swapped).is_ok());
        let mut missing = bytes.clone();
        missing.drain(bias.clone());
        let error = check(&missing).unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
        // The same number of weights in another form.
        let key = record(&bytes, "decoder.blocks.0.mlp.0.weight");
        let mut turned = bytes.clone();
        turned[key.start + 12..key.start + 16].copy_from_slice(&768i32.to_le_bytes());
        turned[key.start + 16..key.start + 20].copy_from_slice(&192i32.to_le_bytes());
        let error = check(&turned).unwrap_err().to_string();
        assert!(error.contains("768, 192") && error.contains("192, 768"), "{error}");
        let mut absurd = bytes.clone();
        absurd[key.start + 16..key.start + 20].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(check(&absurd).is_err());
    }

    #[test]
    fn a_vocabulary_without_the_blank_is_refused() {
        let mut bytes = starter();
        let blank = bytes.windows(5).position(|window| window == b"\x01\0\0\0 ").unwrap();
        bytes[blank + 4] = b'_';
        let error = check(&bytes).unwrap_err().to_string();
        assert!(error.contains("blank"), "{error}");
    }

    #[test]
    fn other_files_are_named() {
        for (beginning, part) in [
            (b"\n <!DOCTYPE html><html><body>Please sign in".as_slice(), "web page"),
            (b"<HTML>", "web page"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"PK\x03\x04archive/data.pkl", "PyTorch"),
            (b"{\"error\": \"not found\"}", "JSON"),
            (&[0; 100], "wrong magic"),
        ] {
            let error = check(beginning).unwrap_err().to_string();
            assert!(error.contains(part), "{part} is not in {error}");
        }
        assert!(matches!(check(b""), Err(GgmlError::Cut { .. })));
    }
}
