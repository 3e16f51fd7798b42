"""Linear mode connectivity: two fits of one target, and the fields on the straight line between their weights (section
4.2, figure 3)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.fields.base import BaseField
from wsr.fields.representation import Representation
from wsr.fitting.fit import fit, stream
from wsr.fitting.loop import FitResult
from wsr.fitting.settings import FitSettings, Start
from wsr.metrics.surfaces import surface_distance
from wsr.modalities.targets import Evaluator
from wsr.render.decode import decode
from wsr.symmetry import align

ALPHAS = tuple(np.linspace(0, 1, 11).round(2).tolist())


@dataclass(frozen=True)
class Pair:
    """Two fits `a` and `b` (n, p) of the same n targets from two starts, and the mean of the distribution of starts."""

    model: Representation
    ids: list[str]
    a: Float[Tensor, "n p"]
    b: Float[Tensor, "n p"]
    starts: tuple[Float[Tensor, "p"], Float[Tensor, "p"]]
    start_mean: Float[Tensor, "p"]

    def aligned(self) -> "Pair":
        """Returns the pair with the second fits aligned to the first by symmetries, which leave the fields
        unchanged."""
        return Pair(self.model, self.ids, self.a, align(self.model, self.b, self.a), self.starts, self.start_mean)

    def line(self, alpha: float) -> Float[Tensor, "n p"]:
        """Weights (1 − α) a + α b (n, p) on the line between the two fits."""
        return torch.lerp(self.a, self.b, alpha)


@dataclass
class Connection:
    """Quality of the fields on the line between two fits. quality: PSNR in dB or IoU (n, k) at k values of α. chamfer:
    Chamfer distance of decoded surfaces to their targets (n, 3) at both ends and the middle; empty for images."""

    alphas: list[float]
    quality: Float[np.ndarray, "n k"]
    chamfer: Float[np.ndarray, "n c"] = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def drop(self) -> Float[np.ndarray, "n"]:
        """The barrier (n,): mean quality of the two ends minus the quality at the midpoint."""
        middle = self.quality[:, self.alphas.index(0.5)]
        return (self.quality[:, 0] + self.quality[:, -1]) / 2 - middle

    @property
    def rise(self) -> Float[np.ndarray, "n"]:
        """The barrier in Chamfer distance (n,): its value at the midpoint minus the mean of the two ends."""
        return self.chamfer[:, 1] - (self.chamfer[:, 0] + self.chamfer[:, 2]) / 2


@dataclass(frozen=True)
class Similarity:
    """Cosine similarity of the two fits of each target (n,), and as its reference `floor`, the mean cosine similarity
    of fits of different targets."""

    cosine: Float[np.ndarray, "n"]
    floor: float


def fit_pair(
    signals: Signals,
    representation: str,
    base: str | BaseField | None = None,
    *,
    perturb: float = 1.0,
    point_seeds: tuple[int, int] = (0, 1),
    first: Float[Tensor, "n p"] | None = None,
    **options: Any,
) -> Pair:
    """Fits each signal twice: from the start drawn with `init_seed`, and from a start perturbed by `perturb` (λ of
    section 4.2), which at 1 is independent of the first. λ = 0 is the control: the starts are equal and only the
    sampled points differ, unless `point_seeds` are equal too. first: the first fits, if they were already made for
    another λ. options: further options of `wsr.fit` (init, sigma, steps, rank, lr, points, device)."""
    second = fit(signals, representation, base, perturb=perturb, seed=point_seeds[1], **options)
    if first is None:
        first = fit(signals, representation, base, seed=point_seeds[0], **options).weights
    return _pair(second, first, replace(FitSettings.of(options).start, perturb=perturb))


def _pair(second: FitResult, first: Float[Tensor, "n p"], start: Start) -> Pair:
    """Joins two fits. start: that of the second fits; the first ones began at the same start with `perturb` 0."""
    model = second.representation
    starts = replace(start, perturb=0.0).of(model), start.of(model)
    return Pair(model, second.ids, first, second.weights, starts, model.initial_mean(start.init))


@dataclass(frozen=True)
class PairRecord:
    """Progress of two fits: steps done of both together, and the pair at the end."""

    step: int
    steps: int
    pair: Pair | None = None


def fit_pair_stream(
    signals: Signals,
    representation: str,
    base: str | BaseField | None = None,
    *,
    perturb: float = 1.0,
    point_seeds: tuple[int, int] = (0, 1),
    **options: Any,
) -> Iterator[PairRecord]:
    """Yields the progress of `fit_pair`: one fit after the other, all signals in one batch. The generator may be closed
    between two records. options: further options of `wsr.fit_stream`."""
    results, settings = [], FitSettings.of(options)
    for mix, seed in zip((0.0, perturb), point_seeds, strict=True):
        asked = replace(settings, seed=seed, start=replace(settings.start, perturb=mix))
        for record in stream(signals, representation, base, asked):
            yield PairRecord(record.step + len(results) * record.steps, 2 * record.steps)
        results.append(record.result)
    first, second = results
    pair = _pair(second, first.weights, asked.start)
    yield PairRecord(2 * record.steps, 2 * record.steps, pair)


def connect(pair: Pair, evaluator: Evaluator, alphas: Sequence[float] = ALPHAS) -> Connection:
    """Measures the quality of every field on the line between two fits."""
    found = [evaluator.quality(pair.model, pair.line(alpha)) for alpha in alphas]
    return Connection(list(alphas), np.stack(found, axis=1))


def chamfers(
    pair: Pair,
    targets: Sequence[trimesh.Trimesh],
    resolution: int,
    alphas: Sequence[float] = (0.0, 0.5, 1.0),
    progress: Callable[[], None] = lambda: None,
) -> Float[np.ndarray, "n k"]:
    """Measures the Chamfer distance (n, k) of decoded surfaces to their targets at k values of α."""
    rows = []
    for i, target in enumerate(targets):
        meshes = (decode(pair.model, pair.line(alpha)[i : i + 1], resolution)[0] for alpha in alphas)
        rows.append([surface_distance(mesh, target) for mesh in meshes])
        progress()
    return np.array(rows)


def similarity(
    a: Float[Tensor, "n p"], b: Float[Tensor, "n p"], centre: Float[Tensor, "p"] | float = 0.0
) -> Similarity:
    """Cosine similarity of the two fits of each target, after subtracting `centre` (the mean of their starts, or 0)
    from both."""
    cosines = torch.nn.functional.normalize(a - centre) @ torch.nn.functional.normalize(b - centre).T  # (n, n)
    others = cosines[~torch.eye(len(a), dtype=torch.bool, device=a.device)]
    floor = float(others.mean()) if len(others) else float("nan")
    return Similarity(cosines.diagonal().cpu().numpy(), floor)
