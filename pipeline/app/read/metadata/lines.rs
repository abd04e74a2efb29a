//! Lines of cells from the bytes of a table: CSV of any usual kind, or a spreadsheet. Metadata and imports are read by it.

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek};

use calamine::{Data, ExcelDateTime, Reader as _, Sheets, XlsxError};

use super::encoding::{Decoded, decode};

/// A header may stand below a title.
const LINES_BEFORE_HEADER: usize = 10;
/// A quoted value that is longer lacks its closing quote.
const LONGEST_VALUE_BYTES: usize = 1 << 16;
/// Cells further right are no data.
const MOST_COLUMNS: usize = 1000;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What becomes of the lines: first it looks for the header among them, then it takes rows.
pub trait LineReader {
    type Error: From<TableError>;

    /// Whether these cells are a header that can be used.
    fn is_header(&self, cells: &[&str]) -> bool;
    fn has_header(&self) -> bool;
    /// Called once, before the lines of a table that is text.
    fn decoded(&mut self, text: &Decoded);
    /// A quote that is opened on this line is never closed; it is taken as a letter.
    fn lost_quote(&mut self, line: u64);
    /// Takes a line; an error ends the reading.
    fn take(&mut self, line: u64, cells: &[&str]) -> Result<(), Self::Error>;
}

/// Why bytes have no lines. Lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub enum TableError {
    Csv { line: u64 },
    Workbook { cause: String },
}

/// Reads a table: an Excel or OpenDocument workbook (its first sheet with a header), else CSV (comma, semicolon, tab or bar; any usual encoding).
pub fn read_lines<R: LineReader>(bytes: &[u8], reader: &mut R) -> Result<(), R::Error> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        read_workbook(bytes, reader)
    } else {
        read_csv(bytes, reader)
    }
}

fn read_csv<R: LineReader>(bytes: &[u8], reader: &mut R) -> Result<(), R::Error> {
    let decoded = decode(bytes);
    reader.decoded(&decoded);
    // `sep=;` is Excel's own way to name the delimiter.
    let said = decoded.text.strip_prefix("sep=").and_then(|rest| rest.bytes().next());
    let delimiter = said
        .filter(|delimiter| DELIMITERS.contains(delimiter))
        .unwrap_or_else(|| guess_delimiter(&decoded.text, reader));
    let text = close_quotes(&decoded.text, delimiter, reader);
    let mut records = csv_reader(&text, delimiter);
    let mut record = csv::StringRecord::new();
    let mut before_header = 0;
    while records.read_record(&mut record).map_err(|_| TableError::Csv { line: records.position().line() })? {
        let line = record.position().map_or(0, |at| line_of(&text, at));
        reader.take(line, &record.iter().collect::<Vec<_>>())?;
        before_header += usize::from(!reader.has_header());
        if before_header > LINES_BEFORE_HEADER {
            break;
        }
    }
    Ok(())
}

/// The line, from 1, on which a record begins, as an editor counts. The reader's own position is behind the `\r` of `\r\n`, and before empty lines.
pub fn line_of(text: &str, at: &csv::Position) -> u64 {
    let rest = text.get(at.byte() as usize..).unwrap_or_default();
    let passed = rest.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| *byte == b'\n').count();
    at.line() + passed as u64
}

fn csv_reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).has_headers(false).delimiter(delimiter).from_reader(text.as_bytes())
}

/// The delimiter under which a header is found, of several the one with the most columns.
fn guess_delimiter<R: LineReader>(text: &str, reader: &R) -> u8 {
    let sample = text.lines().take(LINES_BEFORE_HEADER).collect::<Vec<_>>().join("\n");
    let score = |delimiter: u8| {
        let mut best = (false, 0);
        for record in csv_reader(&sample, delimiter).records().flatten() {
            let cells: Vec<&str> = record.iter().map(str::trim).collect();
            best = best.max((reader.is_header(&cells), cells.len()));
        }
        best
    };
    // The first of equals: max_by_key alone would take the last.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

/// Takes away opening quotes that are never closed, which would swallow the lines after them.
fn close_quotes<'a, R: LineReader>(text: &'a str, delimiter: u8, reader: &mut R) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let mut lost = Vec::new();
    let (mut at, mut line, mut begins) = (0, 1_u64, true);
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'"' && begins {
            let end = closing_quote(bytes, at);
            let value = &bytes[at..end.unwrap_or(at)];
            let lines = value.iter().filter(|byte| **byte == b'\n').count() as u64;
            let after = end.and_then(|end| bytes.get(end + 1));
            let closed = after.is_none_or(|next| *next == delimiter || matches!(next, b'\r' | b'\n'));
            match end {
                Some(end) if closed || lines == 0 => {
                    line += lines;
                    at = end;
                }
                _ => {
                    reader.lost_quote(line);
                    lost.push(at);
                }
            }
            begins = false;
        } else {
            line += u64::from(byte == b'\n');
            begins = byte == delimiter || matches!(byte, b'\n' | b'\r');
        }
        at += 1;
    }
    if lost.is_empty() {
        return text.into();
    }
    let mut repaired = String::with_capacity(text.len());
    let mut from = 0;
    for quote in lost {
        repaired.push_str(&text[from..quote]);
        from = quote + 1;
    }
    repaired.push_str(&text[from..]);
    repaired.into()
}

/// The quote that closes the value opened at `open`; `""` inside stands for a quote.
fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let end = bytes.len().min(open + LONGEST_VALUE_BYTES);
    let mut at = open + 1;
    while at < end {
        match (bytes[at], bytes.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// The first sheet with a header that can be used.
fn read_workbook<R: LineReader>(bytes: &[u8], reader: &mut R) -> Result<(), R::Error> {
    let unreadable = |error: calamine::Error| TableError::Workbook { cause: error.to_string() };
    let mut workbook = calamine::open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(unreadable)?;
    for sheet in workbook.sheet_names() {
        let rows = sheet_rows(&mut workbook, &sheet).map_err(unreadable)?;
        for (index, (line, cells)) in rows.iter().enumerate() {
            reader.take(*line, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
            if !reader.has_header() && index >= LINES_BEFORE_HEADER {
                break;
            }
        }
        if reader.has_header() {
            break;
        }
    }
    Ok(())
}

/// The rows of a sheet that have cells, with their numbers from 1.
fn sheet_rows<S: Read + Seek>(
    workbook: &mut Sheets<S>,
    sheet: &str,
) -> Result<Vec<(u64, Vec<String>)>, calamine::Error> {
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    if let Sheets::Xlsx(workbook) = workbook {
        // Cell by cell: one stray cell in the last corner would make the whole rectangle of 17 thousand million cells.
        let mut cells = match workbook.worksheet_cells_reader(sheet) {
            Err(XlsxError::NotAWorksheet(_)) => return Ok(rows), // a chart
            cells => cells?,
        };
        while let Some(cell) = cells.next_cell()? {
            let (row, column) = cell.get_position();
            let (line, column) = (u64::from(row) + 1, column as usize);
            if column >= MOST_COLUMNS {
                continue;
            }
            if rows.last().is_none_or(|(last, _)| *last != line) {
                rows.push((line, Vec::new()));
            }
            if let Some((_, cells)) = rows.last_mut() {
                cells.resize(cells.len().max(column + 1), String::new());
                cells[column] = cell_text(&cell.get_value().clone().into());
            }
        }
        return Ok(rows);
    }
    let range = workbook.worksheet_range(sheet)?;
    let first = range.start().map_or(1, |(row, _)| u64::from(row) + 1);
    rows.extend((first..).zip(range.rows()).map(|(line, cells)| (line, cells.iter().map(cell_text).collect())));
    Ok(rows)
}

/// A cell as a person would write it: dates as ISO, whole numbers without a point.
fn cell_text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::DateTime(stamp) => date_text(stamp),
        Data::DurationIso(text) => {
            text.parse::<jiff::SignedDuration>().map_or_else(|_| text.clone(), |length| clock_text(length.as_secs()))
        }
        other => other.to_string(),
    }
}

/// A time of day or a length, without a date.
fn clock_text(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn date_text(stamp: &ExcelDateTime) -> String {
    let seconds = (stamp.as_f64() * 86_400.0).round();
    if stamp.is_duration() || stamp.as_f64() < 1.0 {
        return clock_text(seconds as i64);
    }
    let (year, month, day, hour, minute, second, milli) = stamp.to_ymd_hms_milli();
    let exact = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(year), Ok(month), Ok(day)) = exact else { return String::new() };
    let time = (i8::try_from(hour), i8::try_from(minute), i8::try_from(second));
    let (Ok(hour), Ok(minute), Ok(second)) = time else { return String::new() };
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, i32::from(milli) * 1_000_000);
    // Spreadsheets count days in floating point: 06:01:22 may read 06:01:21.999.
    match civil.and_then(|civil| civil.round(jiff::Unit::Second)) {
        Ok(civil) if seconds % 86_400.0 == 0.0 => civil.date().to_string(),
        Ok(civil) => civil.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        for (text, expected) in [("a,b\r\n1,2\r\n\r\n3,4\r\n", [1, 2, 4]), ("a,b\n\n1,2\n3,4", [1, 3, 4])] {
            let found: Vec<u64> = csv_reader(text, b',')
                .records()
                .map(|record| line_of(text, record.unwrap().position().unwrap()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
