//! Health of an opportunity: how recently, how often and how mutually the customer was touched, and how warm the talk was.

use jiff::civil::Date;
use serde::Serialize;

use super::opportunity::JourneySettings;
use super::talk::CallTalk;
use super::touchpoint::{Moment, Touchpoint, TouchpointKind};

/// A touch not older than so many days is as good as one of today. Engineering guess.
const FRESH_DAYS: i64 = 7;
/// Customer's talk share (per mille) that is cold, and from which it is warm. Engineering guess.
const TALK_PERMILLE: (i64, i64) = (100, 500);
/// Questions of the customer in a call, likewise. Engineering guess.
const QUESTIONS: (i64, i64) = (0, 3);
/// Mean sentiment of the customer (thousandths of a point), likewise. Engineering guess.
const SENTIMENT_MILLI: (i64, i64) = (-2_000, 2_000);

/// The health of an opportunity on a day. **An engineering guess**: no weight in it was learned from outcomes, and it ranks nobody.
///
/// health = 100 × √(activity × substance), so that business without the customer is worth nothing; activity is the mean of recency and number,
/// substance the mean of what is known of two-sidedness and heat (0 of nothing), each from 0 to 1:
/// - recency: 1 while the last touch is at most 7 days old, falling evenly to 0 at the window's length (`[journey] window_days`, 30);
/// - number: touches in the window / `busy_touches` (4), at most 1;
/// - two-sidedness: touches in the window in which the customer took part / all of them; unknown without any;
/// - heat: mean over the window's calls of the mean of what is known of talk share (0.1 → 0, 0.5 → 1), questions (0 → 0, 3 → 1) and
///   sentiment (−2 → 0, +2 → 1) of the customer; unknown without calls.
///
/// The customer took part in a reply, a contract, and a recorded call with two contributions of three content words or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Millipoints, 0…100,000.
    pub points: i64,
    pub recency_permille: i64,
    pub number_permille: i64,
    pub two_sided_permille: Option<i64>,
    pub heat_permille: Option<i64>,
    /// All touches, and those of the window.
    pub touches: u64,
    pub recent_touches: u64,
    pub recent_two_sided: u64,
    pub last_touch: Option<Date>,
    /// Days since the last touch.
    pub days: Option<i64>,
    /// Looks busy: at least `busy_touches` in the window; is hollow: the customer is not known to have spoken, replied, signed, or agreed on
    /// a next step in any of them.
    pub hollow: bool,
}

/// One contact with the customer: an imported event or a recorded call.
pub(super) struct Touch {
    pub at: Moment,
    pub is_call: bool,
    two_sided: bool,
    advanced: bool,
}

/// All touches, by time. A call that the sales system has (or a first contact) on a day with recorded calls is one of them.
pub(super) fn touches(touchpoints: &[Touchpoint], calls: &[&CallTalk]) -> Vec<Touch> {
    let recorded = |call: &&CallTalk| {
        Some(Touch { at: call.at?, is_call: true, two_sided: call.customer_spoke, advanced: call.advanced })
    };
    let mut touches: Vec<Touch> = calls.iter().filter_map(recorded).collect();
    let mut unmatched: Vec<Date> = touches.iter().map(|touch| touch.at.day).collect();
    for touchpoint in touchpoints.iter().filter(|touchpoint| touchpoint.kind.is_touch()) {
        let is_call = touchpoint.kind == TouchpointKind::Call;
        let may_be_recorded = is_call || touchpoint.kind == TouchpointKind::FirstContact;
        if let Some(same) = unmatched.iter().position(|day| may_be_recorded && *day == touchpoint.at.day) {
            unmatched.swap_remove(same);
            continue;
        }
        let advanced = matches!(touchpoint.kind, TouchpointKind::Contract | TouchpointKind::Delivery);
        touches.push(Touch { at: touchpoint.at, is_call, two_sided: touchpoint.kind.is_customers(), advanced });
    }
    touches.sort_by_key(|touch| touch.at);
    touches
}

/// `value` between two lines as per mille: 0 up to the first, 1000 from the second on.
fn between(value: i64, (zero, full): (i64, i64)) -> i64 {
    (value - zero).clamp(0, full - zero) * 1000 / (full - zero)
}

/// Mean, rounded down; `None` of nothing.
fn mean(values: &[i64]) -> Option<i64> {
    values.iter().sum::<i64>().checked_div(values.len() as i64)
}

/// Days from one day to another.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

impl Health {
    pub(super) fn of(touches: &[Touch], calls: &[&CallTalk], until: Date, settings: &JourneySettings) -> Health {
        let window = i64::from(settings.window_days);
        let is_recent = |at: Moment| (0..window).contains(&days_between(at.day, until));
        let recent: Vec<&Touch> = touches.iter().filter(|touch| is_recent(touch.at)).collect();
        let two_sided = recent.iter().filter(|touch| touch.two_sided).count();
        let last_touch = touches.last().map(|touch| touch.at.day);
        let days = last_touch.map(|day| days_between(day, until));
        let busy = usize::try_from(settings.busy_touches).unwrap_or(usize::MAX).max(1);
        let heats: Vec<i64> =
            calls.iter().filter(|call| call.at.is_some_and(is_recent)).map(|call| heat(call)).collect();
        let recency_permille = days.map_or(0, |days| 1000 - between(days, (FRESH_DAYS, window.max(FRESH_DAYS + 1))));
        let number_permille = (recent.len().min(busy) * 1000 / busy) as i64;
        let two_sided_permille = (two_sided * 1000).checked_div(recent.len()).map(|permille| permille as i64);
        let heat_permille = mean(&heats);
        let activity = (recency_permille + number_permille) / 2;
        let substance: Vec<i64> = [two_sided_permille, heat_permille].into_iter().flatten().collect();
        let substance = mean(&substance).unwrap_or(0);
        let moved = two_sided > 0 || recent.iter().any(|touch| touch.advanced);
        Health {
            points: (activity * substance).isqrt() * 100,
            recency_permille,
            number_permille,
            two_sided_permille,
            heat_permille,
            touches: touches.len() as u64,
            recent_touches: recent.len() as u64,
            recent_two_sided: two_sided as u64,
            last_touch,
            days,
            hollow: recent.len() >= busy && !moved,
        }
    }
}

/// Heat of one call, per mille. Questions are always known.
fn heat(call: &CallTalk) -> i64 {
    let talk = call.customer_talk_permille.map(|share| between(share, TALK_PERMILLE));
    let sentiment = call.sentiment_milli.map(|sentiment| between(sentiment, SENTIMENT_MILLI));
    let known: Vec<i64> =
        [talk, Some(between(call.customer_questions, QUESTIONS)), sentiment].into_iter().flatten().collect();
    mean(&known).unwrap_or(0)
}
