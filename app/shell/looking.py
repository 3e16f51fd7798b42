"""Decoding for many visitors at once: what one visitor has been shown is cached for the next, and details wait behind
first pictures.

Torch uses one thread for each visitor here: on a few cores, several threads on one small matrix product cost more than
they help.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from wsr.memory import MEMORY

if TYPE_CHECKING:
    from torch import Tensor

TICK = 0.05  # seconds between two looks at whether a visitor still wants them
# Details that may wait for their turn. Twenty visitors want three times as many as two cores can draw, and a detail
# that comes many clicks late only delays everybody's next click.
WAITING = 2


class Stale(Exception):
    """Raised where the visitor has asked for something else meanwhile, or too many details wait."""


# Decodes at once: each takes some 100 MB while it runs, and more than a few threads do not end sooner on a few cores.
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)
_asking = threading.local()


class Seen:
    """Cache of decoded pictures and surfaces, by what they depend on, within the allowance of `wsr.memory`. What
    several visitors want at once is made once, and at most AT_ONCE are made at a time."""

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns the cached value of a key, or calls `make` and caches its result. Errors are not cached. A nested
        call of the same thread takes no second place."""
        if key in self or getattr(_asking, "making", False):
            return MEMORY.get((self, key), make)
        with _places:  # taken before anybody waits for it: a maker never waits for a place
            _asking.making = True
            try:
                return MEMORY.get((self, key), make)
            finally:
                _asking.making = False

    def __contains__(self, key: Hashable) -> bool:
        return (self, key) in MEMORY


SEEN = Seen()


def asking(stale: Callable[[], bool]) -> None:
    """Sets, for this thread, the function that says whether its visitor has asked for something else."""
    _asking.stale = stale


def detail(key: Hashable, make: Callable[[], Any]) -> Any:
    """`SEEN.get` for details that improve a picture already on screen: one at a time, after everything else. Raises
    Stale where the visitor asks for something else before its turn, or too many details wait."""
    if key in SEEN:
        return SEEN.get(key, make)
    if _details._work_queue.qsize() >= WAITING:
        raise Stale
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
    """Returns a hash of weights, as part of a cache key."""
    return hashlib.blake2b(weights.contiguous().numpy().tobytes(), digest_size=16).digest()


# The thread has normal priority: one with low priority that holds the interpreter's lock would hold back everybody.
_details = ThreadPoolExecutor(1, "wsr-details")


def ahead(work: Callable[..., Any], *args: Any) -> Future | None:
    """Computes what a visitor may ask for next, unless a detail is waiting."""
    return None if _details._work_queue.qsize() else _details.submit(work, *args)


def one_thread_each() -> None:
    """Limits torch to one thread per call, unless the environment already says otherwise. Call it before torch is
    imported."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", "1")
