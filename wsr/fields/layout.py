"""The parameter layout: how a stored vector becomes named tensors, and back.

The one place that knows which entries of a representation's tensors are trained and which a mask has frozen. The stored
vector holds the trained ones only; frozen entries are put back when the vector is unflattened.
"""

from copy import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted


@dataclass(frozen=True)
class Entry:
    """One tensor. `offset` is where its trained entries start in the stored vector; `frozen` are the flat positions,
    inside the tensor, of entries that are not trained and not stored."""

    name: str
    shape: tuple[int, ...]
    offset: int
    frozen: tuple[int, ...] = ()

    @property
    def numel(self) -> int:
        return int(torch.Size(self.shape).numel())

    @property
    def stored(self) -> int:
        return self.numel - len(self.frozen)


class ParameterLayout:
    """The tensors of a representation in order, and `frozen_values`: what stands at their frozen positions.

    `size` is the length p of the stored vector, `total` that of all tensors with the frozen entries.
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
        self.free = torch.zeros(self.total, dtype=torch.bool)  # (total,) whether it is trained; stays on the CPU
        self.free[self.trained] = True
        if frozen_values is not None:
            self.template[~self.free] = frozen_values[~self.free]

    def to(self, device: torch.device | str) -> "ParameterLayout":
        """A copy on the device; itself where it is there already."""
        if self.trained.to(device) is self.trained:
            return self
        moved = copy(self)
        moved.trained, moved.template = self.trained.to(device), self.template.to(device)
        return moved

    @property
    def numels(self) -> list[int]:
        """Entries of each tensor, frozen ones counted: how a full vector splits."""
        return [entry.numel for entry in self.entries]

    def unmasked(self) -> "ParameterLayout":
        """The same tensors with nothing frozen."""
        free = ParameterLayout([(entry.name, entry.shape, ()) for entry in self.entries])
        return free.to(self.trained.device)

    @property
    def masked(self) -> bool:
        return self.size < self.total

    def fill(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n total"]:
        """The stored vectors with the frozen entries put back. Differentiable."""
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
        """The inverse of `fill`."""
        return full[:, self.trained]

    def unflatten(self, weights: Float[Tensor, "n p"]) -> dict[str, Float[Tensor, "n ..."]]:
        """Named tensors, each with a leading batch axis."""
        parts = self.fill(weights).split(self.numels, dim=1)
        return {entry.name: part.unflatten(1, entry.shape) for entry, part in zip(self.entries, parts, strict=True)}

    def flatten(self, tensors: dict[str, Float[Tensor, "n ..."]]) -> Float[Tensor, "n p"]:
        """The inverse of `unflatten`; what stands at frozen positions is left out."""
        return self.strip(torch.cat([tensors[entry.name].flatten(1) for entry in self.entries], dim=1))

    def to_json(self) -> list[dict]:
        """The `layout` of a zoo.json: a list of {name, shape, offset, frozen}."""
        return [
            {"name": e.name, "shape": list(e.shape), "offset": e.offset, "frozen": list(e.frozen)} for e in self.entries
        ]
