//! What a rep should work on first: three requirements or metrics, chosen by what is to be won.
//!
//! To be won = points lost against the team × frequency × coachability. *Lost against the team*: the rep's mean loss per call to which
//! the requirement applies less the mean of the compared reps. *Frequency*: share of counted calls to which it applies. *Coachability*:
//! B = s_b² / (s_b² + s_w²/n), the share of the variance of a rep's mean loss that lies between reps (the reliability of SCORING.md): a
//! loss by which reps do not differ is no habit of this rep, but of the script, the customers or the rule. The product is the shrunken
//! excess loss per call. It is a simple choice: that reps differ shows that another way is possible, not that training leads there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rounded;
use super::summary::CallSummary;
use super::sums::RepSums;
use crate::statistics::{self, Group};

/// Improvement points of a rep.
const CHOSEN: usize = 3;
/// Calls that an improvement point names.
const WORST_CALLS: usize = 3;

/// A requirement or metric on which a rep lost points, with the calls that show it best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Improvement {
    pub requirement_id: String,
    /// Mean loss per counted call, millipoints.
    pub millipoints_per_call: i64,
    /// Calls that lost points on it.
    pub calls: u64,
    /// Up to three calls that lost most, worst first; filled by [`name_worst_calls`].
    pub worst_calls: Vec<String>,
    /// Mean loss per call to which it applies, less the mean of the compared reps; `None` where too few are compared.
    pub against_team_millipoints: Option<i64>,
    /// Share of counted calls to which it applies.
    pub frequency_permille: i64,
    /// B of the rep's mean loss, per mille; `None` where too few are compared.
    pub coachability_permille: Option<i64>,
    /// The product of the three: millipoints per call that the rep would win by being like the others.
    pub to_win_millipoints: Option<i64>,
}

/// Requirement → what empirical Bayes says about the loss of each compared rep.
pub(super) struct TeamLosses<'a> {
    fits: BTreeMap<&'a str, Fit<'a>>,
}

struct Fit<'a> {
    mean: f64,
    /// Rep → B.
    reliability: BTreeMap<&'a str, f64>,
}

impl<'a> TeamLosses<'a> {
    pub fn of(reps: &[(&'a str, &'a RepSums)]) -> TeamLosses<'a> {
        let mut groups: BTreeMap<&str, Vec<(&str, Group)>> = BTreeMap::new();
        for (rep, sums) in reps {
            for (id, requirement) in &sums.requirements {
                if let Some(group) = Group::of(&requirement.lost) {
                    groups.entry(id).or_default().push((rep, group));
                }
            }
        }
        let fit = |(id, groups): (&'a str, Vec<(&'a str, Group)>)| {
            let pool: Vec<(Group, f64)> = groups.iter().map(|(_, group)| (*group, group.n as f64)).collect();
            let (within, between) = statistics::variance_components(std::slice::from_ref(&pool))?;
            let (mean, _) = statistics::weighted_mean(&pool, within, between);
            // Nothing varies inside reps: what differs is the rep, and nothing differs by chance.
            let reliability = |n: u64| if within > 0.0 { between / (between + within / n as f64) } else { 1.0 };
            let of_reps = groups.iter().map(|(rep, group)| (*rep, reliability(group.n))).collect();
            Some((id, Fit { mean, reliability: of_reps }))
        };
        TeamLosses { fits: groups.into_iter().filter_map(fit).collect() }
    }

    /// The three with the most to win; where nothing can be compared, those that cost most.
    pub fn choose(&self, rep: &str, sums: &RepSums) -> Vec<Improvement> {
        let n = sums.n_counted();
        let improvement = |(id, requirement): (&String, &super::sums::RequirementSums)| {
            let frequency = requirement.lost.n as f64 / n.max(1) as f64;
            let fit = self.fits.get(id.as_str());
            let gap = fit.and_then(|fit| Some(requirement.lost.mean()? - fit.mean));
            let coachability = fit.and_then(|fit| fit.reliability.get(rep).copied());
            let to_win = gap.zip(coachability).map(|(gap, coachability)| gap * frequency * coachability);
            Improvement {
                requirement_id: id.clone(),
                millipoints_per_call: (requirement.lost.sum / i128::from(n.max(1))) as i64,
                calls: requirement.losing,
                worst_calls: Vec::new(),
                against_team_millipoints: gap.map(rounded),
                frequency_permille: rounded(1000.0 * frequency),
                coachability_permille: coachability.map(|coachability| rounded(1000.0 * coachability)),
                to_win_millipoints: to_win.map(rounded),
            }
        };
        let mut all: Vec<Improvement> =
            sums.requirements.iter().filter(|(_, sums)| sums.losing > 0).map(improvement).collect();
        // Nothing to win against the team comes after everything that has it, by what it costs.
        all.sort_by_key(|i| (-i.to_win_millipoints.unwrap_or(0).max(0), -i.millipoints_per_call));
        all.truncate(CHOSEN);
        all
    }
}

/// Fills in the calls that lost most on the chosen points of one rep; `calls` are the rep's in the period.
pub fn name_worst_calls<'a>(top3: &mut [Improvement], calls: impl Iterator<Item = &'a CallSummary> + Clone) {
    for improvement in top3 {
        let lost = |call: &'a CallSummary| {
            let losses = call.losses.iter().filter(|loss| loss.requirement_id == improvement.requirement_id);
            (losses.map(|loss| loss.millipoints).sum::<i64>(), call.call_id.as_str())
        };
        let counted = calls.clone().filter(|call| call.counted_score().is_some());
        let mut losses: Vec<(i64, &str)> = counted.map(lost).filter(|(millipoints, _)| *millipoints > 0).collect();
        losses.sort_by_key(|(millipoints, call)| (-millipoints, *call));
        improvement.worst_calls = losses.iter().take(WORST_CALLS).map(|(_, call)| call.to_string()).collect();
    }
}
