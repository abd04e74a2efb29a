//! What is known about a call from outside its sound: identity and metadata.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Language of a call. Closed: a third language becomes a variant when it can be scored end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    En,
    Zh,
}

impl Language {
    /// Reads `en`, `en-US`, `zh`, `zh_CN`, `cmn`, … ; `None` for any other language.
    pub fn parse(tag: &str) -> Option<Language> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        match primary.as_str() {
            "en" | "eng" | "english" => Some(Language::En),
            "zh" | "zho" | "cmn" | "chinese" | "mandarin" => Some(Language::Zh),
            _ => None,
        }
    }

    /// The two-letter code.
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }

    /// Guesses from the share of Han characters among letters: ≥ 30 % Han is Chinese; `None` without letters.
    pub fn of_text(text: &str) -> Option<Language> {
        let han = text.chars().filter(|c| is_han(*c)).count();
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        (letters > 0).then_some(if han * 10 >= letters * 3 { Language::Zh } else { Language::En })
    }
}

/// True for CJK unified ideographs (with extension A and compatibility forms).
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}')
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Call metadata. Every field may be missing; missing metadata never blocks scoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub call_id: Option<String>,
    pub rep_id: Option<String>,
    pub customer_id: Option<String>,
    pub team: Option<String>,
    pub campaign: Option<String>,
    pub direction: Option<Direction>,
    pub call_type: Option<String>,
    pub language: Option<String>,
    /// Start of the call: RFC 3339 or a civil date-time `2025-02-19T06:01:22`.
    pub start_ts: Option<String>,
    /// IANA zone or offset of `start_ts` when the stamp has none.
    pub tz: Option<String>,
    /// Columns that callmark does not know, kept for exports and `when:` conditions.
    pub extra: BTreeMap<String, String>,
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The call's identity: the metadata's call id, else the first 16 hex digits of the SHA-256 over the sorted recording ids
/// (one recording: the first 16 digits of its own id).
pub fn call_id(metadata: &Metadata, recording_ids: &[String]) -> String {
    if let Some(id) = metadata.call_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
        return id.to_string();
    }
    match recording_ids {
        [one] => one.chars().take(16).collect(),
        many => {
            let mut sorted = many.to_vec();
            sorted.sort();
            sha256_hex(sorted.join("\n").as_bytes()).chars().take(16).collect()
        }
    }
}
