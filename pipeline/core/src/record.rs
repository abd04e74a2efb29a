//! The stored and exported result of one call: items, ledger, evaluation, provenance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::recording::Metadata;
use crate::signals::Signals;
use crate::transcript::{Sentiment, SoundKind, Transcript};
use crate::warning::Warning;

/// Version of [`CallRecord`]'s JSON shape. Raise it with a file in tests/record_shape/ whenever a field changes. 2: others than the two sides may be on
/// the line; tones of a fax; calls that were not answered, busy or a fax. 3: acts that a model heard.
pub const RECORD_SCHEMA: u32 = 3;

/// The version in which a record is written: the oldest that holds it, so that records without anything new stay what they were, readable
/// by the programs before.
pub fn record_schema(transcript: &Transcript, reason: Option<UnscoredReason>, acts_by_model: &[String]) -> u32 {
    use UnscoredReason::{Busy, Fax, NotAnswered};
    if !acts_by_model.is_empty() {
        return RECORD_SCHEMA;
    }
    let others = transcript.channel_roles.iter().chain(transcript.speech.iter().map(|s| &s.role)).any(|r| !r.is_side());
    let fax = transcript.sounds.iter().any(|sound| sound.kind == SoundKind::Fax || !sound.role.is_side());
    let is_new =
        others || fax || !transcript.other_turns.is_empty() || matches!(reason, Some(NotAnswered | Busy | Fax));
    if is_new { 2 } else { 1 }
}

/// What became of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A required thing was there.
    Met,
    /// A required thing was not there.
    Missed,
    /// A forbidden thing was there.
    Violated,
    /// A forbidden thing was not there.
    Clear,
    NotApplicable,
    /// The evidence does not decide (low recogniser confidence, no encoder, unanswered manual item).
    Unknown,
}

/// How grave a requirement is (SCORING.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Fatal,
    Major,
    Minor,
    Bonus,
    Advisory,
}

/// How evidence was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchType {
    Exact,
    Tolerant,
    Regex,
    Meaning,
    /// A dialogue act by its phrases.
    Act,
    /// A dialogue act that the language's model hears.
    ModelAct,
    Sentiment,
    Silence,
    Overlap,
    Metric,
    /// The window that was searched without finding anything.
    Window,
    Manual,
    Review,
}

/// One place in the call that supports a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub turn: Option<u32>,
    pub begin_ms: i64,
    pub end_ms: i64,
    /// The words as recognised; empty for silences and windows.
    pub quote: String,
    pub match_type: MatchType,
    pub confidence_permille: u16,
}

/// Whether an item asks for something, forbids something, or measures something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    Required,
    Forbidden,
    Metric,
}

/// One line of the scorecard applied to one call, before points are given. Scorecard order is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    pub id: String,
    pub version: u32,
    pub kind: ItemKind,
    pub dimension: String,
    pub severity: Severity,
    pub points: u32,
    pub outcome: Outcome,
    /// 0…1000; for a metric its trapezoid's value, for a requirement 1000 when met or clear, 0 otherwise.
    pub value_permille: u16,
    /// The metric's raw value in the unit of its name.
    pub metric_value: Option<i64>,
    /// How often a forbidden thing counts (1 unless `each`, limited by `at_most`).
    pub violations: u32,
    /// Best first. A missed requirement cites the window that was searched.
    pub evidence: Vec<Evidence>,
    /// A human must answer this item; unanswered it is unknown and does not hold the call back.
    pub manual: bool,
    /// A `warn:` line was crossed (metrics only).
    pub warned: bool,
}

/// Why a ledger row exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    Item,
    /// Brings the sum into 0…100,000.
    Limit,
    /// A confirmed fatal brings the sum down to its cap.
    Cap,
    /// A final review decision changed the result of an earlier row.
    Review,
}

/// One row of the ledger; all points are millipoints (100,000 = 100 points). The score is the sum of `points`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    pub kind: RowKind,
    /// Requirement or metric id; `limit` and `cap:<id>` for the rows that have none.
    pub requirement_id: String,
    pub version: u32,
    pub dimension: String,
    pub severity: Severity,
    pub result: Outcome,
    pub points: i64,
    pub possible: i64,
    /// The item's points in the scorecard (u).
    pub weight: u32,
    pub value_permille: u16,
    pub metric_value: Option<i64>,
    pub confidence_permille: u16,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub quote: String,
    pub match_type: MatchType,
    /// All places, best first (the row's own columns repeat the first).
    pub evidence: Vec<Evidence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Scored,
    Unscored,
    PendingReview,
    Failed,
}

/// Why a call has no score: the closed list of SCORING.md §1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnscoredReason {
    TooShort,
    OneSided,
    MonoRolesUnknown,
    RoleUncertain,
    LowRecogniserConfidence,
    WrongLanguage,
    Voicemail,
    Ivr,
    NoConversation,
    /// Nothing but ringing.
    NotAnswered,
    /// Nothing but the busy or congestion tone.
    Busy,
    /// A fax machine, or one that calls.
    Fax,
    NoScorecard,
    NothingApplicable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Coach,
    Flag,
    AutoFail,
}

/// One dimension of the score: the share of its possible points that was earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionScore {
    pub dimension: String,
    pub points: i64,
    pub possible: i64,
    /// points of its items / possible × 1000; `None` when nothing was applicable.
    pub share_permille: Option<u16>,
    pub deductions: i64,
}

/// The score of one call with everything that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    pub status: Status,
    pub reason: Option<UnscoredReason>,
    pub verdict: Option<Verdict>,
    /// Millipoints, 0…100,000.
    pub score: Option<i64>,
    /// The score with all unknowns missed / met.
    pub score_low: Option<i64>,
    pub score_high: Option<i64>,
    pub fatal_count: u32,
    /// Ids of unconfirmed fatals, and of unknown items that decide the verdict.
    pub pending: Vec<String>,
    pub dimensions: Vec<DimensionScore>,
    pub ledger: Vec<LedgerRow>,
    pub scorecard: String,
    pub scorecard_version: u32,
    pub scorecard_hash: String,
}

/// Where a result came from. No wall-clock times: the record is hashed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    pub program_version: String,
    /// SHA-256 of each recording or transcript file, sorted.
    pub audio: Vec<String>,
    /// Role of a model (`recogniser`, `voice_activity`, `speaker_encoder`, `overlap_detector`, `sentiment`, `encoder`) → SHA-256.
    pub models: BTreeMap<String, String>,
    pub scorecard: String,
    pub configuration: String,
}

/// Everything callmark knows about one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    pub schema_version: u32,
    pub call_id: String,
    pub metadata: Metadata,
    pub transcript: Transcript,
    pub signals: Signals,
    pub sentiment: Vec<Option<Sentiment>>,
    /// Per turn: dialogue act → probability per mille (by phrase: how well it matches). All that are listed count.
    pub acts: Vec<BTreeMap<String, u16>>,
    /// The acts that a model was asked for; the others are by phrase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts_by_model: Vec<String>,
    pub evaluation: Evaluation,
    pub provenance: Provenance,
}

impl CallRecord {
    /// The same call without anything that was said and without its customer: scores, points, times and the rep stay. It cannot
    /// be scored again.
    #[must_use]
    pub fn without_words(mut self) -> CallRecord {
        for turn in self.transcript.turns.iter_mut().chain(&mut self.transcript.other_turns) {
            turn.text.clear();
            turn.words.clear();
        }
        for row in &mut self.evaluation.ledger {
            row.quote.clear();
            row.evidence.iter_mut().for_each(|evidence| evidence.quote.clear());
        }
        self.metadata.customer_id = None;
        self.metadata.customer_tz = None;
        self.metadata.extra.clear();
        if !self.words_purged() {
            self.transcript.warnings.push(Warning::WordsPurged.with(&[]));
        }
        self
    }

    /// True when nothing that was said is left in the record.
    pub fn words_purged(&self) -> bool {
        self.transcript.warnings.contains(&Warning::WordsPurged.with(&[]))
    }
}

/// A reviewer's decision about one ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Agree,
    Overturn,
    Comment,
}

/// What made a reviewer look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewSource {
    Flag,
    Audit,
    Appeal,
}

/// One row of the append-only table of reviews.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Given by the store, rising.
    pub review_id: i64,
    pub call_id: String,
    pub requirement_id: String,
    pub reviewer: String,
    pub source: ReviewSource,
    /// Chance that this row was drawn into the sample (1000 for flags).
    pub inclusion_permille: u16,
    pub blind: bool,
    pub decision: Decision,
    pub reason: String,
    pub appeal_of: Option<i64>,
    /// The last final decision about a row counts.
    pub is_final: bool,
    /// RFC 3339, given by the caller.
    pub ts: String,
}
