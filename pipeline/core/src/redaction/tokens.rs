//! Text as the tokens that personal numbers and addresses are made of: digits written and spoken, fillers between them, amounts.

use std::sync::LazyLock;

use regex::Regex;

use crate::recording::is_han;

/// What a token can be part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits as they stand or as they were said: "4111", "four", "forty one" (41), "eight hundred" (800), 幺.
    Digits(String),
    /// "double", "三个": the next digit so many times.
    Repeat(usize),
    /// One Latin letter by itself.
    Letter,
    /// Separators and what people say between the groups of a number.
    Soft,
    /// A number that is no part of a longer one: an amount, a date, a time, a count with its unit.
    Amount,
    Word,
}

/// One token with its place in a turn's text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub turn: usize,
    pub begin: usize,
    pub end: usize,
    /// In lower case, width folded.
    pub text: String,
    pub kind: Kind,
    /// Digits that were written as such.
    pub written: bool,
}

impl Token {
    pub fn digits(&self) -> Option<&str> {
        if let Kind::Digits(digits) = &self.kind { Some(digits) } else { None }
    }

    fn is_one_digit(&self) -> bool {
        self.digits().is_some_and(|digits| digits.len() == 1)
    }

    /// Of a word: how much it says, about.
    pub fn weight(&self) -> usize {
        if self.is_han() { 1 } else { 2 }
    }

    pub fn is_han(&self) -> bool {
        self.text.chars().all(is_han)
    }
}

const ONES: &str = "zero=0 nought=0 naught=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9";
const TEENS: &str = "ten=10 eleven=11 twelve=12 thirteen=13 fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 \
    nineteen=19";
const TENS: &str = "twenty=2 thirty=3 forty=4 fourty=4 fifty=5 sixty=6 seventy=7 eighty=8 ninety=9";
/// What recognisers make of a digit; one only between two digits.
const SOUND_LIKE: &str = "won=1 to=2 too=2 tree=3 free=3 for=4 fore=4 fife=5 sicks=6 sex=6 ate=8 nein=9 line=9 腰=1 要=1 妖=1 医=1 \
    衣=1 依=1 以=1 两=2 而=2 儿=2 耳=2 尔=2 山=3 伞=3 散=3 是=4 事=4 死=4 思=4 武=5 舞=5 无=5 吴=5 刘=6 流=6 \
    留=6 柳=6 期=7 七=7 妻=7 气=7 拐=7 把=8 吧=8 爸=8 巴=8 就=9 久=9 酒=9 勾=9 洞=0 林=0 灵=0 铃=0 玲=0 另=0";
/// Of those, the ones that are hardly said for themselves: also at the end of two digits.
const ONLY_DIGITS: &str = "won ate fife sicks nein tree 腰 妖 医 武 舞 刘 柳 留 林 灵 铃 玲 伞 酒 爸 巴 耳";
/// Of those, the ones that often end a group when they stand behind two digits.
const BEHIND_DIGITS: &str = "to too for fore free line";
const ZERO_LETTERS: &str = "o oh ou";

/// What is said between groups of digits and does not end the number.
const SOFT_WORDS: &str = "actually after again ah and are correction dash eh er erm followed by got hang hm hmm hold hyphen is it \
    it's its let like me mhm mm next no ok okay on pause right see so sorry space sure that that's the then \
    uh uhm um wait well yeah yep yes";
const SOFT_HAN: &str = "等一下 看一下 稍等 等等 然后 后面 接着 接下来 下面 最后 再来 还有 那个 这个 不对 错了 横杠 横线 空格 \
    逗号 杠 嗯 啊 呃 额 哦 噢 唉 对 好 的 是 我看 再";
/// Words with a digit in them that are none.
const NO_DIGIT_HAN: &str = "一下 一个 一些 一样 一起 一般 一定 一直 一共 一点 一会 一遍 一种 一次 一天 一边 一位 一张 一份 一年 一月 \
    第一 第二 第三 万一 统一 唯一 之一 周一 周二 周三 周四 周五 周六 二维码 三星 四川 星期一 星期二 星期三 \
    星期四 星期五 星期六";
/// Behind "one", which then counts nothing that is read out.
const AFTER_ONE: &str = "moment second minute more of thing day time please another way question month year or that is";
const SCALE_HAN: &str = "十百千万亿";
const DIGITS_HAN: &str = "零〇一二三四五六七八九幺";

/// Behind a number of a few digits: then it counts or measures something.
const UNITS: &str = "% am amps bucks cents day days degrees dollar dollars euro euros gb gig gigabytes gigs grand hour hours \
    inch inches kilometers km mb megabytes mile miles min mins minute minutes month months nights o'clock \
    p.m pence people percent pm points pound pounds quid rooms seconds times week weeks year years yuan";
const UNITS_HAN: &str = "元 块 年 月 日 天 岁 次 分 秒 点 小时 万 千 百 折 期 兆 个 倍 斤 米 人 周";
const UNIT_MOST_DIGITS: usize = 7;

/// Digits with marks between them: the longest such piece.
static COMPOUND: LazyLock<Regex> = LazyLock::new(|| compiled(r"^[0-9]+(?:[.:/,\-][0-9]+)*"));
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"^(?:(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[/.][0-9]{1,2}[/.](?:[0-9]{4}|[0-9]{2})|[0-9]{1,2}-[0-9]{1,2}-(?:19|20)[0-9]{2})$",
    )
});
static THOUSANDS: LazyLock<Regex> = LazyLock::new(|| compiled(r"^[0-9]{1,3}(?:,[0-9]{3}){1,2}$"));

pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of the program")
}

/// Folds width and case; keeps the number of characters.
fn fold(c: char) -> char {
    let c = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{3000}' | '\u{00A0}' => ' ',
        _ => c,
    };
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}

pub(super) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Whether a list of words between spaces has a word.
pub(super) fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// The digits of a word in a list like `one=1 two=2`.
fn digits_of<'a>(list: &'a str, word: &str) -> Option<&'a str> {
    list.split(' ').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == word).map(|(_, digits)| digits)
}

/// The tokens of one turn's text.
pub(super) fn tokens_of(turn: usize, text: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = text.char_indices().map(|(at, c)| (at, fold(c))).collect();
    let mut reader = Reader { turn, length: text.len(), chars, tokens: Vec::new() };
    let mut at = 0;
    while at < reader.chars.len() {
        at = reader.read(at);
    }
    let mut tokens = reader.tokens;
    for at in 1..tokens.len() {
        if tokens[at - 1].text == "one" && listed(AFTER_ONE, &tokens[at].text) {
            tokens[at - 1].kind = Kind::Word;
        }
    }
    join_numbers(&mut tokens);
    hear_weak_digits(&mut tokens);
    mark_amounts(&mut tokens);
    tokens
}

struct Reader {
    turn: usize,
    length: usize,
    chars: Vec<(usize, char)>,
    tokens: Vec<Token>,
}

impl Reader {
    fn char(&self, at: usize) -> char {
        self.chars.get(at).map_or(' ', |(_, c)| *c)
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.length, |(byte, _)| *byte)
    }

    fn text(&self, begin: usize, end: usize) -> String {
        self.chars[begin..end].iter().map(|(_, c)| *c).collect()
    }

    fn push(&mut self, begin: usize, end: usize, kind: Kind) -> usize {
        let (text, written) = (self.text(begin, end), self.char(begin).is_ascii_digit());
        self.tokens.push(Token { turn: self.turn, begin: self.byte(begin), end: self.byte(end), text, kind, written });
        end
    }

    fn starts(&self, at: usize, phrase: &str) -> bool {
        phrase.chars().enumerate().all(|(i, c)| self.char(at + i) == c)
    }

    /// One token from character `at`; where the next begins.
    fn read(&mut self, at: usize) -> usize {
        let c = self.char(at);
        if c.is_whitespace() {
            at + 1
        } else if c.is_ascii_digit() {
            self.read_digits(at)
        } else if is_han(c) || c == '〇' {
            self.read_han(at)
        } else if c.is_alphanumeric() {
            self.read_word(at)
        } else if c == '[' {
            self.read_placeholder(at)
        } else {
            let kind = if ",.-()+、，。·_".contains(c) { Kind::Soft } else { Kind::Word };
            self.push(at, at + 1, kind)
        }
    }

    /// What was redacted before stays one word that means nothing.
    fn read_placeholder(&mut self, at: usize) -> usize {
        let found = super::Entity::ALL.iter().find(|entity| self.starts(at, entity.placeholder()));
        self.push(at, at + found.map_or(1, |entity| entity.placeholder().len()), Kind::Word)
    }

    fn read_digits(&mut self, at: usize) -> usize {
        let rest: String = self.chars[at..].iter().take(80).map(|(_, c)| *c).collect();
        let length = COMPOUND.find(&rest).map_or(1, |found| found.end());
        let compound = &rest[..length];
        let mut end = at + length;
        let letters = (end..).take_while(|i| self.char(*i).is_ascii_alphanumeric()).count();
        if letters > 0 && !compound.contains([':', '/', ',']) {
            let count = self.text(at, end + letters).chars().filter(char::is_ascii_digit).count();
            // "5th", "32GB" measure; "5130F634" names.
            let kind = if count < 5 { Kind::Amount } else { Kind::Digits(self.digits_in(at, end + letters)) };
            return self.push(at, end + letters, kind);
        }
        if is_amount(compound) {
            return self.push(at, end, Kind::Amount);
        }
        let mut begin = at;
        end = at;
        while end < at + length {
            while self.char(end).is_ascii_digit() && end < at + length {
                end += 1;
            }
            self.push(begin, end, Kind::Digits(self.text(begin, end)));
            if end < at + length {
                self.push(end, end + 1, Kind::Soft);
                end += 1;
            }
            begin = end;
        }
        end
    }

    fn digits_in(&self, begin: usize, end: usize) -> String {
        self.text(begin, end).chars().filter(char::is_ascii_digit).collect()
    }

    fn read_word(&mut self, at: usize) -> usize {
        let is_part = |c: char| (c.is_alphanumeric() || c == '\'') && !is_han(c);
        let mut end = at;
        while is_part(self.char(end)) {
            end += 1;
        }
        end = end.max(at + 1);
        let word = self.text(at, end);
        let word = word.trim_end_matches('\'');
        if word.chars().filter(char::is_ascii_digit).count() >= 5 {
            return self.push(at, end, Kind::Digits(self.digits_in(at, end)));
        }
        let kind = if let Some(digits) = digits_of(ONES, word).or_else(|| digits_of(TEENS, word)) {
            Kind::Digits(digits.to_string())
        } else if let Some(tens) = digits_of(TENS, word) {
            Kind::Digits(format!("{tens}0"))
        } else if listed(SOFT_WORDS, word) {
            Kind::Soft
        } else {
            match word {
                "double" => Kind::Repeat(2),
                "triple" | "treble" => Kind::Repeat(3),
                "quadruple" => Kind::Repeat(4),
                _ if word.chars().count() == 1 && word.is_ascii() => Kind::Letter,
                _ => Kind::Word,
            }
        };
        self.push(at, end, kind)
    }

    fn read_han(&mut self, at: usize) -> usize {
        let phrase = |list: &str| -> Option<usize> {
            list.split(' ').find(|phrase| self.starts(at, phrase)).map(|phrase| phrase.chars().count())
        };
        if let Some(length) = phrase(SOFT_HAN) {
            return self.push(at, at + length, Kind::Soft);
        }
        if let Some(length) = phrase(NO_DIGIT_HAN) {
            return self.push(at, at + length, Kind::Word);
        }
        let is_digit = |c: char| DIGITS_HAN.contains(c) || c.is_ascii_digit();
        // "三个八" is 888.
        if let Some(times) =
            "二三四五六".find(self.char(at)).map(|byte| 2 + byte / 3).or((self.char(at) == '两').then_some(2))
            && self.char(at + 1) == '个'
            && is_digit(self.char(at + 2))
            && !NO_DIGIT_HAN.split(' ').any(|phrase| self.starts(at + 2, phrase))
        {
            return self.push(at, at + 2, Kind::Repeat(times));
        }
        let numeral = |c: char| DIGITS_HAN.contains(c) || SCALE_HAN.contains(c) || c == '两';
        let end = at + (at..).take_while(|i| numeral(self.char(*i))).count();
        if end > at + 1 && (at..end).any(|i| SCALE_HAN.contains(self.char(i))) {
            return self.push(at, end, Kind::Amount);
        }
        match digit_of(self.char(at)) {
            Some(digit) => self.push(at, at + 1, Kind::Digits(digit.to_string())),
            None => self.push(at, at + 1, Kind::Word),
        }
    }
}

fn digit_of(han: char) -> Option<char> {
    match han {
        '幺' => Some('1'),
        '〇' => Some('0'),
        _ => DIGITS_HAN.replace('〇', "").find(han).and_then(|byte| char::from_digit(byte as u32 / 3, 10)),
    }
}

/// Dates, times, decimals, addresses of machines, "1,250".
fn is_amount(compound: &str) -> bool {
    let parts: Vec<&str> = compound.split(['.', ':', '/', ',', '-']).collect();
    let dotted = compound.matches('.').count() + 1 == parts.len();
    let machine = dotted && parts.len() == 4 && parts.iter().all(|part| part.len() <= 3);
    let decimal = dotted && parts.len() == 2 && parts[1].len() != 4;
    compound.contains(':')
        || (compound.contains('/') && parts.len() == 2)
        || machine
        || decimal
        || DATE.is_match(compound)
        || THOUSANDS.is_match(compound)
}

/// "Forty one" → 41, "eight hundred" → 800; millions are amounts.
fn join_numbers(tokens: &mut Vec<Token>) {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        let last = joined.last_mut().filter(|last| !last.written && last.digits().is_some());
        let (Some(last), false) = (last, token.written) else {
            joined.push(token);
            continue;
        };
        let before = last.digits().unwrap_or("").to_string();
        let ones_after_tens = digits_of(TENS, &last.text).is_some() && token.is_one_digit() && !token.is_han();
        let number = match (token.text.as_str(), token.digits()) {
            ("hundred", _) => Some(Kind::Digits(before + "00")),
            ("thousand", _) => Some(Kind::Digits(before + "000")),
            ("million" | "billion", _) => Some(Kind::Amount),
            (_, Some(one)) if ones_after_tens && one != "0" => Some(Kind::Digits(format!("{}{one}", &before[..1]))),
            _ => None,
        };
        match number {
            Some(kind) => {
                last.kind = kind;
                last.end = token.end;
                last.text = format!("{} {}", last.text, token.text);
            }
            None => joined.push(token),
        }
    }
    *tokens = joined;
}

/// "Oh" beside a digit, and words that sound like one between two.
fn hear_weak_digits(tokens: &mut [Token]) {
    // A group may be nothing but "oh".
    let is_zero = |token: &Token| listed(ZERO_LETTERS, &token.text);
    let alone = tokens.iter().all(|token| token.kind == Kind::Soft || is_zero(token));
    let zero_at = |at: usize, tokens: &mut [Token]| {
        let beside = |i: Option<usize>| {
            i.and_then(|i| tokens.get(i)).is_some_and(|t| t.digits().is_some() || matches!(t.kind, Kind::Repeat(_)))
        };
        if is_zero(&tokens[at]) && (alone || beside(at.checked_sub(1)) || beside(Some(at + 1))) {
            tokens[at].kind = Kind::Digits("0".into());
        }
    };
    // Both ways, so that a row of them hangs on one digit at either end.
    (0..tokens.len()).rev().for_each(|at| zero_at(at, tokens));
    (0..tokens.len()).for_each(|at| zero_at(at, tokens));
    for at in 0..tokens.len() {
        let text = tokens[at].text.as_str();
        let neighbours = [at.checked_sub(1), Some(at + 1)].map(|i| i.and_then(|i| tokens.get(i)));
        if matches!(tokens[at].kind, Kind::Word | Kind::Soft)
            && let Some(digit) = digits_of(SOUND_LIKE, text)
        {
            let one = |i: Option<usize>| i.and_then(|i| tokens.get(i)).is_some_and(Token::is_one_digit);
            let behind = one(at.checked_sub(1)) && one(at.checked_sub(2));
            let before = one(Some(at + 1)) && one(Some(at + 2));
            let at_end = (listed(ONLY_DIGITS, text) && (behind || before)) || (listed(BEHIND_DIGITS, text) && behind);
            if at_end || neighbours.iter().all(|token| token.is_some_and(Token::is_one_digit)) {
                tokens[at].kind = Kind::Digits(digit.into());
            }
        } else if matches!(text, "a" | "i") && !neighbours.iter().flatten().any(|t| t.kind == Kind::Letter) {
            tokens[at].kind = Kind::Word;
        }
    }
}

/// A number with its currency or its unit is no part of a longer one.
fn mark_amounts(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let Some(digits) = tokens[at].digits().map(str::len) else { continue };
        let currency = at.checked_sub(1).is_some_and(|i| matches!(tokens[i].text.as_str(), "$" | "£" | "€" | "¥"));
        let unit = digits <= UNIT_MOST_DIGITS
            && tokens.get(at + 1).is_some_and(|next| {
                let text = next.text.as_str();
                listed(UNITS, text) || (UNITS_HAN.split(' ').any(|unit| unit.starts_with(text)) && text != "小")
            });
        if currency || unit {
            tokens[at].kind = Kind::Amount;
            let end = (at + 2).min(tokens.len());
            mark_spoken_year(&mut tokens[..end]);
        }
    }
}

/// The other digits of 二零二四年.
fn mark_spoken_year(tokens: &mut [Token]) {
    let [before @ .., last, unit] = tokens else { return };
    if unit.text != "年" || !last.is_han() {
        return;
    }
    let digits = before.iter().rev().take_while(|token| token.is_han() && token.is_one_digit()).count();
    if digits == 1 || digits == 3 {
        before.iter_mut().rev().take(digits).for_each(|token| token.kind = Kind::Amount);
    }
}
