"""Functions that tests run in children. They are in a module of their own because children import them by name."""

import os
import signal
import time

import numpy as np

from wsr.errors import WsrError
from wsr.isolation import Limits, call


def double(x):
    return x * 2


def refuse():
    raise WsrError("Refused: it is the wrong colour.")


def fail():
    raise KeyError("no such thing")


def sleep(seconds):
    time.sleep(seconds)


def crash():
    os.abort()


def allocate(megabytes):
    return int(np.ones(megabytes * 2**20, np.uint8)[-1])


def count(until, path):
    try:
        for i in range(until):
            yield i
            time.sleep(0.01)
    finally:
        open(path, "w").close()


def stuck():
    yield 0
    time.sleep(60)


def nested_memory(megabytes, allowed):
    """Gives a part of the work a lower limit of memory, and allocates more afterwards."""
    try:
        call(allocate, megabytes, limits=Limits(seconds=5, memory=allowed * 2**20, what="'inner.png'"))
    except WsrError as error:
        return str(error), allocate(megabytes)
    return "", 0


def nested(x):
    return call(double, x, limits=Limits(seconds=5)), os.getpid()


def where():
    return os.getpid(), os.getppid(), os.getpriority(os.PRIO_PROCESS, 0), os.environ["OMP_NUM_THREADS"]


def shout(x):
    print("x" * 100_000)
    return x


def where_umap_keeps_code() -> dict[str, str | None]:
    """For each function of UMAP that it does not keep compiled itself: the folder of its compiled code, if any."""
    from wsr import map_layouts

    umap = map_layouts._umap()
    kept = ((umap.umap_, map_layouts._COMPILED), (umap.layouts, map_layouts._COMPILED_LAYOUT))
    return {name: getattr(module, name).stats.cache_path for module, names in kept for name in names}


def crash_in_layout(weights, config):
    """Stands for `wsr.map_layouts.layout`."""
    signal.raise_signal(signal.SIGSEGV)
