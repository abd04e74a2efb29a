//! Who is rep and who customer: re-assigned by a person without transcribing again; score, tables and report follow.

use std::collections::BTreeMap;

use crate::harness::{Place, project};

fn row(place: &Place, call_id: &str) -> BTreeMap<String, String> {
    place.table("calls.csv").into_iter().find(|row| row["call_id"] == call_id).expect("the call")
}

#[test]
fn one_command_turns_roles_round_and_everything_follows() {
    let place = Place::new();
    let recording = project().join("sample-audio/T-1004.wav");
    let metadata = project().join("sample-audio/metadata.csv");
    let more = ["--metadata", metadata.to_str().unwrap()];
    let first = place.run_on(&[&recording], &more).expect(0).json();
    assert_eq!(first["transcribed"], 1, "{first}");
    let before = (row(&place, "T-1004"), place.analysis("T-1004"));
    let why = place.run(&["roles", "T-1004"]).expect(0).stdout;
    assert!(why.contains("0=rep,1=customer") && why.contains("names_company"), "{why}");

    place.run(&["roles", "T-1004", "--swap"]).expect(3); // who decides is asked for
    place.run(&["roles", "T-1004", "--set", "0=rep,2=customer", "--by", "kim"]).expect(3);
    assert!(place.table("reviews.csv").is_empty(), "what does not fit the call is no review");
    let out = place.out();
    let into = ["--out", out.to_str().unwrap()];
    let turn = |arguments: &[&str]| {
        let mut all = vec!["roles", "T-1004"];
        all.extend(arguments);
        all.extend(["--by", "kim", "--reason", "channels were crossed"]);
        all.extend(into);
        place.run(&all).expect(0)
    };
    turn(&["--swap"]);
    let again = place.run_on(&[&recording], &more).expect(0).json();
    assert_eq!(again["transcribed"], 0, "no transcription for a change of roles: {again}");
    let swapped = (row(&place, "T-1004"), place.analysis("T-1004"));
    assert_eq!(swapped.0["role_method"], "reviewed");
    assert_ne!(swapped.0["score"], before.0["score"]);
    assert_eq!(swapped.0["rep_talk_permille"], before.0["customer_talk_permille"]);
    assert_eq!(place.table("reviews.csv")[0]["requirement_id"], "roles:0=customer,1=rep");
    let roles = |analysis: &serde_json::Value| -> Vec<String> {
        let turns = analysis["Transcript"].as_array().unwrap();
        turns.iter().map(|turn| turn["ParticipantRole"].as_str().unwrap().to_string()).collect()
    };
    assert_ne!(roles(&swapped.1), roles(&before.1));
    let report = std::fs::read_to_string(place.out().join("report.html")).unwrap();
    assert!(report.contains("a person"), "the report says who decided");

    turn(&["--set", "0=rep,1=customer"]);
    place.run_on(&[&recording], &more).expect(0);
    let back = (row(&place, "T-1004"), place.analysis("T-1004"));
    assert_eq!((&back.0["score"], roles(&back.1)), (&before.0["score"], roles(&before.1)), "undone");
    assert_eq!(place.table("reviews.csv").len(), 2, "append-only");
}
