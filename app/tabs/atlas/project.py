"""A projection with the visitor's own parameters, with progress and a Stop button, and scores of its faithfulness."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np
from jaxtyping import Float

from app.shared import library, networks
from app.shared.palette import NAMES
from app.shell import compute, session, snippets
from app.shell.jobs import HALT, Job, Step, said_in_line
from app.tabs.atlas import handlers
from app.tabs.atlas.map import OWN, View, Visit, methods_of, points_of
from app.tabs.atlas.widgets import AtlasTab, Projecting, Seen

SECONDS = 120.0  # limit of a projection: visitors' work takes turns, and others wait
METHODS = [("UMAP", "umap"), ("t-SNE", "tsne"), ("PCA", "pca")]


@dataclass
class Made:
    """A finished projection. name: the collection; dims: 2 or 3; points: its coordinates; seconds: that it took."""

    name: str
    dims: int
    points: Float[np.ndarray, "n d"]
    seconds: float


def build(judge: gr.Button) -> Projecting:
    """judge: the button that has the map on screen judged, which stands where its scores appear."""
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
    job = Job("projection", start, stop, gr.HTML(), "a projection")
    return Projecting(method, dims, neighbours, min_dist, metric, job, judge, gr.State(None))


def wire(tab: AtlasTab, collection: Iterable[Any]) -> None:
    """Connects the widgets. collection: those that another collection changes."""
    asked, made, look = tab.projecting.settings, tab.projecting.made, {**compute.LOOK, **compute.PRIVATE}
    ended = tab.job.wire(Step(tab.bind(project), {*tab.inputs, *asked}, [made]))
    changed = [made, tab.job.state, tab.visit, tab.method, tab.dims, tab.chart, tab.other, tab.faith]
    ended.then(tab.bind(show), {*tab.inputs, made}, changed, **look)
    judge = handlers.about(tab, believe, handlers.JUDGED)
    at_once = compute.said_at_once("Judging the map …")
    tab.projecting.believe.click(None, None, tab.faith, js=at_once, queue=False, **compute.PRIVATE)
    tab.projecting.believe.click(judge, tab.inputs, collection, **look)


@said_in_line
def project(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Computes a projection. `show` puts it on screen, whatever the visitor has chosen meanwhile."""
    from wsr.analysis import ProjectionConfig, project_stream

    name, stop = tab.asked(values), tab.job.stop_file(request)
    method, dims, neighbours, min_dist, metric = (values[widget] for widget in tab.projecting.settings)
    config = ProjectionConfig(method, int(dims), int(neighbours), float(min_dist), metric)
    stream = project_stream(networks.weights(name).float().numpy(), config, seconds=SECONDS)
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
    made = Made(name, config.dims, record.found.coordinates, record.seconds)
    yield {tab.job.state: snippets.working("Drawing it …"), tab.projecting.made: made}


@compute.guarded
def show(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Shows a finished projection, with what the visitor has picked and coloured by now. If they have gone to another
    collection, it is kept for when they come back."""
    made: Made | None = values[tab.projecting.made]
    if made is None:
        yield gr.skip()
        return
    visit, left = values[tab.visit], library.collection(made.name)
    visit = replace(visit, projections={**visit.projections, (made.name, made.dims): made.points})
    among = f"the projections of {left.title} in {NAMES[left.representation]}"
    said = f"Done in {made.seconds:.0f} s: it is among {among}, as “{OWN}”, in {made.dims}D."
    there = {tab.projecting.made: None, tab.visit: visit, tab.job.state: snippets.settled(said)}
    if tab.asked(values) != made.name or tab.is_coming(values):
        yield there
        return
    seen = tab.seen(values)
    seen = replace(seen, visit=visit, view=replace(seen.view, method=OWN, dims=made.dims))
    offered = {tab.method: gr.update(choices=methods_of(made.name, visit), value=OWN), tab.dims: made.dims}
    yield there | offered | handlers.drawn(tab, seen)
    yield from session.newest(request, _judgement(tab, seen), handlers.JUDGED)


def _judgement(tab: AtlasTab, seen: Seen) -> Iterator[dict[Any, Any]]:
    yield {tab.faith: judged(seen.view, seen.visit)}


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
