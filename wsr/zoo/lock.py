"""One writer of a zoo at a time. Two would overwrite each other's weights and index. Readers need no lock: they go by
the index, which is replaced as a whole."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from wsr.errors import WsrError
from wsr.formats.files import shown, there
from wsr.paths import refused

NAME = ".lock"  # stays in the folder: to remove it while another process waits for it would let both in
PATIENCE = 20.0  # seconds that a single append waits for another's

log = logging.getLogger("wsr")


class WriterLock:
    """The lock of the zoo in a folder. The system lets go of it when its process ends, however that ends."""

    def __init__(self, folder: Path):
        self.folder, self._lock = folder, None

    @contextmanager
    def held(self, wait: float = 0.0, unless: Path | None = None) -> Iterator[None]:
        """Holds the lock, by this object as often as it likes. wait: seconds for another holder to end. unless: a file
        without which alone the lock is needed. WsrError where another writer holds it, or the folder cannot be written
        to."""
        if unless is not None and there(unless):
            yield
            return
        try:
            if self._lock is None:
                self._lock = FileLock(self.folder / NAME, thread_local=False)
            self._lock.acquire(timeout=wait)
        except Timeout:
            raise WsrError(
                f"The zoo {shown(self.folder)} is being written by another job: wait until that ends, or write into a "
                "folder of your own and join the two by `wsr zoo merge`."
            ) from None
        except NotImplementedError:
            log.warning("The disk of %s has no locks: let one job alone write the zoo.", shown(self.folder))
            yield
            return
        except OSError as error:
            raise refused(self.folder, error) from None
        try:
            yield
        finally:
            self._lock.release()
