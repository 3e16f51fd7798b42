"""What happens to a zoo that a visitor brings: it is read, mapped and drawn. Runs in a child process
(`app.shell.workers`), over paths and plain data, so that a file that should not be read harms nobody else."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.shared.thumbnails import drawn
from wsr.analysis.projections import project, to_table
from wsr.imports.brought import bring
from wsr.imports.housed import Taken
from wsr.map_layouts import NAMES, ProjectionConfig
from wsr.paths import atomic_path
from wsr.zoo import Zoo

MAPS = (("pca", 2), ("pca", 3), ("umap", 2), ("umap", 3))
DRAWING = 90.0  # seconds for thumbnails: a thousand pictures take ten on a quiet machine, a thousand surfaces more


@dataclass(frozen=True)
class Progress:
    """How far it is. done: share in [0, 1]; rows: networks that are shown; failed: those whose fits have failed;
    left_out: a sentence for each instance that cannot be used; like: the zoo whose networks they were taken for;
    pictures: how many thumbnails are drawn."""

    said: str
    done: float
    rows: int = 0
    failed: int = 0
    left_out: tuple[str, ...] = ()
    like: str = ""
    pictures: int = 0


def brought(path: str, folder: str, known: Taken) -> Iterator[Progress]:
    """Makes a zoo of a file, with its maps and thumbnails, in `folder`. WsrError if it cannot be used."""
    made = bring(Path(path), Path(folder) / "zoo", known)
    zoo = Zoo.open(made.path)
    ids = zoo.good()["id"].tolist()
    state: dict[str, Any] = {"rows": len(ids), "failed": len(zoo) - len(ids), "left_out": tuple(made.left_out)}
    state["like"] = made.like
    weights, maps = zoo.weights(ids).numpy(), []
    for number, (method, dims) in enumerate(MAPS):
        yield Progress(f"Mapping {len(ids):,} networks: {NAMES[method]} in {dims}D …", 0.1 + 0.15 * number, **state)
        maps.append(project(weights, ProjectionConfig(method, dims)))
    with atomic_path(Path(folder) / "map.parquet") as temporary:
        to_table(ids, sorted(maps, key=lambda one: one.method, reverse=True)).to_parquet(temporary, index=False)
    done = 0
    for done in drawn(zoo, Path(folder) / "sheet.webp", DRAWING):
        yield Progress(f"Drawing: {done:,} of {len(ids):,} …", 0.7 + 0.3 * done / len(ids), **state)
    yield Progress("", 1.0, **state, pictures=done)
