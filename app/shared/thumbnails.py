"""Draws a sheet of thumbnails of a zoo: one picture with a cell for each item, in the order of the zoo's index. Nothing
here imports gradio, since child processes draw those of visitors."""

import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from wsr.paths import atomic_path

if TYPE_CHECKING:
    from wsr.zoo import Zoo

CELL = 64  # pixels of a side of a cell
TOGETHER = 32
EMPTY = 205  # grey of the cells that are not drawn: white ones would look like pictures


def columns_of(count: int) -> int:
    """Returns the number of cells in a row of a nearly square sheet of `count` thumbnails."""
    return max(1, int(np.ceil(np.sqrt(count))))


def drawn(zoo: "Zoo", path: Path, seconds: float = inf) -> Iterator[int]:
    """Draws all items, yields after each few how many are drawn, and writes the sheet. seconds: after which the cells
    that are left stay empty."""
    ids, good = list(zoo.ids), set(zoo.good()["id"])
    columns, until = columns_of(len(ids)), time.monotonic() + seconds
    sheet = np.full((-(-len(ids) // columns) * CELL, columns * CELL, 3), EMPTY, np.uint8)
    together = 4 if zoo.modality.has_surface else TOGETHER
    todo = [(i, item) for i, item in enumerate(ids) if item in good]
    for start in range(0, len(todo), together):
        part = todo[start : start + together]
        pictures = zoo.decode([item for _, item in part], zoo.modality.resolutions.thumbnail)
        for (i, _), shown in zip(part, pictures, strict=True):
            row, column = divmod(i, columns)
            pixels = zoo.modality.picture(shown, CELL)
            sheet[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = pixels
        yield min(start + together, len(todo))
        if time.monotonic() > until:
            break
    with atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, format="webp", quality=85)
