#!/usr/bin/env python3
"""Makes the tiny classifier of the tests: five "stars", one row of logits per word and a little for its place, added up over the words that
the mask lets through. It knows 40 places and fails on longer texts, as real ones do.

    python3 models/tests/data/classifier/make.py      (onnx 1.23.2, onnxruntime 1.24.4, tokenizers 0.23.3)

The weights are made up here by hand and by a fixed random generator; nothing is trained and nothing is anybody else's.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy
from onnx import TensorProto, helper, numpy_helper, save
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

HERE = Path(__file__).parent
WORDS = {
    1: "ridiculous terrible cancel complaint 骂 告",
    2: "wrong waiting problem nobody 错 等",
    3: "the is my account number and i you 我 的 是 账 号",
    4: "thanks okay fine good helpful 好 帮",
    5: "great wonderful perfect thank 谢 棒",
}
LABELS = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
PLACES = 40
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tokenizer() -> Tokenizer:
    words = SPECIAL + [word for stars in WORDS.values() for word in stars.split()]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)  # Han characters become words of their own
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def graph(words: int):
    generator = numpy.random.default_rng(8)
    table = generator.normal(0, 0.2, (words, 5)).astype(numpy.float32)
    row = len(SPECIAL)
    for stars, listed in WORDS.items():
        for _ in listed.split():
            table[row, stars - 1] += 2.5
            row += 1
    integers = lambda name: helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["length"]),
        helper.make_node("Range", ["zero", "length", "one"], ["places"]),
        helper.make_node("Gather", ["place_table", "places"], ["place_rows"]),
        helper.make_node("Add", ["rows", "place_rows"], ["placed"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["placed", "column"], ["kept"]),
        # The second segment of a pair of texts counts as the first: all types are 0 here, and the input is used.
        helper.make_node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["types", "last"], ["type_column"]),
        helper.make_node("Add", ["kept", "type_column"], ["typed"]),
        helper.make_node("ReduceSum", ["typed", "tokens_axis"], ["logits"], keepdims=0),
    ]
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(generator.normal(0, 0.02, (PLACES, 5)).astype(numpy.float32), "place_table"),
        numpy_helper.from_array(numpy.array(0, dtype=numpy.int64), "zero"),
        numpy_helper.from_array(numpy.array(1, dtype=numpy.int64), "one"),
        numpy_helper.from_array(numpy.array([2], dtype=numpy.int64), "last"),
        numpy_helper.from_array(numpy.array([1], dtype=numpy.int64), "tokens_axis"),
    ]
    inputs = [integers(name) for name in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 5])
    made = helper.make_graph(nodes, "tiny_stars", inputs, [output], constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="callmark tests")


def main() -> None:
    made = tokenizer()
    made.save(str(HERE / "tokenizer.json"))
    save(graph(made.get_vocab_size()), HERE / "model.onnx")
    config = HERE / "config.json"
    config.write_text(json.dumps({"id2label": {str(n): label for n, label in enumerate(LABELS)}}))
    describe = HERE.parents[2] / "evaluation/describe_classifier.py"
    arguments = ["--name", "tiny-stars", "--language", "en", "--language", "zh", "--licence", "Apache-2.0", "--lower-case"]
    arguments += ["--max-tokens", "32", "--temperature", "1.3", "--uncertain-below-permille", "600", "--tolerance", "0.0001"]
    subprocess.run([sys.executable, str(describe), str(HERE), *arguments], check=True)
    config.unlink()


if __name__ == "__main__":
    main()
