"""Step 7: measures the shipped model file on CPED's test shows and on call sentences that were never trained on.

    python evaluate.py [--rows 3000]

Rows as published; without punctuation; and with 15 % simulated recogniser errors per character, drawn from another table of
like sounds (pipeline/core/src/recogniser_noise/near_sounds_zh.tsv) than the training's. Intervals: 2.5 % and 97.5 % of 2,000
bootstrap resamples of the rows. Baselines: build/baselines.json (baseline.py), on the same rows.
"""

import argparse
import json

import numpy as np
import onnxruntime
from sklearn.metrics import confusion_matrix

from common import BUILD, HERE, LABELS, OUT, Noise, as_recognised, cped, read_tsv, tokenizer
from measures import accuracy, calibration_error, interval, macro_f1

NEAR_SOUNDS = HERE.parents[2] / "pipeline/core/src/recogniser_noise/near_sounds_zh.tsv"


class Model:
    """The shipped file, one text at a time, as the program runs it."""

    def __init__(self, folder=OUT):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer()

    def __call__(self, text):
        """(unit vector, probabilities)"""
        encoding = self.tokenizer.encode(text)
        vector, logits = self.session.run(["embedding", "sentiment"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
        e = np.exp(logits[0].astype(np.float64) - logits[0].max())
        return vector[0], e / e.sum()

    def probabilities(self, texts):
        """As the program: a text without a letter or digit is neutral."""
        known = {}
        for text in texts:
            if text not in known:
                known[text] = self(text)[1] if any(c.isalnum() for c in text) else np.array([0.0, 1.0, 0.0])
        return np.array([known[text] for text in texts])


class OtherNoise(Noise):
    """The same errors with the like sounds of another table."""

    def __init__(self, seed):
        super().__init__(seed)
        self.near = {row[0]: row[1].replace(" ", "") for row in read_tsv(NEAR_SOUNDS)}


def line(name, labels, guess, system):
    rng = np.random.default_rng(5)
    guess = np.asarray(guess)
    a, f = interval(labels, guess, accuracy, rng), interval(labels, guess, macro_f1, rng)
    print(f"| {name} | {len(labels)} | {system} | {100 * accuracy(labels, guess):.1f} ({100 * a[0]:.1f}–{100 * a[1]:.1f}) "
          f"| {100 * macro_f1(labels, guess):.1f} ({100 * f[0]:.1f}–{100 * f[1]:.1f}) |", flush=True)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rows", type=int, default=0, help="only so many rows of CPED test, at random")
    args = args.parse_args()
    model = Model()
    rows = cped("test")
    chosen = sorted(np.random.default_rng(4).permutation(len(rows))[: args.rows or len(rows)])
    rows = [rows[i] for i in chosen]
    texts, labels = [r["text"] for r in rows], np.array([LABELS.index(r["sentiment"]) for r in rows])
    for system, guess in json.load(open(BUILD / "baselines.json")).items() if (BUILD / "baselines.json").exists() else []:
        line("CPED test", labels, np.array(guess)[chosen], system)
    noise = OtherNoise(11)
    probability = {}
    for name, form in [("CPED test", texts), ("CPED test, 15 % character errors", [noise(as_recognised(t), 0.15) for t in texts]),
                       ("CPED test, no punctuation", [as_recognised(t) for t in texts])]:
        probability[name] = p = model.probabilities(form)
        line(name, labels, p.argmax(1), "**text-zh**")
        print(f"  calibration error {100 * calibration_error(labels, p):.1f} points; guesses {np.bincount(p.argmax(1), minlength=3)}; "
              f"confusion, rows = truth {LABELS}: {confusion_matrix(labels, p.argmax(1)).tolist()}", flush=True)
    p = probability["CPED test"]
    print("F1 per class:", [round(200 * ((labels == c) & (p.argmax(1) == c)).sum() / ((labels == c).sum() + (p.argmax(1) == c).sum()), 1) for c in range(3)])
    print("| answers only when the winner has at least | coverage % | accuracy % | macro-F1 % |\n| ---: | ---: | ---: | ---: |")
    for least in [0.0, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8]:
        sure = p.max(1) >= least
        print(f"| {least:.2f} | {100 * sure.mean():.1f} | {100 * accuracy(labels[sure], p[sure].argmax(1)):.1f} | {100 * macro_f1(labels[sure], p[sure].argmax(1)):.1f} |")
    for show in sorted({r["tv"] for r in rows}):
        of = np.array([r["tv"] == show for r in rows])
        print(f"show {show}: n {of.sum()}, accuracy {100 * accuracy(labels[of], p[of].argmax(1)):.1f}, macro-F1 {100 * macro_f1(labels[of], p[of].argmax(1)):.1f}, "
              f"truth {(np.bincount(labels[of], minlength=3) / of.sum()).round(2)}")
    for low, high in [(1, 3), (4, 6), (7, 12), (13, 200)]:
        of = np.array([low <= len(as_recognised(t)) <= high for t in texts])
        print(f"{low} to {high} characters: n {of.sum()}, macro-F1 {100 * macro_f1(labels[of], p[of].argmax(1)):.1f}")

    calls = read_tsv(HERE / "data/call_heldout.tsv")
    texts, labels = [r[1] for r in calls], np.array([LABELS.index(r[0]) for r in calls])
    for name, form in [("held-out call sentences", texts), ("the same, 15 % character errors", [noise(as_recognised(t), 0.15) for t in texts])]:
        p = model.probabilities(form)
        line(name, labels, p.argmax(1), "**text-zh**")
        print(f"  calibration error {100 * calibration_error(labels, p):.1f}; confusion {confusion_matrix(labels, p.argmax(1)).tolist()}")


if __name__ == "__main__":
    main()
