//! One call on the terminal: facts, script with flags in the margin, ledger by dimension. Pipes well: no wrapping, no colour.

use std::fmt::Write as _;

use callmark_core::acts::ActLexicon;
use callmark_core::record::{CallRecord, LedgerRow, Outcome, Review, RowKind};
use callmark_core::roles;
use callmark_core::transcript::{Medium, Role, RoleMethod};

use crate::render::outputs::snake;

/// So many reasons for the roles stand on a call's page; `callmark roles` has all.
const SHOWN_EVIDENCE: usize = 5;

/// Millipoints as people read them: 70,723 → `70.7`.
pub fn points(millipoints: i64) -> String {
    let tenths = (millipoints.abs() + 50) / 100;
    let sign = if millipoints < 0 && tenths > 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// 192,000 ms → `03:12`.
pub fn clock(ms: i64) -> String {
    format!("{:02}:{:02}", ms / 60_000, ms / 1000 % 60)
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Rep => "Rep",
        Role::Customer => "Customer",
        Role::Unknown => "Speaker",
        Role::Ivr => "IVR",
        Role::Supervisor => "Supervisor",
        Role::TransferTarget => "Transfer target",
    }
}

/// Writing into a String cannot fail; the results of `writeln!` below are dropped for that reason.
pub fn page(record: &CallRecord, reviews: &[Review]) -> String {
    let mut out = String::new();
    facts(&mut out, record);
    script(&mut out, record);
    ledger(&mut out, record);
    for review in reviews {
        let _ = writeln!(
            out,
            "review {}: {} {} by {}: {}",
            review.review_id,
            review.requirement_id,
            snake(&review.decision),
            review.reviewer,
            review.reason
        );
    }
    out
}

fn facts(out: &mut String, record: &CallRecord) {
    let (about, evaluation, transcript) = (&record.metadata, &record.evaluation, &record.transcript);
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".into());
    let _ = writeln!(
        out,
        "call {}  rep {}  team {}  {}  {}",
        record.call_id,
        known(&about.rep_id),
        known(&about.team),
        known(&about.start_ts),
        clock(transcript.duration_ms)
    );
    let confidence =
        transcript.recogniser_confidence_permille.map_or("–".into(), |c| format!("{:.2}", f64::from(c) / 1000.0));
    let _ = writeln!(
        out,
        "roles: {} ({:.2})   recogniser confidence: {confidence}   scorecard: {} v{}",
        snake(&transcript.role_method),
        f64::from(transcript.role_confidence_permille) / 1000.0,
        if evaluation.scorecard.is_empty() { "–" } else { &evaluation.scorecard },
        evaluation.scorecard_version
    );
    if !transcript.dropped.is_empty() {
        let count = |(guard, n): (&String, &u32)| format!("{n} {guard}");
        let counts = transcript.dropped.iter().map(count).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "left out, because nobody said it: {counts}");
    }
    if transcript.role_method == RoleMethod::Inferred {
        out.push_str(&role_evidence(record, ActLexicon::built_in(), SHOWN_EVIDENCE));
    }
    let verdict = evaluation.verdict.map_or(String::new(), |v| format!("  {}", snake(&v)));
    let reason = evaluation.reason.map_or(String::new(), |r| format!(": {}", snake(&r)));
    let score = evaluation.score.map_or("–".into(), points);
    let _ = writeln!(out, "score {score}{verdict}   status {}{reason}", snake(&evaluation.status));
    if !evaluation.pending.is_empty() {
        let _ = writeln!(out, "waits for review: {}", evaluation.pending.join(", "));
    }
    for warning in &transcript.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    out.push('\n');
}

/// Why somebody is the rep, one line for each piece of evidence: moment, log-odds for the roles as they are, who, cue. At most `most`,
/// the weightiest ones, by time.
pub fn role_evidence(record: &CallRecord, lexicon: &ActLexicon, most: usize) -> String {
    let mut evidence = roles::explain(&record.transcript, record.metadata.direction, lexicon);
    evidence.sort_by_key(|e| -e.log_odds_milli.abs());
    evidence.truncate(most);
    evidence.sort_by_key(|e| (e.begin_ms, e.speaker, e.cue));
    let mut out = String::new();
    for e in evidence {
        let (who, sign) = if e.speaker == 0 { (Role::Rep, 1) } else { (Role::Customer, -1) };
        let odds = sign as f64 * e.log_odds_milli as f64 / 1000.0;
        let _ = writeln!(out, "  {}  {odds:+.2}  {:<8}  {}", clock(e.begin_ms), role(who), e.cue);
    }
    out
}

fn script(out: &mut String, record: &CallRecord) {
    let timed = record.transcript.medium == Medium::Speech;
    for (index, turn) in record.transcript.everybody() {
        let flags: Vec<&str> = flagged(record)
            .filter(|row| row.evidence.iter().any(|e| e.turn == Some(index as u32)))
            .map(|row| row.requirement_id.as_str())
            .collect();
        let margin = if flags.is_empty() { String::new() } else { format!("   << {}", flags.join(", ")) };
        let _ = writeln!(
            out,
            "{:>3}  {}  {:<8}  {}{margin}",
            index,
            if timed { clock(turn.begin_ms) } else { "  –  ".to_string() },
            role(turn.role),
            turn.text
        );
    }
    out.push('\n');
}

/// Rows that cost points or wait for a decision.
fn flagged(record: &CallRecord) -> impl Iterator<Item = &LedgerRow> {
    let bad = |r: Outcome| matches!(r, Outcome::Missed | Outcome::Violated);
    record.evaluation.ledger.iter().filter(move |row| row.kind == RowKind::Item && bad(row.result))
}

fn ledger(out: &mut String, record: &CallRecord) {
    let evaluation = &record.evaluation;
    if evaluation.ledger.is_empty() {
        return;
    }
    let _ =
        writeln!(out, "{:<34} {:<14} {:>7} {:>8}  {:<11} evidence", "ledger", "result", "points", "possible", "time");
    for dimension in &evaluation.dimensions {
        let _ = writeln!(
            out,
            "{:<34} {:<14} {:>7} {:>8}",
            dimension.dimension,
            "",
            points(dimension.points + dimension.deductions),
            points(dimension.possible)
        );
        for row in evaluation.ledger.iter().filter(|row| row.dimension == dimension.dimension) {
            ledger_row(out, row);
        }
    }
    let named = |row: &&LedgerRow| !evaluation.dimensions.iter().any(|d| d.dimension == row.dimension);
    for row in evaluation.ledger.iter().filter(named) {
        ledger_row(out, row);
    }
    let sum: i64 = evaluation.ledger.iter().map(|row| row.points).sum();
    let _ = writeln!(out, "{:<34} {:<14} {:>7}", "sum of rows", "", points(sum));
}

fn ledger_row(out: &mut String, row: &LedgerRow) {
    let value = row.metric_value.map_or(String::new(), |v| format!("{v}  "));
    let quote = if row.quote.is_empty() { String::new() } else { format!("\"{}\"", row.quote) };
    let time = if row.end_ms > row.begin_ms {
        format!("{}–{}", clock(row.begin_ms), clock(row.end_ms))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "  {:<32} {:<14} {:>7} {:>8}  {time:<11} {value}{quote}",
        row.requirement_id,
        snake(&row.result),
        points(row.points),
        points(row.possible)
    );
}

/// What can be reviewed in this call, and what was decided.
pub fn review_list(record: &CallRecord, reviews: &[Review]) -> String {
    let mut out = String::new();
    for row in flagged(record) {
        let decided = reviews.iter().rev().find(|r| r.requirement_id == row.requirement_id && r.is_final);
        let state = decided.map_or("open".to_string(), |r| format!("{} by {}", snake(&r.decision), r.reviewer));
        let _ = writeln!(
            out,
            "{}  {:<32} {:<9} {:>7}  {state}",
            clock(row.begin_ms),
            row.requirement_id,
            snake(&row.result),
            points(row.points)
        );
    }
    if out.is_empty() {
        out.push_str("no row of this call waits for a review\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_rounded_to_one_decimal() {
        for (millipoints, text) in
            [(70_723, "70.7"), (100_000, "100.0"), (-10_000, "-10.0"), (49, "0.0"), (-49, "0.0"), (950, "1.0")]
        {
            assert_eq!(points(millipoints), text);
        }
        assert_eq!(clock(192_999), "03:12");
    }
}
