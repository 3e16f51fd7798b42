"""Fitting: a batch of instances at once, each its own small set of weights (equations 1 and 2, section 8.1)."""

import json
import math
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField, compute_dtype
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import Representation, check_representation, make_representation
from wsr.fitting.problem import Problem, as_signals, make_problem
from wsr.paths import atomic_path
from wsr.presets import FitConfig
from wsr.presets import preset as find_preset
from wsr.render.decode import decode

DEFAULT_BASE = {2: "emoji", 3: "shapes10"}
MAX_STEPS = 1_000_000


@dataclass
class FitResult:
    """Fitted weights (n, p), their quality (n,) (PSNR in dB of the clamped decode, or IoU on fresh uniform points), and
    the curve of the mean quality: (step, quality) pairs. status: "ok", or why an instance failed."""

    ids: list[str]
    weights: Float[Tensor, "n p"]
    quality: Float[np.ndarray, "n"]
    curve: list[tuple[int, float]]
    seconds: float
    representation: Representation
    resolution: int
    aspect: tuple[int, int] = (1, 1)
    status: list[str] = field(default_factory=list)

    def render(self, resolution: int | None = None) -> Float[np.ndarray, "n h w 3"] | list[trimesh.Trimesh]:
        """What the weights are: images in [0, 1] whose longer side is `resolution`, or meshes."""
        return decode(self.representation, self.weights, resolution or self.resolution, self.aspect)

    def save(self, path: str | Path) -> None:
        """The weights as one safetensors file, with what is needed to decode them in its metadata."""
        save_weights(path, self.weights, self.representation, self.ids)


@dataclass
class FitRecord:
    """A step of a fit: loss and quality of each instance (n,), the weights (n, p) as they are now, and on the last one
    (`done`) the result."""

    step: int
    steps: int
    loss: Float[np.ndarray, "n"]
    quality: Float[np.ndarray, "n"]
    seconds: float
    weights: Float[Tensor, "n p"]
    done: bool = False
    result: FitResult | None = None


def save_weights(path: str | Path, weights: Tensor, representation: Representation, ids: list[str]) -> None:
    base = getattr(representation, "base", None)
    metadata = {
        "format": "wsr-weights-1",
        "representation": representation.name,
        "dim": str(representation.dim),
        "rank": str(representation.rank),
        "mask_seed": str(representation.mask_seed),
        "ids": json.dumps(ids),
        "base_sha256": base.info.sha256 if base is not None and base.info else "",
        "layout": json.dumps(representation.layout.to_json()),
    }
    with atomic_path(path) as temporary:
        save_file({"weights": weights.detach().cpu().contiguous()}, temporary, metadata=metadata)


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
) -> Iterator[FitRecord]:
    """Fits all `signals` in one batch and yields a FitRecord every `every` steps (0: only the last). It may be closed
    between two of them. Arguments as in `wsr.fit`."""
    check_representation(representation)
    items = as_signals(signals, find_preset(preset, 2).resolution)
    settings = find_preset(preset, items.dim)
    device = device or default_device()
    model = representation_for(representation, base, items.dim, rank, preset).to(device)
    steps = default_steps(items, settings.fit) if steps is None else steps
    config = fit_settings(representation, items.dim, steps, points, lr, preset)
    problem = make_problem(items, settings.resolution, seed, device)
    start = model.initial(init, sigma, init_seed, perturb)
    yield from run_fit(problem, model, start, config, settings.resolution, every)


def representation_for(
    name: str, base: str | Path | BaseField | None, dim: int, rank: int | None = None, preset: str = "cpu"
) -> Representation:
    """The representation over its base; masks come from the base's own seed. base None: the data set's default."""
    config = find_preset(preset, dim).field
    if name.startswith("mlp"):
        return make_representation(name, None, config)
    if base is None:
        base = DEFAULT_BASE[dim]
    field_ = base if isinstance(base, BaseField) else load_base(base)
    if field_.config.dim != dim:
        kinds = {2: "images", 3: "shapes"}
        raise WsrError(
            f"This base is for {kinds[field_.config.dim]} and the signals are {kinds[dim]}: "
            f"use base={DEFAULT_BASE[dim]!r}."
        )
    mask_seed = field_.info.mask_seed if field_.info else 0
    return make_representation(name, field_, field_.config, rank, mask_seed)


def default_steps(signals: Signals, config: FitConfig) -> int:
    """The preset's budget: the zoos' own for what the default bases have learnt, `far_steps` for anything else."""
    near = signals.name.partition("/")[0] in DEFAULT_BASE.values()
    return config.steps if near else config.far_steps or config.steps


def fit_settings(
    representation: str,
    dim: int,
    steps: int,
    points: int | None = None,
    lr: float | None = None,
    preset: str = "cpu",
) -> FitConfig:
    """The preset's way of fitting one of the six, with these steps. WsrError where they are not a whole number."""
    config = find_preset(preset, dim).fit
    if not (isinstance(steps, (int, np.integer)) and 1 <= steps <= MAX_STEPS):
        raise WsrError(f"steps must be a whole number between 1 and {MAX_STEPS:,}, not {steps!r}.")
    return replace(config, steps=int(steps), points=points or config.points, lr=lr or config.rate(representation))


def run_fit(
    problem: Problem,
    model: Representation,
    start: Float[Tensor, "p"],
    config: FitConfig,
    resolution: int,
    every: int | Collection[int] = 10,
    stored_as: torch.dtype = torch.float32,
) -> Iterator[FitRecord]:
    """The loop itself, with a record every so many steps, or after these ones, and after the last.

    Every instance has its own loss, and Adam works entry by entry, so an instance's weights do not depend on what else
    is in the batch, and one that diverges leaves the others alone. `stored_as`: the precision in which the result will
    be kept, and so the one in which it is judged."""
    targets, n = problem.targets, len(problem.targets)
    weights = start.detach().float().expand(n, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=config.lr, betas=config.betas, fused=True)
    dtype = compute_dtype(weights.device)
    curve: list[tuple[int, float]] = []
    began, paused = time.monotonic(), 0.0
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = cosine(step, config)
        batch = targets.batch(step, config.points)
        loss = targets.loss(model.evaluate(weights, batch.points, dtype), batch)  # (n,)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        last = step + 1 == config.steps
        if last or _recorded(step + 1, every):
            fitted = time.monotonic() - began - paused
            record = _record(
                problem, model, weights, loss, step + 1, config, curve, fitted, last, resolution, stored_as
            )
            paused = time.monotonic() - began - fitted  # measuring and whoever reads the records is not fitting
            yield record
            paused = time.monotonic() - began - fitted


def _recorded(step: int, every: int | Collection[int]) -> bool:
    if isinstance(every, int):
        return bool(every) and (step == 1 or step % every == 0)
    return step in every


def _record(problem, model, weights, loss, step, config, curve, seconds, last, resolution, stored_as) -> FitRecord:
    now = weights.detach().clone()
    if last:
        now = now.to(stored_as).float()
    quality = problem.truth.quality(model, now, quick=not last)
    curve.append((step, float(np.nanmean(quality)) if np.isfinite(quality).any() else math.nan))
    result = None
    if last:
        finite = torch.isfinite(now).all(1).tolist()
        status = ["ok" if good else "diverged: weights are not finite" for good in finite]
        result = FitResult(problem.ids, now, quality, curve, seconds, model, resolution, problem.truth.aspect, status)
    return FitRecord(step, config.steps, loss.detach().cpu().numpy(), quality, seconds, now, last, result)


def cosine(step: int, config: FitConfig) -> float:
    """From `lr` at the first step to `lr_end` at the last."""
    if config.steps == 1:
        return config.lr
    return config.lr_end + (config.lr - config.lr_end) * 0.5 * (1 + math.cos(math.pi * step / (config.steps - 1)))


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
) -> FitResult:
    """Fits one small neural field to each signal; all of a batch are fitted at once.

    signals: images as an array (n, h, w, 3) in [0, 1], PIL images, trimesh meshes, paths (one or a list of any), or
        what `load_signals` returns.
    representation: one of `wsr.representations`. base: "emoji", "shapes10", a checkpoint's path or a loaded base; by
        default the one for the kind of signal. The MLPs need none.
    steps, points, lr: Adam steps, points an instance and step, first learning rate; by default the preset's, which
        takes more steps for anything that is not of the base's data set (`default_steps`).
    rank: of the adapters. init, sigma, init_seed, perturb: the shared start, see `Representation.initial`.
    seed: draws points only; masks belong to the base.
    Returns a FitResult: weights (n, p), quality (n,), curve, and `.render(resolution)`.
    """
    items = as_signals(signals, find_preset(preset, 2).resolution)
    size = find_preset(preset, items.dim).fit.batch
    results = []
    for first in range(0, len(items), size):
        *_, last = fit_stream(
            items[first : first + size],
            representation,
            base,
            steps,
            rank,
            init,
            sigma,
            init_seed,
            perturb,
            seed,
            device,
            preset,
            0,
            points,
            lr,
        )
        results.append(last.result)
    return _joined(results)


def _joined(results: list[FitResult]) -> FitResult:
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
        sum(r.seconds for r in results),
        first.representation,
        first.resolution,
        first.aspect,
        sum((r.status for r in results), []),
    )
