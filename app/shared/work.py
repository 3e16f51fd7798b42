"""The work that visitors ask for, as functions over plain data. They run in child processes (`app.shell.workers`), so
nothing here imports gradio."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.shared import library, samples
from wsr.caching import cached_by_file
from wsr.data.signals import Signal, Signals, same
from wsr.fields import registry
from wsr.generators.registry import named
from wsr.presets import PresetConfig, preset

if TYPE_CHECKING:
    from torch import Tensor

    from app.shared.samples import Target
    from wsr.analysis.connectivity import Pair
    from wsr.fields.representation import Representation
    from wsr.fitting.problem import Problem
    from wsr.fitting.settings import FitSettings
    from wsr.generators.base import Generator, SampleStep
    from wsr.modalities.targets import Evaluator


@dataclass(frozen=True)
class Step:
    """A `FitRecord` without its model, which the reader has, and with its weights (1, p) on the CPU. status: that of
    the last step, "ok" or why the fit failed. encoded: whether the fit began where an encoder says; why_plain: if that
    was asked for, why it did not, as a part of a sentence."""

    step: int
    steps: int
    quality: np.ndarray
    seconds: float
    weights: "Tensor"
    done: bool
    status: str
    encoded: bool = False
    why_plain: str = ""


def read(path: str) -> "Target":
    """Reads a visitor's file as a target, with its picture."""
    return samples.uploaded(path)


def _alone(name: str, signal: Signal) -> Signals:
    return Signals(name, signal.dim, [signal], signal.modality)


def measure(signal: Signal) -> "Evaluator":
    """Measures what is inside a shape. Leaves its samples in the cache, where a fit finds them, and returns the points
    that judge fits."""
    from wsr.fitting.problem import make_problem

    return make_problem(_alone("yours", signal), _preset(signal).resolution).evaluator


def _preset(signal: Signal) -> PresetConfig:
    return preset(library.live_preset(signal.modality), signal.modality)


def _problem(signal: Signal, evaluator: "Evaluator | None", device: str) -> "Problem":
    from wsr.fitting.problem import Problem, make_problem

    if evaluator is None:
        return make_problem(_alone("yours", signal), _preset(signal).resolution, device=device)
    samples = signal.modality.samples(_alone("yours", signal))
    return Problem([signal.id], signal.modality.targets(samples, device), evaluator)


def every_for(steps: int) -> int:
    """Steps between two records of a fit on the page."""
    return max(1, min(10, steps // 20))


def fit(
    signal: Signal, names: tuple[str, ...], rank: int, steps: int, evaluator: "Evaluator | None" = None,
    start: str = "plain", base: str | None = None,
) -> Iterator[tuple[str, Step]]:  # fmt: skip
    """Fits one target with each of the representations in turns of a few steps, at the preset of the zoos on the same
    base. Yields the name of a representation and its step; a fit that begins where an encoder says also has a step 0.
    start, base: those of `wsr.fit`."""
    from wsr.devices import default_device
    from wsr.fitting.fit import representation_for
    from wsr.fitting.settings import FitSettings, Start

    device, at = default_device(), library.live_preset(signal.modality)
    settings = FitSettings(steps=steps, preset=at, start=Start.named(start))
    problem = _problem(signal, evaluator, device)
    streams = {}
    for name in names:
        model = representation_for(name, base, signal.modality, rank, at).to(device)
        streams[name] = _steps(problem, model, settings)
    try:
        while streams:
            for name, stream in list(streams.items()):
                step = next(stream)
                if step.done:
                    del streams[name]
                yield name, step
    finally:
        for stream in streams.values():
            stream.close()


def _steps(problem: "Problem", model: "Representation", settings: "FitSettings") -> Iterator[Step]:
    from wsr.fitting.loop import run_fit
    from wsr.fitting.starts import Starting

    began = Starting.of(settings, model).of_targets(problem.targets)
    encoded, resolution = bool(began.encoded.all()), preset(settings.preset, problem.modality).resolution
    config = settings.config(model.name, problem.modality, began_encoded=encoded)
    if encoded:
        quality = problem.evaluator.quality(model, began.weights, quick=True)
        yield Step(0, config.steps, quality, 0.0, began.weights.cpu(), False, "", encoded)
    for record in run_fit(problem, model, began.weights, config, resolution, every_for(config.steps)):
        status, weights = record.result.status[0] if record.result else "", record.weights.cpu()
        about = record.step, record.steps, record.quality, record.seconds
        yield Step(*about, weights, record.done, status, encoded, began.why)


@dataclass(frozen=True)
class FittedPair:
    """Two fits of one target with one representation, as they are and aligned, and the quality along both lines at
    `ALPHAS`."""

    representation: str
    pair: "Pair"
    aligned: "Pair"
    raw_curve: list[float]
    aligned_curve: list[float]


@dataclass(frozen=True)
class Made:
    """How the fits of a zoo were made: the preset's name, the steps, and the base's name (None: the modality's own)."""

    preset: str
    steps: int
    base: str | None


def fit_pairs(
    signal: Signal, like: Made, names: list[str], sigma: float, perturb: float
) -> Iterator[tuple[float, FittedPair | None]]:
    """Fits a target twice with each representation, as the pairs of its data set were made. Yields the share of the
    work that is done, in [0, 1], and after each representation its pair."""
    from wsr.analysis.connectivity import connect, fit_pair_stream
    from wsr.fitting.problem import make_problem

    signals = _alone("yours", signal)
    evaluator = make_problem(signals, preset(like.preset, signals.modality).resolution).evaluator
    for done, name in enumerate([name for name in registry.names() if name in names]):
        options = {"init": "spread", "sigma": sigma, "perturb": perturb, "steps": like.steps, "preset": like.preset}
        for record in fit_pair_stream(signals, name, like.base, **options):
            yield (done + record.step / record.steps) / len(names), None
        pair, aligned = record.pair, record.pair.aligned()
        curves = [connect(one, evaluator).quality[0].tolist() for one in (pair, aligned)]
        yield (done + 1) / len(names), FittedPair(name, pair, aligned, *curves)


def _source_files(path: Path, *_: str) -> list[Path]:
    return [path, path / "zoo.json", path / "index.parquet"]


@cached_by_file(_source_files, maxsize=6)
def generator(path: Path, kind: str = "") -> "Generator":
    """Loads the generator in a file, or, for a registered kind that trains nothing, makes one of the zoo in a
    folder."""
    if not path.is_dir():
        from wsr.generators.files import load_generator

        return load_generator(path)
    from wsr.generators.base import TrainSettings
    from wsr.zoo import Zoo

    training = named(kind).generator.training(Zoo.open(path), TrainSettings())
    for _ in training.stream(path):
        pass
    return training.generator


def sample(
    path: Path, count: int, cls: str | None, guidance: float, steps: int, seed: int, kind: str = ""
) -> "Iterator[SampleStep]":  # fmt: skip
    """Samples new weights from the generator in a file; yields each step. path, kind: those of `generator`."""
    from wsr.devices import default_device
    from wsr.generators.base import SampleSettings

    settings = SampleSettings(cls=cls, guidance=guidance, steps=steps, seed=seed)
    made = generator(path, kind).to(default_device())
    for record in made.sample_stream(count, settings):
        yield replace(record, weights=record.weights.cpu())


def ready() -> bool:
    """Imports what the first fit and the first samples need, loads the encoder of pictures if there is one, and takes
    one step of a fit. Without it the first step takes a second longer, and the first samples two."""
    noise = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    signal = Signal("ready", "", "train", 2, partial(same, noise))
    for _ in fit(signal, ("mlora-asym",), 4, 1, start="auto"):
        pass
    import wsr.generators.diffusion.model  # noqa: F401

    return True
