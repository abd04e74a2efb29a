//! A call's turns as tokens, with the way back to text and times.

use super::lexeme::{Lexeme, Vocabulary};
use super::must::MustWord;
use super::tokens::tokenize;
use crate::recording::Language;
use crate::transcript::{Role, Transcript};

/// A phrase may continue in the role's next turn when it follows within this time …
const CONTINUATION_GAP_MS: i64 = 3_000;
/// … and the other party said no more than this many tokens in between.
const BACKCHANNEL_TOKENS: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) word: u32,
    begin: usize,
    end: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TurnText {
    pub(super) tokens: Vec<Token>,
    /// Bytes of each recognised word in the turn's text; `None` for a word that is not found there.
    words: Vec<Option<(usize, usize)>>,
    /// The turn in which a phrase of this one may continue.
    pub(super) continues_in: Option<usize>,
}

/// A call's turns as tokens, with the way back to text and times.
pub struct CallText<'a> {
    transcript: &'a Transcript,
    language: Language,
    pub(super) vocabulary: Vocabulary,
    pub(super) turns: Vec<TurnText>,
}

/// A stretch of tokens from one turn into the same turn or its continuation; ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenSpan {
    pub turn: usize,
    pub begin: usize,
    pub end_turn: usize,
    pub end: usize,
}

/// What a stretch of a turn looks like to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    pub begin_ms: i64,
    pub end_ms: i64,
    pub quote: String,
    /// Mean confidence of the recogniser over the stretch's words; the turn's when it has no words.
    pub confidence_permille: u16,
}

/// The language in which a call is matched: the transcript's, else guessed from its text, else English.
pub fn call_language(transcript: &Transcript) -> Language {
    transcript.language.unwrap_or_else(|| {
        let all: String = transcript.turns.iter().flat_map(|t| [t.text.as_str(), " "]).collect();
        Language::of_text(&all).unwrap_or(Language::En)
    })
}

impl<'a> CallText<'a> {
    pub fn new(transcript: &'a Transcript) -> CallText<'a> {
        let language = call_language(transcript);
        let mut vocabulary = Vocabulary::default();
        let mut turns: Vec<TurnText> = transcript
            .turns
            .iter()
            .map(|turn| TurnText {
                tokens: tokenize(&turn.text, language)
                    .into_iter()
                    .map(|t| Token { word: vocabulary.intern(&t.text), begin: t.begin, end: t.end })
                    .collect(),
                words: locate_words(&turn.text, turn.words.iter().map(|w| w.text.as_str())),
                continues_in: None,
            })
            .collect();
        for i in 0..turns.len() {
            turns[i].continues_in = continuation(transcript, &turns, i);
        }
        CallText { transcript, language, vocabulary, turns }
    }

    /// The language in which this call is matched.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Text, times and confidence of a stretch.
    pub fn passage(&self, span: TokenSpan) -> Passage {
        let first = self.part(span.turn, span.begin, if span.end_turn == span.turn { Some(span.end) } else { None });
        if span.end_turn == span.turn {
            return first;
        }
        let second = self.part(span.end_turn, 0, Some(span.end));
        Passage {
            begin_ms: first.begin_ms,
            end_ms: second.end_ms,
            quote: format!("{} {}", first.quote, second.quote),
            confidence_permille: ((u32::from(first.confidence_permille) + u32::from(second.confidence_permille)) / 2)
                as u16,
        }
    }

    /// Tokens `begin..end` of one turn (`None`: to its end).
    fn part(&self, turn: usize, begin: usize, end: Option<usize>) -> Passage {
        let tokens = &self.turns[turn].tokens;
        let tokens = &tokens[begin..end.unwrap_or(tokens.len())];
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.bytes(turn, first.begin, last.end),
            _ => self.whole_turn(turn),
        }
    }

    /// Where a stretch begins and ends in the text of its first turn, in bytes.
    pub(crate) fn bytes_in_turn(&self, span: TokenSpan) -> (usize, usize) {
        let tokens = &self.turns[span.turn].tokens;
        let end = if span.end_turn == span.turn { span.end } else { tokens.len() };
        let stretch = tokens.get(span.begin..end).unwrap_or_default();
        stretch.first().zip(stretch.last()).map_or((0, 0), |(first, last)| (first.begin, last.end))
    }

    /// Bytes `begin..end` of a turn's text, widened to whole recognised words.
    pub(crate) fn bytes(&self, turn: usize, begin: usize, end: usize) -> Passage {
        let source = &self.transcript.turns[turn];
        let touched: Vec<usize> = self.turns[turn]
            .words
            .iter()
            .enumerate()
            .filter(|(_, place)| place.is_some_and(|(b, e)| b < end && e > begin))
            .map(|(i, _)| i)
            .collect();
        let quote = source.text.get(begin..end).unwrap_or(&source.text).trim().to_string();
        match (touched.first(), touched.last()) {
            (Some(first), Some(last)) => {
                let words = &source.words[*first..=*last];
                let sum: usize = words.iter().map(|w| usize::from(w.confidence_permille)).sum();
                Passage {
                    begin_ms: words[0].begin_ms,
                    end_ms: words[words.len() - 1].end_ms,
                    quote,
                    confidence_permille: (sum / words.len()) as u16,
                }
            }
            _ => Passage { quote, ..self.whole_turn(turn) },
        }
    }

    /// A whole turn.
    pub fn whole_turn(&self, turn: usize) -> Passage {
        let source = &self.transcript.turns[turn];
        Passage {
            begin_ms: source.begin_ms,
            end_ms: source.end_ms,
            quote: source.text.trim().to_string(),
            confidence_permille: source.confidence_permille,
        }
    }

    fn tokens_of(&self, span: TokenSpan) -> Vec<&Lexeme> {
        let lexeme = |t: &Token| &self.vocabulary.lexemes[t.word as usize];
        if span.turn == span.end_turn {
            self.turns[span.turn].tokens[span.begin..span.end].iter().map(lexeme).collect()
        } else {
            let (first, second) = (&self.turns[span.turn].tokens, &self.turns[span.end_turn].tokens);
            first[span.begin..].iter().chain(&second[..span.end]).map(lexeme).collect()
        }
    }

    /// True when one of the words is in the stretch, as [`MustWord`] says.
    pub fn has_one_of(&self, span: TokenSpan, words: &[MustWord]) -> bool {
        let tokens = self.tokens_of(span);
        words.iter().any(|word| word.is_in(&tokens))
    }
}

/// The next turn of the same role, when it follows soon and the other party only gave a back-channel in between.
fn continuation(transcript: &Transcript, turns: &[TurnText], from: usize) -> Option<usize> {
    let turn = &transcript.turns[from];
    if turn.role == Role::Unknown {
        return None;
    }
    let mut between = 0;
    for (i, next) in transcript.turns.iter().enumerate().skip(from + 1).take(3) {
        if next.role == turn.role {
            return (next.begin_ms - turn.end_ms <= CONTINUATION_GAP_MS).then_some(i);
        }
        between += turns[i].tokens.len();
        if between > BACKCHANNEL_TOKENS {
            return None;
        }
    }
    None
}

/// Finds each recognised word in the turn's text, in order.
fn locate_words<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Vec<Option<(usize, usize)>> {
    let mut cursor = 0;
    words
        .map(|word| {
            let word = word.trim();
            let place = text.get(cursor..)?.find(word).filter(|_| !word.is_empty())?;
            let begin = cursor + place;
            cursor = begin + word.len();
            Some((begin, cursor))
        })
        .collect()
}
