//! What of an earlier evaluation still holds under a changed scorecard: with other weights, points or verdict bands every item's
//! result; with a changed requirement those of the others. Only the score is then computed anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::{ItemKind, ItemResult, LedgerRow, Outcome, RowKind, Severity};
use crate::recording::sha256_hex;
use crate::scorecard::{MetricItem, Requirement, Scorecard};

/// Keys of a scorecard that decide no item's result: they name it, or say what a result is worth.
const ABOUT_THE_SCORE: [&str; 5] = ["name", "version", "weights", "verdicts", "fatal_cap"];
/// The same for an item. Everything else counts, so that a new key is never overlooked.
const WORTH_AND_TEXT: [&str; 10] =
    ["version", "dimension", "severity", "points", "cap", "name", "what", "why", "coach", "examples"];

/// Hashes of what decides the results of a scorecard's items, for the same call and the same program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// What concerns every item and the signals: languages, stages.
    common: String,
    /// By item id.
    items: BTreeMap<String, String>,
}

impl Fingerprints {
    pub fn of(scorecard: &Scorecard) -> Fingerprints {
        let mut common = json(scorecard);
        for key in ABOUT_THE_SCORE.iter().chain(&["metrics", "requirements"]) {
            remove(&mut common, key);
        }
        let item = |id: &str, mut judged: Value| {
            WORTH_AND_TEXT.iter().for_each(|key| remove(&mut judged, key));
            (id.to_string(), hash(&judged))
        };
        let metrics = scorecard.metrics.iter().map(|m| item(&m.id, json(m)));
        let items = metrics.chain(scorecard.requirements.iter().map(|r| item(&r.id, json(r)))).collect();
        Fingerprints { common: hash(&common), items }
    }

    /// True when the signals are the same under both scorecards.
    pub fn same_signals(&self, other: &Fingerprints) -> bool {
        self.common == other.common
    }

    /// True when an item of this id has the same results under both scorecards.
    pub fn same_item(&self, other: &Fingerprints, id: &str) -> bool {
        self.common == other.common && self.items.get(id).is_some_and(|hash| other.items.get(id) == Some(hash))
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    // Cannot fail: only strings, integers and maps with string keys.
    serde_json::to_value(value).unwrap_or_default()
}

fn remove(value: &mut Value, key: &str) {
    if let Value::Object(map) = value {
        map.remove(key);
    }
}

fn hash(value: &Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}

/// The results in a ledger that hold under `scorecard`, too, by item id. `earlier` are the fingerprints of the scorecard that the
/// ledger was made with, `now` those of `scorecard`; everything else that a result depends on must be equal.
pub fn results_that_hold(
    scorecard: &Scorecard,
    now: &Fingerprints,
    earlier: &Fingerprints,
    ledger: &[LedgerRow],
) -> BTreeMap<String, ItemResult> {
    let rows = ledger.iter().filter(|row| row.kind == RowKind::Item);
    let rows: BTreeMap<&str, &LedgerRow> = rows.map(|row| (row.requirement_id.as_str(), row)).collect();
    let row = |id: &str| rows.get(id).copied().filter(|_| now.same_item(earlier, id));
    let metrics = scorecard.metrics.iter().filter_map(|m| Some(metric_result(m, row(&m.id)?)));
    let requirements = scorecard.requirements.iter().filter_map(|r| requirement_result(r, row(&r.id)?));
    metrics.chain(requirements).map(|item| (item.id.clone(), item)).collect()
}

fn metric_result(item: &MetricItem, row: &LedgerRow) -> ItemResult {
    ItemResult {
        id: item.id.clone(),
        version: item.version,
        kind: ItemKind::Metric,
        dimension: item.dimension.clone(),
        severity: Severity::Minor,
        points: item.points,
        outcome: row.result,
        value_permille: row.value_permille,
        metric_value: row.metric_value,
        violations: 0,
        evidence: row.evidence.clone(),
        manual: false,
        warned: row.metric_value.zip(item.warn).is_some_and(|(value, warn)| warn.contains(value)),
    }
}

/// `None` when the row does not say how often a forbidden thing counts, or what was not known may be known by now (an encoder was
/// missing, for example).
fn requirement_result(requirement: &Requirement, row: &LedgerRow) -> Option<ItemResult> {
    let each = requirement.rule.as_ref().is_some_and(|rule| rule.each);
    let violations = match row.result {
        Outcome::Unknown if !requirement.is_manual() => return None,
        Outcome::Violated if each => violations(row)?,
        Outcome::Violated => 1,
        _ => 0,
    };
    Some(ItemResult {
        id: requirement.id.clone(),
        version: requirement.version,
        kind: requirement.kind(),
        dimension: requirement.dimension.clone(),
        severity: requirement.severity,
        points: requirement.points,
        outcome: row.result,
        value_permille: row.value_permille,
        metric_value: None,
        violations,
        evidence: row.evidence.clone(),
        manual: requirement.is_manual(),
        warned: false,
    })
}

/// How often a violation was counted: its points are −1000 × weight × that.
fn violations(row: &LedgerRow) -> Option<u32> {
    let each = 1000 * i64::from(row.weight);
    let counted = -row.points.checked_div(each).unwrap_or(0);
    u32::try_from(counted).ok().filter(|counted| *counted > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acts::ActLexicon;
    use crate::adherence::{CallEvidence, assess, assess_rest};
    use crate::recording::Metadata;
    use crate::scoring::{ScoringRules, score};
    use crate::signals;
    use crate::transcript::{Medium, Role, RoleMethod, RoleSpan, Transcript, Turn, TurnScores};

    const CARD: &str = r#"
schema: 1
name: card
language: [en]
stages: [opening, close]
weights: {compliance: 30, handling: 20}
metrics:
  - {metric: rep_talk_share_permille, dimension: handling, points: 10, full: [350, 500], zero: [200, 800], warn: {gte: 650}}
requirements:
  - {id: greeting, dimension: compliance, points: 10, match: {said: {any: {en: ["good morning"]}}}, require: {expr: said, role: rep}}
  - {id: promise, dimension: compliance, points: 7, each: true, at_most: 5, match: {said: {any: {en: ["i promise you"]}}}, forbid: {expr: said, role: rep}}
  - {id: insult, dimension: compliance, severity: advisory, match: {said: {any: {en: ["you are a fool"]}}}, forbid: {expr: said}}
  - {id: by_hand, dimension: handling, points: 5, source: manual}
"#;

    fn call() -> Transcript {
        let said = [
            (Role::Rep, "Good morning, I promise you a low price."),
            (Role::Customer, "You are a fool."),
            (Role::Rep, "And I promise you the best service."),
        ];
        let turn = |(n, (role, text)): (i64, (Role, &str))| Turn {
            role,
            begin_ms: 5_000 * n,
            end_ms: 5_000 * n + 4_000,
            text: text.to_string(),
            words: vec![],
            confidence_permille: 900,
        };
        let turns: Vec<Turn> = (0..).zip(said).map(turn).collect();
        let span = |t: &Turn| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms };
        Transcript {
            medium: Medium::Speech,
            language: Some(crate::recording::Language::En),
            duration_ms: 15_000,
            role_method: RoleMethod::Labelled,
            role_confidence_permille: 1000,
            speech: turns.iter().map(span).collect(),
            turns,
            ..Transcript::default()
        }
    }

    /// Calls `check` with the evidence about the call.
    fn with_evidence(check: impl Fn(&CallEvidence)) {
        let (transcript, metadata, lexicon) = (call(), Metadata::default(), ActLexicon::built_in());
        let acts = lexicon.label(&transcript);
        let scores = TurnScores { sentiment: vec![None; 3], embeddings: vec![None; 3], ..TurnScores::default() };
        let signals = signals::compute(&transcript, &scores.sentiment, &acts, &[], &[]);
        check(&CallEvidence {
            transcript: &transcript,
            metadata: &metadata,
            signals: &signals,
            scores: &scores,
            sentiment: &scores.sentiment,
            acts: &acts,
            lexicon,
            phrase_embeddings: &BTreeMap::new(),
        });
    }

    fn parse(replacements: &[(&str, &str)]) -> Scorecard {
        let mut text = CARD.to_string();
        for (old, new) in replacements {
            assert!(text.contains(old), "{old}");
            text = text.replacen(old, new, 1);
        }
        Scorecard::parse(&text).unwrap()
    }

    #[test]
    fn fingerprints_tell_what_decides_results_from_what_they_are_worth() {
        let card = Fingerprints::of(&parse(&[]));
        let same = |replacements: &[(&str, &str)]| -> Vec<&str> {
            let other = Fingerprints::of(&parse(replacements));
            let ids = ["rep_talk_share_permille", "greeting", "promise", "insult", "by_hand"];
            ids.into_iter().filter(|id| card.same_item(&other, id)).collect()
        };
        let worth = [
            ("compliance: 30", "compliance: 3"),
            ("points: 7", "points: 70"),
            ("severity: advisory", "severity: fatal"),
            ("{id: promise,", "{id: promise, name: a promise,"),
        ];
        assert_eq!(same(&worth).len(), 5);
        assert_eq!(
            same(&[("name: card", "name: other\nversion: 4\nfatal_cap: 10\nverdicts: {pass: 90, coach: 10}")]).len(),
            5
        );
        assert_eq!(same(&[("[350, 500]", "[340, 500]")]), ["greeting", "promise", "insult", "by_hand"]);
        assert_eq!(
            same(&[("good morning", "good evening")]),
            ["rep_talk_share_permille", "promise", "insult", "by_hand"]
        );
        assert_eq!(same(&[("at_most: 5", "at_most: 1")]), ["rep_talk_share_permille", "greeting", "insult", "by_hand"]);
        assert!(same(&[("[opening, close]", "[close, opening]")]).is_empty(), "stages concern the signals");
        assert!(same(&[("language: [en]", "language: [en, zh]")]).is_empty());
    }

    #[test]
    fn results_from_a_ledger_equal_those_from_the_call() {
        let old = parse(&[]);
        with_evidence(|evidence| {
            let before = assess(&old, evidence);
            let ledger = score(&ScoringRules::default(), &before, &BTreeMap::new()).ledger;
            assert_eq!(before.iter().find(|i| i.id == "promise").map(|i| i.violations), Some(2));
            let changes: [&[(&str, &str)]; 3] = [
                &[
                    ("points: 7", "points: 11"),
                    ("compliance: 30", "compliance: 31"),
                    ("severity: advisory", "severity: major"),
                ],
                &[("good morning", "good evening")],
                &[("i promise you", "i swear to you"), ("points: 5", "points: 6")],
            ];
            for change in changes {
                let new = parse(change);
                let (now, earlier) = (Fingerprints::of(&new), Fingerprints::of(&old));
                let known = results_that_hold(&new, &now, &earlier, &ledger);
                assert!(known.len() >= 4, "{change:?}: {:?}", known.keys());
                assert_eq!(assess_rest(&new, evidence, known), assess(&new, evidence), "{change:?}");
            }
            // Advisory rows carry no points: how often the thing was counted is not in them.
            let each = parse(&[("severity: advisory, match", "severity: advisory, each: true, match")]);
            let rows = score(&ScoringRules::default(), &assess(&each, evidence), &BTreeMap::new()).ledger;
            let prints = Fingerprints::of(&each);
            assert!(!results_that_hold(&each, &prints, &prints, &rows).contains_key("insult"));
        });
    }
}
