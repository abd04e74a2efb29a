//! Prints how often the intervals of the rep tables hold the truth, beside what plain means would have said.
//!
//! cargo run --release -p callmark-core --example coverage [QUARTERS]

#[path = "../tests/coverage/simulation.rs"]
mod simulation;

#[allow(clippy::print_stdout, clippy::disallowed_methods)]
fn main() {
    let quarters = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000);
    for calls in simulation::CALLS {
        println!("{}", simulation::coverage(calls, quarters, 2));
    }
    for (calls, controls) in [(20, 9), (50, 9), (50, 0), (200, 9), (200, 30), (200, 0)] {
        println!("{}", simulation::coaching_coverage(calls, controls, 10 * quarters, 2));
    }
}
