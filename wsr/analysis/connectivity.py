"""Linear mode connectivity: two fits of one target, and the fields on the straight line between their weights (section
4.2, figure 3)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.fields.base import BaseField
from wsr.fields.representation import Representation
from wsr.fitting.fit import fit, fit_stream
from wsr.metrics.surfaces import surface_distance
from wsr.modalities.targets import Truth
from wsr.render.decode import decode
from wsr.symmetry import align

ALPHAS = tuple(np.linspace(0, 1, 11).round(2).tolist())


@dataclass(frozen=True)
class Pair:
    """Two fits of the same targets from two starts, (n, p) each, and the mean that such starts vary around."""

    model: Representation
    ids: list[str]
    a: Float[Tensor, "n p"]
    b: Float[Tensor, "n p"]
    starts: tuple[Float[Tensor, "p"], Float[Tensor, "p"]]
    start_mean: Float[Tensor, "p"]

    def aligned(self) -> "Pair":
        """The second fits moved towards the first by what leaves their fields."""
        return Pair(self.model, self.ids, self.a, align(self.model, self.b, self.a), self.starts, self.start_mean)

    def line(self, alpha: float) -> Float[Tensor, "n p"]:
        """(1 − α) a + α b."""
        return torch.lerp(self.a, self.b, alpha)


@dataclass
class Connection:
    """What stands on the line. quality: PSNR in dB or IoU, (n, k) at k places α; chamfer: the distance of surfaces to
    their targets, (n, 3) at the ends and the middle, empty for images."""

    alphas: list[float]
    quality: Float[np.ndarray, "n k"]
    chamfer: Float[np.ndarray, "n c"] = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def drop(self) -> Float[np.ndarray, "n"]:
        """The barrier: by how much the quality halfway is below the mean of the two ends."""
        middle = self.quality[:, self.alphas.index(0.5)]
        return (self.quality[:, 0] + self.quality[:, -1]) / 2 - middle

    @property
    def rise(self) -> Float[np.ndarray, "n"]:
        """The barrier in Chamfer distance: by how much it is greater halfway than at the ends."""
        return self.chamfer[:, 1] - (self.chamfer[:, 0] + self.chamfer[:, 2]) / 2


@dataclass(frozen=True)
class Similarity:
    """Cosines of the two fits of each target (n,), and the floor: the mean cosine of fits of different targets, without
    which a cosine says nothing."""

    cosine: Float[np.ndarray, "n"]
    floor: float


def fit_pair(
    signals: Signals,
    representation: str,
    base: str | BaseField | None = None,
    *,
    init: str = "centered",
    sigma: float = 0.02,
    perturb: float = 1.0,
    init_seed: int = 0,
    point_seeds: tuple[int, int] = (0, 1),
    first: Float[Tensor, "n p"] | None = None,
    **options,
) -> Pair:
    """Fits each signal twice: from the start of `init_seed`, and from one that `perturb` (λ of section 4.2) takes away
    from it, up to an independent one at 1. With λ = 0 the starts are the same, which is the control: the two still draw
    other points, unless `point_seeds` are equal. `first`: the first fits, where they are at hand from another λ.
    options: further ones of `wsr.fit` (steps, rank, lr, points, device)."""
    options |= dict(base=base, init=init, sigma=sigma, init_seed=init_seed)
    second = fit(signals, representation, perturb=perturb, seed=point_seeds[1], **options)
    model = second.representation
    if first is None:
        first = fit(signals, representation, seed=point_seeds[0], **options).weights
    return Pair(model, second.ids, first, second.weights, *_starts(model, init, sigma, init_seed, perturb))


def _starts(model: Representation, init: str, sigma: float, init_seed: int, perturb: float) -> tuple:
    """Of the two fits, and the mean that they vary around."""
    both = tuple(model.initial(init, sigma, init_seed, mix) for mix in (0.0, perturb))
    return both, model.initial_mean(init)


@dataclass(frozen=True)
class PairRecord:
    """Progress of two fits: steps done of both, and the pair once they are."""

    step: int
    steps: int
    pair: Pair | None = None


def fit_pair_stream(
    signals: Signals,
    representation: str,
    base: str | BaseField | None = None,
    *,
    init: str = "centered",
    sigma: float = 0.02,
    perturb: float = 1.0,
    init_seed: int = 0,
    point_seeds: tuple[int, int] = (0, 1),
    every: int = 10,
    **options,
) -> Iterator[PairRecord]:
    """`fit_pair` as a generator, one fit after the other, all signals in one batch. It may be closed between two
    records."""
    options |= dict(base=base, init=init, sigma=sigma, init_seed=init_seed, every=every)
    results = []
    for mix, seed in zip((0.0, perturb), point_seeds, strict=True):
        for record in fit_stream(signals, representation, perturb=mix, seed=seed, **options):
            yield PairRecord(record.step + len(results) * record.steps, 2 * record.steps)
        results.append(record.result)
    first, second = results
    model = second.representation
    pair = Pair(model, second.ids, first.weights, second.weights, *_starts(model, init, sigma, init_seed, perturb))
    yield PairRecord(2 * record.steps, 2 * record.steps, pair)


def connect(pair: Pair, truth: Truth, alphas: Sequence[float] = ALPHAS) -> Connection:
    """The quality of every field on the line."""
    found = [truth.quality(pair.model, pair.line(alpha)) for alpha in alphas]
    return Connection(list(alphas), np.stack(found, axis=1))


def chamfers(
    pair: Pair,
    targets: Sequence[trimesh.Trimesh],
    resolution: int,
    alphas: Sequence[float] = (0.0, 0.5, 1.0),
    progress: Callable[[], None] = lambda: None,
) -> Float[np.ndarray, "n k"]:
    """The Chamfer distance of decoded surfaces to their targets at these places of the line."""
    rows = []
    for i, target in enumerate(targets):
        meshes = (decode(pair.model, pair.line(alpha)[i : i + 1], resolution)[0] for alpha in alphas)
        rows.append([surface_distance(mesh, target) for mesh in meshes])
        progress()
    return np.array(rows)


def similarity(
    a: Float[Tensor, "n p"], b: Float[Tensor, "n p"], centre: Float[Tensor, "p"] | float = 0.0
) -> Similarity:
    """Of two fits of each target, after `centre` (the mean of their starts, or nothing) is taken from both."""
    cosines = torch.nn.functional.normalize(a - centre) @ torch.nn.functional.normalize(b - centre).T  # (n, n)
    others = cosines[~torch.eye(len(a), dtype=torch.bool, device=a.device)]
    floor = float(others.mean()) if len(others) else float("nan")
    return Similarity(cosines.diagonal().cpu().numpy(), floor)
