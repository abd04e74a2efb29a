//! Whether a confidence means what it says: reliability in bins, expected calibration error, and how well it separates right
//! from wrong.

use serde::{Deserialize, Serialize};

use crate::statistics::SplitMix64;

/// Equal widths from 0 to 1000 per mille.
const BINS: usize = 10;
/// Draws of [`ErrorByChance`].
const DRAWS: usize = 500;
const SEED: u64 = 5;

/// Words whose confidence lies in one stretch of the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// From this confidence on, up to the next bin (the last one includes 1000).
    pub from_permille: u16,
    pub n: u64,
    /// `None` without words.
    pub mean_confidence: Option<f64>,
    /// `None` without words.
    pub share_right: Option<f64>,
}

/// The expected calibration error that these confidences would show if each meant what it says: few words leave gaps by chance alone.
/// From draws of right and wrong by the confidences (consistency resampling: Bröcker, Smith, Weather and Forecasting 22, 2007), each by itself:
/// words of one recording, which depend on each other, leave more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorByChance {
    pub mean: f64,
    /// 95 of 100 draws stay at or below it.
    pub most: f64,
}

/// What a set of judged confidences says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub n: u64,
    pub right: u64,
    pub bins: Vec<ReliabilityBin>,
    /// Σ n_bin / n · |mean confidence − share right| (Naeini, Cooper, Hauskrecht, AAAI 2015). `None` without words.
    pub expected_calibration_error: Option<f64>,
    /// `None` without words.
    pub error_by_chance: Option<ErrorByChance>,
    /// Probability that a right word has a higher confidence than a wrong one, ties counting half (Hanley, McNeil, Radiology
    /// 143, 1982). `None` unless there are both.
    pub area_under_curve: Option<f64>,
}

/// Judges confidences by whether their words were right.
pub fn calibration(judged: &[(u16, bool)]) -> Calibration {
    let bins = bins(judged.iter().copied());
    let n = judged.len() as u64;
    Calibration {
        n,
        right: judged.iter().filter(|(_, right)| *right).count() as u64,
        expected_calibration_error: (n > 0).then(|| expected_error(&bins)),
        error_by_chance: error_by_chance(judged),
        area_under_curve: area_under_curve(judged),
        bins,
    }
}

fn bins(judged: impl Iterator<Item = (u16, bool)>) -> Vec<ReliabilityBin> {
    let bin_of = |confidence: u16| (usize::from(confidence.min(1000)) * BINS / 1000).min(BINS - 1);
    let mut sums = [(0u64, 0u64, 0u64); BINS]; // words, confidence, right
    for (confidence, right) in judged {
        let (n, confidence_sum, right_sum) = &mut sums[bin_of(confidence)];
        *n += 1;
        *confidence_sum += u64::from(confidence);
        *right_sum += u64::from(right);
    }
    let share = |part: u64, n: u64| (n > 0).then(|| part as f64 / n as f64);
    let bin = |(index, &(n, confidence, right)): (usize, &(u64, u64, u64))| ReliabilityBin {
        from_permille: (index * 1000 / BINS) as u16,
        n,
        mean_confidence: share(confidence, 1000 * n),
        share_right: share(right, n),
    };
    sums.iter().enumerate().map(bin).collect()
}

/// Of at least one word.
fn expected_error(bins: &[ReliabilityBin]) -> f64 {
    let n: u64 = bins.iter().map(|bin| bin.n).sum();
    let gap = |bin: &ReliabilityBin| match (bin.mean_confidence, bin.share_right) {
        (Some(confidence), Some(right)) => bin.n as f64 / n as f64 * (confidence - right).abs(),
        _ => 0.0,
    };
    bins.iter().map(gap).sum()
}

fn error_by_chance(judged: &[(u16, bool)]) -> Option<ErrorByChance> {
    if judged.is_empty() {
        return None;
    }
    let mut random = SplitMix64::new(SEED);
    let mut draw = || {
        let right = |(confidence, _): &(u16, bool)| (*confidence, random.below(1000) < usize::from(*confidence));
        expected_error(&bins(judged.iter().map(right)))
    };
    let mut errors: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
    errors.sort_by(f64::total_cmp);
    Some(ErrorByChance { mean: errors.iter().sum::<f64>() / DRAWS as f64, most: errors[DRAWS * 95 / 100 - 1] })
}

/// Mann and Whitney's U over the product of the counts.
fn area_under_curve(judged: &[(u16, bool)]) -> Option<f64> {
    let mut counts = std::collections::BTreeMap::<u16, (u64, u64)>::new(); // confidence → wrong, right
    for (confidence, right) in judged {
        let (wrong_count, right_count) = counts.entry(*confidence).or_default();
        *if *right { right_count } else { wrong_count } += 1;
    }
    let (mut wrong_below, mut right_total, mut doubled_u) = (0u64, 0u64, 0u64);
    for (wrong, right) in counts.into_values() {
        doubled_u += right * (2 * wrong_below + wrong);
        wrong_below += wrong;
        right_total += right;
    }
    let pairs = wrong_below * right_total;
    (pairs > 0).then(|| doubled_u as f64 / (2 * pairs) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_by_hand() {
        let found = calibration(&[(950, true), (1000, true), (900, false), (50, false), (100, true)]);
        assert_eq!((found.n, found.right, found.bins.len()), (5, 3, 10));
        let last = found.bins[9];
        assert_eq!((last.from_permille, last.n), (900, 3));
        assert!((last.mean_confidence.unwrap() - 0.95).abs() < 1e-12);
        assert!((last.share_right.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((found.bins[0].n, found.bins[1].n, found.bins[5].n), (1, 1, 0));
        assert_eq!(found.bins[5].share_right, None);
        // 3/5 · |.95 − .667| + 1/5 · |.05 − 0| + 1/5 · |.1 − 1|
        let expected = 0.6 * (0.95 - 2.0 / 3.0) + 0.2 * 0.05 + 0.2 * 0.9;
        assert!((found.expected_calibration_error.unwrap() - expected).abs() < 1e-12);
        // Pairs (right, wrong): 950 and 1000 beat both, 100 beats 50 only: 5 of 6.
        assert!((found.area_under_curve.unwrap() - 5.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn few_words_leave_an_error_by_chance_and_many_do_not() {
        // A word of confidence one half is right or wrong: always half off.
        let one = calibration(&[(500, true)]).error_by_chance.unwrap();
        assert_eq!((one.mean, one.most), (0.5, 0.5));
        // One bin of n words at one half: the mean of |share − 1/2| is √(1 / (2 π n)), and 1.96 standard deviations are 0.98 / √n.
        let of = |n: usize| calibration(&vec![(500, true); n]).error_by_chance.unwrap();
        let (hundred, many) = (of(100), of(10_000));
        assert!((hundred.mean - 0.0399).abs() < 0.004, "{hundred:?}");
        assert!((hundred.most - 0.098).abs() < 0.012, "{hundred:?}");
        assert!((many.mean - 0.00399).abs() < 0.0004, "{many:?}");
        assert_eq!(calibration(&[]).error_by_chance, None);
        // Sure and right, sure and wrong: nothing is left to chance.
        assert_eq!(calibration(&[(1000, true), (0, false)]).error_by_chance, Some(ErrorByChance::default()));
    }

    #[test]
    fn ties_count_half_and_one_side_alone_has_no_curve() {
        assert_eq!(calibration(&[(500, true), (500, false)]).area_under_curve, Some(0.5));
        assert_eq!(calibration(&[(500, true)]).area_under_curve, None);
        assert_eq!(calibration(&[]).expected_calibration_error, None);
    }
}
