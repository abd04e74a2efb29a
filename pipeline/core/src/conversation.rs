//! Calls in which nobody converses: a voicemail greeting, a menu, an operator's announcement, a wrong number, one side alone.
//!
//! Phrases count only where the structure agrees: a person who mentions a voicemail or a menu to another person converses.

use crate::record::UnscoredReason;
use crate::signals;
use crate::transcript::{Medium, Role, Sound, SoundKind, Transcript};

/// What an answering machine says: the callee is not there, and the caller may speak.
const VOICEMAIL: &[&str] = &[
    "leave a message",
    "leave your message",
    "leave me a message",
    "leave us a message",
    "leave your name",
    "leave me your name",
    "leave a short message",
    "you know what to do",
    "record your message",
    "after the tone",
    "after the beep",
    "at the tone",
    "at the beep",
    "can't take your call",
    "no one can take your call",
    "cannot take your call",
    "unable to take your call",
    "can't come to the phone",
    "cannot come to the phone",
    "not available to take your call",
    "reached the voicemail",
    "reached the voice mail",
    "reached the mailbox",
    "voice messaging system",
    "voice mailbox",
    "get back to you as soon as",
    "the person you are trying to reach",
    "the person you are calling",
    "mailbox is full",
    "when you have finished recording",
    "you may hang up",
    "请留言",
    "后留言",
    "留言信箱",
    "语音信箱",
    "语音留言",
    "留下您的",
    "嘀声后",
    "滴声后",
    "智能秘书",
    "没空接电话",
    "需要我转告",
    "我会转达",
    "嘟声后",
    "提示音后",
    "录制留言",
    "留言请按",
    "尽快回复您",
    "尽快给您回电",
    "不方便接听",
    "请在听到",
];
/// What a menu says.
const MENU: &[&str] = &[
    "press one",
    "press two",
    "press three",
    "press four",
    "press zero",
    "press nine",
    "press 1",
    "press 2",
    "press 3",
    "press 4",
    "press 0",
    "press 9",
    "press the pound",
    "press pound",
    "press star",
    "press hash",
    "pound key",
    "main menu",
    "menu options",
    "following options",
    "options have changed",
    "your call is important",
    "calls are answered in the order",
    "say or press",
    "please listen carefully",
    "please hold for the next available",
    "next available representative",
    "next available agent",
    "enter your",
    "to repeat these options",
    "for english",
    "in a few words",
    "say yes or no",
    "key in your",
    "hash key",
    "star key",
    "your keypad",
    "any key",
    "dial zero",
    "dial 0",
    "party's extension",
    "know the extension",
    "dial by name",
    "valid option",
    "invalid entry",
    "your selection",
    "make your selection",
    "didn't catch that",
    "tell me briefly",
    "in the queue",
    "place in line",
    "estimated wait",
    "expected wait",
    "stay on the line",
    "remain on the line",
    "representatives are busy",
    "agents are busy",
    "operators are busy",
    "agents are currently",
    "representatives are currently",
    "advisors are busy",
    "advisers are busy",
    "our offices are closed",
    "our office is closed",
    "offices are currently closed",
    "office is currently closed",
    "call back during",
    "automated assistant",
    "virtual assistant",
    "请按",
    "井号键",
    "星号键",
    "返回上级",
    "返回主菜单",
    "普通话请",
    "转人工",
    "转接人工",
    "语音机器人",
    "您可以说",
    "排队人数",
    "人工服务",
    "座席正忙",
    "坐席正忙",
    "坐席忙",
    "按键选择",
    "请输入",
    "重听",
    "按…号键",
    "按…键",
    "请拨零",
    "请拨分机",
    "直拨分机",
    "分机号",
    "查号请",
    "语音导航",
    "自助服务",
    "请说出",
    "没有听清您",
    "没听清您",
    "输入有误",
    "输入错误",
    "对我们很重要",
    "排在第",
    "正在排队",
    "前面还有…位",
    "预计等待",
    "请勿挂机",
    "客服正忙",
    "客服忙",
    "话务员正忙",
    "全忙",
    "线路繁忙",
    "非工作时间",
];
/// What a network announces instead of a callee.
const ANNOUNCEMENT: &[&str] = &[
    "number you have dialed",
    "number you dialed",
    "number you have dialled",
    "number you dialled",
    "not in service",
    "has been disconnected",
    "cannot be completed as dialed",
    "call cannot be completed",
    "is switched off",
    "is not reachable",
    "您拨打的",
    "您所拨打的",
    "已关机",
    "是空号",
    "已停机",
    "正在通话中",
    "无法接通",
    "暂时无人接听",
    "不在服务区",
];
/// What somebody says whose number was dialled by mistake. Nobody who knows the callee is among them: what is said to a relative or
/// a colleague is judged. `…`: up to [`LONGEST_GAP`] words, such as a name.
const WRONG_NUMBER: &[&str] = &[
    "wrong number",
    "wrong phone",
    "wrong person",
    "wrong house",
    "wrong place",
    "wrong guy",
    "got the wrong",
    "dialed the wrong",
    "dialled the wrong",
    "rang the wrong",
    "called the wrong",
    "misdialed",
    "misdialled",
    "by that name",
    "of that name",
    "with that name",
    "no one called",
    "nobody called",
    "no one named",
    "nobody named",
    "anyone called",
    "anybody called",
    "anyone named",
    "anybody named",
    "there's no … here",
    "there is no … here",
    "there isn't a … here",
    "there isn't any … here",
    "never heard of",
    "don't know any",
    "don't know a mr",
    "don't know a mrs",
    "don't know a miss",
    "don't know who that is",
    "don't know who … is",
    "not the person you",
    "not who you",
    "isn't … number",
    "this isn't … phone",
    "this is not … number",
    "this is not … phone",
    "that's not … number",
    "had this number",
    "just got this number",
    "private number",
    "private residence",
    "打错",
    "拨错",
    "找错",
    "弄错人",
    "搞错人",
    "错电话",
    "号码不对",
    "电话不对",
    "没有…这个人",
    "没这个人",
    "没这人",
    "没有叫…的",
    "没有姓…的",
    "没有…先生",
    "没有…女士",
    "没有…小姐",
    "不认识",
    "没听说过",
    "不是我的号码",
    "不是他的号码",
    "不是她的号码",
    "不是…的电话",
    "不是…的号码",
    "不是…的手机",
    "不是你要找的",
    "不是您要找的",
    "我不姓",
    "我不叫",
    "你找谁",
    "您找谁",
    "刚换的号",
    "新换的号",
    "新办的号",
    "刚办的号",
    "以前的机主",
    "之前的机主",
];
/// What a rep says who dialled it, or to somebody who did.
const MISDIALLED: &[&str] = &[
    "sorry wrong number",
    "must have the wrong",
    "must have got the wrong",
    "must have misdialed",
    "must have misdialled",
    "must have dialed",
    "must have dialled",
    "i misdialed",
    "i misdialled",
    "dialed the wrong",
    "dialled the wrong",
    "打错",
    "拨错",
];
const GAP: char = '…';
/// Most words (Han characters) for which `…` stands.
const LONGEST_GAP: usize = 4;

/// More changes of speaker than this after the last such phrase, and two people converse.
const MOST_SWITCHES_AFTER: usize = 3;
/// A wrong number is over in so many turns.
const WRONG_NUMBER_TURNS: usize = 10;
/// A side with at most so many words, all of them listening signals or a hello, did not take part.
const MOST_WORDS_ABSENT: usize = 4;
/// Nobody's absence is concluded from less than this from the other side.
const MIN_OTHER_WORDS: usize = 10;

/// Why a call is no conversation; `None`: it may be one.
pub fn no_conversation(transcript: &Transcript) -> Option<UnscoredReason> {
    let turns: Vec<(Role, String)> = transcript
        .turns
        .iter()
        .filter(|turn| !turn.text.trim().is_empty())
        .map(|turn| (turn.role, normalised(&turn.text)))
        .collect();
    // Where nobody answers, one phrase says enough: a machine speaks to nobody, or somebody speaks to a machine.
    let unanswered = transcript.medium == Medium::Speech && nobody_answers(&turns);
    let machine =
        |phrases: &[&str], at_least: usize| machine_alone(&turns, phrases, if unanswered { 1 } else { at_least });
    let beep = transcript.sounds.iter().any(|s: &Sound| s.kind == SoundKind::Beep && s.role.is_side());
    // The announcement comes first: some networks add that a message may be left.
    if machine(ANNOUNCEMENT, 1) && !machine(VOICEMAIL, 2) {
        return Some(UnscoredReason::NoConversation);
    }
    if machine(VOICEMAIL, if beep { 1 } else { 2 }) {
        return Some(UnscoredReason::Voicemail);
    }
    if machine(MENU, 2) {
        return Some(UnscoredReason::Ivr);
    }
    let says_so =
        |(role, text): &(Role, String)| hits(text, if *role == Role::Rep { MISDIALLED } else { WRONG_NUMBER }) > 0;
    // Somebody with a wrong number in the books goes on talking about it.
    let over = |at: usize| switches(&turns[at..]) <= MOST_SWITCHES_AFTER;
    if turns.len() <= WRONG_NUMBER_TURNS && turns.iter().rposition(says_so).is_some_and(over) {
        return Some(UnscoredReason::NoConversation);
    }
    let message = unanswered && turns.iter().any(|(role, _)| *role == Role::Rep);
    (message || one_side_alone(&turns)).then_some(UnscoredReason::OneSided)
}

/// Why nothing is said in a call: what its tones tell. A fax that rings first is a fax; a line that rings and then is busy was busy.
pub fn without_words(transcript: &Transcript) -> UnscoredReason {
    let heard = |kind| transcript.sounds.iter().any(|sound| sound.kind == kind && sound.role.is_side());
    match () {
        () if heard(SoundKind::Fax) => UnscoredReason::Fax,
        () if heard(SoundKind::Busy) => UnscoredReason::Busy,
        () if heard(SoundKind::Ringing) => UnscoredReason::NotAnswered,
        () => UnscoredReason::NoConversation,
    }
}

/// The phrases are said by one side, and nobody converses after them: the other side says a message at most.
fn machine_alone(turns: &[(Role, String)], phrases: &[&str], at_least: usize) -> bool {
    [Role::Customer, Role::Rep, Role::Unknown].into_iter().any(|side| {
        let said: Vec<(usize, usize)> = turns
            .iter()
            .enumerate()
            .filter(|(_, (role, _))| *role == side)
            .map(|(i, (_, text))| (i, hits(text, phrases)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let Some((last, _)) = said.last() else { return false };
        let count: usize = said.iter().map(|(_, count)| count).sum();
        // Nor before them: a rep who reads out a menu late in a call talks to somebody.
        let before = switches(&turns[..=said[0].0]);
        count >= at_least && switches(&turns[*last..]) <= MOST_SWITCHES_AFTER && before <= MOST_SWITCHES_AFTER
    })
}

/// Changes of speaker.
fn switches(turns: &[(Role, String)]) -> usize {
    turns.windows(2).filter(|pair| pair[0].0 != pair[1].0).count()
}

/// One side alone speaks, or the rep speaks once, after the other end, and nothing comes back.
fn nobody_answers(turns: &[(Role, String)]) -> bool {
    let (Some((first, _)), Some((last, _))) = (turns.first(), turns.last()) else { return false };
    let told = || turns.iter().filter(|(role, _)| *role == Role::Rep).map(|(_, text)| text.split_whitespace().count());
    match switches(turns) {
        0 => *first != Role::Unknown,
        1 => *first == Role::Customer && *last == Role::Rep && told().sum::<usize>() >= MIN_OTHER_WORDS,
        _ => false,
    }
}

/// One role only says hello or that it listens, while the other one talks.
fn one_side_alone(turns: &[(Role, String)]) -> bool {
    const NO_ANSWER: &[&str] = &[
        "hello", "hi", "hey", "yes", "yeah", "ok", "okay", "hm", "uh", "um", "mm", "uh-huh", "huh", "喂", "你", "好",
        "嗯", "啊", "哦", "您",
    ];
    let words_of = |side: Role| -> Vec<&str> {
        turns.iter().filter(|(role, _)| *role == side).flat_map(|(_, text)| text.split_whitespace()).collect()
    };
    let (rep, customer) = (words_of(Role::Rep), words_of(Role::Customer));
    let absent = |side: &[&str], other: &[&str]| {
        !side.is_empty()
            && side.len() <= MOST_WORDS_ABSENT
            && side.iter().all(|word| NO_ANSWER.contains(word))
            && other.len() >= MIN_OTHER_WORDS
    };
    absent(&rep, &customer) || absent(&customer, &rep)
}

/// ` words with spaces `, each Han character a word.
fn normalised(text: &str) -> String {
    format!(" {} ", signals::words(text).join(" "))
}

/// How many different phrases a turn holds.
fn hits(text: &str, phrases: &[&str]) -> usize {
    // Han characters stand apart in the normalised text, so they are compared without spaces.
    let joined: String = text.split_whitespace().collect();
    let has = |phrase: &&&str| {
        let han = phrase.chars().any(|c| !c.is_ascii() && c != GAP);
        match (phrase.split_once(GAP), han) {
            (None, true) => joined.contains(**phrase),
            (None, false) => text.contains(&format!(" {phrase} ")),
            (Some((begin, end)), true) => has_gapped(&joined, begin, end, |gap| gap.chars().count()),
            (Some((begin, end)), false) => {
                let end = format!("{end} ");
                has_gapped(text, &format!(" {begin}"), &end, |gap| gap.split_whitespace().count())
            }
        }
    };
    phrases.iter().filter(has).count()
}

/// Whether `begin` is followed by `end` with 1 to [`LONGEST_GAP`] units between them.
fn has_gapped(text: &str, begin: &str, end: &str, units: impl Fn(&str) -> usize) -> bool {
    text.match_indices(begin).any(|(at, _)| {
        let rest = &text[at + begin.len()..];
        rest.match_indices(end).any(|(gap, _)| (1..=LONGEST_GAP).contains(&units(&rest[..gap])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Medium, RoleMethod, Turn};

    type Said<'a> = &'a [(Role, &'a str)];

    fn call(said: Said) -> Transcript {
        let turn = |(i, (role, text)): (usize, &(Role, &str))| Turn {
            role: *role,
            begin_ms: i as i64 * 4000,
            end_ms: i as i64 * 4000 + 3000,
            text: (*text).into(),
            words: vec![],
            confidence_permille: 900,
        };
        Transcript {
            medium: Medium::Speech,
            duration_ms: 60_000,
            role_method: RoleMethod::ChannelMap,
            role_confidence_permille: 1000,
            recogniser_confidence_permille: Some(900),
            confidence_floor_permille: Some(500),
            turns: said.iter().enumerate().map(turn).collect(),
            dropped: std::collections::BTreeMap::new(),
            ..Transcript::default()
        }
    }

    use Role::{Customer as C, Rep as R, Unknown as U};
    use UnscoredReason::{Ivr, NoConversation, OneSided, Voicemail};

    #[test]
    fn machines_are_told_from_people() {
        let long = "we have an offer for your car insurance that saves you money every month so please call me back on this number";
        let cases: &[(Said, Option<UnscoredReason>)] = &[
            (
                &[
                    (C, "Hi, you've reached Dan, I can't take your call, please leave a message after the beep."),
                    (R, long),
                ],
                Some(Voicemail),
            ),
            (
                &[(U, "The person you are calling is not available. Please record your message at the tone.")],
                Some(Voicemail),
            ),
            (
                &[(C, "您好，我现在不方便接听电话，请在提示音后留言。"), (R, "您好，我是东方电信的小王。")],
                Some(Voicemail),
            ),
            (
                &[(C, "For billing, press one. For support, press two."), (R, "Hello?"), (C, "Main menu. Press 0.")],
                Some(Ivr),
            ),
            (&[(C, "普通话请按一，查询话费请按二，人工服务请按零。")], Some(Ivr)),
            (&[(C, "The number you have dialed is not in service.")], Some(NoConversation)),
            (&[(C, "对不起，您拨打的电话已关机，请稍后再拨。"), (R, "喂？")], Some(NoConversation)),
            (
                &[(R, "Hello, may I speak to Mr. Miller?"), (C, "You have the wrong number."), (R, "Sorry, goodbye.")],
                Some(NoConversation),
            ),
            (&[(R, "您好，请问是王先生吗？"), (C, "你打错了。"), (R, "不好意思，再见。")], Some(NoConversation)),
            (&[(C, "Hello?"), (R, long), (C, "Hello?")], Some(OneSided)),
            // A greeting in nobody's words, and a message that nothing answers.
            (&[(C, "This is Kim's phone. Texting me is quicker."), (R, long)], Some(OneSided)),
            (&[(C, "Kim here, you know what to do."), (R, long)], Some(Voicemail)),
            (&[(R, "Green Dental, good morning."), (C, "Oh dear, I misdialled. Sorry.")], Some(NoConversation)),
            (&[(C, "我要修空调。"), (R, "这里是书店，您拨错电话了。"), (C, "对不起。")], Some(NoConversation)),
            // Queues without a key to press.
            (
                &[(C, "All of our agents are busy. Your estimated wait is four minutes, please remain on the line.")],
                Some(Ivr),
            ),
            (&[(C, "线路繁忙，您排在第三位，请勿挂机。"), (R, "喂？"), (C, "预计等待两分钟。")], Some(Ivr)),
            (&[(C, "对不起，输入有误。请按零号键。"), (R, "喂？")], Some(Ivr)),
            // No Mr Tanaka here, in other words.
            (
                &[(R, "Good morning, may I speak to Mr Tanaka?"), (C, "There's no Mr Tanaka here."), (R, "Oh, sorry.")],
                Some(NoConversation),
            ),
            (
                &[
                    (R, "Is that Olga Petrova?"),
                    (C, "No, this isn't Olga's phone, I've never heard of her."),
                    (R, "Bye."),
                ],
                Some(NoConversation),
            ),
            (&[(R, "请问是赵老师吗？"), (C, "不是，我这里没有叫赵红梅的。"), (R, "打扰了。")], Some(NoConversation)),
            (&[(R, "喂，李总吗？"), (C, "你找错人了，我不姓李。"), (R, "不好意思。")], Some(NoConversation)),
            (&[(R, "Hello, is Anna in?"), (C, "Who?"), (R, "I must have the wrong number.")], Some(NoConversation)),
        ];
        for (said, expected) in cases {
            assert_eq!(no_conversation(&call(said)), *expected, "{said:?}");
        }
    }

    #[test]
    fn people_may_speak_of_machines() {
        let talk: &[Said] = &[
            // The menu was passed, and then two people spoke.
            &[
                (C, "Press one for sales, press two for support. Please hold for the next available agent."),
                (C, "Sales, this is Ann."),
                (R, "Hello Ann, I need a quote."),
                (C, "Of course, for which car?"),
                (R, "A red one."),
                (C, "Fine."),
                (R, "Thanks."),
            ],
            &[
                (R, "Hello, it's Eve from Harbor."),
                (C, "Oh, hi."),
                (R, "I could only leave a message after the beep yesterday."),
                (C, "I got it."),
                (R, "Shall I go on?"),
                (C, "Please do."),
                (R, "It is about your policy."),
                (C, "All right."),
            ],
            &[(R, "Hello?"), (C, "Yes, I want to cancel my contract today.")],
            // A gap is a name, not half a sentence.
            &[
                (R, "Harbor, good morning."),
                (C, "There is no signal on my television since yesterday and nobody was here."),
                (R, "I see it, a cable is broken, it is mended by noon."),
                (C, "Thanks."),
            ],
            // A person tells when the shop is open, and asks for patience.
            &[
                (C, "Are you open on Sunday?"),
                (R, "We are closed on Sunday, our opening hours are nine to five, please stay on the line."),
                (C, "No thanks, bye."),
            ],
            &[(C, "我的订单呢？"), (R, "请耐心等待，不要挂机，我看一下，我们营业时间是九点到六点。"), (C, "好的。")],
            // A relative: what the rep goes on to say is judged.
            &[(R, "您好，请问王先生在吗？"), (C, "他不在，我是他爱人。"), (R, "好的，我晚点再打。")],
            // A wrong number in the books.
            &[
                (R, "Harbor, good morning."),
                (C, "You wrote to a wrong number."),
                (R, "Which one is right?"),
                (C, "The one of my office."),
                (R, "I will change it."),
                (C, "Thank you."),
                (R, "Goodbye."),
            ],
        ];
        for said in talk {
            assert_eq!(no_conversation(&call(said)), None, "{said:?}");
        }
    }

    #[test]
    fn a_beep_makes_one_phrase_enough() {
        let mut greeting = call(&[(C, "This is Dan, leave a message."), (R, "Hello Dan, it is Eve.")]);
        assert_eq!(no_conversation(&greeting), None);
        greeting.sounds.push(Sound { kind: SoundKind::Beep, role: C, begin_ms: 3000, end_ms: 3400 });
        assert_eq!(no_conversation(&greeting), Some(Voicemail));
    }
}
