"""Judges sliders: moves weights along the directions of attributes, decodes them, and reads the attributes again. The
slider's attribute should change as asked, and all others should stay.

Only readings that can be trusted count. On unmoved weights, a reading of a number must explain at least `TRUSTED` of
its variance, and a reading of a value must tell it from the others with at least `TRUSTED` balanced accuracy.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context
from wsr.analysis.attributes import NONE, attributes_of, of_class
from wsr.analysis.directions import Direction, Directions, directions
from wsr.analysis.readings import Readings
from wsr.data.registry import find
from wsr.zoo import Zoo

AMOUNTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
TRUSTED, SURE = 0.8, 0.9
MOVES = 0.5  # a number has moved as asked if it changes by at least this share of the step
STAYS = 0.5  # another number has stayed if it changes by at most this many standard deviations
FITS = 10  # fits of each class that are moved


def sliders_of(
    zoo: Zoo, fits: pd.DataFrame, only: Iterable[str] = (), count: int = FITS, own: bool = True, **options: Any
) -> list[dict]:
    """Judges all sliders of a zoo on unseen fits. If classes have attributes of their own, each class's sliders are
    judged on its own fits. only: the attributes to judge, by default all. count: fits of each class, or a tenth of all
    fits. own: whether directions lead away from the values that the fits have (`Directions.at`). options: how
    `directions` finds them. Returns a row for each slider whose reading can be trusted."""
    dataset, _ = find(zoo.meta["dataset"])
    by_class = dataset is not None and bool(dataset.measured(None))
    rows = []
    for cls in sorted(set(fits["class"])) if by_class else [None]:
        known = zoo.good("train")
        table = attributes_of(zoo, (known if cls is None else of_class(known, cls))["id"].tolist())
        some = (fits if cls is None else of_class(fits, cls))["id"].tolist()[: count if by_class else 10 * count]
        found, weights = directions(zoo, table, cls=cls, **options), zoo.weights(some)
        readings, truth = Readings(zoo, table, cls=cls), attributes_of(zoo, some)
        judge = Judge(found.at(weights) if own else found, readings, weights, truth)
        wanted = [name for name in judge.trusted if not only or judge.known[name].attribute in set(only)]
        rows += [{"class": cls or "all", **judge.row(name)} for name in wanted]
    return rows


class _About(NamedTuple):
    name: str
    attribute: str
    unit: float | None

    @classmethod
    def of(cls, direction: Direction) -> "_About":
        return cls(direction.name, direction.attribute, direction.unit)


class Judge:
    """Judges the sliders of unseen weights (n, p), whose attributes are known. trusted: the directions whose attributes
    can be read well enough, each with the R² or the balanced accuracy of its reading."""

    def __init__(self, found: Directions, readings: Readings, weights: Float[Tensor, "n p"], truth: pd.DataFrame):
        self.found, self.readings, self.weights = found, readings, weights
        # what is known of each direction without its vector, which `at` weights takes time
        self.known = {name: _About.of(found[name]) for name in readings.readable(found)}
        names = [name for name in self.known if self.known[name].attribute in truth]
        before = readings.table(weights, names)
        shares = {name: self._trust(name, truth, before[name].to_numpy()) for name in names}
        self.trusted = {name: share for name, share in shares.items() if share >= TRUSTED}
        self.before = before[list(self.trusted)]

    def _trust(self, name: str, truth: pd.DataFrame, read: Float[np.ndarray, "n"]) -> float:
        """R² of the reading of a number, or balanced accuracy of the reading of a value. 0 if the attribute is not
        known."""
        direction = self.known[name]
        known = truth[direction.attribute].notna().to_numpy(copy=True)
        true, read = truth[direction.attribute][known], read[known]
        if len(set(true)) < 2:
            return 0.0
        if direction.unit is not None:
            return float(np.nan_to_num(np.corrcoef(read, true.to_numpy(float))[0, 1]) ** 2)
        has = self._has(direction, true)
        if has.all() or not has.any():
            return 0.0
        return float(((read > 0.5)[has].mean() + (read <= 0.5)[~has].mean()) / 2)

    def _has(self, direction: _About, values: pd.Series) -> np.ndarray:
        value = direction.name.removeprefix(direction.attribute).removeprefix(": ")
        return (values == value if value else values != NONE).to_numpy()

    def _read(self, weights: Float[Tensor, "n p"]) -> pd.DataFrame:
        """All trusted readings of weights, one in each column."""
        return self.readings.table(weights, self.trusted)

    def row(self, name: str) -> dict:
        """Moves all weights along a direction, and returns a row of results. R²: squared correlation of the
        slider with the change of the reading, over all weights. slope: the change for one step, as a share of the step
        that was asked for. moves: share of the weights whose attribute changes as asked by one step. stays: share of
        the other readings that do not change by one step."""
        direction = self.found[name]
        amounts = AMOUNTS if direction.unit is not None else (-1.0, 1.0)  # of a category one step is judged
        read = {amount: self._read(direction.apply(self.weights, amount)) for amount in amounts if amount}
        read[0.0] = self.before
        changes = {amount: (some[name] - self.before[name]).to_numpy() for amount, some in read.items()}
        kind = "number" if direction.unit is not None else "category"
        row = {"slider": name, "kind": kind, "measured": name in self.readings.measured, "fits": len(self.weights),
               "reading": self.trusted[name]}  # fmt: skip
        return row | self._moves(direction, changes, read) | {"stays": self._stays(direction, read)}

    def _moves(self, direction: Direction, changes: dict[float, np.ndarray], read: dict[float, pd.DataFrame]) -> dict:
        if direction.unit is None:  # the share of weights without the value that get it
            without = (self.before[direction.name] <= 0.5).to_numpy()
            flips = (read[1.0][direction.name] > 0.5).to_numpy()[without]
            return {"R²": None, "slope": None, "moves": float(flips.mean()) if without.any() else None}
        asked = np.repeat(list(changes), len(self.weights))
        seen = np.concatenate(list(changes.values())) / direction.unit
        fine = np.isfinite(seen)
        if fine.sum() < 3 or not seen[fine].std():
            return {"R²": 0.0, "slope": 0.0, "moves": 0.0}
        share = np.corrcoef(asked[fine], seen[fine])[0, 1] ** 2
        slope = float(asked[fine] @ seen[fine] / (asked[fine] @ asked[fine]))
        there = [sign * changes[sign] / direction.unit >= MOVES for sign in (1.0, -1.0)]
        return {"R²": float(share), "slope": slope, "moves": float(np.mean(there))}

    def _stays(self, direction: Direction, read: dict[float, pd.DataFrame]) -> float | None:
        """Share of the other attributes' readings that stay, by one step in either direction. Other values of the
        slider's attribute are left out, but not numbers that correlate with it and therefore move with it."""
        shares = []
        for name in self.trusted:
            other = self.known[name]
            if other.attribute == direction.attribute:
                continue
            for amount in (-1.0, 1.0):
                before, after = self.before[name], read[amount][name]
                same = (after - before).abs() <= STAYS * other.unit if other.unit else (after > 0.5) == (before > 0.5)
                shares.append(float(same.mean()))
        return float(np.mean(shares)) if shares else None


def zoo_path(cell: Cell, context: Context) -> str:
    """The zoo whose sliders are judged: the large one, whose fits are the ones to learn from, if assets/ has it."""
    names = (kind(cell.data, cell.representation) for kind in (context.large_zoo, context.zoo))
    large, usual = (f"zoos/{name}" for name in names)
    return large if context.path(large).exists() else usual


def good(fits: pd.DataFrame) -> pd.DataFrame:
    """The fits that succeeded."""
    return fits[fits["status"] == "ok"]


def summary(rows: list[dict]) -> dict:
    """Summary of all sliders: how many numbers have R² ≥ 0.8, and the means of the columns. A slider whose reading is
    right for 80 % of unmoved fits can hardly be seen to move 90 % of them, so there is also the mean of those that are
    read surely, which is for at least `SURE`."""
    table = pd.DataFrame(rows)
    if not len(table):
        return {"sliders": 0}
    numbers = table[table["kind"] == "number"]
    return {
        "sliders": len(table), "R² ≥ 0.8": int((numbers["R²"] >= 0.8).sum()), "numbers": len(numbers),
        "R²": float(numbers["R²"].mean()), "slope": float(numbers["slope"].mean()),
        "moves": float(table["moves"].mean()), "stays": float(table["stays"].mean()),
        "read surely": int((sure := table["reading"] >= SURE).sum()),
        "moves, read surely": float(table["moves"][sure].mean()),
    }  # fmt: skip
