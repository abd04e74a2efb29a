"""Windows → batches: what the decoder is given, what it must answer, and where in the sound each answer lies."""

import dataclasses

import numpy as np

from tokens import SPECIAL
from windows import (
    AUDIO_POSITIONS_PER_S,
    FIRST_STAMP_LIMIT,
    HAND_OVER_LEAD_S,
    HAND_OVER_S,
    NO_PHONE,
    Segment,
    WindowMaker,
    stamp,
)

IGNORED = -1
WINDOW_POSITIONS = 1500


@dataclasses.dataclass(frozen=True)
class Mixture:
    """One kind of batch."""

    lengths_s: tuple[float, ...]
    kinds: dict[str, float]  # dense, pack, one, silent → share
    run_share: float  # share of random runs of words instead of whole utterances
    corrupt_share: float  # share of given tokens replaced, so that the decoder does not trust its own text
    random_positions: bool = False  # short windows anywhere in the 30 s: teaches all positions
    prompt_share: float = 0.0
    stampless_share: float = 0.15


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of the embedding table: text tokens and the five special ones, then time stamps."""

    end_of_text: int
    start: int
    previous: int
    no_speech: int
    no_timestamps: int
    first_stamp: int

    @classmethod
    def of(cls, used_tokens: list[int]) -> "Rows":
        row = {token: index for index, token in enumerate(used_tokens)}
        return cls(*(row[token] for token in SPECIAL), first_stamp=len(used_tokens))

    @property
    def special(self) -> list[int]:
        return [self.end_of_text, self.start, self.previous, self.no_speech, self.no_timestamps]

    def is_text(self, row: int) -> bool:
        return row < self.first_stamp and row not in self.special


@dataclasses.dataclass
class Answer:
    given: list[int]
    expected: list[int]
    spans_s: list[tuple[float, float] | None]  # where each expected token is heard, from the answer's first token on
    head: int  # how many given tokens come before the first answer


class BatchMaker:
    def __init__(self, windows: WindowMaker, rows: Rows, silence_labels: tuple[int, int]):
        self.windows, self.rows, self.silence_labels = windows, rows, silence_labels
        self.rng, self.utterances = windows.rng, windows.utterances

    def make(self, mixture: Mixture, batch_s: float) -> dict:
        length_s = self.rng.choice(mixture.lengths_s)
        size = max(1, round(batch_s / length_s))
        positions = round(length_s * AUDIO_POSITIONS_PER_S)
        mels, labels, answers, first_positions, heard_words, speech_s = [], [], [], [], [], 0.0
        while len(mels) < size:
            kind = self.rng.choices(list(mixture.kinds), list(mixture.kinds.values()))[0]
            mel, phones, segments = self.windows.window(length_s, kind, mixture.run_share)
            if not segments and kind != "silent":
                continue
            first_position = self.rng.randint(0, WINDOW_POSITIONS - positions) if mixture.random_positions else 0
            answer = self.answer(segments, mixture, length_s, first_position)
            if len(answer.given) > 240:
                continue
            index = len(mels)
            for segment in segments:
                speech_s += min(segment.words[-1].end_s, length_s) - segment.words[0].begin_s
                heard_words += self._heard_words(segment, index * positions, positions, length_s)
            phones = phones.astype(np.int64)
            phones[phones == NO_PHONE] = self.silence_labels[self.rng.random() < 0.6]
            mels.append(self.windows.channel(mel, bool(segments)))
            labels.append(phones)
            answers.append(answer)
            first_positions.append(first_position)
        return dict(
            audio_s=length_s * size,
            speech_share=speech_s / (length_s * size),
            mel=np.stack(mels).transpose(0, 2, 1).copy(),
            phones=np.stack(labels),
            first_positions=np.array(first_positions) if mixture.random_positions else None,
            heard_words=np.array(heard_words or [(0, 0)]),
            **self._pad(answers, positions),
        )

    def answer(self, segments: list[Segment], mixture: Mixture, length_s: float, first_position: int) -> Answer:
        """The tokens for a window: <begin> text <end> for each utterance up to the hand-over, then the end of text."""
        rng, rows = self.rng, self.rows
        offset_s = first_position / AUDIO_POSITIONS_PER_S
        has_stamps = rng.random() >= mixture.stampless_share
        expected: list[tuple[int, tuple[float, float] | None]] = []

        def add_stamp(at_s: float, before_s: float, after_s: float):
            expected.append((rows.first_stamp + stamp(at_s + offset_s), (at_s - before_s, at_s + after_s)))

        for number, segment in enumerate(segments):
            begin_s, end_s = segment.words[0].begin_s, segment.words[-1].end_s
            if has_stamps and number and (segment.is_cut or (begin_s >= HAND_OVER_S and not first_position)):
                previous_end_s = segments[number - 1].words[-1].end_s
                add_stamp(max(begin_s - HAND_OVER_LEAD_S, previous_end_s), 0.2, 0.5)
                break
            if has_stamps:
                add_stamp(begin_s, 0.2, 0.3)
            expected += self._text(segment, length_s)
            if segment.is_cut:
                break
            if has_stamps:
                add_stamp(end_s, 0.3, 0.2)
        if not segments and has_stamps:
            expected = [(rows.no_speech if rng.random() < 0.75 else rows.first_stamp, None)]
        expected.append((rows.end_of_text, None))

        given = [row for row, _ in expected[:-1]]
        if not segments and has_stamps:
            given = [rows.first_stamp]
        limit = rows.first_stamp + FIRST_STAMP_LIMIT
        if has_stamps and segments and given[0] > limit and rng.random() < 0.6:
            given[0] = rows.first_stamp + rng.randint(0, FIRST_STAMP_LIMIT)
        given = [
            self._any_text_row() if rows.is_text(row) and rng.random() < mixture.corrupt_share else row for row in given
        ]
        head = self._prompt(mixture) + [rows.start] + ([] if has_stamps else [rows.no_timestamps])
        skipped = len(head) - 1
        return Answer(
            given=head + given,
            expected=[IGNORED] * skipped + [row for row, _ in expected],
            spans_s=[span for _, span in expected],
            head=skipped,
        )

    def _any_text_row(self) -> int:
        word = self.rng.choice(self.rng.choice(self.utterances.pool(self.rng)).words)
        return self.utterances.spans(word.text)[0].row

    def _text(self, segment: Segment, length_s: float) -> list[tuple[int, tuple[float, float] | None]]:
        expected = []
        for word in segment.words:
            if segment.is_cut and word.end_s > length_s - 0.08:
                break
            length = word.end_s - word.begin_s
            for span in self.utterances.spans(word.text):
                begin_s, end_s = word.begin_s + length * span.begin_share, word.begin_s + length * span.end_share
                expected.append((span.row, (begin_s, end_s) if span.is_spoken else (begin_s - 0.1, begin_s + 0.2)))
        return expected

    def _prompt(self, mixture: Mixture) -> list[int]:
        """Earlier text, as whisper.cpp gives it by default."""
        if self.rng.random() >= mixture.prompt_share:
            return []
        text: list[int] = []
        while len(text) < self.rng.randint(5, 100):
            utterance = self.rng.choice(self.utterances.pool(self.rng))
            text += [span.row for word in utterance.words for span in self.utterances.spans(word.text)]
        return [self.rows.previous, *text[:120]]

    def _heard_words(self, segment: Segment, base: int, positions: int, length_s: float) -> list[tuple[int, int]]:
        """(position in the batch, row): which token is being spoken there."""
        heard = []
        for word in segment.words:
            if word.end_s >= length_s:
                continue
            for span in self.utterances.spans(word.text):
                if not (span.is_spoken and span.has_own_time):
                    continue
                for share in (0.3, 0.6, 0.85):
                    within = span.begin_share + (span.end_share - span.begin_share) * share
                    at_s = word.begin_s + (word.end_s - word.begin_s) * within
                    heard.append((base + min(positions - 1, int(at_s * AUDIO_POSITIONS_PER_S)), span.row))
        return heard

    def _pad(self, answers: list[Answer], positions: int) -> dict[str, np.ndarray]:
        longest = max(len(answer.given) for answer in answers)
        given = np.zeros((len(answers), longest), np.int64)
        expected = np.full((len(answers), longest), IGNORED, np.int64)
        where = np.zeros((len(answers), longest, positions), np.float32)
        for index, answer in enumerate(answers):
            given[index, : len(answer.given)] = answer.given
            expected[index, : len(answer.expected)] = answer.expected
            for number, span in enumerate(answer.spans_s):
                if span:
                    begin = max(0, int((span[0] - 0.08) * AUDIO_POSITIONS_PER_S))
                    end = max(1, int((span[1] + 0.08) * AUDIO_POSITIONS_PER_S))
                    where[index, answer.head + number, begin:end] = 1
        return dict(given=given, expected=expected, where=where)
