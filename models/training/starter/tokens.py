"""GPT-2 byte-pair tokens as whisper.cpp's English-only models number them."""

import base64
import functools
import pathlib
import re

END_OF_TEXT = 50256
START_OF_TRANSCRIPT = 50257
PREVIOUS_TEXT = 50360
NO_SPEECH = 50361
NO_TIMESTAMPS = 50362
FIRST_TIMESTAMP = 50363
VOCABULARY = 51864
SPECIAL = [END_OF_TEXT, START_OF_TRANSCRIPT, PREVIOUS_TEXT, NO_SPEECH, NO_TIMESTAMPS]

TIMESTAMP_STEP = 5  # only every fifth of whisper's 0.02 s stamps is used: a grid of 0.1 s
TIMESTAMP_GRID_S = TIMESTAMP_STEP * 0.02


class Tokens:
    """Byte-pair encoding of written words; digits are always tokens of their own."""

    def __init__(self, assets: pathlib.Path):
        lines = (assets / "gpt2.tiktoken").read_bytes().splitlines()
        self.rank = {base64.b64decode(text): int(rank) for text, rank in (line.split() for line in lines if line)}
        self.text = {rank: text for text, rank in self.rank.items()}
        self._merge = functools.lru_cache(maxsize=None)(self._merge_uncached)

    def _merge_uncached(self, piece: bytes) -> tuple[int, ...]:
        parts = [bytes([byte]) for byte in piece]
        while len(parts) > 1:
            ranks = [self.rank.get(left + right, 1 << 30) for left, right in zip(parts, parts[1:])]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == 1 << 30:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        return tuple(self.rank[part] for part in parts)

    def encode_word(self, word: str) -> list[int]:
        """One written word, with the space in front of it."""
        pieces = re.findall(r" ?\d| ?[A-Za-z]+| ?[^A-Za-z\d ]", " " + word)
        return [token for piece in pieces for token in self._merge(piece.encode())]

    def decode(self, tokens: list[int]) -> str:
        return b"".join(self.text.get(token, b"") for token in tokens if token < END_OF_TEXT).decode("utf8", "replace")
