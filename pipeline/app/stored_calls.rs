//! Stored calls as evaluations need them: the transcript with its roles as decided since, text scores, reviews, today's rep aliases; and
//! the stored evaluation, of which parts may still hold. Used by `score`, `review`, `roles` and the scorecard commands.

use std::collections::BTreeMap;

use anyhow::{Error, Result, anyhow};
use callmark_core::acts::ActLexicon;
use callmark_core::record::{CallRecord, Evaluation};
use callmark_core::recording::Language;
use callmark_core::redaction;
use callmark_core::roles;
use callmark_core::signals::Signals;
use callmark_core::transcript::Transcript;
use callmark_store::{CallFilter, Store, StoredCall};

use crate::analysis::{Analysed, Analyst};
use crate::call::transcript_hash;
use crate::commands::explain;
use crate::config::{Config, RedactionSettings};
use crate::install::Install;
use crate::read::metadata::reps::Reps;
use crate::text_encoders::{FreshPhrases, TextEncoders};

/// What turns stored calls into inputs.
pub struct StoredCalls {
    encoders: TextEncoders,
    /// Of languages without an encoder here: the one whose results the store holds.
    stored_encoders: BTreeMap<Language, String>,
    /// Aliases that were learned after a call also hold for it.
    reps: Reps,
    /// Calls of versions or configurations that redacted less lose what they must not keep.
    redaction: RedactionSettings,
}

/// One call before it is evaluated again.
pub struct Input {
    pub call: Analysed,
    pub transcript_hash: String,
    /// Who is who was decided since, or more was taken out of it.
    pub transcript_changed: bool,
    pub former: Former,
}

/// What the store says about a call.
pub struct Former {
    pub evaluation: Evaluation,
    pub evaluation_key: String,
    pub acts: Vec<BTreeMap<String, u16>>,
    pub signals: Signals,
}

impl StoredCalls {
    pub fn open(
        config: &Config,
        install: &Install,
        store: &dyn Store,
        warnings: &mut Vec<String>,
    ) -> Result<StoredCalls> {
        let encoders = TextEncoders::open(install, rayon::current_num_threads(), warnings);
        let mut missing: Vec<Language> =
            Language::ALL.into_iter().filter(|language| encoders.hash(Some(*language)).is_none()).collect();
        let mut stored_encoders = BTreeMap::new();
        if !missing.is_empty() {
            for call in store.calls(&CallFilter::default()).map_err(explain)? {
                let mut record = call.map_err(explain)?.record;
                let Some(language) = record.transcript.language.filter(|l| missing.contains(l)) else { continue };
                if let Some(hash) = record.provenance.models.remove("encoder") {
                    stored_encoders.insert(language, hash);
                    missing.retain(|other| *other != language);
                    if missing.is_empty() {
                        break;
                    }
                }
            }
        }
        let redaction = config.redaction.clone();
        Ok(StoredCalls { encoders, stored_encoders, reps: Reps::new(&config.reps), redaction })
    }

    /// Gives the analyst the embeddings of its `meaning` phrases and what the stored evaluations were made with. Writes nothing:
    /// embeddings that the store does not have are returned.
    pub fn prepare(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<Vec<FreshPhrases>> {
        analyst.load_fingerprints(store)?;
        for (language, hash) in &self.stored_encoders {
            analyst.load_phrases(*language, hash, store)?;
        }
        self.encoders.fill_phrases(analyst, store)
    }

    /// The encoder whose results are used for a call in this language.
    fn encoder_hash(&self, language: Option<Language>) -> Option<&str> {
        self.encoders.hash(language).or(self.stored_encoders.get(&language?).map(String::as_str))
    }

    /// What is not to be kept of what was said.
    pub fn redaction(&self) -> &RedactionSettings {
        &self.redaction
    }

    /// What an evaluation of the call needs now.
    ///
    /// # Errors
    /// The store cannot be read, or the call needs an encoder that is missing here.
    pub fn input(&self, stored: StoredCall, analyst: &Analyst, store: &dyn Store) -> Result<Input> {
        let StoredCall { record, evaluation_key, .. } = stored;
        let CallRecord { call_id, mut metadata, transcript, signals, acts, evaluation, provenance, .. } = record;
        let reviews = store.reviews(&call_id).map_err(explain)?;
        let former_hash = transcript_hash(&transcript);
        let language = transcript.language;
        let scores = match self.encoder_hash(language) {
            Some(hash) => store.get_text_scores(&call_id, hash, &former_hash).map_err(explain)?,
            None => None,
        };
        let mut models = provenance.models;
        let had_encoder = models.remove("encoder").is_some();
        let is_missing = self.encoders.hash(language).is_none();
        if is_missing && had_encoder && scores.is_none() {
            return Err(encoder_is_missing(&call_id));
        }
        let kept = scores.as_ref().and(self.encoder_hash(language)).map(str::to_string);
        let (scores, encoder_hash) = self.encoders.scores(&transcript, scores)?;
        self.reps.resolve(&mut metadata);
        let call = Analysed {
            call_id,
            metadata,
            scores,
            encoder_hash: encoder_hash.or(kept),
            recording_ids: provenance.audio,
            models,
            configuration: provenance.configuration,
            reviews,
            transcript,
        };
        let former = Former { evaluation, evaluation_key, acts, signals };
        let mut input = Input { call, transcript_hash: former_hash, transcript_changed: false, former };
        // What was settled under the same rules, metadata and reviews would come out the same.
        if !(self.redaction.is_done(&input.call.transcript) && analyst.is_of_now(&input)) {
            self.settle(&mut input, had_encoder)?;
        }
        Ok(input)
    }

    /// Takes out what must not be kept, and decides anew who is who.
    fn settle(&self, input: &mut Input, had_encoder: bool) -> Result<()> {
        let call = &mut input.call;
        let before = call.transcript.clone();
        redaction::redact(&mut call.transcript, &self.redaction.entities);
        roles::settle(&mut call.transcript, call.metadata.direction, &call.reviews, ActLexicon::built_in());
        if call.transcript == before {
            return Ok(());
        }
        input.transcript_changed = true;
        input.transcript_hash = transcript_hash(&call.transcript);
        // Sentiment and meaning do not depend on who speaks: what was computed for the same turns in the same order still holds.
        let said = |t: &Transcript| -> Vec<(i64, String)> {
            t.turns.iter().map(|turn| (turn.begin_ms, turn.text.clone())).collect()
        };
        if said(&call.transcript) != said(&before) {
            if self.encoders.hash(call.transcript.language).is_none() && had_encoder {
                return Err(encoder_is_missing(&call.call_id));
            }
            call.scores = self.encoders.scores(&call.transcript, None)?.0;
        }
        Ok(())
    }
}

fn encoder_is_missing(call_id: &str) -> Error {
    anyhow!(
        "{call_id} was scored with a text encoder that is missing here\nhint: run scripts/get-models, then score again"
    )
}
