//! Flat tables of calls for spreadsheets and databases: `calls`, `turns`, `ledger`, `reviews` as CSV.
//!
//! Each table is a closed list of columns; writers loop over it. In CSV: UTF-8, `\n` at line ends, decimals with three places,
//! exact because they are stored as thousandths; an empty cell means not applicable or unknown.

use std::borrow::Cow;

use callmark_core::performance::model_hash;
use callmark_core::record::{CallRecord, LedgerRow, Outcome, Review};
use callmark_core::recording::Language;
use callmark_core::table::{self, Cell, Column, Heading};
use callmark_core::table_columns;
use callmark_core::transcript::{Medium, Role, Turn};
use serde::Serialize;
use serde_json::{Map, Value};

/// The call that the renderers' tests share.
#[cfg(test)]
#[path = "sample.rs"]
pub(crate) mod sample;

/// The tables that calls fill. Closed: a new one is a variant here and a list of columns below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Calls,
    Turns,
    Ledger,
}

impl Table {
    pub const ALL: [Table; 3] = [Table::Calls, Table::Turns, Table::Ledger];

    /// Name of the table, and of its file without `.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Table::Calls => "calls",
            Table::Turns => "turns",
            Table::Ledger => "ledger",
        }
    }

    /// The header line.
    pub fn header(self) -> String {
        csv_header(&table::headings(self.columns()))
    }

    /// A call's lines; tables are written call by call, so that a night's calls need not be in memory together.
    pub fn rows(self, record: &CallRecord) -> String {
        csv_rows(self.columns(), record, self.count(record))
    }

    pub fn columns(self) -> &'static [Column<CallRecord>] {
        match self {
            Table::Calls => CALLS,
            Table::Turns => TURNS,
            Table::Ledger => LEDGER,
        }
    }

    /// How many rows a call has.
    pub fn count(self, record: &CallRecord) -> usize {
        match self {
            Table::Calls => 1,
            Table::Turns => record.transcript.turns.len() + record.transcript.other_turns.len(),
            Table::Ledger => record.evaluation.ledger.len(),
        }
    }
}

/// Columns of `calls.csv`, one row per call.
const CALLS: &[Column<CallRecord>] = table_columns! {
    call_id: Text, "identity of the call", |c, _| Cell::from(&c.call_id);
    rep_id: Text, "who spoke for the company", |c, _| c.metadata.rep_id.as_ref().into();
    team: Text, "the rep's team at the time of the call", |c, _| c.metadata.team.as_ref().into();
    campaign: Text, "from the metadata", |c, _| c.metadata.campaign.as_ref().into();
    direction: Text, "inbound or outbound", |c, _| c.metadata.direction.as_ref().map(name).into();
    call_type: Text, "from the metadata", |c, _| c.metadata.call_type.as_ref().into();
    start_ts: Text, "start of the call as the metadata gives it", |c, _| c.metadata.start_ts.as_ref().into();
    tz: Text, "zone of start_ts when the stamp has none", |c, _| c.metadata.tz.as_ref().into();
    duration_ms: Whole, "length of the call; empty for text without times", |c, _| c.signals.duration_ms.filter(|_| timed(c)).into();
    language: Text, "en or zh", |c, _| c.transcript.language.map(Language::code).into();
    role_method: Text, "how rep and customer were told apart", |c, _| name(&c.transcript.role_method).into();
    role_confidence: Thousandths, "0 to 1", |c, _| Cell::Thousandths(c.transcript.role_confidence_permille.into());
    recogniser_confidence: Thousandths, "0 to 1; empty for text that people wrote",
        |c, _| Cell::thousandths(c.transcript.recogniser_confidence_permille.map(i64::from));
    rep_talk_permille: Whole, "rep speech time / (rep + customer speech time)", |c, _| c.signals.rep_talk_permille.into();
    customer_talk_permille: Whole, "customer speech time / (rep + customer speech time)", |c, _| c.signals.customer_talk_permille.into();
    silence_ms: Whole, "time in which nobody speaks", |c, _| c.signals.silence_ms.into();
    unexcused_silence_ms: Whole, "gaps over 3 s that the rep did not announce", |c, _| c.signals.unexcused_silence_ms.into();
    interruptions_rep: Whole, "the rep starts over a customer who is at least 1 s in", |c, _| c.signals.interruptions_rep.into();
    interruptions_customer: Whole, "the customer starts over a rep who is at least 1 s in", |c, _| c.signals.interruptions_customer.into();
    pace_rep: Whole, "on the rep's own speech time, in pace_unit", |c, _| c.signals.pace_rep.into();
    pace_customer: Whole, "on the customer's own speech time, in pace_unit", |c, _| c.signals.pace_customer.into();
    pace_unit: Text, "English words or Chinese characters per minute", |c, _| pace_unit(c).into();
    longest_monologue_ms: Whole, "the longer of the two roles' longest monologues", |c, _| c.signals.longest_monologue_ms.into();
    questions_rep: Whole, "questions of the rep", |c, _| c.signals.questions_rep.into();
    patience_ms: Whole, "median wait of the rep after the customer's end", |c, _| c.signals.patience_ms.into();
    sentiment_customer: Thousandths, "mean customer sentiment, -5 to 5", |c, _| Cell::thousandths(c.signals.sentiment_customer_milli);
    sentiment_customer_q1: Thousandths, "first quarter, -5 to 5", |c, _| Cell::thousandths(c.signals.sentiment_customer_quarters_milli[0]);
    sentiment_customer_q2: Thousandths, "second quarter, -5 to 5", |c, _| Cell::thousandths(c.signals.sentiment_customer_quarters_milli[1]);
    sentiment_customer_q3: Thousandths, "third quarter, -5 to 5", |c, _| Cell::thousandths(c.signals.sentiment_customer_quarters_milli[2]);
    sentiment_customer_q4: Thousandths, "last quarter, -5 to 5", |c, _| Cell::thousandths(c.signals.sentiment_customer_quarters_milli[3]);
    sentiment_customer_shift: Thousandths, "last quarter less first", |c, _| Cell::thousandths(c.signals.sentiment_customer_shift_milli);
    score: Thousandths, "0 to 100; empty when unscored", |c, _| Cell::thousandths(c.evaluation.score);
    score_low: Thousandths, "with everything unknown missed", |c, _| Cell::thousandths(c.evaluation.score_low);
    score_high: Thousandths, "with everything unknown met", |c, _| Cell::thousandths(c.evaluation.score_high);
    status: Text, "scored, unscored, pending_review or failed", |c, _| name(&c.evaluation.status).into();
    reason: Text, "why the call is unscored", |c, _| c.evaluation.reason.as_ref().map(name).into();
    verdict: Text, "pass, coach, flag or auto_fail; only when scored", |c, _| c.evaluation.verdict.as_ref().map(name).into();
    fatal_count: Whole, "confirmed fatals", |c, _| c.evaluation.fatal_count.into();
    scorecard: Text, "name", |c, _| Cell::from(&c.evaluation.scorecard);
    scorecard_version: Whole, "version", |c, _| c.evaluation.scorecard_version.into();
    scorecard_hash: Text, "SHA-256", |c, _| Cell::from(&c.evaluation.scorecard_hash);
    model_hash: Text, "SHA-256 over the names and hashes of all models used; empty when none was", |c, _| model_hash(&c.provenance).into();
};

/// Columns of `turns.csv`, one row per turn.
const TURNS: &[Column<CallRecord>] = table_columns! {
    call_id: Text, "identity of the call", |c, _| Cell::from(&c.call_id);
    turn: Whole, "from 0", |_, n| (n as u64).into();
    role: Text, "rep, customer, unknown; ivr, supervisor, transfer_target", |c, n| name(&turn(c, n).role).into();
    begin_ms: Whole, "empty for text without times", |c, n| time(c, turn(c, n).begin_ms);
    end_ms: Whole, "empty for text without times", |c, n| time(c, turn(c, n).end_ms);
    text: Text, "as recognised", |c, n| Cell::from(&turn(c, n).text);
    confidence: Thousandths, "0 to 1", |c, n| Cell::Thousandths(turn(c, n).confidence_permille.into());
    sentiment: Thousandths, "of a customer's turn, -5 to 5", turn_sentiment;
    acts: Text, "dialogue acts, separated by ;", turn_acts;
    flags: Text, "requirements that were violated or missed here, separated by ;", turn_flags;
};

/// Columns of `ledger.csv`, one row per ledger row; `points` add up to the score.
const LEDGER: &[Column<CallRecord>] = table_columns! {
    call_id: Text, "identity of the call", |c, _| Cell::from(&c.call_id);
    requirement_id: Text, "requirement or metric", |c, n| Cell::from(&c.evaluation.ledger[n].requirement_id);
    version: Whole, "of the requirement", |c, n| c.evaluation.ledger[n].version.into();
    dimension: Text, "of the score", |c, n| Cell::from(&c.evaluation.ledger[n].dimension);
    result: Text, "met, missed, violated, clear, not_applicable or unknown", |c, n| name(&c.evaluation.ledger[n].result).into();
    points: Thousandths, "given or taken, of 100 points", |c, n| Cell::Thousandths(c.evaluation.ledger[n].points);
    possible: Thousandths, "most points", |c, n| Cell::Thousandths(c.evaluation.ledger[n].possible);
    weight: Whole, "the item's points in the scorecard", |c, n| c.evaluation.ledger[n].weight.into();
    confidence: Thousandths, "0 to 1", |c, n| Cell::Thousandths(c.evaluation.ledger[n].confidence_permille.into());
    begin_ms: Whole, "of the best evidence; empty for text without times", |c, n| time(c, c.evaluation.ledger[n].begin_ms);
    end_ms: Whole, "of the best evidence; empty for text without times", |c, n| time(c, c.evaluation.ledger[n].end_ms);
    quote: Text, "of the best evidence", |c, n| Cell::from(&c.evaluation.ledger[n].quote);
    match_type: Text, "how it was found", |c, n| name(&c.evaluation.ledger[n].match_type).into();
};

/// Columns of `reviews.csv`, the append-only table of decisions.
pub const REVIEWS: &[Column<Review>] = table_columns! {
    review_id: Whole, "rising", |r, _| r.review_id.into();
    call_id: Text, "identity of the call", |r, _| Cell::from(&r.call_id);
    requirement_id: Text, "requirement or metric", |r, _| Cell::from(&r.requirement_id);
    reviewer: Text, "who decided", |r, _| Cell::from(&r.reviewer);
    source: Text, "flag, audit or appeal", |r, _| name(&r.source).into();
    inclusion_permille: Whole, "chance that this row was drawn into the sample", |r, _| u32::from(r.inclusion_permille).into();
    blind: Truth, "the reviewer did not see the machine's result", |r, _| r.blind.into();
    decision: Text, "agree, overturn or comment", |r, _| name(&r.decision).into();
    reason: Text, "in the reviewer's words", |r, _| Cell::from(&r.reason);
    appeal_of: Whole, "the review that is contested", |r, _| r.appeal_of.into();
    final: Truth, "the last final decision about a row counts", |r, _| r.is_final.into();
    ts: Text, "RFC 3339", |r, _| Cell::from(&r.ts);
};

/// The snake_case name of a closed enum's variant.
fn name<T: Serialize>(variant: &T) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => name,
        // Only unit variants of core's enums are given here; all of them serialise to their name.
        _ => String::new(),
    }
}

fn timed(record: &CallRecord) -> bool {
    record.transcript.medium == Medium::Speech
}

fn time(record: &CallRecord, ms: i64) -> Cell {
    Some(ms).filter(|_| timed(record)).into()
}

fn pace_unit(record: &CallRecord) -> Option<&'static str> {
    let paced = record.signals.pace_rep.or(record.signals.pace_customer).is_some();
    record.transcript.language.filter(|_| paced).map(|language| match language {
        Language::En => "words_per_min",
        Language::Zh => "characters_per_min",
    })
}

/// `id` counts the turns of everybody, so it has one.
fn turn(record: &CallRecord, id: usize) -> &Turn {
    let turns = &record.transcript.turns;
    turns.get(id).unwrap_or_else(|| &record.transcript.other_turns[id - turns.len()])
}

/// A rep's sentiment is not shown: reps are judged by what they do, see SCORING.md §1.
fn turn_sentiment(record: &CallRecord, turn: usize) -> Cell {
    let customer = record.transcript.turns.get(turn).is_some_and(|t| t.role == Role::Customer);
    let sentiment = record.sentiment.get(turn).copied().flatten().filter(|_| customer);
    Cell::thousandths(sentiment.map(|s| s.milli()))
}

fn turn_acts(record: &CallRecord, turn: usize) -> Cell {
    let acts = record.acts.get(turn).into_iter().flat_map(|acts| acts.keys());
    acts.map(String::as_str).collect::<Vec<_>>().join(";").into()
}

fn turn_flags(record: &CallRecord, turn: usize) -> Cell {
    let here = |ledger: &&LedgerRow| {
        matches!(ledger.result, Outcome::Violated | Outcome::Missed)
            && ledger.evidence.iter().any(|e| e.turn.is_some_and(|at| at as usize == turn))
    };
    let ids: Vec<&str> =
        record.evaluation.ledger.iter().filter(here).map(|ledger| ledger.requirement_id.as_str()).collect();
    ids.join(";").into()
}

/// Keeps spreadsheets from running a cell as a formula: text that begins like one gets an apostrophe before it. Plain
/// negative numbers stay numbers.
pub fn escape_formula(value: &str) -> Cow<'_, str> {
    let number = |rest: &str| {
        rest.bytes().all(|b| b.is_ascii_digit() || b == b'.') && rest.bytes().next().is_some_and(|b| b.is_ascii_digit())
    };
    match value.as_bytes().first() {
        Some(b'-') if number(&value[1..]) => Cow::Borrowed(value),
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => Cow::Owned(format!("'{value}")),
        _ => Cow::Borrowed(value),
    }
}

/// One CSV line: quoted where a cell holds a comma, a quote or a line break (RFC 4180), ending in `\n`.
fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| {
        let cell = escape_formula(&cell);
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

/// The header line of a table.
pub fn csv_header(headings: &[Heading]) -> String {
    line(headings.iter().map(|heading| heading.name.to_string()))
}

/// A row's line.
pub fn csv_line(cells: &[Cell]) -> String {
    line(cells.iter().map(Cell::text))
}

/// Rows 0 to `count` of one `R`, a line each.
fn csv_rows<R>(columns: &[Column<R>], of: &R, count: usize) -> String {
    (0..count).map(|n| csv_line(&table::cells(columns, of, n))).collect()
}

/// A whole table of which each `R` is one row.
pub fn csv<R>(columns: &[Column<R>], rows: &[R]) -> String {
    csv_header(&table::headings(columns)) + &rows.iter().map(|row| csv_rows(columns, row, 1)).collect::<String>()
}

/// Rows as JSON objects: numbers as numbers, what is not applicable as null.
pub fn json<R>(columns: &[Column<R>], rows: &[R]) -> Vec<Map<String, Value>> {
    let headings = table::headings(columns);
    rows.iter().map(|row| json_row(&headings, table::cells(columns, row, 0))).collect()
}

/// A row as a JSON object.
pub fn json_row(headings: &[Heading], cells: Vec<Cell>) -> Map<String, Value> {
    headings.iter().zip(cells).map(|(heading, cell)| (heading.name.to_string(), json_value(cell))).collect()
}

fn json_value(cell: Cell) -> Value {
    match cell {
        Cell::Text(text) => text.into(),
        Cell::Whole(number) => number.into(),
        // The nearest double prints as the thousandths that it stands for.
        Cell::Thousandths(value) => (value as f64 / 1000.0).into(),
        Cell::Truth(truth) => truth.into(),
        Cell::Empty => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use callmark_core::record::{Decision, ReviewSource};

    use super::sample::record;
    use super::*;

    fn csv(table: Table, record: &CallRecord) -> String {
        table.header() + &table.rows(record)
    }

    /// The first row as header → cell.
    fn cells(table: Table, record: &CallRecord) -> BTreeMap<String, String> {
        let csv = csv(table, record);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        header.iter().zip(&row).map(|(h, v)| (h.to_string(), v.to_string())).collect()
    }

    /// SCORING.md §3, item 3, to the letter.
    #[test]
    fn headers_are_those_of_the_specification() {
        let specified = [
            "call_id, rep_id, team, campaign, direction, call_type, start_ts, tz, duration_ms, language, role_method, \
             role_confidence, recogniser_confidence, rep_talk_permille, customer_talk_permille, silence_ms, \
             unexcused_silence_ms, interruptions_rep, interruptions_customer, pace_rep, pace_customer, pace_unit, \
             longest_monologue_ms, questions_rep, patience_ms, sentiment_customer, sentiment_customer_q1, \
             sentiment_customer_q2, sentiment_customer_q3, sentiment_customer_q4, sentiment_customer_shift, score, \
             score_low, score_high, status, reason, verdict, fatal_count, scorecard, scorecard_version, scorecard_hash, \
             model_hash",
            "call_id, turn, role, begin_ms, end_ms, text, confidence, sentiment, acts, flags",
            "call_id, requirement_id, version, dimension, result, points, possible, weight, confidence, begin_ms, end_ms, \
             quote, match_type",
        ];
        for (table, specified) in Table::ALL.into_iter().zip(specified) {
            let headers: Vec<_> = table.columns().iter().map(|column| column.name).collect();
            assert_eq!(headers.join(", "), specified);
        }
        let reviews: Vec<_> = REVIEWS.iter().map(|column| column.name).collect();
        assert_eq!(
            reviews.join(", "),
            "review_id, call_id, requirement_id, reviewer, source, inclusion_permille, blind, decision, reason, appeal_of, \
             final, ts"
        );
    }

    #[test]
    fn a_call_is_one_row() {
        let row = cells(Table::Calls, &record());
        let expected = [
            ("call_id", "c-1"),
            ("rep_id", "r7"),
            ("direction", "outbound"),
            ("duration_ms", "20000"),
            ("language", "en"),
            ("role_method", "labelled"),
            ("role_confidence", "1.000"),
            ("recogniser_confidence", ""),
            ("pace_rep", "150"),
            ("pace_unit", "words_per_min"),
            ("sentiment_customer_q1", "-1.250"),
            ("sentiment_customer_q2", ""),
            ("sentiment_customer_shift", "-0.050"),
            ("score", "70.723"),
            ("status", "scored"),
            ("reason", ""),
            ("verdict", "coach"),
        ];
        for (header, value) in expected {
            assert_eq!(row[header], value, "{header}");
        }
        assert_eq!(row["model_hash"].len(), 64);
    }

    #[test]
    fn turns_and_ledger() {
        assert_eq!(
            csv(Table::Turns, &record()),
            "call_id,turn,role,begin_ms,end_ms,text,confidence,sentiment,acts,flags\n\
             c-1,0,rep,0,4000,\"Hello, this call is recorded.\",1.000,,greeting;recording_disclosure,\n\
             c-1,1,customer,5000,9000,太贵了,1.000,-3.500,price_objection,price_objection_unanswered\n\
             c-1,2,rep,8000,9500,\"'=HYPERLINK(\"\"x\"\")\",1.000,,,\n\
             c-1,3,customer,15000,19000,'-5 or '6,1.000,0.000,,\n"
        );
        let row = cells(Table::Ledger, &record());
        assert_eq!(
            (row["points"].as_str(), row["possible"].as_str(), row["weight"].as_str()),
            ("75.723", "100.000", "10")
        );
        let total: i64 = record().evaluation.ledger.iter().map(|row| row.points).sum();
        assert_eq!(Some(total), record().evaluation.score);
    }

    #[test]
    fn text_without_times_has_none() {
        let mut chat = record();
        chat.transcript.medium = Medium::Text;
        let row = cells(Table::Turns, &chat);
        assert_eq!((row["begin_ms"].as_str(), row["end_ms"].as_str()), ("", ""));
        assert_eq!(cells(Table::Ledger, &chat)["begin_ms"], "");
        assert_eq!(cells(Table::Calls, &chat)["duration_ms"], "");
    }

    #[test]
    fn cells_that_would_be_formulas_are_text() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd", "'-cmd"),
            ("-1-cmd|' /C calc'!A0", "'-1-cmd|' /C calc'!A0"),
            ("-", "'-"),
            ("-.5", "'-.5"),
            ("\t=1", "'\t=1"),
            ("-12.500", "-12.500"),
            ("-3", "-3"),
            ("a=b", "a=b"),
            ("", ""),
        ];
        for (input, expected) in cases {
            assert_eq!(escape_formula(input), expected);
        }
    }

    /// The csv crate reads back what was written.
    #[test]
    fn quotes_commas_and_line_breaks_survive() {
        let mut call = record();
        call.call_id = "a,\"b\"\r\nc\n".into();
        call.transcript.turns[0].text = "\"".into();
        assert_eq!(cells(Table::Calls, &call)["call_id"], call.call_id);
        assert_eq!(cells(Table::Turns, &call)["text"], "\"");
    }

    #[test]
    fn reviews() {
        let review = Review {
            review_id: 4,
            call_id: "c-1".into(),
            requirement_id: "disclose_recording".into(),
            reviewer: "王芳".into(),
            source: ReviewSource::Appeal,
            inclusion_permille: 1000,
            blind: false,
            decision: Decision::Overturn,
            reason: "said at 0:07".into(),
            appeal_of: Some(2),
            is_final: true,
            ts: "2025-02-20T09:00:00+08:00".into(),
        };
        let csv = super::csv(REVIEWS, &[review]);
        let row =
            "4,c-1,disclose_recording,王芳,appeal,1000,false,overturn,said at 0:07,2,true,2025-02-20T09:00:00+08:00\n";
        assert_eq!(csv.split_once('\n').unwrap().1, row);
    }
}
