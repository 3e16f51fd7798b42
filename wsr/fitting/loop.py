"""The loop of a fit: yields records of single steps, and at the end a result."""

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.devices import synchronize
from wsr.fields.base import compute_dtype, wide_dtype
from wsr.fields.representation import Representation
from wsr.fitting.iterates import Iterates
from wsr.fitting.problem import Problem
from wsr.fitting.saved import save_weights
from wsr.fitting.threads import told_to_stop
from wsr.fitting.verdict import verdicts
from wsr.isolation import Stopped
from wsr.modalities import Modality
from wsr.modalities.targets import Batch, Targets
from wsr.presets import FitConfig
from wsr.render.decode import decode


@dataclass(frozen=True)
class Conditions:
    """How instances were fitted and judged: the resolution of the decode (pixels of the longer side, or samples along
    an edge), height and width of images, and the configuration of the fit."""

    resolution: int
    aspect: tuple[int, int]
    config: FitConfig


@dataclass(kw_only=True)
class FitResult:
    """The fitted weights (n, p) and the representation that decodes them, both on the CPU.

    quality (n,): PSNR in dB of the clamped decode, or IoU on fresh uniform points. curve: (step, mean quality) pairs.
    status: for each instance "ok", or why it failed ("diverged: …"), or why it shows little of its target ("poor: …":
    below 15 dB or an IoU of 0.5, with a possible reason). seconds: of the fit, without the time for measuring quality.
    curve and config are those of the first batch, whose steps may differ from another batch's if starts are encoded.
    started: for each instance "plain", or "encoded" if it began where an encoder says; why_plain: where encoded starts
    were asked for, why some instances began plainly, as a part of a sentence.
    """

    ids: list[str]
    weights: Float[Tensor, "n p"]
    quality: Float[np.ndarray, "n"]
    status: list[str]
    curve: list[tuple[int, float]]
    seconds: float
    representation: Representation
    conditions: Conditions
    started: list[str] = field(default_factory=list)
    why_plain: str = ""

    @property
    def resolution(self) -> int:
        """At which the fits were judged."""
        return self.conditions.resolution

    @property
    def aspect(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.conditions.aspect

    @property
    def config(self) -> FitConfig:
        """How the instances were fitted."""
        return self.conditions.config

    @property
    def modality(self) -> Modality:
        """What the values of the fields are."""
        return self.representation.modality

    def render(self, resolution: int | None = None) -> Float[np.ndarray, "n *rest"] | list[Any]:
        """Decodes the weights: images in [0, 1] whose longer side is `resolution` pixels, meshes, or whatever else the
        modality decodes. resolution: by default the one at which the fits were judged."""
        return decode(self.representation, self.weights, resolution or self.resolution, self.aspect)

    def save(self, path: str | Path) -> None:
        """Writes the weights to one file, which `wsr.load_weights` and `wsr render` open."""
        fitted = {"resolution": self.resolution, "steps": self.config.steps, "fit": self.config.stated()}
        save_weights(path, self.weights, self.representation, self.ids, self.aspect, fitted)


@dataclass
class FitRecord:
    """A step of a fit: loss and quality of each instance (n,), the current weights (n, p), and after the last step
    (`done`) the result. Only the last quality is exact. Earlier ones are measured on a fixed subset of the pixels or
    points (`quick`), so that records cost little compared to the steps between them. Everything is on the CPU, whatever
    device the fit uses."""

    step: int
    steps: int
    loss: Float[np.ndarray, "n"]
    quality: Float[np.ndarray, "n"]
    seconds: float
    weights: Float[Tensor, "n p"]
    done: bool = False
    result: FitResult | None = None


def run_fit(
    problem: Problem,
    model: Representation,
    start: Float[Tensor, "p"] | Float[Tensor, "n p"],
    config: FitConfig,
    resolution: int,
    every: int | Collection[int] = 10,
    stored_as: torch.dtype = torch.float32,
    backend: str | None = None,
) -> Iterator[FitRecord]:
    """Fits a batch and yields a record every `every` steps, or after each step in `every`, and after the last step.
    start: one for all instances, or one for each.

    Every instance has a loss of its own and Adam updates each entry separately, so an instance does not depend on the
    rest of its batch, and one that diverges does not affect the others. The exception is rounding: a batch of another
    size may add up numbers in another order. Adam divides a gradient by the root of its second moment plus ε = 1e-8, so
    an error δ in a gradient can change an entry by up to `lr`·δ/ε, though never by more than a few whole steps; and an
    error that moves a preactivation across the zero of its ReLU changes the gradient by that point's whole
    contribution. Therefore the promise for an instance, fitted alone or in any batch, is

    - in fp64 (`set_compute_dtype("cpu", torch.float64)`), where δ is about 1e-16: after ten steps every entry agrees
      within 1e-6 of a step. Measured: 4e-14 of a step after 80 steps;
    - in fp32: the gradient of a step agrees up to rounding and the final quality within 0.05 dB, but the weights may
      differ (in bf16, which keeps two to three digits, the quality within 0.5 dB). Measured on a CPU without AVX-512,
      an MLP in fp32: after three steps rounding (6e-8) switches one ReLU at one point; a step later 1,446 of its 7,953
      entries differ by up to 1e-3 of a step, after ten steps by 5e-2, and the quality differs by 1e-4 dB.

    `stored_as`: the dtype in which the weights will be stored, and therefore judged. `backend`: see `step_loss`. The
    fit runs on the targets' device with a copy of `model`. The host waits for that device only where a record is made.
    """
    targets, n, device = problem.targets, len(problem.targets), problem.targets.device
    model, dtype = model.to(device), compute_dtype(device)
    rates = model.lr_multipliers(config.a_rate)  # (p,)
    iterates = Iterates(start.detach().to(device, wide_dtype(dtype)), rates, n, config)
    losses = step_loss(model, targets, dtype, backend)
    recorder = _Recorder(problem, model, config, resolution, stored_as)
    began, paused = time.monotonic(), 0.0
    for step in range(config.steps):
        if told_to_stop():
            raise Stopped("Stopped.")
        batch = targets.batch(step, config.points)
        loss = losses(iterates.weights, batch.points, batch.values)  # (n,)
        iterates.step(step, loss)
        if step + 1 == config.steps or _recorded(step + 1, every):
            synchronize(device)  # else the steps still queued on a GPU would count as pause
            fitted = time.monotonic() - began - paused
            record = recorder.record(step + 1, iterates.result, loss, fitted)
            paused = time.monotonic() - began - fitted  # `seconds` excludes measuring and the reader of the records
            yield record
            paused = time.monotonic() - began - fitted


def step_loss(
    model: Representation, targets: Targets, dtype: torch.dtype, backend: str | None = None
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Returns a function that computes the loss of each instance (n,) from weights (n, p), points and values.

    backend: None runs it uncompiled; otherwise `torch.compile` compiles a whole step into one graph ("inductor": with
    CUDA graphs). That pays off on a GPU, where launching kernels takes longer than the small products of a step, and
    for long jobs, since compiling takes up to a minute. On two CPU cores it made a step slower.
    """

    def losses(weights, points, values):
        return targets.loss(model.evaluate(weights, points, dtype), Batch(points, values))

    if backend is None:
        return losses
    mode = "reduce-overhead" if backend == "inductor" else None
    return torch.compile(losses, backend=backend, mode=mode, dynamic=False)


def _recorded(step: int, every: int | Collection[int]) -> bool:
    if isinstance(every, int):
        return bool(every) and (step == 1 or step % every == 0)
    return step in every


class _Recorder:
    """Makes the records of a fit and collects the curve of the mean quality."""

    def __init__(
        self, problem: Problem, model: Representation, config: FitConfig, resolution: int, stored_as: torch.dtype
    ):
        self.problem, self.model, self.stored_as = problem, model, stored_as
        self.conditions = Conditions(resolution, problem.evaluator.aspect, config)
        self.curve: list[tuple[int, float]] = []

    def record(self, step: int, weights: Float[Tensor, "n p"], loss: Float[Tensor, "n"], seconds: float) -> FitRecord:
        """Returns the record of a completed step; after the last step it contains the result."""
        steps = self.conditions.config.steps
        last = step == steps
        now = weights.to(self.stored_as).to(wide_dtype(self.stored_as)) if last else weights
        quality = self.problem.evaluator.quality(self.model, now, quick=not last)
        now = now.cpu()
        self.curve.append((step, float(np.nanmean(quality)) if np.isfinite(quality).any() else math.nan))
        result = self._result(now, quality, seconds) if last else None
        return FitRecord(step, steps, loss.detach().cpu().numpy(), quality, seconds, now, last, result)

    def _result(self, weights: Float[Tensor, "n p"], quality: Float[np.ndarray, "n"], seconds: float) -> FitResult:
        problem, finite = self.problem, torch.isfinite(weights).all(1).tolist()
        steps = self.conditions.config.steps
        return FitResult(
            ids=problem.ids, weights=weights, quality=quality, curve=self.curve, seconds=seconds,
            status=verdicts(problem.modality, quality, finite, steps, problem.evaluator.filled),
            representation=self.model.to("cpu"), conditions=self.conditions,
        )  # fmt: skip
