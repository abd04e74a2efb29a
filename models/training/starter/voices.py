"""Sentences → speech with the exact times of its words and phones: espeak-ng, flite and festival.

espeak-ng speaks about 80 times faster than real time on one core, flite 40, festival 15."""

import ctypes
import dataclasses
import functools
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
from typing import Iterable, Iterator

import numpy as np
import scipy.io.wavfile
from scipy.signal import resample_poly

from grammar import Sentence, spoken, written
from held_out import (
    ESPEAK_ACCENTS,
    ESPEAK_HELD_OUT,
    ESPEAK_TRAIN,
    FESTIVAL_HELD_OUT,
    FESTIVAL_TRAIN,
    FLITE_HELD_OUT,
    FLITE_TRAIN,
)

SAMPLE_RATE = 16_000
# Mean pitch of the flite voices in Hz: lowest, the voice's own, highest.
FLITE_PITCH_HZ = {
    "slt": (130, 167, 215),
    "awb": (90, 120, 160),
    "rms": (75, 95, 125),
    "kal16": (75, 95, 150),
    "kal": (75, 95, 150),
}
FLITE_LIBRARIES = [*(f"flite_cmu_us_{voice}" for voice in FLITE_PITCH_HZ), "flite_usenglish", "flite_cmulex", "flite", "m"]


@dataclasses.dataclass(frozen=True)
class Speaker:
    engine: str  # espeak, flite, festival
    voice: str
    tempo: float = 1.0
    pitch: float = 0.5  # 0..1 of what the engine allows; festival has none
    liveliness: float = 0.5  # espeak-ng's pitch range

    @property
    def name(self) -> str:
        return f"{self.engine}:{self.voice}"


@dataclasses.dataclass
class Speech:
    """A sentence as spoken: 16 kHz samples in −1…1, (written word, begin, end) and (phone, begin, end) in seconds."""

    speaker: Speaker
    sentence: Sentence
    wave: np.ndarray
    words: list[tuple[str, float, float]]
    phones: list[tuple[str, float, float]]

    @property
    def text(self) -> str:
        return written(self.sentence)


def random_speaker(
    rng: random.Random,
    engine: str,
    held_out: bool = False,
    voices: list[str] | None = None,
    accents: list[str] = ESPEAK_ACCENTS,
) -> Speaker:
    if engine == "espeak":
        variant = rng.choice(voices or (ESPEAK_HELD_OUT if held_out else ESPEAK_TRAIN))
        voice = f"{rng.choice(accents)}+{variant}"
    elif engine == "flite":
        voice = rng.choice(voices or (FLITE_HELD_OUT if held_out else FLITE_TRAIN))
    else:
        voice = rng.choice(voices or (FESTIVAL_HELD_OUT if held_out else FESTIVAL_TRAIN))
    pitch = rng.random() if engine == "espeak" or rng.random() < 0.7 else 0.5
    return Speaker(engine, voice, rng.uniform(0.82, 1.22), pitch, rng.random())


def speak(jobs: Iterable[tuple[Sentence, Speaker]], build_folder: pathlib.Path) -> Iterator[Speech]:
    """Speaks the jobs engine by engine. A sentence whose words cannot be timed is left out."""
    jobs = list(jobs)
    for engine in ("espeak", "flite", "festival"):
        of_engine = [job for job in jobs if job[1].engine == engine]
        if not of_engine:
            continue
        if engine == "espeak":
            yield from _espeak().speak(of_engine)
        elif engine == "flite":
            yield from _speak_flite(of_engine, _flite_program(build_folder))
        else:
            yield from _speak_festival(of_engine)


def _written_words(sentence: Sentence, times: list[tuple[float, float]]) -> list[tuple[str, float, float]] | None:
    """Times of the spoken words → times of the written ones; None when their numbers differ."""
    counts = [len(word.spoken.split()) for word in sentence]
    if len(times) != sum(counts):
        return None
    words, at = [], 0
    for word, count in zip(sentence, counts):
        sounding = [time for time in times[at : at + count] if time[1] > time[0] >= 0]
        at += count
        if not sounding:
            return None
        words.append((word.written, sounding[0][0], sounding[-1][1]))
    return words


# -------------------------------------------------------------------- espeak-ng
class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _EventId),
    ]  # fmt: skip


_WORD, _PHONE = 1, 7
_PAUSES = ("", "_", "_:", "_::", "_|")


@functools.lru_cache(maxsize=1)
def _espeak() -> "_Espeak":
    return _Espeak()


class _Espeak:
    RATE, PITCH, RANGE = 1, 3, 4

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        synchronous, phone_events = 2, 1
        self.rate_hz = self.library.espeak_Initialize(synchronous, 0, None, phone_events)
        self.chunks: list[np.ndarray] = []
        self.events: list[tuple[int, int, float, str]] = []  # type, text position, seconds, phone
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self.callback = callback(self._receive)
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, count, events) -> int:
        if samples and count > 0:
            self.chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != 0:
            event = events[index]
            phone = bytes(event.id.string).decode("utf8", "replace") if event.type == _PHONE else ""
            self.events.append((event.type, event.text_position, event.audio_position / 1000, phone))
            index += 1
        return 0

    def speak(self, jobs: list[tuple[Sentence, Speaker]]) -> Iterator[Speech]:
        for sentence, speaker in jobs:
            if self.library.espeak_SetVoiceByName(speaker.voice.encode()) != 0:
                raise ValueError(f"espeak-ng has no voice {speaker.voice}")
            self.library.espeak_SetParameter(self.RATE, round(165 * speaker.tempo), 0)
            self.library.espeak_SetParameter(self.PITCH, round(30 + 40 * speaker.pitch), 0)
            self.library.espeak_SetParameter(self.RANGE, round(25 + 50 * speaker.liveliness), 0)
            self.chunks.clear()
            self.events.clear()
            text = spoken(sentence).encode()
            self.library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
            if not self.chunks:
                continue
            samples = np.concatenate(self.chunks)
            length_s = len(samples) / self.rate_hz
            phones = self._phones(length_s)
            times = self._word_times(spoken(sentence), length_s, phones)
            words = times and _written_words(sentence, times)
            if words:
                wave = resample_poly(samples.astype(np.float32) / 32768, 320, 441).astype(np.float32)
                yield Speech(speaker, sentence, wave, words, phones)

    def _phones(self, length_s: float) -> list[tuple[str, float, float]]:
        starts = [(phone, at) for kind, _, at, phone in self.events if kind == _PHONE]
        ends = [at for _, at in starts[1:]] + [length_s]
        return [(phone, begin, end) for (phone, begin), end in zip(starts, ends)]

    def _word_times(self, text: str, length_s: float, phones) -> list[tuple[float, float]] | None:
        begins: dict[int, float] = {}
        for kind, position, at, _ in self.events:
            if kind == _WORD:
                begins.setdefault(position, at)
        starts: list[float | None] = [begins.get(match.start() + 1) for match in re.finditer(r"\S+", text)]
        if starts[0] is None or sum(start is None for start in starts) > 3:
            return None
        starts.append(length_s)
        # Words that espeak-ng merges ("of the") share an event: their times are divided evenly.
        for index, start in enumerate(starts):
            if start is None:
                following = next(later for later in range(index, len(starts)) if starts[later] is not None)
                previous = starts[index - 1]
                starts[index] = previous + (starts[following] - previous) / (following - index + 1)
        times = []
        for begin, end in zip(starts, starts[1:]):
            for phone, phone_begin, _ in phones:  # a word ends at the first pause inside it
                if phone in _PAUSES and begin + 0.05 < phone_begin < end:
                    end = phone_begin
                    break
            times.append((begin, end))
        return times


# -------------------------------------------------------------------- flite
@functools.lru_cache(maxsize=None)
def _flite_program(build_folder: pathlib.Path) -> pathlib.Path:
    program = build_folder / "flite_batch"
    if not program.exists():
        build_folder.mkdir(parents=True, exist_ok=True)
        source = pathlib.Path(__file__).parent / "flite_batch.c"
        libraries = [f"-l{name}" for name in FLITE_LIBRARIES]
        subprocess.run(["gcc", "-O2", source, "-o", program, *libraries], check=True)
    return program


def _speak_flite(jobs: list[tuple[Sentence, Speaker]], program: pathlib.Path) -> Iterator[Speech]:
    lines = []
    for sentence, speaker in jobs:
        low, usual, high = FLITE_PITCH_HZ[speaker.voice]
        pitch = np.interp(speaker.pitch, [0, 0.5, 1], [low, usual, high])
        lines.append(f"{speaker.voice}\t{1 / speaker.tempo:.2f}\t{pitch:.0f}\t{spoken(sentence)}\n")
    with tempfile.NamedTemporaryFile() as file:
        command = [program, file.name]
        answer = subprocess.run(command, input="".join(lines), capture_output=True, text=True, check=True).stdout
        samples = np.fromfile(file.name, np.int16)
    at = 0
    for (sentence, speaker), line in zip(jobs, answer.splitlines(), strict=True):
        head, word_part, phone_part = line.split(" |")
        rate_hz, count = map(int, head.split())
        wave = samples[at : at + count].astype(np.float32) / 32768
        at += count
        if rate_hz != SAMPLE_RATE:
            wave = resample_poly(wave, SAMPLE_RATE, rate_hz).astype(np.float32)
        times = [tuple(float(value) for value in part.split(":")) for part in word_part.split()]
        ends = [part.rsplit(":", 1) for part in phone_part.split()]
        words = _written_words(sentence, times)
        if words:
            yield Speech(speaker, sentence, wave, words, _phones_from_ends(ends))


def _phones_from_ends(ends: list[list[str]]) -> list[tuple[str, float, float]]:
    begins = [0.0] + [float(end) for _, end in ends]
    return [(phone, begin, float(end)) for (phone, end), begin in zip(ends, begins)]


# -------------------------------------------------------------------- festival
_FESTIVAL_DUMP = r"""
(define (dump utterance name)
  (let ((out (fopen name "w")))
    (mapcar (lambda (token)
      (format out "T %l\n" (mapcar (lambda (word) (list (item.feat word "word_start") (item.feat word "word_end")))
        (item.daughters token))))
      (utt.relation.items utterance 'Token))
    (mapcar (lambda (part) (format out "S %s %s\n" (item.name part) (item.feat part "end")))
      (utt.relation.items utterance 'Segment))
    (fclose out)))
"""


def _speak_festival(jobs: list[tuple[Sentence, Speaker]], at_once: int = 100) -> Iterator[Speech]:
    if not shutil.which("festival"):
        raise FileNotFoundError("festival is not installed; hint: apt-get install festival festvox-us-slt-hts")
    for first in range(0, len(jobs), at_once):
        part = jobs[first : first + at_once]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            script = [_FESTIVAL_DUMP]
            for index, (sentence, speaker) in enumerate(part):
                script.append(
                    f"(voice_{speaker.voice}) (Parameter.set 'Duration_Stretch {1 / speaker.tempo:.2f})"
                    f' (set! said (SynthText "{spoken(sentence)}"))'
                    f' (utt.save.wave said "{folder}/{index}.wav") (dump said "{folder}/{index}.txt")\n'
                )
            (folder / "script.scm").write_text("".join(script))
            subprocess.run(["festival", "-b", folder / "script.scm"], capture_output=True, check=True)
            for index, (sentence, speaker) in enumerate(part):
                speech = _read_festival(folder / f"{index}.wav", folder / f"{index}.txt", sentence, speaker)
                if speech:
                    yield speech


def _read_festival(
    sound: pathlib.Path, times_file: pathlib.Path, sentence: Sentence, speaker: Speaker
) -> Speech | None:
    rate_hz, samples = scipy.io.wavfile.read(sound)
    wave = samples.astype(np.float32) / 32768
    if rate_hz != SAMPLE_RATE:
        wave = resample_poly(wave, SAMPLE_RATE, rate_hz).astype(np.float32)
    times, ends = [], []
    for line in times_file.read_text().splitlines():
        if line.startswith("S"):
            ends.append(line.split()[1:])
        elif "nil" not in line:
            # Punctuation is a word of festival's without a time.
            values = [value for value in map(float, re.findall(r"[\d.]+", line)) if value > 0]
            times.append((values[0], values[-1]) if len(values) > 1 else (-1.0, -1.0))
    words = _written_words(sentence, times)
    return Speech(speaker, sentence, wave, words, _phones_from_ends(ends)) if words else None
