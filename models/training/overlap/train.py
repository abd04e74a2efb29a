#!/usr/bin/env python3
"""Trains the overlap detector on mixtures made on the fly; resumable.

  train.py --corpus FOLDER [--speech LIBRISPEECH --readers NAME ...] --out FOLDER [--steps 1500]

Two speakers of a mixture are both synthetic or both people. Every tenth speaker is held out; prints, every 100 steps, what share of overlapped time is found
there at a precision of 0.8 and 0.9, separately for synthetic voices and people."""

import argparse
import pathlib
import time

import numpy as np
import torch

from mixtures import batch, read_speakers
from network import Detector

BATCH = 16


def recall_at(precision: float, scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The largest recall at that precision, and its threshold."""
    order = np.argsort(-scores)
    right = np.cumsum(labels[order])
    fine = np.flatnonzero(right / np.arange(1, len(right) + 1) >= precision)
    return (right[fine[-1]] / max(1, labels.sum()), float(scores[order[fine[-1]]])) if len(fine) else (0.0, float("inf"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--speech", type=pathlib.Path)
    parser.add_argument("--readers", nargs="*", default=[])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    by_name = read_speakers(options.corpus, options.speech, options.readers)
    names, speakers = list(by_name), list(by_name.values())
    kinds = dict(synthetic=[i for i, n in enumerate(names) if n.startswith("synthetic")], people=[i for i, n in enumerate(names) if not n.startswith("synthetic")])
    training = [[i for i in kind if i % 10] for kind in kinds.values() if kind]
    checks = {}
    for name, kind in kinds.items():
        held_out = [i for i in kind if i % 10 == 0]
        if len(held_out) > 1:
            checks[name] = batch(speakers, [held_out], 96, np.random.default_rng(options.seed))
    detector = Detector()
    print(f"{sum(map(len, training))} speakers to learn from, {sum(p.numel() for p in detector.parameters())} parameters", flush=True)
    optimiser = torch.optim.AdamW(detector.parameters(), lr=options.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=options.steps, pct_start=0.1)
    checkpoint, step = options.out / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        detector.load_state_dict(state["detector"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        step = state["step"]

    def check(loss: float):
        detector.eval()
        found = []
        for name, (sounds, labels) in checks.items():
            with torch.no_grad():
                scores = torch.cat([detector(part) for part in torch.tensor(sounds).split(32)]).numpy()
            scored = labels >= 0
            at = [recall_at(p, scores[scored], labels[scored]) for p in (0.8, 0.9)]
            found.append(name + ": " + ", ".join(f"{100 * recall:.1f} % (from {threshold:.2f})" for recall, threshold in at))
        print(f"step {step}: loss {loss:.4f}, held out: {'; '.join(found)}", flush=True)
        detector.train()

    losses, began = [], time.time()
    while step < options.steps:
        sounds, labels = batch(speakers, training, BATCH, np.random.default_rng([options.seed, step]))
        labels = torch.tensor(labels, dtype=torch.float32)
        scores = detector(torch.tensor(sounds))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels.clamp(min=0), (labels >= 0).float())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        step += 1
        if step % 20 == 0:
            print(f"  {step}: {np.mean(losses[-20:]):.4f}, {(time.time() - began) / len(losses):.2f} s a step", flush=True)
        if step % 100 == 0 or step == options.steps:
            check(float(np.mean(losses[-100:])))
            state = dict(detector=detector.state_dict(), optimiser=optimiser.state_dict(), schedule=schedule.state_dict(), step=step)
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)


if __name__ == "__main__":
    main()
