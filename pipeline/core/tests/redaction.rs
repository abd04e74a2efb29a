//! Redaction of any text: no panic, nothing twice, and pace as it was.

use std::collections::{BTreeMap, BTreeSet};

use callmark_core::redaction::{Entity, redact, redact_text};
use callmark_core::signals;
use callmark_core::transcript::{Medium, Role, RoleMethod, RoleSpan, Transcript, Turn, Word};
use proptest::prelude::*;

fn all() -> BTreeSet<Entity> {
    Entity::ALL.into()
}

/// Each word takes 400 ms.
fn call(turns: &[(Role, String)]) -> Transcript {
    let mut at = 0;
    let mut made = Vec::new();
    for (role, text) in turns {
        let begin_ms = at;
        let word = |word: &str| {
            at += 400;
            Word { text: word.to_string(), begin_ms: at - 400, end_ms: at, confidence_permille: 900 }
        };
        let words: Vec<Word> = text.split_whitespace().map(word).collect();
        made.push(Turn { role: *role, begin_ms, end_ms: at, text: text.clone(), words, confidence_permille: 900 });
    }
    let speech = made.iter().map(|t| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms }).collect();
    Transcript {
        medium: Medium::Speech,
        duration_ms: at,
        role_method: RoleMethod::ChannelMap,
        role_confidence_permille: 1000,
        recogniser_confidence_permille: Some(900),
        confidence_floor_permille: Some(500),
        turns: made,
        speech,
        ..Transcript::default()
    }
}

#[test]
fn pace_stays_what_it_was() {
    let talk = "thank you for calling, I will read that back to you now, and then we are done with it for today";
    let number = "so your card is four one one one, one one one one, one one one one, one one one one";
    let original = call(&[
        (Role::Rep, format!("{talk} {number}")),
        (
            Role::Customer,
            format!("{number} is right, {talk}, and my phone is oh seven seven double zero nine hundred one two three"),
        ),
    ]);
    let mut redacted = original.clone();
    redact(&mut redacted, &all());
    assert!(redacted.turns.iter().all(|turn| turn.text.contains("[card]")));
    let measured = |transcript: &Transcript| {
        let acts = vec![BTreeMap::new(); 2];
        let stages = vec![BTreeSet::new(); 2];
        let signals = signals::compute(transcript, &[None, None], &acts, &stages, &[]);
        (signals.pace_rep, signals.pace_customer)
    };
    assert!(measured(&original).0.is_some());
    assert_eq!(measured(&original), measured(&redacted));
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "([0-9]{1,5}|one|four|double|oh|at|dot|com|[ ,.@+()-]|一|三个|八|号|路|北京市|\\PC){0,60}") {
        let once = redact_text(&text, &all());
        prop_assert!(once.len() <= 2 * text.len() + 10);
    }

    /// However it is grouped, nothing of a card's number is left.
    #[test]
    fn a_card_never_stays(digits in "[3-6][0-9]{15}", cuts in prop::collection::btree_set(1usize..15, 0..6), mark in 0usize..4) {
        let mark = [" ", "-", ", ", " um "][mark];
        let mut said = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if cuts.contains(&place) {
                said.push_str(mark);
            }
            said.push(digit);
        }
        let years = said.split(mark).all(|part| part.starts_with("19") || part.starts_with("20"));
        let round = said.split(mark).all(|part| part.ends_with('0'));
        prop_assume!(!years && !round);
        let mut transcript = call(&[(Role::Customer, format!("my card number is {said}, thanks"))]);
        redact(&mut transcript, &all());
        let words: String = transcript.turns[0].words.iter().map(|word| word.text.as_str()).collect();
        for text in [&transcript.turns[0].text, &words] {
            prop_assert!(!text.contains(|c: char| c.is_ascii_digit()), "{said}: {text}");
        }
    }
}
