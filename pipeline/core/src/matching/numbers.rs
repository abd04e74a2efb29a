//! Numbers as they are spoken, each in one form: "9.99", "nine ninety nine" and "nine dollars and ninety nine cents" differ in no more than
//! the word for the money.

use super::tokens::RawToken;
use crate::recording::Language;

/// Groups of digits between commas are read as one number below this length.
const MOST_DIGITS: usize = 9;

/// Writes a number as it is spoken. `number` has digits and points only.
pub(super) fn number_words(
    number: &str,
    language: Language,
    grouped: bool,
    ordinal: bool,
    percent: bool,
    sign: Option<char>,
    year: bool,
) -> Vec<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // "192.168.1.1", a phone number, "007": digit by digit.
    let by_digit = fraction.contains('.')
        || whole.len()
            > if grouped {
                MOST_DIGITS
            } else if language == Language::En {
                6
            } else {
                8
            }
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

/// English cardinal below 10⁹; 1100…2099 are read in pairs ("nineteen ninety nine").
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
            let (scale, name) = if value < 1_000_000 { (1_000, "thousand") } else { (1_000_000, "million") };
            english_number(value / scale, words);
            words.push(name.to_string());
            if !value.is_multiple_of(scale) {
                english_number(value % scale, words);
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

/// A time of day: "3:30" → three thirty, "3:00" → three oclock.
pub(super) fn clock_words(hours: &str, minutes: &str) -> Vec<String> {
    let mut words = Vec::new();
    english_number(hours.parse().unwrap_or(0), &mut words);
    match minutes.parse().unwrap_or(0) {
        0 => words.push("oclock".to_string()),
        minutes => {
            if minutes < 10 {
                words.push("oh".to_string());
            }
            english_number(minutes, &mut words);
        }
    }
    words
}

const CURRENCIES: &[&str] = &["dollar", "dollars", "pound", "pounds", "euro", "euros", "yuan"];
/// Months whose names are nothing else.
const MONTHS: &[&str] = &[
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "march",
];

/// Writes equal numbers, amounts, times and dates equally: "a hundred and five" → one hundred five; "nine dollars and ninety nine cents" →
/// nine ninety nine dollars; "march 3", "the 3rd of march" → march third; "p.m." → pm.
pub(super) fn in_one_form(mut tokens: Vec<RawToken>) -> Vec<RawToken> {
    let mut out: Vec<RawToken> = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let word = |k: usize| tokens.get(i + k).map_or("", |t| t.text.as_str());
        let before = out.last().map_or("", |t| t.text.as_str());
        let mut words: Vec<String> = Vec::new();
        let mut length = 0;
        if word(1) == "of" && MONTHS.contains(&word(2)) && is_ordinal(word(0)) {
            words = vec![word(2).to_string(), word(0).to_string()];
            length = 3;
        } else if word(2) == "of"
            && MONTHS.contains(&word(3))
            && EN_TENS[2..4].contains(&word(0))
            && is_ordinal(word(1))
        {
            words = vec![word(3).to_string(), word(0).to_string(), word(1).to_string()];
            length = 4;
        } else if let Some((value, taken)) = number_at(&tokens[i..]) {
            english_number(value, &mut words);
            length = taken;
            let ordinal_follows = is_ordinal(word(taken));
            if MONTHS.contains(&before) && (1..=31).contains(&value) && !ordinal_follows {
                if let Some(last) = words.last_mut() {
                    *last = english_ordinal(last);
                }
            } else if CURRENCIES.contains(&word(taken)) && tokens[i + taken].digits_from.is_none() {
                let joined = usize::from(word(taken + 1) == "and");
                let rest = taken + 1 + joined;
                let cents = number_at(tokens.get(i + rest..).unwrap_or_default());
                let said = |used: usize| matches!(word(rest + used), "cent" | "cents" | "pence");
                // Without "cents", two numbers are one price only where nothing that is counted follows.
                let ends = |used: usize| matches!(word(rest + used), "" | "a" | "an" | "per" | "each" | "every");
                let is_cents = |(cents, used): &(u32, usize)| {
                    *cents < 100 && (said(*used) || (joined == 0 && *cents >= 10 && ends(*used)))
                };
                if let Some((cents, used)) = cents.filter(is_cents) {
                    if cents < 10 {
                        words.push("oh".to_string());
                    }
                    english_number(cents, &mut words);
                    words.push(word(taken).to_string());
                    length = rest + used + usize::from(said(used));
                }
            }
        } else {
            let joined = match (word(0), word(1)) {
                ("per", "cent") => "percent",
                ("o", "clock") => "oclock",
                ("p", "m") => "pm",
                ("a", "m") if is_number_word(before) || before == "oclock" => "am",
                _ => "",
            };
            if !joined.is_empty() {
                words.push(joined.to_string());
                length = 2;
            }
        }
        let run = &mut tokens[i..i + length.max(1)];
        if length == 0 || words.iter().eq(run.iter().map(|t| &t.text)) {
            out.extend(run.iter_mut().map(std::mem::take));
        } else {
            let (begin, end) = (run[0].begin, run[run.len() - 1].end);
            out.extend(words.into_iter().map(|text| RawToken { text, begin, end, digits_from: None }));
        }
        i += length.max(1);
    }
    out
}

pub(super) fn is_number_word(word: &str) -> bool {
    EN_SMALL.contains(&word) || (!word.is_empty() && EN_TENS.contains(&word))
}

fn is_ordinal(word: &str) -> bool {
    (1..=20).chain([30]).any(|n| {
        let mut words = Vec::new();
        english_number(n, &mut words);
        words.last().is_some_and(|last| english_ordinal(last) == word)
    })
}

/// The number that is spoken where these tokens begin, and how many of them it takes: "two thousand and five" is 2005 and takes four,
/// "nine ninety nine" is two numbers.
fn number_at(tokens: &[RawToken]) -> Option<(u32, usize)> {
    // Digits are a number of their own: "500 20" is not 520.
    let origin = tokens.first()?.digits_from;
    let word = |i: usize| tokens.get(i).filter(|t| t.digits_from == origin).map_or("", |t| t.text.as_str());
    let below_hundred = |i: usize| -> Option<(u32, usize)> {
        let place = |list: &[&str]| list.iter().position(|w| *w == word(i)).map(|n| n as u32);
        if let Some(n) = place(&EN_SMALL).filter(|n| *n > 0) {
            return Some((n, 1));
        }
        let tens = place(&EN_TENS).filter(|n| *n > 1)?;
        let ones = EN_SMALL[1..10].iter().position(|w| *w == word(i + 1));
        Some(ones.map_or((tens * 10, 1), |ones| (tens * 10 + ones as u32 + 1, 2)))
    };
    let scale = |i: usize| match word(i) {
        "thousand" => Some(1_000),
        "million" => Some(1_000_000),
        _ => None,
    };
    let (mut total, mut i, mut smallest) = (0_u32, 0, u32::MAX);
    loop {
        let one = i == 0 && matches!(word(0), "a" | "an") && (word(1) == "hundred" || scale(1).is_some());
        let begun = i + usize::from(i > 0 && word(i) == "and");
        let Some((mut group, taken)) = (if one { Some((1_u32, 1)) } else { below_hundred(begun) }) else { break };
        let mut end = begun + taken;
        if word(end) == "hundred" && group < 100 {
            group *= 100;
            end += 1;
            let joined = usize::from(word(end) == "and");
            if let Some((rest, taken)) = below_hundred(end + joined) {
                group += rest;
                end += joined + taken;
            }
        }
        match scale(end) {
            Some(scale) if scale < smallest => {
                total = group.saturating_mul(scale).saturating_add(total);
                smallest = scale;
                i = end + 1;
            }
            None if group < smallest => return Some((group.saturating_add(total), end)),
            _ => break,
        }
    }
    (i > 0).then_some((total, i))
}

/// Chinese likewise: 块 and 块钱 after a number → 元, 号 → 日, 点钟 → 点, 百分百 → 百分之百.
pub(super) fn in_one_form_chinese(tokens: Vec<RawToken>) -> Vec<RawToken> {
    let is_number = |word: &str| ZH_DIGITS.contains(&word) || matches!(word, "十" | "百" | "千" | "万");
    let mut out: Vec<RawToken> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let before = |back: usize| out.len().checked_sub(back).map_or("", |i| out[i].text.as_str());
        let replaced = match token.text.as_str() {
            "块" if is_number(before(1)) => "元",
            "号" if is_number(before(1)) => "日",
            "钱" if before(1) == "元" => "",
            "钟" if before(1) == "点" && is_number(before(2)) => "",
            "百" if before(1) == "分" && before(2) == "百" => "之",
            _ => {
                out.push(token);
                continue;
            }
        };
        match replaced {
            "" => {
                if let Some(last) = out.last_mut() {
                    last.end = token.end;
                }
            }
            "之" => {
                out.push(RawToken { text: "之".to_string(), digits_from: None, ..token });
                out.push(token);
            }
            text => out.push(RawToken { text: text.to_string(), ..token }),
        }
    }
    out
}
