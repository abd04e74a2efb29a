//! One row per requirement or metric, period and team: how often it is met, what it costs, and how far its findings can be trusted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::additive::Additive;
use super::period::PeriodKind;
use super::rounded;
use super::share::Share;
use super::sums::{PeriodSums, RequirementSums};

/// One requirement or metric in one period. Points are millipoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequirementRow {
    pub requirement_id: String,
    /// `None`: all teams together.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    /// Calls with a decided result, after reviews.
    pub n: u64,
    /// Share of them that met it or were clear of it.
    pub pass: Option<Share>,
    pub violations: u64,
    /// Calls whose evidence did not decide.
    pub unknown: u64,
    /// Share of judged findings (missed, violated) that a reviewer upheld. A share of what was reviewed: where only suspicious findings
    /// are, it is not that of all findings. A fatal counts without a review only when the lower end is at least 800 (SCORING.md §1).
    pub precision: Option<Share>,
    /// Calls that lost points on it.
    pub losing_calls: u64,
    pub lost_millipoints: i64,
    /// Mean loss over calls to which it applied.
    pub lost_per_call_millipoints: Option<i64>,
}

/// The rows of one period by requirement and team: first all teams together, then each team.
pub fn requirement_rows(kind: PeriodKind, period: &str, now: &PeriodSums) -> Vec<RequirementRow> {
    let mut sums: BTreeMap<(&str, Option<&str>), RequirementSums> = BTreeMap::new();
    for (seat, rep) in &now.0 {
        for (id, requirement) in &rep.requirements {
            sums.entry((id, None)).or_default().include(requirement);
            if let Some(team) = &seat.team {
                sums.entry((id, Some(team))).or_default().include(requirement);
            }
        }
    }
    let row = |((id, team), sums): ((&str, Option<&str>), RequirementSums)| RequirementRow {
        requirement_id: id.to_string(),
        team: team.map(str::to_string),
        period_kind: kind,
        period: period.to_string(),
        n: sums.n,
        pass: Share::of(sums.passed, sums.n),
        violations: sums.violated,
        unknown: sums.unknown,
        precision: Share::of(sums.upheld, sums.judged),
        losing_calls: sums.losing,
        lost_millipoints: i64::try_from(sums.lost.sum).unwrap_or(i64::MAX),
        lost_per_call_millipoints: sums.lost.mean().map(rounded),
    };
    sums.into_iter().map(row).collect()
}
