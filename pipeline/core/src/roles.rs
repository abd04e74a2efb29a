//! Which channel is the rep: decided from what is said, with a confidence, so that a doubtful call abstains.

use std::collections::{BTreeMap, BTreeSet};

use crate::acts::ActLexicon;
use crate::transcript::{Role, RoleMethod, RoleSpan, Transcript, Turn};

/// Acts that mark the rep, and the customer, with their log-odds in thousandths. Engineering guesses (to be fitted
/// on labelled calls): a disclosure or an identity check is hardly ever said by a customer, a greeting often is.
const REP_ACTS: &[(&str, i64)] = &[
    ("recording_disclosure", 2500),
    ("self_introduction", 1200),
    ("identity_check", 2000),
    ("needs_question", 700),
    ("presentation", 1000),
    ("objection_answer", 700),
    ("hold_request", 1500),
    ("hold_return", 1500),
    ("empathy", 1200),
    ("apology", 800),
    ("next_step", 700),
    ("closing", 900),
    ("greeting", 600),
];
const CUSTOMER_ACTS: &[(&str, i64)] =
    &[("price_objection", 1500), ("objection", 1200), ("angry", 1500), ("confirmation", 300), ("thanks", 200)];

/// The assignment of two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRoles {
    /// Index (0 or 1) of the rep's channel.
    pub rep: usize,
    /// 500 (no evidence) … 999.
    pub confidence_permille: u16,
}

/// Infers the rep's channel from two lists of turns (roles in them are ignored).
///
/// Each distinct act counts once per channel; the difference of the two channels' log-odds goes through the logistic function.
pub fn infer(channels: [&[Turn]; 2], lexicon: &ActLexicon, template: &Transcript) -> ChannelRoles {
    let evidence = |turns: &[Turn]| rep_evidence(turns, lexicon, template);
    let difference = evidence(channels[0]) - evidence(channels[1]);
    let probability = 1.0 / (1.0 + libm::exp(-(difference.abs() as f64) / 1000.0));
    let confidence_permille = libm::floor(probability * 1000.0).min(999.0) as u16;
    ChannelRoles { rep: usize::from(difference < 0), confidence_permille }
}

fn rep_evidence(turns: &[Turn], lexicon: &ActLexicon, template: &Transcript) -> i64 {
    let said_as = |role: Role| -> BTreeSet<String> {
        let turns = turns.iter().map(|turn| Turn { role, ..turn.clone() }).collect();
        let labels: Vec<BTreeMap<String, u16>> = lexicon.label(&Transcript { turns, ..template.clone() });
        labels.into_iter().flat_map(BTreeMap::into_keys).collect()
    };
    let sum = |acts: &[(&str, i64)], said: &BTreeSet<String>| -> i64 {
        acts.iter().filter(|(act, _)| said.contains(*act)).map(|(_, odds)| odds).sum()
    };
    sum(REP_ACTS, &said_as(Role::Rep)) - sum(CUSTOMER_ACTS, &said_as(Role::Customer))
}

/// Turns `rep` ↔ `customer` around in the whole transcript.
pub fn swap(transcript: &mut Transcript, confidence_permille: u16) {
    let other = |role: Role| match role {
        Role::Rep => Role::Customer,
        Role::Customer => Role::Rep,
        Role::Unknown => Role::Unknown,
    };
    for turn in &mut transcript.turns {
        turn.role = other(turn.role);
    }
    for span in &mut transcript.speech {
        *span = RoleSpan { role: other(span.role), ..*span };
    }
    transcript.speech.sort_by_key(|s| (s.begin_ms, s.role));
    transcript.turns.sort_by_key(|t| (t.begin_ms, t.end_ms, t.role));
    transcript.role_method = RoleMethod::Inferred;
    transcript.role_confidence_permille = confidence_permille;
}
