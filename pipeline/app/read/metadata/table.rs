//! Metadata tables: CSV of any usual kind or a spreadsheet, indexed for joining by file name or call id.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use calamine::{Data, ExcelDateTime, Reader as _, Sheets, XlsxError};
use callmark_core::recording::Metadata;

use super::MetadataError;
use super::encoding::decode;
use super::fields::{Field, Oddity, Warnings, near_column, set};

/// A header may stand below a title.
const LINES_BEFORE_HEADER: usize = 10;
/// A quoted value that is longer lacks its closing quote.
const LONGEST_VALUE_BYTES: usize = 1 << 16;
/// Cells further right are no metadata.
const MOST_COLUMNS: usize = 1000;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

struct Row {
    line: u64,
    metadata: Metadata,
}

/// Key → row; `None` when several rows have the key.
type Index = HashMap<String, Option<usize>>;

/// A metadata table, indexed for joining.
#[derive(Default)]
pub struct MetadataTable {
    rows: Vec<Row>,
    /// The file as the table names it, with `/` between folders → its row.
    by_file: HashMap<String, usize>,
    /// The same without its extension.
    by_stem: Index,
    /// The last component alone, with and without its extension.
    by_name: Index,
    by_name_stem: Index,
    by_call: HashMap<String, usize>,
    pub warnings: Warnings,
}

/// A file name without its extension.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && !stem.ends_with('/') && !end.contains('/') => stem,
        _ => name,
    }
}

/// `a/b/c`, `b/c`, `c`
fn endings(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |rest| rest.split_once('/').map(|(_, rest)| rest))
}

impl MetadataTable {
    /// Reads a table with a header: CSV (comma, semicolon, tab or bar; any usual encoding), Excel or OpenDocument.
    /// `columns` names the site's own columns.
    pub fn read(bytes: &[u8], columns: &BTreeMap<String, Field>) -> Result<MetadataTable, MetadataError> {
        let mut reader = TableReader { columns, header: vec![], candidates: vec![], table: MetadataTable::default() };
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
            read_workbook(bytes, &mut reader)?;
        } else {
            read_csv(bytes, &mut reader)?;
        }
        if reader.header.is_empty() {
            return Err(MetadataError::NoKeyColumn { columns: reader.candidates.join(", ") });
        }
        Ok(reader.table)
    }

    /// Indexes a row; of two rows for one file or call, the first stays.
    fn add(&mut self, line: u64, file: String, metadata: Metadata) {
        let call = metadata.call_id.as_ref();
        // One call may have a file per side: the same call id under different files is no repetition.
        let repeats = if file.is_empty() { call.and_then(|id| self.by_call.get(id)) } else { self.by_file.get(&file) };
        if let Some(first) = repeats.map(|index| self.rows[*index].line) {
            return self.warnings.add(Oddity::Repeated, || {
                format!("line {line}: the same file or call as on line {first}, which is used")
            });
        }
        if file.is_empty() && call.is_none() {
            return self
                .warnings
                .add(Oddity::NoKey, || format!("line {line}: neither a file nor a call id; the line is left out"));
        }
        let index = self.rows.len();
        if let Some(id) = call {
            self.by_call.entry(id.clone()).or_insert(index);
        }
        if !file.is_empty() {
            let name = file.rsplit('/').next().unwrap_or("");
            for (map, key) in
                [(&mut self.by_stem, stem(&file)), (&mut self.by_name, name), (&mut self.by_name_stem, stem(name))]
            {
                map.entry(key.to_string()).and_modify(|row| *row = None).or_insert(Some(index));
            }
            self.by_file.insert(file, index);
        }
        self.rows.push(Row { line, metadata });
    }

    /// The row for a recording: by its file name (the row that names most of its folders wins), else by its name without the
    /// extension, else by a call id that equals its name without the extension. Ambiguous names join nothing.
    pub fn for_file(&self, path: &Path) -> Option<&Metadata> {
        let path = path.to_string_lossy().replace('\\', "/");
        let name = path.rsplit('/').next().unwrap_or("");
        let exact = |path: &str| endings(path).find_map(|end| self.by_file.get(end).copied());
        let row = exact(&path)
            .or_else(|| self.by_name.get(name).copied().flatten())
            // The table may leave the extension out, and `1739944882.123` has none.
            .or_else(|| exact(stem(&path)))
            .or_else(|| self.by_name.get(stem(name)).copied().flatten())
            .or_else(|| endings(stem(&path)).find_map(|end| self.by_stem.get(end).copied()).flatten())
            .or_else(|| self.by_name_stem.get(stem(name)).copied().flatten())
            .or_else(|| self.by_call.get(stem(name)).copied())?;
        Some(&self.rows[row].metadata)
    }

    /// The row of a call.
    pub fn for_call(&self, call_id: &str) -> Option<&Metadata> {
        self.by_call.get(call_id.trim()).map(|row| &self.rows[*row].metadata)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Takes lines of cells: first looks for the header, then fills the table.
struct TableReader<'a> {
    columns: &'a BTreeMap<String, Field>,
    /// Each column's field and name; empty until the header was found.
    header: Vec<(Field, String)>,
    /// The first line with something in it, to be named when there is no header.
    candidates: Vec<String>,
    table: MetadataTable,
}

impl TableReader<'_> {
    fn take(&mut self, line: u64, cells: &[&str]) -> Result<(), MetadataError> {
        if self.header.is_empty() {
            return self.look_for_header(cells);
        }
        let warnings = &mut self.table.warnings;
        if cells.iter().skip(self.header.len()).any(|cell| !cell.trim().is_empty()) {
            warnings.add(Oddity::MoreValues, || format!("line {line}: more values than columns; the rest is left out"));
        }
        let place = format_args!("line {line}");
        let (mut metadata, mut file) = (Metadata::default(), String::new());
        for ((field, column), value) in self.header.iter().zip(cells) {
            match field {
                Field::File if file.is_empty() => file = value.trim().replace('\\', "/"),
                Field::Extra if column.is_empty() => {}
                field => set(&mut metadata, *field, column, value, &place, warnings),
            }
        }
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            self.table.add(line, file.trim_start_matches("./").to_string(), metadata);
        }
        Ok(())
    }

    fn look_for_header(&mut self, cells: &[&str]) -> Result<(), MetadataError> {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        if self.candidates.iter().all(String::is_empty) {
            self.candidates = cells.iter().map(|cell| cell.to_string()).collect();
        }
        let Some(fields) = header_fields(&cells, self.columns)? else { return Ok(()) };
        let mut names: Vec<&str> = Vec::new();
        for (field, column) in fields.iter().zip(&cells) {
            if *field == Field::Extra && !self.columns.contains_key(*column) {
                if let Some(message) = near_column(column, &fields) {
                    self.table.warnings.add(Oddity::Column, || message);
                }
                if !column.is_empty() && names.contains(column) {
                    self.table
                        .warnings
                        .add(Oddity::Column, || format!("the column `{column}` is there twice; its last value counts"));
                }
                names.push(column);
            }
        }
        self.header = fields.into_iter().zip(cells.iter().map(|cell| cell.to_string())).collect();
        Ok(())
    }
}

/// The fields of a header's columns; `None` when the line has no column that calls can be joined by.
fn header_fields(cells: &[&str], own: &BTreeMap<String, Field>) -> Result<Option<Vec<Field>>, MetadataError> {
    let of_site = |cell: &str| own.get(cell).copied();
    let mut fields: Vec<Option<Field>> = cells.iter().map(|cell| of_site(cell)).collect();
    let named: Vec<Field> = fields.iter().flatten().copied().collect();
    for (field, cell) in fields.iter_mut().zip(cells) {
        // What the site names outranks what we guess.
        *field = field.or_else(|| Field::of_column(cell).filter(|guess| !named.contains(guess)));
    }
    for (index, field) in fields.iter().enumerate() {
        if field.is_some_and(|f| f != Field::Extra) && fields[..index].contains(field) {
            return Err(MetadataError::RepeatedColumn { column: cells[index].to_string() });
        }
    }
    for (index, cell) in cells.iter().enumerate() {
        if fields[index].is_none()
            && let Some(second) = Field::second_choice(cell).filter(|second| !fields.contains(&Some(*second)))
        {
            fields[index] = Some(second);
        }
    }
    let joins = fields.iter().any(|field| matches!(field, Some(Field::File | Field::CallId)));
    Ok(joins.then(|| fields.into_iter().map(|field| field.unwrap_or(Field::Extra)).collect()))
}

fn read_csv(bytes: &[u8], reader: &mut TableReader) -> Result<(), MetadataError> {
    let decoded = decode(bytes);
    if let Some(line) = decoded.damaged_line {
        reader.table.warnings.add(Oddity::Encoding, || {
            format!("line {line}: bytes that are no {} text; they are shown as \u{FFFD}", decoded.encoding)
        });
    }
    // `sep=;` is Excel's own way to name the delimiter.
    let said = decoded.text.strip_prefix("sep=").and_then(|rest| rest.bytes().next());
    let delimiter = said
        .filter(|delimiter| DELIMITERS.contains(delimiter))
        .unwrap_or_else(|| guess_delimiter(&decoded.text, reader.columns));
    let text = close_quotes(&decoded.text, delimiter, &mut reader.table.warnings);
    let mut records = csv_reader(&text, delimiter);
    let mut record = csv::StringRecord::new();
    let mut before_header = 0;
    while records.read_record(&mut record).map_err(|_| MetadataError::Csv { line: records.position().line() })? {
        let line = record.position().map_or(0, csv::Position::line);
        reader.take(line, &record.iter().collect::<Vec<_>>())?;
        before_header += usize::from(reader.header.is_empty());
        if before_header > LINES_BEFORE_HEADER {
            break;
        }
    }
    Ok(())
}

fn csv_reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).has_headers(false).delimiter(delimiter).from_reader(text.as_bytes())
}

/// The delimiter under which a header is found, of several the one with the most columns.
fn guess_delimiter(text: &str, columns: &BTreeMap<String, Field>) -> u8 {
    let sample = text.lines().take(LINES_BEFORE_HEADER).collect::<Vec<_>>().join("\n");
    let score = |delimiter: u8| {
        let mut best = (false, 0);
        for record in csv_reader(&sample, delimiter).records().flatten() {
            let cells: Vec<&str> = record.iter().map(str::trim).collect();
            let is_header = header_fields(&cells, columns).is_ok_and(|fields| fields.is_some());
            best = best.max((is_header, cells.len()));
        }
        best
    };
    // The first of equals: max_by_key alone would take the last.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

/// Takes away opening quotes that are never closed, which would swallow the lines after them, with a warning each.
fn close_quotes<'a>(text: &'a str, delimiter: u8, warnings: &mut Warnings) -> std::borrow::Cow<'a, str> {
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
                    warnings.add(Oddity::Quote, || {
                        format!("line {line}: a quote is opened and never closed; it is taken as a letter")
                    });
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

/// The first sheet with a header that calls can be joined by.
fn read_workbook(bytes: &[u8], reader: &mut TableReader) -> Result<(), MetadataError> {
    let unreadable = |error: calamine::Error| MetadataError::Workbook { cause: error.to_string() };
    let mut workbook = calamine::open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(unreadable)?;
    for sheet in workbook.sheet_names() {
        let rows = sheet_rows(&mut workbook, &sheet).map_err(unreadable)?;
        for (index, (line, cells)) in rows.iter().enumerate() {
            reader.take(*line, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
            if reader.header.is_empty() && index >= LINES_BEFORE_HEADER {
                break;
            }
        }
        if !reader.header.is_empty() {
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
    use callmark_core::recording::Direction;

    fn table(text: &str) -> MetadataTable {
        MetadataTable::read(text.as_bytes(), &BTreeMap::new()).unwrap()
    }

    fn rep(table: &MetadataTable, path: &str) -> Option<String> {
        table.for_file(Path::new(path)).and_then(|metadata| metadata.rep_id.clone())
    }

    fn warnings(table: &MetadataTable) -> Vec<String> {
        table.warnings.lines().collect()
    }

    #[test]
    fn every_column_is_read_and_others_are_kept() {
        let table = table(
            "\u{FEFF}File,call_id,Rep ID,customer,team,campaign,direction,call-type,language,start_time,tz,customer_tz,first_contact,产品\r\n\
             a.wav,C-1,r1,k1,北区,spring,Outbound,sales,zh-CN,2025-02-19T06:01:22,Asia/Shanghai,Asia/Urumqi,是,\"车险, 新\"\r\n",
        );
        let metadata = table.for_file(Path::new("/night/a.wav")).unwrap();
        let text = |s: &str| Some(s.to_string());
        let expected = Metadata {
            call_id: text("C-1"),
            rep_id: text("r1"),
            customer_id: text("k1"),
            team: text("北区"),
            campaign: text("spring"),
            direction: Some(Direction::Outbound),
            call_type: text("sales"),
            language: text("zh-CN"),
            start_ts: text("2025-02-19T06:01:22"),
            tz: text("Asia/Shanghai"),
            customer_tz: text("Asia/Urumqi"),
            first_contact: Some(true),
            extra: BTreeMap::from([("产品".to_string(), "车险, 新".to_string())]),
        };
        assert_eq!(metadata, &expected);
        assert_eq!(table.for_call("C-1"), Some(&expected));
        assert_eq!(warnings(&table), Vec::<String>::new());
    }

    #[test]
    fn rows_join_by_name_folder_stem_or_call_id() {
        let table = table(
            "file;rep_id;call_id\nnorth/a.wav;r1;\nsouth\\a.wav;r2;\nb;r3;\nc.wav;r4;\n;r5;id-5\n录音 1.mp3;r6;\nd.x.wav;r7;\n\
             ./e.wav;r8;\nwest/f.wav;r9;\nq-17.39;r10;\n2025/q-17.40;r11;\n",
        );
        let cases = [
            ("/data/north/a.wav", Some("r1")),
            ("/data/south/a.wav", Some("r2")),
            ("/data/east/a.wav", None),
            ("b.wav", Some("r3")),
            ("x/c.mp3", Some("r4")),
            ("x/id-5.wav", Some("r5")),
            ("录音 1.mp3", Some("r6")),
            ("d.x.mp3", Some("r7")),
            ("d.wav", None),
            ("bb.wav", None),
            ("e.wav", Some("r8")),
            ("moved/f.wav", Some("r9")),
            ("moved/f.mp3", Some("r9")),
            ("n/q-17.39.wav", Some("r10")),
            ("n/q-17.40.wav", Some("r11")),
        ];
        for (path, expected) in cases {
            assert_eq!(rep(&table, path).as_deref(), expected, "{path}");
        }
        assert_eq!(table.len(), 11);
    }

    #[test]
    fn delimiters_and_headers_are_found() {
        for text in [
            "file,rep,team\na.wav,r1,t;1|x\n",
            "file;rep;team\na.wav;r1;t,1,2,3\n",
            "file\trep\tteam\na.wav\tr1\tt,1\n",
            "file|rep|team\na.wav|r1|t,1\n",
            "sep=;\nfile;rep;team\na.wav;r1;\n",
            "Calls of Monday, north\n\nrep,file,\"note, long\"\nr1,a.wav,\"x\"\n",
            "file,rep\r\na.wav,r1\r\n",
        ] {
            assert_eq!(rep(&table(text), "a.wav").as_deref(), Some("r1"), "{text}");
        }
        let own = BTreeMap::from([("Login".to_string(), Field::RepId), ("Sound".to_string(), Field::File)]);
        let table = MetadataTable::read("Sound,Login,agent\na.wav,r1,Ann\n".as_bytes(), &own).unwrap();
        let metadata = table.for_file(Path::new("a.wav")).unwrap();
        assert_eq!((metadata.rep_id.as_deref(), metadata.extra["agent"].as_str()), (Some("r1"), "Ann"));
    }

    #[test]
    fn a_table_of_a_telephone_system_gives_its_second_choice() {
        let table = table(
            "calldate,src,uniqueid,recordingfile,agent_id,agent_name\n2025-02-19 06:01:22,201,1.2,a.wav,17,Ann\n",
        );
        let metadata = table.for_file(Path::new("a.wav")).unwrap();
        assert_eq!((metadata.rep_id.as_deref(), metadata.call_id.as_deref()), (Some("17"), Some("1.2")));
        assert_eq!(metadata.start_ts.as_deref(), Some("2025-02-19 06:01:22"));
        assert_eq!(metadata.extra["agent_name"], "Ann");
    }

    #[test]
    fn what_is_not_understood_is_told_once_per_kind_and_left_out() {
        let table = table(
            "file,rep_id,direction,language,start_ts,tz,temm\n\
             a.wav,r1,sideways,fr,yesterday,Mars,x\n\
             b.wav,r1,sideways,de,yesterday,Mars,x\n\
             a.wav,r2,in,en,2025-02-19\n\
             ,r3,out,zh,2025-02-19T06:01:22Z\n\
             \"c\nc.wav\",r4,呼出,zh,2025-02-19 06:01:22,UTC,y,too,many\n\
             d.wav\n",
        );
        assert_eq!(rep(&table, "a.wav").as_deref(), Some("r1"));
        let metadata = table.for_file(Path::new("a.wav")).unwrap();
        assert_eq!((&metadata.start_ts, &metadata.tz, metadata.direction), (&None, &None, None));
        let warnings = warnings(&table);
        let expected = [
            "`team`",
            "line 6: more",
            "line 4: the same",
            "line 5: neither",
            "line 2: direction",
            "line 2: language",
            "line 2: start",
            "line 2: `Mars`",
        ];
        assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
        assert!(warnings[4].ends_with("(and 1 more like it)"));
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_nothing() {
        for broken in ["a.wav,\"Ann\nb.wav,Bob\nc.wav,Cid\n", "a.wav,\"Ann\nb.wav,\"Bob\"\nc.wav,\"Cid\"\n"] {
            let table = table(&format!("file,rep\n{broken}"));
            let reps: Vec<_> = ["a.wav", "b.wav", "c.wav"].iter().map(|name| rep(&table, name).unwrap()).collect();
            assert_eq!(reps, ["Ann", "Bob", "Cid"]);
            assert_eq!(warnings(&table), ["line 2: a quote is opened and never closed; it is taken as a letter"]);
        }
        // Values over several lines, doubled quotes and quotes inside a value are right.
        let table = table("file,rep,note\na.wav,\"Ann \"\"A\"\"\",\"two\nlines\"\nb.wav,Bob \"B\",\n");
        assert_eq!(rep(&table, "a.wav").as_deref(), Some("Ann \"A\""));
        assert_eq!(rep(&table, "b.wav").as_deref(), Some("Bob \"B\""));
        assert_eq!(warnings(&table), Vec::<String>::new());
    }

    #[test]
    fn tables_without_a_key_are_refused() {
        let error = |bytes: &[u8]| MetadataTable::read(bytes, &BTreeMap::new()).err().unwrap();
        assert_eq!(error(b"rep,team\nr1,t1\n"), MetadataError::NoKeyColumn { columns: "rep, team".into() });
        assert_eq!(error(b""), MetadataError::NoKeyColumn { columns: String::new() });
        let repeated = MetadataError::RepeatedColumn { column: "recording".into() };
        assert_eq!(error(b"file,recording\n"), repeated);
        assert!(repeated.hint().contains("rename"));
        assert!(matches!(error(b"PK\x03\x04 no workbook"), MetadataError::Workbook { .. }));
        assert!(matches!(error(b"\xD0\xCF\x11\xE0 no workbook"), MetadataError::Workbook { .. }));
    }

    #[test]
    fn spreadsheets_of_three_kinds_say_the_same() {
        // Written by openpyxl, xlwt and odfpy: tests/oracles/spreadsheets_oracle.py.
        let books: [&[u8]; 3] = [
            include_bytes!("../../../../tests/oracles/spreadsheets/metadata.xlsx"),
            include_bytes!("../../../../tests/oracles/spreadsheets/metadata.xls"),
            include_bytes!("../../../../tests/oracles/spreadsheets/metadata.ods"),
        ];
        for bytes in books {
            let table = MetadataTable::read(bytes, &BTreeMap::new()).unwrap();
            let text = |s: &str| Some(s.to_string());
            let metadata = table.for_file(Path::new("night/a.wav")).unwrap();
            assert_eq!((metadata.rep_id.clone(), metadata.team.clone()), (text("1017"), text("北区")));
            assert_eq!(metadata.start_ts, text("2025-02-19T06:01:22"));
            assert_eq!(metadata.extra["answered"], "06:01:30");
            let metadata = table.for_file(Path::new("night/b.wav")).unwrap();
            assert_eq!(metadata.start_ts.as_ref().map(|stamp| &stamp[..10]), Some("2025-03-01"));
            assert_eq!((table.len(), warnings(&table)), (2, vec![]));
        }
    }

    #[test]
    fn a_stray_cell_in_the_last_corner_costs_nothing() {
        let bytes = include_bytes!("../../../../tests/oracles/spreadsheets/stray.xlsx");
        let table = MetadataTable::read(bytes, &BTreeMap::new()).unwrap();
        assert_eq!(rep(&table, "a.wav").as_deref(), Some("r1"));
    }

    #[test]
    fn twenty_thousand_rows_load_and_join_at_once() {
        let mut text = String::from("file,call_id,rep_id,team,direction,language,start_ts,tz,note\n");
        for n in 0..20_000 {
            // One name in many folders is the hard case for joining.
            text.push_str(&format!("{n}/call.wav,C-{n},r{},t,out,en,2025/2/19 6:01,Asia/Shanghai,\"a, b\"\n", n % 100));
        }
        let begin = std::time::Instant::now();
        let table = table(&text);
        for n in 0..20_000 {
            assert_eq!(rep(&table, &format!("/night/{n}/call.wav")), Some(format!("r{}", n % 100)));
        }
        assert!(begin.elapsed().as_secs_f64() < 5.0, "{:?}", begin.elapsed());
    }
}
