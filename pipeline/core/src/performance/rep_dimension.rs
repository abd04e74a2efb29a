//! The rep table dimension by dimension: shrunken share with interval, and trends that are called over reps × dimensions together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::comparison::{adjusted_reps, pools, shrink};
use super::period::PeriodKind;
use super::rounded;
use super::summary::CallSummary;
use super::sums::{PeriodSums, RepSums, Sums, UNASSIGNED, total};
use super::trend::{Before, before, changes, control};

/// Difference to the rep's previous period, adjusted for campaign and call type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DimensionTrend {
    pub previous_period: String,
    pub permille: i64,
    /// 95 %.
    pub low_permille: i64,
    pub high_permille: i64,
    /// Survives a false-discovery rate of 5 % over all reps and dimensions of the period.
    pub significant: bool,
}

/// One dimension of one rep in one period: shares of its possible points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepDimensionRow {
    pub rep_id: String,
    /// The team of most of the calls.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    pub dimension: String,
    /// Calls to which the dimension applied.
    pub n: u64,
    pub mean_permille: i64,
    /// Shrunk towards the team, adjusted for campaign and call type; `None` where too few reps are compared.
    pub shrunk_permille: Option<i64>,
    /// 95 % interval of the shrunken share.
    pub low_permille: Option<i64>,
    pub high_permille: Option<i64>,
    /// Mean of the reps compared.
    pub team_permille: Option<i64>,
    /// B of SCORING.md, per mille.
    pub reliability_permille: Option<i64>,
    pub trend: Option<DimensionTrend>,
}

/// The dimension table of all periods of a kind.
pub fn rep_dimension(calls: &[CallSummary], kind: PeriodKind) -> Vec<RepDimensionRow> {
    let sums = Sums::of_kinds(calls, &[kind]);
    let periods: Vec<(&str, &PeriodSums)> = sums.periods(kind).rev().collect();
    let rows =
        periods.iter().enumerate().rev().map(|(i, (period, now))| dimension_rows(kind, period, now, &periods[i + 1..]));
    rows.flatten().collect()
}

/// The rows of one period, by rep and dimension; `earlier` as for [`super::rep_rows`].
pub fn dimension_rows(
    kind: PeriodKind,
    period: &str,
    now: &PeriodSums,
    earlier: &[(&str, &PeriodSums)],
) -> Vec<RepDimensionRow> {
    let reps = now.reps();
    let dimensions: BTreeSet<&String> = reps.values().flat_map(|rep| rep.sums.dimensions.keys()).collect();
    let mut rows: BTreeMap<(&str, &str), RepDimensionRow> = BTreeMap::new();
    let before_of: BTreeMap<&str, (&str, Cow<RepSums>)> = reps
        .iter()
        .filter(|(rep, of_rep)| **rep != UNASSIGNED && of_rep.sums.n_counted() > 0)
        .filter_map(|(rep, of_rep)| match before(rep, &of_rep.sums, earlier) {
            Before::Period(period, sums) => Some((*rep, (period, sums))),
            Before::Nothing | Before::Break(_) => None,
        })
        .collect();
    let mut found = Vec::new();
    for dimension in dimensions {
        for (rep, of_rep) in &reps {
            let Some(moments) = of_rep.sums.dimensions.get(dimension).map(total) else { continue };
            let Some(mean) = moments.mean() else { continue };
            let row = RepDimensionRow {
                rep_id: rep.to_string(),
                team: of_rep.team.clone(),
                period_kind: kind,
                period: period.to_string(),
                dimension: dimension.clone(),
                n: moments.n,
                mean_permille: rounded(mean),
                shrunk_permille: None,
                low_permille: None,
                high_permille: None,
                team_permille: None,
                reliability_permille: None,
                trend: None,
            };
            rows.insert((*rep, dimension), row);
        }
        let adjusted = adjusted_reps(&reps, |sums| sums.dimensions.get(dimension));
        let pools = pools(&reps, &adjusted);
        for (pool, fit) in pools.iter().zip(shrink(&pools, &adjusted)) {
            let Some(fit) = fit else { continue };
            for (rep, posterior) in pool.iter().zip(&fit.groups) {
                let Some(row) = rows.get_mut(&(*rep, dimension.as_str())) else { continue };
                row.shrunk_permille = Some(rounded(posterior.mean));
                row.low_permille = Some(rounded(posterior.interval.low));
                row.high_permille = Some(rounded(posterior.interval.high));
                row.team_permille = Some(rounded(fit.mean));
                row.reliability_permille = Some(rounded(1000.0 * posterior.reliability));
            }
        }
        let mut pairs = Vec::new();
        for (rep, (period, sums)) in &before_of {
            let cells = (sums.dimensions.get(dimension), reps[rep].sums.dimensions.get(dimension));
            if let (Some(before), Some(now)) = cells {
                pairs.push(((*rep, dimension.as_str()), *period, before, now));
            }
        }
        found.extend(changes(&pairs));
    }
    for (key, trend) in control(found) {
        if let Some(row) = rows.get_mut(&key) {
            row.trend = Some(DimensionTrend {
                previous_period: trend.previous_period,
                permille: trend.millipoints,
                low_permille: trend.low,
                high_permille: trend.high,
                significant: trend.significant,
            });
        }
    }
    rows.into_values().collect()
}
