//! A batch as lanes over bounded channels: feeders (texts here, sound in the worker process) → analysis on rayon → one writer.
//!
//! A bad call never stops a batch: it becomes a [`Done::Failed`]. Results are events; the caller stores and reports them.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use callmark_core::record::CallRecord;
use callmark_core::recording::Metadata;
use callmark_core::redaction;
use callmark_core::transcript::{Transcript, TurnScores};
use callmark_store::{FileStamp, RecordingLink};
use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::prelude::*;

use crate::analysis::{Analysed, Analyst};
use crate::call::{self, CallError, Stage, StageClock};
use crate::channel_map::ChannelMap;
use crate::config::RedactionSettings;
use crate::discover;
use crate::text_encoders::{TextEncoders, TextModelHashes};
use crate::work_time::Stopwatch;
use crate::worker::{Crew, Task};

/// One recording to process.
#[derive(Debug, Clone)]
pub struct Job {
    pub path: PathBuf,
    pub file_name: String,
    /// Of the file when it was hashed.
    pub stamp: FileStamp,
    pub recording_id: String,
    pub call_id: String,
    pub metadata: Metadata,
    /// Under which the transcript is cached: models and everything that can change a transcript.
    pub model_key: String,
    /// Which channel carries whom.
    pub channels: ChannelMap,
    /// The second of two recordings with one side each.
    pub other: Option<OtherSide>,
    /// The store has the transcript of an earlier run, and nothing it depends on has changed.
    pub cached: bool,
}

/// The recording of a call's second side.
#[derive(Debug, Clone)]
pub struct OtherSide {
    pub path: PathBuf,
    pub stamp: FileStamp,
    pub recording_id: String,
    /// After the first one; `None`: to be found out.
    pub begins_ms: Option<i64>,
}

impl OtherSide {
    /// Everything about it that can change a transcript.
    pub fn key(&self) -> String {
        let named = self.path.file_name().and_then(|name| callmark_audio::headerless_format(&name.to_string_lossy()));
        format!("other side {} {:?} {}", self.recording_id, self.begins_ms, named.unwrap_or(""))
    }
}

impl Job {
    /// The recordings, the first side's (the rep's, when that is known) first.
    pub fn recordings(&self) -> Vec<RecordingLink> {
        let link = |recording_id: &String, stamp: &FileStamp| RecordingLink {
            recording_id: recording_id.clone(),
            path: stamp.path.clone(),
        };
        let other = self.other.iter().map(|other| link(&other.recording_id, &other.stamp));
        std::iter::once(link(&self.recording_id, &self.stamp)).chain(other).collect()
    }

    /// What the worker needs to know.
    fn task(&self) -> Task {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        Task {
            number: 0,
            path: bytes(&self.path),
            other: self.other.as_ref().map(|other| (bytes(&other.path), other.begins_ms)),
            channels: self.channels,
            language: self.metadata.language.clone(),
        }
    }

    pub fn size_bytes(&self) -> u64 {
        self.stamp.size + self.other.as_ref().map_or(0, |other| other.stamp.size)
    }
}

/// What a batch reports, in the order of completion.
#[derive(Debug)]
pub enum Done {
    /// A transcript to be stored at once, so that a killed run does not transcribe its recording again.
    Transcribed {
        job: Box<Job>,
        transcript: Box<Transcript>,
        /// False: it was stored before, with words that must not be kept any more.
        fresh: bool,
    },
    /// A call was scored; `key` says what the result depends on.
    Scored {
        job: Box<Job>,
        record: Box<CallRecord>,
        scores: Box<TurnScores>,
        text_models: Option<TextModelHashes>,
        key: String,
    },
    /// The stored result still holds.
    Unchanged {
        job: Box<Job>,
    },
    Failed {
        job: Box<Job>,
        error: CallError,
    },
}

/// Thread counts and engines of one batch.
pub struct Lanes<'a> {
    /// Transcribes what is sound.
    pub crew: &'a Crew,
    /// Threads that read texts and wait for the crew.
    pub feeders: usize,
    pub analysis_threads: usize,
    /// The stored transcript of a job.
    pub cached: &'a (dyn Fn(&Job) -> Result<Option<Transcript>, CallError> + Sync),
    pub clock: StageClock,
    pub redaction: &'a RedactionSettings,
    pub analyst: &'a Analyst,
    pub encoders: &'a TextEncoders,
    /// What is known about a call before scoring: earlier text scores, reviews, provenance. Settles the transcript's roles.
    pub context: &'a (dyn Fn(&Job, &mut Transcript) -> Result<Context, CallError> + Sync),
}

/// Stored facts that the analysis of one call needs.
#[derive(Debug, Default)]
pub struct Context {
    pub scores: Option<TurnScores>,
    pub reviews: Vec<callmark_core::record::Review>,
    pub models: std::collections::BTreeMap<String, String>,
    pub configuration: String,
    /// The key of the stored evaluation, if there is one.
    pub stored_key: Option<String>,
}

struct Transcribed {
    job: Job,
    /// Redacted: nothing that comes after sees anything else.
    transcript: Transcript,
    /// What the store keeps of it, when that is new, and whether the recording was transcribed for it.
    to_keep: Option<(Transcript, bool)>,
}

/// Runs all jobs and gives every result to `report` on the calling thread (the one writer); `false` from it stops the batch.
pub fn run(jobs: Vec<Job>, lanes: &Lanes, mut report: impl FnMut(Done) -> bool) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(lanes.analysis_threads).build();
    let next = AtomicUsize::new(0);
    let (transcribed_in, transcribed) = bounded::<Transcribed>(4 * lanes.analysis_threads);
    let (done_in, done) = bounded::<Done>(64);
    std::thread::scope(|scope| {
        for _ in 0..lanes.feeders {
            let (transcribed_in, done_in) = (transcribed_in.clone(), done_in.clone());
            let (jobs, next) = (&jobs, &next);
            scope.spawn(move || feeder(jobs, next, lanes, &transcribed_in, &done_in));
        }
        drop(transcribed_in);
        scope.spawn(move || match pool {
            Ok(pool) => analysis(lanes, &pool, &transcribed, &done_in),
            Err(error) => {
                for Transcribed { job, .. } in transcribed {
                    let error = CallError::new(Stage::Analyse, &error, "lower --jobs");
                    let _ = done_in.send(Done::Failed { job: Box::new(job), error });
                }
            }
        });
        for result in done {
            if !report(result) {
                // No new recordings; what is in the lanes runs out and is reported, so that nobody waits on a full channel.
                next.store(jobs.len(), Ordering::Relaxed);
            }
        }
    });
}

fn feeder(jobs: &[Job], next: &AtomicUsize, lanes: &Lanes, transcribed: &Sender<Transcribed>, done: &Sender<Done>) {
    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
        let sent = match call::guarded(Stage::Read, || transcript(job, lanes)) {
            Ok((transcript, to_keep)) => {
                transcribed.send(Transcribed { job: job.clone(), transcript, to_keep }).is_ok()
            }
            Err(error) => done.send(Done::Failed { job: Box::new(job.clone()), error }).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// The job's transcript, redacted, and what the store is to keep of it.
fn transcript(job: &Job, lanes: &Lanes) -> Result<(Transcript, Option<(Transcript, bool)>), CallError> {
    let (original, fresh) = heard(job, lanes)?;
    let mut redacted = original.clone();
    redaction::redact(&mut redacted, &lanes.redaction.entities);
    let kept = if lanes.redaction.keep_original { &original } else { &redacted };
    let to_keep = (fresh || *kept != original).then(|| (kept.clone(), fresh));
    Ok((redacted, to_keep))
}

/// The words as they were said, or as the store has them, and whether they are new.
fn heard(job: &Job, lanes: &Lanes) -> Result<(Transcript, bool), CallError> {
    if job.cached
        && let Some(transcript) = (lanes.cached)(job)?
    {
        return Ok((transcript, false));
    }
    let text = match job.other {
        None => call::read_text(&job.path, &job.file_name, &job.metadata)?,
        Some(_) => None,
    };
    let transcript = match text {
        Some(transcript) => transcript,
        None => {
            let (transcript, spent) = lanes.crew.hear(job.task(), job.size_bytes())?;
            lanes.clock.decode.add_time(spent.decode);
            lanes.clock.voice_activity.add_time(spent.voice_activity);
            lanes.clock.recognise.add_time(spent.recognise);
            *transcript
        }
    };
    // What was hashed is what was heard, or the transcript would be kept under the wrong recording.
    let same = |path: &Path, stamp: &FileStamp| discover::stamp(path).is_ok_and(|now| now == *stamp);
    if same(&job.path, &job.stamp) && job.other.as_ref().is_none_or(|other| same(&other.path, &other.stamp)) {
        return Ok((transcript, true));
    }
    let hint = "it is still being written; run again when it is complete (`callmark watch` waits for that)";
    Err(CallError::new(Stage::Read, "the file changed while it was read", hint))
}

/// Takes whatever transcripts wait and analyses them together. Channels are touched here only, never inside a rayon closure.
fn analysis(lanes: &Lanes, pool: &rayon::ThreadPool, transcribed: &Receiver<Transcribed>, done: &Sender<Done>) {
    while let Ok(first) = transcribed.recv() {
        let waiting = transcribed.try_iter().take(4 * lanes.analysis_threads - 1);
        let group: Vec<Transcribed> = std::iter::once(first).chain(waiting).collect();
        let mut to_analyse = Vec::with_capacity(group.len());
        for Transcribed { job, transcript, to_keep } in group {
            if let Some((kept, fresh)) = to_keep {
                let event = Done::Transcribed { job: Box::new(job.clone()), transcript: Box::new(kept), fresh };
                let _ = done.send(event);
            }
            to_analyse.push((job, transcript));
        }
        let results: Vec<Done> = pool
            .install(|| to_analyse.into_par_iter().map(|(job, transcript)| analyse(lanes, job, transcript)).collect());
        for result in results {
            let _ = done.send(result);
        }
    }
}

fn analyse(lanes: &Lanes, job: Job, mut transcript: Transcript) -> Done {
    let result = call::guarded(Stage::Analyse, || {
        let context = (lanes.context)(&job, &mut transcript)?;
        let began = Stopwatch::start();
        let read = lanes.encoders.scores(&transcript, context.scores);
        let (scores, text_models) = read.map_err(|e| CallError::new(Stage::Analyse, &e, e.hint()))?;
        lanes.clock.text_models.add(&began);
        let began = Stopwatch::start();
        let call = Analysed {
            call_id: job.call_id.clone(),
            metadata: job.metadata.clone(),
            transcript,
            scores,
            text_models,
            recording_ids: job.recordings().into_iter().map(|link| link.recording_id).collect(),
            models: context.models,
            configuration: context.configuration,
            reviews: context.reviews,
        };
        let key = lanes.analyst.evaluation_key(&call);
        if context.stored_key.as_ref() == Some(&key) {
            return Ok(None);
        }
        let record = lanes.analyst.evaluate(&call);
        lanes.clock.score.add(&began);
        Ok(Some((record, call.scores, call.text_models, key)))
    });
    let job = Box::new(job);
    match result {
        Ok(None) => Done::Unchanged { job },
        Ok(Some((record, scores, text_models, key))) => {
            Done::Scored { job, record: Box::new(record), scores: Box::new(scores), text_models, key }
        }
        Err(error) => Done::Failed { job, error },
    }
}
