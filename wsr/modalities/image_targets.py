"""Training targets of images: pixels drawn in each step, and PSNR on all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from wsr.devices import upload
from wsr.errors import WsrError
from wsr.fields.coordinates import morton_order, pixel_grid
from wsr.fields.representation import Representation
from wsr.identity import content_hash
from wsr.modalities.image import IMAGE
from wsr.modalities.image_encoder import SEEN
from wsr.modalities.targets import Batch, Evaluator, Targets
from wsr.render.decode import evaluate_in_chunks

PART_SEED = 77_003  # seed of the subset of pixels for quick measurements
QUICK_PIXELS = 2048  # size of that subset, on which all records but the last are measured


class ImageTargets(Targets):
    """Targets of images of one size. Every step takes one random pixel of each small cell of the image, and no pixel is
    taken twice before all have been used. Compared with independent draws, the gradient is less noisy, and pixels are
    shuffled only once per epoch."""

    modality = IMAGE

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

    def positions(self, step: int, count: int) -> Int64[Tensor, "q"]:
        """Returns the flat indices (count,) of a step's pixels."""
        total = len(self.curve)
        count = min(count, total)
        cells = total // count  # pixels in a cell, and so steps in an epoch
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

    def draw(self, i, count, generator):
        chosen = torch.randint(len(self.grid), (count,), generator=generator)
        return self.grid[chosen], to_signed(self.pixels[i, chosen])

    def loss(self, values: Float[Tensor, "n p 3"], batch: Batch) -> Float[Tensor, "n"]:
        """Returns the mean squared error of each instance, of values in [-1, 1]."""
        return (values - batch.values).square().mean((1, 2))

    def seen(self, rows: Tensor | slice = slice(None), step: int = 0) -> Float[Tensor, "n 3 s s"]:
        """Returns the images in [-1, 1], scaled to SEEN × SEEN pixels. Narrow ones are padded with grey to a square, so
        that a place in the picture is a place in the field's domain."""
        height, width = self.shape
        images = to_signed(self.pixels[rows]).unflatten(1, self.shape).movedim(-1, 1)  # (n, 3, h, w)
        wide, high = max(height - width, 0), max(width - height, 0)
        padded = F.pad(images, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return F.adaptive_avg_pool2d(padded, SEEN)

    def content_hash(self) -> str:
        return content_hash("images", list(map(str, self.shape)), self.pixels)


@dataclass
class ImageEvaluator(Evaluator):
    """Judges fits of images (n, h, w, 3) by PSNR on all pixels. `part` (q,) is the subset for quick measurements: a
    random pixel of each of QUICK_PIXELS equal stretches of a curve through neighbouring pixels, always the same ones.
    """

    images: UInt8[Tensor, "n h w 3"]

    @cached_property
    def part(self) -> Int64[Tensor, "q"]:
        curve = morton_order(*self.aspect)
        count = min(QUICK_PIXELS, len(curve))
        within = torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(PART_SEED))
        return curve[((torch.arange(count) + within) * (len(curve) / count)).long()]

    @property
    def aspect(self) -> tuple[int, int]:
        return tuple(self.images.shape[1:3])

    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """Returns PSNR in dB of the clamped decode on every pixel; with `quick` on those of `part` only."""
        pixels, grid = self.images.flatten(1, 2), pixel_grid(*self.aspect)
        if quick:
            pixels, grid = pixels[:, self.part], grid[self.part]
        decoded = to_unit(evaluate_in_chunks(representation, weights, grid[None].to(representation.device)))
        error = (decoded - pixels.to(decoded.device).float() / 255).square().mean((1, 2))  # of (n, q, 3)
        return (-10 * torch.log10(error.clamp_min(1e-10))).cpu().numpy()


def to_signed(pixels: UInt8[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Converts pixels 0…255 to the network's [-1, 1]."""
    return pixels.float().mul_(2 / 255).sub_(1)


def to_unit(values: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Converts the network's [-1, 1] to an image's [0, 1], clamped."""
    return values.add(1).mul(0.5).clamp(0, 1)


def stack_images(images: Iterable[np.ndarray]) -> UInt8[Tensor, "n h w 3"]:
    """Stacks images in [0, 1] of the same size as bytes, each as it comes: as floats, ten thousand would take 2 GB.
    WsrError if sizes differ."""
    stored = [np.round(image * 255).astype(np.uint8) for image in images]
    sizes = {image.shape[:2] for image in stored}
    if len(sizes) > 1:
        raise WsrError(
            f"Images of one fit must have one size, these have {sorted(sizes)[:3]}: fit them in turn, or resize them."
        )
    return torch.from_numpy(np.stack(stored))
