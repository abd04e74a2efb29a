#!/usr/bin/env python3
"""Writes classifier.toml for a folder with an exported text classifier (model.onnx, tokenizer.json, config.json).

    python3 describe_classifier.py DIR --name NAME --language en --licence MIT [--means LABEL=negative ...]

Labels are taken from config.json (id2label); those that begin with neg, neu or pos and 1 to 5 stars are understood, others need
--means. The golden examples are computed here with onnxruntime and tokenizers, so that `callmark models add` compares two programs.
Needs: pip install onnxruntime tokenizers numpy. docs/classifiers.md says what the keys mean.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy
import onnxruntime
from tokenizers import Tokenizer

CLASSES = ["negative", "neutral", "positive"]
STARS = {"1": "negative", "2": "negative", "3": "neutral", "4": "positive", "5": "positive"}
ROLES = ["input_ids", "attention_mask", "token_type_ids"]
TEXTS = {
    "en": [
        "thank you that was really helpful",
        "this is ridiculous I have been waiting for three weeks",
        "my account number is one two three",
        "Great 👍 THANKS!",
        "the bill is wrong again and nobody calls me back " * 12,
    ],
    "zh": ["谢谢，您帮了我很大的忙", "太过分了，我已经等了三个星期", "我的账号是一二三", "好的👍", "账单又错了，没有人给我回电话。" * 20],
}


def meaning(label: str, given: dict[str, str]) -> str:
    """Which of our classes a model's label is."""
    if label in given:
        return given[label]
    lower = label.lower()
    for known in CLASSES:
        if lower.startswith(known[:3]):
            return known
    if "star" in lower and lower[:1] in STARS:
        return STARS[lower[0]]
    raise SystemExit(f"what does the label {label!r} mean? give --means '{label}=negative' (or neutral, positive)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--language", action="append", required=True, choices=sorted(TEXTS))
    parser.add_argument("--licence", required=True)
    parser.add_argument("--means", action="append", default=[], metavar="LABEL=CLASS")
    parser.add_argument("--lower-case", action="store_true", help="the tokenizer does not do it, and the model wants it")
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=1.0, help="fitted on labelled texts of your own")
    parser.add_argument("--uncertain-below-permille", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=0.002)
    parser.add_argument("--texts", type=Path, help="golden examples, one a line; default: some sentences of calls")
    arguments = parser.parse_args()

    folder: Path = arguments.folder
    labels = [label for _, label in sorted(json.loads((folder / "config.json").read_text())["id2label"].items(), key=lambda p: int(p[0]))]
    means = [meaning(label, dict(pair.rsplit("=", 1) for pair in arguments.means)) for label in labels]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(arguments.max_tokens)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = [value.name for value in session.get_inputs()]
    output = session.get_outputs()[0].name
    if unknown := [name for name in inputs if name not in ROLES]:
        raise SystemExit(f"the graph needs {', '.join(unknown)}: export it as a text classifier")

    def probabilities(text: str) -> list[float]:
        encoding = tokenizer.encode(text.lower() if arguments.lower_case else text)
        values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
        logits = session.run([output], {name: numpy.array([values[name]], dtype=numpy.int64) for name in inputs})[0][0]
        weights = numpy.exp((logits.astype(numpy.float64) - logits.max()) / arguments.temperature)
        by_label = weights / weights.sum()
        return [float(sum(p for p, m in zip(by_label, means) if m == known)) for known in CLASSES]

    texts = arguments.texts.read_text().splitlines() if arguments.texts else [t for tag in arguments.language for t in TEXTS[tag]]
    quoted = lambda text: json.dumps(text, ensure_ascii=False)  # TOML's basic strings are JSON's
    lines = [
        "schema = 1",
        f"name = {quoted(arguments.name)}",
        f"languages = {json.dumps(arguments.language)}",
        f"licence = {quoted(arguments.licence)}",
        'model = "model.onnx"',
        'tokenizer = "tokenizer.json"',
        f"output = {quoted(output)}",
        f"lower_case = {str(arguments.lower_case).lower()}",
        f"max_tokens = {arguments.max_tokens}",
        f"temperature = {arguments.temperature}",
        f"uncertain_below_permille = {arguments.uncertain_below_permille}",
        f"golden_tolerance = {arguments.tolerance}",
        "# In the order of the graph's output.",
        "labels = [",
        *[f"    {{ name = {quoted(label)}, means = {quoted(known)} }}," for label, known in zip(labels, means)],
        "]",
        "",
        "[inputs]",
        *[f"{name} = {quoted(name)}" for name in ROLES if name in inputs],
        "",
        "[sha256]",
        *[f"{quoted(file)} = {quoted(hashlib.sha256((folder / file).read_bytes()).hexdigest())}" for file in ("model.onnx", "tokenizer.json")],
    ]
    for text in texts:
        values = ", ".join(f"{p:.6f}" for p in probabilities(text)).split(", ")
        lines += ["", "[[golden]]", f"text = {quoted(text)}", *[f"{known} = {value}" for known, value in zip(CLASSES, values)]]
    (folder / "classifier.toml").write_text("\n".join(lines) + "\n")
    print(f"{folder / 'classifier.toml'}: {len(labels)} labels, {len(texts)} golden examples")


if __name__ == "__main__":
    main()
