//! What a recogniser heard against what was said, word by word: errors per word, times, confidences.
//!
//! Error rates count normalised units ("don't" is two, "twenty five" one); times and confidences belong to words as they
//! stand in the texts. A [`Comparison`] keeps both together.

use crate::accuracy::{Edit, ErrorCounts, align, align_near, units};
use crate::recording::Language;
use crate::transcript::Span;

/// A word of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenWord {
    pub text: String,
    /// `None` when its time is not known.
    pub span: Option<Span>,
}

/// A normalised unit and the word that it comes from.
struct Unit {
    word: usize,
    /// The word alone gives this unit too: its times are the unit's.
    own: bool,
}

/// Two texts, aligned.
pub struct Comparison {
    pub edits: Vec<Edit>,
    pub reference_units: Vec<String>,
    pub hypothesis_units: Vec<String>,
    reference_words: Vec<Unit>,
    hypothesis_words: Vec<Unit>,
}

/// How far the times of a word that was recognised are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeError {
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// Aligns two texts; where several alignments have the fewest errors, times decide.
pub fn compare(reference: &[SpokenWord], hypothesis: &[SpokenWord], language: Language) -> Comparison {
    let (reference_units, reference_words) = units_of(reference, language);
    let (hypothesis_units, hypothesis_words) = units_of(hypothesis, language);
    let middle = |word: &SpokenWord| word.span.map(|span| (span.begin_ms + span.end_ms) / 2);
    let distance = |r: usize, h: usize| {
        let (said, heard) = (&reference[reference_words[r].word], &hypothesis[hypothesis_words[h].word]);
        match (middle(said), middle(heard)) {
            (Some(a), Some(b)) => a.abs_diff(b).min(1 << 29) as u32,
            _ => 0,
        }
    };
    let edits = align_near(&reference_units, &hypothesis_units, distance);
    Comparison { edits, reference_units, hypothesis_units, reference_words, hypothesis_words }
}

/// Normalised units of a whole text, each with its word.
fn units_of(words: &[SpokenWord], language: Language) -> (Vec<String>, Vec<Unit>) {
    let glue = if language == Language::Zh { "" } else { " " };
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(glue);
    let whole = units(&text, language);
    let single: Vec<(String, usize)> = words
        .iter()
        .enumerate()
        .flat_map(|(index, word)| units(&word.text, language).into_iter().map(move |unit| (unit, index)))
        .collect();
    let own = |word: usize| Unit { word, own: true };
    if whole.len() == single.len() && whole.iter().zip(&single).all(|(a, (b, _))| a == b) {
        return (whole, single.into_iter().map(|(_, word)| own(word)).collect());
    }
    // Some units exist only in the whole ("twenty five" = 25): they belong to the word that stands in their place.
    let texts: Vec<String> = single.iter().map(|(unit, _)| unit.clone()).collect();
    let mut place = single.first().map_or(0, |(_, word)| *word);
    let mut out = Vec::with_capacity(whole.len());
    for edit in align(&texts, &whole) {
        match edit {
            Edit::Match { reference, .. } => {
                place = single[reference].1;
                out.push(own(place));
            }
            Edit::Substitution { reference, .. } => {
                place = single[reference].1;
                out.push(Unit { word: place, own: false });
            }
            Edit::Insertion { .. } => out.push(Unit { word: place, own: false }),
            Edit::Deletion { .. } => {}
        }
    }
    (whole, out)
}

impl Comparison {
    pub fn counts(&self) -> ErrorCounts {
        let mut sum = ErrorCounts::default();
        self.count_into(|_| 0, std::slice::from_mut(&mut sum));
        sum
    }

    /// Adds every unit and error to the group of its reference word; an insertion belongs to the word before it, else to the
    /// first. Insertions without any reference go to the first group.
    pub fn count_into(&self, group_of_word: impl Fn(usize) -> usize, sums: &mut [ErrorCounts]) {
        let mut group = self.reference_words.first().map_or(0, |unit| group_of_word(unit.word));
        for edit in &self.edits {
            if let Some(unit) = reference_of(edit) {
                group = group_of_word(self.reference_words[unit].word);
            }
            let Some(sum) = sums.get_mut(group) else { continue };
            match edit {
                Edit::Match { .. } => sum.reference_tokens += 1,
                Edit::Substitution { .. } => {
                    sum.reference_tokens += 1;
                    sum.substitutions += 1;
                }
                Edit::Deletion { .. } => {
                    sum.reference_tokens += 1;
                    sum.deletions += 1;
                }
                Edit::Insertion { .. } => sum.insertions += 1,
            }
        }
    }

    /// Per reference word: the word of the hypothesis that begins it and the one that ends it, when all of it was recognised.
    fn recognised(&self) -> Vec<(usize, usize, usize)> {
        let mut heard_as: Vec<Option<usize>> = vec![None; self.reference_words.len()];
        for edit in &self.edits {
            if let Edit::Match { reference, hypothesis } = edit {
                heard_as[*reference] = Some(*hypothesis);
            }
        }
        let mut out = Vec::new();
        let mut from = 0;
        for group in self.reference_words.chunk_by(|a, b| a.word == b.word) {
            let heard = &heard_as[from..from + group.len()];
            from += group.len();
            let own = |unit: &Option<usize>| unit.is_some_and(|h| self.hypothesis_words[h].own);
            if group.iter().all(|unit| unit.own)
                && heard.iter().all(own)
                && let (Some(Some(first)), Some(Some(last))) = (heard.first(), heard.last())
            {
                out.push((group[0].word, self.hypothesis_words[*first].word, self.hypothesis_words[*last].word));
            }
        }
        out
    }

    /// Of the words that were recognised and whose times both sides know.
    pub fn time_errors(&self, reference: &[SpokenWord], hypothesis: &[SpokenWord]) -> Vec<TimeError> {
        let error = |(word, first, last): (usize, usize, usize)| {
            let said = reference[word].span?;
            let (first, last) = (hypothesis[first].span?, hypothesis[last].span?);
            Some(TimeError {
                begin_ms: (first.begin_ms - said.begin_ms).abs(),
                end_ms: (last.end_ms - said.end_ms).abs(),
            })
        };
        self.recognised().into_iter().filter_map(error).collect()
    }

    /// Whether each word of the hypothesis is right in all its units; words that normalisation removes are left out.
    pub fn judged(&self) -> Vec<(usize, bool)> {
        let mut right = vec![false; self.hypothesis_words.len()];
        for edit in &self.edits {
            if let Edit::Match { hypothesis, .. } = edit {
                right[*hypothesis] = true;
            }
        }
        let mut out: Vec<(usize, bool)> = Vec::new();
        for (unit, right) in self.hypothesis_words.iter().zip(right) {
            match out.last_mut() {
                Some((word, all)) if *word == unit.word => *all &= right,
                _ => out.push((unit.word, right)),
            }
        }
        out
    }

    /// Reference words of which no unit was recognised.
    pub fn unheard(&self) -> Vec<usize> {
        let mut heard = std::collections::BTreeMap::<usize, bool>::new();
        for edit in &self.edits {
            if let Some(unit) = reference_of(edit) {
                let word = heard.entry(self.reference_words[unit].word).or_default();
                *word |= matches!(edit, Edit::Match { .. });
            }
        }
        heard.into_iter().filter(|(_, heard)| !heard).map(|(word, _)| word).collect()
    }
}

fn reference_of(edit: &Edit) -> Option<usize> {
    match edit {
        Edit::Match { reference, .. } | Edit::Substitution { reference, .. } | Edit::Deletion { reference } => {
            Some(*reference)
        }
        Edit::Insertion { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of 100 ms, one every 200 ms.
    fn words(text: &str, first_ms: i64) -> Vec<SpokenWord> {
        let word = |(index, text): (usize, &str)| {
            let begin_ms = first_ms + 200 * index as i64;
            SpokenWord { text: text.to_string(), span: Some(Span { begin_ms, end_ms: begin_ms + 100 }) }
        };
        text.split_whitespace().enumerate().map(word).collect()
    }

    #[test]
    fn times_of_recognised_words() {
        let (said, heard) = (words("Thank you for calling.", 0), words("thank you four calling", 30));
        let comparison = compare(&said, &heard, Language::En);
        let counts = comparison.counts();
        assert_eq!((counts.reference_tokens, counts.substitutions), (4, 1));
        let expected = TimeError { begin_ms: 30, end_ms: 30 };
        assert_eq!(comparison.time_errors(&said, &heard), [expected; 3]);
        assert_eq!(comparison.unheard(), [2]);
        assert_eq!(comparison.judged(), [(0, true), (1, true), (2, false), (3, true)]);
    }

    #[test]
    fn of_equal_words_the_one_at_the_right_time_is_taken() {
        let said = words("yes yes yes", 0);
        let heard = vec![said[2].clone()];
        let comparison = compare(&said, &heard, Language::En);
        assert_eq!(comparison.time_errors(&said, &heard), [TimeError { begin_ms: 0, end_ms: 0 }]);
        assert_eq!(comparison.unheard(), [0, 1]);
    }

    #[test]
    fn numbers_and_contractions_keep_their_words() {
        let said = words("I don't have twenty five dollars", 0);
        let heard = words("i do not have $25", 0);
        let comparison = compare(&said, &heard, Language::En);
        assert_eq!(comparison.reference_units, ["i", "do", "not", "have", "$25"]);
        assert_eq!(comparison.counts().errors(), 0);
        // "don't" was heard as two words; the price has no time of its own in the reference.
        let errors = comparison.time_errors(&said, &heard);
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert_eq!((errors[1].begin_ms, errors[1].end_ms), (0, 200));
        assert!(comparison.unheard().is_empty());
        assert!(comparison.judged().iter().all(|(_, right)| *right));
    }

    #[test]
    fn errors_belong_to_the_group_of_their_word() {
        let said = words("good morning thanks a lot", 0);
        let heard = words("um good good morning thanks lot", 0);
        let mut sums = [ErrorCounts::default(); 2];
        compare(&said, &heard, Language::En).count_into(|word| usize::from(word >= 2), &mut sums);
        assert_eq!((sums[0].reference_tokens, sums[0].insertions, sums[0].deletions), (2, 1, 0));
        assert_eq!((sums[1].reference_tokens, sums[1].insertions, sums[1].deletions), (3, 0, 1));
        // Nothing was said: everything heard is invented.
        let mut sums = [ErrorCounts::default(); 1];
        compare(&[], &heard, Language::En).count_into(|_| 0, &mut sums);
        assert_eq!((sums[0].reference_tokens, sums[0].insertions), (0, 5));
    }

    #[test]
    fn chinese_words_have_a_unit_per_character() {
        let span = |begin_ms, end_ms| Some(Span { begin_ms, end_ms });
        let said = vec![
            SpokenWord { text: "您好".into(), span: span(0, 400) },
            SpokenWord { text: "再见".into(), span: span(400, 800) },
        ];
        let heard: Vec<SpokenWord> = ["您", "好", "在", "见"]
            .iter()
            .enumerate()
            .map(|(i, text)| SpokenWord {
                text: text.to_string(),
                span: span(200 * i as i64 + 10, 200 * i as i64 + 210),
            })
            .collect();
        let comparison = compare(&said, &heard, Language::Zh);
        assert_eq!((comparison.counts().reference_tokens, comparison.counts().errors()), (4, 1));
        assert_eq!(comparison.time_errors(&said, &heard), [TimeError { begin_ms: 10, end_ms: 10 }]);
    }
}
