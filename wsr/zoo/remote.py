"""Zoos in places that are no folders of this machine (`s3://…`, `hf://…`, `memory://…`), by way of fsspec."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd

from wsr.errors import WsrError, shown
from wsr.formats.tables import INDEX as COLUMNS
from wsr.formats.tables import read_table
from wsr.paths import atomic_path, cache_dir
from wsr.zoo.checked import read_meta
from wsr.zoo.meta import changed_settings, completed
from wsr.zoo.zoo import Zoo

INDEX, META = "index.parquet", "zoo.json"


def is_remote(place: str | Path) -> bool:
    """Whether a place is an address rather than a path."""
    return "://" in str(place)


def local(place: str | Path) -> Path:
    """A folder of this machine that stands for a place: a path itself, or for an address a folder of the cache, into
    which the files that are there are fetched. What a run that was killed has left in the cache stays, if it begins
    with all that is there: nothing is sent before a zoo is complete. WsrError if the address cannot be reached."""
    if not is_remote(place):
        return Path(place)
    folder = cache_dir() / "remote" / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    system, path = _reached(place)
    try:
        found = system.ls(path, detail=True) if system.exists(path) else []
        there = {Path(one["name"]).name: one["name"] for one in found if one["type"] == "file"}
        if not _goes_on(folder, system, there):
            (folder / INDEX).unlink(missing_ok=True)  # it would name rows that are being replaced
            for name in sorted(there, key=_order):
                with atomic_path(folder / name) as temporary:
                    system.get_file(there[name], str(temporary))
    except WsrError:
        raise
    except Exception as error:  # each file system has errors of its own
        raise WsrError(f"{shown(place)} cannot be read: {_why(error)}") from None
    return folder


def _goes_on(folder: Path, system: Any, there: dict[str, str]) -> bool:
    """Whether a folder holds a zoo of the same settings that begins with all instances of the one at an address."""
    if not all((folder / file).is_file() for file in (INDEX, META)):
        return False
    if INDEX not in there or META not in there:
        return True  # nothing there is named yet
    with tempfile.TemporaryDirectory(prefix="wsr-remote-") as name:
        for file in (INDEX, META):
            system.get_file(there[file], str(Path(name) / file))
        try:
            held, there_meta = Zoo.open(folder), completed(read_meta(Path(name)))
            before, other = _instances(held.index), _instances(read_table(Path(name) / INDEX, "an index", COLUMNS))
        except WsrError:  # one of the two is damaged: the address decides
            return False
    known = all(target for _, target, _ in other)  # of imports nobody knows the target: equal names say nothing
    return known and not changed_settings(completed(held.meta), there_meta) and before[: len(other)] == other


def _instances(index: pd.DataFrame) -> list[tuple[str, ...]]:
    """What an index says of its instances, without what two runs of the same fit may differ in."""
    return list(zip(*(index[name].astype(str) for name in ("id", "target_sha256", "quality")), strict=True))


def sent(folder: Path, place: str | Path) -> None:
    """Sends the files of a zoo's folder to a place, its index last, so that a reader finds no weights missing. Does
    nothing if the place is that folder."""
    if not is_remote(place):
        return
    system, path = _reached(place)
    try:
        system.makedirs(path, exist_ok=True)
        for file in _files(folder):
            system.put_file(str(file), f"{path.rstrip('/')}/{file.name}")
    except Exception as error:  # each file system has errors of its own
        why = f"but cannot be sent to {shown(place)}: {_why(error)}"
        raise WsrError(f"The zoo is whole in {str(folder)!r}, {why}") from None


def arrived(folder: Path, place: str | Path) -> bool:
    """Whether a place has a file of the size of each that `sent` would send. WsrError if it cannot be reached."""
    if not is_remote(place):
        return True
    system, path = _reached(place)
    try:
        found = system.ls(path, detail=True) if system.exists(path) else []
    except Exception as error:  # each file system has errors of its own
        raise WsrError(f"{shown(place)} cannot be read: {_why(error)}") from None
    there = {Path(one["name"]).name: one["size"] for one in found}
    return all(there.get(file.name) == file.stat().st_size for file in _files(folder))


def _files(folder: Path) -> list[Path]:
    """The files of a zoo, its index last."""
    known = [one for one in folder.iterdir() if one.is_file() and one.suffix in (".json", ".parquet", ".safetensors")]
    return sorted(known, key=lambda file: _order(file.name))


def _order(name: str) -> tuple[bool, str]:
    return name.endswith(".parquet"), name


def _reached(place: str | Path) -> tuple[Any, str]:
    try:
        return fsspec.core.url_to_fs(str(place))
    except (ImportError, ValueError) as error:
        raise WsrError(f"{shown(place)} cannot be reached: {_why(error)}") from None


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".") + "."
