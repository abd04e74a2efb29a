//! `callmark export`: all tables of the store as files for spreadsheets, notebooks and BI tools.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use callmark_core::journey;
use callmark_core::performance::{self, PerformanceTable, PeriodKind};
use callmark_core::table::{self, Cell, CellType, Column, Heading};
use callmark_core::table_columns;
use callmark_store::{CallFilter, Store};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::FINISHED;
use crate::cli::{Common, ExportArgs, ExportFormat};
use crate::coaching_plans::plans;
use crate::commands::{counted, existing_store, explain};
use crate::config::Config;
use crate::journeys::{AsOf, journeys};
use crate::render::indicators::{Days, indicators};
use crate::render::parquet_file::ParquetFile;
use crate::render::{outputs, performance as performance_tables, tables};

/// What one column of one file holds: the data dictionary that comes with an export.
struct Entry {
    table: &'static str,
    column: &'static str,
    cell_type: CellType,
    doc: &'static str,
}

const DICTIONARY: &[Column<Entry>] = table_columns! {
    table: Text, "name of the file without its ending", |e, _| e.table.into();
    column: Text, "name of the column", |e, _| e.column.into();
    type: Text, "text, whole (64 bit), decimal (thousandths; DOUBLE in Parquet) or truth; every column may be empty", |e, _| type_name(e.cell_type).into();
    doc: Text, "what it holds, with its unit", |e, _| e.doc.into();
};

fn type_name(cell_type: CellType) -> &'static str {
    match cell_type {
        CellType::Text => "text",
        CellType::Whole => "whole",
        CellType::Thousandths => "decimal",
        CellType::Truth => "truth",
    }
}

/// Rows written, by table.
#[derive(Debug, Serialize)]
struct Exported {
    folder: String,
    tables: Vec<(&'static str, u64)>,
}

pub fn export(args: &ExportArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let day = |text: &Option<String>| text.as_deref().map(str::parse).transpose();
    let filter = CallFilter { since: day(&args.since)?, until: day(&args.until)?, ..CallFilter::default() };
    outputs::prepare_folder(&args.folder)?;
    let mut export =
        Export { folder: &args.folder, format: args.format, bom: args.bom, written: vec![], dictionary: vec![] };

    let of_calls = tables::Table::ALL;
    let opened = of_calls.map(|table| export.open(table.name(), table::headings(table.columns())));
    let mut files = opened.into_iter().collect::<Result<Vec<_>>>()?;
    for call_id in store.call_ids(&filter).map_err(explain)? {
        // Another process may have removed it meanwhile.
        let Some(stored) = store.get_call(&call_id).map_err(explain)? else { continue };
        for (table, file) in of_calls.iter().zip(&mut files) {
            for n in 0..table.count(&stored.record) {
                file.add(table::cells(table.columns(), &stored.record, n))?;
            }
        }
    }
    for file in files {
        export.close(file)?;
    }
    export.whole("reviews", tables::REVIEWS, &store.all_reviews().map_err(explain)?)?;
    export.performance(store.as_ref(), &filter)?;
    let config = Config::load(common)?;
    let days = Days { since: filter.since, until: filter.until };
    let (rows, _) = indicators(store.as_ref(), &config, PeriodKind::ALL, days)?;
    export.whole("indicators", performance::INDICATORS, &rows)?;
    export.whole("coaching", performance::COACHING, &plans(store.as_ref())?)?;
    let found = journeys(store.as_ref(), &config, AsOf::LastKnown(filter.until))?;
    let (rows, touchpoints) = found.map(|found| (found.rows, found.touchpoints)).unwrap_or_default();
    export.whole("opportunities", journey::OPPORTUNITIES, &rows)?;
    export.whole("touchpoints", journey::TOUCHPOINTS, &touchpoints)?;
    let mut file = export.open("mentions", table::headings(journey::MENTIONS))?;
    for row in &rows {
        for n in 0..row.mentions.len() {
            file.add(table::cells(journey::MENTIONS, row, n))?;
        }
    }
    export.close(file)?;
    let dictionary = tables::csv(DICTIONARY, &export.dictionary);
    outputs::write_whole(&args.folder.join("columns.csv"), dictionary.as_bytes())?;

    let exported = Exported { folder: args.folder.display().to_string(), tables: export.written };
    if args.json {
        println!("{}", serde_json::to_string(&exported)?);
    } else if !common.quiet {
        let rows = exported.tables.iter().map(|(table, rows)| format!("{table} {rows}"));
        println!(
            "{}: {} (rows); columns.csv says what each column holds",
            exported.folder,
            rows.collect::<Vec<_>>().join(", ")
        );
        let calls = exported.tables.first().map_or(0, |(_, rows)| *rows);
        if calls == 0 {
            eprintln!("warning: the store holds {} of these days", counted(0, "call"));
        }
    }
    Ok(FINISHED)
}

struct Export<'a> {
    folder: &'a Path,
    format: ExportFormat,
    bom: bool,
    written: Vec<(&'static str, u64)>,
    dictionary: Vec<Entry>,
}

impl Export<'_> {
    fn open(&mut self, table: &'static str, headings: Vec<Heading>) -> Result<TableFile> {
        let entry = |h: &Heading| Entry { table, column: h.name, cell_type: h.cell_type, doc: h.doc };
        self.dictionary.extend(headings.iter().map(entry));
        let ending = match self.format {
            ExportFormat::Csv => "csv",
            ExportFormat::Parquet => "parquet",
            ExportFormat::Jsonl => "jsonl",
        };
        let path = self.folder.join(format!("{table}.{ending}"));
        let file = NamedTempFile::new_in(self.folder)?;
        let sink = match self.format {
            ExportFormat::Csv => {
                let mut file = BufWriter::new(file.reopen()?);
                if self.bom {
                    file.write_all("\u{feff}".as_bytes())?;
                }
                file.write_all(tables::csv_header(&headings).as_bytes())?;
                Sink::Csv(file)
            }
            ExportFormat::Parquet => {
                Sink::Parquet(Box::new(ParquetFile::create(file.reopen()?, table, headings.clone())?))
            }
            ExportFormat::Jsonl => Sink::Jsonl(BufWriter::new(file.reopen()?)),
        };
        Ok(TableFile { table, headings, sink, file, path, rows: 0 })
    }

    fn close(&mut self, file: TableFile) -> Result<()> {
        self.written.push((file.table, file.rows));
        file.finish()
    }

    /// A table of which each `R` is one row.
    fn whole<R>(&mut self, table: &'static str, columns: &'static [Column<R>], rows: &[R]) -> Result<()> {
        let mut file = self.open(table, table::headings(columns))?;
        for row in rows {
            file.add(table::cells(columns, row, 0))?;
        }
        self.close(file)
    }

    fn performance(&mut self, store: &dyn Store, filter: &CallFilter) -> Result<()> {
        let opened = PerformanceTable::ALL.map(|table| Ok((table, self.open(table.name(), table.headings())?)));
        let mut files = opened.into_iter().collect::<Result<BTreeMap<_, _>>>()?;
        let mut add = |table, row| files.get_mut(&table).map_or(Ok(()), |file: &mut TableFile| file.add(row));
        if *filter == CallFilter::default() {
            for table in PerformanceTable::ALL {
                performance_tables::stored_rows(store, table, PeriodKind::ALL, |row| add(table, row))?;
            }
        } else {
            performance_tables::filtered_rows(store, filter, add)?;
        }
        files.into_values().try_for_each(|file| self.close(file))
    }
}

enum Sink {
    Csv(BufWriter<File>),
    Parquet(Box<ParquetFile>),
    Jsonl(BufWriter<File>),
}

/// One file that takes its place when it is whole.
struct TableFile {
    table: &'static str,
    headings: Vec<Heading>,
    sink: Sink,
    file: NamedTempFile,
    path: PathBuf,
    rows: u64,
}

impl TableFile {
    fn add(&mut self, row: Vec<Cell>) -> Result<()> {
        self.rows += 1;
        match &mut self.sink {
            Sink::Csv(file) => Ok(file.write_all(tables::csv_line(&row).as_bytes())?),
            Sink::Parquet(file) => file.add(row),
            Sink::Jsonl(file) => {
                serde_json::to_writer(&mut *file, &tables::json_row(&self.headings, row))?;
                Ok(file.write_all(b"\n")?)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self.sink {
            Sink::Csv(mut file) | Sink::Jsonl(mut file) => file.flush()?,
            Sink::Parquet(file) => file.finish()?,
        }
        self.file.persist(&self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }
}
