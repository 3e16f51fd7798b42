"""Zoos in places that are no folders of this machine (`s3://…`, `hf://…`, `memory://…`), by way of fsspec."""

import hashlib
from pathlib import Path
from typing import Any

import fsspec

from wsr.errors import WsrError, shown
from wsr.paths import cache_dir


def is_remote(place: str | Path) -> bool:
    """Whether a place is an address rather than a path."""
    return "://" in str(place)


def local(place: str | Path) -> Path:
    """A folder of this machine that stands for a place: a path itself, or for an address a folder of the cache, into
    which the files that are there are fetched. WsrError if the address cannot be reached."""
    if not is_remote(place):
        return Path(place)
    folder = cache_dir() / "remote" / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    system, path = _reached(place)
    try:
        there = {Path(name).name: name for name in system.ls(path, detail=False)} if system.exists(path) else {}
        for name, source in there.items():
            system.get_file(source, str(folder / name))
    except Exception as error:  # each file system has errors of its own
        raise WsrError(f"{shown(place)} cannot be read: {_why(error)}") from None
    return folder


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
    return sorted(known, key=lambda file: (file.suffix == ".parquet", file.name))


def _reached(place: str | Path) -> tuple[Any, str]:
    try:
        return fsspec.core.url_to_fs(str(place))
    except (ImportError, ValueError) as error:
        raise WsrError(f"{shown(place)} cannot be reached: {_why(error)}") from None


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".") + "."
