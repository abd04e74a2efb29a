//! A call with a score and nothing else, as the tests of the tables need many of.

use std::collections::BTreeMap;

use callmark_core::performance::CallSummary;
use callmark_core::record::{Status, Verdict};

pub fn scored_call(call_id: &str, rep: &str, score: i64) -> CallSummary {
    CallSummary {
        call_id: call_id.to_string(),
        rep_id: Some(rep.to_string()),
        team: Some("north".to_string()),
        campaign: None,
        call_type: None,
        start_ts: Some("2025-02-19T06:01:22".to_string()),
        tz: None,
        status: Status::Scored,
        score: Some(score),
        verdict: Some(if score < 85_000 { Verdict::Coach } else { Verdict::Pass }),
        dimensions: BTreeMap::new(),
        flags: 0,
        fatals: 0,
        losses: Vec::new(),
        results: BTreeMap::new(),
        metrics: BTreeMap::new(),
        judged: BTreeMap::new(),
        scorecard: "telesales".to_string(),
        scorecard_version: 1,
        scorecard_hash: "ab".to_string(),
        model_hash: "cd".to_string(),
    }
}
