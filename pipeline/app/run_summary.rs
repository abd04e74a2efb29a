//! What a batch did, as `--json` prints it, the metrics file counts it and the exit code sums it up.

use std::collections::BTreeMap;

use callmark_core::record::{CallRecord, Severity, Status};
use callmark_core::transcript::Medium;
use callmark_core::warning::Warning;

use crate::call::CallError;
use crate::render::outputs;
use crate::{FINISHED, GATE, SOME_FAILED};

/// A recording that could not be processed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failure {
    pub file: String,
    pub stage: String,
    pub cause: String,
    pub hint: String,
    /// Failed in an earlier run of this version already; not tried again and not counted.
    pub known: bool,
}

impl Failure {
    pub fn new(file: &str, error: &CallError) -> Failure {
        Failure {
            file: file.to_string(),
            stage: error.stage.name().to_string(),
            cause: error.cause.clone(),
            hint: error.hint.clone(),
            known: false,
        }
    }
}

/// The result of a batch.
#[derive(Debug, Default, serde::Serialize)]
pub struct RunSummary {
    pub recordings: usize,
    pub transcribed: usize,
    pub scored: usize,
    pub pending_review: usize,
    pub unscored: BTreeMap<String, usize>,
    pub unchanged: usize,
    pub duplicates: usize,
    /// Calls whose words contradict the configured channel map.
    pub swapped_channels: usize,
    /// Calls whose text has no times: what is measured in seconds does not apply to them.
    pub without_times: usize,
    /// Forgotten or purged earlier: not taken in again.
    pub forgotten: usize,
    pub failed: Vec<Failure>,
    pub audio_seconds: f64,
    pub elapsed_seconds: f64,
    pub audio_seconds_per_second: f64,
    pub first_scored_seconds: Option<f64>,
    /// Working time per stage, summed over threads.
    pub stage_seconds: BTreeMap<&'static str, f64>,
    /// The same by the processor; what a graphics card does is not in it.
    pub stage_cpu_seconds: BTreeMap<&'static str, f64>,
    pub mean_score: Option<f64>,
    pub out: String,
    /// Where the report begins; empty when there is none.
    pub report: String,
    pub store: String,
    pub recogniser: Option<String>,
    pub warnings: Vec<String>,
    /// Files that a watch leaves for later because they still change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub still_changing: Option<usize>,
    pub exit_code: u8,
    /// Why the batch could not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Sum and count of the scores, in millipoints.
    #[serde(skip)]
    pub scores: (i64, i64),
    /// Calls with a confirmed fatal, or one that waits for a decision; an overturned one is neither.
    #[serde(skip)]
    pub fatal_calls: usize,
}

impl RunSummary {
    /// Takes a call of the batch into the counts.
    pub fn count(&mut self, record: &CallRecord) {
        let evaluation = &record.evaluation;
        self.swapped_channels += usize::from(record.transcript.warnings.contains(&Warning::RolesSwapped.with(&[])));
        self.without_times += usize::from(record.transcript.medium == Medium::Text);
        match evaluation.status {
            Status::Scored => self.scored += 1,
            Status::PendingReview => self.pending_review += 1,
            Status::Unscored => {
                let reason = evaluation.reason.map_or_else(|| "unknown".to_string(), |r| outputs::snake(&r));
                *self.unscored.entry(reason).or_default() += 1;
            }
            Status::Failed => {}
        }
        if let Some(score) = evaluation.score {
            self.scores = (self.scores.0 + score, self.scores.1 + 1);
            self.mean_score = Some(self.mean_millipoints() as f64 / 1000.0);
        }
        let fatal =
            |id: &String| evaluation.ledger.iter().any(|r| r.severity == Severity::Fatal && &r.requirement_id == id);
        self.fatal_calls += usize::from(evaluation.fatal_count > 0 || evaluation.pending.iter().any(fatal));
    }

    fn mean_millipoints(&self) -> i64 {
        self.scores.0 / self.scores.1.max(1)
    }

    /// Failures that were not known before.
    pub fn new_failures(&self) -> usize {
        self.failed.iter().filter(|f| !f.known).count()
    }

    /// The exit code of REQUIREMENTS D.3: failures outrank the gates that the user asked for.
    pub fn code(&self, fail_under_millipoints: Option<i64>, fail_on_fatal: bool) -> u8 {
        let below = fail_under_millipoints.is_some_and(|floor| self.scores.1 > 0 && self.mean_millipoints() < floor);
        match () {
            () if self.new_failures() > 0 => SOME_FAILED,
            () if below || (fail_on_fatal && self.fatal_calls > 0) => GATE,
            () => FINISHED,
        }
    }
}
