//! The command line: what users type, nothing about how it is done.

use std::path::PathBuf;

use callmark_core::recording::Language;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::clips::ClipKind;
use crate::render::messages::parse_language;
use crate::render::report::Layout;

/// Scores call recordings: transcript, sentiment, script compliance, and rep tables in which every point can be traced.
#[derive(Debug, Parser)]
#[command(name = "callmark", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file (TOML); default: ./callmark.toml if there is one, then the user's configuration folder
    #[arg(long, global = true, env = "CALLMARK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Store of all nights: a file or `sqlite:FILE`; default: the user's data folder
    #[arg(long, global = true, env = "CALLMARK_STORE", value_name = "URL")]
    pub store: Option<String>,
    /// Only errors on the terminal
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcribe and score recordings (files, folders, globs)
    Run(RunArgs),
    /// Score stored calls again, without audio
    Score(ScoreArgs),
    /// Show one call: transcript with roles, flags and the ledger
    Show(ShowArgs),
    /// Write the report: pages team → rep → call → moment that open without a server
    Report(ReportArgs),
    /// Rep table: shrunken means, intervals, rank ranges
    Reps(RepsArgs),
    /// Agree with or overturn a ledger row (append-only)
    Review(ReviewArgs),
    /// Check scorecards
    #[command(subcommand)]
    Scorecard(ScorecardCommand),
    /// Recognition models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Measure: word error rate against references, recogniser noise
    #[command(subcommand)]
    Eval(EvalCommand),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Recordings or transcripts: files, folders, or glob patterns
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Call metadata, joined by file name or call id; default: metadata.csv in a given folder
    #[arg(long, value_name = "FILE.csv")]
    pub metadata: Option<PathBuf>,
    /// Scorecard for every call; default: the configuration's routes
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
    /// Recogniser: a name from `callmark models list` or a ggml file; default: the best installed one
    #[arg(long, env = "CALLMARK_MODEL", value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// Which channel is whom: `rep=0,customer=1`, or `auto` (from what is said)
    #[arg(long, value_name = "MAP")]
    pub channels: Option<String>,
    /// Folder for the outputs
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Recogniser lanes, decoders and analysis threads; default: from the processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// Summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 when the mean score of the scored calls is below N
    #[arg(long, value_name = "N", value_parser = parse_points)]
    pub fail_under: Option<i64>,
    /// Exit with 1 when a call has such a finding
    #[arg(long, value_name = "KIND")]
    pub fail_on: Option<FailOn>,
    /// Hash every file again instead of trusting size and modification time
    #[arg(long)]
    pub rehash: bool,
    /// Try files again that are known to be broken
    #[arg(long)]
    pub retry_failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A violated or missed fatal requirement, confirmed or waiting for review
    Fatal,
}

#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Scorecard for every call; default: the configuration's routes
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Write the outputs of the re-scored calls to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Call id, its unique beginning, or the recording's file name
    pub call: String,
    /// The analysis as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Period {
    Day,
    Week,
    Month,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub struct RepsArgs {
    /// Length of a period
    #[arg(long, value_enum, default_value_t = Period::All)]
    pub period: Period,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Only calls that started on or before this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub until: Option<String>,
    /// Only calls of this team
    #[arg(long)]
    pub team: Option<String>,
    /// Only calls of this rep
    #[arg(long)]
    pub rep: Option<String>,
    /// Folder for the report
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Language of the report: en or zh
    #[arg(long, value_name = "LANGUAGE", value_parser = parse_language, default_value = "en")]
    pub language: Language,
    /// One file or a folder of pages; default: one file up to about 25 MB
    #[arg(long, value_enum, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
    /// Audio clips of flagged moments
    #[arg(long, value_enum, value_name = "KIND", default_value_t = ClipKind::Opus)]
    pub clips: ClipKind,
    /// Scorecard whose texts explain the requirements; default: those of the configuration's routes
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Call id, its unique beginning, or the recording's file name
    pub call: String,
    /// Requirement id of the ledger row; without one, the call's open rows and reviews are listed
    pub requirement: Option<String>,
    /// The finding is right (confirms a fatal)
    #[arg(long, group = "decision", requires = "by")]
    pub agree: bool,
    /// The finding is wrong: its points come back
    #[arg(long, group = "decision", requires = "by", requires = "reason")]
    pub overturn: bool,
    /// Only a comment
    #[arg(long, group = "decision", requires = "by", requires = "reason")]
    pub comment: bool,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Why the row was looked at
    #[arg(long, value_enum, default_value_t = Source::Flag)]
    pub source: Source,
    /// The scorecard that the call was scored with, when the configuration's routes name another
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
    /// The review that this one contests
    #[arg(long, value_name = "REVIEW_ID")]
    pub appeal_of: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    Flag,
    Audit,
    Appeal,
}

#[derive(Debug, Subcommand)]
pub enum ScorecardCommand {
    /// Find mistakes in scorecards, with line and column
    Lint {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Run the examples that stand in the scorecards
    Test {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Models that callmark knows, and which are installed
    List {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Word error rate (Chinese: character error rate) of the stored transcripts against reference transcripts
    Wer {
        /// Folder of reference transcripts named by call id (`<call_id>.vtt`)
        references: PathBuf,
        /// CSV with call_id, role, group: one row of the result per group (for example per voice)
        #[arg(long, value_name = "FILE.csv")]
        groups: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Turn written text into what a recogniser with this error rate might have heard
    Noise {
        /// Text file, one sentence a line
        file: PathBuf,
        /// Share of words to damage
        #[arg(long, value_name = "PERMILLE", default_value_t = 100)]
        error_permille: u16,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Points with at most three decimals, as millipoints.
fn parse_points(text: &str) -> Result<i64, String> {
    let points: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if !(0.0..=100.0).contains(&points) {
        return Err("must lie between 0 and 100".into());
    }
    Ok((points * 1000.0).round() as i64)
}

fn parse_date(text: &str) -> Result<String, String> {
    text.parse::<jiff::civil::Date>().map(|d| d.to_string()).map_err(|_| "must be a day like 2025-02-17".into())
}
