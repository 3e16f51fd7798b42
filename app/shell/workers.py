"""Runs visitors' work in child processes of low priority, so that showing things does not wait for fitting.

On a Space with a shared GPU the package `spaces` runs the work in a process of its own.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from app.shell import compute
from wsr.errors import WsrError
from wsr.isolation import Children, Limits, Stopped, cores

COURTESY = 1.0  # seconds that work has to end by itself after it was told to stop
NICE = 10  # looking comes first; a fit has what looking leaves
_END = object()
_at_work: set["_Pumped"] = set()
_getting_ready = threading.Lock()  # held while a child computes ahead of a visitor
READY = 8.0  # seconds that a visitor's work waits for such a child: starting another takes longer


# Modules that read, measure and draw a file. A warm child has imported them, so that it does not cost a visitor's time.
READS = (
    "app.shared.samples", "wsr.data.images", "wsr.data.meshes", "wsr.data.mesh_report", "wsr.data.occupancy",
    "wsr.fitting.fit", "wsr.fitting.problem", "wsr.identity", "wsr.modalities.image_targets",
    "wsr.modalities.occupancy_targets", "wsr.presets", "wsr.render.pictures",
)  # fmt: skip

# Fits and samples take turns (`compute.COMPUTE`), so one child is enough. A second one may still be ending the work of
# a visitor who has just left.
CHILD = ("app.shell.in_child", "app.shared.work")
FITTING = Children(preload=CHILD, most=2, keep=1, nice=NICE, threads=max(1, cores() - 1))
# Reads, measures and draws visitors' files, several at once, so that nobody waits for another's.
PREPARING = Children(preload=(*CHILD, *READS), most=4, keep=1, nice=NICE // 2)


class Task:
    """A generator function that runs in a child process, or on the GPU of a Space.

    A call takes the function's own arguments, and `stopped`, which says whether the visitor wants an end. The values
    come through an unbounded queue, so the work does not wait for whoever draws it. Closing the generator ends the work
    at its next value, or after a second.
    """

    def __init__(self, function: Callable[..., Iterator], *, duration: int, what: str):
        """duration: seconds of a Space's GPU; what: the subject of the sentence that reports a failure."""
        self.function, self.what = function, what
        self.here = compute.gpu(function, duration=duration)

    def __call__(self, *args: Any, stopped: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        if compute.spaces:
            return self.here(*args)
        return _Pumped(FITTING, self, args, stopped).values()


class _Pumped:
    """Fetches the values of a task in a child process on a thread of its own."""

    def __init__(self, pool: Children, task: Task, args: tuple, stopped: Callable[[], bool]):
        self.pool, self.task, self.args, self.stopped = pool, task, args, stopped
        self.found: queue.SimpleQueue = queue.SimpleQueue()
        self.closed = False
        self._told: float | None = None

    def values(self) -> Iterator[Any]:
        """Yields the values, and ends without an error where the visitor has stopped the work."""
        _at_work.add(self)
        thread = threading.Thread(target=self._fetch, name="wsr-fetch", daemon=True)
        thread.start()
        try:
            while (value := self.found.get()) is not _END:
                if isinstance(value, Stopped):
                    return
                if isinstance(value, BaseException):
                    raise value
                yield value
        finally:
            self.closed = True
            if not _on_event_loop():
                thread.join(3 * COURTESY)

    def _fetch(self) -> None:
        limits = Limits(seconds=None, what=self.task.what, stopped=self._overdue)
        _wait_until_ready(lambda: self.closed or self.stopped())
        stream = self.pool.stream(self.task.function, *self.args, limits=limits)
        try:
            for value in stream:
                self.found.put(value)
                if self.closed:
                    break
        except BaseException as error:
            self.found.put(error)
        finally:
            stream.close()
            self.found.put(_END)
            _at_work.discard(self)

    def _overdue(self) -> bool:
        """Returns whether the work was told to stop more than COURTESY seconds ago."""
        if not (self.closed or self.stopped()):
            self._told = None
            return False
        self._told = self._told or time.monotonic()
        return time.monotonic() - self._told > COURTESY


def _on_event_loop() -> bool:
    """Whether this thread runs an event loop. There gradio closes the generators of visitors who leave, and must not
    wait: the fetching thread ends by itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def prepared(function: Callable, *args: Any, seconds: float, what: str, stopped: Callable[[], bool]) -> Any:
    """Computes a function's result in a child process, which is ended after `seconds`, or when `stopped` returns
    True."""
    return PREPARING.call(function, *args, limits=Limits(seconds=seconds, what=what, stopped=stopped))


def preparing(
    function: Callable[..., Iterator], *args: Any, seconds: float, memory: int, what: str, stopped: Callable[[], bool]
) -> Iterator[Any]:
    """Yields the values of a generator function that runs in such a child, which may take `memory` bytes."""
    limits = Limits(seconds=seconds, memory=memory, what=what, stopped=stopped)
    return PREPARING.stream(function, *args, limits=limits)


def ahead(function: Callable[..., Iterator], *args: Any) -> None:
    """Computes the first value of a generator function in advance, so that the next call is faster. Does nothing while
    a visitor's work or another such computation is running. A visitor who comes meanwhile waits for its end and uses
    the child that is warm then."""
    if compute.spaces or _at_work or not _getting_ready.acquire(blocking=False):
        return
    limits = Limits(seconds=60, what="Getting ready")
    try:
        values = FITTING.stream(function, *args, limits=limits)
        with contextlib.suppress(WsrError), contextlib.closing(values):
            next(values, None)
    finally:
        _getting_ready.release()


def _wait_until_ready(stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + READY
    while _getting_ready.locked() and time.monotonic() < until and not stopped():
        time.sleep(0.02)


def warm() -> None:
    """Warms a child process of each kind for the first visitor who needs one."""
    if compute.spaces:
        return
    from app.shared import work

    PREPARING.warm()
    try:
        FITTING.call(work.ready, limits=Limits(seconds=120, what="The first fit"))
    except WsrError as error:  # the page works without: a fit says what is wrong
        compute.log.warning("fitting is not ready: %s", error)


def close() -> None:
    """Ends the idle child processes."""
    FITTING.close()
    PREPARING.close()
