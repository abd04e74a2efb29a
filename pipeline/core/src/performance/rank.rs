//! The rank of a rep as an interval.

use crate::statistics::{Posterior, SplitMix64};

/// Draws behind a rank interval, and their seed: fixed, so that tables are equal on every machine.
const RANK_DRAWS: usize = 4_000;
const RANK_SEED: u64 = 0x0C0F_FEE5;

/// 95 % interval of each rank (1 = the highest mean), by drawing all means from their posteriors together and ranking every
/// draw (Goldstein, Spiegelhalter, "League tables and their limitations", JRSS A 159, 1996).
///
/// Of the intervals that remain when the less probable end is dropped again and again, it is the one whose probability is nearest to 95 %: ranks are
/// few and discrete, so that cutting off at most 2.5 % on each side would cover 99 % and hide differences that are there.
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
    times.iter().map(|counts| nearest_interval(counts)).collect()
}

/// First and last rank of the interval with a probability nearest to 95 %; of two equally near ones the wider.
fn nearest_interval(times: &[usize]) -> (u32, u32) {
    let wanted = RANK_DRAWS * 19 / 20;
    let (mut low, mut high, mut inside) = (0, times.len() - 1, RANK_DRAWS);
    while low < high {
        let end = times[low].min(times[high]);
        // Ranks that never came up go in any case.
        if end > 0 && (inside - end).abs_diff(wanted) >= inside.abs_diff(wanted) {
            break;
        }
        inside -= end;
        if times[low] < times[high] {
            low += 1;
        } else {
            high -= 1;
        }
    }
    (low as u32 + 1, high as u32 + 1)
}
