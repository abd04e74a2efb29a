//! Alignment of phrases with turns.

use std::cell::{OnceCell, RefCell};

use super::lexeme::{Lexeme, full_cost, sounds_alike};
use super::phrases::{LEAST_BOUND, Phrase, PhraseBook, PhraseId};
use super::text::{CallText, Token, TokenSpan};
use super::words::Neighbours;

/// `not` phrases veto a match in the same turn, or when they end at most this many tokens before it.
const NEGATION_REACH_TOKENS: usize = 4;

/// How a phrase was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Word by word, after normalisation.
    Exact,
    /// Every character was said or one that sounds like it.
    BySound,
    /// With words that differ, are missing or are too many.
    Tolerant,
}

/// A place where a phrase was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub span: TokenSpan,
    pub similarity_permille: u16,
    pub how: How,
}

/// Aligns the phrases of one book with the turns of one call.
pub struct Finder<'a> {
    book: &'a PhraseBook,
    text: &'a CallText<'a>,
    /// Per word of the call: what it can stand for.
    neighbours: Vec<Neighbours>,
    /// Bounds are computed for turns that are asked for: many requirements look at the first or last turns of one side only.
    bounder: RefCell<Bounder<'a>>,
    alone: Vec<OnceCell<Bounds>>,
    /// With the turn in which each continues.
    continued: Vec<OnceCell<Bounds>>,
}

/// Most similarity that a phrase can have in a turn, per mille, by phrase. What is not listed has less than [`LEAST_BOUND`].
type Bounds = Vec<(PhraseId, u16)>;

impl<'a> Finder<'a> {
    pub fn new(book: &'a PhraseBook, text: &'a CallText<'a>) -> Finder<'a> {
        let cells = || vec![OnceCell::new(); text.turns.len()];
        Finder {
            book,
            text,
            neighbours: book.words.neighbours(&text.vocabulary),
            bounder: RefCell::new(Bounder::new(book)),
            alone: cells(),
            continued: cells(),
        }
    }

    /// The same for a few phrases of the book: others are found, too, but at more cost.
    pub fn few(book: &'a PhraseBook, text: &'a CallText<'a>, phrases: impl Iterator<Item = PhraseId>) -> Finder<'a> {
        let finder = Finder::new(book, text);
        let mut wanted = vec![false; book.phrases.len()];
        phrases.for_each(|phrase| wanted[phrase as usize] = true);
        finder.bounder.borrow_mut().wanted = Some(wanted);
        finder
    }

    /// False when the phrase cannot be as similar as that to anything in what the bounds are of. Thresholds below [`LEAST_BOUND`] are so
    /// unusual that they get no bounds.
    fn possible(&self, bounds: &[(PhraseId, u16)], phrase: PhraseId, threshold: u16) -> bool {
        threshold < LEAST_BOUND
            || !self.bounder.borrow().wants(phrase)
            || bounds.binary_search_by_key(&phrase, |(id, _)| *id).is_ok_and(|found| bounds[found].1 >= threshold)
    }

    /// Of a turn by itself.
    fn alone(&self, turn: usize) -> &Bounds {
        let tokens = || self.text.turns[turn].tokens.iter();
        self.alone[turn].get_or_init(|| self.bounder.borrow_mut().bounds(&self.neighbours, tokens()))
    }

    /// Of a turn and the one in which it continues.
    fn continued(&self, turn: usize, next: usize) -> &Bounds {
        let both = || self.text.turns[turn].tokens.iter().chain(&self.text.turns[next].tokens);
        self.continued[turn].get_or_init(|| self.bounder.borrow_mut().bounds(&self.neighbours, both()))
    }

    /// All places that begin in `turn` where the phrase is said, best first, without overlaps.
    /// `threshold`: `None` for the usual one, higher for short phrases.
    pub fn find(&self, phrase: PhraseId, turn: usize, threshold: Option<u16>) -> Vec<Hit> {
        let least_similarity = self.book.threshold(phrase, threshold);
        let length = self.book.phrases[phrase as usize].words.len();
        let tokens = &self.text.turns[turn].tokens;
        let mut hits = Vec::new();
        if self.possible(self.alone(turn), phrase, least_similarity) {
            let said = |j: usize| tokens[j].word;
            for (begin, end, similarity_permille) in self.align(phrase, tokens.len(), said, least_similarity) {
                let span = TokenSpan { turn, begin, end_turn: turn, end };
                hits.push(Hit { span, similarity_permille, how: self.how(phrase, begin, end, said) });
            }
        }
        if let Some(next) = self.text.turns[turn].continues_in
            && length > 1
            && self.possible(self.continued(turn, next), phrase, least_similarity)
        {
            // A window longer than twice the phrase costs too much: the ends of the two turns are enough.
            let reach = 2 * length;
            let skipped = tokens.len().saturating_sub(reach);
            let head = tokens.len() - skipped;
            let following = &self.text.turns[next].tokens;
            let said = |j: usize| if j < head { tokens[skipped + j].word } else { following[j - head].word };
            let window = head + following.len().min(reach);
            for (begin, end, similarity_permille) in self.align(phrase, window, said, least_similarity) {
                if begin < head && end > head {
                    let span = TokenSpan { turn, begin: begin + skipped, end_turn: next, end: end - head };
                    let better = |h: &Hit| h.span.end > span.begin && h.similarity_permille >= similarity_permille;
                    if !hits.iter().any(better) {
                        hits.retain(|h| h.span.end <= span.begin);
                        hits.push(Hit { span, similarity_permille, how: self.how(phrase, begin, end, said) });
                    }
                }
            }
        }
        hits.sort_by_key(|h| (std::cmp::Reverse(h.similarity_permille), h.span));
        hits
    }

    /// How the phrase is in the window `begin..end` of the words `said`.
    fn how(&self, phrase: PhraseId, begin: usize, end: usize, said: impl Fn(usize) -> u32) -> How {
        let words = &self.book.phrases[phrase as usize].words;
        if words.len() != end - begin {
            return How::Tolerant;
        }
        let pairs = || words.iter().zip(begin..end).map(|(w, j)| (self.meant(*w), self.said(said(j))));
        if pairs().all(|(meant, said)| meant.chars == said.chars) {
            How::Exact
        } else if pairs().all(|(meant, said)| meant.chars == said.chars || sounds_alike(meant, said).is_some()) {
            How::BySound
        } else {
            How::Tolerant
        }
    }

    fn meant(&self, word: u32) -> &Lexeme {
        &self.book.words.vocabulary.lexemes[word as usize]
    }

    fn said(&self, word: u32) -> &Lexeme {
        &self.text.vocabulary.lexemes[word as usize]
    }

    fn align(
        &self,
        phrase: PhraseId,
        length: usize,
        said: impl Fn(usize) -> u32,
        threshold: u16,
    ) -> Vec<(usize, usize, u16)> {
        let Phrase { words, weight, .. } = &self.book.phrases[phrase as usize];
        let replace = |i: usize, j: usize| {
            let neighbours = &self.neighbours[said(j) as usize];
            match neighbours.binary_search_by_key(&words[i], |(meant, _)| *meant) {
                Ok(found) => u32::from(neighbours[found].1),
                Err(_) => full_cost(self.meant(words[i]), self.said(said(j))),
            }
        };
        let ends =
            align(words.len(), length, |i| self.meant(words[i]).weight, |j| self.said(said(j)).inserted, replace);
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

/// Computes bounds turn by turn: each word of a phrase costs at least what its cheapest counterpart in the turn costs.
/// Only words that are near something in the book, and only phrases with such words, are touched.
struct Bounder<'a> {
    book: &'a PhraseBook,
    /// Per phrase of the book whether it gets bounds; `None`: all do.
    wanted: Option<Vec<bool>>,
    /// Per lexeme of the book: the most of its weight that the turn's words save; zero between turns.
    saved: Vec<u32>,
    lexemes: Vec<u32>,
    /// Per phrase likewise.
    similar: Vec<u32>,
    phrases: Vec<PhraseId>,
}

impl<'a> Bounder<'a> {
    fn new(book: &'a PhraseBook) -> Bounder<'a> {
        let (saved, similar) = (vec![0; book.words.vocabulary.lexemes.len()], vec![0; book.phrases.len()]);
        Bounder { book, wanted: None, saved, lexemes: Vec::new(), similar, phrases: Vec::new() }
    }

    fn wants(&self, phrase: PhraseId) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted[phrase as usize])
    }

    /// `neighbours`: per word of the call.
    fn bounds<'t>(&mut self, neighbours: &[Neighbours], tokens: impl Iterator<Item = &'t Token>) -> Bounds {
        for token in tokens {
            for (meant, cost) in neighbours[token.word as usize].iter() {
                let weight = self.book.words.vocabulary.lexemes[*meant as usize].weight;
                let saves = weight.saturating_sub(u32::from(*cost));
                let best = &mut self.saved[*meant as usize];
                if saves > *best {
                    if *best == 0 {
                        self.lexemes.push(*meant);
                    }
                    *best = saves;
                }
            }
        }
        for meant in self.lexemes.drain(..) {
            let saves = std::mem::take(&mut self.saved[meant as usize]);
            for (phrase, times) in &self.book.postings[meant as usize] {
                if self.wanted.as_ref().is_some_and(|wanted| !wanted[*phrase as usize]) {
                    continue;
                }
                let sum = &mut self.similar[*phrase as usize];
                if *sum == 0 {
                    self.phrases.push(*phrase);
                }
                *sum += saves * times;
            }
        }
        let mut bounds = Vec::new();
        for phrase in self.phrases.drain(..) {
            let kept = std::mem::take(&mut self.similar[phrase as usize]);
            let Phrase { weight, granted, .. } = &self.book.phrases[phrase as usize];
            let most = similarity(weight.saturating_sub(kept + granted), *weight);
            if most >= LEAST_BOUND {
                bounds.push((phrase, most));
            }
        }
        bounds.sort_unstable();
        bounds
    }
}

/// 1 − cost / weight, per mille, not below 0.
pub(super) fn similarity(cost: u32, weight: u32) -> u16 {
    (weight.saturating_sub(cost) * 1_000).checked_div(weight).unwrap_or(0) as u16
}

/// Sellers' substring alignment. For each end 0…n of a window in the text: the least cost of any window that ends there,
/// and where that window begins (the latest begin among equals, so windows are tight).
pub(super) fn align(
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
