//! Text as a recogniser might have written it: word errors at a given rate, other number formats, no punctuation. Seeded.
//!
//! What sounds alike comes from tables made by `models/evaluation/make_near_sounds.py` from pronunciation sources that the
//! matcher does not know, so that tolerant matching is not measured with its own idea of an error.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::accuracy::{normalise_chinese, normalise_english, pattern};
use crate::matching::{EN_SMALL, EN_TENS};
use crate::recording::Language;
use crate::statistics::SplitMix64;

/// Of a hundred errors: substitutions, deletions; the rest are insertions. Close to what Whisper does on telephone speech.
const SUBSTITUTIONS_PERCENT: usize = 60;
const DELETIONS_PERCENT: usize = 25;

const FUNCTION_EN: &[&str] = &[
    "a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "but", "is", "are", "was", "be", "it", "that",
    "this", "so", "at", "as", "with", "you", "i", "we", "do", "have",
];
const FILLERS_EN: &[&str] = &["and", "so", "the", "okay", "yeah", "well", "like", "you", "a", "it"];
const FUNCTION_ZH: &str = "的了吗呢啊吧就也都在是和";
const FILLERS_ZH: &[char] = &['嗯', '啊', '那', '就', '这', '个'];

static NEAR_EN: LazyLock<NearSounds> =
    LazyLock::new(|| NearSounds::read(include_str!("recogniser_noise/near_sounds_en.tsv")));
static NEAR_ZH: LazyLock<NearSounds> =
    LazyLock::new(|| NearSounds::read(include_str!("recogniser_noise/near_sounds_zh.tsv")));

/// Words or characters by frequency, each with those that sound like it.
struct NearSounds(BTreeMap<&'static str, (u32, Vec<&'static str>)>);

impl NearSounds {
    fn read(table: &'static str) -> NearSounds {
        let rows = table.lines().filter(|line| !line.starts_with('#')).zip(1..);
        let row = |(line, rank): (&'static str, u32)| {
            let (unit, near) = line.split_once('\t')?;
            Some((unit, (rank, near.split(' ').collect())))
        };
        NearSounds(rows.filter_map(row).collect())
    }

    fn of(&self, unit: &str) -> &[&'static str] {
        self.0.get(unit).map_or(&[], |(_, near)| near)
    }
}

/// How common a word (English) or character (Chinese) is: 1 for the most frequent of the table; `None` for a rare one.
pub fn frequency_rank(unit: &str, language: Language) -> Option<u32> {
    let table = match language {
        Language::En => &*NEAR_EN,
        Language::Zh => &*NEAR_ZH,
    };
    table.0.get(unit).map(|(rank, _)| *rank)
}

/// Text as a recogniser with this error rate (errors per thousand words, or Chinese characters) might have heard it:
/// substitutions by what sounds alike, deletions mostly of function words, insertions of small words. On long text the rate is
/// reached within a tenth; errors never undo each other on purpose, but an alignment may find a cheaper explanation of high rates.
pub fn misheard(text: &str, language: Language, error_permille: u16, seed: u64) -> String {
    let mut random = SplitMix64::new(seed);
    match language {
        Language::En => misheard_english(text, error_permille, &mut random),
        Language::Zh => misheard_chinese(text, error_permille, &mut random),
    }
}

enum Error {
    Substitution,
    Deletion,
    Insertion,
}

/// Draws whether a unit is wrong, and how. Function words are deleted three times as often as others.
fn draw(random: &mut SplitMix64, error_permille: u16, is_function: bool) -> Option<Error> {
    if random.below(1000) as u16 >= error_permille {
        return None;
    }
    let deletions = if is_function { DELETIONS_PERCENT * 2 } else { DELETIONS_PERCENT * 2 / 3 };
    let drawn = random.below(100);
    Some(if drawn < deletions {
        Error::Deletion
    } else if drawn < deletions + SUBSTITUTIONS_PERCENT * (100 - deletions) / (100 - DELETIONS_PERCENT) {
        Error::Substitution
    } else {
        Error::Insertion
    })
}

fn misheard_english(text: &str, error_permille: u16, random: &mut SplitMix64) -> String {
    let mut out: Vec<String> = Vec::new();
    for token in text.split_whitespace() {
        let is_word = |c: char| c.is_alphanumeric();
        let (Some(begin), Some(last)) = (token.find(is_word), token.rfind(is_word)) else {
            // Punctuation alone is nothing a recogniser hears.
            out.push(token.to_string());
            continue;
        };
        let end = last + token[last..].chars().next().map_or(0, char::len_utf8);
        let core = token[begin..end].to_lowercase();
        match draw(random, error_permille, FUNCTION_EN.contains(&core.as_str())) {
            None => out.push(token.to_string()),
            Some(Error::Deletion) => {}
            Some(Error::Substitution) => {
                out.push(format!("{}{}{}", &token[..begin], mishear(&core, random), &token[end..]));
            }
            Some(Error::Insertion) => {
                out.push(token.to_string());
                out.push(FILLERS_EN[random.below(FILLERS_EN.len())].to_string());
            }
        }
    }
    out.join(" ")
}

/// Another word that sounds like this one; for one that is not in the table, the nearest spelling in it.
fn mishear(word: &str, random: &mut SplitMix64) -> String {
    if word.bytes().any(|b| b.is_ascii_digit()) {
        return misheard_number(word, random);
    }
    // Equal after normalisation ("it's" and "it is") would be no error.
    let normal = normalise_english(word);
    let differs = |other: &&str| normalise_english(other) != normal;
    let alike: Vec<&str> = NEAR_EN.of(word).iter().copied().filter(differs).collect();
    if !alike.is_empty() {
        return alike[random.below(alike.len())].to_string();
    }
    let near = NEAR_EN.0.iter().filter(|(other, _)| other.len().abs_diff(word.len()) <= 2);
    // Of equally near ones the most frequent. Normalising is slow, so that only the nearest are normalised.
    let mut near: Vec<(usize, u32, &str)> =
        near.map(|(other, (rank, _))| (strsim::levenshtein(word, other), *rank, *other)).collect();
    near.sort_unstable();
    let nearest = near.into_iter().map(|(_, _, other)| other).find(|other| differs(other));
    nearest.map_or_else(|| format!("{word}s"), str::to_string)
}

/// Thirteen for thirty and the reverse, else one digit for another.
fn misheard_number(word: &str, random: &mut SplitMix64) -> String {
    match word.as_bytes() {
        [b'1', d @ b'3'..=b'9'] => return format!("{}0", char::from(*d)),
        [d @ b'3'..=b'9', b'0'] => return format!("1{}", char::from(*d)),
        _ => {}
    }
    let digits: Vec<usize> = word.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(i, _)| i).collect();
    let at = digits[random.below(digits.len())];
    let shift = 1 + random.below(9) as u8;
    let other = (word.as_bytes()[at] - b'0' + shift) % 10;
    format!("{}{other}{}", &word[..at], &word[at + 1..])
}

fn misheard_chinese(text: &str, error_permille: u16, random: &mut SplitMix64) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let error = if c.is_alphanumeric() { draw(random, error_permille, FUNCTION_ZH.contains(c)) } else { None };
        match error {
            None => out.push(c),
            Some(Error::Deletion) => {}
            Some(Error::Substitution) if c.is_ascii_digit() => out.push_str(&misheard_number(&c.to_string(), random)),
            Some(Error::Substitution) => {
                let alike = NEAR_ZH.of(c.encode_utf8(&mut [0; 4]));
                let other = alike.get(random.below(alike.len())).copied();
                out.push_str(other.unwrap_or(if c == '嗯' { "恩" } else { "嗯" }));
            }
            Some(Error::Insertion) => {
                out.push(c);
                // The same character twice could as well be the next word's.
                let fillers: Vec<char> = FILLERS_ZH.iter().copied().filter(|f| *f != c).collect();
                out.push(fillers[random.below(fillers.len())]);
            }
        }
    }
    out
}

// ---- Formats -------------------------------------------------------------------------------------------------------

const NUMBER_WORD: &str = "zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|\
    sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand";
static SPOKEN_EN: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)\b(?:{NUMBER_WORD})(?:[ -](?:{NUMBER_WORD}|and (?:{NUMBER_WORD})))+\b")));
/// Currency sign, whole, fraction, what follows.
static WRITTEN_EN: LazyLock<Regex> = LazyLock::new(|| pattern(r"([$£€]?)\b([0-9][0-9,]*)(?:\.([0-9]+))?\b(%?)"));
static SPOKEN_ZH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "百分之[零一二两三四五六七八九十百]+(?:点[零一二三四五六七八九]+)?|[零一二两三四五六七八九][零一二两三四五六七八九十百千万]*[十百千万][零一二两三四五六七八九十百千万]*|[零一二三四五六七八九幺]{3,}",
    )
});
static WRITTEN_ZH: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9]+)(?:\.([0-9]+))?(%?)"));

/// The same words in another recogniser's writing: some numbers in digits instead of words and the reverse, and for half of the
/// seeds neither punctuation nor capitals.
pub fn rewritten(text: &str, language: Language, seed: u64) -> String {
    let mut random = SplitMix64::new(seed);
    let (spoken, written) = match language {
        Language::En => (&*SPOKEN_EN, &*WRITTEN_EN),
        Language::Zh => (&*SPOKEN_ZH, &*WRITTEN_ZH),
    };
    // Digits first: what is made of words below stays as it is.
    let out = written.replace_all(text, |found: &regex::Captures| {
        let words = match language {
            Language::En => english_words(found, &mut random),
            Language::Zh => chinese_words(found, &mut random),
        };
        words.filter(|_| random.below(2) == 0).unwrap_or_else(|| found[0].to_string())
    });
    let out = spoken.replace_all(&out, |found: &regex::Captures| {
        let digits = match language {
            Language::En => normalise_english(&found[0]),
            Language::Zh => match found[0].strip_prefix("百分之") {
                Some(number) => {
                    let parts: Vec<String> = number.split('点').map(normalise_chinese).collect();
                    format!("{}%", parts.join("."))
                }
                None => normalise_chinese(&found[0]),
            },
        };
        if random.below(2) == 0 { digits } else { found[0].to_string() }
    });
    if random.below(2) == 0 { without_punctuation(&out) } else { out.into_owned() }
}

/// Lower case; apostrophes, and what belongs to a number, stay.
fn without_punctuation(text: &str) -> String {
    let chars: Vec<char> = text.to_lowercase().chars().collect();
    let number = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(char::is_ascii_digit);
    let kept = chars.iter().enumerate().map(|(i, c)| match c {
        c if c.is_alphanumeric() || matches!(c, '\'' | '’' | '$' | '£' | '€' | '%') => *c,
        '.' | ',' if number(i.checked_sub(1)) && number(Some(i + 1)) => *c,
        _ => ' ',
    });
    kept.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `$9.99` → nine dollars and ninety nine cents, or nine ninety nine; long numbers digit by digit.
fn english_words(found: &regex::Captures, random: &mut SplitMix64) -> Option<String> {
    let whole = found[2].replace(',', "");
    let fraction = found.get(3).map(|f| f.as_str());
    let by_digit = |text: &str| {
        let digits = text.chars().filter_map(|c| c.to_digit(10)).map(|d| EN_SMALL[d as usize]);
        digits.collect::<Vec<_>>().join(" ")
    };
    if whole.len() > 6 || (whole.len() > 1 && whole.starts_with('0')) {
        return fraction.is_none().then(|| by_digit(&whole));
    }
    let mut words = Vec::new();
    cardinal(whole.parse().ok()?, random.below(2) == 0, &mut words);
    let words = words.join(" ");
    let currency = match &found[1] {
        "$" => " dollars",
        "£" => " pounds",
        "€" => " euros",
        _ => "",
    };
    let percent = if found[4].is_empty() { "" } else { " percent" };
    Some(match fraction {
        None => format!("{words}{currency}{percent}"),
        Some(cents) if !currency.is_empty() && cents.len() == 2 => {
            let value = cents.parse().ok()?;
            let mut spoken = Vec::new();
            cardinal(value, false, &mut spoken);
            let spoken = spoken.join(" ");
            match random.below(2) {
                _ if value == 0 => format!("{words}{currency}"),
                0 => format!("{words}{currency} and {spoken} cents"),
                _ if value < 10 => format!("{words} oh {spoken}"),
                _ => format!("{words} {spoken}"),
            }
        }
        Some(decimals) => format!("{words} point {}{currency}{percent}", by_digit(decimals)),
    })
}

/// English cardinal below a million.
fn cardinal(value: usize, with_and: bool, words: &mut Vec<&'static str>) {
    match value {
        0..=19 => words.push(EN_SMALL[value]),
        20..=99 => {
            words.push(EN_TENS[value / 10]);
            if !value.is_multiple_of(10) {
                words.push(EN_SMALL[value % 10]);
            }
        }
        _ => {
            let (unit, name) = if value < 1_000 { (100, "hundred") } else { (1_000, "thousand") };
            cardinal(value / unit, with_and, words);
            words.push(name);
            if !value.is_multiple_of(unit) {
                if with_and && value % unit < 100 {
                    words.push("and");
                }
                cardinal(value % unit, with_and, words);
            }
        }
    }
}

/// `320` → 三百二十, `13800138000` → 幺三八…, `5%` → 百分之五.
fn chinese_words(found: &regex::Captures, random: &mut SplitMix64) -> Option<String> {
    const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let one = if random.below(2) == 0 { '幺' } else { '一' };
    let by_digit = |text: &str, one: char| -> String {
        let digit = |d: u32| if d == 1 { one } else { DIGITS[d as usize] };
        text.chars().filter_map(|c| c.to_digit(10)).map(digit).collect()
    };
    let whole = &found[1];
    let percent = if found[3].is_empty() { "" } else { "百分之" };
    let fraction = found.get(2).map_or(String::new(), |f| format!("点{}", by_digit(f.as_str(), '一')));
    if whole.len() > 4 || (whole.len() > 1 && whole.starts_with('0')) {
        // "12000" is an amount, which nobody reads by its digits; with 万 it is not read here.
        if whole.len() <= 8 && whole.ends_with("000") {
            return None;
        }
        return (percent.is_empty() && fraction.is_empty()).then(|| by_digit(whole, one));
    }
    let value: usize = whole.parse().ok()?;
    let mut words = String::new();
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / unit % 10;
        if digit > 0 {
            // 10…19 are 十 … 十九.
            if !(digit == 1 && unit == 10 && words.is_empty()) {
                words.push(DIGITS[digit]);
            }
            words.push_str(name);
        } else if !words.is_empty() && !words.ends_with('零') && !value.is_multiple_of(unit) {
            words.push('零');
        }
    }
    if words.is_empty() {
        words.push('零');
    }
    Some(format!("{percent}{words}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::{ErrorCounts, error_counts, units};

    const ENGLISH: &str = include_str!("recogniser_noise/sample_en.txt");
    const CHINESE: &str = include_str!("recogniser_noise/sample_zh.txt");

    fn errors(language: Language, text: &str, asked: u16) -> ErrorCounts {
        let mut sum = ErrorCounts::default();
        for seed in 0..20 {
            sum.add(&error_counts(text, &misheard(text, language, asked, seed), language));
        }
        sum
    }

    #[test]
    fn the_asked_rate_is_reached_within_a_tenth() {
        for (language, text) in [(Language::En, ENGLISH), (Language::Zh, CHINESE)] {
            for asked in [50, 150, 200, 300] {
                let counts = errors(language, text, asked);
                let rate = counts.rate_permille().unwrap();
                assert!(
                    rate * 10 >= u64::from(asked) * 9 && rate * 10 <= u64::from(asked) * 11,
                    "{language:?} {asked}: {rate} {counts:?}"
                );
                assert!(counts.substitutions > counts.deletions && counts.deletions > 0 && counts.insertions > 0);
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let noisy = |seed| misheard(ENGLISH, Language::En, 200, seed);
        assert_eq!(noisy(1), noisy(1));
        assert_ne!(noisy(1), noisy(2));
        let unspaced = ENGLISH.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(misheard(ENGLISH, Language::En, 0, 1), unspaced);
        assert_eq!(misheard(CHINESE, Language::Zh, 0, 1), CHINESE);
        assert_eq!(misheard("", Language::Zh, 500, 1), "");
    }

    #[test]
    fn substitutions_sound_alike_and_are_errors() {
        assert_eq!(NEAR_EN.of("recorded"), ["recording", "reported"]);
        assert!(NEAR_ZH.of("录").contains(&"路"));
        for table in [&*NEAR_EN, &*NEAR_ZH] {
            assert!(table.0.len() > 2_000);
            assert!(table.0.iter().all(|(unit, (_, near))| !near.is_empty() && !near.contains(unit)));
        }
        assert!(frequency_rank("the", Language::En) < frequency_rank("recorded", Language::En));
        assert_eq!(frequency_rank("Xylophonist", Language::En), None);
        assert_eq!(misheard_number("14", &mut SplitMix64::new(1)), "40");
        assert_eq!(misheard_number("70", &mut SplitMix64::new(1)), "17");
    }

    /// All writings that seeds give.
    fn writings(text: &str, language: Language) -> std::collections::BTreeSet<String> {
        (0..256).map(|seed| rewritten(text, language, seed)).collect()
    }

    #[test]
    fn numbers_change_their_writing() {
        for (text, language, wanted) in [
            ("It is $9.99.", Language::En, "It is nine ninety nine."),
            ("It is $9.99.", Language::En, "It is nine dollars and ninety nine cents."),
            ("in 14 days", Language::En, "in fourteen days"),
            ("It costs 1,250 dollars", Language::En, "It costs one thousand two hundred and fifty dollars"),
            ("twenty four hours", Language::En, "24 hours"),
            ("5%, right?", Language::En, "five percent right"),
            ("2.5%", Language::En, "two point five percent"),
            ("call 5550123", Language::En, "call five five five zero one two three"),
            ("每月320元", Language::Zh, "每月三百二十元"),
            ("每月三百二十元", Language::Zh, "每月320元"),
            ("5%", Language::Zh, "百分之五"),
            ("百分之五", Language::Zh, "5%"),
            ("百分之三点五", Language::Zh, "3.5%"),
            ("1005元", Language::Zh, "一千零五元"),
            ("13800138000", Language::Zh, "幺三八零零幺三八零零零"),
            ("犹豫期15天。", Language::Zh, "犹豫期十五天"),
        ] {
            assert!(writings(text, language).contains(wanted), "{text}: {:?}", writings(text, language));
        }
        // Words that only look like numbers stay.
        for (text, language) in [("no one knows", Language::En), ("您十分放心", Language::Zh), ("千万别", Language::Zh)]
        {
            assert_eq!(writings(text, language).len(), 1, "{text}");
        }
    }

    /// Another writing is no error: whoever counts errors reads the same words.
    #[test]
    fn writings_say_the_same() {
        for (text, language) in [
            ("The 14 day trial costs twenty five dollars, or 2,400 a year.", Language::En),
            ("We have 305 plans at 19 percent.", Language::En),
            ("一共三百二十元，15天犹豫期，利率是百分之三。", Language::Zh),
        ] {
            let all = writings(text, language);
            assert!(all.len() > 3, "{all:?}");
            for other in all {
                assert_eq!(units(&other, language), units(text, language), "{other}");
            }
        }
    }
}
