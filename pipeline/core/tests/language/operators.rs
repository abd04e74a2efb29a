//! The language as docs/scorecards.md shows it: every example holds, every key is the reader's, the page and the schema are true.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use callmark_core::acts::ActLexicon;
use callmark_core::adherence::run_examples;
use callmark_core::operator::GRAMMAR;
use callmark_core::record::Outcome;
use callmark_core::scorecard::{METRICS, OBJECTS, OPERATORS, Scorecard, json_schema, lint};
use callmark_core::transcript::Role;
use serde_json::Value;

use super::embed;

/// A scorecard whose only requirement is an operator's example.
fn card(example: &str) -> String {
    let head = "schema: 1\nname: x\nlanguage: [en, zh]\nstages: [opening, close]\nweights: {a: 100}\n";
    let body: String = example.lines().map(|line| format!("    {line}\n")).collect();
    format!("{head}requirements:\n  - id: r\n    dimension: a\n{body}")
}

#[test]
fn every_operator_does_what_its_example_says() {
    let mut wrong = Vec::new();
    for operator in OPERATORS {
        let scorecard = Scorecard::parse(&card(operator.example)).unwrap_or_else(|e| panic!("{}: {e}", operator.name));
        let results = run_examples(&scorecard, ActLexicon::built_in(), &embed);
        let decided = |r: &&callmark_core::adherence::ExampleResult| r.expected != Outcome::NotApplicable;
        let outcomes: BTreeSet<Outcome> = results.iter().filter(decided).map(|r| r.expected).collect();
        assert_eq!(outcomes.len(), 2, "{}: one example for and one against", operator.name);
        for r in results.iter().filter(|r| !r.passed) {
            wrong.push(format!("{} example {}: {:?}, not {:?}", operator.name, r.index + 1, r.actual, r.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_matcher_and_every_word_of_expressions_is_explained() {
    let qualifiers = ["role", "similarity", "p", "explained", "gte", "lte"];
    let matcher = OBJECTS.iter().find(|object| object.name == "matcher").unwrap();
    let keys = matcher.keys.iter().map(|key| key.name).filter(|name| !qualifiers.contains(name));
    let words = ["and", "or", "not", "count", "repeat(", "order", "before", "after", "near", "when", "except"];
    for name in keys.chain(words) {
        let explained =
            |o: &callmark_core::scorecard::Operator| o.name.split([' ', ',']).any(|part| part.starts_with(name));
        assert!(OPERATORS.iter().any(explained), "{name}");
    }
}

/// A file that has an unknown key in this object.
fn with_unknown_key(object: &str) -> String {
    let unknown = "{zzzzzzzzzz: 1}";
    let inside = match object {
        "scorecard" => return "schema: 1\nzzzzzzzzzz: 1\n".into(),
        "verdicts" => format!("verdicts: {unknown}"),
        "metric" => format!("metrics: [{unknown}]"),
        "bounds" => format!("metrics: [{{warn: {unknown}}}]"),
        "when" => format!("metrics: [{{when: {unknown}}}]"),
        "requirement" => format!("requirements: [{unknown}]"),
        "rule" => format!("requirements: [{{require: {unknown}}}]"),
        "within" => format!("requirements: [{{require: {{within: {unknown}}}}}]"),
        "matcher" => format!("requirements: [{{match: {{a: {unknown}}}}}]"),
        "example" => format!("requirements: [{{examples: [{unknown}]}}]"),
        "annotation" => format!("requirements: [{{examples: [{{turns: [[rep, 0, x, {unknown}]]}}]}}]"),
        kind => format!("requirements: [{{match: {{a: {{{kind}: {unknown}}}}}}}]"),
    };
    format!("schema: 1\n{inside}\n")
}

#[test]
fn the_listed_keys_are_those_that_are_read() {
    for object in OBJECTS {
        let error = Scorecard::parse(&with_unknown_key(object.name)).unwrap_err();
        assert!(error.message.contains("zzzzzzzzzz"), "{}: {error}", object.name);
        let hint = error.hint.unwrap_or_default();
        let read: BTreeSet<&str> = hint.trim_start_matches("known keys: ").split(", ").collect();
        let listed: BTreeSet<&str> = object.keys.iter().map(|key| key.name).collect();
        assert_eq!(read, listed, "{}", object.name);
    }
}

// ------------------------------------------------------------------ JSON Schema

/// The part of JSON Schema that the schema uses.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let list = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).ok_or_else(|| format!("no {name}"))?;
        fits(value, target, root)?;
    }
    let right_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some(other) => return Err(format!("what is {other}?")),
        None => true,
    };
    if !right_type {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if schema.get("enum").is_some() && !list("enum").contains(value) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    if schema.get("anyOf").is_some() && list("anyOf").iter().all(|one| fits(value, one, root).is_err()) {
        return Err(format!("{value} fits none"));
    }
    if let Some(object) = value.as_object() {
        for name in list("required") {
            if !object.contains_key(name.as_str().unwrap_or_default()) {
                return Err(format!("{name} is missing"));
            }
        }
        for (key, inner) in object {
            let known = schema["properties"].get(key);
            match (known, &schema["additionalProperties"]) {
                (Some(known), _) => fits(inner, known, root).map_err(|e| format!("{key}: {e}"))?,
                (None, Value::Bool(false)) => return Err(format!("unknown key {key}")),
                (None, Value::Null) => {}
                (None, others) => fits(inner, others, root).map_err(|e| format!("{key}: {e}"))?,
            }
        }
    }
    if let Some(array) = value.as_array() {
        let limit = |key: &str, default: u64| schema[key].as_u64().unwrap_or(default) as usize;
        if array.len() < limit("minItems", 0) || array.len() > limit("maxItems", u64::MAX) {
            return Err(format!("{} items", array.len()));
        }
        for (item, inner) in array.iter().zip(list("prefixItems")) {
            fits(item, &inner, root)?;
        }
        if let Some(items) = schema.get("items") {
            array.iter().try_for_each(|item| fits(item, items, root))?;
        }
    }
    Ok(())
}

fn check_schema(yaml: &str) -> Result<(), String> {
    let schema = json_schema();
    let value: Value = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
    fits(&value, &schema, &schema)
}

#[test]
fn the_schema_takes_what_is_read_and_refuses_typos() {
    let shipped =
        [include_str!("../../../../scorecards/telesales.yaml"), include_str!("../../../../scorecards/support.yaml")];
    for yaml in shipped {
        assert_eq!(check_schema(yaml), Ok(()));
        for (right, typo) in
            [("severity: fatal", "severity: fatl"), ("dimension:", "dimensoin:"), ("zh:", "zn:"), ("expect:", "expct:")]
        {
            assert!(yaml.contains(right), "{right}");
            assert!(check_schema(&yaml.replacen(right, typo, 1)).is_err(), "{typo}");
        }
    }
    for operator in OPERATORS {
        assert_eq!(check_schema(&card(operator.example)), Ok(()), "{}", operator.name);
    }
}

// ------------------------------------------------------------------ the page

fn page() -> String {
    let mut page = String::from(
        "# The language of scorecards\n\nMade from `pipeline/core/src/scorecard/{operators,keys}.rs` and the grammar in \
         `pipeline/core/src/operator.rs`; edit them there. Every example is run by the tests. A scorecard is a YAML file: \
         `requirements` say what the script requires or forbids, each with matchers (what is looked for) and an expression over them; \
         `metrics` score signals (docs/signals.md). `callmark scorecard lint` finds mistakes, `callmark scorecard test` runs the \
         examples, `callmark scorecard schema` prints a JSON Schema for editors.\n\n\
         A result is met or missed, violated or clear, n/a (the requirement is not about this call) or unknown (the words are too \
         unsure, or a model is missing). Scorecards ask what was said; whether that is lawful where you are is for your lawyers.\n\n\
         ## Operators\n",
    );
    for operator in OPERATORS {
        let _ = write!(page, "\n### {}\n\n{}\n\n*Why:* {}\n\n", operator.name, operator.what, operator.why);
        let _ = write!(page, "```yaml\n{}```\n", operator.example);
    }
    let acts = ActLexicon::built_in();
    let _ = write!(
        page,
        "\n## Acts and stages\n\nWhat `act` and an example's annotation may name, and the stages that `stages` may list: {}.\n\n\
         | act | said by | stage |\n|---|---|---|\n",
        acts.stage_names().join(", ")
    );
    for act in acts.names() {
        let (said_by, stage) = (acts.role_of(act).map_or("either", Role::name), acts.stage_of(act).unwrap_or(""));
        let _ = writeln!(page, "| `{act}` | {said_by} | {stage} |");
    }
    let _ = write!(
        page,
        "\n## Metrics\n\nA trapezoid: full value inside `full`, none from `zero` on, in proportion between them. Units: docs/signals.md.\n\n\
         ```yaml\n{METRICS}```\n\n## Patterns over the call\n\n| flag | how |\n|---|---|\n\
         | price objection repeated and never answered | `count(objection) >= 2 and not (answer after each objection within 4 turns)` |\n\
         | customer's mood falls and nobody acknowledges it | `fall and not (care after each fall within 3 turns)`, `fall: {{sentiment: {{lte: -2}}, period: turn_change}}` |\n\
         | the customer speeds up | `pace: {{gte: 20}}, role: customer, period: shift` |\n\
         | a promise without its terms | `promise and not (terms near each promise within 2 turns)` |\n\
         | no next step | `require: {{expr: step, within: {{last_s: 120, last_turns: 6}}}}` |\n\
         | the same thing again and again | `repeat(push, 3) within 6 turns` |\n\n\
         ## Grammar of expressions\n\n```ebnf\n{GRAMMAR}```\n\n## Keys\n"
    );
    for object in OBJECTS {
        let _ = write!(
            page,
            "\n### Keys {}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
            object.name, object.what
        );
        for key in object.keys {
            let _ = writeln!(page, "| `{}` | {} | {} | {} |", key.name, key.form.name(), key.default, key.what);
        }
    }
    page
}

#[test]
fn the_metrics_of_the_page_are_worth_what_it_says() {
    let yaml = format!("schema: 1\nname: x\nlanguage: [en]\nweights: {{handling: 100}}\n{METRICS}");
    let scorecard = Scorecard::parse(&yaml).unwrap();
    let worth = |item: usize, value: i64| scorecard.metrics[item].trapezoid.value_permille(value);
    assert_eq!([200, 275, 350, 500, 800].map(|share| worth(0, share)), [0, 500, 1_000, 1_000, 0]);
    assert_eq!([0, 1, 2].map(|questions| worth(1, questions)), [0, 500, 1_000]);
    assert_eq!([100, 200, 300].map(|share| worth(2, share)), [1_000, 500, 0]);
    assert!(scorecard.metrics[2].warn.unwrap().contains(200) && lint(&scorecard).is_empty());
}

#[test]
#[allow(clippy::disallowed_methods)]
fn the_page_of_the_language_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scorecards.md");
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/scorecards.md is stale\nhint: CALLMARK_WRITE_DOCS=1 cargo test -p callmark-core --test language page"
    );
}
