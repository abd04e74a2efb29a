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
        let mut found: Vec<Option<Neighbours>> = vec![None; said.lexemes.len()];
        {
            let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            for (word, id) in &said.ids {
                found[*id as usize] = known.get(word).cloned();
            }
        }
        if found.iter().any(Option::is_none) {
            let mut fresh: Vec<(&String, Neighbours)> = Vec::new();
            for (word, id) in &said.ids {
                if found[*id as usize].is_none() {
                    let neighbours = self.neighbours_of(&said.lexemes[*id as usize]);
                    found[*id as usize] = Some(neighbours.clone());
                    fresh.push((word, neighbours));
                }
            }
            let mut known = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
            let room = MOST_REMEMBERED.saturating_sub(known.len());
            known.extend(fresh.into_iter().take(room).map(|(word, neighbours)| (word.clone(), neighbours)));
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
