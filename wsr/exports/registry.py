"""The registry of forms that `wsr export` writes: each has a line here, or calls `register` from anywhere. Importing it
does not load torch.

To add a form, write a function `(Exported) -> None` in a file of this folder and register it below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsr.registry import Registry, imported

if TYPE_CHECKING:
    from wsr.exports.base import Exported


@dataclass(frozen=True)
class FormKind:
    """A form. name: as on the command line; about: what is written, for the help; home: the function that writes it, or
    "module:name", which is imported on first use."""

    name: str
    about: str
    home: str | Callable[[Exported], None]

    def write(self, exported: Exported) -> None:
        """Writes the form into the folder of `exported`."""
        imported(self.home)(exported)


_KINDS = Registry[FormKind]("form to export")


def register(kind: FormKind) -> FormKind:
    """Registers a form. WsrError if its name is taken."""
    return _KINDS.register(kind)


@contextmanager
def registered(kind: FormKind) -> Iterator[FormKind]:
    """Registers a form for the duration of the context."""
    with _KINDS.restored():
        yield register(kind)


def named(name: str) -> FormKind:
    """Returns the form of this name. WsrError, with the nearest name, if there is none."""
    return _KINDS.named(name)


def described() -> str:
    """Lists the forms for the help of the command line."""
    return "; ".join(f"{kind.name}: {kind.about}" for kind in _KINDS.everything())


_HOME = "wsr.exports"
register(FormKind("embedding-atlas", "a table with places on a map, neighbours and thumbnails, for Embedding Atlas",
                  f"{_HOME}.embedding_atlas:write"))  # fmt: skip
register(FormKind("peft", "a folder of adapter files for each instance of LoRA, as PEFT names them",
                  f"{_HOME}.peft:write"))  # fmt: skip
register(FormKind("pictures", "a PNG of each instance", f"{_HOME}.decoded:write_pictures"))
register(FormKind("meshes", "a GLB of each shape", f"{_HOME}.decoded:write_meshes"))
register(FormKind("numpy", "one .npz with weights, ids, classes and splits", f"{_HOME}.arrays:write"))
register(FormKind("dataset", "a data set of Hugging Face's `datasets`, with its card", f"{_HOME}.dataset:write"))
