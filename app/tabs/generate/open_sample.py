"""Handlers of the open sample of the Generate tab: it stands beside what it is nearest to, is edited, taken, and walked
to another."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from app.components.plotly_chart import picked_at, picked_id
from app.shared import library, networks
from app.shared.edits import Edits
from app.shared.fitted import Fitted
from app.shell import compute, session, snippets
from app.shell.jobs import OFF, ON
from app.tabs.generate import drawn, models, run
from app.tabs.generate.models import Sampled, awaits_verdicts
from app.tabs.generate.widgets import GenerateTab, Opened
from wsr.errors import WsrError

NONE_OPEN = "Open a sample to see it beside its nearest training network."


@compute.guarded
def pick(
    tab: GenerateTab, sampled: Sampled | None, event: gr.EventData, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    if tab.job.is_going_on(request):
        raise WsrError("These are still on their way: wait a moment, or press Stop.")
    opening = _opening(tab, sampled, number(sampled, picked_id(event)), request)
    yield from session.newest(request, opening, "sample", "reopened", "walk", at=picked_at(event))


def _opening(tab: GenerateTab, sampled: Sampled, at: int, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Yields the open sample, and what it is nearest to once that is known. Nothing where others have been asked for
    meanwhile."""
    shown = large(sampled, at, request)
    if tab.job.is_going_on(request):
        return
    yield tab.fill(shown)
    if awaits_verdicts(sampled):
        found = large(run.compared(sampled.asked.name, sampled.asked.by), at, request)
        if not tab.job.is_going_on(request):
            yield {tab.pair: found.pair, tab.verdict: found.verdict}


@compute.guarded
def reopen(tab: GenerateTab, sampled: Sampled | None, picked: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Opens the sample with the same number when new samples come; at first, the first one. A sample that is picked
    meanwhile takes its place."""
    if sampled is None or tab.job.is_going_on(request):
        yield gr.skip()
    else:
        opening = _opening(tab, sampled, number(sampled, picked or "0"), request)
        yield from session.newest(request, opening, "reopened", "walk")


def closed(tab: GenerateTab, text: str) -> dict[Any, Any]:
    """Takes the open sample from the screen. text: what is said in its place."""
    off = gr.update(**OFF)
    shown = {tab.fitted: None, tab.pair: snippets.blank(text), tab.verdict: "", tab.surface: surface(None)}
    return shown | {tab.take: off, tab.place: off, tab.files: gr.update(visible=False), tab.walked: ""}


def large(sampled: Sampled, at: int, request: gr.Request) -> Opened:
    """Returns the widgets that show a sample beside its nearest training network."""
    asked = sampled.asked
    fitted = drawn.fitted(sampled, at)
    name = f"sample {at + 1}"
    own, glb, field = _looked_at(fitted, request)
    shown, said, turning = [(name, own)], "", {name: field}
    if sampled.verdicts:
        verdict, training = sampled.verdicts[at], models.audit(asked.name)[1]
        for row in drawn.origins(verdict):
            weights = networks.zoo(asked.name).weights([training[row]])
            caption = f"training: {drawn.label(asked.name, training[row])}"
            shown.append((caption, drawn.opened_picture(asked.name, weights)))
            turning[caption] = drawn.field(replace(fitted, weights=weights))
        said = snippets.settled(drawn.told(sampled, at))
    elif awaits_verdicts(sampled):
        said = snippets.working("Comparing it with training networks …")
    on, hidden, mark = gr.update(**ON), gr.update(visible=False), gr.update(chosen=str(at))
    pair = snippets.pictures(shown, moving={name: {}}, turning=turning)  # moved by Edit
    return Opened(str(at), fitted, pair, said, surface(glb), take=on, place=on, files=hidden, items=mark)


@compute.guarded
def beside(tab: GenerateTab, sampled: Sampled | None, picked: str, request: gr.Request) -> dict[Any, Any]:
    """Shows again what the open sample is nearest to, after its edits have been taken back."""
    if sampled is None or not picked:
        return gr.skip()
    found = large(sampled, number(sampled, picked), request)
    return {tab.pair: found.pair, tab.verdict: found.verdict}


def show_edited(tab: GenerateTab, edits: Edits, request: gr.Request) -> dict[Any, Any]:
    """Draws an edited sample beside what it was. The verdict was one on that, and so are files that were written."""
    now, glb, field = _looked_at(edits.fitted, request)
    shown = [(edits.origin.label, drawn.picture(edits.origin)), (edits.fitted.label, now)]
    turning = {edits.origin.label: drawn.field(edits.origin), edits.fitted.label: field}
    pair = snippets.pictures(shown, moving={edits.fitted.label: {}}, turning=turning)
    return {tab.pair: pair, tab.verdict: "", tab.surface: surface(glb), tab.files: gr.update(visible=False)}


def _looked_at(fitted: Fitted, request: gr.Request) -> tuple[np.ndarray, str | None, dict[str, Any] | None]:
    """A sample's picture; a surface also as what the page needs to turn it, or where it cannot, as a GLB file."""
    field = drawn.field(fitted)
    if field is not None:
        return drawn.picture(fitted), None, field
    picture, glb = drawn.look(fitted, session.session_dir(request))
    return picture, glb, None


def surface(glb: str | None) -> dict[str, Any]:
    return gr.update(value=glb, visible=True) if glb else gr.update(visible="hidden")


@compute.guarded
def take(
    tab: GenerateTab, sampled: Sampled | None, picked: str, fitted: Fitted | None, request: gr.Request
) -> dict[Any, Any]:
    """Writes the open sample to files, as it has been edited."""
    files = drawn.files(sampled, number(sampled, picked), session.session_dir(request), fitted)
    return {tab.files: gr.update(value=files, visible=True)}


@compute.guarded
def walk(sampled: Sampled | None, picked: str, other: float | None, way: float) -> str:
    """Shows the sample on the way from the open one to another."""
    if sampled is None or not picked:
        return snippets.settled("Open a sample first: the walk begins there.")
    at, part = number(sampled, picked), float(way)
    if not 0 <= part <= 1:
        raise WsrError(f"A place between two samples lies between 0 and 1, not at {part!r}.")
    name = sampled.asked.name
    try:
        weights = run.between(sampled.asked, at, int(other or 0) - 1, part)
    except WsrError as error:  # no toast: the number may be one that is still being typed
        return snippets.failed(str(error))
    found = drawn.pictures(name, weights, library.collection(name).modality.resolutions.settled)[0]
    return snippets.pictures([(f"{part:.0%} of the way from sample {at + 1} to sample {int(other)}", found)])


def number(sampled: Sampled | None, picked: str) -> int:
    """Checks a sample's number from the page. WsrError for an unknown one."""
    if sampled is None:
        raise WsrError("These samples are gone: they are kept for an hour. Press Sample again.")
    if not picked.isdigit() or int(picked) >= len(sampled.weights):
        raise WsrError(f"There is no sample {picked[:20]!r} among these {len(sampled.weights)}: open one of the grid.")
    return int(picked)
