//! `callmark run`: discover, plan, run the lanes, store, write outputs, report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_audio::Limits;
use callmark_core::acts::ActLexicon;
use callmark_core::performance::CallSummary;
use callmark_core::record::{CallRecord, Provenance, RECORD_SCHEMA, Severity, Status, UnscoredReason};
use callmark_core::recording::{self, Language, sha256_hex};
use callmark_core::scoring;
use callmark_core::signals::Signals;
use callmark_core::transcript::{Medium, RoleMethod, Transcript};
use callmark_models::asr::Recogniser;
use callmark_models::manifest::{Manifest, ModelFile, STARTER};
use callmark_models::vad::VoiceActivity;
use callmark_store::{AnalysisRow, CallFilter, FailureRow, FileStamp, RecordingLink, Store};
use rayon::prelude::*;

use callmark_models::text_encoder::EncoderPool;

use crate::analysis::{Analyst, open_encoders, prepare_phrases};
use crate::batch::{self, Context, Done, Job, Lanes};
use crate::call::{CallError, RecogniseOptions, Stage, StageClock, transcript_hash};
use crate::cli::{Common, FailOn, RunArgs};
use crate::commands::{explain, store_url};
use crate::config::Config;
use crate::discover::{self, Candidate};
use crate::install::Install;
use crate::progress::Progress;
use crate::read::metadata::{self, MetadataTable};
use crate::render::{outputs, summary};
use crate::{FINISHED, GATE, SOME_FAILED, call};

const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A recording that could not be processed, for the report at the end.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failure {
    pub file: String,
    pub stage: String,
    pub cause: String,
    pub hint: String,
    /// Failed in an earlier run of this version already; not tried again and not counted.
    pub known: bool,
}

/// The result of a run, as `--json` prints it.
#[derive(Debug, Default, serde::Serialize)]
pub struct RunSummary {
    pub recordings: usize,
    pub transcribed: usize,
    pub scored: usize,
    pub pending_review: usize,
    pub unscored: BTreeMap<String, usize>,
    pub unchanged: usize,
    pub duplicates: usize,
    /// Forgotten or purged earlier: not taken in again.
    pub forgotten: usize,
    pub failed: Vec<Failure>,
    pub audio_seconds: f64,
    pub elapsed_seconds: f64,
    pub audio_seconds_per_second: f64,
    pub first_scored_seconds: Option<f64>,
    /// Working time per stage, summed over threads.
    pub stage_seconds: BTreeMap<&'static str, f64>,
    pub mean_score: Option<f64>,
    pub out: String,
    pub store: String,
    pub recogniser: Option<String>,
    pub warnings: Vec<String>,
    #[serde(skip)]
    pub starter: bool,
}

pub fn run(args: &RunArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common.config.as_deref())?;
    let install = Install::find()?;
    let channels = match &args.channels {
        Some(text) => call::ChannelMap::parse(text)?,
        None => config.channels,
    };
    let found = discover::discover(&args.paths, &args.out)?;
    let table = metadata_table(args, &found.metadata_files)?;
    let mut analyst = Analyst::load(args.scorecard.as_deref(), &config, &install)?;
    outputs::prepare_folder(&args.out)?;
    let url = store_url(common)?;
    let _lock = lock(&url)?;
    let store = callmark_store::open(&url).map_err(explain)?;
    let store = store.as_ref();
    analyst.load_precision(store)?;

    let mut report = RunSummary {
        recordings: found.candidates.len(),
        out: args.out.display().to_string(),
        store: url.clone(),
        warnings: found.warnings.clone(),
        ..RunSummary::default()
    };
    let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
    let folders = install.model_folders();
    let name =
        args.model.as_deref().or(config.model.as_deref()).unwrap_or_else(|| manifest.default_recogniser(&folders));
    let model = manifest.find_model(name, &folders).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let voice_activity = manifest.find_model("silero-vad", &folders);
    let engines = Engines {
        model: &model,
        channels,
        config: &config,
        voice_activity_hash: voice_activity.as_ref().map_or("", |file| &file.sha256),
    };
    let plan = plan(&found.candidates, table.as_ref(), store, &engines, args, &mut report)?;

    let hears = plan.jobs.iter().any(|job| !job.cached && !is_text_name(&job.file_name));
    let mut recogniser = None;
    if hears {
        callmark_models::runtime::onnx_runtime(install.onnx_runtime().as_deref())
            .map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
        if let Err(error) = &voice_activity {
            bail!("{error}\nhint: {}", error.hint());
        }
        recogniser = Some(Recogniser::load(&model).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?);
        report.recogniser = Some(model.name.clone());
        report.starter = model.name == STARTER;
        if report.starter && !common.quiet {
            summary::starter_notice();
        }
    }
    let threads = args.jobs.map_or_else(rayon::current_num_threads, |n| n as usize);
    let encoders = open_encoders(&install, threads, &mut report.warnings);
    prepare_phrases(&mut analyst, encoders.as_ref(), store)?;

    let total_bytes = plan.jobs.iter().map(|j| j.size_bytes).sum();
    let configuration = sha256_hex(format!("{}\nchannels={}", config.transcription_key(), channels.key()).as_bytes());
    let lanes = Lanes {
        recogniser: recogniser.as_ref(),
        recogniser_lanes: threads,
        decoders: threads.div_ceil(2),
        analysis_threads: threads,
        voice_activity: &|| {
            let file = voice_activity.as_ref().map_err(|e| CallError::new(Stage::VoiceActivity, e, e.hint()))?;
            VoiceActivity::load(&file.path).map_err(|e| CallError::new(Stage::VoiceActivity, &e, e.hint()))
        },
        cached: &|job| {
            let stored = store.get_analysis(&job.recording_id, &job.model_key);
            stored.map_err(|e| CallError::new(Stage::Read, &e, e.hint()))
        },
        options: RecogniseOptions {
            channels,
            vocabulary: config.vocabulary.clone(),
            lexicon: analyst.lexicon,
            confidence_floor_permille: model.recogniser_settings().confidence_floor_permille,
            model_languages: model_languages(&model),
        },
        limits: Limits { max_duration_s: config.max_duration_s, ..Limits::default() },
        clock: StageClock::default(),
        analyst: &analyst,
        encoders: encoders.as_ref(),
        context: &|job, transcript| context(job, transcript, store, &engines, encoders.as_ref(), &configuration),
    };
    let mut progress = Progress::start(plan.jobs.len(), total_bytes, common.quiet);
    let mut writer =
        Writer { store, out: &args.out, report: &mut report, progress: &mut progress, calls: plan.calls, broken: None };
    batch::run(plan.jobs, &lanes, |done| writer.take(done));
    let (calls, broken) = (std::mem::take(&mut writer.calls), writer.broken.take());
    progress.finish();
    if let Some(error) = broken {
        return Err(error.context("the run stopped; what was committed is safe and is not done again"));
    }
    report.audio_seconds = progress.audio_ms() as f64 / 1000.0;
    report.elapsed_seconds = progress.elapsed().as_secs_f64();
    report.audio_seconds_per_second = progress.audio_seconds_per_second();
    let clock = &lanes.clock;
    let stages = [
        ("decode_and_resample", &clock.decode),
        ("voice_activity", &clock.voice_activity),
        ("recognise", &clock.recognise),
        ("text_models", &clock.text_models),
        ("score", &clock.score),
    ];
    report.stage_seconds = stages.into_iter().map(|(name, busy)| (name, busy.seconds())).collect();
    finish(args, common, store, &calls, &mut report)
}

/// Writes the tables, prints the summary, decides the exit code.
fn finish(
    args: &RunArgs,
    common: &Common,
    store: &dyn Store,
    calls: &BTreeSet<String>,
    report: &mut RunSummary,
) -> Result<u8> {
    let mut summaries = Vec::new();
    let mut fatal = false;
    let mut tables = outputs::Tables::create(&args.out)?;
    for call_id in calls {
        let Some(stored) = store.get_call(call_id).map_err(explain)? else { continue };
        let record = stored.record;
        tables.add(&record)?;
        fatal |= has_fatal(&record);
        count_status(&record, report);
        summaries.push(CallSummary::from_record(&record));
    }
    tables.finish()?;
    let everything = all_summaries(store, &CallFilter::default())?;
    outputs::write_reps(&args.out, &everything)?;
    outputs::write_reviews(&args.out, &store.all_reviews().map_err(explain)?)?;
    let scores: Vec<i64> = summaries.iter().filter_map(|s| s.score).collect();
    let mean = (!scores.is_empty()).then(|| scores.iter().sum::<i64>() as f64 / scores.len() as f64);
    report.mean_score = mean.map(|m| m / 1000.0);
    if args.json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else if !common.quiet {
        summary::print_run(report);
        summary::print_reps(&everything, callmark_core::performance::PeriodKind::All)?;
    }
    if common.quiet {
        summary::print_failures(report);
    }
    let counted = report.failed.iter().filter(|f| !f.known).count();
    let below = args.fail_under.is_some_and(|floor| mean.is_some_and(|m| m < floor as f64));
    Ok(match () {
        () if counted > 0 => SOME_FAILED,
        () if below || (args.fail_on == Some(FailOn::Fatal) && fatal) => GATE,
        () => FINISHED,
    })
}

/// A confirmed fatal, or one that waits for a decision; an overturned one is neither.
fn has_fatal(record: &CallRecord) -> bool {
    let evaluation = &record.evaluation;
    let fatal =
        |id: &String| evaluation.ledger.iter().any(|r| r.severity == Severity::Fatal && &r.requirement_id == id);
    evaluation.fatal_count > 0 || evaluation.pending.iter().any(fatal)
}

fn count_status(record: &CallRecord, report: &mut RunSummary) {
    match record.evaluation.status {
        Status::Scored => report.scored += 1,
        Status::PendingReview => report.pending_review += 1,
        Status::Unscored => {
            let reason = record.evaluation.reason.map_or_else(|| "unknown".to_string(), |r| outputs::snake(&r));
            *report.unscored.entry(reason).or_default() += 1;
        }
        Status::Failed => {}
    }
}

/// Summaries of stored calls in call-id order, for the rep tables.
pub fn all_summaries(store: &dyn Store, filter: &CallFilter) -> Result<Vec<CallSummary>> {
    let calls = store.calls(filter).map_err(explain)?;
    calls.map(|stored| Ok(CallSummary::from_record(&stored.map_err(explain)?.record))).collect()
}

/// The languages that callmark scores and the model follows; empty means all.
fn model_languages(model: &ModelFile) -> Vec<Language> {
    let listed = model.entry.iter().flat_map(|entry| &entry.languages);
    listed.filter_map(|tag| Language::parse(tag)).collect()
}

fn is_text_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".vtt", ".srt", ".txt", ".json"].iter().any(|end| name.ends_with(end))
}

/// What transcripts are made with.
struct Engines<'a> {
    model: &'a ModelFile,
    channels: call::ChannelMap,
    config: &'a Config,
    voice_activity_hash: &'a str,
}

impl Engines<'_> {
    /// Equal key, equal transcript: recogniser, voice activity, options, language, channel map, text-reader version.
    fn model_key(&self, language: Option<&str>) -> String {
        let parts = [
            "transcript 1",
            &self.model.sha256,
            self.voice_activity_hash,
            &self.config.transcription_key(),
            &self.channels.key(),
            &format!("{:?}", self.model.recogniser_settings()),
            // Inferred roles hang on the acts.
            &if self.channels == call::ChannelMap::Auto { ActLexicon::built_in_hash() } else { String::new() },
            language.unwrap_or(""),
        ];
        sha256_hex(parts.join("\n").as_bytes())
    }

    fn hashes(&self) -> BTreeMap<String, String> {
        let named = [("recogniser", self.model.sha256.as_str()), ("voice_activity", self.voice_activity_hash)];
        named.into_iter().map(|(role, hash)| (role.to_string(), hash.to_string())).collect()
    }
}

struct Plan {
    jobs: Vec<Job>,
    /// Calls of this run whose outputs belong into the tables.
    calls: BTreeSet<String>,
}

/// Hashes what is new, joins metadata, and decides what each file needs.
fn plan(
    candidates: &[Candidate],
    table: Option<&MetadataTable>,
    store: &dyn Store,
    engines: &Engines,
    args: &RunArgs,
    report: &mut RunSummary,
) -> Result<Plan> {
    let identified: Vec<Result<String, String>> =
        candidates.par_iter().map(|c| identify(c, store, args.rehash).map_err(|e| e.to_string())).collect();
    let mut plan = Plan { jobs: vec![], calls: BTreeSet::new() };
    let (mut seen, mut taken) = (BTreeSet::new(), BTreeMap::new());
    for (candidate, identified) in candidates.iter().zip(identified) {
        let refuse = |key: &str, cause: String, hint: &str, report: &mut RunSummary| -> Result<()> {
            fail(store, key, &candidate.file_name, &CallError::new(Stage::Read, cause, hint), report)
        };
        let recording_id = match identified {
            Ok(id) => id,
            Err(cause) => {
                let hint = "check that the file can be read by this user";
                refuse(&candidate.path.to_string_lossy(), cause, hint, report)?;
                continue;
            }
        };
        if !seen.insert(recording_id.clone()) {
            report.duplicates += 1;
            continue;
        }
        let sidecar = sidecar(&candidate.path, report);
        let mut about = metadata::join(&candidate.path, table, sidecar);
        if about.call_id.is_none()
            && let Some(earlier) = store.calls_of_recording(&recording_id).map_err(explain)?.first()
            && let Some(stored) = store.get_call(earlier).map_err(explain)?
        {
            // A renamed or re-delivered file stays the call that it was; new metadata win over stored ones.
            about = metadata::fill(about, stored.record.metadata);
        }
        let call_id = recording::call_id(&about, std::slice::from_ref(&recording_id));
        if store.tombstone(&call_id, &recording_id).map_err(explain)?.is_some() {
            report.forgotten += 1;
            continue;
        }
        if !args.retry_failed
            && let Some(known) = store.get_failure(&recording_id, PROGRAM_VERSION).map_err(explain)?
        {
            report.failed.push(Failure {
                file: candidate.file_name.clone(),
                stage: known.stage,
                cause: known.cause,
                hint: known.hint,
                known: true,
            });
            plan.calls.insert(call_id);
            continue;
        }
        let others = store.recordings(&call_id).map_err(explain)?;
        let refused = match taken.insert(call_id.clone(), candidate.file_name.clone()) {
            Some(other) => Some(format!("its call id is also that of {other}")),
            None if others.is_empty() || others.iter().any(|o| o.recording_id == recording_id) => None,
            None => Some("another recording with its call id is in the store".to_string()),
        };
        if let Some(cause) = refused {
            refuse(
                &recording_id,
                cause,
                "give each recording its own call_id in the metadata, or use another --store",
                report,
            )?;
            continue;
        }
        // A recording that got another call id (late metadata) leaves the one that it had; its reviews go with it.
        for former in store.calls_of_recording(&recording_id).map_err(explain)?.iter().filter(|id| **id != call_id) {
            store.rename_call(former, &call_id).map_err(explain)?;
            outputs::remove_call(&args.out, former)?;
        }
        let model_key = engines.model_key(about.language.as_deref());
        plan.jobs.push(Job {
            path: candidate.path.clone(),
            file_name: candidate.file_name.clone(),
            cached: store.get_analysis(&recording_id, &model_key).map_err(explain)?.is_some(),
            recording_id,
            call_id,
            size_bytes: candidate.size_bytes,
            metadata: about,
            model_key,
        });
    }
    Ok(plan)
}

/// SHA-256 of the file's bytes, from the cache when path, size, time and inode are unchanged.
fn identify(candidate: &Candidate, store: &dyn Store, rehash: bool) -> Result<String> {
    let stamp = FileStamp {
        path: std::path::absolute(&candidate.path)?.to_string_lossy().into_owned(),
        size: candidate.size_bytes,
        mtime_ns: candidate.mtime_ns,
        inode: candidate.inode,
    };
    if !rehash && let Some(id) = store.get_file(&stamp).map_err(explain)? {
        return Ok(id);
    }
    let id = callmark_models::manifest::file_sha256(&candidate.path).map_err(|e| anyhow!("{e}"))?;
    store.put_file(&stamp, &id).map_err(explain)?;
    Ok(id)
}

fn metadata_table(args: &RunArgs, beside: &[PathBuf]) -> Result<Option<MetadataTable>> {
    let path = match (&args.metadata, beside) {
        (Some(path), _) => path,
        (None, []) => return Ok(None),
        (None, [one]) => one,
        (None, several) => bail!("{} folders bring a metadata.csv\nhint: say which one with --metadata", several.len()),
    };
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the metadata {}", path.display()))?;
    let table = MetadataTable::read(&bytes).map_err(|e| anyhow!("{}: {e}\nhint: {}", path.display(), e.hint()))?;
    for warning in &table.warnings {
        eprintln!("warning: {}: {warning}", path.display());
    }
    Ok(Some(table))
}

fn sidecar(recording: &Path, report: &mut RunSummary) -> Option<recording::Metadata> {
    for path in metadata::sidecar_paths(recording) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        match metadata::read_sidecar(&bytes) {
            Ok(Some((metadata, warnings))) => {
                report.warnings.extend(warnings.iter().map(|w| format!("{}: {w}", path.display())));
                return Some(metadata);
            }
            Ok(None) => {}
            Err(error) => report.warnings.push(format!("{}: {error} (hint: {})", path.display(), error.hint())),
        }
    }
    None
}

/// What the store knows about a call that decides whether and how it is scored.
fn context(
    job: &Job,
    transcript: &Transcript,
    store: &dyn Store,
    engines: &Engines,
    encoders: Option<&EncoderPool>,
    configuration: &str,
) -> Result<Context, CallError> {
    let failed = |e: callmark_store::StoreError| CallError::new(Stage::Analyse, &e, e.hint());
    let scores = match encoders.filter(|_| transcript.language == Some(Language::En)) {
        Some(pool) => {
            store.get_text_scores(&job.call_id, pool.encoder_hash(), &transcript_hash(transcript)).map_err(failed)?
        }
        None => None,
    };
    let spoken = transcript.recogniser_confidence_permille.is_some();
    Ok(Context {
        scores,
        reviews: store.reviews(&job.call_id).map_err(failed)?,
        models: if spoken { engines.hashes() } else { BTreeMap::new() },
        configuration: configuration.to_string(),
        stored_key: store.evaluation_key(&job.call_id).map_err(failed)?,
    })
}

/// The one writer: commits each result before it counts as done.
struct Writer<'a> {
    store: &'a dyn Store,
    out: &'a Path,
    report: &'a mut RunSummary,
    progress: &'a mut Progress,
    calls: BTreeSet<String>,
    /// The first error that makes going on senseless (store or output folder not writable).
    broken: Option<anyhow::Error>,
}

impl Writer<'_> {
    /// Returns false when the batch should stop.
    fn take(&mut self, done: Done) -> bool {
        if self.broken.is_none()
            && let Err(error) = self.store_result(done)
        {
            self.broken = Some(error);
        }
        self.broken.is_none()
    }

    fn store_result(&mut self, done: Done) -> Result<()> {
        match done {
            Done::Transcribed { job, transcript } => {
                if transcript.recogniser_confidence_permille.is_some() {
                    self.report.transcribed += 1;
                    self.progress.heard(transcript.duration_ms);
                }
                let row = AnalysisRow {
                    recording_id: job.recording_id.clone(),
                    model_key: job.model_key,
                    transcript: *transcript,
                };
                self.store.put_analysis(&row).map_err(explain)
            }
            Done::Scored { job, record, scores, encoder_hash, key } => {
                if let Some(hash) = encoder_hash {
                    let transcript = transcript_hash(&record.transcript);
                    self.store.put_text_scores(&record.call_id, &hash, &transcript, &scores).map_err(explain)?;
                }
                let path = job.path.to_string_lossy().into_owned();
                let link = RecordingLink { recording_id: job.recording_id.clone(), path };
                outputs::write_call(self.out, &record)?;
                if !self.store.put_call(&record, &key, &[link]).map_err(explain)? {
                    // Forgotten while it was in the lanes.
                    outputs::remove_call(self.out, &record.call_id)?;
                    self.report.forgotten += 1;
                    self.progress.advance(job.size_bytes);
                    return Ok(());
                }
                if record.evaluation.score.is_some() && self.report.first_scored_seconds.is_none() {
                    self.report.first_scored_seconds = Some(self.progress.elapsed().as_secs_f64());
                }
                self.finished(&job);
                Ok(())
            }
            Done::Unchanged { job } => {
                self.report.unchanged += 1;
                if let Some(stored) = self.store.get_call(&job.call_id).map_err(explain)? {
                    // Writes only what is missing or older than a review or re-score.
                    outputs::write_call(self.out, &stored.record)?;
                }
                self.finished(&job);
                Ok(())
            }
            Done::Failed { job, error } => {
                self.progress.message(&format!("failed: {}: {error}", job.file_name));
                // The tables count it with its rep; an earlier result of the same call stays.
                if self.store.get_call(&job.call_id).map_err(explain)?.is_none() {
                    let path = job.path.to_string_lossy().into_owned();
                    let link = RecordingLink { recording_id: job.recording_id.clone(), path };
                    self.store.put_call(&failed_record(&job), "failed", &[link]).map_err(explain)?;
                }
                fail(self.store, &job.recording_id, &job.file_name, &error, self.report)?;
                self.finished(&job);
                Ok(())
            }
        }
    }

    fn finished(&mut self, job: &Job) {
        self.calls.insert(job.call_id.clone());
        self.progress.advance(job.size_bytes);
    }
}

/// The record of a call that could not be processed: who and when, nothing else.
fn failed_record(job: &Job) -> CallRecord {
    let transcript = Transcript {
        medium: Medium::Speech,
        language: job.metadata.language.as_deref().and_then(Language::parse),
        duration_ms: 0,
        role_method: RoleMethod::None,
        role_confidence_permille: 0,
        recogniser_confidence_permille: None,
        confidence_floor_permille: None,
        turns: vec![],
        speech: vec![],
        dropped: BTreeMap::new(),
        warnings: vec![],
    };
    let mut evaluation = scoring::unscored(UnscoredReason::NoConversation, None);
    (evaluation.status, evaluation.reason) = (Status::Failed, None);
    CallRecord {
        schema_version: RECORD_SCHEMA,
        call_id: job.call_id.clone(),
        metadata: job.metadata.clone(),
        transcript,
        signals: Signals::default(),
        sentiment: vec![],
        acts: vec![],
        evaluation,
        provenance: Provenance {
            program_version: PROGRAM_VERSION.to_string(),
            audio: vec![job.recording_id.clone()],
            ..Provenance::default()
        },
    }
}

/// Reports a recording that failed, and remembers it when its own bytes are the cause.
fn fail(store: &dyn Store, key: &str, file_name: &str, error: &CallError, report: &mut RunSummary) -> Result<()> {
    let row = FailureRow {
        key: key.to_string(),
        file_name: file_name.to_string(),
        stage: error.stage.name().to_string(),
        cause: error.cause.clone(),
        hint: error.hint.clone(),
        program_version: PROGRAM_VERSION.to_string(),
    };
    if error.lasting {
        store.put_failure(&row).map_err(explain)?;
    }
    report.failed.push(Failure {
        file: row.file_name,
        stage: row.stage,
        cause: row.cause,
        hint: row.hint,
        known: false,
    });
    Ok(())
}

/// One transcribing run at a time per store. The lock goes with the process, also after kill -9.
fn lock(url: &str) -> Result<Option<File>> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path == ":memory:" {
        return Ok(None);
    }
    let path = PathBuf::from(format!("{path}.lock"));
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the store's folder {}", folder.display()))?;
    }
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "{}", std::process::id())?;
            Ok(Some(file))
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "another run (process {}) works on this store\nhint: wait for it, or use another --store",
                holder.trim()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context("cannot lock the store"),
    }
}
