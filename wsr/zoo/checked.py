"""Checks that keep a zoo sound: batches that would damage it, and files that contradict each other, are refused."""

from __future__ import annotations

import shutil
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted, unknown_name
from wsr.formats.files import shown, there
from wsr.formats.schema import ZooSchema, read_json, validated
from wsr.formats.tables import INDEX, attribute_of, is_attribute
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from wsr.zoo.zoo import Zoo


def zoo_path(path: str | Path) -> Path:
    """Returns a zoo's folder, given its path or its name in assets/zoos. WsrError if there is none."""
    path = Path(path)
    if there(path / "zoo.json"):
        return path
    named = assets_dir() / "zoos" / path
    if there(named / "zoo.json"):
        return named
    if there(path / "index.parquet"):
        raise WsrError(f"{shown(path)} is not a zoo: its zoo.json, which says what its weights are, is missing.")
    names = [p.parent.name for p in (assets_dir() / "zoos").glob("*/zoo.json")]
    is_folder = there(path, Path.is_dir)
    if is_folder or len(path.parts) > 1:  # no name, but a place
        why = "there is no zoo.json in it" if is_folder else "there is no such folder"
        raise WsrError(f"There is no zoo at {shown(path)}: {why}.")
    raise unknown_name("zoo", str(path), names) if names else WsrError(f"There is no zoo at {shown(path)}.")


def refuse_others(path: Path) -> None:
    """WsrError for a folder with files in it that is no zoo: a zoo is written into a folder of its own. Hidden files do
    not count, as systems leave them in empty folders and a writer that was killed its temporary ones."""
    if there(path / "zoo.json") or not there(path, Path.is_dir):
        return
    others = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    if others:
        first = ", ".join(map(shown, others[:3])) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
        raise WsrError(
            f"The folder {shown(path)} holds other things ({first}), and a zoo is written into a folder of its own: "
            "name one that is empty, or that does not exist yet."
        )


def read_meta(path: Path) -> dict:
    """Reads and validates a zoo's zoo.json. WsrError if it is not one."""
    meta = read_json(path / "zoo.json", "the description of a zoo")
    validated(ZooSchema, meta, f"{shown(path / 'zoo.json')} is not the description of a zoo")
    return located(meta, path)


def located(meta: dict, folder: Path) -> dict:
    """Returns a zoo.json that names a base, and what imported instances share, in the zoo's own folder if they are not
    where it says: a zoo that carries them can be moved. A name without a folder is that of a file beside zoo.json: one
    of the same name in the working directory is somebody else's."""
    base, field = meta.get("base"), meta.get("field") or {}
    if base and _elsewhere(base) and there(moved := folder / Path(base).name):
        meta = {**meta, "base": str(moved.resolve())}
    if (shared := field.get("shared")) and _elsewhere(shared["path"]):
        moved = folder / Path(shared["path"]).name
        meta = {**meta, "field": {**field, "shared": {**shared, "path": str(moved.resolve())}}}
    return meta


def _elsewhere(path: str) -> bool:
    return Path(path).name == path or not there(path)


def taken_along(meta: dict, source: Path, folder: Path) -> dict:
    """Returns a zoo.json for another folder, and copies there what the zoo in `source` carries: its base, and what
    imported instances share."""
    base, field = meta.get("base"), meta.get("field") or {}
    if source.resolve() == folder.resolve():
        return meta
    if base and _carried(base, source):
        shutil.copyfile(base, folder / Path(base).name)
        meta = {**meta, "base": Path(base).name}
    if (shared := field.get("shared")) and _carried(shared["path"], source):
        shutil.copyfile(shared["path"], folder / Path(shared["path"]).name)
        meta = {**meta, "field": {**field, "shared": {**shared, "path": Path(shared["path"]).name}}}
    return meta


def _carried(path: str, source: Path) -> bool:
    return there(path) and Path(path).resolve().parent == source.resolve()


def index_stamp(path: Path) -> tuple[int, ...]:
    """Returns a value that changes whenever a zoo's index is rewritten; () if there is no index."""
    try:
        about = (path / "index.parquet").stat()
    except OSError:
        return ()
    return about.st_mtime_ns, about.st_size, about.st_ino


def checked_batch(zoo: Zoo, weights: Float[Tensor, "n p"], rows: list[dict], size: int) -> Float[Tensor, "n p"]:
    """Returns weights in the dtype that the zoo stores. WsrError if they and their rows of the index cannot be appended
    to it."""
    if len(rows) != len(weights):
        given = f"{counted(len(rows), 'row')} of the index for {counted(len(weights), 'vector')} of weights"
        raise WsrError(f"A zoo takes a row of the index for each vector of weights, not {given}.")
    if zoo.meta["dtype"] == "uint8":
        raise WsrError(f"The zoo {shown(zoo.path)} is compressed, and so final: append to the one it was made of.")
    known = set(zoo.ids)
    for row in rows:
        if missing := INDEX.keys() - row.keys():
            raise WsrError(f"A row of the index lacks {sorted(missing)}: {str(row)[:100]} was given.")
        if not (isinstance(row["id"], str) and row["id"]):
            raise WsrError(f"The id of an instance is a text, not {row['id']!r}: nothing of this batch was stored.")
        if row["id"] in known:
            raise WsrError(f"{row['id']!r} is in the zoo already, or given twice: nothing is stored twice.")
        known.add(row["id"])
    _check_attributes(zoo.index, rows)
    if weights.ndim != 2 or weights.shape[1] != size:
        raise WsrError(
            f"The zoo {shown(zoo.path)} stores vectors of {counted(size, 'number')}, and weights of the shape "
            f"{tuple(weights.shape)} were given."
        )
    stored = weights.detach().to("cpu", getattr(torch, zoo.meta["dtype"]))
    for row, good in zip(rows, stored.isfinite().all(1).tolist(), strict=True):
        if row["status"] == "ok" and not good:
            raise WsrError(
                f"The weights of {row['id']!r} are not finite in {zoo.meta['dtype']}, though their status is 'ok': "
                "nothing of this batch was stored."
            )
    return stored


def _check_attributes(index: pd.DataFrame, rows: list[dict]) -> None:
    """WsrError for an attribute that is neither a text nor a number, or both: its column could not be read, or not be
    written."""
    known = {name: index[name].dropna() for name in filter(is_attribute, index)}
    known = {name: found.iloc[0] for name, found in known.items() if len(found)}
    kinds = {name: "text" if isinstance(value, str) else "number" for name, value in known.items()}
    for row in rows:
        for name, value in row.items():
            if not is_attribute(name) or (pd.api.types.is_scalar(value) and pd.isna(value)):
                continue
            number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
            kind = "text" if isinstance(value, str) else "number" if number else ""
            if not kind or kinds.setdefault(name, kind) != kind:
                told = f"a {kinds[name]} in other instances" if kind else "neither a text nor a number"
                raise WsrError(
                    f"The attribute {attribute_of(name)!r} of {row['id']!r} is {value!r}, which is "
                    f"{told if not kind else f'a {kind}, and {told}'}: an attribute is of one of these kinds."
                )


def longer(index: pd.DataFrame, rows: list[dict]) -> pd.DataFrame:
    """An index with further rows. Attributes that no instance has are left out: their columns would be of no kind."""
    names = dict.fromkeys([*INDEX, *(name for row in rows for name in row)])
    found = pd.DataFrame(rows, columns=list(names)).astype(INDEX)
    found = found.drop(columns=[name for name in filter(is_attribute, found) if found[name].isna().all()])
    return pd.concat([index, found], ignore_index=True) if len(index) else found


def refuse_spoilt(weights: Float[Tensor, "n p"], index: pd.DataFrame, path: Path) -> Float[Tensor, "n p"]:
    """Returns the weights. WsrError if weights are not finite although the index calls them ok."""
    spoilt = (~weights.isfinite().all(1)).numpy() & (index["status"] == "ok").to_numpy()
    if spoilt.any():
        name = index["id"].iloc[int(spoilt.argmax())]
        raise WsrError(
            f"The zoo {shown(path)} is damaged: the weights of {name!r} are not finite, though its index says ok."
        )
    return weights
