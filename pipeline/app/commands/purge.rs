//! `callmark purge`: calls older than a day go, or only what was said in them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use callmark_store::CallFilter;

use crate::FINISHED;
use crate::cli::{Common, Keep, PurgeArgs};
use crate::commands::forget::{LOOK_FIRST, Removal, named, today};
use crate::commands::{confirm, counted, existing_store, explain};

pub fn purge(args: &PurgeArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let store = store.as_ref();
    let before = match (&args.before, args.older_than) {
        (Some(day), _) => day.parse()?,
        (None, Some(age)) => today().checked_sub(age).context("this age is longer than the calendar")?,
        (None, None) => bail!("say which calls: --older-than AGE or --before DAY"),
    };
    let until = Some(before.yesterday().context("this day has no day before")?);
    let keep_scores = args.keep == Some(Keep::Scores);
    let dated = CallFilter { until, ..CallFilter::default() };
    let mut calls: BTreeSet<String> = store.call_ids(&dated).map_err(explain)?.into_iter().collect();
    let undated = store.call_ids(&CallFilter { undated: true, ..CallFilter::default() }).map_err(explain)?;
    let left = if args.undated { 0 } else { undated.len() };
    calls.extend(undated.into_iter().filter(|_| args.undated));
    if !common.quiet && left > 0 {
        let left = counted(left as u64, "call");
        eprintln!("left alone: {left} without a start date (hint: --undated purges them too, whatever their age)");
    }
    let touchpoints = store.purge_touchpoints(before, true).map_err(explain)?;
    if calls.is_empty() && !common.quiet {
        println!("no stored call began before {before}");
    }
    if (!calls.is_empty() || touchpoints > 0) && !args.dry_run && !args.yes {
        let what = if keep_scores { "remove the words of" } else { "forget" };
        let touched =
            if touchpoints > 0 { format!(", and {}", counted(touchpoints, "touchpoint")) } else { String::new() };
        confirm(&format!("{what} {} that began before {before}{touched}", named(&calls)), LOOK_FIRST)?;
    }
    let removal = Removal { out: &args.out, dry_run: args.dry_run, keep_scores, date: today(), touchpoints };
    let removed = removal.of_calls(&calls, store)?;
    store.purge_touchpoints(before, args.dry_run).map_err(explain)?;
    let unused = store.remove_unused(args.dry_run).map_err(explain)?;
    if calls.is_empty() && unused == 0 && touchpoints == 0 {
        return Ok(FINISHED);
    }
    if unused > 0 && !common.quiet {
        println!("transcripts and text scores that no call uses: {unused}");
    }
    removal.finish(&calls, &removed, store, common)
}
