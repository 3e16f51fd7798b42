"""The Symmetry tab's card about Theorem 2: an adapted layer is a sum of terms, with a switch for each."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
from jaxtyping import UInt8

from app.components.field.sheet import LARGE, FieldSheet, moved
from app.figures.matrices import matrix_picture
from app.shared.palette import DIVERGING
from app.shell import compute, snippets
from app.tabs.symmetry import run
from app.tabs.symmetry.cards import OPTIONS, Card, ask_again, families_of, subject_of
from app.tabs.symmetry.run import Subject
from wsr.fields.registry import named

RANK = 4
DECODED = "with these terms"
BASES, TOTAL = "W, the base's", "W′, their sum"
FORMULA = "As a formula (Theorem 2): W′ = Σ diag(bᵢ) W diag(aᵢ) in mLoRA, W′ = W + Σ bᵢ aᵢ in LoRA."
VISIBLE = 0.1  # least difference of values in [0, 1] that is seen
BACKGROUND = 0.98  # lighter pixels are background
PART, WHOLE = 0.05, 0.5  # shares of the changed area from which the picture loses a part of it, or most of it
SAID = {"same": "next to nothing", "part": "a part of it", "all": "most of it"}


def theorem_card(dataset: str) -> Card | None:
    """The card that draws Theorem 2: W′ = Σᵢ diag(bᵢ) W diag(aᵢ). None if there are no adapters."""
    families = [(title, name) for title, name in families_of(dataset) if "basis" in named(name).symmetries]
    if not families:
        return None
    everything = list(range(RANK))
    with gr.Row(equal_height=False, elem_classes="wsr-card"):
        with gr.Column(min_width=280, elem_classes="wsr-tight"):
            gr.Markdown("## What a pair does", elem_classes="wsr-heading")
            gr.Markdown(
                f"All pictures share a base network. mLoRA copies each of its matrices {RANK} times, makes rows and "
                "columns of each copy stronger or weaker by one pair of vectors, and adds the copies up. LoRA adds the "
                "product of each pair to the matrix itself. Now one of these terms is switched off in every layer. "
                "What does the picture lose?"
            )
            family = gr.Radio(
                families, value=families[-1][1], label="Representation", show_label=False, container=False
            )
            guess = gr.Radio([(said, key) for key, said in SAID.items()], label="Your guess")
            answer = gr.HTML()
            switches = gr.CheckboxGroup(
                [(f"term {i + 1}", i) for i in everything], value=everything, label="Terms that are switched on"
            )
            layer = gr.Slider(1, 8, value=4, step=1, label="Layer drawn")
        with gr.Column(min_width=220, elem_classes="wsr-tight"):
            sheet = FieldSheet(snippets.being_drawn([DECODED]), sizes=LARGE)
        with gr.Column(min_width=420, scale=3, elem_classes="wsr-tight"):
            matrices = FieldSheet(snippets.being_drawn([BASES, *(f"term {i + 1}" for i in everything), TOTAL]))
            gr.HTML(snippets.caption(FORMULA))

    @compute.guarded
    def opened(
        dataset: str, item: str, family: str, chosen: list[int], layer: int, guess: str | None = None
    ) -> dict[Any, Any]:  # fmt: skip
        of = subject_of(dataset, item, family, masked=True)
        found = run.terms(of, int(layer) - 1, [int(i) for i in chosen])
        field = run.in_page(of)
        parts = _drawn(found, chosen, added=of.model.additive)
        drawn = snippets.pictures(parts, pixels=True, moving=_moving([title for title, _ in parts], field))
        said = "" if guess is None else _judged(of, guess)
        picture = snippets.pictures([(DECODED, found.picture)], moving={DECODED: field})
        return {sheet: picture, matrices: drawn, answer: said}

    inputs, outputs = [family, switches, layer, guess], [sheet, matrices, answer]

    def wire(shared: list[Any], opened: Callable[..., Any]) -> None:
        options = {"queue": False, **compute.PRIVATE}
        guess.input(lambda: everything[1:], None, switches, **options).then(
            opened, [*shared, *inputs], outputs, **OPTIONS
        )
        again = ask_again(family.input, guess).then(lambda: everything, None, switches, **options)
        again.then(opened, [*shared, *inputs], outputs, **OPTIONS)
        layers = "{ terms, layer: layer - 1 }"
        both = moved("{ terms }", "terms, layer", f"update({{ place: {layers} }})")
        switches.input(None, [switches, layer], [sheet, matrices], js=both, **options)
        layer.input(None, [switches, layer], matrices, js=moved(layers, "terms, layer"), **options)
        for drawing in (sheet, matrices):
            drawing.ask(opened, [*shared, *inputs], outputs, trigger_mode="always_last", **OPTIONS)

    linked = {"pairs": family, "terms": switches, "layer": layer, "term_guess": guess}
    return Card(linked, inputs, outputs, opened, wire, {guess: None, switches: everything})


def _moving(titles: list[str], field: dict[str, str] | None) -> dict[str, dict[str, Any] | None]:
    """By which part of the adapted layer the page draws the picture with each title."""
    parts = ["base", *map(str, range(len(titles) - 2)), "sum"]
    return {
        title: field and {**field, "part": part, "colours": DIVERGING}
        for title, part in zip(titles, parts, strict=True)
    }


def _drawn(found: run.Terms, chosen: list[int], added: bool) -> list[tuple[str, np.ndarray]]:
    """Pictures of the base's matrix, of the terms (empty where switched off), and of their sum. added: whether the sum
    includes the base's matrix."""
    span = float(np.quantile(np.abs(found.base), 0.99))
    counted = (term if i in chosen else np.full_like(term, np.nan) for i, term in enumerate(found.terms))
    terms = [(f"term {i}", term) for i, term in enumerate(counted, 1)]
    total = found.terms[sorted(chosen)].sum(0) + (found.base if added else 0)
    parts = [(BASES, found.base), *terms, (TOTAL, total)]
    return [(title, matrix_picture(matrix, span)) for title, matrix in parts]


def _judged(of: Subject, guess: str) -> str:
    share = lost(run.picture(of.model, of.full), run.terms(of, 0, list(range(1, RANK))).picture)
    right = "same" if share < PART else "part" if share < WHOLE else "all"
    said = f"Without term 1, {share:.0%} of the picture changes visibly: each term reaches every neuron of every layer."
    return snippets.verdict(guess == right, said)


def lost(before: UInt8[np.ndarray, "h w 3"], after: UInt8[np.ndarray, "h w 3"]) -> float:
    """Returns how much of a picture changes visibly: a share in [0, 1] of the area where at least one of the two
    pictures shows something."""
    before, after = (np.float32(picture) / 255 for picture in (before, after))
    there = (np.minimum(before, after) < BACKGROUND).any(2)
    changed = (np.abs(before - after) > VISIBLE).any(2)
    return float((changed & there).sum() / max(1, there.sum()))
