"""Runs batches side by side, one per core."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

from wsr.isolation import cores

T, R = TypeVar("T"), TypeVar("R")
_of_thread = threading.local()


def told_to_stop() -> bool:
    """Tells whether the result that this thread computes in `side_by_side` is no longer wanted."""
    stop = getattr(_of_thread, "stop", None)
    return stop is not None and stop.is_set()


def _begin(threads: int, stop: threading.Event) -> None:
    torch.set_num_threads(threads)
    _of_thread.stop = stop


def workers_for(device: str, most: int) -> int:
    """Returns how many batches to fit side by side: on CPUs one per core, but at most `most`; on a GPU one."""
    return max(1, min(cores(), most)) if torch.device(device).type == "cpu" else 1


@dataclass(frozen=True)
class Spread:
    """A way to spread work over workers. run: like `side_by_side`; workers: given the device, the number of items and
    the number that was asked for, how many to use."""

    run: Callable[[Callable[[T], R], Sequence[T], int], AbstractContextManager[Iterable[R]]]
    workers: Callable[[str, int, int | None], int]


@contextmanager
def side_by_side(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[Iterable[R]]:
    """Yields an iterable of the results of `work` on the items, in order. Leaving the context early cancels the items
    that have not begun and asks those that have to end (`told_to_stop`).

    The batches run in threads of one process, because torch releases the interpreter lock while it computes. Two
    batches on one core each take 0.8 of the time of one after the other on two cores, since the two cores would often
    wait for each other in such small products.
    """
    if workers <= 1 or len(items) <= 1:
        yield map(work, items)
        return
    before, stop = torch.get_num_threads(), threading.Event()
    pool = ThreadPoolExecutor(workers, "wsr-fit", _begin, (max(1, cores() // workers), stop))
    try:
        yield pool.map(work, items)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)  # torch makes a thread's setting the default of new threads


def _threads(device: str, items: int, asked: int | None) -> int:
    return min(asked or items, workers_for(device, items)) if items else 1


THREADS = Spread(side_by_side, _threads)
