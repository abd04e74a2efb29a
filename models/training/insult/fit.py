"""Fits the head that hears insults and puts it on the shipped text model: `python fit.py en|zh [--try|--curve]`.

Logistic regression on standardised pooled vectors and on hashed pieces and pairs of pieces, after ../sentiment (whose branch it reads). Slope, shift and
threshold are set on readings by heads that had not seen what they read (five parts in turn): the lowest threshold at which labelled turns without an
insult are taken for one in at most ALARMS of 100, service sentences in at most SERVICE_ALARMS of 10,000 and turns of written calls in CALL_ALARMS at most.
Held-out turns and test calls are not read. `--try` prints the figures and writes nothing; `--curve` also those of a half and a quarter of the labelled turns.
"""

import hashlib
import sys
import tomllib

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

import turns  # first: it says where the others are
from common import BUILD, folder
from network import ngram_matrix, rarity, sigmoid
from trunk import Pooled, buckets, put_head, put_table

FOLDS = 5
POOLED, NGRAMS, STRENGTH = 0.1, {"en": 2.0, "zh": 4.0}, 1.0  # how strongly each part may speak, and all
CALLS, SERVICE = 2.0, 1.0  # weight of their texts
ALARMS, SERVICE_ALARMS, CALL_ALARMS = 5, 5, 2
CALIBRATION = 0.1  # weight of texts that are not labelled turns in slope and shift


class Data:
    """What the head reads of everything; pooled vectors are kept in build/insult_{language}_{hash}.npy."""

    def __init__(self, language, kept=1.0):
        self.language, self.pooled = language, None
        own = turns.labelled(language, "train")[:: round(1 / kept)]
        groups = [("labelled", form, [label for label, _, _ in own], 1.0) for form in turns.for_training(language, [text for _, _, text in own])]
        groups += [(kind, texts, [0] * len(texts), weight) for kind, texts, weight in
                   (("calls", turns.calls(language, "train", "validation"), CALLS), ("service", turns.sentences(language)[0], SERVICE))]
        self.texts = [text for _, texts, _, _ in groups for text in texts]
        self.labels = np.array([label for _, _, labels, _ in groups for label in labels])
        self.kind = np.array([kind for kind, texts, _, _ in groups for _ in texts])
        self.weights = np.array([weight for _, texts, _, weight in groups for _ in texts])
        # The forms of a turn are in one part.
        self.fold = np.array([n % FOLDS for _, texts, _, _ in groups for n in range(len(texts))])
        vectors, ngrams = self.vectors([texts for _, texts, _, _ in groups]), self.ngrams([texts for _, texts, _, _ in groups])
        self.mean, self.scale = vectors.mean(0), POOLED / (vectors.std(0) + 1e-6)
        self.rarity = NGRAMS[language] * rarity(ngrams)
        self.x = sparse.hstack([sparse.csr_matrix((vectors - self.mean) * self.scale), ngrams @ sparse.diags(self.rarity)]).tocsr()

    def vectors(self, lists):
        return np.concatenate([self.read(texts) for texts in lists])

    def read(self, texts):
        path = BUILD / f"insult_{self.language}_{hashlib.sha256(chr(10).join(texts).encode()).hexdigest()[:12]}.npy"
        if not path.exists():
            self.pooled = self.pooled or Pooled(self.language)
            np.save(path, self.pooled(texts).astype(np.float16))
        return np.load(path).astype(np.float32)

    def ngrams(self, lists):
        return ngram_matrix([each for texts in buckets(self.language, lists) for each in texts])

    def head(self, rows):
        return LogisticRegression(C=STRENGTH, max_iter=3000).fit(self.x[rows], self.labels[rows], self.weights[rows])


def threshold(p, labels, kind):
    """Per mille."""
    most = {"labelled": ALARMS / 100, "service": SERVICE_ALARMS / 10_000, "calls": CALL_ALARMS / (kind == "calls").sum()}
    for at in range(300, 1000):
        if all((np.rint(1000 * p[(kind == name) & (labels == 0)]) >= at).mean() <= share for name, share in most.items()):
            return at
    return 1000


def shipped_threshold(language):
    return tomllib.loads((folder(language) / "manifest.toml").read_text())["insult"]["threshold_permille"]


def settle(data):
    """(slope, shift, threshold); prints how good readings of what was not seen are."""
    score, labels, kind = np.zeros(len(data.labels)), data.labels, data.kind
    for k in range(FOLDS):
        score[data.fold == k] = data.head(data.fold != k).decision_function(data.x[data.fold == k])
    told = kind == "labelled"
    loss = lambda t: np.average(np.logaddexp(0, t[0] * score + t[1]) - labels * (t[0] * score + t[1]), weights=np.where(told, 1, CALIBRATION))
    slope, shift = minimize(loss, [1, 0], method="L-BFGS-B").x
    p = sigmoid(slope * score + shift)
    at = threshold(p, labels, kind)
    guess = np.rint(1000 * p) >= at
    print(f"{data.language}, {told.sum() // (1 + turns.NOISY)} labelled turns: slope {slope:.2f}, shift {shift:.2f}, threshold {at}: precision {100 * labels[told & guess].mean() if guess[told].any() else 0:.1f}, "
          f"recall {100 * guess[told & (labels == 1)].mean():.1f}; taken for insults: " + ", ".join(f"{guess[kind == name].sum()} of {(kind == name).sum()} {name}" for name in ("calls", "service")), flush=True)
    return slope, shift, at


def main():
    language, *what = sys.argv[1:]
    for kept in (0.25, 0.5) if "--curve" in what else ():
        settle(Data(language, kept))
    data = Data(language)
    slope, shift, at = settle(data)
    if what:
        return
    head = data.head(np.ones(len(data.labels), bool))
    weight, bias = slope * head.coef_[0].astype(np.float32), slope * head.intercept_[0] + shift
    straight = weight[: len(data.scale)] * data.scale
    table = weight[len(data.scale):] * data.rarity
    put_head(language, "insult", straight[:, None], table[:, None].astype(np.float32), [bias - data.mean @ straight])
    put_table(language, "insult", 4, "Written by models/training/insult/fit.py: from which probability on a turn insults.", {"threshold_permille": at})


if __name__ == "__main__":
    main()
