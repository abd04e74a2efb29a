//! What was said, by whom, when: speech spans, words, turns.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::recording::Language;
use crate::redaction::Redaction;
use crate::sentiment_context::SentimentContext;

/// Who speaks. `Unknown` only for a mono recording whose speakers could not be told apart. The last three are known from a channel map or a
/// label alone, and are nobody's side: see [`Role::is_side`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Rep,
    Customer,
    Unknown,
    /// Interactive voice response: menus, announcements, a bot.
    Ivr,
    /// Listens in, whispers or joins (monitoring, barge-in).
    Supervisor,
    /// The second agent, who takes the call over (RFC 5589's term).
    TransferTarget,
}

impl Role {
    /// True for the sides of the conversation that is scored. What others on the line say is kept and shown, and counts for nobody.
    pub fn is_side(self) -> bool {
        match self {
            Role::Rep | Role::Customer | Role::Unknown => true,
            Role::Ivr | Role::Supervisor | Role::TransferTarget => false,
        }
    }

    /// The word for it in channel maps and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Role::Rep => "rep",
            Role::Customer => "customer",
            Role::Unknown => "unknown",
            Role::Ivr => "ivr",
            Role::Supervisor => "supervisor",
            Role::TransferTarget => "transfer_target",
        }
    }
}

/// A stretch of time, `begin_ms` inclusive, `end_ms` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// Speech of one role as voice activity found it (for transcripts without audio: the turns' own spans).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleSpan {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// One recognised word (Chinese: one character or recogniser token).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub confidence_permille: u16,
}

/// One uninterrupted contribution of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// Empty when the source had no word times.
    pub words: Vec<Word>,
    /// Mean confidence of the recogniser; 1000 for text that people wrote.
    pub confidence_permille: u16,
}

/// How the call reached us; decides eligibility and which metrics exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A spoken call, with times (audio, or a transcript with times).
    #[default]
    Speech,
    /// Text without times (chat, plain `Rep:` lines): timed metrics are not applicable.
    Text,
}

/// How roles were assigned to channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleMethod {
    ChannelMap,
    Inferred,
    Labelled,
    /// A person said who is who (`callmark roles`).
    Reviewed,
    #[default]
    None,
}

/// A recogniser's view of a whole call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    pub medium: Medium,
    pub language: Option<Language>,
    pub duration_ms: i64,
    pub role_method: RoleMethod,
    pub role_confidence_permille: u16,
    /// How far the whole call's words can be trusted; `None` for text that people wrote.
    pub recogniser_confidence_permille: Option<u16>,
    /// The model's calibrated floor for `recogniser_confidence_permille` (models/manifest.toml).
    pub confidence_floor_permille: Option<u16>,
    /// Turns of the two sides, sorted by (begin_ms, end_ms, role); the index is the turn's id everywhere.
    pub turns: Vec<Turn>,
    /// Turns of others on the line, sorted likewise; their ids follow those of `turns`. Apart, so that nothing that measures or scores
    /// the conversation sees them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_turns: Vec<Turn>,
    /// Sorted by (begin_ms, role); others' too.
    pub speech: Vec<RoleSpan>,
    /// What the hallucination guards removed: guard name → number of segments.
    pub dropped: BTreeMap<String, u32>,
    /// Things a reader of the record should know about the source (repaired header, cut file, …).
    pub warnings: Vec<String>,
    /// Who is on which channel, `Unknown` for one that was not listened to; empty for texts, mono and older transcripts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_roles: Vec<Role>,
    /// Of two recordings with one side each: how long after the first the second begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_side_begins_ms: Option<i64>,
    /// Tones and music of the line, by (begin_ms, role); empty for texts and older transcripts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sounds: Vec<Sound>,
    /// Loudness and pitch of each stretch of speech, by (begin_ms, role); empty for texts and older transcripts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voice: Vec<VoiceSpan>,
    /// What was taken out of the words; `None` for words as they were said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
}

impl Transcript {
    /// The turn with this id.
    pub fn turn(&self, id: usize) -> Option<&Turn> {
        self.turns.get(id).or_else(|| self.other_turns.get(id.checked_sub(self.turns.len())?))
    }

    /// Everybody's turns with their ids, in order of time.
    pub fn everybody(&self) -> Vec<(usize, &Turn)> {
        let mut all: Vec<(usize, &Turn)> = self.turns.iter().chain(&self.other_turns).enumerate().collect();
        if !self.other_turns.is_empty() {
            all.sort_by_key(|(id, turn)| (turn.begin_ms, turn.end_ms, *id));
        }
        all
    }
}

/// What can be heard on a line beside speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundKind {
    /// The tone after which an answering machine records.
    Beep,
    Ringing,
    Busy,
    /// The tones with which fax machines call and answer.
    Fax,
    /// Sound in a pause of speech: hold music or an announcement.
    Music,
    /// The line carries nothing any more: this side hung up.
    Closed,
}

/// One sound on the channel of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound {
    pub kind: SoundKind,
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// How a stretch of speech sounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceSpan {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
    /// Mean power, hundredths of a decibel of full scale.
    pub level_centi_dbfs: i32,
    /// Time with a pitch.
    pub voiced_ms: i32,
    /// Mean pitch, cents above 55 Hz.
    pub pitch_cents: i32,
    /// Standard deviation of the pitch, cents.
    pub pitch_spread_cents: i32,
}

/// Sentiment probabilities of one turn, per mille, summing to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentiment {
    pub negative_permille: u16,
    pub neutral_permille: u16,
    pub positive_permille: u16,
}

impl Sentiment {
    /// What a text without words gets: there is nothing that could be negative or positive.
    pub const NO_WORDS: Sentiment = Sentiment { negative_permille: 0, neutral_permille: 1000, positive_permille: 0 };

    /// Probabilities (negative, neutral, positive) in per mille that sum to exactly 1000: largest remainder, ties to the earlier class.
    pub fn rounded(probabilities: [f64; 3]) -> Sentiment {
        let exact = probabilities.map(|p| p * 1000.0);
        let mut whole = exact.map(|x| x.floor() as u16);
        let mut order = [0, 1, 2];
        let remainder = |i: &usize| exact[*i] - exact[*i].floor();
        // A stable sort, so equal remainders keep the order of the classes.
        order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
        let missing = 1000 - usize::from(whole.iter().sum::<u16>()).min(1000);
        for i in order.into_iter().take(missing) {
            whole[i] += 1;
        }
        Sentiment { negative_permille: whole[0], neutral_permille: whole[1], positive_permille: whole[2] }
    }

    /// −5000…+5000: five points times (positive − negative), in thousandths of a point.
    pub fn milli(self) -> i64 {
        5 * (i64::from(self.positive_permille) - i64::from(self.negative_permille))
    }
}

/// A sentence embedding, quantised to int8 (unit vector × 127) so that similarities are integers, equal everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding(pub Vec<i8>);

impl Embedding {
    /// Cosine similarity in per mille (−1000…1000), in integer arithmetic; 0 when lengths differ or a vector is zero.
    pub fn similarity_permille(&self, other: &Embedding) -> i64 {
        if self.0.len() != other.0.len() {
            return 0;
        }
        let dot = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum::<i64>();
        let norm = (dot(&self.0, &self.0) as u64 * dot(&other.0, &other.0) as u64).isqrt() as i64;
        if norm == 0 { 0 } else { dot(&self.0, &other.0) * 1000 / norm }
    }
}

/// What the text models say about each turn; vectors have one entry per turn of the transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnScores {
    /// Of each turn alone, so that it holds whoever turns out to speak; [`TurnScores::moods`] is what counts. `None`: no sentiment model for
    /// this language, or the turn is too short to say.
    pub sentiment: Vec<Option<Sentiment>>,
    /// How the model that read the sentiment takes account of the same party's other turns; `None`: each turn stands alone.
    pub sentiment_context: Option<SentimentContext>,
    /// `None`: no encoder for this language.
    pub embeddings: Vec<Option<Embedding>>,
    /// `None`: no model of acts for this language.
    pub acts: Option<ActReadings>,
}

impl TurnScores {
    /// The sentiment that counts: of each turn in its call, as far as the model says so.
    pub fn moods(&self, turns: &[Turn]) -> Vec<Option<Sentiment>> {
        match self.sentiment_context {
            Some(context) => context.in_context(turns, &self.sentiment),
            None => self.sentiment.clone(),
        }
    }
}

/// What a model heard of dialogue acts. An act is named with who performs it: `rep:greeting`, `customer:thanks`, `either:backchannel`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActReadings {
    /// The acts that the model is trusted with: in this call its word stands in the place of phrases.
    pub given: BTreeSet<String>,
    /// One entry per turn: given act of the party that speaks → probability per mille, where it is high enough for the act. Turns by nobody
    /// known have none but [`ActReadings::INSULT`].
    pub turns: Vec<BTreeMap<String, u16>>,
}

impl ActReadings {
    /// An insult, which is one whoever says it and whatever came before: it is read from a turn alone.
    pub const INSULT: &str = "either:insult";

    /// Whether turns of this role are read for an act.
    pub fn covers(act: &str, said_by: Role) -> bool {
        said_by != Role::Unknown || act == Self::INSULT
    }

    /// Per turn: the reading of an insult, where there is one.
    pub fn insults_permille(&self) -> Vec<Option<u16>> {
        self.turns.iter().map(|heard| heard.get(Self::INSULT).copied()).collect()
    }
}

/// A stretch of recognised speech of one role, before turns are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSegment {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub text: String,
    pub words: Vec<Word>,
    pub confidence_permille: u16,
}

/// Pauses up to this length stay inside a turn when nobody else speaks in between.
const TURN_PAUSE_MS: i64 = 1_000;
/// A turn is closed at the next pause once it is this long, so that evidence stays a moment.
const LONG_TURN_MS: i64 = 20_000;

/// Puts segments of all channels together into turns, in order of time.
///
/// Segments of one role are joined over pauses of at most one second unless the other role begins to speak in between.
/// The confidence of a turn is the mean of its segments', weighted by duration.
pub fn assemble_turns(mut segments: Vec<RoleSegment>, language: Option<Language>) -> Vec<Turn> {
    segments.sort_by_key(|s| (s.begin_ms, s.end_ms, s.role));
    let glue = if language == Some(Language::Zh) { "" } else { " " };
    let mut turns: Vec<Turn> = Vec::new();
    for segment in segments {
        // Only the newest turn may grow: if the other role has begun since, that role's turn is the newest.
        let joins = turns.last().is_some_and(|turn| {
            turn.role == segment.role
                && segment.begin_ms - turn.end_ms <= TURN_PAUSE_MS
                && turn.end_ms - turn.begin_ms < LONG_TURN_MS
        });
        match turns.last_mut() {
            Some(turn) if joins => {
                let (old, new) = ((turn.end_ms - turn.begin_ms).max(1), (segment.end_ms - segment.begin_ms).max(1));
                let weighted = i64::from(turn.confidence_permille) * old + i64::from(segment.confidence_permille) * new;
                turn.confidence_permille = (weighted / (old + new)) as u16;
                turn.end_ms = turn.end_ms.max(segment.end_ms);
                turn.text = format!("{}{glue}{}", turn.text, segment.text);
                turn.words.extend(segment.words);
            }
            _ => turns.push(Turn {
                role: segment.role,
                begin_ms: segment.begin_ms,
                end_ms: segment.end_ms,
                text: segment.text,
                words: segment.words,
                confidence_permille: segment.confidence_permille,
            }),
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(role: Role, begin_ms: i64, end_ms: i64, text: &str) -> RoleSegment {
        RoleSegment { role, begin_ms, end_ms, text: text.into(), words: vec![], confidence_permille: 800 }
    }

    #[test]
    fn turns_join_over_short_pauses_unless_the_other_speaks() {
        let turns = assemble_turns(
            vec![
                segment(Role::Rep, 0, 1000, "Hello,"),
                segment(Role::Rep, 1400, 2000, "this is Anna."),
                segment(Role::Customer, 2300, 2600, "Hi."),
                segment(Role::Rep, 2700, 3000, "Hi."),
                segment(Role::Rep, 4100, 4500, "Later."),
            ],
            Some(Language::En),
        );
        let texts: Vec<&str> = turns.iter().map(|t| t.text.as_str()).collect();
        assert_eq!(texts, ["Hello, this is Anna.", "Hi.", "Hi.", "Later."]);
        assert_eq!((turns[0].begin_ms, turns[0].end_ms, turns[0].confidence_permille), (0, 2000, 800));
    }

    #[test]
    fn everybody_speaks_in_order_of_time_under_one_numbering() {
        let turn = |s: RoleSegment| assemble_turns(vec![s], None).remove(0);
        let mut transcript = Transcript {
            medium: Medium::Speech,
            duration_ms: 9000,
            role_method: RoleMethod::ChannelMap,
            role_confidence_permille: 1000,
            turns: vec![turn(segment(Role::Rep, 2000, 3000, "a")), turn(segment(Role::Customer, 4000, 5000, "b"))],
            ..Transcript::default()
        };
        let plain = serde_json::to_string(&transcript).unwrap();
        assert!(!plain.contains("other_turns"), "stored calls without others stay what they were: {plain}");
        transcript.other_turns =
            vec![turn(segment(Role::Ivr, 0, 900, "press one")), turn(segment(Role::Supervisor, 3100, 3900, "c"))];
        let ids: Vec<(usize, Role)> = transcript.everybody().into_iter().map(|(id, turn)| (id, turn.role)).collect();
        assert_eq!(ids, [(2, Role::Ivr), (0, Role::Rep), (3, Role::Supervisor), (1, Role::Customer)]);
        assert!(ids.iter().all(|(id, role)| transcript.turn(*id).unwrap().role == *role));
        assert_eq!(transcript.turn(4), None);
        let back: Transcript = serde_json::from_str(&serde_json::to_string(&transcript).unwrap()).unwrap();
        assert_eq!(back, transcript);
    }

    #[test]
    fn similarity_is_an_integer_cosine() {
        let a = Embedding(vec![127, 0]);
        assert_eq!(a.similarity_permille(&a), 1000);
        assert_eq!(a.similarity_permille(&Embedding(vec![0, 127])), 0);
        assert_eq!(a.similarity_permille(&Embedding(vec![-90, 90])), -707);
        assert_eq!(a.similarity_permille(&Embedding(vec![])), 0);
    }
}
