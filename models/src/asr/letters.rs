//! What letters sound like, roughly enough to find them in a recording: how loud they are, how much of that is high, and how
//! long they take.

use callmark_core::matching::{EN_SMALL, EN_TENS};
use callmark_core::recording::is_han;

/// Powers of a sound: its own, and those of its first and second difference, which hear more and more of what is high.
pub(super) const BANDS: usize = 3;

pub(super) struct Sound {
    letters: &'static str,
    /// Mean power in dB against the loud moments around it.
    pub power_db: [f64; BANDS],
    pub length_ms: f64,
}

const fn sound(letters: &'static str, power_db: [f64; BANDS], length_ms: f64) -> Sound {
    Sound { letters, power_db, length_ms }
}

/// Nothing but the recording's own noise.
pub(super) const PAUSE: usize = 0;

/// Fitted by models/evaluation/fit_letters.py on synthetic voices (models/evaluation/README.md says which).
pub(super) const SOUNDS: [Sound; 30] = [
    sound(" ", [-60.0, -60.0, -60.0], 150.0),
    sound("a", [0.0, 1.1, 1.8], 96.0),
    sound("b", [-19.9, -17.9, -15.3], 45.0),
    sound("c", [-19.6, -13.4, -9.8], 92.0),
    sound("d", [-20.4, -17.6, -14.8], 52.0),
    sound("e", [-2.6, -1.5, 0.1], 72.0),
    sound("f", [-21.9, -16.3, -12.5], 82.0),
    sound("g", [-18.3, -14.4, -11.0], 59.0),
    sound("h", [-16.1, -11.7, -8.8], 41.0),
    sound("i", [-0.9, -0.6, 0.3], 89.0),
    sound("j", [-17.4, -11.9, -7.7], 65.0),
    sound("k", [-21.5, -16.0, -12.7], 89.0),
    sound("l", [-2.0, -4.3, -6.5], 60.0),
    sound("m", [-12.2, -13.1, -12.4], 67.0),
    sound("n", [-10.6, -13.5, -12.9], 59.0),
    sound("o", [0.5, -0.2, -1.3], 93.0),
    sound("p", [-22.1, -17.3, -14.0], 87.0),
    sound("r", [-3.6, -4.9, -5.8], 42.0),
    sound("s", [-19.6, -13.6, -9.6], 78.0),
    sound("t", [-22.3, -17.1, -13.6], 71.0),
    sound("u", [-2.4, -2.4, -2.1], 49.0),
    sound("v", [-18.8, -18.0, -15.9], 55.0),
    sound("w", [-8.3, -11.6, -13.2], 50.0),
    sound("x", [-21.4, -15.3, -11.7], 156.0),
    sound("y", [-7.0, -5.3, -2.9], 69.0),
    sound("z", [-18.5, -15.6, -12.2], 69.0),
    sound("ch", [-18.3, -11.0, -6.5], 117.0),
    sound("ng", [-11.3, -13.2, -12.1], 62.0),
    sound("sh", [-10.2, -2.8, 1.1], 116.0),
    sound("th", [-21.3, -18.1, -15.1], 61.0),
];
/// Of all letters alike: of the level, and of how much more each difference has than the one before, dB².
pub(super) const VARIANCES: [f64; BANDS] = [28.3, 8.2, 3.2];

/// The sounds of a word, as indices into [`SOUNDS`]. Numbers are spelled as they are said in English; a Han character is a
/// consonant and a vowel, a letter of another alphabet any vowel.
pub(super) fn sounds(word: &str) -> Vec<usize> {
    let letters: Vec<char> = spoken(word).chars().collect();
    let mut out = Vec::new();
    let mut index = 0;
    while let Some(&letter) = letters.get(index) {
        let pair: String = letters[index..].iter().take(2).collect();
        index += if letters.get(index + 1).is_some_and(|next| *next == letter) { 2 } else { 1 };
        let found = match pair.as_str() {
            "ch" | "ng" | "sh" | "th" => find(&pair),
            "ck" | "qu" => find("k"),
            "ph" => find("f"),
            _ if letter == 'q' => find("k"),
            _ => find(letter.encode_utf8(&mut [0; 4])).or(find("e")),
        };
        if matches!(pair.as_str(), "ch" | "ng" | "sh" | "th" | "ck" | "qu" | "ph") {
            index += 1;
        }
        out.extend(found);
    }
    // "like", "use": the last vowel is not said.
    if let [.., before, 'e'] = letters.as_slice()
        && !matches!(before, 'e' | 'l')
        && out.len() > 2
    {
        out.pop();
    }
    out
}

fn find(letters: &str) -> Option<usize> {
    SOUNDS.iter().position(|sound| sound.letters == letters)
}

/// Lower-case letters of what is said for a word.
fn spoken(word: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    // The blank ends the last number.
    for c in word.chars().flat_map(char::to_lowercase).chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        number(&digits, &mut out);
        digits.clear();
        if is_han(c) {
            out.push_str("ta");
        } else if c.is_alphabetic() {
            out.push(c);
        }
    }
    for (sign, name) in [('$', "dollars"), ('%', "percent"), ('€', "euros"), ('£', "pounds"), ('¥', "yuan")] {
        if word.contains(sign) {
            out.push_str(name);
        }
    }
    out
}

/// Adds a number as it is mostly said: 42, 500, 1999 and 2024 in pairs, what is longer or begins with 0 digit by digit.
fn number(digits: &str, out: &mut String) {
    let values: Vec<usize> = digits.bytes().map(|digit| usize::from(digit - b'0')).collect();
    let below_hundred = |value: usize, out: &mut String| {
        if value < 20 {
            return out.push_str(EN_SMALL[value]);
        }
        out.push_str(EN_TENS[value / 10]);
        if !value.is_multiple_of(10) {
            out.push_str(EN_SMALL[value % 10]);
        }
    };
    match values.as_slice() {
        &[one] => out.push_str(EN_SMALL[one]),
        &[ten, one] if ten > 0 => below_hundred(10 * ten + one, out),
        &[hundred, ten, one] if hundred > 0 => {
            out.push_str(EN_SMALL[hundred]);
            out.push_str("hundred");
            if ten + one > 0 {
                below_hundred(10 * ten + one, out);
            }
        }
        &[a, b, c, d] if a > 0 => {
            below_hundred(10 * a + b, out);
            if c == 0 {
                out.push('o');
            }
            below_hundred(10 * c + d, out);
        }
        digits => digits.iter().for_each(|digit| out.push_str(EN_SMALL[*digit])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(word: &str) -> Vec<&'static str> {
        sounds(word).into_iter().map(|index| SOUNDS[index].letters).collect()
    }

    #[test]
    fn words_are_spelled_as_they_sound() {
        assert_eq!(letters("Hello,"), ["h", "e", "l", "o"]);
        assert_eq!(letters("that's"), ["th", "a", "t", "s"]);
        assert_eq!(letters("quick"), ["k", "i", "k"]);
        assert_eq!(letters("like"), ["l", "i", "k"]);
        assert_eq!(letters("the"), ["th", "e"]);
        assert_eq!(letters("您好"), ["t", "a", "t", "a"]);
        assert_eq!(letters("é"), ["e"]);
        assert!(letters("—").is_empty());
    }

    #[test]
    fn numbers_are_said_in_words() {
        for (written, said) in [
            ("7", "seven"),
            ("42", "fortytwo"),
            ("07", "zeroseven"),
            ("500", "fivehundred"),
            ("316", "threehundredsixteen"),
            ("2024", "twentytwentyfour"),
            ("1905", "nineteenofive"),
            ("90210", "ninezerotwoonezero"),
            ("$9.99", "nineninetyninedollars"),
            ("3pm", "threepm"),
        ] {
            assert_eq!(spoken(written), said, "{written}");
        }
    }
}
