"""A visitor's job on the page: a button starts it, another stops it, and a line says how far it is.

A press on the button is answered at once (`Job.prepare`), whoever else is waiting. The job runs when its turn comes,
and the line shows its errors (`said_in_line`). Afterwards the buttons are as before (`Job.finish`, `Job.refused`).
"""

import functools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from app.shell import compute, session, snippets

COURTESY = 3.0  # seconds that are waited for the end of a job that has been left
LEFT = "left"  # what the stop file of such a job says
ON, OFF = {"interactive": True}, {"interactive": False}
NOT_BEGUN = "Stopped: it was still waiting for its turn."
HALT = "wsr-halt"  # the class of buttons that stop a job: by it the page knows whether one is going on


@dataclass(frozen=True)
class Step:
    """A handler with the widgets that it reads and those that it may change. options: keywords of its event."""

    handler: Callable[..., Any]
    inputs: Any = ()
    outputs: Sequence[Any] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: {"queue": False, **compute.PRIVATE})


@dataclass
class Job:
    """A kind of job of the page. name: used in the names of its files; start, halt: its buttons; state: its line; what:
    completes "The machine has no room for …"."""

    name: str
    start: Any
    halt: Any
    state: Any
    what: str
    withdrawn: Any = None  # hidden; a new value takes the job out of the queue

    @property
    def widgets(self) -> list[Any]:
        return [self.state, self.start, self.halt]

    def stop_file(self, request: gr.Request | None) -> Path:
        """Returns the path of a file whose existence makes the visitor's job end at its next step. It is a file because
        on a Space with a shared GPU the job runs in another process."""
        return session.session_dir(request) / f"stop-{self.name}"

    def is_going_on(self, request: gr.Request | None) -> bool:
        """Returns whether the visitor has pressed the button and the job has not ended since."""
        return self._going_on(request).exists()

    def _going_on(self, request: gr.Request | None) -> Path:
        return session.session_dir(request) / f"going-on-{self.name}"

    def _began(self, request: gr.Request | None) -> Path:
        return session.session_dir(request) / f"began-{self.name}"

    def prepare(self, request: gr.Request) -> dict[Any, Any]:
        """Answers a press on the start button."""
        for past in (self.stop_file(request), self._began(request)):
            past.unlink(missing_ok=True)
        self._going_on(request).touch()
        waiting = snippets.working("Waiting for the machine …")
        return {self.state: waiting, self.start: gr.update(**OFF), self.halt: gr.update(**ON)}

    def finish(self, request: gr.Request) -> dict[Any, Any]:
        """Resets the buttons after the job has ended, successfully or not."""
        self._going_on(request).unlink(missing_ok=True)
        return {self.start: gr.update(**ON), self.halt: gr.update(**OFF)}

    def refused(self, request: gr.Request) -> dict[Any, Any]:
        """Tells the visitor that the queue was full or the connection broke. gradio reports a job that was taken out of
        the queue as failed, too, of which `stop` has told already."""
        if not self.is_going_on(request):
            return self.finish(request)
        text = f"The machine has no room for {self.what} at the moment. Please try again in a minute."
        return {self.state: snippets.failed(text), **self.finish(request)}

    def stop(self, request: gr.Request) -> dict[Any, Any]:
        """Answers a press on Stop. A job that has begun ends at its next step and says so itself. One that waits for
        its turn is taken out of the queue."""
        self.stop_file(request).touch()
        if self._began(request).exists() or not self.is_going_on(request):
            return gr.skip()
        return {
            self.state: snippets.settled(NOT_BEGUN), self.withdrawn: str(time.monotonic_ns()), **self.finish(request)
        }  # fmt: skip

    def _marked(self, run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """The job itself, which first notes that its turn has come, and says nothing more once it has been left. Its
        last argument is the visitor's request."""

        @functools.wraps(run)
        def running(*args: Any) -> Iterator[Any]:
            self._began(args[-1]).touch()
            for answer in run(*args):
                yield gr.skip() if self._is_left(args[-1]) else answer

        return running

    def _is_left(self, request: gr.Request | None) -> bool:
        try:
            return self.stop_file(request).read_text() == LEFT
        except FileNotFoundError:
            return False

    def end(self, request: gr.Request | None) -> bool:
        """Stops the visitor's running job, if there is one, because they have left it for something else: no answer of
        it reaches the page any more. Waits up to COURTESY seconds for its end, so that the next message comes after the
        job's last one. Returns whether there was one. A job that is still queued ends when its turn comes."""
        if not self.is_going_on(request):
            return False
        self.stop_file(request).write_text(LEFT)
        until = time.monotonic() + COURTESY
        while self.is_going_on(request) and time.monotonic() < until:
            time.sleep(0.02)
        return True

    def wire(
        self, run: Step, *, prepare: Step | None = None, then: Sequence[Step] = (), finish: Step | None = None,
        refused: Step | None = None, triggers: Sequence[Any] = (), queue: Mapping[str, Any] = compute.COMPUTE,
    ) -> Any:  # fmt: skip
        """Connects the buttons. run: the job itself, a generator, which takes turns with the jobs of all visitors in
        its queue.

        prepare, finish, refused: replace the methods of that name, with the widgets they change beyond the job's own;
        then: steps between the press and the job; triggers: events that start it as well. Returns the event of its
        end, which further events may follow."""
        begin, end = prepare or Step(self.prepare), finish or Step(self.finish)
        no = refused or Step(self.refused)
        pressed = [self.start.click, *triggers]
        event = gr.on(pressed, begin.handler, begin.inputs, [*self.widgets, *begin.outputs], **begin.options)
        for step in then:
            event = event.then(step.handler, step.inputs, step.outputs, **step.options)
        shown = {**queue, **compute.PRIVATE, "show_progress": "minimal", "show_progress_on": self.state}
        running = event.then(self._marked(run.handler), run.inputs, [self.state, *run.outputs], **shown)
        ended = running.success(end.handler, end.inputs, [self.start, self.halt, *end.outputs], **end.options)
        running.failure(no.handler, no.inputs, [*self.widgets, *no.outputs], **no.options)
        # The browser itself shows "Stopping …". As the answer of `stop` it could arrive after the last message of a job
        # that has begun, and stay.
        said = compute.said_at_once("Stopping …")
        self.halt.click(None, None, self.state, js=said, queue=False, **compute.PRIVATE)
        self.withdrawn = gr.Textbox("", visible="hidden")
        self.halt.click(self.stop, None, [*self.widgets, self.withdrawn], queue=False, **compute.PRIVATE)
        self.withdrawn.change(None, cancels=[running], **compute.PRIVATE)
        return ended


def said_in_line(run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Decorates the generator of a job, a handler of a tab with a `job`: its errors are shown in the job's line."""

    @functools.wraps(run)
    def running(tab: Any, *args: Any) -> Iterator[Any]:
        try:
            yield from run(tab, *args)
        except Exception as error:
            if isinstance(error, FileNotFoundError) and session.has_left(args[-1]):  # it was to be a file of theirs
                return
            yield {tab.job.state: snippets.failed(compute.sentence(error))}

    return running


def over(stop: Path) -> bool:
    """Returns whether the visitor has pressed Stop, or has left, in which case their folder is gone. stop: the job's
    `stop_file`."""
    return stop.exists() or not stop.parent.exists()


class Pace:
    """Limits how often a running job is drawn: at most once in `seconds`."""

    def __init__(self, seconds: float):
        self.seconds, self._drawn = seconds, -math.inf

    def is_due(self) -> bool:
        return time.monotonic() - self._drawn > self.seconds

    def drawn(self) -> None:
        """Notes that a drawing was made now."""
        self._drawn = time.monotonic()
