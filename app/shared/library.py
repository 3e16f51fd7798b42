"""The assets, as the tabs need them. Nothing here imports torch, so that the first page does not wait for it;
`app.shared.networks` does."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from app.shared import own
from app.shared.maps import read_maps
from wsr.caching import cached_by_file
from wsr.data import registry as data_sets
from wsr.data.splits import TRAIN
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.formats.files import shown, there
from wsr.formats.schema import ZooSchema, read_json, validated
from wsr.formats.tables import INDEX, read_table
from wsr.modalities import Modality, of_file
from wsr.paths import assets_dir
from wsr.presets import PRESETS

log = logging.getLogger("wsr.app")

KEPT = 96  # opened collections: six representations of sixteen data sets
CLASS, CLUSTER = "class", "k-means cluster"


@dataclass(frozen=True)
class Collection:
    """An opened zoo with its map. All lists are in the order of the zoo's index, without failed fits.

    dataset: the name of its data set in links and file names, which for a run at another preset than `cpu` contains
    the preset; source: the data set as `wsr.load_signals` takes it; rows: the row of each item in the zoo; maps:
    coordinates (n, d) by (method, d), NaN for items that are not on the map.
    """

    name: str
    modality: Modality
    representation: str
    dataset: str
    source: str
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
        mine = own.find(self.name)
        return mine.title if mine else title(self.dataset, self.source)

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
    if mine := own.find(name):
        return [f"{mine.zoo}/zoo.json", f"{mine.zoo}/index.parquet", str(mine.map)]
    assets = assets_dir()  # as text: it is asked for with every look at a collection
    return [f"{assets}/zoos/{name}/zoo.json", f"{assets}/zoos/{name}/index.parquet", f"{assets}/maps/{name}.parquet"]


def zoo_dir(name: str) -> Path:
    """The folder of a collection's zoo."""
    mine = own.find(name)
    return mine.zoo if mine else assets_dir() / "zoos" / name


def files_of(name: str, *_: Any, **__: Any) -> list[str]:
    """Returns paths of the files that a collection's weights and decoded pictures depend on: the zoo's, whose index is
    written last, and the bases'."""
    return [*_read_from(name), *bases()]


def bases() -> list[str]:
    """Paths of all bases; adapters decode on one of them."""
    folder = f"{assets_dir()}/bases"
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder))] if os.path.isdir(folder) else []


def collection_names() -> list[str]:
    """Names of the readable zoos with a map: data sets in the order of their registry, and of each mLoRA-Asym first.
    Empty until the assets are made."""
    names = [name for name in _found() if not problem(name)]
    order = sorted(reversed(registry.names()), key=lambda kind: kind != registry.DEFAULT)
    rank = {kind: i for i, kind in enumerate(order)}

    def place(name: str) -> tuple:
        found = collection(name)
        return data_sets.order(found.source), found.dataset, rank.get(found.representation, len(rank)), name

    return sorted(names, key=place)


def collections_of(dataset: str) -> list[Collection]:
    """Returns the collections of a data set, in the order of `collection_names`; or a visitor's, by its name."""
    if own.find(dataset):
        return [collection(dataset)]
    return [found for found in map(collection, collection_names()) if found.dataset == dataset]


def name_of(dataset: Any, representation: Any) -> str:
    """Returns the name of a data set's collection in a representation. Both may come from the page: WsrError if there
    is none."""
    names = {found.representation: found.name for found in reversed(collections_of(dataset))}
    if str(representation) not in names:
        raise unknown_name("collection", f"{dataset}-{representation}", collection_names())
    return names[str(representation)]


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


@cached_by_file(_read_from, maxsize=KEPT)
def collection(name: str) -> Collection:
    """Opens a collection by name, which may come from the page. WsrError if it is unknown or cannot be read."""
    mine = own.find(name)
    if mine is None and name not in _found():
        raise unknown_name("collection", name, collection_names())
    described, listed, mapped = map(Path, _read_from(name))
    if mine and not there(described):
        raise WsrError(own.GONE)
    meta = read_json(described, "the description of a zoo")
    validated(ZooSchema, meta, f"{shown(described)} is not the description of a zoo")
    index = read_table(listed, "a zoo's index", INDEX, ("id",))
    rows = np.flatnonzero(index["status"] == "ok")
    fine = index.iloc[rows]
    if not len(fine):
        raise WsrError(f"The zoo {name!r} has no successful fit: redo it with `wsr zoo build`.")
    source = str(meta["dataset"])
    return Collection(
        name=name,
        modality=of_file(str(meta.get("modality", "")), int(meta["dim"])),
        representation=str(meta["representation"]),
        dataset=name if mine else shown_as(name, meta),
        source=source,
        ids=fine["id"].astype(str).tolist(),
        labels=[label_of(source, item) for item in fine["id"].astype(str)],
        classes=fine["class"].fillna("").astype(str).tolist(),
        held_out=own.held_out(fine) if mine else (fine["split"] != TRAIN).tolist(),
        quality=fine["quality"].to_numpy(np.float32),
        rows=rows.tolist(),
        maps={} if mine and not there(mapped) else read_maps(mapped, fine["id"].astype(str)),
        layout=meta["layout"],
        index=fine.reset_index(drop=True),
    )


def shown_as(name: str, meta: Mapping[str, Any]) -> str:
    """Returns the name by which the page shows a zoo together with others, also in links. meta: its zoo.json."""
    # Older zoos do not state it: they are called <data set>-<representation>, and those of pairs …-pairs besides.
    return meta.get("shown_as") or re.sub(rf"-{re.escape(meta['representation'])}((-normal)?-pairs)?$", "", name)


@cached_by_file(lambda zoo: [zoo / "zoo.json"], maxsize=256)
def meta_of(zoo: Path) -> dict[str, Any]:
    """The description of the zoo in a folder. WsrError if it cannot be read."""
    return read_json(zoo / "zoo.json", "the description of a zoo")


def live_preset(modality: Modality) -> str:
    """Name of the preset at which visitors' own targets are fitted: that of the zoo on the modality's own base, on
    whose map they are placed; `cpu` where there is none."""
    for name in _found():
        with contextlib.suppress(WsrError):  # a damaged zoo is left out of the page as well
            meta = meta_of(assets_dir() / "zoos" / name)
            own = Path(str(meta.get("base"))).stem == modality.default_base
            if own and meta.get("representation") == registry.DEFAULT and meta.get("preset") in PRESETS:
                return str(meta["preset"])
    return "cpu"


def title(dataset: str, source: str) -> str:
    """The title of a data set. dataset: its name in file names, which is also the title where that is another name than
    the data set's, as after a run at the preset `paper`. source: its name as `wsr.load_signals` takes it."""
    found, _ = data_sets.find(source)
    return found.titles().get(dataset, dataset) if found else dataset


def titles(names: Iterable[str]) -> list[tuple[str, str]]:
    """Titles and names of the data sets of these collections, as choices."""
    return list(dict.fromkeys((found.title, found.dataset) for found in map(collection, names)))


def nameable_first(names: Iterable[str]) -> list[str]:
    """Sorts names of collections where new instances are shown: first those of data sets of which anybody can say what
    a new one shows. Otherwise the order stays."""

    def unclear(name: str) -> bool:
        found, _ = data_sets.find(collection(name).source)
        return found is not None and not found.nameable

    return sorted(names, key=unclear)


def label_of(source: str, item: str) -> str:
    """An item's id in words, as its data set says it. source: the data set, as `wsr.load_signals` takes it."""
    found, _ = data_sets.find(source)
    return item if found is None else found.label_of(item)


@cached_by_file(_read_from, maxsize=KEPT)
def columns(name: str) -> list[str]:
    """Names of the columns that points can be coloured by: those of the zoo's index with more than one value, and
    k-means clusters."""
    index = collection(name).index
    telling = [c for c in index.columns if c not in ("id", "target_sha256", CLASS) and index[c].nunique() > 1]
    return [CLASS, *telling, CLUSTER]


def probes(dataset: str) -> list[dict]:
    """Table 4's rows of a data set for weights as they are, of which maps are made, without representations that are
    not registered; empty until it has been made."""
    rows = [row for row in report("table4").get("rows", []) if row.get("protocol", "raw") == "raw"]
    return [row for row in rows if row["data set"] == dataset and row["representation"] in registry.names()]


@cached_by_file(lambda name: [f"{assets_dir()}/reports/{name}.json"], maxsize=32)
def report(name: str) -> dict:
    """Reads a report of assets/reports. Returns an empty one if it is missing or cannot be read; the latter is
    logged."""
    path, found = assets_dir() / "reports" / f"{name}.json", None
    try:
        found = read_json(path, "a report") if path.is_file() else None
    except WsrError as error:
        log.error("%s", error)
    return found if isinstance(found, dict) else {}


def examples(source: str, among: Sequence[str], count: int) -> list[str]:
    """Ids for a strip of examples: first those that the data set likes, then the others in their order, without those
    that it leaves out. source: the data set, as `wsr.load_signals` takes it."""
    found, _ = data_sets.find(source)
    if found is None:
        return list(among)[:count]
    liked = [item for item in found.liked if item in set(among)]
    rest = [item for item in among if item not in liked and found.group_of(item) not in found.left_out]
    return [*liked, *rest][:count]


def first_pick(name: str) -> str:
    """The item that is picked at first: the best fit among the held-out items of the data set's first class, or of its
    largest class."""
    found = collection(name)
    dataset, _ = data_sets.find(found.source)
    liked = dataset.first_class if dataset else ""
    cls = liked if liked in found.classes else max(sorted(set(found.classes)), key=found.classes.count)
    own = [i for i, other in enumerate(found.classes) if other == cls]
    held_out = [i for i in own if found.held_out[i]] or own
    return found.ids[max(held_out, key=lambda i: found.quality[i])]
