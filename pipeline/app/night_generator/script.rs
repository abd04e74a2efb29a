//! What is said in one text call: the beats of `sentences.toml` in order, with mistakes by the rep's skill, and when.

use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;
use callmark_core::transcript::Role;
use serde::Deserialize;

use super::centre::{Campaign, Rep};
use super::random::Random;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentences {
    beat: Vec<Beat>,
    talk: Vec<Talk>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beat {
    call: String,
    language: String,
    #[serde(default = "always")]
    share_permille: u32,
    #[serde(default)]
    keeps: Vec<String>,
    #[serde(default)]
    turns: Vec<String>,
    #[serde(default)]
    fault: Vec<Fault>,
    #[serde(default)]
    talk: bool,
    /// Occurs when the beat before it did not.
    #[serde(default)]
    otherwise: bool,
}

fn always() -> u32 {
    1000
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    requirement: String,
    #[serde(default = "missed")]
    outcome: String,
    rate_permille: u32,
    turns: Vec<String>,
}

fn missed() -> String {
    "missed".into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Talk {
    language: String,
    exchanges: Vec<Vec<String>>,
}

fn sentences() -> Result<&'static Sentences> {
    static SENTENCES: OnceLock<Result<Sentences, toml::de::Error>> = OnceLock::new();
    let read = SENTENCES.get_or_init(|| toml::from_str(include_str!("sentences.toml")));
    read.as_ref().map_err(|e| anyhow::anyhow!("{e}")).context("the built-in sentences are damaged")
}

/// One turn with its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub role: Role,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// The sentence before its slots were filled.
    pub template: &'static str,
}

/// What a check must find in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    pub requirement: String,
    /// `missed`, `violated` or `clean`.
    pub outcome: String,
    /// Empty where the call as a whole is meant.
    pub span: Option<(i64, i64)>,
}

#[derive(Clone, Debug, Default)]
pub struct Script {
    pub lines: Vec<Line>,
    pub planted: Vec<Planted>,
}

/// What one call is about.
pub struct Subject<'a> {
    pub campaign: &'a Campaign,
    pub rep: &'a Rep,
    pub language: Language,
    /// Chance of a mistake, relative to the average.
    pub mistakes_permille: i64,
    pub daypart: usize,
    /// A made-up word that occurs in this call alone.
    pub rare_word: &'a str,
    pub seconds: f64,
}

#[rustfmt::skip]
const SLOTS: [(&str, &[&str], &[&str]); 10] = [
    ("customer", &["Anna Field", "Ben Carter", "Mary Stone", "Jack Hill", "Rose Baker", "Tom Fisher"], &["老陈", "老林", "小何", "老高", "小罗"]),
    ("city", &["Boston", "Springfield", "Oakland", "Riverside", "Salem", "Bristol", "Dover", "Lincoln", "Madison", "Newport"], &["南京", "苏州", "青岛", "成都", "厦门", "长沙", "西安", "大连"]),
    ("relative", &["husband", "daughter", "mother", "brother", "son", "sister", "father", "neighbor"], &["孩子", "我先生", "我妈", "我爸", "我姐", "我弟弟", "奶奶"]),
    ("month", &["January", "February", "March", "April", "May", "June", "October", "November"], &["一月", "二月", "三月", "四月", "五月", "十月", "十一月"]),
    ("weekday", &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"], &["周一", "周二", "周三", "周四", "周五", "周六"]),
    ("gift", &["router", "tablet", "camera", "speaker", "replacement car", "smart lamp", "travel bag"], &["路由器", "平板", "摄像头", "音箱", "台灯", "净水器"]),
    ("thing", &["plan", "contract", "policy", "line"], &["套餐"]),
    ("item", &["bill", "order", "address", "contract", "invoice", "phone line"], &["账单", "订单", "地址", "合同", "发票", "线路"]),
    ("small", &["two", "three", "four", "five", "six", "seven", "eight", "ten"], &["两", "三", "四", "五", "六", "七", "八", "十"]),
    ("daypart", &["morning", "afternoon", "evening"], &["早上", "下午", "晚上"]),
];
const TENS: [&str; 7] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty"];
const ONES: [&str; 9] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const DIGITS_ZH: [&str; 9] = ["一", "二", "三", "四", "五", "六", "七", "八", "九"];

impl Subject<'_> {
    fn fill(&self, slot: &str, random: &mut Random) -> String {
        let chinese = self.language == Language::Zh;
        let fixed = match slot {
            "company" if chinese => self.campaign.company_zh,
            "company" => self.campaign.company_en,
            "topic" if chinese => self.campaign.topic_zh,
            "topic" => self.campaign.topic_en,
            "product" if chinese => self.campaign.product_zh,
            "product" => self.campaign.product_en,
            "rep" if chinese => self.rep.name_zh,
            "rep" => self.rep.name_en,
            "word" => self.rare_word,
            _ => "",
        };
        let digits = |count: usize, random: &mut Random| -> String {
            let list = if chinese { &DIGITS_ZH } else { &ONES };
            let said: Vec<&str> = (0..count).map(|_| random.pick(list)).collect();
            said.join(if chinese { "" } else { " " })
        };
        match slot {
            _ if !fixed.is_empty() => fixed.to_string(),
            "digits" => digits(4, random),
            "number" | "price" if chinese => format!("{}十{}", random.pick(&DIGITS_ZH), random.pick(&DIGITS_ZH)),
            "number" | "price" => format!("{} {}", random.pick(&TENS), random.pick(&ONES)),
            "daypart" => {
                let (_, english, mandarin) = SLOTS[9];
                (if chinese { mandarin } else { english })[self.daypart.min(2)].to_string()
            }
            _ => SLOTS
                .iter()
                .find(|(name, ..)| *name == slot)
                .map(|(_, english, mandarin)| random.pick(if chinese { mandarin } else { english }).to_string())
                .unwrap_or_default(),
        }
    }
}

/// One variant of a turn, with its slots filled. Within an exchange a slot keeps its value: who asks about Friday hears of Friday.
fn say(
    turn: &'static str,
    subject: &Subject,
    filled: &mut Vec<(String, String)>,
    random: &mut Random,
) -> Result<(Role, String, &'static str)> {
    let (role, variants) = match turn.split_at_checked(3) {
        Some(("R: ", variants)) => (Role::Rep, variants),
        Some(("C: ", variants)) => (Role::Customer, variants),
        _ => bail!("a turn of the built-in sentences has no speaker: {turn}"),
    };
    let variants: Vec<&str> = variants.split(" | ").collect();
    let mut text = String::new();
    let template = random.pick(&variants);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((slot, after)) = after.split_once('}') else { bail!("an open slot: {turn}") };
        let value = match filled.iter().find(|(name, _)| name == slot) {
            Some((_, value)) => value.clone(),
            None => subject.fill(slot, random),
        };
        if value.is_empty() {
            bail!("an unknown slot: {turn}");
        }
        text.push_str(before);
        text.push_str(&value);
        filled.push((slot.to_string(), value));
        rest = after;
    }
    text.push_str(rest);
    let mut letters = text.chars();
    let text = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    Ok((role, text, template))
}

/// Milliseconds that a text takes to say: about 155 words, or 240 Chinese characters, a minute.
pub fn spoken_ms(text: &str, language: Language) -> i64 {
    match language {
        Language::Zh => text.chars().filter(|c| c.is_alphanumeric()).count() as i64 * 250,
        Language::En => text.split_whitespace().count() as i64 * 385,
    }
}

/// Lays turns one after the other.
struct Clock<'a> {
    subject: &'a Subject<'a>,
    now_ms: i64,
    script: Script,
}

impl Clock<'_> {
    /// Adds the turns of an exchange; their span.
    fn add(&mut self, turns: &'static [String], random: &mut Random) -> Result<(i64, i64)> {
        let (mut filled, mut begin) = (Vec::new(), None);
        for turn in turns {
            let (role, text, template) = say(turn, self.subject, &mut filled, random)?;
            let gap = 300 + random.below(700) as i64;
            let pace = random.between(900, 1_100);
            let begin_ms = self.now_ms + gap;
            let end_ms = begin_ms + (spoken_ms(&text, self.subject.language) * pace / 1000).max(400);
            self.script.lines.push(Line { role, begin_ms, end_ms, text, template });
            self.now_ms = end_ms;
            begin = begin.or(Some(begin_ms));
        }
        Ok((begin.unwrap_or(self.now_ms), self.now_ms))
    }

    fn plant(&mut self, requirement: &str, outcome: &str, span: Option<(i64, i64)>) {
        self.script.planted.push(Planted { requirement: requirement.into(), outcome: outcome.into(), span });
    }
}

/// Writes one call.
pub fn write(subject: &Subject, random: &mut Random) -> Result<Script> {
    let all = sentences()?;
    let tag = subject.language.code();
    let beats: Vec<&'static Beat> =
        all.beat.iter().filter(|b| b.call == subject.campaign.call_type && b.language == tag).collect();
    let talk: Vec<&'static [String]> =
        all.talk.iter().filter(|t| t.language == tag).flat_map(|t| &t.exchanges).map(Vec::as_slice).collect();
    if beats.is_empty() || talk.is_empty() {
        bail!("there are no sentences for {} in {tag}", subject.campaign.call_type);
    }
    let mut clock = Clock { subject, now_ms: 200, script: Script::default() };
    // The beats take about 90 s; ordinary talk fills the rest.
    let talk_ms = (subject.seconds * 1000.0) as i64 - 90_000;
    let mut occurred = true;
    for beat in beats {
        if beat.talk {
            let end_ms = clock.now_ms + talk_ms;
            let mut left = Vec::new();
            while clock.now_ms < end_ms {
                if left.is_empty() {
                    left = talk.clone();
                }
                let exchange = left.swap_remove(random.below(left.len()));
                odd_moment(&mut clock, exchange.first().is_some_and(|turn| turn.starts_with("R: ")), random);
                clock.add(exchange, random)?;
            }
            continue;
        }
        occurred = if beat.otherwise { !occurred } else { random.chance(beat.share_permille) };
        if !occurred {
            continue;
        }
        let rate = |fault: &Fault| i64::from(fault.rate_permille) * subject.mistakes_permille / 1000;
        let made = beat.fault.iter().find(|fault| random.chance(rate(fault).clamp(0, 900) as u32));
        match made {
            Some(fault) => {
                let (begin, end) = clock.add(&fault.turns, random)?;
                let span = (fault.outcome == "violated").then_some((begin, end));
                clock.plant(&fault.requirement, &fault.outcome, span);
            }
            None => {
                clock.add(&beat.turns, random)?;
                for requirement in &beat.keeps {
                    clock.plant(requirement, "clean", None);
                }
            }
        }
    }
    Ok(clock.script)
}

/// A sentence of ordinary talk by one role, which no requirement looks for.
pub fn small_talk(role: Role, subject: &Subject, random: &mut Random) -> Result<String> {
    let (tag, mark) = (subject.language.code(), if role == Role::Rep { "R: " } else { "C: " });
    let turns = sentences()?.talk.iter().filter(|t| t.language == tag).flat_map(|t| t.exchanges.iter().flatten());
    let own: Vec<&'static str> = turns.map(String::as_str).filter(|turn| turn.starts_with(mark)).collect();
    let (_, text, _) = say(random.pick(&own), subject, &mut Vec::new(), random)?;
    Ok(text)
}

/// Now and then a long silence or an interruption by the rep, in talk where nothing else is checked.
fn odd_moment(clock: &mut Clock, rep_is_next: bool, random: &mut Random) {
    let rate = |average: i64| (average * clock.subject.mistakes_permille / 1000).clamp(0, 900) as u32;
    if random.chance(rate(8)) {
        let begin = clock.now_ms;
        clock.now_ms += random.between(9_500, 20_000);
        let end = clock.now_ms;
        clock.plant("long_unexplained_silence", "violated", Some((begin, end)));
    } else if rep_is_next
        && random.chance(rate(30))
        && let Some(last) = clock.script.lines.last()
        && last.role == Role::Customer
        && last.end_ms - last.begin_ms > 3_000
    {
        clock.now_ms -= 2_200;
        let begin = clock.now_ms;
        clock.plant("interrupting", "violated", Some((begin, begin + 2_200)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::centre::{self, CAMPAIGNS};
    use super::*;

    fn script(index: u64, campaign: &Campaign, language: Language, mistakes_permille: i64) -> Script {
        let reps = centre::reps(1, 1_000, &[language]);
        let subject = Subject {
            campaign,
            rep: &reps[0],
            language,
            mistakes_permille,
            daypart: 0,
            rare_word: "zuvolaki",
            seconds: 240.0,
        };
        write(&subject, &mut Random::new(1, 3, index)).unwrap()
    }

    #[test]
    fn every_campaign_and_language_writes_calls_that_differ() {
        for language in [Language::En, Language::Zh] {
            for campaign in &CAMPAIGNS {
                let mut seen = std::collections::BTreeSet::new();
                for index in 0..20 {
                    let script = script(index, campaign, language, 1_000);
                    assert!(script.lines.iter().any(|l| l.text.contains("zuvolaki") || l.text.contains("Zuvolaki")));
                    assert!(script.lines.iter().all(|l| !l.text.contains(['{', '}', '|']) && l.begin_ms < l.end_ms));
                    let end = script.lines.iter().map(|l| l.end_ms).max().unwrap();
                    assert!((120_000..420_000).contains(&end), "{} {end}", campaign.name);
                    seen.insert(format!("{:?}", script.lines));
                }
                // The best rep's short calls leave little to chance.
                assert!(seen.len() >= 18, "{}: only {} of 20 calls differ", campaign.name, seen.len());
            }
        }
    }

    #[test]
    fn worse_reps_make_more_mistakes() {
        let faults = |mistakes| -> usize {
            let scripts = (0..200).map(|i| script(i, &CAMPAIGNS[0], Language::En, mistakes));
            scripts.map(|s| s.planted.iter().filter(|p| p.outcome != "clean").count()).sum()
        };
        let (good, average, bad) = (faults(200), faults(1_000), faults(2_000));
        assert!(3 * good < average && 3 * average < 2 * bad, "{good} {average} {bad}");
    }
}
