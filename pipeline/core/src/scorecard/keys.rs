//! Every key of a scorecard with its type, default and meaning: the tables of docs/scorecards.md and the JSON Schema for editors
//! are made from this list, and core/tests/language/operators.rs holds it against the reader's own.

use serde_json::{Map, Value, json};

use crate::signals::Metric;

/// What may stand behind a key.
pub enum Form {
    Text,
    /// One text, or one per language.
    Texts,
    Whole,
    Number,
    YesNo,
    OneOf(&'static [&'static str]),
    Metric,
    /// Per language one phrase or a list.
    Phrases,
    /// `[low, high]`, `{gte: low}` or `{lte: high}`.
    Range,
    Object(&'static str),
    ListOf(&'static Form),
    /// A mapping whose keys the author chooses.
    MapOf(&'static Form),
    /// `[role, begin in seconds, text, annotation]`.
    Turn,
}

pub struct Key {
    pub name: &'static str,
    pub form: Form,
    /// Empty: nothing. `required`: it must be there.
    pub default: &'static str,
    pub what: &'static str,
}

/// A mapping with fixed keys.
pub struct Object {
    pub name: &'static str,
    pub what: &'static str,
    pub keys: &'static [Key],
}

/// How metrics are written, for the page; core/tests/language/operators.rs reads it.
pub const METRICS: &str = "\
metrics:
  # Between 35 and 50 % of the talk: full value; at 20 % and at 80 %: none; in between in proportion.
  - {metric: rep_talk_share_permille, dimension: handling, full: [350, 500], zero: [200, 800]}
  # The more the better: two questions have full value, one has half, none has none.
  - {metric: questions_rep, dimension: handling, full: {gte: 2}, zero: {lte: 0}}
  # The less the better: up to 10 % full value, from 30 % none; from 20 % it is pointed out.
  - {metric: unexcused_silence_permille, dimension: handling, full: {lte: 100}, zero: {gte: 300}, warn: {gte: 200}}
";

const fn key(name: &'static str, form: Form, default: &'static str, what: &'static str) -> Key {
    Key { name, form, default, what }
}

const LANGUAGES: Form = Form::ListOf(&Form::OneOf(&["en", "zh"]));
const STANCES: Form = Form::ListOf(&Form::OneOf(&["reported", "denied", "asked"]));
const SIDE: Form = Form::OneOf(&["rep", "customer"]);
const DIRECTION: Form = Form::OneOf(&["inbound", "outbound"]);
const REQUIRED: &str = "required";

pub const OBJECTS: &[Object] = &[
    Object {
        name: "scorecard",
        what: "The file: UTF-8, at most 2 MB.",
        keys: &[
            key("schema", Form::Whole, REQUIRED, "1"),
            key("name", Form::Text, REQUIRED, "the scorecard's name in results"),
            key("version", Form::Whole, "1", "raise it when the script changes"),
            key("language", LANGUAGES, REQUIRED, "the languages that it is written in; calls in others are not scored"),
            key("stages", Form::ListOf(&Form::Text), "", "the stages of the script, in order; of those that acts have"),
            key("weights", Form::MapOf(&Form::Whole), REQUIRED, "the dimensions and their weights, 1…10000"),
            key("verdicts", Form::Object("verdicts"), "{pass: 85, coach: 70}", "bands of the verdict, in points"),
            key("fatal_cap", Form::Whole, "0", "points that a confirmed fatal leaves"),
            key("metrics", Form::ListOf(&Form::Object("metric")), "", "signals that are scored"),
            key("requirements", Form::ListOf(&Form::Object("requirement")), "", "what the script requires or forbids"),
        ],
    },
    Object {
        name: "verdicts",
        what: "`verdicts`",
        keys: &[
            key("pass", Form::Whole, REQUIRED, "points from which a call passes"),
            key("coach", Form::Whole, REQUIRED, "points from which it wants coaching; below, it is flagged"),
        ],
    },
    Object {
        name: "metric",
        what: "An entry of `metrics`: a signal scored by a trapezoid.",
        keys: &[
            key("id", Form::Text, "the metric's name", "its name in results; needed when two items share a metric"),
            key("metric", Form::Metric, REQUIRED, "a signal of docs/signals.md"),
            key("version", Form::Whole, "1", "raise it when the limits change"),
            key("dimension", Form::Text, REQUIRED, "a key of `weights`"),
            key("points", Form::Whole, "10", "its weight among the items of its dimension"),
            key("full", Form::Range, REQUIRED, "full value inside, in the metric's unit"),
            key(
                "zero",
                Form::Range,
                REQUIRED,
                "where its value has fallen to nothing, on the sides that `full` limits: `[low, high]` around `[low, high]`; `{lte: …}`, below \
                 it, for `full: {gte: …}`; `{gte: …}`, above it, for `full: {lte: …}`",
            ),
            key("warn", Form::Object("bounds"), "", "a line that is pointed out when it is crossed"),
            key("when", Form::Object("when"), "", "conditions; where one fails the item is not applicable"),
            key("language", LANGUAGES, "all", "only for calls in these languages"),
        ],
    },
    Object {
        name: "bounds",
        what: "`{gte, lte}`, both inclusive.",
        keys: &[
            key("gte", Form::Number, "", "greater than or equal"),
            key("lte", Form::Number, "", "less than or equal"),
        ],
    },
    Object {
        name: "when",
        what: "Conditions; all that are given must hold.",
        keys: &[
            key("call_type", Form::ListOf(&Form::Text), "", "one of these types of call"),
            key("campaign", Form::ListOf(&Form::Text), "", "one of these campaigns"),
            key("direction", Form::ListOf(&DIRECTION), "", "one of these directions"),
            key("language", LANGUAGES, "", "one of these languages"),
            key("medium", Form::ListOf(&Form::OneOf(&["speech", "text"])), "", "spoken or written"),
            key("duration_s", Form::Object("bounds"), "", "length of the call, seconds"),
            key("first_contact", Form::YesNo, "", "`first_contact` of the metadata; unknown fails both"),
            key("expr", Form::Text, "", "an expression of the requirement's matchers"),
        ],
    },
    Object {
        name: "requirement",
        what: "An entry of `requirements`.",
        keys: &[
            key("id", Form::Text, REQUIRED, "letters, digits, `_`, `-`, `.`; it stays when the wording changes"),
            key("version", Form::Whole, "1", "raise it when the meaning changes"),
            key(
                "name",
                Form::Texts,
                "",
                "a few words that reports call it by; without it the id, in Chinese the beginning of `what`",
            ),
            key("what", Form::Texts, "", "what is asked for, for people"),
            key("why", Form::Texts, "", "why, with its source"),
            key("coach", Form::Texts, "", "what to say to the rep"),
            key("dimension", Form::Text, REQUIRED, "a key of `weights`"),
            key(
                "severity",
                Form::OneOf(&["fatal", "major", "minor", "bonus", "advisory"]),
                "major",
                "a confirmed fatal caps the score",
            ),
            key("points", Form::Whole, "10", "weight in its dimension; of a forbidden one what it costs"),
            key("source", Form::OneOf(&["auto", "manual"]), "auto", "`manual`: only a person can judge it"),
            key("cap", Form::Whole, "`fatal_cap`", "points that this fatal leaves"),
            key("when", Form::Object("when"), "", "conditions; where one fails it is not applicable"),
            key("match", Form::MapOf(&Form::Object("matcher")), "", "what is looked for, by name"),
            key("unless", STANCES, "", "when the rep's phrases and patterns in `match` are not meant"),
            key("require", Form::Object("rule"), "", "this must hold"),
            key("forbid", Form::Object("rule"), "", "this must not hold"),
            key("except", Form::ListOf(&Form::Object("matcher")), "", "where one is found it is not applicable"),
            key("each", Form::YesNo, "false", "a forbidden thing costs its points every time"),
            key("at_most", Form::Whole, "", "but no more often than this"),
            key("examples", Form::ListOf(&Form::Object("example")), "", "small calls with their result"),
        ],
    },
    Object {
        name: "rule",
        what: "`require` or `forbid`; `role` and `within` hold for all matchers without their own.",
        keys: &[
            key("expr", Form::Text, "any matcher", "an expression of the matchers"),
            key("role", SIDE, "both", "who says it"),
            key("within", Form::Object("within"), "the whole call", "where it is searched"),
        ],
    },
    Object {
        name: "within",
        what: "A part of the call. With `first_…` and `last_…` only what is in both.",
        keys: &[
            key("first_s", Form::Number, "", "begins in the first seconds of the conversation"),
            key(
                "first_turns",
                Form::Whole,
                "",
                "in the first turns (of the role); of spoken calls only without `first_s`",
            ),
            key("last_s", Form::Number, "", "ends in the last seconds"),
            key(
                "last_turns",
                Form::Whole,
                "",
                "in the last turns (of the role); of spoken calls only without `last_s`",
            ),
        ],
    },
    Object {
        name: "matcher",
        what: "One kind of thing to look for, with its qualifiers.",
        keys: &[
            key("any", Form::Phrases, "", "one of the phrases"),
            key("all", Form::Phrases, "", "all of the phrases"),
            key("none", Form::Phrases, "", "none of the phrases"),
            key("n_of", Form::Object("n_of"), "", "at least n of the phrases"),
            key("regex", Form::Phrases, "", "a pattern"),
            key("meaning", Form::Phrases, "", "about the same meaning"),
            key("act", Form::Text, "", "a dialogue act"),
            key("stage", Form::Text, "", "a stage of the script"),
            key("sentiment", Form::Object("bounds"), "", "points, −5…5"),
            key("silence", Form::Object("silence"), "", "nobody speaks"),
            key("overlap", Form::Object("overlap"), "", "an interruption"),
            key("metric", Form::Metric, "", "a signal, with `gte` and `lte`"),
            key("pace", Form::Object("pace"), "", "words or characters per minute; changes in per cent"),
            key("loudness", Form::Object("bounds"), "", "dB of full scale; changes in dB"),
            key("duration", Form::Object("duration"), "", "length of the call or of a turn"),
            key("hangup", SIDE, "", "who hung up"),
            key("repeat", Form::Object("repeat"), "", "the same words again"),
            key("local_time", Form::Object("local_time"), "", "the hour at which the call began"),
            key("must", Form::Phrases, "", "of a phrase: words that have to be there"),
            key("not", Form::Phrases, "", "of a phrase or pattern: what takes it back"),
            key("unless", STANCES, "the requirement's", "of a phrase or pattern: when it is not meant"),
            key("near", Form::Whole, "", "of `all`, `n_of`: words between one phrase and the next"),
            key("role", SIDE, "the rule's", "who says it"),
            key("within", Form::Object("within"), "the rule's", "where it is searched"),
            key("threshold", Form::Number, "0.75", "of phrases: least similarity (short ones 0.85); of patterns: 1"),
            key("similarity", Form::Number, "0.75, Chinese 0.65", "of `meaning`: least cosine"),
            key("p", Form::Number, "the act's own threshold", "of `act`: least probability"),
            key(
                "period",
                Form::OneOf(&["turn", "turn_change", "first_quarter", "last_quarter", "call", "shift"]),
                "turn; of `duration` call",
                "over what something is measured",
            ),
            key("explained", Form::YesNo, "both", "of `silence`: whether the rep announced it"),
            key("gte", Form::Whole, "", "of `metric`: at least"),
            key("lte", Form::Whole, "", "of `metric`: at most"),
        ],
    },
    Object {
        name: "n_of",
        what: "`n_of`",
        keys: &[key("n", Form::Whole, REQUIRED, "how many"), key("of", Form::Phrases, REQUIRED, "of these phrases")],
    },
    Object { name: "silence", what: "`silence`", keys: &[key("gte_s", Form::Number, REQUIRED, "seconds, at least")] },
    Object {
        name: "overlap",
        what: "`overlap`",
        keys: &[key("gte_ms", Form::Whole, REQUIRED, "milliseconds, at least")],
    },
    Object {
        name: "pace",
        what: "`pace`: bounds for both languages, or per language.",
        keys: &[
            key("gte", Form::Whole, "", "at least"),
            key("lte", Form::Whole, "", "at most"),
            key("en", Form::Object("bounds"), "", "English words"),
            key("zh", Form::Object("bounds"), "", "Chinese characters"),
        ],
    },
    Object {
        name: "duration",
        what: "`duration`",
        keys: &[
            key("gte_s", Form::Number, "", "seconds, at least"),
            key("lte_s", Form::Number, "", "seconds, at most"),
        ],
    },
    Object {
        name: "repeat",
        what: "`repeat`",
        keys: &[
            key("words", Form::Whole, REQUIRED, "length of the run, words (Chinese: characters)"),
            key("times", Form::Whole, "2", "in so many turns"),
            key("turns", Form::Whole, "", "the last within so many turns of the role"),
        ],
    },
    Object {
        name: "local_time",
        what: "`local_time`",
        keys: &[
            key("from", Form::Text, REQUIRED, "time of day, `\"08:00\"`"),
            key("to", Form::Text, REQUIRED, "the first minute that is outside"),
            key("zone", Form::OneOf(&["customer", "call"]), "customer", "whose clock"),
        ],
    },
    Object {
        name: "example",
        what: "A small call. What it does not say about the call is as `when` wants it.",
        keys: &[
            key("turns", Form::ListOf(&Form::Turn), REQUIRED, "`[role, begin in seconds, text, annotation]`"),
            key(
                "expect",
                Form::OneOf(&["met", "missed", "violated", "clear", "n/a", "not_applicable", "unknown"]),
                REQUIRED,
                "the result that it must have",
            ),
            key("call_type", Form::Text, "", "metadata of the call"),
            key("campaign", Form::Text, "", "metadata of the call"),
            key("direction", DIRECTION, "", "metadata of the call"),
            key("language", Form::OneOf(&["en", "zh"]), "by its letters", "language of the call"),
            key("hung_up_by", SIDE, "", "whose line closes at the end"),
            key("start_ts", Form::Text, "", "metadata of the call"),
            key("tz", Form::Text, "", "metadata of the call"),
            key("customer_tz", Form::Text, "", "metadata of the call"),
            key("first_contact", Form::YesNo, "", "metadata of the call"),
        ],
    },
    Object {
        name: "annotation",
        what: "The fourth part of an example's turn.",
        keys: &[
            key("act", Form::Text, "", "an act that the turn has beside those found by phrase"),
            key("acts", Form::ListOf(&Form::Text), "", "several"),
            key("end", Form::Number, "0.3 s a word, 0.2 s a character", "end of the turn, seconds"),
            key("sentiment", Form::Number, "", "−5…5"),
            key("level", Form::Number, "", "loudness, dB of full scale"),
        ],
    },
];

impl Form {
    /// How the page of the language names it.
    pub fn name(&self) -> String {
        match self {
            Form::Text => "text".into(),
            Form::Texts => "text, or `{en: text, zh: text}`".into(),
            Form::Whole => "whole number".into(),
            Form::Number => "number".into(),
            Form::YesNo => "true, false".into(),
            Form::OneOf(values) => values.join(", "),
            Form::Metric => "metric".into(),
            Form::Phrases => "`{en: phrase or list, zh: …}`".into(),
            Form::Range => "`[low, high]`, `{gte: low}` or `{lte: high}`".into(),
            Form::Object(name) => format!("[{name}](#keys-{name})"),
            Form::ListOf(form) => format!("list of {}", form.name()),
            Form::MapOf(form) => format!("names → {}", form.name()),
            Form::Turn => "turn".into(),
        }
    }

    fn schema(&self) -> Value {
        let per_language = |of: Value| json!({"type": "object", "properties": {"en": of.clone(), "zh": of}, "additionalProperties": false});
        match self {
            Form::Text => json!({"type": "string"}),
            Form::Texts => json!({"anyOf": [{"type": "string"}, per_language(json!({"type": "string"}))]}),
            Form::Whole => json!({"type": "integer"}),
            Form::Number => json!({"type": "number"}),
            Form::YesNo => json!({"type": "boolean"}),
            Form::OneOf(values) => json!({"enum": values}),
            Form::Metric => json!({"enum": Metric::ALL.iter().map(|metric| metric.id()).collect::<Vec<_>>()}),
            Form::Phrases => {
                per_language(json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}))
            }
            Form::Range => json!({"anyOf": [
                {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                {"$ref": "#/$defs/bounds"},
            ]}),
            Form::Object(name) => json!({"$ref": format!("#/$defs/{name}")}),
            Form::ListOf(form) => json!({"type": "array", "items": form.schema()}),
            Form::MapOf(form) => json!({"type": "object", "additionalProperties": form.schema()}),
            Form::Turn => json!({
                "type": "array",
                "prefixItems": [
                    SIDE.schema(), {"type": "number"}, {"type": "string"}, {"$ref": "#/$defs/annotation"},
                ],
                "minItems": 3,
                "maxItems": 4,
            }),
        }
    }
}

/// JSON Schema (2020-12) of scorecards, for editors: keys, types and closed lists. What refers to something else in the file
/// (dimensions, matchers, expressions) is checked by the reader alone.
pub fn json_schema() -> Value {
    let object = |object: &Object| {
        let property = |key: &Key| {
            let mut schema = key.form.schema();
            schema["description"] = key.what.into();
            (key.name.to_string(), schema)
        };
        let properties: Map<String, Value> = object.keys.iter().map(property).collect();
        let required: Vec<&str> =
            object.keys.iter().filter(|key| key.default == REQUIRED).map(|key| key.name).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    };
    let defined: Map<String, Value> = OBJECTS.iter().map(|o| (o.name.to_string(), object(o))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "callmark scorecard",
        "$ref": "#/$defs/scorecard",
        "$defs": defined,
    })
}
