//! Forgetting, purging, renaming: what takes rows away for good, and what remembers that they must not come back.

use callmark_core::record::{CallRecord, Outcome};
use callmark_core::recording::sha256_hex;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{delete_rows, from_json, insert_call, insert_ledger, insert_turns, links, talks, variant};
use crate::{Gone, RecordingLink, Removed, Result, StoreError, Tombstone};

/// What stands for a forgotten call where its id stood: a hash, for an id may say who called.
pub(super) fn call_key(call_id: &str) -> String {
    format!("forgotten-{}", &sha256_hex(format!("call\n{call_id}").as_bytes())[..32])
}

pub(super) fn recording_key(recording_id: &str) -> String {
    sha256_hex(format!("recording\n{recording_id}").as_bytes())
}

pub(super) fn remember(transaction: &Transaction, key: &str, kind: &str, date: Date) -> Result<()> {
    // A purged call may be forgotten later; a forgotten one stays forgotten, since the first date.
    transaction
        .prepare_cached(
            "INSERT INTO tombstones VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, \
             date = excluded.date WHERE kind <> 'forgotten'",
        )?
        .execute(params![key, kind, date.to_string()])?;
    Ok(())
}

pub(super) fn tombstone(connection: &Connection, call_id: &str, recording_id: &str) -> Result<Option<Tombstone>> {
    let keys = [call_key(call_id), recording_key(recording_id)];
    let found: Option<(String, String)> = connection
        .prepare_cached("SELECT kind, date FROM tombstones WHERE key IN (?1, ?2) ORDER BY kind LIMIT 1")?
        .query_row(keys, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(kind, date)| {
            let damaged = || StoreError::Damaged { what: "tombstones has an unknown value".into() };
            let gone = match kind.as_str() {
                "forgotten" => Gone::Forgotten,
                "words_purged" => Gone::WordsPurged,
                _ => return Err(damaged()),
            };
            Ok(Tombstone { gone, date: date.parse().map_err(|_| damaged())? })
        })
        .transpose()
}

/// True when nothing about this call, or about one of these recordings, may be stored.
pub(super) fn is_gone(connection: &Connection, call_id: &str, recordings: &[RecordingLink]) -> Result<bool> {
    let mut select = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM tombstones WHERE key = ?1)")?;
    let keys = recordings.iter().map(|link| recording_key(&link.recording_id));
    for key in std::iter::once(call_key(call_id)).chain(keys) {
        if select.query_row([key], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs a statement and says how many rows it touched.
pub(super) fn change(transaction: &Transaction, sql: &str, values: &[&str]) -> Result<u64> {
    Ok(transaction.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))? as u64)
}

/// Forgets a recording: transcripts, hashes of files, failures.
fn forget_bytes(
    transaction: &Transaction,
    recording_id: &str,
    kind: &str,
    date: Date,
    removed: &mut Removed,
) -> Result<()> {
    remember(transaction, &recording_key(recording_id), kind, date)?;
    // A failure may stand under the path, from a day when the bytes could not be read.
    removed.failures += change(
        transaction,
        "DELETE FROM failures WHERE key = ?1 OR key IN (SELECT path FROM files WHERE recording_id = ?1)",
        &[recording_id],
    )?;
    removed.transcripts += change(transaction, "DELETE FROM analyses WHERE recording_id = ?1", &[recording_id])?;
    removed.file_hashes += change(transaction, "DELETE FROM files WHERE recording_id = ?1", &[recording_id])?;
    Ok(())
}

/// Forgets a call's recordings, but for those that made another call too.
fn forget_recordings(
    transaction: &Transaction,
    call_id: &str,
    kind: &str,
    date: Date,
    removed: &mut Removed,
) -> Result<()> {
    let recordings = links(transaction, call_id)?;
    for RecordingLink { recording_id, path } in &recordings {
        let mut others = transaction.prepare_cached(
            "SELECT call_id FROM recordings WHERE recording_id = ?1 AND call_id <> ?2 ORDER BY call_id",
        )?;
        let others = others.query_map([recording_id.as_str(), call_id], |row| row.get(0))?;
        let others = others.collect::<rusqlite::Result<Vec<String>>>()?;
        if others.is_empty() {
            forget_bytes(transaction, recording_id, kind, date, removed)?;
            removed.failures += change(transaction, "DELETE FROM failures WHERE key = ?1", &[path])?;
        }
        removed.shared_with.extend(others);
    }
    removed.recordings.extend(recordings);
    removed.shared_with.sort();
    removed.shared_with.dedup();
    Ok(())
}

/// Changes the id that a call's reviews stand under; `keep_text` or not. See migrations/0002 for what the trigger lets through.
fn move_reviews(transaction: &Transaction, call_id: &str, to: &str, keep_text: bool) -> Result<u64> {
    change(transaction, "INSERT INTO review_moves VALUES (?1, ?2)", &[call_id, to])?;
    let reason = if keep_text { "reason" } else { "''" };
    let sql = format!("UPDATE reviews SET call_id = ?2, reason = {reason} WHERE call_id = ?1");
    let moved = change(transaction, &sql, &[call_id, to])?;
    change(transaction, "DELETE FROM review_moves", &[])?;
    Ok(moved)
}

/// Keeps with each decision what the ledger said, for the ledger goes.
fn keep_results(transaction: &Transaction, call_id: &str) -> Result<()> {
    change(transaction, "INSERT INTO review_moves VALUES (?1, ?1)", &[call_id])?;
    change(
        transaction,
        "UPDATE reviews SET result = (SELECT l.result FROM ledger l WHERE l.call_id = reviews.call_id \
         AND l.requirement_id = reviews.requirement_id AND l.kind = 'item') WHERE call_id = ?1",
        &[call_id],
    )?;
    change(transaction, "DELETE FROM review_moves", &[])?;
    Ok(())
}

pub(super) fn reviewed_result(connection: &Connection, review_id: i64) -> Result<Option<Outcome>> {
    let result: Option<Option<String>> = connection
        .prepare_cached("SELECT result FROM reviews WHERE review_id = ?1")?
        .query_row([review_id], |row| row.get(0))
        .optional()?;
    result.flatten().map(|result| variant(result, "reviews.result")).transpose()
}

pub(super) fn forget_call(transaction: &Transaction, call_id: &str, date: Date) -> Result<Removed> {
    let mut removed = Removed::default();
    remember(transaction, &call_key(call_id), "forgotten", date)?;
    forget_recordings(transaction, call_id, "forgotten", date, &mut removed)?;
    keep_results(transaction, call_id)?;
    removed.reviews = move_reviews(transaction, call_id, &call_key(call_id), false)?;
    let count = |table: &str| -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {table} WHERE call_id = ?1");
        let rows: i64 = transaction.prepare_cached(&sql)?.query_row([call_id], |row| row.get(0))?;
        Ok(rows.unsigned_abs())
    };
    removed.turns = count("turns")?;
    removed.ledger_rows = count("ledger")?;
    removed.text_scores = count("text_scores")?;
    removed.calls = count("calls")?;
    delete_rows(transaction, call_id)?;
    Ok(removed)
}

pub(super) fn forget_recording(
    transaction: &Transaction,
    recording_id: Option<&str>,
    path: Option<&str>,
    date: Date,
) -> Result<Removed> {
    let mut removed = Removed::default();
    if let Some(id) = recording_id {
        let used: bool =
            transaction.query_row("SELECT EXISTS (SELECT 1 FROM recordings WHERE recording_id = ?1)", [id], |row| {
                row.get(0)
            })?;
        if used {
            return Err(StoreError::Invalid { what: "a recording that made a call is forgotten with its call".into() });
        }
        forget_bytes(transaction, id, "forgotten", date, &mut removed)?;
    }
    if let Some(path) = path {
        removed.failures += change(transaction, "DELETE FROM failures WHERE key = ?1", &[path])?;
        removed.file_hashes += change(transaction, "DELETE FROM files WHERE path = ?1", &[path])?;
    }
    Ok(removed)
}

pub(super) fn purge_words(transaction: &Transaction, call_id: &str, date: Date) -> Result<Removed> {
    let mut removed = Removed::default();
    let stored: Option<(String, String, bool)> = transaction
        .prepare_cached(
            "SELECT r.record, c.evaluation_key, c.words_purged FROM calls c JOIN records r USING (call_no) WHERE c.call_id = ?1",
        )?
        .query_row([call_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((record, evaluation_key, false)) = stored else { return Ok(removed) };
    let record = from_json::<CallRecord>(&record, "a record")?.without_words();
    remember(transaction, &call_key(call_id), "words_purged", date)?;
    forget_recordings(transaction, call_id, "words_purged", date, &mut removed)?;
    removed.reviews = move_reviews(transaction, call_id, call_id, false)?;
    removed.text_scores = change(transaction, "DELETE FROM text_scores WHERE call_id = ?1", &[call_id])?;
    change(transaction, "DELETE FROM recordings WHERE call_id = ?1", &[call_id])?;
    let call_no = insert_call(transaction, &record, &evaluation_key)?;
    insert_turns(transaction, call_no, &record)?;
    insert_ledger(transaction, &record)?;
    change(transaction, "UPDATE calls SET words_purged = 1 WHERE call_id = ?1", &[call_id])?;
    removed.calls = 1;
    removed.turns = (record.transcript.turns.len() + record.transcript.other_turns.len()) as u64;
    Ok(removed)
}

pub(super) fn remove_unused(transaction: &Transaction) -> Result<u64> {
    let transcripts = "DELETE FROM analyses WHERE recording_id NOT IN (SELECT recording_id FROM recordings)";
    let scores = "DELETE FROM text_scores WHERE call_id NOT IN (SELECT call_id FROM calls)";
    Ok(change(transaction, transcripts, &[])? + change(transaction, scores, &[])?)
}

pub(super) fn rename_call(transaction: &Transaction, former: &str, call_id: &str) -> Result<()> {
    if former == call_id {
        return Ok(());
    }
    move_reviews(transaction, former, call_id, true)?;
    let taken: bool =
        transaction.query_row("SELECT EXISTS (SELECT 1 FROM calls WHERE call_id = ?1)", [call_id], |row| row.get(0))?;
    if taken {
        return delete_rows(transaction, former);
    }
    // Checked when everything has moved.
    transaction.pragma_update(None, "defer_foreign_keys", true)?;
    for table in ["calls", "turns", "ledger", "recordings", "text_scores"] {
        change(transaction, &format!("UPDATE {table} SET call_id = ?2 WHERE call_id = ?1"), &[former, call_id])?;
    }
    let record: Option<(i64, String)> = transaction
        .prepare_cached("SELECT call_no, record FROM records JOIN calls USING (call_no) WHERE call_id = ?1")?
        .query_row([call_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((call_no, record)) = record {
        // It names its call.
        talks::remove(transaction, call_no)?;
        let mut record = from_json::<CallRecord>(&record, "a record")?;
        record.call_id = call_id.to_string();
        let json = crate::record_json(&record)?;
        transaction.execute("UPDATE records SET record = ?2 WHERE call_no = ?1", params![call_no, json])?;
        // Whoever plans the next run finds that the stored evaluation no longer holds.
        transaction.execute("UPDATE calls SET evaluation_key = 'renamed' WHERE call_no = ?1", [call_no])?;
    }
    Ok(())
}
