//! How well two decoders agree, and what SoX and ffmpeg make of a file.
#![allow(dead_code, reason = "each test and example uses a part")]

use std::process::Command;

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// How alike two signals are where they fit best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// −1…1 over what both have, after the shift; 1 when both are silent.
    pub correlation: f64,
    /// How much later than the reference the other is.
    pub delay_samples: i64,
}

/// The shift within ± `longest` samples at which the other signal is most like the reference: codecs add delay.
pub fn best_match(reference: &[f32], other: &[f32], longest: usize) -> Match {
    let size = (reference.len() + other.len() + 2 * longest).next_power_of_two().max(4);
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, backward) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |signal: &[f32]| {
        let mut padded = signal.to_vec();
        padded.resize(size, 0.0);
        let mut bins = forward.make_output_vec();
        forward.process(&mut padded, &mut bins).unwrap();
        bins
    };
    let mut product: Vec<Complex<f32>> =
        spectrum(reference).iter().zip(spectrum(other)).map(|(a, b)| a.conj() * b).collect();
    let mut lags = backward.make_output_vec();
    // Both are real by definition; rounding may say otherwise.
    product[0].im = 0.0;
    product[size / 2].im = 0.0;
    backward.process(&mut product, &mut lags).unwrap();
    let longest = longest as i64;
    let at = |lag: &i64| lags[lag.rem_euclid(size as i64) as usize];
    let best = (-longest..=longest).max_by(|a, b| at(a).total_cmp(&at(b)).then(b.abs().cmp(&a.abs()))).unwrap_or(0);
    Match { correlation: correlation_at(reference, other, best), delay_samples: best }
}

fn correlation_at(reference: &[f32], other: &[f32], delay: i64) -> f64 {
    let from = |late: i64| usize::try_from(late).unwrap_or(0);
    let reference = reference.get(from(-delay)..).unwrap_or(&[]);
    let other = other.get(from(delay)..).unwrap_or(&[]);
    let (mut both, mut a2, mut b2) = (0.0, 0.0, 0.0);
    for (a, b) in reference.iter().zip(other) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        both += a * b;
        a2 += a * a;
        b2 += b * b;
    }
    if a2 + b2 < 1e-9 { 1.0 } else { both / (a2 * b2).sqrt().max(1e-12) }
}

/// What a peer decodes, at the file's own rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    pub rate_hz: u32,
    pub channels: Vec<Vec<f32>>,
}

/// What the program writes to standard output.
///
/// # Panics
/// When it is not installed.
///
/// # Errors
/// What it said when it failed.
pub fn output_of(program: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}\nhint: scripts/setup-tests installs it"));
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// ffmpeg's decoding of a file; `format` are the options that say what a file without a header is.
pub fn ffmpeg(file: &str, format: &[&str]) -> Result<Sound, String> {
    let output = ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-"];
    sound(&output_of("ffmpeg", &[&["-v", "error", "-nostdin"], format, &["-i", file], &output].concat())?)
}

/// SoX's decoding of a file.
pub fn sox(file: &str) -> Result<Sound, String> {
    sound(&output_of("sox", &["-D", "-V1", file, "-t", "au", "-e", "floating-point", "-b", "32", "-"])?)
}

/// Sun audio of 32-bit floats, as both write it: it says rate and channels, and may be written to a pipe.
fn sound(au: &[u8]) -> Result<Sound, String> {
    let field = |at: usize| au.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let (Some(data_at), Some(6), Some(rate_hz), Some(count @ 1..)) = (field(4), field(12), field(16), field(20)) else {
        return Err("no sound".to_string());
    };
    let samples: Vec<f32> =
        au[data_at as usize..].chunks_exact(4).map(|b| f32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
    let channel = |n: u32| samples.iter().skip(n as usize).step_by(count as usize).copied().collect();
    let channels: Vec<Vec<f32>> = (0..count).map(channel).collect();
    if channels.iter().any(Vec::is_empty) { Err("no samples".to_string()) } else { Ok(Sound { rate_hz, channels }) }
}

/// Where two decodings agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Of the channel that agrees least.
    pub correlation: f64,
    /// Of the first channel.
    pub delay_samples: i64,
}

/// Holds callmark's decoding against a peer's: same rate and channels, each channel at least 0.99 alike after a shift of up to
/// 250 ms, and a length within 50 ms or 0.5 % behind that shift.
///
/// # Errors
/// What differs.
pub fn agreement(rate_hz: u32, channels: &[Vec<f32>], peer: &Sound) -> Result<Agreement, String> {
    if (rate_hz, channels.len()) != (peer.rate_hz, peer.channels.len()) {
        let theirs = format!("{} Hz and {} channels", peer.rate_hz, peer.channels.len());
        return Err(format!("{rate_hz} Hz and {} channels, not {theirs}", channels.len()));
    }
    let longest = rate_hz as usize / 4;
    let matches: Vec<Match> =
        channels.iter().zip(&peer.channels).map(|(mine, theirs)| best_match(theirs, mine, longest)).collect();
    if matches.iter().any(|found| found.correlation < 0.99) {
        return Err(format!("{matches:.3?}"));
    }
    let delay_samples = matches[0].delay_samples;
    let (length, wanted) = (channels[0].len() as i64 - delay_samples.max(0), peer.channels[0].len() as i64);
    if length.abs_diff(wanted) > u64::from(rate_hz / 20).max(wanted as u64 / 200) {
        return Err(format!("{length} samples behind a delay of {delay_samples}, not {wanted}"));
    }
    let correlation = matches.iter().map(|found| found.correlation).fold(1.0, f64::min);
    Ok(Agreement { correlation, delay_samples })
}
