"""Step 6: measures the shipped acts.onnx on the first test calls, the second, and both, beside baselines on the same turns.

    python evaluate.py phrases.en.tsv phrases.zh.tsv

Intervals: 2.5 % and 97.5 % of 2,000 bootstrap resamples of the calls. An act that no test call has is in no mean.
"""

import sys
import tomllib

import numpy as np

from baseline import guesses as linear_guesses
from calibrate import phrase_guesses
from common import ACTS, LANGUAGES, SIZE, TESTS, folder
from dataset import Turns
from features import PLAIN, WRONG, session
from scores import Table, calibration_error, counts, f1, kappa

# One act for both parties, as the product's rules name them.
JOINED = ("greeting", "closing")


class Head:
    """The shipped file, one turn at a time, as the program runs it."""

    def __init__(self, language):
        self.session = session(folder(language) / "acts.onnx")
        acts = tomllib.loads((folder(language) / "manifest.toml").read_text())["acts"]
        assert acts["names"] == ACTS
        self.thresholds = np.array(acts["thresholds_permille"]) / 1000
        self.given = [ACTS.index(name) for name in acts["given"]]

    def __call__(self, embeddings, roles, place, buckets):
        """`embeddings` int8 [3, 384]"""
        inputs = {"embeddings": np.float32([embeddings]) / np.float32(127), "roles": np.float32([roles]), "place": np.float32([place]), "ngrams": np.array([buckets], np.int64)}
        return self.session.run(None, inputs)[0][0]

    def probabilities(self, turns, index, form=0):
        zeros = np.zeros(SIZE, np.int8)
        near = lambda i: [turns.embeddings[j, form] if j >= 0 else zeros for j in turns.context[i]]
        return np.array([self(near(i), turns.roles[i], turns.place[i], turns.buckets[i][form]) for i in index])


def percent(x):
    return f"{100 * x:.1f}"


def joined(counted):
    """Counts in which the two parties' greetings (closings) are one act."""
    names = list(dict.fromkeys(name.split(":")[1] if name.split(":")[1] in JOINED else name for name in ACTS))
    return np.stack([sum(counted[:, a] for a, act in enumerate(ACTS) if name in (act, act.split(":")[1] if act.split(":")[1] in JOINED else "")) for name in names], axis=1)


def report(turns, head, guesses, parts, acts):
    """`guesses`: of baselines, of all turns; `acts`: each act and each error as well."""
    index = turns.of(*parts)
    calls, labels, counted = turns.calls[index], turns.labels[index], turns.counts[index]
    read = {name: head.probabilities(turns, index, form) for name, form in
            [("model", 0), ("model, no punctuation", PLAIN), ("model, no punctuation, 15 % wrong", WRONG)]}
    systems = {"no act at all": np.zeros_like(labels), **{name: guess[index] for name, guess in guesses.items()},
               **{name: p >= head.thresholds for name, p in read.items()}}
    of = {name: counts(labels, guess, counted) for name, guess in systems.items()}
    tables = {name: Table(c, calls) for name, c in of.items()}
    print(f"\n### {turns.language}, {' and '.join(parts)}: {len(index)} turns of {len(set(calls))} calls\n")
    print("| system | macro-F1 %, given acts (95 %) | macro-F1 %, all acts (95 %) | all, parties' greetings and closings joined |\n| --- | --- | --- | --- |")
    cell = lambda v: f"{percent(v[0])} ({percent(v[1])}–{percent(v[2])})"
    for name, of_system in tables.items():
        one = joined(of[name]).sum(0)
        print(f"| {name} | {cell(of_system.macro(head.given))} | {cell(of_system.macro(range(len(ACTS))))} | {percent(f1(one)[one[:, 2] > 0].mean())} |")
    wrong = "model, no punctuation, 15 % wrong"
    print(f"\nlost by 15 % wrong, given acts: {cell(tables['model'].lost(tables[wrong], head.given))}")
    if acts:
        print("\n| act | given | n | precision % | recall % | F1 % (95 %) | phrases F1 % | TF-IDF F1 % | 15 % wrong F1 % | kappa of annotators |\n"
              "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
        for a, act in enumerate(ACTS):
            precision, recall, score, low, high, n = tables["model"].rows[a]
            other = " | ".join(percent(tables[name].rows[a][2]) if n else "–" for name in ("phrases of acts.yaml", "TF-IDF + linear", wrong))
            figures = f"{percent(precision)} | {percent(recall)} | {percent(score)} ({percent(low)}–{percent(high)})" if n else "– | – | –"
            print(f"| {act} | {'yes' if a in head.given else ''} | {n} | {figures} | {other} | {kappa(turns.turns, a):.2f} |")
    error = lambda p, which: 100 * calibration_error(labels[:, which][counted[:, which]], p[:, which][counted[:, which]])
    for name, p in read.items():
        print(f"calibration error, {name}: {error(p, head.given):.1f} points over the given acts, {error(p, list(range(len(ACTS)))):.1f} over all")
    if acts and "--errors" in sys.argv:
        show_errors(turns, index, read["model"], head)


def show_errors(turns, index, probability, head):
    for row, i in enumerate(index):
        for a in head.given:
            if turns.counts[i, a] and (probability[row, a] >= head.thresholds[a]) != turns.labels[i, a]:
                print(f"{'missed' if turns.labels[i, a] else 'wrong '} {ACTS[a]:24} {probability[row, a]:.2f} {turns.turns[i]['id']} {turns.turns[i]['text'][:160]}")


def main():
    for language, path in zip(LANGUAGES, [a for a in sys.argv[1:] if a != "--errors"], strict=True):
        turns, head = Turns(language), Head(language)
        guesses = {"phrases of acts.yaml": phrase_guesses(turns, path), "TF-IDF + linear": linear_guesses(language, turns)}
        for part in TESTS:
            report(turns, head, guesses, [part], acts=False)
        report(turns, head, guesses, TESTS, acts=True)


if __name__ == "__main__":
    main()
