"""Where things live on disk, and how they are written: to a temporary name, then renamed."""

import errno
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsr.cleanup import temporary_folder
from wsr.disk_errors import disk_error as disk_error  # for whoever writes by other means
from wsr.disk_errors import is_full, refused
from wsr.errors import WsrError, shown

log = logging.getLogger("wsr")

# Of other libraries, which keep them in the home folder: the variable that moves each, and its folder in our cache.
OTHERS = {
    "XDG_CACHE_HOME": "xdg",
    "NUMBA_CACHE_DIR": "numba",
    "MPLCONFIGDIR": "matplotlib",
    "HF_HOME": "huggingface",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
}


def cache_dir() -> Path:
    """Returns the folder for files that can be recreated: `$WSR_CACHE`, else `wsr` in `$XDG_CACHE_HOME`, else
    `~/.cache/wsr`. If it cannot be written, a temporary folder of this process is used, with a warning."""
    wanted = os.environ.get("WSR_CACHE") or _default_cache()
    path = Path(wanted) if wanted else None
    if path is not None and _writable(path):
        return path
    return _temporary_cache(str(wanted or "~/.cache/wsr"))


def _default_cache() -> Path | None:
    if (shared := os.environ.get("XDG_CACHE_HOME")) and Path(shared).is_absolute():
        return Path(shared) / "wsr"
    home = home_dir()
    return home / ".cache" / "wsr" if home else None


def home_dir() -> Path | None:
    """Returns the user's home folder, or None if there is none, as for a user number that the machine does not know."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _writable(path: Path) -> bool:
    """Tells whether files can be created in this folder, which is created if it is missing."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return os.access(path, os.W_OK | os.X_OK)
    except (OSError, ValueError):
        return False


@functools.lru_cache(maxsize=8)
def _temporary_cache(wanted: str) -> Path:
    folder = temporary_folder("wsr-cache-")
    os.environ["WSR_CACHE"] = str(folder)  # for the processes that this one starts
    log.warning(
        "The cache folder %r cannot be written, so what is computed is kept in %r until this process ends: set "
        "WSR_CACHE to a folder that can.", wanted, str(folder),
    )  # fmt: skip
    return folder


def use_writable_caches() -> None:
    """Points other libraries to folders in our cache if the home folder, where they keep theirs, cannot be written.
    Must be called before they are imported. Environment variables that are already set are not changed."""
    home = home_dir()
    if home is not None and home.is_dir() and os.access(home, os.W_OK | os.X_OK) and _writable(home / ".cache"):
        return
    kept = cache_dir() / "others"
    for variable, name in OTHERS.items():
        os.environ.setdefault(variable, str(kept / name))


_PACKAGE = Path(__file__).resolve().parent


@functools.cache
def checkout_dir() -> Path | None:
    """Returns the checkout of wsr's repository that contains this code; None if it was installed as a wheel."""
    try:
        ours = 'name = "wsr"' in (_PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        ours = False
    return _PACKAGE.parent if ours else None


def assets_dir() -> Path:
    """Returns the folder of trained assets: `$WSR_ASSETS`, else `assets/` of the checkout, else `assets/` in the
    working directory."""
    return Path(os.environ.get("WSR_ASSETS") or (checkout_dir() or Path.cwd()) / "assets")


def base_dirs() -> tuple[Path, Path]:
    """Returns the folders in which bases are looked up by name: that of the assets, then that of the bases that come
    with wsr (in the package, or in the checkout)."""
    checkout = checkout_dir()
    return assets_dir() / "bases", (checkout / "assets" if checkout else _PACKAGE) / "bases"


@contextmanager
def atomic_path(path: str | Path, needed: int = 0) -> Iterator[Path]:
    """Context that yields a temporary path beside `path`, which is renamed to `path` on success and removed on failure.

    Readers see the old file or the complete new one, even if the writer is killed. needed: number of bytes that will be
    written, if known. WsrError, with the path and the reason, if there is no room or the folder cannot be written.
    """
    path = Path(path)
    temporary = _begun(path, needed)
    try:
        with writing(path, needed):
            yield temporary
        try:
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except OSError as error:
            raise refused(path, error, needed) from None
    finally:
        temporary.unlink(missing_ok=True)


def _begun(path: Path, needed: int) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(path.parent)
        if usage.free < needed and usage.total:  # a system that states no size states nothing
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        # a name of 255 bytes is the longest: that of the temporary file must not be longer than that of the file
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
    except (OSError, ValueError) as error:
        raise refused(path, error, needed) from None
    os.close(handle)
    return Path(name)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Context that yields a temporary folder beside `path`, which is renamed to `path` on success and removed on
    failure, so that nobody sees half of it. WsrError if there is something at `path` already (an empty folder may be,
    but not the one that this process works in, which would lose its place), or if it cannot be written. A link stands
    for the folder that it leads to."""
    try:
        path = Path(os.path.realpath(path))
    except ValueError as error:  # a zero byte
        raise refused(path, error) from None
    if taken(path) and not (path.is_dir() and not any(path.iterdir())):
        raise WsrError(f"{shown(path)} exists already: choose another folder, or remove it.")
    if taken(path) and os.path.samefile(path, "."):
        raise WsrError(f"{shown(path)} is the folder that this is run in: name one in it, or another one.")
    make_dir(path.parent)
    try:
        # a unique name, because another job may be writing the same folder
        partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{path.name[:40]}.", suffix=".partial"))
    except OSError as error:
        raise refused(path, error) from None
    try:
        with writing(path):
            yield partial
            partial.chmod(0o755)
            try:
                partial.rename(path)
            except OSError:
                raise WsrError(f"{str(path)!r} was made by another job meanwhile: this copy was dropped.") from None
    except WsrError as error:  # which may name a file in the temporary folder, that nobody will find
        raise type(error)(str(error).replace(partial.name, path.name)) from error.__cause__
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def writing(path: str | Path, needed: int = 0) -> Iterator[None]:
    """Context for code that writes to `path`, or into it as a folder: turns the errors of a full disk, of a quota and
    of a limit on the size of files into WsrErrors. Other errors are not changed."""
    try:
        yield
    except WsrError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise refused(path, error, needed) from None


def make_dir(path: str | Path) -> Path:
    """Creates a folder and its parents if they are missing. WsrError if that fails."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise refused(path, error) from None
    return Path(path)


def taken(path: str | Path) -> bool:
    """Tells whether something exists where a file or folder is to be written. WsrError, before any work is done for it,
    if nothing can be written there: the path is too long, below a file, or in a folder that may not be entered."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise refused(path, error) from None
    return True


def require_writable(path: str | Path, *inputs: str | Path) -> Path:
    """Checks, before any work is done for it, that a file can be written at `path`, and returns the path. Creates
    missing parents, like `atomic_path`. inputs: files that must not be replaced. WsrError if it is one of these, a
    folder, or in a place that cannot be written."""
    path = Path(path)
    if taken(path):
        if path.is_dir():
            raise WsrError(f"{shown(path)} is a folder: name a file in it.")
        if any(os.path.exists(one) and os.path.samefile(path, one) for one in inputs):
            raise WsrError(f"{shown(path)} is a file that is read: what is written needs another name.")
    _begun(path, 0).unlink()
    return path


def require_free(path: str | Path, *, overwrite: bool) -> Path:
    """Checks `path` by `require_writable` before a job that takes hours, unless something is there already that is not
    to be replaced: the job then says what it is. Returns the path."""
    path = Path(path)
    return path if not overwrite and taken(path) and path.is_file() else require_writable(path)
