//! How often intervals hold the truth, over simulated quarters with known skills; `cargo run --release -p callmark-core --example
//! coverage` runs more of them.

// `--nocapture` shows the figures.
#![allow(clippy::print_stdout)]

#[path = "coverage/simulation.rs"]
mod simulation;

use simulation::{CALLS, Coverage, coaching_coverage, coverage};

/// A cell's share must lie between these; the Monte-Carlo error of 200 quarters of 50 reps is about 0.3 %.
const ALLOWED: std::ops::RangeInclusive<f64> = 0.93..=0.97;

#[test]
fn intervals_and_ranks_cover_what_they_promise() {
    for calls in CALLS {
        let found = coverage(calls, 200, 1);
        println!("{found}");
        let Coverage { interval, rank, .. } = found;
        assert!(ALLOWED.contains(&interval), "n = {calls}: intervals {interval}");
        assert!(ALLOWED.contains(&rank), "n = {calls}: ranks {rank}");
    }
}

#[test]
fn coaching_intervals_cover_what_they_promise() {
    for (calls, controls) in [(20, 9), (50, 9), (50, 0), (200, 30)] {
        let found = coaching_coverage(calls, controls, 1_000, 1);
        println!("{found}");
        // With few calls the variance of drift is estimated on the safe side: 96.9 % at 20 calls, over 3,000 teams.
        assert!((0.93..=0.98).contains(&found.interval), "{found}");
        assert!(found.bias.abs() < 0.6 && found.raw_bias > 1.0, "{found}");
    }
}
