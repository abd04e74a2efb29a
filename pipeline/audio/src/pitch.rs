//! The period of a voice around one moment, by autocorrelation (Boersma, "Accurate short-term analysis of the fundamental
//! frequency …", 1993: the window's own autocorrelation is divided out).

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::resample::SPEECH_RATE_HZ;

/// 48 ms: three periods of the lowest voice.
const WINDOW: usize = 768;
const FFT: usize = 2048;
/// Pitch of speaking voices.
const PITCH_HZ: (u32, u32) = (65, 380);
/// A longer period must fit better than a shorter one by this: every multiple of the period fits as well.
const CLEARLY_BETTER: f32 = 1.12;

/// A period, in samples at 16 kHz.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub samples: usize,
    /// What the top of the correlation lies beside it, −0.5 … 0.5.
    pub rest: f64,
}

impl Period {
    pub fn hz(self) -> f64 {
        f64::from(SPEECH_RATE_HZ) / (self.samples as f64 + self.rest)
    }
}

pub(crate) struct PitchTracker {
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    /// Autocorrelation of the window, 1 at lag 0.
    window_correlation: Vec<f32>,
}

impl PitchTracker {
    pub fn new() -> PitchTracker {
        let mut planner = RealFftPlanner::<f32>::new();
        let (forward, backward) = (planner.plan_fft_forward(FFT), planner.plan_fft_inverse(FFT));
        let mut tracker = PitchTracker { forward, backward, window: hann(WINDOW), window_correlation: Vec::new() };
        let mut padded = tracker.window.clone();
        padded.resize(FFT, 0.0);
        let own = tracker.autocorrelation(padded);
        let peak = own[0].max(1e-9);
        tracker.window_correlation = own.iter().map(|v| v / peak).collect();
        tracker
    }

    /// The period around sample `middle` of 16 kHz samples; `None` when the sound repeats itself by no more than `least` (0 … 1).
    pub fn period(&self, samples: &[f32], middle: usize, least: f32) -> Option<Period> {
        let mut padded = windowed(samples, middle, &self.window);
        let mean = padded.iter().sum::<f32>() / WINDOW as f32;
        for (value, weight) in padded.iter_mut().zip(&self.window) {
            *value -= 2.0 * mean * weight;
        }
        padded.resize(FFT, 0.0);
        let correlation = self.autocorrelation(padded);
        let own = correlation[0];
        if own.is_nan() || own <= 1e-6 {
            return None;
        }
        let (shortest, longest) = ((SPEECH_RATE_HZ / PITCH_HZ.1) as usize, (SPEECH_RATE_HZ / PITCH_HZ.0) as usize);
        let at = |lag: usize| correlation[lag] / own / self.window_correlation[lag];
        let mut best: Option<(f32, usize)> = None;
        for lag in shortest..=longest {
            let is_peak = at(lag) >= at(lag - 1) && at(lag) >= at(lag + 1);
            if is_peak && at(lag) > least && best.is_none_or(|(value, _)| at(lag) > value * CLEARLY_BETTER) {
                best = Some((at(lag), lag));
            }
        }
        let (_, samples) = best?;
        // The top of the parabola through the peak and its neighbours.
        let [before, top, behind] = [samples - 1, samples, samples + 1].map(|lag| f64::from(at(lag)));
        let bend = before - 2.0 * top + behind;
        let rest = if bend < 0.0 { (0.5 * (before - behind) / bend).clamp(-0.5, 0.5) } else { 0.0 };
        Some(Period { samples, rest })
    }

    fn autocorrelation(&self, mut padded: Vec<f32>) -> Vec<f32> {
        let mut bins = vec![Complex::new(0.0f32, 0.0); FFT / 2 + 1];
        // Lengths fit by construction.
        let _ = self.forward.process(&mut padded, &mut bins);
        for bin in &mut bins {
            *bin = Complex::new(bin.norm_sqr(), 0.0);
        }
        let _ = self.backward.process(&mut bins, &mut padded);
        padded
    }
}

pub(crate) fn hann(length: usize) -> Vec<f32> {
    let at = |n: usize| 0.5 - 0.5 * libm::cos(std::f64::consts::TAU * (n as f64 + 0.5) / length as f64);
    (0..length).map(|n| at(n) as f32).collect()
}

/// Samples around a place under a window; silence outside the recording and for what is no number.
pub(crate) fn windowed(samples: &[f32], middle: usize, window: &[f32]) -> Vec<f32> {
    let half = window.len() / 2;
    let sample = |n: usize| (middle + n).checked_sub(half).and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
    let finite = |v: f32| if v.is_finite() { v.clamp(-8.0, 8.0) } else { 0.0 };
    window.iter().enumerate().map(|(n, weight)| weight * finite(sample(n))).collect()
}
