"""The page's address says what is on screen, so that a link opens exactly that: `?tab=connect&target=1f475&alpha=0.5`.

Writing happens in the browser alone; reading, once, when the page is opened.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from app import lessons
from app.shell import compute, gradio_patches, session, snippets
from wsr.errors import WsrError

KEPT = ("lesson", "step")  # of a lesson, which goes on in whatever tab
# The query of a tab's state, by the names and values of its widgets. What belongs to a lesson, to gradio and to whoever
# hosts the page ("__theme") stays.
_STATE = """(tab, names, values) => {
  const query = new URLSearchParams({ tab });
  names.forEach((name, i) => {
    const value = Array.isArray(values[i]) ? values[i].join(",") : values[i];
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  });
  const stays = (name) => name.startsWith("__") || KEPT.includes(name);
  new URLSearchParams(location.search).forEach((value, name) => stays(name) && query.set(name, value));
  return query;
}""".replace("KEPT", json.dumps(KEPT))
# A tab's values replace those of the tab before it. What changes in a tab that is not on screen is not written.
_WRITE = """async (...values) => {
  const tab = %s, label = %s, names = %s, linked = %s, state = %s;
  const selected = () => document.querySelector('[role=tab][aria-selected=true]')?.textContent.trim() === label;
  if (!selected()) await new Promise((done) => setTimeout(done, 50)); // a tab says so before it is the selected one
  if (!window.wsrLinkRead) return; // tabs report themselves as selected while the page is being built
  const before = new URLSearchParams(location.search), query = state(tab, names, values);
  const known = Object.keys(window.wsrTitles), plain = ![...before.keys()].some((name) => !name.startsWith("__"));
  if (!selected() || (linked && plain && tab === known[0])) return;
  const was = known.includes(before.get("tab")) ? before.get("tab") : known[0];
  const place = [history.state, "", `${location.pathname}?${query}`];
  if (was === tab) history.replaceState(...place);
  else history.pushState(...place); // Back leads to the tab before, not out of the page
  window.wsrMoved?.(); // to the page around a Space's frame
}"""
# Copies a link with the state of the tab on screen, also where the address is still the plain one.
_COPY = "(...values) => window.wsrCopy(%s, values, %s)"
COPY = "wsr-copy"  # the id of the button that does so
# After a link has been read. Back and Forward select the tab of their address: all of its state is still on the page.
_READY = """() => {
  if (window.wsrTitles) return;
  const titles = window.wsrTitles = %s;
  window.wsrLinkRead = true;
  window.addEventListener("popstate", () => {
    if (window.wsrStep?.()) return; // a lesson's other step is another state of its tab
    const title = titles[new URLSearchParams(location.search).get("tab")] ?? Object.values(titles)[0];
    const tabs = [...document.querySelectorAll("[role=tab]")].filter((tab) => tab.textContent.trim() === title);
    (tabs.find((tab) => tab.offsetParent) ?? tabs[0])?.click();
  });
}"""
FOLLOW, AGAIN = "wsr-follow", "wsr-again-"  # ids of buttons, see follow.js
MOST = 2000  # characters of a query that are read
QUOTED = 40  # characters of a value that are repeated
NOT_OURS = ("__", "utm_")  # what names begin with that others put into an address


class NotInLinks(WsrError):
    """A link asks for what only the visitor who made it had. The text is a whole sentence for whoever opens it."""


class Nothing(NotInLinks):
    """The same, where nothing else of the link means anything without it."""


@dataclass(frozen=True)
class Part:
    """A tab's state in the address. widgets: by their name in the address; restore: takes the texts of a link by any of
    these names and returns new values by widget, of `widgets` and `extra`. It raises WsrError or ValueError for a text
    that it does not understand. always: whether the tab fills itself after each link that leads to it; other tabs do so
    when they are opened, and after a link from themselves."""

    tab: str
    view: gr.Tab
    widgets: Mapping[str, Any]
    restore: Callable[[dict[str, str]], dict[Any, Any]]
    extra: Sequence[Any] = ()
    always: bool = False

    @property
    def outputs(self) -> list[Any]:
        return [*self.widgets.values(), *self.extra]

    def written(self, linked: bool) -> dict[str, Any]:
        """Keywords of an event that writes this state into the address. linked: only where the page was opened by a
        link, or another tab was opened before the link was read, so that the plain address stays plain."""
        values = self.tab, self.view.label, list(self.widgets), linked
        script = _WRITE % (*map(json.dumps, values), _STATE)
        return {"fn": None, "inputs": list(self.widgets.values()), "js": script, "queue": False, **compute.PRIVATE}

    def understood(self, given: Mapping[str, str]) -> tuple[dict[Any, Any], dict[str, Exception]]:
        """Returns what a link's values change, by widget, and the errors of those that are left out, by name. In the
        order of `widgets`, each value is taken that can be restored together with those taken before."""
        own = {name: given[name] for name in self.widgets if name in given}
        shown, taken, left_out = {}, {}, {}
        for tried in ([own] if own else []) + [{name: own[name]} for name in own]:
            try:
                shown = self.restore(taken | tried)
            except Nothing as error:
                return {}, {next(iter(own)): error}
            except (WsrError, ValueError) as error:
                left_out |= {name: error for name in tried}
                continue
            left_out = {name: error for name, error in left_out.items() if name not in tried}
            taken |= tried
            if taken == own:
                break
        return shown, left_out


@dataclass
class Address:
    """Wires the tabs' parts to the page. notice: the widget that says what of a link was not understood; titles: of all
    tabs by their id, in order."""

    tabs: gr.Tabs
    notice: gr.HTML
    titles: Mapping[str, str]
    parts: list[Part] = field(default_factory=list)

    def wire(self, page: gr.Blocks) -> Any:
        """Returns the event of reading a link, after which the screen is filled."""
        for part in self.parts:
            triggers = [part.view.select, *(widget.change for widget in part.widgets.values())]
            with gradio_patches.first_listener(page):  # the address does not wait for other listeners
                gr.on(triggers, **part.written(linked=False))
        search = gr.Textbox(visible=False)
        outputs = [self.tabs, self.notice, *(widget for part in self.parts for widget in part.outputs)]
        read = page.load(self.read, search, outputs, js="() => location.search", queue=False, **compute.PRIVATE)
        done = read.then(None, js=_READY % json.dumps(dict(self.titles)), queue=False, **compute.PRIVATE)
        self._follow(search, outputs)
        for part in self.parts:
            done.then(**part.written(linked=True))
        copy = gr.Button("Copy link", visible="hidden", elem_id=COPY)
        parts = [(part.tab, part.view.label, list(part.widgets)) for part in self.parts]
        shown = [widget for part in self.parts for widget in part.widgets.values()]
        copy.click(None, shown, js=_COPY % (json.dumps(parts), _STATE), queue=False, **compute.PRIVATE)
        return read

    def _follow(self, search: gr.Textbox, outputs: list[Any]) -> None:
        """Lets the page's script follow a link without loading the page anew."""
        options = {"queue": False, **compute.PRIVATE}
        follow = gr.Button(visible="hidden", elem_id=FOLLOW)
        read = follow.click(self.follow, search, outputs, js="() => location.search", **options)
        always = [part.tab for part in self.parts if part.always]
        done = read.success(None, js=f"() => window.wsrFollowed({json.dumps(always)})", **options)
        read.failure(None, js="() => location.reload()", **options)  # the server reads it with the page
        for part in self.parts:
            done.then(**part.written(linked=True))

    def follow(self, search: str | None, request: gr.Request) -> dict[Any, Any]:
        """Returns what a link changes on a page that may show anything. Answers to what was asked for before would
        overwrite it."""
        session.end_answers(request)
        return self.read(search)

    def read(self, search: str | None) -> dict[Any, Any]:
        """Returns what a link changes, by widget. What cannot be understood is left out, and the notice says so."""
        given = _given(search)
        lesson = {name: given.pop(name) for name in KEPT if name in given}
        try:
            if lesson and "tab" not in given:  # the lesson's step says what to open
                given = _given(lessons.step(lesson.get("lesson", ""), lesson.get("step", "1")).link)
        except WsrError as error:
            return {self.tabs: gr.skip(), self.notice: snippets.notice(str(error))}
        if not given:
            return {self.tabs: gr.skip()}
        tab = given.pop("tab", None)
        if tab not in self.titles:
            return {self.tabs: gr.skip(), self.notice: snippets.notice(self._lost(tab, given))}
        part = next((part for part in self.parts if part.tab == tab), None)
        shown, left_out = part.understood(given) if part else ({}, {})
        unknown = [name for name in given if part is None or name not in part.widgets]
        said = self._said(tab, given, left_out, unknown)
        return {self.tabs: gr.update(selected=tab), **shown} | ({self.notice: snippets.notice(said)} if said else {})

    def _lost(self, tab: str | None, given: Mapping[str, str]) -> str:
        """The sentence for a link that leads to no tab."""
        first = next(iter(self.titles.values()))
        if tab is None:
            names = _listed([f"“{name[:QUOTED]}”" for name in given])
            return f"This link says {names} but not for which tab, so the {first} tab is shown as it usually opens."
        return f"This link asks for a tab “{tab[:QUOTED]}” that is not here, so the {first} tab is shown instead."

    def _said(
        self, tab: str, given: Mapping[str, str], left_out: Mapping[str, Exception], unknown: Sequence[str]
    ) -> str:
        """Returns the sentences that say which parts of a link were left out and what is shown instead; "" if none
        were."""
        told = [str(error) for error in left_out.values() if isinstance(error, NotInLinks)]
        names = [name for name, error in left_out.items() if not isinstance(error, NotInLinks)] + list(unknown)
        if names:
            parts = _listed([f"{name[:QUOTED]} “{given[name][:QUOTED]}”" for name in names])
            was, its = ("were", "their usual values") if len(names) > 1 else ("was", "its usual value")
            told.append(f"{parts} in this link {was} not understood, so {self.titles[tab]} opens with {its} instead.")
        return " ".join(text[:1].upper() + text[1:] for text in told)


def _given(search: str | None) -> dict[str, str]:
    """Returns the names and values of a query, without those of others."""
    query = parse_qs(str(search or "")[:MOST].lstrip("?"))
    return {name: values[-1] for name, values in query.items() if not name.startswith(NOT_OURS)}


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def flag(text: str) -> bool:
    """Reads a switch from an address. WsrError for anything but "true" and "false"."""
    if text.lower() not in ("true", "false"):
        raise WsrError(f"A switch is true or false, not {text[:QUOTED]!r}.")
    return text.lower() == "true"


def number(text: str, low: float, high: float) -> float:
    """Reads a number from an address. WsrError if it does not lie between `low` and `high`, as for "nan"; ValueError if
    the text is not a number."""
    if not low <= (value := float(text)) <= high:
        raise WsrError(f"The number must lie between {low} and {high}, and {text[:QUOTED]!r} does not.")
    return value


def whole(text: str, low: int, high: int) -> int:
    """Reads a whole number from an address. Errors as for `number`."""
    if (value := number(text, low, high)) != int(value):
        raise WsrError(f"The number must be a whole one, not {text[:QUOTED]!r}.")
    return int(value)
