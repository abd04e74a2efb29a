"""Measures shipped text models on texts that no head learnt from, one text at a time, as the program runs them.

    python evaluate.py en|zh [folder of another text model, for comparison]

The test calls of this project (written; see README.md), the held-out call sentences, and the public set: GoEmotions test (Reddit) or CPED's test
shows (television), each as written and as a recogniser with 15 % wrong words (Chinese: characters) may write it, without punctuation. Turns of
calls and of television in context, as the program judges, and alone. Baselines: TF-IDF (words and pairs; Chinese: one to
three characters) with logistic regression, taught by the same calls (GoEmotions: by its training part); those of CPED are ../text_zh/baseline.py's, if
it was run. 95 % bootstrap intervals over calls, or over texts (2,000 resamples). Then what an abstaining model would answer.
"""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sets import BUILD, HERE, LABELS, Calls, Noise, as_recognised, parties, public  # first: it says where the others are
from common import folder, read_rows
from measures import accuracy, calibration_error, error_by_chance, interval, macro_f1
from context import in_context
from shipped import Model, says

BANDS = [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def percent(*shares):
    return "–".join(f"{100 * share:.1f}" for share in shares)


def of_calls(labels, guess, calls):
    """As measures.interval of macro-F1, whole calls drawn."""
    rng, rows = np.random.default_rng(5), [np.flatnonzero(calls == call) for call in np.unique(calls)]
    drawn = [np.concatenate([rows[k] for k in rng.integers(0, len(rows), len(rows))]) for _ in range(2000)]
    return np.percentile([macro_f1(labels[i], guess[i]) for i in drawn], [2.5, 97.5])


def line(name, labels, guess, p=None, calls=None):
    found = interval(labels, guess, macro_f1, np.random.default_rng(5)) if calls is None else of_calls(labels, guess, calls)
    error = "" if p is None else f"{percent(calibration_error(labels, p))} ({', at most '.join(map(percent, error_by_chance(p)))})"
    print(f"| {name} | {len(labels)} | {percent(accuracy(labels, guess))} | {percent(macro_f1(labels, guess))} ({percent(*found)}) | {error} |", flush=True)


def bands(name, labels, p):
    print(f"\n{name}: answers only when the winner has at least\n| least | coverage % | accuracy % | macro-F1 % |\n| ---: | ---: | ---: | ---: |")
    for least in BANDS:
        sure = p.max(1) >= least
        print(f"| {least:.1f} | {percent(sure.mean())} | {percent(accuracy(labels[sure], p[sure].argmax(1)))} | {percent(macro_f1(labels[sure], p[sure].argmax(1)))} |")
    guess = p.argmax(1)
    print(f"rows = truth {LABELS}: {[np.bincount(guess[labels == c], minlength=3).tolist() for c in range(3)]}\n", flush=True)


def linear(language, learnt, labels, texts):
    """Probabilities of TF-IDF with logistic regression."""
    ngrams = {"analyzer": "word", "ngram_range": (1, 2)} if language == "en" else {"analyzer": "char", "ngram_range": (1, 3)}
    vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, **ngrams)
    model = LogisticRegression(class_weight="balanced", max_iter=500).fit(vectorizer.fit_transform(learnt), labels)
    return model.predict_proba(vectorizer.transform(texts))


def main():
    language = sys.argv[1]
    where = Path(sys.argv[2]) if len(sys.argv) > 2 else folder(language)
    model, calls = Model(where), Calls(language)
    neighbours = tomllib.loads((where / "manifest.toml").read_text()).get("sentiment", {})
    weight, decay = (neighbours.get(f"neighbour_{name}_permille", 0) / 1000 for name in ("weight", "decay"))
    judged = lambda p, texts, told: in_context(p, np.array([says(text) for text in texts]), *told, weight, decay)

    test, wrong = ~calls.learnt, Noise(language, 11, for_test=True)
    labels, call, role, part = calls.labels[test], calls.call[test], calls.role[test], calls.part[test]
    print("| set | n | accuracy % | macro-F1 % (95 %) | calibration error (by chance) |\n| --- | ---: | ---: | --- | ---: |")
    line("test calls, always neutral", labels, np.full(len(labels), 1), None, call)
    written = np.array(calls.forms[0], object)
    p = linear(language, written[calls.learnt], calls.labels[calls.learnt], written[test])
    line("test calls, TF-IDF + linear, each turn alone", labels, p.argmax(1), p, call)
    p = judged(p, written[test], (call, role))
    line("test calls, TF-IDF + linear", labels, p.argmax(1), p, call)
    for name, form in (("test calls", 0), ("test calls, 15 % wrong", -1)):
        texts = [calls.forms[form][i] for i in np.flatnonzero(test)]
        alone = model.probabilities(texts)
        p = judged(alone, texts, (call, role))
        line(f"{name}, each turn alone", labels, alone.argmax(1), alone, call)
        for who, rows in (("", test[test]), ("first", part == "test"), ("second", part == "second"), ("customers", role == "customer"), ("reps", role == "rep")):
            line(f"{name} {who}", labels[rows], p[rows].argmax(1), p[rows], call[rows])
        if form == 0:
            bands(name, labels, p)

    held = [row for row in read_rows(HERE.parent / ("sentiment_en" if language == "en" else "text_zh") / "data/call_heldout.tsv") if row[0] in LABELS]
    sets = [("held-out call sentences", [(LABELS.index(row[0]), row[1]) for row in held], None)]
    sets += [("GoEmotions test", public("en", "test"), None)] if language == "en" else [("CPED test", public("zh", "test"), parties("zh", "test"))]
    for name, rows, told in sets:
        labels, texts = np.array([row[0] for row in rows]), [row[1] for row in rows]
        if told and (BUILD / "zh/baselines.json").exists():
            for system, guess in json.load(open(BUILD / "zh/baselines.json")).items():
                line(f"{name}, {system}", labels, np.array(guess))
        if name == "GoEmotions test":
            labelled, learnt, _ = zip(*[row for row in public("en", "train") if row[2] in ("goemotions", "ambiguous")])
            p = linear(language, learnt, np.array(labelled), texts)
            line(f"{name}, TF-IDF + linear", labels, p.argmax(1), p)
        for form, written in (("", texts), (", 15 % wrong", [wrong.errors(as_recognised(language, text), 0.15) for text in texts])):
            p = model.probabilities(written)
            if told:
                line(f"{name}{form}, each turn alone", labels, p.argmax(1), p)
                p = judged(p, written, told)
            line(name + form, labels, p.argmax(1), p)
            if not form:
                bands(name, labels, p)


if __name__ == "__main__":
    main()
