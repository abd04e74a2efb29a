//! Interactions that are text already: every reader, English and Chinese, commands on the store.

use crate::harness::{Place, millipoints, project, sample_from_references};

const PLAIN: &str = "Rep: Thank you for calling, this is Anna. This call is recorded for quality.\n\
    Customer: Hello, my bill is wrong.\nRep: I am sorry to hear that. Could you confirm your date of birth?\n\
    Customer: It is the first of May.\nRep: Is there anything else I can help you with?\nCustomer: No, thank you.\n";

#[test]
fn plain_lines_in_both_languages() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("en.txt"), PLAIN).unwrap();
    let chinese = "客服：您好，这里是客服中心，本次通话将被录音。\n客户：你好，我的账单有问题。\n客服：请问您的出生日期？\n客户：五月一号。\n客服：请问还有其他问题吗？\n客户：没有了，谢谢。\n";
    std::fs::write(place.folder.path().join("zh.txt"), chinese).unwrap();
    let folder = place.folder.path().to_path_buf();
    place.run_on(&[&folder.join("en.txt"), &folder.join("zh.txt")], &[]).expect(0);
    let calls = place.table("calls.csv");
    assert_eq!(calls.len(), 2);
    let mut languages: Vec<&str> = calls.iter().map(|c| c["language"].as_str()).collect();
    languages.sort_unstable();
    assert_eq!(languages, ["en", "zh"]);
    for call in &calls {
        assert!(!call["score"].is_empty(), "{call:?}");
        assert!(call["pace_rep"].is_empty(), "text has no pace");
    }
}

#[test]
fn chinese_sample_calls_are_scored() {
    let place = sample_from_references();
    let chinese: Vec<_> = place.table("calls.csv").into_iter().filter(|c| c["language"] == "zh").collect();
    assert_eq!(chinese.len(), 4);
    for call in chinese {
        assert!(!call["score"].is_empty(), "{}", call["call_id"]);
        assert_eq!(call["pace_unit"], "characters_per_min");
    }
    // The Chinese text model reads how the customer feels; of the customer of Z-4001 it reads both.
    let felt = |words: &str| -> f64 {
        let turns = place.table("turns.csv");
        let turn = turns.iter().find(|t| t["text"].contains(words)).unwrap_or_else(|| panic!("{words}"));
        turn["sentiment"].parse().unwrap_or_else(|_| panic!("no sentiment of {words}"))
    };
    assert!(felt("打了好几次电话都没人管") < -1.0);
    assert!(felt("你的服务真好") > 1.0);
}

/// What `meaning` finds in Chinese: the sentence in other words, not another sentence.
#[test]
fn a_chinese_meaning_is_found() {
    let place = Place::new();
    let card = place.folder.path().join("card.yaml");
    let text = "schema: 1\nname: t\nlanguage: [zh]\nweights: {a: 10}\nrequirements:\n  - id: thanks\n    dimension: a\n    match: {thanks: {meaning: {zh: [谢谢您的耐心等待]}}}\n    require: {expr: thanks}\n    examples:\n      - {turns: [[rep, 0, 感谢您耐心地等了这么久]], expect: met}\n      - {turns: [[rep, 0, 您的套餐每个月有三十个流量]], expect: missed}\n";
    std::fs::write(&card, text).unwrap();
    place.run(&["scorecard", "test", card.to_str().unwrap()]).expect(0);
}

#[test]
fn show_reps_and_review() {
    let place = Place::new();
    let (references, metadata) =
        (project().join("sample-audio/references"), project().join("sample-audio/metadata.csv"));
    place.run_on(&[&references], &["--metadata", metadata.to_str().unwrap()]).expect(0);
    let ledger = place.table("ledger.csv");
    let flagged = ledger
        .iter()
        .find(|r| r["result"] == "missed" && millipoints(&r["points"]) == 0 && millipoints(&r["possible"]) > 0)
        .expect("a missed row");
    let call_id = &flagged["call_id"];
    let page = place.run(&["show", call_id]).expect(0).stdout;
    assert!(page.contains("Rep") && page.contains("Customer") && page.contains("sum of rows"), "{page}");
    assert!(place.run(&["reps"]).expect(0).stdout.contains("insufficient data"), "few calls are never ranked");
    let csv = place.run(&["reps", "--period", "week", "--format", "csv"]).expect(0).stdout;
    assert!(csv.starts_with("rep_id,team,period_kind,period,"), "{csv}");
    let score =
        |place: &Place| place.run(&["show", call_id, "--json"]).expect(0).json()["Qa"]["score"].as_i64().unwrap();
    let before = score(&place);
    let requirement = flagged["requirement_id"].as_str();
    place.run(&["review", call_id, requirement, "--overturn", "--by", "kim"]).expect(3); // a reason is asked for
    place
        .run(&["review", call_id, requirement, "--overturn", "--by", "kim", "--reason", "it was said in other words"])
        .expect(0);
    let after = score(&place);
    assert!(after > before, "{before} → {after}");
    assert!(place.run(&["show", call_id]).expect(0).stdout.contains("kim"));
    place.run(&["review", call_id, "no_such_requirement", "--agree", "--by", "kim"]).expect(3);
}

#[test]
fn gates_decide_the_exit_code() {
    let place = Place::new();
    let file = place.folder.path().join("en.txt");
    std::fs::write(&file, PLAIN).unwrap();
    place.run_on(&[&file], &["--fail-under", "100"]).expect(1);
    place.run_on(&[&file], &["--fail-under", "0"]).expect(0);
    place.run_on(&[&file.with_file_name("nothing.txt")], &[]).expect(3);
    place.run(&["run"]).expect(3);
}

#[test]
fn late_metadata_update_a_call_that_was_renamed() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    std::fs::write(night.join("a.txt"), PLAIN).unwrap();
    place.run_on(&[&night], &[]).expect(0);
    assert_eq!(place.table("calls.csv")[0]["rep_id"], "");
    let first = place.table("calls.csv")[0]["call_id"].clone();
    std::fs::rename(night.join("a.txt"), night.join("b.txt")).unwrap();
    std::fs::write(night.join("metadata.csv"), "file,rep_id,team\nb.txt,R-9,north\n").unwrap();
    place.run_on(&[&night], &[]).expect(0);
    let calls = place.table("calls.csv");
    assert_eq!((calls.len(), calls[0]["rep_id"].as_str(), &calls[0]["call_id"]), (1, "R-9", &first));
    std::fs::write(night.join("metadata.csv"), "file,call_id,rep_id\nb.txt,C-1,R-8\n").unwrap();
    place.run_on(&[&night], &[]).expect(0);
    let reps = place.run(&["reps", "--format", "csv"]).expect(0).stdout;
    assert_eq!(reps.lines().count(), 2, "the call is there once, under its new id: {reps}");
    assert!(!place.out().join(format!("{first}.analysis.json")).exists());
}

#[test]
fn outputs_beside_the_recordings_are_no_new_calls() {
    let place = Place::new();
    let night = place.folder.path().to_path_buf();
    std::fs::copy(project().join("sample-audio/references/T-1001.vtt"), night.join("T-1001.vtt")).unwrap();
    for _ in 0..2 {
        let summary = place.run_on(&[&night], &[]).expect(0).json();
        assert_eq!(summary["recordings"], 1);
    }
}

#[test]
fn a_language_that_is_not_scored_is_named() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("a.txt"), PLAIN).unwrap();
    std::fs::write(place.folder.path().join("m.csv"), "file,language\na.txt,fr\n").unwrap();
    let (file, metadata) = (place.folder.path().join("a.txt"), place.folder.path().join("m.csv"));
    place.run_on(&[&file], &["--metadata", metadata.to_str().unwrap()]).expect(0);
    assert_eq!(place.table("calls.csv")[0]["reason"], "wrong_language");
}

#[test]
fn two_recordings_never_share_a_call_id() {
    let place = Place::new();
    let folder = place.folder.path();
    std::fs::write(folder.join("m.csv"), "file,call_id\na.txt,C-1\nb.txt,C-1\n").unwrap();
    std::fs::write(folder.join("a.txt"), PLAIN).unwrap();
    std::fs::write(folder.join("b.txt"), PLAIN.replace("Anna", "Karen")).unwrap();
    let metadata = folder.join("m.csv");
    let with = ["--metadata", metadata.to_str().unwrap()];
    place.run_on(&[&folder.join("a.txt")], &with).expect(0);
    place.run_on(&[&folder.join("b.txt")], &with).expect(2);
    std::fs::write(&metadata, "file,call_id\na.txt,C-1\nb.txt,C-2\n").unwrap();
    place.run_on(&[&folder.join("b.txt")], &with).expect(0);
    assert_eq!(place.table("calls.csv")[0]["call_id"], "C-2", "a corrected table is followed");
}

#[test]
fn a_review_does_not_move_a_call_to_another_scorecard() {
    let place = Place::new();
    let file = place.folder.path().join("a.txt");
    std::fs::write(&file, PLAIN).unwrap();
    let telesales = project().join("scorecards/telesales.yaml");
    let scorecard = telesales.to_str().unwrap();
    place.run_on(&[&file], &["--scorecard", scorecard]).expect(0);
    let call = place.table("calls.csv")[0]["call_id"].clone();
    let score = |place: &Place| place.run(&["show", &call, "--json"]).expect(0).json()["Qa"]["score"].clone();
    let before = score(&place);
    place.run(&["review", &call, "needs_restated", "--agree", "--by", "kim"]).expect(3);
    place.run(&["review", &call, "needs_restated", "--agree", "--by", "kim", "--scorecard", scorecard]).expect(0);
    assert_eq!(before, score(&place), "agreeing changes no points");
    assert_eq!(place.run(&["score", "--json"]).expect(0).json()["left_alone"], 1, "a scorecard given by hand stays");
    assert_eq!(before, score(&place));
}
