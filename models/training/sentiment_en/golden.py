"""Step 8: writes ../../tests/golden/text-en.json, what the Rust program must give for the shipped file (within 1 per mille).

`sentiment` in per mille (largest remainder), `embedding` the int8 vector's first 16 values, `similar` the similarity in
per mille to the first text.
"""

import json

import numpy as np

from common import OUT
from evaluate import Model
from measures import per_mille

TEXTS = [
    "This call is recorded for quality and training.", "we record calls for training and quality purposes",
    "I have been waiting for three weeks and nobody called me back", "this is ridiculous", "Thank you, that's great!",
    "that would be fine", "my account number is one two three", "okay", "yes", "That's far too expensive for us.",
    "I don\u2019t think caf\u00e9 owners pay \u00a330 \u2014 do they?", "you've been so helpful, honestly the best service I've had in years",
    "stop calling me I already told you I am not interested", "a b c d " * 60,
]


def main():
    model = Model()
    results = [model(text) for text in TEXTS]
    quantised = [np.clip(np.rint(vector * 127), -127, 127).astype(int) for vector, _ in results]
    first = quantised[0]
    rows = [{"text": text, "sentiment": per_mille(p), "embedding": q[:16].tolist(),
             "similar": int((first @ q) * 1000 / np.sqrt(float((first @ first) * (q @ q))))}
            for text, (_, p), q in zip(TEXTS, results, quantised)]
    path = OUT.parent / "tests/golden/text-en.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")


main()
