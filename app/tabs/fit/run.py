"""Runs a fit for the page: checks what a visitor asks for, and turns step records into new values of the widgets."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components.field.files import field_of
from app.figures.curves import quality_curve
from app.figures.weights import Layers, layer_arrays, weights_figure
from app.shared import library, work
from app.shared.fitted import Fitted
from app.shared.samples import MOST_STEPS, VIEW, Target
from app.shell import snippets, workers
from app.shell.jobs import Pace, over
from app.tabs.fit.starting import START
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.modalities import IMAGE
from wsr.presets import preset

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.fields.representation import Representation
    from wsr.modalities import Modality

STEPS, RANKS = (10, MOST_STEPS), (1, 16)
ZOOM_LIMIT = 512


@dataclass(frozen=True)
class Request:
    """Settings of a fit, as checked by `checked`."""

    representation: str
    rank: int
    steps: int


@dataclass
class Screen:
    """New values of the widgets while a fit runs. None leaves a widget as it is."""

    state: str
    picture: str | None = None
    curve: dict[str, Any] | None = None
    heat: dict[str, Any] | None = None
    fitted: Fitted | None = None


@dataclass
class _Run:
    target: Target
    request: Request
    model: "Representation"
    start: Layers
    steps: list[int] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    last: work.Step | None = None

    @property
    def modality(self) -> "Modality":
        return self.target.modality

    @property
    def aspect(self) -> tuple[int, int]:
        return self.target.aspect


def checked(representation: Any, rank: Any, steps: Any) -> Request:
    """Checks the values of the page's controls, which a visitor can forge. WsrError for one that is out of range."""
    registry.named(str(representation))
    for name, value, (low, high) in (("rank", rank, RANKS), ("number of steps", steps, STEPS)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise WsrError(f"The {name} must be a whole number between {low} and {high}, not {str(value)[:20]!r}.")
    return Request(representation, int(rank), int(steps))


def usual_steps() -> int:
    """Steps of a fit of the photograph that is chosen at first."""
    fit = preset(library.live_preset(IMAGE), IMAGE).fit
    return min(fit.far_steps or fit.steps, MOST_STEPS)


def run(target: Target, request: Request, stop: Path) -> Iterator[Screen]:
    """Fits `target` and yields what to show, a few times a second. Ends early once `stop` exists; closing the generator
    ends the fit."""
    yield Screen(snippets.working("Loading the base network …"))
    model = model_of(target, request)
    begun = layer_arrays(model.initial(sigma=0.0).cpu().numpy(), model.layout.to_json())
    todo = _Run(target, request, model, begun)
    yield Screen(snippets.working("Starting …", 0.0))
    pace = Pace(target.modality.resolutions.live.seconds)
    steps = records(target, request, partial(over, stop))
    try:
        for _, record in steps:
            todo.last = record
            todo.steps.append(record.step)
            todo.quality.append(float(np.nanmean(record.quality)))
            if record.done or stop.exists():
                break
            if pace.is_due():
                pace.drawn()
                yield _live(todo)
    finally:
        steps.close()
    yield _finished(todo, stopped=stop.exists())


_fitting = workers.Task(work.fit, duration=60, what="The fit")


def model_of(target: Target, request: Request) -> "Representation":
    """Builds the representation of a fit, on the target's base."""
    from wsr.fitting.fit import representation_for

    at = library.live_preset(target.modality)
    return representation_for(request.representation, target.base, target.modality, request.rank, at)


def records(target: Target, request: Request, stopped: Callable[[], bool]) -> Iterator[tuple[str, work.Step]]:
    """Fits a target in a child process, and yields the representation's name with each step that is recorded."""
    names = (request.representation,)
    asked = target.signal.carried(), names, request.rank, request.steps, target.evaluator, START, target.base
    return _fitting(*asked, stopped=stopped)


def _live(todo: _Run) -> Screen:
    from wsr.render.decode import decode

    record = todo.last
    shown = decode(todo.model, record.weights, todo.target.modality.resolutions.live.resolution, todo.aspect)[0]
    text = f"Step {record.step:,} of {record.steps:,} · {_quality(todo)} · {record.seconds:.1f} s"
    state = snippets.working(text, record.step / record.steps)
    return Screen(state, _picture(todo.modality, shown), _curve(todo), _heat(todo))


def outcome(target: Target, model: "Representation", record: work.Step | None) -> Fitted:
    """The fit that a last record describes. WsrError for one that has not begun, or has diverged."""
    if record is None:
        raise WsrError("The fit was stopped before it had begun. Press Fit to start again.")
    if not bool(np.isfinite(record.quality).all()):
        raise WsrError("The fit diverged: its numbers are no longer finite. Try fewer steps or another representation.")
    if record.status.startswith("diverged"):
        raise WsrError(f"The fit failed: {record.status}.")
    quality = float(np.nanmean(record.quality))
    return Fitted(target.label, model, record.weights, target.aspect, quality, record.step)


def _finished(todo: _Run, stopped: bool) -> Screen:
    record = todo.last
    fitted = outcome(todo.target, todo.model, record)
    weights, status = record.weights, record.status or "ok"
    word = "Stopped" if stopped and not record.done else "Done"
    cost = f"{weights.shape[1]:,} numbers, {record.seconds:.1f} s"
    text = f"{word} after {record.step:,} steps: {_quality(todo)}, {cost}.{_beginning(record)}"
    if status != "ok":
        text += f" The fit is {status}."
    picture = None if fitted.modality.has_surface else zoomed(fitted, 1)  # a surface comes as a file
    return Screen(snippets.settled(text), picture, _curve(todo), _heat(todo), fitted)


def _beginning(record: work.Step) -> str:
    """Says where the fit began: at an encoder's start, or why not. Nothing for representations without an encoder,
    because their fits have no other start."""
    from wsr.fitting.encoder_files import UNTRAINED

    if record.encoded:
        return " It began at a start that an encoder predicted."
    told = record.why_plain not in ("", UNTRAINED)
    return f" It began at the usual start, because {record.why_plain}." if told else ""


def zoomed(fitted: Fitted, factor: int) -> str:
    """Decodes the fit at `factor` times the resolution it was fitted at, and draws it."""
    from wsr.render.decode import decode

    if factor not in (1, 2, 4):
        raise WsrError(f"The zoom can be 1, 2 or 4, not {str(factor)[:20]!r}.")
    size = min(fitted.modality.resolutions.final * factor, ZOOM_LIMIT)
    shown = decode(fitted.model, fitted.weights, size, fitted.aspect)[0]
    image = fitted.modality.picture(shown, size)
    network = field_of(fitted.model, {"a": fitted.weights[0]})
    return snippets.picture(image, f"reconstruction of {fitted.label}", pixels=True, field=network, moves=True)


def surface_file(fitted: Fitted, folder: Path) -> str | None:
    """Writes the fitted surface to a GLB file in the visitor's folder. None where the field has no inside (yet)."""
    from wsr.render.decode import decode
    from wsr.render.surfaces import to_glb

    mesh = decode(fitted.model, fitted.weights, fitted.modality.resolutions.final)[0]
    if not len(mesh.faces):
        return None
    path = folder / f"fit-{time.monotonic_ns()}.glb"  # a new name: the viewer keeps what it has for an old one
    path.write_bytes(to_glb(mesh, None))
    return str(path)


def weights_file(fitted: Fitted, folder: Path) -> str:
    """Writes the weights to a safetensors file in the visitor's folder, for the download."""
    from wsr.fitting.saved import save_weights

    name = "".join(c if c.isalnum() else "-" for c in fitted.label.lower()).strip("-")[:40] or "fit"
    path = folder / f"{name}-{fitted.model.name}.safetensors"
    save_weights(path, fitted.weights, fitted.model, [fitted.label], fitted.aspect)
    return str(path)


def _picture(modality: "Modality", shown: Any) -> str:
    """Draws what has been decoded during the fit."""
    if modality.empty(shown):
        return snippets.blank("No surface yet: the field says that all points are outside.")
    return snippets.picture(modality.picture(shown, VIEW), "reconstruction so far")


def _quality(todo: _Run) -> str:
    return todo.modality.in_short(todo.quality[-1])


def _curve(todo: _Run) -> dict[str, Any]:
    asked = todo.request
    begun = {"of": todo.modality, "representation": asked.representation, "from_zero": todo.last.encoded}
    return quality_curve(todo.steps, todo.quality, total=asked.steps, **begun)


def _heat(todo: _Run) -> dict[str, Any]:
    layers = layer_arrays(todo.last.weights[0].numpy(), todo.model.layout.to_json())
    return weights_figure(layers, todo.start)


def heat_of(model: "Representation", weights: "Tensor") -> dict[str, Any]:
    """Heat map of weights (1, p)."""
    layout = model.layout.to_json()
    begun = layer_arrays(model.initial(sigma=0.0).cpu().numpy(), layout)
    return weights_figure(layer_arrays(weights[0].numpy(), layout), begun)
