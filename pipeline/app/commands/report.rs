//! `callmark report`: the report over stored calls.

use anyhow::{Result, bail};
use callmark_store::CallFilter;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::FINISHED;
use crate::analysis::Analyst;
use crate::cli::{Common, ReportArgs};
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::install::Install;
use crate::journeys::{AsOf, journeys};
use crate::render::indicators::{self, Indicators};
use crate::render::outputs;
use crate::render::report::{self, History, Options, Scope};

/// How far before the report trends may look: the longest month and the one before.
const HISTORY_DAYS: i64 = 62;

pub fn report(args: &ReportArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let config = Config::load(common)?;
    let analyst = Analyst::load(args.scorecard.as_deref(), &config, &Install::find()?)?;
    outputs::prepare_folder(&args.out)?;
    let since = args.since.as_deref().map(str::parse::<Date>).transpose()?;
    let rep = args.rep.as_deref().map(|name| config.rep_id(name));
    let of_whom = CallFilter { rep, team: args.team.clone(), ..CallFilter::default() };
    let everything = args.rep.is_none() && args.team.is_none();
    // A week without calls is a week; a rep or team without any is a typing mistake.
    if !everything && store.count_calls(&of_whom).map_err(explain)? == 0 {
        bail!("the store holds no call of that rep or team\nhint: `callmark reps` lists them");
    }
    let filter = CallFilter { since, ..of_whom };
    let history = match since {
        Some(since) => {
            let since = since.saturating_sub(HISTORY_DAYS.days());
            store.summaries(&CallFilter { since: Some(since), ..filter.clone() }).map_err(explain)?
        }
        None => Vec::new(),
    };
    let failures = if everything { store.failures().map_err(explain)? } else { Vec::new() };
    let until = args.until.as_deref().map(str::parse).transpose()?;
    // Opportunities are the whole house's.
    let opportunities = if everything { journeys(store.as_ref(), &config, AsOf::LastKnown(until))? } else { None };
    let found = Indicators::of(store.as_ref(), &config)?;
    let journey_items = config.journey.settings().items;
    let scope = Scope {
        calls: store.call_ids(&filter).map_err(explain)?,
        failures: failures.into_iter().map(Into::into).collect(),
        until,
        history: if history.is_empty() { History::Report } else { History::Calls(&history) },
        journeys: opportunities.as_ref(),
        journey_items: &journey_items,
        indicators: found.as_ref().filter(|_| everything),
        reps: &config.reps,
    };
    let options = Options {
        language: args.language.unwrap_or(config.report.language),
        clips: args.clips.unwrap_or(config.report.clips),
        scorecards: analyst.scorecards(),
        layout: args.layout,
    };
    let written = report::write(&args.out, store.as_ref(), &scope, &options)?;
    indicators::write(&args.out, found.as_ref())?;
    if !common.quiet {
        println!("report: {} ({} files, {:.1} MB)", written.start.display(), written.pages, written.bytes as f64 / 1e6);
    }
    Ok(FINISHED)
}
