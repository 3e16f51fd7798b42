"""A second map beside the atlas: the same networks in another representation, picked and selected together."""

from typing import Any

import gradio as gr

from app.components.plotly_chart import chart_update
from app.shared import library, sheets
from app.tabs.atlas.controls import first_view
from app.tabs.atlas.map import View, Visit, highlights, map_figure

SHOWN, HIDDEN = ["wsr-tight"], ["wsr-tight", "wsr-away"]  # classes of the second map's column


def column(shown: bool) -> dict[str, Any]:
    """An update of the column of the second map. It is hidden by the style sheet alone: gradio leaves room for a hidden
    column, and takes a chart out of an invisible one, which then loses its height and buttons to the first update."""
    return gr.update(elem_classes=SHOWN if shown else HIDDEN)


def _view(view: View, representation: str) -> View:
    """The view of another representation: with the same projection, or if it has none like it, with its first one."""
    first = first_view(view.dataset, representation)
    there = (view.method, view.dims) in library.collection(first.name).maps
    place = (view.method, view.dims) if there else (first.method, first.dims)
    return View(view.dataset, first.representation, *place, view.colour, view.only, view.metric, view.form)


def marked(view: View, representation: str, item: str, visit: Visit) -> dict[str, Any]:
    """Update of the second map that marks the picked item."""
    return chart_update(highlight=highlights(_view(view, representation), item, visit))


def shown(view: View, representation: str, item: str, visit: Visit) -> dict[str, Any]:
    """Update of the second map: its figure and the mark of the picked item."""
    view = _view(view, representation)
    return chart_update(
        figure=map_figure(view, visit), highlight=highlights(view, item, visit), sprite=sheets.shared(view.name)
    )
