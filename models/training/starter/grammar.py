"""Sentence templates → sentences, as written and as spoken.

text/templates.txt: (a|b|) picks one, <slot> looks up text/slots.txt or one of the number rules below. A sentence is a list
of words; "$12.50" is one written word and four spoken ones."""

import pathlib
import random
import re
from typing import NamedTuple

TEXT = pathlib.Path(__file__).parent / "text"
LONGEST_SENTENCE = 30  # spoken words


class SaidWord(NamedTuple):
    written: str
    spoken: str


Sentence = list[SaidWord]


def written(sentence: Sentence) -> str:
    return " ".join(word.written for word in sentence)


def spoken(sentence: Sentence) -> str:
    return " ".join(word.spoken for word in sentence)


# -------------------------------------------------------------------- numbers
ONES = (
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen""".split()
)
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = (
    """zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()
)
SPOKEN_TITLES = {"Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz"}
SPOKEN_LITERALS = {"12": "twelve", "14": "fourteen", "18": "eighteen", "24": "twenty four", "30": "thirty"}
OPEN, PART, CLOSE = "\u27e6", "~", "\u27e7"  # mark a word that is written otherwise than it is spoken


def say_number(number: int, rng: random.Random) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (" " + ONES[number % 10] if number % 10 else "")
    if number < 1000:
        rest = number % 100
        joint = " and " if rng.random() < 0.4 else " "
        return ONES[number // 100] + " hundred" + (joint + say_number(rest, rng) if rest else "")
    rest = number % 1000
    return say_number(number // 1000, rng) + " thousand" + (" " + say_number(rest, rng) if rest else "")


def say_ordinal(number: int) -> str:
    if number <= 20:
        return ORDINALS[number]
    return "thirtieth" if number == 30 else TENS[number // 10] + " " + ORDINALS[number % 10]


def ordinal_ending(number: int) -> str:
    return "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def digit_string(rng: random.Random, count: int) -> tuple[str, str]:
    digits = "".join(rng.choice("0123456789") for _ in range(count))
    zero = "oh" if rng.random() < 0.35 else "zero"
    return digits, " ".join(zero if digit == "0" else ONES[int(digit)] for digit in digits)


def marked(text: str, said: str) -> str:
    return f"{OPEN}{text}{PART}{said}{CLOSE}"


class Grammar:
    def __init__(self, rng: random.Random, folder: pathlib.Path = TEXT):
        self.rng = rng
        self.slots: dict[str, list[str]] = {}
        for name, lines in _sections(folder / "slots.txt").items():
            self.slots[name] = [choice.strip() for choice in "|".join(lines).split("|")]
        self.templates = _sections(folder / "templates.txt")
        number_rules = "int2 int3 pct money year date dob time d4 acct phone zip house".split()
        self.rules = {name: getattr(self, f"_{name}") for name in number_rules}

    def draw(self, section: str) -> Sentence | None:
        """A sentence from a random template of a section."""
        return self.sentence(self.rng.choice(self.templates[section]))

    def sentence(self, template: str) -> Sentence | None:
        for _ in range(50):
            text = _tidy(self._expand(template))
            sentence = _words(text[0].upper() + text[1:])
            length = sum(len(word.spoken.split()) for word in sentence)
            if 0 < length <= LONGEST_SENTENCE and all(word.spoken.split() for word in sentence):
                return sentence
        return None

    def _expand(self, template: str) -> str:
        out, at = "", 0
        while at < len(template):
            if template[at] == "(":
                choices, end = _choices(template, at)
                part = self._expand(self.rng.choice(choices))
                glued = re.match(rf"[A-Za-z0-9{OPEN}]", part)
            elif template[at] == "<":
                end = template.index(">", at) + 1
                name = template[at + 1 : end - 1]
                part = self.rules[name]() if name in self.rules else self._expand(self.rng.choice(self.slots[name]))
                glued = True
            else:
                end, part, glued = at + 1, template[at], False
            needs_space = glued and re.search(rf"[A-Za-z0-9{CLOSE}]$", out)
            out += " " + part if needs_space else part
            at = end
        return out

    # number rules, one a slot name
    def _int2(self) -> str:
        number = self.rng.randint(13, 99)
        return marked(str(number), say_number(number, self.rng))

    def _int3(self) -> str:
        number = self.rng.choice([self.rng.randint(100, 999), self.rng.randint(1, 9) * 100])
        return marked(str(number), say_number(number, self.rng))

    def _pct(self) -> str:
        number = self.rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 12, 3, 2, 60, 75, 100])
        return marked(f"{number}%", say_number(number, self.rng) + " percent")

    def _money(self) -> str:
        rng, kind = self.rng, self.rng.random()
        if 0.3 <= kind < 0.65:
            dollars, cents = rng.randint(3, 199), rng.choice([99, 95, 50, 49, 25, 75, rng.randint(10, 98)])
            said, said_cents = say_number(dollars, rng), say_number(cents, rng)
            if rng.random() < 0.6:
                said += rng.choice([" dollars and ", " dollars ", " "]) + said_cents + " cents"
            else:
                said += " " + said_cents
            return marked(f"${dollars}.{cents:02}", said)
        if kind < 0.3:
            dollars = rng.randint(5, 99)
        elif kind < 0.85:
            dollars = rng.choice([rng.randint(1, 9) * 100, rng.randint(100, 999), rng.randint(10, 99) * 10])
        else:
            dollars = rng.randint(1, 20) * 1000 if rng.random() < 0.6 else rng.randint(10, 99) * 100
        return marked(f"${dollars:,}", say_number(dollars, rng) + " dollars")

    def _year(self) -> str:
        rng = self.rng
        year = rng.randint(1940, 2006) if rng.random() < 0.6 else rng.randint(2010, 2027)
        if 2000 <= year < 2010:
            said = "two thousand" + (" " + ONES[year - 2000] if year > 2000 else "")
        else:
            rest = year % 100
            said = say_number(year // 100, rng) + " " + (say_number(rest, rng) if rest >= 10 else "oh " + ONES[rest])
        return marked(str(year), said)

    def _date(self) -> str:
        day = self.rng.randint(1, 31)
        return self.rng.choice(self.slots["month"]) + " " + marked(f"{day}{ordinal_ending(day)}", say_ordinal(day))

    def _dob(self) -> str:
        return self._date() + ", " + self._year()

    def _time(self) -> str:
        rng = self.rng
        hour, minute = rng.randint(1, 12), rng.choice([0, 0, 0, 15, 30, 30, 45, 10, 20, 40])
        half = rng.choice(["AM", "PM"])
        spoken_half = marked(half, {"AM": "ay em", "PM": "pee em"}[half])
        said_hour = say_number(hour, rng)
        if minute == 0:
            return marked(str(hour), said_hour) + (" " + spoken_half if rng.random() < 0.7 else " o'clock")
        time = marked(f"{hour}:{minute:02}", said_hour + " " + say_number(minute, rng))
        return time + (" " + spoken_half if rng.random() < 0.7 else "")

    def _digit_groups(self, counts: list[int], between: str) -> str:
        groups = [digit_string(self.rng, count) for count in counts]
        return marked(between.join(digits for digits, _ in groups), ", ".join(said for _, said in groups))

    def _d4(self) -> str:
        return self._digit_groups([4], "")

    def _zip(self) -> str:
        return self._digit_groups([5], "")

    def _acct(self) -> str:
        return self._digit_groups(self.rng.choice([[3, 3], [4, 4], [2, 3, 3], [3, 4], [6], [5], [8], [4, 3]]), "")

    def _phone(self) -> str:
        return self._digit_groups([3, 4] if self.rng.random() < 0.4 else [3, 3, 4], "-")

    def _house(self) -> str:
        number = self.rng.randint(2, 299)
        return marked(str(number), say_number(number, self.rng))


def _sections(path: pathlib.Path) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return sections


def _choices(template: str, at: int) -> tuple[list[str], int]:
    """The choices of the group that opens at `at`, and where it ends."""
    depth, start, choices = 0, at + 1, []
    for index in range(at, len(template)):
        if template[index] == "(":
            depth += 1
        elif template[index] == ")":
            depth -= 1
            if depth == 0:
                return choices + [template[start:index]], index + 1
        elif template[index] == "|" and depth == 1:
            choices.append(template[start:index])
            start = index + 1
    raise ValueError(f"unclosed group in template: {template}")


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,.?!])", r"\1", text)
    text = re.sub(r"(\w) ('(?:ve|m|d|ll|re|s)\b)", r"\1\2", text)
    text = re.sub(rf"(?<=[a-z{CLOSE}])(?={OPEN})", " ", text)
    text = re.sub(rf"(?<={CLOSE})(?=[A-Za-z])", " ", text)
    return re.sub(r"([?!.])\.", r"\1", text)


def _words(text: str) -> Sentence:
    sentence = []
    for match in re.finditer(rf"{OPEN}([^{PART}]*){PART}([^{CLOSE}]*){CLOSE}([,.?!]*)|(\S+)", text):
        number, said, punctuation, word = match.groups()
        if word is None:
            sentence.append(SaidWord(number + punctuation, said + punctuation))
            continue
        core = word if word in SPOKEN_TITLES else word.rstrip(",.?!")
        said = SPOKEN_TITLES.get(word) or SPOKEN_LITERALS.get(core, core) + word[len(core) :]
        sentence.append(SaidWord(word, said.replace("-", " ")))
    return sentence
