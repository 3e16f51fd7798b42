"""A chart as several tabs show it: a column with a label above the chart and a caption below."""

from typing import Any

import gradio as gr

from app.components.plotly_chart import PlotlyChart
from app.shell import snippets


def charted(label: str, caption: str, figure: Any = None, *, scale: int = 1, **chart: Any) -> PlotlyChart:
    """Lays out the column and returns its chart. figure: what is drawn at first; None shows the placeholder. chart: the
    other arguments of `PlotlyChart`."""
    with gr.Column(min_width=320, scale=scale, elem_classes="wsr-tight"):
        gr.HTML(snippets.label(label))
        made = PlotlyChart(figure, **chart)
        gr.HTML(snippets.caption(caption))
    return made
