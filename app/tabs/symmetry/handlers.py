"""Handlers of the Symmetry tab, except those of the cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import picked_id
from app.shared import library, sheets
from app.shell import compute
from app.shell.tabs import Widgets
from app.tabs.symmetry import run
from app.tabs.symmetry.cards import MAP, Card, families_of, given_value, subject_of
from wsr.errors import WsrError
from wsr.fields.registry import named, readable

SHOWN = 8  # items to choose from
FIRST_SEED = 0  # of the shuffle that a visitor sees first


@dataclass
class SymmetryTab(Widgets):
    """item, of: the item that the cards are about, and its data set: another one than `dataset` says until an item of
    that has been chosen. card: which of the cards is on screen; place: says so in words; before, after: lead to the
    cards beside it."""

    dataset: gr.Radio
    strip: Pictures
    item: gr.Textbox
    of: gr.Textbox
    card: gr.Radio
    place: gr.HTML
    before: gr.Button
    after: gr.Button
    cards: list[Card]


def restore(tab: SymmetryTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    dataset = given.get("data", tab.dataset.value)
    if not run.names_of(dataset):
        raise WsrError(f"There are no fits of {dataset!r} here.")
    item = given.get("item") or items_of(dataset, decode=False)[0]["id"]
    library.collection(next(iter(run.names_of(dataset).values()))).position(item)
    own = {tab.card: given_value(tab.card, given["card"]) if "card" in given else tab.card.value} | {
        widget: given_value(widget, given[name]) if name in given else widget.value
        for card in tab.cards
        for name, widget in card.linked.items()
    }
    fewer = {widget: update for widget, update in offered(tab, dataset, own).items() if "value" in update}
    return {tab.dataset: dataset, tab.of: dataset, tab.item: given.get("item", ""), **own, **fewer}


@compute.guarded
def choose(tab: SymmetryTab, dataset: str, of: str, event: gr.EventData) -> dict[Any, Any]:
    """Chooses an item of the strip. One of a data set that has just been left is not chosen."""
    if of != dataset:
        return gr.skip()
    item = picked_id(event)
    library.collection(next(iter(run.names_of(dataset).values()))).position(item)
    return {tab.item: item, tab.of: of}


@compute.guarded
def change_dataset(tab: SymmetryTab, dataset: str) -> dict[Any, Any]:
    first = first_item(dataset)
    return {tab.item: first, tab.of: dataset, tab.strip: strip_of(dataset, first), **offered(tab, dataset)}


def choosing(tab: SymmetryTab) -> list[gr.Radio]:
    """The widgets in which a representation, or a family of them, is chosen."""
    linked = [widget for card in tab.cards for widget in card.linked.values() if isinstance(widget, gr.Radio)]
    return [one for one in linked if one.choices and {value for _, value in one.choices} <= set(readable())]


def offered(tab: SymmetryTab, dataset: str, asked: Mapping[Any, Any] = MappingProxyType({})) -> dict[Any, Any]:
    """Offers what a data set has: large ones were fitted in one representation only. What is chosen stays where all
    that the tab was built with is there. asked: values by widget that are chosen where there is less, if they are
    offered."""
    names, found = [name for name in run.names_of(dataset) if name in readable()], {}
    families = {named(name).family for name in names}
    for widget in choosing(tab):
        alone = any(named(value).masked for _, value in widget.choices)  # each, not a family of two
        left = [choice for choice in widget.choices if choice[1] in (names if alone else families)]
        values = [value for _, value in left]
        first = asked.get(widget) if asked.get(widget) in values else next(iter(values), None)
        chosen = {"value": first} if 0 < len(left) < len(widget.choices) else {}
        found[widget] = gr.update(choices=left or widget.choices, **chosen)
    return found


def ask_anew(tab: SymmetryTab) -> dict[Any, Any]:
    """Takes the guesses back: the questions about another data set have not been answered yet."""
    return {widget: value for card in tab.cards for widget, value in card.asked_again.items()}


@compute.guarded
def opened(tab: SymmetryTab, dataset: str, item: str) -> dict[Any, Any]:
    """Fills the strip when the tab is opened, and chooses an item if neither a link nor the visitor has."""
    chosen = item or first_item(dataset)
    return {tab.strip: strip_of(dataset, chosen)} | ({} if item else {tab.item: chosen, tab.of: dataset})


def first_item(dataset: str) -> str:
    """The item with which the tab opens: the held-out one whose point jumps furthest on the map when it is shuffled."""
    items, families = _candidates(dataset), families_of(dataset)
    if not families:
        return items[0]
    shown = subject_of(dataset, items[0], families[0][1], masked=False)
    there = set(library.collection(shown.name).ids)
    return run.furthest(shown.name, tuple(item for item in items if item in there), "permutation", FIRST_SEED, *MAP)


def _candidates(dataset: str, count: int | None = None) -> list[str]:
    """Held-out items of a data set, those that it likes first."""
    found = library.collection(next(iter(run.names_of(dataset).values())))
    held_out = [item for item, held in zip(found.ids, found.held_out, strict=True) if held] or found.ids
    return library.examples(found.source, held_out, count or len(held_out))


def items_of(dataset: str, decode: bool = True, first: str = "") -> list[dict[str, Any]]:
    """Returns some held-out items as examples, behind the one that is chosen."""
    shown = list(dict.fromkeys([*filter(None, [first]), *_candidates(dataset, SHOWN)]))[:SHOWN]
    return sheets.examples(next(iter(run.names_of(dataset).values())), shown, decode)


def strip_of(dataset: str, chosen: str) -> Any:
    """Update of the strip that adds its pictures. Decoding them imports the engine, so the page is built without
    them."""
    return gr.update(value=items_of(dataset, first=chosen), sprite=sprite_of(dataset), chosen=chosen)


def sprite_of(dataset: str) -> dict[str, Any] | None:
    return sheets.shared(next(iter(run.names_of(dataset).values())))
