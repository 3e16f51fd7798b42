"""Where things live on disk, and how they are written: to a temporary name, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """The folder for what can be made again: `$WSR_CACHE`, else `~/.cache/wsr`."""
    path = Path(os.environ.get("WSR_CACHE") or Path.home() / ".cache" / "wsr")
    path.mkdir(parents=True, exist_ok=True)
    return path


_PACKAGED = Path(__file__).resolve().parent.parent / "assets"


def assets_dir() -> Path:
    """The folder of trained assets: `$WSR_ASSETS`, else `assets/` beside the package."""
    return Path(os.environ.get("WSR_ASSETS") or _PACKAGED)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, renamed to `path` on success and removed on failure.

    A reader sees the old file or the new one, never half of one, whenever the writer is killed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
