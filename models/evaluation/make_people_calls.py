#!/usr/bin/env python3
"""Makes two-voice calls of people's read speech, mixed to one channel, for telling two speakers apart (`callmark eval speakers`).

  make_people_calls.py --speech FOLDER --out DIR [--readers NAME ...] [--count 120] [--single 60] [--seed 6]

FOLDER is searched for LibriSpeech's files (SPEAKER-CHAPTER-UTTERANCE.flac; www.openslr.org/12, CC BY 4.0; Resemblyzer's repository holds 354 of them).
Utterances are cut at pauses into phrases, two readers take turns, and both go through the telephone line of make_mono_calls.py: levels −30 … −18 dBFS, SNR 15 … 35 dB,
µ-law, every other call dense. Two thirds of the pairs are of one sex where SPEAKERS.TXT lies in FOLDER or above. DIR/two and DIR/single hold NAME.wav
(8 kHz, mono) and NAME.reference.json. Who speaks when is where the clean reader is loud. No words: they are not needed here.
Needs numpy, scipy and ffmpeg."""

import argparse
import pathlib
import random
import re

import numpy as np
from scipy.signal import resample_poly

from make_speech_sets import RATE, channel, line, save
from people import channels

FRAME_S = 0.02
PAUSE_S = 0.3
LONGEST_PHRASE_S = 6.0


def phrases(wave: np.ndarray) -> list[np.ndarray]:
    """Stretches between pauses, at 8 kHz."""
    frame = int(RATE * FRAME_S)
    levels = channel.frame_levels(wave, RATE, FRAME_S)
    loud = np.flatnonzero(levels > levels.max() * 10**-1.5)
    out, begin, last = [], None, None
    for index in [*loud, None]:
        if begin is not None and (index is None or index - last > PAUSE_S / FRAME_S or (last - begin) * FRAME_S > LONGEST_PHRASE_S):
            if last - begin > 0.4 / FRAME_S:
                out.append(wave[begin * frame : (last + 1) * frame])
            begin = None
        if begin is None:
            begin = index
        last = index
    return out


def sexes(folder: pathlib.Path) -> dict[str, str]:
    for place in [folder, *folder.parents[:2]]:
        for file in [*place.glob("SPEAKERS.TXT"), *place.glob("*/SPEAKERS.TXT")]:
            return dict(re.findall(r"^(\d+)\s*\|\s*([MF])", file.read_text(errors="replace"), re.M))
    return {}


def make(folder: pathlib.Path, name: str, readers: list[list[np.ndarray]], rng: random.Random, generator, dense: bool):
    waiting = [rng.sample(own, len(own)) for own in readers]
    sides, turns, now_s, limit_s = [[], []], [], rng.uniform(0.5, 1.5), rng.uniform(45, 95)
    while now_s < limit_s and all(waiting):
        for side, own in enumerate(waiting):
            for _ in range(min(len(own), rng.choice([1, 1, 2]))):
                wave = own.pop()
                begin = int(now_s * RATE)
                sides[side].append((begin, wave / channel.active_level(wave, RATE) * 0.1))
                end_s = now_s + len(wave) / RATE
                turns.append(dict(role=["rep", "customer"][side], channel=0, voice=f"reader {side}", text="", words=[], begin_ms=round(now_s * 1000), end_ms=round(end_s * 1000)))
                now_s = end_s + (rng.uniform(0.05, 0.3) if dense else rng.uniform(0.2, 1.0))
            if len(readers) == 2 and rng.random() < (0.35 if dense else 0.12):  # the other one comes in early
                now_s = max(turns[-1]["begin_ms"] / 1000 + 0.3, turns[-1]["end_ms"] / 1000 - rng.uniform(0.2, 1.0))
    length = int((max(turn["end_ms"] for turn in turns) / 1000 + 0.6) * RATE)
    heard = np.zeros(length, np.float32)
    for parts in sides[: len(readers)]:
        clean = np.zeros(length, np.float32)
        for begin, wave in parts:
            clean[begin : begin + len(wave)] += wave
        heard += line(channel.telephone_band(clean, RATE), generator, generator.uniform(15, 35), generator.uniform(-30, -18))
    save(folder, name, [channel.mulaw(np.clip(heard, -1, 1))], turns)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--single", type=int, default=60)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--readers", nargs="+", help="LibriSpeech's numbers of the readers wanted (default: all)")
    options = parser.parse_args()
    readers: dict[str, list[np.ndarray]] = {}
    for file in sorted(options.speech.rglob("*.flac")):
        if options.readers and file.stem.split("-")[0] not in options.readers:
            continue
        for wave in channels(file)[:1]:
            readers.setdefault(file.stem.split("-")[0], []).extend(phrases(resample_poly(wave / 32768, 1, 2).astype(np.float32)))
    names = sorted(name for name, own in readers.items() if len(own) >= 2)
    sex = sexes(options.speech)
    print(f"{len(names)} readers, {sum(len(readers[n]) for n in names)} phrases")
    for index in range(options.count):
        rng, generator = random.Random(f"{options.seed}-two-{index}"), np.random.default_rng([options.seed, index])
        first = rng.choice(names)
        others = [name for name in names if name != first]
        alike = [name for name in others if sex.get(name) == sex.get(first)]
        second = rng.choice(alike if alike and index % 3 else others)
        dense = index % 2 == 1
        make(options.out / "two", f"{index:03}-{first}-{second}-{'dense' if dense else 'half'}", [readers[first], readers[second]], rng, generator, dense)
    for index in range(options.single):
        rng, generator = random.Random(f"{options.seed}-one-{index}"), np.random.default_rng([options.seed, index, 1])
        name = names[index % len(names)]
        make(options.out / "single", f"{index:03}-{name}", [readers[name]], rng, generator, bool(index % 2))


if __name__ == "__main__":
    main()
