//! `callmark reps`: the rep table of the store.

use std::io::Write as _;

use anyhow::Result;
use callmark_core::performance;
use callmark_store::CallFilter;

use crate::FINISHED;
use crate::cli::{Common, Format, RepsArgs};
use crate::commands::existing_store;
use crate::commands::explain;
use crate::render::{outputs, summary};

pub fn reps(args: &RepsArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let since = args.since.as_deref().map(str::parse).transpose()?;
    let calls = store.summaries(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
    let kind = args.period.into();
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Table => summary::print_reps(&calls, kind)?,
        Format::Csv => out.write_all(&outputs::reps_csv(&performance::rep_period(&calls, kind))?)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &outputs::reps_json(&performance::rep_period(&calls, kind)))?;
            writeln!(out)?;
        }
    }
    Ok(FINISHED)
}
