//! `callmark scorecard …`: what a scorecard's author runs before it ships.

mod coverage;
mod diff;
mod fit;
mod lint;
mod test;
mod trial;

use anyhow::Result;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::cli::{Common, ScorecardCommand};

pub fn run(command: &ScorecardCommand, common: &Common) -> Result<u8> {
    match command {
        ScorecardCommand::Lint { files } => lint::run(files, common),
        ScorecardCommand::Test { files } => test::run(files, common),
        ScorecardCommand::Diff(args) => diff::run(args, common),
        ScorecardCommand::Coverage(args) => coverage::run(args, common),
        ScorecardCommand::Fit(args) => fit::run(args, common),
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}
