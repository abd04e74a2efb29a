//! Labelled examples: small calls with what a requirement must say about them, written apart from the scorecard, and counts of
//! how often it did.

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::record::Outcome;
use crate::recording::{Direction, Language};
use crate::scorecard::{Example, ExampleTurn, ScorecardError, read_yaml};
use crate::statistics::{Interval, Z95, wilson};
use crate::transcript::Role;

/// One example for a requirement of a scorecard.
#[derive(Clone, Debug)]
pub struct LabelledExample {
    /// Name of the scorecard.
    pub card: String,
    pub requirement_id: String,
    /// It looks like what is asked for (or forbidden) and is not.
    pub is_hard_negative: bool,
    /// What makes it hard: negation, other_party, …; empty when nothing does.
    pub why: String,
    pub example: Example,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    HardNegative,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLabelled {
    card: String,
    id: String,
    kind: Kind,
    #[serde(default)]
    why: String,
    expect: Spanned<String>,
    turns: Vec<ExampleTurn>,
    #[serde(default)]
    call_type: Option<String>,
    #[serde(default)]
    direction: Option<Direction>,
    #[serde(default)]
    language: Option<Language>,
    #[serde(default)]
    first_contact: Option<bool>,
    #[serde(default)]
    customer_tz: Option<String>,
    #[serde(default)]
    start: Option<String>,
}

/// Reads a list of `{card, id, kind, why, expect, turns, …}`.
///
/// # Errors
/// The file is not such a list; with line and column.
pub fn read(yaml: &str) -> Result<Vec<LabelledExample>, ScorecardError> {
    let raw: Vec<RawLabelled> = read_yaml(yaml)?;
    let labelled = |raw: RawLabelled| {
        let expect = match raw.expect.value.as_str() {
            "met" => Outcome::Met,
            "missed" => Outcome::Missed,
            "violated" => Outcome::Violated,
            "clear" => Outcome::Clear,
            "n/a" => Outcome::NotApplicable,
            other => {
                let message = format!("unknown result `{other}`: met, missed, violated, clear or n/a");
                return Err(ScorecardError::at(&raw.expect, message));
            }
        };
        if raw.kind == Kind::HardNegative && is_found(expect) {
            return Err(ScorecardError::at(&raw.expect, "a hard negative cannot expect a finding".to_string()));
        }
        let example = Example {
            call_type: raw.call_type,
            direction: raw.direction,
            language: raw.language,
            start_ts: raw.start,
            customer_tz: raw.customer_tz,
            first_contact: raw.first_contact,
            ..of_turns(raw.turns, expect)
        };
        let is_hard_negative = raw.kind == Kind::HardNegative;
        Ok(LabelledExample { card: raw.card, requirement_id: raw.id, is_hard_negative, why: raw.why, example })
    };
    raw.into_iter().map(labelled).collect()
}

/// An example in which the rep says one sentence at the beginning.
pub fn of_sentence(text: &str, expect: Outcome) -> Example {
    let (begin_ms, end_ms, acts, sentiment_milli, level_centi_dbfs) = (0, None, Vec::new(), None, None);
    let text = text.to_string();
    of_turns(
        vec![ExampleTurn { role: Role::Rep, begin_ms, end_ms, text, acts, sentiment_milli, level_centi_dbfs }],
        expect,
    )
}

/// An example of a call about which nothing else is known.
fn of_turns(turns: Vec<ExampleTurn>, expect: Outcome) -> Example {
    let (call_type, campaign, direction, language) = (None, None, None, None);
    let (start_ts, tz, customer_tz, first_contact, hung_up_by) = (None, None, None, None, None);
    Example {
        turns,
        expect,
        call_type,
        campaign,
        direction,
        language,
        start_ts,
        tz,
        customer_tz,
        first_contact,
        hung_up_by,
    }
}

/// True when the requirement says that its thing (asked for or forbidden) is there.
pub fn is_found(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Met | Outcome::Violated)
}

/// A share with its 95 % Wilson interval, per mille.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    pub permille: u16,
    pub low_permille: u16,
    pub high_permille: u16,
}

/// How examples came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    pub examples: u64,
    /// Examples in which the thing is there …
    pub there: u64,
    /// … and was found.
    pub found: u64,
    /// Examples in which it is not there, and was found all the same.
    pub false_finds: u64,
    /// Examples with exactly the expected result.
    pub right: u64,
}

impl Findings {
    pub fn add(&mut self, expected: Outcome, actual: Outcome) {
        self.examples += 1;
        self.there += u64::from(is_found(expected));
        self.found += u64::from(is_found(expected) && is_found(actual));
        self.false_finds += u64::from(!is_found(expected) && is_found(actual));
        self.right += u64::from(expected == actual);
    }

    /// Of the things that are there, the share that was found.
    pub fn recall(&self) -> Option<Share> {
        share(self.found, self.there)
    }

    /// Of the findings, the share that is right.
    pub fn precision(&self) -> Option<Share> {
        share(self.found, self.found + self.false_finds)
    }
}

fn share(part: u64, whole: u64) -> Option<Share> {
    let Interval { low, high } = wilson(part, whole, Z95)?;
    let permille = |share: f64| (share * 1000.0).round() as u16;
    Some(Share { permille: (part * 1000 / whole) as u16, low_permille: permille(low), high_permille: permille(high) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_mistakes_have_a_place() {
        let read_one = |line: &str| read(line).map(|list| list.into_iter().next().unwrap());
        let line = "- {card: support, id: greeting, expect: missed, kind: hard_negative, why: other_party, turns: [[customer, 1.5, \"Hi.\"]]}";
        let read = read_one(line).unwrap();
        assert_eq!(
            (read.card.as_str(), read.requirement_id.as_str(), read.why.as_str()),
            ("support", "greeting", "other_party")
        );
        assert!(read.is_hard_negative && read.example.expect == Outcome::Missed);
        assert_eq!(read.example.turns[0].begin_ms, 1_500);
        let error = read_one(&line.replace("missed", "missing")).unwrap_err();
        assert!(error.line == 1 && error.column > 0 && error.message.contains("`missing`"), "{error}");
        assert!(read_one(&line.replace("missed", "met")).unwrap_err().message.contains("hard negative"));
        assert!(read_one(&line.replace("why", "wyh")).unwrap_err().to_string().contains("did you mean `why`?"));
    }

    #[test]
    fn findings_are_counted() {
        use Outcome::{Clear, Met, Missed, NotApplicable, Violated};
        let mut findings = Findings::default();
        let pairs =
            [(Met, Met), (Met, Missed), (Violated, Violated), (Missed, Met), (Clear, Clear), (NotApplicable, Missed)];
        pairs.iter().for_each(|(expected, actual)| findings.add(*expected, *actual));
        assert_eq!(findings, Findings { examples: 6, there: 3, found: 2, false_finds: 1, right: 3 });
        // 2 of 3 by Wilson's formula: 0.2077 … 0.9385.
        let expected = Share { permille: 666, low_permille: 208, high_permille: 939 };
        assert_eq!((findings.recall(), findings.precision()), (Some(expected), Some(expected)));
        assert_eq!(Findings::default().recall(), None);
    }
}
