"""The widgets of the Generate tab."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.field.sheet import FieldSheet
from app.components.pictures import Pictures
from app.shared.fitted import Fitted
from app.shell import snippets
from app.shell.jobs import Job
from app.shell.tabs import Widgets
from app.tabs.generate import models
from app.tabs.generate.models import Asked

BLENDS = snippets.caption(
    "Drag one sample onto another to blend them. By keyboard or finger: open one, press “Blend with another”, choose "
    "the second."
)


@dataclass
class GenerateTab(Widgets):
    """by: the generator; items: the grid of samples; picked: number of the open sample, as text; other, way, walking,
    walked: widgets of the walk to another sample; blend, blended, share: asks for a blend with another sample, what the
    page shows of it, and how much of the other is in it; sampled: the visitor's `Sampled` or None; fitted: the open
    sample as a `Fitted`; linked: changes when a link asks for samples that have to be drawn first; of_class and so on:
    class, guidance, steps and seed of the samples on screen, hidden texts that are written into the address. They are
    empty for stored samples; the controls may already say something else, for the next samples."""

    dataset: gr.Radio
    kind: gr.Dropdown
    by: gr.Dropdown
    cls: gr.Radio
    guidance: gr.Slider
    steps: gr.Slider
    seed: gr.Number
    state: gr.HTML
    job: Job
    items: Pictures
    picked: gr.Textbox
    pair: FieldSheet
    verdict: gr.HTML
    surface: gr.Model3D
    take: gr.Button
    place: gr.Button
    files: gr.File
    other: gr.Number
    way: gr.Slider
    walking: gr.Accordion
    walked: gr.HTML
    blend: gr.Button
    blended: FieldSheet
    share: gr.Slider
    sampled: gr.State
    fitted: gr.State
    linked: gr.Textbox
    of_class: gr.Textbox
    of_guidance: gr.Textbox
    of_steps: gr.Textbox
    of_seed: gr.Textbox

    @property
    def asked(self) -> list[Any]:
        """The widgets that say what to sample, in the order of `models.checked`."""
        return [self.dataset, self.kind, self.cls, self.guidance, self.steps, self.seed, self.by]

    @property
    def on_screen(self) -> dict[str, Any]:
        """The hidden texts about the samples on screen, by their names in the address."""
        return {"class": self.of_class, "guidance": self.of_guidance, "steps": self.of_steps, "seed": self.of_seed}

    def said(self, asked: Asked | None) -> dict[Any, Any]:
        """What the address says of the samples on screen; None for stored samples."""
        values = {} if asked is None else {
            "class": asked.cls or "", "guidance": f"{asked.guidance:g}", "steps": f"{asked.steps}",
            "seed": f"{asked.seed}",
        }  # fmt: skip
        return {widget: values.get(name, "") for name, widget in self.on_screen.items()}

    def checked(self, values: dict[Any, Any]) -> Asked:
        """Checks what to sample, from the page's values by widget. WsrError for a value that is unknown or out of
        range."""
        return models.checked(*(values[widget] for widget in self.asked))


@dataclass
class Opened:
    """New values of the widgets once a sample has been opened."""

    picked: str
    fitted: Fitted
    pair: str
    verdict: str
    surface: dict[str, Any]
    take: dict[str, Any]
    place: dict[str, Any]
    files: dict[str, Any]
    items: dict[str, Any]
    walked: str = ""
