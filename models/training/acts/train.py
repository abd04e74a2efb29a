"""Step 3: trains the head on all calls but the test calls: build/weights_{en,zh}.npz.

`held_out` [forms, turns, acts]: what heads that had not seen a call say of it (five parts of the calls in turn), for calibration and thresholds.

Every turn is read several times: as written, and in forms with errors drawn at random, also for the two turns before it.
The settings were chosen by choose.py.
"""

import numpy as np
from scipy import sparse

import phrase_rows
from common import ACTS, BUILD, LANGUAGES, LEARNT
from dataset import FORMS, Turns, folds
from features import NOISY
from network import fitted, logits, ngram_matrix

HYPER = {
    "en": {"now": 1, "before": 0.5, "earlier": 0.5, "roles": 1, "place": 2, "ngrams": 2.5, "strength": 10, "rare": 1, "phrases": 0.5, "noisy": 2},
    "zh": {"now": 1, "before": 0.5, "earlier": 0.5, "roles": 1, "place": 2, "ngrams": 2.5, "strength": 10, "rare": 1, "phrases": 0.5, "noisy": 2},
}


def train(language, turns, index, hyper):
    there = turns.labels[index].sum(0)
    absent = turns.counts[index].sum(0) - there
    # Rare acts count more, by a power of how rare they are.
    weight = np.clip((absent / np.maximum(there, 1)) ** hyper["rare"], 1, 50)
    readings, labels = 1 + hyper["noisy"], turns.labels[index]
    x, ngrams = [], []
    for reading in range(readings):
        shape = (len(index), 3)
        forms = np.random.default_rng(reading).integers(1, NOISY + 1, shape) if reading else np.zeros(shape, int)
        x.append(turns.dense(index, forms))
        ngrams.append(turns.wide(index, forms[:, 0]))
    labels = [labels] * readings
    weights = [np.where(labels[0] > 0, weight, 1) * turns.counts[index] / readings] * readings
    if hyper["phrases"]:
        phrase_x, phrase_buckets, phrase_labels = phrase_rows.rows(language, turns, index)
        x.append(phrase_x)
        ngrams.append(ngram_matrix(phrase_buckets))
        labels.append(phrase_labels)
        weights.append(phrase_labels * hyper["phrases"] * weight)
    stacked = lambda parts: np.concatenate(parts).astype(np.float32)
    return fitted(stacked(x), sparse.vstack(ngrams).tocsr(), stacked(labels), stacked(weights), hyper)


def held_out(language, turns, index, hyper):
    scores = np.zeros((len(FORMS), len(turns.turns), len(ACTS)), np.float32)
    for learnt, others in folds(turns, index):
        p = train(language, turns, learnt, hyper)
        for form in FORMS:
            scores[form, others] = logits(p, *turns.inputs(others, form))
    return scores


def main():
    for language in LANGUAGES:
        turns, hyper = Turns(language), HYPER[language]
        index = turns.of(*LEARNT)
        np.savez(BUILD / f"weights_{language}.npz", held_out=held_out(language, turns, index, hyper), **train(language, turns, index, hyper))
        print(language, "trained", flush=True)


if __name__ == "__main__":
    main()
