"""The zoos that visitors bring. Each has a name, by which the tabs find it as they find those of the assets.

Only the page of the visitor who brought it gets to know the name, and only they may ask for it (`require`). The zoo
goes when they leave, or after an hour, when the disk is tidied (`app.shell.disk`).
"""

import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wsr.data.splits import TRAIN
from wsr.errors import WsrError
from wsr.memory import MEMORY

PREFIX = "yours-"  # no data set of the assets has a name that begins so
MOST = 3  # zoos of one visitor: a further one takes the place of the oldest
LONGEST = 32  # characters of a title
GONE = "The zoo that you brought is gone: it is kept for an hour. Bring it again."
PRIVATE = (
    "This link was made with weights that a visitor had brought. Links do not contain them, and they are lost when "
    "their page is closed. You can bring your own."
)


@dataclass(frozen=True)
class Own:
    """A visitor's zoo. folder: of all that belongs to it; zoo: the folder of the zoo itself, which for samples that are
    compared with a zoo of the page is that zoo's."""

    name: str
    title: str
    folder: Path
    zoo: Path

    @property
    def map(self) -> Path:
        return self.folder / "map.parquet"

    @property
    def sheet(self) -> Path:
        return self.folder / "sheet.webp"

    @property
    def samples(self) -> Path:
        """The zoo of the samples that are compared with this one."""
        return self.folder / "samples"

    @property
    def report(self) -> Path:
        """Of the audit of these samples, without its ending."""
        return self.folder / "audit"


_there: dict[str, Own] = {}


def new_name() -> str:
    """Returns a name that nobody can guess."""
    return PREFIX + secrets.token_hex(16)


def add(name: str, file: str, folder: Path, zoo: Path | None = None) -> Own:
    """Makes a zoo known. file: the name of the file that was brought."""
    stem = Path(file).stem
    title = stem if len(stem) <= LONGEST else f"{stem[: LONGEST - 1]}…"
    _there[name] = found = Own(name, f"Yours: {title}", folder, zoo or folder / "zoo")
    return found


def is_own(name: Any) -> bool:
    """Tells whether a name is that of a visitor's zoo, whether it is still there or not."""
    return isinstance(name, str) and name.startswith(PREFIX)


def find(name: Any) -> Own | None:
    """Returns a visitor's zoo; None for any other name."""
    return _there.get(name) if is_own(name) else None


def require(name: Any, mine: Collection[str]) -> None:
    """WsrError if a name that came from the page is that of a zoo which another visitor has brought, or which is gone.
    mine: the names that this visitor was given."""
    if is_own(name) and (name not in mine or name not in _there):
        raise WsrError(GONE)


def titles(mine: Collection[str]) -> list[tuple[str, str]]:
    """Titles and names of a visitor's zoos, as choices."""
    return [(_there[name].title, name) for name in mine if name in _there]


def held_out(index: pd.DataFrame) -> list[bool]:
    """Which networks of a visitor's zoo were not seen in training, as far as its source says so. index: its rows."""
    from wsr.imports.base import HELDOUT_SHARE
    from wsr.imports.splits import are_ours

    ids, splits = index["id"].astype(str).tolist(), index["split"].tolist()
    known = not are_ours(ids, splits, HELDOUT_SHARE)
    return [known and split != TRAIN for split in splits]


def kept(mine: Collection[str], name: str) -> list[str]:
    """Returns a visitor's zoos with a new one. The oldest is forgotten where there are too many."""
    for old in list(mine)[: max(0, len(mine) + 1 - MOST)]:
        forget(old)
    return [*(one for one in mine if one in _there), name]


def forget(name: str) -> None:
    """Removes a zoo, and what has been computed of it."""
    if found := _there.pop(name, None):
        shutil.rmtree(found.folder, ignore_errors=True)
        MEMORY.drop(lambda key: _mentions(key, found))


def forget_within(folder: Path) -> None:
    """Removes all zoos in a visitor's folder."""
    for name, found in list(_there.items()):
        if folder in found.folder.parents:
            forget(name)


def _mentions(part: Any, found: Own) -> bool:
    """Whether the key of a kept value contains the name of a zoo, or the zoo."""
    if isinstance(part, tuple | list):
        return any(_mentions(one, found) for one in part)
    return part == found.name if isinstance(part, str) else found.folder in getattr(part, "path", Path()).parents
