"""Pictures made of our own shapes: the atlas's sheet of thumbnails, decoded from the zoo, and the sheet of 100 shapes
in the README. `python -m precompute.sheets`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from precompute.tables import zoo_hash
from wsr.data import load_signals
from wsr.data.shapes10 import CATEGORIES
from wsr.paths import assets_dir, atomic_path, cache_dir
from wsr.progress import bar
from wsr.render.pictures import contact_sheet, draw_mesh
from wsr.zoo import Zoo

CELL = 64  # pixels of a thumbnail, as the app cuts them out


def thumbnails(name: str) -> None:
    """assets/maps/<zoo>.webp: a cell an instance, in the order of the index, as square as it gets."""
    zoo, content = Zoo.open(name), zoo_hash(name)[:16]  # of a zoo made anew other thumbnails are kept
    columns = int(np.ceil(np.sqrt(len(zoo))))
    sheet = np.full((-(-len(zoo) // columns) * CELL, columns * CELL, 3), 255, np.uint8)
    with bar(f"thumbnails {name}") as update:
        for i, item in enumerate(zoo.ids):
            row, column = divmod(i, columns)
            cell = (slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL))
            sheet[cell] = _thumbnail(zoo, item, content)
            update(i + 1, len(zoo))
    _save(sheet, assets_dir() / "maps" / f"{name}.webp")


def _thumbnail(zoo: Zoo, item: str, content: str) -> np.ndarray:
    """Drawn at twice the size and halved, for smooth edges; kept in the cache, so that a killed run goes on."""
    path = cache_dir() / "thumbnails" / f"{zoo.path.name}-{content}" / f"{item}.png"
    if not path.exists():
        picture = Image.fromarray(draw_mesh(zoo.decode([item], 64)[0], 2 * CELL)).resize((CELL, CELL), Image.BOX)
        with atomic_path(path) as temporary:
            picture.save(temporary, format="png")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def shapes_sheet() -> None:
    """assets/reports/shapes10-sheet.webp: ten shapes of each of the ten categories."""
    pictures = []
    with bar("sheet of shapes") as update:
        for category in CATEGORIES:
            signals = load_signals(f"shapes10/{category}")
            for seed in range(0, 500, 50):
                pictures.append(draw_mesh(signals[seed].read(), 144))
                update(len(pictures), 100)
    _save(contact_sheet(pictures, 10), assets_dir() / "reports" / "shapes10-sheet.webp")


def _save(pixels: np.ndarray, path: Path) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="webp", quality=85)


if __name__ == "__main__":
    if "--zoo-only" not in sys.argv:
        shapes_sheet()
    thumbnails("shapes10-mlora-asym")
