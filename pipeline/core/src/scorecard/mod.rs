//! Scorecards: YAML in, checked requirements and metrics out.
//!
//! Reading happens in two steps: the `Raw…` types say which keys there are (an unknown key is an error with its place and
//! a suggestion), the public types hold only what makes sense (durations in ms, probabilities in per mille, names that
//! exist, patterns that compile).

mod checked;
mod keys;
mod lint;
mod meant;
mod operators;
mod written;
mod yaml;

use std::fmt;

use serde_saphyr::Spanned;

pub use self::keys::{Form, Key, METRICS, OBJECTS, Object, json_schema};
pub use self::lint::{LintFinding, LintSeverity, lint};
pub(crate) use self::meant::Compiled;
pub use self::meant::{
    Example, ExampleTurn, Matcher, MetricItem, Pattern, Period, Requirement, Rule, Scorecard, Trapezoid, Verdicts,
    When, Within,
};
pub use self::operators::{OPERATORS, Operator};
pub use self::written::{Bounds, OneOrMany, Phrases, Text};
pub(crate) use self::yaml::read_yaml;

/// Why a scorecard (or a list of acts) cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScorecardError {
    pub message: String,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// In characters, from 1; 0 when the place is not known.
    pub column: u64,
    pub hint: Option<String>,
}

impl fmt::Display for ScorecardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        write!(f, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

/// A place in the file, in lines and characters from 1; 0 when it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl Place {
    fn of<T>(written: &Spanned<T>) -> Place {
        Place { line: written.referenced.line(), column: written.referenced.column() }
    }
}

/// A message quotes the file, which may hold line breaks and names of any length: one line of so many characters.
const MAX_MESSAGE_CHARS: usize = 200;

impl ScorecardError {
    /// Line and column from 1; 0 when the place is not known.
    fn new(line: u64, column: u64, message: &str) -> ScorecardError {
        let mut message = message.replace(char::is_control, " ");
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        ScorecardError { message, line, column, hint: None }
    }

    pub(crate) fn at<T>(place: &Spanned<T>, message: String) -> ScorecardError {
        ScorecardError::new(place.referenced.line(), place.referenced.column(), &message)
    }

    fn hint(mut self, hint: Option<String>) -> ScorecardError {
        self.hint = hint;
        self
    }
}

/// "did you mean `x`?", when a candidate is close to what was written.
fn did_you_mean<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let scored = candidates.into_iter().map(|c| (strsim::damerau_levenshtein(written, c), c));
    let (distance, best) = scored.min()?;
    (distance <= (written.chars().count() / 3).max(1)).then(|| format!("did you mean `{best}`?"))
}
