//! Imported touchpoints: put, read, forgotten with their customer, purged by age.

use callmark_core::journey::{Touchpoint, TouchpointKind};
use callmark_core::recording::sha256_hex;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::forget::{change, remember};
use crate::{Result, StoreError};

/// What stands for a forgotten customer or opportunity.
fn key(of: &str, id: &str) -> String {
    sha256_hex(format!("{of}\n{id}").as_bytes())
}

fn is_gone(transaction: &Transaction, touchpoint: &Touchpoint) -> Result<bool> {
    let ids = [("customer", &touchpoint.customer_id), ("opportunity", &touchpoint.opportunity_id)];
    for key in ids.into_iter().filter_map(|(of, id)| Some(key(of, id.as_deref()?))) {
        let sql = "SELECT 1 FROM tombstones WHERE key = ?1";
        let found: Option<i64> = transaction.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn put(
    transaction: &Transaction,
    source: &str,
    row_ids: &[String],
    touchpoints: &[Touchpoint],
) -> Result<u64> {
    let mut left_out = 0;
    for row_id in row_ids {
        change(transaction, "DELETE FROM touchpoints WHERE source = ?1 AND row_id = ?2", &[source, row_id])?;
    }
    let mut insert =
        transaction.prepare_cached("INSERT OR REPLACE INTO touchpoints VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for touchpoint in touchpoints {
        if is_gone(transaction, touchpoint)? {
            left_out += 1;
            continue;
        }
        insert.execute(params![
            touchpoint.source,
            touchpoint.row_id,
            touchpoint.kind.id(),
            touchpoint.opportunity_id,
            touchpoint.customer_id,
            touchpoint.rep_id,
            touchpoint.at.to_string(),
            touchpoint.value_milli,
            touchpoint.text,
        ])?;
    }
    Ok(left_out)
}

fn touchpoint(row: &Row) -> Result<Touchpoint> {
    let (kind, at): (String, String) = (row.get(2)?, row.get(6)?);
    let damaged = |column: &str| StoreError::Damaged { what: format!("touchpoints.{column} has an unknown value") };
    Ok(Touchpoint {
        source: row.get(0)?,
        row_id: row.get(1)?,
        kind: TouchpointKind::of_id(&kind).ok_or_else(|| damaged("kind"))?,
        opportunity_id: row.get(3)?,
        customer_id: row.get(4)?,
        rep_id: row.get(5)?,
        at: at.parse().map_err(|_| damaged("at"))?,
        value_milli: row.get(7)?,
        text: row.get(8)?,
    })
}

pub(super) fn until(connection: &Connection, until: Option<Date>) -> Result<Vec<Touchpoint>> {
    let mut statement = connection.prepare_cached(
        "SELECT source, row_id, kind, opportunity_id, customer_id, rep_id, at, value_milli, text FROM touchpoints \
         WHERE substr(at, 1, 10) <= coalesce(?1, '~') ORDER BY at, source, row_id, kind",
    )?;
    let mut rows = statement.query([until.map(|day| day.to_string())])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(touchpoint(row)?);
    }
    Ok(found)
}

pub(super) fn forget_customer(transaction: &Transaction, customer_id: &str, date: Date) -> Result<u64> {
    let opportunities: Vec<String> = transaction
        .prepare_cached(
            "SELECT DISTINCT opportunity_id FROM touchpoints WHERE customer_id = ?1 AND opportunity_id IS NOT NULL",
        )?
        .query_map([customer_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    remember(transaction, &key("customer", customer_id), "forgotten", date)?;
    let mut removed = change(transaction, "DELETE FROM touchpoints WHERE customer_id = ?1", &[customer_id])?;
    for opportunity in &opportunities {
        remember(transaction, &key("opportunity", opportunity), "forgotten", date)?;
        removed += change(transaction, "DELETE FROM touchpoints WHERE opportunity_id = ?1", &[opportunity])?;
    }
    Ok(removed)
}

pub(super) fn purge(transaction: &Transaction, before: Date) -> Result<u64> {
    change(transaction, "DELETE FROM touchpoints WHERE at < ?1", &[&before.to_string()])
}
