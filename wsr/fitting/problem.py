"""From what a user gives to what a fit needs: ids, target tensors, and fresh points to judge the result on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float, Int64, UInt8
from PIL import Image
from torch import Tensor

from wsr.data.images import read_image
from wsr.data.meshes import read_mesh
from wsr.data.occupancy import cached_occupancy, inside
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.fields.coordinates import morton_order, pixel_grid
from wsr.fields.representation import Representation
from wsr.fitting.targets import ImageTargets, ShapeTargets, Targets, stack_images, to_unit
from wsr.render.decode import evaluate_in_chunks

EVALUATION_SEED = 77_003  # of the fresh uniform points: never those that a fit saw
QUICK_PIXELS, QUICK_POINTS = 2048, 8192  # that every record but the last is judged on


@dataclass
class Problem:
    """A batch of instances to fit: their ids, targets and the truth that judges them."""

    ids: list[str]
    targets: Targets
    truth: "ImageTruth | ShapeTruth"

    @property
    def dim(self) -> int:
        return self.targets.dim


@dataclass
class ImageTruth:
    """All pixels of the images (n, h, w, 3). `part` (q,) are those that stand for all where it has to be quick: one at
    random out of each of QUICK_PIXELS equal stretches of a curve through neighbours, always the same ones."""

    images: UInt8[Tensor, "n h w 3"]
    filled = None

    @cached_property
    def part(self) -> Int64[Tensor, "q"]:
        curve = morton_order(*self.aspect)
        count = min(QUICK_PIXELS, len(curve))
        within = torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(EVALUATION_SEED))
        return curve[((torch.arange(count) + within) * (len(curve) / count)).long()]

    @property
    def aspect(self) -> tuple[int, int]:
        return tuple(self.images.shape[1:3])

    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """PSNR in dB of the clamped decode, on every pixel; `quick` looks at those of `part` only."""
        pixels, grid = self.images.flatten(1, 2), pixel_grid(*self.aspect)
        if quick:
            pixels, grid = pixels[:, self.part], grid[self.part]
        decoded = to_unit(evaluate_in_chunks(representation, weights, grid[None].to(representation.device)))
        error = (decoded - pixels.to(decoded.device).float() / 255).square().mean((1, 2))  # of (n, q, 3)
        return (-10 * torch.log10(error.clamp_min(1e-10))).cpu().numpy()


@dataclass
class ShapeTruth:
    """Occupancy at fresh uniform points of [-1, 1]^3, not seen by the fit."""

    points: Float[Tensor, "n q 3"]
    inside: Bool[Tensor, "n q"]
    aspect = (1, 1)

    @property
    def filled(self) -> list[float]:
        """The share of the cube that lies inside, a shape."""
        return self.inside.float().mean(1).tolist()

    def quality(
        self, representation: Representation, weights: Float[Tensor, "n p"], quick: bool = False
    ) -> Float[np.ndarray, "n"]:
        """Intersection over union; `quick` looks at the first QUICK_POINTS points only."""
        count = QUICK_POINTS if quick else self.points.shape[1]
        points = self.points[:, :count].float()
        logits = evaluate_in_chunks(representation, weights, points)[..., 0]  # (n, q)
        a, b = logits > 0, self.inside[:, :count].to(logits.device)
        union = (a | b).sum(1).clamp_min(1)
        return ((a & b).sum(1) / union).cpu().numpy()


def make_problem(
    signals, resolution: int | None, seed: int = 0, device: torch.device | str = "cpu", evaluation_points: int = 100_000
) -> Problem:
    """Accepts what `wsr.fit` accepts: Signals, a Signal, an image array (n, h, w, 3) in [0, 1], PIL images, meshes, or
    paths, one or a list. Pictures and paths larger than `resolution` are reduced to it; arrays are kept as they are."""
    items = as_signals(signals, resolution)
    if items.dim == 2:
        images = stack_images([signal.read() for signal in items])
        return Problem(items.ids, ImageTargets(images, device, seed), ImageTruth(images))
    return Problem(
        items.ids,
        ShapeTargets.of([cached_occupancy(signal) for signal in items], device, seed),
        shape_truth(items, evaluation_points),
    )


def shape_truth(items: Signals, count: int) -> ShapeTruth:
    """Fresh uniform points, the same for every shape."""
    points = np.random.default_rng(EVALUATION_SEED).uniform(-1, 1, (count, 3)).astype(np.float32)
    occupied = np.stack([inside(signal.read(), points) for signal in items])
    return ShapeTruth(torch.from_numpy(points)[None].expand(len(items), -1, -1), torch.from_numpy(occupied))


def as_signals(given, resolution: int | None) -> Signals:
    """Any of the accepted inputs as Signals. WsrError for what is none of them, for an empty list, and for a mix."""
    if isinstance(given, Signals):
        items = list(given)
    elif isinstance(given, (np.ndarray, Tensor)):
        items = _from_array(np.asarray(given), resolution)
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        items = _distinct([_one(item, i, resolution) for i, item in enumerate(given)])
    else:
        items = [_one(given, 0, resolution)]
    if not items:
        raise WsrError("There is nothing to fit: give at least one image or shape.")
    if len({signal.dim for signal in items}) > 1:
        raise WsrError("Images and shapes cannot be fitted in one batch: they have different bases. Fit them in turn.")
    name = given.name if isinstance(given, Signals) else "given"
    return Signals(name, items[0].dim, items)


def _distinct(items: list[Signal]) -> list[Signal]:
    """With ids that are all different: files of one name in two folders are numbered."""
    seen: set[str] = set()
    for i, item in enumerate(items):
        name, number = item.id, 2
        while name in seen:
            name, number = f"{item.id}-{number}", number + 1
        seen.add(name)
        items[i] = item if name == item.id else replace(item, id=name)
    return items


def _from_array(array: np.ndarray, resolution: int | None) -> list[Signal]:
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[-1] != 3:
        raise WsrError(f"An array of images has shape (n, h, w, 3), this one has {array.shape}.")
    return [_image_signal(f"image-{i}", read_image(image)) for i, image in enumerate(array)]


def _one(item, position: int, resolution: int | None) -> Signal:
    if isinstance(item, Signal):
        return item
    if isinstance(item, trimesh.Trimesh):
        return _shape_signal(f"mesh-{position}", read_mesh(item))
    if isinstance(item, Image.Image):
        return _image_signal(f"image-{position}", read_image(item, resolution))
    if isinstance(item, (np.ndarray, Tensor)):
        return _image_signal(f"image-{position}", read_image(np.asarray(item)))
    if isinstance(item, (str, Path)):
        path = Path(item)
        if path.suffix.lower() in (".obj", ".ply", ".stl", ".glb", ".off"):
            return _shape_signal(path.stem, read_mesh(path))
        return _image_signal(path.stem, read_image(path, resolution))
    raise WsrError(
        f"A {type(item).__name__} cannot be fitted: give image arrays (n, h, w, 3) in [0, 1], PIL images, "
        "trimesh meshes, paths, or what wsr.load_signals returns."
    )


def _image_signal(name: str, image: np.ndarray) -> Signal:
    return Signal(name, "", "train", 2, partial(_same, image))


def _shape_signal(name: str, mesh: trimesh.Trimesh) -> Signal:
    return Signal(name, "", "train", 3, partial(_same, mesh))


def _same(content):
    return content
