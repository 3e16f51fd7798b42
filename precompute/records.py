"""The record of each cell: what its result depends on, how long it took, and what it found.

A record is a file of assets/reports/runs/<experiment>/. It is written when a cell begins and again when it is done. It
tells a killed run from a finished one, and shows whether the settings have changed since. Assets that are older than
the records have none.
"""

import functools
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from precompute.experiment import Cell
from wsr.errors import WsrError
from wsr.identity import Identity, files_hash
from wsr.paths import assets_dir, atomic_path, cache_dir


def record_path(cell: Cell) -> Path:
    return assets_dir() / "reports" / "runs" / cell.experiment / f"{cell.key or 'all'}.json"


def read(cell: Cell) -> dict | None:
    """The record of a cell; None if there is none."""
    path = record_path(cell)
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        raise WsrError(f"{str(path)!r} is damaged: remove it, and run {cell.experiment} with --again.") from None


def parsed(path: Path) -> Any:
    """The content of a JSON file, which is read again only if the file has changed. Treat it as read-only."""
    return _parsed(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=100)
def _parsed(path: Path, _time: int) -> Any:
    return json.loads(path.read_text())


def write(cell: Cell, identity: Identity, *, done: bool, seconds: float, found: Any = None) -> None:
    record = {"identity": identity.record(), "done": done, "seconds": round(seconds, 3)}
    if not done:
        record["by"] = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.strftime("%F %T")}
    with atomic_path(record_path(cell)) as temporary:
        temporary.write_text(_text(record | {"found": found}))


def _text(record: dict) -> str:
    """A record as JSON. Scalars of NumPy and PyTorch become numbers."""
    return json.dumps(record, indent=1, ensure_ascii=False, default=lambda value: value.item())


def keep(cell: Cell, found: Any) -> None:
    """Stores the results of a cell so far. After a kill, the next run reads them with `kept`."""
    with atomic_path(record_path(cell)) as temporary:
        temporary.write_text(_text((read(cell) or {}) | {"found": found}))


def kept(cell: Cell) -> Any:
    """The results that `keep` stored before the cell was interrupted; None if there are none."""
    return (read(cell) or {}).get("found")


def maker(cell: Cell) -> str:
    """Says which process is running a cell."""
    by = (read(cell) or {}).get("by")
    return "process {process} on {machine} since {since}".format(**by) if by else "another runner"


@contextmanager
def locked(cell: Cell) -> Iterator[None]:
    """Locks a cell against other runners. Raises a WsrError if another one runs it already."""
    try:
        with FileLock(_lock_path(cell)).acquire(timeout=0):
            yield
    except Timeout:
        raise WsrError(f"{cell} is being made by {maker(cell)}: run it again when that has ended.") from None


def is_locked(cell: Cell) -> bool:
    """Whether some runner is running a cell."""
    if not _lock_path(cell).exists():
        return False
    try:
        with FileLock(_lock_path(cell)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _lock_path(cell: Cell) -> Path:
    """The path of a cell's lock. It is in the cache, since an empty file beside an asset would be taken for an
    asset."""
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    return folder / f"{hashlib.sha256(str(record_path(cell).resolve()).encode()).hexdigest()[:24]}.lock"


def asset_hash(path: Path) -> str:
    """Hash of the content of an asset, which is a file or a folder of files."""
    parts = path.iterdir() if path.is_dir() else [path]
    files = sorted(part for part in parts if part.is_file() and part.name[0] != ".")
    return _hash(tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@functools.lru_cache(maxsize=1000)
def _hash(files: tuple[tuple[str, int, int], ...]) -> str:
    """Hash of the content of files, given by path, size and time. Sizes and times are part of the cache's key, so that
    unchanged files are read only once."""
    return files_hash(path for path, _, _ in files)
