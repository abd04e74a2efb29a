//! Opportunities: touchpoints and calls that belong together, and the row that is made of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::alert::{Alert, Case, alerts, value_line};
use super::checklist::{ChecklistItem, ItemOutcome, ItemState, outcomes};
use super::health::{Health, Touch, touches};
use super::mention::Mention;
use super::talk::CallTalk;
use super::touchpoint::{Touchpoint, TouchpointKind};

/// What journeys are judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JourneySettings {
    pub items: Vec<ChecklistItem>,
    /// A promise without a touch for more days than this is stale.
    pub stale_days: u32,
    /// A valuable opportunity without a touch for more days than this is neglected.
    pub neglect_days: u32,
    /// The share of open opportunities that are called valuable, per mille.
    pub top_share_permille: u16,
    /// Days that number, two-sidedness and heat look back, the day itself included.
    pub window_days: u32,
    /// So many touches in the window look busy.
    pub busy_touches: u32,
}

/// Where an opportunity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityStatus {
    Open,
    /// Signed; delivery and what follows may be to come.
    Contracted,
    /// Nothing falls due any more.
    Closed,
}

impl OpportunityStatus {
    pub fn id(self) -> &'static str {
        match self {
            OpportunityStatus::Open => "open",
            OpportunityStatus::Contracted => "contracted",
            OpportunityStatus::Closed => "closed",
        }
    }
}

/// One opportunity on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpportunityRow {
    /// The opportunity's id; the customer's where touchpoints name no opportunity.
    pub opportunity_id: String,
    pub customer_id: Option<String>,
    /// Of the newest touchpoint.
    pub rep_id: String,
    /// The day up to which everything is known.
    pub as_of: Date,
    pub status: OpportunityStatus,
    /// The farthest stage that was recorded.
    pub stage: Option<TouchpointKind>,
    /// The newest known value.
    pub value_milli: Option<i64>,
    pub items: Vec<ItemOutcome>,
    /// Millipoints earned, and those of the items that are met or missed.
    pub checklist_points: i64,
    pub checklist_decided: i64,
    pub health: Health,
    /// The gravest first; none of a closed opportunity.
    pub alerts: Vec<Alert>,
    /// What the customer said in the linked calls, by time.
    pub mentions: Vec<Mention>,
    /// Linked calls, by time.
    pub calls: Vec<String>,
}

impl OpportunityRow {
    /// The items of this state.
    pub fn items_that_are(&self, state: ItemState) -> impl Iterator<Item = &ItemOutcome> {
        self.items.iter().filter(move |item| item.state == state)
    }
}

/// One opportunity before it is judged.
struct Journey<'a> {
    id: String,
    customer_id: Option<String>,
    touchpoints: Vec<Touchpoint>,
    calls: Vec<&'a CallTalk>,
    until: Date,
    touches: Vec<Touch>,
}

impl Journey<'_> {
    fn newest<T>(&self, of: impl Fn(&Touchpoint) -> Option<T>) -> Option<T> {
        self.touchpoints.iter().rev().find_map(of)
    }

    fn has(&self, kind: TouchpointKind) -> bool {
        self.touchpoints.iter().any(|touchpoint| touchpoint.kind == kind)
    }

    fn status(&self) -> OpportunityStatus {
        if self.has(TouchpointKind::Closed) {
            OpportunityStatus::Closed
        } else if self.has(TouchpointKind::Contract) {
            OpportunityStatus::Contracted
        } else {
            OpportunityStatus::Open
        }
    }

    fn value_milli(&self) -> Option<i64> {
        self.newest(|touchpoint| touchpoint.value_milli)
    }
}

/// The rows of all opportunities, by what needs attention first: alerts by gravity, then value, then id.
///
/// A touchpoint or call that names an opportunity is its; one that names only the customer is every opportunity's of that customer; customers
/// without opportunities are journeys of their own. Only what happened up to `as_of` counts (of a call without a start nobody knows), and
/// nothing falls due after an opportunity was closed.
pub fn journeys(
    touchpoints: &[Touchpoint],
    calls: &[CallTalk],
    as_of: Date,
    settings: &JourneySettings,
) -> Vec<OpportunityRow> {
    let known: Vec<&Touchpoint> = touchpoints.iter().filter(|touchpoint| touchpoint.at.day <= as_of).collect();
    let calls = Calls::of(calls);
    let journeys: Vec<Journey> = grouped(&known).into_iter().map(|group| journey(group, &calls, as_of)).collect();
    let open = journeys.iter().filter(|journey| journey.status() == OpportunityStatus::Open);
    let values = open.filter_map(Journey::value_milli).filter(|value| *value > 0).collect();
    let line = value_line(values, settings.top_share_permille);
    let mut rows: Vec<OpportunityRow> =
        journeys.into_iter().map(|journey| row(journey, as_of, line, settings)).collect();
    let gravity = |row: &OpportunityRow| row.alerts.iter().map(Alert::gravity).min().unwrap_or(u8::MAX);
    rows.sort_by(|a, b| {
        (gravity(a), b.value_milli, &a.opportunity_id, &a.customer_id).cmp(&(
            gravity(b),
            a.value_milli,
            &b.opportunity_id,
            &b.customer_id,
        ))
    });
    rows
}

/// Id, customer and touchpoints of each opportunity.
type Group = (String, Option<String>, Vec<Touchpoint>);

fn grouped(touchpoints: &[&Touchpoint]) -> Vec<Group> {
    let mut named: BTreeMap<&String, Group> = BTreeMap::new();
    for touchpoint in touchpoints {
        let Some(id) = &touchpoint.opportunity_id else { continue };
        let (_, customer, own) = named.entry(id).or_insert_with(|| (id.clone(), None, Vec::new()));
        own.push((*touchpoint).clone());
        if customer.is_none() {
            customer.clone_from(&touchpoint.customer_id);
        }
    }
    let mut groups: Vec<Group> = named.into_values().collect();
    let mut of_customer: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, (_, customer, _)) in groups.iter().enumerate() {
        if let Some(customer) = customer {
            of_customer.entry(customer.clone()).or_default().push(index);
        }
    }
    let mut alone: BTreeMap<&String, Group> = BTreeMap::new();
    for touchpoint in touchpoints.iter().filter(|touchpoint| touchpoint.opportunity_id.is_none()) {
        let Some(customer) = &touchpoint.customer_id else { continue };
        let Some(own) = of_customer.get(customer) else {
            let empty = || (customer.clone(), Some(customer.clone()), Vec::new());
            alone.entry(customer).or_insert_with(empty).2.push((*touchpoint).clone());
            continue;
        };
        own.iter().for_each(|index| groups[*index].2.push((*touchpoint).clone()));
    }
    groups.extend(alone.into_values());
    groups
}

/// Calls by what they name: the opportunity, else the customer.
struct Calls<'a> {
    of_opportunity: BTreeMap<&'a String, Vec<&'a CallTalk>>,
    of_customer: BTreeMap<&'a String, Vec<&'a CallTalk>>,
}

impl<'a> Calls<'a> {
    fn of(calls: &'a [CallTalk]) -> Calls<'a> {
        let (mut of_opportunity, mut of_customer) = (BTreeMap::new(), BTreeMap::new());
        for call in calls {
            let (named, by) = match (&call.opportunity_id, &call.customer_id) {
                (Some(id), _) => (&mut of_opportunity, id),
                (None, Some(id)) => (&mut of_customer, id),
                (None, None) => continue,
            };
            named.entry(by).or_insert_with(Vec::new).push(call);
        }
        Calls { of_opportunity, of_customer }
    }

    /// The calls of an opportunity up to a day, by time.
    fn up_to(&self, until: Date, id: &String, customer_id: Option<&String>) -> Vec<&'a CallTalk> {
        let named = self.of_opportunity.get(id).into_iter().flatten();
        let of_customer = customer_id.and_then(|customer| self.of_customer.get(customer)).into_iter().flatten();
        let mut calls: Vec<&CallTalk> =
            named.chain(of_customer).copied().filter(|call| call.at.is_some_and(|at| at.day <= until)).collect();
        calls.sort_by_key(|call| (call.at, &call.call_id));
        calls
    }
}

fn journey<'a>((id, customer_id, mut touchpoints): Group, calls: &Calls<'a>, as_of: Date) -> Journey<'a> {
    touchpoints.sort_by(|a, b| (a.at, a.kind, &a.source, &a.row_id).cmp(&(b.at, b.kind, &b.source, &b.row_id)));
    let closed = touchpoints.iter().find(|touchpoint| touchpoint.kind == TouchpointKind::Closed);
    let until = closed.map_or(as_of, |closed| closed.at.day);
    touchpoints.retain(|touchpoint| touchpoint.at.day <= until);
    let calls = calls.up_to(until, &id, customer_id.as_ref());
    let touches = touches(&touchpoints, &calls);
    Journey { id, customer_id, touchpoints, calls, until, touches }
}

fn row(journey: Journey, as_of: Date, line_milli: Option<i64>, settings: &JourneySettings) -> OpportunityRow {
    let mentions: Vec<&Mention> = journey.calls.iter().flat_map(|call| &call.mentions).collect();
    let (status, value_milli) = (journey.status(), journey.value_milli());
    let health = Health::of(&journey.touches, &journey.calls, journey.until, settings);
    let case = Case {
        touchpoints: &journey.touchpoints,
        calls: &journey.calls,
        touches: &journey.touches,
        health: &health,
        value_milli: value_milli.filter(|_| status == OpportunityStatus::Open),
        line_milli,
        until: journey.until,
    };
    let items = outcomes(&settings.items, &journey.touchpoints, &mentions, journey.until);
    let decided = items.iter().filter(|item| item.state.is_decided()).map(|item| item.possible).sum();
    OpportunityRow {
        rep_id: journey.newest(|touchpoint| Some(touchpoint.rep_id.clone())).unwrap_or_default(),
        as_of,
        status,
        stage: journey
            .touchpoints
            .iter()
            .map(|t| t.kind)
            .filter(|kind| kind.stage().is_some())
            .max_by_key(|kind| kind.stage()),
        value_milli,
        checklist_points: items.iter().map(|item| item.points).sum(),
        checklist_decided: decided,
        items,
        alerts: if status == OpportunityStatus::Closed { Vec::new() } else { alerts(&case, settings) },
        mentions: mentions.into_iter().cloned().collect(),
        calls: journey.calls.iter().map(|call| call.call_id.clone()).collect(),
        opportunity_id: journey.id,
        customer_id: journey.customer_id,
        health,
    }
}
