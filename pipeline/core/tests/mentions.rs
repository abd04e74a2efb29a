//! How many worries and decision makers of customers are found, on conversations that somebody labelled who had not seen the phrases. Makes
//! docs/mentions-accuracy.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use callmark_core::journey::{MentionKind, mentions};
use callmark_core::recording::Language;
use callmark_core::statistics::{Z95, wilson};
use callmark_core::transcript::{Medium, Role, Transcript, Turn};

/// `conversation.turn<TAB>role<TAB>text<TAB>label`; label: worry, decision_maker, both or none.
const SETS: [(Language, &str); 2] = [
    (Language::En, include_str!("../../../tests/mentions/en.tsv")),
    (Language::Zh, include_str!("../../../tests/mentions/zh.tsv")),
];

/// What the phrases found before they were widened, measured in the same way: language, odd, kind.
const BEFORE: [(Language, bool, &str, Counts); 8] = [
    (Language::En, true, "worry", Counts { right: 1, wrong: 1, missed: 41 }),
    (Language::En, true, "decision maker", Counts { right: 1, wrong: 0, missed: 33 }),
    (Language::En, false, "worry", Counts { right: 1, wrong: 0, missed: 33 }),
    (Language::En, false, "decision maker", Counts { right: 0, wrong: 0, missed: 24 }),
    (Language::Zh, true, "worry", Counts { right: 0, wrong: 1, missed: 42 }),
    (Language::Zh, true, "decision maker", Counts { right: 0, wrong: 0, missed: 32 }),
    (Language::Zh, false, "worry", Counts { right: 1, wrong: 1, missed: 33 }),
    (Language::Zh, false, "decision maker", Counts { right: 1, wrong: 1, missed: 23 }),
];

/// Customer turns: found and there, found and not there, not found and there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    right: u64,
    wrong: u64,
    missed: u64,
}

/// Of one half of a set: conversations with odd numbers, which nobody who wrote phrases has read, or with even ones, by which they were widened.
fn measured(language: Language, set: &str, odd: bool) -> BTreeMap<&'static str, Counts> {
    let mut calls: BTreeMap<u32, Vec<(Turn, &str)>> = BTreeMap::new();
    for line in set.lines() {
        let [place, role, text, label] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let conversation: u32 = place.split('.').next().unwrap().parse().unwrap();
        if (conversation % 2 == 1) == odd {
            let role = if role == "rep" { Role::Rep } else { Role::Customer };
            let turn = Turn {
                role,
                begin_ms: 0,
                end_ms: 0,
                text: text.to_string(),
                words: Vec::new(),
                confidence_permille: 1000,
            };
            calls.entry(conversation).or_default().push((turn, label));
        }
    }
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for turns in calls.values() {
        let transcript = Transcript {
            language: Some(language),
            medium: Medium::Text,
            turns: turns.iter().map(|(turn, _)| turn.clone()).collect(),
            ..Transcript::default()
        };
        let found = mentions("call", None, &transcript);
        for (n, (_, label)) in turns.iter().enumerate() {
            for (name, kinds) in [
                ("worry", &[MentionKind::Worry][..]),
                ("decision maker", &[MentionKind::DecisionMaker, MentionKind::DecisionMakerChange]),
            ] {
                let is_there = *label == "both" || label.replace('_', " ") == name;
                let is_found = found.iter().any(|mention| mention.turn as usize == n && kinds.contains(&mention.kind));
                let of = counts.entry(name).or_default();
                match (is_found, is_there) {
                    (true, true) => of.right += 1,
                    (true, false) => of.wrong += 1,
                    (false, true) => of.missed += 1,
                    (false, false) => {}
                }
            }
        }
    }
    counts
}

/// `88.6 % (84.9–91.5)`.
fn share(part: u64, of: u64) -> String {
    let Some(interval) = wilson(part, of, Z95) else { return "–".to_string() };
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    format!("{} % ({}–{})", percent(part as f64 / of as f64), percent(interval.low), percent(interval.high))
}

// A test may read and write a page of the documentation; core itself does no I/O.
#[allow(clippy::disallowed_methods)]
#[test]
fn the_page_of_mentions_holds_what_is_measured() {
    let mut page = String::from(
        "# How many worries and decision makers are found\n\nMade by pipeline/core/tests/mentions.rs from tests/mentions/: 40 written conversations a language, of eight trades, \
         every turn labelled by somebody who had not seen the phrases of `callmark journeys` (pipeline/core/src/journey/mentions.yaml). The phrases were widened on the \
         conversations with even numbers, so they know those; nobody who wrote phrases has read the odd ones. *There*: customer turns with a worry for what is to come, or in \
         which somebody else than the customer decides; a turn that says that the customer decides alone is labelled as neither, but found as *who decides*. *Recall*: the share of what \
         is there that is found; *precision*: of all that is found, the share that is there; in brackets the 95 % Wilson interval. Written talk, not recognised: a recogniser's errors come on top.\n\n",
    );
    page.push_str("| language | what | conversations | turns there | precision | recall | before the widening: precision | recall |\n|---|---|---|---:|---|---|---|---|\n");
    for (language, set) in SETS {
        for odd in [true, false] {
            let counts = measured(language, set, odd);
            for (kind, Counts { right, wrong, missed }) in counts {
                let half = if odd { "odd, held out" } else { "even" };
                let (there, before) =
                    (right + missed, BEFORE.iter().find(|of| (of.0, of.1, of.2) == (language, odd, kind)).unwrap());
                let former = before.3;
                writeln!(
                    page,
                    "| {} | {kind} | {half} | {there} | {} | {} | {} | {} |",
                    language.code(),
                    share(right, right + wrong),
                    share(right, there),
                    share(former.right, former.right + former.wrong),
                    share(former.right, there),
                )
                .unwrap();
            }
        }
    }
    let written_at = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mentions-accuracy.md");
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(written_at, &page).unwrap();
    }
    let hint = "CALLMARK_WRITE_DOCS=1 cargo test --release -p callmark-core --test mentions writes it";
    assert!(
        std::fs::read_to_string(written_at).unwrap_or_default() == page,
        "docs/mentions-accuracy.md is stale; hint: {hint}"
    );
}
