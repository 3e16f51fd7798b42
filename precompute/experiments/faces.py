"""Draws the README's sheet of a hundred faces: the first ones of the training split, without selection."""

from pathlib import Path

import numpy as np
from PIL import Image

from precompute.experiment import Cell, Context, Experiment
from wsr.data import load_signals
from wsr.paths import atomic_path
from wsr.render.pictures import contact_sheet

COUNT, COLUMNS, SIZE = 100, 10, 960  # faces, faces in a row, and pixels of the sheet


def run(cell: Cell, context: Context) -> None:
    faces = load_signals(cell.data).where(split="train")[:COUNT]
    sheet = contact_sheet([face.read() for face in faces], COLUMNS, gap=0)
    _save(sheet, context.path(f"reports/{context.named(cell.data)}.png"))


def _save(pixels: np.ndarray, path: Path) -> None:
    picture = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BOX)  # sharper filters make larger files
    with atomic_path(path) as temporary:
        picture.save(temporary, format="png", optimize=True)


EXPERIMENT = Experiment(
    name="faces",
    title="`reports/faces.png`: the first hundred faces of the data set",
    data=("faces",),
    run=run,
    makes=("reports/{data}.png",),
    place=6,
    size="0.4 MB",
    time="2 s",
)
