"""A third modality: sounds, with everything that `wsr` has to know of them."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.identity import content_hash
from wsr.metrics.features import Extractor
from wsr.modalities import Modality, Resolutions
from wsr.modalities.targets import Batch, Evaluator, Targets
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Stage
from wsr.render.decode import evaluate_in_chunks

RATE, LENGTH = 8000, 256


class Sound(Modality):
    """Sounds. A content is a waveform (t,) of float32 in [-1, 1]; a field's value is the pressure at a time in [-1,
    1]."""

    name, dim, channels, noun, plural = "sound", 1, 1, "sound", "sounds"
    measure, unit, title = "snr", "dB", "SNR (dB)"
    poor, tolerance, negligible, too_fine = 3.0, 0.05, 0.2, "more overtones"
    default_base, folder, files, suffix = "sounds", "sounds", (".wav",), ".wav"
    resolutions = Resolutions.of(LENGTH)

    def preset(self, name):
        sizes = FieldConfig(1, 32, 2, 12.0, 8, 2, 16, 24, 2, modality="sound")
        schedule = BaseTrainingConfig((Stage(150, 8, 64, 3e-3),), ema=0.9)
        return PresetConfig(LENGTH, sizes, FitConfig(60, 128, 4, lr=3e-2, betas=(0.7, 0.85)), schedule)

    def recognises(self, given):
        if isinstance(given, (str, Path)):
            return Path(given).suffix.lower() in self.files
        return getattr(given, "ndim", 0) == 1

    def unbatched(self, array):
        return [array] if array.ndim == 1 else list(array) if array.ndim == 2 else None

    def read(self, given, longest=None):
        if isinstance(given, (str, Path)):
            with wave.open(str(given)) as file:
                given = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        given = np.asarray(given, np.float32)
        if given.ndim != 1 or not np.abs(given).max() <= 1:
            raise WsrError("A sound is a waveform (t,) of values in [-1, 1].")
        return given[:longest]

    def content_parts(self, content):
        return [np.round(content * 32767).astype("<i2")]

    def load_folder(self, folder):
        paths = sorted(Path(folder).glob("*.wav"))
        held = {path: "heldout" if i % 3 == 2 else "train" for i, path in enumerate(paths)}
        return Signals(f"sounds:{folder}", 1, [self.signal(p.stem, self.read(p), "", held[p]) for p in paths], self)

    def examples(self):
        return [self.signal(f"tone {i}", tone(i), split="heldout") for i in (21, 22)]

    def samples(self, signals):
        return torch.from_numpy(np.stack([signal.read() for signal in signals]))

    def targets(self, samples, device="cpu", seed=0):
        return SoundTargets(samples.to(device), seed)

    def evaluator(self, signals, samples, points):
        return SoundEvaluator(samples)

    def decode(self, model, weights, resolution, aspect):
        times = self.places(resolution)
        return evaluate_in_chunks(model, weights, times)[..., 0].clamp(-1, 1).cpu().numpy()

    def picture(self, decoded, size=None):
        """Draws the waveform, dark on white."""
        heights = np.linspace(1, -1, size or 64)[:, None]  # (h, 1)
        inside = np.abs(heights) <= np.abs(np.interp(np.linspace(0, 1, size or 64), *_axis(decoded)))
        return np.repeat(np.where(inside, 40, 255).astype(np.uint8)[..., None], 3, 2)

    def save(self, decoded, path):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.round(decoded * 32767).astype("<i2").tobytes())

    def extractor(self):
        return Spectrum()


def _axis(decoded):
    return np.linspace(0, 1, len(decoded)), decoded


class Spectrum(Extractor):
    """Magnitudes of the lowest frequencies."""

    name, size = "spectrum", 8

    def check(self, items):
        assert items.ndim == 2

    def features(self, items):
        return torch.fft.rfft(items).abs()[:, : self.size] / items.shape[1]


SOUND = Sound()


class SoundTargets(Targets):
    modality = SOUND

    def __init__(self, waves: Float[Tensor, "n t"], seed: int):
        self.waves, self.seed, self.times = waves, seed, SOUND.places(waves.shape[1])[0].to(waves.device)

    def __len__(self):
        return len(self.waves)

    @property
    def device(self):
        return self.waves.device

    def batch(self, step, count, rows=slice(None)):
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        chosen = torch.randperm(len(self.times), generator=generator)[:count]
        return Batch(self.times[chosen][None], self.waves[rows][:, chosen, None])

    def draw(self, i, count, generator):
        chosen = torch.randint(len(self.times), (count,), generator=generator)
        return self.times[chosen], self.waves[i, chosen, None]

    def loss(self, values, batch):
        return (values - batch.values).square().mean((1, 2))

    def content_hash(self):
        return content_hash("sounds", self.waves)


@dataclass
class SoundEvaluator(Evaluator):
    waves: Float[Tensor, "n t"]

    def quality(self, representation, weights, quick=False):
        """Signal-to-noise ratio in dB."""
        found = evaluate_in_chunks(representation, weights, SOUND.places(self.waves.shape[1]))[..., 0].cpu()
        noise = (found - self.waves).square().mean(1).clamp_min(1e-10)
        return (10 * torch.log10(self.waves.square().mean(1) / noise)).numpy()


def tone(i: int) -> Float[np.ndarray, "t"]:
    time = np.linspace(0, 1, LENGTH)
    return (0.6 * np.sin(2 * np.pi * (2 + i % 5) * time + i) * np.exp(-(1 + i % 3) * time)).astype(np.float32)
