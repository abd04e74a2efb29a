//! Touchpoints from file to table, digest, report and export, and out again when a call or customer is forgotten.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Place, read_csv};

const CONFIG: &str = "[[rep]]\nid = 'r17'\naliases = ['Anna']\n\
    [[import]]\nname = 'deals'\nrep = 'Owner'\ndate = 'Time'\nid = 'Activity ID'\nopportunity = 'Opportunity'\ncustomer = 'Customer'\n\
    value = 'Amount'\ntext = 'Notes'\nevent = 'Type'\n\
    events = { 'First call' = ['first_contact', 'opportunities'], Graded = ['need_graded'], Offer = ['proposal'], Mail = ['message'] }\n";

/// Two opportunities: one valuable, with a promise that nobody kept; one with much business and no customer. Four rows break rules.
const DEALS: &str = "Activity ID,Owner,Time,Opportunity,Customer,Amount,Type,Notes\n\
    1,Anna,2025-02-03 10:00,O-1,K-1,\"12,000\",First call,\n\
    2,Anna,2025-02-05 09:00,O-1,K-1,,Graded,\n\
    3,Anna,2025-02-06,O-1,K-1,,Offer,We move your customer data over one weekend. Ask us on 0171 2345678\n\
    4,Anna,soon,O-1,K-1,,Mail,\n\
    5,Anna,2025-02-07,,,,Mail,\n\
    6,Anna,2025-02-07,O-1,K-1,lots,Mail,\n\
    7,Anna,2025-02-07,O-1,K-1,,Golf,\n\
    8,Ben,2025-02-10,O-2,KD-2002,900,First call,\n\
    9,Ben,2025-02-12,O-2,KD-2002,,Mail,\n\
    10,Ben,2025-02-13,O-2,KD-2002,,Mail,\n\
    11,Ben,2025-02-14,O-2,KD-2002,,Mail,\n\
    12,Ben,2025-02-26,O-3,KD-3003,500,Mail,\n";

const WORRY: &str = "I'm worried about losing customer data during the migration.";
const PROMISE: &str = "Thank you, then I will call you on Monday with an answer.";

fn put(path: &Path, turns: &[(&str, &str)]) {
    let mut text = String::from("WEBVTT\n");
    for (n, (role, said)) in turns.iter().enumerate() {
        let (begin, end) = (n * 8, n * 8 + 7);
        write!(text, "\n00:00:{begin:02}.000 --> 00:00:{end:02}.000\n<v {role}>{said}\n").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Two calls of the valuable opportunity's customer and one of somebody else, and both opportunities.
fn place() -> Place {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let hello = ("Rep", "Thank you for calling, this is Anna. This call is recorded for quality.");
    let worry =
        [hello, ("Customer", WORRY), ("Rep", "I see."), ("Customer", "I have to ask my boss, it is not my decision.")];
    put(&night.join("a.vtt"), &worry);
    put(
        &night.join("b.vtt"),
        &[hello, ("Customer", "Hello, is there any news?"), ("Rep", PROMISE), ("Customer", "Fine.")],
    );
    put(
        &night.join("c.vtt"),
        &[hello, ("Customer", "My bill is wrong."), ("Rep", "Let me look."), ("Customer", "Thank you.")],
    );
    let metadata = "file,call_id,rep_id,customer_id,start_ts\na.vtt,C-1,r17,K-1,2025-02-04T11:00:00\n\
        b.vtt,C-2,r17,K-1,2025-02-10T11:00:00\nc.vtt,C-3,r17,K-3,2025-02-26T09:00:00\n";
    std::fs::write(night.join("metadata.csv"), metadata).unwrap();
    std::fs::write(place.folder.path().join("callmark.toml"), CONFIG).unwrap();
    std::fs::write(place.folder.path().join("deals.csv"), DEALS).unwrap();
    place.run_on(&[&night], &[]).expect(0);
    place.run(&["import", "deals.csv", "--source", "deals"]).expect(2);
    place
}

fn opportunity(place: &Place, id: &str) -> Value {
    let found = place.run(&["journeys", "--as-of", "2025-02-26", "--json", "--opportunity", id]).expect(0).json();
    found["opportunities"][0].clone()
}

fn item<'a>(opportunity: &'a Value, id: &str) -> &'a Value {
    opportunity["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap()
}

#[test]
fn rows_that_break_rules_are_named_and_the_rest_is_judged() {
    let place = place();
    let again = place.run(&["import", "deals.csv", "--source", "deals", "--json"]).expect(2).json();
    let file = &again["files"][0];
    assert_eq!((&file["new"], &file["unchanged"]), (&0.into(), &8.into()), "twice is once: {file}");
    let refused: Vec<String> = file["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}: {}", row["line"], row["column"].as_str().unwrap(), row["rule"].as_str().unwrap()))
        .collect();
    let expected = [
        "5 Time: not a date",
        "6 Opportunity: neither opportunity nor customer",
        "7 Amount: not a number",
        "8 Type: a value",
    ];
    assert_eq!(refused.len(), expected.len(), "{refused:?}");
    for (refused, expected) in refused.iter().zip(expected) {
        assert!(refused.starts_with(expected), "{refused}, expected {expected}");
    }
    // A row may count as a measure, too.
    let indicators = place.run(&["indicators", "--format", "json"]).expect(0).json();
    assert_eq!(indicators["rows"].as_array().unwrap().iter().filter(|row| row["opportunities"] == 1).count(), 2);

    let table = place.run(&["journeys", "--as-of", "2025-02-26"]).expect(0).stdout;
    let line = |id: &str| table.lines().find(|line| line.trim_start().starts_with(id)).unwrap();
    for part in ["K-1", "r17", "12,000", "50.0 of 50.0", "2025-02-10", "high_value_neglect, stale_follow_up"] {
        assert!(line("O-1").contains(part), "{part}: {table}");
    }
    assert!(line("O-2").contains("hollow") && table.find("O-1") < table.find("O-2"), "the gravest first: {table}");
    assert!(table.contains("nobody touched the customer for 16 days"), "{table}");
    // Before the promise was old and the customer neglected.
    let earlier = place.run(&["journeys", "--as-of", "2025-02-12"]).expect(0).stdout;
    assert!(!earlier.contains("stale_follow_up") && !earlier.contains("neglect"), "{earlier}");
    assert!(place.run(&["journeys", "--as-of", "2025-01-01"]).expect(3).stderr.contains("hint:"));
    assert!(place.run(&["journeys", "--opportunity", "O-11"]).expect(3).stderr.contains("there is no opportunity"));
}

#[test]
fn an_opportunity_shows_its_evidence_word_by_word() {
    let place = place();
    let found = opportunity(&place, "O-1");
    let states: Vec<&str> =
        found["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["met", "met", "not_due", "not_due"]);
    let words = item(&found, "own_words");
    assert_eq!((&words["share_permille"], &words["said"][0]["quote"]), (&400.into(), &WORRY.into()), "{words}");
    assert_eq!((&words["said"][0]["call_id"], &words["said"][0]["begin_ms"]), (&"C-1".into(), &8000.into()));
    assert_eq!(words["events"][0]["text"], "We move your customer data over one weekend. Ask us on [phone]");
    let kinds: Vec<&str> =
        found["mentions"].as_array().unwrap().iter().map(|mention| mention["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["worry", "decision_maker"]);
    let promise = &found["alerts"][1]["promise"];
    assert_eq!((&promise["call_id"], &promise["turn"], &promise["quote"]), (&"C-2".into(), &2.into(), &PROMISE.into()));
    let page = place.run(&["journeys", "--as-of", "2025-02-26", "--opportunity", "O-1"]).expect(0).stdout;
    assert!(
        page.contains(&format!("C-1 turn 1 00:08: {WORRY}")) && page.contains("40 % of the customer's words"),
        "{page}"
    );
    // What was found in the calls is kept, and not looked for again.
    let store = rusqlite::Connection::open(place.folder.path().join("store.db")).unwrap();
    let changed = store.execute("UPDATE talks SET talk = replace(talk, 'worried about', 'troubled by')", []).unwrap();
    assert_eq!(changed, 2, "the calls of the customer with touchpoints");
    drop(store);
    let kept = opportunity(&place, "O-1");
    assert_eq!(item(&kept, "own_words")["said"][0]["quote"], WORRY.replace("worried about", "troubled by"));
}

#[test]
fn digest_report_and_export_show_what_waits() {
    let place = place();
    let out = place.out();
    let path = out.to_str().unwrap();
    for (language, heading, neglect) in
        [("en", "Opportunities that wait", "Worth 12,000"), ("zh", "等待跟进的商机", "价值 12,000")]
    {
        place.run(&["digest", "--date", "2025-02-26", "--out", path, "--language", language]).expect(0);
        for ending in ["html", "md"] {
            let digest = std::fs::read_to_string(out.join(format!("digest-2025-02-26.{ending}"))).unwrap();
            assert!(
                digest.contains(heading) && digest.contains(neglect) && digest.contains("call you on Monday"),
                "{digest}"
            );
        }
    }
    place.run(&["report", "--out", path, "--until", "2025-02-26"]).expect(0);
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    for link in ["href=\"#lists-journeys.opportunity-O-1\"", "href=\"#calls-C-1.turn-1\"", "href=\"#calls-C-2.turn-2\""]
    {
        assert!(report.contains(link), "{link}");
    }
    let target = place.folder.path().join("tables");
    place.run(&["export", target.to_str().unwrap(), "--until", "2025-02-26"]).expect(0);
    let opportunities = read_csv(&target.join("opportunities.csv"));
    let first = &opportunities[0];
    let seen = ["opportunity_id", "checklist_points", "met", "alerts", "days_since_touch"]
        .map(|column| first[column].as_str());
    assert_eq!(seen, ["O-1", "50.000", "need_graded; own_words", "high_value_neglect; stale_follow_up", "16"]);
    assert_eq!(read_csv(&target.join("touchpoints.csv")).len(), 8);
    let mentions = read_csv(&target.join("mentions.csv"));
    assert_eq!((mentions.len(), mentions[0]["quote"].as_str()), (2, WORRY));
}

#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    let place = place();
    let out = place.out();
    let path = out.to_str().unwrap();
    place.run(&["digest", "--date", "2025-02-26", "--out", path]).expect(0);
    place.run(&["forget", "C-1", "--out", path, "--yes"]).expect(0);
    assert_eq!(place.holding("losing customer"), Vec::<String>::new());
    let found = opportunity(&place, "O-1");
    assert_eq!(
        (&item(&found, "own_words")["state"], found["mentions"].as_array().unwrap().len()),
        (&"unknown".into(), 0)
    );
    // The words alone: nothing that was promised is left either.
    place.run(&["purge", "--before", "2025-02-11", "--keep", "scores", "--out", path, "--yes"]).expect(0);
    assert_eq!(place.holding("on Monday with an answer"), Vec::<String>::new());
    let left = place.run(&["journeys", "--json"]).expect(0).json();
    let ids: Vec<&str> =
        left["opportunities"].as_array().unwrap().iter().map(|row| row["opportunity_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["O-3", "O-2"], "touchpoints before that day are gone");
    let planned = place.run(&["forget", "--customer", "KD-2002", "--out", path, "--dry-run"]).expect(0).stdout;
    assert!(planned.contains("would remove 3 touchpoints"), "{planned}");
    place.run(&["forget", "--customer", "KD-2002", "--out", path, "--yes"]).expect(0);
    let said = place.run(&["import", "deals.csv", "--source", "deals"]).expect(2).stderr;
    assert!(said.contains("4 touchpoints of customers who were forgotten"), "{said}");
    let table = place.run(&["journeys", "--as-of", "2025-02-26"]).expect(0).stdout;
    assert!(table.contains("O-1") && !table.contains("O-2"), "a forgotten customer does not come back: {table}");
    assert_eq!(place.holding("KD-2002"), ["deals.csv"]);
}
