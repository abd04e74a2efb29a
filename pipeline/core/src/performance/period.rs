//! Days, weeks, months and quarters of calls, and hours of the week, by the time that was shown where the call was made.

use serde::{Deserialize, Serialize};

/// Length of the periods of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    Day,
    Week,
    Month,
    Quarter,
    All,
}

impl PeriodKind {
    pub const ALL: &'static [PeriodKind] =
        &[PeriodKind::Day, PeriodKind::Week, PeriodKind::Month, PeriodKind::Quarter, PeriodKind::All];

    pub fn id(self) -> &'static str {
        match self {
            PeriodKind::Day => "day",
            PeriodKind::Week => "week",
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::All => "all",
        }
    }

    pub fn parse(id: &str) -> Option<PeriodKind> {
        PeriodKind::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// The period of a time stamp, by the date it shows where the call was made: `2025-02-19`, `2025-W08` (ISO 8601),
    /// `2025-02`, `2025-Q1`, `all`. `None` when the stamp is missing or no date, and the period needs one.
    pub fn period(self, start_ts: Option<&str>) -> Option<String> {
        if self == PeriodKind::All {
            return Some("all".to_string());
        }
        let date = jiff::fmt::temporal::Pieces::parse(start_ts?.trim()).ok()?.date();
        Some(match self {
            PeriodKind::Day => date.to_string(),
            PeriodKind::Week => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            PeriodKind::Month => format!("{:04}-{:02}", date.year(), date.month()),
            PeriodKind::Quarter => format!("{:04}-Q{}", date.year(), (date.month() - 1) / 3 + 1),
            PeriodKind::All => "all".to_string(),
        })
    }

    /// Whether the period is long enough to compare the hours of a week: every weekday comes at least four times.
    pub fn compares_hours(self) -> bool {
        self >= PeriodKind::Month
    }
}

/// An hour of the week as the clock showed it where the call was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    pub weekday: u8,
    /// 0…23.
    pub hour: u8,
}

impl Slot {
    /// `None` without a date and a time of day.
    pub fn of(start_ts: Option<&str>) -> Option<Slot> {
        let pieces = jiff::fmt::temporal::Pieces::parse(start_ts?.trim()).ok()?;
        let weekday = pieces.date().weekday().to_monday_one_offset();
        Some(Slot { weekday: weekday.unsigned_abs(), hour: pieces.time()?.hour().unsigned_abs() })
    }
}
