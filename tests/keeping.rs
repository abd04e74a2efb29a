//! Searching, keeping and forgetting: as a user does it, on text calls.

use std::path::Path;

use crate::harness::{Place, project};

const CALL: &str = "Rep: Thank you for calling, this is Anna. This call is recorded for quality.\n\
    Customer: Hello, my wombat insurance bill is wrong, I want to cancel my policy.\n\
    Rep: I am sorry to hear that. Could you confirm your date of birth?\n\
    Customer: It is the first of May.\nRep: Is there anything else I can help you with?\nCustomer: No, thank you.\n";

/// Three calls, the first of them with the word that the tests look for.
fn night(place: &Place) -> std::path::PathBuf {
    let night = place.folder.path().join("night");
    std::fs::create_dir_all(&night).unwrap();
    std::fs::write(night.join("a.txt"), CALL).unwrap();
    std::fs::write(night.join("b.txt"), CALL.replace("wombat", "house").replace("Anna", "Karen")).unwrap();
    let chinese = "客服：您好，这里是客服中心，本次通话将被录音。\n客户：你好，我要取消保單，账单有问题。\n客服：请问您的出生日期？\n客户：五月一号。\n客服：请问还有其他问题吗？\n客户：没有了，谢谢。\n";
    std::fs::write(night.join("c.txt"), chinese).unwrap();
    std::fs::copy(project().join("sample-audio/references/T-1001.vtt"), night.join("d.vtt")).unwrap();
    let metadata = "file,call_id,rep_id,customer_id,team,start_ts\na.txt,C-1,r1,K-1,north,2025-01-10T09:00:00\n\
        b.txt,C-2,r2,K-2,south,2025-03-10T09:00:00\nc.txt,C-3,r2,K-2,south,\nd.vtt,C-4,r1,K-4,north,2025-01-11T09:00:00\n";
    std::fs::write(night.join("metadata.csv"), metadata).unwrap();
    night
}

fn place_with_night() -> (Place, std::path::PathBuf) {
    let place = Place::new();
    let night = night(&place);
    place.run_on(&[&night], &[]).expect(0);
    (place, night)
}

fn out(place: &Place) -> String {
    place.out().to_str().unwrap().to_string()
}

#[test]
fn what_was_said_is_found_with_its_place() {
    let (place, night) = place_with_night();
    let page = place.run(&["search", "cancel my policy"]).expect(0).stdout;
    assert!(page.contains("[cancel my policy]") && page.contains("C-1  r1") && page.contains("Customer"), "{page}");
    assert!(page.contains(night.join("a.txt").to_str().unwrap()) && page.contains("2 turns in 2 calls"), "{page}");
    assert!(page.find("C-2") < page.find("C-1"), "the newest call first: {page}");
    let json = |arguments: &[&str]| {
        let all: Vec<&str> = ["search", "--format", "json"].into_iter().chain(arguments.iter().copied()).collect();
        place.run(&all).expect(0).json()
    };
    assert_eq!(json(&["取消保单"])["hits"][0]["call_id"], "C-3", "simplified finds traditional");
    assert_eq!(json(&["消"])["hits"][0]["marks"][0], serde_json::json!([6, 7]));
    assert_eq!(json(&["policy", "--rep", "r2"])["turns"], 1);
    assert_eq!(json(&["policy", "--role", "rep"])["turns"], 0);
    assert_eq!(json(&["thank", "--until", "2025-01-10"])["calls"], 1);
    let timed = &json(&["recorded", "--since", "2025-01-11", "--team", "north"])["hits"][0];
    assert!(timed["begin_ms"].is_i64() && timed["end_ms"].is_i64(), "{timed}");
    assert_eq!(timed["recordings"][0]["exists"], true);
    let untimed = &json(&["wombat"])["hits"][0];
    assert!(untimed["begin_ms"].is_null(), "text has no times");
    for odd in ["\"", "policy AND (", "a:b", "-x", "*"] {
        let ran = place.run(&["search", "--", odd]);
        assert!(ran.code == 0 || ran.stderr.contains("no word to search for"), "{odd}: {}", ran.stderr);
        assert!(!ran.stderr.contains("statement"), "{odd}: {}", ran.stderr);
    }
    place.run(&["search", "?!"]).expect(3);
}

#[test]
fn a_forgotten_call_leaves_no_byte_and_does_not_come_back() {
    let (place, night) = place_with_night();
    let out = out(&place);
    place.run(&["review", "C-1", "needs_restated", "--agree", "--by", "kim", "--reason", "wombat"]);
    for file in ["report.html", "digest-2025-02-19.html", "digest-2025-02-19.md"] {
        std::fs::write(place.out().join(file), "wombat").unwrap();
    }
    assert!(place.holding("wombat").len() >= 4, "{:?}", place.holding("wombat"));
    let before = place.outputs();
    let planned = place.run(&["forget", "C-1", "--out", &out, "--dry-run"]).expect(0).stdout;
    assert!(planned.contains("would remove 1 call:") && planned.contains("C-1.analysis.json"), "{planned}");
    assert_eq!(place.outputs(), before, "a dry run changes nothing");
    place.run(&["forget", "C-1", "--out", &out]).expect(3); // nobody confirms
    let said = place.run(&["forget", "C-1", "--out", &out, "--yes"]).expect(0).stdout;
    for file in ["C-1.analysis.json", "calls.csv", "turns.csv", "ledger.csv", "report.html", "digest-2025-02-19.md"] {
        assert!(said.contains(file), "{file}: {said}");
    }
    assert!(said.contains("yours and stays") && night.join("a.txt").is_file(), "{said}");
    assert_eq!(place.holding("wombat"), Vec::<String>::new());
    assert_eq!(place.table("calls.csv").len(), 3);
    let shown = place.run(&["show", "C-1"]).expect(3).stderr;
    assert!(shown.contains("was forgotten on"), "{shown}");

    let summary = place.run_on(&[&night], &[]).expect(0).json();
    assert_eq!((&summary["forgotten"], &summary["recordings"]), (&1.into(), &4.into()));
    // The same call from other bytes, and the same bytes under another name and id.
    std::fs::write(night.join("a.txt"), CALL.replace("wrong", "false")).unwrap();
    std::fs::write(night.join("e.txt"), CALL).unwrap();
    assert_eq!(place.run_on(&[&night], &[]).expect(0).json()["forgotten"], 2);
    assert_eq!(place.holding("wombat"), Vec::<String>::new());
    place.run(&["forget", "C-1", "--out", &out, "--yes"]).expect(0);
    place.run(&["forget", "C-9", "--yes"]).expect(3);
}

#[test]
fn a_customer_and_a_recording_are_forgotten() {
    let (place, night) = place_with_night();
    let out = out(&place);
    let said = place.run(&["forget", "--customer", "K-2", "--out", &out, "--yes"]).expect(0).stdout;
    assert!(said.contains("removed 2 calls"), "{said}");
    place.run(&["forget", "--customer", "K-2", "--yes"]).expect(3);
    let file = night.join("a.txt");
    place.run(&["forget", "--recording", file.to_str().unwrap(), "--out", &out, "--yes"]).expect(0);
    assert_eq!(place.table("calls.csv").len(), 1);
    // A recording that only failed.
    let broken = night.join("broken.wav");
    std::fs::write(&broken, b"RIFF").unwrap();
    place.run_on(&[&night], &[]).expect(2);
    place.run(&["forget", "--recording", broken.to_str().unwrap(), "--out", &out, "--yes"]).expect(0);
    let summary = place.run_on(&[&night], &[]).expect(0).json();
    assert_eq!((&summary["forgotten"], summary["failed"].as_array().unwrap().len()), (&4.into(), 0));
}

#[test]
fn purged_words_leave_scores_and_tables() {
    let (place, night) = place_with_night();
    let out = out(&place);
    let score = |call: &str| place.run(&["show", call, "--json"]).expect(0).json()["Qa"]["score"].clone();
    let (first, reps) = (score("C-1"), place.run(&["reps", "--format", "csv"]).expect(0).stdout);
    let purge = ["purge", "--before", "2025-02-01", "--keep", "scores", "--out", &out, "--yes"];
    let said = place.run(&purge).expect(0);
    assert!(said.stdout.contains("removed the words of 2 calls:"), "{}", said.stdout);
    assert!(said.stderr.contains("1 call without a start date"), "{}", said.stderr);
    assert_eq!(place.holding("wombat"), Vec::<String>::new());
    assert!(!place.out().join("C-4.vtt").exists() && place.out().join("C-4.rttm").exists());
    assert_eq!((score("C-1"), place.run(&["reps", "--format", "csv"]).expect(0).stdout), (first, reps.clone()));
    assert!(place.run(&["show", "C-1"]).expect(0).stdout.contains("its words were purged"));
    let rescored = place.run(&["score", "--json", "--out", &out]).expect(0).json();
    assert_eq!(rescored["words_purged"], 2);
    assert!(!place.out().join("C-4.vtt").exists());
    let refused = place.run(&["review", "C-1", "needs_restated", "--agree", "--by", "kim"]).expect(3).stderr;
    assert!(refused.contains("were purged"), "{refused}");
    let summary = place.run_on(&[&night], &[]).expect(0).json();
    assert_eq!((&summary["forgotten"], &summary["transcribed"]), (&2.into(), &0.into()));
    assert_eq!(place.run(&["reps", "--format", "csv"]).expect(0).stdout, reps);

    place.run(&["purge", "--older-than", "90x"]).expect(3);
    place.run(&["purge", "--older-than", "30d", "--undated", "--out", &out, "--yes"]).expect(0);
    assert!(place.run(&["reps"]).expect(0).stdout.contains("no stored calls"));
}

#[test]
fn a_backup_can_be_used_as_a_store() {
    let (place, _) = place_with_night();
    let copy = place.folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let said = place.run(&["backup", copy]).expect(0).stdout;
    assert!(said.contains("4 calls") && said.contains("read back"), "{said}");
    assert!(place.run(&["backup", copy]).expect(3).stderr.contains("--force"));
    place.run(&["backup", copy, "--force"]).expect(0);
    assert_eq!(
        place.run(&["reps", "--format", "csv", "--store", copy]).expect(0).stdout,
        place.run(&["reps", "--format", "csv"]).expect(0).stdout
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(Path::new(copy)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn decisions_follow_a_call_that_late_metadata_rename() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    std::fs::write(night.join("a.txt"), CALL).unwrap();
    place.run_on(&[&night], &[]).expect(0);
    let old = place.table("calls.csv")[0]["call_id"].clone();
    let row = place.table("ledger.csv").into_iter().find(|row| row["result"] == "missed").expect("a missed row");
    let requirement = row["requirement_id"].as_str();
    place.run(&["review", &old, requirement, "--overturn", "--by", "kim", "--reason", "it was said"]).expect(0);
    let score = |call: &str| place.run(&["show", call, "--json"]).expect(0).json()["Qa"]["score"].clone();
    let reviewed = score(&old);
    std::fs::write(night.join("metadata.csv"), "file,call_id,rep_id\na.txt,C-1,R-8\n").unwrap();
    let summary = place.run_on(&[&night], &[]).expect(0).json();
    assert_eq!(summary["transcribed"], 0);
    assert_eq!(score("C-1"), reviewed, "the decision still counts");
    assert!(place.run(&["show", "C-1"]).expect(0).stdout.contains("kim"));
    assert_eq!(place.table("reviews.csv")[0]["call_id"], "C-1");
    assert!(!place.out().join(format!("{old}.analysis.json")).exists());
}
