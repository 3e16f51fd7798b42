"""The registry of layouts that `wsr import` reads: each has a line here, or calls `register` from anywhere. Importing
it does not load torch.

To add a layout, write a class over `wsr.imports.base.Layout` in a file of this folder and register it below.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsr.registry import Registry, imported

if TYPE_CHECKING:
    from wsr.imports.base import Layout


@dataclass(frozen=True)
class LayoutKind:
    """A layout of somebody else's weights. name: as on the command line; about: what its files hold, for the help;
    home: its class, or "module:Class", which is imported on first use."""

    name: str
    about: str
    home: str | type[Layout]

    @property
    def layout(self) -> Layout:
        """The layout itself. Loads torch."""
        return imported(self.home)(self.name)


_KINDS = Registry[LayoutKind]("format to import")


def register(kind: LayoutKind) -> LayoutKind:
    """Registers a layout. WsrError if its name is taken."""
    return _KINDS.register(kind)


@contextmanager
def registered(kind: LayoutKind) -> Iterator[LayoutKind]:
    """Registers a layout for the duration of the context."""
    with _KINDS.restored():
        yield register(kind)


def named(name: str) -> LayoutKind:
    """Returns the layout of this name. WsrError, with the nearest name, if there is none."""
    return _KINDS.named(name)


def kinds() -> tuple[LayoutKind, ...]:
    """Returns all layouts in order of registration."""
    return _KINDS.everything()


def described() -> str:
    """Lists the layouts for the help of the command line."""
    return "; ".join(f"{kind.name}: {kind.about}" for kind in kinds())


_HOME = "wsr.imports"
register(LayoutKind("hyperdiffusion", "shapes as MLPs with positional encoding, a checkpoint each",
                    f"{_HOME}.hyperdiffusion:HyperDiffusion"))  # fmt: skip
register(LayoutKind("dwsnets", "pictures as SIRENs, a checkpoint each, with splits in a JSON file",
                    f"{_HOME}.dwsnets:DWSNets"))  # fmt: skip
register(LayoutKind("nfn", "pictures as SIRENs, a checkpoint each, numbered in a folder for each class",
                    f"{_HOME}.nfn:NFN"))  # fmt: skip
register(LayoutKind("implicit-zoo", "pictures as SIRENs, whose values are normalised as for ImageNet",
                    f"{_HOME}.implicit_zoo:ImplicitZoo"))  # fmt: skip
register(LayoutKind("fit-a-nef", "pictures and shapes as SIRENs, MLPs or RFFNets, many in each HDF5 or .npz file",
                    f"{_HOME}.fit_a_nef:FitANef"))  # fmt: skip
register(LayoutKind("functa", "modulations of a SIREN that all pictures share, in .npz files",
                    f"{_HOME}.functa:Functa"))  # fmt: skip
register(LayoutKind("wsr-pytorch", "adapters over a base of the paper's authors, as the paper describes them",
                    f"{_HOME}.wsr_pytorch:WsrPytorch"))  # fmt: skip
