//! The sentiment of a turn with regard to what the same party says around it: a turn alone is weak evidence, a mood lasts for several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::transcript::{Role, Sentiment, Turn};

/// How much a party's other turns count: `[sentiment]` of a text model's manifest, and kept with what the model read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentimentContext {
    /// What the nearest turn counts beside the turn itself.
    #[serde(rename = "neighbour_weight_permille")]
    pub weight_permille: u16,
    /// How much of that is left with each turn further away, whoever speaks it.
    #[serde(rename = "neighbour_decay_permille")]
    pub decay_permille: u16,
}

/// Logarithms of the three probabilities less their mean.
type Evidence = [f64; 3];

impl SentimentContext {
    /// What cannot be right in it.
    pub fn mistake(self) -> Option<&'static str> {
        if self.weight_permille > 1000 {
            Some("`sentiment.neighbour_weight_permille` must be at most 1000")
        } else if self.decay_permille >= 1000 {
            Some("`sentiment.neighbour_decay_permille` must be less than 1000")
        } else {
            None
        }
    }

    /// All of it in one line: part of what the sentiment depends on.
    pub fn told(self) -> String {
        format!("sentiment of neighbours: weight {}, decay {}", self.weight_permille, self.decay_permille)
    }

    /// The sentiment of each turn in its call, from that of each turn alone. A turn without a reading, without words or
    /// by nobody known stays as it is, and tells nothing of others.
    pub fn in_context(self, turns: &[Turn], alone: &[Option<Sentiment>]) -> Vec<Option<Sentiment>> {
        // Turns by nobody known may be several people's.
        let tells = |role: Role, sentiment: &Sentiment| role != Role::Unknown && *sentiment != Sentiment::NO_WORDS;
        let told = |(turn, sentiment): (&Turn, &Option<Sentiment>)| {
            (turn.role, sentiment.filter(|sentiment| tells(turn.role, sentiment)).map(evidence))
        };
        let own: Vec<(Role, Option<Evidence>)> = turns.iter().zip(alone).map(told).collect();
        let mut lent = vec![Evidence::default(); own.len()];
        self.lend(own.iter().zip(&mut lent));
        self.lend(own.iter().zip(&mut lent).rev());
        let weight = f64::from(self.weight_permille) / 1000.0;
        let both = |own: Evidence, lent: Evidence| sentiment([0, 1, 2].map(|class| own[class] + weight * lent[class]));
        let each = own.into_iter().zip(lent).zip(alone);
        each.map(|(((_, own), lent), alone)| own.map_or(*alone, |own| Some(both(own, lent)))).collect()
    }

    /// Adds to each turn what the same role's turns before it, in the order given, say.
    fn lend<'a>(self, turns: impl Iterator<Item = (&'a (Role, Option<Evidence>), &'a mut Evidence)>) {
        let decay = f64::from(self.decay_permille) / 1000.0;
        // What a role's turns so far lend to the present one.
        let mut so_far: BTreeMap<Role, Evidence> = BTreeMap::new();
        for ((role, own), lent) in turns {
            add(lent, so_far.get(role).copied().unwrap_or_default());
            so_far.values_mut().flatten().for_each(|value| *value *= decay);
            add(so_far.entry(*role).or_default(), own.unwrap_or_default());
        }
    }
}

fn add(sum: &mut Evidence, more: Evidence) {
    sum.iter_mut().zip(more).for_each(|(value, more)| *value += more);
}

fn evidence(sentiment: Sentiment) -> Evidence {
    let Sentiment { negative_permille, neutral_permille, positive_permille } = sentiment;
    // At least 1: what was rounded to nothing is not impossible.
    let logs = [negative_permille, neutral_permille, positive_permille]
        .map(|permille| libm::log(f64::from(permille.max(1)) / 1000.0));
    let mean = logs.iter().sum::<f64>() / 3.0;
    logs.map(|log| log - mean)
}

fn sentiment(evidence: Evidence) -> Sentiment {
    let highest = evidence.into_iter().fold(f64::MIN, f64::max);
    let weights = evidence.map(|value| libm::exp(value - highest));
    let total: f64 = weights.iter().sum();
    Sentiment::rounded(weights.map(|weight| weight / total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Customer, Rep};

    type Reading = Option<[u16; 3]>;

    /// With A, B and C the logarithms less their mean are −1, 2, −1; 2, −1, −1 and −1, −1, 2 times ln 2.
    const A: Reading = Some([100, 800, 100]);
    const B: Reading = Some([800, 100, 100]);
    const C: Reading = Some([100, 100, 800]);
    const NO_WORDS: Reading = Some([0, 1000, 0]);

    fn read(weight_permille: u16, decay_permille: u16, call: &[(Role, Reading)]) -> Vec<Reading> {
        let turn = |role| Turn {
            role,
            begin_ms: 0,
            end_ms: 0,
            text: String::new(),
            words: Vec::new(),
            confidence_permille: 1000,
        };
        let turns: Vec<Turn> = call.iter().map(|(role, _)| turn(*role)).collect();
        let of = |[negative_permille, neutral_permille, positive_permille]: [u16; 3]| Sentiment {
            negative_permille,
            neutral_permille,
            positive_permille,
        };
        let alone: Vec<Option<Sentiment>> = call.iter().map(|(_, reading)| reading.map(of)).collect();
        let context = SentimentContext { weight_permille, decay_permille };
        let back = |s: Sentiment| [s.negative_permille, s.neutral_permille, s.positive_permille];
        context.in_context(&turns, &alone).into_iter().map(|sentiment| sentiment.map(back)).collect()
    }

    /// A half of B is added to A: 0, 1.5 and −1.5 times ln 2, that is weights of 1, 2.8284 and 0.3536, of 4.1820.
    #[test]
    fn a_neighbour_counts_by_its_weight() {
        assert_eq!(read(500, 0, &[(Rep, A), (Rep, B)]), [Some([239, 676, 85]), Some([676, 239, 85])]);
        assert_eq!(read(0, 0, &[(Rep, A), (Rep, B)]), [A, B]);
    }

    /// A has B at distance 1 and C at 2: with a weight of 1 and a decay of a half that is −1 + 2 − ½, 2 − 1 − ½ and −1 − 1 + 1 times ln 2:
    /// weights of 1.4142, 1.4142 and 0.5, of 3.3284.
    #[test]
    fn what_is_further_away_counts_less() {
        let [a, _, c] = read(1000, 500, &[(Rep, A), (Rep, B), (Rep, C)])[..] else { panic!("three turns") };
        assert_eq!(a, Some([425, 425, 150]));
        // C: −1 + 2 − ½, −1 − 1 + 1 and 2 − 1 − ½, likewise.
        assert_eq!(c, Some([425, 150, 425]));
        // Three turns away, an eighth: −1 + ¼, 2 − ⅛, −1 − ⅛, that is 0.5946, 3.6680 and 0.4585, of 4.7211.
        let far = read(500, 500, &[(Rep, A), (Customer, C), (Customer, A), (Rep, B)]);
        assert_eq!((far[0], far[3]), (Some([126, 777, 97]), Some([777, 126, 97])));
    }

    #[test]
    fn parties_count_for_themselves_and_the_other_party_for_distance_alone() {
        let between = read(1000, 500, &[(Rep, A), (Customer, C), (Rep, B)]);
        assert_eq!(between, [Some([239, 676, 85]), C, Some([676, 239, 85])], "two turns away, a half");
        let other = read(1000, 500, &[(Rep, A), (Customer, B), (Rep, B)]);
        assert_eq!((other[0], other[2]), (between[0], between[2]));
        let swapped = read(1000, 500, &[(Customer, A), (Rep, C), (Customer, B)]);
        assert_eq!(swapped, between, "whoever is the rep");
        let one = read(900, 700, &[(Rep, A), (Customer, C), (Customer, B), (Rep, B)]);
        let two = read(900, 700, &[(Rep, A), (Customer, B), (Customer, C), (Rep, B)]);
        assert_eq!((one[0], one[3]), (two[0], two[3]), "in whatever order the other party speaks");
    }

    #[test]
    fn what_comes_before_counts_as_what_comes_after() {
        let call = [(Rep, A), (Customer, B), (Rep, C), (Rep, B), (Customer, None), (Rep, A), (Customer, C)];
        let back: Vec<_> = call.iter().rev().copied().collect();
        let mut read_back = read(230, 800, &back);
        read_back.reverse();
        assert_eq!(read_back, read(230, 800, &call));
    }

    #[test]
    fn a_turn_that_says_nothing_stays_as_it_is_and_lends_nothing() {
        for silent in [None, NO_WORDS] {
            let read = read(1000, 500, &[(Rep, A), (Rep, silent), (Rep, B)]);
            assert_eq!(read, [Some([239, 676, 85]), silent, Some([676, 239, 85])]);
        }
        let unknown = [(Role::Unknown, A), (Role::Unknown, B)];
        assert_eq!(read(1000, 500, &unknown), [A, B], "they may be two people");
        assert_eq!(read(1000, 500, &[]), []);
    }

    /// In one pass each way: a call of this length would take minutes if every turn were asked about every other.
    #[test]
    fn a_call_of_any_length_is_read_at_once_and_sums_to_1000() {
        let all = [A, Some([0, 1, 999]), None, Some([1000, 0, 0]), C, B, NO_WORDS];
        let call: Vec<_> = (0..300_000).map(|n| (if n % 3 == 0 { Rep } else { Customer }, all[n * n % 7])).collect();
        for (weight, decay) in [(1000, 999), (230, 800), (1, 0)] {
            let read = read(weight, decay, &call);
            assert!(read.iter().flatten().all(|reading| reading.iter().sum::<u16>() == 1000));
            assert_eq!(read.len(), call.len());
        }
    }

    #[test]
    fn what_cannot_be_right_is_told() {
        let mistake = |weight_permille, decay_permille| SentimentContext { weight_permille, decay_permille }.mistake();
        assert_eq!((mistake(1000, 999), mistake(0, 0)), (None, None));
        assert!(mistake(1001, 0).unwrap().contains("neighbour_weight_permille"));
        assert!(mistake(0, 1000).unwrap().contains("neighbour_decay_permille"));
    }
}
