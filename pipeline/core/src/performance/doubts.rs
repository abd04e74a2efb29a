//! What speaks against believing the scores of a set of calls (REQUIREMENTS.md B.8): heaps at the pass line, scores that rise while customers
//! are no happier, scores that depend on how well a call was recognised. Each is a reason to look, never a verdict.

use std::collections::BTreeMap;

use serde::Serialize;

use super::gaming::{Edge, Heap, Histogram, judge, tested};
use super::period::PeriodKind;
use super::{CallSummary, rounded};
use crate::recording::Language;
use crate::statistics::{Moments, mean_interval};

/// How customers sound at the end of a call, −5,000…+5,000.
const MOOD: &str = "sentiment_last_quarter_milli";
/// Calls of a rep on each side without which the rep is left out of a comparison. Engineering guess.
const MIN_CALLS_A_SIDE: u64 = 5;
/// Reps without whom nothing is compared. Engineering guess.
pub(super) const MIN_REPS: u64 = 4;

/// One kind of calls of a rep against another kind of the same rep, over all reps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub reps: u64,
    /// Mean over reps of the difference of their two means, in the unit of the values, with its 95 % interval.
    pub mean: i64,
    pub low: i64,
    pub high: i64,
}

impl Difference {
    /// Second less first. A rep counts once, however many calls, so that neither the mix of reps nor calls of one rep that are
    /// alike make a difference look surer than it is: paired t interval (Student, "The probable error of a mean", Biometrika 6, 1908).
    /// Reps with fewer values than `least` on a side are left out.
    pub(super) fn of<'a>(pairs: impl IntoIterator<Item = &'a (Moments, Moments)>, least: u64) -> Option<Difference> {
        let enough = pairs.into_iter().filter(|(a, b)| a.n >= least && b.n >= least);
        let differences: Moments = enough.filter_map(|(a, b)| Some(rounded(b.mean()? - a.mean()?))).collect();
        let interval = mean_interval(&differences).filter(|_| differences.n >= MIN_REPS)?;
        let mean = differences.mean()?;
        let (low, high) = (rounded(interval.low), rounded(interval.high));
        Some(Difference { reps: differences.n, mean: rounded(mean), low, high })
    }
}

/// Scores rose from the first half of the days to the second, and the mood in which customers ended their calls did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inflation {
    /// Millipoints.
    pub score: Difference,
    /// Thousandths of a step of −5…+5.
    pub mood: Difference,
}

/// A rep's calls of one scorecard that heap just above its pass line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassLineHeap {
    pub scorecard: String,
    /// From so many points on the scorecard's verdict is `pass`.
    pub pass_points: u32,
    pub heap: Heap,
}

/// Reps whose scores heap just above the pass line, by scorecard and line; all that are tested are judged together. `pass_points`: hash of a scorecard →
/// its pass line, whole points. Calls of other scorecards are left out: where their line lay is not known.
pub fn pass_line_heaps(calls: &[CallSummary], pass_points: &BTreeMap<&str, u32>) -> Vec<PassLineHeap> {
    // Versions of a scorecard with the same line go together: an edit elsewhere must not halve what there is to see.
    let mut cards: BTreeMap<(&str, u32), BTreeMap<&str, Histogram>> = BTreeMap::new();
    for call in calls {
        let line = pass_points.get(call.scorecard_hash.as_str());
        if let (Some(rep), Some(score), Some(line)) = (rep_of(call), call.counted_score(), line) {
            let histogram = cards.entry((&call.scorecard, *line)).or_default().entry(rep).or_default();
            *histogram.entry(score.div_euclid(1000)).or_default() += 1;
        }
    }
    let (mut of, mut found) = (Vec::new(), Vec::new());
    for (card, reps) in &cards {
        let reps = reps.iter().map(|(rep, histogram)| (*rep, histogram)).collect();
        let heaps = tested(&reps, Edge::of_score(i64::from(card.1) * 1000));
        of.extend(std::iter::repeat_n(*card, heaps.len()));
        found.extend(heaps);
    }
    let flagged = of.into_iter().zip(judge(found)).filter(|(_, heap)| heap.flagged);
    flagged
        .map(|((scorecard, pass_points), heap)| PassLineHeap { scorecard: scorecard.to_string(), pass_points, heap })
        .collect()
}

/// `None` also when too few reps have calls in both halves, or the scorecard does not measure the customers' mood.
pub fn inflation(calls: &[CallSummary]) -> Option<Inflation> {
    let day = |call: &CallSummary| PeriodKind::Day.period(call.start_ts.as_deref());
    let measured = || {
        calls
            .iter()
            .filter_map(move |call| Some((rep_of(call)?, day(call)?, call.counted_score()?, *call.metrics.get(MOOD)?)))
    };
    let mut days: Vec<String> = measured().map(|(_, day, ..)| day).collect();
    days.sort();
    days.dedup();
    let second_half = days.get(days.len().div_ceil(2))?;
    let mut scores: BTreeMap<&str, (Moments, Moments)> = BTreeMap::new();
    let mut moods: BTreeMap<&str, (Moments, Moments)> = BTreeMap::new();
    for (rep, day, score, mood) in measured() {
        let later = day >= *second_half;
        side(scores.entry(rep).or_default(), later).add(score);
        side(moods.entry(rep).or_default(), later).add(mood);
    }
    let found = Inflation {
        score: Difference::of(scores.values(), MIN_CALLS_A_SIDE)?,
        mood: Difference::of(moods.values(), MIN_CALLS_A_SIDE)?,
    };
    (found.score.low > 0 && found.mood.low <= 0).then_some(found)
}

/// How much more a rep's calls score (millipoints) that were recognised as surely as his or her median call or more surely, when that is
/// more or less than chance. `calls`: with the recogniser's confidence, per mille.
pub fn recognition_gap<'a>(calls: impl IntoIterator<Item = (&'a CallSummary, u16)>) -> Option<Difference> {
    let mut reps: BTreeMap<&str, Vec<(u16, i64)>> = BTreeMap::new();
    for (call, confidence) in calls {
        if let (Some(rep), Some(score)) = (rep_of(call), call.counted_score()) {
            reps.entry(rep).or_default().push((confidence, score));
        }
    }
    let mut pairs: Vec<(Moments, Moments)> = Vec::new();
    for calls in reps.values_mut() {
        calls.sort();
        let (median, _) = calls[calls.len() / 2];
        let mut pair = (Moments::default(), Moments::default());
        calls.iter().for_each(|(confidence, score)| side(&mut pair, *confidence >= median).add(*score));
        pairs.push(pair);
    }
    Difference::of(&pairs, MIN_CALLS_A_SIDE).filter(|gap| gap.low > 0 || gap.high < 0)
}

/// How much more a rep's Chinese calls score (millipoints) than his or her English ones, when that is more or less than chance.
pub fn language_gap<'a>(calls: impl IntoIterator<Item = (&'a CallSummary, Language)>) -> Option<Difference> {
    let mut reps: BTreeMap<&str, (Moments, Moments)> = BTreeMap::new();
    for (call, language) in calls {
        if let (Some(rep), Some(score)) = (rep_of(call), call.counted_score()) {
            side(reps.entry(rep).or_default(), language == Language::Zh).add(score);
        }
    }
    Difference::of(reps.values(), MIN_CALLS_A_SIDE).filter(|gap| gap.low > 0 || gap.high < 0)
}

fn side(pair: &mut (Moments, Moments), second: bool) -> &mut Moments {
    if second { &mut pair.1 } else { &mut pair.0 }
}

fn rep_of(call: &CallSummary) -> Option<&str> {
    call.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty())
}
