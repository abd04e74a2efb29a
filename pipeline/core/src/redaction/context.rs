//! What a number is said to be: the nearest word before it that names a kind of number.

use crate::recording::is_han;

use super::tokens::{Kind, folded, tokens_of};

/// What the words around a number are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The code on a card's back, a personal identification number.
    Code,
    Card,
    Bank,
    Identity,
    Phone,
    Address,
    /// The company's own numbers: orders, tickets, policies.
    Reference,
    Date,
}

/// Words and phrases, parted by `|`.
const WORDS: &[(Topic, &str)] = &[
    (
        Topic::Code,
        "cvv|cvc|cv2|security code|three digits on the|digits on the back|pin|pin code|pin number|passcode|\
         one time code|one-time code|one time password|one-time password|verification code|authentication code|code by text|\
         code in the text|texted you|otp|\
         安全码|校验码|背面|后三位|密码|验证码",
    ),
    (Topic::Card, "card|cards|visa|mastercard|amex|american express|cc|long number|卡|卡号|信用卡|银行卡|尾号"),
    (
        Topic::Bank,
        "account|account number|acct|iban|sort code|routing|routing number|账号|帐号|账户|帐户|开户|银行账号",
    ),
    (
        Topic::Identity,
        "social security|social security number|social|ssn|national insurance|passport|passport number|\
         driver's license|drivers license|driver license|driving licence|license number|licence number|\
         identity|id number|身份证|身份证号|证件|护照|驾照|社保号",
    ),
    (
        Topic::Phone,
        "phone|phone number|telephone|cell|cellphone|mobile|call me|call you|call us|call them|call|reach|\
         reached|contact|contact number|callback|text me|dial|fax|tel|whatsapp|answering at|my number|\
         your number|best number|电话|手机|手机号|联系|座机|微信|拨打|致电|打给",
    ),
    (Topic::Address, "address|street|zip|zip code|postcode|postal code|地址|邮编|住在"),
    (
        Topic::Reference,
        "order|order number|invoice|reference|reference number|ref|ticket|ticket number|tracking|\
         tracking number|policy|policy number|confirmation|confirmation number|case|case number|claim|\
         claim number|serial|serial number|model|item|sku|part number|version|booking|booking number|\
         reservation|flight|reference number is|claim number is|订单|订单号|订单号码|单号|工单|保单|保单号|\
         编号|流水|运单|快递单|案件|型号|序列号|参考号|合同",
    ),
    (Topic::Date, "birth|born|dob|date|birthday|生日|出生|日期"),
];
/// How far a word reaches, in Latin characters; a Han character counts two.
const REACH: usize = 70;

/// The topic of the last such word before a number, and how far it is away.
pub(super) fn topic_before(before: &str) -> Option<(Topic, usize)> {
    let before = folded(before);
    let mut best: Option<(Topic, usize, usize)> = None;
    for (topic, words) in WORDS {
        for word in words.split('|') {
            let Some(at) = last_whole(&before, word) else { continue };
            let between = &before[at + word.len()..];
            let away = width(between);
            // Of two that end at one place the longer says more.
            let spent = || matches!(topic, Topic::Reference | Topic::Date) && holds_a_number(between);
            if away <= REACH
                && !spent()
                && best.is_none_or(|(_, nearest, length)| (away, length) < (nearest, word.len()))
            {
                best = Some((*topic, away, word.len()));
            }
        }
    }
    best.map(|(topic, away, _)| (topic, away))
}

/// Whether the number that a word announced was already said.
fn holds_a_number(text: &str) -> bool {
    tokens_of(0, text).iter().any(|token| matches!(token.kind, Kind::Digits(_) | Kind::Amount))
}

/// "Is my card number", said behind a number.
pub(super) fn topic_after(after: &str) -> Option<Topic> {
    let after: String = folded(after).chars().take(30).collect();
    let after = after.split(['.', '?', '!', '。', '？', '！']).next().unwrap_or("");
    let topics = [Topic::Card, Topic::Identity, Topic::Phone, Topic::Bank];
    let named = |topic: &Topic| {
        WORDS
            .iter()
            .filter(|(known, _)| known == topic)
            .flat_map(|(_, words)| words.split('|'))
            .any(|w| last_whole(after, w).is_some())
    };
    let says = after.contains("is ") || after.contains('是') || after.contains("on my");
    topics.into_iter().find(|topic| says && named(topic))
}

/// Whether a few digits are said to be those of a number and not a sum: "ending in", 尾号.
pub(super) fn says_digits(before: &str) -> bool {
    const SAYS: &[&str] = &[
        "number",
        "ending",
        "ends",
        "end in",
        "digits",
        "last four",
        "first four",
        "final four",
        "卡号",
        "尾号",
        "后四位",
        "末四位",
        "前四位",
        "号码",
        "证号",
    ];
    let before = folded(before);
    SAYS.iter().any(|word| before.rfind(word).is_some_and(|at| width(&before[at..]) <= 45))
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if is_han(c) { 2 } else { 1 }).sum()
}

/// Where a word stands last; Latin ones as whole words.
fn last_whole(text: &str, word: &str) -> Option<usize> {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_han(c));
    let latin = word.is_ascii();
    text.rmatch_indices(word).map(|(at, _)| at).find(|at| {
        !latin || !(letter(text[..*at].chars().next_back()) || letter(text[at + word.len()..].chars().next()))
    })
}
