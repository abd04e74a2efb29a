#!/usr/bin/env python3
"""Utterances by speaker for training the speaker encoder: FOLDER/SPEAKER/NNN.wav, 16 kHz, clean.

  corpus.py --out FOLDER [--speakers 300] [--people ../shared/data/audio] [--build DIR] [--seed 8]

Synthetic speakers are the voices of `tune` in models/evaluation/make_mono_calls.py with random accent, tempo, pitch and liveliness, never one of its
`held-out`. People: recordings of one speaker each in the folders below (licences: that folder's README). What models/evaluation measures
on people (calls, meetings) is not among them. Needs models/training/starter/requirements.txt and espeak-ng, flite."""

import argparse
import pathlib
import random
import sys

import numpy as np
import scipy.io.wavfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "starter"), str(HERE.parents[1] / "evaluation")]

from grammar import Grammar  # noqa: E402
from make_mono_calls import ACCENTS, TUNE  # noqa: E402
from people import NOT_SPEECH, channels  # noqa: E402
from voices import random_speaker, speak  # noqa: E402

RATE = 16_000
UTTERANCES = 6
PEOPLE = "azure_speech_samples google_speech_samples ibm_watson_samples speechbrain wenet funasr pocketsphinx uberi openai_whisper faster_whisper".split()
PIECE_S = 6.0


def synthetic(out: pathlib.Path, count: int, seed: int, build: pathlib.Path):
    for index in range(count):
        folder = out / f"synthetic-{index:03}"
        if (folder / "done").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(f"{seed}-{index}")
        engine = "flite" if index % 5 == 4 else "espeak"
        speaker = random_speaker(rng, engine, voices=TUNE[engine], accents=ACCENTS)
        grammar, jobs = Grammar(rng), []
        while len(jobs) < UTTERANCES:
            sentence = grammar.draw(rng.choice(sorted(grammar.templates)))
            if sentence:
                jobs.append((sentence, speaker))
        for number, speech in enumerate(speak(jobs, build)):
            write(folder / f"{number:03}.wav", speech.wave)
        (folder / "done").touch()


def people(out: pathlib.Path, source: pathlib.Path):
    size = int(PIECE_S * RATE)
    for name in PEOPLE:
        for file in sorted((source / name).rglob("*")):
            if file.suffix not in (".wav", ".mp3", ".flac") or file.name.startswith(NOT_SPEECH):
                continue
            for side, wave in enumerate(channels(file)):
                folder = out / f"people-{name}-{file.stem}-{side}"
                folder.mkdir(parents=True, exist_ok=True)
                for number, begin in enumerate(range(0, max(1, len(wave) - size // 2), size)):
                    write(folder / f"{number:03}.wav", wave[begin : begin + size] / 32768)


def write(path: pathlib.Path, wave: np.ndarray):
    wave = np.asarray(wave, np.float32)
    scipy.io.wavfile.write(path, RATE, np.round(np.clip(wave, -1, 1) * 32767).astype(np.int16))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--speakers", type=int, default=300)
    parser.add_argument("--people", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    synthetic(options.out, options.speakers, options.seed, (options.build or options.out / ".build").absolute())
    if options.people:
        people(options.out, options.people)


if __name__ == "__main__":
    main()
