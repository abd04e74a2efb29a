"""Step 5: writes ../../text-en/model.onnx: one graph, inputs `ids` and `mask` [texts, tokens], outputs `embedding`
[texts, 384] (mean of the base's last layer, unit length) and `sentiment` [texts, 3] (logits over the temperature).

Matrices are int8 with one scale per output column (DequantizeLinear on the initialiser); the arithmetic is float32, so
nothing depends on what else is in a batch except rounding of sums.
"""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import BUILD, EPS, HEADS, HIDDEN, LAYERS, OUT, PRIVATE, quantise


class Graph:
    def __init__(self):
        self.nodes, self.initialisers, self.count = [], {}, 0

    def constant(self, name, value):
        if name not in self.initialisers:
            self.initialisers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def op(self, kind, *inputs, name=None, **attributes):
        self.count += 1
        name = name or f"{kind}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def ints(self, *values):
        return self.constant("i_" + "_".join(map(str, values)).replace("-", "m"), np.array(values, np.int64))

    def number(self, value):
        return self.constant(f"f_{value}", np.array(value, np.float32))

    def dense(self, x, name, weight, bias):
        values, scale = quantise(np.asarray(weight, np.float32), 1)
        self.constant(name + ".w8", values), self.constant(name + ".s", scale)
        full = self.op("DequantizeLinear", name + ".w8", name + ".s", name=name + ".w", axis=1)
        return self.op("Add", self.op("MatMul", x, full), self.constant(name + ".b", np.asarray(bias, np.float32)))

    def norm(self, x, name, weight, bias):
        return self.op("LayerNormalization", x, self.constant(name + ".w", weight), self.constant(name + ".b", bias), axis=-1, epsilon=EPS)

    def layer(self, x, bias, name, p):
        heads = lambda t, perm: self.op("Transpose", self.op("Reshape", t, self.ints(0, 0, HEADS, HIDDEN // HEADS)), perm=perm)
        q = heads(self.dense(x, name + ".q", p["q_w"], p["q_b"]), [0, 2, 1, 3])
        k = heads(self.dense(x, name + ".k", p["k_w"], p["k_b"]), [0, 2, 3, 1])
        v = heads(self.dense(x, name + ".v", p["v_w"], p["v_b"]), [0, 2, 1, 3])
        scores = self.op("Div", self.op("MatMul", q, k), self.number(float(np.sqrt(HIDDEN // HEADS))))
        weights = self.op("Softmax", self.op("Add", scores, bias), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", weights, v), perm=[0, 2, 1, 3])
        mixed = self.op("Reshape", mixed, self.ints(0, 0, HIDDEN))
        x = self.norm(self.op("Add", x, self.dense(mixed, name + ".o", p["o_w"], p["o_b"])), name + ".ln1", p["ln1_w"], p["ln1_b"])
        up = self.dense(x, name + ".up", p["up_w"], p["up_b"])
        half = self.op("Mul", up, self.number(0.5))
        erf = self.op("Erf", self.op("Div", up, self.number(float(np.sqrt(2)))))
        up = self.op("Mul", half, self.op("Add", erf, self.number(1.0)))
        return self.norm(self.op("Add", x, self.dense(up, name + ".down", p["down_w"], p["down_b"])), name + ".ln2", p["ln2_w"], p["ln2_b"])


def build():
    base, tuned = np.load(BUILD / "base.npz"), np.load(BUILD / "sentiment.npz")
    part = lambda arrays, prefix: {k[len(prefix):]: np.asarray(arrays[k], np.float32) for k in arrays.files if k.startswith(prefix)}
    g = Graph()
    rows = g.op("Cast", g.op("Gather", g.constant("words.w8", base["words"]), "ids"), to=TensorProto.FLOAT)
    scale = g.op("Unsqueeze", g.op("Gather", g.constant("words.s", base["word_scale"]), "ids"), g.ints(-1))
    length = g.op("Slice", g.op("Shape", "ids"), g.ints(1), g.ints(2))
    position = g.op("Slice", g.constant("position", base["position"]), g.ints(0), length, g.ints(0))
    x = g.norm(g.op("Add", g.op("Mul", rows, scale), position), "embed.ln", base["ln_w"], base["ln_b"])

    mask = g.op("Cast", "mask", to=TensorProto.FLOAT)
    missing = g.op("Sub", g.number(1.0), mask)
    bias = g.op("Mul", g.op("Unsqueeze", missing, g.ints(1, 2)), g.number(-1e4))
    mask3 = g.op("Unsqueeze", mask, g.ints(-1))
    total = g.op("ReduceSum", mask3, g.ints(1), keepdims=0)

    def mean(x):
        return g.op("Div", g.op("ReduceSum", g.op("Mul", x, mask3), g.ints(1), keepdims=0), total)

    for index in range(LAYERS):
        if index == LAYERS - PRIVATE:
            shared = x
        x = g.layer(x, bias, f"base{index}", part(base, f"{index}."))
    pooled = mean(x)
    length = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", pooled, pooled), g.ints(-1), keepdims=1))
    g.op("Div", pooled, length, name="embedding")

    x = shared
    for index in range(PRIVATE):
        x = g.layer(x, bias, f"sentiment{index}", part(tuned, f"{index}."))
    hidden = g.op("Add", x, g.op("Mul", g.op("Unsqueeze", missing, g.ints(-1)), g.number(-1e4)))
    pooled = g.op("Concat", mean(x), g.op("ReduceMax", hidden, axes=[1], keepdims=0), axis=-1)
    head, temperature = part(tuned, "head."), float(tuned["temperature"])
    hidden = g.op("Tanh", g.dense(pooled, "head.dense", head["dense_w"], head["dense_b"]))
    weight = g.constant("head.out.w", (head["out_w"] / temperature).astype(np.float32))
    g.op("Add", g.op("MatMul", hidden, weight), g.constant("head.out.b", (head["out_b"] / temperature).astype(np.float32)), name="sentiment")

    tensor = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
    graph = helper.make_graph(
        g.nodes, "callmark-text-en",
        [tensor("ids", TensorProto.INT64, ["texts", "tokens"]), tensor("mask", TensorProto.INT64, ["texts", "tokens"])],
        [tensor("embedding", TensorProto.FLOAT, ["texts", HIDDEN]), tensor("sentiment", TensorProto.FLOAT, ["texts", 3])],
        list(g.initialisers.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="callmark")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    path = OUT / "model.onnx"
    path.write_bytes(build().SerializeToString(deterministic=True))
    lines = ["# What models/src/text_encoder.rs checks before it loads the files; written by models/training/sentiment_en/export.py.",
             "schema = 1", 'name = "text-en"', f"dimensions = {HIDDEN}", "", "[sha256]"]
    for file in [path, OUT / "tokenizer.json"]:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lines.append(f'"{file.name}" = "{digest}"')
        print(file.name, file.stat().st_size, digest)
    (OUT / "manifest.toml").write_text("\n".join(lines) + "\n")
