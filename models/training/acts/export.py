"""Step 5: writes ../../text-{en,zh}/acts.onnx and the [acts] table of the folder's manifest.toml.

One graph: unit embeddings of three turns, roles and place through one matrix, and a table of hashed n-grams. The
table is int8 and is looked up before anything becomes float32, so that a run touches the rows of its own n-grams only.
"""

import hashlib
import re
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import ACTS, BUCKETS, BUILD, DENSE, LANGUAGES, SIZE, folder

LIMIT = 1_500_000  # bytes of a file


def int8(weight):
    """(int8 matrix, float32 scale of each column)"""
    scale = (np.maximum(np.abs(weight).max(0), 1e-9) / 127).astype(np.float32)
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale


def build(p):
    """The graph of parameters `straight`, `table`, `bias`."""
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(kind, *inputs, name=None, **attributes):
        name = name or f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    # Stored embeddings are rounded: unit length again, and zeros stay zeros.
    length = op("ReduceL2", "embeddings", constant("last_axis", np.array([2])), keepdims=1)
    unit = op("Div", "embeddings", op("Max", length, constant("least", np.array(1e-6, np.float32))))
    flat = op("Reshape", unit, constant("flat", np.array([1, 3 * SIZE])))
    x = op("Concat", flat, "roles", "place", axis=1)
    straight = op("MatMul", x, op("Cast", constant("straight", p["straight"].astype(np.float16)), to=TensorProto.FLOAT))

    values, scale = int8(p["table"])
    rows = op("Cast", op("Gather", constant("table", values), "ngrams", axis=0), to=TensorProto.FLOAT)  # [1, N, acts]
    number = op("Cast", op("Size", "ngrams"), to=TensorProto.FLOAT)
    summed = op("Div", op("ReduceSum", rows, constant("ngram_axis", np.array([1])), keepdims=0), op("Sqrt", number))
    logits = op("Add", op("Add", straight, op("Mul", summed, constant("table.scale", scale))), constant("bias", p["bias"].astype(np.float32)))
    # A turn without words does nothing, wherever it stands.
    words = op("Cast", op("Greater", op("ReduceMax", "ngrams", keepdims=0), constant("none", np.array(0))), to=TensorProto.FLOAT)
    op("Mul", op("Sigmoid", logits), words, name="probabilities")

    tensor = helper.make_tensor_value_info
    inputs = [tensor("embeddings", TensorProto.FLOAT, [1, 3, SIZE]), tensor("roles", TensorProto.FLOAT, [1, 3]),
              tensor("place", TensorProto.FLOAT, [1, 2]), tensor("ngrams", TensorProto.INT64, [1, "ngrams"])]
    graph = helper.make_graph(nodes, "callmark-acts", inputs, [tensor("probabilities", TensorProto.FLOAT, [1, len(ACTS)])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], producer_name="callmark")
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    return model


def write(language, model, thresholds, given):
    """acts.onnx, its hash and the [acts] table; the rest of the manifest stays."""
    path = folder(language) / "acts.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    size, digest = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    assert size <= LIMIT, size
    manifest = folder(language) / "manifest.toml"
    kept = [line for line in re.sub(r"\n\[acts\]\n(?:(?!\[).*\n)*", "\n", manifest.read_text()).splitlines() if not line.startswith('"acts.onnx"')]
    text = re.sub(r"^schema = 1$", "schema = 2", "\n".join(kept).rstrip(), flags=re.M).replace("[sha256]\n", f'[sha256]\n"acts.onnx" = "{digest}"\n')
    listed = lambda names: "[" + ", ".join(f'"{name}"' for name in names) + "]"
    manifest.write_text(f"{text}\n\n[acts]\n# Written by models/training/acts/export.py. The columns of acts.onnx; from which per mille on a turn has the act;\n"
                        f"# and which acts are taken from the model at all.\nnames = {listed(ACTS)}\nthresholds_permille = {list(thresholds)}\ngiven = {listed(given)}\n")
    print(path.name, language, size, digest, flush=True)


def random_weights(seed=1):
    rng = np.random.default_rng(seed)
    normal = lambda *shape: rng.normal(0, 0.1, shape)
    table = normal(BUCKETS, len(ACTS))
    table[0] = 0
    return {"straight": normal(DENSE, len(ACTS)), "table": table, "bias": normal(len(ACTS))}


def main():
    for language in LANGUAGES:
        if "--random" in sys.argv:  # to try the program with, before anything is trained
            write(language, build(random_weights()), [500] * len(ACTS), ACTS[:2])
            continue
        saved = np.load(BUILD / f"model_{language}.npz")
        write(language, build(saved), saved["thresholds"].tolist(), [str(name) for name in saved["given"]])


if __name__ == "__main__":
    main()
