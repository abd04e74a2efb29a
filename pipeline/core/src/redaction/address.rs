//! Postal addresses: a number with a street, 路 and 号, and what is said to be an address.

use std::sync::LazyLock;

use regex::Regex;

use crate::recording::is_han;
use crate::transcript::Turn;

use super::tokens::{compiled, listed};
use super::{Entity, Found};

const NUMBER: &str = r"(?:[0-9]{1,6}[a-z]?|(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|and)[ -]){1,6})";
const STREET: &str = r"(?:street|avenue|road|boulevard|lane|crescent|terrace|drive|court|place|square|close|highway|parkway|alley|route|trail|way|walk|gardens|grove|mews|ave|blvd|rd|st|ln|dr|hwy|pkwy|straße|strasse|rue|via|calle|plaza)";
const UNIT: &str =
    r"(?:,?\s*(?:apt|apartment|suite|ste|unit|flat|floor|room|box|number|#)\.?\s*(?:#\s*)?[a-z]?[0-9]*[a-z]?\b)";
/// City, state and postal code behind a street.
const REST: &str = r"(?:,?\s+(?-i:\p{Lu}[\p{L}.'\-]+)){0,4}(?:,?\s+(?-i:[A-Z]{2})\b)?(?:,?\s+(?-i:\p{Lu}[\p{L}.'\-]+)){0,2}(?:,?\s+[0-9]{5}(?:-[0-9]{4})?\b|,?\s+(?-i:[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2})\b)";

static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(r"(?i)\b{NUMBER},?\s*((?:[\p{{L}}'.\-]+\s+){{1,4}}?){STREET}\b\.?{UNIT}?(?:{REST})?(?:{UNIT})?"))
});
static BOX: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"(?i)\b(?:p\.?\s?o\.?\s?box\s+[0-9]+|(?:psc|unit|cmr)\s+[0-9]+,?\s+box\s+[0-9]+)(?:,?\s+(?:apo|fpo|dpo)\s+[a-z]{{2}}\s+[0-9]{{5}}|{REST})?"
    ))
});
/// "Koskikatu 25 Apt. 864": the number behind the street.
static NUMBER_LAST: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"\p{{Lu}}[\p{{L}}.\-]+(?:\s+\p{{Lu}}[\p{{L}}.\-]+){{0,3}}\s+[0-9]{{1,4}},?(?i:{UNIT})(?:(?i:{REST}))?"
    ))
});
/// "16 Rue des Lilas Apt. 3", "6750 Koskikatu 25 Suite 8": any words between a number and a flat.
static FLAT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(&format!(
        r"\b[0-9]{{1,6}}(?:\s+[\p{{L}}0-9.'’\-]+){{1,6}}?,?\s+(?:Apt|Apartment|Suite|Flat)\.?\s+[0-9]+[A-Za-z]?\b(?:(?i:{REST}))?"
    ))
});
/// Words between a number and "street" that show that it is none: "five minutes drive", "two years of the way".
const NO_STREET: &str = "minutes minute hours hour days day weeks week months month years year times miles mile blocks dollars \
    percent people of or in on off for from the a an is are was to way more other per at and that this it \
    you we i they my your with by if but not can will just so thing things items kids";
/// Short or ordinary words that name a street only where the text writes the name with a capital letter, or says "address".
const WEAK: &str = "way place drive court close walk st dr via trail square route gardens grove";

/// What follows is one, up to its last number.
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?:\b(?:address(?: is| was|:)|live at|lives at|living at|reside at|located at|office is at|ship(?:ped)? (?:it |that )?to|deliver(?:ed|y)? (?:it |that )?to|mail it to|send (?:it|that|them) to|a new one to|move(?:d)? to)|地址(?:是|在|为|[:：])|我?住在|寄到|送到|寄往)\s*",
    )
});
const SAID_MOST_CHARACTERS: usize = 110;
static SAID_NUMBERS: LazyLock<Regex> = LazyLock::new(|| compiled(r"[0-9][0-9A-Za-z/\-]*"));
static SAID_NUMBERS_HAN: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"[0-9零一二三四五六七八九十百幺两〇]+(?:号楼|号院|号|栋|幢|单元|室|房|层|楼|弄)"));

static CHINESE: LazyLock<Regex> = LazyLock::new(|| {
    let number = r"[0-9零一二三四五六七八九十百幺两〇]+";
    compiled(&format!(
        r"(?:[\p{{Han}}]{{2,12}}(?:省|自治区|市|区|县|镇|乡|街道)){{0,4}}[\p{{Han}}]{{1,8}}(?:大道|大街|路|街|道|巷|弄|胡同|村|小区|花园|家园|公寓|苑|大厦|广场)(?:[东西南北中]?[段路]?)(?:\s*{number}\s*(?:号院|号楼|号|弄|栋|幢|座|单元|楼|层|室|房|期|区))+(?:\s*{number}(?:室)?)?"
    ))
});
/// Where a Chinese address begins at the latest, when words before it were taken along.
const BEFORE_HAN: &[&str] = &[
    "住在",
    "地址是",
    "地址",
    "寄到",
    "送到",
    "搬到",
    "在",
    "是",
    "到",
    "址",
    "寄",
    "送",
    "往",
    "家",
    "我",
    "您",
    "的",
];

/// The addresses in one turn.
pub(super) fn find(turn: usize, said: &Turn, found: &mut Vec<Found>) {
    let text = &said.text;
    let mut push = |begin: usize, end: usize| {
        let trimmed =
            text[begin..end].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '，' | '。'));
        if !trimmed.is_empty() {
            found.push(Found::at(turn, begin, begin + trimmed.len(), Entity::Address));
        }
    };
    for street in ENGLISH.captures_iter(text) {
        let (Some(whole), Some(middle)) = (street.get(0), street.get(1)) else { continue };
        if is_street(text, whole.range(), middle.as_str()) {
            push(whole.start(), whole.end());
        }
    }
    for place in BOX.find_iter(text).chain(NUMBER_LAST.find_iter(text)).chain(FLAT.find_iter(text)) {
        push(place.start(), place.end());
    }
    for place in CHINESE.find_iter(text) {
        let cut = BEFORE_HAN
            .iter()
            .filter_map(|word| place.as_str().find(word).map(|at| at + word.len()).filter(|at| *at <= 18))
            .max();
        push(place.start() + cut.unwrap_or(0), place.end());
    }
    for lead in SAID.find_iter(text) {
        let is_postal = !["email ", "e-mail ", "mail ", "web ", "ip ", "邮箱", "邮件", "网"]
            .iter()
            .any(|other| text[..lead.start()].to_lowercase().ends_with(other));
        if is_postal && let Some(length) = said_address(&text[lead.end()..]) {
            push(lead.end(), lead.end() + length);
        }
    }
}

fn is_street(text: &str, whole: std::ops::Range<usize>, middle: &str) -> bool {
    let mut words = middle.split_whitespace();
    if words.any(|word| listed(NO_STREET, &word.to_lowercase())) {
        return false;
    }
    let behind = &text[whole.clone()][middle.as_ptr() as usize - text.as_ptr() as usize - whole.start + middle.len()..];
    let kind: String = behind.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let named = middle.split_whitespace().next_back().is_some_and(|word| word.starts_with(char::is_uppercase));
    let about = text[..whole.start].to_lowercase();
    !listed(WEAK, &kind) || named || ["address", "live", "at "].iter().any(|word| about.contains(word))
}

/// How much of a text that was said to be an address is one: to its last number in the sentence.
fn said_address(text: &str) -> Option<usize> {
    let limit = text.char_indices().nth(SAID_MOST_CHARACTERS).map_or(text.len(), |(at, _)| at);
    let window = &text[..limit];
    let stop = ["? ", "! ", "。", "？", "！", "\n\n", ". I", ". T", ". C", ". P", ". W", "@"]
        .iter()
        .filter_map(|mark| window.find(mark))
        .min();
    let window = &window[..stop.unwrap_or(limit)];
    let numbers = if window.chars().any(is_han) { &*SAID_NUMBERS_HAN } else { &*SAID_NUMBERS };
    let last = numbers.find_iter(window).last()?;
    let words = window[..last.end()].chars().filter(|c| c.is_alphabetic()).count();
    (words >= 3).then_some(last.end())
}
