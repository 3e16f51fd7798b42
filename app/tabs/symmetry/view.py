"""The Symmetry tab: changes of weights that keep the picture. Each has a card, which asks for a guess and shows what
happens."""

import gradio as gr

from app.components.pictures import Pictures
from app.shared import library
from app.shell import compute
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab
from app.tabs.symmetry import cards, handlers, starts, terms
from app.tabs.symmetry.handlers import SymmetryTab, items_of, sprite_of

CARDS = (cards.shuffle_card, cards.mask_card, cards.group_card, terms.theorem_card, starts.starts_card)


def datasets() -> list[str]:
    return list(dict.fromkeys(library.collection(name).dataset for name in library.collection_names()))


def build(place: Place) -> Built:
    tab = _layout(datasets())
    _wire(tab, place.view)
    return Built(link=_link(tab, place.view))


TAB = Tab("symmetry", "Symmetry", build, datasets, "There are no fitted networks here yet. Make them with")


def _link(tab: SymmetryTab, view: gr.Tab) -> Part:
    """The tab's state in the address: the item, and the cards' widgets."""
    own = {name: widget for card in tab.cards for name, widget in card.linked.items()}
    widgets = {"data": tab.dataset, "item": tab.item, **own}
    return Part("symmetry", view, widgets, tab.bind(handlers.restore), [tab.strip])


def _layout(datasets: list[str]) -> SymmetryTab:
    first = items_of(datasets[0], decode=False)
    item = gr.Textbox(first[0]["id"], visible="hidden")
    with gr.Row():
        titles = library.titles(library.collection_names())
        dataset = gr.Radio(
            titles, value=datasets[0], label="Data set", show_label=False, container=False, min_width=190, scale=0
        )
        strip = Pictures(first, sprite=sprite_of(datasets[0]), elem_classes="wsr-strip")
    shown = [card for make in CARDS if (card := make(datasets[0]))]
    return SymmetryTab(dataset, strip, item, shown)


def _wire(tab: SymmetryTab, view: gr.Tab) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    change = tab.bind(handlers.change_dataset)
    view.select(handlers.strip_of, tab.dataset, tab.strip, **look)
    for card in tab.cards:
        card.wire([tab.dataset, tab.item])
        inputs, outputs = [tab.dataset, tab.item, *card.inputs], card.outputs
        view.select(card.opening, inputs, outputs, **look)
        tab.strip.pick(handlers.choose, [tab.dataset], tab.item, **look).then(card.opening, inputs, outputs, **look)
        changed = tab.dataset.input(change, tab.dataset, [tab.strip, tab.item], **look)
        changed.then(card.opening, inputs, outputs, **look)
