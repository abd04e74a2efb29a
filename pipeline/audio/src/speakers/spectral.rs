//! A first guess at who is whom: spectral clustering of short windows.
//!
//! A window's vector is the mean and the deviation of its cepstra and of their changes, of level and pitch. Windows are alike as
//! the cosine of their vectors is; the second eigenvector of the normalised likenesses parts them in two (Shi and Malik,
//! "Normalized cuts and image segmentation", 2000). The matrix of likenesses is never made: it is the product of the vectors
//! with themselves, so that a product with it costs little.

use std::ops::Range;

use super::features::{CEPSTRA, Frame, HOP_MS, LEVEL, PITCH};

const WINDOW: usize = 1_500 / HOP_MS as usize;
const STEP: usize = 760 / HOP_MS as usize;
/// Shorter windows say nothing.
const LEAST: usize = 120 / HOP_MS as usize;
/// A pause of more frames than this ends a phrase.
const GAP: usize = 2;
/// Means and deviations of cepstra and of their changes, of level and pitch.
const LENGTH: usize = 4 * CEPSTRA + 4;
const MEAN_PITCH: usize = 4 * CEPSTRA + 2;
/// How much more the mean pitch counts than any other place; chosen on the tuning calls.
const PITCH_FACTOR: f64 = 3.0;
const ROUNDS: usize = 100;

struct Window {
    frames: Range<usize>,
    vector: [f64; LENGTH],
}

/// One of two speakers for every frame, and how far the two lie apart; `None` with too few windows.
pub fn two(frames: &[Frame]) -> Option<(Vec<usize>, f64)> {
    let mut windows = windows(frames);
    if windows.len() < 4 {
        return None;
    }
    normalise(&mut windows);
    let (sides, separation) = part(&windows);
    let mut votes = vec![0.0f64; frames.len()];
    for (window, side) in windows.iter().zip(&sides) {
        for vote in &mut votes[window.frames.clone()] {
            *vote += side;
        }
    }
    // Pauses belong to who spoke before.
    let mut states = Vec::with_capacity(frames.len());
    for vote in votes {
        let before = states.last().copied().unwrap_or(0);
        states.push(if vote == 0.0 { before } else { usize::from(vote < 0.0) });
    }
    Some((states, separation))
}

/// Windows of each phrase: what lies between two pauses.
fn windows(frames: &[Frame]) -> Vec<Window> {
    let mut out = Vec::new();
    for phrase in phrases(frames) {
        let mut begin = phrase.start;
        loop {
            let end = phrase.end.min(begin + WINDOW);
            let range = end.saturating_sub(WINDOW).max(phrase.start)..end;
            if range.len() >= LEAST {
                out.push(Window { vector: vector(frames, &range, &phrase), frames: range });
            }
            if end == phrase.end {
                break;
            }
            begin += STEP;
        }
    }
    out
}

fn phrases(frames: &[Frame]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for (index, frame) in frames.iter().enumerate().filter(|(_, f)| f.active) {
        match out.last_mut() {
            Some(last) if index - last.end <= GAP && frames[last.start].span == frame.span => last.end = index + 1,
            _ => out.push(index..index + 1),
        }
    }
    out
}

/// Mean and deviation over a window.
fn moments(window: &Range<usize>, of: impl Fn(usize) -> f64) -> (f64, f64) {
    let count = window.len() as f64;
    let mean = window.clone().map(&of).sum::<f64>() / count;
    let square = window.clone().map(|n| (of(n) - mean) * (of(n) - mean)).sum::<f64>() / count;
    (mean, libm::sqrt(square))
}

fn vector(frames: &[Frame], window: &Range<usize>, phrase: &Range<usize>) -> [f64; LENGTH] {
    let mut out = [0.0; LENGTH];
    let value = |n: usize, i: usize| f64::from(frames[n].values[i]);
    for i in 0..CEPSTRA {
        // Slope over five frames.
        let slope = |n: usize| {
            let at = |d: isize| value(n.saturating_add_signed(d).clamp(phrase.start, phrase.end - 1), i);
            (2.0 * (at(2) - at(-2)) + at(1) - at(-1)) / 10.0
        };
        (out[i], out[CEPSTRA + i]) = moments(window, |n| value(n, i));
        (out[2 * CEPSTRA + i], out[3 * CEPSTRA + i]) = moments(window, slope);
    }
    (out[MEAN_PITCH - 2], out[MEAN_PITCH - 1]) = moments(window, |n| value(n, LEVEL));
    (out[MEAN_PITCH], out[MEAN_PITCH + 1]) = moments(window, |n| value(n, PITCH));
    out
}

/// Mean 0 and variance 1 per place over all windows, then length 1 per window.
fn normalise(windows: &mut [Window]) {
    let count = windows.len() as f64;
    for i in 0..LENGTH {
        let mean = windows.iter().map(|w| w.vector[i]).sum::<f64>() / count;
        let variance = windows.iter().map(|w| (w.vector[i] - mean) * (w.vector[i] - mean)).sum::<f64>() / count;
        let factor = 1.0 / libm::sqrt(variance.max(1e-9));
        let factor = factor * if i == MEAN_PITCH { PITCH_FACTOR } else { 1.0 };
        windows.iter_mut().for_each(|w| w.vector[i] = (w.vector[i] - mean) * factor);
    }
    for window in windows {
        let length = libm::sqrt(window.vector.iter().map(|v| v * v).sum::<f64>()).max(1e-9);
        window.vector.iter_mut().for_each(|v| *v /= length);
    }
}

/// ±1 per window, by the second eigenvector of the likenesses A = (1 + cos) / 2; and the squared distance of the two groups'
/// means along it over the variance inside them. One normally distributed group cut in the middle gives 7.
fn part(windows: &[Window]) -> (Vec<f64>, f64) {
    let likeness = |x: &[f64]| -> Vec<f64> {
        let mut sums = [0.0; LENGTH];
        for (window, x) in windows.iter().zip(x) {
            for (sum, value) in sums.iter_mut().zip(&window.vector) {
                *sum += x * value;
            }
        }
        let all: f64 = x.iter().sum();
        let dot = |w: &Window| w.vector.iter().zip(&sums).map(|(a, b)| a * b).sum::<f64>();
        windows.iter().map(|w| 0.5 * (all + dot(w))).collect()
    };
    // Random walk from window to window, D⁻¹A: its first eigenvector is constant and is taken out, weighted by the degrees.
    let degrees = likeness(&vec![1.0; windows.len()]);
    let whole = degrees.iter().sum::<f64>().max(1e-9);
    let clean = |x: &mut Vec<f64>| {
        let along = x.iter().zip(&degrees).map(|(x, m)| x * m).sum::<f64>() / whole;
        x.iter_mut().for_each(|x| *x -= along);
        let length = libm::sqrt(x.iter().zip(&degrees).map(|(v, m)| v * v * m).sum::<f64>()).max(1e-12);
        x.iter_mut().for_each(|v| *v /= length);
    };
    let mut x: Vec<f64> =
        windows.iter().map(|w| w.vector.iter().zip(&windows[0].vector).map(|(a, b)| a * b).sum::<f64>()).collect();
    clean(&mut x);
    for _ in 0..ROUNDS {
        x = likeness(&x).iter().zip(&degrees).map(|(x, d)| x / d.max(1e-9)).collect();
        clean(&mut x);
    }
    // Two means on a line.
    let mut threshold = 0.0;
    for _ in 0..20 {
        let mean = |above: bool| {
            let of = || x.iter().filter(|v| (**v > threshold) == above);
            of().sum::<f64>() / of().count().max(1) as f64
        };
        threshold = 0.5 * (mean(true) + mean(false));
    }
    let deviation = |above: bool| {
        let of = || x.iter().filter(|v| (**v > threshold) == above);
        let mean = of().sum::<f64>() / of().count().max(1) as f64;
        (mean, of().map(|v| (v - mean) * (v - mean)).sum::<f64>())
    };
    let (high, low) = (deviation(true), deviation(false));
    let within = ((high.1 + low.1) / windows.len() as f64).max(1e-12);
    let separation = (high.0 - low.0) * (high.0 - low.0) / within;
    let sign = if x[0] > threshold { 1.0 } else { -1.0 };
    (x.iter().map(|v| if *v > threshold { sign } else { -sign }).collect(), separation)
}
