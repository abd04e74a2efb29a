//! All performance tables of a set of calls, for every kind of period.

use super::hour_weekday::{HourRow, hour_rows};
use super::period::PeriodKind;
use super::rep_dimension::{RepDimensionRow, dimension_rows};
use super::rep_period::{RepRow, rep_rows};
use super::requirement_period::{RequirementRow, requirement_rows};
use super::summary::CallSummary;
use super::sums::{PeriodSums, Sums};
use super::team_period::{TeamRow, team_rows};

/// From here on a call counts as passed in the team table: the usual line of the verdict `pass`.
pub const PASS_MILLIPOINTS: i64 = 85_000;

/// The tables, each by kind of period (the longest first), period (the earliest first), and the rest of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerformanceTables {
    pub reps: Vec<RepRow>,
    pub dimensions: Vec<RepDimensionRow>,
    pub teams: Vec<TeamRow>,
    pub requirements: Vec<RequirementRow>,
    pub hours: Vec<HourRow>,
}

impl PerformanceTables {
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallSummary>) -> PerformanceTables {
        PerformanceTables::of_sums(&Sums::of(calls))
    }

    pub fn of_sums(sums: &Sums) -> PerformanceTables {
        let mut tables = PerformanceTables::default();
        for kind in PeriodKind::ALL.iter().rev().copied() {
            let latest_first: Vec<(&str, &PeriodSums)> = sums.periods(kind).rev().collect();
            for (i, (period, now)) in latest_first.iter().enumerate().rev() {
                let earlier = &latest_first[i + 1..];
                tables.reps.extend(rep_rows(kind, period, now, earlier));
                tables.dimensions.extend(dimension_rows(kind, period, now, earlier));
                tables.teams.extend(team_rows(kind, period, now, earlier, PASS_MILLIPOINTS));
                tables.requirements.extend(requirement_rows(kind, period, now));
                if kind.compares_hours() {
                    tables.hours.extend(hour_rows(kind, period, now));
                }
            }
        }
        tables
    }
}
