"""A sheet of pictures that the page draws again by itself when it moves along the line between two networks."""

from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from app.components.field.files import SCRIPTS

SIZES = (96, 64, 32, 16)  # pixels along an edge: the first is the server's, the others are for slow machines

# The script of an event of α and of the second fit: moves the sheet, and the mark on a chart.
MOVE = """(alpha, aligned) => {
  const update = (props) => ({ __type__: "update", props });
  return [update({ alpha, second: aligned ? "aligned" : "b" }), update({ at: alpha })];
}"""


class FieldSheet(gr.HTML):
    """HTML from the server with a picture for each network (`snippets.cell` with a `field`). When `alpha` or `second`
    changes, the page decodes (1 − α) a + α second itself, where `second` names a vector of each network's file. Where
    it cannot, `ask` fires, and the server draws."""

    EVENTS: ClassVar[list[str]] = ["ask"]

    def __init__(self, value: str = "", **kwargs: Any):
        super().__init__(
            value=value,
            html_template='<div class="wsr-field"></div>',
            js_on_load=(Path(__file__).parent / "sheet.js").read_text(),
            alpha=None,
            second="b",
            scripts=SCRIPTS,
            sizes=SIZES,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        # gr.HTML takes every quoted name in its script for an event, including the names of our props.
        raise AttributeError(name)
