"""Step 2: the labelled turns, as build/{train,dev,test,test_calls}.json = [[label, text, source], …].

GoEmotions (people's labels, Reddit comments; official split): a comment with labels of one polarity takes it; ambiguous
(surprise, curiosity, realisation, confusion) alone counts as neutral, because on a call it is a question; comments whose
labels disagree (positive and negative, or one of them and neutral) are left out. Name placeholders become first names.
Call sentences written for this project: data/call_train.tsv in training, data/call_heldout.tsv never.
Requests to call centres with intent labels (MultiDoGO, Banking77, CLINC150, NatCS) without a word of the polarity lists
are neutral in training (weak labels; never in an evaluation).
Turns of training also come as a recogniser would write them: lower case, no punctuation.
"""

import collections
import json
import random
import re

from common import BUILD, DATA, HERE, LABELS, read_jsonl, read_tsv

NAMES = "john mary james anna robert linda michael susan david karen paul lisa mark emma peter sarah".split()
# Requests with one of these (as word beginnings) may well be complaints or praise: not used as weak neutrals.
POLAR = re.compile(
    r"\b(not|n't|never|no|nobody|none|can't|cant|won't|didn|doesn|isn|wrong|bad|problem|issue|fail|error|declin|lost|lose|stole|steal|"
    r"fraud|scam|charg|fee|late|delay|wait|still|why|complain|angry|upset|sorry|unfortunat|disappoint|frustrat|terribl|horribl|"
    r"hate|broke|damag|stuck|refus|reject|compromis|suspicious|strange|weird|double|twice|extra|cancel|dispute|missing|"
    r"thank|great|good|nice|love|happy|glad|best|perfect|excellent|awesome|wonderful|amazing|fantastic|appreciat|please|like|"
    r"help|fun|joke|smart|worst|sick|dead|die|kill|crash|accident|hurt|emergency|worr|afraid)",
    re.IGNORECASE,
)


def as_recognised(text: str) -> str:
    """Lower case without punctuation (apostrophes inside words stay), as many recognisers write."""
    text = text.lower().replace("’", "'")
    return " ".join(re.sub(r"[^\w' ]+", " ", text).split())


def goemotions(split, rng):
    dropped = 0
    for row in read_jsonl(DATA / "goemotions/goemotions.jsonl.gz"):
        if row["split"] != split:
            continue
        kinds = set(row["sentiment"]) - {"ambiguous"} or {"neutral"}
        if len(kinds) > 1:
            dropped += 1
            continue
        text = re.sub(r"\[NAME\]", lambda _: rng.choice(NAMES).capitalize(), row["text"]).replace("[RELIGION]", "religion")
        yield [LABELS.index(kinds.pop()), text, "ambiguous" if "ambiguous" in row["sentiment"] else "goemotions"]
    print(f"goemotions {split}: {dropped} comments with labels of two polarities left out")


def weak_neutrals(rng, count=6000):
    rows = []
    for name in ["airline", "finance", "insurance", "media", "software"]:
        rows += [r["text"] for r in read_jsonl(DATA / f"multidogo/{name}.jsonl.gz")
                 if r["intent"] not in ("thankyou", "outofdomain", "closinggreeting")]
    for name in ["banking", "finance", "insurance"]:
        rows += [r["utterance"] for r in read_jsonl(DATA / f"natcs_dstc11_intents/{name}.jsonl")] * 4
    rows += [r["text"] for r in read_jsonl(DATA / "banking77/banking77.jsonl.gz") if r["split"] == "train"]
    rows += [r["text"] for r in read_jsonl(DATA / "clinc150/clinc150.jsonl.gz") if "train" in r["split"]]
    rows = sorted({text for text in rows if text and not POLAR.search(text)})
    print(f"{len(rows)} weak neutrals to choose from")
    return [[1, text, "weak"] for text in rng.sample(rows, count)]


def main():
    rng = random.Random(7)
    train = list(goemotions("train", rng))
    calls = [[LABELS.index(label), text, "calls"] for label, text in read_tsv(HERE / "data/call_train.tsv")]
    half = [[label, as_recognised(text), source] if rng.random() < 0.5 else [label, text, source] for label, text, source in train]
    train = half + weak_neutrals(rng) + calls * 4
    dev = list(goemotions("dev", rng))
    test = list(goemotions("test", rng))
    heldout = [[LABELS.index(label), text, "calls"] for label, text in read_tsv(HERE / "data/call_heldout.tsv")]
    assert not {t.lower() for _, t, _ in calls} & {t.lower() for _, t, _ in heldout}
    rng.shuffle(train)
    for name, rows in {"train": train, "dev": dev, "test": test, "test_calls": heldout}.items():
        rows = [row for row in rows if row[1].strip()]
        json.dump(rows, open(BUILD / f"{name}.json", "w"), ensure_ascii=False)
        print(name, len(rows), dict(collections.Counter(LABELS[row[0]] for row in rows)), dict(collections.Counter(row[2] for row in rows)))


if __name__ == "__main__":
    main()
