"""Step 8: how often `meaning` matches wrongly or misses in Chinese, by the `similarity` that a scorecard asks for.

    python similarity.py

data/pairs.tsv (written for this project, never trained on): 50 paraphrases, 50 sentences that are near in words only. Unrelated:
every phrase of the paraphrases against 1,500 turns of CrossWOZ dialogues that were not trained on; a turn that happens to mean the
same counts as a false match; the closest are printed to be read. The same paraphrases with 10 % simulated recogniser errors
in the second sentence. For comparison: cosine of character 1-to-3-gram counts.
"""

import random

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from common import HERE, OUT, Noise, as_recognised, crosswoz, read_tsv
from shipped import Model

NEAR_SOUNDS = HERE.parents[2] / "pipeline/core/src/recogniser_noise/near_sounds_zh.tsv"

TURNS = 1500


class OtherNoise(Noise):
    """The training's errors with the like sounds of another table."""

    def __init__(self, seed):
        super().__init__(seed)
        self.near = {row[0]: row[1].replace(" ", "") for row in read_tsv(NEAR_SOUNDS)}


def main():
    model = Model(OUT)

    def quantised(text):
        """The int8 vector that records keep."""
        return np.clip(np.rint(model(text)[0] * 127), -127, 127).astype(np.int64)

    def permille(a, b):
        return int((a @ b) * 1000 / np.sqrt(float((a @ a) * (b @ b))))

    pairs = {kind: [(a, b) for k, a, b in read_tsv(HERE / "data/pairs.tsv") if k == kind] for kind in ["same", "other"]}
    noise = OtherNoise(21)
    vectors = {t: quantised(t) for rows in pairs.values() for pair in rows for t in pair}
    same, other = (np.array([permille(vectors[a], vectors[b]) for a, b in pairs[k]]) for k in ["same", "other"])
    heard = np.array([permille(vectors[a], quantised(noise(as_recognised(b), 0.10))) for a, b in pairs["same"]])
    phrases = sorted({a for a, _ in pairs["same"]})
    turns = random.Random(9).sample(sorted({t for t in crosswoz("test") if len(as_recognised(t)) >= 4}), TURNS)
    matrix = np.stack([quantised(t) for t in turns])
    scores = np.array([[permille(vectors[p], v) for v in matrix] for p in phrases])
    print(f"median similarity: paraphrases {np.median(same):.0f}, near in words only {np.median(other):.0f}, unrelated {np.median(scores):.0f} per mille")
    print("| similarity | paraphrases found | the same, misheard | near in words only | false matches per phrase and turn | some false match in a call of 100 turns |\n| ---: | ---: | ---: | ---: | ---: | ---: |")
    for threshold in [400, 450, 500, 550, 600, 650, 700, 750, 800]:
        false = (scores >= threshold).mean()
        print(f"| {threshold / 1000:.2f} | {100 * (same >= threshold).mean():.0f} % | {100 * (heard >= threshold).mean():.0f} % | {100 * (other >= threshold).mean():.0f} % "
              f"| {100 * false:.3f} % | {100 * (1 - (1 - false) ** 100):.1f} % |")
    counts = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit(turns + list(vectors))
    product = lambda a, b: np.asarray(counts.transform(a).multiply(counts.transform(b)).sum(1)).ravel()
    plain = product(*map(list, zip(*pairs["same"])))
    unrelated = (counts.transform(phrases) @ counts.transform(turns).T).toarray()
    for rate in [0.0001, 0.0003, 0.001]:
        a, b = np.quantile(scores, 1 - rate), np.quantile(unrelated, 1 - rate)
        print(f"at {100 * rate:.2f} % false matches: text-zh finds {100 * (same > a).mean():.0f} % (from {a:.0f} per mille), characters find {100 * (plain > b).mean():.0f} %")
    print("closest unrelated pairs, to be read:")
    for flat in np.argsort(-scores, axis=None)[:25]:
        i, j = divmod(int(flat), len(turns))
        print(f"  {scores[i, j]} {phrases[i]} | {turns[j][:60]}")
    print("closest of those near in words only:", [(int(other[i]), *pairs["other"][i]) for i in np.argsort(-other)[:6]])
    print("paraphrases that are furthest:", [(int(same[i]), *pairs["same"][i]) for i in np.argsort(same)[:6]])


if __name__ == "__main__":
    main()
