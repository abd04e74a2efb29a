//! Dialogue acts as the language's model hears them: their word counts, is kept, is forgotten, and comes out the same again. And sentiment in
//! its context, which depends on who speaks, too.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Place, Ran, project};

/// A rep who greets, introduces himself and ends the call in words that no phrase of acts.yaml has.
const CALL: &str = "Rep: Hiya, Marta at Nordgate Energy here, good to catch you.\n\
    Customer: Oh, hello.\n\
    Rep: I wanted to tell you about the new tariff, it's a bit cheaper than yours.\n\
    Customer: It's too expensive for me, really.\n\
    Rep: Fair enough. Shall I put it in an email?\n\
    Customer: Yes, do that, cheers, thanks a lot for that.\n\
    Rep: Lovely. You take care then, bye bye now.\n";

fn store(place: &Place) -> Connection {
    Connection::open(place.folder.path().join("store.db")).unwrap()
}

fn rows(place: &Place, sql: &str) -> Vec<String> {
    let store = store(place);
    let mut statement = store.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn record(place: &Place) -> Value {
    let records = rows(place, "SELECT record FROM records");
    assert_eq!(records.len(), 1);
    serde_json::from_str(&records[0]).unwrap()
}

fn read_acts(place: &Place) -> Vec<String> {
    rows(place, "SELECT acts FROM text_scores WHERE acts IS NOT NULL")
}

/// A place with one text call that was scored.
fn scored(text: &str) -> Place {
    let place = Place::new();
    let file = place.folder.path().join("call.txt");
    std::fs::write(&file, text).unwrap();
    place.run_on(&[&file], &[]).expect(0);
    place
}

/// An installation without the English text model.
fn without_model(home: &Path) {
    std::fs::create_dir(home.join("models")).unwrap();
    for (folder, left_out) in [("", "models"), ("models", "text-en")] {
        link(home, folder, left_out);
    }
}

/// What lies in a folder of the project, without one entry.
fn link(home: &Path, folder: &str, left_out: &str) {
    for entry in std::fs::read_dir(project().join(folder)).unwrap().map(Result::unwrap) {
        if entry.file_name() != left_out {
            std::os::unix::fs::symlink(entry.path(), home.join(folder).join(entry.file_name())).unwrap();
        }
    }
}

/// As a manifest may say it.
pub const IN_CONTEXT: &str = "[sentiment]\nneighbour_weight_permille = 230\nneighbour_decay_permille = 800\n";

/// An installation whose English text model has this table about sentiment and no other.
pub fn with_sentiment(table: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    without_model(home.path());
    std::fs::create_dir(home.path().join("models/text-en")).unwrap();
    link(home.path(), "models/text-en", "manifest.toml");
    let manifest = std::fs::read_to_string(project().join("models/text-en/manifest.toml")).unwrap();
    let mut manifest: toml::Table = manifest.parse().unwrap();
    manifest.remove("sentiment");
    manifest.extend(table.parse::<toml::Table>().unwrap());
    std::fs::write(home.path().join("models/text-en/manifest.toml"), manifest.to_string()).unwrap();
    home
}

#[test]
fn what_the_model_hears_is_in_the_record_and_needs_no_model_again() {
    let place = scored(CALL);
    let before = record(&place);
    let by_model: Vec<&str> = before["acts_by_model"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert!(by_model.contains(&"greeting") && by_model.contains(&"closing"), "{by_model:?}");
    assert!(!by_model.contains(&"price_objection"), "that is left to phrases");
    assert_eq!(before["schema_version"], 3);
    let acts = &before["acts"];
    assert!(acts[0]["greeting"].as_u64().unwrap() < 1000, "{acts}");
    assert!(acts[1].get("greeting").is_none(), "a customer's hello is no rep's greeting: {acts}");
    assert!(acts[3]["price_objection"].as_u64().unwrap() >= 750, "{acts}");
    assert!(acts[6].get("closing").is_some(), "{acts}");

    // Judged anew from what is kept, with and without the model.
    let again = |home: Option<&Path>| {
        store(&place).execute("UPDATE calls SET evaluation_key = 'other'", []).unwrap();
        let mut command = place.command(&["score", "--full"]);
        if let Some(home) = home {
            command.env("CALLMARK_HOME", home);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        record(&place)
    };
    assert_eq!(again(None), before);
    let home = tempfile::tempdir().unwrap();
    without_model(home.path());
    assert_eq!(again(Some(home.path())), before);

    // Without a model from the start: phrases alone, and nothing claims otherwise.
    let place = Place::new();
    let file = place.folder.path().join("call.txt");
    std::fs::write(&file, CALL).unwrap();
    let out = place.out();
    let run = ["run", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    assert!(place.command(&run).env("CALLMARK_HOME", home.path()).output().unwrap().status.success());
    let phrases = record(&place);
    assert_eq!((phrases.get("acts_by_model"), phrases["schema_version"].as_u64()), (None, Some(1)));
    assert_eq!((&phrases["acts"][0], &phrases["acts"][3]), (&serde_json::json!({}), &before["acts"][3]));
    assert_eq!(read_acts(&place), [""; 0]);
}

#[test]
fn a_forgotten_call_leaves_no_readings() {
    let place = scored(CALL);
    assert_eq!(read_acts(&place).len(), 1);
    let call_id = record(&place)["call_id"].as_str().unwrap().to_string();
    place.run(&["forget", &call_id, "--yes"]).expect(0);
    assert_eq!(read_acts(&place), [""; 0]);
}

/// The model hears a turn as the rep's or the customer's: when a person turns the roles round, acts are read again.
#[test]
fn other_roles_are_other_readings_the_same_as_from_the_start() {
    let place = Place::new();
    place.run_on(&[&project().join("sample-audio/T-1004.wav")], &[]).expect(0);
    let before = (record(&place), read_acts(&place));
    let swap = ["roles", "T-1004", "--swap", "--by", "kim", "--reason", "channels were crossed"];
    place.run(&[&swap[..], &["--out", place.out().to_str().unwrap()]].concat()).expect(0);
    place.run(&["score"]).expect(0);
    let swapped = (record(&place), read_acts(&place));
    assert_ne!(swapped.1, before.1, "the head was asked again");
    store(&place).execute_batch("DELETE FROM text_scores; UPDATE calls SET evaluation_key = 'other'").unwrap();
    place.run(&["score", "--full"]).expect(0);
    assert_eq!((record(&place), read_acts(&place)), swapped, "as if the roles had been known from the start");
}

/// Kept is each turn alone: what comes of it depends on who speaks, and needs no model again.
#[test]
fn sentiment_in_context_is_that_of_the_roles_and_needs_no_model_again() {
    let (plain, in_context) = (with_sentiment(""), with_sentiment(IN_CONTEXT));
    let nothing = tempfile::tempdir().unwrap();
    without_model(nothing.path());
    let place = Place::new();
    let ran = |home: &TempDir, arguments: &[&str]| {
        Ran::new(place.command(arguments).env("CALLMARK_HOME", home.path()).output().unwrap()).expect(0);
    };
    let out = place.out();
    let out = ["--out", out.to_str().unwrap()];
    let again = |home: &TempDir| {
        store(&place).execute("UPDATE calls SET evaluation_key = 'other'", []).unwrap();
        ran(home, &["score", "--full"]);
    };
    let kept = || rows(&place, "SELECT record FROM records").remove(0);
    let alone = || rows(&place, "SELECT sentiment FROM text_scores").remove(0);
    let call = project().join("sample-audio/T-1004.wav");

    ran(&plain, &[&["run", call.to_str().unwrap()][..], &out].concat());
    let (record_alone, sentiment_alone) = (record(&place), alone());
    let words = |sentiment: &str| serde_json::from_str::<Value>(sentiment).unwrap();
    assert_eq!(record_alone["sentiment"], words(&sentiment_alone), "without the table each turn stands alone");

    // Another manifest is another model: the calls are read again.
    ran(&in_context, &["score"]);
    let (kept_before, before) = (kept(), record(&place));
    assert_ne!(before["sentiment"], record_alone["sentiment"]);
    assert_ne!(
        before["signals"]["sentiment_customer_milli"], record_alone["signals"]["sentiment_customer_milli"],
        "signals are made of the same"
    );
    assert_eq!(before["schema_version"], record_alone["schema_version"]);
    assert_eq!(alone(), sentiment_alone);
    again(&in_context);
    assert_eq!(kept(), kept_before);
    again(&nothing);
    assert_eq!(kept(), kept_before, "without the model");

    // Swapped and back. The record says that a person settled the roles, so bytes are compared among records that say so.
    let swap = |reason: &str| {
        let swap = ["roles", "T-1004", "--swap", "--by", "kim", "--reason", reason];
        ran(&in_context, &[&swap[..], &out].concat());
        ran(&in_context, &["score"]);
    };
    swap("channels were crossed");
    let swapped = kept();
    assert_ne!(swapped, kept_before);
    assert_eq!(alone(), sentiment_alone, "who speaks does not change what a turn alone says");
    store(&place).execute("DELETE FROM text_scores", []).unwrap();
    again(&in_context);
    assert_eq!(kept(), swapped, "as if the roles had been known from the start");
    swap("no, they were not");
    assert_eq!(record(&place)["sentiment"], before["sentiment"]);
    assert_eq!(record(&place)["signals"], before["signals"]);
    swap("yes, they were");
    assert_eq!(kept(), swapped, "there and back again");
}

/// No list of words finds it, and no stored embedding tells it: the reading is kept, and holds whoever speaks.
#[test]
fn an_insult_is_heard_kept_and_held_against_who_says_it() {
    let insult = "Honestly, a turnip would have understood that bill quicker than you, you halfwitted lump.";
    let place = Place::new();
    let file = place.folder.path().join("call.txt");
    std::fs::write(&file, CALL.replace("Fair enough. Shall I put it in an email?", insult)).unwrap();
    let card = "schema: 1\nname: manners\nlanguage: [en]\nweights: {handling: 10}\nrequirements:\n  \
        - {id: says_goodbye, what: The rep says goodbye., dimension: handling, match: {bye: {act: closing}}, require: {expr: bye}}\n  \
        - {id: decent, what: The rep insults nobody., dimension: handling, match: {heard: {act: insult, role: rep}}, forbid: {expr: heard}}\n";
    let scorecard = place.folder.path().join("manners.yaml");
    std::fs::write(&scorecard, card).unwrap();
    let scorecard = ["--scorecard", scorecard.to_str().unwrap()];
    place.run_on(&[&file], &scorecard).expect(0);
    let judged = || {
        let record = record(&place);
        let rows = record["evaluation"]["ledger"].as_array().unwrap();
        let row = rows.iter().find(|row| row["requirement_id"] == "decent").unwrap();
        ["result", "match_type", "quote"].map(|column| row[column].as_str().unwrap().to_string())
    };
    let violated = ["violated", "model_act", insult].map(str::to_string);
    assert_eq!(judged(), violated);
    let before = (record(&place), read_acts(&place));
    assert!(before.0["acts_by_model"].as_array().unwrap().contains(&"insult".into()));

    let call_id = before.0["call_id"].as_str().unwrap().to_string();
    let swap = |reason: &str| {
        let swap = ["roles", &call_id, "--swap", "--by", "kim", "--reason", reason];
        place.run(&[&swap[..], &scorecard].concat()).expect(0);
    };
    swap("labels were crossed");
    assert_eq!(judged()[0], "clear", "the customer said it");
    assert_eq!(record(&place)["acts"][4]["insult"], before.0["acts"][4]["insult"]);
    swap("no, they were not");
    assert_eq!(judged(), violated);
    assert_eq!(read_acts(&place), before.1, "there and back again");
}

/// What the report and the explanation say of it.
#[test]
fn people_are_told_how_an_act_was_found() {
    let place = Place::new();
    let file = place.folder.path().join("call.txt");
    std::fs::write(&file, CALL).unwrap();
    let scorecard = place.folder.path().join("manners.yaml");
    let yaml = "schema: 1\nname: manners\nlanguage: [en]\nweights: {handling: 10}\nrequirements:\n  \
        - {id: says_goodbye, what: The rep says goodbye., dimension: handling, match: {bye: {act: closing}}, require: {expr: bye}}\n";
    std::fs::write(&scorecard, yaml).unwrap();
    let scorecard = scorecard.to_str().unwrap();
    place.run_on(&[&file], &["--scorecard", scorecard]).expect(0);
    let rows = place.table("ledger.csv");
    let row = rows.iter().find(|row| row["requirement_id"] == "says_goodbye").unwrap();
    assert_eq!((row["result"].as_str(), row["match_type"].as_str()), ("met", "model_act"), "{row:?}");
    assert_eq!(row["quote"], "Lovely. You take care then, bye bye now.", "no phrase is there to cite");
    let call_id = row["call_id"].as_str();
    let told = place.run(&["scorecard", "explain", scorecard, "says_goodbye", "--call", call_id]).expect(0).stdout;
    assert!(told.contains("as the language model hears it"), "{told}");
    let report = std::fs::read_to_string(place.out().join("report.html")).unwrap();
    assert!(report.contains("as the language model hears it"), "the report's page of the call");
}
