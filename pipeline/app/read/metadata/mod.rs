//! What is known about calls from outside: sidecars, tables, file names and the rep table of the configuration.
//!
//! Field by field a sidecar outranks a table, a table the file name. Nothing here blocks scoring: what cannot be
//! understood is left out with a warning.

pub mod encoding;
pub mod fields;
pub mod file_name;
pub mod lines;
pub mod reps;
mod sidecar;

mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use callmark_core::recording::Metadata;

use self::fields::{Oddity, Warnings};
use self::file_name::{FileNamePattern, from_file_name};
use self::lines::TableError;
use self::reps::Reps;
pub use self::sidecar::sidecar_paths;
pub use self::table::MetadataTable;
use crate::config::Config;

/// Why a table or sidecar could not be used at all. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("the metadata table has no column for the recording's file or the call id (it has: {columns})")]
    NoKeyColumn { columns: String },
    #[error("the metadata table has two columns for one thing (the second is `{column}`)")]
    RepeatedColumn { column: String },
    #[error("the metadata table is not CSV (line {line})")]
    Csv { line: u64 },
    #[error("the spreadsheet cannot be read: {cause}")]
    Workbook { cause: String },
    #[error("the sidecar is not a JSON object (line {line}, column {column})")]
    Json { line: usize, column: usize },
}

impl From<TableError> for MetadataError {
    fn from(error: TableError) -> MetadataError {
        match error {
            TableError::Csv { line } => MetadataError::Csv { line },
            TableError::Workbook { cause } => MetadataError::Workbook { cause },
        }
    }
}

impl MetadataError {
    /// One sentence that says what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            MetadataError::NoKeyColumn { .. } => {
                "name the column that holds the recordings' file names `file`, or say which it is under [metadata.columns]"
            }
            MetadataError::RepeatedColumn { .. } => {
                "rename one of the two columns, or say what they are under [metadata.columns]"
            }
            MetadataError::Csv { .. } => "check the quotes on that line",
            MetadataError::Workbook { .. } => "open it and save it again as .xlsx or as CSV (UTF-8)",
            MetadataError::Json { .. } => {
                "write one object, for example {\"rep_id\": \"r17\", \"direction\": \"outbound\"}"
            }
        }
    }
}

/// Endings of metadata tables.
const TABLES: &[&str] = &["csv", "tsv", "xlsx", "xlsm", "xls", "ods"];

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|end| TABLES.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// `metadata.csv`, `metadata.xlsx`, …: the table for the recordings in its folder and below.
pub fn is_folder_table(path: &Path) -> bool {
    is_table(path) && path.file_stem().is_some_and(|name| name.eq_ignore_ascii_case("metadata"))
}

struct Source {
    path: PathBuf,
    /// Only for recordings below this folder; `None`: for all.
    folder: Option<PathBuf>,
    table: MetadataTable,
}

/// Everything that says something about the recordings of one run.
pub struct MetadataSources {
    /// In the order of their rank.
    tables: Vec<Source>,
    file_names: Vec<FileNamePattern>,
    reps: Reps,
    problems: Vec<String>,
    /// Of sidecars and file names.
    warnings: Warnings,
}

impl MetadataSources {
    /// Reads the tables that the user gave (files, or folders of tables), else those that lie in the folders of recordings.
    ///
    /// # Errors
    /// A given table cannot be used. One that merely lies there costs a warning: late metadata update the calls.
    pub fn load(given: &[PathBuf], found: &[PathBuf], config: &Config) -> Result<MetadataSources> {
        let mut sources = MetadataSources {
            tables: vec![],
            file_names: config.metadata.file_names.clone(),
            reps: Reps::new(&config.reps),
            problems: vec![],
            warnings: Warnings::default(),
        };
        for path in given {
            if path.is_dir() {
                sources.load_folder(path, config)?;
            } else {
                sources.tables.push(Source { path: path.clone(), folder: None, table: read_table(path, config)? });
            }
        }
        if given.is_empty() {
            // The nearest table first.
            let mut found = found.to_vec();
            found.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
            for path in found {
                let folder = std::path::absolute(&path).ok().and_then(|path| path.parent().map(Path::to_path_buf));
                match read_table(&path, config) {
                    Ok(table) => sources.tables.push(Source { path, folder, table }),
                    Err(error) => sources.problems.push(format!("{error:#}")),
                }
            }
        }
        Ok(sources)
    }

    fn load_folder(&mut self, folder: &Path, config: &Config) -> Result<()> {
        let listed = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.is_file() && is_table(path));
        paths.sort();
        let before = self.tables.len();
        for path in paths {
            match read_table(&path, config) {
                Ok(table) => self.tables.push(Source { path, folder: None, table }),
                Err(error) => self.problems.push(format!("{error:#}")),
            }
        }
        if self.tables.len() == before {
            let problems: String = self.problems.iter().map(|problem| format!("\n{problem}")).collect();
            bail!(
                "no usable metadata table lies in {}{problems}\nhint: tables end in .{}",
                folder.display(),
                TABLES.join(", .")
            );
        }
        Ok(())
    }

    /// The metadata of a recording.
    pub fn of(&mut self, recording: &Path) -> Metadata {
        let sidecar = read_sidecar_of(recording, &mut self.warnings);
        let name = from_file_name(recording, &self.file_names, &mut self.warnings);
        let mut metadata = sidecar.unwrap_or_default();
        let ids = [metadata.call_id.clone(), name.call_id.clone()];
        let path = std::path::absolute(recording).unwrap_or_else(|_| recording.to_path_buf());
        for source in self.tables.iter().filter(|s| s.folder.as_ref().is_none_or(|folder| path.starts_with(folder))) {
            let by_call = || ids.iter().flatten().find_map(|id| source.table.for_call(id));
            if let Some(row) = source.table.for_file(&path).or_else(by_call) {
                metadata = fill(metadata, row.clone());
            }
        }
        metadata = fill(metadata, name);
        self.reps.resolve(&mut metadata);
        metadata
    }

    /// The metadata of a recording that is a known call already: new ones win over stored ones.
    pub fn over_stored(&self, metadata: Metadata, stored: Metadata) -> Metadata {
        let mut metadata = fill(metadata, stored);
        self.reps.resolve(&mut metadata);
        metadata
    }

    /// What was not understood so far: one line per table and kind.
    pub fn warnings(&self) -> Vec<String> {
        let of_tables = self
            .tables
            .iter()
            .flat_map(|s| s.table.warnings.lines().map(|line| format!("{}: {line}", s.path.display())));
        self.problems.iter().cloned().chain(of_tables).chain(self.warnings.lines()).collect()
    }
}

fn read_table(path: &Path, config: &Config) -> Result<MetadataTable> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the metadata {} (hint: check path and permissions)", path.display()))?;
    MetadataTable::read(&bytes, &config.metadata.columns)
        .map_err(|error| anyhow!("{}: {error}\nhint: {}", path.display(), error.hint()))
}

fn read_sidecar_of(recording: &Path, warnings: &mut Warnings) -> Option<Metadata> {
    for path in sidecar_paths(recording) {
        // A transcript in JSON is no sidecar of itself, and a pipe would be waited for.
        if path == recording || !path.is_file() {
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        match sidecar::read_sidecar(&bytes, &path.display(), warnings) {
            Ok(Some(metadata)) => return Some(metadata),
            Ok(None) => {}
            Err(error) => {
                warnings.add(Oddity::Sidecar, || format!("{}: {error} (hint: {})", path.display(), error.hint()));
            }
        }
    }
    None
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
    metadata.customer_tz = metadata.customer_tz.or(row.customer_tz);
    metadata.first_contact = metadata.first_contact.or(row.first_contact);
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
    use callmark_core::recording::Direction;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    const NAME: &str = "1234567_JANE_DOE_DT_2025-02-19T06-01-22.wav";

    #[test]
    fn sidecar_over_table_over_file_name_field_by_field() {
        let night = tempfile::tempdir().unwrap();
        let table = write(
            night.path(),
            "m.csv",
            format!("file,call_id,rep_id,team,direction,tz,k\n{NAME},C-1,r1,north,in,Asia/Shanghai,v\n"),
        );
        let recording = night.path().join(NAME);
        let of = |given: &[PathBuf]| MetadataSources::load(given, &[], &Config::default()).unwrap().of(&recording);
        let text = |s: &str| Some(s.to_string());
        let name = Metadata { rep_id: text("JANE DOE"), start_ts: text("2025-02-19T06:01:22"), ..Metadata::default() };
        assert_eq!(of(&[]), name);
        let with_table = Metadata {
            call_id: text("C-1"),
            rep_id: text("r1"),
            team: text("north"),
            direction: Some(Direction::Inbound),
            tz: text("Asia/Shanghai"),
            extra: [("k".to_string(), "v".to_string())].into(),
            ..name.clone()
        };
        assert_eq!(of(std::slice::from_ref(&table)), with_table);
        let json = r#"{"rep_id": "r2", "start_ts": "2025-02-20T08:00:00+08:00", "extra": {"k": "w"}}"#;
        write(night.path(), &format!("{NAME}.json"), json);
        let with_sidecar = Metadata {
            rep_id: text("r2"),
            start_ts: text("2025-02-20T08:00:00+08:00"),
            tz: None,
            extra: [("k".to_string(), "w".to_string())].into(),
            ..with_table
        };
        assert_eq!(of(&[table]), with_sidecar, "the zone of the table does not explain the stamp of the sidecar");
    }

    #[test]
    fn call_ids_of_sidecars_and_file_names_join_too() {
        let night = tempfile::tempdir().unwrap();
        let table = write(
            night.path(),
            "cdr.csv",
            "uniqueid|agent_name|calldate\n1739944882.123|Ann|2025-02-19 06:01:22\nC-9|Bob|\n",
        );
        let mut sources = MetadataSources::load(&[table], &[], &Config::default()).unwrap();
        let metadata = sources.of(Path::new("out-0123456789-201-20250219-060122-1739944882.123.wav"));
        assert_eq!((metadata.rep_id.as_deref(), metadata.call_id.as_deref()), (Some("Ann"), Some("1739944882.123")));
        write(night.path(), "x.json", r#"{"call_id": "C-9"}"#);
        assert_eq!(sources.of(&night.path().join("x.wav")).rep_id.as_deref(), Some("Bob"));
        assert_eq!(sources.of(&night.path().join("y.wav")), Metadata::default());
        assert_eq!(sources.warnings(), Vec::<String>::new());
    }

    #[test]
    fn each_folder_has_its_table_and_a_damaged_one_costs_a_warning() {
        let night = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| write(night.path(), name, text);
        let found = [
            put("north/metadata.csv", "file,team\na.wav,north\n"),
            put("south/metadata.csv", "file,team\na.wav,south\nb.wav,south\n"),
            put("south/late/metadata.csv", "file,rep_id\nb.wav,r9\n"),
            put("east/Metadata.tsv", "who\twhere\nx\ty\n"),
        ];
        assert!(found.iter().all(|path| is_folder_table(path)) && !is_folder_table(Path::new("n/my-metadata.csv")));
        let mut sources = MetadataSources::load(&[], &found, &Config::default()).unwrap();
        let mut of = |name: &str| {
            let metadata = sources.of(&night.path().join(name));
            (metadata.team, metadata.rep_id)
        };
        let text = |s: &str| Some(s.to_string());
        assert_eq!(of("north/a.wav"), (text("north"), None));
        assert_eq!(of("south/a.wav"), (text("south"), None));
        assert_eq!(of("south/late/b.wav"), (text("south"), text("r9")));
        assert_eq!(of("east/a.wav"), (None, None));
        let warnings = sources.warnings();
        assert!(
            warnings.len() == 1 && warnings[0].contains("who, where") && warnings[0].contains("hint:"),
            "{warnings:?}"
        );
        // A table that was asked for must be usable; a folder needs one that is.
        let load = |path: &str| MetadataSources::load(&[night.path().join(path)], &[], &Config::default());
        assert!(load("east/Metadata.tsv").is_err() && load("nothing.csv").is_err() && load("east").is_err());
        let mut folder = load("south").unwrap();
        assert_eq!(folder.of(Path::new("elsewhere/b.wav")).team.as_deref(), Some("south"));
    }

    #[test]
    fn aliases_and_teams_come_from_the_configuration() {
        let config = config(
            "[[rep]]\nid = \"r17\"\naliases = [\"Jane Doe\"]\nteams = [{ team = \"north\" }, { team = \"south\", since = 2025-03-01 }]\n",
        );
        let mut sources = MetadataSources::load(&[], &[], &config).unwrap();
        let metadata = sources.of(Path::new(NAME));
        assert_eq!((metadata.rep_id.as_deref(), metadata.team.as_deref()), (Some("r17"), Some("north")));
        let stored =
            Metadata { rep_id: Some("JANE DOE".into()), start_ts: Some("2025-03-02".into()), ..Metadata::default() };
        let metadata = sources.over_stored(Metadata::default(), stored);
        assert_eq!((metadata.rep_id.as_deref(), metadata.team.as_deref()), (Some("r17"), Some("south")));
    }
}
