"""A strip of small pictures to choose from: neighbours of a point, samples to fit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from app.components.field.files import SCRIPTS
from app.components.given import with_given

_HERE = Path(__file__).parent
_SCRIPTS = ("reveal.js", "pictures.js")


class Pictures(gr.HTML):
    """Pictures as buttons, reachable by keyboard. `pick` fires with the chosen item's `event.id`.

    The value is a list of items `{"id", "label"}`, optionally with a second line `note` and a tooltip `title`. The
    picture of an item is `src` (an address or a data URI), or thumbnail number `cell` of the sheet `sprite` `{"url",
    "columns", "rows"}`, or the page draws it by the network `field` (`field.files`), `size` pixels along an edge; where
    it cannot, `ask` fires. blends: whether one with a `field` is blended with another by dragging it there, or by an
    event `wsr-blend-with` and a choice: the page hears `wsr-blend` (`FieldSheet`), with `large`, if an item has it, as
    the shape of the blend. columns: number of pictures in a row; by default as many as fit.
    waiting: said as long as there are no items. chosen: id of the item that is shown as chosen, until the visitor picks
    another; False where items that come after a pick are others. stale: whether the pictures are pale and without their
    lines of text, because others will take their place.
    Long labels of pictures that can be blended continue on further lines, those of others on a second one. A strip
    beside a panel (`wsr-half`) opens items there, and what a tap has opened comes into view.
    """

    EVENTS: ClassVar[list[str]] = ["pick", "ask"]

    def __init__(
        self,
        items: Sequence[Mapping[str, Any]] = (),
        *,
        sprite: Mapping[str, Any] | None = None,
        columns: int | None = None,
        chosen: str | bool | None = None,
        stale: bool = False,
        blends: bool = False,
        waiting: str = "",
        **kwargs: Any,
    ):
        own = {"sprite": sprite, "columns": columns, "chosen": chosen, "wrap": blends, "stale": stale, "blends": blends,
               "waiting": waiting, "scripts": SCRIPTS}  # fmt: skip
        super().__init__(
            value=items,
            html_template='<div class="wsr-pictures" role="group"></div>',
            css_template=(_HERE / "pictures.css").read_text(),
            js_on_load=with_given(own, "\n".join((_HERE / name).read_text() for name in _SCRIPTS)),
            apply_default_css=False,
            **own,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        # gr.HTML takes every quoted name in its script for an event, including the names of our props.
        raise AttributeError(name)

    def postprocess(self, value: Sequence[Mapping[str, Any]] | str | None) -> str:
        return value if isinstance(value, str) else json.dumps(list(value or ()), separators=(",", ":"))
