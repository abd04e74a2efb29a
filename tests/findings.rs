//! Planted faults are found and clean controls stay clean, from reference transcripts and from audio.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Place, millipoints, project, read_csv, sample_from_audio, sample_from_references};

const TOLERANCE_MS: i64 = 2_000;

/// How one level of the test went.
#[derive(Default)]
struct Tally {
    planted: BTreeMap<String, (u32, u32)>,
    not_found: Vec<String>,
    false_flags: Vec<String>,
    controls: u32,
}

impl Tally {
    fn share_permille(&self) -> u32 {
        let (found, all) = self.planted.values().fold((0, 0), |(f, a), (found, all)| (f + found, a + all));
        found * 1000 / all.max(1)
    }

    fn print(&self, level: &str) {
        println!("| requirement | planted | found ({level}) |\n|---|---:|---:|");
        for (requirement, (found, all)) in &self.planted {
            println!("| {requirement} | {all} | {found} |");
        }
        let (found, all) = self.planted.values().fold((0, 0), |(f, a), (found, all)| (f + found, a + all));
        println!("| all | {all} | {found} |\nclean controls: {}, flagged: {}", self.controls, self.false_flags.len());
        println!("not found: {:#?}\nfalse flags: {:#?}", self.not_found, self.false_flags);
    }
}

fn tally(place: &Place, skip: &dyn Fn(&Value) -> bool) -> Tally {
    let mut tally = Tally::default();
    for row in read_csv(&project().join("sample-audio/expected.csv")) {
        let (call, requirement) = (&row["call_id"], &row["requirement_id"]);
        if requirement.is_empty() {
            continue; // an expected status, tested elsewhere
        }
        let analysis = place.analysis(call);
        if skip(&analysis) {
            continue;
        }
        let ledger = analysis["Qa"]["ledger"].as_array().cloned().unwrap_or_default();
        let found = ledger.iter().find(|r| r["kind"] == "item" && r["requirement_id"] == requirement.as_str());
        let result = found.map_or("absent", |r| r["result"].as_str().unwrap_or(""));
        if row["kind"] == "control" {
            tally.controls += 1;
            if matches!(result, "missed" | "violated") {
                tally.false_flags.push(format!("{call} {requirement}: {result}"));
            }
            continue;
        }
        let entry = tally.planted.entry(requirement.clone()).or_default();
        entry.1 += 1;
        let hit = result == row["outcome"] && found.is_some_and(|r| in_place(r, &row, &analysis));
        entry.0 += u32::from(hit);
        if !hit {
            tally.not_found.push(format!(
                "{call} {requirement}: expected {} at {}, was {result}",
                row["outcome"], row["begin_ms"]
            ));
        }
    }
    tally
}

/// True when a place in the ledger row lies within two seconds of the planted one and belongs to the right role.
/// What is missing has no place: the result itself is the finding.
fn in_place(row: &Value, expected: &BTreeMap<String, String>, analysis: &Value) -> bool {
    let Ok(begin) = expected["begin_ms"].parse::<i64>() else { return true };
    if expected["outcome"] == "missed" {
        return true;
    }
    let end = expected["end_ms"].parse::<i64>().unwrap_or(begin);
    let evidence = row["evidence"].as_array().cloned().unwrap_or_default();
    evidence.iter().any(|place| {
        let at = place["begin_ms"].as_i64().unwrap_or(i64::MIN / 2);
        let near = at >= begin - TOLERANCE_MS && at <= end.max(begin) + TOLERANCE_MS;
        let role = place["turn"].as_u64().map(|turn| analysis["Transcript"][turn as usize]["ParticipantId"].clone());
        let wanted = match expected["role"].as_str() {
            "rep" => "AGENT",
            "customer" => "CUSTOMER",
            _ => return near,
        };
        near && role.is_none_or(|role| role == wanted)
    })
}

#[test]
fn from_reference_transcripts() {
    let tally = tally(sample_from_references(), &|_| false);
    tally.print("transcript");
    let planted: u32 = tally.planted.values().map(|(_, all)| all).sum();
    assert!(planted >= 40, "{planted} planted faults");
    assert!(tally.controls >= 20, "{} controls", tally.controls);
    assert!(tally.share_permille() >= 950, "found {} ‰", tally.share_permille());
    assert!(tally.false_flags.is_empty(), "{:?}", tally.false_flags);
}

#[test]
fn from_audio_with_the_starter() {
    let (place, _) = sample_from_audio();
    // The Chinese calls have no audio.
    let no_audio = |analysis: &Value| analysis["LanguageCode"].as_str().is_some_and(|code| code.starts_with("zh"));
    let tally = tally(place, &|analysis| no_audio(analysis));
    tally.print("audio");
    assert!(tally.share_permille() >= 850, "found {} ‰", tally.share_permille());
}

#[test]
fn no_false_fatal_from_audio() {
    let (place, _) = sample_from_audio();
    let planted: Vec<(String, String)> = read_csv(&project().join("sample-audio/expected.csv"))
        .into_iter()
        .filter(|row| row["kind"] == "planted")
        .map(|row| (row["call_id"].clone(), row["requirement_id"].clone()))
        .collect();
    let mut false_fatals = Vec::new();
    for row in place.table("calls.csv") {
        let analysis = place.analysis(&row["call_id"]);
        for item in analysis["Qa"]["ledger"].as_array().cloned().unwrap_or_default() {
            let failed = matches!(item["result"].as_str(), Some("missed" | "violated"));
            let key = (row["call_id"].clone(), item["requirement_id"].as_str().unwrap_or("").to_string());
            if failed && item["kind"] == "item" && item["severity"] == "fatal" && !planted.contains(&key) {
                false_fatals.push(key);
            }
        }
    }
    assert!(false_fatals.is_empty(), "{false_fatals:?}");
}

#[test]
fn expected_statuses() {
    let (place, _) = sample_from_audio();
    let calls = place.table("calls.csv");
    let mono = calls.iter().find(|c| c["call_id"] == "S-2008").expect("the mono call is there");
    assert_eq!((mono["status"] != "unscored", mono["role_method"].as_str()), (true, "inferred"), "{mono:?}");
    let scored = calls.iter().filter(|c| c["status"] != "unscored").count();
    assert!(scored * 100 >= calls.len() * 95, "{scored} of {} are scored", calls.len());
    for call in &calls {
        assert_eq!(call["score"].is_empty(), call["status"] == "unscored", "{}", call["call_id"]);
    }
}

#[test]
fn ledger_rows_sum_to_the_score() {
    let (place, _) = sample_from_audio();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for row in place.table("ledger.csv") {
        *sums.entry(row["call_id"].clone()).or_default() += millipoints(&row["points"]);
    }
    for call in place.table("calls.csv").iter().filter(|c| !c["score"].is_empty()) {
        assert_eq!(sums[&call["call_id"]], millipoints(&call["score"]), "{}", call["call_id"]);
    }
}
