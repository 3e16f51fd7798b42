"""Patches of gradio's internals. pyproject.toml pins gradio to the releases that they are tested with, and
`tests/app/shell/test_gradio_patches.py` fails where a release has changed the patched code or no longer needs a patch.

Nothing here imports gradio before it is called: `write_no_stubs` comes before `import gradio`.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

# Seconds between two polls of an idle queue. gradio polls 1,000 and 100 times a second, which takes 8 % of a core with
# nobody there. A click now waits 10 ms longer on average.
LOOK_AT_QUEUE, LOOK_AT_PROGRESS = 0.02, 0.25


def write_no_stubs() -> None:
    """Keeps gradio from writing a type stub beside the source of every component class. It does so at each import,
    which takes half of the three seconds of `import gradio` and leaves files in our tree. Classes whose source file
    cannot be found are left out."""
    found = inspect.getfile

    @functools.wraps(found)
    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("gradio components keep their source to themselves")
        return found(thing)

    inspect.getfile = getfile


def whole(old: Any, new: Any) -> list[list]:
    """The edits that gradio sends for a generator's next value: the whole new value, if it differs.

    gradio's own edits change the old value in place in the browser. On a busy machine an update followed by `gr.skip()`
    was emptied before it was drawn, and lost: the panel had no neighbours, or a surface never came.
    """
    return [] if old == new else [["replace", [], new]]


def send_values_whole() -> None:
    """Makes gradio use `whole` for the values of generators."""
    import gradio.utils

    gradio.utils.diff = whole


def rest(page: "gr.Blocks") -> "gr.Blocks":
    """Slows down the polling of an idle queue. Call it after `page.queue`. Returns the page."""
    page._queue.sleep_when_free = LOOK_AT_QUEUE
    page._queue.progress_update_sleep_when_free = LOOK_AT_PROGRESS
    return page


def refuse_first(
    page: "gr.Blocks", refusal: Callable[[Any, Any, Any], str], of_program: Callable[[Any, Any], bool] | None = None
) -> "gr.Blocks":
    """Makes the queue ask `refusal(queue, body, request)` before it takes an event. A text other than "" refuses the
    event and is shown to the visitor. Where `of_program(queue, body)` is given and true, the queue is said to be full
    instead, which `gradio_client` raises as a sentence; of any other refusal it shows the HTTP status alone. Returns
    the page."""
    queue = page._queue
    push = queue.push

    @functools.wraps(push)
    async def push_or_refuse(body: Any, request: Any, username: str | None) -> tuple:
        why = refusal(queue, body, request)
        if why:
            return False, why, "queue_full" if of_program and of_program(queue, body) else "error"
        return await push(body=body, request=request, username=username)

    queue.push = push_or_refuse
    return page


# Of each dropdown, by its id: what it showed when the visitor came to it, and how often something else was chosen. The
# count is kept here and not read from the page, because gradio reports a choice twice before it writes an answer.
_CAME = """(value) => {{
  const lists = (window.wsrLists ??= {{}});
  lists[{0}] = {{ times: 0, ...lists[{0}], shown: JSON.stringify(value) }};
}}"""
_LEFT = """(value) => {{
  const list = ((window.wsrLists ??= {{}})[{0}] ??= {{ times: 0 }}), now = JSON.stringify(value);
  if (list.shown !== now) list.times += 1;
  list.shown = now;
  return String(list.times);
}}"""


def hear_choices(page: "gr.Blocks", **options: Any) -> None:
    """Makes the listeners of each dropdown's `input` hear when something else is chosen, and not whenever the visitor
    leaves the dropdown: gradio reports an input then as well, so that passing one with the Tab key drew its tab anew
    and closed what was open in it. Call it within the page, after its listeners. options: keywords of the listeners
    that this adds.
    """
    import gradio as gr

    lists = {one._id: one for one in page.blocks.values() if isinstance(one, gr.Dropdown) and not one.multiselect}
    listeners, heard = list(page.fns.values()), {}
    for number in {target for fn in listeners for target, event in fn.targets if event == "input"} & set(lists):
        one, heard[number] = lists[number], gr.Textbox("0", visible="hidden")
        one.focus(None, one, None, js=_CAME.format(number), queue=False, **options)
        one.input(None, one, heard[number], js=_LEFT.format(number), queue=False, **options)
    for fn in listeners:
        fn.targets = [
            (heard[target]._id, "change") if event == "input" and target in heard else (target, event)
            for target, event in fn.targets
        ]


CHOICES = {"input", "change", "release", "pick", "choose"}  # events of a visitor who chooses among what there is


def hear_last_choice(page: "gr.Blocks") -> None:
    """Makes a choice count that comes while the answer to the one before is on its way. gradio drops it without a word,
    unless the listener says otherwise: the control shows the new choice and the page the old one. Call it within the
    page, after `hear_choices`. A listener that is told what was chosen is called each time, because gradio would call
    it again with what was chosen first.
    """
    for fn in page.fns.values():
        origin = fn
        while origin.trigger_after is not None:
            origin = page.fns[origin.trigger_after]
        if fn.trigger_mode == "once" and {event for _, event in origin.targets} <= CHOICES:
            fn.trigger_mode = "multiple" if fn.collects_event_data else "always_last"


@contextlib.contextmanager
def first_listener(page: "gr.Blocks") -> Iterator[None]:
    """Context manager: listeners added within it are called before those that are there already. The browser calls the
    listeners of an event one after the other and waits for the answer of each."""
    config = page.default_config
    before = dict(config.fns)
    yield
    added = {number: listener for number, listener in config.fns.items() if number not in before}
    config.fns = {**added, **before}
