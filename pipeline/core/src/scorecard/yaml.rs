//! YAML as authors write it: read within limits; what is wrong is said in their words, with a remedy.

use serde::de;
use serde_saphyr::{Error, MessageFormatter as _, UserMessageFormatter};

use super::{ScorecardError, did_you_mean};

/// Larger files are refused before they are read.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Reads YAML with limits on size, depth and aliases; errors carry line, column and a suggestion.
pub(crate) fn read_yaml<T: de::DeserializeOwned>(yaml: &str) -> Result<T, ScorecardError> {
    if yaml.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES} (2 MB)", yaml.len());
        return Err(ScorecardError::new(0, 0, &message));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 200, max_anchors: 200, max_depth: 32, max_nodes: 200_000 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |l| (l.line(), l.column()));
        let error = error.without_snippet();
        typed_otherwise(yaml, error, line, column).unwrap_or_else(|| {
            let (message, hint) = in_an_authors_words(error);
            ScorecardError::new(line, column, &message).hint(hint)
        })
    })
}

// ------------------------------------------------------------------ what the reader says

/// What the parser says of the layout (a part of it), what is wrong, what to do.
const LAYOUT: &[(&str, &str, &str)] = &[
    ("simple key expected ':'", "this line is no `key: value`", "after a key stand a colon and a space"),
    (
        "mapping values are not allowed",
        "a colon where none can stand",
        "put a text with a colon in quotes; keys of one thing begin in the same column",
    ),
    ("expected ',' or '}'", "a `}` or a comma is missing", "look at the braces of the lines before, too"),
    ("expected ',' or ']'", "a `]` or a comma is missing", "look at the brackets of the lines before, too"),
    (
        "while parsing a block",
        "the line begins in a column that fits none of the lines above",
        "keys of one thing, and the `-` of one list, begin in the same column",
    ),
    (
        "unknown escape character",
        "a backslash that double quotes do not know",
        r"put a pattern in single quotes, '\d', or write two backslashes",
    ),
    ("unexpected character", "a text cannot begin with this character", "put it in quotes"),
];

const SUCH_AS_A_LIST: &str = "such as [en], or each entry on a line of its own after `- `";
const SUCH_AS_KEYS: &str = "such as {en: [hello]}, or each `key: value` on a line of its own";
const SUCH_AS_A_WHOLE_NUMBER: &str = "such as 10, without a fraction or a unit";

/// Message and remedy. The reader's own words are about its types, which nobody knows who writes a scorecard.
fn in_an_authors_words(error: &Error) -> (String, Option<String>) {
    let said = |message: &str, remedy: &str| (message.to_string(), Some(remedy.to_string()));
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let known = || format!("known keys: {}", expected.join(", "));
            (format!("unknown key `{field}`"), meant(field, expected).or_else(|| Some(known())))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let known = || format!("one of: {}", expected.join(", "));
            (format!("unknown value `{variant}`"), meant(variant, expected).or_else(|| Some(known())))
        }
        Error::SerdeMissingField { field, .. } => (format!("missing key `{field}`"), None),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            said(&format!("key `{key}` stands here twice"), "only one of them would count: merge or rename them")
        }
        Error::Unexpected { expected: "sequence start", .. } => said("expected a list", SUCH_AS_A_LIST),
        Error::Unexpected { expected: "mapping start", .. } => said("expected keys and values", SUCH_AS_KEYS),
        Error::Unexpected { expected: "string scalar", .. } | Error::NullIntoString { .. } => {
            said("expected text", "in quotes where it has brackets, braces or a colon")
        }
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => said("expected one word", "without brackets"),
        Error::InvalidScalar { ty: "floating point", .. } => {
            said("expected a number", "such as 30 or 0.75, without a unit")
        }
        Error::InvalidScalar { ty: "boolean", .. } => said("expected true or false", "without quotes"),
        Error::InvalidScalar { ty, .. } if ty.starts_with('u') => {
            said("expected a whole number, 0 or more", SUCH_AS_A_WHOLE_NUMBER)
        }
        Error::InvalidScalar { .. } => said("expected a whole number", SUCH_AS_A_WHOLE_NUMBER),
        Error::SerdeInvalidType { unexpected, expected, .. } => {
            let not = |here: &str| format!("expected {expected}, not {here}");
            match unexpected.as_str() {
                "map" => (not("keys and values"), None),
                "sequence" => (not("a list"), None),
                "unit value" => (format!("expected {expected}; there is nothing"), None),
                // A kind of value and the value.
                other => {
                    let value = other.split_once(" `").map_or(other, |(_, value)| value.trim_end_matches('`'));
                    let remedy = expected.contains("text").then(|| format!("in quotes it is text: \"{value}\""));
                    (not(value), remedy)
                }
            }
        }
        Error::SerdeInvalidLength { len, expected, .. } => (format!("expected {expected}; there are {len}"), None),
        Error::UnknownAnchor { .. } => said("a reference to nothing", "a text that begins with `*` needs quotes"),
        Error::Eof { .. } => ("the file ends where something is expected".to_string(), None),
        other => {
            // Without the place, which the error has already.
            let message = UserMessageFormatter.format_message(other);
            match LAYOUT.iter().find(|(part, ..)| message.contains(part)) {
                Some((_, message, remedy)) => said(message, remedy),
                None => (message.into_owned(), None),
            }
        }
    }
}

/// What authors write for a name whose letters are far from it.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("cn", "zh"),
    ("ch", "zh"),
    ("chinese", "zh"),
    ("中文", "zh"),
    ("english", "en"),
    ("英文", "en"),
    ("agent", "rep"),
    ("坐席", "rep"),
    ("caller", "customer"),
    ("client", "customer"),
    ("客户", "customer"),
];

fn meant(written: &str, known: &[&str]) -> Option<String> {
    let other = OTHER_WORDS.iter().find(|(word, name)| written.eq_ignore_ascii_case(word) && known.contains(name));
    match other {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None => did_you_mean(written, known.iter().copied()),
    }
}

// ------------------------------------------------------------------ what the keyboard did

/// Characters that look like YAML's own, what they are and what to type instead.
const LOOKALIKES: &[(char, &str, &str)] = &[
    ('：', "a Chinese colon", "a colon and a space"),
    ('，', "a Chinese comma", "a comma and a space"),
    ('“', "a curly quotation mark", "\""),
    ('”', "a curly quotation mark", "\""),
    ('【', "a Chinese bracket", "["),
    ('［', "a Chinese bracket", "["),
    ('｛', "a Chinese brace", "{"),
    ('\u{A0}', "a no-break space", "a usual space"),
    ('\u{3000}', "a Chinese space", "a usual space"),
];

/// An error that comes from a tab or from punctuation that only looks like YAML's.
fn typed_otherwise(yaml: &str, error: &Error, line: u64, column: u64) -> Option<ScorecardError> {
    let number = usize::try_from(line).ok()?.checked_sub(1)?;
    let is_of_layout = matches!(error, Error::ExternalMessage { .. });
    if is_of_layout && error.to_string().contains("tab") {
        // The parser names the line before where it takes the tab for the rest of a text.
        let indentation = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
        let (at, tab) = yaml
            .lines()
            .enumerate()
            .skip(number)
            .find_map(|(at, text)| text[..indentation(text)].find('\t').map(|tab| (at, tab)))?;
        let hint = "YAML wants spaces there: set the editor to write two for a tab".to_string();
        return Some(ScorecardError::new(at as u64 + 1, tab as u64 + 1, "a tab in the indentation").hint(Some(hint)));
    }
    let (column, found) = match error {
        Error::SerdeUnknownField { field: name, .. } | Error::SerdeUnknownVariant { variant: name, .. } => {
            (column, name.chars().find(|c| LOOKALIKES.iter().any(|(lookalike, ..)| lookalike == c))?)
        }
        Error::Unexpected { .. } | Error::InvalidScalar { .. } => lookalike(yaml.lines().nth(number)?, false)?,
        _ if is_of_layout => lookalike(yaml.lines().nth(number)?, true)?,
        _ => return None,
    };
    let (_, name, instead) = LOOKALIKES.iter().find(|(lookalike, ..)| *lookalike == found)?;
    let message = format!("{name} (`{found}`), which is text to YAML");
    Some(ScorecardError::new(line, column, &message).hint(Some(format!("type {instead} instead"))))
}

/// The first lookalike in a line that stands where YAML's own would, and its column. Commas, quotation marks and brackets may well stand
/// in a text: they count only where the layout is wrong.
fn lookalike(line: &str, is_of_layout: bool) -> Option<(u64, char)> {
    let mut quote = None;
    // The last character that is no space, and whether a value may begin after it.
    let (mut before, mut begins) = (' ', true);
    let chars: Vec<char> = line.chars().collect();
    for (i, c) in chars.iter().copied().enumerate() {
        if quote.is_some() {
            quote = quote.filter(|open| *open != c);
        } else if c == '#' && (i == 0 || chars[i - 1] == ' ') {
            return None;
        } else if begins && matches!(c, '"' | '\'') {
            quote = Some(c);
        } else {
            let ends = before.is_ascii_alphanumeric() || matches!(before, '_' | '}' | ']' | ')' | '"' | '\'' | '”');
            let colon_follows = || chars[i..].iter().find(|c| !matches!(c, '\u{A0}' | '\u{3000}' | ' ')) == Some(&':');
            let is_found = match c {
                '：' => ends,
                '，' => ends && is_of_layout,
                '\u{A0}' | '\u{3000}' => begins || colon_follows(),
                '“' | '”' | '【' | '［' | '｛' => begins && is_of_layout,
                _ => false,
            };
            if is_found {
                return Some((i as u64 + 1, c));
            }
        }
        if c != ' ' {
            (before, begins) = (c, quote.is_none() && matches!(c, ':' | ',' | '[' | '{' | '-'));
        }
    }
    None
}
