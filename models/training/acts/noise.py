"""How a recogniser may have written a turn: wrong words, lost words, no punctuation, lower case, no fillers.

Training errors and test errors take their words that sound alike from different tables (Chinese) or different halves of one (English).
"""

import random
import re

from common import MODELS, read_rows

NEAR_SOUNDS = MODELS.parent / "pipeline/core/src/recogniser_noise"
FILLERS = {"en": re.compile(r"\b(uh+|um+|er+m?|hmm+|mm+|you know|i mean)\b,? ?", re.I), "zh": re.compile("([嗯呃哎啊哦噢]|那个|这个)，?")}
SMALL = {"en": "the a and to uh so of in it".split(), "zh": "嗯 啊 那 就 这 个 的 了".split()}
JOIN = {"en": " ", "zh": ""}


def table(language, for_test):
    rows = lambda path: [row for row in read_rows(path) if len(row) > 1 and not row[0].startswith("#")]
    if language == "zh" and not for_test:
        return {c: row[1].replace(c, "") for row in rows(MODELS / "evaluation/homophones_zh.tsv") for c in row[1]}
    near = {row[0]: row[1].split() for row in rows(NEAR_SOUNDS / f"near_sounds_{language}.tsv")}
    return near if language == "zh" else {word: others[1 if for_test else 0 :: 2] for word, others in near.items()}


def units(language, text):
    """Words with what sticks to them, or characters."""
    return text.split() if language == "en" else list(text)


def as_recognised(language, text):
    if language == "zh":
        return re.sub(r"[^\w]+", "", text)
    return " ".join(re.sub(r"[^\w' ]+", " ", text.lower()).split())


class Noise:
    """Errors at a rate per word or character: 60 % others that sound alike, 25 % lost, 15 % a small word more."""

    def __init__(self, language, seed, for_test=False):
        self.language, self.random, self.near = language, random.Random(seed), table(language, for_test)
        # Words that nothing sounds like: left alone in training; in tests another word, so that the rate is what it says.
        self.others = SMALL[language] if for_test else None

    def errors(self, text, rate):
        out = []
        for unit in units(self.language, text):
            plain = re.sub(r"[^\w']", "", unit.lower())
            kind = self.random.random()
            if not plain or self.random.random() >= rate:
                out.append(unit)
            elif kind < 0.60:
                out.append(self.random.choice(self.near.get(plain) or self.others or [plain]))
            elif kind >= 0.85:
                out += [unit, self.random.choice(SMALL[self.language])]
        return JOIN[self.language].join(out)

    def for_training(self, text):
        """Two of three with errors, half without punctuation, a third without fillers; never nothing."""
        original = text
        if self.random.random() < 0.33:
            text = FILLERS[self.language].sub("", text)
        if self.random.random() < 0.67:
            text = self.errors(text, self.random.uniform(0.03, 0.22))
        if self.random.random() < 0.5:
            text = as_recognised(self.language, text)
        return text if any(c.isalnum() for c in text) else original
