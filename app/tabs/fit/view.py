"""The Fit tab: drop a picture or a shape, and watch it become weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, picked_id
from app.figures.curves import quality_curve
from app.shared import samples
from app.shared.palette import NAMES
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Offer, Place, Tab, Widgets
from app.tabs.fit import preparing
from app.tabs.fit import run as fit_run
from app.tabs.fit import six as fit_six
from wsr import representations
from wsr.errors import WsrError
from wsr.isolation import Stopped
from wsr.presets import preset

SHOWN = 6  # parts of the page that a running fit changes: see `_screen`


@dataclass
class FitTab(Widgets):
    target_view: gr.HTML
    strip: Pictures
    upload: gr.File
    picture: gr.HTML
    surface: gr.Model3D
    zoom: gr.Radio
    curve: PlotlyChart
    heat: PlotlyChart
    state: gr.HTML
    fit: gr.Button
    stop: gr.Button
    way: gr.Radio
    settings: list[Any]
    download: gr.DownloadButton
    place: gr.Button
    target: gr.State
    fitted: gr.State
    sample: gr.Textbox
    view: gr.Tab


def build(place: Place) -> Built:
    tab = _layout(place.view)
    _wire(tab)
    return Built(
        link=part(tab),
        loads=[(samples.strip, tab.strip)],
        forget=preparing.forget,
        offers=[Offer(tab.place, tab.fitted, tab.state)],
    )


TAB = Tab("fit", "Fit", build)


def part(tab: FitTab) -> Part:
    """The tab's state in the address: a sample (not a visitor's own file), and how to fit it."""
    widgets = {"sample": tab.sample, "way": tab.way, **dict(zip(("kind", "rank", "steps"), tab.settings, strict=True))}
    return Part("fit", tab.view, widgets, tab.bind(restore), [tab.target, tab.target_view, tab.state])


def restore(tab: FitTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    item = given.get("sample") or samples.first()[0]
    found = samples.target(item)
    kept, view, said, steps = _chosen(item, found)
    asked = fit_run.checked(
        given.get("kind", "mlora-asym"), float(given.get("rank", 4)), float(given.get("steps", steps))
    )
    way = "six" if given.get("way") == "six" else "one"
    settings = dict(zip(tab.settings, (asked.representation, asked.rank, asked.steps), strict=True))
    chosen = {tab.target: kept, tab.target_view: view, tab.state: said}
    return {tab.sample: item, tab.way: way, **settings, **chosen}


def _layout(view: gr.Tab) -> FitTab:
    sample, picture_of = samples.first()
    with gr.Row(equal_height=False):
        with gr.Column(min_width=150, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Target</div>')
            target_view = gr.HTML(picture_of)
        with gr.Column(min_width=150, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Decoded from weights</div>')
            picture = gr.HTML(snippets.blank("Press Fit: a few thousand numbers become this picture while you look."))
            surface = gr.Model3D(
                visible="hidden", show_label=False, height=322, interactive=False, camera_position=snippets.CAMERA
            )
            zooms = [("1×", 1), ("2×", 2), ("4×", 4)]
            zoom = gr.Radio(zooms, value=1, label="Resolution", visible=False, show_label=False, container=False)
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">How close it is</div>')
            total = preset("cpu", 2).fit.far_steps
            empty = quality_curve([], [], measure="psnr", representation="mlora-asym", total=total)
            curve = PlotlyChart(empty, height=300, description="Quality of the fit after each step")
            gr.Markdown("Above 30 dB, or an IoU of 0.9, it looks right.", elem_classes="wsr-caption")
    with gr.Row():
        fit = gr.Button("Fit", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0)
        ways = [("one representation", "one"), ("all six side by side", "six")]
        way = gr.Radio(ways, value="one", label="Fit", show_label=False, container=False, min_width=390, scale=0)
        state = gr.HTML(snippets.settled("Choose a sample or bring your own, then press Fit."), elem_classes="wsr-grow")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Samples, none of them seen in training</div>')
            strip = Pictures()
            upload = gr.File(
                label=f"Your own: {samples.PICTURES} · OBJ, PLY, STL, GLB, OFF", height=130,
                file_types=[*samples.IMAGE_FILES, *samples.MESH_FILES],
            )  # fmt: skip
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">The weights, changing</div>')
            heat = PlotlyChart(
                None, height=230, description="Weights of the fit, layer by layer",
                placeholder="They appear here while the fit runs.",
            )  # fmt: skip
            with gr.Row():
                download = gr.DownloadButton("Download the weights", interactive=False, min_width=150)
                place = gr.Button("Place on the map", interactive=False, min_width=150)
            settings = _settings()
    return FitTab(
        target_view, strip, upload, picture, surface, zoom, curve, heat, state, fit, stop, way, settings, download,
        place, gr.State(sample, time_to_live=3600), gr.State(None, time_to_live=3600),
        gr.Textbox(sample, visible="hidden"), view,
    )  # fmt: skip


def _settings() -> list[Any]:
    choices = [(NAMES[name], name) for name in representations]
    with gr.Accordion("Settings", open=False):
        representation = gr.Dropdown(
            choices, value="mlora-asym", label="Representation",
            info="MLP: a network of its own. LoRA adds a small change to a shared network, mLoRA multiplies it. "
            "Asym freezes some entries, so that every fit ends in the same place.",
        )  # fmt: skip
        rank = gr.Slider(
            *fit_run.RANKS, value=4, step=1, label="Rank", info="Pairs of vectors for each layer of LoRA and mLoRA."
        )
        steps = gr.Slider(
            *fit_run.STEPS, value=preset("cpu", 2).fit.far_steps, step=10, label="Steps",
            info="What was chosen sets it: a photograph takes more than an emoji, which the base knows better.",
        )  # fmt: skip
    return [representation, rank, steps]


def _wire(tab: FitTab) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    chosen = [tab.target, tab.target_view, tab.state, tab.settings[2], tab.sample]
    tab.strip.pick(choose_sample, None, chosen, trigger_mode="multiple", **look)
    reading = compute.said_at_once("Reading the file …")
    tab.upload.upload(None, None, tab.state, js=reading, queue=False, **compute.PRIVATE)
    # a file that comes while another is read takes its place
    read = {"trigger_mode": "multiple", **preparing.PREPARE, **compute.PRIVATE}
    tab.upload.upload(choose_upload, tab.upload, [*chosen, tab.upload], **read)
    shown = [tab.state, tab.picture, tab.surface, tab.curve, tab.heat, tab.fitted]
    after = [tab.fit, tab.stop, tab.zoom, tab.download, tab.place]
    # The first step is not queued: a press answers at once, also while other visitors' fits are running.
    waiting = tab.fit.click(prepare, None, [tab.state, *after], queue=False, **compute.PRIVATE)
    measuring = waiting.then(measure, tab.target, [tab.target, tab.state], **preparing.PREPARE, **compute.PRIVATE)
    fitting = measuring.then(
        fit, [tab.target, tab.way, *tab.settings], shown, show_progress_on=tab.state, **compute.COMPUTE,
        **{**compute.PRIVATE, "show_progress": "minimal"},
    )  # fmt: skip
    fitting.success(finish, [tab.fitted, tab.way], after, **look)
    fitting.failure(refused, None, [tab.state, *after], queue=False, **compute.PRIVATE)
    compute.wire_stop(tab.stop, stop, tab.state)
    tab.zoom.input(zoom, [tab.fitted, tab.zoom], tab.picture, **look)


@compute.guarded
def choose_sample(event: gr.EventData, request: gr.Request) -> tuple:
    item = picked_id(event)
    preparing.turn(request)
    return *_chosen(item, samples.target(item)), item


def choose_upload(path: str | None, request: gr.Request = None) -> tuple:
    """A visitor's file; the box it was dropped into is emptied for the next. What is wrong with it is said in the page,
    and then what was chosen before stays chosen."""
    if not path:
        return (gr.skip(),) * 6
    try:
        with compute.DISK.reading(path):
            found = preparing.uploaded(path, preparing.turn(request))
    except Stopped:  # they have chosen something else
        return *(gr.skip(),) * 5, None
    except Exception as error:
        return gr.skip(), gr.skip(), snippets.failed(compute.sentence(error)), gr.skip(), gr.skip(), None
    return *_chosen(found, found), "", None


def _chosen(kept: Any, found: samples.Target) -> tuple:
    view = snippets.picture(found.view, found.label)
    said = f"{found.label.capitalize()} is chosen. {found.note} Press Fit.".replace("  ", " ")
    return kept, view, snippets.settled(said), found.steps


def prepare(request: gr.Request) -> tuple:
    """A press on Fit: [state, fit, stop, zoom, download, place]."""
    fit_run.stop_file(compute.session_dir(request)).unlink(missing_ok=True)
    off = gr.update(interactive=False)
    waiting = snippets.working("Waiting for the machine …")
    return waiting, off, gr.update(interactive=True), gr.update(visible=False), off, off


def measure(target: Any, request: gr.Request) -> tuple:
    """What is inside a visitor's own shape, before its fit takes its turn: [target, state]. What is wrong with it is
    said by `fit`."""
    if not isinstance(target, samples.Target) or target.dim == 2 or target.truth is not None:
        return gr.skip(), gr.skip()
    stop, left = fit_run.stop_file(compute.session_dir(request)), preparing.turn(request)
    try:
        return preparing.measured(target, lambda: left() or stop.exists()), gr.skip()
    except Stopped:
        return gr.skip(), gr.skip()
    except Exception as error:
        return replace(target, trouble=compute.sentence(error)), gr.skip()


def fit(target: Any, way: str, representation: str, rank: int, steps: int, request: gr.Request) -> Iterator[tuple]:
    """Records of the fit, or of all six, as [state, picture, surface, curve, heat map, fitted]. Errors are said in the
    page."""
    folder = compute.session_dir(request)
    stop = fit_run.stop_file(folder)
    try:
        asked = fit_run.checked(representation, rank, steps)
        found = target if isinstance(target, samples.Target) else samples.target(str(target))
        if stop.exists():
            raise WsrError("The fit was stopped before it had begun. Press Fit to start again.")
        if found.trouble:
            raise WsrError(found.trouble)
        if isinstance(target, samples.Target) and target.dim == 3 and target.truth is None and not compute.spaces:
            raise WsrError(f"{target.label.capitalize()} has not been measured yet: press Fit again.")
        yield gr.skip(), gr.update(visible=True), gr.update(visible="hidden"), gr.skip(), gr.skip(), None
        run = fit_six.run if way == "six" else fit_run.run
        for screen in run(found, asked, stop):
            yield _screen(screen)
            if screen.fitted and screen.fitted.dim == 3 and way != "six":
                glb = fit_run.surface_file(screen.fitted, folder)
                if glb is None:
                    continue
                yield gr.skip(), gr.update(visible=False), gr.update(value=glb, visible=True), *(gr.skip(),) * 3
                yield (gr.skip(),) * SHOWN  # Model3D must not get its last value twice, see atlas.show
    except Exception as error:
        yield snippets.failed(compute.sentence(error)), *(gr.skip(),) * (SHOWN - 1)


def _screen(screen: fit_run.Screen) -> tuple:
    return tuple(
        gr.skip() if part is None else part
        for part in (screen.state, screen.picture, None, screen.curve, screen.heat, screen.fitted)
    )


def finish(fitted: fit_run.Fitted | None, way: str, request: gr.Request) -> tuple:
    """The buttons once a fit has ended, well or not: [fit, stop, zoom, download, place]."""
    on, off = gr.update(interactive=True), gr.update(interactive=False)
    if fitted is None:
        return on, off, gr.update(visible=False), off, off
    path = fit_run.weights_file(fitted, compute.session_dir(request))
    zoom = gr.update(visible=fitted.dim == 2 and way != "six", value=1)
    return on, off, zoom, gr.update(value=path, interactive=True), on


def refused() -> tuple:
    """The queue was full or the connection broke: [state, fit, stop, zoom, download, place]."""
    text = "The machine has no room for another fit at the moment. Please try again in a minute."
    return snippets.failed(text), *finish(None, "one", None)


def stop(request: gr.Request) -> None:
    fit_run.stop_file(compute.session_dir(request)).touch()


@compute.guarded
def zoom(fitted: fit_run.Fitted | None, factor: int) -> Any:
    return gr.skip() if fitted is None else fit_run.zoomed(fitted, int(factor))
