"""Golden files: what the Rust program must give for a shipped text model. `sentiment` in per mille (largest remainder), `logits` and `insult` (a
logit) for the comparison to 1e-4, `embedding` the int8 vector's first 16 values, `similar` the similarity in per mille to the first text. No letter or
digit: neutral, and similar to nothing."""

import json

import numpy as np

from measures import per_mille


def write(model, texts, path):
    """`model`: a shipped.Model; `path`: ../../tests/golden/…json."""
    rows, first = [], None
    for text in texts:
        if any(c.isalnum() for c in text):
            encoding = model.tokenizer.encode(text)
            vector, logits, insult = model.session.run(["embedding", "sentiment", "insult"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
            e = np.exp(logits[0].astype(np.float64) - logits[0].max())
            q, sentiment, logits = np.clip(np.rint(vector[0] * 127), -127, 127).astype(int), per_mille(e / e.sum()), [round(float(x), 6) for x in logits[0]]
            insult = round(float(insult[0, 0]), 6)
        else:
            q, sentiment, logits, insult = np.zeros(384, int), [0, 1000, 0], None, None
        first = q if first is None else first
        length = np.sqrt(float((first @ first) * (q @ q)))
        rows.append({"text": text, "sentiment": sentiment, "logits": logits, "insult": insult, "embedding": q[:16].tolist(), "similar": int((first @ q) * 1000 / length) if length else 0})
    path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")
    print(len(rows), "texts")
