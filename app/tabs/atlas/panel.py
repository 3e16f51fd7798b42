"""The side panel of the Atlas: the picked item, its nearest neighbours, and its weights."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, chart_update
from app.figures.weights import weights_figure
from app.shared import library, networks, own, sheets
from app.shared.palette import class_colours
from app.shell import looking, session, snippets
from app.tabs.atlas.map import View, Visit, highlights, neighbours
from wsr.caching import file_stamp
from wsr.fields import registry as representations
from wsr.paths import atomic_path

PICTURE_SIZE = 256  # pixels: twice the fitted resolution, since a field can be decoded on any grid
# Pixels of a first picture: it has a seventh of the points, and comes 0.3 s sooner if page and server share cores.
FIRST_SIZE = 96
DECODING = "decoding the surface …"
SURFACE_SIZE = 64  # cells along an edge: a shape takes one or two seconds on two cores


@dataclass
class Panel:
    """New values of the panel's widgets once an item is picked. None leaves a widget as it is."""

    chart: dict[str, Any] | None = None
    picked: str | None = None
    frame: Any = None
    surface: Any = None
    turn: Any = None
    facts: str | None = None
    nearest: Any = None
    heat: dict[str, Any] | None = None
    legend: str | None = None


def build(name: str, item: str) -> dict[str, Any]:
    """Lays the panel out and returns its widgets by name. At first it shows the item's thumbnail, which needs no
    decoding."""
    found = library.collection(name)
    frame = gr.HTML(_thumbnail(name, item))
    surface = gr.Model3D(
        visible="hidden", label="Decoded surface", show_label=False, height=360, interactive=False,
        camera_position=snippets.CAMERA, elem_classes="wsr-surface",
    )  # fmt: skip
    turn = gr.Button("Turn it around", visible=found.modality.has_surface, size="sm")
    facts = gr.HTML(facts_line(found, item))
    gr.HTML(snippets.label("Nearest in weight space"))
    nearest = Pictures(columns=6, chosen=False)
    gr.HTML(snippets.label("Its weights"))
    heat = PlotlyChart(None, height=230, description="Weights of the picked network, layer by layer")
    own = {"frame": frame, "surface": surface, "turn": turn, "facts": facts, "nearest": nearest, "heat": heat}
    return {**own, "legend": gr.HTML(_legend(name))}


def _legend(name: str) -> str:
    """What the colours of the weights and the gaps between them say, as HTML."""
    kind = representations.named(library.collection(name).representation)
    colours = "Orange weights are positive, blue weights negative."
    if kind.fitted:
        colours = "Orange weights are above the value at which all fits start, blue weights below it."
    return snippets.caption(f"{colours} Gaps are weights that the mask holds fixed." if kind.twin else colours)


def show(view: View, item: str, visit: Visit, still: bool = False, **chart: Any) -> Iterator[Panel]:
    """Yields the panel of a picked item, part by part.

    still: whether a picture of a shape is enough: what draws surfaces in the page is as large as all the rest of it.
    chart: further changes of the chart. Of an image the picture comes first (a small one if the large one is not cached
    yet), then everything else. The surface of a shape takes a second, so everything else is yielded before it.
    """
    name, found = view.name, library.collection(view.name)
    sheet = sheets.shared(view.name) or {}  # it may have been finished since the page was opened
    if not found.modality.has_surface:
        better = _picture_key(name, item, PICTURE_SIZE) in looking.SEEN
        first = _picture(name, item, PICTURE_SIZE if better else FIRST_SIZE, looking.SEEN.get)
        drawn = chart_update(sprite=sheet, **chart) if chart else None  # cells of another sheet are other pictures
        frame, hide = gr.update(value=first, visible=True), gr.update(visible="hidden")
        yield Panel(drawn, item, frame, hide, gr.update(visible=False), facts_line(found, item))
        chart = {}  # it has been sent already
    marks = chart_update(highlight=highlights(view, item, visit), sprite=sheet, **chart)
    nearest = gr.update(value=neighbour_items(view, item), sprite=sheet)
    heat = weights_figure(networks.weight_layers(name, item), networks.start_layers(name))
    if not found.modality.has_surface:
        yield Panel(marks, nearest=nearest, heat=heat, legend=_legend(name))
        if not better:
            yield Panel(frame=_picture(name, item, PICTURE_SIZE, looking.detail))
        return
    # Whichever of the two is on screen has shown another item: the picture gives way, and the surface is dimmed.
    frame = gr.update(value=_thumbnail(name, item))
    facts = facts_line(found, item, None if still else DECODING)
    yield Panel(marks, item, frame, facts=facts, nearest=nearest, heat=heat, legend=_legend(name))
    if still:
        frame, hide = gr.update(value=_still(name, item), visible=True), gr.update(visible="hidden")
        yield Panel(frame=frame, surface=hide, turn=gr.update(visible=True))
        return
    yield _turnable(name, item)


def _thumbnail(name: str, item: str) -> str:
    """A picture of an item that is there at once, as HTML."""
    return snippets.thumbnail(sheets.cut(name, item), _seen(library.collection(name), item))


def turned(name: str, item: str) -> Iterator[Panel]:
    """Yields the panel's change from the picture of a shape to its surface."""
    yield Panel(facts=facts_line(library.collection(name), item, DECODING))
    yield _turnable(name, item)


def _turnable(name: str, item: str) -> Panel:
    hide, facts = gr.update(visible=False), facts_line(library.collection(name), item)
    return Panel(frame=hide, surface=gr.update(value=_surface_file(name, item), visible=True), turn=hide, facts=facts)


def _still(name: str, item: str) -> str:
    """A picture of a shape as HTML."""

    def drawn() -> str:
        image = networks.picture(name, item, SURFACE_SIZE, PICTURE_SIZE)
        return snippets.picture(image, _seen(library.collection(name), item))

    return looking.detail(_picture_key(name, item, PICTURE_SIZE), drawn)


def _picture_key(name: str, item: str, size: int) -> tuple:
    return name, file_stamp(library.files_of(name)), item, size


def _picture(name: str, item: str, size: int, get: Callable[[Hashable, Callable[[], str]], str]) -> str:
    """An item's picture as HTML. get: the cache that is asked for it; `looking.detail` lets other visitors go first."""

    def drawn() -> str:
        alt, field = _seen(library.collection(name), item), networks.field(name, item)
        return snippets.picture(networks.picture(name, item, size), alt, field=field)

    return get(_picture_key(name, item, size), drawn)


def _surface_file(name: str, item: str) -> str:
    """The path of an item's GLB file, which is made once and shared by all visitors who may see it."""
    mine = own.find(name)
    folder = mine.folder / "surfaces" if mine else session.shared_dir() / name
    folder.mkdir(parents=True, exist_ok=True)
    stamp = file_stamp(library.files_of(name))
    state = hashlib.sha256(repr(stamp).encode()).hexdigest()[:12]
    path = folder / f"{library.collection(name).position(item)}-{SURFACE_SIZE}-{state}.glb"
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)  # files that were used lately are not removed
        return str(path)
    with atomic_path(path) as temporary:
        key = "surface", name, stamp, item, SURFACE_SIZE
        temporary.write_bytes(looking.SEEN.get(key, lambda: networks.surface_glb(name, item, SURFACE_SIZE)))
    return str(path)


def neighbour_items(view: View, item: str) -> list[dict[str, Any]]:
    found = library.collection(view.name)
    items = sheets.examples(view.name, [other for other, _ in neighbours(view, item)])
    for one in items:
        if alone := sheets.cut(view.name, one["id"]):
            one["src"] = alone
        one["note"] = found.classes[found.position(one["id"])]
    return items


def facts_line(found: library.Collection, item: str, note: str | None = None) -> str:
    at = found.position(item)
    seen = "" if not found.held_out[at] else "not seen in training"
    colour = class_colours(found.classes)[found.classes[at]]
    value = snippets.quality(found.modality, float(found.quality[at]))
    return snippets.facts(found.labels[at], found.classes[at], colour, value, note or seen, waits=note == DECODING)


def _seen(found: library.Collection, item: str) -> str:
    """Says what an item's picture shows, for those who do not see it."""
    at = found.position(item)
    return f"{found.labels[at]}, of the class {found.classes[at]}" if found.classes[at] else found.labels[at]
