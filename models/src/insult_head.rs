//! The output of a text model that hears insults: how likely a turn degrades, mocks, swears at or threatens a person.
//!
//! It reads what the sentiment reads, which records do not keep; so its readings are kept, as an act (`ActReadings::INSULT`).

use callmark_core::transcript::ActReadings;
use serde::Deserialize;

use crate::text_model::TextModelError;

/// The graph's output, one logit a text.
pub(crate) const OUTPUT: &str = "insult";

const WHOLLY_PERMILLE: u16 = 1000;

/// `[insult]` of a text model's manifest.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InsultHead {
    /// A turn insults from this probability on.
    threshold_permille: u16,
}

impl InsultHead {
    /// What cannot be right in it.
    pub fn mistake(self) -> Option<&'static str> {
        let fits = (1..=WHOLLY_PERMILLE).contains(&self.threshold_permille);
        (!fits).then_some("`insult.threshold_permille` must be between 1 and 1000")
    }

    /// All of it in one line: part of what readings depend on.
    pub fn told(self) -> String {
        format!("insult {}", self.threshold_permille)
    }

    /// Writes the readings that reach the threshold into those of acts.
    pub fn add_to(self, readings: &mut ActReadings, insults_permille: &[Option<u16>]) {
        readings.given.insert(ActReadings::INSULT.to_string());
        for (heard, permille) in readings.turns.iter_mut().zip(insults_permille) {
            if let Some(permille) = permille.filter(|permille| *permille >= self.threshold_permille) {
                heard.insert(ActReadings::INSULT.to_string(), permille);
            }
        }
    }
}

/// The probability that a logit says.
///
/// # Errors
/// It is not a number.
pub(crate) fn permille(logit: f32) -> Result<u16, TextModelError> {
    if logit.is_nan() {
        return Err(TextModelError::Runtime(format!("`{OUTPUT}` is not a number")));
    }
    let probability = 1.0 / (1.0 + f64::from(-logit).exp());
    Ok((probability * f64::from(WHOLLY_PERMILLE)).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logit_becomes_a_probability() {
        assert_eq!([0.0, 2.2, -2.2, 800.0, -800.0].map(|logit| permille(logit).unwrap()), [500, 900, 100, 1000, 0]);
        assert!(permille(f32::NAN).is_err());
    }

    #[test]
    fn readings_are_added_from_the_threshold_on() {
        let mut readings = ActReadings { given: ["rep:greeting".to_string()].into(), turns: vec![[].into(); 4] };
        readings.turns[1].insert("rep:greeting".into(), 700);
        InsultHead { threshold_permille: 600 }.add_to(&mut readings, &[Some(599), Some(600), None, Some(1000)]);
        assert!(readings.given.contains("rep:greeting") && readings.given.contains("either:insult"));
        assert_eq!(readings.insults_permille(), [None, Some(600), None, Some(1000)]);
        assert_eq!(readings.turns[1].len(), 2);
    }

    #[test]
    fn thresholds_that_cannot_be_right_are_refused() {
        for (threshold_permille, fits) in [(0, false), (1, true), (1000, true), (1001, false)] {
            assert_eq!(InsultHead { threshold_permille }.mistake().is_none(), fits, "{threshold_permille}");
        }
    }
}
