//! What a scorecard's file may hold: an unknown key is an error with its place and a suggestion.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;

use super::{ExampleTurn, Period, Verdicts};
use crate::matching::Stance;
use crate::record::Severity;
use crate::recording::{Clock, Direction, Language};
use crate::transcript::{Medium, Role};

/// A mapping in the file's order; a repeated key is refused by the reader.
pub(super) struct Ordered<V>(pub(super) Vec<(Spanned<String>, V)>);

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
                f.write_str("keys and values")
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
pub struct Text(pub(super) BTreeMap<Language, String>);

impl Text {
    /// The text in this language, else in the other one; empty when there is none.
    pub fn get(&self, language: Language) -> &str {
        self.only(language).or_else(|| self.0.values().next().map(String::as_str)).unwrap_or_default()
    }

    /// The text in this language.
    pub fn only(&self, language: Language) -> Option<&str> {
        self.0.get(&language).map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or one per language, such as {en: text, zh: 文字}")
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

    pub(super) fn is_empty(&self) -> bool {
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
pub(super) struct RawScorecard {
    pub(super) schema: Spanned<u32>,
    pub(super) name: Spanned<String>,
    #[serde(default = "one")]
    pub(super) version: u32,
    pub(super) language: Vec<Language>,
    #[serde(default)]
    pub(super) stages: Vec<Spanned<String>>,
    pub(super) weights: Ordered<Spanned<u32>>,
    pub(super) verdicts: Option<Spanned<Verdicts>>,
    #[serde(default)]
    pub(super) fatal_cap: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) metrics: Vec<RawMetric>,
    #[serde(default)]
    pub(super) requirements: Vec<RawRequirement>,
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

impl<T: PartialOrd> Bounds<T> {
    /// True when no value is within them.
    pub(super) fn are_crossed(&self) -> bool {
        matches!((&self.gte, &self.lte), (Some(gte), Some(lte)) if gte > lte)
    }
}

impl Bounds<i64> {
    /// True when the value is inside.
    pub fn contains(&self, value: i64) -> bool {
        self.gte.is_none_or(|gte| value >= gte) && self.lte.is_none_or(|lte| value <= lte)
    }
}

/// `[low, high]`, `{lte: high}` or `{gte: low}`: a side that is open is `None`.
#[derive(Clone, Copy)]
pub(super) struct RawRange {
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    pub(super) from_list: bool,
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
pub(super) struct RawMetric {
    #[serde(default)]
    pub(super) id: Option<Spanned<String>>,
    pub(super) metric: Spanned<String>,
    #[serde(default = "one")]
    pub(super) version: u32,
    pub(super) dimension: Spanned<String>,
    #[serde(default = "ten")]
    pub(super) points: u32,
    pub(super) full: Spanned<RawRange>,
    pub(super) zero: RawRange,
    #[serde(default)]
    pub(super) warn: Option<Spanned<Bounds<i64>>>,
    #[serde(default)]
    pub(super) when: RawWhen,
    #[serde(default)]
    pub(super) language: Vec<Language>,
}

fn ten() -> u32 {
    10
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    #[serde(default, deserialize_with = "not_empty")]
    pub(super) call_type: Vec<String>,
    #[serde(default, deserialize_with = "not_empty")]
    pub(super) campaign: Vec<String>,
    #[serde(default, deserialize_with = "not_empty")]
    pub(super) direction: Vec<Direction>,
    #[serde(default, deserialize_with = "not_empty")]
    pub(super) language: Vec<Language>,
    #[serde(default, deserialize_with = "not_empty")]
    pub(super) medium: Vec<Medium>,
    #[serde(default)]
    pub(super) duration_s: Option<Spanned<Bounds<f64>>>,
    #[serde(default)]
    pub(super) first_contact: Option<bool>,
    #[serde(default)]
    pub(super) expr: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSource {
    #[default]
    Auto,
    Manual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequirement {
    pub(super) id: Spanned<String>,
    #[serde(default = "one")]
    pub(super) version: u32,
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) what: Text,
    #[serde(default)]
    pub(super) why: Text,
    #[serde(default)]
    pub(super) coach: Text,
    pub(super) dimension: Spanned<String>,
    #[serde(default = "major")]
    pub(super) severity: Severity,
    #[serde(default = "ten")]
    pub(super) points: u32,
    #[serde(default)]
    pub(super) source: RawSource,
    #[serde(default)]
    pub(super) cap: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) when: RawWhen,
    #[serde(default)]
    pub(super) r#match: Ordered<RawMatcher>,
    #[serde(default)]
    pub(super) unless: Vec<Stance>,
    #[serde(default)]
    pub(super) require: Option<RawRule>,
    #[serde(default)]
    pub(super) forbid: Option<RawRule>,
    #[serde(default)]
    pub(super) except: Vec<Spanned<RawMatcher>>,
    #[serde(default)]
    pub(super) each: bool,
    #[serde(default)]
    pub(super) at_most: Option<u32>,
    #[serde(default)]
    pub(super) examples: Vec<RawExample>,
}

fn major() -> Severity {
    Severity::Major
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    #[serde(default)]
    pub(super) expr: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    pub(super) role: Option<Role>,
    #[serde(default)]
    pub(super) within: Option<RawWithin>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWithin {
    #[serde(default)]
    pub(super) first_s: Option<f64>,
    #[serde(default)]
    pub(super) first_turns: Option<u32>,
    #[serde(default)]
    pub(super) last_s: Option<f64>,
    #[serde(default)]
    pub(super) last_turns: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAtLeast {
    pub(super) n: u32,
    pub(super) of: Phrases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSilence {
    pub(super) gte_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOverlap {
    pub(super) gte_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPace {
    #[serde(default)]
    pub(super) gte: Option<i64>,
    #[serde(default)]
    pub(super) lte: Option<i64>,
    #[serde(default)]
    pub(super) en: Option<Bounds<i64>>,
    #[serde(default)]
    pub(super) zh: Option<Bounds<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDuration {
    #[serde(default)]
    pub(super) gte_s: Option<f64>,
    #[serde(default)]
    pub(super) lte_s: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRepeat {
    pub(super) words: u32,
    #[serde(default = "two")]
    pub(super) times: u32,
    #[serde(default)]
    pub(super) turns: Option<u32>,
}

fn two() -> u32 {
    2
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLocalTime {
    pub(super) from: Spanned<String>,
    pub(super) to: Spanned<String>,
    #[serde(default)]
    pub(super) zone: Clock,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMatcher {
    #[serde(default)]
    pub(super) any: Option<Phrases>,
    #[serde(default)]
    pub(super) all: Option<Phrases>,
    #[serde(default)]
    pub(super) none: Option<Phrases>,
    #[serde(default)]
    pub(super) n_of: Option<RawAtLeast>,
    #[serde(default)]
    pub(super) regex: Option<Spanned<Phrases>>,
    #[serde(default)]
    pub(super) meaning: Option<Phrases>,
    #[serde(default)]
    pub(super) act: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) stage: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) sentiment: Option<Bounds<f64>>,
    #[serde(default)]
    pub(super) silence: Option<RawSilence>,
    #[serde(default)]
    pub(super) overlap: Option<RawOverlap>,
    #[serde(default)]
    pub(super) metric: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) pace: Option<RawPace>,
    #[serde(default)]
    pub(super) loudness: Option<Bounds<f64>>,
    #[serde(default)]
    pub(super) duration: Option<RawDuration>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    pub(super) hangup: Option<Role>,
    #[serde(default)]
    pub(super) repeat: Option<RawRepeat>,
    #[serde(default)]
    pub(super) local_time: Option<RawLocalTime>,
    // Qualifiers.
    #[serde(default)]
    pub(super) must: Option<Phrases>,
    #[serde(default)]
    pub(super) not: Option<Phrases>,
    #[serde(default)]
    pub(super) unless: Option<Vec<Stance>>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    pub(super) role: Option<Role>,
    #[serde(default)]
    pub(super) within: Option<RawWithin>,
    #[serde(default)]
    pub(super) near: Option<u32>,
    #[serde(default)]
    pub(super) threshold: Option<f64>,
    #[serde(default)]
    pub(super) similarity: Option<f64>,
    #[serde(default)]
    pub(super) p: Option<f64>,
    #[serde(default)]
    pub(super) period: Option<Period>,
    #[serde(default)]
    pub(super) explained: Option<bool>,
    #[serde(default)]
    pub(super) gte: Option<i64>,
    #[serde(default)]
    pub(super) lte: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExample {
    #[serde(deserialize_with = "not_empty")]
    pub(super) turns: Vec<ExampleTurn>,
    pub(super) expect: Spanned<String>,
    #[serde(default)]
    pub(super) call_type: Option<String>,
    #[serde(default)]
    pub(super) campaign: Option<String>,
    #[serde(default)]
    pub(super) direction: Option<Direction>,
    #[serde(default)]
    pub(super) language: Option<Language>,
    #[serde(default, deserialize_with = "role_of_a_side")]
    pub(super) hung_up_by: Option<Role>,
    #[serde(default)]
    pub(super) start_ts: Option<String>,
    #[serde(default)]
    pub(super) tz: Option<String>,
    #[serde(default)]
    pub(super) customer_tz: Option<String>,
    #[serde(default)]
    pub(super) first_contact: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAnnotation {
    #[serde(default)]
    pub(super) act: Option<String>,
    #[serde(default)]
    pub(super) acts: Vec<String>,
    #[serde(default)]
    pub(super) end: Option<f64>,
    #[serde(default)]
    pub(super) sentiment: Option<f64>,
    #[serde(default)]
    pub(super) level: Option<f64>,
}

impl<'de> Deserialize<'de> for ExampleTurn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TurnVisitor;
        impl<'de> Visitor<'de> for TurnVisitor {
            type Value = ExampleTurn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[role, begin in seconds, text] or [role, begin, text, {act, acts, end, sentiment, level}]")
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
                    level_centi_dbfs: extra.level.map(|level| thousandths(level) / 10),
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

/// A list that says something: an empty one would hold for nothing, or without effect for everything.
fn not_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::<T>::deserialize(deserializer)?;
    if list.is_empty() {
        Err(de::Error::custom("the list is empty: give it an entry, or take the key out"))
    } else {
        Ok(list)
    }
}

/// Rounds to thousandths (s → ms, share → per mille, points → millipoints); beyond ±10¹² the limit.
pub(super) fn thousandths(value: f64) -> i64 {
    // The conversion saturates, and NaN becomes 0.
    (value * 1_000.0).clamp(-1e12, 1e12).round() as i64
}
