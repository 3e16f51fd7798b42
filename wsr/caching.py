"""Caches of what is read from files, keyed by the files' state: a file that is made anew is read anew."""

import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

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


class FileCache(Generic[P, T]):
    """See `cached_by_file`. Threads may share it; two that ask for the same at once may both make it."""

    def __init__(self, function: Callable[P, T], files: Callable[P, Iterable[str | Path]], maxsize: int):
        functools.update_wrapper(self, function)
        self._function, self._files, self._maxsize = function, files, maxsize
        self._kept: OrderedDict[Any, tuple[Stamp, T]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        key, stamp = (args, tuple(sorted(kwargs.items()))), file_stamp(self._files(*args, **kwargs))
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known[0] == stamp:
                self._kept.move_to_end(key)
                return known[1]
        made = self._function(*args, **kwargs)
        with self._lock:
            # the stamp from before: what changed meanwhile is seen the next time; the older value is let go
            self._kept[key] = stamp, made
            self._kept.move_to_end(key)
            while len(self._kept) > self._maxsize:
                self._kept.popitem(last=False)
        return made

    def cache_clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)


def cached_by_file(
    files: Callable[P, Iterable[str | Path]], maxsize: int
) -> Callable[[Callable[P, T]], FileCache[P, T]]:  # fmt: skip
    """Keeps the last `maxsize` values of a function, each as long as the files that `files` names for its arguments
    stay what they were. Asking costs a look at each file, some two microseconds. What raises is not kept."""
    return lambda function: FileCache(function, files, maxsize)
