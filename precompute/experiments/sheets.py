"""Pictures of shapes: the sheet of thumbnails for the atlas, decoded from the zoo, and the README's sheet of 100
shapes."""

from pathlib import Path

import numpy as np
from PIL import Image

from precompute.experiment import Cell, Context, Experiment
from precompute.records import asset_hash
from precompute.selection import has_surfaces
from wsr.data import load_signals
from wsr.paths import atomic_path, cache_dir
from wsr.progress import bar
from wsr.render.pictures import contact_sheet, draw_mesh
from wsr.zoo import Zoo

CELL = 64  # pixels of a thumbnail, as the app cuts them out
CLASSES, EACH = 10, 10  # on the sheet of shapes


def thumbnails(zoo: Zoo, context: Context) -> None:
    """Draws a cell for each instance, in the order of the zoo's index, on a sheet that is as square as possible."""
    content = asset_hash(zoo.path)[:16]  # a zoo that is made anew gets new thumbnails
    columns = int(np.ceil(np.sqrt(len(zoo))))
    sheet = np.full((-(-len(zoo) // columns) * CELL, columns * CELL, 3), 255, np.uint8)
    with bar(f"thumbnails {zoo.path.name}") as update:
        for i, item in enumerate(zoo.ids):
            row, column = divmod(i, columns)
            place = (slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL))
            sheet[place] = _thumbnail(zoo, item, content)
            update(i + 1, len(zoo))
    _save(sheet, context.path(f"maps/{zoo.path.name}.webp"))


def _thumbnail(zoo: Zoo, item: str, content: str) -> np.ndarray:
    """Draws an instance at twice the size and halves it, for smooth edges. The picture is kept in the cache, so that a
    run can continue after a kill."""
    path = cache_dir() / "thumbnails" / f"{zoo.path.name}-{content}" / f"{item}.png"
    if not path.exists():
        picture = Image.fromarray(draw_mesh(zoo.decode([item], 64)[0], 2 * CELL)).resize((CELL, CELL), Image.BOX)
        with atomic_path(path) as temporary:
            picture.save(temporary, format="png")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def sheet(cell: Cell, context: Context) -> None:
    """Draws some shapes of each class, evenly spaced over the class."""
    context.prepare(cell.data)
    signals = load_signals(cell.data)
    pictures, classes = [], list(dict.fromkeys(signals.classes))[:CLASSES]
    with bar(str(cell)) as update:
        for cls in classes:
            part = signals.where(cls=cls)
            for i in range(0, len(part), max(1, len(part) // EACH))[:EACH]:
                pictures.append(draw_mesh(part[i].read(), 144))
                update(len(pictures), EACH * len(classes))
    _save(contact_sheet(pictures, EACH), context.path(f"reports/{context.named(cell.data)}-sheet.webp"))


def run(cell: Cell, context: Context) -> None:
    if "representation" in cell.values:
        thumbnails(context.open_zoo(cell), context)
    else:
        sheet(cell, context)


def _save(pixels: np.ndarray, path: Path) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="webp", quality=85)


def grid(context: Context) -> list[dict]:
    """Cells for shapes only: thumbnails of images are drawn by the page itself."""
    shapes = filter(has_surfaces, context.data(EXPERIMENT))
    return [values for data in shapes for values in ({"data": data, "representation": "mlora-asym"}, {"data": data})]


EXPERIMENT = Experiment(
    name="sheets",
    title="`maps/shapes10-mlora-asym.webp` (the atlas's thumbnails) and `reports/shapes10-sheet.webp`",
    data=("shapes10",),
    grid=grid,
    needs=lambda cell, context: ["zoos/{zoo}"] if "representation" in cell.values else [],
    makes=lambda cell, context: ["maps/{zoo}.webp" if "representation" in cell.values else "reports/{data}-sheet.webp"],
    run=run,
    place=5,
    size="0.6 MB",
    time="4.5 min",
)
