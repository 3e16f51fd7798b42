"""Sentences for what the system answers when a file cannot be written: what is wrong with the place, and what to do."""

import errno
import shutil
import tempfile
from pathlib import Path

from wsr.errors import WsrError, shown

try:
    import resource
except ImportError:  # not on Windows
    resource = None

_ROOM = "Make room, or write elsewhere."
# The system's number of an error: what is wrong, as a clause about "it", and what to do.
_PLACES = {
    errno.EROFS: ("it lies on a disk that can only be read", "choose a place on another one."),
    errno.EACCES: ("you may not write there", "choose a place where you may, or change its permissions."),
    errno.EPERM: ("you may not write there", "choose a place where you may."),
    errno.EISDIR: ("it is a folder", "name a file in it."),
    errno.EEXIST: ("it, or a part of its path, is a file and no folder", "choose another path."),
    errno.ENOTDIR: ("it, or a part of its path, is a file and no folder", "choose another path."),
    errno.ENAMETOOLONG: ("its name, or its whole path, is longer than the system takes", "choose a shorter one."),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# The same from libraries that write by themselves and give no number: safetensors, pyarrow, torch.
_WORDS = {
    "no space left": errno.ENOSPC, "os error 28": errno.ENOSPC, "disk quota exceeded": errno.EDQUOT,
    "os error 122": errno.EDQUOT, "file too large": errno.EFBIG, "os error 27": errno.EFBIG,
}  # fmt: skip
_WRITER_WORDS = ("pytorchstreamwriter", "iostream error", "inline_container", "file write failed")


def refused(path: str | Path, error: Exception, needed: int = 0) -> WsrError:
    """Returns the WsrError for an OSError that occurred while writing to `path`."""
    code = _code(error)
    if code == errno.EFBIG:
        return WsrError(_too_large(path))
    if code in _FULL:
        why = " (your quota is used up)" if code == errno.EDQUOT else ""
        need = f"{_megabytes(needed)} are needed and " if needed else ""
        free = _free(Path(path))
        room = f": {need}{_megabytes(free)} are free" if free is not None else ""
        return WsrError(f"There is no space left to write {shown(path)}{why}{room}. {_ROOM}")
    if code in _PLACES:
        why, remedy = _PLACES[code]
        return WsrError(f"{shown(path)} cannot be written, as {why}: {remedy}")
    why = getattr(error, "strerror", None) or str(error)
    return WsrError(f"{shown(path)} cannot be written ({why}): choose a place where you may write.")


def disk_error(error: BaseException) -> WsrError | None:
    """Returns the WsrError for an error that means that a disk is full or may not be written; None for any other error.
    """
    known = isinstance(error, Exception) and (is_full(error) or getattr(error, "errno", None) == errno.EROFS)
    return refused(getattr(error, "filename", None) or tempfile.gettempdir(), error) if known else None


def place_error(error: BaseException) -> WsrError | None:
    """The sentence for an error of the system that names a file which may not be opened, or cannot be; None for any
    other error, and for a file that is missing."""
    if not isinstance(error, OSError) or error.filename is None or error.errno not in _PLACES:
        return None
    why, _ = _PLACES[error.errno]
    if error.errno in (errno.EACCES, errno.EPERM):
        why = "you have not the permission"
    return WsrError(f"{shown(error.filename)} cannot be opened, as {why}.")


def is_full(error: Exception) -> bool:
    """Whether an error says that a disk is full, or that a quota or a limit on the size of files is reached."""
    return _code(error) in _FULL


def _code(error: Exception) -> int | None:
    """The system's number of an error; of a library's own one what its words say."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    words = str(error)[:2000].lower()
    if (found := next((code for word, code in _WORDS.items() if word in words), None)) is not None:
        return found
    if isinstance(error, RuntimeError) and any(word in words for word in _WRITER_WORDS):
        return errno.ENOSPC if _file_limit() is None else errno.EFBIG
    return None


def _too_large(path: str | Path) -> str:
    limit = _file_limit()
    if limit is None:
        return f"{shown(path)} cannot be written: its disk takes no file so large. Write to one of another file system."
    return (
        f"{shown(path)} cannot be written: no file may be larger than {_megabytes(limit)} here. This is a limit on the "
        "size of files that was set for this process (`ulimit -f`), and not a full disk: raise it."
    )


def _file_limit() -> int | None:
    """The largest file that this process may write, in bytes; None for any."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft


def _free(path: Path) -> int | None:
    for place in (path, *path.parents):
        try:
            return shutil.disk_usage(place).free
        except (OSError, ValueError):
            continue
    return None


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
