//! A small scored call for the renderers' tests: every kind of field filled, English and Chinese.

use std::collections::BTreeMap;

use callmark_core::record::{
    CallRecord, DimensionScore, Evaluation, Evidence, LedgerRow, MatchType, Outcome, Provenance, RECORD_SCHEMA,
    RowKind, Severity, Status, Verdict,
};
use callmark_core::recording::{Direction, Language, Metadata};
use callmark_core::signals::{Overlap, Signals, Silence};
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Sentiment, Transcript, Turn};

fn turn(role: Role, begin_ms: i64, end_ms: i64, text: &str) -> Turn {
    Turn { role, begin_ms, end_ms, text: text.into(), words: Vec::new(), confidence_permille: 1000 }
}

fn row(id: &str, result: Outcome, points: i64, evidence: Evidence) -> LedgerRow {
    LedgerRow {
        kind: RowKind::Item,
        requirement_id: id.into(),
        version: 3,
        dimension: "compliance".into(),
        severity: Severity::Major,
        result,
        points,
        possible: points.max(0),
        weight: 10,
        value_permille: 1000,
        metric_value: None,
        confidence_permille: evidence.confidence_permille,
        begin_ms: evidence.begin_ms,
        end_ms: evidence.end_ms,
        quote: evidence.quote.clone(),
        match_type: evidence.match_type,
        evidence: vec![evidence],
    }
}

fn at(turn: Option<u32>, begin_ms: i64, end_ms: i64, quote: &str, match_type: MatchType) -> Evidence {
    Evidence { turn, begin_ms, end_ms, quote: quote.into(), match_type, confidence_permille: 910 }
}

/// Four turns over 20 s; the customer speaks for 8 s, the rep for 5.5 s, with one interruption and one silence.
pub fn record() -> CallRecord {
    let turns = vec![
        turn(Role::Rep, 0, 4000, "Hello, this call is recorded."),
        turn(Role::Customer, 5000, 9000, "太贵了"),
        turn(Role::Rep, 8000, 9500, "=HYPERLINK(\"x\")"),
        turn(Role::Customer, 15_000, 19_000, "-5 or '6"),
    ];
    let speech =
        turns.iter().map(|t| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms }).collect::<Vec<_>>();
    let sentiment = |negative_permille, neutral_permille, positive_permille| {
        Some(Sentiment { negative_permille, neutral_permille, positive_permille })
    };
    let acts = |list: &[(&str, u16)]| list.iter().map(|(act, p)| (act.to_string(), *p)).collect::<BTreeMap<_, _>>();
    let mut disclosed = row(
        "disclose_recording",
        Outcome::Met,
        75_723,
        at(Some(0), 700, 4000, "this call is recorded", MatchType::Tolerant),
    );
    disclosed.possible = 100_000;
    CallRecord {
        schema_version: RECORD_SCHEMA,
        call_id: "c-1".into(),
        metadata: Metadata {
            rep_id: Some("r7".into()),
            direction: Some(Direction::Outbound),
            start_ts: Some("2025-02-19T06:01:22".into()),
            ..Metadata::default()
        },
        transcript: Transcript {
            medium: Medium::Speech,
            language: Some(Language::En),
            duration_ms: 20_000,
            role_method: RoleMethod::Labelled,
            role_confidence_permille: 1000,
            turns,
            speech,
            ..Transcript::default()
        },
        signals: Signals {
            duration_ms: Some(20_000),
            pace_rep: Some(150),
            pace_customer: Some(120),
            sentiment_customer_milli: Some(-1300),
            sentiment_customer_quarters_milli: [Some(-1250), None, None, Some(-1300)],
            sentiment_customer_shift_milli: Some(-50),
            silences: vec![Silence { begin_ms: 9500, end_ms: 15_000, explained: false }],
            overlaps: vec![
                Overlap { begin_ms: 8000, end_ms: 9000, by: Role::Rep, interruption: true },
                Overlap { begin_ms: 8500, end_ms: 8600, by: Role::Customer, interruption: false },
            ],
            ..Signals::default()
        },
        sentiment: vec![sentiment(10, 90, 900), sentiment(750, 200, 50), None, sentiment(450, 100, 450)],
        acts: vec![acts(&[("greeting", 900), ("recording_disclosure", 800)]), acts(&[("price_objection", 950)])],
        acts_by_model: vec![],
        evaluation: Evaluation {
            status: Status::Scored,
            reason: None,
            verdict: Some(Verdict::Coach),
            score: Some(70_723),
            score_low: Some(65_000),
            score_high: Some(70_723),
            fatal_count: 0,
            pending: vec![],
            dimensions: vec![DimensionScore {
                dimension: "compliance".into(),
                points: 75_723,
                possible: 100_000,
                share_permille: Some(757),
                deductions: -5000,
            }],
            ledger: vec![
                disclosed,
                row(
                    "price_objection_unanswered",
                    Outcome::Violated,
                    -5000,
                    at(Some(1), 5000, 9000, "太贵了", MatchType::Act),
                ),
                row("identity_check", Outcome::Missed, 0, at(None, 0, 20_000, "", MatchType::Window)),
                row("summary", Outcome::Unknown, 0, at(None, 0, 20_000, "", MatchType::Window)),
            ],
            scorecard: "telesales".into(),
            scorecard_version: 1,
            scorecard_hash: "5c".repeat(32),
        },
        provenance: Provenance {
            program_version: "0.1.0".into(),
            audio: vec!["ab".repeat(32)],
            models: BTreeMap::from([("sentiment".to_string(), "cd".repeat(32))]),
            scorecard: "5c".repeat(32),
            configuration: "ef".repeat(32),
        },
    }
}
