//! Scorecards: YAML in, checked requirements and metrics out.
//!
//! Reading happens in two steps: the `Raw…` types say which keys there are (an unknown key is an error with its place and
//! a suggestion), the public types hold only what makes sense (durations in ms, probabilities in per mille, names that
//! exist, patterns that compile).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;

use crate::acts::ActLexicon;
use crate::matching::{MustWord, PhraseBook, PhraseId};
use crate::operator::{self, Expr};
use crate::record::{ItemKind, Severity};
use crate::recording::{Direction, Language, sha256_hex};
use crate::signals::Metric;
use crate::transcript::{Medium, Role};

/// Larger files are refused before they are read.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Compiled size of one pattern.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Why a scorecard (or a list of acts) cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScorecardError {
    pub message: String,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// In characters, from 1; 0 when the place is not known.
    pub column: u64,
    pub hint: Option<String>,
}

impl fmt::Display for ScorecardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        write!(f, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl ScorecardError {
    pub(crate) fn at<T>(place: &Spanned<T>, message: String) -> ScorecardError {
        let (line, column) = (place.referenced.line(), place.referenced.column());
        ScorecardError { message, line, column, hint: None }
    }

    fn hint(mut self, hint: Option<String>) -> ScorecardError {
        self.hint = hint;
        self
    }
}

/// "did you mean `x`?", when a candidate is close to what was written.
fn did_you_mean<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let scored = candidates.into_iter().map(|c| (strsim::damerau_levenshtein(written, c), c));
    let (distance, best) = scored.min()?;
    (distance <= (written.chars().count() / 3).max(1)).then(|| format!("did you mean `{best}`?"))
}

/// Reads YAML with limits on size, depth and aliases; errors carry line, column and a suggestion.
pub(crate) fn read_yaml<T: de::DeserializeOwned>(yaml: &str) -> Result<T, ScorecardError> {
    if yaml.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES}", yaml.len());
        return Err(ScorecardError { message, line: 0, column: 0, hint: None });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 200, max_anchors: 200, max_depth: 32, max_nodes: 200_000 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
        use serde_saphyr::{Error, MessageFormatter as _, UserMessageFormatter};
        let (line, column) = error.location().map_or((0, 0), |l| (l.line(), l.column()));
        let (message, hint) = match error.without_snippet() {
            Error::SerdeUnknownField { field, expected, .. } => {
                let known = || format!("known keys: {}", expected.join(", "));
                (
                    format!("unknown key `{field}`"),
                    did_you_mean(field, expected.iter().copied()).or_else(|| Some(known())),
                )
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                let known = || format!("one of: {}", expected.join(", "));
                let hint = did_you_mean(variant, expected.iter().copied()).or_else(|| Some(known()));
                (format!("unknown value `{variant}`"), hint)
            }
            Error::SerdeMissingField { field, .. } => (format!("missing key `{field}`"), None),
            // Without the place, which the error has already.
            other => (UserMessageFormatter.format_message(other).replace(char::is_control, " "), None),
        };
        ScorecardError { message, line, column, hint }
    })
}

// ---------------------------------------------------------------- what is written

/// A mapping in the file's order; a repeated key is refused by the reader.
struct Ordered<V>(Vec<(Spanned<String>, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// `text` or `{en: text, zh: text}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text(BTreeMap<Language, String>);

impl Text {
    /// The text in this language, else in the other one; empty when there is none.
    pub fn get(&self, language: Language) -> &str {
        self.0.get(&language).or_else(|| self.0.values().next()).map_or("", String::as_str)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or a mapping from language to text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(BTreeMap::from([(Language::of_text(text).unwrap_or(Language::En), text.to_string())])))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((language, text)) = map.next_entry::<Language, String>()? {
                    texts.insert(language, text);
                }
                Ok(Text(texts))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Lists of phrases per language; one phrase may stand without brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phrases(pub BTreeMap<Language, OneOrMany>);

impl Phrases {
    /// The phrases for a language; empty when there are none.
    pub fn get(&self, language: Language) -> &[String] {
        self.0.get(&language).map_or(&[], |list| &list.0)
    }

    fn is_empty(&self) -> bool {
        self.0.values().all(|list| list.0.is_empty())
    }
}

/// A list that may be written as its only element.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    list.push(text);
                }
                Ok(OneOrMany(list))
            }
        }
        deserializer.deserialize_any(ListVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScorecard {
    schema: Spanned<u32>,
    name: Spanned<String>,
    #[serde(default = "one")]
    version: u32,
    language: Vec<Language>,
    #[serde(default)]
    stages: Vec<Spanned<String>>,
    weights: Ordered<Spanned<u32>>,
    verdicts: Option<Spanned<Verdicts>>,
    #[serde(default)]
    fatal_cap: Option<Spanned<u32>>,
    #[serde(default)]
    metrics: Vec<RawMetric>,
    #[serde(default)]
    requirements: Vec<RawRequirement>,
}

fn one() -> u32 {
    1
}

/// Bounds `{gte, lte}`, both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds<T> {
    #[serde(default = "nothing")]
    pub gte: Option<T>,
    #[serde(default = "nothing")]
    pub lte: Option<T>,
}

fn nothing<T>() -> Option<T> {
    None
}

impl Bounds<i64> {
    /// True when the value is inside.
    pub fn contains(&self, value: i64) -> bool {
        self.gte.is_none_or(|gte| value >= gte) && self.lte.is_none_or(|lte| value <= lte)
    }
}

/// `[low, high]`, `{lte: high}` or `{gte: low}`: a side that is open is `None`.
#[derive(Clone, Copy)]
struct RawRange {
    low: Option<i64>,
    high: Option<i64>,
    from_list: bool,
}

impl<'de> Deserialize<'de> for RawRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RangeVisitor;
        impl<'de> Visitor<'de> for RangeVisitor {
            type Value = RawRange;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[low, high], {lte: number} or {gte: number}, whole numbers in the metric's unit")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawRange, A::Error> {
                let low = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let high = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
                match seq.next_element::<i64>()? {
                    None => Ok(RawRange { low: Some(low), high: Some(high), from_list: true }),
                    Some(_) => Err(de::Error::invalid_length(3, &self)),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawRange, A::Error> {
                let bounds = Bounds::<i64>::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(RawRange { low: bounds.gte, high: bounds.lte, from_list: false })
            }
        }
        deserializer.deserialize_any(RangeVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMetric {
    #[serde(default)]
    id: Option<Spanned<String>>,
    metric: Spanned<String>,
    #[serde(default = "one")]
    version: u32,
    dimension: Spanned<String>,
    #[serde(default = "ten")]
    points: u32,
    full: Spanned<RawRange>,
    zero: RawRange,
    #[serde(default)]
    warn: Option<Bounds<i64>>,
    #[serde(default)]
    when: RawWhen,
    #[serde(default)]
    language: Vec<Language>,
}

fn ten() -> u32 {
    10
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhen {
    #[serde(default)]
    call_type: Vec<String>,
    #[serde(default)]
    campaign: Vec<String>,
    #[serde(default)]
    direction: Vec<Direction>,
    #[serde(default)]
    language: Vec<Language>,
    #[serde(default)]
    medium: Vec<Medium>,
    #[serde(default)]
    duration_s: Option<Bounds<f64>>,
    #[serde(default)]
    expr: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawSource {
    #[default]
    Auto,
    Manual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequirement {
    id: Spanned<String>,
    #[serde(default = "one")]
    version: u32,
    #[serde(default)]
    what: Text,
    #[serde(default)]
    why: Text,
    #[serde(default)]
    coach: Text,
    dimension: Spanned<String>,
    #[serde(default = "major")]
    severity: Severity,
    #[serde(default = "ten")]
    points: u32,
    #[serde(default)]
    source: RawSource,
    #[serde(default)]
    cap: Option<u32>,
    #[serde(default)]
    when: RawWhen,
    #[serde(default)]
    r#match: Ordered<RawMatcher>,
    #[serde(default)]
    require: Option<RawRule>,
    #[serde(default)]
    forbid: Option<RawRule>,
    #[serde(default)]
    except: Vec<Spanned<RawMatcher>>,
    #[serde(default)]
    each: bool,
    #[serde(default)]
    at_most: Option<u32>,
    #[serde(default)]
    examples: Vec<RawExample>,
}

fn major() -> Severity {
    Severity::Major
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    #[serde(default)]
    expr: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    role: Option<Role>,
    #[serde(default)]
    within: Option<RawWithin>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWithin {
    #[serde(default)]
    first_s: Option<f64>,
    #[serde(default)]
    first_turns: Option<u32>,
    #[serde(default)]
    last_s: Option<f64>,
    #[serde(default)]
    last_turns: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAtLeast {
    n: u32,
    of: Phrases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSilence {
    gte_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverlap {
    gte_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatcher {
    #[serde(default)]
    any: Option<Phrases>,
    #[serde(default)]
    all: Option<Phrases>,
    #[serde(default)]
    none: Option<Phrases>,
    #[serde(default)]
    n_of: Option<RawAtLeast>,
    #[serde(default)]
    regex: Option<Spanned<Phrases>>,
    #[serde(default)]
    meaning: Option<Phrases>,
    #[serde(default)]
    act: Option<Spanned<String>>,
    #[serde(default)]
    stage: Option<Spanned<String>>,
    #[serde(default)]
    sentiment: Option<Bounds<f64>>,
    #[serde(default)]
    silence: Option<RawSilence>,
    #[serde(default)]
    overlap: Option<RawOverlap>,
    #[serde(default)]
    metric: Option<Spanned<String>>,
    // Qualifiers.
    #[serde(default)]
    must: Option<Phrases>,
    #[serde(default)]
    not: Option<Phrases>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    role: Option<Role>,
    #[serde(default)]
    within: Option<RawWithin>,
    #[serde(default)]
    threshold: Option<f64>,
    #[serde(default)]
    similarity: Option<f64>,
    #[serde(default)]
    p: Option<f64>,
    #[serde(default)]
    period: Option<Period>,
    #[serde(default)]
    explained: Option<bool>,
    #[serde(default)]
    gte: Option<i64>,
    #[serde(default)]
    lte: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    turns: Vec<ExampleTurn>,
    expect: Spanned<String>,
    #[serde(default)]
    call_type: Option<String>,
    #[serde(default)]
    campaign: Option<String>,
    #[serde(default)]
    direction: Option<Direction>,
    #[serde(default)]
    language: Option<Language>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnnotation {
    #[serde(default)]
    act: Option<String>,
    #[serde(default)]
    acts: Vec<String>,
    #[serde(default)]
    end: Option<f64>,
    #[serde(default)]
    sentiment: Option<f64>,
}

impl<'de> Deserialize<'de> for ExampleTurn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TurnVisitor;
        impl<'de> Visitor<'de> for TurnVisitor {
            type Value = ExampleTurn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[role, begin in seconds, text] or [role, begin, text, {act, acts, end, sentiment}]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ExampleTurn, A::Error> {
                let missing = |n| de::Error::invalid_length(n, &"role, begin in seconds and text");
                let role: Role = seq.next_element()?.ok_or_else(|| missing(0))?;
                let role = a_side(role)?;
                let begin: f64 = seq.next_element()?.ok_or_else(|| missing(1))?;
                let text: String = seq.next_element()?.ok_or_else(|| missing(2))?;
                let extra: RawAnnotation = seq.next_element()?.unwrap_or_default();
                Ok(ExampleTurn {
                    role,
                    begin_ms: thousandths(begin),
                    end_ms: extra.end.map(thousandths),
                    text,
                    acts: extra.act.into_iter().chain(extra.acts).collect(),
                    sentiment_milli: extra.sentiment.map(thousandths),
                })
            }
        }
        deserializer.deserialize_seq(TurnVisitor)
    }
}

/// Only the two sides are searched: a requirement for a menu or a supervisor would never be met.
fn a_side<E: de::Error>(role: Role) -> Result<Role, E> {
    let wrong = || E::custom(format_args!("role `{}` is nobody's side; it is rep or customer", role.name()));
    if role.is_side() { Ok(role) } else { Err(wrong()) }
}

fn role_of_a_side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    Role::deserialize(deserializer).and_then(a_side).map(Some)
}

/// Rounds to thousandths (s → ms, share → per mille, points → millipoints); beyond ±10¹² the limit.
fn thousandths(value: f64) -> i64 {
    // The conversion saturates, and NaN becomes 0.
    (value * 1_000.0).clamp(-1e12, 1e12).round() as i64
}

// ---------------------------------------------------------------- what is meant

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
    #[serde(skip)]
    pub(crate) book: PhraseBook,
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
    pub expr: Option<String>,
    #[serde(skip)]
    pub(crate) parsed: Option<Expr>,
}

/// One requirement of the script.
#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    pub id: String,
    pub version: u32,
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
}

impl Requirement {
    /// True when a person must answer it.
    pub fn is_manual(&self) -> bool {
        self.rule.is_none()
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

/// The part of the call over which sentiment is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    FirstQuarter,
    LastQuarter,
    Call,
    Turn,
}

/// One thing that can be looked for.
#[derive(Clone, Debug, Serialize)]
pub struct Matcher {
    pub pattern: Pattern,
    pub must: Phrases,
    pub not: Phrases,
    pub role: Option<Role>,
    pub within: Within,
    pub threshold_permille: Option<u16>,
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
        similarity_permille: i64,
    },
    Act {
        act: String,
        permille: u16,
    },
    Stage(String),
    /// Bounds in millipoints, −5000…5000.
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
}

impl Pattern {
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
}

// ---------------------------------------------------------------- from written to meant

/// What the parts of a scorecard may refer to.
struct Names<'a> {
    dimensions: Vec<String>,
    stages: Vec<String>,
    languages: Vec<Language>,
    lexicon: &'a ActLexicon,
}

impl Scorecard {
    /// Reads and checks a scorecard; acts are those of the built-in list.
    pub fn parse(yaml: &str) -> Result<Scorecard, ScorecardError> {
        Scorecard::parse_with(yaml, ActLexicon::built_in())
    }

    /// Reads and checks a scorecard whose acts are those of `lexicon`.
    pub fn parse_with(yaml: &str, lexicon: &ActLexicon) -> Result<Scorecard, ScorecardError> {
        let raw: RawScorecard = read_yaml(yaml)?;
        if raw.schema.value != 1 {
            let message = format!("schema {} is not known to this program (it reads 1)", raw.schema.value);
            return Err(ScorecardError::at(&raw.schema, message));
        }
        let names = Names {
            dimensions: raw.weights.0.iter().map(|(name, _)| name.value.clone()).collect(),
            stages: raw.stages.iter().map(|s| s.value.clone()).collect(),
            languages: raw.language.clone(),
            lexicon,
        };
        if raw.language.is_empty() {
            return Err(ScorecardError::at(&raw.name, "`language` names no language".to_string()));
        }
        let mut seen = BTreeSet::new();
        for stage in &raw.stages {
            if !seen.insert(&stage.value) {
                return Err(ScorecardError::at(stage, format!("stage `{}` is listed twice", stage.value)));
            }
        }
        let mut weights = Vec::new();
        for (name, weight) in &raw.weights.0 {
            if weight.value == 0 || weight.value > 10_000 {
                return Err(ScorecardError::at(weight, format!("the weight of `{}` must be 1 … 10000", name.value)));
            }
            weights.push((name.value.clone(), weight.value));
        }
        if weights.is_empty() {
            return Err(ScorecardError::at(&raw.name, "`weights` is empty".to_string()));
        }
        let verdicts = match &raw.verdicts {
            Some(given) if given.value.coach > given.value.pass || given.value.pass > 100 => {
                return Err(ScorecardError::at(given, "verdicts need coach ≤ pass ≤ 100".to_string()));
            }
            Some(given) => given.value,
            None => Verdicts { pass: 85, coach: 70 },
        };
        if let Some(cap) = raw.fatal_cap.as_ref().filter(|cap| cap.value > 100) {
            return Err(ScorecardError::at(cap, "fatal_cap is more than 100 points".to_string()));
        }
        let mut book = PhraseBook::default();
        let metrics = metrics(raw.metrics, &names)?;
        let mut ids: BTreeSet<String> = metrics.iter().map(|m| m.id.clone()).collect();
        let mut requirements = Vec::new();
        for requirement in raw.requirements {
            let id = &requirement.id;
            if id.value.is_empty() || !id.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
                let message = format!("id `{}` may only have letters, digits, `_`, `-` and `.`", id.value);
                return Err(ScorecardError::at(id, message));
            }
            if !ids.insert(id.value.clone()) {
                return Err(ScorecardError::at(id, format!("id `{}` is used twice", id.value)));
            }
            requirements.push(requirement.check(&names, &mut book)?);
        }
        let mut scorecard = Scorecard {
            name: raw.name.value,
            version: raw.version,
            languages: raw.language,
            stages: names.stages,
            weights,
            verdicts,
            fatal_cap: raw.fatal_cap.map_or(0, |cap| cap.value),
            metrics,
            requirements,
            hash: String::new(),
            book,
        };
        // Cannot fail: only strings, integers and maps with string keys.
        #[allow(clippy::expect_used)]
        let canonical = serde_json::to_vec(&scorecard).expect("a scorecard serialises");
        scorecard.hash = sha256_hex(&canonical);
        Ok(scorecard)
    }

    /// All `meaning` phrases of a language that need an embedding; sorted, distinct.
    pub fn meaning_phrases(&self, language: Language) -> Vec<String> {
        let matchers = self.requirements.iter().flat_map(|r| r.matchers.values().chain(&r.except));
        let phrases = matchers.filter_map(|m| match &m.pattern {
            Pattern::Meaning { phrases, .. } => Some(phrases.get(language)),
            _ => None,
        });
        phrases.flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn dimension(written: &Spanned<String>, names: &Names<'_>) -> Result<String, ScorecardError> {
    if names.dimensions.contains(&written.value) {
        return Ok(written.value.clone());
    }
    let hint = did_you_mean(&written.value, names.dimensions.iter().map(String::as_str))
        .or_else(|| Some("dimensions are the keys of `weights`".to_string()));
    Err(ScorecardError::at(written, format!("unknown dimension `{}`", written.value)).hint(hint))
}

fn metric(written: &Spanned<String>) -> Result<Metric, ScorecardError> {
    Metric::parse(&written.value).ok_or_else(|| {
        let hint = did_you_mean(&written.value, Metric::ALL.iter().map(|m| m.id()));
        ScorecardError::at(written, format!("unknown metric `{}`", written.value)).hint(hint)
    })
}

fn metrics(raw: Vec<RawMetric>, names: &Names<'_>) -> Result<Vec<MetricItem>, ScorecardError> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &raw {
        *uses.entry(entry.metric.value.clone()).or_default() += 1;
    }
    let mut ids = BTreeSet::new();
    let mut items = Vec::new();
    for entry in raw {
        let metric = metric(&entry.metric)?;
        let languages: Vec<&str> = entry.language.iter().map(|l| l.code()).collect();
        let id = match &entry.id {
            Some(id) => id.value.clone(),
            None if uses[&entry.metric.value] > 1 && !languages.is_empty() => {
                format!("{}_{}", metric.id(), languages.join("_"))
            }
            None => metric.id().to_string(),
        };
        if !ids.insert(id.clone()) {
            let hint = Some("give one of them an `id`".to_string());
            return Err(ScorecardError::at(&entry.metric, format!("metric id `{id}` is used twice")).hint(hint));
        }
        items.push(MetricItem {
            id,
            version: entry.version,
            metric,
            dimension: dimension(&entry.dimension, names)?,
            points: entry.points,
            trapezoid: trapezoid(&entry.full, entry.zero)?,
            warn: entry.warn,
            when: entry.when.check(&BTreeMap::new())?,
            languages: entry.language,
        });
    }
    Ok(items)
}

/// `full` and `zero` as the four corners; a one-sided `full: {lte: c}` goes with `zero: {gte: d}`, and the reverse.
fn trapezoid(full: &Spanned<RawRange>, zero: RawRange) -> Result<Trapezoid, ScorecardError> {
    let wrong = |message: &str| Err(ScorecardError::at(full, message.to_string()));
    let range = full.value;
    let (zero_below, zero_above) = if zero.from_list { (zero.low, zero.high) } else { (zero.high, zero.low) };
    let corners = Trapezoid { zero_below, full_from: range.low, full_to: range.high, zero_above };
    if range.low.is_some() != zero_below.is_some() || range.high.is_some() != zero_above.is_some() {
        return wrong(
            "`full` and `zero` must limit the same sides: [b, c] with [a, d], {lte} with {gte}, {gte} with {lte}",
        );
    }
    if range.low.is_none() && range.high.is_none() {
        return wrong("`full` has no limit");
    }
    let corner = [corners.zero_below, corners.full_from, corners.full_to, corners.zero_above];
    let given: Vec<i64> = corner.into_iter().flatten().collect();
    if given.windows(2).any(|pair| pair[0] > pair[1]) {
        return wrong("the corners must rise: zero ≤ full ≤ full ≤ zero");
    }
    // a = b or c = d opens that side (SCORING.md §1).
    let open_low = corners.zero_below == corners.full_from;
    let open_high = corners.zero_above == corners.full_to;
    Ok(Trapezoid {
        zero_below: corners.zero_below.filter(|_| !open_low),
        full_from: corners.full_from.filter(|_| !open_low),
        full_to: corners.full_to.filter(|_| !open_high),
        zero_above: corners.zero_above.filter(|_| !open_high),
    })
}

/// Parses an expression and checks that its names are matchers.
fn expression(written: &Spanned<String>, matchers: &BTreeMap<String, Matcher>) -> Result<Expr, ScorecardError> {
    let parsed = operator::parse(&written.value).map_err(|e| ScorecardError::at(written, e.to_string()))?;
    for name in parsed.names() {
        if !matchers.contains_key(name) {
            let hint = did_you_mean(name, matchers.keys().map(String::as_str)).or_else(|| {
                Some(format!("known matchers: {}", matchers.keys().cloned().collect::<Vec<_>>().join(", ")))
            });
            return Err(ScorecardError::at(written, format!("`{name}` is not under `match`")).hint(hint));
        }
    }
    Ok(parsed)
}

impl RawWhen {
    fn check(self, matchers: &BTreeMap<String, Matcher>) -> Result<When, ScorecardError> {
        let parsed = self.expr.as_ref().map(|expr| expression(expr, matchers)).transpose()?;
        Ok(When {
            call_types: self.call_type,
            campaigns: self.campaign,
            directions: self.direction,
            languages: self.language,
            media: self.medium,
            duration_ms: self.duration_s.map(|b| Bounds { gte: b.gte.map(thousandths), lte: b.lte.map(thousandths) }),
            expr: self.expr.map(|expr| expr.value),
            parsed,
        })
    }
}

impl RawRequirement {
    fn check(self, names: &Names<'_>, book: &mut PhraseBook) -> Result<Requirement, ScorecardError> {
        let wrong = |message: String| Err(ScorecardError::at(&self.id, format!("`{}`: {message}", self.id.value)));
        let (kind, rule) = match (self.require, self.forbid) {
            (Some(_), Some(_)) => return wrong("has both `require` and `forbid`".to_string()),
            (Some(rule), None) => (ItemKind::Required, Some(rule)),
            (None, Some(rule)) => (ItemKind::Forbidden, Some(rule)),
            (None, None) => (ItemKind::Required, None),
        };
        match (&rule, self.source) {
            (None, RawSource::Auto) => {
                return wrong("needs `require` or `forbid` (or `source: manual`)".to_string());
            }
            (Some(_), RawSource::Manual) => {
                return wrong("is `source: manual` and has a rule".to_string());
            }
            _ => {}
        }
        if self.points > 1_000 {
            return wrong("has more than 1000 points".to_string());
        }
        if kind == ItemKind::Required && (self.each || self.at_most.is_some()) {
            return wrong("`each` and `at_most` go with `forbid`".to_string());
        }
        if self.at_most == Some(0) || (self.at_most.is_some() && !self.each) {
            return wrong("`at_most` goes with `each: true` and is at least 1".to_string());
        }
        if self.cap.is_some() && self.severity != Severity::Fatal {
            return wrong("`cap` goes with `severity: fatal`".to_string());
        }
        if self.severity == Severity::Bonus && kind == ItemKind::Forbidden {
            return wrong("a bonus cannot be forbidden".to_string());
        }
        let dimension = dimension(&self.dimension, names)?;
        let role = rule.as_ref().and_then(|r| r.role);
        let within = rule.as_ref().and_then(|r| r.within);
        let mut matchers = BTreeMap::new();
        for (name, raw) in self.r#match.0 {
            if !operator::is_name(&name.value) {
                let message = format!("`{}` cannot name a matcher (a letter, then letters, digits, `_`)", name.value);
                return Err(ScorecardError::at(&name, message));
            }
            let matcher = raw.check(&name, names, book, role, within)?;
            matchers.insert(name.value, matcher);
        }
        let mut except = Vec::new();
        for raw in self.except {
            let place = Spanned::new("except".to_string(), raw.referenced, raw.defined);
            except.push(raw.value.check(&place, names, book, None, None)?);
        }
        let when = self.when.check(&matchers)?;
        let rule = match rule {
            None => None,
            Some(raw) => {
                let (expr, parsed) = match &raw.expr {
                    Some(written) => (written.value.clone(), expression(written, &matchers)?),
                    None if matchers.is_empty() => {
                        return Err(ScorecardError::at(&self.id, format!("`{}` has no matcher", self.id.value)));
                    }
                    // Without an expression any matcher will do.
                    None => (
                        matchers.keys().cloned().collect::<Vec<_>>().join(" or "),
                        Expr::Or(matchers.keys().cloned().map(Expr::Name).collect()),
                    ),
                };
                Some(Rule { kind, expr, each: self.each, at_most: self.at_most, parsed })
            }
        };
        let mut examples = Vec::new();
        for raw in self.examples {
            examples.push(raw.check(names)?);
        }
        Ok(Requirement {
            id: self.id.value,
            version: self.version,
            what: self.what,
            why: self.why,
            coach: self.coach,
            dimension,
            severity: self.severity,
            points: self.points,
            cap: self.cap,
            when,
            matchers,
            rule,
            except,
            examples,
        })
    }
}

impl RawExample {
    fn check(self, names: &Names<'_>) -> Result<Example, ScorecardError> {
        use crate::record::Outcome;
        let outcomes = [
            ("met", Outcome::Met),
            ("missed", Outcome::Missed),
            ("violated", Outcome::Violated),
            ("clear", Outcome::Clear),
            ("n/a", Outcome::NotApplicable),
            ("not_applicable", Outcome::NotApplicable),
            ("unknown", Outcome::Unknown),
        ];
        let Some((_, expect)) = outcomes.iter().find(|(name, _)| *name == self.expect.value) else {
            let hint = did_you_mean(&self.expect.value, outcomes.iter().map(|(name, _)| *name))
                .or_else(|| Some("met, missed, violated, clear, n/a or unknown".to_string()));
            return Err(ScorecardError::at(&self.expect, format!("unknown result `{}`", self.expect.value)).hint(hint));
        };
        for act in self.turns.iter().flat_map(|t| &t.acts) {
            if !names.lexicon.names().any(|known| known == act) {
                let hint = did_you_mean(act, names.lexicon.names());
                return Err(ScorecardError::at(&self.expect, format!("unknown act `{act}` in this example")).hint(hint));
            }
        }
        Ok(Example {
            turns: self.turns,
            expect: *expect,
            call_type: self.call_type,
            campaign: self.campaign,
            direction: self.direction,
            language: self.language,
        })
    }
}

impl RawMatcher {
    fn check(
        self,
        name: &Spanned<String>,
        names: &Names<'_>,
        book: &mut PhraseBook,
        role: Option<Role>,
        within: Option<RawWithin>,
    ) -> Result<Matcher, ScorecardError> {
        let wrong = |message: &str| Err(ScorecardError::at(name, format!("matcher `{}` {message}", name.value)));
        let permille = |value: Option<f64>, default: f64| {
            let value = value.unwrap_or(default);
            if (0.0..=1.0).contains(&value) { Ok(thousandths(value) as u16) } else { wrong_share(name) }
        };
        let kinds = [
            ("any", self.any.is_some()),
            ("all", self.all.is_some()),
            ("none", self.none.is_some()),
            ("n_of", self.n_of.is_some()),
            ("regex", self.regex.is_some()),
            ("meaning", self.meaning.is_some()),
            ("act", self.act.is_some()),
            ("stage", self.stage.is_some()),
            ("sentiment", self.sentiment.is_some()),
            ("silence", self.silence.is_some()),
            ("overlap", self.overlap.is_some()),
            ("metric", self.metric.is_some()),
        ];
        let given: Vec<&str> = kinds.iter().filter(|(_, there)| *there).map(|(kind, _)| *kind).collect();
        let [kind] = given[..] else {
            let all: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
            let message = format!("needs exactly one of {}; it has {}", all.join(", "), given.len());
            return wrong(&message);
        };
        let by_phrase = ["any", "all", "none", "n_of"].contains(&kind);
        // A qualifier that the kind does not read would be silently without effect.
        for (qualifier, there, allowed) in [
            ("must", self.must.is_some(), by_phrase),
            ("not", self.not.is_some(), by_phrase || kind == "regex"),
            ("threshold", self.threshold.is_some(), by_phrase),
            ("similarity", self.similarity.is_some(), kind == "meaning"),
            ("p", self.p.is_some(), kind == "act"),
            ("period", self.period.is_some(), kind == "sentiment"),
            ("explained", self.explained.is_some(), kind == "silence"),
            ("gte", self.gte.is_some(), kind == "metric"),
            ("lte", self.lte.is_some(), kind == "metric"),
        ] {
            if there && !allowed {
                return wrong(&format!("has `{qualifier}`, which means nothing with `{kind}`"));
            }
        }
        if self.role == Some(Role::Unknown) {
            return wrong("has role `unknown`; it is rep or customer");
        }
        let mut regex_place = None;
        let pattern = if let Some(phrases) = self.any {
            Pattern::Any(phrases)
        } else if let Some(phrases) = self.all {
            Pattern::All(phrases)
        } else if let Some(phrases) = self.none {
            Pattern::None(phrases)
        } else if let Some(RawAtLeast { n, of }) = self.n_of {
            if n == 0 || of.0.values().any(|list| (list.0.len() as u32) < n) {
                return wrong("has `n` of 0, or more than there are phrases");
            }
            Pattern::AtLeast { n, of }
        } else if let Some(patterns) = self.regex {
            regex_place = Some(Spanned::new((), patterns.referenced, patterns.defined));
            Pattern::Regex(patterns.value)
        } else if let Some(phrases) = self.meaning {
            Pattern::Meaning { phrases, similarity_permille: i64::from(permille(self.similarity, 0.75)?) }
        } else if let Some(act) = self.act {
            if !names.lexicon.names().any(|known| known == act.value) {
                let hint = did_you_mean(&act.value, names.lexicon.names());
                return Err(ScorecardError::at(&act, format!("unknown act `{}`", act.value)).hint(hint));
            }
            Pattern::Act { act: act.value, permille: permille(self.p, 0.7)? }
        } else if let Some(stage) = self.stage {
            if !names.stages.contains(&stage.value) {
                let hint = did_you_mean(&stage.value, names.stages.iter().map(String::as_str));
                return Err(ScorecardError::at(&stage, format!("unknown stage `{}`", stage.value)).hint(hint));
            }
            Pattern::Stage(stage.value)
        } else if let Some(bounds) = self.sentiment {
            let points = Bounds { gte: bounds.gte.map(thousandths), lte: bounds.lte.map(thousandths) };
            if points == Bounds::default() || points.gte.into_iter().chain(points.lte).any(|v| v.abs() > 5_000) {
                return wrong("needs `gte` or `lte` between -5 and 5");
            }
            Pattern::Sentiment { bounds: points, period: self.period.unwrap_or(Period::Turn) }
        } else if let Some(silence) = self.silence {
            Pattern::Silence { gte_ms: thousandths(silence.gte_s), explained: self.explained }
        } else if let Some(overlap) = self.overlap {
            Pattern::Overlap { gte_ms: overlap.gte_ms }
        } else if let Some(written) = self.metric {
            let bounds = Bounds { gte: self.gte, lte: self.lte };
            if bounds == Bounds::default() {
                return wrong("needs `gte` or `lte`");
            }
            Pattern::Metric { metric: metric(&written)?, bounds }
        } else {
            return wrong("is empty");
        };
        let must = self.must.unwrap_or_default();
        let not = self.not.unwrap_or_default();
        if pattern.phrases().is_some_and(Phrases::is_empty) {
            return wrong("has no phrase");
        }
        let mut compiled: BTreeMap<Language, Compiled> = BTreeMap::new();
        if let Some(phrases) = pattern.phrases() {
            for language in phrases.0.keys() {
                if !names.languages.contains(language) {
                    let message =
                        format!("has phrases in `{}`, which is not a `language` of the scorecard", language.code());
                    return wrong(&message);
                }
                let mut part = Compiled::default();
                if kind == "regex" {
                    let place = regex_place.as_ref().map_or(name.referenced, |p| p.referenced);
                    part.regexes = compile_patterns(phrases.get(*language), name, place)?;
                    part.not_regexes = compile_patterns(not.get(*language), name, place)?;
                } else if by_phrase {
                    let mut add = |list: &[String]| -> Result<Vec<PhraseId>, ScorecardError> {
                        let ids: Option<Vec<PhraseId>> = list.iter().map(|p| book.add(p, *language)).collect();
                        let empty =
                            || ScorecardError::at(name, format!("matcher `{}` has an empty phrase", name.value));
                        ids.ok_or_else(empty)
                    };
                    part.phrases = add(phrases.get(*language))?;
                    part.not = add(not.get(*language))?;
                    part.must = must.get(*language).iter().filter_map(|w| MustWord::new(w, *language)).collect();
                }
                compiled.insert(*language, part);
            }
        }
        let within = self.within.or(within).map_or(Within::default(), |w| Within {
            first_ms: w.first_s.map(thousandths),
            first_turns: w.first_turns,
            last_ms: w.last_s.map(thousandths),
            last_turns: w.last_turns,
        });
        let threshold_permille = self.threshold.map(|t| permille(Some(t), t)).transpose()?;
        // Sentiment is the customer's unless the scorecard says otherwise; an act's speaker is the lexicon's.
        let default_role = match &pattern {
            Pattern::Sentiment { .. } => role.or(Some(Role::Customer)),
            Pattern::Act { act, .. } => names.lexicon.role_of(act).or(role),
            _ => role,
        };
        Ok(Matcher { pattern, must, not, role: self.role.or(default_role), within, threshold_permille, compiled })
    }
}

fn wrong_share(name: &Spanned<String>) -> Result<u16, ScorecardError> {
    Err(ScorecardError::at(name, format!("matcher `{}`: probabilities and thresholds are between 0 and 1", name.value)))
}

fn compile_patterns(
    patterns: &[String],
    name: &Spanned<String>,
    place: serde_saphyr::Location,
) -> Result<Vec<Regex>, ScorecardError> {
    let compile = |pattern: &String| {
        let built = RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES)
            .build();
        let regex = built.map_err(|error| {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_string(),
                // The last line of a syntax error says what is wrong; those before draw the pattern.
                other => other.to_string().lines().last().unwrap_or_default().trim().to_string(),
            };
            let message = format!("matcher `{}`: bad pattern: {reason}", name.value);
            ScorecardError { message, line: place.line(), column: place.column(), hint: None }
        })?;
        if regex.is_match("") {
            let message = format!("matcher `{}`: the pattern matches empty text", name.value);
            return Err(ScorecardError { message, line: place.line(), column: place.column(), hint: None });
        }
        Ok(regex)
    };
    patterns.iter().map(compile).collect()
}

// ---------------------------------------------------------------- advice

/// How much a lint finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// The requirement cannot do what it says.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something that is allowed but probably not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    pub severity: LintSeverity,
    pub requirement_id: String,
    pub message: String,
    pub hint: String,
}

/// Looks for what is allowed but probably not wanted.
pub fn lint(scorecard: &Scorecard) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    for (name, _) in &scorecard.weights {
        let used = scorecard.metrics.iter().map(|m| &m.dimension);
        let required = scorecard.requirements.iter().filter(|r| r.kind() == ItemKind::Required).map(|r| &r.dimension);
        if !used.chain(required).any(|d| d == name) {
            findings.push(LintFinding {
                severity: LintSeverity::Note,
                requirement_id: String::new(),
                message: format!("dimension `{name}` has a weight but no required item"),
                hint: "its weight goes to the other dimensions".to_string(),
            });
        }
    }
    for requirement in &scorecard.requirements {
        lint_requirement(scorecard, requirement, &mut findings);
    }
    findings
}

fn lint_requirement(scorecard: &Scorecard, requirement: &Requirement, findings: &mut Vec<LintFinding>) {
    let mut add = |severity, message: String, hint: &str| {
        let requirement_id = requirement.id.clone();
        findings.push(LintFinding { severity, requirement_id, message, hint: hint.to_string() });
    };
    for (what, text) in [("what", &requirement.what), ("why", &requirement.why), ("coach", &requirement.coach)] {
        if text.0.is_empty() {
            add(LintSeverity::Note, format!("has no `{what}`"), "people read it beside the result");
        }
    }
    let Some(rule) = &requirement.rule else { return };
    let names = rule.parsed.names();
    for (name, matcher) in &requirement.matchers {
        let in_when = requirement.when.parsed.iter().any(|e| e.names().contains(&name.as_str()));
        if !names.contains(&name.as_str()) && !in_when {
            add(LintSeverity::Warning, format!("matcher `{name}` is not used"), "name it in `expr` or remove it");
        }
        if matcher.within.first_ms.is_some() && matcher.within.first_turns.is_none() {
            add(
                LintSeverity::Note,
                format!("matcher `{name}` has `first_s` only"),
                "text calls need `first_turns` too",
            );
        }
        if let Pattern::Any(phrases) | Pattern::All(phrases) | Pattern::AtLeast { of: phrases, .. } = &matcher.pattern {
            for (language, list) in &phrases.0 {
                let Some(compiled) = matcher.compiled.get(language).filter(|c| !c.must.is_empty()) else { continue };
                for phrase in &list.0 {
                    if !crate::matching::phrase_has(phrase, *language, &compiled.must) {
                        let message = format!("matcher `{name}`: \"{phrase}\" has none of the `must` words");
                        add(LintSeverity::Warning, message, "said exactly like this it would not match");
                    }
                }
            }
        }
    }
    for language in &scorecard.languages {
        if !requirement.when.languages.is_empty() && !requirement.when.languages.contains(language) {
            continue;
        }
        let speaks = |matcher: &Matcher| matcher.pattern.phrases().is_none_or(|p| !p.get(*language).is_empty());
        if !names.iter().any(|n| requirement.matchers.get(*n).is_some_and(speaks)) {
            let message = format!("has no phrases in `{}`", language.code());
            add(LintSeverity::Warning, message, "it is not applicable to calls in that language");
        }
        let shown = |e: &Example| {
            let text: String = e.turns.iter().map(|t| t.text.as_str()).collect();
            e.language.or_else(|| Language::of_text(&text)) == Some(*language)
        };
        if !requirement.examples.iter().any(shown) {
            let message = format!("has no example in `{}`", language.code());
            add(LintSeverity::Note, message, "add one call that meets it and one that does not");
        }
    }
    let outcomes: BTreeSet<_> = requirement.examples.iter().map(|e| e.expect).collect();
    if requirement.examples.len() > 1 && outcomes.len() == 1 {
        add(LintSeverity::Note, "all examples expect the same result".to_string(), "add a counter-example");
    }
}
