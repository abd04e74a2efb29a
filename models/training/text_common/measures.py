"""Measures with intervals, shared by the text recipes."""

import numpy as np

CLASSES = 3


def interval(labels, guess, metric, rng):
    """2.5 % and 97.5 % of 2,000 bootstrap resamples of the rows."""
    values = []
    for _ in range(2000):
        i = rng.integers(0, len(labels), len(labels))
        values.append(metric(labels[i], guess[i]))
    return np.percentile(values, [2.5, 97.5])


def macro_f1(labels, guess):
    # Per class from counts: scikit-learn is slow in 2,000 resamples.
    scores = []
    for c in range(CLASSES):
        tp, n = ((labels == c) & (guess == c)).sum(), (labels == c).sum() + (guess == c).sum()
        scores.append(2 * tp / n if n else 0.0)
    return float(np.mean(scores))


def accuracy(labels, guess):
    return float((labels == guess).mean())


def calibration_error(labels, probability, bins=10):
    """Expected calibration error of the winning class, equal-width bins."""
    top, right = probability.max(1), probability.argmax(1) == labels
    which = np.minimum((top * bins).astype(int), bins - 1)
    return sum(abs(right[which == b].mean() - top[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any())


def error_by_chance(probability, draws=500):
    """Mean and 95th percentile of calibration_error if the winning probabilities meant what they say: few texts leave gaps by chance alone
    (consistency resampling: Bröcker, Smith 2007)."""
    rng, top, pick = np.random.default_rng(5), probability.max(1), probability.argmax(1)
    wrong = (pick + 1) % probability.shape[1]
    errors = [calibration_error(np.where(rng.random(len(top)) < top, pick, wrong), probability) for _ in range(draws)]
    return float(np.mean(errors)), float(np.percentile(errors, 95))


def per_mille(probability):
    """Whole per mille that sum to 1000: largest remainder, ties to the earlier class."""
    exact = np.asarray(probability) * 1000
    floor = np.floor(exact).astype(int)
    for i in sorted(range(len(exact)), key=lambda i: (-(exact[i] - floor[i]), i))[: 1000 - floor.sum()]:
        floor[i] += 1
    return floor.tolist()
