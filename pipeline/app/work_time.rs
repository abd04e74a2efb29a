//! How long work took: by the clock on the wall and by the processor, which a busy machine does not stretch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Time that one thread spent on something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkTime {
    pub wall_ns: u64,
    /// Of the thread itself; what it waits for (a graphics card, other threads) is not in it.
    pub cpu_ns: u64,
}

impl WorkTime {
    pub fn wall_seconds(self) -> f64 {
        self.wall_ns as f64 / 1e9
    }

    pub fn cpu_seconds(self) -> f64 {
        self.cpu_ns as f64 / 1e9
    }
}

impl std::ops::AddAssign for WorkTime {
    fn add_assign(&mut self, other: WorkTime) {
        self.wall_ns += other.wall_ns;
        self.cpu_ns += other.cpu_ns;
    }
}

/// Started on the thread that does the work.
pub struct Stopwatch {
    wall: Instant,
    cpu_ns: u64,
}

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch { wall: Instant::now(), cpu_ns: thread_cpu_ns() }
    }

    pub fn elapsed(&self) -> WorkTime {
        WorkTime { wall_ns: self.wall.elapsed().as_nanos() as u64, cpu_ns: thread_cpu_ns().saturating_sub(self.cpu_ns) }
    }
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Working time of one stage, summed over its threads.
#[derive(Debug, Default)]
pub struct Busy {
    wall_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl Busy {
    /// Adds the time since `began`.
    pub fn add(&self, began: &Stopwatch) {
        self.add_time(began.elapsed());
    }

    pub fn add_time(&self, spent: WorkTime) {
        self.wall_ns.fetch_add(spent.wall_ns, Ordering::Relaxed);
        self.cpu_ns.fetch_add(spent.cpu_ns, Ordering::Relaxed);
    }

    pub fn time(&self) -> WorkTime {
        WorkTime { wall_ns: self.wall_ns.load(Ordering::Relaxed), cpu_ns: self.cpu_ns.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_takes_no_processor_time() {
        let began = Stopwatch::start();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let slept = began.elapsed();
        assert!(slept.wall_ns >= 60_000_000 && slept.cpu_ns < 40_000_000, "{slept:?}");
        let began = Stopwatch::start();
        let mut sum = 0u64;
        while began.elapsed().cpu_ns < 20_000_000 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(began.elapsed().wall_ns >= 20_000_000 && sum > 0);
    }
}
