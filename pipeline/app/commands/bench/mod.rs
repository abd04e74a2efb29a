//! `callmark bench`: writes a made-up night for trials, load tests and checks of what is found; measures throughput on such
//! nights, of the text models, and the capacity of model shapes; fills a store with made-up calls.

mod classify;
mod shape;
mod store;
mod throughput;

use anyhow::{Result, bail};
use callmark_core::recording::Language;

use crate::FINISHED;
use crate::cli::{BenchCommand, Common, NightArgs};
use crate::install::Install;
use crate::night_generator::{self, Options};

pub fn run(command: &BenchCommand, common: &Common) -> Result<u8> {
    match command {
        BenchCommand::Night(args) => night(args, common),
        BenchCommand::Throughput(args) => throughput::run(args, common),
        BenchCommand::Classify(args) => classify::run(args, common),
        BenchCommand::Shape(args) => shape::run(args),
        BenchCommand::Store(args) => store::run(args, common),
    }
}

fn night(args: &NightArgs, common: &Common) -> Result<u8> {
    let samples = match &args.samples {
        Some(folder) => folder.clone(),
        None => Install::find()?.scorecards().with_file_name("sample-audio"),
    };
    let options = Options {
        folder: args.folder.clone(),
        calls: args.calls,
        audio: args.audio,
        seed: args.seed,
        broken_permille: args.broken,
        languages: languages(&args.language)?,
        samples,
        last_day: args.last_day,
        encoding: args.metadata_encoding,
    };
    let written = night_generator::write(&options)?;
    if args.json {
        println!("{}", serde_json::to_string(&written)?);
    } else if !common.quiet {
        println!(
            "{}: {} text calls and {} audio calls of {} reps, {} broken files, {:.1} MB; what was planted: planted.csv",
            args.folder.display(),
            written.text_calls,
            written.audio_calls,
            written.reps,
            written.broken_files,
            written.bytes as f64 / 1e6
        );
    }
    Ok(FINISHED)
}

/// The languages of these tags, all of which must have sentences.
fn languages(tags: &[String]) -> Result<Vec<Language>> {
    let parse = |tag: &String| match Language::parse(tag) {
        Some(language) => Ok(language),
        None => bail!("there are no sentences in `{tag}`\nhint: en, zh, or both: en,zh"),
    };
    tags.iter().map(parse).collect()
}
