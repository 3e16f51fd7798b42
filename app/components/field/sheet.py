"""Pictures that the page draws again by itself while the weights of their networks change: α in Connect, the sliders of
Symmetry, Edit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from app.components.field.files import SCRIPTS
from app.components.given import with_given

BESIDE = (96, 64, 32, 16, 8)  # pixels along an edge: the first is the server's, the others are for slow machines
LARGE = (128, 64, 32, 16, 8)


def moved(place: str, given: str, further: str = "") -> str:
    """Returns the script of an event that moves a sheet. place: JavaScript of the place, from the arguments `given`;
    further: of values for the outputs behind the sheet."""
    more = f", {further}" if further else ""
    return f"""({given}) => {{
  const update = (props) => ({{ __type__: "update", props }});
  const sheet = update({{ place: {place} }});
  return [sheet{more}];
}}"""


class FieldSheet(gr.HTML):
    """HTML from the server with pictures. Those marked `data-moves` depend on `place`: their marks say by which network
    they are drawn (`field.files`), and the place adds what is done to its weights, in the words of page/worker.js. When
    the place changes, the page draws them itself. Where it cannot, and for the place {ask: true}, `ask` fires, and the
    server draws. A place with a new `again` is drawn only where the pictures show another one: after an answer that
    came late. `rest` fires once the visitor has let go. sizes: along an edge, in pixels, the largest first, which is
    the server's. unit: by which differences of values are multiplied before they are told. blends: whether it shows
    what lies between two networks of `Pictures`, with the slider of its `.wsr-blend`."""

    EVENTS: ClassVar[list[str]] = ["ask", "rest"]

    def __init__(
        self, value: str = "", *, sizes: Sequence[int] = BESIDE, unit: float = 1.0, blends: bool = False, **kwargs: Any
    ):  # fmt: skip
        own = {"place": None, "scripts": SCRIPTS, "sizes": sizes, "unit": unit, "blends": blends}
        super().__init__(
            value=value,
            html_template='<div class="wsr-field"></div>',
            js_on_load=with_given(own, (Path(__file__).parent / "sheet.js").read_text()),
            **own,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        # gr.HTML takes every quoted name in its script for an event, including the names of our props.
        raise AttributeError(name)
