"""The overlap detector: 16 kHz samples → for every 20 ms the log-odds that two people speak at once.

Two voices at once have two rows of harmonics: so the front end keeps 15.6 Hz, convolutions over frequency find what rows there are, and dilated
convolutions over time (1.26 s in all) tell a second voice from a change of sound. The front end is inside, so that one ONNX file takes samples."""

import numpy as np
import torch
from scipy.signal import firwin
from torch import nn

SAMPLE_RATE, TELEPHONE_RATE = 16_000, 8_000
HOP_S = 0.02
FRAME, HOP, GRID = 400, 160, 512  # samples at 8 kHz: 50 ms, 20 ms, grid of 15.6 Hz
BINS = range(8, 200)  # 125 … 3,110 Hz
WIDTH = 64


class Halve(nn.Module):
    """16 → 8 kHz."""

    def __init__(self):
        super().__init__()
        self.register_buffer("taps", torch.tensor(firwin(31, 3_600, fs=SAMPLE_RATE), dtype=torch.float32)[None, None])

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv1d(samples[:, None], self.taps, stride=2, padding=15)[:, 0]


class Spectrum(nn.Module):
    """(windows, samples at 8 kHz) → (windows, 1, frames, bins): logarithms of power, each window with mean 0 and variance 1. Frame n has its middle at
    (n + ½) · 20 ms."""

    def __init__(self):
        super().__init__()
        angle = 2 * np.pi * np.outer(BINS, np.arange(FRAME)) / GRID
        hann = np.hanning(FRAME + 1)[:-1]
        waves = np.concatenate([np.cos(angle) * hann, np.sin(angle) * hann])
        self.register_buffer("waves", torch.tensor(waves[:, None], dtype=torch.float32))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        power = samples.square().mean(1, keepdim=True)
        level = samples / (power + 1e-10).sqrt()
        waves = nn.functional.conv1d(level[:, None], self.waves, stride=HOP, padding=(FRAME - HOP) // 2)
        count = len(BINS)
        log = (waves[:, :count].square() + waves[:, count:].square() + 0.01).log().transpose(1, 2)
        mean = log.mean((1, 2), keepdim=True)
        spread = (log - mean).square().mean((1, 2), keepdim=True)
        return ((log - mean) / (spread + 1e-4).sqrt())[:, None]


class Detector(nn.Module):
    """(windows, samples at 8 kHz) → (windows, frames)."""

    def __init__(self):
        super().__init__()

        def over_frequency(into, out, kernel):
            convolution = nn.Conv2d(into, out, (1, kernel), stride=(1, 2), padding=(0, kernel // 2), bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())

        def over_time(dilation):
            convolution = nn.Conv1d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm1d(WIDTH), nn.ReLU())

        self.spectrum = Spectrum()
        self.rows = nn.Sequential(over_frequency(1, 16, 9), over_frequency(16, 16, 7), over_frequency(16, 24, 5))
        self.frame = nn.Sequential(nn.Conv1d(24 * len(BINS) // 8, WIDTH, 1, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU())
        self.time = nn.ModuleList(over_time(dilation) for dilation in (1, 2, 4, 8, 16))
        self.out = nn.Conv1d(WIDTH, 1, 1)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        rows = self.rows(self.spectrum(samples))  # windows, channels, frames, bins / 8
        here = self.frame(rows.transpose(2, 3).flatten(1, 2))
        for layer in self.time:
            here = here + layer(here)
        return self.out(here)[:, 0]
