//! `callmark scorecard …`: what a scorecard's author runs before it ships.

mod accuracy_table;
mod explain;
mod lint;
mod new;
mod sentence;
mod test;

use anyhow::Result;

use crate::cli::{Common, ScorecardCommand};

pub fn run(command: &ScorecardCommand, common: &Common) -> Result<u8> {
    match command {
        ScorecardCommand::Lint(args) => lint::run(args, common),
        ScorecardCommand::Test(args) => test::run(args, common),
        ScorecardCommand::New(args) => new::run(args, common),
        ScorecardCommand::Explain(args) => explain::run(args, common),
    }
}
