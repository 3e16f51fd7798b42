"""The Atlas's controls: what there is to choose for each data set and representation."""

from typing import Any

import gradio as gr

from app.shared import library
from app.shared.palette import NAMES
from app.tabs.atlas.map import FORMS, METRICS, View, Visit, methods_of
from wsr import representations
from wsr.errors import unknown_name

NONE = "none"
FIRST = "mlora-asym"  # the representation that the tab opens with


def datasets() -> list[str]:
    return list(dict.fromkeys(library.collection(name).dataset for name in library.collection_names()))


def kinds_of(dataset: str) -> list[str]:
    """The representations of a data set that have a map."""
    there = {library.collection(name).representation for name in library.collection_names() if name.startswith(dataset)}
    return [name for name in representations if name in there]


def first_view(dataset: str, representation: str = FIRST) -> View:
    if dataset not in datasets():
        raise unknown_name("data set", dataset, datasets())
    kinds = kinds_of(dataset)
    kind = representation if representation in kinds else kinds[-1]
    found = library.collection(f"{dataset}-{kind}")
    method, dims = next(iter(found.maps))
    return View(dataset, kind, method, dims)


def build(view: View) -> list[Any]:
    """[representation, projection, view, colour, only], in a row"""
    with gr.Row(elem_classes="wsr-later"):
        kind = gr.Dropdown(**_kinds(view), label="Representation", min_width=150)
        method = gr.Radio(**_methods(view, Visit()), label="Projection", min_width=190)
        dims = gr.Radio(**_sizes(view), label="View", min_width=110)
        colour = gr.Dropdown(**_colours(view), label="Colour", min_width=130)
        only = gr.Dropdown(**_classes(view), label="Find a class", multiselect=True, min_width=150)
    return [kind, method, dims, colour, only]


def _kinds(view: View) -> dict[str, Any]:
    return {"choices": [(NAMES[kind], kind) for kind in kinds_of(view.dataset)], "value": view.representation}


def _methods(view: View, visit: Visit) -> dict[str, Any]:
    return {"choices": methods_of(view.name, visit), "value": view.method}


def _sizes(view: View) -> dict[str, Any]:
    sizes = sorted({dims for _, dims in library.collection(view.name).maps})
    return {"choices": [(f"{dims}D", dims) for dims in sizes], "value": view.dims}


def _colours(view: View) -> dict[str, Any]:
    return {"choices": library.columns(view.name), "value": view.colour}


def _classes(view: View) -> dict[str, Any]:
    return {"choices": sorted(set(library.collection(view.name).classes)), "value": list(view.only)}


def others(view: View) -> list[tuple[str, str]]:
    kinds = [kind for kind in kinds_of(view.dataset) if kind != view.representation]
    return [("nothing", NONE), *((NAMES[kind], kind) for kind in kinds)]


def linked(given: dict[str, str]) -> tuple[View, str, str]:
    """What a link says: the view, the item, and which representation stands beside it. WsrError for what is not
    there."""
    first = first_view(given.get("data", datasets()[0]), given.get("kind", FIRST))
    only = [cls for cls in given.get("only", "").split(",") if cls]
    rest = [given.get("colour", library.CLASS), only, given.get("near", METRICS[0]), given.get("form", FORMS[0])]
    view = View.of(
        [first.dataset, first.representation, given.get("map", first.method), given.get("dims", first.dims), *rest]
    )
    library.collection(view.name).points(view.method, view.dims)
    item = given.get("pick") or library.first_pick(view.name)
    library.collection(view.name).position(item)
    beside = given.get("beside", NONE)
    if beside not in (there := [name for _, name in others(view)]):
        raise unknown_name("representation beside it", beside, there)
    return view, item, beside


def updates(view: View, visit: Visit) -> list[Any]:
    """What the controls of `build` offer for this view, and what is chosen."""
    parts = (_kinds(view), _methods(view, visit), _sizes(view), _colours(view), _classes(view))
    return [gr.update(**part) for part in parts]
