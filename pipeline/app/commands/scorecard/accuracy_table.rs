//! How well scorecards find what is there: the tables of `callmark scorecard test --table`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use callmark_core::labelled_examples::{Findings, Share};
use serde_json::{Value, json};

use super::test::{Run, Tested, is_flagged};
use crate::commands::terminal_table::percent;
use crate::render::outputs::snake;

/// A share with its interval; a dash when there is nothing to count.
fn shown(share: Option<Share>) -> String {
    let number = |permille: u16| percent(u64::from(permille)).trim_end_matches(" %").to_string();
    share.map_or("–".to_string(), |s| {
        format!("{} ({}–{})", percent(u64::from(s.permille)), number(s.low_permille), number(s.high_permille))
    })
}

/// A name, and which runs belong to it.
struct Group<'a> {
    name: String,
    belongs: Box<dyn Fn(&Run) -> bool + 'a>,
}

impl<'a> Group<'a> {
    fn new(name: impl Into<String>, belongs: impl Fn(&Run) -> bool + 'a) -> Group<'a> {
        Group { name: name.into(), belongs: Box::new(belongs) }
    }

    fn findings(&self, tested: &Tested, noisy: bool) -> Findings {
        tested.findings(|run| run.noisy == noisy && (self.belongs)(run))
    }
}

fn names(tested: &Tested, of: impl Fn(&Run) -> Vec<String>) -> BTreeSet<String> {
    tested.runs.iter().flat_map(of).filter(|name| !name.is_empty()).collect()
}

fn whole(tested: &Tested) -> Vec<Group<'_>> {
    let mut groups = vec![
        Group::new("all", |_| true),
        Group::new("in the scorecards", |run: &Run| !run.labelled),
        Group::new("labelled apart", |run: &Run| run.labelled),
    ];
    for code in names(tested, |run| vec![run.language.code().to_string()]) {
        groups.push(Group::new(format!("labelled apart, {code}"), move |run: &Run| {
            run.labelled && run.language.code() == code
        }));
    }
    groups
}

fn by_operator(tested: &Tested) -> Vec<Group<'_>> {
    let operators = names(tested, |run| run.operators.clone());
    operators
        .into_iter()
        .map(|name| Group::new(format!("`{name}`"), move |run: &Run| run.operators.contains(&name)))
        .collect()
}

fn by_requirement(tested: &Tested) -> Vec<Group<'_>> {
    let full = |run: &Run| format!("{}.{}", run.card, run.requirement_id);
    let mut seen = Vec::new();
    for run in &tested.runs {
        if seen.last() != Some(&full(run)) {
            seen.push(full(run));
        }
    }
    seen.into_iter().map(|name| Group::new(name.clone(), move |run: &Run| full(run) == name)).collect()
}

fn by_why(tested: &Tested) -> Vec<Group<'_>> {
    let mut groups = vec![Group::new("all", |run: &Run| run.is_hard_negative)];
    for code in names(tested, |run| vec![run.language.code().to_string()]) {
        groups.push(Group::new(code.clone(), move |run: &Run| run.is_hard_negative && run.language.code() == code));
    }
    for why in names(tested, |run| vec![run.why.clone()]) {
        groups.push(Group::new(why.clone(), move |run: &Run| run.is_hard_negative && run.why == why));
    }
    groups
}

/// Writing into a String cannot fail; the results of `writeln!` below are dropped for that reason.
pub fn markdown(tested: &Tested) -> String {
    let mut out = String::new();
    for (title, groups) in [
        ("All", whole(tested)),
        ("By matcher and operator", by_operator(tested)),
        ("By requirement", by_requirement(tested)),
    ] {
        let _ = writeln!(out, "## {title}\n\n| | examples | there | precision | recall | noisy | precision | recall |");
        let _ = writeln!(out, "|---|---:|---:|---|---|---:|---|---|");
        for group in groups {
            let (clean, noisy) = (group.findings(tested, false), group.findings(tested, true));
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                group.name,
                clean.examples,
                clean.there,
                shown(clean.precision()),
                shown(clean.recall()),
                noisy.examples,
                shown(noisy.precision()),
                shown(noisy.recall())
            );
        }
        out.push('\n');
    }
    let _ = writeln!(out, "## Hard negatives\n\n| | examples | flagged | noisy | flagged |\n|---|---:|---:|---:|---:|");
    for group in by_why(tested) {
        let (clean, noisy) = (group.findings(tested, false), group.findings(tested, true));
        let (name, flagged) = (&group.name, clean.false_finds);
        let _ =
            writeln!(out, "| {name} | {} | {flagged} | {} | {} |", clean.examples, noisy.examples, noisy.false_finds);
    }
    let _ = writeln!(out, "\n## Not as expected, without noise\n");
    for run in tested.failed() {
        let hard = if run.why.is_empty() { String::new() } else { format!(", {}", run.why) };
        let place = if run.labelled { "labelled apart" } else { "in the scorecard" };
        let found = if run.found.is_empty() { String::new() } else { format!(": {}", run.found) };
        let _ = writeln!(
            out,
            "- {}.{} {} ({}, {place}{hard}): expected {}, was {}{found}",
            run.card,
            run.requirement_id,
            run.example,
            run.language.code(),
            snake(&run.expected),
            snake(&run.actual)
        );
    }
    for (requirement, examples) in &tested.without_requirement {
        let _ = writeln!(out, "- {requirement}: in none of these scorecards; {examples} examples left out");
    }
    out
}

pub fn json(tested: &Tested) -> Value {
    let rows = |groups: Vec<Group<'_>>| -> Vec<Value> {
        let side = |findings: Findings| json!({"counts": findings, "precision": findings.precision(), "recall": findings.recall()});
        let row = |group: &Group<'_>| {
            let name = group.name.trim_matches('`');
            json!({"name": name, "clean": side(group.findings(tested, false)), "noisy": side(group.findings(tested, true))})
        };
        groups.iter().map(row).collect()
    };
    json!({
        "all": rows(whole(tested)),
        "operators": rows(by_operator(tested)),
        "requirements": rows(by_requirement(tested)),
        "hard_negatives": rows(by_why(tested)),
        "flagged": tested.runs.iter().filter(|run| !run.noisy && is_flagged(run)).collect::<Vec<_>>(),
        "failed": tested.failed().collect::<Vec<_>>(),
        "without_requirement": tested.without_requirement,
    })
}
