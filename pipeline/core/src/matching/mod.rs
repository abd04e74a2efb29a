//! Tolerant matching: finds phrases in recognised text although the recogniser made mistakes, and says where.
//!
//! Text becomes tokens: English by word (contractions and digits written out), Chinese by character. A phrase is
//! aligned with every window of a turn at once (Sellers 1980: edit distance with a free start and end);
//! similarity = 1 − weighted edits / weight of the phrase. Function words weigh 0.3, fillers 0.1, negations 2, all
//! other tokens 1. A token replaced by a similar one costs less than a full edit.

mod finder;
mod lexeme;
mod must;
mod numbers;
mod phrases;
mod text;
mod tokens;

pub use finder::{Finder, Hit};
pub use lexeme::character_similarity_permille;
pub use must::MustWord;
pub(crate) use must::phrase_has;
pub use numbers::{EN_SMALL, EN_TENS};
pub use phrases::{DEFAULT_THRESHOLD_PERMILLE, PhraseBook, PhraseId, SHORT_PHRASE_THRESHOLD_PERMILLE};
pub use text::{CallText, Passage, TokenSpan, call_language};
pub(crate) use tokens::pattern_text;

#[cfg(test)]
mod tests;
