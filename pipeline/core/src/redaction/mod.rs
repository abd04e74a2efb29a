//! Personal numbers and addresses in what was said: where they are, and the transcript without them.
//!
//! What is found is replaced by a placeholder before anything else looks at a transcript, so that every score, quote and output is
//! made from words that may be kept, and a re-score of the stored call gives the same bytes. A placeholder keeps the time of the
//! words that it replaces, and their number, so that pace stays what it was.

mod address;
mod context;
mod email;
mod numbers;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::matching::call_language;
use crate::recording::Language;
use crate::signals::pace_units;
use crate::transcript::{Medium, Role, Transcript, Turn, Word};

use tokens::{Kind, Token, tokens_of};

/// What is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// Numbers of payment cards, their security codes, personal identification numbers, one-time codes.
    Card,
    /// Accounts, sort codes, IBANs.
    Bank,
    /// Social security numbers, Chinese identity numbers, passports, driving licences.
    Identity,
    Phone,
    Email,
    /// Postal addresses.
    Address,
}

impl Entity {
    pub const ALL: [Entity; 6] =
        [Entity::Card, Entity::Bank, Entity::Identity, Entity::Phone, Entity::Email, Entity::Address];

    /// The word for it in configurations and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Card => "card",
            Entity::Bank => "bank",
            Entity::Identity => "identity",
            Entity::Phone => "phone",
            Entity::Email => "email",
            Entity::Address => "address",
        }
    }

    /// What stands in the text instead; the same in every language.
    pub fn placeholder(self) -> &'static str {
        match self {
            Entity::Card => "[card]",
            Entity::Bank => "[bank]",
            Entity::Identity => "[identity]",
            Entity::Phone => "[phone]",
            Entity::Email => "[email]",
            Entity::Address => "[address]",
        }
    }
}

/// The placeholder that a text begins with.
pub fn placeholder_at(text: &str) -> Option<&'static str> {
    Entity::ALL.into_iter().map(Entity::placeholder).find(|placeholder| text.starts_with(placeholder))
}

/// A place in the text of one turn, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The turn's id.
    pub turn: usize,
    pub begin: usize,
    pub end: usize,
    pub entity: Entity,
    /// Of the whole number, also where it goes over several turns.
    digits: String,
    /// Places of the first and last of its turns, in order of time.
    number: (usize, usize),
}

impl Found {
    fn at(turn: usize, begin: usize, end: usize, entity: Entity) -> Found {
        Found { turn, begin, end, entity, digits: String::new(), number: (turn, turn) }
    }
}

/// What was taken out of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// What was looked for.
    pub entities: BTreeSet<Entity>,
    /// By (begin_ms, role).
    pub spans: Vec<RedactedSpan>,
}

/// One placeholder, for beeps and for pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RedactedSpan {
    pub begin_ms: i64,
    pub end_ms: i64,
    pub role: Role,
    pub entity: Entity,
    /// Words (Chinese: characters) that it stands for.
    pub units: u32,
}

/// A role goes on with its number after the other party's words of at most this weight (a Han character weighs 1, a word 2) …
const MOST_BETWEEN: usize = 20;
/// … and this time.
const MOST_PAUSE_MS: i64 = 20_000;

/// Everything personal in a transcript, by (turn, begin), without overlaps.
pub fn find(transcript: &Transcript) -> Vec<Found> {
    let order = transcript.everybody();
    let turns: Vec<&Turn> = order.iter().map(|(_, turn)| *turn).collect();
    let mut found = find_in(&turns, transcript.medium == Medium::Speech);
    for place in &mut found {
        place.turn = order[place.turn].0;
    }
    found.sort_by_key(|place| (place.turn, place.begin));
    found
}

fn find_in(turns: &[&Turn], timed: bool) -> Vec<Found> {
    let streams = streams(turns, timed);
    let mut found = Vec::new();
    for stream in &streams {
        email::find(stream, turns, &mut found);
        numbers::find(stream, turns, &mut found);
    }
    numbers::find_echoes(&streams, turns, &mut found);
    for (turn, said) in turns.iter().enumerate() {
        address::find(turn, said, &mut found);
    }
    without_overlaps(found)
}

/// The tokens of each speaker, parted where somebody else says more than a back-channel or time goes by.
fn streams(turns: &[&Turn], timed: bool) -> Vec<Vec<Token>> {
    struct Open {
        tokens: Vec<Token>,
        end_ms: i64,
        between: usize,
    }
    let mut streams = Vec::new();
    let mut open: BTreeMap<Role, Open> = BTreeMap::new();
    for (index, turn) in turns.iter().enumerate() {
        let tokens = tokens_of(index, &turn.text);
        let weight: usize = tokens.iter().filter(|token| token.kind == Kind::Word).map(Token::weight).sum();
        for (role, other) in &mut open {
            if *role != turn.role {
                other.between += weight;
            }
        }
        let own = open.entry(turn.role).or_insert(Open { tokens: vec![], end_ms: turn.begin_ms, between: 0 });
        if own.between > MOST_BETWEEN || (timed && turn.begin_ms - own.end_ms > MOST_PAUSE_MS) {
            streams.push(std::mem::take(&mut own.tokens));
        }
        own.tokens.extend(tokens);
        own.end_ms = turn.end_ms;
        own.between = 0;
    }
    streams.extend(open.into_values().map(|open| open.tokens));
    streams
}

/// Places that overlap become one; a card stays a card, else the longer one names it.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|place| (place.turn, place.begin, place.end));
    let mut apart: Vec<Found> = Vec::new();
    for place in found {
        match apart.last_mut().filter(|last| last.turn == place.turn && place.begin < last.end) {
            Some(last) => {
                let longer = place.end - place.begin > last.end - last.begin;
                if last.entity != Entity::Card && (longer || place.entity == Entity::Card) {
                    last.entity = place.entity;
                }
                last.end = last.end.max(place.end);
            }
            None => apart.push(place),
        }
    }
    apart
}

/// A text by itself without what is personal in it.
pub fn redact_text(text: &str, entities: &BTreeSet<Entity>) -> String {
    let turn = Turn {
        role: Role::Unknown,
        begin_ms: 0,
        end_ms: 0,
        text: text.to_string(),
        words: vec![],
        confidence_permille: 1000,
    };
    let found = find_in(&[&turn], false);
    let places: Vec<&Found> = found.iter().filter(|place| entities.contains(&place.entity)).collect();
    replaced(text, &places)
}

fn replaced(text: &str, places: &[&Found]) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for place in places {
        out.push_str(&text[done..place.begin]);
        out.push_str(place.entity.placeholder());
        done = place.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Replaces what is personal. Nothing happens to a transcript from which all of `entities` were taken before.
pub fn redact(transcript: &mut Transcript, entities: &BTreeSet<Entity>) {
    let before = transcript.redaction.take().unwrap_or_default();
    if entities.is_subset(&before.entities) {
        transcript.redaction = (!before.entities.is_empty()).then_some(before);
        return;
    }
    let mut by_turn: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    for place in find(transcript).into_iter().filter(|place| entities.contains(&place.entity)) {
        by_turn.entry(place.turn).or_default().push(place);
    }
    let language = call_language(transcript);
    let mut redaction = before;
    redaction.entities.extend(entities);
    for (id, turn) in transcript.turns.iter_mut().chain(&mut transcript.other_turns).enumerate() {
        let places: Vec<&Found> = by_turn.get(&id).into_iter().flatten().collect();
        redact_turn(turn, &places, language, &mut redaction.spans);
    }
    redaction.spans.sort();
    transcript.redaction = Some(redaction);
}

fn redact_turn(turn: &mut Turn, places: &[&Found], language: Language, spans: &mut Vec<RedactedSpan>) {
    let words = located(turn);
    for place in places {
        let touched: Vec<&Word> = turn
            .words
            .iter()
            .zip(&words)
            .filter(|(_, at)| at.is_some_and(|(begin, end)| begin < place.end && end > place.begin))
            .map(|(word, _)| word)
            .collect();
        let (begin_ms, end_ms) = match (touched.first(), touched.last()) {
            (Some(first), Some(last)) => (first.begin_ms, last.end_ms),
            // Without word times: where the text would be if it were said evenly.
            _ => {
                let length = turn.text.len().max(1) as i64;
                let at = |byte: usize| turn.begin_ms + (turn.end_ms - turn.begin_ms) * byte as i64 / length;
                (at(place.begin), at(place.end))
            }
        };
        let units = u32::try_from(pace_units(&turn.text[place.begin..place.end], language)).unwrap_or(u32::MAX);
        spans.push(RedactedSpan { begin_ms, end_ms, role: turn.role, entity: place.entity, units });
    }
    redact_words(turn, &words, places);
    turn.text = replaced(&turn.text, places);
}

/// One word per placeholder, from the begin of the first word that it replaces to the end of the last. A word that the text does not
/// have loses its letters: it could say what the text no longer says.
fn redact_words(turn: &mut Turn, located: &[Option<(usize, usize)>], places: &[&Found]) {
    let mut kept: Vec<Word> = Vec::with_capacity(turn.words.len());
    let mut filled: Option<usize> = None;
    for (mut word, at) in std::mem::take(&mut turn.words).into_iter().zip(located) {
        let Some((begin, end)) = *at else {
            word.text.clear();
            kept.push(word);
            continue;
        };
        let touched: Vec<usize> =
            (0..places.len()).filter(|n| begin < places[*n].end && end > places[*n].begin).collect();
        let (Some(first), Some(last)) = (touched.first(), touched.last()) else {
            kept.push(word);
            continue;
        };
        // What of the word is left: before, between and behind the places.
        let lead: String = word.text.chars().take_while(|c| c.is_whitespace()).collect();
        let mut text = String::new();
        let mut done = begin;
        for n in &touched {
            let place = places[*n];
            if place.begin > done {
                text.push_str(&turn.text[done..place.begin]);
            }
            if filled != Some(*n) {
                text.push_str(place.entity.placeholder());
            }
            filled = Some(*n);
            done = done.max(place.end.min(end));
        }
        text.push_str(&turn.text[done..end]);
        let goes_on = places[*first].begin < begin && touched.len() == 1;
        match kept.last_mut().filter(|_| goes_on) {
            Some(before) => {
                before.text.push_str(&text);
                before.end_ms = word.end_ms;
                before.confidence_permille = before.confidence_permille.min(word.confidence_permille);
            }
            None => {
                word.text = format!("{lead}{text}");
                kept.push(word);
            }
        }
        debug_assert!(first <= last);
    }
    turn.words = kept;
}

/// Where each recognised word stands in the turn's text, in order.
fn located(turn: &Turn) -> Vec<Option<(usize, usize)>> {
    let mut cursor = 0;
    let place = |word: &Word| {
        let text = word.text.trim();
        let begin = cursor + turn.text[cursor..].find(text).filter(|_| !text.is_empty())?;
        cursor = begin + text.len();
        Some((begin, cursor))
    };
    turn.words.iter().map(place).collect()
}

#[cfg(test)]
mod tests;
