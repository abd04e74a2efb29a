//! `callmark watch`: takes recordings from folders as they arrive, each once, when it is complete.
//!
//! Polling, because inotify sees nothing on network shares. A file is complete when nothing about it has changed for the settle
//! time: bytes, time, or the metadata beside it. What failed for a reason outside it is tried again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use callmark_core::recording::Metadata;
use callmark_store::FileStamp;

use crate::after_batch;
use crate::cli::{Common, WatchArgs};
use crate::config::{Config, NightSettings};
use crate::discover::{self, Candidate, Discovered};
use crate::read::metadata::{MetadataSources, sidecar_paths};
use crate::run_summary::{Failure, RunSummary};
use crate::session::Session;
use crate::sides;
use crate::{COULD_NOT_RUN, FINISHED};

/// The longest time between two looks at the folders.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub fn watch(args: &WatchArgs, common: &Common) -> Result<u8> {
    for folder in &args.folders {
        if !folder.is_dir() {
            bail!("{} is not a folder\nhint: make it first, or mount it", folder.display());
        }
    }
    let config = Config::load(common)?;
    let night = config.night.clone();
    let settle = args.settle.unwrap_or(Duration::from_secs(night.settle_s.into()));
    let pause = (settle / 3).clamp(Duration::from_millis(100), LONGEST_PAUSE);
    let given_metadata = args.process.metadata.clone();
    let mut watch = Watch {
        watched: Watched { given_metadata, config: config.clone(), ..Watched::default() },
        session: Session::open(&args.process, common, config)?,
        covered: BTreeSet::new(),
        failed: vec![],
        outputs: Due::default(),
    };
    loop {
        let code = match discover::discover(&args.folders, &args.process.out) {
            Ok(found) => {
                let ready = watch.watched.complete(found, settle, since_1970(), Instant::now());
                let (arrived, quiet) = (!ready.found.candidates.is_empty(), ready.still_changing == 0);
                let code = if args.once || arrived { watch.take(ready, args, &night)? } else { FINISHED };
                if !args.once && watch.outputs.now(quiet && !arrived) {
                    watch.write_outputs()?;
                }
                code
            }
            // A share that is away for a while.
            Err(error) if !args.once => {
                eprintln!("warning: {error:#}");
                COULD_NOT_RUN
            }
            Err(error) => return Err(error),
        };
        if args.once {
            return Ok(code);
        }
        std::thread::sleep(pause);
    }
}

struct Watch {
    session: Session,
    watched: Watched,
    /// Calls of all batches: what tables and report are about.
    covered: BTreeSet<String>,
    failed: Vec<Failure>,
    outputs: Due,
}

impl Watch {
    /// One batch. An error that stops a batch (a full disk) leaves its files for the next look.
    fn take(&mut self, ready: Ready, args: &WatchArgs, night: &NightSettings) -> Result<u8> {
        let result = after_batch::followed_up(&args.process, night, || {
            let mut report: RunSummary = self.session.batch(&ready.found, &mut self.covered)?;
            self.failed.retain(|old| !report.failed.iter().any(|new| new.file == old.file));
            self.failed.extend(report.failed.iter().cloned());
            self.outputs.wanted = true;
            if args.once {
                let outputs = self.session.write_outputs(&self.covered, &self.failed)?;
                report.report = outputs.report.display().to_string();
            }
            report.still_changing = Some(ready.still_changing);
            report.exit_code = report.code(None, false);
            if args.process.json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                self.session.print(&report, None)?;
            }
            Ok(report)
        });
        match result {
            Ok(code) => {
                self.watched.taken.extend(ready.states);
                Ok(code)
            }
            Err(error) if !args.once => {
                eprintln!("error: {error:#}\n       trying again");
                Ok(COULD_NOT_RUN)
            }
            Err(error) => Err(error),
        }
    }

    fn write_outputs(&mut self) -> Result<()> {
        let began = Instant::now();
        if let Err(error) = self.session.write_outputs(&self.covered, &self.failed) {
            eprintln!("error: {error:#}\n       trying again");
        }
        self.outputs = Due { wanted: false, last: Some((Instant::now(), began.elapsed())) };
        Ok(())
    }
}

/// When tables and report are written: they are about all calls of the watch, so that writing them after every batch would
/// take longer and longer.
#[derive(Debug, Default)]
struct Due {
    /// Something was added since the last time.
    wanted: bool,
    /// When they were written, and how long that took.
    last: Option<(Instant, Duration)>,
}

impl Due {
    /// When nothing is arriving, or after twenty times the time that they took.
    fn now(&self, idle: bool) -> bool {
        self.wanted && (idle || self.last.is_none_or(|(when, took)| when.elapsed() >= 20 * took))
    }
}

fn since_1970() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

/// Everything about a file whose change makes it worth another look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    stamp: FileStamp,
    /// Also moves when the file's rights are changed.
    changed_ns: i64,
    /// The sidecar and the metadata tables that may speak of it.
    beside: Vec<(PathBuf, FileStamp)>,
}

/// What is ready to be taken.
struct Ready {
    found: Discovered,
    states: Vec<(PathBuf, State)>,
    still_changing: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Taken,
    Complete,
    Changing,
}

/// A file as it looks now, and since when.
struct Look {
    state: State,
    since: Instant,
    stage: Stage,
}

/// What the watch has seen so far.
#[derive(Default)]
struct Watched {
    /// Tables that were named by the user; those in the folders are found at every look.
    given_metadata: Vec<PathBuf>,
    config: Config,
    /// What is known about each file, read again when its state has changed.
    about: BTreeMap<PathBuf, (State, Metadata)>,
    taken: BTreeMap<PathBuf, State>,
    /// Since when a file has looked as it does now.
    waiting: BTreeMap<PathBuf, (State, Instant)>,
}

impl Watched {
    /// The files that are complete and new, or have changed since they were taken.
    fn complete(&mut self, mut found: Discovered, settle: Duration, now_ns: i64, now: Instant) -> Ready {
        let tables = found.metadata_files.iter().chain(&self.given_metadata);
        let tables: Vec<(PathBuf, FileStamp)> = tables.filter_map(|p| stamped(p)).collect();
        let looks: BTreeMap<PathBuf, Look> = found
            .candidates
            .iter()
            .map(|candidate| (candidate.path.clone(), self.look(candidate, &tables, settle, now_ns, now)))
            .collect();
        self.read_metadata(&looks, &found.metadata_files);
        let about: Vec<Metadata> = found.candidates.iter().map(|c| self.about[&c.path].1.clone()).collect();
        let partners = sides::partners(&found.candidates, &about);
        let mut waiting = BTreeMap::new();
        let (mut states, mut candidates, mut still_changing) = (vec![], vec![], 0);
        for candidate in std::mem::take(&mut found.candidates) {
            let look = &looks[&candidate.path];
            // The two sides of a call are taken together, and again when one of them is new.
            let other = partners.get(&candidate.path).map(|path| looks[path].stage);
            let stage = match (look.stage, other) {
                (Stage::Complete, Some(Stage::Changing)) => Stage::Changing,
                (Stage::Taken, Some(Stage::Complete)) => Stage::Complete,
                (stage, _) => stage,
            };
            match stage {
                Stage::Taken => {}
                Stage::Complete => {
                    states.push((candidate.path.clone(), look.state.clone()));
                    candidates.push(candidate);
                }
                Stage::Changing => {
                    still_changing += 1;
                    waiting.insert(candidate.path, (look.state.clone(), look.since));
                }
            }
        }
        self.waiting = waiting;
        Ready { found: Discovered { candidates, ..found }, states, still_changing }
    }

    /// Reads the metadata of files that are new or have changed: they say which recordings are sides of one call. What is wrong with
    /// them is said when the files are taken.
    fn read_metadata(&mut self, looks: &BTreeMap<PathBuf, Look>, tables: &[PathBuf]) {
        self.about.retain(|path, (state, _)| looks.get(path).is_some_and(|look| look.state == *state));
        if looks.len() == self.about.len() {
            return;
        }
        let mut sources = MetadataSources::load(&self.given_metadata, tables, &self.config).ok();
        for (path, look) in looks {
            let mut read = || sources.as_mut().map(|sources| sources.of(path)).unwrap_or_default();
            self.about.entry(path.clone()).or_insert_with(|| (look.state.clone(), read()));
        }
    }

    fn look(
        &self,
        candidate: &Candidate,
        tables: &[(PathBuf, FileStamp)],
        settle: Duration,
        now_ns: i64,
        now: Instant,
    ) -> Look {
        let state = state(candidate, tables);
        let since = match self.waiting.get(&candidate.path) {
            Some((earlier, since)) if *earlier == state => *since,
            _ => now,
        };
        // The clock of a file server may be ahead of ours: what was seen unchanged for long enough counts too.
        let settle_ns = i64::try_from(settle.as_nanos()).unwrap_or(i64::MAX);
        let old = now_ns.saturating_sub(candidate.changed_ns) >= settle_ns;
        let stage = match self.taken.get(&candidate.path) {
            Some(taken) if *taken == state => Stage::Taken,
            _ if old || now.duration_since(since) >= settle => Stage::Complete,
            _ => Stage::Changing,
        };
        Look { state, since, stage }
    }
}

fn state(candidate: &Candidate, tables: &[(PathBuf, FileStamp)]) -> State {
    let sidecars = sidecar_paths(&candidate.path);
    let beside = sidecars.iter().filter_map(|path| stamped(path)).chain(tables.iter().cloned()).collect();
    State { stamp: candidate.stamp.clone(), changed_ns: candidate.changed_ns, beside }
}

fn stamped(path: &Path) -> Option<(PathBuf, FileStamp)> {
    discover::stamp(path).ok().map(|stamp| (path.to_path_buf(), stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: i64 = 1_000_000_000;

    fn found(folder: &Path) -> Discovered {
        discover::discover(&[folder.to_path_buf()], &folder.join("out")).unwrap()
    }

    fn names(ready: &Ready) -> Vec<&str> {
        ready.found.candidates.iter().map(|c| c.file_name.as_str()).collect()
    }

    #[test]
    fn a_growing_file_is_taken_once_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let (settle, start) = (Duration::from_secs(10), Instant::now());
        let at = |s: u64| start + Duration::from_secs(s);
        // The server's clock is an hour ahead: only what is seen counts.
        let now_ns = since_1970() - 3_600 * SECOND_NS;
        let mut watched = Watched::default();
        for second in [0, 5, 10, 15] {
            std::fs::write(&path, vec![0; second as usize + 1]).unwrap();
            let ready = watched.complete(found(dir.path()), settle, now_ns, at(second));
            assert_eq!((names(&ready), ready.still_changing), (vec![], 1), "still growing at {second} s");
        }
        assert_eq!(names(&watched.complete(found(dir.path()), settle, now_ns, at(24))), Vec::<&str>::new());
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(25));
        assert_eq!(names(&ready), ["a.wav"]);
        watched.taken.extend(ready.states);
        let again = watched.complete(found(dir.path()), settle, now_ns, at(60));
        assert_eq!((names(&again), again.still_changing), (vec![], 0));
        std::fs::write(dir.path().join("a.json"), "{}").unwrap();
        watched.complete(found(dir.path()), settle, now_ns, at(70));
        let with_sidecar = watched.complete(found(dir.path()), settle, now_ns, at(90));
        assert_eq!(names(&with_sidecar), ["a.wav"], "late metadata are worth another look");
    }

    #[test]
    fn the_sides_of_a_call_are_taken_together() {
        let dir = tempfile::tempdir().unwrap();
        let (settle, start, now_ns) = (Duration::from_secs(10), Instant::now(), since_1970() - 3_600 * SECOND_NS);
        let at = |s: u64| start + Duration::from_secs(s);
        let mut watched = Watched::default();
        std::fs::write(dir.path().join("7_agent.wav"), "x").unwrap();
        watched.complete(found(dir.path()), settle, now_ns, at(0));
        std::fs::write(dir.path().join("7_caller.wav"), "x").unwrap();
        watched.complete(found(dir.path()), settle, now_ns, at(5));
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(12));
        assert_eq!((names(&ready), ready.still_changing), (vec![], 2), "one is complete, the other is not");
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(16));
        assert_eq!(names(&ready), ["7_agent.wav", "7_caller.wav"]);
        watched.taken.extend(ready.states);
        std::fs::write(dir.path().join("7_caller.wav"), "longer").unwrap();
        watched.complete(found(dir.path()), settle, now_ns, at(20));
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(31));
        assert_eq!(names(&ready), ["7_agent.wav", "7_caller.wav"], "both again: the call is made of both");
    }

    /// Names say nothing; the table does, and it does so late.
    #[test]
    fn sides_by_metadata_are_taken_together() {
        let dir = tempfile::tempdir().unwrap();
        let (settle, start, now_ns) = (Duration::from_secs(10), Instant::now(), since_1970() - 3_600 * SECOND_NS);
        let at = |s: u64| start + Duration::from_secs(s);
        let mut watched = Watched::default();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("metadata.csv", "file,call_id,side\na.wav,C-7,rep\nb.wav,C-7,customer\nc.wav,C-8,rep\n");
        put("a.wav", "x");
        put("c.wav", "x");
        watched.complete(found(dir.path()), settle, now_ns, at(0));
        put("b.wav", "x");
        watched.complete(found(dir.path()), settle, now_ns, at(5));
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(12));
        assert_eq!((names(&ready), ready.still_changing), (vec!["c.wav"], 2), "a waits for b, c for nobody");
        watched.taken.extend(ready.states);
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(16));
        assert_eq!(names(&ready), ["a.wav", "b.wav"]);
        watched.taken.extend(ready.states);
        put("b.wav", "longer");
        watched.complete(found(dir.path()), settle, now_ns, at(20));
        let ready = watched.complete(found(dir.path()), settle, now_ns, at(31));
        assert_eq!(names(&ready), ["a.wav", "b.wav"], "both again");
    }

    #[test]
    fn what_was_complete_long_ago_is_taken_at_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.wav"), "x").unwrap();
        let later = since_1970() + 60 * SECOND_NS;
        let ready = Watched::default().complete(found(dir.path()), Duration::from_secs(30), later, Instant::now());
        assert_eq!(names(&ready), ["a.wav"]);
    }
}
