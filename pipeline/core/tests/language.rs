//! Scorecards as authors write them: what is refused and where, and what each operator finds in small calls.

#[path = "language/broken.rs"]
mod broken;
#[path = "language/mutations.rs"]
mod mutations;
#[path = "language/operators.rs"]
mod operators;

use std::collections::{BTreeMap, BTreeSet};

use callmark_core::acts::ActLexicon;
use callmark_core::adherence::{CallEvidence, ExampleReader, assess, run_examples};
use callmark_core::record::{ItemResult, MatchType, Outcome};
use callmark_core::recording::{Language, Metadata};
use callmark_core::scorecard::{LintSeverity, Pattern, Scorecard, Trapezoid, lint};
use callmark_core::signals;
use callmark_core::transcript::{
    ActReadings, Embedding, Medium, Role, RoleMethod, RoleSpan, Transcript, Turn, TurnScores, Word,
};
use proptest::prelude::*;

const ACTS: &str = r#"
- {act: price_objection, role: customer, en: ["too expensive", "more than i can pay"], zh: ["太贵了"]}
- {act: objection_answer, role: rep, en: ["i understand the price is a concern"], zh: ["我理解您对价格的顾虑"]}
- {act: hold_request, role: rep, en: ["one moment please"], zh: ["请您稍等"]}
- {act: greeting, stage: opening, role: rep, en: ["thank you for calling"], zh: ["很高兴为您服务"]}
- {act: closing, stage: close, role: rep, en: ["have a great day"], zh: ["祝您生活愉快"]}
"#;

fn lexicon() -> ActLexicon {
    ActLexicon::parse(ACTS).unwrap()
}

/// A scorecard with these requirements.
fn card(requirements: &str) -> String {
    let head = "schema: 1\nname: test\nlanguage: [en, zh]\nstages: [opening, close]\nweights: {compliance: 30, handling: 20}\n";
    format!("{head}requirements:\n{requirements}")
}

fn parse(requirements: &str) -> Scorecard {
    Scorecard::parse_with(&card(requirements), &lexicon()).unwrap_or_else(|e| panic!("{e}\n{requirements}"))
}

/// Two directions: 1 for texts with "record", across for the rest. Enough to tell a meaning from another.
fn embed(_: Language, texts: &[String]) -> Vec<Option<Embedding>> {
    let vector =
        |text: &String| if text.contains("record") || text.contains("录音") { vec![127, 0] } else { vec![0, 127] };
    texts.iter().map(|t| Some(Embedding(vector(t)))).collect()
}

fn no_encoder(_: Language, texts: &[String]) -> Vec<Option<Embedding>> {
    vec![None; texts.len()]
}

/// Every example of a scorecard must come out as its author says.
fn check_with(requirements: &str, reader: &dyn ExampleReader) {
    let results = run_examples(&parse(requirements), &lexicon(), reader);
    assert!(!results.is_empty());
    for r in &results {
        assert!(
            r.passed,
            "{} example {}: {:?}, not {:?} ({})",
            r.requirement_id, r.index, r.actual, r.expected, r.detail
        );
    }
}

/// One requirement made of `match`, a rule and examples.
fn check(matchers: &str, rule: &str, examples: &[&str]) {
    let examples: String = examples.iter().map(|e| format!("      - {{{e}}}\n")).collect();
    check_with(
        &format!("  - id: r\n    dimension: compliance\n    match: {matchers}\n    {rule}\n    examples:\n{examples}"),
        &embed,
    );
}

// ------------------------------------------------------------------ SCORING.md §2

const SCORING: &str = r#"
  - id: disclose_recording
    version: 3
    what: The rep says that the call is recorded, in the first 30 seconds.
    why: Recording without notice is unlawful in many places.
    coach: Say it before the first question, in one sentence.
    dimension: compliance
    severity: fatal            # fatal | major | minor | bonus | advisory
    points: 10
    when: {call_type: [sales]}                             # else n/a
    match:
      a: {any: {en: ["this call is recorded", "call may be monitored or recorded"], zh: ["本次通话将被录音"]}, must: {en: [recorded, recording], zh: [录音]}}
      b: {regex: {zh: "录音.{0,6}(质量|监督)"}, not: {zh: "不.{0,2}录音"}}
      c: {meaning: {en: ["we record calls for quality and training"]}, similarity: 0.75}
    require: {expr: "a or b or c", role: rep, within: {first_s: 30, first_turns: 3}}
    except: [{role: customer, any: {en: ["I know it's recorded"], zh: ["我知道有录音"]}}]      # then n/a
    examples:                                           # run by `callmark scorecard test`
      - {turns: [[rep, 0, "Hello, this call is recorded for quality."]], expect: met}
      - {turns: [[rep, 0, "您好,本次通话将被路音"]], expect: met}        # homophone from the recogniser
      - {turns: [[rep, 0, "Hello, how are you?"]], expect: missed}
      - {turns: [[rep, 0, "Hello, how are you?"], [customer, 3, "I know it's recorded."]], expect: n/a}
      - {turns: [[rep, 0, "Hello, how are you?"], [rep, 31, "this call is recorded"]], expect: missed}
      - {turns: [[customer, 0, "this call is recorded"], [rep, 4, "Hello"]], expect: missed}
      - {turns: [[rep, 0, "this call is recorded"]], call_type: support, expect: n/a}
  - id: price_objection_unanswered
    what: The customer says it is too expensive twice or more and the rep never answers it.
    dimension: handling
    severity: major
    points: 10
    match:
      objection: {act: price_objection, p: 0.7}
      answer: {act: objection_answer, p: 0.6}
    forbid: {expr: "count(objection) >= 2 and not (answer after each objection within 4 turns)"}
    examples:
      - {turns: [[customer, 0, "That's too expensive.", {act: price_objection}], [rep, 4, "I see."], [customer, 9, "It is more than I can pay.", {act: price_objection}]], expect: violated}
      - {turns: [[customer, 0, "That's too expensive."], [rep, 4, "I understand the price is a concern."], [customer, 9, "It is more than I can pay."], [rep, 14, "I understand the price is a concern."]], expect: clear}
      - {turns: [[customer, 0, "That's too expensive."], [rep, 4, "I see."]], expect: clear}
"#;

#[test]
fn the_examples_of_the_specification_hold() {
    check_with(SCORING, &embed);
    // Without an encoder "missed" cannot be said where a meaning was asked for.
    let results = run_examples(&parse(SCORING), &lexicon(), &no_encoder);
    assert_eq!(results[0].actual, Outcome::Met);
    assert_eq!(results[2].actual, Outcome::Unknown);
}

// ------------------------------------------------------------------ operators

#[test]
fn phrase_forms() {
    check(
        r#"{a: {any: {en: ["thirty days", "money back"]}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "you get your money back"]], expect: met"#,
            r#"turns: [[rep, 0, "you get a new phone"]], expect: missed"#,
            r#"turns: [[rep, 0, "您可以退货"]], expect: n/a"#,
        ],
    );
    check(
        r#"{a: {all: {en: ["thirty days", "money back"]}, role: rep}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "within 30 days"], [rep, 9, "you get your money back"]], expect: met"#,
            r#"turns: [[rep, 0, "within 30 days"], [customer, 9, "you get your money back"]], expect: missed"#,
        ],
    );
    check(
        r#"{a: {n_of: {n: 2, of: {en: ["fire insurance", "water damage", "burglary cover"]}}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "fire insurance and burglary cover"]], expect: met"#,
            r#"turns: [[rep, 0, "fire insurance, fire insurance"]], expect: missed"#,
        ],
    );
    check(
        r#"{a: {none: {en: ["shut up"]}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "good morning sir"]], expect: met"#,
            r#"turns: [[rep, 0, "oh shut up"]], expect: missed"#,
        ],
    );
}

#[test]
fn must_not_threshold_and_regex() {
    check(
        r#"{a: {any: {en: ["we guarantee a return"]}, not: {en: ["not guarantee", "if"]}}}"#,
        "forbid: {expr: a}",
        &[
            r#"turns: [[rep, 0, "sure we guarantee a return"]], expect: violated"#,
            r#"turns: [[rep, 0, "we do not guarantee a return"]], expect: clear"#,
            r#"turns: [[rep, 0, "if we guarantee a return"]], expect: clear"#,
        ],
    );
    check(
        r#"{a: {any: {en: ["this call is recorded for quality"]}, must: {en: [recorded]}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "this call is recorder for quality"]], expect: met"#,
            r#"turns: [[rep, 0, "this call is important for quality"]], expect: missed"#,
        ],
    );
    check(
        r#"{a: {any: {en: ["cancel within fourteen days"]}, threshold: 1.0}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "you may cancel within 14 days"]], expect: met"#,
            r#"turns: [[rep, 0, "you may cancel in fourteen days"]], expect: missed"#,
        ],
    );
    check(
        r#"{a: {regex: {en: "\\b\\d{3} ?\\d{3}\\b", zh: "验证码.{0,4}(告诉|念)"}, not: {zh: "不要.{0,6}验证码"}}}"#,
        "forbid: {expr: a}",
        &[
            r#"turns: [[rep, 0, "It is 123-456."]], expect: violated"#,
            r#"turns: [[rep, 0, "It is 12."]], expect: clear"#,
            r#"turns: [[rep, 0, "请把验证码，告诉我"]], expect: violated"#,
            r#"turns: [[rep, 0, "请不要把验证码告诉别人"]], expect: clear"#,
        ],
    );
}

#[test]
fn meaning_act_and_stage() {
    check(
        r#"{a: {meaning: {en: ["we record calls"]}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "we keep a record of it"]], expect: met"#,
            r#"turns: [[rep, 0, "good morning"]], expect: missed"#,
            r#"turns: [[rep, 0, "您好"]], expect: n/a"#,
        ],
    );
    check(
        "{a: {act: price_objection, p: 0.9}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[customer, 0, "well that is too expensive"]], expect: violated"#,
            r#"turns: [[rep, 0, "well that is too expensive"]], expect: clear"#,
            r#"turns: [[customer, 0, "good", {acts: [price_objection]}]], expect: violated"#,
            r#"turns: [[customer, 0, "太贵了"]], expect: violated"#,
        ],
    );
    check(
        "{open: {stage: opening}, end: {stage: close}}",
        "require: {expr: \"open before end\"}",
        &[
            r#"turns: [[rep, 0, "thank you for calling"], [rep, 9, "have a great day"]], expect: met"#,
            r#"turns: [[rep, 0, "have a great day"], [rep, 9, "thank you for calling"]], expect: missed"#,
        ],
    );
}

#[test]
fn sentiment_silence_overlap_and_metric() {
    check(
        "{a: {sentiment: {lte: -2}, role: customer}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[customer, 0, "this is bad", {sentiment: -3}]], expect: violated"#,
            r#"turns: [[customer, 0, "this is fine", {sentiment: 1}], [rep, 5, "bad", {sentiment: -3}]], expect: clear"#,
        ],
    );
    check(
        "{a: {sentiment: {lte: -2}, period: last_quarter}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[customer, 0, "good", {sentiment: 3, end: 5}], [rep, 6, "yes", {end: 30}], [customer, 35, "bad", {sentiment: -3, end: 40}]], expect: violated"#,
            r#"turns: [[customer, 0, "bad", {sentiment: -3, end: 5}], [rep, 6, "yes", {end: 30}], [customer, 35, "good", {sentiment: 3, end: 40}]], expect: clear"#,
        ],
    );
    check(
        "{a: {silence: {gte_s: 5}, within: {last_s: 20}}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[rep, 0, "hello there", {end: 2}], [customer, 12, "hello", {end: 50}]], expect: clear"#,
            r#"turns: [[rep, 0, "hello there", {end: 40}], [customer, 48, "hello", {end: 50}]], expect: violated"#,
        ],
    );
    check(
        "{a: {silence: {gte_s: 8}, explained: false}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[rep, 0, "hello there", {end: 2}], [customer, 12, "hello"]], expect: violated"#,
            r#"turns: [[rep, 0, "one moment please", {end: 2}], [customer, 12, "hello"]], expect: clear"#,
            r#"turns: [[rep, 0, "hello there", {end: 2}], [customer, 6, "hello"]], expect: clear"#,
        ],
    );
    check(
        "{a: {overlap: {gte_ms: 500}, role: rep}}",
        "forbid: {expr: a}",
        &[
            r#"turns: [[customer, 0, "let me tell you about my problem", {end: 8}], [rep, 4, "no you must listen to me now", {end: 7}]], expect: violated"#,
            r#"turns: [[rep, 0, "let me tell you about my offer", {end: 8}], [customer, 4, "no you must listen to me now", {end: 7}]], expect: clear"#,
        ],
    );
    check(
        "{a: {metric: questions_rep, gte: 2}}",
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "who are you?"], [customer, 3, "why"], [rep, 6, "where do you live?"]], expect: met"#,
            r#"turns: [[rep, 0, "good morning"], [customer, 3, "hello"]], expect: missed"#,
        ],
    );
}

#[test]
fn sequences_counts_and_conditions() {
    let ab = r#"{a: {any: {en: ["annual fee"]}}, b: {any: {en: ["sign here"]}}}"#;
    check(
        ab,
        "require: {expr: \"order(a, b)\"}",
        &[
            r#"turns: [[rep, 0, "the annual fee"], [rep, 9, "please sign here"]], expect: met"#,
            r#"turns: [[rep, 0, "please sign here then the annual fee"]], expect: missed"#,
            r#"turns: [[rep, 0, "the annual fee"]], expect: missed"#,
        ],
    );
    check(
        ab,
        "require: {expr: \"b near a within 1 turns\"}",
        &[
            r#"turns: [[rep, 0, "the annual fee"], [rep, 9, "please sign here"]], expect: met"#,
            r#"turns: [[rep, 0, "the annual fee"], [customer, 3, "yes"], [rep, 9, "please sign here"]], expect: missed"#,
        ],
    );
    check(
        ab,
        "require: {expr: b}\n    when: {expr: a}",
        &[
            r#"turns: [[rep, 0, "the annual fee"], [rep, 9, "please sign here"]], expect: met"#,
            r#"turns: [[rep, 0, "the annual fee"]], expect: missed"#,
            r#"turns: [[rep, 0, "good morning"]], expect: n/a"#,
        ],
    );
    check(
        ab,
        "require: {expr: a}\n    when: {duration_s: {lte: 10}, direction: [outbound], language: [en]}",
        &[
            r#"turns: [[rep, 0, "the annual fee", {end: 5}]], expect: met"#,
            r#"turns: [[rep, 0, "the annual fee", {end: 50}]], expect: n/a"#,
            r#"turns: [[rep, 0, "the annual fee", {end: 5}]], direction: inbound, expect: n/a"#,
        ],
    );
    check(
        r#"{a: {any: {en: ["annual fee"]}, within: {last_s: 10}}}"#,
        "require: {expr: a}",
        &[
            r#"turns: [[rep, 0, "well", {end: 20}], [rep, 21, "the annual fee", {end: 22}]], expect: met"#,
            r#"turns: [[rep, 0, "the annual fee", {end: 1}], [rep, 21, "well", {end: 22}]], expect: missed"#,
        ],
    );
}

#[test]
fn hours_on_the_customers_clock_and_first_contacts() {
    check(
        r#"{night: {local_time: {from: "21:00", to: "08:00"}}}"#,
        "forbid: {expr: night}",
        &[
            r#"turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T20:59:59Z", customer_tz: UTC, expect: clear"#,
            r#"turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T21:00:00Z", customer_tz: UTC, expect: violated"#,
            r#"turns: [[rep, 0, "good evening"]], start_ts: "2025-01-15T07:59:00Z", customer_tz: UTC, expect: violated"#,
            r#"turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T08:00:00Z", customer_tz: UTC, expect: clear"#,
            r#"turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T09:00:00", tz: America/New_York, customer_tz: America/Los_Angeles, expect: violated"#,
            r#"turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T09:00:00Z", expect: n/a"#,
            r#"turns: [[rep, 0, "good morning"]], customer_tz: UTC, expect: n/a"#,
        ],
    );
    check(
        r#"{office: {local_time: {from: "09:00", to: "17:00", zone: call}}}"#,
        "require: {expr: office}",
        &[
            r#"turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T16:59:00", expect: met"#,
            r#"turns: [[rep, 0, "good morning"]], start_ts: "2025-01-15T17:00:00", expect: missed"#,
        ],
    );
    check(
        r#"{a: {any: {en: ["this is an attempt to collect a debt"]}}}"#,
        "require: {expr: a}\n    when: {first_contact: true}",
        &[
            r#"turns: [[rep, 0, "this is an attempt to collect a debt"]], expect: met"#,
            r#"turns: [[rep, 0, "hello there"]], first_contact: true, expect: missed"#,
            r#"turns: [[rep, 0, "hello there"]], first_contact: false, expect: n/a"#,
        ],
    );
}

// ------------------------------------------------------------------ evidence

fn transcript(medium: Medium, turns: &[(Role, i64, &str)], confidence_permille: u16) -> Transcript {
    let turns: Vec<Turn> = turns
        .iter()
        .map(|(role, begin_ms, text)| {
            let mut at = *begin_ms;
            let mut word = |text: &str| {
                at += 400;
                Word { text: text.to_string(), begin_ms: at - 400, end_ms: at, confidence_permille }
            };
            let words: Vec<Word> = text.split_whitespace().map(&mut word).collect();
            Turn { role: *role, begin_ms: *begin_ms, end_ms: at, text: text.to_string(), words, confidence_permille }
        })
        .collect();
    Transcript {
        medium,
        language: Some(Language::En),
        duration_ms: turns.iter().map(|t| t.end_ms).max().unwrap_or(0),
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1_000,
        recogniser_confidence_permille: Some(confidence_permille),
        confidence_floor_permille: Some(400),
        speech: turns.iter().map(|t| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms }).collect(),
        turns,
        ..Transcript::default()
    }
}

fn judge(scorecard: &Scorecard, transcript: &Transcript) -> Vec<ItemResult> {
    judge_read(scorecard, transcript, None)
}

/// The same for a call whose acts a model has read.
fn judge_read(scorecard: &Scorecard, transcript: &Transcript, readings: Option<ActReadings>) -> Vec<ItemResult> {
    let lexicon = lexicon();
    let scores = TurnScores { acts: readings, ..TurnScores::default() };
    let acts = lexicon.hear(transcript, scores.acts.as_ref());
    let signals = signals::compute(transcript, &[], &acts, &[], &scorecard.stages);
    let call = CallEvidence {
        transcript,
        metadata: &Metadata::default(),
        signals: &signals,
        scores: &scores,
        sentiment: &[],
        acts: &acts,
        lexicon: &lexicon,
        phrase_embeddings: &BTreeMap::new(),
    };
    assess(scorecard, &call)
}

/// Readings of given acts, as turn, act and probability.
fn readings(given: &[&str], turns: usize, heard: &[(usize, &str, u16)]) -> ActReadings {
    let mut readings = ActReadings {
        given: given.iter().map(|act| (*act).to_string()).collect(),
        turns: vec![BTreeMap::new(); turns],
    };
    for (turn, act, permille) in heard {
        readings.turns[*turn].insert((*act).to_string(), *permille);
    }
    readings
}

#[test]
fn of_given_acts_the_models_word_counts() {
    let said = [
        (Role::Rep, 0, "well thank you for calling us"),
        (Role::Rep, 5_000, "lovely to hear from you"),
        (Role::Customer, 9_000, "hi there"),
        (Role::Customer, 12_000, "that is too expensive"),
        (Role::Unknown, 16_000, "hello thank you for calling"),
    ];
    let call = transcript(Medium::Speech, &said, 1_000);
    let lexicon = lexicon();
    // A phrase that the model does not hear as the act, one without a phrase, a customer's turn, which cannot be the rep's act, and a turn
    // by nobody known, whose phrases stay.
    let heard =
        [(1, "rep:greeting", 312), (2, "rep:greeting", 990), (2, "customer:greeting", 990), (4, "rep:greeting", 700)];
    let read = readings(&["rep:greeting", "customer:greeting", "customer:praise"], said.len(), &heard);
    let acts = lexicon.hear(&call, Some(&read));
    let greeting = |permille| BTreeMap::from([("greeting".to_string(), permille)]);
    assert_eq!((&acts[0], &acts[1], &acts[2]), (&BTreeMap::new(), &greeting(312), &BTreeMap::new()));
    assert_eq!(acts[4], lexicon.label(&call)[4]);
    assert!(acts[4].contains_key("greeting"));
    assert_eq!(acts[3].keys().collect::<Vec<_>>(), ["price_objection"], "an act that is not given is found by phrase");
    assert_eq!(lexicon.by_model(Some(&read)), ["greeting"]);
    // Nothing was read, or nothing is given: phrases alone.
    assert_eq!(lexicon.hear(&call, None), lexicon.label(&call));
    assert_eq!(lexicon.hear(&call, Some(&readings(&[], said.len(), &heard))), lexicon.label(&call));
    assert_eq!(lexicon.by_model(None), [""; 0]);
    // Whatever a model hears, some acts are left to phrases.
    let left = readings(&["rep:needs_question", "rep:closing"], 0, &[]);
    assert_eq!(ActLexicon::built_in().by_model(Some(&left)), ["closing"]);
    // Readings of fewer turns say nothing about the others.
    assert_eq!(lexicon.hear(&call, Some(&readings(&["rep:greeting"], 0, &[])))[0], BTreeMap::new());
}

/// It is read from a turn alone, so it holds also where roles are not settled; phrases count beside it, but only word by word.
#[test]
fn an_insult_is_heard_of_turns_by_nobody_known() {
    let said = [
        (Role::Unknown, 0, "a turnip would have understood that"),
        (Role::Unknown, 5_000, "you bloody fool they say in that song"),
        (Role::Customer, 9_000, "you are so studious"),
    ];
    let call = transcript(Medium::Speech, &said, 1_000);
    let lexicon = ActLexicon::built_in();
    let read = readings(&[ActReadings::INSULT], said.len(), &[(0, ActReadings::INSULT, 930)]);
    let insults = |read| -> Vec<Option<u16>> {
        lexicon.hear(&call, read).iter().map(|acts| acts.get("insult").copied()).collect()
    };
    assert_eq!(insults(Some(&read)), [Some(930), Some(1000), None]);
    assert!(insults(None)[1].is_some(), "without a model by phrase");
    let scorecard = Scorecard::parse(&card(
        "\n  - {id: decent, dimension: compliance, match: {a: {act: insult}}, forbid: {expr: a}}\n",
    ))
    .unwrap();
    let scores = TurnScores { acts: Some(read), ..TurnScores::default() };
    let acts = lexicon.hear(&call, scores.acts.as_ref());
    let evidence = CallEvidence {
        transcript: &call,
        metadata: &Metadata::default(),
        signals: &signals::compute(&call, &[], &acts, &[], &[]),
        scores: &scores,
        sentiment: &[],
        acts: &acts,
        lexicon,
        phrase_embeddings: &BTreeMap::new(),
    };
    let item = assess(&scorecard, &evidence).remove(0);
    assert_eq!((item.outcome, item.evidence[0].match_type), (Outcome::Violated, MatchType::ModelAct));
}

/// Examples are read as calls are: by the model where its word counts, and what an example names is there besides.
#[test]
fn examples_are_read_as_calls() {
    struct Reader;
    impl ExampleReader for Reader {
        fn embed(&self, _: Language, texts: &[String]) -> Vec<Option<Embedding>> {
            vec![None; texts.len()]
        }
        fn read_acts(&self, example: &Transcript) -> Option<ActReadings> {
            let heard: Vec<_> = (0..example.turns.len())
                .filter(|turn| example.turns[*turn].text.starts_with("ahoy"))
                .map(|turn| (turn, "rep:greeting", 800))
                .collect();
            Some(readings(&["rep:greeting"], example.turns.len(), &heard))
        }
    }
    let examples = "
  - id: greeted
    dimension: compliance
    match: {a: {act: greeting}}
    require: {expr: a}
    examples:
      - {turns: [[rep, 0, \"ahoy matey\"]], expect: met}
      - {turns: [[rep, 0, \"hello thank you for calling\"]], expect: missed}
      - {turns: [[rep, 0, \"well\", {act: greeting}]], expect: met}
";
    let scorecard = parse(examples);
    let outcomes = |reader: &dyn ExampleReader| -> Vec<Outcome> {
        run_examples(&scorecard, &lexicon(), reader).iter().map(|result| result.actual).collect()
    };
    assert_eq!(outcomes(&Reader), [Outcome::Met, Outcome::Missed, Outcome::Met]);
    assert_eq!(outcomes(&no_encoder), [Outcome::Missed, Outcome::Met, Outcome::Met], "without a model by phrase");
}

#[test]
fn an_act_that_a_model_heard_cites_its_phrase_or_the_whole_turn() {
    let scorecard = parse(
        r#"
  - {id: greeted, dimension: compliance, match: {a: {act: greeting}}, require: {expr: a}}
  - {id: surely, dimension: compliance, match: {a: {act: greeting, p: 0.5}}, require: {expr: a}}
  - {id: opened, dimension: compliance, match: {a: {stage: opening}}, require: {expr: a}}
  - {id: price, dimension: compliance, match: {a: {act: price_objection}}, forbid: {expr: a}}
"#,
    );
    let judged = |greeting: &str, readings: Option<ActReadings>| {
        let said = [(Role::Rep, 0, greeting), (Role::Customer, 9_000, "but that is too expensive")];
        judge_read(&scorecard, &transcript(Medium::Speech, &said, 1_000), readings)
    };
    let found = |item: &ItemResult| {
        let first = &item.evidence[0];
        (item.outcome, first.match_type, first.confidence_permille, first.quote.clone())
    };
    let read = |permille| Some(readings(&["rep:greeting"], 2, &[(0, "rep:greeting", permille)]));
    let quote = |words: &str| words.to_string();
    let (phrase, other) = ("oh thank you for calling us", "lovely to hear from you");

    let items = judged(other, read(412));
    assert_eq!(found(&items[0]), (Outcome::Met, MatchType::ModelAct, 412, quote(other)));
    assert_eq!(items[1].outcome, Outcome::Missed, "`p` asks for more than the act's own threshold");
    assert_eq!(found(&items[2]), (Outcome::Met, MatchType::ModelAct, 412, quote(other)));
    assert_eq!(found(&items[3]), (Outcome::Violated, MatchType::Act, 1000, quote("too expensive")));

    let items = judged(phrase, read(512));
    assert_eq!(found(&items[0]), (Outcome::Met, MatchType::ModelAct, 512, quote("thank you for calling")));
    assert_eq!(items[1].outcome, Outcome::Met);

    let items = judged(phrase, Some(readings(&["rep:greeting"], 2, &[])));
    assert_eq!((items[0].outcome, items[2].outcome), (Outcome::Missed, Outcome::Missed), "the model does not hear it");
    let items = judged(phrase, None);
    assert_eq!(found(&items[0]), (Outcome::Met, MatchType::Act, 1000, quote("thank you for calling")));
    assert_eq!(found(&items[2]), (Outcome::Met, MatchType::Act, 1000, quote(phrase)));
}

#[test]
fn evidence_points_at_the_words() {
    let scorecard = parse(
        r#"
  - {id: promise, dimension: compliance, match: {a: {any: {en: ["guaranteed return"]}, role: rep}}, forbid: {expr: a}, each: true, at_most: 2}
  - {id: opened, dimension: handling, match: {a: {any: {en: ["good morning"]}, role: rep}}, require: {expr: a, within: {first_s: 5}}}
  - {id: price, dimension: handling, match: {o: {act: price_objection}, a: {act: objection_answer}}, forbid: {expr: "count(o) >= 2 and not (a after each o within 4 turns)"}}
"#,
    );
    let long = "well let me think about what i can say to you here it is a guaranteed return for ever";
    let turns = [
        (Role::Rep, 1_000, long),
        (Role::Customer, 20_000, "no way and that is too expensive"),
        (Role::Rep, 30_000, "guarantee return i say"),
        (Role::Rep, 40_000, "guaranteed return once more"),
        (Role::Customer, 50_000, "it is too expensive"),
    ];
    let items = judge(&scorecard, &transcript(Medium::Speech, &turns, 800));
    let promise = &items[0];
    assert_eq!((promise.outcome, promise.violations, promise.evidence.len()), (Outcome::Violated, 2, 3));
    let first = promise.evidence.iter().find(|e| e.turn == Some(0)).unwrap();
    assert_eq!((first.begin_ms, first.end_ms, first.quote.as_str()), (7_000, 7_800, "guaranteed return"));
    assert_eq!((first.match_type, first.confidence_permille), (MatchType::Exact, 800));
    let bent = promise.evidence.iter().find(|e| e.turn == Some(2)).unwrap();
    assert_eq!(
        (bent.begin_ms, bent.quote.as_str(), bent.match_type),
        (30_000, "guarantee return", MatchType::Tolerant)
    );
    assert!(bent.confidence_permille < 800);
    let opened = &items[1];
    assert_eq!((opened.outcome, opened.evidence.len()), (Outcome::Missed, 1));
    assert_eq!(opened.evidence[0].match_type, MatchType::Window);
    assert_eq!(opened.evidence[0].begin_ms, 1_000);
    let price = &items[2];
    let places: Vec<_> = price.evidence.iter().map(|e| (e.turn, e.begin_ms, e.quote.as_str())).collect();
    assert_eq!(price.outcome, Outcome::Violated);
    assert_eq!(places, [(Some(1), 22_000, "too expensive"), (Some(4), 50_800, "too expensive")]);
}

#[test]
fn unsure_words_do_not_prove_absence() {
    let scorecard = parse(
        r#"  - {id: r, dimension: compliance, match: {a: {any: {en: ["good morning"]}, role: rep}}, require: {expr: a}}"#,
    );
    let outcome = |text, confidence| {
        judge(&scorecard, &transcript(Medium::Speech, &[(Role::Rep, 0, text)], confidence))[0].outcome
    };
    assert_eq!(outcome("who is this", 800), Outcome::Missed);
    assert_eq!(outcome("who is this", 300), Outcome::Unknown);
    assert_eq!(outcome("good morning", 300), Outcome::Met);
}

#[test]
fn text_uses_turns_for_seconds_and_has_no_clock() {
    let scorecard = parse(
        r#"
  - {id: early, dimension: compliance, match: {a: {any: {en: ["good morning"]}, role: rep}}, require: {expr: a, within: {first_s: 1, first_turns: 2}}}
  - {id: gap, dimension: compliance, match: {a: {silence: {gte_s: 3}}}, forbid: {expr: a}}
  - {id: clock, dimension: compliance, match: {a: {any: {en: ["good morning"]}}}, require: {expr: a, within: {last_s: 60}}}
"#,
    );
    let turns = [
        (Role::Rep, 0, "who"),
        (Role::Customer, 9_000, "me"),
        (Role::Rep, 90_000, "good morning"),
        (Role::Rep, 99_000, "bye"),
    ];
    let outcomes =
        |medium| judge(&scorecard, &transcript(medium, &turns, 1_000)).iter().map(|i| i.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(Medium::Text), [Outcome::Met, Outcome::NotApplicable, Outcome::NotApplicable]);
    assert_eq!(outcomes(Medium::Speech), [Outcome::Missed, Outcome::Violated, Outcome::Met]);
}

#[test]
fn manual_items_wait_for_people() {
    let scorecard = parse("  - {id: r, dimension: compliance, source: manual}");
    let item = &judge(&scorecard, &transcript(Medium::Speech, &[(Role::Rep, 0, "hello")], 900))[0];
    assert_eq!((item.outcome, item.manual), (Outcome::Unknown, true));
}

// ------------------------------------------------------------------ reading

#[test]
fn errors_name_place_and_remedy() {
    let req = |body: &str| card(&format!("  - id: r\n    dimension: compliance\n{body}"));
    // (text, line, column, part of the message, part of the hint)
    let cases = [
        (req("    sevrity: fatal\n"), 9, 5, "unknown key `sevrity`", "`severity`"),
        (req("    severity: fatl\n"), 9, 15, "unknown value `fatl`", "`fatal`"),
        (
            req("    match: {a: {act: price_objecton}}\n    require: {expr: a}\n"),
            9,
            22,
            "unknown act",
            "`price_objection`",
        ),
        (
            req("    match: {a: {metric: pace_rp, gte: 1}}\n    require: {expr: a}\n"),
            9,
            25,
            "unknown metric",
            "`pace_rep`",
        ),
        (req("    match: {a: {stage: opning}}\n    require: {expr: a}\n"), 9, 24, "unknown stage", "`opening`"),
        (
            req("    match: {abc: {act: greeting}}\n    require: {expr: abd}\n"),
            10,
            21,
            "`abd` is not under `match`",
            "`abc`",
        ),
        (req("    match: {a: {act: greeting}}\n    require: {expr: \"a and\"}\n"), 10, 21, "expected", ""),
        (req("    match: {a: {regex: {en: \"(\"}}}\n    require: {expr: a}\n"), 9, 24, "bad pattern", ""),
        (req("    match: {a: {regex: {en: \"(a{1000}){1000}\"}}}\n    require: {expr: a}\n"), 9, 24, "too large", ""),
        (req("    match: {a: {regex: {en: \"a*\"}}}\n    require: {expr: a}\n"), 9, 24, "empty text", ""),
        (req("    match: {a: {act: greeting, must: {en: [x]}}}\n    require: {expr: a}\n"), 9, 13, "means nothing", ""),
        (req("    match: {a: {act: greeting, p: 7}}\n    require: {expr: a}\n"), 9, 13, "between 0 and 1", ""),
        (req("    match: {a: {act: greeting, role: ivr}}\n    require: {expr: a}\n"), 9, 38, "nobody's side", ""),
        (
            req("    match: {a: {act: greeting}}\n    require: {expr: a, role: supervisor}\n"),
            10,
            30,
            "nobody's side",
            "",
        ),
        (req("    match: {a: {}}\n    require: {expr: a}\n"), 9, 13, "exactly one of", ""),
        (req("    match: {a: {any: {en: [\"...\"]}}}\n    require: {expr: a}\n"), 9, 13, "empty phrase", ""),
        (req("    match: {a: {act: greeting}}\n"), 7, 9, "needs `require` or `forbid`", ""),
        (card("  - {id: r, dimension: complience, source: manual}\n"), 7, 24, "unknown dimension", "`compliance`"),
        (
            card(
                "  - {id: r, dimension: compliance, source: manual}\n  - {id: r, dimension: compliance, source: manual}\n",
            ),
            8,
            10,
            "used twice",
            "",
        ),
        (
            req("    source: manual\n    examples: [{turns: [[rep, 0, hi]], expect: mett}]\n"),
            10,
            48,
            "unknown result",
            "`met`",
        ),
        (
            req("    match: {a: {local_time: {from: \"8 am\", to: \"21:00\"}}}\n    require: {expr: a}\n"),
            9,
            36,
            "`8 am` is no time of day",
            "",
        ),
        ("schema: 2\nname: x\nlanguage: [en]\nweights: {a: 1}\n".to_string(), 1, 9, "schema 2", ""),
        ("schema: 1\nname: x\nlanguage: [en]\nweights: {a: 0}\n".to_string(), 4, 14, "weight", ""),
        // A wrong type: what was expected, and the place once.
        ("schema: one\nname: x\nlanguage: [en]\nweights: {a: 1}\n".to_string(), 1, 9, "", ""),
        ("schema: 1\nname: x\nlanguage: [en]\nweights: heavy\n".to_string(), 4, 10, "", ""),
        ("schema: 1\nname: x\nlanguage: [fr]\nweights: {a: 1}\n".to_string(), 3, 12, "unknown value `fr`", "en, zh"),
    ];
    for (yaml, line, column, message, hint) in cases {
        let error = Scorecard::parse_with(&yaml, &lexicon()).unwrap_err();
        assert!(error.message.contains(message), "{error}\n{yaml}");
        assert!(error.hint.clone().unwrap_or_default().contains(hint), "{error}");
        assert_eq!((error.line, error.column), (line, column), "{error}\n{yaml}");
        assert_eq!(error.to_string().matches("column").count(), 1, "the place is there once: {error}");
    }
    let huge = format!("# {}\n{}", "x".repeat(3 << 20), card(""));
    assert!(Scorecard::parse_with(&huge, &lexicon()).unwrap_err().message.contains("limit"));
    let bomb =
        format!("a0: &a0 [x]\n{}", (1..30).map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1)).collect::<String>());
    assert!(Scorecard::parse_with(&bomb, &lexicon()).is_err());
    assert!(ActLexicon::parse("- {act: a, en: [x]}\n- {act: a, en: [y]}\n").unwrap_err().message.contains("twice"));
}

#[test]
fn hash_is_of_the_content() {
    let one = "  - {id: r, dimension: compliance, points: 10, source: manual}\n";
    let same = "  # a comment\n  - dimension: compliance\n    id: \"r\"\n    source: manual\n";
    let other = "  - {id: r, dimension: compliance, points: 11, source: manual}\n";
    assert_eq!(parse(one).hash, parse(same).hash);
    assert_ne!(parse(one).hash, parse(other).hash);
    assert_eq!(parse(one).hash.len(), 64);
}

#[test]
fn trapezoids() {
    let value = |full: &str, zero: &str, x: i64| {
        let yaml = format!(
            "schema: 1\nname: x\nlanguage: [en]\nweights: {{h: 1}}\nmetrics:\n  - {{metric: pace_rep, dimension: h, full: {full}, zero: {zero}}}\n"
        );
        Scorecard::parse(&yaml).map(|s| s.metrics[0].trapezoid.value_permille(x))
    };
    for (full, zero, x, expected) in [
        ("[350, 500]", "[200, 800]", 200, 0),
        ("[350, 500]", "[200, 800]", 275, 500),
        ("[350, 500]", "[200, 800]", 350, 1_000),
        ("[350, 500]", "[200, 800]", 500, 1_000),
        ("[350, 500]", "[200, 800]", 600, 666),
        ("[350, 500]", "[200, 800]", 900, 0),
        ("{lte: 1000}", "{gte: 6000}", -5, 1_000),
        ("{lte: 1000}", "{gte: 6000}", 3_500, 500),
        ("{gte: 9}", "{lte: 0}", 3, 333),
        ("[5, 9]", "[5, 11]", 1, 1_000),
    ] {
        assert_eq!(value(full, zero, x), Ok(expected), "{full} {zero} {x}");
    }
    assert!(value("[500, 350]", "[200, 800]", 1).is_err());
    assert!(value("{lte: 9}", "{lte: 0}", 1).is_err());
}

#[test]
fn lint_sees_what_cannot_work() {
    let scorecard = parse(
        r#"
  - id: r
    dimension: compliance
    match:
      a: {any: {en: ["good morning"]}, must: {en: [evening]}}
      unused: {any: {en: ["hello there"]}}
    require: {expr: a, within: {first_s: 9}}
  - id: loose
    dimension: compliance
    match:
      b: {any: {en: ["please stop calling"]}, threshold: 0.6}
      c: {any: {en: ["please stop calling"]}, threshold: 0.6, must: {en: [calling]}}
    require: {expr: b or c}
"#,
    );
    let findings = lint(&scorecard);
    for part in [
        "`unused` is not used",
        "none of the `must` words",
        "no phrases in `zh`",
        "`first_s` only",
        "no example",
        "`b` takes what is hardly like its phrases",
    ] {
        assert!(findings.iter().any(|f| f.message.contains(part) && !f.hint.is_empty()), "{part}: {findings:?}");
    }
    assert!(findings.iter().any(|f| f.severity == LintSeverity::Warning));
    assert!(!findings.iter().any(|f| f.message.contains("`c` takes")), "{findings:?}");
}

/// `unless` of a requirement holds for its rep's words; a matcher's own replaces it, an empty one, too.
#[test]
fn unless_is_inherited_by_what_the_rep_says() {
    let scorecard = parse(
        r#"
  - id: usual
    dimension: compliance
    unless: [denied]
    match: {a: {any: {en: ["guaranteed return"]}}, b: {regex: {en: "guaranteed return"}}}
    forbid: {expr: "a or b", role: rep}
    examples:
      - {turns: [[rep, 0, "we never promise a guaranteed return"]], expect: clear}
      - {turns: [[rep, 0, "we promise a guaranteed return"]], expect: violated}
  - id: own
    dimension: compliance
    unless: [denied]
    match: {a: {any: {en: ["guaranteed return"]}, unless: []}}
    forbid: {expr: a, role: rep}
    examples: [{turns: [[rep, 0, "we never promise a guaranteed return"]], expect: violated}]
  - id: customers
    dimension: compliance
    unless: [denied]
    match: {a: {any: {en: ["guaranteed return"]}, role: customer}}
    forbid: {expr: a}
    examples: [{turns: [[customer, 0, "i do not see a guaranteed return"]], expect: violated}]
"#,
    );
    for result in run_examples(&scorecard, &lexicon(), &no_encoder) {
        assert!(result.passed, "{} {}: {:?}", result.requirement_id, result.index, result.actual);
    }
}

/// A pattern that stands in a turn twice is found where it is meant, whichever comes first.
#[test]
fn a_pattern_is_looked_for_beyond_what_is_not_meant() {
    let scorecard = parse(
        r#"
  - id: promise
    dimension: compliance
    unless: [reported, denied]
    match: {a: {regex: {en: "guaranteed return|sure profit"}}}
    forbid: {expr: a, role: rep}
    examples:
      - {turns: [[rep, 0, "we never promise a guaranteed return. But this one has a guaranteed return."]], expect: violated}
      - {turns: [[rep, 0, "The other company said sure profit. With us it is a guaranteed return."]], expect: violated}
      - {turns: [[rep, 0, "It is a guaranteed return. We never say sure profit."]], expect: violated}
      - {turns: [[rep, 0, "we never promise a guaranteed return. We do not say sure profit."]], expect: clear}
"#,
    );
    for result in run_examples(&scorecard, &lexicon(), &no_encoder) {
        assert!(result.passed, "{} {}: {:?}", result.requirement_id, result.index, result.actual);
    }
}

/// So it is where it lies in the matcher's window.
#[test]
fn a_pattern_is_looked_for_beyond_what_is_outside_of_its_window() {
    let said = ["this is recorded", "so that we can listen to it", "as i said it is recorded"].join(" ");
    let call = transcript(Medium::Speech, &[(Role::Rep, 0, said.as_str())], 1_000);
    let within = |seconds: u32| {
        let scorecard = parse(&format!(
            "  - {{id: late, dimension: compliance, match: {{a: {{regex: {{en: recorded}}}}}}, require: {{expr: a, within: {{last_s: {seconds}}}}}}}\n"
        ));
        let item = &judge(&scorecard, &call)[0];
        (item.outcome, item.evidence[0].begin_ms)
    };
    assert_eq!(within(2), (Outcome::Met, 6_000), "the second, although the first is earlier");
    assert_eq!(within(60), (Outcome::Met, 800), "the first where both count");
}

#[test]
fn lint_sees_contradictions_and_says_where() {
    let scorecard = Scorecard::parse_with(
        &card(
            r#"
  - {id: wanted, dimension: compliance, match: {a: {any: {en: ["sign today"]}, role: rep}}, require: {expr: a}}
  - {id: pushy, dimension: compliance, match: {a: {any: {en: ["Sign today"]}}}, forbid: {expr: a}}
  - {id: other, dimension: compliance, match: {a: {any: {en: ["sign today"]}, role: customer}}, forbid: {expr: a}}
  - {id: never, dimension: compliance, match: {a: {act: greeting}, b: {act: closing}}, require: {expr: "a and b and not a"}}
  - {id: always, dimension: compliance, match: {a: {act: greeting}}, require: {expr: "count(a) >= 0"}}
  - {id: twice, dimension: compliance, match: {a: {act: greeting}, b: {act: closing}}, require: {expr: "order(a, b, a)"}}
  - {id: empty, dimension: compliance, match: {a: {act: greeting}}, require: {expr: a, within: {first_turns: 0}}}
  - {id: lost, dimension: compliance, match: {a: {regex: {en: "twenty-four", zh: "录 音"}}}, require: {expr: a}}
  - {id: fine, dimension: compliance, match: {a: {regex: {en: "twenty[- ]?four,? (hours)", zh: "录.{0,2}音"}}}, require: {expr: a}}
  - {id: mixed, dimension: compliance, match: {a: {any: {en: ["本次通话"], zh: ["this call"]}}}, require: {expr: a}}
"#,
        ),
        &lexicon(),
    )
    .unwrap();
    let findings = lint(&scorecard);
    let told = |id: &str, part: &str| {
        let found: Vec<_> = findings.iter().filter(|f| f.requirement_id == id && f.message.contains(part)).collect();
        assert!(found.len() <= 1 || part.is_empty(), "{found:?}");
        found.first().map(|f| (f.line, f.column))
    };
    assert_eq!(told("", "add up to 50"), Some((5, 11)));
    assert_eq!(told("pushy", "required by `wanted`"), Some((9, 48)));
    assert_eq!(told("other", "required by"), None);
    assert_eq!(told("never", "can never hold"), Some((11, 104)));
    assert_eq!(told("always", "always holds"), Some((12, 86)));
    assert_eq!(told("twice", "can never hold"), Some((13, 104)));
    assert_eq!(told("empty", "searches nothing"), Some((14, 48)));
    assert!(told("lost", "the `-` of this pattern").is_some() && told("lost", "the ` ` of this pattern").is_some());
    assert_eq!(told("fine", "of this pattern"), None);
    assert!(told("mixed", "under `en`").is_some() && told("mixed", "under `zh`").is_some());
    assert_eq!(told("wanted", "hold"), None);
}

/// What lint says of one requirement with these lines, or of a metric.
#[track_caller]
fn check_lint(body: &str, message: &str, is_told: bool) {
    let item = format!("  - id: r\n    dimension: compliance\n{body}\n");
    let findings = lint(&parse(&item));
    let told: Vec<_> = findings.iter().filter(|f| f.requirement_id == "r" && f.message.contains(message)).collect();
    assert_eq!(told.len(), usize::from(is_told), "{message}: {findings:#?}");
    assert!(told.iter().all(|f| f.line >= 7 && f.column > 0 && !f.hint.is_empty()), "{told:?}");
}

#[test]
fn lint_asks_whose_words_are_forbidden() {
    let message = "the customer's words count against the rep";
    let said = r#"    match: {a: {any: {en: ["sure profit"]}}}"#;
    check_lint(&format!("{said}\n    forbid: {{expr: a}}"), message, true);
    check_lint(&format!("{said}\n    forbid: {{expr: a, role: rep}}"), message, false);
    check_lint(&format!("{said}\n    forbid: {{expr: \"count(a, rep) >= 2\"}}"), message, false);
    check_lint(&format!("{said}\n    require: {{expr: a}}"), message, false);
    check_lint("    match: {a: {silence: {gte_s: 8}}}\n    forbid: {expr: a}", message, false);
}

#[test]
fn lint_doubts_the_unit_of_limits() {
    let matcher = |written: &str| format!("    match: {{a: {{metric: {written}}}}}\n    require: {{expr: a}}");
    check_lint(&matcher("rep_talk_share_permille, lte: 60"), "no limit above 60 per mille", true);
    check_lint(&matcher("hold_ms, lte: 90"), "no limit above 90 ms", true);
    check_lint(&matcher("hold_ms, gte: 1"), "no limit above", false);
    check_lint(&matcher("questions_rep, gte: 2"), "no limit above", false);
    let item = |limits: &str| {
        let head = "schema: 1\nname: x\nlanguage: [en]\nweights: {a: 100}\nmetrics:\n  - {metric: ";
        lint(&Scorecard::parse(&format!("{head}{limits}, dimension: a}}\n")).unwrap())
    };
    let told = item("rep_talk_share_permille, full: [35, 50], zero: [20, 80]");
    assert_eq!((told.len(), told[0].line, told[0].column), (1, 6, 14), "{told:?}");
    assert!(told[0].message.contains("80 per mille") && told[0].hint.contains("per cent"), "{told:?}");
    assert!(item("unexcused_silence_permille, full: {lte: 100}, zero: {gte: 300}").is_empty());
    assert!(item("response_latency_rep_ms, full: [200, 1500], zero: [-500, 4000]").is_empty());
}

#[test]
fn lint_tells_phrases_from_patterns() {
    let said = |matcher: &str| format!("    match: {{a: {{{matcher}}}}}\n    require: {{expr: a}}");
    check_lint(&said(r#"regex: {en: "\bsure\b"}"#), "control character U+0008", true);
    check_lint(&said(r"regex: {en: '\bsure\b'}"), "control character", false);
    check_lint(&said(r#"any: {en: ["my name is {name}"]}"#), "`{` stands for nothing", true);
    check_lint(&said(r#"any: {en: ["sure profit"]}, not: {en: ["no*"]}"#), "`*` stands for nothing", true);
    check_lint(&said(r#"any: {en: ["$5 (net), right?"]}"#), "stands for nothing", false);
    check_lint(
        &said("any: {en: [hello]}, within: {first_s: 30, last_s: 30}"),
        "both in the first and in the last",
        true,
    );
    check_lint(&said("any: {en: [hello]}, within: {first_s: 30, first_turns: 4}"), "both in the first", false);
}

#[test]
fn lint_sees_what_has_no_words_in_a_language() {
    let match_ = r#"    match: {a: {any: {en: ["good morning"], zh: [早上好]}}, b: {any: {en: [welcome]}}}"#;
    let rule = |expr: &str| format!("{match_}\n    require: {{expr: \"{expr}\"}}");
    check_lint(&rule("a and b"), "can never hold in `zh`: no phrases there in b", true);
    check_lint(&rule("a and not (b near a)"), "can never hold in `zh`", true);
    check_lint(&rule("a or b"), "can never hold in `zh`", false);
    check_lint(&format!("{}\n    when: {{language: [en]}}", rule("a and b")), "can never hold in `zh`", false);
    check_lint(&format!("{}\n    when: {{expr: b}}", rule("a")), "`when` can never hold in `zh`", true);
    let except = |phrases: &str| format!("{}\n    except: [{{any: {phrases}}}]", rule("a or b"));
    check_lint(&except("{en: [i know]}"), "an `except` has no phrases in `zh`", true);
    check_lint(&except("{en: [i know], zh: [我知道]}"), "an `except` has no phrases", false);
}

#[test]
fn lint_sees_what_changes_no_score() {
    let forbidden = "    match: {a: {act: insult}}\n    forbid: {expr: a}\n";
    let nothing_earns = |more: &str| {
        let card = card(&format!("  - id: r\n    dimension: compliance\n{forbidden}{more}"));
        lint(&Scorecard::parse(&card).unwrap()).iter().any(|f| f.message.contains("nothing here earns points"))
    };
    assert!(nothing_earns("    severity: fatal\n"));
    assert!(!nothing_earns("  - {id: s, dimension: handling, source: manual}\n"));
    let free = "    match: {a: {act: greeting}}\n    require: {expr: a}\n    points: 0";
    check_lint(free, "has 0 points", true);
    check_lint(&format!("{free}\n    severity: advisory"), "has 0 points", false);
}

#[test]
fn the_acts_that_ship_can_be_read() {
    let built_in = ActLexicon::built_in();
    assert_eq!(built_in.stage_of("greeting"), Some("opening"));
    assert_eq!(built_in.role_of("price_objection"), Some(Role::Customer));
    let labels =
        built_in.label(&transcript(Medium::Speech, &[(Role::Customer, 0, "that is too expensive for me")], 900));
    assert!(labels[0].contains_key("price_objection"), "{labels:?}");
}

/// The scorecards in the box, with the acts that ship; without an encoder, so `meaning` may only help.
#[test]
fn the_scorecards_in_the_box_hold() {
    for yaml in [
        include_str!("../../../scorecards/telesales.yaml"),
        include_str!("../../../scorecards/support.yaml"),
        include_str!("../../../scorecards/collections.yaml"),
    ] {
        let scorecard = Scorecard::parse(yaml).unwrap();
        let results = run_examples(&scorecard, ActLexicon::built_in(), &no_encoder);
        let uncertain = |id: &str| {
            let requirement = scorecard.requirements.iter().find(|r| r.id == id).unwrap();
            requirement.matchers.values().any(|m| matches!(m.pattern, Pattern::Meaning { .. }))
        };
        for r in &results {
            let undecided = r.actual == Outcome::Unknown && uncertain(&r.requirement_id);
            assert!(r.passed || undecided, "{} example {}: {:?}, {}", r.requirement_id, r.index, r.actual, r.detail);
        }
        let warnings: Vec<_> = lint(&scorecard).into_iter().filter(|f| f.severity == LintSeverity::Warning).collect();
        assert!(warnings.is_empty(), "{warnings:#?}");
        // Chinese reports call them so.
        let names: BTreeSet<&str> = scorecard.requirements.iter().filter_map(|r| r.name.only(Language::Zh)).collect();
        assert_eq!(names.len(), scorecard.requirements.len(), "each has one of its own");
        assert!(names.iter().all(|name| (2..=12).contains(&name.chars().count())), "{names:?}");
    }
}

/// Time per call of 100 turns with the telesales scorecard: `cargo test --release -p callmark-core --test language -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::print_stderr)]
fn speed() {
    let scorecard = Scorecard::parse(include_str!("../../../scorecards/telesales.yaml")).unwrap();
    let pool: Vec<&str> = scorecard
        .requirements
        .iter()
        .flat_map(|r| &r.examples)
        .flat_map(|e| &e.turns)
        .map(|t| t.text.as_str())
        .filter(|t| Language::of_text(t) == Some(Language::En))
        .collect();
    let turns: Vec<(Role, i64, &str)> = (0..100)
        .map(|i| (if i % 2 == 0 { Role::Rep } else { Role::Customer }, i as i64 * 6_000, pool[i * 7 % pool.len()]))
        .collect();
    let transcript = transcript(Medium::Speech, &turns, 900);
    let lexicon = ActLexicon::built_in();
    let runs = 20;
    let started = std::time::Instant::now();
    for _ in 0..runs {
        let acts = lexicon.label(&transcript);
        let signals = signals::compute(&transcript, &[], &acts, &[], &scorecard.stages);
        let call = CallEvidence {
            transcript: &transcript,
            metadata: &Metadata::default(),
            signals: &signals,
            scores: &TurnScores::default(),
            sentiment: &[],
            acts: &acts,
            lexicon,
            phrase_embeddings: &BTreeMap::new(),
        };
        assert!(!assess(&scorecard, &call).is_empty());
    }
    let each = started.elapsed() / runs;
    let words: usize = transcript.turns.iter().map(|t| t.words.len()).sum();
    eprintln!("{each:?} per call of 100 turns, {words} words, 600 s: {:.0} x real time", 600.0 / each.as_secs_f64());
}

proptest! {
    /// Whatever is written, reading ends with a scorecard or an error, and values stay in bounds.
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        let _ = Scorecard::parse_with(&text, &lexicon());
        let _ = Scorecard::parse_with(&card(&format!("  - id: r\n    dimension: compliance\n    match: {{a: {text}}}\n")), &lexicon());
        let _ = callmark_core::operator::parse(&text);
    }

    #[test]
    fn trapezoid_values_are_shares(mut c in proptest::array::uniform4(-1000i64..1000), x in any::<i64>()) {
        c.sort_unstable();
        let t = Trapezoid { zero_below: Some(c[0]), full_from: Some(c[1]), full_to: Some(c[2]), zero_above: Some(c[3]) };
        prop_assert!(t.value_permille(x) <= 1_000);
        prop_assert_eq!(t.value_permille(c[1]), 1_000);
    }
}

#[test]
fn metrics_cite_the_moments_they_come_from() {
    let yaml = "schema: 1\nname: test\nlanguage: [en]\nweights: {handling: 20}\nmetrics:\n  \
                - {metric: unexcused_silence_permille, dimension: handling, points: 10, full: {lte: 100}, zero: {gte: 300}}\n  \
                - {metric: rep_talk_share_permille, dimension: handling, points: 10, full: [350, 500], zero: [200, 800]}\nrequirements: []\n";
    let card = Scorecard::parse_with(yaml, &lexicon()).unwrap();
    let call =
        transcript(Medium::Speech, &[(Role::Rep, 0, "hello there"), (Role::Customer, 30_000, "hello to you")], 1000);
    let items = judge(&card, &call);
    let silence = &items[0].evidence[0];
    assert_eq!((silence.begin_ms, silence.end_ms), (call.turns[0].end_ms, 30_000), "the gap itself");
    assert_eq!(items[1].evidence[0].begin_ms, 0, "a share belongs to the whole call");
    assert!(items[1].evidence[0].end_ms >= call.turns[1].end_ms);
}
