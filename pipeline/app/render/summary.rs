//! The end of a run on the terminal: what was scored, skipped, failed, and the rep table.

use anyhow::Result;
use callmark_core::performance::{self, CallSummary, PeriodKind, RepRow};
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::render::call_page::points;
use crate::run_summary::RunSummary;

pub fn print_run(report: &RunSummary) {
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    let unscored: usize = report.unscored.values().sum();
    println!(
        "{} recordings: {} scored, {} pending review, {} unscored, {} failed",
        report.recordings,
        report.scored,
        report.pending_review,
        unscored,
        report.failed.len()
    );
    let mut details = vec![format!("{} transcribed", report.transcribed), format!("{} unchanged", report.unchanged)];
    if report.duplicates > 0 {
        details.push(format!("{} duplicates of another file", report.duplicates));
    }
    if report.forgotten > 0 {
        details.push(format!("{} forgotten or purged (not taken in again)", report.forgotten));
    }
    println!("  {} in {:.1} s", details.join(", "), report.elapsed_seconds);
    if report.transcribed > 0 {
        let first =
            report.first_scored_seconds.map_or(String::new(), |s| format!("; first scored call after {s:.1} s"));
        println!("  {:.0} s of audio, {:.1} × real time{first}", report.audio_seconds, report.audio_seconds_per_second);
    }
    for (reason, count) in &report.unscored {
        println!("  unscored: {reason}: {count}");
    }
    if report.swapped_channels > 0 {
        println!(
            "  in {} calls rep and customer may be swapped (hint: check the channel map; `callmark roles CALL --swap`)",
            report.swapped_channels
        );
    }
    print_failures(report);
    println!("  results: {}   store: {}", report.out, report.store);
    if !report.report.is_empty() {
        println!("  report: {}", report.report);
    }
}

pub fn print_failures(report: &RunSummary) {
    for failure in &report.failed {
        let known = if failure.known { " (known from an earlier run, not tried again)" } else { "" };
        eprintln!("failed: {}: {}: {}{known}\n  hint: {}", failure.file, failure.stage, failure.cause, failure.hint);
    }
}

/// The rep table over stored calls: shrunken mean with its interval, rank range or "insufficient data".
pub fn print_reps(calls: &[CallSummary], kind: PeriodKind) -> Result<()> {
    let rows = performance::rep_period(calls, kind);
    if rows.is_empty() {
        println!("\nno stored calls with a rep");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "rep",
        "team",
        "period",
        "scored",
        "unscored",
        "pending",
        "mean",
        "shrunken [95 %]",
        "rank",
        "flags/call",
        "first improvement",
    ]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for row in &rows {
        table.add_row([
            Cell::new(&row.rep_id),
            Cell::new(row.team.as_deref().unwrap_or("–")),
            Cell::new(&row.period),
            right(row.n_scored.to_string()),
            right(row.n_unscored.to_string()),
            right(row.n_pending.to_string()),
            right(row.mean.map_or("–".into(), points)),
            right(shrunken(row)),
            Cell::new(rank(row)),
            right(row.flags_per_call_milli.map_or("–".into(), |f| format!("{:.1}", f as f64 / 1000.0))),
            Cell::new(row.top3.first().map_or("–", |point| point.requirement_id.as_str())),
        ]);
    }
    println!("\n{table}");
    Ok(())
}

fn shrunken(row: &RepRow) -> String {
    match (row.shrunk, row.low, row.high) {
        (Some(mean), Some(low), Some(high)) => {
            // The interval of a mean near the end of the scale may reach beyond it; scores do not.
            format!("{} [{}–{}]", points(mean), points(low.max(0)), points(high.min(100_000)))
        }
        _ => "–".into(),
    }
}

fn rank(row: &RepRow) -> String {
    match (row.rank_low, row.rank_high) {
        (Some(low), Some(high)) => format!("{low}–{high}"),
        _ => "insufficient data".into(),
    }
}
