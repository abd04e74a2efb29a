//! `callmark scorecard …`: what a scorecard's author runs before it ships.

mod accuracy_table;
mod coverage;
mod diff;
mod explain;
mod fit;
mod lint;
mod new;
mod schema;
mod sentence;
mod test;
mod trial;

use anyhow::Result;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::cli::{Common, ScorecardCommand};

pub fn run(command: &ScorecardCommand, common: &Common) -> Result<u8> {
    match command {
        ScorecardCommand::Lint(args) => lint::run(args, common),
        ScorecardCommand::Test(args) => test::run(args, common),
        ScorecardCommand::New(args) => new::run(args, common),
        ScorecardCommand::Explain(args) => explain::run(args, common),
        ScorecardCommand::Diff(args) => diff::run(args, common),
        ScorecardCommand::Coverage(args) => coverage::run(args, common),
        ScorecardCommand::Fit(args) => fit::run(args, common),
        ScorecardCommand::Schema => schema::run(),
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
