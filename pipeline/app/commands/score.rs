//! `callmark score`: stored calls against today's scorecards, without audio, in parallel, byte-identically.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use callmark_core::record::{CallRecord, Status};
use callmark_store::{CallFilter, Store};
use rayon::prelude::*;

use crate::FINISHED;
use crate::analysis::{Analyst, Known};
use crate::cli::{Common, ScoreArgs};
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::install::Install;
use crate::kept_words;
use crate::render::indicators::{self, Indicators};
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
    /// Left alone although more has to be taken out of them: written nowhere.
    unredacted: usize,
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
    // First: whatever becomes of the scores, these words go.
    kept_words::redact_all(store, &config.redaction)?;
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
    if let Some(out) = &args.out {
        indicators::write(out, Indicators::of(store, &config)?.as_ref())?;
    }
    if summary.left_alone > 0 {
        let count = summary.left_alone;
        summary.warnings.push(format!(
            "{count} calls keep the scorecard that was given for them with --scorecard (hint: give it again to score them)"
        ));
    }
    if summary.unredacted > 0 {
        let count = summary.unredacted;
        summary.warnings.push(format!(
            "{count} of these hold what [redaction] wants out of them, and were not written (hint: score them with their --scorecard)"
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
    let (mut changed, mut unchanged, mut first_error) = (Vec::new(), Vec::new(), None);
    summary.calls += group.ids.len();
    for (id, result) in group.ids.iter().zip(group.results) {
        match result {
            Ok(Some(Rescored { record, key })) => changed.push((record, key)),
            Ok(None) => unchanged.push(id),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    // What was scored is kept, whatever became of its neighbours; in the store first, for outputs follow it.
    let stored = store.put_rescored(&changed).map_err(explain)?;
    summary.changed += changed.len();
    for ((record, _), stored) in changed.iter().zip(stored) {
        match out {
            Some(out) if stored => outputs::write_call(out, record)?,
            // Forgotten in this moment.
            Some(out) => outputs::remove_call(out, &record.call_id)?,
            None => {}
        }
    }
    summary.unchanged += unchanged.len();
    for id in unchanged {
        let Some(stored) = store.get_call(id).map_err(explain)? else { continue };
        summary.left_alone += usize::from(rescorer.is_chosen_by_hand(&stored.record));
        summary.words_purged += usize::from(stored.words_purged);
        let transcript = &stored.record.transcript;
        let has_words = !stored.words_purged && !transcript.turns.is_empty();
        if has_words && !rescorer.calls.redaction().is_done(transcript) {
            summary.unredacted += 1;
        } else if let Some(out) = out {
            outputs::write_call(out, &stored.record)?;
        }
    }
    first_error.map_or(Ok(()), Err)
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
        calls.prepare(&mut analyst, store)?.into_iter().try_for_each(|fresh| fresh.keep(store))?;
        analyst.remember_scorecards(store)?;
        Ok(Rescorer { analyst, calls, everything_anew: false })
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

    /// The new record, or `None` when nothing that the evaluation depends on has changed (or the call failed, is gone, or has
    /// no words any more).
    pub fn rescore(&self, call_id: &str, store: &dyn Store) -> Result<Option<Rescored>> {
        let Some(stored) = store.get_call(call_id).map_err(explain)? else { return Ok(None) };
        let old = &stored.record;
        if stored.words_purged || old.evaluation.status == Status::Failed || self.is_chosen_by_hand(old) {
            return Ok(None);
        }
        let input = self.calls.input(stored, &self.analyst, store)?;
        if let Some(models) = input.call.text_models.as_ref().filter(|_| input.scores_are_new) {
            let scores = &input.call.scores;
            store.put_text_scores(call_id, &models.key(), &input.transcript_hash, scores).map_err(explain)?;
        }
        let key = self.analyst.evaluation_key_of(&input.call, &input.transcript_hash);
        if key == input.former.evaluation_key {
            return Ok(None);
        }
        let known = if self.everything_anew { Known::default() } else { self.analyst.known(&input) };
        Ok(Some(Rescored { record: self.analyst.evaluate_rest(&input.call, known), key }))
    }
}
