"""What the page sends to the Atlas tab's handlers."""

from contextlib import suppress

import gradio as gr
from by_name import by_name

from app.shared import library
from app.tabs.atlas.controls import NONE
from app.tabs.atlas.map import Visit
from app.tabs.atlas.widgets import AtlasTab
from wsr import WsrError

IMAGES, SHAPES = "emoji-mlora-asym", "shapes10-mlora-asym"
TAB = by_name(AtlasTab)


def values(item="", dataset="emoji", representation="mlora-asym", method="UMAP", dims=2, **given):
    """Returns the page's values by widget."""
    shown = {"dataset": dataset, "representation": representation, "method": method, "dims": dims}
    more = {
        "colour": "class",
        "only": [],
        "metric": "cosine",
        "form": "raw",
        "picked": item,
        "visit": Visit(),
        "on_map": "",
    }
    with suppress(WsrError):  # what is asked for may be forged
        more["on_map"] = library.name_of(dataset, representation)
    return {**shown, **more, "compare": NONE, "selection": [], "find": "", "found": "", **given}


def event(**data):
    return gr.EventData(None, data)
