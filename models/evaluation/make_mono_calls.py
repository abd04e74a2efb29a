#!/usr/bin/env python3
"""Makes two-voice calls mixed to one channel, for telling two speakers apart (`callmark eval speakers`).

  make_mono_calls.py --out DIR [--tune 60] [--held-out 320] [--single 40] [--seed 6] [--stereo] [--build DIR]

DIR/tune and DIR/held-out hold NAME.wav (8 kHz, mono, through µ-law) and NAME.reference.json as make_speech_sets.py writes them:
turns with role, voice and the synthesiser's own word times. No voice of `held-out` is in `tune` (festival's two
are other synthesisers' voices of the people of flite's kal16 and slt): thresholds are chosen on `tune` only. DIR/single-tune and DIR/single-held-out hold one voice alone, which must not be split in two. Sides differ in voice, tempo, pitch, level
(−30 … −18 dBFS each) and noise (SNR 15 … 35 dB); every other call is dense, with short gaps and talk at once.
With --stereo the calls with two voices come also as DIR/…-stereo, a channel for each side, the rep's the second one in half of them
(role_accuracy.py). Needs what make_speech_sets.py needs."""

import argparse
import pathlib
import random

import numpy as np

from make_speech_sets import COURSE, RATE, Track, channel, line, report, save
from grammar import Grammar, written
from voices import Speaker, random_speaker, speak

TUNE = dict(
    espeak="m1 m3 m5 m8 f1 f3 klatt Andrea Gene Michael adam belinda edward steph Alex Denis Hugo boris quincy".split(),
    flite=["slt", "kal16"],
)
HELD_OUT = dict(
    espeak="m2 m4 m6 m7 f2 f4 f5 klatt3 Lee Mike david john Annie benjamin linda travis anika Alicia Henrique".split(),
    flite=["rms", "awb"],
    festival=["kal_diphone", "cmu_us_slt_arctic_hts"],
)
ACCENTS = ["en-us"] * 3 + ["en", "en-gb-x-rp"]
SECTIONS = [part.strip() for part in COURSE.split("|")]


def pick(rng: random.Random, voices: dict, engine: str) -> Speaker:
    return random_speaker(rng, engine, voices=voices[engine], accents=ACCENTS)


def make_call(speakers: dict[str, Speaker], grammar: Grammar, rng: random.Random, dense: bool, build, alone: bool):
    tracks = {"rep": Track(), "customer": Track()}
    # What each side says is spoken at once: synthesisers start slowly.
    turns = []
    for section in SECTIONS:
        role = "rep" if section.startswith("A") else "customer"
        count = 1 if section.endswith("back") else rng.choice([1, 1, 2, 2])
        sentences = [s for s in (grammar.draw(f"call {section}") for _ in range(count)) if s and len(s) > 0]
        if sentences and not (alone and role == "customer"):
            turns.append((role, sentences))
    spoken_by: dict[tuple[str, str], list] = {}
    for role in tracks:
        jobs = [(s, speakers[role]) for r, sentences in turns if r == role for s in sentences]
        for speech in speak(jobs, build):
            spoken_by.setdefault((role, written(speech.sentence)), []).append(speech)
    now_s, limit_s = rng.uniform(0.5, 1.5), rng.uniform(45, 95)
    for role, sentences in turns:
        for sentence in sentences:
            waiting = spoken_by.get((role, written(sentence)))
            if not waiting:
                continue
            end_s = tracks[role].add(waiting.pop(0), now_s, role, 0)
            now_s = end_s + (rng.uniform(0.05, 0.3) if dense else rng.uniform(0.2, 1.4))
        own = tracks[role].turns and tracks[role].turns[-1]
        if own and not alone and rng.random() < (0.35 if dense else 0.12):  # the other one comes in early
            now_s = max(own["begin_ms"] / 1000 + 0.3, own["end_ms"] / 1000 - rng.uniform(0.2, 1.0))
        if now_s >= limit_s:
            break
    return tracks, max(track.end_s for track in tracks.values()) + 0.6


def make_set(folder: pathlib.Path, voices: dict, count: int, seed: int, build: pathlib.Path, alone: bool, stereo: bool):
    engines = ["espeak", "flite", "espeak"] + (["espeak", "festival"] if "festival" in voices else [])
    for index in range(count):
        # Each call hangs on its own numbers: more calls do not change the first ones.
        rng, generator = random.Random(f"{seed}-{folder.name}-{index}"), np.random.default_rng([seed, index, alone])
        rep = pick(rng, voices, engines[index % len(engines)])
        customer = rep
        while customer.voice.split("+")[-1] == rep.voice.split("+")[-1] or {"kal16", "kal_diphone"} == {
            customer.voice,
            rep.voice,
        }:
            customer = pick(rng, voices, rng.choice(engines))
        dense = index % 2 == 1
        tracks, length_s = make_call(
            dict(rep=rep, customer=customer), Grammar(rng), rng, dense, build.absolute(), alone
        )
        sides = [
            line(track.clean(length_s), generator, generator.uniform(15, 35), generator.uniform(-30, -18))
            for track in tracks.values()
            if track.parts
        ]
        turns = [turn for track in tracks.values() for turn in track.turns]
        name = f"{index:03}-{'dense' if dense else 'half'}"
        save(folder, name, [channel.mulaw(np.clip(sum(sides), -1, 1))], turns)
        if stereo and len(sides) == 2:
            # Of numbers of its own: the option changes nothing in the mono calls.
            rep_first = random.Random(f"{seed}-{name}").random() < 0.5
            for turn in turns:
                turn["channel"] = int((turn["role"] == "rep") != rep_first)
            apart = [channel.mulaw(np.clip(side, -1, 1)) for side in (sides if rep_first else sides[::-1])]
            save(folder.with_name(f"{folder.name}-stereo"), name, apart, turns)
    report(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--tune", type=int, default=60)
    parser.add_argument("--held-out", type=int, default=320)
    parser.add_argument("--single", type=int, default=40)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--stereo", action="store_true", help="the calls also with a channel for each side")
    parser.add_argument("--build", type=pathlib.Path, help="folder for the flite program (default: OUT/.build)")
    options = parser.parse_args()
    build = options.build or options.out / ".build"
    for name, voices, count, alone in [
        ("tune", TUNE, options.tune, False),
        ("single-tune", TUNE, options.single, True),
        ("single-held-out", HELD_OUT, options.single, True),
        ("held-out", HELD_OUT, options.held_out, False),
    ]:
        if count:
            make_set(options.out / name, voices, count, options.seed, build, alone, options.stereo)


if __name__ == "__main__":
    main()
