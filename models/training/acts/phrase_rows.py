"""Phrases of acts.yaml as training rows: each says that its own act is there, and nothing about the others.

A phrase gets the context and the place of a training turn of the same role, so that nothing but its words is learnt from it.
"""

import numpy as np
import yaml

from common import ACTS, MODELS, ROLES, buckets
from features import TextModel

RULES = MODELS.parent / "pipeline/core/src/acts.yaml"


def phrases(language):
    """[(column of ACTS, text), …]; acts that either party may do are left out."""
    rows = []
    for rule in yaml.safe_load(RULES.read_text(encoding="utf-8")):
        name = f"{rule.get('role')}:{rule['act'].removeprefix('dated_')}"
        if name in ACTS:
            rows += [(ACTS.index(name), text) for text in rule.get(language, [])]
    return rows


def rows(language, turns, index):
    """(dense input, lists of buckets, labels)"""
    model, rng, found = TextModel(language), np.random.default_rng(9), phrases(language)
    donors = np.array([rng.choice(index[turns.roles[index, 0] == ROLES[ACTS[act].split(":")[0]]]) for act, _ in found])
    x = turns.dense(donors, 0)
    for row, (_, text) in zip(x, found):
        unit = model(text).astype(np.float32)
        row[: len(unit)] = unit / np.linalg.norm(unit)
    return x, [buckets(language, text) for _, text in found], np.eye(len(ACTS), dtype=np.float32)[[act for act, _ in found]]
