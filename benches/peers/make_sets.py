"""Stereo calls by kind of audio, cut together from labelled recordings: OUT/half and OUT/dense.

    make_sets.py SOURCE OUT [--minutes 4]

SOURCE: sample-audio (references/*.vtt) or a folder of labelled recordings (*.wav with *.reference.json).
half:  the two parties in turn, each channel silent while the other speaks: about 50 % speech a channel.
dense: each channel's own turns with short pauses, both at once: about 95 % speech a channel.
A turn keeps its own sound; pauses have the channel's noise floor. Every call is about `--minutes` long.
"""
import argparse
import json
import re
from pathlib import Path

import numpy as np
from faster_whisper.audio import decode_audio
from scipy.io import wavfile

RATE = 8000
# A reference's end may cut the last sound: some of the pause goes with the turn.
MARGIN_S = 0.05
CUE = re.compile(r"([\d:.]+) --> ([\d:.]+)\n<v (\w+)>(.+)")


def turns_of(source):
    """(file, [(channel, begin_s, end_s, text)]) of every stereo recording."""
    seconds = lambda time: sum(float(part) * 60**n for n, part in enumerate(reversed(time.split(":"))))
    for path in sorted([*source.glob("references/*.vtt"), *source.glob("*.reference.json")]):
        if path.suffix == ".vtt":
            cues = CUE.findall(path.read_text())
            turns = [(int(role != "Rep"), seconds(begin), seconds(end), text) for begin, end, role, text in cues]
            files = [file for file in source.glob(f"{path.stem}.*") if file.suffix in (".wav", ".mp3", ".flac")]
        else:
            turns = [(turn["channel"], turn["begin_ms"] / 1000, turn["end_ms"] / 1000, turn["text"])
                     for turn in json.loads(path.read_text())["turns"]]
            files = [source / path.name.replace(".reference.json", ".wav")]
        if files and len({turn[0] for turn in turns}) == 2:
            yield files[0], turns


def pieces_of(source):
    """Every turn's sound by channel, in order, with its text and the noise level of its channel."""
    for path, turns in turns_of(source):
        channels = decode_audio(str(path), sampling_rate=RATE, split_stereo=True)
        if np.array_equal(*channels):
            continue  # one channel in the file
        for channel, begin, end, text in turns:
            sound = channels[channel]
            frames = sound[:len(sound) // 400 * 400].reshape(-1, 400)
            noise = np.sqrt(np.percentile((frames**2).mean(1), 10))
            piece = sound[int(max(begin - MARGIN_S, 0) * RATE):int((end + MARGIN_S) * RATE)]
            yield channel, piece, text, noise


def lay(pieces, kind, minutes, draw):
    """Calls of one kind: [(two channels, two texts, seconds of speech by channel)]."""
    limit = minutes * 60 * RATE
    calls, parts, texts, speech = [], ([], []), ([], []), [0, 0]
    length = lambda channel: sum(map(len, parts[channel]))

    def pause(channel, samples, noise):
        if samples > 0:
            parts[channel].append(draw.normal(0, noise, int(samples)).astype(np.float32))

    for channel, piece, text, noise in pieces:
        other = 1 - channel
        if kind == "dense" and length(channel) > limit:
            continue
        if kind == "half":
            pause(channel, length(other) - length(channel) + 0.1 * RATE, noise)
        else:
            pause(channel, 0.01 * len(piece), noise)
        parts[channel].append(piece)
        texts[channel].append(text)
        speech[channel] += (len(piece) - 2 * MARGIN_S * RATE) / RATE
        if min(length(0), length(1)) > limit or (kind == "half" and length(channel) > limit):
            end = max(length(0), length(1))
            for side in (0, 1):
                pause(side, end - length(side), noise)
            calls.append((np.stack([np.concatenate(side) for side in parts], 1), texts, speech))
            parts, texts, speech = ([], []), ([], []), [0, 0]
    return calls


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--calls", type=int, default=2, help="calls of each kind")
    arguments = parser.parse_args()
    pieces = list(pieces_of(arguments.source))
    for kind in ("half", "dense"):
        folder = arguments.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        rows, references = ["file,call_id"], {}
        for number, (sound, texts, speech) in enumerate(lay(pieces, kind, arguments.minutes, np.random.default_rng(5))):
            if number == arguments.calls:
                break
            name = f"{kind}-{number + 1}"
            wavfile.write(folder / f"{name}.wav", RATE, (np.clip(sound, -1, 1) * 32767).astype(np.int16))
            rows.append(f"{name}.wav,{name}")
            share = [round(seconds * RATE / len(sound), 3) for seconds in speech]
            references[name] = {"texts": [" ".join(text) for text in texts], "speech_share": share}
            print(f"{name}: {len(sound) / RATE:.0f} s, speech {share}")
        (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
        (folder / "references.json").write_text(json.dumps(references, indent=1))


if __name__ == "__main__":
    main()
