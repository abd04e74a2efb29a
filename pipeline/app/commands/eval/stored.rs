//! `callmark eval wer`: the stored transcripts against reference transcripts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use callmark_core::accuracy::{self, ErrorCounts};
use callmark_core::recording::Language;
use callmark_core::redaction::redact;
use callmark_core::transcript::{Role, Transcript};
use comfy_table::Cell;

use super::labelled::read_groups;
use super::measures;
use super::tables;
use crate::FINISHED;
use crate::cli::Common;
use crate::commands::terminal_table::{right, table};
use crate::commands::{existing_store, explain};
use crate::read;

/// Errors of one group of channels.
#[derive(Debug, serde::Serialize)]
struct Row {
    group: String,
    /// Channels of calls, each compared as one line.
    calls: usize,
    words: u64,
    substitutions: u64,
    deletions: u64,
    insertions: u64,
    error_rate: f64,
    /// 95 % interval over resampled channels.
    low: Option<f64>,
    high: Option<f64>,
}

/// Compares per call and role, all turns of a role in one line: where turns begin does not count as an error.
pub fn run(references: &Path, groups: Option<&Path>, json: bool, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let groups = groups.map(read_groups).transpose()?;
    let mut files: Vec<_> = std::fs::read_dir(references)
        .with_context(|| format!("cannot read {}", references.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "vtt" || e == "srt" || e == "txt"))
        .collect();
    files.sort();
    let mut sums: BTreeMap<String, Vec<ErrorCounts>> = BTreeMap::new();
    let mut missing = 0;
    for path in files {
        let call_id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(stored) = store.get_call(&call_id).map_err(explain)? else {
            missing += 1;
            continue;
        };
        let hypothesis = stored.record.transcript;
        if hypothesis.recogniser_confidence_permille.is_none() {
            continue; // text: nothing was recognised
        }
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut reference = read::text::read(&bytes, &path.to_string_lossy(), hypothesis.language)
            .map_err(|e| anyhow!("{}: {e}", path.display()))?
            .ok_or_else(|| anyhow!("{} is not a transcript", path.display()))?;
        // What was taken out of the one is no error of the other.
        if let Some(redaction) = &hypothesis.redaction {
            redact(&mut reference, &redaction.entities);
        }
        let language = reference.language.unwrap_or(Language::En);
        let mono = hypothesis.turns.iter().all(|t| t.role == Role::Unknown);
        let roles: &[Option<Role>] = if mono { &[None] } else { &[Some(Role::Rep), Some(Role::Customer)] };
        for role in roles {
            let counts = accuracy::error_counts(&said(&reference, *role), &said(&hypothesis, *role), language);
            let group = match (&groups, role) {
                (None, _) => call_id.clone(),
                (Some(_), None) => "mono".to_string(),
                (Some(map), Some(role)) => {
                    map.get(&(call_id.clone(), *role)).cloned().unwrap_or_else(|| "other".into())
                }
            };
            for group in [group, "all".to_string()] {
                sums.entry(group).or_default().push(counts);
            }
        }
    }
    if sums.is_empty() {
        bail!(
            "none of the references' calls is in the store\nhint: run callmark on the recordings first; references are named <call_id>.vtt"
        );
    }
    let all = sums.remove("all");
    let rows: Vec<Row> = sums.into_iter().chain(all.map(|sum| ("all".to_string(), sum))).map(row).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(FINISHED);
    }
    let mut table = table(["group", "channels", "words", "subs", "dels", "ins", "error rate", "95 %"]);
    for row in &rows {
        table.add_row([
            Cell::new(&row.group),
            right(row.calls.to_string()),
            right(row.words.to_string()),
            right(row.substitutions.to_string()),
            right(row.deletions.to_string()),
            right(row.insertions.to_string()),
            right(format!("{:.3}", row.error_rate)),
            right(tables::interval(row.low, row.high)),
        ]);
    }
    println!("{table}");
    if missing > 0 {
        eprintln!("{missing} references belong to calls that are not in the store");
    }
    Ok(FINISHED)
}

fn row((group, channels): (String, Vec<ErrorCounts>)) -> Row {
    let mut sum = ErrorCounts::default();
    channels.iter().for_each(|counts| sum.add(counts));
    let interval = measures::interval(&channels).filter(|_| sum.reference_tokens > 0);
    Row {
        group,
        calls: channels.len(),
        words: sum.reference_tokens,
        substitutions: sum.substitutions,
        deletions: sum.deletions,
        insertions: sum.insertions,
        error_rate: sum.rate().unwrap_or(0.0),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
    }
}

fn said(transcript: &Transcript, role: Option<Role>) -> String {
    let turns = transcript.turns.iter().filter(|t| role.is_none_or(|r| t.role == r));
    turns.map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ")
}
