//! Which reps are compared with each other, and their means shrunk towards the others'.

use std::collections::BTreeMap;

use super::adjustment::{Adjusted, adjust};
use super::sums::{Cells, RepSums, RepTotal, Stratum, UNASSIGNED};
use crate::statistics::{self, EmpiricalBayes};

/// Reps that empirical Bayes needs; smaller teams are taken together.
const SMALLEST_TEAM: usize = 4;

/// One measure of all reps of a period, adjusted for campaign and call type.
pub(super) fn adjusted_reps<'a>(
    reps: &'a BTreeMap<&'a str, RepTotal>,
    cells: impl Fn(&'a RepSums) -> Option<&'a Cells>,
) -> Adjusted<&'a str, Stratum> {
    let of_rep = reps.iter().filter_map(|(rep, total)| Some((*rep, cells(&total.sums)?)));
    adjust(of_rep.flat_map(|(rep, cells)| cells.iter().map(move |(stratum, moments)| (rep, stratum, moments))))
}

/// Reps with values that are compared with each other: teams of four and more, and everybody else together.
pub(super) fn pools<'a>(
    reps: &'a BTreeMap<&'a str, RepTotal>,
    adjusted: &Adjusted<&'a str, Stratum>,
) -> Vec<Vec<&'a str>> {
    let mut teams: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for rep in adjusted.units.keys().filter(|rep| **rep != UNASSIGNED) {
        teams.entry(reps[rep].team.as_deref()).or_default().push(rep);
    }
    let (mut large, small): (Vec<_>, Vec<_>) = teams.into_values().partition(|team| team.len() >= SMALLEST_TEAM);
    large.push(small.concat());
    large.retain(|pool| !pool.is_empty());
    large
}

/// The units of each pool, in its order, shrunk towards the pool's mean; how much reps differ is estimated from all pools together. `None` for
/// a pool of too few reps, or when too few calls, or equal ones, say too little about how much calls of one rep differ.
pub(super) fn shrink<U: Ord>(pools: &[Vec<U>], adjusted: &Adjusted<U, Stratum>) -> Vec<Option<EmpiricalBayes>> {
    let group = |unit: &U| {
        let mean = adjusted.units[unit];
        (mean.group(), mean.effective_n)
    };
    let large = |pool: &&Vec<U>| pool.len() >= SMALLEST_TEAM;
    let data: Vec<Vec<_>> = pools.iter().filter(large).map(|pool| pool.iter().map(group).collect()).collect();
    let found = adjusted.within_variance.and_then(|_| statistics::empirical_bayes_pools(&data));
    let mut fits = found.unwrap_or_default().into_iter();
    pools.iter().map(|pool| if large(&pool) { fits.next() } else { None }).collect()
}
