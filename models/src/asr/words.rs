//! Tokens → words → segments.

use callmark_core::recording::is_han;
use callmark_core::transcript::{Span, Word};

use super::Segment;
use super::windows::{Piece, piece_at};

/// Words with times in the clip → segments with times in the recording: what lies in one piece of the clip is a segment.
pub(super) fn place(words: Vec<Word>, clip: &[Piece]) -> Vec<Segment> {
    let mut groups: Vec<(Piece, Vec<Word>)> = Vec::new();
    for mut word in words {
        let piece = *piece_at(clip, (word.begin_ms + word.end_ms) / 2);
        (word.begin_ms, word.end_ms) = (piece.time(word.begin_ms), piece.time(word.end_ms));
        match groups.last_mut() {
            Some((last, words)) if *last == piece => words.push(word),
            _ => groups.push((piece, vec![word])),
        }
    }
    groups.into_iter().map(|(_, words)| make_segment(words)).collect()
}

/// Words of one place, in order.
fn make_segment(mut words: Vec<Word>) -> Segment {
    let begin_ms = words.first().map_or(0, |word| word.begin_ms);
    let mut last = begin_ms;
    for word in &mut words {
        word.begin_ms = word.begin_ms.max(last);
        word.end_ms = word.end_ms.max(word.begin_ms);
        last = word.end_ms;
    }
    let sum: u32 = words.iter().map(|word| u32::from(word.confidence_permille)).sum();
    Segment {
        span: Span { begin_ms, end_ms: last.max(begin_ms + 1) },
        text: join_words(&words),
        mean_probability_permille: (sum / words.len().max(1) as u32) as u16,
        words,
    }
}

/// Words with spaces between them, except beside Chinese characters.
pub fn join_words(words: &[Word]) -> String {
    let mut text = String::new();
    for word in words {
        let tight = text.chars().last().is_none_or(is_wide) || word.text.chars().next().is_none_or(is_wide);
        if !tight {
            text.push(' ');
        }
        text.push_str(&word.text);
    }
    text
}

/// Han characters and full-width punctuation: written without spaces.
fn is_wide(c: char) -> bool {
    is_han(c) || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}')
}

/// Puts tokens together: a leading space starts a word, a Han character is a word, bytes may be split over tokens.
#[derive(Default)]
pub(super) struct WordBuilder {
    words: Vec<Spoken>,
    pending: Vec<u8>,
    probabilities: Vec<u16>,
}

/// A word without its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    pub text: String,
    pub confidence_permille: u16,
}

impl WordBuilder {
    pub fn push(&mut self, bytes: &[u8], probability_permille: u16) {
        let whole = std::str::from_utf8(&self.pending).is_ok();
        let wide = |text: &[u8], last: bool| {
            let text = String::from_utf8_lossy(text);
            let edge = if last { text.chars().last() } else { text.chars().next() };
            edge.is_some_and(is_han)
        };
        // Punctuation that follows a Han character stands alone; a sign such as " $" opens a word instead.
        let text = String::from_utf8_lossy(&self.pending);
        let mark = !text.is_empty() && !text.starts_with(' ') && !text.chars().any(char::is_alphanumeric);
        if whole && (mark || bytes.first() == Some(&b' ') || wide(bytes, false) || wide(&self.pending, true)) {
            self.flush();
        }
        self.pending.extend_from_slice(bytes);
        self.probabilities.push(probability_permille);
    }

    fn flush(&mut self) {
        let text = String::from_utf8_lossy(&self.pending).trim().to_string();
        let count = self.probabilities.len().max(1) as u32;
        let mean = self.probabilities.iter().map(|p| u32::from(*p)).sum::<u32>() / count;
        self.pending.clear();
        self.probabilities.clear();
        if text.is_empty() {
            return;
        }
        let is_word = text.chars().any(char::is_alphanumeric);
        match self.words.last_mut() {
            // Punctuation belongs to the word before it.
            Some(word) if !is_word => word.text.push_str(&text),
            None if !is_word => {}
            _ => self.words.push(Spoken { text, confidence_permille: mean as u16 }),
        }
    }

    pub fn finish(mut self) -> Vec<Spoken> {
        self.flush();
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[Spoken]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn tokens_become_words() {
        let mut builder = WordBuilder::default();
        for token in [" Hel", "lo", ",", " you", "'re", " 3", "."] {
            builder.push(token.as_bytes(), 800);
        }
        assert_eq!(texts(&builder.finish()), ["Hello,", "you're", "3."]);
    }

    #[test]
    fn chinese_characters_are_words_even_when_split_over_tokens() {
        let mut builder = WordBuilder::default();
        let ni = "您".as_bytes();
        for token in [&ni[..1], &ni[1..], "好".as_bytes(), "\u{ff0c}".as_bytes(), "OK".as_bytes(), "请".as_bytes()] {
            builder.push(token, 900);
        }
        let words = builder.finish();
        assert_eq!(texts(&words), ["您", "好\u{ff0c}", "OK", "请"]);
        let timed = |word: &Spoken| Word { text: word.text.clone(), begin_ms: 0, end_ms: 0, confidence_permille: 0 };
        assert_eq!(join_words(&words.iter().map(timed).collect::<Vec<_>>()), "您好\u{ff0c}OK请");
    }
}
