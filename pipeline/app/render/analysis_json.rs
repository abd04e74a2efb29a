//! `<call_id>.analysis.json`: a call in the shape of Amazon Connect Contact Lens 1.1.0, with callmark's own results under `Qa`.
//!
//! Names are Contact Lens's, unchanged, so that its readers work; what we cannot or will not say is left out, never filled:
//! loudness, and the rep's sentiment. Where a meaning differs it is said here:
//! - `Categories` are requirements whose words or events were found (met, or forbidden and violated).
//! - `NonTalkTime` counts gaps over 3 s. `TalkTime.TotalTimeMillis` is the sum over participants, as in Contact Lens.
//! - `TalkSpeed` is in words per minute, so it is given for English only; Chinese characters per minute are in `Qa.signals`.
//! - `Sentiment` of a turn is `MIXED` when both positive and negative have at least 35 % (a guess, like all such lines).
//!
//! In `Qa`, points are millipoints: 100,000 are 100 points.

use std::collections::BTreeMap;

use callmark_core::record::{CallRecord, LedgerRow, MatchType, Outcome, RowKind, Status};
use callmark_core::recording::Language;
use callmark_core::transcript::{Medium, Role, Sentiment, Transcript};
use callmark_core::warning::Warning;
use serde_json::{Map, Value, json};

/// Version of the object under `Qa`.
const QA_SCHEMA: u32 = 1;

/// Both positive and negative from here on: a turn is mixed.
const MIXED_PERMILLE: u16 = 350;

/// The participant's id; for rep and customer also its role. `None` for a speaker who could not be told apart.
fn participant(role: Role) -> Option<&'static str> {
    match role {
        Role::Rep => Some("AGENT"),
        Role::Customer => Some("CUSTOMER"),
        Role::Unknown => None,
        Role::Ivr => Some("IVR"),
        Role::Supervisor => Some("SUPERVISOR"),
        Role::TransferTarget => Some("TRANSFER_TARGET"),
    }
}

/// The participant's role in Amazon Connect's words.
fn participant_role(role: Role) -> Option<&'static str> {
    match role {
        Role::Ivr => Some("SYSTEM"),
        Role::TransferTarget => Some("AGENT"),
        _ => participant(role),
    }
}

/// The file's bytes, ending in a line break. Equal records give equal bytes.
pub fn analysis_json(record: &CallRecord) -> Vec<u8> {
    let transcript = &record.transcript;
    let mut file = Map::new();
    let timed = transcript.medium == Medium::Speech;
    file.insert("Version".into(), json!("1.1.0"));
    file.insert("Channel".into(), json!(if timed { "VOICE" } else { "CHAT" }));
    let content = match &record.transcript.redaction {
        Some(_) => json!({"Output": "Redacted", "RedactionTypes": ["PII"]}),
        None => json!({"Output": "Raw"}),
    };
    file.insert("ContentMetadata".into(), content);
    let failed = record.evaluation.status == Status::Failed;
    file.insert("JobStatus".into(), json!(if failed { "FAILED" } else { "COMPLETED" }));
    let skipped = skipped_analysis(record);
    if !skipped.is_empty() {
        file.insert("JobDetails".into(), json!({"SkippedAnalysis": skipped}));
    }
    if let Some(code) = language_code(record) {
        file.insert("LanguageCode".into(), json!(code));
    }
    file.insert("Participants".into(), participants(transcript));
    file.insert("Categories".into(), categories(record));
    file.insert("ConversationCharacteristics".into(), characteristics(record, timed));
    file.insert("Transcript".into(), turns(record, timed));
    file.insert("Qa".into(), qa(record));
    let mut bytes = Value::Object(file).to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// A tag with a region, as Contact Lens has it: the metadata's own when it names the transcript's language.
fn language_code(record: &CallRecord) -> Option<String> {
    let language = record.transcript.language?;
    let given = record.metadata.language.as_deref().map(|tag| tag.trim().replace('_', "-"));
    let given = given.filter(|tag| tag.contains('-') && Language::parse(tag) == Some(language));
    Some(given.unwrap_or_else(|| match language {
        Language::En => "en-US".into(),
        Language::Zh => "zh-CN".into(),
    }))
}

/// Why parts of the analysis are missing: the call's abstention, and requirements that the evidence does not decide.
fn skipped_analysis(record: &CallRecord) -> Vec<Value> {
    let mut skipped = Vec::new();
    if let Some(reason) = record.evaluation.reason {
        // A unit variant always serialises to its name.
        let code = serde_json::to_value(reason).unwrap_or_default();
        skipped.push(json!({"Feature": "SCORING", "ReasonCode": code.as_str().unwrap_or_default().to_uppercase()}));
    }
    let unknown: Vec<Value> = record
        .evaluation
        .ledger
        .iter()
        .filter(|row| row.kind == RowKind::Item && row.result == Outcome::Unknown)
        .map(|row| json!({"CategoryName": row.requirement_id}))
        .collect();
    if !unknown.is_empty() {
        skipped.push(
            json!({"Feature": "CATEGORIZATION", "ReasonCode": "INSUFFICIENT_EVIDENCE", "SkippedEntities": unknown}),
        );
    }
    skipped
}

fn participants(transcript: &Transcript) -> Value {
    let present = |role: &Role| transcript.everybody().iter().any(|(_, turn)| turn.role == *role);
    let roles = [Role::Customer, Role::Rep, Role::Ivr, Role::Supervisor, Role::TransferTarget];
    let named = |role| json!({"ParticipantId": participant(role), "ParticipantRole": participant_role(role)});
    roles.into_iter().filter(present).map(named).collect()
}

/// True for a requirement whose subject was found in the call.
fn is_matched(row: &LedgerRow) -> bool {
    row.kind == RowKind::Item
        && matches!(row.result, Outcome::Met | Outcome::Violated)
        && !matches!(row.match_type, MatchType::Metric | MatchType::Window | MatchType::Manual | MatchType::Review)
}

fn categories(record: &CallRecord) -> Value {
    let timed = record.transcript.medium == Medium::Speech;
    let mut details: BTreeMap<&str, Value> = BTreeMap::new();
    for row in record.evaluation.ledger.iter().filter(|row| is_matched(row)) {
        let mut places: Vec<_> = row.evidence.iter().filter(|e| e.match_type != MatchType::Window).collect();
        places.sort_by_key(|e| (e.begin_ms, e.end_ms));
        let points: Vec<Value> = places
            .into_iter()
            .filter_map(|e| match (timed, e.turn) {
                (true, _) => Some(json!({"BeginOffsetMillis": e.begin_ms, "EndOffsetMillis": e.end_ms})),
                (false, Some(turn)) => Some(json!({"TranscriptItems": [{"Id": turn.to_string()}]})),
                (false, None) => None,
            })
            .collect();
        details.insert(&row.requirement_id, json!({"PointsOfInterest": points}));
    }
    json!({"MatchedCategories": details.keys().collect::<Vec<_>>(), "MatchedDetails": details})
}

/// A stretch of time as Contact Lens writes interruptions and silences.
fn instance(begin_ms: i64, end_ms: i64) -> Value {
    json!({"BeginOffsetMillis": begin_ms, "DurationMillis": end_ms - begin_ms, "EndOffsetMillis": end_ms})
}

/// Thousandths of a point as points; at most three decimals, so the nearest double prints as written.
fn points(milli: i64) -> Value {
    json!(milli as f64 / 1000.0)
}

fn characteristics(record: &CallRecord, timed: bool) -> Value {
    let signals = &record.signals;
    let mut out = Map::new();
    if let Some(overall) = signals.sentiment_customer_milli {
        let mut sentiment = json!({"OverallSentiment": {"CUSTOMER": points(overall)}});
        if timed {
            sentiment["SentimentByPeriod"] = json!({"QUARTER": {"CUSTOMER": quarters(record)}});
        }
        out.insert("Sentiment".into(), sentiment);
    }
    if !timed {
        return Value::Object(out);
    }
    out.insert("TotalConversationDurationMillis".into(), json!(record.transcript.duration_ms));
    out.insert("Interruptions".into(), interruptions(record));
    let silent: i64 = signals.silences.iter().map(|s| s.end_ms - s.begin_ms).sum();
    let instances: Vec<Value> = signals.silences.iter().map(|s| instance(s.begin_ms, s.end_ms)).collect();
    out.insert("NonTalkTime".into(), json!({"TotalTimeMillis": silent, "Instances": instances}));
    if record.transcript.language == Some(Language::En) {
        let mut details = Map::new();
        for (role, pace) in [(Role::Rep, signals.pace_rep), (Role::Customer, signals.pace_customer)] {
            if let (Some(id), Some(pace)) = (participant(role), pace) {
                details.insert(id.into(), json!({"AverageWordsPerMinute": pace}));
            }
        }
        out.insert("TalkSpeed".into(), json!({"DetailsByParticipant": details}));
    }
    out.insert("TalkTime".into(), talk_time(&record.transcript));
    Value::Object(out)
}

/// The customer's sentiment per quarter of the call; quarters in which nothing was said have no entry.
fn quarters(record: &CallRecord) -> Vec<Value> {
    let duration_ms = record.transcript.duration_ms;
    (0..)
        .zip(record.signals.sentiment_customer_quarters_milli)
        .filter_map(|(quarter, milli)| {
            let (begin, end) = (duration_ms * quarter / 4, duration_ms * (quarter + 1) / 4);
            Some(json!({"BeginOffsetMillis": begin, "EndOffsetMillis": end, "Score": points(milli?)}))
        })
        .collect()
}

fn interruptions(record: &CallRecord) -> Value {
    let mut by: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let (mut count, mut total_ms) = (0, 0);
    for overlap in record.signals.overlaps.iter().filter(|overlap| overlap.interruption) {
        if let Some(id) = participant(overlap.by) {
            by.entry(id).or_default().push(instance(overlap.begin_ms, overlap.end_ms));
            count += 1;
            total_ms += overlap.end_ms - overlap.begin_ms;
        }
    }
    json!({"InterruptionsByInterrupter": by, "TotalCount": count, "TotalTimeMillis": total_ms})
}

fn talk_time(transcript: &Transcript) -> Value {
    let (mut total_ms, mut details) = (0, Map::new());
    for role in [Role::Rep, Role::Customer] {
        // Spans are sorted by begin; overlapping ones of one role count once.
        let (mut role_ms, mut reached_ms) = (0, i64::MIN);
        for span in transcript.speech.iter().filter(|span| span.role == role) {
            role_ms += (span.end_ms - span.begin_ms.max(reached_ms)).max(0);
            reached_ms = reached_ms.max(span.end_ms);
        }
        total_ms += role_ms;
        if let Some(id) = participant(role) {
            details.insert(id.into(), json!({"TotalTimeMillis": role_ms}));
        }
    }
    json!({"TotalTimeMillis": total_ms, "DetailsByParticipant": details})
}

fn sentiment_word(sentiment: Sentiment) -> &'static str {
    let Sentiment { negative_permille: negative, neutral_permille: neutral, positive_permille: positive } = sentiment;
    if negative >= MIXED_PERMILLE && positive >= MIXED_PERMILLE {
        "MIXED"
    } else if positive > negative && positive > neutral {
        "POSITIVE"
    } else if negative > positive && negative > neutral {
        "NEGATIVE"
    } else {
        "NEUTRAL"
    }
}

fn turns(record: &CallRecord, timed: bool) -> Value {
    let turn = |(id, turn): (usize, &callmark_core::transcript::Turn)| {
        let mut out = Map::new();
        out.insert("Id".into(), json!(id.to_string()));
        out.insert("ParticipantId".into(), json!(participant(turn.role).unwrap_or("UNKNOWN")));
        if let Some(role) = participant_role(turn.role) {
            out.insert("ParticipantRole".into(), json!(role));
        }
        out.insert("Content".into(), json!(turn.text));
        if timed {
            out.insert("BeginOffsetMillis".into(), json!(turn.begin_ms));
            out.insert("EndOffsetMillis".into(), json!(turn.end_ms));
        }
        let sentiment = record.sentiment.get(id).copied().flatten().filter(|_| turn.role != Role::Rep);
        if let Some(sentiment) = sentiment {
            out.insert("Sentiment".into(), json!(sentiment_word(sentiment)));
        }
        Value::Object(out)
    };
    record.transcript.everybody().into_iter().map(turn).collect()
}

/// Remarks about the source; `code` is stable, `null` for one of another version.
fn warnings(record: &CallRecord) -> Vec<Value> {
    let code = |text: &str| Warning::read(text).map(|(warning, _)| warning.code());
    record.transcript.warnings.iter().map(|text| json!({"code": code(text), "text": text})).collect()
}

/// callmark's own results, in its own names.
fn qa(record: &CallRecord) -> Value {
    let evaluation = &record.evaluation;
    json!({
        "schema": QA_SCHEMA,
        "call_id": record.call_id,
        "status": evaluation.status,
        "reason": evaluation.reason,
        "verdict": evaluation.verdict,
        "score": evaluation.score,
        "score_low": evaluation.score_low,
        "score_high": evaluation.score_high,
        "unit": "millipoint",
        "fatal_count": evaluation.fatal_count,
        "pending": evaluation.pending,
        "warnings": warnings(record),
        "dimensions": evaluation.dimensions,
        "ledger": evaluation.ledger,
        "scorecard": {
            "name": evaluation.scorecard,
            "version": evaluation.scorecard_version,
            "hash": evaluation.scorecard_hash,
        },
        "metadata": record.metadata,
        "redaction": record.transcript.redaction,
        "signals": record.signals,
        "provenance": record.provenance,
    })
}

#[cfg(test)]
mod tests {
    use callmark_core::record::UnscoredReason;

    use super::*;
    use crate::read::text::read;
    use crate::render::tables::sample::record;

    fn value(record: &CallRecord) -> Value {
        serde_json::from_slice(&analysis_json(record)).unwrap()
    }

    #[test]
    fn a_spoken_call_has_the_shape_of_contact_lens() {
        let file = value(&record());
        let expected = json!({
            "Version": "1.1.0",
            "Channel": "VOICE",
            "ContentMetadata": {"Output": "Raw"},
            "JobStatus": "COMPLETED",
            "JobDetails": {"SkippedAnalysis": [{
                "Feature": "CATEGORIZATION",
                "ReasonCode": "INSUFFICIENT_EVIDENCE",
                "SkippedEntities": [{"CategoryName": "summary"}],
            }]},
            "LanguageCode": "en-US",
            "Participants": [
                {"ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER"},
                {"ParticipantId": "AGENT", "ParticipantRole": "AGENT"},
            ],
            "Categories": {
                "MatchedCategories": ["disclose_recording", "price_objection_unanswered"],
                "MatchedDetails": {
                    "disclose_recording": {"PointsOfInterest": [{"BeginOffsetMillis": 700, "EndOffsetMillis": 4000}]},
                    "price_objection_unanswered": {
                        "PointsOfInterest": [{"BeginOffsetMillis": 5000, "EndOffsetMillis": 9000}],
                    },
                },
            },
            "ConversationCharacteristics": {
                "TotalConversationDurationMillis": 20000,
                "Sentiment": {
                    "OverallSentiment": {"CUSTOMER": -1.3},
                    "SentimentByPeriod": {"QUARTER": {"CUSTOMER": [
                        {"BeginOffsetMillis": 0, "EndOffsetMillis": 5000, "Score": -1.25},
                        {"BeginOffsetMillis": 15000, "EndOffsetMillis": 20000, "Score": -1.3},
                    ]}},
                },
                "Interruptions": {
                    "InterruptionsByInterrupter": {
                        "AGENT": [{"BeginOffsetMillis": 8000, "DurationMillis": 1000, "EndOffsetMillis": 9000}],
                    },
                    "TotalCount": 1,
                    "TotalTimeMillis": 1000,
                },
                "NonTalkTime": {
                    "TotalTimeMillis": 5500,
                    "Instances": [{"BeginOffsetMillis": 9500, "DurationMillis": 5500, "EndOffsetMillis": 15000}],
                },
                "TalkSpeed": {"DetailsByParticipant": {
                    "AGENT": {"AverageWordsPerMinute": 150},
                    "CUSTOMER": {"AverageWordsPerMinute": 120},
                }},
                "TalkTime": {
                    "TotalTimeMillis": 13500,
                    "DetailsByParticipant": {
                        "AGENT": {"TotalTimeMillis": 5500},
                        "CUSTOMER": {"TotalTimeMillis": 8000},
                    },
                },
            },
            "Transcript": [
                {"Id": "0", "ParticipantId": "AGENT", "ParticipantRole": "AGENT", "BeginOffsetMillis": 0,
                 "EndOffsetMillis": 4000, "Content": "Hello, this call is recorded."},
                {"Id": "1", "ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER", "BeginOffsetMillis": 5000,
                 "EndOffsetMillis": 9000, "Content": "太贵了", "Sentiment": "NEGATIVE"},
                {"Id": "2", "ParticipantId": "AGENT", "ParticipantRole": "AGENT", "BeginOffsetMillis": 8000,
                 "EndOffsetMillis": 9500, "Content": "=HYPERLINK(\"x\")"},
                {"Id": "3", "ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER", "BeginOffsetMillis": 15000,
                 "EndOffsetMillis": 19000, "Content": "-5 or '6", "Sentiment": "MIXED"},
            ],
            "Qa": file["Qa"],
        });
        assert_eq!(file, expected);
    }

    #[test]
    fn our_own_results_are_under_qa_and_add_up() {
        let qa = &value(&record())["Qa"];
        assert_eq!(
            (&qa["schema"], &qa["score"], &qa["status"], &qa["verdict"]),
            (&json!(1), &json!(70_723), &json!("scored"), &json!("coach"),)
        );
        let sum: i64 = qa["ledger"].as_array().unwrap().iter().map(|row| row["points"].as_i64().unwrap()).sum();
        assert_eq!(sum, 70_723);
        assert_eq!(qa["dimensions"][0]["dimension"], "compliance");
        assert_eq!(qa["provenance"]["program_version"], "0.1.0");
    }

    #[test]
    fn an_unscored_chinese_chat() {
        let mut chat = record();
        chat.transcript.medium = Medium::Text;
        chat.transcript.language = Some(Language::Zh);
        chat.metadata.language = Some("zh_TW".into());
        chat.transcript.turns[3].role = Role::Unknown;
        chat.evaluation.reason = Some(UnscoredReason::RoleUncertain);
        let file = value(&chat);
        assert_eq!((&file["Channel"], &file["LanguageCode"]), (&json!("CHAT"), &json!("zh-TW")));
        let skipped = &file["JobDetails"]["SkippedAnalysis"][0];
        assert_eq!(skipped, &json!({"Feature": "SCORING", "ReasonCode": "ROLE_UNCERTAIN"}));
        let characteristics = file["ConversationCharacteristics"].as_object().unwrap();
        assert_eq!(characteristics.keys().collect::<Vec<_>>(), ["Sentiment"]);
        assert_eq!(file["Transcript"][3]["ParticipantId"], "UNKNOWN");
        assert!(!analysis_json(&chat).windows(20).any(|w| w == b"\"BeginOffsetMillis\":0"));
        let points = &file["Categories"]["MatchedDetails"]["disclose_recording"]["PointsOfInterest"];
        assert_eq!(points, &json!([{"TranscriptItems": [{"Id": "0"}]}]));
    }

    #[test]
    fn overlapping_spans_of_one_role_count_once() {
        let mut call = record();
        call.transcript.speech.insert(1, call.transcript.speech[0]);
        assert_eq!(
            value(&call)["ConversationCharacteristics"]["TalkTime"]["DetailsByParticipant"]["AGENT"]["TotalTimeMillis"],
            5500
        );
    }

    #[test]
    fn a_reader_of_contact_lens_reads_it() {
        let record = record();
        let mut file = value(&record);
        file.as_object_mut().unwrap().remove("Qa");
        let back = read(file.to_string().as_bytes(), "c.json", None).unwrap().unwrap();
        assert_eq!(back.turns, record.transcript.turns);
        assert_eq!(back.speech, record.transcript.speech);
        assert_eq!(back.duration_ms, 20_000);
        assert_eq!(read(&analysis_json(&record), "c.analysis.json", None), Ok(None), "our results are not recordings");
    }
}
