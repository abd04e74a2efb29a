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

/// Windows parted in two.
pub struct Parted {
    /// The speaker of every frame.
    pub states: Vec<usize>,
    /// How surely: −1, the second, … 1, the first; 0 in pauses.
    pub leaning: Vec<f64>,
    /// How far the two groups lie apart.
    pub separation: f64,
}

/// By the vectors of a speaker encoder; `None` with too few windows. Apart are groups in which windows are more alike than across: one minus the mean cosine of
/// windows of different groups over the geometric mean of that within the groups. (The cosine of the groups' means would grow with the
/// number of windows in them.) Longer windows count for more; windows that share sound are not compared.
pub fn by_encoder(frames: &[Frame], windows: &[Range<usize>], vectors: &[Vec<f32>]) -> Option<Parted> {
    let mut vectors: Vec<Vec<f64>> = vectors.iter().map(|v| v.iter().map(|x| f64::from(*x)).collect()).collect();
    vectors.iter_mut().for_each(|v| unit(v));
    let weights: Vec<f64> = windows.iter().map(|window| window.len() as f64 / WINDOW as f64).collect();
    let (mut parted, sides, _) = two(frames, windows, &vectors, &weights)?;
    parted.separation = 1.0 - likeness(windows, &vectors, &weights, &sides);
    Some(parted)
}

/// By the frames' own features: no model is needed. Apart are groups whose means' squared distance, along the line that parts them, is large
/// over the variance inside them; one normally distributed group cut in the middle gives 7.
pub fn by_features(frames: &[Frame], windows: &[Range<usize>]) -> Option<Parted> {
    let (mut parted, _, separation) =
        two(frames, windows, &feature_vectors(frames, windows), &vec![1.0; windows.len()])?;
    parted.separation = separation;
    Some(parted)
}

/// Also ±1 per window, and the separation along the line.
fn two(
    frames: &[Frame],
    windows: &[Range<usize>],
    vectors: &[Vec<f64>],
    weights: &[f64],
) -> Option<(Parted, Vec<f64>, f64)> {
    if windows.len() < 4 || vectors.len() != windows.len() {
        return None;
    }
    let (sides, separation) = part(vectors, weights);
    let (mut votes, mut counts) = (vec![0.0f64; frames.len()], vec![0.0f64; frames.len()]);
    for (window, side) in windows.iter().zip(&sides) {
        for frame in window.clone() {
            votes[frame] += side;
            counts[frame] += 1.0;
        }
    }
    // Pauses belong to who spoke before.
    let mut states = Vec::with_capacity(frames.len());
    for vote in &votes {
        let before = states.last().copied().unwrap_or(0);
        states.push(if *vote == 0.0 { before } else { usize::from(*vote < 0.0) });
    }
    let leaning = votes.iter().zip(&counts).map(|(vote, count)| vote / count.max(1.0)).collect();
    Some((Parted { states, leaning, separation: 0.0 }, sides, separation))
}

/// Mean cosine of windows across the groups over the geometric mean of that within each; 1 where a group has too little to tell.
fn likeness(windows: &[Range<usize>], vectors: &[Vec<f64>], weights: &[f64], sides: &[f64]) -> f64 {
    let group = |index: usize| usize::from(sides[index] < 0.0);
    // Sums over all ordered pairs of windows, by the groups of the two: of weighted cosines and of weights.
    let (mut sums, mut all) = ([vec![0.0; vectors[0].len()], vec![0.0; vectors[0].len()]], [0.0; 2]);
    for (index, (vector, weight)) in vectors.iter().zip(weights).enumerate() {
        sums[group(index)].iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
        all[group(index)] += weight;
    }
    let mut pairs = [0, 1].map(|a| [0, 1].map(|b| (dot(&sums[a], &sums[b]), all[a] * all[b])));
    // Less every window with itself and with those that share sound with it, which are its neighbours.
    for (index, window) in windows.iter().enumerate() {
        let after = (index..windows.len()).take_while(|other| windows[*other].start < window.end);
        for other in after {
            let weight = weights[index] * weights[other];
            let cosine = dot(&vectors[index], &vectors[other]);
            let both_ways = if other == index { &[(index, other)][..] } else { &[(index, other), (other, index)][..] };
            for (a, b) in both_ways {
                let (sum, count) = &mut pairs[group(*a)][group(*b)];
                *sum -= weight * cosine;
                *count -= weight;
            }
        }
    }
    let mean = |(sum, count): (f64, f64)| if count > 1e-6 { sum / count } else { 0.0 };
    let within = mean(pairs[0][0]) * mean(pairs[1][1]);
    if within > 1e-6 { mean(pairs[0][1]) / libm::sqrt(within) } else { 1.0 }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Frames of the windows of each phrase: what lies between two pauses.
pub fn windows(frames: &[Frame]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for phrase in phrases(frames) {
        let mut begin = phrase.start;
        loop {
            let end = phrase.end.min(begin + WINDOW);
            let range = end.saturating_sub(WINDOW).max(phrase.start)..end;
            if range.len() >= LEAST {
                out.push(range);
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

/// What the frames' own features say of each window.
fn feature_vectors(frames: &[Frame], windows: &[Range<usize>]) -> Vec<Vec<f64>> {
    let phrases = phrases(frames);
    let phrase_of = |window: &Range<usize>| &phrases[phrases.partition_point(|phrase| phrase.end < window.end)];
    let mut vectors = windows.iter().map(|window| vector(frames, window, phrase_of(window))).collect::<Vec<_>>();
    normalise(&mut vectors);
    vectors
}

fn vector(frames: &[Frame], window: &Range<usize>, phrase: &Range<usize>) -> Vec<f64> {
    let mut out = vec![0.0; LENGTH];
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
fn normalise(vectors: &mut [Vec<f64>]) {
    let count = vectors.len().max(1) as f64;
    for i in 0..LENGTH {
        let mean = vectors.iter().map(|v| v[i]).sum::<f64>() / count;
        let variance = vectors.iter().map(|v| (v[i] - mean) * (v[i] - mean)).sum::<f64>() / count;
        let factor = 1.0 / libm::sqrt(variance.max(1e-9));
        let factor = factor * if i == MEAN_PITCH { PITCH_FACTOR } else { 1.0 };
        vectors.iter_mut().for_each(|v| v[i] = (v[i] - mean) * factor);
    }
    vectors.iter_mut().for_each(|v| unit(v));
}

fn unit(vector: &mut [f64]) {
    let length = libm::sqrt(dot(vector, vector)).max(1e-9);
    vector.iter_mut().for_each(|v| *v /= length);
}

/// ±1 per window, by the second eigenvector of the likenesses A = (1 + cos) / 2 times the roots of both weights; and the squared distance of the two groups'
/// means along it over the variance inside them.
fn part(vectors: &[Vec<f64>], weights: &[f64]) -> (Vec<f64>, f64) {
    let roots: Vec<f64> = weights.iter().map(|w| libm::sqrt(*w)).collect();
    let likeness = |x: &[f64]| -> Vec<f64> {
        let mut sums = vec![0.0; vectors[0].len()];
        let x: Vec<f64> = x.iter().zip(&roots).map(|(x, root)| x * root).collect();
        for (vector, x) in vectors.iter().zip(&x) {
            sums.iter_mut().zip(vector).for_each(|(sum, value)| *sum += x * value);
        }
        let all: f64 = x.iter().sum();
        vectors.iter().zip(&roots).map(|(v, root)| root * 0.5 * (all + dot(v, &sums))).collect()
    };
    // Random walk from window to window, D⁻¹A: its first eigenvector is constant and is taken out, weighted by the degrees.
    let degrees = likeness(&vec![1.0; vectors.len()]);
    let whole = degrees.iter().sum::<f64>().max(1e-9);
    let clean = |x: &mut Vec<f64>| {
        let along = x.iter().zip(&degrees).map(|(x, m)| x * m).sum::<f64>() / whole;
        x.iter_mut().for_each(|x| *x -= along);
        let length = libm::sqrt(x.iter().zip(&degrees).map(|(v, m)| v * v * m).sum::<f64>()).max(1e-12);
        x.iter_mut().for_each(|v| *v /= length);
    };
    let mut x: Vec<f64> = vectors.iter().map(|v| dot(v, &vectors[0])).collect();
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
    let within = ((high.1 + low.1) / vectors.len() as f64).max(1e-12);
    let separation = (high.0 - low.0) * (high.0 - low.0) / within;
    let sign = if x[0] > threshold { 1.0 } else { -1.0 };
    (x.iter().map(|v| if *v > threshold { sign } else { -sign }).collect(), separation)
}
