"""Cards of the Symmetry tab about changes of weights. Each asks what will happen, shows it, and says why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np

from app.components.field.sheet import LARGE, FieldSheet, moved
from app.components.plotly_chart import PlotlyChart
from app.figures.weights import layer_arrays, weights_figure
from app.shared.palette import NAMES
from app.shell import compute, snippets
from app.shell.address import number, whole
from app.tabs.symmetry import run
from app.tabs.symmetry.facts import at_most, by, measured, why
from app.tabs.symmetry.run import Moved, Subject
from wsr.errors import unknown_name
from wsr.fields.registry import named, readable

STRENGTHS = (0.0, 2.0)
MAP = ("UMAP", 2)
OPTIONS = {**compute.LOOK, **compute.PRIVATE}
ALLOWED_NOTE = (
    "✓: the change keeps the picture and the weights that the mask holds. ✗: it keeps the picture only. –: the "
    "representation has no such change. A mask takes freedom away, and that is its purpose."
)
NO_SUCH_CHANGE = (
    "This representation has no such change, so there is nothing to guess: see its – in the table. Choose another "
    "change or another representation."
)


@dataclass
class Card:
    """A card of the tab. linked: widgets whose values are part of a link, by name. inputs: widgets that the card's
    handlers read, after the data set and the item. opening: returns the values of `outputs` for a new item, by widget.
    wire: connects the card's widgets, given the shared inputs and `opening` as events ask it. asked_again: the values
    of widgets that begin anew when another data set is chosen, a visitor's guess among them."""

    linked: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]
    opening: Callable[..., dict[Any, Any]]
    wire: Callable[[list[Any], Callable[..., Any]], None] = field(default=lambda shared, opened: None)
    asked_again: dict[Any, Any] = field(default_factory=dict)


def mask_card(dataset: str) -> Card | None:
    """The card about permutations under a mask: it does not allow the shuffled weights, and restoring the masked
    entries breaks the picture. None if there are no masked weights."""
    families = families_of(dataset, masked=True)
    if not families:
        return None
    with gr.Row(equal_height=False, elem_classes="wsr-card"):
        with gr.Column(min_width=280, elem_classes="wsr-tight"):
            gr.Markdown("## Now with a mask", elem_classes="wsr-heading")
            gr.Markdown(
                "The mask holds some weights at a fixed value: different ones in every row, so that each neuron has a "
                "place of its own. Shuffle the neurons, then set the held weights back to their values. What is left?"
            )
            family = gr.Radio(
                families, value=families[-1][1], label="Representation", show_label=False, container=False
            )
            guess = gr.Radio([("the same picture", "same"), ("another picture", "other")], label="Your guess")
            answer = gr.HTML()
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            sheet = gr.HTML(snippets.being_drawn(["the network"]))
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            gr.HTML(snippets.label("Held weights that the shuffle moved"))
            heat = PlotlyChart(
                None, height=300, description="Frozen entries that no longer have their value",
                placeholder="Guess first: then the moved weights are drawn here.",
            )  # fmt: skip

    @compute.guarded
    def opened(dataset: str, item: str, family: str, guess: str | None = None) -> dict[Any, Any]:
        of = subject_of(dataset, item, family, masked=True)
        shown = [(of.label, run.picture(of.model, of.full))]
        if guess is None:
            return {sheet: snippets.pictures(shown), answer: "", heat: None}
        moved = run.act(of, "permutation", 1, 1.0)
        back = run.remasked(of, moved)
        said = (
            f"Shuffled, no value moves{by(moved.difference)}, but {moved.broken:,} "
            f"held weights have moved. Putting them back changes values by up to {at_most(of, back)}. "
            "With a mask, the parts of a network have one order."
        )
        shown += [("shuffled", moved.picture), ("mask put back", back.picture)]
        judged = snippets.verdict(guess == "other", said)
        return {sheet: snippets.pictures(shown), answer: judged, heat: _violated(of, moved)}

    inputs, outputs = [family, guess], [sheet, answer, heat]

    def wire(shared: list[Any], opened: Callable[..., Any]) -> None:
        guess.input(opened, [*shared, *inputs], outputs, **OPTIONS)
        ask_again(family.input, guess).then(opened, [*shared, *inputs], outputs, **OPTIONS)

    return Card({"mask": family, "mask_guess": guess}, inputs, outputs, opened, wire, {guess: None})


def group_card(dataset: str) -> Card | None:
    """The card about signs, scales and changes of basis, with the table of what each representation allows. None if
    there are no weights with these symmetries."""
    known = [(NAMES[name], name) for name in _moving() if name in run.names_of(dataset)]
    if not known:
        return None
    kinds = [("sign", "sign"), ("scale", "scale"), ("any basis, GL(r)", "basis")]
    with gr.Row(equal_height=False, elem_classes="wsr-card"):
        with gr.Column(min_width=280, elem_classes="wsr-tight"):
            gr.Markdown("## Signs, scales, any basis", elem_classes="wsr-heading")
            gr.Markdown(
                "A pair is two vectors that are multiplied. Change the sign of both, or make one larger and the other "
                "smaller, or mix several pairs: the product stays. Do the weights that a mask holds stay, too?"
            )
            name = gr.Radio(known, value=known[-1][1], label="Representation")
            kind = gr.Radio(kinds, value="scale", label="Change")
            strength = gr.Slider(*STRENGTHS, value=1.0, step=0.05, label="How far")
            guess = gr.Radio([("they stay", "kept"), ("they move", "moved")], label="Your guess")
            answer = gr.HTML()
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            sheet = FieldSheet(snippets.being_drawn(["the network"]), sizes=LARGE, unit=0.5)  # RGB is in [-1, 1]
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            table = gr.HTML()

    @compute.guarded
    def opened(
        dataset: str, item: str, name: str, kind: str, strength: float, guess: str | None = None
    ) -> dict[Any, Any]:  # fmt: skip
        if name not in (there := run.names_of(dataset)):
            raise unknown_name("representation", name, there)
        of = run.subject(there[name], item)
        shown = [(of.label, run.picture(of.model, of.full))]
        allowed = snippets.allowed([named(one) for one in _moving()], name, kind) + snippets.caption(ALLOWED_NOTE)
        if kind not in of.model.kind.symmetries:
            return {sheet: snippets.pictures(shown), answer: snippets.settled(NO_SUCH_CHANGE), table: allowed}
        if guess is None:
            return {sheet: snippets.pictures(shown), answer: "", table: ""}
        acted = run.act(of, kind, 2, float(np.clip(strength, *STRENGTHS)))
        shown.append((caption := f"{kind} changed", acted.picture))
        field = run.in_page(of, kind, [2])
        drawn = snippets.pictures(shown, moving={caption: field and {**field, "act": "2"}})
        said = snippets.verdict((guess == "kept") == (acted.broken == 0), why(of, acted)) + measured(of, acted)
        return {sheet: drawn, answer: said, table: allowed}

    inputs, outputs = [name, kind, strength, guess], [sheet, answer, table]

    def wire(shared: list[Any], opened: Callable[..., Any]) -> None:
        guess.input(opened, [*shared, *inputs], outputs, **OPTIONS)
        strength.input(None, strength, sheet, js=moved("{ strength }", "strength"), queue=False, **compute.PRIVATE)
        sheet.ask(opened, [*shared, *inputs], outputs, trigger_mode="always_last", **OPTIONS)
        for widget in (name, kind):
            ask_again(widget.input, guess).then(opened, [*shared, *inputs], outputs, **OPTIONS)

    linked = {"of": name, "act": kind, "far": strength, "act_guess": guess}
    return Card(linked, inputs, outputs, opened, wire, {guess: None})


def ask_again(event: Callable[..., Any], guess: gr.Radio) -> Any:
    """Clears the guess when the question changes, before further listeners."""
    return event(lambda: None, None, guess, queue=False, **compute.PRIVATE)


def given_value(widget: Any, text: str | None) -> Any:
    """Returns a widget's value from the text of a link. WsrError for a value that the widget does not offer."""
    if text is None:
        return gr.skip()
    if isinstance(widget, gr.Radio | gr.CheckboxGroup):
        choices = {str(value): value for _, value in widget.choices}
        several = isinstance(widget, gr.CheckboxGroup)
        for one in (given := text.split(",") if several else [text]):
            if one not in choices:
                raise unknown_name("choice", one, choices)
        return [choices[one] for one in given] if several else choices[text]
    if isinstance(widget, gr.Slider):
        return number(text, widget.minimum, widget.maximum)
    return whole(text, 0, 10_000)


def families_of(dataset: str, masked: bool = False) -> list[tuple[str, str]]:
    """Labels and names of the families of a data set's weights that have permutation symmetries. masked: only families
    with a masked representation."""
    there = [named(name) for name in readable() if name in run.names_of(dataset)]
    there = [kind for kind in there if "permutation" in kind.symmetries and (kind.masked or not masked)]
    return [(kind.unmasked.label, kind.family) for kind in {kind.family: kind for kind in there}.values()]


def _moving() -> list[str]:
    """The representations that have symmetries."""
    return [name for name in readable() if named(name).symmetries]


def subject_of(dataset: str, item: str, family: str, masked: bool) -> Subject:
    """The item in the family's masked or unmasked zoo, or in the one of the two that exists."""
    there = run.names_of(dataset)
    kinds = [named(name) for name in there if name in readable() and named(name).family == family]
    if not kinds:
        raise unknown_name("representation", family, there)
    kind = min(kinds, key=lambda kind: kind.masked != masked)
    return run.subject(there[kind.name], item)


def _violated(of: Subject, moved: Moved) -> dict[str, Any]:
    """Heat map of how far the frozen entries have moved. All other entries are empty, and matrices in which no frozen
    entry has moved are left out."""
    from wsr.symmetry import violations

    away = (moved.full - of.full).where(violations(of.model, moved.full), float("nan"))[0].numpy()
    layers = layer_arrays(away, of.model.unmasked().layout.to_json())
    held = {name.rpartition(".")[2] for name, array in layers if np.isfinite(array).any()}
    return weights_figure([(name, array) for name, array in layers if name.rpartition(".")[2] in held])
