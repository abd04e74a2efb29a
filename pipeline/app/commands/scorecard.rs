//! `callmark scorecard lint | test`: what a scorecard's author runs before it ships.

use anyhow::Result;
use callmark_core::acts::ActLexicon;
use callmark_core::adherence;
use callmark_core::scorecard::{LintSeverity, lint};
use callmark_core::transcript::Embedding;

use crate::analysis::{open_encoders, read_scorecard};
use crate::cli::{Common, ScorecardCommand};
use crate::install::Install;
use crate::{FINISHED, GATE};

pub fn run(command: &ScorecardCommand, common: &Common) -> Result<u8> {
    match command {
        ScorecardCommand::Lint { files } => run_lint(files, common),
        ScorecardCommand::Test { files } => run_test(files, common),
    }
}

fn run_lint(files: &[std::path::PathBuf], common: &Common) -> Result<u8> {
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
                "{severity}: {}: {}: {}\n  hint: {}",
                file.display(),
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

fn run_test(files: &[std::path::PathBuf], common: &Common) -> Result<u8> {
    let mut warnings = Vec::new();
    let install = Install::find()?;
    let encoders = open_encoders(&install, 1, &mut warnings);
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let embed = |texts: &[String]| -> Vec<Option<Embedding>> {
        match encoders.as_ref().map(|pool| crate::analysis::embed(pool, texts)) {
            Some(Ok(embeddings)) => embeddings.into_iter().map(Some).collect(),
            _ => vec![None; texts.len()],
        }
    };
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let scorecard = read_scorecard(file)?;
        for result in adherence::run_examples(&scorecard, ActLexicon::built_in(), &embed) {
            if result.passed {
                passed += 1;
                continue;
            }
            failed += 1;
            println!(
                "failed: {}: {} example {}: expected {:?}, was {:?} {}",
                file.display(),
                result.requirement_id,
                result.index + 1,
                result.expected,
                result.actual,
                result.detail
            );
        }
    }
    if !common.quiet || failed > 0 {
        println!("{passed} passed, {failed} failed");
    }
    Ok(if failed == 0 { FINISHED } else { GATE })
}
