//! The recogniser is a process of its own: when it dies, hangs or eats memory, one call is lost, or none.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, project};

/// The shortest sample recordings.
fn recordings(place: &Place, count: usize) -> (PathBuf, Vec<String>) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(project().join("sample-audio"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "mp3" || e == "flac"))
        .collect();
    files.sort_by_key(|p| std::fs::metadata(p).unwrap().len());
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let mut names = Vec::new();
    for file in files.iter().take(count) {
        let name = file.file_name().unwrap().to_str().unwrap().to_string();
        std::fs::copy(file, night.join(&name)).unwrap();
        names.push(name);
    }
    (night, names)
}

fn run_with(place: &Place, night: &Path, environment: &[(&str, &str)]) -> (i32, Value, String) {
    let out = place.out();
    let mut command = place.command(&["run", "--json", "--jobs", "2", "--out", out.to_str().unwrap()]);
    let output = command.arg(night).envs(environment.iter().copied()).output().unwrap();
    let summary = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), summary, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_abort_in_native_code_costs_one_call() {
    let place = Place::new();
    let (night, names) = recordings(&place, 4);
    let guilty = &names[1];
    let drill = format!("recognise:abort:{guilty}");
    let (code, summary, stderr) = run_with(&place, &night, &[("CALLMARK_DRILL", &drill)]);
    assert_eq!(code, 2, "{stderr}");
    let failed = summary["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["file"], guilty.as_str());
    assert!(failed[0]["cause"].as_str().unwrap().contains("twice at this recording (signal 6)"), "{failed:?}");
    assert_eq!(summary["transcribed"], 3, "the others are not to blame");
    let (code, summary, _) = run_with(&place, &night, &[]);
    assert_eq!((code, &summary["failed"][0]["known"], &summary["transcribed"]), (0, &Value::Bool(true), &0.into()));
    let (code, summary, _) = {
        let out = place.out();
        let arguments = ["run", "--json", "--retry-failed", "--out", out.to_str().unwrap(), night.to_str().unwrap()];
        let ran = place.run(&arguments);
        (ran.code, ran.json(), ran.stderr)
    };
    assert_eq!((code, &summary["transcribed"]), (0, &1.into()), "without the drill the recording is good");
}

#[test]
fn a_recording_that_hangs_is_given_up_and_one_that_eats_memory_fails() {
    let place = Place::new();
    let (night, names) = recordings(&place, 3);
    let config = place.folder.path().join("callmark.toml");
    std::fs::write(&config, "[night]\ngive_up_base_s = 15\ngive_up_factor = 20\nworker_memory_mb = 3000\n").unwrap();
    let config = config.to_str().unwrap();
    let hang = format!("decode:hang:{}", names[0]);
    let began = Instant::now();
    let (code, summary, stderr) = run_with(&place, &night, &[("CALLMARK_DRILL", &hang), ("CALLMARK_CONFIG", config)]);
    assert_eq!((code, &summary["transcribed"]), (2, &2.into()), "{stderr}");
    let cause = summary["failed"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("given up after 15 s"), "{cause}");
    assert!(began.elapsed() < Duration::from_secs(240));
    let memory = format!("decode:memory:{}", names[0]);
    let out = place.out();
    let mut retry = place.command(&["run", "--json", "--retry-failed", "--out", out.to_str().unwrap()]);
    let output = retry.arg(&night).env("CALLMARK_DRILL", &memory).env("CALLMARK_CONFIG", config).output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed = &summary["failed"][0];
    assert!(failed["cause"].as_str().unwrap().contains("stopped twice"), "{failed}");
    assert!(failed["hint"].as_str().unwrap().contains("worker_memory_mb"), "{failed}");
}

/// The process's recogniser worker, if it has one; any of its threads may have started it.
fn worker_of(process: u32) -> Option<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    threads.flatten().find_map(|thread| {
        let children = std::fs::read_to_string(thread.path().join("children")).ok()?;
        children.split_whitespace().find_map(|pid| pid.parse().ok())
    })
}

#[test]
fn a_worker_killed_from_outside_costs_nothing() {
    let place = Place::new();
    let (night, names) = recordings(&place, 4);
    let out = place.out();
    let mut command = place.command(&["run", "--json", "--jobs", "2", "--out", out.to_str().unwrap()]);
    let child =
        command.arg(&night).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let worker = loop {
        if let Some(pid) = worker_of(child.id()) {
            break pid;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no worker was started");
        std::thread::sleep(Duration::from_millis(20));
    };
    std::thread::sleep(Duration::from_millis(1_500));
    let killed = std::process::Command::new("kill").args(["-9", &worker.to_string()]).status().unwrap();
    assert!(killed.success(), "the worker was at work");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((summary["transcribed"].as_u64(), summary["failed"].as_array().map(Vec::len)), (Some(4), Some(0)));
    assert_eq!(place.table("calls.csv").len(), names.len());
}
