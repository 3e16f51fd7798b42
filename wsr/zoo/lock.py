"""Lets one writer at a time into a zoo; two would overwrite each other's weights and index. Readers need no lock,
because they read the index, which is replaced atomically."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from wsr.errors import WsrError
from wsr.formats.files import shown, there
from wsr.paths import refused

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

NAME = ".lock"  # a file, on disks where folders cannot be locked
PATIENCE = 20.0  # seconds that a single append waits for another's
EACH = 0.02  # seconds between two tries


class WriterLock:
    """The lock of a zoo. The folder itself is locked, so that no lock file is left behind, and the system releases it
    when the process ends in whatever way."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._depth, self._held = 0, None

    @contextmanager
    def held(self, wait: float = 0.0, unless: Path | None = None) -> Iterator[None]:
        """Holds the lock; one object may hold it several times. wait: seconds to wait for another holder. unless: a
        file; if it exists, no lock is needed. WsrError if another writer holds the lock, or the folder cannot be
        written."""
        if unless is not None and there(unless):
            yield
            return
        if not self._depth:
            self._held = self._taken(wait)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                held, self._held = self._held, None
                os.close(held) if isinstance(held, int) else held.release()

    def _taken(self, wait: float) -> int | FileLock:
        try:
            found = _locked_folder(self.folder, wait)
            if found is None:
                found = FileLock(self.folder / NAME, thread_local=False)
                found.acquire(timeout=wait)
            return found
        except (Timeout, TimeoutError):
            raise WsrError(
                f"The zoo {shown(self.folder)} is being written by another job: wait until that ends, or write into a "
                "folder of your own and join the two by `wsr zoo merge`."
            ) from None
        except (OSError, NotImplementedError) as error:
            raise refused(self.folder, error) from None


def _locked_folder(folder: Path, wait: float) -> int | None:
    """Returns a descriptor that holds the folder's lock until it is closed, or None if this file system cannot lock
    folders. TimeoutError if another process holds it."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TimeoutError from None
                time.sleep(EACH)
    except TimeoutError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
