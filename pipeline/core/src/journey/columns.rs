//! The columns of the tables of opportunities, touchpoints and mentions.

use super::checklist::ItemState;
use super::mention::Mention;
use super::opportunity::OpportunityRow;
use super::touchpoint::Touchpoint;
use crate::table::{Cell, Column};
use crate::table_columns;

/// One row per opportunity, as of a day. Nothing in it was said by anybody.
pub const OPPORTUNITIES: &[Column<OpportunityRow>] = table_columns! {
    opportunity_id: Text, "the opportunity; the customer where no opportunity is named", |r, _| Cell::from(&r.opportunity_id);
    customer_id: Text, "the customer", |r, _| r.customer_id.as_ref().into();
    rep_id: Text, "the rep of the newest touchpoint", |r, _| Cell::from(&r.rep_id);
    as_of: Text, "the day up to which everything counts", |r, _| r.as_of.to_string().into();
    status: Text, "open, contracted or closed", |r, _| r.status.id().into();
    stage: Text, "the farthest stage: first_contact, need_graded, proposal, contract, delivery", |r, _| r.stage.map(|kind| kind.id()).into();
    value: Thousandths, "the newest known value, in the currency of the source", |r, _| Cell::thousandths(r.value_milli);
    alerts: Text, "high_value_neglect, stale_follow_up, hollow; the gravest first", |r, _| Cell::joined(r.alerts.iter().map(|alert| alert.id()));
    checklist_points: Thousandths, "points earned; each of k items is worth 100/k", |r, _| Cell::thousandths(r.checklist_points);
    checklist_decided: Thousandths, "points of the items that are met or missed: what is not due or unknown is not counted", |r, _| Cell::thousandths(r.checklist_decided);
    met: Text, "items that are met", |r, _| items(r, ItemState::Met);
    missed: Text, "items that are missed", |r, _| items(r, ItemState::Missed);
    not_due: Text, "items with time left, or whose beginning has not happened", |r, _| items(r, ItemState::NotDue);
    unknown: Text, "items that neither touchpoints nor calls decide", |r, _| items(r, ItemState::Unknown);
    health: Thousandths, "points, 0 to 100: root of activity (mean of recency and number) times substance (mean of what is known of two-sidedness and heat); an engineering guess, no learned weights", |r, _| Cell::thousandths(r.health.points);
    recency: Thousandths, "1 up to 7 days after the last touch, falling to 0 at the window's length", |r, _| Cell::thousandths(r.health.recency_permille);
    number: Thousandths, "touches in the window / busy_touches, at most 1", |r, _| Cell::thousandths(r.health.number_permille);
    two_sidedness: Thousandths, "touches in the window in which the customer took part / all of them", |r, _| Cell::thousandths(r.health.two_sided_permille);
    heat: Thousandths, "talk share, questions and sentiment of the customer in the window's calls, 0 to 1", |r, _| Cell::thousandths(r.health.heat_permille);
    touches: Whole, "contacts with the customer, imported or recorded", |r, _| r.health.touches.into();
    recent_touches: Whole, "those of the window", |r, _| r.health.recent_touches.into();
    recent_two_sided: Whole, "of these, those in which the customer is known to have taken part", |r, _| r.health.recent_two_sided.into();
    last_touch: Text, "day of the last contact", |r, _| r.health.last_touch.map(|day| day.to_string()).into();
    days_since_touch: Whole, "days since then", |r, _| r.health.days.into();
    calls: Whole, "linked calls of the store", |r, _| (r.calls.len() as u64).into();
    mentions: Whole, "turns in them in which the customer put a worry, a need or who decides into words", |r, _| (r.mentions.len() as u64).into();
};

fn items(row: &OpportunityRow, state: ItemState) -> Cell {
    Cell::joined(row.items_that_are(state).map(|item| item.id.as_str()))
}

/// One row per imported event.
pub const TOUCHPOINTS: &[Column<Touchpoint>] = table_columns! {
    source: Text, "where it was imported from", |t, _| Cell::from(&t.source);
    row_id: Text, "the source's own id of the row, or a hash of it", |t, _| Cell::from(&t.row_id);
    kind: Text, "first_contact, need_graded, proposal, cross_team_step, contract, delivery, visit, call, message, reply, next_step or closed", |t, _| t.kind.id().into();
    opportunity_id: Text, "the opportunity, if it is named", |t, _| t.opportunity_id.as_ref().into();
    customer_id: Text, "the customer, if named", |t, _| t.customer_id.as_ref().into();
    rep_id: Text, "the rep", |t, _| Cell::from(&t.rep_id);
    at: Text, "day, with the time where it is known", |t, _| t.at.to_string().into();
    value: Thousandths, "what the opportunity is worth, in the currency of the source", |t, _| Cell::thousandths(t.value_milli);
    text: Text, "the wording of a proposal, redacted", |t, _| Some(&t.text).filter(|text| !text.is_empty()).into();
};

/// One row per customer turn that was quoted, of calls that belong to an opportunity: number `n` of it.
pub const MENTIONS: &[Column<OpportunityRow>] = table_columns! {
    opportunity_id: Text, "the opportunity", |r, _| Cell::from(&r.opportunity_id);
    kind: Text, "worry, need, decision_maker or decision_maker_change", |r, n| mention(r, n, |m| m.kind.id().into());
    call_id: Text, "the call", |r, n| mention(r, n, |m| Cell::from(&m.call_id));
    turn: Whole, "the turn, from 0", |r, n| mention(r, n, |m| m.turn.into());
    begin_ms: Whole, "empty for text without times", |r, n| mention(r, n, |m| m.begin_ms.into());
    end_ms: Whole, "empty for text without times", |r, n| mention(r, n, |m| m.end_ms.into());
    quote: Text, "the customer's turn as recognised", |r, n| mention(r, n, |m| Cell::from(&m.quote));
    phrase: Text, "the part of it that matched", |r, n| mention(r, n, |m| Cell::from(&m.phrase));
};

fn mention(row: &OpportunityRow, n: usize, cell: fn(&Mention) -> Cell) -> Cell {
    row.mentions.get(n).map_or(Cell::Empty, cell)
}
