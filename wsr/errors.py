"""Errors that users can act on: what was given, what is wrong, what would be right."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class WsrError(ValueError):
    """Raised for an error in what wsr was given. Its text tells the user what to do; the page and the command line show
    it without a traceback."""


def shown(path: str | Path, longest: int = 240) -> str:
    """Returns a path in quotes, as messages show it. The middle of a path longer than `longest` characters is left
    out."""
    text, half = str(path), longest // 2
    return repr(text if len(text) <= longest else f"{text[:half]}…{text[-half:]}")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun, as in "1 face" and "1,200 faces". plural: needed if it is not the noun with an
    s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def were(number: int, one: str = "was", many: str = "were") -> str:
    """Returns the form of a verb that agrees with a number of things."""
    return one if number == 1 else many


def unknown_name(kind: str, given: str, valid: Iterable[str]) -> WsrError:
    """Returns the error for a name that is not in `valid`, with the nearest valid one."""
    names = [str(name) for name in valid]
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return WsrError(f"Unknown {kind} {str(given)[:80]!r}: {hint}Valid: {', '.join(names[:20])}.")
