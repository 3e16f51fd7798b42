"""The table behind every registry: representations, modalities, data sets, generators and metrics.

Whatever registers something when it is imported can live outside this package. `WSR_ADDITIONS` names such modules,
separated by commas, and an installed package names its own by entry points of the group `wsr.additions`. They are
imported when a registry is first asked for what it does not know yet, so also in the processes in which the page and
zoos fit.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

from wsr.errors import WsrError, unknown_name

T = TypeVar("T")

VARIABLE, GROUP = "WSR_ADDITIONS", "wsr.additions"
_begun: set[str] = set()
_imported: set[str] = set()
_importing = threading.RLock()


class Registry(dict[str, T], Generic[T]):
    """A table of registered items by their attribute `name`, in order of registration. noun: how error messages call
    one of them. `named`, `names` and `everything` also find what additions register; the methods of a dict do not."""

    def __init__(self, noun: str):
        super().__init__()
        self.noun = noun

    def register(self, item: T) -> T:
        """Registers an item and returns it. WsrError if its name is taken."""
        if item.name in self:
            raise WsrError(f"The {self.noun} {item.name!r} is registered already: give the new one another name.")
        self[item.name] = item
        return item

    def named(self, name: str) -> T:
        """Returns the item of this name. WsrError, with the nearest name, if there is none."""
        if name not in self:
            import_additions()
        if name not in self:
            raise unknown_name(self.noun, name, self)
        return self[name]

    def names(self) -> tuple[str, ...]:
        """Returns all names in order of registration."""
        import_additions()
        return tuple(self)

    def everything(self) -> tuple[T, ...]:
        """Returns all items in order of registration."""
        import_additions()
        return tuple(self.values())

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Context manager that removes, at its end, what was registered within it."""
        import_additions()
        before = dict(self)
        try:
            yield
        finally:
            self.clear()
            self.update(before)


def imported(home: Any) -> Any:
    """Returns the object that "module:name" names; anything else unchanged."""
    if not isinstance(home, str):
        return home
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)


def import_additions() -> None:
    """Imports the modules that `WSR_ADDITIONS` and installed packages name, each once. WsrError if one cannot be
    imported."""
    named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
    missing = [name for name in (*named, *_installed()) if name and name not in _imported]
    if not missing:
        return
    with _importing:
        for name in missing:
            if name in _begun:  # it has been imported by another thread, or asks a registry while it is imported
                continue
            _begun.add(name)
            try:
                import_module(name)
            except Exception as error:
                _begun.discard(name)
                raise WsrError(f"The addition {name!r} cannot be imported: {type(error).__name__}: {error}") from error
            _imported.add(name)


@cache
def _installed() -> tuple[str, ...]:
    """The modules that installed packages name."""
    from importlib.metadata import entry_points

    return tuple(point.module for point in entry_points(group=GROUP))
