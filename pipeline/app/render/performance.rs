//! The performance tables: of all stored calls the rows that the store keeps, of some calls made from their summaries.

use anyhow::Result;
use callmark_core::performance::sums::PeriodSums;
use callmark_core::performance::{PerformanceTable, PerformanceTables, PeriodKind, RepRow, rep_rows};
use callmark_core::table::Cell;
use callmark_store::{CallFilter, Store};

use crate::commands::explain;

/// Gives `each` row of the tables over all stored calls, by table, kind of period (the longest first), period, and the rest of its key.
/// Memory is bounded by the rows of one period.
///
/// # Errors
/// The store's, and those of `each`.
pub fn stored_rows(
    store: &dyn Store,
    table: PerformanceTable,
    kinds: &[PeriodKind],
    mut each: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    store.refresh_performance().map_err(explain)?;
    for kind in PeriodKind::ALL.iter().rev().filter(|kind| kinds.contains(kind)) {
        for period in store.performance_periods(*kind).map_err(explain)? {
            store.performance_rows(table, *kind, &period).map_err(explain)?.into_iter().try_for_each(&mut each)?;
        }
    }
    Ok(())
}

/// The same over the calls of a filter, from their summaries, which are in memory together.
///
/// # Errors
/// The store's, and those of `each`.
pub fn filtered_rows(
    store: &dyn Store,
    filter: &CallFilter,
    mut each: impl FnMut(PerformanceTable, Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let made = PerformanceTables::of(&store.summaries(filter).map_err(explain)?);
    PerformanceTable::ALL.iter().try_for_each(|table| table.rows(&made).try_for_each(|row| each(*table, row)))
}

/// The rep rows of one period over all stored calls, with everything that does not fit into a table's cells but the calls that show the
/// improvement points.
///
/// # Errors
/// The store's.
pub fn stored_period(store: &dyn Store, kind: PeriodKind, period: &str) -> Result<Vec<RepRow>> {
    store.refresh_performance().map_err(explain)?;
    let compared = store.compared_period(kind, period).map_err(explain)?;
    let earlier: Vec<(&str, &PeriodSums)> = compared.earlier.iter().map(|(p, sums)| (p.as_str(), sums)).collect();
    Ok(rep_rows(kind, period, &compared.sums, &earlier))
}
