//! Do reps with better calls sell more? A rank correlation with its interval: an association, never a cause.

use serde::Serialize;

use super::rounded;
use crate::statistics::Z95;

/// Fewer reps say nothing: the interval would cover nearly everything.
pub const MIN_REPS: usize = 8;

/// Spearman's ρ between two figures of the same reps, in per mille, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Association {
    pub reps: usize,
    pub rho_permille: i64,
    pub low_permille: i64,
    pub high_permille: i64,
}

/// `None` for fewer than [`MIN_REPS`] pairs, or when one of the figures is the same for everybody.
pub fn association(pairs: &[(i64, i64)]) -> Option<Association> {
    if pairs.len() < MIN_REPS {
        return None;
    }
    let (rho, low, high) = spearman(pairs)?;
    let permille = |x: f64| rounded(1000.0 * x);
    Some(Association {
        reps: pairs.len(),
        rho_permille: permille(rho),
        low_permille: permille(low),
        high_permille: permille(high),
    })
}

/// Spearman's ρ (Pearson's r of mean ranks) with its 95 % interval tanh(atanh ρ ± 1.96·√((1 + ρ²/2)/(n − 3))) (Bonett, Wright, "Sample size
/// requirements for estimating Pearson, Kendall and Spearman correlations", Psychometrika 65, 2000). `None` below four pairs and for a constant.
///
/// A perfect order would give an interval without width, which no eight reps deserve: its inner end is that of the next order, two
/// neighbours swapped (ρ = 1 − 12/(n(n² − 1))).
pub fn spearman(pairs: &[(i64, i64)]) -> Option<(f64, f64, f64)> {
    let n = pairs.len() as f64;
    if pairs.len() < 4 {
        return None;
    }
    let x = twice_ranks(pairs.iter().map(|(x, _)| *x));
    let y = twice_ranks(pairs.iter().map(|(_, y)| *y));
    // Twice a rank less twice the mean rank is whole, so that the sums are exact.
    let centre = pairs.len() as i64 + 1;
    let sum = |a: &[i64], b: &[i64]| -> i64 { a.iter().zip(b).map(|(a, b)| (a - centre) * (b - centre)).sum() };
    let (xx, yy) = (sum(&x, &x), sum(&y, &y));
    if xx == 0 || yy == 0 {
        return None;
    }
    let rho = (sum(&x, &y) as f64 / (xx as f64).sqrt() / (yy as f64).sqrt()).clamp(-1.0, 1.0);
    let next = 1.0 - 12.0 / (n * (n * n - 1.0));
    let finite = rho.clamp(-next, next);
    let half = Z95 * ((1.0 + finite * finite / 2.0) / (n - 3.0)).sqrt();
    let (low, high) = (libm::tanh(libm::atanh(finite) - half), libm::tanh(libm::atanh(finite) + half));
    Some((rho, low.min(rho), high.max(rho)))
}

/// Twice the mean rank of each value, from 1: equal values share theirs.
fn twice_ranks(values: impl Iterator<Item = i64>) -> Vec<i64> {
    let values: Vec<i64> = values.collect();
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let below = |x: i64| sorted.partition_point(|y| *y < x) as i64;
    let up_to = |x: i64| sorted.partition_point(|y| *y <= x) as i64;
    values.iter().map(|x| below(*x) + 1 + up_to(*x)).collect()
}
