"""A visitor's view of the atlas, and its figures."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from app.figures.atlas import Points, atlas_figure
from app.shared import library, networks
from app.shared.maps import METHODS
from app.shared.palette import NAMES
from wsr.errors import WsrError, unknown_name
from wsr.formats.tables import attribute_of

OWN = "yours"  # the projection that a visitor has computed
METRICS = ("cosine", "l2")
FORMS = ("raw", "canonical")


@dataclass
class Visit:
    """A visitor's additions to the map. name: the collection on whose maps their fit is placed. label, points: the
    fit's label, and its coordinates by (method, dims). projections: those that they have computed, by (collection,
    dims). own: names of the zoos that they have brought."""

    name: str = ""
    label: str = "yours"
    points: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    projections: dict[tuple[str, int], Float[np.ndarray, "n d"]] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """The state of the map's controls."""

    dataset: str
    representation: str
    method: str
    dims: int
    colour: str = library.CLASS
    only: tuple[str, ...] = ()
    metric: str = METRICS[0]
    form: str = FORMS[0]

    @classmethod
    def of(
        cls, dataset: Any, representation: Any, method: Any, dims: Any, colour: Any = library.CLASS, only: Any = (),
        metric: Any = METRICS[0], form: Any = FORMS[0],
    ) -> "View":  # fmt: skip
        """Checks the page's values, which a visitor can forge. WsrError for an unknown one."""
        view = cls(
            str(dataset), str(representation), str(method), int(dims), str(colour), tuple(only or ()), metric, form
        )
        found = library.collection(view.name)
        if view.colour not in library.columns(view.name):
            raise unknown_name("colour", view.colour, library.columns(view.name))
        for name in view.only:
            if name not in found.classes:
                raise unknown_name("class", name, sorted(set(found.classes)))
        if metric not in METRICS or form not in FORMS:
            raise WsrError(f"Neighbours need a metric (one of {METRICS}) and a form (one of {FORMS}).")
        return view

    @cached_property
    def name(self) -> str:
        """Name of the collection. WsrError if there is none."""
        return library.name_of(self.dataset, self.representation)


def points_of(view: View, visit: Visit) -> Float[np.ndarray, "n d"]:
    """Coordinates of the collection's items, NaN for items that are not on the map."""
    if view.method == OWN:
        if (view.name, view.dims) not in visit.projections:
            raise WsrError("You have not computed a projection for this map yet: compute one first.")
        return visit.projections[view.name, view.dims]
    return library.collection(view.name).points(view.method, view.dims)


def there(view: View, visit: Visit, kept: str) -> View:
    """The view; where a visitor has computed no projection for so many dimensions, another one. kept: what of it stays
    as it is, "method" or "dims"."""
    sizes = [dims for name, dims in visit.projections if name == view.name]
    if view.method != OWN or view.dims in sizes:
        return view
    if kept == "method" and sizes:
        return replace(view, dims=sizes[0])
    maps = library.collection(view.name).maps
    return replace(view, method=next(method for method, dims in maps if dims == view.dims))


def methods_of(name: str, visit: Visit) -> list[str]:
    """Names of a collection's projections, the visitor's own last."""
    found = library.collection(name)
    own = [OWN] if any(of == name for of, _ in visit.projections) else []
    return [method for method in METHODS if any(m == method for m, _ in found.maps)] + own


def map_figure(view: View, visit: Visit) -> dict[str, Any]:
    found = library.collection(view.name)
    points = points_of(view, visit)  # (n, d)
    on_map = np.flatnonzero(np.isfinite(points).all(axis=1))
    column = networks.column(view.name, view.colour)
    return atlas_figure(
        Points(
            points[on_map],
            [found.classes[i] for i in on_map],
            [found.labels[i] for i in on_map],
            [found.ids[i] for i in on_map],
            cells=[found.rows[i] for i in on_map],
        ),
        method=view.method,
        colour=(attribute_of(view.colour), column[on_map]),
        only=view.only,
        view=f"{view.name}/{view.method}/{view.dims}",
        title=NAMES[view.representation],
        named=view.colour == library.CLASS,
    )


def highlights(view: View, item: str, visit: Visit) -> list[dict[str, Any]]:
    """The points that are drawn on top: the picked one, its neighbours, and the visitor's fit if it is on this map."""
    marks = [{"id": other, "role": "neighbour"} for other, _ in neighbours(view, item)]
    marks.append({"id": item, "role": "picked"})
    own = visit.points.get((view.method, view.dims)) if visit.name == view.name else None
    if own:
        marks.append({"id": "", "role": "placed", "label": visit.label, **dict(zip("xyz", own, strict=False))})
    return marks


def neighbours(view: View, item: str) -> list[tuple[str, float]]:
    return networks.neighbours(view.name, item, metric=view.metric, form=view.form)
