"""What fields are fitted to, as tensors: the values of a set of signals at points, drawn step by step.

The points of a step depend on the step and on the signal alone, never on the other signals of the batch, so an instance
fitted alone and in a batch sees the same points.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from wsr.data.occupancy import OccupancySamples
from wsr.devices import upload
from wsr.errors import WsrError
from wsr.fields.coordinates import morton_order, pixel_grid
from wsr.identity import content_hash


@dataclass
class Batch:
    """points (m, p, d), m = 1 where all instances share them, and the values (n, p, v) of each instance there:
    RGB in [-1, 1], or occupancy 0 or 1."""

    points: Float[Tensor, "m p d"]
    values: Float[Tensor, "n p v"]


class ImageTargets:
    """Images of one size. Every step takes one pixel at random out of each small cell of the image, and no pixel twice
    before all have been used: less noise in the gradient than independent draws, and no gather but once an epoch."""

    dim = 2

    def __init__(self, images: UInt8[Tensor, "n h w 3"], device: torch.device | str = "cpu", seed: int = 0):
        self.shape = tuple(images.shape[1:3])
        self.pixels = images.flatten(1, 2).to(device)  # (n, h·w, 3)
        self.grid = pixel_grid(*self.shape, device=device)  # (h·w, 2)
        self.curve = morton_order(*self.shape)
        self.seed = seed
        self._epoch: tuple[tuple[int, int], Tensor] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def device(self) -> torch.device:
        return self.pixels.device

    def positions(self, step: int, count: int) -> Tensor:
        """The pixels (count,) of a step."""
        total = len(self.curve)
        count = min(count, total)
        cells = total // count  # steps an epoch: each takes one pixel out of `cells` neighbours
        epoch, part = divmod(step, cells)
        if self._epoch is None or self._epoch[0] != (epoch, count):
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            start = int(torch.randint(total - cells * count + 1, (1,), generator=generator))
            groups = self.curve[start : start + cells * count].view(count, cells)
            shuffled = groups.gather(1, torch.rand(count, cells, generator=generator).argsort(1))
            self._epoch = ((epoch, count), upload(shuffled.t().contiguous(), self.grid.device))
        return self._epoch[1][part]

    def batch(self, step: int, count: int, rows: Tensor | slice = slice(None)) -> Batch:
        positions = self.positions(step, count)
        pixels = self.pixels[rows][:, positions] if isinstance(rows, slice) else self.pixels[rows[:, None], positions]
        return Batch(self.grid[positions][None], to_signed(pixels))

    def loss(self, values: Float[Tensor, "n p 3"], batch: Batch) -> Float[Tensor, "n"]:
        """Mean squared error in [-1, 1], an instance."""
        return (values - batch.values).square().mean((1, 2))


class ShapeTargets:
    """Occupancy samples of shapes, half near the surface and half uniform, in an order that is random already: a step
    takes the next slice of both."""

    dim = 3

    def __init__(
        self,
        points: Float[Tensor, "n 2 p 3"],
        inside: Bool[Tensor, "n 2 p"],
        device: torch.device | str = "cpu",
        seed: int = 0,
    ):
        self.points, self.inside, self.seed = points.to(device), inside.to(device), seed

    @classmethod
    def of(cls, samples: list[OccupancySamples], device: torch.device | str = "cpu", seed: int = 0) -> "ShapeTargets":
        points = torch.from_numpy(np.stack([s.points for s in samples]))
        return cls(points, torch.from_numpy(np.stack([s.inside for s in samples])), device, seed)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def device(self) -> torch.device:
        return self.points.device

    def batch(self, step: int, count: int, rows: Tensor | slice = slice(None)) -> Batch:
        pool, half = self.points.shape[2], max(count // 2, 1)
        half = min(half, pool)
        slices = pool // half
        offset = ((step + self.seed * 7919) % slices) * half
        points = self.points[rows, :, offset : offset + half].flatten(1, 2).float()  # (n, 2·half, 3)
        inside = self.inside[rows, :, offset : offset + half].flatten(1, 2).float()
        return Batch(points, inside[..., None])

    def loss(self, logits: Float[Tensor, "n p 1"], batch: Batch) -> Float[Tensor, "n"]:
        """Mean binary cross-entropy, an instance."""
        return F.binary_cross_entropy_with_logits(logits, batch.values.to(logits.dtype), reduction="none").mean((1, 2))


Targets = ImageTargets | ShapeTargets


def targets_hash(targets: Targets) -> str:
    """Of what they hold, on whatever device: the part that data have in the identity of a run."""
    if targets.dim == 2:
        return content_hash("images", list(map(str, targets.shape)), targets.pixels)
    return content_hash("shapes", targets.points, targets.inside)


def to_signed(pixels: UInt8[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Pixels 0…255 to the network's [-1, 1]."""
    return pixels.float().mul_(2 / 255).sub_(1)


def to_unit(values: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """The network's [-1, 1] to an image's [0, 1], clamped."""
    return values.add(1).mul(0.5).clamp(0, 1)


def stack_images(images: list[np.ndarray]) -> UInt8[Tensor, "n h w 3"]:
    """Images in [0, 1] of one size, as bytes. WsrError where sizes differ."""
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise WsrError(
            f"Images of one fit must have one size, these have {sorted(sizes)[:3]}: fit them in turn, or resize them."
        )
    return torch.from_numpy(np.stack([np.round(image * 255).astype(np.uint8) for image in images]))
