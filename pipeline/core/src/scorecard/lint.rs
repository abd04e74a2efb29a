//! What is allowed in a scorecard but probably not wanted.

use std::collections::BTreeSet;

use super::{Example, Matcher, Pattern, Requirement, Scorecard};
use crate::record::ItemKind;
use crate::recording::Language;

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
