"""Step 5: the sentiment head's class biases and temperature, both from the tuning show alone.

    python settle_head.py [--name _trial]

CPED is 57 % negative in training; macro-F1 asks for all classes. The logits are moved by a part of log(1 / class frequency): of
0, 1/4, … 1 1/2 the part with the best macro-F1 on the tuning show. Then the temperature with the least log loss there, all classes
counted as they come. Rewrites build/sentiment.npz (out.bias, temperature); a second run changes nothing.
"""

import argparse
import json

import numpy as np
import torch

from common import BUILD
from features import Features
from measures import accuracy, calibration_error, macro_f1
from train_sentiment import Sentiment, logits_of, temperature_for


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--name", default="")
    args = args.parse_args()
    path = BUILD / f"sentiment{args.name}.npz"
    saved = dict(np.load(path))
    original = saved.setdefault("trained_bias", saved["out.bias"].copy())
    model = Sentiment()
    model.load_state_dict({k: torch.as_tensor(saved[k]) for k in model.state_dict()})
    with torch.no_grad():
        model.out.bias.copy_(torch.as_tensor(original))
    labels = np.array([r["label"] for r in json.load(open(BUILD / "tune.json"))])
    logits = logits_of(model, Features("tune"))
    train = np.bincount([r["label"] for r in json.load(open(BUILD / "train.json")) if r["source"] == "cped"], minlength=3)
    shift = np.log(train.mean() / train)
    found = {part: macro_f1(labels, (logits + part * shift).argmax(1)) for part in np.arange(0, 1.75, 0.25)}
    print({float(k): round(v, 4) for k, v in found.items()})
    part = max(found, key=found.get)
    logits = logits + part * shift
    temperature = temperature_for(logits.astype(np.float32), labels)
    e = np.exp(logits / temperature)
    probability = e / e.sum(1, keepdims=True)
    saved.update({"out.bias": (original + part * shift).astype(np.float32), "temperature": temperature})
    np.savez(path, **saved)
    print(f"part {part}, temperature {temperature:.3f}; tuning accuracy {accuracy(labels, logits.argmax(1)):.4f}, macro-F1 {found[part]:.4f}, "
          f"calibration error {100 * calibration_error(labels, probability):.1f} points")


if __name__ == "__main__":
    main()
