//! Random numbers that are the same everywhere: SplitMix64, seeded by the night's seed and a place in it.

/// A stream of random numbers. Each call has its own, so that a call does not depend on how many others there are.
pub struct Random(u64);

impl Random {
    /// The stream of one thing: `purpose` keeps calls, reps and recordings apart.
    pub fn new(seed: u64, purpose: u64, index: u64) -> Random {
        let mut random = Random(seed ^ purpose.rotate_left(32) ^ index.wrapping_mul(0xD134_2543_DE82_EF95));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 ≤ n < `bound`; 0 for an empty range.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// `low` ≤ n ≤ `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille as usize
    }

    /// One of a list; `T::default()` for an empty one.
    pub fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        list.get(self.below(list.len())).copied().unwrap_or_default()
    }

    /// An index by weight.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().map(|w| *w as usize).sum());
        weights.iter().position(|w| left.checked_sub(*w as usize).map(|rest| left = rest).is_none()).unwrap_or(0)
    }

    /// Nearly normal with mean 0 and deviation 1000: a sum of twelve, without functions that differ between machines.
    pub fn normal_milli(&mut self) -> i64 {
        (0..12).map(|_| self.below(1000) as i64).sum::<i64>() - 5_994
    }

    /// Nearly log-normal around `median` with a deviation of 0.5 in the logarithm: a product of twelve.
    pub fn log_normal(&mut self, median: f64) -> f64 {
        (0..12).fold(median, |value, _| value * (0.76 + 0.51 * self.below(1 << 20) as f64 / f64::from(1 << 20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions() {
        let mut random = Random::new(1, 2, 3);
        let mut lengths: Vec<f64> = (0..10_001).map(|_| random.log_normal(240.0)).collect();
        lengths.sort_by(f64::total_cmp);
        assert!((220.0..270.0).contains(&lengths[5_000]), "{}", lengths[5_000]);
        assert!(lengths[9_500] > 480.0 && lengths[500] < 130.0, "a wide tail on both sides");
        let normal: Vec<i64> = (0..10_000).map(|_| random.normal_milli()).collect();
        let inside = normal.iter().filter(|n| n.abs() < 1000).count();
        assert!((6_500..7_100).contains(&inside), "{inside}");
        let mut counts = [0; 3];
        (0..9_000).for_each(|_| counts[random.weighted(&[1, 0, 2])] += 1);
        assert!(counts[1] == 0 && (2_800..3_200).contains(&counts[0]), "{counts:?}");
        assert_ne!(Random::new(1, 2, 3).next(), Random::new(1, 3, 2).next());
    }
}
