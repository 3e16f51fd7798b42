"""The Audit tab shows for every generator and baseline how good its samples are, and how new."""

import gradio as gr

from app.components.plotly_chart import PlotlyChart
from app.shared import library, taking
from app.shared.charts import charted
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab
from app.tabs.audit import bring, handlers, run
from app.tabs.audit.handlers import AuditTab, kinds

REVEALED = ".wsr-panel .wsr-frame"  # the first picture of what was picked


def build(place: Place) -> Built:
    tab = _layout(run.names())
    _wire(tab, place)
    return Built(link=_link(tab, place.view), forget=taking.forget)


TAB = Tab("audit", "Audit", build, run.names, "No generator has been audited here yet. Do it with")


def _link(tab: AuditTab, view: gr.Tab) -> Part:
    """The tab's state in the address."""
    widgets = {"data": tab.dataset, "kind": tab.kind, "point": tab.point}
    return Part("audit", view, widgets, tab.bind(handlers.restore))


def _layout(there: list[str]) -> AuditTab:
    first = library.collection(there[0])
    with gr.Row():
        titles = library.titles(there)
        dataset = gr.Radio(
            titles, value=first.dataset, label="Data set", show_label=False, container=False, min_width=320, scale=0
        )
        kind = gr.Dropdown(
            kinds(first.dataset),
            value=first.representation,
            label="Representation",
            show_label=False,
            container=False,
            min_width=190,
            scale=0,
        )
        headline = gr.HTML(snippets.working("Reading the audit …"), elem_classes="wsr-grow")
    with gr.Row(equal_height=False):
        with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
            plane = PlotlyChart(
                None,
                height=460,
                zoom=True,
                description="Quality against novelty",
                placeholder="Reading the audit …",
                reveals=REVEALED,
            )
            gr.HTML(
                snippets.caption(
                    "A point on the left is a copy: it is close to one training network, or to a mix of two, and to no "
                    "other. A point high up is unlike any real network. Really new networks lie where the dotted lines "
                    "cross. Click a point to see it."
                )
            )
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            pair = gr.HTML(snippets.being_drawn(("a sample", "its nearest network")))
            said = gr.HTML()
            gr.HTML(snippets.label("Its weights above those of training networks near it: a copy has the same stripes"))
            rows = PlotlyChart(
                None, height=150, description="A few of its weights beside those of its nearest training networks",
                placeholder="Comparing the weights …",
            )  # fmt: skip
    with gr.Row(equal_height=False):
        histogram = charted(
            "How far the weights are from the nearest training network",
            "Samples nearer than “held out” need not be copies: they lack the noise that fitting leaves in weights.",
            height=280, description="Distances to the nearest training network", placeholder="Reading the distances …",
        )  # fmt: skip
        with gr.Column(min_width=560, elem_classes="wsr-tight"):  # the table's own width
            table = gr.HTML(snippets.working("Reading the table …"))
    with gr.Accordion("Audit your own samples", open=False):
        bringing = bring.build()
    point, mine = gr.Textbox("", visible="hidden"), gr.State([])
    return AuditTab(dataset, kind, plane, histogram, table, headline, point, pair, said, rows, mine, bringing)


def _wire(tab: AuditTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    show, asked = tab.bind(handlers.show), [tab.dataset, tab.kind, tab.point, tab.mine]
    opened = [tab.point, tab.plane, tab.pair, tab.said, tab.rows]
    everything = [*opened, tab.histogram, tab.table, tab.headline]
    place.shown(show, asked, everything, **newest)
    chosen, change = [tab.dataset, tab.mine], tab.bind(handlers.change_dataset)
    changed = tab.dataset.input(change, chosen, [tab.kind, tab.point], **newest)
    changed.then(show, asked, everything, **newest)
    tab.kind.input(lambda: "", None, tab.point, queue=False, **compute.PRIVATE).then(show, asked, everything, **newest)
    chosen = [tab.dataset, tab.kind, tab.mine]
    tab.plane.pick(tab.bind(handlers.pick), chosen, opened, trigger_mode="multiple", **look)
    bring.wire(tab, everything)
