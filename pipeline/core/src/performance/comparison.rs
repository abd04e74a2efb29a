//! Which reps are compared with each other, and their means shrunk towards the others'.

use std::collections::BTreeMap;

use super::adjustment::{Adjusted, adjust};
use super::sums::{Cells, RepSums, RepTotal, UNASSIGNED};
use crate::statistics::{self, EmpiricalBayes, Group};

/// Reps that empirical Bayes needs; smaller teams are taken together.
const SMALLEST_TEAM: usize = 4;

/// One measure of all reps of a period, adjusted for campaign and call type.
pub(super) fn adjusted_reps<'a>(
    reps: &'a BTreeMap<&'a str, RepTotal>,
    cells: impl Fn(&'a RepSums) -> Option<&'a Cells>,
) -> Adjusted<&'a str> {
    let of_rep = reps.iter().filter_map(|(rep, total)| Some((*rep, cells(&total.sums)?)));
    adjust(of_rep.flat_map(|(rep, cells)| cells.iter().map(move |(stratum, moments)| (rep, stratum, moments))))
}

/// Reps with values that are compared with each other: teams of four and more, and everybody else together.
pub(super) fn pools<'a>(reps: &'a BTreeMap<&'a str, RepTotal>, adjusted: &Adjusted<&'a str>) -> Vec<Vec<&'a str>> {
    let mut teams: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for rep in adjusted.units.keys().filter(|rep| **rep != UNASSIGNED) {
        teams.entry(reps[rep].team.as_deref()).or_default().push(rep);
    }
    let (mut large, small): (Vec<_>, Vec<_>) = teams.into_values().partition(|team| team.len() >= SMALLEST_TEAM);
    large.push(small.concat());
    large.retain(|pool| !pool.is_empty());
    large
}

/// The reps of a pool, in its order. `None` when there are too few reps or calls.
pub(super) fn shrink(pool: &[&str], adjusted: &Adjusted<&str>) -> Option<EmpiricalBayes> {
    let means: Vec<_> = pool.iter().map(|rep| adjusted.units[rep]).collect();
    let groups: Vec<Group> = means.iter().map(|mean| mean.group()).collect();
    statistics::empirical_bayes_weighted(&groups, &means.iter().map(|mean| mean.effective_n).collect::<Vec<_>>())
}
