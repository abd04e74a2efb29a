"""Cached utterances → training windows: several utterances with pauses, in noise, music, babble and side talk.

Everything here works on log10 mel power, where adding sounds, changing a voice's formants or its tempo is cheap: each
time an utterance is used it sounds different."""

import collections
import pathlib
import pickle
import random
import re
from typing import NamedTuple

import numpy as np

from tokens import TIMESTAMP_GRID_S, Tokens

FLOOR = np.float32(-10)
AUDIO_POSITIONS_PER_S = 50
NO_PHONE = 255
# whisper.cpp jumps to the last time stamp of a window when two stand at its end. So a window's text stops with the
# first utterance that begins after HAND_OVER_S: its begin is given and the next window starts there. The text never
# lies far into a window, where the first edition skipped and repeated.
HAND_OVER_S = 10.0
HAND_OVER_LEAD_S = 0.2
FIRST_STAMP_LIMIT = 10  # whisper.cpp allows the first stamp to be 1.0 s at most


class Word(NamedTuple):
    text: str
    begin_s: float
    end_s: float


class Utterance(NamedTuple):
    shard: int
    first_frame: int
    frames: int
    words: list[Word]
    voice: str


class TokenSpan(NamedTuple):
    row: int
    begin_share: float  # of the word's time
    end_share: float
    is_spoken: bool  # has a letter or digit
    has_own_time: bool  # false for $141.50, 3rd, 25 %: every token gets the whole word's time


class Segment(NamedTuple):
    words: list[Word]
    is_cut: bool  # the window ends inside it


def mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    """Slaney's scale, as in Whisper's filters."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def hertz_to_mel(hertz: np.ndarray) -> np.ndarray:
    return np.where(hertz < 1000, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, 1) / 1000) * 27 / np.log(6.4))


def formant_warps(count: int = 25, lowest: float = 0.86, highest: float = 1.16) -> np.ndarray:
    """[count, 80, 80] matrices that move the bands as a vocal tract of another length would."""
    centres = np.linspace(0, float(hertz_to_mel(np.array(8000.0))), 82)[1:-1]
    bands = np.arange(80)
    matrices = np.zeros((count, 80, 80), np.float32)
    for matrix, factor in zip(matrices, np.linspace(lowest, highest, count)):
        source = np.interp(hertz_to_mel(mel_to_hertz(centres) * factor), centres, bands)
        low = np.floor(source).astype(int)
        high = np.minimum(low + 1, 79)
        matrix[low, bands] += 1 - (source - low)
        matrix[high, bands] += source - low
    return matrices


class Utterances:
    """All shards of a folder; scan() picks up new ones. Utterances with a word that has no token row are left out."""

    def __init__(
        self, folder: pathlib.Path, tokens: Tokens, row_of_token: dict[int, int], engine_shares: dict[str, float]
    ):
        self.folder, self.tokens, self.row_of_token = folder, tokens, row_of_token
        self.engine_shares = engine_shares
        self.arrays: list[tuple[np.ndarray, np.ndarray]] = []
        self.of_engine: dict[str, list[Utterance]] = {engine: [] for engine in engine_shares}
        self.of_voice: dict[str, list[Utterance]] = collections.defaultdict(list)
        self.silences: list[tuple[int, int, int]] = []  # shard, first frame, frames of sounds without speech
        self.hours, self.left_out, self._seen, self._spans = 0.0, 0, set(), {}
        self.scan()

    def scan(self):
        for path in sorted(self.folder.glob("*.pkl")):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            stem = path.with_suffix("")
            mel, labels = np.load(f"{stem}.mel.npy", mmap_mode="r"), np.load(f"{stem}.lab.npy")
            self.arrays.append((mel, labels))
            for item in pickle.loads(path.read_bytes()):
                engine = item["voice"].split(":")[0]
                if engine == "silence":
                    self.silences.append((len(self.arrays) - 1, item["off"], item["n"]))
                    continue
                words = [Word(*word) for word in item["words"]]
                if engine not in self.of_engine or item["n"] > 2900 or any(not self.spans(word.text) for word in words):
                    self.left_out += 1
                    continue
                utterance = Utterance(len(self.arrays) - 1, item["off"], item["n"], words, item["voice"])
                self.of_engine[engine].append(utterance)
                self.of_voice[item["voice"]].append(utterance)
                self.hours += item["n"] / 360_000

    def spans(self, word: str) -> list[TokenSpan]:
        """The token rows of a written word with their share of its time; empty when a token has no row."""
        if word not in self._spans:
            ids = self.tokens.encode_word(word)
            self._spans[word] = [] if any(i not in self.row_of_token for i in ids) else self._divide(word, ids)
        return self._spans[word]

    def _divide(self, word: str, ids: list[int]) -> list[TokenSpan]:
        lengths = [sum(c.isalnum() for c in self.tokens.text[i].decode("utf8", "ignore")) for i in ids]
        total, done, spans = max(1, sum(lengths)), 0, []
        # Digit strings are spoken digit by digit, other numbers are not.
        is_number = any(c.isdigit() for c in word) and not re.fullmatch(r"[\d\-]{4,}[,.?!]*", word)
        for token, length in zip(ids, lengths):
            row = self.row_of_token[token]
            if is_number and length:
                spans.append(TokenSpan(row, 0.0, 1.0, True, False))
            else:
                spans.append(TokenSpan(row, done / total, (done + length) / total, length > 0, True))
            done += length
        return spans

    def pool(self, rng: random.Random) -> list[Utterance]:
        """Utterances of one engine; the shares do not depend on how much each has spoken."""
        engines = [engine for engine in self.engine_shares if self.of_engine[engine]]
        return self.of_engine[rng.choices(engines, [self.engine_shares[engine] for engine in engines])[0]]


class WindowMaker:
    """Makes windows from utterances. `rng` decides what, `noise` draws the noise."""

    def __init__(self, utterances: Utterances, rng: random.Random, noise: np.random.Generator):
        self.utterances, self.rng, self.noise = utterances, rng, noise
        self._warps = formant_warps()
        self._bands = np.arange(80, dtype=np.float32)

    # ---------------------------------------------------------------- utterances
    def cut(self, utterance: Utterance, first: int, last: int):
        """Words first..last-1 → (log mel, labels, words timed from the cut), None when there is nothing."""
        words, count = utterance.words, len(utterance.words)
        begin, end = 0, utterance.frames // 2
        if first > 0:
            gap = words[first].begin_s - words[first - 1].end_s
            middle = (words[first].begin_s + words[first - 1].end_s) / 2
            begin = max(0, round(middle * 50) if gap < 0.1 else int((words[first].begin_s - 0.05) * 50))
        if last < count:
            gap = words[last].begin_s - words[last - 1].end_s
            middle = (words[last].begin_s + words[last - 1].end_s) / 2
            end = min(end, round(middle * 50) if gap < 0.1 else int((words[last - 1].end_s + 0.06) * 50))
        if end - begin < 5:
            return None
        mel, labels = self.utterances.arrays[utterance.shard]
        start = utterance.first_frame
        piece = mel[start + 2 * begin : start + 2 * end] * np.float32(0.05) + FLOOR
        timed = [Word(word.text, word.begin_s - begin / 50, word.end_s - begin / 50) for word in words[first:last]]
        if first > 0:  # a piece starts with a capital like any segment
            capital = timed[0].text[0].upper() + timed[0].text[1:]
            if self.utterances.spans(capital):
                timed[0] = timed[0]._replace(text=capital)
        return piece, labels[start // 2 + begin : start // 2 + end], timed

    def vary(self, piece, labels, words):
        """Another vocal tract length and another tempo for the same utterance."""
        rng = self.rng
        if rng.random() < 0.7:
            piece = piece @ rng.choice(self._warps)
        if rng.random() < 0.5:
            tempo = rng.uniform(0.86, 1.18)
            count = int(len(labels) / tempo)
            half = np.minimum((np.arange(count) * tempo).astype(int), len(labels) - 1)
            full = np.minimum((np.arange(2 * count) * tempo).astype(int), len(piece) - 1)
            piece, labels = piece[full], labels[half]
            words = [Word(word.text, word.begin_s / tempo, word.end_s / tempo) for word in words]
        return piece, labels, words

    def random_piece(self, pool: list[Utterance], room_s: float, run_share: float):
        """A whole utterance, or with probability `run_share` a run of its words, of at most room_s seconds."""
        rng = self.rng
        for _ in range(30):
            utterance = pool[int(rng.random() * len(pool))]
            words, count = utterance.words, len(utterance.words)
            if utterance.frames / 100 <= room_s and rng.random() >= run_share:
                return self.cut(utterance, 0, count)
            if rng.random() < run_share or run_share >= 0.3:
                first = rng.randrange(count)
                last, longest = first + 1, rng.choice((1, 2, 3, 4, 5, 7, 9, 99))
                begin_s = words[first].begin_s - 0.1
                while last < count and last - first < longest and words[last].end_s + 0.1 - begin_s <= room_s:
                    last += 1
                if words[last - 1].end_s + 0.12 - begin_s <= room_s:
                    piece = self.cut(utterance, first, last)
                    if piece is not None and len(piece[0]) <= room_s * 100:
                        return piece
        return None

    # ---------------------------------------------------------------- other sounds
    def noise_floor(self, frames: int, peak: float | None = None) -> np.ndarray:
        """Stationary noise, 28–75 dB below the loudest cell, with a tilt and often a telephone's band."""
        rng, bands = self.rng, self._bands
        level = rng.uniform(-6.5, -2.2) if peak is None else peak - rng.uniform(2.8, 7.5)
        curve = level + rng.uniform(-1, 0.6) * bands / 80
        if rng.random() < 0.3:
            curve = curve + rng.uniform(0, 1) * np.exp(-bands / 6)
        if rng.random() < 0.7:
            curve = curve - np.clip(rng.uniform(0, 6) - bands, 0, 8) * 0.4
            curve = curve - np.clip(bands - rng.uniform(56, 66), 0, 20) * rng.uniform(0.1, 1.0)
        spread = np.interp(bands, [0, 20, 79], [0.5, 0.4, 0.18]).astype(np.float32)
        return (curve + self.noise.standard_normal((frames, 80), dtype=np.float32) * spread).astype(np.float32)

    def tones(self, frames: int) -> np.ndarray:
        """Dial tone, ringing, beeps, clicks, or nothing but a noise floor."""
        rng = self.rng
        mel = self.noise_floor(frames) if rng.random() < 0.8 else np.full((frames, 80), FLOOR)
        kind = rng.random()
        if kind < 0.45:
            on = np.ones(frames, bool)
            if rng.random() < 0.7:
                period = rng.randint(20, 600)
                on = (np.arange(frames) + rng.randint(0, period)) % period < period * rng.uniform(0.2, 0.8)
            for _ in range(rng.choice((1, 2, 2, 3))):
                shape = rng.uniform(-2, 1.5) - np.abs(self._bands - rng.uniform(3, 50)) * rng.uniform(0.6, 2)
                mel[on] = np.maximum(mel[on], shape.astype(np.float32))
        elif kind < 0.65:
            for _ in range(rng.randint(1, 12)):
                at, length = rng.randrange(frames), rng.randint(1, 12)
                burst = np.float32(rng.uniform(-4, 0)) + self.noise.uniform(-1, 1, 80).astype(np.float32)
                mel[at : at + length] = np.maximum(mel[at : at + length], burst)
        return mel

    def recorded_silence(self, frames: int) -> np.ndarray:
        """A stretch of the synthesised sounds in which nobody speaks, looped when it is too short."""
        shard, first, count = self.rng.choice(self.utterances.silences)
        index = (np.arange(frames) + self.rng.randrange(count)) % count + first
        return self.utterances.arrays[shard][0][index] * np.float32(0.05) + FLOOR

    def music(self, frames: int) -> np.ndarray:
        """Chords and a melody that change every 0.15–1.5 s, with harmonics that die away."""
        rng = self.rng
        mel = np.full((frames, 80), FLOOR)
        at, beat, decay = 0, rng.randint(15, 150), rng.uniform(0.0, 0.02)
        root, scale = rng.uniform(110, 330), [0, 2, 4, 5, 7, 9, 11, 12]
        centre_hertz = mel_to_hertz(np.linspace(0, 45.245, 82)[1:-1])
        while at < frames:
            length = min(beat, frames - at)
            fade = -decay * np.arange(length, dtype=np.float32)[:, None]
            for note in [rng.choice(scale) for _ in range(rng.choice((1, 3, 3, 4)))]:
                for harmonic in range(1, rng.randint(2, 7)):
                    hertz = root * 2 ** (note / 12) * harmonic
                    band = float(np.interp(hertz, centre_hertz, self._bands))
                    shape = np.float32(1 - 0.45 * harmonic) - np.abs(self._bands - np.float32(band)) * np.float32(1.1)
                    mel[at : at + length] = np.maximum(mel[at : at + length], shape[None].astype(np.float32) + fade)
            at += length
            beat = beat if rng.random() < 0.7 else rng.randint(15, 150)
        return np.maximum(mel + self.noise.standard_normal(mel.shape, dtype=np.float32) * 0.12, FLOOR)

    def talk(self, frames: int, voices: int) -> np.ndarray:
        """`voices` people talking at once: babble from about six, one is a second talker."""
        total = np.full((frames, 80), FLOOR)
        for _ in range(voices):
            at = self.rng.randint(-200, 100) if voices > 1 else self.rng.randint(0, frames // 2)
            while at < frames:
                piece = self.random_piece(self.utterances.pool(self.rng), 30.0, 0.2)
                if piece is None:
                    break
                mel = self.vary(*piece)[0] + np.float32(self.rng.gauss(0, 0.25))
                source, target = max(0, -at), max(0, at)
                mel = mel[source : source + frames - target]
                if len(mel):
                    total[target : target + len(mel)] = add_power(total[target : target + len(mel)], mel)
                at += len(mel) + source + self.rng.randint(5, 60)
                if voices == 1 and self.rng.random() < 0.5:
                    break
        return total

    def background(self, frames: int) -> np.ndarray:
        """A sound to lie under speech; its level is set by the caller."""
        kind = self.rng.random()
        if kind < 0.4:
            return self.talk(frames, self.rng.randint(3, 7))
        return self.music(frames) if kind < 0.7 else self.talk(frames, 1)

    # ---------------------------------------------------------------- windows
    def window(self, length_s: float, kind: str, run_share: float):
        """→ (log mel [100 × length, 80], phone labels [50 × length], segments)."""
        rng = self.rng
        positions = round(length_s * 50)
        mel, labels = np.full((2 * positions, 80), FLOOR, np.float32), np.full(positions, NO_PHONE, np.uint8)
        segments: list[Segment] = []
        if kind == "silent":
            return self._silent(2 * positions), labels, segments
        pool = self.utterances.pool(rng)
        if rng.random() < 0.5:  # one voice for the whole window
            pool = self.utterances.of_voice[rng.choice(pool).voice]
        several_voices = rng.random() < 0.25
        at_s, left, pause = self._plan(kind)
        base_level = rng.gauss(0, 0.35)
        if kind == "pack" and rng.random() < 0.15:
            at_s += self._tail_of_previous(mel, pool)
        while left > 0 and length_s - at_s >= 0.5:
            left -= 1
            at = round(at_s * 50)
            fits = kind != "pack" or (rng.random() < 0.5 and length_s < 15)
            if several_voices:
                pool = self.utterances.pool(rng)
            piece = self.random_piece(pool, length_s - at / 50 if fits else 30.0, run_share)
            if piece is None:
                break
            speech, phones, words = self.vary(*piece)
            count = min(len(phones), positions - at)
            is_cut = len(phones) > count
            level = np.float32(base_level + rng.gauss(0, 0.5 if several_voices else 0.15))
            mel[2 * at : 2 * (at + count)] = speech[: 2 * count] + level
            labels[at : at + count] = phones[:count]
            shifted = [Word(word.text, word.begin_s + at / 50, word.end_s + at / 50) for word in words]
            segments.append(Segment(shifted, is_cut))
            if is_cut:
                break
            at_s = at / 50 + len(phones) / 50 + max(0.0, pause())
        return np.maximum(mel, FLOOR), labels, segments

    def _silent(self, frames: int) -> np.ndarray:
        draw = self.rng.random()
        if draw < 0.35 and self.utterances.silences:
            return self.recorded_silence(frames)
        if draw < 0.52:
            return self.tones(frames)
        return self.music(frames) if draw < 0.62 else self.talk(frames, self.rng.randint(6, 12))

    def _plan(self, kind: str):
        """→ (begin of the first utterance, how many at most, draws a pause)."""
        rng = self.rng
        if kind == "dense":
            return rng.random() * 0.15, 99, lambda: rng.choice((0.04, rng.random() * 0.2))
        if kind == "one":
            return rng.choice((0, 0.25, rng.random() * 0.6, rng.random() * 2)), 1, lambda: 0.0
        most = rng.randint(1, 5) if rng.random() < 0.25 else 99
        if rng.random() < 0.6:
            options = (rng.random() * 0.3, 0.1, 0.2, 0.4, 0.5)
            return abs(rng.gauss(0, 0.5)), most, lambda: rng.choice((*options, rng.random() * 1.2, rng.random() * 3))
        # One channel of a call has long pauses while the other party talks.
        longest = rng.choice((4, 9, 14))
        return abs(rng.gauss(0, 1.5)), most, lambda: rng.choice((rng.random() * 0.5, rng.random() * longest))

    def _tail_of_previous(self, mel: np.ndarray, pool: list[Utterance]) -> float:
        """The end of a sentence that the previous window has transcribed; → its length in seconds."""
        utterance = self.rng.choice(pool)
        piece = self.cut(utterance, 0, len(utterance.words))
        if piece is None:
            return 0.0
        end = int(min(len(piece[0]), (piece[2][-1].end_s + 0.06) * 100))
        tail = piece[0][max(0, end - self.rng.randint(4, 22)) : end][: len(mel)]
        mel[: len(tail)] = tail
        return len(tail) / 100 + self.rng.random() * 0.4

    def channel(self, mel: np.ndarray, has_speech: bool) -> np.ndarray:
        """Equaliser, background sounds, noise, and Whisper's own scaling → the network's input."""
        rng, bands = self.rng, self._bands
        curve = np.float32(rng.uniform(-0.6, 0.4)) + np.float32(rng.gauss(0, 0.25)) * (bands / 40 - 1)
        for _ in range(2):
            distance = (bands - np.float32(rng.uniform(0, 65))) / np.float32(rng.uniform(3, 14))
            curve = curve + np.float32(rng.gauss(0, 0.2)) * np.exp(np.float32(-0.5) * distance**2)
        mel = mel + curve
        if has_speech and rng.random() < 0.22:
            under = self.background(len(mel))
            under += np.float32(loudness(mel) - loudness(under) - rng.uniform(0.8, 2.6))
            mel = add_power(mel, under)
        if rng.random() < 0.75:
            mel = add_power(mel, self.noise_floor(len(mel), mel.max() if has_speech else None))
        if rng.random() < 0.12:  # lost packets
            for _ in range(rng.randint(1, 8)):
                at = rng.randrange(len(mel))
                mel[at : at + rng.randint(2, 6)] = mel.min()
        top = max(mel.max(), FLOOR) + (rng.uniform(0, 0.8) if rng.random() < 0.25 else 0)
        mel = (np.maximum(np.maximum(mel, FLOOR), top - 8) + 4) * np.float32(0.25)
        if rng.random() < 0.3:
            first = rng.randint(0, 50)
            mel[:, first : first + rng.randint(1, 8)] = mel.mean()
        if rng.random() < 0.3:
            first = rng.randint(0, len(mel) - 1)
            mel[first : first + rng.randint(2, 12)] = mel.min()
        return mel


def add_power(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """log10(10^first + 10^second)"""
    difference = np.abs(first - second) * np.float32(-2.3026)
    return np.maximum(first, second) + np.float32(0.4343) * np.log1p(np.exp(difference))


def loudness(mel: np.ndarray) -> float:
    """log10 of the mean power of the louder half of the frames."""
    power = np.sort((10.0 ** mel[::4]).mean(1))
    return float(np.log10(power[len(power) // 2 :].mean() + 1e-10))


def stamp(time_s: float) -> int:
    return round(min(max(time_s, 0.0), 30.0) / TIMESTAMP_GRID_S)
