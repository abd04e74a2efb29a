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


class Table:
    """How well acts are heard: in all calls (`rows`: precision, recall, F1, low, high, n) and in resamples of the calls (`draws`: F1)."""

    def __init__(self, counted, calls):
        names = np.unique(calls)
        per_call = np.array([counted[calls == name].sum(0) for name in names])
        # The same calls are drawn for every system, so that systems can be compared draw by draw.
        rng = np.random.default_rng(5)
        drawn = np.array([per_call[rng.integers(0, len(names), len(names))].sum(0) for _ in range(RESAMPLES)])
        # Where a resample has no turn with an act, it says nothing about that act.
        self.draws, self.total = np.where(drawn[..., 2] > 0, f1(drawn), np.nan), per_call.sum(0)
        right, given, self.there = self.total.T
        low, high = np.array([np.nanpercentile(self.draws[:, a], [2.5, 97.5]) if n else (0, 0) for a, n in enumerate(self.there)]).T
        self.rows = list(zip(right / np.maximum(given, 1), right / np.maximum(self.there, 1), f1(self.total), low, high, self.there.astype(int)))

    def in_tests(self, which):
        """An act that is not in the test calls has no F1."""
        return [a for a in which if self.there[a]]

    def macro(self, which):
        """(mean F1, low, high)"""
        which = self.in_tests(which)
        return float(f1(self.total)[which].mean()), *np.percentile(np.nanmean(self.draws[:, which], axis=1), [2.5, 97.5])

    def lost(self, other, which):
        """By how much the other's mean F1 is lower, low, high."""
        which = self.in_tests(which)
        differences = np.nanmean(self.draws[:, which], axis=1) - np.nanmean(other.draws[:, which], axis=1)
        return float((f1(self.total)[which] - f1(other.total)[which]).mean()), *np.percentile(differences, [2.5, 97.5])


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
