"""Checks what is actually at the path of an expected file: nothing, a folder, a Git LFS pointer, or a web page."""

import stat
from collections.abc import Callable
from pathlib import Path

from wsr.errors import WsrError, shown
from wsr.formats.recognise import HEAD, stand_in


def fault(path: str | Path, what: str) -> str:
    """Returns the beginning of a message about a file that should be `what` ("a base"), or should hold it ("the weights
    of …")."""
    return f"{shown(path)} {'does not hold' if what.startswith('the weights') else 'is not'} {what}"


def there(path: str | Path, test: Callable[[Path], bool] = Path.is_file) -> bool:
    """Tells whether there is a file at this path, or whatever `test` checks for. False also for paths that the system
    does not accept (too long, with a zero byte, below a file)."""
    try:
        return test(Path(path))
    except (OSError, ValueError):
        return False


def refuse_stand_in(path: str | Path, what: str) -> int:
    """Returns the size in bytes of the file at `path`. WsrError, with a remedy, if there is no readable file, or if it
    is empty, a Git LFS pointer or a web page. what: what the file should be, as in "a base"."""
    try:
        about = Path(path).stat()
        if stat.S_ISDIR(about.st_mode):
            raise WsrError(f"{shown(path)} is a folder, not {what}.")
        if not stat.S_ISREG(about.st_mode):
            raise WsrError(f"{shown(path)} is not a regular file, and so not {what}.")
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        if there(path, Path.is_symlink):
            remedy = "fetch it (of git-annex by running `git annex get`)"
            raise WsrError(f"{shown(path)} is a link to {what} that is not here: {remedy}.") from None
        raise WsrError(f"{shown(path)} should be {what}, but there is no such file.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise WsrError(f"{shown(path)} should be {what}, but it cannot be read: {why}.") from None
    if not head:
        raise WsrError(f"{shown(path)} is empty, not {what}: it was not written to its end; fetch or make it again.")
    if clause := stand_in(head, what):
        raise WsrError(f"{shown(path)} {clause}.")
    return about.st_size
