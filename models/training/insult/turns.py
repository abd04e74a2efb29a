"""Texts with and without insults: the labelled turns (data/), the written calls of ../acts (they hold none) and sentences of service dialogues.

Service sentences are those of ../../evaluation/make_matching_sets.py (folder CALLMARK_MATCHING_SETS; without television, which insults): half of
them, by hash, may be learnt from, the others are for counting false alarms only.
"""

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "acts"), str(HERE.parent / "text_common")]

from common import part, read_rows, read_turns  # noqa: E402
from noise import Noise, as_recognised  # noqa: E402

SENTENCES = 6000  # of each half
NOISY = 2  # forms of a labelled turn for training, beside the written one


def labelled(language, name):
    """[(1: insult or 0, role, text)] of `train`, `heldout` or `second_heldout`."""
    return [(int(row[0] == "insult"), row[1], row[2]) for row in read_rows(HERE / f"data/{language}_{name}.tsv")]


def calls(language, *parts):
    """Texts of the turns of written calls."""
    return [turn["text"] for turn in read_turns(language) if part(turn["call"]) in parts]


def sentences(language):
    """(to learn from, to count false alarms in)"""
    number = lambda text: int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    folder = Path(os.environ["CALLMARK_MATCHING_SETS"]) / language
    texts = {line.strip() for path in folder.glob("*.txt") if path.stem != "cped" for line in open(path, encoding="utf-8")} - {""}
    ordered = sorted(texts, key=number)
    return [[text for text in ordered if number(text) // 2 % 2 == half][:SENTENCES] for half in (0, 1)]


def for_training(language, texts):
    """[as written, NOISY forms with errors, …]"""
    noise = Noise(language, 7)
    return [texts] + [[noise.for_training(text) for text in texts] for _ in range(NOISY)]


def for_measuring(language, texts):
    """{how a recogniser may write them: texts}"""
    wrong, plain = Noise(language, 11, for_test=True), [as_recognised(language, text) for text in texts]
    return {"as written": texts, "without punctuation": plain, "15 % wrong": [wrong.errors(text, 0.15) for text in plain]}
