"""Makes a zoo of whatever a stranger brings: a zoo's folder as a ZIP archive, a file of saved weights, a table, or
another program's files.

Nothing in it is trusted. It may name no file of this machine but the bases that are offered, no pickle is executed, and
whoever calls this does so in a child process with limits.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted
from wsr.fitting.saved import FORMAT as SAVED
from wsr.fitting.saved import load_weights
from wsr.formats.archives import is_archive, unpack
from wsr.formats.files import refuse_stand_in, shown, there
from wsr.formats.recognise import content_of
from wsr.formats.schema import read_json
from wsr.formats.tensors import open_tensors
from wsr.imports.base import HELDOUT_SHARE, Item, Options
from wsr.imports.formats import ENDINGS
from wsr.imports.housed import DATASET, Taken, carried, described, offered, require_rows
from wsr.imports.recognise import recognised
from wsr.imports.run import import_zoo
from wsr.imports.splits import settled
from wsr.imports.tables import read_vectors
from wsr.paths import make_dir, new_folder
from wsr.zoo.zoo import Zoo

WHAT = "weights"
TAKEN = (
    "What is taken: a zoo's folder as a .zip, a table of weights (.parquet), saved weights (.safetensors), or another "
    "program's files."
)
_ARCHIVES = (".npz", ".pth", ".pt", ".ckpt")  # of one file of weights


@dataclass(frozen=True)
class Brought:
    """A zoo that somebody has brought. left_out: a sentence for each instance that cannot be used; like: the zoo whose
    networks bare vectors were taken for, "" for weights that say what decodes them."""

    path: Path
    rows: int
    left_out: list[str]
    like: str = ""


def bring(path: Path, out: Path, known: Taken) -> Brought:
    """Makes a zoo `out` of a file. WsrError, and nothing is left at `out`, if it cannot be read or cannot be decoded
    here, or has more than `known.most` rows."""
    begun = make_dir(out.parent / f"{out.name}-begun")
    try:
        refuse_stand_in(path, WHAT)
        source = _unpacked(path, begun)
        left_out = _made(source, out, known)
        zoo = Zoo.open(out)
        _check(zoo, known)
        return Brought(out, len(zoo), left_out, zoo.meta.get("like", ""))
    except Exception as error:
        shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, WsrError):  # where things lie on this machine is nobody's business
            said = str(error).replace(f"{begun}/", "").replace(f"{path.parent}/", "").replace(str(begun), path.name)
            said = said.replace(str(out), path.stem).replace(f"{out.parent}/", "").replace(begun.name, path.name)
            # only as a whole name: the sentence may speak of a zoo, or of a file that is called so
            raise WsrError(said.replace(shown(out.name), shown(path.stem))) from None
        raise
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _unpacked(path: Path, folder: Path) -> Path:
    """Returns the file, or the folder that the archive holds."""
    if path.suffix.lower() in _ARCHIVES or not is_archive(path):
        return path
    unpack(path, folder)
    while len(inside := [one for one in folder.iterdir() if not one.name.startswith(".")]) == 1 and inside[0].is_dir():
        folder = inside[0]
    if not inside:
        raise WsrError(f"{shown(path.name)} is an empty archive.")
    return inside[0] if len(inside) == 1 and inside[0].suffix in (".safetensors", ".parquet") else folder


def _made(source: Path, out: Path, known: Taken) -> list[str]:
    if known.form:
        return _imported(source, out, known.form, known)
    if source.is_dir():
        zoos = sorted(path.parent for path in source.rglob("zoo.json"))
        if len(zoos) > 1:
            names = " and ".join(shown(one.name) for one in zoos[:2])
            held = f"the zoos {names}" if len(zoos) == 2 else f"{counted(len(zoos), 'zoo')}, such as {names}"
            raise WsrError(f"It holds {held}: bring one at a time.")
        if zoos:
            return _of_zoo(zoos[0], out, known)
        if indices := list(source.rglob("index.parquet")):
            name = shown(indices[0].parent.name)
            raise WsrError(f"{name} is not a zoo: its zoo.json, which says what its weights are, is missing.")
        files = [one for one in source.rglob("*") if one.is_file() and not one.name.startswith(".")]
        if not any(one.suffix.lower() in ENDINGS for one in files):
            names = ", ".join(shown(one.name) for one in sorted(files)[:3])
            here = f"{counted(len(files), 'file')}, such as {names}" if files else "no file"
            raise WsrError(f"It holds {here}, and none of weights. {TAKEN}")
        return _imported(source, out, recognised(source, Options(skip=True)), known)
    if source.suffix.lower() == ".parquet":
        return _of_tables([source], out, known)
    if source.suffix.lower() == ".safetensors":
        return _of_tensors(source, out, known)
    if source.suffix.lower() not in ENDINGS or source.suffix.lower() == ".zip":  # which is not one by its content
        held = content_of(source.read_bytes()[:4096])
        raise WsrError(f"{shown(source.name)} is {held or 'no file of weights'}. {TAKEN}")
    return _imported(source, out, recognised(source, Options(skip=True)), known)


def _imported(source: Path, out: Path, form: str, known: Taken) -> list[str]:
    made = import_zoo(form, source, out, Options(skip=True))
    return made.left_out


def _of_zoo(folder: Path, out: Path, known: Taken) -> list[str]:
    """Takes a zoo's folder, or one of a data set that `wsr export` has made of a zoo."""
    meta = described(read_json(folder / "zoo.json", "the description of a zoo"), folder, out, known)
    index, weights = folder / "index.parquet", sorted(folder.glob("weights-*.safetensors"))
    tables = sorted(path for path in folder.rglob("*.parquet") if path != index)
    if not there(index) and tables:
        return _of_tables(tables, out, known, meta, folder)
    if not there(index) or not weights:
        missing = "index.parquet, which names its networks," if not there(index) else "weight files"
        raise WsrError(
            f"The zoo {shown(folder.name)} has no {missing} yet: it is being written, or was cut short. Bring it when "
            "it is complete."
        )
    refuse_stand_in(index, "a zoo's index")
    require_rows(_stated_rows(index), known)
    along = [folder / Path(name).name for name in carried(meta)]
    with new_folder(out) as made:
        for one in (index, *weights, *(one for one in along if there(one))):
            one.rename(made / one.name)
        (made / "zoo.json").write_text(json.dumps(meta))
        Zoo.open(made).weights()  # an error for weights that are cut short or not finite
    return []


def _of_tables(
    paths: list[Path], out: Path, known: Taken, meta: dict[str, Any] | None = None, beside: Path | None = None
) -> list[str]:
    """Takes tables with a vector of weights in each row. meta: the zoo.json in the folder `beside` them."""
    for path in paths:
        refuse_stand_in(path, "a table of weights")
    require_rows(sum(map(_stated_rows, paths)), known)
    found = read_vectors(paths)
    if meta is None and found.meta is not None:
        meta = described(found.meta, paths[0].parent, out, known)
    meta = meta or _like(known, found.weights.shape[1], paths[0])
    _stored(out, meta, found.rows, found.weights, beside or paths[0].parent)
    return []


def _of_tensors(path: Path, out: Path, known: Taken) -> list[str]:
    """Takes a file of saved weights, or of bare vectors."""
    with open_tensors(path, WHAT) as file:
        about, shapes = file.metadata, file.shapes
        if about.get("format") != SAVED and "weights" in shapes:
            file.require("weights", (None, None))
            require_rows(shapes["weights"][0], known)
            weights = file.tensor("weights", finite=False).float()
            ids = [f"row-{i:05d}" for i in range(len(weights))]
            _stored(out, _like(known, weights.shape[1], path), _plain(ids), weights, path.parent)
            return []
    if about.get("format") != SAVED:
        return _imported(path, out, recognised(path, Options(skip=True)), known)
    if base := about.get("base"):
        if offered(base, known) != base:
            names = ", ".join(sorted(known.bases))
            raise WsrError(f"{shown(path.name)} names its base by a path: it should be one of {names}.")
    saved = load_weights(path)
    require_rows(len(saved.ids), known)
    settings = {"preset": "cpu", "init": "centered", "sigma": 0.0, "init_seed": 0, "steps": 0}
    with new_folder(out) as folder:
        zoo = Zoo.create(folder, saved.representation, dataset=DATASET, dtype="float32", **settings)
        _append(zoo, saved.weights, _plain(saved.ids))
    return []


def _like(known: Taken, width: int, path: Path) -> dict[str, Any]:
    """The description of bare vectors: that of the zoo on screen, if the numbers agree."""
    if not known.like:
        remedy = "bring the whole zoo's folder as a .zip"
        raise WsrError(f"{shown(path.name)} does not say what decodes its weights: {remedy}.")
    size = Zoo(Path(), dict(known.like), None).stored
    if width != size:
        raise WsrError(
            f"{shown(path.name)} holds vectors of {counted(width, 'number')} and does not say what decodes them. Those "
            f"of the zoo on screen ({known.like_name}) have {size:,}: choose the zoo that they are like, or bring the "
            "whole folder as a .zip."
        )
    kept = {key: value for key, value in known.like.items() if key != "shown_as"}
    return {**kept, "dataset": DATASET, "like": known.like_name}


def _plain(ids: list[str]) -> list[dict[str, Any]]:
    return [{"id": one, "class": "", "quality": float("nan"), "split": _split(one)} for one in ids]


def _split(item: str) -> str:
    return settled(Item(item, Path()), set(), HELDOUT_SHARE)


def _stored(out: Path, meta: dict[str, Any], rows: list[dict], weights: Float[Tensor, "n p"], beside: Path) -> None:
    """Writes a zoo. beside: the folder of the files that come with it."""
    with new_folder(out) as folder:
        for name in (Path(one).name for one in carried(meta)):
            if there(beside / name):
                shutil.copy(beside / name, folder)
        (folder / "zoo.json").write_text(json.dumps({**meta, "dtype": "float32"}))
        zoo = Zoo.open(folder)
        if weights.shape[1] != (width := zoo.representation.size):
            given = counted(weights.shape[1], "number")
            raise WsrError(f"Its vectors have {given}, and what is to decode them takes {width:,}.")
        _append(zoo, weights, rows)


def _append(zoo: Zoo, weights: Float[Tensor, "n p"], rows: list[dict]) -> None:
    for row, good in zip(rows, weights.isfinite().all(1).tolist(), strict=True):
        if not good:
            raise WsrError(f"The weights of {row['id'][:80]!r} hold NaN or infinite numbers: leave them out.")
    whole = {"steps": 0, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    for first in range(0, len(rows), zoo.rows_per_file):
        part = slice(first, first + zoo.rows_per_file)
        zoo.append(weights[part], [row | whole for row in rows[part]])


def _stated_rows(path: Path) -> int:
    try:
        return pq.read_metadata(path).num_rows
    except Exception as error:  # pyarrow raises many types for a damaged file
        brief = " ".join(str(error).split())[:120]
        raise WsrError(f"{shown(path.name)} is damaged or cut short, or no Parquet table ({brief}).") from None


def _check(zoo: Zoo, known: Taken) -> None:
    """Decodes a network, so that what cannot be decoded is refused before it is shown."""
    require_rows(len(zoo), known)
    good = zoo.good()["id"].tolist()
    if not good:
        raise WsrError("It has no network whose fit succeeded: there is nothing to show.")
    points = torch.zeros(1, 2, zoo.modality.dim)
    if not bool(zoo.representation.evaluate(zoo.weights(good[:1]), points).isfinite().all()):
        raise WsrError(f"{good[0][:80]!r} decodes to values that are not finite.")
