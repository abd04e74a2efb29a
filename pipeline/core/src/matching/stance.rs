//! Whether words were meant: a phrase that somebody only reports, denies or asks about is not said.
//!
//! Cues before the words, in the same sentence and within a reach, and for reports some after them. They are few and general on purpose;
//! what a single requirement needs beside them stands in its `not`.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::accuracy::pattern;
use crate::recording::Language;

/// A way of saying words without meaning them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// Somebody else's words: "the last agent told you …", 有人跟您说…; or words that are warned of.
    Reported,
    /// "we will not …", 我们不会….
    Denied,
    /// A question about it: "is there any …". Not for what is asked by its nature.
    Asked,
}

struct Cues {
    /// Taken out before cues are looked for: they hold a cue's words and are none.
    idioms: Regex,
    /// What parts a denial from what follows it.
    clause: Regex,
    reported: Regex,
    warned: Regex,
    denied: Regex,
    asked: Regex,
}

static ENGLISH: LazyLock<Cues> = LazyLock::new(|| {
    let people = "(?:he|she|they|somebody|someone|anybody|anyone|people|others|everyone|everybody|(?:the|my|your|our|their|his|her|a|an|another|other|some|any|most|that|this) (?:[a-z']+ ){0,2}?(?:company|companies|firms?|brokers?|agents?|agency|agencies|insurers?|networks?|gym|lot|fella|fellow|chap|man|bloke|guys?|lady|woman|person|reps?|advisers?|one|colleagues?|trainer|managers?|boss|supervisor|script|machine|message|recording|letter|text|website|advert|neighbours?|sister|brother|friends?|husband|wife|customers?|callers?|clients?|branch|shop|collectors?|engineer|scammers?))";
    let says = "(?:say|says|said|saying|tell|tells|told|ask|asks|asked|claim|claims|claimed|promise|promises|promised|goes|wrote|writes|reads|calls? it|called it)";
    Cues {
        idioms: pattern(
            r"\b(?:(?:do|does|did|would|ca|wo|is|could)n.?t|do not|not|never|no) (?:mind|worry|forget|hesitate|see why|know if|know whether|want to|think|wait|help|only|just|doubt|disagree|problem|keep|blame|sure|at all|least)\b",
        ),
        clause: pattern(
            r"\b(?:but|so|because|anyway|instead|though|therefore)\b|[,;:] (?:this|it|that|we|i|you|your|my|the)\b",
        ),
        reported: pattern(&format!(
            r"(?:\b{people}(?:'d|'ll|'s|'ve)?(?: [a-z']+){{0,6}}? {says}|\byou (?:said|told)(?: [a-z']+){{0,3}} (?:old|previous|last|other|another)|\bif (?:you hear|anybody|anyone|somebody|someone))\b\W*(?:\S+\s+){{0,14}}\W*$"
        )),
        warned: pattern(
            r"^\W*(?:\S+ ){0,8}?(?:(?:that|it|this|which)(?:'s| is| was)(?: an?| just| only| how)? (?:scams?|con|fraud\w*|lie|rubbish|nonsense|wrong|illegal)|hang up|report (?:it|him|them|her)|(?:wasn't|isn't|not) (?:one of )?us\b|shouldn't have said|we don't (?:talk|do|say|work) )",
        ),
        denied: pattern(
            r"\b(?:(?:i|we|nobody|it|call|one)(?:'m|'re|'d|'ll|'ve|'s| am| are| is| was| were| have| had| will| would| could| can| do| did)? ?(?:really |actually |certainly )?(?:not|never|won.?t|wouldn.?t|don.?t|can.?t|cannot|couldn.?t|didn.?t|ain.?t|haven.?t|isn.?t|wasn.?t|weren.?t)|nobody(?:'s)?|no one(?:'s)?|without|refuse to)\b\s*(?:\S+\s+){0,8}$",
        ),
        asked: pattern(
            r"\b(?:(?:is|are|was|were|do|does|did|have|has|had|would|should) (?:you|your|any|anybody|anyone|somebody|someone|another|there|they|he|she)|why (?:is|are|would|do|does|did)|how (?:long|much|many) (?:is|are|do|does|did))\b\s*(?:\S+\s+){0,8}$",
        ),
    }
});

static CHINESE: LazyLock<Cues> = LazyLock::new(|| Cues {
    idioms: pattern(
        "是不是|能不能|会不会|要不要|可不可以|行不行|好不好|用不用|有没有|方不方便|不好意思|不客气|没问题|没关系|没事|不用谢|不用担心|不过|不仅|不但|不管|不同|不错|不如|不一样|差不多|特别|级别|类别|区别|分别|个别|性别",
    ),
    clause: pattern("[，,；;：:]|但是?|所以|因为|反正"),
    reported: pattern(
        "(?:(?:有的?人|别人|人家|谁|他们?|她们?|上一?(?:个|位|家|任)|之前那?(?:个|位|家)|别的|别家|其他|另外?一?(?:家|个|位)|那(?:个|家|位|边)|对方|骗子|同行|网上|中介)[^。？！]{0,10}?(?:说|讲|告诉|问|承诺|保证|答应|写|喊|叫|吹|声称|威胁|要求|骗)|(?:同事|领导|经理|主管|培训|话术|系统|机器|短信|公告|广告|录音|信上|邻居|朋友|亲戚|客户|业务员|师傅)[^。？！]{0,8}?(?:说|讲|告诉|问|写|喊|提示)|(?:您|你)(?:说|讲|提到)[^。]{0,4}(?:之前|以前|原来|上一家|那家|别家))[^。？！]{0,14}$",
    ),
    warned: pattern(
        "^.{0,10}?(?:(?:都|那|这|肯定|一定)?是(?:骗|假|诈|忽悠)|骗子|诈骗|别信|不要(?:相?信|理)|这种话|不对的|报警|不是我们)",
    ),
    denied: pattern(
        "(?:不(?:会|能|可能|敢|用|需要|想|愿意|打算|给|让|是|存在|收|提供|做|说|问|再)|没(?:有|法|办法|必要|说|打算)?|绝不|从不|从来不|决不|拒绝|无需|无法|未必|未|谁敢|哪能)[^，。？！；]{0,8}$",
    ),
    asked: pattern("(?:有没有|是不是|会不会|有什么|什么是|哪种|哪个|为什么|多久|多少)[^，。？！；]{0,10}$"),
});

impl Stance {
    /// Whether the words between `before` and `after` in a turn are said in this way.
    pub fn is_taken(self, before: &str, after: &str, language: Language) -> bool {
        let cues = match language {
            Language::En => &*ENGLISH,
            Language::Zh => &*CHINESE,
        };
        let sentence = before.rfind(['.', '?', '!', '。', '？', '！', '；']).map_or(before, |end| &before[end..]);
        let sentence = sentence.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'");
        let without_idioms = || cues.idioms.replace_all(&sentence, "·");
        match self {
            Stance::Asked => cues.asked.is_match(&sentence),
            Stance::Reported => {
                let after: String = after.chars().take(120).collect::<String>().to_lowercase().replace('’', "'");
                cues.reported.is_match(&without_idioms()) || cues.warned.is_match(&after)
            }
            Stance::Denied => {
                let sentence = without_idioms();
                let clause = cues.clause.find_iter(&sentence).last().map_or(0, |parting| parting.start());
                cues.denied.is_match(&sentence[clause..])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stances(text: &str) -> Vec<Stance> {
        let (before, rest) = text.split_once('[').unwrap();
        let (_, after) = rest.split_once(']').unwrap();
        let language = Language::of_text(text).unwrap();
        let all = [Stance::Reported, Stance::Denied, Stance::Asked];
        all.into_iter().filter(|stance| stance.is_taken(before, after, language)).collect()
    }

    #[test]
    fn words_that_are_meant_stand_alone() {
        for text in [
            "Good morning. [This call is recorded], is that all right?",
            "I don't mind at all, [this call is recorded] anyway",
            "If you don't mind me asking, [how long is your contract]",
            "we won't keep you long but [the return is guaranteed]",
            "I cannot see it here. [Your money is guaranteed].",
            "您好不好意思打扰[本次通话会录音]",
            "没问题，[收益是保证的]",
            "我们不收手续费，[收益保证百分之五]",
        ] {
            assert_eq!(stances(text), [], "{text}");
        }
    }

    #[test]
    fn others_words_denials_and_questions_are_told() {
        for (text, stance) in [
            ("If another broker told you it's [guaranteed] please be careful", Stance::Reported),
            ("The message says [thank you for holding] every ten seconds", Stance::Reported),
            ("People ask me [when did it start], I'm not a doctor", Stance::Reported),
            ("[pay or go to jail], that's a scam, madam", Stance::Reported),
            ("You said your old network had a [twenty four month contract]", Stance::Reported),
            ("有人跟您说这个[稳赚不赔]，您别当真", Stance::Reported),
            ("我同事上次问过您[出生日期]", Stance::Reported),
            ("[安全账户]那都是骗人的", Stance::Reported),
            ("we never promise a [guaranteed return]", Stance::Denied),
            ("i'm not going to ask you for names of [friends or family]", Stance::Denied),
            ("我们不会向您[保证收益]", Stance::Denied),
            ("我这边没有[录音]", Stance::Denied),
            ("would you be looking for something with a [guaranteed return]", Stance::Asked),
            ("您原来的合同有没有[违约金]", Stance::Asked),
        ] {
            assert!(stances(text).contains(&stance), "{text}: {:?}", stances(text));
        }
    }
}
