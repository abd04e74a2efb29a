//! `callmark reps`: the rep table of the store.

use std::io::Write as _;

use anyhow::Result;
use callmark_core::performance;
use callmark_store::CallFilter;

use crate::FINISHED;
use crate::cli::{Common, Format, RepsArgs};
use crate::commands::existing_store;
use crate::commands::explain;
use crate::render::{summary, tables};

pub fn reps(args: &RepsArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let since = args.since.as_deref().map(str::parse).transpose()?;
    let calls = store.summaries(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
    let kind = args.period.into();
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Table => summary::print_reps(&calls, kind)?,
        Format::Csv => {
            out.write_all(tables::csv(performance::REP_PERIOD, &performance::rep_period(&calls, kind)).as_bytes())?
        }
        Format::Json => {
            let rows = tables::json(performance::REP_PERIOD, &performance::rep_period(&calls, kind));
            serde_json::to_writer_pretty(&mut out, &rows)?;
            writeln!(out)?;
        }
    }
    Ok(FINISHED)
}
