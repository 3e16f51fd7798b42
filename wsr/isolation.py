"""Runs code that can hang, crash or take all memory in child processes with limits: parsers of uploaded files, and the
compiled code of other libraries. Whatever happens to a child becomes one sentence in the parent, and no other caller
waits for it.

`call(function, *args, …)` runs a function in a warm child and returns its result; `Children` is a pool of such
children, for work that needs other limits or priorities. Children are new interpreters (no fork, which threads do not
survive), so a function is sent by its module and name: it must be defined at the top level of a module.
"""

import atexit
import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import Pipe
from typing import Any

from wsr.child import limit_memory, restore_memory
from wsr.cleanup import at_end
from wsr.errors import WsrError
from wsr.limits import Limits, Stopped

START_SECONDS = 120  # seconds for a child to import its modules, on a cold machine under load
GRACE = 1.0  # seconds that a stream has to end by itself when its reader stops
TICK = 0.05  # seconds between two looks at whether the caller has been told to stop


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Children:
    """A pool of child processes that are kept ready between calls.

    preload: modules that a child imports before it counts as ready. most: number of children at work at once; further
    callers wait for their turn, at most for the `seconds` of their own limits. keep: number of idle children that are
    kept. nice: the children's scheduling priority, where 19 is the lowest. threads: number of threads of the numerical
    libraries in each child. Every method may be called from any thread. Inside a child work runs directly, so pools do
    not nest.
    """

    def __init__(
        self, *, preload: tuple[str, ...] = (), most: int = 4, keep: int = 1, nice: int = 0, threads: int = 1
    ):
        self.preload, self.keep, self.nice, self.threads = preload, keep, nice, threads
        self._places = threading.BoundedSemaphore(most)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        atexit.register(self.close)

    def call(self, function: Callable, *args: Any, limits: Limits) -> Any:
        """Returns `function(*args)`, computed in a child.

        A WsrError of the function is raised here unchanged. Every other failure (another exception, a crash, too much
        memory, too much time) is raised as a WsrError whose subject is `limits.what`.
        """
        if IN_CHILD:
            return _within(function, args, limits)
        with contextlib.closing(self._work(function, args, limits)) as answers:
            return next(answers)

    def stream(self, function: Callable, *args: Any, limits: Limits) -> Iterator[Any]:
        """Yields the values of a generator function that runs in a child. Closing the returned generator closes the one
        in the child at its next value; a child that yields none within a second is ended."""
        if IN_CHILD:
            return function(*args)
        return self._work(function, args, limits)

    def warm(self) -> None:
        """Starts a child if none is idle, without waiting until it is ready."""
        with self._lock:
            if not self._idle:
                self._idle.append(_Child(self))

    def close(self) -> None:
        """Ends all idle children. A child at work ends with its caller."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()

    def _work(self, function: Callable, args: tuple, limits: Limits) -> Iterator[Any]:
        self._wait_for_place(limits)
        child = None
        try:
            child = self._taken()
            yield from child.answers(function, args, limits)
        finally:
            try:
                if child is not None:
                    self._returned(child)
            finally:  # also where no further process can be made
                self._places.release()

    def _wait_for_place(self, limits: Limits) -> None:
        until = math.inf if limits.seconds is None else time.monotonic() + limits.seconds
        while not self._places.acquire(timeout=TICK):
            if limits.stopped and limits.stopped():
                raise Stopped("Stopped.")
            if time.monotonic() >= until:
                waited = f"{limits.what} waited {limits.seconds:.0f} s for its turn"
                raise WsrError(f"{waited}: too much is going on here. Try again.")

    def _taken(self) -> "_Child":
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
        return _Child(self)

    def _returned(self, child: "_Child") -> None:
        with self._lock:
            if child.reusable and len(self._idle) < self.keep:
                self._idle.append(child)
                return
            if not child.reusable and not self._idle and self.keep:  # the next caller finds a warm one
                self._idle.append(_Child(self))
        child.kill()


_children: "weakref.WeakSet[_Child]" = weakref.WeakSet()


@at_end
def end_children() -> None:
    """Ends all children of this process, idle or at work."""
    for child in list(_children):
        with contextlib.suppress(OSError):
            child.process.kill()
    for child in list(_children):  # one that still dies would be taken for an idle one
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(1)


class _Child:
    """One child process, which works for one caller at a time."""

    def __init__(self, pool: Children):
        self.connection, far = Pipe()
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            "MALLOC_ARENA_MAX": "2",  # an arena a thread reserves 64 MB of the address space that is limited
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(pool.threads)),
            "IGL_NUM_THREADS": str(pool.threads),
        }
        # -P: nothing in the folder of the caller is taken for a module
        command = [sys.executable, "-P", "-m", "wsr.child", str(far.fileno()), str(pool.nice), *pool.preload]
        self.ready, self.reusable = False, False
        try:
            self.process = subprocess.Popen(
                command, env=environment, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            self.connection.close()
            raise WsrError(f"No process could be started for this ({error.strerror}): free memory and retry.") from None
        finally:
            far.close()
        _children.add(self)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def answers(self, function: Callable, args: tuple, limits: Limits) -> Iterator[Any]:
        """Yields the function's result, or the values of a generator one by one. Afterwards `reusable` says whether the
        child can take further work."""
        self.reusable = False
        try:
            if not self.ready:
                self._receive(time.monotonic() + START_SECONDS, limits)
                self.ready = True
            self._send((function, args, limits.memory, limits.seconds))
            deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
            while True:
                kind, value = self._receive(deadline, limits)
                if kind == "value":
                    yield value
                    continue
                self.reusable = kind != "memory"
                if kind in ("memory", "late", "error"):
                    raise limits.error(kind, value)
                return
        except GeneratorExit:
            self._wind_up()
            raise
        finally:
            if not self.reusable:
                self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()

    def _send(self, message: Any) -> None:
        try:
            self.connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        except OSError:  # it is gone: `_receive` says how
            pass

    def _receive(self, deadline: float | None, limits: Limits) -> Any:
        while not self.connection.poll(TICK if limits.stopped or deadline is None else self._left(deadline)):
            if limits.stopped and limits.stopped():
                raise Stopped("Stopped.")
            if deadline is not None and time.monotonic() >= deadline:
                raise limits.late(START_SECONDS if limits.seconds is None or not self.ready else limits.seconds)
        try:
            return pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            raise WsrError(f"{limits.what} ended the process that worked on it ({self._end()}).") from None

    @staticmethod
    def _left(deadline: float) -> float:
        return min(max(deadline - time.monotonic(), 0.0), 1.0)

    def _end(self) -> str:
        code = self.process.wait()
        if code == -signal.SIGKILL:
            return "most likely because memory ran out"
        return f"a crash, {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _wind_up(self) -> None:
        """Asks the generator in the child to close, and discards the values that are still on their way."""
        self._send(None)
        until = time.monotonic() + GRACE
        with contextlib.suppress(WsrError):
            while time.monotonic() < until:
                kind, _ = self._receive(until, Limits(seconds=GRACE))
                if kind != "value":
                    self.reusable = kind != "memory"
                    return


IN_CHILD = False


def _within(function: Callable, args: tuple, limits: Limits) -> Any:
    """Runs a nested call inside a child, under the memory limit of that call; the time limit is that of the whole
    work."""
    before = limit_memory(limits.memory)
    try:
        return function(*args)
    except MemoryError:
        raise limits.error("memory", None) from None
    finally:
        restore_memory(before)


_readers = Children(preload=("wsr.data.images", "wsr.data.meshes"), keep=2)  # two batches of a zoo read at once


def call(function: Callable, *args: Any, limits: Limits) -> Any:
    """Returns `function(*args)`, computed in one of the children that read files. See `Children.call`."""
    return _readers.call(function, *args, limits=limits)


def warm() -> None:
    """Starts such a child, so that the first file does not wait for its imports."""
    if not IN_CHILD:
        _readers.warm()
