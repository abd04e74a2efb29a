//! Two speakers in one channel: who speaks when, found from the sound.
//!
//! 1. [`features`]: mel-frequency cepstral coefficients, level and pitch, every 20 ms, inside the speech spans.
//! 2. [`spectral`]: windows of 1.5 s are parted in two by the vectors of a speaker encoder where one is at hand, otherwise by those features;
//!    where the parts are not apart, there is one voice.
//! 3. Each speaker gets a Gaussian mixture, adapted from the whole call's (Reynolds et al., "Speaker verification using
//!    adapted Gaussian mixture models", 2000); a hidden Markov model whose third state is both at once decides frame by frame.
//!    Where both speak, an overlap detector says; without one, what both at once sound like is learnt from the call itself: one
//!    speaker's sound laid over the other's. (Repeating this step made it worse on the tuning calls.)
//!
//! One thread, fixed order, `libm`, nothing random: the same samples give the same spans. Measurements: models/evaluation/README.md.

mod features;
mod mixture;
mod spectral;

use std::ops::Range;

use callmark_core::transcript::Span;

use features::{FEATURES, Frame, HOP_MS, Scale};
use mixture::Mixture;
use spectral::Parted;

/// What was found in a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speakers {
    /// The first one to speak is 0. Sorted; spans of one speaker neither touch nor overlap. Both empty when the voices could not
    /// be told apart or there is one only.
    pub spans: [Vec<Span>; 2],
    /// Where both speak, as far as it is heard; each such stretch is in both lists of spans.
    pub overlaps: Vec<Span>,
    /// How sure it is that there are two voices, 700 … 1000; 0 where they were not told apart.
    pub confidence_permille: u16,
    /// How far the two voices lie apart, in thousandths, also where that was not enough. With a speaker encoder: one minus how alike
    /// their vectors are for two voices, given how alike they are within one. Without: squared distance of their means over the variance inside them, along the line that parts them best (one
    /// voice cut in two gives 7000 and more).
    pub separation_milli: i64,
}

impl Speakers {
    /// True when two voices were told apart.
    pub fn are_two(&self) -> bool {
        self.spans.iter().all(|spans| !spans.is_empty())
    }

    /// Who says a word: the speaker whose spans cover most of it, the first one in a tie; `None` outside both.
    ///
    /// A recogniser listens to the whole speech, which is then divided word by word: cutting the sound at every change of
    /// speaker would cut words in two, and a voice that was wrongly parted would lose them.
    pub fn who_says(&self, word: Span) -> Option<usize> {
        let covered = self.spans.each_ref().map(|spans| {
            let shared = |span: &Span| (span.end_ms.min(word.end_ms) - span.begin_ms.max(word.begin_ms)).max(0);
            spans.iter().map(shared).sum::<i64>()
        });
        match covered {
            [0, 0] => None,
            [first, second] => Some(usize::from(second > first)),
        }
    }
}

/// How a separation is judged. A confidence of 800 is the least for a score. Chosen on the tuning recordings, the encoder's on people's as well;
/// it belongs to the encoder that comes with callmark.
struct Measure {
    /// Voices that lie less far apart are taken for one; the confidence here is 700.
    least_milli: i64,
    /// From here on the confidence is 1000.
    sure_milli: i64,
}

const BY_FEATURES: Measure = Measure { least_milli: 13_000, sure_milli: 22_000 };
const BY_ENCODER: Measure = Measure { least_milli: 90, sure_milli: 150 };

impl Measure {
    fn confidence_permille(&self, separation_milli: i64) -> u16 {
        let over = (separation_milli - self.least_milli).clamp(0, self.sure_milli - self.least_milli);
        (700 + 300 * over / (self.sure_milli - self.least_milli)) as u16
    }
}

/// What the windows' vectors add to the log-odds of a frame's speaker, before scaling; on the tuning recordings 4 and 12 do equally well,
/// 0 less.
const ENCODER_SAYS: f64 = 4.0;
/// Less active speech than this cannot be told apart.
const LEAST_FRAMES: usize = 3_000 / HOP_MS as usize;
/// Frames are not independent of each other: their log-likelihoods are scaled down.
const LIKELIHOOD_SCALE: f64 = 0.4;
/// Log-probability of a change of speaker, where somebody speaks and in a pause.
const CHANGE: f64 = -7.0;
const CHANGE_IN_PAUSE: f64 = -3.0;
/// Log-odds per frame against both speaking at once, before scaling.
const BOTH_PENALTY: f64 = 0.1;
/// The detector's probability from which on a frame speaks for both at once, and how much its log-odds over that count, before scaling. .42 would do for
/// a precision of 0.8 on the tuning recordings, but marked 8 s of a real call in which nobody interrupts. The former belongs to the detector
/// that comes with callmark.
const OVERLAP_PERMILLE: f64 = 600.0;
const OVERLAP_SAYS: f64 = 1.0;
/// Sound of each speaker that is laid over the other's to learn what both at once sound like.
const MIXED_FRAMES: usize = 20_000 / HOP_MS as usize;

/// The speech of a channel, ready to be told apart.
pub struct Voices<'a> {
    samples: &'a [f32],
    speech: &'a [Span],
    frames: Vec<Frame>,
    scale: Scale,
    /// Frames of each window.
    windows: Vec<Range<usize>>,
}

impl<'a> Voices<'a> {
    /// `speech`: sorted spans of speech.
    pub fn new(samples_16k: &'a [f32], speech: &'a [Span]) -> Voices<'a> {
        let mut frames = features::features(samples_16k, speech);
        let scale = features::normalise(&mut frames);
        let windows = spectral::windows(&frames);
        Voices { samples: samples_16k, speech, frames, scale, windows }
    }

    /// Samples of the windows, 0.12 to 1.5 s each, that a speaker encoder gives a vector for; none with too little speech.
    pub fn windows(&self) -> Vec<&'a [f32]> {
        if !self.is_enough() {
            return vec![];
        }
        let sound = |window: &Range<usize>| {
            let (first, last) = (&self.frames[window.start], &self.frames[window.end - 1]);
            let begin = (first.begin_ms as usize * 16).min(self.samples.len());
            &self.samples[begin..((last.begin_ms + HOP_MS) as usize * 16).clamp(begin, self.samples.len())]
        };
        self.windows.iter().map(sound).collect()
    }

    fn is_enough(&self) -> bool {
        self.frames.iter().filter(|f| f.active).count() >= LEAST_FRAMES
    }

    /// Tells two speakers apart: by a speaker encoder's vectors of `windows`, or by the sound's own features.
    ///
    /// `overlap` is a detector's probability that both speak, per mille, for every 20 ms of the channel; without one, that is learnt from the
    /// call itself. Without enough speech, or when one voice explains all of it, there are no spans.
    pub fn two_speakers(&self, vectors: Option<&[Vec<f32>]>, overlap: Option<&[u16]>) -> Speakers {
        if !self.is_enough() {
            return Speakers::default();
        }
        let (parted, measure, prior) = match vectors {
            Some(vectors) => (spectral::by_encoder(&self.frames, &self.windows, vectors), BY_ENCODER, ENCODER_SAYS),
            None => (spectral::by_features(&self.frames, &self.windows), BY_FEATURES, 0.0),
        };
        let Some(parted) = parted else { return Speakers::default() };
        let separation_milli = libm::floor(1000.0 * parted.separation.clamp(0.0, 1e6)) as i64;
        if separation_milli < measure.least_milli || !parted.states.contains(&1) {
            return Speakers { separation_milli, ..Speakers::default() };
        }
        let states = self.states(&parted, prior, overlap);
        let confidence_permille = measure.confidence_permille(separation_milli);
        Speakers { separation_milli, confidence_permille, ..spans(&self.frames, &states, self.speech) }
    }

    /// Frame by frame: `prior` is how much more likely, in log-odds before scaling, a window's own speaker is.
    fn states(&self, parted: &Parted, prior: f64, overlap: Option<&[u16]>) -> Vec<usize> {
        let frames = &self.frames;
        let everybody = Mixture::of(frames.iter().filter(|f| f.active).map(|f| &f.values));
        let of = |speaker: usize| -> Vec<&Frame> {
            frames.iter().zip(&parted.states).filter(|(f, s)| f.active && **s == speaker).map(|(f, _)| f).collect()
        };
        let models = [0, 1].map(|speaker| everybody.adapted_to(of(speaker).iter().map(|f| &f.values)));
        let likelihood =
            |model: &Mixture, frame: &Frame| if frame.active { model.log_likelihood(&frame.values) } else { 0.0 };
        let own = |(frame, leaning): (&Frame, &f64)| {
            [(0, *leaning), (1, -*leaning)]
                .map(|(speaker, towards)| likelihood(&models[speaker], frame) + 0.5 * prior * towards)
        };
        let likelihoods: Vec<[f64; 2]> = frames.iter().zip(&parted.leaning).map(own).collect();
        if let Some(overlap) = overlap {
            // As likely as the likelier one alone, and more where the detector is surer than its threshold.
            let both = |(frame, own): (&Frame, &[f64; 2])| own[0].max(own[1]) + OVERLAP_SAYS * surer(overlap, frame);
            let both: Vec<f64> = frames.iter().zip(&likelihoods).map(both).collect();
            return best_path(frames, &likelihoods, &both);
        }
        let both: Vec<f64> = match both_at_once(self.samples, frames, &parted.states, &everybody, &self.scale) {
            Some(model) => {
                // The vectors say nothing about both at once: what they add to the likelier one counts here, too.
                let both = |(frame, leaning): (&Frame, &f64)| {
                    likelihood(&model, frame) - BOTH_PENALTY + 0.5 * prior * leaning.abs()
                };
                frames.iter().zip(&parted.leaning).map(both).collect()
            }
            None => Vec::new(),
        };
        best_path(frames, &likelihoods, &both)
    }
}

/// By how much a frame's log-odds that both speak exceed the threshold's.
fn surer(overlap: &[u16], frame: &Frame) -> f64 {
    let log_odds = |permille: f64| libm::log(permille / (1000.0 - permille));
    let middle = (frame.begin_ms + HOP_MS / 2) / HOP_MS;
    let heard = overlap.get(middle as usize).copied().unwrap_or(0);
    log_odds(f64::from(heard.clamp(1, 999))) - log_odds(OVERLAP_PERMILLE)
}

/// State of a frame: speaker 0, speaker 1, or both.
const BOTH: usize = 2;

/// A model of both speakers at once from the call's own sound; `None` when one of them says too little.
fn both_at_once(
    samples: &[f32],
    frames: &[Frame],
    states: &[usize],
    everybody: &Mixture,
    scale: &Scale,
) -> Option<Mixture> {
    let sound = |speaker: usize| -> Vec<f32> {
        let of = frames.iter().zip(states).filter(|(f, s)| f.active && **s == speaker).take(MIXED_FRAMES);
        of.flat_map(|(f, _)| f.sound(samples).iter().copied()).collect()
    };
    let (mut mixed, other) = (sound(0), sound(1));
    let length = mixed.len().min(other.len());
    mixed.truncate(length);
    for (a, b) in mixed.iter_mut().zip(&other) {
        *a += *b;
    }
    let whole = Span { begin_ms: 0, end_ms: length as i64 * 1000 / i64::from(crate::SPEECH_RATE_HZ) };
    let mut of_both = features::features(&mixed, &[whole]);
    for frame in &mut of_both {
        scale.apply(frame);
    }
    (of_both.len() >= LEAST_FRAMES / 2)
        .then(|| everybody.adapted_to(of_both.iter().filter(|f| f.active).map(|f| &f.values)))
}

/// The likeliest states (Viterbi's algorithm). `both` may be empty: then nobody speaks at once.
fn best_path(frames: &[Frame], likelihoods: &[[f64; 2]], both: &[f64]) -> Vec<usize> {
    let count = if both.is_empty() { 2 } else { 3 };
    let mut scores = [0.0, 0.0, CHANGE];
    let mut back: Vec<[usize; 3]> = Vec::with_capacity(frames.len());
    for (index, frame) in frames.iter().enumerate() {
        let change = if frame.active { CHANGE } else { CHANGE_IN_PAUSE };
        let mut next = [f64::NEG_INFINITY; 3];
        let mut from = [0; 3];
        for state in 0..count {
            let own = if state == BOTH { both[index] } else { likelihoods[index][state] };
            for (before, score) in scores.iter().enumerate().take(count) {
                let score = score + if before == state { 0.0 } else { change };
                if score > next[state] {
                    (next[state], from[state]) = (score, before);
                }
            }
            next[state] += LIKELIHOOD_SCALE * own;
        }
        scores = next;
        back.push(from);
    }
    let mut state = (0..count).fold(0, |best, s| if scores[s] > scores[best] { s } else { best });
    let mut states = vec![0; frames.len()];
    for index in (0..frames.len()).rev() {
        states[index] = state;
        state = back[index][state];
    }
    states
}

/// States → spans. Speech spans keep their ends; where the speaker changes inside one, the pause belongs to nobody.
fn spans(frames: &[Frame], states: &[usize], speech: &[Span]) -> Speakers {
    let mut out = Speakers::default();
    let mut begin = 0;
    while begin < frames.len() {
        let here = |f: &Frame, s: usize| f.span == frames[begin].span && s == states[begin];
        let length = frames[begin..].iter().zip(&states[begin..]).take_while(|(f, s)| here(f, **s)).count();
        let run = begin..begin + length;
        let whole = speech[frames[begin].span];
        let first_of_span = begin == 0 || frames[begin - 1].span != frames[begin].span;
        let last_of_span = run.end == frames.len() || frames[run.end].span != frames[begin].span;
        let active: Vec<&Frame> = frames[run.clone()].iter().filter(|f| f.active).collect();
        let begin_ms = if first_of_span { whole.begin_ms } else { active.first().map_or(whole.end_ms, |f| f.begin_ms) };
        let end_ms =
            if last_of_span { whole.end_ms } else { active.last().map_or(whole.begin_ms, |f| f.begin_ms + HOP_MS) };
        let span = Span { begin_ms, end_ms };
        if begin_ms < end_ms {
            for speaker in (0..2).filter(|s| states[begin] == BOTH || states[begin] == *s) {
                // One turn with an overlap in it stays one span.
                match out.spans[speaker].last_mut() {
                    Some(last) if begin_ms - last.end_ms <= HOP_MS => last.end_ms = end_ms,
                    _ => out.spans[speaker].push(span),
                }
            }
            if states[begin] == BOTH {
                out.overlaps.push(span);
            }
        }
        begin = run.end;
    }
    let first = |spans: &[Span]| spans.first().map_or(i64::MAX, |s| s.begin_ms);
    if first(&out.spans[1]) < first(&out.spans[0]) {
        out.spans.swap(0, 1);
    }
    out
}

#[cfg(test)]
mod tests;
