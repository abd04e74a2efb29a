//! What is allowed in a scorecard but probably not wanted.

use std::collections::BTreeSet;

use super::checked::is_share;
use super::{Example, Matcher, MetricItem, Pattern, Phrases, Place, Requirement, Rule, Scorecard};
use crate::operator::{Comparison, Expr, Reach};
use crate::record::{ItemKind, Severity};
use crate::recording::{Language, is_han};
use crate::signals::Metric;

/// Below this, a phrase of three content words is found wherever two of them are.
const LOOSE_PERMILLE: u16 = 700;

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
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// In characters, from 1; 0 when the place is not known.
    pub column: u64,
}

/// Looks for what is allowed but probably not wanted.
pub fn lint(scorecard: &Scorecard) -> Vec<LintFinding> {
    let mut findings = Vec::new();
    let sum: u32 = scorecard.weights.iter().map(|(_, weight)| weight).sum();
    let Place { line, column } = scorecard.weights_place;
    if sum != 100 {
        findings.push(LintFinding {
            severity: LintSeverity::Note,
            requirement_id: String::new(),
            message: format!("the weights add up to {sum}"),
            hint: "they are taken in proportion; with 100 each one is a share in per cent".to_string(),
            line,
            column,
        });
    }
    let earns =
        |r: &Requirement| r.kind() == ItemKind::Required && !matches!(r.severity, Severity::Bonus | Severity::Advisory);
    let nothing_earns = scorecard.metrics.is_empty() && !scorecard.requirements.iter().any(earns);
    if nothing_earns {
        findings.push(LintFinding {
            severity: LintSeverity::Note,
            requirement_id: String::new(),
            message: "no call gets a score: nothing here earns points".to_string(),
            hint: "what is forbidden only costs some; add a requirement with `require`, or a metric".to_string(),
            line,
            column,
        });
    }
    for (name, _) in scorecard.weights.iter().filter(|_| !nothing_earns) {
        let used = scorecard.metrics.iter().map(|m| &m.dimension);
        let required = scorecard.requirements.iter().filter(|r| r.kind() == ItemKind::Required).map(|r| &r.dimension);
        if !used.chain(required).any(|d| d == name) {
            findings.push(LintFinding {
                severity: LintSeverity::Note,
                requirement_id: String::new(),
                message: format!("dimension `{name}` has a weight but no required item"),
                hint: "its weight goes to the other dimensions".to_string(),
                line,
                column,
            });
        }
    }
    for item in &scorecard.metrics {
        lint_metric(item, &mut findings);
    }
    for requirement in &scorecard.requirements {
        lint_requirement(scorecard, requirement, &mut findings);
    }
    lint_conflicts(scorecard, &mut findings);
    findings
}

/// A phrase that is required here and forbidden there.
fn lint_conflicts(scorecard: &Scorecard, findings: &mut Vec<LintFinding>) {
    let of_kind = |kind: ItemKind| {
        let wanted = move |r: &&Requirement| r.rule.as_ref().is_some_and(|rule| rule.kind == kind);
        scorecard.requirements.iter().filter(wanted).flat_map(deciding)
    };
    for (forbidden, matcher, phrases) in of_kind(ItemKind::Forbidden) {
        for (required, other, other_phrases) in of_kind(ItemKind::Required) {
            let roles_meet = matcher.role.is_none() || other.role.is_none() || matcher.role == other.role;
            if !roles_meet || forbidden.when != required.when {
                continue;
            }
            let shared = phrases.0.iter().flat_map(|(language, list)| {
                let wanted = other_phrases.get(*language);
                list.0.iter().filter(move |phrase| wanted.iter().any(|w| w.trim().eq_ignore_ascii_case(phrase.trim())))
            });
            for phrase in shared {
                findings.push(LintFinding {
                    severity: LintSeverity::Warning,
                    requirement_id: forbidden.id.clone(),
                    message: format!("\"{phrase}\" is forbidden here and required by `{}`", required.id),
                    hint: "nobody can keep both; take it out of one of them".to_string(),
                    line: matcher.place.line,
                    column: matcher.place.column,
                });
            }
        }
    }
}

/// The `any` matchers of a requirement of which each decides the rule by itself.
fn deciding(requirement: &Requirement) -> Vec<(&Requirement, &Matcher, &Phrases)> {
    let names: Vec<&String> = match requirement.rule.as_ref().map(|rule| &rule.parsed) {
        Some(Expr::Name(name)) => vec![name],
        Some(Expr::Or(parts)) => {
            parts.iter().filter_map(|p| if let Expr::Name(n) = p { Some(n) } else { None }).collect()
        }
        _ => vec![],
    };
    let matchers = names.into_iter().filter_map(|name| requirement.matchers.get(name));
    let phrases = |matcher: &'_ Matcher| matches!(matcher.pattern, Pattern::Any(_));
    matchers.filter(|m| phrases(m)).filter_map(|m| Some((requirement, m, m.pattern.phrases()?))).collect()
}

/// More different parts of an expression than this are not tried out.
const MOST_ATOMS: usize = 10;

/// The value of an expression that is the same whatever is found.
fn constant(expr: &Expr) -> Option<bool> {
    fn atoms<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
        match expr {
            Expr::Not(inner) => atoms(inner, found),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| atoms(part, found)),
            atom if !found.contains(&atom) => found.push(atom),
            _ => {}
        }
    }
    fn value(expr: &Expr, atoms: &[&Expr], bits: u32) -> bool {
        match expr {
            Expr::Not(inner) => !value(inner, atoms, bits),
            Expr::And(parts) => parts.iter().all(|part| value(part, atoms, bits)),
            Expr::Or(parts) => parts.iter().any(|part| value(part, atoms, bits)),
            Expr::Count { op: Comparison::AtLeast, number: 0, .. } => true,
            Expr::Count { op: Comparison::LessThan, number: 0, .. } => false,
            // A first match does not come before itself.
            Expr::Before { name, anchor, each: false, reach } if name == anchor && *reach == Reach::default() => false,
            Expr::Order(names) if (1..names.len()).any(|i| names[..i].contains(&names[i])) => false,
            atom => known(atom, atoms, bits),
        }
    }
    fn known(atom: &Expr, atoms: &[&Expr], bits: u32) -> bool {
        atoms.iter().position(|a| *a == atom).is_some_and(|i| (bits >> i) & 1 == 1)
    }
    let mut found = Vec::new();
    atoms(expr, &mut found);
    if found.len() > MOST_ATOMS {
        return None;
    }
    let first = value(expr, &found, 0);
    (1..1u32 << found.len()).all(|bits| value(expr, &found, bits) == first).then_some(first)
}

/// Punctuation that texts have lost when patterns look at them.
const LOST: &str = "-,!;:\"/、。，！？；：“”（）《》—…";

/// A character that the pattern insists on and no text has: punctuation, or a space between Chinese characters. `None` where
/// it cannot be told (alternatives).
fn impossible_in_pattern(pattern: &str) -> Option<char> {
    if pattern.contains('|') {
        return None;
    }
    let chars: Vec<char> = pattern.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let (mut c, mut next) = (chars[i], i + 1);
        match c {
            '\\' => {
                c = chars.get(i + 1).copied().filter(|c| LOST.contains(*c)).unwrap_or('a');
                next = i + 2;
            }
            // Classes, repetitions and what `(?` says are left alone.
            '[' => next = chars[i..].iter().position(|c| *c == ']').map_or(chars.len(), |n| i + n + 1),
            '{' => next = chars[i..].iter().position(|c| *c == '}').map_or(chars.len(), |n| i + n + 1),
            '(' if chars.get(i + 1) == Some(&'?') => {
                next = chars[i..].iter().position(|c| matches!(c, ':' | ')')).map_or(chars.len(), |n| i + n + 1);
            }
            _ => {}
        }
        let optional = matches!(chars.get(next), Some('?' | '*' | '{'));
        let han = |k: Option<usize>| k.and_then(|k| chars.get(k)).is_some_and(|c| is_han(*c));
        let lost = LOST.contains(c);
        if !optional && (lost || (c == ' ' && han(i.checked_sub(1)) && han(Some(next)))) {
            return Some(c);
        }
        i = next;
    }
    None
}

/// Per cent for per mille, seconds for milliseconds: limits that are right in no unit but the wrong one. 0 and 1 only ask whether there is
/// any.
fn unit_doubt(metric: Metric, limits: &[i64]) -> Option<(String, &'static str)> {
    let largest = limits.iter().map(|limit| limit.abs()).max().filter(|largest| *largest > 1)?;
    let id = metric.id();
    if is_share(metric) && largest <= 100 {
        return Some((
            format!("`{id}` has no limit above {largest} per mille"),
            "is that per cent? 1 % is 10 per mille",
        ));
    }
    (id.ends_with("_ms") && largest < 1_000)
        .then(|| (format!("`{id}` has no limit above {largest} ms"), "is that seconds? 1 s is 1000 ms"))
}

fn lint_metric(item: &MetricItem, findings: &mut Vec<LintFinding>) {
    let corners = &item.trapezoid;
    let limits = [corners.zero_below, corners.full_from, corners.full_to, corners.zero_above];
    if let Some((message, hint)) = unit_doubt(item.metric, &limits.into_iter().flatten().collect::<Vec<_>>()) {
        findings.push(LintFinding {
            severity: LintSeverity::Note,
            requirement_id: item.id.clone(),
            message,
            hint: hint.to_string(),
            line: item.place.line,
            column: item.place.column,
        });
    }
}

/// Whether an expression of matchers can hold, and whether it can fail, where only some of them have phrases: one without is not
/// applicable, which passes through as in [`crate::operator::evaluate`].
fn outcomes(expr: &Expr, has: &dyn Fn(&str) -> bool) -> (bool, bool) {
    let all = |names: &[&String]| names.iter().all(|name| has(name.as_str()));
    let decided = |is_decided: bool| (is_decided, is_decided);
    let each = |parts: &[Expr]| parts.iter().map(|part| outcomes(part, has)).collect::<Vec<_>>();
    match expr {
        Expr::Not(inner) => {
            let (holds, fails) = outcomes(inner, has);
            (fails, holds)
        }
        Expr::And(parts) => (each(parts).iter().all(|(holds, _)| *holds), each(parts).iter().any(|(_, fails)| *fails)),
        Expr::Or(parts) => (each(parts).iter().any(|(holds, _)| *holds), each(parts).iter().any(|(_, fails)| *fails)),
        Expr::Name(name) | Expr::Repeat { name, .. } => decided(has(name)),
        Expr::Count { names, .. } => decided(names.iter().any(|name| has(name))),
        Expr::Order(names) => decided(all(&names.iter().collect::<Vec<_>>())),
        Expr::Before { name, anchor, .. } | Expr::After { name, anchor, .. } | Expr::Near { name, anchor, .. } => {
            decided(all(&[name, anchor]))
        }
    }
}

/// Whether a part of the expression counts one side's turns alone.
fn counts_one_side(expr: &Expr) -> bool {
    match expr {
        Expr::Not(inner) => counts_one_side(inner),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(counts_one_side),
        Expr::Count { role, .. } => role.is_some(),
        _ => false,
    }
}

/// Whether anybody's words break a prohibition, the customer's too.
fn is_of_nobody(requirement: &Requirement, rule: &Rule) -> bool {
    let names = rule.parsed.names();
    let mut worded =
        names.iter().filter_map(|name| requirement.matchers.get(*name)).filter(|m| m.pattern.phrases().is_some());
    rule.kind == ItemKind::Forbidden
        && !counts_one_side(&rule.parsed)
        && worded.clone().next().is_some()
        && worded.all(|matcher| matcher.role.is_none())
}

/// What stands for something in patterns, and for nothing in phrases.
const OF_PATTERNS: &[char] = &['{', '}', '*', '|', '\\', '[', ']', '^', '<', '>'];

fn lint_requirement(scorecard: &Scorecard, requirement: &Requirement, findings: &mut Vec<LintFinding>) {
    let mut add_at = |place: Place, severity, message: String, hint: &str| {
        let (requirement_id, hint) = (requirement.id.clone(), hint.to_string());
        findings.push(LintFinding { severity, requirement_id, message, hint, line: place.line, column: place.column });
    };
    let here = requirement.place;
    for (what, text) in [("what", &requirement.what), ("why", &requirement.why), ("coach", &requirement.coach)] {
        if text.0.is_empty() {
            add_at(here, LintSeverity::Note, format!("has no `{what}`"), "people read it beside the result");
        }
    }
    if requirement.points == 0 && !matches!(requirement.severity, Severity::Advisory | Severity::Fatal) {
        let hint = "give it points, or `severity: advisory` where that is meant";
        add_at(here, LintSeverity::Note, "has 0 points: it changes no score".to_string(), hint);
    }
    let Some(rule) = &requirement.rule else { return };
    if is_of_nobody(requirement, rule) {
        let hint = "with `role: rep` in `forbid` only the rep's count";
        add_at(rule.place, LintSeverity::Note, "the customer's words count against the rep, too".to_string(), hint);
    }
    match constant(&rule.parsed) {
        Some(true) => add_at(
            rule.place,
            LintSeverity::Warning,
            "always holds".to_string(),
            "whatever is said; look at `expr` again",
        ),
        Some(false) => add_at(
            rule.place,
            LintSeverity::Warning,
            "can never hold".to_string(),
            "whatever is said; look at `expr` again",
        ),
        None => {}
    }
    let names = rule.parsed.names();
    for (name, matcher) in &requirement.matchers {
        let place = matcher.place;
        let within = &matcher.within;
        let empty = [within.first_ms, within.last_ms].into_iter().flatten().any(|ms| ms <= 0)
            || [within.first_turns, within.last_turns].into_iter().flatten().any(|turns| turns == 0);
        if empty {
            let message = format!("matcher `{name}` searches nothing");
            add_at(place, LintSeverity::Warning, message, "its `within` is empty; give it seconds or turns");
        }
        let in_when = requirement.when.parsed.iter().any(|e| e.names().contains(&name.as_str()));
        let first = within.first_ms.is_some() || within.first_turns.is_some();
        if first && (within.last_ms.is_some() || within.last_turns.is_some()) {
            let message = format!("matcher `{name}` searches only what is both in the first and in the last part");
            let hint = "in longer calls that is nothing; two matchers joined by `or` search either part";
            add_at(place, LintSeverity::Note, message, hint);
        }
        if let Pattern::Metric { metric, bounds } = &matcher.pattern {
            let limits: Vec<i64> = bounds.gte.into_iter().chain(bounds.lte).collect();
            if let Some((doubt, hint)) = unit_doubt(*metric, &limits) {
                add_at(place, LintSeverity::Note, format!("matcher `{name}`: {doubt}"), hint);
            }
        }
        let is_pattern = matches!(matcher.pattern, Pattern::Regex(_));
        let words = matcher.pattern.phrases().into_iter().chain([&matcher.not]).flat_map(|phrases| phrases.0.values());
        for phrase in words.flat_map(|list| &list.0) {
            // With `x` a pattern may stand on several lines.
            if let Some(c) = phrase.chars().find(|c| c.is_control()).filter(|_| is_pattern && !phrase.contains("(?x")) {
                let message =
                    format!("matcher `{name}`: no text has the control character U+{:04X} of this pattern", c as u32);
                let hint = r#"in double quotes "\b" is a backspace: write "\\b", or '\b' in single quotes"#;
                add_at(place, LintSeverity::Warning, message, hint);
            }
            if let Some(c) = phrase.chars().find(|c| OF_PATTERNS.contains(c)).filter(|_| !is_pattern) {
                let message = format!("matcher `{name}`: `{c}` stands for nothing in \"{phrase}\"");
                let hint = "phrases are looked for as they are written: leave out what varies, or use `regex`";
                add_at(place, LintSeverity::Note, message, hint);
            }
        }
        if !names.contains(&name.as_str()) && !in_when {
            add_at(
                place,
                LintSeverity::Warning,
                format!("matcher `{name}` is not used"),
                "name it in `expr` or remove it",
            );
        }
        if matcher.within.first_ms.is_some() && matcher.within.first_turns.is_none() {
            add_at(
                place,
                LintSeverity::Note,
                format!("matcher `{name}` has `first_s` only"),
                "text calls need `first_turns` too",
            );
        }
        let loose = matcher.pattern.is_of_words()
            && !matches!(matcher.pattern, Pattern::Regex(_))
            && matcher.threshold_permille.is_some_and(|threshold| threshold < LOOSE_PERMILLE)
            && matcher.must.is_empty();
        if loose {
            let message = format!("matcher `{name}` takes what is hardly like its phrases for them");
            let hint = "a `threshold` this low finds them in unrelated talk; add `must` words or raise it to 0.7";
            add_at(place, LintSeverity::Note, message, hint);
        }
        let listed = matcher.pattern.phrases().into_iter().flat_map(|phrases| &phrases.0);
        for (language, phrase) in listed.flat_map(|(language, list)| list.0.iter().map(move |p| (*language, p))) {
            if matches!(matcher.pattern, Pattern::Regex(_)) {
                if let Some(c) = impossible_in_pattern(phrase) {
                    let message = format!("matcher `{name}`: no text has the `{c}` of this pattern");
                    let hint = "patterns see lower case without punctuation, and no spaces between Chinese characters";
                    add_at(place, LintSeverity::Warning, message, hint);
                }
                continue;
            }
            let written = Language::of_text(phrase);
            let severity = match (language, written) {
                (Language::En, Some(Language::Zh)) => LintSeverity::Warning,
                // Names of products are said in Latin letters, too.
                (Language::Zh, Some(Language::En)) => LintSeverity::Note,
                _ => continue,
            };
            let message = format!("matcher `{name}`: \"{phrase}\" stands under `{}`", language.code());
            add_at(place, severity, message, "calls in that language are searched for it; move it to the other one");
        }
        if let Pattern::Any(phrases) | Pattern::All(phrases) | Pattern::AtLeast { of: phrases, .. } = &matcher.pattern {
            for (language, list) in &phrases.0 {
                let Some(compiled) = matcher.compiled.get(language).filter(|c| !c.must.is_empty()) else { continue };
                for phrase in &list.0 {
                    if !crate::matching::phrase_has(phrase, *language, &compiled.must) {
                        let message = format!("matcher `{name}`: \"{phrase}\" has none of the `must` words");
                        add_at(place, LintSeverity::Warning, message, "said exactly like this it would not match");
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
            add_at(here, LintSeverity::Warning, message, "it is not applicable to calls in that language");
        } else {
            let has = |name: &str| requirement.matchers.get(name).is_none_or(speaks);
            let lacking = |expr: &Expr| {
                let lacking: Vec<&str> = expr.names().into_iter().filter(|name| !has(name)).collect();
                format!("can never hold in `{}`: no phrases there in {}", language.code(), lacking.join(", "))
            };
            let hint = "give it phrases in that language, or join it by `or`";
            if !outcomes(&rule.parsed, &has).0 {
                add_at(rule.place, LintSeverity::Warning, lacking(&rule.parsed), hint);
            }
            if let Some(expr) = requirement.when.parsed.as_ref().filter(|expr| !outcomes(expr, &has).0) {
                add_at(here, LintSeverity::Warning, format!("`when` {}", lacking(expr)), hint);
            }
            for except in requirement.except.iter().filter(|except| !speaks(except)) {
                let message = format!("an `except` has no phrases in `{}`", language.code());
                add_at(except.place, LintSeverity::Note, message, "in that language it excepts nothing");
            }
        }
        let shown = |e: &Example| {
            let text: String = e.turns.iter().map(|t| t.text.as_str()).collect();
            e.language.or_else(|| Language::of_text(&text)) == Some(*language)
        };
        if !requirement.examples.iter().any(shown) {
            let message = format!("has no example in `{}`", language.code());
            add_at(here, LintSeverity::Note, message, "add one call that meets it and one that does not");
        }
    }
    let outcomes: BTreeSet<_> = requirement.examples.iter().map(|e| e.expect).collect();
    if requirement.examples.len() > 1 && outcomes.len() == 1 {
        add_at(here, LintSeverity::Note, "all examples expect the same result".to_string(), "add a counter-example");
    }
}
