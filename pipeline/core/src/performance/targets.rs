//! Whether targets of the telesales indicators still tell anything (REQUIREMENTS.md B.8): a target that nearly everybody reaches tells nobody apart,
//! and a figure that rises while sales do not may be served for its own sake.
//!
//! A target is `full` of a benchmark that weighs something, in a new hire's first quarter his or her own. What a target was in former months is
//! not known: all months are held against today's. Neither is what rises with a delay: sales of next month.

use std::collections::{BTreeMap, BTreeSet};

use super::activity::Measure;
use super::blend::POINTS_FULL;
use super::doubts::{Difference, MIN_REPS};
use super::indicators::{IndicatorKind, IndicatorRow, IndicatorSettings};
use super::rounded;
use crate::statistics::Moments;

/// Days worked without which a rep's month is left out. Engineering guess.
const MIN_DAYS: u64 = 5;
/// A target that so many reach, in each of the last [`MONTHS`] months, tells nothing. Engineering guesses.
const NEARLY_EVERYBODY_PERMILLE: u64 = 950;
const MONTHS: usize = 2;

/// Reps who reached a target in a month, of those whose figure is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetMonth {
    /// `2025-02`.
    pub month: String,
    pub reached: u64,
    pub reps: u64,
}

/// An indicator rose from the first half of the months to the second, and what was sold did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RisesAlone {
    /// Thousandths of the indicator's unit, towards its target.
    pub figure: Difference,
    /// Per day worked: thousandths of a deal, or of the currency where revenue is known.
    pub sold: Difference,
    /// `Revenue` or `Deals`.
    pub sold_as: Measure,
}

/// One indicator with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetCheck {
    pub kind: IndicatorKind,
    /// The earliest first.
    pub months: Vec<TargetMonth>,
    /// Nearly everybody reached it in each of the last months.
    pub tells_nothing: bool,
    pub rises_alone: Option<RisesAlone>,
}

/// `rows`: of months. Indicators that nobody has are left out.
pub fn target_checks(rows: &[IndicatorRow], settings: &IndicatorSettings) -> Vec<TargetCheck> {
    let rows: Vec<&IndicatorRow> = rows.iter().filter(|row| row.days >= MIN_DAYS).collect();
    let held_against = settings.benchmarks.iter().filter(|(_, benchmark)| benchmark.weight > 0);
    let check = |kind: IndicatorKind, less_is_better: bool| {
        let mut months: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for row in &rows {
            let Some(points) = row.points.get(&kind) else { continue };
            let (reached, reps) = months.entry(&row.period).or_default();
            *reached += u64::from(*points >= POINTS_FULL);
            *reps += 1;
        }
        let months: Vec<TargetMonth> = months
            .into_iter()
            .map(|(month, (reached, reps))| TargetMonth { month: month.to_string(), reached, reps })
            .collect();
        let by_nearly_all = |month: &TargetMonth| {
            month.reps >= MIN_REPS && month.reached * 1000 >= month.reps * NEARLY_EVERYBODY_PERMILLE
        };
        let tells_nothing = months.len() >= MONTHS && months.iter().rev().take(MONTHS).all(by_nearly_all);
        TargetCheck { kind, months, tells_nothing, rises_alone: rises_alone(&rows, kind, less_is_better) }
    };
    let checks = held_against.map(|(kind, benchmark)| check(*kind, benchmark.full_milli < benchmark.zero_milli));
    checks.filter(|check| !check.months.is_empty()).collect()
}

/// `None` also when too few reps have both halves, or nobody knows what was sold. What is sold itself is not held against itself.
fn rises_alone(rows: &[&IndicatorRow], kind: IndicatorKind, less_is_better: bool) -> Option<RisesAlone> {
    if matches!(kind, IndicatorKind::Conversion | IndicatorKind::RevenuePerCall | IndicatorKind::RepurchaseRate) {
        return None;
    }
    let says = |measure: Measure| rows.iter().any(|row| row.totals.contains_key(&measure));
    let sold_as = if says(Measure::Revenue) { Measure::Revenue } else { Measure::Deals };
    // Revenue is kept as thousandths already.
    let unit = if sold_as == Measure::Revenue { 1 } else { 1000 };
    let sign = if less_is_better { -1 } else { 1 };
    let both = |row: &&IndicatorRow| {
        let sold = *row.totals.get(&sold_as)? as f64 * f64::from(unit) / row.days as f64;
        Some((row.rep_id.clone(), row.period.clone(), sign * row.figures.get(&kind)?.value_milli, rounded(sold)))
    };
    let known: Vec<(String, String, i64, i64)> = rows.iter().filter_map(both).collect();
    let months: BTreeSet<&str> = known.iter().map(|(_, month, ..)| month.as_str()).collect();
    let second_half = *months.iter().nth(months.len().div_ceil(2))?;
    let mut figures: BTreeMap<&str, (Moments, Moments)> = BTreeMap::new();
    let mut sales: BTreeMap<&str, (Moments, Moments)> = BTreeMap::new();
    for (rep, month, figure, sold) in &known {
        for (values, value) in [(&mut figures, figure), (&mut sales, sold)] {
            let (before, after) = values.entry(rep).or_default();
            if month.as_str() >= second_half { after } else { before }.add(*value);
        }
    }
    let found =
        RisesAlone { figure: Difference::of(figures.values(), 1)?, sold: Difference::of(sales.values(), 1)?, sold_as };
    (found.figure.low > 0 && found.sold.low <= 0).then_some(found)
}
