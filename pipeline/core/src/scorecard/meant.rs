//! A checked scorecard: only what makes sense, in the units of the program.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Bounds, Phrases, Place, Text};
use crate::matching::{MustWord, PatternBook, PhraseBook, PhraseId, Stance};
use crate::operator::Expr;
use crate::record::{ItemKind, Severity};
use crate::recording::{Clock, Direction, Language};
use crate::signals::Metric;
use crate::transcript::{Medium, Role};

/// Bands of the verdict, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    pub pass: u32,
    pub coach: u32,
}

/// A checked scorecard.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    pub name: String,
    pub version: u32,
    pub languages: Vec<Language>,
    /// In the order that the script wants.
    pub stages: Vec<String>,
    /// Dimension → weight, in the file's order.
    pub weights: Vec<(String, u32)>,
    pub verdicts: Verdicts,
    /// Points that a confirmed fatal leaves, unless its requirement says otherwise.
    pub fatal_cap: u32,
    pub metrics: Vec<MetricItem>,
    pub requirements: Vec<Requirement>,
    /// SHA-256 of the content: comments, layout, key order and written-out defaults do not change it.
    #[serde(skip)]
    pub hash: String,
    /// Where the weights stand.
    #[serde(skip)]
    pub weights_place: Place,
    #[serde(skip)]
    pub(crate) book: PhraseBook,
    #[serde(skip)]
    pub(crate) pattern_book: PatternBook,
}

/// A metric that is scored by a trapezoid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MetricItem {
    /// The metric's name, with the languages appended when several items share a metric.
    pub id: String,
    pub version: u32,
    #[serde(serialize_with = "metric_id")]
    pub metric: Metric,
    pub dimension: String,
    pub points: u32,
    pub trapezoid: Trapezoid,
    pub warn: Option<Bounds<i64>>,
    pub when: When,
    /// Empty: every language.
    pub languages: Vec<Language>,
    #[serde(skip)]
    pub place: Place,
}

fn metric_id<S: serde::Serializer>(metric: &Metric, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(metric.id())
}

/// 0 up to `zero_below`, rising to 1000 at `full_from`, 1000 to `full_to`, falling to 0 at `zero_above`; a side that is
/// `None` is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trapezoid {
    pub zero_below: Option<i64>,
    pub full_from: Option<i64>,
    pub full_to: Option<i64>,
    pub zero_above: Option<i64>,
}

impl Trapezoid {
    /// The value in per mille, rounded down.
    pub fn value_permille(&self, x: i64) -> u16 {
        let share = |part: i64, whole: i64| {
            // i128: part and whole are differences of arbitrary integers.
            let permille = i128::from(part) * 1_000 / i128::from(whole.max(1));
            permille.clamp(0, 1_000) as u16
        };
        if let (Some(a), Some(b)) = (self.zero_below, self.full_from)
            && x < b
        {
            return if x <= a { 0 } else { share(x.saturating_sub(a), b.saturating_sub(a)) };
        }
        if let (Some(c), Some(d)) = (self.full_to, self.zero_above)
            && x > c
        {
            return if x >= d { 0 } else { share(d.saturating_sub(x), d.saturating_sub(c)) };
        }
        1_000
    }
}

/// Conditions under which an item applies; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct When {
    pub call_types: Vec<String>,
    pub campaigns: Vec<String>,
    pub directions: Vec<Direction>,
    pub languages: Vec<Language>,
    pub media: Vec<Medium>,
    pub duration_ms: Option<Bounds<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<bool>,
    pub expr: Option<String>,
    #[serde(skip)]
    pub(crate) parsed: Option<Expr>,
}

/// One requirement of the script.
#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    pub id: String,
    pub version: u32,
    /// What it is called in reports; empty: by its id.
    pub name: Text,
    pub what: Text,
    pub why: Text,
    pub coach: Text,
    pub dimension: String,
    pub severity: Severity,
    pub points: u32,
    /// Points that a confirmed fatal of this requirement leaves; `None`: the scorecard's `fatal_cap`.
    pub cap: Option<u32>,
    pub when: When,
    pub matchers: BTreeMap<String, Matcher>,
    /// `None`: only people can judge it.
    pub rule: Option<Rule>,
    pub except: Vec<Matcher>,
    pub examples: Vec<Example>,
    #[serde(skip)]
    pub place: Place,
}

impl Requirement {
    /// True when a person must answer it.
    pub fn is_manual(&self) -> bool {
        self.rule.is_none()
    }

    /// Phrases that its matchers look for in a language.
    pub(crate) fn phrases(&self, language: Language) -> impl Iterator<Item = PhraseId> {
        let matchers = self.matchers.values().chain(&self.except);
        let compiled = matchers.filter_map(move |matcher| matcher.compiled.get(&language));
        compiled.flat_map(|compiled| compiled.phrases.iter().chain(&compiled.not).copied())
    }

    /// Whether it asks for something or forbids it (manual ones ask).
    pub fn kind(&self) -> ItemKind {
        self.rule.as_ref().map_or(ItemKind::Required, |rule| rule.kind)
    }
}

/// What is required or forbidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    #[serde(serialize_with = "kind_name")]
    pub kind: ItemKind,
    pub expr: String,
    /// Forbidden only: deduct per occurrence …
    pub each: bool,
    /// … but not more often than this.
    pub at_most: Option<u32>,
    #[serde(skip)]
    pub place: Place,
    #[serde(skip)]
    pub(crate) parsed: Expr,
}

fn kind_name<S: serde::Serializer>(kind: &ItemKind, serializer: S) -> Result<S::Ok, S::Error> {
    kind.serialize(serializer)
}

/// Which part of the call is searched. Speech uses the seconds where they are given, text the turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Within {
    pub first_ms: Option<i64>,
    pub first_turns: Option<u32>,
    pub last_ms: Option<i64>,
    pub last_turns: Option<u32>,
}

/// The part of the call over which something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    FirstQuarter,
    LastQuarter,
    Call,
    Turn,
    /// Each turn less the same role's turn before.
    TurnChange,
    /// The last quarter of the call less the first.
    Shift,
}

/// One thing that can be looked for.
#[derive(Clone, Debug, Serialize)]
pub struct Matcher {
    pub pattern: Pattern,
    pub must: Phrases,
    pub not: Phrases,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Stance>,
    pub role: Option<Role>,
    pub within: Within,
    pub threshold_permille: Option<u16>,
    /// The phrases of `all` and `n_of` stand in one turn with at most this many words (Chinese: characters) between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_words: Option<u32>,
    #[serde(skip)]
    pub place: Place,
    #[serde(skip)]
    pub(crate) compiled: BTreeMap<Language, Compiled>,
}

/// What a matcher needs for one language.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiled {
    pub phrases: Vec<PhraseId>,
    pub must: Vec<MustWord>,
    pub not: Vec<PhraseId>,
    pub regexes: Vec<Regex>,
    pub not_regexes: Vec<Regex>,
    /// Number in the pattern book, where patterns are also looked for in mended turns.
    pub mended: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    Any(Phrases),
    All(Phrases),
    /// Holds when none of the phrases is said.
    None(Phrases),
    AtLeast {
        n: u32,
        of: Phrases,
    },
    Regex(Phrases),
    Meaning {
        phrases: Phrases,
        /// Least similarity, by language: encoders of two languages have scales of their own.
        similarity_permille: BTreeMap<Language, i64>,
    },
    Act {
        act: String,
        /// Least probability; `None`: whatever counts as the act.
        permille: Option<u16>,
    },
    Stage(String),
    /// Bounds in millipoints, −5000…5000; of a change, twice that.
    Sentiment {
        bounds: Bounds<i64>,
        period: Period,
    },
    Silence {
        gte_ms: i64,
        explained: Option<bool>,
    },
    Overlap {
        gte_ms: i64,
    },
    Metric {
        #[serde(serialize_with = "metric_id")]
        metric: Metric,
        bounds: Bounds<i64>,
    },
    /// English words or Chinese characters per minute of own speech; of a change, per mille.
    Pace {
        bounds: BTreeMap<Language, Bounds<i64>>,
        period: Period,
    },
    /// Hundredths of a decibel of full scale; of a change, hundredths of a decibel.
    Loudness {
        bounds: Bounds<i64>,
        period: Period,
    },
    /// Milliseconds, of the call or of each turn.
    Duration {
        bounds: Bounds<i64>,
        period: Period,
    },
    /// This side hung up.
    HangUp(Role),
    /// A role says the same run of words in at least `times` turns, the last at most `turns` of its own turns later.
    Repeat {
        words: u32,
        times: u32,
        turns: Option<u32>,
    },
    /// The call began at or after `from_minute` and before `to_minute` of the day; over midnight when `from` is later.
    LocalTime {
        from_minute: i64,
        to_minute: i64,
        clock: Clock,
    },
}

impl Pattern {
    /// Phrases or regular expressions: what `not` and `unless` can take back.
    pub(super) fn is_of_words(&self) -> bool {
        self.phrases().is_some() && !matches!(self, Pattern::Meaning { .. })
    }

    /// The phrases or patterns, for matchers that have them per language.
    pub fn phrases(&self) -> Option<&Phrases> {
        match self {
            Pattern::Any(p) | Pattern::All(p) | Pattern::None(p) | Pattern::Regex(p) => Some(p),
            Pattern::AtLeast { of: p, .. } | Pattern::Meaning { phrases: p, .. } => Some(p),
            _ => None,
        }
    }
}

/// A small call with the result that the requirement must give for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    pub turns: Vec<ExampleTurn>,
    pub expect: crate::record::Outcome,
    pub call_type: Option<String>,
    pub campaign: Option<String>,
    pub direction: Option<Direction>,
    pub language: Option<Language>,
    /// Whose line is closed at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hung_up_by: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_tz: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExampleTurn {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: Option<i64>,
    pub text: String,
    /// Acts that the author says the turn has, beside those found by phrase.
    pub acts: Vec<String>,
    /// −5000…5000.
    pub sentiment_milli: Option<i64>,
    /// Loudness of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_centi_dbfs: Option<i64>,
}
