#!/usr/bin/env python3
"""Fits what letters sound like for the word times (models/src/asr/letters.rs): prints the table of that file.

  fit_letters.py SET [SET...]

SET: folders of make_speech_sets.py (NAME.wav with NAME.reference.json). For every letter: mean power in dB of the sound, of
its first and of its second difference, against the loud moments of the same sentence, and length in ms; for all letters
together one variance per number. Letters of a word are divided evenly at first, then by Viterbi alignment inside the word's
times, eight rounds. Needs numpy, scipy."""

import json
import pathlib
import re
import sys

import numpy as np
import scipy.io.wavfile
from scipy.signal import resample_poly

LETTERS = [*"abcdefghijklmnoprstuvwxyz", "ch", "ng", "sh", "th"]
SOUNDS_LIKE = {"ck": "k", "ph": "f", "qu": "k", "q": "k"}
STEP_MS, SAMPLES_PER_STEP, BANDS, ROUNDS = 10, 160, 3, 8
MEASURED_VARIANCE = 4.0


def spelled(word: str) -> list[int]:
    """Letters of a word without digits, as letters.rs takes them."""
    letters = [letter for letter in word.lower() if letter.isascii() and letter.isalpha()]
    out, index = [], 0
    while index < len(letters):
        pair = "".join(letters[index : index + 2])
        if pair in LETTERS or pair in SOUNDS_LIKE:
            out.append(LETTERS.index(SOUNDS_LIKE.get(pair, pair)))
            index += 2
            continue
        letter = SOUNDS_LIKE.get(letters[index], letters[index])
        if index == 0 or letters[index] != letters[index - 1]:
            out.append(LETTERS.index(letter))
        index += 1
    if len(out) > 2 and letters[-1] == "e" and letters[-2] not in "el":
        out.pop()
    return out


def powers(sound: np.ndarray) -> np.ndarray:
    """(steps, bands) in dB against the loud moments; windows of 20 ms every 10 ms."""
    bands = []
    for _ in range(BANDS):
        whole = sound[: len(sound) // SAMPLES_PER_STEP * SAMPLES_PER_STEP]
        squares = (whole.reshape(-1, SAMPLES_PER_STEP) ** 2).sum(1)
        bands.append(10 * np.log10((squares[:-1] + squares[1:]) / (2 * SAMPLES_PER_STEP) + 1e-9))
        sound = np.concatenate([[0, 0], sound[2:] - sound[:-2]])
    powers = np.stack(bands, 1)
    loud = np.percentile(powers[:, 0], 90)
    return powers - powers[powers[:, 0] > loud - 10].mean(0)


def tilts(powers: np.ndarray) -> np.ndarray:
    """Level, and how much more each difference has than the one before it."""
    return np.concatenate([powers[..., :1], powers[..., 1:] - powers[..., :-1]], -1)


def words(folder: pathlib.Path):
    """(letters, powers) of every word without digits."""
    for file in sorted(folder.glob("*.wav")):
        rate_hz, samples = scipy.io.wavfile.read(file)
        samples = (samples / 32768).reshape(len(samples), -1)
        turns = json.loads(file.with_suffix("").with_suffix(".reference.json").read_text())["turns"]
        for turn in turns:
            begin_ms, end_ms = max(0, turn["begin_ms"] - 100), turn["end_ms"] + 100
            part = samples[begin_ms * rate_hz // 1000 : end_ms * rate_hz // 1000, turn["channel"]]
            sentence = powers(resample_poly(part, 16_000, rate_hz))
            for word in turn["words"]:
                if re.search(r"[^A-Za-z.,?!'-]", word["text"]):
                    continue
                at = slice((word["begin_ms"] - begin_ms) // STEP_MS, (word["end_ms"] - begin_ms) // STEP_MS)
                letters = spelled(word["text"])
                if letters and len(sentence[at]) >= len(letters):
                    yield letters, sentence[at]


def aligned(letters: list[int], sound: np.ndarray, means, variances, steps) -> list[int]:
    """Where each letter begins and the last ends, by Viterbi alignment."""
    letters = np.array(letters)
    heard = -0.5 * (((tilts(sound)[:, None] - tilts(means[letters])) ** 2) / variances + np.log(variances)).sum(2)
    stay, leave = np.log(1 - 1 / steps[letters]), np.log(1 / steps[letters])
    best, came = np.full(len(letters), -np.inf), []
    best[0] = heard[0, 0]
    for row in heard[1:]:
        stays, comes = best + stay, np.concatenate([[-np.inf], best[:-1] + leave[:-1]])
        came.append(comes > stays)
        best = np.maximum(stays, comes) + row
    at, bounds = len(letters) - 1, [len(sound)]
    for step in range(len(sound) - 1, 0, -1):
        if came[step - 1][at]:
            bounds.append(step)
            at -= 1
    return [0, *bounds[::-1]]


def fit(said: list[tuple[list[int], np.ndarray]]):
    means, variances, steps = np.zeros((len(LETTERS), BANDS)), np.ones(BANDS), np.full(len(LETTERS), 7.0)
    for round_ in range(ROUNDS):
        sounds, lengths = [[] for _ in LETTERS], [[] for _ in LETTERS]
        for letters, sound in said:
            evenly = np.linspace(0, len(sound), len(letters) + 1).astype(int)
            bounds = aligned(letters, sound, means, variances, steps) if round_ else evenly
            for letter, begin, end in zip(letters, bounds, bounds[1:]):
                sounds[letter].append(sound[begin:end])
                lengths[letter].append(end - begin)
        heard = [letter for letter in range(len(LETTERS)) if sounds[letter]]
        for letter in heard:
            means[letter] = np.concatenate(sounds[letter]).mean(0)
            steps[letter] = max(1.5, np.mean(lengths[letter]))
        spread = [tilts(np.concatenate(sounds[letter])).var(0) for letter in heard]
        variances = np.mean(spread, 0) + MEASURED_VARIANCE
    return means, variances - MEASURED_VARIANCE, steps


def main():
    folders = [pathlib.Path(name) for name in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    means, variances, steps = fit([word for folder in folders for word in words(folder)])
    for letter, mean, length in zip(LETTERS, means, steps):
        values = ", ".join(f"{value:.1f}" for value in mean)
        print(f'    sound("{letter}", [{values}], {length * STEP_MS:.0f}.0),')
    print("variances:", ", ".join(f"{value:.1f}" for value in variances))


if __name__ == "__main__":
    main()
