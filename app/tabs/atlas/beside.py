"""A second map beside the atlas: the same networks in another representation, picked and selected together."""

from typing import Any

import gradio as gr

from app.components.plotly_chart import chart_update
from app.shared import library, sheets
from app.shell import compute
from app.tabs.atlas.controls import NONE, first_view
from app.tabs.atlas.map import View, Visit, highlights, map_figure


@compute.guarded
def compare(*values: Any) -> tuple:
    """[the column beside the map, its chart]"""
    *controls, item, visit, beside, ids = values
    view = View.of(controls)
    if beside == NONE:
        return gr.update(visible=False), chart_update(figure=None)
    found = shown(view, beside, item, visit)
    return gr.update(visible=True), {**found, "selected": ids}


@compute.guarded
def mark(*values: Any) -> Any:
    """What was picked, on the chart beside."""
    *controls, item, visit, beside = values
    if beside == NONE:
        return gr.skip()
    view = _view(View.of(controls), beside)
    return chart_update(highlight=highlights(view, item, visit))


def _view(view: View, beside: str) -> View:
    """The same map of another representation, or, where it has none, its first."""
    first = first_view(view.dataset, beside)
    there = (view.method, view.dims) in library.collection(first.name).maps
    place = (view.method, view.dims) if there else (first.method, first.dims)
    return View(view.dataset, first.representation, *place, view.colour, view.only, view.metric, view.form)


def shown(view: View, beside: str, item: str, visit: Visit) -> Any:
    if beside == NONE:
        return gr.skip()
    view = _view(view, beside)
    return chart_update(
        figure=map_figure(view, visit), highlight=highlights(view, item, visit), sprite=sheets.shared(view.name)
    )
