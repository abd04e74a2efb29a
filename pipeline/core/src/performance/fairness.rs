//! Gaps between groups of reps that a site named (REQUIREMENTS.md B.8). A gap is an association: groups may have other campaigns, calls or
//! years in the job. It is a reason to look at requirements and at the recogniser, not at people.
//!
//! A rep counts once, by the mean of his or her calls, however many they are. Two groups are compared by Welch's interval over their reps; all pairs of
//! groups together are wrong about one in twenty times (Bonferroni). What every rep of both groups does in the same share of calls is not
//! compared: nothing then says how sure a difference is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CallSummary, rounded};
use crate::record::Outcome;
use crate::statistics::{Moments, Welch};

/// Reps without whom a group is not compared, nor named. Engineering guess.
pub const MIN_REPS_A_GROUP: u64 = 4;
/// Calls of a rep without which the rep is left out. Engineering guess.
const MIN_CALLS: u64 = 5;
/// All comparisons of one kind together are wrong at most so often.
const MISS: f64 = 0.05;

/// Two groups, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupGap {
    pub first: String,
    pub second: String,
    pub first_reps: u64,
    pub second_reps: u64,
    /// Mean over the reps of the second group less that of the first, with its interval: 95 % for all `comparisons` together.
    pub mean: i64,
    pub low: i64,
    pub high: i64,
    pub comparisons: u64,
    /// The interval leaves out 0.
    pub beyond_chance: bool,
}

/// How often a requirement is in order in two groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequirementGap {
    pub requirement_id: String,
    /// Per mille of the calls that decided.
    pub gap: GroupGap,
}

/// What differs between groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupGaps {
    /// The pair whose scores differ most surely, millipoints.
    pub score: GroupGap,
    /// The largest gap of a requirement among those beyond chance, corrected for all requirements and pairs.
    pub requirement: Option<RequirementGap>,
}

/// Group → rep → values of the rep's calls.
type Groups<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Moments>>;

/// `group_of`: rep id → group. `None` when fewer than two groups have [`MIN_REPS_A_GROUP`] reps with enough calls.
pub fn group_gaps(calls: &[CallSummary], group_of: &BTreeMap<&str, &str>) -> Option<GroupGaps> {
    let mut scores = Groups::new();
    let mut requirements: BTreeMap<&str, Groups> = BTreeMap::new();
    for call in calls {
        let (Some(rep), Some(score)) = (call.rep_id.as_deref().map(str::trim), call.counted_score()) else { continue };
        let Some(group) = group_of.get(rep) else { continue };
        scores.entry(group).or_default().entry(rep).or_default().add(score);
        for (outcome, ids) in &call.results {
            let per_million = match outcome {
                Outcome::Met | Outcome::Clear => 1_000_000,
                Outcome::Missed | Outcome::Violated => 0,
                Outcome::Unknown | Outcome::NotApplicable => continue,
            };
            for id in ids {
                let groups = requirements.entry(id).or_default();
                groups.entry(group).or_default().entry(rep).or_default().add(per_million);
            }
        }
    }
    let pairs = pairs(&scores);
    let surest = pairs.iter().min_by(|a, b| a.test.p().total_cmp(&b.test.p()))?;
    let tested: Vec<(&str, Pair)> =
        requirements.iter().flat_map(|(id, groups)| self::pairs(groups).into_iter().map(|pair| (*id, pair))).collect();
    // The first by name among equals.
    let beyond = tested.iter().rev().filter(|(_, pair)| pair.is_beyond_chance(tested.len()));
    let widest = beyond.max_by(|(_, a), (_, b)| a.test.difference.abs().total_cmp(&b.test.difference.abs()));
    Some(GroupGaps {
        score: surest.gap(pairs.len(), 1.0),
        requirement: widest
            .map(|(id, pair)| RequirementGap { requirement_id: id.to_string(), gap: pair.gap(tested.len(), 1000.0) }),
    })
}

/// Two groups compared.
struct Pair<'a> {
    first: (&'a str, u64),
    second: (&'a str, u64),
    test: Welch,
}

impl Pair<'_> {
    fn is_beyond_chance(&self, comparisons: usize) -> bool {
        self.test.p() * comparisons as f64 <= MISS
    }

    /// `unit`: of the values, in the unit of the gap.
    fn gap(&self, comparisons: usize, unit: f64) -> GroupGap {
        let interval = self.test.interval(MISS / comparisons as f64);
        GroupGap {
            first: self.first.0.to_string(),
            second: self.second.0.to_string(),
            first_reps: self.first.1,
            second_reps: self.second.1,
            mean: rounded(self.test.difference / unit),
            low: rounded(interval.low / unit),
            high: rounded(interval.high / unit),
            comparisons: comparisons as u64,
            beyond_chance: self.is_beyond_chance(comparisons),
        }
    }
}

/// All pairs of groups with enough reps.
fn pairs<'a>(groups: &Groups<'a>) -> Vec<Pair<'a>> {
    let means = |reps: &BTreeMap<&str, Moments>| -> Moments {
        let enough = reps.values().filter(|calls| calls.n >= MIN_CALLS);
        enough.filter_map(|calls| calls.mean().map(rounded)).collect()
    };
    let groups: Vec<(&str, Moments)> = groups
        .iter()
        .map(|(group, reps)| (*group, means(reps)))
        .filter(|(_, reps)| reps.n >= MIN_REPS_A_GROUP)
        .collect();
    let mut found = Vec::new();
    for (i, (second, of_second)) in groups.iter().enumerate() {
        for (first, of_first) in &groups[..i] {
            if let Some(test) = Welch::of(of_first, of_second) {
                found.push(Pair { first: (first, of_first.n), second: (second, of_second.n), test });
            }
        }
    }
    found
}
