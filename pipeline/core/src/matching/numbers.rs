//! Numbers as they are spoken.

use crate::recording::Language;

/// Writes a number as it is spoken. `number` has digits and points only.
pub(super) fn number_words(
    number: &str,
    language: Language,
    ordinal: bool,
    percent: bool,
    sign: Option<char>,
    year: bool,
) -> Vec<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // "192.168.1.1", a phone number, "007": digit by digit.
    let by_digit = fraction.contains('.')
        || whole.len() > if language == Language::En { 6 } else { 8 }
        || (whole.len() > 1 && whole.starts_with('0'));
    let digits = |text: &str| -> Vec<String> {
        text.chars()
            .filter_map(|c| c.to_digit(10))
            .map(|d| match language {
                Language::En => EN_SMALL[d as usize].to_string(),
                Language::Zh => ZH_DIGITS[d as usize].to_string(),
            })
            .collect()
    };
    if by_digit {
        return digits(number);
    }
    let value: u32 = whole.parse().unwrap_or(0);
    let mut words = Vec::new();
    match language {
        Language::En => {
            english_number(value, &mut words);
            if fraction.len() == 2 && !percent {
                let cents: u32 = fraction.parse().unwrap_or(0);
                if cents < 10 {
                    words.push(if cents == 0 { "hundred" } else { "oh" }.to_string());
                }
                if cents == 0 {
                    words.pop();
                } else {
                    english_number(cents, &mut words);
                }
            } else if !fraction.is_empty() {
                words.push("point".to_string());
                words.extend(digits(fraction));
            }
            if ordinal && let Some(last) = words.last_mut() {
                *last = english_ordinal(last);
            }
            if percent {
                words.push("percent".to_string());
            }
            match sign {
                Some('$') => words.push("dollars".to_string()),
                Some('£') => words.push("pounds".to_string()),
                Some('€') => words.push("euros".to_string()),
                Some(_) => words.push("yuan".to_string()),
                None => {}
            }
        }
        Language::Zh => {
            if percent {
                words.extend(["百", "分", "之"].map(str::to_string));
            }
            if year && whole.len() == 4 {
                return digits(whole);
            }
            if percent && value == 100 {
                words.push("百".to_string());
            } else {
                chinese_number(value, &mut words);
            }
            if !fraction.is_empty() {
                words.push("点".to_string());
                words.extend(digits(fraction));
            }
            if sign.is_some() {
                words.push("元".to_string());
            }
        }
    }
    words
}

/// English numbers below twenty.
pub const EN_SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// English tens; the first two are empty.
pub const EN_TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ZH_DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// English cardinal below a million; 1100…2099 are read in pairs ("nineteen ninety nine").
fn english_number(value: u32, words: &mut Vec<String>) {
    match value {
        0..=19 => words.push(EN_SMALL[value as usize].to_string()),
        20..=99 => {
            words.push(EN_TENS[(value / 10) as usize].to_string());
            if !value.is_multiple_of(10) {
                english_number(value % 10, words);
            }
        }
        100..=999 => {
            english_number(value / 100, words);
            words.push("hundred".to_string());
            if !value.is_multiple_of(100) {
                english_number(value % 100, words);
            }
        }
        1_100..=2_099 if value % 1_000 >= 10 => {
            english_number(value / 100, words);
            match value % 100 {
                0 => words.push("hundred".to_string()),
                rest @ 1..=9 => {
                    words.push("oh".to_string());
                    english_number(rest, words);
                }
                rest => english_number(rest, words),
            }
        }
        _ => {
            english_number(value / 1_000, words);
            words.push("thousand".to_string());
            if !value.is_multiple_of(1_000) {
                english_number(value % 1_000, words);
            }
        }
    }
}

fn english_ordinal(word: &str) -> String {
    match word {
        "one" => "first".to_string(),
        "two" => "second".to_string(),
        "three" => "third".to_string(),
        "five" => "fifth".to_string(),
        "eight" => "eighth".to_string(),
        "nine" => "ninth".to_string(),
        "twelve" => "twelfth".to_string(),
        other => match other.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{other}th"),
        },
    }
}

/// Chinese cardinal below 10⁸, one character a token.
fn chinese_number(value: u32, words: &mut Vec<String>) {
    if value >= 10_000 {
        chinese_number(value / 10_000, words);
        words.push("万".to_string());
        if value.is_multiple_of(10_000) {
            return;
        }
        if value % 10_000 < 1_000 {
            words.push("零".to_string());
        }
        return chinese_number(value % 10_000, words);
    }
    if value == 0 {
        return words.push("零".to_string());
    }
    let mut started = false;
    let mut gap = false;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / unit % 10;
        if digit == 0 {
            gap = started;
            continue;
        }
        if std::mem::take(&mut gap) {
            words.push("零".to_string());
        }
        // 10…19 are 十 … 十九, not 一十.
        if !(digit == 1 && unit == 10 && !started) {
            words.push(ZH_DIGITS[digit as usize].to_string());
        }
        if !name.is_empty() {
            words.push(name.to_string());
        }
        started = true;
    }
}
