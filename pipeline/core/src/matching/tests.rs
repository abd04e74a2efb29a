use proptest::prelude::*;

use super::finder::{align, similarity};
use super::lexeme::Lexeme;
use super::tokens::{SPELLINGS, tokenize};
use super::*;
use crate::recording::Language;
use crate::transcript::{Medium, Role, RoleMethod, Transcript, Turn, Word};

/// A spoken call: one word takes 500 ms, a turn follows the one before after 500 ms.
fn call(turns: Lines) -> Transcript {
    let mut at = 0;
    let mut made = Vec::new();
    for (role, text) in turns {
        let begin_ms = at;
        let words: Vec<Word> = text
            .split_whitespace()
            .map(|word| {
                at += 500;
                Word { text: word.to_string(), begin_ms: at - 500, end_ms: at, confidence_permille: 900 }
            })
            .collect();
        let text = text.to_string();
        made.push(Turn { role: *role, begin_ms, end_ms: at, text, words, confidence_permille: 900 });
        at += 500;
    }
    Transcript {
        medium: Medium::Speech,
        duration_ms: at,
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1_000,
        turns: made,
        ..Transcript::default()
    }
}

type Lines<'a> = &'a [(Role, &'a str)];

/// Similarity and quote of the best hit of a phrase anywhere in a call.
fn best(phrase: &str, turns: Lines) -> Option<(u16, String)> {
    let transcript = call(turns);
    let text = CallText::new(&transcript);
    let mut book = PhraseBook::default();
    let id = book.add(phrase, text.language()).unwrap();
    let finder = Finder::new(&book, &text);
    let hits = (0..turns.len()).flat_map(|t| finder.find(id, t, None));
    let best = hits.max_by_key(|h| h.similarity_permille)?;
    Some((best.similarity_permille, text.passage(best.span).quote))
}

#[test]
fn homophones_and_words_that_say_nothing_cost_little() {
    let of = |phrase, said| best(phrase, &[(Role::Customer, said)]).map(|(similarity, _)| similarity);
    // "two" for "too": 0.5 of 2.
    assert_eq!(of("too expensive", "that is two expensive for me"), Some(750));
    // "like" between: 0.3 of 2.
    assert_eq!(of("too expensive", "that is too like expensive for me"), Some(850));
    assert_eq!(of("too expensive", "that is too cheap expensive for me"), None, "another word between costs 1 of 2");
    assert_eq!(of("would like to cancel", "would to cancel"), None, "where it is meant it is a word like others");
}

fn words(text: &str, language: Language) -> String {
    tokenize(text, language).into_iter().map(|t| t.text).collect::<Vec<_>>().join(" ")
}

#[test]
fn normalises_words_and_numbers() {
    let cases = [
        ("It's 24% off, we'll CALL!", "it is twenty four percent off we will call"),
        ("don\u{2019}t wont cannot", "do not will not can not"),
        ("nine ninety nine $9.99", "nine ninety nine nine ninety nine dollars"),
        ("$9.00 £20", "nine dollars twenty pounds"),
        ("1,200 1999 2005 2024", "twelve hundred nineteen ninety nine two thousand five twenty twenty four"),
        ("the 3rd, 21st and 30th", "the third twenty first and thirtieth"),
        ("2.5% of 2.75%", "two point five percent of two point seven five percent"),
        ("555-0123 0800", "five hundred fifty five zero one two three zero eight zero zero"),
        ("follow-up, e\u{2011}mail", "follow up e mail"),
        ("the customer's plan, let's see", "the customers plan let us see"),
        ("１２ ＡＢＣ", "twelve abc"),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text, Language::En), expected, "{text}");
    }
    let chinese = [
        ("您好，本次通话", "你 好 本 次 通 话"),
        ("10%和100%", "百 分 之 十 和 百 分 之 百"),
        ("24小时、105元、12000", "二 十 四 小 时 一 百 零 五 元 一 万 二 千"),
        ("2024年3月", "二 零 二 四 年 三 月"),
        ("两个，幺三八", "二 个 一 三 八"),
    ];
    for (text, expected) in chinese {
        assert_eq!(words(text, Language::Zh), expected, "{text}");
    }
    assert!(SPELLINGS.windows(2).all(|pair| pair[0].0 < pair[1].0), "the table is searched by halves");
}

#[test]
fn finds_phrases_that_recognisers_bent() {
    use Role::{Customer, Rep};
    let hits: &[(&str, Lines, &str)] = &[
        ("this call is recorded", &[(Rep, "hello this call is recorded for quality")], "this call is recorded"),
        (
            "this call is recorded for quality",
            &[(Rep, "well this all is recorded for quality okay")],
            "this all is recorded for quality",
        ),
        ("this call is recorded", &[(Rep, "this call is being recording")], "this call is being recording"),
        ("guaranteed return", &[(Rep, "it has guarantee returns")], "guarantee returns"),
        ("nine ninety nine a month", &[(Rep, "that is $9.99 a month")], "$9.99 a month"),
        ("twenty four hours", &[(Rep, "within 24 hours, sir")], "24 hours"),
        ("we will call you back", &[(Rep, "so we'll call you back")], "we'll call you back"),
        (
            "calls are recorded for quality",
            &[(Rep, "calls are"), (Rep, "recorded for quality sir")],
            "calls are recorded for quality",
        ),
        (
            "calls are recorded for quality",
            &[(Rep, "all calls are recorded"), (Customer, "mhm"), (Rep, "for quality")],
            "calls are recorded for quality",
        ),
        ("本次通话将被录音", &[(Rep, "您好,本次通话将被路音")], "本次通话将被路音"),
        ("本次通话将被录音", &[(Rep, "您好，本次的通话会被录音。")], "本次的通话会被录音"),
        ("百分之百保本", &[(Rep, "这个产品100%保本的")], "100%保本"),
    ];
    for (phrase, turns, quote) in hits {
        let found = best(phrase, turns);
        assert_eq!(found.as_ref().map(|f| f.1.as_str()), Some(*quote), "{phrase}: {found:?}");
    }
}

#[test]
fn keeps_false_friends_apart() {
    use Role::{Customer, Rep};
    let misses: &[(&str, Lines)] = &[
        ("this call is recorded", &[(Rep, "this call is important to us")]),
        ("this call is recorded", &[(Rep, "this call is not recorded")]),
        ("this call may be monitored or recorded", &[(Rep, "this call may not be monitored or recorded")]),
        ("do not read your card number aloud", &[(Rep, "please read your card number aloud")]),
        ("i understand", &[(Rep, "do you understand me")]),
        ("thank you", &[(Rep, "did you see it")]),
        ("calm down", &[(Rep, "call us")]),
        ("no risk at all", &[(Rep, "there is a risk at all times")]),
        ("the price is fifteen dollars", &[(Rep, "the time is fifty minutes")]),
        (
            "calls are recorded for quality",
            &[(Rep, "calls are"), (Customer, "i have a question about that"), (Rep, "recorded for quality")],
        ),
        ("本次通话将被录音", &[(Rep, "本次通话非常重要")]),
        ("零风险", &[(Rep, "投资有风险")]),
        ("太贵了", &[(Customer, "太好了")]),
        ("last four", &[(Rep, "the plan will last for twelve months")]),
        ("within an hour", &[(Rep, "you find it within our app")]),
        ("in two payments", &[(Rep, "what comes in to payments")]),
    ];
    for (phrase, turns) in misses {
        assert_eq!(best(phrase, turns), None, "{phrase}");
    }
}

/// Ways of saying one thing are the same words.
#[test]
fn writes_equal_things_equally() {
    let equal: &[&[&str]] = &[
        &["9.99", "nine ninety nine"],
        &["$9.99", "nine dollars and ninety nine cents", "nine dollars ninety nine", "9 dollars and 99 cents"],
        &["a hundred percent", "one hundred per cent", "100%"],
        &["105 calls", "a hundred and five calls", "one hundred five calls"],
        &["1,200", "twelve hundred", "one thousand two hundred"],
        &["2024", "twenty twenty four", "two thousand and twenty four"],
        &["1,000,000", "a million", "one million"],
        &["3:00", "three o'clock", "3 o'clock", "three o clock"],
        &["at 3:30 p.m.", "at three thirty pm"],
        &["8 a.m.", "eight am"],
        &["March 3", "march third", "March 3rd", "third of March", "3rd of March"],
        &["twenty first of June", "June 21st", "june twenty first"],
        &["e-mail", "email", "e mail"],
        &["check-up", "checkup", "check up"],
        &["we'll call back", "we will callback"],
        &["my name's Ann", "my name is Ann"],
        &["cancelled at the centre", "canceled at the center"],
        &["your cheque", "your check"],
    ];
    for group in equal {
        for text in &group[1..] {
            assert_eq!(words(text, Language::En), words(group[0], Language::En), "{text}");
        }
    }
    let different = [
        ("$500 20 days", "520 days"),
        ("nine dollars and ninety nine calls", "$9.99 calls"),
        ("five dollars twenty times", "$5.20 times"),
        ("a call", "one call"),
        ("one thousand five thousand", "six thousand"),
    ];
    for (a, b) in different {
        assert_ne!(words(a, Language::En), words(b, Language::En), "{a}");
    }
    let chinese: &[&[&str]] =
        &[&["9块钱", "九元", "九块"], &["3月5号", "三月五日"], &["3点钟", "三点"], &["百分百", "100%", "百分之百"]];
    for group in chinese {
        for text in &group[1..] {
            assert_eq!(words(text, Language::Zh), words(group[0], Language::Zh), "{text}");
        }
    }
    assert!(!words("ninety nine hundred million", Language::En).is_empty(), "no overflow");
}

#[test]
fn says_how_a_phrase_was_found() {
    let how = |phrase: &str, said: &str| {
        let transcript = call(&[(Role::Rep, said)]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        let id = book.add(phrase, text.language()).unwrap();
        Finder::new(&book, &text).find(id, 0, None).first().map(|hit| hit.how)
    };
    assert_eq!(how("投资有风险", "您知道投资有风险的"), Some(How::Exact));
    assert_eq!(how("投资有风险", "您知道头资有风显的"), Some(How::BySound));
    assert_eq!(how("投资有风险", "您知道投资是有风险的"), Some(How::Tolerant));
    assert_eq!(how("投资有风险", "您知道投资有风度"), Some(How::Tolerant));
    assert_eq!(how("零风险", "灵风险的"), Some(How::BySound));
    assert_eq!(how("零风险", "宁风险的"), Some(How::BySound), "near");
    assert_eq!(how("零风险", "无风险的"), None, "a negation is never taken for something else");
    assert_eq!(how("保证不会亏", "保证部会亏"), Some(How::BySound), "but it may have been misheard");
    assert_eq!(how("你好", "泥号"), None, "two characters that are both wrong prove nothing");
    assert_eq!(how("滚", "棍"), None, "nor one");
    assert_eq!(how("nine ninety nine a month", "that is 9.99 a month"), Some(How::Exact));
    assert_eq!(how("this call is recorded", "this call is recording"), Some(How::Tolerant));
}

/// What is remembered of other calls changes nothing, and copies of a book are books of their own.
#[test]
fn remembered_neighbours_change_nothing() {
    let transcript = call(&[(Role::Rep, "this call will be recorder for quality"), (Role::Rep, "it is recorded")]);
    let text = CallText::new(&transcript);
    let mut book = PhraseBook::default();
    let first = book.add("call will be recorded", Language::En).unwrap();
    let once = Finder::new(&book, &text).find(first, 0, None);
    assert_eq!(once, Finder::new(&book, &text).find(first, 0, None));
    let mut other = book.clone();
    let second = other.add("recorded for quality", Language::En).unwrap();
    assert_eq!(Finder::new(&other, &text).find(second, 0, None).len(), 1);
    assert_eq!(once, Finder::new(&book, &text).find(first, 0, None));
}

#[test]
fn must_words_and_vetoes_decide() {
    let transcript = call(&[
        (Role::Rep, "this call will be recorder for quality"),
        (Role::Rep, "i do not guarantee any return on it"),
        (Role::Rep, "of course i would never"),
        (Role::Rep, "guarantee any return"),
    ]);
    let text = CallText::new(&transcript);
    let mut book = PhraseBook::default();
    let recorded = book.add("this call will be recorded for quality", Language::En).unwrap();
    let guarantee = book.add("guarantee any return", Language::En).unwrap();
    let not = [book.add("not guarantee", Language::En).unwrap(), book.add("never", Language::En).unwrap()];
    let finder = Finder::new(&book, &text);
    let must = |word| [MustWord::new(word, Language::En).unwrap()];
    let hit = finder.find(recorded, 0, None)[0];
    assert!(text.has_one_of(hit.span, &must("recorded")));
    assert!(!text.has_one_of(hit.span, &must("monitored")));
    let (second, last) = (finder.find(guarantee, 1, None)[0], finder.find(guarantee, 3, None)[0]);
    assert!(finder.vetoed(&second, &not[..1]));
    assert!(!finder.vetoed(&second, &not[1..]));
    assert!(finder.vetoed(&last, &not[1..]), "the word before stands at the end of the turn before");
    assert!(!finder.vetoed(&last, &not[..1]));
    let chinese = |must: &str, said: &str| {
        let lexemes: Vec<Lexeme> = tokenize(said, Language::Zh).iter().map(|t| Lexeme::new(&t.text)).collect();
        MustWord::new(must, Language::Zh).unwrap().is_in(&lexemes.iter().collect::<Vec<_>>())
    };
    assert!(chinese("录音", "将被路音"), "a homophone of one character");
    assert!(!chinese("录音", "非常重要"));
    assert!(!chinese("录音", "录像"), "one of two is not enough when the other sounds otherwise");
    assert!(chinese("贵", "太归了"));
    assert!(!chinese("贵", "太好了"));
}

#[test]
fn cites_words_with_their_times_and_confidence() {
    let transcript = call(&[(Role::Rep, "Hello, this call is recorded. Okay?")]);
    let text = CallText::new(&transcript);
    let mut book = PhraseBook::default();
    let id = book.add("call is recorded", Language::En).unwrap();
    let hit = Finder::new(&book, &text).find(id, 0, None)[0];
    let passage = text.passage(hit.span);
    assert_eq!((passage.begin_ms, passage.end_ms), (1_000, 2_500));
    assert_eq!((passage.quote.as_str(), passage.confidence_permille), ("call is recorded", 900));
}

#[test]
fn pattern_text_keeps_offsets() {
    let cases = [
        ("It’s  $1,200.50 — OK?", "it's $1200.50 ok"),
        ("本次 通话，将被录音。ＯＫ", "本次通话将被录音ok"),
        ("我们 recorded，好", "我们recorded好"),
    ];
    for (text, expected) in cases {
        let (normal, source) = pattern_text(text);
        assert_eq!(normal, expected);
        assert_eq!(source.len(), normal.len() + 1);
        assert!(source.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(source.iter().all(|offset| text.is_char_boundary(*offset)));
    }
}

/// The least cost of aligning the whole phrase with the whole window, by the textbook recursion.
fn edit(phrase: &[u8], window: &[u8]) -> u32 {
    let weight = |w: &u8| 100 + u32::from(*w % 3) * 400;
    match (phrase, window) {
        ([], rest) | (rest, []) => rest.iter().map(weight).sum(),
        ([p, phrase_rest @ ..], [w, window_rest @ ..]) => {
            let replace = if p == w { 0 } else { weight(p).max(weight(w)) };
            (edit(phrase_rest, window_rest) + replace)
                .min(edit(phrase_rest, window) + weight(p))
                .min(edit(phrase, window_rest) + weight(w))
        }
    }
}

proptest! {
    /// Sellers' row agrees with trying every window, and its begin is one that has that cost.
    #[test]
    fn alignment_equals_brute_force(
        phrase in proptest::collection::vec(0u8..4, 1..5),
        text in proptest::collection::vec(0u8..4, 0..6),
    ) {
        let weight = |w: u8| 100 + u32::from(w % 3) * 400;
        let row = align(
            phrase.len(),
            text.len(),
            |i| weight(phrase[i]),
            |j| weight(text[j]),
            |i, j| if phrase[i] == text[j] { 0 } else { weight(phrase[i]).max(weight(text[j])) },
        );
        for (end, (cost, begin)) in row.iter().enumerate() {
            let least = (0..=end).map(|b| edit(&phrase, &text[b..end])).min().unwrap();
            prop_assert_eq!(*cost, least);
            prop_assert_eq!(edit(&phrase, &text[*begin..end]), *cost);
        }
    }

    /// Skipping what cannot match loses no hit: thresholds below the bound's floor look at everything.
    #[test]
    fn bounds_hide_no_hit(
        phrase in "([ab录路陆音因 ]| too | right | like ){1,8}",
        said in "([ab录路陆音因 ]| two | write | like | okay ){0,16}",
        threshold in 500u16..1_000,
    ) {
        let transcript = call(&[(Role::Rep, &said), (Role::Rep, &said)]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        if let Some(id) = book.add(&phrase, text.language()) {
            let finder = Finder::new(&book, &text);
            let mut all = finder.find(id, 0, Some(499));
            all.retain(|hit| hit.similarity_permille >= threshold);
            let found = finder.find(id, 0, Some(threshold));
            prop_assert_eq!(all.first().map(|h| h.similarity_permille), found.first().map(|h| h.similarity_permille));
        }
    }

    /// Whether a phrase is among those that will be asked for or not: it is found just the same.
    #[test]
    fn a_few_phrases_are_found_as_among_all(
        phrases in proptest::collection::vec("[ab录路陆音因 ]{1,8}", 1..6),
        said in "[ab录路陆音因 ]{0,16}",
        threshold in proptest::option::of(450u16..1_000),
    ) {
        let transcript = call(&[(Role::Rep, &said), (Role::Rep, &said)]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        let ids: Vec<PhraseId> = phrases.iter().filter_map(|phrase| book.add(phrase, text.language())).collect();
        let (all, few) = (Finder::new(&book, &text), Finder::few(&book, &text, ids.iter().copied().step_by(2)));
        for id in ids {
            for turn in [0, 1] {
                prop_assert_eq!(all.find(id, turn, threshold), few.find(id, turn, threshold));
            }
        }
    }

    /// A phrase inside words that are unlike it is found where it stands.
    #[test]
    fn exact_phrase_in_noise_is_found(before in 0usize..12, after in 0usize..12, seed in 0usize..1000) {
        let noise = ["banana", "window", "garden", "seven", "uncle", "purple", "hammer"];
        let word = |i: usize| noise[(seed + i * 5) % noise.len()];
        let phrase = "your credit agreement is cancelled today";
        let mut said: Vec<&str> = (0..before).map(word).collect();
        said.push(phrase);
        said.extend((0..after).map(word));
        let said = said.join(" ");
        let found = best(phrase, &[(Role::Rep, &said)]);
        prop_assert_eq!(found, Some((1_000, phrase.to_string())));
    }

    /// One content word in five may be any other word.
    #[test]
    fn one_word_in_five_may_be_wrong(wrong in 0usize..10, noise in "[a-z]{5,9}") {
        let phrase = "customer agreement cancelled yesterday evening account number belongs another branch";
        let mut words: Vec<&str> = phrase.split(' ').collect();
        words[wrong] = &noise;
        words[(wrong + 5) % 10] = &noise;
        let said = words.join(" ");
        prop_assert!(best(phrase, &[(Role::Rep, &said)]).is_some(), "{}", said);
    }

    /// Any two texts, in any script, give a similarity within bounds and no panic.
    #[test]
    fn similarity_is_a_share(phrase in "\\PC{1,20}", said in "\\PC{0,40}", cost in 0u32..100_000, weight in 0u32..100_000) {
        prop_assert!(similarity(cost, weight) <= 1_000);
        prop_assert!(character_similarity_permille(&phrase, &said) <= 1_000);
        let transcript = call(&[(Role::Rep, &said)]);
        let text = CallText::new(&transcript);
        let mut book = PhraseBook::default();
        if let Some(id) = book.add(&phrase, text.language()) {
            for hit in Finder::new(&book, &text).find(id, 0, None) {
                prop_assert!(hit.similarity_permille <= 1_000);
                prop_assert!(said.contains(&text.passage(hit.span).quote));
            }
        }
        let (normal, source) = pattern_text(&said);
        prop_assert_eq!(source.len(), normal.len() + 1);
    }
}
