"""Measures the head that hears insults on what it did not learn from, one text at a time, as the program runs it: `python evaluate.py en|zh`.

Two sets of held-out labelled turns in three forms (precision and recall with 95 % Wilson intervals; calibration error, what it would be by chance alone: mean, at most; area under the curve), beside TF-IDF with logistic regression on the same
training texts at a threshold chosen likewise; then what is taken for an insult in other service sentences and in the written test calls.
"""

import sys

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import turns  # first: it says where the others are
import fit
from common import folder
from measures import calibration_error, error_by_chance
from network import sigmoid
from shipped import Model, says


def wilson(hits, n):
    """Percent, with the interval."""
    if n == 0:
        return "–"
    p, z = hits / n, 1.96
    middle, half, scale = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)), 1 + z * z / n
    return f"{100 * p:.1f} ({100 * (middle - half) / scale:.1f}–{100 * (middle + half) / scale:.1f})"


def report(language, name, read, at):
    """`read`: texts → probabilities."""
    for part in ("heldout", "second_heldout"):
        held_out = turns.labelled(language, part)
        labels = np.array([label for label, _, _ in held_out])
        for form, texts in turns.for_measuring(language, [text for _, _, text in held_out]).items():
            p = read(texts)
            guess = np.rint(1000 * p) >= at
            right = (guess & (labels == 1)).sum()
            both = np.column_stack([1 - p, p])
            error = ", ".join(f"{100 * value:.1f}" for value in (calibration_error(labels, both), *error_by_chance(both)))
            print(f"| {part} | {name} | {form} | {wilson(right, guess.sum())} | {wilson(right, (labels == 1).sum())} | {error} | {100 * roc_auc_score(labels, p):.1f} |", flush=True)
    for what, texts in (("other service sentences", turns.sentences(language)[1]), ("turns of the first test calls", turns.calls(language, "test"))):
        print(f"{name}: {(np.rint(1000 * read(texts)) >= at).sum()} of {len(texts)} {what} taken for an insult", flush=True)


def linear(data, texts):
    """(read, threshold) of TF-IDF with logistic regression, calibrated and cut as the head is."""
    ngrams = {"analyzer": "word", "ngram_range": (1, 2)} if data.language == "en" else {"analyzer": "char", "ngram_range": (1, 3)}
    vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, **ngrams)
    data.x = vectorizer.fit_transform(texts)
    slope, shift, at = fit.settle(data)
    head = data.head(np.ones(len(data.labels), bool))
    return lambda those: sigmoid(slope * head.decision_function(vectorizer.transform(those)) + shift), at


def main():
    language = sys.argv[1]
    model = Model(folder(language))
    read = lambda texts: np.array([model.insult(text) if says(text) else 0.0 for text in texts])
    report(language, "the head", read, fit.shipped_threshold(language))
    data = fit.Data(language)
    report(language, "TF-IDF", *linear(data, data.texts))


if __name__ == "__main__":
    main()
