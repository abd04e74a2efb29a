//! The English text model: one ONNX graph that gives a turn's embedding and its sentiment.
//!
//! A folder (`models/text-en/`) holds `model.onnx`, `tokenizer.json` and `manifest.toml` with their SHA-256; nothing is
//! handed to native code before its hash was checked. Every text is evaluated alone, without padding, so a result
//! depends on the text and never on what else is in the call. The weights are int8 in the file and float32 in memory
//! (about 80 MB per encoder); the arithmetic is float32, so results are equal from run to run on one machine, and
//! may differ by a unit of rounding between processors. Records store the rounded values.

use std::collections::BTreeMap;
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
        let manifest = read(dir, MANIFEST)?;
        let manifest: Manifest = std::str::from_utf8(&manifest)
            .map_err(|e| e.to_string())
            .and_then(|text| toml::from_str(text).map_err(|e| e.to_string()))
            .map_err(|detail| TextModelError::Manifest { file: shown(dir, MANIFEST), detail })?;
        if manifest.schema != 1 {
            let detail = format!("schema {} is newer than this program (it reads 1)", manifest.schema);
            return Err(TextModelError::Manifest { file: shown(dir, MANIFEST), detail });
        }
        let model = checked(dir, MODEL, &manifest)?;
        let tokenizer = checked(dir, TOKENIZER, &manifest)?;
        let mut tokenizer = Tokenizer::from_bytes(tokenizer).map_err(|e| TextModelError::Tokenizer(e.to_string()))?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| TextModelError::Tokenizer(e.to_string()))?;
        tokenizer.with_padding(None);
        let mut digest = Sha256::new();
        digest.update(&manifest.name);
        for (file, hash) in &manifest.sha256 {
            digest.update(format!("\n{file} {hash}"));
        }
        let files = Files {
            environment: environment.clone(),
            model,
            tokenizer,
            dimensions: manifest.dimensions,
            hash: hex(&digest.finalize()),
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

/// Encoders for the workers of a thread pool: `encode` takes the first free one, and waits when all are busy.
pub struct EncoderPool {
    encoders: Vec<Mutex<TextEncoder>>,
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
        Ok(EncoderPool { encoders, next: AtomicUsize::new(0), hash })
    }

    /// As `TextEncoder::encoder_hash`.
    pub fn encoder_hash(&self) -> &str {
        &self.hash
    }

    /// As `TextEncoder::encode`; which encoder runs does not change the result.
    ///
    /// # Errors
    /// As `TextEncoder::encode`.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<TurnText>, TextModelError> {
        self.free().encode(texts)
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
