"""Handlers of the Atlas tab. They get the page's values as a dict by widget, because a dozen widgets are read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from app.components.plotly_chart import chart_update, chosen_ids, picked_at, picked_id
from app.shared import library
from app.shell import compute, session, snippets
from app.tabs.atlas import beside, controls, panel, selection
from app.tabs.atlas.coming import of_this_map
from app.tabs.atlas.controls import NONE, first_view, opening, others
from app.tabs.atlas.map import View, Visit, highlights, map_figure, there
from app.tabs.atlas.search import search
from app.tabs.atlas.widgets import AtlasTab, Seen

# What answers are about that only draw, mark or judge the map on screen. Another collection ends them.
VIEW, NEIGHBOURS, BESIDE, JUDGED = OF_THE_MAP = ("view", "neighbours", "beside", "judged")


def about(
    tab: AtlasTab, handler: Callable[[AtlasTab, dict], Any], *topics: str
) -> Callable[[dict, gr.Request], Iterator]:
    """Makes the answer of a handler end when the visitor asks for the same again, or for another collection: it would
    come late, and be about what they have left. If another one is on its way, it is asked for again, with what they
    have chosen now: the answer on its way does not know of it. topics: see `session.newest`."""

    def answer(values: dict[Any, Any], request: gr.Request) -> Iterator[Any]:
        if tab.is_coming(values):
            yield from collection_shown(tab, values, request, {})
        else:
            yield from session.newest(request, map(partial(handler, tab), [values]), *topics)

    answer.__name__ = handler.__name__
    return compute.guarded(answer)


def restore(tab: AtlasTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    view, item, second = controls.linked(given)
    return {
        tab.dataset: view.dataset,
        **tab.offer(view, Visit()),
        tab.metric: view.metric,
        tab.form: view.form,
        tab.picked: item,
        tab.find: given.get("find", ""),
        tab.compare: gr.update(choices=others(view), value=second),
        tab.other_column: beside.column(second != NONE),
        tab.other: gr.skip() if second == NONE else beside.shown(view, second, item, Visit()),
        tab.table: _probes(view),
        tab.faith: "",
    }


def _probes(view: View) -> str:
    """Accuracies of classifiers of weights, as HTML."""
    return snippets.probes(library.probes(view.dataset), view.representation)


def _filled(tab: AtlasTab, parts: Iterable[panel.Panel], first: dict[Any, Any] | None = None) -> Iterator[dict]:
    """Yields the parts of an answer by widget. first: further values of the first part."""
    for part in parts:
        yield tab.fill(part) | (first or {})
        first = None


@compute.guarded
def opened(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Fills the panel once the map is on screen: with the item that it was built with, or the one that a link names."""
    plain = tab.seen(values).view == first_view(opening()) and not values[tab.find]
    yield from _whole(tab, values, request, drawn=plain)
    tab.when_seen()


@compute.guarded
def followed(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Draws the map and fills the panel after a link, whatever was on screen before."""
    yield from _whole(tab, values, request)


def _whole(tab: AtlasTab, values: dict[Any, Any], request: gr.Request, drawn: bool = False) -> Iterator[dict]:
    """drawn: whether the map is on the page already."""
    seen = tab.seen(values)
    ids, found = _found(tab, seen.view.name, values[tab.find])
    chart = {} if drawn else {"figure": map_figure(seen.view, seen.visit), "selected": ids}
    shown = panel.show(seen.view, seen.item, seen.visit, still=True, **chart)
    yield from session.newest(request, _filled(tab, shown, {**found, tab.on_map: seen.view.name}))


@compute.guarded
def pick(tab: AtlasTab, values: dict[Any, Any], event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
    item = picked_id(event)
    if tab.is_coming(values):
        if item in library.collection(tab.asked(values)).ids:
            yield from collection_shown(tab, values | {tab.picked: item}, request, {})
        yield gr.skip()
        return
    seen = tab.seen(values)
    library.collection(seen.view.name).position(item)
    shown = _filled(tab, panel.show(seen.view, item, seen.visit))
    yield from session.newest(request, shown, "", NEIGHBOURS, at=picked_at(event))


@compute.guarded
@of_this_map
def turn(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Replaces the picture of a shape by its surface, which can be turned."""
    seen = tab.seen(values)
    yield from session.newest(request, _filled(tab, panel.turned(seen.view.name, seen.item)))


@compute.guarded
def change_dims(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    return change_view(tab, values, kept="dims")


@compute.guarded
def change_view(tab: AtlasTab, values: dict[Any, Any], kept: str = "method") -> dict[Any, Any]:
    """Draws the map that the controls ask for, and says so in them: the answer about another representation, which was
    on its way, may have set them back meanwhile. kept: see `map.there`."""
    seen = tab.seen(values)
    seen = replace(seen, view=there(seen.view, seen.visit, kept))
    chosen = {getattr(tab, name): part["value"] for name, part in controls.offered(seen.view, seen.visit).items()}
    return drawn(tab, seen) | chosen


def drawn(tab: AtlasTab, seen: Seen) -> dict[Any, Any]:
    """The map, and the second one if there is one, in the view that is to be seen."""
    marks = highlights(seen.view, seen.item, seen.visit)
    shown = {tab.chart: chart_update(figure=map_figure(seen.view, seen.visit), highlight=marks), tab.faith: ""}
    if seen.beside != NONE:
        shown[tab.other] = beside.shown(seen.view, seen.beside, seen.item, seen.visit)
    return shown


@compute.guarded
def change_neighbours(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    seen = tab.seen(values)
    marks = chart_update(highlight=highlights(seen.view, seen.item, seen.visit))
    return {tab.chart: marks, tab.nearest: panel.neighbour_items(seen.view, seen.item)}


@compute.guarded
def change_collection(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Shows another data set or representation. If only the representation changes, the picked item stays."""
    yield from collection_shown(tab, values, request, {})


def collection_shown(tab: AtlasTab, values: dict[Any, Any], request: gr.Request, more: dict) -> Iterator[dict]:
    """Shows the collection that the controls name. more: further values of the first part of the answer."""
    view, item, visit = controls.carried(tab.chosen(values)), values[tab.picked], values[tab.visit]
    item = item if item in library.collection(view.name).ids else library.first_pick(view.name)
    asked = values[tab.find] if item == values[tab.picked] else ""
    second = values[tab.compare] if values[tab.compare] in dict(others(view)).values() else NONE
    screens = whole_map(tab, view, item, visit, asked, second, more)
    yield from session.newest(request, screens, "", *OF_THE_MAP)


def whole_map(
    tab: AtlasTab, view: View, item: str, visit: Visit, asked: str, second: str, more: dict[Any, Any]
) -> Iterator[dict[Any, Any]]:
    """Yields a collection's map and its panel, and all that is said of a map. asked: the text that is searched for;
    second: the representation of the second map; more: further values of the first part."""
    ids, found = _found(tab, view.name, asked)
    changed = {
        **found,
        tab.find: asked,
        tab.on_map: view.name,
        **tab.offer(view, visit),
        tab.compare: gr.update(choices=others(view), value=second),
        tab.other_column: beside.column(second != NONE),
        tab.other: gr.skip() if second == NONE else {**beside.shown(view, second, item, visit), "selected": ids},
        tab.table: "" if view.dataset in visit.own else _probes(view),
        tab.faith: "",
        **more,
    }
    shown = panel.show(view, item, visit, figure=map_figure(view, visit), selected=ids)
    yield from _filled(tab, shown, changed)


@compute.guarded
@of_this_map
def choose(tab: AtlasTab, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
    """Shows the summary of the points that a box or a lasso has selected."""
    name = tab.seen(values).view.name
    ids = selection.checked(name, chosen_ids(event))
    return {**_selected(tab, name, ids), **_bright(tab, ids), tab.find: "", tab.found: ""}


def _selected(tab: AtlasTab, name: str, ids: list[str]) -> dict[Any, Any]:
    """What is said of a selection, and offered for it."""
    return {
        tab.selection: ids,
        tab.said: selection.summary(name, ids),
        tab.export: gr.update(visible=bool(ids)),
        tab.files: gr.update(visible=False),
    }


def _bright(tab: AtlasTab, ids: list[str]) -> dict[Any, Any]:
    return dict.fromkeys((tab.chart, tab.other), chart_update(selected=ids))


def _found(tab: AtlasTab, name: str, text: Any) -> tuple[list[str], dict[Any, Any]]:
    """The items that a text names, and what the page says of them."""
    found = search(name, text)
    said = snippets.settled(found.said) if found.said else ""
    return found.ids, {**_selected(tab, name, found.ids), tab.found: said}


@compute.guarded
@of_this_map
def find(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    """Marks what a text names on both maps. A text that was taken away because something else is selected now changes
    nothing."""
    if not values[tab.find] and not values[tab.found]:
        return gr.skip()
    ids, found = _found(tab, tab.seen(values).view.name, values[tab.find])
    return {**found, **_bright(tab, ids)}


@compute.guarded
@of_this_map
def open_found(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Opens the only item that a text names."""
    seen = tab.seen(values)
    if item := search(seen.view.name, values[tab.find]).one:
        yield from session.newest(request, _filled(tab, panel.show(seen.view, item, seen.visit)))
    else:
        yield gr.skip()


@compute.guarded
@of_this_map
def export(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
    seen = tab.seen(values)
    ids = selection.checked(seen.view.name, seen.selection)
    files = selection.export(seen.view.name, ids, session.session_dir(request))
    return {tab.files: gr.update(value=files, visible=True)}


@compute.guarded
def compare(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    """Shows or hides a second map beside the first."""
    seen = tab.seen(values)
    if seen.beside == NONE:
        return {tab.other_column: beside.column(False), tab.other: chart_update(figure=None)}
    shown = beside.shown(seen.view, seen.beside, seen.item, seen.visit)
    return {tab.other_column: beside.column(True), tab.other: {**shown, "selected": seen.selection}}


@compute.guarded
@of_this_map
def mark(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    """Marks the picked item on the second map."""
    if values[tab.compare] == NONE:
        return gr.skip()
    seen = tab.seen(values)
    return {tab.other: beside.marked(seen.view, seen.beside, seen.item, seen.visit)}
