"""The parameter layout: how a stored weight vector becomes named tensors, and back.

This is the only place that knows which entries of a representation's tensors are trained and which ones a mask has
frozen. The stored vector holds the trained entries only; `fill` and `unflatten` put the frozen ones back.
"""

from copy import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted


@dataclass(frozen=True)
class Entry:
    """One tensor of a representation. `offset` is the position of its first trained entry in the stored vector;
    `frozen` are the flat positions inside the tensor of the entries that are neither trained nor stored."""

    name: str
    shape: tuple[int, ...]
    offset: int
    frozen: tuple[int, ...] = ()

    @property
    def numel(self) -> int:
        """Number of entries, frozen ones included."""
        return int(torch.Size(self.shape).numel())

    @property
    def stored(self) -> int:
        """Number of trained entries."""
        return self.numel - len(self.frozen)


class ParameterLayout:
    """The tensors of a representation in order, and the values at their frozen positions (`frozen_values`).

    `size` is the length p of the stored vector, `total` the number of entries of all tensors, frozen ones included.
    """

    def __init__(
        self, tensors: list[tuple[str, tuple[int, ...], tuple[int, ...]]], frozen_values: Tensor | None = None
    ):
        self.entries: list[Entry] = []
        kept, offset, start = [], 0, 0
        for name, shape, frozen in tensors:
            entry = Entry(name, tuple(shape), offset, tuple(sorted(frozen)))
            keep = torch.ones(entry.numel, dtype=torch.bool)
            keep[list(entry.frozen)] = False
            kept.append(start + keep.nonzero().flatten())
            self.entries.append(entry)
            offset, start = offset + entry.stored, start + entry.numel
        self.size, self.total = offset, start
        self.trained = torch.cat(kept)  # (p,) positions in the full vector
        self.template = torch.zeros(self.total)  # (total,) frozen values, 0 where an entry is trained
        self.free = torch.zeros(self.total, dtype=torch.bool)  # (total,) whether an entry is trained; stays on the CPU
        self.free[self.trained] = True
        if frozen_values is not None:
            self.template[~self.free] = frozen_values[~self.free]

    def to(self, device: torch.device | str) -> "ParameterLayout":
        """Returns a copy on the device, or the layout itself if it is there already."""
        if self.trained.to(device) is self.trained:
            return self
        moved = copy(self)
        moved.trained, moved.template = self.trained.to(device), self.template.to(device)
        return moved

    @property
    def numels(self) -> list[int]:
        """Number of entries of each tensor, frozen ones included: the sizes into which a full vector splits."""
        return [entry.numel for entry in self.entries]

    def unmasked(self) -> "ParameterLayout":
        """Returns a layout of the same tensors without frozen entries."""
        free = ParameterLayout([(entry.name, entry.shape, ()) for entry in self.entries])
        return free.to(self.trained.device)

    @property
    def masked(self) -> bool:
        """Whether any entry is frozen."""
        return self.size < self.total

    def fill(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n total"]:
        """Inserts the frozen entries into stored vectors. Differentiable. WsrError for vectors of another length."""
        if weights.shape[-1] != self.size:
            raise WsrError(
                f"These weights have {counted(weights.shape[-1], 'entry', 'entries')}, this representation has "
                f"{self.size:,}: they belong to another representation, rank, preset or base."
            )
        if not self.masked:
            return weights
        full = self.template.to(weights.dtype).expand(weights.shape[0], -1)
        return full.index_copy(1, self.trained, weights)

    def strip(self, full: Float[Tensor, "n total"]) -> Float[Tensor, "n p"]:
        """Removes the frozen entries: the inverse of `fill`."""
        return full[:, self.trained]

    def unflatten(self, weights: Float[Tensor, "n p"]) -> dict[str, Float[Tensor, "n ..."]]:
        """Splits stored vectors into named tensors, each with a leading batch axis."""
        parts = self.fill(weights).split(self.numels, dim=1)
        return {entry.name: part.unflatten(1, entry.shape) for entry, part in zip(self.entries, parts, strict=True)}

    def flatten(self, tensors: dict[str, Float[Tensor, "n ..."]]) -> Float[Tensor, "n p"]:
        """Joins named tensors into stored vectors, leaving out frozen entries: the inverse of `unflatten`."""
        return self.strip(torch.cat([tensors[entry.name].flatten(1) for entry in self.entries], dim=1))

    def to_json(self) -> list[dict]:
        """Returns the `layout` of a zoo.json: a list of {name, shape, offset, frozen}."""
        return [
            {"name": e.name, "shape": list(e.shape), "offset": e.offset, "frozen": list(e.frozen)} for e in self.entries
        ]
