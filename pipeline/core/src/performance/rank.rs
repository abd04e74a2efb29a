//! The rank of a rep as an interval.

use crate::statistics::{Posterior, SplitMix64};

/// Draws behind a rank interval, and their seed: fixed, so that tables are equal on every machine.
const RANK_DRAWS: usize = 4_000;
const RANK_SEED: u64 = 0x0C0F_FEE5;

/// 95 % interval of each rank (1 = the highest mean), by drawing all means from their posteriors together and ranking every
/// draw (Goldstein, Spiegelhalter, "League tables and their limitations", JRSS A 159, 1996).
pub fn rank_intervals(posteriors: &[Posterior]) -> Vec<(u32, u32)> {
    let mut random = SplitMix64::new(RANK_SEED);
    let n = posteriors.len();
    // times[i][r]: how often rep i came out at rank r + 1.
    let mut times = vec![vec![0usize; n]; n];
    for _ in 0..RANK_DRAWS {
        let mut drawn: Vec<(f64, usize)> =
            posteriors.iter().enumerate().map(|(i, p)| (p.mean + p.sd * random.normal(), i)).collect();
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (rank, (_, i)) in drawn.iter().enumerate() {
            times[*i][rank] += 1;
        }
    }
    let tail = RANK_DRAWS / 40; // 2.5 %
    // The first position at which more than the tail has been seen.
    fn first_beyond<'a>(mut counts: impl Iterator<Item = &'a usize>, tail: usize) -> usize {
        let mut seen = 0;
        let position = counts.position(|count| {
            seen += count;
            seen > tail
        });
        position.unwrap_or(0)
    }
    times
        .iter()
        .map(|counts| {
            let low = first_beyond(counts.iter(), tail);
            let high = n - 1 - first_beyond(counts.iter().rev(), tail);
            (low as u32 + 1, high as u32 + 1)
        })
        .collect()
}
