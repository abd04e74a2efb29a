"""Paths, acts, the split by call and a turn's features, shared by every step of the recipe."""

import hashlib
import os
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1]
# Scratch folder, never committed.
BUILD = Path(os.environ.get("CALLMARK_BUILD", HERE / "build"))
BUILD.mkdir(parents=True, exist_ok=True)

LANGUAGES = ("en", "zh")
REP = ("greeting self_introduction recording_disclosure identity_check needs_question needs_restated presentation price_mention objection_answer "
       "empathy apology hold_request hold_return transfer next_step summary closing").split()
CUSTOMER = "greeting request question price_objection objection confirmation thanks angry closing".split()
# The columns of the model's output. A column of one party says nothing about turns of the other.
ACTS = [f"rep:{act}" for act in REP] + [f"customer:{act}" for act in CUSTOMER] + ["either:backchannel"]
LEARNT = ("train", "validation", "more")  # parts of the calls
TESTS = ("test", "second")
LATER = {"x": "more", "y": "second"}  # by the third letter of a call's name
ROLES = {"rep": 1.0, "customer": -1.0}
SIZE, BUCKETS = 384, 32768
DENSE = 3 * SIZE + 3 + 2


def folder(language):
    return MODELS / f"text-{language}"


def read_rows(path):
    return [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]


def read_turns(language, more=""):
    """[{id, call, role, text, acts_a, acts_b, acts}, …] in the order of the calls; `_more`: without what each annotator said."""
    header, *rows = read_rows(HERE / f"data/{language}{more}.tsv")
    turns = [dict(zip(header, row)) for row in rows]
    for turn in turns:
        turn["id"] = turn.pop("turn")
        turn["call"] = turn["id"].split(".")[0]
    return turns


def all_turns(language):
    """Those of the first calls and of the second test calls, then those of `_more`."""
    return read_turns(language) + read_turns(language, "_more")


def part(call):
    """train, validation or test (about 60, 20, 20 % of the calls), by the hash of the call's name alone; `more`: calls that one annotator
    labelled; `second`: test calls that came later, of other writers.

    Heads learn from all but the test calls.
    """
    if call[2] in LATER:
        return LATER[call[2]]
    share = int.from_bytes(hashlib.sha256(call.encode()).digest()[:4], "big") % 100
    return "train" if share < 60 else "validation" if share < 80 else "test"


def columns(role, acts):
    """The turn's acts as numbers of ACTS."""
    names = [f"either:{act}" if act == "backchannel" else f"{role}:{act}" for act in acts.split(",") if act and act != "other"]
    return [ACTS.index(name) for name in names]


def counts_for(role):
    """Which columns a turn of this role has a say in."""
    return np.array([name.split(":")[0] in (role, "either") for name in ACTS])


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def buckets(language, text):
    """Hashed n-grams of a text, each once, ascending; [0] when there are none."""
    text = unicodedata.normalize("NFKC", text).lower()
    if language == "en":
        words = "".join(c if c.isalnum() or c == "'" else " " for c in text).split(" ")
        words = [word for word in words if word]
        features = words + [f"{a} {b}" for a, b in zip(words, words[1:])]
    else:
        characters = "".join(c for c in text if c.isalnum())
        features = [characters[i : i + n] for n in (1, 2, 3) for i in range(len(characters) - n + 1)]
    return sorted({1 + fnv1a(feature.encode()) % (BUCKETS - 1) for feature in features}) or [0]


def place(index, count):
    """Distance from the start and from the end of the call."""
    return [min(index, 10) / 10, min(count - 1 - index, 10) / 10]
