"""The app's colours and the names of the representations, the same in every chart."""

from collections.abc import Callable, Iterator, Mapping

from wsr.fields import registry
from wsr.fields.registry import RepresentationKind

# Okabe and Ito's set, which survives the common kinds of colour blindness; an asym variant is drawn solid, its plain
# twin dashed, so that the pairs can be told apart without colour as well.
COLOURS = {
    "sky blue": "#56B4E9",
    "blue": "#0072B2",
    "orange": "#E69F00",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "green": "#009E73",
    "yellow": "#F0E442",
    "black": "#000000",
}


class _OfKinds(Mapping[str, str]):
    """A property of each registered representation, by the representation's name."""

    def __init__(self, says: Callable[[RepresentationKind], str]):
        self._says = says

    def __getitem__(self, name: str) -> str:
        if name not in registry.readable():
            raise KeyError(name)
        return self._says(registry.named(name))

    def __iter__(self) -> Iterator[str]:
        return iter(registry.names())

    def __len__(self) -> int:
        return len(registry.names())



# Ten classes at most, of middle lightness: legible on white and on near-black.
CLASS_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#B3A100",
    "#7A5FC0",
    "#8C6D5A",
    "#8A8F98",
)
OTHER_COLOUR = "#8A8F98"

REPRESENTATION_COLOURS = _OfKinds(lambda kind: COLOURS.get(kind.colour, OTHER_COLOUR))
NAMES = _OfKinds(lambda kind: kind.label)

# Blue, neutral, vermillion: the middle is where fitting starts.
DIVERGING = [[0.0, "#004C7A"], [0.25, "#5FA8D3"], [0.5, "#F2F2F0"], [0.75, "#E08A4F"], [1.0, "#96380A"]]


def representation_line(name: str) -> dict[str, str]:
    """The line of a representation in a chart: its colour, solid for asym, dashed for the plain twin."""
    return {
        "color": REPRESENTATION_COLOURS.get(name, OTHER_COLOUR),
        "dash": registry.named(name).dash if name in REPRESENTATION_COLOURS else "dash",
    }


def class_colours(classes: list[str]) -> dict[str, str]:
    """One colour for each class name, by the order of the sorted names; the eleventh and later ones share a grey."""
    names = sorted(set(classes))
    return {name: CLASS_COLOURS[i] if i < len(CLASS_COLOURS) else OTHER_COLOUR for i, name in enumerate(names)}
