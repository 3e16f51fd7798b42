"""What is said of changed weights, beside their picture."""

from math import floor, log10

from markupsafe import Markup

from app.shell import snippets
from app.tabs.symmetry.run import Moved, Subject

_DIFFERENCE = Markup("no {} moves{}")
_DISTANCE = Markup("moved by {}; their norm is {:.3g}")


def measured(of: Subject, moved: Moved) -> str:
    """Measured differences. The page measures them anew when it moves the weights itself (`FieldSheet`)."""
    unit = of.model.modality.value_unit
    what, unit = ("value", f" ({unit})") if unit else ("pixel", "")
    lines = [
        ("picture", _DIFFERENCE.format(what, snippets.told("difference", by(moved.difference, unit), unit))),
        ("weights", _DISTANCE.format(snippets.told("distance", f"{moved.distance:.3g}"), moved.size)),
    ]
    if of.model.masked:
        held = "all in place" if not moved.broken else f"{moved.broken:,} moved"
        lines.append(("held weights", snippets.told("broken", held)))
    return snippets.ledger(lines)


def by(difference: float, unit: str = "") -> str:
    """The end of the sentence "no pixel moves". Also in sheet.js."""
    return f" by more than {small(difference)}{unit}" if difference else ""


def at_most(of: Subject, moved: Moved) -> str:
    """Largest change of what is seen, with its unit. A picture shows values from 0 to 1, whatever the field says."""
    if unit := of.model.modality.value_unit:
        return f"{small(moved.difference)} ({unit})"
    return f"{small(min(1.0, moved.difference))}, where 1 is from black to white"


def why(of: Subject, moved: Moved) -> str:
    if not of.model.masked:
        return "There is no mask, so no weight is held: one picture has many sets of weights, all equally good."
    if moved.broken:
        return "The picture is the same, but these weights are no longer ones that the mask allows."
    return "The mask leaves this freedom: what it holds at zero stays zero under a sign or a scale."


def small(value: float) -> str:
    """In full digits, 0.0000005 or 180: not everybody reads 5e-07. Also in sheet.js."""
    if 0 < value < 1e-3:
        return f"{value:.{-floor(log10(value))}f}"
    return f"{float(f'{value:.2g}'):g}"
