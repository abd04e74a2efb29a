#!/usr/bin/env python3
"""Makes sets for `callmark eval redaction`: calls in which personal numbers and addresses are written and spoken, with their places.

    make_redaction_sets.py spoken OUT [--calls 400] [--seed 1]     spoken-en.jsonl, spoken-zh.jsonl, noisy-en.jsonl, noisy-zh.jsonl
    make_redaction_sets.py presidio SYNTH_DATASET.jsonl OUT         presidio-build.jsonl (even templates), presidio-once.jsonl (odd)

One call a line: {"language", "turns": [{"role", "begin_ms", "end_ms", "text"}], "spans": [{"turn", "begin", "end", "entity"}]}; begin and end
count characters of the turn's text. Half of the calls hold nothing personal but prices, dates, durations, counts, order numbers.
The noisy sets are the spoken ones after recogniser errors inside the numbers: digits dropped, put in, taken for words that sound alike.
"""

import argparse
import json
import random
from pathlib import Path

EN = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
ZH = "零一二三四五六七八九"


class Call:
    """Turns under construction; text in braces is personal: `{card:4111}`."""

    def __init__(self, language, rng):
        self.language, self.rng, self.turns, self.spans, self.at = language, rng, [], [], 0

    def say(self, role, *parts):
        """Parts are texts, or (entity, text)."""
        glue = "" if self.language == "zh" else " "
        text = ""
        for part in parts:
            entity, words = part if isinstance(part, tuple) else (None, part)
            if not words:
                continue
            if text and not (words[0] in ",.?!，。" or text.endswith(("（", "("))):
                text += glue
            if entity:
                self.spans.append({"turn": len(self.turns), "begin": len(text), "end": len(text) + len(words), "entity": entity})
            text += words
        length = 60 * len(text) if self.language == "en" else 200 * len(text)
        self.turns.append({"role": role, "begin_ms": self.at, "end_ms": self.at + length, "text": text})
        self.at += length + self.rng.randrange(200, 1200)

    def line(self):
        return json.dumps({"language": self.language, "turns": self.turns, "spans": self.spans}, ensure_ascii=False)


def luhn(rng, prefix, length):
    body = prefix + "".join(str(rng.randrange(10)) for _ in range(length - len(prefix) - 1))
    total = sum((d * 2 // 10 + d * 2 % 10) if i % 2 == 0 else d for i, d in enumerate(int(c) for c in reversed(body)))
    return body + str(-total % 10)


def card(rng):
    prefix, length = rng.choice([("4", 16), ("5" + str(rng.randrange(1, 6)), 16), ("37", 15), ("62", 19), ("6011", 16), ("62", 16)])
    return luhn(rng, prefix, length)


def groups_of(digits, rng, sizes=None):
    sizes = sizes or rng.choice([[4], [4], [3], [2], [5], [len(digits)], [4, 3]])
    out, i, n = [], 0, 0
    while i < len(digits):
        size = sizes[n % len(sizes)]
        out.append(digits[i : i + size])
        i, n = i + size, n + 1
    return out


def spoken_en(digits, rng, pairs=False):
    words, i = [], 0
    zero = rng.choice(["zero", "oh", "oh", "o"])
    doubles = rng.random() < 0.5
    while i < len(digits):
        run = len(digits) - i - len(digits[i:].lstrip(digits[i]))
        digit = zero if digits[i] == "0" else EN[int(digits[i])]
        if doubles and run >= 3:
            words += ["triple", digit]
            i += 3
        elif doubles and run == 2:
            words += ["double", digit]
            i += 2
        elif pairs and i + 1 < len(digits) and digits[i] >= "1":
            tens, ones = int(digits[i]), int(digits[i + 1])
            words.append(TEENS[ones] if tens == 1 else TENS[tens] + (" " + EN[ones] if ones else ""))
            i += 2
        else:
            words.append(digit)
            i += 1
    return " ".join(words)


def spoken_zh(digits, rng):
    one = rng.choice("一幺")
    repeats = rng.random() < 0.3
    out, i = "", 0
    while i < len(digits):
        run = len(digits) - i - len(digits[i:].lstrip(digits[i]))
        said = one if digits[i] == "1" else ZH[int(digits[i])]
        if repeats and run == 3 and digits[i] != "1":
            out += "三个" + said
            i += 3
        else:
            out += said
            i += 1
    return out


def said_groups(digits, call, style):
    """The groups of a number as one text each."""
    rng = call.rng
    groups = groups_of(digits, rng)
    if style == "written":
        return groups
    if call.language == "zh":
        return [spoken_zh(group, rng) for group in groups]
    pairs = rng.random() < 0.25
    return [spoken_en(group, rng, pairs) for group in groups]


FILL = {"en": [",", ", um,", ", uh,", " and then", ", okay,", ", let me see,", ", then", " dash"], "zh": ["，", "，嗯，", "，然后", "，呃", "，那个", "，接着"]}
BACK = {
    "en": ["okay", "mhm", "yes", "right", "got it", "uh huh", "yes, go on", "okay, and the next?", "thank you, go ahead"],
    "zh": ["嗯", "好的", "对", "是的", "您继续", "好，然后呢", "嗯嗯，请讲"],
}


def tell(call, entity, digits, lead, tail, role="customer"):
    """A number in one turn or in groups over several, with back-channels, a correction, or read back."""
    rng, other = call.rng, "rep" if role == "customer" else "customer"
    style = rng.choice(["spoken", "spoken", "spoken", "written"])
    groups = said_groups(digits, call, style)
    glue = "" if call.language == "zh" and style == "spoken" else " "
    if len(groups) > 1 and rng.random() < 0.45:
        for i, group in enumerate(groups):
            call.say(role, *([lead] if i == 0 else [rng.choice(["", "", "and then", "yes,"] if call.language == "en" else ["", "", "然后", "对，"])]), (entity, group), *([tail] if i == len(groups) - 1 else []))
            if i < len(groups) - 1:
                if rng.random() < 0.3:
                    call.say(other, (entity, group), rng.choice(["", ", yes", ", okay"] if call.language == "en" else ["", "，对", "，好"]))
                else:
                    call.say(other, rng.choice(BACK[call.language]))
    else:
        text = groups[0]
        for group in groups[1:]:
            text += (rng.choice(FILL[call.language]) if rng.random() < 0.3 else "") + glue + group
        call.say(role, lead, (entity, text.replace("  ", " ")), tail)
    if rng.random() < 0.2:
        call.say(other, "so that is" if call.language == "en" else "跟您核对一下", (entity, digits if rng.random() < 0.5 else glue.join(groups)), "?" if call.language == "en" else "对吗")


NAMES = ["john smith", "anna", "mary jones", "k brown", "li wei", "peter", "sales team", "zhang san", "d o connor"]
PROVIDERS = ["gmail", "hotmail", "yahoo", "outlook", "acme", "northgate", "example", "one six three"]


def email_en(rng):
    name = rng.choice(NAMES)
    digits = rng.choice(["", "", str(rng.randrange(1, 99))])
    if rng.random() < 0.4:
        return name.replace(" ", rng.choice([".", "_", ""])) + digits + "@" + rng.choice(PROVIDERS).replace(" ", "") + rng.choice([".com", ".co.uk", ".org"])
    local = rng.choice([name, name.replace(" ", " dot "), name.replace(" ", " underscore "), " ".join(name.replace(" ", ""))])
    local += (" " + spoken_en(digits, rng)) if digits else ""
    return local + rng.choice([" at ", " at "]) + rng.choice(PROVIDERS) + rng.choice([" dot com", " dot co dot uk", " dot org", " dot net"])


def email_zh(rng):
    name = rng.choice(["zhangsan", "liwei", "wang li", "c h e n", "abc"]) + rng.choice(["", spoken_zh(str(rng.randrange(100, 99999)), rng), str(rng.randrange(10, 9999))])
    if rng.random() < 0.3:
        name = spoken_zh(str(rng.randrange(10**7, 10**10)), rng)
    if rng.random() < 0.3:
        return name.replace(" ", "") + "@" + rng.choice(["qq", "163", "126", "sina"]) + ".com"
    return name + rng.choice(["艾特", " at ", "圈a"]) + rng.choice(["qq", "一六三", "一二六", "sina", "foxmail"]) + rng.choice(["点com", "点c o m", " dot com"])


def address_en(rng):
    number = str(rng.randrange(1, 9999))
    if rng.random() < 0.5:
        number = spoken_en(number, rng, True)
    street = rng.choice(["Baker", "Oak", "Maple", "Second", "King George", "Mill", "Station"]) + " " + rng.choice(["Street", "Road", "Avenue", "Lane", "Drive", "Boulevard"])
    text = number + " " + (street if rng.random() < 0.6 else street.lower())
    return text + rng.choice(["", "", f", apartment {rng.randrange(1, 40)}", f" flat {rng.randrange(1, 9)}"])


def address_zh(rng):
    number = lambda top: spoken_zh(str(rng.randrange(1, top)), rng) if rng.random() < 0.5 else str(rng.randrange(1, top))
    city = rng.choice(["北京市朝阳区", "上海市浦东新区", "广东省深圳市南山区", "杭州市西湖区", ""])
    return city + rng.choice(["建国", "中山", "人民", "南京西", "学院"]) + rng.choice(["路", "街", "大道"]) + number(500) + "号" + rng.choice(["", number(30) + "栋" + number(20) + "单元" + number(900) + "室", number(900) + "室"])


def personal(call):
    rng, en = call.rng, call.language == "en"
    kind = rng.choice(["card", "card", "card", "bank", "identity", "phone", "phone", "email", "email", "address"])
    if kind == "card":
        ask = rng.choice(["Can I take the long card number?", "And the number on the front of the card, please.", "How would you like to pay?"] if en else ["请您报一下卡号。", "麻烦说一下您的信用卡号码。", "请问您用哪张卡支付？"])
        if rng.random() < 0.8:
            call.say("rep", ask)
        lead = rng.choice(["sure, it's", "my card number is", "yes, that's", "okay so the card is", "it is"] if en else ["卡号是", "我的卡号", "好的，", "嗯，是", "银行卡"])
        tell(call, "card", card(rng), lead, rng.choice(["", ", did you get that"] if en else ["", "，记下了吗"]))
        if rng.random() < 0.3:
            code = f"{rng.randrange(1000):03}"
            call.say("rep", "And the security code on the back?" if en else "背面的安全码是多少？")
            call.say("customer", ("card", spoken_en(code, rng) if en else spoken_zh(code, rng)))
    elif kind == "phone":
        digits = rng.choice(["07" + "".join(str(rng.randrange(10)) for _ in range(9)), "".join(str(rng.randrange(2, 10)) for _ in range(10)), "1800" + "".join(str(rng.randrange(10)) for _ in range(7))] if en else ["1" + rng.choice("3456789") + "".join(str(rng.randrange(10)) for _ in range(9)), "0" + rng.choice(["10", "21", "755"]) + "".join(str(rng.randrange(10)) for _ in range(8))])
        if rng.random() < 0.5:
            call.say("rep", "What is the best number to reach you on?" if en else "请问您的联系电话是多少？")
        tell(call, "phone", digits, rng.choice(["you can call me on", "my number is", "it's", "my mobile is"] if en else ["我的手机号是", "电话是", "打这个电话", "是"]), "")
    elif kind == "bank":
        digits = "".join(str(rng.randrange(10)) for _ in range(rng.choice([8, 9, 10]) if en else rng.choice([16, 17, 19])))
        tell(call, "bank", digits, rng.choice(["the account number is", "my bank account is"] if en else ["对公账号是", "开户账号是", "银行账号"]), "")
    elif kind == "identity":
        if en:
            tell(call, "identity", "".join(str(rng.randrange(1, 10)) for _ in range(9)), rng.choice(["my social security number is", "my social is", "the SSN is"]), "")
        else:
            number = rng.choice(["110105", "310115", "440305"]) + str(rng.randrange(1950, 2005)) + f"{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}" + f"{rng.randrange(1000):03}" + str(rng.randrange(10))
            tell(call, "identity", number, rng.choice(["身份证号是", "我的身份证号码"]), "")
    elif kind == "email":
        call.say("rep", "And your e-mail address?" if en else "您的邮箱是多少？")
        call.say("customer", rng.choice(["it's", "my email is", "yes, send it to", "sure,"] if en else ["邮箱是", "我的邮箱", "发到", "是"]), ("email", email_en(rng) if en else email_zh(rng)))
    else:
        call.say("rep", "What is your address?" if en else "请问您的地址？")
        call.say("customer", rng.choice(["I live at", "it's", "my address is", "send it to"] if en else ["我住在", "地址是", "寄到", "是"]), ("address", address_en(rng) if en else address_zh(rng)))


def harmless(call):
    """Hard negatives: numbers that must stay."""
    rng, en = call.rng, call.language == "en"
    number = rng.randrange
    if en:
        line = rng.choice(
            [
                f"that comes to ${number(1, 9)},{number(100, 999)}.{number(10, 99)} a year",
                f"the premium is {spoken_en(str(number(10, 99)), rng, True)} dollars a month for {number(12, 60)} months",
                f"it was sent on {number(1, 28)}/{number(1, 12):02}/20{number(15, 26)} at {number(1, 12)}:{number(10, 59)}",
                f"your order number is {number(10000, 9999999)}",
                f"the reference is {spoken_en(str(number(10000, 999999)), rng)}",
                f"we cover up to {number(100, 900)} thousand dollars for {number(10, 30)} years",
                f"it's between nineteen ninety {EN[number(1, 9)]} and two thousand and {EN[number(1, 9)]}",
                f"I have {EN[number(2, 5)]} kids, {EN[number(2, 5)]} dogs and {number(2, 20)} years left on the mortgage",
                f"you get {number(2, 100)} GB, {number(100, 900)} minutes and {number(100, 900)} texts",
                f"press {EN[number(1, 9)]} for sales or {EN[number(1, 9)]} for support",
                f"I called on the {number(4, 20)}th, then on the {number(21, 30)}th, and waited {number(10, 59)} minutes",
                f"my policy number is {number(100000, 99999999)}",
                f"he was born on the {number(4, 20)}th of May 19{number(50, 99)}",
                f"options are {number(1, 9)}00, {number(1, 9)}00, or {number(1, 9)}000 dollars",
                "look at our page at acme dot com",
                f"it is {number(5, 40)} minutes drive from the office, about {number(2, 20)} miles",
                f"version {number(1, 20)}.{number(0, 9)} came out in 20{number(10, 25)}",
                f"in {number(2016, 2020)}, {number(2021, 2023)} and {number(2024, 2026)} it was {number(2, 9)} percent",
                f"there are {number(100, 999)} or maybe {number(1000, 9999)} people waiting",
                f"flight {number(100, 999)} leaves at {EN[number(1, 9)]} {TENS[number(2, 5)]} on gate {number(1, 50)}",
            ]
        )
    else:
        line = rng.choice(
            [
                f"保费一共{ZH[number(1, 9)]}千{ZH[number(1, 9)]}百元，分{number(3, 24)}期",
                f"每个月{number(20, 999)}块钱，合同{number(1, 5)}年",
                f"二零二{ZH[number(0, 6)]}年{number(1, 12)}月{number(1, 28)}号生效",
                f"订单号是{number(10000, 99999999)}",
                f"我等了{number(10, 59)}分钟，打了{ZH[number(2, 9)]}次",
                f"保额{number(10, 90)}万，保到{number(60, 90)}岁",
                f"一共有{ZH[number(2, 9)]}个人，{ZH[number(2, 9)]}个房间",
                f"套餐有{number(10, 100)}G流量，{number(100, 900)}分钟通话",
                f"下午{number(1, 6)}点{number(10, 59)}分给您回电",
                f"工单编号{number(100000, 99999999)}，请您记录一下",
                f"第一年{number(100, 999)}元，第二年{number(100, 999)}元，第三年免费",
                f"利率是百分之{ZH[number(2, 9)]}点{ZH[number(1, 9)]}",
                f"保单号{number(100000, 9999999)}",
                f"他{number(1950, 2000)}年出生，今年{number(25, 70)}岁",
                f"大概{number(1, 9)}000到{number(10, 90)}000之间",
                "您可以看一下我们的官网，第一个和第二个都可以",
                f"打{ZH[number(5, 9)]}折，优惠{number(100, 900)}元",
                f"满三百减{number(10, 90)}，一个人限购两个",
            ]
        )
    call.say(rng.choice(["rep", "customer"]), line)


CHAT = {
    "en": ["thanks for calling, how can I help", "one moment please", "I see, that makes sense", "could you say that again", "that's all from me", "let me check that for you", "no problem at all"],
    "zh": ["您好，请问有什么可以帮您", "请稍等", "好的，我明白了", "麻烦您再说一遍", "没有别的问题了", "我帮您查一下", "不客气"],
}


def make_call(language, rng):
    call = Call(language, rng)
    call.say("rep", CHAT[language][0])
    for _ in range(rng.randrange(2, 5)):
        call.say(rng.choice(["rep", "customer"]), rng.choice(CHAT[language][1:]))
        (personal if rng.random() < 0.5 else harmless)(call)
    return call


SOUNDS = {"one": "won", "two": "to", "four": "for", "eight": "ate", "three": "tree", "oh": "o", "nine": "line", "一": "医", "二": "而", "四": "是", "五": "武", "六": "留", "八": "把", "九": "就", "零": "林", "幺": "要"}


def noisy(call, rng, share=0.15):
    """Recogniser errors inside what is personal: a word (Chinese: character) in `share` is dropped, doubled by a filler, or sounds alike."""
    turns, spans = [], []
    for index, turn in enumerate(call.turns):
        text, out = turn["text"], ""
        at = 0
        for span in [s for s in call.spans if s["turn"] == index]:
            out += text[at : span["begin"]]
            pieces = list(text[span["begin"] : span["end"]]) if call.language == "zh" else text[span["begin"] : span["end"]].split(" ")
            kept = []
            for place, piece in enumerate(pieces):
                if span["entity"] in ("email", "address") or rng.random() >= share:
                    kept.append(piece)
                    continue
                change = rng.choice(["drop", "sound", "insert"])
                if change == "sound":
                    kept.append(SOUNDS.get(piece, piece))
                elif change == "insert":
                    # Behind the last one it would be no part of the number.
                    kept += [piece] if place == len(pieces) - 1 else [piece, "嗯" if call.language == "zh" else "uh"]
            begin = len(out)
            out += ("" if call.language == "zh" else " ").join(kept)
            if out[begin:].strip():
                spans.append({**span, "begin": begin, "end": len(out)})
            at = span["end"]
        turns.append({**turn, "text": out + text[at:]})
    call.turns, call.spans = turns, spans
    return call


ENTITIES = {"CREDIT_CARD": "card", "IBAN_CODE": "bank", "US_SSN": "identity", "US_DRIVER_LICENSE": "identity", "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "STREET_ADDRESS": "address"}


def presidio(source, out):
    halves = {"build": [], "once": []}
    for line in source.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        spans = [{"turn": 0, "begin": b, "end": e, "entity": ENTITIES[kind]} for kind, b, e, _ in row["spans"] if kind in ENTITIES]
        turn = {"role": "customer", "begin_ms": 0, "end_ms": 60 * len(row["text"]), "text": row["text"]}
        halves["build" if row["template"] % 2 == 0 else "once"].append(json.dumps({"language": "en", "turns": [turn], "spans": spans}, ensure_ascii=False))
    for name, lines in halves.items():
        (out / f"presidio-{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def spoken(out, calls, seed):
    for language in ("en", "zh"):
        rng = random.Random(f"{seed} {language}")
        made = [make_call(language, rng) for _ in range(calls)]
        (out / f"spoken-{language}.jsonl").write_text("\n".join(call.line() for call in made) + "\n", encoding="utf-8")
        (out / f"noisy-{language}.jsonl").write_text("\n".join(noisy(call, rng).line() for call in made) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("spoken")
    one.add_argument("out", type=Path)
    one.add_argument("--calls", type=int, default=400)
    one.add_argument("--seed", type=int, default=1)
    two = commands.add_parser("presidio")
    two.add_argument("source", type=Path)
    two.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.command == "spoken":
        spoken(args.out, args.calls, args.seed)
    else:
        presidio(args.source, args.out)


if __name__ == "__main__":
    main()
