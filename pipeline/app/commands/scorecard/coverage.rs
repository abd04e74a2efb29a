//! `callmark scorecard coverage FILE`: requirements that never or always fire on the stored calls, and what nobody ever says.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::Result;
use callmark_core::matching::call_language;
use callmark_core::trial::{Coverage, CoverageReport, Firing, is_judged};
use comfy_table::Cell;

use super::trial::{self, Trial};
use crate::FINISHED;
use crate::cli::{Common, CoverageArgs};
use crate::commands::terminal_table::{percent, right, table};

pub fn run(args: &CoverageArgs, common: &Common) -> Result<u8> {
    let mut analyst = trial::analyst(&args.file, common)?;
    let trial = Trial::open(&mut [&mut analyst], &args.trial, common)?;
    let mut coverage = Coverage::default();
    trial.each(
        &analyst,
        &mut coverage,
        |so_far, input| {
            let judged = analyst.judge(&input.call, analyst.known(&input));
            // Whoever is not scored says nothing about the scorecard.
            is_judged(&judged.evaluation).then(|| {
                let uses = analyst.uses(&input.call, &judged, &|r, m, p| so_far.has_phrase(r, m, p));
                (call_language(&input.call.transcript), judged.items, uses)
            })
        },
        |coverage, seen| {
            if let Some((language, items, uses)) = seen {
                coverage.add(language, &items, &uses);
            }
        },
    )?;
    let report = coverage.report(&analyst.scorecards()[0]);
    if args.trial.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, args.phrases);
    }
    Ok(FINISHED)
}

fn counts<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

fn print(report: &CoverageReport, phrases: bool) {
    println!("calls that can be scored: {}\n", counts(&report.languages));
    let mut items =
        table(["item", "met", "missed", "violated", "clear", "n/a", "unknown", "fires", "by language", "note"]);
    for item in &report.items {
        let by_language = item.by_language.iter().filter(|(_, counts)| counts.decided() > 0);
        let by_language: Vec<String> = by_language
            .map(|(language, counts)| format!("{language} {}", share(counts.fired(), counts.decided())))
            .collect();
        items.add_row([
            Cell::new(&item.id),
            right(item.all.met),
            right(item.all.missed),
            right(item.all.violated),
            right(item.all.clear),
            right(item.all.not_applicable),
            right(item.all.unknown),
            right(share(item.all.fired(), item.all.decided())),
            Cell::new(by_language.join(", ")),
            Cell::new(match item.firing {
                Firing::Sometimes => "",
                Firing::Never => "never fires",
                Firing::Always => "always fires",
                Firing::NeverDecided => "never decided",
            }),
        ]);
    }
    println!("{items}\n");
    for item in report.items.iter().filter(|item| !item.not_applicable.is_empty()) {
        println!("{}: not applicable because of {}", item.id, counts(&item.not_applicable));
    }
    for item in report.items.iter().filter(|item| !item.silent_matchers.is_empty()) {
        println!("{}: found nothing in any call: {}", item.id, item.silent_matchers.join(", "));
    }
    let silent: usize = report.items.iter().map(|item| item.silent_phrases.len()).sum();
    if !phrases {
        println!("{silent} phrases are said in no call (--phrases lists them)");
        return;
    }
    for item in &report.items {
        for phrase in &item.silent_phrases {
            println!("{}: {} [{}]: never said: {}", item.id, phrase.matcher, phrase.language, phrase.phrase);
        }
    }
}

fn share(part: u64, whole: u64) -> String {
    match (1000 * part + whole / 2).checked_div(whole) {
        Some(permille) => percent(permille),
        None => "–".to_string(),
    }
}
