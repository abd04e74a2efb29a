//! Records for the store's tests: small, but with every kind of field filled, in English and Chinese.

use std::collections::BTreeMap;

use callmark_core::record::{
    CallRecord, DimensionScore, Evaluation, Evidence, LedgerRow, MatchType, Outcome, Provenance, RECORD_SCHEMA,
    RowKind, Severity, Status, Verdict,
};
use callmark_core::recording::{Direction, Language, Metadata};
use callmark_core::signals::Signals;
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Sentiment, Transcript, Turn, Word};

/// A spoken call of two turns.
pub fn transcript() -> Transcript {
    let turn = |role, begin_ms: i64, text: &str| Turn {
        role,
        begin_ms,
        end_ms: begin_ms + 1500,
        text: text.into(),
        words: vec![Word { text: text.into(), begin_ms, end_ms: begin_ms + 1500, confidence_permille: 940 }],
        confidence_permille: 940,
    };
    Transcript {
        medium: Medium::Speech,
        language: Some(Language::Zh),
        duration_ms: 4000,
        role_method: RoleMethod::ChannelMap,
        role_confidence_permille: 1000,
        recogniser_confidence_permille: Some(940),
        confidence_floor_permille: Some(600),
        turns: vec![
            turn(Role::Rep, 0, "您好,本次通话将被录音"),
            turn(Role::Customer, 2000, "It's \"fine\", \u{1F44D} <ok>"),
        ],
        speech: vec![
            RoleSpan { role: Role::Rep, begin_ms: 0, end_ms: 1500 },
            RoleSpan { role: Role::Customer, begin_ms: 2000, end_ms: 3500 },
        ],
        dropped: BTreeMap::from([("repetition".to_string(), 2)]),
        warnings: vec!["header repaired".into()],
        ..Transcript::default()
    }
}

/// A scored call with one ledger row.
pub fn record(call_id: &str, rep: &str, team: &str, start_ts: Option<&str>) -> CallRecord {
    let evidence = Evidence {
        turn: Some(0),
        begin_ms: 0,
        end_ms: 1500,
        quote: "您好,本次通话将被录音".into(),
        match_type: MatchType::Tolerant,
        confidence_permille: 910,
    };
    CallRecord {
        schema_version: RECORD_SCHEMA,
        call_id: call_id.into(),
        metadata: Metadata {
            rep_id: Some(rep.into()),
            team: Some(team.into()),
            direction: Some(Direction::Outbound),
            start_ts: start_ts.map(str::to_string),
            extra: BTreeMap::from([("产品".to_string(), "车险".to_string())]),
            ..Metadata::default()
        },
        transcript: transcript(),
        signals: Signals::default(),
        sentiment: vec![
            None,
            Some(Sentiment { negative_permille: 100, neutral_permille: 300, positive_permille: 600 }),
        ],
        acts: vec![BTreeMap::from([("greeting".to_string(), 900)]), BTreeMap::new()],
        acts_by_model: vec![],
        evaluation: Evaluation {
            status: Status::Scored,
            reason: None,
            verdict: Some(Verdict::Coach),
            score: Some(70_723),
            score_low: Some(70_723),
            score_high: Some(70_723),
            fatal_count: 0,
            pending: vec![],
            dimensions: vec![DimensionScore {
                dimension: "compliance".into(),
                points: 70_723,
                possible: 100_000,
                share_permille: Some(707),
                deductions: 0,
            }],
            ledger: vec![LedgerRow {
                kind: RowKind::Item,
                requirement_id: "disclose_recording".into(),
                version: 3,
                dimension: "compliance".into(),
                severity: Severity::Fatal,
                result: Outcome::Met,
                points: 70_723,
                possible: 100_000,
                weight: 10,
                value_permille: 707,
                metric_value: None,
                confidence_permille: 910,
                begin_ms: 0,
                end_ms: 1500,
                quote: evidence.quote.clone(),
                match_type: evidence.match_type,
                evidence: vec![evidence],
            }],
            scorecard: "telesales".into(),
            scorecard_version: 1,
            scorecard_hash: "5c".repeat(32),
        },
        provenance: Provenance {
            program_version: "0.1.0".into(),
            audio: vec!["ab".repeat(32)],
            models: BTreeMap::from([("recogniser".to_string(), "cd".repeat(32))]),
            scorecard: "5c".repeat(32),
            configuration: "ef".repeat(32),
        },
    }
}
