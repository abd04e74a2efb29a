//! What follows a batch: the metrics file, and the user's own command with the summary on its standard input.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::COULD_NOT_RUN;
use crate::cli::ProcessArgs;
use crate::config::NightSettings;
use crate::render::{metrics, outputs};
use crate::run_summary::RunSummary;

/// Runs a batch; whether it went well or could not run, the metrics file and `--on-finish` hear of it.
pub fn followed_up(
    args: &ProcessArgs,
    night: &NightSettings,
    batch: impl FnOnce() -> Result<RunSummary>,
) -> Result<u8> {
    let result = batch();
    let report = match &result {
        Ok(report) => report,
        Err(error) => {
            &RunSummary { error: Some(format!("{error:#}")), exit_code: COULD_NOT_RUN, ..RunSummary::default() }
        }
    };
    let code = report.exit_code;
    tracing::info!(
        recordings = report.recordings,
        scored = report.scored,
        failed = report.new_failures(),
        elapsed_s = report.elapsed_seconds,
        exit_code = code,
        "a batch is finished"
    );
    if let Some(path) = args.metrics.as_ref().or(night.metrics_file.as_ref())
        && let Err(error) = outputs::write_public(path, metrics::prometheus(report, jiff::Timestamp::now()).as_bytes())
    {
        eprintln!("warning: {error:#}");
    }
    if let Some(command) = args.on_finish.as_deref().or(night.on_finish.as_deref())
        && let Err(error) = on_finish(command, report)
    {
        eprintln!("warning: the command after the run failed: {error}");
    }
    result.map(|_| code)
}

/// Starts the command in a shell and waits for it. What it returns does not change what the batch was.
fn on_finish(command: &str, report: &RunSummary) -> Result<()> {
    let summary = serde_json::to_vec(report)?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env("CALLMARK_EXIT_CODE", report.exit_code.to_string())
        .stdin(Stdio::piped())
        .stdout(std::io::stderr())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read its input has closed it: no error.
        let _ = input.write_all(&summary);
    }
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "{status}");
    Ok(())
}
