"""What a process leaves behind: nothing, also when it is asked to end (SIGTERM, as a server's manager and a job's
scheduler do). Python by itself runs no exit handlers then."""

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

_folders: dict[Path, int] = {}  # and the process that made each
_at_end: list[tuple[int, Callable[[], None]]] = []  # the process that asked for it, and what to call
_asked_to_end = threading.Event()


class Terminated(KeyboardInterrupt):
    """SIGTERM: unwinds like Ctrl-C, so that files half written are removed."""


def temporary_folder(prefix: str, parent: Path | None = None) -> Path:
    """A folder of this process's own (in `parent`, by default where the system has such), unreadable to other users,
    removed when the process ends. WsrError where no temporary folder can be made."""
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
    """Decorator: the function is called when the process ends, also where it was asked to. It must be quick."""
    _at_end.append((os.getpid(), function))
    return function


def clean_up() -> None:
    """Calls what is registered by `at_end`, and removes the temporary folders that this process made; a child that was
    forked has both from its parent."""
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
    """From now on SIGTERM ends this process with code 143: as Ctrl-C would, and after `GRACE` seconds whatever its
    threads do. Does nothing outside the main thread, where no handler can be set, or where there is a handler."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked twice is asked once
    _asked_to_end.set()
    if hasattr(signal, "alarm"):  # where neither this thread nor the next gets to the interpreter, the system ends it
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
