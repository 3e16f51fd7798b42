"""A table for Embedding Atlas: a row for each instance, with its place on a map, its neighbours and a thumbnail."""

import shlex

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float

from wsr.analysis.neighbours import nearest
from wsr.analysis.projections import project
from wsr.errors import counted
from wsr.exports.base import README, Exported
from wsr.exports.tables import described, thumbnails
from wsr.map_layouts import NAMES, ProjectionConfig
from wsr.paths import atomic_path

NAME, NEIGHBOURS = "atlas.parquet", 15
TOGETHER = 512  # rows whose neighbours are looked for at once: against a million others 2 GB of distances
X, Y, NEAR, PICTURE = "projection_x", "projection_y", "neighbors", "image"


def write(exported: Exported) -> None:
    """Writes atlas.parquet and a README.md with the one command that opens it."""
    weights = exported.weights
    places = project(weights, ProjectionConfig(exported.method)).coordinates
    near = pa.struct({"ids": pa.list_(pa.int64()), "distances": pa.list_(pa.float32())})
    columns = described(exported) | {
        X: pa.array(places[:, 0], pa.float32()), Y: pa.array(places[:, 1], pa.float32()),
        NEAR: pa.array(neighbours(weights), near), PICTURE: thumbnails(exported),
    }  # fmt: skip
    with atomic_path(exported.folder / NAME) as temporary:
        pq.write_table(pa.table(columns), temporary)
    (exported.folder / README).write_text(
        f"# {exported.zoo.path.name}\n\n{counted(len(exported.ids), 'instance')}. "
        f"Places: {NAMES[exported.method]} of their weights; neighbours: by the cosine of weights around "
        f"their mean.\n\n```sh\npip install embedding-atlas\n"
        f"{command(str(exported.out / NAME))}\n```\n"
    )


def command(path: str) -> str:
    """Returns the command that opens the table in Embedding Atlas. It computes nothing anew."""
    return f"embedding-atlas {shlex.quote(path)} --x {X} --y {Y} --neighbors {NEAR} --image {PICTURE}"


def neighbours(weights: Float[np.ndarray, "n p"], k: int = NEIGHBOURS) -> list[dict[str, list]]:
    """Returns, for each row, the numbers of its k nearest rows with their distances, itself first."""
    rows, near = torch.from_numpy(weights), []
    centre = rows.mean(0)
    for queries in rows.split(TOGETHER):
        found, away = nearest(queries, rows, min(k + 1, len(rows)), centre=centre)
        pairs = zip(found.tolist(), away.clamp_min(0).tolist(), strict=True)
        near += [{"ids": ids, "distances": far} for ids, far in pairs]
    return near
