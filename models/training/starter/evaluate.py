"""Word error of models on labelled sets, in whisper.cpp, the way training looks at itself. `callmark eval` is the judge.

  evaluate.py --models A.bin B.bin --sets SETS/known-voices SETS/calls [--whole] [--files 8] [--json OUT]

Each utterance is given alone (0.25 s before, 0.35 s behind it), or with --whole each channel as one piece. A set without
speech counts the words that are invented. Case and punctuation do not count; a number counts as it is written."""

import argparse
import collections
import json
import pathlib
import re

import numpy as np
import scipy.io.wavfile
from pywhispercpp.model import Model
from scipy.signal import resample_poly

RATE = 16_000
LEAD_S, TRAIL_S, SHORTEST_S = 0.25, 0.35, 1.125


def normal_words(text: str) -> list[str]:
    text = re.sub(r"(?<=\d),(?=\d)", "", text.lower()).replace("-", " ")
    text = re.sub(r"[^a-z0-9$%.' ]", " ", text).replace(". ", " ")
    return text.rstrip(". ").split()


def word_edits(reference: list[str], heard: list[str]) -> int:
    previous = list(range(len(heard) + 1))
    for row, expected in enumerate(reference, 1):
        current = [row]
        for column, word in enumerate(heard, 1):
            substitution = previous[column - 1] + (expected != word)
            current.append(min(previous[column] + 1, current[-1] + 1, substitution))
        previous = current
    return previous[-1]


def pieces(path: pathlib.Path, whole: bool):
    """(voice, reference text, samples) of a recording's utterances, or of its channels."""
    rate_hz, samples = scipy.io.wavfile.read(path)
    channels = (samples.astype(np.float32) / 32768).reshape(len(samples), -1).T
    turns = json.loads(path.with_suffix(".reference.json").read_text())["turns"]
    for number, channel in enumerate(channels):
        sound = resample_poly(channel, RATE, rate_hz).astype(np.float32)
        own = [turn for turn in turns if turn["channel"] == number]
        if whole or not own:
            voice = own[0]["voice"].split()[0] if own else "none"
            yield voice, " ".join(turn["text"] for turn in own), sound
            continue
        for turn in own:
            begin, end = turn["begin_ms"] / 1000 - LEAD_S, turn["end_ms"] / 1000 + TRAIL_S
            yield turn["voice"].split()[0], turn["text"], sound[max(0, int(begin * RATE)) : int(end * RATE)]


def evaluate(model: Model, folder: pathlib.Path, whole: bool, files: int | None) -> dict:
    errors, words = collections.Counter(), collections.Counter()
    paths = sorted(folder.glob("*.wav"))
    for path in paths[:: max(1, len(paths) // files)] if files else paths:
        for voice, text, sound in pieces(path, whole):
            sound = np.pad(sound, (0, max(0, int(SHORTEST_S * RATE) - len(sound))))
            heard = normal_words(" ".join(segment.text for segment in model.transcribe(sound)))
            reference = normal_words(text)
            for key in ("all", voice):
                errors[key] += word_edits(reference, heard)
                words[key] += len(reference)
    return {key: dict(errors=errors[key], words=words[key]) for key in errors}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", required=True, type=pathlib.Path)
    parser.add_argument("--sets", nargs="+", required=True, type=pathlib.Path)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--files", type=int, help="only about so many recordings of a set")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    results = {}
    for path in options.models:
        quiet = dict(
            print_realtime=False, print_progress=False, print_timestamps=False, redirect_whispercpp_logs_to=None
        )
        model = Model(str(path), n_threads=options.threads, **quiet)
        for folder in options.sets:
            result = evaluate(model, folder, options.whole, options.files)
            results[f"{path.name} {folder.name}"] = result
            parts = []
            for key, count in result.items():
                share = f"{count['errors'] / count['words']:.3f} " if count["words"] else "invented words: "
                parts.append(f"{key} {share}({count['errors']}/{count['words']})")
            print(
                f"{path.name} {folder.name} {'whole' if options.whole else 'by utterance'}: {', '.join(parts)}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
