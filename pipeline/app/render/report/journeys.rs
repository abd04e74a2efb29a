//! Opportunities: what waits first, then each with its checklist, health and the customer's own words, linked to the calls behind them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use callmark_core::journey::{Alert, ItemOutcome, ItemState, Mention, Moment, OpportunityRow};
use maud::{Markup, html};

use super::frame::{Context, day, parts, sortable};
use super::morning::plain;
use super::site::{OPPORTUNITIES_PER_PAGE, Page};
use crate::render::call_page::{clock, points};
use crate::render::journeys::{checklist, money, reason};
use crate::render::messages::Messages;

/// Opportunities that the digest and the first page name.
const FIRST: usize = 5;

/// Number of pages that the opportunities take; none without any.
pub fn number_of_parts(context: &Context) -> usize {
    context.journeys.map_or(0, |journeys| journeys.rows.len().div_ceil(OPPORTUNITIES_PER_PAGE))
}

/// Those that wait, the gravest first.
fn waiting<'a>(context: &Context<'a>) -> Vec<&'a OpportunityRow> {
    let rows = context.journeys.map_or(&[][..], |journeys| journeys.rows.as_slice());
    rows.iter().filter(|row| !row.alerts.is_empty()).collect()
}

/// Opportunity, customer and rep.
fn name(row: &OpportunityRow) -> String {
    let customer = row.customer_id.as_deref().filter(|customer| *customer != row.opportunity_id);
    [Some(row.opportunity_id.as_str()), customer, Some(row.rep_id.as_str())]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn reasons(context: &Context, row: &OpportunityRow) -> String {
    row.alerts.iter().map(|alert| reason(context.m, alert)).collect::<Vec<_>>().join(" ")
}

/// What was promised: its place, if it was said in a call, and the words.
fn promised(row: &OpportunityRow) -> Option<(String, &str)> {
    let promise = row.alerts.iter().find_map(|alert| match alert {
        Alert::StaleFollowUp { promise, .. } if !promise.quote.is_empty() => Some(promise),
        _ => None,
    })?;
    let place = [promise.call_id.clone(), promise.begin_ms.map(clock)];
    Some((place.into_iter().flatten().collect::<Vec<_>>().join(" "), &promise.quote))
}

/// For the morning; empty while nothing was imported.
pub fn morning(context: &Context) -> Markup {
    let (m, rows) = (context.m, waiting(context));
    html! {
        @if let Some(journeys) = context.journeys {
            section aria-label=(m.journeys_waiting) {
                h2 { (m.journeys_waiting) }
                p.note { ((m.journeys_as_of)(&day(m, journeys.as_of))) }
                @if rows.is_empty() { p { (m.journeys_nothing) } } @else {
                    ul.first { @for row in rows.iter().take(FIRST) { li {
                        b { bdi { (name(row)) } } " – " (reasons(context, row))
                        @if let Some((place, words)) = promised(row) { " " bdi { (place) } " " q { bdi { (words) } } }
                    } } }
                    @if rows.len() > FIRST { p.note { ((m.journeys_more)((rows.len() - FIRST) as u64)) } }
                }
            }
        }
    }
}

/// The same as Markdown.
pub fn morning_markdown(context: &Context) -> String {
    let (m, rows) = (context.m, waiting(context));
    let Some(journeys) = context.journeys else { return String::new() };
    let mut text =
        format!("\n## {}\n\n{}\n\n", m.journeys_waiting, plain(&(m.journeys_as_of)(&day(m, journeys.as_of))));
    if rows.is_empty() {
        let _ = writeln!(text, "{}", m.journeys_nothing);
    }
    for row in rows.iter().take(FIRST) {
        let _ = writeln!(text, "- **{}** – {}", plain(&name(row)), plain(&reasons(context, row)));
        if let Some((place, words)) = promised(row) {
            let _ = writeln!(text, "  > {}: {}", plain(&place), plain(words));
        }
    }
    if rows.len() > FIRST {
        let _ = writeln!(text, "\n{}", (m.journeys_more)((rows.len() - FIRST) as u64));
    }
    text
}

/// The first page's section, with a link to all.
pub fn first(context: &Context) -> Markup {
    let (m, rows, all) = (context.m, waiting(context), Page::Journeys(0));
    html! {
        @if context.has(&all) {
            section aria-label=(m.journeys_title) {
                h2 { (m.journeys_title) }
                @if rows.is_empty() { p { (m.journeys_nothing) } } @else {
                    ul { @for row in rows.iter().take(FIRST) { li {
                        a href=(context.href(&Page::Team, &page_of(context, row), Some(&anchor(row)))) { bdi { (name(row)) } }
                        " – " (reasons(context, row))
                    } } }
                }
                p { a href=(context.href(&Page::Team, &all, None)) { (m.journeys_all) } }
            }
        }
    }
}

fn anchor(row: &OpportunityRow) -> String {
    format!("opportunity-{}", super::site::slug(&row.opportunity_id))
}

fn page_of(context: &Context, row: &OpportunityRow) -> Page {
    let rows = context.journeys.map_or(&[][..], |journeys| journeys.rows.as_slice());
    let same =
        |other: &OpportunityRow| (&other.opportunity_id, &other.customer_id) == (&row.opportunity_id, &row.customer_id);
    Page::Journeys(rows.iter().position(same).unwrap_or(0) / OPPORTUNITIES_PER_PAGE)
}

pub fn body(context: &Context, part: usize) -> Markup {
    let m = context.m;
    let page = Page::Journeys(part);
    let Some(journeys) = context.journeys else { return html! {} };
    let shown = journeys.rows.chunks(OPPORTUNITIES_PER_PAGE).nth(part).unwrap_or(&[]);
    let calls: BTreeSet<&str> = context.digest.summaries.iter().map(|call| call.call_id.as_str()).collect();
    html! {
        h1 { (m.journeys_title) }
        p.period { ((m.journeys_as_of)(&day(m, journeys.as_of))) }
        p.note { (m.journeys_note) }
        (table(context, &page, shown))
        @for row in shown { (opportunity(context, &page, row, &calls)) }
        (parts(context, &page, part, number_of_parts(context), Page::Journeys))
    }
}

/// The opportunities of a page; each row leads to its evidence below.
fn table(context: &Context, page: &Page, rows: &[OpportunityRow]) -> Markup {
    let m = context.m;
    html! {
        div.table-scroll tabindex="0" role="region" aria-label=((m.scroll_table)(m.journeys_title)) {
            table.sortable {
                thead { tr {
                    (sortable(m, m.journey_opportunity, false))
                    (sortable(m, m.rep, false))
                    (sortable(m, m.journey_status_name, false))
                    (sortable(m, m.journey_value, true))
                    (sortable(m, m.journey_checklist, true))
                    (sortable(m, m.journey_health, true))
                    (sortable(m, m.journey_last_touch, false))
                } }
                tbody { @for row in rows { tr {
                    th.id scope="row" { a href=(context.here(page, &anchor(row))) { bdi { (row.opportunity_id) } } }
                    td.id { bdi { (row.rep_id) } }
                    td { ((m.journey_status)(row.status)) }
                    td.n data-v=(row.value_milli.unwrap_or(-1)) { (row.value_milli.map_or("–".to_string(), money)) }
                    td.n data-v=(row.checklist_points) { (checklist(m, row)) }
                    td.n data-v=(row.health.points) { (points(row.health.points)) }
                    td { @if let Some(last) = row.health.last_touch { time datetime=(last) { (day(m, last)) } } @else { "–" } }
                } } }
            }
        }
    }
}

fn opportunity(context: &Context, page: &Page, row: &OpportunityRow, calls: &BTreeSet<&str>) -> Markup {
    let m = context.m;
    let share = |permille: Option<i64>| permille.map_or("–".to_string(), |permille| format!("{} %", permille / 10));
    let health = &row.health;
    let shares = [
        (m.journey_recency, share(Some(health.recency_permille))),
        (m.journey_number, share(Some(health.number_permille))),
        (m.journey_two_sided, share(health.two_sided_permille)),
        (m.journey_heat, share(health.heat_permille)),
    ];
    html! {
        article.card.opportunity id=(context.layout.element(page, &anchor(row))) {
            h2 { bdi { (name(row)) } }
            @for alert in &row.alerts { p.notice { (reason(m, alert)) (promise(context, page, alert, calls)) } }
            p.muted { @for (what, value) in shares { (what) " " b { (value) } "  " } }
            @if !row.items.is_empty() {
                ul { @for item in &row.items { (item_line(context, page, item, calls)) } }
            }
            @if !row.mentions.is_empty() {
                h3 { (m.journey_words) }
                ul { @for mention in &row.mentions { li {
                    b { ((m.journey_said)(mention.kind)) } " " (said(context, page, mention, calls))
                } } }
            }
        }
    }
}

/// The place of a promise that was made in a call.
fn promise(context: &Context, page: &Page, alert: &Alert, calls: &BTreeSet<&str>) -> Markup {
    let made = match alert {
        Alert::StaleFollowUp { promise, .. } => Some(promise),
        _ => None,
    };
    html! {
        @if let Some(promise) = made.filter(|promise| !promise.quote.is_empty()) {
            " "
            @if let Some(call) = &promise.call_id { (place(context, page, call, promise.turn, promise.begin_ms, calls)) " " }
            q { bdi { (promise.quote) } }
        }
    }
}

fn item_line(context: &Context, page: &Page, item: &ItemOutcome, calls: &BTreeSet<&str>) -> Markup {
    let m = context.m;
    // Shape before colour.
    let mark = match item.state {
        ItemState::Met => "●",
        ItemState::Missed => "▲",
        ItemState::NotDue => "○",
        ItemState::Unknown => "–",
    };
    let what =
        context.journey_items.iter().find(|known| known.id == item.id).map_or("", |known| known.what.get(m.language));
    html! {
        li {
            i aria-hidden="true" { (mark) } " " b { ((m.journey_state)(item.state)) } " " (what) " "
            small {
                @if item.state.is_decided() { ((m.journey_points)(&points(item.points), &points(item.possible))) }
                @if let Some(due) = item.due { " · " ((m.journey_due)(&day(m, due))) }
                @if let Some(share) = item.share_permille { " · " ((m.journey_share)(&(share / 10).to_string())) }
                @for event in &item.events { " · " ((m.journey_event)(event.kind)) " " (moment(m, event.at)) }
            }
            @for mention in &item.said { " " (said(context, page, mention, calls)) }
        }
    }
}

fn said(context: &Context, page: &Page, mention: &Mention, calls: &BTreeSet<&str>) -> Markup {
    html! {
        (place(context, page, &mention.call_id, Some(mention.turn), mention.begin_ms, calls)) " "
        q { bdi { (mention.quote) } }
    }
}

/// `2025-02-19 Wed 06:01`.
fn moment(m: &Messages, at: Moment) -> String {
    let time = at.time.map_or(String::new(), |time| format!(" {:02}:{:02}", time.hour(), time.minute()));
    format!("{}{time}", day(m, at.day))
}

/// A link to the turn when the report has the call's page.
fn place(
    context: &Context,
    page: &Page,
    call: &str,
    turn: Option<u32>,
    begin_ms: Option<i64>,
    calls: &BTreeSet<&str>,
) -> Markup {
    let element = turn.map(|turn| format!("turn-{turn}"));
    let at = begin_ms.map_or(String::new(), |begin_ms| format!(" {}", clock(begin_ms)));
    html! {
        @if calls.contains(call) {
            a href=(context.href(page, &Page::Call(call.to_string()), element.as_deref())) { bdi { (call) } (at) }
        } @else { bdi { (call) } (at) }
    }
}
