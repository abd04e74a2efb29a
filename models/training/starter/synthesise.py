"""Sentences → shards of cached speech (W/shards), ready to train on.

  synthesise.py --work-dir W [--part 0/1] [--engines espeak:3,flite:2,festival:1] [--codec-share .35]

A shard is three files: NAME.mel.npy (uint8, 100 frames a second × 80 mel bands, 0.05 log10 units from −10), NAME.lab.npy
(uint8 phone labels, 50 a second) and NAME.pkl (off, n, words with times, voice, text of every utterance). Shards that exist
are skipped. One more shard holds half an hour of sounds in which nobody speaks."""

import argparse
import collections
import json
import math
import os
import pathlib
import pickle
import random

import numpy as np
import torch

import sounds
from channel import CODECS, TELEPHONE_RATE, mulaw, random_telephone, through_codec
from grammar import SaidWord, written
from held_out import is_held_out_sentence
from network import load_mel_filters, mel_power
from scipy.signal import resample_poly
from voices import SAMPLE_RATE, Speech, random_speaker, speak

FRAMES_PER_SECOND, POSITIONS_PER_SECOND = 100, 50
SILENCE_SHARD = "silence"
SILENCES, SILENCE_S = 90, 20.0


def mel_bytes(wave: np.ndarray, filters: torch.Tensor) -> np.ndarray:
    power = mel_power(torch.from_numpy(np.ascontiguousarray(wave, np.float32)), filters).clamp(min=1e-10).log10()
    return ((power.T + 10) / 0.05).round().clamp(0, 255).to(torch.uint8).numpy()


def phone_key(speech: Speech, phone: str) -> str:
    """espeak-ng's phones and the others' are separate label sets."""
    if speech.speaker.engine != "espeak":
        return f"R:{phone}"
    is_pause = phone.startswith("_") or phone in ("", ";", "\u0294", "||")
    return "E:" + ("_" if is_pause else phone.strip("-"))


class Shard:
    """Speeches are trimmed, changed in speed, sent through a channel and, some together, through a codec."""

    def __init__(self, path: pathlib.Path, labels: list[str], filters: torch.Tensor, seed: str, codec_share: float):
        self.path, self.filters, self.codec_share = path, filters, codec_share
        self.label_of = {label: index for index, label in enumerate(labels)}
        self.random, self.generator = random.Random(seed), np.random.default_rng(random.Random(seed).getrandbits(32))
        self.waves: list[np.ndarray] = []
        self.items: list[dict] = []
        self.labels: list[np.ndarray] = []

    def add(self, speech: Speech):
        speed = float(np.clip(self.generator.normal(1, 0.06), 0.86, 1.16))
        count = int(len(speech.wave) / speed)
        if count < SAMPLE_RATE // 5:
            return
        wave = np.interp(np.arange(count) * speed, np.arange(len(speech.wave)), speech.wave).astype(np.float32)
        # At most 0.08 s of silence stays in front of the first word, and 0.12 s behind the last.
        begin_s = max(0, int((speech.words[0][1] / speed - 0.08) * POSITIONS_PER_SECOND)) / POSITIONS_PER_SECOND
        end_s = min(count / SAMPLE_RATE, speech.words[-1][2] / speed + 0.12)
        positions = int((end_s - begin_s) * POSITIONS_PER_SECOND)
        start = int(begin_s * SAMPLE_RATE)
        wave = wave[start : start + positions * SAMPLE_RATE // POSITIONS_PER_SECOND]
        wave = wave * (0.1 / (np.sqrt((wave**2).mean()) + 1e-6))
        silence = self.label_of["E:_" if speech.speaker.engine == "espeak" else "R:pau"]
        labels = np.full(positions, silence, np.uint8)
        for phone, phone_begin, phone_end in speech.phones:
            first, last = (
                min(max(math.ceil((at / speed - begin_s - 0.005) * POSITIONS_PER_SECOND), 0), positions)
                for at in (phone_begin, phone_end)
            )
            labels[first:last] = self.label_of.get(phone_key(speech, phone), 255)
        words = [(word, round(b / speed - begin_s, 3), round(e / speed - begin_s, 3)) for word, b, e in speech.words]
        self.waves.append(random_telephone(wave, self.generator))
        self.labels.append(labels)
        self.items.append(dict(words=words, voice=speech.speaker.name, text=speech.text))

    def _apply_codecs(self, at_once: int = 40):
        """Codecs are started once for many utterances, with 0.1 s between them."""
        order = list(range(len(self.waves)))
        self.random.shuffle(order)
        order = order[: int(len(order) * self.codec_share)]
        gap = np.zeros(SAMPLE_RATE // 10, np.float32)
        for first in range(0, len(order), at_once):
            chosen = order[first : first + at_once]
            joined = np.concatenate([part for index in chosen for part in (self.waves[index], gap)])
            coded, at = through_codec(joined, SAMPLE_RATE, self.random.choice(list(CODECS))), 0
            for index in chosen:
                self.waves[index] = coded[at : at + len(self.waves[index])]
                at += len(self.waves[index]) + len(gap)

    def close(self):
        if not self.items:
            return
        self._apply_codecs()
        mels, at = [], 0
        for item, wave, labels in zip(self.items, self.waves, self.labels):
            mel = mel_bytes(wave, self.filters)[: 2 * len(labels)]
            mel = np.pad(mel, ((0, 2 * len(labels) - len(mel)), (0, 0)), mode="edge")
            item |= dict(off=at, n=len(mel))
            at += len(mel)
            mels.append(mel)
        write_shard(self.path, np.concatenate(mels), np.concatenate(self.labels), self.items)
        print(f"{self.path.name}: {len(self.items)} utterances, {at / FRAMES_PER_SECOND / 3600:.2f} h", flush=True)


def write_shard(path: pathlib.Path, mel: np.ndarray, labels: np.ndarray, items: list[dict]):
    """The list comes last, by renaming: a shard is complete when it is there."""
    np.save(path.with_name(path.name + ".mel.npy"), mel)
    np.save(path.with_name(path.name + ".lab.npy"), labels)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(pickle.dumps(items))
    os.replace(temporary, path.with_name(path.name + ".pkl"))


def make_silences(path: pathlib.Path, filters: torch.Tensor, seed: int = 7):
    generator = np.random.default_rng(seed)
    mels, items, at = [], [], 0
    for _ in range(SILENCES):
        sound = sounds.random_sound(generator, SILENCE_S)
        change = generator.random()
        if change < 0.5:
            sound = mulaw(sound)
        elif change < 0.8:
            sound = through_codec(sound, TELEPHONE_RATE, generator.choice(list(CODECS)))
        mel = mel_bytes(resample_poly(sound, 2, 1), filters)
        items.append(dict(off=at, n=len(mel), words=[], voice=f"{SILENCE_SHARD}:", text=""))
        at += len(mel)
        mels.append(mel)
    write_shard(path, np.concatenate(mels), np.full(at // 2, 255, np.uint8), items)
    print(f"{path.name}: {len(items)} sounds, {at / FRAMES_PER_SECOND / 3600:.2f} h", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", required=True, type=pathlib.Path)
    parser.add_argument(
        "--part", default="0/1", help="this process's share of the shards: 0/2 and 1/2 for two processes"
    )
    parser.add_argument("--sentences-per-shard", type=int, default=600)
    parser.add_argument("--limit", type=int, help="use the first sentences only")
    parser.add_argument("--engines", default="espeak:3,flite:2,festival:1", help="share of the shards per engine")
    parser.add_argument("--codec-share", type=float, default=0.35)
    options = parser.parse_args()
    torch.set_num_threads(1)
    work, folder = options.work_dir, options.work_dir / "shards"
    folder.mkdir(exist_ok=True)
    filters = load_mel_filters(work / "assets")
    inventory = json.loads((work / "inventory.json").read_text())
    labels = inventory["R"] + inventory["E"]
    lines = (work / "text.jsonl").read_text().splitlines()[: options.limit]
    sentences = [[SaidWord(*word) for word in json.loads(line)["c"]] for line in lines]
    if any(is_held_out_sentence(written(sentence)) for sentence in sentences):
        raise SystemExit(f"{work}/text.jsonl has held-out sentences; hint: make it again with corpus.py")
    shares = collections.Counter(
        {name: int(share) for name, share in (p.split(":") for p in options.engines.split(","))}
    )
    engines = list(shares.elements())
    random.Random(3).shuffle(engines)
    part, parts = map(int, options.part.split("/"))
    if part == 0 and not (folder / f"{SILENCE_SHARD}.pkl").exists():
        make_silences(folder / SILENCE_SHARD, filters)
    size = options.sentences_per_shard
    for number, first in enumerate(range(0, len(sentences), size)):
        engine = engines[number % len(engines)]
        path = folder / f"new-{number:04}-{engine}"
        if number % parts != part or path.with_name(path.name + ".pkl").exists():
            continue
        rng = random.Random(f"{number}-{engine}")
        jobs = [(sentence, random_speaker(rng, engine)) for sentence in sentences[first : first + size]]
        shard = Shard(path, labels, filters, path.name, options.codec_share)
        for speech in speak(jobs, work / "build"):
            shard.add(speech)
        shard.close()


if __name__ == "__main__":
    main()
