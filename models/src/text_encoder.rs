//! The English text model: one ONNX graph that gives a turn's embedding and its sentiment.
//!
//! A folder (`models/text-en/`) holds `model.onnx`, `tokenizer.json` and `manifest.toml` with their SHA-256; nothing is
//! handed to native code before its hash was checked. Every text is evaluated alone, without padding, so a result
//! depends on the text and never on what else is in the call. The weights are int8 in the file and float32 in memory
//! (about 80 MB per encoder); the arithmetic is float32, so results are equal from run to run on one machine, and
//! may differ by a unit of rounding between processors. Records store the rounded values.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use callmark_core::transcript::{Embedding, Sentiment};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokenizers::{Tokenizer, TruncationParams};

use crate::{embedding, sentiment};

/// Word pieces of a turn that are read (about 90 words); the rest of a longer turn is not.
pub const MAX_TOKENS: usize = 128;

const MODEL: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";
const MANIFEST: &str = "manifest.toml";

/// Why a text model cannot be loaded or run. No variant holds what was said.
#[derive(Debug, Error)]
pub enum TextModelError {
    #[error("text model file {file}: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("text model manifest {file}: {detail}")]
    Manifest { file: String, detail: String },
    #[error("text model file {file} is damaged or was exchanged: SHA-256 is {found}, the manifest says {expected}")]
    Hash { file: String, expected: String, found: String },
    #[error("text model tokenizer: {0}")]
    Tokenizer(String),
    #[error("text model: {0}")]
    Runtime(String),
}

/// What the model says about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnText {
    /// 384 components. All zero (similar to nothing) for a text without a letter or digit.
    pub embedding: Embedding,
    pub sentiment: Sentiment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    schema: u32,
    name: String,
    dimensions: usize,
    sha256: BTreeMap<String, String>,
}

impl Manifest {
    fn read(dir: &Path) -> Result<Manifest, TextModelError> {
        let manifest = read(dir, MANIFEST)?;
        let manifest: Manifest = std::str::from_utf8(&manifest)
            .map_err(|e| e.to_string())
            .and_then(|text| toml::from_str(text).map_err(|e| e.to_string()))
            .map_err(|detail| TextModelError::Manifest { file: shown(dir, MANIFEST), detail })?;
        if manifest.schema != 1 {
            let detail = format!("schema {} is newer than this program (it reads 1)", manifest.schema);
            return Err(TextModelError::Manifest { file: shown(dir, MANIFEST), detail });
        }
        Ok(manifest)
    }

    fn encoder_hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.name);
        for (file, hash) in &self.sha256 {
            digest.update(format!("\n{file} {hash}"));
        }
        hex(&digest.finalize())
    }
}

/// Checks the hashes of a model folder without opening it; what `encoder_hash` of its encoders will be.
///
/// # Errors
/// A file is missing, or is not what the manifest says.
pub fn check(dir: &Path) -> Result<String, TextModelError> {
    let manifest = Manifest::read(dir)?;
    for file in [MODEL, TOKENIZER] {
        checked(dir, file, &manifest)?;
    }
    Ok(manifest.encoder_hash())
}

/// Files whose hashes were checked, shared by the encoders made from them.
struct Files {
    environment: Environment,
    model: Vec<u8>,
    tokenizer: Tokenizer,
    dimensions: usize,
    hash: String,
}

/// One session of the text model. `encode` needs `&mut self`: give every worker its own (`another`), or use `EncoderPool`.
pub struct TextEncoder {
    files: Arc<Files>,
    session: Session,
}

impl TextEncoder {
    /// Reads the model folder, checks the hashes of its manifest and opens one session with one thread.
    ///
    /// # Errors
    /// A file is missing, is not what the manifest says, or ONNX Runtime refuses it.
    pub fn load(dir: &Path, environment: &Environment) -> Result<TextEncoder, TextModelError> {
        let manifest = Manifest::read(dir)?;
        let model = checked(dir, MODEL, &manifest)?;
        let tokenizer = checked(dir, TOKENIZER, &manifest)?;
        let mut tokenizer = Tokenizer::from_bytes(tokenizer).map_err(|e| TextModelError::Tokenizer(e.to_string()))?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| TextModelError::Tokenizer(e.to_string()))?;
        tokenizer.with_padding(None);
        let files = Files {
            environment: environment.clone(),
            model,
            tokenizer,
            dimensions: manifest.dimensions,
            hash: manifest.encoder_hash(),
        };
        TextEncoder::open(Arc::new(files))
    }

    /// A second encoder of the same files for another worker; nothing is read again.
    ///
    /// # Errors
    /// ONNX Runtime cannot open another session (memory).
    pub fn another(&self) -> Result<TextEncoder, TextModelError> {
        TextEncoder::open(Arc::clone(&self.files))
    }

    fn open(files: Arc<Files>) -> Result<TextEncoder, TextModelError> {
        let session = Session::builder(&files.environment)
            .and_then(|b| Ok(b.with_intra_threads(1)?.with_inter_threads(1)?))
            // Dequantise the weights once, when the session opens, instead of at every run (7 times faster).
            .and_then(|b| Ok(b.with_config_entry("session.disable_quant_qdq", "1")?))
            // Every text has another length: remembered memory patterns would only grow.
            .and_then(|b| Ok(b.with_memory_pattern(false)?))
            .and_then(|mut b| b.commit_from_memory(&files.model))
            .map_err(|e| TextModelError::Runtime(e.to_string()))?;
        Ok(TextEncoder { files, session })
    }

    /// SHA-256 over the model's name and the hashes of its files: provenance of stored embeddings and sentiment.
    pub fn encoder_hash(&self) -> &str {
        &self.files.hash
    }

    /// Evaluates every text alone, in order. One result per text.
    ///
    /// # Errors
    /// The tokenizer or ONNX Runtime fails, or the graph gives something else than its description.
    pub fn encode(&mut self, texts: &[&str]) -> Result<Vec<TurnText>, TextModelError> {
        texts.iter().map(|text| self.encode_one(text)).collect()
    }

    fn encode_one(&mut self, text: &str) -> Result<TurnText, TextModelError> {
        let dimensions = self.files.dimensions;
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(TurnText { embedding: Embedding(vec![0; dimensions]), sentiment: sentiment::NO_WORDS });
        }
        let runtime = |e: ort::Error| TextModelError::Runtime(e.to_string());
        let encoding = self.files.tokenizer.encode(text, true).map_err(|_| {
            // The tokenizer's own message could hold the text.
            TextModelError::Tokenizer("a text could not be cut into word pieces".into())
        })?;
        let ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        let mask = vec![1_i64; ids.len()];
        let shape = [1, ids.len()];
        let inputs = ort::inputs![
            "ids" => TensorRef::from_array_view((shape, ids.as_slice())).map_err(runtime)?,
            "mask" => TensorRef::from_array_view((shape, mask.as_slice())).map_err(runtime)?,
        ];
        let outputs = self.session.run(inputs).map_err(runtime)?;
        let floats = |name: &str| -> Result<&[f32], TextModelError> {
            let value = outputs.get(name).ok_or_else(|| TextModelError::Runtime(format!("no output `{name}`")))?;
            Ok(value.try_extract_tensor::<f32>().map_err(runtime)?.1)
        };
        let vector = floats("embedding")?;
        if vector.len() != dimensions {
            let detail = format!("an embedding has {} components, the manifest says {dimensions}", vector.len());
            return Err(TextModelError::Runtime(detail));
        }
        let sentiment = <[f32; 3]>::try_from(floats("sentiment")?).ok().and_then(sentiment::permille);
        let sentiment = sentiment.ok_or_else(|| TextModelError::Runtime("sentiment is not three numbers".into()))?;
        Ok(TurnText { embedding: embedding::quantise(vector), sentiment })
    }
}

/// Results of texts that came before. Half of what is said on calls is said in every call ("yes", "one moment please", the
/// recording notice), and a text's result depends on the text alone, so it need not be worked out again.
#[derive(Default)]
struct Memo {
    recent: HashMap<String, TurnText>,
    /// The generation before: what is asked for again moves to `recent`, the rest is forgotten.
    former: HashMap<String, TurnText>,
}

/// Texts of one generation; two of them take about 35 MB.
const MEMO_TEXTS: usize = 32_768;
/// Longer texts hardly ever come twice.
const MEMO_CHARACTERS: usize = 160;

impl Memo {
    fn get(&mut self, text: &str) -> Option<TurnText> {
        if let Some(found) = self.recent.get(text) {
            return Some(found.clone());
        }
        let (text, found) = self.former.remove_entry(text)?;
        self.put(text, found.clone());
        Some(found)
    }

    fn put(&mut self, text: String, found: TurnText) {
        if self.recent.len() >= MEMO_TEXTS {
            self.former = std::mem::take(&mut self.recent);
        }
        self.recent.insert(text, found);
    }
}

/// Encoders for the workers of a thread pool: `encode` takes the first free one, and waits when all are busy.
pub struct EncoderPool {
    encoders: Vec<Mutex<TextEncoder>>,
    memo: Mutex<Memo>,
    next: AtomicUsize,
    hash: String,
}

impl EncoderPool {
    /// `workers` encoders (at least one) of the model in `dir`.
    ///
    /// # Errors
    /// As `TextEncoder::load`.
    pub fn load(dir: &Path, environment: &Environment, workers: usize) -> Result<EncoderPool, TextModelError> {
        let first = TextEncoder::load(dir, environment)?;
        let hash = first.encoder_hash().to_owned();
        let mut encoders = Vec::with_capacity(workers.max(1));
        for _ in 1..workers {
            encoders.push(Mutex::new(first.another()?));
        }
        encoders.push(Mutex::new(first));
        Ok(EncoderPool { encoders, memo: Mutex::default(), next: AtomicUsize::new(0), hash })
    }

    /// As `TextEncoder::encoder_hash`.
    pub fn encoder_hash(&self) -> &str {
        &self.hash
    }

    /// As `TextEncoder::encode`; which encoder runs, and whether one does, does not change the result.
    ///
    /// # Errors
    /// As `TextEncoder::encode`.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<TurnText>, TextModelError> {
        let memo = || self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<Option<TurnText>> = {
            let mut memo = memo();
            texts.iter().map(|text| memo.get(text)).collect()
        };
        let unknown: Vec<&str> = texts.iter().zip(&known).filter(|(_, k)| k.is_none()).map(|(text, _)| *text).collect();
        if unknown.is_empty() {
            return Ok(known.into_iter().flatten().collect());
        }
        let mut encoded = self.free().encode(&unknown)?.into_iter();
        let mut memo = memo();
        let mut results = Vec::with_capacity(texts.len());
        for (text, known) in texts.iter().zip(known) {
            let result = match known {
                Some(known) => known,
                None => {
                    // `encode` gives one result per text.
                    let Some(result) = encoded.next() else { break };
                    if text.len() <= MEMO_CHARACTERS {
                        memo.put((*text).to_string(), result.clone());
                    }
                    result
                }
            };
            results.push(result);
        }
        Ok(results)
    }

    fn free(&self) -> MutexGuard<'_, TextEncoder> {
        for encoder in &self.encoders {
            match encoder.try_lock() {
                Ok(guard) => return guard,
                // A run leaves nothing behind in the session: a worker that panicked elsewhere did not spoil it.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.encoders.len();
        self.encoders[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder's own name and the file's, for messages: enough to find it, without the user's whole path.
fn shown(dir: &Path, file: &str) -> String {
    let folder = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{folder}/{file}")
}

fn read(dir: &Path, file: &str) -> Result<Vec<u8>, TextModelError> {
    std::fs::read(dir.join(file)).map_err(|source| TextModelError::Read { file: shown(dir, file), source })
}

fn checked(dir: &Path, file: &str, manifest: &Manifest) -> Result<Vec<u8>, TextModelError> {
    let expected = manifest.sha256.get(file).ok_or_else(|| TextModelError::Manifest {
        file: shown(dir, MANIFEST),
        detail: format!("no SHA-256 of {file}"),
    })?;
    let bytes = read(dir, file)?;
    let found = hex(&Sha256::digest(&bytes));
    if found != *expected {
        return Err(TextModelError::Hash { file: shown(dir, file), expected: expected.clone(), found });
    }
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_keeps_what_is_asked_for_and_stays_small() {
        let turn = |n: usize| TurnText { embedding: Embedding(vec![n as i8]), sentiment: sentiment::NO_WORDS };
        let mut memo = Memo::default();
        memo.put("yes".into(), turn(1));
        for n in 0..5 * MEMO_TEXTS {
            memo.put(format!("{n}"), turn(n));
            if n % 1_000 == 0 {
                assert_eq!(memo.get("yes"), Some(turn(1)), "what is said again and again stays");
            }
        }
        assert!(memo.recent.len() + memo.former.len() <= 2 * MEMO_TEXTS);
        assert_eq!(memo.get("0"), None);
        assert_eq!(memo.get(&format!("{}", 5 * MEMO_TEXTS - 1)), Some(turn(5 * MEMO_TEXTS - 1)));
    }
}
