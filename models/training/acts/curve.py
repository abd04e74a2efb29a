"""Step 6b: the learning curve: the head trained on a part of the calls, measured on the test calls.

Settings and the list of given acts are the shipped ones; calibration and thresholds are settled anew.
"""

import numpy as np

from calibrate import settle
from common import ACTS, LANGUAGES, LEARNT, TESTS
from dataset import Turns
from evaluate import Head, percent
from network import logits, sigmoid
from scores import Table, counts
from train import HYPER, held_out, train

SHARES = (0.25, 0.5, 0.75, 1)


def some_calls(turns, index, share):
    calls = np.array(sorted(set(turns.calls[index])))
    kept = np.random.default_rng(3).permutation(calls)[: round(share * len(calls))]
    return index[np.isin(turns.calls[index], kept)]


def main():
    print("| language | calls | turns | macro-F1 %, given acts (95 %) | macro-F1 %, all acts (95 %) |\n| --- | ---: | ---: | --- | --- |")
    for language in LANGUAGES:
        turns, given = Turns(language), Head(language).given
        test = turns.of(*TESTS)
        for share in SHARES:
            index = some_calls(turns, turns.of(*LEARNT), share)
            hyper = HYPER[language]
            p, thresholds, _ = settle(turns, index, train(language, turns, index, hyper), held_out(language, turns, index, hyper))
            guess = sigmoid(logits(p, *turns.inputs(test))) >= thresholds
            macro = Table(counts(turns.labels[test], guess, turns.counts[test]), turns.calls[test]).macro
            cell = lambda v: f"{percent(v[0])} ({percent(v[1])}–{percent(v[2])})"
            print(f"| {language} | {len(set(turns.calls[index]))} | {len(index)} | {cell(macro(given))} | {cell(macro(range(len(ACTS))))} |", flush=True)


if __name__ == "__main__":
    main()
