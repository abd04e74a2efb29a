//! `callmark eval speech`: recognises labelled sets and says how good the result is.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::hearing::Hearing;
use super::labelled::{LabelledRecording, LabelledSet};
use super::measures::{Failed, Judged, RESAMPLES, SEED, SetResult, judge, set_result};
use super::tables;
use crate::cli::{Common, SpeechArgs};
use crate::config::Config;
use crate::process_memory::peak_bytes;
use crate::{FINISHED, SOME_FAILED};

/// Changes when a field changes its meaning.
const SCHEMA: u32 = 1;

/// The JSON of a measurement.
#[derive(Serialize)]
pub struct Report {
    pub schema: u32,
    pub program_version: &'static str,
    pub model: String,
    pub model_sha256: String,
    pub lanes: usize,
    pub intervals: Intervals,
    pub sets: Vec<SetResult>,
    /// Most memory that this process had: models, lanes, decoded sound.
    pub peak_memory_bytes: Option<u64>,
}

/// How intervals were made.
#[derive(Serialize)]
pub struct Intervals {
    pub method: &'static str,
    pub level_percent: u32,
    pub resamples: usize,
    pub seed: u64,
}

pub fn run(args: &SpeechArgs, common: &Common) -> Result<u8> {
    let unlabelled = args.unlabelled.then_some(args.language);
    let sets: Vec<LabelledSet> =
        args.sets.iter().map(|folder| LabelledSet::read(folder, unlabelled)).collect::<Result<_>>()?;
    let config = Config::load(common)?;
    let hearing = Hearing::open(args.model.as_deref(), &config, args.detect_language)?;
    let lanes = args.jobs.map_or_else(rayon::current_num_threads, |n| n as usize);
    // All sets together keep the lanes busy to the end.
    let recordings: Vec<&LabelledRecording> = sets.iter().flat_map(|set| &set.recordings).collect();
    let mut heard = hearing.listen(&recordings, lanes, common.quiet || args.json)?.into_iter();
    let mut results = Vec::new();
    for set in &sets {
        let (mut judged, mut failed): (Vec<Judged>, Vec<Failed>) = (Vec::new(), Vec::new());
        for (recording, result) in set.recordings.iter().zip(heard.by_ref()) {
            match result {
                Ok(heard) => judged.push(judge(&recording.name, &recording.reference, &heard)),
                Err(error) => {
                    eprintln!("failed: {}: {error}\n  hint: {}", recording.path.display(), error.hint);
                    failed.push(Failed {
                        recording: recording.name.clone(),
                        stage: error.stage.name().to_string(),
                        cause: error.cause,
                    });
                }
            }
        }
        let floor = hearing.confidence_floor_permille();
        results.push(set_result(&set.name, &judged, failed, floor, args.show_errors));
    }
    let report = Report {
        schema: SCHEMA,
        program_version: env!("CARGO_PKG_VERSION"),
        model: hearing.model.name.clone(),
        model_sha256: hearing.model.sha256.clone(),
        lanes,
        intervals: Intervals { method: "percentile bootstrap", level_percent: 95, resamples: RESAMPLES, seed: SEED },
        sets: results,
        peak_memory_bytes: peak_bytes(None),
    };
    if let Some(path) = &args.out {
        write(path, &report)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        tables::print(&report, args.by);
    }
    let some_failed = report.sets.iter().any(|set| !set.failed.is_empty());
    Ok(if some_failed { SOME_FAILED } else { FINISHED })
}

fn write(path: &Path, report: &Report) -> Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}
