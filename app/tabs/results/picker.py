"""HTML whose buttons can be picked."""

from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from app.components.given import with_given

_HERE = Path(__file__).parent


class Picker(gr.HTML):
    """A piece of HTML: a click on a `<button data-id="…">` fires `pick` with `event.id`. Where the pointer or the
    keyboard is on a button with a `title`, the element `.wsr-hint` says it. follows: the page scrolls to
    this piece if it is not on the screen, after a pick and for a link that names a claim, unless a lesson asks about
    that."""

    EVENTS: ClassVar[list[str]] = ["pick"]

    def __init__(self, value: str = "", *, follows: bool = False, **kwargs: Any):
        super().__init__(
            value=value,
            css_template=(_HERE / "results.css").read_text(),
            js_on_load=with_given({"follows": follows}, (_HERE / "picker.js").read_text()),
            apply_default_css=False,
            follows=follows,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        # gr.HTML takes every quoted name in its script for an event, including the names of our props.
        raise AttributeError(name)
