"""Cleans up when a process ends, also when it ends by SIGTERM, which service managers and job schedulers send and on
which Python by itself runs no exit handlers."""

import atexit
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from wsr.errors import WsrError

TERMINATED = 128 + signal.SIGTERM  # the exit code of a process that was asked to end
GRACE = 5.0  # seconds for a batch in hand, after which the process ends without it

_folders: dict[Path, int] = {}  # folders, and the process that made each
_at_end: list[tuple[int, Callable[[], None]]] = []  # the process that asked for it, and what to call
_asked_to_end = threading.Event()


class Terminated(KeyboardInterrupt):
    """Raised on SIGTERM. It unwinds the stack like Ctrl-C, so that half-written files are removed."""


def temporary_folder(prefix: str, parent: Path | None = None) -> Path:
    """Makes a folder that other users cannot read and that is removed when the process ends. parent: where it is made,
    by default the system's temporary folder. WsrError if it cannot be made."""
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        raise WsrError(
            f"No temporary folder can be made in {str(parent or tempfile.tempdir or '/tmp')!r} "
            f"({error.strerror}): set TMPDIR to a folder that can be written."
        ) from None
    _folders[folder] = os.getpid()
    return folder


def at_end(function: Callable[[], None]) -> Callable[[], None]:
    """Decorator: calls the function when the process ends, also on SIGTERM. The function must be quick."""
    _at_end.append((os.getpid(), function))
    return function


def clean_up() -> None:
    """Calls the functions registered by `at_end` and removes temporary folders, but only those that this very process
    registered or made: a forked child inherits its parent's."""
    for owner, function in _at_end:
        if owner == os.getpid():
            function()
    for folder, owner in list(_folders.items()):
        if owner == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)
            _folders.pop(folder, None)


def _at_exit() -> None:
    """Cleans up. After SIGTERM it also ends the process here: threads that are still in compiled code, as of a fit that
    was under way, would make C++ abort it while it takes its libraries down."""
    clean_up()
    if _asked_to_end.is_set():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(TERMINATED)


atexit.register(_at_exit)


def end_on_sigterm() -> None:
    """Makes SIGTERM end this process with exit code 143: it unwinds like Ctrl-C, and after `GRACE` seconds the process
    ends whatever its threads are doing. Does nothing outside the main thread, where no handler can be set, or if a
    handler is set already."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked twice is asked once
    _asked_to_end.set()
    if hasattr(signal, "alarm"):  # the system ends the process if no thread gets to run Python code
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(round(2 * GRACE))
    # not a Timer: threads that run may keep the interpreter from its exit handlers
    threading.Thread(target=_end, name="wsr-end", daemon=True).start()
    raise Terminated


def _end() -> None:
    threading.Event().wait(GRACE)
    import multiprocessing

    for child in multiprocessing.active_children():
        child.terminate()
    clean_up()
    os._exit(TERMINATED)
