//! Error rates against jiwer, the English normaliser against Whisper's own, Chinese by hand.

use callmark_core::accuracy::{
    Edit, ErrorCounts, align, count_errors, error_counts, normalise_chinese, normalise_english, units,
};
use callmark_core::recording::Language;
use proptest::prelude::*;
use serde_json::Value;

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../tests/oracles/accuracy.json")).unwrap()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_string).collect()
}

#[test]
fn english_is_normalised_as_whisper_does() {
    let mut wrong = Vec::new();
    for case in oracle()["normalise_english"].as_array().unwrap() {
        let (text, expected) = (case["text"].as_str().unwrap(), case["expected"].as_str().unwrap());
        let got = normalise_english(text);
        // The original can leave a blank at an end; words are what is compared.
        if words(&got) != words(expected) {
            wrong.push(format!("{text}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn errors_are_those_of_jiwer() {
    for case in oracle()["errors"].as_array().unwrap() {
        let (reference, hypothesis) = (case["reference"].as_str().unwrap(), case["hypothesis"].as_str().unwrap());
        let split = |text: &str| -> Vec<String> {
            if reference.is_ascii() { words(text) } else { text.chars().map(|c| c.to_string()).collect() }
        };
        let counts = count_errors(&split(reference), &split(hypothesis));
        assert_eq!(counts.errors(), case["errors"].as_u64().unwrap(), "{reference} | {hypothesis}");
        let difference = counts.deletions as i64 - counts.insertions as i64;
        assert_eq!(difference, case["deletions_less_insertions"].as_i64().unwrap());
    }
}

#[test]
fn chinese_loses_width_marks_and_the_writing_of_numbers() {
    for (a, b) in [
        ("您好,本次通话将被录音。", "您好本次通话将被录音"),
        ("\u{FF21}\u{FF22}\u{FF23}\u{FF11}\u{FF12}", "abc12"),
        ("每月三百二十元", "每月320元"),
        ("一万零五", "10005"),
        ("两百五", "250"),
        ("三万五", "35000"),
        ("十五", "15"),
        ("二十", "20"),
        ("一千零二十", "1020"),
        ("一亿两千万", "120000000"),
        ("一三八零零", "13800"),
        ("百分之五", "5%"),
        ("三点五", "3.5"),
    ] {
        assert_eq!(normalise_chinese(a), normalise_chinese(b), "{a}");
    }
    assert_eq!(normalise_chinese("每月三百二十元"), "每月320元");
    assert_ne!(normalise_chinese("三百"), normalise_chinese("四百"));
    assert_eq!(units("您好!", Language::Zh), ["您", "好"]);
}

#[test]
fn rates_are_of_the_corpus_and_not_of_the_mean_text() {
    let mut corpus = error_counts("yes", "no", Language::En); // 1 of 1
    corpus.add(&error_counts(
        "this call is recorded for quality and for training",
        "this call is recorded for quality and for training",
        Language::En,
    ));
    assert_eq!(corpus, ErrorCounts { reference_tokens: 10, substitutions: 1, deletions: 0, insertions: 0 });
    assert_eq!((corpus.rate_permille(), corpus.rate()), (Some(100), Some(0.1)));
    assert_eq!(error_counts("", "noise", Language::En).rate_permille(), None);
    assert_eq!(error_counts("您好", "你好", Language::Zh).rate_permille(), Some(500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn alignments_spend_each_unit_once(reference in prop::collection::vec(0..4u8, 0..30), hypothesis in prop::collection::vec(0..4u8, 0..30)) {
        let text = |units: &[u8]| -> Vec<String> { units.iter().map(|u| u.to_string()).collect() };
        let (r, h) = (text(&reference), text(&hypothesis));
        let (mut i, mut j, mut cost) = (0, 0, 0);
        for edit in align(&r, &h) {
            match edit {
                Edit::Match { reference, hypothesis } => {
                    prop_assert_eq!((reference, hypothesis), (i, j));
                    prop_assert_eq!(&r[i], &h[j]);
                    (i, j) = (i + 1, j + 1);
                }
                Edit::Substitution { reference, hypothesis } => {
                    prop_assert_eq!((reference, hypothesis), (i, j));
                    (i, j, cost) = (i + 1, j + 1, cost + 1);
                }
                Edit::Deletion { reference } => {
                    prop_assert_eq!(reference, i);
                    (i, cost) = (i + 1, cost + 1);
                }
                Edit::Insertion { hypothesis } => {
                    prop_assert_eq!(hypothesis, j);
                    (j, cost) = (j + 1, cost + 1);
                }
            }
        }
        prop_assert_eq!((i, j), (r.len(), h.len()));
        let as_text = |units: &[u8]| units.iter().map(|u| char::from(b'a' + u)).collect::<String>();
        prop_assert_eq!(cost, strsim::levenshtein(&as_text(&reference), &as_text(&hypothesis)));
    }

    /// Hostile text neither panics nor grows without bounds.
    #[test]
    fn normalisers_take_any_text(text in "(\\PC|one|hundred|double|point|and|[0-9]|[.$%]|[十百千万亿零点二]| ){0,60}") {
        prop_assert!(normalise_english(&text).len() <= 20 * text.len() + 20);
        normalise_chinese(&text);
    }
}
