//! E-mail addresses, written and spoken: "john dot smith at gmail dot com", 三八五艾特qq点com.

use std::sync::LazyLock;

use regex::Regex;

use crate::transcript::Turn;

use super::tokens::{Kind, Token, compiled, listed};
use super::{Entity, Found};

static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"[\p{L}\p{N}._%+'\-&&[^\p{Han}]]+\s?@\s?[\p{L}\p{N}\-&&[^\p{Han}]]+(?:\s?\.\s?[\p{L}&&[^\p{Han}]]{2,})*")
});

const AT: &[&str] = &["at", "@", "艾特", "爱特", "小老鼠"];
const DOT: &str = "dot . 点 point period doc";
const JOINING: &str = "dot . 点 point period underscore under score _ dash hyphen minus - plus + 下划线 横杠 减号 杠";
const ENDINGS: &str = "com calm come co org net edu gov uk de cn io info fr es it us ca au nz ie biz me eu ch nl se in dk no fi \
    at be pl pt jp hk tw sg";
/// Providers that are named without their ending.
const PROVIDERS: &str = "gmail hotmail yahoo outlook icloud protonmail aol qq foxmail 163 126 msn";
/// Words before which an address begins.
const STOPS: &str = "is it it's its my your his her our their email e-mail mail address to on the that that's this at me us \
    you reach send sent under be yes yeah ok okay i have has from with use using by was got sure no so or a \
    an him them gave try contact write writing message online site website page look looking visit find \
    found available shop buy here there out check go order ordered works work login account up";
const STOPS_HAN: &str = "是箱到给为址邮件发往的叫寄";
/// Words of a name that may stand in front without anything that joins them.
const MOST_WORDS: usize = 3;
const MOST_HAN: usize = 6;
/// Words that a spoken domain is made of before its first dot: "one six three".
const MOST_LABELS: usize = 8;
const MOST_TOKENS: usize = 60;

/// The addresses in what one speaker says without a long break.
pub(super) fn find(stream: &[Token], turns: &[&Turn], found: &mut Vec<Found>) {
    let mut last = None;
    for turn in stream.iter().map(|token| token.turn) {
        if last.replace(turn) != Some(turn) {
            let address = |m: regex::Match| Found::at(turn, m.start(), m.end(), Entity::Email);
            found.extend(WRITTEN.find_iter(&turns[turn].text).map(address));
        }
    }
    for at in 0..stream.len() {
        let Some((sign, after)) = at_sign(stream, at) else { continue };
        let Some(end) = domain(stream, after) else { continue };
        let Some(begin) = local_part(stream, at, sign) else { continue };
        let mut spans: Vec<(usize, usize, usize)> = Vec::new();
        for token in &stream[begin..end] {
            match spans.last_mut() {
                Some((turn, _, end)) if *turn == token.turn => *end = token.end,
                _ => spans.push((token.turn, token.begin, token.end)),
            }
        }
        found.extend(spans.into_iter().map(|(turn, begin, end)| Found::at(turn, begin, end, Entity::Email)));
    }
}

/// Whether a sign that can only be one of an address begins here, and where what follows it begins.
fn at_sign(stream: &[Token], at: usize) -> Option<(bool, usize)> {
    // "圈a", also where the next word was written onto it.
    if stream[at].text == "圈" && stream.get(at + 1).is_some_and(|next| next.text.starts_with('a')) {
        return Some((true, at + if stream[at + 1].text == "a" { 2 } else { 1 }));
    }
    AT.iter().find_map(|word| spelled(stream, at, word)).map(|next| (stream[at].text != "at", next))
}

/// Where a word ends that is one token, or several Han characters and letters.
fn spelled(stream: &[Token], at: usize, word: &str) -> Option<usize> {
    let mut rest = word;
    for (i, token) in stream.iter().enumerate().skip(at) {
        rest = rest.strip_prefix(token.text.as_str())?;
        if rest.is_empty() {
            return Some(i + 1);
        }
    }
    None
}

/// Where the domain that begins here ends.
fn domain(stream: &[Token], begin: usize) -> Option<usize> {
    let mut labels = 0;
    let mut end = None;
    let mut name = String::new();
    let mut at = begin;
    let turn = stream.get(begin)?.turn;
    while at < stream.len() && at < begin + 14 && stream[at].turn == turn {
        let text = stream[at].text.as_str();
        if end.is_none() && (text == "at" || (listed(STOPS, text) && stream[at].kind != Kind::Letter)) {
            return None;
        }
        if labels > 0 && listed(DOT, text) {
            if let Some(next) = ending(stream, at + 1) {
                end = Some(next);
                at = next;
                continue;
            }
            if end.is_some() {
                break;
            }
        } else if end.is_some() {
            break;
        } else if matches!(stream[at].kind, Kind::Word | Kind::Letter | Kind::Digits(_) | Kind::Amount) {
            if stream[at].is_han() && stream[at].digits().is_none() && !stream[at].text.is_empty() && name.is_empty() {
                return None;
            }
            labels += 1;
            if labels > MOST_LABELS && end.is_none() {
                return None;
            }
            name.push_str(stream[at].digits().unwrap_or(text));
            if listed(PROVIDERS, &name) && !next_is_dot(stream, at + 1) {
                return Some(at + 1);
            }
        } else if !listed(JOINING, text) && text != "," {
            break;
        }
        at += 1;
    }
    end
}

fn next_is_dot(stream: &[Token], at: usize) -> bool {
    stream.get(at).is_some_and(|token| listed(DOT, &token.text))
}

fn ending(stream: &[Token], at: usize) -> Option<usize> {
    ENDINGS.split(' ').filter_map(|word| spelled(stream, at, word)).max()
}

/// Where the part before the sign begins.
fn local_part(stream: &[Token], sign_at: usize, sign: bool) -> Option<usize> {
    let (mut begin, mut plain, mut han) = (sign_at, 0, 0);
    let joins = |at: usize| stream.get(at).is_some_and(|token| listed(JOINING, &token.text));
    for at in (0..sign_at).rev().take(MOST_TOKENS) {
        let token = &stream[at];
        let text = token.text.as_str();
        let here = token.turn == stream[sign_at].turn;
        let accepted = match token.kind {
            Kind::Letter | Kind::Digits(_) | Kind::Repeat(_) | Kind::Amount => true,
            _ if listed(JOINING, text) => true,
            _ if listed(STOPS, text) => false,
            Kind::Soft => true,
            _ if token.is_han() => {
                han += 1;
                here && han <= MOST_HAN && !STOPS_HAN.contains(text)
            }
            _ if !text.chars().all(char::is_alphanumeric) => false,
            _ => {
                let joined = joins(at + 1) || (at > 0 && joins(at - 1));
                plain += usize::from(!joined);
                here && plain <= MOST_WORDS
            }
        };
        if !accepted {
            break;
        }
        if token.kind != Kind::Soft || listed(JOINING, text) && begin < sign_at {
            begin = at;
        }
    }
    // "Order at acme dot com" names a place; the sign itself does not need a name before it.
    (begin < sign_at || sign).then_some(begin)
}
