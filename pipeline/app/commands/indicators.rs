//! `callmark indicators`: the telesales indicators of imported rows, with process and outcome.

use std::io::Write as _;

use anyhow::Result;
use callmark_core::performance::INDICATORS;
use jiff::civil::Date;

use crate::FINISHED;
use crate::cli::{Common, Format, IndicatorsArgs};
use crate::commands::existing_store;
use crate::config::Config;
use crate::render::indicators::{self, Days};
use crate::render::tables;

pub fn indicators(args: &IndicatorsArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common)?;
    let store = existing_store(common)?;
    let day = |text: &Option<String>| text.as_deref().map(str::parse::<Date>).transpose();
    let days = Days { since: day(&args.since)?, until: day(&args.until)? };
    let (rows, association) = indicators::indicators(store.as_ref(), &config, &[args.period.into()], days)?;
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Table if rows.is_empty() => {
            writeln!(out, "nothing was imported for these days (hint: callmark import FILE --source NAME)")?;
        }
        Format::Table => {
            drop(out);
            indicators::print(&rows, association);
        }
        Format::Csv => out.write_all(tables::csv(INDICATORS, &rows).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &indicators::json(&rows, association))?;
            writeln!(out)?;
        }
    }
    Ok(FINISHED)
}
