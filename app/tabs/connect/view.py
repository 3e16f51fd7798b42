"""The Connect tab: walk from one fit to another, and see which representations stay a picture on the way."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, picked_id
from app.figures.barrier import barrier_figure
from app.shared import library, sheets
from app.shared.palette import NAMES
from app.shell import compute, looking, snippets
from app.shell.address import Part, flag
from app.shell.tabs import Built, Place, Tab, Widgets
from app.tabs.connect import run as connect_run
from app.tabs.connect.run import Race
from wsr import representations

SHOWN = 10  # targets to choose from
HALFWAY = 0.5
LIVE, SIGMA, LAMBDA = ["mlora", "mlora-asym"], 0.02, 1.0  # what a live pair begins with
SAID = 0.3  # seconds between two words on how far it is
ALIGNED = [("as they landed", False), ("aligned first", True)]
INITS = [("own starts", "own"), ("zero-mean starts", "normal")]


@dataclass
class ConnectTab(Widgets):
    dataset: gr.Radio
    strip: Pictures
    alpha: gr.Slider
    aligned: gr.Radio
    init: gr.Radio
    sheet: gr.HTML
    chart: PlotlyChart
    state: gr.HTML
    names: gr.CheckboxGroup
    spread: gr.Slider
    perturb: gr.Slider
    fit: gr.Button
    stop: gr.Button
    target: gr.Textbox
    live: gr.State
    view: gr.Tab

    @property
    def inputs(self) -> list[Any]:
        return [self.dataset, self.target, self.init, self.live, self.alpha, self.aligned]

    @property
    def outputs(self) -> list[Any]:
        return [self.sheet, self.chart]


def build(place: Place) -> Built | None:
    there = connect_run.datasets()
    if not there:
        gr.HTML(snippets.empty("There are no pairs of fits here yet. Make them with", "make assets"))
        return None
    tab = _layout(there, place.view)
    _wire(tab)
    return Built(link=part(tab))


TAB = Tab("connect", "Connect", build)


def _layout(there: list[str], view: gr.Tab) -> ConnectTab:
    with gr.Row():
        titles = [(library.TITLES.get(name, name), name) for name in there]
        dataset = gr.Radio(titles, value=there[0], show_label=False, container=False, min_width=190, scale=0)
        strip = Pictures(items_of(there[0], decode=False), sprite=_sprite(there[0]), elem_classes="wsr-strip")
    gr.Markdown(
        "Each representation has fitted this target twice, from two random starts. Walk from one fit to the other.",
        elem_classes="wsr-caption",
    )
    alpha = gr.Slider(0, 1, value=HALFWAY, step=connect_run.STEP, label="α: from the first fit to the second")
    sheet = gr.HTML(elem_classes="wsr-six")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">How good it is on the way</div>')
            chart = PlotlyChart(None, height=330, description="Quality over α for each representation")
            gr.Markdown(
                "Thin lines: the second fit aligned first, by what leaves its picture unchanged.",
                elem_classes="wsr-caption",
            )
        with gr.Column(min_width=320, elem_classes="wsr-tight"):
            aligned = gr.Radio(ALIGNED, value=False, label="The second fit")
            init = gr.Radio(INITS, value="own", label="Where fitting began")
            with gr.Accordion("Fit a new pair, live", open=False):
                names = gr.CheckboxGroup(
                    [(NAMES[name], name) for name in representations], value=LIVE, show_label=False
                )
                perturb = gr.Slider(
                    *connect_run.LAMBDAS, value=LAMBDA, step=0.05, label="λ: how far apart the starts are"
                )
                spread = gr.Slider(*connect_run.SIGMAS, value=SIGMA, step=0.01, label="σ: spread of the starts")
                with gr.Row():
                    fit = gr.Button("Fit two", variant="primary", min_width=120)
                    stop = gr.Button("Stop", interactive=False, min_width=120)
            state = gr.HTML()
    target = gr.Textbox(items_of(there[0], decode=False)[0]["id"], visible="hidden")
    live = gr.State(None, time_to_live=3600)
    return ConnectTab(
        dataset, strip, alpha, aligned, init, sheet, chart, state, names, spread, perturb, fit, stop, target, live, view
    )


def _wire(tab: ConnectTab) -> None:
    options = {**compute.LOOK, **compute.PRIVATE}
    tab.view.select(strip_of, tab.dataset, tab.strip, **options)
    tab.view.select(walk, tab.inputs, tab.outputs, **options)
    for widget in (tab.alpha, tab.aligned):
        widget.input(walk, tab.inputs, tab.outputs, trigger_mode="always_last", **options)
    chosen = [tab.target, tab.live, tab.state]
    tab.strip.pick(choose, tab.dataset, chosen, **options).then(walk, tab.inputs, tab.outputs, **options)
    tab.init.input(lambda: None, None, tab.live, queue=False, **compute.PRIVATE).then(
        walk, tab.inputs, tab.outputs, **options
    )
    tab.dataset.input(change_dataset, tab.dataset, [tab.strip, *chosen], **options).then(
        walk, tab.inputs, tab.outputs, **options
    )
    buttons = [tab.fit, tab.stop]
    waiting = tab.fit.click(prepare, None, [tab.state, *buttons], queue=False, **compute.PRIVATE)
    fitting = waiting.then(
        fit_pair, [tab.dataset, tab.target, tab.names, tab.spread, tab.perturb, tab.alpha, tab.aligned],
        [tab.state, tab.live, *tab.outputs], show_progress_on=tab.state, **compute.COMPUTE,
        **{**compute.PRIVATE, "show_progress": "minimal"},
    )  # fmt: skip
    fitting.success(finish, None, buttons, queue=False, **compute.PRIVATE)
    fitting.failure(refused, None, [tab.state, *buttons], queue=False, **compute.PRIVATE)
    compute.wire_stop(tab.stop, stop, tab.state)


def part(tab: ConnectTab) -> Part:
    """The tab's state in the address."""
    widgets = {"data": tab.dataset, "target": tab.target, "alpha": tab.alpha, "aligned": tab.aligned, "init": tab.init}
    widgets |= {"fit": tab.names, "sigma": tab.spread, "lambda": tab.perturb}
    return Part("connect", tab.view, widgets, tab.bind(restore), [tab.strip])


def restore(tab: ConnectTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    dataset = given.get("data", connect_run.datasets()[0])
    init, alpha = given.get("init", INITS[0][1]), float(given.get("alpha", HALFWAY))
    target = given.get("target", items_of(dataset, decode=False)[0]["id"])
    connect_run.race(dataset, target, init)
    names = given["fit"].split(",") if "fit" in given else LIVE
    spread, perturb = (float(given.get(key, value)) for key, value in (("sigma", SIGMA), ("lambda", LAMBDA)))
    connect_run.check_live(names, spread, perturb)
    shown = {tab.dataset: dataset, tab.target: target, tab.init: init, tab.strip: strip_of(dataset)}
    walked = {tab.alpha: min(max(alpha, 0.0), 1.0), tab.aligned: flag(given.get("aligned", ""))}
    return {**shown, **walked, tab.names: names, tab.spread: spread, tab.perturb: perturb}


@compute.guarded
def walk(dataset: str, target: str, init: str, live: Race | None, alpha: float, aligned: bool) -> tuple:
    """What stands at α: [pictures, chart]."""
    of = live or connect_run.race(dataset, target, init)
    answer = _shown(of, float(alpha), bool(aligned))
    connect_run.look_ahead(of, float(alpha), bool(aligned))
    return answer


def _shown(of: Race, alpha: float, aligned: bool) -> tuple:
    key = tuple(of.lanes.values()), round(alpha, 4), aligned  # lanes are what they are
    return looking.SEEN.get(key, lambda: _drawn(of, alpha, aligned))


def _drawn(of: Race, alpha: float, aligned: bool) -> tuple:
    cells = [
        snippets.cell(
            image,
            NAMES[name],
            name,
            [snippets.quality(connect_run.quality_at(of.lanes[name], alpha, aligned), of.measure)],
        )
        for name, image in connect_run.pictures(of, alpha, aligned).items()
    ]
    curves = {name: {"raw": lane.raw_curve, "aligned": lane.aligned_curve} for name, lane in of.lanes.items()}
    alphas = next(iter(of.lanes.values())).alphas if of.lanes else []
    return snippets.sheet(cells), barrier_figure(alphas, curves, measure=of.measure, at=alpha)


@compute.guarded
def choose(dataset: str, event: gr.EventData) -> tuple:
    """[target, live, state]"""
    target = picked_id(event)
    connect_run.race(dataset, target)
    return target, None, ""


@compute.guarded
def change_dataset(dataset: str) -> tuple:
    """[strip, target, live, state]"""
    return strip_of(dataset), items_of(dataset, decode=False)[0]["id"], None, ""


def prepare(request: gr.Request) -> tuple:
    """A press on Fit: [state, fit, stop]."""
    _stop_file(request).unlink(missing_ok=True)
    return snippets.working("Waiting for the machine …"), gr.update(interactive=False), gr.update(interactive=True)


def fit_pair(
    dataset: str, target: str, names: list[str], spread: float, perturb: float, alpha: float, aligned: bool,
    request: gr.Request,
) -> Iterator[tuple]:  # fmt: skip
    """[state, live, pictures, chart], the last three after each representation. What is wrong is said in the page."""
    stopped, said = _stop_file(request), 0.0
    try:
        yield snippets.working(f"Fitting twice with {len(names)} …", 0.0), *(gr.skip(),) * 3
        running = connect_run.fit_live(dataset, target, names, float(spread), float(perturb), stopped.exists)
        with contextlib.closing(running):
            for done, found in running:
                if stopped.exists():
                    yield snippets.settled("Stopped. What was fitted twice is shown."), *(gr.skip(),) * 3
                    return
                if found:
                    words = snippets.working(f"{len(found.lanes)} of {len(names)} fitted twice", done)
                    yield words, found, *_shown(found, float(alpha), bool(aligned))
                elif time.monotonic() - said > SAID:
                    said = time.monotonic()
                    yield snippets.working(f"Fitting twice with {len(names)} …", done), *(gr.skip(),) * 3
        said = "Stopped." if stopped.exists() else "Fitted just now, on this machine."
        yield snippets.settled(said), *(gr.skip(),) * 3
    except Exception as error:
        yield snippets.failed(compute.sentence(error)), *(gr.skip(),) * 3


def finish() -> tuple:
    """[fit, stop]"""
    return gr.update(interactive=True), gr.update(interactive=False)


def refused() -> tuple:
    text = "The machine has no room for another fit at the moment. Please try again in a minute."
    return snippets.failed(text), *finish()


def stop(request: gr.Request) -> None:
    _stop_file(request).touch()


def _stop_file(request: gr.Request) -> Path:
    return compute.session_dir(request) / "stop-pair"


def items_of(dataset: str, decode: bool = True) -> list[dict[str, Any]]:
    """Targets to choose from, by what a fit of them looks like."""
    ids = library.examples(dataset, connect_run.targets(dataset), SHOWN)
    return sheets.examples(f"{dataset}-mlora-asym", ids, decode)


def strip_of(dataset: str) -> Any:
    """The strip of targets with its pictures. Decoding them imports the engine, so a page is built without."""
    return gr.update(value=items_of(dataset), sprite=_sprite(dataset))


def _sprite(dataset: str) -> dict[str, Any] | None:
    return sheets.shared(f"{dataset}-mlora-asym")
