"""What endpoints do with weights that a program sends: reads, decodes, mixes and judges them. Runs in child processes
(`app.shell.workers`), over paths and plain data, so that a file that should not be read harms nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from app.shared import library
from wsr.errors import WsrError, counted, shown
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.fitting.saved import SavedWeights, load_weights, save_weights
from wsr.formats.tensors import open_tensors
from wsr.paths import assets_dir
from wsr.render.surfaces import to_glb
from wsr.symmetry.alignment import align
from wsr.zoo import Zoo
from wsr.zoo.check import MEANING

MOST_ROWS = 1000
GRID = 128  # points a side, of which a shape has the third power


def read(path: str) -> SavedWeights:
    """Reads a program's file of weights. WsrError for another file, for one with too many rows, and for one that names
    a base which is not among the page's own: its name may not lead to another file of the server."""
    with _without_folder(path):
        with open_tensors(path, "a file of saved weights") as file:
            base = file.metadata.get("base") or ""
        if base and base not in {Path(one).stem for one in library.bases()}:
            raise WsrError(f"{shown(path)} belongs to the base {shown(base)}, which this page does not have.")
        found = load_weights(path)
        if len(found.ids) > MOST_ROWS:
            raise WsrError(f"{shown(path)} has {len(found.ids):,} rows, and at most {MOST_ROWS:,} are taken.")
    return found


@contextmanager
def _without_folder(path: str) -> Iterator[None]:
    """Leaves out of a message where the server keeps a file."""
    try:
        yield
    except WsrError as error:
        raise WsrError(str(error).replace(f"{Path(path).parent}/", "")) from None


def differences(one: Representation, other: Representation) -> list[str]:
    """Names of what differs between two representations, so that a vector would decode differently in the other."""
    mine, its = FieldDescription.of(one), FieldDescription.of(other)
    return [what for key, what in MEANING.items() if getattr(mine, key) != getattr(its, key)]


def row(found: SavedWeights, index: int) -> SavedWeights:
    """One row of the weights. WsrError if it is not there."""
    if not 0 <= index < len(found.ids):
        raise WsrError(f"The file has {counted(len(found.ids), 'row')}, from 0 on: there is no row {index}.")
    return replace(found, ids=found.ids[index : index + 1], weights=found.weights[index : index + 1])


def drawn(one: SavedWeights, size: int, folder: str) -> str:
    """Decodes one row: a picture whose longer side has `size` pixels as a PNG file, or a shape as a GLB file of a grid
    of `size` points a side. Returns its path in `folder`."""
    if one.modality.has_surface and size > GRID:
        raise WsrError(f"A shape is decoded on a grid of at most {GRID} points a side, not {size}.")
    (shown,) = one.render(size)
    if not one.modality.has_surface:
        path = Path(folder) / "decoded.png"
        Image.fromarray(one.modality.picture(shown, size)).save(path)
        return str(path)
    if one.modality.empty(shown):
        raise WsrError("The field has no surface: it says that all points are outside.")
    path = Path(folder) / "decoded.glb"
    path.write_bytes(to_glb(shown, None))
    return str(path)


def decoded(path: str, index: int, size: int, folder: str) -> str:
    """Decodes one row of a file. Returns the path of the picture or surface."""
    return drawn(row(read(path), index), size, folder)


def mixed(first: str, second: str, alpha: float, aligned: bool, size: int, folder: str) -> tuple[str, str]:
    """Weights (1 − α) a + α b, in a file and decoded. aligned: b is first moved next to a by symmetries."""
    a, b = (row(read(path), 0) for path in (first, second))
    model = a.representation
    if differing := differences(model, b.representation):
        raise WsrError(
            f"There is no line between weights of {model.kind.label} and of {b.representation.kind.label} whose "
            f"{' and '.join(differing)} differ: both must be of one representation, on one base, with one rank."
        )
    end = align(model, b.weights, a.weights) if aligned else b.weights
    between = replace(a, ids=[f"{a.ids[0]} to {b.ids[0]}, {alpha:g}"], weights=a.weights.lerp(end, alpha))
    path = Path(folder) / "between.safetensors"
    save_weights(path, between.weights, model, between.ids, between.aspect)
    return str(path), drawn(between, size, folder)


def judged(path: str, name: str) -> list[dict[str, Any]]:
    """Verdicts on all rows of a file against the training weights of a zoo of the page. name: one of the page's, which
    the caller has made sure of."""
    from wsr.analysis.novelty import audit_of

    found = read(path)
    zoo = Zoo.open(assets_dir() / "zoos" / name)
    if differing := differences(found.representation, zoo.representation):
        raise WsrError(
            f"These weights ({found.weights.shape[1]:,} numbers a row) and those of {name} "
            f"({zoo.representation.size:,}) cannot be compared: they are not of one representation on one base, but "
            f"their {' and '.join(differing)} differ."
        )
    if not bool(found.weights.isfinite().all()):
        raise WsrError("Some of the weights are not finite: no verdict can be given.")
    audit, ids, _ = audit_of(zoo)
    return [told(item, verdict, ids) for item, verdict in zip(found.ids, audit.judge(found.weights), strict=True)]


def told(item: str, verdict: Any, ids: list[str]) -> dict[str, Any]:
    """A verdict as plain data. nearest: the id of the nearest training network."""
    return {"id": item, "verdict": verdict.word, "nearest": ids[verdict.nearest], "distance": verdict.distance}
