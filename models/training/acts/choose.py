"""How the settings of train.py were chosen: five-fold cross-validation over training and validation calls; the test calls are not read.

    python choose.py en ngrams=4 phrases=0
    python choose.py en more=0      without the calls of `_more`, which are never measured on

Prints, as written and with 15 % of the words wrong: mean average precision, and mean of each act's best F1 (with the threshold chosen on
the same turns: for comparing settings, not a figure of the model).
"""

import sys

import numpy as np
from sklearn.metrics import average_precision_score

from common import ACTS
from dataset import Turns, folds
from features import WRONG
from network import logits
from train import HYPER, train

LEAST_POSITIVES = 5


def best_f1(label, score):
    order = np.argsort(-score)
    return (2 * np.cumsum(label[order]) / (np.arange(len(label)) + 1 + label.sum())).max()


def main():
    language, *changes = sys.argv[1:]
    hyper = {**HYPER[language], **{name: float(value) for name, value in (change.split("=") for change in changes)}}
    hyper["noisy"], more = int(hyper["noisy"]), hyper.pop("more", 1)
    turns = Turns(language)
    index, others = turns.of("train", "validation"), turns.of("more") if more else []
    scores = {form: np.zeros(turns.labels.shape) for form in (0, WRONG)}
    for learnt, held_out in folds(turns, index):
        p = train(language, turns, np.concatenate([learnt, others]).astype(int), hyper)
        for form, score in scores.items():
            score[held_out] = logits(p, *turns.inputs(held_out, form))
    for form, score in scores.items():
        pairs = []
        for act in range(len(ACTS)):
            rows = index[turns.counts[index, act]]
            label = turns.labels[rows, act]
            if label.sum() >= LEAST_POSITIVES:
                pairs.append((average_precision_score(label, score[rows, act]), best_f1(label, score[rows, act])))
        precision, f1 = np.mean(pairs, axis=0)
        print(language, *changes, "15 % wrong" if form else "as written", f"average precision {100 * precision:.1f}, best F1 {100 * f1:.1f}", flush=True)


if __name__ == "__main__":
    main()
