"""Real speech for the question whether a model notices that it does not follow: recordings of people, cut into pieces."""

import pathlib
import subprocess
import sys

import numpy as np
import scipy.io.wavfile

RATE = 16_000
NOT_SPEECH = ("RIRs__", "noise__")  # reverberation and noise for training
SYNTHETIC = ("ms_ckm_synthetic_calls", "Sample")  # text to speech, by their own description


def channels(file: pathlib.Path) -> list[np.ndarray]:
    """A recording's first two channels at 16 kHz; none when ffmpeg cannot read it."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=channels", "-of", "default=nw=1:nk=1", file]
    count = subprocess.run(probe, capture_output=True, text=True).stdout.split()
    command = ["ffmpeg", "-v", "error", "-i", file, "-ar", str(RATE), "-f", "s16le", "-"]
    answer = subprocess.run(command, capture_output=True)
    if answer.returncode or not count:
        print(f"left out {file.name}: {answer.stderr.decode().strip()}", file=sys.stderr)
        return []
    samples = np.frombuffer(answer.stdout, np.int16).reshape(-1, int(count[0]))
    return [samples[:, index] for index in range(min(2, samples.shape[1]))]


def write_pieces(source: pathlib.Path, out: pathlib.Path, piece_s: int = 60, hop_s: int = 60) -> int:
    """Recordings of one folder (of one speaker, for spoken digits) are joined and cut; → the number of pieces."""
    groups: dict[str, list[np.ndarray]] = {}
    for file in sorted(source.rglob("*")):
        is_sound = file.suffix in (".wav", ".mp3", ".flac") and not file.name.startswith(NOT_SPEECH)
        if not is_sound or any(part.startswith(SYNTHETIC) for part in file.parts):
            continue
        speaker = f"-{file.stem.split('_')[1]}" if "fsdd" in str(file) and "_" in file.stem else ""
        groups.setdefault(file.parent.name + speaker, []).extend(channels(file))
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for group, parts in sorted(groups.items()):
        whole = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        for index, start_s in enumerate(range(0, max(1, len(whole) // RATE - piece_s * 2 // 3), hop_s)):
            piece = whole[start_s * RATE : (start_s + piece_s) * RATE]
            if len(piece) >= piece_s * RATE * 2 // 3:
                scipy.io.wavfile.write(out / f"{group}-{index:02}.wav", RATE, piece)
                count += 1
    return count
