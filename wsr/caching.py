"""Caches of values read from files, keyed by the files' state, so that a changed file is read again. The values count
towards the limit of `wsr.memory`."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from wsr.memory import remembered

P, T = ParamSpec("P"), TypeVar("T")
Stamp = tuple[tuple[int, int, int] | None, ...]


def file_stamp(files: Iterable[str | Path]) -> Stamp:
    """Returns size, modification time and inode of each file, and None for a missing one. All our files are replaced by
    renaming, and the new file has another inode even if the clock has not advanced."""
    return tuple(_state(file) for file in files)


def _state(file: str | Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except (OSError, ValueError):  # ValueError: a name that no file can have, which may come from the page
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def cached_by_file(
    files: Callable[P, Iterable[str | Path]], maxsize: int
) -> Callable[[Callable[P, T]], Callable[P, T]]:  # fmt: skip
    """Decorator: keeps the last `maxsize` results of a function, each as long as the files that `files(arguments)`
    lists are unchanged. Each call checks the state of those files, which takes about two microseconds per file.
    Exceptions are not kept."""

    def stamp(*args: P.args, **kwargs: P.kwargs) -> Stamp:
        return file_stamp(files(*args, **kwargs))

    return remembered(stamp=stamp, most=maxsize)
