//! What the tables need to know about one call: its summary, made from the record and stored beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{
    CallRecord, Decision, DimensionScore, LedgerRow, Outcome, Provenance, Review, RowKind, Severity, Status, Verdict,
};
use crate::recording::sha256_hex;

/// What a call lost on one requirement or metric, after reviews.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub requirement_id: String,
    pub millipoints: i64,
}

/// Version of [`CallSummary`]: raise it when a field or its meaning changes, and stored summaries are made again from records.
/// 2: results, metric values, confirmed fatals and what reviewers said about findings. 3: verdicts.
pub const SUMMARY_SCHEMA: u32 = 3;

/// What the tables need to know about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    pub call_id: String,
    pub rep_id: Option<String>,
    pub team: Option<String>,
    pub campaign: Option<String>,
    pub call_type: Option<String>,
    /// RFC 3339 or a civil date-time.
    pub start_ts: Option<String>,
    pub tz: Option<String>,
    pub status: Status,
    /// Millipoints; uncapped while the call is pending.
    pub score: Option<i64>,
    /// By the bands of its scorecard; `None` unless the call is scored.
    pub verdict: Option<Verdict>,
    /// Dimension → share of its possible points, per mille.
    pub dimensions: BTreeMap<String, u16>,
    /// Violated requirements and missed fatals that no review overturned.
    pub flags: u32,
    /// Fatals that a reviewer confirmed or that are precise enough to count without one.
    pub fatals: u32,
    pub losses: Vec<Loss>,
    /// Result after reviews → ids of the requirements and metrics that had it, without what was not applicable.
    pub results: BTreeMap<Outcome, Vec<String>>,
    /// Metric id → value, in the unit of the metric's name.
    pub metrics: BTreeMap<String, i64>,
    /// Requirement that the program found missed or violated and a reviewer judged → whether the finding was upheld.
    pub judged: BTreeMap<String, bool>,
    pub scorecard: String,
    pub scorecard_version: u32,
    pub scorecard_hash: String,
    pub model_hash: String,
}

impl CallSummary {
    /// The summary of a call that nobody reviewed, or whose reviews are not at hand.
    pub fn from_record(record: &CallRecord) -> CallSummary {
        CallSummary::from_reviewed(record, &[])
    }

    /// The summary of a call and of the reviews of it (others are passed over), which the record's score holds already.
    pub fn from_reviewed(record: &CallRecord, reviews: &[Review]) -> CallSummary {
        let evaluation = &record.evaluation;
        let mut flags = 0;
        let mut losses = Vec::new();
        let mut results: BTreeMap<Outcome, Vec<String>> = BTreeMap::new();
        for row in decided_rows(&evaluation.ledger) {
            let failed = matches!(row.result, Outcome::Missed | Outcome::Violated);
            let is_flag = row.result == Outcome::Violated || (failed && row.severity == Severity::Fatal);
            flags += u32::from(is_flag && row.severity != Severity::Advisory);
            if row.result != Outcome::NotApplicable {
                results.entry(row.result).or_default().push(row.requirement_id.clone());
            }
            // A row of a review carries the difference it made; any other what is missing to its worth.
            let millipoints = if row.kind == RowKind::Review { -row.points } else { row.possible - row.points };
            let gained = matches!(row.severity, Severity::Bonus | Severity::Advisory);
            if millipoints > 0 && !gained {
                losses.push(Loss { requirement_id: row.requirement_id.clone(), millipoints });
            }
        }
        let share = |d: &DimensionScore| Some((d.dimension.clone(), d.share_permille?));
        let items = || evaluation.ledger.iter().filter(|row| row.kind == RowKind::Item);
        CallSummary {
            call_id: record.call_id.clone(),
            rep_id: record.metadata.rep_id.clone(),
            team: record.metadata.team.clone(),
            campaign: record.metadata.campaign.clone(),
            call_type: record.metadata.call_type.clone(),
            start_ts: record.metadata.start_ts.clone(),
            tz: record.metadata.tz.clone(),
            status: evaluation.status,
            score: evaluation.score,
            verdict: evaluation.verdict,
            dimensions: evaluation.dimensions.iter().filter_map(share).collect(),
            flags,
            fatals: evaluation.fatal_count,
            losses,
            results,
            metrics: items().filter_map(|row| Some((row.requirement_id.clone(), row.metric_value?))).collect(),
            judged: judged_findings(record, reviews),
            scorecard: evaluation.scorecard.clone(),
            scorecard_version: evaluation.scorecard_version,
            scorecard_hash: evaluation.scorecard_hash.clone(),
            model_hash: model_hash(&record.provenance),
        }
    }

    /// Whether the call counts in means: pending calls do, with their uncapped score, for leaving them out would improve
    /// the rep with the most suspected fatals.
    pub fn counted_score(&self) -> Option<i64> {
        self.score.filter(|_| matches!(self.status, Status::Scored | Status::PendingReview))
    }
}

/// The last word on each item: its own row, or the row of the review that turned it.
fn decided_rows(ledger: &[LedgerRow]) -> Vec<&LedgerRow> {
    let mut rows: Vec<&LedgerRow> = ledger.iter().filter(|row| row.kind == RowKind::Item).collect();
    for review in ledger.iter().filter(|row| row.kind == RowKind::Review) {
        if let Some(row) = rows.iter_mut().find(|row| row.requirement_id == review.requirement_id) {
            *row = review;
        }
    }
    rows
}

/// The last final decision about each finding. Agreeing that nothing was wrong says nothing about findings.
fn judged_findings(record: &CallRecord, reviews: &[Review]) -> BTreeMap<String, bool> {
    let is_finding = |id: &str| {
        let mut items = record.evaluation.ledger.iter().filter(|row| row.kind == RowKind::Item);
        items.any(|row| row.requirement_id == id && matches!(row.result, Outcome::Missed | Outcome::Violated))
    };
    let decided = reviews.iter().filter(|review| {
        review.call_id == record.call_id
            && review.is_final
            && review.decision != Decision::Comment
            && is_finding(&review.requirement_id)
    });
    let mut last: BTreeMap<String, (i64, bool)> = BTreeMap::new();
    for review in decided {
        let judged = (review.review_id, review.decision == Decision::Agree);
        let entry = last.entry(review.requirement_id.clone()).or_insert(judged);
        *entry = judged.max(*entry);
    }
    last.into_iter().map(|(id, (_, upheld))| (id, upheld)).collect()
}

/// One hash for all models of a call: equal hashes mean comparable calls. Empty when no model was used.
pub fn model_hash(provenance: &Provenance) -> String {
    if provenance.models.is_empty() {
        return String::new();
    }
    let lines: String = provenance.models.iter().map(|(role, hash)| format!("{role} {hash}\n")).collect();
    sha256_hex(lines.as_bytes())
}
