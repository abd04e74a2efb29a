"""Baseline on the same split: TF-IDF of the turn's own words (Chinese: characters) with a linear model per act, and thresholds as the head has them."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from calibrate import ground, threshold
from common import ACTS, LEARNT
from dataset import folds
from scores import counts, f1

STRENGTHS = (0.3, 1, 3, 10, 30, 100)


def vectorizer(language):
    if language == "zh":
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"[\w']+")


def probabilities(turns, x, train, strength):
    result = np.zeros((x.shape[0], len(ACTS)))
    for act in range(len(ACTS)):
        rows = train[turns.counts[train, act]]
        if turns.labels[rows, act].any():
            model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000).fit(x[rows], turns.labels[rows, act])
            result[:, act] = model.predict_proba(x)[:, 1]
    return result


def guesses(language, turns):
    """Of all turns; the strength is chosen, and thresholds are set, on held-out parts of the calls that are learnt from, as the head's are."""
    index = turns.of(*LEARNT)
    texts = [row[0] for row in turns.texts]
    x, best = vectorizer(language).fit([texts[i] for i in index]).transform(texts), None
    for strength in STRENGTHS:
        p = np.zeros((len(texts), len(ACTS)))
        for learnt, others in folds(turns, index):
            p[others] = probabilities(turns, x, learnt, strength)[others]
        counted = ground(turns, index)
        rows = lambda act: index[counted[:, act]]
        at = np.array([threshold(p[rows(a), a], turns.labels[rows(a), a], forms=1) for a in range(len(ACTS))])
        score = f1(counts(turns.labels[index], p[index] >= at, counted).sum(0)).mean()
        if best is None or score > best[0]:
            best = score, strength, at
    print(f"TF-IDF, {language}: C {best[1]}")
    return (probabilities(turns, x, index, best[1]) >= best[2]).astype(float)
