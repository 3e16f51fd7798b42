"""The page's address says what is on screen, so that a link opens exactly that: `?tab=connect&target=1f475&alpha=0.5`.

Writing happens in the browser alone; reading, once, when the page is opened.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from app.shell import compute
from wsr.errors import WsrError

# A tab's values replace those of the tab before it. What changes in a tab that is not on screen is not written.
_WRITE = """async (...values) => {
  const tab = %s, label = %s, names = %s;
  await new Promise((done) => setTimeout(done, 50)); // until the tab that was opened is the selected one
  if (!window.wsrLinkRead) return; // tabs report themselves as selected while the page is being built
  if (document.querySelector('[role=tab][aria-selected=true]')?.textContent.trim() !== label) return;
  const query = new URLSearchParams({ tab });
  names.forEach((name, i) => {
    const value = Array.isArray(values[i]) ? values[i].join(",") : values[i];
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  });
  history.replaceState(history.state, "", `${location.pathname}?${query}`);
}"""
MOST = 2000  # characters of a query that are read


@dataclass(frozen=True)
class Part:
    """A tab's state. widgets: by their name in the address; restore: from the texts of a link to what it changes, by
    widget, of `widgets` and `extra`."""

    tab: str
    view: gr.Tab
    widgets: Mapping[str, Any]
    restore: Callable[[dict[str, str]], dict[Any, Any]]
    extra: Sequence[Any] = ()

    @property
    def outputs(self) -> list[Any]:
        return [*self.widgets.values(), *self.extra]


@dataclass
class Address:
    """Collects the tabs' parts, and wires them to the page."""

    tabs: gr.Tabs
    parts: list[Part] = field(default_factory=list)

    def wire(self, page: gr.Blocks) -> Any:
        """Returns the event of opening a link: what belongs on screen comes after it."""
        for part in self.parts:
            names, inputs = json.dumps(list(part.widgets)), list(part.widgets.values())
            script = _WRITE % (json.dumps(part.tab), json.dumps(part.view.label), names)
            triggers = [part.view.select, *(widget.change for widget in inputs)]
            gr.on(triggers, None, inputs, None, js=script, queue=False, **compute.PRIVATE)
        search = gr.Textbox(visible=False)
        outputs = [self.tabs, *(widget for part in self.parts for widget in part.outputs)]
        read = page.load(self.read, search, outputs, js="() => location.search", queue=False, **compute.PRIVATE)
        read.then(None, js="() => { window.wsrLinkRead = true; }", queue=False, **compute.PRIVATE)
        return read

    def read(self, search: str | None) -> dict[Any, Any]:
        """What a link changes, by widget. A link that makes no sense is told, and the page opens as it does without."""
        given = {name: values[-1] for name, values in parse_qs(str(search or "")[:MOST].lstrip("?")).items()}
        part = next((part for part in self.parts if part.tab == given.get("tab")), None)
        if part is None:
            return {self.tabs: gr.skip()}
        there = {self.tabs: gr.update(selected=part.tab)}
        if not given.keys() & part.widgets.keys():
            return there
        try:
            return there | part.restore(given)
        except (WsrError, ValueError) as error:
            why = error if isinstance(error, WsrError) else "One of its values is not a number."
            gr.Warning(f"The link could not be followed. {str(why)[:200]}")
            return {self.tabs: gr.skip()}


def flag(text: str) -> bool:
    """A switch as it stands in an address."""
    return text.lower() == "true"
