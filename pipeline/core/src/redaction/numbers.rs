//! Cards, bank accounts, identity numbers and telephones: runs of digits, and which of them are personal.
//!
//! Over-redacts on purpose: a check digit or a known shape makes a number personal, a failed check never makes it harmless,
//! because recognisers mishear digits.

use std::sync::LazyLock;

use regex::Regex;

use crate::transcript::Turn;

use super::context::{Topic, says_digits, topic_after, topic_before};
use super::tokens::{Kind, Token, compiled};
use super::{Entity, Found};

/// Longer pauses of separators and fillers end a number.
const MOST_SOFT: usize = 8;
/// So many digits are personal whatever is said around them: no price, date or count has as many.
const LONG: usize = 12;
/// How much of what was said before is looked at, in bytes.
const BEFORE_BYTES: usize = 160;
/// A number is read back at most so many turns after it was said.
const ECHO_TURNS: usize = 3;
/// A number goes on where another one of its turn ended so few bytes before.
const GOES_ON_BYTES: usize = 60;

/// An account in its international form (ISO 13616), in groups or not.
static IBAN: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"(?i)\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b"));
/// Documents that mix letters and digits, behind their name.
static DOCUMENT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?:passport|licen[sc]e|护照|驾照|证件)[^0-9.?!。]{0,25}?\b([A-Z]{0,3}[0-9][0-9A-Z -]{4,18}[0-9A-Z])\b",
    )
});
static CHINESE_IDENTITY: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"^[1-8][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[0-9]{3}[0-9x]$"));
static YEAR: LazyLock<Regex> = LazyLock::new(|| compiled(r"^(?:19|20)[0-9]{2}$"));

/// Digits that one speaker says in a row, maybe over several turns.
struct Run {
    tokens: Vec<usize>,
    digits: String,
    entity: Option<Entity>,
}

/// The personal numbers in what one speaker says without a long break.
pub(super) fn find(stream: &[Token], turns: &[&Turn], found: &mut Vec<Found>) {
    written_ibans(stream, turns, found);
    let mut runs: Vec<Run> = runs(stream, turns);
    for run in &mut runs {
        run.entity = entity_of(run, stream, turns);
        // What the speaker went on with in another turn may be a number of its own.
        while run.entity.is_none()
            && let Some(rest) = run.after_first_turn(stream)
        {
            *run = rest;
            run.entity = entity_of(run, stream, turns);
        }
    }
    for at in 1..runs.len() {
        let (before, after) = runs.split_at_mut(at);
        let (last, run) = (&before[at - 1], &mut after[0]);
        // A card whose number was broken by a word that belongs to neither group.
        if run.entity.is_none() && run.digits.len() >= 4 && last.entity == Some(Entity::Card) && last.digits.len() < 16
        {
            let (ended, begins) = (&stream[last.tokens[last.tokens.len() - 1]], &stream[run.tokens[0]]);
            let near = ended.turn == begins.turn && begins.begin - ended.end <= GOES_ON_BYTES;
            if near && !all_years(run, stream) && !all_round(run, stream) && !has_thousands(run, stream) {
                run.entity = Some(Entity::Card);
            }
        }
    }
    for run in &runs {
        if let Some(entity) = run.entity {
            add(run, stream, turns, entity, found);
        }
    }
}

/// Who reads a number back says a part of it: within a few turns of it any part, anywhere at least four digits.
pub(super) fn find_echoes(streams: &[Vec<Token>], turns: &[&Turn], found: &mut Vec<Found>) {
    let whole: Vec<Found> = found.iter().filter(|place| place.digits.len() >= 4).cloned().collect();
    for stream in streams.iter().filter(|_| !whole.is_empty()) {
        for run in single_turn_runs(stream) {
            let digits: String = run.digits.chars().filter(char::is_ascii_digit).collect();
            let turn = stream[run.tokens[0]].turn;
            let year = all_years(&run, stream);
            let least = match weight_of_words(stream, turn) {
                0 => 1,
                1..=4 => 2,
                _ => 4,
            };
            let echoes = |place: &&Found| {
                let (first, last) = place.number;
                // Between the groups of a number even a misheard one is its echo.
                if first < turn && turn <= last && least <= 2 {
                    return true;
                }
                let near = (first..=last + ECHO_TURNS).contains(&turn);
                let enough = if near { digits.len() >= least } else { digits.len() >= 4 && !year };
                enough && place.digits.contains(&digits)
            };
            if let Some(entity) = whole.iter().find(echoes).map(|place| place.entity) {
                add(&run, stream, turns, entity, found);
            }
        }
    }
}

/// How much a turn says beside digits and fillers; a Han character weighs 1, a word 2.
fn weight_of_words(stream: &[Token], turn: usize) -> usize {
    let words = stream.iter().filter(|token| token.turn == turn && matches!(token.kind, Kind::Word | Kind::Amount));
    words.map(Token::weight).sum()
}

/// As [`runs`], but each turn by itself.
fn single_turn_runs(stream: &[Token]) -> Vec<Run> {
    let mut parts = Vec::new();
    for run in runs(stream, &[]) {
        let mut rest = Some(run);
        while let Some(run) = rest {
            rest = run.after_first_turn(stream);
            let first = stream[run.tokens[0]].turn;
            let of_first = run.tokens.iter().copied().filter(|at| stream[*at].turn == first).collect();
            parts.extend(Run::new(of_first, stream));
        }
    }
    parts
}

/// Digits with at most fillers between them.
fn runs(stream: &[Token], turns: &[&Turn]) -> Vec<Run> {
    let (mut runs, mut open, mut soft) = (Vec::new(), Vec::new(), 0);
    let mut close = |open: &mut Vec<usize>| {
        if let Some(run) = Run::new(std::mem::take(open), stream) {
            runs.push(run);
        }
    };
    for (at, token) in stream.iter().enumerate() {
        if let Some(last) = open.last().map(|at: &usize| &stream[*at])
            && last.turn != token.turn
            && stream[at - 1].turn != token.turn
            && asks_for_another(turns, last.turn, token.turn)
        {
            close(&mut open);
        }
        match token.kind {
            Kind::Digits(_) | Kind::Repeat(_) | Kind::Letter => {
                open.push(at);
                soft = 0;
            }
            Kind::Soft => soft += 1,
            // One word that was put in or misheard between digits that are read one by one.
            Kind::Word if read_singly(stream, at) => soft += 1,
            Kind::Word | Kind::Amount => close(&mut open),
        }
        if soft > MOST_SOFT {
            close(&mut open);
            soft = 0;
        }
    }
    close(&mut open);
    runs
}

/// Whether the other party names another kind of number between two turns.
fn asks_for_another(turns: &[&Turn], from: usize, to: usize) -> bool {
    turns.get(from + 1..to).unwrap_or(&[]).iter().any(|turn| topic_before(&turn.text).is_some())
}

/// Three single digits directly before and behind a token.
fn read_singly(stream: &[Token], at: usize) -> bool {
    let single = |token: &Token| token.digits().is_some_and(|digits| digits.len() == 1);
    let hard = |token: &&Token| token.kind != Kind::Soft;
    let before = stream[..at].iter().rev().filter(hard).take(3).filter(|token| single(token)).count();
    let after = stream[at + 1..].iter().filter(hard).take(3).filter(|token| single(token)).count();
    before == 3 && after == 3
}

impl Run {
    fn new(mut tokens: Vec<usize>, stream: &[Token]) -> Option<Run> {
        let is_digits = |at: &usize| stream[*at].digits().is_some();
        let letters = tokens.iter().filter(|at| stream[**at].kind == Kind::Letter).count();
        let digits = tokens.iter().filter(|at| is_digits(at)).count();
        if digits == 0 {
            return None;
        }
        // An account in its international form begins with letters; elsewhere they are initials, or the X of a Chinese identity.
        if !(letters >= 2 && digits >= 6) {
            let first = tokens.iter().position(|at| stream[*at].kind != Kind::Letter)?;
            tokens.drain(..first);
            let last = tokens.iter().rposition(is_digits)?;
            let ends_with_x = tokens.get(last + 1).is_some_and(|at| stream[*at].text == "x");
            tokens.truncate(last + 1 + usize::from(ends_with_x));
        }
        let mut text = String::new();
        let mut times = 1;
        for at in &tokens {
            match &stream[*at].kind {
                Kind::Digits(digits) => {
                    let (first, rest) = digits.split_at(1);
                    text.push_str(&first.repeat(times));
                    text.push_str(rest);
                    times = 1;
                }
                Kind::Repeat(n) => times = *n,
                _ => text.push_str(&stream[*at].text),
            }
        }
        Some(Run { tokens, digits: text, entity: None })
    }

    /// What is left without the turn in which it begins.
    fn after_first_turn(&self, stream: &[Token]) -> Option<Run> {
        let first = stream[self.tokens[0]].turn;
        Run::new(self.tokens.iter().copied().filter(|at| stream[*at].turn != first).collect(), stream)
    }

    fn parts<'a>(&'a self, stream: &'a [Token]) -> impl Iterator<Item = &'a str> {
        self.tokens.iter().filter_map(|at| stream[*at].digits())
    }
}

fn all_years(run: &Run, stream: &[Token]) -> bool {
    run.parts(stream).all(|part| YEAR.is_match(part)) || YEAR.is_match(&run.digits)
}

/// Round numbers in a row are a list of sums.
fn all_round(run: &Run, stream: &[Token]) -> bool {
    let parts: Vec<&str> = run.parts(stream).collect();
    parts.len() >= 2 && parts.iter().all(|part| (2..=6).contains(&part.len()) && part.ends_with('0'))
}

/// "Two thousand and eight": a count, a year.
fn has_thousands(run: &Run, stream: &[Token]) -> bool {
    run.tokens.iter().any(|at| stream[*at].text.contains("thousand"))
}

fn entity_of(run: &Run, stream: &[Token], turns: &[&Turn]) -> Option<Entity> {
    let count = run.digits.chars().filter(char::is_ascii_digit).count();
    let letters = run.digits.len() - count;
    if count < 3 || all_years(run, stream) {
        return None;
    }
    let first = &stream[run.tokens[0]];
    let before = said_before(turns, first.turn, first.begin);
    let topic = topic_before(&before);
    let last = &stream[run.tokens[run.tokens.len() - 1]];
    let after = || topic_after(&turns[last.turn].text[last.end..]);
    let about = topic.map(|(topic, _)| topic).filter(|topic| *topic != Topic::Address).or_else(after);
    if letters >= 2 && count >= 8 {
        return Some(Entity::Bank);
    }
    if count >= LONG || (letters == 1 && count == 17) {
        return long(run, count, about, topic, stream);
    }
    let year = run.tokens.len() == 1 && YEAR.is_match(&run.digits);
    let told = || says_digits(&before) && !year && !all_round(run, stream) && !has_thousands(run, stream);
    match about {
        Some(Topic::Code) if count <= 8 => return Some(Entity::Card),
        Some(Topic::Card) if count >= 8 || (count >= 4 && told()) => return Some(Entity::Card),
        Some(Topic::Identity) if count >= 6 || (count >= 4 && told()) => return Some(Entity::Identity),
        Some(Topic::Bank) if count >= 6 || (count >= 4 && told()) => return Some(Entity::Bank),
        Some(Topic::Phone) if count >= 6 => return Some(Entity::Phone),
        Some(Topic::Reference) => return None,
        Some(Topic::Date) if count <= 8 => return None,
        _ => {}
    }
    let parts: Vec<&str> = run.parts(stream).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if has_thousands(run, stream) {
        return None;
    }
    if lengths == [3, 2, 4] {
        return Some(Entity::Identity);
    }
    let written = run.tokens.iter().all(|at| stream[*at].written);
    let singles = lengths.iter().filter(|length| **length == 1).count();
    let is_phone = match count {
        10.. => !all_round(run, stream),
        7..=9 => (written && (2..=5).contains(&lengths.len()) && !all_round(run, stream)) || singles >= 6,
        _ => false,
    };
    is_phone.then_some(Entity::Phone)
}

/// Which kind of long number it is; `None` for the company's own.
fn long(
    run: &Run,
    count: usize,
    about: Option<Topic>,
    topic: Option<(Topic, usize)>,
    stream: &[Token],
) -> Option<Entity> {
    let checked = (13..=19).contains(&count) && has_luhn_check(&run.digits);
    if CHINESE_IDENTITY.is_match(&run.digits) && !(checked && about == Some(Topic::Card)) {
        return Some(Entity::Identity);
    }
    match about {
        _ if all_round(run, stream) || (has_thousands(run, stream) && !checked) => None,
        Some(Topic::Bank) => Some(Entity::Bank),
        Some(Topic::Identity) => Some(Entity::Identity),
        // Also several, one after the other.
        Some(Topic::Phone) if !checked => Some(Entity::Phone),
        Some(Topic::Reference) if !checked && topic.is_some_and(|(_, away)| away <= 25) => None,
        Some(Topic::Card | Topic::Code) => Some(Entity::Card),
        _ if count <= 13 && run.digits.starts_with("86") && is_mobile(&run.digits[2..]) => Some(Entity::Phone),
        _ => Some(Entity::Card),
    }
}

/// A Chinese mobile number.
fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes()[1], b'3'..=b'9')
}

/// The check digit of payment cards (ISO/IEC 7812-1, annex B).
fn has_luhn_check(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

/// What anybody said last before a place.
fn said_before(turns: &[&Turn], turn: usize, begin: usize) -> String {
    let mut before = turns[turn].text[..begin].to_string();
    for earlier in turns[..turn].iter().rev().take(4) {
        if before.len() >= BEFORE_BYTES {
            break;
        }
        before = format!("{}\n{before}", earlier.text);
    }
    before
}

fn add(run: &Run, stream: &[Token], turns: &[&Turn], entity: Entity, found: &mut Vec<Found>) {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for token in run.tokens.iter().map(|at| &stream[*at]) {
        match spans.last_mut() {
            Some((turn, _, end)) if *turn == token.turn => *end = token.end,
            _ => spans.push((token.turn, token.begin, token.end)),
        }
    }
    let number = (spans[0].0, spans[spans.len() - 1].0);
    for (turn, begin, end) in spans {
        let text = &turns[turn].text;
        let opens = text[..begin].chars().rev().take_while(|c| matches!(c, '+' | '(')).count();
        let closes = usize::from(text[end..].starts_with(')') && text[begin - opens..end].contains('('));
        found.push(Found { turn, begin: begin - opens, end: end + closes, entity, digits: run.digits.clone(), number });
    }
}

fn written_ibans(stream: &[Token], turns: &[&Turn], found: &mut Vec<Found>) {
    let mut last = None;
    for turn in stream.iter().map(|token| token.turn) {
        if last.replace(turn) == Some(turn) {
            continue;
        }
        let text = &turns[turn].text;
        let mut push = |begin: usize, end: usize, entity: Entity| {
            let digits: String = text[begin..end].chars().filter(char::is_ascii_digit).collect();
            if digits.len() >= 5 {
                found.push(Found { digits, ..Found::at(turn, begin, end, entity) });
            }
        };
        for account in IBAN.find_iter(text).filter(|m| m.as_str().chars().filter(char::is_ascii_digit).count() >= 10) {
            push(account.start(), account.end(), Entity::Bank);
        }
        for document in DOCUMENT.captures_iter(text).filter_map(|captures| captures.get(1)) {
            push(document.start(), document.end(), Entity::Identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // The example of ISO/IEC 7812-1, test numbers that card schemes publish, and one wrong digit.
        for (digits, right) in
            [("4992739871 6", true), ("4111111111111111", true), ("378282246310005", true), ("4111111111111112", false)]
        {
            assert_eq!(has_luhn_check(digits), right, "{digits}");
        }
    }
}
