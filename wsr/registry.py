"""The table behind every registry: representations, modalities, generators and metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from wsr.errors import WsrError, unknown_name

T = TypeVar("T")


class Registry(dict[str, T], Generic[T]):
    """A table of registered items by their attribute `name`, in order of registration. noun: how error messages call
    one of them."""

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
            raise unknown_name(self.noun, name, self)
        return self[name]

    def names(self) -> tuple[str, ...]:
        """Returns all names in order of registration."""
        return tuple(self)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Context manager that removes, at its end, what was registered within it."""
        before = dict(self)
        try:
            yield
        finally:
            self.clear()
            self.update(before)
