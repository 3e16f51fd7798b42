"""Another projection of the map, with a visitor's own parameters: progress, stop, and how far to believe it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app.components.plotly_chart import chart_update
from app.shared import library
from app.shell import compute, snippets
from app.tabs.atlas.map import OWN, View, Visit, highlights, map_figure, methods_of, points_of

SECONDS = 120.0  # that a projection may take: visitors' work takes turns, and others wait for theirs
METHODS = [("UMAP", "umap"), ("t-SNE", "tsne"), ("PCA", "pca")]


@dataclass
class Widgets:
    method: gr.Radio
    dims: gr.Radio
    neighbours: gr.Slider
    min_dist: gr.Slider
    metric: gr.Radio
    compute: gr.Button
    stop: gr.Button
    state: gr.HTML
    believe: gr.Button

    @property
    def settings(self) -> list[Any]:
        return [self.method, self.dims, self.neighbours, self.min_dist, self.metric]


def build() -> Widgets:
    with gr.Row():
        method = gr.Radio(METHODS, value="umap", label="Method", min_width=200)
        dims = gr.Radio([("2D", 2), ("3D", 3)], value=2, label="View", min_width=110)
        metric = gr.Radio(["cosine", "euclidean"], value="euclidean", label="UMAP's metric", min_width=180)
    with gr.Row():
        neighbours = gr.Slider(2, 100, value=30, step=1, label="Neighbours (half of t-SNE's perplexity)")
        min_dist = gr.Slider(0, 1, value=0.3, step=0.05, label="Least distance (UMAP)")
    with gr.Row():
        start = gr.Button("Compute", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0)
        believe = gr.Button("Judge the map on screen", min_width=200, scale=0)
    return Widgets(method, dims, neighbours, min_dist, metric, start, stop, gr.HTML(), believe)


def wire(widgets: Widgets, inputs: list[Any], outputs: list[Any]) -> None:
    """outputs: [visit, projection, view, chart, faithfulness]."""
    buttons = [widgets.compute, widgets.stop]
    begun = widgets.compute.click(prepare, None, [widgets.state, *buttons], queue=False, **compute.PRIVATE)
    run = begun.then(
        project, [*inputs, *widgets.settings], [widgets.state, *buttons, *outputs], **compute.COMPUTE, **compute.PRIVATE
    )
    run.failure(refused, None, [widgets.state, *buttons], queue=False, **compute.PRIVATE)
    compute.wire_stop(widgets.stop, stop, widgets.state)
    widgets.believe.click(believe, inputs, outputs[-1], **compute.LOOK, **compute.PRIVATE)


def _stop_file(request: gr.Request) -> Path:
    return compute.session_dir(request) / "stop-projection"


def prepare(request: gr.Request) -> tuple:
    """[state, compute, stop]"""
    _stop_file(request).unlink(missing_ok=True)
    return snippets.working("Waiting for the machine …"), gr.update(interactive=False), gr.update(interactive=True)


def project(request: gr.Request, *values: Any) -> Iterator[tuple]:
    """[state, compute, stop, visit, projection, view, chart, faithfulness]. Errors are said in the page."""
    *controls, item, visit, method, dims, neighbours, min_dist, metric = values
    done = gr.update(interactive=True), gr.update(interactive=False)
    try:
        from wsr.analysis import ProjectionConfig, project_stream

        view = View.of(controls)
        config = ProjectionConfig(method, int(dims), int(neighbours), float(min_dist), metric)
        stream = project_stream(library.weights(view.name).float().numpy(), config, seconds=SECONDS)
        try:
            for record in stream:
                if _stop_file(request).exists():
                    yield snippets.settled("Stopped."), *done, *(gr.skip(),) * 5
                    return
                if record.found is None:
                    said = f"{dict((b, a) for a, b in METHODS)[method]}: {record.seconds:.0f} s so far"
                    yield snippets.working(said), *(gr.skip(),) * 7
        finally:
            stream.close()
        projections = {**visit.projections, (view.name, config.dims): record.found.coordinates}
        visit = Visit(visit.name, visit.label, visit.points, projections)
        view = View.of([view.dataset, view.representation, OWN, config.dims, *controls[4:]])
        said = snippets.settled(f"Done in {record.seconds:.0f} s: it is on screen, as “{OWN}”.")
        figure = chart_update(figure=map_figure(view, visit), highlight=highlights(view, item, visit))
        choices = gr.update(choices=methods_of(view.name, visit), value=OWN)
        yield said, *done, visit, choices, config.dims, figure, judged(view, visit)
    except Exception as error:
        yield snippets.failed(compute.sentence(error)), *done, *(gr.skip(),) * 5


def refused() -> tuple:
    """The queue was full or the connection broke: [state, compute, stop]."""
    text = "The machine has no room for a projection at the moment. Please try again in a minute."
    return snippets.failed(text), gr.update(interactive=True), gr.update(interactive=False)


def stop(request: gr.Request) -> None:
    _stop_file(request).touch()


@compute.guarded
def believe(*values: Any) -> str:
    *controls, _, visit = values
    return judged(View.of(controls), visit)


def judged(view: View, visit: Visit) -> str:
    """Scores of the map on screen, in words."""
    from wsr.analysis import LEAST_JUDGED, faithfulness

    points = points_of(view, visit)
    known = np.isfinite(points).all(axis=1)
    if known.sum() < LEAST_JUDGED:
        return snippets.settled(f"A map of fewer than {LEAST_JUDGED} points cannot be judged: nothing is near or far.")
    found = faithfulness(library.weights(view.name).float().numpy()[known], points[known])
    return snippets.ledger(
        [
            (
                "trustworthiness",
                f"{found.trustworthiness:.2f}: 1 where all that is near on the map is near in the weights",
            ),
            (
                "neighbours kept",
                f"{found.overlap:.0%} of the {found.k} nearest weights are the {found.k} nearest on the map",
            ),
        ]
    )
