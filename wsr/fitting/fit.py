"""Fits instances in batches; each instance has a small set of weights of its own (equations 1 and 2, section 8.1)."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
import torch

from wsr import modalities
from wsr.data.signals import Signals
from wsr.devices import usable
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import load_base
from wsr.fields.registry import named
from wsr.fields.representation import Representation, make_representation
from wsr.fitting.loop import FitRecord, FitResult, run_fit
from wsr.fitting.problem import as_signals, make_problem
from wsr.fitting.settings import FitOptions, FitSettings, StreamOptions
from wsr.fitting.starts import Starting
from wsr.fitting.threads import side_by_side, workers_for
from wsr.modalities import Modality
from wsr.presets import FitConfig
from wsr.presets import preset as find_preset


def fit_stream(
    signals,
    representation: str = "mlora-asym",
    base: str | Path | BaseField | None = None,
    **settings: Unpack[StreamOptions],
) -> Iterator[FitRecord]:
    """Fits all `signals` in one batch and yields a FitRecord every `every` steps (default 10; 0: only after the last
    step). The generator may be closed between two records. Takes the arguments of `wsr.fit`."""
    return stream(signals, representation, base, FitSettings.of(settings))


def stream(
    signals, representation: str, base: str | Path | BaseField | None, settings: FitSettings
) -> Iterator[FitRecord]:
    """Does the work of `fit_stream`, with the settings as one object."""
    named(representation)
    items = as_signals(signals, preset=settings.preset)
    preset = find_preset(settings.preset, items.modality)
    model = representation_for(representation, base, items.modality, settings.rank, settings.preset)
    starting = Starting.of(settings, model)  # an error before the signals are read
    device = usable(settings.device)
    shared = settings.config(representation, items.modality).shared_points
    problem = make_problem(items, preset.resolution, settings.seed, device, shared_points=shared)
    began = starting.of_targets(problem.targets)
    steps = began.steps or default_steps(items, preset.fit, model.base)
    config = settings.config(representation, items.modality, steps, bool(began.encoded.all()))
    for record in run_fit(problem, model, began.weights, config, preset.resolution, settings.every):
        if record.result:
            started = ["encoded" if one else "plain" for one in began.encoded.tolist()]
            record.result = replace(record.result, started=started, why_plain=began.why)
        yield record


def representation_for(
    name: str,
    base: str | Path | BaseField | None,
    modality: Modality | str | int,
    rank: int | None = None,
    preset: str = "cpu",
) -> Representation:
    """Builds the representation of this name on a base, whose mask seed it uses. base: by default that of the modality.
    A representation without a base takes its sizes from the preset. WsrError if the base is for another modality."""
    modality = modalities.find(modality)
    config = find_preset(preset, modality).field
    if not named(name).needs_base:
        return make_representation(name, None, config, rank)
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


def default_steps(signals: Signals, config: FitConfig, base: BaseField | None = None) -> int:
    """Returns the preset's number of steps: `steps`, as in the zoos, for signals of the data set that the base was
    trained on, and `far_steps` for all others. base: None, or one that does not say what it was trained on, counts as
    the modality's default base."""
    learnt = (base.info.dataset if base is not None and base.info else "") or signals.modality.default_base
    near = learnt in (signals.name, signals.name.partition("/")[0])
    return config.steps if near else config.far_steps or config.steps


def fit(
    signals,
    representation: str = "mlora-asym",
    base: str | Path | BaseField | None = None,
    **settings: Unpack[FitOptions],
) -> FitResult:
    """Fits one small neural field to each signal. Instances are fitted in batches.

    signals: images as an array (n, h, w, 3) in [0, 1], PIL images, trimesh meshes, paths (one or a list of any), or
        what `load_signals` returns.
    representation: one of `wsr.representations`.
    base: "emoji", "shapes10", the path of a checkpoint, or a loaded base; by default the one for the kind of signal.
        The MLPs need none.
    steps, points, lr, a_rate: Adam steps; points per instance and step; learning rate of the first step; and the
        learning rate of an adapter's A in units of B's. By default the preset's, which takes more steps for signals
        that are not of the base's data set (`default_steps`).
    rank: of the adapters.
    start: "plain"; "encoded": where the encoder of this base and representation says (`wsr encoder`); or "auto": where
        the encoder says if there is one, else plain. From an encoded start a fit takes a tenth of the steps by default.
        An instance that the encoder does not know starts plain, and its batch takes as many steps as without an
        encoder.
    protocol: a fit preset, "paper-like" (the default) or "structured", whose weights are easier to learn from.
    shared_points, pull, average: what makes the weights easier to learn from, all off by default: points at the same
        places for all instances; a pull towards the start; and the average of a share of the steps, at the end
        (`FitConfig` explains them).
    init, sigma, init_seed, perturb: the plain start that all instances share, see `Representation.initial`.
    seed: of the points that are drawn. (The seed of the masks belongs to the base.)
    device: "cpu" or "cuda"; by default CUDA if available. preset: "cpu" or "paper".

    Returns a FitResult: weights (n, p), quality (n,), curve, and `.render(resolution)`. WsrError for signals or
    settings that cannot be used. TypeError, with the nearest name, for an unknown keyword.
    """
    asked = replace(FitSettings.of(settings, FitOptions), every=0)
    items = as_signals(signals, preset=asked.preset)
    workers = workers_for(usable(asked.device), len(items))
    size = min(find_preset(asked.preset, items.modality).fit.batch, math.ceil(len(items) / workers))

    def fit_batch(part: Signals) -> FitResult:
        *_, last = stream(part, representation, base, asked)
        return last.result

    batches = [items[first : first + size] for first in range(0, len(items), size)]
    with side_by_side(fit_batch, batches, workers) as results:
        return _joined(list(results), workers)


def _joined(results: list[FitResult], workers: int) -> FitResult:
    """Joins the results of all batches. The seconds are those of the whole machine, on which `workers` batches ran side
    by side."""
    first = results[0]
    if len(results) == 1:
        return first
    if len(aspects := {result.aspect for result in results}) > 1:  # a batch refuses them, and these were in several
        told = f"these are shaped like {sorted(aspects)[:3]}"
        raise WsrError(f"Images of one fit must have one size, {told}: fit them in turn, or resize them.")
    counts = [len(result.ids) for result in results]
    curve = [
        (points[0][0], float(np.average([q for _, q in points], weights=counts)))
        for points in zip(*(result.curve for result in results), strict=True)
    ]
    return replace(
        first,
        ids=sum((r.ids for r in results), []),
        weights=torch.cat([r.weights for r in results]),
        quality=np.concatenate([r.quality for r in results]),
        curve=curve,
        seconds=sum(r.seconds for r in results) / workers,
        status=sum((r.status for r in results), []),
        started=sum((r.started for r in results), []),
        why_plain=next((r.why_plain for r in results if r.why_plain), ""),
    )
