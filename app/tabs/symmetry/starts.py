"""The Symmetry tab's card about starts: the midpoint of two fits whose starts are around one, or around zero."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from app.shared import library, pairs
from app.shared.pairs import NORMAL, OWN
from app.shared.palette import NAMES
from app.shell import compute, snippets
from app.tabs.connect import run as connect_run
from app.tabs.symmetry.cards import OPTIONS, Card, ask_again

KINDS = ("mlora-asym", "mlora")
TITLES = {OWN: "around one", NORMAL: "around zero"}


def starts_card(dataset: str) -> Card:
    """The card about the inits `normal` and `centered`: for each of them, the midpoint of two independent fits of one
    target."""
    guesses = [(f"starts {title}", name) for name, title in TITLES.items()]
    with gr.Row(equal_height=False, elem_classes="wsr-card", visible=_there(dataset)):
        with gr.Column(min_width=280, elem_classes="wsr-tight"):
            gr.Markdown("## Where a fit begins", elem_classes="wsr-heading")
            gr.Markdown(
                "mLoRA multiplies the base's weights. Its fits may begin around one (`centered`), where the base stays "
                "as it is, or around zero (`normal`), where either sign is as likely."
            )
            question = gr.Markdown(
                "One target was fitted twice from each kind of start. For which kind do the weights halfway between "
                "the two fits still show the target?"
            )
            kind = gr.Radio(
                [(NAMES[name], name) for name in KINDS],
                value=KINDS[0],
                label="Representation",
                show_label=False,
                container=False,
            )
            guess = gr.Radio(guesses, label="Your guess")
            asks = guess, kind, question
            answer = gr.HTML()
        with gr.Column(min_width=320, scale=4, elem_classes="wsr-tight"):
            sheet = gr.HTML(snippets.being_drawn([f"a fit, {title}" for title in TITLES.values()]))

    @compute.guarded
    def opened(dataset: str, item: str, kind: str, guess: str | None = None) -> dict[Any, Any]:
        lanes = _lanes(dataset, item, kind)
        asked = dict.fromkeys(asks, gr.update(visible=bool(lanes)))
        if not lanes:
            return {sheet: snippets.settled(_nothing()), answer: "", **asked}
        told = guess is not None and len(lanes) == len(TITLES)
        places = (("a fit", 0.0), ("halfway", 0.5), ("another", 1.0)) if told else (("a fit", 0.0),)
        shown = [
            (f"{what}, {TITLES[start]}", _picture(lane, alpha))
            for start, lane in lanes.items()
            for what, alpha in places
        ]
        drawn = snippets.pictures(shown) + _instead(dataset, item)
        if not told:
            return {sheet: drawn, answer: "", **asked}
        drops = {start: _drop(lane) for start, lane in lanes.items()}
        said = snippets.verdict(guess == min(drops, key=drops.get), _said(dataset, drops))
        return {sheet: drawn, answer: said, **asked}

    inputs, outputs = [kind, guess], [sheet, answer, *asks]

    def wire(shared: list[Any], opened: Callable[..., Any]) -> None:
        guess.input(opened, [*shared, *inputs], outputs, **OPTIONS)
        ask_again(kind.input, guess).then(opened, [*shared, *inputs], outputs, **OPTIONS)

    linked = {"start": kind, "start_guess": guess}
    return Card(linked, inputs, outputs, opened, wire, {guess: None})


def _lanes(dataset: str, item: str, kind: str) -> dict[str, connect_run.Lane]:
    """Pairs of this item, or if it has none, of the first target, by the kind of their starts. Empty if there are
    none."""
    if not _there(dataset):
        return {}
    target = _target(dataset, item)
    races = {start: connect_run.race(dataset, target, start) for start in TITLES}
    return {start: race.lanes[kind] for start, race in races.items() if kind in race.lanes}


def _target(dataset: str, item: str) -> str:
    known = connect_run.targets(dataset)
    return item if item in known else known[0]


def _instead(dataset: str, item: str) -> str:
    """Says so where another target is drawn than the one that is chosen."""
    target = _target(dataset, item)
    if item == target:
        return ""
    names = dict(zip((found := library.collections_of(dataset)[0]).ids, found.labels, strict=True))
    chosen, drawn = (names.get(one, one) for one in (item, target))
    said = f"Only some targets were fitted twice from each start, and {chosen} was not: this is {drawn}."
    return snippets.caption(said)


def _nothing() -> str:
    """Says for which data sets there are such fits, where this one has none."""
    there = [title for title, dataset in library.titles(library.collection_names()) if _there(dataset)]
    said = "No target of this data set was fitted from both kinds of starts. There are such fits of: "
    return said + f"{', '.join(there)}."


def _there(dataset: str) -> bool:
    return dataset in connect_run.datasets() and (KINDS[0], NORMAL) in pairs.kinds(dataset)


def _picture(lane: connect_run.Lane, alpha: float) -> np.ndarray:
    found = connect_run.picture(lane.pair, alpha)
    return found if found is not None else np.ones((8, 8, 3), np.float32)


def _drop(lane: connect_run.Lane) -> float:
    """How much lower the quality is at the midpoint than at the two ends on average."""
    return (lane.raw_curve[0] + lane.raw_curve[-1]) / 2 - float(np.interp(0.5, lane.alphas, lane.raw_curve))


def _said(dataset: str, drops: dict[str, float]) -> str:
    of = library.collections_of(dataset)[0].modality
    parts = [f"{of.in_short(drop)} from starts {TITLES[start]}" for start, drop in drops.items()]
    return f"Halfway, the fits lose {' and '.join(parts)}. Around one, both fits begin at almost the same place."
