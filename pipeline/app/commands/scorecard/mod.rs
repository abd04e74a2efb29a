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
