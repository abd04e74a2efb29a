//! What people see while a batch runs: a bar on a terminal, a plain line every 30 seconds elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const PLAIN_LINE_EVERY: Duration = Duration::from_secs(30);

/// Counts finished work and shows it. Time left is estimated from bytes: durations are only known after decoding.
pub struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
    started: Instant,
    last_line: Instant,
    total_bytes: u64,
    done_bytes: u64,
    total_calls: usize,
    done_calls: usize,
    audio_ms: i64,
}

impl Progress {
    pub fn start(total_calls: usize, total_bytes: u64, quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !quiet).then(|| {
            let bar = ProgressBar::new(total_bytes.max(1));
            let style = ProgressStyle::with_template("{bar:24} {percent:>3}%  {msg}  {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let now = Instant::now();
        Progress {
            bar,
            plain: !terminal && !quiet,
            started: now,
            last_line: now,
            total_bytes,
            done_bytes: 0,
            total_calls,
            done_calls: 0,
            audio_ms: 0,
        }
    }

    /// So much speech was transcribed in this run.
    pub fn heard(&mut self, audio_ms: i64) {
        self.audio_ms += audio_ms;
    }

    /// One more call is done.
    pub fn advance(&mut self, bytes: u64) {
        self.done_bytes += bytes;
        self.done_calls += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done_bytes);
            bar.set_message(self.line());
        } else if self.plain && self.last_line.elapsed() >= PLAIN_LINE_EVERY {
            self.last_line = Instant::now();
            let share = self.done_bytes as f64 / self.total_bytes.max(1) as f64;
            let left = if share > 0.0 { self.started.elapsed().as_secs_f64() * (1.0 - share) / share } else { 0.0 };
            eprintln!("{}  about {:.0} s left", self.line(), left);
        }
    }

    fn line(&self) -> String {
        format!("{}/{} calls  {:.0} audio-s/s", self.done_calls, self.total_calls, self.audio_seconds_per_second())
    }

    pub fn audio_seconds_per_second(&self) -> f64 {
        self.audio_ms as f64 / 1000.0 / self.started.elapsed().as_secs_f64().max(0.001)
    }

    pub fn audio_ms(&self) -> i64 {
        self.audio_ms
    }

    /// Prints above the bar.
    pub fn message(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
