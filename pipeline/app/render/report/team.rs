//! The first page: what to do first, reps, teams, hours, requirements, how far to trust it all.

use std::collections::BTreeMap;

use callmark_core::performance::{Difference, GroupGaps, HourRow, Inflation, PassLineHeap, RequirementGap, UNASSIGNED};
use callmark_core::statistics::{Moments, Z95, wilson};
use jiff::civil::Weekday;
use maud::{Markup, html};

use crate::render::report::chart;
use crate::render::report::digest::{Mean, RepDigest, RequirementDigest};
use crate::render::report::frame::{Context, day, limited, share, sortable, with_interval};
use crate::render::report::indicators;
use crate::render::report::journeys;
use crate::render::report::rep;
use crate::render::report::site::{List, Page};

/// A page begins with at most so many things worth attention.
const FIRST: usize = 5;
/// Fewer calls than this say little about an hour. Engineering guess.
const FEW_CALLS: u64 = 5;
/// Failed recordings that the page names.
const FAILURES: usize = 200;
/// A share of calls without a score above this is worth attention, per cent.
const UNSCORED_PERCENT: u64 = 10;

pub fn body(context: &Context) -> Markup {
    let m = context.m;
    let digest = context.digest;
    html! {
        h1 { (m.report_title) }
        p.period { (period(context)) " · " ((m.calls)(digest.calls.len() as u64)) }
        @if digest.calls.is_empty() && context.failures.is_empty() {
            section.empty { h2 { (m.empty_heading) } p { (m.empty_what) } p { (m.empty_next) } }
        } @else {
            (counters(context))
            @if digest.all.scores.n == 0 { p.notice { (m.nothing_scored) } }
            (first(context))
            @if !digest.reps.is_empty() { (reps(context)) }
            @if digest.teams.len() > 1 { (teams(context)) }
            (journeys::first(context))
            (indicators::first(context))
            @if digest.first.is_some() { (hours(context)) }
            @if !digest.requirements.is_empty() { (requirements(context)) }
            @if !digest.unscored.is_empty() { (unscored(context)) }
            @if !context.failures.is_empty() { (failures(context)) }
            (honesty(context))
        }
    }
}

fn period(context: &Context) -> String {
    let m = context.m;
    match (context.digest.first, context.digest.last) {
        (Some(first), Some(last)) if first == last => (m.one_day)(&day(m, first)),
        (Some(first), Some(last)) => (m.period)(&day(m, first), &day(m, last)),
        _ => m.no_period.to_string(),
    }
}

fn counters(context: &Context) -> Markup {
    let m = context.m;
    let digest = context.digest;
    let page = Page::Team;
    let failed = (context.failures.len() as u64).max(digest.failed_calls);
    let unscored = digest.n_unscored();
    html! {
        dl.counters {
            div { dt { (m.n_scored) } dd { (context.count(&page, digest.n_scored(), Page::List(List::Scored, 0))) } }
            div { dt { (m.n_pending) } dd { (context.count(&page, digest.pending.len() as u64, Page::List(List::Pending, 0))) } }
            div { dt { (m.n_unscored) } dd { @if unscored > 0 { a href=(context.here(&page, "unscored")) { (unscored) } } @else { "0" } } }
            div { dt { (m.n_failed) } dd { @if !context.failures.is_empty() { a href=(context.here(&page, "failures")) { (failed) } } @else { (failed) } } }
            @if let Some(mean) = Mean::of(&digest.all.scores) {
                div.wide { dt { (m.mean_score) } dd { (limited(mean.mean)) small {
                    @match mean.interval {
                        Some((low, high)) => { ((m.interval_95)(&limited(low), &limited(high))) },
                        None => { (m.one_call_no_interval) },
                    }
                } } }
            }
        }
    }
}

/// A sentence and where its evidence is.
type Sentence = (String, String);

fn first(context: &Context) -> Markup {
    let m = context.m;
    let sentences = sentences(context);
    html! {
        section.first aria-label=(m.first_heading) {
            h2 { (m.first_heading) }
            @if sentences.is_empty() { p { (m.nothing_first) } } @else {
                ol { @for (text, href) in sentences { li { a href=(href) { (text) } } } }
            }
        }
    }
}

fn most_frequent(counts: &BTreeMap<String, u64>) -> Option<&String> {
    // The first by name among equals.
    counts.iter().rev().max_by_key(|(_, n)| **n).map(|(id, _)| id)
}

fn sentences(context: &Context) -> Vec<Sentence> {
    let m = context.m;
    let digest = context.digest;
    let page = Page::Team;
    let link = |list: List| context.href(&page, &Page::List(list, 0), None);
    let name = |id: Option<&String>| id.map_or(String::new(), |id| context.name(id));
    let mut found: Vec<Sentence> = Vec::new();
    if !digest.auto_failed.is_empty() {
        let most = name(most_frequent(&digest.fatal_requirements));
        found.push(((m.first_fatal)(digest.auto_failed.len() as u64, &most), link(List::AutoFailed)));
    }
    if !digest.pending.is_empty() {
        let most = name(most_frequent(&digest.pending_requirements));
        found.push(((m.first_pending)(digest.pending.len() as u64, &most), link(List::Pending)));
    }
    if !context.failures.is_empty() {
        let mut hints: BTreeMap<String, u64> = BTreeMap::new();
        for failure in context.failures {
            *hints.entry(failure.hint.clone()).or_default() += 1;
        }
        let hint = most_frequent(&hints).map_or("", String::as_str).trim_end_matches('.');
        found.push(((m.first_failed)(context.failures.len() as u64, hint), context.here(&page, "failures")));
    }
    let (unscored, all) = (digest.n_unscored(), digest.calls.len() as u64);
    if unscored * 100 > all * UNSCORED_PERCENT
        && let Some((reason, _)) = digest.unscored.iter().rev().max_by_key(|(_, calls)| calls.len())
    {
        let text = (m.first_unscored)(unscored, all, (m.reason)(*reason), (m.remedy)(*reason));
        found.push((text, context.here(&page, "unscored")));
    }
    found.extend(rep_below(context));
    found.extend(worst_dip(context));
    found.extend(costliest(context));
    found.truncate(FIRST);
    found
}

/// The rep who is surest to be below the mean: the interval, not the point.
fn rep_below(context: &Context) -> Option<Sentence> {
    let m = context.m;
    let mean = context.digest.all.scores.mean()?;
    let ranked = context.digest.reps.iter().filter(|rep| rep.row.rank_low.is_some());
    let below = ranked.filter_map(|rep| Some((rep.row.high?, rep))).filter(|(high, _)| (*high as f64) < mean);
    let (_, rep) = below.min_by_key(|(high, rep)| (*high, rep.id.clone()))?;
    let estimate = rep::estimate(rep)?;
    let (low, high) = estimate.interval?;
    let requirement = rep.row.top3.first().map_or(String::new(), |point| context.name(&point.requirement_id));
    let interval = format!("{}–{}", limited(low), limited(high));
    let text = (m.first_rep)(&rep.id, &interval, &limited(mean), &requirement);
    Some((text, context.href(&Page::Team, &Page::Rep(rep.id.clone(), 0), None)))
}

/// The hour that is surest to be worse, whoever works in it.
fn worst_dip(context: &Context) -> Option<Sentence> {
    let row = context.digest.dips.iter().min_by_key(|row| row.high)?;
    let (weekday, hour) = (usize::from(row.weekday) - 1, usize::from(row.hour));
    Some((dip(context, row)?, context.href(&Page::Team, &Page::List(List::Hour(weekday, hour), 0), None)))
}

fn dip(context: &Context, row: &HourRow) -> Option<String> {
    let mean = context.digest.all.scores.mean()?;
    let interval = format!("{}–{}", limited(row.low? as f64), limited(row.high? as f64));
    let day = weekday_name(context, usize::from(row.weekday) - 1);
    Some((context.m.hour_dip)(day, usize::from(row.hour), &interval, &limited(mean), row.n))
}

fn costliest(context: &Context) -> Option<Sentence> {
    let n = context.digest.all.scores.n;
    let lost = |r: &&RequirementDigest| (r.lost_millipoints, std::cmp::Reverse(r.id.clone()));
    let open = context.digest.requirements.iter().filter(|r| r.failed > 0 && r.lost_millipoints > 0);
    let worst = open.max_by_key(lost).filter(|_| n > 0)?;
    let per_call = limited(worst.lost_millipoints as f64 / n as f64);
    let text =
        (context.m.first_requirement)(&context.name(&worst.id), worst.failed, worst.failed + worst.met, &per_call);
    let list = Page::List(List::Requirement(worst.id.clone()), 0);
    Some((text, context.href(&Page::Team, &list, None)))
}

fn reps(context: &Context) -> Markup {
    let m = context.m;
    let digest = context.digest;
    let dimensions: Vec<&str> = digest.dimensions.iter().map(String::as_str).collect();
    // Ranked reps by estimate; those whose calls carry no rank by name, greyed, at the bottom.
    let mut order: Vec<&RepDigest> = digest.reps.iter().collect();
    order.sort_by_key(|rep| {
        let ranked = rep.row.rank_low.is_some();
        let estimate = if ranked { rep.row.shrunk.unwrap_or(0) } else { 0 };
        (!ranked, rep.id == UNASSIGNED, std::cmp::Reverse(estimate), rep.id.clone())
    });
    let several_teams = digest.teams.len() > 1;
    html! {
        section id=(context.layout.element(&Page::Team, "reps")) aria-label=(m.reps_heading) {
            h2 { (m.reps_heading) }
            p.note { (m.reps_note) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.reps_heading)) {
                table.sortable.reps {
                    thead { tr {
                        (sortable(m, m.rep, false))
                        @if several_teams { (sortable(m, m.team, false)) }
                        (sortable(m, m.scored_calls, true))
                        th.chart scope="col" aria-sort="none" { button.sort type="button" title=((m.sort_by)(m.estimate)) { (m.estimate) } (chart::axis()) }
                        (sortable(m, m.rank, false))
                        (sortable(m, m.trend, true))
                        @for dimension in &dimensions {
                            th.small-chart scope="col" aria-sort="none" { button.sort type="button" title=((m.sort_by)(&context.dimension(dimension))) { (context.dimension(dimension)) " %" } }
                        }
                        (sortable(m, m.flags_per_call, true))
                        (sortable(m, m.work_on, false))
                    } }
                    tbody { @for rep in order { (rep_row(context, rep, &dimensions, several_teams)) } }
                }
            }
        }
    }
}

fn rep_row(context: &Context, rep: &RepDigest, dimensions: &[&str], several_teams: bool) -> Markup {
    let m = context.m;
    let page = Page::Team;
    let to = Page::Rep(rep.id.clone(), 0);
    let reason = rep::insufficient(context, rep);
    let estimate = rep::estimate(rep);
    let reference = context.digest.all.scores.mean();
    let notes = rep::notes(context, rep);
    html! {
        tr.insufficient[reason.is_some()] data-last=[reason.as_ref().map(|_| "")] {
            th.id scope="row" {
                a href=(context.href(&page, &to, None)) { bdi { (context.rep_label(&rep.id)) } }
                @for note in &notes { " " abbr title=(note) aria-label=(note) { "*" } }
            }
            @if several_teams { td.id { bdi { (rep.row.team.as_deref().unwrap_or("–")) } } }
            td.n data-v=(rep.parts.scores.n) { a href=(context.href(&page, &to, None)) { (rep.parts.scores.n) } }
            td.chart data-v=(estimate.as_ref().map_or(-1.0, |mean| mean.mean.round())) {
                @match &estimate {
                    Some(mean) => div.under-chart { (chart::interval(mean, reference, 100_000.0, &with_interval(mean))) span.value { (with_interval(mean)) } },
                    None => "–",
                }
            }
            td.rank data-v=(rep.row.rank_low.unwrap_or(u32::MAX)) {
                (rep::rank(context, rep))
                @if let Some(reason) = &reason { br; small { (reason) } }
            }
            td.n data-v=(rep.trend.as_ref().filter(|t| t.significant).map_or(0, |t| t.millipoints)) {
                @match rep::trend(context, rep) {
                    Some(trend) => (trend),
                    None => span.muted title=(m.no_trend) { "–" },
                }
            }
            @for dimension in dimensions { (dimension_cell(context, rep.parts.dimensions.get(*dimension), dimension)) }
            td.n data-v=(rep.row.flags_per_call_milli.unwrap_or(-1)) {
                (rep.row.flags_per_call_milli.map_or("–".to_string(), |milli| format!("{:.1}", milli as f64 / 1000.0)))
            }
            td.work-on {
                @if let Some(point) = rep.row.top3.first() {
                    @let list = Page::List(List::Requirement(point.requirement_id.clone()), 0);
                    @let name = context.name(&point.requirement_id);
                    @if context.has(&list) { a href=(context.href(&page, &list, None)) { (name) } } @else { (name) }
                } @else { "–" }
            }
        }
    }
}

fn dimension_cell(context: &Context, moments: Option<&Moments>, dimension: &str) -> Markup {
    let reference = context.digest.all.dimensions.get(dimension).and_then(Moments::mean);
    html! {
        @match moments.and_then(Mean::of) {
            Some(mean) => td.small-chart data-v=(mean.mean.round()) {
                (chart::interval(&mean, reference, 1000.0, &format!("{} {}", context.dimension(dimension), share(mean.mean))))
                span.value { (share(mean.mean)) }
            },
            None => td.small-chart data-v="-1" { "–" },
        }
    }
}

fn teams(context: &Context) -> Markup {
    let m = context.m;
    let digest = context.digest;
    let dimensions: Vec<&str> = digest.dimensions.iter().map(String::as_str).collect();
    html! {
        section aria-label=(m.teams_heading) {
            h2 { (m.teams_heading) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.teams_heading)) {
                table.sortable {
                    thead { tr {
                        (sortable(m, m.team, false)) (sortable(m, m.reps_heading, true)) (sortable(m, m.scored_calls, true))
                        th.chart scope="col" aria-sort="none" { button.sort type="button" title=((m.sort_by)(m.estimate)) { (m.mean_score) } (chart::axis()) }
                        @for dimension in &dimensions { th.small-chart scope="col" aria-sort="none" { button.sort type="button" { (context.dimension(dimension)) " %" } } }
                        (sortable(m, m.flags_per_call, true))
                    } }
                    tbody { @for (name, team) in &digest.teams {
                        @let mean = Mean::of(&team.scores);
                        tr {
                            th.id scope="row" { bdi { (name) } }
                            td.n data-v=(team.reps.len()) { (team.reps.len()) }
                            td.n data-v=(team.scores.n) { (team.scores.n) }
                            td.chart data-v=(mean.as_ref().map_or(-1.0, |mean| mean.mean.round())) {
                                @match &mean {
                                    Some(mean) => div.with-chart { (chart::interval(mean, digest.all.scores.mean(), 100_000.0, &with_interval(mean))) span.value { (with_interval(mean)) } },
                                    None => "–",
                                }
                            }
                            @for dimension in &dimensions { (dimension_cell(context, team.dimensions.get(*dimension), dimension)) }
                            td.n { (if team.scores.n > 0 { format!("{:.1}", team.flags as f64 / team.scores.n as f64) } else { "–".to_string() }) }
                        }
                    } }
                }
            }
        }
    }
}

fn hours(context: &Context) -> Markup {
    let m = context.m;
    let hours = &context.digest.hours;
    let busy = |hour: usize| hours.iter().any(|day| !day[hour].calls.is_empty());
    let (Some(from), Some(to)) = ((0..24).find(|hour| busy(*hour)), (0..24).rev().find(|hour| busy(*hour))) else {
        return html! {};
    };
    html! {
        section aria-label=(m.hours_heading) {
            h2 { (m.hours_heading) }
            p.note { (m.hours_note) }
            div.pair { (heatmap(context, from, to, true)) (heatmap(context, from, to, false)) }
            @if !context.digest.dips.is_empty() {
                ul { @for row in &context.digest.dips { @if let Some(text) = dip(context, row) { li { (text) } } } }
                p.note { (m.hour_dip_note) }
            }
        }
    }
}

/// One heatmap as a table: volume, or mean score. One hue, light to dark.
fn heatmap(context: &Context, from: usize, to: usize, volume: bool) -> Markup {
    let m = context.m;
    let hours = &context.digest.hours;
    // A single call is not much, even where it is the most.
    let largest = hours.iter().flatten().map(|hour| hour.calls.len()).max().unwrap_or(0).max(10) as f64;
    let title = if volume { m.volume } else { m.quality };
    html! {
        div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(title)) {
            table.heat {
                caption { (title) }
                thead { tr { th scope="col" { span.hidden-text { (m.weekday_heading) } } @for hour in from..=to { th scope="col" { (format!("{hour:02}")) } } } }
                tbody { @for (weekday, cells) in hours.iter().enumerate() {
                    @let name = weekday_name(context, weekday);
                    tr {
                        th scope="row" { (name) }
                        @for hour in from..=to {
                            @let cell = &cells[hour];
                            @let n = cell.calls.len() as u64;
                            @let list = Page::List(List::Hour(weekday, hour), 0);
                            @let mean = cell.scores.mean();
                            @let dips = context.digest.dips.iter().any(|row| (usize::from(row.weekday), usize::from(row.hour)) == (weekday + 1, hour));
                            @match (volume, mean) {
                                _ if n == 0 => td.h0 {},
                                (true, _) => td class=(format!("h{}", chart::step(n as f64, largest))) title=((m.hour_volume)(name, hour, n)) {
                                    a href=(context.href(&Page::Team, &list, None)) { (n) }
                                },
                                (false, Some(mean)) => td class=(quality_class(cell.scores.n, mean, dips)) title=((m.hour_quality)(name, hour, &limited(mean), cell.scores.n)) {
                                    a href=(context.href(&Page::Team, &list, None)) { (format!("{:.0}", mean / 1000.0)) @if dips { span aria-label=(m.dip) { "▾" } } }
                                },
                                (false, None) => td.few title=((m.hour_no_score)(name, hour)) { "–" },
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn quality_class(n: u64, millipoints: f64, dips: bool) -> String {
    let step = if n < FEW_CALLS { "few".to_string() } else { format!("h{}", quality_step(millipoints)) };
    if dips { step + " dip" } else { step }
}

/// Steps of ten points, the same in every report: below 50, 50–60, 60–70, 70–80, from 80.
fn quality_step(millipoints: f64) -> usize {
    ((millipoints / 10_000.0).floor() as usize).clamp(4, 8) - 3
}

fn weekday_name(context: &Context, weekday: usize) -> &'static str {
    let offset = i8::try_from(weekday).unwrap_or(0);
    Weekday::from_monday_zero_offset(offset).map_or("", |day| (context.m.weekday)(day))
}

fn requirements(context: &Context) -> Markup {
    let m = context.m;
    let n = context.digest.all.scores.n.max(1) as f64;
    let page = Page::Team;
    let mut order: Vec<&RequirementDigest> = context.digest.requirements.iter().collect();
    order.sort_by_key(|r| (std::cmp::Reverse(r.lost_millipoints), std::cmp::Reverse(r.failed), r.id.clone()));
    html! {
        section id=(context.layout.element(&page, "requirements")) aria-label=(m.requirements_heading) {
            h2 { (m.requirements_heading) }
            p.note { (m.requirements_note) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.requirements_heading)) {
                table.sortable {
                    thead { tr {
                        (sortable(m, m.requirement, false)) (sortable(m, m.dimension_name, false))
                        (sortable(m, m.points_per_call, true)) (sortable(m, m.not_met, true)) (sortable(m, m.met, true))
                        (sortable(m, m.not_applicable, true)) (sortable(m, m.unknown, true)) (sortable(m, m.precision, true))
                    } }
                    tbody { @for r in order {
                        @let list = Page::List(List::Requirement(r.id.clone()), 0);
                        tr {
                            th.requirement scope="row" {
                                a href=(context.href(&page, &list, None)) title=(context.what(&r.id)) { (context.name(&r.id)) }
                                @if !r.metric { " " small { ((m.severity)(r.severity)) } }
                            }
                            td { (context.dimension(&r.dimension)) }
                            td.n data-v=(r.lost_millipoints) { (limited(r.lost_millipoints as f64 / n)) }
                            td.n data-v=(r.failed) { (context.count(&page, r.failed, list)) }
                            td.n data-v=(r.met) { (r.met) }
                            td.n data-v=(r.not_applicable) { (r.not_applicable) }
                            td.n data-v=(r.unknown) { (r.unknown) }
                            (precision(context, r))
                        }
                    } }
                }
            }
        }
    }
}

fn precision(context: &Context, r: &RequirementDigest) -> Markup {
    let m = context.m;
    html! {
        @match wilson(r.agreed, r.reviewed, Z95) {
            Some(interval) => {
                @let value = r.agreed as f64 / r.reviewed as f64;
                @let percent = |x: f64| (m.percent)(&format!("{:.0}", x * 100.0));
                td.n data-v=(format!("{value:.4}")) { ((m.precision_value)(&percent(value), &percent(interval.low), &percent(interval.high), r.reviewed)) }
            },
            None => td.n.muted data-v="-1" { (m.not_reviewed) },
        }
    }
}

fn unscored(context: &Context) -> Markup {
    let m = context.m;
    html! {
        section id=(context.layout.element(&Page::Team, "unscored")) aria-label=(m.unscored_heading) {
            h2 { (m.unscored_heading) }
            table.plain {
                thead { tr { th scope="col" { (m.unscored_reason) } th.n scope="col" { (m.number_of_calls) } th scope="col" { (m.unscored_remedy) } } }
                tbody { @for (reason, calls) in &context.digest.unscored {
                    tr {
                        th scope="row" { ((m.reason)(*reason)) }
                        td.n { (context.count(&Page::Team, calls.len() as u64, Page::List(List::Unscored(*reason), 0))) }
                        td { ((m.remedy)(*reason)) }
                    }
                } }
            }
        }
    }
}

fn failures(context: &Context) -> Markup {
    let m = context.m;
    let rest = context.failures.len().saturating_sub(FAILURES) as u64;
    html! {
        section id=(context.layout.element(&Page::Team, "failures")) aria-label=(m.failures_heading) {
            h2 { (m.failures_heading) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.failures_heading)) {
                table.plain.failures {
                    thead { tr { th scope="col" { (m.file) } th scope="col" { (m.failed_stage) } th scope="col" { (m.cause) } th scope="col" { (m.hint) } } }
                    tbody { @for failure in context.failures.iter().take(FAILURES) {
                        tr {
                            th.id scope="row" { bdi { (failure.file) } }
                            td { ((m.stage)(&failure.stage).unwrap_or(&failure.stage)) }
                            td lang="en" { (failure.cause) }
                            td lang="en" { (failure.hint) }
                        }
                    } }
                }
            }
            @if rest > 0 { p.muted { ((m.more_failures)(rest)) } }
        }
    }
}

/// "+1.2 (+0.4 … +2.0)", of thousandths.
fn difference(difference: &Difference) -> String {
    thousandths(difference.mean, difference.low, difference.high)
}

fn thousandths(mean: i64, low: i64, high: i64) -> String {
    let signed = |milli: i64| format!("{:+.1}", milli as f64 / 1000.0);
    format!("{} ({} … {})", signed(mean), signed(low), signed(high))
}

fn honesty(context: &Context) -> Markup {
    let m = context.m;
    let digest = context.digest;
    let sum = |count: fn(&RequirementDigest) -> u64| digest.requirements.iter().map(count).sum::<u64>();
    let unknown = sum(|r| r.unknown);
    let decided = sum(|r| r.met + r.failed) + unknown;
    let (agreed, reviewed) = (sum(|r| r.agreed), sum(|r| r.reviewed));
    let percent = |part: u64, whole: u64| (m.percent)(&format!("{:.1}", part as f64 * 100.0 / whole.max(1) as f64));
    let scorecards: Vec<&str> = digest.scorecards.iter().map(String::as_str).collect();
    let starter = context.starter.as_ref().is_some_and(|hash| digest.recogniser_hashes.contains(hash));
    let mut wrong: Vec<&RequirementDigest> = digest.requirements.iter().filter(|r| r.reviewed > r.agreed).collect();
    wrong.sort_by_key(|r| (std::cmp::Reverse(r.reviewed - r.agreed), r.id.clone()));
    html! {
        section.honesty aria-label=(m.honesty_heading) {
            h2 { (m.honesty_heading) }
            ul {
                @if starter { li { (m.honesty_starter) } }
                @if decided > 0 { li { ((m.honesty_unknown)(&percent(unknown, decided), unknown, decided)) } }
                @if digest.near_floor > 0 { li { ((m.honesty_near_floor)(digest.near_floor, digest.calls.len() as u64)) } }
                @if reviewed > 0 { li { ((m.honesty_reviewed)(reviewed - agreed, reviewed)) } } @else { li { (m.honesty_not_reviewed) } }
                @for r in wrong.iter().take(5) { li { ((m.honesty_false)(&context.name(&r.id), r.reviewed - r.agreed, r.reviewed)) } }
                @for PassLineHeap { scorecard, pass_points, heap } in &digest.heaps { li { ((m.honesty_heap)(&heap.rep_id, scorecard, *pass_points, heap.inside, heap.outside, &limited(heap.expected_inside_milli as f64))) } }
                @if let Some(Inflation { score, mood }) = &digest.inflation {
                    li { ((m.honesty_inflation)(&difference(score), &difference(mood), score.reps)) }
                }
                @if let Some(gap) = &digest.recognition_gap { li { ((m.honesty_recognition_gap)(&difference(gap), gap.reps)) } }
                @if let Some(gap) = &digest.language_gap { li { ((m.honesty_language_gap)(&difference(gap), gap.reps)) } }
                @if let Some(GroupGaps { score, requirement }) = &digest.groups {
                    li { ((m.honesty_groups)(score, &thousandths(score.mean, score.low, score.high))) }
                    @if let Some(RequirementGap { requirement_id, gap }) = requirement {
                        // Per mille as percentage points.
                        @let points = thousandths(gap.mean * 100, gap.low * 100, gap.high * 100);
                        li { ((m.honesty_groups_requirement)(&context.name(requirement_id), gap, &points)) }
                    }
                }
                @for doubt in indicators::doubts(context) { li { (doubt) " " a href=(context.href(&Page::Team, &Page::Indicators, None)) { (m.indicators_title) } } }
                @if digest.recogniser_hashes.len() > 1 { li { ((m.honesty_models)(digest.recogniser_hashes.len() as u64)) } }
                @if !scorecards.is_empty() { li { ((m.honesty_scorecards)(&scorecards.join(if m.tag == "en" { ", " } else { "、" }))) } }
                li { (m.honesty_interval) }
            }
        }
    }
}
