//! Phrases prepared once, when a scorecard or lexicon is read.

use std::collections::BTreeMap;

use super::lexeme::FUNCTION;
use super::tokens::tokenize;
use super::words::WordBook;
use crate::recording::Language;

/// A phrase is short when it weighs less than two content words.
const SHORT_PHRASE_WEIGHT: u32 = 2_000;
/// How much may be wrong. The defaults were chosen by measurement: models/evaluation/README.md, "Do phrases survive the recogniser?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Similarity at which a phrase counts as said.
    pub threshold_permille: u16,
    /// Phrases with little content ("I understand") are near half the language; they need this much.
    pub short_threshold_permille: u16,
    /// Cost of a character that sounds the same, as a share of the weight of the one that was meant.
    pub equal_sound_permille: u16,
    /// Likewise of one that sounds nearly the same; of an English homophone as a share of the larger weight.
    pub near_sound_permille: u16,
}

impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance {
            threshold_permille: 750,
            short_threshold_permille: 850,
            equal_sound_permille: 350,
            near_sound_permille: 500,
        }
    }
}

/// Number of a phrase in its [`PhraseBook`].
pub type PhraseId = u32;

#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) words: Vec<u32>,
    pub(super) weight: u32,
    /// Weight of the function words, which bounds take as said: every turn has some of them, and they decide little.
    pub(super) granted: u32,
}

/// Similarity from which on bounds are kept. A phrase whose function words alone could reach it is granted nothing.
pub(super) const LEAST_BOUND: u16 = 500;

/// Phrases prepared once, when a scorecard or lexicon is read.
#[derive(Clone, Debug, Default)]
pub struct PhraseBook {
    pub(super) words: WordBook,
    pub(super) phrases: Vec<Phrase>,
    ids: BTreeMap<(Language, String), PhraseId>,
    /// Per lexeme: the phrases that contain it and do not grant it, and how often.
    pub(super) postings: Vec<Vec<(PhraseId, u32)>>,
}

impl PhraseBook {
    /// An empty book whose phrases are matched with this tolerance.
    pub fn with_tolerance(tolerance: Tolerance) -> PhraseBook {
        PhraseBook { words: WordBook::with_tolerance(tolerance), ..PhraseBook::default() }
    }

    /// Adds a phrase; `None` when nothing of it remains after normalisation.
    pub fn add(&mut self, text: &str, language: Language) -> Option<PhraseId> {
        if let Some(id) = self.ids.get(&(language, text.to_string())) {
            return Some(*id);
        }
        let words: Vec<u32> = tokenize(text, language).iter().map(|t| self.words.add(&t.text)).collect();
        let weight_of = |w: &u32| self.words.vocabulary.lexemes[*w as usize].weight;
        let weight: u32 = words.iter().map(weight_of).sum();
        let light: u32 = words.iter().map(weight_of).filter(|weight| *weight <= FUNCTION).sum();
        let grants = light * 1_000 < weight * u32::from(LEAST_BOUND);
        if words.is_empty() {
            return None;
        }
        let id = self.phrases.len() as PhraseId;
        self.postings.resize(self.words.vocabulary.lexemes.len(), Vec::new());
        for word in &words {
            if grants && self.words.vocabulary.lexemes[*word as usize].weight <= FUNCTION {
                continue;
            }
            let list = &mut self.postings[*word as usize];
            match list.last_mut().filter(|(phrase, _)| *phrase == id) {
                Some((_, times)) => *times += 1,
                None => list.push((id, 1)),
            }
        }
        self.phrases.push(Phrase { words, weight, granted: if grants { light } else { 0 } });
        self.ids.insert((language, text.to_string()), id);
        Some(id)
    }

    pub(super) fn threshold(&self, phrase: PhraseId, wanted: Option<u16>) -> u16 {
        match wanted {
            Some(threshold) => threshold,
            None if self.phrases[phrase as usize].weight < SHORT_PHRASE_WEIGHT => {
                self.words.tolerance.short_threshold_permille
            }
            None => self.words.tolerance.threshold_permille,
        }
    }
}
