"""Step 7: how often `meaning` matches wrongly or misses, for the default `similarity` of scorecards.

    python similarity.py

Paraphrases: data/paraphrases.tsv (written for this project). Unrelated: every scorecard phrase of that file against
1,500 customer turns of MultiDoGO and NatCS, and turns of ABCD chats; a turn that happens to mean the same counts as a false
match, so the rates are upper bounds; the closest pairs are printed to be read.
"""

import json
import random

import numpy as np

from common import DATA, HERE, OUT, read_jsonl, read_tsv
from shipped import Model

TURNS = 3000


def main():
    model = Model(OUT)

    def quantised(text):
        """The int8 vector that records keep."""
        return np.clip(np.rint(model(text)[0] * 127), -127, 127).astype(np.int64)

    def permille(a, b):
        return int((a @ b) * 1000 / np.sqrt(float((a @ a) * (b @ b))))

    pairs = read_tsv(HERE / "data/paraphrases.tsv")
    vectors = {text: quantised(text) for pair in pairs for text in pair}
    same = np.array([permille(vectors[a], vectors[b]) for a, b in pairs])
    phrases = sorted({a for a, _ in pairs})
    rng = random.Random(9)
    turns = [r["text"] for n in ["airline", "finance", "insurance", "media", "software"] for r in read_jsonl(DATA / f"multidogo/{n}.jsonl.gz")]
    turns += [r["utterance"] for n in ["banking", "finance", "insurance"] for r in read_jsonl(DATA / f"natcs_dstc11_intents/{n}.jsonl")]
    customer = rng.sample(sorted({t for t in turns if len(t.split()) >= 3}), TURNS // 2)
    chat = [text for call in json.load(open(DATA / "abcd/abcd_sample.json")) for who, text in call["original"] if who != "action"]
    chat = sorted({t for t in chat if len(t.split()) >= 3})
    turns = customer + rng.sample(chat, min(TURNS // 2, len(chat)))
    matrix = np.stack([quantised(t) for t in turns])
    scores = np.array([[permille(vectors[p], v) for v in matrix] for p in phrases])
    print(f"{len(pairs)} paraphrase pairs, {len(phrases)} phrases x {len(turns)} turns; median similarity {np.median(same):.0f} and {np.median(scores):.0f} per mille")
    print("| similarity | paraphrases found | false matches per phrase and turn | per phrase in a call of 100 turns |\n| ---: | ---: | ---: | ---: |")
    for threshold in [500, 550, 600, 650, 700, 750, 800]:
        false = (scores >= threshold).mean()
        print(f"| {threshold / 1000:.2f} | {(same >= threshold).sum()} of {len(same)} ({100 * (same >= threshold).mean():.0f} %) | {100 * false:.3f} % | {100 * (1 - (1 - false) ** 100):.1f} % |")
    print("pairs of the unrelated set from 0.60 up, to be read (phrase | turn):")
    for flat in np.argsort(-scores, axis=None):
        i, j = divmod(int(flat), len(turns))
        if scores[i, j] < 600:
            break
        print(f"  {scores[i, j]} {phrases[i]} | {turns[j][:70]}")
    for a, b in [("we record calls for quality and training", "we do not record calls"), ("this call is recorded", "this call is important"),
                 ("you can cancel within fourteen days", "you can not cancel within fourteen days")]:
        print(f"  {permille(quantised(a), quantised(b))} {a} | {b}")


if __name__ == "__main__":
    main()
