//! callmark's store: one place for the results of all nights. One trait, one back-end per file, one conformance suite.
//!
//! Useful for: one writer and many readers on one machine, hundreds of thousands of calls.
//! Not useful for: a database file on a network file system (SQLite's locks do not hold there).
//!
//! Every `put` is an idempotent upsert in one transaction: a process that is killed leaves the old state or the new one.

mod error;
mod search;
mod sqlite;

use std::path::{Path, PathBuf};

use callmark_core::journey::{CallTalk, Touchpoint};
use callmark_core::performance::sums::PeriodSums;
use callmark_core::performance::{CallSummary, PerformanceTable, PeriodKind};
use callmark_core::record::{CallRecord, Decision, Outcome, Review, ReviewSource};
use callmark_core::table::Cell;
use callmark_core::transcript::{Embedding, Transcript, TurnScores};
use jiff::civil::Date;

pub use error::StoreError;
pub use search::{Phrase, SearchHit, SearchQuery, SearchResults, Terms};

/// Version of the stored schema; a store with a higher one is refused, one with a lower one is migrated.
pub const STORE_SCHEMA: u32 = 9;

type Result<T> = std::result::Result<T, StoreError>;

/// What identifies an unchanged file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamp {
    pub path: String,
    pub size: u64,
    pub mtime_ns: i64,
    /// 0 where the file system has none.
    pub inode: u64,
}

/// A recogniser's result for one recording (or one set of per-side recordings, under the first one's id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisRow {
    pub recording_id: String,
    /// Hash over the recogniser, the voice-activity model and their options.
    pub model_key: String,
    pub transcript: Transcript,
}

/// A recording that a call was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingLink {
    pub recording_id: String,
    /// Where the file lay when it was last seen.
    pub path: String,
}

/// A call as stored: `record_json` is byte for byte what [`record_json`] made of `record` when it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    pub record: CallRecord,
    pub record_json: String,
    pub evaluation_key: String,
    /// The words are gone ([`CallRecord::without_words`]): the call is shown and counted, but cannot be scored again.
    pub words_purged: bool,
}

/// Which calls to read; `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Civil date as written in the call's start stamp; calls without a start have no period and are left out.
    pub since: Option<Date>,
    /// The last day that is wanted.
    pub until: Option<Date>,
    pub rep: Option<String>,
    pub team: Option<String>,
    pub customer: Option<String>,
    /// Only calls without a start.
    pub undated: bool,
}

/// A recording that could not be processed. Tried once per program version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRow {
    /// The recording id, or the path when the bytes could not be read.
    pub key: String,
    pub file_name: String,
    pub stage: String,
    pub cause: String,
    pub hint: String,
    pub program_version: String,
}

/// A decision to append; the store gives it its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReview {
    pub call_id: String,
    pub requirement_id: String,
    pub reviewer: String,
    pub source: ReviewSource,
    pub inclusion_permille: u16,
    pub blind: bool,
    pub decision: Decision,
    pub reason: String,
    /// Must be the id of a stored review.
    pub appeal_of: Option<i64>,
    pub is_final: bool,
    /// RFC 3339.
    pub ts: String,
}

/// One row of a call log or a sales system, as it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    /// Where it comes from, as the configuration names it.
    pub source: String,
    /// The source's own id of the row: a row that comes again replaces the former one.
    pub row_id: String,
    pub rep_id: String,
    pub day: Date,
    /// JSON.
    pub row: String,
}

/// What journeys look at in a call, with the evaluation that it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTalk {
    pub evaluation_key: String,
    pub talk: CallTalk,
}

/// What is left of something that was forgotten or purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    Forgotten,
    /// Scores and times are kept.
    WordsPurged,
}

/// Why something must not be taken in again, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub gone: Gone,
    pub date: Date,
}

/// What was removed with a call or a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Calls, or calls whose words were removed.
    pub calls: u64,
    pub turns: u64,
    pub ledger_rows: u64,
    pub transcripts: u64,
    pub text_scores: u64,
    pub file_hashes: u64,
    pub failures: u64,
    /// Decisions that stay without their text.
    pub reviews: u64,
    /// Where the recordings lay; callmark never deletes those.
    pub recordings: Vec<RecordingLink>,
    /// Other calls made from the same bytes: they keep them.
    pub shared_with: Vec<String>,
}

/// What a backup holds, read back from the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub size_bytes: u64,
    pub calls: u64,
    pub turns: u64,
    pub reviews: u64,
}

/// How large a store is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    pub schema_version: u32,
    pub calls: u64,
    pub words_purged: u64,
    pub turns: u64,
    pub failures: u64,
    pub reviews: u64,
    pub tombstones: u64,
    /// The store's file with its write-ahead log.
    pub size_bytes: u64,
    /// Pages inside the file that nothing uses.
    pub free_bytes: u64,
    /// `(size_bytes - free_bytes) / calls`.
    pub bytes_per_call: u64,
}

/// What a refresh of the performance tables did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    Unchanged,
    /// So many periods were made again from what changed.
    Updated {
        periods: u64,
    },
    /// Everything was made again from the summaries of all calls.
    Rebuilt,
}

/// The sums of a period with those that its rows are compared with, as [`PerformanceTables::of_period`] takes them.
///
/// [`PerformanceTables::of_period`]: callmark_core::performance::PerformanceTables::of_period
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedPeriod {
    /// Empty for a period without calls.
    pub sums: PeriodSums,
    /// The latest first.
    pub earlier: Vec<(String, PeriodSums)>,
}

/// A sequence of stored calls, read one by one so that memory stays bounded.
pub type Calls<'a> = Box<dyn Iterator<Item = Result<StoredCall>> + 'a>;

/// Where results live. Shared between threads by reference; writes are serialised inside.
pub trait Store: Send + Sync {
    /// The schema version of the open store.
    fn schema_version(&self) -> Result<u32>;

    /// Remembers the hash of a file's bytes; one row per path.
    fn put_file(&self, stamp: &FileStamp, recording_id: &str) -> Result<()>;
    /// The hash of an unchanged file; `None` when path, size, mtime or inode differ.
    fn get_file(&self, stamp: &FileStamp) -> Result<Option<String>>;

    fn put_analysis(&self, row: &AnalysisRow) -> Result<()>;
    fn get_analysis(&self, recording_id: &str, model_key: &str) -> Result<Option<Transcript>>;
    /// What every model made of a recording, by model key.
    fn analyses_of(&self, recording_id: &str) -> Result<Vec<AnalysisRow>>;
    /// Recordings with a transcript out of which not all of these kinds of personal data were taken, by their names; sorted.
    fn recordings_with_words(&self, entities: &[&str]) -> Result<Vec<String>>;

    /// Keeps what the text models said about a call's turns, in the place of anything they said before: an embedding tells of
    /// its sentence, also after a number was taken out. `models_hash` covers encoder and sentiment model.
    fn put_text_scores(
        &self,
        call_id: &str,
        models_hash: &str,
        transcript_hash: &str,
        scores: &TurnScores,
    ) -> Result<()>;
    fn get_text_scores(&self, call_id: &str, models_hash: &str, transcript_hash: &str) -> Result<Option<TurnScores>>;

    /// Keeps embeddings of scorecard phrases. The first one stored for a text stays, so that a re-score on a machine whose
    /// encoder rounds differently gives the same bytes.
    fn put_phrases(&self, encoder_hash: &str, phrases: &[(String, Embedding)]) -> Result<()>;
    /// One entry per text, in order.
    fn get_phrases(&self, encoder_hash: &str, texts: &[String]) -> Result<Vec<Option<Embedding>>>;

    /// Remembers what a scorecard's results depend on, by its hash; the first stays.
    fn put_scorecard(&self, hash: &str, fingerprints: &str) -> Result<()>;
    /// All of them, by hash.
    fn scorecards(&self) -> Result<Vec<(String, String)>>;

    /// Stores a call with its flattened rows and its recordings, and clears its recordings' failures, all or nothing.
    /// Without `recordings` (a re-score) those it has stay. False: the call or a recording of it was forgotten or purged
    /// meanwhile, and nothing was stored; the other `put`s leave such things out too.
    fn put_call(&self, record: &CallRecord, evaluation_key: &str, recordings: &[RecordingLink]) -> Result<bool>;
    /// Re-scores: as [`Store::put_call`] without recordings, for several calls in one transaction; true for each that was stored.
    fn put_rescored(&self, calls: &[(CallRecord, String)]) -> Result<Vec<bool>>;
    fn get_call(&self, call_id: &str) -> Result<Option<StoredCall>>;
    /// Removes a call with its rows and text scores; transcripts stay with their recordings, reviews are never removed.
    fn remove_call(&self, call_id: &str) -> Result<()>;
    /// Gives a call another id, with everything that belongs to it: decisions follow their call. Its evaluation no longer
    /// holds. When there is a call with the new id already, that one stays and only the decisions move.
    fn rename_call(&self, former: &str, call_id: &str) -> Result<()>;
    /// Call ids that a person may mean, sorted: the exact id alone; else calls made from a file of that name (with or without
    /// its extension); else ids that begin with `query`.
    fn find_call(&self, query: &str) -> Result<Vec<String>>;
    fn evaluation_key(&self, call_id: &str) -> Result<Option<String>>;
    /// Ids in order, without reading the records.
    fn call_ids(&self, filter: &CallFilter) -> Result<Vec<String>>;
    fn count_calls(&self, filter: &CallFilter) -> Result<u64>;
    /// Records in call_id order, read lazily; a call that another process removes meanwhile is left out.
    fn calls(&self, filter: &CallFilter) -> Result<Calls<'_>>;
    /// What the rep tables need of the calls, in call_id order, without reading their records.
    fn summaries(&self, filter: &CallFilter) -> Result<Vec<CallSummary>>;
    /// The last day with calls.
    fn last_day(&self, filter: &CallFilter) -> Result<Option<Date>>;

    /// Brings the performance tables of all calls to what is stored, all or nothing: what follows reads them as they were at the last
    /// refresh. A batch costs what the rows of its periods cost; after a change of version everything is made again.
    fn refresh_performance(&self) -> Result<Refresh>;
    /// Periods of a kind with calls, the earliest first.
    fn performance_periods(&self, kind: PeriodKind) -> Result<Vec<String>>;
    /// The rows of one period, equal to those of [`PerformanceTables::of`] all summaries.
    ///
    /// [`PerformanceTables::of`]: callmark_core::performance::PerformanceTables::of
    fn performance_rows(&self, table: PerformanceTable, kind: PeriodKind, period: &str) -> Result<Vec<Vec<Cell>>>;
    /// What the rows of one period are made from.
    fn compared_period(&self, kind: PeriodKind, period: &str) -> Result<ComparedPeriod>;

    /// The recordings of a call, by recording id.
    fn recordings(&self, call_id: &str) -> Result<Vec<RecordingLink>>;
    /// The calls made from a recording, sorted (more than one when the same bytes came under several call ids).
    fn calls_of_recording(&self, recording_id: &str) -> Result<Vec<String>>;

    /// Replaces any earlier failure under the same key.
    fn put_failure(&self, row: &FailureRow) -> Result<()>;
    /// `None` when the key never failed under this program version: then it is tried again.
    fn get_failure(&self, key: &str, program_version: &str) -> Result<Option<FailureRow>>;
    fn clear_failure(&self, key: &str) -> Result<()>;
    /// Sorted by file name and key.
    fn failures(&self) -> Result<Vec<FailureRow>>;

    fn append_review(&self, review: &NewReview) -> Result<Review>;
    /// In the order they were appended. A forgotten call's decisions stay, without their text, under an id that says nothing.
    fn reviews(&self, call_id: &str) -> Result<Vec<Review>>;
    fn all_reviews(&self) -> Result<Vec<Review>>;
    /// The result that a forgotten call's decision was about; `None` when its call is not forgotten or had no such row.
    fn reviewed_result(&self, review_id: i64) -> Result<Option<Outcome>>;

    /// Keeps imported rows, all or none; each in the place of the one of the same source and id. How many were new.
    fn put_activity(&self, rows: &[ActivityRow]) -> Result<u64>;
    /// Removes every imported row and touchpoint of a source: how many rows.
    fn remove_source(&self, source: &str, dry_run: bool) -> Result<u64>;
    /// Imported rows of these days, by day, rep, source and id.
    fn activity(&self, since: Option<Date>, until: Option<Date>) -> Result<Vec<ActivityRow>>;

    /// Keeps the touchpoints of these rows of a source in the place of those that the rows had, all or none. Customers and opportunities that
    /// were forgotten are left out: how many touchpoints.
    fn put_touchpoints(&self, source: &str, row_ids: &[String], touchpoints: &[Touchpoint]) -> Result<u64>;
    /// Touchpoints up to this day, by time, source, row and kind.
    fn touchpoints(&self, until: Option<Date>) -> Result<Vec<Touchpoint>>;
    /// Removes the touchpoints of a customer and of the customer's opportunities, and remembers hashes of their ids so that they are not taken in
    /// again: how many.
    fn forget_customer(&self, customer_id: &str, date: Date, dry_run: bool) -> Result<u64>;
    /// Removes the touchpoints before this day: how many.
    fn purge_touchpoints(&self, before: Date, dry_run: bool) -> Result<u64>;

    /// Keeps what journeys look at in calls, all or none, but for calls that were evaluated anew, forgotten or purged meanwhile.
    fn put_talks(&self, version: &str, talks: &[KeptTalk]) -> Result<()>;
    /// One entry per call, in order; `None` unless what was kept is of this version and of the call's present evaluation.
    fn talks(&self, call_ids: &[String], version: &str) -> Result<Vec<Option<CallTalk>>>;

    /// Appends what happened to a coaching plan (JSON).
    fn append_coaching(&self, plan_id: &str, event: &str) -> Result<()>;
    /// Plan id and event, in the order they were appended.
    fn coaching(&self) -> Result<Vec<(String, String)>>;

    /// Turns that answer a query.
    fn search(&self, query: &SearchQuery) -> Result<SearchResults>;

    /// Removes everything about a call and about its recordings that no other call uses, and remembers hashes of their ids so
    /// that they are not taken in again. A `dry_run` says the same and changes nothing. A call that is not there is still
    /// remembered.
    fn forget_call(&self, call_id: &str, date: Date, dry_run: bool) -> Result<Removed>;
    /// The same for a recording that made no call, by its id, its path, or both.
    fn forget_recording(
        &self,
        recording_id: Option<&str>,
        path: Option<&str>,
        date: Date,
        dry_run: bool,
    ) -> Result<Removed>;
    /// Removes what was said in a call and who the customer was; scores, points and times stay.
    fn purge_words(&self, call_id: &str, date: Date, dry_run: bool) -> Result<Removed>;
    /// Removes transcripts and text scores that no call uses (a killed run leaves such, and nothing dates them): how many.
    /// Harmless beside a run: at worst a recording is transcribed again.
    fn remove_unused(&self, dry_run: bool) -> Result<u64>;
    /// Whether a call or a recording was forgotten or purged; either may be empty.
    fn tombstone(&self, call_id: &str, recording_id: &str) -> Result<Option<Tombstone>>;
    /// Takes away what removed rows leave behind: bytes in unused pages, the write-ahead log, and backups made by migrations,
    /// which are returned.
    fn erase_traces(&self) -> Result<Vec<PathBuf>>;

    /// Copies the store while others read and write it, reads the copy back, and puts it at `path` whole or not at all.
    fn backup_to(&self, path: &Path, overwrite: bool) -> Result<BackupReport>;
    fn statistics(&self) -> Result<StoreStatistics>;
}

/// Opens a store, making it when it does not exist: `sqlite:PATH` or a plain path (`sqlite::memory:` for tests).
pub fn open(url: &str) -> Result<Box<dyn Store>> {
    open_with(url, true)
}

/// Opens a store that must exist already.
pub fn open_existing(url: &str) -> Result<Box<dyn Store>> {
    open_with(url, false)
}

fn open_with(url: &str, create: bool) -> Result<Box<dyn Store>> {
    Ok(Box::new(sqlite::SqliteStore::open(sqlite_path(url)?, create)?))
}

/// The file that a store URL names; `:memory:` is SQLite's own name for a store without a file.
fn sqlite_path(url: &str) -> Result<&str> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(StoreError::Invalid { what: "the store URL names no file".into() });
        }
        return Ok(path);
    }
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.or_else(|| ["postgres", "postgresql"].into_iter().find(|s| url.starts_with(&format!("{s}:"))));
    match scheme {
        Some(scheme) => Err(StoreError::UnknownBackEnd { scheme: scheme.to_string() }),
        None if url.is_empty() => Err(StoreError::Invalid { what: "the store URL names no file".into() }),
        None => Ok(url),
    }
}

/// A record's canonical JSON: keys in the order of the types, no white space. Equal records give equal bytes.
pub fn record_json(record: &CallRecord) -> Result<String> {
    serde_json::to_string(record).map_err(|e| StoreError::Invalid { what: format!("a record has no JSON form: {e}") })
}
