"""The registry of metrics: a metric is a function and its registration; commands, tables and the page show all
registered ones.

Importing this module loads neither torch nor SciPy.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from wsr.errors import WsrError, unknown_name
from wsr.registry import Registry

NEEDS = {
    "images": "an image and its target, (h, w, 3) in [0, 1]",
    "occupancies": "what is inside and what should be, booleans",
    "points": "two sets of points, (n, 3) and (m, 3)",
    "features": "features (n, d) of generated and (m, d) of reference samples",
    "distances": "distances of point clouds: within the generated (n, n), to the reference (n, m), within that (m, m)",
    "pieces": "numbers of pieces of generated (n,) and of real (m,) surfaces, and the classes of both",
    "weights": "generated weights (n, p) and reference weights (m, p), as a zoo stores them",
    "placements": "the table of a generator's weights on the plane of an audit (`wsr.analysis.plane.Plane.rows`)",
}
"""What the function of a metric takes, by the name of its input."""
OF_SETS = ("features", "distances", "pieces", "weights")
"""The inputs that compare two sets of weights: those of the metrics in tables of generators."""
_UNITS = {"%": 0.01, "×10²": 0.01, "×10³": 1e-3}  # values of these units; any other is 1


@dataclass(frozen=True)
class Metric:
    """A number that tells how good something is.

    name: in code and in the paper's tables; symbol: as shown to people, and in columns of files; function: takes what
    `needs` names (a key of `NEEDS`) and returns a float; direction: whether lower values are better, higher ones, or
    those near `best`; best: the best possible value, None if higher values are better without limit; unit: of values in
    tables, "%", "×10²" or "×10³", while the function returns plain values; decimals: number of decimals in tables.
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
        """The heading of its column in a table: the symbol with the unit."""
        return f"{self.symbol} {self.unit}".strip()

    def in_unit(self, value: float) -> float:
        """Converts a value to the metric's unit."""
        return value / _UNITS.get(self.unit, 1)

    def text(self, value: float) -> str:
        """Formats a value for a table or the page; a dash if it is not finite, and "<1" or "<0.01" if it is more than
        the 0 that it would be rounded to."""
        if not math.isfinite(value):
            return "–"
        told = f"{self.in_unit(value):.{self.decimals}f}"
        return f"<{10.0**-self.decimals:g}" if value > 0 and float(told) == 0 else told

    def loss(self, value: Any) -> Any:
        """Converts a value, or an array of values, so that lower is better: how much worse than the best it is."""
        if self.direction == "lower":
            return value
        if self.direction == "higher":
            return -value if self.best is None else self.best - value
        return abs(value - self.best)


_METRICS = Registry[Metric]("metric")


def register(metric: Metric) -> Metric:
    """Registers a metric. WsrError if its name or symbol is taken."""
    if any(metric.symbol == other.symbol for other in _METRICS.values() if other is not metric):
        raise WsrError(f"A metric with the symbol {metric.symbol!r} is registered already: give the new one another.")
    return _METRICS.register(metric)


def named(name: str) -> Metric:
    """Returns the metric of this name. WsrError, with the nearest name, if there is none."""
    return _METRICS.named(name)


def names() -> tuple[str, ...]:
    """Returns all names in order of registration."""
    return _METRICS.names()


def needing(*needs: str) -> list[Metric]:
    """Returns the metrics that need one of these inputs, in order of registration."""
    return [metric for metric in _METRICS.everything() if metric.needs in needs]


def measured(at_hand: Mapping[str, tuple]) -> dict[str, float]:
    """Computes every metric whose input is given, by its symbol. at_hand: inputs by their name, as in `{"features":
    (generated, reference)}`."""
    return {metric.symbol: metric.function(*at_hand[metric.needs]) for metric in needing(*at_hand)}


@contextmanager
def registered(*added: Metric) -> Iterator[None]:
    """Registers metrics for the duration of the context."""
    with _METRICS.restored():
        for metric in added:
            register(metric)
        yield
