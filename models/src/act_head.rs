//! The head of a text model that hears dialogue acts: from a turn's words and the embeddings of it and of the two turns before, how likely
//! the turn greets, asks, apologises, ends the call.
//!
//! `acts.onnx` lies beside `model.onnx`. It sees embeddings as records keep them, so that acts can be read again from stored embeddings,
//! without the encoder, and come out the same. Which acts it is trusted with, and from which probability on, the manifest says.

use std::collections::{BTreeMap, BTreeSet};

use callmark_core::recording::Language;
use callmark_core::transcript::{ActReadings, Embedding, Role, Turn};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;
use tokenizers::NormalizedString;

use crate::text_model::{self, TextModelError};

/// The turn and the two before it.
const HEARD_TURNS: usize = 3;
/// Turns from the start and the end of the call that are told apart.
const PLACES: usize = 10;
/// Hash buckets of n-grams; bucket 0 says that there are none.
const BUCKETS: u32 = 32_768;
const WHOLLY_PERMILLE: u16 = 1000;

/// `[acts]` of a text model's manifest. An act is named with who performs it: `rep:greeting`, `either:backchannel`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActList {
    /// In the order of the graph's output.
    names: Vec<String>,
    /// A turn has the act from this probability on, per mille.
    thresholds_permille: Vec<u16>,
    /// The acts whose word is better than that of phrases.
    given: BTreeSet<String>,
}

impl ActList {
    /// What cannot be right in it.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let is_name = |name: &String| {
            name.split_once(':')
                .is_some_and(|(who, act)| ["rep", "customer", "either"].contains(&who) && !act.is_empty())
        };
        let names: BTreeSet<&String> = self.names.iter().collect();
        if names.len() != self.names.len() || !self.names.iter().all(is_name) {
            Some("`acts.names` must name each act once, as rep:…, customer:… or either:…")
        } else if self.thresholds_permille.len() != self.names.len()
            || !self.thresholds_permille.iter().all(|t| (1..=WHOLLY_PERMILLE).contains(t))
        {
            Some("`acts.thresholds_permille` needs a number between 1 and 1000 for each name")
        } else if !self.given.iter().all(|act| names.contains(act)) {
            Some("`acts.given` names an act that is not in `acts.names`")
        } else {
            None
        }
    }

    /// All of it in one line: part of what readings depend on.
    pub(crate) fn told(&self) -> String {
        let each = self.names.iter().zip(&self.thresholds_permille).map(|(name, threshold)| {
            let given = if self.given.contains(name) { " given" } else { "" };
            format!("{name} {threshold}{given}")
        });
        each.collect::<Vec<_>>().join(", ")
    }

    /// The given acts of a party that reach their thresholds. What the other party's columns say of its turns was never trained, nor what
    /// any column says of turns by nobody known.
    fn heard(&self, role: Role, permille: &[u16]) -> BTreeMap<String, u16> {
        let performs = |name: &str| {
            let who = name.split_once(':').map_or("", |(who, _)| who);
            matches!(role, Role::Rep | Role::Customer) && [role.name(), "either"].contains(&who)
        };
        let each = self.names.iter().zip(&self.thresholds_permille).zip(permille);
        let heard = each.filter(|((name, threshold), permille)| {
            permille >= threshold && self.given.contains(*name) && performs(name)
        });
        heard.map(|((name, _), permille)| (name.clone(), *permille)).collect()
    }
}

/// What the graph takes for one turn.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadInput {
    /// Of this turn, the one before and the one before that, one after the other; zeros where there is none.
    pub embeddings: Vec<f32>,
    pub roles: [f32; HEARD_TURNS],
    pub place: [f32; 2],
    pub ngrams: Vec<i64>,
}

impl HeadInput {
    /// Of turn number `turn` of a call; `None` for an embedding is one without meaning.
    pub fn of(
        language: Language,
        turns: &[Turn],
        embeddings: &[Option<Embedding>],
        turn: usize,
        size: usize,
    ) -> HeadInput {
        let mut input = HeadInput {
            embeddings: vec![0.0; HEARD_TURNS * size],
            roles: [0.0; HEARD_TURNS],
            place: [turn, turns.len().saturating_sub(turn + 1)]
                .map(|distance| distance.min(PLACES) as f32 / PLACES as f32),
            ngrams: ngrams(language, &turns[turn].text),
        };
        for (back, vector) in input.embeddings.chunks_exact_mut(size).enumerate().take(turn + 1) {
            let heard = turn - back;
            input.roles[back] = match turns[heard].role {
                Role::Rep => 1.0,
                Role::Customer => -1.0,
                _ => 0.0,
            };
            if let Some(Some(Embedding(kept))) = embeddings.get(heard) {
                vector.iter_mut().zip(kept).for_each(|(float, int)| *float = f32::from(*int) / 127.0);
            }
        }
        input
    }
}

/// The buckets of a text's n-grams, each once, ascending: words and pairs of neighbours in English, one to three characters in Chinese.
pub fn ngrams(language: Language, text: &str) -> Vec<i64> {
    let text = NormalizedString::from(text).nfkc().get().to_lowercase();
    let mut buckets = BTreeSet::new();
    match language {
        Language::En => {
            let is_part = |c: char| c.is_alphanumeric() || c == '\'';
            let words: Vec<&str> = text.split(|c| !is_part(c)).filter(|word| !word.is_empty()).collect();
            buckets.extend(words.iter().map(|word| bucket(word)));
            buckets.extend(words.windows(2).map(|pair| bucket(&pair.join(" "))));
        }
        Language::Zh => {
            let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
            for length in 1..=3 {
                buckets.extend(characters.windows(length).map(|gram| bucket(&gram.iter().collect::<String>())));
            }
        }
    }
    if buckets.is_empty() { vec![0] } else { buckets.into_iter().collect() }
}

/// FNV-1a of 32 bits over the buckets that are not 0.
fn bucket(feature: &str) -> i64 {
    let hash = feature.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from(1 + hash % (BUCKETS - 1))
}

/// One session of a head.
pub(crate) struct ActHead {
    session: Session,
}

impl ActHead {
    /// Opens the graph on one thread. A run is so small that threads, arenas and remembered memory would cost more than it.
    pub fn open(model: &[u8], environment: &Environment) -> Result<ActHead, TextModelError> {
        Ok(ActHead { session: text_model::open_session(model, environment)? })
    }

    /// The probability of each act in one turn.
    pub fn probabilities(&mut self, acts: &ActList, input: &HeadInput) -> Result<Vec<f32>, TextModelError> {
        let size = input.embeddings.len() / HEARD_TURNS;
        let embeddings = TensorRef::from_array_view(([1, HEARD_TURNS, size], input.embeddings.as_slice()));
        let roles = TensorRef::from_array_view(([1, HEARD_TURNS], input.roles.as_slice()));
        let place = TensorRef::from_array_view(([1, input.place.len()], input.place.as_slice()));
        let ngrams = TensorRef::from_array_view(([1, input.ngrams.len()], input.ngrams.as_slice()));
        let inputs = ort::inputs![
            "embeddings" => embeddings.map_err(text_model::runtime)?,
            "roles" => roles.map_err(text_model::runtime)?,
            "place" => place.map_err(text_model::runtime)?,
            "ngrams" => ngrams.map_err(text_model::runtime)?,
        ];
        let outputs = self.session.run(inputs).map_err(text_model::runtime)?;
        let output = outputs.get("probabilities");
        let output = output.ok_or_else(|| TextModelError::Runtime("no output `probabilities`".into()))?;
        let probabilities = output.try_extract_tensor::<f32>().map_err(text_model::runtime)?.1.to_vec();
        if probabilities.len() != acts.names.len() || !probabilities.iter().all(|p| (0.0..=1.0).contains(p)) {
            let detail = format!("the head of acts does not give a probability for each of {} acts", acts.names.len());
            return Err(TextModelError::Runtime(detail));
        }
        Ok(probabilities)
    }

    /// What the head hears in a call, turn by turn.
    pub fn read(
        &mut self,
        acts: &ActList,
        language: Language,
        turns: &[Turn],
        embeddings: &[Option<Embedding>],
        size: usize,
    ) -> Result<ActReadings, TextModelError> {
        let heard = |turn: usize| {
            let input = HeadInput::of(language, turns, embeddings, turn, size);
            let probabilities = self.probabilities(acts, &input)?;
            let permille: Vec<u16> = probabilities.iter().map(|p| (p * 1000.0).round() as u16).collect();
            Ok(acts.heard(turns[turn].role, &permille))
        };
        let turns = (0..turns.len()).map(heard).collect::<Result<_, TextModelError>>()?;
        Ok(ActReadings { given: acts.given.clone(), turns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_hashed_as_the_recipe_does() {
        // FNV-1a's published test vectors: "" → 811c9dc5, "a" → e40c292c, "foobar" → bf9cf968.
        assert_eq!(bucket("a"), i64::from(1 + 0xe40c_292c_u32 % 32_767));
        assert_eq!(bucket("foobar"), i64::from(1 + 0xbf9c_f968_u32 % 32_767));
        let mut expected = vec![bucket("don't"), bucket("worry"), bucket("don't worry")];
        expected.sort_unstable();
        assert_eq!(ngrams(Language::En, "Don't … WORRY! don't"), {
            expected.push(bucket("worry don't"));
            expected.sort_unstable();
            expected
        });
        assert_eq!(ngrams(Language::Zh, "您好，ＡＢ").len(), 4 + 3 + 2, "full width is half width");
        assert_eq!(ngrams(Language::Zh, "您好"), ngrams(Language::Zh, "您 好。"));
        for nothing in ["", " … !", "\u{1F600}"] {
            assert_eq!((ngrams(Language::En, nothing), ngrams(Language::Zh, nothing)), (vec![0], vec![0]));
        }
    }

    fn list(names: &[&str], thresholds_permille: &[u16], given: &[&str]) -> ActList {
        let owned = |all: &[&str]| all.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        ActList {
            names: owned(names),
            thresholds_permille: thresholds_permille.to_vec(),
            given: owned(given).into_iter().collect(),
        }
    }

    #[test]
    fn lists_that_cannot_be_right_are_refused() {
        assert_eq!(list(&["rep:greeting", "either:backchannel"], &[300, 500], &["rep:greeting"]).mistake(), None);
        for wrong in [
            list(&["greeting"], &[300], &[]),
            list(&["boss:greeting"], &[300], &[]),
            list(&["rep:greeting", "rep:greeting"], &[300, 300], &[]),
            list(&["rep:greeting"], &[300, 300], &[]),
            list(&["rep:greeting"], &[0], &[]),
            list(&["rep:greeting"], &[300], &["rep:closing"]),
        ] {
            assert!(wrong.mistake().is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn only_given_acts_of_who_speaks_are_heard_from_their_threshold_on() {
        let names = ["rep:greeting", "rep:closing", "customer:greeting", "either:backchannel"];
        let acts = list(&names, &[300; 4], &["rep:greeting", "customer:greeting", "either:backchannel"]);
        let heard = |role, permille: [u16; 4]| acts.heard(role, &permille).into_iter().collect::<Vec<_>>();
        let said = |act: &str, permille: u16| (act.to_string(), permille);
        assert_eq!(heard(Role::Rep, [300, 999, 999, 299]), [said("rep:greeting", 300)]);
        assert_eq!(
            heard(Role::Customer, [300, 999, 999, 301]),
            [said("customer:greeting", 999), said("either:backchannel", 301)]
        );
        assert_eq!(heard(Role::Unknown, [999; 4]), []);
    }
}
