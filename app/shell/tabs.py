"""What a tab is to the page: how it is built, and what it asks of the page in return.

A tab is a package in `app/tabs` whose `view.py` has a `TAB`. `app.main` names it, lays it out, and connects it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import Any

import gradio as gr

from app.shell import compute, session
from app.shell.address import Address, Part


class Widgets:
    """A dataclass of a tab's widgets derives from this. The tab's handlers are functions of it, and return what they
    change by widget: `{tab.state: "Done", tab.chart: figure}`. What is not named stays as it is."""

    def bind(self, handler: Callable[..., Any]) -> MethodType:
        """A handler as gradio calls it, with these widgets as its first argument."""
        return MethodType(handler, self)

    def fill(self, screen: Any) -> dict[Any, Any]:
        """The fields of a dataclass by the widgets of the same names, without those that are None."""
        shown = {field.name: getattr(screen, field.name) for field in dataclasses.fields(screen)}
        return {getattr(self, name): value for name, value in shown.items() if value is not None} or gr.skip()


@dataclass(frozen=True)
class Place:
    """Where a tab is laid out: the page, its row of tabs, and the tab itself."""

    page: gr.Blocks
    tabs: gr.Tabs
    view: gr.Tab


@dataclass(frozen=True)
class Offer:
    """A tab's button that puts a network onto the map.

    fitted: the state that holds it (a `Fitted` or None); state: the line of that tab that says what is wrong.
    """

    button: gr.Button
    fitted: gr.State
    state: gr.HTML


@dataclass(frozen=True)
class Built:
    """What a tab that has been laid out asks of the page.

    link: its part of the page's address. loads: handlers without inputs that fill a widget when the page is opened,
    each with its widget. opened: wires what is filled once a link has been read, given that event and a function to
    call when a visitor has it on screen. forget: what is done when a visitor leaves. offers: networks that may be put
    onto the map; takes: wires such an offer to the map.
    """

    link: Part | None = None
    loads: Sequence[tuple[Callable[[], Any], Any]] = ()
    opened: Callable[[Any, Callable[[], None]], None] | None = None
    forget: Callable[[gr.Request], None] | None = None
    offers: Sequence[Offer] = ()
    takes: Callable[[Offer], None] | None = None


@dataclass(frozen=True)
class Tab:
    """A tab of the page. id: its name in the address; title: as visitors read it; build: lays it out and wires it, and
    returns what it asks of the page, or None where it has nothing to show and says how to make it; warm: makes ready
    what a first visitor of it would wait for, on a thread of its own."""

    id: str
    title: str
    build: Callable[[Place], Built | None]
    warm: Callable[[], None] = lambda: None


def build(tabs: Sequence[Tab], page: gr.Blocks, seen: Callable[[], None]) -> Address:
    """Lays all tabs out on the page and connects them. seen: called when a visitor has the first one on screen."""
    built = []
    with gr.Tabs(selected=tabs[0].id) as row:
        for tab in tabs:
            with gr.Tab(tab.title, id=tab.id) as view:
                built.append(tab.build(Place(page, row, view)))
    there = [one for one in built if one]
    for one in there:
        for handler, widget in one.loads:
            page.load(handler, None, widget, **compute.LOOK, **compute.PRIVATE)
        if one.forget:
            page.unload(one.forget)
        for taker in (other.takes for other in there if other.takes):
            for offer in one.offers:
                taker(offer)
    address = Address(row, [one.link for one in there if one.link])
    read = address.wire(page)
    for one in there:
        if one.opened:
            one.opened(read, seen)
    page.unload(session.forget)
    return address
