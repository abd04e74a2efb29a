//! Who is the rep: weighed from what is said, with a calibrated confidence, so that a doubtful call abstains; and what people decided about it.
//!
//! An additive log-odds model (naive Bayes in form, fitted as a logistic regression on the *difference* of the two speakers): each cue
//! that one of them gives is a piece of evidence with a moment and a weight. `callmark eval roles --cues` prints what the weights are
//! fitted on, models/evaluation/fit_roles.py fits them.

use std::collections::{BTreeMap, BTreeSet};

use crate::acts::ActLexicon;
use crate::record::{Decision, Review};
use crate::recording::Direction;
use crate::redaction::Entity;
use crate::signals;
use crate::transcript::{Medium, Role, RoleMethod, RoleSpan, Transcript, Turn};
use crate::warning::Warning;

/// How often one cue counts for one speaker: the fourth "your" says little that three have not said.
const MOST_HITS: usize = 3;
/// No confidence above this, however much was said: what the held-out sets can support: 350 dialogues without an error (models/evaluation/README.md).
const MAX_CONFIDENCE_PERMILLE: u16 = 995;

/// A cue: what it is called, how much one hit speaks for being the rep (thousandths of log-odds; negative: the customer), and its
/// phrases. English phrases are runs of whole words, Chinese ones runs of characters without punctuation.
struct Cue {
    name: &'static str,
    odds_milli: i64,
    en: &'static [&'static str],
    zh: &'static [&'static str],
}

include!("role_cues.rs");

/// One reason to take a speaker for the rep (or for the customer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleEvidence {
    pub cue: &'static str,
    /// 0 or 1: whose words.
    pub speaker: usize,
    /// Index into that speaker's turns.
    pub turn: usize,
    pub begin_ms: i64,
    /// Thousandths; positive: this speaker is the rep.
    pub log_odds_milli: i64,
}

/// The assignment of two channels or speakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRoles {
    /// Index (0 or 1) of the rep.
    pub rep: usize,
    /// 500 (no evidence) … [`MAX_CONFIDENCE_PERMILLE`].
    pub confidence_permille: u16,
}

/// Infers the rep from two lists of turns (roles in them are ignored) when the direction of the call is unknown.
pub fn infer(speakers: [&[Turn]; 2], lexicon: &ActLexicon, template: &Transcript) -> ChannelRoles {
    decide(&weigh(speakers, None, lexicon, template))
}

/// The assignment that follows from evidence: the sum of log-odds through the logistic function.
pub fn decide(evidence: &[RoleEvidence]) -> ChannelRoles {
    let signed = |e: &RoleEvidence| if e.speaker == 0 { e.log_odds_milli } else { -e.log_odds_milli };
    let first_is_rep_milli: i64 = evidence.iter().map(signed).sum();
    let probability = 1.0 / (1.0 + libm::exp(-(first_is_rep_milli.abs() as f64) / 1000.0));
    let confidence_permille = (libm::floor(probability * 1000.0) as u16).min(MAX_CONFIDENCE_PERMILLE);
    ChannelRoles { rep: usize::from(first_is_rep_milli < 0), confidence_permille }
}

/// All evidence of a call, by time.
pub fn weigh(
    speakers: [&[Turn]; 2],
    direction: Option<Direction>,
    lexicon: &ActLexicon,
    template: &Transcript,
) -> Vec<RoleEvidence> {
    let mut evidence = Vec::new();
    for (speaker, turns) in speakers.into_iter().enumerate() {
        let mut hits: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (turn, said) in turns.iter().enumerate() {
            let text = CueText::new(&said.text);
            for cue in CUES.iter().filter(|cue| text.has(cue)) {
                let count = hits.entry(cue.name).or_default();
                *count += 1;
                if *count <= MOST_HITS {
                    evidence.push(RoleEvidence {
                        cue: cue.name,
                        speaker,
                        turn,
                        begin_ms: said.begin_ms,
                        log_odds_milli: cue.odds_milli,
                    });
                }
            }
        }
        evidence.extend(acts_of(speaker, turns, lexicon, template));
    }
    // In a chat the customer writes first; only a call has somebody who picks up.
    if template.medium == Medium::Speech {
        evidence.extend(who_begins(speakers, direction));
    }
    evidence.sort_by_key(|e| (e.begin_ms, e.speaker, e.turn, e.cue));
    evidence
}

/// The first to speak: a called party says hello before the caller says why. Without a direction most calls are inbound.
fn who_begins(speakers: [&[Turn]; 2], direction: Option<Direction>) -> Option<RoleEvidence> {
    let first = |turns: &[Turn]| turns.iter().find(|t| !t.text.trim().is_empty()).map(|t| t.begin_ms);
    // Texts without times do not say who began.
    let (a, b) = (first(speakers[0])?, first(speakers[1])?);
    let (cue, log_odds_milli) = match direction {
        Some(Direction::Inbound) => ("answers_the_call", ANSWERS_INBOUND_MILLI),
        Some(Direction::Outbound) => ("is_called", -ANSWERS_OUTBOUND_MILLI),
        None => ("speaks_first", SPEAKS_FIRST_MILLI),
    };
    let speaker = usize::from(b < a);
    (a != b).then_some(RoleEvidence { cue, speaker, turn: 0, begin_ms: a.min(b), log_odds_milli })
}

/// Dialogue acts, which are matched tolerantly and so survive a weak recogniser; each counts once per speaker.
fn acts_of(speaker: usize, turns: &[Turn], lexicon: &ActLexicon, template: &Transcript) -> Vec<RoleEvidence> {
    let labels = |role: Role| {
        let turns = turns.iter().map(|turn| Turn { role, ..turn.clone() }).collect();
        let side = Transcript { turns, speech: vec![], warnings: vec![], dropped: BTreeMap::new(), ..template.clone() };
        lexicon.label(&side)
    };
    let mut found = Vec::new();
    for (role, acts) in [(Role::Rep, REP_ACTS), (Role::Customer, CUSTOMER_ACTS)] {
        let mut seen = BTreeSet::new();
        for (turn, labels) in labels(role).iter().enumerate() {
            for (act, odds_milli) in acts.iter().filter(|(act, _)| labels.contains_key(*act)) {
                if seen.insert(*act) {
                    let begin_ms = turns[turn].begin_ms;
                    found.push(RoleEvidence { cue: act, speaker, turn, begin_ms, log_odds_milli: *odds_milli });
                }
            }
        }
    }
    found
}

/// A turn as cues are looked for in it: ` words with spaces ` and the Han characters without punctuation.
struct CueText {
    words: String,
    han: String,
    /// Holds a number that was redacted.
    redacted_number: bool,
}

impl CueText {
    fn new(text: &str) -> CueText {
        let words = format!(" {} ", signals::words(text).join(" "));
        let han = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let numbers = [Entity::Card, Entity::Bank, Entity::Identity, Entity::Phone];
        CueText { words, han, redacted_number: numbers.iter().any(|entity| text.contains(entity.placeholder())) }
    }

    fn has(&self, cue: &Cue) -> bool {
        match cue.name {
            "my_thing" => self.names_own_thing(),
            "reads_digits" => self.reads_digits(),
            _ => self.any(cue.en, cue.zh),
        }
    }

    fn any(&self, en: &[&str], zh: &[&str]) -> bool {
        let said = |phrase: &str| {
            self.words
                .match_indices(phrase)
                .any(|(at, _)| self.words[..at].ends_with(' ') && self.words[at + phrase.len()..].starts_with(' '))
        };
        en.iter().any(|phrase| said(phrase)) || zh.iter().any(|phrase| self.han.contains(phrase))
    }

    /// "My account", not what a rep calls hers: "my name", "my colleague".
    fn names_own_thing(&self) -> bool {
        const THE_REPS: &[&str] = &[
            "name",
            "colleague",
            "manager",
            "supervisor",
            "system",
            "screen",
            "end",
            "pleasure",
            "team",
            "side",
            "apologies",
        ];
        let mut words = self.words.split_whitespace();
        let mut own = false;
        while let Some(word) = words.next() {
            own |= word == "my" && words.clone().next().is_some_and(|next| !THE_REPS.contains(&next));
        }
        own || ["我的", "我家", "我这个"].iter().any(|phrase| self.han.contains(phrase))
    }

    /// At least four digits or number words: an account, a telephone, a birthday that somebody was asked for.
    fn reads_digits(&self) -> bool {
        const NUMBERS: &[&str] =
            &["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        let in_word = |w: &str| if NUMBERS.contains(&w) { 1 } else { w.chars().filter(char::is_ascii_digit).count() };
        let spoken = self.words.split_whitespace().map(in_word).sum::<usize>();
        self.redacted_number
            || spoken >= 4
            || self.han.chars().filter(|c| "零一二三四五六七八九幺".contains(*c)).count() >= 5
    }
}

/// The evidence for and against the roles that a transcript has now: speaker 0 is its rep. For `callmark show`.
pub fn explain(transcript: &Transcript, direction: Option<Direction>, lexicon: &ActLexicon) -> Vec<RoleEvidence> {
    let of = |role| -> Vec<Turn> { transcript.turns.iter().filter(|t| t.role == role).cloned().collect() };
    weigh([&of(Role::Rep), &of(Role::Customer)], direction, lexicon, transcript)
}

/// Below this a configured channel map is believed, whatever was said: one in two hundred such warnings may be false.
const SWAPPED_PERMILLE: u16 = 990;

/// How sure what is said contradicts the roles that a transcript has, per mille; `None`: it does not.
pub fn contradiction(transcript: &Transcript, direction: Option<Direction>, lexicon: &ActLexicon) -> Option<u16> {
    let said = decide(&explain(transcript, direction, lexicon));
    (said.rep == 1 && said.confidence_permille >= SWAPPED_PERMILLE).then_some(said.confidence_permille)
}

fn is_rep_or_customer(role: &Role) -> bool {
    matches!(role, Role::Rep | Role::Customer)
}

/// Turns `rep` ↔ `customer` around in the whole transcript.
pub fn swap(transcript: &mut Transcript, confidence_permille: u16) {
    let other = |role: Role| match role {
        Role::Rep => Role::Customer,
        Role::Customer => Role::Rep,
        Role::Unknown | Role::Ivr | Role::Supervisor | Role::TransferTarget => role,
    };
    for turn in &mut transcript.turns {
        turn.role = other(turn.role);
    }
    for span in &mut transcript.speech {
        *span = RoleSpan { role: other(span.role), ..*span };
    }
    for role in &mut transcript.channel_roles {
        *role = other(*role);
    }
    for sound in &mut transcript.sounds {
        sound.role = other(sound.role);
    }
    for voice in &mut transcript.voice {
        voice.role = other(voice.role);
    }
    for redacted in transcript.redaction.iter_mut().flat_map(|redaction| &mut redaction.spans) {
        redacted.role = other(redacted.role);
    }
    transcript.speech.sort_by_key(|s| (s.begin_ms, s.role));
    transcript.sounds.sort_by_key(|s| (s.begin_ms, s.role, s.kind));
    transcript.voice.sort_by_key(|v| (v.begin_ms, v.role));
    transcript.turns.sort_by_key(|t| (t.begin_ms, t.end_ms, t.role));
    transcript.role_method = RoleMethod::Inferred;
    transcript.role_confidence_permille = confidence_permille;
}

/// Weighs the roles of a two-channel call anew with what its recognition did not know: the direction. Idempotent.
pub fn refine(transcript: &mut Transcript, direction: Option<Direction>, lexicon: &ActLexicon) {
    let two_channels = transcript.channel_roles.iter().filter(|role| is_rep_or_customer(role)).count() == 2;
    if transcript.role_method != RoleMethod::Inferred || !two_channels {
        return; // Mono: its confidence also holds how well the speakers could be told apart.
    }
    let said = decide(&explain(transcript, direction, lexicon));
    if said.rep == 1 {
        swap(transcript, said.confidence_permille);
    }
    transcript.role_confidence_permille = said.confidence_permille;
}

// ---- What people decided ---------------------------------------------------------------------------------------------

/// How a review names a decision about roles: `roles:0=rep,1=customer`.
const REVIEW_PREFIX: &str = "roles:";

/// Who is on which channel, as people write it. Where a transcript does not know its channels, speaker 0 is who speaks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment(BTreeMap<usize, Role>);

/// Why an assignment cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    #[error("roles are written like `0=rep,1=customer`, one rep and one customer on different channels")]
    Unreadable,
    #[error("the speakers of this call were not told apart")]
    NotToldApart,
    #[error("a role is given to a channel that was not listened to")]
    UnknownChannel,
}

impl RoleAssignment {
    /// Reads `0=rep,1=customer`.
    ///
    /// # Errors
    /// When it is written otherwise, or does not name exactly one rep and one customer.
    pub fn parse(text: &str) -> Result<RoleAssignment, AssignmentError> {
        let mut roles = BTreeMap::new();
        for part in text.split(',') {
            let (channel, role) = part.split_once('=').ok_or(AssignmentError::Unreadable)?;
            let channel: usize = channel.trim().parse().map_err(|_| AssignmentError::Unreadable)?;
            let role = match role.trim() {
                "rep" => Role::Rep,
                "customer" => Role::Customer,
                _ => return Err(AssignmentError::Unreadable),
            };
            if roles.insert(channel, role).is_some() {
                return Err(AssignmentError::Unreadable);
            }
        }
        let assignment = RoleAssignment(roles);
        let once = |role| assignment.0.values().filter(|r| **r == role).count() == 1;
        if once(Role::Rep) && once(Role::Customer) { Ok(assignment) } else { Err(AssignmentError::Unreadable) }
    }

    /// The assignment that a transcript has.
    ///
    /// # Errors
    /// When its rep and its customer are not both known.
    pub fn of(transcript: &Transcript) -> Result<RoleAssignment, AssignmentError> {
        let by_channel = || transcript.channel_roles.iter().copied().enumerate();
        let known = is_rep_or_customer;
        let roles: BTreeMap<usize, Role> = if transcript.channel_roles.is_empty() {
            let first = transcript.turns.iter().map(|turn| turn.role).find(known);
            let both = [Role::Rep, Role::Customer].iter().all(|r| transcript.turns.iter().any(|t| t.role == *r));
            match first.filter(|_| both) {
                Some(Role::Rep) => BTreeMap::from([(0, Role::Rep), (1, Role::Customer)]),
                Some(_) => BTreeMap::from([(0, Role::Customer), (1, Role::Rep)]),
                None => BTreeMap::new(),
            }
        } else {
            by_channel().filter(|(_, role)| known(role)).collect()
        };
        let once = |role| roles.values().filter(|r| **r == role).count() == 1;
        if once(Role::Rep) && once(Role::Customer) {
            Ok(RoleAssignment(roles))
        } else {
            Err(AssignmentError::NotToldApart)
        }
    }

    /// Rep and customer turned round.
    #[must_use]
    pub fn swapped(&self) -> RoleAssignment {
        let other = |role: &Role| if *role == Role::Rep { Role::Customer } else { Role::Rep };
        RoleAssignment(self.0.iter().map(|(channel, role)| (*channel, other(role))).collect())
    }

    /// The requirement id under which a decision about it is kept.
    pub fn review_id(&self) -> String {
        format!("{REVIEW_PREFIX}{self}")
    }

    /// Gives a transcript these roles, as a person's decision. True when they were other ones.
    ///
    /// # Errors
    /// When the transcript's speakers are not told apart, or it has other channels.
    pub fn apply(&self, transcript: &mut Transcript) -> Result<bool, AssignmentError> {
        let now = RoleAssignment::of(transcript)?;
        let turned = *self != now;
        if turned {
            if now.swapped() != *self {
                return Err(AssignmentError::UnknownChannel);
            }
            swap(transcript, 1000);
        }
        transcript.role_method = RoleMethod::Reviewed;
        transcript.role_confidence_permille = 1000;
        Ok(turned)
    }
}

impl std::fmt::Display for RoleAssignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (channel, role)) in self.0.iter().enumerate() {
            let role = if *role == Role::Rep { "rep" } else { "customer" };
            write!(f, "{}{channel}={role}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// The last decision about a call's roles, if people made one.
pub fn reviewed(reviews: &[Review]) -> Option<RoleAssignment> {
    let last = reviews
        .iter()
        .rev()
        .find(|r| r.is_final && r.decision != Decision::Comment && r.requirement_id.starts_with(REVIEW_PREFIX))?;
    RoleAssignment::parse(&last.requirement_id[REVIEW_PREFIX.len()..]).ok()
}

/// Roles before a call is scored: what people decided, else what is said weighed with the direction. Idempotent, so that stored
/// transcripts and stored records may go through it. True when rep and customer changed places.
pub fn settle(
    transcript: &mut Transcript,
    direction: Option<Direction>,
    reviews: &[Review],
    lexicon: &ActLexicon,
) -> bool {
    let before = RoleAssignment::of(transcript);
    match reviewed(reviews).map(|wanted| wanted.apply(transcript)) {
        Some(Ok(_)) => {}
        // Transcribed anew in a way that does not fit what was decided: what is said decides again.
        Some(Err(_)) | None => refine(transcript, direction, lexicon),
    }
    // Reported, not corrected: the map may be right and the call unusual; `callmark roles --swap` corrects it.
    let swapped = Warning::RolesSwapped.with(&[]);
    transcript.warnings.retain(|warning| *warning != swapped);
    if transcript.role_method == RoleMethod::ChannelMap && contradiction(transcript, direction, lexicon).is_some() {
        transcript.warnings.push(swapped);
    }
    before != RoleAssignment::of(transcript)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(role: Role, begin_ms: i64, text: &str) -> Turn {
        Turn { role, begin_ms, end_ms: begin_ms + 900, text: text.into(), words: vec![], confidence_permille: 900 }
    }

    fn call(turns: Vec<Turn>) -> Transcript {
        Transcript {
            medium: Medium::Speech,
            duration_ms: 60_000,
            role_method: RoleMethod::Inferred,
            role_confidence_permille: 0,
            recogniser_confidence_permille: Some(900),
            confidence_floor_permille: Some(500),
            turns,
            channel_roles: vec![Role::Rep, Role::Customer],
            ..Transcript::default()
        }
    }

    fn sample() -> Transcript {
        call(vec![
            turn(Role::Rep, 0, "Hi, I need to change my address, I lost my card."),
            turn(Role::Customer, 1000, "Thank you for calling, may I have your account number?"),
            turn(Role::Rep, 2000, "My number is one two three four."),
        ])
    }

    #[test]
    fn evidence_has_a_moment_and_decides() {
        let lexicon = ActLexicon::built_in();
        let evidence = explain(&sample(), None, lexicon);
        let decided = decide(&evidence);
        assert_eq!(decided.rep, 1, "{evidence:?}");
        assert!(decided.confidence_permille >= 900, "{decided:?}");
        assert!(evidence.iter().any(|e| (e.cue, e.speaker, e.begin_ms) == ("names_company", 1, 1000)), "{evidence:?}");
        assert_eq!(decide(&[]), ChannelRoles { rep: 0, confidence_permille: 500 });
    }

    /// Whoever is called speaker 0, the same person is the rep, with the same confidence.
    #[test]
    fn the_decision_is_symmetric() {
        let lexicon = ActLexicon::built_in();
        let mut other = sample();
        swap(&mut other, 0);
        let (a, b) = (decide(&explain(&sample(), None, lexicon)), decide(&explain(&other, None, lexicon)));
        assert_eq!((a.rep, a.confidence_permille), (1 - b.rep, b.confidence_permille));
    }

    #[test]
    fn direction_decides_a_tie() {
        let lexicon = ActLexicon::built_in();
        let mut tie = call(vec![turn(Role::Rep, 0, "Hello?"), turn(Role::Customer, 1000, "Hello?")]);
        refine(&mut tie, Some(Direction::Inbound), lexicon);
        assert_eq!(tie.turns[0].role, Role::Rep);
        refine(&mut tie, Some(Direction::Outbound), lexicon);
        assert_eq!(tie.turns[0].role, Role::Customer);
        assert!(tie.role_confidence_permille < 700);
    }

    #[test]
    fn settling_is_idempotent_and_people_decide_last() {
        let lexicon = ActLexicon::built_in();
        let mut transcript = sample();
        assert!(settle(&mut transcript, None, &[], lexicon));
        assert_eq!(transcript.channel_roles, [Role::Customer, Role::Rep]);
        let settled = transcript.clone();
        assert!(!settle(&mut transcript, None, &[], lexicon));
        assert_eq!(transcript, settled);

        let decision = |id: &str| Review {
            review_id: 1,
            call_id: "c".into(),
            requirement_id: id.into(),
            reviewer: "qa".into(),
            source: crate::record::ReviewSource::Flag,
            inclusion_permille: 1000,
            blind: false,
            decision: Decision::Overturn,
            reason: String::new(),
            appeal_of: None,
            is_final: true,
            ts: String::new(),
        };
        let mut reviews = vec![decision("roles:0=rep,1=customer")];
        assert!(settle(&mut transcript, None, &reviews, lexicon));
        assert!(!settle(&mut transcript, None, &reviews, lexicon));
        assert_eq!((transcript.turns[0].role, transcript.role_method), (Role::Rep, RoleMethod::Reviewed));
        // The same decision holds for a fresh transcript of the recording.
        let mut fresh = sample();
        settle(&mut fresh, None, &reviews, lexicon);
        assert_eq!(fresh.turns, transcript.turns);
        reviews.push(decision("roles:0=customer,1=rep"));
        assert!(settle(&mut transcript, None, &reviews, lexicon));
        assert_eq!(transcript.turns, settled.turns);
    }

    #[test]
    fn others_on_the_line_keep_their_channel() {
        let lexicon = ActLexicon::built_in();
        let mut transcript = sample();
        transcript.channel_roles = vec![Role::Ivr, Role::Rep, Role::Customer, Role::Supervisor];
        assert_eq!(RoleAssignment::of(&transcript).unwrap().to_string(), "1=rep,2=customer");
        transcript.other_turns = vec![turn(Role::Ivr, 0, "Thank you for calling Harbor, this call is recorded.")];
        assert!(settle(&mut transcript, None, &[], lexicon));
        assert_eq!(transcript.channel_roles, [Role::Ivr, Role::Customer, Role::Rep, Role::Supervisor]);
        assert_eq!(transcript.other_turns[0].role, Role::Ivr);
        assert!(RoleAssignment::parse("0=ivr,1=rep,2=customer").is_err());
    }

    #[test]
    fn a_channel_map_that_the_words_contradict_is_reported_until_somebody_decides() {
        let lexicon = ActLexicon::built_in();
        let mut crossed = call(vec![
            turn(Role::Customer, 0, "Thank you for calling Harbor, this call is recorded. How can I help you today?"),
            turn(Role::Rep, 1000, "I need to change my address."),
            turn(Role::Customer, 2000, "May I have your account number please?"),
        ]);
        crossed.role_method = RoleMethod::ChannelMap;
        let roles = RoleAssignment::of(&crossed);
        for _ in 0..2 {
            settle(&mut crossed, None, &[], lexicon);
            assert_eq!(crossed.warnings, [Warning::RolesSwapped.with(&[])]);
            assert_eq!(RoleAssignment::of(&crossed), roles, "not silently corrected");
        }
        roles.unwrap().swapped().apply(&mut crossed).unwrap();
        settle(&mut crossed, None, &[], lexicon);
        assert!(crossed.warnings.is_empty());
        crossed.role_method = RoleMethod::ChannelMap;
        settle(&mut crossed, None, &[], lexicon);
        assert!(crossed.warnings.is_empty(), "the map and the words agree");
    }

    #[test]
    fn assignments_are_read_strictly() {
        assert_eq!(RoleAssignment::parse("1=rep, 0=customer").unwrap().to_string(), "0=customer,1=rep");
        for bad in
            ["", "rep=0", "0=rep", "0=rep,1=rep", "0=rep,0=customer", "0=rep,1=customer,2=boss", "-1=rep,1=customer"]
        {
            assert_eq!(RoleAssignment::parse(bad), Err(AssignmentError::Unreadable), "{bad}");
        }
        let wanted = RoleAssignment::parse("1=rep,2=customer").unwrap();
        assert_eq!(wanted.apply(&mut sample()), Err(AssignmentError::UnknownChannel));
        let mut text = sample();
        text.channel_roles.clear();
        assert_eq!(RoleAssignment::of(&text).unwrap().to_string(), "0=rep,1=customer");
        text.turns.truncate(1);
        assert_eq!(RoleAssignment::of(&text), Err(AssignmentError::NotToldApart));
    }
}
