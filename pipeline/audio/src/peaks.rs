//! Samples → a small picture of their waveform: lowest and highest value per bucket.

/// The range of one bucket, −127…127 for full scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    pub min: i8,
    pub max: i8,
}

/// The samples in `buckets` parts of like length; fewer where there are fewer samples.
pub fn peaks(samples: &[f32], buckets: usize) -> Vec<Peak> {
    let count = buckets.min(samples.len());
    let level = |v: f32| (v.clamp(-1.0, 1.0) * 127.0).round() as i8;
    let edge = |n: usize| n * samples.len() / count;
    (0..count)
        .map(|n| {
            let part = &samples[edge(n)..edge(n + 1)];
            let range = part.iter().fold((f32::MAX, f32::MIN), |(min, max), v| (min.min(*v), max.max(*v)));
            Peak { min: level(range.0), max: level(range.1) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_the_extremes() {
        let found = peaks(&[0.0, 0.5, -0.25, 1.5, -2.0, 0.0], 3);
        assert_eq!(found, [Peak { min: 0, max: 64 }, Peak { min: -32, max: 127 }, Peak { min: -127, max: 0 }]);
        assert_eq!(peaks(&[0.1, 0.2], 100).len(), 2);
        assert!(peaks(&[], 10).is_empty());
        assert!(peaks(&[0.1], 0).is_empty());
        assert_eq!(peaks(&vec![0.1; 160_001], 160).len(), 160);
    }
}
