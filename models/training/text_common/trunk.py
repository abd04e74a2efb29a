"""The shipped text models up to where the heads on their sentiment branch begin, and how a head is put on one.

A head is one linear layer on `pooled` (mean and maximum over the tokens of the sentiment branch's last layer), and on the text's pieces and pairs
of pieces, hashed: their number in each bucket over the root of the number of all. What lies before it is
trained by ../sentiment_en and taken from the base by ../text_zh; it is not touched here, so embeddings and other heads stay what they are, bit for bit.
"""

import re

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from common import BUCKETS, folder
from export import int8
from graph import save

MAX_TOKENS, BATCH_TOKENS = 128, 4096
PAIR, PRIME = 31_337, 1_000_003  # of the hash of a pair of pieces


def read(language):
    """(graph, name of the pooled tensor)"""
    model = onnx.load(folder(language) / "model.onnx")
    return model, [node.output[0] for node in model.graph.node if node.op_type == "Concat"][-1]


def tokenizer(language):
    found = Tokenizer.from_file(str(folder(language) / "tokenizer.json"))
    found.enable_truncation(MAX_TOKENS)
    return found


def buckets(language, lists):
    """The buckets of the n-grams of each text, as `put_head` has the model compute them."""
    encode, bucket = tokenizer(language).encode_batch, lambda number: 1 + number % (BUCKETS - 1)
    pairs = lambda ids: [(a * PAIR + b) % PRIME for a, b in zip(ids, ids[1:])]
    return [[[bucket(number) for number in e.ids + pairs(e.ids)] for e in encode(texts)] for texts in lists]


class Pooled:
    """Texts → pooled vectors [texts, 768]; several texts at once, so for training only."""

    def __init__(self, language):
        model, name = read(language)
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.name, self.session = name, onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer(language)

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


def put_head(language, name, weight, table, bias):
    """Writes model.onnx with this head as its output `name`, in the place of one that it has ([768, n], [BUCKETS, n], [n]: calibrated logits), and
    its hash in the manifest. Other heads stay; a new export of a recipe's `model.onnx` has only the sentiment, and its manifest's `[insult]` waits for a new head.
    """
    model, pooled = read(language)
    graph, nodes, constants = model.graph, [], {}
    others = [output for output in graph.output if output.name != name]
    needed = {pooled} | {output.name for output in others}
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            nodes.insert(0, node)

    def constant(what, value):
        constants[f"{name}.{what}"] = numpy_helper.from_array(np.ascontiguousarray(value), f"{name}.{what}")
        return f"{name}.{what}"

    def op(kind, *inputs, output=None, **attributes):
        output = output or f"{name}.{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    number = lambda value: constant(f"i_{value}", np.array(value))
    numbers = lambda value: constant(f"list_{value}", np.array([value]))
    values, scale = int8(table)
    values = constant("table", values)
    mask = op("Cast", "mask", to=onnx.TensorProto.FLOAT)

    def summed(hashes, mask):
        """What the buckets of these hashes say together; the table's rows become float32 after they are looked up."""
        found = op("Gather", values, op("Add", op("Mod", hashes, number(BUCKETS - 1)), number(1)), axis=0)
        told = op("Mul", op("Cast", found, to=onnx.TensorProto.FLOAT), op("Unsqueeze", mask, numbers(-1)))
        return op("ReduceSum", told, numbers(1), keepdims=0), op("ReduceSum", mask, numbers(1), keepdims=1)

    part = lambda tensor, begin, end: op("Slice", tensor, numbers(begin), numbers(end), numbers(1))
    first, second = part("ids", 0, -1), part("ids", 1, np.iinfo(np.int64).max)
    pairs = op("Mod", op("Add", op("Mul", first, number(PAIR)), second), number(PRIME))
    (told, count), (told_by_pairs, count_of_pairs) = summed("ids", mask), summed(pairs, part(mask, 1, np.iinfo(np.int64).max))
    mean = op("Div", op("Add", told, told_by_pairs), op("Sqrt", op("Add", count, count_of_pairs)))
    straight = op("Add", op("MatMul", pooled, constant("w", weight.astype(np.float32))), constant("b", np.asarray(bias, np.float32)))
    op("Add", straight, op("Mul", mean, constant("scale", scale)), output=name)

    kept = [tensor for tensor in graph.initializer if tensor.name in needed]
    output = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["texts", weight.shape[1]])
    for field, values in ((graph.node, nodes), (graph.initializer, kept + list(constants.values())), (graph.output, [*others, output])):
        del field[:]
        field.extend(values)
    onnx.checker.check_model(model, full_check=True)
    save(folder(language), model)


def put_table(language, name, schema, comment, values):
    """Writes the table `name` of the manifest ({key: whole number}), which programs know from this schema on."""
    path = folder(language) / "manifest.toml"
    text = re.sub(rf"\n\[{name}\]\n(?:(?!\[).*\n)*", "\n", path.read_text())
    text = re.sub(r"schema = (\d+)\n", lambda found: f"schema = {max(schema, int(found[1]))}\n", text)
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    path.write_text(f"{text.rstrip()}\n\n[{name}]\n# {comment}\n{lines}")
