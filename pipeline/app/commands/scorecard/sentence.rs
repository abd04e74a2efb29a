//! One sentence of a company's script: whether it asks or forbids, where it belongs, and phrases by which it is recognised.

use std::sync::LazyLock;

use callmark_core::recogniser_noise::frequency_rank;
use callmark_core::recording::{Language, is_han};
use regex::Regex;

/// Words up to this frequency rank (Chinese: characters) say little about a sentence.
const COMMON_RANK: u32 = 100;
/// A variant must keep this share of the sentence's content.
const VARIANT_PERCENT: usize = 60;
/// Words of which one must be heard.
const MUST_WORDS: usize = 2;

/// Where in the call a sentence is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Beginning,
    End,
    Anywhere,
}

/// What is known about one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// As it is written, with placeholders filled by an example.
    pub text: String,
    pub language: Language,
    /// The rep must not say it.
    pub forbidden: bool,
    pub place: Place,
    pub is_question: bool,
    /// The sentence without end marks, and shorter ways to say it; empty when it has placeholders.
    pub phrases: Vec<String>,
    /// The rarest words, one of which must be heard; may be empty.
    pub must: Vec<String>,
    /// A pattern, for a sentence with placeholders.
    pub pattern: Option<String>,
}

fn pattern(pattern: &str) -> Regex {
    #[allow(clippy::expect_used)]
    Regex::new(pattern).expect("constant pattern")
}

static LIST_MARK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:[-*•·]|\(?[0-9]{1,3}(?:[.)]\s|[)、）])|[（(][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、)\s*",
    )
});
static SENTENCE_END: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([.!?][”"']?\s+|[。！？][”"」』]?)"#));
static PLACEHOLDER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>|【[^】]*】|_{2,}|[×X]{2,}|…+|\.{3,}"));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"["“「『]([^"”」』]+)["”」』]"#));
static FORBIDDEN_EN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)^(?:(?:(?:the |our )?(?:reps?|agents?|advisors?|staff|callers?|employees|you) )?",
        r"(?:must never|must not|mustn't|may not|may never|shall not|shall never|should never|should not|never|do not|don't|",
        r"(?:are|is) not (?:allowed|permitted) to|it is (?:forbidden|prohibited|not allowed) to)",
        r"|no (?:rep|agent|advisor|employee|member of staff)s? (?:shall|may|should|must|can|(?:is|are) allowed to)",
        r"|(?:under no circumstances|at no time),?(?: (?:should|may|must|shall|do) (?:(?:the |our )?(?:reps?|agents?|advisors?|staff)|you))?",
        r"|avoid|refrain from) (?:ever )?",
        r"(?:(?:say(?:ing)?|tell(?:ing)?|stat(?:e|ing)|mention(?:ing)?|claim(?:ing)?|promis(?:e|ing)|us(?:e|ing)|disclos(?:e|ing)|reveal(?:ing)?|imply(?:ing)?)",
        r"(?: (?:to )?(?:the |a |any )?(?:customers?|callers?|clients?))?(?: that| words like| the words?)? ",
        r"|(?:guarantee|ask|offer|threaten|pressure|insult|call|suggest|discuss|read|request|speak)(?:ing)?\b|blam(?:e|ing)\b)"
    ))
});
static SPEECH_EN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:guarantee|ask|offer|threaten|pressure|insult|call|blam(?:e|ing)|suggest|discuss|read|request|speak)(?:ing)?$",
    )
});
static FORBIDDEN_ZH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "^(?:坐席|客服|客服代表|销售|员工|座席|催收员)?(?:在?通话中)?(?:在?任何(?:情况|时候|时间)下?)?(?:都|均|一律)?(?:(?:不得|禁止|严禁|切勿|切忌|避免|不准|不许|不应该|不应当|不应)(?:向客户|对客户)?(?:说|讲|提及|提到|使用|承诺|宣称|表示)?|(?:不能|不可以|不要|绝不能|请勿)(?:向客户|对客户)?(?:说|讲|提及|提到|使用|承诺|宣称|表示))[：:，,]?",
    )
});
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:hello|hi\b|good (?:morning|afternoon|evening)|welcome|thank you for calling|thanks for calling|my name is|您好|你好|欢迎|早上好|上午好|下午好|晚上好|喂)|\bcalls? (?:is|are|may be|will be|is being) recorded|(?:通话|电话).{0,4}录音",
    )
});
static GOODBYE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:goodbye|bye|have a (?:nice|good|great|lovely|wonderful) (?:day|afternoon|evening|night|weekend))\b|再见|感谢您的接听",
    )
});
static END: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:thank you for your time|anything else (?:i|we) can)\b|祝您|祝你|还有其他(?:问题|需要)|还有什么可以帮",
    )
});
const COURTESIES: &[&str] = &[
    "please note that ",
    "please be aware that ",
    "please be advised that ",
    "i would like to inform you that ",
    "i would like to let you know that ",
    "i'd like to let you know that ",
    "i have to inform you that ",
    "just so you know ",
    "just to let you know ",
    "for your information ",
    "hello ",
    "hi ",
    "good morning ",
    "good afternoon ",
    "please ",
    "请您注意",
    "请注意",
    "温馨提示",
    "跟您说明一下",
    "跟您说一下",
    "我需要告知您",
    "告知您",
    "您好",
    "你好",
    "麻烦您",
    "请您",
];

/// The sentences of a script: list marks, headings (`#`) and empty lines left out.
pub fn sentences(script: &str) -> Vec<Sentence> {
    let lines = script.trim_start_matches('\u{FEFF}').lines().map(str::trim);
    let mut out = Vec::new();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let line = LIST_MARK.replace(line, "");
        let mut begin = 0;
        let ends = SENTENCE_END.find_iter(&line).map(|found| found.end()).chain([line.len()]);
        for end in ends {
            out.extend(Sentence::new(line[begin..end].trim()));
            begin = end;
        }
    }
    out
}

impl Sentence {
    /// `None` for what has no words.
    pub fn new(written: &str) -> Option<Sentence> {
        let language = Language::of_text(written)?;
        let lead = match language {
            Language::En => &*FORBIDDEN_EN,
            Language::Zh => &*FORBIDDEN_ZH,
        };
        let forbidden = lead.find(written);
        let said: Vec<String> = match (forbidden, QUOTED.captures_iter(written).next()) {
            (Some(_), Some(_)) => QUOTED.captures_iter(written).map(|quoted| quoted[1].to_string()).collect(),
            (Some(found), None) => {
                // "never guarantee a return": what is forbidden begins with the verb.
                let verb = SPEECH_EN.find(found.as_str()).map_or(found.end(), |verb| verb.start());
                vec![written[verb..].to_string()]
            }
            (None, _) => vec![written.to_string()],
        };
        let place = if forbidden.is_some() {
            Place::Anywhere
        } else if GOODBYE.is_match(written) {
            // "Thank you for calling, goodbye": how it ends outweighs how it begins.
            Place::End
        } else if BEGINNING.is_match(written) {
            Place::Beginning
        } else if END.is_match(written) {
            Place::End
        } else {
            Place::Anywhere
        };
        let filled = |text: &str| {
            let name = if language == Language::Zh { "小王" } else { "Anna" };
            PLACEHOLDER.replace_all(text, name).trim().to_string()
        };
        let is_question = written.ends_with(['?', '？']) || written.trim_end_matches('。').ends_with('吗');
        let mut sentence = Sentence {
            text: filled(&said[0]),
            language,
            forbidden: forbidden.is_some(),
            place,
            is_question,
            phrases: Vec::new(),
            must: Vec::new(),
            pattern: None,
        };
        if PLACEHOLDER.is_match(&said[0]) {
            sentence.pattern = Some(with_gaps(&said[0], language));
            return Some(sentence);
        }
        let whole: Vec<String> = said.iter().map(|text| without_marks(text)).filter(|text| !text.is_empty()).collect();
        if whole.is_empty() {
            return None;
        }
        sentence.phrases = whole.clone();
        if sentence.forbidden {
            // What else one may say in between changes nothing about a short forbidden phrase.
            return Some(sentence);
        }
        sentence.phrases.extend(variants(&whole[0], language));
        sentence.must = rarest(&sentence.phrases, language);
        Some(sentence)
    }

    /// A name for the requirement: the first words with content.
    pub fn id(&self) -> String {
        let source = self.phrases.first().unwrap_or(&self.text);
        match self.language {
            Language::En => {
                let words = words(source).into_iter().filter(|word| is_content(word));
                let picked: Vec<String> = words.map(|w| w.replace('\'', "")).take(4).collect();
                if picked.is_empty() { "sentence".to_string() } else { picked.join("_") }
            }
            Language::Zh => source.chars().filter(|c| is_han(*c)).take(8).collect(),
        }
    }
}

/// Without the marks around it.
fn without_marks(text: &str) -> String {
    text.trim_matches(|c: char| !c.is_alphanumeric()).to_string()
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
    split.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn is_content(word: &str) -> bool {
    word.chars().count() > 2 && frequency_rank(word, Language::En).is_none_or(|rank| rank > COMMON_RANK)
}

/// Content words, or Chinese characters.
fn content(text: &str, language: Language) -> usize {
    match language {
        Language::En => words(text).iter().filter(|word| is_content(word)).count(),
        Language::Zh => text.chars().filter(|c| is_han(*c)).count(),
    }
}

/// Shorter ways to say it: without an opening courtesy, or only the clause that holds most of it.
fn variants(phrase: &str, language: Language) -> Vec<String> {
    let least = (content(phrase, language) * VARIANT_PERCENT).div_ceil(100).max(2);
    let lower = phrase.to_lowercase();
    let bare = lower.replace([',', '，'], "");
    let courtesy = COURTESIES.iter().find(|c| bare.starts_with(**c)).map(|c| bare[c.len()..].to_string());
    let clauses = lower.split([',', ';', '，', '；', '、', '—', ':', '：']).map(without_marks);
    let mut found: Vec<String> = Vec::new();
    for variant in courtesy.into_iter().chain(clauses).map(|v| v.trim().to_string()) {
        let enough = language == Language::Zh && content(&variant, language) >= 4
            || language == Language::En && words(&variant).len() >= 3;
        if enough && content(&variant, language) >= least && variant != lower && !found.contains(&variant) {
            found.push(variant);
        }
    }
    found
}

/// The rarest words that all phrases have, one of which must be heard; Chinese: pairs of characters.
fn rarest(phrases: &[String], language: Language) -> Vec<String> {
    let rank = |unit: &str| frequency_rank(unit, language).unwrap_or(10_000);
    let shortest = phrases.iter().min_by_key(|phrase| phrase.chars().count());
    let source = shortest.map_or("", String::as_str);
    let mut candidates: Vec<(u32, String)> = match language {
        Language::En => {
            words(source).into_iter().filter(|w| is_content(w) && w.len() >= 4).map(|w| (rank(&w), w)).collect()
        }
        Language::Zh => {
            let chars: Vec<char> = source.chars().collect();
            let pairs =
                chars.windows(2).filter(|pair| pair.iter().all(|c| is_han(*c) && rank(&c.to_string()) > COMMON_RANK));
            pairs.map(|pair| (rank(&pair[0].to_string()) + rank(&pair[1].to_string()), pair.iter().collect())).collect()
        }
    };
    candidates.retain(|(_, unit)| phrases.iter().all(|phrase| phrase.to_lowercase().contains(unit.as_str())));
    candidates.sort_by_key(|(rank, unit)| (std::cmp::Reverse(*rank), unit.clone()));
    candidates.dedup();
    let mut kept: Vec<String> = Vec::new();
    for (_, unit) in candidates {
        // Chinese pairs that overlap are one piece of evidence, not two.
        let overlaps = language == Language::Zh && kept.iter().any(|k| k.chars().any(|c| unit.contains(c)));
        if !overlaps && kept.len() < MUST_WORDS {
            kept.push(unit);
        }
    }
    kept
}

/// The parts of a sentence with anything short in place of its placeholders, in the form in which patterns see text.
fn with_gaps(text: &str, language: Language) -> String {
    let parts = PLACEHOLDER.split(text).map(|part| match language {
        Language::En => words(part).iter().map(|w| regex::escape(w)).collect::<Vec<_>>().join(" "),
        Language::Zh => {
            let kept: String = part.chars().filter(|c| c.is_alphanumeric()).collect();
            regex::escape(&kept)
        }
    });
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(if language == Language::En { " .{1,40}? " } else { ".{1,20}?" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Sentence {
        Sentence::new(text).expect(text)
    }

    #[test]
    fn a_script_is_cut_into_sentences() {
        let script = "# Opening\n1. Good morning! This call is recorded.\n\n- May I ask how old you are?\n（一）您好，这里是北风保险。本次通话将被录音。";
        let texts: Vec<String> = sentences(script).into_iter().map(|s| s.text).collect();
        let expected = [
            "Good morning!",
            "This call is recorded.",
            "May I ask how old you are?",
            "您好，这里是北风保险。",
            "本次通话将被录音。",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn what_must_not_be_said() {
        for (written, phrases) in [
            ("Never say \"guaranteed return\" or \"no risk at all\".", vec!["guaranteed return", "no risk at all"]),
            ("Reps must not promise that the price never changes.", vec!["the price never changes"]),
            ("Never guarantee a profit", vec!["guarantee a profit"]),
            ("No rep shall claim that the grant covers everything.", vec!["the grant covers everything"]),
            ("Under no circumstances say that we share data.", vec!["we share data"]),
            ("It is prohibited to disclose the discount code.", vec!["the discount code"]),
            ("Avoid saying it is your own fault.", vec!["it is your own fault"]),
            ("Refrain from blaming the customer", vec!["blaming the customer"]),
            ("不得承诺保本保息。", vec!["保本保息"]),
            ("客服不应提及内部折扣码。", vec!["内部折扣码"]),
            ("任何情况下都不得承诺当天上门。", vec!["当天上门"]),
            ("禁止对客户说“稳赚不赔”", vec!["稳赚不赔"]),
        ] {
            let sentence = one(written);
            assert!(sentence.forbidden, "{written}");
            assert_eq!(sentence.phrases, phrases, "{written}");
        }
        for said in [
            "We will never ask for your password.",
            "Don't worry, we will call you back.",
            "Please do not hang up.",
            "You may not hear from us until Monday.",
            "您不要着急。",
            "我们不能查看您的密码。",
        ] {
            assert!(!one(said).forbidden, "{said}");
        }
    }

    #[test]
    fn where_it_is_said() {
        assert_eq!(one("Hello, thank you for calling Northwind.").place, Place::Beginning);
        assert_eq!(one("本次通话将被录音。").place, Place::Beginning);
        assert_eq!(one("Have a nice day.").place, Place::End);
        assert_eq!(one("Thank you for calling Northwind, have a great day.").place, Place::End);
        assert_eq!(one("您好，祝您新年快乐。").place, Place::Beginning);
        assert_eq!(one("感谢您的接听，再见。").place, Place::End);
        assert_eq!(one("You can cancel within fourteen days.").place, Place::Anywhere);
        assert!(one("May I ask how old you are?").is_question && one("您确认办理吗").is_question);
    }

    #[test]
    fn phrases_and_words_that_must_be_heard() {
        let sentence = one("Please note that you can cancel the contract within fourteen days.");
        assert_eq!(sentence.phrases[1], "you can cancel the contract within fourteen days");
        assert!(sentence.must.contains(&"fourteen".to_string()), "{:?}", sentence.must);
        let sentence = one("请注意，投保后有十五天犹豫期。");
        assert_eq!(sentence.phrases[1], "投保后有十五天犹豫期");
        assert!(sentence.must.contains(&"犹豫".to_string()), "{:?}", sentence.must);
        assert_eq!(one("Your premium may rise.").id(), "premium_may_rise");
        assert_eq!(one("请注意，投保后有十五天犹豫期。").id(), "请注意投保后有十");
    }

    #[test]
    fn placeholders_become_gaps() {
        let sentence = one("My name is {name} calling from [company].");
        assert_eq!(sentence.text, "My name is Anna calling from Anna.");
        let regex = Regex::new(&format!("(?i){}", sentence.pattern.unwrap())).unwrap();
        assert!(regex.is_match("hello my name is john smith calling from northwind"));
        assert!(!regex.is_match("my name is not important"));
        let regex = Regex::new(&one("您好，我是××公司的客服").pattern.unwrap()).unwrap();
        assert!(regex.is_match("您好我是北风公司的客服"));
    }
}
