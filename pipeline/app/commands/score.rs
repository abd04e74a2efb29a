//! `callmark score`: stored calls against today's scorecards, without audio, in parallel, byte-identically.

use anyhow::Result;
use callmark_core::record::{CallRecord, Status};
use callmark_core::recording::Language;
use callmark_store::{CallFilter, Store};
use rayon::prelude::*;

use crate::FINISHED;
use callmark_models::text_encoder::EncoderPool;

use crate::analysis::{Analysed, Analyst, open_encoders, prepare_phrases, text_scores};
use crate::call::transcript_hash;
use crate::cli::{Common, ScoreArgs};
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::install::Install;
use crate::render::outputs;

/// Calls are read, scored and written in groups, so that memory stays bounded.
const GROUP: usize = 256;

#[derive(Debug, Default, serde::Serialize)]
struct ScoreSummary {
    calls: usize,
    changed: usize,
    unchanged: usize,
    warnings: Vec<String>,
}

pub fn score(args: &ScoreArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common.config.as_deref())?;
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
        for result in results {
            summary.calls += 1;
            match result? {
                Some(new) => {
                    summary.changed += 1;
                    store.put_call(&new.record, &new.key, &[]).map_err(explain)?;
                    if let Some(out) = &args.out {
                        outputs::write_call(out, &new.record)?;
                    }
                }
                None => summary.unchanged += 1,
            }
        }
    }
    for warning in &summary.warnings {
        eprintln!("warning: {warning}");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else if !common.quiet {
        println!("{} stored calls: {} scored again, {} unchanged", summary.calls, summary.changed, summary.unchanged);
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
        Ok(Rescorer { analyst, encoders })
    }

    /// The new record, or `None` when nothing that the evaluation depends on has changed (or the call failed or is gone).
    pub fn rescore(&self, call_id: &str, store: &dyn Store) -> Result<Option<Rescored>> {
        let Some(stored) = store.get_call(call_id).map_err(explain)? else { return Ok(None) };
        let old = stored.record;
        if old.evaluation.status == Status::Failed {
            return Ok(None);
        }
        let scores = match self.encoders.as_ref().filter(|_| old.transcript.language == Some(Language::En)) {
            Some(pool) => store
                .get_text_scores(call_id, pool.encoder_hash(), &transcript_hash(&old.transcript))
                .map_err(explain)?,
            None => None,
        };
        let (scores, encoder_hash) = text_scores(self.encoders.as_ref(), &old.transcript, scores)?;
        let mut models = old.provenance.models;
        models.remove("encoder");
        let call = Analysed {
            call_id: call_id.to_string(),
            metadata: old.metadata,
            transcript: old.transcript,
            scores,
            encoder_hash,
            recording_ids: old.provenance.audio,
            models,
            configuration: old.provenance.configuration,
            reviews: store.reviews(call_id).map_err(explain)?,
        };
        let key = self.analyst.evaluation_key(&call);
        if key == stored.evaluation_key {
            return Ok(None);
        }
        Ok(Some(Rescored { record: self.analyst.evaluate(&call), key }))
    }
}
