"""What the Fit tab's widgets do."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, picked_id
from app.shared import samples
from app.shared.fitted import Fitted
from app.shared.samples import Target
from app.shell import compute, session, snippets
from app.shell.jobs import OFF, ON, Job, said_in_line
from app.shell.tabs import Widgets
from app.tabs.fit import preparing, run, six
from wsr.errors import WsrError
from wsr.isolation import Stopped


@dataclass
class FitTab(Widgets):
    """target: what is fitted, a sample's id or a visitor's own `Target`; fitted: the last fit, a `Fitted` or None;
    sample: the id of the sample that is chosen, "" for a visitor's own file."""

    target_view: gr.HTML
    strip: Pictures
    upload: gr.File
    picture: gr.HTML
    surface: gr.Model3D
    zoom: gr.Radio
    curve: PlotlyChart
    heat: PlotlyChart
    state: gr.HTML
    job: Job
    way: gr.Radio
    representation: gr.Dropdown
    rank: gr.Slider
    steps: gr.Slider
    download: gr.DownloadButton
    place: gr.Button
    target: gr.State
    fitted: gr.State
    sample: gr.Textbox


@dataclass
class Chosen:
    """What is on screen once something has been chosen."""

    target: Any
    target_view: str
    state: str
    steps: int
    sample: str


def chosen(found: Target, sample: str = "") -> Chosen:
    """sample: its id, where `found` is a sample; of a visitor's own file all of it is kept."""
    said = f"{found.label.capitalize()} is chosen. {found.note} Press Fit.".replace("  ", " ")
    view = snippets.picture(found.view, found.label)
    return Chosen(sample or found, view, snippets.settled(said), found.steps, sample)


def restore(tab: FitTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    item = given.get("sample") or samples.first()[0]
    shown = chosen(samples.target(item), item)
    settings = given.get("kind", "mlora-asym"), float(given.get("rank", 4)), float(given.get("steps", shown.steps))
    asked = run.checked(*settings)
    way = "six" if given.get("way") == "six" else "one"
    return tab.fill(shown) | tab.fill(asked) | {tab.way: way}


@compute.guarded
def choose_sample(tab: FitTab, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
    item = picked_id(event)
    preparing.turn(request)
    return tab.fill(chosen(samples.target(item), item))


def choose_upload(tab: FitTab, path: str | None, request: gr.Request) -> dict[Any, Any]:
    """A visitor's file; the box it was dropped into is emptied for the next. What is wrong with it is said in the page,
    and then what was chosen before stays chosen."""
    if not path:
        return gr.skip()
    try:
        with session.DISK.reading(path):
            found = preparing.uploaded(path, preparing.turn(request))
    except Stopped:  # they have chosen something else
        return {tab.upload: None}
    except Exception as error:
        return {tab.upload: None, tab.state: snippets.failed(compute.sentence(error))}
    return tab.fill(chosen(found)) | {tab.upload: None}


def prepare(tab: FitTab, request: gr.Request) -> dict[Any, Any]:
    """A press on Fit."""
    off = gr.update(**OFF)
    return tab.job.prepare(request) | {tab.zoom: gr.update(visible=False), tab.download: off, tab.place: off}


def measure(tab: FitTab, target: Any, request: gr.Request) -> dict[Any, Any]:
    """What is inside a visitor's own shape, before its fit takes its turn. What is wrong with it is said by `fit`."""
    if not isinstance(target, Target) or not target.modality.prepares or target.evaluator is not None:
        return gr.skip()
    stop, left = tab.job.stop_file(request), preparing.turn(request)
    try:
        return {tab.target: preparing.measured(target, lambda: left() or stop.exists())}
    except Stopped:
        return gr.skip()
    except Exception as error:
        return {tab.target: replace(target, trouble=compute.sentence(error))}


@said_in_line
def fit(
    tab: FitTab, target: Any, way: str, representation: str, rank: int, steps: int, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    """A fit, or all six, as it goes on."""
    folder, stop = session.session_dir(request), tab.job.stop_file(request)
    asked = run.checked(representation, rank, steps)
    if stop.exists():
        raise WsrError("The fit was stopped before it had begun. Press Fit to start again.")
    found = _ready(target)
    yield {tab.picture: gr.update(visible=True), tab.surface: gr.update(visible="hidden"), tab.fitted: None}
    for screen in (six if way == "six" else run).run(found, asked, stop):
        yield tab.fill(screen)
        if screen.fitted and screen.fitted.modality.has_surface and way != "six":
            glb = run.surface_file(screen.fitted, folder)
            if glb is None:
                continue
            yield {tab.picture: gr.update(visible=False), tab.surface: gr.update(value=glb, visible=True)}
            yield gr.skip()  # Model3D must not get its last value twice, see `session.newest`


def _ready(target: Any) -> Target:
    """What is chosen, as it can be fitted. WsrError where it cannot be."""
    if not isinstance(target, Target):
        return samples.target(str(target))
    if target.trouble:
        raise WsrError(target.trouble)
    if target.modality.prepares and target.evaluator is None and not compute.spaces:
        raise WsrError(f"{target.label.capitalize()} has not been measured yet: press Fit again.")
    return target


def finish(tab: FitTab, fitted: Fitted | None, way: str, request: gr.Request) -> dict[Any, Any]:
    """The buttons once a fit has ended, well or not."""
    buttons = tab.job.finish(request)
    if fitted is None:
        return buttons
    path = run.weights_file(fitted, session.session_dir(request))
    return buttons | {
        tab.zoom: gr.update(visible=fitted.modality.zoomable and way != "six", value=1),
        tab.download: gr.update(value=path, **ON),
        tab.place: gr.update(**ON),
    }


@compute.guarded
def zoom(tab: FitTab, fitted: Fitted | None, factor: int) -> Any:
    return gr.skip() if fitted is None else run.zoomed(fitted, int(factor))
