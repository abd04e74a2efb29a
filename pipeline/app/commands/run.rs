//! `callmark run`: one batch over the given recordings, then tables, report, summary, and the gates that the user asked for.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::after_batch;
use crate::cli::{Common, FailOn, RunArgs};
use crate::config::Config;
use crate::discover;
use crate::session::Session;

pub fn run(args: &RunArgs, common: &Common) -> Result<u8> {
    let process = &args.process;
    let config = Config::load(common)?;
    let night = config.night.clone();
    after_batch::followed_up(process, &night, || {
        let found = discover::discover(&args.paths, &process.out)?;
        let mut session = Session::open(process, common, config)?;
        let mut covered = BTreeSet::new();
        let mut report = session.batch(&found, &mut covered)?;
        let outputs = session.write_outputs(&covered, &report.failed)?;
        report.report = outputs.report.display().to_string();
        report.exit_code = report.code(args.fail_under, args.fail_on == Some(FailOn::Fatal));
        if process.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            session.print(&report, Some(&outputs))?;
        }
        Ok(report)
    })
}
