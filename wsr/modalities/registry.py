"""The registered modalities. A name is looked up here once; whoever has the object asks the object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsr.errors import WsrError, unknown_name

if TYPE_CHECKING:
    from wsr.modalities.base import Modality

_registered: dict[str, Modality] = {}
# The modality of each dimension in files that were written before they named it.
_BEFORE_NAMES = {2: "image", 3: "occupancy"}


def register(modality: Modality) -> Modality:
    """Makes a modality known by its name and returns it. WsrError where another one has that name."""
    if _registered.get(modality.name, modality) is not modality:
        raise WsrError(f"A modality {modality.name!r} is registered already: give this one another name.")
    _registered[modality.name] = modality
    return modality


@contextmanager
def registered(*modalities: Modality) -> Iterator[None]:
    """Makes modalities known while it lasts, for tests."""
    before = dict(_registered)
    try:
        for modality in modalities:
            register(modality)
        yield
    finally:
        _registered.clear()
        _registered.update(before)


def names() -> tuple[str, ...]:
    return tuple(_registered)


def everything() -> tuple[Modality, ...]:
    """All modalities, in the order of their registration."""
    return tuple(_registered.values())


def find(what: Modality | str | int) -> Modality:
    """A modality by its name, or itself. A number is a dimension and means what it means in old files (`of_dim`).
    WsrError for an unknown one, with the nearest name."""
    if isinstance(what, str):
        if what not in _registered:
            raise unknown_name("modality", what, _registered)
        return _registered[what]
    return of_dim(what) if isinstance(what, int) else what


def of_dim(dim: int) -> Modality:
    """The modality of a file, or of a call, that gives a dimension and no name: images have 2, shapes 3. WsrError for
    another dimension."""
    if implied_by(dim) is None:
        raise WsrError(f"The dimension {dim!r} alone names no modality (2 stands for images, 3 for shapes): name it.")
    return find(_BEFORE_NAMES[dim])


def of_file(name: str, dim: int) -> Modality:
    """The modality that a file names; where it is older than their names and `name` is empty, that of its dimension.
    WsrError for one that is not registered here, or whose dimension is another one."""
    modality = find(name or dim)
    if modality.dim != dim:
        raise WsrError(f"Fields of {modality.plural} have {modality.dim} dimensions, not {dim}.")
    return modality


def implied_by(dim: Any) -> str | None:
    """The name of the modality that a dimension stands for in old files. None for another dimension."""
    return _BEFORE_NAMES.get(dim) if isinstance(dim, int) else None


def of_given(given: Any) -> Modality | None:
    """The modality that recognises one thing that a user gives (a path, an array, an object). None where none does."""
    return next((modality for modality in everything() if modality.recognises(given)), None)
