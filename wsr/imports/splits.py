"""Splits as other programs state them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsr.data.splits import HELDOUT, TEST, TRAIN, VALIDATION, Split
from wsr.errors import WsrError, counted, unknown_name
from wsr.formats.files import refuse_stand_in, shown
from wsr.formats.schema import TEXT_BYTES
from wsr.imports.base import Item

NAMES: dict[str, Split] = {
    "train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST
}  # fmt: skip
DEPTH = 3  # parts of a path by which a file is recognised: its name and two folders


def split_names(name: str, what: str) -> Split:
    """Returns the split that another program calls by this name. WsrError, beginning with `what`, for an unknown
    one."""
    if name not in NAMES:
        raise WsrError(f"{what} names a split that is not known. {unknown_name('split', name, NAMES)}")
    return NAMES[name]


def settled(item: Item, known: set[str], heldout: float) -> Split:
    """Returns the split of an instance in our zoo. known: the splits that all items of its source state. Without a
    validation set, the test set is what is held out; without any split, a share of the instances is, by their ids."""
    if not known:
        number = int.from_bytes(hashlib.sha256(item.id.encode()).digest()[:8], "big")
        return HELDOUT if number < heldout * 2**64 else TRAIN
    if item.split == TEST and VALIDATION not in known:
        return HELDOUT
    return item.split or TRAIN


def are_ours(ids: Sequence[str], splits: Sequence[str], heldout: float) -> bool:
    """Tells whether splits are those that `settled` gives to instances whose source states none."""
    ours = [settled(Item(one, Path()), set(), heldout) for one in ids]
    return ours == list(splits)


def texts(path: Path) -> list[str]:
    """Returns the lines of a text file. WsrError if it is none."""
    if refuse_stand_in(path, "a list of names") > TEXT_BYTES:
        raise WsrError(f"{shown(path)} is too long for a list of names.")
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise WsrError(f"{shown(path)} is not a list of names that can be read as text.") from None


def by_path(content: Any, path: Path) -> dict[tuple[str, ...], tuple[Split, str]] | None:
    """Returns split and class of each file that a JSON text lists as {split: {"path": […], "label": […]}}, by the last
    parts of its path, since the text was written on another machine; None if the text is of another form."""
    parts = content.values() if isinstance(content, dict) else ()
    if not parts or not all(isinstance(part, dict) and isinstance(part.get("path"), list) for part in parts):
        return None
    found = {}
    for name, part in content.items():
        split, paths, labels = split_names(str(name), shown(path)), part["path"], part.get("label")
        labels = [""] * len(paths) if labels is None else labels
        if not isinstance(labels, list) or len(labels) != len(paths):
            files = counted(len(paths), "file")
            raise WsrError(f"{shown(path)} names {files} of {name!r}, and another number of labels.")
        for one, label in zip(paths, labels, strict=True):
            found[Path(str(one)).parts[-DEPTH:]] = (split, str(label))
    return found

