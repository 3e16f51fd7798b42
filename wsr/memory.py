"""Keeps computed values in memory for reuse, within a limit in bytes.

All values kept by `remembered` share one limit of $WSR_MEMORY_MB megabytes, by default 512. The least recently used
value is dropped first.
"""

import contextlib
import functools
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from types import FunctionType, MethodType, ModuleType
from typing import Any

VARIABLE = "WSR_MEMORY_MB"
DEFAULT_MB = 512
GROWS = 10.0  # seconds after which a value in use is measured again, because some values grow
SMALL = 4096  # bytes
TRIES = 3  # attempts to measure a value that changes meanwhile
_OPAQUE = (type, FunctionType, MethodType, ModuleType, int, float, complex, bool, type(None))


def allowance() -> int:
    """The limit in bytes on all kept values together: $WSR_MEMORY_MB, or the default if that is not a number."""
    try:
        return int(max(float(os.environ.get(VARIABLE, DEFAULT_MB)), 0.0) * 2**20)
    except (ValueError, OverflowError):
        return DEFAULT_MB * 2**20


def footprint(value: Any) -> dict[int, int]:
    """Returns the bytes of each piece of memory that `value` holds, by an identifier of that piece. Arrays, tensors,
    tables and texts are pieces of their own, so that memory shared by two values is counted once; small objects are
    counted together. Lists, dictionaries and attributes are followed."""
    found: dict[int, int] = {-id(value): 0}
    todo, seen = [value], set()
    while todo:
        one = todo.pop()
        if isinstance(one, _OPAQUE) or id(one) in seen:
            continue
        seen.add(id(one))
        part, size = _own(one)
        if size < SMALL:
            found[-id(value)] += size
        else:
            found[part] = size
        todo.extend(_inside(one))
    return found


def _measured(value: Any) -> dict[int, int] | None:
    """Returns `footprint(value)`, or None if other threads keep changing the value while it is measured."""
    for _ in range(TRIES):
        with contextlib.suppress(RuntimeError):  # "changed size during iteration"
            return footprint(value)
    return None


def _own(one: Any) -> tuple[int, int]:
    """Returns the identifier and the bytes of the memory that an object itself holds."""
    if hasattr(one, "untyped_storage"):  # a tensor; torch need not be imported to know one
        storage = one.untyped_storage()
        return storage.data_ptr() or id(one), storage.nbytes()
    if hasattr(one, "__array_interface__") and hasattr(one, "nbytes"):
        while getattr(one, "base", None) is not None and hasattr(one.base, "nbytes"):
            one = one.base  # a view keeps all of what it looks at
        return id(one), int(one.nbytes)
    if hasattr(one, "memory_usage"):  # a table of pandas
        used = one.memory_usage(deep=True)
        return id(one), int(used.sum() if hasattr(used, "sum") else used)
    return id(one), sys.getsizeof(one, 0)


def _inside(one: Any) -> Iterable[Any]:
    """Returns the objects inside an object, as a copy, because another thread may change it meanwhile."""
    if isinstance(one, dict):
        yield from list(one.keys())
        yield from list(one.values())
    elif isinstance(one, list | tuple | set | frozenset):
        yield from list(one)
    elif not isinstance(one, str | bytes | bytearray) and not hasattr(one, "memory_usage"):
        yield from list(getattr(one, "__dict__", {}).values())
        for name in getattr(type(one), "__slots__", ()):
            yield getattr(one, name, None) if isinstance(name, str) else None


@dataclass
class _Kept:
    value: Any
    stamp: Hashable
    parts: dict[int, int]
    measured: float = field(default_factory=time.monotonic)


class Memory:
    """A cache of values by key, limited to `limit` bytes. It may be used from any thread.

    If several threads ask for a missing value at once, one of them makes it and the others wait. A value larger than
    the limit is returned but not kept. The memory of keys is not counted.
    """

    def __init__(self, limit: int | Callable[[], int] = allowance):
        self._limit = limit if callable(limit) else lambda: limit
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._parts: dict[int, list[int]] = {}  # pieces of memory: how many values hold it, and its bytes
        self._making: dict[Hashable, tuple[int, threading.Event]] = {}
        self._lock = threading.RLock()
        self.bytes = 0
        self.hits = self.misses = 0

    @property
    def limit(self) -> int:
        return self._limit()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, make: Callable[[], Any], stamp: Hashable = None) -> Any:
        """Returns the value kept under `key`; if there is none, calls `make()` and keeps the result. stamp: the state
        of whatever the value is made from. A value kept with a different stamp is dropped and made again."""
        me = threading.get_ident()
        while True:
            with self._lock:
                if self.holds(key, stamp):
                    self.hits += 1
                    kept, due = self._used(key)
                    break
                maker = self._making.get(key)
                if maker is None:
                    kept, done = None, threading.Event()
                    self._making[key] = (me, done)
                    self.misses += 1
                    break
            if maker[0] == me:  # it needs itself to be made: the interpreter says so, better than to wait for ever
                return make()
            maker[1].wait()  # if that thread fails, the next waiting one tries
        if kept is not None:
            if due:
                self._measure(key, kept)
            return kept.value
        try:
            value = make()
            self._keep(key, value, stamp)
            return value
        finally:
            with self._lock:
                del self._making[key]
            done.set()

    def drop(self, chosen: Callable[[Hashable], bool] = lambda key: True) -> None:
        """Drops the values whose keys satisfy `chosen`, by default all."""
        with self._lock:
            for key in [key for key in self._kept if chosen(key)]:
                self._forget(key)

    def holds(self, key: Hashable, stamp: Hashable = None) -> bool:
        """Whether `get` would return a value at once."""
        with self._lock:
            return key in self._kept and self._kept[key].stamp == stamp

    def count(self, chosen: Callable[[Hashable], bool]) -> int:
        with self._lock:
            return sum(chosen(key) for key in self._kept)

    def trim(self, chosen: Callable[[Hashable], bool], most: int) -> None:
        """Drops the least recently used of the chosen values until at most `most` are left."""
        with self._lock:
            own = [key for key in self._kept if chosen(key)]
            for key in own[: max(0, len(own) - most)]:
                self._forget(key)

    def _used(self, key: Hashable) -> tuple[_Kept, bool]:
        """Returns the kept value, and whether the caller should measure its size again."""
        kept, now = self._kept[key], time.monotonic()
        self._kept.move_to_end(key)
        due = now - kept.measured > GROWS
        if due:
            kept.measured = now
        return kept, due

    def _measure(self, key: Hashable, kept: _Kept) -> None:
        """Measures the current size of a value. Other threads do not wait for the measurement."""
        parts = _measured(kept.value)
        with self._lock:
            if parts is None or self._kept.get(key) is not kept:  # let go of meanwhile
                return
            self._count(kept.parts, -1)
            kept.parts = parts
            self._count(parts, 1)
            self._make_room()

    def _keep(self, key: Hashable, value: Any, stamp: Hashable) -> None:
        parts = _measured(value)
        if parts is None:  # of unknown size, so it is handed out and not kept
            return
        with self._lock:
            if key in self._kept:  # with an older stamp, or made by a function that needed itself
                self._forget(key)
            if sum(parts.values()) > self.limit:
                return
            self._kept[key] = _Kept(value, stamp, parts)
            self._count(parts, 1)
            self._make_room()

    def _make_room(self) -> None:
        limit = self.limit
        while self.bytes > limit and self._kept:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        self._count(self._kept.pop(key).parts, -1)

    def _count(self, parts: dict[int, int], sign: int) -> None:
        for part, size in parts.items():
            entry = self._parts.setdefault(part, [0, size])
            if entry[0] == 0:
                self.bytes += entry[1]
            entry[0] += sign
            if entry[0] == 0:
                self.bytes -= entry[1]
                del self._parts[part]


MEMORY = Memory()


def remembered(
    function: Callable | None = None, *, stamp: Callable[..., Hashable] | None = None, most: int | None = None,
    memory: Memory = MEMORY,
) -> Callable:  # fmt: skip
    """Decorator: caches a function's results by its arguments, as `functools.lru_cache` does, within the limit of
    `memory`.

    stamp: a function of the same arguments; when its result changes, for example because a file has changed, the value
    is made again. most: the largest number of values to keep of this function, needed where its arguments, which are
    not counted, hold memory themselves. Like lru_cache it adds `cache_clear()`; and `is_cached`, which takes the
    function's arguments and tells whether their result is there.
    """
    if function is None:
        return functools.partial(remembered, stamp=stamp, most=most, memory=memory)
    owner = object()  # of this function: another of the same name has keys of its own

    def key_of(args: tuple, kwargs: dict) -> tuple[Hashable, Hashable]:
        return (owner, args, tuple(sorted(kwargs.items()))), stamp(*args, **kwargs) if stamp else None

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        key, now = key_of(args, kwargs)

        def make() -> Any:
            if most is not None:
                memory.trim(mine, most - 1)
            return function(*args, **kwargs)

        return memory.get(key, make, now)

    def mine(key: tuple) -> bool:
        return key[0] is owner

    call.is_cached = lambda *args, **kwargs: memory.holds(*key_of(args, kwargs))
    call.cache_clear = lambda: memory.drop(mine)
    call.cache_len = lambda: memory.count(mine)
    return call
