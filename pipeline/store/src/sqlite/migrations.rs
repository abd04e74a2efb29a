//! Bringing a store to the present schema: SQL files in order, each version in one transaction, a backup beside the store first.
//!
//! Plain files and not a migration library: there is one back-end so far, and a version also fills the search index by Rust.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{backup, pragma, search};
use crate::{Result, STORE_SCHEMA, StoreError};

/// Marks a SQLite file as ours ("clmk"); see `PRAGMA application_id`.
const APPLICATION_ID: i64 = 0x636C_6D6B;

/// What brings a store from version n to n + 1: statements, then what SQL cannot say.
struct Migration {
    sql: &'static str,
    then: fn(&Transaction) -> Result<()>,
}

/// By n.
const MIGRATIONS: [Migration; STORE_SCHEMA as usize] = [
    Migration { sql: include_str!("../../migrations/0001_initial.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0002_search_and_forgetting.sql"), then: search::index_all },
    Migration { sql: include_str!("../../migrations/0003_scorecards.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0004_outcomes_and_coaching.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0005_touchpoints.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0006_sums.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0007_acts.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0008_talks.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("../../migrations/0009_sentiment_context.sql"), then: |_| Ok(()) },
];

/// An empty database becomes a store; one with tables must carry our mark and a version that we know.
pub(super) fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(StoreError::NotAStore { path: path.to_path_buf() });
    }
    version(connection).map(drop)
}

pub(super) fn version(connection: &Connection) -> Result<u32> {
    let found = u32::try_from(pragma(connection, "user_version")?).unwrap_or(u32::MAX);
    if found > STORE_SCHEMA {
        return Err(StoreError::NewerSchema { what: "the store", found, known: STORE_SCHEMA });
    }
    Ok(found)
}

/// Where the store of version `found` is kept before it is migrated.
fn backup_path(store: &Path, found: u32) -> PathBuf {
    let mut name = store.as_os_str().to_os_string();
    name.push(format!(".v{found}-backup"));
    PathBuf::from(name)
}

/// Removes the backups that migrations made: they hold what was forgotten since.
pub(super) fn remove_backups(store: &Path) -> Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for found in 1..STORE_SCHEMA {
        let path = backup_path(store, found);
        match fs::remove_file(&path) {
            Ok(()) => removed.push(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(super::io_error(error, &path)),
        }
    }
    Ok(removed)
}

/// A process that is killed here leaves the store of the version before, and perhaps its backup.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let found = version(connection)?;
    if found == STORE_SCHEMA {
        return Ok(());
    }
    if found > 0 && path.is_file() {
        backup::copy(connection, &backup_path(path, found), true)?;
    }
    // A table is rebuilt by dropping the old one, which must not take the rows that refer to it along. No effect inside a
    // transaction, hence here.
    connection.pragma_update(None, "foreign_keys", false)?;
    let done = (found..STORE_SCHEMA).try_for_each(|from| step(connection, from));
    connection.pragma_update(None, "foreign_keys", true)?;
    done
}

fn step(connection: &mut Connection, from: u32) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited for the lock.
    if version(&transaction)? != from {
        return Ok(());
    }
    let migration = &MIGRATIONS[from as usize];
    transaction.execute_batch(migration.sql)?;
    (migration.then)(&transaction)?;
    let broken: i64 = transaction.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if broken > 0 {
        return Err(StoreError::Damaged { what: format!("{broken} rows belong to no call") });
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", from + 1)?;
    transaction.commit()?;
    Ok(())
}
