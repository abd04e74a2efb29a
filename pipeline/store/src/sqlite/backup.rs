//! Copies of the store: taken with SQLite's online backup while others write, read back, then put in place whole.

use std::fs;
use std::path::Path;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::{from_json, io_error, name_path};
use crate::{BackupReport, Result, StoreError};
use callmark_core::record::CallRecord;

/// Rows that a copy must have as many of as its source.
const COUNTED: [&str; 6] = ["calls", "turns", "ledger", "reviews", "analyses", "recordings"];

fn counts(connection: &Connection) -> Result<Vec<i64>> {
    let count = |table| Ok(connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?);
    COUNTED.into_iter().map(count).collect()
}

/// Copies a store of any version to `target`, mode 0600, and checks the copy before it takes the name.
pub(super) fn copy(connection: &mut Connection, target: &Path, overwrite: bool) -> Result<BackupReport> {
    if !overwrite && target.exists() {
        return Err(StoreError::Exists { path: target.to_path_buf() });
    }
    write_copy(connection, target, overwrite).map_err(|error| match error {
        // It is not the store's own disk that is full.
        StoreError::Full => {
            StoreError::Io { path: target.to_path_buf(), source: std::io::ErrorKind::StorageFull.into() }
        }
        other => other,
    })
}

fn write_copy(connection: &mut Connection, target: &Path, overwrite: bool) -> Result<BackupReport> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Mode 0600 from its first byte on; removed when anything below fails.
    let file =
        tempfile::Builder::new().prefix(".callmark-backup-").tempfile_in(folder).map_err(|e| io_error(e, folder))?;
    // One snapshot for counts and copy. Writers go on in the write-ahead log meanwhile.
    let snapshot = connection.transaction()?;
    let expected = counts(&snapshot)?;
    let mut copy = Connection::open(file.path()).map_err(|e| name_path(e.into(), target))?;
    Backup::new(&snapshot, &mut copy)?.step(-1)?;
    drop(snapshot);
    // One file without companions; whoever opens it as a store turns the log on again.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))?;
    copy.close().map_err(|(_, e)| StoreError::from(e))?;
    let report = read_back(file.path(), &expected)?;
    file.as_file().sync_all().map_err(|e| io_error(e, target))?;
    let placed = if overwrite { file.persist(target) } else { file.persist_noclobber(target) };
    placed.map_err(|e| match e.error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::Exists { path: target.to_path_buf() },
        _ => io_error(e.error, target),
    })?;
    if let Ok(folder) = fs::File::open(folder) {
        // The new name survives a power cut too, where the file system can promise it.
        let _ = folder.sync_all();
    }
    Ok(report)
}

fn read_back(path: &Path, expected: &[i64]) -> Result<BackupReport> {
    let bad = |what: String| StoreError::BadBackup { what };
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let integrity: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if integrity != "ok" {
        return Err(bad("SQLite's integrity check fails".into()));
    }
    let found = counts(&copy)?;
    if found != expected {
        return Err(bad("it has not as many rows as the store".into()));
    }
    let version = super::pragma(&copy, "user_version")?;
    let mut records =
        copy.prepare(if version < 2 { "SELECT record FROM calls" } else { "SELECT record FROM records" })?;
    let mut rows = records.query([])?;
    let mut calls = 0;
    while let Some(row) = rows.next()? {
        from_json::<CallRecord>(&row.get::<_, String>(0)?, "a record")?;
        calls += 1;
    }
    if calls != found[0] {
        return Err(bad("a call has no record".into()));
    }
    let size_bytes = fs::metadata(path).map_err(|e| io_error(e, path))?.len();
    let count = |n: i64| n.unsigned_abs();
    Ok(BackupReport { size_bytes, calls: count(found[0]), turns: count(found[1]), reviews: count(found[3]) })
}
