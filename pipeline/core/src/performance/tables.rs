//! All performance tables of a set of calls, for every kind of period.

use super::columns::{HOUR_WEEKDAY, REP_DIMENSION, REP_PERIOD, REQUIREMENT_PERIOD, TEAM_PERIOD};
use super::hour_weekday::{HourRow, hour_rows};
use super::period::PeriodKind;
use super::rep_dimension::{RepDimensionRow, dimension_rows};
use super::rep_period::{RepRow, rep_rows};
use super::requirement_period::{RequirementRow, requirement_rows};
use super::summary::CallSummary;
use super::sums::{PeriodSums, Sums};
use super::team_period::{TeamRow, team_rows};
use crate::table::{Cell, Heading, cells, headings};

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
                tables.append(PerformanceTables::of_period(kind, period, now, &latest_first[i + 1..]));
            }
        }
        tables
    }

    /// The rows of one period. `earlier` holds earlier periods of the kind, the latest first: of each rep and of each team in `now` at least
    /// the latest one with counted calls, whole; others change nothing.
    pub fn of_period(
        kind: PeriodKind,
        period: &str,
        now: &PeriodSums,
        earlier: &[(&str, &PeriodSums)],
    ) -> PerformanceTables {
        PerformanceTables {
            reps: rep_rows(kind, period, now, earlier),
            dimensions: dimension_rows(kind, period, now, earlier),
            teams: team_rows(kind, period, now, earlier),
            requirements: requirement_rows(kind, period, now),
            hours: if kind.compares_hours() { hour_rows(kind, period, now) } else { Vec::new() },
        }
    }

    fn append(&mut self, mut other: PerformanceTables) {
        self.reps.append(&mut other.reps);
        self.dimensions.append(&mut other.dimensions);
        self.teams.append(&mut other.teams);
        self.requirements.append(&mut other.requirements);
        self.hours.append(&mut other.hours);
    }
}

/// The tables by name. Each has the columns `period_kind` and `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PerformanceTable {
    RepPeriod,
    RepDimension,
    TeamPeriod,
    RequirementPeriod,
    HourWeekday,
}

impl PerformanceTable {
    pub const ALL: [PerformanceTable; 5] = [
        PerformanceTable::RepPeriod,
        PerformanceTable::RepDimension,
        PerformanceTable::TeamPeriod,
        PerformanceTable::RequirementPeriod,
        PerformanceTable::HourWeekday,
    ];

    /// Name of the table, and of its file without ending.
    pub fn name(self) -> &'static str {
        match self {
            PerformanceTable::RepPeriod => "rep_period",
            PerformanceTable::RepDimension => "rep_dimension",
            PerformanceTable::TeamPeriod => "team_period",
            PerformanceTable::RequirementPeriod => "requirement_period",
            PerformanceTable::HourWeekday => "hour_weekday",
        }
    }

    pub fn headings(self) -> Vec<Heading> {
        match self {
            PerformanceTable::RepPeriod => headings(REP_PERIOD),
            PerformanceTable::RepDimension => headings(REP_DIMENSION),
            PerformanceTable::TeamPeriod => headings(TEAM_PERIOD),
            PerformanceTable::RequirementPeriod => headings(REQUIREMENT_PERIOD),
            PerformanceTable::HourWeekday => headings(HOUR_WEEKDAY),
        }
    }

    /// The rows of this table, cell by cell.
    pub fn rows(self, of: &PerformanceTables) -> Box<dyn Iterator<Item = Vec<Cell>> + '_> {
        match self {
            PerformanceTable::RepPeriod => Box::new(of.reps.iter().map(|row| cells(REP_PERIOD, row, 0))),
            PerformanceTable::RepDimension => Box::new(of.dimensions.iter().map(|row| cells(REP_DIMENSION, row, 0))),
            PerformanceTable::TeamPeriod => Box::new(of.teams.iter().map(|row| cells(TEAM_PERIOD, row, 0))),
            PerformanceTable::RequirementPeriod => {
                Box::new(of.requirements.iter().map(|row| cells(REQUIREMENT_PERIOD, row, 0)))
            }
            PerformanceTable::HourWeekday => Box::new(of.hours.iter().map(|row| cells(HOUR_WEEKDAY, row, 0))),
        }
    }
}
