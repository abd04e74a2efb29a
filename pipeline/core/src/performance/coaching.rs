//! Whether coaching helped: change of the coached, less what would have happened anyway.
//!
//! Two things happen anyway. *Regression to the mean*: who is coached for a bad month had bad luck in it, too, and the next month is
//! better without any coaching. Expected without an effect is not the mean before but the shrunken one, B·x̄ + (1 − B)·μ (James, "Regression
//! toward the mean in uncontrolled clinical studies", Biometrics 29, 1973; Barnett, van der Pols, Dobson, "Regression to the mean: what
//! it is and how to deal with it", Int. J. Epidemiology 34, 2005), with its posterior variance. *Drift*: a new campaign or script moves
//! everybody; the same change of a control group is taken off (difference in differences; Angrist, Pischke, Mostly Harmless
//! Econometrics, 2009, §5.2). Reps change unequally without coaching, too; that variance τ² comes from the control group (DerSimonian, Laird,
//! "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986, eq. 8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::adjustment::{AdjustedMean, adjust};
use super::rounded;
use super::sums::{Cells, Stratum};
use crate::statistics::{Z95, empirical_bayes_pools, normal_quantile};

/// Controls from which τ² can be estimated.
const CONTROLS_FOR_DRIFT: usize = 4;
/// Chance to see the smallest detectable effect.
const POWER: f64 = 0.8;

/// Values of one rep before coaching began and after it ended: scores ([`super::sums::RepSums::scores`]) or shares of a dimension.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BeforeAfter {
    pub before: Cells,
    pub after: Cells,
}

/// What the change was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// With itself: a change that everybody had counts as the coaching's.
    BeforeAfter,
    /// With the change of a control group.
    DifferenceInDifferences,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoachingVerdict {
    /// The interval is above 0.
    Helped,
    /// The interval holds both nothing and something worth having: more calls are needed.
    NoEvidenceYet,
    /// The interval is below the smallest effect worth having: open the diagnosis again.
    DidNotHelp,
}

impl CoachingVerdict {
    /// Its name in tables, and in the store.
    pub fn id(self) -> &'static str {
        match self {
            CoachingVerdict::Helped => "helped",
            CoachingVerdict::NoEvidenceYet => "no_evidence_yet",
            CoachingVerdict::DidNotHelp => "did_not_help",
        }
    }
}

/// The effect of coaching, in the unit of the values (millipoints or per mille).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoachingEffect {
    pub design: Design,
    /// Mean after less mean before, both adjusted for campaign and call type: what a table without corrections would show.
    pub raw_change: i64,
    /// What of it was to be expected by regression to the mean; `None` when too few reps are known to say.
    pub regression_to_mean: Option<i64>,
    /// Corrected change of the control group.
    pub control_change: Option<i64>,
    /// Corrected change of the coached less that of the control group.
    pub effect: i64,
    /// 95 %.
    pub low: i64,
    pub high: i64,
    /// The smallest true effect that these numbers of calls would show (interval above 0) with 80 % probability: (1.96 + 0.84)·SE.
    pub smallest_detectable: i64,
    pub verdict: CoachingVerdict,
    /// What the reader must know.
    pub notes: Vec<&'static str>,
}

/// The effect of coaching `coached` together, one rep or several.
///
/// `control` are reps of whom nothing was wanted, never chosen by what they did afterwards. `others` are the values before of further reps with
/// whom the coached were compared when they were chosen; they and everybody else say how much reps differ. `worthwhile` is the
/// smallest effect worth having. `None` without values before and after of a coached rep, or when nothing says how much values vary.
pub fn coaching_effect(
    coached: &[BeforeAfter],
    control: &[BeforeAfter],
    others: &[Cells],
    worthwhile: i64,
) -> Option<CoachingEffect> {
    // One fit for all, so that the move to an easier campaign is no effect.
    let mut cells: Vec<((usize, bool), &Cells)> = Vec::new();
    for (i, person) in coached.iter().chain(control).enumerate() {
        cells.push(((i, false), &person.before));
        cells.push(((i, true), &person.after));
    }
    let people = coached.len() + control.len();
    cells.extend(others.iter().enumerate().map(|(i, before)| ((people + i, false), before)));
    let fit =
        adjust(cells.into_iter().flat_map(|(unit, cells)| {
            cells.iter().map(move |(stratum, moments): (&Stratum, _)| (unit, stratum, moments))
        }));
    let within = fit.within_variance?;
    let before: BTreeMap<usize, AdjustedMean> =
        fit.units.iter().filter(|((_, after), _)| !after).map(|((i, _), mean)| (*i, *mean)).collect();

    // Where each rep stood before: (expected without an effect, variance).
    let pool = before.values().map(|mean| (mean.group(), mean.effective_n)).collect();
    let shrunk = empirical_bayes_pools(&[pool]).and_then(|mut fits| fits.pop());
    let expected: BTreeMap<usize, (f64, f64)> = match &shrunk {
        Some(fit) => before.keys().zip(&fit.groups).map(|(i, p)| (*i, (p.mean, p.sd * p.sd))).collect(),
        None => before.iter().map(|(i, mean)| (*i, (mean.mean, within / mean.effective_n))).collect(),
    };
    let change = |i: usize| {
        let after = fit.units.get(&(i, true))?;
        let (expected, variance) = expected.get(&i)?;
        Some(Change { value: after.mean - expected, variance: variance + within / after.effective_n })
    };
    let of_coached: Vec<usize> = (0..coached.len()).filter(|i| change(*i).is_some()).collect();
    let of_control: Vec<Change> = (coached.len()..people).filter_map(change).collect();
    let n = of_coached.len() as f64;
    let average = |value: &dyn Fn(usize) -> f64| of_coached.iter().map(|i| value(*i)).sum::<f64>() / n;
    if of_coached.is_empty() {
        return None;
    }

    let raw_change = average(&|i| fit.units[&(i, true)].mean - before[&i].mean);
    let corrected = average(&|i| change(i).map_or(0.0, |change| change.value));
    let drift_variance = between_changes(&of_control);
    let variance = average(&|i| change(i).map_or(0.0, |change| change.variance) + drift_variance) / n;
    let control = mean_change(&of_control, drift_variance);
    let effect = corrected - control.map_or(0.0, |control| control.value);
    let error = (variance + control.map_or(0.0, |control| control.variance)).sqrt();

    let mut notes = Vec::new();
    if shrunk.is_none() {
        notes.push("fewer than four reps are known: regression to the mean is not corrected");
    }
    match of_control.len() {
        0 => notes.push("no control group: a change that everybody had counts as effect"),
        1..CONTROLS_FOR_DRIFT => {
            notes.push("fewer than four controls: reps are taken to change alike without coaching")
        }
        _ => {}
    }
    let (low, high) = (effect - Z95 * error, effect + Z95 * error);
    let verdict = if low > 0.0 {
        CoachingVerdict::Helped
    } else if high < worthwhile as f64 {
        CoachingVerdict::DidNotHelp
    } else {
        CoachingVerdict::NoEvidenceYet
    };
    Some(CoachingEffect {
        design: if control.is_some() { Design::DifferenceInDifferences } else { Design::BeforeAfter },
        raw_change: rounded(raw_change),
        regression_to_mean: shrunk.is_some().then(|| rounded(raw_change - corrected)),
        control_change: control.map(|control| rounded(control.value)),
        effect: rounded(effect),
        low: rounded(low),
        high: rounded(high),
        smallest_detectable: rounded((Z95 + normal_quantile(POWER)) * error),
        verdict,
        notes,
    })
}

/// Mean after less what was expected, and its variance without τ².
#[derive(Clone, Copy)]
struct Change {
    value: f64,
    variance: f64,
}

/// τ² by DerSimonian and Laird, at least 0; 0 for too few controls.
fn between_changes(controls: &[Change]) -> f64 {
    if controls.len() < CONTROLS_FOR_DRIFT {
        return 0.0;
    }
    let weights: f64 = controls.iter().map(|c| 1.0 / c.variance).sum();
    let squared_weights: f64 = controls.iter().map(|c| 1.0 / (c.variance * c.variance)).sum();
    let mean = controls.iter().map(|c| c.value / c.variance).sum::<f64>() / weights;
    let q: f64 = controls.iter().map(|c| (c.value - mean) * (c.value - mean) / c.variance).sum();
    // k − 3 instead of k − 1, as James and Stein divide: what is wanted is not to be too sure, and with k − 1 the estimate is 0 far too often.
    ((q - (controls.len() - 3) as f64) / (weights - squared_weights / weights)).max(0.0)
}

/// Mean change weighted by precision; `None` without controls.
fn mean_change(controls: &[Change], drift_variance: f64) -> Option<Change> {
    let weights: f64 = controls.iter().map(|c| 1.0 / (c.variance + drift_variance)).sum();
    let sum: f64 = controls.iter().map(|c| c.value / (c.variance + drift_variance)).sum();
    (!controls.is_empty()).then(|| Change { value: sum / weights, variance: 1.0 / weights })
}
