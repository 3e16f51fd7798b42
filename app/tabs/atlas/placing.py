"""Puts another tab's network onto the map."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.shell import compute, session, snippets
from app.shell.tabs import Widgets
from app.tabs.atlas.controls import NONE, first_view
from app.tabs.atlas.handlers import OF_THE_MAP, whole_map
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import beside_nearest, place_fit
from app.tabs.atlas.widgets import AtlasTab


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
    view = first_view(found.dataset, found.representation)
    opens = {on.tabs: gr.update(selected="atlas"), tab.visit: visit, tab.dataset: view.dataset}
    opens |= {tab.metric: view.metric, tab.form: view.form}
    # nothing stays of the map before: what was selected on it, looked for, or shown beside it
    shown = whole_map(tab, view, nearest, visit, "", NONE, opens)
    answer = _with_pair(tab, shown, partial(beside_nearest, fitted, found, nearest))
    yield from session.newest(request, answer, "", *OF_THE_MAP)


def _with_pair(
    tab: AtlasTab, shown: Iterator[dict[Any, Any]], pair: Callable[[], tuple[str, str]]
) -> Iterator[dict[Any, Any]]:
    """Shows a visitor's network beside the nearest one, where the panel would show the nearest one alone."""
    frame, hidden = partial(gr.update, visible=True), gr.update(visible="hidden")
    alone = {tab.turn: gr.update(visible=False)}  # it would turn the nearest alone, in place of both
    waiting = {tab.frame: frame(value=snippets.being_drawn(["yours", "the nearest"])), tab.surface: hidden} | alone
    for part in shown:
        yield part | waiting | {tab.facts: ""}
        if tab.heat in part:  # what comes after it only draws the nearest one alone
            break
    pictures, said = pair()
    yield {tab.frame: frame(value=pictures), tab.facts: said}
