#!/usr/bin/env python3
"""Writes the speaker encoder as one ONNX file: input `samples` (windows, 25 600), output `vector` (windows, 256).

  export.py [--checkpoint FILE] [--share 0.15] --out models/speaker/model.onnx

Every weight is `share` of the fine-tuned one and the rest Resemblyzer's own (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022): fine-tuned
alone it is better on synthetic voices and worse on people. Without a checkpoint, Resemblyzer's own weights. Weights are stored in half precision and widened when the file is loaded (half the
size; vectors differ by less than 0.001), sums are computed in single precision. Says what it wrote: size, SHA-256, largest difference to PyTorch."""

import argparse
import hashlib
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import torch

from network import WINDOW_SAMPLES, base

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

from onnx_half import halve  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--share", type=float, default=0.15)
    options = parser.parse_args()
    encoder = base()
    if options.checkpoint:
        tuned = torch.load(options.checkpoint, map_location="cpu", weights_only=True)["encoder"]
        own = encoder.state_dict()
        encoder.load_state_dict({name: own[name].lerp(tuned[name], options.share) for name in own})
    encoder.eval()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    example = torch.randn(3, WINDOW_SAMPLES, generator=torch.Generator().manual_seed(1)) * 0.05
    torch.onnx.export(
        encoder, (example,), str(options.out), input_names=["samples"], output_names=["vector"],
        dynamic_axes={"samples": {0: "windows", 1: "samples"}, "vector": {0: "windows"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(options.out))
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(options.out))
    written = onnxruntime.InferenceSession(str(options.out)).run(None, {"samples": example.numpy()})[0]
    with torch.no_grad():
        difference = np.abs(written - encoder(example).numpy()).max()
    data = options.out.read_bytes()
    print(f"bytes {len(data)}, sha256 {hashlib.sha256(data).hexdigest()}, largest difference {difference:.5f}")
    assert difference < 0.001


if __name__ == "__main__":
    main()
