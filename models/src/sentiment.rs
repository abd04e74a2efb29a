//! From a classifier's logits to probabilities and whole per mille.

use callmark_core::transcript::Sentiment;

/// Softmax of the logits divided by a calibration temperature. `None` if a logit is not finite.
pub fn softmax(logits: &[f32], temperature: f64) -> Option<Vec<f64>> {
    if logits.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let highest = logits.iter().copied().fold(f32::MIN, f32::max);
    let weights: Vec<f64> = logits.iter().map(|x| (f64::from(x - highest) / temperature).exp()).collect();
    let total: f64 = weights.iter().sum();
    Some(weights.into_iter().map(|w| w / total).collect())
}

/// Both of three logits that are calibrated already.
pub fn permille(logits: [f32; 3]) -> Option<Sentiment> {
    let probabilities = softmax(&logits, 1.0)?;
    <[f64; 3]>::try_from(probabilities).ok().map(Sentiment::rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(logits: [f32; 3]) -> [u16; 3] {
        let s = permille(logits).unwrap();
        [s.negative_permille, s.neutral_permille, s.positive_permille]
    }

    #[test]
    fn equal_logits_give_the_spare_to_the_first_class() {
        assert_eq!(parts([0.0; 3]), [334, 333, 333]);
    }

    #[test]
    fn extreme_logits_stay_in_range() {
        assert_eq!(parts([-500.0, 500.0, 0.0]), [0, 1000, 0]);
        assert_eq!(permille([f32::NAN, 0.0, 0.0]), None);
        assert_eq!(permille([f32::INFINITY, 0.0, 0.0]), None);
    }

    #[test]
    fn every_result_sums_to_1000() {
        for a in -20..20 {
            for b in -20..20 {
                let [x, y, z] = parts([a as f32 * 0.37, b as f32 * 0.53, 0.11]);
                assert_eq!(x + y + z, 1000, "{a} {b}");
            }
        }
    }
}
