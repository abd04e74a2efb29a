//! Text to normalised tokens, with the bytes of the text that each stands for.

use super::numbers::{clock_words, in_one_form, in_one_form_chinese, number_words};
use crate::accuracy::american;
use crate::recording::{Language, is_han};
use crate::redaction::placeholder_at;

/// Words that recognisers and writers spell in several ways, compounds that are written in one word or two, and contractions written
/// without their apostrophe. British spellings: [`american`].
pub(super) const SPELLINGS: &[(&str, &str)] = &[
    ("aint", "is not"),
    ("alright", "all right"),
    ("anytime", "any time"),
    ("arent", "are not"),
    ("backup", "back up"),
    ("bucks", "dollars"),
    ("byebye", "bye bye"),
    ("callback", "call back"),
    ("callbacks", "call backs"),
    ("cancelation", "cancellation"),
    ("cancelations", "cancellations"),
    ("cannot", "can not"),
    ("cant", "can not"),
    ("cellphone", "cell phone"),
    ("checkup", "check up"),
    ("checkups", "check ups"),
    ("couldnt", "could not"),
    ("cutoff", "cut off"),
    ("didnt", "did not"),
    ("doesnt", "does not"),
    ("dont", "do not"),
    ("dr", "doctor"),
    ("dunno", "do not know"),
    ("email", "e mail"),
    ("emailed", "e mailed"),
    ("emails", "e mails"),
    ("followup", "follow up"),
    ("gimme", "give me"),
    ("gonna", "going to"),
    ("goodbye", "good bye"),
    ("gotta", "got to"),
    ("hadnt", "had not"),
    ("hasnt", "has not"),
    ("havent", "have not"),
    ("healthcare", "health care"),
    ("helpline", "help line"),
    ("heres", "here is"),
    ("homeowner", "home owner"),
    ("homeowners", "home owners"),
    ("hotline", "hot line"),
    ("im", "i am"),
    ("isnt", "is not"),
    ("its", "it is"),
    ("ive", "i have"),
    ("kinda", "kind of"),
    ("landline", "land line"),
    ("lemme", "let me"),
    ("lets", "let us"),
    ("login", "log in"),
    ("logon", "log on"),
    ("lookup", "look up"),
    ("mr", "mister"),
    ("mrs", "missis"),
    ("mustnt", "must not"),
    ("neednt", "need not"),
    ("offline", "off line"),
    ("ok", "okay"),
    ("online", "on line"),
    ("payoff", "pay off"),
    ("payout", "pay out"),
    ("pickup", "pick up"),
    ("postcode", "post code"),
    ("quid", "pounds"),
    ("setup", "set up"),
    ("shouldnt", "should not"),
    ("signin", "sign in"),
    ("signup", "sign up"),
    ("thankyou", "thank you"),
    ("thats", "that is"),
    ("theres", "there is"),
    ("theyll", "they will"),
    ("theyre", "they are"),
    ("timeframe", "time frame"),
    ("upfront", "up front"),
    ("username", "user name"),
    ("voicemail", "voice mail"),
    ("wanna", "want to"),
    ("wasnt", "was not"),
    ("website", "web site"),
    ("websites", "web sites"),
    ("werent", "were not"),
    ("weve", "we have"),
    ("whats", "what is"),
    ("whos", "who is"),
    ("wont", "will not"),
    ("wouldnt", "would not"),
    ("youd", "you would"),
    ("youll", "you will"),
    ("youre", "you are"),
    ("youve", "you have"),
    ("zipcode", "zip code"),
];
const IS_AFTER: &[&str] = &[
    "he",
    "here",
    "how",
    "it",
    "name",
    "she",
    "that",
    "there",
    "what",
    "when",
    "where",
    "who",
    "everything",
    "everyone",
];

/// Folds width, case, typographic apostrophes and Chinese variants one to one, so that offsets stay true.
fn fold(c: char) -> char {
    if c.is_ascii() && c != '`' {
        return c.to_ascii_lowercase();
    }
    let c = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{00A0}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{00B4}' => '\'',
        '您' => '你',
        '她' | '它' | '牠' => '他',
        '两' | '俩' => '二',
        '幺' => '一',
        '〇' => '零',
        _ => c,
    };
    // Only one-to-one lower-casing: the few letters that become two stay as they are.
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}

/// A normalised word with the bytes of the source text that it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RawToken {
    pub(super) text: String,
    pub(super) begin: usize,
    pub(super) end: usize,
    /// Where the digits begin whose reading it is part of.
    pub(super) digits_from: Option<usize>,
}

/// Splits text into normalised tokens, numbers, money and dates in one form each. Several tokens may stand for the same bytes
/// ("24" → twenty, four).
pub(super) fn tokenize(text: &str, language: Language) -> Vec<RawToken> {
    let tokens = split(text, language);
    match language {
        Language::En => in_one_form(tokens),
        Language::Zh => in_one_form_chinese(tokens),
    }
}

fn split(text: &str, language: Language) -> Vec<RawToken> {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(i, c)| (i, fold(c))).collect();
    let offset = |i: usize| chars.get(i).map_or(text.len(), |(at, _)| *at);
    let at = |i: usize| chars.get(i).map_or(' ', |(_, c)| *c);
    let mut tokens = Vec::new();
    let mut push = |words: Vec<String>, begin: usize, end: usize| {
        let digits_from = (begin..end).any(|k| at(k).is_ascii_digit()).then_some(begin);
        let (begin, end) = (offset(begin), offset(end));
        tokens.extend(words.into_iter().map(|text| RawToken { text, begin, end, digits_from }));
    };
    let mut i = 0;
    let mut currency: Option<(usize, char)> = None;
    while i < chars.len() {
        let c = at(i);
        let begin = i;
        if is_han(c) {
            i += 1;
            push(vec![c.to_string()], begin, i);
        } else if c.is_ascii_digit() {
            while at(i).is_ascii_digit() || (matches!(at(i), '.' | ',') && at(i + 1).is_ascii_digit()) {
                i += 1;
            }
            // "1,200,000" is a number, "1200000" more likely the digits of an account.
            let grouped = (begin..i).any(|k| at(k) == ',');
            let number: String = (begin..i).map(at).filter(|c| *c != ',').collect();
            let ordinal = language == Language::En
                && matches!((at(i), at(i + 1)), ('s', 't') | ('n', 'd') | ('r', 'd') | ('t', 'h'))
                && !at(i + 2).is_alphanumeric();
            if ordinal {
                i += 2;
            }
            let minutes =
                at(i) == ':' && [1, 2].iter().all(|k| at(i + k).is_ascii_digit()) && !at(i + 3).is_ascii_digit();
            if minutes && language == Language::En {
                let clock = clock_words(&number, &[at(i + 1), at(i + 2)].iter().collect::<String>());
                i += 3;
                push(clock, begin, i);
                continue;
            }
            let percent = at(i) == '%';
            if percent {
                i += 1;
            }
            let sign = currency.take().filter(|(end, _)| *end == begin);
            let first = if sign.is_some() { begin - 1 } else { begin };
            let year = language == Language::Zh && at(i) == '年';
            push(number_words(&number, language, grouped, ordinal, percent, sign.map(|s| s.1), year), first, i);
        } else if c == '['
            && let Some(placeholder) = placeholder_at(&text[offset(i)..])
        {
            // One word that no phrase has: "[card]" is not the word "card".
            i += placeholder.len();
            push(vec![placeholder.to_string()], begin, i);
        } else if c.is_alphanumeric() {
            while (at(i).is_alphabetic() && !is_han(at(i))) || (at(i) == '\'' && at(i + 1).is_alphabetic()) {
                i += 1;
            }
            i = i.max(begin + 1);
            push(latin_words(&(begin..i).map(at).collect::<String>()), begin, i);
        } else {
            i += 1;
            match c {
                '$' | '£' | '€' | '¥' | '￥' => currency = Some((i, c)),
                '&' => push(vec!["and".to_string()], begin, i),
                '%' if language == Language::En => push(vec!["percent".to_string()], begin, i),
                _ => {}
            }
        }
    }
    tokens
}

/// Writes contractions out; drops a possessive's apostrophe.
pub(super) fn latin_words(word: &str) -> Vec<String> {
    let split = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    if let Some((base, suffix)) = word.rsplit_once('\'') {
        let two = |second: &str| vec![base.to_string(), second.to_string()];
        match suffix {
            "ll" => return two("will"),
            "re" => return two("are"),
            "ve" => return two("have"),
            "m" => return two("am"),
            "d" => return two("would"),
            "s" if base == "let" => return two("us"),
            "s" if IS_AFTER.contains(&base) => return two("is"),
            _ => {}
        }
    }
    let bare = word.replace('\'', "");
    match SPELLINGS.binary_search_by(|(from, _)| (*from).cmp(bare.as_str())) {
        Ok(found) => split(SPELLINGS[found].1),
        Err(_) => vec![american(&bare).to_string()],
    }
}

/// Text for regular expressions: lower case, width folded, one space between words, none between Chinese characters,
/// punctuation dropped except apostrophes and what belongs to numbers; with the source byte of each byte.
pub(crate) fn pattern_text(text: &str) -> (String, Vec<usize>) {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(i, c)| (i, fold_for_patterns(c))).collect();
    let mut out = String::with_capacity(text.len());
    let mut source = Vec::with_capacity(text.len() + 1);
    let mut gap = false;
    // The end of a placeholder, whose brackets stay: authors may ask for `\[card\]`.
    let mut inside = 0;
    for (i, (offset, c)) in chars.iter().enumerate() {
        let digit = |k: Option<usize>| k.and_then(|k| chars.get(k)).is_some_and(|(_, c)| c.is_ascii_digit());
        let kept = c.is_alphanumeric()
            || matches!(c, '%' | '$' | '£' | '€' | '¥' | '@' | '\'' | '+')
            || (*c == '.' && digit(i.checked_sub(1)) && digit(Some(i + 1)));
        if *c == '['
            && let Some(placeholder) = placeholder_at(&text[*offset..])
        {
            inside = i + placeholder.len();
        }
        let kept = kept || i < inside;
        // The comma of "1,200" and the point of "u.s." vanish without leaving a space.
        let joined = (*c == ',' && digit(i.checked_sub(1)) && digit(Some(i + 1))) || *c == '.';
        if kept {
            if gap && out.chars().next_back().is_some_and(|last| !(is_han(last) || is_han(*c))) {
                out.push(' ');
                source.push(*offset);
            }
            gap = false;
            out.push(*c);
            source.resize(out.len(), *offset);
        } else if !joined || chars.get(i + 1).is_none_or(|(_, next)| !next.is_alphanumeric()) {
            gap = true;
        }
    }
    source.push(text.len());
    (out, source)
}

/// As [`fold`], but without the Chinese variants: authors write patterns with the characters they expect to see.
fn fold_for_patterns(c: char) -> char {
    match c {
        '您' | '她' | '它' | '牠' | '两' | '俩' | '幺' | '〇' => c,
        _ => fold(c),
    }
}
