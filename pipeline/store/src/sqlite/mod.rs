//! The default back-end: one SQLite file in WAL mode, so that readers work beside the one writer.

mod backup;
mod forget;
mod migrations;
mod performance;
mod search;
mod talks;
mod touchpoints;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callmark_core::journey::{CallTalk, Touchpoint};
use callmark_core::performance::{CallSummary, PerformanceTable, PeriodKind, SUMMARY_SCHEMA};
use callmark_core::record::{CallRecord, Outcome, RECORD_SCHEMA, Review};
use callmark_core::table::Cell;
use callmark_core::transcript::{Embedding, Sentiment, Transcript, Turn, TurnScores};
use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    ActivityRow, AnalysisRow, BackupReport, CallFilter, Calls, ComparedPeriod, FailureRow, FileStamp, KeptTalk,
    NewReview, RecordingLink, Refresh, Removed, Result, SearchQuery, SearchResults, Store, StoreError, StoreStatistics,
    StoredCall, Tombstone, record_json,
};

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// WAL: readers work beside the writer. NORMAL: a power cut may take back the last calls (those since the log was last written
/// into the file, a few megabytes), never a part of one; the next run does them again. What cannot be done again is written
/// with FULL, see [`SqliteStore::write_durably`]. A killed process loses nothing in either.
/// `secure_delete`: what is removed is overwritten, and not only marked as unused.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; \
     PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;";

pub(crate) struct SqliteStore {
    connection: Mutex<Connection>,
    /// For reading many calls beside a transaction that writes; a store in memory has only the other one.
    reader: Option<Mutex<Connection>>,
    path: PathBuf,
}

impl SqliteStore {
    pub(crate) fn open(path: &str, create: bool) -> Result<SqliteStore> {
        let connection = if path == ":memory:" { Connection::open_in_memory()? } else { open_file(path, create)? };
        let mut store = SqliteStore { connection: Mutex::new(connection), reader: None, path: PathBuf::from(path) };
        store.prepare()?;
        if path != ":memory:" {
            store.reader = Some(Mutex::new(open_reader(path)?));
        }
        Ok(store)
    }

    /// Sets the connection up and brings the schema to the current version.
    fn prepare(&mut self) -> Result<()> {
        let (connection, path) = (self.connection.get_mut().unwrap_or_else(PoisonError::into_inner), &self.path);
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(64);
        migrations::check_identity(connection, path).map_err(|e| name_path(e, path))?;
        // After the check, so that a file that is not ours keeps its mode.
        make_private(path);
        connection.execute_batch(SETTINGS).map_err(|e| name_path(e.into(), path))?;
        migrations::migrate(connection, path).map_err(|e| name_path(e, path))
    }

    /// A panic while the lock was held rolled its transaction back, so the connection is usable.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection for one statement that reads what is committed.
    fn read(&self) -> MutexGuard<'_, Connection> {
        match &self.reader {
            Some(reader) => reader.lock().unwrap_or_else(PoisonError::into_inner),
            None => self.lock(),
        }
    }

    /// Runs `work` in one transaction that takes the write lock at once; nothing is kept when it fails.
    fn write<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        write_in(&mut self.lock(), work)
    }

    /// The same for what people decided: it survives a power cut from the moment that it is acknowledged.
    fn write_durably<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        connection.pragma_update(None, "synchronous", "FULL")?;
        let written = write_in(&mut connection, work);
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        written
    }

    /// The same for work that may only be tried: a dry run keeps nothing.
    fn remove<T>(&self, dry_run: bool, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed = work(&transaction)?;
        if !dry_run {
            transaction.commit()?;
        }
        Ok(removed)
    }

    fn count(&self, sql: &str) -> Result<u64> {
        let count: i64 = self.lock().query_row(sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn strings(&self, sql: &str, values: &[Value]) -> Result<Vec<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
        rows.map(|row| row.map_err(StoreError::from)).collect()
    }

    fn reviews_where(&self, condition: &str, values: &[Value]) -> Result<Vec<Review>> {
        reviews_where(&self.read(), condition, values)
    }
}

fn reviews_where(connection: &Connection, condition: &str, values: &[Value]) -> Result<Vec<Review>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT review_id, call_id, requirement_id, reviewer, source, inclusion_permille, blind, decision, reason, \
         appeal_of, final, ts FROM reviews {condition} ORDER BY review_id"
    ))?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut reviews = Vec::new();
    while let Some(row) = rows.next()? {
        reviews.push(review(row)?);
    }
    Ok(reviews)
}

fn write_in<T>(connection: &mut Connection, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Opens or makes the file; a new one is readable for its owner alone from its first byte on.
fn open_file(path: &str, create: bool) -> Result<Connection> {
    let path = Path::new(path);
    if !path.exists() {
        if !create {
            return Err(StoreError::Missing { path: path.to_path_buf() });
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|e| io_error(e, folder))?;
        }
        create_private(path).map_err(|e| io_error(e, path))?;
    } else if path.is_dir() {
        return Err(StoreError::NotAStore { path: path.to_path_buf() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|e| name_path(e.into(), path))
}

/// A second connection to a store that is open already.
fn open_reader(path: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = Path::new(path);
    let connection = Connection::open_with_flags(path, flags).map_err(|e| name_path(e.into(), path))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // Not `create_new`: another process may have made the store in this moment.
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).map(drop)
}

/// Takes other people's permissions away. Somebody else's file stays as it is: they decided, and we cannot change it.
/// SQLite makes the write-ahead log and its index with the mode of the store; older ones follow here.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for path in [path.to_path_buf(), beside(path, "-wal"), beside(path, "-shm")] {
        if let Ok(metadata) = fs::metadata(&path)
            && metadata.is_file()
            && metadata.permissions().mode() & 0o077 != 0
        {
            let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
        }
    }
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// The file that SQLite keeps beside a database.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}

fn io_error(source: std::io::Error, path: &Path) -> StoreError {
    let path = path.to_path_buf();
    match source.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::Permission { path }
        }
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io { path, source },
    }
}

/// Gives SQLite's errors about the file itself the file's name.
fn name_path(error: StoreError, path: &Path) -> StoreError {
    use rusqlite::ErrorCode;
    let path: PathBuf = path.to_path_buf();
    match error {
        StoreError::Sql(e) => match e.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::NotAStore { path },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                StoreError::Permission { path }
            }
            _ => StoreError::Sql(e),
        },
        other => other,
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<i64> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Invalid { what: format!("a value has no JSON form: {e}") })
}

/// Where in the JSON it failed, without what was there: the JSON holds what was said.
fn from_json<T: DeserializeOwned>(json: &str, what: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| StoreError::Damaged {
        what: format!("{what}: {:?} error at byte {} of its JSON", e.classify(), e.column()),
    })
}

/// The snake_case name of a closed enum's variant.
fn name<T: Serialize>(variant: &T) -> Result<String> {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(StoreError::Invalid { what: "an enum has no name".into() }),
    }
}

fn variant<T: DeserializeOwned>(name: String, what: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(name))
        .map_err(|_| StoreError::Damaged { what: format!("{what} has an unknown value") })
}

fn review(row: &Row) -> Result<Review> {
    Ok(Review {
        review_id: row.get(0)?,
        call_id: row.get(1)?,
        requirement_id: row.get(2)?,
        reviewer: row.get(3)?,
        source: variant(row.get(4)?, "reviews.source")?,
        inclusion_permille: row.get(5)?,
        blind: row.get(6)?,
        decision: variant(row.get(7)?, "reviews.decision")?,
        reason: row.get(8)?,
        appeal_of: row.get(9)?,
        is_final: row.get(10)?,
        ts: row.get(11)?,
    })
}

fn failure(row: &Row) -> rusqlite::Result<FailureRow> {
    Ok(FailureRow {
        key: row.get(0)?,
        file_name: row.get(1)?,
        stage: row.get(2)?,
        cause: row.get(3)?,
        hint: row.get(4)?,
        program_version: row.get(5)?,
    })
}

/// The civil date that a start stamp shows, as the performance tables read it.
fn start_date(start_ts: Option<&str>) -> Option<String> {
    PeriodKind::Day.period(start_ts)
}

/// Conditions on `calls`, joined by AND (empty: all), and the values of a statement that has some already.
fn condition(filter: &CallFilter, mut values: Vec<Value>) -> (String, Vec<Value>) {
    let wanted = [
        ("start_date >=", filter.since.map(|date| date.to_string())),
        ("start_date <=", filter.until.map(|date| date.to_string())),
        ("rep_id =", filter.rep.clone()),
        ("team =", filter.team.clone()),
        ("customer_id =", filter.customer.clone()),
    ];
    let mut terms = Vec::new();
    for (term, value) in wanted {
        if let Some(value) = value {
            values.push(Value::Text(value));
            terms.push(format!("{term} ?{}", values.len()));
        }
    }
    if filter.undated {
        terms.push("start_date IS NULL".to_string());
    }
    (terms.join(" AND "), values)
}

/// `WHERE …` and its values.
fn where_clause(filter: &CallFilter) -> (String, Vec<Value>) {
    let (terms, values) = condition(filter, Vec::new());
    (if terms.is_empty() { terms } else { format!("WHERE {terms}") }, values)
}

fn links(connection: &Connection, call_id: &str) -> Result<Vec<RecordingLink>> {
    let mut statement = connection
        .prepare_cached("SELECT recording_id, path FROM recordings WHERE call_id = ?1 ORDER BY recording_id")?;
    let rows =
        statement.query_map([call_id], |row| Ok(RecordingLink { recording_id: row.get(0)?, path: row.get(1)? }))?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// The bytes of an int8 vector.
fn embedding_bytes(embedding: &Embedding) -> impl Iterator<Item = u8> + '_ {
    embedding.0.iter().map(|x| x.to_le_bytes()[0])
}

fn embedding(bytes: &[u8]) -> Embedding {
    Embedding(bytes.iter().map(|b| i8::from_le_bytes([*b])).collect())
}

/// All turns' embeddings in one blob: per turn one byte 0 (none) or 1, then `dimension` int8 values.
fn pack(embeddings: &[Option<Embedding>]) -> Result<(usize, Vec<u8>)> {
    let dimension = embeddings.iter().flatten().map(|e| e.0.len()).next().unwrap_or(0);
    let mut blob = Vec::with_capacity(embeddings.len() * (dimension + 1));
    for turn in embeddings {
        match turn {
            None => blob.push(0),
            Some(e) if e.0.len() == dimension => {
                blob.push(1);
                blob.extend(embedding_bytes(e));
            }
            Some(_) => return Err(StoreError::Invalid { what: "embeddings of one call differ in dimension".into() }),
        }
    }
    Ok((dimension, blob))
}

fn unpack(dimension: i64, blob: &[u8]) -> Result<Vec<Option<Embedding>>> {
    let damaged = || StoreError::Damaged { what: "text_scores.embeddings has a wrong length".into() };
    let dimension = usize::try_from(dimension).map_err(|_| damaged())?;
    let mut embeddings = Vec::new();
    let mut rest = blob;
    while let Some((flag, after)) = rest.split_first() {
        if *flag == 0 {
            embeddings.push(None);
            rest = after;
        } else {
            let (values, after) = after.split_at_checked(dimension).ok_or_else(damaged)?;
            embeddings.push(Some(embedding(values)));
            rest = after;
        }
    }
    Ok(embeddings)
}

/// The last component of a path, with either separator.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Removes a call's rows with their words in the index.
fn delete_rows(transaction: &Transaction, call_id: &str) -> Result<()> {
    search::remove_call(transaction, call_id)?;
    for table in ["records", "summaries", "talks"] {
        let sql = format!("DELETE FROM {table} WHERE call_no = (SELECT call_no FROM calls WHERE call_id = ?1)");
        transaction.prepare_cached(&sql)?.execute([call_id])?;
    }
    for table in ["turns", "ledger", "recordings", "text_scores", "calls"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE call_id = ?1"))?.execute([call_id])?;
    }
    Ok(())
}

/// The call's number, which stays when it is replaced.
fn insert_call(transaction: &Transaction, record: &CallRecord, evaluation_key: &str) -> Result<i64> {
    let metadata = &record.metadata;
    let evaluation = &record.evaluation;
    // An upsert, not REPLACE: replacing would delete the call's recordings with it.
    let call_no = transaction
        .prepare_cached(
            "INSERT INTO calls (call_id, call_no, evaluation_key, rep_id, customer_id, team, campaign, direction, \
             call_type, language, medium, start_ts, start_date, duration_ms, status, reason, verdict, score_millipoints, \
             score_low_millipoints, score_high_millipoints, fatal_count, scorecard, scorecard_version, scorecard_hash) \
             VALUES (?1,(SELECT coalesce(max(call_no), 0) + 1 FROM calls),?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,\
             ?16,?17,?18,?19,?20,?21,?22,?23) \
             ON CONFLICT (call_id) DO UPDATE SET evaluation_key = excluded.evaluation_key, rep_id = excluded.rep_id, \
             customer_id = excluded.customer_id, team = excluded.team, campaign = excluded.campaign, \
             direction = excluded.direction, call_type = excluded.call_type, language = excluded.language, \
             medium = excluded.medium, start_ts = excluded.start_ts, start_date = excluded.start_date, \
             duration_ms = excluded.duration_ms, status = excluded.status, reason = excluded.reason, \
             verdict = excluded.verdict, score_millipoints = excluded.score_millipoints, \
             score_low_millipoints = excluded.score_low_millipoints, \
             score_high_millipoints = excluded.score_high_millipoints, fatal_count = excluded.fatal_count, \
             scorecard = excluded.scorecard, scorecard_version = excluded.scorecard_version, \
             scorecard_hash = excluded.scorecard_hash RETURNING call_no",
        )?
        .query_row(
            params![
                record.call_id,
                evaluation_key,
                metadata.rep_id,
                metadata.customer_id,
                metadata.team,
                metadata.campaign,
                metadata.direction.as_ref().map(name).transpose()?,
                metadata.call_type,
                record.transcript.language.map(|language| language.code()),
                name(&record.transcript.medium)?,
                metadata.start_ts,
                start_date(metadata.start_ts.as_deref()),
                record.transcript.duration_ms,
                name(&evaluation.status)?,
                evaluation.reason.as_ref().map(name).transpose()?,
                evaluation.verdict.as_ref().map(name).transpose()?,
                evaluation.score,
                evaluation.score_low,
                evaluation.score_high,
                evaluation.fatal_count,
                evaluation.scorecard,
                evaluation.scorecard_version,
                evaluation.scorecard_hash,
            ],
            |row| row.get(0),
        )?;
    // It quotes the record that is replaced, perhaps words that are redacted now.
    talks::remove(transaction, call_no)?;
    transaction
        .prepare_cached(
            "INSERT INTO records VALUES (?1, ?2) ON CONFLICT (call_no) DO UPDATE SET record = excluded.record",
        )?
        .execute(params![call_no, record_json(record)?])?;
    put_summary(transaction, call_no, &summary_of(transaction, record)?)?;
    Ok(call_no)
}

fn summary_of(connection: &Connection, record: &CallRecord) -> Result<CallSummary> {
    let reviews = reviews_where(connection, "WHERE call_id = ?1", &[Value::Text(record.call_id.clone())])?;
    Ok(CallSummary::from_reviewed(record, &reviews))
}

/// The summary that a stored record gives; `None` for a call without one.
fn summary_of_record(connection: &Connection, call_no: i64) -> Result<Option<CallSummary>> {
    let json: Option<String> = connection
        .prepare_cached("SELECT record FROM records WHERE call_no = ?1")?
        .query_row([call_no], |row| row.get(0))
        .optional()?;
    json.map(|json| summary_of(connection, &read_record(&json)?)).transpose()
}

fn put_summary(transaction: &Transaction, call_no: i64, summary: &CallSummary) -> Result<()> {
    // An upsert, not REPLACE, which would take the former summary away without a word to the triggers.
    transaction
        .prepare_cached(
            "INSERT INTO summaries VALUES (?1, ?2, ?3) ON CONFLICT (call_no) DO UPDATE SET version = excluded.version, \
             summary = excluded.summary",
        )?
        .execute(params![call_no, SUMMARY_SCHEMA, to_json(summary)?])?;
    Ok(())
}

fn read_record(json: &str) -> Result<CallRecord> {
    let version: Version = from_json(json, "a record")?;
    if version.schema_version > RECORD_SCHEMA {
        let (found, known) = (version.schema_version, RECORD_SCHEMA);
        return Err(StoreError::NewerSchema { what: "a call's record", found, known });
    }
    from_json(json, "a record")
}

/// Replaces a call's turns and their words in the index. A re-score leaves both as they are, and taking words out of the index is
/// what costs most here.
fn insert_turns(transaction: &Transaction, call_no: i64, record: &CallRecord) -> Result<()> {
    let rows: Vec<TurnRow> = turn_rows(record)?;
    let stored = stored_turns(transaction, &record.call_id)?;
    if stored.iter().eq(&rows) {
        return Ok(());
    }
    let said = |row: &TurnRow| (row.role.clone(), row.text.clone());
    let index = !stored.iter().map(said).eq(rows.iter().map(said));
    if index {
        search::remove_call(transaction, &record.call_id)?;
    }
    transaction.prepare_cached("DELETE FROM turns WHERE call_id = ?1")?.execute([&record.call_id])?;
    let mut insert = transaction.prepare_cached("INSERT INTO turns VALUES (?1,?2,?3,?4,?5,?6,?7,?8)")?;
    for (n, row) in (0_i64..).zip(rows) {
        insert.execute(params![
            record.call_id,
            n,
            row.role,
            row.begin_ms,
            row.end_ms,
            row.text,
            row.confidence_permille,
            row.sentiment_milli,
        ])?;
        if index {
            search::add_turn(transaction, call_no, n, &row.role, &row.text)?;
        }
    }
    Ok(())
}

/// A turn as a row of `turns`.
#[derive(PartialEq, Eq)]
struct TurnRow {
    role: String,
    begin_ms: i64,
    end_ms: i64,
    text: String,
    confidence_permille: u16,
    sentiment_milli: Option<i64>,
}

/// The rows of all turns by their ids.
fn turn_rows(record: &CallRecord) -> Result<Vec<TurnRow>> {
    let sentiments = record.sentiment.iter().copied().chain(std::iter::repeat(None));
    let everybody = record.transcript.turns.iter().chain(&record.transcript.other_turns);
    let row = |(turn, sentiment): (&Turn, Option<Sentiment>)| {
        Ok(TurnRow {
            role: name(&turn.role)?,
            begin_ms: turn.begin_ms,
            end_ms: turn.end_ms,
            text: turn.text.clone(),
            confidence_permille: turn.confidence_permille,
            sentiment_milli: sentiment.map(Sentiment::milli),
        })
    };
    everybody.zip(sentiments).map(row).collect()
}

fn stored_turns(transaction: &Transaction, call_id: &str) -> Result<Vec<TurnRow>> {
    let mut select = transaction.prepare_cached(
        "SELECT role, begin_ms, end_ms, text, confidence_permille, sentiment_milli FROM turns WHERE call_id = ?1 ORDER BY turn",
    )?;
    let rows = select.query_map([call_id], |row| {
        Ok(TurnRow {
            role: row.get(0)?,
            begin_ms: row.get(1)?,
            end_ms: row.get(2)?,
            text: row.get(3)?,
            confidence_permille: row.get(4)?,
            sentiment_milli: row.get(5)?,
        })
    })?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// The rows of a call but for its recordings; false when it is gone.
fn put_rows(
    transaction: &Transaction,
    record: &CallRecord,
    evaluation_key: &str,
    recordings: &[RecordingLink],
) -> Result<bool> {
    // Somebody may have forgotten or purged the call while it was being scored.
    if forget::is_gone(transaction, &record.call_id, recordings)? {
        return Ok(false);
    }
    let call_no = insert_call(transaction, record, evaluation_key)?;
    insert_turns(transaction, call_no, record)?;
    insert_ledger(transaction, record)?;
    Ok(true)
}

fn insert_ledger(transaction: &Transaction, record: &CallRecord) -> Result<()> {
    transaction.prepare_cached("DELETE FROM ledger WHERE call_id = ?1")?.execute([&record.call_id])?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO ledger VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)")?;
    for (index, row) in (0_i64..).zip(&record.evaluation.ledger) {
        insert.execute(params![
            record.call_id,
            index,
            name(&row.kind)?,
            row.requirement_id,
            row.version,
            row.dimension,
            name(&row.severity)?,
            name(&row.result)?,
            row.points,
            row.possible,
            row.weight,
            row.confidence_permille,
            row.begin_ms,
            row.end_ms,
            row.quote,
            name(&row.match_type)?,
        ])?;
    }
    Ok(())
}

impl Store for SqliteStore {
    fn schema_version(&self) -> Result<u32> {
        migrations::version(&self.lock())
    }

    fn put_file(&self, stamp: &FileStamp, recording_id: &str) -> Result<()> {
        // Sizes and inodes above 2^63 keep their bits as negative numbers: they are only compared.
        self.lock()
            .prepare_cached(
                "INSERT OR REPLACE INTO files SELECT ?1,?2,?3,?4,?5 \
                 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE key = ?6)",
            )?
            .execute(params![
                stamp.path,
                stamp.size as i64,
                stamp.mtime_ns,
                stamp.inode as i64,
                recording_id,
                forget::recording_key(recording_id),
            ])?;
        Ok(())
    }

    fn get_file(&self, stamp: &FileStamp) -> Result<Option<String>> {
        Ok(self
            .lock()
            .prepare_cached(
                "SELECT recording_id FROM files WHERE path = ?1 AND size = ?2 AND mtime_ns = ?3 AND inode = ?4",
            )?
            .query_row(params![stamp.path, stamp.size as i64, stamp.mtime_ns, stamp.inode as i64], |row| row.get(0))
            .optional()?)
    }

    fn put_analysis(&self, row: &AnalysisRow) -> Result<()> {
        let json = to_json(&row.transcript)?;
        self.lock()
            .prepare_cached(
                "INSERT OR REPLACE INTO analyses SELECT ?1,?2,?3 \
                 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE key = ?4)",
            )?
            .execute(params![row.recording_id, row.model_key, json, forget::recording_key(&row.recording_id)])?;
        Ok(())
    }

    fn get_analysis(&self, recording_id: &str, model_key: &str) -> Result<Option<Transcript>> {
        let json: Option<String> = self
            .lock()
            .prepare_cached("SELECT transcript FROM analyses WHERE recording_id = ?1 AND model_key = ?2")?
            .query_row([recording_id, model_key], |row| row.get(0))
            .optional()?;
        json.map(|json| from_json(&json, "an analysis")).transpose()
    }

    fn analyses_of(&self, recording_id: &str) -> Result<Vec<AnalysisRow>> {
        let rows: Vec<(String, String)> = self
            .lock()
            .prepare_cached("SELECT model_key, transcript FROM analyses WHERE recording_id = ?1 ORDER BY model_key")?
            .query_map([recording_id], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<std::result::Result<_, _>>()?;
        let row = |(model_key, json): (String, String)| {
            let transcript = from_json(&json, "an analysis")?;
            Ok(AnalysisRow { recording_id: recording_id.to_string(), model_key, transcript })
        };
        rows.into_iter().map(row).collect()
    }

    fn recordings_with_words(&self, entities: &[&str]) -> Result<Vec<String>> {
        let wanted = to_json(&entities)?;
        let connection = self.read();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT recording_id FROM analyses WHERE EXISTS (SELECT 1 FROM json_each(?1) AS wanted \
             WHERE wanted.value NOT IN (SELECT value FROM json_each(transcript, '$.redaction.entities'))) \
             ORDER BY recording_id",
        )?;
        let ids = statement.query_map([wanted], |row| row.get(0))?;
        Ok(ids.collect::<std::result::Result<_, _>>()?)
    }

    fn put_text_scores(
        &self,
        call_id: &str,
        models_hash: &str,
        transcript_hash: &str,
        scores: &TurnScores,
    ) -> Result<()> {
        let sentiment = to_json(&scores.sentiment)?;
        let (dimension, blob) = pack(&scores.embeddings)?;
        let acts = scores.acts.as_ref().map(to_json).transpose()?;
        let context = scores.sentiment_context.as_ref().map(to_json).transpose()?;
        self.write(|transaction| {
            transaction.prepare_cached("DELETE FROM text_scores WHERE call_id = ?1")?.execute([call_id])?;
            transaction
                .prepare_cached(
                    "INSERT INTO text_scores (call_id, models_hash, transcript_hash, sentiment, sentiment_context, dimension, embeddings, acts) \
                     SELECT ?1,?2,?3,?4,?5,?6,?7,?8 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE key = ?9)",
                )?
                .execute(params![
                    call_id,
                    models_hash,
                    transcript_hash,
                    sentiment,
                    context,
                    dimension as i64,
                    blob,
                    acts,
                    forget::call_key(call_id)
                ])?;
            Ok(())
        })
    }

    fn get_text_scores(&self, call_id: &str, models_hash: &str, transcript_hash: &str) -> Result<Option<TurnScores>> {
        let row = self
            .read()
            .prepare_cached(
                "SELECT sentiment, sentiment_context, acts, dimension, embeddings FROM text_scores \
                 WHERE call_id = ?1 AND models_hash = ?2 AND transcript_hash = ?3",
            )?
            .query_row([call_id, models_hash, transcript_hash], |row| {
                let texts: (String, Option<String>, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((texts, row.get(3)?, row.get::<_, Vec<u8>>(4)?))
            })
            .optional()?;
        row.map(|((sentiment, context, acts), dimension, blob)| {
            Ok(TurnScores {
                sentiment: from_json(&sentiment, "text scores")?,
                sentiment_context: context.map(|context| from_json(&context, "sentiment in context")).transpose()?,
                embeddings: unpack(dimension, &blob)?,
                acts: acts.map(|acts| from_json(&acts, "acts of a call")).transpose()?,
            })
        })
        .transpose()
    }

    fn put_phrases(&self, encoder_hash: &str, phrases: &[(String, Embedding)]) -> Result<()> {
        self.write(|transaction| {
            let mut insert = transaction
                .prepare_cached("INSERT INTO phrases VALUES (?1,?2,?3) ON CONFLICT (encoder_hash, text) DO NOTHING")?;
            for (text, vector) in phrases {
                insert.execute(params![encoder_hash, text, embedding_bytes(vector).collect::<Vec<u8>>()])?;
            }
            Ok(())
        })
    }

    fn get_phrases(&self, encoder_hash: &str, texts: &[String]) -> Result<Vec<Option<Embedding>>> {
        let connection = self.lock();
        let mut select =
            connection.prepare_cached("SELECT embedding FROM phrases WHERE encoder_hash = ?1 AND text = ?2")?;
        texts
            .iter()
            .map(|text| {
                let blob = select.query_row([encoder_hash, text], |row| row.get::<_, Vec<u8>>(0)).optional()?;
                Ok(blob.map(|bytes| embedding(&bytes)))
            })
            .collect()
    }

    fn put_scorecard(&self, hash: &str, fingerprints: &str) -> Result<()> {
        self.lock()
            .prepare_cached("INSERT INTO scorecards VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING")?
            .execute([hash, fingerprints])?;
        Ok(())
    }

    fn scorecards(&self) -> Result<Vec<(String, String)>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT hash, fingerprints FROM scorecards ORDER BY hash")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| row.map_err(StoreError::from)).collect()
    }

    fn put_rescored(&self, calls: &[(CallRecord, String)]) -> Result<Vec<bool>> {
        self.write(|transaction| calls.iter().map(|(record, key)| put_rows(transaction, record, key, &[])).collect())
    }

    fn put_call(&self, record: &CallRecord, evaluation_key: &str, recordings: &[RecordingLink]) -> Result<bool> {
        self.write(|transaction| {
            if !put_rows(transaction, record, evaluation_key, recordings)? {
                return Ok(false);
            }
            if !recordings.is_empty() {
                transaction.prepare_cached("DELETE FROM recordings WHERE call_id = ?1")?.execute([&record.call_id])?;
            }
            for link in recordings {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO recordings VALUES (?1,?2,?3,?4)")?
                    .execute(params![link.recording_id, record.call_id, link.path, file_name(&link.path)])?;
                transaction
                    .prepare_cached("DELETE FROM failures WHERE key IN (?1, ?2)")?
                    .execute([&link.recording_id, &link.path])?;
            }
            Ok(true)
        })
    }

    fn remove_call(&self, call_id: &str) -> Result<()> {
        self.write(|transaction| delete_rows(transaction, call_id))
    }

    fn rename_call(&self, former: &str, call_id: &str) -> Result<()> {
        self.write(|transaction| forget::rename_call(transaction, former, call_id))
    }

    fn get_call(&self, call_id: &str) -> Result<Option<StoredCall>> {
        let row: Option<(String, String, bool)> = self
            .read()
            .prepare_cached(
                "SELECT r.record, c.evaluation_key, c.words_purged FROM calls c JOIN records r USING (call_no) \
                 WHERE c.call_id = ?1",
            )?
            .query_row([call_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((record_json, evaluation_key, words_purged)) = row else { return Ok(None) };
        let record = read_record(&record_json)?;
        Ok(Some(StoredCall { record, record_json, evaluation_key, words_purged }))
    }

    fn find_call(&self, query: &str) -> Result<Vec<String>> {
        // Most exact first; the first kind that finds anything answers. `substr` and not LIKE: % and _ are plain characters.
        let kinds = [
            "SELECT call_id FROM calls WHERE call_id = ?1",
            "SELECT DISTINCT call_id FROM recordings WHERE path = ?1 OR file_name = ?1 \
             OR (substr(file_name, 1, length(?1) + 1) = ?1 || '.' \
                 AND instr(substr(file_name, length(?1) + 2), '.') = 0) ORDER BY call_id",
            "SELECT call_id FROM calls WHERE substr(call_id, 1, length(?1)) = ?1 ORDER BY call_id",
        ];
        if query.is_empty() {
            return Ok(Vec::new());
        }
        for sql in kinds {
            let found = self.strings(sql, &[Value::Text(query.to_string())])?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn evaluation_key(&self, call_id: &str) -> Result<Option<String>> {
        Ok(self
            .lock()
            .prepare_cached("SELECT evaluation_key FROM calls WHERE call_id = ?1")?
            .query_row([call_id], |row| row.get(0))
            .optional()?)
    }

    fn call_ids(&self, filter: &CallFilter) -> Result<Vec<String>> {
        let (clause, values) = where_clause(filter);
        self.strings(&format!("SELECT call_id FROM calls {clause} ORDER BY call_id"), &values)
    }

    fn count_calls(&self, filter: &CallFilter) -> Result<u64> {
        let (clause, values) = where_clause(filter);
        let count: i64 = self
            .lock()
            .prepare_cached(&format!("SELECT count(*) FROM calls {clause}"))?
            .query_row(rusqlite::params_from_iter(&values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn calls(&self, filter: &CallFilter) -> Result<Calls<'_>> {
        let ids = self.call_ids(filter)?;
        Ok(Box::new(ids.into_iter().filter_map(|id| self.get_call(&id).transpose())))
    }

    fn summaries(&self, filter: &CallFilter) -> Result<Vec<CallSummary>> {
        let (clause, values) = where_clause(filter);
        let sql = format!(
            "SELECT call_id, version, summary FROM calls LEFT JOIN summaries USING (call_no) {clause} ORDER BY call_id"
        );
        let stored: Vec<(String, Option<u32>, Option<String>)> = {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement
                .query_map(rusqlite::params_from_iter(&values), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut summaries = Vec::with_capacity(stored.len());
        for (call_id, version, summary) in stored {
            let current = summary.filter(|_| version == Some(SUMMARY_SCHEMA));
            let summary = match current.and_then(|json| serde_json::from_str::<CallSummary>(&json).ok()) {
                // A call that was renamed keeps its line.
                Some(summary) => CallSummary { call_id, ..summary },
                None => match self.get_call(&call_id)? {
                    Some(stored) => CallSummary::from_reviewed(&stored.record, &self.reviews(&call_id)?),
                    None => continue,
                },
            };
            summaries.push(summary);
        }
        Ok(summaries)
    }

    fn last_day(&self, filter: &CallFilter) -> Result<Option<Date>> {
        let (clause, values) = where_clause(filter);
        let connection = self.read();
        let mut select = connection.prepare_cached(&format!("SELECT max(start_date) FROM calls {clause}"))?;
        let day: Option<String> = select.query_row(rusqlite::params_from_iter(&values), |row| row.get(0))?;
        let damaged = |day: &String| StoreError::Damaged { what: format!("calls.start_date is {day}") };
        day.map(|day| day.parse().map_err(|_| damaged(&day))).transpose()
    }

    fn refresh_performance(&self) -> Result<Refresh> {
        // Mostly nothing changed: then nobody who writes is waited for.
        if performance::is_refreshed(&self.read())? {
            return Ok(Refresh::Unchanged);
        }
        self.write(performance::refresh)
    }

    fn performance_periods(&self, kind: PeriodKind) -> Result<Vec<String>> {
        performance::periods(&self.read(), kind)
    }

    fn performance_rows(&self, table: PerformanceTable, kind: PeriodKind, period: &str) -> Result<Vec<Vec<Cell>>> {
        performance::rows(&self.read(), table, kind, period)
    }

    fn compared_period(&self, kind: PeriodKind, period: &str) -> Result<ComparedPeriod> {
        // One snapshot of sums and rows.
        performance::compared(&*self.read().transaction()?, kind, period)
    }

    fn recordings(&self, call_id: &str) -> Result<Vec<RecordingLink>> {
        links(&self.lock(), call_id)
    }

    fn calls_of_recording(&self, recording_id: &str) -> Result<Vec<String>> {
        let sql = "SELECT call_id FROM recordings WHERE recording_id = ?1 ORDER BY call_id";
        self.strings(sql, &[Value::Text(recording_id.to_string())])
    }

    fn put_failure(&self, row: &FailureRow) -> Result<()> {
        self.lock()
            .prepare_cached(
                "INSERT OR REPLACE INTO failures SELECT ?1,?2,?3,?4,?5,?6 \
                 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE key = ?7)",
            )?
            .execute([
                &row.key,
                &row.file_name,
                &row.stage,
                &row.cause,
                &row.hint,
                &row.program_version,
                &forget::recording_key(&row.key),
            ])?;
        Ok(())
    }

    fn get_failure(&self, key: &str, program_version: &str) -> Result<Option<FailureRow>> {
        Ok(self
            .lock()
            .prepare_cached(
                "SELECT key, file_name, stage, cause, hint, program_version FROM failures \
                 WHERE key = ?1 AND program_version = ?2",
            )?
            .query_row([key, program_version], failure)
            .optional()?)
    }

    fn clear_failure(&self, key: &str) -> Result<()> {
        self.lock().prepare_cached("DELETE FROM failures WHERE key = ?1")?.execute([key])?;
        Ok(())
    }

    fn failures(&self) -> Result<Vec<FailureRow>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT key, file_name, stage, cause, hint, program_version FROM failures ORDER BY file_name, key",
        )?;
        let rows = statement.query_map([], failure)?;
        rows.map(|row| row.map_err(StoreError::from)).collect()
    }

    fn append_review(&self, review: &NewReview) -> Result<Review> {
        self.write_durably(|transaction| {
            let known: bool = match review.appeal_of {
                None => true,
                Some(id) => transaction.query_row(
                    "SELECT EXISTS (SELECT 1 FROM reviews WHERE review_id = ?1 AND call_id = ?2)",
                    params![id, review.call_id],
                    |row| row.get(0),
                )?,
            };
            if !known {
                return Err(StoreError::Invalid { what: "the appealed review does not exist for this call".into() });
            }
            transaction
                .prepare_cached(
                    "INSERT INTO reviews (call_id, requirement_id, reviewer, source, inclusion_permille, blind, decision, \
                     reason, appeal_of, final, ts) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
                )?
                .execute(params![
                    review.call_id,
                    review.requirement_id,
                    review.reviewer,
                    name(&review.source)?,
                    review.inclusion_permille,
                    review.blind,
                    name(&review.decision)?,
                    review.reason,
                    review.appeal_of,
                    review.is_final,
                    review.ts,
                ])?;
            Ok(Review {
                review_id: transaction.last_insert_rowid(),
                call_id: review.call_id.clone(),
                requirement_id: review.requirement_id.clone(),
                reviewer: review.reviewer.clone(),
                source: review.source,
                inclusion_permille: review.inclusion_permille,
                blind: review.blind,
                decision: review.decision,
                reason: review.reason.clone(),
                appeal_of: review.appeal_of,
                is_final: review.is_final,
                ts: review.ts.clone(),
            })
        })
    }

    fn reviews(&self, call_id: &str) -> Result<Vec<Review>> {
        self.reviews_where("WHERE call_id = ?1", &[Value::Text(call_id.to_string())])
    }

    fn all_reviews(&self) -> Result<Vec<Review>> {
        self.reviews_where("", &[])
    }

    fn reviewed_result(&self, review_id: i64) -> Result<Option<Outcome>> {
        forget::reviewed_result(&self.lock(), review_id)
    }

    fn put_activity(&self, rows: &[ActivityRow]) -> Result<u64> {
        self.write(|transaction| {
            let sql = "INSERT INTO activity VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source, row_id) DO UPDATE SET \
                       rep_id = excluded.rep_id, day = excluded.day, row = excluded.row";
            let count = |transaction: &Transaction| -> Result<i64> {
                Ok(transaction.query_row("SELECT count(*) FROM activity", [], |row| row.get(0))?)
            };
            let before = count(transaction)?;
            for row in rows {
                let values = params![row.source, row.row_id, row.rep_id, row.day.to_string(), row.row];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            Ok((count(transaction)? - before).unsigned_abs())
        })
    }

    fn remove_source(&self, source: &str, dry_run: bool) -> Result<u64> {
        self.remove(dry_run, |transaction| {
            // One row may be both.
            let rows = "SELECT count(*) FROM (SELECT row_id FROM activity WHERE source = ?1 UNION \
                        SELECT row_id FROM touchpoints WHERE source = ?1)";
            let rows: i64 = transaction.query_row(rows, [source], |row| row.get(0))?;
            for table in ["activity", "touchpoints"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE source = ?1"), [source])?;
            }
            Ok(rows.unsigned_abs())
        })
    }

    fn activity(&self, since: Option<Date>, until: Option<Date>) -> Result<Vec<ActivityRow>> {
        let connection = self.read();
        let mut statement = connection.prepare_cached(
            "SELECT source, row_id, rep_id, day, row FROM activity WHERE day >= coalesce(?1, '') AND day <= coalesce(?2, '~') \
             ORDER BY day, rep_id, source, row_id",
        )?;
        let bounds = params![since.map(|day| day.to_string()), until.map(|day| day.to_string())];
        let mut rows = statement.query(bounds)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let day: String = row.get(3)?;
            let day = day.parse().map_err(|_| StoreError::Damaged { what: format!("activity.day is {day}") })?;
            let (source, row_id, rep_id) = (row.get(0)?, row.get(1)?, row.get(2)?);
            found.push(ActivityRow { source, row_id, rep_id, day, row: row.get(4)? });
        }
        Ok(found)
    }

    fn put_touchpoints(&self, source: &str, row_ids: &[String], touchpoints: &[Touchpoint]) -> Result<u64> {
        self.write(|transaction| touchpoints::put(transaction, source, row_ids, touchpoints))
    }

    fn touchpoints(&self, until: Option<Date>) -> Result<Vec<Touchpoint>> {
        touchpoints::until(&self.read(), until)
    }

    fn forget_customer(&self, customer_id: &str, date: Date, dry_run: bool) -> Result<u64> {
        self.remove(dry_run, |transaction| touchpoints::forget_customer(transaction, customer_id, date))
    }

    fn purge_touchpoints(&self, before: Date, dry_run: bool) -> Result<u64> {
        self.remove(dry_run, |transaction| touchpoints::purge(transaction, before))
    }

    fn put_talks(&self, version: &str, talks: &[KeptTalk]) -> Result<()> {
        self.write(|transaction| talks::put(transaction, version, talks))
    }

    fn talks(&self, call_ids: &[String], version: &str) -> Result<Vec<Option<CallTalk>>> {
        talks::get(&self.read(), call_ids, version)
    }

    fn append_coaching(&self, plan_id: &str, event: &str) -> Result<()> {
        self.write_durably(|transaction| {
            transaction.execute("INSERT INTO coaching (plan_id, event) VALUES (?1, ?2)", params![plan_id, event])?;
            Ok(())
        })
    }

    fn coaching(&self) -> Result<Vec<(String, String)>> {
        let connection = self.read();
        let mut statement = connection.prepare_cached("SELECT plan_id, event FROM coaching ORDER BY event_id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.map(|row| row.map_err(StoreError::from)).collect()
    }

    fn search(&self, query: &SearchQuery) -> Result<SearchResults> {
        search::search(&mut self.lock(), query)
    }

    fn forget_call(&self, call_id: &str, date: Date, dry_run: bool) -> Result<Removed> {
        self.remove(dry_run, |transaction| forget::forget_call(transaction, call_id, date))
    }

    fn forget_recording(
        &self,
        recording_id: Option<&str>,
        path: Option<&str>,
        date: Date,
        dry_run: bool,
    ) -> Result<Removed> {
        self.remove(dry_run, |transaction| forget::forget_recording(transaction, recording_id, path, date))
    }

    fn purge_words(&self, call_id: &str, date: Date, dry_run: bool) -> Result<Removed> {
        self.remove(dry_run, |transaction| forget::purge_words(transaction, call_id, date))
    }

    fn remove_unused(&self, dry_run: bool) -> Result<u64> {
        self.remove(dry_run, forget::remove_unused)
    }

    fn tombstone(&self, call_id: &str, recording_id: &str) -> Result<Option<Tombstone>> {
        forget::tombstone(&self.lock(), call_id, recording_id)
    }

    fn erase_traces(&self) -> Result<Vec<PathBuf>> {
        self.write(performance::forget_former)?;
        let connection = self.lock();
        // Overwriting removed rows leaves copies where a page was rearranged before; only a rewritten file has none.
        connection.execute_batch("VACUUM")?;
        let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(StoreError::Locked);
        }
        migrations::remove_backups(&self.path)
    }

    fn backup_to(&self, path: &Path, overwrite: bool) -> Result<BackupReport> {
        backup::copy(&mut self.lock(), path, overwrite)
    }

    fn statistics(&self) -> Result<StoreStatistics> {
        let calls = self.count("SELECT count(*) FROM calls")?;
        let pragma = |name: &str| -> Result<u64> { Ok(pragma(&self.lock(), name)?.unsigned_abs()) };
        let page_bytes = pragma("page_size")?;
        let size = |path: &Path| fs::metadata(path).map_or(0, |facts| facts.len());
        let on_disk = size(&self.path) + size(&beside(&self.path, "-wal"));
        // A store in memory has pages, but no file.
        let size_bytes = if on_disk > 0 { on_disk } else { pragma("page_count")? * page_bytes };
        let free_bytes = pragma("freelist_count")? * page_bytes;
        Ok(StoreStatistics {
            schema_version: self.schema_version()?,
            calls,
            words_purged: self.count("SELECT count(*) FROM calls WHERE words_purged = 1")?,
            turns: self.count("SELECT count(*) FROM turns")?,
            failures: self.count("SELECT count(*) FROM failures")?,
            reviews: self.count("SELECT count(*) FROM reviews")?,
            tombstones: self.count("SELECT count(*) FROM tombstones")?,
            size_bytes,
            free_bytes,
            bytes_per_call: size_bytes.saturating_sub(free_bytes).checked_div(calls).unwrap_or(0),
        })
    }
}

/// The part of a record that is read first.
#[derive(serde::Deserialize)]
struct Version {
    schema_version: u32,
}
