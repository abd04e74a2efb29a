//! Journey checklists: a small, closed language of rules about touchpoints, and what became of each item.
//!
//! Of k items each is worth 100/k points. An item is met, missed, not due yet, or unknown where the touchpoints or calls do not decide: only
//! met and missed items are counted, so that nothing that may still be done costs points.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::mention::{Mention, MentionKind};
use super::touchpoint::{Touchpoint, TouchpointKind};
use crate::matching::content_words;
use crate::recording::Language;
use crate::scorecard::Text;

const ALL_MILLIPOINTS: i64 = 100_000;
const HOUR_MS: i128 = 3_600_000;

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// By the clock.
    Hours(u32),
    /// By the calendar.
    Days(u32),
}

/// What an item asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `event` comes within the limit after the first `after`.
    Within { event: TouchpointKind, after: TouchpointKind, limit: Limit },
    /// `event` comes before the first `before`.
    Before { event: TouchpointKind, before: TouchpointKind },
    /// The text of an `event` has at least this share of the content words of what the customer said of these kinds in calls before it.
    Repeats { event: TouchpointKind, said: BTreeSet<MentionKind>, share_permille: u16 },
}

/// One line of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    pub id: String,
    /// For people.
    pub what: Text,
    pub rule: Rule,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    Met,
    Missed,
    /// There is time left, or what it waits for has not happened.
    NotDue,
    /// Neither touchpoints nor calls decide.
    Unknown,
}

impl ItemState {
    pub fn id(self) -> &'static str {
        match self {
            ItemState::Met => "met",
            ItemState::Missed => "missed",
            ItemState::NotDue => "not_due",
            ItemState::Unknown => "unknown",
        }
    }

    /// Whether it counts.
    pub fn is_decided(self) -> bool {
        matches!(self, ItemState::Met | ItemState::Missed)
    }
}

/// An item of one opportunity with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemOutcome {
    pub id: String,
    pub state: ItemState,
    /// Millipoints: all of `possible` when met, else 0.
    pub points: i64,
    pub possible: i64,
    /// The last day on which it can be met, where there is one.
    pub due: Option<Date>,
    /// Of the customer's content words: how many came again, per mille.
    pub share_permille: Option<i64>,
    /// The touchpoints that decided.
    pub events: Vec<Touchpoint>,
    /// What the customer said.
    pub said: Vec<Mention>,
}

/// What was found about one rule.
struct Found<'a> {
    state: ItemState,
    due: Option<Date>,
    share_permille: Option<i64>,
    events: Vec<&'a Touchpoint>,
    said: Vec<&'a Mention>,
}

impl<'a> Found<'a> {
    fn of(state: ItemState, events: Vec<&'a Touchpoint>) -> Found<'a> {
        Found { state, due: None, share_permille: None, events, said: Vec::new() }
    }
}

/// Every item, in the checklist's order, from the touchpoints (by time) and mentions of one opportunity up to the day `until`.
pub(super) fn outcomes(
    items: &[ChecklistItem],
    touchpoints: &[Touchpoint],
    mentions: &[&Mention],
    until: Date,
) -> Vec<ItemOutcome> {
    let outcome = |(index, item): (usize, &ChecklistItem)| {
        let found = match &item.rule {
            Rule::Within { event, after, limit } => within(touchpoints, *event, *after, *limit, until),
            Rule::Before { event, before } => before_event(touchpoints, *event, *before),
            Rule::Repeats { event, said, share_permille } => {
                repeats(touchpoints, mentions, *event, said, i64::from(*share_permille))
            }
        };
        let possible = worth(index, items.len());
        ItemOutcome {
            id: item.id.clone(),
            state: found.state,
            points: if found.state == ItemState::Met { possible } else { 0 },
            possible,
            due: found.due,
            share_permille: found.share_permille,
            events: found.events.into_iter().cloned().collect(),
            said: found.said.into_iter().cloned().collect(),
        }
    };
    items.iter().enumerate().map(outcome).collect()
}

/// 100/k points in millipoints; the first items take what does not divide, so that all together are 100,000.
fn worth(index: usize, items: usize) -> i64 {
    let (index, items) = (index as i64, (items as i64).max(1));
    ALL_MILLIPOINTS / items + i64::from(index < ALL_MILLIPOINTS % items)
}

fn first(touchpoints: &[Touchpoint], kind: TouchpointKind) -> Option<&Touchpoint> {
    touchpoints.iter().find(|touchpoint| touchpoint.kind == kind)
}

fn within(
    touchpoints: &[Touchpoint],
    event: TouchpointKind,
    after: TouchpointKind,
    limit: Limit,
    until: Date,
) -> Found<'_> {
    let Some(anchor) = first(touchpoints, after) else {
        // What comes after it happened, so it did, too; nobody wrote down when.
        let later = |touchpoint: &Touchpoint| {
            touchpoint.kind == event || (after.stage().is_some() && touchpoint.kind.stage() > after.stage())
        };
        let lost = touchpoints.iter().any(later);
        return Found::of(if lost { ItemState::Unknown } else { ItemState::NotDue }, Vec::new());
    };
    let due = match limit {
        Limit::Days(days) => anchor.at.day.saturating_add(i64::from(days).days()),
        Limit::Hours(hours) => anchor.at.latest().saturating_add(i64::from(hours).hours()).date(),
    };
    let not_before = |touchpoint: &&Touchpoint| {
        touchpoint.kind == event && touchpoint.at.latest() >= anchor.at.earliest() && *touchpoint != anchor
    };
    let Some(done) = touchpoints.iter().find(not_before) else {
        let state = if until > due { ItemState::Missed } else { ItemState::NotDue };
        return Found { due: Some(due), ..Found::of(state, vec![anchor]) };
    };
    let state = match limit {
        Limit::Days(_) => decided(done.at.day <= due, done.at.day > due),
        Limit::Hours(hours) => {
            // A day without a time is any time of it: what then may be both is unknown.
            let limit_ms = i128::from(hours) * HOUR_MS;
            let least = done.at.earliest().duration_since(anchor.at.latest()).as_millis();
            let most = done.at.latest().duration_since(anchor.at.earliest()).as_millis();
            decided(most <= limit_ms, least > limit_ms)
        }
    };
    Found { due: Some(due), ..Found::of(state, vec![anchor, done]) }
}

fn decided(met: bool, missed: bool) -> ItemState {
    match (met, missed) {
        (true, _) => ItemState::Met,
        (_, true) => ItemState::Missed,
        _ => ItemState::Unknown,
    }
}

fn before_event(touchpoints: &[Touchpoint], event: TouchpointKind, before: TouchpointKind) -> Found<'_> {
    match (first(touchpoints, event), first(touchpoints, before)) {
        (None, None) => Found::of(ItemState::NotDue, Vec::new()),
        (Some(done), None) => Found::of(ItemState::Met, vec![done]),
        (None, Some(end)) => Found::of(ItemState::Missed, vec![end]),
        (Some(done), Some(end)) => {
            let (met, missed) = (done.at.latest() <= end.at.earliest(), done.at.earliest() > end.at.latest());
            Found::of(decided(met, missed), vec![done, end])
        }
    }
}

/// Of several texts the one that repeats most counts. Words of another language than the text's cannot come again and are left out.
fn repeats<'a>(
    touchpoints: &'a [Touchpoint],
    mentions: &[&'a Mention],
    event: TouchpointKind,
    kinds: &BTreeSet<MentionKind>,
    least_permille: i64,
) -> Found<'a> {
    let events: Vec<&Touchpoint> = touchpoints.iter().filter(|touchpoint| touchpoint.kind == event).collect();
    if events.is_empty() {
        return Found::of(ItemState::NotDue, Vec::new());
    }
    let mut best: Option<Found> = None;
    for text in &events {
        let Some(language) = Language::of_text(&text.text) else { continue };
        let said = |mention: &&Mention| {
            kinds.contains(&mention.kind)
                && mention.at.is_some_and(|at| at.earliest() <= text.at.latest())
                && Language::of_text(&mention.quote) == Some(language)
        };
        let said: Vec<&Mention> = mentions.iter().copied().filter(said).collect();
        let words: BTreeSet<String> = said.iter().flat_map(|mention| mention.words()).collect();
        if words.is_empty() {
            continue;
        }
        let written = content_words(&text.text, language);
        let again = words.iter().filter(|word| written.contains(*word)).count();
        let share = (again * 1000 / words.len()) as i64;
        if best.as_ref().is_none_or(|best| best.share_permille < Some(share)) {
            let state = decided(share >= least_permille, true);
            best = Some(Found { share_permille: Some(share), said, ..Found::of(state, vec![*text]) });
        }
    }
    best.unwrap_or_else(|| Found::of(ItemState::Unknown, events))
}
