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
    _wire(tab, place)
    return Built(link=_link(tab, place.view))


def warm() -> None:
    """Finds the item with which the tab opens."""
    for dataset in datasets()[:1]:
        with compute.told(dataset):
            handlers.first_item(dataset)


TAB = Tab("symmetry", "Symmetry", build, datasets, "There are no fitted networks here yet. Make them with", warm)


def _link(tab: SymmetryTab, view: gr.Tab) -> Part:
    """The tab's state in the address: the item, and the cards' widgets."""
    own = {name: widget for card in tab.cards for name, widget in card.linked.items()}
    widgets = {"data": tab.dataset, "item": tab.item, **own}
    return Part("symmetry", view, widgets, tab.bind(handlers.restore))


def _layout(datasets: list[str]) -> SymmetryTab:
    first = items_of(datasets[0], decode=False)
    item = gr.Textbox("", visible="hidden")  # chosen when the tab is opened, which imports the engine
    with gr.Row():
        titles = library.titles(library.collection_names())
        dataset = gr.Radio(
            titles, value=datasets[0], label="Data set", show_label=False, container=False, min_width=400, scale=0
        )
        strip = Pictures(first, sprite=sprite_of(datasets[0]), elem_classes="wsr-strip")
    shown = [card for make in CARDS if (card := make(datasets[0]))]
    return SymmetryTab(dataset, strip, item, shown)


def _wire(tab: SymmetryTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    change = tab.bind(handlers.change_dataset)
    anew = [widget for card in tab.cards for widget in card.asked_again]
    # at once: a guess that comes before the other data set's pictures is one about these
    tab.dataset.input(tab.bind(handlers.ask_anew), None, anew, queue=False, **compute.PRIVATE)
    events = (
        place.shown(tab.bind(handlers.opened), [tab.dataset, tab.item], [tab.strip, tab.item], **newest),
        tab.strip.pick(handlers.choose, [tab.dataset], tab.item, **look),
        tab.dataset.input(change, tab.dataset, [tab.strip, tab.item], **look),
    )
    for card in tab.cards:
        card.wire([tab.dataset, tab.item])
        for event in events:
            event.then(card.opening, [tab.dataset, tab.item, *card.inputs], card.outputs, **look)
