//! What every back-end must do, written against the trait. A new back-end adds one test function at the end.

mod common;

use std::collections::BTreeMap;

use callmark_core::journey::{CallTalk, Touchpoint, TouchpointKind};
use callmark_core::performance::CallSummary;
use callmark_core::record::{CallRecord, Decision, Outcome, ReviewSource};
use callmark_core::redaction::{Entity, Redaction};
use callmark_core::sentiment_context::SentimentContext;
use callmark_core::transcript::{ActReadings, Embedding, Medium, Role, Sentiment, Transcript, Turn, TurnScores};
use callmark_store::{
    ActivityRow, AnalysisRow, CallFilter, FailureRow, FileStamp, Gone, KeptTalk, NewReview, RecordingLink,
    STORE_SCHEMA, SearchQuery, SearchResults, Store, StoreError, Terms, Tombstone, record_json,
};
use common::{record, transcript};
use jiff::civil::{Date, date};

/// One behaviour, checked on a fresh store.
type Check = fn(&dyn Store);

const CHECKS: [(&str, Check); 30] = [
    ("schema_version", schema_version),
    ("files", files),
    ("analyses", analyses),
    ("recordings_with_words", recordings_with_words),
    ("text_scores", text_scores),
    ("phrases", phrases),
    ("scorecards", scorecards),
    ("calls_round_trip", calls_round_trip),
    ("calls_are_replaced", calls_are_replaced),
    ("calls_are_filtered", calls_are_filtered),
    ("calls_are_found", calls_are_found),
    ("summaries_are_those_of_the_records", summaries_are_those_of_the_records),
    ("recordings", recordings),
    ("failures", failures),
    ("reviews", reviews),
    ("search_finds_words_and_characters", search_finds_words_and_characters),
    ("search_is_filtered_and_ordered", search_is_filtered_and_ordered),
    ("search_follows_the_calls", search_follows_the_calls),
    ("others_on_the_line_are_found_and_purged", others_on_the_line_are_found_and_purged),
    ("decisions_follow_a_renamed_call", decisions_follow_a_renamed_call),
    ("a_forgotten_call_is_gone_and_stays_out", a_forgotten_call_is_gone_and_stays_out),
    ("shared_and_failed_recordings_are_forgotten", shared_and_failed_recordings_are_forgotten),
    ("purged_words_leave_the_scores", purged_words_leave_the_scores),
    ("a_backup_is_a_store", a_backup_is_a_store),
    ("statistics", statistics),
    ("activity_is_imported_once", activity_is_imported_once),
    ("touchpoints_are_replaced_row_by_row", touchpoints_are_replaced_row_by_row),
    ("a_forgotten_customer_leaves_no_touchpoint", a_forgotten_customer_leaves_no_touchpoint),
    ("talks_are_kept_with_their_words", talks_are_kept_with_their_words),
    ("coaching_keeps_its_order", coaching_keeps_its_order),
];

fn touchpoint(row_id: &str, kind: TouchpointKind, opportunity: &str, customer: &str, at: &str) -> Touchpoint {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    Touchpoint {
        source: "crm".into(),
        row_id: row_id.into(),
        kind,
        opportunity_id: some(opportunity),
        customer_id: some(customer),
        rep_id: "kim".into(),
        at: at.parse().unwrap(),
        value_milli: Some(1_500),
        text: "报价".into(),
    }
}

fn touchpoints_are_replaced_row_by_row(store: &dyn Store) {
    use TouchpointKind::{Call, NeedGraded, Proposal};
    let first = touchpoint("1", Call, "O-1", "K-1", "2025-02-03T10:00:00");
    let graded = touchpoint("1", NeedGraded, "O-1", "K-1", "2025-02-03T10:00:00");
    let other = touchpoint("2", Proposal, "", "K-2", "2025-02-03");
    let ids = |rows: &[&str]| rows.iter().map(ToString::to_string).collect::<Vec<_>>();
    let all = [first.clone(), graded.clone(), other.clone()];
    for _ in 0..2 {
        store.put_touchpoints("crm", &ids(&["1", "2"]), &all).unwrap();
        // A day without a time comes before its times.
        assert_eq!(store.touchpoints(None).unwrap(), [other.clone(), first.clone(), graded.clone()]);
    }
    let corrected = touchpoint("1", Call, "O-1", "K-1", "2025-02-04T09:30:00");
    store.put_touchpoints("crm", &ids(&["1"]), std::slice::from_ref(&corrected)).unwrap();
    assert_eq!(store.touchpoints(None).unwrap(), [other.clone(), corrected], "the row is no grading any more");
    assert_eq!(store.touchpoints(Some(date(2025, 2, 3))).unwrap(), [other]);
    assert_eq!(store.purge_touchpoints(date(2025, 2, 4), true).unwrap(), 1);
    assert_eq!(store.purge_touchpoints(date(2025, 2, 4), false).unwrap(), 1);
    assert_eq!(store.touchpoints(None).unwrap().len(), 1, "the fourth is not before the fourth");
    // A row that is both is one row; other sources stay.
    let (source, row_id, rep_id) = ("crm".to_string(), "1".to_string(), "kim".to_string());
    let row = ActivityRow { source, row_id, rep_id, day: date(2025, 2, 4), row: "{}".into() };
    store.put_activity(&[row.clone(), ActivityRow { source: "cdr".into(), ..row }]).unwrap();
    for dry_run in [true, false] {
        assert_eq!(store.remove_source("crm", dry_run).unwrap(), 1);
    }
    assert_eq!(store.remove_source("crm", false).unwrap(), 0);
    assert_eq!(store.touchpoints(None).unwrap(), []);
    assert_eq!(store.activity(None, None).unwrap().len(), 1);
    store.remove_source("cdr", false).unwrap();
}

fn a_forgotten_customer_leaves_no_touchpoint(store: &dyn Store) {
    use TouchpointKind::{Call, Visit};
    let all = [
        touchpoint("1", Call, "O-1", "K-1", "2025-02-03"),
        touchpoint("2", Visit, "O-1", "", "2025-02-05"),
        touchpoint("3", Visit, "", "K-1", "2025-02-06"),
        touchpoint("4", Call, "O-2", "K-2", "2025-02-07"),
    ];
    let ids: Vec<String> = all.iter().map(|touchpoint| touchpoint.row_id.clone()).collect();
    store.put_touchpoints("crm", &ids, &all).unwrap();
    assert_eq!(
        store.forget_customer("K-1", date(2025, 3, 1), true).unwrap(),
        3,
        "also what names the opportunity alone"
    );
    assert_eq!(store.touchpoints(None).unwrap().len(), 4, "a dry run changes nothing");
    assert_eq!(store.forget_customer("K-1", date(2025, 3, 1), false).unwrap(), 3);
    assert_eq!(store.put_touchpoints("crm", &ids, &all).unwrap(), 3);
    assert_eq!(store.touchpoints(None).unwrap(), [all[3].clone()], "nor do they come back with the next import");
}

/// What is kept of a call counts for the evaluation that it was made from, and goes with the call's words.
fn talks_are_kept_with_their_words(store: &dyn Store) {
    let call = |call_id: &str| record(call_id, "r", "t", Some("2025-02-19T09:00:00"));
    let kept = |call_id: &str, evaluation_key: &str| KeptTalk {
        evaluation_key: evaluation_key.into(),
        talk: CallTalk::of(&call(call_id)),
    };
    let ids = ["c2", "none", "c1"].map(String::from);
    let here = |version: &str| store.talks(&ids, version).unwrap();
    let (first, second) = (Some(kept("c1", "").talk), Some(kept("c2", "").talk));
    for call_id in ["c1", "c2"] {
        store.put_call(&call(call_id), "k", &[]).unwrap();
    }
    assert_eq!(here("v1"), [None, None, None]);
    store.put_talks("v1", &[kept("c1", "k"), kept("c2", "k"), kept("none", "k")]).unwrap();
    assert_eq!(here("v1"), [second.clone(), None, first.clone()], "in the order of the ids; no call, nothing kept");
    assert_eq!(here("v2"), [None, None, None], "another version finds other things");

    store.put_call(&call("c1"), "k2", &[]).unwrap();
    assert_eq!(here("v1"), [second.clone(), None, None], "evaluated anew");
    store.put_talks("v1", &[kept("c1", "k")]).unwrap();
    assert_eq!(here("v1")[2], None, "made from the evaluation before");
    store.put_talks("v1", &[kept("c1", "k2")]).unwrap();
    assert_eq!(here("v1")[2], first);

    store.purge_words("c1", TODAY, false).unwrap();
    assert_eq!(here("v1")[2], None, "its quotes went with the words");
    store.put_talks("v1", &[kept("c1", "k2")]).unwrap();
    assert_eq!(here("v1")[2], None, "and whoever read the call before does not bring them back");

    store.rename_call("c2", "c3").unwrap();
    assert_eq!(store.talks(&["c3".into()], "v1").unwrap(), [None], "it would name the former call");
    store.put_talks("v1", &[kept("c3", "renamed")]).unwrap();
    store.forget_call("c3", TODAY, false).unwrap();
    store.put_talks("v1", &[kept("c3", "renamed")]).unwrap();
    assert_eq!(store.talks(&["c3".into()], "v1").unwrap(), [None]);
}

fn activity_is_imported_once(store: &dyn Store) {
    let row = |id: &str, rep: &str, day: Date, row: &str| ActivityRow {
        source: "crm".into(),
        row_id: id.into(),
        rep_id: rep.into(),
        day,
        row: row.into(),
    };
    let (monday, tuesday) = (date(2026, 3, 2), date(2026, 3, 3));
    let rows = [row("2", "li", tuesday, "{}"), row("1", "kim", monday, "{}"), row("3", "ann", tuesday, "{}")];
    assert_eq!(store.put_activity(&rows).unwrap(), 3);
    let corrected = row("2", "li", monday, r#"{"deals":1}"#);
    assert_eq!(store.put_activity(std::slice::from_ref(&corrected)).unwrap(), 0, "it replaces");
    let [_, first, third] = rows;
    assert_eq!(store.activity(None, None).unwrap(), [first.clone(), corrected.clone(), third.clone()]);
    assert_eq!(store.activity(Some(tuesday), None).unwrap(), [third]);
    assert_eq!(store.activity(None, Some(monday)).unwrap(), [first, corrected]);
}

fn coaching_keeps_its_order(store: &dyn Store) {
    assert_eq!(store.coaching().unwrap(), []);
    for (plan, event) in [("b", "1"), ("a", "2"), ("b", "3")] {
        store.append_coaching(plan, event).unwrap();
    }
    let pair = |plan: &str, event: &str| (plan.to_string(), event.to_string());
    assert_eq!(store.coaching().unwrap(), [pair("b", "1"), pair("a", "2"), pair("b", "3")]);
}

fn scorecards(store: &dyn Store) {
    assert_eq!(store.scorecards().unwrap(), []);
    store.put_scorecard("bb", "{}").unwrap();
    store.put_scorecard("aa", "[1]").unwrap();
    store.put_scorecard("bb", "another").unwrap();
    let pair = |hash: &str, fingerprints: &str| (hash.to_string(), fingerprints.to_string());
    assert_eq!(store.scorecards().unwrap(), [pair("aa", "[1]"), pair("bb", "{}")], "the first stays");
}

fn schema_version(store: &dyn Store) {
    assert_eq!(store.schema_version().unwrap(), STORE_SCHEMA);
}

fn files(store: &dyn Store) {
    let stamp = FileStamp { path: "night/电话 1.wav".into(), size: u64::MAX, mtime_ns: -1, inode: u64::MAX - 1 };
    assert_eq!(store.get_file(&stamp).unwrap(), None);
    store.put_file(&stamp, "aa").unwrap();
    store.put_file(&stamp, "aa").unwrap();
    assert_eq!(store.get_file(&stamp).unwrap().as_deref(), Some("aa"));
    let changes = [
        FileStamp { path: "night/other.wav".into(), ..stamp.clone() },
        FileStamp { size: 1, ..stamp.clone() },
        FileStamp { mtime_ns: 0, ..stamp.clone() },
        FileStamp { inode: 0, ..stamp.clone() },
    ];
    for changed in &changes {
        assert_eq!(store.get_file(changed).unwrap(), None, "{changed:?}");
    }
    store.put_file(&changes[1], "bb").unwrap();
    assert_eq!(store.get_file(&changes[1]).unwrap().as_deref(), Some("bb"));
    assert_eq!(store.get_file(&stamp).unwrap(), None, "a path has one current state");
}

fn analyses(store: &dyn Store) {
    let row = AnalysisRow { recording_id: "aa".into(), model_key: "m1".into(), transcript: transcript() };
    assert_eq!(store.get_analysis("aa", "m1").unwrap(), None);
    store.put_analysis(&row).unwrap();
    store.put_analysis(&row).unwrap();
    assert_eq!(store.get_analysis("aa", "m1").unwrap(), Some(transcript()));
    assert_eq!(store.get_analysis("aa", "m2").unwrap(), None, "another model is another analysis");
    assert_eq!(store.get_analysis("ab", "m1").unwrap(), None);
    let other = AnalysisRow { model_key: "m0".into(), ..row.clone() };
    store.put_analysis(&other).unwrap();
    assert_eq!(store.analyses_of("aa").unwrap(), [other, row]);
    assert_eq!(store.analyses_of("ab").unwrap(), []);
}

fn recordings_with_words(store: &dyn Store) {
    let put = |recording_id: &str, model_key: &str, entities: Option<&[Entity]>| {
        let redaction = entities.map(|e| Redaction { entities: e.iter().copied().collect(), ..Redaction::default() });
        let transcript = Transcript { redaction, ..transcript() };
        let row = AnalysisRow { recording_id: recording_id.into(), model_key: model_key.into(), transcript };
        store.put_analysis(&row).unwrap();
    };
    put("none", "m1", None);
    put("none", "m2", None);
    put("some", "m1", Some(&[Entity::Card]));
    put("all", "m1", Some(&[Entity::Card, Entity::Phone]));
    put("once", "m1", Some(&[Entity::Card, Entity::Phone]));
    put("once", "m0", None);
    assert_eq!(store.recordings_with_words(&["card", "phone"]).unwrap(), ["none", "once", "some"]);
    assert_eq!(store.recordings_with_words(&["card"]).unwrap(), ["none", "once"]);
    assert_eq!(store.recordings_with_words(&[]).unwrap(), [""; 0]);
}

fn text_scores(store: &dyn Store) {
    let scores = TurnScores {
        sentiment: vec![
            None,
            Some(Sentiment { negative_permille: 0, neutral_permille: 1, positive_permille: 999 }),
            None,
        ],
        sentiment_context: Some(SentimentContext { weight_permille: 230, decay_permille: 800 }),
        embeddings: vec![Some(Embedding(vec![-128, 0, 127])), None, Some(Embedding(vec![1, -1, 5]))],
        acts: Some(ActReadings {
            given: ["rep:greeting", "customer:thanks"].map(String::from).into(),
            turns: vec![BTreeMap::new(), BTreeMap::from([("rep:greeting".into(), 871)]), BTreeMap::new()],
        }),
    };
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), None);
    store.put_text_scores("c1", "e1", "t1", &scores).unwrap();
    store.put_text_scores("c1", "e1", "t1", &scores).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(scores.clone()));
    for (call, models, text) in [("c2", "e1", "t1"), ("c1", "e2", "t1"), ("c1", "e1", "t2")] {
        assert_eq!(store.get_text_scores(call, models, text).unwrap(), None);
    }
    let none = TurnScores { sentiment: vec![None, None], embeddings: vec![None, None], ..TurnScores::default() };
    store.put_text_scores("c1", "e1", "t1", &none).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(none));
    store.put_text_scores("c1", "e1", "t1", &TurnScores::default()).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(TurnScores::default()));
    // One set for a call: what was said of an earlier text is gone.
    store.put_text_scores("c1", "e1", "t2", &scores).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), None);
    assert_eq!(store.get_text_scores("c1", "e1", "t2").unwrap(), Some(scores.clone()));
    let mixed = TurnScores { embeddings: vec![Some(Embedding(vec![1])), Some(Embedding(vec![1, 2]))], ..scores };
    assert!(matches!(store.put_text_scores("c1", "e1", "t1", &mixed), Err(StoreError::Invalid { .. })));
}

fn phrases(store: &dyn Store) {
    let texts = ["this call is recorded".to_string(), "本次通话将被录音".to_string()];
    assert_eq!(store.get_phrases("e1", &texts).unwrap(), [None, None]);
    let first = Embedding(vec![3, -4, 127]);
    store.put_phrases("e1", &[(texts[1].clone(), first.clone())]).unwrap();
    assert_eq!(store.get_phrases("e1", &texts).unwrap(), [None, Some(first.clone())]);
    // Another machine's rounding does not replace what re-scores already relied on.
    store.put_phrases("e1", &[(texts[1].clone(), Embedding(vec![3, -5, 127]))]).unwrap();
    assert_eq!(store.get_phrases("e1", &texts[1..]).unwrap(), [Some(first)]);
    assert_eq!(store.get_phrases("e2", &texts).unwrap(), [None, None]);
}

fn link(recording_id: &str, path: &str) -> RecordingLink {
    RecordingLink { recording_id: recording_id.into(), path: path.into() }
}

fn calls_round_trip(store: &dyn Store) {
    let record = record("c1", "rep-7", "north", Some("2025-02-19T06:01:22"));
    assert_eq!(store.get_call("c1").unwrap(), None);
    assert_eq!(store.evaluation_key("c1").unwrap(), None);
    store.put_call(&record, "key-1", &[link("aa", "night/c1.wav")]).unwrap();
    let stored = store.get_call("c1").unwrap().unwrap();
    assert_eq!(stored.record, record);
    assert_eq!(stored.record_json, record_json(&record).unwrap(), "byte for byte");
    assert_eq!(stored.evaluation_key, "key-1");
    assert_eq!(store.evaluation_key("c1").unwrap().as_deref(), Some("key-1"));
}

fn summaries_are_those_of_the_records(store: &dyn Store) {
    let of = |filter: &CallFilter| store.summaries(filter).unwrap();
    let (early, mut late) = (record("a", "r1", "north", Some("2025-02-19")), record("b", "r2", "south", None));
    store.put_call(&early, "k", &[]).unwrap();
    store.put_call(&late, "k", &[]).unwrap();
    late.evaluation.score = Some(1_234);
    store.put_call(&late, "k2", &[]).unwrap();
    let expected = [CallSummary::from_record(&early), CallSummary::from_record(&late)];
    assert_eq!(of(&CallFilter::default()), expected);
    assert_eq!(of(&CallFilter { rep: Some("r2".into()), ..CallFilter::default() }), expected[1..]);
    store.rename_call("a", "z").unwrap();
    let ids: Vec<String> = of(&CallFilter::default()).into_iter().map(|s| s.call_id).collect();
    assert_eq!(ids, ["b", "z"]);
    store.remove_call("b").unwrap();
    assert_eq!(of(&CallFilter::default()).len(), 1);
}

fn calls_are_replaced(store: &dyn Store) {
    let mut record = record("c1", "rep-7", "north", None);
    store.put_call(&record, "key-1", &[link("aa", "night/c1.wav")]).unwrap();
    store.put_call(&record, "key-1", &[link("aa", "night/c1.wav")]).unwrap();
    record.evaluation.score = Some(0);
    record.evaluation.ledger.clear();
    store.put_call(&record, "key-2", &[]).unwrap();
    assert_eq!(store.count_calls(&CallFilter::default()).unwrap(), 1);
    let stored = store.get_call("c1").unwrap().unwrap();
    assert_eq!((stored.record, stored.evaluation_key.as_str()), (record.clone(), "key-2"));
    assert_eq!(store.recordings("c1").unwrap(), [link("aa", "night/c1.wav")], "a re-score keeps the recordings");
    store.put_call(&record, "key-3", &[link("bb", "night/c1.wav")]).unwrap();
    assert_eq!(store.recordings("c1").unwrap(), [link("bb", "night/c1.wav")]);
}

fn calls_are_filtered(store: &dyn Store) {
    let calls = [
        record("c3", "rep-1", "north", Some("2025-02-18T23:59:59+08:00")),
        record("c1", "rep-1", "south", Some("2025-02-19T00:00:00")),
        record("c2", "rep-2", "north", Some("2025-03-01 08:00")),
        record("c4", "rep-2", "north", None),
        record("c5", "rep-2", "north", Some("yesterday")),
    ];
    for call in &calls {
        let mut call = call.clone();
        call.metadata.customer_id = Some(format!("K-{}", call.call_id));
        store.put_call(&call, "k", &[]).unwrap();
    }
    let since = Some(jiff::civil::date(2025, 2, 19));
    let rep = |id: &str| Some(id.to_string());
    let cases: [(CallFilter, &[&str]); 9] = [
        (CallFilter::default(), &["c1", "c2", "c3", "c4", "c5"]),
        (CallFilter { since, ..CallFilter::default() }, &["c1", "c2"]),
        (CallFilter { until: since, ..CallFilter::default() }, &["c1", "c3"]),
        (CallFilter { undated: true, ..CallFilter::default() }, &["c4", "c5"]),
        (CallFilter { customer: rep("K-c2"), ..CallFilter::default() }, &["c2"]),
        (CallFilter { rep: rep("rep-1"), ..CallFilter::default() }, &["c1", "c3"]),
        (CallFilter { team: rep("north"), ..CallFilter::default() }, &["c2", "c3", "c4", "c5"]),
        (CallFilter { since, rep: rep("rep-2"), team: rep("north"), ..CallFilter::default() }, &["c2"]),
        (CallFilter { rep: rep("rep-1' OR 1=1 --"), ..CallFilter::default() }, &[]),
    ];
    assert_eq!(store.last_day(&CallFilter::default()).unwrap(), Some(date(2025, 3, 1)));
    assert_eq!(store.last_day(&CallFilter { rep: rep("rep-1"), ..CallFilter::default() }).unwrap(), since);
    assert_eq!(store.last_day(&CallFilter { undated: true, ..CallFilter::default() }).unwrap(), None);
    for (filter, expected) in cases {
        assert_eq!(store.call_ids(&filter).unwrap(), expected, "{filter:?}");
        assert_eq!(store.count_calls(&filter).unwrap(), expected.len() as u64, "{filter:?}");
        let read: Vec<String> = store.calls(&filter).unwrap().map(|call| call.unwrap().record.call_id).collect();
        assert_eq!(read, expected, "{filter:?}");
    }
}

fn calls_are_found(store: &dyn Store) {
    for (id, path) in [("abcd01", "n/通话_1.wav"), ("abcd02", "n/b.x.mp3"), ("abcd", "n/c%.wav"), ("x", "m/通话_1.vtt")]
    {
        store.put_call(&record(id, "r", "t", None), "k", &[link(id, path)]).unwrap();
    }
    let cases: [(&str, &[&str]); 12] = [
        ("abcd", &["abcd"]),
        ("abc", &["abcd", "abcd01", "abcd02"]),
        ("abcd0", &["abcd01", "abcd02"]),
        ("通话_1.wav", &["abcd01"]),
        ("通话_1", &["abcd01", "x"]),
        ("n/b.x.mp3", &["abcd02"]),
        ("b.x", &["abcd02"]),
        ("b", &[]),
        ("通话", &[]),
        ("c%", &["abcd"]),
        ("%", &[]),
        ("", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(store.find_call(query).unwrap(), expected, "{query}");
    }
}

fn recordings(store: &dyn Store) {
    let sides = [link("aa", "n/rep.wav"), link("bb", "n/customer.wav")];
    store.put_call(&record("c2", "r", "t", None), "k", &sides).unwrap();
    store.put_call(&record("c1", "r", "t", None), "k", &sides[..1]).unwrap();
    assert_eq!(store.recordings("c2").unwrap(), sides);
    assert_eq!(store.calls_of_recording("aa").unwrap(), ["c1", "c2"]);
    assert_eq!(store.calls_of_recording("bb").unwrap(), ["c2"]);
    assert_eq!(store.calls_of_recording("cc").unwrap(), Vec::<String>::new());
    // A renamed file is the same recording.
    store.put_call(&record("c1", "r", "t", None), "k", &[link("aa", "n/renamed.wav")]).unwrap();
    assert_eq!(store.recordings("c1").unwrap(), [link("aa", "n/renamed.wav")]);
}

fn failures(store: &dyn Store) {
    let row = FailureRow {
        key: "aa".into(),
        file_name: "z.wav".into(),
        stage: "decode".into(),
        cause: "the header ends early".into(),
        hint: "record it again".into(),
        program_version: "0.1.0".into(),
    };
    assert_eq!(store.get_failure("aa", "0.1.0").unwrap(), None);
    store.put_failure(&row).unwrap();
    store.put_failure(&row).unwrap();
    assert_eq!(store.get_failure("aa", "0.1.0").unwrap(), Some(row.clone()));
    assert_eq!(store.get_failure("aa", "0.2.0").unwrap(), None, "tried again by a new version");
    let unreadable = FailureRow { key: "n/a.wav".into(), file_name: "a.wav".into(), ..row.clone() };
    store.put_failure(&unreadable).unwrap();
    assert_eq!(store.failures().unwrap(), [unreadable.clone(), row.clone()]);
    // A call that is stored at last has failed no more, whichever key the failure had.
    store.put_call(&record("c1", "r", "t", None), "k", &[link("aa", "n/a.wav")]).unwrap();
    assert_eq!(store.failures().unwrap(), []);
    store.put_failure(&row).unwrap();
    store.clear_failure("aa").unwrap();
    store.clear_failure("aa").unwrap();
    assert_eq!(store.failures().unwrap(), []);
}

fn reviews(store: &dyn Store) {
    let new = |call_id: &str, decision, appeal_of: Option<i64>| NewReview {
        call_id: call_id.into(),
        requirement_id: "disclose_recording".into(),
        reviewer: "王芳".into(),
        source: if appeal_of.is_some() { ReviewSource::Appeal } else { ReviewSource::Flag },
        inclusion_permille: 1000,
        blind: false,
        decision,
        reason: "said at 0:07".into(),
        appeal_of,
        is_final: appeal_of.is_some(),
        ts: "2025-02-20T09:00:00+08:00".into(),
    };
    let first = store.append_review(&new("c1", Decision::Agree, None)).unwrap();
    let other = store.append_review(&new("c2", Decision::Comment, None)).unwrap();
    let appeal = store.append_review(&new("c1", Decision::Overturn, Some(first.review_id))).unwrap();
    assert!(first.review_id < other.review_id && other.review_id < appeal.review_id);
    assert_eq!((first.reviewer.as_str(), appeal.is_final, appeal.appeal_of), ("王芳", true, Some(first.review_id)));
    for wrong in [Some(other.review_id), Some(99)] {
        let refused = store.append_review(&new("c1", Decision::Overturn, wrong));
        assert!(matches!(refused, Err(StoreError::Invalid { .. })));
    }
    // Decisions outlive the record that they are about being replaced.
    store.put_call(&record("c1", "r", "t", None), "k", &[]).unwrap();
    assert_eq!(store.reviews("c1").unwrap(), [first.clone(), appeal.clone()]);
    assert_eq!(store.all_reviews().unwrap(), [first, other, appeal]);
}

const TODAY: Date = date(2025, 6, 1);

/// A call whose turns are these texts, rep and customer in turn.
fn said(call_id: &str, rep: &str, start_ts: Option<&str>, texts: &[&str]) -> CallRecord {
    let mut call = record(call_id, rep, "north", start_ts);
    let turn = call.transcript.turns[0].clone();
    let role = |index: usize| if index.is_multiple_of(2) { Role::Rep } else { Role::Customer };
    let turns = texts.iter().enumerate().map(|(index, text)| callmark_core::transcript::Turn {
        role: role(index),
        begin_ms: 1000 * index as i64,
        text: (*text).to_string(),
        ..turn.clone()
    });
    call.transcript.turns = turns.collect();
    call
}

fn find(store: &dyn Store, query: &str) -> SearchResults {
    find_in(store, query, None, CallFilter::default(), 100)
}

fn find_in(store: &dyn Store, query: &str, role: Option<Role>, calls: CallFilter, limit: usize) -> SearchResults {
    let terms = Terms::parse(query).unwrap_or_else(|| panic!("`{query}` has no words"));
    store.search(&SearchQuery { terms, role, calls, limit }).unwrap()
}

/// `call:turn` of each hit, in order.
fn places(results: &SearchResults) -> String {
    let places: Vec<String> = results.hits.iter().map(|hit| format!("{}:{}", hit.call_id, hit.turn)).collect();
    places.join(" ")
}

fn search_finds_words_and_characters(store: &dyn Store) {
    let english = ["I want to CANCEL my policy.", "Cancelled? Don't cancel; my old policy!", "The café's policy"];
    store.put_call(&said("e", "r1", Some("2025-02-02"), &english), "k", &[]).unwrap();
    let chinese = ["我要取消保单，谢谢", "您的ＶＩＰ客户號碼是A4", "保 单"];
    store.put_call(&said("z", "r1", Some("2025-02-01"), &chinese), "k", &[]).unwrap();
    let cases = [
        ("cancel", "e:0 e:1"),
        ("CANCEL my Policy", "e:0 e:1"),
        ("policy cancel", "e:0 e:1"),
        ("\"cancel my policy\"", "e:0"),
        ("cancel*", "e:0 e:1"),
        ("cancelled", "e:1"),
        ("cancelle*", "e:1"),
        ("don't", "e:1"),
        ("don’t", "e:1"),
        ("café", "e:2"),
        ("cance", ""),
        ("取消保单", "z:0"),
        ("取消保單", "z:0"),
        ("消保", "z:0"),
        ("单", "z:0 z:2"),
        ("谢", "z:0"),
        ("号码", "z:1"),
        ("vip", "z:1"),
        ("VIP客户", "z:1"),
        ("客户 a4", "z:1"),
        ("取消 谢谢", "z:0"),
        ("消取", ""),
        ("单保", ""),
        ("cancel 取消", ""),
    ];
    for (query, expected) in cases {
        let found = find(store, query);
        assert_eq!(places(&found), expected, "{query}");
        assert_eq!(found.turns as usize, found.hits.len(), "{query}");
        for hit in &found.hits {
            assert!(!Terms::parse(query).unwrap().marks(&hit.text).is_empty(), "{query}: {}", hit.text);
        }
    }
    // Nothing that can be typed is an error of syntax.
    for query in [
        "a AND",
        "NEAR(a b)",
        "rep:cancel",
        "^a",
        "(a",
        "a OR OR b",
        "-a",
        "col : x",
        "a\"b",
        "'; DROP TABLE x",
        "{a}",
        "a+b",
    ] {
        find(store, query);
        find_in(store, query, Some(Role::Customer), CallFilter::default(), 1);
    }
}

fn search_is_filtered_and_ordered(store: &dyn Store) {
    let links = [link("aa", "n/b.wav")];
    store
        .put_call(
            &said("a", "r1", Some("2025-02-01T10:00:00"), &["a refund", "please refund", "no refund now"]),
            "k",
            &[],
        )
        .unwrap();
    store
        .put_call(&said("b", "r2", Some("2025-03-01T10:00:00"), &["refund", "now a refund please"]), "k", &links)
        .unwrap();
    store.put_call(&said("c", "r2", None, &["refund now"]), "k", &[]).unwrap();
    assert_eq!(places(&find(store, "refund")), "b:0 b:1 a:0 a:1 a:2 c:0", "newest call first, undated last");
    let found = find(store, "refund now");
    assert_eq!(places(&found), "a:2 c:0 b:1", "the phrase first");
    let phrases: Vec<bool> = found.hits.iter().map(|hit| hit.is_phrase).collect();
    assert_eq!(phrases, [true, true, false]);
    let hit = &found.hits[2];
    assert_eq!(
        (hit.role, hit.timed, hit.begin_ms, hit.text.as_str()),
        (Role::Customer, true, 1000, "now a refund please")
    );
    assert_eq!((hit.rep_id.as_deref(), hit.start_ts.as_deref()), (Some("r2"), Some("2025-03-01T10:00:00")));
    assert_eq!(hit.recordings, links);
    let limited = find_in(store, "refund now", None, CallFilter::default(), 2);
    assert_eq!((places(&limited).as_str(), limited.turns, limited.calls), ("a:2 c:0", 3, 3));
    let customer = find_in(store, "refund", Some(Role::Customer), CallFilter::default(), 9);
    assert_eq!(places(&customer), "b:1 a:1");
    let rep = CallFilter { rep: Some("r2".into()), ..CallFilter::default() };
    assert_eq!(places(&find_in(store, "refund", None, rep, 9)), "b:0 b:1 c:0");
    let period = CallFilter { since: Some(date(2025, 2, 2)), until: Some(date(2025, 3, 1)), ..CallFilter::default() };
    assert_eq!(places(&find_in(store, "refund", None, period, 9)), "b:0 b:1");
    let mut chat = said("d", "r1", None, &["refund by chat"]);
    chat.transcript.medium = Medium::Text;
    store.put_call(&chat, "k", &[]).unwrap();
    assert!(!find(store, "chat").hits[0].timed);
}

fn search_follows_the_calls(store: &dyn Store) {
    store.put_call(&said("a", "r1", None, &["first words", "second words"]), "k", &[]).unwrap();
    store.put_call(&said("a", "r1", None, &["other words"]), "k2", &[]).unwrap();
    assert_eq!((places(&find(store, "first")), places(&find(store, "words"))), (String::new(), "a:0".into()));
    // The same turns with other scores.
    let mut again = said("a", "r1", None, &["other words"]);
    again.sentiment = vec![Some(Sentiment { negative_permille: 0, neutral_permille: 0, positive_permille: 1000 })];
    store.put_call(&again, "k3", &[]).unwrap();
    assert_eq!(places(&find(store, "other")), "a:0");
    // The same words from the other side of the line.
    again.transcript.turns[0].role = Role::Customer;
    store.put_call(&again, "k4", &[]).unwrap();
    let by = |role| places(&find_in(store, "other", Some(role), CallFilter::default(), 9));
    assert_eq!((by(Role::Customer), by(Role::Rep)), ("a:0".to_string(), String::new()));
    store.rename_call("a", "b").unwrap();
    assert_eq!(places(&find(store, "other words")), "b:0");
    store.remove_call("b").unwrap();
    assert_eq!(find(store, "other"), SearchResults::default());
    store.put_call(&said("c", "r1", None, &["other"]), "k", &[]).unwrap();
    assert_eq!(places(&find(store, "other")), "c:0");
}

fn others_on_the_line_are_found_and_purged(store: &dyn Store) {
    let mut call = said("a", "r1", None, &["my order", "which order"]);
    let menu = |text: &str| Turn { role: Role::Ivr, text: text.into(), ..call.transcript.turns[0].clone() };
    call.transcript.other_turns = vec![menu("press one for an order")];
    store.put_call(&call, "k", &[]).unwrap();
    let found = find(store, "press one");
    assert_eq!((places(&found), found.hits[0].role), ("a:2".to_string(), Role::Ivr));
    assert_eq!(find(store, "order").turns, 3);
    let of_rep = find_in(store, "order", Some(Role::Rep), CallFilter::default(), 9);
    assert_eq!(places(&of_rep), "a:0");
    assert_eq!(store.get_call("a").unwrap().unwrap().record, call);
    let removed = store.purge_words("a", date(2025, 3, 1), false).unwrap();
    assert_eq!(removed.turns, 3);
    assert_eq!(find(store, "press"), SearchResults::default());
    let left = store.get_call("a").unwrap().unwrap().record_json;
    assert!(!left.contains("press"), "{left}");
}

fn decision(call_id: &str, reason: &str) -> NewReview {
    NewReview {
        call_id: call_id.into(),
        requirement_id: "disclose_recording".into(),
        reviewer: "kim".into(),
        source: ReviewSource::Flag,
        inclusion_permille: 1000,
        blind: false,
        decision: Decision::Overturn,
        reason: reason.into(),
        appeal_of: None,
        is_final: true,
        ts: "2025-02-20T09:00:00Z".into(),
    }
}

fn decisions_follow_a_renamed_call(store: &dyn Store) {
    let old = record("old", "r", "t", Some("2025-02-19"));
    store.put_call(&old, "k", &[link("aa", "n/a.wav")]).unwrap();
    store.put_text_scores("old", "e1", "t1", &TurnScores::default()).unwrap();
    let review = store.append_review(&decision("old", "said at 0:07")).unwrap();
    store.rename_call("old", "new").unwrap();
    assert_eq!(store.call_ids(&CallFilter::default()).unwrap(), ["new"]);
    let moved = store.get_call("new").unwrap().unwrap();
    assert_eq!(moved.record, CallRecord { call_id: "new".into(), ..old.clone() });
    assert_ne!(moved.evaluation_key, "k", "its evaluation no longer holds");
    assert_eq!(store.recordings("new").unwrap(), [link("aa", "n/a.wav")]);
    assert_eq!(store.get_text_scores("new", "e1", "t1").unwrap(), Some(TurnScores::default()));
    assert_eq!(store.reviews("old").unwrap(), []);
    assert_eq!(
        store.reviews("new").unwrap(),
        [callmark_core::record::Review { call_id: "new".into(), ..review.clone() }]
    );
    // To an id that has a call: only the decisions move.
    store.put_call(&record("kept", "r9", "t", None), "k", &[]).unwrap();
    store.rename_call("new", "kept").unwrap();
    assert_eq!(store.get_call("kept").unwrap().unwrap().record.metadata.rep_id.as_deref(), Some("r9"));
    assert_eq!(store.call_ids(&CallFilter::default()).unwrap(), ["kept"]);
    assert_eq!(store.reviews("kept").unwrap()[0].review_id, review.review_id);
    store.rename_call("nothing", "nowhere").unwrap();
    store.rename_call("kept", "kept").unwrap();
    assert_eq!(store.call_ids(&CallFilter::default()).unwrap(), ["kept"]);
}

fn fill(store: &dyn Store, call_id: &str, recording: &str, path: &str) {
    let stamp = FileStamp { path: path.into(), size: 1, mtime_ns: 2, inode: 3 };
    store.put_file(&stamp, recording).unwrap();
    let row = AnalysisRow { recording_id: recording.into(), model_key: "m1".into(), transcript: transcript() };
    store.put_analysis(&row).unwrap();
    store.put_text_scores(call_id, "e1", "t1", &TurnScores::default()).unwrap();
    store.put_call(&record(call_id, "r", "t", None), "k", &[link(recording, path)]).unwrap();
}

fn failure(key: &str) -> FailureRow {
    FailureRow {
        key: key.into(),
        file_name: "a.wav".into(),
        stage: "decode".into(),
        cause: "broken".into(),
        hint: "none".into(),
        program_version: "0.1.0".into(),
    }
}

fn a_forgotten_call_is_gone_and_stays_out(store: &dyn Store) {
    fill(store, "c1", "aa", "n/a.wav");
    fill(store, "c2", "bb", "n/b.wav");
    store.put_failure(&failure("n/a.wav")).unwrap();
    let review = store.append_review(&decision("c1", "Ms Li said it")).unwrap();
    let stamp = FileStamp { path: "n/a.wav".into(), size: 1, mtime_ns: 2, inode: 3 };

    let planned = store.forget_call("c1", TODAY, true).unwrap();
    assert!(store.get_call("c1").unwrap().is_some() && store.tombstone("c1", "aa").unwrap().is_none(), "a dry run");
    let removed = store.forget_call("c1", TODAY, false).unwrap();
    assert_eq!(planned, removed);
    let counts = (removed.calls, removed.turns, removed.ledger_rows, removed.transcripts, removed.text_scores);
    assert_eq!((counts, removed.file_hashes, removed.failures, removed.reviews), ((1, 2, 1, 1, 1), 1, 1, 1));
    assert_eq!(removed.recordings, [link("aa", "n/a.wav")]);

    let stays_out = |store: &dyn Store| {
        assert_eq!(store.call_ids(&CallFilter::default()).unwrap(), ["c2"]);
        assert_eq!(store.get_analysis("aa", "m1").unwrap(), None);
        assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), None);
        assert_eq!(store.get_file(&stamp).unwrap(), None);
        assert_eq!(store.get_failure("aa", "0.1.0").unwrap(), None);
        assert_eq!(store.recordings("c1").unwrap(), []);
        assert_eq!(places(&find(store, "通话")), "c2:0");
    };
    stays_out(store);
    // A run that had begun before brings everything again, and the same bytes under another id.
    store.put_file(&stamp, "aa").unwrap();
    let row = AnalysisRow { recording_id: "aa".into(), model_key: "m1".into(), transcript: transcript() };
    store.put_analysis(&row).unwrap();
    store.put_text_scores("c1", "e1", "t1", &TurnScores::default()).unwrap();
    store.put_failure(&failure("aa")).unwrap();
    assert!(!store.put_call(&record("c1", "r", "t", None), "k", &[]).unwrap());
    assert!(!store.put_call(&record("c9", "r", "t", None), "k", &[link("aa", "n/a.wav")]).unwrap());
    stays_out(store);
    let tombstone = Some(Tombstone { gone: Gone::Forgotten, date: TODAY });
    for (call_id, recording_id) in [("c1", "zz"), ("zz", "aa"), ("c1", "aa")] {
        assert_eq!(store.tombstone(call_id, recording_id).unwrap(), tombstone);
    }
    assert_eq!(store.tombstone("c2", "bb").unwrap(), None);

    // The decision stays for the statistics, with nothing in it about whom.
    assert_eq!(store.reviews("c1").unwrap(), []);
    let [kept] = &store.all_reviews().unwrap()[..] else { panic!("one decision") };
    assert!(kept.call_id.starts_with("forgotten-") && !kept.call_id.contains("c1"));
    assert_eq!((kept.reason.as_str(), kept.decision, kept.ts.as_str()), ("", review.decision, review.ts.as_str()));
    assert_eq!(store.reviewed_result(review.review_id).unwrap(), Some(Outcome::Met));

    store.forget_call("c1", date(2025, 7, 1), false).unwrap();
    assert_eq!(store.tombstone("c1", "").unwrap(), tombstone, "since the first time");
    store.erase_traces().unwrap();
    stays_out(store);
}

fn shared_and_failed_recordings_are_forgotten(store: &dyn Store) {
    fill(store, "c1", "aa", "n/a.wav");
    fill(store, "c2", "aa", "n/a.wav");
    assert!(matches!(store.forget_recording(Some("aa"), None, TODAY, false), Err(StoreError::Invalid { .. })));
    let removed = store.forget_call("c1", TODAY, false).unwrap();
    assert_eq!((removed.transcripts, removed.shared_with), (0, vec!["c2".to_string()]));
    assert!(store.get_analysis("aa", "m1").unwrap().is_some(), "c2 is made of it");
    assert_eq!(store.forget_call("c2", TODAY, false).unwrap().transcripts, 1);

    // What a killed run left: a transcript that no call uses.
    fill(store, "c3", "cc", "n/c.wav");
    let row = AnalysisRow { recording_id: "dd".into(), model_key: "m1".into(), transcript: transcript() };
    store.put_analysis(&row).unwrap();
    store.put_text_scores("c4", "e1", "t1", &TurnScores::default()).unwrap();
    assert_eq!((store.remove_unused(true).unwrap(), store.remove_unused(false).unwrap()), (2, 2));
    assert_eq!(store.remove_unused(false).unwrap(), 0);
    assert!(store.get_analysis("dd", "m1").unwrap().is_none() && store.get_analysis("cc", "m1").unwrap().is_some());

    store.put_failure(&failure("bb")).unwrap();
    store.put_failure(&failure("n/secret.wav")).unwrap();
    let removed = store.forget_recording(Some("bb"), Some("n/secret.wav"), TODAY, false).unwrap();
    assert_eq!((removed.failures, store.failures().unwrap().len()), (2, 0));
    assert!(store.tombstone("", "bb").unwrap().is_some());
}

fn purged_words_leave_the_scores(store: &dyn Store) {
    fill(store, "c1", "aa", "n/a.wav");
    let before = store.get_call("c1").unwrap().unwrap();
    store.append_review(&decision("c1", "Ms Li said it")).unwrap();
    assert_eq!(store.purge_words("c1", TODAY, true).unwrap().calls, 1);
    assert!(!store.get_call("c1").unwrap().unwrap().words_purged, "a dry run");
    let removed = store.purge_words("c1", TODAY, false).unwrap();
    assert_eq!(
        (removed.calls, removed.turns, removed.transcripts, removed.text_scores, removed.reviews),
        (1, 2, 1, 1, 1)
    );
    let after = store.get_call("c1").unwrap().unwrap();
    assert!(after.words_purged && after.record.words_purged() && !before.record.words_purged());
    assert!(
        !after.record_json.contains("通话")
            && !after.record_json.contains("fine")
            && !after.record_json.contains("车险")
    );
    assert_eq!(after.record.evaluation.score, before.record.evaluation.score);
    let points = |call: &callmark_store::StoredCall| -> Vec<i64> {
        call.record.evaluation.ledger.iter().map(|r| r.points).collect()
    };
    assert_eq!(points(&after), points(&before));
    assert_eq!((&after.record.signals, &after.evaluation_key), (&before.record.signals, &before.evaluation_key));
    assert_eq!(find(store, "通话"), SearchResults::default());
    assert_eq!(store.get_analysis("aa", "m1").unwrap(), None);
    assert_eq!(store.reviews("c1").unwrap()[0].reason, "");
    // Nothing brings the words back, and a second purge has nothing to do.
    assert!(!store.put_call(&before.record, "k2", &[]).unwrap());
    assert_eq!(store.purge_words("c1", TODAY, false).unwrap(), callmark_store::Removed::default());
    assert_eq!(store.purge_words("no such call", TODAY, false).unwrap(), callmark_store::Removed::default());
    assert_eq!(store.tombstone("c1", "aa").unwrap(), Some(Tombstone { gone: Gone::WordsPurged, date: TODAY }));
    store.forget_call("c1", TODAY, false).unwrap();
    assert_eq!(store.tombstone("c1", "aa").unwrap().map(|t| t.gone), Some(Gone::Forgotten));
    assert_eq!(store.count_calls(&CallFilter::default()).unwrap(), 0);
}

fn a_backup_is_a_store(store: &dyn Store) {
    fill(store, "c1", "aa", "n/a.wav");
    store.append_review(&decision("c1", "why")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    let report = store.backup_to(&path, false).unwrap();
    assert_eq!((report.calls, report.turns, report.reviews), (1, 2, 1));
    assert!(matches!(store.backup_to(&path, false), Err(StoreError::Exists { .. })));
    store.put_call(&record("c2", "r", "t", None), "k", &[]).unwrap();
    assert_eq!(store.backup_to(&path, true).unwrap().calls, 2);
    let copy = callmark_store::open_existing(path.to_str().unwrap()).unwrap();
    assert_eq!(copy.get_call("c1").unwrap(), store.get_call("c1").unwrap());
    assert_eq!(places(&find(copy.as_ref(), "通话")), "c2:0 c1:0");
    drop(copy);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["backup.db"], "nothing else is left");
}

fn statistics(store: &dyn Store) {
    assert_eq!(store.statistics().unwrap().bytes_per_call, 0);
    fill(store, "c1", "aa", "n/a.wav");
    fill(store, "c2", "bb", "n/b.wav");
    store.put_failure(&failure("cc")).unwrap();
    store.purge_words("c2", TODAY, false).unwrap();
    let found = store.statistics().unwrap();
    assert_eq!((found.calls, found.words_purged, found.turns, found.failures, found.tombstones), (2, 1, 4, 1, 2));
    assert!(
        found.size_bytes > 10_000 && found.bytes_per_call > 1_000 && found.free_bytes < found.size_bytes,
        "{found:?}"
    );
}

fn run(open: impl Fn(&str) -> Box<dyn Store>) {
    for (name, check) in CHECKS {
        let store = open(name);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(store.as_ref())));
        assert!(outcome.is_ok(), "the check `{name}` failed, see above");
    }
}

#[test]
fn sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    run(|name| callmark_store::open(&format!("sqlite:{}", folder.path().join(name).display())).unwrap());
}

#[test]
fn sqlite_memory() {
    run(|_| callmark_store::open("sqlite::memory:").unwrap());
}
