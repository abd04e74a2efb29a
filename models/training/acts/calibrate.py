"""Step 4: calibration and threshold of each act, and which acts the product takes, from what heads that had not seen a call say of it: build/model_{en,zh}.npz.

    python calibrate.py phrases.en.tsv phrases.zh.tsv

The phrases' acts of each turn (id<TAB>acts) are written by `cargo run --example act_phrases`. The test calls are not read here.
"""

import sys

import numpy as np
from scipy.optimize import minimize

from common import ACTS, BUILD, LANGUAGES, LEARNT, columns, read_rows
from dataset import FORMS, Turns
from network import sigmoid
from scores import counts, f1

LEAST_F1, LEAST_POSITIVES = 0.70, 10
PULL = 4.0  # how strongly an act's calibration is held to that of all acts
GRID = np.arange(0.10, 0.905, 0.01)


def fitted(score, label, around=(1.0, 0.0), pull=0.0):
    """(a, b) of sigmoid(a score + b)"""
    def loss(ab):
        z = ab[0] * score + ab[1]
        return (np.logaddexp(0, z) - label * z).sum() / len(FORMS) + pull * ((ab[0] - around[0]) ** 2 * 4 + (ab[1] - around[1]) ** 2)

    return minimize(loss, around, method="L-BFGS-B", bounds=[(0.2, 3), (-5, 5)]).x


def ground(turns, index):
    """Per act which of these turns it is settled on: those of the first calls, which two annotators labelled and where things are as rare as they are, or all where too few of those have it."""
    first = turns.part[index] != "more"
    enough = (turns.labels[index] * first[:, None]).sum(0) >= LEAST_POSITIVES
    return turns.counts[index] & (first[:, None] | ~enough)


def calibrated(p, scores, labels, counted):
    """The parameters with each act's slope and shift in them. `scores`, `labels`: of all forms, one below another."""
    common = fitted(scores[counted], labels[counted])
    slopes, shifts = np.array([fitted(scores[counted[:, a], a], labels[counted[:, a], a], common, PULL) for a in range(len(ACTS))]).T
    result = {**p, **{name: p[name] * slopes for name in ("straight", "table")}, "bias": p["bias"] * slopes + shifts}
    return {k: np.asarray(v, np.float32) for k, v in result.items()}, scores * slopes + shifts


def threshold(probability, label, forms=len(FORMS)):
    """Where F1, smoothed over neighbouring thresholds, is highest; acts that few turns have, each in so many forms, stay nearer to 0.4."""
    if not label.any():
        return 0.5
    guess = probability[None] >= GRID[:, None]
    curve = 2 * (guess * label).sum(1) / (guess.sum(1) + label.sum())
    smooth = np.convolve(np.pad(curve, 5, mode="edge"), np.ones(11) / 11, "valid")
    best, positives = GRID[smooth.argmax()], label.sum() / forms
    return round((best * positives + 0.4 * 5) / (positives + 5), 3)


def phrase_guesses(turns, path):
    known = {row[0]: row[1] if len(row) > 1 else "" for row in read_rows(path)}
    guess = np.zeros_like(turns.labels)
    for i, turn in enumerate(turns.turns):
        acts = {act.replace("dated_", "") for act in known[turn["id"]].split(",")}
        guess[i, columns(turn["role"], ",".join(a for a in acts if any(a == n.split(":")[1] and n.split(":")[0] in (turn["role"], "either") for n in ACTS)))] = 1
    return guess


def settle(turns, index, p, held_out):
    """(calibrated parameters, thresholds, probabilities of what was held out, as written)"""
    scores = np.concatenate([held_out[form, index] for form in FORMS])
    labels, counted = (np.tile(x, (len(FORMS), 1)) for x in (turns.labels[index], ground(turns, index)))
    p, scores = calibrated(p, scores, labels, counted)
    thresholds = np.array([threshold(sigmoid(scores[counted[:, a], a]), labels[counted[:, a], a]) for a in range(len(ACTS))])
    return p, thresholds, sigmoid(scores[: len(index)])


def main():
    for language, path in zip(LANGUAGES, sys.argv[1:], strict=True):
        turns, saved = Turns(language), np.load(BUILD / f"weights_{language}.npz")
        index = turns.of(*LEARNT)
        p, thresholds, probability = settle(turns, index, {k: saved[k] for k in saved.files if k != "held_out"}, saved["held_out"])
        labels, counted = turns.labels[index], ground(turns, index)
        of = lambda guess: f1(counts(labels, guess, counted).sum(0))
        model = of(probability >= thresholds)
        phrases, there = of(phrase_guesses(turns, path)[index]), (labels * counted).sum(0)
        given = [a for a in range(len(ACTS)) if model[a] >= max(LEAST_F1, phrases[a]) and there[a] >= LEAST_POSITIVES]
        for a, name in enumerate(ACTS):
            print(f"{language} {name:28} n {there[a]:3.0f}  F1 {100 * model[a]:.1f}  phrases {100 * phrases[a]:.1f}  from {thresholds[a]:.3f} {'given' if a in given else ''}")
        print(f"{language}: mean F1 {100 * model[there > 0].mean():.1f}, of those given {100 * model[given].mean():.1f}")
        np.savez(BUILD / f"model_{language}.npz", **p, thresholds=np.round(thresholds * 1000).astype(int), given=[ACTS[a] for a in given])


if __name__ == "__main__":
    main()
