//! Amounts and reasons of opportunities as people read them.

use callmark_core::journey::{Alert, OpportunityRow};

use crate::render::call_page::points;
use crate::render::messages::Messages;

/// Whole units with commas: 12,500,400 thousandths → `12,500`.
pub fn money(milli: i64) -> String {
    let digits = ((milli.unsigned_abs() + 500) / 1000).to_string();
    let mut out = String::from(if milli < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Points earned of those that are decided; a dash while none is.
pub fn checklist(m: &Messages, row: &OpportunityRow) -> String {
    match row.checklist_decided {
        0 => "–".to_string(),
        decided => (m.journey_points)(&points(row.checklist_points), &points(decided)),
    }
}

/// Why somebody should look at an opportunity, in a sentence.
pub fn reason(m: &Messages, alert: &Alert) -> String {
    match alert {
        Alert::HighValueNeglect { value_milli, line_milli, days } => {
            (m.journey_neglect)(&money(*value_milli), &money(*line_milli), days.unsigned_abs())
        }
        Alert::StaleFollowUp { days, promise } => (m.journey_stale)(&promise.at.day.to_string(), days.unsigned_abs()),
        Alert::Hollow { touches, window_days } => (m.journey_hollow)(*touches, u64::from(*window_days)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        let cases =
            [(0, "0"), (999_499, "999"), (999_500, "1,000"), (12_500_400, "12,500"), (1_234_567_000, "1,234,567")];
        for (milli, expected) in cases {
            assert_eq!(money(milli), expected);
        }
    }
}
