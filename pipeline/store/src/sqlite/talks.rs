//! What journeys look at in each call, kept beside its record and no longer than its words.

use callmark_core::journey::CallTalk;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::to_json;
use crate::{KeptTalk, Result};

pub(super) fn get(connection: &Connection, call_ids: &[String], version: &str) -> Result<Vec<Option<CallTalk>>> {
    let mut select = connection.prepare_cached(
        "SELECT talk FROM talks JOIN calls USING (call_no) WHERE call_id = ?1 AND version = ?2 \
         AND talks.evaluation_key = calls.evaluation_key",
    )?;
    let mut talk = |call_id: &String| {
        let json: Option<String> = select.query_row([call_id.as_str(), version], |row| row.get(0)).optional()?;
        // What cannot be read is made again.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    };
    call_ids.iter().map(&mut talk).collect()
}

/// Leaves out calls that were evaluated anew, forgotten or purged since their record was read.
pub(super) fn put(transaction: &Transaction, version: &str, talks: &[KeptTalk]) -> Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO talks SELECT call_no, ?2, evaluation_key, ?4 FROM calls \
         WHERE call_id = ?1 AND evaluation_key = ?3 AND words_purged = 0",
    )?;
    for KeptTalk { evaluation_key, talk } in talks {
        insert.execute(params![talk.call_id, version, evaluation_key, to_json(talk)?])?;
    }
    Ok(())
}

pub(super) fn remove(transaction: &Transaction, call_no: i64) -> Result<()> {
    transaction.prepare_cached("DELETE FROM talks WHERE call_no = ?1")?.execute([call_no])?;
    Ok(())
}
