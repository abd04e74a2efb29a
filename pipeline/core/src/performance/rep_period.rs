//! The rep table: one row per rep and period (SCORING.md §1 "Rep level" and §3 `rep_period`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::adjustment::AdjustedMean;
use super::comparison::{adjusted_reps, pools, shrink};
use super::improvement::{Improvement, TeamLosses, name_worst_calls};
use super::period::PeriodKind;
use super::rank::rank_intervals;
use super::summary::CallSummary;
use super::sums::{Cells, PeriodSums, RepSums, RepTotal, Sums, UNASSIGNED, total};
use super::trend::{Before, Trend, before, changes, control};
use super::{MIN_CALLS, MIN_RELIABILITY, rounded};
use crate::statistics::Moments;

/// Mean of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DimensionMean {
    pub n: u64,
    pub mean_permille: i64,
}

/// One rep in one period. Points are millipoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepRow {
    pub rep_id: String,
    /// The team of most of the calls.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    pub n_scored: u64,
    pub n_unscored: u64,
    pub n_pending: u64,
    pub n_failed: u64,
    /// Plain mean of the scores.
    pub mean: Option<i64>,
    /// Shrunk towards the team, adjusted for campaign and call type.
    pub shrunk: Option<i64>,
    /// 95 % interval of `shrunk`.
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// Mean of the reps compared, to which `shrunk` is drawn.
    pub team_mean: Option<i64>,
    /// B of SCORING.md, per mille.
    pub reliability_permille: Option<i64>,
    /// 95 % interval of the rank in the team, 1 = best.
    pub rank_low: Option<u32>,
    pub rank_high: Option<u32>,
    /// Why there is no rank.
    pub insufficient: Option<String>,
    pub flags_per_call_milli: Option<i64>,
    /// Confirmed fatals: the only thing that is shown red.
    pub fatals: u64,
    pub trend: Option<Trend>,
    pub top3: Vec<Improvement>,
    pub dimensions: BTreeMap<String, DimensionMean>,
    /// `name version`, sorted.
    pub scorecard_versions: Vec<String>,
    pub warnings: Vec<String>,
}

/// The rep table of all periods of a kind, by period and rep, with the calls that show the improvement points.
///
/// Scores are adjusted for campaign and call type by an additive least-squares fit (rep + stratum) over the period: a rep
/// is not better for having the easier campaign, and a campaign that only one rep works in says nothing about him or her.
/// Reps are shrunk towards their team, as much as all teams together say that reps differ; teams of fewer than four reps with
/// scores are taken together, and below four there is no shrinkage and no interval.
pub fn rep_period(calls: &[CallSummary], kind: PeriodKind) -> Vec<RepRow> {
    let sums = Sums::of_kinds(calls, &[kind]);
    let mut of_row: BTreeMap<(String, &str), Vec<&CallSummary>> = BTreeMap::new();
    for call in calls {
        if let (Some(period), Some(rep)) = (kind.period(call.start_ts.as_deref()), call.rep_id.as_deref()) {
            of_row.entry((period, rep.trim())).or_default().push(call);
        }
    }
    let mut rows = rep_table(&sums, kind);
    for row in &mut rows {
        let empty = row.rep_id == UNASSIGNED;
        let key = (row.period.clone(), if empty { "" } else { row.rep_id.as_str() });
        if let Some(calls) = of_row.get(&key) {
            name_worst_calls(&mut row.top3, calls.iter().copied());
        }
    }
    rows
}

/// As [`rep_period`], from the sums alone: improvement points name no calls.
pub fn rep_table(sums: &Sums, kind: PeriodKind) -> Vec<RepRow> {
    let periods: Vec<(&str, &PeriodSums)> = sums.periods(kind).rev().collect();
    let rows =
        periods.iter().enumerate().rev().map(|(i, (period, now))| rep_rows(kind, period, now, &periods[i + 1..]));
    rows.flatten().collect()
}

/// The rows of one period. `earlier` holds earlier periods of the kind, the latest first, for trends; the last one is enough for
/// reps who worked in it.
pub fn rep_rows(kind: PeriodKind, period: &str, now: &PeriodSums, earlier: &[(&str, &PeriodSums)]) -> Vec<RepRow> {
    let reps = now.reps();
    let mut rows: BTreeMap<&str, RepRow> =
        reps.iter().map(|(rep, total)| (*rep, plain_row(rep, kind, period, total))).collect();
    let adjusted = adjusted_reps(&reps, |sums| Some(&sums.scores));
    let pools = pools(&reps, &adjusted);
    for (pool, fit) in pools.iter().zip(shrink(&pools, &adjusted)) {
        let means: Vec<AdjustedMean> = pool.iter().map(|rep| adjusted.units[rep]).collect();
        let posteriors = fit.as_ref().map_or(&[][..], |fit| &fit.groups);
        let losses = TeamLosses::of(&pool.iter().map(|rep| (*rep, reps[rep].sums.as_ref())).collect::<Vec<_>>());
        for (i, rep) in pool.iter().enumerate() {
            let Some(row) = rows.get_mut(rep) else { continue };
            row.top3 = losses.choose(rep, &reps[rep].sums);
            let Some(fit) = &fit else {
                row.insufficient = Some("too few reps or calls to compare".to_string());
                continue;
            };
            let posterior = posteriors[i];
            row.shrunk = Some(rounded(posterior.mean));
            row.low = Some(rounded(posterior.interval.low));
            row.high = Some(rounded(posterior.interval.high));
            row.team_mean = Some(rounded(fit.mean));
            row.reliability_permille = Some(rounded(1000.0 * posterior.reliability));
            row.insufficient = insufficient(means[i].n, posterior.reliability);
        }
        // Everybody takes part in the draws, but only for those whose calls carry a rank.
        if pool.iter().any(|rep| rows[rep].insufficient.is_none()) {
            for (rep, rank) in pool.iter().zip(rank_intervals(posteriors)) {
                let Some(row) = rows.get_mut(rep).filter(|row| row.insufficient.is_none()) else { continue };
                (row.rank_low, row.rank_high) = (Some(rank.0), Some(rank.1));
            }
        }
    }
    fill_trends(&mut rows, &reps, earlier);
    rows.into_values().collect()
}

/// Why a rep has no rank, if so.
fn insufficient(n: u64, reliability: f64) -> Option<String> {
    if n < MIN_CALLS {
        Some(format!("insufficient data: {n} of {MIN_CALLS} calls"))
    } else if reliability < MIN_RELIABILITY {
        Some("insufficient data: reps differ less than calls do".to_string())
    } else {
        None
    }
}

/// Counts, plain means and warnings: everything a row can say without its neighbours.
fn plain_row(rep: &str, kind: PeriodKind, period: &str, of_rep: &RepTotal) -> RepRow {
    let sums = &of_rep.sums;
    let scores = sums.score_moments();
    let mut warnings = Vec::new();
    if sums.n_without_start > 0 {
        warnings.push(format!("{} without start time: in no period but all", sums.n_without_start));
    }
    if of_rep.teams > 1 {
        warnings.push(format!("calls of {} teams", of_rep.teams));
    }
    warnings.extend(breaks(sums));
    let no_team = TeamLosses::of(&[]);
    RepRow {
        rep_id: rep.to_string(),
        team: of_rep.team.clone(),
        period_kind: kind,
        period: period.to_string(),
        n_scored: sums.n_scored,
        n_unscored: sums.n_unscored,
        n_pending: sums.n_pending,
        n_failed: sums.n_failed,
        mean: scores.mean().map(rounded),
        shrunk: None,
        low: None,
        high: None,
        team_mean: None,
        reliability_permille: None,
        rank_low: None,
        rank_high: None,
        insufficient: Some(if rep == UNASSIGNED { "no rep" } else { "no scored calls" }.to_string()),
        flags_per_call_milli: (scores.n > 0).then(|| rounded(sums.flags as f64 * 1000.0 / scores.n as f64)),
        fatals: sums.fatals,
        trend: None,
        top3: no_team.choose(rep, sums),
        dimensions: dimension_means(sums),
        scorecard_versions: scorecard_versions(sums),
        warnings,
    }
}

/// `name version` of everything that scored the counted calls, sorted.
pub(super) fn scorecard_versions(sums: &RepSums) -> Vec<String> {
    let versions: BTreeSet<String> =
        sums.bases.keys().map(|basis| format!("{} {}", basis.scorecard, basis.scorecard_version)).collect();
    versions.into_iter().collect()
}

/// Marks a period in which scores of different scorecards or models are mixed.
pub(super) fn breaks(sums: &RepSums) -> Vec<String> {
    let hashes: BTreeSet<&str> = sums.bases.keys().map(|basis| basis.scorecard_hash.as_str()).collect();
    let models: BTreeSet<&str> = sums.bases.keys().map(|basis| basis.model_hash.as_str()).collect();
    let mut found = Vec::new();
    if hashes.len() > 1 {
        found.push(format!("break: {} scorecards or versions mixed", hashes.len()));
    }
    if models.len() > 1 {
        found.push(format!("break: {} sets of models mixed", models.len()));
    }
    found
}

fn dimension_means(sums: &RepSums) -> BTreeMap<String, DimensionMean> {
    let mean = |(dimension, cells): (&String, &Cells)| {
        let moments: Moments = total(cells);
        Some((dimension.clone(), DimensionMean { n: moments.n, mean_permille: rounded(moments.mean()?) }))
    };
    sums.dimensions.iter().filter_map(mean).collect()
}

fn fill_trends(rows: &mut BTreeMap<&str, RepRow>, reps: &BTreeMap<&str, RepTotal>, earlier: &[(&str, &PeriodSums)]) {
    let mut before_of: BTreeMap<&str, (&str, Cow<RepSums>)> = BTreeMap::new();
    for (rep, row) in rows.iter_mut().filter(|(rep, row)| **rep != UNASSIGNED && row.mean.is_some()) {
        match before(rep, &reps[rep].sums, earlier) {
            Before::Nothing => {}
            Before::Break(period) => {
                row.warnings.push(format!("break: scorecard or models changed since {period}"));
            }
            Before::Period(period, sums) => {
                before_of.insert(rep, (period, sums));
            }
        }
    }
    let pairs: Vec<(&str, &str, &Cells, &Cells)> =
        before_of.iter().map(|(rep, (period, sums))| (*rep, *period, &sums.scores, &reps[rep].sums.scores)).collect();
    for (rep, trend) in control(changes(&pairs)) {
        if let Some(row) = rows.get_mut(rep) {
            row.trend = Some(trend);
        }
    }
}
