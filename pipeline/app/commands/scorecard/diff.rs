//! `callmark scorecard diff OLD NEW`: which calls and reps change, by how much, before a scorecard ships. Writes nothing.

use anyhow::Result;
use callmark_core::record::Evaluation;
use callmark_core::trial::{Difference, DifferenceReport};
use comfy_table::Cell;

use super::trial::{self, Trial};
use crate::FINISHED;
use crate::analysis::Analyst;
use crate::cli::{Common, DiffArgs};
use crate::commands::terminal_table::{right, table};
use crate::render::call_page::points;
use crate::stored_calls::{Former, Input};

/// Reps and requirements in the tables of the terminal; `--json` has all.
const SHOWN: usize = 30;

pub fn run(args: &DiffArgs, common: &Common) -> Result<u8> {
    let (mut old, mut new) = (trial::analyst(&args.old, common)?, trial::analyst(&args.new, common)?);
    let trial = Trial::open(&mut [&mut old, &mut new], &args.trial, common)?;
    new.learn_from(&old);
    let mut difference = Difference::default();
    trial.each(
        &new,
        &mut difference,
        |_, input| both(&old, &new, input),
        |difference, both| difference.add(&both.call_id, both.rep_id.as_deref(), &both.old, &both.new),
    )?;
    let report = difference.report(&old.scorecards()[0], &new.scorecards()[0]);
    if args.trial.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, trial.by_name);
    }
    Ok(FINISHED)
}

/// A call under both scorecards.
struct Both {
    call_id: String,
    rep_id: Option<String>,
    old: Evaluation,
    new: Evaluation,
}

fn both(old: &Analyst, new: &Analyst, mut input: Input) -> Both {
    let before = old.judge(&input.call, old.known(&input));
    // What did not change between the two is judged once.
    let evaluation_key = old.evaluation_key_of(&input.call, &input.transcript_hash);
    input.former = Former { evaluation: before.evaluation, evaluation_key, acts: before.acts, signals: before.signals };
    let after = new.judge(&input.call, new.known(&input));
    Both {
        rep_id: input.call.metadata.rep_id,
        call_id: input.call.call_id,
        old: input.former.evaluation,
        new: after.evaluation,
    }
}

fn change(old: Option<i64>, new: Option<i64>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => signed(new - old),
        _ => "–".to_string(),
    }
}

fn signed(millipoints: i64) -> String {
    let points = points(millipoints);
    if points.starts_with('-') || points == "0.0" { points } else { format!("+{points}") }
}

fn print(report: &DifferenceReport, by_name: bool) {
    let which = if by_name { "" } else { " (none was scored with a scorecard of these names: all are taken)" };
    let mean = |mean: Option<i64>| mean.map_or("–".to_string(), points);
    println!(
        "{} stored calls{which}: {} change; mean {} → {} ({}) over the {} with a score under both\n",
        report.calls,
        report.changed,
        mean(report.mean_old),
        mean(report.mean_new),
        change(report.mean_old, report.mean_new),
        report.scored_by_both
    );
    let mut verdicts = table(["verdict", "→", "calls"]);
    for pair in &report.verdicts {
        verdicts.add_row([right(&pair.old), right(&pair.new), right(pair.calls)]);
    }
    println!("{verdicts}\n");
    let mut requirements = table(["requirement", "", "points per call", "calls", "results that change"]);
    for changed in report.requirements.iter().take(SHOWN) {
        let presence = if changed.presence == "kept" { "" } else { changed.presence };
        let results: Vec<String> = changed.results.iter().map(|(pair, n)| format!("{pair} {n}")).collect();
        requirements.add_row([
            Cell::new(&changed.requirement_id),
            Cell::new(presence),
            right(signed(changed.mean_change)),
            right(changed.calls),
            Cell::new(results.join(", ")),
        ]);
    }
    println!("{requirements}");
    left_out("requirements", report.requirements.len());
    println!();
    let mut reps = table(["rep", "calls", "mean before", "after", "change"]);
    let mut by_change: Vec<_> = report.reps.iter().collect();
    by_change.sort_by_key(|rep| {
        let change = rep.mean_old.zip(rep.mean_new).map_or(0, |(old, new)| (new - old).abs());
        (std::cmp::Reverse(change), rep.rep_id.clone())
    });
    for rep in by_change.into_iter().take(SHOWN) {
        reps.add_row([
            Cell::new(&rep.rep_id),
            right(rep.n),
            right(mean(rep.mean_old)),
            right(mean(rep.mean_new)),
            right(change(rep.mean_old, rep.mean_new)),
        ]);
    }
    println!("{reps}");
    left_out("reps", report.reps.len());
    let mut calls = table(["call", "rep", "before", "after", "change", "mostly because of"]);
    for call in &report.largest {
        calls.add_row([
            Cell::new(&call.call_id),
            Cell::new(&call.rep_id),
            right(points(call.old)),
            right(points(call.new)),
            right(signed(call.new - call.old)),
            Cell::new(format!("{} ({}) {}", call.because, call.because_results, signed(call.because_change))),
        ]);
    }
    println!("\n{calls}");
}

fn left_out(what: &str, all: usize) {
    if all > SHOWN {
        println!("({} more {what}: --json has all)", all - SHOWN);
    }
}
