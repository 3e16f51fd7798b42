"""The loop of a fit, and what it tells: step records on the way, and a result at the end."""

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.devices import synchronize
from wsr.fields.base import compute_dtype, wide_dtype
from wsr.fields.representation import Representation
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
    """How instances were fitted and are judged: resolution of the decode (pixels of the longer side, or samples along
    an edge), height and width of images, and the configuration of the fit."""

    resolution: int
    aspect: tuple[int, int]
    config: FitConfig


@dataclass(kw_only=True)
class FitResult:
    """Fitted weights (n, p) and what decodes them, both on the CPU; their quality (n,) (PSNR in dB of the clamped
    decode, or IoU on fresh uniform points), and the curve of the mean quality: (step, quality) pairs. status: "ok", or
    why an instance failed ("diverged: …") or shows little of its target ("poor: …", below 15 dB or an IoU of 0.5, with
    what may be the reason)."""

    ids: list[str]
    weights: Float[Tensor, "n p"]
    quality: Float[np.ndarray, "n"]
    status: list[str]
    curve: list[tuple[int, float]]
    seconds: float
    representation: Representation
    conditions: Conditions

    @property
    def resolution(self) -> int:
        return self.conditions.resolution

    @property
    def aspect(self) -> tuple[int, int]:
        return self.conditions.aspect

    @property
    def config(self) -> FitConfig:
        return self.conditions.config

    @property
    def modality(self) -> Modality:
        return self.representation.modality

    def render(self, resolution: int | None = None) -> Float[np.ndarray, "n *rest"] | list[Any]:
        """What the weights are: images in [0, 1] whose longer side is `resolution`, meshes, or what the modality
        decodes."""
        return decode(self.representation, self.weights, resolution or self.resolution, self.aspect)

    def save(self, path: str | Path) -> None:
        """The weights as one file, which `wsr.load_weights` and `wsr render` open."""
        fitted = {"resolution": self.resolution, "steps": self.config.steps, "fit": self.config.stated()}
        save_weights(path, self.weights, self.representation, self.ids, self.aspect, fitted)


@dataclass
class FitRecord:
    """A step of a fit: loss and quality of each instance (n,), the weights (n, p) as they are now, and on the last one
    (`done`) the result. Only the last quality is exact: those before are of a fixed part of the pixels or points
    (`quick`), so that records cost little beside the steps between them. All on the CPU, wherever the fit runs."""

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
    start: Float[Tensor, "p"],
    config: FitConfig,
    resolution: int,
    every: int | Collection[int] = 10,
    stored_as: torch.dtype = torch.float32,
    backend: str | None = None,
) -> Iterator[FitRecord]:
    """The loop itself, with a record every so many steps, or after these ones, and after the last.

    Every instance has its own loss, and Adam works entry by entry, so an instance does not depend on what else is in
    the batch, and one that diverges leaves the others alone. But for rounding: a batch of another size may sum in
    another order, and then an error δ in a gradient moves an entry by up to `lr`·δ/ε more or less (Adam divides by the
    root of a second moment plus ε = 1e-8), never by more than a few whole steps. An error that puts a preactivation on
    the other side of its ReLU is a δ of a point's whole share. So what is promised, alone and in any batch, is

    - in fp64 (`set_compute_dtype("cpu", torch.float64)`), where δ is some 1e-16: every entry within 1e-6 of a step
      after ten of them. Measured: 4e-14 of a step after 80;
    - in fp32: the gradient of a step to rounding, and the quality at the end to 0.05 dB, but not the weights (in bf16,
      which rounds to two digits, the quality to 0.5 dB). Measured on a CPU without AVX-512, an MLP in fp32: rounding
      (6e-8) turns one ReLU at one point after three steps; a step later 1,446 of its 7,953 entries differ by up to 1e-3
      of a step, after ten by 5e-2, and the quality by 1e-4 dB.

    `stored_as`: the precision in which the result will be kept, and so the one in which it is judged. `backend`: see
    `step_loss`. It computes where the targets are, with a copy of `model` there; nothing in the loop waits for that
    device but the records, which come to the CPU."""
    targets, n, device = problem.targets, len(problem.targets), problem.targets.device
    model, dtype = model.to(device), compute_dtype(device)
    rates = model.lr_multipliers(config.a_rate)  # (p,): Adam's steps are of one length, in units of these
    scaled = (start.detach().to(device, wide_dtype(dtype)) / rates).expand(n, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([scaled], lr=config.lr, betas=config.betas, fused=True)
    losses = step_loss(model, targets, dtype, backend)
    recorder = _Recorder(problem, model, config, resolution, stored_as)
    began, paused = time.monotonic(), 0.0
    for step in range(config.steps):
        if told_to_stop():
            raise Stopped("Stopped.")
        for group in optimizer.param_groups:
            group["lr"] = cosine(step, config)
        batch = targets.batch(step, config.points)
        loss = losses(scaled * rates, batch.points, batch.values)  # (n,)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        if step + 1 == config.steps or _recorded(step + 1, every):
            synchronize(device)  # the host is ahead of a GPU: without waiting, fitting would count as pause
            fitted = time.monotonic() - began - paused
            record = recorder.record(step + 1, scaled.detach() * rates, loss, fitted)
            paused = time.monotonic() - began - fitted  # measuring and whoever reads the records is not fitting
            yield record
            paused = time.monotonic() - began - fitted


def step_loss(
    model: Representation, targets: Targets, dtype: torch.dtype, backend: str | None = None
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The loss of each instance, (n,), from weights (n, p), points and values: one graph of a whole step.

    backend: None runs it as it is; else `torch.compile` compiles it, "inductor" with CUDA graphs. That pays on a GPU,
    where a step of small products is bound by its launches, and for long jobs, as compiling takes up to a minute; on
    two CPU cores it made a step slower (design, section 8)."""

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
    """Makes the records of a fit, and keeps the curve of the mean quality."""

    def __init__(
        self, problem: Problem, model: Representation, config: FitConfig, resolution: int, stored_as: torch.dtype
    ):
        self.problem, self.model, self.stored_as = problem, model, stored_as
        self.conditions = Conditions(resolution, problem.evaluator.aspect, config)
        self.curve: list[tuple[int, float]] = []

    def record(self, step: int, weights: Float[Tensor, "n p"], loss: Float[Tensor, "n"], seconds: float) -> FitRecord:
        """Of a step that has been made, with the result at the last one."""
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


def cosine(step: int, config: FitConfig) -> float:
    """From `lr` at the first step to `lr_end` at the last."""
    if config.steps == 1:
        return config.lr
    return config.lr_end + (config.lr - config.lr_end) * 0.5 * (1 + math.cos(math.pi * step / (config.steps - 1)))
