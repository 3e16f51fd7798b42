"""Training targets of shapes: occupancy at points near the surface and in the whole cube, and IoU at fresh points."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from wsr.data.inside import inside
from wsr.data.occupancy import OccupancySamples
from wsr.data.signals import Signals
from wsr.fields.representation import Representation
from wsr.identity import content_hash
from wsr.modalities.occupancy import OCCUPANCY
from wsr.modalities.occupancy_encoder import SEEN
from wsr.modalities.targets import Batch, Evaluator, Targets
from wsr.render.decode import evaluate_in_chunks

EVALUATION_SEED = 77_003  # seed of the fresh uniform points, which no fit has seen
QUICK_POINTS = 8192  # points on which all records but the last are measured


class ShapeTargets(Targets):
    """Targets from occupancy samples of shapes, half of them near the surface and half uniform. They are stored in
    random order, and each step takes the next slice of both.

    points: (n, 2, p, 3), or (1, 2, p, 3) if all shapes share their places (`wsr.data.shared_places`)."""

    modality = OCCUPANCY

    def __init__(
        self,
        points: Float[Tensor, "m 2 p 3"],
        inside: Bool[Tensor, "n 2 p"],
        device: torch.device | str = "cpu",
        seed: int = 0,
    ):
        self.points, self.inside, self.seed = points.to(device), inside.to(device), seed

    @classmethod
    def of(cls, samples: list[OccupancySamples], device: torch.device | str = "cpu", seed: int = 0) -> "ShapeTargets":
        shared = all(one.points is samples[0].points for one in samples)
        points = torch.from_numpy(np.stack([one.points for one in (samples[:1] if shared else samples)]))
        return cls(points, torch.from_numpy(np.stack([s.inside for s in samples])), device, seed)

    def __len__(self) -> int:
        return len(self.inside)

    @property
    def device(self) -> torch.device:
        return self.points.device

    def batch(self, step: int, count: int, rows: Tensor | slice = slice(None)) -> Batch:
        pool, half = self.points.shape[2], max(count // 2, 1)
        half = min(half, pool)
        slices = pool // half
        offset = ((step + self.seed * 7919) % slices) * half
        own = rows if len(self.points) == len(self) else slice(None)
        points = self.points[own, :, offset : offset + half].flatten(1, 2).float()  # (n or 1, 2·half, 3)
        inside = self.inside[rows, :, offset : offset + half].flatten(1, 2).float()
        return Batch(points, inside[..., None])

    def draw(self, i, count, generator):
        chosen = torch.randint(self.points.shape[2], (2, count // 2), generator=generator)
        places = self.points[i if len(self.points) == len(self) else 0]
        points = torch.cat([places[kind, chosen[kind]] for kind in (0, 1)]).float()
        inside = torch.cat([self.inside[i, kind, chosen[kind]] for kind in (0, 1)]).float()
        return points, inside[:, None]

    def loss(self, logits: Float[Tensor, "n p 1"], batch: Batch) -> Float[Tensor, "n"]:
        """Returns the mean binary cross-entropy of each instance."""
        return F.binary_cross_entropy_with_logits(logits, batch.values.to(logits.dtype), reduction="none").mean((1, 2))

    def seen(self, rows: Tensor | slice = slice(None), step: int = 0) -> Float[Tensor, "n p 4"]:
        """Returns points, half of them near the surface, each with 1 if it lies inside and -1 if not."""
        batch = self.batch(step, SEEN, rows)
        return torch.cat([batch.points, 2 * batch.values - 1], -1)

    def content_hash(self) -> str:
        return content_hash("shapes", self.points, self.inside)


@dataclass
class ShapeEvaluator(Evaluator):
    """Judges fits of shapes by IoU at fresh uniform points of [-1, 1]^3, which no fit has seen."""

    points: Float[Tensor, "n q 3"]
    inside: Bool[Tensor, "n q"]

    @property
    def filled(self) -> list[float]:
        """The share of [-1, 1]^3 that lies inside, for each shape."""
        return self.inside.float().mean(1).tolist()

    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """Returns the intersection over union; with `quick` on the first QUICK_POINTS points only."""
        count = QUICK_POINTS if quick else self.points.shape[1]
        points = self.points[:, :count].float()
        logits = evaluate_in_chunks(representation, weights, points)[..., 0]  # (n, q)
        a, b = logits > 0, self.inside[:, :count].to(logits.device)
        union = (a | b).sum(1).clamp_min(1)
        return ((a & b).sum(1) / union).cpu().numpy()


def shape_evaluator(items: Signals, count: int) -> ShapeEvaluator:
    """Fresh uniform points, the same for every shape."""
    points = np.random.default_rng(EVALUATION_SEED).uniform(-1, 1, (count, 3)).astype(np.float32)
    occupied = np.stack([inside(signal.read(), points) for signal in items])
    return ShapeEvaluator(torch.from_numpy(points)[None].expand(len(items), -1, -1), torch.from_numpy(occupied))
