//! callmark: recordings in, scored calls and rep tables out. Parses the command line and turns results into exit codes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the app is the only place that prints")]

mod advice;
mod after_batch;
mod analysis;
mod batch;
mod call;
mod channel_map;
mod cli;
mod clips;
mod coaching_plans;
mod commands;
mod config;
mod discover;
mod indicator_settings;
mod install;
mod journey_settings;
mod journeys;
mod kept_words;
mod lanes;
mod lock;
mod night_generator;
mod plan;
mod process_memory;
mod progress;
mod pull;
mod read;
mod render;
mod run_summary;
mod session;
mod sides;
mod sound_networks;
mod stored_calls;
mod text_encoders;
mod variant;
mod work_time;
mod worker;
mod writer;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, Common};
use config::{Config, LogFormat};

/// Finished; unscored and pending calls are results, not failures.
pub const FINISHED: u8 = 0;
/// A gate that the user asked for (`--fail-under`, `--fail-on`, `lint`, `test`) was not passed.
pub const GATE: u8 = 1;
/// Some recordings failed; the rest is done.
pub const SOME_FAILED: u8 = 2;
/// Could not run: usage, lock, store, model.
pub const COULD_NOT_RUN: u8 = 3;

fn main() -> ExitCode {
    if let Err(error) = variant::replace_process() {
        eprintln!("error: {error:#}");
        return ExitCode::from(COULD_NOT_RUN);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { COULD_NOT_RUN } else { FINISHED });
        }
    };
    let common = &cli.common;
    logging(common);
    quiet_panics();
    let result = match &cli.command {
        Command::Run(args) => commands::run::run(args, common),
        Command::Watch(args) => commands::watch::watch(args, common),
        Command::Score(args) => commands::score::score(args, common),
        Command::Show(args) => commands::show::show(args, common),
        Command::Report(args) => commands::report::report(args, common),
        Command::Reps(args) => commands::reps::reps(args, common),
        Command::Import(args) => commands::import::import(args, common),
        Command::Indicators(args) => commands::indicators::indicators(args, common),
        Command::Journeys(args) => commands::journeys::journeys_command(args, common),
        Command::Review(args) => commands::review::review(args, common),
        Command::Roles(args) => commands::roles::roles(args, common),
        Command::Coach(command) => commands::coach::coach(command, common),
        Command::Digest(args) => commands::digest::digest(args, common),
        Command::Export(args) => commands::export::export(args, common),
        Command::Search(args) => commands::search::search(args, common),
        Command::Forget(args) => commands::forget::forget(args, common),
        Command::Purge(args) => commands::purge::purge(args, common),
        Command::Backup(args) => commands::backup::backup(args, common),
        Command::Scorecard(command) => commands::scorecard::run(command, common),
        Command::Models(command) => commands::models::run(command, common),
        Command::Eval(command) => commands::eval::run(command, common),
        Command::Config(args) => commands::config::config(args, common),
        Command::RecogniserWorker => worker::serve(),
        Command::Doctor(args) => commands::doctor::doctor(args, common),
        Command::Bench(command) => commands::bench::run(command, common),
        Command::Generate { folder } => commands::generate::generate(folder),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(FINISHED),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// A panic's message may quote a call: only its place is printed. Writing to a closed pipe (`callmark reps | head`) is no error.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("");
        if message.starts_with("failed printing to stdout") {
            std::process::exit(i32::from(FINISHED));
        }
        let place = panic.location().map_or("an unknown place".to_string(), ToString::to_string);
        eprintln!("internal error at {place}; please report it");
    }));
}

/// `callmark show CALL | head` is not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}

/// Logs go to stderr, warnings and errors only unless CALLMARK_LOG says otherwise; they never hold what was said.
fn logging(common: &Common) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CALLMARK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error,callmark=warn"));
    // At `trace` the tokenizers tell every character that they read: what was said, letter by letter. Whoever asks for it does not get it either.
    let filter = match "tokenizers=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    // Colours would come as soon as any dependency switches that feature on.
    let lines = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(std::io::stderr);
    // A mistake in the configuration is reported by the command that reads it.
    let _ = match Config::load(common).map(|config| config.night.log_format) {
        Ok(LogFormat::Json) => lines.json().try_init(),
        Ok(LogFormat::Text) | Err(_) => lines.try_init(),
    };
}
