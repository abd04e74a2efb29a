//! No digit of a card or a telephone is left anywhere but where the configuration keeps it: every output, the terminal, logs, errors,
//! and the bytes of the store.

use std::path::{Path, PathBuf};

use crate::harness::Place;

/// Card, telephone, e-mail, written and spoken, over several turns, in both languages.
const ENGLISH: &str = "WEBVTT\n\n\
    00:00:00.000 --> 00:00:04.000\n<v Rep>Thank you for calling, this is Anna. This call is recorded for quality.\n\n\
    00:00:04.500 --> 00:00:08.000\n<v Customer>Hello, I would like to pay my bill, and my new number is 415 867 5309.\n\n\
    00:00:08.500 --> 00:00:11.000\n<v Rep>Certainly. Can I take the long card number?\n\n\
    00:00:11.500 --> 00:00:14.000\n<v Customer>Yes, it's four five three nine\n\n\
    00:00:14.200 --> 00:00:14.900\n<v Rep>okay\n\n\
    00:00:15.000 --> 00:00:18.000\n<v Customer>one double eight oh\n\n\
    00:00:18.200 --> 00:00:20.000\n<v Rep>one double eight oh, yes\n\n\
    00:00:20.500 --> 00:00:24.000\n<v Customer>three four three six four, um, six seven\n\n\
    00:00:24.500 --> 00:00:26.000\n<v Rep>Mhm.\n\n\
    00:00:26.500 --> 00:00:29.000\n<v Customer>and then five. That's it.\n\n\
    00:00:29.500 --> 00:00:36.000\n<v Rep>So that is 4539 1880 3436 4675, and I will send a receipt to kim.harlow@zuvomail.com.\n\n\
    00:00:36.500 --> 00:00:40.000\n<v Customer>Right, or kim dot harlow at zuvomail dot com. You are useless, by the way.\n\n\
    00:00:40.500 --> 00:00:44.000\n<v Rep>Is there anything else I can help you with? Have a nice day.\n";

const CHINESE: &str = "客服：您好，这里是客服中心，本次通话将被录音。\n\
    客户：你好，我想付款，我的手机号是一三九幺零二四七七六八。\n\
    客服：好的，请您报一下信用卡号码。\n\
    客户：四五三九一八八零\n客服：嗯\n客户：三四三六四六七五\n\
    客服：跟您核对一下，4539188034364675，对吗？\n\
    客户：对，手机是13910247768。\n客服：请问还有其他问题吗？\n客户：没有了，谢谢。\n";

/// With times of words.
fn word_times() -> String {
    let text = "my card number is 4539 1880 3436 4675 thank you for all your help today with this";
    let words: Vec<String> = text
        .split(' ')
        .enumerate()
        .map(|(n, word)| format!(r#"{{"word":" {word}","start":{n}.0,"end":{n}.9,"probability":0.9}}"#))
        .collect();
    format!(
        r#"{{"language":"en","segments":[{{"start":0.0,"end":16.0,"text":"{text}","speaker":"customer","words":[{}]}},
        {{"start":16.5,"end":19.0,"text":"Thank you for calling, have a nice day.","speaker":"agent"}}]}}"#,
        words.join(",")
    )
}

/// What must not be read anywhere. Single groups only between marks: a hash may hold any four digits.
const SECRETS: &[&str] = &[
    "4539188034364675",
    "4539 1880",
    "3436 4675",
    " 4539",
    "\"4539",
    " 4675",
    "\"4675",
    "415 867",
    "867 5309",
    "4158675309",
    "13910247768",
    "four five three nine",
    "double eight oh",
    "three four three six",
    "six seven",
    "四五三九",
    "三四三六",
    "一三九幺零",
    "四七七六八",
    "zuvomail",
    "kim.harlow",
    "dot harlow",
];

fn leaks(place: &str, text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    SECRETS.iter().filter(|secret| lower.contains(**secret)).map(|secret| format!("{place}: {secret}")).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("an entry").into_path());
    entries.filter(|path| path.is_file()).collect()
}

fn write_calls(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("en.vtt"), ENGLISH).unwrap();
    std::fs::write(folder.join("zh.txt"), CHINESE).unwrap();
    std::fs::write(folder.join("words.json"), word_times()).unwrap();
    // What cannot be read must not be quoted by the error either.
    std::fs::write(folder.join("broken.vtt"), "WEBVTT\n\n00:00:01 --> 4539188034364675\nfour five three nine\n")
        .unwrap();
    std::fs::write(
        folder.join("broken.json"),
        "{\"Transcript\": [{\"Content\": 4539188034364675, \"zuvomail\" 4539 1880",
    )
    .unwrap();
}

/// A night of these calls after its first run.
fn processed(more: &[&str]) -> Place {
    let place = Place::new();
    let night = place.folder.path().join("night");
    write_calls(&night);
    place.run_on(&[&night], more).expect(2);
    place
}

/// Every command that shows something; what each printed.
fn everything(place: &Place, more: &[&str]) -> Vec<(String, String)> {
    let night = place.folder.path().join("night");
    let (out, night) = (place.out().to_str().unwrap().to_string(), night.to_str().unwrap().to_string());
    let ids: Vec<String> = place.table("calls.csv").iter().map(|call| call["call_id"].clone()).collect();
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["run", "--json", "--out", &out, &night],
        vec!["reps"],
        vec!["score", "--json", "--out", &out],
        vec!["search", "card"],
        vec!["search", "four"],
        vec!["search", "--format", "json", "my"],
        vec!["search", "号"],
        vec!["report", "--out", &out],
    ];
    for id in &ids {
        commands.push(vec!["show", id]);
        commands.push(vec!["show", "--json", id]);
        commands.push(vec!["review", id]);
        commands.push(vec!["roles", id]);
    }
    let run = |arguments: Vec<&str>| {
        let mut command = place.command(&arguments);
        command.args(more).env("CALLMARK_LOG", "trace");
        let ran = crate::harness::Ran::new(command.output().expect("the program starts"));
        assert!([0, 2].contains(&ran.code), "{arguments:?}: {} {}", ran.code, ran.stderr);
        (arguments.join(" "), format!("{}\n{}", ran.stdout, ran.stderr))
    };
    commands.into_iter().map(run).collect()
}

fn written(place: &Place) -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let text = String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned();
        (path.display().to_string(), text)
    };
    files(&place.out()).into_iter().map(read).collect()
}

/// The store's file with whatever SQLite keeps beside it.
fn store_bytes(place: &Place) -> String {
    let of_store = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("store.db");
    let paths = files(place.folder.path()).into_iter().filter(of_store);
    paths.map(|path| String::from_utf8_lossy(&std::fs::read(path).expect("readable")).into_owned()).collect()
}

/// The same night once more; files that are known to be broken are no failure any more.
fn again(place: &Place, more: &[&str]) {
    place.run_on(&[&place.folder.path().join("night")], more).expect(0);
}

fn all_leaks(found: &[(String, String)]) -> Vec<String> {
    found.iter().flat_map(|(place, text)| leaks(place, text)).collect()
}

#[test]
fn no_digit_of_a_card_is_left_anywhere() {
    let place = processed(&[]);
    let said = place.table("turns.csv");
    let with = |text: &str| said.iter().filter(|turn| turn["text"].contains(text)).count();
    assert_eq!((with("[card]"), with("[phone]"), with("[email]")), (10, 3, 2), "{said:?}");
    assert!(with("useless") == 1, "the rest is there");
    let call = &said.iter().find(|turn| turn["text"].contains("useless")).unwrap()["call_id"];
    let ledger = place.table("ledger.csv");
    let row = ledger.iter().find(|row| row["call_id"] == *call && ["met", "missed"].contains(&row["result"].as_str()));
    let requirement = &row.expect("a row to review")["requirement_id"];
    let reason = "the customer gave 4539 1880 3436 4675 twice";
    place.run(&["review", call, requirement, "--agree", "--by", "kim", "--reason", reason]).expect(0);
    assert!(place.run(&["show", call]).expect(0).stdout.contains("the customer gave [card] twice"));
    let printed = everything(&place, &[]);
    assert!(printed.iter().any(|(_, text)| text.contains("[card]")));
    assert_eq!(all_leaks(&printed), [""; 0]);
    let outputs = written(&place);
    assert!(outputs.len() > 12, "{}", outputs.len());
    assert_eq!(all_leaks(&outputs), [""; 0]);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
    let analysis = place.analysis(call);
    assert_eq!(analysis["ContentMetadata"]["Output"], "Redacted");
    assert!(analysis["Qa"]["redaction"]["spans"].as_array().unwrap().len() > 6);
}

#[test]
fn the_original_is_kept_only_where_the_configuration_says_so() {
    let keep = ["--set", "redaction.keep_original=true"];
    let place = processed(&keep);
    assert!(!leaks("the store", &store_bytes(&place)).is_empty());
    assert_eq!(all_leaks(&everything(&place, &keep)), [""; 0]);
    assert_eq!(all_leaks(&written(&place)), [""; 0]);
    // A shorter list needs nothing but what was kept.
    again(&place, &["--set", "redaction.keep_original=true", "--set", "redaction.entities=[\"phone\"]"]);
    let said = place.table("turns.csv");
    assert!(
        said.iter().any(|turn| turn["text"].contains("4539 1880"))
            && said.iter().any(|t| t["text"].contains("[phone]"))
    );
    // No longer kept: the next run takes it out of the store.
    again(&place, &[]);
    assert_eq!(all_leaks(&written(&place)), [""; 0]);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
}

#[test]
fn calls_of_before_lose_their_numbers_when_they_are_scored_again() {
    let place = processed(&["--set", "redaction.entities=[]"]);
    assert!(!all_leaks(&written(&place)).is_empty());
    place.run(&["score", "--out", place.out().to_str().unwrap()]).expect(0);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
    let calls: Vec<(String, String)> = written(&place)
        .into_iter()
        .filter(|(path, _)| path.ends_with("analysis.json") || path.ends_with("vtt"))
        .collect();
    assert!(calls.len() >= 4, "{}", calls.len());
    assert_eq!(all_leaks(&calls), [""; 0]);
}

#[test]
fn scoring_takes_out_of_the_store_what_is_no_longer_kept() {
    let place = processed(&["--set", "redaction.keep_original=true"]);
    assert!(!leaks("the store", &store_bytes(&place)).is_empty());
    place.run(&["score"]).expect(0);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
}

#[test]
fn what_another_model_heard_is_redacted_too() {
    let place = processed(&["--set", "redaction.entities=[]"]);
    // As if an earlier version had made it.
    let store = rusqlite::Connection::open(place.folder.path().join("store.db")).unwrap();
    assert!(store.execute("UPDATE analyses SET model_key = 'earlier ' || model_key", []).unwrap() >= 3);
    drop(store);
    again(&place, &[]);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
}

#[test]
fn calls_scored_by_hand_are_not_written_before_they_are_redacted() {
    let card = crate::harness::project().join("scorecards/collections.yaml");
    let card = card.to_str().unwrap();
    let place = processed(&["--scorecard", card, "--set", "redaction.entities=[]"]);
    let later = place.folder.path().join("later");
    let out = ["--out", later.to_str().unwrap()];
    let left = place.run(&["score", out[0], out[1]]).expect(0);
    assert!(left.stderr.contains("were not written"), "{}", left.stderr);
    let held = || -> Vec<String> {
        let read = |path: PathBuf| {
            leaks(&path.display().to_string(), &String::from_utf8_lossy(&std::fs::read(&path).unwrap()))
        };
        files(&later).into_iter().flat_map(read).collect()
    };
    assert_eq!(held(), [""; 0]);
    let again = place.run(&["score", "--scorecard", card, out[0], out[1]]).expect(0);
    assert!(!again.stderr.contains("were not written"), "{} {:?}", again.stderr, files(&later));
    assert!(files(&later).len() >= 6);
    assert_eq!(held(), [""; 0]);
    assert_eq!(leaks("the store", &store_bytes(&place)), [""; 0]);
}

#[test]
fn without_the_encoder_scores_stay_and_words_go() {
    let place = processed(&["--set", "redaction.entities=[]"]);
    let store = || rusqlite::Connection::open(place.folder.path().join("store.db")).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let store = store();
        let mut statement = store.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let said = || {
        rows(
            "SELECT call_id || sentiment || hex(embeddings) FROM text_scores \
             WHERE call_id IN (SELECT call_id FROM calls WHERE language = 'en') ORDER BY call_id",
        )
    };
    let before = said();
    assert!(!before.is_empty());
    // An installation with all but the English encoder.
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("models")).unwrap();
    for (folder, left_out) in [("", "models"), ("models", "text-en")] {
        for entry in std::fs::read_dir(crate::harness::project().join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_name() != left_out {
                std::os::unix::fs::symlink(entry.path(), home.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let score = place.command(&["score"]).env("CALLMARK_HOME", home.path()).output().unwrap();
    let told = String::from_utf8_lossy(&score.stderr);
    assert!(!score.status.success() && told.contains("a text encoder that is missing here"), "{told}");
    assert_eq!(said(), before);
    assert_eq!(leaks("analyses", &rows("SELECT transcript FROM analyses").concat()), [""; 0]);
    // The Chinese call has its encoder: the others' error does not lose it.
    let redacted = rows("SELECT record FROM records WHERE record LIKE '%[card]%'");
    assert_eq!(redacted.len(), 1);
    assert!(redacted[0].contains("客服中心"));
}

#[test]
fn sets_are_measured() {
    let place = Place::new();
    let set = place.folder.path().join("few.jsonl");
    let line = r#"{"language":"en","turns":[{"role":"customer","begin_ms":0,"end_ms":900,"text":"card 4111 1111 1111 1111, bill of 12 dollars"}],"spans":[{"turn":0,"begin":5,"end":24,"entity":"card"}]}"#;
    let missed = line.replace("4111 1111 1111 1111", "one of the sort here");
    std::fs::write(&set, format!("{line}\n{missed}\n")).unwrap();
    let rows = place.run(&["eval", "redaction", "--json", set.to_str().unwrap()]).expect(0).json();
    let card = &rows[0];
    assert_eq!(
        (card["entity"].as_str(), card["labelled"].as_u64(), card["found"].as_u64()),
        (Some("card"), Some(2), Some(1))
    );
    assert_eq!((card["placeholders"].as_u64(), card["right"].as_u64()), (Some(1), Some(1)));
    assert!(card["recall"]["low"].as_f64() < Some(0.5) && card["recall"]["high"].as_f64() > Some(0.5));
    assert!(place.run(&["eval", "redaction", set.to_str().unwrap()]).expect(0).stdout.contains("few"));
    std::fs::write(&set, line.replace("\"turn\":0", "\"turn\":7")).unwrap();
    assert!(place.run(&["eval", "redaction", set.to_str().unwrap()]).expect(3).stderr.contains("line 1"));
}
