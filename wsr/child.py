"""The main loop of a child process of `wsr.isolation`: receives one piece of work after another and does it within its
limits."""

import contextlib
import importlib
import math
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from wsr.errors import WsrError

STACK = 10 * 2**20  # bytes of each thread's stack


def serve(connection: Connection) -> None:
    """Receives and does one piece of work after another until the parent is gone."""
    _send_to(connection, ("ready", None))
    while True:
        try:
            message = connection.recv_bytes()
        except (EOFError, OSError):
            return
        if (work := pickle.loads(message)) is None:  # a close that came after the end
            continue
        _serve_one(connection, *work)


def _serve_one(connection: Connection, function, args: tuple, memory: int | None, seconds: float | None) -> None:
    _limit(memory, seconds)
    # The parent may look so late that a result is there which came after its time.
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    last = ("done", None)
    try:
        answer = function(*args)
        streams = isinstance(answer, Iterator)
        for value in answer if streams else (answer,):
            late = time.monotonic() > deadline
            if not late:
                _send_to(connection, ("value", value))
            if late or (streams and connection.poll() and pickle.loads(connection.recv_bytes()) is None):
                last = ("late", None) if late else last
                if streams:
                    answer.close()
                break
    except MemoryError:
        last = ("memory", None)
    except WsrError as error:
        last = ("error", WsrError(str(error)))
    except Exception as error:
        brief = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        last = ("error", (brief, traceback.format_exc()))
    _limit(None, None)
    _send_to(connection, last)


def _send_to(connection: Connection, message: Any) -> None:
    connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))


def _limit(memory: int | None, seconds: float | None) -> None:
    """Sets the memory limit, and a timer by which the system ends this process after the time limit. Normally the
    parent kills a child at its deadline; the timer is for a child whose parent is gone."""
    signal.setitimer(signal.ITIMER_REAL, 0 if seconds is None else seconds + 5)
    if memory is None:
        restore_memory(None)
    else:
        limit_memory(memory)


def limit_memory(memory: int | None) -> int | None:
    """Limits the memory that this process may take from now on, never above a limit that is set already. Returns the
    earlier limit."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not available on every system
        import resource

        before, hard = resource.getrlimit(resource.RLIMIT_AS)
        if memory is None:
            return before
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        # ray casting reserves a stack for each core, which is address space and no memory
        soft = now + memory + STACK * (os.cpu_count() or 1)
        bounds = [bound for bound in (soft, before, hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
        return before
    return None


def restore_memory(bound: int | None) -> None:
    """Restores an earlier limit; None restores the system's."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard if bound is None else bound, hard))


def main(arguments: list[str]) -> None:
    importlib.import_module("wsr.isolation").IN_CHILD = True
    handle, nice, *modules = arguments
    os.dup2(2, 1)  # what libraries print goes to stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    with contextlib.suppress(OSError):
        os.nice(int(nice))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in modules:
        importlib.import_module(name)
    serve(Connection(int(handle)))


if __name__ == "__main__":
    main(sys.argv[1:])
