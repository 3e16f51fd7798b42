"""Attributes of instances, as the inputs of a regression."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wsr.data import load_signals
from wsr.errors import WsrError, unknown_name
from wsr.formats.tables import NONE
from wsr.zoo.zoo import Zoo

CLASS = "class"  # the class of an instance is one of its attributes
LEAST = 2  # instances that must have a value, for it to be told apart


def attributes_of(zoo: Zoo, ids: list[str]) -> pd.DataFrame:
    """Returns the attributes of instances, a row for each: those in the zoo's index, or, where it has none, those that
    the data set knows by id. WsrError if neither knows any."""
    found = zoo.attributes.loc[ids]
    if not len(found.columns):
        found = load_signals(zoo.meta["dataset"], ids).attributes
    if not len(found.columns):
        raise WsrError(
            f"Neither the index of the zoo {zoo.path.name} nor its data set {zoo.meta['dataset']!r} records attributes "
            "of the instances: there are directions for those that do, such as faces and shapes10."
        )
    return found


def of_class(fits: pd.DataFrame, cls: str) -> pd.DataFrame:
    """Returns the rows of an index that are of a class. WsrError if there is none."""
    if cls not in set(fits[CLASS]):
        raise unknown_name("class", cls, sorted(set(fits[CLASS])))
    return fits[fits[CLASS] == cls]


def with_classes(table: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """Returns attributes with one more, the class of each instance in an index; a gap where it has none."""
    return table.assign(**{CLASS: fits[CLASS].where(fits[CLASS] != "").to_numpy()})


@dataclass(frozen=True)
class Number:
    """A number as an attribute: its standard deviation, and how many instances have it."""

    unit: float
    fits: int


class Columns:
    """Attributes as the inputs of a regression: a column of centred numbers for each number, in units of its standard
    deviation, and one for each value of a category, of zeros and ones before they are centred. Whoever lacks an
    attribute has the mean of the others, and, where some lack it, one more column says who has it.

    titles: of the columns; attributes: those that vary; numbers: about each number; categories: of each category, how
    many instances have which value, the most frequent first.
    """

    def __init__(self, table: pd.DataFrame):
        self.titles: list[str] = []
        self.numbers: dict[str, Number] = {}
        self.categories: dict[str, dict[str, int]] = {}
        self._found: list[np.ndarray] = []
        for name in table:
            add = self._number if pd.api.types.is_numeric_dtype(table[name]) else self._category
            add(str(name), table[name])
        self.attributes = [str(name) for name in table if name in self.numbers or name in self.categories]
        self.values = np.stack(self._found, 1) if self._found else np.zeros((len(table), 0))  # (n, k)

    def _number(self, name: str, column: pd.Series) -> None:
        known = column.notna().to_numpy()
        given = column.to_numpy(np.float64)
        unit = float(given[known].std()) if known.sum() > LEAST else 0.0
        if not np.isfinite(unit) or unit <= 1e-9 * max(1.0, abs(float(given[known].mean())) if known.any() else 1.0):
            return
        self.numbers[name] = Number(unit, int(known.sum()))
        self._add(name, np.where(known, (given - given[known].mean()) / unit, 0.0))
        if not known.all():
            self._add(f"{name} is there", known - known.mean())

    def _category(self, name: str, column: pd.Series) -> None:
        texts = column.astype(str).where(column.notna())  # truth values, and numbers that are categories, as well
        counts = texts.value_counts()
        counts = counts[counts >= LEAST]
        if len(counts) < 2:
            return
        self.categories[name] = {str(value): int(count) for value, count in counts.items()}
        for value in self.categories[name]:
            has = (texts == value).to_numpy(np.float64)
            self._add(valued(name, value), has - has.mean())

    def own(self, attribute: str) -> list[int]:
        """Returns the columns of an attribute: one of a number, one for each value of a category."""
        titles = [valued(attribute, value) for value in self.categories.get(attribute, ())] or [attribute]
        return [self.titles.index(title) for title in titles]

    def _add(self, title: str, column: np.ndarray) -> None:
        self.titles.append(title)
        self._found.append(np.asarray(column, np.float64))


def valued(attribute: str, value: str) -> str:
    """Returns the name of the direction towards a value of a category."""
    return f"{attribute}: {value}"


def names_of(columns: Columns, attribute: str) -> list[str]:
    """Returns the names of an attribute's directions."""
    values = columns.categories.get(attribute)
    if values is None:
        return [attribute]
    return [*([attribute] if NONE in values else []), *(valued(attribute, value) for value in values)]
