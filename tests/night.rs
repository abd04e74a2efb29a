//! A made-up night, killed with -9 in the middle and run again: complete, nothing twice, every broken file named, what was
//! planted found. `scripts/soak` does the same with 20,000 calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, read_csv};
use crate::memory;

/// A night that was killed once, then run to its end.
pub struct Night {
    pub place: Place,
    pub folder: PathBuf,
    pub summary: Value,
    /// What both runs printed, at the chattiest log level, and the metrics: file or stream → content.
    pub heard: BTreeMap<String, String>,
    peak_mb: u64,
}

/// Made once for all tests.
pub fn night() -> &'static Night {
    static NIGHT: OnceLock<Night> = OnceLock::new();
    NIGHT.get_or_init(|| {
        let place = Place::new();
        let folder = place.folder.path().join("night");
        let path = folder.to_str().expect("UTF-8").to_string();
        place
            .run(&["bench", "night", &path, "--calls", "300", "--audio", "6", "--seed", "7", "--broken", "80"])
            .expect(0);
        let (out, metrics) = (place.out(), place.folder.path().join("callmark.prom"));
        let arguments = [
            "run",
            "--json",
            "--jobs",
            "2",
            "--metrics",
            metrics.to_str().expect("UTF-8"),
            "--out",
            out.to_str().expect("UTF-8"),
            &path,
        ];
        let log = |name: &str| std::fs::File::create(place.folder.path().join(name)).expect("a log");
        let mut command = place.command(&arguments);
        command.env("CALLMARK_LOG", "trace").stdin(Stdio::null());
        let mut child =
            command.stdout(log("killed.out")).stderr(log("killed.err")).spawn().expect("the program starts");
        let done = || {
            let entries = std::fs::read_dir(&out).into_iter().flatten().flatten();
            entries.filter(|e| e.file_name().to_string_lossy().ends_with(".analysis.json")).count()
        };
        let began = Instant::now();
        while done() < 100 && began.elapsed() < Duration::from_secs(300) {
            assert!(child.try_wait().expect("a child").is_none(), "the run ended before it could be killed");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("killable"); // SIGKILL
        child.wait().expect("a child");
        let killed_after = done();
        assert!((100..270).contains(&killed_after), "killed with {killed_after} calls done");

        let mut command = place.command(&arguments);
        command.env("CALLMARK_LOG", "trace").stdin(Stdio::null());
        let (ran, peak_mb) = memory::watched(command, Duration::from_secs(600));
        let ran = ran.expect(2);
        let read = |name: &str| std::fs::read_to_string(place.folder.path().join(name)).expect("UTF-8");
        let mut heard: BTreeMap<String, String> = ["killed.out", "killed.err", "callmark.prom"]
            .into_iter()
            .map(|name| (name.to_string(), read(name)))
            .collect();
        heard.insert("stdout".into(), ran.stdout.clone());
        heard.insert("stderr".into(), ran.stderr.clone());
        Night { summary: ran.json(), place, folder, heard, peak_mb }
    })
}

/// The rows of `planted.csv`.
pub fn planted(folder: &Path) -> Vec<BTreeMap<String, String>> {
    read_csv(&folder.join("planted.csv"))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().expect("a name")
}

#[test]
fn a_killed_night_is_complete_after_the_next_run() {
    let night = night();
    let truth = planted(&night.folder);
    let of_kind =
        |kind: &str| -> Vec<&BTreeMap<String, String>> { truth.iter().filter(|r| r["kind"] == kind).collect() };
    let (good, broken) = (of_kind("call"), of_kind("broken"));
    assert!(good.len() > 260 && broken.len() > 12, "{} {}", good.len(), broken.len());

    let mut failed: Vec<&str> =
        night.summary["failed"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = broken.iter().map(|r| file_name(&r["file"])).collect();
    failed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(failed, expected, "every broken file is named once, and nothing else is");

    let calls = night.place.table("calls.csv");
    assert_eq!(calls.len(), good.len() + broken.len(), "one row a file");
    let ids: BTreeSet<&str> = calls.iter().map(|c| c["call_id"].as_str()).collect();
    assert_eq!(ids.len(), calls.len(), "nothing is there twice");
    let status: BTreeMap<&str, &str> = calls.iter().map(|c| (c["call_id"].as_str(), c["status"].as_str())).collect();
    for row in good.iter().filter(|r| !r["call_id"].is_empty()) {
        assert!(status.get(row["call_id"].as_str()).is_some_and(|s| *s != "failed"), "{}", row["file"]);
    }
    assert_eq!(status.values().filter(|s| **s == "failed").count(), broken.len());

    let reps = night.place.run(&["reps", "--period", "all", "--format", "json"]).expect(0).json();
    let count = |row: &Value| {
        ["n_scored", "n_unscored", "n_pending", "n_failed"].iter().map(|n| row[n].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(
        reps.as_array().unwrap().iter().map(count).sum::<u64>(),
        calls.len() as u64,
        "the rep table counts each call once"
    );
    println!("{} files, peak {} MB", calls.len(), night.peak_mb);
    assert!(night.peak_mb < 1024, "{} MB", night.peak_mb);

    let (out, folder) = (night.place.out(), night.folder.to_str().unwrap());
    let again = night.place.run(&["run", "--json", "--out", out.to_str().unwrap(), folder]).expect(0).json();
    assert_eq!(again["unchanged"].as_u64().unwrap() as usize, good.len(), "the next run has nothing to do: {again}");
    assert!(again["failed"].as_array().unwrap().iter().all(|f| f["known"] == true));
}

#[test]
fn what_was_planted_is_found() {
    let night = night();
    let text = |row: &BTreeMap<String, String>| !row["file"].ends_with(".wav");
    let mut results: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in night.place.table("ledger.csv") {
        results
            .entry((row["call_id"].clone(), row["requirement_id"].clone()))
            .or_default()
            .insert(row["result"].clone());
    }
    let calls = night.place.table("calls.csv");
    let judged: BTreeSet<&str> =
        calls.iter().filter(|c| !c["scorecard"].is_empty()).map(|c| c["call_id"].as_str()).collect();
    let (mut planted_count, mut found, mut controls, mut wrong) = (0, 0, 0, 0);
    let mut by_requirement: BTreeMap<String, u32> = BTreeMap::new();
    for row in planted(&night.folder).iter().filter(|r| text(r) && judged.contains(r["call_id"].as_str())) {
        let results = results.get(&(row["call_id"].clone(), row["requirement_id"].clone()));
        let has = |result: &str| results.is_some_and(|r| r.contains(result));
        match row["kind"].as_str() {
            "planted" => {
                planted_count += 1;
                found += usize::from(has(&row["outcome"]));
                if !has(&row["outcome"]) {
                    *by_requirement.entry(format!("{} not found", row["requirement_id"])).or_default() += 1;
                }
            }
            "control" => {
                controls += 1;
                wrong += usize::from(has("missed") || has("violated"));
                if has("missed") || has("violated") {
                    *by_requirement.entry(format!("{} wrongly", row["requirement_id"])).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    println!(
        "planted mistakes found: {found} of {planted_count}; controls wrongly flagged: {wrong} of {controls}; {by_requirement:?}"
    );
    assert!(planted_count > 400 && controls > 3_000, "{planted_count} {controls}");
    assert!(found * 100 >= planted_count * 97, "{found} of {planted_count}");
    assert!(wrong * 1000 <= controls * 2, "{wrong} of {controls}");
}
