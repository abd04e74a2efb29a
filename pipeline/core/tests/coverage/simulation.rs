//! Simulated quarters for the coverage of intervals: 50 reps in 5 teams, true SD 3 points, 12 within (SCORING.md's example), four strata of
//! campaign and call type in which every rep works to another share.

use std::collections::BTreeMap;
use std::fmt;

use callmark_core::performance::adjustment::{Adjusted, adjust};
use callmark_core::performance::sums::{Cells, Stratum};
use callmark_core::performance::{BeforeAfter, CoachingVerdict, coaching_effect, rank_intervals};
use callmark_core::statistics::{EmpiricalBayes, Moments, SplitMix64, empirical_bayes_pools};

/// Calls per rep.
pub const CALLS: [usize; 5] = [5, 10, 20, 50, 200];
const REPS: usize = 50;
const TEAM: usize = 10;
const BETWEEN: f64 = 3_000.0;
const WITHIN: f64 = 12_000.0;
const STRATUM_EFFECTS: [f64; 4] = [-6_000.0, -1_000.0, 1_000.0, 6_000.0];

/// Shares over all reps and quarters.
pub struct Coverage {
    pub calls: usize,
    /// True means inside the 95 % interval of the shrunken mean.
    pub interval: f64,
    /// True ranks inside the 95 % rank interval.
    pub rank: f64,
    /// Mean width of the rank interval, in ranks of ten.
    pub rank_width: f64,
    /// Teams whose best plain (shrunken) mean is the best rep, and in which the best rep is among those whose rank interval holds 1.
    pub naive_best: f64,
    pub shrunken_best: f64,
    pub best_named: f64,
    /// Ranks by plain means: mean error in ranks; taken as exact they are right this often.
    pub naive_rank_error: f64,
    pub naive_rank_right: f64,
    /// Root mean square error of plain and shrunken means, points.
    pub naive_error: f64,
    pub shrunken_error: f64,
    /// Reps of a normal team below the attention line (upper end below team mean − 5), and by plain mean alone.
    pub attention: f64,
    pub naive_attention: f64,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "n {:>3}: interval {:.3}  rank {:.3} (width {:.1} of 10)  best rep: plain {:.2}, shrunken {:.2}, in rank interval {:.3}  \
             plain rank right {:.2}, off by {:.2}  error plain {:.2}, shrunken {:.2} points  attention {:.3}, by plain mean {:.3}",
            self.calls,
            self.interval,
            self.rank,
            self.rank_width,
            self.naive_best,
            self.shrunken_best,
            self.best_named,
            self.naive_rank_right,
            self.naive_rank_error,
            self.naive_error,
            self.shrunken_error,
            self.attention,
            self.naive_attention,
        )
    }
}

fn stratum(index: usize) -> Stratum {
    let name = |bit: usize, names: [&str; 2]| Some(names[bit].to_string());
    Stratum { campaign: name(index / 2, ["cold", "warm"]), call_type: name(index % 2, ["renewal", "sales"]) }
}

/// Scores of a rep whose share of cold calls is `cold`.
fn scores(skill: f64, calls: usize, cold: f64, random: &mut SplitMix64) -> Cells {
    let mut cells = Cells::new();
    for _ in 0..calls {
        let index = 2 * usize::from(random.unit() >= cold) + random.below(2);
        let score = skill + STRATUM_EFFECTS[index] + WITHIN * random.normal();
        cells.entry(stratum(index)).or_default().add(score.round() as i64);
    }
    cells
}

/// Ranks, 1 = highest.
fn ranks(values: &[f64]) -> Vec<u32> {
    values.iter().map(|v| 1 + values.iter().filter(|other| *other > v).count() as u32).collect()
}

pub fn coverage(calls: usize, quarters: usize, seed: u64) -> Coverage {
    let mut random = SplitMix64::new(seed);
    let (mut interval, mut rank, mut width, mut best_named) = (0usize, 0usize, 0u64, 0usize);
    let (mut naive_best, mut shrunken_best, mut rank_off, mut rank_right) = (0usize, 0usize, 0u64, 0usize);
    let (mut naive_squares, mut shrunken_squares) = (0.0, 0.0);
    let (mut attention, mut naive_attention) = (0usize, 0usize);
    for _ in 0..quarters {
        let skill: Vec<f64> = (0..REPS).map(|_| 74_000.0 + BETWEEN * random.normal()).collect();
        let cells: Vec<Cells> = skill
            .iter()
            .map(|skill| {
                let cold = 0.2 + 0.6 * random.unit();
                scores(*skill, calls, cold, &mut random)
            })
            .collect();
        let fit = adjust(cells.iter().enumerate().flat_map(|(rep, cells)| cells.iter().map(move |(s, m)| (rep, s, m))));
        // The level of an adjusted mean is that of the period's mix of campaigns.
        let mix: f64 = (0..4).map(|i| STRATUM_EFFECTS[i] * share(&cells, i)).sum();
        for (team, posterior) in shrunken(&fit).into_iter().enumerate() {
            let members: Vec<usize> = (team * TEAM..(team + 1) * TEAM).collect();
            let truth: Vec<f64> = members.iter().map(|rep| skill[*rep] + mix).collect();
            let plain: Vec<f64> = members.iter().map(|rep| plain_mean(&cells[*rep])).collect();
            let true_ranks = ranks(&truth);
            let plain_ranks = ranks(&plain);
            let shrunken_ranks = ranks(&posterior.groups.iter().map(|p| p.mean).collect::<Vec<f64>>());
            let intervals = rank_intervals(&posterior.groups);
            let plain_team = plain.iter().sum::<f64>() / TEAM as f64;
            for i in 0..TEAM {
                let p = &posterior.groups[i];
                interval += usize::from(p.interval.low <= truth[i] && truth[i] <= p.interval.high);
                rank += usize::from((intervals[i].0..=intervals[i].1).contains(&true_ranks[i]));
                width += u64::from(intervals[i].1 - intervals[i].0 + 1);
                rank_off += u64::from(true_ranks[i].abs_diff(plain_ranks[i]));
                rank_right += usize::from(true_ranks[i] == plain_ranks[i]);
                naive_squares += (plain[i] - truth[i]) * (plain[i] - truth[i]);
                shrunken_squares += (p.mean - truth[i]) * (p.mean - truth[i]);
                attention += usize::from(p.interval.high < posterior.mean - 5_000.0);
                naive_attention += usize::from(plain[i] < plain_team - 5_000.0);
                if true_ranks[i] == 1 {
                    naive_best += usize::from(plain_ranks[i] == 1);
                    shrunken_best += usize::from(shrunken_ranks[i] == 1);
                    best_named += usize::from(intervals[i].0 == 1);
                }
            }
        }
    }
    let (all, teams) = ((quarters * REPS) as f64, (quarters * REPS / TEAM) as f64);
    Coverage {
        calls,
        interval: interval as f64 / all,
        rank: rank as f64 / all,
        rank_width: width as f64 / all,
        naive_best: naive_best as f64 / teams,
        shrunken_best: shrunken_best as f64 / teams,
        best_named: best_named as f64 / teams,
        naive_rank_error: rank_off as f64 / all,
        naive_rank_right: rank_right as f64 / all,
        naive_error: (naive_squares / all).sqrt() / 1000.0,
        shrunken_error: (shrunken_squares / all).sqrt() / 1000.0,
        attention: attention as f64 / all,
        naive_attention: naive_attention as f64 / all,
    }
}

fn share(cells: &[Cells], index: usize) -> f64 {
    let n = |stratum: Option<&Stratum>| -> u64 {
        let of = |cells: &Cells| match stratum {
            Some(stratum) => cells.get(stratum).map_or(0, |m| m.n),
            None => cells.values().map(|m| m.n).sum(),
        };
        cells.iter().map(of).sum()
    };
    n(Some(&stratum(index))) as f64 / n(None) as f64
}

fn plain_mean(cells: &Cells) -> f64 {
    let mut all = Moments::default();
    cells.values().for_each(|m| all.merge(m));
    all.mean().unwrap()
}

fn shrunken(fit: &Adjusted<usize, Stratum>) -> Vec<EmpiricalBayes> {
    let group = |rep: usize| (fit.units[&rep].group(), fit.units[&rep].effective_n);
    let teams: Vec<_> = (0..REPS / TEAM).map(|team| (team * TEAM..(team + 1) * TEAM).map(group).collect()).collect();
    empirical_bayes_pools(&teams).unwrap()
}

/// What coaching effects are worth when the worst rep of a team of ten is chosen.
pub struct CoachingCoverage {
    pub calls: usize,
    pub controls: usize,
    /// True effects inside the 95 % interval.
    pub interval: f64,
    /// Mean error of the raw change and of the effect, points.
    pub raw_bias: f64,
    pub bias: f64,
    /// Called help although nothing was done.
    pub placebo_helped: f64,
    /// Effects as large as the smallest detectable one that were called help.
    pub power: f64,
}

impl fmt::Display for CoachingCoverage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "coaching, {} calls before and after, {} controls: interval {:.3}  bias raw {:+.2}, corrected {:+.2} points  \
             placebo called help {:.3}  power at the smallest detectable effect {:.2}",
            self.calls, self.controls, self.interval, self.raw_bias, self.bias, self.placebo_helped, self.power
        )
    }
}

/// Teams of which the worst by the mean before is coached; half of them without any effect. With controls everybody drifts by 2 points and
/// each rep by another 1 (SD).
pub fn coaching_coverage(calls: usize, controls: usize, teams: usize, seed: u64) -> CoachingCoverage {
    let mut random = SplitMix64::new(seed);
    let (mut inside, mut raw, mut bias) = (0usize, 0.0, 0.0);
    let (mut helped, mut power) = ([0usize; 2], 0usize);
    let size = controls.max(TEAM - 1) + 1;
    for team in 0..teams {
        let skill: Vec<f64> = (0..size).map(|_| 74_000.0 + BETWEEN * random.normal()).collect();
        let before: Vec<Cells> = skill.iter().map(|skill| scores(*skill, calls, 0.5, &mut random)).collect();
        let worst = (0..size).min_by(|a, b| plain_mean(&before[*a]).total_cmp(&plain_mean(&before[*b]))).unwrap();
        let drift = |random: &mut SplitMix64| if controls > 0 { 2_000.0 + 1_000.0 * random.normal() } else { 0.0 };
        let mut people: BTreeMap<usize, BeforeAfter> = BTreeMap::new();
        let plan = |effect: f64, random: &mut SplitMix64, people: &mut BTreeMap<usize, BeforeAfter>| {
            for rep in 0..size {
                let now = skill[rep] + drift(random) + if rep == worst { effect } else { 0.0 };
                let after = scores(now, calls, 0.5, random);
                people.insert(rep, BeforeAfter { before: before[rep].clone(), after });
            }
            let coached = people.remove(&worst).unwrap();
            let others: Vec<BeforeAfter> = std::mem::take(people).into_values().collect();
            let known: Vec<Cells> = others.iter().map(|other| other.before.clone()).collect();
            let (control, others) = if controls > 0 { (others, Vec::new()) } else { (Vec::new(), known) };
            coaching_effect(&[coached], &control, &others, 3_000).unwrap()
        };
        let none = team % 2 == 0;
        let effect = if none { 0.0 } else { 5_000.0 };
        let found = plan(effect, &mut random, &mut people);
        inside += usize::from((found.low as f64..=found.high as f64).contains(&effect));
        raw += found.raw_change as f64 - effect;
        bias += found.effect as f64 - effect;
        helped[usize::from(!none)] += usize::from(found.verdict == CoachingVerdict::Helped);
        let detectable = plan(found.smallest_detectable as f64, &mut random, &mut people);
        power += usize::from(detectable.verdict == CoachingVerdict::Helped);
    }
    let all = teams as f64;
    CoachingCoverage {
        calls,
        controls,
        interval: inside as f64 / all,
        raw_bias: raw / all / 1000.0,
        bias: bias / all / 1000.0,
        placebo_helped: helped[0] as f64 / (all / 2.0),
        power: power as f64 / all,
    }
}
