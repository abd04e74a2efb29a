//! Breaking a requirement in the box makes an example fail: each mutant is the scorecard's own text with one thing changed.

use callmark_core::acts::ActLexicon;
use callmark_core::adherence::run_examples;
use callmark_core::record::Outcome;
use callmark_core::scorecard::Scorecard;
use serde_json::{Value, json};

use super::no_encoder;

/// Mutants that no example tells from the requirement: `card/requirement: change`.
const SURVIVORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/language/surviving_mutants.txt");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const NONSENSE: [(&str, &str); 2] = [("en", "qzxv wkjq pfgz"), ("zh", "齉龘鱻麤")];

/// One requirement changed in one way.
struct Mutant {
    change: String,
    requirement: Value,
    /// It may not survive, whatever the list says: the requirement would decide nothing.
    is_grave: bool,
}

fn rule_key(requirement: &Value) -> Option<&'static str> {
    ["require", "forbid"].into_iter().find(|key| requirement.get(key).is_some())
}

/// The rule as the reader would read it without `expr`.
fn expr_of(requirement: &Value, rule: &str) -> String {
    match requirement[rule]["expr"].as_str() {
        Some(written) => written.to_string(),
        None => requirement["match"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" or "),
    }
}

fn mutants(requirement: &Value) -> Vec<Mutant> {
    let mut all = Vec::new();
    let Some(rule) = rule_key(requirement) else { return all };
    let mut add = |change: String, is_grave: bool, edit: &dyn Fn(&mut Value)| {
        let mut changed = requirement.clone();
        edit(&mut changed);
        if changed != *requirement {
            all.push(Mutant { change, requirement: changed, is_grave });
        }
    };
    let expr = expr_of(requirement, rule);
    // Without an encoder "not said" is unknown where a meaning is asked for.
    let decides = !requirement["match"].as_object().into_iter().flatten().any(|(_, m)| m.get("meaning").is_some());
    let nonsense = json!({"any": {"en": NONSENSE[0].1, "zh": NONSENSE[1].1}});
    for (change, expr) in [("never", "mutant".to_string()), ("always", "not mutant".to_string())] {
        add(change.to_string(), decides, &|r| {
            r["match"]["mutant"] = nonsense.clone();
            r[rule]["expr"] = json!(expr);
        });
    }
    add("opposite".to_string(), decides, &|r| r[rule]["expr"] = json!(format!("not ({expr})")));
    for (from, to) in
        [(" and ", " or "), (" or ", " and "), (" after each ", " after "), (" before each ", " before "), ("not ", "")]
    {
        add(format!("`{}` in expr", from.trim()), false, &|r| r[rule]["expr"] = json!(expr.replacen(from, to, 1)));
    }
    for key in ["when", "except"] {
        add(format!("without {key}"), false, &|r| drop(r.as_object_mut().unwrap().remove(key)));
    }
    for key in ["role", "within"] {
        add(format!("without {key} of the rule"), false, &|r| drop(r[rule].as_object_mut().unwrap().remove(key)));
    }
    let other = |role: &str| if role == "rep" { "customer" } else { "rep" };
    if let Some(role) = requirement[rule]["role"].as_str() {
        add("the other role of the rule".to_string(), false, &|r| r[rule]["role"] = json!(other(role)));
    }
    for (name, matcher) in requirement["match"].as_object().into_iter().flatten() {
        // An act and a sentiment have a role of their own.
        let spoken = matcher.get("act").is_none() && matcher.get("sentiment").is_none();
        for key in ["must", "not", "role", "within", "explained"] {
            if key == "role" && !spoken {
                continue;
            }
            add(format!("{name} without {key}"), false, &|r| {
                drop(r["match"][name].as_object_mut().unwrap().remove(key))
            });
        }
        if let Some(role) = matcher["role"].as_str() {
            add(format!("{name} of the other role"), false, &|r| r["match"][name]["role"] = json!(other(role)));
        }
        for kind in ["any", "all", "none", "regex"] {
            for (language, phrase) in NONSENSE {
                if matcher[kind].get(language).is_some() {
                    let change = format!("{name} without its {kind} in {language}");
                    add(change, false, &|r| r["match"][name][kind][language] = json!(phrase));
                }
            }
        }
    }
    all
}

/// The card's head with one requirement; JSON is YAML.
fn read(card: &Value, requirement: &Value) -> Option<Scorecard> {
    let mut alone = card.clone();
    alone["requirements"] = json!([requirement]);
    alone.as_object_mut()?.remove("metrics");
    Scorecard::parse(&alone.to_string()).ok()
}

fn results(scorecard: &Scorecard) -> Vec<(Outcome, Outcome)> {
    let results = run_examples(scorecard, ActLexicon::built_in(), &no_encoder);
    results.into_iter().map(|r| (r.expected, r.actual)).collect()
}

#[allow(clippy::disallowed_methods)]
fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Every card in the box, with the examples of tests/scorecards beside its own.
#[allow(clippy::disallowed_methods)]
fn cards() -> Vec<(String, Value)> {
    let mut labelled: Vec<Value> = Vec::new();
    let hands =
        ["", "third."].iter().flat_map(|hand| ["blind.en", "blind.zh", "seen.en", "seen.zh"].map(|half| (hand, half)));
    for (hand, half) in hands {
        let yaml = text(&format!("{ROOT}/tests/scorecards/{hand}{half}.yaml"));
        if !yaml.is_empty() {
            let examples: Vec<Value> = serde_saphyr::from_str(&yaml).unwrap();
            labelled.extend(examples);
        }
    }
    let listed = std::fs::read_dir(format!("{ROOT}/scorecards")).unwrap();
    let mut paths: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let mut card: Value = serde_saphyr::from_str(&text(path.to_str().unwrap())).unwrap();
        for requirement in card["requirements"].as_array_mut().unwrap() {
            let id = requirement["id"].clone();
            let own = |example: &&Value| example["card"] == name.as_str() && example["id"] == id;
            for example in labelled.iter().filter(own) {
                let mut example = example.clone();
                for key in ["card", "id", "kind", "why"] {
                    example.as_object_mut().unwrap().remove(key);
                }
                if let Some(examples) = requirement["examples"].as_array_mut() {
                    examples.push(example);
                }
            }
        }
        (name, card)
    };
    paths.iter().map(read).collect()
}

#[test]
#[allow(clippy::disallowed_methods)]
fn a_broken_requirement_fails_an_example() {
    let (mut tried, mut survivors) = (0, Vec::new());
    for (card, value) in cards() {
        for requirement in value["requirements"].as_array().unwrap() {
            let id = requirement["id"].as_str().unwrap();
            let sound = results(&read(&value, requirement).unwrap());
            for mutant in mutants(requirement) {
                tried += 1;
                // What is not read any more is noticed, too.
                let Some(scorecard) = read(&value, &mutant.requirement) else { continue };
                let noticed = results(&scorecard)
                    .iter()
                    .zip(&sound)
                    .any(|(now, before)| before.0 == before.1 && now.1 != before.1);
                if !noticed {
                    assert!(!mutant.is_grave, "{card}/{id}: {} makes no example fail", mutant.change);
                    survivors.push(format!("{card}/{id}: {}", mutant.change));
                }
            }
        }
    }
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        let head = format!(
            "# Changes of a requirement in the box that none of its examples notices: {} of {tried} (mutations.rs). Each wants an \
             example, or changes nothing.\n",
            survivors.len()
        );
        std::fs::write(SURVIVORS, head + &survivors.join("\n") + "\n").unwrap();
    }
    let listed = text(SURVIVORS);
    let listed: Vec<&str> = listed.lines().collect();
    let new: Vec<&String> = survivors.iter().filter(|s| !listed.contains(&s.as_str())).collect();
    assert!(
        new.is_empty(),
        "{} of {tried} survive, these are new: {new:#?}\nhint: add an example that tells them, or list them with \
         CALLMARK_WRITE_DOCS=1 cargo test -p callmark-core --test language mutations",
        survivors.len()
    );
    // Most requirements find the same thing in several ways, so that one of them may go unnoticed.
    assert!(tried > 300 && survivors.len() * 3 < tried * 2, "{} of {tried}", survivors.len());
}
