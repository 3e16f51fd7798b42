"""What children do in tests of `app.shell.workers`. Children import it by name, so it imports no more than it needs:
with the imports of the tests, each child would take four seconds of a core to start."""

import os
import time

import numpy as np

from wsr.errors import WsrError


def where():
    while True:
        yield os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)
        time.sleep(0.01)


def silent():
    yield os.getpid()
    time.sleep(600)


def slowly():
    time.sleep(1)
    yield os.getpid()


def broken():
    yield 1
    raise WsrError("The rank must lie between 1 and 16, not 99.")


def counting(count):
    for i in range(count):
        yield i, np.zeros(30_000)
