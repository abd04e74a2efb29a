//! The full-text index: written with the turns, in their transaction; asked with words that cannot be a syntax error.

use std::collections::HashMap;

use callmark_core::transcript::Role;
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params};

use super::{condition, links, name, variant};
use crate::search::{Phrase, SearchHit, SearchQuery, SearchResults, Terms, index_text};
use crate::{Result, StoreError};

/// A rowid of the index is `call_no << TURN_BITS | turn`: room for a million turns in a call.
const TURN_BITS: u32 = 20;

fn rowid(call_no: i64, turn: i64) -> Result<i64> {
    if !(0..1 << TURN_BITS).contains(&turn) {
        return Err(StoreError::Invalid { what: "a call has more than a million turns".into() });
    }
    Ok(call_no << TURN_BITS | turn)
}

/// The index's column for a role. Others on the line share that of speakers who could not be told apart.
fn column(role: &str) -> &'static str {
    match role {
        "rep" => "rep",
        "customer" => "customer",
        _ => "unknown",
    }
}

pub(super) fn add_turn(transaction: &Transaction, call_no: i64, turn: i64, role: &str, text: &str) -> Result<()> {
    let words = index_text(text);
    if words.is_empty() {
        return Ok(());
    }
    let sql = format!("INSERT INTO search (rowid, {}) VALUES (?1, ?2)", column(role));
    transaction.prepare_cached(&sql)?.execute(params![rowid(call_no, turn)?, words])?;
    Ok(())
}

/// Takes a call's turns out of the index. To be called while `turns` still holds them: the index keeps no text.
pub(super) fn remove_call(transaction: &Transaction, call_id: &str) -> Result<()> {
    let mut select = transaction.prepare_cached(
        "SELECT c.call_no, t.turn, t.role, t.text FROM turns t JOIN calls c USING (call_id) WHERE call_id = ?1",
    )?;
    let mut rows = select.query([call_id])?;
    while let Some(row) = rows.next()? {
        let (call_no, turn): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (role, text): (String, String) = (row.get(2)?, row.get(3)?);
        let words = index_text(&text);
        if !words.is_empty() {
            let sql = format!("INSERT INTO search (search, rowid, {}) VALUES ('delete', ?1, ?2)", column(&role));
            transaction.prepare_cached(&sql)?.execute(params![rowid(call_no, turn)?, words])?;
        }
    }
    Ok(())
}

/// Fills the index from the turns of a store that had none.
pub(super) fn index_all(transaction: &Transaction) -> Result<()> {
    let mut select = transaction.prepare(
        "SELECT c.call_no, t.turn, t.role, t.text FROM turns t JOIN calls c USING (call_id) ORDER BY c.call_no, t.turn",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (role, text): (String, String) = (row.get(2)?, row.get(3)?);
        add_turn(transaction, row.get(0)?, row.get(1)?, &role, &text)?;
    }
    Ok(())
}

/// A phrase in FTS5's language. Its words are letters and digits only, so nothing in it can be an operator.
fn fts_phrase(phrase: &Phrase) -> String {
    format!("\"{}\"{}", phrase.words.join(" "), if phrase.open { " *" } else { "" })
}

fn fts_all(terms: &Terms) -> String {
    terms.phrases.iter().map(fts_phrase).collect::<Vec<_>>().join(" AND ")
}

fn in_role(role: Option<Role>, expression: &str) -> Result<String> {
    Ok(match role {
        Some(role) => format!("{} : ({expression})", column(&name(&role)?)),
        None => expression.to_string(),
    })
}

pub(super) fn search(connection: &mut Connection, query: &SearchQuery) -> Result<SearchResults> {
    // One snapshot for index, turns and calls, whatever is written meanwhile.
    let transaction = connection.transaction()?;
    let all = fts_all(&query.terms);
    let mut results = count(&transaction, query, &all)?;
    if results.turns == 0 {
        return Ok(results);
    }
    // A query of one phrase has nothing that comes second.
    let whole = query.terms.whole().map(|whole| fts_phrase(&whole));
    let (first, rest) = match whole {
        Some(whole) if whole != all => (whole.clone(), Some(format!("({all}) NOT {whole}"))),
        Some(whole) => (whole, None),
        None => (String::new(), Some(all)),
    };
    if !first.is_empty() {
        add_hits(&transaction, query, &first, true, &mut results)?;
    }
    if let Some(rest) = rest {
        add_hits(&transaction, query, &rest, false, &mut results)?;
    }
    Ok(results)
}

/// The part of a statement after its columns, and its values: the expression is ?1.
fn from_where(query: &SearchQuery, expression: &str) -> Result<(String, Vec<Value>)> {
    let expression = Value::Text(in_role(query.role, expression)?);
    let (terms, values) = condition(&query.calls, vec![expression]);
    let and = if terms.is_empty() { String::new() } else { format!(" AND {terms}") };
    let from = "FROM search s CROSS JOIN calls c ON c.call_no = s.rowid >> 20 WHERE search MATCH ?1";
    Ok((format!("{from}{and}"), values))
}

fn count(transaction: &Transaction, query: &SearchQuery, expression: &str) -> Result<SearchResults> {
    let (from, values) = from_where(query, expression)?;
    let sql = format!("SELECT count(*), count(DISTINCT c.call_no) {from}");
    let (turns, calls): (i64, i64) = transaction
        .prepare_cached(&sql)?
        .query_row(rusqlite::params_from_iter(&values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(SearchResults { hits: Vec::new(), turns: turns.unsigned_abs(), calls: calls.unsigned_abs() })
}

fn add_hits(
    transaction: &Transaction,
    query: &SearchQuery,
    expression: &str,
    is_phrase: bool,
    results: &mut SearchResults,
) -> Result<()> {
    let wanted = query.limit - results.hits.len();
    if wanted == 0 {
        return Ok(());
    }
    let (from, values) = from_where(query, expression)?;
    let sql = format!(
        "SELECT c.call_id, s.rowid & 1048575 {from} \
         ORDER BY c.start_date DESC NULLS LAST, c.start_ts DESC, c.call_no DESC, s.rowid LIMIT {wanted}"
    );
    let mut select = transaction.prepare(&sql)?;
    let found = select.query_map(rusqlite::params_from_iter(&values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut turn = transaction.prepare_cached(
        "SELECT t.role, t.begin_ms, t.end_ms, t.text, c.medium, c.rep_id, c.team, c.start_ts \
         FROM turns t JOIN calls c USING (call_id) WHERE t.call_id = ?1 AND t.turn = ?2",
    )?;
    let mut recordings = HashMap::new();
    for found in found {
        let (call_id, index): (String, u32) = found?;
        let hit = turn.query_row(params![call_id, index], |row| {
            let medium: String = row.get(4)?;
            Ok((
                row.get::<_, String>(0)?,
                SearchHit {
                    call_id: call_id.clone(),
                    turn: index,
                    role: Role::Unknown,
                    timed: medium != "text",
                    begin_ms: row.get(1)?,
                    end_ms: row.get(2)?,
                    text: row.get(3)?,
                    is_phrase,
                    rep_id: row.get(5)?,
                    team: row.get(6)?,
                    start_ts: row.get(7)?,
                    recordings: Vec::new(),
                },
            ))
        });
        let (role, mut hit) = hit?;
        hit.role = variant(role, "turns.role")?;
        if !recordings.contains_key(&call_id) {
            recordings.insert(call_id.clone(), links(transaction, &call_id)?);
        }
        hit.recordings = recordings.get(&call_id).cloned().unwrap_or_default();
        results.hits.push(hit);
    }
    Ok(())
}
