"""The Symmetry tab: what may be done to weights while the picture stays, a card for each; predict, press, see."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import picked_id
from app.shared import library, sheets
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab, Widgets
from app.tabs.symmetry import cards as symmetry_cards
from app.tabs.symmetry import run as symmetry_run
from app.tabs.symmetry import starts as symmetry_starts
from app.tabs.symmetry import terms as symmetry_terms
from wsr.errors import WsrError

SHOWN = 8  # items to choose from
CARDS = (
    symmetry_cards.shuffle_card,
    symmetry_cards.mask_card,
    symmetry_cards.group_card,
    symmetry_terms.theorem_card,
    symmetry_starts.starts_card,
)


@dataclass
class SymmetryTab(Widgets):
    dataset: gr.Radio
    strip: Pictures
    item: gr.Textbox
    view: gr.Tab
    cards: list[symmetry_cards.Card]


def build(place: Place) -> Built | None:
    datasets = list(dict.fromkeys(library.collection(name).dataset for name in library.collection_names()))
    if not datasets:
        gr.HTML(snippets.empty("There are no fitted networks here yet. Make them with", "make assets"))
        return None
    tab = _layout(datasets, place.view)
    _wire(tab)
    return Built(link=part(tab))


TAB = Tab("symmetry", "Symmetry", build)


def _layout(datasets: list[str], view: gr.Tab) -> SymmetryTab:
    first = items_of(datasets[0], decode=False)
    item = gr.Textbox(first[0]["id"], visible="hidden")
    with gr.Row():
        titles = [(library.TITLES.get(name, name), name) for name in datasets]
        dataset = gr.Radio(titles, value=datasets[0], show_label=False, container=False, min_width=190, scale=0)
        strip = Pictures(first, sprite=_sprite(datasets[0]), elem_classes="wsr-strip")
    return SymmetryTab(dataset, strip, item, view, [make(datasets[0]) for make in CARDS])


def _wire(tab: SymmetryTab) -> None:
    options = {**compute.LOOK, **compute.PRIVATE}
    tab.view.select(strip_of, tab.dataset, tab.strip, **options)
    for card in tab.cards:
        card.wire([tab.dataset, tab.item])
        inputs, outputs = [tab.dataset, tab.item, *card.inputs], card.outputs
        tab.view.select(card.opening, inputs, outputs, **options)
        tab.strip.pick(choose, [tab.dataset], tab.item, **options).then(card.opening, inputs, outputs, **options)
        changed = tab.dataset.input(change_dataset, tab.dataset, [tab.strip, tab.item], **options)
        changed.then(card.opening, inputs, outputs, **options)


def part(tab: SymmetryTab) -> Part:
    """The tab's state in the address: what is acted on, and the cards' own widgets."""
    own = {name: widget for card in tab.cards for name, widget in card.linked.items()}
    widgets = {"data": tab.dataset, "item": tab.item, **own}
    return Part("symmetry", tab.view, widgets, tab.bind(restore), [tab.strip])


def restore(tab: SymmetryTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    dataset = given.get("data", tab.dataset.value)
    if not symmetry_run.names_of(dataset):
        raise WsrError(f"There are no fits of {dataset!r} here.")
    item = given.get("item", items_of(dataset, decode=False)[0]["id"])
    library.collection(next(iter(symmetry_run.names_of(dataset).values()))).position(item)
    own = {
        widget: symmetry_cards.given_value(widget, given.get(name))
        for card in tab.cards
        for name, widget in card.linked.items()
    }
    return {tab.dataset: dataset, tab.item: item, **own, tab.strip: strip_of(dataset)}


@compute.guarded
def choose(dataset: str, event: gr.EventData) -> str:
    item = picked_id(event)
    library.collection(next(iter(symmetry_run.names_of(dataset).values()))).position(item)
    return item


@compute.guarded
def change_dataset(dataset: str) -> tuple[Any, str]:
    return strip_of(dataset), items_of(dataset, decode=False)[0]["id"]


def items_of(dataset: str, decode: bool = True) -> list[dict[str, Any]]:
    """Items worth a look, held out from training."""
    name = next(iter(symmetry_run.names_of(dataset).values()))
    found = library.collection(name)
    held_out = [item for item, held in zip(found.ids, found.held_out, strict=True) if held]
    return sheets.examples(name, library.examples(dataset, held_out or found.ids, SHOWN), decode)


def strip_of(dataset: str) -> Any:
    """The strip of examples with its pictures. Decoding them imports the engine, so a page is built without."""
    return gr.update(value=items_of(dataset), sprite=_sprite(dataset))


def _sprite(dataset: str) -> dict[str, Any] | None:
    return sheets.shared(next(iter(symmetry_run.names_of(dataset).values())))
