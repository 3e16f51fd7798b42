"""Handlers of the Symmetry tab, except those of the cards."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import picked_id
from app.shared import library, sheets
from app.shell import compute
from app.shell.tabs import Widgets
from app.tabs.symmetry import run
from app.tabs.symmetry.cards import Card, given_value
from wsr.errors import WsrError

SHOWN = 8  # items to choose from


@dataclass
class SymmetryTab(Widgets):
    dataset: gr.Radio
    strip: Pictures
    item: gr.Textbox
    cards: list[Card]


def restore(tab: SymmetryTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    dataset = given.get("data", tab.dataset.value)
    if not run.names_of(dataset):
        raise WsrError(f"There are no fits of {dataset!r} here.")
    item = given.get("item", items_of(dataset, decode=False)[0]["id"])
    library.collection(next(iter(run.names_of(dataset).values()))).position(item)
    own = {
        widget: given_value(widget, given.get(name))
        for card in tab.cards
        for name, widget in card.linked.items()
    }
    return {tab.dataset: dataset, tab.item: item, **own, tab.strip: strip_of(dataset)}


@compute.guarded
def choose(dataset: str, event: gr.EventData) -> str:
    """Returns the id of the chosen item."""
    item = picked_id(event)
    library.collection(next(iter(run.names_of(dataset).values()))).position(item)
    return item


@compute.guarded
def change_dataset(tab: SymmetryTab, dataset: str) -> dict[Any, Any]:
    return {tab.strip: strip_of(dataset), tab.item: items_of(dataset, decode=False)[0]["id"]}


def items_of(dataset: str, decode: bool = True) -> list[dict[str, Any]]:
    """Returns some held-out items as examples."""
    name = next(iter(run.names_of(dataset).values()))
    found = library.collection(name)
    held_out = [item for item, held in zip(found.ids, found.held_out, strict=True) if held]
    return sheets.examples(name, library.examples(found.source, held_out or found.ids, SHOWN), decode)


def strip_of(dataset: str) -> Any:
    """Update of the strip that adds its pictures. Decoding them imports the engine, so the page is built without
    them."""
    return gr.update(value=items_of(dataset), sprite=sprite_of(dataset))


def sprite_of(dataset: str) -> dict[str, Any] | None:
    return sheets.shared(next(iter(run.names_of(dataset).values())))
