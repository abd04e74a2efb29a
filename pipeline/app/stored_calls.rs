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
use crate::text_encoders::{FreshPhrases, TextEncoders, TextModelHashes};

/// What turns stored calls into inputs.
pub struct StoredCalls {
    encoders: TextEncoders,
    /// Of languages without an encoder here: the models whose results the store holds.
    stored_models: BTreeMap<Language, TextModelHashes>,
    /// Aliases that were learned after a call also hold for it.
    reps: Reps,
    /// Calls of versions or configurations that redacted less lose what they must not keep.
    redaction: RedactionSettings,
}

/// One call before it is evaluated again.
pub struct Input {
    pub call: Analysed,
    pub transcript_hash: String,
    /// The store does not have the text scores yet: of this transcript, or of these models.
    pub scores_are_new: bool,
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
        let encoders = TextEncoders::open(install, config, rayon::current_num_threads(), warnings)?;
        let mut missing: Vec<Language> =
            Language::ALL.into_iter().filter(|language| encoders.hashes(Some(*language)).is_none()).collect();
        let mut stored_models = BTreeMap::new();
        if !missing.is_empty() {
            for call in store.calls(&CallFilter::default()).map_err(explain)? {
                let mut record = call.map_err(explain)?.record;
                let Some(language) = record.transcript.language.filter(|l| missing.contains(l)) else { continue };
                if let Some(hashes) = TextModelHashes::take(&mut record.provenance.models) {
                    stored_models.insert(language, hashes);
                    missing.retain(|other| *other != language);
                    if missing.is_empty() {
                        break;
                    }
                }
            }
        }
        let redaction = config.redaction.clone();
        Ok(StoredCalls { encoders, stored_models, reps: Reps::new(&config.reps), redaction })
    }

    /// Gives the analyst the embeddings of its `meaning` phrases and what the stored evaluations were made with. Writes nothing:
    /// embeddings that the store does not have are returned.
    pub fn prepare(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<Vec<FreshPhrases>> {
        analyst.load_fingerprints(store)?;
        for (language, hashes) in &self.stored_models {
            analyst.load_phrases(*language, &hashes.encoder, store)?;
        }
        self.encoders.fill_phrases(analyst, store)
    }

    /// The models whose results are used for a call in this language.
    fn text_models(&self, language: Option<Language>) -> Option<&TextModelHashes> {
        self.encoders.hashes(language).or(self.stored_models.get(&language?))
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
        let scores = match self.text_models(language) {
            Some(models) => store.get_text_scores(&call_id, &models.key(), &former_hash).map_err(explain)?,
            None => None,
        };
        let mut models = provenance.models;
        let had_encoder = TextModelHashes::take(&mut models).is_some();
        let is_missing = self.encoders.hashes(language).is_none();
        if is_missing && had_encoder && scores.is_none() {
            return Err(encoder_is_missing(&call_id));
        }
        let kept = scores.as_ref().and(self.text_models(language)).cloned();
        let scores_are_new = scores.is_none();
        let (scores, text_models) = self.encoders.scores(&transcript, scores)?;
        self.reps.resolve(&mut metadata);
        let call = Analysed {
            call_id,
            metadata,
            scores,
            text_models: text_models.or(kept),
            recording_ids: provenance.audio,
            models,
            configuration: provenance.configuration,
            reviews,
            transcript,
        };
        let former = Former { evaluation, evaluation_key, acts, signals };
        let mut input = Input { call, transcript_hash: former_hash, scores_are_new, former };
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
        input.scores_are_new = true;
        input.transcript_hash = transcript_hash(&call.transcript);
        // Meaning, and the sentiment of each turn alone, do not depend on who speaks: what was computed for the same turns in the same order
        // still holds, and sentiment in context is made of it and of the roles at each evaluation (`TurnScores::moods`). Acts do depend: the
        // model hears a turn as the rep's or the customer's, and what comes before it. They are read again, from the embeddings and the
        // readings of insults: the same as if these roles had been known from the start.
        let said = |t: &Transcript| -> Vec<(i64, String)> {
            t.turns.iter().map(|turn| (turn.begin_ms, turn.text.clone())).collect()
        };
        if said(&call.transcript) != said(&before) {
            if self.encoders.hashes(call.transcript.language).is_none() && had_encoder {
                return Err(encoder_is_missing(&call.call_id));
            }
            call.scores = self.encoders.scores(&call.transcript, None)?.0;
        } else if call.scores.acts.is_some() {
            let acts = self.encoders.read_acts_again(&call.transcript, &call.scores)?;
            call.scores.acts = Some(acts.ok_or_else(|| encoder_is_missing(&call.call_id))?);
        }
        Ok(())
    }
}

fn encoder_is_missing(call_id: &str) -> Error {
    anyhow!(
        "{call_id} was scored with a text encoder that is missing here\nhint: run scripts/get-models, then score again"
    )
}
