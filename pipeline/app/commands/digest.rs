//! `callmark digest`: the page for the morning meeting about the calls of one day.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use callmark_store::CallFilter;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::FINISHED;
use crate::analysis::Analyst;
use crate::cli::{Common, DigestArgs};
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::install::Install;
use crate::journeys::{AsOf, journeys};
use crate::render::outputs;
use crate::render::report::{History, Options, Scope, morning};

/// Who needs attention and what is missed often is judged by the four weeks up to the day.
const HISTORY_DAYS: i64 = 27;

pub fn digest(args: &DigestArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let config = Config::load(common)?;
    let analyst = Analyst::load(None, &config, &Install::find()?)?;
    outputs::prepare_folder(&args.out)?;
    let team = CallFilter { team: args.team.clone(), ..CallFilter::default() };
    let day: Date = match &args.date {
        Some(date) => date.parse()?,
        None => {
            let Some(last) = store.last_day(&team).map_err(explain)? else {
                bail!("the store holds no call with a start time\nhint: metadata give it (column start_ts)");
            };
            last
        }
    };
    let of_day = CallFilter { since: Some(day), until: Some(day), ..team.clone() };
    let since = Some(day.saturating_sub(HISTORY_DAYS.days()));
    let history = store.summaries(&CallFilter { since, until: Some(day), ..team }).map_err(explain)?;
    let calls = store.call_ids(&of_day).map_err(explain)?;
    if calls.is_empty() {
        bail!("the store holds no call of {day}\nhint: `callmark digest` without --date takes the last day with calls");
    }
    let mut opportunities = journeys(store.as_ref(), &config, AsOf::LastKnown(Some(day)))?;
    if let Some(opportunities) = opportunities.as_mut().filter(|_| args.team.is_some()) {
        // A team's reps are those of its calls.
        let reps: BTreeSet<&str> = history.iter().filter_map(|call| call.rep_id.as_deref()).collect();
        opportunities.rows.retain(|row| reps.contains(row.rep_id.as_str()));
    }
    let journey_items = config.journey.settings().items;
    let scope = Scope {
        calls,
        failures: Vec::new(),
        until: Some(day),
        history: History::Calls(&history),
        journeys: opportunities.as_ref(),
        journey_items: &journey_items,
        ..Scope::default()
    };
    let options = Options {
        language: args.language.unwrap_or(config.report.language),
        clips: args.clips.unwrap_or(config.report.clips),
        scorecards: analyst.scorecards(),
        layout: None,
    };
    let made = morning::morning(store.as_ref(), &scope, &options)?;
    let [html, markdown] = morning::write(&args.out, &format!("digest-{day}"), &made)?;
    if !common.quiet {
        println!("digest: {} and {}", html.display(), markdown.display());
    }
    Ok(FINISHED)
}
