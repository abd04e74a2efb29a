//! Alignment of phrases with turns.

use super::lexeme::substitution_cost;
use super::phrases::{Phrase, PhraseBook, PhraseId};
use super::text::{CallText, TokenSpan};

/// `not` phrases veto a match in the same turn, or when they end at most this many tokens before it.
const NEGATION_REACH_TOKENS: usize = 4;

/// A place where a phrase was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub span: TokenSpan,
    pub similarity_permille: u16,
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
