"""The Symmetry tab: changes of weights that keep the picture. Each has a card, which asks for a guess and shows what
happens. One card is on screen at a time; the others keep what was guessed on them."""

import json
from itertools import product

import gradio as gr

from app.components.pictures import Pictures
from app.shared import library
from app.shell import compute, session
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab
from app.tabs.symmetry import cards, handlers, shuffle, starts, terms
from app.tabs.symmetry.cards import Card
from app.tabs.symmetry.handlers import SymmetryTab, items_of, sprite_of

CARDS = (shuffle.shuffle_card, cards.mask_card, cards.group_card, terms.theorem_card, starts.starts_card)
# Of each card: its name in the address, and its title in the line of cards.
NAMES = (
    ("shuffle", "Shuffle"), ("mask", "Now with a mask"), ("basis", "Signs, scales, any basis"),
    ("pairs", "What a pair does"), ("start", "Where a fit begins"),
)  # fmt: skip
# To the card before or after this one. Which card is on screen is a matter of the style sheet (`wsr-nth`): it follows
# the line of cards, and nothing is asked of the server.
GO = "(now) => { const all = %s, to = all[all.indexOf(now) + %d]; return to ?? now; }"
# What tells of the item before: all but the question of a card, and what was said of the guess.
OLD = ".wsr-nth-{at} .wsr-card > * + *, .wsr-nth-{at} .wsr-verdict"
PLACE = "(now) => { const all = %s; return `${all.indexOf(now) + 1} of ${all.length}`; }"


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
    widgets = {"data": tab.dataset, "item": tab.item, "card": tab.card, **own}
    return Part("symmetry", view, widgets, tab.bind(handlers.restore), extra=[tab.of])


def _layout(datasets: list[str]) -> SymmetryTab:
    first = items_of(datasets[0], decode=False)
    item = gr.Textbox("", visible="hidden")  # chosen when the tab is opened, which imports the engine
    of = gr.Textbox(datasets[0], visible="hidden")
    with gr.Row():
        titles = library.titles(library.collection_names())
        dataset = gr.Radio(
            titles, value=datasets[0], label="Data set", show_label=False, container=False, min_width=400, scale=0
        )
        strip = Pictures(first, sprite=sprite_of(datasets[0]), elem_classes="wsr-strip")
    with gr.Column(elem_classes=["wsr-cards", "wsr-tight"]):
        with gr.Row(elem_classes=["wsr-steps", "wsr-chips"]):
            place = gr.HTML(elem_classes="wsr-place")
            card = gr.Radio([], label="Card", show_label=False, container=False, min_width=300)
            before = gr.Button("← Back", size="sm", scale=0, min_width=80, elem_classes="wsr-before")
            after = gr.Button("Next card →", size="sm", scale=0, min_width=110, elem_classes="wsr-after")
        made = _cards(card, place, datasets[0])
    return SymmetryTab(dataset, strip, item, of, card, place, before, after, made)


def _cards(card: gr.Radio, place: gr.HTML, dataset: str) -> list[Card]:
    """Lays the cards out, and lists those that there is something to show on."""
    made, listed = [], []
    for make, name in zip(CARDS, NAMES, strict=True):
        with gr.Column(elem_classes=f"wsr-nth-{len(listed) + 1}") as around:
            made.append(make(dataset))
        if made[-1] and around.children[0].visible:
            listed.append(name)
        else:
            around.visible = False
    card.choices = [(f"{i} {title}", name) for i, (name, title) in enumerate(listed, 1)]
    card.value, place.value = listed[0][0], f"1 of {len(listed)}"
    return [one for one in made if one]


def _wire(tab: SymmetryTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    change, choosing = tab.bind(handlers.change_dataset), handlers.choosing(tab)
    at_once = {"queue": False, **compute.PRIVATE}
    anew = [widget for card in tab.cards for widget in card.asked_again]
    # at once: a guess that comes before the other data set's pictures is one about these
    tab.dataset.input(tab.bind(handlers.ask_anew), None, anew, **at_once)
    asked = (("item", tab.strip.pick), ("data", tab.dataset.input))
    for (by, asks), at in product(asked, range(1, len(tab.cards) + 1)):
        asks(None, js=compute.outdated(OLD.format(at=at), f"{by}-{at}"), **at_once)
    events = (
        ("link", place.shown(tab.bind(handlers.opened), [tab.of, tab.item], [tab.strip, tab.item, tab.of], **newest)),
        ("item", tab.strip.pick(tab.bind(handlers.choose), [tab.dataset, tab.of], [tab.item, tab.of], **look)),
        ("data", tab.dataset.input(change, tab.dataset, [tab.strip, tab.item, tab.of, *choosing], **look)),
    )
    names = json.dumps([name for _, name in tab.card.choices])
    for button, way in ((tab.before, -1), (tab.after, 1)):
        button.click(None, tab.card, tab.card, js=GO % (names, way), **at_once)
    for event in (tab.card.change, place.shown):  # a link may choose a card before the line of cards is on the page
        event(None, tab.card, tab.place, js=PLACE % names, **at_once)
    for at, card in enumerate(tab.cards, 1):
        # a verdict on an older question would stand under a newer one
        answer = session.latest(card.opening, f"card {at}")
        card.wire([tab.of, tab.item], answer)
        for by, event in events:
            opened = event.then(answer, [tab.of, tab.item, *card.inputs], card.outputs, **look)
            opened.then(None, js=compute.answered(f"{by}-{at}"), **at_once)
