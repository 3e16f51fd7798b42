"""Prepares a visitor's own file for fitting: reads and draws it, and measures a shape.

A file can be anything, so this happens in a child process that has `SECONDS` for it. It ends sooner when the visitor
chooses something else or leaves, and nobody waits for another visitor's file.

The walk from an upload to a point on the map begins here. `uploaded`: a child decodes the file to the content that is
fitted (the modality's `read`) and draws it once; from here on the content travels with the `Target`. `measured`: for a
shape, a child hashes the content, samples what is inside into the cache, and computes the evaluator, which then travels
with the target too. `fit.run.run`: the page builds the one model that decodes everything after it; the child that fits
builds its own, turns the content into tensors once (`modality.samples`, then `targets`), and sends back weights as
float32 tensors on the CPU. Each picture on the way is one `decode`; one more, at the final resolution, ends the fit.
`networks.places`: the page searches the collection once, and places these weights on all its maps.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import gradio as gr

from app.shared import samples, work
from app.shell import workers
from wsr.errors import WsrError
from wsr.isolation import Stopped

if TYPE_CHECKING:
    from app.shared.samples import Target

SECONDS = 20.0
_turns: dict[str, object] = {}  # what each visitor has chosen last
_shown: dict[str, object] = {}  # of which choice the fit on their page is
MANY = 5000


def turn(request: gr.Request | None) -> Callable[[], bool]:
    """Begins a visitor's choice of a target, and ends the one before. Returns a function that says whether this choice
    is over, because they have chosen again or left."""
    visitor, mine = _visitor(request), object()
    _note(_turns, visitor, mine)
    return lambda: _turns.get(visitor) is not mine


def begin(request: gr.Request | None) -> None:
    """Notes that what is on the visitor's page is of what they have chosen: its fit begins, or what they have chosen
    since cannot be read."""
    visitor = _visitor(request)
    _note(_shown, visitor, _turns.get(visitor))


def is_past(request: gr.Request | None) -> bool:
    """Returns whether the visitor has chosen something else since `begin`: nothing of that fit may come onto the page
    any more."""
    visitor = _visitor(request)
    return _shown.get(visitor) is not _turns.get(visitor)


def forget(request: gr.Request) -> None:
    """Ends what is being prepared for a visitor who leaves."""
    for noted in (_turns, _shown):
        noted.pop(_visitor(request), None)


def _visitor(request: gr.Request | None) -> str:
    return str(getattr(request, "session_hash", ""))


def _note(noted: dict[str, object], visitor: str, what: object) -> None:
    noted.pop(visitor, None)  # the newest goes last
    if len(noted) >= MANY:  # of visitors who never said that they left
        noted.pop(next(iter(noted)))
    noted[visitor] = what


def uploaded(path: str, stopped: Callable[[], bool]) -> "Target":
    """Reads a visitor's file as a target. WsrError for a file that cannot be fitted or takes too long; Stopped when
    `stopped` returns True."""
    name = samples.checked_file(path).name
    began = time.monotonic()
    found = workers.prepared(work.read, path, seconds=SECONDS, what=f"Reading {name!r}", stopped=stopped)
    return replace(found, seconds=time.monotonic() - began)


def measured(target: "Target", stopped: Callable[[], bool]) -> "Target":
    """Returns the shape with its `evaluator`, or with the `trouble` that came up. Reading and measuring share
    `SECONDS`."""
    if not target.modality.prepares or target.evaluator is not None:
        return target
    what, left = f"Measuring what is inside {target.label!r}", max(SECONDS - target.seconds, 1.0)
    try:
        evaluator = workers.prepared(work.measure, target.signal.carried(), seconds=left, what=what, stopped=stopped)
    except Stopped:
        raise
    except WsrError as error:
        return replace(target, trouble=str(error))
    return replace(target, evaluator=evaluator, trouble="")
