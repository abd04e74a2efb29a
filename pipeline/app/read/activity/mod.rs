//! Call logs and sales exports: tables or JSON lines in, rows of measures and touchpoints out. A row that breaks a rule is refused with its
//! line, its column and the rule, never with its values; the rest is taken. Only mapped columns are looked at: what else a file knows about
//! customers goes nowhere.

pub mod mapping;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callmark_core::journey::{Touchpoint, TouchpointKind};
use callmark_core::performance::{Activity, Measure, Unit};
use callmark_core::recording::{Metadata, sha256_hex};
use callmark_store::ActivityRow;
use jiff::civil::Date;
use serde::Serialize;

use self::mapping::{Column, Counted, Mapping, guess, plain};
use crate::config::did_you_mean;
use crate::read::metadata::encoding::{Decoded, decode};
use crate::read::metadata::lines::{LineReader, TableError, read_lines};
use crate::read::metadata::reps::Reps;

/// Why a file could not be used at all. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("the file has no column `{column}`{suggestion}{}", listed(.columns))]
    NoColumn { column: String, suggestion: String, columns: Vec<String> },
    #[error("two columns of the file are called `{column}`")]
    RepeatedColumn { column: String },
    #[error("no mapping is configured for the source, and the column names do not tell who, when and what{}", listed(.columns))]
    NoGuess { columns: Vec<String> },
    #[error("the file has no line with column names: its first line looks like data")]
    NoHeader,
    #[error("the file is empty")]
    Empty,
    #[error("the file is not CSV (line {line})")]
    Csv { line: u64 },
    #[error("the spreadsheet cannot be read: {cause}")]
    Workbook { cause: String },
}

fn listed(columns: &[String]) -> String {
    format!(" (it has: {})", columns.join(", "))
}

impl ImportError {
    /// One sentence that says what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            ImportError::NoColumn { .. } => "correct the mapping under [[import]] in the configuration, or the file",
            ImportError::RepeatedColumn { .. } => "rename one of the two",
            ImportError::NoGuess { .. } => {
                "add an [[import]] with `rep`, `date` and the measures to the configuration (`callmark config` shows one)"
            }
            ImportError::NoHeader => "put the column names above the data",
            ImportError::Empty => "export it again",
            ImportError::Csv { .. } => "check the quotes on that line",
            ImportError::Workbook { .. } => "open it and save it again as .xlsx or as CSV (UTF-8)",
        }
    }
}

impl From<TableError> for ImportError {
    fn from(error: TableError) -> ImportError {
        match error {
            TableError::Csv { line } => ImportError::Csv { line },
            TableError::Workbook { cause } => ImportError::Workbook { cause },
        }
    }
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub line: u64,
    /// `None` when the whole row is meant.
    pub column: Option<String>,
    pub rule: String,
}

/// A row that was taken: what it adds to measures, and what happened with an opportunity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedRow {
    pub row_id: String,
    pub activity: Option<ActivityRow>,
    /// In the order of their kinds.
    pub touchpoints: Vec<Touchpoint>,
}

/// What a file holds.
#[derive(Debug)]
pub struct Imported {
    pub rows: Vec<ImportedRow>,
    pub refused: Vec<Refused>,
    /// Rows that say the same as one before under the same id.
    pub repeated: u64,
    /// Rows in which every mapped column is empty.
    pub blank: u64,
    /// The mapping that was used, when it was guessed.
    pub guessed: Option<Mapping>,
}

/// Reads one file of a source: a table as metadata tables may be, or a JSON object a line. Without a mapping one is guessed.
///
/// # Errors
/// The file has no header, lacks a mapped column, or is no table.
pub fn read(bytes: &[u8], source: &str, mapping: Option<&Mapping>, reps: &Reps) -> Result<Imported, ImportError> {
    let mut reader = Reader {
        source,
        mapping: mapping.cloned(),
        is_guess: mapping.is_none(),
        reps,
        places: None,
        candidate: Vec::new(),
        foreign_lines: BTreeSet::new(),
        rows: Vec::new(),
        lines: Vec::new(),
        by_id: HashMap::new(),
        same: HashMap::new(),
        refused: Vec::new(),
        repeated: 0,
        blank: 0,
    };
    let decoded = decode(bytes);
    if decoded.text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).starts_with('{') {
        reader.read_json_lines(&decoded)?;
    } else {
        read_lines(bytes, &mut reader)?;
        if reader.places.is_none() {
            return Err(reader.why_no_header());
        }
    }
    let mut refused = reader.refused;
    refused.sort_by_key(|refused| refused.line);
    Ok(Imported {
        rows: reader.rows,
        refused,
        repeated: reader.repeated,
        blank: reader.blank,
        guessed: reader.mapping.filter(|_| reader.is_guess),
    })
}

/// Where the mapped columns stand.
struct Places {
    header: Vec<String>,
    rep: usize,
    date: usize,
    id: Option<usize>,
    team: Option<usize>,
    tenure_start: Option<usize>,
    event: Option<usize>,
    opportunity: Option<usize>,
    customer: Option<usize>,
    value: Option<usize>,
    text: Option<usize>,
    measures: Vec<(Measure, usize)>,
}

struct Reader<'a> {
    source: &'a str,
    mapping: Option<Mapping>,
    is_guess: bool,
    reps: &'a Reps,
    /// `None` until the header was found.
    places: Option<Places>,
    /// The line that has most of the mapped columns, to be named when none has all.
    candidate: Vec<String>,
    foreign_lines: BTreeSet<u64>,
    rows: Vec<ImportedRow>,
    /// The line of each row.
    lines: Vec<u64>,
    /// Row id → index of its row.
    by_id: HashMap<String, usize>,
    /// Hash of a row without an id → how many such rows there were.
    same: HashMap<String, u64>,
    refused: Vec<Refused>,
    repeated: u64,
    blank: u64,
}

impl LineReader for Reader<'_> {
    type Error = ImportError;

    fn is_header(&self, cells: &[&str]) -> bool {
        match &self.mapping {
            Some(mapping) => mapping.wanted().all(|column| place(cells, column).is_some()),
            None => guess(self.source, cells).is_some(),
        }
    }

    fn has_header(&self) -> bool {
        self.places.is_some()
    }

    fn decoded(&mut self, text: &Decoded) {
        self.foreign_lines.clone_from(&text.foreign_lines);
    }

    fn lost_quote(&mut self, line: u64) {
        self.refuse(line, None, "a quote is opened and never closed");
    }

    fn take(&mut self, line: u64, cells: &[&str]) -> Result<(), ImportError> {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        if cells.iter().all(|cell| cell.is_empty()) {
            return Ok(());
        }
        if self.places.is_some() {
            self.take_row(line, &cells);
            return Ok(());
        }
        if self.is_header(&cells) {
            return self.set_header(&cells);
        }
        let wanted = |cells: &[&str]| match &self.mapping {
            Some(mapping) => mapping.wanted().filter(|column| place(cells, column).is_some()).count(),
            None => 0,
        };
        let former: Vec<&str> = self.candidate.iter().map(String::as_str).collect();
        if former.is_empty() || wanted(&cells) > wanted(&former) {
            self.candidate = cells.iter().map(|cell| cell.to_string()).collect();
        }
        Ok(())
    }
}

/// Where a column stands: its exact name, else the same without capital letters, blanks and hyphens.
fn place(header: &[&str], column: &str) -> Option<usize> {
    let exact = header.iter().position(|cell| *cell == column.trim());
    exact.or_else(|| header.iter().position(|cell| plain(cell) == plain(column)))
}

impl Reader<'_> {
    fn set_header(&mut self, header: &[&str]) -> Result<(), ImportError> {
        if self.mapping.is_none() {
            self.mapping = guess(self.source, header);
        }
        let Some(mapping) = &self.mapping else { return Ok(()) };
        for column in mapping.wanted() {
            if header.iter().filter(|cell| **cell == column).count() > 1 {
                return Err(ImportError::RepeatedColumn { column: column.to_string() });
            }
        }
        let at = |column: &Option<String>| column.as_ref().and_then(|column| place(header, column));
        let (Some(rep), Some(date)) = (place(header, &mapping.rep), place(header, &mapping.date)) else {
            return Ok(());
        };
        let measures = mapping.columns.iter().filter_map(|(Column(m), column)| Some((*m, place(header, column)?)));
        self.places = Some(Places {
            rep,
            date,
            id: at(&mapping.id),
            team: at(&mapping.team),
            tenure_start: at(&mapping.tenure_start),
            event: at(&mapping.event),
            opportunity: at(&mapping.opportunity),
            customer: at(&mapping.customer),
            value: at(&mapping.value),
            text: at(&mapping.text),
            measures: measures.collect(),
            header: header.iter().map(|cell| cell.to_string()).collect(),
        });
        Ok(())
    }

    fn why_no_header(&self) -> ImportError {
        let header: Vec<&str> = self.candidate.iter().map(String::as_str).collect();
        if header.is_empty() {
            return ImportError::Empty;
        }
        // Data, which may be customers, are not shown.
        if header.iter().any(|cell| cell.chars().filter(char::is_ascii_digit).count() >= 4) {
            return ImportError::NoHeader;
        }
        let columns = self.candidate.iter().filter(|column| !column.is_empty()).cloned().collect();
        let missing = self.mapping.iter().flat_map(Mapping::wanted).find(|column| place(&header, column).is_none());
        match missing {
            Some(column) => ImportError::NoColumn {
                column: column.to_string(),
                suggestion: did_you_mean(column, header.iter().copied()),
                columns,
            },
            None => ImportError::NoGuess { columns },
        }
    }

    /// An object a line. The columns are the keys of all of them.
    fn read_json_lines(&mut self, decoded: &Decoded) -> Result<(), ImportError> {
        self.decoded(decoded);
        let mut objects: Vec<(u64, BTreeMap<String, String>)> = Vec::new();
        let mut header: Vec<String> = Vec::new();
        for (line, text) in (1..).zip(decoded.text.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text.trim()) else {
                self.refuse(line, None, "not a JSON object");
                continue;
            };
            let object: BTreeMap<String, String> =
                object.into_iter().map(|(key, value)| (key, text_of(&value))).collect();
            header.extend(object.keys().filter(|key| !header.contains(key)).cloned().collect::<Vec<_>>());
            objects.push((line, object));
        }
        let columns: Vec<&str> = header.iter().map(String::as_str).collect();
        self.take(0, &columns)?;
        if self.places.is_none() {
            return Err(self.why_no_header());
        }
        for (line, object) in &objects {
            let cells: Vec<&str> = header.iter().map(|key| object.get(key).map_or("", |value| value.trim())).collect();
            self.take_row(*line, &cells);
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, column: Option<usize>, rule: impl Into<String>) {
        let name = |column: usize| self.places.as_ref().and_then(|places| places.header.get(column).cloned());
        self.refused.push(Refused { line, column: column.and_then(name), rule: rule.into() });
    }

    fn take_row(&mut self, line: u64, cells: &[&str]) {
        match self.row(line, cells) {
            Ok(Some(row)) => self.keep(line, row),
            Ok(None) => self.blank += 1,
            Err((column, rule)) => self.refuse(line, column, rule),
        }
    }

    /// One row; `None` when it says nothing. Else the column that breaks a rule, and the rule.
    fn row(&mut self, line: u64, cells: &[&str]) -> Result<Option<ImportedRow>, (Option<usize>, &'static str)> {
        let (Some(places), Some(mapping)) = (&self.places, &self.mapping) else { return Ok(None) };
        if self.foreign_lines.contains(&line) {
            return Err((None, "another encoding than the rest of the file"));
        }
        if cells.iter().skip(places.header.len()).any(|cell| !cell.is_empty()) {
            return Err((None, "more values than columns"));
        }
        let cell = |column: usize| -> Result<&str, (Option<usize>, &'static str)> {
            let text = cells.get(column).copied().unwrap_or("");
            if text.contains('\u{FFFD}') {
                return Err((Some(column), "bytes that mean nothing in the encoding of the file"));
            }
            Ok(text)
        };
        let optional = |column: Option<usize>| column.map_or(Ok(""), cell);
        let name = cell(places.rep)?;
        if name.is_empty() {
            return Err((Some(places.rep), "no rep"));
        }
        let format = mapping.date_format.as_deref();
        let at = values::moment(cell(places.date)?, format).map_err(|rule| (Some(places.date), rule))?;
        let day = at.day;
        let tenure_start = match (places.tenure_start, optional(places.tenure_start)?) {
            (Some(_), "") | (None, _) => None,
            (column, text) => Some(values::day(text, format).map_err(|rule| (column, rule))?),
        };
        let mut measures = BTreeMap::new();
        let mut add = |measure: Measure, value: i64| *measures.entry(measure).or_insert(0_i64) += value;
        for (measure, column) in &places.measures {
            if let Some(value) =
                values::measure(cell(*column)?, measure.unit()).map_err(|rule| (Some(*column), rule))?
            {
                add(*measure, value);
            }
        }
        let mut kinds: BTreeSet<TouchpointKind> = BTreeSet::new();
        let mut count = |counted: &Counted| match counted {
            Counted::Measure(measure) => add(*measure, 1),
            Counted::Touchpoint(kind) => drop(kinds.insert(*kind)),
        };
        if let Some(column) = places.event {
            let text = plain(cell(column)?);
            let counted = mapping.events.iter().find(|(value, _)| plain(value) == text);
            let (_, counted) = counted.ok_or((Some(column), "a value that `events` of the mapping does not name"))?;
            counted.iter().for_each(&mut count);
        }
        mapping.each.iter().for_each(count);
        if measures.is_empty() && tenure_start.is_none() && kinds.is_empty() {
            return Ok(None);
        }
        let named = |column: Option<usize>| -> Result<Option<String>, (Option<usize>, &'static str)> {
            Ok(Some(optional(column)?.to_string()).filter(|text| !text.is_empty()))
        };
        let (opportunity_id, customer_id) = (named(places.opportunity)?, named(places.customer)?);
        if !kinds.is_empty() && opportunity_id.is_none() && customer_id.is_none() {
            return Err((places.opportunity.or(places.customer), "neither opportunity nor customer"));
        }
        let value_milli = values::measure(optional(places.value)?, Unit::Money).map_err(|rule| (places.value, rule))?;
        let text = optional(places.text)?.to_string();
        let row_id = match places.id {
            Some(column) => match cell(column)? {
                "" => return Err((Some(column), "no id")),
                id => id.to_string(),
            },
            None => {
                let hash = row_hash(&places.header, cells);
                let number = self.same.entry(hash.clone()).or_insert(0);
                *number += 1;
                if *number == 1 { hash } else { format!("{hash}-{number}") }
            }
        };
        let team = Some(optional(places.team)?.to_string()).filter(|team| !team.is_empty());
        let rep_id = rep_of(self.reps, name, day);
        let source = self.source.to_string();
        let touchpoint = |kind: TouchpointKind| Touchpoint {
            source: source.clone(),
            row_id: row_id.clone(),
            kind,
            opportunity_id: opportunity_id.clone(),
            customer_id: customer_id.clone(),
            rep_id: rep_id.clone(),
            at,
            value_milli,
            text: text.clone(),
        };
        let touchpoints = kinds.into_iter().map(touchpoint).collect();
        // A row that is a touchpoint alone is no day of work.
        let counts = !measures.is_empty() || tenure_start.is_some();
        let activity = counts.then(|| {
            let activity = Activity { rep_id: rep_id.clone(), day, team, tenure_start, measures };
            let row = activity.to_json();
            ActivityRow { source: source.clone(), row_id: row_id.clone(), rep_id: activity.rep_id, day, row }
        });
        Ok(Some(ImportedRow { row_id, activity, touchpoints }))
    }

    /// Of two rows with one id the first stays, as in metadata tables.
    fn keep(&mut self, line: u64, row: ImportedRow) {
        let Some(first) = self.by_id.get(&row.row_id).copied() else {
            self.by_id.insert(row.row_id.clone(), self.rows.len());
            self.rows.push(row);
            self.lines.push(line);
            return;
        };
        if self.rows[first] == row {
            self.repeated += 1;
            return;
        }
        let column = self.places.as_ref().and_then(|places| places.id);
        let rule = format!("the same id as line {}, which is taken, with other values", self.lines[first]);
        self.refuse(line, column, rule);
    }
}

/// The rep's id by the aliases of the configuration; unknown names stay.
pub fn rep_of(reps: &Reps, name: &str, day: Date) -> String {
    resolved(reps, name, None, day).0
}

/// Rep and team: the team that the row names, else the one of the configuration on that day.
pub fn resolved(reps: &Reps, name: &str, team: Option<String>, day: Date) -> (String, Option<String>) {
    let mut metadata =
        Metadata { rep_id: Some(name.to_string()), team, start_ts: Some(day.to_string()), ..Metadata::default() };
    reps.resolve(&mut metadata);
    (metadata.rep_id.unwrap_or_default(), metadata.team)
}

/// Identifies a row by all that it says, whatever the order of the columns.
fn row_hash(header: &[String], cells: &[&str]) -> String {
    let said: BTreeSet<(&str, &str)> =
        header.iter().map(String::as_str).zip(cells.iter().copied()).filter(|(_, cell)| !cell.is_empty()).collect();
    let text: String = said.iter().map(|(column, cell)| format!("{column}\u{1F}{cell}\u{1E}")).collect();
    sha256_hex(text.as_bytes())[..16].to_string()
}

/// A JSON value as a table would hold it.
fn text_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
