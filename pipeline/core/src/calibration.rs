//! Whether a confidence means what it says: reliability in bins, expected calibration error, and how well it separates right
//! from wrong.

use serde::{Deserialize, Serialize};

/// Equal widths from 0 to 1000 per mille.
const BINS: usize = 10;

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

/// What a set of judged confidences says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub n: u64,
    pub right: u64,
    pub bins: Vec<ReliabilityBin>,
    /// Σ n_bin / n · |mean confidence − share right| (Naeini, Cooper, Hauskrecht, AAAI 2015). `None` without words.
    pub expected_calibration_error: Option<f64>,
    /// Probability that a right word has a higher confidence than a wrong one, ties counting half (Hanley, McNeil, Radiology
    /// 143, 1982). `None` unless there are both.
    pub area_under_curve: Option<f64>,
}

/// Judges confidences by whether their words were right.
pub fn calibration(judged: &[(u16, bool)]) -> Calibration {
    let bin_of = |confidence: u16| (usize::from(confidence.min(1000)) * BINS / 1000).min(BINS - 1);
    let mut sums = [(0u64, 0u64, 0u64); BINS]; // words, confidence, right
    for (confidence, right) in judged {
        let (n, confidence_sum, right_sum) = &mut sums[bin_of(*confidence)];
        *n += 1;
        *confidence_sum += u64::from(*confidence);
        *right_sum += u64::from(*right);
    }
    let share = |part: u64, n: u64| (n > 0).then(|| part as f64 / n as f64);
    let bins: Vec<ReliabilityBin> = sums
        .iter()
        .enumerate()
        .map(|(index, &(n, confidence, right))| ReliabilityBin {
            from_permille: (index * 1000 / BINS) as u16,
            n,
            mean_confidence: share(confidence, 1000 * n),
            share_right: share(right, n),
        })
        .collect();
    let n = judged.len() as u64;
    let gap = |bin: &ReliabilityBin| match (bin.mean_confidence, bin.share_right) {
        (Some(confidence), Some(right)) => bin.n as f64 / n as f64 * (confidence - right).abs(),
        _ => 0.0,
    };
    Calibration {
        n,
        right: judged.iter().filter(|(_, right)| *right).count() as u64,
        expected_calibration_error: (n > 0).then(|| bins.iter().map(gap).sum()),
        area_under_curve: area_under_curve(judged),
        bins,
    }
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
    fn ties_count_half_and_one_side_alone_has_no_curve() {
        assert_eq!(calibration(&[(500, true), (500, false)]).area_under_curve, Some(0.5));
        assert_eq!(calibration(&[(500, true)]).area_under_curve, None);
        assert_eq!(calibration(&[]).expected_calibration_error, None);
    }
}
