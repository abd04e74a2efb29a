//! Tolerant matching: finds phrases in recognised text although the recogniser made mistakes, and says where.
//!
//! Text becomes tokens: English by word (contractions and digits written out), Chinese by character. A phrase is
//! aligned with every window of a turn at once (Sellers 1980: edit distance with a free start and end);
//! similarity = 1 − weighted edits / weight of the phrase. Function words weigh 0.3, fillers 0.1, negations 2, all
//! other tokens 1. A token replaced by a similar one costs less than a full edit.

use std::collections::BTreeMap;

use crate::recording::{Language, is_han};
use crate::redaction::placeholder_at;
use crate::transcript::{Role, Transcript};

/// Similarity at which a phrase counts as said (SCORING.md §2; an engineering guess).
pub const DEFAULT_THRESHOLD_PERMILLE: u16 = 750;
/// Phrases with little content ("I understand") would match half the language at 0.75; they need this much.
pub const SHORT_PHRASE_THRESHOLD_PERMILLE: u16 = 850;
/// A phrase is short when it weighs less than two content words.
const SHORT_PHRASE_WEIGHT: u32 = 2_000;
/// `must` words: least similarity by character.
const MUST_PERMILLE: u16 = 800;
/// A phrase may continue in the role's next turn when it follows within this time …
const CONTINUATION_GAP_MS: i64 = 3_000;
/// … and the other party said no more than this many tokens in between.
const BACKCHANNEL_TOKENS: usize = 3;
/// `not` phrases veto a match in the same turn, or when they end at most this many tokens before it.
const NEGATION_REACH_TOKENS: usize = 4;

const CONTENT: u32 = 1_000;
const FUNCTION: u32 = 300;
const FILLER: u32 = 100;
const NEGATION: u32 = 2_000;

const FUNCTION_WORDS: &[&str] = &[
    "a", "am", "an", "and", "are", "as", "at", "be", "been", "being", "by", "can", "could", "did", "do", "does", "for",
    "from", "had", "has", "have", "he", "her", "here", "him", "his", "i", "if", "in", "is", "it", "just", "may", "me",
    "might", "my", "of", "on", "or", "our", "please", "shall", "she", "should", "so", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "to", "us", "was", "we", "were", "will", "with", "would", "you",
    "your", "的", "了", "吗", "呢", "吧", "呀", "嘛", "就", "那", "这", "个", "你", "我", "他", "们", "是", "在", "会",
    "把", "给", "也", "都", "很", "将", "被", "请",
];
const FILLER_WORDS: &[&str] =
    &["ah", "eh", "er", "erm", "hm", "hmm", "mhm", "mm", "oh", "uh", "uhm", "um", "嗯", "呃", "啊", "哦", "噢", "唉"];
const NEGATION_WORDS: &[&str] =
    &["cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without", "不", "没", "未", "无"];
/// Words that recognisers and writers spell in several ways, and contractions written without their apostrophe.
const SPELLINGS: &[(&str, &str)] = &[
    ("alright", "all right"),
    ("arent", "are not"),
    ("cannot", "can not"),
    ("cant", "can not"),
    ("couldnt", "could not"),
    ("didnt", "did not"),
    ("doesnt", "does not"),
    ("dont", "do not"),
    ("gonna", "going to"),
    ("gotta", "got to"),
    ("hadnt", "had not"),
    ("hasnt", "has not"),
    ("havent", "have not"),
    ("im", "i am"),
    ("isnt", "is not"),
    ("its", "it is"),
    ("ive", "i have"),
    ("lets", "let us"),
    ("mr", "mister"),
    ("mrs", "missis"),
    ("ok", "okay"),
    ("shouldnt", "should not"),
    ("thats", "that is"),
    ("theyll", "they will"),
    ("theyre", "they are"),
    ("wanna", "want to"),
    ("wasnt", "was not"),
    ("werent", "were not"),
    ("weve", "we have"),
    ("whats", "what is"),
    ("wont", "will not"),
    ("wouldnt", "would not"),
    ("youll", "you will"),
    ("youre", "you are"),
    ("youve", "you have"),
];
const IS_AFTER: &[&str] =
    &["he", "here", "how", "it", "she", "that", "there", "what", "when", "where", "who", "everything", "everyone"];

/// Folds width, case, typographic apostrophes and Chinese variants one to one, so that offsets stay true.
fn fold(c: char) -> char {
    let c = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{00A0}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{00B4}' => '\'',
        '您' => '你',
        '她' | '它' | '牠' => '他',
        '两' | '俩' => '二',
        '幺' => '一',
        '〇' => '零',
        _ => c,
    };
    // Only one-to-one lower-casing: the few letters that become two stay as they are.
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}

/// A normalised word with the bytes of the source text that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RawToken {
    text: String,
    begin: usize,
    end: usize,
}

/// Splits text into normalised tokens. Several tokens may stand for the same bytes ("24" → twenty, four).
fn tokenize(text: &str, language: Language) -> Vec<RawToken> {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(i, c)| (i, fold(c))).collect();
    let offset = |i: usize| chars.get(i).map_or(text.len(), |(at, _)| *at);
    let at = |i: usize| chars.get(i).map_or(' ', |(_, c)| *c);
    let mut tokens = Vec::new();
    let mut push = |words: Vec<String>, begin: usize, end: usize| {
        tokens.extend(words.into_iter().map(|text| RawToken { text, begin: offset(begin), end: offset(end) }));
    };
    let mut i = 0;
    let mut currency: Option<(usize, char)> = None;
    while i < chars.len() {
        let c = at(i);
        let begin = i;
        if is_han(c) {
            i += 1;
            push(vec![c.to_string()], begin, i);
        } else if c.is_ascii_digit() {
            while at(i).is_ascii_digit() || (matches!(at(i), '.' | ',') && at(i + 1).is_ascii_digit()) {
                i += 1;
            }
            let number: String = (begin..i).map(at).filter(|c| *c != ',').collect();
            let ordinal = language == Language::En
                && matches!((at(i), at(i + 1)), ('s', 't') | ('n', 'd') | ('r', 'd') | ('t', 'h'))
                && !at(i + 2).is_alphanumeric();
            if ordinal {
                i += 2;
            }
            let percent = at(i) == '%';
            if percent {
                i += 1;
            }
            let sign = currency.take().filter(|(end, _)| *end == begin);
            let first = if sign.is_some() { begin - 1 } else { begin };
            let year = language == Language::Zh && at(i) == '年';
            push(number_words(&number, language, ordinal, percent, sign.map(|s| s.1), year), first, i);
        } else if c == '['
            && let Some(placeholder) = placeholder_at(&text[offset(i)..])
        {
            // One word that no phrase has: "[card]" is not the word "card".
            i += placeholder.len();
            push(vec![placeholder.to_string()], begin, i);
        } else if c.is_alphanumeric() {
            while (at(i).is_alphabetic() && !is_han(at(i))) || (at(i) == '\'' && at(i + 1).is_alphabetic()) {
                i += 1;
            }
            i = i.max(begin + 1);
            push(latin_words(&(begin..i).map(at).collect::<String>()), begin, i);
        } else {
            i += 1;
            match c {
                '$' | '£' | '€' | '¥' | '￥' => currency = Some((i, c)),
                '&' => push(vec!["and".to_string()], begin, i),
                '%' if language == Language::En => push(vec!["percent".to_string()], begin, i),
                _ => {}
            }
        }
    }
    tokens
}

/// Writes contractions out; drops a possessive's apostrophe.
fn latin_words(word: &str) -> Vec<String> {
    let split = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    if let Some((base, suffix)) = word.rsplit_once('\'') {
        let two = |second: &str| vec![base.to_string(), second.to_string()];
        match suffix {
            "ll" => return two("will"),
            "re" => return two("are"),
            "ve" => return two("have"),
            "m" => return two("am"),
            "d" => return two("would"),
            "s" if base == "let" => return two("us"),
            "s" if IS_AFTER.contains(&base) => return two("is"),
            _ => {}
        }
    }
    let bare: String = word.chars().filter(|c| *c != '\'').collect();
    match SPELLINGS.binary_search_by(|(from, _)| (*from).cmp(bare.as_str())) {
        Ok(found) => split(SPELLINGS[found].1),
        Err(_) => vec![bare],
    }
}

/// Writes a number as it is spoken. `number` has digits and points only.
fn number_words(
    number: &str,
    language: Language,
    ordinal: bool,
    percent: bool,
    sign: Option<char>,
    year: bool,
) -> Vec<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // "192.168.1.1", a phone number, "007": digit by digit.
    let by_digit = fraction.contains('.')
        || whole.len() > if language == Language::En { 6 } else { 8 }
        || (whole.len() > 1 && whole.starts_with('0'));
    let digits = |text: &str| -> Vec<String> {
        text.chars()
            .filter_map(|c| c.to_digit(10))
            .map(|d| match language {
                Language::En => EN_SMALL[d as usize].to_string(),
                Language::Zh => ZH_DIGITS[d as usize].to_string(),
            })
            .collect()
    };
    if by_digit {
        return digits(number);
    }
    let value: u32 = whole.parse().unwrap_or(0);
    let mut words = Vec::new();
    match language {
        Language::En => {
            english_number(value, &mut words);
            if fraction.len() == 2 && !percent {
                let cents: u32 = fraction.parse().unwrap_or(0);
                if cents < 10 {
                    words.push(if cents == 0 { "hundred" } else { "oh" }.to_string());
                }
                if cents == 0 {
                    words.pop();
                } else {
                    english_number(cents, &mut words);
                }
            } else if !fraction.is_empty() {
                words.push("point".to_string());
                words.extend(digits(fraction));
            }
            if ordinal && let Some(last) = words.last_mut() {
                *last = english_ordinal(last);
            }
            if percent {
                words.push("percent".to_string());
            }
            match sign {
                Some('$') => words.push("dollars".to_string()),
                Some('£') => words.push("pounds".to_string()),
                Some('€') => words.push("euros".to_string()),
                Some(_) => words.push("yuan".to_string()),
                None => {}
            }
        }
        Language::Zh => {
            if percent {
                words.extend(["百", "分", "之"].map(str::to_string));
            }
            if year && whole.len() == 4 {
                return digits(whole);
            }
            if percent && value == 100 {
                words.push("百".to_string());
            } else {
                chinese_number(value, &mut words);
            }
            if !fraction.is_empty() {
                words.push("点".to_string());
                words.extend(digits(fraction));
            }
            if sign.is_some() {
                words.push("元".to_string());
            }
        }
    }
    words
}

/// English numbers below twenty.
pub const EN_SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// English tens; the first two are empty.
pub const EN_TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ZH_DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// English cardinal below a million; 1100…2099 are read in pairs ("nineteen ninety nine").
fn english_number(value: u32, words: &mut Vec<String>) {
    match value {
        0..=19 => words.push(EN_SMALL[value as usize].to_string()),
        20..=99 => {
            words.push(EN_TENS[(value / 10) as usize].to_string());
            if !value.is_multiple_of(10) {
                english_number(value % 10, words);
            }
        }
        100..=999 => {
            english_number(value / 100, words);
            words.push("hundred".to_string());
            if !value.is_multiple_of(100) {
                english_number(value % 100, words);
            }
        }
        1_100..=2_099 if value % 1_000 >= 10 => {
            english_number(value / 100, words);
            match value % 100 {
                0 => words.push("hundred".to_string()),
                rest @ 1..=9 => {
                    words.push("oh".to_string());
                    english_number(rest, words);
                }
                rest => english_number(rest, words),
            }
        }
        _ => {
            english_number(value / 1_000, words);
            words.push("thousand".to_string());
            if !value.is_multiple_of(1_000) {
                english_number(value % 1_000, words);
            }
        }
    }
}

fn english_ordinal(word: &str) -> String {
    match word {
        "one" => "first".to_string(),
        "two" => "second".to_string(),
        "three" => "third".to_string(),
        "five" => "fifth".to_string(),
        "eight" => "eighth".to_string(),
        "nine" => "ninth".to_string(),
        "twelve" => "twelfth".to_string(),
        other => match other.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{other}th"),
        },
    }
}

/// Chinese cardinal below 10⁸, one character a token.
fn chinese_number(value: u32, words: &mut Vec<String>) {
    if value >= 10_000 {
        chinese_number(value / 10_000, words);
        words.push("万".to_string());
        if value.is_multiple_of(10_000) {
            return;
        }
        if value % 10_000 < 1_000 {
            words.push("零".to_string());
        }
        return chinese_number(value % 10_000, words);
    }
    if value == 0 {
        return words.push("零".to_string());
    }
    let mut started = false;
    let mut gap = false;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / unit % 10;
        if digit == 0 {
            gap = started;
            continue;
        }
        if std::mem::take(&mut gap) {
            words.push("零".to_string());
        }
        // 10…19 are 十 … 十九, not 一十.
        if !(digit == 1 && unit == 10 && !started) {
            words.push(ZH_DIGITS[digit as usize].to_string());
        }
        if !name.is_empty() {
            words.push(name.to_string());
        }
        started = true;
    }
}

/// A distinct token with what alignment needs to know about it.
#[derive(Clone, Debug)]
struct Lexeme {
    chars: Vec<char>,
    stem: String,
    weight: u32,
    han: bool,
    /// Which of a…z occur: a cheap lower bound on the edit distance.
    letters: u32,
}

impl Lexeme {
    fn new(text: &str) -> Lexeme {
        let chars: Vec<char> = text.chars().collect();
        let weight = if NEGATION_WORDS.contains(&text) {
            NEGATION
        } else if FILLER_WORDS.contains(&text) {
            FILLER
        } else if FUNCTION_WORDS.contains(&text) {
            FUNCTION
        } else {
            CONTENT
        };
        let letters = text.bytes().filter(u8::is_ascii_lowercase).fold(0, |set, b| set | 1 << (b - b'a'));
        let han = chars.first().is_some_and(|c| is_han(*c));
        Lexeme { stem: stem(text), weight, han, letters, chars }
    }
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

fn similarity_of_chars(a: &[char], b: &[char]) -> u16 {
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
fn substitution_cost(meant: &Lexeme, said: &Lexeme) -> u32 {
    if meant.chars == said.chars {
        return 0;
    }
    let full = meant.weight.max(said.weight);
    let shortest = meant.chars.len().min(said.chars.len());
    let longest = meant.chars.len().max(said.chars.len());
    // Characters have no parts here (homophones come with pinyin); a negation is never "nearly" said.
    if full == NEGATION || meant.han || said.han {
        return full;
    }
    if meant.stem == said.stem {
        return full * 15 / 100;
    }
    let unshared = (meant.letters ^ said.letters).count_ones() as usize;
    if longest > 2 * shortest || unshared > longest {
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

/// Distinct tokens, numbered in order of appearance.
#[derive(Clone, Debug, Default)]
struct Vocabulary {
    ids: BTreeMap<String, u32>,
    lexemes: Vec<Lexeme>,
}

impl Vocabulary {
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.lexemes.len() as u32;
        self.ids.insert(text.to_string(), id);
        self.lexemes.push(Lexeme::new(text));
        id
    }
}

/// Number of a phrase in its [`PhraseBook`].
pub type PhraseId = u32;

#[derive(Clone, Debug)]
struct Phrase {
    words: Vec<u32>,
    weight: u32,
}

/// Phrases prepared once, when a scorecard or lexicon is read.
#[derive(Clone, Debug, Default)]
pub struct PhraseBook {
    vocabulary: Vocabulary,
    phrases: Vec<Phrase>,
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

    fn threshold(&self, phrase: PhraseId, wanted: Option<u16>) -> u16 {
        match wanted {
            Some(threshold) => threshold,
            None if self.phrases[phrase as usize].weight < SHORT_PHRASE_WEIGHT => SHORT_PHRASE_THRESHOLD_PERMILLE,
            None => DEFAULT_THRESHOLD_PERMILLE,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Token {
    word: u32,
    begin: usize,
    end: usize,
}

#[derive(Clone, Debug, Default)]
struct TurnText {
    tokens: Vec<Token>,
    /// Bytes of each recognised word in the turn's text; `None` for a word that is not found there.
    words: Vec<Option<(usize, usize)>>,
    /// The turn in which a phrase of this one may continue.
    continues_in: Option<usize>,
}

/// A call's turns as tokens, with the way back to text and times.
pub struct CallText<'a> {
    transcript: &'a Transcript,
    language: Language,
    vocabulary: Vocabulary,
    turns: Vec<TurnText>,
}

/// A stretch of tokens from one turn into the same turn or its continuation; ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenSpan {
    pub turn: usize,
    pub begin: usize,
    pub end_turn: usize,
    pub end: usize,
}

/// A place where a phrase was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub span: TokenSpan,
    pub similarity_permille: u16,
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

    fn is_in(&self, tokens: &[&Lexeme]) -> bool {
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

/// Aligns the phrases of one book with the turns of one call.
pub struct Finder<'a> {
    book: &'a PhraseBook,
    text: &'a CallText<'a>,
    /// Substitution costs, phrase word × call word.
    costs: Vec<u16>,
    /// Per turn: the least that each phrase word costs there (its weight when nothing in the turn is like it).
    least: Vec<Vec<u16>>,
}

impl<'a> Finder<'a> {
    pub fn new(book: &'a PhraseBook, text: &'a CallText<'a>) -> Finder<'a> {
        let (meant, said) = (&book.vocabulary.lexemes, &text.vocabulary.lexemes);
        let mut costs = Vec::with_capacity(meant.len() * said.len());
        for m in meant {
            costs.extend(said.iter().map(|s| substitution_cost(m, s) as u16));
        }
        let least = text
            .turns
            .iter()
            .map(|turn| {
                let cheapest = |row: &[u16], weight: u32| {
                    turn.tokens.iter().map(|t| row[t.word as usize]).fold(weight as u16, u16::min)
                };
                let row = |m: usize| &costs[m * said.len()..(m + 1) * said.len()];
                meant.iter().enumerate().map(|(m, lexeme)| cheapest(row(m), lexeme.weight)).collect()
            })
            .collect();
        Finder { book, text, costs, least }
    }

    /// All places that begin in `turn` where the phrase is said, best first, without overlaps.
    /// `threshold`: `None` for the usual one, higher for short phrases.
    pub fn find(&self, phrase: PhraseId, turn: usize, threshold: Option<u16>) -> Vec<Hit> {
        let least_similarity = self.book.threshold(phrase, threshold);
        let words = &self.book.phrases[phrase as usize].words;
        let tokens = &self.text.turns[turn].tokens;
        let mut hits = Vec::new();
        if self.possible(phrase, least_similarity, |w| self.least[turn][w as usize]) {
            let said: Vec<u32> = tokens.iter().map(|t| t.word).collect();
            for (begin, end, similarity_permille) in self.align(phrase, &said, least_similarity) {
                hits.push(Hit { span: TokenSpan { turn, begin, end_turn: turn, end }, similarity_permille });
            }
        }
        if let Some(next) = self.text.turns[turn].continues_in
            && words.len() > 1
            && self
                .possible(phrase, least_similarity, |w| self.least[turn][w as usize].min(self.least[next][w as usize]))
        {
            // A window longer than twice the phrase costs too much: the ends of the two turns are enough.
            let reach = 2 * words.len();
            let skipped = tokens.len().saturating_sub(reach);
            let head = tokens.len() - skipped;
            let following = self.text.turns[next].tokens.iter().take(reach);
            let said: Vec<u32> = tokens[skipped..].iter().chain(following).map(|t| t.word).collect();
            for (begin, end, similarity_permille) in self.align(phrase, &said, least_similarity) {
                if begin < head && end > head {
                    let span = TokenSpan { turn, begin: begin + skipped, end_turn: next, end: end - head };
                    let better = |h: &Hit| h.span.end > span.begin && h.similarity_permille >= similarity_permille;
                    if !hits.iter().any(better) {
                        hits.retain(|h| h.span.end <= span.begin);
                        hits.push(Hit { span, similarity_permille });
                    }
                }
            }
        }
        hits.sort_by_key(|h| (std::cmp::Reverse(h.similarity_permille), h.span));
        hits
    }

    /// A bound: each word costs at least its cheapest counterpart in the turn.
    fn possible(&self, phrase: PhraseId, threshold: u16, least: impl Fn(u32) -> u16) -> bool {
        let Phrase { words, weight } = &self.book.phrases[phrase as usize];
        let cost: u32 = words.iter().map(|w| u32::from(least(*w))).sum();
        similarity(cost, *weight) >= threshold
    }

    fn align(&self, phrase: PhraseId, said: &[u32], threshold: u16) -> Vec<(usize, usize, u16)> {
        let Phrase { words, weight } = &self.book.phrases[phrase as usize];
        let meant = &self.book.vocabulary.lexemes;
        let columns = self.text.vocabulary.lexemes.len();
        let ends = align(
            words.len(),
            said.len(),
            |i| meant[words[i] as usize].weight,
            |j| self.text.vocabulary.lexemes[said[j] as usize].weight,
            |i, j| u32::from(self.costs[words[i] as usize * columns + said[j] as usize]),
        );
        let mut found: Vec<(usize, usize, u16)> = ends
            .into_iter()
            .enumerate()
            .map(|(end, (cost, begin))| (begin, end, similarity(cost, *weight)))
            .filter(|(begin, end, similar)| begin < end && *similar >= threshold)
            .collect();
        found.sort_by_key(|(begin, end, similar)| (std::cmp::Reverse(*similar), end - begin, *begin));
        let mut chosen: Vec<(usize, usize, u16)> = Vec::new();
        for candidate in found {
            if chosen.iter().all(|c| candidate.1 <= c.0 || candidate.0 >= c.1) {
                chosen.push(candidate);
            }
        }
        chosen
    }

    /// True when one of the phrases is said in the hit's turns, or ends at most four tokens before it in the turn before.
    pub fn vetoed(&self, hit: &Hit, phrases: &[PhraseId]) -> bool {
        let near = |turn: usize, phrase: PhraseId| !self.find(phrase, turn, None).is_empty();
        let before = (hit.span.turn.saturating_sub(3)..hit.span.turn)
            .find(|t| self.text.turns[*t].continues_in == Some(hit.span.turn));
        phrases.iter().any(|p| {
            near(hit.span.turn, *p)
                || (hit.span.end_turn != hit.span.turn && near(hit.span.end_turn, *p))
                || before.is_some_and(|turn| {
                    let length = self.text.turns[turn].tokens.len();
                    self.find(*p, turn, None).iter().any(|h| {
                        h.span.end_turn != turn || length - h.span.end + hit.span.begin <= NEGATION_REACH_TOKENS
                    })
                })
        })
    }
}

/// 1 − cost / weight, per mille, not below 0.
fn similarity(cost: u32, weight: u32) -> u16 {
    (weight.saturating_sub(cost) * 1_000).checked_div(weight).unwrap_or(0) as u16
}

/// Sellers' substring alignment. For each end 0…n of a window in the text: the least cost of any window that ends there,
/// and where that window begins (the latest begin among equals, so windows are tight).
fn align(
    phrase: usize,
    text: usize,
    delete: impl Fn(usize) -> u32,
    insert: impl Fn(usize) -> u32,
    substitute: impl Fn(usize, usize) -> u32,
) -> Vec<(u32, usize)> {
    // One row per word of the phrase; `begin` is negated by comparison below, so the later start wins a tie.
    let mut row: Vec<(u32, usize)> = (0..=text).map(|j| (0, j)).collect();
    let better =
        |a: (u32, usize), b: (u32, usize)| if (b.0, usize::MAX - b.1) < (a.0, usize::MAX - a.1) { b } else { a };
    for i in 0..phrase {
        let mut diagonal = row[0];
        row[0].0 += delete(i);
        for j in 0..text {
            let above = row[j + 1];
            let deleted = (above.0 + delete(i), above.1);
            let inserted = (row[j].0 + insert(j), row[j].1);
            let replaced = (diagonal.0 + substitute(i, j), diagonal.1);
            row[j + 1] = better(better(replaced, deleted), inserted);
            diagonal = above;
        }
    }
    row
}

/// Text for regular expressions: lower case, width folded, one space between words, none between Chinese characters,
/// punctuation dropped except apostrophes and what belongs to numbers; with the source byte of each byte.
pub(crate) fn pattern_text(text: &str) -> (String, Vec<usize>) {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(i, c)| (i, fold_for_patterns(c))).collect();
    let mut out = String::with_capacity(text.len());
    let mut source = Vec::with_capacity(text.len() + 1);
    let mut gap = false;
    // The end of a placeholder, whose brackets stay: authors may ask for `\[card\]`.
    let mut inside = 0;
    for (i, (offset, c)) in chars.iter().enumerate() {
        let digit = |k: Option<usize>| k.and_then(|k| chars.get(k)).is_some_and(|(_, c)| c.is_ascii_digit());
        let kept = c.is_alphanumeric()
            || matches!(c, '%' | '$' | '£' | '€' | '¥' | '@' | '\'' | '+')
            || (*c == '.' && digit(i.checked_sub(1)) && digit(Some(i + 1)));
        if *c == '['
            && let Some(placeholder) = placeholder_at(&text[*offset..])
        {
            inside = i + placeholder.len();
        }
        let kept = kept || i < inside;
        // The comma of "1,200" and the point of "u.s." vanish without leaving a space.
        let joined = (*c == ',' && digit(i.checked_sub(1)) && digit(Some(i + 1))) || *c == '.';
        if kept {
            if gap && out.chars().next_back().is_some_and(|last| !(is_han(last) || is_han(*c))) {
                out.push(' ');
                source.push(*offset);
            }
            gap = false;
            out.push(*c);
            source.resize(out.len(), *offset);
        } else if !joined || chars.get(i + 1).is_none_or(|(_, next)| !next.is_alphanumeric()) {
            gap = true;
        }
    }
    source.push(text.len());
    (out, source)
}

/// As [`fold`], but without the Chinese variants: authors write patterns with the characters they expect to see.
fn fold_for_patterns(c: char) -> char {
    match c {
        '您' | '她' | '它' | '牠' | '两' | '俩' | '幺' | '〇' => c,
        _ => fold(c),
    }
}

/// True when a phrase contains one of its own `must` words: said exactly, it would match.
pub(crate) fn phrase_has(phrase: &str, language: Language, must: &[MustWord]) -> bool {
    let lexemes: Vec<Lexeme> = tokenize(phrase, language).iter().map(|t| Lexeme::new(&t.text)).collect();
    let tokens: Vec<&Lexeme> = lexemes.iter().collect();
    must.iter().any(|word| word.is_in(&tokens))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transcript::{Medium, RoleMethod, Turn, Word};

    /// A spoken call: one word takes 500 ms, a turn follows the one before after 500 ms.
    fn call(turns: Lines) -> Transcript {
        let mut at = 0;
        let mut made = Vec::new();
        for (role, text) in turns {
            let begin_ms = at;
            let words: Vec<Word> = text
                .split_whitespace()
                .map(|word| {
                    at += 500;
                    Word { text: word.to_string(), begin_ms: at - 500, end_ms: at, confidence_permille: 900 }
                })
                .collect();
            let text = text.to_string();
            made.push(Turn { role: *role, begin_ms, end_ms: at, text, words, confidence_permille: 900 });
            at += 500;
        }
        Transcript {
            medium: Medium::Speech,
            language: None,
            duration_ms: at,
            role_method: RoleMethod::Labelled,
            role_confidence_permille: 1_000,
            recogniser_confidence_permille: None,
            confidence_floor_permille: None,
            turns: made,
            speech: Vec::new(),
            dropped: BTreeMap::new(),
            warnings: Vec::new(),
            other_turns: vec![],
            channel_roles: vec![],
            second_side_begins_ms: None,
            sounds: vec![],
            voice: vec![],
            redaction: None,
        }
    }

    type Lines<'a> = &'a [(Role, &'a str)];

    /// Similarity and quote of the best hit of a phrase anywhere in a call.
    fn best(phrase: &str, turns: Lines) -> Option<(u16, String)> {
        let transcript = call(turns);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        let id = book.add(phrase, text.language()).unwrap();
        let finder = Finder::new(&book, &text);
        let hits = (0..turns.len()).flat_map(|t| finder.find(id, t, None));
        let best = hits.max_by_key(|h| h.similarity_permille)?;
        Some((best.similarity_permille, text.passage(best.span).quote))
    }

    fn words(text: &str, language: Language) -> String {
        tokenize(text, language).into_iter().map(|t| t.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn normalises_words_and_numbers() {
        let cases = [
            ("It's 24% off, we'll CALL!", "it is twenty four percent off we will call"),
            ("don\u{2019}t wont cannot", "do not will not can not"),
            ("nine ninety nine $9.99", "nine ninety nine nine ninety nine dollars"),
            ("$9.00 £20", "nine dollars twenty pounds"),
            ("1,200 1999 2005 2024", "twelve hundred nineteen ninety nine two thousand five twenty twenty four"),
            ("the 3rd, 21st and 30th", "the third twenty first and thirtieth"),
            ("2.5% of 2.75%", "two point five percent of two point seven five percent"),
            ("555-0123 0800", "five hundred fifty five zero one two three zero eight zero zero"),
            ("follow-up, e\u{2011}mail", "follow up e mail"),
            ("the customer's plan, let's see", "the customers plan let us see"),
            ("１２ ＡＢＣ", "twelve abc"),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text, Language::En), expected, "{text}");
        }
        let chinese = [
            ("您好，本次通话", "你 好 本 次 通 话"),
            ("10%和100%", "百 分 之 十 和 百 分 之 百"),
            ("24小时、105元、12000", "二 十 四 小 时 一 百 零 五 元 一 万 二 千"),
            ("2024年3月", "二 零 二 四 年 三 月"),
            ("两个，幺三八", "二 个 一 三 八"),
        ];
        for (text, expected) in chinese {
            assert_eq!(words(text, Language::Zh), expected, "{text}");
        }
        assert!(SPELLINGS.windows(2).all(|pair| pair[0].0 < pair[1].0), "the table is searched by halves");
    }

    #[test]
    fn finds_phrases_that_recognisers_bent() {
        use Role::{Customer, Rep};
        let hits: &[(&str, Lines, &str)] = &[
            ("this call is recorded", &[(Rep, "hello this call is recorded for quality")], "this call is recorded"),
            (
                "this call is recorded for quality",
                &[(Rep, "well this all is recorded for quality okay")],
                "this all is recorded for quality",
            ),
            ("this call is recorded", &[(Rep, "this call is being recording")], "this call is being recording"),
            ("guaranteed return", &[(Rep, "it has guarantee returns")], "guarantee returns"),
            ("nine ninety nine a month", &[(Rep, "that is $9.99 a month")], "$9.99 a month"),
            ("twenty four hours", &[(Rep, "within 24 hours, sir")], "24 hours"),
            ("we will call you back", &[(Rep, "so we'll call you back")], "we'll call you back"),
            (
                "calls are recorded for quality",
                &[(Rep, "calls are"), (Rep, "recorded for quality sir")],
                "calls are recorded for quality",
            ),
            (
                "calls are recorded for quality",
                &[(Rep, "all calls are recorded"), (Customer, "mhm"), (Rep, "for quality")],
                "calls are recorded for quality",
            ),
            ("本次通话将被录音", &[(Rep, "您好,本次通话将被路音")], "本次通话将被路音"),
            ("本次通话将被录音", &[(Rep, "您好，本次的通话会被录音。")], "本次的通话会被录音"),
            ("百分之百保本", &[(Rep, "这个产品100%保本的")], "100%保本"),
        ];
        for (phrase, turns, quote) in hits {
            let found = best(phrase, turns);
            assert_eq!(found.as_ref().map(|f| f.1.as_str()), Some(*quote), "{phrase}: {found:?}");
        }
    }

    #[test]
    fn keeps_false_friends_apart() {
        use Role::{Customer, Rep};
        let misses: &[(&str, Lines)] = &[
            ("this call is recorded", &[(Rep, "this call is important to us")]),
            ("this call is recorded", &[(Rep, "this call is not recorded")]),
            ("this call may be monitored or recorded", &[(Rep, "this call may not be monitored or recorded")]),
            ("do not read your card number aloud", &[(Rep, "please read your card number aloud")]),
            ("i understand", &[(Rep, "do you understand me")]),
            ("thank you", &[(Rep, "did you see it")]),
            ("calm down", &[(Rep, "call us")]),
            ("no risk at all", &[(Rep, "there is a risk at all times")]),
            ("the price is fifteen dollars", &[(Rep, "the time is fifty minutes")]),
            (
                "calls are recorded for quality",
                &[(Rep, "calls are"), (Customer, "i have a question about that"), (Rep, "recorded for quality")],
            ),
            ("本次通话将被录音", &[(Rep, "本次通话非常重要")]),
            ("零风险", &[(Rep, "投资有风险")]),
            ("太贵了", &[(Customer, "太好了")]),
        ];
        for (phrase, turns) in misses {
            assert_eq!(best(phrase, turns), None, "{phrase}");
        }
    }

    #[test]
    fn must_words_and_vetoes_decide() {
        let transcript = call(&[
            (Role::Rep, "this call will be recorder for quality"),
            (Role::Rep, "i do not guarantee any return on it"),
            (Role::Rep, "of course i would never"),
            (Role::Rep, "guarantee any return"),
        ]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        let recorded = book.add("this call will be recorded for quality", Language::En).unwrap();
        let guarantee = book.add("guarantee any return", Language::En).unwrap();
        let not = [book.add("not guarantee", Language::En).unwrap(), book.add("never", Language::En).unwrap()];
        let finder = Finder::new(&book, &text);
        let must = |word| [MustWord::new(word, Language::En).unwrap()];
        let hit = finder.find(recorded, 0, None)[0];
        assert!(text.has_one_of(hit.span, &must("recorded")));
        assert!(!text.has_one_of(hit.span, &must("monitored")));
        let (second, last) = (finder.find(guarantee, 1, None)[0], finder.find(guarantee, 3, None)[0]);
        assert!(finder.vetoed(&second, &not[..1]));
        assert!(!finder.vetoed(&second, &not[1..]));
        assert!(finder.vetoed(&last, &not[1..]), "the word before stands at the end of the turn before");
        assert!(!finder.vetoed(&last, &not[..1]));
        let chinese = |must: &str, said: &str| {
            let lexemes: Vec<Lexeme> = tokenize(said, Language::Zh).iter().map(|t| Lexeme::new(&t.text)).collect();
            MustWord::new(must, Language::Zh).unwrap().is_in(&lexemes.iter().collect::<Vec<_>>())
        };
        assert!(chinese("录音", "将被路音"), "a homophone of one character");
        assert!(!chinese("录音", "非常重要"));
        assert!(!chinese("贵", "太好了"));
    }

    #[test]
    fn cites_words_with_their_times_and_confidence() {
        let transcript = call(&[(Role::Rep, "Hello, this call is recorded. Okay?")]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        let id = book.add("call is recorded", Language::En).unwrap();
        let hit = Finder::new(&book, &text).find(id, 0, None)[0];
        let passage = text.passage(hit.span);
        assert_eq!((passage.begin_ms, passage.end_ms), (1_000, 2_500));
        assert_eq!((passage.quote.as_str(), passage.confidence_permille), ("call is recorded", 900));
    }

    #[test]
    fn pattern_text_keeps_offsets() {
        let cases = [
            ("It’s  $1,200.50 — OK?", "it's $1200.50 ok"),
            ("本次 通话，将被录音。ＯＫ", "本次通话将被录音ok"),
            ("我们 recorded，好", "我们recorded好"),
        ];
        for (text, expected) in cases {
            let (normal, source) = pattern_text(text);
            assert_eq!(normal, expected);
            assert_eq!(source.len(), normal.len() + 1);
            assert!(source.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(source.iter().all(|offset| text.is_char_boundary(*offset)));
        }
    }

    /// The least cost of aligning the whole phrase with the whole window, by the textbook recursion.
    fn edit(phrase: &[u8], window: &[u8]) -> u32 {
        let weight = |w: &u8| 100 + u32::from(*w % 3) * 400;
        match (phrase, window) {
            ([], rest) | (rest, []) => rest.iter().map(weight).sum(),
            ([p, phrase_rest @ ..], [w, window_rest @ ..]) => {
                let replace = if p == w { 0 } else { weight(p).max(weight(w)) };
                (edit(phrase_rest, window_rest) + replace)
                    .min(edit(phrase_rest, window) + weight(p))
                    .min(edit(phrase, window_rest) + weight(w))
            }
        }
    }

    proptest! {
        /// Sellers' row agrees with trying every window, and its begin is one that has that cost.
        #[test]
        fn alignment_equals_brute_force(
            phrase in proptest::collection::vec(0u8..4, 1..5),
            text in proptest::collection::vec(0u8..4, 0..6),
        ) {
            let weight = |w: u8| 100 + u32::from(w % 3) * 400;
            let row = align(
                phrase.len(),
                text.len(),
                |i| weight(phrase[i]),
                |j| weight(text[j]),
                |i, j| if phrase[i] == text[j] { 0 } else { weight(phrase[i]).max(weight(text[j])) },
            );
            for (end, (cost, begin)) in row.iter().enumerate() {
                let least = (0..=end).map(|b| edit(&phrase, &text[b..end])).min().unwrap();
                prop_assert_eq!(*cost, least);
                prop_assert_eq!(edit(&phrase, &text[*begin..end]), *cost);
            }
        }

        /// A phrase inside words that are unlike it is found where it stands.
        #[test]
        fn exact_phrase_in_noise_is_found(before in 0usize..12, after in 0usize..12, seed in 0usize..1000) {
            let noise = ["banana", "window", "garden", "seven", "uncle", "purple", "hammer"];
            let word = |i: usize| noise[(seed + i * 5) % noise.len()];
            let phrase = "your credit agreement is cancelled today";
            let mut said: Vec<&str> = (0..before).map(word).collect();
            said.push(phrase);
            said.extend((0..after).map(word));
            let said = said.join(" ");
            let found = best(phrase, &[(Role::Rep, &said)]);
            prop_assert_eq!(found, Some((1_000, phrase.to_string())));
        }

        /// One content word in five may be any other word.
        #[test]
        fn one_word_in_five_may_be_wrong(wrong in 0usize..10, noise in "[a-z]{5,9}") {
            let phrase = "customer agreement cancelled yesterday evening account number belongs another branch";
            let mut words: Vec<&str> = phrase.split(' ').collect();
            words[wrong] = &noise;
            words[(wrong + 5) % 10] = &noise;
            let said = words.join(" ");
            prop_assert!(best(phrase, &[(Role::Rep, &said)]).is_some(), "{}", said);
        }

        /// Any two texts, in any script, give a similarity within bounds and no panic.
        #[test]
        fn similarity_is_a_share(phrase in "\\PC{1,20}", said in "\\PC{0,40}", cost in 0u32..100_000, weight in 0u32..100_000) {
            prop_assert!(similarity(cost, weight) <= 1_000);
            prop_assert!(character_similarity_permille(&phrase, &said) <= 1_000);
            let transcript = call(&[(Role::Rep, &said)]);
            let text = CallText::new(&transcript);
            let mut book = PhraseBook::default();
            if let Some(id) = book.add(&phrase, text.language()) {
                for hit in Finder::new(&book, &text).find(id, 0, None) {
                    prop_assert!(hit.similarity_permille <= 1_000);
                    prop_assert!(said.contains(&text.passage(hit.span).quote));
                }
            }
            let (normal, source) = pattern_text(&said);
            prop_assert_eq!(source.len(), normal.len() + 1);
        }
    }
}
