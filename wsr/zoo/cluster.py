"""Builds a zoo on several machines, or in several processes of one, with Ray: each batch is a task of its own.

Workers hold nothing that is not elsewhere: a batch whose worker dies is fitted again by another one, a machine that
joins late gets batches that have not begun, and only the process that asked writes the zoo. A machine needs an
installation of wsr, and no data: bases, encoders and the content of signals are sent along.
"""

import os
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import FileLock, Timeout

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fitting.threads import Spread
from wsr.isolation import cores

T, R = TypeVar("T"), TypeVar("R")
LOCAL, AUTO = "local", "auto"  # instead of an address: processes of this machine; the cluster that it belongs to
ANSWERS = 10.0  # seconds in which a cluster's address has to answer; Ray itself would wait for minutes
DEATHS = 10  # of workers at one batch, after which it is taken for the cause
AHEAD = 3  # batches per core of the cluster that are sent at a time
LOOK_AGAIN = 0.05  # seconds between two looks for a free place


def cluster(address: str) -> Spread:
    """A way to spread batches over a Ray cluster. address: LOCAL, AUTO for the cluster that this machine belongs to,
    or "ray://host:port". One that is elsewhere is joined at once, before anything is written, and until this process
    ends. WsrError if Ray is missing, or if there is no cluster at the address."""
    try:
        import ray  # an extra, which only this needs
    except ImportError:
        raise WsrError("A cluster needs Ray: pip install 'wsr[cluster]' installs it.") from None
    if address != LOCAL and not ray.is_initialized():
        _require_answer(address)
        _begin(ray, address=address)

    @contextmanager
    def run(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[Iterable[R]]:
        begins = not ray.is_initialized()
        if begins:
            _begin(ray, num_cpus=workers, include_dashboard=False)
        try:
            yield _results(ray, work, items)
        finally:
            if begins:
                ray.shutdown()

    def workers(device: str, items: int, asked: int | None) -> int:
        return max(1, asked or cores())

    return Spread(run, workers)


def _require_answer(address: str) -> None:
    """WsrError if nothing listens at the address of a cluster. Where AUTO is, Ray knows."""
    if address == AUTO:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise WsrError(
            f"{address!r} is no address of a Ray cluster: `{LOCAL}` is this machine, `{AUTO}` the cluster that it "
            "belongs to, and ray://host:10001 another one."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS).close()
    except (OSError, OverflowError) as error:
        raise WsrError(f"There is no Ray cluster at {address!r}: {error}") from None


def _begin(ray: Any, **options: Any) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    try:
        ray.init(**options, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = options.get("address", LOCAL)
        raise WsrError(f"There is no Ray cluster at {where!r}: {str(error).splitlines()[0]}") from None


def _results(ray: Any, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yields the results in order, while at most AHEAD batches per core are on their way."""
    # a task is repeated if its worker dies, but not if it raises an error
    task, shared = ray.remote(num_cpus=1, max_retries=DEATHS)(_work), ray.put(work)
    waiting, left = deque(), iter(items)
    while True:
        room = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1))) - len(waiting)
        for item in islice(left, max(room, 0)):
            waiting.append(task.remote(shared, _carried(item)))
        if not waiting:
            return
        try:
            yield ray.get(waiting.popleft())
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.WorkerCrashedError:
            raise WsrError(
                f"One batch has ended {DEATHS + 1} workers: it may need more memory than a worker has. What is done is "
                "kept."
            ) from None


def _work(work: Callable[[T], R], item: T) -> R:
    """Runs in a worker. A machine may have more of them than cores: those in excess wait, and take over at once where
    one dies."""
    import ray

    torch.set_num_threads(1)
    machine = ray.get_runtime_context().get_node_id()
    with place(Path(tempfile.gettempdir()) / f"wsr-{machine}", cores()):
        return work(item)


@contextmanager
def place(name: Path, count: int) -> Iterator[None]:
    """Holds one of `count` places that the processes of a machine share, and waits for one if all are taken. Four
    workers that shared two cores took 14 % longer than two threads for 200 shapes: they push each other's numbers out
    of the caches. The system frees the place of a process that is killed. name: of the places; a lock file is left for
    each."""
    locks = [FileLock(f"{name}-{i}.lock", thread_local=False) for i in range(count)]
    while (held := next(filter(_taken, locks), None)) is None:
        time.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        held.release()


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _carried(item: Any) -> Any:
    return item.carried() if isinstance(item, Signals) else item
