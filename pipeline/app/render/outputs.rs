//! Output files of a run: written whole or not at all, named by call id, readable by their owner only.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use callmark_core::performance::{PerformanceTable, PeriodKind};
use callmark_core::record::{CallRecord, Review};
use callmark_core::recording::sha256_hex;
use callmark_store::Store;
use tempfile::NamedTempFile;

use crate::render::{analysis_json, captions, performance, tables};

/// A file name for a call id that may hold anything: unusual characters become `_`, with a hash so that names stay distinct.
pub fn file_stem(call_id: &str) -> String {
    let safe: String =
        call_id.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(120).collect();
    if safe == call_id && !safe.starts_with('.') {
        safe
    } else {
        format!("_{safe}-{}", &sha256_hex(call_id.as_bytes())[..8])
    }
}

pub(super) fn path(folder: &Path, call_id: &str, ending: &str) -> PathBuf {
    folder.join(format!("{}.{ending}", file_stem(call_id)))
}

/// Writes `<call_id>.vtt`, `.srt` and `.rttm` when the call has times, and `<call_id>.analysis.json` last.
pub fn write_call(folder: &Path, record: &CallRecord) -> Result<()> {
    let (id, transcript) = (&record.call_id, &record.transcript);
    let captions = [
        ("vtt", captions::vtt(transcript)),
        ("srt", captions::srt(transcript)),
        ("rttm", captions::rttm(id, transcript)),
    ];
    for (ending, bytes) in captions {
        // Captions of a call whose words were purged would be empty.
        if let Some(bytes) = bytes.filter(|_| !record.words_purged()) {
            write_whole(&path(folder, id, ending), &bytes)?;
        }
    }
    write_whole(&path(folder, id, "analysis.json"), &analysis_json::analysis_json(record))
}

/// Removes the files of a call that has another id now.
pub fn remove_call(folder: &Path, call_id: &str) -> Result<()> {
    for ending in ["vtt", "srt", "rttm", "analysis.json"] {
        let path = path(folder, call_id, ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes beside the target and renames, so that a reader or a killed run never leaves half a file; an equal file stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed =
        || format!("cannot write {}\nhint: check free space and permissions of the output folder", path.display());
    let mut file = NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// Like every output, but readable by other users: for what holds counts only.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
        .with_context(|| format!("cannot make {} readable", path.display()))
}

/// `calls.csv`, `turns.csv`, `ledger.csv` of one run, written call by call so that memory stays bounded.
pub struct Tables {
    files: Vec<(tables::Table, BufWriter<NamedTempFile>, PathBuf)>,
}

impl Tables {
    pub fn create(folder: &Path) -> Result<Tables> {
        let mut files = Vec::new();
        for table in tables::Table::ALL {
            let path = folder.join(format!("{}.csv", table.name()));
            let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
            file.write_all(table.header().as_bytes())?;
            files.push((table, file, path));
        }
        Ok(Tables { files })
    }

    pub fn add(&mut self, record: &CallRecord) -> Result<()> {
        for (table, file, _) in &mut self.files {
            file.write_all(table.rows(record).as_bytes())?;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<()> {
        for (_, file, path) in self.files {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// The performance tables over all stored calls, every kind of period. Memory does not grow with the calls; an equal file stays.
pub fn write_performance(folder: &Path, store: &dyn Store) -> Result<()> {
    for table in PerformanceTable::ALL {
        let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
        file.write_all(tables::csv_header(&table.headings()).as_bytes())?;
        performance::stored_rows(store, table, PeriodKind::ALL, |row| {
            Ok(file.write_all(tables::csv_line(&row).as_bytes())?)
        })?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let path = folder.join(format!("{}.csv", table.name()));
        if !equal_files(file.path(), &path).unwrap_or(false) {
            file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

fn equal_files(a: &Path, b: &Path) -> std::io::Result<bool> {
    let (a, b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut a, mut b) = (BufReader::new(a), BufReader::new(b));
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let n = left.len().min(right.len());
        if left[..n] != right[..n] {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
        a.consume(n);
        b.consume(n);
    }
}

/// The snake_case name of a serialisable enum value.
pub fn snake<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}

/// Makes the output folder and tries to write there, so that a bad path is found before the work.
pub fn prepare_folder(folder: &Path) -> Result<()> {
    let tried = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    tried
        .map(drop)
        .with_context(|| format!("cannot write into {}\nhint: give another folder with --out", folder.display()))
}

/// `reviews.csv`: every decision in the store.
pub fn write_reviews(folder: &Path, reviews: &[Review]) -> Result<()> {
    write_whole(&folder.join("reviews.csv"), tables::csv(tables::REVIEWS, reviews).as_bytes())
}
