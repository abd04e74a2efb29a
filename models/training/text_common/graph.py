"""What the text models' ONNX graphs are built from, shared by the recipes. The arithmetic is float32 whatever the weights'
form in the file, so nothing depends on what else is in a batch except rounding of sums."""

import hashlib
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes and initialisers; `dense` is the recipe's own (how it stores a matrix)."""

    def __init__(self, hidden, heads, eps):
        self.hidden, self.heads, self.eps = hidden, heads, eps
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

    def norm(self, x, name, weight, bias):
        return self.op("LayerNormalization", x, self.constant(name + ".w", weight), self.constant(name + ".b", bias), axis=-1, epsilon=self.eps)

    def layer(self, x, bias, name, p):
        """One BERT layer (post-norm, exact GELU)."""
        size = self.hidden // self.heads
        heads = lambda t, perm: self.op("Transpose", self.op("Reshape", t, self.ints(0, 0, self.heads, size)), perm=perm)
        q = heads(self.dense(x, name + ".q", p["q_w"], p["q_b"]), [0, 2, 1, 3])
        k = heads(self.dense(x, name + ".k", p["k_w"], p["k_b"]), [0, 2, 3, 1])
        v = heads(self.dense(x, name + ".v", p["v_w"], p["v_b"]), [0, 2, 1, 3])
        scores = self.op("Div", self.op("MatMul", q, k), self.number(float(np.sqrt(size))))
        weights = self.op("Softmax", self.op("Add", scores, bias), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", weights, v), perm=[0, 2, 1, 3])
        mixed = self.op("Reshape", mixed, self.ints(0, 0, self.hidden))
        x = self.norm(self.op("Add", x, self.dense(mixed, name + ".o", p["o_w"], p["o_b"])), name + ".ln1", p["ln1_w"], p["ln1_b"])
        up = self.dense(x, name + ".up", p["up_w"], p["up_b"])
        half = self.op("Mul", up, self.number(0.5))
        erf = self.op("Erf", self.op("Div", up, self.number(float(np.sqrt(2)))))
        up = self.op("Mul", half, self.op("Add", erf, self.number(1.0)))
        return self.norm(self.op("Add", x, self.dense(up, name + ".down", p["down_w"], p["down_b"])), name + ".ln2", p["ln2_w"], p["ln2_b"])

    def masks(self):
        """(added to attention scores, 1 or 0 per token [texts, tokens, 1], tokens per text [texts, 1], -10000 for none)"""
        mask = self.op("Cast", "mask", to=TensorProto.FLOAT)
        missing = self.op("Sub", self.number(1.0), mask)
        bias = self.op("Mul", self.op("Unsqueeze", missing, self.ints(1, 2)), self.number(-1e4))
        mask3 = self.op("Unsqueeze", mask, self.ints(-1))
        total = self.op("ReduceSum", mask3, self.ints(1), keepdims=0)
        absent = self.op("Mul", self.op("Unsqueeze", missing, self.ints(-1)), self.number(-1e4))
        return bias, mask3, total, absent

    def mean(self, x, mask3, total):
        return self.op("Div", self.op("ReduceSum", self.op("Mul", x, mask3), self.ints(1), keepdims=0), total)

    def unit(self, x, name):
        length = self.op("Sqrt", self.op("ReduceSum", self.op("Mul", x, x), self.ints(-1), keepdims=1))
        return self.op("Div", x, length, name=name)

    def model(self, name, opset, ir_version):
        tensor = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
        graph = helper.make_graph(
            self.nodes, name,
            [tensor("ids", TensorProto.INT64, ["texts", "tokens"]), tensor("mask", TensorProto.INT64, ["texts", "tokens"])],
            [tensor("embedding", TensorProto.FLOAT, ["texts", self.hidden]), tensor("sentiment", TensorProto.FLOAT, ["texts", 3])],
            list(self.initialisers.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="callmark")
        model.ir_version = ir_version
        onnx.checker.check_model(model, full_check=True)
        return model


def save(folder, model):
    """model.onnx, with its hash and the tokenizer's in the folder's manifest; what else the manifest says stays."""
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    manifest = folder / "manifest.toml"
    text = manifest.read_text()
    for file in ("model.onnx", "tokenizer.json"):
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        text = re.sub(f'"{file}" = "\\w*"', f'"{file}" = "{digest}"', text)
        print(file, (folder / file).stat().st_size, digest)
    manifest.write_text(text)


def write_model(folder, name, dimensions, model, recipe):
    """As `save`; in a folder without a manifest, with a new one."""
    if not (folder / "manifest.toml").exists():
        lines = [f"# What models/src/text_encoder.rs checks before it loads the files; written by models/training/{recipe}/export.py.",
                 "schema = 1", f'name = "{name}"', f"dimensions = {dimensions}", "", "[sha256]", '"model.onnx" = ""', '"tokenizer.json" = ""']
        (folder / "manifest.toml").write_text("\n".join(lines) + "\n")
    save(folder, model)
