//! Verbatim mentions: customer turns in which a worry, a need, who decides, or that somebody else decides now is put into words, with their place.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::touchpoint::Moment;
use crate::acts::ActLexicon;
use crate::matching::{call_language, content_words};
use crate::recording::Language;
use crate::transcript::{Medium, Transcript};

pub(super) const PHRASES: &str = include_str!("mentions.yaml");

/// What a customer put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionKind {
    Worry,
    Need,
    /// Who decides, or that the customer does not.
    DecisionMaker,
    /// That somebody else decides than before.
    DecisionMakerChange,
}

impl MentionKind {
    pub const ALL: &'static [MentionKind] =
        &[MentionKind::Worry, MentionKind::Need, MentionKind::DecisionMaker, MentionKind::DecisionMakerChange];

    /// Its name in the configuration, in the tables and in the list of phrases.
    pub fn id(self) -> &'static str {
        match self {
            MentionKind::Worry => "worry",
            MentionKind::Need => "need",
            MentionKind::DecisionMaker => "decision_maker",
            MentionKind::DecisionMakerChange => "decision_maker_change",
        }
    }
}

/// One customer turn that a phrase was found in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub kind: MentionKind,
    pub call_id: String,
    /// When the call was made, if that is known.
    pub at: Option<Moment>,
    pub turn: u32,
    /// Where in the call the turn is; `None` for text without times.
    pub begin_ms: Option<i64>,
    pub end_ms: Option<i64>,
    /// The turn, word by word as it was recognised.
    pub quote: String,
    /// The part of it that matched.
    pub phrase: String,
    /// The call's.
    pub language: Language,
}

impl Mention {
    /// What the turn is about: its content words but for those of the phrase.
    pub fn words(&self) -> BTreeSet<String> {
        let matched = content_words(&self.phrase, self.language);
        content_words(&self.quote, self.language).into_iter().filter(|word| !matched.contains(word)).collect()
    }
}

fn lexicon() -> &'static ActLexicon {
    static LEXICON: OnceLock<ActLexicon> = OnceLock::new();
    // Cannot fail: the file is compiled in, and a test reads it.
    #[allow(clippy::expect_used)]
    LEXICON.get_or_init(|| ActLexicon::parse(PHRASES).expect("mentions.yaml is valid"))
}

/// The mentions of a call that was made at that time, in order of turns. A turn may be several kinds at once, each once.
pub fn mentions(call_id: &str, at: Option<Moment>, transcript: &Transcript) -> Vec<Mention> {
    let language = call_language(transcript);
    let places = lexicon().places(transcript).into_iter();
    places
        .filter_map(|place| {
            let kind = MentionKind::ALL.iter().copied().find(|kind| kind.id() == place.act)?;
            let (begin_ms, end_ms, quote) = whole_turns(transcript, place.turn, place.end_turn);
            let timed = transcript.medium == Medium::Speech;
            Some(Mention {
                kind,
                call_id: call_id.to_string(),
                at,
                turn: u32::try_from(place.turn).ok()?,
                begin_ms: timed.then_some(begin_ms),
                end_ms: timed.then_some(end_ms),
                quote,
                phrase: place.phrase.quote,
                language,
            })
        })
        .collect()
}

/// Times and text of a turn, or of the two that a phrase runs over.
fn whole_turns(transcript: &Transcript, turn: usize, end_turn: usize) -> (i64, i64, String) {
    let (first, last) = (&transcript.turns[turn], &transcript.turns[end_turn]);
    let mut quote = first.text.trim().to_string();
    if end_turn != turn {
        quote = format!("{quote} {}", last.text.trim());
    }
    (first.begin_ms, last.end_ms, quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_in_the_box_is_valid_and_complete() {
        let names: Vec<&str> = lexicon().names().collect();
        let kinds: Vec<&str> = MentionKind::ALL.iter().map(|kind| kind.id()).collect();
        assert_eq!(names, kinds);
    }
}
