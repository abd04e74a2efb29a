//! Distinct tokens: what each weighs, and what it costs to read one where another was meant.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::numbers::is_number_word;
use super::phrases::Tolerance;
use super::sound::{Alike, Syllable, alike, syllables};
use super::tokens::latin_words;
use crate::recording::is_han;

pub(super) const CONTENT: u32 = 1_000;
pub(super) const FUNCTION: u32 = 300;
const FILLER: u32 = 100;
const NEGATION: u32 = 2_000;

const FUNCTION_WORDS: &[&str] = &[
    "a", "am", "an", "and", "are", "as", "at", "be", "been", "being", "by", "can", "could", "did", "do", "does", "for",
    "from", "had", "has", "have", "he", "her", "here", "him", "his", "i", "if", "in", "is", "it", "just", "may", "me",
    "might", "my", "oclock", "of", "on", "or", "our", "please", "pm", "shall", "she", "should", "so", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "us", "was", "we", "were", "will",
    "with", "would", "you", "your", "的", "了", "吗", "呢", "吧", "呀", "嘛", "就", "那", "这", "个", "你", "我", "他",
    "们", "是", "在", "会", "把", "给", "也", "都", "很", "将", "被", "请", "之",
];
const FILLER_WORDS: &[&str] =
    &["ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "oh", "uh", "uhm", "um", "嗯", "呃", "啊", "哦", "噢", "唉"];
/// Said anywhere, and put in by recognisers, without changing what a sentence says: as words too many they cost what function words cost.
const DISCOURSE_WORDS: &[&str] =
    &["actually", "anyway", "basically", "like", "now", "ok", "okay", "really", "right", "well", "yeah", "yes"];
/// Groups of words that are written differently and said the same. No negation, for nothing is taken for one; a number may stand for others, not
/// others for it. The rest of the phrase must tell: each costs what a sound that is nearly the same costs.
const HOMOPHONES: &str = "too two to, for fore four, their there, buy by bye, hear here, right write, weak week, \
    some sum, knew new, way weigh, wait weight, hole whole, mail male, sail sale, sea see, meat meet, fair fare, weather whether, threw through, \
    brake break, cell sell, cent scent sent, coarse course, check cheque, find fined, son sun, allowed aloud, passed past, principal principle";
const NEGATION_WORDS: &[&str] =
    &["cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without", "不", "没", "未", "无"];

/// Word → number of its group.
static HOMOPHONE_GROUPS: LazyLock<BTreeMap<&str, usize>> = LazyLock::new(|| {
    let groups = HOMOPHONES.split(',').enumerate();
    groups.flat_map(|(group, words)| words.split_whitespace().map(move |word| (word, group))).collect()
});

/// Of all words that are none of content.
static WEIGHTS: LazyLock<BTreeMap<&str, u32>> = LazyLock::new(|| {
    let lists = [(FUNCTION_WORDS, FUNCTION), (FILLER_WORDS, FILLER), (NEGATION_WORDS, NEGATION)];
    lists.into_iter().flat_map(|(words, weight)| words.iter().map(move |word| (*word, weight))).collect()
});

/// A distinct token with what alignment needs to know about it.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub(super) chars: Vec<char>,
    pub(super) stem: String,
    pub(super) weight: u32,
    /// What it costs when it is too many.
    pub(super) inserted: u32,
    /// Number of the words that are said the same.
    homophones: Option<usize>,
    /// How it may sound; empty unless it is a Chinese character.
    syllables: Vec<Syllable>,
    /// Which of a…z occur: a cheap lower bound on the edit distance.
    letters: u32,
}

impl Lexeme {
    pub(super) fn new(text: &str) -> Lexeme {
        let chars: Vec<char> = text.chars().collect();
        let weight = WEIGHTS.get(text).copied().unwrap_or(CONTENT);
        let letters = text.bytes().filter(u8::is_ascii_lowercase).fold(0, |set, b| set | 1 << (b - b'a'));
        let syllables = chars.first().filter(|c| is_han(**c)).map_or_else(Vec::new, |c| syllables(*c));
        Lexeme {
            stem: stem(text),
            weight,
            inserted: if DISCOURSE_WORDS.contains(&text) { FUNCTION } else { weight },
            homophones: HOMOPHONE_GROUPS.get(text).copied(),
            syllables,
            letters,
            chars,
        }
    }
}

/// True of a negation, and of words written with one ("don't").
pub(super) fn negates(word: &str) -> bool {
    NEGATION_WORDS.contains(&word) || latin_words(word).iter().any(|part| NEGATION_WORDS.contains(&part.as_str()))
}

/// How alike two Chinese characters sound; `None` for other words.
pub(super) fn sounds_alike(meant: &Lexeme, said: &Lexeme) -> Option<Alike> {
    alike(&meant.syllables, &said.syllables)
}

/// Strips the regular English endings that recognisers confuse (call/calls, record/recorded/recording).
fn stem(word: &str) -> String {
    for (ending, least) in [("ing", 4), ("ed", 4), ("es", 4), ("d", 4), ("s", 3), ("e", 4)] {
        if let Some(base) = word.strip_suffix(ending)
            && base.len() >= least
            && base.is_ascii()
        {
            return base.to_string();
        }
    }
    word.to_string()
}

/// Similarity of two words by character, per mille: 1 − edit distance / length of the longer.
pub fn character_similarity_permille(a: &str, b: &str) -> u16 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    similarity_of_chars(&a, &b)
}

pub(super) fn similarity_of_chars(a: &[char], b: &[char]) -> u16 {
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 1_000;
    }
    let distance = strsim::generic_levenshtein(&Chars(a), &Chars(b));
    (1_000 - distance * 1_000 / longest) as u16
}

/// Lets strsim iterate over a borrowed slice.
struct Chars<'a>(&'a [char]);

impl<'b> IntoIterator for &'b Chars<'_> {
    type Item = &'b char;
    type IntoIter = std::slice::Iter<'b, char>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Cost of reading `said` where the phrase has `meant`. Zero only for equal tokens.
pub(super) fn substitution_cost(meant: &Lexeme, said: &Lexeme, tolerance: &Tolerance) -> u32 {
    if meant.chars == said.chars {
        return 0;
    }
    let full = full_cost(meant, said);
    // A negation may have been misheard, but nothing is taken for a negation, nor a negation for nothing.
    if said.weight == NEGATION {
        return full;
    }
    match sounds_alike(meant, said) {
        Some(Alike::Equal) => return meant.weight * u32::from(tolerance.equal_sound_permille) / 1_000,
        Some(Alike::Near) => return meant.weight * u32::from(tolerance.near_sound_permille) / 1_000,
        None => {}
    }
    // No number is heard where none was said, and no word of content in one that every turn has ("to" is not "too").
    let stands_for = said.weight >= meant.weight && !is_number_word(&meant.stem);
    if stands_for && meant.homophones.is_some() && meant.homophones == said.homophones {
        return full * u32::from(tolerance.near_sound_permille) / 1_000;
    }
    let shortest = meant.chars.len().min(said.chars.len());
    let longest = meant.chars.len().max(said.chars.len());
    if meant.weight == NEGATION || !meant.syllables.is_empty() || !said.syllables.is_empty() {
        return full;
    }
    if meant.stem == said.stem {
        return full * 15 / 100;
    }
    let unshared = (meant.letters ^ said.letters).count_ones() as usize;
    // What the lines below would find, without the letters' order: an edit changes the length by one, and two letters at most.
    let most_unshared = if longest <= 4 { 2 } else { longest - 1 };
    if longest >= 2 * shortest || unshared > most_unshared {
        return full;
    }
    let similarity = u32::from(similarity_of_chars(&meant.chars, &said.chars));
    // Words of up to four letters are all neighbours of each other (call, calm, can): little credit for one letter.
    if longest <= 4 {
        return if similarity > 600 { full * 3 / 4 } else { full };
    }
    // Twice the distance: at half of the characters a similar word is no better than any other.
    full * (2 * (1_000 - similarity)).min(1_000) / 1_000
}

/// Cost of a word in the place of one that it has nothing in common with.
pub(super) fn full_cost(meant: &Lexeme, said: &Lexeme) -> u32 {
    meant.weight.max(said.weight)
}

/// Distinct tokens, numbered in order of appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    pub(super) ids: BTreeMap<String, u32>,
    pub(super) lexemes: Vec<Lexeme>,
}

impl Vocabulary {
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.lexemes.len() as u32;
        self.ids.insert(text.to_string(), id);
        self.lexemes.push(Lexeme::new(text));
        id
    }
}
