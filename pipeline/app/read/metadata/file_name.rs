//! What the names of recordings say: regular expressions with named groups.

use std::path::Path;
use std::sync::LazyLock;

use callmark_core::recording::Metadata;
use regex::Regex;
use serde::Deserialize;

use super::fields::{Field, Warnings, set};
use crate::config::did_you_mean;

/// Groups that a pattern may have.
const GROUPS: &[&str] =
    &["call_id", "rep_id", "customer_id", "team", "campaign", "direction", "call_type", "language", "start_ts", "tz"];

/// Names that recorders and telephone systems write, tried after the site's own patterns.
const BUILT_IN: &[&str] = &[
    // 1234567_JANE_DOE_DT_2025-02-19T06-01-22, with any ending.
    r"(?i)^(?:[^_]*\d[^_]*_)?(?:\d+_)*(?<rep_id>\p{L}[^_]*(?:_[^_]+)*?)_DT_(?<start_ts>\d{4}-?\d{2}-?\d{2}[T_-]?\d{2}[-_]?\d{2}[-_]?\d{2})(?:\D.*)?$",
    // Asterisk and FreePBX: out-DIALLED-EXTENSION-DATE-TIME-UNIQUEID.
    r"(?i)^(?<direction>out)-(?<customer_id>\+?\d{3,})-(?<rep_id>\d{2,6})-(?<start_ts>\d{8}-\d{6})-(?<call_id>\d+\.\d+)$",
    // 20250219060122_201_0123456789_in
    r"(?i)^(?<start_ts>\d{4}-?\d{2}-?\d{2}[T_-]?\d{2}[-_]?\d{2}[-_]?\d{2})_(?<rep_id>[^_]+)_(?<customer_id>\+?\d{3,})_(?<direction>in|out)$",
];

/// One regular expression whose groups are fields of call metadata.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct FileNamePattern {
    regex: Regex,
}

impl TryFrom<String> for FileNamePattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<FileNamePattern, String> {
        let regex = Regex::new(&pattern).map_err(|error| {
            format!("this is no regular expression: {error}\nhint: groups look like (?<rep_id>[^_]+), in single quotes")
        })?;
        if let Some(group) = regex.capture_names().flatten().find(|group| !GROUPS.contains(group)) {
            let suggestion = did_you_mean(group, GROUPS.iter().copied());
            return Err(format!(
                "there is no field for the group `{group}`{suggestion}\nhint: the groups are {}",
                GROUPS.join(", ")
            ));
        }
        Ok(FileNamePattern { regex })
    }
}

impl FileNamePattern {
    /// The fields in a name without its extension; `None` when the pattern does not match.
    fn read(&self, name: &str, warnings: &mut Warnings) -> Option<Metadata> {
        let found = self.regex.captures(name)?;
        let mut metadata = Metadata::default();
        for group in self.regex.capture_names().flatten() {
            let (Some(field), Some(value)) = (Field::named(group), found.name(group)) else { continue };
            // A name is written with spaces; an id may have its underscores for a reason.
            let is_name = field == Field::RepId && !value.as_str().contains(|c: char| c.is_ascii_digit());
            let value = if is_name { value.as_str().replace('_', " ") } else { value.as_str().to_string() };
            set(&mut metadata, field, group, &value, &format_args!("file name {name}"), warnings);
        }
        Some(metadata)
    }
}

/// What a recording's name says: the first pattern that matches, the site's own before the built-in ones.
pub fn from_file_name(recording: &Path, own: &[FileNamePattern], warnings: &mut Warnings) -> Metadata {
    static KNOWN: LazyLock<Vec<FileNamePattern>> =
        LazyLock::new(|| BUILT_IN.iter().filter_map(|p| FileNamePattern::try_from(p.to_string()).ok()).collect());
    let Some(name) = recording.file_stem().map(|stem| stem.to_string_lossy()) else { return Metadata::default() };
    own.iter().chain(KNOWN.iter()).find_map(|pattern| pattern.read(&name, warnings)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use callmark_core::recording::Direction;

    fn read(name: &str, own: &[&str]) -> Metadata {
        let own: Vec<_> = own.iter().map(|p| FileNamePattern::try_from(p.to_string()).unwrap()).collect();
        let mut warnings = Warnings::default();
        let metadata = from_file_name(Path::new(name), &own, &mut warnings);
        assert_eq!(warnings, Warnings::default());
        metadata
    }

    #[test]
    fn the_built_in_patterns_are_all_usable() {
        for pattern in BUILT_IN {
            FileNamePattern::try_from(pattern.to_string()).unwrap();
        }
    }

    #[test]
    fn names_of_recorders_and_telephone_systems() {
        let text = |s: &str| Some(s.to_string());
        for (name, rep) in [
            ("n/1234567_JANE_DOE_DT_2025-02-19T06-01-22.wav", "JANE DOE"),
            ("JANE_DOE_DT_2025-02-19T06-01-22_part1.mp3", "JANE DOE"),
            ("A12_7_Agent_17_DT_20250219_060122.wav", "Agent_17"),
            ("1234567_王_小明_DT_2025-02-19T06-01-22.wav", "王 小明"),
            ("1_ANNE-MARIE_O'NEIL_DT_2025-02-19T06-01-22.wav", "ANNE-MARIE O'NEIL"),
        ] {
            let expected = Metadata { rep_id: text(rep), start_ts: text("2025-02-19T06:01:22"), ..Metadata::default() };
            assert_eq!(read(name, &[]), expected, "{name}");
        }
        let expected = Metadata {
            call_id: text("1739944882.123"),
            rep_id: text("201"),
            customer_id: text("0123456789"),
            direction: Some(Direction::Outbound),
            start_ts: text("2025-02-19T06:01:22"),
            ..Metadata::default()
        };
        assert_eq!(read("out-0123456789-201-20250219-060122-1739944882.123.wav", &[]), expected);
        let expected = Metadata { call_id: None, direction: Some(Direction::Inbound), ..expected };
        assert_eq!(read("20250219060122_201_0123456789_in.wav", &[]), expected);
        for name in ["S-2001.mp3", "call.wav", "2025-02-19.wav", "out-of-office.wav", "_DT_.wav"] {
            assert_eq!(read(name, &[]), Metadata::default(), "{name}");
        }
    }

    #[test]
    fn own_patterns_come_first() {
        let name = "1234567_JANE_DOE_DT_2025-02-19T06-01-22.wav";
        let own = read(name, &[r"^x", r"^(?P<customer_id>\d+)_(?<rep_id>[A-Z]+)_"]);
        assert_eq!((own.customer_id.as_deref(), own.rep_id.as_deref()), (Some("1234567"), Some("JANE")));
        assert_eq!(own.start_ts, None);
        assert_eq!(
            read(name, &["."]),
            Metadata::default(),
            "a pattern without groups says that the name means nothing"
        );
        let error = |pattern: &str| FileNamePattern::try_from(pattern.to_string()).unwrap_err();
        assert!(error("(?<repid>x)").contains("did you mean `rep_id`?"));
        assert!(error("(?<rep_id>").contains("regular expression"));
    }

    #[test]
    fn a_stamp_that_cannot_be_is_left_out_with_a_warning() {
        let mut warnings = Warnings::default();
        let metadata = from_file_name(Path::new("20251319060122_201_0123456789_in.wav"), &[], &mut warnings);
        assert_eq!((metadata.start_ts, metadata.rep_id.as_deref()), (None, Some("201")));
        assert_eq!(warnings.lines().count(), 1);
    }
}
