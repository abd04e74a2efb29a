//! `must` words: what a stretch has to contain, whatever else was misheard in it.

use super::lexeme::{Lexeme, similarity_of_chars, sounds_alike};
use super::sound::Alike;
use super::tokens::tokenize;
use crate::recording::{Language, is_han};

/// Least similarity by character of an English `must` word.
const MUST_PERMILLE: u16 = 800;

/// A word (or short run of words) under `must`.
///
/// English: similarity by character of at least 0.8. Chinese: every character is said or one that sounds nearly like it (one in five
/// may be any other); a single one must sound the same, because there is nothing around it that would tell.
#[derive(Clone, Debug)]
pub struct MustWord(Vec<Lexeme>);

impl MustWord {
    /// `None` when nothing remains after normalisation.
    pub fn new(text: &str, language: Language) -> Option<MustWord> {
        let lexemes: Vec<Lexeme> = tokenize(text, language).iter().map(|t| Lexeme::new(&t.text)).collect();
        (!lexemes.is_empty()).then_some(MustWord(lexemes))
    }

    pub(super) fn is_in(&self, tokens: &[&Lexeme]) -> bool {
        let length = self.0.len();
        let han = self.0.iter().all(|t| t.chars.iter().all(|c| is_han(*c)));
        let farthest = if length == 1 { Alike::Equal } else { Alike::Near };
        tokens.windows(length).any(|window| {
            if han {
                let agreeing = self.0.iter().zip(window).filter(|(meant, said)| agree(meant, said, farthest)).count();
                agreeing + length / 5 >= length
            } else {
                let meant: Vec<char> = self.0.iter().flat_map(|m| m.chars.iter().copied()).collect();
                let said: Vec<char> = window.iter().flat_map(|w| w.chars.iter().copied()).collect();
                similarity_of_chars(&meant, &said) >= MUST_PERMILLE
            }
        })
    }
}

fn agree(meant: &Lexeme, said: &Lexeme, farthest: Alike) -> bool {
    meant.chars == said.chars || sounds_alike(meant, said).is_some_and(|alike| alike <= farthest)
}

/// True when a phrase contains one of its own `must` words: said exactly, it would match.
pub(crate) fn phrase_has(phrase: &str, language: Language, must: &[MustWord]) -> bool {
    let lexemes: Vec<Lexeme> = tokenize(phrase, language).iter().map(|t| Lexeme::new(&t.text)).collect();
    let tokens: Vec<&Lexeme> = lexemes.iter().collect();
    must.iter().any(|word| word.is_in(&tokens))
}
