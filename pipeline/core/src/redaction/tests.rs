use super::*;
use crate::transcript::RoleMethod;

fn all() -> BTreeSet<Entity> {
    Entity::ALL.into()
}

fn call(turns: &[(Role, &str)]) -> Transcript {
    let mut at = 0;
    let turns = turns
        .iter()
        .map(|(role, text)| {
            let begin_ms = at;
            let words: Vec<Word> = text
                .split_whitespace()
                .map(|word| {
                    at += 400;
                    Word { text: format!(" {word}"), begin_ms: at - 400, end_ms: at, confidence_permille: 900 }
                })
                .collect();
            let end_ms = at;
            at += 300;
            Turn { role: *role, begin_ms, end_ms, text: (*text).into(), words, confidence_permille: 900 }
        })
        .collect();
    Transcript {
        medium: Medium::Speech,
        duration_ms: at,
        role_method: RoleMethod::ChannelMap,
        role_confidence_permille: 1000,
        recogniser_confidence_permille: Some(900),
        confidence_floor_permille: Some(500),
        turns,
        ..Transcript::default()
    }
}

fn redacted(turns: &[(Role, &str)]) -> Vec<String> {
    let mut transcript = call(turns);
    redact(&mut transcript, &all());
    transcript.turns.into_iter().map(|turn| turn.text).collect()
}

#[track_caller]
fn check(said: &str, expected: &str) {
    assert_eq!(redacted(&[(Role::Customer, said)]), [expected]);
}

#[test]
fn cards_written_and_spoken() {
    check("My card is 4111 1111 1111 1111, thanks.", "My card is [card], thanks.");
    check("it's 4111-1111-1111-1111.", "it's [card].");
    check("four one one one, one one one one, um, one one one one one one one one", "[card]");
    check("double four one triple five oh six seven eight nine one two three four five six", "[card]");
    check("the number is forty one eleven eleven eleven eleven eleven eleven eleven", "the number is [card]");
    check("卡号是六二二二零二一二三四五六七八九零一二三", "卡号是[card]");
    check("我的卡号六二二二 嗯 零二幺二 然后三四五六 七八九零", "我的卡号[card]");
    check("卡号是六二二二三个零八八八八一二三四五", "卡号是[card]");
    check(
        "my card ends in 1234 and the security code is 123",
        "my card ends in [card] and the security code is [card]",
    );
    // One digit was not heard, one was heard as a word.
    check(
        "my card number is five for three two one oh nine eight seven six five four three two one",
        "my card number is [card]",
    );
}

#[test]
fn codes_that_open_an_account() {
    let asked = |question, answer| redacted(&[(Role::Rep, question), (Role::Customer, answer)])[1].clone();
    let read_out = "You'll get a one-time code by text, can you read that to me?";
    assert_eq!(asked(read_out, "Yeah, it's 483 921."), "Yeah, it's [card].");
    assert_eq!(asked(read_out, "four eight three nine two one"), "[card]");
    assert_eq!(asked("What's the verification code?", "it says 7 7 0 1 4 2"), "it says [card]");
    assert_eq!(asked("短信验证码收到了吗？念一下。", "收到了，四八三九二一。"), "收到了，[card]。");
    assert_eq!(asked("And your postcode is on the letter?", "for 12 months, yes"), "for 12 months, yes");
}

#[test]
fn a_number_goes_over_turns() {
    let (rep, customer) = (Role::Rep, Role::Customer);
    let said = redacted(&[
        (rep, "Can I have the long number, please?"),
        (customer, "Sure, it's four one one one"),
        (rep, "okay"),
        (customer, "two two two two"),
        (rep, "two two two two, yes"),
        (customer, "three three, um, three three"),
        (rep, "Right."),
        (customer, "and then 4444. That's all."),
        (rep, "So that was 4111 2222 3333 4444?"),
        (rep, "Ending 4444."),
    ]);
    assert_eq!(
        said,
        [
            "Can I have the long number, please?",
            "Sure, it's [card]",
            "okay",
            "[card]",
            "[card], yes",
            "[card]",
            "Right.",
            "and then [card]. That's all.",
            "So that was [card]?",
            "Ending [card]."
        ]
    );
}

#[test]
fn telephones_banks_and_identities() {
    check("call me at +1 (555) 010-4477 please", "call me at [phone] please");
    check("my number is oh seven seven double zero nine hundred one two three", "my number is [phone]");
    check("我的手机号是幺三八零零幺三八零零零。", "我的手机号是[phone]。");
    check("电话是010-67389898,010-67383333。", "电话是[phone]。");
    check("手机13800138000", "手机[phone]");
    check("My IBAN is GB29 NWBK 6016 1331 9268 19.", "My IBAN is [bank].");
    check(
        "the sort code is 12-34-56 and the account number is 31926819",
        "the sort code is [bank] and the account number is [bank]",
    );
    check("Here's my SSN: 460-89-9847", "Here's my SSN: [identity]");
    check("my social is four six zero eight nine nine eight four seven", "my social is [identity]");
    check("身份证号是11010519491231002X", "身份证号是[identity]");
    check("身份证一一零一零五一九四九一二三一零零二X", "身份证[identity]");
    check("My driver's license number is F162823540116", "My driver's license number is [identity]");
}

#[test]
fn electronic_and_postal_addresses() {
    check("write to john.smith@example.co.uk today", "write to [email] today");
    check("my email is john dot smith at gmail dot com", "my email is [email]");
    check("it's j o h n underscore 42 at hotmail dot co dot uk", "it's [email]");
    check("邮箱是zhangsan艾特qq点com", "邮箱是[email]");
    check("邮箱是三八五二七零幺at一六三点com，谢谢", "邮箱是[email]，谢谢");
    check("I live at 221 Baker Street, London.", "I live at [address], London.");
    check("it's twenty two maple avenue apartment 4b", "it's [address]");
    check("地址在花园东路2号，人均消费是70元。", "地址在[address]，人均消费是70元。");
    check("我住在北京市朝阳区建国路八十八号三单元五零一室。", "我住在[address]。");
}

#[test]
fn prices_dates_and_counts_stay() {
    for said in [
        "That is $1,250.00 a year, or 104.17 a month.",
        "Your policy runs 24 months from 01/15/2024 to 14/01/2026.",
        "We have 3 rooms for 2 adults from 2015 to 2020.",
        "The order number is 48213 and it was sent at 12:30.",
        "one thousand two hundred and fifty dollars",
        "between nineteen ninety nine and two thousand and five",
        "I was born on the 4th of May 1980.",
        "It takes five minutes drive, one way street or not.",
        "Look at amazon dot com for more.",
        "保费是三千六百元，保障期二十年，一共七万二千元。",
        "二零二四年一月十五号，第一年的费用是一千二百块。",
        "订单号是20240115，一共三个。",
        "I was born 04 12 1980, that is my date of birth.",
        "2019, 2020, 2021 and 2022 were good years.",
        "options are 100, 200, 300 or 400 minutes",
    ] {
        check(said, said);
    }
}

#[test]
fn words_keep_their_times() {
    let mut transcript = call(&[(Role::Customer, "so my card: 4111 1111 1111 1111, thanks")]);
    redact(&mut transcript, &all());
    let words: Vec<(&str, i64, i64)> =
        transcript.turns[0].words.iter().map(|w| (w.text.as_str(), w.begin_ms, w.end_ms)).collect();
    assert_eq!(
        words,
        [(" so", 0, 400), (" my", 400, 800), (" card:", 800, 1200), (" [card],", 1200, 2800), (" thanks", 2800, 3200)]
    );
    let span = RedactedSpan { begin_ms: 1200, end_ms: 2800, role: Role::Customer, entity: Entity::Card, units: 4 };
    assert_eq!(transcript.redaction, Some(Redaction { entities: all(), spans: vec![span] }));
    // A word that the text does not have could say what the text no longer says.
    let mut transcript = call(&[(Role::Customer, "my card is 4111 1111 1111 1111")]);
    transcript.turns[0].words[3].text = "four".into();
    redact(&mut transcript, &all());
    assert!(transcript.turns[0].words.iter().all(|word| !word.text.contains("four") && !word.text.contains('1')));
}

#[test]
fn only_what_is_asked_for_and_once() {
    let mut transcript = call(&[(Role::Customer, "card 4111111111111111, mail a@b.com, phone 555-010-4477")]);
    redact(&mut transcript, &BTreeSet::from([Entity::Card]));
    assert_eq!(transcript.turns[0].text, "card [card], mail a@b.com, phone 555-010-4477");
    let once = transcript.clone();
    redact(&mut transcript, &BTreeSet::from([Entity::Card]));
    assert_eq!(transcript, once);
    redact(&mut transcript, &all());
    assert_eq!(transcript.turns[0].text, "card [card], mail [email], phone [phone]");
    assert_eq!(transcript.redaction.as_ref().map(|r| r.spans.len()), Some(3));
    assert_eq!(redact_text("she said 4111 1111 1111 1111", &all()), "she said [card]");
}
