"""Bounds the disk space that the app takes: visitors' uploads, surfaces and downloads stay for an hour and within a
limit.

gradio's own `delete_cache` has no limit, and leaves the remains of interrupted uploads and empty folders.
"""

import contextlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.formparsers import MultiPartException

from wsr.cleanup import temporary_folder

log = logging.getLogger("wsr.app")

VARIABLE = "WSR_DISK_MB"
DEFAULT_MB = 1024
MB = 2**20
AGE = 3600.0  # seconds that a file stays after it was written or handed out
FRESH = 60.0  # seconds in which the limit takes nothing away: somebody waits for it
SPARE = 64 * MB  # of the disk, left to others
EVERY = 30.0  # seconds between two rounds
PREFIX, LOCK = "wsr-app-", ".lock"


def limit() -> int:
    """Returns the limit of all temporary files together, in bytes: $WSR_DISK_MB megabytes, or 1,024 if that is not a
    number."""
    try:
        return int(max(float(os.environ.get(VARIABLE, DEFAULT_MB)), 0.0) * MB)
    except (ValueError, OverflowError):
        return DEFAULT_MB * MB


def own_folder() -> Path:
    """Creates a folder for this process only, unreadable to other users and removed when the process ends. Folders of
    processes that were killed are removed as well."""
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    for other in parent.glob(PREFIX + "*"):
        if _abandoned(other):
            shutil.rmtree(other, ignore_errors=True)
    folder = temporary_folder(PREFIX, parent).resolve()
    _hold(folder)
    return folder


_held: list[Any] = []  # open for as long as this process lives


def _hold(folder: Path) -> None:
    with contextlib.suppress(ImportError, OSError):  # a system without locks keeps what killed processes leave
        import fcntl

        file = (folder / LOCK).open("w")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _held.append(file)


def _abandoned(folder: Path) -> bool:
    """Returns whether a folder was created by `own_folder` and its process has ended, as far as the lock tells."""
    try:
        import fcntl

        with (folder / LOCK).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return folder.stat().st_uid == os.getuid()
    except (ImportError, OSError):  # no lock: it is being made, or another's
        return False


class Disk:
    """Temporary files in `root`. Each stays for `age` seconds after it was written or handed out, and all together
    within the limit, which removes none younger than `fresh` seconds."""

    def __init__(self, root: Path, *, age: float = AGE, fresh: float = FRESH):
        self.root, self.age, self.fresh = root, age, fresh
        self._also: list[Path] = []
        self._began = time.time()
        self._lock = threading.Lock()
        self._unread: Counter[str] = Counter()  # uploads that no handler has read yet, by path
        self._coming = 0  # bytes of uploads on their way

    def count_too(self, folder: Path) -> None:
        """Includes a folder that others write to as well: files that appear there from now on count towards the limit,
        and are removed by it, but not by age."""
        self._also.append(folder)

    def used(self) -> int:
        return sum(size for _, _, size in self._files())

    @contextlib.contextmanager
    def expected(self, size: int) -> Iterator[bool]:
        """Returns whether there is room for an upload of this many bytes, and if so reserves it."""
        with self._lock:
            room = self._room() >= size
            if not room:
                self._sweep(size)
                room = self._room() >= size
            self._coming += size * room
        try:
            yield room
        finally:
            with self._lock:
                self._coming -= size * room

    def uploaded(self, paths: list[str]) -> None:
        """Notes uploaded files. Files of the same content and name share a path."""
        with self._lock:
            self._unread.update(paths)

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """Context manager around the reading of an upload, which is removed afterwards unless another visitor brought
        the same file. A file that is no upload stays, because a visitor can send any path."""
        try:
            yield
        finally:
            with self._lock:
                if path in self._unread:
                    self._read(path)

    def _read(self, path: str) -> None:
        self._unread[path] -= 1
        if self._unread[path] > 0:
            return
        del self._unread[path]
        if self.root in Path(path).parents:
            _remove(Path(path))
            with contextlib.suppress(OSError):
                Path(path).parent.rmdir()

    def sweep(self) -> None:
        """Removes files that are too old, then the oldest ones until the limit holds."""
        with self._lock:
            self._sweep()

    def watch(self, every: float = EVERY) -> threading.Thread:
        """Starts a thread that sweeps at intervals."""

        def rounds() -> None:
            while True:
                time.sleep(every)
                try:
                    self.sweep()
                except Exception:
                    log.exception("temporary files could not be tidied")

        thread = threading.Thread(target=rounds, name="wsr-disk", daemon=True)
        thread.start()
        return thread

    def _room(self) -> int:
        free = shutil.disk_usage(self.root).free - SPARE
        return min(limit() - self.used(), free) - self._coming

    def _sweep(self, wanted: int = 0) -> None:
        now = time.time()
        files = sorted(self._files(), key=lambda file: file[1])
        over = sum(size for _, _, size in files) + wanted + self._coming - limit()
        for path, touched, size in files:
            own = self.root in path.parents
            # an empty file frees nothing, and may be the sign that a visitor has pressed Stop
            if (own and now - touched > self.age) or (over > 0 and size and now - touched > self.fresh):
                _remove(path)
                over -= size
        for path in [path for path in self._unread if not os.path.exists(path)]:  # nobody has read them
            del self._unread[path]
        self._remove_empty_folders(now)

    def _remove_empty_folders(self, now: float) -> None:
        for folder, _, _ in os.walk(self.root, topdown=False):
            if folder != str(self.root):
                with contextlib.suppress(OSError):  # not empty, or gone
                    if now - os.stat(folder).st_mtime > max(self.age, self.fresh):
                        os.rmdir(folder)

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        """(path, time when it was last written or handed out, bytes) of each file."""
        for top in (self.root, *self._also):
            since = 0.0 if top == self.root else self._began
            for folder, _, names in os.walk(top):
                for name in names:
                    path = Path(folder, name)
                    with contextlib.suppress(OSError):  # gone in between
                        found = path.lstat()
                        if path != self.root / LOCK and found.st_mtime >= since:
                            yield path, found.st_mtime, found.st_size


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Uploads:
    """ASGI middleware that accepts an upload where there is room for it, of at most `most` bytes, and refuses others
    with a sentence. Other requests pass."""

    def __init__(self, app: Callable[..., Awaitable[None]], disk: Disk, most: int):
        self.app, self.disk, self.most = app, disk, most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].rstrip("/").endswith("/upload"):
            await self.app(scope, receive, send)
            return
        size = _length(scope)
        if size > self.most:
            await _refuse(send, 413, f"An upload must state its size, at most {self.most / MB:,.0f} MB.")
            return
        expected = self.disk.expected(size)
        room = await anyio.to_thread.run_sync(expected.__enter__)
        try:
            if room:
                await self.app(scope, _measured(receive, size), _noted(send, self.disk))
            else:
                while (await receive()).get("more_body"):  # a browser hears the answer when it has sent everything
                    pass
                together = f"visitors' files may take {limit() / MB:,.0f} MB together"
                text = f"There is no room for this file at the moment: {together}. Please try again in some minutes."
                await _refuse(send, 507, text)
        finally:
            expected.__exit__(None, None, None)


def _length(scope: Message) -> int:
    """Returns the declared length of a request's body in bytes; a negative or missing one counts as too large."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() and len(text) < 16 else 10**15


def _measured(receive: Receive, size: int) -> Receive:
    """Ends a body that breaks off, or is longer than declared, in the way that gradio expects, so that its reader
    removes what it has written."""
    got = 0

    async def measured() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > size:
            raise MultiPartException("The upload is longer than it stated.")
        if message["type"] == "http.disconnect" and got < size:
            raise MultiPartException("The upload broke off.")
        return message

    return measured


def _noted(send: Send, disk: Disk) -> Send:
    """Passes an answer on and notes the files that it names."""
    body, fine = b"", False

    async def noted(message: Message) -> None:
        nonlocal body, fine
        if message["type"] == "http.response.start":
            fine = message["status"] == 200
        elif fine:
            body += message.get("body", b"")
            if not message.get("more_body"):
                with contextlib.suppress(ValueError):
                    paths = json.loads(body)
                    disk.uploaded([path for path in paths if isinstance(path, str)])
        await send(message)

    return noted


async def _refuse(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
