//! What the text models have in common: checked files, a tokenizer, one session of ONNX Runtime, and the pool of sessions.
//!
//! Nothing is handed to native code before its SHA-256 was checked. Every text is evaluated alone, without padding, so a result depends on
//! the text and never on what else is in the call.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokenizers::{Encoding, Tokenizer, TruncationParams};

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
    #[error("text model file {file} is not what its manifest describes: {detail}")]
    Graph { file: String, detail: String },
    #[error("golden example {number} gives {found} instead of {expected} (tolerance {tolerance})")]
    Golden { number: usize, expected: String, found: String, tolerance: f64 },
    #[error("the text model fails on {probe}: {cause}")]
    Probe { probe: &'static str, cause: String },
}

impl TextModelError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            TextModelError::Read { .. } => "copy the whole folder, and check that its files can be read",
            TextModelError::Manifest { .. } => "correct the manifest; docs/classifiers.md says what stands in it",
            TextModelError::Hash { .. } => {
                "copy the file again; if it was changed on purpose, write its new SHA-256 (sha256sum FILE) into the manifest"
            }
            TextModelError::Tokenizer(_) => {
                "tokenizer.json must be the model's own, as the tokenizers library saves it (save_pretrained with a fast tokenizer)"
            }
            TextModelError::Runtime(_) => {
                "export the model again, in float32 and one file; docs/classifiers.md says how"
            }
            TextModelError::Graph { .. } => {
                "write the graph's own names and labels into the manifest, or export the model again"
            }
            TextModelError::Golden { .. } => {
                "compare the order of the labels, tokenizer, lower_case and temperature with what the expected values were computed with"
            }
            TextModelError::Probe { .. } => {
                "lower max_tokens to what the model was made for, and check that the tokenizer is the model's own"
            }
        }
    }
}

/// A model that answers texts one by one.
pub trait TextModel {
    type Answer: Clone;

    /// Evaluates every text alone, in order. One answer per text.
    ///
    /// # Errors
    /// The tokenizer or ONNX Runtime fails, or the graph gives something else than its description.
    fn ask(&mut self, texts: &[&str]) -> Result<Vec<Self::Answer>, TextModelError>;
}

/// Without a letter or a digit there is nothing that could be meant.
pub(crate) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// A tokenizer that reads at most so many tokens of a text.
pub(crate) fn tokenizer(json: &[u8], max_tokens: usize) -> Result<Tokenizer, TextModelError> {
    let failed = |e: tokenizers::Error| TextModelError::Tokenizer(e.to_string());
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(failed)?;
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(failed)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

pub(crate) fn tokens(tokenizer: &Tokenizer, text: &str) -> Result<Encoding, TextModelError> {
    // The tokenizer's own message could hold the text.
    tokenizer
        .encode(text, true)
        .map_err(|_| TextModelError::Tokenizer("a text could not be cut into word pieces".into()))
}

/// A session on one thread.
pub(crate) fn open_session(model: &[u8], environment: &Environment) -> Result<Session, TextModelError> {
    Session::builder(environment)
        .and_then(|b| Ok(b.with_intra_threads(1)?.with_inter_threads(1)?))
        // Dequantise the weights once, when the session opens, instead of at every run (7 times faster).
        .and_then(|b| Ok(b.with_config_entry("session.disable_quant_qdq", "1")?))
        // Every text has another length: remembered memory patterns would only grow.
        .and_then(|b| Ok(b.with_memory_pattern(false)?))
        // What goes wrong comes back as an error; the library need not print it, too.
        .and_then(|b| Ok(b.with_log_level(LogLevel::Fatal)?))
        .and_then(|mut b| b.commit_from_memory(model))
        .map_err(runtime)
}

pub(crate) fn runtime(error: ort::Error) -> TextModelError {
    TextModelError::Runtime(error.to_string())
}

/// A folder with a manifest that names its files' SHA-256.
pub(crate) struct Folder<'a> {
    pub path: &'a Path,
    pub manifest: &'static str,
}

impl Folder<'_> {
    /// The manifest, in a version that this program reads.
    pub fn read_manifest<M: DeserializeOwned>(
        &self,
        known: RangeInclusive<u32>,
        schema: impl Fn(&M) -> u32,
    ) -> Result<M, TextModelError> {
        let bytes = self.read(self.manifest)?;
        let manifest: M = std::str::from_utf8(&bytes)
            .map_err(|e| e.to_string())
            .and_then(|text| toml::from_str(text).map_err(|e| e.to_string()))
            .map_err(|detail| self.mistake(detail))?;
        let found = schema(&manifest);
        if known.contains(&found) {
            return Ok(manifest);
        }
        let (first, last) = known.into_inner();
        let reads = if first == last { format!("{last}") } else { format!("{first} to {last}") };
        Err(self.mistake(format!("schema {found} is not known (this program reads {reads})")))
    }

    pub fn read(&self, file: &str) -> Result<Vec<u8>, TextModelError> {
        std::fs::read(self.path.join(file)).map_err(|source| TextModelError::Read { file: self.shown(file), source })
    }

    /// The content of a file whose SHA-256 is the manifest's.
    pub fn read_checked(&self, file: &str, sha256: &BTreeMap<String, String>) -> Result<Vec<u8>, TextModelError> {
        let expected = sha256.get(file).ok_or_else(|| self.mistake(format!("no SHA-256 of {file}")))?;
        let bytes = self.read(file)?;
        let found = hex(&Sha256::digest(&bytes));
        if found != *expected {
            return Err(TextModelError::Hash { file: self.shown(file), expected: expected.clone(), found });
        }
        Ok(bytes)
    }

    pub fn mistake(&self, detail: String) -> TextModelError {
        TextModelError::Manifest { file: self.shown(self.manifest), detail }
    }

    /// The folder's own name and the file's, for messages: enough to find it, without the user's whole path.
    pub fn shown(&self, file: &str) -> String {
        let folder = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("{folder}/{file}")
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Answers to texts that came before. Half of what is said on calls is said in every call ("yes", "one moment please", the
/// recording notice), and a text's answer depends on the text alone, so it need not be worked out again.
struct Memo<A> {
    recent: HashMap<String, A>,
    /// The generation before: what is asked for again moves to `recent`, the rest is forgotten.
    former: HashMap<String, A>,
}

/// Texts of one generation; two of them with embeddings take about 35 MB.
const MEMO_TEXTS: usize = 32_768;
/// Longer texts hardly ever come twice.
const MEMO_CHARACTERS: usize = 160;

impl<A: Clone> Memo<A> {
    fn get(&mut self, text: &str) -> Option<A> {
        if let Some(found) = self.recent.get(text) {
            return Some(found.clone());
        }
        let (text, found) = self.former.remove_entry(text)?;
        self.put(text, found.clone());
        Some(found)
    }

    fn put(&mut self, text: String, found: A) {
        if self.recent.len() >= MEMO_TEXTS {
            self.former = std::mem::take(&mut self.recent);
        }
        self.recent.insert(text, found);
    }
}

/// Sessions of one model for the workers of a thread pool: `ask` takes the first free one, and waits when all are busy.
pub struct TextPool<M: TextModel> {
    models: Vec<Mutex<M>>,
    memo: Mutex<Memo<M::Answer>>,
    next: AtomicUsize,
}

impl<M: TextModel> TextPool<M> {
    /// A pool of sessions of the same model.
    pub fn new(first: M, others: Vec<M>) -> TextPool<M> {
        let models = std::iter::once(first).chain(others).map(Mutex::new).collect();
        let memo = Mutex::new(Memo { recent: HashMap::new(), former: HashMap::new() });
        TextPool { models, memo, next: AtomicUsize::new(0) }
    }

    /// As `TextModel::ask`; which session runs, and whether one does, does not change the answer.
    ///
    /// # Errors
    /// As `TextModel::ask`.
    pub fn ask(&self, texts: &[&str]) -> Result<Vec<M::Answer>, TextModelError> {
        let memo = || self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<Option<M::Answer>> = {
            let mut memo = memo();
            texts.iter().map(|text| memo.get(text)).collect()
        };
        let unknown: Vec<&str> = texts.iter().zip(&known).filter(|(_, k)| k.is_none()).map(|(text, _)| *text).collect();
        if unknown.is_empty() {
            return Ok(known.into_iter().flatten().collect());
        }
        let mut answers = self.free().ask(&unknown)?.into_iter();
        let mut memo = memo();
        let mut results = Vec::with_capacity(texts.len());
        for (text, known) in texts.iter().zip(known) {
            let result = match known {
                Some(known) => known,
                None => {
                    // `ask` gives one answer per text.
                    let Some(answer) = answers.next() else { break };
                    if text.len() <= MEMO_CHARACTERS {
                        memo.put((*text).to_string(), answer.clone());
                    }
                    answer
                }
            };
            results.push(result);
        }
        Ok(results)
    }

    pub(crate) fn free(&self) -> MutexGuard<'_, M> {
        for model in &self.models {
            match model.try_lock() {
                Ok(guard) => return guard,
                // A run leaves nothing behind in the session: a worker that panicked elsewhere did not spoil it.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.models.len();
        self.models[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_keeps_what_is_asked_for_and_stays_small() {
        let mut memo = Memo { recent: HashMap::new(), former: HashMap::new() };
        memo.put("yes".into(), 1);
        for n in 0..5 * MEMO_TEXTS {
            memo.put(format!("{n}"), n);
            if n % 1_000 == 0 {
                assert_eq!(memo.get("yes"), Some(1), "what is said again and again stays");
            }
        }
        assert!(memo.recent.len() + memo.former.len() <= 2 * MEMO_TEXTS);
        assert_eq!(memo.get("0"), None);
        assert_eq!(memo.get(&format!("{}", 5 * MEMO_TEXTS - 1)), Some(5 * MEMO_TEXTS - 1));
    }
}
