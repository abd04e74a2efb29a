"""The labelled texts of a language: public sets and call sentences as ../sentiment_en/dataset.py and ../text_zh/dataset.py put them together
(build/{en,zh}/*.json), and the turns of this project's written calls with their sentiment (data/*.tsv, texts in ../acts/data).
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "acts"), str(HERE.parent / "text_common")]

from common import BUILD, TESTS, all_turns, part, read_rows  # noqa: E402
from noise import Noise, as_recognised  # noqa: E402

LABELS = ["negative", "neutral", "positive"]
NOISY = 2  # forms of a turn of a call for training, beside the written one


def public(language, name):
    """[(label, text, source)]"""
    rows = json.load(open(BUILD / language / f"{name}.json"))
    return [(r["label"], r["text"], r["source"]) if isinstance(r, dict) else tuple(r) for r in rows]


def parties(language, name):
    """(dialogues, speakers) of the same rows, of a set that has them."""
    rows = json.load(open(BUILD / language / f"{name}.json"))
    return [row["dialogue"] for row in rows], [row["speaker"] for row in rows]


class Calls:
    """The labelled turns of the written calls: labels, split, whether heads may learn from them, role, and their forms: written, NOISY ones for training, and for measuring as a recogniser
    writes them without errors and with 15 % of the words (Chinese: characters) wrong."""

    def __init__(self, language):
        settled = {row[0]: row[3] for row in read_rows(HERE / f"data/{language}.tsv")[1:]}
        self.turns = [turn for turn in all_turns(language) if turn["id"] in settled]
        self.labels = np.array([LABELS.index(settled[t["id"]]) for t in self.turns])
        self.call, self.role = np.array([t["call"] for t in self.turns]), np.array([t["role"] for t in self.turns])
        self.part = np.array([part(call) for call in self.call])
        self.learnt = ~np.isin(self.part, TESTS)
        texts, noise, wrong = [t["text"] for t in self.turns], Noise(language, 7), Noise(language, 11, for_test=True)
        plain = [as_recognised(language, text) for text in texts]
        self.forms = [texts] + [[noise.for_training(text) for text in texts] for _ in range(NOISY)] + [plain, [wrong.errors(text, 0.15) for text in plain]]
