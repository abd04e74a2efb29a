//! Metadata tables: CSV of any usual kind or a spreadsheet, indexed for joining by file name or call id.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use callmark_core::recording::Metadata;

use super::MetadataError;
use super::encoding::Decoded;
use super::fields::{Field, Oddity, Warnings, near_column, set};
use super::lines::{LineReader, read_lines};

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
        read_lines(bytes, &mut reader)?;
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

impl LineReader for TableReader<'_> {
    type Error = MetadataError;

    fn is_header(&self, cells: &[&str]) -> bool {
        header_fields(cells, self.columns).is_ok_and(|fields| fields.is_some())
    }

    fn has_header(&self) -> bool {
        !self.header.is_empty()
    }

    fn decoded(&mut self, text: &Decoded) {
        if let Some(line) = text.damaged_line {
            self.table.warnings.add(Oddity::Encoding, || {
                format!("line {line}: bytes that are no {} text; they are shown as \u{FFFD}", text.encoding)
            });
        }
    }

    fn lost_quote(&mut self, line: u64) {
        self.table
            .warnings
            .add(Oddity::Quote, || format!("line {line}: a quote is opened and never closed; it is taken as a letter"));
    }

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
}

impl TableReader<'_> {
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
            "\u{FEFF}File,call_id,Rep ID,customer,team,campaign,direction,call-type,language,start_time,tz,customer_tz,first contact,产品\r\n\
             a.wav,C-1,r1,k1,北区,spring,Outbound,sales,zh-CN,2025-02-19T06:01:22,Asia/Shanghai,Asia/Urumqi,yes,\"车险, 新\"\r\n",
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
