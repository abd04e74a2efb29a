"""What a telephone line does to sound: band, equaliser, reverberation, codecs, noise, level."""

import math
import pathlib
import subprocess
import tempfile

import numpy as np
import scipy.io.wavfile
from scipy.signal import butter, resample_poly, sosfiltfilt

TELEPHONE_RATE = 8_000
# ffmpeg arguments of the codecs that call recordings come in; every one at 8 kHz.
CODECS = {
    "mp3-24k": ("mp3", ["-c:a", "libmp3lame", "-b:a", "24k"]),
    "mp3-32k": ("mp3", ["-c:a", "libmp3lame", "-b:a", "32k"]),
    "gsm": ("gsm", ["-c:a", "libgsm"]),
    "g726-32k": ("wav", ["-c:a", "g726", "-b:a", "32k"]),
    "opus-12k": ("ogg", ["-c:a", "libopus", "-b:a", "12k", "-application", "voip"]),
    "speex": ("ogg", ["-c:a", "libspeex"]),
}


def mulaw(wave: np.ndarray) -> np.ndarray:
    """Through µ-law and back (−1…1)."""
    steps = np.round(np.log1p(255 * np.abs(wave)) / math.log(256) * 127)
    return (np.sign(wave) * np.expm1(steps / 127 * math.log(256)) / 255).astype(np.float32)


def telephone_band(wave: np.ndarray, rate_hz: int) -> np.ndarray:
    """300–3400 Hz without shifting anything in time."""
    return sosfiltfilt(butter(2, [300, 3400], "band", fs=rate_hz, output="sos"), wave).astype(np.float32)


def frame_levels(wave: np.ndarray, rate_hz: int, frame_s: float = 0.02) -> np.ndarray:
    size = int(rate_hz * frame_s)
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    return np.sqrt((frames**2).mean(1) + 1e-12)


def active_level(wave: np.ndarray, rate_hz: int) -> float:
    """RMS of the frames with speech in them: those less than 30 dB below the loudest."""
    levels = frame_levels(wave, rate_hz)
    return float(np.sqrt((levels[levels > levels.max() * 10**-1.5] ** 2).mean()))


def line_noise(generator: np.random.Generator, count: int, rate_hz: int = TELEPHONE_RATE) -> np.ndarray:
    """Telephone-like noise with an RMS of 1: between white and pink, in the telephone band, sometimes with mains hum."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / rate_hz), 20)
    noise = telephone_band(np.fft.irfft(spectrum * hertz ** -generator.uniform(0, 0.6), count), rate_hz)
    noise /= np.sqrt((noise**2).mean())
    if generator.random() < 0.3:
        time_s = np.arange(count) / rate_hz
        mains_hertz = generator.choice([50, 60])
        hum = sum(np.sin(2 * np.pi * mains_hertz * k * time_s + k) / k for k in (1, 3, 5))
        noise = noise + 0.4 * hum
    return (noise / np.sqrt((noise**2).mean())).astype(np.float32)


def through_codec(wave: np.ndarray, rate_hz: int, codec: str) -> np.ndarray:
    """Through one of CODECS at 8 kHz; the codec's delay is taken out again."""
    suffix, arguments = CODECS[codec]
    with tempfile.TemporaryDirectory() as name:
        plain, coded, back = (pathlib.Path(name) / file for file in ("plain.wav", f"coded.{suffix}", "back.wav"))
        scipy.io.wavfile.write(plain, rate_hz, (np.clip(wave, -1, 1) * 32767).astype(np.int16))
        quiet = ["ffmpeg", "-v", "error", "-y"]
        subprocess.run([*quiet, "-i", plain, "-ar", "8000", "-ac", "1", *arguments, coded], check=True)
        subprocess.run([*quiet, "-i", coded, "-ar", str(rate_hz), "-ac", "1", "-c:a", "pcm_s16le", back], check=True)
        _, samples = scipy.io.wavfile.read(back)
    decoded = samples.astype(np.float32) / 32768
    shift = _delay(wave, decoded, rate_hz)
    decoded = decoded[shift:] if shift >= 0 else np.concatenate([np.zeros(-shift, np.float32), decoded])
    return np.pad(decoded, (0, max(0, len(wave) - len(decoded))))[: len(wave)]


def _delay(original: np.ndarray, decoded: np.ndarray, rate_hz: int) -> int:
    """By how many samples `decoded` comes late, from the cross-correlation of up to 30 s."""
    count = min(len(original), len(decoded), 30 * rate_hz)
    size = 2 ** math.ceil(math.log2(2 * count))
    product = np.fft.rfft(decoded[:count], size) * np.conj(np.fft.rfft(original[:count], size))
    correlation = np.fft.irfft(product, size)
    limit = rate_hz // 5
    late, early = correlation[:limit], correlation[-limit:]
    return int(late.argmax()) if late.max() >= early.max() else int(early.argmax()) - limit


def random_telephone(wave: np.ndarray, generator: np.random.Generator, rate_hz: int = 16_000) -> np.ndarray:
    """A random channel for training: tilt, resonances, light reverberation, mostly a telephone's band, µ-law, noise,
    and a level from loud to very quiet."""
    count = len(wave)
    even = count + (count & 1)
    spectrum = np.fft.rfft(wave, even).astype(np.complex64)
    hertz = np.linspace(0, rate_hz / 2, len(spectrum), dtype=np.float32)
    gain_db = generator.uniform(-4, 4) * np.log2(np.maximum(hertz, 60) / 1000) * 0.5
    for _ in range(2):
        distance = (hertz - np.float32(generator.uniform(200, 3800))) / np.float32(generator.uniform(100, 700))
        gain_db = gain_db + np.float32(generator.uniform(-4, 4)) * np.exp(np.float32(-0.5) * distance**2)
    if generator.random() < 0.1:
        length = int(rate_hz * generator.uniform(0.05, 0.25))
        echo = (
            generator.standard_normal(length) * np.exp(-6 * np.arange(length) / length) * generator.uniform(0.02, 0.12)
        )
        response = np.zeros(even, np.float32)
        response[: min(length, even)] = echo[:even]
        response[0] = 1
        spectrum = spectrum * np.fft.rfft(response).astype(np.complex64)
    is_telephone = generator.random() < 0.88
    if is_telephone:
        low, high = generator.uniform(60, 320), generator.uniform(3200, 3900)
        gain_db = gain_db - 40 * np.clip((low - hertz) / low, 0, 1) - 90 * np.clip((hertz - high) / 150, 0, 1)
    sound = np.fft.irfft(spectrum * 10 ** (gain_db.astype(np.float32) / 20), even)[:count].astype(np.float32)
    quietest_db = -42 if generator.random() < 0.15 else -20
    sound *= 10 ** (generator.uniform(quietest_db, -1) / 20) / (np.abs(sound).max() + 1e-6)
    if generator.random() < 0.6:
        level = np.sqrt((sound**2).mean() + 1e-9) * 10 ** (-generator.uniform(10, 50) / 20)
        sound = sound + generator.standard_normal(count, dtype=np.float32) * np.float32(level)
    if is_telephone and generator.random() < 0.7:
        sound = resample_poly(mulaw(np.clip(resample_poly(sound, 1, 2), -1, 1)), 2, 1)[:count].astype(np.float32)
    return sound
