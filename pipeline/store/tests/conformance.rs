//! What every back-end must do, written against the trait. A new back-end adds one test function at the end.

mod common;

use callmark_core::record::{Decision, ReviewSource};
use callmark_core::transcript::{Embedding, Sentiment, TurnScores};
use callmark_store::{
    AnalysisRow, CallFilter, FailureRow, FileStamp, NewReview, RecordingLink, STORE_SCHEMA, Store, StoreError,
    record_json,
};
use common::{record, transcript};

/// One behaviour, checked on a fresh store.
type Check = fn(&dyn Store);

const CHECKS: [(&str, Check); 12] = [
    ("schema_version", schema_version),
    ("files", files),
    ("analyses", analyses),
    ("text_scores", text_scores),
    ("phrases", phrases),
    ("calls_round_trip", calls_round_trip),
    ("calls_are_replaced", calls_are_replaced),
    ("calls_are_filtered", calls_are_filtered),
    ("calls_are_found", calls_are_found),
    ("recordings", recordings),
    ("failures", failures),
    ("reviews", reviews),
];

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
}

fn text_scores(store: &dyn Store) {
    let scores = TurnScores {
        sentiment: vec![
            None,
            Some(Sentiment { negative_permille: 0, neutral_permille: 1, positive_permille: 999 }),
            None,
        ],
        embeddings: vec![Some(Embedding(vec![-128, 0, 127])), None, Some(Embedding(vec![1, -1, 5]))],
    };
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), None);
    store.put_text_scores("c1", "e1", "t1", &scores).unwrap();
    store.put_text_scores("c1", "e1", "t1", &scores).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(scores.clone()));
    for (call, models, text) in [("c2", "e1", "t1"), ("c1", "e2", "t1"), ("c1", "e1", "t2")] {
        assert_eq!(store.get_text_scores(call, models, text).unwrap(), None);
    }
    let none = TurnScores { sentiment: vec![None, None], embeddings: vec![None, None] };
    store.put_text_scores("c1", "e1", "t1", &none).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(none));
    store.put_text_scores("c1", "e1", "t1", &TurnScores::default()).unwrap();
    assert_eq!(store.get_text_scores("c1", "e1", "t1").unwrap(), Some(TurnScores::default()));
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
        store.put_call(call, "k", &[]).unwrap();
    }
    let since = Some(jiff::civil::date(2025, 2, 19));
    let rep = |id: &str| Some(id.to_string());
    let cases: [(CallFilter, &[&str]); 6] = [
        (CallFilter::default(), &["c1", "c2", "c3", "c4", "c5"]),
        (CallFilter { since, ..CallFilter::default() }, &["c1", "c2"]),
        (CallFilter { rep: rep("rep-1"), ..CallFilter::default() }, &["c1", "c3"]),
        (CallFilter { team: rep("north"), ..CallFilter::default() }, &["c2", "c3", "c4", "c5"]),
        (CallFilter { since, rep: rep("rep-2"), team: rep("north") }, &["c2"]),
        (CallFilter { rep: rep("rep-1' OR 1=1 --"), ..CallFilter::default() }, &[]),
    ];
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
