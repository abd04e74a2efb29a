//! Conversation signals computed from spans and words: integers in the unit of their name.
//!
//! Definitions: SCORING.md §1. Denominators differ between products; ours are stated by [`Metric::doc`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::recording::{Language, is_han};
use crate::transcript::{Medium, Role, Sentiment, SoundKind, Span, Transcript, Turn};

/// A gap longer than this in which nobody speaks is a silence (the 3 s of SCORING.md).
pub const SILENCE_MS: i64 = 3_000;
/// How long the other must already have spoken for a start over them to be an interruption (SCORING.md).
const INTERRUPTED_AFTER_MS: i64 = 1_000;
/// A back-channel is shorter than this (SCORING.md).
const BACKCHANNEL_MS: i64 = 1_000;
/// Speech of one role with pauses up to this is one contribution: voice activity splits at breaths. Engineering guess.
const BRIDGE_MS: i64 = 300;
/// Shorter overlaps are turn-taking and the padding of voice activity, not interruptions. Engineering guess.
const MIN_INTERRUPTION_MS: i64 = 200;
/// No pace from less own speech than this: a single word would give hundreds per minute. Engineering guess.
const MIN_PACE_MS: i64 = 3_000;
/// A line is closed so much before the other one when its side hung up. Engineering guess.
const HUNG_UP_MS: i64 = 200;
/// No pitch from less voiced speech than this. Engineering guess.
const MIN_VOICED_MS: i64 = 1_000;
/// An objection must be answered within this many rep turns (SCORING.md).
const ANSWER_WITHIN_REP_TURNS: usize = 4;
/// A summary must be confirmed within this many customer turns. Engineering guess.
const CONFIRM_WITHIN_CUSTOMER_TURNS: usize = 2;

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
    /// Time in which at least one role speaks; others on the line count here alone: while they speak it is not silent.
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
    pub hold_ms: Option<i64>,
    pub questions_rep_milli_per_min: Option<i64>,
    pub pace_customer_change_permille: Option<i64>,
    pub loudness_rep_centi_dbfs: Option<i64>,
    pub loudness_customer_centi_dbfs: Option<i64>,
    pub loudness_rep_grade_milli: Option<i64>,
    pub loudness_customer_grade_milli: Option<i64>,
    pub energy_customer_change_centi_db: Option<i64>,
    pub pitch_rep_cents: Option<i64>,
    pub pitch_customer_cents: Option<i64>,
    pub pitch_variation_rep_cents: Option<i64>,
    pub pitch_variation_customer_cents: Option<i64>,
    /// The customer's pace per quarter of the call.
    pub pace_customer_quarters: [Option<i64>; 4],
    /// The customer's loudness per quarter, hundredths of a decibel of full scale.
    pub energy_customer_quarters_centi_dbfs: [Option<i64>; 4],
    /// Whose line was closed first at the end; `None` when both end with the recording.
    pub hung_up_by: Option<Role>,
    pub silences: Vec<Silence>,
    pub overlaps: Vec<Overlap>,
}

/// Declares [`Metric`] and reads each metric from its field: `Variant, "id", |signals| value, "unit: definition", "example → value"`.
///
/// An example is a small call, its parts separated by `|`: `R` or `C` speaks from–to (seconds) a text, before which may stand what was found in
/// it (`(sentiment 2)` in points, `(level −26)` in dB of full scale, `(pitch 1200 ± 100)` in cents, a stage); `call` is its whole length, `music` is on
/// a line, `stages` are the scorecard's. Acts are those that the built-in phrases find. core/tests/signal_examples.rs computes every one.
macro_rules! metrics {
    ($($variant:ident, $id:literal, $read:expr, $doc:literal, $example:literal;)*) => {
        /// A signal that scorecards may score or compare. Closed: a new one is a row below and a field above.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $(#[doc = concat!($doc, "\n\nExample: `", $example, "`")] $variant,)*
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

            /// A small call and the metric's value in it.
            pub fn example(self) -> &'static str {
                match self { $(Metric::$variant => $example,)* }
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
        "per mille: rep speech time / (rep + customer speech time)",
        "R 0–3 We offer three plans. | C 4–5 Which is best? → 750";
    LongestMonologueRepMs, "longest_monologue_rep_ms", |s| s.longest_monologue_rep_ms,
        "ms: longest stretch in which the rep speaks and the customer gives at most back-channels",
        "R 0–10 Our plan covers the whole house. | C 4–4.5 Mhm. | C 11–13 And the garden? → 10000";
    LongestMonologueCustomerMs, "longest_monologue_customer_ms", |s| s.longest_monologue_customer_ms,
        "ms: longest stretch in which the customer speaks and the rep gives at most back-channels",
        "C 0–8 The router has been off since Monday. | R 3–3.5 Okay. | R 9–11 Let me look. → 8000";
    InterruptionsRepPer10minMilli, "interruptions_rep_per_10min_milli", |s| s.interruptions_rep_per_10min_milli,
        "thousandths per 10 min of call: the rep starts over a customer who is at least 1 s in; back-channels excluded",
        "C 0–6 They told me last week that it would be | R 4–8 Please listen to me now. | call 60 → 10000";
    InterruptionsCustomerPer10minMilli, "interruptions_customer_per_10min_milli", |s| s.interruptions_customer_per_10min_milli,
        "thousandths per 10 min of call: the customer starts over a rep who is at least 1 s in; back-channels excluded",
        "R 0–6 The second plan covers the garden as well and | C 4–8 Please listen to me now. | call 60 → 10000";
    UnexcusedSilencePermille, "unexcused_silence_permille", |s| s.unexcused_silence_permille,
        "per mille of the call's duration: gaps over 3 s that the rep did not announce",
        "R 0–2 Good morning. | C 12–20 Hello, are you there? → 500";
    LongestUnexcusedSilenceMs, "longest_unexcused_silence_ms", |s| s.longest_unexcused_silence_ms,
        "ms: the longest gap over 3 s that the rep did not announce; 0 when there is none",
        "R 0–2 Good morning. | C 12–14 Hello? | R 19–20 Here I am. → 10000";
    ResponseLatencyRepMs, "response_latency_rep_ms", |s| s.response_latency_rep_ms,
        "ms: median time from the customer's end to the rep's start; negative when the rep mostly starts over the customer",
        "C 0–2 Is it covered? | R 2.8–5 It is. | C 6–8 And the garden? | R 7.6–9 That, too. → 200";
    PaceRep, "pace_rep", |s| s.pace_rep,
        "English words or Chinese characters (without punctuation) per minute of the rep's own speech time",
        "R 0–4 We offer three plans for small companies. | C 5–6 Good. → 105";
    PaceCustomer, "pace_customer", |s| s.pace_customer,
        "English words or Chinese characters (without punctuation) per minute of the customer's own speech time",
        "R 0–1 Hello. | C 2–6 My router has been off since Monday. → 105";
    NeedsQuestions, "needs_questions", |s| s.needs_questions,
        "count: rep turns that ask about the customer's needs (acts needs_question and spin_*)",
        "R 0–3 What kind of cover are you looking for? | C 4–5 For the house. | R 6–9 How many people live in the house? → 2";
    QuestionsRep, "questions_rep", |s| s.questions_rep,
        "count: questions of the rep, by question mark or question word",
        "R 0–4 How are you? Do you have a minute? | C 5–6 Why? → 2";
    NeedsRestated, "needs_restated", |s| s.needs_restated,
        "count: rep turns that restate the customer's needs",
        "C 0–3 A plan for two phones. | R 4–7 So what you need is a plan for two phones. → 1";
    SpinKinds, "spin_kinds", |s| s.spin_kinds,
        "0…4: distinct kinds of SPIN question (situation, problem, implication, payoff) of the rep",
        "R 0–3 Which company are you with now? | R 8–11 What problems do you have with it? | R 15–18 How much do you pay every month? → 2";
    StageCoveragePermille, "stage_coverage_permille", |s| s.stage_coverage_permille,
        "per mille: stages of the scorecard that were seen / stages of the scorecard, each on a turn of its own",
        "stages opening, needs, close | R 0–2 (opening) Good morning. | R 3–5 (close) Goodbye. → 667";
    StageOrderPermille, "stage_order_permille", |s| s.stage_order_permille,
        "per mille: longest increasing subsequence of the stages by first turn / stages seen",
        "stages opening, needs, close | R 0–2 (opening) Good morning. | R 3–5 (close) Goodbye. | R 6–8 (needs) Wait, for whom is it? → 667";
    ObjectionsAnsweredPermille, "objections_answered_permille", |s| s.objections_answered_permille,
        "per mille: customer objections answered within 4 rep turns / objections; n/a without objections",
        "C 0–2 That is too expensive. | R 3–6 I understand that the price is a concern. → 1000";
    SentimentCustomerLastQuarterMilli, "sentiment_customer_last_quarter_milli", |s| s.sentiment_customer_quarters_milli[3],
        "thousandths of a point (−5…+5): customer sentiment in the last quarter, weighted by length of turn",
        "C 0–4 (sentiment −2) It broke again. | R 5–8 I will replace it. | C 12–15 (sentiment 3) Wonderful. | call 16 → 3000";
    SentimentCustomerShiftMilli, "sentiment_customer_shift_milli", |s| s.sentiment_customer_shift_milli,
        "thousandths of a point: customer sentiment of the last quarter less the first",
        "C 0–4 (sentiment −2) It broke again. | R 5–8 I will replace it. | C 12–15 (sentiment 3) Wonderful. | call 16 → 5000";
    SentimentCustomerRecoveredPermille, "sentiment_customer_recovered_permille", |s| s.sentiment_customer_recovered_permille,
        "1000 when the customer's first quarter is at most −1 point and the last at least +1; n/a otherwise",
        "C 0–4 (sentiment −2) It broke again. | R 5–8 I will replace it. | C 12–15 (sentiment 3) Wonderful. | call 16 → 1000";
    DatedNextSteps, "dated_next_steps", |s| s.dated_next_steps,
        "count: rep turns that name a next step with a date or time",
        "R 0–3 I will call you on Monday. | C 4–5 Good. | R 6–8 I will send it to you. → 1";
    SummaryConfirmed, "summary_confirmed", |s| s.summary_confirmed,
        "0 or 1: the customer confirms a summary of the rep within 2 customer turns",
        "R 0–4 So to recap, two phones from May on. | C 5–6 Yes, that is correct. → 1";
    PatienceMs, "patience_ms", |s| s.patience_ms,
        "ms: median wait of the rep after the customer's end, over switches without overlap",
        "C 0–2 Is it covered? | R 2.8–5 It is. | C 6–8 And the garden? | R 9.2–11 That, too. → 1000";
    InteractivityMilliPerMin, "interactivity_milli_per_min", |s| s.interactivity_milli_per_min,
        "thousandths per minute of call: switches between speakers, back-channels excluded",
        "C 0–2 Is it covered? | R 3–5 It is. | C 6–8 And the garden? | R 9–11 That, too. | call 60 → 3000";
    EmpathyPhrases, "empathy_phrases", |s| s.empathy_phrases,
        "count: rep turns with an act empathy; an apology alone is none",
        "C 0–3 It broke again! | R 4–7 I understand how frustrating that is. | C 8–10 It is. | R 11–13 We apologize for that. → 1";
    DurationMs, "duration_ms", |s| s.duration_ms,
        "ms: the call's duration",
        "R 0–3 Good morning. | call 12.5 → 12500";
    TalkTimeMs, "talk_time_ms", |s| s.talk_time_ms,
        "ms: time in which at least one role speaks, others on the line included",
        "R 0–3 Good morning. | C 2–5 Good morning. | call 10 → 5000";
    HoldMs, "hold_ms", |s| s.hold_ms,
        "ms: gaps over 3 s that the rep announced or in which music plays on a line",
        "R 0–3 Please hold for a moment. | R 13–15 There we are. | C 16–18 Thank you. | music 19–24 | R 24–25 Hello again. → 16000";
    QuestionsRepMilliPerMin, "questions_rep_milli_per_min", |s| s.questions_rep_milli_per_min,
        "thousandths per minute of call: questions of the rep",
        "R 0–4 How are you? Do you have a minute? | call 30 → 4000";
    PaceCustomerChangePermille, "pace_customer_change_permille", |s| s.pace_customer_change_permille,
        "per mille: the customer's pace in the last quarter less the first / the first",
        "C 0–4 one two three four five six seven eight | C 12–16 one two three four | call 16 → -500";
    LoudnessRepCentiDbfs, "loudness_rep_centi_dbfs", |s| s.loudness_rep_centi_dbfs,
        "hundredths of a decibel of full scale: mean power of the rep's speech",
        "R 0–4 (level −26) Good morning. → -2600";
    LoudnessCustomerCentiDbfs, "loudness_customer_centi_dbfs", |s| s.loudness_customer_centi_dbfs,
        "hundredths of a decibel of full scale: mean power of the customer's speech",
        "C 0–2 (level −20) Good morning. | C 3–5 (level −30) Hello? → -2260";
    LoudnessRepGradeMilli, "loudness_rep_grade_milli", |s| s.loudness_rep_grade_milli,
        "thousandths of a grade 1…10: 1 at −45 dBFS and below, 10 at −9 dBFS and above, 4 dB each (engineering guess)",
        "R 0–4 (level −25) Good morning. → 6000";
    LoudnessCustomerGradeMilli, "loudness_customer_grade_milli", |s| s.loudness_customer_grade_milli,
        "thousandths of a grade 1…10: 1 at −45 dBFS and below, 10 at −9 dBFS and above, 4 dB each (engineering guess)",
        "C 0–4 (level −50) Good morning. → 1000";
    EnergyCustomerChangeCentiDb, "energy_customer_change_centi_db", |s| s.energy_customer_change_centi_db,
        "hundredths of a decibel: loudness of the customer's speech in the last quarter less the first",
        "C 0–4 (level −30) Hello? | C 12–16 (level −24) Hello! → 600";
    PitchRepCents, "pitch_rep_cents", |s| s.pitch_rep_cents,
        "cents above 55 Hz: mean pitch of the rep's voiced speech",
        "R 0–4 (pitch 1200 ± 100) Good morning. | C 5–9 (pitch 2400 ± 100) Good morning. → 1200";
    PitchCustomerCents, "pitch_customer_cents", |s| s.pitch_customer_cents,
        "cents above 55 Hz: mean pitch of the customer's voiced speech",
        "C 0–4 (pitch 2000 ± 100) Good morning. | C 5–9 (pitch 2400 ± 100) Hello? → 2200";
    PitchVariationRepCents, "pitch_variation_rep_cents", |s| s.pitch_variation_rep_cents,
        "cents: standard deviation of the rep's pitch over voiced speech",
        "R 0–4 (pitch 1200 ± 100) Good morning. → 100";
    PitchVariationCustomerCents, "pitch_variation_customer_cents", |s| s.pitch_variation_customer_cents,
        "cents: standard deviation of the customer's pitch over voiced speech",
        "C 0–4 (pitch 2000 ± 0) Good morning. | C 5–9 (pitch 2400 ± 0) Hello? → 200";
}

impl Signals {
    /// The metric's value in the unit of its name; `None`: not applicable to this call.
    pub fn metric(&self, metric: Metric) -> Option<i64> {
        metric.read(self)
    }
}

/// Computes all signals of a call.
///
/// `sentiment`, `acts` (act → probability per mille; every one counts) and `stages_per_turn` have one entry per turn (missing entries
/// count as empty); `scorecard_stages` in the order the script wants them.
pub fn compute(
    transcript: &Transcript,
    sentiment: &[Option<Sentiment>],
    acts: &[BTreeMap<String, u16>],
    stages_per_turn: &[BTreeSet<String>],
    scorecard_stages: &[String],
) -> Signals {
    let mut signals = Signals::default();
    let acts = Acts { turns: &transcript.turns, acts };
    if transcript.medium == Medium::Speech {
        fill_timed(&mut signals, transcript, &acts);
    }
    fill_said(&mut signals, &acts);
    let per_minute = |count: i64| signals.duration_ms.and_then(|ms| ratio(count * 1000 * 60_000, ms));
    signals.questions_rep_milli_per_min = signals.questions_rep.and_then(per_minute);
    fill_stages(&mut signals, stages_per_turn, scorecard_stages);
    fill_sentiment(&mut signals, transcript, sentiment);
    signals
}

// ---- Acts ----------------------------------------------------------------------------------------------------------

/// Turns with the acts found in them.
struct Acts<'a> {
    turns: &'a [Turn],
    acts: &'a [BTreeMap<String, u16>],
}

impl Acts<'_> {
    fn has(&self, turn: usize, wanted: impl Fn(&str) -> bool) -> bool {
        self.acts.get(turn).is_some_and(|acts| acts.keys().any(|act| wanted(act)))
    }

    fn turns_of(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        (0..self.turns.len()).filter(move |turn| self.turns[*turn].role == role)
    }

    fn count(&self, role: Role, wanted: impl Fn(&str) -> bool + Copy) -> i64 {
        self.turns_of(role).filter(|turn| self.has(*turn, wanted)).count() as i64
    }

    /// Whether one of the next `n` turns of `role` after `turn` has the act.
    fn follows(&self, turn: usize, role: Role, n: usize, act: &str) -> bool {
        self.turns_of(role).filter(|later| *later > turn).take(n).any(|later| self.has(later, |a| a == act))
    }
}

/// Signals of what was said, which need no times.
fn fill_said(signals: &mut Signals, acts: &Acts) {
    let has_rep = acts.turns_of(Role::Rep).next().is_some();
    let has_customer = acts.turns_of(Role::Customer).next().is_some();
    if has_rep {
        signals.questions_rep = Some(acts.turns_of(Role::Rep).map(|turn| questions(&acts.turns[turn].text)).sum());
        signals.needs_questions =
            Some(acts.count(Role::Rep, |act| act == "needs_question" || act.starts_with("spin_")));
        signals.needs_restated = Some(acts.count(Role::Rep, |act| act == "needs_restated"));
        signals.dated_next_steps = Some(acts.count(Role::Rep, |act| act == "dated_next_step"));
        signals.empathy_phrases = Some(acts.count(Role::Rep, |act| act == "empathy"));
        let kinds = ["spin_situation", "spin_problem", "spin_implication", "spin_payoff"];
        signals.spin_kinds =
            Some(kinds.iter().filter(|kind| acts.count(Role::Rep, |act| act == **kind) > 0).count() as i64);
    }
    if has_rep && has_customer {
        let confirmed = acts
            .turns_of(Role::Rep)
            .filter(|turn| acts.has(*turn, |act| act == "summary"))
            .any(|turn| acts.follows(turn, Role::Customer, CONFIRM_WITHIN_CUSTOMER_TURNS, "confirmation"));
        signals.summary_confirmed = Some(i64::from(confirmed));
        let objections: Vec<usize> =
            acts.turns_of(Role::Customer).filter(|turn| acts.has(*turn, |act| act.ends_with("objection"))).collect();
        let answered = objections
            .iter()
            .filter(|turn| acts.follows(**turn, Role::Rep, ANSWER_WITHIN_REP_TURNS, "objection_answer"))
            .count() as i64;
        signals.objections = Some(objections.len() as i64);
        signals.objections_answered_permille = ratio(1000 * answered, objections.len() as i64);
    }
}

// ---- Stages --------------------------------------------------------------------------------------------------------

fn fill_stages(signals: &mut Signals, stages_per_turn: &[BTreeSet<String>], scorecard_stages: &[String]) {
    if scorecard_stages.is_empty() {
        return;
    }
    // Script positions of the stages seen in each turn, ascending.
    let positions: Vec<Vec<usize>> = stages_per_turn
        .iter()
        .map(|seen| (0..scorecard_stages.len()).filter(|i| seen.contains(&scorecard_stages[*i])).collect())
        .collect();
    let covered = stages_on_own_turns(&positions, scorecard_stages.len()) as i64;
    signals.stage_coverage_permille = ratio(1000 * covered, scorecard_stages.len() as i64);
    let seen: BTreeSet<usize> = positions.iter().flatten().copied().collect();
    let in_order = longest_increasing(&positions, scorecard_stages.len()) as i64;
    signals.stage_order_permille = ratio(1000 * in_order, seen.len() as i64);
}

/// How many stages can be given a turn of their own: a maximum bipartite matching by augmenting paths (Kuhn 1955).
/// One turn that touches every stage in passing therefore covers one stage.
fn stages_on_own_turns(positions: &[Vec<usize>], stages: usize) -> usize {
    fn place(stage: usize, positions: &[Vec<usize>], owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
        for turn in 0..positions.len() {
            if !positions[turn].contains(&stage) || tried[turn] {
                continue;
            }
            tried[turn] = true;
            if owner[turn].is_none_or(|other| place(other, positions, owner, tried)) {
                owner[turn] = Some(stage);
                return true;
            }
        }
        false
    }
    let mut owner = vec![None; positions.len()];
    (0..stages).filter(|stage| place(*stage, positions, &mut owner, &mut vec![false; positions.len()])).count()
}

/// Length of the longest strictly increasing subsequence of stage positions over the turns. Stages of one turn count in
/// script order.
fn longest_increasing(positions: &[Vec<usize>], stages: usize) -> usize {
    // best[s]: longest subsequence so far that ends with stage s.
    let mut best = vec![0; stages];
    for stage in positions.iter().flatten() {
        let before = best[..*stage].iter().max().copied().unwrap_or(0);
        best[*stage] = best[*stage].max(before + 1);
    }
    best.into_iter().max().unwrap_or(0)
}

// ---- Sentiment -----------------------------------------------------------------------------------------------------

/// Customer sentiment, weighted by length of turn; a turn that lies in two quarters counts in each with its part.
/// Text without times is laid out along its characters.
fn fill_sentiment(signals: &mut Signals, transcript: &Transcript, sentiment: &[Option<Sentiment>]) {
    let (axis, end) = match transcript.medium {
        Medium::Speech => {
            let axis: Vec<Span> = transcript
                .turns
                .iter()
                // A turn without an end still says something: it weighs a millisecond.
                .map(|t| Span { begin_ms: t.begin_ms, end_ms: t.end_ms.max(t.begin_ms + 1) })
                .collect();
            let last = axis.iter().map(|span| span.end_ms).max().unwrap_or(0);
            (axis, transcript.duration_ms.max(last))
        }
        Medium::Text => {
            let mut at = 0;
            let axis = transcript.turns.iter().map(|t| {
                let begin_ms = at;
                at += t.text.chars().count().max(1) as i64;
                Span { begin_ms, end_ms: at }
            });
            (axis.collect(), at)
        }
    };
    let mean_in = |window: Span| {
        let (mut weights, mut sum) = (0, 0);
        for ((turn, span), sentiment) in transcript.turns.iter().zip(&axis).zip(sentiment) {
            if let (Role::Customer, Some(sentiment)) = (turn.role, sentiment) {
                let weight = overlap_ms(*span, window);
                weights += weight;
                sum += weight * sentiment.milli();
            }
        }
        ratio(sum, weights)
    };
    signals.sentiment_customer_milli = mean_in(Span { begin_ms: 0, end_ms: end });
    for quarter in 0..4 {
        let window = Span { begin_ms: end * quarter / 4, end_ms: end * (quarter + 1) / 4 };
        signals.sentiment_customer_quarters_milli[quarter as usize] = mean_in(window);
    }
    if let [Some(first), _, _, Some(last)] = signals.sentiment_customer_quarters_milli {
        signals.sentiment_customer_shift_milli = Some(last - first);
        signals.sentiment_customer_recovered_permille = (first <= -1000 && last >= 1000).then_some(1000);
    }
}

// ---- Times ---------------------------------------------------------------------------------------------------------

/// A contribution of one role: its speech with short pauses bridged.
#[derive(Clone, Copy)]
struct Contribution {
    role: Role,
    span: Span,
    backchannel: bool,
}

fn fill_timed(signals: &mut Signals, transcript: &Transcript, acts: &Acts) {
    let speech = speech_spans(transcript);
    let all = merged(speech.iter().map(|(_, span)| *span), 0);
    let of = |role: Role| merged(speech.iter().filter(|(r, _)| *r == role).map(|(_, span)| *span), 0);
    let (rep, customer, unknown) = (of(Role::Rep), of(Role::Customer), of(Role::Unknown));
    let (rep_ms, customer_ms) = (total(&rep), total(&customer));
    let sides_ms = total(&merged(of_sides(&speech), 0));
    let duration_ms = transcript.duration_ms.max(all.last().map_or(0, |span| span.end_ms));
    let talk_ms = total(&all);
    signals.duration_ms = Some(duration_ms);
    signals.talk_time_ms = Some(talk_ms);
    signals.silence_ms = Some(duration_ms - talk_ms);
    signals.overtalk_ms = Some(rep_ms + customer_ms + total(&unknown) - sides_ms);
    fill_silences(signals, &all, acts);
    fill_sounds(signals, transcript);
    if rep_ms + customer_ms == 0 {
        return; // Nobody spoke, or nobody knows who: what follows needs roles.
    }
    signals.rep_talk_permille = ratio(1000 * rep_ms, rep_ms + customer_ms);
    signals.customer_talk_permille = signals.rep_talk_permille.map(|rep| 1000 - rep);
    signals.pace_rep = pace(transcript, Role::Rep, rep_ms);
    signals.pace_customer = pace(transcript, Role::Customer, customer_ms);
    signals.pace_customer_quarters =
        quarters(duration_ms).map(|quarter| pace_in(transcript, Role::Customer, &customer, quarter));
    if let [Some(first), .., Some(last)] = signals.pace_customer_quarters {
        signals.pace_customer_change_permille = ratio(1000 * (last - first), first);
    }

    let contributions = contributions(transcript, &rep, &customer);
    signals.overlaps = overlaps(&contributions);
    let interruptions = |role| signals.overlaps.iter().filter(|o| o.interruption && o.by == role).count() as i64;
    let (by_rep, by_customer) = (interruptions(Role::Rep), interruptions(Role::Customer));
    signals.interruptions_rep = Some(by_rep);
    signals.interruptions_customer = Some(by_customer);
    signals.interruptions_rep_per_10min_milli = ratio(by_rep * 1000 * 600_000, duration_ms);
    signals.interruptions_customer_per_10min_milli = ratio(by_customer * 1000 * 600_000, duration_ms);

    let floor: Vec<Contribution> = contributions.iter().filter(|c| !c.backchannel).copied().collect();
    let rep_monologue = longest_monologue(&floor, Role::Rep);
    let customer_monologue = longest_monologue(&floor, Role::Customer);
    signals.longest_monologue_rep_ms = Some(rep_monologue);
    signals.longest_monologue_customer_ms = Some(customer_monologue);
    signals.longest_monologue_ms = Some(rep_monologue.max(customer_monologue));

    let others: Vec<Span> = speech.iter().filter(|(role, _)| !role.is_side()).map(|(_, span)| *span).collect();
    let spoken_between =
        |begin_ms, end_ms| others.iter().any(|other| overlap_ms(*other, Span { begin_ms, end_ms }) > 0);
    let switches: Vec<(Contribution, Contribution)> =
        floor.windows(2).filter(|pair| pair[0].role != pair[1].role).map(|pair| (pair[0], pair[1])).collect();
    signals.interactivity_milli_per_min = ratio(switches.len() as i64 * 1000 * 60_000, duration_ms);
    let waits: Vec<i64> = switches
        .iter()
        // A rep contribution that lies inside the customer's answers nothing that had ended.
        .filter(|(from, to)| to.role == Role::Rep && to.span.end_ms > from.span.end_ms)
        // Nor does it answer when a menu, a supervisor or the next agent has spoken in between.
        .filter(|(from, to)| !spoken_between(from.span.end_ms, to.span.begin_ms))
        .map(|(from, to)| to.span.begin_ms - from.span.end_ms)
        .collect();
    signals.patience_ms = median(waits.iter().copied().filter(|wait| *wait >= 0).collect());
    signals.response_latency_rep_ms = median(waits);
}

/// Speech of the call: what voice activity found, else the turns' own spans. Empty and negative spans are dropped.
fn speech_spans(transcript: &Transcript) -> Vec<(Role, Span)> {
    let from_turns = || transcript.everybody().into_iter().map(|(_, t)| (t.role, t.begin_ms, t.end_ms)).collect();
    let spans: Vec<(Role, i64, i64)> = if transcript.speech.is_empty() {
        from_turns()
    } else {
        transcript.speech.iter().map(|s| (s.role, s.begin_ms, s.end_ms)).collect()
    };
    spans
        .into_iter()
        .map(|(role, begin_ms, end_ms)| (role, Span { begin_ms: begin_ms.max(0), end_ms }))
        .filter(|(_, span)| span.end_ms > span.begin_ms)
        .collect()
}

fn of_sides(speech: &[(Role, Span)]) -> impl Iterator<Item = Span> {
    speech.iter().filter(|(role, _)| role.is_side()).map(|(_, span)| *span)
}

/// Time in which at least one of the two sides speaks, in ms.
pub(crate) fn sides_talk_time_ms(transcript: &Transcript) -> i64 {
    total(&merged(of_sides(&speech_spans(transcript)), 0))
}

/// The union of spans; neighbours at most `bridge_ms` apart become one.
fn merged(spans: impl Iterator<Item = Span>, bridge_ms: i64) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans.collect();
    sorted.sort();
    let mut union: Vec<Span> = Vec::new();
    for span in sorted {
        match union.last_mut() {
            Some(last) if span.begin_ms - last.end_ms <= bridge_ms => last.end_ms = last.end_ms.max(span.end_ms),
            _ => union.push(span),
        }
    }
    union
}

fn total(spans: &[Span]) -> i64 {
    spans.iter().map(|span| span.end_ms - span.begin_ms).sum()
}

fn overlap_ms(a: Span, b: Span) -> i64 {
    (a.end_ms.min(b.end_ms) - a.begin_ms.max(b.begin_ms)).max(0)
}

/// Gaps between the first and the last speech: ringing before and a late hang-up after are nobody's silence.
fn fill_silences(signals: &mut Signals, all: &[Span], acts: &Acts) {
    signals.silences = all
        .windows(2)
        .map(|pair| Span { begin_ms: pair[0].end_ms, end_ms: pair[1].begin_ms })
        .filter(|gap| gap.end_ms - gap.begin_ms > SILENCE_MS)
        .map(|gap| Silence { begin_ms: gap.begin_ms, end_ms: gap.end_ms, explained: explained(acts, gap.begin_ms) })
        .collect();
    let unexcused = || signals.silences.iter().filter(|s| !s.explained).map(|s| s.end_ms - s.begin_ms);
    let (sum, longest) = (unexcused().sum::<i64>(), unexcused().max().unwrap_or(0));
    signals.unexcused_silence_ms = Some(sum);
    signals.longest_unexcused_silence_ms = Some(longest);
    signals.unexcused_silence_permille = signals.duration_ms.and_then(|duration| ratio(1000 * sum, duration));
}

/// Whether the rep's last turn before the gap asked for a moment. Up to two customer turns may lie between ("sure").
fn explained(acts: &Acts, gap_begin_ms: i64) -> bool {
    let before = acts.turns.partition_point(|turn| turn.begin_ms < gap_begin_ms);
    (0..before)
        .rev()
        .take(3)
        .find(|turn| acts.turns[*turn].role == Role::Rep)
        .is_some_and(|turn| acts.has(turn, |act| act == "hold_request"))
}

/// The four quarters of a call.
pub(crate) fn quarters(duration_ms: i64) -> [Span; 4] {
    [0, 1, 2, 3].map(|q| Span { begin_ms: duration_ms * q / 4, end_ms: duration_ms * (q + 1) / 4 })
}

/// A role's speech without overlaps.
pub(crate) fn speech_of(transcript: &Transcript, role: Role) -> Vec<Span> {
    let speech = speech_spans(transcript);
    merged(speech.iter().filter(|(r, _)| *r == role).map(|(_, span)| *span), 0)
}

/// A role's pace inside a window, of its own speech time: each turn's words are laid out evenly over it.
pub(crate) fn pace_in(transcript: &Transcript, role: Role, speech: &[Span], window: Span) -> Option<i64> {
    let speech_ms: i64 = speech.iter().map(|span| overlap_ms(*span, window)).sum();
    let turns = || transcript.turns.iter().filter(|turn| turn.role == role);
    let all = || turns().map(|turn| turn.text.as_str()).collect::<String>();
    let language = transcript.language.or_else(|| Language::of_text(&all()))?;
    let mut milli_units = 0;
    for turn in turns() {
        let span = Span { begin_ms: turn.begin_ms, end_ms: turn.end_ms.max(turn.begin_ms + 1) };
        milli_units +=
            pace_units(&turn.text, language) * 1000 * overlap_ms(span, window) / (span.end_ms - span.begin_ms);
    }
    for (span, units) in redacted_units(transcript, Role::Customer, language) {
        milli_units += units * 1000 * overlap_ms(span, window) / (span.end_ms - span.begin_ms);
    }
    if speech_ms < MIN_PACE_MS { None } else { ratio(milli_units * 60, speech_ms) }
}

/// What a role said in the place of each placeholder, beyond what the placeholder counts itself.
fn redacted_units(transcript: &Transcript, role: Role, language: Language) -> impl Iterator<Item = (Span, i64)> {
    let spans = transcript.redaction.iter().flat_map(|redaction| &redaction.spans);
    spans.filter(move |redacted| redacted.role == role).map(move |redacted| {
        let span = Span { begin_ms: redacted.begin_ms, end_ms: redacted.end_ms.max(redacted.begin_ms + 1) };
        (span, i64::from(redacted.units) - pace_units(redacted.entity.placeholder(), language))
    })
}

/// English words or Chinese characters.
pub(crate) fn pace_units(text: &str, language: Language) -> i64 {
    match language {
        Language::En => words(text).len() as i64,
        Language::Zh => text.chars().filter(|c| c.is_alphanumeric()).count() as i64,
    }
}

/// Hold, loudness, pitch and the closed line: what the sound says beside speech and words.
fn fill_sounds(signals: &mut Signals, transcript: &Transcript) {
    let music = merged(
        transcript
            .sounds
            .iter()
            .filter(|s| s.kind == SoundKind::Music)
            .map(|s| Span { begin_ms: s.begin_ms, end_ms: s.end_ms }),
        0,
    );
    let held = |gap: &&Silence| {
        let span = Span { begin_ms: gap.begin_ms, end_ms: gap.end_ms };
        gap.explained || 2 * music.iter().map(|m| overlap_ms(*m, span)).sum::<i64>() >= gap.end_ms - gap.begin_ms
    };
    signals.hold_ms = Some(signals.silences.iter().filter(held).map(|s| s.end_ms - s.begin_ms).sum());
    let closed = |role| transcript.sounds.iter().find(|s| s.kind == SoundKind::Closed && s.role == role);
    signals.hung_up_by = match (closed(Role::Rep), closed(Role::Customer)) {
        (Some(rep), Some(customer)) if rep.begin_ms + HUNG_UP_MS <= customer.begin_ms => Some(Role::Rep),
        (Some(rep), Some(customer)) if customer.begin_ms + HUNG_UP_MS <= rep.begin_ms => Some(Role::Customer),
        (Some(_), None) => Some(Role::Rep),
        (None, Some(_)) => Some(Role::Customer),
        _ => None,
    };
    let whole = Span { begin_ms: 0, end_ms: i64::MAX };
    let loudness = |role, window| loudness_centi_dbfs(transcript, role, window);
    signals.loudness_rep_centi_dbfs = loudness(Role::Rep, whole);
    signals.loudness_customer_centi_dbfs = loudness(Role::Customer, whole);
    signals.loudness_rep_grade_milli = signals.loudness_rep_centi_dbfs.map(loudness_grade_milli);
    signals.loudness_customer_grade_milli = signals.loudness_customer_centi_dbfs.map(loudness_grade_milli);
    let windows = quarters(signals.duration_ms.unwrap_or(transcript.duration_ms));
    signals.energy_customer_quarters_centi_dbfs = windows.map(|window| loudness(Role::Customer, window));
    if let [Some(first), .., Some(last)] = signals.energy_customer_quarters_centi_dbfs {
        signals.energy_customer_change_centi_db = Some(last - first);
    }
    (signals.pitch_rep_cents, signals.pitch_variation_rep_cents) = pitch(transcript, Role::Rep);
    (signals.pitch_customer_cents, signals.pitch_variation_customer_cents) = pitch(transcript, Role::Customer);
}

/// Mean power of a role's speech inside a window; stretches weigh by their length in it.
pub(crate) fn loudness_centi_dbfs(transcript: &Transcript, role: Role, window: Span) -> Option<i64> {
    let (mut weights, mut power) = (0, 0.0);
    for voice in transcript.voice.iter().filter(|v| v.role == role) {
        let weight = overlap_ms(Span { begin_ms: voice.begin_ms, end_ms: voice.end_ms }, window);
        weights += weight;
        power += weight as f64 * libm::pow(10.0, f64::from(voice.level_centi_dbfs) / 1000.0);
    }
    (weights > 0).then(|| libm::round(1000.0 * libm::log10((power / weights as f64).max(1e-10))) as i64)
}

/// 1…10 in thousandths: 1 at −45 dBFS, 10 at −9 dBFS. Engineering guess: telephone speech lies around −26 dBFS (ITU-T P.56).
fn loudness_grade_milli(centi_dbfs: i64) -> i64 {
    (1000 + (centi_dbfs + 4500) * 5 / 2).clamp(1000, 10_000)
}

/// Mean and standard deviation of a role's pitch, cents, pooled over its stretches by their voiced time.
fn pitch(transcript: &Transcript, role: Role) -> (Option<i64>, Option<i64>) {
    let voiced: Vec<_> = transcript.voice.iter().filter(|v| v.role == role && v.voiced_ms > 0).collect();
    let weights: i64 = voiced.iter().map(|v| i64::from(v.voiced_ms)).sum();
    if weights < MIN_VOICED_MS {
        return (None, None);
    }
    let mean = voiced.iter().map(|v| f64::from(v.voiced_ms) * f64::from(v.pitch_cents)).sum::<f64>() / weights as f64;
    let squares = voiced.iter().map(|v| {
        let (own, off) = (f64::from(v.pitch_spread_cents), f64::from(v.pitch_cents) - mean);
        f64::from(v.voiced_ms) * (own * own + off * off)
    });
    let spread = libm::sqrt(squares.sum::<f64>() / weights as f64);
    (Some(libm::round(mean) as i64), Some(libm::round(spread) as i64))
}

/// English words or Chinese characters per minute of own speech.
fn pace(transcript: &Transcript, role: Role, speech_ms: i64) -> Option<i64> {
    if speech_ms < MIN_PACE_MS {
        return None;
    }
    let texts = || transcript.turns.iter().filter(|turn| turn.role == role).map(|turn| turn.text.as_str());
    let language = transcript.language.or_else(|| Language::of_text(&texts().collect::<String>()))?;
    let units: i64 = texts().map(|text| pace_units(text, language)).sum();
    let redacted: i64 = redacted_units(transcript, role, language).map(|(_, units)| units).sum();
    ratio((units + redacted) * 60_000, speech_ms)
}

/// Contributions of both roles by (begin, end, role).
fn contributions(transcript: &Transcript, rep: &[Span], customer: &[Span]) -> Vec<Contribution> {
    let of = |role: Role, spans: &[Span]| -> Vec<Contribution> {
        merged(spans.iter().copied(), BRIDGE_MS)
            .into_iter()
            .map(|span| Contribution { role, span, backchannel: is_backchannel(transcript, role, span) })
            .collect()
    };
    let mut both = of(Role::Rep, rep);
    both.extend(of(Role::Customer, customer));
    both.sort_by_key(|c| (c.span, c.role));
    both
}

/// Short, made only of listening signals, and no answer to a question. Without words, short is enough.
fn is_backchannel(transcript: &Transcript, role: Role, span: Span) -> bool {
    if span.end_ms - span.begin_ms >= BACKCHANNEL_MS {
        return false;
    }
    let asked = transcript
        .turns
        .iter()
        .rfind(|turn| turn.role != role && turn.begin_ms < span.begin_ms)
        // "Do you have a car? – Yes." but not a question that goes on after the "yes".
        .is_some_and(|turn| turn.end_ms <= span.begin_ms + BRIDGE_MS && ends_with_question(&turn.text));
    let said = said_in(transcript, role, span);
    !asked && (said.is_empty() || only_listening(&said))
}

/// The words of a role inside a span: by word times where there are any, else turns of which half lies inside.
fn said_in(transcript: &Transcript, role: Role, span: Span) -> String {
    let mut said = String::new();
    for turn in transcript.turns.iter().filter(|turn| turn.role == role) {
        let turn_span = Span { begin_ms: turn.begin_ms, end_ms: turn.end_ms };
        if turn.words.is_empty() && 2 * overlap_ms(turn_span, span) >= (turn.end_ms - turn.begin_ms).max(1) {
            said.push_str(&turn.text);
            said.push(' ');
        }
        for word in &turn.words {
            let middle = (word.begin_ms + word.end_ms) / 2;
            if span.begin_ms <= middle && middle < span.end_ms {
                said.push_str(&word.text);
                said.push(' ');
            }
        }
    }
    said
}

/// Where contributions of the two roles lie over each other.
fn overlaps(contributions: &[Contribution]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (i, first) in contributions.iter().enumerate() {
        for second in contributions[i + 1..].iter().take_while(|c| c.span.begin_ms < first.span.end_ms) {
            if second.role == first.role {
                continue;
            }
            let (begin_ms, end_ms) = (second.span.begin_ms, second.span.end_ms.min(first.span.end_ms));
            let lead_ms = begin_ms - first.span.begin_ms;
            found.push(Overlap {
                begin_ms,
                end_ms,
                by: if lead_ms == 0 { Role::Unknown } else { second.role },
                interruption: lead_ms >= INTERRUPTED_AFTER_MS
                    && end_ms - begin_ms >= MIN_INTERRUPTION_MS
                    && !second.backchannel,
            });
        }
    }
    found.sort_by_key(|overlap| (overlap.begin_ms, overlap.end_ms));
    found
}

/// Longest stretch of `role` without a contribution of the other that is more than a back-channel; a silence ends it.
fn longest_monologue(floor: &[Contribution], role: Role) -> i64 {
    let others = merged(floor.iter().filter(|c| c.role != role).map(|c| c.span), 0);
    let mut longest = 0;
    let mut current: Option<Span> = None;
    for own in floor.iter().filter(|c| c.role == role) {
        for piece in without(own.span, &others) {
            current = Some(match current {
                Some(so_far)
                    if piece.begin_ms - so_far.end_ms <= SILENCE_MS
                        && !others.iter().any(|o| o.begin_ms < piece.begin_ms && o.end_ms > so_far.end_ms) =>
                {
                    Span { begin_ms: so_far.begin_ms, end_ms: piece.end_ms }
                }
                _ => piece,
            });
            longest = current.map_or(longest, |span| longest.max(span.end_ms - span.begin_ms));
        }
    }
    longest
}

/// What is left of `span` outside `holes` (sorted, disjoint).
fn without(span: Span, holes: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut begin_ms = span.begin_ms;
    for hole in holes.iter().filter(|hole| overlap_ms(**hole, span) > 0) {
        if hole.begin_ms > begin_ms {
            left.push(Span { begin_ms, end_ms: hole.begin_ms });
        }
        begin_ms = hole.end_ms;
    }
    if begin_ms < span.end_ms {
        left.push(Span { begin_ms, end_ms: span.end_ms });
    }
    left
}

/// The median; the mean of the middle two for an even number.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => ratio(values[middle - 1] + values[middle], 2),
    }
}

/// a / b rounded to the nearest integer, halves away from zero; `None` for b = 0.
pub(crate) fn ratio(a: i64, b: i64) -> Option<i64> {
    (b > 0).then(|| (2 * a + a.signum() * b) / (2 * b))
}

// ---- Words ---------------------------------------------------------------------------------------------------------

/// Words by white space and hyphens outside of words; a token needs a letter or digit. Each Han character is a word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in text.split(|c: char| c.is_whitespace() || matches!(c, '—' | '–' | '/' | '…')) {
        let mut word = String::new();
        for c in token.chars() {
            if is_han(c) {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                found.push(c.to_string());
            } else if c.is_alphanumeric() || (matches!(c, '\'' | '’' | '-') && !word.is_empty()) {
                word.extend(c.to_lowercase().map(|c| if c == '’' { '\'' } else { c }));
            }
        }
        let word = word.trim_end_matches(['\'', '-']);
        found.extend((!word.is_empty()).then(|| word.to_string()));
    }
    found
}

/// Words with which a listener says no more than "I am listening".
const LISTENING_EN: &str = "\
    ah aha alright got gotcha hm hmm huh i it mhm mm mm-hm mm-hmm mmhmm oh ok okay really right see sure true uh \
    uh-huh uhhuh um wow yeah yep yes yup";
const LISTENING_ZH: &str = "嗯唔哦噢喔啊呃哎诶欸对是的好行了呀哈";

/// Word lists are written as one string, which reads better than a column of quotes.
fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|item| item == word)
}

fn only_listening(said: &str) -> bool {
    let words = words(said);
    // "I see", "got it" are signals; "I" or "it" alone are the start of something else.
    let starts_something = matches!(words.as_slice(), [one] if one == "i" || one == "it");
    !starts_something
        && words.len() <= 4
        && words.iter().all(|w| listed(LISTENING_EN, w) || w.chars().all(|c| LISTENING_ZH.contains(c)))
}

fn ends_with_question(text: &str) -> bool {
    text.trim_end().ends_with(['?', '\u{FF1F}', '吗', '呢'])
}

/// Two-word openings of English questions: anywhere in a clause without marks, at its start in marked text.
const WH: &str = "what when where who whom whose which why how what's who's where's how's";
const AUXILIARIES: &str = "\
    are aren't can can't could couldn't did didn't do does doesn't don't had has hasn't have haven't is isn't \
    may might shall should shouldn't was wasn't were will won't would wouldn't";
/// After an auxiliary these ask wherever they stand …
const PRONOUNS: &str = "you i we they he she there anyone someone";
/// … and these only at the start: "I do that", "we have the time", "the problem is that".
const OTHER_SUBJECTS: &str = "it that this these those my your our the any";
/// After "how", "what", "which" these open a question without an auxiliary.
const WH_FOLLOWERS: &str = "about kind type sort time much many long often far old soon else one brings if seems";
/// "Tell me what is …" and "I know how much …" ask nothing of their own.
const EMBEDDING: &str = "know see understand wonder wondering tell me about that's explain exactly if matter";
const LEADERS: &str = "and so but okay ok well now alright right great um uh then or also sir ma'am";
const QUESTION_ZH: &str = "\
    什么 怎么 怎样 为何 多少 多久 多大 几个 几岁 几点 几年 几次 几位 哪 谁 是不是 有没有 能不能 可不可以 要不要 \
    好不好 对不对 会不会 方不方便 需不需要 想不想 是否 贵姓";
const NO_QUESTION_ZH: &str = "没什么 没有什么 不管 无论 什么都 哪怕 谁都 怎么都";

/// Number of questions in a text. With question marks these count; without any, clauses that open like a question, for
/// recognised text often has no marks.
pub fn questions(text: &str) -> i64 {
    let mut marks = 0;
    let mut previous = ' ';
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let is_mark = matches!(c, '?' | '\u{FF1F}');
        marks += i64::from(is_mark && !matches!(previous, '?' | '\u{FF1F}'));
        previous = c;
    }
    if marks > 0 {
        return marks;
    }
    let sentence_ends = |c: char| matches!(c, '.' | '!' | ';' | '。' | '\u{FF01}' | '\u{FF1B}');
    let marked = text.trim_end().ends_with(sentence_ends);
    text.split(|c: char| sentence_ends(c) || matches!(c, ',' | '\u{FF0C}'))
        .map(|clause| if clause.chars().any(is_han) { question_zh(clause) } else { questions_en(clause, marked) })
        .sum()
}

fn question_zh(clause: &str) -> i64 {
    let clause = clause.trim();
    let particle = clause.contains('吗') || clause.ends_with('呢') || clause.ends_with('么');
    let word = QUESTION_ZH.split(' ').any(|word| clause.contains(word));
    let negated = NO_QUESTION_ZH.split(' ').any(|word| clause.contains(word));
    i64::from(particle || (word && !negated))
}

fn questions_en(clause: &str, marked: bool) -> i64 {
    let words = words(clause);
    let in_list = |list: &str, i: usize| words.get(i).is_some_and(|word| listed(list, word));
    let start = (0..words.len()).find(|i| !in_list(LEADERS, *i)).unwrap_or(words.len());
    let (mut count, mut i) = (0, start);
    while i < words.len() {
        // "What's" holds its auxiliary; "who called" is rare enough in calls to be left out. Inside a clause, "who",
        // "which" and "when" mostly relate: "a colleague who can help".
        let asks_anywhere = i == start || words[i].starts_with("what") || words[i].starts_with("how");
        let wh = asks_anywhere
            && in_list(WH, i)
            && (words[i].contains('\'') || in_list(AUXILIARIES, i + 1) || in_list(WH_FOLLOWERS, i + 1));
        let inverted =
            in_list(AUXILIARIES, i) && (in_list(PRONOUNS, i + 1) || (i == start && in_list(OTHER_SUBJECTS, i + 1)));
        let imperative = i == start && in_list("do don't have", i) && in_list(OTHER_SUBJECTS, i + 1);
        let embedded = i > start && in_list(EMBEDDING, i - 1);
        // "It is, that was": an auxiliary after its subject is a statement.
        let subject_before = i > start && (in_list(PRONOUNS, i - 1) || words[i - 1] == "it");
        let statement = imperative || (inverted && (subject_before || (i > start && in_list(WH, i - 1))));
        if (wh || inverted) && !embedded && !statement {
            count += 1;
            i += 3;
        } else {
            i += 1;
        }
        if marked {
            break;
        }
    }
    count
}
