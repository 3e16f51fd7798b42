"""All six representations fitted to one target, side by side, live."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app import compute, snippets
from app.figures.curves import quality_curves
from app.figures.weights import layer_arrays, weights_figure
from app.fit_run import Fitted, Request, Screen
from app.palette import NAMES
from app.samples import Target
from wsr import representations
from wsr.errors import WsrError

if TYPE_CHECKING:
    from wsr.fields.representation import Representation
    from wsr.fitting.loop import FitRecord

KEPT = "mlora-asym"  # the one of the six that can be zoomed, downloaded and placed afterwards
LIVE = {2: (96, 0.7), 3: (32, 2.5)}  # resolution of the six previews, and seconds between two, by dimension
SETTLED = {2: 128, 3: 64}
DRAWN = 160  # pixels of a drawn surface


@dataclass
class Lane:
    """One of the six, as far as it has come."""

    model: "Representation"
    last: "FitRecord | None" = None
    steps: list[int] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)


def run(target: Target, request: Request, stop: Path) -> Iterator[Screen]:
    """Fits all six in turns of a few steps each and yields what to show. Ends early once `stop` exists."""
    yield Screen(snippets.working("Loading the base network …"))
    lanes: dict[str, Lane] = {}
    yield Screen(snippets.working("Starting all six …", 0.0))
    records = _records(target.signal, request)
    drawn = time.monotonic()
    try:
        for name, model, record in records:
            lane = lanes.setdefault(name, Lane(model))
            lane.last = record
            lane.steps.append(record.step)
            lane.quality.append(float(np.nanmean(record.quality)))
            if stop.exists():
                break
            if len(lanes) == len(representations) and time.monotonic() - drawn > LIVE[target.dim][1]:
                yield _live(target, request, lanes)
                drawn = time.monotonic()
    finally:
        records.close()
    yield _finished(target, request, lanes)


@compute.gpu(duration=120)
def _records(signal: Any, request: Request) -> "Iterator[tuple[str, Representation, FitRecord]]":
    """Records of the six fits, in turns, until all are done: one problem, six sets of weights."""
    from wsr.data.signals import Signals
    from wsr.fitting.fit import default_device, fit_settings, representation_for
    from wsr.fitting.loop import run_fit
    from wsr.fitting.problem import make_problem
    from wsr.presets import preset

    device, resolution = default_device(), preset("cpu", signal.dim).resolution
    problem = make_problem(Signals("yours", signal.dim, [signal]), resolution, device=device)
    every = max(1, min(10, request.steps // 20))
    streams = {}
    for name in representations:
        model = representation_for(name, None, signal.dim, request.rank)
        config = fit_settings(name, signal.dim, request.steps)
        streams[name] = model, run_fit(problem, model, model.initial(), config, resolution, every)
    try:
        while streams:
            for name, (model, stream) in list(streams.items()):
                record = next(stream)
                if record.done:
                    del streams[name]
                yield name, model, record
    finally:
        for _, stream in streams.values():
            stream.close()


def _live(target: Target, request: Request, lanes: dict[str, Lane]) -> Screen:
    step = min(lane.last.step for lane in lanes.values())
    seconds = sum(lane.last.seconds for lane in lanes.values())
    state = snippets.working(
        f"Step {step:,} of {request.steps:,}, all six in turns · {seconds:.1f} s", step / request.steps
    )
    return Screen(state, _sheet(target, lanes, *LIVE[target.dim][:1]), _curves(target, request, lanes), _heat(lanes))


def _finished(target: Target, request: Request, lanes: dict[str, Lane]) -> Screen:
    if KEPT not in lanes:
        raise WsrError("The fits were stopped before they had begun. Press Fit to start again.")
    kept = lanes[KEPT]
    if not np.isfinite(kept.quality[-1]):
        raise WsrError("The fit diverged: its numbers are no longer finite. Try fewer steps.")
    aspect = target.view.shape[:2] if target.dim == 2 else (1, 1)
    fitted = Fitted(
        target.label, target.dim, kept.model, kept.last.weights, aspect, kept.quality[-1], kept.last.step
    )
    best = max(lanes, key=lambda name: lanes[name].quality[-1])
    word = "Done" if all(lane.last.done for lane in lanes.values()) else "Stopped"
    measure = "psnr" if target.dim == 2 else "iou"
    text = f"{word} after {kept.last.step:,} steps each. Closest: {NAMES[best]}, "
    text += f"{snippets.quality(lanes[best].quality[-1], measure)}. Download and map take {NAMES[KEPT]}'s weights."
    if kept.last.result is not None and kept.last.result.status[0] != "ok":
        text += f" {NAMES[KEPT]}'s fit is {kept.last.result.status[0]}."
    sheet = _sheet(target, lanes, SETTLED[target.dim])
    return Screen(snippets.settled(text), sheet, _curves(target, request, lanes), _heat(lanes), fitted)


def _sheet(target: Target, lanes: dict[str, Lane], resolution: int) -> str:
    """Six pictures with what each is, what it costs and how close it is."""
    measure = "psnr" if target.dim == 2 else "iou"
    cells = []
    for name in representations:
        if name not in lanes:
            continue
        lane = lanes[name]
        notes = (
            snippets.quality(lane.quality[-1], measure),
            f"{lane.model.size:,} numbers · {lane.last.seconds:.1f} s",
        )
        cells.append(snippets.cell(_pixels(target, lane, resolution), NAMES[name], name, notes))
    return snippets.sheet(cells)


def _pixels(target: Target, lane: Lane, resolution: int) -> np.ndarray | None:
    """The decoded picture; None where a shape has no surface yet."""
    from wsr.render.decode import decode

    aspect = target.view.shape[:2] if target.dim == 2 else (1, 1)
    shown = decode(lane.model, lane.last.weights, resolution, aspect)[0]
    if isinstance(shown, np.ndarray):
        return shown
    if not len(shown.faces):
        return None
    from wsr.render.pictures import draw_mesh

    return np.asarray(draw_mesh(shown, DRAWN))


def _curves(target: Target, request: Request, lanes: dict[str, Lane]) -> dict[str, Any]:
    series = {name: (lane.steps, lane.quality) for name, lane in lanes.items()}
    return quality_curves(series, measure="psnr" if target.dim == 2 else "iou", total=request.steps)


def _heat(lanes: dict[str, Lane]) -> dict[str, Any]:
    lane = lanes[KEPT]
    layout = lane.model.layout.to_json()
    begun = layer_arrays(lane.model.initial(sigma=0.0).cpu().numpy(), layout)
    return weights_figure(layer_arrays(lane.last.weights[0].cpu().numpy(), layout), begun)
