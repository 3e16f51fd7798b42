"""The Atlas tab: every point a neural network, placed by its weights alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np

from app import compute, library, sheets, snippets
from app.components.pictures import Pictures
from app.components.plotly_chart import WHEN_DRAWN, PlotlyChart, chart_update, picked_id
from app.figures.atlas import atlas_figure
from app.figures.weights import weights_figure
from app.palette import class_colours
from wsr.errors import WsrError

ASSETS_COMMAND = "make assets"
PICTURE_SIZE = 256  # pixels: twice what was fitted, a field has no grid of its own
FIRST_SIZE = 96  # shown first: a seventh of the points, a third of a second sooner where the same cores draw the page
SURFACE_SIZE = 64  # cells along an edge: a shape within a second or two on two cores
MAP_HEIGHT = 560


@dataclass
class Placed:
    """A visitor's own fit on a collection's map: its label, and coordinates by (method, dims)."""

    name: str = ""
    label: str = "yours"
    points: dict[tuple[str, int], list[float]] = field(default_factory=dict)


@dataclass
class AtlasTab:
    """The widgets that other tabs and the page's start need."""

    tab: gr.Tab
    chart: PlotlyChart
    controls: list[gr.Radio]
    picked: gr.State
    placed: gr.State
    panel: list[gr.components.Component]


def build() -> AtlasTab | None:
    """Lay the tab out, inside gr.Tabs. None where there are no assets: the tab then says how to make them."""
    names = library.collection_names()
    with gr.Tab("Atlas", id="atlas") as tab:
        if not names:
            gr.HTML(
                snippets.empty(
                    "The map is drawn from trained networks, and none are here yet. Make them with", ASSETS_COMMAND
                )
            )
            return None
        first = library.collection(names[0])
        methods, dims = _choices(first)
        picked, placed = gr.State(library.first_pick(first.name)), gr.State(Placed())
        with gr.Row():
            with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
                titles = [(library.collection(name).title, name) for name in names]
                dataset = gr.Radio(titles, value=first.name, label="Data set", show_label=False, container=False)
                chart = PlotlyChart(
                    map_figure(first.name, methods[0], dims[0]),
                    sprite=sheets.find(first.name),
                    height=MAP_HEIGHT,
                    highlight=[{"id": library.first_pick(first.name), "role": "picked"}],
                    zoom=True,
                    description="Map of fitted networks",
                )
                with gr.Row(elem_classes="wsr-later"):
                    method = gr.Radio(methods, value=methods[0], label="Projection", min_width=190)
                    view = gr.Radio([(f"{d}D", d) for d in dims], value=dims[0], label="View", min_width=110)
                gr.Markdown(
                    "Nobody told the map what anything is: it saw the weights only. Colours are classes. "
                    "Point to see, click to open.",
                    elem_classes=["wsr-caption", "wsr-later"],
                )
            with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
                panel = _panel(first.name, library.first_pick(first.name))
    atlas = AtlasTab(tab, chart, [dataset, method, view], picked, placed, panel)
    _wire(atlas)
    return atlas


def _panel(name: str, item: str) -> list[gr.components.Component]:
    """What was picked. At first its thumbnail, which needs no decoding."""
    found = library.collection(name)
    thumb = snippets.thumbnail(sheets.find(name), sheets.cell(name, item), item)
    frame = gr.HTML(thumb)
    surface = gr.Model3D(
        visible="hidden", label="Decoded surface", show_label=False, height=360, interactive=False,
        camera_position=snippets.CAMERA,
    )  # fmt: skip
    facts = gr.HTML(facts_line(found, item))
    gr.HTML('<div class="wsr-label">Nearest in weight space</div>')
    nearest = Pictures(columns=6)
    gr.HTML('<div class="wsr-label">Its weights</div>')
    heat = PlotlyChart(None, height=230, description="Weights of the picked network, layer by layer")
    gr.Markdown(
        "Orange is above the common start, blue below. Gaps are frozen by the mask.", elem_classes="wsr-caption"
    )
    return [frame, surface, facts, nearest, heat]


def _wire(atlas: AtlasTab) -> None:
    outputs = [atlas.chart, atlas.picked, *atlas.panel]
    inputs = [*atlas.controls, atlas.picked, atlas.placed]
    options = {**compute.LOOK, **compute.PRIVATE}
    dataset, method, dims = atlas.controls
    dataset.input(change_dataset, inputs, [method, dims, *outputs], **options)
    for control in (method, dims):
        control.input(change_view, inputs, [atlas.chart], **options)
    pickers = [(atlas.chart, pick), (atlas.panel[3], pick)]
    for widget, handler in pickers:
        # multiple: a click counts while the last one is still being answered, and `compute.newest` ends that answer.
        # gradio's always_last would send the first click's point again.
        widget.pick(handler, inputs, outputs, trigger_mode="multiple", **options)


def start(atlas: AtlasTab, page: gr.Blocks, when_seen: Callable[[], None]) -> None:
    """Fill the panel once the map is on screen, and no sooner: it needs the engine, whose import would compete with the
    browser for the machine's cores just while the page is being drawn."""

    @compute.guarded
    def opened(name: str, method: str, dims: int, picked: str, placed: Placed, request: gr.Request) -> Iterator[tuple]:
        yield from compute.newest(request, show(name, method, int(dims), picked, placed))
        when_seen()

    inputs = [*atlas.controls, atlas.picked, atlas.placed]
    outputs = [atlas.chart, atlas.picked, *atlas.panel]
    page.load(opened, inputs, outputs, js=WHEN_DRAWN, **compute.LOOK, **compute.PRIVATE)


@compute.guarded
def pick(
    name: str, method: str, dims: int, picked: str, placed: Placed, event: gr.EventData, request: gr.Request
) -> Iterator[tuple]:
    item = picked_id(event)
    library.collection(name).position(item)
    yield from compute.newest(request, show(name, method, int(dims), item, placed))


@compute.guarded
def change_view(name: str, method: str, dims: int, picked: str, placed: Placed) -> dict[str, Any]:
    marks = highlights(name, method, int(dims), picked, placed)
    return chart_update(figure=map_figure(name, method, int(dims)), highlight=marks)


@compute.guarded
def change_dataset(
    name: str, method: str, dims: int, picked: str, placed: Placed, request: gr.Request
) -> Iterator[tuple]:
    found = library.collection(name)
    methods, sizes = _choices(found)
    method, dims = method if method in methods else methods[0], dims if dims in sizes else sizes[0]
    choices = gr.update(choices=methods, value=method), gr.update(choices=[(f"{d}D", d) for d in sizes], value=dims)
    figure = map_figure(name, method, dims)
    shown = show(name, method, dims, library.first_pick(name), placed, figure=figure)
    yield from compute.newest(request, _first_with(choices, shown))


def _first_with(values: tuple, answer: Iterator[tuple]) -> Iterator[tuple]:
    """Each part of an answer after further values, which only the first part changes."""
    for part in answer:
        yield *values, *part
        values = (gr.skip(),) * len(values)


def show(name: str, method: str, dims: int, item: str, placed: Placed, **chart: Any) -> Iterator[tuple]:
    """What belongs on screen once `item` is picked: [chart, picked, frame, surface, facts, nearest, heat map].

    `chart` are further changes of the chart. What was asked for comes first, small if need be, and what surrounds it
    after that; a surface takes a second, so everything else is yielded before it.
    """
    found = library.collection(name)
    if found.dim == 2:
        first = snippets.picture(library.picture(name, item, FIRST_SIZE), item)
        drawn = chart_update(**chart) if chart else gr.skip()
        hide = gr.update(visible="hidden")
        yield drawn, item, gr.update(value=first, visible=True), hide, facts_line(found, item), gr.skip(), gr.skip()
        chart = {}  # is on its way
    sprite = sheets.find(name) or {}  # it may have come since the page was opened
    marks = chart_update(highlight=highlights(name, method, dims, item, placed), sprite=sprite, **chart)
    nearest = gr.update(value=neighbour_items(name, item), sprite=sprite)
    heat = weights_figure(library.weight_layers(name, item), library.start_layers(name))
    if found.dim == 2:
        yield marks, gr.skip(), gr.skip(), gr.skip(), gr.skip(), nearest, heat
        yield gr.skip(), gr.skip(), snippets.picture(library.picture(name, item, PICTURE_SIZE), item), *(gr.skip(),) * 4
        return
    waiting = facts_line(found, item, "decoding the surface …")
    yield marks, item, gr.skip(), gr.skip(), waiting, nearest, heat
    surface = gr.update(value=_surface_file(name, item), visible=True)
    yield gr.skip(), gr.skip(), gr.update(visible=False), surface, facts_line(found, item), gr.skip(), gr.skip()


def _surface_file(name: str, item: str) -> str:
    """The path of an item's GLB. One file for all visitors: it is the collection's, not theirs."""
    folder = compute.shared_dir() / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{library.collection(name).position(item)}-{SURFACE_SIZE}.glb"
    if not path.exists():
        from wsr.paths import atomic_path

        with atomic_path(path) as temporary:
            temporary.write_bytes(library.surface_glb(name, item, SURFACE_SIZE))
    return str(path)


def map_figure(name: str, method: str, dims: int) -> dict[str, Any]:
    found = library.collection(name)
    points = found.points(method, dims)  # (n, d)
    on_map = np.flatnonzero(np.isfinite(points).all(axis=1))
    return atlas_figure(
        points[on_map],
        [found.classes[i] for i in on_map],
        [found.labels[i] for i in on_map],
        [found.ids[i] for i in on_map],
        method=method,
        cells=[found.rows[i] for i in on_map],
        view=f"{name}/{method}/{dims}",
    )


def highlights(name: str, method: str, dims: int, item: str, placed: Placed) -> list[dict[str, Any]]:
    """The points drawn on top: the picked one, its neighbours, and the visitor's own if it is on this map."""
    marks = [{"id": other, "role": "neighbour"} for other, _ in library.neighbours(name, item)]
    marks.append({"id": item, "role": "picked"})
    own = placed.points.get((method, dims)) if placed.name == name else None
    if own:
        marks.append({"id": "", "role": "placed", "label": placed.label, **dict(zip("xyz", own, strict=False))})
    return marks


def neighbour_items(name: str, item: str) -> list[dict[str, Any]]:
    found = library.collection(name)
    items = []
    for other, _ in library.neighbours(name, item):
        at = found.position(other)
        picture = {"cell": found.rows[at]}
        if found.dim == 2 and not sheets.find(name):
            picture = {"src": snippets.data_uri(library.picture(name, other, sheets.CELL))}
        items.append({"id": other, "label": found.labels[at], "note": found.classes[at], **picture})
    return items


def facts_line(found: library.Collection, item: str, note: str = "") -> str:
    at = found.position(item)
    seen = "" if not found.held_out[at] else "not seen in training"
    colour = class_colours(found.classes)[found.classes[at]]
    value = snippets.quality(float(found.quality[at]), found.measure)
    return snippets.facts(found.labels[at], found.classes[at], colour, value, note or seen)


def _choices(found: library.Collection) -> tuple[list[str], list[int]]:
    methods = [m for m in library.METHODS if any(method == m for method, _ in found.maps)]
    return methods, sorted({dims for method, dims in found.maps if method in methods})


def receive(tab: AtlasTab, tabs: gr.Tabs, button: gr.Button, fitted: gr.State, state: gr.HTML) -> None:
    """Let a button of another tab put its fit onto the map, and go there."""
    outputs = [tabs, state, tab.placed, *tab.controls, tab.chart, tab.picked, *tab.panel]
    button.click(place, [fitted, *tab.controls], outputs, **compute.LOOK, **compute.PRIVATE)


def place(fitted: Any, name: str, method: str, dims: int, request: gr.Request) -> Iterator[tuple]:
    """[tabs, the other tab's state line, placed, data set, projection, view, *what `show` yields].

    What is wrong is said where the visitor is.
    """
    try:
        placed, nearest = place_fit(fitted)
    except Exception as error:
        yield gr.skip(), snippets.failed(compute.sentence(error)), *(gr.skip(),) * 11
        return
    methods, sizes = _choices(library.collection(placed.name))
    method, dims = method if method in methods else methods[0], dims if dims in sizes else sizes[0]
    figure = map_figure(placed.name, method, dims)
    first = gr.update(selected="atlas"), gr.skip(), placed, placed.name, method, dims
    shown = show(placed.name, method, dims, nearest, placed, figure=figure)
    yield from compute.newest(request, _first_with(first, shown))


def place_fit(fitted: Any) -> tuple[Placed, str]:
    """Where a fit belongs on every map of its kind, and the item nearest to it. WsrError if there is no such map."""
    from wsr.analysis import nearest, place

    if fitted is None:
        raise WsrError("There is no fit to place yet: press Fit first.")
    fitting = [
        found
        for found in map(library.collection, library.collection_names())
        if (found.dim, found.representation) == (fitted.dim, fitted.model.name)
        and found.layout == fitted.model.layout.to_json()
    ]
    if not fitting:
        raise WsrError("The maps hold mLoRA-Asym fits of rank 4: fit with these settings to place yours among them.")
    found = fitting[0]
    vectors = library.weights(found.name)
    index, _ = nearest(fitted.weights, vectors, 1, centre=vectors.mean(0))
    points = {}
    for (method, dims), coordinates in found.maps.items():
        known = np.isfinite(coordinates).all(axis=1)
        at = place(fitted.weights.numpy(), vectors.numpy()[known], coordinates[known])[0]
        points[method, dims] = [float(x) for x in at]
    return Placed(found.name, f"your {fitted.label}", points), found.ids[int(index[0, 0])]
