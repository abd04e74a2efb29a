#!/usr/bin/env python3
"""Two-speaker diarization by Python packages that work offline, on the sets of make_mono_calls.py.

  diarization_peers.py SET [--peer mfcc|resemblyzer] [--limit N]

mfcc: 20 MFCC and their deltas of librosa, mean and deviation of 1.5 s every 0.75 s, scikit-learn's spectral clustering.
resemblyzer: the speaker embeddings that its package brings (GE2E), of the same windows, the same clustering.
Both are told where somebody speaks (by the reference) and that there are two speakers: what is counted is confusion, and what
they miss where both speak. Error rate with a collar of 0.25 s, overlap scored, on a grid of 10 ms.
Needs numpy, scipy, scikit-learn, librosa; for resemblyzer also torch and resemblyzer (its webrtcvad is not used)."""

import argparse
import json
import pathlib
import sys
import types

import librosa
import numpy as np
import scipy.io.wavfile
from scipy.signal import resample_poly
from sklearn.cluster import SpectralClustering

RATE, GRID, WINDOW_S, HOP_S, COLLAR_S = 16_000, 100, 1.5, 0.75, 0.25


def spans_of(active: np.ndarray) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(int), [0]])))
    return [(begin / GRID, end / GRID) for begin, end in zip(edges[::2], edges[1::2])]


def windows(spans):
    for begin, end in spans:
        at = begin
        while True:
            last = min(end, at + WINDOW_S)
            yield max(begin, last - WINDOW_S), last
            if last >= end:
                break
            at += HOP_S


def mfcc_vectors(wave, places):
    mfcc = librosa.feature.mfcc(y=wave, sr=RATE, n_mfcc=20, n_fft=512, hop_length=160, fmin=180, fmax=3700)[1:]
    features = np.concatenate([mfcc, librosa.feature.delta(mfcc)])
    vectors = []
    for begin, end in places:
        part = features[:, int(begin * 100) : max(int(begin * 100) + 2, int(end * 100))]
        vectors.append(np.concatenate([part.mean(1), part.std(1)]))
    vectors = np.array(vectors)
    return (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-6)


def resemblyzer_vectors(wave, places, encoder):
    return np.array([encoder.embed_utterance(wave[int(b * RATE) : max(int(b * RATE) + 8000, int(e * RATE))]) for b, e in places])


def errors(truth: np.ndarray, found: np.ndarray, scored: np.ndarray) -> tuple[float, float, float, float]:
    best = None
    for order in ([0, 1], [1, 0]):
        hypothesis = found[order]
        said, heard = truth[:, scored].sum(0), hypothesis[:, scored].sum(0)
        right = (truth[:, scored] & hypothesis[:, scored]).sum(0)
        parts = (np.maximum(said - heard, 0).sum(), np.maximum(heard - said, 0).sum(), (np.minimum(said, heard) - right).sum())
        if best is None or sum(parts) < sum(best[1:]):
            best = (said.sum(), *parts)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("--peer", choices=["mfcc", "resemblyzer"], default="mfcc")
    parser.add_argument("--limit", type=int, default=10_000)
    options = parser.parse_args()
    encoder = None
    if options.peer == "resemblyzer":
        sys.modules.setdefault("webrtcvad", types.ModuleType("webrtcvad"))
        from resemblyzer import VoiceEncoder

        encoder = VoiceEncoder("cpu", verbose=False)
    total = np.zeros(4)
    files = sorted(options.set.glob("*.reference.json"))[: options.limit]
    for file in files:
        rate, samples = scipy.io.wavfile.read(str(file).replace(".reference.json", ".wav"))
        wave = resample_poly(samples / 32768.0, RATE, rate).astype(np.float32)
        turns = json.loads(file.read_text())["turns"]
        length = len(wave) * GRID // RATE + 1
        truth, scored = np.zeros((2, length), bool), np.ones(length, bool)
        for turn in turns:
            begin, end = turn["begin_ms"] * GRID // 1000, turn["end_ms"] * GRID // 1000
            truth[0 if turn["role"] == "rep" else 1, begin:end] = True
        for speaker in truth:
            for edge in (edge for span in spans_of(speaker) for edge in span):
                scored[max(0, round((edge - COLLAR_S) * GRID)) : round((edge + COLLAR_S) * GRID)] = False
        places = list(windows(spans_of(truth.any(0))))
        vectors = resemblyzer_vectors(wave, places, encoder) if encoder else mfcc_vectors(wave, places)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        affinity = np.clip((1 + unit @ unit.T) / 2, 0, 1)
        labels = SpectralClustering(2, affinity="precomputed", random_state=0).fit_predict(affinity)
        votes = np.zeros((2, length))
        for (begin, end), label in zip(places, labels):
            votes[label, int(begin * GRID) : int(end * GRID)] += 1
        found = np.zeros((2, length), bool)
        found[votes.argmax(0), np.arange(length)] = truth.any(0)
        total += errors(truth, found, scored)
    said, missed, false_alarm, confusion = total
    print(
        f"{options.peer}: {len(files)} recordings, DER {100 * (missed + false_alarm + confusion) / said:.1f} % = "
        f"missed {100 * missed / said:.1f} + false alarm {100 * false_alarm / said:.1f} + confusion {100 * confusion / said:.1f}"
    )


if __name__ == "__main__":
    main()
