//! The performance tables of all calls, as core makes them, kept so that a batch costs what its periods cost.
//!
//! `period_sums` holds core's sums of every period, `<table>_rows` the finished rows. Triggers write into `unsummed` whose
//! summary changed and which one the sums still hold. A refresh takes the former summaries away from the sums, adds the present
//! ones, and makes the rows of these periods again, and of the next ones of the same reps and teams, whose trends and breaks look
//! back at them: all in one transaction. Sums that were made with something else, or that do not hold what is to be taken
//! away, are made again from all summaries, day by day in bounded memory; so they are when more than a quarter of the calls changed.
//! Rows are stored as integers: decimals as thousandths under `<column>_milli`; a view with the name of the table divides them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError, mpsc};

use callmark_core::performance::additive::{Additive, NotHeld};
use callmark_core::performance::sums::{PeriodPart, PeriodSums, Rollup, SUMS_SCHEMA, Sums};
use callmark_core::performance::{
    CallSummary, PerformanceTable, PerformanceTables, PeriodKind, SUMMARY_SCHEMA, UNASSIGNED, dimension_rows,
    hour_rows, rep_rows, requirement_rows, team_rows,
};
use callmark_core::table::{Cell, CellType, Heading};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{put_summary, summary_of_record};
use crate::{ComparedPeriod, Refresh, Result, StoreError};

/// Calls whose summaries are parsed together: some 10 MB. A day in few chunks is merged with little work.
const CHUNK: usize = 5_000;
/// Reps of periods that are changed together: each takes about 15 KB of memory.
const MOST_SEATS: usize = 20_000;
/// Reps of a period from which on a second thread is worth its start.
const MANY_SEATS: usize = 100;
/// Periods whose sums stay in memory for the next ones, which are compared with them.
const RECENT: usize = 12;

/// Why sums are not brought up to date.
enum Failure {
    /// They are not those of the stored calls, or so much changed that making them again is less work.
    Rebuild,
    Store(StoreError),
}

type Attempt<T> = std::result::Result<T, Failure>;

impl<E: Into<StoreError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Store(error.into())
    }
}

/// What sums and rows were made with.
fn basis() -> String {
    let columns = PerformanceTable::ALL.iter().flat_map(|table| table.headings()).map(|heading| column(&heading));
    let version = env!("CARGO_PKG_VERSION");
    format!("sums {SUMS_SCHEMA}, summaries {SUMMARY_SCHEMA}, callmark {version}: {}", columns.collect::<String>())
}

fn is_current(connection: &Connection) -> Result<bool> {
    let found: Option<String> =
        connection.query_row("SELECT basis FROM performance_state", [], |row| row.get(0)).optional()?;
    Ok(found.is_some_and(|found| found == basis()))
}

/// Nothing changed since the last refresh.
pub(super) fn is_refreshed(connection: &Connection) -> Result<bool> {
    let changed = || connection.query_row("SELECT EXISTS (SELECT 1 FROM unsummed)", [], |row| row.get::<_, bool>(0));
    Ok(is_current(connection)? && !changed()?)
}

pub(super) fn refresh(transaction: &Transaction) -> Result<Refresh> {
    if is_refreshed(transaction)? {
        return Ok(Refresh::Unchanged);
    }
    if is_current(transaction)? {
        match update(transaction) {
            Ok(periods) => return Ok(Refresh::Updated { periods }),
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Rebuild) => {}
        }
    }
    match rebuild(transaction) {
        Ok(()) => Ok(Refresh::Rebuilt),
        Err(Failure::Store(error)) => Err(error),
        Err(Failure::Rebuild) => Err(StoreError::Damaged { what: "period_sums cannot be read back".into() }),
    }
}

/// Leaves nothing of calls that are gone: for sums that are not in use, that is nothing at all.
pub(super) fn forget_former(transaction: &Transaction) -> Result<()> {
    if is_current(transaction)? { refresh(transaction).map(drop) } else { clear(transaction) }
}

fn clear(transaction: &Transaction) -> Result<()> {
    for table in PerformanceTable::ALL {
        let name = table.name();
        transaction.execute_batch(&format!("DROP VIEW IF EXISTS {name}; DROP TABLE IF EXISTS {name}_rows;"))?;
    }
    transaction.execute_batch("DELETE FROM performance_state; DELETE FROM period_sums; DELETE FROM unsummed;")?;
    Ok(())
}

/// The column of a row table.
fn column(heading: &Heading) -> String {
    let unit = if heading.cell_type == CellType::Thousandths { "_milli" } else { "" };
    format!("\"{}{unit}\"", heading.name)
}

fn columns(table: PerformanceTable) -> String {
    table.headings().iter().map(column).collect::<Vec<_>>().join(", ")
}

fn create(transaction: &Transaction) -> Result<()> {
    for table in PerformanceTable::ALL {
        let (name, headings) = (table.name(), table.headings());
        let typed = headings.iter().map(|heading| match heading.cell_type {
            CellType::Text => format!("{} TEXT", column(heading)),
            CellType::Whole | CellType::Thousandths | CellType::Truth => format!("{} INTEGER", column(heading)),
        });
        let shown = headings.iter().map(|heading| match heading.cell_type {
            CellType::Thousandths => format!("{} / 1000.0 AS \"{}\"", column(heading), heading.name),
            CellType::Text | CellType::Whole | CellType::Truth => column(heading),
        });
        let (typed, shown) = (typed.collect::<Vec<_>>().join(", "), shown.collect::<Vec<_>>().join(", "));
        transaction.execute_batch(&format!(
            "CREATE TABLE {name}_rows (row INTEGER PRIMARY KEY, {typed}) STRICT; \
             CREATE INDEX {name}_rows_by_period ON {name}_rows (period_kind, period); \
             CREATE VIEW {name} AS SELECT {shown} FROM {name}_rows;"
        ))?;
    }
    // In which periods a rep or a team has counted calls.
    for (table, who) in [("rep_period", "rep_id"), ("team_period", "team")] {
        transaction.execute_batch(&format!(
            "CREATE INDEX {table}_rows_by_{who} ON {table}_rows ({who}, period_kind, period) WHERE mean_milli IS NOT NULL"
        ))?;
    }
    Ok(())
}

/// Merges the changes into the sums and makes the rows that depend on them: how many periods.
fn update(transaction: &Transaction) -> Attempt<u64> {
    let count = |table: &str| transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let (changed, calls): (i64, i64) = (count("unsummed")?, count("calls")?);
    // Making everything again is less work then.
    if changed > calls / 4 {
        return Err(Failure::Rebuild);
    }
    let mut tables = Tables::new(transaction);
    let (mut added, mut gone) = (Changes::default(), Changes::default());
    let mut select = transaction.prepare(
        "SELECT former, version, summary FROM unsummed LEFT JOIN summaries USING (call_no) ORDER BY call_no",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(former) = row.get::<_, Option<String>>(0)? {
            gone.push(&former)?;
        }
        match row.get::<_, Option<u32>>(1)? {
            Some(SUMMARY_SCHEMA) => added.push(&row.get::<_, String>(2)?)?,
            Some(_) => return Err(Failure::Rebuild),
            None => {}
        }
        if added.seats() + gone.seats() > MOST_SEATS {
            tables.merge(added.take(), gone.take())?;
        }
    }
    tables.merge(added.take(), gone.take())?;
    let periods = tables.make_rows()?;
    transaction.execute("DELETE FROM unsummed", [])?;
    Ok(periods)
}

/// Sums of summaries that come one by one.
#[derive(Default)]
struct Changes {
    waiting: Vec<CallSummary>,
    sums: Sums,
}

impl Changes {
    fn push(&mut self, summary: &str) -> Attempt<()> {
        self.waiting.push(serde_json::from_str(summary).map_err(|_| Failure::Rebuild)?);
        if self.waiting.len() >= CHUNK {
            self.sum();
        }
        Ok(())
    }

    fn sum(&mut self) {
        // Calls of one day together are merged into its periods once.
        self.waiting.sort_by(|a, b| a.start_ts.cmp(&b.start_ts));
        self.sums.include(&Sums::of(&self.waiting));
        self.waiting.clear();
    }

    /// Reps of periods in memory.
    fn seats(&self) -> usize {
        self.sums.0.values().map(|period| period.0.len()).sum()
    }

    fn take(&mut self) -> Sums {
        self.sum();
        std::mem::take(&mut self.sums)
    }
}

/// Makes sums and rows of all calls. Summaries are parsed and summed on all cores and merged by day on one thread, while this one
/// reads them and makes and writes the rows of the periods that ended.
fn rebuild(transaction: &Transaction) -> Attempt<()> {
    clear(transaction)?;
    create(transaction)?;
    summarise(transaction)?;
    let mut tables = Tables::new(transaction);
    let mut unreadable = Vec::new();
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let (to_workers, jobs) = mpsc::channel::<(usize, Chunk)>();
    let (to_merger, summed) = mpsc::channel::<(usize, Option<Summed>)>();
    let (to_writer, merged) = mpsc::channel::<Merged>();
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (jobs, to_merger) = (&jobs, to_merger.clone());
            scope.spawn(move || {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((index, chunk)) = job else { return };
                    // A chunk that nobody sends back would be waited for for ever.
                    let summed = catch_unwind(|| sum(&chunk)).ok();
                    let Ok(()) = to_merger.send((index, summed)) else { return };
                }
            });
        }
        drop(to_merger);
        scope.spawn(move || merge_in_order(&summed, &to_writer));
        // Moved in here, so that all threads end when this one does, however.
        let (to_workers, merged) = (to_workers, merged);
        let mut select = transaction.prepare(
            "SELECT c.start_date, c.call_no, s.summary FROM calls c CROSS JOIN summaries s ON s.call_no = c.call_no \
             ORDER BY c.start_date, c.call_no",
        )?;
        let mut chunks = Chunks { rows: select.query([])?, next: None };
        let (mut sent, mut written) = (0, 0);
        loop {
            while sent - written < 2 * workers + 2
                && let Some(chunk) = chunks.next()?
            {
                to_workers.send((sent, chunk)).map_err(|_| stopped())?;
                sent += 1;
            }
            if written == sent {
                break;
            }
            let part = merged.recv().map_err(|_| stopped())?;
            written += 1;
            unreadable.extend(part.unreadable);
            tables.take_in(part.ended)?;
        }
        drop(to_workers);
        tables.take_in(merged.recv().map_err(|_| stopped())?.ended)
    })?;
    let mut again = Changes::default();
    for call_no in unreadable {
        if let Some(summary) = summary_of_record(transaction, call_no)? {
            put_summary(transaction, call_no, &summary)?;
            again.waiting.push(summary);
        }
    }
    tables.merge(again.take(), Sums::default())?;
    tables.make_rows()?;
    // Written now, so that the triggers had nothing to do.
    transaction.execute("INSERT INTO performance_state VALUES (1, ?1)", [basis()])?;
    Ok(())
}

/// What ended with a chunk.
struct Merged {
    ended: Vec<PeriodPart>,
    unreadable: Vec<i64>,
}

/// Merges chunks in their order, and sends on what ended with each, and at the end the rest; stops at a chunk whose worker failed.
fn merge_in_order(summed: &mpsc::Receiver<(usize, Option<Summed>)>, to_writer: &mpsc::Sender<Merged>) {
    let mut rollup = Rollup::new(PeriodKind::ALL);
    let mut waiting: BTreeMap<usize, Summed> = BTreeMap::new();
    let mut next = 0;
    for (index, chunk) in summed {
        let Some(chunk) = chunk else { return };
        waiting.insert(index, chunk);
        while let Some(chunk) = waiting.remove(&next) {
            next += 1;
            let ended = chunk.by_date.into_iter().flat_map(|(date, sums)| rollup.add(date, sums)).collect();
            let Ok(()) = to_writer.send(Merged { ended, unreadable: chunk.unreadable }) else { return };
        }
    }
    // Nobody waits for it when the writer failed.
    to_writer.send(Merged { ended: rollup.finish(), unreadable: Vec::new() }).unwrap_or_default();
}

fn stopped() -> StoreError {
    StoreError::Invalid { what: "a thread that makes the performance tables stopped".into() }
}

/// Makes summaries that are missing or of another version.
fn summarise(transaction: &Transaction) -> Result<()> {
    let mut select = transaction.prepare(
        "SELECT call_no FROM calls LEFT JOIN summaries USING (call_no) WHERE version IS NOT ?1 ORDER BY call_no",
    )?;
    let calls: Vec<i64> = select.query_map([SUMMARY_SCHEMA], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for call_no in calls {
        if let Some(summary) = summary_of_record(transaction, call_no)? {
            put_summary(transaction, call_no, &summary)?;
        }
    }
    Ok(())
}

/// Summaries of calls of one day.
type Chunk = Vec<(i64, String)>;

struct Chunks<'a> {
    rows: rusqlite::Rows<'a>,
    /// The first of the next chunk.
    next: Option<(Option<String>, i64, String)>,
}

impl Chunks<'_> {
    fn next(&mut self) -> Result<Option<Chunk>> {
        let mut chunk = Vec::new();
        let mut day = None;
        loop {
            if self.next.is_none() {
                self.next = self
                    .rows
                    .next()?
                    .map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .transpose()?;
            }
            match self.next.take() {
                Some((date, call_no, summary)) if chunk.is_empty() || (date == day && chunk.len() < CHUNK) => {
                    day = date;
                    chunk.push((call_no, summary));
                }
                other => {
                    self.next = other;
                    return Ok((!chunk.is_empty()).then_some(chunk));
                }
            }
        }
    }
}

/// A chunk after a worker had it.
struct Summed {
    by_date: BTreeMap<Option<String>, PeriodSums>,
    unreadable: Vec<i64>,
}

fn sum(chunk: &Chunk) -> Summed {
    let mut summed = Summed { by_date: BTreeMap::new(), unreadable: Vec::new() };
    for (call_no, json) in chunk {
        match serde_json::from_str::<CallSummary>(json) {
            Ok(call) => {
                let date = PeriodKind::Day.period(call.start_ts.as_deref());
                summed.by_date.entry(date).or_default().add(&call);
            }
            Err(_) => summed.unreadable.push(*call_no),
        }
    }
    summed
}

/// Periods before another one, the latest first.
type Earlier = Vec<(String, Rc<PeriodSums>)>;

/// Sums and rows of one transaction.
struct Tables<'a> {
    connection: &'a Connection,
    /// Periods whose rows are to be made, the earliest first: later ones are compared with them.
    stale: BTreeSet<(PeriodKind, String)>,
    recent: VecDeque<((PeriodKind, String), Rc<PeriodSums>)>,
}

impl Tables<'_> {
    fn new(connection: &Connection) -> Tables<'_> {
        Tables { connection, stale: BTreeSet::new(), recent: VecDeque::new() }
    }

    fn take_in(&mut self, parts: Vec<PeriodPart>) -> Attempt<()> {
        for part in parts {
            self.change(part.kind, &part.period, Some(&part.sums), None)?;
        }
        self.make_rows().map(drop)
    }

    fn merge(&mut self, added: Sums, gone: Sums) -> Attempt<()> {
        let touched: BTreeSet<&(PeriodKind, String)> = added.0.keys().chain(gone.0.keys()).collect();
        for key in touched {
            self.change(key.0, &key.1, added.0.get(key), gone.0.get(key))?;
        }
        Ok(())
    }

    /// Adds to the sums of a period and takes away from them.
    fn change(
        &mut self,
        kind: PeriodKind,
        period: &str,
        added: Option<&PeriodSums>,
        gone: Option<&PeriodSums>,
    ) -> Attempt<()> {
        let loaded = self.load(kind, period)?;
        // Nobody else holds it then: it is not copied.
        self.forget(kind, period);
        let mut sums = Rc::unwrap_or_clone(loaded);
        if let Some(added) = added {
            sums.include(added);
        }
        if let Some(gone) = gone {
            sums.take_away(gone).map_err(|NotHeld| Failure::Rebuild)?;
        }
        if sums.is_empty() {
            let sql = "DELETE FROM period_sums WHERE kind = ?1 AND period = ?2";
            self.connection.prepare_cached(sql)?.execute([kind.id(), period])?;
        } else {
            let sql = "INSERT INTO period_sums VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET sums = excluded.sums";
            self.connection.prepare_cached(sql)?.execute(params![kind.id(), period, encode(&sums)?])?;
        }
        self.remember(kind, period, Rc::new(sums));
        self.stale.insert((kind, period.to_string()));
        let seats = || added.iter().chain(&gone).flat_map(|sums| sums.0.keys());
        let reps: BTreeSet<&str> = seats().map(|seat| seat.rep_id.as_str()).collect();
        let teams: BTreeSet<Option<&str>> = seats().map(|seat| seat.team.as_deref()).collect();
        for next in self.neighbours(kind, period, Side::Next, &reps, &teams)? {
            self.stale.insert((kind, next));
        }
        Ok(())
    }

    /// The nearest periods before or after this one in which each of these reps and teams has counted calls, by the rows.
    fn neighbours(
        &self,
        kind: PeriodKind,
        period: &str,
        side: Side,
        reps: &BTreeSet<&str>,
        teams: &BTreeSet<Option<&str>>,
    ) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        if kind == PeriodKind::All {
            return Ok(found);
        }
        let nearest = match side {
            Side::Before => "max(period) FROM {} AND period < ?3",
            Side::Next => "min(period) FROM {} AND period > ?3",
        };
        let rows = |table: &str, who: &str| {
            let rows = format!("{table}_rows WHERE {who} IS ?1 AND period_kind = ?2 AND mean_milli IS NOT NULL");
            format!("SELECT {}", nearest.replace("{}", &rows))
        };
        let mut of_rep = self.connection.prepare_cached(&rows("rep_period", "rep_id"))?;
        for rep in reps {
            found.extend(of_rep.query_row(params![rep, kind.id(), period], |row| row.get::<_, Option<String>>(0))?);
        }
        let mut of_team = self.connection.prepare_cached(&rows("team_period", "team"))?;
        for team in teams {
            found.extend(of_team.query_row(params![team, kind.id(), period], |row| row.get::<_, Option<String>>(0))?);
        }
        Ok(found)
    }

    fn load(&mut self, kind: PeriodKind, period: &str) -> Attempt<Rc<PeriodSums>> {
        if let Some((_, sums)) = self.recent.iter().find(|((k, p), _)| *k == kind && p == period) {
            return Ok(sums.clone());
        }
        let sql = "SELECT sums FROM period_sums WHERE kind = ?1 AND period = ?2";
        let bytes: Option<Vec<u8>> =
            self.connection.prepare_cached(sql)?.query_row([kind.id(), period], |row| row.get(0)).optional()?;
        let sums = Rc::new(bytes.map_or(Some(PeriodSums::default()), |bytes| decode(&bytes)).ok_or(Failure::Rebuild)?);
        self.remember(kind, period, sums.clone());
        Ok(sums)
    }

    fn forget(&mut self, kind: PeriodKind, period: &str) {
        self.recent.retain(|((k, p), _)| *k != kind || p != period);
    }

    fn remember(&mut self, kind: PeriodKind, period: &str, sums: Rc<PeriodSums>) {
        self.forget(kind, period);
        self.recent.push_front(((kind, period.to_string()), sums));
        self.recent.truncate(RECENT);
    }

    /// The period, and what its rows are compared with, the latest first.
    fn compared(&mut self, kind: PeriodKind, period: &str) -> Attempt<(Rc<PeriodSums>, Earlier)> {
        let now = self.load(kind, period)?;
        let reps = now.0.keys().map(|seat| seat.rep_id.as_str()).filter(|rep| *rep != UNASSIGNED).collect();
        let teams = now.0.keys().map(|seat| seat.team.as_deref()).collect();
        let earlier = self.neighbours(kind, period, Side::Before, &reps, &teams)?;
        let earlier = earlier.into_iter().rev().map(|before| {
            let sums = self.load(kind, &before)?;
            Ok((before, sums))
        });
        let earlier = earlier.collect::<Attempt<_>>()?;
        Ok((now, earlier))
    }

    /// Makes the rows of stale periods: how many periods.
    fn make_rows(&mut self) -> Attempt<u64> {
        let mut periods = 0;
        while let Some((kind, period)) = self.stale.pop_first() {
            periods += 1;
            for table in PerformanceTable::ALL {
                let sql = format!("DELETE FROM {}_rows WHERE period_kind = ?1 AND period = ?2", table.name());
                self.connection.prepare_cached(&sql)?.execute([kind.id(), &period])?;
            }
            let (now, earlier) = self.compared(kind, &period)?;
            let earlier: Vec<(&str, &PeriodSums)> =
                earlier.iter().map(|(p, sums)| (p.as_str(), sums.as_ref())).collect();
            let made = make(kind, &period, &now, &earlier)?;
            for table in PerformanceTable::ALL {
                let places = vec!["?"; table.headings().len()].join(", ");
                let sql = format!("INSERT INTO {}_rows ({}) VALUES ({places})", table.name(), columns(table));
                let mut insert = self.connection.prepare_cached(&sql)?;
                for cells in table.rows(&made) {
                    insert.execute(rusqlite::params_from_iter(cells.into_iter().map(value)))?;
                }
            }
        }
        Ok(periods)
    }
}

/// [`PerformanceTables::of_period`]; in a large period the rows by dimension, which are most, at the same time as all others.
fn make(
    kind: PeriodKind,
    period: &str,
    now: &PeriodSums,
    earlier: &[(&str, &PeriodSums)],
) -> Result<PerformanceTables> {
    if now.0.len() < MANY_SEATS {
        return Ok(PerformanceTables::of_period(kind, period, now, earlier));
    }
    std::thread::scope(|scope| {
        let dimensions = scope.spawn(|| dimension_rows(kind, period, now, earlier));
        Ok(PerformanceTables {
            reps: rep_rows(kind, period, now, earlier),
            teams: team_rows(kind, period, now, earlier),
            requirements: requirement_rows(kind, period, now),
            hours: if kind.compares_hours() { hour_rows(kind, period, now) } else { Vec::new() },
            dimensions: dimensions.join().map_err(|_| stopped())?,
        })
    })
}

enum Side {
    Before,
    Next,
}

fn encode(sums: &PeriodSums) -> Result<Vec<u8>> {
    let failed =
        |what: &dyn std::fmt::Display| StoreError::Invalid { what: format!("sums have no stored form: {what}") };
    let bytes = postcard::to_allocvec(sums).map_err(|e| failed(&e))?;
    snap::raw::Encoder::new().compress_vec(&bytes).map_err(|e| failed(&e))
}

fn decode(bytes: &[u8]) -> Option<PeriodSums> {
    let bytes = snap::raw::Decoder::new().decompress_vec(bytes).ok()?;
    postcard::from_bytes(&bytes).ok()
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::Text(text),
        Cell::Whole(number) | Cell::Thousandths(number) => Value::Integer(number),
        Cell::Truth(truth) => Value::Integer(truth.into()),
        Cell::Empty => Value::Null,
    }
}

fn check_current(connection: &Connection) -> Result<()> {
    if is_current(connection)? {
        return Ok(());
    }
    Err(StoreError::Invalid { what: "the performance tables were read before they were made".into() })
}

pub(super) fn periods(connection: &Connection, kind: PeriodKind) -> Result<Vec<String>> {
    check_current(connection)?;
    let mut select = connection.prepare_cached("SELECT period FROM period_sums WHERE kind = ?1 ORDER BY period")?;
    let rows = select.query_map([kind.id()], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn rows(
    connection: &Connection,
    table: PerformanceTable,
    kind: PeriodKind,
    period: &str,
) -> Result<Vec<Vec<Cell>>> {
    check_current(connection)?;
    let headings = table.headings();
    let sql = format!(
        "SELECT {} FROM {}_rows WHERE period_kind = ?1 AND period = ?2 ORDER BY row",
        columns(table),
        table.name()
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([kind.id(), period])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cell = |(n, heading): (usize, &Heading)| {
            Ok(match heading.cell_type {
                CellType::Text => row.get::<_, Option<String>>(n)?.map_or(Cell::Empty, Cell::Text),
                CellType::Whole => row.get::<_, Option<i64>>(n)?.map_or(Cell::Empty, Cell::Whole),
                CellType::Thousandths => row.get::<_, Option<i64>>(n)?.map_or(Cell::Empty, Cell::Thousandths),
                CellType::Truth => row.get::<_, Option<bool>>(n)?.map_or(Cell::Empty, Cell::Truth),
            })
        };
        found.push(headings.iter().enumerate().map(cell).collect::<rusqlite::Result<_>>()?);
    }
    Ok(found)
}

pub(super) fn compared(connection: &Connection, kind: PeriodKind, period: &str) -> Result<ComparedPeriod> {
    check_current(connection)?;
    let mut tables = Tables::new(connection);
    let (now, earlier) = tables.compared(kind, period).map_err(|failure| match failure {
        Failure::Store(error) => error,
        Failure::Rebuild => StoreError::Damaged { what: "period_sums cannot be read back".into() },
    })?;
    drop(tables);
    let earlier = earlier.into_iter().map(|(period, sums)| (period, Rc::unwrap_or_clone(sums))).collect();
    Ok(ComparedPeriod { sums: Rc::unwrap_or_clone(now), earlier })
}
