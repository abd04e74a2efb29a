//! The text encoders of all languages, and what they say: sentiment and embedding of a call's turns, embeddings of `meaning` phrases.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Result;
use callmark_core::recording::Language;
use callmark_core::transcript::{Embedding, Transcript, TurnScores};
use callmark_models::runtime::{self, Environment};
use callmark_models::text_encoder::{self, EncoderPool, TextModelError};
use callmark_store::Store;

use crate::analysis::Analyst;
use crate::commands::explain;
use crate::install::Install;

/// Encoders by language, each opened when the first text in its language comes: most sites have calls in one. Without an encoder `meaning` is
/// unknown and sentiment not applicable in that language, never guessed.
#[derive(Default)]
pub struct TextEncoders(BTreeMap<Language, Slot>);

struct Slot {
    folder: PathBuf,
    environment: &'static Environment,
    workers: usize,
    hash: String,
    pool: OnceLock<Option<EncoderPool>>,
}

impl TextEncoders {
    /// Finds and checks the encoders that come with callmark; `workers` of a language will be opened. One that is not as it should be is left out
    /// with a warning.
    pub fn open(install: &Install, workers: usize, warnings: &mut Vec<String>) -> TextEncoders {
        let environment = match runtime::onnx_runtime(install.onnx_runtime().as_deref()) {
            Ok(environment) => environment,
            Err(error) => {
                warnings.push(format!("sentiment and meaning are left out: {error} (hint: {})", error.hint()));
                return TextEncoders::default();
            }
        };
        let mut slots = BTreeMap::new();
        for language in Language::ALL {
            let folder = install.text_model(language);
            match text_encoder::check(&folder) {
                Ok(hash) => {
                    slots.insert(language, Slot { folder, environment, workers, hash, pool: OnceLock::new() });
                }
                Err(error) => {
                    let code = language.code();
                    warnings.push(format!("sentiment and meaning are left out for calls in `{code}`: {error}"));
                }
            }
        }
        TextEncoders(slots)
    }

    pub fn of(&self, language: Option<Language>) -> Option<&EncoderPool> {
        let slot = self.0.get(&language?)?;
        let open = || match EncoderPool::load(&slot.folder, slot.environment, slot.workers) {
            Ok(pool) => Some(pool),
            // The files were checked: memory is short. Calls go on without, and are scored again when there is more.
            Err(error) => {
                eprintln!("warning: sentiment and meaning are left out: {error}");
                None
            }
        };
        slot.pool.get_or_init(open).as_ref()
    }

    /// The hash of a language's encoder.
    pub fn hash(&self, language: Option<Language>) -> Option<&str> {
        self.0.get(&language?).map(|slot| slot.hash.as_str())
    }

    /// Embeddings of free texts in a language; `None` without an encoder for it.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn embed(&self, language: Language, texts: &[String]) -> Result<Option<Vec<Embedding>>, TextModelError> {
        if texts.is_empty() {
            return Ok(self.hash(Some(language)).map(|_| Vec::new()));
        }
        let Some(pool) = self.of(Some(language)) else { return Ok(None) };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(Some(pool.encode(&texts)?.into_iter().map(|t| t.embedding).collect()))
    }

    /// Scores from an earlier run, else from the encoder of the call's language; the hash names what made them.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn scores(
        &self,
        transcript: &Transcript,
        stored: Option<TurnScores>,
    ) -> Result<(TurnScores, Option<String>), TextModelError> {
        let hash = self.hash(transcript.language).map(str::to_string);
        if let Some(scores) = stored {
            return Ok((scores, hash));
        }
        match self.of(transcript.language) {
            Some(pool) => Ok((turn_scores(pool, transcript)?, hash)),
            None => Ok((no_scores(transcript), None)),
        }
    }

    /// Fills in the embeddings of `meaning` phrases: stored ones first, so that every machine uses the same bytes. New ones are stored.
    pub fn prepare_phrases(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<()> {
        self.fill_phrases(analyst, store)?.into_iter().try_for_each(|fresh| fresh.keep(store))
    }

    /// The same without storing anything; what the store did not have.
    pub fn fill_phrases(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<Vec<FreshPhrases>> {
        let fill = |(language, slot): (&Language, &Slot)| {
            let missing = analyst.load_phrases(*language, &slot.hash, store)?;
            let embeddings = self.embed(*language, &missing)?.unwrap_or_default();
            let phrases: Vec<(String, Embedding)> = missing.into_iter().zip(embeddings).collect();
            analyst.phrases.entry(*language).or_default().extend(phrases.iter().cloned());
            Ok(FreshPhrases { encoder_hash: slot.hash.clone(), phrases })
        };
        self.0.iter().map(fill).collect()
    }
}

/// Embeddings that the store does not have yet.
pub struct FreshPhrases {
    encoder_hash: String,
    phrases: Vec<(String, Embedding)>,
}

impl FreshPhrases {
    pub fn keep(&self, store: &dyn Store) -> Result<()> {
        store.put_phrases(&self.encoder_hash, &self.phrases).map_err(explain)
    }
}

fn turn_scores(pool: &EncoderPool, transcript: &Transcript) -> Result<TurnScores, TextModelError> {
    let texts: Vec<&str> = transcript.turns.iter().map(|t| t.text.as_str()).collect();
    let scored = pool.encode(&texts)?;
    let (sentiment, embeddings) = scored.into_iter().map(|t| (Some(t.sentiment), Some(t.embedding))).unzip();
    Ok(TurnScores { sentiment, embeddings })
}

fn no_scores(transcript: &Transcript) -> TurnScores {
    TurnScores { sentiment: vec![None; transcript.turns.len()], embeddings: vec![None; transcript.turns.len()] }
}
