"""The Whisper architecture at 192 channels, with two helper heads that exist only while training."""

import math
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from tokens import TIMESTAMP_STEP

SAMPLE_RATE = 16_000
MEL_BANDS = 80
AUDIO_POSITIONS = 1500  # 0.02 s each: the 30 s window
TEXT_POSITIONS = 448
POSITION_CHANNELS = 64  # the position code lives in the first channels only; whisper.cpp reads the table from the file

# Frequencies of the position code: dense for neighbours, sparse for the whole window.
_FREQUENCIES = torch.cat(
    [torch.logspace(math.log10(1.5), math.log10(0.06), 24), torch.logspace(math.log10(0.05), math.log10(0.002), 8)]
)
# Where the encoder's heads look at the start of training, in positions relative to their own (None: anywhere).
_HEAD_SHIFTS = [(-3, 0, 3), (-7, 1, 7), (-12, None, 12), (-4, None, 4)]


def load_mel_filters(assets: pathlib.Path) -> torch.Tensor:
    return torch.from_numpy(np.load(assets / "mel_filters.npz")["mel_80"])


def mel_power(wave: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """[samples] or [batch, samples] → mel power [.., 80, samples / 160]."""
    spectrum = torch.stft(wave, 400, 160, window=torch.hann_window(400), return_complex=True)[..., :-1]
    return filters @ (spectrum.real**2 + spectrum.imag**2)


def sinusoids(length: int, channels: int) -> torch.Tensor:
    inverse = torch.exp(-math.log(10000) / (channels // 2 - 1) * torch.arange(channels // 2))
    angle = torch.arange(length)[:, None] * inverse[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


def position_code(length: int, channels: int) -> torch.Tensor:
    angle = torch.arange(length)[:, None] * _FREQUENCIES[None]
    code = torch.zeros(length, channels)
    code[:, : POSITION_CHANNELS // 2] = angle.sin()
    code[:, POSITION_CHANNELS // 2 : POSITION_CHANNELS] = angle.cos()
    return code


class Attention(nn.Module):
    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x, source=None, causal=False, want_weights=False):
        source = x if source is None else source
        query, key, value = self._split(self.query(x)), self._split(self.key(source)), self._split(self.value(source))
        weights = None
        if want_weights:
            weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
            mixed = weights @ value
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.out(mixed.transpose(1, 2).reshape(x.shape)), weights


class Block(nn.Module):
    def __init__(self, channels: int, heads: int, is_decoder: bool):
        super().__init__()
        self.is_decoder = is_decoder
        self.attn, self.attn_ln = Attention(channels, heads), nn.LayerNorm(channels)
        if is_decoder:
            self.cross_attn, self.cross_attn_ln = Attention(channels, heads), nn.LayerNorm(channels)
        # whisper.cpp uses GELU's tanh form; they differ by less than 1e-3 and this one trains twice as fast.
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))
        self.mlp_ln = nn.LayerNorm(channels)

    def forward(self, x, audio=None):
        x = x + self.attn(self.attn_ln(x), causal=self.is_decoder)[0]
        weights = None
        if self.is_decoder:
            heard, weights = self.cross_attn(self.cross_attn_ln(x), audio, want_weights=True)
            x = x + heard
        return x + self.mlp(self.mlp_ln(x)), weights


class Encoder(nn.Module):
    def __init__(self, channels: int, heads: int, layers: int):
        super().__init__()
        self.conv1 = nn.Conv1d(MEL_BANDS, channels, 3, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", position_code(AUDIO_POSITIONS, channels))
        self.blocks = nn.ModuleList([Block(channels, heads, False) for _ in range(layers)])
        self.ln_post = nn.LayerNorm(channels)

    def forward(self, mel: torch.Tensor, first_position: torch.Tensor | None = None) -> torch.Tensor:
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        if first_position is None:
            x = x + self.positional_embedding[: x.shape[1]]
        else:
            x = x + self.positional_embedding[first_position[:, None] + torch.arange(x.shape[1])[None]]
        for block in self.blocks:
            x, _ = block(x)
        return self.ln_post(x)


class Decoder(nn.Module):
    """Only token rows that occur in the training text have an embedding; time stamps have a smooth one."""

    def __init__(self, channels: int, heads: int, layers: int, used_tokens: list[int]):
        super().__init__()
        self.timestamps = list(range(0, 1501, TIMESTAMP_STEP))
        self.emb = nn.Parameter(torch.randn(len(used_tokens), channels) * 0.02)
        share = torch.tensor(self.timestamps, dtype=torch.float32) / 1500
        octave = 2 ** torch.arange(0, 9).float() * math.pi
        one = torch.ones(len(self.timestamps), 1)
        waves = [(share[:, None] * octave).sin(), (share[:, None] * octave).cos()]
        basis = torch.cat([one, share[:, None] * 2 - 1, *waves], 1)
        self.register_buffer("ts_basis", basis)
        self.ts_w = nn.Parameter(torch.randn(basis.shape[1], channels) * 0.02)
        self.ts_free = nn.Parameter(torch.zeros(len(self.timestamps), channels))
        self.positional_embedding = nn.Parameter(sinusoids(TEXT_POSITIONS, channels) * 0.05)
        self.blocks = nn.ModuleList([Block(channels, heads, True) for _ in range(layers)])
        self.ln = nn.LayerNorm(channels)
        # The last channel of the final layer norm is the constant 1: it carries a bias that silences unused tokens.
        mask = torch.ones(channels)
        mask[-1] = 0
        self.register_buffer("lnm", mask)

    def table(self) -> torch.Tensor:
        return torch.cat([self.emb, self.ts_basis @ self.ts_w + self.ts_free])

    def final_norm(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.ln.weight * self.lnm, self.ln.bias * self.lnm + (1 - self.lnm)

    def forward(self, rows: torch.Tensor, audio: torch.Tensor):
        table = self.table()
        x = F.embedding(rows, table) + self.positional_embedding[: rows.shape[1]]
        all_weights = []
        for block in self.blocks:
            x, weights = block(x, audio)
            all_weights.append(weights)
        x = F.layer_norm(x, (x.shape[-1],), *self.final_norm())
        return x @ table.t(), all_weights


class Recogniser(nn.Module):
    def __init__(self, channels=192, heads=3, encoder_layers=4, decoder_layers=3, used_tokens=(), phones=0):
        super().__init__()
        self.encoder = Encoder(channels, heads, encoder_layers)
        self.decoder = Decoder(channels, heads, decoder_layers, list(used_tokens))
        self.phone = nn.Linear(channels, phones)  # which phone is spoken at a position
        self.wproj = nn.Linear(channels, channels)  # which word is spoken at a position
        for module in self.modules():
            if isinstance(module, nn.Linear):
                square = module.weight.shape[0] == module.weight.shape[1]
                nn.init.normal_(module.weight, std=channels**-0.5 * 0.5 if square else 0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self._start_local(heads)

    @torch.no_grad()
    def _start_local(self, heads: int):
        """Starts the encoder's heads as shifted windows: the query turns the position code, the key copies it."""
        half = POSITION_CHANNELS // 2
        index = torch.arange(half)
        for block, shifts in zip(self.encoder.blocks, _HEAD_SHIFTS):
            for head, shift in list(enumerate(shifts))[:heads]:
                if shift is None:
                    continue
                rows = slice(64 * head, 64 * head + 64)
                cosine, sine = (_FREQUENCIES * shift).cos(), (_FREQUENCIES * shift).sin()
                turn = torch.zeros(64, 64)
                turn[index, index], turn[index, half + index] = cosine, -sine
                turn[half + index, half + index], turn[half + index, index] = cosine, sine
                block.attn.query.weight[rows] *= 0.3
                block.attn.key.weight[rows] *= 0.3
                block.attn.query.weight[rows, :POSITION_CHANNELS] = 1.1 * turn
                block.attn.key.weight[rows, :POSITION_CHANNELS] = 1.1 * torch.eye(64)
        self.encoder.conv1.weight *= 2
        self.encoder.conv2.weight *= 4
        self.encoder.conv2.weight[:POSITION_CHANNELS] *= 0.05
        self.encoder.conv2.bias[:POSITION_CHANNELS] = 0


def from_config(config: dict) -> Recogniser:
    """The configuration keys are those of the first edition's weights."""
    return Recogniser(
        config["d"], config["h"], config["ne"], config["nd"], used_tokens=config["used"], phones=config["nphone"]
    )
