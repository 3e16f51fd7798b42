"""The widgets of the Atlas tab, and the state that they stand for."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart
from app.shared import own
from app.shell.jobs import Job
from app.shell.tabs import Widgets
from app.tabs.atlas import controls
from app.tabs.atlas.map import View, Visit


@dataclass(frozen=True)
class Seen:
    """What a visitor has on screen. view: the map. item: the picked one. visit: the visitor's additions. beside: the
    representation of the second map. selection: the selected ids."""

    view: View
    item: str
    visit: Visit
    beside: str
    selection: list[str]


@dataclass
class Projecting:
    """The controls of a projection with a visitor's own settings. made: one that is done and not yet on screen."""

    method: gr.Radio
    dims: gr.Radio
    neighbours: gr.Slider
    min_dist: gr.Slider
    metric: gr.Radio
    job: Job
    believe: gr.Button
    made: gr.State

    @property
    def settings(self) -> list[Any]:
        return [self.method, self.dims, self.neighbours, self.min_dist, self.metric]


@dataclass
class Bringing:
    """The widgets of a zoo that a visitor brings. file: the upload. form: the format of another program's files."""

    file: gr.File
    form: gr.Dropdown
    job: Job


@dataclass
class AtlasTab(Widgets):
    """The widgets of the tab. Controls have the names of the fields of `View`, the panel's widgets those of `Panel`.
    on_map: name of the collection on the map. find: a text that is searched for. found: what came of it. other_column,
    other: the second map. compare: its representation. said: summary of the selection. faith: scores of the map's
    faithfulness. table: accuracies of classifiers of weights. bringing: what brings a visitor's zoo. when_seen: called
    when a visitor has the map on screen."""

    chart: PlotlyChart
    other: PlotlyChart
    other_column: gr.Column
    dataset: gr.Radio
    find: gr.Textbox
    found: gr.HTML
    representation: gr.Dropdown
    method: gr.Radio
    dims: gr.Radio
    colour: gr.Dropdown
    only: gr.Dropdown
    metric: gr.Radio
    form: gr.Radio
    compare: gr.Dropdown
    picked: gr.Textbox
    on_map: gr.Textbox
    visit: gr.State
    selection: gr.State
    said: gr.HTML
    export: gr.Button
    files: gr.File
    faith: gr.HTML
    table: gr.HTML
    frame: gr.HTML
    surface: gr.Model3D
    turn: gr.Button
    facts: gr.HTML
    nearest: Pictures
    heat: PlotlyChart
    legend: gr.HTML
    projecting: Projecting
    bringing: Bringing
    when_seen: Callable[[], None] = lambda: None

    @property
    def job(self) -> Job:
        return self.projecting.job

    @property
    def controls(self) -> list[Any]:
        """The controls in the order of `View`."""
        return [getattr(self, field.name) for field in fields(View)]

    @property
    def choices(self) -> list[Any]:
        """The controls whose choices depend on the collection."""
        return [getattr(self, name) for name in controls.CHOICES]

    @property
    def panel(self) -> list[Any]:
        return [self.frame, self.surface, self.turn, self.facts, self.nearest, self.heat, self.legend]

    @property
    def selected(self) -> list[Any]:
        """The widgets that a selection changes, whether it was drawn or found by name."""
        return [self.chart, self.other, self.selection, self.said, self.export, self.files, self.find, self.found]

    @property
    def inputs(self) -> set[Any]:
        """The widgets that handlers read."""
        told = {self.compare, self.picked, self.on_map, self.visit, self.selection, self.find, self.found}
        return {*self.controls, *told}

    def chosen(self, values: dict[Any, Any]) -> dict[str, Any]:
        """Values of the controls by the names of `View`, of which only is checked that a zoo which was brought is this
        visitor's. WsrError if it is not."""
        own.require(values[self.dataset], values[self.visit].own)
        return {field.name: values[getattr(self, field.name)] for field in fields(View)}

    def asked(self, values: dict[Any, Any]) -> str:
        """Name of the collection that the controls ask for. WsrError for an unknown one."""
        return controls.carried(self.chosen(values)).name

    def is_coming(self, values: dict[Any, Any]) -> bool:
        """Whether the map that the controls ask for is still on its way. Until then, all that can be pressed is about
        the one before."""
        return self.asked(values) != values[self.on_map]

    def seen(self, values: dict[Any, Any]) -> Seen:
        """What is on screen, from the page's values by widget. WsrError for a map that does not exist."""
        view = View.of(**self.chosen(values))
        return Seen(view, *(values[one] for one in (self.picked, self.visit, self.compare, self.selection)))

    def offer(self, view: View, visit: Visit) -> dict[Any, Any]:
        """Choices and values of the controls for a view."""
        return {getattr(self, name): gr.update(**part) for name, part in controls.offered(view, visit).items()}
