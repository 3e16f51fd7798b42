"""The controls of the Atlas, and their choices for each data set and representation."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from app.shared import library, own
from app.shared.palette import NAMES
from app.shell.address import Nothing, NotInLinks
from app.tabs.atlas.map import FORMS, METRICS, OWN, View, Visit, methods_of
from wsr.errors import unknown_name
from wsr.fields import registry
from wsr.formats.tables import attribute_of

GONE = (
    "This link was made with a visitor's own projection. Links do not contain it, and it is lost when its page is "
    "closed. The map is shown with another projection; you can compute your own again."
)
NONE = "none"
CHOICES = ("representation", "method", "dims", "colour", "only")  # controls whose choices depend on the collection
FIRST = registry.DEFAULT  # the representation that the tab opens with


def datasets() -> list[str]:
    return list(dict.fromkeys(library.collection(name).dataset for name in library.collection_names()))


def opening() -> str:
    """The data set that the tab opens with: the one of whose networks the class is best told by the nearest other one
    (Table 4, weights as they are), because its map shows at once that classes lie together. Where nothing has been
    measured, the first."""

    def told(dataset: str) -> float:
        rows = [row for row in library.probes(dataset) if row["representation"] == FIRST]
        return max((row["1-NN"] for row in rows), default=0.0)

    return max(datasets(), key=told)


def kinds_of(dataset: str) -> list[str]:
    """The representations of a data set that have a map."""
    there = {found.representation for found in library.collections_of(dataset)}
    return [name for name in registry.readable() if name in there]


def first_view(dataset: str, representation: str = FIRST) -> View:
    if dataset not in datasets() and not own.find(dataset):
        raise unknown_name("data set", dataset, datasets())
    kinds = kinds_of(dataset)
    kind = representation if representation in kinds else kinds[-1]
    found = library.collection(library.name_of(dataset, kind))
    method, dims = next(iter(found.maps))
    return View(dataset, kind, method, dims)


def build(view: View) -> dict[str, Any]:
    """Lays the controls out in a row and returns them by name."""
    offers = offered(view, Visit())
    with gr.Row(elem_classes="wsr-later"):
        return {
            "representation": gr.Dropdown(**offers["representation"], label="Representation", min_width=150),
            "method": gr.Radio(**offers["method"], label="Projection", min_width=190),
            "dims": gr.Radio(**offers["dims"], label="View", min_width=110),
            "colour": gr.Dropdown(**offers["colour"], label="Colour", min_width=170),
            "only": gr.Dropdown(**offers["only"], label="Only these classes", multiselect=True, min_width=150),
        }


def offered(view: View, visit: Visit) -> dict[str, dict[str, Any]]:
    """Choices and value of each control in CHOICES for this view."""
    found = library.collection(view.name)
    sizes = sorted({dims for _, dims in found.maps})
    choices = {
        "representation": [(NAMES[kind], kind) for kind in kinds_of(view.dataset)],
        "method": methods_of(view.name, visit),
        "dims": [(f"{dims}D", dims) for dims in sizes],
        "colour": [(attribute_of(column), column) for column in library.columns(view.name)],
        "only": sorted(set(found.classes)),
    }
    values = {name: getattr(view, name) for name in CHOICES} | {"only": list(view.only)}
    return {name: {"choices": choices[name], "value": values[name]} for name in CHOICES}


def carried(chosen: Mapping[str, Any]) -> View:
    """The view of another collection, which keeps the visitor's choices as far as this collection offers them.
    chosen: values from the page."""
    first = first_view(str(chosen["dataset"]), str(chosen["representation"]))
    found = library.collection(first.name)
    there = (chosen["method"], int(chosen["dims"])) in found.maps
    method, dims = (chosen["method"], int(chosen["dims"])) if there else (first.method, first.dims)
    colour = chosen["colour"] if chosen["colour"] in library.columns(first.name) else library.CLASS
    only = tuple(cls for cls in chosen["only"] or () if cls in found.classes)
    return View(first.dataset, first.representation, method, dims, colour, only, chosen["metric"], chosen["form"])


def others(view: View) -> list[tuple[str, str]]:
    kinds = [kind for kind in kinds_of(view.dataset) if kind != view.representation]
    return [("nothing", NONE), *((NAMES[kind], kind) for kind in kinds)]


def linked(given: dict[str, str]) -> tuple[View, str, str]:
    """The view, the item, and the representation of the second map that a link names. WsrError for an unknown name."""
    if own.is_own(given.get("data")):
        raise Nothing(own.PRIVATE)
    first = first_view(given.get("data", opening()), given.get("kind", FIRST))
    only = [cls for cls in given.get("only", "").split(",") if cls]
    if given.get("kind", first.representation) != first.representation:
        raise unknown_name("representation", given["kind"], kinds_of(first.dataset))
    if given.get("map") == OWN:
        raise NotInLinks(GONE)
    view = View.of(
        first.dataset, first.representation, given.get("map", first.method), given.get("dims", first.dims),
        given.get("colour", library.CLASS), only, given.get("near", METRICS[0]), given.get("form", FORMS[0]),
    )  # fmt: skip
    library.collection(view.name).points(view.method, view.dims)
    item = given.get("pick") or library.first_pick(view.name)
    library.collection(view.name).position(item)
    beside = given.get("beside", NONE)
    if beside not in (there := [name for _, name in others(view)]):
        raise unknown_name("representation of the second map", beside, there)
    return view, item, beside
