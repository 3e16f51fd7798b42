"""Floating pieces: parts of a decoded surface that are connected to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, Shaped
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from wsr.errors import WsrError, counted
from wsr.metrics.registry import Metric, register

if TYPE_CHECKING:
    import trimesh

MIN_SHARE = 1e-3
"""Share of a shape's volume below which a part is a speck, not a piece. At the resolution of the metrics this is a few
voxels or less, and real fits have such specks as well."""


def count_pieces(mesh: trimesh.Trimesh) -> int:
    """Counts the connected components of a closed surface that enclose `MIN_SHARE` of its volume or more; 0 for a
    surface without faces. Cavities, whose faces point inwards, are no pieces.

    Components are those of the graph of the mesh's edges: 2 ms for a shape at a resolution of 48, which takes 0.3 s to
    decode.
    """
    if not len(mesh.faces):
        return 0
    faces, size = np.asarray(mesh.faces), len(mesh.vertices)
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])  # two sides connect a triangle
    graph = coo_array((np.ones(len(edges), np.int8), tuple(edges.T)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    corners = np.asarray(mesh.vertices, np.float64)[faces]  # (f, 3, 3)
    # a face and the origin span a tetrahedron; over a closed component their signed volumes add up to what it encloses
    parts = np.einsum("fd,fd->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    volumes = np.bincount(labels[faces[:, 0]], parts)
    solid = volumes[volumes > 0]
    return int((solid >= MIN_SHARE * solid.sum()).sum())


def floating_share(
    pieces: Int[np.ndarray, " n"], real: Int[np.ndarray, " m"],
    classes: Shaped[np.ndarray, " n"], real_classes: Shaped[np.ndarray, " m"],
) -> float:  # fmt: skip
    """Returns the share of shapes with floating pieces: more than the median of real fits of the same class.

    Some real fits consist of several pieces, where a part is thinner than the grid (the pole of a lamp). pieces, real:
    numbers of pieces of generated shapes and of real fits. A class without real fits, such as "", is compared with all
    of them. WsrError where there are none at all, or not a class for each shape.
    """
    if not len(pieces) or not len(real) or len(pieces) != len(classes) or len(real) != len(real_classes):
        raise WsrError(
            "Floating pieces are counted of one shape or more on either side, each with its class: not of "
            f"{counted(len(pieces), 'generated shape')} with {counted(len(classes), 'class', 'classes')}, and "
            f"{counted(len(real), 'real shape')} with {counted(len(real_classes), 'class', 'classes')}."
        )
    real_classes, every = np.asarray(real_classes), float(np.median(real))
    usual = {cls: float(np.median(real[real_classes == cls])) for cls in np.unique(real_classes)}
    return float(np.mean([count > usual.get(cls, every) for count, cls in zip(pieces, classes, strict=True)]))


register(Metric("pieces", "floating pieces", floating_share, "pieces", unit="%", decimals=0))
