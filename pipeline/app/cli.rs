//! The command line: what users type, nothing about how it is done.

use std::path::PathBuf;
use std::time::Duration;

use callmark_core::performance::PeriodKind;
use callmark_core::recording::Language;
use clap::{Args, Parser, Subcommand, ValueEnum};

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("CALLMARK_BUILD_VARIANT"), ")");
const EXIT_CODES: &str = "Exit codes: 0 finished (unscored and pending calls are results); 1 a gate that was asked for \
    (--fail-under, --fail-on, lint, test) was not passed; 2 some recordings failed, each named with a hint; 3 could not run.";
use crate::clips::ClipKind;
use crate::render::messages::parse_language;
use crate::render::report::Layout;

/// Scores call recordings: transcript, sentiment, script compliance, and rep tables in which every point can be traced.
#[derive(Debug, Parser)]
#[command(name = "callmark", version = VERSION, propagate_version = true, after_long_help = EXIT_CODES)]
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
    /// Set a key of the configuration for this start (wins over file and environment), e.g. --set report.language=zh
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Only errors on the terminal
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transcribe and score recordings (files, folders, globs)
    Run(RunArgs),
    /// Take recordings from folders as they arrive, each once, when it is complete
    Watch(WatchArgs),
    /// Score stored calls again, without audio
    Score(ScoreArgs),
    /// Show one call: transcript with roles, flags and the ledger
    Show(ShowArgs),
    /// Write the report: pages team → rep → call → moment that open without a server
    Report(ReportArgs),
    /// Rep table: shrunken means, intervals, rank ranges
    Reps(RepsArgs),
    /// Take in call logs and sales exports: CSV, spreadsheets, JSON lines
    Import(ImportArgs),
    /// Telesales indicators of the imported rows: calls a day, connect rate, conversion …, and process and outcome blended
    Indicators(IndicatorsArgs),
    /// Opportunities of imported touchpoints and their calls: checklists, health, what was left undone, the customer's own words
    Journeys(JourneysArgs),
    /// Agree with or overturn a ledger row (append-only)
    Review(ReviewArgs),
    /// Who is rep and who customer in a call, and why; change it with --swap or --set 0=rep,1=customer (append-only; where channels are
    /// not known, 0 is who speaks first)
    Roles(RolesArgs),
    /// One page for the morning meeting: numbers, whom to talk to first, what was well done, what to learn from
    Digest(DigestArgs),
    /// Coaching plans: what a rep works on, at which step it is, and whether it helped
    #[command(subcommand)]
    Coach(CoachCommand),
    /// Write all tables of the store as CSV, Parquet or JSON lines for spreadsheets, notebooks and BI tools
    Export(ExportArgs),
    /// Find what was said: words, "phrases", beginnings*, Chinese from one character on
    Search(SearchArgs),
    /// Remove everything about a call, for good
    Forget(ForgetArgs),
    /// Remove calls older than a day, or only what was said in them
    Purge(PurgeArgs),
    /// Copy the store while runs go on, and check the copy
    Backup(BackupArgs),
    /// Check scorecards
    #[command(subcommand)]
    Scorecard(ScorecardCommand),
    /// Recognition models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Measure recognition: labelled sets, stored transcripts against references, recogniser noise
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Print the commented default configuration, what is in force, or check a file
    Config(ConfigArgs),
    /// What is installed, what fits this machine, what would stop a run, and what to do about it
    Doctor(DoctorArgs),
    /// The process in which native code recognises; started by `run` and `watch`
    #[command(hide = true)]
    RecogniserWorker,
    /// Trials and load tests: made-up nights, throughput, capacity of model shapes
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Write man pages and shell completions to a folder (for packages)
    #[command(hide = true)]
    Generate { folder: PathBuf },
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Also transcribe a short synthetic call and compare it with what is said in it
    #[arg(long)]
    pub self_test: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print the values that are in force and where each came from
    #[arg(long, conflicts_with = "check")]
    pub show: bool,
    /// Only check a configuration file
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Recordings or transcripts: files, folders, or glob patterns
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub process: ProcessArgs,
    /// Exit with 1 when the mean score is below N; calls that wait for review count with what they have so far
    #[arg(long, value_name = "N", value_parser = parse_points)]
    pub fail_under: Option<i64>,
    /// Exit with 1 when a call has such a finding
    #[arg(long, value_name = "KIND")]
    pub fail_on: Option<FailOn>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Folders in which recordings arrive
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    #[command(flatten)]
    pub process: ProcessArgs,
    /// A file is complete when it has not changed for so long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub settle: Option<Duration>,
    /// Take what is complete now, then leave (for cron and systemd timers)
    #[arg(long)]
    pub once: bool,
}

/// What `run` and `watch` have in common.
#[derive(Debug, Args)]
pub struct ProcessArgs {
    /// Call metadata (CSV, Excel) or a folder of such tables, joined by file name or call id; may be given several times, the
    /// first wins; default: metadata.csv, .tsv, .xlsx, .xls, .ods in the given folders, each for the recordings below it
    #[arg(long, value_name = "FILE|DIR")]
    pub metadata: Vec<PathBuf>,
    /// Scorecard for every call; default: the configuration's routes
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
    /// Recogniser: a name from `callmark models list` or a ggml file; default: the best installed one
    #[arg(long, env = "CALLMARK_MODEL", value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// Which channel is whom: `rep=0,customer=1`, or `auto` (from what is said); further channels: ivr, supervisor, transfer_target, ignore
    #[arg(long, value_name = "MAP")]
    pub channels: Option<String>,
    /// Folder for the outputs
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Recogniser lanes and analysis threads; default: from the processor, the model and the memory
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// Threads inside each recogniser lane; default: the cores that the lanes leave, one when --jobs is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads_per_lane: Option<u32>,
    /// Memory to plan for, of the program and its recogniser together, such as 2G: fewer lanes, less sound in advance; a single
    /// recording of hours may take more
    #[arg(long, value_name = "SIZE", value_parser = crate::lanes::parse_megabytes)]
    pub max_memory: Option<u64>,
    /// Summary as JSON on standard output (`watch`: one object per batch)
    #[arg(long)]
    pub json: bool,
    /// Hash every file again instead of trusting size and modification time
    #[arg(long)]
    pub rehash: bool,
    /// Try files again that are known to be broken
    #[arg(long)]
    pub retry_failed: bool,
    /// Shell command to run afterwards, with the summary as JSON on its standard input and CALLMARK_EXIT_CODE
    #[arg(long, value_name = "COMMAND")]
    pub on_finish: Option<String>,
    /// Prometheus textfile to write afterwards
    #[arg(long, value_name = "FILE.prom")]
    pub metrics: Option<PathBuf>,
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
    /// Threads; default: one per core. The results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// Judge every requirement again, also those that did not change; the results are the same
    #[arg(long)]
    pub full: bool,
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
    Quarter,
    All,
}

impl From<Period> for PeriodKind {
    fn from(period: Period) -> PeriodKind {
        match period {
            Period::Day => PeriodKind::Day,
            Period::Week => PeriodKind::Week,
            Period::Month => PeriodKind::Month,
            Period::Quarter => PeriodKind::Quarter,
            Period::All => PeriodKind::All,
        }
    }
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
pub struct DigestArgs {
    /// The day; default: the last one with calls
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub date: Option<String>,
    /// Only calls of this team
    #[arg(long)]
    pub team: Option<String>,
    /// Folder for digest-YYYY-MM-DD.html and .md
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Language of the page: en or zh; default: the configuration's
    #[arg(long, value_name = "LANGUAGE", value_parser = crate::render::messages::parse_language)]
    pub language: Option<Language>,
    /// Audio clips; default: the configuration's
    #[arg(long, value_enum)]
    pub clips: Option<ClipKind>,
}

#[derive(Debug, Subcommand)]
pub enum CoachCommand {
    /// Begin a plan for a rep; says why and on what, with the calls that show it
    Plan(CoachPlanArgs),
    /// Note that a plan has come to another step
    Step(CoachStepArgs),
    /// The open plans, their steps and when they are to be checked
    List(CoachListArgs),
    /// Whether it helped: before against after, less regression to the mean and what everybody else changed
    Check(CoachCheckArgs),
    /// The days of the re-checks as iCalendar on standard output
    Calendar,
}

#[derive(Debug, Args)]
pub struct CoachPlanArgs {
    pub rep: String,
    /// `score`, a dimension or a requirement; default: the rep's first improvement point
    #[arg(long, value_name = "WHAT")]
    pub on: Option<String>,
    /// Reps to compare with, who are not coached; default: the rest of the team
    #[arg(long, value_name = "REP", num_args = 1..)]
    pub control: Vec<String>,
    /// Who plans it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Default: today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub day: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CoachStage {
    Diagnosis,
    Training,
    /// Calls with the trainer beside the rep; calls from the next day on count as after
    Accompanied,
    Recheck,
    Closed,
}

#[derive(Debug, Args)]
pub struct CoachStepArgs {
    pub plan: String,
    #[arg(value_enum)]
    pub stage: CoachStage,
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Default: today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub day: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct CoachListArgs {
    /// Closed ones, too
    #[arg(long)]
    pub all: bool,
    #[arg(long)]
    pub rep: Option<String>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CoachCheckArgs {
    pub plan: String,
    /// Days before coaching began that are compared
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u16).range(1..=730))]
    pub days: u16,
    /// Last day of the calls after; default: today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub until: Option<String>,
    /// Say it and note nothing
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Exports of one source
    #[arg(required_unless_present = "remove", conflicts_with = "remove", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The source, as [[import]] in the configuration names it; of another one the columns are guessed from their names
    #[arg(long, value_name = "NAME")]
    pub source: String,
    /// Take everything that came from the source out again: of a wrong file, or of a wrong mapping
    #[arg(long)]
    pub remove: bool,
    /// Folder of outputs whose indicators.csv is made again with what was imported or removed
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Only say what would be taken, or removed
    #[arg(long)]
    pub dry_run: bool,
    /// What was taken and refused, as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder for the files; those of an earlier export are replaced
    pub folder: PathBuf,
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
    /// Begin CSV files with a byte-order mark: Excel then reads Chinese rightly
    #[arg(long)]
    pub bom: bool,
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Only calls that started on or before this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub until: Option<String>,
    /// Numbers of rows as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Csv,
    Parquet,
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, Args)]
pub struct IndicatorsArgs {
    /// Length of a period
    #[arg(long, value_enum, default_value_t = Period::All)]
    pub period: Period,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Only rows and calls of this day or later
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Only rows and calls of this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct JourneysArgs {
    /// One opportunity with its evidence; default: the table of all
    #[arg(long, value_name = "ID")]
    pub opportunity: Option<String>,
    /// The day up to which everything counts; default: the last one with touchpoints or calls of their customers
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub as_of: Option<String>,
    /// Everything with its evidence, as JSON on standard output
    #[arg(long)]
    pub json: bool,
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
    /// Language of the report, en or zh; default: the configuration's
    #[arg(long, value_name = "LANGUAGE", value_parser = parse_language)]
    pub language: Option<Language>,
    /// Audio clips of flagged moments; default: the configuration's
    #[arg(long, value_enum, value_name = "KIND")]
    pub clips: Option<ClipKind>,
    /// One file or a folder of pages; default: one file up to about 25 MB
    #[arg(long, value_enum, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
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
    /// The result is wrong and turns round: a finding gets its points back, what was clear or met becomes one
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

#[derive(Debug, Args)]
pub struct RolesArgs {
    /// Call id, its unique beginning, or the recording's file name
    pub call: String,
    /// Rep and customer change places
    #[arg(long, group = "decision", requires = "by")]
    pub swap: bool,
    /// The roles are right (a call that was doubtful is scored)
    #[arg(long, group = "decision", requires = "by")]
    pub keep: bool,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Also write the call's outputs anew into the folder of a run
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The scorecard that the call was scored with, when the configuration's routes name another
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ClassifiersArgs {
    /// `label<TAB>text` on each line, or a CSV or TSV table with columns text, label, language, role
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Share of words (Chinese: characters) to mishear first
    #[arg(long, value_name = "PERMILLE", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=900))]
    pub error_permille: u16,
    /// Also draw stated probability against share of right answers
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ActsArgs {
    /// CSV or TSV table with columns text, acts (with commas between; empty: none), role (rep, customer), language, and call for
    /// turns of one call, which follow each other
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Judge these acts only, also if no turn has them; default: those that some turn has
    #[arg(long, value_name = "ACT,…", value_delimiter = ',')]
    pub acts: Vec<String>,
    /// Share of words (Chinese: characters) to mishear first
    #[arg(long, value_name = "PERMILLE", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=900))]
    pub error_permille: u16,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RolesEvalArgs {
    /// Labelled transcripts (.vtt, .srt, .txt with `Rep:` and `Customer:`): files or folders
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only the first N turns of each call; 0 is the whole call
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [4, 8, 16, 0])]
    pub turns: Vec<usize>,
    /// Damage this share of the words first, as a recogniser would
    #[arg(long, value_name = "PERMILLE", default_value_t = 0)]
    pub error_permille: u16,
    /// Print each call's cues as JSON lines instead
    #[arg(long)]
    pub cues: bool,
    /// Name the calls that were decided wrongly
    #[arg(long)]
    pub show_errors: bool,
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
    Lint(LintArgs),
    /// Run the examples that stand in the scorecards, and labelled ones, also as a recogniser might hear them
    Test(TestArgs),
    /// Propose a scorecard from the sentences of a script, from the terminal or a file
    New(NewArgs),
    /// One requirement in plain words: what is looked for, where, by whom; with --call, how it came out in a stored call
    Explain(ExplainArgs),
    /// Which stored calls and reps change when NEW replaces OLD, and by how much; nothing is written
    Diff(DiffArgs),
    /// What never or always fires on the stored calls, why requirements are not applicable, and which phrases nobody says
    Coverage(CoverageArgs),
    /// Quantiles of the stored calls' metrics, and limits for the trapezoids from them
    Fit(FitArgs),
    /// Print the JSON Schema of scorecards, for editors
    Schema,
}

#[derive(Debug, Args)]
pub struct LintArgs {
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Everything as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Also as a recogniser with this share of wrong words (Chinese: characters) might hear the examples, such as 0.15
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_share)]
    pub noise: u16,
    /// So many times each example with --noise, each heard differently; the same every time
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub variants: u32,
    /// Labelled examples for these scorecards, written apart from them: a list of {card, id, expect, kind, why, turns}
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub examples: Vec<PathBuf>,
    /// Precision and recall by matcher, requirement and kind of hard negative
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub table: Option<TableFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Md,
    Json,
}

#[derive(Debug, Args)]
pub struct NewArgs {
    /// The new scorecard; never overwritten
    pub file: PathBuf,
    /// The script: one sentence a line, what the rep says and what nobody may say; default: asked for, or standard input
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Name of the scorecard; default: the file's
    #[arg(long)]
    pub name: Option<String>,
    /// Scorecards to copy from; default: those in the box
    #[arg(long, value_name = "FILE")]
    pub like: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    pub file: PathBuf,
    /// The requirement
    pub id: String,
    /// A stored call: its id, its unique beginning, or the recording's file name
    #[arg(long)]
    pub call: Option<String>,
}

/// What commands that try a scorecard on the stored calls have in common. Those are the calls that were scored with a scorecard of that
/// name; all, when there are none.
#[derive(Debug, Args)]
pub struct TrialArgs {
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Everything as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The scorecard that is in force
    pub old: PathBuf,
    /// The one that shall replace it
    pub new: PathBuf,
    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Debug, Args)]
pub struct CoverageArgs {
    pub file: PathBuf,
    /// Also list the phrases that no call says
    #[arg(long)]
    pub phrases: bool,
    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Debug, Args)]
pub struct FitArgs {
    pub file: PathBuf,
    /// Write the proposed limits into the file, with a copy of it beside
    #[arg(long)]
    pub write: bool,
    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Models that callmark knows, which are installed, and which one is used
    List {
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model and verify it; a broken transfer goes on where it stopped
    Pull(PullArgs),
    /// Check size, SHA-256 and structure of installed models
    Verify {
        /// Default: everything that is installed
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// Take in a Whisper model in ggml form (one that was carried here, or one of your own), or a sentiment classifier of your own
    Add(AddModelArgs),
    /// Remove a model from your own models folder
    Rm {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct PullArgs {
    /// A name from `callmark models list`
    pub name: String,
    /// Take it from here: an address that stands before the file's name, or a folder (a stick, a network share)
    #[arg(long, value_name = "URL|DIR")]
    pub mirror: Option<String>,
    /// Folder for the file, for example to carry it elsewhere; default: your own models folder
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AddModelArgs {
    #[arg(required_unless_present = "classifier")]
    pub file: Option<PathBuf>,
    /// Take in the sentiment classifier of this folder: an ONNX model, tokenizer.json and classifier.toml (docs/classifiers.md)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "name", "language", "sha256"])]
    pub classifier: Option<PathBuf>,
    /// Name for `--model`; default: the known name of this content, else the file's name
    #[arg(long)]
    pub name: Option<String>,
    /// Language that the model follows, en or zh; may be given several times; default: from its vocabulary
    #[arg(long, value_name = "LANGUAGE", value_parser = parse_language)]
    pub language: Vec<Language>,
    /// Refuse the file when it has another SHA-256
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Recognise labelled recordings: error rates, word times, words lost, who speaks when, confidence, speed
    Speech(SpeechArgs),
    /// Tell two speakers of one channel apart: diarization error rate (collar 0.25 s), split into missed, false alarm, confusion
    Speakers(SpeakersArgs),
    /// Find calls without a conversation (voicemail, menus, wrong numbers, one side, ringing, busy, fax): recall by kind, precision
    Conversation(ConversationArgs),
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
    /// What is personal in labelled texts and is redacted, written and spoken: recall and precision by entity
    Redaction(RedactionArgs),
    /// Sentiment of labelled texts: accuracy, macro-F1 and calibration with intervals, by language and role
    Classifiers(ClassifiersArgs),
    /// What turns do (greet, object, insult, …), heard in labelled calls: precision, recall and F1 of each act
    Acts(ActsArgs),
    /// Who is the rep, from the words of labelled transcripts: accuracy and calibration by length
    Roles(RolesEvalArgs),
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

#[derive(Debug, Args)]
pub struct SpeakersArgs {
    /// Labelled sets of mono recordings, as for `eval speech`; with --mix: folders of recordings with two channels
    #[arg(required = true, value_name = "SET")]
    pub sets: Vec<PathBuf>,
    /// Mix two channels to one first; each channel's own voice activity says who speaks when
    #[arg(long)]
    pub mix: bool,
    /// Also a row per recording
    #[arg(long)]
    pub each: bool,
    /// Everything as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ConversationArgs {
    /// Folders with a folder of recordings or transcripts per kind of call (models/evaluation/make_no_conversation_sets.py)
    #[arg(required = true, value_name = "SET")]
    pub sets: Vec<PathBuf>,
    /// Also name each call whose kind was not found
    #[arg(long)]
    pub show_errors: bool,
}

#[derive(Debug, Args)]
pub struct RedactionArgs {
    /// Files of labelled calls, one JSON line each (models/evaluation/make_redaction_sets.py)
    #[arg(required = true, value_name = "SET")]
    pub sets: Vec<PathBuf>,
    /// Also name each line with a place that was missed or taken wrongly
    #[arg(long)]
    pub show_errors: bool,
    /// Everything as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SpeechArgs {
    /// Labelled sets: folders of recordings with <name>.reference.json beside each, or with references/<name>.vtt
    #[arg(required = true, value_name = "SET")]
    pub sets: Vec<PathBuf>,
    /// Recogniser: a name from `callmark models list` or a ggml file; default: the best installed one
    #[arg(long, env = "CALLMARK_MODEL", value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// Recogniser lanes; default: from the processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// Only these rows of the error table beside `all`; default: roles and voices
    #[arg(long, value_enum, value_name = "GROUP")]
    pub by: Option<EvalGroup>,
    /// Also take recordings without a reference: confidence, guards and speed are measured
    #[arg(long)]
    pub unlabelled: bool,
    /// Language of recordings without a reference
    #[arg(long, value_name = "TAG", default_value = "en", value_parser = parse_language)]
    pub language: Language,
    /// Do not tell the recogniser the recordings' languages
    #[arg(long)]
    pub detect_language: bool,
    /// Also print the N most frequent confusions of each set, with the words
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub show_errors: usize,
    /// Everything as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Also write the JSON to a file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvalGroup {
    Role,
    Voice,
    Recording,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Speaker {
    Rep,
    Customer,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// All words must be in one turn; "two words" in quotes follow each other; `cancel*` finds what begins so
    #[arg(required = true, value_name = "WORDS")]
    pub query: Vec<String>,
    /// Only calls of this rep
    #[arg(long, value_name = "REP_ID")]
    pub rep: Option<String>,
    /// Only calls of this team
    #[arg(long)]
    pub team: Option<String>,
    /// Only calls that started on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub since: Option<String>,
    /// Only calls that started on or before this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub until: Option<String>,
    /// Only what the rep, or the customer, said
    #[arg(long, value_enum)]
    pub role: Option<Speaker>,
    /// Most turns to show
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    #[arg(long, value_enum, default_value_t = Listing::Table)]
    pub format: Listing,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct ForgetArgs {
    /// Call id, its unique beginning, or the recording's file name
    #[arg(group = "what")]
    pub call: Option<String>,
    /// All calls made from this recording; also a recording that only failed
    #[arg(long, group = "what", value_name = "FILE")]
    pub recording: Option<PathBuf>,
    /// All calls of this customer (customer_id of the metadata)
    #[arg(long, group = "what", value_name = "ID")]
    pub customer: Option<String>,
    /// Folder of outputs from which the calls are taken too
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Scores, ledger points, times and rep tables stay; transcripts, quotes and customers go
    Scores,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("age").required(true))]
pub struct PurgeArgs {
    /// Calls that started longer ago: days, weeks, months or years, like 90d, 12w, 18m, 2y
    #[arg(long, group = "age", value_name = "AGE", value_parser = parse_age)]
    pub older_than: Option<jiff::Span>,
    /// Calls that started before this day
    #[arg(long, group = "age", value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub before: Option<String>,
    /// What stays
    #[arg(long, value_enum)]
    pub keep: Option<Keep>,
    /// Also calls without a start date, whatever their age
    #[arg(long)]
    pub undated: bool,
    /// Folder of outputs from which the calls are taken too
    #[arg(long, value_name = "DIR", default_value = "callmark-out")]
    pub out: PathBuf,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where the copy goes
    pub file: PathBuf,
    /// Replace a file of that name
    #[arg(long)]
    pub force: bool,
}

/// `90d`, `12w`, `18m` (months), `2y`.
fn parse_age(text: &str) -> Result<jiff::Span, String> {
    let wrong = || "must be a number with d, w, m or y, like 90d".to_string();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u16 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let (span, number) = (jiff::Span::new(), i64::from(number));
    let span = match unit {
        'd' => span.try_days(number),
        'w' => span.try_weeks(number),
        'm' => span.try_months(number),
        'y' => span.try_years(number),
        _ => return Err(wrong()),
    };
    span.map_err(|_| wrong())
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Write a made-up night: calls with planted mistakes, metadata, broken files, and the truth in planted.csv
    Night(NightArgs),
    /// Run the program on a night with different numbers of lanes: hours of calls per hour and per core-hour, memory
    Throughput(ThroughputArgs),
    /// Turns per second of the stage that reads sentiment and meaning, with different numbers of workers
    Classify(ClassifyBenchArgs),
    /// How fast and how large a Whisper model of some shape is here, with random weights: no download needed
    Shape(ShapeArgs),
    /// Put made-up calls straight into a new store (--store), scored, with embeddings and sentiment: for load tests of `score`
    Store(StoreBenchArgs),
}

#[derive(Debug, Args)]
pub struct ClassifyBenchArgs {
    /// Text file, one turn a line; equal lines count once
    #[arg(long, value_name = "FILE")]
    pub texts: PathBuf,
    #[arg(long, value_name = "LANGUAGE", value_parser = parse_language, default_value = "en")]
    pub language: Language,
    /// Numbers of workers to compare
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 2])]
    pub workers: Vec<usize>,
    /// Measurements with each number of workers, in turns
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct StoreBenchArgs {
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=900_000))]
    pub calls: u64,
    /// Turns in each call
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u32).range(10..=2_000))]
    pub turns: u32,
    /// Least words of a turn (Chinese: pairs of characters)
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub words: u32,
    /// The same seed makes the same calls
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[arg(long, value_name = "TAGS", value_delimiter = ',', default_value = "en,zh")]
    pub language: Vec<String>,
    /// The last day; a quarter of the calls lie up to nine days before it
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2025-03-07")]
    pub last_day: jiff::civil::Date,
    /// Scorecard for every call; default: the configuration's routes
    #[arg(long, value_name = "FILE")]
    pub scorecard: Option<PathBuf>,
    /// What was written, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ThroughputArgs {
    /// A folder of recordings; default: a night is made up
    #[arg(value_name = "NIGHT")]
    pub night: Option<PathBuf>,
    /// Audio calls of the made-up night (20 to 90 s each)
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=90_000))]
    pub calls: u64,
    /// The same seed makes up the same night
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Recordings with reference transcripts that the night is cut from; default: sample-audio
    #[arg(long, value_name = "FOLDER")]
    pub samples: Option<PathBuf>,
    /// Recogniser: a name from `callmark models list` or a ggml file; default: the best installed one
    #[arg(long, env = "CALLMARK_MODEL", value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// Numbers of lanes to compare
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub lanes: Vec<u32>,
    /// Runs with each number of lanes
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repeat: u32,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShapeArgs {
    /// tiny, base, small, medium, large-v2, large-v3, large-v3-turbo; .en for English-only
    #[arg(value_name = "SHAPE")]
    pub shape: String,
    /// How the weights are stored: f16, q8_0, q5_1, q5_0
    #[arg(long, value_name = "TYPE", default_value = "f16")]
    pub weights: String,
    /// Speech to decode, from the samples, in full windows of the model; calls cost more by the last window of each channel,
    /// which holds what is left
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Tokens to decode per second of speech: people say about four
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub tokens_per_second: u32,
    /// Let the encoder look at the span only, whatever the manifest says
    #[arg(long)]
    pub short_audio_context: bool,
    /// Keep the random model, to see what memory `callmark run --model FILE` takes with it
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
    /// Recordings of calls; default: sample-audio
    #[arg(long, value_name = "FOLDER")]
    pub samples: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct NightArgs {
    /// A new folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Calls that are text: WebVTT, SRT, Contact Lens JSON, plain lines
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(..=900_000))]
    pub calls: u64,
    /// Audio calls beside them, put together from the sample recordings' sentences
    #[arg(long, value_name = "M", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=90_000))]
    pub audio: u64,
    /// The same seed writes the same night
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Share of broken files
    #[arg(long, value_name = "PERMILLE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub broken: u32,
    /// Languages of the text calls (audio calls are English)
    #[arg(long, value_name = "TAGS", value_delimiter = ',', default_value = "en,zh")]
    pub language: Vec<String>,
    /// The night's day; a quarter of the calls lie up to nine days before it
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2025-03-07")]
    pub last_day: jiff::civil::Date,
    /// How metadata.csv is written
    #[arg(long, value_enum, default_value_t = crate::night_generator::Encoding::Utf8)]
    pub metadata_encoding: crate::night_generator::Encoding,
    /// Recordings with reference transcripts that audio calls are cut from; default: sample-audio
    #[arg(long, value_name = "FOLDER")]
    pub samples: Option<PathBuf>,
    /// What was written, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Points with at most three decimals, as millipoints.
fn parse_points(text: &str) -> Result<i64, String> {
    let points: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if !(0.0..=100.0).contains(&points) {
        return Err("must lie between 0 and 100".into());
    }
    Ok((points * 1000.0).round() as i64)
}

/// A share between 0 and 1 as per mille.
fn parse_share(text: &str) -> Result<u16, String> {
    let share: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if !(0.0..=1.0).contains(&share) {
        return Err("must lie between 0 and 1".into());
    }
    Ok((share * 1000.0).round() as u16)
}

fn parse_date(text: &str) -> Result<String, String> {
    text.parse::<jiff::civil::Date>().map(|d| d.to_string()).map_err(|_| "must be a day like 2025-02-17".into())
}

/// `30s`, `5m`, `2h`, `500ms`, or seconds alone.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| format!("`{text}` is not a time like 30s or 5m"))?;
    let milliseconds = match text[digits..].trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        other => return Err(format!("`{other}` is not a unit of time (ms, s, m, h)")),
    };
    Ok(Duration::from_millis(number.saturating_mul(milliseconds)))
}
