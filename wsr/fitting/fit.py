"""Fitting: a batch of instances at once, each its own small set of weights (equations 1 and 2, section 8.1)."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from wsr import modalities
from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import Representation, check_representation, make_representation
from wsr.fitting.loop import FitRecord, FitResult, run_fit
from wsr.fitting.problem import as_signals, make_problem
from wsr.fitting.threads import side_by_side, workers_for
from wsr.modalities import Modality
from wsr.presets import FitConfig
from wsr.presets import preset as find_preset

MAX_STEPS = 1_000_000


def default_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def fit_stream(
    signals,
    representation: str = "mlora-asym",
    base: str | Path | BaseField | None = None,
    steps: int | None = None,
    rank: int | None = None,
    init: str = "centered",
    sigma: float = 0.02,
    init_seed: int = 0,
    perturb: float = 0.0,
    seed: int = 0,
    device: str | None = None,
    preset: str = "cpu",
    every: int = 10,
    points: int | None = None,
    lr: float | None = None,
    a_rate: float | None = None,
) -> Iterator[FitRecord]:
    """Fits all `signals` in one batch and yields a FitRecord every `every` steps (0: only the last). It may be closed
    between two of them. Arguments as in `wsr.fit`."""
    check_representation(representation)
    items = as_signals(signals, preset=preset)
    settings = find_preset(preset, items.modality)
    device = device or default_device()
    model = representation_for(representation, base, items.modality, rank, preset)
    steps = default_steps(items, settings.fit) if steps is None else steps
    config = fit_settings(representation, items.modality, steps, points, lr, a_rate, preset)
    problem = make_problem(items, settings.resolution, seed, device)
    start = model.initial(init, sigma, init_seed, perturb)
    yield from run_fit(problem, model, start, config, settings.resolution, every)


def representation_for(
    name: str,
    base: str | Path | BaseField | None,
    modality: Modality | str | int,
    rank: int | None = None,
    preset: str = "cpu",
) -> Representation:
    """The representation over its base; masks come from the base's own seed. base None: the modality's default."""
    modality = modalities.find(modality)
    config = find_preset(preset, modality).field
    if name.startswith("mlp"):
        return make_representation(name, None, config)
    if base is None:
        base = modality.default_base
    field_ = base if isinstance(base, BaseField) else load_base(base)
    if field_.modality is not modality:
        raise WsrError(
            f"This base is for {field_.modality.plural} and the signals are {modality.plural}: "
            f"use base={modality.default_base!r}."
        )
    mask_seed = field_.info.mask_seed if field_.info else 0
    return make_representation(name, field_, field_.config, rank, mask_seed)


def default_steps(signals: Signals, config: FitConfig) -> int:
    """The preset's budget: the zoos' own for what the default bases have learnt, `far_steps` for anything else."""
    near = signals.name.partition("/")[0] == signals.modality.default_base
    return config.steps if near else config.far_steps or config.steps


def fit_settings(
    representation: str,
    modality: Modality | str | int,
    steps: int,
    points: int | None = None,
    lr: float | None = None,
    a_rate: float | None = None,
    preset: str = "cpu",
) -> FitConfig:
    """The preset's way of fitting one of the six, with these steps. WsrError where they are not a whole number."""
    config = find_preset(preset, modality).fit.of(representation)
    if not (isinstance(steps, (int, np.integer)) and 1 <= steps <= MAX_STEPS):
        raise WsrError(f"steps must be a whole number between 1 and {MAX_STEPS:,}, not {steps!r}.")
    given = {"points": points, "lr": lr, "a_rate": a_rate}
    return replace(config, steps=int(steps), **{key: value for key, value in given.items() if value})


def fit(
    signals,
    representation: str = "mlora-asym",
    base: str | Path | BaseField | None = None,
    steps: int | None = None,
    rank: int | None = None,
    init: str = "centered",
    sigma: float = 0.02,
    init_seed: int = 0,
    perturb: float = 0.0,
    seed: int = 0,
    device: str | None = None,
    preset: str = "cpu",
    points: int | None = None,
    lr: float | None = None,
    a_rate: float | None = None,
) -> FitResult:
    """Fits one small neural field to each signal; all of a batch are fitted at once.

    signals: images as an array (n, h, w, 3) in [0, 1], PIL images, trimesh meshes, paths (one or a list of any), or
        what `load_signals` returns.
    representation: one of `wsr.representations`. base: "emoji", "shapes10", a checkpoint's path or a loaded base; by
        default the one for the kind of signal. The MLPs need none.
    steps, points, lr, a_rate: Adam steps, points an instance and step, first learning rate, and that of an adapter's A
        in units of B's; by default the preset's, which takes more steps for anything that is not of the base's data set
        (`default_steps`).
    rank: of the adapters. init, sigma, init_seed, perturb: the shared start, see `Representation.initial`.
    seed: draws points only; masks belong to the base.
    Returns a FitResult: weights (n, p), quality (n,), curve, and `.render(resolution)`.
    """
    items = as_signals(signals, preset=preset)
    device = device or default_device()
    workers = workers_for(device, len(items))
    size = min(find_preset(preset, items.modality).fit.batch, math.ceil(len(items) / workers))
    start = (init, sigma, init_seed, perturb)
    options = (representation, base, steps, rank, *start, seed, device, preset, 0, points, lr, a_rate)

    def fit_batch(part: Signals) -> FitResult:
        *_, last = fit_stream(part, *options)
        return last.result

    batches = [items[first : first + size] for first in range(0, len(items), size)]
    with side_by_side(fit_batch, batches, workers) as results:
        return _joined(list(results), workers)


def _joined(results: list[FitResult], workers: int) -> FitResult:
    """One result; its seconds are of the whole machine, on which `workers` batches ran side by side."""
    first = results[0]
    if len(results) == 1:
        return first
    counts = [len(result.ids) for result in results]
    curve = [
        (points[0][0], float(np.average([q for _, q in points], weights=counts)))
        for points in zip(*(result.curve for result in results), strict=True)
    ]
    return FitResult(
        sum((r.ids for r in results), []),
        torch.cat([r.weights for r in results]),
        np.concatenate([r.quality for r in results]),
        curve,
        sum(r.seconds for r in results) / workers,
        first.representation,
        first.resolution,
        first.aspect,
        sum((r.status for r in results), []),
        first.config,
    )
