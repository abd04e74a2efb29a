//! One transcribing session: the lock, the store, the models and the scorecards that its batches share. `run` has one batch,
//! `watch` has many.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use callmark_core::acts::ActLexicon;
use callmark_core::performance::{PerformanceTable, PeriodKind};
use callmark_core::recording::{Language, sha256_hex};
use callmark_core::roles;
use callmark_core::transcript::Transcript;
use callmark_models::manifest::{ModelError, ModelFile, STARTER};
use callmark_store::Store;

use crate::advice::{self, Machine};
use crate::analysis::Analyst;
use crate::batch::{self, Context, Job, Lanes};
use crate::call::{CallError, Stage, StageClock, transcript_hash};
use crate::channel_map::ChannelMap;
use crate::cli::{Common, ProcessArgs};
use crate::commands::{explain, store_url};
use crate::config::Config;
use crate::discover::{Discovered, is_text_name};
use crate::install::{Install, known_models};
use crate::journeys::{AsOf, journeys};
use crate::lanes::{self, Wishes};
use crate::lock::Lock;
use crate::plan::{self, Diligence, Engines};
use crate::progress::Progress;
use crate::read::metadata::MetadataSources;
use crate::render::indicators::{self, Indicators};
use crate::render::report::{self, History, Options, Scope};
use crate::render::{outputs, performance, summary};
use crate::run_summary::{Failure, RunSummary};
use crate::sound_networks::SoundNetworkFiles;
use crate::text_encoders::TextEncoders;
use crate::worker::{Crew, Patience, Setup};
use crate::writer::Writer;

/// What was written at the end of a batch.
pub struct Outputs {
    /// Where the report begins.
    pub report: PathBuf,
}

/// Everything that outlives a batch.
pub struct Session {
    config: Config,
    channels: ChannelMap,
    channels_by_flag: bool,
    metadata: Vec<PathBuf>,
    out: PathBuf,
    url: String,
    store: Box<dyn Store>,
    _lock: Lock,
    analyst: Analyst,
    model: ModelFile,
    networks: Result<SoundNetworkFiles, ModelError>,
    crew: Crew,
    encoders: TextEncoders,
    threads: usize,
    diligence: Diligence,
    quiet: bool,
    /// Of opening, for the first batch's report.
    warnings: Vec<String>,
}

impl Session {
    /// Takes the lock and makes everything ready but the recogniser, which starts when there is something to hear.
    ///
    /// # Errors
    /// Configuration, scorecards, models or the store cannot be used, or another run holds the lock.
    pub fn open(args: &ProcessArgs, common: &Common, config: Config) -> Result<Session> {
        let install = Install::find()?;
        let channels = match &args.channels {
            Some(text) => ChannelMap::parse(text)?,
            None => config.channels,
        };
        let mut analyst = Analyst::load(args.scorecard.as_deref(), &config, &install)?;
        outputs::prepare_folder(&args.out)?;
        let url = store_url(common)?;
        let lock = Lock::take(&url)?;
        let store = callmark_store::open(&url).map_err(explain)?;
        let manifest = known_models()?;
        let folders = install.model_folders();
        let name =
            args.model.as_deref().or(config.model.as_deref()).unwrap_or_else(|| manifest.default_recogniser(&folders));
        let model = manifest.find_model(name, &folders).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
        let networks = SoundNetworkFiles::find(&manifest, &folders, &config);
        let threads = args.jobs.map_or_else(rayon::current_num_threads, |n| n as usize);
        // Each has a text encoder of its own.
        let threads = if args.max_memory.is_some() { threads.min(lanes::LIMITED_ANALYSIS_THREADS) } else { threads };
        let mut warnings = Vec::new();
        let encoders = TextEncoders::open(&install, &config, threads, &mut warnings)?;
        encoders.prepare_phrases(&mut analyst, store.as_ref())?;
        analyst.remember_scorecards(store.as_ref())?;
        let weights_mb = std::fs::metadata(&model.path).map_or(0, |facts| facts.len() >> 20);
        let wishes = Wishes {
            lanes: args.jobs.map(|n| n as usize),
            threads_per_lane: args.threads_per_lane.map(|n| n as usize),
            max_memory_mb: args.max_memory,
        };
        let lanes = lanes::plan(&model, weights_mb, encoders.classifier_mb(), &Machine::this(), &wishes)?;
        let setup = Setup {
            model: model.clone(),
            networks: networks.as_ref().map(SoundNetworkFiles::paths).unwrap_or_default(),
            onnx_runtime: install.onnx_runtime(),
            lanes: lanes.lanes,
            threads_per_lane: lanes.threads_per_lane,
            memory_limit_bytes: match config.night.worker_memory_mb {
                0 => lanes.memory_limit_mb << 20,
                megabytes => u64::from(megabytes) << 20,
            },
            sound_bytes: lanes.sound_mb << 20,
            vocabulary: config.vocabulary.clone(),
            confidence_floor_permille: model.recogniser_settings().confidence_floor_permille,
            model_languages: model_languages(&model),
            max_duration_s: config.max_duration_s,
        };
        let patience = Patience {
            base: Duration::from_secs(config.night.give_up_base_s.into()),
            times_length: config.night.give_up_factor,
        };
        Ok(Session {
            channels,
            channels_by_flag: args.channels.is_some(),
            metadata: args.metadata.clone(),
            out: args.out.clone(),
            url,
            store,
            _lock: lock,
            analyst,
            model,
            networks,
            crew: Crew::new(setup, patience),
            encoders,
            threads,
            diligence: Diligence { rehash: args.rehash, retry_failed: args.retry_failed },
            quiet: common.quiet,
            warnings,
            config,
        })
    }

    /// Transcribes and scores what was found. `covered` gains the calls that belong into the tables.
    ///
    /// # Errors
    /// What stops everything: the store or the output folder cannot be written, the recogniser cannot load its models. What was
    /// committed until then is safe and is not done again.
    pub fn batch(&mut self, found: &Discovered, covered: &mut BTreeSet<String>) -> Result<RunSummary> {
        let mut report = RunSummary {
            recordings: found.candidates.len(),
            out: self.out.display().to_string(),
            store: self.url.clone(),
            warnings: std::mem::take(&mut self.warnings),
            ..RunSummary::default()
        };
        report.warnings.extend(found.warnings.iter().cloned());
        let mut metadata = MetadataSources::load(&self.metadata, &found.metadata_files, &self.config)?;
        self.analyst.load_precision(self.store.as_ref())?;
        let store = self.store.as_ref();
        let engines = Engines {
            model: &self.model,
            channels: self.channels,
            channels_by_flag: self.channels_by_flag,
            config: &self.config,
            networks: self.networks.as_ref().ok(),
        };
        let plan =
            plan::plan(&found.candidates, &mut metadata, store, &engines, self.diligence, &self.out, &mut report)?;
        covered.extend(plan.known);
        let to_hear: Vec<&Job> = plan.jobs.iter().filter(|job| !job.cached && !is_text_name(&job.file_name)).collect();
        if !to_hear.is_empty() {
            self.start_recogniser(&to_hear, &mut report)?;
        }

        let encoders = &self.encoders;
        let lanes = Lanes {
            crew: &self.crew,
            feeders: self.crew.places(),
            analysis_threads: self.threads,
            cached: &|job| {
                let stored = store.get_analysis(&job.recording_id, &job.model_key);
                stored.map_err(|e| CallError::new(Stage::Read, &e, e.hint()))
            },
            clock: StageClock::default(),
            redaction: &self.config.redaction,
            analyst: &self.analyst,
            encoders,
            context: &|job, transcript| context(job, transcript, store, &engines, encoders),
        };
        let total_bytes = plan.jobs.iter().map(Job::size_bytes).sum();
        let mut progress = Progress::start(plan.jobs.len(), total_bytes, self.quiet);
        let mut writer = Writer {
            store,
            redaction: &self.config.redaction,
            out: &self.out,
            report: &mut report,
            progress: &mut progress,
            calls: covered,
            broken: None,
        };
        batch::run(plan.jobs, &lanes, |done| writer.take(done));
        let broken = writer.broken.take();
        // They came in the order in which threads gave up.
        report.failed.sort_by(|a, b| (&a.file, &a.cause).cmp(&(&b.file, &b.cause)));
        progress.finish();
        if let Some(error) = broken {
            return Err(error.context("the run stopped; what was committed is safe and is not done again"));
        }
        report.audio_seconds = progress.audio_ms() as f64 / 1000.0;
        report.elapsed_seconds = progress.elapsed().as_secs_f64();
        report.audio_seconds_per_second = progress.audio_seconds_per_second();
        report.stage_seconds = lanes.clock.seconds();
        report.stage_cpu_seconds = lanes.clock.cpu_seconds();
        Ok(report)
    }

    fn start_recogniser(&self, to_hear: &[&Job], report: &mut RunSummary) -> Result<()> {
        if let Err(error) = &self.networks {
            bail!("{error}\nhint: {}", error.hint());
        }
        self.crew.start().map_err(|e| anyhow!("{}\nhint: {}", e.cause, e.hint))?;
        report.recogniser = Some(self.model.name.clone());
        if self.model.name == STARTER && !self.quiet {
            let spoken = to_hear.iter().filter_map(|job| Language::parse(job.metadata.language.as_deref()?));
            let mut languages: BTreeSet<Language> = spoken.collect();
            if languages.is_empty() {
                languages = self.config.languages();
            }
            let audio_s = to_hear.iter().map(|job| advice::audio_seconds(&job.path, job.stamp.size)).sum();
            eprintln!("{}", advice::notice(&known_models()?, &Machine::this(), &languages, audio_s));
        }
        Ok(())
    }

    /// Writes the tables and the report of the covered calls, and the table of all reps; gives the place where the report begins.
    pub fn write_outputs(&self, covered: &BTreeSet<String>, failed: &[Failure]) -> Result<Outputs> {
        let mut tables = outputs::Tables::create(&self.out)?;
        for call_id in covered {
            let Some(stored) = self.store.get_call(call_id).map_err(explain)? else { continue };
            tables.add(&stored.record)?;
        }
        tables.finish()?;
        outputs::write_performance(&self.out, self.store.as_ref())?;
        let found = Indicators::of(self.store.as_ref(), &self.config)?;
        indicators::write(&self.out, found.as_ref())?;
        outputs::write_reviews(&self.out, &self.store.all_reviews().map_err(explain)?)?;
        let opportunities = journeys(self.store.as_ref(), &self.config, AsOf::LastKnown(None))?;
        let journey_items = self.config.journey.settings().items;
        let scope = Scope {
            calls: covered.iter().cloned().collect(),
            failures: failed.iter().map(Into::into).collect(),
            until: None,
            history: History::Stored,
            journeys: opportunities.as_ref(),
            journey_items: &journey_items,
            indicators: found.as_ref(),
            reps: &self.config.reps,
        };
        let options = Options {
            language: self.config.report.language,
            clips: self.config.report.clips,
            scorecards: self.analyst.scorecards(),
            layout: None,
        };
        let report = report::write(&self.out, self.store.as_ref(), &scope, &options)?.start;
        Ok(Outputs { report })
    }

    /// The end of a batch on the terminal.
    pub fn print(&self, report: &RunSummary, outputs: Option<&Outputs>) -> Result<()> {
        if self.quiet {
            summary::print_failures(report);
            return Ok(());
        }
        summary::print_run(report);
        if outputs.is_none() {
            return Ok(());
        }
        let mut rows = Vec::new();
        performance::stored_rows(self.store.as_ref(), PerformanceTable::RepPeriod, &[PeriodKind::All], |row| {
            rows.push(row);
            Ok(())
        })?;
        summary::print_reps(&rows)
    }
}

/// The languages that callmark scores and the model follows; empty means all.
pub fn model_languages(model: &ModelFile) -> Vec<Language> {
    let listed = model.entry.iter().flat_map(|entry| &entry.languages);
    listed.filter_map(|tag| Language::parse(tag)).collect()
}

/// What the store knows about a call that decides whether and how it is scored.
fn context(
    job: &Job,
    transcript: &mut Transcript,
    store: &dyn Store,
    engines: &Engines,
    encoders: &TextEncoders,
) -> Result<Context, CallError> {
    let failed = |e: callmark_store::StoreError| CallError::new(Stage::Analyse, &e, e.hint());
    let reviews = store.reviews(&job.call_id).map_err(failed)?;
    roles::settle(transcript, job.metadata.direction, &reviews, ActLexicon::built_in());
    let scores = match encoders.hashes(transcript.language) {
        Some(models) => {
            store.get_text_scores(&job.call_id, &models.key(), &transcript_hash(transcript)).map_err(failed)?
        }
        None => None,
    };
    let configuration = format!("{}\nchannels={}", engines.config.transcription_key(), job.channels.key());
    let spoken = transcript.recogniser_confidence_permille.is_some();
    Ok(Context {
        scores,
        reviews,
        models: if spoken { engines.hashes() } else { BTreeMap::new() },
        configuration: sha256_hex(configuration.as_bytes()),
        stored_key: store.evaluation_key(&job.call_id).map_err(failed)?,
    })
}
