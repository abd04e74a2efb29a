"""Fits the sentiment head of a language and puts it on the shipped text model: `python fit.py en|zh [--try]`.

A linear layer on standardised pooled vectors, weighted multinomial logistic regression with an L2 penalty. Then, on readings by heads that had
not seen what they read (Chinese television: each show left out in turn; GoEmotions: its dev split; written calls: five parts of the training
and validation calls in turn), one slope and two shifts of the logits. Test sets are not read. `--try`: prints the figures and writes nothing.
"""

import hashlib
import sys

import numpy as np
from scipy.optimize import minimize

from sets import BUILD, NOISY, Calls, public  # first: it says where the others are
from measures import calibration_error, macro_f1
from trunk import Pooled, put_head

FOLDS = 5
SHOWS = ["32", "39", "40", "44", "45"]
# Weight of a row by its source; each turn of a call comes in 1 + NOISY forms.
SETTINGS = {
    "en": {"weights": {"goemotions": 0.5, "ambiguous": 0.5, "weak": 0.5, "calls": 1.0}, "turns": 12.0, "balance": 0.75, "penalty": 1e-3},
    "zh": {"weights": {**dict.fromkeys(SHOWS, 0.5), "weak": 0.4, "calls": 3.0}, "turns": 6.0, "balance": 0.5, "penalty": 1e-3},
}
CALLS_SHARE = 0.6  # of written calls in what slope and shifts are fitted on
POWER = 0.5  # of the inverse class frequency there


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def balanced(labels, power):
    counts = np.bincount(labels, minlength=3)
    return ((counts.mean() / counts) ** power)[labels]


def logistic(x, labels, weights, penalty):
    """(weight [inputs, 3], bias [3])"""
    truth, total = np.eye(3, dtype=np.float32)[labels], weights.sum()

    def loss(flat):
        theta = flat.reshape(-1, 3).astype(np.float32)
        p = softmax(x @ theta[:-1] + theta[-1])
        error = (p - truth) * (weights / total)[:, None].astype(np.float32)
        slope = np.concatenate([x.T @ error, error.sum(0, keepdims=True)])
        slope[:-1] += 2 * penalty * theta[:-1]
        value = -(weights * np.log(p[np.arange(len(labels)), labels] + 1e-9)).sum() / total + penalty * (theta[:-1] ** 2).sum()
        return float(value), slope.ravel().astype(float)

    found = minimize(loss, np.zeros((x.shape[1] + 1) * 3), jac=True, method="L-BFGS-B", options={"maxiter": 100}).x.reshape(-1, 3)
    return found[:-1], found[-1]


class Data:
    """Pooled vectors of everything, computed once per trunk: build/pooled_{language}_{what}_{hash}.npy."""

    def __init__(self, language):
        self.language, self.calls = language, Calls(language)
        self.train = public(language, "train") + ([] if language == "en" else public(language, "calls"))
        self.held_out = public(language, "dev" if language == "en" else "plain")
        self.pooled = None
        vectors = {"train": self.vectors("train", [t for _, t, _ in self.train]), "held_out": self.vectors("held_out", [t for _, t, _ in self.held_out])}
        forms = [self.vectors(f"form{n}", form) for n, form in enumerate(self.calls.forms[: 1 + NOISY])]
        mean, spread = vectors["train"].mean(0), vectors["train"].std(0) + 1e-6
        self.mean, self.scale = mean, 4 / np.sqrt(len(mean)) / spread
        scaled = lambda x: (x - self.mean) * self.scale
        self.x, self.forms, self.held_out_x = scaled(vectors["train"]), [scaled(x) for x in forms], scaled(vectors["held_out"])
        self.labels = np.array([label for label, _, _ in self.train])
        self.sources = np.array([source for _, _, source in self.train])

    def vectors(self, name, texts):
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
        path = BUILD / f"pooled_{self.language}_{name}_{digest}.npy"
        if not path.exists():
            self.pooled = self.pooled or Pooled(self.language)
            np.save(path, self.pooled(texts).astype(np.float16))
        return np.load(path).astype(np.float32)

    def head(self, settings, show=None, turns=()):
        """A head that does not learn from this show; of the calls from these turns only."""
        rows = np.flatnonzero(self.sources != show)
        labels, weights = self.labels[rows], np.array([settings["weights"][s] for s in self.sources[rows]])
        people = np.isin(self.sources[rows], ["goemotions", "ambiguous", *SHOWS])
        weights[people] *= balanced(labels[people], settings["balance"])
        turn_labels = self.calls.labels[turns]
        turn_weights = balanced(turn_labels, settings["balance"]) * settings["turns"] / len(self.forms)
        return logistic(np.concatenate([self.x[rows]] + [form[turns] for form in self.forms]), np.concatenate([labels] + [turn_labels] * len(self.forms)),
                        np.concatenate([weights] + [turn_weights] * len(self.forms)), settings["penalty"])


def readings(data, settings):
    """Logits by heads that had not seen them: (of the held-out public texts, of the turns of calls that are no test calls)."""
    calls = data.calls
    fold = np.array([int.from_bytes(hashlib.sha256(f"fold{c}".encode()).digest()[:4], "big") % FOLDS for c in calls.call])
    learnt = calls.part != "test"
    sources = np.array([source for _, _, source in data.held_out])
    public_logits, turn_logits = np.zeros((len(sources), 3)), np.zeros((len(calls.labels), 3))
    for k, show in enumerate(SHOWS):
        weight, bias = data.head(settings, show if data.language == "zh" else None, np.flatnonzero(learnt & (fold != k)))
        rows = sources == show if data.language == "zh" else np.arange(len(sources)) % FOLDS == k
        public_logits[rows] = data.held_out_x[rows] @ weight + bias
        turn_logits[learnt & (fold == k)] = data.forms[0][learnt & (fold == k)] @ weight + bias
    return public_logits, turn_logits


def settle(data, public_logits, turn_logits):
    """(slope, shifts of negative and positive) with the least weighted log loss."""
    learnt = data.calls.part != "test"
    sets = {"calls": (turn_logits[learnt], data.calls.labels[learnt], CALLS_SHARE),
            "public set": (public_logits, np.array([label for label, _, _ in data.held_out]), 1 - CALLS_SHARE)}
    shifted = lambda t, z: t[0] * z + np.array([t[1], 0, t[2]])

    def loss(t):
        told = 0
        for z, labels, share in sets.values():
            weights = balanced(labels, POWER)
            told -= share * (weights * np.log(softmax(shifted(t, z))[np.arange(len(labels)), labels] + 1e-9)).sum() / weights.sum()
        return told

    found = minimize(loss, [1, 0, 0], method="L-BFGS-B").x
    for name, (z, labels, _) in sets.items():
        p = softmax(shifted(found, z))
        print(f"{data.language} {name}: macro-F1 {100 * macro_f1(labels, p.argmax(1)):.1f}, calibration error {100 * calibration_error(labels, p):.1f}")
    return found


def main():
    language = sys.argv[1]
    data, settings = Data(language), SETTINGS[language]
    public_logits, turn_logits = readings(data, settings)
    learnt = data.calls.part != "test"
    slope, negative, positive = settle(data, public_logits, turn_logits)
    print(f"slope {slope:.2f}, shifts {negative:.2f} {positive:.2f}")
    if "--try" in sys.argv:
        return
    weight, bias = data.head(settings, None, np.flatnonzero(learnt))
    weight, bias = weight * data.scale[:, None], bias - (data.mean * data.scale) @ weight
    put_head(language, slope * weight, slope * bias + np.array([negative, 0, positive]))


if __name__ == "__main__":
    main()
