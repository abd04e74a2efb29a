//! `must` words: what a stretch has to contain, whatever else was misheard in it.

use super::lexeme::{Lexeme, similarity_of_chars};
use super::tokens::tokenize;
use crate::recording::{Language, is_han};

/// `must` words: least similarity by character.
const MUST_PERMILLE: u16 = 800;

/// A word (or short run of words) under `must`.
///
/// English: similarity by character of at least 0.8. Chinese: as many characters agree as there are, less one (less one
/// in five from ten characters on); a single character must agree, because a homophone changes whole characters.
#[derive(Clone, Debug)]
pub struct MustWord(Vec<Vec<char>>);

impl MustWord {
    /// `None` when nothing remains after normalisation.
    pub fn new(text: &str, language: Language) -> Option<MustWord> {
        let tokens: Vec<Vec<char>> = tokenize(text, language).iter().map(|t| t.text.chars().collect()).collect();
        (!tokens.is_empty()).then_some(MustWord(tokens))
    }

    pub(super) fn is_in(&self, tokens: &[&Lexeme]) -> bool {
        let length = self.0.len();
        let han = self.0.iter().all(|t| t.iter().all(|c| is_han(*c)));
        tokens.windows(length).any(|window| {
            if han {
                let agree = window.iter().zip(&self.0).filter(|(said, meant)| said.chars == **meant).count();
                let allowed = if length == 1 { 0 } else { (length / 5).max(1) };
                agree + allowed >= length
            } else {
                let said: Vec<char> = window.iter().flat_map(|w| w.chars.iter().copied()).collect();
                similarity_of_chars(&self.0.concat(), &said) >= MUST_PERMILLE
            }
        })
    }
}

/// True when a phrase contains one of its own `must` words: said exactly, it would match.
pub(crate) fn phrase_has(phrase: &str, language: Language, must: &[MustWord]) -> bool {
    let lexemes: Vec<Lexeme> = tokenize(phrase, language).iter().map(|t| Lexeme::new(&t.text)).collect();
    let tokens: Vec<&Lexeme> = lexemes.iter().collect();
    must.iter().any(|word| word.is_in(&tokens))
}
