//! How well a classifier of several classes does: confusion, per class, macro-F1 with a bootstrap interval, calibration, and what it
//! gains by saying "uncertain".

use serde::Serialize;

use crate::calibration::{Calibration, calibration};
use crate::statistics::{Interval, SplitMix64, quantile};

/// Resamples of a bootstrap interval, and the seed of all of them.
const RESAMPLES: usize = 2_000;
const SEED: u64 = 20_251_129;
/// Least probabilities of the winner at which the uncertain band is shown, per mille.
const BANDS: [u16; 7] = [0, 400, 500, 600, 700, 800, 900];

/// One labelled text and what was said of it; classes by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    pub truth: usize,
    pub said: usize,
    /// Probability of `said`, per mille.
    pub probability_permille: u16,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassResult {
    pub class: String,
    /// Texts that are of it, that were said to be.
    pub n: u64,
    pub said: u64,
    /// `None` when nothing was said to be of it (precision), or nothing is (recall).
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    /// Harmonic mean; 0 for a class that is there and never found.
    pub f1: Option<f64>,
}

/// What is left of the texts when the classifier abstains below a probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    pub from_permille: u16,
    /// Share of the texts that get an answer.
    pub coverage: f64,
    /// Share of right answers among them; `None` without any.
    pub accuracy: Option<f64>,
}

/// Everything about one set of texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassifierResult {
    pub n: u64,
    pub accuracy: f64,
    /// 95 %, percentile bootstrap over the texts.
    pub accuracy_interval: Option<Interval>,
    /// Mean F1 of the classes that are there (scikit-learn's `f1_score(average="macro")` over the labels of the truth).
    pub macro_f1: f64,
    pub macro_f1_interval: Option<Interval>,
    /// Always saying the most frequent class: the simplest baseline.
    pub majority_macro_f1: f64,
    pub classes: Vec<ClassResult>,
    /// Rows: truth; columns: said.
    pub confusion: Vec<Vec<u64>>,
    pub calibration: Calibration,
    pub bands: Vec<Band>,
}

/// `None` without texts. Class numbers beyond `classes` are passed over.
pub fn classifier_result(classes: &[&str], judged: &[Judged]) -> Option<ClassifierResult> {
    let judged: Vec<Judged> =
        judged.iter().copied().filter(|j| j.truth < classes.len() && j.said < classes.len()).collect();
    let n = judged.len();
    if n == 0 {
        return None;
    }
    let confusion = confusion(classes.len(), judged.iter());
    let (mut accuracies, mut macros) = (Vec::with_capacity(RESAMPLES), Vec::with_capacity(RESAMPLES));
    let mut random = SplitMix64::new(SEED);
    for _ in 0..RESAMPLES {
        let drawn = self::confusion(classes.len(), (0..n).map(|_| &judged[random.below(n)]));
        accuracies.push(accuracy(&drawn));
        macros.push(macro_f1(&drawn));
    }
    let frequent =
        (0..classes.len()).max_by_key(|class| (confusion[*class].iter().sum::<u64>(), std::cmp::Reverse(*class)));
    let majority: Vec<Judged> = judged.iter().map(|j| Judged { said: frequent.unwrap_or(0), ..*j }).collect();
    let of_class = |(class, name): (usize, &&str)| {
        let (n, said, found) = counts(&confusion, class);
        ClassResult {
            class: (*name).to_string(),
            n,
            said,
            precision: (said > 0).then(|| found as f64 / said as f64),
            recall: (n > 0).then(|| found as f64 / n as f64),
            f1: f1(&confusion, class),
        }
    };
    let band = |from: u16| {
        let answered: Vec<&Judged> = judged.iter().filter(|j| j.probability_permille >= from).collect();
        let right = answered.iter().filter(|j| j.truth == j.said).count();
        Band {
            from_permille: from,
            coverage: answered.len() as f64 / n as f64,
            accuracy: (!answered.is_empty()).then(|| right as f64 / answered.len() as f64),
        }
    };
    let confidences: Vec<(u16, bool)> = judged.iter().map(|j| (j.probability_permille, j.truth == j.said)).collect();
    Some(ClassifierResult {
        n: n as u64,
        accuracy: accuracy(&confusion),
        accuracy_interval: interval(accuracies),
        macro_f1: macro_f1(&confusion),
        macro_f1_interval: interval(macros),
        majority_macro_f1: macro_f1(&self::confusion(classes.len(), majority.iter())),
        classes: classes.iter().enumerate().map(of_class).collect(),
        calibration: calibration(&confidences),
        bands: BANDS.into_iter().map(band).collect(),
        confusion,
    })
}

fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    Some(Interval { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
}

fn confusion<'a>(classes: usize, judged: impl Iterator<Item = &'a Judged>) -> Vec<Vec<u64>> {
    let mut confusion = vec![vec![0; classes]; classes];
    for j in judged {
        confusion[j.truth][j.said] += 1;
    }
    confusion
}

fn accuracy(confusion: &[Vec<u64>]) -> f64 {
    let right: u64 = (0..confusion.len()).map(|class| confusion[class][class]).sum();
    right as f64 / confusion.iter().flatten().sum::<u64>().max(1) as f64
}

/// Texts of a class, texts said to be of it, texts that are both.
fn counts(confusion: &[Vec<u64>], class: usize) -> (u64, u64, u64) {
    let said = confusion.iter().map(|row| row[class]).sum();
    (confusion[class].iter().sum(), said, confusion[class][class])
}

/// `None` for a class that is neither there nor said.
fn f1(confusion: &[Vec<u64>], class: usize) -> Option<f64> {
    let (n, said, found) = counts(confusion, class);
    (n + said > 0).then(|| 2.0 * found as f64 / (n + said) as f64)
}

fn macro_f1(confusion: &[Vec<u64>]) -> f64 {
    let there: Vec<f64> = (0..confusion.len())
        .filter(|class| confusion[*class].iter().sum::<u64>() > 0)
        .filter_map(|class| f1(confusion, class))
        .collect();
    there.iter().sum::<f64>() / there.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(usize, usize, u16)]) -> Vec<Judged> {
        pairs.iter().map(|&(truth, said, probability_permille)| Judged { truth, said, probability_permille }).collect()
    }

    /// By hand: class 0: found 2 of 3, said 2; class 1: found 1 of 1, said 3; class 2: found 0 of 1, said 0.
    #[test]
    fn figures_by_hand() {
        let texts = judged(&[(0, 0, 900), (0, 0, 800), (0, 1, 400), (1, 1, 700), (2, 1, 600)]);
        let result = classifier_result(&["a", "b", "c"], &texts).unwrap();
        assert_eq!((result.n, result.accuracy), (5, 0.6));
        let f1: Vec<f64> = result.classes.iter().map(|class| class.f1.unwrap()).collect();
        assert_eq!(f1, [0.8, 0.5, 0.0]);
        assert!((result.macro_f1 - 1.3 / 3.0).abs() < 1e-12);
        assert_eq!(result.confusion, [[2, 1, 0], [0, 1, 0], [0, 1, 0]]);
        assert_eq!((result.classes[2].precision, result.classes[2].recall), (None, Some(0.0)));
        // Always "a": F1 of a is 2·3/(3 + 5).
        assert!((result.majority_macro_f1 - 0.75 / 3.0).abs() < 1e-12);
        let band = result.bands.iter().find(|band| band.from_permille == 700).unwrap();
        assert_eq!((band.coverage, band.accuracy), (0.6, Some(1.0)));
        let interval = result.macro_f1_interval.unwrap();
        assert!(interval.low < result.macro_f1 && result.macro_f1 < interval.high);
        assert_eq!(classifier_result(&["a"], &[]), None);
    }

    /// A class that is in no text does not count in the mean, also when it is said.
    #[test]
    fn absent_classes_do_not_count() {
        let result = classifier_result(&["a", "b"], &judged(&[(0, 0, 900), (0, 1, 500)])).unwrap();
        assert!((result.macro_f1 - 2.0 / 3.0).abs() < 1e-12);
    }
}
