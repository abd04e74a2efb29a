//! What was said, by whom, when: speech spans, words, turns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::recording::Language;

/// Who speaks. `Unknown` only for a mono recording whose speakers could not be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Rep,
    Customer,
    Unknown,
}

/// A stretch of time, `begin_ms` inclusive, `end_ms` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// Speech of one role as voice activity found it (for transcripts without audio: the turns' own spans).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleSpan {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// One recognised word (Chinese: one character or recogniser token).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub confidence_permille: u16,
}

/// One uninterrupted contribution of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// Empty when the source had no word times.
    pub words: Vec<Word>,
    /// Mean confidence of the recogniser; 1000 for text that people wrote.
    pub confidence_permille: u16,
}

/// How the call reached us; decides eligibility and which metrics exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A spoken call, with times (audio, or a transcript with times).
    Speech,
    /// Text without times (chat, plain `Rep:` lines): timed metrics are not applicable.
    Text,
}

/// How roles were assigned to channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleMethod {
    ChannelMap,
    Inferred,
    Labelled,
    None,
}

/// A recogniser's view of a whole call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    pub medium: Medium,
    pub language: Option<Language>,
    pub duration_ms: i64,
    pub role_method: RoleMethod,
    pub role_confidence_permille: u16,
    /// How far the whole call's words can be trusted; `None` for text that people wrote.
    pub recogniser_confidence_permille: Option<u16>,
    /// The model's calibrated floor for `recogniser_confidence_permille` (models/manifest.toml).
    pub confidence_floor_permille: Option<u16>,
    /// Sorted by (begin_ms, end_ms, role); the index is the turn's id everywhere.
    pub turns: Vec<Turn>,
    /// Sorted by (begin_ms, role).
    pub speech: Vec<RoleSpan>,
    /// What the hallucination guards removed: guard name → number of segments.
    pub dropped: BTreeMap<String, u32>,
    /// Things a reader of the record should know about the source (repaired header, cut file, …).
    pub warnings: Vec<String>,
}

/// Sentiment probabilities of one turn, per mille, summing to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentiment {
    pub negative_permille: u16,
    pub neutral_permille: u16,
    pub positive_permille: u16,
}

impl Sentiment {
    /// −5000…+5000: five points times (positive − negative), in thousandths of a point.
    pub fn milli(self) -> i64 {
        5 * (i64::from(self.positive_permille) - i64::from(self.negative_permille))
    }
}

/// A sentence embedding, quantised to int8 (unit vector × 127) so that similarities are integers, equal everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding(pub Vec<i8>);

impl Embedding {
    /// Cosine similarity in per mille (−1000…1000), in integer arithmetic; 0 when lengths differ or a vector is zero.
    pub fn similarity_permille(&self, other: &Embedding) -> i64 {
        if self.0.len() != other.0.len() {
            return 0;
        }
        let dot = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum::<i64>();
        let norm = (dot(&self.0, &self.0) as u64 * dot(&other.0, &other.0) as u64).isqrt() as i64;
        if norm == 0 { 0 } else { dot(&self.0, &other.0) * 1000 / norm }
    }
}

/// What the text models say about each turn; vectors have one entry per turn of the transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnScores {
    /// `None`: no sentiment model for this language, or the turn is too short to say.
    pub sentiment: Vec<Option<Sentiment>>,
    /// `None`: no encoder for this language.
    pub embeddings: Vec<Option<Embedding>>,
}
