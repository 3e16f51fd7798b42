"""Signals: what a neural field is fitted to. An image or a 3D shape, with an id, a class and a fixed split."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import trimesh

from wsr.errors import unknown_name

Split = Literal["train", "heldout"]


@dataclass(frozen=True)
class Signal:
    """One image (dim 2) or one 3D shape (dim 3). The content is read when it is asked for, not before.

    id: unique in its data set; cls: its class, "" where there is none; split: `heldout` signals are seen by no base,
    no zoo statistic and no diffusion model.
    """

    id: str
    cls: str
    split: Split
    dim: int
    reader: Callable[[], np.ndarray | trimesh.Trimesh]

    def read(self) -> np.ndarray | trimesh.Trimesh:
        """The content: an image (h, w, 3) float32 in [0, 1], or a mesh scaled to the unit sphere."""
        return self.reader()

    def sha256(self) -> str:
        """Of the content as it is fitted, so that a zoo can tell which target its weights were fitted to."""
        content = self.read()
        if isinstance(content, trimesh.Trimesh):
            # rounded, so that the last bit of a platform's arithmetic does not make another shape of it
            parts = [np.round(content.vertices, 5).astype("<f4"), np.asarray(content.faces, "<i4")]
        else:
            parts = [np.round(content * 255).astype("u1")]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


class Signals(Sequence[Signal]):
    """A data set, or a part of one: a sequence of signals of one dimension."""

    def __init__(self, name: str, dim: int, items: Iterable[Signal]):
        self.name = name
        self.dim = dim
        self._items = tuple(items)
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

    def select(self, ids: Iterable[str]) -> "Signals":
        """The signals of these ids, in this order. An unknown id is a WsrError that names the nearest one."""
        ids = list(ids)
        for name in ids:
            if name not in self._by_id:
                raise unknown_name(f"id in {self.name}", name, self._by_id)
        return Signals(self.name, self.dim, (self._items[self._by_id[name]] for name in ids))

    def where(self, *, split: Split | None = None, cls: str | None = None) -> "Signals":
        """The signals of one split, of one class, or of both."""
        keep = (s for s in self._items if split in (None, s.split) and cls in (None, s.cls))
        return Signals(self.name, self.dim, keep)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Signal]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> Signal: ...
    @overload
    def __getitem__(self, index: slice) -> "Signals": ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return Signals(self.name, self.dim, self._items[index])
        return self._items[index]

    def __repr__(self) -> str:
        return f"Signals({self.name!r}, {len(self)} of dim {self.dim})"
