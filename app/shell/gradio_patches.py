"""What we change in gradio itself, all of it here. Where a new gradio no longer has what is changed,
`tests/app/test_gradio_patches.py` fails."""

from typing import Any

import gradio as gr
import gradio.utils

# Seconds between two looks of an idle queue. gradio's own look 1,000 and 100 times a second, 8 % of a core with nobody
# there; a click now waits 10 ms longer on average.
LOOK_AT_QUEUE, LOOK_AT_PROGRESS = 0.02, 0.25


def whole(old: Any, new: Any) -> list[list]:
    """What gradio sends of a generator's next value for a widget: all of it, where it differs.

    gradio itself sends the edits that make the new value out of the old one, and the page applies them to the old one
    in place. It draws with pauses: on a busy machine an update that a `gr.skip()` followed was emptied before it was
    drawn, and lost (the panel without neighbours, a surface that never came).
    """
    return [] if old == new else [["replace", [], new]]


def send_values_whole() -> None:
    gradio.utils.diff = whole


def rest(page: gr.Blocks) -> gr.Blocks:
    """The page, whose queue (`page.queue` has been called) rests between its looks."""
    page._queue.sleep_when_free = LOOK_AT_QUEUE
    page._queue.progress_update_sleep_when_free = LOOK_AT_PROGRESS
    return page
