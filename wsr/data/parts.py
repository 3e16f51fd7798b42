"""Parts of a folder's signals, which its name as a data set states: "images:DIR#5000" is the first 5,000,
"meshes:DIR#10x500" are 500 of each of the ten largest classes.

The part belongs to the name, so that a base, zoos, generators and tables of it all mean the same signals, and whatever
reads a zoo finds its targets again.
"""

import hashlib
import re
from collections import Counter
from pathlib import Path

from wsr.data.signals import Signals
from wsr.errors import WsrError, counted, shown
from wsr.formats.files import there

MARK = "#"


def folder_and_part(text: str) -> tuple[str, str]:
    """Splits "DIR#part" into the folder and the part, "" if there is none. A folder that has such a name itself is
    meant as a whole."""
    folder, mark, part = text.rpartition(MARK)
    return (text, "") if not mark or there(text, Path.is_dir) else (folder, part)


def part_of(signals: Signals, part: str) -> Signals:
    """Returns the part of the signals, under a name that states it. WsrError for a part that is not a number of
    signals, or of classes and signals of each, and for more than there are."""
    numbers = re.fullmatch(r"(?:([1-9]\d{0,8})x)?([1-9]\d{0,8})", part)
    if numbers is None:
        raise WsrError(
            f"{shown(MARK + part)} is no part of a data set: {MARK}5000 means its first 5,000, and {MARK}10x500 means "
            "500 of each of its ten largest classes."
        )
    classes, count = numbers.groups()
    found = first(signals, int(count)) if classes is None else of_classes(signals, int(classes), int(count))
    return Signals(f"{signals.name}{MARK}{part}", signals.dim, found, signals.modality)


def first(signals: Signals, count: int) -> Signals:
    """Returns the first `count` signals, as the paper takes FFHQ (section 8.4). WsrError if there are fewer."""
    if count > len(signals):
        raise WsrError(f"{signals.name!r} holds {counted(len(signals), signals.modality.noun, signals.modality.plural)}"
                       f", and {count:,} were asked for.")  # fmt: skip
    return signals[:count]


def of_classes(signals: Signals, classes: int, count: int) -> Signals:
    """Returns `count` signals of each of the largest `classes` classes, as the paper takes those of ShapeNet (section
    8.4). They are drawn by a hash of their ids, so that files that are added later change few of them. WsrError if
    there are fewer classes, or fewer signals in one of them."""
    sizes = Counter(signals.classes).most_common()
    sizes = sorted(sizes, key=lambda one: (-one[1], one[0]))
    if len(sizes) < classes or sizes[classes - 1][1] < count:
        held = ", ".join(f"{name or '(none)'} {size:,}" for name, size in sizes[:classes])
        raise WsrError(f"{signals.name!r} has no {counted(classes, 'class', 'classes')} of {count:,} each: {held}.")
    taken = set()
    for cls, _ in sizes[:classes]:
        taken.update(sorted(signals.where(cls=cls).ids, key=rank)[:count])
    return signals.select(name for name in signals.ids if name in taken)


def rank(name: str) -> str:
    """A key by which ids are ordered regardless of their classes, and which does not change when others are added."""
    return hashlib.sha256(name.encode()).hexdigest()
