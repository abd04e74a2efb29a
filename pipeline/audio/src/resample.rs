//! Resampling to the 16 kHz that the recogniser and voice activity work at.

use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// The rate of all speech models, Hz.
pub const SPEECH_RATE_HZ: u32 = 16_000;

/// Resamples one channel to 16 kHz.
///
/// The result has exactly `round(length × 16000 / rate)` samples and is aligned with the input (the filter's delay is
/// taken out). A rate of 0 gives nothing.
pub fn resample_to_16k(samples: &[f32], rate_hz: u32) -> Vec<f32> {
    if rate_hz == SPEECH_RATE_HZ || samples.is_empty() {
        return samples.to_vec();
    }
    if rate_hz == 0 {
        return Vec::new();
    }
    let rate = u64::from(rate_hz);
    let wanted = ((samples.len() as u64 * u64::from(SPEECH_RATE_HZ) + rate / 2) / rate) as usize;
    let mut out = convert(samples, rate_hz as usize).unwrap_or_default();
    out.resize(wanted, 0.0);
    out
}

/// Only wrong arguments make rubato fail: a rate of 0, a channel count or buffer that does not fit. None can occur here.
fn convert(samples: &[f32], rate_hz: usize) -> Option<Vec<f32>> {
    let out_hz = SPEECH_RATE_HZ as usize;
    // The filter works on blocks of a multiple of the two rates' ratio, and delays by half a block: an even multiple
    // makes that a whole number of samples on both sides. 512 input samples or more keep the band edge sharp.
    let unit = rate_hz / gcd(rate_hz, out_hz);
    let block = unit * 512usize.div_ceil(unit).next_multiple_of(2);
    let window = WindowFunction::BlackmanHarris2;
    let mut resampler = Fft::<f32>::new_custom(rate_hz, out_hz, block, 1, 1, window, FixedSync::Both).ok()?;
    let input = SequentialSlice::new(samples, 1, samples.len()).ok()?;
    Some(resampler.process_all(&input, samples.len(), None).ok()?.take_data())
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone that fades in and out, so that its place in time can be found.
    fn burst(rate_hz: u32, frequency_hz: f32, length: usize) -> Vec<f32> {
        let centre = length as f32 / 2.0 / rate_hz as f32;
        (0..length)
            .map(|n| {
                let t = n as f32 / rate_hz as f32;
                (-((t - centre) / 0.05).powi(2)).exp() * (std::f32::consts::TAU * frequency_hz * t).sin()
            })
            .collect()
    }

    #[test]
    fn length_is_exact_and_time_is_kept() {
        for rate_hz in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 7_999, 192_000] {
            for extra in [0, 1, 37, 1023] {
                let length = rate_hz as usize / 2 + extra;
                let out = resample_to_16k(&burst(rate_hz, 440.0, length), rate_hz);
                let exact = (length as f64 * 16_000.0 / f64::from(rate_hz)).round() as usize;
                assert_eq!(out.len(), exact, "{rate_hz} Hz + {extra}");
                // The same tone made at 16 kHz: the difference stays 50 dB below.
                let centre = length as f32 / 2.0 / rate_hz as f32;
                let (mut signal, mut error) = (0.0f64, 0.0f64);
                for (n, sample) in out.iter().enumerate() {
                    let t = n as f32 / 16_000.0;
                    let wanted = (-((t - centre) / 0.05).powi(2)).exp() * (std::f32::consts::TAU * 440.0 * t).sin();
                    signal += f64::from(wanted * wanted);
                    error += f64::from((wanted - sample) * (wanted - sample));
                }
                assert!(error < signal * 1e-5, "{rate_hz} Hz + {extra}: error {}", error / signal);
            }
        }
    }

    #[test]
    fn short_and_empty_inputs() {
        assert!(resample_to_16k(&[], 8_000).is_empty());
        assert_eq!(resample_to_16k(&[0.5], 8_000).len(), 2);
        assert!(resample_to_16k(&[0.5], 0).is_empty());
    }
}
