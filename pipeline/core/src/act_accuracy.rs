//! How well dialogue acts are heard in labelled calls. A turn may have several, so each act is a question of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::statistics::{Interval, SplitMix64, quantile, wilson};

/// Resamples of the bootstrap interval, and its seed.
const RESAMPLES: usize = 2_000;
const SEED: u64 = 20_251_130;
/// Of a normal distribution, 95 %.
const Z: f64 = 1.959_964;

/// One turn of a labelled call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledTurn {
    pub call: usize,
    /// The acts that people say are in it, and those that were heard.
    pub truth: BTreeSet<String>,
    pub heard: BTreeSet<String>,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActResult {
    pub act: String,
    /// Turns that have it, in which it was heard, and both.
    pub n: u64,
    pub heard: u64,
    pub right: u64,
    /// Right among heard and among those that have it, with 95 % Wilson intervals; `None` when nothing was heard.
    pub precision: Option<f64>,
    pub precision_interval: Option<Interval>,
    pub recall: Option<f64>,
    pub recall_interval: Option<Interval>,
    /// Harmonic mean; 0 for an act that is there and never heard, `None` for one that is not there.
    pub f1: Option<f64>,
}

/// Everything about one set of calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActsResult {
    pub calls: u64,
    pub turns: u64,
    /// Mean F1 of the acts that some turn has; `None` when there are none.
    pub macro_f1: Option<f64>,
    /// 95 %, percentile bootstrap over calls.
    pub macro_f1_interval: Option<Interval>,
    pub acts: Vec<ActResult>,
}

/// Turns that have an act, in which it was heard, and both.
type Counts = [u64; 3];

/// Judges these acts, or else those that some turn has; others count for nothing, also when they are heard. `None` without any act to judge.
pub fn acts_result(turns: &[LabelledTurn], only: Option<&BTreeSet<String>>) -> Option<ActsResult> {
    let acts: BTreeSet<&String> = match only {
        Some(only) => only.iter().collect(),
        None => turns.iter().flat_map(|turn| &turn.truth).collect(),
    };
    if acts.is_empty() {
        return None;
    }
    let mut calls: BTreeMap<usize, Vec<Counts>> = BTreeMap::new();
    for turn in turns {
        let counts = calls.entry(turn.call).or_insert_with(|| vec![[0; 3]; acts.len()]);
        for (count, act) in counts.iter_mut().zip(&acts) {
            let (is_there, is_heard) = (turn.truth.contains(*act), turn.heard.contains(*act));
            add(count, [is_there.into(), is_heard.into(), (is_there && is_heard).into()]);
        }
    }
    let calls: Vec<Vec<Counts>> = calls.into_values().collect();
    let all = sum(calls.iter(), acts.len());
    let mut random = SplitMix64::new(SEED);
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| macro_f1(&sum((0..calls.len()).map(|_| &calls[random.below(calls.len())]), acts.len())))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let interval = quantile(&drawn, 0.025).zip(quantile(&drawn, 0.975)).map(|(low, high)| Interval { low, high });
    let of_act = |(act, [n, heard, right]): (&&String, &Counts)| ActResult {
        act: (*act).clone(),
        n: *n,
        heard: *heard,
        right: *right,
        precision: (*heard > 0).then(|| *right as f64 / *heard as f64),
        precision_interval: wilson(*right, *heard, Z),
        recall: (*n > 0).then(|| *right as f64 / *n as f64),
        recall_interval: wilson(*right, *n, Z),
        f1: (*n > 0).then(|| f1(&[*n, *heard, *right])),
    };
    Some(ActsResult {
        calls: calls.len() as u64,
        turns: turns.len() as u64,
        macro_f1: macro_f1(&all),
        macro_f1_interval: interval,
        acts: acts.iter().zip(&all).map(of_act).collect(),
    })
}

fn add(to: &mut Counts, more: Counts) {
    to.iter_mut().zip(more).for_each(|(count, more)| *count += more);
}

fn sum<'a>(calls: impl Iterator<Item = &'a Vec<Counts>>, acts: usize) -> Vec<Counts> {
    calls.fold(vec![[0; 3]; acts], |mut all, call| {
        all.iter_mut().zip(call).for_each(|(count, more)| add(count, *more));
        all
    })
}

fn f1([n, heard, right]: &Counts) -> f64 {
    2.0 * *right as f64 / (n + heard).max(1) as f64
}

fn macro_f1(counts: &[Counts]) -> Option<f64> {
    let there: Vec<f64> = counts.iter().filter(|[n, ..]| *n > 0).map(f1).collect();
    (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(call: usize, truth: &[&str], heard: &[&str]) -> LabelledTurn {
        let owned = |acts: &[&str]| acts.iter().map(|act| (*act).to_string()).collect();
        LabelledTurn { call, truth: owned(truth), heard: owned(heard) }
    }

    /// By hand: greeting is there twice, heard twice, right once; thanks once, never heard; what nobody labels does not count.
    #[test]
    fn figures_by_hand() {
        let turns = [
            turn(0, &["greeting"], &["greeting", "closing"]),
            turn(0, &["greeting", "thanks"], &[]),
            turn(1, &[], &["greeting"]),
        ];
        let result = acts_result(&turns, None).unwrap();
        assert_eq!((result.calls, result.turns, result.macro_f1), (2, 3, Some(0.25)));
        let [greeting, thanks] = &result.acts[..] else { panic!("{:?}", result.acts) };
        assert_eq!((greeting.n, greeting.heard, greeting.right, greeting.f1), (2, 2, 1, Some(0.5)));
        assert_eq!((greeting.precision, greeting.recall), (Some(0.5), Some(0.5)));
        assert_eq!((thanks.precision, thanks.recall, thanks.f1), (None, Some(0.0), Some(0.0)));
        // The first call drawn twice gives 2·1/(2 + 1) for greetings and 0 for thanks; the second one drawn twice has no act to judge.
        let interval = result.macro_f1_interval.unwrap();
        assert!((interval.low - 0.25).abs() < 1e-12 && (interval.high - 1.0 / 3.0).abs() < 1e-12, "{interval:?}");
        // Where no turn has an act, false alarms are counted of those that are asked for.
        let none = [turn(0, &[], &["greeting"])];
        assert_eq!(acts_result(&none, None), None);
        let asked = acts_result(&none, Some(&["greeting".to_string()].into())).unwrap();
        assert_eq!((asked.macro_f1, asked.acts[0].heard, asked.acts[0].precision), (None, 1, Some(0.0)));
    }
}
