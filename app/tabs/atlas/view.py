"""The Atlas tab: a map on which every point is a neural network, placed by its weights alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from app.components.plotly_chart import REVEAL, WHEN_DRAWN, PlotlyChart
from app.shared import library, networks, sheets, taking
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Offer, Place, Tab
from app.tabs.atlas import beside, bring, controls, handlers, panel, placing, project, selection
from app.tabs.atlas.controls import NONE, first_view, opening, others
from app.tabs.atlas.map import FORMS, METRICS, View, Visit, map_figure
from app.tabs.atlas.search import MOST, OPENS
from app.tabs.atlas.widgets import AtlasTab

ASSETS_COMMAND = "make assets"
MAP_HEIGHT = 560
REVEALED = ".wsr-frame"  # the picture of what was picked
_OPENED = f"""said.includes("{OPENS}") && reveal("{REVEALED}", document.activeElement.getBoundingClientRect().bottom)"""
SHOW_FOUND = f"(said) => {{ {REVEAL}; {_OPENED}; }}"
# What is picked is ringed, also where the answer to an older choice comes after it with other marks.
RING = """(picked) => [1, 2].map(() => ({ __type__: "update", props: { picked } }))"""
LOOK = {**compute.LOOK, **compute.PRIVATE}


def build(place: Place) -> Built | None:
    if not library.collection_names():
        wrong = library.problems()  # zoos that are here but cannot be read
        gr.HTML(
            snippets.blank(wrong[0]) if wrong else
            snippets.empty(
                "The map is drawn from trained networks, and none are here yet. Make them with", ASSETS_COMMAND
            )
        )  # fmt: skip
        return None
    tab = _layout()
    _wire(tab)
    selected = [one for one in tab.selected if one not in (tab.chart, tab.find)]
    left = [tab.chart, tab.picked, tab.on_map, *tab.panel, *selected]
    place.again.click(tab.bind(handlers.followed), tab.inputs, left, trigger_mode="always_last", **LOOK)
    takes = partial(_receive, tab, place.tabs)
    return Built(link=_link(tab, place.view), opened=partial(_start, tab, left), takes=takes, forget=taking.forget)


def warm() -> None:
    """Opens the zoos, and makes missing thumbnails."""
    for name in library.collection_names():
        with compute.told(name):
            networks.neighbours(name, library.first_pick(name))
            networks.start_layers(name)
    sheets.make_missing()


TAB = Tab("atlas", "Atlas", build, warm=warm)


def _link(tab: AtlasTab, view: gr.Tab) -> Part:
    """The tab's state in the address."""
    names = ("data", "kind", "map", "dims", "colour", "only", "near", "form", "pick", "beside", "find")
    widgets = dict(zip(names, [*tab.controls, tab.picked, tab.compare, tab.find], strict=True))
    more = [tab.other_column, tab.other, tab.table, tab.faith]
    return Part("atlas", view, widgets, tab.bind(handlers.restore), more, True)


def _layout() -> AtlasTab:
    view, visit = first_view(opening()), Visit()
    item = library.first_pick(view.name)
    with gr.Row():
        with gr.Column(elem_classes=["wsr-map", "wsr-tight"]):
            with gr.Row():
                titles = library.titles(library.collection_names())
                dataset = gr.Radio(
                    titles, value=view.dataset, label="Data set", show_label=False, container=False, min_width=320
                )
                with gr.Column(min_width=280, scale=0, elem_classes="wsr-find"):
                    find = gr.Textbox(
                        label="Find a network", placeholder="Find a network: name, class or attribute",
                        show_label=False, container=False, max_lines=1, max_length=MOST,
                    )  # fmt: skip
                    found = gr.HTML()
            gr.HTML(
                snippets.caption(
                    "Nobody told the map what anything is: it saw the weights only. Each point is a network, at first "
                    "coloured by its class, if it has one. Point at one to see it, click to open it."
                )
            )
            with gr.Row(elem_classes=["wsr-tight", "wsr-maps"], equal_height=False):
                chart = PlotlyChart(
                    map_figure(view, visit), sprite=sheets.shared(view.name), height=MAP_HEIGHT, zoom=True,
                    selectable=True, picked=item, description="Map of fitted networks", reveals=REVEALED,
                )  # fmt: skip
                with gr.Column(min_width=260, elem_classes=beside.HIDDEN) as other_column:
                    other = PlotlyChart(
                        None, height=MAP_HEIGHT, zoom=True, selectable=True, picked=item,
                        description="The same networks' map in another representation", reveals=REVEALED,
                    )  # fmt: skip
            own = controls.build(view)
            with gr.Column(elem_classes=["wsr-later", "wsr-tight"]):
                beside_it = "Beside it, the same targets fitted with"
                compare = gr.Dropdown(others(view), value=NONE, label=beside_it, min_width=190)
                own |= _selection(view) | _deeper(view)
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            own |= panel.build(view.name, item)
            metric = gr.Radio(
                list(zip(("by angle", "by distance"), METRICS, strict=True)), value=METRICS[0], label="Nearest"
            )
            form = gr.Radio(
                list(zip(("of the weights", "in canonical form"), FORMS, strict=True)),
                value=FORMS[0],
                label="Compared",
                show_label=False,
            )
    return AtlasTab(
        chart=chart, other=other, other_column=other_column, dataset=dataset, metric=metric, form=form, compare=compare,
        find=find, found=found,
        picked=gr.Textbox(item, visible="hidden"), visit=gr.State(visit), selection=gr.State([]),
        on_map=gr.Textbox(view.name, visible="hidden"),  # no state: it is of the page's map, however late that comes
        **own,
    )  # fmt: skip


def _selection(view: View) -> dict[str, Any]:
    """Widgets of a selection: its summary, the button that exports it, and the files."""
    return {
        "said": gr.HTML(selection.summary(view.name, [])),
        "export": gr.Button("Download the selection", visible=False, min_width=200),
        "files": gr.File(visible=False, show_label=False, file_count="multiple", interactive=False),
    }


def _deeper(view: View) -> dict[str, Any]:
    with gr.Accordion("How far to trust the map", open=False):
        judge = gr.Button("Judge the map on screen", min_width=240, scale=0)
        faith = gr.HTML()
        table = gr.HTML(snippets.probes(library.probes(view.dataset), view.representation))
    with gr.Accordion("Another projection", open=False):
        projecting = project.build(judge)
    with gr.Accordion("Your own weights", open=False):
        bringing = bring.build()
    return {"faith": faith, "table": table, "projecting": projecting, "bringing": bringing}


def _wire(tab: AtlasTab) -> None:
    bind, shown = tab.bind, [tab.chart, tab.picked, *tab.panel]
    changed = {*tab.choices, tab.compare, tab.other_column, *tab.selected, tab.table, tab.faith, tab.on_map, *shown}
    for control in (tab.dataset, tab.representation):
        # multiple: `session.newest` ends the answer to the choice before
        control.input(bind(handlers.change_collection), tab.inputs, changed, trigger_mode="multiple", **LOOK)
    # each may be chosen while another collection is on its way, and then brings it
    about = partial(handlers.about, tab)
    for control in (tab.method, tab.dims, tab.colour, tab.only):
        drawn = handlers.change_dims if control is tab.dims else handlers.change_view
        control.input(about(drawn, handlers.VIEW, handlers.JUDGED), tab.inputs, changed, **LOOK)
    for control in (tab.metric, tab.form):
        control.input(about(handlers.change_neighbours, handlers.NEIGHBOURS), tab.inputs, changed, **LOOK)
    for widget in (tab.chart, tab.other, tab.nearest):
        # multiple: a click counts even while the previous one is being answered; `session.newest` then ends the older
        # answer. With gradio's always_last, the second event would carry the point of the first click.
        widget.pick(bind(handlers.pick), tab.inputs, changed, trigger_mode="multiple", **LOOK)
    for widget in (tab.chart, tab.other):
        widget.choose(bind(handlers.choose), tab.inputs, tab.selected, **LOOK)
    # change: gradio's input event misses Backspace and what is pasted
    tab.find.change(bind(handlers.find), tab.inputs, tab.selected, trigger_mode="always_last", **LOOK)
    tab.turn.click(bind(handlers.turn), tab.inputs, [tab.frame, tab.surface, tab.turn, tab.facts], **LOOK)
    opened = tab.find.submit(bind(handlers.open_found), tab.inputs, shown, **LOOK)
    opened.success(None, tab.found, js=SHOW_FOUND, queue=False, **compute.PRIVATE)
    tab.compare.input(about(handlers.compare, handlers.BESIDE), tab.inputs, changed, **LOOK)
    tab.picked.change(None, tab.picked, [tab.chart, tab.other], js=RING, queue=False, **compute.PRIVATE)
    tab.picked.change(bind(handlers.mark), tab.inputs, tab.other, **LOOK)
    tab.export.click(bind(handlers.export), tab.inputs, tab.files, **LOOK)
    project.wire(tab, changed)
    bring.wire(tab, [*changed])


def _start(tab: AtlasTab, left: list[Any], after: Any, when_seen: Callable[[], None]) -> None:
    """Fills the panel once the map is on screen, and not before: filling it imports the engine, which would compete
    with the browser for the machine's cores while the page is being drawn."""
    tab.when_seen = when_seen
    after.then(tab.bind(handlers.opened), tab.inputs, left, js=WHEN_DRAWN, **LOOK)


def _receive(tab: AtlasTab, tabs: gr.Tabs, offer: Offer) -> None:
    """Lets a button of another tab put its network onto the map and open the Atlas."""
    on = placing.Placing(tab, tabs, offer.state)
    of_map = [tab.compare, tab.other_column, *tab.selected, tab.table, tab.faith, tab.on_map, tab.picked]
    changed = [tab.visit, *tab.controls, *of_map, *tab.panel]
    # the map begins above the button, which may be far down
    offer.button.click(None, None, None, js="() => window.scrollTo(0, 0)", queue=False, **compute.PRIVATE)
    offer.button.click(on.bind(placing.place), [offer.fitted, tab.visit], [tabs, offer.state, *changed], **LOOK)
