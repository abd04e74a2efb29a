//! `callmark forget`: everything that callmark holds of a call goes, and stays gone. Also what `purge` shares with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use callmark_store::{CallFilter, Removed, Store};
use jiff::civil::Date;

use crate::FINISHED;
use crate::cli::{Common, ForgetArgs};
use crate::commands::{confirm, counted, existing_store, explain, find_one};
use crate::config::Config;
use crate::render::{erase, indicators};

pub(super) const LOOK_FIRST: &str = "look with --dry-run, then give --yes";

/// The recording of a file: its id when the bytes can be read, and its path.
struct Recording {
    id: Option<String>,
    path: String,
}

pub fn forget(args: &ForgetArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let store = store.as_ref();
    let mut recording = None;
    let mut calls = BTreeSet::new();
    let mut touchpoints = 0;
    if let Some(customer) = &args.customer {
        let filter = CallFilter { customer: Some(customer.clone()), ..CallFilter::default() };
        calls.extend(store.call_ids(&filter).map_err(explain)?);
        touchpoints = store.forget_customer(customer, today(), true).map_err(explain)?;
        if calls.is_empty() && touchpoints == 0 {
            bail!(
                "no stored call or touchpoint has the customer `{customer}`\nhint: the customer_id of the metadata is meant"
            );
        }
    } else if let Some(file) = &args.recording {
        let of = identify(file)?;
        calls.extend(calls_of(&of, file, store)?);
        if calls.is_empty() {
            recording = Some(of);
        }
    } else if let Some(call) = &args.call {
        // A call that was forgotten may have left files behind when that was stopped half-way.
        let gone = store.tombstone(call, "").map_err(explain)?.is_some();
        calls.insert(if gone { call.clone() } else { find_one(store, call)? });
    }
    let removal = Removal { out: &args.out, dry_run: args.dry_run, keep_scores: false, date: today(), touchpoints };
    if !args.dry_run && !args.yes {
        let what = match &recording {
            Some(recording) => format!("forget the recording {}", recording.path),
            None if touchpoints > 0 => format!("forget {} and {}", named(&calls), counted(touchpoints, "touchpoint")),
            None => format!("forget {}", named(&calls)),
        };
        confirm(&what, LOOK_FIRST)?;
    }
    let mut removed = removal.of_calls(&calls, store)?;
    if let Some(customer) = &args.customer {
        store.forget_customer(customer, removal.date, args.dry_run).map_err(explain)?;
    }
    if let Some(recording) = &recording {
        let of = store.forget_recording(recording.id.as_deref(), Some(&recording.path), removal.date, args.dry_run);
        add(&mut removed, of.map_err(explain)?);
    }
    removal.finish(&calls, &removed, store, common)
}

/// The day that stands on a tombstone.
pub(super) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn identify(file: &Path) -> Result<Recording> {
    let path = std::path::absolute(file)?.to_string_lossy().into_owned();
    let id = match callmark_models::manifest::file_sha256(file) {
        Ok(id) => Some(id),
        Err(_) if !file.exists() => None,
        Err(error) => bail!("{error}"),
    };
    Ok(Recording { id, path })
}

/// The calls of a recording: by its bytes, or by its name when the file is gone.
fn calls_of(recording: &Recording, file: &Path, store: &dyn Store) -> Result<Vec<String>> {
    if let Some(id) = &recording.id {
        return store.calls_of_recording(id).map_err(explain);
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut calls = Vec::new();
    for query in [file.to_string_lossy(), name] {
        for call in store.find_call(&query).map_err(explain)? {
            let links = store.recordings(&call).map_err(explain)?;
            if links.iter().any(|link| link.path == *query || link.path.ends_with(&format!("/{query}"))) {
                calls.push(call);
            }
        }
        if !calls.is_empty() {
            break;
        }
    }
    Ok(calls)
}

/// `the call C-1` or `3 calls`.
pub(super) fn named(calls: &BTreeSet<String>) -> String {
    match calls.first() {
        Some(one) if calls.len() == 1 => format!("the call {one}"),
        _ => counted(calls.len() as u64, "call"),
    }
}

fn add(sum: &mut Removed, more: Removed) {
    sum.calls += more.calls;
    sum.turns += more.turns;
    sum.ledger_rows += more.ledger_rows;
    sum.transcripts += more.transcripts;
    sum.text_scores += more.text_scores;
    sum.file_hashes += more.file_hashes;
    sum.failures += more.failures;
    sum.reviews += more.reviews;
    sum.recordings.extend(more.recordings);
    sum.shared_with.extend(more.shared_with);
}

/// How calls are removed: for good, or their words alone.
pub(super) struct Removal<'a> {
    pub out: &'a Path,
    pub dry_run: bool,
    pub keep_scores: bool,
    pub date: Date,
    /// Imported touchpoints that go, too.
    pub touchpoints: u64,
}

impl Removal<'_> {
    pub fn of_calls(&self, calls: &BTreeSet<String>, store: &dyn Store) -> Result<Removed> {
        let mut removed = Removed::default();
        for call in calls {
            let of = match self.keep_scores {
                true => store.purge_words(call, self.date, self.dry_run),
                false => store.forget_call(call, self.date, self.dry_run),
            };
            add(&mut removed, of.map_err(explain)?);
        }
        // A call that is forgotten too keeps nothing.
        removed.shared_with.retain(|call| !calls.contains(call));
        Ok(removed)
    }

    /// Removes the outputs and the traces, and says what went.
    pub fn finish(
        &self,
        calls: &BTreeSet<String>,
        removed: &Removed,
        store: &dyn Store,
        common: &Common,
    ) -> Result<u8> {
        let mut outputs = erase::outputs(self.out, calls, self.keep_scores, store, self.dry_run)?;
        if calls.is_empty() && self.touchpoints > 0 {
            outputs = erase::pages(self.out, self.dry_run)?;
        }
        if !common.quiet {
            self.report(removed, &outputs);
        }
        if self.dry_run {
            return Ok(FINISHED);
        }
        let backups = store.erase_traces().map_err(|error| {
            let hint = error.hint();
            anyhow!(
                "it is done, but bytes of it may still lie in unused parts of the store: {error}\n\
                 hint: {hint}; then give the same command again, when no run is at work"
            )
        })?;
        for path in backups.iter().filter(|_| !common.quiet) {
            println!("removed {} (the store as it was before an upgrade)", path.display());
        }
        // Last, for a mistake in the configuration must not keep anything.
        indicators::refresh(self.out, store, &Config::load(common)?)?;
        Ok(FINISHED)
    }

    fn report(&self, removed: &Removed, outputs: &erase::Erased) {
        let verb = match (self.dry_run, self.keep_scores) {
            (true, _) => "would remove",
            (false, true) => "removed the words of",
            (false, false) => "removed",
        };
        println!(
            "{verb} {}: {}, {}, {}, {}, {}, {}",
            counted(removed.calls, "call"),
            counted(removed.turns, "turn"),
            counted(removed.ledger_rows, "ledger row"),
            counted(removed.transcripts, "transcript"),
            counted(removed.text_scores, "text score"),
            counted(removed.file_hashes, "file name"),
            counted(removed.failures, "failure")
        );
        if self.touchpoints > 0 {
            println!("  {verb} {}", counted(self.touchpoints, "touchpoint"));
        }
        if removed.reviews > 0 {
            let decisions = counted(removed.reviews, "review decision");
            println!("  {decisions} stay for the statistics, without their text");
        }
        let list = |verb: &str, paths: &[PathBuf]| {
            for path in paths.iter().take(SHOWN) {
                println!("  {verb} {}", path.display());
            }
            if paths.len() > SHOWN {
                println!("  {verb} {} more files", paths.len() - SHOWN);
            }
        };
        let (gone, rewritten) = if self.dry_run { ("would remove", "would rewrite") } else { ("removed", "rewritten") };
        list(gone, &outputs.removed);
        list(rewritten, &outputs.rewritten);
        if outputs.report {
            println!("  the report showed these calls; `callmark report` makes it again");
        }
        for link in removed.recordings.iter().take(SHOWN) {
            println!("  the recording itself is yours and stays: {}", link.path);
        }
        if removed.recordings.len() > SHOWN {
            println!("  {} more recordings stay", removed.recordings.len() - SHOWN);
        }
        for call in &removed.shared_with {
            println!("  the call {call} was made from the same recording and stays");
        }
    }
}

/// So many files of a kind are listed by name.
const SHOWN: usize = 20;
