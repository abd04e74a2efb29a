"""Random stretches of two people's talk with known overlap, as a telephone recording with one channel has them."""

import pathlib
import subprocess
import sys

import numpy as np
import scipy.io.wavfile
from scipy.signal import resample_poly

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "starter"))  # behind this folder: both have a network.py

from channel import CODECS, active_level, frame_levels, line_noise, mulaw, through_codec  # noqa: E402
from network import HOP, HOP_S, TELEPHONE_RATE  # noqa: E402

SECONDS = 4.0
FRAMES = int(SECONDS / HOP_S)
# Recordings in which more than one person speaks, and those that are measured on.
NOT_ALONE = ("katiesteve_mono", "call-center_sample", "stereo_diarization", "samples-multi", "two_channel_16k", "hotwords", "chan3_2chan")


def read_speakers(corpus: pathlib.Path, readers: pathlib.Path | None, names: list[str]) -> dict[str, list[np.ndarray]]:
    """Utterances at 8 kHz by speaker: the folders of models/training/speakers/corpus.py, and LibriSpeech's readers."""
    speakers: dict[str, list[np.ndarray]] = {}
    for folder in sorted(p for p in corpus.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if any(name in folder.name for name in NOT_ALONE):
            continue
        for file in sorted(folder.glob("*.wav")):
            add(speakers, folder.name, resample_poly(scipy.io.wavfile.read(file)[1] / 32768, 1, 2))
    for file in sorted(readers.rglob("*.flac")) if readers else []:
        reader = file.stem.split("-")[0]
        if reader in names:
            command = ["ffmpeg", "-v", "error", "-i", file, "-ar", "8000", "-ac", "1", "-f", "s16le", "-"]
            sound = subprocess.run(command, check=True, capture_output=True).stdout
            add(speakers, f"reader-{reader}", np.frombuffer(sound, np.int16) / 32768)
    return {name: own for name, own in speakers.items() if own}


def add(speakers: dict, name: str, wave: np.ndarray):
    """Without silence at its ends, at a level of 0.1, if there is a second of it."""
    wave = wave.astype(np.float32)
    if len(wave) < TELEPHONE_RATE // 2:
        return
    loud = np.flatnonzero(speaking(wave))
    if len(loud) * HOP_S > 0.5:
        wave = wave[loud[0] * HOP : (loud[-1] + 1) * HOP]
        speakers.setdefault(name, []).append(wave / active_level(wave, TELEPHONE_RATE) * 0.1)


def speaking(clean: np.ndarray) -> np.ndarray:
    """Per 20 ms: within 30 dB of the loudest; pauses up to 0.2 s count."""
    levels = frame_levels(clean, TELEPHONE_RATE, HOP_S)
    loud = levels > max(levels.max() * 10**-1.5, 2e-5)
    at = np.flatnonzero(loud)
    for before, after in zip(at, at[1:]):
        if after - before <= 0.2 / HOP_S:
            loud[before:after] = True
    return loud


def piece(own: list[np.ndarray], seconds: float, rng: np.random.Generator) -> np.ndarray:
    """So much of an utterance: from its beginning, to its end, or from within."""
    wave, count = own[rng.integers(len(own))], int(seconds * TELEPHONE_RATE)
    begin = [0, max(0, len(wave) - count), int(rng.integers(max(1, len(wave) - count)))][rng.integers(3)]
    out = wave[begin : begin + count].copy()
    fade = min(80, len(out))
    out[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    out[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return out


def coloured(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One end of the line: tilt, resonances, band."""
    spectrum = np.fft.rfft(wave)
    hertz = np.linspace(0, TELEPHONE_RATE / 2, len(spectrum))
    gain_db = rng.uniform(-3, 3) * np.log2(np.maximum(hertz, 60) / 1000)
    for _ in range(2):
        gain_db = gain_db + rng.uniform(-5, 5) * np.exp(-0.5 * ((hertz - rng.uniform(200, 3800)) / rng.uniform(100, 700)) ** 2)
    low, high = rng.uniform(60, 320), rng.uniform(3200, 3900)
    gain_db = gain_db - 40 * np.clip((low - hertz) / low, 0, 1) - 90 * np.clip((hertz - high) / 150, 0, 1)
    if rng.random() < 0.1:
        length = int(TELEPHONE_RATE * rng.uniform(0.05, 0.25))
        echo = rng.standard_normal(length) * np.exp(-6 * np.arange(length) / length) * rng.uniform(0.02, 0.12)
        spectrum = spectrum * (1 + np.fft.rfft(echo, len(wave)))
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(wave)).astype(np.float32)


def talk(own: list[list[np.ndarray]], rng: np.random.Generator) -> np.ndarray:
    """(2, samples), clean: turns with gaps or overlaps, back-channels and laughs of 0.25 … 0.8 s into the other's turn."""
    sides = np.zeros((2, int(SECONDS * TELEPHONE_RATE)), np.float32)
    alone = rng.random() < 0.15
    side, now = int(rng.integers(2)), -rng.uniform(0, 2.5)

    def put(side: int, begin_s: float, wave: np.ndarray):
        begin = int(begin_s * TELEPHONE_RATE)
        wave = wave[max(0, -begin) :] if begin < 0 else wave
        begin = max(0, begin)
        wave = wave[: max(0, sides.shape[1] - begin)]
        sides[side, begin : begin + len(wave)] += wave

    while now < SECONDS:
        wave = piece(own[side], rng.uniform(0.3, 0.8) if rng.random() < 0.15 else rng.uniform(0.8, 4.0), rng)
        seconds = len(wave) / TELEPHONE_RATE
        put(side, now, wave)
        if not alone and seconds > 1 and rng.random() < 0.35:
            put(1 - side, now + rng.uniform(0.1, seconds - 0.5), piece(own[1 - side], rng.uniform(0.25, 0.8), rng))
        now += seconds
        if not alone and rng.random() < 0.65:
            side = 1 - side
            if rng.random() < 0.45:
                now -= min(rng.uniform(0.15, 1.2), 0.8 * seconds)
                continue
        now += rng.uniform(0.03, 0.9) if rng.random() < 0.6 else rng.uniform(0.0, 0.15)
    return sides


def mixture(first: list[np.ndarray], second: list[np.ndarray], rng: np.random.Generator):
    """→ samples at 8 kHz (SECONDS) and, per 20 ms, who speaks (2, FRAMES)."""
    sides = talk([first, second], rng)
    active = np.stack([speaking(side) for side in sides])
    heard = coloured(sides[0], rng) + coloured(sides[1], rng) * 10 ** (rng.uniform(-10, 10) / 20)
    heard = heard / max(1e-4, np.abs(heard).max()) * 10 ** (rng.uniform(-25, -1) / 20)
    if rng.random() < 0.8:
        heard = heard + line_noise(rng, len(heard)) * np.sqrt((heard**2).mean()) * 10 ** (-rng.uniform(8, 40) / 20)
    if rng.random() < 0.7:
        heard = mulaw(np.clip(heard, -1, 1))
    return heard.astype(np.float32), active


def batch(speakers: list[list[np.ndarray]], groups: list[list[int]], count: int, rng: np.random.Generator):
    """→ (count, samples), (count, FRAMES): 1 where both speak, 0 where not, −1 at edges. Every fourth batch goes through a codec."""
    sounds, labels = [], []
    for _ in range(count):
        group = groups[rng.integers(len(groups))]
        a, b = rng.choice(group, 2, replace=False)
        sound, active = mixture(speakers[a], speakers[b], rng)
        both = active.all(0)
        label = both.astype(np.int8)
        label[1:][both[1:] != both[:-1]] = -1
        label[:-1][both[1:] != both[:-1]] = -1
        sounds.append(sound)
        labels.append(label)
    sounds = np.stack(sounds)
    if rng.random() < 0.25:
        sounds = through_codec(sounds.ravel(), TELEPHONE_RATE, sorted(CODECS)[rng.integers(len(CODECS))]).reshape(sounds.shape)
    return sounds, np.stack(labels)
