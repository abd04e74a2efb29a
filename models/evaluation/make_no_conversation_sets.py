#!/usr/bin/env python3
"""Makes labelled calls without a conversation, and short calls that are one, for `callmark eval conversation`.

  make_no_conversation_sets.py --out DIR

DIR/{tune,held-out}/KIND/: the texts of no_conversation.yaml as WebVTT (every second call of a kind and language is held out), and the tones of
`not_answered`, `busy` and `fax` as recordings of two channels (the rep's is quiet), 8 kHz. Cadences are the national ones (ITU-T E.180
supplement 2; fax: T.30, V.8); those of one half of the countries are held out. Each comes clean, through G.711 µ-law with noise at an SNR of
25 dB, and through GSM 6.10.
Needs numpy, PyYAML, and sox for GSM."""

import argparse
import pathlib
import subprocess
import wave

import numpy as np
import yaml

RATE = 8000
ROLES = {"R": "Rep", "C": "Customer"}
HALVES = ("tune", "held-out")
# Country → (frequencies in Hz, on and off times in seconds, over and over).
RINGING = {
    "tune": {"us": ([440, 480], [2, 4]), "de": ([425], [1, 4]), "gb": ([400, 450], [0.4, 0.2, 0.4, 2]), "cn": ([450], [1, 4])},
    "held-out": {"fr": ([440], [1.5, 3.5]), "au": ([400, 425], [0.4, 0.2, 0.4, 2]), "jp": ([384, 416], [1, 2]), "it": ([425], [1, 4])},
}
BUSY = {
    "tune": {"us": ([480, 620], [0.5, 0.5]), "de": ([425], [0.48, 0.48]), "cn": ([450], [0.35, 0.35]), "us-congestion": ([480, 620], [0.25, 0.25])},
    "held-out": {"fr": ([440], [0.5, 0.5]), "gb": ([400], [0.375, 0.375]), "jp": ([400], [0.5, 0.5]), "it-congestion": ([425], [0.2, 0.2])},
}


def clock(ms):
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def web_vtt(lines):
    at, body = 0, "WEBVTT\n\n"
    for line in lines:
        role, text = line.split(":", 1)
        text = text.strip()
        if not text:
            continue
        # 150 words or 240 characters a minute, 0.6 s between turns.
        han = sum("\u4e00" <= c <= "\u9fff" for c in text)
        length = han * 250 + len("".join(c if c < "\u3000" else " " for c in text).split()) * 400
        body += f"{clock(at)} --> {clock(at + length)}\n<v {ROLES[role]}>{text}\n\n"
        at += length + 600
    return body


def tone(frequencies, seconds, level=0.1):
    t = np.arange(int(seconds * RATE)) / RATE
    return sum(level / len(frequencies) * np.sin(2 * np.pi * f * t) for f in frequencies)


def cadence(frequencies, times, seconds):
    parts, total, i = [], 0.0, 0
    while total < seconds:
        length = times[i % len(times)]
        parts.append(tone(frequencies, length) if i % 2 == 0 else np.zeros(int(length * RATE)))
        total, i = total + length, i + 1
    return np.concatenate(parts)


def answering(reversals):
    """The called fax's 2100 Hz for 3.3 s, its phase turned every 450 ms or not, then the flags of V.21 (1650 and 1850 Hz at 300 bit/s)."""
    t = np.arange(int(3.3 * RATE)) / RATE
    sign = np.where((t / 0.45).astype(int) % 2 == 1, -1.0, 1.0) if reversals else 1.0
    bits = np.tile([0, 1, 1, 1, 1, 1, 1, 0], 40)
    frequency = np.repeat(np.where(bits == 1, 1650, 1850), RATE // 300)
    flags = 0.1 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)
    return np.concatenate([0.1 * sign * np.sin(2 * np.pi * 2100 * t), np.zeros(600), flags])


def fax(half):
    calling = cadence([1100], [0.5, 3.0], 18)
    if half == "tune":
        return {"calling": calling, "answering": answering(False)}
    ring = cadence([440, 480], [2, 4], 10)
    return {"calling-late": np.concatenate([np.zeros(5 * RATE), cadence([1104], [0.52, 2.9], 15)]), "rings-then-answers": np.concatenate([ring, answering(True)])}


def save(path, samples, noise_db, rng):
    customer = np.concatenate([np.zeros(RATE // 2), samples, np.zeros(RATE // 2)])
    rep = np.zeros(len(customer))
    if noise_db is not None:
        level = 0.07 * 10 ** (-noise_db / 20)
        customer, rep = (side + level * rng.standard_normal(len(side)) for side in (customer, rep))
    both = np.clip(np.stack([rep, customer], axis=1) * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2), out.setsampwidth(2), out.setframerate(RATE)
        out.writeframes(both.tobytes())


def through(codec, path):
    """Replaces a recording by what a codec makes of it."""
    coded = path.with_suffix(".coded.wav")
    if codec == "gsm":
        sides = []
        for channel in (1, 2):
            gsm = path.with_suffix(f".{channel}.gsm")
            subprocess.run(["sox", path, gsm, "remix", str(channel)], check=True)
            sides.append(gsm)
        subprocess.run(["sox", "-M", *sides, "-b", "16", "-e", "signed-integer", coded], check=True)
        for side in sides:
            side.unlink()
    else:
        subprocess.run(["sox", path, "-e", "u-law", coded], check=True)
    coded.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    texts = yaml.safe_load((pathlib.Path(__file__).parent / "no_conversation.yaml").read_text())
    for kind, languages in texts.items():
        for language, calls in languages.items():
            for number, lines in enumerate(calls):
                folder = out / HALVES[number % 2] / kind
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{language}-{number + 1:02}.vtt").write_text(web_vtt(lines))
    rng = np.random.default_rng(8)
    for half in HALVES:
        sounds = {
            "not_answered": {name: cadence(*how, 25) for name, how in RINGING[half].items()},
            "busy": {name: cadence(*how, 8) for name, how in BUSY[half].items()},
            "fax": fax(half),
        }
        for kind, named in sounds.items():
            folder = out / half / kind
            folder.mkdir(parents=True, exist_ok=True)
            for name, samples in named.items():
                for variant, noise_db, codec in (("clean", None, None), ("noise", 25, "mu-law"), ("gsm", None, "gsm")):
                    path = folder / f"{name}-{variant}.wav"
                    save(path, samples, noise_db, rng)
                    if codec:
                        through(codec, path)


if __name__ == "__main__":
    main()
