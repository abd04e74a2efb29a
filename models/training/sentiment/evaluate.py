"""Measures shipped text models on texts that no head learnt from, one text at a time, as the program runs them.

    python evaluate.py en|zh [folder of another text model, for comparison]

The test calls of this project (written; see README.md), the held-out call sentences, and the public set: GoEmotions test (Reddit) or CPED's test
shows (television). 95 % bootstrap intervals over calls, or over texts (2,000 resamples).
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from sets import HERE, LABELS, Calls, public  # first: it says where the others are
from common import folder, read_rows
from fit import softmax
from measures import accuracy, calibration_error, macro_f1

RESAMPLES = 2000


class Model:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(str(path / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self.tokenizer.enable_truncation(128)

    def probabilities(self, texts):
        def read(text):
            if not any(c.isalnum() for c in text):
                return [0.0, 1.0, 0.0]
            encoding = self.tokenizer.encode(text)
            return softmax(self.session.run(["sentiment"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})[0][0].astype(float))

        known = {text: read(text) for text in dict.fromkeys(texts)}
        return np.array([known[text] for text in texts])


def interval(labels, guess, groups):
    """Of macro-F1; whole groups are drawn."""
    rng, names = np.random.default_rng(5), np.unique(groups)
    rows = {name: np.flatnonzero(groups == name) for name in names} if len(names) < len(labels) else None
    values = []
    for _ in range(RESAMPLES):
        drawn = rng.choice(names, len(names))
        i = drawn if rows is None else np.concatenate([rows[name] for name in drawn])
        values.append(macro_f1(labels[i], guess[i]))
    return np.percentile(values, [2.5, 97.5])


def line(name, labels, p, groups=None):
    guess = p.argmax(1)
    low, high = interval(labels, guess, np.arange(len(labels)) if groups is None else groups)
    print(f"| {name} | {len(labels)} | {100 * accuracy(labels, guess):.1f} | {100 * macro_f1(labels, guess):.1f} ({100 * low:.1f}–{100 * high:.1f}) "
          f"| {100 * calibration_error(labels, p):.1f} |", flush=True)


def main():
    language = sys.argv[1]
    model, calls = Model(Path(sys.argv[2]) if len(sys.argv) > 2 else folder(language)), Calls(language)
    test = calls.part == "test"
    print("| set | n | accuracy % | macro-F1 % (95 %) | calibration error |\n| --- | ---: | ---: | --- | ---: |")
    for name, form in (("test calls", 0), ("test calls, no punctuation, 15 % wrong", -1)):
        p = model.probabilities([calls.forms[form][i] for i in np.flatnonzero(test)])
        for who, rows in (("", np.full(test.sum(), True)), (", customers", calls.role[test] == "customer"), (", reps", calls.role[test] == "rep")):
            line(name + who, calls.labels[test][rows], p[rows], calls.call[test][rows])
    majority = np.tile(np.eye(3)[1], (test.sum(), 1))
    line("test calls, always neutral", calls.labels[test], majority, calls.call[test])
    held = read_rows(HERE.parent / ("sentiment_en" if language == "en" else "text_zh") / "data/call_heldout.tsv")
    held = [row for row in held if row[0] in LABELS]
    line("held-out call sentences", np.array([LABELS.index(row[0]) for row in held]), model.probabilities([row[1] for row in held]))
    rows = public(language, "test")
    line("GoEmotions test" if language == "en" else "CPED test", np.array([row[0] for row in rows]), model.probabilities([row[1] for row in rows]))


if __name__ == "__main__":
    main()
