"""The shipped text model up to where its sentiment head begins, and how a head is put on it.

A head is one linear layer on `pooled` (mean and maximum over the tokens of the sentiment branch's last layer). What lies before it is
trained by ../sentiment_en and taken from the base by ../text_zh; it is not touched here, so embeddings stay what they are, bit for bit.
"""

import hashlib
import re

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from common import folder

MAX_TOKENS, BATCH_TOKENS = 128, 4096


def read(language):
    """(graph, name of the pooled tensor)"""
    model = onnx.load(folder(language) / "model.onnx")
    return model, [node.output[0] for node in model.graph.node if node.op_type == "Concat"][-1]


class Pooled:
    """Texts → pooled vectors [texts, 768]; several texts at once, so for training only."""

    def __init__(self, language):
        model, name = read(language)
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.name, self.session = name, onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(folder(language) / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, texts):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        out, batch = None, []
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for n, i in enumerate(order):
            batch.append(i)
            if n + 1 < len(order) and (len(batch) + 1) * len(ids[order[n + 1]]) <= BATCH_TOKENS:
                continue
            length = len(ids[i])
            mask = np.array([[1] * len(ids[j]) + [0] * (length - len(ids[j])) for j in batch], np.int64)
            padded = np.array([ids[j] + [0] * (length - len(ids[j])) for j in batch], np.int64)
            vectors = self.session.run([self.name], {"ids": padded, "mask": mask})[0]
            out = np.zeros((len(ids), vectors.shape[1]), np.float32) if out is None else out
            out[batch], batch = vectors, []
        return out


def put_head(language, weight, bias):
    """Writes model.onnx with this head ([768, 3], [3]: calibrated logits) and its hash in the manifest."""
    model, pooled = read(language)
    graph, needed, nodes = model.graph, {pooled, "embedding"}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            nodes.insert(0, node)
    nodes.append(helper.make_node("MatMul", [pooled, "head.w"], ["head.product"], name="head.product"))
    nodes.append(helper.make_node("Add", ["head.product", "head.b"], ["sentiment"], name="sentiment"))
    kept = [tensor for tensor in graph.initializer if tensor.name in needed and not tensor.name.startswith("head.")]
    kept += [numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name) for name, value in (("head.w", weight), ("head.b", bias))]
    for field, values in ((graph.node, nodes), (graph.initializer, kept)):
        del field[:]
        field.extend(values)
    onnx.checker.check_model(model, full_check=True)
    path, manifest = folder(language) / "model.onnx", folder(language) / "manifest.toml"
    path.write_bytes(model.SerializeToString(deterministic=True))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(re.sub(r'"model.onnx" = "\w+"', f'"model.onnx" = "{digest}"', manifest.read_text()))
    print(path, path.stat().st_size, digest)
