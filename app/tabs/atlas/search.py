"""Finds networks by what is said of them: their id, name, class and attributes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from app.shared import library
from wsr.caching import cached_by_file
from wsr.formats.tables import NONE, attribute_of, is_attribute

MOST = 100  # characters of a text that are searched for
ID, NAME = "id", "name"
LISTED = 3  # fields that the page names
OPENS = "Enter opens it."


@dataclass(frozen=True)
class Found:
    """Items that a text was found in. asked: the text; by: the fields that it was found in; exact: the item whose id
    or name it is, "" if there is none."""

    asked: str
    ids: list[str]
    by: list[str]
    exact: str = ""

    @property
    def one(self) -> str:
        """The item that can be opened without asking further; "" if there is none."""
        return self.exact or (self.ids[0] if len(self.ids) == 1 else "")

    @property
    def said(self) -> str:
        """A sentence on what was found, and on what Enter does; "" if nothing was asked for."""
        if not self.asked:
            return ""
        if not self.ids:
            return "Nothing here has this name, class or attribute."
        listed = self.by[:LISTED] + (["more"] if len(self.by) > LISTED else [])
        by = " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
        return f"{len(self.ids):,} found, by {by}.{f' {OPENS}' if self.one else ''}"


@cached_by_file(library.files_of, maxsize=library.KEPT)
def _texts(name: str) -> dict[str, list[str]]:
    """What is said of each item of a collection in lower case, in its order, by the name of the field. Attributes that
    are numbers are left out: a digit would be found in all of them."""
    found = library.collection(name)
    said = {NAME: found.labels, library.CLASS: found.classes}
    for column in found.index.columns:
        if is_attribute(column) and not pd.api.types.is_numeric_dtype(found.index[column]):
            said[attribute_of(column)] = with_name(attribute_of(column), found.index[column].fillna("").astype(str))
    if found.ids != found.labels:
        said[ID] = found.ids
    return {field: [text.casefold() for text in texts] for field, texts in said.items()}


def with_name(attribute: str, values: Iterable[str]) -> list[str]:
    """What an attribute says of each item: "round glasses", and of those without any nothing that a search for
    "glasses" would find."""
    return [value if value in ("", NONE) else f"{value} {attribute}" for value in values]


def search(name: str, text: object) -> Found:
    """The items of a collection of which every word of a text is said, if only as a part of a word. text: as the page
    sent it."""
    asked = " ".join(str(text or "")[:MOST].casefold().split())
    if not asked:
        return Found("", [], [])
    said, ids = _texts(name), library.collection(name).ids
    words = asked.split()
    rows = [i for i in range(len(ids)) if all(any(word in texts[i] for texts in said.values()) for word in words)]
    by = [field for field, texts in said.items() if any(word in texts[i] for i in rows for word in words)]
    return Found(asked, [ids[i] for i in rows], by, _exact(asked, ids, [said.get(ID, said[NAME]), said[NAME]]))


def _exact(asked: str, ids: Sequence[str], named: Sequence[Sequence[str]]) -> str:
    """The item whose id, or whose name alone, is what was asked for."""
    for names in named:
        rows = [i for i, own in enumerate(names) if own == asked]
        if len(rows) == 1:
            return ids[rows[0]]
    return ""
