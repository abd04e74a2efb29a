//! The change of a mean since the period before, adjusted for campaign and call type.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::adjustment::adjust;
use super::sums::{Cells, PeriodSums, RepSums, Seat, together};
use super::{FALSE_DISCOVERY_RATE, rounded};
use crate::statistics::{self, Z95};

/// Difference to the rep's previous period, adjusted for campaign and call type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trend {
    pub previous_period: String,
    pub millipoints: i64,
    /// 95 %.
    pub low: i64,
    pub high: i64,
    /// Survives a false-discovery rate of 5 % over everything that the table tests in the period.
    pub significant: bool,
}

/// What a rep's or team's period is compared with.
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart at once")]
pub(super) enum Before<'a> {
    /// Nothing is there.
    Nothing,
    /// Scored by other scorecards or models: not compared.
    Break(&'a str),
    Period(&'a str, Cow<'a, RepSums>),
}

/// The latest of the earlier periods (latest first) in which `rep_id` has counted calls.
pub(super) fn before<'a>(rep_id: &str, now: &RepSums, earlier: &[(&'a str, &'a PeriodSums)]) -> Before<'a> {
    let of_rep = |period: &'a PeriodSums| {
        let first = Seat { rep_id: rep_id.to_string(), team: None };
        together(period.0.range(first..).take_while(|(seat, _)| seat.rep_id == rep_id).map(|(_, sums)| sums))
    };
    comparable(now, earlier.iter().map(|(period, sums)| (*period, of_rep(sums))))
}

/// The first of these with counted calls, if it is comparable.
pub(super) fn comparable<'a>(
    now: &RepSums,
    mut earlier: impl Iterator<Item = (&'a str, Cow<'a, RepSums>)>,
) -> Before<'a> {
    match earlier.find(|(_, sums)| sums.n_counted() > 0) {
        None => Before::Nothing,
        Some((period, sums)) if basis(&sums) != basis(now) => Before::Break(period),
        Some((period, sums)) => Before::Period(period, sums),
    }
}

/// Scorecards and models: only equal ones are compared.
fn basis(sums: &RepSums) -> BTreeSet<(&str, &str)> {
    sums.bases.keys().map(|basis| (basis.scorecard_hash.as_str(), basis.model_hash.as_str())).collect()
}

/// A trend before all trends of the table are looked at together.
pub(super) struct Found<K> {
    pub key: K,
    pub trend: Trend,
    pub p: f64,
}

impl<K> Found<K> {
    pub fn of(key: K, previous_period: &str, difference: f64, variance: f64) -> Found<K> {
        let error = variance.sqrt();
        let p = if error > 0.0 { 2.0 * statistics::normal_cdf(-(difference / error).abs()) } else { 1.0 };
        let trend = Trend {
            previous_period: previous_period.to_string(),
            millipoints: rounded(difference),
            low: rounded(difference - Z95 * error),
            high: rounded(difference + Z95 * error),
            significant: false,
        };
        Found { key, trend, p }
    }
}

/// Changes of one measure: (key, previous period, cells before, cells now) each. Both periods share the stratum effects, so that
/// another mix of campaigns is no trend; pairs with the same previous period are fitted together, as their effects are the same.
pub(super) fn changes<'a, K: Ord + Clone>(pairs: &[(K, &'a str, &'a Cells, &'a Cells)]) -> Vec<Found<K>> {
    let mut by_period: BTreeMap<&str, Vec<&(K, &str, &Cells, &Cells)>> = BTreeMap::new();
    for pair in pairs {
        by_period.entry(pair.1).or_default().push(pair);
    }
    let mut found = Vec::new();
    for (period, pairs) in by_period {
        let sides = pairs.iter().flat_map(|(key, _, before, now)| [((key, false), *before), ((key, true), *now)]);
        let fit = adjust(sides.flat_map(|(unit, cells)| cells.iter().map(move |(s, m)| (unit, s, m))));
        for (key, ..) in pairs {
            let (now, before) = ((key, true), (key, false));
            let Some((difference, variance)) = fit.combination([(&now, 1.0), (&before, -1.0)]) else { continue };
            found.push(Found::of(key.clone(), period, difference, variance));
        }
    }
    found
}

/// Calls those significant that survive the false-discovery rate over all of them (Benjamini–Hochberg).
pub(super) fn control<K: Ord>(found: Vec<Found<K>>) -> BTreeMap<K, Trend> {
    let p_values: Vec<f64> = found.iter().map(|found| found.p).collect();
    let adjusted = statistics::benjamini_hochberg(&p_values);
    let judge = |(found, adjusted): (Found<K>, f64)| {
        (found.key, Trend { significant: adjusted <= FALSE_DISCOVERY_RATE, ..found.trend })
    };
    found.into_iter().zip(adjusted).map(judge).collect()
}
