"""A projection with the visitor's own parameters, with progress and a Stop button, and scores of its faithfulness."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from app.components.plotly_chart import chart_update
from app.shared import networks
from app.shell import compute, snippets
from app.shell.jobs import HALT, Job, Step, said_in_line
from app.tabs.atlas.map import OWN, View, Visit, highlights, map_figure, methods_of, points_of
from app.tabs.atlas.widgets import AtlasTab, Projecting

SECONDS = 120.0  # limit of a projection: visitors' work takes turns, and others wait
METHODS = [("UMAP", "umap"), ("t-SNE", "tsne"), ("PCA", "pca")]


def build() -> Projecting:
    with gr.Row():
        method = gr.Radio(METHODS, value="umap", label="Method", min_width=200)
        dims = gr.Radio([("2D", 2), ("3D", 3)], value=2, label="View", min_width=110)
        metric = gr.Radio(["cosine", "euclidean"], value="euclidean", label="UMAP's metric", min_width=180)
    with gr.Row():
        neighbours = gr.Slider(2, 100, value=30, step=1, label="Neighbours (half of t-SNE's perplexity)")
        min_dist = gr.Slider(0, 1, value=0.3, step=0.05, label="Least distance (UMAP)")
    with gr.Row():
        start = gr.Button("Compute", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0, elem_classes=HALT)
        judge = gr.Button("Judge the map on screen", min_width=200, scale=0)
    job = Job("projection", start, stop, gr.HTML(), "a projection")
    return Projecting(method, dims, neighbours, min_dist, metric, job, judge)


def wire(tab: AtlasTab) -> None:
    asked, shown = tab.projecting.settings, [tab.visit, tab.method, tab.dims, tab.chart, tab.faith]
    tab.job.wire(Step(tab.bind(project), {*tab.inputs, *asked}, shown))
    tab.projecting.believe.click(tab.bind(believe), tab.inputs, tab.faith, **compute.LOOK, **compute.PRIVATE)


@said_in_line
def project(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Computes a projection and shows it."""
    from wsr.analysis import ProjectionConfig, project_stream

    seen, stop = tab.seen(values), tab.job.stop_file(request)
    method, dims, neighbours, min_dist, metric = (values[widget] for widget in tab.projecting.settings)
    config = ProjectionConfig(method, int(dims), int(neighbours), float(min_dist), metric)
    stream = project_stream(networks.weights(seen.view.name).float().numpy(), config, seconds=SECONDS)
    try:
        for record in stream:
            if stop.exists():
                yield {tab.job.state: snippets.settled("Stopped.")}
                return
            if record.found is None:
                said = f"{dict((b, a) for a, b in METHODS)[method]}: {record.seconds:.0f} s so far"
                yield {tab.job.state: snippets.working(said)}
    finally:
        stream.close()
    visit, name = seen.visit, seen.view.name
    visit = replace(visit, projections={**visit.projections, (name, config.dims): record.found.coordinates})
    view = replace(seen.view, method=OWN, dims=config.dims)
    marks = highlights(view, seen.item, visit)
    yield {
        tab.job.state: snippets.settled(f"Done in {record.seconds:.0f} s: it is on screen, as “{OWN}”."),
        tab.visit: visit,
        tab.method: gr.update(choices=methods_of(name, visit), value=OWN),
        tab.dims: config.dims,
        tab.chart: chart_update(figure=map_figure(view, visit), highlight=marks),
        tab.faith: judged(view, visit),
    }


@compute.guarded
def believe(tab: AtlasTab, values: dict[Any, Any]) -> dict[Any, Any]:
    seen = tab.seen(values)
    return {tab.faith: judged(seen.view, seen.visit)}


def judged(view: View, visit: Visit) -> str:
    """Scores of how faithful the map on screen is, as HTML."""
    from wsr.analysis import LEAST_JUDGED, faithfulness

    points = points_of(view, visit)
    known = np.isfinite(points).all(axis=1)
    if known.sum() < LEAST_JUDGED:
        return snippets.settled(f"A map of fewer than {LEAST_JUDGED} points cannot be judged.")
    found = faithfulness(networks.weights(view.name).float().numpy()[known], points[known])
    return snippets.ledger(
        [
            (
                "trustworthiness",
                f"{found.trustworthiness:.2f}: 1 means that all neighbours on the map are near in weight space",
            ),
            (
                "neighbours kept",
                f"{found.overlap:.0%} of the {found.k} nearest in weight space are among the {found.k} nearest on the "
                "map",
            ),
        ]
    )
