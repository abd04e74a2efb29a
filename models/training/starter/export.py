"""Weights → whisper.cpp's ggml file, in 16 bits and quantised.

  export.py --work-dir W --out starter.bin [--weights W/checkpoint.pt] [--raw] [--types q8_0 q5_1]

The averaged weights are exported unless --raw. Quantising needs no other program: blocks of q8_0 and q5_1 are written
as ggml defines them."""

import argparse
import pathlib
import struct

import numpy as np
import torch

from network import AUDIO_POSITIONS, MEL_BANDS, TEXT_POSITIONS, Recogniser, from_config, load_mel_filters
from tokens import FIRST_TIMESTAMP, VOCABULARY, Tokens

MAGIC = 0x67676D6C
SILENT = -40.0  # on the constant channel of tokens that were never trained: they are never chosen
BLOCK = 32
# ggml's type numbers (of a tensor) and file types (of the whole file), and its quantisation version.
F32, F16 = 0, 1
TENSOR_TYPE = {"q5_1": 7, "q8_0": 8}
FILE_TYPE = {"f32": 0, "f16": 1, "q8_0": 7, "q5_1": 9}
QUANTISATION_VERSION = 2


def load_network(path: pathlib.Path, raw: bool = False) -> tuple[Recogniser, dict]:
    saved = torch.load(path, map_location="cpu", weights_only=False)
    network = from_config(saved["cfg"])
    weights = dict(saved.get("model") or {})
    if saved.get("ema") and not raw:
        weights |= saved["ema"]
    network.load_state_dict(weights)
    return network, saved["cfg"]


@torch.no_grad()
def tensors(network: Recogniser, config: dict) -> dict[str, np.ndarray]:
    """Whisper's names → arrays; the embedding has all rows of the vocabulary."""
    decoder = network.decoder
    embedding = torch.zeros(VOCABULARY, config["d"])
    embedding[:, -1] = SILENT
    stamps = [FIRST_TIMESTAMP + stamp for stamp in decoder.timestamps]
    embedding[torch.tensor(list(config["used"]) + stamps)] = decoder.table()
    weight, bias = decoder.final_norm()
    state = network.state_dict()
    chosen = {name: value for name, value in state.items() if name.startswith(("encoder.", "decoder.blocks"))}
    chosen |= {
        "decoder.positional_embedding": decoder.positional_embedding,
        "decoder.token_embedding.weight": embedding,
        "decoder.ln.weight": weight,
        "decoder.ln.bias": bias,
    }
    arrays = {name: value.detach().numpy().astype(np.float32) for name, value in chosen.items()}
    for name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        arrays[name] = arrays[name].reshape(-1, 1)
    return arrays


def is_small(name: str, array: np.ndarray) -> bool:
    """Tensors that whisper.cpp reads in 32 bits whatever the file's type."""
    return array.ndim < 2 or name.endswith(("conv1.bias", "conv2.bias", "positional_embedding"))


def quantise(array: np.ndarray, kind: str) -> bytes:
    """Rows of blocks of 32 values, as ggml's reference quantisers write them from a 16-bit file, byte for byte."""
    blocks = array.astype(np.float16).astype(np.float32).reshape(-1, BLOCK)
    if kind == "q8_0":
        scale = np.abs(blocks).max(1) / 127
        inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
        scaled = blocks * inverse[:, None]
        steps = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)  # C's roundf
        record = np.zeros(len(blocks), np.dtype([("scale", "<f2"), ("steps", "i1", BLOCK)]))
        record["scale"], record["steps"] = scale, steps
        return record.tobytes()
    low, high = blocks.min(1), blocks.max(1)
    scale = (high - low) / 31
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    steps = np.clip((blocks - low[:, None]) * inverse[:, None] + 0.5, 0, 31).astype(np.uint8)
    half = BLOCK // 2
    fifth_bits = ((steps >> 4).astype(np.uint32) << np.arange(BLOCK, dtype=np.uint32)).sum(1, dtype=np.uint32)
    record = np.zeros(
        len(blocks), np.dtype([("scale", "<f2"), ("low", "<f2"), ("fifth", "<u4"), ("steps", "u1", half)])
    )
    record["scale"], record["low"], record["fifth"] = scale, low, fifth_bits
    record["steps"] = (steps[:, :half] & 15) | ((steps[:, half:] & 15) << 4)
    return record.tobytes()


def write_ggml(path: pathlib.Path, network: Recogniser, config: dict, assets: pathlib.Path, kind: str):
    filters = load_mel_filters(assets).numpy().astype(np.float32)
    file_type = FILE_TYPE[kind] + (1000 * QUANTISATION_VERSION if kind.startswith("q") else 0)
    with open(path, "wb") as file:
        integers = lambda *values: file.write(struct.pack(f"<{len(values)}i", *values))
        width, heads = config["d"], config["h"]
        integers(MAGIC, VOCABULARY, AUDIO_POSITIONS, width, heads, config["ne"])
        integers(TEXT_POSITIONS, width, heads, config["nd"], MEL_BANDS, file_type)
        integers(*filters.shape)
        file.write(filters.tobytes())
        texts = sorted(Tokens(assets).rank.items(), key=lambda item: item[1])
        integers(len(texts))
        for text, _ in texts:
            integers(len(text))
            file.write(text)
        for name, array in tensors(network, config).items():
            if kind == "f32" or is_small(name, array):
                tensor_type, content = F32, array.tobytes()
            elif kind in TENSOR_TYPE and array.ndim == 2:
                tensor_type, content = TENSOR_TYPE[kind], quantise(array, kind)
            else:
                tensor_type, content = F16, array.astype(np.float16).tobytes()
            integers(array.ndim, len(name), tensor_type, *array.shape[::-1])
            file.write(name.encode() + content)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", required=True, type=pathlib.Path)
    parser.add_argument(
        "--out", required=True, type=pathlib.Path, help="NAME.bin; NAME-TYPE.bin is written for each type"
    )
    parser.add_argument("--weights", type=pathlib.Path)
    parser.add_argument("--raw", action="store_true", help="the last weights instead of their average")
    parser.add_argument("--types", nargs="+", default=["q8_0", "q5_1"], choices=list(FILE_TYPE))
    options = parser.parse_args()
    network, config = load_network(options.weights or options.work_dir / "checkpoint.pt", options.raw)
    for kind in options.types:
        path = options.out.with_name(f"{options.out.stem}-{kind}.bin")
        write_ggml(path, network, config, options.work_dir / "assets", kind)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
