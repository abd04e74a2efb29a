//! `callmark coach`: plans from a warning to the re-check that says whether coaching helped, and the days on which that is due.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use callmark_core::performance::{
    Attention, AttentionLines, CoachingEffect, CoachingEvent, CoachingPlan, CoachingVerdict, PeriodKind, RepRow, Stage,
    Target, Windows, attention, name_worst_calls,
};
use callmark_core::redaction::redact_text;
use callmark_store::{CallFilter, Store};
use icalendar::{Calendar, Component as _, Event, Property};
use jiff::civil::Date;
use serde::Serialize;

use crate::FINISHED;
use crate::cli::{CoachCheckArgs, CoachCommand, CoachListArgs, CoachPlanArgs, CoachStage, CoachStepArgs, Common};
use crate::coaching_plans::{amount, plans};
use crate::commands::terminal_table::table;
use crate::commands::{existing_store, explain};
use crate::config::Config;
use crate::render::call_page::points;
use crate::render::performance::stored_period;

pub fn coach(command: &CoachCommand, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let store = store.as_ref();
    match command {
        CoachCommand::Plan(args) => plan(args, store, common)?,
        CoachCommand::Step(args) => step(args, store, common)?,
        CoachCommand::List(args) => list(args, store)?,
        CoachCommand::Check(args) => check(args, store)?,
        CoachCommand::Calendar => calendar(store)?,
    }
    Ok(FINISHED)
}

fn today(day: Option<&String>) -> Result<Date> {
    day.map_or_else(|| Ok(jiff::Zoned::now().date()), |day| Ok(day.parse()?))
}

fn append(store: &dyn Store, plan_id: &str, event: &CoachingEvent) -> Result<()> {
    store.append_coaching(plan_id, &serde_json::to_string(event)?).map_err(explain)
}

fn find(store: &dyn Store, plan_id: &str) -> Result<CoachingPlan> {
    let found = plans(store)?.into_iter().find(|plan| plan.plan_id.eq_ignore_ascii_case(plan_id));
    found.ok_or_else(|| anyhow!("there is no plan {plan_id}\nhint: `callmark coach list --all` shows them"))
}

/// The rep's row over everything that is stored, with the calls behind its improvement points.
fn rep_row(store: &dyn Store, rep_id: &str) -> Result<RepRow> {
    let mut rows = stored_period(store, PeriodKind::All, "all")?;
    let Some(place) = rows.iter().position(|row| row.rep_id == rep_id) else {
        let names: Vec<&str> = rows.iter().map(|row| row.rep_id.as_str()).collect();
        bail!("the store holds no call of the rep `{rep_id}`\nhint: it knows {}", names.join(", "));
    };
    let mut row = rows.swap_remove(place);
    let of_rep = CallFilter { rep: Some(rep_id.to_string()), ..CallFilter::default() };
    name_worst_calls(&mut row.top3, store.summaries(&of_rep).map_err(explain)?.iter());
    Ok(row)
}

/// Why the rep is looked at, and what would be won where: the diagnosis, from the rep table.
fn diagnosis(row: &RepRow) -> String {
    let mut text = String::new();
    for reason in attention(row, &AttentionLines::default()) {
        let _ = match reason {
            Attention::ConfirmedFatal { calls } => writeln!(text, "  confirmed fatal violations: {calls}"),
            Attention::BelowBand { high, line } => {
                writeln!(text, "  the whole interval (up to {}) is below the line {}", points(high), points(line))
            }
            Attention::BelowTeam { high, line } => {
                writeln!(text, "  the whole interval (up to {}) is below the team's {}", points(high), points(line))
            }
        };
    }
    if let Some(reason) = &row.insufficient {
        let _ = writeln!(text, "  {reason}: no comparison with the team");
    }
    for (n, point) in row.top3.iter().enumerate() {
        let _ =
            write!(text, "  {}. {}: {} points a call", n + 1, point.requirement_id, points(point.millipoints_per_call));
        if let Some(more) = point.against_team_millipoints {
            let _ = write!(text, ", {} against the team", points(more));
        }
        let _ = writeln!(text, " (calls {})", point.worst_calls.join(", "));
    }
    text
}

fn plan(args: &CoachPlanArgs, store: &dyn Store, common: &Common) -> Result<()> {
    let config = Config::load(common)?;
    let rep = config.rep_id(&args.rep);
    let control: Vec<String> = args.control.iter().map(|name| config.rep_id(name)).collect();
    let row = rep_row(store, &rep)?;
    let wanted = match (args.on.as_deref(), row.top3.first()) {
        (Some(name), _) => name,
        (None, Some(point)) => point.requirement_id.as_str(),
        (None, None) => bail!("nothing to work on was found for {rep}\nhint: name it with --on"),
    };
    let everything = store.compared_period(PeriodKind::All, "all").map_err(explain)?.sums;
    let seats = || everything.0.values();
    let target = match wanted {
        "score" => Target::Score,
        name if row.dimensions.contains_key(name) => Target::Dimension(name.to_string()),
        name if seats().any(|sums| sums.metric_histograms.contains_key(name)) => Target::Metric(name.to_string()),
        name if seats().any(|sums| sums.requirements.contains_key(name)) => Target::Requirement(name.to_string()),
        name => {
            let dimensions: Vec<&str> = row.dimensions.keys().map(String::as_str).collect();
            bail!(
                "`{name}` is neither a dimension nor a requirement of the stored calls\nhint: score, {}, or a requirement such as {}",
                dimensions.join(", "),
                row.top3.first().map_or("those of `callmark reps`", |point| point.requirement_id.as_str())
            );
        }
    };
    let known = plans(store)?;
    if let Some(open) = known.iter().find(|plan| plan.is_open() && plan.rep_id == rep && plan.target == target) {
        bail!(
            "the plan {} of {} for {} is open\nhint: `callmark coach step {} closed` ends it",
            open.plan_id,
            open.rep_id,
            named(&target),
            open.plan_id
        );
    }
    for rep in &control {
        rep_row(store, rep)?;
    }
    let plan_id = format!("K{}", known.len() + 1);
    let event = CoachingEvent::Planned {
        day: today(args.day.as_ref())?,
        rep_id: rep.clone(),
        target: target.clone(),
        control,
        by: args.by.clone(),
        note: redacted(args.note.as_deref(), common)?,
    };
    append(store, &plan_id, &event)?;
    println!("{plan_id}: {rep} on {}", named(&target));
    print!("{}", diagnosis(&row));
    println!("next: `callmark coach step {plan_id} training --by NAME` when the training has begun");
    Ok(())
}

/// Notes are people's words, and may hold what must not be kept.
fn redacted(note: Option<&str>, common: &Common) -> Result<String> {
    let config = Config::load(common)?;
    Ok(redact_text(note.unwrap_or_default(), &config.redaction.entities))
}

fn step(args: &CoachStepArgs, store: &dyn Store, common: &Common) -> Result<()> {
    let plan = find(store, &args.plan)?;
    let stage = match args.stage {
        CoachStage::Diagnosis => Stage::Diagnosis,
        CoachStage::Training => Stage::Training,
        CoachStage::Accompanied => Stage::AccompaniedCalls,
        CoachStage::Recheck => Stage::Recheck,
        CoachStage::Closed => Stage::Closed,
    };
    let day = today(args.day.as_ref())?;
    let latest = plan.entered.values().max().copied().unwrap_or(plan.since);
    if day < latest {
        bail!("the plan {} was at a later step on {latest} already\nhint: give a --day from then on", plan.plan_id);
    }
    if stage == Stage::Diagnosis {
        print!("{}", diagnosis(&rep_row(store, &plan.rep_id)?));
    }
    let note = redacted(args.note.as_deref(), common)?;
    append(store, &plan.plan_id, &CoachingEvent::Moved { day, stage, by: args.by.clone(), note })?;
    let plan = find(store, &plan.plan_id)?;
    println!("{}: {} on {}: {}", plan.plan_id, plan.rep_id, named(&plan.target), stage_name(plan.stage));
    if let Some(due) = plan.recheck_due().filter(|_| matches!(stage, Stage::Training | Stage::AccompaniedCalls)) {
        println!("re-check from {due} on: `callmark coach check {}`", plan.plan_id);
    }
    Ok(())
}

fn list(args: &CoachListArgs, store: &dyn Store) -> Result<()> {
    let mut plans = plans(store)?;
    plans.retain(|plan| (args.all || plan.is_open()) && args.rep.as_ref().is_none_or(|rep| plan.rep_id == *rep));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&plans)?);
        return Ok(());
    }
    if plans.is_empty() {
        println!(
            "no {}plans\nhint: `callmark coach plan REP --by NAME` makes one",
            if args.all { "" } else { "open " }
        );
        return Ok(());
    }
    let mut rows = table(["plan", "rep", "on", "stage", "since", "re-check", "last result"]);
    for plan in &plans {
        let due = plan.recheck_due().filter(|_| plan.is_open()).map_or("–".to_string(), |day| day.to_string());
        let result = plan.last_check.map_or("–".to_string(), |(day, verdict, effect, low, high)| {
            format!("{day}: {}, {}", verdict_name(verdict), interval(&plan.target, effect, low, high))
        });
        let since = plan.entered.get(&plan.stage).copied().unwrap_or(plan.since).to_string();
        let target = named(&plan.target);
        rows.add_row([&plan.plan_id, &plan.rep_id, &target, stage_name(plan.stage), &since, &due, &result]);
    }
    println!("{rows}");
    Ok(())
}

#[derive(Serialize)]
struct Checked<'a> {
    plan: &'a CoachingPlan,
    windows: Windows,
    effect: CoachingEffect,
}

fn check(args: &CoachCheckArgs, store: &dyn Store) -> Result<()> {
    let plan = find(store, &args.plan)?;
    let day = today(args.until.as_ref())?;
    let Some(windows) = plan.windows(i32::from(args.days), day) else {
        bail!("nothing lies after the last step of {} yet\nhint: --until gives a later day", plan.plan_id);
    };
    let of_windows =
        CallFilter { since: Some(windows.before.0), until: Some(windows.after.1), ..CallFilter::default() };
    let calls = store.summaries(&of_windows).map_err(explain)?;
    // Who is being coached, too, is no control: that would hide what coaching does.
    let others = plans(store)?;
    let busy: Vec<String> = others
        .into_iter()
        .filter(|other| other.is_open() || other.entered.values().any(|day| *day >= windows.before.0))
        .map(|other| other.rep_id)
        .collect();
    let worthwhile = plan.target.worthwhile();
    let Some(effect) = plan.check(&calls, &windows, &busy, worthwhile) else {
        bail!(
            "{} has no comparable calls both in {} … {} and in {} … {}\nhint: --days and --until move the windows",
            plan.rep_id,
            windows.before.0,
            windows.before.1,
            windows.after.0,
            windows.after.1
        );
    };
    if !args.dry_run {
        let CoachingEffect { verdict, effect, low, high, .. } = effect;
        append(store, &plan.plan_id, &CoachingEvent::Checked { day, windows, verdict, effect, low, high })?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Checked { plan: &plan, windows, effect })?);
        return Ok(());
    }
    print!("{}", explained(&plan, &windows, &effect));
    if effect.verdict == CoachingVerdict::DidNotHelp {
        println!("the diagnosis is open again:\n{}", diagnosis(&rep_row(store, &plan.rep_id)?).trim_end());
    }
    Ok(())
}

fn explained(plan: &CoachingPlan, windows: &Windows, effect: &CoachingEffect) -> String {
    let value = |value: i64| with_unit(&plan.target, value);
    let mut text = format!(
        "{}: {} on {}: {}\n  effect {}\n",
        plan.plan_id,
        plan.rep_id,
        named(&plan.target),
        verdict_name(effect.verdict),
        interval(&plan.target, effect.effect, effect.low, effect.high),
    );
    let _ = writeln!(text, "  change without corrections {}", value(effect.raw_change));
    if let Some(mean) = effect.regression_to_mean {
        let _ = writeln!(text, "  of which expected anyway (regression to the mean) {}", value(mean));
    }
    if let Some(control) = effect.control_change {
        let _ = writeln!(text, "  change of the control group {}", value(control));
    }
    let _ = writeln!(text, "  smallest effect that these calls could have shown {}", value(effect.smallest_detectable));
    let (before, after) = (windows.before, windows.after);
    let _ = writeln!(text, "  before {} … {}, after {} … {}", before.0, before.1, after.0, after.1);
    for note in &effect.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

/// One event per plan that waits for its re-check, on the day from which enough is likely to be known.
fn calendar(store: &dyn Store) -> Result<()> {
    let mut calendar = Calendar::new();
    calendar.name("callmark");
    for plan in plans(store)?.into_iter().filter(CoachingPlan::is_open) {
        let Some(due) = plan.recheck_due() else { continue };
        let day = Property::new("DTSTART", due.strftime("%Y%m%d").to_string()).add_parameter("VALUE", "DATE").done();
        let event = Event::new()
            .uid(&format!("{}@callmark", plan.plan_id))
            // The stamp of the plan, not of now: the same plans give the same file.
            .add_property("DTSTAMP", format!("{}T000000Z", plan.since.strftime("%Y%m%d")))
            .append_property(day)
            .summary(&format!("{}: re-check {} on {}", plan.plan_id, plan.rep_id, named(&plan.target)))
            .description(&format!("callmark coach check {}", plan.plan_id))
            .done();
        calendar.push(event);
    }
    print!("{calendar}");
    Ok(())
}

fn named(target: &Target) -> String {
    target.name().unwrap_or("score").to_string()
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Warning => "warning",
        Stage::Diagnosis => "diagnosis",
        Stage::Training => "training",
        Stage::AccompaniedCalls => "accompanied calls",
        Stage::Recheck => "re-check",
        Stage::Closed => "closed",
    }
}

fn verdict_name(verdict: CoachingVerdict) -> String {
    verdict.id().replace('_', " ")
}

/// With its unit.
fn with_unit(target: &Target, value: i64) -> String {
    let unit = match target {
        Target::Score => "points",
        Target::Metric(_) => "points a call",
        Target::Dimension(_) | Target::Requirement(_) => "percentage points",
    };
    format!("{} {unit}", amount(target, value))
}

fn interval(target: &Target, effect: i64, low: i64, high: i64) -> String {
    format!("{} [{} … {}]", with_unit(target, effect), amount(target, low), amount(target, high))
}
