"""The Symmetry tab's card about permutations: all weights change, and the picture does not. The page shuffles by
itself, and asks the server only where the network's point jumps, for which the collection is needed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from app.components.field.sheet import LARGE, FieldSheet
from app.components.plotly_chart import PlotlyChart, chart_update
from app.figures.atlas import Points, atlas_figure
from app.shared import library
from app.shell import compute, snippets
from app.tabs.symmetry import run
from app.tabs.symmetry.cards import MAP, OPTIONS, Card, families_of, subject_of
from app.tabs.symmetry.facts import measured
from app.tabs.symmetry.run import Subject
from app.tabs.symmetry.stripes import stripes

if TYPE_CHECKING:
    from torch import Tensor

SENT = 16  # shuffles that the page knows at a time
# Another shuffle: by the page itself as long as it knows them, or by the server.
SHUFFLE = f"""(seed) => {{
  const place = (seed + 1) % {SENT} ? {{ act: String(seed + 1), strength: 1 }} : {{ ask: true }};
  const update = (props) => ({{ __type__: "update", props }});
  return [seed + 1, update({{ place }}), update(place.ask ? {{}} : {{ place: {{ ...place }} }})];
}}"""


def shuffle_card(dataset: str) -> Card | None:
    """The card about permutations of neurons or rank components. None if there are no weights with this symmetry."""
    families = families_of(dataset)
    if not families:
        return None
    with gr.Row(equal_height=False, elem_classes="wsr-card"):
        with gr.Column(min_width=280, elem_classes="wsr-tight"):
            gr.Markdown("## Shuffle", elem_classes="wsr-heading")
            # The first is the plain network. Of the three its shuffles move the point furthest: by 0.44 for the median
            # emoji and 0.58 for the median shape on a map 2 wide, against 0.06 and 0.13 (LoRA), 0.03 and 0.01 (mLoRA).
            family = gr.Radio(
                families, value=families[0][1], label="Representation", show_label=False, container=False
            )
            button = gr.Button("Shuffle", variant="primary")
            facts = gr.HTML(snippets.working("Shuffling for the first time …"))
            gr.HTML(
                snippets.caption(
                    "A sum does not depend on the order of its terms. So the neurons of a network may change places, "
                    "and so may the pairs of an adapter."
                )
            )
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            sheet = FieldSheet(snippets.being_drawn(["the network", "shuffled"]), sizes=LARGE, unit=0.5)
            strips = FieldSheet(snippets.working("Drawing its weights …"))
        with gr.Column(min_width=310, scale=2, elem_classes="wsr-tight"):
            chart = PlotlyChart(
                None, height=300, description="The map, with the network before and after",
                placeholder="Placing both on the map …",
            )  # fmt: skip
    seed = gr.Number(0, visible="hidden", precision=0)
    outputs = [sheet, strips, facts, chart]

    @compute.guarded
    def opened(dataset: str, item: str, family: str, seed: int) -> dict[Any, Any]:
        of = subject_of(dataset, item, family, masked=False)
        moved, caption = run.act(of, "permutation", int(seed), 1.0), f"{of.model.kind.parts} shuffled"
        field, shown = _known(of, int(seed)), [(of.label, run.picture(of.model, of.full)), (caption, moved.picture)]
        drawn = {sheet: snippets.pictures(shown, moving={caption: field}), strips: stripes(of, moved.full, field)}
        return drawn | {facts: measured(of, moved), chart: _jumped(of, moved.full)}

    @compute.guarded
    def jumped(dataset: str, item: str, family: str, seed: int) -> dict[str, Any]:
        """Where the point is after the page has shuffled."""
        of = subject_of(dataset, item, family, masked=False)
        return _jumped(of, run.shuffled(of, int(seed)))

    def wire(shared: list[Any], opened: Callable[..., Any]) -> None:
        everything = [*shared, family, seed]
        pressed = button.click(None, seed, [seed, sheet, strips], js=SHUFFLE, queue=False, **compute.PRIVATE)
        pressed.then(jumped, everything, chart, trigger_mode="always_last", **{**OPTIONS, "show_progress": "hidden"})
        sheet.ask(opened, everything, outputs, trigger_mode="always_last", **OPTIONS)
        family.input(opened, everything, outputs, **OPTIONS)

    return Card({"shuffle": family, "seed": seed}, [family, seed], outputs, opened, wire)


def _known(of: Subject, seed: int) -> dict[str, Any] | None:
    """What the page needs to draw this shuffle and others that can come after it; None where it cannot."""
    first = seed - seed % SENT
    field = run.in_page(of, "permutation", range(first, first + SENT))
    return field and {**field, "act": str(seed), "strength": 1}


def _jumped(of: Subject, full: "Tensor") -> dict[str, Any]:
    """Update of the chart: the collection's map, with the places of the network before and after the shuffle."""
    found = library.collection(of.name)
    points = found.points(*MAP)
    on_map = np.flatnonzero(np.isfinite(points).all(axis=1))
    shown = Points(
        points[on_map], [found.classes[i] for i in on_map], [found.labels[i] for i in on_map],
        [found.ids[i] for i in on_map],
    )  # fmt: skip
    figure = atlas_figure(shown, method=MAP[0], view=f"symmetry/{of.name}")
    figure["layout"]["showlegend"] = False
    now = dict(zip("xyz", run.jump(of, full, *MAP), strict=False))
    marks = [{"id": of.item, "role": "picked"}, {"id": "", "role": "placed", "label": "shuffled", **now}]
    return chart_update(figure=figure, highlight=marks)
