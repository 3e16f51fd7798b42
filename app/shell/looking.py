"""Looking at what is there, for many visitors at once: what one has been shown is kept for the next, and what may wait
gives way to what may not.

Torch computes on one thread for each visitor here: on a few cores, threads that share one small product wait for each
other more than they help.
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
# Details that may wait for their turn. Twenty visitors want three times as many as two cores draw: those that would
# come many clicks later would only make everybody's next click wait.
WAITING = 2


class Stale(Exception):
    """The visitor has asked for something else meanwhile, or too many wait."""


# Decodes at once: each takes some 100 MB while it runs, and more than a few threads do not end sooner on a few cores.
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)
_asking = threading.local()


class Seen:
    """Pictures and surfaces that a visitor has been shown, by what they depend on, within the allowance of
    `wsr.memory`. What several visitors want at once is made once, and no more than a few are made at a time."""

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under a key, or what `make` returns, kept from now on. Errors are not kept. What is made on the
        way to it by the same thread needs no other place."""
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
    """From now on this thread works for a visitor who may ask for something else meanwhile."""
    _asking.stale = stale


def detail(key: Hashable, make: Callable[[], Any]) -> Any:
    """`SEEN.get`, one at a time and after everything else: for what makes a picture that is on screen better. Raises
    Stale where the visitor has asked for something else before its turn came, or too many wait for theirs."""
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
