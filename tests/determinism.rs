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
    // Tables and report are about all calls of a run.
    for (name, bytes) in some.iter().filter(|(name, _)| !name.ends_with(".csv") && *name != "report.html") {
        assert!(all.get(name) == Some(bytes), "{name} differs between --jobs 1 and --jobs 2");
        compared += 1;
    }
    assert_eq!(compared, 4 * files.len(), "analysis, vtt, srt, rttm of each call");
}

/// Who said what when, in all calls.
fn said(place: &Place) -> Vec<Vec<String>> {
    let columns = ["call_id", "turn", "role", "begin_ms", "end_ms", "text", "confidence"];
    place.table("turns.csv").into_iter().map(|row| columns.iter().map(|c| row[*c].clone()).collect()).collect()
}

#[test]
fn a_changed_weight_changes_scores_and_no_transcript() {
    let place = Place::new();
    let (references, metadata) =
        (project().join("sample-audio/references"), project().join("sample-audio/metadata.csv"));
    place.run_on(&[&references], &["--metadata", metadata.to_str().unwrap()]).expect(0);
    let (before, said_before) = (place.table("calls.csv"), said(&place));
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
    assert!(said_before == said(&place), "a score changed a transcript");
    let moved = before.iter().zip(&after).filter(|(b, a)| b["score"] != a["score"]).count();
    assert!(moved > 0, "no score moved");
    for (b, a) in before.iter().zip(&after) {
        assert_ne!(b["scorecard_hash"], a["scorecard_hash"]);
        assert_eq!(b["duration_ms"], a["duration_ms"]);
    }
}
