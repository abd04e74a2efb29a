"""Step 6: measures the shipped model file on the held-out sets, beside two baselines on the same rows.

    python evaluate.py

GoEmotions test: the official test split (people's labels); the same rows as a recogniser writes them (lower case, no
punctuation); and without the comments labelled ambiguous. Call sentences: data/call_heldout.tsv (written for this
project). Intervals: 2.5 % and 97.5 % of 2,000 bootstrap resamples of the rows.
Baselines: the most frequent class of the set's training split, and VADER (a public sentiment lexicon with rules; the
usual limits of ±0.05 on its compound score).
"""

import json

import numpy as np
import onnxruntime
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from common import BUILD, LABELS, OUT, tokenizer
from dataset import as_recognised
from measures import accuracy, calibration_error, interval, macro_f1


class Model:
    """The shipped file, one text at a time, as the program runs it."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(str(OUT / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer()

    def __call__(self, text):
        """(unit vector, probabilities)"""
        encoding = self.tokenizer.encode(text)
        vector, logits = self.session.run(["embedding", "sentiment"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
        e = np.exp(logits[0].astype(np.float64) - logits[0].max())
        return vector[0], e / e.sum()


def report(name, rows, guesses, probability=None):
    labels = np.array([row[0] for row in rows])
    for system, guess in guesses.items():
        rng = np.random.default_rng(5)
        guess = np.array(guess)
        assert abs(macro_f1(labels, guess) - f1_score(labels, guess, average="macro", zero_division=0)) < 1e-9
        a, f = interval(labels, guess, accuracy, rng), interval(labels, guess, macro_f1, rng)
        print(f"| {name} | {len(rows)} | {system} | {100 * accuracy_score(labels, guess):.1f} ({100 * a[0]:.1f}–{100 * a[1]:.1f}) "
              f"| {100 * macro_f1(labels, guess):.1f} ({100 * f[0]:.1f}–{100 * f[1]:.1f}) |", flush=True)
    if probability is not None:
        print(f"  (calibration error {100 * calibration_error(labels, probability):.1f} points; confusion, rows = truth {LABELS}: "
              f"{confusion_matrix(labels, np.array(guesses['callmark text-en'])).tolist()})")


def main():
    model, vader = Model(), SentimentIntensityAnalyzer()

    def lexicon(text):
        compound = vader.polarity_scores(text)["compound"]
        return 2 if compound >= 0.05 else 0 if compound <= -0.05 else 1

    train = json.load(open(BUILD / "train.json"))
    majority = int(np.bincount([row[0] for row in train if row[2] in ("goemotions", "ambiguous")]).argmax())
    test = json.load(open(BUILD / "test.json"))
    calls = json.load(open(BUILD / "test_calls.json"))
    sets = {
        "GoEmotions test": test,
        "GoEmotions test, as recognised": [[l, as_recognised(t), s] for l, t, s in test],
        "GoEmotions test, without ambiguous": [row for row in test if row[2] != "ambiguous"],
        "held-out call sentences": calls,
    }
    print("| set | n | system | accuracy % (95 %) | macro-F1 % (95 %) |\n| --- | ---: | --- | --- | --- |")
    for name, rows in sets.items():
        probability = np.array([model(text)[1] for _, text, _ in rows])
        report(name, rows, {
            "majority class": [majority] * len(rows),
            "VADER lexicon": [lexicon(text) for _, text, _ in rows],
            "callmark text-en": probability.argmax(1),
        }, probability)
    for text in ["okay", "yes", "no", "mm hmm", "right", "hello", "thank you", "my account number is one two three",
                 "that would be fine", "this is ridiculous", "thank you that's great",
                 "I have been waiting for three weeks and nobody called me back"]:
        print(f"  {text}: {[int(round(1000 * p)) for p in model(text)[1]]}")


if __name__ == "__main__":
    main()
