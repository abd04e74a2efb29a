//! How many recogniser lanes a run has, on how many threads each, and what memory they may take.
//!
//! A lane is one Whisper state. The weights are in memory once, a state once a lane, so memory decides how many lanes there
//! are; cores that are left help inside the lanes. A limit of memory is kept by planning with measured sizes; the system's
//! limit on the worker only stops what runs away.

use anyhow::{Result, bail};
use callmark_models::asr::GPU;
use callmark_models::ggml::check_whisper_file;
use callmark_models::manifest::ModelFile;

use crate::advice::{MODEL_MEMORY_SHARE, Machine};

/// The program beside its worker: store, text models, report (a soak of 20,000 calls: up to 404 MB).
const PROGRAM_MB: u64 = 420;
/// Threads that score calls while memory is limited: the program had 240 MB with 2 of them and 1,180 with 16.
pub const LIMITED_ANALYSIS_THREADS: usize = 4;
/// The worker without models and sound: code, ONNX Runtime, voice activity, arenas.
const WORKER_MB: u64 = 90;
/// Decoded sound that may wait for or be in a lane; one recording is always let through.
const SOUND_MB: std::ops::RangeInclusive<u64> = 64..=512;
/// A worker without a limit of its own still gets one, so that a mad allocation fails instead of taking the machine.
const GENEROUS_MB: u64 = 4096;
/// Mapped by each lane and never touched: the system's limit counts it, resident memory does not. Measured with the starter: 636,
/// 1,197, 2,318 and 9,051 MB of data in a worker with 1, 2, 4 and 16 lanes.
const UNTOUCHED_MB: u64 = 640;
/// A lane of a model that the manifest does not know: this, and a megabyte for every million of its weights, however they are
/// stored (measured, MB over million weights: tiny 134 over 39, base 191 over 74, small 311 over 244).
const UNKNOWN_LANE_MB: u64 = 130;
/// Lanes on one graphics card gain almost nothing: the card works on one at a time (reported by whisper.cpp's users; not measured here).
const GPU_LANES: usize = 1;
const GPU_THREADS: usize = 4;

/// What was asked for on the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    pub lanes: Option<usize>,
    pub threads_per_lane: Option<usize>,
    pub max_memory_mb: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanePlan {
    pub lanes: usize,
    pub threads_per_lane: usize,
    /// Of the worker process.
    pub memory_limit_mb: u64,
    pub sound_mb: u64,
}

/// Memory of one lane beside the weights, MB: measured for the manifest's models, else estimated from the shape in the file.
pub fn lane_mb(model: &ModelFile, weights_mb: u64) -> u64 {
    if let Some(all) = model.entry.as_ref().and_then(|entry| entry.memory_mb) {
        return u64::from(all).saturating_sub(weights_mb).max(1);
    }
    let shape = check_whisper_file(&model.path);
    UNKNOWN_LANE_MB + shape.map_or(weights_mb, |shape| shape.parameters() / 1_000_000)
}

/// What is taken before the first lane, MB.
fn fixed_mb(weights_mb: u64) -> u64 {
    PROGRAM_MB + WORKER_MB + weights_mb + SOUND_MB.start()
}

/// How many lanes fit into so much memory: the weights are there once, a state once a lane.
pub fn fitting(weights_mb: u64, lane_mb: u64, budget_mb: u64) -> usize {
    (budget_mb.saturating_sub(fixed_mb(weights_mb)) / lane_mb.max(1)) as usize
}

/// Lanes for a model of `weights_mb` on a machine, beside sentiment classifiers of `classifier_mb`.
///
/// # Errors
/// Not even one lane fits into the memory that was asked for.
pub fn plan(
    model: &ModelFile,
    weights_mb: u64,
    classifier_mb: u64,
    machine: &Machine,
    wishes: &Wishes,
) -> Result<LanePlan> {
    let lane_mb = lane_mb(model, weights_mb);
    let fixed_mb = fixed_mb(weights_mb) + classifier_mb;
    let budget_mb = match (wishes.max_memory_mb, machine.memory_mb) {
        (Some(most), _) => Some(most),
        (None, Some(all)) => Some((all as f64 * MODEL_MEMORY_SHARE) as u64),
        (None, None) => None,
    };
    let fitting = budget_mb.map(|budget| fitting(weights_mb, lane_mb, budget.saturating_sub(classifier_mb)));
    if let (Some(most), Some(0)) = (wishes.max_memory_mb, fitting) {
        bail!(
            "{} does not fit into {most} MB: the program needs {fixed_mb} MB and each lane {lane_mb} MB\n\
             hint: give --max-memory at least {} MB, or take a smaller model (`callmark models list`)",
            model.name,
            fixed_mb + lane_mb
        );
    }
    // What was asked for by number is taken, but memory that was given a limit keeps it.
    let usual = if GPU { GPU_LANES } else { machine.cores };
    let wanted = wishes.lanes.unwrap_or(usual);
    let lanes = match (wishes.lanes, wishes.max_memory_mb) {
        (Some(lanes), None) => lanes,
        _ => wanted.min(fitting.unwrap_or(wanted)).max(1),
    };
    let idle = if GPU { GPU_THREADS.min(machine.cores) } else { (machine.cores / lanes).max(1) };
    // Whoever names the lanes names the cores that may be busy.
    let threads_per_lane = wishes.threads_per_lane.unwrap_or(if wishes.lanes.is_some() && !GPU { 1 } else { idle });
    let untouched_mb = lanes as u64 * UNTOUCHED_MB;
    let (memory_limit_mb, sound_mb) = match wishes.max_memory_mb {
        Some(most) => {
            let left = most - fixed_mb - lanes as u64 * lane_mb;
            (most - PROGRAM_MB - classifier_mb + untouched_mb, (SOUND_MB.start() + left / 2).min(*SOUND_MB.end()))
        }
        None => (GENEROUS_MB + weights_mb + lanes as u64 * lane_mb + untouched_mb, *SOUND_MB.end()),
    };
    Ok(LanePlan { lanes, threads_per_lane, memory_limit_mb, sound_mb })
}

/// `2G`, `1500M`, `2048` (MB).
///
/// # Errors
/// It is no size.
pub fn parse_megabytes(text: &str) -> Result<u64, String> {
    let text = text.trim().to_ascii_uppercase();
    let text = text.strip_suffix("IB").or(text.strip_suffix('B')).unwrap_or(&text);
    let (number, factor) = match text.strip_suffix('G') {
        Some(number) => (number, 1024.0),
        None => (text.strip_suffix('M').unwrap_or(text), 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(value) if value > 0.0 && value * factor < 1e9 => Ok((value * factor) as u64),
        _ => Err("give a size like 2G or 1500M".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use callmark_models::manifest::Manifest;

    use super::*;

    fn model(weights_mb: u64, lane_mb: u64) -> ModelFile {
        let mut entry = Manifest::built_in().unwrap().entry("starter-en").unwrap().clone();
        entry.memory_mb = Some((weights_mb + lane_mb) as u32);
        ModelFile { name: "m".into(), path: PathBuf::new(), entry: Some(entry), sha256: String::new() }
    }

    fn machine(cores: usize, memory_mb: u64) -> Machine {
        Machine { cores, memory_mb: Some(memory_mb) }
    }

    #[test]
    fn lanes_follow_cores_and_memory() {
        let model = model(500, 300);
        let plan = |cores, memory_mb, wishes: Wishes| plan(&model, 500, 0, &machine(cores, memory_mb), &wishes);
        let lanes = |cores, memory_mb, wishes| plan(cores, memory_mb, wishes).map(|p| (p.lanes, p.threads_per_lane));
        assert_eq!(lanes(8, 64_000, Wishes::default()).unwrap(), (8, 1));
        // 0.7 × 3,000 = 2,100; 1,074 are taken; three lanes of 300 fit, the other cores help in them.
        assert_eq!(lanes(8, 3_000, Wishes::default()).unwrap(), (3, 2));
        assert_eq!(lanes(8, 64_000, Wishes { lanes: Some(2), ..Wishes::default() }).unwrap(), (2, 1));
        let both = Wishes { lanes: Some(2), threads_per_lane: Some(3), ..Wishes::default() };
        assert_eq!(lanes(8, 64_000, both).unwrap(), (2, 3));
        let limited = Wishes { lanes: Some(8), max_memory_mb: Some(2_048), ..Wishes::default() };
        let found = plan(8, 64_000, limited).unwrap();
        assert_eq!(found.lanes, 3);
        let taken = PROGRAM_MB + WORKER_MB + 500 + 3 * 300 + found.sound_mb;
        assert!(taken <= 2_048 && found.memory_limit_mb == 2_048 - PROGRAM_MB + 3 * UNTOUCHED_MB, "{found:?}");
        let error = plan(8, 64_000, Wishes { max_memory_mb: Some(1_000), ..Wishes::default() }).unwrap_err();
        assert!(error.to_string().contains("at least 1374 MB"), "{error}");
        // A classifier of 350 MB leaves room for one lane less.
        let beside = super::plan(&model, 500, 350, &machine(8, 64_000), &limited).unwrap();
        assert_eq!((beside.lanes, beside.memory_limit_mb), (2, 2_048 - PROGRAM_MB - 350 + 2 * UNTOUCHED_MB));
    }

    #[test]
    fn sizes_are_read() {
        for (text, megabytes) in [("2G", 2_048), ("1.5g", 1_536), ("700M", 700), ("800", 800), ("2GiB", 2_048)] {
            assert_eq!(parse_megabytes(text), Ok(megabytes), "{text}");
        }
        for bad in ["", "G", "-1G", "many", "1e30G"] {
            assert!(parse_megabytes(bad).is_err(), "{bad}");
        }
    }
}
