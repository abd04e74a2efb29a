//! `callmark bench classify`: turns per second of the stage that reads sentiment and meaning, with different numbers of workers.
//!
//! Each round opens the models anew, so that no text is remembered from the round before; opening is not counted.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;
use callmark_core::transcript::{Role, Transcript, Turn};
use rayon::prelude::*;
use serde::Serialize;

use super::throughput::Spread;
use crate::FINISHED;
use crate::cli::{ClassifyBenchArgs, Common};
use crate::commands::terminal_table::{right, table};
use crate::config::Config;
use crate::install::Install;
use crate::text_encoders::TextEncoders;
use crate::work_time::{Busy, Stopwatch};

/// Turns of one made-up call: calls are what workers take.
const TURNS: usize = 20;

#[derive(Serialize)]
struct Report {
    program_version: &'static str,
    language: Language,
    /// SHA-256 of the model that reads the sentiment.
    model: String,
    /// Different texts.
    turns: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    workers: usize,
    turns_per_second: Spread,
    /// Processor time of all workers.
    cpu_seconds: Spread,
}

pub fn run(args: &ClassifyBenchArgs, common: &Common) -> Result<u8> {
    let (install, config) = (Install::find()?, Config::load(common)?);
    let text = std::fs::read_to_string(&args.texts).with_context(|| format!("cannot read {}", args.texts.display()))?;
    let texts: BTreeSet<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let texts: Vec<&str> = texts.into_iter().collect();
    if texts.is_empty() {
        bail!("{} holds no text\nhint: one turn a line", args.texts.display());
    }
    let calls: Vec<Transcript> = texts.chunks(TURNS).map(|turns| call(turns, args.language)).collect();
    let mut model = String::new();
    let mut measured: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); args.workers.len()];
    for _ in 0..args.rounds {
        for (workers, (speeds, cpu_seconds)) in args.workers.iter().zip(&mut measured) {
            let mut warnings = Vec::new();
            let encoders = TextEncoders::open(&install, &config, *workers, &mut warnings)?;
            let (_, hashes) = encoders.scores(&call(&["warm"], args.language), None)?;
            let Some(hashes) = hashes else {
                let why = warnings.first().map_or("", String::as_str);
                bail!("there is no text model for `{}`: {why}\nhint: `callmark doctor` says why", args.language.code());
            };
            model = hashes.sentiment().to_string();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(*workers).build().context("cannot start threads")?;
            let (busy, began) = (Busy::default(), Stopwatch::start());
            pool.install(|| {
                calls.par_iter().with_max_len(1).try_for_each(|call| {
                    let began = Stopwatch::start();
                    let read = encoders.scores(call, None);
                    busy.add(&began);
                    read.map(|_| ())
                })
            })?;
            speeds.push(texts.len() as f64 / began.elapsed().wall_seconds());
            cpu_seconds.push(busy.time().cpu_seconds());
        }
    }
    let row = |(workers, (speeds, cpu_seconds)): (&usize, (Vec<f64>, Vec<f64>))| Row {
        workers: *workers,
        turns_per_second: Spread::of(speeds),
        cpu_seconds: Spread::of(cpu_seconds),
    };
    let report = Report {
        program_version: env!("CARGO_PKG_VERSION"),
        language: args.language,
        model,
        turns: texts.len(),
        rows: args.workers.iter().zip(measured).map(row).collect(),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(FINISHED);
    }
    println!(
        "{} different turns in `{}`, {} rounds: median (lowest–highest)",
        report.turns,
        report.language.code(),
        args.rounds
    );
    let mut rows = table(["workers", "turns per second", "processor seconds"]);
    for row in &report.rows {
        rows.add_row([right(row.workers), right(row.turns_per_second.text(0)), right(row.cpu_seconds.text(2))]);
    }
    println!("{rows}");
    Ok(FINISHED)
}

fn call(texts: &[&str], language: Language) -> Transcript {
    let turn = |text: &&str| Turn {
        role: Role::Customer,
        begin_ms: 0,
        end_ms: 0,
        text: (*text).to_string(),
        words: vec![],
        confidence_permille: 1000,
    };
    Transcript { language: Some(language), turns: texts.iter().map(turn).collect(), ..Transcript::default() }
}
