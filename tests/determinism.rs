//! Same audio, same bytes: whatever `--jobs`; a re-score changes scores but never transcripts.

use std::path::PathBuf;

use crate::harness::{Place, project, sample_from_audio};

/// Some of the sample recordings, enough to fill two lanes.
fn some_recordings() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(project().join("sample-audio"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "wav" || e == "mp3" || e == "flac"))
        .collect();
    files.sort_by_key(|p| std::fs::metadata(p).unwrap().len());
    files.truncate(4);
    files
}

#[test]
fn jobs_do_not_change_a_byte() {
    let (whole, _) = sample_from_audio();
    let place = Place::new();
    let metadata = project().join("sample-audio/metadata.csv");
    let files = some_recordings();
    let paths: Vec<&std::path::Path> = files.iter().rev().map(PathBuf::as_path).collect();
    place.run_on(&paths, &["--jobs", "1", "--metadata", metadata.to_str().unwrap()]).expect(0);
    let (all, some) = (whole.outputs(), place.outputs());
    let mut compared = 0;
    for (name, bytes) in some.iter().filter(|(name, _)| !name.ends_with(".csv")) {
        assert!(all.get(name) == Some(bytes), "{name} differs between --jobs 1 and --jobs 2");
        compared += 1;
    }
    assert_eq!(compared, 4 * files.len(), "analysis, vtt, srt, rttm of each call");
}

#[test]
fn a_changed_weight_changes_scores_and_no_transcript() {
    let place = Place::new();
    let (references, metadata) =
        (project().join("sample-audio/references"), project().join("sample-audio/metadata.csv"));
    place.run_on(&[&references], &["--metadata", metadata.to_str().unwrap()]).expect(0);
    let (before, turns) = (place.table("calls.csv"), std::fs::read(place.out().join("turns.csv")).unwrap());
    let original = std::fs::read_to_string(project().join("scorecards/telesales.yaml")).unwrap();
    assert!(original.contains("compliance: 30"), "the test changes this weight");
    let changed = place.folder.path().join("changed.yaml");
    std::fs::write(&changed, original.replacen("compliance: 30", "compliance: 60", 1)).unwrap();
    let again = ["score", "--scorecard", changed.to_str().unwrap(), "--json"];
    let first = place.run(&again).expect(0).json();
    assert_eq!(first["changed"], first["calls"], "another scorecard concerns every call");
    assert_eq!(place.run(&again).expect(0).json()["changed"], 0, "a repeat changes nothing");
    let metadata = metadata.to_str().unwrap();
    place.run_on(&[&references], &["--metadata", metadata, "--scorecard", changed.to_str().unwrap()]).expect(0);
    let after = place.table("calls.csv");
    assert_eq!(std::fs::read(place.out().join("turns.csv")).unwrap().len(), turns.len());
    let moved = before.iter().zip(&after).filter(|(b, a)| b["score"] != a["score"]).count();
    assert!(moved > 0, "no score moved");
    for (b, a) in before.iter().zip(&after) {
        assert_ne!(b["scorecard_hash"], a["scorecard_hash"]);
        assert_eq!(b["duration_ms"], a["duration_ms"]);
    }
}
