#!/usr/bin/env python3
"""Writes the overlap detector as one ONNX file: input `samples` (windows, samples at 16 kHz), output `log_odds` (windows, one per 20 ms).
Weights are stored in half precision.

  export.py --checkpoint FILE --out models/overlap/model.onnx

Says what it wrote: size, SHA-256, largest difference to PyTorch."""

import argparse
import hashlib
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from network import Detector, Halve

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

from onnx_half import halve  # noqa: E402

WINDOW_SAMPLES = 64_000  # 4 s


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    detector = Detector()
    detector.load_state_dict(torch.load(options.checkpoint, map_location="cpu", weights_only=True)["detector"])
    whole = nn.Sequential(Halve(), detector).eval()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    example = torch.randn(2, WINDOW_SAMPLES, generator=torch.Generator().manual_seed(1)) * 0.05
    torch.onnx.export(
        whole, (example,), str(options.out), input_names=["samples"], output_names=["log_odds"],
        dynamic_axes={"samples": {0: "windows", 1: "samples"}, "log_odds": {0: "windows", 1: "hops"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(options.out))
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(options.out))
    session = onnxruntime.InferenceSession(str(options.out))
    with torch.no_grad():
        difference = np.abs(session.run(None, {"samples": example.numpy()})[0] - whole(example).numpy()).max()
    data = options.out.read_bytes()
    print(f"bytes {len(data)}, sha256 {hashlib.sha256(data).hexdigest()}, largest difference {difference:.5f}")
    assert difference < 0.05


if __name__ == "__main__":
    main()
