//! Threshold gaming: values of a rep that heap just inside an edge that pays (the pass line, the full stretch of a metric).
//!
//! A density of honest values is smooth: left and right of an edge nothing but its slope differs (McCrary, "Manipulation of the running variable
//! in the regression discontinuity design: a density test", J. Econometrics 142, 2008). Here, as in the bunching literature (Chetty, Friedman, Olsen,
//! Pistaferri, QJE 126, 2011; Kleven, "Bunching", Annual Review of Economics 8, 2016), a log-quadratic Poisson density is fitted to the bins around
//! the edge but for a window on each side of it, and says what ratio of counts inside : outside to expect in the windows. The expected ratio is
//! corrected by observed / expected of all other reps together: scores of a scorecard with few items lie on a grid, and a heap that everybody has is
//! the grid's. Given the calls in both windows, those inside are binomial; tested is whether they are more than expected (score test, one-sided,
//! with continuity correction and the uncertainty of the expected ratio), false-discovery rate of 5 % over all reps tested together.
//!
//! It sees calls moved from just outside to just inside. It does not see gaming that everybody does (the honesty panel compares periods for
//! that), nor gaming far from the edge, nor by choosing easy calls, nor below about 20 calls around the edge. It cannot tell a cheat from a rep who
//! honestly works until the pass mark is reached: it is a reason to listen to those calls, never a verdict.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FALSE_DISCOVERY_RATE, rounded};
use crate::statistics::{benjamini_hochberg, normal_cdf};

/// Calls in both windows without which nothing is tested.
const MIN_IN_WINDOWS: u64 = 10;
/// Bins with calls outside the windows that a density with three parameters needs at least.
const MIN_BINS: usize = 5;

/// Bins of equal width → calls: of whole points of scores, [`super::sums::RepSums::metric_histograms`].
pub type Histogram = BTreeMap<i64, u64>;

/// An edge between bins, in bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The first bin at or above the edge.
    pub bin: i64,
    /// Whether values at and above the edge are the ones that pay, or those below it.
    pub pays_above: bool,
    /// Width of the window on each side. Engineering guess: 3 points of a score.
    pub window: i64,
    /// How far the density is looked at on each side. Engineering guess: 12 points of a score.
    pub reach: i64,
}

impl Edge {
    /// The pass line of a score, in histogram bins of one point.
    pub fn of_score(millipoints: i64) -> Edge {
        Edge { bin: millipoints.div_euclid(1000), pays_above: true, window: 3, reach: 12 }
    }
}

/// One rep at one edge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heap {
    pub rep_id: String,
    /// Calls in the window on the side that pays, and on the other.
    pub inside: u64,
    pub outside: u64,
    /// How many of both an honest density would have inside, in thousandths of a call.
    pub expected_inside_milli: i64,
    /// Observed ratio / expected ratio, per mille: 1000 is honest.
    pub excess_permille: i64,
    /// One-sided p, and adjusted for all reps that were tested (Benjamini–Hochberg), per million.
    pub p_ppm: i64,
    pub adjusted_p_ppm: i64,
    pub flagged: bool,
}

/// Tests all reps at an edge together; those with too few calls around it are left out.
pub fn threshold_heaps(reps: &BTreeMap<&str, &Histogram>, edge: Edge) -> Vec<Heap> {
    judge(tested(reps, edge))
}

/// Each rep with enough calls around the edge, with its one-sided p; nothing is judged yet.
pub(super) fn tested(reps: &BTreeMap<&str, &Histogram>, edge: Edge) -> Vec<(Heap, f64)> {
    let mut all = Histogram::new();
    for histogram in reps.values() {
        histogram.iter().for_each(|(bin, n)| *all.entry(*bin).or_default() += n);
    }
    let mut found: Vec<(Heap, f64)> = Vec::new();
    for (rep, histogram) in reps {
        let mut others = all.clone();
        for (bin, n) in histogram.iter() {
            others.entry(*bin).and_modify(|all| *all -= n);
        }
        let Some(own) = Contrast::of(histogram, edge).filter(|own| own.inside + own.outside >= MIN_IN_WINDOWS) else {
            continue;
        };
        // Nobody to compare with: the smooth density alone is the reference.
        let grid = Contrast::of(&others, edge);
        let (level, level_variance) = grid.map_or((0.0, 0.0), |grid| (grid.log_excess, grid.variance()));
        let (n, odds) = ((own.inside + own.outside) as f64, libm::exp(own.log_expected + level));
        let expected = n * odds / (1.0 + odds);
        let spread = expected / (1.0 + odds);
        let variance = spread + spread * spread * (own.expected_variance + level_variance);
        let p = normal_cdf(-(own.inside as f64 - 0.5 - expected) / variance.sqrt());
        let heap = Heap {
            rep_id: rep.to_string(),
            inside: own.inside,
            outside: own.outside,
            expected_inside_milli: rounded(1000.0 * expected),
            excess_permille: rounded(1000.0 * libm::exp(own.log_excess - level)),
            p_ppm: rounded(1e6 * p),
            adjusted_p_ppm: 0,
            flagged: false,
        };
        found.push((heap, p));
    }
    found
}

/// Adjusts the p of all that was tested, at one edge or at several, for their number; in the same order.
pub(super) fn judge(found: Vec<(Heap, f64)>) -> Vec<Heap> {
    let adjusted = benjamini_hochberg(&found.iter().map(|(_, p)| *p).collect::<Vec<f64>>());
    let judge = |((heap, _), p): ((Heap, f64), f64)| Heap {
        adjusted_p_ppm: rounded(1e6 * p),
        flagged: p <= FALSE_DISCOVERY_RATE,
        ..heap
    };
    found.into_iter().zip(adjusted).map(judge).collect()
}

/// Log ratio of counts inside : outside, against that of the smooth density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrast {
    pub inside: u64,
    pub outside: u64,
    /// ln of the expected ratio.
    pub log_expected: f64,
    /// ln((inside + ½) / (outside + ½)) − `log_expected`.
    pub log_excess: f64,
    /// Variance of `log_expected` (delta method).
    pub expected_variance: f64,
}

impl Contrast {
    /// `None` when the bins around the windows do not carry a density.
    pub fn of(histogram: &Histogram, edge: Edge) -> Option<Contrast> {
        let count = |position: i64| histogram.get(&(edge.bin + position)).copied().unwrap_or(0);
        let around: Vec<(f64, f64)> = (-edge.reach..edge.reach)
            .filter(|position| *position < -edge.window || *position >= edge.window)
            .map(|position| (middle(position, edge.reach), count(position) as f64))
            .collect();
        if around.iter().filter(|(_, n)| *n > 0.0).count() < MIN_BINS {
            return None;
        }
        let density = Density::fit(&around)?;
        let (above, above_gradient) = density.log_sum(0..edge.window, edge.reach);
        let (below, below_gradient) = density.log_sum(-edge.window..0, edge.reach);
        let sign = if edge.pays_above { 1.0 } else { -1.0 };
        let gradient: [f64; 3] = std::array::from_fn(|i| above_gradient[i] - below_gradient[i]);
        let up: u64 = (0..edge.window).map(count).sum();
        let down: u64 = (-edge.window..0).map(count).sum();
        let (inside, outside) = if edge.pays_above { (up, down) } else { (down, up) };
        let log_expected = sign * (above - below);
        let smoothed = |n: u64| n as f64 + 0.5;
        Some(Contrast {
            inside,
            outside,
            log_expected,
            log_excess: libm::log(smoothed(inside) / smoothed(outside)) - log_expected,
            expected_variance: density.variance_of(gradient),
        })
    }

    /// Variance of `log_excess`: 1/(inside + ½) + 1/(outside + ½) + that of `log_expected`.
    pub fn variance(&self) -> f64 {
        1.0 / (self.inside as f64 + 0.5) + 1.0 / (self.outside as f64 + 0.5) + self.expected_variance
    }
}

/// Middle of a bin, −1…1 over the reach.
fn middle(position: i64, reach: i64) -> f64 {
    (position as f64 + 0.5) / reach as f64
}

/// ln λ(x) = β₀ + β₁x + β₂x², by maximum likelihood (Poisson regression, Newton's method).
struct Density {
    beta: [f64; 3],
    /// Inverse of the Fisher information.
    covariance: [[f64; 3]; 3],
}

impl Density {
    fn fit(bins: &[(f64, f64)]) -> Option<Density> {
        let mean = bins.iter().map(|(_, n)| n).sum::<f64>() / bins.len() as f64;
        let mut beta = [libm::log(mean), 0.0, 0.0];
        for _ in 0..100 {
            let (mut score, mut information) = ([0.0; 3], [[0.0; 3]; 3]);
            for (x, n) in bins {
                let powers = [1.0, *x, x * x];
                let expected = libm::exp(dot(beta, powers));
                for i in 0..3 {
                    score[i] += (n - expected) * powers[i];
                    (0..3).for_each(|j| information[i][j] += expected * powers[i] * powers[j]);
                }
            }
            let covariance = inverse(information)?;
            let step: [f64; 3] = std::array::from_fn(|i| dot(covariance[i], score));
            let length = step.iter().fold(0.0_f64, |longest, s| longest.max(s.abs()));
            // A long step overshoots where the exponential is steep.
            let shorten = (2.0 / length).min(1.0);
            (0..3).for_each(|i| beta[i] += shorten * step[i]);
            if length < 1e-10 {
                return Some(Density { beta, covariance });
            }
        }
        None
    }

    /// ln of Σ λ over bins, and its gradient by β.
    fn log_sum(&self, positions: std::ops::Range<i64>, reach: i64) -> (f64, [f64; 3]) {
        let (mut sum, mut gradient) = (0.0, [0.0; 3]);
        for position in positions {
            let x = middle(position, reach);
            let powers = [1.0, x, x * x];
            let expected = libm::exp(dot(self.beta, powers));
            sum += expected;
            (0..3).for_each(|i| gradient[i] += expected * powers[i]);
        }
        (libm::log(sum), gradient.map(|g| g / sum))
    }

    fn variance_of(&self, gradient: [f64; 3]) -> f64 {
        (0..3).map(|i| gradient[i] * dot(self.covariance[i], gradient)).sum()
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// By cofactors; `None` for a matrix without one.
fn inverse(m: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let cofactor = |i: usize, j: usize| {
        let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    let usable = determinant.is_finite() && determinant.abs() > 1e-12;
    usable.then(|| std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant)))
}
