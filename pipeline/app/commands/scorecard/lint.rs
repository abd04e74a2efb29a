//! `callmark scorecard lint`: mistakes in scorecards, and what is allowed but probably not wanted.

use std::path::Path;

use anyhow::Result;
use callmark_core::scorecard::{LintFinding, LintSeverity, Scorecard, ScorecardError, lint};
use serde::Serialize;

use crate::cli::{Common, LintArgs};
use crate::{FINISHED, GATE};

/// One line of the result, for people and as JSON.
#[derive(Serialize)]
struct Remark<'a> {
    file: &'a Path,
    /// error, warning or note.
    severity: &'static str,
    /// From 1; 0 when the place is not known.
    line: u64,
    /// In characters, from 1; 0 when the place is not known.
    column: u64,
    requirement: String,
    message: String,
    hint: String,
}

impl<'a> Remark<'a> {
    fn of_error(file: &'a Path, error: ScorecardError) -> Remark<'a> {
        let ScorecardError { message, line, column, hint } = error;
        let (requirement, hint) = (String::new(), hint.unwrap_or_default());
        Remark { file, severity: "error", line, column, requirement, message, hint }
    }

    fn of_finding(file: &'a Path, finding: LintFinding) -> Remark<'a> {
        let severity = match finding.severity {
            LintSeverity::Warning => "warning",
            LintSeverity::Note => "note",
        };
        let LintFinding { requirement_id: requirement, message, hint, line, column, .. } = finding;
        Remark { file, severity, line, column, requirement, message, hint }
    }

    fn print(&self) {
        let place = if self.line > 0 { format!(":{}:{}", self.line, self.column) } else { String::new() };
        let about = if self.requirement.is_empty() { String::new() } else { format!("{}: ", self.requirement) };
        println!("{}: {}{place}: {about}{}", self.severity, self.file.display(), self.message);
        if !self.hint.is_empty() {
            println!("  hint: {}", self.hint);
        }
    }
}

pub fn run(args: &LintArgs, common: &Common) -> Result<u8> {
    let mut remarks = Vec::new();
    for file in &args.files {
        let read = match std::fs::read(file) {
            Ok(bytes) => Scorecard::parse_bytes(&bytes),
            Err(error) => {
                Err(ScorecardError { message: format!("cannot be read: {error}"), line: 0, column: 0, hint: None })
            }
        };
        let summary = read.as_ref().ok().map(|s| (s.requirements.len(), s.metrics.len()));
        let begin = remarks.len();
        match read {
            Ok(scorecard) => remarks.extend(lint(&scorecard).into_iter().map(|f| Remark::of_finding(file, f))),
            Err(error) => remarks.push(Remark::of_error(file, error)),
        }
        if args.json {
            continue;
        }
        remarks[begin..].iter().for_each(Remark::print);
        if let Some((requirements, metrics)) = summary.filter(|_| !common.quiet) {
            println!("{}: {requirements} requirements, {metrics} metrics", file.display());
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&remarks)?);
    }
    let failed = remarks.iter().any(|remark| remark.severity == "error");
    Ok(if failed { GATE } else { FINISHED })
}
