//! What is known about a call from outside its sound: identity and metadata.

use std::collections::BTreeMap;

use jiff::fmt::temporal::{DateTimeParser, Pieces};
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
    pub const ALL: [Language; 2] = [Language::En, Language::Zh];

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
    /// IANA zone or offset of the place where the customer is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_tz: Option<String>,
    /// True for the first time that this customer is spoken to about the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<bool>,
    /// Columns that callmark does not know, kept for exports and `when:` conditions.
    pub extra: BTreeMap<String, String>,
}

/// Whose clock tells the local time of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// [`Metadata::customer_tz`].
    #[default]
    Customer,
    /// The clock of [`Metadata::start_ts`].
    Call,
}

impl Metadata {
    /// Minute of the day (0…1439) at which the call began; `None` without a time, or without the zones that it takes to
    /// tell it. Zone data are built in.
    pub fn start_minute_of_day(&self, clock: Clock) -> Option<i64> {
        let stamp = Pieces::parse(self.start_ts.as_deref()?.trim()).ok()?;
        let written = stamp.date().to_datetime(stamp.time()?);
        let local = match clock {
            Clock::Call => written,
            Clock::Customer => {
                let zone = |name: &Option<String>| DateTimeParser::new().parse_time_zone(name.as_deref()?.trim()).ok();
                let moment = match stamp.to_numeric_offset() {
                    Some(offset) => offset.to_timestamp(written).ok()?,
                    None => zone(&self.tz)?.to_timestamp(written).ok()?,
                };
                zone(&self.customer_tz)?.to_datetime(moment)
            }
        };
        Some(i64::from(local.hour()) * 60 + i64::from(local.minute()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_needs_a_stamp_and_both_zones() {
        let cases = [
            ("2025-01-15T13:30:00Z", "", "America/New_York", Some(8 * 60 + 30)),
            ("2025-07-15T13:30:00Z", "", "America/New_York", Some(9 * 60 + 30)),
            ("2025-01-15T20:59:59", "America/Chicago", "America/New_York", Some(21 * 60 + 59)),
            ("2025-01-15 23:30:00+08:00", "Europe/Paris", "-05:00", Some(10 * 60 + 30)),
            ("2025-01-15T09:00:00", "", "America/New_York", None),
            ("2025-01-15T09:00:00Z", "", "", None),
            ("2025-01-15T09:00:00Z", "", "Mars/Olympus", None),
            ("2025-01-15", "UTC", "UTC", None),
            ("", "UTC", "UTC", None),
        ];
        for (start, tz, customer_tz, expected) in cases {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
            let about =
                Metadata { start_ts: some(start), tz: some(tz), customer_tz: some(customer_tz), ..Metadata::default() };
            assert_eq!(about.start_minute_of_day(Clock::Customer), expected, "{start} {tz} {customer_tz}");
        }
        let about = Metadata { start_ts: Some("2025-01-15T09:05:00Z".into()), ..Metadata::default() };
        assert_eq!(about.start_minute_of_day(Clock::Call), Some(9 * 60 + 5));
        let stored = serde_json::to_string(&about).unwrap();
        assert!(!stored.contains("customer_tz") && !stored.contains("first_contact"), "older records stay: {stored}");
    }
}
