"""Signals, the targets of neural fields: images and 3D shapes, each with an id, a class and a fixed split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, overload

from wsr.data.splits import Split, names_of
from wsr.errors import unknown_name
from wsr.modalities import Modality, of_dim

if TYPE_CHECKING:
    import pandas as pd

Attribute = str | int | float


@dataclass(frozen=True)
class Signal:
    """One image, one 3D shape, or one instance of another modality. Its content is read when it is asked for, not
    before.

    id: unique in its data set. cls: its class, "" if it has none. split: its use (`wsr.data.splits`). dim: dimension of
    its domain. reader: returns its content. modality: by default image for dimension 2 and shape for 3. describe:
    returns its attributes, if the data set knows any.
    """

    id: str
    cls: str
    split: Split
    dim: int
    reader: Callable[[], Any]
    modality: Modality | None = None
    describe: Callable[[], Mapping[str, Attribute]] | None = None

    def __post_init__(self):
        object.__setattr__(self, "modality", self.modality or of_dim(self.dim))

    def read(self) -> Any:
        """Returns the content: an image (h, w, 3) float32 in [0, 1], a mesh scaled to the unit sphere, or whatever the
        modality defines."""
        return self.reader()

    @property
    def attributes(self) -> dict[str, Attribute]:
        """The properties it was generated with, by name, as texts or numbers: {"glasses": "round"}, {"seat height":
        0.41}. Empty if the data set knows none."""
        return {} if self.describe is None else dict(self.describe())

    def sha256(self) -> str:
        """Returns the SHA-256 of the content as it is fitted, by which a zoo records the targets of its weights."""
        return self.modality.content_hash(self.read())

    def held(self) -> Signal:
        """Returns a copy that reads the content once, when it is first asked for, and keeps it as long as the copy
        lives."""
        return replace(self, reader=cache(self.reader))

    def carried(self) -> Signal:
        """Returns a copy that holds its content, so that it can be sent to another process or machine."""
        describe = None if self.describe is None else partial(same, self.attributes)
        return replace(self, reader=partial(same, self.read()), describe=describe)


def same(content: Any) -> Any:
    """Returns a content that is at hand; stands in for a signal's reader."""
    return content


class Signals(Sequence[Signal]):
    """A data set, or a part of one, as a sequence of signals of one modality. modality: by default that of its
    signals."""

    def __init__(self, name: str, dim: int, items: Iterable[Signal], modality: Modality | None = None):
        self.name = name
        self.dim = dim
        self._items = tuple(items)
        self.modality = modality or (self._items[0].modality if self._items else of_dim(dim))
        self._by_id = {signal.id: i for i, signal in enumerate(self._items)}

    @property
    def ids(self) -> list[str]:
        return [signal.id for signal in self._items]

    @property
    def classes(self) -> list[str]:
        return [signal.cls for signal in self._items]

    @property
    def splits(self) -> list[Split]:
        return [signal.split for signal in self._items]

    @property
    def attributes(self) -> pd.DataFrame:
        """A table with a row for each signal, by its id, and a column for each attribute, NaN if it lacks one."""
        import pandas as pd

        return pd.DataFrame([signal.attributes for signal in self._items], index=pd.Index(self.ids, name="id"))

    def select(self, ids: Iterable[str]) -> Signals:
        """Returns the signals with these ids, in this order. WsrError for an unknown id, with the nearest known one."""
        ids = list(ids)
        for name in ids:
            if name not in self._by_id:
                raise unknown_name(f"id in {self.name}", name, self._by_id)
        return self._part(self._items[self._by_id[name]] for name in ids)

    def where(self, *, split: Split | None = None, cls: str | None = None) -> Signals:
        """Returns the signals of one split, of one class, or of both. `heldout` and `validation` are two names of the
        same split. WsrError for an unknown split."""
        wanted = None if split is None else names_of(split)
        return self._part(s for s in self._items if (wanted is None or s.split in wanted) and cls in (None, s.cls))

    def held(self) -> Signals:
        """Returns the same signals, each of which reads its content once and keeps it (`Signal.held`). For a batch that
        is read several times: to fit it, to judge it, and to say what it was fitted to."""
        return self._part(signal.held() for signal in self._items)

    def carried(self) -> Signals:
        """Returns the same signals with their content (`Signal.carried`)."""
        return self._part(signal.carried() for signal in self._items)

    def _part(self, items: Iterable[Signal]) -> Signals:
        return Signals(self.name, self.dim, items, self.modality)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Signal]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> Signal: ...
    @overload
    def __getitem__(self, index: slice) -> Signals: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._part(self._items[index])
        return self._items[index]

    def __repr__(self) -> str:
        return f"Signals({self.name!r}, {len(self)} {self.modality.plural})"
