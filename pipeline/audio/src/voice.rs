//! Loudness and pitch of a stretch of speech, quantised to integers at this boundary.
//!
//! Pitch (pitch.rs) every 20 ms in cents above 55 Hz: steps that are equal to the ear, so that voices of any height compare.

use callmark_core::transcript::Span;

use crate::channels::level_centi_dbfs;
use crate::pitch::PitchTracker;
use crate::resample::SPEECH_RATE_HZ;

const STEP: usize = 320;
const STEP_MS: i32 = 20;
/// A frame that repeats itself less has no pitch. Engineering guess.
const VOICED: f32 = 0.6;
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

/// Measures stretches of speech; made once for many.
pub struct VoiceMeter(PitchTracker);

impl Default for VoiceMeter {
    fn default() -> VoiceMeter {
        VoiceMeter(PitchTracker::new())
    }
}

impl VoiceMeter {
    /// Measures 16 kHz samples between two times; what lies outside the recording counts as not there.
    pub fn measure(&self, samples: &[f32], begin_ms: i64, end_ms: i64) -> Voice {
        let at = |ms: i64| ((ms.max(0) as usize).saturating_mul(SPEECH_RATE_HZ as usize / 1000)).min(samples.len());
        let part = &samples[at(begin_ms)..at(end_ms.max(begin_ms))];
        let level_centi_dbfs = level_centi_dbfs(samples, SPEECH_RATE_HZ, Span { begin_ms, end_ms });
        let power =
            |part: &[f32]| part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / part.len().max(1) as f64;
        let quiet = QUIET * power(part);
        let pitch = |(step, frame): (usize, &[f32])| {
            // The stretch alone: the neighbour's voice stays out of its edges.
            let period = if power(frame) > quiet { self.0.period(part, step * STEP + STEP / 2, VOICED) } else { None };
            period.map(|period| 1200.0 * libm::log2(period.hz() / REFERENCE_HZ))
        };
        let cents: Vec<f64> = part.chunks_exact(STEP).enumerate().filter_map(pitch).collect();
        statistics(level_centi_dbfs, &cents)
    }
}

fn statistics(level_centi_dbfs: i32, cents: &[f64]) -> Voice {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(samples: &[f32], begin_ms: i64, end_ms: i64) -> Voice {
        VoiceMeter::default().measure(samples, begin_ms, end_ms)
    }

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
