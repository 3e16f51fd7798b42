"""The assets, as the tabs need them. Nothing here imports torch, so that the first page does not wait for it;
`app.shared.networks` does."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emoji
import numpy as np
import pandas as pd
from jaxtyping import Float

from wsr.caching import cached_by_file
from wsr.data.splits import TRAIN
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.formats.files import shown
from wsr.formats.schema import ZooSchema, read_json, validated
from wsr.formats.tables import INDEX, MAP, MAP_KEY, read_table
from wsr.modalities import Modality, of_file
from wsr.paths import assets_dir

log = logging.getLogger("wsr.app")

METHODS = ("UMAP", "t-SNE", "PCA")
_TONES = re.compile(r" ((?:[a-z-]+ skin tone ?)+)$")
FIRST_CLASS = {"emoji": "animals", "shapes10": "chair"}
# Ids shown first in example strips, if present: faces and things with a clear shape, all held out.
LIKED = {
    "emoji": (
        *("1f475", "1f981", "1f601", "1f9d1-1f3ff-200d-1f4bc", "1f9d9-1f3fd-200d-2640-fe0f", "1f995", "1f36e", "1f63b"),
        *("1f6f0-fe0f", "1f454", "1f68e", "1f400", "1f40b", "1f96a", "2650", "1f1e7-1f1f8"),
    ),
    "shapes10": (
        *("chair-00483", "airplane-00456", "lamp-00471", "car-00451", "watercraft-00499", "table-00492"),
        *("bench-00450", "cabinet-00463"),
    ),
}
CLASS, CLUSTER = "class", "k-means cluster"
TITLES = {"emoji": "Emoji", "emoji-people": "People", "shapes10": "Shapes"}


@dataclass(frozen=True)
class Collection:
    """An opened zoo with its map. All lists are in the order of the zoo's index, without failed fits.

    rows: the row of each item in the zoo; maps: coordinates (n, d) by (method, d), NaN for items that are not on the
    map.
    """

    name: str
    modality: Modality
    representation: str
    dataset: str
    ids: list[str]
    labels: list[str]
    classes: list[str]
    held_out: list[bool]
    quality: Float[np.ndarray, " n"]
    rows: list[int]
    maps: dict[tuple[str, int], np.ndarray]
    layout: list[dict]
    index: pd.DataFrame

    @property
    def title(self) -> str:
        return TITLES.get(self.dataset, self.dataset)

    def position(self, item: str) -> int:
        """Position of an id, which may come from the page. WsrError for an unknown one."""
        try:
            return self._positions[item]
        except KeyError:
            raise unknown_name("item", item, self.ids) from None

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {item: i for i, item in enumerate(self.ids)}

    def points(self, method: str, dims: int) -> Float[np.ndarray, "n d"]:
        if (method, dims) not in self.maps:
            raise unknown_name("map", f"{method} in {dims}D", [f"{m} in {d}D" for m, d in self.maps])
        return self.maps[method, dims]


def _read_from(name: str, *_: Any) -> list[str]:
    """Paths of the files that a collection is read from. The name may come from the page."""
    assets = assets_dir()  # as text: it is asked for with every look at a collection
    return [f"{assets}/zoos/{name}/zoo.json", f"{assets}/zoos/{name}/index.parquet", f"{assets}/maps/{name}.parquet"]


def files_of(name: str, *_: Any, **__: Any) -> list[str]:
    """Returns paths of the files that a collection's weights and decoded pictures depend on: the zoo's, whose index is
    written last, and the bases'."""
    return [*_read_from(name), *bases()]


def bases() -> list[str]:
    """Paths of all bases; adapters decode on one of them."""
    folder = f"{assets_dir()}/bases"
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder))] if os.path.isdir(folder) else []


def collection_names() -> list[str]:
    """Names of the readable zoos with a map: images first, and of each data set mLoRA-Asym first. Empty until the
    assets are made."""
    names = [name for name in _found() if not problem(name)]
    order = sorted(reversed(registry.names()), key=lambda kind: kind != registry.DEFAULT)
    rank = {kind: i for i, kind in enumerate(order)}

    def place(name: str) -> tuple:
        kind = next((kind for kind in rank if name.endswith(f"-{kind}")), "")
        return not name.startswith("emoji"), name.removesuffix(f"-{kind}"), rank.get(kind, len(rank)), name

    return sorted(names, key=place)


def _found() -> list[str]:
    maps = sorted((assets_dir() / "maps").glob("*.parquet"))
    return [path.stem for path in maps if (assets_dir() / "zoos" / path.stem / "zoo.json").is_file()]


def problems() -> list[str]:
    """One sentence for each zoo that has a map and cannot be read."""
    return [said for name in _found() if (said := problem(name))]


@cached_by_file(_read_from, maxsize=256)
def problem(name: str) -> str:
    """Returns the sentence that says why a zoo with a map cannot be shown, and logs it; "" for a zoo that can be
    shown."""
    try:
        collection(name)
    except WsrError as error:
        log.error("%s is left out of the page. %s", name, error)
        return str(error)
    return ""


@cached_by_file(_read_from, maxsize=24)
def collection(name: str) -> Collection:
    """Opens a collection by name, which may come from the page. WsrError if it is unknown or cannot be read."""
    if name not in _found():
        raise unknown_name("collection", name, collection_names())
    described, listed, mapped = map(Path, _read_from(name))
    meta = read_json(described, "the description of a zoo")
    validated(ZooSchema, meta, f"{shown(described)} is not the description of a zoo")
    index = read_table(listed, "a zoo's index", INDEX, ("id",))
    fine = index[index["status"] == "ok"]
    rows = np.flatnonzero(index["status"] == "ok")
    if not len(fine):
        raise WsrError(f"The zoo {name!r} has no fit that succeeded: make it again with `wsr zoo`.")
    dataset = name.removesuffix("-" + str(meta["representation"]))
    return Collection(
        name=name,
        modality=of_file(str(meta.get("modality", "")), int(meta["dim"])),
        representation=str(meta["representation"]),
        dataset=dataset,
        ids=fine["id"].astype(str).tolist(),
        labels=[label_of(dataset, item) for item in fine["id"].astype(str)],
        classes=fine["class"].fillna("").astype(str).tolist(),
        held_out=(fine["split"] != TRAIN).tolist(),
        quality=fine["quality"].to_numpy(np.float32),
        rows=rows.tolist(),
        maps=_maps(mapped, fine["id"].astype(str)),
        layout=meta["layout"],
        index=fine.reset_index(drop=True),
    )


def _maps(path: Path, ids: pd.Series) -> dict[tuple[str, int], np.ndarray]:
    table = read_table(path, "a map", MAP, MAP_KEY)
    if not len(table) or not table["dims"].isin((2, 3)).all():
        raise WsrError(f"{shown(path)} is not a map: its 'dims' should be 2 or 3 in every row.")
    named = {method.replace("-", "").lower(): method for method in METHODS}
    maps = {}
    for (method, dims), part in table.groupby(["method", "dims"], sort=False):
        title = named.get(str(method).replace("-", "").lower(), str(method))
        columns = ["x", "y", "z"][: int(dims)]
        maps[title, int(dims)] = part.set_index("id").reindex(ids)[columns].to_numpy(np.float32)  # (n, d)
    return maps


def label_of(dataset: str, item: str) -> str:
    """An item's id in words: emoji ids are code points, which Unicode names; other ids are returned unchanged."""
    if not dataset.startswith("emoji"):
        return item
    try:
        symbol = "".join(chr(int(part, 16)) for part in item.replace("_", "-").split("-"))
    except ValueError:
        return item
    words = emoji.demojize(symbol, delimiters=("", " ")).replace("_", " ").strip()
    return item if words == symbol else _TONES.sub(r" (\1)", words)


@cached_by_file(_read_from, maxsize=24)
def columns(name: str) -> list[str]:
    """Names of the columns that points can be coloured by: those of the zoo's index with more than one value, and
    k-means clusters."""
    index = collection(name).index
    telling = [c for c in index.columns if c not in ("id", "target_sha256", CLASS) and index[c].nunique() > 1]
    return [CLASS, *telling, CLUSTER]


def probes(dataset: str) -> list[dict]:
    """Table 4's rows of a data set; empty until it has been made."""
    rows = report("table4").get("rows", [])
    return [row for row in rows if row["data set"] == dataset]


@cached_by_file(lambda name: [f"{assets_dir()}/reports/{name}.json"], maxsize=32)
def report(name: str) -> dict:
    """Reads a report of assets/reports. Returns an empty one if it is missing or cannot be read; the latter is
    logged."""
    path = assets_dir() / "reports" / f"{name}.json"
    if not path.is_file():
        return {}
    try:
        found = read_json(path, "a report")
    except WsrError as error:
        log.error("%s", error)
        return {}
    return found if isinstance(found, dict) else {}


def examples(dataset: str, among: Sequence[str], count: int) -> list[str]:
    """Ids for a strip of examples: those of LIKED first, then the others in their order, without rude gestures."""
    liked = [item for item in LIKED.get(dataset, ()) if item in set(among)]
    rest = [item for item in among if item not in liked and not item.startswith("1f595")]
    return [*liked, *rest][:count]


def first_pick(name: str) -> str:
    """The item that is picked at first: the best fit among the held-out items of the data set's FIRST_CLASS, or of its
    largest class."""
    found = collection(name)
    liked = FIRST_CLASS.get(found.dataset)
    cls = liked if liked in found.classes else max(sorted(set(found.classes)), key=found.classes.count)
    own = [i for i, other in enumerate(found.classes) if other == cls]
    held_out = [i for i in own if found.held_out[i]] or own
    return found.ids[max(held_out, key=lambda i: found.quality[i])]
