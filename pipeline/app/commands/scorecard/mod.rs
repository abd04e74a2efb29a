//! `callmark scorecard …`: what a scorecard's author runs before it ships.

mod lint;
mod schema;
mod test;

use anyhow::Result;

use crate::cli::{Common, ScorecardCommand};

pub fn run(command: &ScorecardCommand, common: &Common) -> Result<u8> {
    match command {
        ScorecardCommand::Lint { files } => lint::run(files, common),
        ScorecardCommand::Test { files } => test::run(files, common),
        ScorecardCommand::Schema => schema::run(),
    }
}
