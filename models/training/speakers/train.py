#!/usr/bin/env python3
"""Fine-tunes Resemblyzer's encoder to short windows of telephone sound; resumable.

  train.py --corpus FOLDER --out FOLDER [--steps 1500]

The student hears 0.4–1.6 s of an utterance through a telephone (random_telephone of the starter's recipe: band, codecs, noise, level), repeated to
1.6 s; its target is what the base makes of the whole clean utterance (of a synthetic speaker: of all of them, averaged). So no
label of a speaker is learnt, only to hear the same voice in less and worse sound. Every tenth speaker is held out. Prints, every 100 steps, the mean cosine
between student and target there, and how well windows of one held-out speaker are told from another's (equal error rate), before (step 0) and after."""

import argparse
import pathlib
import sys
import time

import numpy as np
import scipy.io.wavfile
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "starter"))  # behind this folder: both have a network.py

from channel import random_telephone  # noqa: E402
from network import SAMPLE_RATE, WINDOW_SAMPLES, SpeakerEncoder, base  # noqa: E402

BATCH = 32
SHORTEST_S = 0.4
VALIDATION_WINDOWS = 6


def read_corpus(folder: pathlib.Path) -> list[list[np.ndarray]]:
    speakers = []
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        waves = [scipy.io.wavfile.read(file)[1].astype(np.float32) / 32768 for file in sorted(path.glob("*.wav"))]
        waves = [wave for wave in waves if len(wave) > SAMPLE_RATE]
        if waves:
            speakers.append((path.name, waves))
    return speakers


def targets(teacher: SpeakerEncoder, name: str, waves: list[np.ndarray]) -> np.ndarray:
    """One vector for every utterance, from windows of 1.6 s every 0.8 s."""
    out = []
    for wave in waves:
        padded = np.pad(wave, (0, max(0, WINDOW_SAMPLES - len(wave))), mode="wrap")
        windows = np.stack([padded[b : b + WINDOW_SAMPLES] for b in range(0, len(padded) - WINDOW_SAMPLES + 1, WINDOW_SAMPLES // 2)])
        with torch.no_grad():
            out.append(teacher(torch.tensor(windows)).mean(0).numpy())
    out = np.stack(out)
    if name.startswith("synthetic"):
        out[:] = out.mean(0)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def window(wave: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random loud enough stretch of a wave through a telephone, repeated to the window's length."""
    heard = random_telephone(wave, generator)
    heard = np.asarray(heard, np.float32)
    length = int(SAMPLE_RATE * generator.uniform(SHORTEST_S, WINDOW_SAMPLES / SAMPLE_RATE))
    for _ in range(5):
        begin = generator.integers(0, max(1, len(heard) - length))
        part = heard[begin : begin + length]
        if part.std() > 0.5 * heard.std():
            break
    return np.resize(part, WINDOW_SAMPLES)


def equal_error_rate(vectors: np.ndarray, speakers: np.ndarray) -> float:
    likeness = vectors @ vectors.T
    above = np.triu(np.ones_like(likeness, bool), 1)
    same = (speakers[:, None] == speakers[None]) & above
    right, wrong = np.sort(likeness[same]), np.sort(likeness[above & ~same])
    best = 1.0
    for threshold in np.quantile(right, np.linspace(0, 1, 501)):
        best = min(best, max((right < threshold).mean(), (wrong >= threshold).mean()))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    teacher = base().eval()
    corpus = read_corpus(options.corpus)
    aims = [targets(teacher, *speaker) for speaker in corpus]
    held_out, training = range(0, len(corpus), 10), [i for i in range(len(corpus)) if i % 10]
    generator = np.random.default_rng(options.seed)
    checked = [(i, u % len(corpus[i][1])) for i in held_out for u in range(VALIDATION_WINDOWS)]
    checks = torch.tensor(np.stack([window(corpus[i][1][u], generator) for i, u in checked]))
    check_aims = np.stack([aims[i][u] for i, u in checked])
    print(f"{len(training)} speakers to learn from, {len(held_out)} held out, {len(checked)} windows of them", flush=True)

    student = base()
    learnt = [p for p in student.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(learnt, lr=options.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.steps)
    checkpoint, step = options.out / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        student.load_state_dict(state["encoder"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        step = state["step"]

    def check(loss: float):
        with torch.no_grad():
            vectors = torch.cat([student(part) for part in checks.split(32)]).numpy()
        cosine = (vectors * check_aims).sum(1).mean()
        error = equal_error_rate(vectors, np.array([i for i, _ in checked]))
        print(f"step {step}: loss {loss:.4f}, held out: cosine {cosine:.4f}, equal error rate {100 * error:.2f} %", flush=True)

    check(float("nan"))
    losses, began = [], time.time()
    while step < options.steps:
        generator = np.random.default_rng([options.seed, step])
        chosen = [(i, generator.integers(len(corpus[i][1]))) for i in generator.choice(training, BATCH)]
        sound = torch.tensor(np.stack([window(corpus[i][1][u], generator) for i, u in chosen]))
        loss = (1 - (student(sound) * torch.tensor(np.stack([aims[i][u] for i, u in chosen]))).sum(1)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        step += 1
        if step % 100 == 0 or step == options.steps:
            check(float(np.mean(losses[-100:])))
            print(f"  {(time.time() - began) / len(losses):.2f} s a step", flush=True)
            state = dict(encoder=student.state_dict(), optimiser=optimiser.state_dict(), schedule=schedule.state_dict(), step=step)
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)


if __name__ == "__main__":
    main()
