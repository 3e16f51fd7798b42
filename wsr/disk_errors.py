"""Turns the system's errors about files that cannot be written into sentences: what is wrong with the path, and what to
do."""

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
# By the system's error number: what is wrong, as a clause about "it", and what to do.
_PLACES = {
    errno.EROFS: ("it lies on a disk that can only be read", "choose a path on another disk."),
    errno.EACCES: ("you may not write there", "choose another folder, or change its permissions."),
    errno.EPERM: ("you may not write there", "choose another folder."),
    errno.EISDIR: ("it is a folder", "name a file in it."),
    errno.EEXIST: ("it, or a part of its path, is a file and no folder", "choose another path."),
    errno.ENOTDIR: ("it, or a part of its path, is a file and no folder", "choose another path."),
    errno.ENAMETOOLONG: ("its name, or its whole path, is longer than the system allows", "choose a shorter one."),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# safetensors, pyarrow and torch write files themselves and raise errors without a number, but with these words.
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
        return WsrError(f"{shown(path)} cannot be written, because {why}: {remedy}")
    why = getattr(error, "strerror", None) or str(error)
    return WsrError(f"{shown(path)} cannot be written ({why}): choose another path.")


def disk_error(error: BaseException) -> WsrError | None:
    """Returns the WsrError for an error that means that a disk is full or may not be written; None for any other error.
    """
    known = isinstance(error, Exception) and (is_full(error) or getattr(error, "errno", None) == errno.EROFS)
    return refused(getattr(error, "filename", None) or tempfile.gettempdir(), error) if known else None


def place_error(error: BaseException) -> WsrError | None:
    """Returns the WsrError for a system error that names a file which cannot or may not be opened; None for any other
    error, and for a missing file."""
    if not isinstance(error, OSError) or error.filename is None or error.errno not in _PLACES:
        return None
    why, _ = _PLACES[error.errno]
    if error.errno in (errno.EACCES, errno.EPERM):
        why = "you do not have the permission"
    return WsrError(f"{shown(error.filename)} cannot be opened, because {why}.")


def is_full(error: Exception) -> bool:
    """Returns whether an error means that the disk is full, or that a quota or a limit on file sizes is reached."""
    return _code(error) in _FULL


def _code(error: Exception) -> int | None:
    """Returns the system's error number; for an error that a library raised itself, the number that its text
    implies."""
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
        return (
            f"{shown(path)} cannot be written: its disk takes no file so large. Write to one with another file system."
        )
    return (
        f"{shown(path)} cannot be written: it would be larger than {_megabytes(limit)}, the limit that was set "
        "for files of this process (`ulimit -f`). The disk is not full: raise the limit."
    )


def _file_limit() -> int | None:
    """Returns the largest size of a file that this process may write, in bytes; None if there is no limit."""
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
