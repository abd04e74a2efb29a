//! A scorecard tried on the stored calls: read in groups, judged in parallel, in order of call id, nothing written.

use std::path::Path;

use anyhow::{Result, bail};
use callmark_core::record::Status;
use callmark_store::{CallFilter, Store};
use rayon::prelude::*;

use crate::analysis::Analyst;
use crate::cli::{Common, TrialArgs};
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::install::Install;
use crate::stored_calls::{Input, StoredCalls};

/// Calls in memory at once.
const GROUP: usize = 64;

/// Stored calls on which scorecards are tried.
pub struct Trial {
    store: Box<dyn Store>,
    calls: StoredCalls,
    ids: Vec<String>,
    /// The calls were scored with a scorecard of the name that is tried; else there were none, and these are all.
    pub by_name: bool,
}

impl Trial {
    /// Prepares the analysts, each of which has one scorecard for every call, and chooses the calls: those that were scored with a
    /// scorecard of one of their names, or all when there are none.
    ///
    /// # Errors
    /// The store cannot be read, or holds no call that can be judged.
    pub fn open(analysts: &mut [&mut Analyst], args: &TrialArgs, common: &Common) -> Result<Trial> {
        let (config, install) = (Config::load(common)?, Install::find()?);
        let store = existing_store(common)?;
        let mut warnings = Vec::new();
        let calls = StoredCalls::open(&config, &install, store.as_ref(), &mut warnings)?;
        let mut names = Vec::new();
        for analyst in analysts {
            analyst.load_precision(store.as_ref())?;
            calls.prepare(analyst, store.as_ref())?;
            names.extend(analyst.scorecards().iter().map(|s| s.name.clone()));
        }
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
        let since = args.since.as_deref().map(str::parse).transpose()?;
        let mut chosen = store.summaries(&CallFilter { since, ..CallFilter::default() }).map_err(explain)?;
        chosen.retain(|call| call.status != Status::Failed);
        let by_name = chosen.iter().any(|call| names.contains(&call.scorecard));
        chosen.retain(|call| !by_name || names.contains(&call.scorecard));
        if let Some(since) = args.since.as_deref().filter(|_| chosen.is_empty()) {
            bail!(
                "no call that can be tried started on or after {since}\nhint: `--since` leaves out calls without a start time; without it all are taken"
            );
        }
        if chosen.is_empty() {
            bail!(
                "the store holds no calls to try the scorecard on\nhint: `callmark run` fills it; --store names another"
            );
        }
        Ok(Trial { store, calls, ids: chosen.into_iter().map(|call| call.call_id).collect(), by_name })
    }

    /// Judges every call that still has its words, in parallel within a group, and adds the results to `state` in order of call id.
    pub fn each<S: Sync, T: Send>(
        &self,
        analyst: &Analyst,
        state: &mut S,
        judge: impl Fn(&S, Input) -> T + Sync,
        add: impl Fn(&mut S, T),
    ) -> Result<()> {
        for group in self.ids.chunks(GROUP) {
            let so_far: &S = state;
            let one = |id: &String| -> Result<Option<T>> {
                let stored = self.store.get_call(id).map_err(explain)?.filter(|stored| !stored.words_purged);
                stored
                    .map(|stored| Ok(judge(so_far, self.calls.input(stored, analyst, self.store.as_ref())?)))
                    .transpose()
            };
            let judged: Result<Vec<Option<T>>> = group.par_iter().map(one).collect();
            judged?.into_iter().flatten().for_each(|result| add(state, result));
        }
        Ok(())
    }
}

/// An analyst with one scorecard for every call.
pub fn analyst(file: &Path, common: &Common) -> Result<Analyst> {
    Analyst::load(Some(file), &Config::load(common)?, &Install::find()?)
}
