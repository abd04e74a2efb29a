"""Step 3: what never changes in training, computed once for the texts that teach the embedding: the shared layers' output
(build/shared_distil.npz, float16, one row per piece) and the whole base's vector (build/teacher.npz).

Resumable: a set that is there is not computed again. `python features.py`
"""

import json
import time

import numpy as np
import torch
from tokenizers import Tokenizer

from base import Base
from common import BUILD, HIDDEN, SHARED, Encoder, batches, mean, padded, rounded, tokenizer

MAX_TRAIN = 48


def words(base):
    """The pruned table of piece vectors, as float32."""
    saved = np.load(BUILD / "words.npz")
    return saved["values"].astype(np.float32) * np.repeat(saved["scale"].astype(np.float32), 32, 1)


def run(encoder, ids, name, take):
    todo, began = batches([len(i) for i in ids]), time.time()
    with torch.inference_mode():
        for n, index in enumerate(todo):
            block, mask = padded(ids, index)
            take(index, encoder(block, mask), mask)
            if n % 20 == 0:
                print(name, n, "/", len(todo), f"{time.time() - began:.0f} s", flush=True)


def shared(name, texts):
    path = BUILD / f"shared_{name}.npz"
    if path.exists():
        return
    base = Base()
    encoder = Encoder(base, words(base), SHARED).eval()
    tok = tokenizer()
    tok.enable_truncation(MAX_TRAIN)
    ids = [e.ids for e in tok.encode_batch(texts)]
    starts = np.concatenate([[0], np.cumsum([len(i) for i in ids])])
    out = np.zeros((starts[-1], HIDDEN), np.float16)

    def take(index, x, mask):
        for row, i in enumerate(index):
            out[starts[i] : starts[i + 1]] = x[row, : len(ids[i])].numpy()

    run(encoder, ids, name, take)
    np.savez(path, x=out, starts=starts)


def teacher(texts):
    """Unit vectors of the whole base, `query: ` before each text as it wants."""
    path = BUILD / "teacher.npz"
    if path.exists():
        return
    base = Base()
    tok = Tokenizer.from_file(str(BUILD / "full_tokenizer.json"))
    tok.enable_truncation(MAX_TRAIN)
    ids = [e.ids for e in tok.encode_batch(["query: " + t for t in texts])]
    used = np.unique(np.concatenate([np.array(i) for i in ids]))
    where = {int(i): n for n, i in enumerate(used)}
    ids = [[where[i] for i in row] for row in ids]
    encoder = Encoder(base, base.matrix("emb.word")[used], base.layers).eval()
    out = np.zeros((len(texts), HIDDEN), np.float32)

    def take(index, x, mask):
        pooled = mean(x, mask)
        out[index] = (pooled / pooled.norm(dim=1, keepdim=True)).numpy()

    run(encoder, ids, "teacher", take)
    np.savez(path, x=out)


def main():
    rows = json.load(open(BUILD / "distil.json"))
    teacher([r["text"] for r in rows])
    shared("distil", [r["read"] for r in rows])


class Features:
    def __init__(self, name):
        saved = np.load(BUILD / f"shared_{name}.npz")
        self.x, self.starts = saved["x"], saved["starts"]
        self.lengths = np.diff(self.starts)

    def block(self, index):
        x = np.zeros((len(index), self.lengths[index].max(), HIDDEN), np.float32)
        for row, i in enumerate(index):
            x[row, : self.lengths[i]] = self.x[self.starts[i] : self.starts[i + 1]]
        return torch.as_tensor(x), torch.as_tensor(np.arange(x.shape[1]) < self.lengths[index][:, None])


if __name__ == "__main__":
    main()
