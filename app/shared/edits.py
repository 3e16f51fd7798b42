"""Edits of an open network: which directions there are for it, where it goes along them, and what is measured there.

Directions, the models that read attributes, and the gauge are made when the first visitor wants them, and kept as long
as their zoo is unchanged. Of shapes the directions are those of one class, the class of the nearest training network:
a seat is another thing in a chair than in a sofa.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.components.field.files import Shape, field_of
from app.shared import library, networks
from app.shared.fitted import Fitted
from app.shell import looking, snippets
from wsr.caching import cached_by_file
from wsr.data.registry import find
from wsr.errors import WsrError
from wsr.formats.tables import is_attribute

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from wsr.analysis.directions import Directions
    from wsr.analysis.gauge import Gauge
    from wsr.analysis.readings import Readings

MOST = 3.0  # steps in either direction
# Of a field, from which its attributes are read: a quarter of the usual number is read in a sixth of the time, and of
# 76 values of 100 unseen faces the mean AUC is 0.795 instead of 0.799.
POINTS = 1024
STAYS = 0.5  # standard deviations by which another attribute may move and is still said to stay


@dataclass(frozen=True)
class Edits:
    """The edits of an open network. origin: the network as it was; name: of its collection; cls: the class whose
    directions are used, None for those of all; steps: what has been asked for, the sum of all edits last, each the
    number of steps by the direction's name; fitted: the network as it is now."""

    origin: Fitted
    name: str
    cls: str | None
    steps: tuple[dict[str, float], ...] = ({},)
    fitted: Fitted | None = None

    @property
    def amounts(self) -> dict[str, float]:
        return self.steps[-1]

    def moved(self, direction: str, amount: float) -> Edits:
        """The edits with a slider moved: the last one goes on if it was the same slider, otherwise a new one begins.
        WsrError for an unknown direction or an amount that is out of range."""
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not -MOST <= amount <= MOST:
            raise WsrError(f"A slider goes from −{MOST:g} to {MOST:g} steps, not to {str(amount)[:20]!r}.")
        now = {**self.amounts, direction: float(amount)}
        before = self.steps[:-1] if len(self.steps) > 1 and self._last() == direction else self.steps
        return self._at((*before, now))

    def _last(self) -> str:
        """The direction of the last edit."""
        one, other = self.steps[-2:]
        return next((name for name in other if other[name] != one.get(name, 0.0)), "")

    def undone(self) -> Edits:
        """The edits without the last one."""
        return self._at(self.steps[:-1] or ({},))

    def reset(self) -> Edits:
        """None of the edits."""
        return self._at(({},))

    def _at(self, steps: tuple[dict[str, float], ...]) -> Edits:
        asked = {name: amount for name, amount in steps[-1].items() if amount}
        found = directions(self.name, self.cls).at(self.origin.weights)
        weights = found.moved(self.origin.weights, asked)
        label = f"{self.origin.label}, edited" if asked else self.origin.label
        return replace(self, steps=steps, fitted=replace(self.origin, weights=weights, label=label))


def begun(fitted: Fitted | None) -> Edits | None:
    """The edits of a network that has been opened; None where nothing is known of its attributes."""
    name = None if fitted is None else editable(fitted)
    if name is None:
        return None
    cls = _class_of(name, fitted.weights) if by_class(name) else None
    return Edits(fitted, name, cls, fitted=fitted)


def editable(fitted: Fitted) -> str | None:
    """The first collection whose weights decode as these do and whose attributes are known."""
    return next((name for name in networks.alike(fitted) if _asked_for(name, fitted) and has_attributes(name)), None)


def _asked_for(name: str, fitted: Fitted) -> bool:
    return fitted.collection in ("", name)


def has_attributes(name: str) -> bool:
    """Whether the attributes of a collection's items are known: from its index, or from its data set by id."""
    found = library.collection(name)
    dataset, _ = find(found.source)
    return any(map(is_attribute, found.index)) or bool(dataset and dataset.describes)


def by_class(name: str) -> bool:
    """Whether the classes of a collection have attributes of their own."""
    found = library.collection(name)
    columns = [column for column in found.index if is_attribute(column)]
    if not columns:
        return len(set(found.classes)) > 1
    return bool((found.index.groupby("class")[columns].count() == 0).any(axis=None))


def _class_of(name: str, weights: Tensor) -> str:
    found = library.collection(name)
    return found.classes[found.position(networks.nearest_item(name, weights))]


@cached_by_file(library.files_of, maxsize=32)
def _attributes(name: str, cls: str | None) -> pd.DataFrame:
    from wsr.analysis.attributes import attributes_of, of_class

    fits = networks.zoo(name).good("train")
    return attributes_of(networks.zoo(name), (fits if cls is None else of_class(fits, cls))["id"].tolist())


@cached_by_file(library.files_of, maxsize=32)
def directions(name: str, cls: str | None) -> Directions:
    """The directions of a collection. Reading the attributes of a class takes 2 s where the index has none."""
    from wsr.analysis.directions import directions

    return directions(networks.zoo(name), _attributes(name, cls), cls=cls)


@cached_by_file(library.files_of, maxsize=16)
def readings(name: str, cls: str | None) -> Readings:
    """What reads attributes off decoded networks of a collection."""
    from wsr.analysis.readings import Readings

    size = library.collection(name).modality.resolutions.sample
    return Readings(networks.zoo(name), _attributes(name, cls), cls=cls, resolution=size, points=POINTS)


@cached_by_file(library.files_of, maxsize=2)
def gauge(name: str) -> Gauge | None:
    """The gauge of a collection; None where there are too few fits of unseen targets."""
    from wsr.analysis.gauge import Gauge

    try:
        return Gauge.of(networks.zoo(name))
    except WsrError:
        return None


def is_prepared(edits: Edits) -> bool:
    """Whether what measures networks of this kind is there, or has to be made first, which takes some seconds."""
    return readings.is_cached(edits.name, edits.cls) and gauge.is_cached(edits.name)


def prepare(edits: Edits) -> None:
    """Makes what measures networks of this kind, and measures the open one, which all edits are compared with."""
    said(edits, next(iter(directions(edits.name, edits.cls))))


def in_page(edits: Edits, name: str, shape: Shape | None = None) -> dict[str, Any] | None:
    """What the page needs to move the slider of a direction without the server: the weights where it is at 0, `a`, and
    at 1, `b`. None where the page cannot draw them. shape: of a picture of a surface, if the tab shows one."""
    found = directions(edits.name, edits.cls).at(edits.origin.weights)
    others = {other: amount for other, amount in edits.amounts.items() if amount and other != name}
    start = found.moved(edits.origin.weights, others)
    return field_of(edits.origin.model, {"a": start[0], "b": found[name].apply(start, 1.0)[0]}, shape)


def said(edits: Edits, name: str) -> str:
    """What is measured of the edited network beside the open one: the attribute on the slider, which others have moved
    with it, and the gauge."""
    lines = [_asked(edits, name), *_others(edits)]
    found = gauge(edits.name)
    if found is None:
        return snippets.ledger(lines)
    read = found.read(edits.fitted.weights)[0]
    closer = round(100 * read.nearer)
    text = f"{read.word}: of 100 fits of new targets, {closer} lie closer to the training networks than this one"
    warning = "Beyond, it shows nothing like the data." if read.outside else ""
    shown = snippets.ledger([*lines, ("this network", text)])
    return shown + (snippets.failed(f"It has left the data. {warning}") if warning else "")


def _asked(edits: Edits, name: str) -> tuple[str, str]:
    """The attribute on the slider, before and after."""
    direction, amount = directions(edits.name, edits.cls)[name], edits.amounts.get(name, 0.0)
    try:
        before, after = (_read(edits, fitted, name) for fitted in (edits.origin, edits.fitted))
    except WsrError as error:
        return name, str(error)
    if direction.unit is None:
        return name, f"{before:.0%} sure → {after:.0%} sure"
    return name, f"{before:z.2f} → {after:z.2f}, asked for {before + amount * direction.unit:z.2f}"


def _read(edits: Edits, fitted: Fitted, name: str) -> float:
    known = readings(edits.name, edits.cls)
    if name in known.measured:
        return _measured(edits, fitted)[name]
    key = known, name, looking.digest(fitted.weights)
    return looking.SEEN.get(key, lambda: float(known.read(fitted.weights, name)[0]))


def _measured(edits: Edits, fitted: Fitted) -> dict[str, float]:
    """All attributes that are measured on the decoded network."""
    known = readings(edits.name, edits.cls)
    if not known.measured:
        return {}
    key = known, "measured", looking.digest(fitted.weights)
    return looking.SEEN.get(key, lambda: known.measure(fitted.weights).iloc[0].to_dict())


def _others(edits: Edits) -> list[tuple[str, str]]:
    """Which of the attributes that were not asked for have moved, of those that are measured."""
    found = directions(edits.name, edits.cls)
    before, after = (_measured(edits, fitted) for fitted in (edits.origin, edits.fitted))
    asked = {found[name].attribute for name, amount in edits.amounts.items() if amount}
    names = [name for name in before if name in found and name not in asked and found[name].unit]
    moved = {name: (after[name] - before[name]) / found[name].unit for name in names}
    gone = [f"{name} by {steps:+.1f} steps" for name, steps in moved.items() if not abs(steps) <= STAYS]
    if not names:
        return []
    stay = len(names) - len(gone)
    return [("others", ", ".join([f"{stay} of {len(names)} stay", *gone]) if gone else f"all {stay} stay")]
