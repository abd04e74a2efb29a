//! `callmark journeys`: checklists, health and alerts of opportunities, as a table or with the evidence of one.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use callmark_core::journey::{ChecklistItem, ItemOutcome, Mention, OpportunityRow};
use callmark_core::recording::Language;

use crate::FINISHED;
use crate::cli::{Common, JourneysArgs};
use crate::commands::existing_store;
use crate::commands::terminal_table::{right, table};
use crate::config::{Config, did_you_mean};
use crate::journeys::{AsOf, journeys};
use crate::render::call_page::{clock, points};
use crate::render::journeys::{checklist, money, reason};
use crate::render::messages::{self, Messages};

pub fn journeys_command(args: &JourneysArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common)?;
    let store = existing_store(common)?;
    let day = args.as_of.as_deref().map(str::parse).transpose()?;
    let as_of = day.map_or(AsOf::LastKnown(None), AsOf::Day);
    let Some(mut found) = journeys(store.as_ref(), &config, as_of)? else {
        bail!(
            "no touchpoint was imported up to that day\nhint: callmark import FILE --source NAME, with `opportunity` or `customer` in the mapping"
        );
    };
    if let Some(wanted) = &args.opportunity {
        let names: Vec<String> = found.rows.iter().map(|row| row.opportunity_id.clone()).collect();
        found.rows.retain(|row| row.opportunity_id == *wanted);
        if found.rows.is_empty() {
            bail!(
                "there is no opportunity `{wanted}`{}\nhint: `callmark journeys` lists all of them",
                did_you_mean(wanted, names.iter().map(String::as_str))
            );
        }
    }
    if args.json {
        let json = serde_json::json!({ "as_of": found.as_of.to_string(), "opportunities": found.rows });
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(FINISHED);
    }
    let m = messages::of(Language::En);
    println!("as of {}", found.as_of);
    if args.opportunity.is_some() {
        let items = config.journey.settings().items;
        found.rows.iter().for_each(|row| println!("\n{}", page(m, row, &items)));
    } else {
        list(m, &found.rows);
    }
    Ok(FINISHED)
}

fn list(m: &Messages, rows: &[OpportunityRow]) {
    let mut table =
        table(["opportunity", "customer", "rep", "status", "value", "checklist", "health", "last touch", "alerts"]);
    for row in rows {
        table.add_row([
            row.opportunity_id.as_str().into(),
            row.customer_id.as_deref().unwrap_or("–").into(),
            row.rep_id.as_str().into(),
            (m.journey_status)(row.status).into(),
            right(row.value_milli.map_or("–".to_string(), money)),
            right(checklist(m, row)),
            right(points(row.health.points)),
            row.health.last_touch.map_or("–".to_string(), |day| day.to_string()).into(),
            row.alerts.iter().map(|alert| alert.id()).collect::<Vec<_>>().join(", ").into(),
        ]);
    }
    println!("\n{table}");
    for row in rows.iter().filter(|row| !row.alerts.is_empty()) {
        let reasons: Vec<String> = row.alerts.iter().map(|alert| reason(m, alert)).collect();
        println!("{}: {}", row.opportunity_id, reasons.join(" "));
    }
    println!("health is an engineering guess; --opportunity ID shows the evidence");
}

/// Everything about one opportunity.
fn page(m: &Messages, row: &OpportunityRow, items: &[ChecklistItem]) -> String {
    let mut out = String::new();
    let customer = row.customer_id.as_deref().unwrap_or("–");
    let value = row.value_milli.map_or("–".to_string(), money);
    let status = (m.journey_status)(row.status);
    let _ = writeln!(out, "{}  customer {customer}  rep {}  {status}  value {value}", row.opportunity_id, row.rep_id);
    for alert in &row.alerts {
        let _ = writeln!(out, "  ! {}", reason(m, alert));
    }
    let _ = writeln!(out, "\nchecklist {}", checklist(m, row));
    for (outcome, item) in row.items.iter().zip(items) {
        let _ = write!(out, "{}", item_lines(m, outcome, item));
    }
    let health = &row.health;
    let share = |permille: Option<i64>| {
        permille.map_or("–".to_string(), |permille| format!("{:.2}", permille as f64 / 1000.0))
    };
    let _ = writeln!(
        out,
        "\nhealth {}: recency {}, number {}, two-sidedness {}, heat {} ({} touches, {} recent, {} of them two-sided)",
        points(health.points),
        share(Some(health.recency_permille)),
        share(Some(health.number_permille)),
        share(health.two_sided_permille),
        share(health.heat_permille),
        health.touches,
        health.recent_touches,
        health.recent_two_sided,
    );
    if !row.mentions.is_empty() {
        let _ = writeln!(out, "\nthe customer's words");
    }
    for mention in &row.mentions {
        let _ = writeln!(out, "  {:<22} {}", (m.journey_said)(mention.kind), said(mention));
    }
    out
}

fn item_lines(m: &Messages, outcome: &ItemOutcome, item: &ChecklistItem) -> String {
    let state = (m.journey_state)(outcome.state);
    let mut out = format!("  {state:<12} {:>5}  {}\n", points(outcome.points), item.what.get(m.language));
    for event in &outcome.events {
        let _ = writeln!(
            out,
            "{:22}{} {} ({} {})",
            "",
            (m.journey_event)(event.kind),
            event.at,
            event.source,
            event.row_id
        );
    }
    if let Some(due) = outcome.due {
        let _ = writeln!(out, "{:22}{}", "", (m.journey_due)(&due.to_string()));
    }
    if let Some(share) = outcome.share_permille {
        let _ = writeln!(out, "{:22}{}", "", (m.journey_share)(&(share / 10).to_string()));
    }
    for mention in &outcome.said {
        let _ = writeln!(out, "{:22}{}", "", said(mention));
    }
    out
}

/// Call, turn, time, and the turn's words.
fn said(mention: &Mention) -> String {
    let at = mention.begin_ms.map_or(String::new(), |begin_ms| format!(" {}", clock(begin_ms)));
    format!("{} turn {}{at}: {}", mention.call_id, mention.turn, mention.quote)
}
