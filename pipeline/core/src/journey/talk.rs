//! What a call says about an opportunity: how much the customer took part, what was promised, what the customer put into words.

use serde::{Deserialize, Serialize};

use super::alert::Promise;
use super::mention::{Mention, PHRASES, mentions};
use super::touchpoint::Moment;
use crate::matching::{call_language, content_words};
use crate::record::CallRecord;
use crate::recording::{Metadata, sha256_hex};
use crate::signals::questions;
use crate::transcript::{Medium, Role, Turn};

/// A turn with fewer content words is a back-channel or a greeting. Engineering guess.
const WORDS_OF_A_CONTRIBUTION: usize = 3;
/// A customer who contributed so often took part. Engineering guess.
const CONTRIBUTIONS: usize = 2;
/// Raise it when a record gives another [`CallTalk`] than before.
const TALK_SCHEMA: u32 = 1;
const PROMISES: [&str; 2] = ["next_step", "dated_next_step"];

/// One recorded call, as far as journeys look at it. Its words are the quotes in it, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTalk {
    pub call_id: String,
    pub customer_id: Option<String>,
    /// Of the metadata's column `opportunity_id`, which is kept like every column that callmark does not know.
    pub opportunity_id: Option<String>,
    pub rep_id: Option<String>,
    pub at: Option<Moment>,
    /// The customer contributed at least twice something of at least three content words.
    pub customer_spoke: bool,
    pub customer_talk_permille: Option<i64>,
    pub customer_questions: i64,
    /// −5000…5000.
    pub sentiment_milli: Option<i64>,
    /// A next step got a date, or the customer confirmed a summary.
    pub advanced: bool,
    /// The last next step that the rep promised.
    pub promise: Option<Promise>,
    pub mentions: Vec<Mention>,
}

impl CallTalk {
    /// What a kept one was made with: another version, and it is made again.
    pub fn version() -> String {
        let program = env!("CARGO_PKG_VERSION");
        sha256_hex(format!("{TALK_SCHEMA} {program}\n{PHRASES}").as_bytes())
    }

    pub fn of(record: &CallRecord) -> CallTalk {
        let (metadata, transcript, signals) = (&record.metadata, &record.transcript, &record.signals);
        let language = call_language(transcript);
        let customer = || transcript.turns.iter().filter(|turn| turn.role == Role::Customer);
        let contributes = |turn: &&Turn| content_words(&turn.text, language).len() >= WORDS_OF_A_CONTRIBUTION;
        let at: Option<Moment> = metadata.start_ts.as_deref().and_then(|stamp| stamp.parse().ok());
        let counted = |value: Option<i64>| value.is_some_and(|n| n > 0);
        CallTalk {
            call_id: record.call_id.clone(),
            customer_id: metadata.customer_id.clone(),
            opportunity_id: opportunity_id(metadata),
            rep_id: metadata.rep_id.clone(),
            at,
            customer_spoke: customer().filter(contributes).count() >= CONTRIBUTIONS,
            customer_talk_permille: signals.customer_talk_permille,
            customer_questions: customer().map(|turn| questions(&turn.text)).sum(),
            sentiment_milli: signals.sentiment_customer_milli,
            advanced: counted(signals.dated_next_steps) || counted(signals.summary_confirmed),
            promise: at.and_then(|at| promise(record, at)),
            mentions: mentions(&record.call_id, at, transcript),
        }
    }
}

/// The opportunity that a metadata column names, however it writes `opportunity_id`.
fn opportunity_id(metadata: &Metadata) -> Option<String> {
    let plain = |column: &str| column.trim().to_lowercase().replace([' ', '-'], "_");
    let named = |column: &str| matches!(plain(column).as_str(), "opportunity_id" | "商机编号" | "商机id");
    let (_, id) = metadata.extra.iter().find(|(column, _)| named(column))?;
    Some(id.trim().to_string()).filter(|id| !id.is_empty())
}

fn promise(record: &CallRecord, at: Moment) -> Option<Promise> {
    let transcript = &record.transcript;
    let is_promise =
        |turn: usize| record.acts.get(turn).is_some_and(|acts| PROMISES.iter().any(|act| acts.contains_key(*act)));
    let mut turns = transcript.turns.iter().enumerate().rev();
    let (turn, said) = turns.find(|(turn, said)| said.role == Role::Rep && is_promise(*turn))?;
    Some(Promise {
        at,
        call_id: Some(record.call_id.clone()),
        turn: u32::try_from(turn).ok(),
        begin_ms: (transcript.medium == Medium::Speech).then_some(said.begin_ms),
        quote: said.text.trim().to_string(),
    })
}
