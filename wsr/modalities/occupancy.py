"""Shapes: whether points of [-1, 1]^3 lie inside, fitted with the cross-entropy and judged by IoU. Why methods import
what they call: see `wsr.modalities`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from wsr.modalities.base import Live, Measured, Modality, Resolutions

if TYPE_CHECKING:
    import trimesh
    from torch import Tensor

    from wsr.data.occupancy import OccupancySamples
    from wsr.data.signals import Signals
    from wsr.fields.representation import Representation
    from wsr.metrics.features import Extractor
    from wsr.modalities.occupancy_targets import ShapeEvaluator, ShapeTargets

SUFFIXES = (".obj", ".off", ".stl", ".ply", ".glb")  # those with a reader in wsr.data.readers
_SMALL = 0.01  # share of the cube; a shape that fills less is thin compared with the grid
DRAWN = 256  # default size of a drawn surface, in pixels
PLACES = 20_000  # points at which two fields are compared


class Occupancy(Modality):
    """A content is a mesh scaled to the unit sphere; the value of a field is a logit, positive inside."""

    name, dim, channels, noun, plural = "occupancy", 3, 1, "shape", "shapes"
    measure, unit, title, decimals, best = "iou", "IoU", "IoU", 3, 1.0
    poor, tolerance, negligible = 0.5, 0.002, 0.005
    too_fine, value_unit = "thinner walls", "logit"
    default_base, folder, files, suffix, given = "shapes10", "meshes", SUFFIXES, ".glb", "mesh"
    # From an encoder's start, 24 validation shapes reach an IoU of 0.936, 0.952, 0.960, 0.964 and 0.966 after 70, 140,
    # 210, 280 and 350 steps, and 0.969 from the plain start after 700.
    finest, encoded_steps = 512, 350
    view, level_set, prepares = "surface", True, "occupancy"
    resolutions = Resolutions(
        final=96, large=96, opened=64, beside=40, sample=48, settled=64, judged=48, thumbnail=64,
        live=Live(40, 0.8), live_six=Live(32, 2.5), live_samples=Live(20, 1.5),
    )  # fmt: skip

    def recognises(self, given):
        if isinstance(given, (str, Path)):
            return Path(given).suffix.lower() in SUFFIXES
        import trimesh

        return isinstance(given, trimesh.Trimesh)

    def read(self, given, longest=None) -> trimesh.Trimesh:
        """Reads one mesh, with all its detail whatever `longest` is."""
        from wsr.data.meshes import read_mesh

        return read_mesh(given)

    def content_parts(self, content):
        # rounded, so that rounding errors, which differ between platforms, do not change a shape's hash
        return [np.round(content.vertices, 5).astype("<f4"), np.asarray(content.faces, "<i4")]

    def load_folder(self, folder):
        from wsr.data.meshes import load_mesh_folder

        return load_mesh_folder(folder)

    def prepare(self, signals, progress):
        from wsr.data.occupancy import prepare_occupancy

        return prepare_occupancy(signals, progress=progress)

    def describe(self, content, resolution):
        from wsr.data.mesh_report import describe_mesh

        return describe_mesh(content, resolution).sentences()

    def warnings(self, content):
        from wsr.data.mesh_report import describe_mesh

        return describe_mesh(content).warnings()

    def samples(self, signals: Signals) -> list[OccupancySamples]:
        from wsr.data.occupancy import cached_occupancy

        return [cached_occupancy(signal) for signal in signals]

    def shared_samples(self, signals: Signals) -> list[OccupancySamples]:
        from wsr.data.shared_places import shared_occupancy

        return [shared_occupancy(signal) for signal in signals]

    def targets(self, samples, device="cpu", seed=0) -> ShapeTargets:
        from wsr.modalities.occupancy_targets import ShapeTargets

        return ShapeTargets.of(samples, device, seed)

    def evaluator(self, signals, samples, points) -> ShapeEvaluator:
        from wsr.modalities.occupancy_targets import shape_evaluator

        return shape_evaluator(signals, points)

    def encoder(self, features):
        from wsr.modalities.occupancy_encoder import PointEncoder

        return PointEncoder(features)

    def coarse(self, signals, size):
        """Tells whether the centres of size³ voxels lie inside."""
        import torch

        from wsr.data.inside import inside

        places = (np.stack(np.meshgrid(*[np.arange(size)] * 3), -1).reshape(-1, 3) + 0.5) * 2 / size - 1
        return torch.from_numpy(np.stack([inside(signal.read(), places) for signal in signals])).float()

    def in_words(self, quality):
        return f"an IoU of {quality:.3f}"

    def in_short(self, quality):
        return f"IoU {quality:z.3f}"

    @property
    def bound(self):
        return f"{self.poor:g}"

    def fault(self, filled):
        """filled: share of the cube that lies inside the shape."""
        if filled == 0:
            return "the shape is empty: its surface encloses nothing"
        if filled is not None and filled < _SMALL:
            inside = f"only {filled:.2%} of the cube lies inside"
            return f"{inside}: the shape is thin against the grid, or its surface is open"
        return ""

    def places(self, resolution):
        """Returns PLACES uniform random points, whatever the resolution, because a full grid has too many."""
        import torch

        return torch.rand(1, PLACES, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def decode(
        self, model: Representation, weights: Float[Tensor, "n p"], resolution: int, aspect: tuple[int, int]
    ) -> list[trimesh.Trimesh]:
        """Extracts surfaces where the logit is 0, on a grid of `resolution` samples along an edge."""
        from wsr.render.decode import render_surfaces

        return render_surfaces(model, weights, resolution) if len(weights) else []

    def empty(self, decoded):
        return not len(decoded.faces)

    def picture(self, decoded, size=None):
        from wsr.render.pictures import draw_mesh

        return draw_mesh(decoded, size or DRAWN)

    def save(self, decoded, path):
        from wsr.render.surfaces import to_glb

        to_glb(decoded, path)

    def extractor(self) -> Extractor:
        """Returns PointNet++, trained on `shapes10`."""
        from wsr.metrics.features import pointnet

        return pointnet()

    def measured(self, decoded, first=0):
        from wsr.metrics.pieces import count_pieces

        clouds = np.stack([_cloud(mesh, first + i) for i, mesh in enumerate(decoded)])
        pieces = np.array([count_pieces(mesh) for mesh in decoded])
        return Measured(clouds, clouds, sum(map(self.empty, decoded)), pieces)


def _cloud(mesh: trimesh.Trimesh, seed: int) -> Float[np.ndarray, "p 3"]:
    from wsr.metrics.surfaces import POINTS, surface_points

    if not len(mesh.faces):
        return np.zeros((POINTS, 3), np.float32)
    return surface_points(mesh, POINTS, seed).astype(np.float32)


OCCUPANCY = Occupancy()
