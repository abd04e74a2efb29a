"""Precision, recall, F1 per act with intervals over calls, calibration, and how far two annotators agree."""

import numpy as np

from common import ACTS, columns

RESAMPLES = 2000


def counts(labels, guess, counted):
    """[turns, acts, 3]: right, given, there; turns of the other role not at all."""
    return np.stack([labels * guess, guess, labels], axis=-1) * counted[..., None]


def f1(sums):
    right, given, there = np.moveaxis(np.asarray(sums, float), -1, 0)
    return 2 * right / np.maximum(given + there, 1)


def table(counted, calls):
    """Per act (precision, recall, F1, low, high, n), and a function macro(which acts) -> (F1, low, high)."""
    names = np.unique(calls)
    per_call = np.array([counted[calls == name].sum(0) for name in names])
    rng = np.random.default_rng(5)
    drawn = np.array([per_call[rng.integers(0, len(names), len(names))].sum(0) for _ in range(RESAMPLES)])
    # Where a resample has no turn with an act, it says nothing about that act.
    draws = np.where(drawn[..., 2] > 0, f1(drawn), np.nan)
    total = per_call.sum(0)
    right, given, there = total.T
    low, high = np.array([np.nanpercentile(draws[:, a], [2.5, 97.5]) if there[a] else (0, 0) for a in range(len(there))]).T
    rows = list(zip(right / np.maximum(given, 1), right / np.maximum(there, 1), f1(total), low, high, there.astype(int)))

    def macro(which):
        # An act that is not in the test calls has no F1.
        which = [a for a in which if there[a]]
        means = np.nanmean(draws[:, which], axis=1)
        return float(f1(total)[which].mean()), *np.percentile(means, [2.5, 97.5])

    return rows, macro


def calibration_error(labels, probability, bins=10):
    """Expected calibration error of single probabilities, equal-width bins."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return sum(abs(labels[which == b].mean() - probability[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any())


def kappa(turns, act):
    """Cohen's kappa of the two annotators over the turns of the act's role that two have labelled."""
    turns = [t for t in turns if "acts_b" in t]
    a, b = (np.array([act in columns(t["role"], t[name]) for t in turns], bool) for name in ("acts_a", "acts_b"))
    party = ACTS[act].split(":")[0]
    kept = np.array([party in (t["role"], "either") for t in turns])
    a, b = a[kept], b[kept]
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - chance) / (1 - chance)) if chance < 1 else float("nan")
