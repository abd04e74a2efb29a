#!/usr/bin/env python3
"""The stage that reads sentiment and meaning beside Python: the same model, the same turns, in turns.

    benches/peers/classify.py [--language en] [--rounds 5] [--workers 1 2] [--texts FILE]

Python is onnxruntime with the tokenizers package, one session on one thread per worker, each text alone as callmark does it; once as a session is
opened by default, once with the session option that callmark sets (weights dequantised when it opens). In batches of 32, padded, once more: what
Python users would do, though results then depend on the neighbours. Needs: pip install numpy onnxruntime tokenizers; CALLMARK names the program
(default: target/release/callmark). Without --texts: the turns of sample-audio's references and transcripts.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy
import onnxruntime
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
MAX_TOKENS = 128  # text_encoder.rs
CALL = 20  # turns that a worker takes at once: bench/classify.rs


def sample_turns(language: str) -> list[str]:
    """What is said in the sample calls of a language: lines of WebVTT behind a voice tag."""
    han = re.compile(r"[\u4e00-\u9fff]")
    said = []
    for file in sorted(ROOT.glob("sample-audio/references/*.vtt")) + sorted(ROOT.glob("sample-audio/transcripts/*.vtt")):
        said += re.findall(r"<v [^>]*>(.*)", file.read_text())
    return sorted({text.strip() for text in said if bool(han.search(text)) == (language == "zh")} - {""})


class Measured(NamedTuple):
    turns_per_second: float
    processor_ms: float  # of a turn, all workers together: a busy machine hardly changes it


class Python:
    """Sessions of the model, one per worker."""

    def __init__(self, folder: Path, workers: int, dequantised: bool, batch: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        if dequantised:
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        open_one = lambda: onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.sessions = [open_one() for _ in range(workers)]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.no_padding()
        if batch > 1:
            self.tokenizer.enable_padding()
        self.batch = batch

    def read(self, worker: int, texts: list[str]) -> None:
        for begin in range(0, len(texts), self.batch):
            encodings = self.tokenizer.encode_batch(texts[begin : begin + self.batch])
            ids = numpy.array([e.ids for e in encodings], dtype=numpy.int64)
            mask = numpy.array([e.attention_mask for e in encodings], dtype=numpy.int64)
            self.sessions[worker].run(["embedding", "sentiment"], {"ids": ids, "mask": mask})

    def measure(self, texts: list[str]) -> Measured:
        workers = len(self.sessions)
        for worker in range(workers):
            self.read(worker, texts[:1])
        size = max(CALL, self.batch)
        calls = [texts[n : n + size] for n in range(0, len(texts), size)]
        began, processor = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda worker: [self.read(worker, call) for call in calls[worker::workers]], range(workers)))
        wall, processor = time.perf_counter() - began, time.process_time() - processor
        return Measured(len(texts) / wall, 1000 * processor / len(texts))


def callmark(texts: Path, language: str, workers: int) -> Measured:
    program = os.environ.get("CALLMARK", str(ROOT / "target/release/callmark"))
    arguments = ["bench", "classify", "--texts", str(texts), "--language", language, "--workers", str(workers), "--rounds", "1", "--json"]
    output = subprocess.run([program, *arguments], check=True, capture_output=True, text=True, env={**os.environ, "CALLMARK_HOME": str(ROOT)})
    report = json.loads(output.stdout)
    row = report["rows"][0]
    return Measured(row["turns_per_second"]["median"], 1000 * row["cpu_seconds"]["median"] / report["turns"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", default="en", choices=["en", "zh"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--texts", type=Path)
    arguments = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts = arguments.texts.read_text().splitlines() if arguments.texts else sample_turns(arguments.language)
    texts = sorted({text.strip() for text in texts} - {""})
    folder = ROOT / f"models/text-{arguments.language}"
    print(f"{len(texts)} different turns in `{arguments.language}`, medians of {arguments.rounds} rounds; onnxruntime {onnxruntime.__version__}\n")
    print("| workers | program | turns/s (lowest–highest) | processor ms a turn | callmark's speed ÷ its, in the same round | by processor time |")
    print("|---:|---|---:|---:|---:|---:|", flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(texts))
        file.flush()
        for workers in arguments.workers:
            programs = {
                "callmark bench classify": lambda: callmark(Path(file.name), arguments.language, workers),
                "Python, one text a run, callmark's session options": lambda: Python(folder, workers, True, 1).measure(texts),
                "Python, one text a run, default session": lambda: Python(folder, workers, False, 1).measure(texts),
                "Python, padded batches of 32, callmark's session options": lambda: Python(folder, workers, True, 32).measure(texts),
            }
            measured: dict[str, list[Measured]] = {name: [] for name in programs}
            for _ in range(arguments.rounds):
                for name, measure in programs.items():
                    measured[name].append(measure())
            ours = measured["callmark bench classify"]
            for name, values in measured.items():
                speeds, processor = zip(*values)
                ratio = statistics.median(a.turns_per_second / b.turns_per_second for a, b in zip(ours, values))
                by_processor = statistics.median(b.processor_ms / a.processor_ms for a, b in zip(ours, values))
                speed = f"{statistics.median(speeds):.0f} ({min(speeds):.0f}–{max(speeds):.0f})"
                print(f"| {workers} | {name} | {speed} | {statistics.median(processor):.1f} | {ratio:.2f} | {by_processor:.2f} |", flush=True)


if __name__ == "__main__":
    main()
