"""Sounds on a telephone line in which nobody speaks: noise, tones, keys, fax, music."""

import numpy as np

from channel import TELEPHONE_RATE as RATE


def clock(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * RATE)) / RATE


def at_level(sound: np.ndarray, dbfs: float) -> np.ndarray:
    return sound * 10 ** (dbfs / 20) / np.sqrt((sound**2).mean() + 1e-12)


def noise(generator: np.random.Generator, length_s: float, slope: float) -> np.ndarray:
    """White (0), pink (0.5), brown (1)."""
    count = round(length_s * RATE)
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20)
    return np.fft.irfft(np.fft.rfft(generator.standard_normal(count)) * hertz**-slope, count)


def hum(length_s: float, hertz: float) -> np.ndarray:
    time_s = clock(length_s)
    return sum(np.sin(2 * np.pi * hertz * k * time_s) / k for k in range(1, 8, 2))


def tones(time_s: np.ndarray, hertz: list[float], on: np.ndarray | bool = True) -> np.ndarray:
    return sum(np.sin(2 * np.pi * value * time_s) for value in hertz) / len(hertz) * on * 0.3


def clicks(generator: np.random.Generator, length_s: float, share: float) -> np.ndarray:
    count = round(length_s * RATE)
    return (generator.random(count) < share) * generator.uniform(-0.8, 0.8, count)


def key_tones(generator: np.random.Generator, length_s: float) -> np.ndarray:
    time_s = clock(length_s)
    sound = np.zeros(len(time_s))
    for at in np.arange(0.5, length_s - 1, 0.35):
        if generator.random() < 0.6:
            pair = [generator.choice([697, 770, 852, 941]), generator.choice([1209, 1336, 1477, 1633])]
            sound += tones(time_s, pair, (time_s >= at) & (time_s < at + 0.12))
    return sound


def fax(generator: np.random.Generator, length_s: float) -> np.ndarray:
    """Calling tone, answer tone, frequency-shift keying at 300 bits a second, then a keyed carrier."""
    time_s = clock(length_s)
    count = len(time_s)
    first, second, third = np.array([8, 12, 25]) * min(1.0, length_s / 60)
    calling = tones(time_s, [1100], (time_s % 3.5) < 0.5) * (time_s < first)
    answer = tones(time_s, [2100]) * ((time_s >= first) & (time_s < second))
    bits = generator.integers(0, 2, count // (RATE // 300) + 1).repeat(RATE // 300)[:count]
    keyed = np.sin(2 * np.pi * np.cumsum(np.where(bits, 1650, 1850)) / RATE) * 0.3
    phases = generator.integers(0, 4, count // 3 + 1).repeat(3)[:count] * np.pi / 2
    carrier = np.sin(2 * np.pi * 1800 * time_s + phases) * 0.3
    return calling + answer + keyed * ((time_s >= second) & (time_s < third)) + carrier * (time_s >= third)


def hold_music(generator: np.random.Generator, length_s: float, instrument: str) -> np.ndarray:
    """Chords and a melody on a random scale; `bells` die away, `organ` does not, `strings` tremble."""
    sound, at_s = np.zeros(round(length_s * RATE), np.float32), 0.0
    beat_s, root_hertz = generator.uniform(0.25, 0.6), generator.uniform(130, 260)
    scale = [0, 2, 4, 7, 9, 12, 14, 16]
    while at_s < length_s - 2.5:
        notes = [generator.choice(scale) + 12] + ([0, 4, 7] if generator.random() < 0.4 else [])
        duration_s = beat_s * generator.choice([1, 1, 2]) * 1.5
        time_s = clock(duration_s)
        envelope = np.exp(-time_s * (4 if instrument == "bells" else 0.4)) * np.minimum(1, time_s * 60)
        envelope *= np.clip((duration_s - time_s) * 30, 0, 1)
        vibrato_s = 0.0008 * np.sin(2 * np.pi * 5 * time_s) if instrument == "strings" else 0.0
        start = round(at_s * RATE)
        for note in notes:
            hertz = root_hertz * 2 ** (note / 12)
            for harmonic in range(1, 4 if instrument == "bells" else 6):
                wave = 0.12 * envelope * np.sin(2 * np.pi * hertz * harmonic * (time_s + vibrato_s)) / harmonic**1.3
                sound[start : start + len(wave)] += wave[: len(sound) - start]
        at_s += beat_s * generator.choice([1, 1, 2])
    return sound


def random_sound(generator: np.random.Generator, length_s: float) -> np.ndarray:
    """Any of them, with random settings and level."""
    time_s = clock(length_s)
    kind = generator.choice(
        ["noise", "noise", "noise", "hum", "cadence", "cadence", "keys", "fax", "clicks", "music", "music"]
    )
    if kind == "noise":
        sound = noise(generator, length_s, generator.uniform(0, 1.1))
    elif kind == "hum":
        sound = hum(length_s, generator.choice([50, 60, 100, 120]))
    elif kind == "cadence":
        period_s, on_share = generator.uniform(0.3, 6), generator.uniform(0.1, 1)
        hertz = list(generator.uniform(300, 1500, generator.integers(1, 4)))
        sound = tones(time_s, hertz, (time_s % period_s) < period_s * on_share)
    elif kind == "keys":
        sound = key_tones(generator, length_s)
    elif kind == "fax":
        sound = fax(generator, length_s)
    elif kind == "clicks":
        sound = clicks(generator, length_s, generator.uniform(0.0001, 0.002))
    else:
        sound = hold_music(generator, length_s, generator.choice(["bells", "organ", "strings"]))
    sound = at_level(sound, generator.uniform(-45, -15))
    if generator.random() < 0.6:
        sound = sound + at_level(noise(generator, length_s, generator.uniform(0, 0.7)), generator.uniform(-65, -40))
    return np.clip(sound, -1, 1).astype(np.float32)
