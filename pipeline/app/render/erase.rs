//! Takes calls out of an output folder: their files, their rows in the tables, and a report that shows them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use callmark_store::{CallFilter, Store};

use crate::commands::explain;
use crate::render::outputs::{self, path, write_whole};
use crate::render::{analysis_json, tables};

/// What changed in the folder, or would.
#[derive(Debug, Default)]
pub struct Erased {
    pub removed: Vec<PathBuf>,
    pub rewritten: Vec<PathBuf>,
    /// The report was removed.
    pub report: bool,
}

/// Removes what the folder holds of calls that the store has forgotten; with `keep_scores` only what was said in them.
pub fn outputs(
    folder: &Path,
    calls: &BTreeSet<String>,
    keep_scores: bool,
    store: &dyn Store,
    dry_run: bool,
) -> Result<Erased> {
    let mut erased = Erased::default();
    if calls.is_empty() || !folder.is_dir() {
        return Ok(erased);
    }
    for call in calls {
        for ending in ["vtt", "srt", "rttm", "analysis.json"] {
            let path = path(folder, call, ending);
            if !path.is_file() {
                continue;
            }
            // Who spoke when holds no word.
            if keep_scores && ending == "rttm" {
                continue;
            }
            if keep_scores && ending == "analysis.json" {
                if !dry_run && let Some(stored) = store.get_call(call).map_err(explain)? {
                    write_whole(&path, &analysis_json::analysis_json(&stored.record))?;
                }
                erased.rewritten.push(path);
                continue;
            }
            if !dry_run {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
            erased.removed.push(path);
        }
    }
    for table in ["calls.csv", "turns.csv", "ledger.csv"] {
        let path = folder.join(table);
        if let Some(bytes) = without_calls(&path, calls, keep_scores)? {
            if !dry_run {
                write_whole(&path, &bytes)?;
            }
            erased.rewritten.push(path);
        }
    }
    if !dry_run {
        // Both are made from the store; equal files stay.
        if folder.join("rep_period.csv").is_file() {
            outputs::write_performance(folder, &store.summaries(&CallFilter::default()).map_err(explain)?)?;
        }
        if folder.join("reviews.csv").is_file() {
            outputs::write_reviews(folder, &store.all_reviews().map_err(explain)?)?;
        }
    }
    erase_report(folder, dry_run, &mut erased)?;
    Ok(erased)
}

/// A table without the rows of these calls, or with what was said in them left out; `None` when it has none of them.
fn without_calls(path: &Path, calls: &BTreeSet<String>, keep_scores: bool) -> Result<Option<Vec<u8>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let failed = || format!("cannot read {}", path.display());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).with_context(failed)?;
    let header = reader.headers().with_context(failed)?.clone();
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let Some(id) = column("call_id") else { return Ok(None) };
    let spoken: Vec<usize> = ["text", "quote"].into_iter().filter_map(column).collect();
    let wanted: BTreeSet<String> = calls.iter().map(|call| tables::escape_formula(call).into_owned()).collect();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(&header)?;
    let mut changed = false;
    for row in reader.records() {
        let row = row.with_context(failed)?;
        if !row.get(id).is_some_and(|call| wanted.contains(call)) {
            writer.write_record(&row)?;
        } else if keep_scores {
            let cells = row.iter().enumerate().map(|(n, cell)| if spoken.contains(&n) { "" } else { cell });
            changed |= spoken.iter().any(|n| row.get(*n).is_some_and(|cell| !cell.is_empty()));
            writer.write_record(cells)?;
        } else {
            changed = true;
        }
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(changed.then_some(bytes))
}

/// `digest-YYYY-MM-DD.html` or `.md`.
fn is_digest(name: &str) -> bool {
    let day = name.strip_prefix("digest-").and_then(|rest| rest.strip_suffix(".html").or(rest.strip_suffix(".md")));
    day.is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
}

/// Removes report and digests alone: they show opportunities, too.
pub fn pages(folder: &Path, dry_run: bool) -> Result<Erased> {
    let mut erased = Erased::default();
    erase_report(folder, dry_run, &mut erased)?;
    Ok(erased)
}

/// A report or digest quotes calls on many pages and in summaries; it goes as a whole, for it can be made again.
fn erase_report(folder: &Path, dry_run: bool, erased: &mut Erased) -> Result<()> {
    let page = folder.join("report.html");
    let pages = folder.join("report");
    if page.is_file() {
        if !dry_run {
            std::fs::remove_file(&page).with_context(|| format!("cannot remove {}", page.display()))?;
        }
        erased.removed.push(page);
        erased.report = true;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_digest) {
            if !dry_run {
                std::fs::remove_file(entry.path())
                    .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            }
            erased.removed.push(entry.path());
        }
    }
    // A folder of that name that is not ours has no style sheet of ours.
    if pages.join("style.css").is_file() {
        if !dry_run {
            std::fs::remove_dir_all(&pages).with_context(|| format!("cannot remove {}", pages.display()))?;
        }
        erased.removed.push(pages);
        erased.report = true;
    }
    Ok(())
}
