//! Phrases prepared once, when a scorecard or lexicon is read.

use std::collections::BTreeMap;

use super::lexeme::Vocabulary;
use super::tokens::tokenize;
use crate::recording::Language;

/// Similarity at which a phrase counts as said (SCORING.md §2; an engineering guess).
pub const DEFAULT_THRESHOLD_PERMILLE: u16 = 750;
/// Phrases with little content ("I understand") would match half the language at 0.75; they need this much.
pub const SHORT_PHRASE_THRESHOLD_PERMILLE: u16 = 850;
/// A phrase is short when it weighs less than two content words.
const SHORT_PHRASE_WEIGHT: u32 = 2_000;

/// Number of a phrase in its [`PhraseBook`].
pub type PhraseId = u32;

#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) words: Vec<u32>,
    pub(super) weight: u32,
}

/// Phrases prepared once, when a scorecard or lexicon is read.
#[derive(Clone, Debug, Default)]
pub struct PhraseBook {
    pub(super) vocabulary: Vocabulary,
    pub(super) phrases: Vec<Phrase>,
    ids: BTreeMap<(Language, String), PhraseId>,
}

impl PhraseBook {
    /// Adds a phrase; `None` when nothing of it remains after normalisation.
    pub fn add(&mut self, text: &str, language: Language) -> Option<PhraseId> {
        if let Some(id) = self.ids.get(&(language, text.to_string())) {
            return Some(*id);
        }
        let words: Vec<u32> = tokenize(text, language).iter().map(|t| self.vocabulary.intern(&t.text)).collect();
        let weight = words.iter().map(|w| self.vocabulary.lexemes[*w as usize].weight).sum();
        if words.is_empty() {
            return None;
        }
        let id = self.phrases.len() as PhraseId;
        self.phrases.push(Phrase { words, weight });
        self.ids.insert((language, text.to_string()), id);
        Some(id)
    }

    pub(super) fn threshold(&self, phrase: PhraseId, wanted: Option<u16>) -> u16 {
        match wanted {
            Some(threshold) => threshold,
            None if self.phrases[phrase as usize].weight < SHORT_PHRASE_WEIGHT => SHORT_PHRASE_THRESHOLD_PERMILLE,
            None => DEFAULT_THRESHOLD_PERMILLE,
        }
    }
}
