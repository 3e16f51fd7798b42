"""The data sets that have their own name: `emoji`, `faces` and `shapes10`. Folders of files are not among them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsr.data.signals import Signals
from wsr.modalities import IMAGE, OCCUPANCY, Modality

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set with its own name.

    load: loads its signals, or a part of them by the part's name. fetch: copies its source files into the cache, from a
    folder or by default from their package; does nothing if they are there. build: fills the cache with whatever takes
    long to compute. builds: what `build` counts, in the plural; "" if there is nothing to compute. describes: whether
    its signals have attributes. measures: the attributes, of a class or of any, that can be measured again from what
    weights decode to, each with the function that does it.
    """

    name: str
    modality: Modality
    load: Callable[[str | None], Signals]
    fetch: Callable[[Path | None], Any] = lambda folder: None
    build: Callable[[Progress], Any] = lambda progress: None
    builds: str = ""
    describes: bool = False
    measures: Callable[[str | None], Mapping[str, Callable[[Any], float]]] = lambda cls: {}


def _emoji(part: str | None) -> Signals:
    from wsr.data.emoji import load_emoji

    return load_emoji(part)


def _fetch_emoji(folder: Path | None) -> Path:
    from wsr.data.emoji import fetch_emoji

    return fetch_emoji(folder)


def _faces(part: str | None) -> Signals:
    from wsr.data.faces import load_faces

    return load_faces(part)


def _shapes(part: str | None) -> Signals:
    from wsr.data.shapes10 import load_shapes10

    return load_shapes10(part)


def _build_shapes(progress: Progress) -> None:
    from wsr.data.shapes10 import build_cache

    build_cache(progress=progress)


def _measure_shapes(category: str | None) -> Mapping[str, Callable[[Any], float]]:
    from wsr.data.shapes10.measured import measures

    return measures(category)


# each function imports the data set's module when it is called, so that the others' libraries are not needed
DATA_SETS = {
    one.name: one
    for one in (
        DataSet(name="emoji", modality=IMAGE, load=_emoji, fetch=_fetch_emoji),
        DataSet(name="faces", modality=IMAGE, load=_faces, describes=True),
        DataSet(
            name="shapes10", modality=OCCUPANCY, load=_shapes, build=_build_shapes, builds="shapes",
            describes=True, measures=_measure_shapes,
        ),  # fmt: skip
    )
}


def find(name: str) -> tuple[DataSet | None, str | None]:
    """Returns the data set of a name like "shapes10/chair", and the name of the part. Either is None if the name has
    none."""
    dataset, _, part = name.partition("/")
    return DATA_SETS.get(dataset), part or None
