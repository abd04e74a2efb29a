"""Step 6: writes ../../text-zh/model.onnx: one graph, inputs `ids` and `mask` [texts, tokens], outputs `embedding`
[texts, 384] (centred mean of its own layers, unit length) and `sentiment` [texts, 3] (logits over the temperature).

Matrices are in the base's 4-bit blocks (DequantizeLinear, block size 32); those of frozen layers are the base's own numbers.
"""

import numpy as np
import torch
from onnx import TensorProto, helper

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


def own(file, prefix):
    saved = np.load(BUILD / file)
    return {k[len(prefix):]: saved[k] for k in saved.files if k.startswith(prefix)}


def build():
    base, words = Base(), np.load(BUILD / "words.npz")
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
        x = g.layer(x, bias, f"embedding{index}", own("embedding.npz", f"layers.{index}."))
    centred = g.op("Sub", g.mean(x, mask3, total), g.constant("centre", np.load(BUILD / "embedding.npz")["centre"]))
    g.unit(centred, "embedding")

    x = shared
    for index in range(len(SENTIMENT_FROM)):
        x = g.layer(x, bias, f"sentiment{index}", own("sentiment.npz", f"layers.{index}."))
    tuned = np.load(BUILD / "sentiment.npz")
    pooled = g.op("Concat", g.mean(x, mask3, total), g.op("ReduceMax", g.op("Add", x, absent), g.ints(1), keepdims=0), axis=-1)
    hidden = g.op("MatMul", pooled, g.op("Cast", g.constant("head.dense.w", tuned["dense.weight"].T.astype(np.float16)), to=TensorProto.FLOAT))
    hidden = g.op("Tanh", g.op("Add", hidden, g.constant("head.dense.b", tuned["dense.bias"])))
    temperature = np.float32(tuned["temperature"])
    logits = g.op("MatMul", hidden, g.constant("head.out.w", tuned["out.weight"].T / temperature))
    g.op("Add", logits, g.constant("head.out.b", tuned["out.bias"] / temperature), name="sentiment")
    return g.model("callmark-text-zh", 21, 10)


if __name__ == "__main__":
    write_model(OUT, "text-zh", HIDDEN, build(), "text_zh")
