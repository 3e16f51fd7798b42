"""A search by climbing: after the first settings it tries those that differ by one step from the best one so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def next_setting(
    known: Mapping[T, float], first: Iterable[T], neighbours: Callable[[T], Iterable[T]], most: int,
    best: Callable[..., T],
) -> T | None:  # fmt: skip
    """The setting to be tried next; None if all neighbours of the best one have been tried, or `most` settings have.
    known: the value of each setting so far. best: min or max, as small or large values are good."""
    for setting in first:
        if setting not in known:
            return setting
    if len(known) >= most:
        return None
    return next((one for one in neighbours(best(known, key=known.__getitem__)) if one not in known), None)


def beside(ladder: Sequence[T], rung: T) -> Sequence[T]:
    """The next rung of a ladder and the one before, as far as there are any; none of what is not on it."""
    if rung not in ladder:
        return ()
    at = ladder.index(rung)
    return *ladder[at + 1 : at + 2], *ladder[max(0, at - 1) : at]
