//! Loudness and pitch of a stretch of speech, quantised to integers at this boundary.
//!
//! Pitch: the normalised square difference function (McLeod & Wyvill, "A smarter way to find pitch", ICMC 2005) on 40 ms frames at
//! 8 kHz, 60–400 Hz (4 kHz takes high voices an octave too low), in cents above 55 Hz: steps that are equal to the ear, so that voices of any height compare.

use callmark_core::transcript::Span;

use crate::channels::level_centi_dbfs;
use crate::resample::SPEECH_RATE_HZ;

const DECIMATION: usize = 2;
const RATE_HZ: f64 = SPEECH_RATE_HZ as f64 / DECIMATION as f64;
/// 40 ms and 20 ms.
const FRAME: usize = 320;
const STEP: usize = 160;
const STEP_MS: i32 = 20;
/// 400 Hz and 60 Hz.
const SHORTEST_LAG: usize = 20;
const LONGEST_LAG: usize = 134;
/// A frame whose best peak is lower has no pitch. Engineering guess.
const VOICED: f64 = 0.6;
/// The first peak of at least this share of the highest is the pitch, not its octave below (McLeod's k).
const FIRST_PEAK: f64 = 0.9;
/// Frames more quiet than the span by this (power) are pauses inside it.
const QUIET: f64 = 0.05;
const REFERENCE_HZ: f64 = 55.0;

/// What was measured in a stretch of speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// Mean power, hundredths of a decibel below full scale (a full-scale sine is −301).
    pub level_centi_dbfs: i32,
    /// Time with a pitch.
    pub voiced_ms: i32,
    /// Mean pitch in cents above 55 Hz; 0 when nothing is voiced.
    pub pitch_cents: i32,
    /// Standard deviation of the pitch, cents.
    pub pitch_spread_cents: i32,
}

/// Measures 16 kHz samples between two times; what lies outside the recording counts as not there.
pub fn measure(samples: &[f32], begin_ms: i64, end_ms: i64) -> Voice {
    let at = |ms: i64| ((ms.max(0) as usize).saturating_mul(SPEECH_RATE_HZ as usize / 1000)).min(samples.len());
    let part = &samples[at(begin_ms)..at(end_ms.max(begin_ms))];
    let level_centi_dbfs = level_centi_dbfs(samples, SPEECH_RATE_HZ, Span { begin_ms, end_ms });
    let power = part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / part.len().max(1) as f64;
    let low: Vec<f64> = part
        .chunks_exact(DECIMATION)
        .map(|c| c.iter().map(|v| f64::from(*v)).sum::<f64>() / DECIMATION as f64)
        .collect();
    let cents: Vec<f64> = low
        .windows(FRAME)
        .step_by(STEP)
        .filter(|frame| frame.iter().map(|v| v * v).sum::<f64>() / FRAME as f64 > QUIET * power)
        .filter_map(pitch_hz)
        .map(|hz| 1200.0 * (hz / REFERENCE_HZ).log2())
        .collect();
    if cents.is_empty() {
        return Voice { level_centi_dbfs, ..Voice::default() };
    }
    let n = cents.len() as f64;
    let mean = cents.iter().sum::<f64>() / n;
    let variance = cents.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / n;
    Voice {
        level_centi_dbfs,
        voiced_ms: cents.len() as i32 * STEP_MS,
        pitch_cents: mean.round() as i32,
        pitch_spread_cents: variance.sqrt().round() as i32,
    }
}

/// The pitch of one frame, `None` when it has none.
fn pitch_hz(frame: &[f64]) -> Option<f64> {
    let mean = frame.iter().sum::<f64>() / frame.len() as f64;
    let x: Vec<f64> = frame.iter().map(|v| v - mean).collect();
    let nsdf: Vec<f64> = (0..=LONGEST_LAG + 1)
        .map(|lag| {
            let pairs = x.iter().zip(&x[lag..]);
            let (product, squares) = pairs.fold((0.0, 0.0), |(p, s), (a, b)| (p + a * b, s + a * a + b * b));
            if squares > 0.0 { 2.0 * product / squares } else { 0.0 }
        })
        .collect();
    let peaks: Vec<usize> =
        (SHORTEST_LAG..=LONGEST_LAG).filter(|i| nsdf[*i] > nsdf[i - 1] && nsdf[*i] >= nsdf[i + 1]).collect();
    let highest = peaks.iter().map(|i| nsdf[*i]).fold(0.0, f64::max);
    let lag = *peaks.iter().find(|i| nsdf[**i] >= FIRST_PEAK * highest && highest >= VOICED)?;
    // The top of the parabola through the peak and its neighbours.
    let (a, b, c) = (nsdf[lag - 1], nsdf[lag], nsdf[lag + 1]);
    let bend = a - 2.0 * b + c;
    let shift = if bend < 0.0 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 };
    Some(RATE_HZ / (lag as f64 + shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buzz: a fundamental with four weaker overtones.
    fn buzz(hz: f64, ms: usize, gain: f64) -> Vec<f32> {
        let one = |i: usize| {
            let t = i as f64 / f64::from(SPEECH_RATE_HZ);
            (1..=5).map(|k| (std::f64::consts::TAU * hz * k as f64 * t).sin() / k as f64).sum::<f64>() * gain
        };
        (0..ms * 16).map(|i| one(i) as f32).collect()
    }

    #[test]
    fn pitch_of_a_buzz_is_right_within_a_quarter_tone() {
        for hz in [80.0, 110.0, 137.0, 220.0, 311.0, 380.0] {
            let found = measure(&buzz(hz, 1000, 0.2), 0, 1000);
            let expected = 1200.0 * (hz / 55.0_f64).log2();
            assert!((f64::from(found.pitch_cents) - expected).abs() <= 50.0, "{hz}: {found:?} {expected}");
            assert!(found.pitch_spread_cents <= 50 && found.voiced_ms >= 900, "{hz}: {found:?}");
        }
    }

    #[test]
    fn variation_and_level() {
        let mut two = buzz(110.0, 500, 0.2);
        two.extend(buzz(220.0, 500, 0.2));
        let spread = measure(&two, 0, 1000).pitch_spread_cents;
        assert!((spread - 600).abs() <= 40, "an octave up and down is ±600 cents: {spread}");
        let (loud, soft) = (measure(&buzz(150.0, 500, 0.2), 0, 500), measure(&buzz(150.0, 500, 0.1), 0, 500));
        assert!((loud.level_centi_dbfs - soft.level_centi_dbfs - 602).abs() <= 2, "{loud:?} {soft:?}");
    }

    #[test]
    fn noise_and_nothing_have_no_pitch() {
        let mut state = 1_u64;
        let noise: Vec<f32> = (0..16_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        assert!(measure(&noise, 0, 1000).voiced_ms <= 100, "{:?}", measure(&noise, 0, 1000));
        assert_eq!(measure(&[], 0, 1000).voiced_ms, 0);
        assert_eq!(measure(&noise, 5000, 4000).level_centi_dbfs, -10_000);
    }
}
