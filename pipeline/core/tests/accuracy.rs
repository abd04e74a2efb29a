//! Error rates against jiwer, the English normaliser against Whisper's own, Chinese by hand, and the noise simulator's rate.

use callmark_core::accuracy::{
    Edit, ErrorCounts, align, count_errors, error_counts, normalise_chinese, normalise_english,
    simulate_recogniser_noise, units,
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

const ENGLISH: &str = "Hello, thank you for calling Northwind Insurance, this call is recorded for quality. How can I help you \
    today? I would like to change the address on my policy because we have moved to a new house last month. Of course, let me \
    check your account first, could you tell me your date of birth please? It is the third of May. Thank you, one moment please \
    while I look that up. I see that your car policy ends in June and that you pay every month. The new price would be a little \
    lower in your area. Is there anything else that I can do for you? No, that is all, thanks for your help. You are welcome, \
    have a good day.";
const CHINESE: &str = "您好,这里是北风保险公司,本次通话将被录音。请问您现在用的是什么产品?我想了解一下你们的价格,上个月朋友介绍我来的。好的,\
    我先帮您查一下,请您稍等。您的保险六月到期,现在续费有优惠,每个月比原来少二十块钱。这个价格还是有点贵,我再考虑一下。我理解您的想法,\
    很多客户一开始也是这样说的,但是后来都觉得服务很好。那您明天下午三点再给我打电话吧。好的,谢谢您,再见。";

#[test]
fn noise_reaches_the_asked_rate_within_a_fifth() {
    for (language, text) in [(Language::En, ENGLISH.repeat(12)), (Language::Zh, CHINESE.repeat(12))] {
        for asked in [50, 150, 300] {
            let noisy = simulate_recogniser_noise(&text, language, asked, 42);
            let counts = error_counts(&text, &noisy, language);
            let rate = counts.rate_permille().unwrap();
            assert!(
                rate * 10 >= u64::from(asked) * 8 && rate * 10 <= u64::from(asked) * 12,
                "{language:?} {asked}: {counts:?}"
            );
            assert!(counts.substitutions > counts.deletions && counts.deletions > 0 && counts.insertions > 0);
        }
    }
}

#[test]
fn noise_is_seeded() {
    let noisy = |seed| simulate_recogniser_noise(ENGLISH, Language::En, 200, seed);
    assert_eq!(noisy(1), noisy(1));
    assert_ne!(noisy(1), noisy(2));
    assert_eq!(simulate_recogniser_noise(ENGLISH, Language::En, 0, 1), words(ENGLISH).join(" "));
    assert_eq!(simulate_recogniser_noise("", Language::Zh, 500, 1), "");
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
