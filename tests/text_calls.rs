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
        assert_eq!(call["pace_unit"], "chars_per_min");
    }
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
