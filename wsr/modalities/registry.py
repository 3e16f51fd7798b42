"""The registry of modalities. A name is looked up here once; afterwards code asks the object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsr.errors import WsrError
from wsr.registry import Registry

if TYPE_CHECKING:
    from wsr.modalities.base import Modality

_registered: Registry[Modality] = Registry("modality")
# The modality that a dimension implies in old files, which do not name it.
_BEFORE_NAMES = {2: "image", 3: "occupancy"}


def register(modality: Modality) -> Modality:
    """Registers a modality and returns it. WsrError if another one has its name."""
    return modality if _registered.get(modality.name) is modality else _registered.register(modality)


@contextmanager
def registered(*modalities: Modality) -> Iterator[None]:
    """Registers modalities for the duration of the context."""
    with _registered.restored():
        for modality in modalities:
            register(modality)
        yield


def names() -> tuple[str, ...]:
    """Returns all names in order of registration."""
    return _registered.names()


def everything() -> tuple[Modality, ...]:
    """Returns all modalities in order of registration."""
    return tuple(_registered.values())


def find(what: Modality | str | int) -> Modality:
    """Returns a modality by its name; a modality is returned unchanged. A number is a dimension, as in old files
    (`of_dim`). WsrError, with the nearest name, for an unknown one."""
    if isinstance(what, str):
        return _registered.named(what)
    return of_dim(what) if isinstance(what, int) else what


def of_dim(dim: int) -> Modality:
    """Returns the modality of a file or call that states a dimension and no name: 2 means images, 3 shapes. WsrError
    for any other dimension."""
    if implied_by(dim) is None:
        raise WsrError(f"The dimension {dim!r} alone names no modality (2 stands for images, 3 for shapes): name it.")
    return find(_BEFORE_NAMES[dim])


def of_file(name: str, dim: int) -> Modality:
    """Returns the modality that a file names, or, if `name` is empty as in older files, the one that its dimension
    implies. WsrError for a modality that is not registered, or that has another dimension."""
    modality = find(name or dim)
    if modality.dim != dim:
        raise WsrError(f"Fields of {modality.plural} have {modality.dim} dimensions, not {dim}.")
    return modality


def implied_by(dim: Any) -> str | None:
    """Returns the name of the modality that a dimension implies in old files, or None."""
    return _BEFORE_NAMES.get(dim) if isinstance(dim, int) else None


def of_given(given: Any) -> Modality | None:
    """Returns the modality that recognises what a user gives (a path, an array, an object), or None."""
    return next((modality for modality in everything() if modality.recognises(given)), None)
