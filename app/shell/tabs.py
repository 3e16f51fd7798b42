"""The interface of a tab: how it is built, and what it asks of the page.

A tab is a package in `app/tabs` whose `view.py` has a `TAB`. `app.main` names it, lays it out, and connects it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import Any

import gradio as gr

from app.shell import compute, session, snippets
from app.shell.address import AGAIN, Address, Part


class Widgets:
    """Base class for the dataclass of a tab's widgets. The tab's handlers take it as their first argument and return
    the new values by widget: `{tab.state: "Done", tab.chart: figure}`. Other widgets stay as they are."""

    def bind(self, handler: Callable[..., Any]) -> MethodType:
        """Binds a handler to these widgets, its first argument."""
        return MethodType(handler, self)

    def fill(self, screen: Any) -> dict[Any, Any]:
        """Maps the fields of a dataclass to the widgets of the same names; fields that are None are left out."""
        shown = {field.name: getattr(screen, field.name) for field in dataclasses.fields(screen)}
        return {getattr(self, name): value for name, value in shown.items() if value is not None} or gr.skip()


@dataclass(frozen=True)
class Place:
    """The containers in which a tab is laid out: the page, its row of tabs, and the tab itself. again: pressed by the
    page's script when a link to this tab is followed while the tab is on screen."""

    page: gr.Blocks
    tabs: gr.Tabs
    view: gr.Tab
    again: gr.Button

    def shown(self, *args: Any, **options: Any) -> Any:
        """Listens, like an event of gradio's, to what a tab has to fill itself for: it is opened, or a link leads from
        it to itself."""
        return gr.on([self.view.select, self.again.click], *args, **options)


@dataclass(frozen=True)
class Offer:
    """A button of a tab that puts a network onto the map.

    fitted: the state that holds the network (a `Fitted` or None); state: the line of that tab in which errors are
    shown.
    """

    button: gr.Button
    fitted: gr.State
    state: gr.HTML


@dataclass(frozen=True)
class Built:
    """What a tab asks of the page once it has been laid out.

    link: its part of the page's address. loads: handlers without inputs that fill a widget when the page is opened,
    each with its widget. opened: wires what is filled after a link has been read; it takes that event, and a function
    to call when a visitor has the tab on screen. forget: called when a visitor leaves. offers: networks that may be put
    onto the map. takes: wires such an offer to the map.
    """

    link: Part | None = None
    loads: Sequence[tuple[Callable[[], Any], Any]] = ()
    opened: Callable[[Any, Callable[[], None]], None] | None = None
    forget: Callable[[gr.Request], None] | None = None
    offers: Sequence[Offer] = ()
    takes: Callable[[Offer], None] | None = None


@dataclass(frozen=True)
class Tab:
    """A tab of the page. id: its name in the address; title: its name on the page; build: lays the tab out, wires it,
    and returns what it asks of the page, or None if it cannot be shown and says why; needs: lists the assets that it
    shows, without which the tab says `missing` and how to make them; warm: prepares, on its own thread, what the first
    visitor would wait for."""

    id: str
    title: str
    build: Callable[[Place], Built | None]
    needs: Callable[[], Sequence[str]] | None = None
    missing: str = ""
    warm: Callable[[], None] = lambda: None


def build(tabs: Sequence[Tab], page: gr.Blocks, seen: Callable[[], None]) -> Address:
    """Lays out all tabs on the page and connects them. seen: called when a visitor has the first one on screen."""
    built = []
    notice = gr.HTML(elem_classes="wsr-notice")
    # outside the tabs: what lies in one is not on the page before it is opened
    again = {tab.id: gr.Button(visible="hidden", elem_id=f"{AGAIN}{tab.id}") for tab in tabs}
    with gr.Tabs(selected=tabs[0].id) as row:
        for tab in tabs:
            with gr.Tab(tab.title, id=tab.id) as view:
                if tab.needs is None or tab.needs():
                    built.append(tab.build(Place(page, row, view, again[tab.id])))
                else:
                    gr.HTML(snippets.empty(tab.missing, "make assets"))
    there = [one for one in built if one]
    for one in there:
        for handler, widget in one.loads:
            page.load(handler, None, widget, **compute.LOOK, **compute.PRIVATE)
        if one.forget:
            page.unload(one.forget)
        for taker in (other.takes for other in there if other.takes):
            for offer in one.offers:
                taker(offer)
    titles = {tab.id: tab.title for tab in tabs}
    address = Address(row, notice, titles, [one.link for one in there if one.link])
    read = address.wire(page)
    for one in there:
        if one.opened:
            one.opened(read, seen)
    page.unload(session.forget)
    return address
