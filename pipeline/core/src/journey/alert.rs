//! What to look at first among opportunities, with the reason: promises that nobody kept, high value that nobody touches, business without
//! the customer.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::health::{Health, Touch, days_between};
use super::opportunity::JourneySettings;
use super::talk::CallTalk;
use super::touchpoint::{Moment, Touchpoint, TouchpointKind};

/// A next step that was promised: in a call, with its place, or as an imported touchpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    pub at: Moment,
    /// `None`: it was imported.
    pub call_id: Option<String>,
    pub turn: Option<u32>,
    pub begin_ms: Option<i64>,
    /// The rep's turn as recognised, or the text of the touchpoint.
    pub quote: String,
}

/// A reason to look at an opportunity; the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// Worth at least `line_milli`, from which on an opportunity belongs to the most valuable, and not touched for `days`.
    HighValueNeglect { value_milli: i64, line_milli: i64, days: i64 },
    /// A next step was promised `days` ago, and no touch has followed.
    StaleFollowUp { days: i64, promise: Promise },
    /// Many touches, none in which the customer is known to have taken part.
    Hollow { touches: u64, window_days: u32 },
}

impl Alert {
    pub fn id(&self) -> &'static str {
        match self {
            Alert::HighValueNeglect { .. } => "high_value_neglect",
            Alert::StaleFollowUp { .. } => "stale_follow_up",
            Alert::Hollow { .. } => "hollow",
        }
    }

    /// 0 is the gravest.
    pub(super) fn gravity(&self) -> u8 {
        match self {
            Alert::HighValueNeglect { .. } => 0,
            Alert::StaleFollowUp { .. } => 1,
            Alert::Hollow { .. } => 2,
        }
    }
}

/// The last promise, unless a touch followed: on a later day, or on the same day if it was no call (the call that the promise was made in is in
/// the sales system, too).
fn open_promise(touchpoints: &[Touchpoint], calls: &[&CallTalk], touches: &[Touch]) -> Option<Promise> {
    let imported = touchpoints.iter().filter(|touchpoint| touchpoint.kind == TouchpointKind::NextStep);
    let imported = imported.map(|touchpoint| Promise {
        at: touchpoint.at,
        call_id: None,
        turn: None,
        begin_ms: None,
        quote: touchpoint.text.clone(),
    });
    let promised = calls.iter().filter_map(|call| call.promise.clone());
    let last = imported.chain(promised).max_by(|a, b| (a.at, &a.call_id).cmp(&(b.at, &b.call_id)))?;
    let follows = |touch: &Touch| {
        let same_day = touch.at.day == last.at.day && !touch.is_call && touch.at.latest() > last.at.earliest();
        touch.at.day > last.at.day || same_day
    };
    (!touches.iter().any(follows)).then_some(last)
}

/// The value from which on an opportunity is among the most valuable `share` (per mille) of these; `None` without any.
pub(super) fn value_line(mut values: Vec<i64>, share_permille: u16) -> Option<i64> {
    values.sort_unstable_by(|a, b| b.cmp(a));
    let top = (values.len() * usize::from(share_permille)).div_ceil(1000).max(1);
    values.get(top - 1).copied()
}

/// What an opportunity is judged by.
pub(super) struct Case<'a> {
    pub touchpoints: &'a [Touchpoint],
    pub calls: &'a [&'a CallTalk],
    pub touches: &'a [Touch],
    pub health: &'a Health,
    /// Of an open opportunity; `None`: nobody waits for it, or it has none.
    pub value_milli: Option<i64>,
    pub line_milli: Option<i64>,
    pub until: Date,
}

pub(super) fn alerts(case: &Case, settings: &JourneySettings) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let begun = case.touchpoints.first().map(|touchpoint| days_between(touchpoint.at.day, case.until));
    if let (Some(value_milli), Some(line_milli), Some(days)) =
        (case.value_milli, case.line_milli, case.health.days.or(begun))
        && value_milli >= line_milli
        && days > i64::from(settings.neglect_days)
    {
        alerts.push(Alert::HighValueNeglect { value_milli, line_milli, days });
    }
    if let Some(promise) = open_promise(case.touchpoints, case.calls, case.touches) {
        let days = days_between(promise.at.day, case.until);
        if days > i64::from(settings.stale_days) {
            alerts.push(Alert::StaleFollowUp { days, promise });
        }
    }
    if case.health.hollow {
        alerts.push(Alert::Hollow { touches: case.health.recent_touches, window_days: settings.window_days });
    }
    alerts
}
