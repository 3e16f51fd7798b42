"""Caches of what is read from files, keyed by the files' state: a file that is made anew is read anew. What they keep
counts against the allowance of `wsr.memory`."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from wsr.memory import remembered

P, T = ParamSpec("P"), TypeVar("T")
Stamp = tuple[tuple[int, int, int] | None, ...]


def file_stamp(files: Iterable[str | Path]) -> Stamp:
    """Size, time and inode of each file, None for one that is not there. A file that is written by renaming a temporary
    one, as all of ours are, has another inode even within one tick of the clock."""
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
    """Keeps the last `maxsize` values of a function, each as long as the files that `files` names for its arguments
    stay what they were. Asking costs a look at each file, some two microseconds. What raises is not kept."""

    def stamp(*args: P.args, **kwargs: P.kwargs) -> Stamp:
        return file_stamp(files(*args, **kwargs))

    return remembered(stamp=stamp, most=maxsize)
