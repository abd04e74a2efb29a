//! `callmark reps`: the rep table of the store.

use std::io::Write as _;

use anyhow::Result;
use callmark_core::performance::sums::Sums;
use callmark_core::performance::{PerformanceTable, REP_PERIOD, rep_table};
use callmark_core::table;
use callmark_store::CallFilter;

use crate::FINISHED;
use crate::cli::{Common, Format, RepsArgs};
use crate::commands::existing_store;
use crate::commands::explain;
use crate::render::{performance, summary, tables};

pub fn reps(args: &RepsArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let since = args.since.as_deref().map(str::parse).transpose()?;
    let kind = args.period.into();
    let mut rows = Vec::new();
    if since.is_some() {
        let calls = store.summaries(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
        let made = rep_table(&Sums::of_kinds(&calls, &[kind]), kind);
        rows.extend(made.iter().map(|row| table::cells(REP_PERIOD, row, 0)));
    } else {
        performance::stored_rows(store.as_ref(), PerformanceTable::RepPeriod, &[kind], |row| {
            rows.push(row);
            Ok(())
        })?;
    }
    let headings = PerformanceTable::RepPeriod.headings();
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Table => summary::print_reps(&rows)?,
        Format::Csv => {
            out.write_all(tables::csv_header(&headings).as_bytes())?;
            rows.iter().try_for_each(|row| out.write_all(tables::csv_line(row).as_bytes()))?;
        }
        Format::Json => {
            let rows: Vec<_> = rows.into_iter().map(|row| tables::json_row(&headings, row)).collect();
            serde_json::to_writer_pretty(&mut out, &rows)?;
            writeln!(out)?;
        }
    }
    Ok(FINISHED)
}
