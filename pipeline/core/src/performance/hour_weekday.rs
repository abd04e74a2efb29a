//! Hours of the week: where calls are worse whoever takes them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::adjustment::adjust;
use super::period::{PeriodKind, Slot};
use super::sums::{PeriodSums, Stratum};
use super::{FALSE_DISCOVERY_RATE, MIN_CALLS, rounded};
use crate::statistics::{self, Group, Moments};

/// One hour of the week in one period and team. Points are millipoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HourRow {
    /// `None`: all teams together.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    /// 1 = Monday … 7 = Sunday.
    pub weekday: u8,
    pub hour: u8,
    /// Counted calls.
    pub n: u64,
    /// Plain mean of the scores.
    pub mean: i64,
    /// Mean as if every hour had the same reps, campaigns and call types, shrunk towards the mean of all hours; `None` when they cannot be
    /// told apart or too little is there.
    pub shrunk: Option<i64>,
    /// 95 % interval of `shrunk`.
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// Below the mean of all hours, with a false-discovery rate of 5 % over all hours with at least twenty calls.
    pub dip: bool,
}

/// The rows of one period: first all teams together, then each team, by weekday and hour. Empty for days and weeks.
///
/// Model: score = rep in campaign and call type + hour + error. So an hour is not low because the weaker reps work in it; hours
/// that share no rep in the same campaign and call type are compared inside their connected parts only. Calls of one date are taken
/// as independent: one bad afternoon of many calls can make a dip, which the daily table shows.
pub fn hour_rows(kind: PeriodKind, period: &str, now: &PeriodSums) -> Vec<HourRow> {
    let mut scopes: BTreeMap<Option<&str>, Vec<(Unit, &Slot, &Moments)>> = BTreeMap::new();
    for (seat, rep) in &now.0 {
        for (slot, cells) in &rep.slots {
            for (stratum, moments) in cells {
                let cell = ((seat.rep_id.as_str(), seat.team.as_deref(), stratum), slot, moments);
                scopes.entry(None).or_default().push(cell);
                if let Some(team) = &seat.team {
                    scopes.entry(Some(team)).or_default().push(cell);
                }
            }
        }
    }
    scopes.into_iter().flat_map(|(team, cells)| scope_rows(kind, period, team, &cells)).collect()
}

/// A rep in a team, campaign and call type.
type Unit<'a> = (&'a str, Option<&'a str>, &'a Stratum);

fn scope_rows(kind: PeriodKind, period: &str, team: Option<&str>, cells: &[(Unit, &Slot, &Moments)]) -> Vec<HourRow> {
    let mut plain: BTreeMap<Slot, Moments> = BTreeMap::new();
    for (_, slot, moments) in cells {
        plain.entry(**slot).or_default().merge(moments);
    }
    let mut rows: BTreeMap<Slot, HourRow> = plain
        .iter()
        .map(|(slot, moments)| {
            let row = HourRow {
                team: team.map(str::to_string),
                period_kind: kind,
                period: period.to_string(),
                weekday: slot.weekday,
                hour: slot.hour,
                n: moments.n,
                mean: moments.mean().map_or(0, rounded),
                shrunk: None,
                low: None,
                high: None,
                dip: false,
            };
            (*slot, row)
        })
        .collect();
    let fit = adjust(cells.iter().copied());
    let all: u64 = plain.values().map(|moments| moments.n).sum();
    let grand = plain.values().map(|moments| moments.sum as f64).sum::<f64>() / all as f64;
    let Some(within) = fit.within_variance.filter(|within| *within > 0.0) else { return rows.into_values().collect() };
    // Effects have mean 0 over all hours; as means they have the level of all calls, and its uncertainty.
    let effects: Vec<(Slot, f64, f64)> = plain
        .keys()
        .filter_map(|slot| fit.effect(slot).map(|(effect, variance)| (*slot, effect, variance)))
        .filter(|(_, _, variance)| *variance > 1e-9 * within)
        .collect();
    let group = |(slot, effect, variance): &(Slot, f64, f64)| {
        let n = plain[slot].n;
        let group = Group { n, mean: grand + effect, squared_deviations: within * (n - 1) as f64 };
        (group, 1.0 / (variance / within + 1.0 / all as f64))
    };
    let pool = effects.iter().map(group).collect();
    if let Some(fit) = statistics::empirical_bayes_pools(&[pool]).and_then(|mut fits| fits.pop()) {
        for ((slot, ..), posterior) in effects.iter().zip(&fit.groups) {
            let Some(row) = rows.get_mut(slot) else { continue };
            row.shrunk = Some(rounded(posterior.mean));
            row.low = Some(rounded(posterior.interval.low));
            row.high = Some(rounded(posterior.interval.high));
        }
    }
    let tested: Vec<&(Slot, f64, f64)> = effects.iter().filter(|(slot, ..)| plain[slot].n >= MIN_CALLS).collect();
    let p_values: Vec<f64> =
        tested.iter().map(|(_, effect, variance)| statistics::normal_cdf(effect / variance.sqrt())).collect();
    for ((slot, ..), p) in tested.into_iter().zip(statistics::benjamini_hochberg(&p_values)) {
        if let Some(row) = rows.get_mut(slot) {
            row.dip = p <= FALSE_DISCOVERY_RATE;
        }
    }
    rows.into_values().collect()
}
