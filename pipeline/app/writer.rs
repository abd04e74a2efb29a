//! The one writer of a batch: every result is committed to the store before it counts as done.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use callmark_core::record::{CallRecord, Provenance, Status, UnscoredReason, record_schema};
use callmark_core::recording::Language;
use callmark_core::scoring;
use callmark_core::signals::Signals;
use callmark_core::transcript::{Medium, RoleMethod, Transcript};
use callmark_store::{AnalysisRow, Store};

use crate::batch::{Done, Job};
use crate::call::transcript_hash;
use crate::commands::explain;
use crate::config::RedactionSettings;
use crate::kept_words;
use crate::plan::{self, PROGRAM_VERSION};
use crate::progress::Progress;
use crate::render::outputs;
use crate::run_summary::RunSummary;

/// The one writer: commits each result before it counts as done.
pub struct Writer<'a> {
    pub store: &'a dyn Store,
    /// What it keeps of what was said.
    pub redaction: &'a RedactionSettings,
    pub out: &'a Path,
    pub report: &'a mut RunSummary,
    pub progress: &'a mut Progress,
    /// Calls that belong into the tables.
    pub calls: &'a mut BTreeSet<String>,
    /// The first error that makes going on senseless (store or output folder not writable).
    pub broken: Option<anyhow::Error>,
}

impl Writer<'_> {
    /// Returns false when the batch should stop.
    pub fn take(&mut self, done: Done) -> bool {
        if self.broken.is_none()
            && let Err(error) = self.store_result(done)
        {
            self.broken = Some(error);
        }
        self.broken.is_none()
    }

    fn store_result(&mut self, done: Done) -> Result<()> {
        match done {
            Done::Transcribed { job, transcript, fresh } => {
                if fresh && transcript.recogniser_confidence_permille.is_some() {
                    self.report.transcribed += 1;
                    self.progress.heard(transcript.duration_ms);
                }
                let row = AnalysisRow {
                    recording_id: job.recording_id.clone(),
                    model_key: job.model_key,
                    transcript: *transcript,
                };
                self.store.put_analysis(&row).map_err(explain)?;
                kept_words::redact_recording(self.store, &job.recording_id, self.redaction)
            }
            Done::Scored { job, record, scores, text_models, key } => {
                if let Some(text_models) = text_models {
                    let transcript = transcript_hash(&record.transcript);
                    self.store
                        .put_text_scores(&record.call_id, &text_models.key(), &transcript, &scores)
                        .map_err(explain)?;
                }
                outputs::write_call(self.out, &record)?;
                if !self.store.put_call(&record, &key, &job.recordings()).map_err(explain)? {
                    // Forgotten while it was in the lanes.
                    outputs::remove_call(self.out, &record.call_id)?;
                    self.report.forgotten += 1;
                    self.progress.advance(job.size_bytes());
                    return Ok(());
                }
                let (status, score) = (outputs::snake(&record.evaluation.status), record.evaluation.score);
                tracing::info!(
                    call = record.call_id,
                    file = job.file_name,
                    status,
                    score_millipoints = score,
                    duration_ms = record.transcript.duration_ms,
                    "a call is done"
                );
                self.report.count(&record);
                if record.evaluation.score.is_some() && self.report.first_scored_seconds.is_none() {
                    self.report.first_scored_seconds = Some(self.progress.elapsed().as_secs_f64());
                }
                self.finished(&job);
                Ok(())
            }
            Done::Unchanged { job } => {
                self.report.unchanged += 1;
                if let Some(stored) = self.store.get_call(&job.call_id).map_err(explain)? {
                    // Writes only what is missing or older than a review or re-score.
                    outputs::write_call(self.out, &stored.record)?;
                    self.report.count(&stored.record);
                }
                self.finished(&job);
                Ok(())
            }
            Done::Failed { job, error } => {
                self.progress.message(&format!("failed: {}: {error}", job.file_name));
                // The tables count it with its rep; an earlier result of the same call stays.
                if self.store.get_call(&job.call_id).map_err(explain)?.is_none() {
                    self.store.put_call(&failed_record(&job), "failed", &job.recordings()).map_err(explain)?;
                }
                plan::fail(self.store, &job.recording_id, &job.file_name, &error, self.report)?;
                self.finished(&job);
                Ok(())
            }
        }
    }

    fn finished(&mut self, job: &Job) {
        self.calls.insert(job.call_id.clone());
        self.progress.advance(job.size_bytes());
    }
}

/// The record of a call that could not be processed: who and when, nothing else.
fn failed_record(job: &Job) -> CallRecord {
    let transcript = Transcript {
        medium: Medium::Speech,
        language: job.metadata.language.as_deref().and_then(Language::parse),
        duration_ms: 0,
        role_method: RoleMethod::None,
        role_confidence_permille: 0,
        ..Transcript::default()
    };
    let mut evaluation = scoring::unscored(UnscoredReason::NoConversation, None);
    (evaluation.status, evaluation.reason) = (Status::Failed, None);
    CallRecord {
        schema_version: record_schema(&transcript, None, &[]),
        call_id: job.call_id.clone(),
        metadata: job.metadata.clone(),
        transcript,
        signals: Signals::default(),
        sentiment: vec![],
        acts: vec![],
        acts_by_model: vec![],
        evaluation,
        provenance: Provenance {
            program_version: PROGRAM_VERSION.to_string(),
            audio: job.recordings().into_iter().map(|link| link.recording_id).collect(),
            ..Provenance::default()
        },
    }
}
