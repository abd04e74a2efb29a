//! Call logs and sales beside the calls: by team process, outcome and both blended, each rep's indicators with target, interval and n, and whether the
//! targets still tell anything. Only when something was imported.

use callmark_core::performance::{
    Benchmark, Difference, Figure, IndicatorKind, IndicatorRow, Measure, PeriodKind, RisesAlone, TargetCheck,
    TeamIndicators, target_checks, team_indicators,
};
use maud::{Markup, html};

use super::frame::{Context, day, sortable};
use super::site::{Page, slug};
use crate::render::call_page::points;
use crate::render::indicators::{self, Indicators, decimal};

const PAGE: Page = Page::Indicators;

/// The rows of a kind of period.
fn of_kind(found: &Indicators, kind: PeriodKind) -> impl Iterator<Item = &IndicatorRow> {
    found.rows.iter().filter(move |row| row.period_kind == kind)
}

/// The latest month and its rows, where there are several.
fn latest_month(found: &Indicators) -> Option<(&str, Vec<&IndicatorRow>)> {
    let months = || of_kind(found, PeriodKind::Month);
    let (first, last) = (months().map(|row| &row.period).min()?, months().map(|row| &row.period).max()?);
    (first < last).then(|| (last.as_str(), months().filter(|row| row.period == *last).collect()))
}

/// Targets as the months of the store were held against them.
pub fn targets(found: &Indicators) -> Vec<TargetCheck> {
    target_checks(&of_kind(found, PeriodKind::Month).cloned().collect::<Vec<_>>(), &found.settings)
}

/// What speaks against targets, for the first page; empty while nothing does.
pub fn doubts(context: &Context) -> Vec<String> {
    let m = context.m;
    let mut said = Vec::new();
    for check in context.indicators.map(targets).unwrap_or_default() {
        let name = (m.indicator)(check.kind);
        if let Some(month) = check.months.last().filter(|_| check.tells_nothing) {
            said.push((m.honesty_target)(name, month.reached, month.reps, &month.month));
        }
        if let Some(RisesAlone { figure, sold, sold_as }) = check.rises_alone {
            let rise = with_ends(&figure, |milli| value(context, check.kind, milli));
            let sales = with_ends(&sold, |milli| decimal(milli / 10, 2));
            said.push((m.honesty_rises_alone)(name, &rise, (m.measure)(sold_as), &sales, figure.reps));
        }
    }
    said
}

/// `−19.4 (−55.1 … 16.3)`.
fn with_ends(difference: &Difference, shown: impl Fn(i64) -> String) -> String {
    let [mean, low, high] = [difference.mean, difference.low, difference.high].map(|x| shown(x).replace('-', "−"));
    format!("{mean} ({low} … {high})")
}

/// The first page's link.
pub fn first(context: &Context) -> Markup {
    let m = context.m;
    html! {
        @if context.has(&PAGE) {
            section aria-label=(m.indicators_title) {
                h2 { (m.indicators_title) }
                p { a href=(context.href(&Page::Team, &PAGE, None)) { (m.indicators_all) } }
            }
        }
    }
}

pub fn body(context: &Context, found: &Indicators) -> Markup {
    let m = context.m;
    let mut days: Vec<&str> = of_kind(found, PeriodKind::Day).map(|row| row.period.as_str()).collect();
    days.sort_unstable();
    let shown = |text: &str| text.parse().map_or_else(|_| text.to_string(), |date| day(m, date));
    let whole: Vec<&IndicatorRow> = of_kind(found, PeriodKind::All).collect();
    let month = latest_month(found);
    html! {
        h1 { (m.indicators_title) }
        @if let (Some(first), Some(last)) = (days.first(), days.last()) { p.period { ((m.indicators_days)(&shown(first), &shown(last))) } }
        p.note { (m.indicators_note) }
        p { (association(context, found)) }
        (summary(context, m.indicators_whole, &whole))
        @if let Some((month, rows)) = &month { (summary(context, &(m.indicators_month)(month), rows)) }
        (target_months(context, found))
        @for team in team_indicators(&whole, &found.settings) {
            (team_card(context, found, &team))
            @for row in whole.iter().filter(|row| row.team == team.team) {
                @let latest = month.as_ref().and_then(|(_, rows)| rows.iter().find(|of| of.rep_id == row.rep_id));
                (rep_card(context, found, row, latest.copied().zip(month.as_ref().map(|(month, _)| *month))))
            }
        }
    }
}

fn association(context: &Context, found: &Indicators) -> String {
    let m = context.m;
    let hundredths = |permille: i64| decimal(permille / 10, 2).replace('-', "−");
    found.association.map_or_else(
        || m.indicators_no_association.to_string(),
        |of| {
            let [rho, low, high] = [of.rho_permille, of.low_permille, of.high_permille].map(hundredths);
            (m.indicators_association)(&rho, &low, &high, of.reps as u64)
        },
    )
}

fn or_dash(millipoints: Option<i64>) -> String {
    millipoints.map_or_else(|| "–".to_string(), points)
}

fn percent(permille: i64) -> String {
    decimal(permille, 1)
}

/// Process, outcome and both blended of all reps, by team.
fn summary(context: &Context, heading: &str, rows: &[&IndicatorRow]) -> Markup {
    let m = context.m;
    let mut order: Vec<&IndicatorRow> = rows.to_vec();
    order.sort_by_key(|row| (&row.team, &row.rep_id));
    html! {
        section aria-label=(heading) {
            h2 { (heading) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(heading)) {
                table.sortable {
                    thead { tr {
                        (sortable(m, m.team, false)) (sortable(m, m.rep, false)) (sortable(m, m.indicators_days_worked, true))
                        (sortable(m, m.indicators_process, true)) (sortable(m, m.indicators_outcome, true)) (sortable(m, m.indicators_blended, true))
                        (sortable(m, m.indicators_weight, true)) (sortable(m, m.indicators_profile, false)) (sortable(m, m.indicators_tenure, true))
                    } }
                    tbody { @for row in order { tr {
                        td.id { bdi { (row.team.as_deref().unwrap_or("–")) } }
                        th.id scope="row" { a href=(context.here(&PAGE, &anchor(row))) { bdi { (context.rep_label(&row.rep_id)) } } }
                        td.n data-v=(row.days) { (row.days) }
                        @for part in [row.blend.process, row.blend.outcome, row.blend.blended] {
                            td.n data-v=(part.unwrap_or(-1)) { (or_dash(part)) }
                        }
                        td.n data-v=(row.blend.outcome_weight_permille) { ((m.percent)(&percent(row.blend.outcome_weight_permille))) }
                        td { ((m.indicators_profile_name)(row.profile)) }
                        td.n data-v=(row.tenure_days.map_or(-1, i64::from)) { (row.tenure_days.map_or_else(|| "–".to_string(), |days| days.to_string())) }
                    } } }
                }
            }
        }
    }
}

/// By month, how many reps reached each target.
fn target_months(context: &Context, found: &Indicators) -> Markup {
    let m = context.m;
    let checks = targets(found);
    let mut months: Vec<&str> = checks.iter().flat_map(|check| &check.months).map(|of| of.month.as_str()).collect();
    months.sort_unstable();
    months.dedup();
    // A year fills a sheet.
    let months = &months[months.len().saturating_sub(12)..];
    html! {
        @if !months.is_empty() {
            section aria-label=(m.indicators_targets) {
                h2 { (m.indicators_targets) }
                p.note { (m.indicators_targets_note) }
                div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.indicators_targets)) {
                    table.plain.by-month {
                        thead { tr {
                            th scope="col" { (m.indicators_month_name) }
                            @for check in &checks { th.n scope="col" { ((m.indicator)(check.kind)) } }
                        } }
                        tbody { @for month in months { tr {
                            th scope="row" { (month) }
                            @for check in &checks {
                                td.n {
                                    @match check.months.iter().find(|of| of.month == **month) {
                                        Some(of) => ((m.of_reps)(of.reached, of.reps)),
                                        None => "–",
                                    }
                                }
                            }
                        } } }
                    }
                }
            }
        }
    }
}

/// A figure in its unit with its interval; shares as per cent, as the language writes it.
fn figure(context: &Context, kind: IndicatorKind, figure: &Figure) -> String {
    let text = indicators::figure(kind, figure);
    if context.m.tag == "en" { text } else { text.replace(" %", "%") }
}

fn value(context: &Context, kind: IndicatorKind, milli: i64) -> String {
    figure(context, kind, &Figure { value_milli: milli, interval_milli: None })
}

fn target(context: &Context, kind: IndicatorKind, benchmark: Option<&Benchmark>) -> String {
    let m = context.m;
    let Some(benchmark) = benchmark.filter(|benchmark| benchmark.weight > 0) else {
        return m.indicators_no_target.to_string();
    };
    let full = value(context, kind, benchmark.full_milli);
    match benchmark.full_new_hire_milli {
        Some(new_hire) => (m.indicators_target_new_hire)(&full, &value(context, kind, new_hire)),
        None => full,
    }
}

/// What a figure is counted over: `n = 160 calls dialled`.
fn base(context: &Context, measure: Option<Measure>, row_totals: impl Fn(Measure) -> Option<i64>, days: u64) -> String {
    let m = context.m;
    match measure {
        Some(measure) => (m.indicators_base)(&row_totals(measure).unwrap_or(0).to_string(), (m.measure)(measure)),
        None => (m.indicators_base)(&days.to_string(), m.indicators_days_worked),
    }
}

fn team_card(context: &Context, found: &Indicators, team: &TeamIndicators) -> Markup {
    let m = context.m;
    let name = team.team.as_deref().unwrap_or("–");
    let total = |measure| team.totals.get(&measure).copied();
    html! {
        article.card.indicators {
            h2 { (m.team) " " bdi { (name) } }
            p.muted { ((m.indicators_team)(team.reps, team.days)) }
            div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(name)) {
                table.plain {
                    thead { tr {
                        th scope="col" { (m.indicators_name) } th.n scope="col" { (m.indicators_value) }
                        th.n scope="col" { "n" } th.n scope="col" { (m.indicators_target) }
                    } }
                    tbody { @for (kind, figure) in &team.figures { tr {
                        th scope="row" { ((m.indicator)(*kind)) }
                        td.n { (self::figure(context, *kind, figure)) }
                        td.n { (base(context, kind.base(team.conversion_of, &team.totals), total, team.days)) }
                        td.n { (target(context, *kind, found.settings.benchmarks.get(kind))) }
                    } } }
                }
            }
        }
    }
}

fn anchor(row: &IndicatorRow) -> String {
    format!("rep-{}", slug(&row.rep_id))
}

fn rep_card(context: &Context, found: &Indicators, row: &IndicatorRow, month: Option<(&IndicatorRow, &str)>) -> Markup {
    let m = context.m;
    let total = |measure| row.totals.get(&measure).copied();
    let rep_page = Page::Rep(row.rep_id.clone(), 0);
    let label = context.rep_label(&row.rep_id);
    html! {
        article.card.indicators id=(context.layout.element(&PAGE, &anchor(row))) {
            h3 { bdi { (label) } }
            p.muted {
                bdi { (row.team.as_deref().unwrap_or("–")) } " · " ((m.indicators_profile_name)(row.profile))
                " · " ((m.indicators_parts)(&or_dash(row.blend.process), &or_dash(row.blend.outcome), &or_dash(row.blend.blended), &percent(row.blend.outcome_weight_permille)))
                @if context.has(&rep_page) { " · " a href=(context.href(&PAGE, &rep_page, None)) { (m.indicators_calls) } }
            }
            @if let Some(weak) = row.weak_stage { p { ((m.indicators_weak_stage)(weak)) } }
            @if let Some(leads) = row.leads {
                p { ((m.indicators_leads)(&decimal(leads.break_even_ppm / 100, 2), leads.pays)) }
            }
            @for warning in &row.warnings { @if let Some(note) = note(context, warning) { p.note { (note) } } }
            @if !row.figures.is_empty() {
                div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(label)) {
                    table.plain {
                        thead { tr {
                            th scope="col" { (m.indicators_name) } th.n scope="col" { (m.indicators_value) } th.n scope="col" { "n" }
                            @if let Some((_, month)) = month { th.n scope="col" { (month) } }
                            th.n scope="col" { (m.indicators_target) } th.n scope="col" { (m.points) }
                        } }
                        tbody { @for (kind, figure) in &row.figures { tr {
                            th scope="row" { ((m.indicator)(*kind)) }
                            td.n { (self::figure(context, *kind, figure)) }
                            td.n { (base(context, kind.base(row.conversion_of, &row.totals), total, row.days)) }
                            @if let Some((latest, _)) = month {
                                td.n { (latest.figures.get(kind).map_or_else(|| "–".to_string(), |of| self::figure(context, *kind, of))) }
                            }
                            td.n { (target(context, *kind, found.settings.benchmarks.get(kind))) }
                            td.n { (or_dash(row.points.get(kind).copied())) }
                        } } }
                    }
                }
            }
        }
    }
}

/// A warning of the table in the report's language; that process is missing shows as a dash.
fn note(context: &Context, warning: &str) -> Option<&'static str> {
    let m = context.m;
    if warning.starts_with("no call log") {
        Some(m.indicators_no_call_log)
    } else if warning.starts_with("more deals than") {
        Some(m.indicators_more_deals)
    } else {
        None
    }
}
