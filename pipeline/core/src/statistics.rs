//! Statistics behind tables and reviews: intervals, shrinkage, false discovery, resampling.
//!
//! f64 lives only here and in callers that round at once; transcendental functions come from libm, so that results are
//! equal on every machine. `tests/oracles/statistics_oracle.py` computes the same with numpy and scipy.

use serde::{Deserialize, Serialize};

/// 97.5 % point of the normal distribution: 95 % two-sided.
pub const Z95: f64 = 1.959_963_984_540_054;

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927). `None` for `n` = 0.
pub fn wilson(successes: u64, n: u64, z: f64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    let (n, p) = (n as f64, successes as f64 / n as f64);
    let denominator = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / denominator;
    let half = z / denominator * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // Rounding must not push the ends past what the formula gives exactly at 0 and n.
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { low, high })
}

/// Φ(x), by the complementary error function.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Φ⁻¹(p) for 0 < p < 1, else ±∞ or NaN: bisection to a bracket, then Newton on [`normal_cdf`] (relative error below 1e-12).
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // Work in the lower tail, where the cdf keeps its relative precision.
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let (mut low, mut high) = (-40.0_f64, 0.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut x = 0.5 * (low + high);
    let density = libm::exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt();
    if density > 0.0 {
        x -= (normal_cdf(x) - p) / density;
    }
    x
}

/// Count, sum and sum of squares of whole numbers: all that tables need, and exact under merging. Stored as [n, Σx, Σx²].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, i128, i128)", into = "(u64, i128, i128)")]
pub struct Moments {
    pub n: u64,
    pub sum: i128,
    pub sum_of_squares: i128,
}

impl Moments {
    pub fn add(&mut self, x: i64) {
        self.n += 1;
        self.sum += i128::from(x);
        self.sum_of_squares += i128::from(x) * i128::from(x);
    }

    pub fn merge(&mut self, other: &Moments) {
        self.n += other.n;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
    }

    /// `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum as f64 / self.n as f64)
    }

    /// Σ(x − x̄)², from the exact integer n·Σx² − (Σx)² (no cancellation).
    pub fn squared_deviations(&self) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        (self.sum_of_squares * i128::from(self.n) - self.sum * self.sum) as f64 / self.n as f64
    }

    /// Unbiased variance; `None` for fewer than two values.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squared_deviations() / (self.n - 1) as f64)
    }
}

impl From<(u64, i128, i128)> for Moments {
    fn from((n, sum, sum_of_squares): (u64, i128, i128)) -> Moments {
        Moments { n, sum, sum_of_squares }
    }
}

impl From<Moments> for (u64, i128, i128) {
    fn from(moments: Moments) -> (u64, i128, i128) {
        (moments.n, moments.sum, moments.sum_of_squares)
    }
}

impl FromIterator<i64> for Moments {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Moments {
        let mut moments = Moments::default();
        values.into_iter().for_each(|x| moments.add(x));
        moments
    }
}

/// 95 % interval of a mean by Student's t: a handful of values must not look sure. `None` for fewer than two values.
pub fn mean_interval(moments: &Moments) -> Option<Interval> {
    let mean = moments.mean()?;
    let half = t95(moments.n) * (moments.variance()? / moments.n as f64).sqrt();
    Some(Interval { low: mean - half, high: mean + half })
}

/// 97.5 % point of Student's t for the mean of `n` ≥ 2 values: a handful of calls must not look sure. Cornish–Fisher
/// expansion (Abramowitz, Stegun 26.7.5), exact values where it is not good enough.
fn t95(n: u64) -> f64 {
    match n {
        ..=2 => 12.706,
        3 => 4.303,
        _ => {
            let (z, freedom) = (Z95, (n - 1) as f64);
            let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
            z + (z3 + z) / (4.0 * freedom)
                + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom.powi(2))
                + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * freedom.powi(3))
        }
    }
}

/// The difference of two means of groups whose variances need not be equal (B. L. Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Second mean less first.
    pub difference: f64,
    pub standard_error: f64,
    /// Degrees of freedom (Satterthwaite, Biometrics Bulletin 2, 1946).
    pub freedom: f64,
}

impl Welch {
    /// `None` for fewer than two values in a group, and when no value differs from the mean of its group: nothing then says how sure the difference is.
    pub fn of(first: &Moments, second: &Moments) -> Option<Welch> {
        let square = |group: &Moments| Some(group.variance()? / group.n as f64);
        let (a, b) = (square(first)?, square(second)?);
        if a + b <= 0.0 {
            return None;
        }
        let freedom = (a + b).powi(2) / (a * a / (first.n - 1) as f64 + b * b / (second.n - 1) as f64);
        Some(Welch { difference: second.mean()? - first.mean()?, standard_error: (a + b).sqrt(), freedom })
    }

    /// Two-sided p of no difference.
    pub fn p(&self) -> f64 {
        2.0 * student_upper_tail((self.difference / self.standard_error).abs(), self.freedom)
    }

    /// Two-sided interval that misses the true difference with probability `miss`, 0 < `miss` < 1.
    pub fn interval(&self, miss: f64) -> Interval {
        let half = self.standard_error * student_upper_point(miss / 2.0, self.freedom);
        Interval { low: self.difference - half, high: self.difference + half }
    }
}

/// P(T > t) of Student's t for t ≥ 0 and any degrees of freedom > 0: ½·I_x(ν/2, ½) with x = ν/(ν + t²) (Abramowitz, Stegun 26.7.1).
pub fn student_upper_tail(t: f64, freedom: f64) -> f64 {
    0.5 * incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The t with P(T > t) = `tail`, 0 < `tail` ≤ ½, by bisection.
fn student_upper_point(tail: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while student_upper_tail(high, freedom) > tail && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if student_upper_tail(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1 by its continued fraction (DLMF 8.17.22), evaluated by Lentz's method as modified by
/// Thompson and Barnett (J. Comput. Phys. 64, 1986); for x beyond the mean by I_x(a, b) = 1 − I_(1−x)(b, a).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front =
        libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x));
    let away_from_0 = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_0(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut last = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_0(1.0 + coefficient * d);
            c = away_from_0(1.0 + coefficient / c);
            last = c * d;
            fraction *= last;
        }
        if (last - 1.0_f64).abs() < 1e-15 {
            break;
        }
    }
    front * fraction / a
}

/// Data of one group for [`empirical_bayes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    pub n: u64,
    pub mean: f64,
    /// Σ(x − x̄)² inside the group.
    pub squared_deviations: f64,
}

impl Group {
    /// `None` without values.
    pub fn of(moments: &Moments) -> Option<Group> {
        let mean = moments.mean()?;
        Some(Group { n: moments.n, mean, squared_deviations: moments.squared_deviations() })
    }
}

/// What empirical Bayes says about one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// B·mean + (1 − B)·μ.
    pub mean: f64,
    pub sd: f64,
    /// 95 %.
    pub interval: Interval,
    /// B = s_b² / (s_b² + s_w²/n): 0 says nothing of its own, 1 needs no help from the team.
    pub reliability: f64,
}

/// All groups together.
#[derive(Clone, Debug, PartialEq)]
pub struct EmpiricalBayes {
    /// μ̂, the mean of the groups weighted by precision.
    pub mean: f64,
    pub within_variance: f64,
    /// Estimated by moments, not below 0.
    pub between_variance: f64,
    /// In the order of the groups.
    pub groups: Vec<Posterior>,
}

/// Shrinks group means towards their common mean: [`empirical_bayes_pools`] for one pool of at least four groups.
pub fn empirical_bayes(groups: &[Group]) -> Option<EmpiricalBayes> {
    let pool: Vec<(Group, f64)> = groups.iter().map(|g| (*g, g.n as f64)).collect();
    if groups.len() < 4 { None } else { empirical_bayes_pools(&[pool])?.pop() }
}

/// Shrinks group means towards the mean of their pool (a team). A pool is a list of (group, effective n): Var x̄ = s_w² / effective n, where n itself is
/// the effective n unless the mean was adjusted.
///
/// Model: x_ij ~ N(θ_i, s_w²), θ_i ~ N(μ_pool, s_b²) with s_w² and s_b² common to all pools: ten reps alone say too little about how much reps differ.
/// s_w² is pooled; s_b² comes from the one-way random-effects ANOVA with unequal n (Searle, Casella, McCulloch, Variance Components, 1992, §3.6):
/// (Σ Σ n(x̄ − x̄_pool)² − (k − r)·s_w²) / Σ(Σn − Σn²/Σn), at least 0, for k groups in r pools.
///
/// The interval is θ ± 1.96·√E[s_b²(1 − B) + (1 − B)²·Var(μ̂) + (θ(s_b²) − θ)²], the mean taken over what s_b² may be, given the group means, by a flat prior on
/// s_b². This is what C. N. Morris ("Parametric empirical Bayes inference", JASA 78, 1983) approximates by a factor; his factor fails where s_b² is
/// estimated as 0 (92.8 % cover at ten calls), so it is integrated (Morris, Lysy, "Shrinkage estimation in multilevel normal models", Statistical Science 27, 2012).
///
/// `None` when the variances cannot be estimated: k − r < 3, an empty group or pool, no group with two values, or no value that differs from
/// its group's mean (a handful of equal calls is no proof that all are equal).
pub fn empirical_bayes_pools(pools: &[Vec<(Group, f64)>]) -> Option<Vec<EmpiricalBayes>> {
    let (within, between) = variance_components(pools)?;
    if within <= 0.0 {
        return None;
    }
    let precision = |n: f64| 1.0 / (between + within / n);
    let possible = possible_variances(pools, within, between);
    let fit = |pool: &Vec<(Group, f64)>| {
        let mean = weighted_mean(pool, within, between).0;
        // μ̂ and its variance for each possible s_b².
        let levels: Vec<(f64, f64)> = possible.iter().map(|(a, _)| weighted_mean(pool, within, *a)).collect();
        let posterior = |(g, n): &(Group, f64)| {
            let v = within / n;
            let reliability = between * precision(*n);
            let centre = reliability * g.mean + (1.0 - reliability) * mean;
            let spread = |((a, weight), (level, level_variance)): (&(f64, f64), &(f64, f64))| {
                let b = a / (a + v);
                let off = b * g.mean + (1.0 - b) * level - centre;
                weight * (v * b + (1.0 - b) * (1.0 - b) * level_variance + off * off)
            };
            let sd = possible.iter().zip(&levels).map(spread).sum::<f64>().sqrt();
            let interval = Interval { low: centre - Z95 * sd, high: centre + Z95 * sd };
            Posterior { mean: centre, sd, interval, reliability }
        };
        EmpiricalBayes {
            mean,
            within_variance: within,
            between_variance: between,
            groups: pool.iter().map(posterior).collect(),
        }
    };
    Some(pools.iter().map(fit).collect())
}

/// (s_w², s_b²) of [`empirical_bayes_pools`], or `None` as there.
pub fn variance_components(pools: &[Vec<(Group, f64)>]) -> Option<(f64, f64)> {
    let all = || pools.iter().flatten();
    let k = all().count() as f64;
    let values: f64 = all().map(|(g, _)| g.n as f64).sum();
    let freedom = k - pools.len() as f64;
    let usable = all().all(|(g, n)| g.n > 0 && *n > 0.0) && pools.iter().all(|pool| !pool.is_empty());
    if freedom < 3.0 || !usable || values <= k {
        return None;
    }
    let within = all().map(|(g, _)| g.squared_deviations).sum::<f64>() / (values - k);
    let (mut between_squares, mut n0) = (0.0, 0.0);
    for pool in pools {
        let total: f64 = pool.iter().map(|(_, n)| n).sum();
        let centre = pool.iter().map(|(g, n)| n * g.mean).sum::<f64>() / total;
        between_squares += pool.iter().map(|(g, n)| n * (g.mean - centre) * (g.mean - centre)).sum::<f64>();
        n0 += total - pool.iter().map(|(_, n)| n * n).sum::<f64>() / total;
    }
    let between = ((between_squares / freedom - within) / (n0 / freedom)).max(0.0);
    Some((within, between))
}

/// The mean of a pool weighted by precision for a given s_b², and its variance.
pub fn weighted_mean(pool: &[(Group, f64)], within: f64, between: f64) -> (f64, f64) {
    let (mut sum, mut precisions) = (0.0, 0.0);
    for (g, n) in pool {
        let precision = 1.0 / (between + within / n);
        sum += precision * g.mean;
        precisions += precision;
    }
    (sum / precisions, 1.0 / precisions)
}

/// Values of s_b² with their posterior weights (Σ = 1), flat prior on s_b², s_w² known: the likelihood of the group means with μ of each pool integrated
/// out, Π_pools (Σw)^−½ · Π √w · exp(−½ Σ w(x̄ − μ̂)²) with w = 1/(s_b² + s_w²/n).
///
/// Quadrature: s_b² = c·((1 − s)⁻² − 1) for s in 0…1, c about the size of a mean's variance, by Gauss and Legendre's five points on [`PANELS`] panels. The integrand
/// stays bounded for k − r ≥ 3.
fn possible_variances(pools: &[Vec<(Group, f64)>], within: f64, between: f64) -> Vec<(f64, f64)> {
    let all = || pools.iter().flatten();
    let scale = between + all().map(|(_, n)| within / n).sum::<f64>() / all().count() as f64;
    let log_likelihood = |a: f64| {
        let of_pool = |pool: &Vec<(Group, f64)>| {
            let (mean, variance) = weighted_mean(pool, within, a);
            let of_group = |(g, n): &(Group, f64)| {
                let spread = a + within / n;
                libm::log(spread) + (g.mean - mean) * (g.mean - mean) / spread
            };
            0.5 * (libm::log(variance) - pool.iter().map(of_group).sum::<f64>())
        };
        pools.iter().map(of_pool).sum::<f64>()
    };
    let mut found = Vec::with_capacity(5 * PANELS);
    for panel in 0..PANELS {
        for (node, weight) in GAUSS_LEGENDRE {
            let rest = 1.0 - (panel as f64 + 0.5 + 0.5 * node) / PANELS as f64;
            let a = scale * (1.0 / (rest * rest) - 1.0);
            // ds_b²/ds = 2c·(1 − s)⁻³.
            found.push((a, libm::log(weight) - 3.0 * libm::log(rest) + log_likelihood(a)));
        }
    }
    let largest = found.iter().fold(f64::NEG_INFINITY, |largest, (_, l)| largest.max(*l));
    found.iter_mut().for_each(|(_, l)| *l = libm::exp(*l - largest));
    let total: f64 = found.iter().map(|(_, weight)| weight).sum();
    found.iter_mut().for_each(|(_, weight)| *weight /= total);
    found
}

/// Panels of the quadrature: enough for 1e-6 of an interval's width.
const PANELS: usize = 32;
/// Nodes in −1…1 and weights.
const GAUSS_LEGENDRE: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// Adjusted p-values of Benjamini and Hochberg (JRSS B 57, 1995): rejecting all at most q keeps the false-discovery
/// rate at q. In the order given.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let m = p_values.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; m];
    let mut smallest = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[*index] * m as f64 / (rank + 1) as f64);
        adjusted[*index] = smallest;
    }
    adjusted
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, seeded, equal everywhere. Not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0…n−1 (0 for n = 0); the bias of at most n/2⁶⁴ does not matter here.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box, Muller 1958; the second value of each pair is not kept).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }
}

/// 95 % percentile bootstrap of a mean (Efron, Tibshirani 1993, §13.3). `None` without values or resamples.
pub fn bootstrap_mean(values: &[f64], resamples: usize, seed: u64) -> Option<Interval> {
    let mut random = SplitMix64::new(seed);
    percentile((0..resamples).map(|_| resampled_mean(values, &mut random)).collect::<Option<Vec<f64>>>()?)
}

/// 95 % percentile bootstrap of mean(after) − mean(before), resampling each side on its own.
pub fn bootstrap_difference(before: &[f64], after: &[f64], resamples: usize, seed: u64) -> Option<Interval> {
    let mut random = SplitMix64::new(seed);
    let mut difference = || Some(-resampled_mean(before, &mut random)? + resampled_mean(after, &mut random)?);
    percentile((0..resamples).map(|_| difference()).collect::<Option<Vec<f64>>>()?)
}

fn resampled_mean(values: &[f64], random: &mut SplitMix64) -> Option<f64> {
    let n = values.len();
    (n > 0).then(|| (0..n).map(|_| values[random.below(n)]).sum::<f64>() / n as f64)
}

/// 95 % percentile bootstrap of Σ numerators / Σ denominators over (numerator, denominator) pairs, for example the errors and
/// words of each recording (Bisani, Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP
/// 2004). Resamples without a denominator are left out. `None` without any denominator or resamples.
pub fn bootstrap_ratio(pairs: &[(f64, f64)], resamples: usize, seed: u64) -> Option<Interval> {
    let mut random = SplitMix64::new(seed);
    let mut ratios = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for _ in 0..pairs.len() {
            let (n, d) = pairs[random.below(pairs.len())];
            numerator += n;
            denominator += d;
        }
        if denominator > 0.0 {
            ratios.push(numerator / denominator);
        }
    }
    percentile(ratios)
}

/// The quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan's type 7, numpy's
/// default). `None` without values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (position - below as f64) * (sorted[above] - sorted[below]))
}

fn percentile(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    Some(Interval { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: qt(0.975, df).
    #[test]
    fn few_values_have_wide_intervals() {
        for (n, expected) in [(2, 12.706), (3, 4.303), (4, 3.182), (6, 2.571), (11, 2.228), (31, 2.042), (1001, 1.962)]
        {
            assert!((t95(n) - expected).abs() < 0.03, "{n}: {}", t95(n));
        }
    }
}
