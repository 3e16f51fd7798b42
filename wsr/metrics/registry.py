"""The registry of metrics: one function with its registration, and commands, tables and the page show it.

Importing this module imports neither torch nor SciPy.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from wsr.errors import WsrError, unknown_name

NEEDS = {
    "images": "an image and its target, (h, w, 3) in [0, 1]",
    "occupancies": "what is inside and what should be, booleans",
    "points": "two sets of points, (n, 3) and (m, 3)",
    "features": "features (n, d) of generated and (m, d) of reference samples",
    "distances": "distances of point clouds: within the generated (n, n), to the reference (n, m), within that (m, m)",
    "weights": "generated weights (n, p) and reference weights (m, p), as a zoo stores them",
    "placements": "the table of a generator's weights on the plane of an audit (`wsr.analysis.plane.Plane.rows`)",
}
"""What the function of a metric takes, by the word for it."""
_UNITS = {"%": 0.01, "×10²": 0.01, "×10³": 1e-3}  # what these units are worth; any other is 1


@dataclass(frozen=True)
class Metric:
    """A number that says how good something is.

    name: in code and in the paper's tables; symbol: for people, and in the columns of our files; function: takes what
    `needs` names (a key of `NEEDS`) and returns a float; direction: whether lower values are better, higher ones, or
    those near `best`; best: the best value that there is, None where higher values are better without end; unit: what a
    table counts in, "%" and "×10³" of values that the function returns as they are; decimals: that a table shows.
    """

    name: str
    symbol: str
    function: Callable[..., float]
    needs: str
    direction: Literal["lower", "higher", "near"] = "lower"
    best: float | None = 0.0
    unit: str = ""
    decimals: int = 3

    def __post_init__(self):
        if self.needs not in NEEDS:
            raise unknown_name("need of a metric", self.needs, NEEDS)

    @property
    def heading(self) -> str:
        """The head of its column in a table: the symbol with the unit."""
        return f"{self.symbol} {self.unit}".strip()

    def in_unit(self, value: float) -> float:
        """A value as a table shows it."""
        return value / _UNITS.get(self.unit, 1)

    def text(self, value: float) -> str:
        """A value in a table or on the page; a dash where there is none."""
        return "–" if not math.isfinite(value) else f"{self.in_unit(value):.{self.decimals}f}"

    def loss(self, value: Any) -> Any:
        """How much worse than the best a value is, or an array of values: less is better for every metric."""
        if self.direction == "lower":
            return value
        if self.direction == "higher":
            return -value if self.best is None else self.best - value
        return abs(value - self.best)


_METRICS: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Makes a metric known. WsrError for a name or a symbol that is taken."""
    if any(metric.name == other.name or metric.symbol == other.symbol for other in _METRICS.values()):
        raise WsrError(f"A metric named {metric.name!r} or {metric.symbol!r} is registered already: rename this one.")
    _METRICS[metric.name] = metric
    return metric


def named(name: str) -> Metric:
    """WsrError, with the nearest name, for one that nobody has registered."""
    if name not in _METRICS:
        raise unknown_name("metric", name, _METRICS)
    return _METRICS[name]


def names() -> tuple[str, ...]:
    """In the order of registration."""
    return tuple(_METRICS)


def needing(*needs: str) -> list[Metric]:
    """The metrics of what is at hand, in the order of registration: `needing("features")` of sets of features."""
    return [metric for metric in _METRICS.values() if metric.needs in needs]


def measured(at_hand: Mapping[str, tuple]) -> dict[str, float]:
    """Every metric, by its symbol, of what is at hand: `{"features": (generated, reference)}`."""
    return {metric.symbol: metric.function(*at_hand[metric.needs]) for metric in needing(*at_hand)}


@contextmanager
def registered(*added: Metric) -> Iterator[None]:
    """Registers metrics for as long as the context lasts, as tests do."""
    before = dict(_METRICS)
    try:
        for metric in added:
            register(metric)
        yield
    finally:
        _METRICS.clear()
        _METRICS.update(before)
