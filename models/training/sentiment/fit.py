"""Fits the sentiment head of a language and puts it on the shipped text model: `python fit.py en|zh [--try|--curve]`.

A linear layer on standardised pooled vectors and on hashed pieces and pairs of pieces: weighted multinomial logistic regression with an L2 penalty.
Then, on readings by heads that had not seen what they read (Chinese television: each show left out in turn; GoEmotions: its dev split; written
calls: five parts of the training and validation calls in turn), one slope and two shifts of the logits and what the same party's other turns count.
Test sets are not read. `--try` prints the figures and writes nothing; `--curve` also those of heads that learnt from a share of the texts.
"""

import hashlib
import sys

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from sets import BUILD, NOISY, Calls, parties, public  # first: it says where the others are
from context import centred, lent
from measures import accuracy, calibration_error, macro_f1
from network import ngram_matrix, rarity
from trunk import Pooled, buckets, put_head, put_table

FOLDS = 5
CURVE = [0.1, 0.25, 0.5]
SHOWS = ["32", "39", "40", "44", "45"]
# Weight of a row by its source; each turn of a call comes in 1 + NOISY forms. `ngrams`: how strongly they may speak;
# `share`: of written calls in what slope, shifts and the weight of neighbours are fitted on.
SETTINGS = {
    "en": {"weights": {"goemotions": 0.5, "ambiguous": 0.5, "weak": 0.5, "calls": 1.0}, "turns": 12.0, "balance": 0.5, "penalty": 1e-3, "ngrams": 4.0, "share": 0.5},
    "zh": {"weights": {**dict.fromkeys(SHOWS, 0.5), "weak": 0.4, "calls": 3.0}, "turns": 6.0, "balance": 0.5, "penalty": 1e-3, "ngrams": 3.0, "share": 0.7},
}
POWER = 0.25  # of the inverse class frequency there
DECAY = 0.7  # of neighbours, as in context.py


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def balanced(labels, power):
    counts = np.bincount(labels, minlength=3)
    return ((counts.mean() / counts) ** power)[labels]


def logistic(inputs, labels, weights, penalty):
    """(weight of pooled vectors, of n-grams [buckets, 3], bias [3]) on inputs = (pooled vectors, n-grams)."""
    x, ngrams = inputs
    truth, total, dense, transposed = np.eye(3, dtype=np.float32)[labels], weights.sum(), x.shape[1], ngrams.T.tocsr()

    def loss(flat):
        theta = flat.reshape(-1, 3).astype(np.float32)
        p = softmax(x @ theta[:dense] + ngrams @ theta[dense:-1] + theta[-1])
        error = (p - truth) * (weights / total)[:, None].astype(np.float32)
        slope = np.concatenate([x.T @ error, transposed @ error, error.sum(0, keepdims=True)])
        slope[:-1] += 2 * penalty * theta[:-1]
        value = -(weights * np.log(p[np.arange(len(labels)), labels] + 1e-9)).sum() / total + penalty * (theta[:-1] ** 2).sum()
        return float(value), slope.ravel().astype(float)

    start = np.zeros((dense + ngrams.shape[1] + 1) * 3)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x.reshape(-1, 3)
    return found[:dense], found[dense:-1], found[-1]


def logits(head, inputs):
    return inputs[0] @ head[0] + inputs[1] @ head[1] + head[2]


def some(inputs, rows):
    return inputs[0][rows], inputs[1][rows]


class Data:
    """What the head reads of everything; pooled vectors are computed once per trunk: build/pooled_{language}_{what}_{hash}.npy."""

    def __init__(self, language):
        self.language, self.calls = language, Calls(language)
        self.train = public(language, "train") + ([] if language == "en" else public(language, "calls"))
        self.held_out = public(language, "dev" if language == "en" else "plain")
        self.pooled = None
        texts = [[text for _, text, _ in self.train], [text for _, text, _ in self.held_out]] + self.calls.forms[: 1 + NOISY] + self.calls.forms[-1:]
        names = ["train", "held_out"] + [f"form{n}" for n in range(1 + NOISY)] + ["wrong"]
        vectors = [self.vectors(name, each) for name, each in zip(names, texts)]
        ngrams = [ngram_matrix(each) for each in buckets(language, texts)]
        self.mean, self.scale = vectors[0].mean(0), 4 / np.sqrt(vectors[0].shape[1]) / (vectors[0].std(0) + 1e-6)
        self.rarity = SETTINGS[language]["ngrams"] * rarity(ngrams[0])
        inputs = [((x - self.mean) * self.scale, (w @ sparse.diags(self.rarity)).tocsr()) for x, w in zip(vectors, ngrams)]
        self.x, self.held_out_x, self.forms, self.wrong = inputs[0], inputs[1], inputs[2:-1], inputs[-1]
        self.labels = np.array([label for label, _, _ in self.train])
        self.sources = np.array([source for _, _, source in self.train])

    def vectors(self, name, texts):
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
        path = BUILD / f"pooled_{self.language}_{name}_{digest}.npy"
        if not path.exists():
            self.pooled = self.pooled or Pooled(self.language)
            np.save(path, self.pooled(texts).astype(np.float16))
        return np.load(path).astype(np.float32)

    def head(self, settings, show=None, turns=(), kept=1.0):
        """A head that does not learn from this show; of the calls from these turns only; of all that from a share."""
        rows = np.flatnonzero((self.sources != show) & drawn([text for _, text, _ in self.train], kept))
        turns = turns[drawn(self.calls.forms[0], kept)[turns]]
        labels, weights = self.labels[rows], np.array([settings["weights"][s] for s in self.sources[rows]])
        people = np.isin(self.sources[rows], ["goemotions", "ambiguous", *SHOWS])
        weights[people] *= balanced(labels[people], settings["balance"])
        turn_labels = self.calls.labels[turns]
        turn_weights = balanced(turn_labels, settings["balance"]) * settings["turns"] / len(self.forms)
        parts = [some(self.x, rows)] + [some(form, turns) for form in self.forms]
        inputs = np.concatenate([x for x, _ in parts]), sparse.vstack([w for _, w in parts]).tocsr()
        return logistic(inputs, np.concatenate([labels] + [turn_labels] * len(self.forms)),
                        np.concatenate([weights] + [turn_weights] * len(self.forms)), settings["penalty"])


def part_of(name, parts):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % parts


def drawn(texts, share):
    return np.array([part_of(text, 1000) < 1000 * share for text in texts])


def readings(data, settings, kept=1.0):
    """Logits by heads that had not seen them: (of the held-out public texts, of the turns of calls that are no test calls, of these misheard)."""
    calls = data.calls
    fold = np.array([part_of(f"fold{call}", FOLDS) for call in calls.call])
    learnt = calls.learnt
    sources = np.array([source for _, _, source in data.held_out])
    public_logits, turn_logits, wrong_logits = (np.zeros((count, 3)) for count in (len(sources), len(calls.labels), len(calls.labels)))
    for k, show in enumerate(SHOWS):
        head = data.head(settings, show if data.language == "zh" else None, np.flatnonzero(learnt & (fold != k)), kept)
        rows = sources == show if data.language == "zh" else np.arange(len(sources)) % FOLDS == k
        public_logits[rows] = logits(head, some(data.held_out_x, rows))
        turns = learnt & (fold == k)
        turn_logits[turns], wrong_logits[turns] = logits(head, some(data.forms[0], turns)), logits(head, some(data.wrong, turns))
    return public_logits, turn_logits[learnt], wrong_logits[learnt]


class Part:
    """Readings of turns alone and what their neighbours lend, for a slope of 1: a set that slope, shifts and weight are fitted on (by its share) or shown for."""

    def __init__(self, name, share, logits, labels, dialogues=None, speakers=None):
        self.name, self.share, self.alone, self.labels = name, share, centred(logits), labels
        self.weights = balanced(labels, POWER)
        alone = (range(len(labels)), [0] * len(labels))
        self.lent, self.count = (lent(x, *(alone if dialogues is None else (dialogues, speakers)), DECAY) for x in (self.alone, np.ones_like(self.alone)))

    def logits(self, slope, negative, positive, weight):
        return slope * (self.alone + weight * self.lent) + centred(np.array([negative, 0, positive])) * (1 + weight * self.count)

    def loss(self, settled):
        told = np.log(softmax(self.logits(*settled))[np.arange(len(self.labels)), self.labels] + 1e-9)
        return -self.share * (self.weights * told).sum() / self.weights.sum()


def settle(data, settings, kept=1.0):
    """(slope, shift of negative, shift of positive, weight of neighbours) with the least weighted log loss; prints how good they are."""
    public_logits, *turn_logits = readings(data, settings, kept)
    calls, learnt = data.calls, data.calls.learnt
    share, told = settings["share"], (calls.labels[learnt], calls.call[learnt], calls.role[learnt])
    # What is misheard is shown only: it has no share.
    parts = [Part(name, part, logits, *told) for name, part, logits in zip(("calls", "calls with 15 % wrong"), (share, 0), turn_logits)]
    parts += [Part("public set", 1 - share, public_logits, np.array([label for label, _, _ in data.held_out]),
                   *(parties(data.language, "plain") if data.language == "zh" else ()))]
    bounds = [(0.1, 5), (-3, 3), (-3, 3), (0, 1)]
    settled = minimize(lambda t: sum(part.loss(t) for part in parts), [1, 0, 0, 0.1], method="L-BFGS-B", bounds=bounds).x.round(3)
    for part in parts:
        for how, weight in (("alone", 0), ("in context", settled[3])):
            p = softmax(part.logits(*settled[:3], weight))
            print(f"{data.language}, {kept:.0%} of the texts, {part.name} {how}: macro-F1 {100 * macro_f1(part.labels, p.argmax(1)):.1f}, "
                  f"accuracy {100 * accuracy(part.labels, p.argmax(1)):.1f}, calibration error {100 * calibration_error(part.labels, p):.1f}", flush=True)
    return settled


def main():
    language, *what = sys.argv[1:]
    data, settings = Data(language), SETTINGS[language]
    for kept in CURVE if "--curve" in what else []:
        settle(data, settings, kept)
    slope, negative, positive, weight = settle(data, settings)
    print(f"slope {slope}, shifts {negative} {positive}, neighbours {weight}")
    if what:
        return
    head, table, bias = data.head(settings, turns=np.flatnonzero(data.calls.learnt))
    head, table, bias = head * data.scale[:, None], table * data.rarity[:, None], bias - (data.mean * data.scale) @ head
    put_head(language, "sentiment", slope * head, slope * table, slope * bias + np.array([negative, 0, positive]))
    neighbours = {"neighbour_weight_permille": round(1000 * weight), "neighbour_decay_permille": round(1000 * DECAY)}
    put_table(language, "sentiment", 3, "Written by models/training/sentiment/fit.py: what a party's other turns count.", neighbours)


if __name__ == "__main__":
    main()
