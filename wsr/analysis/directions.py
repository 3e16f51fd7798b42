"""Directions in weight space along which one attribute changes and the others stay.

The weights of the training fits are explained by all attributes of their targets at once: linear regression, with the
attributes as inputs and every weight as an output. The coefficients of an attribute say how the weights change where it
changes and everything else stays the same. Without the others, the direction towards high chairs would lead to chairs
with thin legs as well, as far as the two occur together.

Networks are not linear in their weights. Two things follow, both measured on validation fits: what weights decode to
changes about half as far as the regression says, so that steps are lengthened (`LENGTHS`); and a category changes
reliably only if the step leads away from the value that the weights have, not from the mean of all others
(`Directions.at`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.attributes import NONE, Columns, attributes_of, names_of, of_class, valued, with_classes
from wsr.analysis.own_values import OwnValues
from wsr.errors import WsrError, counted, unknown_name
from wsr.zoo.zoo import Zoo

# Penalty on each coefficient, as a share of the attribute's variance. A first look at a few validation fits of shapes10
# suggested it. `precompute run slider_ways` compares it with others, but has not been run yet.
RIDGE = 0.1
SAME = 0.95  # from this correlation on, two attributes are one thing under two names, and cannot change apart
BLOCK = 512  # weights that are converted to float32 at once
WAYS = ("jointly", "alone")


@dataclass(frozen=True)
class Lengths:
    """How much longer a step is than the mean change of the weights: of a number, and of a category."""

    number: float = 1.0
    category: float = 1.0


# Found on 24 validation fits of faces, judged by a convolutional network that was trained on other drawn faces. By one
# step of the regression a number changed by 0.56 of what was asked, by 1.5 steps by 0.81, by 2 steps by 1.05; 1.75 lies
# between. Of 1, 1.25, 1.5, 2 and 2.5 steps, 1.5 gave most categories their value; further on, they overshoot. Shapes
# too move half as far by one step.
LENGTHS = Lengths(1.75, 1.5)


@dataclass(frozen=True)
class Direction:
    """A step in weight space that changes one attribute.

    name: what the step leads towards: "height", or "glasses: round"; attribute: "glasses"; vector: the step; unit: by
    how much one step changes a number, its standard deviation over the training fits; None for a category, whose step
    leads from the fits without the value to those with it; fits: number of training fits that have the attribute. From
    `Directions.at` several weights, a category has a step for each of them.
    """

    name: str
    attribute: str
    vector: Float[Tensor, "*n p"]
    unit: float | None
    fits: int

    def apply(self, weights: Float[Tensor, "*n p"], amount: float) -> Float[Tensor, "*n p"]:
        """Moves weights by `amount` steps. Amounts add up: a second call with −amount undoes the first one. WsrError if
        the weights are of another length or the amount is not finite."""
        return moved(weights, {self: amount})

    def __hash__(self) -> int:
        return id(self)


def moved(weights: Float[Tensor, "*n p"], amounts: Mapping[Direction, float]) -> Float[Tensor, "*n p"]:
    """Moves weights along several directions at once, each by its number of steps. WsrError as for
    `Direction.apply`."""
    for direction, amount in amounts.items():
        size = direction.vector.shape[-1]
        if weights.shape[-1] != size:
            raise WsrError(
                f"The direction {direction.name!r} is one of {counted(size, 'number')}, and the weights have "
                f"{weights.shape[-1]:,}: they are of another representation."
            )
        if not np.isfinite(amount):
            raise WsrError(f"The amount of {direction.name!r} should be a number of steps, not {amount!r}.")
    return weights + sum(amount * one.vector.to(weights) for one, amount in amounts.items())


class Directions(Mapping[str, Direction]):
    """The directions of all attributes, by name.

    A number has one direction, named like itself: "height". A category has one for each of its values, which leads
    there from all the others: "glasses: round". A category that may be "none" has one more, from none to any:
    "glasses".
    `between` gives the direction from one value to another, and `at` those that lead away from where weights are.
    """

    def __init__(
        self,
        columns: Columns,
        products: Float[Tensor, "k p"],
        own: Callable[[], OwnValues],
        *,
        way: str = WAYS[0],
        ridge: float = RIDGE,
        lengths: Lengths = LENGTHS,
    ):
        self._columns, self._products, self._way, self._ridge = columns, products, way, ridge
        self._own, self._lengths = own, lengths
        self._solved: dict[tuple, tuple[list[int], Float[Tensor, " k"]]] = {}
        self._at: dict[str, Float[Tensor, "*n"]] = {}  # how likely the weights have each value of a category
        self._gram = columns.values.T @ columns.values / len(columns.values)  # (k, k)
        self._names = [name for attribute in columns.attributes for name in names_of(columns, attribute)]

    def __getitem__(self, name: str) -> Direction:
        """WsrError for an unknown name, with the nearest one."""
        if name not in self._names:
            raise unknown_name("direction", name, self._names)
        attribute = next(one for one in self.attributes if name == one or name in names_of(self._columns, one))
        values = self.values_of(attribute)
        if not values:
            found = self._columns.numbers[attribute]
            vector = self._lengths.number * self._change(attribute, {attribute: 1.0})
            return Direction(name, attribute, vector, found.unit, found.fits)
        if name == attribute:
            return self._towards(name, attribute, [value for value in values if value != NONE], [NONE])
        value = next(value for value in values if name == valued(attribute, value))
        return self._towards(name, attribute, [value], [other for other in values if other != value])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name: str, default: Direction | None = None) -> Direction | None:
        return self[name] if name in self else default

    @property
    def attributes(self) -> list[str]:
        return list(self._columns.attributes)

    def values_of(self, attribute: str) -> list[str]:
        """Returns the values of a category, the most frequent first; none for a number. WsrError for an unknown
        attribute."""
        if attribute not in self._columns.attributes:
            raise unknown_name("attribute", attribute, self._columns.attributes)
        return list(self._columns.categories.get(attribute, {}))

    def between(self, attribute: str, start: str, end: str) -> Direction:
        """Returns the direction from one value of a category to another. WsrError for an attribute or a value that
        there is not, and for a number, which has no values."""
        values = self.values_of(attribute)
        if not values:
            raise WsrError(f"{attribute!r} is a number and has one direction: ask for it as directions[{attribute!r}].")
        for value in (start, end):
            if value not in values:
                raise unknown_name(f"value of {attribute!r}", value, values)
        return self._towards(f"{attribute}: {start} → {end}", attribute, [end], [start])

    def at(self, weights: Float[Tensor, "*n p"]) -> "Directions":
        """Returns the directions for moving these weights. One towards a value of a category leads away from the value
        that the weights have, as far as that can be read off the weights; from weights that have the value already it
        is the average direction. A second call with moved weights gives other directions: what is to be undone should
        go on with the first. WsrError if the weights are of another length."""
        size = self._products.shape[1]
        if weights.shape[-1] != size:
            raise WsrError(
                f"The directions are of {counted(size, 'number')}, and the weights have {weights.shape[-1]:,}: they "
                "are of another representation."
            )
        found = copy(self)
        found._at = self._likely(weights) if self._columns.categories else {}
        return found

    def _likely(self, weights: Float[Tensor, "*n p"]) -> dict[str, Float[Tensor, "*n"]]:
        read, total, likely = self._own().read(weights.float().cpu()), len(self._columns.values), {}
        for attribute, counts in self._columns.categories.items():
            shares = torch.tensor(list(counts.values())) / total
            has = (read[..., self._columns.own(attribute)] + shares).clamp_min(0)
            has = has / has.sum(-1, keepdim=True).clamp_min(1e-6)
            likely |= {valued(attribute, value): has[..., i] for i, value in enumerate(counts)}
        return likely

    def moved(self, weights: Float[Tensor, "*n p"], amounts: Mapping[str, float]) -> Float[Tensor, "*n p"]:
        """Moves weights along several directions, given as names and numbers of steps. WsrError for an unknown name."""
        return moved(weights, {self[name]: amount for name, amount in amounts.items()})

    def _towards(self, name: str, attribute: str, ends: Sequence[str], starts: Sequence[str]) -> Direction:
        """Returns the direction between two groups of values, each weighed by how often its values occur. `at` weights,
        it leads from each value as far as they are likely to have it, and from all starts if they are at the end."""
        counts = self._columns.categories[attribute]
        vector = self._between(attribute, ends, starts)
        if self._at:
            part = {value: self._at[valued(attribute, value)] for value in counts}
            there = sum(part[value] for value in counts if value not in starts)
            vector = there[..., None] * vector
            for value in starts:
                vector = vector + part[value][..., None] * self._between(attribute, ends, [value])
        fits = sum(counts[value] for value in (*ends, *starts))
        return Direction(name, attribute, self._lengths.category * vector, None, fits)

    def _between(self, attribute: str, ends: Sequence[str], starts: Sequence[str]) -> Float[Tensor, " p"]:
        counts, shares = self._columns.categories[attribute], {}
        for sign, group in ((1.0, ends), (-1.0, starts)):
            total = sum(counts[value] for value in group)
            shares |= {valued(attribute, value): sign * counts[value] / total for value in group}
        return self._change(attribute, shares)

    def _change(self, attribute: str, shares: dict[str, float]) -> Float[Tensor, " p"]:
        """Adds up the coefficients of a few columns by their shares."""
        key = attribute, *shares.items()
        if key not in self._solved:  # a direction `at` weights takes dozens of them, each time a slider is moved
            self._solved[key] = self._solve(attribute, shares)
        kept, solved = self._solved[key]
        return solved @ self._products[kept]

    def _solve(self, attribute: str, shares: dict[str, float]) -> tuple[list[int], Float[Tensor, " k"]]:
        """Solves the regression for the sum of a few columns. Returns the columns that are explained with them, and how
        much of the product of each with the weights is in it."""
        titles, own = self._columns.titles, self._columns.own(attribute)
        wanted = [titles.index(title) for title in shares]
        kept = own if self._way == "alone" else sorted({*own, *self._others(wanted)})
        gram, asked = self._gram[np.ix_(kept, kept)], np.zeros(len(kept))
        for at, share in zip(wanted, shares.values(), strict=True):
            asked[kept.index(at)] = share
        # the columns of a category add up to a constant, so that without a penalty many solutions are equally good
        solved = np.linalg.lstsq(gram + self._ridge * np.diag(gram.diagonal()), asked, rcond=1e-12)[0]  # (k,)
        # the penalty shortens the step: where weights are linear in the attributes, this share of it is left
        there = float(asked @ gram @ solved / (asked @ asked))
        return kept, torch.from_numpy(solved / there).float()

    def _others(self, wanted: list[int]) -> list[int]:
        """Returns the columns that are to stay: all but those that say the same as what is wanted."""
        std = np.sqrt(self._gram.diagonal())
        alike = np.abs(self._gram[wanted]) / (std[wanted][:, None] * std)  # (w, k): correlations
        return np.flatnonzero((alike < SAME).all(0)).tolist()


def directions(
    zoo: Zoo,
    attributes: pd.DataFrame | None = None,
    *,
    cls: str | None = None,
    way: str = "jointly",
    ridge: float = RIDGE,
    lengths: Lengths = LENGTHS,
) -> Directions:
    """Finds the directions of all attributes of a zoo's instances. Only the good fits of the training split are read.

    attributes: a row for each instance, by its id, and a column for each attribute; by default those of the zoo's
    index, or of its data set where the index has none. cls: use the fits of this class alone, so that a direction says
    what a high seat is in chairs, not what it is in chairs, benches and sofas on average. way: "jointly" explains the
    weights by all attributes at once, "alone" by each on its own; ridge: the penalty on each coefficient; lengths: of
    the steps. WsrError if there are no attributes, if none of them varies, or for an unknown class or way.
    """
    if way not in WAYS:
        raise unknown_name("way to find directions", way, WAYS)
    fits = zoo.good("train")
    if cls is not None:
        fits = of_class(fits, cls)
    ids = fits["id"].tolist()
    table = attributes_of(zoo, ids) if attributes is None else attributes.reindex(ids)
    columns = Columns(table if cls is not None else with_classes(table, fits))
    if not columns.attributes:
        raise WsrError(
            f"The instances of the zoo {zoo.path.name} have no attribute that varies between its "
            f"{counted(len(ids), 'training fit')}, so there is no direction to find."
        )
    products = _products(zoo, ids, columns.values)
    own = cache(lambda: OwnValues.of(zoo, ids, columns))
    return Directions(columns, products, own, way=way, ridge=ridge, lengths=lengths)


def arithmetic(
    a: Float[np.ndarray, "*n p"], b: Float[np.ndarray, "*n p"], c: Float[np.ndarray, "*n p"]
) -> Float[np.ndarray, "*n p"]:
    """a − b + c."""
    return a - b + c


def _products(zoo: Zoo, ids: list[str], values: Float[np.ndarray, "n k"]) -> Float[Tensor, "k p"]:
    """Returns the covariances of the attributes and the weights, read some hundred fits at a time. The attributes are
    centred, so that the mean of the weights does not matter; it is subtracted for the precision of the sums."""
    rows, total = torch.from_numpy(values).float(), 0.0
    centre = zoo.weights(ids[:BLOCK]).mean(0)
    for start in range(0, len(ids), BLOCK):
        part = slice(start, start + BLOCK)
        total = total + rows[part].T @ (zoo.weights(ids[part]) - centre)
    return total / len(ids)
