"""The Audit tab: is what a generator makes any good, and is it new? Both at once, for every generator and baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import audit_run, compute, library, snippets
from app.address import Part
from app.audit_run import Report
from app.components.plotly_chart import PlotlyChart, chart_update, picked_id
from app.figures.plane import colours, distances_figure, plane_figure, rows_figure
from app.palette import NAMES

MLPS = ("-mlp", "-mlp-asym")
SET_NEEDS = ("features", "distances", "weights")  # of metrics that compare sets of weights


@dataclass
class AuditTab:
    dataset: gr.Radio
    kind: gr.Dropdown
    plane: PlotlyChart
    histogram: PlotlyChart
    table: gr.HTML
    headline: gr.HTML
    point: gr.Textbox
    panel: list[Any]
    view: gr.Tab

    @property
    def charts(self) -> list[Any]:
        return [self.plane, self.histogram, self.table, self.headline]


def build() -> AuditTab | None:
    """Lay the tab out inside gr.Tabs and wire it. None where nothing has been audited."""
    there = audit_run.names()
    with gr.Tab("Audit", id="audit") as view:
        if not there:
            gr.HTML(snippets.empty("No generator has been audited here yet. Do it with", "make assets"))
            return None
        tab = _layout(there, view)
    _wire(tab)
    return tab


def _layout(there: list[str], view: gr.Tab) -> AuditTab:
    first = library.collection(there[0])
    datasets = list(dict.fromkeys(library.collection(name).dataset for name in there))
    with gr.Row():
        titles = [(library.TITLES.get(name, name), name) for name in datasets]
        dataset = gr.Radio(titles, value=first.dataset, show_label=False, container=False, min_width=260, scale=0)
        kind = gr.Dropdown(
            kinds(first.dataset), value=first.representation, show_label=False, container=False, min_width=190, scale=0
        )
        headline = gr.HTML(elem_classes="wsr-grow")
    with gr.Row(equal_height=False):
        with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
            plane = PlotlyChart(None, height=460, zoom=True, description="Quality against novelty")
            gr.Markdown(
                "To the left: close to one training network, or to a mix of two, and to no other: a copy. Up: unlike "
                "any real network. New ones lie where the dotted lines cross. Click a point.",
                elem_classes="wsr-caption",
            )
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            pair = gr.HTML(snippets.blank("Click a point."))
            said = gr.HTML()
            gr.HTML('<div class="wsr-label">Its weights, and the three training weights nearest to it. Same stripes: '
                    "a copy.</div>")  # fmt: skip
            rows = PlotlyChart(None, height=150, description="A few of its weights beside those it is nearest to")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">How far from the nearest training weight. Nearer than "held out" is no '
                    "copy yet: samples lack the noise of fitting.</div>")  # fmt: skip
            histogram = PlotlyChart(None, height=280, description="Distances to the nearest training weight")
        with gr.Column(min_width=320, elem_classes="wsr-tight"):
            table = gr.HTML()
    point = gr.Textbox("", visible="hidden")
    return AuditTab(dataset, kind, plane, histogram, table, headline, point, [pair, said, rows], view)


def kinds(dataset: str) -> list[tuple[str, str]]:
    found = [library.collection(name) for name in audit_run.names()]
    return [(NAMES[one.representation], one.representation) for one in found if one.dataset == dataset]


def _wire(tab: AuditTab) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    asked = [tab.dataset, tab.kind, tab.point]
    outputs = [tab.point, *tab.charts, *tab.panel]
    newest = {**look, "trigger_mode": "always_last"}
    tab.view.select(show, asked, outputs, **newest)
    tab.dataset.input(change_dataset, tab.dataset, [tab.kind, tab.point], **newest).then(show, asked, outputs, **newest)
    tab.kind.input(lambda: "", None, tab.point, queue=False, **compute.PRIVATE).then(show, asked, outputs, **newest)
    tab.plane.pick(pick, asked[:2], [tab.point, tab.plane, *tab.panel], trigger_mode="multiple", **look)


def part(tab: AuditTab) -> Part:
    """The tab's state in the address."""
    return Part("audit", tab.view, {"data": tab.dataset, "kind": tab.kind, "point": tab.point}, restore)


def restore(given: dict[str, str]) -> list[Any]:
    """What a link says. WsrError for what is not there."""
    first = library.collection(audit_run.names()[0])
    dataset, kind = given.get("data", first.dataset), given.get("kind", first.representation)
    found = audit_run.checked(dataset, kind)
    point = given.get("point", "")
    if point:
        found.row(point)
    return [dataset, gr.update(choices=kinds(dataset), value=kind), point]


@compute.guarded
def show(dataset: str, kind: str, point: str, request: gr.Request) -> Iterator[tuple]:
    """All that stands in the tab: [point, plane, histogram, table, headline, pair, verdict, heat map]."""
    yield from compute.newest(request, _shown(dataset, kind, point), "audit", "audit point")


def _shown(dataset: str, kind: str, point: str) -> Iterator[tuple]:
    found = audit_run.checked(dataset, kind)
    point = point or audit_run.first_point(found.name)
    plane = chart_update(figure=plane_figure(found.rows, colours(kind)), highlight=marked(point))
    histogram = distances_figure(audit_run.distances(found), colours(kind))
    said = snippets.settled(audit_run.headline(found))
    yield point, plane, histogram, table_of(found), said, *opened(found, point)


def marked(point: str) -> list[dict[str, str]]:
    return [{"id": point, "role": "picked"}]


def opened(found: Report, point: str) -> tuple:
    """[pair, verdict, heat map]"""
    pair = snippets.pictures(audit_run.pictures(found, point))
    return pair, snippets.settled(audit_run.told(found, point)), rows_figure(audit_run.compared(found, point))


@compute.guarded
def pick(dataset: str, kind: str, event: gr.EventData, request: gr.Request) -> Iterator[tuple]:
    """[point, plane, pair, verdict, heat map]"""
    yield from compute.newest(request, _picked(dataset, kind, picked_id(event)), "audit point")


def _picked(dataset: str, kind: str, point: str) -> Iterator[tuple]:
    found = audit_run.checked(dataset, kind)
    found.row(point)
    yield point, chart_update(highlight=marked(point)), *opened(found, point)


@compute.guarded
def change_dataset(dataset: str) -> tuple:
    """[representation, point]"""
    choices = kinds(dataset)
    audit_run.checked(dataset, choices[0][1] if choices else "")
    return gr.update(choices=choices, value=choices[0][1]), ""


def table_of(found: Report) -> str:
    """Who copies: the shares of the verdicts, in percent, beside the stated rate of false alarms."""
    from wsr.metrics import needing

    about, shares = found.about, audit_run.shares(found)
    metrics = [metric for metric in needing("placements") if any(metric.name in place for _, place in shares)]
    lines = [(name, [one.text(place.get(one.name, float("nan"))) for one in metrics]) for name, place in shares]
    measured = audit_run.measured(found.name)
    told = [f"{one.heading} {one.text(measured[one.symbol])}" for one in needing(*SET_NEEDS) if one.symbol in measured]
    note = (
        f"Medians, and percent of the verdicts. Thresholds are set so that {about['alarm']:.0%} of new fits would be "
        f"called copies; of {about['tested']} held-out fits, each judged by what the other half of them has set, "
        f"{about['false alarms']} are. "
        f"Of planted copies ({', '.join(about['planted'])}) {min(about['planted'].values()):.0%} are found"
        f"{'; neurons in another order are not tried' if found.name.endswith(MLPS) else ''}. "
        f"Features: {about['extractor']}."
        f"{' Diffusion against held-out fits: ' + ', '.join(told) + '.' if told else ''}"
    )
    return snippets.table([metric.symbol for metric in metrics], lines, note)
