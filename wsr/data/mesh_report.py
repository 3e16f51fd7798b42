"""Reports on a mesh before it is fitted: whether it is closed, what was repaired, and how thin its walls are."""

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Float

from wsr.data.meshes import REPAIRS, read_mesh
from wsr.data.orientation import Orientation, is_closed
from wsr.errors import counted, were

GRID = 96  # samples along an edge of [-1, 1]^3 at which fits are decoded to surfaces
_POINTS = 600  # points on the surface at which the wall thickness is measured
_SHARE = 0.1  # share of the surface whose walls are thinner than the reported thickness
_SHEETS = 0.25  # share of the surface without a face behind it from which an open mesh is said to consist of sheets
_SMALL = 0.01  # share of the cube; if a shape fills less, few of the points that judge a fit lie inside


@dataclass(frozen=True)
class MeshReport:
    """Properties of a mesh. faces, vertices: their numbers after reading. closed: whether every point has an integer
    winding number. done: what was reoriented and left out. notes: remarks of the reader. wall: the tenth percentile of
    the wall thickness over the surface, where the mesh lies in the unit sphere; inf if no face lies behind another.
    sheets: share of the surface without a face behind it. filled: share of [-1, 1]^3 inside the mesh, None for an open
    one. resolution: that of the grid at which fits are decoded, whose voxels are 2 / resolution wide."""

    faces: int
    vertices: int
    closed: bool
    done: Orientation
    notes: tuple[str, ...]
    wall: float
    sheets: float
    filled: float | None
    resolution: int

    @property
    def voxels(self) -> float:
        """Wall thickness `wall` in voxels of the grid."""
        return self.wall * self.resolution / 2

    @property
    def thin(self) -> bool:
        """Whether a tenth of the surface has walls thinner than a voxel."""
        return self.voxels < 1

    def sentences(self) -> list[str]:
        """Returns the whole report as sentences."""
        parts = f" in {counted(self.done.parts, 'part')}" if self.done.parts > 1 else ""
        first = f"{counted(self.faces, 'face')}{parts}, {'closed' if self.closed else 'open'}."
        walls = [] if self.thin or not np.isfinite(self.wall) else [self._walls()]
        return [first, *self.warnings(), *walls]

    def warnings(self) -> list[str]:
        """Returns sentences about what was repaired and what may lead to a poor fit. There are none for a closed,
        consistently oriented mesh with sufficiently thick walls."""
        done, found = self.done, []
        if not self.closed:
            which = "Its surface has"
            if done.parts > 1:
                have = were(done.open_parts, "has", "have")
                which = f"{done.open_parts:,} of its {counted(done.parts, 'part')} {have}"
            found.append(f"{which} a border: a point counts as inside where faces close it off by more than half.")
            if self.sheets > _SHEETS:
                found.append(
                    f"{self.sheets:.0%} of its surface has no face behind it: sheets have no inside, and a fit may "
                    "come out empty or in part."
                )
        if done.doubled:
            found.append(f"{counted(done.doubled, 'face')} lay on top of others and {were(done.doubled)} left out.")
        if done.turned:
            parts = f", of them {counted(done.turned_parts, 'whole part')}" if done.turned_parts else ""
            found.append(f"{counted(done.turned, 'face')} {were(done.turned)} wound inward and turned outward{parts}.")
        if done.cavities:
            found.append(_cavities(done.cavities))
        found += [f"{note[0].upper()}{note[1:]}." for note in self.notes]
        if self.thin:
            found.append(
                f"On a tenth of its surface the walls are thinner than a cell of the {self.resolution}³ grid on which "
                f"fits are drawn ({self.voxels:.2g} of a cell): they may come out with holes or be missing."
            )
        if self.filled is not None and self.filled < _SMALL:
            found.append(f"It fills only {self.filled:.2%} of the cube around it: a fit may come out empty.")
        return found

    def _walls(self) -> str:
        cells = f"{self.voxels:.2g} cells of the {self.resolution}³ grid on which fits are drawn"
        return f"On nine tenths of its surface the walls are thicker than {cells}."


def _cavities(count: int) -> str:
    against = were(count, "is wound against it and is", "are wound against them and are")
    return f"{counted(count, 'part')} inside {were(count, 'another', 'others')} {against} hollow."


def describe_mesh(source: str | trimesh.Trimesh, resolution: int = GRID) -> MeshReport:
    """Reports on a file, or on a mesh from `read_mesh`. Takes some hundredths of a second beyond reading."""
    mesh = source if isinstance(source, trimesh.Trimesh) and REPAIRS in source.metadata else read_mesh(source)
    done, notes = mesh.metadata[REPAIRS]
    closed = is_closed(mesh.faces)
    filled = abs(float(mesh.volume)) / 8 if closed else None
    walls = wall_thickness(mesh)
    wall, sheets = float(np.quantile(walls, _SHARE, method="lower")), float(np.isinf(walls).mean())
    return MeshReport(len(mesh.faces), len(mesh.vertices), closed, done, notes, wall, sheets, filled, resolution)


def wall_thickness(mesh: trimesh.Trimesh, count: int = _POINTS) -> Float[np.ndarray, " p"]:
    """Measures, from points on the surface (uniform by area), the distance inward along the normal to the next face;
    inf if there is none. The points are drawn with a fixed seed."""
    rng = np.random.default_rng(0)
    areas = np.cumsum(mesh.area_faces)
    rows = np.searchsorted(areas, (np.arange(count) + 0.5) / count * areas[-1]).clip(max=len(areas) - 1)
    corners, inward = mesh.triangles[rows], -mesh.face_normals[rows]
    points = np.einsum("pc,pcd->pd", rng.dirichlet((2, 2, 2), count), corners)
    hit = mesh.ray.intersects_first(points + 1e-5 * inward, inward)
    behind = mesh.triangles[hit, 0]
    normal = mesh.face_normals[hit]
    slope = np.einsum("pd,pd->p", normal, inward)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.einsum("pd,pd->p", behind - points, normal) / slope
    return np.where((hit >= 0) & np.isfinite(distance), np.maximum(distance, 0.0), np.inf)
