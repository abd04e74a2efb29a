//! What can go wrong with a store, each with what to do about it. Messages never hold what was said in a call.

use std::path::PathBuf;

/// An error of a store; [`StoreError::hint`] says what the person in front of it can do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} is not a callmark store", .path.display())]
    NotAStore { path: PathBuf },
    #[error("the store {} does not exist", .path.display())]
    Missing { path: PathBuf },
    #[error("{what} has schema version {found}, this callmark knows versions up to {known}")]
    NewerSchema { what: &'static str, found: u32, known: u32 },
    #[error("the back-end `{scheme}` is not in this version of callmark")]
    UnknownBackEnd { scheme: String },
    #[error("the store is locked by another program")]
    Locked,
    #[error("no space left for the store")]
    Full,
    #[error("the disk of the store failed")]
    Disk(#[source] rusqlite::Error),
    #[error("no permission to use the store {}", .path.display())]
    Permission { path: PathBuf },
    #[error("the store is damaged: {what}")]
    Damaged { what: String },
    #[error("{what}")]
    Invalid { what: String },
    #[error("{} exists already", .path.display())]
    Exists { path: PathBuf },
    #[error("the backup cannot be trusted: {what}")]
    BadBackup { what: String },
    #[error("cannot use {}: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the store refused a statement")]
    Sql(#[source] rusqlite::Error),
}

impl StoreError {
    /// One sentence that says what to do.
    pub fn hint(&self) -> &'static str {
        match self {
            StoreError::NotAStore { .. } => "point --store to a file that callmark made, or to a new file name",
            StoreError::Missing { .. } => {
                "run callmark on some recordings first, or point --store to an existing store"
            }
            StoreError::NewerSchema { .. } => "use the newer callmark that wrote it, or another --store",
            StoreError::UnknownBackEnd { .. } => "use `sqlite:PATH` or a plain path",
            StoreError::Locked => "wait until the other run has finished, then run the same command again",
            StoreError::Full => {
                "free some disk space or move the store with --store; what was committed is safe and is not done again"
            }
            StoreError::Disk(_) => "check the disk and its connection, then run the same command again",
            StoreError::Permission { .. } => {
                "the store's file and its folder must be writable for the user who runs callmark (a store has mode 0600)"
            }
            StoreError::Damaged { .. } => "restore the store from a backup, or start a new one with --store",
            StoreError::Invalid { .. } => "this is a bug in the program that called the store",
            StoreError::Exists { .. } => "give another file name, or --force to replace it",
            StoreError::BadBackup { .. } => {
                "the store itself may be damaged: run `callmark doctor`, keep earlier backups"
            }
            StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free some disk space there, or give another place"
            }
            StoreError::Io { .. } => "check that the path exists and that its disk works",
            StoreError::Sql(_) => "run the command again; if it fails again, restore the store from a backup",
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked,
            Some(ErrorCode::DiskFull) => StoreError::Full,
            // On a full disk even the index of the write-ahead log cannot be made: the store cannot be opened.
            Some(ErrorCode::SystemIoFailure) if extended(&error) == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => {
                StoreError::Full
            }
            Some(ErrorCode::SystemIoFailure) => StoreError::Disk(error),
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { what: "SQLite reports corruption".into() },
            _ => StoreError::Sql(error),
        }
    }
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite 3.54 reports on a full tmpfs: 13 while writing, 4874 when the store is opened there.
    #[test]
    fn a_full_disk_is_said_with_its_remedy() {
        for code in [13, 4874] {
            let failure = rusqlite::ffi::Error::new(code);
            let error = StoreError::from(rusqlite::Error::SqliteFailure(failure, None));
            assert!(matches!(error, StoreError::Full) && error.hint().contains("free some disk space"), "{error}");
        }
        let other = StoreError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(266), None));
        assert!(matches!(other, StoreError::Disk(_)), "{other}");
    }
}
