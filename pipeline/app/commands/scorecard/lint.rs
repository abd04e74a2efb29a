//! `callmark scorecard lint`: mistakes in scorecards, and what is allowed but probably not wanted.

use std::path::PathBuf;

use anyhow::Result;
use callmark_core::scorecard::{LintSeverity, lint};

use crate::analysis::read_scorecard;
use crate::cli::Common;
use crate::{FINISHED, GATE};

pub fn run(files: &[PathBuf], common: &Common) -> Result<u8> {
    let mut errors = 0;
    for file in files {
        let scorecard = match read_scorecard(file) {
            Ok(scorecard) => scorecard,
            Err(error) => {
                println!("error: {error:#}");
                errors += 1;
                continue;
            }
        };
        for finding in lint(&scorecard) {
            let severity = match finding.severity {
                LintSeverity::Warning => "warning",
                LintSeverity::Note => "note",
            };
            println!(
                "{severity}: {}:{}:{}: {}: {}\n  hint: {}",
                file.display(),
                finding.line,
                finding.column,
                finding.requirement_id,
                finding.message,
                finding.hint
            );
        }
        if !common.quiet {
            println!(
                "{}: {} requirements, {} metrics",
                file.display(),
                scorecard.requirements.len(),
                scorecard.metrics.len()
            );
        }
    }
    Ok(if errors == 0 { FINISHED } else { GATE })
}
