//! Metadata and configuration as a night meets them: late, from several places, in any usual encoding.

use std::path::{Path, PathBuf};

use crate::harness::{Place, project};

const CALL: &str = "Rep: Thank you for calling, this is Anna. This call is recorded for quality.\n\
    Customer: Hello, my bill is wrong.\nRep: I am sorry to hear that. Could you confirm your date of birth?\n\
    Customer: It is the first of May.\nRep: Is there anything else I can help you with?\nCustomer: No, thank you.\n";

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// rep, team, start of the only call.
fn only_call(place: &Place) -> [String; 3] {
    let calls = place.table("calls.csv");
    assert_eq!(calls.len(), 1, "{calls:?}");
    ["rep_id", "team", "start_ts"].map(|column| calls[0][column].clone())
}

#[test]
fn late_metadata_of_every_kind_update_a_call_without_transcribing() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let audio = night.join("1234567_JANE_DOE_DT_2025-02-19T06-01-22.wav");
    std::fs::copy(project().join("models/tests/data/annie.wav"), &audio).unwrap();
    let run = |transcribed: u64, expected: [&str; 3]| {
        let summary = place.run_on(&[&night], &["--jobs", "1"]).expect(0).json();
        assert_eq!(summary["transcribed"], transcribed, "{summary}");
        assert_eq!(only_call(&place), expected);
    };
    run(1, ["JANE DOE", "", "2025-02-19T06:01:22"]);
    // Who is who, learned later.
    let configuration = "[[rep]]\nid = \"r17\"\naliases = [\"jane  doe\"]\n\
        teams = [{ team = \"north\" }, { team = \"south\", since = \"2025-02-01\" }]\n";
    let config = put(place.folder.path(), "callmark.toml", configuration);
    run(0, ["r17", "south", "2025-02-19T06:01:22"]);
    // A pattern of the site's own.
    let pattern = "[metadata]\nfile_names = ['^(?<customer_id>\\d+)_(?<rep_id>[A-Z]+)_']\n";
    put(place.folder.path(), "callmark.toml", pattern);
    run(0, ["JANE", "south", "2025-02-19T06:01:22"]);
    std::fs::remove_file(config).unwrap();
    // A table in GBK (file,坐席,团队 / …,张三,北区), then a sidecar in UTF-16.
    let head = b"file,\xD7\xF8\xCF\xAF,\xCD\xC5\xB6\xD3\n1234567_JANE_DOE_DT_2025-02-19T06-01-22,".to_vec();
    put(&night, "metadata.csv", [head, b"\xD5\xC5\xC8\xFD,\xB1\xB1\xC7\xF8\n".to_vec()].concat());
    run(0, ["张三", "北区", "2025-02-19T06:01:22"]);
    let sidecar: Vec<u8> = "\u{FEFF}{\"rep_id\": \"王芳\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(&night, "1234567_JANE_DOE_DT_2025-02-19T06-01-22.wav.json", sidecar);
    run(0, ["王芳", "北区", "2025-02-19T06:01:22"]);
    let summary = place.run_on(&[&night], &[]).expect(0).json();
    assert_eq!(summary["unchanged"], 1);
}

#[test]
fn a_spreadsheet_in_the_folder_is_found_and_oddities_are_told_once() {
    let place = Place::new();
    let (north, south) = (place.folder.path().join("north"), place.folder.path().join("south"));
    put(&north, "a.txt", CALL);
    std::fs::copy(project().join("tests/oracles/spreadsheets/metadata.xlsx"), north.join("metadata.xlsx")).unwrap();
    let rows: String = (0..50).map(|n| format!("{n}.wav,never,Mars,x\n")).collect();
    put(&south, "metadata.csv", format!("file,start_ts,tz,temm\na.txt,soon,Mars,x\n{rows}"));
    put(&south, "a.txt", CALL.replace("Anna", "Karen"));
    let summary = place.run_on(&[&north, &south], &[]).expect(0).json();
    let warnings = summary["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.as_str().unwrap().contains("south/metadata.csv: ")), "{warnings:?}");
    assert!(warnings[1].as_str().unwrap().contains("line 2") && warnings[1].as_str().unwrap().contains("50 more"));
    let mut calls = place.table("calls.csv");
    calls.sort_by_key(|call| call["rep_id"].clone());
    let seen: Vec<_> = calls.iter().map(|call| (call["rep_id"].as_str(), call["start_ts"].as_str())).collect();
    // The table of each folder is for the recordings in it; what is no stamp does not stand in the results.
    assert_eq!(seen, [("", ""), ("1017", "2025-02-19T06:01:22")]);
}

#[test]
fn calls_without_a_rep_have_a_row_of_their_own() {
    let place = Place::new();
    let call = put(place.folder.path(), "20250219060122_201_0123456789_in.txt", CALL);
    let other = put(place.folder.path(), "nobody.txt", CALL.replace("Anna", "Karen"));
    place.run_on(&[&call, &other], &[]).expect(0);
    let reps = place.run(&["reps", "--format", "csv"]).expect(0).stdout;
    let ids: Vec<&str> = reps.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(ids, ["201", "unassigned"], "{reps}");
}

#[test]
fn aliases_learned_later_hold_for_calls_whose_recordings_are_gone() {
    let place = Place::new();
    let call = put(place.folder.path(), "7_JANE_DOE_DT_2025-02-19T06-01-22.txt", CALL);
    place.run_on(&[&call], &[]).expect(0);
    std::fs::remove_file(call).unwrap();
    let rep = "[[rep]]\nid = 'r17'\naliases = ['Jane Doe']\nteams = [{ team = 'north' }]\n";
    put(place.folder.path(), "callmark.toml", rep);
    assert_eq!(place.run(&["score", "--json"]).expect(0).json()["changed"], 1);
    let reps = place.run(&["reps", "--format", "csv"]).expect(0).stdout;
    assert!(reps.lines().nth(1).unwrap().starts_with("r17,north,"), "{reps}");
    assert_eq!(place.run(&["score", "--json"]).expect(0).json()["changed"], 0);
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_the_default() {
    let place = Place::new();
    put(place.folder.path(), "callmark.toml", "model = 'tiny'\n[night]\nsettle_s = 5\nlog_format = 'json'\n");
    let show = |more: &[&str], variable: Option<(&str, &str)>| {
        let mut command = place.command(&[&["config", "--show"], more].concat());
        command.envs(variable);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let line = |text: &str, key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_string();
    let text = show(&["--set", "night.settle_s=7"], Some(("CALLMARK_LOG_FORMAT", "text")));
    assert_eq!(line(&text, "night.settle_s"), "night.settle_s = 7  # flag --set");
    assert_eq!(line(&text, "night.log_format"), "night.log_format = \"text\"  # environment CALLMARK_LOG_FORMAT");
    assert_eq!(line(&text, "model"), "model = \"tiny\"  # file callmark.toml");
    assert_eq!(line(&text, "max_minutes"), "max_minutes = 240  # default");
    // What is shown is a configuration itself, and so is the default.
    let shown = put(place.folder.path(), "shown.toml", text);
    place.run(&["config", "--check", shown.to_str().unwrap()]).expect(0);
    let default = put(place.folder.path(), "default.toml", place.run(&["config"]).expect(0).stdout);
    place.run(&["config", "--check", default.to_str().unwrap()]).expect(0);
    let wrong = put(place.folder.path(), "wrong.toml", "[night]\nsettel_s = 5\n");
    let checked = place.run(&["config", "--check", wrong.to_str().unwrap()]).expect(1);
    assert!(
        checked.stderr.contains("line 2") && checked.stderr.contains("did you mean `settle_s`?"),
        "{}",
        checked.stderr
    );
    let call = put(place.folder.path(), "a.txt", CALL);
    put(place.folder.path(), "callmark.toml", "max_minutes = 0\n");
    let refused = place.run_on(&[&call], &[]).expect(3);
    assert!(refused.stderr.contains("callmark.toml: line 1") && refused.stderr.contains("1440"), "{}", refused.stderr);
}

#[test]
fn the_doctor_tells_usable_from_not() {
    let place = Place::new();
    let text = place.run(&["doctor"]).expect(0).stdout;
    for subject in ["recogniser", "voice activity", "ONNX Runtime", "scorecard", "store", "disk", "lock", "machine"] {
        assert!(text.lines().any(|line| line.starts_with("ok") && line.contains(subject)), "{subject}: {text}");
    }
    assert!(
        text.contains("warning  recogniser") && text.contains("hint: callmark models pull "),
        "only the starter is there: {text}"
    );
    // A model that is not what the manifest says, a scorecard that cannot be read, a folder that is no store.
    put(place.folder.path(), "data/callmark/models/ggml-tiny.bin", "not a model");
    put(place.folder.path(), "broken.yaml", "requirements: 3\n");
    put(place.folder.path(), "callmark.toml", "model = 'tiny'\n[[route]]\nscorecard = 'broken.yaml'\n");
    let ran = place.run(&["doctor", "--json", "--store", place.folder.path().to_str().unwrap()]).expect(1);
    let report = ran.json();
    assert_eq!(report["usable"], false);
    let problems: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["state"] == "problem")
        .map(|check| {
            assert!(check["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{check}");
            check["subject"].as_str().unwrap()
        })
        .collect();
    assert_eq!(problems, ["recogniser", "scorecard", "store"], "{report}");
}

#[test]
fn the_doctor_hears_a_call() {
    let place = Place::new();
    let told = put(place.folder.path(), "told", "");
    std::fs::remove_file(&told).unwrap();
    let command = format!("[night]\non_finish = 'touch {}'\n", told.display());
    put(place.folder.path(), "callmark.toml", command);
    let text = place.run(&["doctor", "--self-test"]).expect(0).stdout;
    let line = text.lines().find(|line| line.contains("self-test")).unwrap();
    assert!(line.starts_with("ok") && line.contains("word error 0.") && line.contains("1,000 h"), "{line}");
    assert!(!told.exists(), "a test is no night");
    assert!(!place.folder.path().join("store.db").exists(), "the store of the nights is left alone");
}
