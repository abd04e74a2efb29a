//! Decodes files and prints what was found, the speed, and, with `--reference FILE`, the correlation with a reference.
//!
//!     cargo run --release -p callmark-audio --example decode_report -- [--reference REF.wav] FILE…
#![allow(clippy::print_stdout)]

use std::time::Instant;

use callmark_audio::{Limits, decode_named, resample_to_16k};

/// Largest correlation within ±200 ms, and the shift in ms: codecs add delay.
fn best_match(reference: &[f32], other: &[f32]) -> (f64, i64) {
    let score = |shift: i64| {
        let (mut both, mut a2, mut b2) = (0.0, 0.0, 0.0);
        for (n, a) in reference.iter().enumerate() {
            let Some(b) = usize::try_from(n as i64 + shift).ok().and_then(|m| other.get(m)) else { continue };
            let (a, b) = (f64::from(*a), f64::from(*b));
            both += a * b;
            a2 += a * a;
            b2 += b * b;
        }
        both / (a2 * b2).sqrt().max(1e-12)
    };
    let best = (-3200..=3200).step_by(4).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(0);
    let best = (best - 4..=best + 4).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(best);
    (score(best), best / 16)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let mut reference = None;
    if files.first().is_some_and(|first| first == "--reference") && files.len() > 2 {
        let audio = decode_named(&std::fs::read(&files[1])?, &files[1], &Limits::default())?;
        reference = Some(resample_to_16k(&audio.channels[0], audio.sample_rate_hz));
        files.drain(..2);
    }
    for file in files {
        let bytes = std::fs::read(&file)?;
        let started = Instant::now();
        match decode_named(&bytes, &file, &Limits::default()) {
            Err(error) => println!("{file}\tERROR {}: {error} (hint: {})", error.code(), error.hint()),
            Ok(audio) => {
                let channels: Vec<Vec<f32>> =
                    audio.channels.iter().map(|c| resample_to_16k(c, audio.sample_rate_hz)).collect();
                let speed = audio.duration_ms() as f64 / 1000.0 / started.elapsed().as_secs_f64();
                print!(
                    "{file}\t{} {} {} Hz × {}, {} ms, {speed:.0} × real time",
                    audio.container,
                    audio.codec,
                    audio.sample_rate_hz,
                    audio.channels.len(),
                    audio.duration_ms()
                );
                if let Some(reference) = &reference {
                    let (correlation, shift_ms) = best_match(reference, &channels[0]);
                    print!(", correlation {correlation:.4} at {shift_ms} ms");
                }
                println!(" {:?}", audio.warnings);
            }
        }
    }
    Ok(())
}
