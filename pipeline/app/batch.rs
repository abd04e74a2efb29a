//! A batch as lanes over bounded channels: decoders → recogniser lanes → analysis on rayon → one writer.
//!
//! A bad call never stops a batch: it becomes a [`Done::Failed`]. Results are events; the caller stores and reports them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use callmark_audio::Limits;
use callmark_core::record::CallRecord;
use callmark_core::recording::Metadata;
use callmark_core::transcript::{Transcript, TurnScores};
use callmark_models::asr::Recogniser;
use callmark_models::vad::VoiceActivity;
use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::prelude::*;

use callmark_models::text_encoder::EncoderPool;

use crate::analysis::{Analysed, Analyst};
use crate::call::{self, CallError, Prepared, RecogniseOptions, Stage, StageClock};

/// One recording to process.
#[derive(Debug, Clone)]
pub struct Job {
    pub path: PathBuf,
    pub file_name: String,
    pub recording_id: String,
    pub call_id: String,
    pub size_bytes: u64,
    pub metadata: Metadata,
    /// Under which the transcript is cached: models and everything that can change a transcript.
    pub model_key: String,
    /// The store has the transcript of an earlier run, and nothing it depends on has changed.
    pub cached: bool,
}

/// What a batch reports, in the order of completion.
#[derive(Debug)]
pub enum Done {
    /// A recording was transcribed; to be stored at once, so that a killed run does not transcribe it again.
    Transcribed {
        job: Box<Job>,
        transcript: Box<Transcript>,
    },
    /// A call was scored; `key` says what the result depends on.
    Scored {
        job: Box<Job>,
        record: Box<CallRecord>,
        scores: Box<TurnScores>,
        encoder_hash: Option<String>,
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
    /// Recogniser lanes; each has its own Whisper state. `None` when no recording needs recognition.
    pub recogniser: Option<&'a Recogniser>,
    pub recogniser_lanes: usize,
    pub decoders: usize,
    pub analysis_threads: usize,
    pub voice_activity: &'a (dyn Fn() -> Result<VoiceActivity, CallError> + Sync),
    /// The stored transcript of a job.
    pub cached: &'a (dyn Fn(&Job) -> Result<Option<Transcript>, CallError> + Sync),
    pub options: RecogniseOptions,
    pub limits: Limits,
    pub clock: StageClock,
    pub analyst: &'a Analyst,
    pub encoders: Option<&'a EncoderPool>,
    /// What is known about a call before scoring: earlier text scores, reviews, provenance.
    pub context: &'a (dyn Fn(&Job, &Transcript) -> Result<Context, CallError> + Sync),
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

/// What a recording turned out to be.
enum Content {
    Audio(Prepared),
    Text(Transcript),
    Cached(Transcript),
}

type Decoded = (Job, Prepared);
type Transcribed = (Job, Transcript, bool);

/// Runs all jobs and gives every result to `report` on the calling thread (the one writer); `false` from it stops the batch.
pub fn run(jobs: Vec<Job>, lanes: &Lanes, mut report: impl FnMut(Done) -> bool) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(lanes.analysis_threads).build();
    let next = AtomicUsize::new(0);
    let (decoded_in, decoded) = bounded::<Decoded>(lanes.recogniser_lanes);
    let (transcribed_in, transcribed) = bounded::<Transcribed>(4 * lanes.analysis_threads);
    let (done_in, done) = bounded::<Done>(64);
    std::thread::scope(|scope| {
        for _ in 0..lanes.decoders {
            let (decoded_in, transcribed_in, done_in) = (decoded_in.clone(), transcribed_in.clone(), done_in.clone());
            let (jobs, next) = (&jobs, &next);
            scope.spawn(move || decoder(jobs, next, lanes, &decoded_in, &transcribed_in, &done_in));
        }
        for _ in 0..lanes.recogniser_lanes {
            let (decoded, transcribed_in, done_in) = (decoded.clone(), transcribed_in.clone(), done_in.clone());
            scope.spawn(move || recogniser_lane(lanes, &decoded, &transcribed_in, &done_in));
        }
        drop((decoded_in, decoded, transcribed_in));
        scope.spawn(move || match pool {
            Ok(pool) => analysis(lanes, &pool, &transcribed, &done_in),
            Err(error) => {
                for (job, ..) in transcribed {
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

/// Runs a stage so that a panic in it costs one call.
fn guarded<T>(stage: Stage, work: impl FnOnce() -> Result<T, CallError>) -> Result<T, CallError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(CallError::new(
            stage,
            "the program met a state that it did not expect",
            "please report this recording's format",
        ))
    })
}

fn decoder(
    jobs: &[Job],
    next: &AtomicUsize,
    lanes: &Lanes,
    decoded: &Sender<Decoded>,
    transcribed: &Sender<Transcribed>,
    done: &Sender<Done>,
) {
    let mut voice_activity: Option<VoiceActivity> = None;
    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
        let content = guarded(Stage::Decode, || {
            if job.cached
                && let Some(transcript) = (lanes.cached)(job)?
            {
                return Ok(Content::Cached(transcript));
            }
            let bytes = std::fs::read(&job.path)
                .map_err(|e| CallError::new(Stage::Read, e, "check that the file can be read by this user"))?;
            if let Some(transcript) = call::read_text(&bytes, &job.file_name, &job.metadata)? {
                return Ok(Content::Text(transcript));
            }
            let vad = match voice_activity.take() {
                Some(vad) => voice_activity.insert(vad),
                None => voice_activity.insert((lanes.voice_activity)()?),
            };
            Ok(Content::Audio(call::prepare(&bytes, &lanes.limits, vad, &lanes.clock)?))
        });
        let sent = match content {
            Ok(Content::Audio(prepared)) => decoded.send((job.clone(), prepared)).is_ok(),
            Ok(Content::Text(transcript)) => transcribed.send((job.clone(), transcript, true)).is_ok(),
            Ok(Content::Cached(transcript)) => transcribed.send((job.clone(), transcript, false)).is_ok(),
            Err(error) => done.send(Done::Failed { job: Box::new(job.clone()), error }).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

fn recogniser_lane(lanes: &Lanes, decoded: &Receiver<Decoded>, transcribed: &Sender<Transcribed>, done: &Sender<Done>) {
    let mut lane = None;
    for (job, prepared) in decoded {
        let began = Instant::now();
        let heard = guarded(Stage::Recognise, || {
            let Some(recogniser) = lanes.recogniser else {
                return Err(CallError::new(Stage::Recognise, "no recogniser is loaded", "give --model"));
            };
            if lane.is_none() {
                let hint = "free memory or lower --jobs";
                lane = Some(recogniser.lane().map_err(|e| CallError::new(Stage::Recognise, e, hint))?);
            }
            match &mut lane {
                Some(lane) => call::recognise(&prepared, &job.metadata, &lanes.options, lane),
                None => Err(CallError::new(Stage::Recognise, "no recogniser lane", "lower --jobs")),
            }
        });
        lanes.clock.recognise.add(began);
        let sent = match heard {
            Ok(transcript) => transcribed.send((job, transcript, true)).is_ok(),
            Err(error) => done.send(Done::Failed { job: Box::new(job), error }).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Takes whatever transcripts wait and analyses them together. Channels are touched here only, never inside a rayon closure.
fn analysis(lanes: &Lanes, pool: &rayon::ThreadPool, transcribed: &Receiver<Transcribed>, done: &Sender<Done>) {
    while let Ok(first) = transcribed.recv() {
        let waiting = transcribed.try_iter().take(4 * lanes.analysis_threads - 1);
        let group: Vec<Transcribed> = std::iter::once(first).chain(waiting).collect();
        for (job, transcript, fresh) in &group {
            if *fresh {
                let event = Done::Transcribed { job: Box::new(job.clone()), transcript: Box::new(transcript.clone()) };
                let _ = done.send(event);
            }
        }
        let results: Vec<Done> = pool
            .install(|| group.into_par_iter().map(|(job, transcript, _)| analyse(lanes, job, transcript)).collect());
        for result in results {
            let _ = done.send(result);
        }
    }
}

fn analyse(lanes: &Lanes, job: Job, transcript: Transcript) -> Done {
    let result = guarded(Stage::Analyse, || {
        let context = (lanes.context)(&job, &transcript)?;
        let began = Instant::now();
        let (scores, encoder_hash) = crate::analysis::text_scores(lanes.encoders, &transcript, context.scores)
            .map_err(|e| CallError::new(Stage::Analyse, e, "run scripts/get-models again"))?;
        lanes.clock.text_models.add(began);
        let began = Instant::now();
        let call = Analysed {
            call_id: job.call_id.clone(),
            metadata: job.metadata.clone(),
            transcript,
            scores,
            encoder_hash,
            recording_ids: vec![job.recording_id.clone()],
            models: context.models,
            configuration: context.configuration,
            reviews: context.reviews,
        };
        let key = lanes.analyst.evaluation_key(&call);
        if context.stored_key.as_ref() == Some(&key) {
            return Ok(None);
        }
        let record = lanes.analyst.evaluate(&call);
        lanes.clock.score.add(began);
        Ok(Some((record, call.scores, call.encoder_hash, key)))
    });
    let job = Box::new(job);
    match result {
        Ok(None) => Done::Unchanged { job },
        Ok(Some((record, scores, encoder_hash, key))) => {
            Done::Scored { job, record: Box::new(record), scores: Box::new(scores), encoder_hash, key }
        }
        Err(error) => Done::Failed { job, error },
    }
}
