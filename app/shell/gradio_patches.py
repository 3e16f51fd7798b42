"""Everything that we change in gradio from within. pyproject.toml pins gradio to the releases that this is tested with.
`tests/app/test_gradio_patches.py` fails where a release no longer has what is changed, has it otherwise, or no longer
needs the change.

Nothing here imports gradio before it is called: `write_no_stubs` comes before `import gradio`.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

# Seconds between two looks of an idle queue. gradio's own look 1,000 and 100 times a second, 8 % of a core with nobody
# there; a click now waits 10 ms longer on average.
LOOK_AT_QUEUE, LOOK_AT_PROGRESS = 0.02, 0.25


def write_no_stubs() -> None:
    """Keeps gradio from writing a type stub beside the source of every component class, which it does each time that it
    is imported: half of the three seconds that `import gradio` takes, and files in our tree. It leaves out classes
    whose source file cannot be found."""
    found = inspect.getfile

    @functools.wraps(found)
    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("gradio components keep their source to themselves")
        return found(thing)

    inspect.getfile = getfile


def whole(old: Any, new: Any) -> list[list]:
    """What gradio sends of a generator's next value for a widget: all of it, where it differs.

    gradio itself sends the edits that make the new value out of the old one, and the page applies them to the old one
    in place. It draws with pauses: on a busy machine an update that a `gr.skip()` followed was emptied before it was
    drawn, and lost (the panel without neighbours, a surface that never came).
    """
    return [] if old == new else [["replace", [], new]]


def send_values_whole() -> None:
    """Makes gradio send the values of a generator as `whole` does."""
    import gradio.utils

    gradio.utils.diff = whole


def rest(page: "gr.Blocks") -> "gr.Blocks":
    """The page, whose queue (`page.queue` has been called) rests between its looks."""
    page._queue.sleep_when_free = LOOK_AT_QUEUE
    page._queue.progress_update_sleep_when_free = LOOK_AT_PROGRESS
    return page


def refuse_first(page: "gr.Blocks", refusal: Callable[[Any, Any, Any], str]) -> "gr.Blocks":
    """The page, whose queue takes an event only where `refusal(queue, body, request)` is "": any other text is the
    sentence that the visitor reads instead."""
    queue = page._queue
    push = queue.push

    @functools.wraps(push)
    async def push_or_refuse(body: Any, request: Any, username: str | None) -> tuple:
        why = refusal(queue, body, request)
        return (False, why, "error") if why else await push(body=body, request=request, username=username)

    queue.push = push_or_refuse
    return page
