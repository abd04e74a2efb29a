//! One file per command: from arguments to an exit code.

pub mod backup;
pub mod bench;
pub mod coach;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod eval;
pub mod export;
pub mod forget;
pub mod generate;
pub mod import;
pub mod indicators;
pub mod journeys;
pub mod models;
pub mod purge;
pub mod report;
pub mod reps;
pub mod review;
pub mod roles;
pub mod run;
pub mod score;
pub mod scorecard;
pub mod search;
pub mod show;
mod terminal_table;
pub mod watch;

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_store::{Store, StoreError};

use crate::cli::Common;
use crate::install::default_store;

/// The URL of the store: flag or environment, else the user's data folder.
pub fn store_url(common: &Common) -> Result<String> {
    if let Some(url) = &common.store {
        return Ok(url.clone());
    }
    let path =
        default_store().ok_or_else(|| anyhow!("no place for the store\nhint: give --store FILE, or set HOME"))?;
    Ok(path.to_string_lossy().into_owned())
}

/// A store error with its hint.
pub fn explain(error: StoreError) -> anyhow::Error {
    let hint = error.hint();
    anyhow!("{error}\nhint: {hint}")
}

/// `1 call`, `20 calls`.
pub fn counted(n: u64, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// Asks on the terminal; without one `--yes` is needed.
pub fn confirm(what: &str, hint: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("to {what} needs a confirmation\nhint: {hint}");
    }
    eprint!("{what}? This cannot be undone. Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    if answer.trim() != "yes" {
        bail!("nothing was changed");
    }
    Ok(())
}

/// Opens the store of earlier runs.
pub fn existing_store(common: &Common) -> Result<Box<dyn Store>> {
    callmark_store::open_existing(&store_url(common)?).map_err(explain)
}

/// The one call that a person means by an id, its beginning, or a file name.
pub fn find_one(store: &dyn Store, query: &str) -> Result<String> {
    let mut found = store.find_call(query).map_err(explain)?;
    if found.is_empty()
        && let Some(tombstone) = store.tombstone(query, "").map_err(explain)?
    {
        bail!(
            "the call {query} was forgotten on {}\nhint: nothing of it is left, and it is not taken in again",
            tombstone.date
        );
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!(
            "there is no call `{query}` in the store\nhint: `callmark reps` shows whether the store is the right one (--store)"
        ),
        n => bail!(
            "`{query}` may be any of {n} calls: {}\nhint: give more of the id",
            found.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
        ),
    }
}
