"""What is asked about a map while another collection is on its way."""

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

import gradio as gr

from app.tabs.atlas.widgets import AtlasTab


def of_this_map(handler: Callable) -> Callable:
    """Decorates a handler whose question is about the map on the page, which nobody waits for once they have asked for
    another collection: it is not answered then, and does not end that collection's answer."""

    @wraps(handler)
    def call(tab: AtlasTab, values: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        return gr.skip() if tab.is_coming(values) else handler(tab, values, *args, **kwargs)

    @wraps(handler)
    def stream(tab: AtlasTab, values: dict[Any, Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
        if tab.is_coming(values):
            yield gr.skip()
        else:
            yield from handler(tab, values, *args, **kwargs)

    return stream if isgeneratorfunction(handler) else call
