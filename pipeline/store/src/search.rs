//! Searching what was said: how text becomes words, what a query means, which places of a text answer it. Free of any back-end.
//!
//! An English word is found as a whole word, whatever its case (`cancel` does not find `cancelled`, `cancel*` does); Chinese is
//! found by any part of a text, from one character on. Full-width letters and traditional characters are folded.

use std::ops::Range;
use std::sync::OnceLock;

use callmark_core::recording::is_han;
use callmark_core::transcript::Role;

use crate::{CallFilter, RecordingLink};

/// Traditional and simplified characters in pairs: OpenCC's `TSCharacters` where one character becomes one other.
const SIMPLIFIED: &str = include_str!("traditional-simplified.txt");

fn simplified(c: char) -> char {
    static PAIRS: OnceLock<Vec<(char, char)>> = OnceLock::new();
    let pairs = PAIRS.get_or_init(|| {
        let lines = SIMPLIFIED.lines().filter(|line| !line.starts_with('#'));
        let mut pairs: Vec<(char, char)> = lines
            .filter_map(|line| {
                let mut chars = line.chars();
                Some((chars.next()?, chars.next()?))
            })
            .collect();
        pairs.sort_unstable();
        pairs
    });
    pairs.binary_search_by_key(&c, |(from, _)| *from).map_or(c, |found| pairs[found].1)
}

/// A word, or one Chinese character, with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    folded: String,
    bytes: Range<usize>,
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, original) in text.char_indices() {
        let c = match original {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(original) - 0xFEE0).unwrap_or(original),
            c => c,
        };
        let bytes = at..at + original.len_utf8();
        if is_han(c) {
            words.push(Word { folded: simplified(c).to_string(), bytes });
            open = false;
        } else if !c.is_alphanumeric() {
            open = false;
        } else {
            match words.last_mut().filter(|_| open) {
                Some(word) => {
                    word.folded.extend(c.to_lowercase());
                    word.bytes.end = bytes.end;
                }
                None => words.push(Word { folded: c.to_lowercase().collect(), bytes }),
            }
            open = true;
        }
    }
    words
}

/// A text as the index takes it: folded words with one space between.
pub(crate) fn index_text(text: &str) -> String {
    words(text).into_iter().map(|word| word.folded).collect::<Vec<_>>().join(" ")
}

/// Words that must follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    pub(crate) words: Vec<String>,
    /// The last word may go on (`cancel*`).
    pub(crate) open: bool,
}

impl Phrase {
    fn new(text: &str, open: bool) -> Option<Phrase> {
        let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
        (!words.is_empty()).then_some(Phrase { words, open })
    }

    /// Where the phrase begins among the words of a text, and how many bytes of it each place takes.
    fn places<'a>(&'a self, text: &'a [Word]) -> impl Iterator<Item = Range<usize>> + 'a {
        text.windows(self.words.len()).filter_map(|window| {
            let last = self.words.len() - 1;
            let equal = (0..=last).all(|i| match window[i].folded.strip_prefix(&self.words[i]) {
                Some("") => true,
                Some(_) => self.open && i == last,
                None => false,
            });
            equal.then(|| window[0].bytes.start..window[last].bytes.end)
        })
    }
}

/// What a person asked for: every phrase must be in one turn. Anything that can be typed has a meaning; nothing is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub(crate) phrases: Vec<Phrase>,
}

impl Terms {
    /// Reads a query: `"…"` is a phrase, so is a run of Chinese, anything else is words; `*` after a word leaves its end open.
    /// `None` when there is no word in it.
    pub fn parse(query: &str) -> Option<Terms> {
        let mut phrases = Vec::new();
        for (index, part) in query.split(['"', '“', '”', '＂']).enumerate() {
            if index % 2 == 1 {
                phrases.extend(Phrase::new(part, false));
            } else {
                let chunks = part.split_whitespace();
                phrases.extend(chunks.filter_map(|chunk| Phrase::new(chunk, chunk.ends_with(['*', '＊']))));
            }
        }
        (!phrases.is_empty()).then_some(Terms { phrases })
    }

    /// The whole query as one phrase: turns that hold it come first. `None` when an open word stands in its middle.
    pub(crate) fn whole(&self) -> Option<Phrase> {
        let (last, before) = self.phrases.split_last()?;
        let words = self.phrases.iter().flat_map(|phrase| phrase.words.iter().cloned()).collect();
        before.iter().all(|phrase| !phrase.open).then_some(Phrase { words, open: last.open })
    }

    /// The bytes of a text that answer the query, in order and apart; the whole phrase alone where it is there.
    pub fn marks(&self, text: &str) -> Vec<Range<usize>> {
        let said = words(text);
        let mut marks: Vec<Range<usize>> = self.whole().iter().flat_map(|whole| whole.places(&said)).collect();
        if marks.is_empty() {
            marks = self.phrases.iter().flat_map(|phrase| phrase.places(&said)).collect();
        }
        marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for mark in marks {
            match apart.last_mut().filter(|last| mark.start <= last.end) {
                Some(last) => last.end = last.end.max(mark.end),
                None => apart.push(mark),
            }
        }
        apart
    }
}

/// A search over the turns of stored calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    pub terms: Terms,
    pub role: Option<Role>,
    pub calls: CallFilter,
    pub limit: usize,
}

/// A turn that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    pub call_id: String,
    pub turn: u32,
    pub role: Role,
    /// False for text without times.
    pub timed: bool,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// The whole query stands in the turn as one phrase.
    pub is_phrase: bool,
    pub rep_id: Option<String>,
    pub team: Option<String>,
    pub start_ts: Option<String>,
    pub recordings: Vec<RecordingLink>,
}

/// Turns that hold the query as one phrase first; among these and the others the newest call first, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchResults {
    pub hits: Vec<SearchHit>,
    /// How many turns answer the query, and in how many calls, whatever the limit.
    pub turns: u64,
    pub calls: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(query: &str, text: &str) -> String {
        let terms = Terms::parse(query).unwrap();
        let mut out = text.to_string();
        for mark in terms.marks(text).into_iter().rev() {
            out.insert(mark.end, ']');
            out.insert(mark.start, '[');
        }
        out
    }

    #[test]
    fn words_are_folded_with_their_places() {
        assert_eq!(index_text("Don't CANCEL my ＰＯＬＩＣＹ"), "don t cancel my policy");
        assert_eq!(index_text("我要取消保單A4,谢谢!"), "我 要 取 消 保 单 a4 谢 谢");
        assert_eq!(index_text(" …!? "), "");
    }

    #[test]
    fn every_query_has_a_meaning() {
        for odd in ["", "  ", "\"", "\"\"", "*", "?!", "( )", "“”"] {
            assert_eq!(Terms::parse(odd), None, "{odd}");
        }
        let read = |query: &str| -> Vec<(String, bool)> {
            let phrases = Terms::parse(query).unwrap().phrases;
            phrases.into_iter().map(|phrase| (phrase.words.join(" "), phrase.open)).collect()
        };
        let closed = |words: &[&str]| -> Vec<(String, bool)> { words.iter().map(|w| (w.to_string(), false)).collect() };
        assert_eq!(read("cancel AND NOT(policy)"), closed(&["cancel", "and", "not policy"]));
        assert_eq!(read("\"cancel my\" policy"), closed(&["cancel my", "policy"]));
        assert_eq!(read("\"never closed"), closed(&["never closed"]));
        assert_eq!(read("取消保单 VIP客户"), closed(&["取 消 保 单", "vip 客 户"]));
        assert_eq!(read("cancel*"), [("cancel".to_string(), true)]);
        assert_eq!(read("rep:x ^y -z {a} \"b\"*"), closed(&["rep x", "y", "z", "a", "b"]));
    }

    #[test]
    fn marks_are_where_the_words_are() {
        assert_eq!(marked("cancel my policy", "I CANCEL my policy; my policy"), "I [CANCEL my policy]; my policy");
        assert_eq!(marked("policy cancel", "cancel my policy, cancelled"), "[cancel] my [policy], cancelled");
        assert_eq!(marked("cancel*", "cancelled or cancel"), "[cancelled] or [cancel]");
        assert_eq!(marked("单", "取消保單,两单"), "取消保[單],两[单]");
        assert_eq!(marked("哈哈", "哈哈哈"), "[哈哈哈]");
        assert_eq!(marked("vip 客户", "ＶＩＰ客户您好"), "[ＶＩＰ客户]您好");
    }
}
