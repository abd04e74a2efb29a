//! The end of a run on the terminal: what was scored, skipped, failed, and the rep table.

use anyhow::Result;
use callmark_core::performance::REP_PERIOD;
use callmark_core::table;
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
    if report.without_times > 0 {
        println!(
            "  {} texts have no times: what is measured in seconds (a recording notice in the first 30 s, silence, pace) does not apply to \
             them (hint: WebVTT, SRT and Contact Lens JSON have times)",
            report.without_times
        );
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

/// Rows of `rep_period`: shrunken mean with its interval, rank range or "insufficient data".
pub fn print_reps(rows: &[Vec<table::Cell>]) -> Result<()> {
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
    for cells in rows {
        let row = RepLine(cells);
        let or_dash = |name: &str| Some(row.text(name)).filter(|text| !text.is_empty()).unwrap_or("–".into());
        table.add_row([
            Cell::new(row.text("rep_id")),
            Cell::new(or_dash("team")),
            Cell::new(row.text("period")),
            right(row.text("n_scored")),
            right(row.text("n_unscored")),
            right(row.text("n_pending")),
            right(row.number("mean").map_or("–".into(), points)),
            right(row.shrunken()),
            Cell::new(row.rank()),
            right(row.number("flags_per_call").map_or("–".into(), |f| format!("{:.1}", f as f64 / 1000.0))),
            Cell::new(or_dash("top3").split("; ").next().unwrap_or_default()),
        ]);
    }
    println!("\n{table}");
    Ok(())
}

/// A row of `rep_period` by the names of its columns.
struct RepLine<'a>(&'a [table::Cell]);

impl RepLine<'_> {
    fn cell(&self, name: &str) -> Option<&table::Cell> {
        self.0.get(REP_PERIOD.iter().position(|column| column.name == name)?)
    }

    fn text(&self, name: &str) -> String {
        self.cell(name).map(table::Cell::text).unwrap_or_default()
    }

    /// Whole, or in thousandths.
    fn number(&self, name: &str) -> Option<i64> {
        match self.cell(name)? {
            table::Cell::Whole(number) | table::Cell::Thousandths(number) => Some(*number),
            table::Cell::Text(_) | table::Cell::Truth(_) | table::Cell::Empty => None,
        }
    }

    fn shrunken(&self) -> String {
        match (self.number("shrunk"), self.number("low"), self.number("high")) {
            (Some(mean), Some(low), Some(high)) => {
                // The interval of a mean near the end of the scale may reach beyond it; scores do not.
                format!("{} [{}–{}]", points(mean), points(low.max(0)), points(high.min(100_000)))
            }
            _ => "–".into(),
        }
    }

    fn rank(&self) -> String {
        match (self.number("rank_low"), self.number("rank_high")) {
            (Some(low), Some(high)) => format!("{low}–{high}"),
            _ => "insufficient data".into(),
        }
    }
}
