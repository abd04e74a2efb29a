"""Step 5: writes ../../text-en/model.onnx: one graph, inputs `ids` and `mask` [texts, tokens], outputs `embedding`
[texts, 384] (mean of the base's last layer, unit length) and `sentiment` [texts, 3] (logits over the temperature).

Matrices are int8 with one scale per output column (DequantizeLinear on the initialiser); the arithmetic is float32, so
nothing depends on what else is in a batch except rounding of sums.
"""

import numpy as np
from onnx import TensorProto

from common import BUILD, EPS, HEADS, HIDDEN, LAYERS, OUT, PRIVATE, quantise
from graph import Graph, write_model


class EightBits(Graph):
    def dense(self, x, name, weight, bias):
        values, scale = quantise(np.asarray(weight, np.float32), 1)
        self.constant(name + ".w8", values), self.constant(name + ".s", scale)
        full = self.op("DequantizeLinear", name + ".w8", name + ".s", name=name + ".w", axis=1)
        return self.op("Add", self.op("MatMul", x, full), self.constant(name + ".b", np.asarray(bias, np.float32)))


def build():
    base, tuned = np.load(BUILD / "base.npz"), np.load(BUILD / "sentiment.npz")
    part = lambda arrays, prefix: {k[len(prefix):]: np.asarray(arrays[k], np.float32) for k in arrays.files if k.startswith(prefix)}
    g = EightBits(HIDDEN, HEADS, EPS)
    rows = g.op("Cast", g.op("Gather", g.constant("words.w8", base["words"]), "ids"), to=TensorProto.FLOAT)
    scale = g.op("Unsqueeze", g.op("Gather", g.constant("words.s", base["word_scale"]), "ids"), g.ints(-1))
    length = g.op("Slice", g.op("Shape", "ids"), g.ints(1), g.ints(2))
    position = g.op("Slice", g.constant("position", base["position"]), g.ints(0), length, g.ints(0))
    x = g.norm(g.op("Add", g.op("Mul", rows, scale), position), "embed.ln", base["ln_w"], base["ln_b"])

    bias, mask3, total, absent = g.masks()
    for index in range(LAYERS):
        if index == LAYERS - PRIVATE:
            shared = x
        x = g.layer(x, bias, f"base{index}", part(base, f"{index}."))
    g.unit(g.mean(x, mask3, total), "embedding")

    x = shared
    for index in range(PRIVATE):
        x = g.layer(x, bias, f"sentiment{index}", part(tuned, f"{index}."))
    pooled = g.op("Concat", g.mean(x, mask3, total), g.op("ReduceMax", g.op("Add", x, absent), axes=[1], keepdims=0), axis=-1)
    head, temperature = part(tuned, "head."), float(tuned["temperature"])
    hidden = g.op("Tanh", g.dense(pooled, "head.dense", head["dense_w"], head["dense_b"]))
    weight = g.constant("head.out.w", (head["out_w"] / temperature).astype(np.float32))
    g.op("Add", g.op("MatMul", hidden, weight), g.constant("head.out.b", (head["out_b"] / temperature).astype(np.float32)), name="sentiment")

    return g.model("callmark-text-en", 17, 8)


if __name__ == "__main__":
    write_model(OUT, "text-en", HIDDEN, build(), "sentiment_en")
