"""The speaker encoder: 16 kHz samples of one window → a vector of length 1 that says whose voice it is.

Resemblyzer's VoiceEncoder (40 mel bands of power, LSTM 3 × 256, linear, ReLU; Wan et al., "Generalized end-to-end loss for speaker
verification", 2018) with its front end inside, so that one ONNX file takes samples and nothing has to be computed the same way twice."""

import librosa
import numpy as np
import torch
from torch import nn

SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 25_600  # 1.6 s, what Resemblyzer was trained on
FRAME, HOP, BANDS = 400, 160, 40
LEVEL_DBFS = -30.0


class SpeakerEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        angle = 2 * np.pi * np.outer(np.arange(FRAME // 2 + 1), np.arange(FRAME)) / FRAME
        hann = np.hanning(FRAME + 1)[:-1]
        waves = np.concatenate([np.cos(angle) * hann, -np.sin(angle) * hann])
        self.spectrum = nn.Conv1d(1, FRAME + 2, FRAME, stride=HOP, bias=False)
        self.spectrum.weight = nn.Parameter(torch.tensor(waves[:, None], dtype=torch.float32), requires_grad=False)
        mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=FRAME, n_mels=BANDS)
        self.mel = nn.Parameter(torch.tensor(mel.T, dtype=torch.float32), requires_grad=False)
        self.lstm = nn.LSTM(BANDS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def mels(self, samples: torch.Tensor) -> torch.Tensor:
        """(windows, samples) → (windows, frames, bands), every window brought to the same level first."""
        power = samples.square().mean(1, keepdim=True)
        samples = samples * torch.sqrt(10 ** (LEVEL_DBFS / 10) / (power + 1e-10))
        waves = self.spectrum(samples[:, None])
        spectrum = waves[:, : FRAME // 2 + 1].square() + waves[:, FRAME // 2 + 1 :].square()
        return spectrum.transpose(1, 2) @ self.mel

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """(windows, samples) → (windows, 256)."""
        last = self.lstm(self.mels(samples))[0][:, -1]
        vector = torch.relu(self.linear(last))
        return vector / (vector.square().sum(1, keepdim=True) + 1e-10).sqrt()


def base() -> SpeakerEncoder:
    """With the weights that the package resemblyzer brings."""
    import importlib.util
    import pathlib

    folder = pathlib.Path(importlib.util.find_spec("resemblyzer").origin).parent
    state = torch.load(folder / "pretrained.pt", map_location="cpu", weights_only=True)["model_state"]
    encoder = SpeakerEncoder()
    own = {name: value for name, value in state.items() if name.startswith(("lstm.", "linear."))}
    missing, unexpected = encoder.load_state_dict(own, strict=False)
    assert set(missing) == {"spectrum.weight", "mel"} and not unexpected, (missing, unexpected)
    return encoder
