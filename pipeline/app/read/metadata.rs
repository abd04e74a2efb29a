//! What is known about calls from outside: a CSV table joined by file name or call id, and JSON sidecars.
//!
//! A sidecar outranks the table field by field. Nothing here blocks scoring: what cannot be understood is a warning.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use callmark_core::recording::{Direction, Language, Metadata};
use serde_json::Value;

/// Why a table or sidecar could not be used at all. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("the metadata is not UTF-8 (line {line})")]
    NotUtf8 { line: u64 },
    #[error("the metadata table has neither a `file` nor a `call_id` column")]
    NoKeyColumn,
    #[error("the metadata table has the column `{column}` twice")]
    RepeatedColumn { column: String },
    #[error("the metadata table is not CSV (line {line})")]
    Csv { line: u64 },
    #[error("the sidecar is not a JSON object (line {line}, column {column})")]
    Json { line: usize, column: usize },
}

impl MetadataError {
    /// One sentence that says what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            MetadataError::NotUtf8 { .. } => "save the file as UTF-8 (in Excel: \"CSV UTF-8\")",
            MetadataError::NoKeyColumn => {
                "name the column that holds the recordings' file names `file`, or give `call_id`"
            }
            MetadataError::RepeatedColumn { .. } => "remove or rename one of the two columns",
            MetadataError::Csv { .. } => "check the quotes on that line",
            MetadataError::Json { .. } => {
                "write one object, for example {\"rep_id\": \"r17\", \"direction\": \"outbound\"}"
            }
        }
    }
}

/// Something in the metadata that was not understood; the call is scored all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Line of the table, from 1; `None` for a sidecar.
    pub line: Option<u64>,
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The fields that callmark knows, under the names that tables give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    File,
    CallId,
    RepId,
    CustomerId,
    Team,
    Campaign,
    Direction,
    CallType,
    Language,
    StartTs,
    Tz,
}

impl Field {
    fn parse(column: &str) -> Option<Field> {
        let name = column.trim().to_lowercase().replace([' ', '-'], "_");
        Some(match name.as_str() {
            "file" | "filename" | "file_name" | "recording" | "path" | "文件" | "文件名" | "录音" | "录音文件" => {
                Field::File
            }
            "call_id" | "callid" | "通话id" | "通话编号" => Field::CallId,
            "rep_id" | "rep" | "agent_id" | "agent" | "坐席" | "座席" | "客服" | "工号" => Field::RepId,
            "customer_id" | "customer" | "客户" | "客户id" | "客户编号" => Field::CustomerId,
            "team" | "团队" | "班组" => Field::Team,
            "campaign" | "活动" | "项目" => Field::Campaign,
            "direction" | "方向" | "呼叫方向" => Field::Direction,
            "call_type" | "calltype" | "type" | "通话类型" => Field::CallType,
            "language" | "lang" | "语言" => Field::Language,
            "start_ts" | "start_time" | "start" | "started_at" | "开始时间" => Field::StartTs,
            "tz" | "timezone" | "time_zone" | "时区" => Field::Tz,
            _ => return None,
        })
    }
}

fn direction(value: &str) -> Option<Direction> {
    match value.to_lowercase().as_str() {
        "inbound" | "in" | "incoming" | "呼入" => Some(Direction::Inbound),
        "outbound" | "out" | "outgoing" | "呼出" | "外呼" => Some(Direction::Outbound),
        _ => None,
    }
}

/// True for the stamps that [`Metadata::start_ts`] may hold: with or without an offset, or a date alone.
fn is_stamp(value: &str) -> bool {
    value.parse::<jiff::Timestamp>().is_ok()
        || value.parse::<jiff::civil::DateTime>().is_ok()
        || value.parse::<jiff::civil::Date>().is_ok()
}

/// Puts one value into its field; a message when the value is not understood.
fn set(metadata: &mut Metadata, column: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let text = Some(value.to_string());
    match Field::parse(column) {
        Some(Field::File) => {}
        Some(Field::CallId) => metadata.call_id = text,
        Some(Field::RepId) => metadata.rep_id = text,
        Some(Field::CustomerId) => metadata.customer_id = text,
        Some(Field::Team) => metadata.team = text,
        Some(Field::Campaign) => metadata.campaign = text,
        Some(Field::CallType) => metadata.call_type = text,
        Some(Field::Tz) => metadata.tz = text,
        Some(Field::Direction) => {
            metadata.direction = direction(value);
            if metadata.direction.is_none() {
                return Some(format!("direction `{value}` is neither inbound nor outbound; it is left out"));
            }
        }
        Some(Field::Language) => {
            metadata.language = text;
            if Language::parse(value).is_none() {
                return Some(format!("language `{value}` is neither English nor Chinese; such calls are not scored"));
            }
        }
        Some(Field::StartTs) => {
            metadata.start_ts = text;
            if !is_stamp(value) {
                return Some(format!(
                    "start `{value}` is no date and time like 2025-02-19T06:01:22; the call has no period"
                ));
            }
        }
        None => {
            metadata.extra.insert(column.trim().to_string(), value.to_string());
        }
    }
    None
}

struct Row {
    line: u64,
    /// The file as the table names it, with `/` between folders; empty when the row has only a call id.
    file: String,
    metadata: Metadata,
}

/// A metadata table, indexed for joining.
#[derive(Default)]
pub struct MetadataTable {
    rows: Vec<Row>,
    /// File name (last component, as written) → rows.
    by_name: BTreeMap<String, Vec<usize>>,
    /// File name without its extension → rows.
    by_stem: BTreeMap<String, Vec<usize>>,
    by_call: BTreeMap<String, usize>,
    pub warnings: Vec<Warning>,
}

/// A file name without its extension.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// True when `end` is `path` or its last components.
fn ends_with_components(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

impl MetadataTable {
    /// Reads a table with a header line; comma, semicolon or tab between columns.
    pub fn read(bytes: &[u8]) -> Result<MetadataTable, MetadataError> {
        let text = std::str::from_utf8(bytes).map_err(|e| MetadataError::NotUtf8 {
            line: 1 + bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64,
        })?;
        let text = text.trim_start_matches('\u{FEFF}');
        let header = text.lines().next().unwrap_or("");
        let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
        let delimiter =
            [b';', b'\t'].into_iter().fold(b',', |best, next| if count(next) > count(best) { next } else { best });
        let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
        let csv_error = |e: csv::Error| MetadataError::Csv { line: e.position().map_or(1, |p| p.line()) };
        let columns: Vec<String> = reader.headers().map_err(csv_error)?.iter().map(|c| c.trim().to_string()).collect();
        let file_column = check_columns(&columns)?;
        let mut table = MetadataTable::default();
        for record in reader.records() {
            let record = record.map_err(csv_error)?;
            let line = record.position().map_or(0, |p| p.line());
            if record.len() > columns.len() {
                table.warn(line, "more values than columns; the rest is left out".into());
            }
            let mut metadata = Metadata::default();
            for (column, value) in columns.iter().zip(&record) {
                if let Some(message) = set(&mut metadata, column, value) {
                    table.warn(line, message);
                }
            }
            let file = file_column.and_then(|column| record.get(column)).unwrap_or("").trim().replace('\\', "/");
            table.add(Row { line, file, metadata });
        }
        Ok(table)
    }

    fn warn(&mut self, line: u64, message: String) {
        self.warnings.push(Warning { line: Some(line), message });
    }

    /// Indexes a row; of two rows for one file or call, the first stays.
    fn add(&mut self, row: Row) {
        let name = row.file.rsplit('/').next().unwrap_or("").to_string();
        let same_file = self.by_name.get(&name).into_iter().flatten().find(|index| self.rows[**index].file == row.file);
        let same_call = row.metadata.call_id.as_ref().and_then(|id| self.by_call.get(id));
        // One call may have a file per side: the same call id under different files is no repetition.
        let repeats = if row.file.is_empty() { same_call } else { same_file };
        if let Some(first) = repeats.map(|index| self.rows[*index].line) {
            return self.warn(row.line, format!("the same file or call as on line {first}, which is used"));
        }
        if row.file.is_empty() && row.metadata.call_id.is_none() {
            return self.warn(row.line, "neither a file nor a call id; the line is left out".into());
        }
        let index = self.rows.len();
        if !row.file.is_empty() {
            self.by_stem.entry(stem(&name).to_string()).or_default().push(index);
            self.by_name.entry(name).or_default().push(index);
        }
        if let Some(id) = &row.metadata.call_id {
            self.by_call.entry(id.clone()).or_insert(index);
        }
        self.rows.push(row);
    }

    /// The row for a recording: by its file name (the row that names most of its folders wins), else by its name without the
    /// extension, else by a call id that equals its name without the extension. Ambiguous names join nothing.
    pub fn for_file(&self, path: &Path) -> Option<&Metadata> {
        let path = path.to_string_lossy().replace('\\', "/");
        let name = path.rsplit('/').next().unwrap_or("");
        let row = self
            .best(self.by_name.get(name), |file| ends_with_components(&path, file))
            .or_else(|| {
                let without = stem(&path);
                self.best(self.by_stem.get(stem(name)), |file| ends_with_components(without, stem(file)))
            })
            .or_else(|| self.by_call.get(stem(name)).copied())?;
        Some(&self.rows[row].metadata)
    }

    /// The row of a call.
    pub fn for_call(&self, call_id: &str) -> Option<&Metadata> {
        self.by_call.get(call_id.trim()).map(|row| &self.rows[*row].metadata)
    }

    /// Of rows with one file name: the one whose folders agree, the longest first; else the only one there is.
    fn best(&self, rows: Option<&Vec<usize>>, agrees: impl Fn(&str) -> bool) -> Option<usize> {
        let rows = rows?;
        let longest =
            rows.iter().filter(|row| agrees(&self.rows[**row].file)).max_by_key(|row| self.rows[**row].file.len());
        match (longest, rows.as_slice()) {
            (Some(row), _) => Some(*row),
            (None, [only]) => Some(*only),
            _ => None,
        }
    }
}

/// Checks the header; gives the index of the file column.
fn check_columns(columns: &[String]) -> Result<Option<usize>, MetadataError> {
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    let mut fields = BTreeMap::new();
    for (index, column) in columns.iter().enumerate() {
        let repeated = match Field::parse(column) {
            Some(field) => fields.insert(field, index).is_some(),
            None => !column.is_empty() && seen.insert(column.clone(), ()).is_some(),
        };
        if repeated {
            return Err(MetadataError::RepeatedColumn { column: column.clone() });
        }
    }
    match (fields.get(&Field::File), fields.get(&Field::CallId)) {
        (None, None) => Err(MetadataError::NoKeyColumn),
        (file, _) => Ok(file.copied()),
    }
}

/// Where a recording's sidecar may lie, first choice first: `<file>.json`, `<name>.json`.
pub fn sidecar_paths(recording: &Path) -> [PathBuf; 2] {
    let mut whole = recording.as_os_str().to_owned();
    whole.push(".json");
    [PathBuf::from(whole), recording.with_extension("json")]
}

/// Reads a sidecar: one JSON object with the table's column names, other keys kept as extra; `Ok(None)` when the object is
/// something else (a transcript, callmark's own analysis).
pub fn read_sidecar(bytes: &[u8]) -> Result<Option<(Metadata, Vec<Warning>)>, MetadataError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| MetadataError::Json { line: e.line(), column: e.column() })?;
    let Value::Object(object) = value else { return Err(MetadataError::Json { line: 1, column: 1 }) };
    if ["Qa", "Transcript", "transcription", "segments"].iter().any(|key| object.contains_key(*key)) {
        return Ok(None);
    }
    let (mut metadata, mut warnings) = (Metadata::default(), Vec::new());
    for (key, value) in &object {
        let values: Vec<(&String, &Value)> = match value {
            Value::Object(extra) if key == "extra" => extra.iter().collect(),
            value => vec![(key, value)],
        };
        for (key, value) in values {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if let Some(message) = set(&mut metadata, key, &text) {
                warnings.push(Warning { line: None, message });
            }
        }
    }
    Ok(Some((metadata, warnings)))
}

/// Metadata of a recording: the sidecar's fields, then the table's, by file name or by the sidecar's call id.
pub fn join(recording: &Path, table: Option<&MetadataTable>, sidecar: Option<Metadata>) -> Metadata {
    let metadata = sidecar.unwrap_or_default();
    let row = table.and_then(|table| {
        let by_call = metadata.call_id.as_deref().and_then(|id| table.for_call(id));
        table.for_file(recording).or(by_call)
    });
    let Some(row) = row.cloned() else { return metadata };
    fill(metadata, row)
}

/// `metadata`, with what it lacks from `row`.
pub fn fill(mut metadata: Metadata, row: Metadata) -> Metadata {
    metadata.call_id = metadata.call_id.or(row.call_id);
    metadata.rep_id = metadata.rep_id.or(row.rep_id);
    metadata.customer_id = metadata.customer_id.or(row.customer_id);
    metadata.team = metadata.team.or(row.team);
    metadata.campaign = metadata.campaign.or(row.campaign);
    metadata.direction = metadata.direction.or(row.direction);
    metadata.call_type = metadata.call_type.or(row.call_type);
    metadata.language = metadata.language.or(row.language);
    // A stamp and its zone belong together: the table's zone does not explain the sidecar's stamp.
    if metadata.start_ts.is_none() {
        metadata.start_ts = row.start_ts;
        metadata.tz = metadata.tz.or(row.tz);
    }
    for (key, value) in row.extra {
        metadata.extra.entry(key).or_insert(value);
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> MetadataTable {
        MetadataTable::read(text.as_bytes()).unwrap()
    }

    fn rep(table: &MetadataTable, path: &str) -> Option<String> {
        table.for_file(Path::new(path)).and_then(|metadata| metadata.rep_id.clone())
    }

    #[test]
    fn every_column_is_read_and_others_are_kept() {
        let table = table(
            "\u{FEFF}File,call_id,Rep ID,customer,team,campaign,direction,call-type,language,start_time,tz,产品\r\n\
             a.wav,C-1,r1,k1,北区,spring,Outbound,sales,zh-CN,2025-02-19T06:01:22,Asia/Shanghai,\"车险, 新\"\r\n",
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
            extra: BTreeMap::from([("产品".to_string(), "车险, 新".to_string())]),
        };
        assert_eq!(metadata, &expected);
        assert_eq!(table.for_call("C-1"), Some(&expected));
        assert_eq!(table.warnings, []);
    }

    #[test]
    fn rows_join_by_name_folder_stem_or_call_id() {
        let table = table(
            "file;rep_id;call_id\nnorth/a.wav;r1;\nsouth\\a.wav;r2;\nb;r3;\nc.wav;r4;\n;r5;id-5\n录音 1.mp3;r6;\nd.x.wav;r7;\n",
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
        ];
        for (path, expected) in cases {
            assert_eq!(rep(&table, path).as_deref(), expected, "{path}");
        }
        assert_eq!(table.rows.len(), 7);
    }

    #[test]
    fn what_is_not_understood_is_a_warning_with_its_line() {
        let table = table(
            "file,rep_id,direction,language,start_ts\n\
             a.wav,r1,sideways,fr,yesterday\n\
             a.wav,r2,in,en,2025-02-19\n\
             ,r3,out,zh,2025-02-19T06:01:22Z\n\
             \"b\nb.wav\",r4,呼出,zh,2025-02-19 06:01:22,too,many\n\
             c.wav\n",
        );
        assert_eq!(rep(&table, "a.wav").as_deref(), Some("r1"));
        let lines: Vec<_> = table.warnings.iter().map(|w| w.line.unwrap()).collect();
        assert_eq!(lines, [2, 2, 2, 3, 4, 5], "{:?}", table.warnings);
        assert_eq!(table.warnings[3].to_string(), "line 3: the same file or call as on line 2, which is used");
        assert_eq!(table.rows.len(), 3);
    }

    #[test]
    fn tables_without_a_key_are_refused() {
        let error = |bytes: &[u8]| MetadataTable::read(bytes).err().unwrap();
        assert_eq!(error(b"rep,team\nr1,t1\n"), MetadataError::NoKeyColumn);
        assert_eq!(error(b""), MetadataError::NoKeyColumn);
        assert_eq!(error(b"file,rep\na.wav,\xCD\xF5\n"), MetadataError::NotUtf8 { line: 2 });
        let repeated = MetadataError::RepeatedColumn { column: "recording".into() };
        assert_eq!(error(b"file,recording\n"), repeated);
        assert!(repeated.hint().contains("rename"));
    }

    #[test]
    fn sidecars_outrank_the_table_field_by_field() {
        let table = table("file,call_id,rep_id,team,start_ts,tz,k\na.wav,C-1,r1,north,2025-02-19T06:01:22,UTC,v\n");
        let json = r#"{"rep_id": 17, "Team": null, "start_ts": "2025-02-20T08:00:00+08:00", "extra": {"k": "w"}, "vip": true}"#;
        let (sidecar, found) = read_sidecar(json.as_bytes()).unwrap().unwrap();
        assert_eq!(found, []);
        let metadata = join(Path::new("x/a.wav"), Some(&table), Some(sidecar));
        assert_eq!(metadata.rep_id.as_deref(), Some("17"));
        assert_eq!(metadata.team.as_deref(), Some("north"));
        assert_eq!(metadata.call_id.as_deref(), Some("C-1"));
        assert_eq!((metadata.start_ts.as_deref(), metadata.tz), (Some("2025-02-20T08:00:00+08:00"), None));
        let extra = [("k", "w"), ("vip", "true")].map(|(k, v)| (k.to_string(), v.to_string()));
        assert_eq!(metadata.extra, BTreeMap::from(extra));
        // The sidecar's call id joins too, and nothing at all is nothing at all.
        let by_call = Metadata { call_id: Some("C-1".into()), ..Metadata::default() };
        assert_eq!(join(Path::new("z.wav"), Some(&table), Some(by_call)).rep_id.as_deref(), Some("r1"));
        assert_eq!(join(Path::new("z.wav"), Some(&table), None), Metadata::default());
    }

    #[test]
    fn sidecars_that_are_none() {
        assert_eq!(read_sidecar(br#"{"Transcript": []}"#), Ok(None));
        assert_eq!(read_sidecar(b"{\n\"rep_id\": }"), Err(MetadataError::Json { line: 2, column: 11 }));
        assert_eq!(read_sidecar(b"[1]"), Err(MetadataError::Json { line: 1, column: 1 }));
        let paths = sidecar_paths(Path::new("n/a.b.wav"));
        assert_eq!(paths, [PathBuf::from("n/a.b.wav.json"), PathBuf::from("n/a.b.json")]);
    }
}
