//! Tolerant matching: finds phrases in recognised text although the recogniser made mistakes, and says where.
//!
//! Text becomes tokens (`tokens`): English by word, Chinese by character; contractions, spellings, compounds, numbers, money, times and
//! dates in one form each (`numbers`). A phrase is aligned with every window of a turn at once (`finder`; Sellers 1980: edit distance with
//! a free start and end); similarity = 1 − weighted edits / weight of the phrase. Function words weigh 0.3, fillers 0.1, negations 2, all
//! other tokens 1 (`lexeme`); "okay", "like" and such as a word too many 0.3. A token replaced by a similar one costs less than a full edit: an
//! English word by its letters or as a homophone, a Chinese character by its pinyin syllable (`sound`). How much may be wrong is a
//! [`Tolerance`]. A [`Hit`] says how it was found and how similar it is.

mod content;
mod finder;
mod lexeme;
mod must;
mod numbers;
mod pattern_words;
mod phrases;
mod sound;
mod stance;
mod text;
mod tokens;
mod words;

pub use content::content_words;
pub use finder::{Finder, Hit, How};
pub use lexeme::character_similarity_permille;
pub use must::MustWord;
pub(crate) use must::phrase_has;
pub use numbers::{EN_SMALL, EN_TENS};
pub(crate) use pattern_words::{PatternBook, PatternTurns};
pub use phrases::{PhraseBook, PhraseId, Tolerance};
pub use stance::Stance;
pub use text::{CallText, Passage, TokenSpan, call_language};
pub(crate) use tokens::pattern_text;

#[cfg(test)]
mod tests;
