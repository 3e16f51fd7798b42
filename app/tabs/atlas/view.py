"""The Atlas tab: every point a neural network, placed by its weights alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from app.components.plotly_chart import WHEN_DRAWN, PlotlyChart, chart_update, chosen_ids, picked_id
from app.shared import library, sheets
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Offer, Place, Tab, Widgets
from app.tabs.atlas import beside as atlas_beside
from app.tabs.atlas import controls as atlas_controls
from app.tabs.atlas import panel as atlas_panel
from app.tabs.atlas import project as atlas_project
from app.tabs.atlas import selection as atlas_select
from app.tabs.atlas.controls import NONE, datasets, first_view, linked, others, updates
from app.tabs.atlas.map import FORMS, METRICS, View, Visit, highlights, map_figure
from app.tabs.atlas.place import place_fit

ASSETS_COMMAND = "make assets"
MAP_HEIGHT = 560


@dataclass
class AtlasTab(Widgets):
    """The widgets that other tabs and the page's start need. controls: in the order of `View`."""

    tab: gr.Tab
    chart: PlotlyChart
    other: PlotlyChart
    other_column: gr.Column
    compare: gr.Dropdown
    controls: list[Any]
    picked: gr.Textbox
    visit: gr.State
    selection: gr.State
    chosen: list[Any]
    faith: gr.HTML
    table: gr.HTML
    panel: list[gr.components.Component]
    projecting: atlas_project.Widgets

    @property
    def inputs(self) -> list[Any]:
        return [*self.controls, self.picked, self.visit]

    @property
    def outputs(self) -> list[Any]:
        """What `atlas_panel.show` fills."""
        return [self.chart, self.picked, *self.panel]

    @property
    def choices(self) -> list[Any]:
        """The controls whose choices depend on the collection."""
        return self.controls[1:6]


def build(place: Place) -> Built | None:
    if not library.collection_names():
        wrong = library.problems()  # they are here, but not as they should be
        gr.HTML(
            snippets.blank(wrong[0]) if wrong else
            snippets.empty(
                "The map is drawn from trained networks, and none are here yet. Make them with", ASSETS_COMMAND
            )
        )  # fmt: skip
        return None
    atlas = _layout(place.view)
    _wire(atlas)
    return Built(link=part(atlas), opened=partial(start, atlas), takes=partial(receive, atlas, place.tabs))


TAB = Tab("atlas", "Atlas", build)


def _layout(tab: gr.Tab) -> AtlasTab:
    view, visit = first_view(datasets()[0]), Visit()
    item = library.first_pick(view.name)
    with gr.Row():
        with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
            with gr.Row():
                titles = [(library.TITLES.get(name, name), name) for name in datasets()]
                dataset = gr.Radio(titles, value=view.dataset, label="Data set", show_label=False, container=False)
            with gr.Row(elem_classes="wsr-tight"):
                chart = PlotlyChart(
                    map_figure(view, visit), sprite=sheets.shared(view.name), height=MAP_HEIGHT, zoom=True,
                    selectable=True, highlight=[{"id": item, "role": "picked"}], description="Map of fitted networks",
                )  # fmt: skip
                with gr.Column(visible=False, min_width=300, elem_classes="wsr-tight") as other_column:
                    other = PlotlyChart(
                        None, height=MAP_HEIGHT, zoom=True, selectable=True,
                        description="The same networks' map in another representation",
                    )  # fmt: skip
            controls = [dataset, *atlas_controls.build(view)]
            gr.Markdown(
                "Nobody told the map what anything is: it saw the weights only. Colours are classes. "
                "Point to see, click to open.",
                elem_classes=["wsr-caption", "wsr-later"],
            )
            with gr.Column(elem_classes=["wsr-later", "wsr-tight"]):
                compare = gr.Dropdown(others(view), value=NONE, label="Beside it, the same networks as", min_width=190)
                chosen = _selection(view)
                faith, table, projecting = _deeper(view)
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            panel = atlas_panel.build(view.name, item)
            metric = gr.Radio(
                list(zip(("by angle", "by distance"), METRICS, strict=True)), value=METRICS[0], label="Nearest"
            )
            form = gr.Radio(
                list(zip(("of the weights", "in canonical form"), FORMS, strict=True)), value=FORMS[0], show_label=False
            )
    controls += [metric, form]
    states = gr.Textbox(item, visible="hidden"), gr.State(visit), gr.State([])
    return AtlasTab(
        tab, chart, other, other_column, compare, controls, *states, chosen, faith, table, panel, projecting
    )


def _selection(view: View) -> list[Any]:
    """[what is selected, the button that exports it, the files]"""
    said = gr.HTML(atlas_select.summary(view.name, []))
    button = gr.Button("Take the selection home", visible=False, min_width=200)
    files = gr.File(visible=False, show_label=False, file_count="multiple", interactive=False, height=100)
    return [said, button, files]


def _deeper(view: View) -> tuple[gr.HTML, gr.HTML, atlas_project.Widgets]:
    with gr.Accordion("How far to believe the map, and what a classifier reads", open=False):
        faith = gr.HTML()
        table = gr.HTML(snippets.probes(library.probes(view.dataset), view.representation))
    with gr.Accordion("Another projection", open=False):
        projecting = atlas_project.build()
    return faith, table, projecting


def _wire(atlas: AtlasTab) -> None:
    options = {**compute.LOOK, **compute.PRIVATE}
    dataset, kind, method, dims, colour, only, metric, form = atlas.controls
    changed = [*atlas.choices, atlas.compare, atlas.other_column, atlas.selection, *atlas.chosen, atlas.table]
    for control in (dataset, kind):
        control.input(change_collection, [*atlas.inputs], [*changed, *atlas.outputs], **options)
    for control in (method, dims, colour, only):
        control.input(change_view, [*atlas.inputs, atlas.compare], [atlas.chart, atlas.other, atlas.faith], **options)
    for control in (metric, form):
        control.input(change_neighbours, atlas.inputs, [atlas.chart, atlas.panel[3]], **options)
    for widget in (atlas.chart, atlas.other, atlas.panel[3]):
        # multiple: a click counts while the last one is still being answered, and `compute.newest` ends that answer.
        # gradio's always_last would send the first click's point again.
        widget.pick(pick, atlas.inputs, atlas.outputs, trigger_mode="multiple", **options)
    for widget in (atlas.chart, atlas.other):
        widget.choose(choose, atlas.inputs, [atlas.chart, atlas.other, atlas.selection, *atlas.chosen], **options)
    atlas.compare.input(
        atlas_beside.compare, [*atlas.inputs, atlas.compare, atlas.selection], [atlas.other_column, atlas.other],
        **options,
    )
    atlas.picked.change(atlas_beside.mark, [*atlas.inputs, atlas.compare], atlas.other, **options)
    atlas.chosen[1].click(export, [*atlas.controls, atlas.selection], atlas.chosen[2], **options)
    atlas_project.wire(atlas.projecting, atlas.inputs, [atlas.visit, method, dims, atlas.chart, atlas.faith])


def part(atlas: AtlasTab) -> Part:
    """The tab's state in the address."""
    names = ("data", "kind", "map", "dims", "colour", "only", "near", "form", "pick", "beside")
    widgets = dict(zip(names, [*atlas.controls, atlas.picked, atlas.compare], strict=True))
    return Part("atlas", atlas.tab, widgets, atlas.bind(restore), [atlas.other_column, atlas.other, atlas.table])


def restore(atlas: AtlasTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    view, item, beside = linked(given)
    controls = [view.dataset, *updates(view, Visit()), view.metric, view.form]
    return {
        **dict(zip(atlas.controls, controls, strict=True)),
        atlas.picked: item,
        atlas.compare: gr.update(choices=others(view), value=beside),
        atlas.other_column: gr.update(visible=beside != NONE),
        atlas.other: atlas_beside.shown(view, beside, item, Visit()),
        atlas.table: snippets.probes(library.probes(view.dataset), view.representation),
    }


def start(atlas: AtlasTab, after: Any, when_seen: Callable[[], None]) -> None:
    """Fill the panel once the map is on screen, and no sooner: it needs the engine, whose import would compete with the
    browser for the machine's cores just while the page is being drawn."""

    @compute.guarded
    def opened(request: gr.Request, *values: Any) -> Iterator[tuple]:
        *controls, item, visit = values
        view = View.of(controls)
        linked = {} if view == first_view(datasets()[0]) else {"figure": map_figure(view, visit)}
        yield from compute.newest(request, atlas_panel.show(view, item, visit, **linked))
        when_seen()

    after.then(opened, atlas.inputs, atlas.outputs, js=WHEN_DRAWN, **compute.LOOK, **compute.PRIVATE)


@compute.guarded
def pick(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[tuple]:
    *controls, _, visit = values
    view, item = View.of(controls), picked_id(event)
    library.collection(view.name).position(item)
    yield from compute.newest(request, atlas_panel.show(view, item, visit))


@compute.guarded
def change_view(*values: Any) -> tuple:
    """[chart, chart beside it, faithfulness]"""
    *controls, item, visit, beside = values
    view = View.of(controls)
    figure = chart_update(figure=map_figure(view, visit), highlight=highlights(view, item, visit))
    return figure, atlas_beside.shown(view, beside, item, visit), ""


@compute.guarded
def change_neighbours(*values: Any) -> tuple:
    """[chart, nearest]"""
    *controls, item, visit = values
    view = View.of(controls)
    return chart_update(highlight=highlights(view, item, visit)), atlas_panel.neighbour_items(view, item)


@compute.guarded
def change_collection(request: gr.Request, *values: Any) -> Iterator[tuple]:
    """[choices, compare, the column beside, selection and what is said of it, table, *what `show` yields]. Another
    representation keeps the item."""
    dataset, kind, method, dims, colour, only, metric, form, item, visit = values
    first = first_view(str(dataset), str(kind))
    found = library.collection(first.name)
    method = method if (method, int(dims)) in found.maps else first.method
    dims = int(dims) if (method, int(dims)) in found.maps else first.dims
    colour = colour if colour in library.columns(first.name) else library.CLASS
    only = tuple(cls for cls in only or () if cls in found.classes)
    view = View(first.dataset, first.representation, method, dims, colour, only, metric, form)
    item = item if item in found.ids else library.first_pick(view.name)
    choices = updates(view, visit)
    values = (
        *choices, gr.update(choices=others(view), value=NONE), gr.update(visible=False), [], *_nothing_selected(view),
        snippets.probes(library.probes(view.dataset), view.representation),
    )  # fmt: skip
    shown = atlas_panel.show(view, item, visit, figure=map_figure(view, visit), selected=[])
    yield from compute.newest(request, _first_with(values, shown))


def _first_with(values: tuple, answer: Iterator[tuple]) -> Iterator[tuple]:
    """Each part of an answer after further values, which only the first part changes."""
    for part in answer:
        yield *values, *part
        values = (gr.skip(),) * len(values)


@compute.guarded
def choose(event: gr.EventData, *values: Any) -> tuple:
    """A box or a lasso: [chart, chart beside it, selection, what is in it, export, files]."""
    *controls, _, _ = values
    view = View.of(controls)
    ids = atlas_select.checked(view.name, chosen_ids(event))
    both = chart_update(selected=ids)
    button = gr.update(visible=bool(ids))
    return both, both, ids, atlas_select.summary(view.name, ids), button, gr.update(visible=False)


def _nothing_selected(view: View) -> tuple:
    return atlas_select.summary(view.name, []), gr.update(visible=False), gr.update(visible=False)


@compute.guarded
def export(request: gr.Request, *values: Any) -> Any:
    *controls, ids = values
    view = View.of(controls)
    files = atlas_select.export(view.name, atlas_select.checked(view.name, ids), compute.session_dir(request))
    return gr.update(value=files, visible=True)


def receive(tab: AtlasTab, tabs: gr.Tabs, offer: Offer) -> None:
    """Lets a button of another tab put its fit onto the map, and go there."""
    outputs = [tabs, offer.state, tab.visit, *tab.controls[:6], *tab.outputs]
    offer.button.click(place, [offer.fitted, tab.visit], outputs, **compute.LOOK, **compute.PRIVATE)


def place(fitted: Any, visit: Visit, request: gr.Request) -> Iterator[tuple]:
    """[tabs, the other tab's state line, visit, the first six controls, *what `show` yields].

    What is wrong is said where the visitor is.
    """
    try:
        visit, found, nearest = place_fit(fitted, visit)
    except Exception as error:
        yield gr.skip(), snippets.failed(compute.sentence(error)), *(gr.skip(),) * 14
        return
    view = first_view(found.dataset, found.representation)
    choices = updates(view, visit)
    first = gr.update(selected="atlas"), gr.skip(), visit, view.dataset, *choices
    shown = atlas_panel.show(view, nearest, visit, figure=map_figure(view, visit))
    yield from compute.newest(request, _first_with(first, shown))
