//! How good a recognition is: normalised text, word and character error rates.
//!
//! English is normalised by the rules of Whisper's `EnglishTextNormalizer` (Radford et al. 2022, appendix C), with a small
//! table of spelling variants; the fixtures in `tests/oracles` come from the Python original. Chinese is scored by character.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::recording::Language;

// ---- Error rates ---------------------------------------------------------------------------------------------------

/// Edits between references and hypotheses; counts of several texts add up to the corpus rate Σ errors / Σ units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCounts {
    /// Units (words, or Chinese characters) in the reference.
    pub reference_tokens: u64,
    pub substitutions: u64,
    pub deletions: u64,
    pub insertions: u64,
}

impl ErrorCounts {
    pub fn errors(&self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors per thousand reference units, rounded; may exceed 1000. `None` without reference units.
    pub fn rate_permille(&self) -> Option<u64> {
        (self.reference_tokens > 0)
            .then(|| (2000 * self.errors() + self.reference_tokens) / (2 * self.reference_tokens))
    }

    /// Errors per reference unit, for display. `None` without reference units.
    pub fn rate(&self) -> Option<f64> {
        (self.reference_tokens > 0).then(|| self.errors() as f64 / self.reference_tokens as f64)
    }

    pub fn add(&mut self, other: &ErrorCounts) {
        self.reference_tokens += other.reference_tokens;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

/// One step of an alignment; indices into reference and hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    Match { reference: usize, hypothesis: usize },
    Substitution { reference: usize, hypothesis: usize },
    Deletion { reference: usize },
    Insertion { hypothesis: usize },
}

/// A cheapest alignment (Levenshtein 1966, all edits cost 1). Memory: one byte per cell of the table.
pub fn align(reference: &[String], hypothesis: &[String]) -> Vec<Edit> {
    align_near(reference, hypothesis, |_, _| 0)
}

/// A cheapest alignment, and among those one with the smallest sum of distances (below 2³⁰ each, such as milliseconds)
/// between what is paired: of two equal words the one at the right time is taken.
pub fn align_near(reference: &[String], hypothesis: &[String], distance: impl Fn(usize, usize) -> u32) -> Vec<Edit> {
    const DIAGONAL: u8 = 0;
    const UP: u8 = 1; // deletion
    const LEFT: u8 = 2; // insertion
    const EDIT: u128 = 1 << 64; // above any sum of distances
    let columns = hypothesis.len() + 1;
    let mut steps = vec![LEFT; (reference.len() + 1) * columns];
    let mut costs: Vec<u128> = (0..columns as u128).map(|edits| edits * EDIT).collect();
    for (i, word) in reference.iter().enumerate() {
        let mut diagonal = costs[0];
        costs[0] = (i as u128 + 1) * EDIT;
        steps[(i + 1) * columns] = UP;
        for (j, heard) in hypothesis.iter().enumerate() {
            let pair = if word == heard { 0 } else { EDIT };
            let replace = diagonal + pair + u128::from(distance(i, j));
            let (delete, insert) = (costs[j + 1] + EDIT, costs[j] + EDIT);
            let best = replace.min(delete).min(insert);
            diagonal = costs[j + 1];
            costs[j + 1] = best;
            steps[(i + 1) * columns + j + 1] = match best {
                _ if best == replace => DIAGONAL,
                _ if best == delete => UP,
                _ => LEFT,
            };
        }
    }
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    let mut edits = Vec::new();
    while i > 0 || j > 0 {
        match steps[i * columns + j] {
            DIAGONAL => {
                (i, j) = (i - 1, j - 1);
                edits.push(if reference[i] == hypothesis[j] {
                    Edit::Match { reference: i, hypothesis: j }
                } else {
                    Edit::Substitution { reference: i, hypothesis: j }
                });
            }
            UP => {
                i -= 1;
                edits.push(Edit::Deletion { reference: i });
            }
            _ => {
                j -= 1;
                edits.push(Edit::Insertion { hypothesis: j });
            }
        }
    }
    edits.reverse();
    edits
}

/// Errors between units as they are.
pub fn count_errors(reference: &[String], hypothesis: &[String]) -> ErrorCounts {
    let mut counts = ErrorCounts { reference_tokens: reference.len() as u64, ..ErrorCounts::default() };
    for edit in align(reference, hypothesis) {
        match edit {
            Edit::Match { .. } => {}
            Edit::Substitution { .. } => counts.substitutions += 1,
            Edit::Deletion { .. } => counts.deletions += 1,
            Edit::Insertion { .. } => counts.insertions += 1,
        }
    }
    counts
}

/// Word errors (English) or character errors (Chinese) after normalisation.
pub fn error_counts(reference: &str, hypothesis: &str, language: Language) -> ErrorCounts {
    count_errors(&units(reference, language), &units(hypothesis, language))
}

/// Normalised words (English) or characters (Chinese).
pub fn units(text: &str, language: Language) -> Vec<String> {
    match language {
        Language::En => normalise_english(text).split_whitespace().map(str::to_string).collect(),
        Language::Zh => normalise_chinese(text).chars().map(|c| c.to_string()).collect(),
    }
}

// ---- English -------------------------------------------------------------------------------------------------------

/// Patterns of this crate are constants, and tests use all of them.
pub(crate) fn pattern(pattern: &str) -> Regex {
    #[allow(clippy::expect_used)]
    Regex::new(pattern).expect("constant pattern")
}

static BEFORE_SYMBOLS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[<\[][^>\]]*[>\]]", ""),
        (r"\(([^)]+?)\)", ""),
        (r"\b(hmm|mm|mhm|mmm|uh|um)\b", ""),
        (r"\s+'", "'"),
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b", "can not"),
        (r"\blet's\b", "let us"),
        (r"\bain't\b", "aint"),
        (r"\by'all\b", "you all"),
        (r"\bwanna\b", "want to"),
        (r"\bgotta\b", "got to"),
        (r"\bgonna\b", "going to"),
        (r"\bi'ma\b", "i am going to"),
        (r"\bimma\b", "i am going to"),
        (r"\bwoulda\b", "would have"),
        (r"\bcoulda\b", "could have"),
        (r"\bshoulda\b", "should have"),
        (r"\bma'am\b", "madam"),
        (r"\bmr\b", "mister "),
        (r"\bmrs\b", "missus "),
        (r"\bst\b", "saint "),
        (r"\bdr\b", "doctor "),
        (r"\bprof\b", "professor "),
        (r"\brep\b", "representative "),
        (r"\bjr\b", "junior "),
        (r"\bsr\b", "senior "),
        (r"'d been\b", " had been"),
        (r"'s been\b", " has been"),
        (r"'d gone\b", " had gone"),
        (r"'s gone\b", " has gone"),
        (r"'d done\b", " had done"),
        (r"'s got\b", " has got"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'s\b", " is"),
        (r"'d\b", " would"),
        (r"'ll\b", " will"),
        (r"'t\b", " not"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
        (r"(\d),(\d)", "$1$2"),
        (r"\.([^0-9]|$)", " $1"),
    ]
    .into_iter()
    .map(|(from, to)| (pattern(from), to))
    .collect()
});

/// Around the numbers: letters from digits, suffixes back, "$2 and ¢7" to "$2.07", "1" to "one".
static BEFORE_NUMBERS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    [(r"([a-z])([0-9])", "$1 $2"), (r"([0-9])([a-z])", "$1 $2"), (r"([0-9])\s+(st|nd|rd|th|s)\b", "$1$2")]
        .map(|(from, to)| (pattern(from), to))
});
static CENTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b"));
static AFTER_NUMBERS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    [(r"\b1(s?)\b", "one$1"), (r"[.$¢€£]([^0-9])", " $1"), (r"([^0-9])%", "$1 ")].map(|(from, to)| (pattern(from), to))
});
static A_HALF: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\w+)\s+and\s+a\s+half\b"));

/// British to American, the words that calls have, in alphabetical order.
const SPELLINGS: &[(&str, &str)] = &[
    ("ageing", "aging"),
    ("aluminium", "aluminum"),
    ("analysed", "analyzed"),
    ("apologise", "apologize"),
    ("apologised", "apologized"),
    ("apologises", "apologizes"),
    ("apologising", "apologizing"),
    ("armour", "armor"),
    ("authorise", "authorize"),
    ("authorised", "authorized"),
    ("authorising", "authorizing"),
    ("behaviour", "behavior"),
    ("behaviours", "behaviors"),
    ("cancelled", "canceled"),
    ("cancelling", "canceling"),
    ("capitalised", "capitalized"),
    ("catalogue", "catalog"),
    ("catalogues", "catalogs"),
    ("centre", "center"),
    ("centred", "centered"),
    ("centres", "centers"),
    ("cheque", "check"),
    ("cheques", "checks"),
    ("colour", "color"),
    ("coloured", "colored"),
    ("colouring", "coloring"),
    ("colours", "colors"),
    ("cosy", "cozy"),
    ("counselling", "counseling"),
    ("counsellor", "counselor"),
    ("criticised", "criticized"),
    ("criticising", "criticizing"),
    ("customise", "customize"),
    ("customised", "customized"),
    ("customising", "customizing"),
    ("defence", "defense"),
    ("dialled", "dialed"),
    ("dialling", "dialing"),
    ("dialogue", "dialog"),
    ("dialogues", "dialogs"),
    ("disc", "disk"),
    ("emphasise", "emphasize"),
    ("endeavour", "endeavor"),
    ("enrol", "enroll"),
    ("favour", "favor"),
    ("favoured", "favored"),
    ("favourite", "favorite"),
    ("favourites", "favorites"),
    ("fibre", "fiber"),
    ("finalise", "finalize"),
    ("finalised", "finalized"),
    ("finalising", "finalizing"),
    ("flavour", "flavor"),
    ("flavours", "flavors"),
    ("fulfil", "fulfill"),
    ("grey", "gray"),
    ("greyed", "grayed"),
    ("honour", "honor"),
    ("honoured", "honored"),
    ("honouring", "honoring"),
    ("hospitalised", "hospitalized"),
    ("humour", "humor"),
    ("instalment", "installment"),
    ("instalments", "installments"),
    ("instil", "instill"),
    ("itemised", "itemized"),
    ("jewellery", "jewelry"),
    ("judgement", "judgment"),
    ("labelled", "labeled"),
    ("labelling", "labeling"),
    ("labour", "labor"),
    ("labours", "labors"),
    ("levelling", "leveling"),
    ("licence", "license"),
    ("likeable", "likable"),
    ("litre", "liter"),
    ("litres", "liters"),
    ("maximise", "maximize"),
    ("memorise", "memorize"),
    ("metre", "meter"),
    ("metres", "meters"),
    ("minimise", "minimize"),
    ("modelled", "modeled"),
    ("mould", "mold"),
    ("moulded", "molded"),
    ("neighbour", "neighbor"),
    ("neighbourhood", "neighborhood"),
    ("neighbouring", "neighboring"),
    ("neighbours", "neighbors"),
    ("odour", "odor"),
    ("offence", "offense"),
    ("offences", "offenses"),
    ("organisation", "organization"),
    ("organisations", "organizations"),
    ("organise", "organize"),
    ("organised", "organized"),
    ("organiser", "organizer"),
    ("organising", "organizing"),
    ("paralysed", "paralyzed"),
    ("personalise", "personalize"),
    ("personalised", "personalized"),
    ("plough", "plow"),
    ("practise", "practice"),
    ("practised", "practiced"),
    ("prioritise", "prioritize"),
    ("prioritised", "prioritized"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("pyjamas", "pajamas"),
    ("realisation", "realization"),
    ("realise", "realize"),
    ("realised", "realized"),
    ("realises", "realizes"),
    ("realising", "realizing"),
    ("recognise", "recognize"),
    ("recognised", "recognized"),
    ("recognises", "recognizes"),
    ("recognising", "recognizing"),
    ("rigour", "rigor"),
    ("rumour", "rumor"),
    ("savoury", "savory"),
    ("sceptical", "skeptical"),
    ("signalling", "signaling"),
    ("specialise", "specialize"),
    ("specialised", "specialized"),
    ("standardised", "standardized"),
    ("storey", "story"),
    ("summarise", "summarize"),
    ("summarised", "summarized"),
    ("summarising", "summarizing"),
    ("theatre", "theater"),
    ("theatres", "theaters"),
    ("tonne", "ton"),
    ("travelled", "traveled"),
    ("traveller", "traveler"),
    ("travellers", "travelers"),
    ("travelling", "traveling"),
    ("tyre", "tire"),
    ("tyres", "tires"),
    ("unauthorised", "unauthorized"),
    ("utilise", "utilize"),
    ("utilised", "utilized"),
    ("vapour", "vapor"),
    ("visualise", "visualize"),
    ("woollen", "woolen"),
    ("yoghurt", "yogurt"),
];

/// English text as Whisper's normaliser writes it: lower case, no punctuation or fillers, contractions opened, numbers in
/// digits, American spelling.
pub fn normalise_english(text: &str) -> String {
    let replace = |text: String, rules: &[(Regex, &str)]| {
        rules.iter().fold(text, |text, (from, to)| from.replace_all(&text, *to).into_owned())
    };
    let text = replace(text.to_lowercase().replace(['’', '‘'], "'"), &BEFORE_SYMBOLS);
    let text: String = text.chars().map(plain).collect();
    let text = A_HALF.replace_all(&text, |found: &regex::Captures| match NumberWord::parse(&found[1]) {
        Some(_) => format!("{} point five", &found[1]),
        None => found[0].to_string(),
    });
    let text = replace(text.into_owned(), &*BEFORE_NUMBERS);
    let text = spoken_numbers(&text.split_whitespace().collect::<Vec<_>>()).join(" ");
    let text =
        CENTS.replace_all(&text, |found: &regex::Captures| format!("{}{}.{:0>2}", &found[1], &found[2], &found[3]));
    let text = replace(text.into_owned() + " ", &*AFTER_NUMBERS);
    text.split_whitespace().map(american).collect::<Vec<_>>().join(" ")
}

/// The American spelling of a word in lower case.
pub(crate) fn american(word: &str) -> &str {
    match SPELLINGS.binary_search_by(|(british, _)| (*british).cmp(word)) {
        Ok(found) => SPELLINGS[found].1,
        Err(_) => word,
    }
}

/// Letters without accents, symbols that belong to numbers, spaces for the rest.
fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        '.' | '%' | '$' | '¢' | '€' | '£' => c,
        c if c.is_alphanumeric() => c,
        _ => ' ',
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberKind {
    Zero,
    Ones,
    Tens,
    Multiplier,
}

/// "seven", "seventh", "sevens": kind, value, and the suffix that ends the number.
#[derive(Clone, Copy)]
struct NumberWord {
    kind: NumberKind,
    value: i128,
    suffix: &'static str,
}

impl NumberWord {
    fn parse(word: &str) -> Option<NumberWord> {
        const ONES: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
                            sixteen seventeen eighteen nineteen";
        const ORDINALS: &str = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth \
                                thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth";
        const TENS: &str = "twenty thirty forty fifty sixty seventy eighty ninety";
        if matches!(word, "o" | "oh" | "zero") {
            return Some(NumberWord { kind: NumberKind::Zero, value: 0, suffix: "" });
        }
        let position = |list: &str, word: &str| list.split_whitespace().position(|w| w == word).map(|i| i as i128);
        let made = |kind, value, suffix| Some(NumberWord { kind, value, suffix });
        if let Some(i) = position(ONES, word) {
            return made(NumberKind::Ones, i + 1, "");
        }
        if let Some(i) = position(ORDINALS, word) {
            let suffix = match i + 1 {
                1 => "st",
                2 => "nd",
                3 => "rd",
                _ => "th",
            };
            return made(NumberKind::Ones, i + 1, suffix);
        }
        if let Some(i) = position(TENS, word) {
            return made(NumberKind::Tens, 10 * (i + 2), "");
        }
        let tens_of = |stem: Option<&str>| position(TENS, &format!("{}y", stem?));
        if let Some(i) = tens_of(word.strip_suffix("ieth")) {
            return made(NumberKind::Tens, 10 * (i + 2), "th");
        }
        if let Some(i) = tens_of(word.strip_suffix("ies")) {
            return made(NumberKind::Tens, 10 * (i + 2), "s");
        }
        let (stem, suffix) = match word {
            _ if word.ends_with("ths") => (word, ""),
            _ if word.ends_with("th") => (word.trim_end_matches("th"), "th"),
            _ if word.ends_with('s') => (word.trim_end_matches('s'), "s"),
            _ => (word, ""),
        };
        let multiplier = match stem {
            "hundred" => Some(100),
            "thousand" => Some(1_000),
            "million" => Some(1_000_000),
            "billion" => Some(1_000_000_000),
            _ => None,
        };
        if let Some(value) = multiplier {
            return made(NumberKind::Multiplier, value, suffix);
        }
        // "sixes" is written so; the original knows "ones", "sevens", …
        match (suffix, if word == "sixes" { Some(5) } else { position(ONES, stem) }) {
            ("s", Some(i)) => made(NumberKind::Ones, i + 1, "s"),
            _ if word == "sixes" => made(NumberKind::Ones, 6, "s"),
            _ => None,
        }
    }
}

/// A number under construction: whole, or digits that are only joined.
enum Value {
    Whole(i128),
    Digits(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Value::Whole(n) => n.to_string(),
            Value::Digits(digits) => digits.clone(),
        }
    }
}

/// Output words and the number being built.
#[derive(Default)]
struct Numbers {
    out: Vec<String>,
    prefix: String,
    value: Option<Value>,
}

impl Numbers {
    fn flush(&mut self, suffix: &str) {
        if let Some(value) = self.value.take() {
            self.word(&(value.text() + suffix));
        }
    }

    fn word(&mut self, word: &str) {
        let prefix = std::mem::take(&mut self.prefix);
        self.out.push(prefix + word);
    }

    fn append(&mut self, digits: &str) {
        let text = self.value.as_ref().map_or(String::new(), Value::text);
        self.value = Some(Value::Digits(text + digits));
    }

    /// Adds a number word to the value, as `process_words` of the original does.
    fn push(&mut self, number: NumberWord, previous: Option<NumberWord>) {
        let n = number.value;
        let follows = |kind| previous.is_some_and(|p| p.kind == kind && p.suffix.is_empty());
        match (number.kind, self.value.take()) {
            // The original starts anew at 0: "" + "0".
            (NumberKind::Zero, Some(Value::Whole(0))) => self.value = Some(Value::Digits("0".into())),
            (NumberKind::Zero, value) => {
                self.value = value;
                self.append("0");
            }
            (_, None) => self.value = Some(Value::Whole(n)),
            (NumberKind::Ones, Some(value)) if matches!(value, Value::Digits(_)) || follows(NumberKind::Ones) => {
                let mut text = value.text();
                if follows(NumberKind::Tens) && n < 10 {
                    text.pop();
                }
                self.value = Some(Value::Digits(text + &n.to_string()));
            }
            (NumberKind::Ones | NumberKind::Tens, Some(Value::Whole(value))) => {
                let room = if number.kind == NumberKind::Ones && n < 10 { 10 } else { 100 };
                self.value = Some(if value % room == 0 {
                    Value::Whole(value + n)
                } else {
                    Value::Digits(format!("{value}{n}"))
                });
            }
            (NumberKind::Ones | NumberKind::Tens, Some(Value::Digits(text))) => {
                self.value = Some(Value::Digits(format!("{text}{n}")));
            }
            (NumberKind::Multiplier, Some(Value::Whole(value))) if value != 0 => {
                self.value = Some(Value::Whole(value / 1000 * 1000 + value % 1000 * n));
            }
            (NumberKind::Multiplier, Some(value)) => match times(&value.text(), n) {
                Some(product) => self.value = Some(Value::Whole(product)),
                None => {
                    self.value = Some(value);
                    self.flush("");
                    self.value = Some(Value::Whole(n));
                }
            },
        }
        if !number.suffix.is_empty() {
            self.flush(number.suffix);
        }
    }
}

/// Decimal text times a power of ten; `None` when the product is not whole.
fn times(decimal: &str, multiplier: i128) -> Option<i128> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let scale = 10_i128.checked_pow(fraction.len() as u32)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(multiplier)?;
    (product % scale == 0).then_some(product / scale)
}

fn is_arabic(word: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match word.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(word),
    }
}

/// Spoken numbers to digits: the state machine of Whisper's `EnglishNumberNormalizer.process_words`.
fn spoken_numbers(words: &[&str]) -> Vec<String> {
    const SIGNS: &[(&str, &str)] = &[("minus", "-"), ("negative", "-"), ("plus", "+"), ("positive", "+")];
    const CURRENCIES: &[(&str, &str)] = &[
        ("pound", "£"),
        ("pounds", "£"),
        ("euro", "€"),
        ("euros", "€"),
        ("dollar", "$"),
        ("dollars", "$"),
        ("cent", "¢"),
        ("cents", "¢"),
    ];
    let find = |table: &[(&str, &'static str)], word: &str| table.iter().find(|(w, _)| *w == word).map(|(_, to)| *to);
    let is_special = |word: &str| matches!(word, "and" | "double" | "triple" | "point" | "per" | "percent");
    // Words that the original counts as part of numbers when they come next.
    let in_numbers = |word: &str| {
        NumberWord::parse(word).is_some()
            || is_special(word)
            || find(SIGNS, word).is_some()
            || find(CURRENCIES, word).is_some()
            || is_arabic(word)
    };
    let mut numbers = Numbers::default();
    let mut i = 0;
    while i < words.len() {
        let word = words[i];
        let next = words.get(i + 1).copied();
        let previous = i.checked_sub(1).map(|p| words[p]);
        let bare = word.strip_prefix(['-', '+', '£', '€', '$', '¢']).unwrap_or(word);
        if is_arabic(bare) {
            if let Some(Value::Digits(text)) = numbers.value.as_mut().filter(|v| v.text().ends_with('.')) {
                text.push_str(word);
                i += 1;
                continue;
            }
            numbers.flush("");
            if bare.len() < word.len() {
                numbers.prefix = word[..word.len() - bare.len()].to_string();
            }
            numbers.value = Some(match bare.parse() {
                Ok(whole) => Value::Whole(whole),
                Err(_) => Value::Digits(bare.to_string()),
            });
        } else if let Some(number) = NumberWord::parse(word) {
            numbers.push(number, previous.and_then(NumberWord::parse));
        } else if let Some(sign) = find(SIGNS, word) {
            numbers.flush("");
            if next.is_some_and(in_numbers) {
                numbers.prefix = sign.to_string();
            } else {
                numbers.word(word);
            }
        } else if let Some(currency) = find(CURRENCIES, word) {
            if numbers.value.is_some() {
                numbers.prefix = currency.to_string();
                numbers.flush("");
            } else {
                numbers.word(word);
            }
        } else if word == "percent" && numbers.value.is_some() {
            numbers.flush("%");
        } else if word == "per" && next == Some("cent") && numbers.value.is_some() {
            numbers.flush("%");
            i += 1;
        } else if word == "and"
            && previous
                .and_then(NumberWord::parse)
                .is_some_and(|p| p.kind == NumberKind::Multiplier && p.suffix.is_empty())
            && next.is_some_and(in_numbers)
        {
            // "one hundred and five": nothing is said by this "and".
        } else if let ("double" | "triple", Some(digit)) = (word, next.and_then(NumberWord::parse))
            && matches!(digit.kind, NumberKind::Zero | NumberKind::Ones)
            && digit.suffix.is_empty()
        {
            numbers.append(&digit.value.to_string().repeat(if word == "double" { 2 } else { 3 }));
            i += 1;
        } else if word == "point"
            && next.is_some_and(|n| {
                is_arabic(n)
                    || NumberWord::parse(n).is_some_and(|n| n.kind != NumberKind::Multiplier && n.suffix.is_empty())
            })
        {
            numbers.append(".");
        } else {
            numbers.flush("");
            numbers.word(word);
        }
        i += 1;
    }
    numbers.flush("");
    numbers.out
}

// ---- Chinese -------------------------------------------------------------------------------------------------------

/// Chinese text for character error rates: half width, lower case, no punctuation or spaces, numerals in digits
/// (三百二十 = 320, 一三八 = 138, 百分之五 = 5%). Traditional and simplified characters stay as they are.
pub fn normalise_chinese(text: &str) -> String {
    let half_width = text.chars().map(|c| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    });
    let text: String = half_width.flat_map(char::to_lowercase).collect();
    let chars: Vec<char> = PERCENT.replace_all(&text, "百分之$1").chars().collect();
    let mut out = String::new();
    let mut i = 0;
    while i < chars.len() {
        let run = chars[i..].iter().take_while(|c| numeral(**c).is_some()).count();
        if chars[i..].starts_with(&['百', '分', '之']) {
            out.push_str("百分之");
            i += 3;
        } else if run > 0 {
            out.push_str(&chinese_number(&chars[i..i + run]));
            i += run;
        } else {
            // A spoken decimal point is no character of its own, for "3.5" loses its point too.
            let digit = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_digit() || numeral(*c).is_some_and(|n| n < 10));
            let is_point = chars[i] == '点' && i > 0 && digit(chars.get(i - 1)) && digit(chars.get(i + 1));
            if chars[i].is_alphanumeric() && !is_point {
                out.push(chars[i]);
            }
            i += 1;
        }
    }
    out
}

static PERCENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9]+(?:\.[0-9]+)?)\s*%"));

fn numeral(c: char) -> Option<u64> {
    const DIGITS: [&str; 10] = ["零〇", "一壹幺", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"];
    if let Some(digit) = DIGITS.iter().position(|forms| forms.contains(c)) {
        return Some(digit as u64);
    }
    match c {
        '十' | '拾' => Some(10),
        '百' | '佰' => Some(100),
        '千' | '仟' => Some(1_000),
        '万' => Some(10_000),
        '亿' => Some(100_000_000),
        _ => None,
    }
}

/// A run of numerals in digits: by place value when it has units, else digit by digit.
fn chinese_number(run: &[char]) -> String {
    let values: Vec<u64> = run.iter().filter_map(|c| numeral(*c)).collect();
    if values.iter().all(|value| *value < 10) {
        return values.iter().map(|digit| digit.to_string()).collect();
    }
    place_value(&values).to_string()
}

/// 三百二十 = 320, 一万零五 = 10005, and shortened 两百五 = 250, 三万五 = 35000.
fn place_value(values: &[u64]) -> u64 {
    for unit in [100_000_000, 10_000] {
        if let Some(at) = values.iter().rposition(|value| *value == unit) {
            let left = if at == 0 { 1 } else { place_value(&values[..at]) };
            let right = match &values[at + 1..] {
                [digit] if (1..10).contains(digit) => digit * unit / 10,
                rest => place_value(rest),
            };
            return left.saturating_mul(unit).saturating_add(right);
        }
    }
    let (mut sum, mut digit, mut last_unit) = (0u64, None, 1);
    for value in values {
        match value {
            0 => (digit, last_unit) = (Some(0), 1), // a zero says that the next digit stands for itself
            1..=9 => digit = Some(*value),
            unit => {
                sum = sum.saturating_add(digit.take().unwrap_or(1) * unit);
                last_unit = *unit;
            }
        }
    }
    let rest = digit.unwrap_or(0) * if last_unit >= 100 { last_unit / 10 } else { 1 };
    sum.saturating_add(rest)
}
