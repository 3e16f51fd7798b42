"""Looking at what is there, for many visitors at once: what one has been shown is kept for the next, and what may wait
gives way to what may not.

Torch computes on one thread for each visitor here: on a few cores, threads that share one small product wait for each
other more than they help.
"""

import hashlib
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

MB = 2**20
KEPT = 96 * MB  # of pictures and surfaces
TICK = 0.05  # seconds between two looks at whether a visitor still wants them


_asking = threading.local()


class Stale(Exception):
    """The visitor has asked for something else meanwhile."""


class Kept:
    """Results by what they depend on, the last used ones, up to so many bytes. What several visitors want at once is
    computed once. Safe to call from any thread."""

    def __init__(self, most: int):
        self.most, self.bytes = most, 0
        self._found: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._coming: dict[Hashable, Future] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under a key, or what `make` returns, kept from now on. Errors are not kept."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key][0]
            coming = self._coming.get(key)
            mine = coming is None
            if mine:
                coming = self._coming[key] = Future()
        if not mine:
            return coming.result()
        try:
            value = _made(make)
        except BaseException as error:
            coming.set_exception(error)
            with self._lock:
                del self._coming[key]
            raise
        self._keep(key, value)
        coming.set_result(value)
        return value

    def __contains__(self, key: Hashable) -> bool:
        return key in self._found

    def _keep(self, key: Hashable, value: Any) -> None:
        size = _size(value)
        with self._lock:
            del self._coming[key]
            self._found[key] = value, size
            self.bytes += size
            while self.bytes > self.most and len(self._found) > 1:
                self.bytes -= self._found.popitem(last=False)[1][1]


# Decodes at once: each takes some 100 MB while it runs, and more than a few threads do not end sooner on a few cores.
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


def _made(make: Callable[[], Any]) -> Any:
    """The result, when there is a place for it. What is made on the way to it by the same thread needs no other."""
    if getattr(_asking, "making", False):
        return make()
    with _places:
        _asking.making = True
        try:
            return make()
        finally:
            _asking.making = False


def _size(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(map(_size, value)) + 64
    return int(getattr(value, "nbytes", 0)) or sys.getsizeof(value)


SEEN = Kept(KEPT)


def asking(stale: Callable[[], bool]) -> None:
    """From now on this thread works for a visitor who may ask for something else meanwhile."""
    _asking.stale = stale


def detail(key: Hashable, make: Callable[[], Any]) -> Any:
    """`SEEN.get`, one at a time and after everything else: for what makes a picture that is on screen better. Raises
    Stale where the visitor has asked for something else before its turn came."""
    if key in SEEN:
        return SEEN.get(key, make)
    stale = getattr(_asking, "stale", lambda: False)
    coming = _details.submit(SEEN.get, key, make)
    while True:
        try:
            return coming.result(timeout=TICK)
        except TimeoutError:
            if coming.done():
                return coming.result()
            if stale() and coming.cancel():
                raise Stale from None


def digest(weights: "Tensor") -> bytes:
    """What weights are, as a part of a key."""
    return hashlib.blake2b(weights.contiguous().numpy().tobytes(), digest_size=16).digest()


# Of the same priority as the rest: a thread that the system holds back while it holds the interpreter's lock holds back
# everybody.
_details = ThreadPoolExecutor(1, "wsr-details")


def ahead(work: Callable[..., Any], *args: Any) -> Future | None:
    """Does what a visitor may ask for next, where nobody waits for a detail."""
    return None if _details._work_queue.qsize() else _details.submit(work, *args)


def one_thread_each() -> None:
    """Torch, where it has not been imported yet and nobody has asked for more."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", "1")
