//! `callmark scorecard test`: the examples that stand in the scorecards.

use std::path::PathBuf;

use anyhow::Result;
use callmark_core::acts::ActLexicon;
use callmark_core::adherence;
use callmark_core::transcript::Embedding;

use crate::analysis::{open_encoders, read_scorecard};
use crate::cli::Common;
use crate::install::Install;
use crate::{FINISHED, GATE};

pub fn run(files: &[PathBuf], common: &Common) -> Result<u8> {
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
