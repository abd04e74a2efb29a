//! The worker's side: decoders → recogniser lanes over a bounded channel, replies on standard output.

use std::ffi::OsStr;
use std::io::{BufReader, Stdout, stdin, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use callmark_audio::Limits;
use callmark_core::acts::ActLexicon;
use callmark_core::recording::Metadata;
use callmark_core::transcript::Transcript;
use callmark_models::asr::{Lane, Recogniser};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::{Event, Place, Setup, Spent, Task, read_frame, write_frame};
use crate::call::{self, CallError, Prepared, RecogniseOptions, Stage, StageClock};
use crate::sound_networks::SoundNetworks;
use crate::work_time::Stopwatch;
use crate::{COULD_NOT_RUN, FINISHED};

/// One decoder keeps this many recogniser lanes busy: decoding and voice activity together run ten times faster.
const LANES_PER_DECODER: usize = 8;

/// Serves until standard input ends: the run is done, or it is gone.
pub fn serve() -> Result<u8> {
    let mut input = BufReader::new(stdin());
    let Some(setup) = read_frame::<Setup>(&mut input).context("this command is for callmark's own use")? else {
        bail!("this command is for callmark's own use")
    };
    let replies = Replies(Mutex::new(stdout()));
    let worker = match Worker::load(&setup) {
        Ok(worker) => worker,
        Err(error) => {
            replies.send(&Event::Broken { cause: error.cause, hint: error.hint });
            return Ok(COULD_NOT_RUN);
        }
    };
    let (lanes, networks) = match worker.engines(&setup) {
        Ok(engines) => engines,
        Err(error) => {
            replies.send(&Event::Broken { cause: error.cause, hint: error.hint });
            return Ok(COULD_NOT_RUN);
        }
    };
    replies.send(&Event::Ready);
    let (tasks_in, tasks) = unbounded::<Task>();
    let (prepared_in, prepared) = bounded::<(Task, Prepared, Spent)>(setup.lanes);
    let budget = Budget { limit: setup.sound_bytes, ..Budget::default() };
    std::thread::scope(|scope| {
        let (worker, budget, replies) = (&worker, &budget, &replies);
        for networks in networks {
            let (tasks, prepared_in) = (tasks.clone(), prepared_in.clone());
            scope.spawn(move || worker.decode(networks, &tasks, &prepared_in, budget, replies));
        }
        for lane in lanes {
            let prepared = prepared.clone();
            scope.spawn(move || worker.recognise(lane, &prepared, budget, replies));
        }
        while let Ok(Some(task)) = read_frame::<Task>(&mut input) {
            replies.send(&Event::At { number: task.number, place: Place::Waiting });
            let _ = tasks_in.send(task);
        }
        // Whatever is still at work, nobody waits for it.
        std::process::exit(i32::from(FINISHED))
    })
}

struct Replies(Mutex<Stdout>);

impl Replies {
    /// A supervisor that is gone ends the worker through its closed input.
    fn send(&self, event: &Event) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write_frame(&mut *out, event);
    }
}

/// Bounds the decoded sound in memory.
#[derive(Default)]
struct Budget {
    limit: u64,
    held: Mutex<u64>,
    released: Condvar,
}

impl Budget {
    fn take(&self, bytes: u64) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |held: &mut u64| *held > 0 && *held + bytes > self.limit;
        *self.released.wait_while(held, full).unwrap_or_else(PoisonError::into_inner) += bytes;
    }

    fn give(&self, bytes: u64) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.released.notify_all();
    }
}

struct Worker {
    recogniser: Recogniser,
    options: RecogniseOptions,
    limits: Limits,
}

impl Worker {
    fn load(setup: &Setup) -> Result<Worker, CallError> {
        let limit = Rlimit { current: Some(setup.memory_limit_bytes), maximum: Some(setup.memory_limit_bytes) };
        let hint = "set worker_memory_mb in the configuration to less than this process may have";
        setrlimit(Resource::Data, limit).map_err(|e| CallError::new(Stage::Recognise, e, hint))?;
        let failed = |cause: String, hint: &str| CallError::new(Stage::Recognise, cause, hint);
        callmark_models::runtime::onnx_runtime(setup.onnx_runtime.as_deref())
            .map_err(|e| failed(e.to_string(), e.hint()))?;
        Ok(Worker {
            recogniser: Recogniser::load(&setup.model).map_err(|e| failed(e.to_string(), e.hint()))?,
            options: RecogniseOptions {
                vocabulary: setup.vocabulary.clone(),
                lexicon: ActLexicon::built_in(),
                confidence_floor_permille: setup.confidence_floor_permille,
                model_languages: setup.model_languages.clone(),
            },
            limits: Limits { max_duration_s: setup.max_duration_s, ..Limits::default() },
        })
    }

    /// Every state is made before the first recording: a machine with too little memory says so at once.
    fn engines(&self, setup: &Setup) -> Result<(Vec<Lane>, Vec<SoundNetworks>), CallError> {
        let lane = |_| {
            let lane = self.recogniser.lane(setup.threads_per_lane);
            lane.map_err(|e| CallError::new(Stage::Recognise, e, "free memory or lower --jobs"))
        };
        let networks = |_| {
            let networks = SoundNetworks::load(&setup.networks);
            networks.map_err(|e| CallError::new(Stage::VoiceActivity, &e, e.hint()))
        };
        let lanes = (0..setup.lanes).map(lane).collect::<Result<_, _>>()?;
        Ok((lanes, (0..setup.lanes.div_ceil(LANES_PER_DECODER)).map(networks).collect::<Result<_, _>>()?))
    }

    fn decode(
        &self,
        mut networks: SoundNetworks,
        tasks: &Receiver<Task>,
        prepared: &Sender<(Task, Prepared, Spent)>,
        budget: &Budget,
        replies: &Replies,
    ) {
        for task in tasks {
            replies.send(&Event::At { number: task.number, place: Place::Decoding });
            let clock = StageClock::default();
            let result = call::guarded(Stage::Decode, || {
                let path = Path::new(OsStr::from_bytes(&task.path));
                drill("decode", path);
                let bytes = call::read_file(path, call::MAX_RECORDING_BYTES)?;
                let Some((other, begins_ms)) = &task.other else {
                    return call::prepare(&bytes, path, &self.limits, &mut networks, &clock);
                };
                let other_path = Path::new(OsStr::from_bytes(other));
                let other = call::read_file(other_path, call::MAX_RECORDING_BYTES)?;
                call::prepare_sides(
                    [(&bytes, path), (&other, other_path)],
                    *begins_ms,
                    &self.limits,
                    &mut networks,
                    &clock,
                )
            });
            let spent =
                Spent { decode: clock.decode.time(), voice_activity: clock.voice_activity.time(), ..Spent::default() };
            match result {
                Ok(sound) => {
                    replies.send(&Event::At { number: task.number, place: Place::Waiting });
                    budget.take(sound.size_bytes());
                    if prepared.send((task, sound, spent)).is_err() {
                        return;
                    }
                }
                Err(error) => replies.send(&Event::Done { number: task.number, result: Err(error), spent }),
            }
        }
    }

    fn recognise(
        &self,
        mut lane: Lane,
        prepared: &Receiver<(Task, Prepared, Spent)>,
        budget: &Budget,
        replies: &Replies,
    ) {
        for (task, sound, mut spent) in prepared {
            let place = Place::Recognising { duration_ms: sound.duration_ms };
            replies.send(&Event::At { number: task.number, place });
            let began = Stopwatch::start();
            let result: Result<Transcript, CallError> = call::guarded(Stage::Recognise, || {
                drill("recognise", Path::new(OsStr::from_bytes(&task.path)));
                let metadata = Metadata { language: task.language.clone(), ..Metadata::default() };
                call::recognise(&sound, task.channels, &metadata, &self.options, &mut lane)
            });
            spent.recognise = began.elapsed();
            let size = sound.size_bytes();
            drop(sound);
            budget.give(size);
            replies.send(&Event::Done { number: task.number, result: result.map(Box::new), spent });
        }
    }
}

/// Fire drill: `CALLMARK_DRILL=recognise:abort:NAME` stops the worker the hard way at a file of that name (`abort`, `hang`,
/// `memory`, in `decode` or `recognise`), so that a site and our tests can see that the batch goes on.
fn drill(stage: &str, path: &Path) {
    let Ok(wanted) = std::env::var("CALLMARK_DRILL") else { return };
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let parts: Vec<&str> = wanted.splitn(3, ':').collect();
    match parts.as_slice() {
        [at, what, file] if *at == stage && *file == name => match *what {
            "abort" => std::process::abort(),
            "hang" => std::thread::sleep(std::time::Duration::from_secs(86_400)),
            "memory" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(vec![1u8; 64 << 20]);
                }
            }
            _ => {}
        },
        _ => {}
    }
}
