//! When each word was said: the letters of the words are laid along the sound, as forced alignment with a hidden Markov model does
//! (Rabiner 1989, "A tutorial on hidden Markov models"), with what letters sound like from `letters.rs` and the recording's own
//! noise added to it (parallel model combination, Gales & Young 1996).
//!
//! A Whisper model dates its words hardly at all; compared with whisper.cpp's own token times, with attention (dynamic time
//! warping) and with a division of the time by the words' lengths in models/evaluation/README.md.

use callmark_core::transcript::{Span, Word};

use super::letters::{BANDS, PAUSE, SOUNDS, VARIANCES, sounds};
use super::windows::{SAMPLES_PER_MS, part};
use super::words::Spoken;

/// The sound is looked at in windows of two steps, one a step.
const STEP_MS: i64 = 10;
const STEP_SAMPLES: usize = (STEP_MS * SAMPLES_PER_MS) as usize;
/// The model's segments begin late or end early by up to so much.
const MARGIN_MS: i64 = 200;
/// A letter is so many states, so that its length is likelier near the mean than short; one may be skipped at this log probability.
const STATES_PER_LETTER: usize = 4;
const SKIP: f64 = -4.0;
/// Of every measured power, dB²; and no power at all (−90 dB of full scale).
const MEASURED_VARIANCE: f64 = 4.0;
const NO_POWER: f64 = 1e-9;
/// Sound within so much of the loud moments (90th percentile) is speech at its usual level, dB.
const LOUD_DB: f64 = 10.0;

type Powers = [f64; BANDS];

/// A part of a letter, or a pause between words.
#[derive(Clone, Copy)]
struct State {
    /// Into [`SOUNDS`].
    sound: usize,
    /// Of a letter; `None` in a pause.
    word: Option<usize>,
    /// Log probabilities to stay, to go on, and to come here past the state before (−∞: never).
    stay: f64,
    leave: f64,
    skip: f64,
}

/// Gives the words of one segment their times. `said` is the segment in ms of the clip `samples` (16 kHz), `free` the part of the
/// clip that is no other segment's.
pub(super) fn give_times(words: Vec<Spoken>, said: Span, free: Span, samples: &[f32]) -> Vec<Word> {
    let begin_ms = (said.begin_ms - MARGIN_MS).max(free.begin_ms).max(0);
    let end_ms = (said.end_ms + MARGIN_MS).min(free.end_ms).max(begin_ms);
    let powers = powers(part(samples, Span { begin_ms, end_ms }));
    let states = states(&words);
    let path = if words.is_empty() { None } else { align(&powers, &states) };
    // What is said in no time at all is divided evenly.
    let path = path.unwrap_or_else(|| (0..powers.len()).map(|step| step * states.len() / powers.len()).collect());
    let mut steps: Vec<Option<(usize, usize)>> = vec![None; words.len()];
    for (step, state) in path.into_iter().enumerate() {
        if let Some(word) = states[state].word {
            steps[word] = Some((steps[word].map_or(step, |(first, _)| first), step));
        }
    }
    let mut last_ms = begin_ms;
    let timed = |(word, steps): (Spoken, Option<(usize, usize)>)| {
        // The last window reaches a step further; half of that is the word's.
        let time = |(first, last): (usize, usize)| (first as i64 * STEP_MS, last as i64 * STEP_MS + STEP_MS * 3 / 2);
        // Windows of two words that touch overlap by half a step.
        let (begin_ms, end_ms) =
            steps.map(time).map_or((last_ms, last_ms), |(b, e)| ((begin_ms + b).max(last_ms), begin_ms + e));
        last_ms = end_ms;
        Word { text: word.text, begin_ms, end_ms, confidence_permille: word.confidence_permille }
    };
    words.into_iter().zip(steps).map(timed).collect()
}

/// Powers of every window, in dB against the loud moments.
fn powers(sound: &[f32]) -> Vec<Powers> {
    let mut wave: Vec<f64> = sound.iter().map(|value| f64::from(*value)).collect();
    let mut out = vec![[0.0; BANDS]; (wave.len() / STEP_SAMPLES).saturating_sub(1)];
    for band in 0..BANDS {
        let steps: Vec<f64> =
            wave.chunks_exact(STEP_SAMPLES).map(|step| step.iter().map(|value| value * value).sum()).collect();
        for (powers, pair) in out.iter_mut().zip(steps.windows(2)) {
            powers[band] = decibels((pair[0] + pair[1]) / (2 * STEP_SAMPLES) as f64 + NO_POWER);
        }
        // Two samples apart: highest at 4 kHz, where telephone sound ends.
        wave = (0..wave.len()).map(|n| if n < 2 { 0.0 } else { wave[n] - wave[n - 2] }).collect();
    }
    let loud = quantile(&out, 0, 0.9) - LOUD_DB;
    let speech: Vec<Powers> = out.iter().filter(|powers| powers[0] >= loud).copied().collect();
    for band in 0..BANDS {
        let mean = speech.iter().map(|powers| powers[band]).sum::<f64>() / speech.len().max(1) as f64;
        out.iter_mut().for_each(|powers| powers[band] -= mean);
    }
    out
}

fn decibels(power: f64) -> f64 {
    10.0 * libm::log10(power)
}

fn quantile(powers: &[Powers], band: usize, share: f64) -> f64 {
    let mut values: Vec<f64> = powers.iter().map(|powers| powers[band]).collect();
    values.sort_by(f64::total_cmp);
    values.get((values.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or(0.0)
}

/// Pause, letters of the first word, pause, letters of the second … pause.
fn states(words: &[Spoken]) -> Vec<State> {
    let state = |sound: usize, word: Option<usize>, skip: f64| {
        let states = if word.is_some() { STATES_PER_LETTER as f64 } else { 1.0 };
        let steps = (SOUNDS[sound].length_ms / STEP_MS as f64 / states).max(1.05);
        State { sound, word, stay: libm::log(1.0 - 1.0 / steps), leave: libm::log(1.0 / steps), skip }
    };
    let mut out = vec![state(PAUSE, None, f64::NEG_INFINITY)];
    for (index, word) in words.iter().enumerate() {
        for (part, sound) in sounds(&word.text).iter().flat_map(|s| [*s; STATES_PER_LETTER]).enumerate() {
            // A pause may be left out at no cost.
            out.push(state(sound, Some(index), if part == 0 { 0.0 } else { SKIP }));
        }
        out.push(state(PAUSE, None, f64::NEG_INFINITY));
    }
    out
}

/// The likeliest state at every step (Viterbi); `None` when there is too little time for the words.
fn align(powers: &[Powers], states: &[State]) -> Option<Vec<usize>> {
    let noise: Powers = std::array::from_fn(|band| quantile(powers, band, 0.05));
    let sounds: Vec<(Powers, Powers)> = SOUNDS.iter().map(|sound| in_noise(&sound.power_db, &noise)).collect();
    let mut best = vec![f64::NEG_INFINITY; states.len()];
    // How many states before each the best way came from, step by step.
    let mut came = vec![0u8; powers.len() * states.len()];
    for (step, powers) in powers.iter().enumerate() {
        let heard = tilts(powers);
        let log_probability = |(mean, variance): &(Powers, Powers)| -> f64 {
            let of = |band: usize| {
                let distance = heard[band] - mean[band];
                distance * distance / variance[band] + libm::log(variance[band])
            };
            (0..BANDS).map(of).sum::<f64>() * -0.5
        };
        let scores: Vec<f64> = sounds.iter().map(log_probability).collect();
        let before = std::mem::replace(&mut best, vec![f64::NEG_INFINITY; states.len()]);
        for (index, state) in states.iter().enumerate() {
            if step == 0 {
                best[index] = if index < 2 { scores[state.sound] } else { f64::NEG_INFINITY };
                continue;
            }
            let from = |back: usize| index.checked_sub(back).map(|from| before[from] + states[from].leave);
            let ways = [
                before[index] + state.stay,
                from(1).unwrap_or(f64::NEG_INFINITY),
                from(2).map_or(f64::NEG_INFINITY, |way| way + state.skip),
            ];
            let back = (0..3).fold(0, |best, way| if ways[way] > ways[best] { way } else { best });
            best[index] = ways[back] + scores[state.sound];
            came[step * states.len() + index] = back as u8;
        }
    }
    let ends = states.len().checked_sub(1).into_iter().chain(states.len().checked_sub(2));
    let mut at = ends.max_by(|a, b| best[*a].total_cmp(&best[*b])).filter(|end| best[*end] > f64::NEG_INFINITY)?;
    let mut path = vec![at; powers.len()];
    for step in (1..powers.len()).rev() {
        at -= usize::from(came[step * states.len() + at]);
        path[step - 1] = at;
    }
    Some(path)
}

/// Means and variances of what is heard of a sound over a noise: powers add up, and what the noise covers varies little.
fn in_noise(sound_db: &Powers, noise_db: &Powers) -> (Powers, Powers) {
    let power = |db: f64| libm::pow(10.0, db / 10.0);
    let together: Powers = std::array::from_fn(|band| power(sound_db[band]) + power(noise_db[band]));
    let variance = |band: usize| {
        let share = power(sound_db[band]) / together[band];
        VARIANCES[band] * share * share + MEASURED_VARIANCE
    };
    (tilts(&together.map(decibels)), std::array::from_fn(variance))
}

/// The level, and how much more each difference has than the one before.
fn tilts(powers: &Powers) -> Powers {
    std::array::from_fn(|band| if band == 0 { powers[0] } else { powers[band] - powers[band - 1] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone for so many ms; silence at 0 Hz. With a little noise, as every line has.
    fn sound(parts: &[(f32, i64)]) -> Vec<f32> {
        let mut noise = 1u32;
        let mut out = Vec::new();
        for (hertz, length_ms) in parts {
            for n in 0..length_ms * SAMPLES_PER_MS {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let tone = (n as f32 * hertz * std::f32::consts::TAU / 16_000.0).sin() * 0.3;
                out.push(tone + (noise >> 16) as f32 / 65_536.0 * 0.002);
            }
        }
        out
    }

    fn times(words: &[&str], said: Span, samples: &[f32]) -> Vec<(i64, i64)> {
        let word = |text: &&str| Spoken { text: (*text).to_string(), confidence_permille: 900 };
        let free = Span { begin_ms: 0, end_ms: samples.len() as i64 / SAMPLES_PER_MS };
        let timed = give_times(words.iter().map(word).collect(), said, free, samples);
        timed.iter().map(|word| (word.begin_ms, word.end_ms)).collect()
    }

    fn near(a: i64, b: i64) -> bool {
        (a - b).abs() <= 3 * STEP_MS
    }

    #[test]
    fn a_pause_belongs_to_no_word() {
        let samples = sound(&[(0.0, 300), (500.0, 400), (0.0, 900), (500.0, 300), (0.0, 300)]);
        let found = times(&["oh,", "oh."], Span { begin_ms: 0, end_ms: 2_200 }, &samples);
        assert!(near(found[0].0, 300) && near(found[0].1, 700), "{found:?}");
        assert!(near(found[1].0, 1_600) && near(found[1].1, 1_900), "{found:?}");
    }

    #[test]
    fn words_change_where_the_sound_does() {
        // Three vowels low, two hisses high, however long they take; the segment says that it ends earlier.
        for low_ms in [300, 500] {
            let samples = sound(&[(0.0, 200), (400.0, low_ms), (3_500.0, 250), (400.0, 200), (0.0, 300)]);
            let said = Span { begin_ms: 150, end_ms: 550 + low_ms };
            let found = times(&["owe", "shy"], said, &samples);
            assert!(near(found[0].0, 200) && near(found[0].1, 200 + low_ms), "{found:?}");
            assert!(near(found[1].0, 200 + low_ms) && near(found[1].1, 650 + low_ms), "{found:?}");
        }
    }

    #[test]
    fn too_little_sound_is_no_trouble() {
        assert!(times(&[], Span { begin_ms: 0, end_ms: 0 }, &[]).is_empty());
        for length_ms in [0, 5, 20, 40, 200] {
            let samples = sound(&[(0.0, length_ms)]);
            let said = Span { begin_ms: 0, end_ms: length_ms };
            let found = times(&["registration", "—", "numbers"], said, &samples);
            assert!(found.iter().all(|(begin, end)| 0 <= *begin && begin <= end), "{length_ms}: {found:?}");
            assert!(found.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{length_ms}: {found:?}");
        }
        assert_eq!(times(&["hello"], Span { begin_ms: 500, end_ms: 500 }, &[0.0; 16_000]).len(), 1);
    }
}
