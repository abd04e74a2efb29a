//! What a pattern is written with, so that it is also found where the recogniser misheard, missed or added a word of it.
//!
//! A pattern is exact: one wrong word and it finds nothing. Its text shows which words (Chinese: characters) follow each other in what it
//! finds. A turn is mended towards them where its neighbours agree: a word is replaced by one that it is near to or that belongs between
//! its neighbours, a word between two that belong together is dropped, one that belongs between two is put in. Negations and numbers are
//! neither mended nor mended to. The pattern is then tried on the mended turn; what was mended within its place costs what the same
//! edits cost a phrase, and the similarity is as a phrase's: 1 − cost / weight of the place's words.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use regex_syntax::ast::{AssertionKind, Ast, RepetitionKind, RepetitionRange, parse::Parser};

use super::finder::similarity;
use super::lexeme::{CONTENT, Vocabulary, full_cost, negates, sounds_alike};
use super::numbers::is_number_word;
use super::words::{Neighbours, WordBook};
use crate::recording::{Language, is_han};

/// English words shorter than this are near too many others to be taken for one without a neighbour that agrees.
const LEAST_LETTERS: usize = 5;
/// Content words or characters of a place of which one may be mended: most pairs of words, and of syllables, sound like some others. On
/// unrelated service dialogues, insults of two characters were found in their homophones before.
const LEAST_WORDS: u32 = 2;
const LEAST_CHARACTERS: u32 = 4;
/// Alternatives of a pattern that are followed at once; beyond it, only their last words are.
const MOST_TAILS: usize = 400;
/// What stands before is not known.
const GAP: char = '\0';

/// The patterns of a scorecard that are looked for in mended turns. Their words are read when the first call of a language wants them.
#[derive(Clone, Debug, Default)]
pub struct PatternBook {
    /// Per matcher and language its patterns.
    patterns: Vec<(Language, Vec<String>)>,
    english: OnceLock<Arc<PatternsRead>>,
    chinese: OnceLock<Arc<PatternsRead>>,
}

impl PatternBook {
    /// The number of one matcher's patterns in one language.
    pub fn add(&mut self, patterns: &[String], language: Language) -> usize {
        self.patterns.push((language, patterns.to_vec()));
        self.patterns.len() - 1
    }

    fn read(&self, language: Language) -> Arc<PatternsRead> {
        let of = match language {
            Language::En => &self.english,
            Language::Zh => &self.chinese,
        };
        let read = || {
            let mut read = PatternsRead::default();
            for (number, (_, patterns)) in self.patterns.iter().enumerate().filter(|(_, (l, _))| *l == language) {
                let words = read.add(patterns, language);
                read.matchers.insert(number, words);
            }
            Arc::new(read)
        };
        of.get_or_init(read).clone()
    }
}

/// The words of all patterns in one language.
#[derive(Debug, Default)]
struct PatternsRead {
    words: WordBook,
    /// Per word: neither mended nor mended to.
    fixed: Vec<bool>,
    matchers: BTreeMap<usize, PatternWords>,
}

impl PatternsRead {
    /// Patterns that do not parse add nothing: whoever compiles them says so.
    fn add(&mut self, patterns: &[String], language: Language) -> PatternWords {
        let mut reader = Reader {
            book: self,
            chinese: language == Language::Zh,
            pairs: BTreeSet::new(),
            triples: BTreeSet::new(),
            alone: BTreeSet::new(),
        };
        for pattern in patterns {
            if let Ok(ast) = Parser::new().parse(pattern) {
                let ends = reader.walk(&ast, BTreeSet::from([reader.start()]));
                ends.iter().for_each(|tail| reader.learn(tail));
            }
        }
        let Reader { chinese, pairs, triples, alone, .. } = reader;
        let mut before: Vec<(u32, u32)> = pairs.iter().map(|(first, second)| (*second, *first)).collect();
        before.sort_unstable();
        PatternWords {
            chinese,
            leads: pairs.iter().map(|(first, _)| *first).collect(),
            trails: before.iter().map(|(second, _)| *second).collect(),
            after: pairs.into_iter().collect(),
            before,
            between: triples.into_iter().collect(),
            alone: alone.into_iter().collect(),
        }
    }

    fn intern(&mut self, word: &str) -> u32 {
        let id = self.words.add(word);
        if id as usize == self.fixed.len() {
            self.fixed.push(is_fixed(word));
        }
        id
    }
}

/// Reads the words of patterns out of their syntax trees.
struct Reader<'b> {
    book: &'b mut PatternsRead,
    chinese: bool,
    pairs: BTreeSet<(u32, u32)>,
    /// First, last, the word between.
    triples: BTreeSet<(u32, u32, u32)>,
    /// English words that are long enough to be recognised alone.
    alone: BTreeSet<u32>,
}

impl Reader<'_> {
    fn start(&self) -> String {
        if self.chinese { GAP.to_string() } else { format!("{GAP} ") }
    }

    /// Follows a part of a pattern from each of `tails` (the last words before it) and returns those after it.
    fn walk(&mut self, ast: &Ast, tails: BTreeSet<String>) -> BTreeSet<String> {
        let after = match ast {
            Ast::Empty(_) | Ast::Flags(_) => tails,
            Ast::Literal(literal) => {
                let c = literal.c.to_lowercase().next().unwrap_or(literal.c);
                tails.into_iter().map(|tail| self.extended(tail, c)).collect()
            }
            Ast::Group(group) => self.walk(&group.ast, tails),
            Ast::Concat(parts) => parts.asts.iter().fold(tails, |tails, part| self.walk(part, tails)),
            Ast::Alternation(parts) => parts.asts.iter().flat_map(|part| self.walk(part, tails.clone())).collect(),
            Ast::Repetition(repetition) => {
                let once = match &repetition.op.kind {
                    RepetitionKind::ZeroOrOne | RepetitionKind::Range(RepetitionRange::Bounded(0, 1)) => Some(true),
                    RepetitionKind::Range(RepetitionRange::Exactly(1)) => Some(false),
                    _ => None,
                };
                let inside = self.walk(&repetition.ast, tails.clone());
                match once {
                    Some(false) => inside,
                    Some(true) => inside.into_iter().chain(tails).collect(),
                    // What may stand there several times is a gap, even if it may be empty: its sides do not belong together.
                    None => {
                        self.broken(&tails);
                        self.broken(&inside)
                    }
                }
            }
            Ast::Assertion(assertion) if assertion.kind == AssertionKind::WordBoundary => {
                let begins = |tail: String| if tail.ends_with(GAP) { self.start() } else { tail };
                tails.into_iter().map(begins).collect()
            }
            Ast::Assertion(_) => {
                self.broken(&tails);
                BTreeSet::from([self.start()])
            }
            _ => self.broken(&tails),
        };
        if after.len() <= MOST_TAILS {
            return after;
        }
        let last_word = |tail: &String| format!("{GAP} {}", tail.rsplit(' ').next().unwrap_or_default());
        let shorter: BTreeSet<String> = after.iter().map(last_word).collect();
        if self.chinese || shorter.len() > MOST_TAILS { self.broken(&after) } else { shorter }
    }

    fn broken(&mut self, tails: &BTreeSet<String>) -> BTreeSet<String> {
        tails.iter().for_each(|tail| self.learn(tail));
        BTreeSet::from([GAP.to_string()])
    }

    fn extended(&mut self, mut tail: String, c: char) -> String {
        if self.chinese {
            tail.push(if is_han(c) { c } else { GAP });
            self.learn(&tail);
            return tail.chars().skip(tail.chars().count().saturating_sub(2)).collect();
        }
        if c == ' ' {
            self.learn(&tail);
            let words: Vec<&str> = tail.split(' ').collect();
            return words[words.len().saturating_sub(2)..].join(" ") + " ";
        }
        tail.push(if c.is_alphanumeric() || c == '\'' { c } else { GAP });
        tail
    }

    /// Notes the last word of a tail and the two before it.
    fn learn(&mut self, tail: &str) {
        let words: Vec<String> = if self.chinese {
            tail.chars().map(String::from).collect()
        } else {
            tail.split(' ').map(String::from).collect()
        };
        let known: Vec<&String> =
            words.iter().rev().take(3).take_while(|word| !word.is_empty() && !word.contains(GAP)).collect();
        let ids: Vec<u32> = known.iter().map(|word| self.book.intern(word)).collect();
        if let [last, ..] = ids[..]
            && !self.chinese
            && known[0].len() >= LEAST_LETTERS
        {
            self.alone.insert(last);
        }
        if let [last, previous, ..] = ids[..] {
            self.pairs.insert((previous, last));
        }
        if let [last, middle, first] = ids[..]
            && !self.book.fixed[middle as usize]
        {
            self.triples.insert((first, last, middle));
        }
    }
}

/// What is never mended, nor mended to: it would turn what was said into its opposite, or into another amount.
fn is_fixed(word: &str) -> bool {
    negates(word) || is_number_word(word) || word.chars().any(|c| c.is_ascii_digit())
}

/// A set of word numbers.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Bits {
        let mut bits = Vec::new();
        for number in numbers {
            let place = number as usize / 64;
            bits.resize(bits.len().max(place + 1), 0);
            bits[place] |= 1 << (number % 64);
        }
        Bits(bits)
    }
}

impl Bits {
    fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }
}

/// The words of one matcher's patterns in one language, by number in [`PatternsRead`], and which follow each other.
#[derive(Debug, Default)]
struct PatternWords {
    chinese: bool,
    /// (word, one that follows it), sorted.
    after: Vec<(u32, u32)>,
    /// (word, one that it follows), sorted.
    before: Vec<(u32, u32)>,
    /// (word, next but one, the one between), sorted.
    between: Vec<(u32, u32, u32)>,
    /// Words that another follows, and those that follow one.
    leads: Bits,
    trails: Bits,
    alone: Bits,
}

/// The turns of a call as patterns see them. Words are read of turns that are asked for: most patterns are about one side, many about the first
/// turns.
pub struct PatternTurns {
    book: Arc<PatternsRead>,
    chinese: bool,
    /// Per turn: byte in its text and number of each word (Chinese: character).
    turns: Vec<OnceCell<Vec<(usize, u32)>>>,
    said: RefCell<Said>,
}

impl PatternTurns {
    /// Of so many turns.
    pub fn new(book: &PatternBook, turns: usize, language: Language) -> PatternTurns {
        PatternTurns {
            book: book.read(language),
            chinese: language == Language::Zh,
            turns: vec![OnceCell::new(); turns],
            said: RefCell::default(),
        }
    }

    /// A turn mended towards a matcher's patterns; `None` when there is nothing to mend. `text`: the turn's, as [`super::pattern_text`] gives it.
    pub fn mended(&self, matcher: usize, turn: usize, text: &str) -> Option<Mended> {
        let matcher = self.book.matchers.get(&matcher)?;
        let words = self.turns.get(turn)?.get_or_init(|| self.said.borrow_mut().read(&self.book, self.chinese, text));
        let said = self.said.borrow();
        matcher.mended(&Mending { book: &self.book, said: &said }, words, text)
    }
}

/// The words of a call so far, by number.
#[derive(Default)]
struct Said {
    vocabulary: Vocabulary,
    fixed: Vec<bool>,
    /// Neighbours in the book, and the word's own number there.
    neighbours: Vec<Neighbours>,
    own: Vec<Option<u32>>,
}

impl Said {
    fn read(&mut self, book: &PatternsRead, chinese: bool, text: &str) -> Vec<(usize, u32)> {
        let (mut words, mut fresh) = (Vec::new(), Vec::new());
        let mut add = |at: usize, end: usize| {
            let word = &text[at..end];
            let id = self.vocabulary.intern(word);
            words.push((at, id));
            if id as usize == self.fixed.len() {
                self.fixed.push(is_fixed(word));
                fresh.push(word);
            }
        };
        if chinese {
            text.char_indices().for_each(|(at, c)| add(at, at + c.len_utf8()));
        } else {
            let mut at = 0;
            for word in text.split(' ') {
                if !word.is_empty() {
                    add(at, at + word.len());
                }
                at += word.len() + 1;
            }
        }
        let fresh: Vec<_> = fresh.into_iter().zip(&self.vocabulary.lexemes[self.own.len()..]).collect();
        for neighbours in book.words.neighbours_of_all(&fresh) {
            self.own.push(neighbours.iter().find(|(_, cost)| *cost == 0).map(|(id, _)| *id));
            self.neighbours.push(neighbours);
        }
        words
    }
}

/// What a turn is mended with.
struct Mending<'a> {
    book: &'a PatternsRead,
    said: &'a Said,
}

impl Mending<'_> {
    fn cost(&self, meant: u32, said: u32) -> u32 {
        let neighbours = &self.said.neighbours[said as usize];
        match neighbours.binary_search_by_key(&meant, |(id, _)| *id) {
            Ok(found) => u32::from(neighbours[found].1),
            Err(_) => {
                let said = &self.said.vocabulary.lexemes[said as usize];
                full_cost(&self.book.words.vocabulary.lexemes[meant as usize], said)
            }
        }
    }
}

/// A turn that was mended.
#[derive(Debug, Default)]
pub struct Mended {
    pub text: String,
    /// For every byte of `text` (and its end) the byte of the turn that it stands for.
    pub source: Vec<usize>,
    /// Weight below which a place is too short to be recognised when something in it is mended.
    least_weight: u32,
    /// Byte of `text` and cost of each edit.
    edits: Vec<(usize, u32)>,
    /// Byte of `text` at which each word begins, and its weight.
    weights: Vec<(usize, u32)>,
}

impl Mended {
    /// Similarity of the bytes `begin..end` to what was said there, per mille; 0 when something was mended in too few words.
    pub fn similarity_permille(&self, begin: usize, end: usize) -> u16 {
        let inside =
            |list: &[(usize, u32)]| list.iter().filter(|(at, _)| (begin..end).contains(at)).map(|(_, n)| n).sum();
        let (cost, weight): (u32, u32) = (inside(&self.edits), inside(&self.weights));
        if cost > 0 && weight < self.least_weight { 0 } else { similarity(cost, weight) }
    }

    fn push(&mut self, word: &str, weight: u32, source: usize, spaced: bool) {
        if spaced && !self.text.is_empty() {
            self.text.push(' ');
            self.source.push(source);
        }
        self.weights.push((self.text.len(), weight));
        self.text.push_str(word);
        self.source.resize(self.text.len(), source);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edit {
    Replace(u32),
    PutIn(u32),
    Drop,
}

impl PatternWords {
    fn follows(&self, first: u32, second: u32) -> bool {
        self.leads.has(first) && self.after.binary_search(&(first, second)).is_ok()
    }

    fn mended(&self, with: &Mending, words: &[(usize, u32)], text: &str) -> Option<Mended> {
        let own = |i: usize| words.get(i).and_then(|(_, word)| with.said.own[*word as usize]);
        let mut edits: Vec<(usize, Edit, u32)> = Vec::new();
        let mut previous = None;
        for (i, (_, word)) in words.iter().enumerate() {
            let edit = self.edit(with, previous, *word, own(i + 1));
            edits.extend(edit.map(|(cost, edit)| (i, edit, cost)));
            previous = match edit {
                Some((_, Edit::Replace(meant))) => Some(meant),
                Some((_, Edit::Drop)) => previous,
                _ => own(i),
            };
        }
        if edits.is_empty() {
            return None;
        }
        let least_weight = if self.chinese { LEAST_CHARACTERS } else { LEAST_WORDS } * CONTENT;
        let mut mended = Mended { least_weight, ..Mended::default() };
        let mut edits = edits.into_iter().peekable();
        let meant = |id: u32| &with.book.words.vocabulary.lexemes[id as usize];
        for (i, (at, word)) in words.iter().enumerate() {
            let edit = edits.next_if(|(place, ..)| *place == i);
            if let Some((_, edit, cost)) = edit {
                let gap = usize::from(!self.chinese && !mended.text.is_empty());
                mended.edits.push((mended.text.len() + gap, cost));
                if let Edit::Replace(id) | Edit::PutIn(id) = edit {
                    let text: String = meant(id).chars.iter().collect();
                    mended.push(&text, meant(id).weight, *at, !self.chinese);
                }
            }
            if matches!(edit, None | Some((_, Edit::PutIn(_), _))) {
                let lexeme = &with.said.vocabulary.lexemes[*word as usize];
                let text: String = lexeme.chars.iter().collect();
                mended.push(&text, lexeme.weight, *at, !self.chinese);
            }
        }
        mended.source.push(text.len());
        Some(mended)
    }

    /// The cheapest edit at a word between its neighbours, if one is called for.
    fn edit(&self, with: &Mending, previous: Option<u32>, said: u32, next: Option<u32>) -> Option<(u32, Edit)> {
        let previous = previous.filter(|word| self.leads.has(*word));
        let next = next.filter(|word| self.trails.has(*word));
        let neighbours = &with.said.neighbours[said as usize];
        let may_stand_alone = !self.chinese && neighbours.iter().any(|(id, _)| self.alone.has(*id));
        if previous.is_none() && next.is_none() && !may_stand_alone {
            return None;
        }
        let own = with.said.own[said as usize];
        if let (Some(first), Some(word)) = (previous, own)
            && self.follows(first, word)
        {
            return None;
        }
        let book = &with.book.words.vocabulary;
        let put_in = previous.zip(own).and_then(|(first, last)| self.belongs(first, last).next());
        let put_in = put_in.map(|word| (book.lexemes[word as usize].weight, Edit::PutIn(word)));
        let fits = own.is_some_and(|word| next.is_some_and(|next| self.follows(word, next)) || self.alone.has(word));
        if fits || with.said.fixed[said as usize] {
            return put_in;
        }
        let replace = |word: u32| (with.cost(word, said), Edit::Replace(word));
        let belongs = previous.zip(next).into_iter().flat_map(|(first, last)| self.belongs(first, last));
        let near = |word: &u32| {
            let (meant, said) = (&book.lexemes[*word as usize], &with.said.vocabulary.lexemes[said as usize]);
            !with.book.fixed[*word as usize]
                && (sounds_alike(meant, said).is_some()
                    || (!self.chinese && neighbours.binary_search_by_key(word, |(id, _)| *id).is_ok()))
        };
        let beside = following(&self.after, previous).chain(following(&self.before, next)).filter(near);
        let drops = previous.zip(next).is_some_and(|(first, last)| self.follows(first, last));
        let dropped = drops.then(|| (with.said.vocabulary.lexemes[said as usize].inserted, Edit::Drop));
        // At most at half the cost of any other word.
        let likely = |(id, cost): &&(u32, u16)| {
            let full = full_cost(&book.lexemes[*id as usize], &with.said.vocabulary.lexemes[said as usize]);
            self.alone.has(*id) && !with.book.fixed[*id as usize] && u32::from(*cost) * 2 <= full
        };
        let long = !self.chinese && with.said.vocabulary.lexemes[said as usize].chars.len() >= LEAST_LETTERS;
        let alone =
            neighbours.iter().filter(likely).filter(|_| long).map(|(id, cost)| (u32::from(*cost), Edit::Replace(*id)));
        belongs.chain(beside).map(replace).chain(alone).chain(dropped).chain(put_in).min()
    }

    /// What stands between two words.
    fn belongs(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        let from = self.between.partition_point(|(a, b, _)| (*a, *b) < (first, last));
        self.between[from..].iter().take_while(move |(a, b, _)| (*a, *b) == (first, last)).map(|(.., middle)| *middle)
    }
}

/// The second parts of a sorted list's pairs that begin with `word`.
fn following(pairs: &[(u32, u32)], word: Option<u32>) -> impl Iterator<Item = u32> {
    let from = word.map_or(pairs.len(), |word| pairs.partition_point(|(first, _)| *first < word));
    pairs[from..].iter().take_while(move |(first, _)| Some(*first) == word).map(|(_, second)| *second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matching::pattern_text;

    const ENGLISH: &str =
        r"\b(this|the) (phone )?call (is|may be|will be) (record(ed|ing)|monitored)\b|\bno.?body listens\b";
    const CHINESE: &str = "(通话|电话).{0,6}录音|很高兴为您服务";

    fn mended(pattern: &str, said: &str) -> Option<Mended> {
        let language = Language::of_text(pattern).unwrap();
        let mut book = PatternBook::default();
        let matcher = book.add(&[pattern.to_string()], language);
        let (said, _) = pattern_text(said);
        PatternTurns::new(&book, 1, language).mended(matcher, 0, &said)
    }

    #[test]
    fn what_the_recogniser_changed_is_mended() {
        for (pattern, said, wanted) in [
            (ENGLISH, "Hello, this call may be reported.", "hello this call may be recorded"),
            (ENGLISH, "the call maybe recording", "the call may be recording"),
            (ENGLISH, "this fone call will be monitored", "this phone call will be monitored"),
            (ENGLISH, "this call recorded", "this call is recorded"),
            (ENGLISH, "this call uh is recorded", "this call is recorded"),
            (CHINESE, "本次通话会路音", "本次通话会录音"),
            (CHINESE, "很高兴为服务", "很高兴为您服务"),
            (CHINESE, "很高新为您服务", "很高兴为您服务"),
        ] {
            assert_eq!(mended(pattern, said).map(|mended| mended.text).as_deref(), Some(wanted), "{said}");
        }
    }

    #[test]
    fn what_was_said_otherwise_stays() {
        for (pattern, said) in [
            (ENGLISH, "this call is recorded"),
            (ENGLISH, "this call is not recorded"),
            (ENGLISH, "do you like the water"),
            (ENGLISH, "nobody cares"),
            (CHINESE, "本次通话会录音"),
            (CHINESE, "本次通话不录"),
            (CHINESE, "今天天气很好"),
        ] {
            assert_eq!(mended(pattern, said).map(|mended| mended.text), None, "{said}");
        }
    }

    #[test]
    fn edits_cost_what_they_cost_a_phrase() {
        let of = |pattern: &str, said: &str| {
            let mended = mended(pattern, said).unwrap();
            mended.similarity_permille(0, mended.text.len())
        };
        // this .3, call 1, is .3 (put in), recorded 1.
        assert_eq!(of(ENGLISH, "this call recorded"), similarity(300, 2_600));
        // One of seven characters by sound; 您 and 为 weigh like others here, 很 is a function word.
        assert_eq!(of(CHINESE, "很高新为您服务"), similarity(500, 6_300));
        let mended = mended(ENGLISH, "good day this call may be reported").unwrap();
        assert_eq!(mended.similarity_permille(0, "good day".len()), 1_000, "only edits inside count");
    }

    proptest! {
        #[test]
        fn every_byte_stands_for_one_of_the_turn(said in "(this|call|recorded|reported|is|phone|no|[a-z]{1,7}| ){0,12}", zh in "[通话电录路音会很高兴新为您服务不]{0,12}") {
            for (pattern, said) in [(ENGLISH, &said), (CHINESE, &zh)] {
                let (said, _) = pattern_text(said);
                if let Some(mended) = mended(pattern, &said) {
                    prop_assert_eq!(mended.source.len(), mended.text.len() + 1);
                    prop_assert!(mended.source.is_sorted());
                    prop_assert!(mended.source.iter().all(|at| said.is_char_boundary(*at)));
                }
            }
        }
    }
}
