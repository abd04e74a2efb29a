//! Decodes files and prints what was found, the speed, and, with `--reference FILE`, the correlation with a reference.
//!
//!     cargo run --release -p callmark-audio --example decode_report -- [--reference REF.wav] FILE…
#![allow(clippy::print_stdout)]

use std::time::Instant;

use callmark_audio::{Limits, decode_named, resample_to_16k};

#[path = "../tests/comparison/mod.rs"]
mod comparison;

/// Codecs add delay: 200 ms at 16 kHz.
const LONGEST_DELAY: usize = 3_200;

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
                    let found = comparison::best_match(reference, &channels[0], LONGEST_DELAY);
                    print!(", correlation {:.4} at {} ms", found.correlation, found.delay_samples / 16);
                }
                println!(" {:?}", audio.warnings);
            }
        }
    }
    Ok(())
}
