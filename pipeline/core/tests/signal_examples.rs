//! The example of every signal has the value that it says. Its notation is explained at `metrics!` in core/src/signals.rs.

use std::collections::BTreeSet;

use callmark_core::acts::ActLexicon;
use callmark_core::recording::Language;
use callmark_core::signals::{Metric, compute};
use callmark_core::transcript::{Medium, Role, RoleMethod, Sentiment, Sound, SoundKind, Transcript, Turn, VoiceSpan};

struct Example {
    transcript: Transcript,
    sentiment: Vec<Option<Sentiment>>,
    stages_per_turn: Vec<BTreeSet<String>>,
    stages: Vec<String>,
}

fn number(text: &str) -> f64 {
    text.trim().replace('−', "-").parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// Seconds `2.5–4` as milliseconds.
fn span(text: &str) -> (i64, i64) {
    let (begin, end) = text.split_once('–').unwrap_or_else(|| panic!("`{text}` is no span"));
    ((number(begin) * 1000.0) as i64, (number(end) * 1000.0) as i64)
}

fn read(call: &str) -> Example {
    let mut example = Example {
        transcript: Transcript {
            medium: Medium::Speech,
            language: Some(Language::En),
            duration_ms: 0,
            role_method: RoleMethod::Labelled,
            role_confidence_permille: 1000,
            ..Transcript::default()
        },
        sentiment: vec![],
        stages_per_turn: vec![],
        stages: vec![],
    };
    for part in call.split('|') {
        let (word, rest) = part.trim().split_once(' ').unwrap();
        match word {
            "R" => line(&mut example, Role::Rep, rest),
            "C" => line(&mut example, Role::Customer, rest),
            "call" => example.transcript.duration_ms = (number(rest) * 1000.0) as i64,
            "music" => {
                let (begin_ms, end_ms) = span(rest);
                example.transcript.sounds.push(Sound { kind: SoundKind::Music, role: Role::Rep, begin_ms, end_ms });
            }
            "stages" => example.stages = rest.split(", ").map(String::from).collect(),
            other => panic!("what is `{other}`?"),
        }
    }
    let last = example.transcript.turns.iter().map(|turn| turn.end_ms).max().unwrap_or(0);
    example.transcript.duration_ms = example.transcript.duration_ms.max(last);
    example
}

fn line(example: &mut Example, role: Role, rest: &str) {
    let (at, mut text) = rest.split_once(' ').unwrap();
    let (begin_ms, end_ms) = span(at);
    let (mut sentiment, mut stages) = (None, BTreeSet::new());
    let mut voice = VoiceSpan {
        role,
        begin_ms,
        end_ms,
        level_centi_dbfs: -2600,
        voiced_ms: 0,
        pitch_cents: 0,
        pitch_spread_cents: 0,
    };
    if let Some((tag, after)) = text.strip_prefix('(').and_then(|tagged| tagged.split_once(") ")) {
        text = after;
        match tag.split_once(' ') {
            Some(("sentiment", points)) => {
                let part = (number(points) * 200.0) as i64;
                sentiment = Some(Sentiment {
                    negative_permille: (-part).max(0) as u16,
                    neutral_permille: (1000 - part.abs()) as u16,
                    positive_permille: part.max(0) as u16,
                });
            }
            Some(("level", decibels)) => voice.level_centi_dbfs = (number(decibels) * 100.0) as i32,
            Some(("pitch", cents)) => {
                let (mean, spread) = cents.split_once('±').unwrap();
                voice.voiced_ms = (end_ms - begin_ms) as i32;
                (voice.pitch_cents, voice.pitch_spread_cents) = (number(mean) as i32, number(spread) as i32);
            }
            _ => stages = BTreeSet::from([tag.to_string()]),
        }
    }
    let turn = Turn { role, begin_ms, end_ms, text: text.into(), words: vec![], confidence_permille: 1000 };
    example.transcript.turns.push(turn);
    example.transcript.voice.push(voice);
    example.sentiment.push(sentiment);
    example.stages_per_turn.push(stages);
}

#[test]
fn every_example_has_its_value() {
    let mut wrong = Vec::new();
    for metric in Metric::ALL {
        let (call, value) = metric.example().split_once(" → ").unwrap();
        let example = read(call);
        let acts = ActLexicon::built_in().label(&example.transcript);
        let signals =
            compute(&example.transcript, &example.sentiment, &acts, &example.stages_per_turn, &example.stages);
        let found = signals.metric(*metric);
        if found != Some(number(value) as i64) {
            wrong.push(format!("{}: {found:?} in {}", metric.id(), metric.example()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
