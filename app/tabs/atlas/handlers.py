"""Handlers of the Atlas tab. They get the page's values as a dict by widget, because a dozen widgets are read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.components.plotly_chart import chart_update, chosen_ids, picked_at, picked_id
from app.shared import library
from app.shell import compute, session, snippets
from app.shell.tabs import Widgets
from app.tabs.atlas import beside, controls, panel, selection
from app.tabs.atlas.controls import NONE, datasets, first_view, others
from app.tabs.atlas.map import View, Visit, highlights, map_figure
from app.tabs.atlas.place import beside_nearest, place_fit
from app.tabs.atlas.widgets import AtlasTab


def restore(tab: AtlasTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    view, item, second = controls.linked(given)
    return {
        tab.dataset: view.dataset,
        **tab.offer(view, Visit()),
        tab.metric: view.metric,
        tab.form: view.form,
        tab.picked: item,
        tab.compare: gr.update(choices=others(view), value=second),
        tab.other_column: beside.column(second != NONE),
        tab.other: gr.skip() if second == NONE else beside.shown(view, second, item, Visit()),
        tab.table: snippets.probes(library.probes(view.dataset), view.representation),
    }


def _filled(tab: AtlasTab, parts: Iterable[panel.Panel], first: dict[Any, Any] | None = None) -> Iterator[dict]:
    """Yields the parts of an answer by widget. first: further values of the first part."""
    for part in parts:
        yield tab.fill(part) | (first or {})
        first = None


@compute.guarded
def opened(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Fills the panel once the map is on screen: with the item that it was built with, or the one that a link names."""
    seen = tab.seen(values)
    plain = seen.view == first_view(datasets()[0])
    linked = {} if plain else {"figure": map_figure(seen.view, seen.visit)}
    shown = panel.show(seen.view, seen.item, seen.visit, **linked)
    yield from session.newest(request, _filled(tab, shown))
    tab.when_seen()


@compute.guarded
def pick(
    tab: AtlasTab, values: dict[Any, Any], event: gr.EventData, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    seen, item = tab.seen(values), picked_id(event)
    library.collection(seen.view.name).position(item)
    yield from session.newest(request, _filled(tab, panel.show(seen.view, item, seen.visit)), at=picked_at(event))


@compute.guarded
def change_view(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    seen = tab.seen(values)
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
    view, item, visit = controls.carried(tab.chosen(values)), values[tab.picked], values[tab.visit]
    item = item if item in library.collection(view.name).ids else library.first_pick(view.name)
    hidden = gr.update(visible=False)
    changed = {
        **tab.offer(view, visit),
        tab.compare: gr.update(choices=others(view), value=NONE),
        tab.other_column: beside.column(False),
        tab.selection: [],
        tab.said: selection.summary(view.name, []),
        tab.export: hidden,
        tab.files: hidden,
        tab.table: snippets.probes(library.probes(view.dataset), view.representation),
    }
    shown = panel.show(view, item, visit, figure=map_figure(view, visit), selected=[])
    yield from session.newest(request, _filled(tab, shown, changed))


@compute.guarded
def choose(tab: AtlasTab, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
    """Shows the summary of the points that a box or a lasso has selected."""
    name = tab.seen(values).view.name
    ids = selection.checked(name, chosen_ids(event))
    both = chart_update(selected=ids)
    return {
        tab.chart: both,
        tab.other: both,
        tab.selection: ids,
        tab.said: selection.summary(name, ids),
        tab.export: gr.update(visible=bool(ids)),
        tab.files: gr.update(visible=False),
    }


@compute.guarded
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
def mark(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    """Marks the picked item on the second map."""
    if values[tab.compare] == NONE:
        return gr.skip()
    seen = tab.seen(values)
    return {tab.other: beside.marked(seen.view, seen.beside, seen.item, seen.visit)}


@dataclass
class Placing(Widgets):
    """Widgets that change when another tab's network is put onto the map. atlas: those of the Atlas. tabs: the row of
    tabs. state: the other tab's line of messages."""

    atlas: AtlasTab
    tabs: gr.Tabs
    state: gr.HTML


def place(on: Placing, fitted: Any, visit: Visit, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Puts another tab's network onto the map and opens the Atlas. Errors are shown in the tab that the visitor came
    from."""
    tab = on.atlas
    try:
        visit, found, nearest = place_fit(fitted, visit)
    except Exception as error:
        yield {on.state: snippets.failed(compute.sentence(error))}
        return
    view: View = first_view(found.dataset, found.representation)
    there = {on.tabs: gr.update(selected="atlas"), tab.visit: visit, tab.dataset: view.dataset}
    shown = panel.show(view, nearest, visit, figure=map_figure(view, visit))
    pair = partial(beside_nearest, fitted, found, nearest)
    yield from session.newest(request, _with_pair(tab, _filled(tab, shown, there | tab.offer(view, visit)), pair))


def _with_pair(
    tab: AtlasTab, shown: Iterator[dict[Any, Any]], pair: Callable[[], tuple[str, str]]
) -> Iterator[dict[Any, Any]]:
    """Shows a visitor's network beside the nearest one, where the panel would show the nearest one alone."""
    frame, hidden = partial(gr.update, visible=True), gr.update(visible="hidden")
    drawn = snippets.being_drawn(["yours", "the nearest"])
    waiting = {tab.frame: frame(value=drawn), tab.surface: hidden, tab.facts: ""}
    for part in shown:
        yield part | waiting
        if tab.heat in part:  # what comes after it only draws the nearest one alone
            break
    pictures, said = pair()
    yield {tab.frame: frame(value=pictures), tab.facts: said}
