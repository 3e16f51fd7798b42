"""The second of the six additions, a modality: everything that `wsr` must know about sounds is in this file, and fields
of sounds go through base, fit, zoo, map, table and picture."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import wsr
from wsr.analysis.evaluation import evaluate
from wsr.analysis.projections import ProjectionConfig, project, to_table
from wsr.cli import main
from wsr.data import load_signals
from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base
from wsr.fitting.bases import train_base
from wsr.fitting.fit import representation_for
from wsr.identity import content_hash
from wsr.metrics.features import Extractor
from wsr.modalities import Modality, Resolutions, registered
from wsr.modalities.targets import Batch, Targets, Truth
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Stage
from wsr.render.decode import evaluate_in_chunks
from wsr.render.pictures import contact_sheet, draw_weights
from wsr.zoo import Zoo, build_zoo, check_zoo

RATE, LENGTH = 8000, 256


class Sound(Modality):
    """A content is a waveform (t,) of float32 in [-1, 1]; the value of a field is the pressure at a time in [-1, 1]."""

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

    def samples(self, signals):
        return torch.from_numpy(np.stack([signal.read() for signal in signals]))

    def targets(self, samples, device="cpu", seed=0):
        return SoundTargets(samples.to(device), seed)

    def truth(self, signals, samples, points):
        return SoundTruth(samples)

    def decode(self, model, weights, resolution, aspect):
        times = self.places(resolution)
        return evaluate_in_chunks(model, weights, times)[..., 0].clamp(-1, 1).cpu().numpy()

    def picture(self, decoded, size=None):
        """The waveform, dark on white."""
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
    """An extractor of the magnitudes of the lowest frequencies."""

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
class SoundTruth(Truth):
    waves: Float[Tensor, "n t"]

    def quality(self, representation, weights, quick=False):
        """Signal-to-noise ratio in dB."""
        found = evaluate_in_chunks(representation, weights, SOUND.places(self.waves.shape[1]))[..., 0].cpu()
        noise = (found - self.waves).square().mean(1).clamp_min(1e-10)
        return (10 * torch.log10(self.waves.square().mean(1) / noise)).numpy()


def tone(i: int) -> Float[np.ndarray, "t"]:
    time = np.linspace(0, 1, LENGTH)
    return (0.6 * np.sin(2 * np.pi * (2 + i % 5) * time + i) * np.exp(-(1 + i % 3) * time)).astype(np.float32)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Eighteen sounds in a folder, a base that was trained on them for a few steps, and a zoo of them."""
    folder, patched = tmp_path_factory.mktemp("sounds"), pytest.MonkeyPatch()
    patched.setenv("WSR_ASSETS", str(folder / "assets"))
    (folder / "wav").mkdir()
    with registered(SOUND):
        for i in range(18):
            SOUND.save(tone(i), folder / "wav" / f"tone{i:02d}.wav")
        signals = load_signals(f"sounds:{folder / 'wav'}")
        for _ in train_base(signals, folder / "assets/bases/sounds.safetensors"):
            pass
        made = Zoo.create(
            folder / "assets/zoos/sounds-mlora-asym", representation_for("mlora-asym", None, SOUND),
            dataset=signals.name, preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=60,
        )  # fmt: skip
        for _ in build_zoo(made, signals, workers=1):
            pass
        yield folder, signals
    patched.undo()


def test_its_base_says_what_it_has_learnt(sounds):
    base = load_base("sounds")
    assert base.info.modality == "sound" and base.modality is SOUND
    assert base.config.dim == 1 and base.config.outputs == 1


@pytest.mark.parametrize("name", wsr.representations)
def test_sounds_are_fitted_by_every_representation(sounds, name):
    folder, _ = sounds
    result = wsr.fit([str(folder / "wav/tone00.wav"), tone(1)], name)
    assert result.ids == ["tone00", "sound-1"] and result.modality is SOUND
    assert result.quality.min() > 1 and result.render().shape == (2, LENGTH)


def test_an_array_of_waves_is_a_batch_and_what_is_no_wave_is_refused(sounds):
    assert wsr.fit(np.stack([tone(0), tone(1)]), steps=1).ids == ["sound-0", "sound-1"]
    with pytest.raises(WsrError, match="waveform"):
        wsr.fit([3 * tone(0)], steps=1)
    with pytest.raises(WsrError, match="Sounds and images cannot be fitted in one batch"):
        wsr.fit([tone(0), np.zeros((8, 8, 3), np.float32)], steps=1)
    with pytest.raises(WsrError, match="This base is for sounds and the signals are images: use base='emoji'"):
        wsr.fit(np.zeros((1, 8, 8, 3), np.float32), base="sounds", steps=1)


def test_the_verdict_is_in_its_own_words(sounds):
    noise = np.random.default_rng(0).uniform(-1, 1, LENGTH).astype(np.float32)
    poor = wsr.fit(noise, steps=3).status[0]
    assert poor.startswith("poor: ") and "dB is below 3 dB; 3 steps may be too few" in poor
    assert "more overtones than these weights can hold" in wsr.fit(noise, steps=201, points=16).status[0]
    assert wsr.fit(tone(0), steps=200).status == ["ok"]


def test_weights_that_were_taken_home_open_again(sounds, tmp_path):
    result = wsr.fit(tone(0), steps=5)
    result.save(tmp_path / "tone.safetensors")
    again = wsr.load_weights(tmp_path / "tone.safetensors")
    assert again.modality is SOUND and np.allclose(again.render(), result.render(), atol=1e-6)


def test_a_zoo_of_sounds_opens_holds_and_decodes(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    assert zoo.modality is SOUND and zoo.meta["modality"] == "sound" and zoo.meta["dim"] == 1 and len(zoo) == 18
    assert zoo.resolution == LENGTH and zoo.decode(zoo.ids[:2]).shape == (2, LENGTH)
    report = check_zoo(zoo)
    assert report.ok and len(report.recomputed) == 18


def test_a_map_and_a_row_of_a_table(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    found = to_table(zoo.ids, [project(zoo.weights().numpy(), ProjectionConfig("pca", 2))])
    assert len(found) == 18 and np.isfinite(found[["x", "y"]].to_numpy()).all()
    good = zoo.good("train")["id"].tolist()
    table = evaluate(zoo.weights(good), zoo, zoo.modality.extractor(), count=3, repeats=2)
    row = table[table["set"] == "samples"].iloc[0]
    assert isinstance(row, pd.Series) and row["FD"] >= 0 and row["empty"] == 0


def test_pictures_for_the_page(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    pictures = draw_weights(zoo.representation, zoo.weights(zoo.ids[:3]), LENGTH, 48)
    assert all(picture.shape == (48, 48, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert all(10 < picture.min() < picture.max() == 255 for picture in pictures)
    assert contact_sheet(pictures, 3).shape == (48, 3 * 48 + 2 * 4, 3)


def test_the_command_line_fits_renders_and_lists(sounds, tmp_path, capsys):
    folder, _ = sounds
    out, again = tmp_path / "w.safetensors", tmp_path / "again.wav"
    given = str(folder / "wav/tone03.wav")
    assert main(["fit", given, "--steps", "30", "--out", str(out), "--render", str(again)]) == 0
    assert SOUND.read(again).shape == (LENGTH,)
    assert main(["render", "sounds-mlora-asym", "--count", "2", "--out", str(tmp_path / "decoded")]) == 0
    assert len(list((tmp_path / "decoded").glob("*.wav"))) == 2
    capsys.readouterr()
    assert main(["data", f"sounds:{folder / 'wav'}"]) == 0
    assert "18 sounds" in capsys.readouterr().out


def test_without_it_its_files_are_refused_by_its_name(sounds):
    """A file names its modality, so that a message can name what is missing."""
    folder, _ = sounds
    from wsr.modalities import registry

    known = registry._registered.pop("sound")
    try:
        with pytest.raises(WsrError, match="Unknown modality 'sound'"):
            Zoo.open(folder / "assets/zoos/sounds-mlora-asym")
    finally:
        registry._registered["sound"] = known
