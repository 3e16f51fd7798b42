"""Fits all representations to one target, side by side and live."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.figures.curves import quality_curves
from app.shared import library, work
from app.shared.fitted import Fitted
from app.shared.palette import NAMES
from app.shared.samples import Target
from app.shell import snippets, workers
from app.shell.jobs import Pace, over
from app.tabs.fit.run import Request, Screen, heat_of
from wsr.errors import WsrError
from wsr.fields import registry

if TYPE_CHECKING:
    from wsr.fields.representation import Representation

KEPT = registry.DEFAULT  # the one that can be zoomed, downloaded and placed afterwards
DRAWN = 160  # pixels of a drawn surface


@dataclass
class Lane:
    """One of the fits, as far as it has come."""

    model: "Representation"
    last: work.Step | None = None
    steps: list[int] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)


def called() -> str:
    """Returns the name of all registered representations together: "all six"."""
    count = len(registry.names())
    return f"all {'six' if count == 6 else count}"


def run(target: Target, request: Request, stop: Path) -> Iterator[Screen]:
    """Fits with all representations in turns of a few steps each and yields what to show. Ends early once `stop`
    exists."""
    from wsr.fitting.fit import representation_for

    yield Screen(snippets.working("Loading the base network …"))
    at = library.live_preset(target.modality)
    about = target.base, target.modality, request.rank, at
    models = {name: representation_for(name, *about) for name in registry.names()}
    lanes: dict[str, Lane] = {}
    yield Screen(snippets.working(f"Starting {called()} …", 0.0))
    records = _records(target, request, partial(over, stop))
    pace = Pace(target.modality.resolutions.live_six.seconds)
    pace.drawn()
    try:
        for name, record in records:
            lane = lanes.setdefault(name, Lane(models[name]))
            lane.last = record
            lane.steps.append(record.step)
            lane.quality.append(float(np.nanmean(record.quality)))
            if stop.exists():
                break
            if len(lanes) == len(models) and pace.is_due():
                yield _live(target, request, lanes)
                pace.drawn()
    finally:
        records.close()
    yield _finished(target, request, lanes)


_fitting = workers.Task(work.fit, duration=120, what="The fit")


def _records(target: Target, request: Request, stopped: Callable[[], bool]) -> Iterator[tuple[str, work.Step]]:
    about = request.rank, request.steps, target.evaluator, "plain", target.base
    return _fitting(target.signal.carried(), registry.names(), *about, stopped=stopped)


def _live(target: Target, request: Request, lanes: dict[str, Lane]) -> Screen:
    step = min(lane.last.step for lane in lanes.values())
    seconds = sum(lane.last.seconds for lane in lanes.values())
    state = snippets.working(
        f"Step {step:,} of {request.steps:,}, {called()} in turns · {seconds:.1f} s", step / request.steps
    )
    sheet = _sheet(target, lanes, target.modality.resolutions.live_six.resolution)
    return Screen(state, sheet, _curves(target, request, lanes), _heat(lanes))


def _finished(target: Target, request: Request, lanes: dict[str, Lane]) -> Screen:
    if KEPT not in lanes:
        raise WsrError("The fits were stopped before they had begun. Press Fit to start again.")
    kept = lanes[KEPT]
    if not np.isfinite(kept.quality[-1]):
        raise WsrError("The fit diverged: its numbers are no longer finite. Try fewer steps.")
    weights, quality = kept.last.weights, kept.quality[-1]
    fitted = Fitted(target.label, kept.model, weights, target.aspect, quality, kept.last.step)
    best = max(lanes, key=lambda name: np.nan_to_num(lanes[name].quality[-1], nan=-np.inf))  # one may have diverged
    word = "Done" if all(lane.last.done for lane in lanes.values()) else "Stopped"
    text = f"{word} after {kept.last.step:,} steps each. Closest: {NAMES[best]}, "
    text += f"{target.modality.in_short(lanes[best].quality[-1])}. Download and map take {NAMES[KEPT]}'s weights."
    if kept.last.status not in ("", "ok"):
        text += f" {NAMES[KEPT]}'s fit is {kept.last.status}."
    sheet = _sheet(target, lanes, target.modality.resolutions.settled)
    return Screen(snippets.settled(text), sheet, _curves(target, request, lanes), _heat(lanes), fitted)


def _sheet(target: Target, lanes: dict[str, Lane], resolution: int) -> str:
    """One picture for each representation, with its name, cost and quality."""
    cells = []
    for name in registry.names():
        if name not in lanes:
            continue
        lane = lanes[name]
        notes = (
            snippets.quality(target.modality, lane.quality[-1]),
            f"{lane.model.size:,} numbers · {lane.last.seconds:.1f} s",
        )
        cells.append(snippets.cell(_pixels(target, lane, resolution), NAMES[name], name, notes))
    return snippets.sheet(cells)


def _pixels(target: Target, lane: Lane, resolution: int) -> np.ndarray | None:
    """Returns the decoded picture; None if a shape has no surface yet."""
    from wsr.render.decode import decode

    shown = decode(lane.model, lane.last.weights, resolution, target.aspect)[0]
    return None if target.modality.empty(shown) else target.modality.picture(shown, DRAWN)


def _curves(target: Target, request: Request, lanes: dict[str, Lane]) -> dict[str, Any]:
    series = {name: (lane.steps, lane.quality) for name, lane in lanes.items()}
    return quality_curves(series, of=target.modality, total=request.steps)


def _heat(lanes: dict[str, Lane]) -> dict[str, Any]:
    return heat_of(lanes[KEPT].model, lanes[KEPT].last.weights)
