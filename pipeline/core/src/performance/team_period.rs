//! One row per team and period: how its calls were, and how that changed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::adjustment::{Adjusted, adjust};
use super::comparison::shrink;
use super::period::PeriodKind;
use super::rep_period::{breaks, scorecard_versions};
use super::rounded;
use super::share::Share;
use super::sums::{PeriodSums, RepSums, Stratum, UNASSIGNED};
use super::trend::{Before, Found, Trend, comparable, control};
use crate::statistics::Z95;

/// One team in one period. Points are millipoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamRow {
    /// `None`: calls without a team.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    /// Reps with counted calls.
    pub reps: u64,
    pub n_scored: u64,
    pub n_unscored: u64,
    pub n_pending: u64,
    pub n_failed: u64,
    /// Plain mean of the scores.
    pub mean: Option<i64>,
    /// Mean over the team's calls, adjusted for campaign and call type.
    pub adjusted: Option<i64>,
    /// 95 % interval of `adjusted`: what other calls of the same reps might have given.
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// Standard deviation of the reps' true means as estimated; `None` below four reps.
    pub between_rep_sd: Option<i64>,
    /// Share of scored calls with the verdict `pass`, by the bands of the scorecard that scored each.
    pub pass: Option<Share>,
    pub flags_per_call_milli: Option<i64>,
    pub fatals: u64,
    /// Change since the team's previous period; who joined or left is part of it.
    pub trend: Option<Trend>,
    pub scorecard_versions: Vec<String>,
    pub warnings: Vec<String>,
}

type Team<'a> = Option<&'a str>;
/// A rep of a team, now (`true`) or before.
type Unit<'a> = (Team<'a>, &'a str, bool);

/// The rows of one period, by team. `earlier` holds earlier periods of the kind, the latest first.
pub fn team_rows(kind: PeriodKind, period: &str, now: &PeriodSums, earlier: &[(&str, &PeriodSums)]) -> Vec<TeamRow> {
    let teams = reps_by_team(now);
    let totals: BTreeMap<Team, RepSums> =
        teams.iter().map(|(team, reps)| (*team, sum(reps.values().copied()))).collect();
    let fit = fit(units(&teams, true));
    let mut rows: BTreeMap<Team, TeamRow> =
        totals.iter().map(|(team, total)| (*team, row(kind, period, *team, total, &teams[team], &fit))).collect();

    // Teams with the same previous period share the stratum effects of both.
    let mut pairs: BTreeMap<&str, Vec<Team>> = BTreeMap::new();
    for (team, total) in totals.iter().filter(|(_, total)| total.n_counted() > 0) {
        let of_team =
            |sums: &PeriodSums| sum(sums.0.iter().filter(|(seat, _)| seat.team.as_deref() == *team).map(|(_, s)| s));
        match comparable(total, earlier.iter().map(|(period, sums)| (*period, Cow::Owned(of_team(sums))))) {
            Before::Nothing => {}
            Before::Break(since) => {
                if let Some(row) = rows.get_mut(team) {
                    row.warnings.push(format!("break: scorecard or models changed since {since}"));
                }
            }
            Before::Period(period, _) => pairs.entry(period).or_default().push(*team),
        }
    }
    let mut found = Vec::new();
    for (previous, paired) in pairs {
        let Some((_, sums)) = earlier.iter().find(|(period, _)| *period == previous) else { continue };
        let before = reps_by_team(sums);
        let both =
            self::fit(units(&teams, true).chain(units(&before, false)).filter(|((team, ..), _)| paired.contains(team)));
        for team in paired {
            let mut weights = weights(&both, team, true, 1.0);
            weights.extend(self::weights(&both, team, false, -1.0));
            if let Some((difference, variance)) = both.combination(weights.iter().map(|(unit, weight)| (unit, *weight)))
            {
                found.push(Found::of(team, previous, difference, variance));
            }
        }
    }
    for (team, trend) in control(found) {
        if let Some(row) = rows.get_mut(&team) {
            row.trend = Some(trend);
        }
    }
    rows.into_values().collect()
}

/// What a team's row is made from, of all its reps.
fn sum<'a>(parts: impl Iterator<Item = &'a RepSums>) -> RepSums {
    let mut all = RepSums::default();
    parts.for_each(|part| all.include_scores(part));
    all
}

fn reps_by_team(sums: &PeriodSums) -> BTreeMap<Team<'_>, BTreeMap<&str, &RepSums>> {
    let mut teams: BTreeMap<Team, BTreeMap<&str, &RepSums>> = BTreeMap::new();
    for (seat, rep) in &sums.0 {
        teams.entry(seat.team.as_deref()).or_default().insert(&seat.rep_id, rep);
    }
    teams
}

fn units<'a>(
    teams: &'a BTreeMap<Team<'a>, BTreeMap<&'a str, &'a RepSums>>,
    now: bool,
) -> impl Iterator<Item = (Unit<'a>, &'a RepSums)> {
    teams.iter().flat_map(move |(team, reps)| reps.iter().map(move |(rep, sums)| ((*team, *rep, now), *sums)))
}

fn fit<'a>(units: impl Iterator<Item = (Unit<'a>, &'a RepSums)>) -> Adjusted<Unit<'a>, Stratum> {
    adjust(units.flat_map(|(unit, sums)| sums.scores.iter().map(move |(stratum, moments)| (unit, stratum, moments))))
}

/// Each rep's share of the team's calls, times `sign`.
fn weights<'a>(fit: &Adjusted<Unit<'a>, Stratum>, team: Team<'a>, now: bool, sign: f64) -> Vec<(Unit<'a>, f64)> {
    let of_team = || fit.units.iter().filter(move |((t, _, n), _)| *t == team && *n == now);
    let total: u64 = of_team().map(|(_, mean)| mean.n).sum();
    of_team().map(|(unit, mean)| (*unit, sign * mean.n as f64 / total as f64)).collect()
}

fn row(
    kind: PeriodKind,
    period: &str,
    team: Team,
    total: &RepSums,
    reps: &BTreeMap<&str, &RepSums>,
    fit: &Adjusted<Unit, Stratum>,
) -> TeamRow {
    let scores = total.score_moments();
    let weights = weights(fit, team, true, 1.0);
    let adjusted = fit.combination(weights.iter().map(|(unit, weight)| (unit, *weight))).filter(|_| scores.n > 0);
    let half = |variance: f64| Z95 * variance.sqrt();
    let people: Vec<Unit> = weights.iter().map(|(unit, _)| *unit).filter(|(_, rep, _)| *rep != UNASSIGNED).collect();
    let counted = |sums: &&&RepSums| sums.n_counted() > 0;
    TeamRow {
        team: team.map(str::to_string),
        period_kind: kind,
        period: period.to_string(),
        reps: reps.iter().filter(|(rep, _)| **rep != UNASSIGNED).map(|(_, sums)| sums).filter(counted).count() as u64,
        n_scored: total.n_scored,
        n_unscored: total.n_unscored,
        n_pending: total.n_pending,
        n_failed: total.n_failed,
        mean: scores.mean().map(rounded),
        adjusted: adjusted.map(|(mean, _)| rounded(mean)),
        low: adjusted.map(|(mean, variance)| rounded(mean - half(variance))),
        high: adjusted.map(|(mean, variance)| rounded(mean + half(variance))),
        between_rep_sd: shrink(&[people], fit).pop().flatten().map(|fit| rounded(fit.between_variance.sqrt())),
        pass: Share::of(total.n_passed, total.n_scored),
        flags_per_call_milli: (scores.n > 0).then(|| rounded(total.flags as f64 * 1000.0 / scores.n as f64)),
        fatals: total.fatals,
        trend: None,
        scorecard_versions: scorecard_versions(total),
        warnings: breaks(total),
    }
}
