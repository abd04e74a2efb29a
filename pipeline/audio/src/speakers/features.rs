//! What a voice sounds like, every 20 ms: mel-frequency cepstral coefficients 1–14 of the telephone band (Davis and
//! Mermelstein, 1980), level, and pitch.

use callmark_core::transcript::Span;
use realfft::{RealFftPlanner, num_complex::Complex};

use crate::pitch::{PitchTracker, hann, windowed};

pub const HOP_MS: i64 = 20;
const HOP: usize = 320;
/// 32 ms.
const WINDOW: usize = 512;
pub const CEPSTRA: usize = 14;
const FILTERS: usize = 24;
/// Telephones carry 300–3400 Hz; a little of the slopes tells voices apart, too.
const BAND_HZ: (f64, f64) = (180.0, 3_700.0);
/// Periodicity from which a frame counts as voiced.
const VOICED: f32 = 0.45;
/// Frames this far under the loud ones around them are pauses.
const PAUSE_CENTI_DB: i32 = 2_600;
/// Coefficients, level, pitch.
pub const FEATURES: usize = CEPSTRA + 2;
pub const LEVEL: usize = CEPSTRA;
pub const PITCH: usize = CEPSTRA + 1;

/// 20 ms of speech.
#[derive(Clone, Debug)]
pub struct Frame {
    pub begin_ms: i64,
    /// Index of the speech span that it lies in.
    pub span: usize,
    pub level_centi_db: i32,
    /// False in pauses inside a span: nothing is known about who it is.
    pub active: bool,
    pub values: [f32; FEATURES],
    /// Log of the pitch where it is heard.
    log_pitch: Option<f32>,
}

impl Frame {
    /// The samples of the frame's own 20 ms.
    pub fn sound<'a>(&self, samples: &'a [f32]) -> &'a [f32] {
        let begin = (self.begin_ms as usize * 16).min(samples.len());
        &samples[begin..(begin + HOP).min(samples.len())]
    }
}

/// The frames of all spans, in order.
pub fn features(samples: &[f32], speech: &[Span]) -> Vec<Frame> {
    let mut analyser = Analyser::new();
    let mut out = Vec::new();
    for (index, span) in speech.iter().enumerate() {
        let first = out.len();
        let mut begin_ms = span.begin_ms.max(0);
        while begin_ms + HOP_MS <= span.end_ms && (begin_ms as usize + HOP_MS as usize) * 16 <= samples.len() {
            out.push(analyser.frame(samples, begin_ms, index));
            begin_ms += HOP_MS;
        }
        mark_pauses(&mut out[first..]);
        fill_pitch(&mut out[first..]);
    }
    // Where no pitch was heard in a whole span, the recording's own stands in.
    let mut known: Vec<f32> = out.iter().filter_map(|f| f.log_pitch).collect();
    known.sort_by(f32::total_cmp);
    let usual = known.get(known.len() / 2).copied().unwrap_or(0.0);
    for frame in &mut out {
        frame.values[PITCH] = frame.log_pitch.unwrap_or(usual);
    }
    out
}

/// Levels within ±1 s decide what is a pause.
fn mark_pauses(frames: &mut [Frame]) {
    let levels: Vec<i32> = frames.iter().map(|f| f.level_centi_db).collect();
    for (index, frame) in frames.iter_mut().enumerate() {
        let around = &levels[index.saturating_sub(50)..(index + 50).min(levels.len())];
        let loudest = around.iter().copied().max().unwrap_or(i32::MIN);
        frame.active = frame.level_centi_db > loudest.saturating_sub(PAUSE_CENTI_DB) && frame.level_centi_db > -8_000;
    }
}

/// Median of five against octave jumps, then a straight line over voiceless frames.
fn fill_pitch(frames: &mut [Frame]) {
    let raw: Vec<Option<f32>> = frames.iter().map(|f| f.log_pitch).collect();
    let smooth = |index: usize| {
        raw[index]?;
        let mut near: Vec<f32> =
            raw[index.saturating_sub(2)..(index + 3).min(raw.len())].iter().flatten().copied().collect();
        near.sort_by(f32::total_cmp);
        // A single voiced frame is chance.
        (near.len() >= 2).then(|| near[near.len() / 2])
    };
    let voiced: Vec<(usize, f32)> = (0..raw.len()).filter_map(|i| Some((i, smooth(i)?))).collect();
    for (index, frame) in frames.iter_mut().enumerate() {
        let after = voiced.partition_point(|(i, _)| *i < index);
        frame.log_pitch = match (after.checked_sub(1).map(|i| voiced[i]), voiced.get(after).copied()) {
            (Some((i, a)), Some((j, b))) => Some(a + (b - a) * (index - i) as f32 / (j - i) as f32),
            (Some((_, a)), None) => Some(a),
            (None, Some((_, b))) => Some(b),
            (None, None) => None,
        };
    }
}

/// Mean and spread of each feature over the active frames.
pub struct Scale {
    mean: [f32; FEATURES],
    factor: [f32; FEATURES],
}

impl Scale {
    pub fn apply(&self, frame: &mut Frame) {
        for (value, (mean, factor)) in frame.values.iter_mut().zip(self.mean.iter().zip(&self.factor)) {
            *value = (*value - mean) * factor;
        }
    }
}

/// Gives every feature mean 0 and variance 1 over the active frames.
pub fn normalise(frames: &mut [Frame]) -> Scale {
    let scale = scale_of(frames);
    for frame in frames {
        scale.apply(frame);
    }
    scale
}

fn scale_of(frames: &[Frame]) -> Scale {
    let mut scale = Scale { mean: [0.0; FEATURES], factor: [1.0; FEATURES] };
    let count = frames.iter().filter(|f| f.active).count().max(1) as f64;
    for i in 0..FEATURES {
        let of = || frames.iter().filter(|f| f.active).map(|f| f64::from(f.values[i]));
        let mean = of().sum::<f64>() / count;
        let variance = of().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        scale.mean[i] = mean as f32;
        scale.factor[i] = (1.0 / libm::sqrt(variance.max(1e-6))) as f32;
    }
    scale
}

struct Analyser {
    spectrum: std::sync::Arc<dyn realfft::RealToComplex<f32>>,
    window: Vec<f32>,
    pitch: PitchTracker,
    /// Of each filter: first bin and weights.
    filters: Vec<(usize, Vec<f32>)>,
    cosines: Vec<[f32; FILTERS]>,
}

fn mel_filters() -> Vec<(usize, Vec<f32>)> {
    let mel = |hz: f64| 1127.0 * libm::log(1.0 + hz / 700.0);
    let (low, high) = (mel(BAND_HZ.0), mel(BAND_HZ.1));
    let width = (high - low) / (FILTERS + 1) as f64;
    let filter = |index: usize| {
        let middle = low + (index + 1) as f64 * width;
        let weight = |bin: usize| 1.0 - (mel(bin as f64 * 16_000.0 / WINDOW as f64) - middle).abs() / width;
        let bins: Vec<usize> = (1..WINDOW / 2).filter(|bin| weight(*bin) > 0.0).collect();
        (bins.first().copied().unwrap_or(1), bins.iter().map(|bin| weight(*bin) as f32).collect())
    };
    (0..FILTERS).map(filter).collect()
}

impl Analyser {
    fn new() -> Analyser {
        let mut planner = RealFftPlanner::<f32>::new();
        let cosine =
            |k: usize, m: usize| libm::cos(std::f64::consts::PI * k as f64 * (m as f64 + 0.5) / FILTERS as f64) as f32;
        Analyser {
            spectrum: planner.plan_fft_forward(WINDOW),
            window: hann(WINDOW),
            pitch: PitchTracker::new(),
            filters: mel_filters(),
            cosines: (1..=CEPSTRA).map(|k| std::array::from_fn(|m| cosine(k, m))).collect(),
        }
    }

    fn frame(&mut self, samples: &[f32], begin_ms: i64, span: usize) -> Frame {
        let middle = begin_ms as usize * 16 + HOP / 2;
        let mut windowed = windowed(samples, middle, &self.window);
        let power = windowed.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / WINDOW as f64;
        let level_centi_db = libm::round(1000.0 * libm::log10(power.max(1e-10))) as i32;
        let mut bins = vec![Complex::new(0.0f32, 0.0); WINDOW / 2 + 1];
        // Lengths fit by construction.
        let _ = self.spectrum.process(&mut windowed, &mut bins);
        let mut values = [0.0; FEATURES];
        let mut energies = [0.0f32; FILTERS];
        for ((first, weights), energy) in self.filters.iter().zip(&mut energies) {
            let sum: f32 = weights.iter().zip(&bins[*first..]).map(|(weight, bin)| weight * bin.norm_sqr()).sum();
            *energy = libm::logf(sum.max(1e-7));
        }
        for (value, row) in values.iter_mut().zip(&self.cosines) {
            *value = row.iter().zip(&energies).map(|(cosine, energy)| cosine * energy).sum();
        }
        values[LEVEL] = level_centi_db as f32 / 1000.0;
        // Whole samples are fine enough to tell voices apart.
        let log_pitch = |period: crate::pitch::Period| libm::logf(16_000.0 / period.samples as f32);
        let log_pitch = self.pitch.period(samples, middle, VOICED).map(log_pitch);
        Frame { begin_ms, span, level_centi_db, active: true, values, log_pitch }
    }
}
