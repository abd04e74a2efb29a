//! A batch under a limit of memory; and a program that is watched: how much memory it and its children take, ended when it takes too long.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Place, Ran, project};

/// The finished program, and the most memory in MB that it and its children had together.
pub fn watched(mut command: impl std::borrow::BorrowMut<Command>, limit: Duration) -> (Ran, u64) {
    let mut child =
        command.borrow_mut().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut pipes: (_, _) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let began = Instant::now();
    let mut peak_kb = 0;
    let (stdout, stderr, code) = std::thread::scope(|scope| {
        fn all(pipe: &mut impl Read) -> Vec<u8> {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("readable");
            bytes
        }
        let (out, err) = (scope.spawn(|| all(&mut pipes.0)), scope.spawn(|| all(&mut pipes.1)));
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            peak_kb = peak_kb.max(tree_kb(child.id()));
            if began.elapsed() > limit {
                child.kill().expect("killable");
                child.wait().expect("a child");
                panic!("still at work after {limit:?}: {}", String::from_utf8_lossy(&err.join().expect("read")));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        (out.join().expect("read"), err.join().expect("read"), status.code().unwrap_or(-1))
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (Ran { code, stdout: text(stdout), stderr: text(stderr) }, peak_kb / 1024)
}

/// Resident memory of a process and everything that it started.
fn tree_kb(root: u32) -> u64 {
    let status = |pid: u32| fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |text: &str, name: &str| -> u64 {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|v| v.parse().ok()).unwrap_or(0)
    };
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids: Vec<u32> = pids.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    let all: Vec<(u32, String)> = pids.into_iter().map(|pid| (pid, status(pid))).collect();
    let mut family = vec![root];
    while let Some(more) =
        all.iter().find(|(pid, text)| !family.contains(pid) && family.contains(&(field(text, "PPid:") as u32)))
    {
        family.push(more.0);
    }
    all.iter().filter(|(pid, _)| family.contains(pid)).map(|(_, text)| field(text, "VmRSS:")).sum()
}

/// Pieces of a sample call, a recording each, so that every lane has one to work on.
fn pieces(folder: &Path, count: usize) {
    let mut call = hound::WavReader::open(project().join("sample-audio/T-1007.wav")).expect("a sample");
    let spec = call.spec();
    let samples: Vec<i16> = call.samples().map(|sample| sample.expect("a sample value")).collect();
    let frame = usize::from(spec.channels);
    for (index, piece) in samples.chunks_exact(samples.len() / frame / count * frame).take(count).enumerate() {
        let mut out = hound::WavWriter::create(folder.join(format!("{index:02}.wav")), spec).expect("a new file");
        piece.iter().for_each(|sample| out.write_sample(*sample).expect("room for it"));
        out.finalize().expect("room for it");
    }
}

#[test]
fn a_batch_stays_under_the_memory_that_it_may_take() {
    const LIMIT_MB: u64 = 800;
    const LANES: &str = "16";
    let place = Place::new();
    let night = place.folder.path().join("night");
    fs::create_dir(&night).expect("a new folder");
    pieces(&night, 16);
    let peak = |more: &[&str]| {
        let place = Place::new();
        let mut command = place.command(&["run", "--json", "--jobs", LANES, "--out"]);
        command.arg(place.out()).arg(&night).args(more).stdin(Stdio::null());
        let (ran, peak_mb) = watched(command, Duration::from_secs(300));
        assert_eq!(ran.expect(0).json()["transcribed"], 16);
        peak_mb
    };
    let (limited_mb, free_mb) = (peak(&["--max-memory", "800M"]), peak(&[]));
    println!("{LANES} lanes asked for: {free_mb} MB, under a limit of {LIMIT_MB} MB {limited_mb} MB");
    assert!(limited_mb <= LIMIT_MB, "{limited_mb} MB");
    assert!(free_mb > LIMIT_MB, "{free_mb} MB: the limit changes nothing");
}
