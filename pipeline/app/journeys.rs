//! The journeys of a store: touchpoints and the calls of their customers, judged as of a day. Used by `journeys`, `digest`, `export` and the report.

use std::collections::BTreeSet;

use anyhow::Result;
use callmark_core::journey::{self, CallTalk, OpportunityRow, Touchpoint};
use callmark_store::{CallFilter, KeptTalk, Store};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::commands::explain;
use crate::config::Config;
use crate::read::activity::rep_of;
use crate::read::metadata::reps::Reps;

/// All opportunities on a day, by what needs attention first.
#[derive(Clone, Debug)]
pub struct Journeys {
    pub as_of: Date,
    pub rows: Vec<OpportunityRow>,
    /// What was imported up to then, by time.
    pub touchpoints: Vec<Touchpoint>,
}

/// The day that opportunities are judged on.
#[derive(Clone, Copy, Debug)]
pub enum AsOf {
    Day(Date),
    /// The last one of which there are touchpoints or calls of their customers, none after this one (today, if none is given): what nobody
    /// imported yet is not neglected.
    LastKnown(Option<Date>),
}

/// All opportunities; `None` while nothing was imported up to that day.
///
/// # Errors
/// The store cannot be read.
pub fn journeys(store: &dyn Store, config: &Config, as_of: AsOf) -> Result<Option<Journeys>> {
    let until = match as_of {
        AsOf::Day(day) | AsOf::LastKnown(Some(day)) => day,
        AsOf::LastKnown(None) => jiff::Zoned::now().date(),
    };
    let reps = Reps::new(&config.reps);
    let mut touchpoints = store.touchpoints(Some(until)).map_err(explain)?;
    for touchpoint in &mut touchpoints {
        // Aliases that are learned later hold for earlier rows.
        touchpoint.rep_id = rep_of(&reps, &touchpoint.rep_id, touchpoint.at.day);
    }
    if touchpoints.is_empty() {
        return Ok(None);
    }
    let customers: BTreeSet<&String> = touchpoints.iter().filter_map(|of| of.customer_id.as_ref()).collect();
    let mut ids = Vec::new();
    for customer in customers {
        let of = CallFilter { customer: Some(customer.clone()), until: Some(until), ..CallFilter::default() };
        ids.extend(store.call_ids(&of).map_err(explain)?);
    }
    let calls = talks(store, &ids)?;
    let days = touchpoints.iter().map(|touchpoint| touchpoint.at.day);
    let days = days.chain(calls.iter().filter_map(|call| Some(call.at?.day)));
    let as_of = match as_of {
        AsOf::Day(day) => day,
        AsOf::LastKnown(_) => days.max().unwrap_or(until),
    };
    let rows = journey::journeys(&touchpoints, &calls, as_of, &config.journey.settings());
    Ok(Some(Journeys { as_of, rows, touchpoints }))
}

/// What journeys look at in these calls. Records are large and phrases are looked for in every turn, so what was made of a record is kept.
fn talks(store: &dyn Store, ids: &[String]) -> Result<Vec<CallTalk>> {
    let version = CallTalk::version();
    let kept = store.talks(ids, &version).map_err(explain)?;
    let missing: Vec<&String> = ids.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(id, _)| id).collect();
    let mut calls: Vec<CallTalk> = kept.into_iter().flatten().collect();
    let make = |id: &&String| -> Result<Option<KeptTalk>> {
        let stored = store.get_call(id).map_err(explain)?;
        // Another process may have removed it meanwhile.
        Ok(stored.map(|s| KeptTalk { talk: CallTalk::of(&s.record), evaluation_key: s.evaluation_key }))
    };
    let made = missing.par_iter().filter_map(|id| make(id).transpose()).collect::<Result<Vec<KeptTalk>>>()?;
    if !made.is_empty()
        && let Err(error) = store.put_talks(&version, &made)
    {
        tracing::warn!("{error}; {} calls will be searched for mentions again next time", made.len());
    }
    calls.extend(made.into_iter().map(|made| made.talk));
    Ok(calls)
}
