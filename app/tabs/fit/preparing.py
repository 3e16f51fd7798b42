"""Making a visitor's own file ready to be fitted: read, drawn, and, of a shape, measured.

A file can be anything, so this happens in a child process that has `SECONDS` to do it. It ends sooner when the visitor
chooses something else or leaves, and nobody waits for another's file.

The walk of a target from upload to map point begins here. `uploaded`: a child decodes the file to the content that is
fitted (the modality's `read`) and draws it once; from here on the content travels with the `Target`. `measured`: of a
shape, a child hashes the content, samples what is inside into the cache, and computes the evaluator, which travels with
the target as well. `fit.run.run`: the page builds the one model that everything after it decodes with, and a child that
fits builds its own and turns the content into tensors once (`modality.samples`, then `targets`); it sends back weights
as float32 tensors on the CPU. Each picture on the way is one `decode`; at the end there is one more, at the final
resolution. `networks.places`: the page searches the collection once, and puts these weights on all its maps.
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
MANY = 5000


def turn(request: gr.Request | None) -> Callable[[], bool]:
    """Begins a visitor's choice of a target, and ends the one before. Returns a function that says whether this one is
    over: they have chosen again, or left."""
    visitor, mine = str(getattr(request, "session_hash", "")), object()
    if len(_turns) >= MANY:  # of visitors who never said that they left
        _turns.pop(next(iter(_turns)))
    _turns[visitor] = mine
    return lambda: _turns.get(visitor) is not mine


def forget(request: gr.Request) -> None:
    """A visitor leaves: what is being made ready for them ends."""
    _turns.pop(str(getattr(request, "session_hash", "")), None)


def uploaded(path: str, stopped: Callable[[], bool]) -> "Target":
    """A visitor's file as a target. WsrError for anything that cannot be fitted, or takes too long; Stopped when
    `stopped` said so."""
    name = samples.checked_file(path).name
    began = time.monotonic()
    found = workers.prepared(work.read, path, seconds=SECONDS, what=f"Reading {name!r}", stopped=stopped)
    return replace(found, seconds=time.monotonic() - began)


def measured(target: "Target", stopped: Callable[[], bool]) -> "Target":
    """A shape with what is inside it, or with the trouble there was. Reading and measuring share the time that there
    is."""
    if not target.modality.prepares or target.evaluator is not None:
        return target
    what, left = f"Measuring what is inside {target.label!r}", max(SECONDS - target.seconds, 1.0)
    try:
        evaluator = workers.prepared(work.measure, work.plain(target.signal), seconds=left, what=what, stopped=stopped)
    except Stopped:
        raise
    except WsrError as error:
        return replace(target, trouble=str(error))
    return replace(target, evaluator=evaluator, trouble="")
