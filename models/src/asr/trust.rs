//! How far a call's words can be trusted: what the recogniser says of itself, and whether it hears the same twice.

use callmark_core::transcript::Word;

use super::windows::MIN_CLIP_SAMPLES;

/// What speaks for and against the words, to be added up over channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    pub words: u32,
    /// Sum of the words' probabilities.
    pub probability_sum_permille: u64,
    /// Words of both decodings of the speech that was decoded twice …
    pub compared_words: u32,
    /// … and those that both have in the same order.
    pub agreeing_words: u32,
    pub speech_ms: i64,
    pub compared_ms: i64,
}

impl std::ops::AddAssign for Trust {
    fn add_assign(&mut self, other: Trust) {
        self.words += other.words;
        self.probability_sum_permille += other.probability_sum_permille;
        self.compared_words += other.compared_words;
        self.agreeing_words += other.agreeing_words;
        self.speech_ms += other.speech_ms;
        self.compared_ms += other.compared_ms;
    }
}

impl Trust {
    /// Mean word probability; 0 without words.
    pub fn mean_probability_permille(&self) -> u16 {
        (self.probability_sum_permille / u64::from(self.words.max(1))) as u16
    }

    /// Share of words that both decodings agree on (twice the common words / the words of both); `None` when nothing
    /// was decoded twice.
    pub fn agreement_permille(&self) -> Option<u16> {
        (self.compared_ms > 0)
            .then(|| (u64::from(self.agreeing_words) * 2000 / u64::from(self.compared_words.max(1))).min(1000) as u16)
    }

    /// How far a whole call's words can be trusted: the geometric mean of mean word probability and agreement, or the
    /// mean word probability alone when nothing was decoded twice. To be compared with the model's floor.
    pub fn confidence_permille(&self) -> u16 {
        let mean = u64::from(self.mean_probability_permille());
        match self.agreement_permille() {
            None => mean as u16,
            Some(agreement) => (mean * u64::from(agreement)).isqrt() as u16,
        }
    }
}

/// Plays a clip faster (> 1000) or slower by linear interpolation; pitch moves with it.
pub(super) fn change_speed(clip: &[f32], speed_permille: u16) -> Vec<f32> {
    let length = clip.len() * 1000 / usize::from(speed_permille.max(1));
    let mut out: Vec<f32> = (0..length)
        .map(|n| {
            let place = n as u64 * u64::from(speed_permille);
            let (index, rest) = ((place / 1000) as usize, (place % 1000) as f32 / 1000.0);
            let at = |index: usize| clip.get(index).copied().unwrap_or(0.0);
            at(index) * (1.0 - rest) + at(index + 1) * rest
        })
        .collect();
    out.resize(out.len().max(MIN_CLIP_SAMPLES), 0.0);
    out
}

/// Lower-case words without punctuation, for comparing decodings.
pub(super) fn plain_words<'a>(words: impl Iterator<Item = &'a Word>) -> Vec<String> {
    let plain = |word: &Word| word.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    words.map(plain).collect()
}

/// Length of the longest common subsequence.
pub(super) fn common_words(first: &[String], second: &[String]) -> usize {
    let mut row = vec![0usize; second.len() + 1];
    for a in first {
        let mut diagonal = 0;
        for (index, b) in second.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if a == b { diagonal + 1 } else { above.max(row[index]) };
            diagonal = above;
        }
    }
    row[second.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_ignore_what_only_one_heard() {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(common_words(&words("this call is recorded"), &words("this call was recorded")), 3);
        assert_eq!(common_words(&words("a b"), &words("c d")), 0);
        assert_eq!(common_words(&[], &words("c d")), 0);
    }

    #[test]
    fn trust_adds_up() {
        let one = Trust {
            words: 10,
            probability_sum_permille: 9_000,
            compared_words: 20,
            agreeing_words: 9,
            speech_ms: 5_000,
            compared_ms: 5_000,
        };
        assert_eq!((one.mean_probability_permille(), one.agreement_permille()), (900, Some(900)));
        assert_eq!(one.confidence_permille(), 900);
        let mut both = one;
        both += Trust { words: 10, probability_sum_permille: 3_000, ..Trust::default() };
        assert_eq!(both.mean_probability_permille(), 600);
        assert_eq!(Trust::default().confidence_permille(), 0);
        // Speech that was decoded twice without a word in either is no agreement.
        let silent = Trust { compared_ms: 5_000, speech_ms: 5_000, ..Trust::default() };
        assert_eq!(silent.confidence_permille(), 0);
    }

    #[test]
    fn a_faster_clip_is_shorter() {
        assert_eq!(change_speed(&vec![0.25; 32_000], 1_250).len(), 25_600);
    }
}
