"""The Results tab shows every claim of the paper with its verdict, and the paper's tables beside ours."""

import gradio as gr

from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab
from app.tabs.results import drawn, handlers, run
from app.tabs.results.handlers import ResultsTab
from app.tabs.results.picker import Picker


def build(place: Place) -> Built:
    tab = _layout()
    _wire(tab, place)
    return Built(link=_link(tab, place.view))


TAB = Tab("results", "Results", build, run.names, "The paper's claims have not been judged here yet. Do it with")


def _link(tab: ResultsTab, view: gr.Tab) -> Part:
    """The tab's state in the address."""
    widgets = {"table": tab.table, "verdict": tab.verdict, "claim": tab.claim}
    return Part("results", view, widgets, tab.bind(handlers.restore))


def _layout() -> ResultsTab:
    tables = run.tables()
    gr.HTML("<h2>The paper’s claims, and what we measured</h2>", elem_classes="wsr-heading")
    first = Picker(snippets.working("Reading the claims …"))
    Picker(drawn.rule())
    with gr.Row():
        table = gr.Radio(tables, value=tables[0][1], label="The paper’s table", min_width=320)
        verdict = gr.Radio(handlers.verdicts(), value=run.ALL, label="Verdict", min_width=320)
    with gr.Row(equal_height=False):
        with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
            shown = Picker(snippets.working("Reading the table …"))
            listed = Picker(elem_classes="wsr-later")
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight", "wsr-stays"]):
            record = Picker(snippets.working("Reading the records …"), follows=True)
    claim = gr.Textbox("", visible="hidden")
    return ResultsTab(first, table, verdict, shown, listed, record, claim)


def _wire(tab: ResultsTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    asked = [tab.table, tab.verdict, tab.claim]
    opened = [tab.claim, tab.record, tab.table, tab.shown, tab.listed]
    place.shown(tab.bind(handlers.show), asked, [tab.first, *opened], **newest)
    for widget in (tab.table, tab.verdict):
        widget.input(tab.bind(handlers.change), asked, [tab.claim, tab.record, tab.shown, tab.listed], **newest)
    for picker in (tab.first, tab.shown, tab.listed, tab.record):
        picker.pick(tab.bind(handlers.pick), asked[:2], opened, trigger_mode="multiple", **look)
