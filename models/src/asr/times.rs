//! When each word of a segment was said.
//!
//! A Whisper model dates its segments well and its words hardly at all. So the segment's audible time is divided among
//! its words by how long each takes to say: pauses inside a segment belong to nobody. Compared with whisper.cpp's own token
//! times and with attention (dynamic time warping) in models/evaluation/README.md.

use callmark_core::recording::is_han;
use callmark_core::transcript::{Span, Word};

use super::windows::{SAMPLES_PER_MS, part};
use super::words::Spoken;

/// Energy is looked at in steps of this length.
const STEP_MS: i64 = 10;
/// Sound this far below the segment's loud moments (90th percentile of its energy) is a pause, dB.
const PAUSE_DB: f64 = 25.0;
/// A pause of so many steps ends a word that ends within so many audible steps of it.
const PAUSE_STEPS: usize = 8;
const NEAR_STEPS: f64 = 15.0;
/// Times come out this much late, by the same fit: models date segments on a grid.
const EARLIER_MS: i64 = 27;

/// How long a word takes to say, in syllables; fitted on the set `known-voices` by least absolute error of the times, and
/// checked on `unseen-voices` (models/evaluation/README.md).
const PER_WORD: f64 = 0.52;
const PER_CONSONANT: f64 = 0.61;
/// "7" is said as a word, "$" and "%" as longer ones.
const PER_DIGIT: f64 = 3.6;
const PER_SIGN: f64 = 4.7;
/// Before a comma or a full stop words are drawn out, half as much where the segment ends.
const BEFORE_MARK: f64 = 1.5;
const AT_END: f64 = -0.76;
const SHORTEST: f64 = 0.3;

/// Gives the words of one segment their times. `said` is the segment in ms of the clip `samples` (16 kHz).
pub(super) fn give_times(words: Vec<Spoken>, said: Span, samples: &[f32]) -> Vec<Word> {
    let begin_ms = said.begin_ms.max(0);
    let audible = audible_steps(samples, Span { begin_ms, end_ms: said.end_ms.max(begin_ms + STEP_MS) });
    // Audible steps up to and without each step.
    let mut before = vec![0u32];
    before.extend(audible.iter().scan(0, |sum, audible| {
        *sum += u32::from(*audible);
        Some(*sum)
    }));
    let total_steps = f64::from(before.last().copied().unwrap_or(0));
    let last = words.len().saturating_sub(1);
    let lengths: Vec<f64> = words
        .iter()
        .enumerate()
        .map(|(index, word)| length(&word.text) + if index == last { AT_END } else { 0.0 })
        .map(|length| length.max(SHORTEST))
        .collect();
    let total: f64 = lengths.iter().sum();
    let mut bounds = vec![0.0];
    bounds.extend(lengths.iter().scan(0.0, |sum, length| {
        *sum += length;
        Some(*sum / total * total_steps)
    }));
    move_to_pauses(&mut bounds, &audible);
    let time = |step: usize| (begin_ms + step as i64 * STEP_MS - EARLIER_MS).max(0);
    let timed = |(word, bounds): (Spoken, &[f64])| {
        // A pause between two words lies behind the end of the first and before the begin of the second.
        let first = before.partition_point(|steps| f64::from(*steps) <= bounds[0] + 1e-6).saturating_sub(1);
        let behind = before.partition_point(|steps| f64::from(*steps) < bounds[1] - 1e-6);
        let (begin_ms, end_ms) = (time(first), time(behind.max(first)));
        Word { text: word.text, begin_ms, end_ms, confidence_permille: word.confidence_permille }
    };
    words.into_iter().zip(bounds.windows(2)).map(timed).collect()
}

/// Moves a bound between two words to a pause close by: nobody pauses inside a word. Bounds count audible steps.
fn move_to_pauses(bounds: &mut [f64], audible: &[bool]) {
    let (mut heard, mut silent) = (0u32, 0usize);
    for &step in audible {
        if !step {
            silent += 1;
            continue;
        }
        if silent >= PAUSE_STEPS && heard > 0 && bounds.len() > 2 {
            let pause = f64::from(heard);
            let distance = |index: usize| libm::fabs(bounds[index] - pause);
            let nearest = (1..bounds.len() - 1).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(1);
            if distance(nearest) <= NEAR_STEPS && bounds[nearest - 1] < pause && pause < bounds[nearest + 1] {
                bounds[nearest] = pause;
            }
        }
        (heard, silent) = (heard + 1, 0);
    }
}

/// For every step of the stretch: is it louder than a pause?
fn audible_steps(samples: &[f32], stretch: Span) -> Vec<bool> {
    let steps = ((stretch.end_ms - stretch.begin_ms) / STEP_MS).max(1);
    let power = |step: i64| {
        let begin_ms = stretch.begin_ms + step * STEP_MS;
        let sound = part(samples, Span { begin_ms, end_ms: begin_ms + STEP_MS });
        sound.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / (STEP_MS * SAMPLES_PER_MS) as f64 + 1e-9
    };
    let powers: Vec<f64> = (0..steps).map(power).collect();
    let mut sorted = powers.clone();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get((sorted.len() - 1) * 9 / 10).copied().unwrap_or(0.0);
    let pause = loud * libm::pow(10.0, -PAUSE_DB / 10.0);
    powers.into_iter().map(|power| power > pause).collect()
}

/// About how many syllables' time a word takes. A Han character is a syllable with a consonant.
fn length(word: &str) -> f64 {
    let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let is_vowel = |c: &char| "aeiouy".contains(*c);
    let mut syllables =
        letters.iter().enumerate().filter(|(i, c)| is_vowel(c) && !(*i > 0 && is_vowel(&letters[i - 1]))).count();
    let spoken: Vec<char> = letters.iter().copied().filter(|c| c.is_alphabetic()).collect();
    if syllables > 1 && silent_e(&spoken) {
        syllables -= 1;
    }
    let mut consonants = 0;
    for (index, letter) in spoken.iter().enumerate() {
        let pair = index.checked_sub(1).map(|before| (spoken[before], *letter));
        // "tt", "th" and the like are one sound.
        let joined = pair.is_some_and(|(a, b)| a == b || (b == 'h' && "tscgwp".contains(a)) || (a, b) == ('c', 'k'));
        consonants += usize::from(letter.is_ascii_alphabetic() && !is_vowel(letter) && !joined);
    }
    let han = letters.iter().filter(|c| is_han(**c)).count();
    let digits = letters.iter().filter(|c| c.is_ascii_digit()).count();
    let signs = letters.iter().filter(|c| matches!(c, '$' | '%' | '€' | '£' | '¥')).count();
    let mark = word.ends_with([',', '.', '?', '!', '\u{ff0c}', '\u{3002}', '\u{ff1f}', '\u{ff01}']);
    PER_WORD
        + syllables as f64
        + consonants as f64 * PER_CONSONANT
        + han as f64 * (1.0 + PER_CONSONANT)
        + digits as f64 * PER_DIGIT
        + signs as f64 * PER_SIGN
        + if mark { BEFORE_MARK } else { 0.0 }
}

/// "like", "used": the last vowel is not said.
fn silent_e(letters: &[char]) -> bool {
    let stem = match letters {
        [stem @ .., 'e'] | [stem @ .., 'e', 's' | 'd'] => stem,
        _ => return false,
    };
    stem.last().is_some_and(|c| !"aeiouyl".contains(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(words: &[&str], said: Span, samples: &[f32]) -> Vec<(i64, i64)> {
        let word = |text: &&str| Spoken { text: (*text).to_string(), confidence_permille: 900 };
        let timed = give_times(words.iter().map(word).collect(), said, samples);
        timed.iter().map(|word| (word.begin_ms, word.end_ms)).collect()
    }

    #[test]
    fn a_pause_belongs_to_no_word() {
        // A second of sound for both words, with a second of silence where the first ends.
        let (first, second) = (length("hello,"), length("mellow.") + AT_END);
        let first_ms = (1_000.0 * first / (first + second)) as i64;
        let mut samples = vec![0.3f32; 32_000];
        samples[(first_ms * SAMPLES_PER_MS) as usize..((first_ms + 1_000) * SAMPLES_PER_MS) as usize].fill(0.0);
        let found = times(&["hello,", "mellow."], Span { begin_ms: 0, end_ms: 2_000 }, &samples);
        let near = |a: i64, b: i64| (a + EARLIER_MS - b).abs() <= 2 * STEP_MS;
        assert!(found[0].0 == 0 && near(found[0].1, first_ms), "{found:?}");
        assert!(near(found[1].0, first_ms + 1_000) && near(found[1].1, 2_000), "{found:?}");
    }

    #[test]
    fn longer_words_take_longer() {
        let samples = vec![0.3f32; 48_000];
        let found = times(&["a", "registration", "of", "7"], Span { begin_ms: 0, end_ms: 3_000 }, &samples);
        let length = |index: usize| found[index].1 - found[index].0;
        assert!(length(1) > 3 * length(0) && length(3) > length(2), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0 + STEP_MS), "{found:?}");
    }

    #[test]
    fn silence_and_no_words_are_no_trouble() {
        assert!(times(&[], Span { begin_ms: 0, end_ms: 0 }, &[]).is_empty());
        let found = times(&["hello"], Span { begin_ms: 500, end_ms: 500 }, &[0.0; 16_000]);
        assert!(found[0].0 <= found[0].1);
    }
}
