//! `callmark score`: stored calls against today's scorecards, without audio, in parallel, byte-identically.

use anyhow::{Result, bail};
use callmark_core::record::{CallRecord, Status};
use callmark_core::recording::Language;
use callmark_core::redaction;
use callmark_core::roles;
use callmark_core::transcript::Transcript;
use callmark_store::{CallFilter, Store};
use rayon::prelude::*;

use crate::FINISHED;
use callmark_models::text_encoder::EncoderPool;

use crate::analysis::{Analysed, Analyst, open_encoders, prepare_phrases, text_scores};
use crate::call::transcript_hash;
use crate::cli::{Common, ScoreArgs};
use crate::commands::{existing_store, explain};
use crate::config::{Config, RedactionSettings};
use crate::install::Install;
use crate::read::metadata::reps::Reps;
use crate::render::outputs;

/// Calls are read, scored and written in groups, so that memory stays bounded.
const GROUP: usize = 256;

#[derive(Debug, Default, serde::Serialize)]
struct ScoreSummary {
    calls: usize,
    changed: usize,
    unchanged: usize,
    /// Scored with a scorecard that was given by hand; their route names another.
    left_alone: usize,
    /// Their words were purged: they keep the score that they have.
    words_purged: usize,
    warnings: Vec<String>,
}

pub fn score(args: &ScoreArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common)?;
    let install = Install::find()?;
    let store = existing_store(common)?;
    let store = store.as_ref();
    let mut summary = ScoreSummary::default();
    let rescorer = Rescorer::open(args.scorecard.as_deref(), &config, &install, store, &mut summary.warnings)?;
    if let Some(out) = &args.out {
        outputs::prepare_folder(out)?;
    }
    let since = args.since.as_deref().map(str::parse).transpose()?;
    let ids = store.call_ids(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
    for group in ids.chunks(GROUP) {
        let results: Vec<Result<Option<Rescored>>> = group.par_iter().map(|id| rescorer.rescore(id, store)).collect();
        for (id, result) in group.iter().zip(results) {
            summary.calls += 1;
            match result? {
                Some(new) => {
                    summary.changed += 1;
                    if let Some(out) = &args.out {
                        outputs::write_call(out, &new.record)?;
                    }
                    let stored = store.put_call(&new.record, &new.key, &[]).map_err(explain)?;
                    if let Some(out) = args.out.as_ref().filter(|_| !stored) {
                        // Forgotten in this moment.
                        outputs::remove_call(out, id)?;
                    }
                }
                None => {
                    summary.unchanged += 1;
                    let Some(stored) = store.get_call(id).map_err(explain)? else { continue };
                    summary.left_alone += usize::from(rescorer.is_chosen_by_hand(&stored.record));
                    summary.words_purged += usize::from(stored.words_purged);
                    if let Some(out) = &args.out {
                        outputs::write_call(out, &stored.record)?;
                    }
                }
            }
        }
    }
    if summary.left_alone > 0 {
        let count = summary.left_alone;
        summary.warnings.push(format!(
            "{count} calls keep the scorecard that was given for them with --scorecard (hint: give it again to score them)"
        ));
    }
    for warning in &summary.warnings {
        eprintln!("warning: {warning}");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else if !common.quiet {
        println!("{} stored calls: {} scored again, {} unchanged", summary.calls, summary.changed, summary.unchanged);
        if summary.words_purged > 0 {
            println!("  {} keep their score: their words were purged", summary.words_purged);
        }
    }
    Ok(FINISHED)
}

/// A call whose evaluation changed.
pub struct Rescored {
    pub record: CallRecord,
    pub key: String,
}

/// Scores stored calls again.
pub struct Rescorer {
    analyst: Analyst,
    encoders: Option<EncoderPool>,
    /// Without an encoder here: the one whose results the store holds.
    stored_encoder: Option<String>,
    /// Aliases that were learned after a call also hold for it.
    reps: Reps,
    redaction: RedactionSettings,
}

impl Rescorer {
    pub fn open(
        scorecard: Option<&std::path::Path>,
        config: &Config,
        install: &Install,
        store: &dyn Store,
        warnings: &mut Vec<String>,
    ) -> Result<Rescorer> {
        let mut analyst = Analyst::load(scorecard, config, install)?;
        analyst.load_precision(store)?;
        let encoders = open_encoders(install, rayon::current_num_threads(), warnings);
        prepare_phrases(&mut analyst, encoders.as_ref(), store)?;
        let mut stored_encoder = None;
        if encoders.is_none() {
            for call in store.calls(&CallFilter::default()).map_err(explain)? {
                stored_encoder = call.map_err(explain)?.record.provenance.models.remove("encoder");
                if let Some(hash) = &stored_encoder {
                    analyst.load_phrases(hash, store)?;
                    break;
                }
            }
        }
        let redaction = config.redaction.clone();
        Ok(Rescorer { analyst, encoders, stored_encoder, reps: Reps::new(&config.reps), redaction })
    }

    /// The scorecard that a call would get now, by hash.
    pub fn scorecard_hash(&self, record: &CallRecord) -> Option<&str> {
        self.analyst.scorecard_of(&record.metadata, record.transcript.language).map(|(_, hash)| hash)
    }

    /// True when the call was scored with a scorecard of another name than its route's: chosen for it by hand.
    pub fn is_chosen_by_hand(&self, record: &CallRecord) -> bool {
        let routed = self.analyst.scorecard_of(&record.metadata, record.transcript.language);
        let name = &record.evaluation.scorecard;
        !self.analyst.is_forced() && !name.is_empty() && routed.map(|(name, _)| name) != Some(name.as_str())
    }

    /// Takes the same out of the transcripts that the store keeps of a call's recordings.
    fn redact_kept(&self, call_id: &str, store: &dyn Store) -> Result<()> {
        for recording in store.recordings(call_id).map_err(explain)? {
            for mut row in store.analyses_of(&recording.recording_id).map_err(explain)? {
                redaction::redact(&mut row.transcript, &self.redaction.entities);
                store.put_analysis(&row).map_err(explain)?;
            }
        }
        Ok(())
    }

    /// The new record, or `None` when nothing that the evaluation depends on has changed (or the call failed, is gone, or has
    /// no words any more).
    pub fn rescore(&self, call_id: &str, store: &dyn Store) -> Result<Option<Rescored>> {
        let Some(stored) = store.get_call(call_id).map_err(explain)? else { return Ok(None) };
        let old = stored.record;
        if stored.words_purged || old.evaluation.status == Status::Failed || self.is_chosen_by_hand(&old) {
            return Ok(None);
        }
        let reviews = store.reviews(call_id).map_err(explain)?;
        let transcript = transcript_hash(&old.transcript);
        let english = old.transcript.language == Some(Language::En);
        let here = self.encoders.as_ref().map(EncoderPool::encoder_hash).or(self.stored_encoder.as_deref());
        let scores = match here.filter(|_| english) {
            Some(hash) => store.get_text_scores(call_id, hash, &transcript).map_err(explain)?,
            None => None,
        };
        let had_encoder = old.provenance.models.contains_key("encoder");
        if self.encoders.is_none() && had_encoder && scores.is_none() {
            bail!(
                "{call_id} was scored with a text encoder that is missing here\nhint: run scripts/get-models, then score again"
            );
        }
        let kept = if self.encoders.is_none() && scores.is_some() { self.stored_encoder.clone() } else { None };
        let mut settled = old.transcript.clone();
        // Calls of versions or configurations that redacted less lose here what they must not keep.
        redaction::redact(&mut settled, &self.redaction.entities);
        if settled.redaction != old.transcript.redaction && !self.redaction.keep_original {
            self.redact_kept(call_id, store)?;
        }
        roles::settle(&mut settled, old.metadata.direction, &reviews, self.analyst.lexicon);
        // Sentiment and meaning do not depend on who speaks: what was computed for the same turns in the same order still holds.
        let said = |t: &Transcript| -> Vec<(i64, String)> {
            t.turns.iter().map(|turn| (turn.begin_ms, turn.text.clone())).collect()
        };
        let scores = scores.filter(|_| said(&settled) == said(&old.transcript));
        let (scores, encoder_hash) = text_scores(self.encoders.as_ref(), &settled, scores)?;
        let encoder_hash = encoder_hash.or(kept);
        if let Some(hash) = encoder_hash.as_deref().filter(|_| settled != old.transcript) {
            store.put_text_scores(call_id, hash, &transcript_hash(&settled), &scores).map_err(explain)?;
        }
        let mut models = old.provenance.models;
        models.remove("encoder");
        let mut metadata = old.metadata;
        self.reps.resolve(&mut metadata);
        let call = Analysed {
            call_id: call_id.to_string(),
            metadata,
            transcript: settled,
            scores,
            encoder_hash,
            recording_ids: old.provenance.audio,
            models,
            configuration: old.provenance.configuration,
            reviews,
        };
        let key = self.analyst.evaluation_key(&call);
        if key == stored.evaluation_key {
            return Ok(None);
        }
        Ok(Some(Rescored { record: self.analyst.evaluate(&call), key }))
    }
}
