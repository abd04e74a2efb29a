//! The page of one rep: score over time, dimensions against the team, what to improve with moments to hear, calls.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use callmark_core::performance::{CoachingPlan, Improvement, MIN_CALLS, PeriodKind, Target, UNASSIGNED};
use callmark_core::record::{CallRecord, LedgerRow, RowKind};
use callmark_core::recording::Language;
use callmark_core::statistics::{Moments, Z95};
use callmark_core::transcript::Span;
use callmark_store::Store;
use jiff::civil::DateTime;
use maud::{Markup, html};

use crate::clips::Clip;
use crate::coaching_plans::amount;
use crate::commands::explain;
use crate::render::call_page::{clock, points};
use crate::render::report::chart::{self, Band};
use crate::render::report::digest::{Mean, RepDigest, is_moment};
use crate::render::report::frame::{Context, day, limited, parts, share, when, with_interval};
use crate::render::report::list::number_of_parts;
use crate::render::report::site::{CALLS_PER_PAGE, Layout, List, Page};

/// More calls than this are drawn as means alone.
const DOTS: usize = 600;

/// A requirement to work on, with what proves it.
pub struct Point {
    improvement: Improvement,
    moments: Vec<Moment>,
    example: Option<(usize, Moment)>,
}

/// One place in one call.
struct Moment {
    call_id: String,
    row: usize,
    start: Option<DateTime>,
    begin_ms: i64,
    end_ms: i64,
    /// False for windows that were searched, and for text without times.
    timed: bool,
    quote: String,
    metric_value: Option<i64>,
    language: Option<Language>,
}

/// Clips of the calls that reps' pages refer to.
pub struct Heard {
    layout: Layout,
    wanted: BTreeSet<String>,
    /// Call id → examples in it.
    examples: BTreeMap<String, Vec<Span>>,
    /// Call id → begin, end, source as the rep's page names it.
    clips: BTreeMap<String, Vec<(i64, i64, String)>>,
}

impl Heard {
    /// What the points of all reps refer to.
    pub fn new(context: &Context, points: &[Vec<Point>]) -> Heard {
        let mut heard = Heard {
            layout: context.layout,
            wanted: BTreeSet::new(),
            examples: BTreeMap::new(),
            clips: BTreeMap::new(),
        };
        for point in points.iter().flatten() {
            heard.wanted.extend(point.moments.iter().map(|moment| moment.call_id.clone()));
            if let Some((_, example)) = &point.example {
                heard.wanted.insert(example.call_id.clone());
                let spans = heard.examples.entry(example.call_id.clone()).or_default();
                let span = Span { begin_ms: example.begin_ms, end_ms: example.end_ms };
                if example.timed && !spans.contains(&span) {
                    spans.push(span);
                }
            }
        }
        heard
    }

    /// Moments of a call that somebody is shown as an example.
    pub fn examples(&self, call_id: &str) -> &[Span] {
        self.examples.get(call_id).map_or(&[], Vec::as_slice)
    }

    /// Remembers where the clips of a call are, if a rep's page plays them.
    pub fn keep(&mut self, page: &Page, clips: &[Clip]) {
        let Page::Call(call_id) = page else { return };
        if clips.is_empty() || !self.wanted.contains(call_id) {
            return;
        }
        let source = |clip: &Clip| match self.layout {
            // The clip is inside the call's section already; the script finds it there.
            Layout::Single => format!("#{}", page.id()),
            Layout::Folder => format!("../clips/{}", clip.file_name),
        };
        let places = clips.iter().map(|clip| (clip.begin_ms, clip.end_ms, source(clip))).collect();
        self.clips.insert(call_id.clone(), places);
    }

    fn clip_at(&self, moment: &Moment) -> Option<&(i64, i64, String)> {
        let covers = |clip: &&(i64, i64, String)| clip.0 <= moment.begin_ms && moment.begin_ms < clip.1;
        self.clips.get(&moment.call_id)?.iter().find(covers)
    }
}

/// The rep's improvement points with their moments, read again from the few calls that show them.
pub fn improvement_points(context: &Context, rep: usize, store: &dyn Store) -> Result<Vec<Point>> {
    let digest = context.digest;
    let mut records: BTreeMap<String, CallRecord> = BTreeMap::new();
    let mut moment = |call_id: &str, row: Option<usize>, requirement: &str| -> Result<Option<Moment>> {
        if !records.contains_key(call_id) {
            let Some(stored) = store.get_call(call_id).map_err(explain)? else { return Ok(None) };
            records.insert(call_id.to_string(), stored.record);
        }
        Ok(Moment::of(&records[call_id], row, requirement))
    };
    let mut found = Vec::new();
    for improvement in &digest.reps[rep].row.top3 {
        let id = &improvement.requirement_id;
        let mut moments = Vec::new();
        for call_id in &improvement.worst_calls {
            moments.extend(moment(call_id, None, id)?);
        }
        let about = digest.requirements.iter().find(|r| &r.id == id);
        let mut example = None;
        let language = moments.first().and_then(|moment: &Moment| moment.language);
        if let Some(best) = about.and_then(|r| r.example_for(rep, language)) {
            example = moment(&best.call_id, Some(best.row), id)?.map(|moment| (best.rep, moment));
        }
        found.push(Point { improvement: improvement.clone(), moments, example });
    }
    Ok(found)
}

impl Moment {
    fn of(record: &CallRecord, row: Option<usize>, requirement: &str) -> Option<Moment> {
        let ledger = &record.evaluation.ledger;
        let is_it = |row: &LedgerRow| row.kind == RowKind::Item && row.requirement_id == requirement;
        let row = row.or_else(|| ledger.iter().position(is_it))?;
        let ledger_row = ledger.get(row)?;
        Some(Moment {
            call_id: record.call_id.clone(),
            row,
            start: crate::render::report::digest::civil(record.metadata.start_ts.as_deref()),
            begin_ms: ledger_row.begin_ms,
            end_ms: ledger_row.end_ms,
            timed: is_moment(ledger_row, &record.transcript),
            quote: ledger_row.quote.clone(),
            metric_value: ledger_row.metric_value,
            language: record.transcript.language,
        })
    }
}

/// Why a rep has no rank, in the report's language.
pub fn insufficient(context: &Context, rep: &RepDigest) -> Option<String> {
    let m = context.m;
    rep.row.insufficient.as_ref()?;
    let n = rep.parts.scores.n;
    Some(match () {
        () if rep.id == UNASSIGNED => m.insufficient_no_rep.to_string(),
        () if n == 0 => m.insufficient_no_score.to_string(),
        () if n < MIN_CALLS => (m.insufficient_calls)(n, MIN_CALLS),
        () if rep.row.shrunk.is_none() => m.insufficient_reps.to_string(),
        () => m.insufficient_spread.to_string(),
    })
}

/// The rep's estimate: shrunk where the team allows it, else the plain mean.
pub fn estimate(rep: &RepDigest) -> Option<Mean> {
    match (rep.row.shrunk, rep.row.low, rep.row.high) {
        (Some(mean), Some(low), Some(high)) => {
            Some(Mean { n: rep.parts.scores.n, mean: mean as f64, interval: Some((low as f64, high as f64)) })
        }
        _ => Mean::of(&rep.parts.scores),
    }
}

pub fn body(context: &Context, rep: usize, part: usize, points: &[Point], heard: &Heard) -> Markup {
    let m = context.m;
    let rep = &context.digest.reps[rep];
    let page = Page::Rep(rep.id.clone(), part);
    let label = context.rep_label(&rep.id);
    let shown = rep.parts.calls.chunks(CALLS_PER_PAGE).nth(part).unwrap_or(&[]);
    let count = number_of_parts(rep.parts.calls.len());
    let navigation = parts(context, &page, part, count, |part| Page::Rep(rep.id.clone(), part));
    let dated = |index: Option<&usize>| index.and_then(|i| context.digest.calls[*i].start);
    html! {
        h1 { bdi { ((m.rep_name)(label)) } }
        (facts(context, rep))
        @if part == 0 {
            (over_time(context, &page, rep))
            (profile(context, rep))
            (improvements(context, &page, points, heard, rep))
            (coaching(context, rep))
        }
        section aria-label=(m.rep_calls) {
            h2 { (m.rep_calls) }
            @if let (Some(newest), Some(oldest)) = (dated(shown.first()), dated(shown.last())) {
                p.muted { ((m.rep_calls_range)(&day(m, newest.date()), &day(m, oldest.date()))) }
            }
            (context.calls_table(&page, shown, false, None))
            (navigation)
        }
    }
}

fn facts(context: &Context, rep: &RepDigest) -> Markup {
    let m = context.m;
    let row = &rep.row;
    let reason = insufficient(context, rep);
    html! {
        ul.facts {
            @if let Some(team) = &row.team { li { bdi { (team) } } }
            li { ((m.calls)(rep.parts.calls.len() as u64)) }
            li { (m.n_scored) " " b { (row.n_scored) } }
            @if row.n_pending > 0 { li { (m.n_pending) " " b { (row.n_pending) } } }
            @if row.n_unscored > 0 { li { (m.n_unscored) " " b { (row.n_unscored) } } }
            @if let Some(estimate) = estimate(rep) { li { (m.estimate) " " b { (with_interval(&estimate)) } } }
            li { (m.rank) " " b { (rank(context, rep)) } @if let Some(reason) = &reason { " " small { (reason) } } }
            @if let Some(trend) = trend(context, rep) { li { (trend) } }
        }
        @for note in notes(context, rep) { p.notice { (note) } }
    }
}

/// The rank range, or why there is none.
pub fn rank(context: &Context, rep: &RepDigest) -> String {
    match (rep.row.rank_low, rep.row.rank_high) {
        (Some(low), Some(high)) => (context.m.rank_range)(low, high, context.digest.ranked_among(rep)),
        _ => context.m.insufficient.to_string(),
    }
}

/// An arrow with its words; only when the interval excludes zero.
pub fn trend(context: &Context, rep: &RepDigest) -> Option<Markup> {
    let m = context.m;
    let trend = rep.trend.as_ref().filter(|trend| trend.significant)?;
    let (arrow, class, text) =
        if trend.millipoints > 0 { ("↗", "up", m.trend_up) } else { ("↘", "down", m.trend_down) };
    let minus = |millipoints: i64| points(millipoints).replace('-', "−");
    let text = text(&points(trend.millipoints.abs()), &minus(trend.low), &minus(trend.high));
    Some(html! {
        span.trend.(class) title=(format!("{} {}", trend.previous_period, text)) {
            i aria-hidden="true" { (arrow) } " " (minus(trend.millipoints)) span.hidden-text { " " (text) }
        }
    })
}

/// What a reader should know before comparing this rep.
pub fn notes(context: &Context, rep: &RepDigest) -> Vec<String> {
    let m = context.m;
    let digest = context.digest;
    let calls = || rep.parts.calls.iter().map(|call| &digest.summaries[*call]).filter(|call| call.score.is_some());
    let no_start = rep.parts.calls.iter().filter(|call| digest.calls[**call].start.is_none()).count() as u64;
    let versions: BTreeSet<(&str, &str)> =
        calls().map(|call| (call.scorecard.as_str(), call.scorecard_hash.as_str())).collect();
    let names: BTreeSet<&str> = versions.iter().map(|(name, _)| *name).collect();
    let teams: BTreeSet<&String> = calls().filter_map(|call| call.team.as_ref()).collect();
    let mut notes = Vec::new();
    if no_start > 0 {
        notes.push((m.note_no_start)(no_start));
    }
    // Several scorecards are usual (sales and support); several versions of one make earlier calls hard to compare.
    if versions.len() > names.len() {
        notes.push(m.note_scorecards.to_string());
    }
    if rep.parts.recognisers.len() > 1 {
        notes.push(m.note_models.to_string());
    }
    if teams.len() > 1 {
        notes.push(m.note_teams.to_string());
    }
    notes
}

fn over_time(context: &Context, page: &Page, rep: &RepDigest) -> Markup {
    let m = context.m;
    let digest = context.digest;
    let dated: Vec<(DateTime, usize, i64)> = rep
        .parts
        .calls
        .iter()
        .rev()
        .filter_map(|index| Some((digest.calls[*index].start?, *index, digest.summaries[*index].score?)))
        .collect();
    let (Some(first), Some(last)) = (dated.first(), dated.last()) else {
        return html! { section { h2 { (m.score_over_time) } p.muted { (m.no_dates) } } };
    };
    let days = first.0.date().until(last.0.date()).map_or(0, |span| span.get_days());
    let (kind, what) = match days {
        ..=31 => (PeriodKind::Day, m.day_mean),
        32..=182 => (PeriodKind::Week, m.week_mean),
        _ => (PeriodKind::Month, m.month_mean),
    };
    let minutes = |at: DateTime| {
        f64::from(first.0.date().until(at.date()).map_or(0, |span| span.get_days())) * 1440.0
            + f64::from(at.hour()) * 60.0
            + f64::from(at.minute())
    };
    let (begin, length) = (minutes(first.0), (minutes(last.0) - minutes(first.0)).max(1.0));
    let at = |time: DateTime| if dated.len() == 1 { 0.5 } else { (minutes(time) - begin) / length };
    let call_point = |(start, index, score): &(DateTime, usize, i64)| {
        let id = &digest.summaries[*index].call_id;
        chart::Point {
            at: at(*start),
            value: Mean { n: 1, mean: *score as f64 / 1000.0, interval: None },
            label: format!("{} {}: {}", day(m, start.date()), id, points(*score)),
            href: Some(context.href(page, &Page::Call(id.clone()), None)),
        }
    };
    let calls: Vec<chart::Point> =
        if dated.len() <= DOTS { dated.iter().map(call_point).collect() } else { Vec::new() };
    let mut periods: BTreeMap<String, (Moments, f64)> = BTreeMap::new();
    for (start, _, score) in &dated {
        if let Some(period) = kind.period(Some(&start.to_string())) {
            let entry = periods.entry(period).or_default();
            entry.0.add(*score);
            entry.1 += at(*start);
        }
    }
    let means_of = |scores: &Moments| period_mean(scores, &rep.parts.scores);
    let mean_point = |(period, (scores, places)): (&String, &(Moments, f64))| {
        let mean = means_of(scores)?;
        let scaled = Mean {
            n: mean.n,
            mean: mean.mean / 1000.0,
            interval: mean.interval.map(|(low, high)| (low / 1000.0, high / 1000.0)),
        };
        Some(chart::Point {
            at: places / scores.n as f64,
            value: scaled,
            label: format!("{period}: {}, n = {}", with_interval(&mean), mean.n),
            href: None,
        })
    };
    let means: Vec<chart::Point> = periods.iter().filter_map(mean_point).collect();
    let team = Mean::of(&context.digest.team_of(rep).scores);
    let own = estimate(rep);
    let mut bands = Vec::new();
    for (class, label, mean) in [("team", m.team_band, &team), ("own", m.own_band, &own)] {
        if let Some((low, high)) = mean.as_ref().and_then(|mean| mean.interval) {
            bands.push(Band { class, low: low.max(0.0) / 1000.0, high: high.min(100_000.0) / 1000.0, label });
        }
    }
    let mut ticks = vec![(at(first.0), first.0.date().to_string())];
    if last.0.date() != first.0.date() {
        ticks.push((1.0, last.0.date().to_string()));
    }
    let title = (m.score_over_time_what)(context.rep_label(&rep.id), dated.len() as u64);
    html! {
        section aria-label=(m.score_over_time) {
            h2 { (m.score_over_time) }
            figure {
                (chart::over_time(&title, &calls, &means, &bands, &ticks))
                figcaption { ul.legend {
                    li { i.key.k-dot {} (what) }
                    @if !calls.is_empty() { li { i.key.k-call {} (m.single_call) } }
                    @if let Some(own) = &own { li { i.key.k-own {} (m.own_band) " " (with_interval(own)) } }
                    @if let Some(team) = &team { li { i.key.k-team {} (m.team_band) " " (with_interval(team)) } }
                } }
            }
            details {
                summary { (m.data) }
                table.plain {
                    thead { tr { th scope="col" { (m.when) } th.n scope="col" { (m.scored_calls) } th.n scope="col" { (m.estimate) } } }
                    tbody { @for (period, (scores, _)) in &periods {
                        @if let Some(mean) = means_of(scores) { tr { th scope="row" { (period) } td.n { (mean.n) } td.n { (with_interval(&mean)) } } }
                    } }
                }
            }
        }
    }
}

/// The mean of a period, its interval from the spread of all the rep's calls: two calls say little about spread.
fn period_mean(scores: &Moments, all: &Moments) -> Option<Mean> {
    let mean = scores.mean()?;
    let half = all.variance().map(|variance| Z95 * (variance / scores.n as f64).sqrt());
    Some(Mean { n: scores.n, mean, interval: half.map(|half| (mean - half, mean + half)) })
}

fn profile(context: &Context, rep: &RepDigest) -> Markup {
    let m = context.m;
    let team = context.digest.team_of(rep);
    let mean = |moments: Option<&Moments>| moments.and_then(Mean::of);
    html! {
        @if !rep.parts.dimensions.is_empty() {
            section aria-label=(m.profile) {
                h2 { (m.profile) }
                p.note { (m.profile_note) }
                div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.profile)) { table.plain.profile {
                    thead { tr {
                        th scope="col" { (m.dimension_name) } th.chart scope="col" { span.hidden-text { (m.score) } (chart::axis()) }
                        th.n scope="col" { (m.this_rep) " %" } th.n scope="col" { (m.team_mean) " %" } th.n scope="col" { "n" }
                    } }
                    tbody { @for dimension in &context.digest.dimensions {
                        @if let Some(own) = mean(rep.parts.dimensions.get(dimension)) {
                            @let team = mean(team.dimensions.get(dimension));
                            tr {
                                th scope="row" { (context.dimension(dimension)) }
                                td.chart { (chart::interval(&own, team.as_ref().map(|team| team.mean), 1000.0, &context.dimension(dimension))) }
                                td.n { (share(own.mean)) @if let Some((low, high)) = own.interval { " " small { "(" (share(low.max(0.0))) "–" (share(high.min(1000.0))) ")" } } }
                                td.n { (team.map_or("–".to_string(), |team| share(team.mean))) }
                                td.n { (own.n) }
                            }
                        }
                    } }
                } }
            }
        }
    }
}

/// What the rep works on with a trainer, at which step, and what came of it.
fn coaching(context: &Context, rep: &RepDigest) -> Markup {
    let m = context.m;
    let plans: Vec<&CoachingPlan> = context.plans.iter().filter(|plan| plan.rep_id == rep.id).collect();
    let target = |plan: &CoachingPlan| match &plan.target {
        Target::Score => m.mean_score.to_string(),
        Target::Dimension(name) => context.dimension(name),
        Target::Requirement(id) | Target::Metric(id) => context.name(id),
    };
    html! {
        @if !plans.is_empty() {
            section aria-label=(m.coaching) {
                h2 { (m.coaching) }
                p.note { (m.coaching_note) }
                div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.coaching)) {
                    table {
                        thead { tr {
                            th scope="col" { (m.coaching_plan) } th scope="col" { (m.work_on) } th scope="col" { (m.coaching_step) }
                            th scope="col" { (m.coaching_recheck) } th scope="col" { (m.coaching_result) }
                        } }
                        tbody { @for plan in plans { tr {
                            th scope="row" { (plan.plan_id) }
                            td { (target(plan)) }
                            td { ((m.coaching_stage)(plan.stage)) @if let Some(since) = plan.entered.get(&plan.stage) { " " small { (day(m, *since)) } } }
                            td { @if let Some(due) = plan.recheck_due().filter(|_| plan.is_open()) { (day(m, due)) } @else { "–" } }
                            td { @match plan.last_check {
                                Some((on, verdict, effect, low, high)) => {
                                    ((m.coaching_verdict)(verdict)) " " (amount(&plan.target, effect))
                                    " " ((m.interval_95)(&amount(&plan.target, low), &amount(&plan.target, high))) " " small { (day(m, on)) }
                                },
                                None => { "–" },
                            } }
                        } } }
                    }
                }
            }
        }
    }
}

fn improvements(context: &Context, page: &Page, found: &[Point], heard: &Heard, rep: &RepDigest) -> Markup {
    let m = context.m;
    html! {
        section aria-label=(m.improvements) {
            h2 { (m.improvements) }
            @if found.is_empty() { p.muted { (m.improvements_none) } }
            div.cards { @for point in found {
                @let id = &point.improvement.requirement_id;
                @let list = Page::List(List::Requirement(id.clone()), 0);
                article.card {
                    h3 { @if context.has(&list) { a href=(context.href(page, &list, None)) { (context.name(id)) } } @else { (context.name(id)) } }
                    p.muted { ((m.improvement_cost)(&limited(point.improvement.millipoints_per_call as f64), point.improvement.calls, rep.parts.scores.n)) }
                    dl {
                        dt { (m.what) } dd { (context.what(id)) }
                        @if !context.why(id).is_empty() { dt { (m.why) } dd { (context.why(id)) } }
                        @if !context.coach(id).is_empty() { dt { (m.how_to_say) } dd { (context.coach(id)) } }
                    }
                    h4 { (m.listen_to) }
                    ul.listen { @for moment in &point.moments { li { (place(context, page, moment, id, heard)) } } }
                    h4 { (m.good_example) }
                    @match &point.example {
                        Some((rep, moment)) => div.example {
                            p.muted { bdi { ((m.example_of)(context.rep_label(&context.digest.reps[*rep].id), &moment.call_id)) } }
                            (place(context, page, moment, id, heard))
                        },
                        None => p.muted { (m.no_example) },
                    }
                }
            } }
        }
    }
}

/// A moment: play it here, or go to its row in the call.
fn place(context: &Context, page: &Page, moment: &Moment, requirement: &str, heard: &Heard) -> Markup {
    let m = context.m;
    let call = Page::Call(moment.call_id.clone());
    let clip = heard.clip_at(moment);
    html! {
        @if let Some((begin, _, source)) = clip {
            button.hear type="button" data-source=(source) data-clip-begin=(begin) data-begin=(moment.begin_ms) aria-label=((m.play_from)(&clock(moment.begin_ms))) { "▶" } " "
        }
        a.moment href=(context.href(page, &call, Some(&format!("row-{}", moment.row)))) {
            @if moment.timed { (clock(moment.begin_ms)) " " }
            bdi { (moment.call_id) }
        }
        " " small.muted { (when(m, moment.start, None)) }
        @if let Some(value) = moment.metric_value { " " small { ((m.measured)(&context.metric_value(requirement, value, moment.language == Some(Language::Zh)))) } }
        @if !moment.quote.is_empty() { " " q dir="auto" lang=[moment.language.map(Language::code)] { (moment.quote) } }
    }
}
