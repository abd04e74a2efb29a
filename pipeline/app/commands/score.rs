//! `callmark score`: stored calls against today's scorecards, without audio, in parallel, byte-identically.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use callmark_core::record::{CallRecord, Status};
use callmark_core::redaction;
use callmark_store::{CallFilter, Store};
use rayon::prelude::*;

use crate::FINISHED;
use crate::analysis::{Analyst, Known};
use crate::cli::{Common, ScoreArgs};
use crate::commands::{existing_store, explain};
use crate::config::{Config, RedactionSettings};
use crate::install::Install;
use crate::render::outputs;
use crate::stored_calls::StoredCalls;

/// Calls are read, scored and written in groups, so that memory stays bounded: one is written while the next is scored.
const GROUP: usize = 64;

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
    let threads = args.jobs.map_or(0, |jobs| jobs as usize);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let scorecard = args.scorecard.as_deref();
    let mut rescorer = pool.install(|| Rescorer::open(scorecard, &config, &install, store, &mut summary.warnings))?;
    rescorer.everything_anew = args.full;
    if let Some(out) = &args.out {
        outputs::prepare_folder(out)?;
    }
    let since = args.since.as_deref().map(str::parse).transpose()?;
    let ids = store.call_ids(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
    let (scored, to_write) = crossbeam_channel::bounded::<Group>(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            to_write.into_iter().try_for_each(|group| write(group, args.out.as_deref(), store, &rescorer, &mut summary))
        });
        for group in ids.chunks(GROUP) {
            let results = pool.install(|| group.par_iter().map(|id| rescorer.rescore(id, store)).collect());
            // A writer that gave up tells why below.
            if scored.send(Group { ids: group, results }).is_err() {
                break;
            }
        }
        drop(scored);
        writer.join().unwrap_or_else(|_| Err(anyhow!("the writer of the store stopped")))
    })?;
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

/// Calls that were looked at together.
struct Group<'a> {
    ids: &'a [String],
    results: Vec<Result<Option<Rescored>>>,
}

fn write(
    group: Group,
    out: Option<&Path>,
    store: &dyn Store,
    rescorer: &Rescorer,
    summary: &mut ScoreSummary,
) -> Result<()> {
    let mut changed = Vec::new();
    for (id, result) in group.ids.iter().zip(group.results) {
        summary.calls += 1;
        if let Some(Rescored { record, key }) = result? {
            summary.changed += 1;
            if let Some(out) = out {
                outputs::write_call(out, &record)?;
            }
            changed.push((record, key));
            continue;
        }
        summary.unchanged += 1;
        let Some(stored) = store.get_call(id).map_err(explain)? else { continue };
        summary.left_alone += usize::from(rescorer.is_chosen_by_hand(&stored.record));
        summary.words_purged += usize::from(stored.words_purged);
        if let Some(out) = out {
            outputs::write_call(out, &stored.record)?;
        }
    }
    let stored = store.put_rescored(&changed).map_err(explain)?;
    for ((record, _), _) in changed.iter().zip(stored).filter(|(_, stored)| !stored) {
        if let Some(out) = out {
            // Forgotten in this moment.
            outputs::remove_call(out, &record.call_id)?;
        }
    }
    Ok(())
}

/// A call whose evaluation changed.
pub struct Rescored {
    pub record: CallRecord,
    pub key: String,
}

/// Scores stored calls again.
pub struct Rescorer {
    analyst: Analyst,
    calls: StoredCalls,
    /// Judges everything, also what is known to hold: to check that this makes no difference.
    everything_anew: bool,
    redaction: RedactionSettings,
}

impl Rescorer {
    pub fn open(
        scorecard: Option<&Path>,
        config: &Config,
        install: &Install,
        store: &dyn Store,
        warnings: &mut Vec<String>,
    ) -> Result<Rescorer> {
        let mut analyst = Analyst::load(scorecard, config, install)?;
        analyst.load_precision(store)?;
        let calls = StoredCalls::open(config, install, store, warnings)?;
        let fresh = calls.prepare(&mut analyst, store)?;
        if let Some(hash) = calls.encoder_hash() {
            store.put_phrases(hash, &fresh).map_err(explain)?;
        }
        analyst.remember_scorecards(store)?;
        let redaction = config.redaction.clone();
        Ok(Rescorer { analyst, calls, everything_anew: false, redaction })
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
        let old = &stored.record;
        if stored.words_purged || old.evaluation.status == Status::Failed || self.is_chosen_by_hand(old) {
            return Ok(None);
        }
        let input = self.calls.input(stored, &self.analyst, store)?;
        if input.redacted && !self.redaction.keep_original {
            self.redact_kept(call_id, store)?;
        }
        if let Some(hash) = input.call.encoder_hash.as_deref().filter(|_| input.transcript_changed) {
            let scores = &input.call.scores;
            store.put_text_scores(call_id, hash, &input.transcript_hash, scores).map_err(explain)?;
        }
        let key = self.analyst.evaluation_key_of(&input.call, &input.transcript_hash);
        if key == input.former.evaluation_key {
            return Ok(None);
        }
        let known = if self.everything_anew { Known::default() } else { self.analyst.known(&input) };
        Ok(Some(Rescored { record: self.analyst.evaluate_rest(&input.call, known), key }))
    }
}
