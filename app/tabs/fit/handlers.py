"""Handlers of the Fit tab."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.components.field.sheet import FieldSheet
from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, picked_at, picked_id
from app.figures.curves import empty_curve
from app.shared import samples
from app.shared.edits import Edits
from app.shared.fitted import Fitted
from app.shared.samples import Target
from app.shell import compute, session, snippets
from app.shell.address import NotInLinks, whole
from app.shell.jobs import OFF, ON, Job, over, said_in_line
from app.shell.tabs import Widgets
from app.tabs.fit import preparing, recorded, run, six, starting
from app.tabs.fit.recorded import BEFORE_A_FIT
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.isolation import Stopped

WAYS = ("one", "six")
READING = "Reading the file …"
BEGINS = "The reconstruction appears here."
GONE_OUT = "The shape is empty: its field says that all points are outside."
OWN = "own-file"  # in the address, in place of a sample's id
GONE = (
    "This link was made with a visitor's own file, which is not part of a link: a sample is shown instead. "
    "You can bring your own file."
)


@dataclass
class FitTab(Widgets):
    """target: the chosen target, a sample's id or a visitor's own `Target`; fitted: the last fit, a `Fitted` or None;
    sample: id of the chosen sample, OWN for a visitor's own file."""

    target_view: gr.HTML
    strip: Pictures
    upload: gr.File
    picture: FieldSheet
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
    """New values of the widgets once a target has been chosen."""

    target: Any
    target_view: str
    state: str
    steps: int
    sample: str
    curve: dict[str, Any]
    strip: dict[str, Any]


def chosen(found: Target, sample: str = "", stopped: str = "") -> Chosen:
    """sample: its id, where `found` is a sample; a visitor's own file is kept whole. stopped: sentence about a fit that
    was running."""
    said = " ".join(filter(None, (stopped, f"{_named(found)} is chosen.", found.note, "Press Fit.")))
    view, curve = snippets.picture(found.view, found.label), empty_curve(found.modality, found.steps)
    mark = gr.update(chosen=sample or OWN)  # no picture of the strip is one of a visitor's own file
    return Chosen(sample or found, view, snippets.settled(said), found.steps, sample or OWN, curve, mark)


def _named(target: Target) -> str:
    return target.label[:1].upper() + target.label[1:]


def _cleared(tab: FitTab) -> dict[Any, Any]:
    """Clears what belongs to the fit of the previous target, so that no result stands beside a target that is not its
    own."""
    off, hidden = gr.update(**OFF), gr.update(visible=False)
    picture = gr.update(value=snippets.blank(BEFORE_A_FIT), visible=True)
    left = {tab.picture: picture, tab.surface: gr.update(visible="hidden"), tab.heat: gr.update(value=None)}
    return left | {tab.fitted: None, tab.zoom: hidden, tab.download: off, tab.place: off}


def _stopped(tab: FitTab, request: gr.Request) -> str:
    """Ends the visitor's fit, if one is running. Returns a sentence about that, or ""."""
    if not tab.job.end(request):
        return ""
    if tab.job.is_going_on(request):  # its turn has not come yet
        return "The previous fit is being stopped: press Fit once it has ended."
    return "The fit that was going on has been stopped."


def restore(tab: FitTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError for what is not there."""
    item = given.get("sample") or samples.first()[0]
    if item == OWN:
        raise NotInLinks(GONE)
    target, way, kind = samples.target(item), given.get("way", WAYS[0]), given.get("kind", registry.DEFAULT)
    if way not in WAYS:
        raise unknown_name("way to fit", way, WAYS)
    shown, rank = chosen(target, item), whole(given["rank"], *run.RANKS) if "rank" in given else starting.RANK
    known = (kind, way, rank) == (registry.DEFAULT, WAYS[0], starting.RANK)
    usual = samples.usual_steps(target) if known else shown.steps
    asked = run.checked(kind, rank, whole(given["steps"], *run.STEPS) if "steps" in given else usual)
    played = {tab.picture: recorded.picture(item), tab.curve: recorded.curve(item) or shown.curve}
    return tab.fill(shown) | tab.fill(asked) | {tab.way: way} | played


def after_link(tab: FitTab) -> list[Any]:
    """The widgets that `followed` may change."""
    return [*_cleared(tab), tab.state, tab.curve]


@compute.guarded
def followed(tab: FitTab, sample: str, request: gr.Request) -> dict[Any, Any]:
    """Clears, after a link, what belongs to a fit of before. The link has set everything else; a running fit, which
    ends now, may have changed some of it since."""
    preparing.turn(request)
    stopped, again = _stopped(tab, request), {}
    if stopped and sample != OWN:
        shown = chosen(samples.target(sample), sample, stopped)
        again = {tab.state: shown.state, tab.curve: recorded.curve(sample) or shown.curve}
    return _cleared(tab) | again | {tab.picture: gr.update(value=recorded.picture(sample), visible=True)}


@compute.guarded
def choose_sample(tab: FitTab, event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Chooses a sample. A running fit ends. Of several that are pressed fast the last one stays."""
    item = picked_id(event)
    found = samples.target(item)

    def shown() -> Iterator[dict[Any, Any]]:
        preparing.turn(request)
        yield _cleared(tab) | tab.fill(chosen(found, item, _stopped(tab, request)))

    yield from session.newest(request, shown(), "target", at=picked_at(event))


def choose_upload(tab: FitTab, path: str | None, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Reads a visitor's file and chooses it. A running fit ends, and the box is emptied for the next file. If the file
    cannot be read, the line says so, and the previous target stays chosen."""
    if path:
        left = preparing.turn(request)
        if stopped := _stopped(tab, request):
            yield {tab.state: snippets.working(f"{stopped} {READING}")}
        yield {tab.upload: None} | _read(tab, path, left, stopped, request)
    yield gr.skip()  # gradio sends the last values a second time, see `session.newest`


def _read(tab: FitTab, path: str, left: Callable[[], bool], stopped: str, request: gr.Request) -> dict[Any, Any]:
    try:
        with session.DISK.reading(path):
            found = preparing.uploaded(path, left)
    except Stopped:  # they have chosen something else
        return {}
    except Exception as error:
        said = " ".join(filter(None, (compute.sentence(error), stopped)))
        preparing.begin(request)
        return {tab.state: snippets.failed(said)}
    return _cleared(tab) | tab.fill(chosen(found, stopped=stopped))


def prepare(tab: FitTab, request: gr.Request) -> dict[Any, Any]:
    """Answers a press on Fit. The recorded fit, or the last one, ends."""
    preparing.begin(request)
    off, blank = gr.update(**OFF), gr.update(value=snippets.blank(BEGINS))
    left = {tab.zoom: gr.update(visible=False), tab.download: off, tab.place: off, tab.picture: blank}
    return tab.job.prepare(request) | left


def suggest_steps(tab: FitTab, target: Any, way: str, representation: str, rank: int, steps: int) -> dict[Any, Any]:
    """Sets the number of steps to the usual one for what is chosen, unless the visitor has set another. A visitor's own
    shape is measured first (`measure`). A fit says what is wrong with values that have none."""
    try:
        found = target if isinstance(target, Target) else samples.target(str(target))
        measured = found is not target or not found.modality.prepares or found.evaluator is not None
        if not measured or steps not in (found.steps, found.quick, found.modality.encoded_steps):
            return gr.skip()
        return {tab.steps: _usual_steps(found, way, representation, rank)}
    except WsrError:
        return gr.skip()


def _usual_steps(target: Target, way: str, representation: str, rank: int) -> int:
    """Returns the default number of steps. All six side by side start plainly, for an equal treatment."""
    asked = run.checked(representation, rank, target.steps)
    return target.steps if way == "six" else starting.usual_steps(target, asked.representation, asked.rank)


def measure(
    tab: FitTab, target: Any, way: str, representation: str, rank: int, steps: int, request: gr.Request
) -> dict[Any, Any]:
    """Measures what is inside a visitor's own shape, before its fit takes its turn. `fit` shows errors."""
    if not isinstance(target, Target) or not target.modality.prepares or target.evaluator is not None:
        return gr.skip()
    stop = tab.job.stop_file(request)
    try:
        found = preparing.measured(target, lambda: preparing.is_past(request) or over(stop))
        fewer = steps == found.steps and found.evaluator is not None  # now it is seen whether an encoder knows it
        return {tab.target: found} | ({tab.steps: _usual_steps(found, way, representation, rank)} if fewer else {})
    except Stopped:
        return gr.skip()
    except Exception as error:
        return {tab.target: replace(target, trouble=compute.sentence(error))}


@said_in_line
def fit(
    tab: FitTab, target: Any, way: str, representation: str, rank: int, steps: int, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    """Runs one fit, or one with each representation, and shows its progress."""
    folder, stop = session.session_dir(request), tab.job.stop_file(request)
    asked = run.checked(representation, rank, steps)
    if stop.exists():
        raise WsrError("The fit was stopped before it had begun. Press Fit to start again.")
    found = _ready(target)
    yield {tab.picture: gr.update(visible=True), tab.surface: gr.update(visible="hidden"), tab.fitted: None}
    for screen in (six if way == "six" else run).run(found, asked, stop):
        if preparing.is_past(request):  # the choice has stopped this fit, and says so
            return
        yield tab.fill(screen)
        if screen.fitted and screen.fitted.modality.has_surface and way != "six":
            glb = run.surface_file(screen.fitted, folder)
            if glb is None or preparing.is_past(request):
                continue
            yield {tab.picture: gr.update(visible=False), tab.surface: gr.update(value=glb, visible=True)}
            yield gr.skip()  # Model3D must not get its last value twice, see `session.newest`


def _ready(target: Any) -> Target:
    """Returns the chosen target. WsrError if it cannot be fitted."""
    if not isinstance(target, Target):
        return samples.target(str(target))
    if target.trouble:
        raise WsrError(target.trouble)
    if target.modality.prepares and target.evaluator is None and not compute.spaces:
        raise WsrError(f"{_named(target)} has not been measured yet: press Fit again.")
    return target


def finish(tab: FitTab, fitted: Fitted | None, way: str, request: gr.Request) -> dict[Any, Any]:
    """Sets the buttons after a fit has ended, successfully or not. Drawing what it has become takes a moment, in which
    the visitor may choose something else: a choice waits for this answer (`Job.end`), or takes its place."""
    left = {} if fitted is None or preparing.is_past(request) else _fitted(tab, fitted, way, request)
    if preparing.is_past(request):
        left = {}
    return tab.job.finish(request) | left


def _fitted(tab: FitTab, fitted: Fitted, way: str, request: gr.Request) -> dict[Any, Any]:
    """Returns what a finished fit leaves on the page."""
    path = run.weights_file(fitted, session.session_dir(request))
    zooms = fitted.modality.zoomable and way != "six"
    return {
        tab.picture: run.zoomed(fitted, 1) if zooms else gr.skip(),  # one that the page can zoom into
        tab.zoom: gr.update(visible=zooms, value=1),
        tab.download: gr.update(value=path, **ON),
        tab.place: gr.update(**ON),
    }


@compute.guarded
def zoom(tab: FitTab, fitted: Fitted | None, factor: int, request: gr.Request) -> Any:
    picture = None if fitted is None else run.zoomed(fitted, int(factor))
    return gr.skip() if picture is None or preparing.is_past(request) else picture


def show_edited(tab: FitTab, edits: Edits, request: gr.Request) -> dict[Any, Any]:
    """Draws an edited fit and its weights where those of the fit were, and offers it for download. Nothing of one that
    is no longer shown."""
    fitted, folder = edits.fitted, session.session_dir(request)
    glb = run.surface_file(fitted, folder) if fitted.modality.has_surface else None
    if glb:
        shown = {tab.picture: gr.update(visible=False), tab.surface: gr.update(value=glb, visible=True)}
    else:
        picture = snippets.blank(GONE_OUT) if fitted.modality.has_surface else run.zoomed(fitted, 1)
        shown = {tab.picture: gr.update(value=picture, visible=True), tab.surface: gr.update(visible="hidden")}
    shown |= {tab.download: gr.update(value=run.weights_file(fitted, folder))}
    shown |= {tab.heat: run.heat_of(fitted.model, fitted.weights)}
    return {} if preparing.is_past(request) else shown
