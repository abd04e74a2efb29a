//! Dialogue acts: which turns greet, ask, object, answer, close. By phrase, but for acts that a model of the call's language is trusted with
//! and has read the call for: of these its word counts, and phrases only say where in the turn the act is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::matching::{CallText, Finder, Hit, Passage, PhraseBook, PhraseId};
use crate::recording::Language;
use crate::scorecard::{ScorecardError, read_yaml};
use crate::transcript::{ActReadings, Role, Transcript};

/// Who performs an act that is nobody's in particular, in the names of readings.
const EITHER: &str = "either";

/// Similarity of a phrase that is there as it is listed, per mille.
const WORD_BY_WORD: u16 = 1000;

/// The list of acts that callmark brings along.
const BUILT_IN: &str = include_str!("acts.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAct {
    act: Spanned<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    role: Option<Role>,
    /// Found by phrases whatever a model hears.
    #[serde(default)]
    phrases_alone: bool,
    /// Found by its phrases, word by word, beside what a model hears.
    #[serde(default)]
    phrases_too: bool,
    #[serde(default)]
    en: Vec<String>,
    #[serde(default)]
    zh: Vec<String>,
    /// Phrases that undo the act when they are said in the same turn.
    #[serde(default)]
    not: BTreeMap<Language, Vec<String>>,
}

#[derive(Clone, Debug)]
struct Act {
    name: String,
    /// What it is called in readings, `rep:greeting`; `None`: no model is asked for it.
    reading: Option<String>,
    phrases_too: bool,
    stage: Option<String>,
    role: Option<Role>,
    phrases: BTreeMap<Language, Vec<PhraseId>>,
    not: BTreeMap<Language, Vec<PhraseId>>,
}

impl Act {
    /// The readings and its name in them when a model's word counts for the act.
    fn read_in<'a>(&'a self, readings: Option<&'a ActReadings>) -> Option<(&'a ActReadings, &'a str)> {
        let name = self.reading.as_deref()?;
        readings.filter(|readings| readings.given.contains(name)).map(|readings| (readings, name))
    }
}

/// A place where an act is expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActPlace<'a> {
    pub act: &'a str,
    pub turn: usize,
    /// Another one when the phrase runs over two turns.
    pub end_turn: usize,
    /// The words that match, as recognised.
    pub phrase: Passage,
}

/// Acts with the phrases that express them.
#[derive(Clone, Debug, Default)]
pub struct ActLexicon {
    book: PhraseBook,
    acts: Vec<Act>,
}

impl ActLexicon {
    /// Reads a list of `{act, stage, role, phrases_alone, phrases_too, en, zh, not}`.
    pub fn parse(yaml: &str) -> Result<ActLexicon, ScorecardError> {
        let raw: Vec<RawAct> = read_yaml(yaml)?;
        let mut lexicon = ActLexicon::default();
        for entry in raw {
            if lexicon.acts.iter().any(|a| a.name == entry.act.value) {
                return Err(ScorecardError::at(&entry.act, format!("act `{}` is listed twice", entry.act.value)));
            }
            let mut phrases: BTreeMap<Language, Vec<PhraseId>> = BTreeMap::new();
            let mut not: BTreeMap<Language, Vec<PhraseId>> = BTreeMap::new();
            let wanted = [(Language::En, &entry.en), (Language::Zh, &entry.zh)];
            let positive = wanted.into_iter().map(|(language, list)| (true, language, list));
            let negative = entry.not.iter().map(|(language, list)| (false, *language, list));
            for (says, language, list) in positive.chain(negative) {
                for phrase in list {
                    let Some(id) = lexicon.book.add(phrase, language) else {
                        let message = format!("act `{}` has an empty phrase", entry.act.value);
                        return Err(ScorecardError::at(&entry.act, message));
                    };
                    let target = if says { &mut phrases } else { &mut not };
                    target.entry(language).or_default().push(id);
                }
            }
            let (name, stage, role) = (entry.act.value, entry.stage, entry.role);
            let reading = (!entry.phrases_alone).then(|| format!("{}:{name}", role.map_or(EITHER, Role::name)));
            let phrases_too = entry.phrases_too;
            lexicon.acts.push(Act { name, reading, phrases_too, stage, role, phrases, not });
        }
        Ok(lexicon)
    }

    /// The acts that callmark brings along.
    pub fn built_in() -> &'static ActLexicon {
        static LEXICON: OnceLock<ActLexicon> = OnceLock::new();
        // Cannot fail: the file is compiled in, and a test reads it.
        #[allow(clippy::expect_used)]
        LEXICON.get_or_init(|| ActLexicon::parse(BUILT_IN).expect("acts.yaml is valid"))
    }

    /// SHA-256 of the built-in list: part of what a result depends on.
    pub fn built_in_hash() -> String {
        crate::recording::sha256_hex(BUILT_IN.as_bytes())
    }

    /// Names of all acts, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.acts.iter().map(|a| a.name.as_str())
    }

    /// The stages that acts belong to, in the file's order.
    pub fn stage_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for stage in self.acts.iter().filter_map(|act| act.stage.as_deref()) {
            if !names.contains(&stage) {
                names.push(stage);
            }
        }
        names
    }

    /// Whether this act is one of this role.
    pub fn is_said_by(&self, act: &str, role: Role) -> bool {
        self.acts.iter().any(|a| a.name == act && a.role.is_none_or(|said_by| said_by == role))
    }

    /// Per turn: act → how well its best phrase matches, per mille. A phrase that runs over two turns counts for the
    /// first. Turns of unknown role get the acts of both roles.
    pub fn label(&self, transcript: &Transcript) -> Vec<BTreeMap<String, u16>> {
        self.hear(transcript, None)
    }

    /// As [`ActLexicon::label`], but of acts that a model is trusted with and has read the call for, the turns and probabilities are the
    /// model's, as far as it reads turns of their role ([`ActReadings::covers`]). Every act that is listed counts: what is not sure enough is not listed.
    /// Of acts with `phrases_too` their phrases count beside it where they are said word by word.
    pub fn hear(&self, transcript: &Transcript, readings: Option<&ActReadings>) -> Vec<BTreeMap<String, u16>> {
        let text = CallText::new(transcript);
        let finder = Finder::new(&self.book, &text);
        let act_of = |act: &Act, turn: usize| {
            let said_by = transcript.turns[turn].role;
            if !act.role.is_none_or(|role| [role, Role::Unknown].contains(&said_by)) {
                return None;
            }
            let phrase = || self.best(&finder, act, text.language(), turn).map(|hit| hit.similarity_permille);
            let permille = match act.read_in(readings).filter(|(_, name)| ActReadings::covers(name, said_by)) {
                Some((readings, name)) => {
                    let heard = readings.turns.get(turn).and_then(|heard| heard.get(name).copied());
                    heard.or_else(|| phrase().filter(|similarity| act.phrases_too && *similarity >= WORD_BY_WORD))
                }
                None => phrase(),
            };
            permille.map(|permille| (act.name.clone(), permille))
        };
        (0..transcript.turns.len()).map(|t| self.acts.iter().filter_map(|a| act_of(a, t)).collect()).collect()
    }

    /// Whether the model's word counts for an act in turns of this role, in a call with these readings.
    pub(crate) fn is_read(&self, act: &str, said_by: Role, readings: Option<&ActReadings>) -> bool {
        let act = self.acts.iter().find(|a| a.name == act);
        act.and_then(|act| act.read_in(readings)).is_some_and(|(_, name)| ActReadings::covers(name, said_by))
    }

    /// The acts of which the model's word counts in a call with these readings, in the file's order.
    pub fn by_model(&self, readings: Option<&ActReadings>) -> Vec<String> {
        self.acts.iter().filter(|act| act.read_in(readings).is_some()).map(|act| act.name.clone()).collect()
    }

    /// Where each act is best expressed in each turn of the role that says it, turn by turn. What nobody knows the role of says nothing.
    pub fn places(&self, transcript: &Transcript) -> Vec<ActPlace<'_>> {
        let text = CallText::new(transcript);
        let finder = Finder::new(&self.book, &text);
        let mut places = Vec::new();
        for (turn, said) in transcript.turns.iter().enumerate() {
            for act in self.acts.iter().filter(|act| act.role.is_none_or(|role| role == said.role)) {
                if let Some(hit) = self.best(&finder, act, text.language(), turn) {
                    let phrase = text.passage(hit.span);
                    places.push(ActPlace { act: &act.name, turn, end_turn: hit.span.end_turn, phrase });
                }
            }
        }
        places
    }

    /// Finds where in a turn an act is expressed; used to cite acts. `None` when no phrase of it is there.
    pub(crate) fn locate(&self, finder: &Finder<'_>, language: Language, act: &str, turn: usize) -> Option<Hit> {
        let act = self.acts.iter().find(|a| a.name == act)?;
        self.best(finder, act, language, turn)
    }

    pub(crate) fn book(&self) -> &PhraseBook {
        &self.book
    }

    fn best(&self, finder: &Finder<'_>, act: &Act, language: Language, turn: usize) -> Option<Hit> {
        let mut best: Option<Hit> = None;
        for phrase in act.phrases.get(&language)? {
            for hit in finder.find(*phrase, turn, None) {
                if best.is_none_or(|b| hit.similarity_permille > b.similarity_permille) {
                    best = Some(hit);
                }
            }
        }
        let not = act.not.get(&language).map_or(&[][..], Vec::as_slice);
        best.filter(|hit| !finder.vetoed(hit, not))
    }

    /// Who says the act; `None`: either, or no such act.
    pub fn role_of(&self, act: &str) -> Option<Role> {
        self.acts.iter().find(|a| a.name == act)?.role
    }

    /// The stage of the call that an act belongs to.
    pub fn stage_of(&self, act: &str) -> Option<&str> {
        self.acts.iter().find(|a| a.name == act)?.stage.as_deref()
    }

    /// The stages that a turn with these acts belongs to.
    pub fn stages(&self, acts_of_turn: &BTreeMap<String, u16>) -> BTreeSet<&str> {
        acts_of_turn.keys().filter_map(|act| self.stage_of(act)).collect()
    }
}
