"""Step 5: writes ../../text-zh/model.onnx: one graph, inputs `ids` and `mask` [texts, tokens], outputs `embedding`
[texts, 384] (centred mean of its own layers, unit length) and `sentiment` [texts, 3], a head of zeros on the mean and maximum over the pieces
of the base's own layers: ../sentiment/fit.py puts the real one in its place.

Matrices are in the base's 4-bit blocks (DequantizeLinear, block size 32); those of frozen layers are the base's own numbers.
`--keep-embedding`: piece vectors and the embedding's layers are those of the file that is there, to the bit, instead of build/*.npz.
"""

import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from base import Base
from common import BUILD, EMBEDDING_FROM, EPS, HEADS, HIDDEN, MAX_TOKENS, OUT, SENTIMENT_FROM, SHARED, as_blocks
from graph import Graph, write_model


class FourBits(Graph):
    def blocks(self, name, values, scale):
        """A matrix from numbers -8 to 7 and float16 scales, blocks of 32 along the first axis."""
        packed = (values.reshape(-1).astype(np.int16) & 15).astype(np.uint8)
        packed = packed[0::2] | (packed[1::2] << 4)
        self.initialisers[name + ".w4"] = helper.make_tensor(name + ".w4", TensorProto.INT4, values.shape, packed.tobytes(), raw=True)
        scale = self.op("Cast", self.constant(name + ".s", scale.astype(np.float16)), to=TensorProto.FLOAT)
        return scale

    def dense(self, x, name, weight, bias):
        weight = torch.as_tensor(np.asarray(weight, np.float32))  # [out, in]
        values, scale = as_blocks(weight)
        values = values.reshape(weight.shape).numpy().astype(np.int8).T
        scale = self.blocks(name, np.ascontiguousarray(values), scale.squeeze(2).numpy().T)
        full = self.op("DequantizeLinear", name + ".w4", scale, name=name + ".w", axis=0, block_size=32)
        return self.op("Add", self.op("MatMul", x, full), self.constant(name + ".b", np.asarray(bias, np.float32)))


def trained(index):
    """Parameters of the embedding's own layer."""
    saved, prefix = np.load(BUILD / "embedding.npz"), f"layers.{index}."
    return {k[len(prefix):]: saved[k] for k in saved.files if k.startswith(prefix)}


def shipped(index, tensors):
    """The same out of the file that is there; blocks of 32 along the first axis."""
    name, result = f"embedding{index}.", {}
    for short in ("q", "k", "v", "o", "up", "down"):
        scale = np.repeat(tensors[f"{name}{short}.s"].astype(np.float32), 32, axis=0)
        result[short + "_w"], result[short + "_b"] = (tensors[f"{name}{short}.w4"].astype(np.float32) * scale).T, tensors[f"{name}{short}.b"]
    for short in ("ln1", "ln2"):
        result[short + "_w"], result[short + "_b"] = tensors[f"{name}{short}.w"], tensors[f"{name}{short}.b"]
    return result


def build():
    base, keep = Base(), "--keep-embedding" in sys.argv
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(OUT / "model.onnx").graph.initializer} if keep else {}
    words = {"values": tensors["words.w4"].astype(np.int8), "scale": tensors["words.s"]} if keep else np.load(BUILD / "words.npz")
    g = FourBits(HIDDEN, HEADS, EPS)
    # The table of pieces: blocks along the row.
    scale = g.blocks("words", words["values"], words["scale"])
    table = g.op("DequantizeLinear", "words.w4", scale, name="words", axis=1, block_size=32)
    length = g.op("Slice", g.op("Shape", "ids"), g.ints(1), g.ints(2))
    positions = base.floats("emb.pos").reshape(-1, HIDDEN)[:MAX_TOKENS] + base.floats("emb.type")[:HIDDEN]
    positions = g.op("Cast", g.constant("position", positions.astype(np.float16)), to=TensorProto.FLOAT)
    position = g.op("Slice", positions, g.ints(0), length, g.ints(0))
    x = g.norm(g.op("Add", g.op("Gather", table, "ids"), position), "embed.ln", base.floats("emb.ln.w"), base.floats("emb.ln.b"))
    bias, mask3, total, absent = g.masks()
    for index in range(SHARED):
        x = g.layer(x, bias, f"base{index}", base.layer(index))
    shared = x

    for index in range(len(EMBEDDING_FROM)):
        x = g.layer(x, bias, f"embedding{index}", shipped(index, tensors) if keep else trained(index))
    centred = g.op("Sub", g.mean(x, mask3, total), g.constant("centre", tensors["centre"] if keep else np.load(BUILD / "embedding.npz")["centre"]))
    g.unit(centred, "embedding")

    x = shared
    for index in SENTIMENT_FROM:
        x = g.layer(x, bias, f"sentiment{index}", base.layer(index))
    pooled = g.op("Concat", g.mean(x, mask3, total), g.op("ReduceMax", g.op("Add", x, absent), g.ints(1), keepdims=0), axis=-1)
    product = g.op("MatMul", pooled, g.constant("head.w", np.zeros((2 * HIDDEN, 3), np.float32)))
    g.op("Add", product, g.constant("head.b", np.zeros(3, np.float32)), name="sentiment")
    return g.model("callmark-text-zh", 21, 10)


if __name__ == "__main__":
    write_model(OUT, "text-zh", HIDDEN, build(), "text_zh")
