"""Turns as arrays: labels, which columns count, and inputs in any form of the turn and of the two before it."""

import hashlib
import json

import numpy as np

from common import ACTS, BUILD, ROLES, SIZE, all_turns, columns, counts_for, part, place
from features import PLAIN
from network import ngram_matrix

FOLDS = 5
FORMS = range(PLAIN + 1)  # as written and as misheard: a steadier ground for calibration than the written ones alone


def folds(turns, index):
    """[(turns to learn from, turns of other calls)]"""
    calls = sorted(set(turns.calls[index]), key=lambda call: hashlib.sha256(f"fold{call}".encode()).digest())
    fold = np.array([calls.index(call) % FOLDS for call in turns.calls[index]])
    return [(index[fold != k], index[fold == k]) for k in range(FOLDS)]


class Turns:
    def __init__(self, language):
        self.language, self.turns = language, all_turns(language)
        self.calls = np.array([t["call"] for t in self.turns])
        self.part = np.array([part(call) for call in self.calls])
        self.embeddings = np.load(BUILD / f"features_{language}.npz")["embeddings"]
        saved = json.load(open(BUILD / f"forms_{language}.json"))
        self.texts, rows = saved["texts"], saved["ngrams"]
        self.forms = self.embeddings.shape[1]
        # Row `form * turns + turn`.
        self.ngrams = ngram_matrix([row[form] for form in range(self.forms) for row in rows])
        self.buckets = rows
        count = len(self.turns)
        self.labels = np.zeros((count, len(ACTS)), np.float32)
        for i, turn in enumerate(self.turns):
            self.labels[i, columns(turn["role"], turn["acts"])] = 1
        self.counts = np.array([counts_for(turn["role"]) for turn in self.turns])
        role = np.array([ROLES[turn["role"]] for turn in self.turns])
        # The turn, the one before, the one before that; -1: none.
        first = {call: i for i, call in reversed(list(enumerate(self.calls)))}
        length = {call: (self.calls == call).sum() for call in first}
        start = np.array([first[call] for call in self.calls])
        self.context = np.arange(count)[:, None] - np.arange(3)
        self.context[self.context < start[:, None]] = -1
        self.roles = np.where(self.context >= 0, role[self.context], 0).astype(np.float32)
        self.place = np.array([place(i - first[call], length[call]) for i, call in enumerate(self.calls)], np.float32)

    def of(self, *parts):
        return np.flatnonzero(np.isin(self.part, parts))

    def unit(self, turns, forms):
        e = self.embeddings[turns, forms].astype(np.float32)
        e /= np.maximum(np.linalg.norm(e, axis=-1, keepdims=True), 1e-6)
        return e * (turns >= 0)[..., None]

    def dense(self, index, forms):
        """[embeddings, roles, place] of these turns; `forms`: one for all, or [turns, 3]."""
        e = self.unit(self.context[index], np.broadcast_to(forms, (len(index), 3)))
        return np.concatenate([e.reshape(len(index), 3 * SIZE), self.roles[index], self.place[index]], axis=1)

    def wide(self, index, form):
        return self.ngrams[np.asarray(form) * len(self.turns) + index]

    def inputs(self, index, form=0):
        return self.dense(index, form), self.wide(index, form)
