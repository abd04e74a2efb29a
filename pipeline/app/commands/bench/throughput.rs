//! `callmark bench throughput`: how many hours of calls an hour of this machine takes in, measured on the program itself.
//!
//! Every measurement is a run of its own: a process, a new store, new outputs. Lane counts take turns, so that what else the
//! machine does falls on all of them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::recording::Language;
use callmark_store::CallFilter;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::FINISHED;
use crate::cli::{Common, ThroughputArgs};
use crate::commands::explain;
use crate::install::Install;
use crate::night_generator::{self, Encoding, Options};
use crate::process_memory::peak_bytes;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One run of the program.
#[derive(Clone, Debug, Serialize)]
struct Run {
    lanes: u32,
    audio_seconds: f64,
    /// Speech per second of audio; channels add up.
    speech_share: f64,
    /// Of the batch alone.
    batch_seconds: f64,
    /// Of the whole program with loading, tables and report.
    program_seconds: f64,
    /// Processor seconds of the program and its worker.
    cpu_seconds: f64,
    /// Stage → processor seconds; what is left is loading, storing, tables and report.
    stage_cpu_seconds: std::collections::BTreeMap<String, f64>,
    peak_program_bytes: u64,
    peak_worker_bytes: u64,
}

/// The middle and the ends of repeated measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let median = callmark_core::statistics::quantile(&values, 0.5).unwrap_or(0.0);
        let end = |value: Option<&f64>| value.copied().unwrap_or(0.0);
        Spread { median, lowest: end(values.first()), highest: end(values.last()) }
    }

    pub fn text(&self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.lowest, self.highest)
    }
}

/// All runs with one number of lanes.
#[derive(Debug, Serialize)]
struct LaneRow {
    lanes: u32,
    /// Hours of calls per hour: × real time.
    call_hours_per_hour: Spread,
    call_hours_per_core_hour: Spread,
    cpu_seconds_per_audio_hour: Spread,
    stage_cpu_seconds_per_audio_hour: std::collections::BTreeMap<String, Spread>,
    peak_program_bytes: u64,
    peak_worker_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    program_version: &'static str,
    cores: usize,
    model: String,
    recordings: u64,
    audio_seconds: f64,
    speech_share: f64,
    rows: Vec<LaneRow>,
    runs: Vec<Run>,
}

pub fn run(args: &ThroughputArgs, common: &Common) -> Result<u8> {
    let folder = tempfile::tempdir().context("there is no place for the night")?;
    let night = match &args.night {
        Some(night) => night.clone(),
        None => generate(args, &folder.path().join("night"))?,
    };
    let (mut runs, mut model, mut recordings): (Vec<Run>, String, u64) = (Vec::new(), String::new(), 0);
    for repeat in 1..=args.repeat {
        for &lanes in &args.lanes {
            let (run, summary) = measure(&night, lanes, args, common)?;
            if !common.quiet {
                let speed = run.audio_seconds / run.batch_seconds;
                eprintln!("{lanes} lanes, run {repeat} of {}: {speed:.1} × real time", args.repeat);
            }
            model = summary["recogniser"].as_str().unwrap_or_default().to_string();
            recordings = summary["transcribed"].as_u64().unwrap_or(0);
            runs.push(run);
        }
    }
    let Some(first) = runs.first() else { bail!("nothing was measured\nhint: --repeat and --lanes need a value") };
    let report = Report {
        program_version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(0, |n| n.get()),
        model,
        recordings,
        audio_seconds: first.audio_seconds,
        speech_share: first.speech_share,
        rows: args.lanes.iter().map(|lanes| row(*lanes, &runs)).collect(),
        runs,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(FINISHED)
}

fn generate(args: &ThroughputArgs, folder: &Path) -> Result<PathBuf> {
    let samples = match &args.samples {
        Some(samples) => samples.clone(),
        None => Install::find()?.scorecards().with_file_name("sample-audio"),
    };
    night_generator::write(&Options {
        folder: folder.to_path_buf(),
        calls: 0,
        audio: args.calls,
        seed: args.seed,
        broken_permille: 0,
        languages: vec![Language::En],
        samples,
        last_day: jiff::civil::date(2025, 3, 7),
        encoding: Encoding::Utf8,
    })?;
    Ok(folder.to_path_buf())
}

fn measure(night: &Path, lanes: u32, args: &ThroughputArgs, common: &Common) -> Result<(Run, Value)> {
    let place = tempfile::tempdir().context("there is no place for the store")?;
    let store = place.path().join("store.db");
    let mut command = Command::new(std::env::current_exe().context("this program's file is not found")?);
    command.arg("run").arg(night).args(["--json", "--quiet", "--jobs", &lanes.to_string()]);
    command.arg("--store").arg(&store).arg("--out").arg(place.path().join("out"));
    for (flag, value) in [("--model", args.model.as_ref().map(Into::into)), ("--config", common.config.clone())] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    command.args(common.set.iter().flat_map(|set| ["--set", set]));
    let before = children_cpu_seconds();
    let began = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the program does not start")?;
    let (output, peaks) = watch(&mut child)?;
    let program_seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = children_cpu_seconds() - before;
    let summary: Value = serde_json::from_slice(&output)
        .map_err(|_| anyhow!("the run gave no summary\nhint: try it by hand: callmark run {}", night.display()))?;
    let number = |key: &str| summary[key].as_f64().unwrap_or(0.0);
    let audio_seconds = number("audio_seconds");
    if audio_seconds <= 0.0 {
        bail!("nothing was transcribed in {}\nhint: it needs recordings of calls", night.display());
    }
    let stages = summary["stage_cpu_seconds"].as_object();
    let run = Run {
        lanes,
        audio_seconds,
        speech_share: speech_seconds(&store)? / audio_seconds,
        batch_seconds: number("elapsed_seconds"),
        program_seconds,
        cpu_seconds,
        stage_cpu_seconds: stages
            .into_iter()
            .flatten()
            .map(|(stage, seconds)| (stage.clone(), seconds.as_f64().unwrap_or(0.0)))
            .collect(),
        peak_program_bytes: peaks.0,
        peak_worker_bytes: peaks.1,
    };
    Ok((run, summary))
}

/// Waits for the program; gives its standard output, and the most memory of it and of its worker.
fn watch(child: &mut Child) -> Result<(Vec<u8>, (u64, u64))> {
    let mut stdout = child.stdout.take().ok_or_else(|| anyhow!("the program has no output"))?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut bytes).map(|_| bytes)
    });
    let (id, mut peaks) = (child.id(), (0, 0));
    while child.try_wait()?.is_none() {
        peaks.0 = peak_bytes(Some(id)).unwrap_or(0).max(peaks.0);
        for worker in children(id) {
            peaks.1 = peak_bytes(Some(worker)).unwrap_or(0).max(peaks.1);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let output = reader.join().map_err(|_| anyhow!("the program's output could not be read"))??;
    Ok((output, peaks))
}

/// Processes that the main thread or any other of this process started.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    threads
        .map(of)
        .flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Processor time of all processes that this one has waited for, and that those had waited for.
fn children_cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: the 14th and 15th fields are those of the children (proc_pid_stat(5): 16, 17).
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / rustix::param::clock_ticks_per_second() as f64
}

fn speech_seconds(store: &Path) -> Result<f64> {
    let store = callmark_store::open_existing(&store.to_string_lossy()).map_err(explain)?;
    let mut milliseconds = 0;
    for call in store.summaries(&CallFilter::default()).map_err(explain)? {
        if let Some(stored) = store.get_call(&call.call_id).map_err(explain)? {
            milliseconds += stored.record.transcript.speech.iter().map(|s| s.end_ms - s.begin_ms).sum::<i64>();
        }
    }
    Ok(milliseconds as f64 / 1000.0)
}

fn row(lanes: u32, runs: &[Run]) -> LaneRow {
    let runs: Vec<&Run> = runs.iter().filter(|run| run.lanes == lanes).collect();
    let stages: std::collections::BTreeSet<&String> =
        runs.iter().flat_map(|run| run.stage_cpu_seconds.keys()).collect();
    let per_hour = |run: &Run, seconds: f64| seconds / run.audio_seconds * 3600.0;
    let spread = |value: &dyn Fn(&Run) -> f64| Spread::of(runs.iter().map(|run| value(run)).collect());
    let of = |stage: &String| spread(&|run| per_hour(run, run.stage_cpu_seconds.get(stage).copied().unwrap_or(0.0)));
    LaneRow {
        lanes,
        call_hours_per_hour: spread(&|run| run.audio_seconds / run.batch_seconds),
        call_hours_per_core_hour: spread(&|run| run.audio_seconds / run.cpu_seconds),
        cpu_seconds_per_audio_hour: spread(&|run| per_hour(run, run.cpu_seconds)),
        stage_cpu_seconds_per_audio_hour: stages.into_iter().map(|stage| (stage.clone(), of(stage))).collect(),
        peak_program_bytes: runs.iter().map(|run| run.peak_program_bytes).max().unwrap_or(0),
        peak_worker_bytes: runs.iter().map(|run| run.peak_worker_bytes).max().unwrap_or(0),
    }
}

fn print(report: &Report) {
    println!(
        "{}: {} recordings, {:.0} s, {:.0} % speech, {} cores; median (lowest–highest)",
        report.model,
        report.recordings,
        report.audio_seconds,
        100.0 * report.speech_share,
        report.cores
    );
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "lanes",
        "call-hours per hour (× real time)",
        "call-hours per core-hour",
        "core seconds per hour of calls",
        "program MB",
        "worker MB",
    ]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for row in &report.rows {
        table.add_row([
            right(row.lanes.to_string()),
            right(row.call_hours_per_hour.text(1)),
            right(row.call_hours_per_core_hour.text(1)),
            right(row.cpu_seconds_per_audio_hour.text(0)),
            right((row.peak_program_bytes >> 20).to_string()),
            right((row.peak_worker_bytes >> 20).to_string()),
        ]);
    }
    println!("{table}");
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["lanes", "stage", "core seconds per hour of calls"]);
    for row in &report.rows {
        for (stage, spread) in &row.stage_cpu_seconds_per_audio_hour {
            table.add_row([right(row.lanes.to_string()), Cell::new(stage), right(spread.text(1))]);
        }
    }
    println!("\n{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_of_children_is_counted() {
        let before = children_cpu_seconds();
        let mut child =
            Command::new("sh").args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]).spawn().unwrap();
        child.wait().unwrap();
        let spent = children_cpu_seconds() - before;
        assert!((0.01..60.0).contains(&spent), "{spent}");
    }
}
