//! The run's side: starts the worker, hands recordings to it, and finds out which one is to blame when it stops.
//!
//! A recording has two tries. When the worker stops, whatever was being worked on is suspect; each suspect is tried again with
//! nothing else in the worker, so that the second stop has one cause. A recording that takes longer than its limit is given up at
//! once: the worker is stopped, and the others are tried again.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use callmark_core::transcript::Transcript;

use super::{Event, Place, Setup, Spent, Task, read_frame, write_frame};
use crate::call::{CallError, Stage};

/// Loading a model of gigabytes from a slow disk takes minutes, not longer.
const LOAD_LIMIT: Duration = Duration::from_secs(900);
/// Innocent tries that were lost because another recording stopped the worker, before a recording is tried alone.
const SHARED_TRIES: usize = 3;

/// How long a recording may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For every recording, whatever its length.
    pub base: Duration,
    /// Recognition may take this many times the recording's length more.
    pub times_length: u32,
}

impl Patience {
    /// Decoding and voice activity, whose length is not known yet: ten seconds more per megabyte.
    fn decoding(self, size_bytes: u64) -> Duration {
        self.base + Duration::from_secs(10 * (size_bytes >> 20))
    }

    fn recognising(self, duration_ms: i64) -> Duration {
        self.base + Duration::from_millis(duration_ms.max(0) as u64 * u64::from(self.times_length))
    }
}

/// The worker process with what is in it; shared by the run's threads. The worker starts with the first recording (or
/// [`Crew::start`]) and again after it stopped.
pub struct Crew {
    setup: Setup,
    patience: Patience,
    /// Held for reading by recordings that share the worker, for writing by one that is tried alone.
    turn: RwLock<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    /// Counts the starts: replies of an earlier worker concern no later task.
    generation: u64,
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    started: Instant,
    readiness: Readiness,
    /// The task whose time was up: the others are not to blame for the stop.
    given_up: Option<u64>,
}

#[derive(Debug, Clone)]
enum Readiness {
    Loading,
    Ready,
    Broken { cause: String, hint: String },
}

struct Entry {
    generation: u64,
    place: Place,
    since: Instant,
    outcome: Option<Outcome>,
}

enum Outcome {
    Done(Result<Box<Transcript>, CallError>, Spent),
    /// The worker stopped. `suspect`: this recording was being worked on, and no other one is known to be the cause.
    Lost {
        place: Place,
        suspect: bool,
        status: Option<ExitStatus>,
    },
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what one worker says until it stops.
    fn listen(&self, generation: u64, output: ChildStdout) {
        let mut output = BufReader::new(output);
        while let Ok(Some(event)) = read_frame::<Event>(&mut output) {
            let mut state = self.lock();
            match event {
                Event::Ready => state.readiness(Readiness::Ready),
                Event::Broken { cause, hint } => state.readiness(Readiness::Broken { cause, hint }),
                Event::At { number, place } => {
                    if let Some(entry) = state.entries.get_mut(&number) {
                        (entry.place, entry.since) = (place, Instant::now());
                    }
                }
                Event::Done { number, result, spent } => {
                    if let Some(entry) = state.entries.get_mut(&number) {
                        entry.outcome = Some(Outcome::Done(result, spent));
                    }
                }
            }
            drop(state);
            self.changed.notify_all();
        }
        let mut state = self.lock();
        let mut given_up = None;
        let mut status = None;
        // A later worker may be there already; its listener answers for it.
        if state.generation == generation
            && let Some(mut running) = state.running.take()
        {
            given_up = running.given_up;
            // After an unreadable message the process may still be there.
            let _ = running.child.kill();
            status = running.child.wait().ok();
            if let Readiness::Broken { .. } = running.readiness {
                state.running = Some(running);
            }
        }
        for entry in state.entries.values_mut().filter(|e| e.generation == generation && e.outcome.is_none()) {
            let suspect = given_up.is_none() && entry.place != Place::Waiting;
            entry.outcome = Some(Outcome::Lost { place: entry.place, suspect, status });
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    fn readiness(&mut self, readiness: Readiness) {
        if let Some(running) = &mut self.running {
            running.readiness = readiness;
        }
    }
}

impl Crew {
    pub fn new(setup: Setup, patience: Patience) -> Crew {
        Crew { setup, patience, turn: RwLock::default(), shared: Arc::default() }
    }

    /// Recordings that the worker can use at a time: in lanes, being decoded, and one waiting for each lane.
    pub fn places(&self) -> usize {
        2 * self.setup.lanes + 1
    }

    /// Loads the models now, so that a run that cannot hear anything says so before it begins.
    ///
    /// # Errors
    /// The worker does not start or cannot load its models.
    pub fn start(&self) -> Result<(), CallError> {
        drop(self.ready(self.shared.lock())?);
        Ok(())
    }

    /// Transcribes one recording; blocks until it is done, given up, or has stopped the worker twice.
    pub fn hear(&self, task: Task, size_bytes: u64) -> Result<(Box<Transcript>, Spent), CallError> {
        for _ in 0..SHARED_TRIES {
            let _shared = self.turn.read().unwrap_or_else(PoisonError::into_inner);
            match self.attempt(&task, size_bytes)? {
                Outcome::Done(result, spent) => return Ok((result?, spent)),
                Outcome::Lost { suspect: true, .. } => break,
                Outcome::Lost { .. } => {}
            }
        }
        let _alone = self.turn.write().unwrap_or_else(PoisonError::into_inner);
        match self.attempt(&task, size_bytes)? {
            Outcome::Done(result, spent) => Ok((result?, spent)),
            Outcome::Lost { place, status, .. } => Err(stopped(place, status)),
        }
    }

    fn attempt(&self, task: &Task, size_bytes: u64) -> Result<Outcome, CallError> {
        let mut state = self.ready(self.shared.lock())?;
        let (number, generation) = (state.next, state.generation);
        state.next += 1;
        let entry = Entry { generation, place: Place::Waiting, since: Instant::now(), outcome: None };
        state.entries.insert(number, entry);
        let task = Task { number, ..task.clone() };
        if let Some(running) = &mut state.running {
            // A worker that has just stopped is noticed by its listener, which marks the entry.
            let _ = write_frame(&mut running.input, &task);
        }
        loop {
            let Some(entry) = state.entries.get(&number) else {
                return Err(CallError::new(Stage::Recognise, "the recogniser worker lost the recording", "run again"));
            };
            if entry.outcome.is_some() {
                break;
            }
            let limit = match entry.place {
                Place::Waiting => None,
                Place::Decoding => Some(self.patience.decoding(size_bytes)),
                Place::Recognising { duration_ms } => Some(self.patience.recognising(duration_ms)),
            };
            let left = limit.map(|limit| (limit, limit.saturating_sub(entry.since.elapsed())));
            match left {
                Some((limit, Duration::ZERO)) => {
                    let place = entry.place;
                    state.entries.remove(&number);
                    if state.generation == generation
                        && let Some(running) = &mut state.running
                    {
                        running.given_up = Some(number);
                        let _ = running.child.kill();
                    }
                    return Err(given_up(place, limit));
                }
                Some((_, left)) => {
                    state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                // A worker that stops wakes this up too.
                None => state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        let outcome = state.entries.remove(&number).and_then(|entry| entry.outcome);
        outcome.ok_or_else(|| CallError::new(Stage::Recognise, "the recogniser worker lost the recording", "run again"))
    }

    /// Waits until a worker has its models, starting one when there is none.
    fn ready<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, CallError> {
        let failed = |cause: String, hint: &str| CallError::new(Stage::Recognise, cause, hint);
        let mut starts = 0;
        loop {
            let Some(running) = &mut state.running else {
                if starts > 0 {
                    let hint = "free memory, lower --jobs, or raise worker_memory_mb in the configuration";
                    return Err(failed("the recogniser worker stops while it loads its models".into(), hint));
                }
                starts += 1;
                self.spawn(&mut state).map_err(|e| {
                    failed(
                        format!("the recogniser worker does not start: {e}"),
                        "check the limits on processes and memory",
                    )
                })?;
                continue;
            };
            match &running.readiness {
                Readiness::Ready => return Ok(state),
                Readiness::Broken { cause, hint } => {
                    let error = failed(cause.clone(), hint);
                    let _ = running.child.wait();
                    state.running = None;
                    return Err(error);
                }
                Readiness::Loading if running.started.elapsed() > LOAD_LIMIT => {
                    let _ = running.child.kill();
                    return Err(failed("the models take too long to load".into(), "check the disk that they are on"));
                }
                Readiness::Loading => {
                    let waited = self.shared.changed.wait_timeout(state, Duration::from_secs(5));
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn spawn(&self, state: &mut State) -> std::io::Result<()> {
        // Its messages (an abort's place in native code) concern whoever looks for a fault, not the reader of a summary.
        let messages = if std::env::var_os("CALLMARK_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
        // The program that is running, also when its file was replaced by an update meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .arg("recogniser-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("its pipes are missing"));
        };
        write_frame(&mut input, &self.setup)?;
        state.generation += 1;
        let (shared, generation) = (Arc::clone(&self.shared), state.generation);
        std::thread::Builder::new()
            .name("recogniser worker".into())
            .spawn(move || shared.listen(generation, output))?;
        let (started, readiness) = (Instant::now(), Readiness::Loading);
        state.running = Some(Running { child, input, started, readiness, given_up: None });
        Ok(())
    }
}

impl Drop for Crew {
    /// Its closed input ends the worker.
    fn drop(&mut self) {
        let running = self.shared.lock().running.take();
        if let Some(Running { mut child, input, .. }) = running {
            drop(input);
            let _ = child.wait();
        }
    }
}

fn stage(place: Place) -> Stage {
    match place {
        Place::Waiting | Place::Decoding => Stage::Decode,
        Place::Recognising { .. } => Stage::Recognise,
    }
}

fn given_up(place: Place, limit: Duration) -> CallError {
    let cause = format!("given up after {} s without a result", limit.as_secs());
    let hint = "look at the recording; if it is good and the machine slow, raise give_up_factor in the configuration and run with --retry-failed";
    CallError { lasting: true, ..CallError::new(stage(place), cause, hint) }
}

/// The second stop, with nothing else in the worker.
fn stopped(place: Place, status: Option<ExitStatus>) -> CallError {
    let signal = status.and_then(|s| s.signal());
    let how = match (signal, status.and_then(|s| s.code())) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "no trace".to_string(),
    };
    let cause = format!("the recogniser worker stopped twice at this recording ({how})");
    // SIGKILL comes from outside (an administrator, the system's memory guard); the rest from what the bytes led to.
    const SIGKILL: i32 = 9;
    if signal == Some(SIGKILL) {
        let hint = "it was killed from outside: check the memory of the machine (or raise MemoryMax of the service) and run again";
        return CallError::new(stage(place), cause, hint);
    }
    let hint = "the recording is damaged in a way that the decoder or recogniser does not survive, or needs more memory than worker_memory_mb; run with --retry-failed after changing either";
    CallError { lasting: true, ..CallError::new(stage(place), cause, hint) }
}
