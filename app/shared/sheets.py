"""Sheets of thumbnails: one picture with a cell for each item of a collection, in the order of its zoo's index."""

import logging
import threading
from collections import deque
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.shared import library, networks, own
from app.shared.thumbnails import CELL, drawn
from app.shell import snippets
from wsr.caching import cached_by_file
from wsr.paths import assets_dir, cache_dir

log = logging.getLogger("wsr.app")
_busy: set[str] = set()
_lock = threading.Lock()


def find(name: str) -> dict[str, Any] | None:
    """Returns the sheet of a collection in the form of the page's components, `{url, columns, rows}`, or None if it has
    not been made yet.

    It comes with the assets where its licence allows, otherwise from the cache, where `make_missing` puts it.
    """
    path = _file(name)
    if path is None:
        return None
    if not own.is_own(name):  # a visitor's lies where gradio looks without being told
        gr.set_static_paths([path])
    with Image.open(path) as sheet:  # reads the header only
        columns, rows = sheet.width // CELL, sheet.height // CELL
    # the time in the address: a browser must not show an older sheet
    return {"url": f"gradio_api/file={path}?{path.stat().st_mtime_ns}", "columns": columns, "rows": rows}


def _file(name: str) -> Path | None:
    mine = own.find(name)
    paths = (mine.sheet,) if mine else (assets_dir() / "maps" / f"{name}.webp", _cached(name))
    return next((path for path in paths if path.is_file()), None)


def shared(name: str) -> dict[str, Any] | None:
    """Returns a collection's sheet, or that of another collection with the same items: all representations of a data
    set have the same ones."""
    owner = _owner(name)
    return find(owner) if owner else None


def _owner(name: str) -> str | None:
    """Returns the collection whose sheet this one uses, or None if there is none yet."""
    own = library.collection(name)
    others = (other for other in library.collection_names() if library.collection(other).dataset == own.dataset)
    return next((one for one in (name, *others) if library.collection(one).ids == own.ids and _file(one)), None)


def cut(name: str, item: str) -> str | None:
    """Returns an item's thumbnail alone, as a data URI, cut from the sheet; None where there is no sheet. It has 2 kB,
    where the sheet, which the map fetches for its hover, has 800: a first look needs seven thumbnails."""
    owner = _owner(name)
    return _cut(owner, cell(name, item)) if owner else None


def _sheet_files(owner: str, *_: int) -> list[Path]:
    return list(filter(None, [_file(owner)]))


@cached_by_file(_sheet_files, maxsize=4096)
def _cut(owner: str, number: int) -> str:
    sheet = _pixels(owner)
    row, column = divmod(number, sheet.shape[1] // CELL)
    return snippets.data_uri(sheet[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL])


@cached_by_file(_sheet_files, maxsize=2)
def _pixels(owner: str) -> np.ndarray:
    with Image.open(_file(owner)) as sheet:
        return np.asarray(sheet.convert("RGB"))


def thumb(name: str, item: str, decode: bool = True) -> dict[str, Any]:
    """An item's thumbnail as an item of a strip: its cell on the sheet, or a decoded picture where there is no sheet
    yet and `decode` allows it."""
    if decode and not library.collection(name).modality.has_surface and not shared(name):
        return {"src": _own(name, item)}
    return {"cell": cell(name, item)}


@cached_by_file(library.files_of, maxsize=512)
def _own(name: str, item: str) -> str:
    """Decodes an item's thumbnail as a picture of its own."""
    return snippets.data_uri(networks.picture(name, item, CELL))


def examples(name: str, ids: list[str], decode: bool = True) -> list[dict[str, Any]]:
    """Items of a strip to choose from."""
    found = library.collection(name)
    decode = decode and not found.modality.has_surface and not shared(name)
    return [
        {"id": item, "label": found.labels[found.position(item)],
         **(thumb(name, item) if decode else {"cell": cell(name, item)})}
        for item in ids
    ]  # fmt: skip


def cell(name: str, item: str) -> int:
    """Returns the cell of an item's thumbnail on the sheet, counted along the rows."""
    found = library.collection(name)
    return found.rows[found.position(item)]


def _cached(name: str) -> Path:
    index = assets_dir() / "zoos" / name / "index.parquet"
    return cache_dir() / "sprites" / f"{name}-{index.stat().st_mtime_ns}-{index.stat().st_size}.webp"


def make_missing() -> None:
    """Decodes the missing sheets of collections without surfaces. Takes about 10 s for a thousand images on 2 cores."""
    for name in library.collection_names():
        with _lock:
            if name in _busy or shared(name) or library.collection(name).modality.has_surface:
                continue
            _busy.add(name)
        try:
            _make(name)
        except Exception:
            log.exception("the thumbnails of %s could not be made", name)


def _make(name: str) -> None:
    deque(drawn(networks.zoo(name), _cached(name)), maxlen=0)
