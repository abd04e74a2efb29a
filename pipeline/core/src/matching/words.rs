//! The words of a scorecard's phrases or patterns, and which words of calls stand near them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::lexeme::{Lexeme, Vocabulary, full_cost, substitution_cost};
use super::phrases::Tolerance;

/// Words of calls whose neighbours are kept: as many as a language has in use, so that memory stays bounded.
const MOST_REMEMBERED: usize = 50_000;

/// The words of a book that a said word can stand for at less than full cost, by number, with that cost.
pub(super) type Neighbours = Arc<[(u32, u16)]>;

/// Words, numbered in order of appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct WordBook {
    pub(super) vocabulary: Vocabulary,
    pub(super) tolerance: Tolerance,
    /// Neighbours of words in the calls so far. Calls share most of their words; what is found for one is the same for all.
    remembered: Arc<RwLock<BTreeMap<String, Neighbours>>>,
}

impl WordBook {
    pub(super) fn with_tolerance(tolerance: Tolerance) -> WordBook {
        WordBook { tolerance, ..WordBook::default() }
    }

    pub(super) fn add(&mut self, word: &str) -> u32 {
        // Copies of this book stay as they are.
        self.remembered = Arc::default();
        self.vocabulary.intern(word)
    }

    /// Per word of a call's vocabulary: its neighbours in this book.
    pub(super) fn neighbours(&self, said: &Vocabulary) -> Vec<Neighbours> {
        let mut words: Vec<(&str, &Lexeme)> = said.lexemes.iter().map(|lexeme| ("", lexeme)).collect();
        said.ids.iter().for_each(|(word, id)| words[*id as usize].0 = word);
        self.neighbours_of_all(&words)
    }

    /// Of these words, in their order.
    pub(super) fn neighbours_of_all(&self, words: &[(&str, &Lexeme)]) -> Vec<Neighbours> {
        let (mut found, is_full): (Vec<Option<Neighbours>>, bool) = {
            let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            (words.iter().map(|(word, _)| known.get(*word).cloned()).collect(), known.len() >= MOST_REMEMBERED)
        };
        if found.iter().any(Option::is_none) {
            let mut fresh: Vec<(&str, Neighbours)> = Vec::new();
            for ((word, lexeme), found) in words.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                let neighbours = self.neighbours_of(lexeme);
                *found = Some(neighbours.clone());
                fresh.push((word, neighbours));
            }
            if !is_full {
                let mut known = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
                let room = MOST_REMEMBERED.saturating_sub(known.len());
                known.extend(fresh.into_iter().take(room).map(|(word, neighbours)| (word.to_string(), neighbours)));
            }
        }
        found.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn neighbours_of(&self, said: &Lexeme) -> Neighbours {
        let near = |(id, meant): (usize, &Lexeme)| {
            let cost = substitution_cost(meant, said, &self.tolerance);
            (cost < full_cost(meant, said)).then_some((id as u32, cost as u16))
        };
        self.vocabulary.lexemes.iter().enumerate().filter_map(near).collect()
    }
}
