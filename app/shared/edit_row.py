"""The row *Edit*, in every tab that shows an open network: a slider moves it along an attribute, live. While it moves,
the page draws the network itself if it can, and asks the server once it is let go.

The row is folded until it is wanted, and hidden where nothing is known of the attributes of the network's kind. Whoever
shows the network passes the state that holds it, which the row replaces by the edited network, and a function that
draws it; so whatever else the tab does with the network (download, place on the map) it does with the edited one.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.field.files import Shape
from app.components.field.sheet import FieldSheet, moved
from app.shared import edits as content
from app.shared.edits import MOST, Edits
from app.shared.fitted import Fitted
from app.shell import compute, looking, snippets
from app.shell.jobs import OFF, ON
from app.shell.tabs import Widgets
from wsr.modalities import Modality

Show = Callable[[Edits, gr.Request], dict[Any, Any]]
_AT = '{ ...JSON.parse(way), from: "a", to: "b", alpha: amount }'
SLIDE = moved(f"way ? {_AT} : null", "way, amount", "update({ place: way ? null : { ask: true } })")
TOLD = "wsr-told"  # the class of widgets that say something of the open network
# What was said is about the network as it was, from the first movement until the server has answered.
OLD = compute.outdated(f".{TOLD}")
WAITING = "Choose what to change, and move the slider."
PREPARING = "Learning to read what such networks show, once for all visitors. This takes some seconds …"


@dataclass
class EditRow(Widgets):
    """row: what is folded; wanted: whether it is open; edits: the visitor's `Edits` or None; fitted: the tab's state
    that holds the open network; show: draws the edited network with the tab's own widgets, or returns nothing where
    another one has been opened; sheet: the one of them with the picture that the page moves; way: from where to where
    the slider leads, as JSON, if the page can draw it; asking: asks the server where the page cannot; shape: how
    surfaces of a modality are drawn in the sheet, None where they are shown elsewhere."""

    row: gr.Accordion
    attribute: gr.Dropdown
    amount: gr.Slider
    undo: gr.Button
    reset: gr.Button
    said: gr.HTML
    wanted: gr.State
    edits: gr.State
    fitted: gr.State
    show: Show
    sheet: FieldSheet
    way: gr.Textbox
    asking: FieldSheet
    shape: Callable[[Modality], Shape] | None = None


def layout() -> dict[str, Any]:
    """Lays the row out. Returns its widgets by the names of `EditRow`'s fields, without the tab's own."""
    with gr.Accordion("Edit", open=False, visible=False) as row:
        with gr.Row():
            attribute = gr.Dropdown([], label="Attribute", min_width=160, interactive=False)
            amount = gr.Slider(
                -MOST, MOST, value=0, step=0.1, label="Amount", min_width=320,
                info="One step is one standard deviation of a numeric attribute, or the whole way from what the "
                "network shows to what is chosen.", interactive=False,
            )  # fmt: skip
        with gr.Row():
            undo = gr.Button("Undo", interactive=False, min_width=80)
            reset = gr.Button("Reset", interactive=False, min_width=80)
        said = gr.HTML(snippets.settled(WAITING), elem_classes=TOLD)
        asking = FieldSheet("", visible="hidden")
    # not in the row: gradio shows what is hidden in an accordion that goes and comes back
    way = gr.Textbox("", visible="hidden")
    wanted, edits = gr.State(False), gr.State(None, time_to_live=3600)
    return {"row": row, "attribute": attribute, "amount": amount, "undo": undo, "reset": reset, "said": said,
            "wanted": wanted, "edits": edits, "way": way, "asking": asking}  # fmt: skip


def wire(row: EditRow, shown: Sequence[Any]) -> Any:
    """Connects the row. shown: the widgets that `show` may change. Returns the event of a reset, after which a tab may
    show again what it showed of the network before it was edited."""
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    own = [row.attribute, row.amount, row.undo, row.reset, row.said, row.edits, row.way]
    changed = [*own, row.fitted, *shown]
    row.fitted.change(row.bind(offered), [row.fitted, row.edits, row.wanted], [row.row, *own], **newest)
    filling = {**newest, "show_progress": "minimal", "show_progress_on": row.said}
    opened = row.row.expand(row.bind(unfolded), row.edits, [row.wanted, *own], **filling)
    opened.then(row.bind(prepared), row.edits, None, **look)  # while the visitor reads and chooses
    row.row.collapse(lambda: False, None, row.wanted, queue=False, **compute.PRIVATE)
    row.attribute.input(row.bind(chosen), [row.edits, row.attribute], own, **newest)
    row.amount.input(None, [row.way, row.amount], [row.sheet, row.asking], js=SLIDE, queue=False, **compute.PRIVATE)
    at_once = {"queue": False, **compute.PRIVATE}
    gr.on([row.amount.input, row.undo.click, row.reset.click], None, js=OLD, **at_once)
    slides = [row.sheet.ask, row.sheet.rest, row.asking.ask]
    answers = [
        *(event(row.bind(slid), [row.edits, row.attribute, row.amount], changed, **newest) for event in slides),
        row.undo.click(row.bind(undone), [row.edits, row.attribute], changed, **look),
        was_reset := row.reset.click(row.bind(reset), [row.edits, row.attribute], changed, **look),
    ]
    for answer in answers:
        answer.then(None, js=compute.answered(), **at_once)
    return was_reset


@compute.guarded
def offered(row: EditRow, fitted: Fitted | None, edits: Edits | None, wanted: bool) -> dict[Any, Any]:
    """Begins again when another network is opened. An edited network is no other one."""
    if edits is not None and fitted is not None:
        if looking.digest(edits.fitted.weights) == looking.digest(fitted.weights):
            return gr.skip()
    new = content.begun(fitted)
    shown = {row.row: gr.update(visible=new is not None), row.edits: new}
    return shown | (_filled(row, new) if new is not None and wanted else _cleared(row))


@compute.guarded
def unfolded(row: EditRow, edits: Edits | None) -> dict[Any, Any]:
    """Looks for the directions when the row is opened."""
    return {row.wanted: True} | (_filled(row, edits) if edits is not None else _cleared(row))


@compute.guarded
def prepared(row: EditRow, edits: Edits | None) -> None:
    """Makes what measures edited networks, so that the first edit does not wait for it."""
    if edits is not None and not content.is_prepared(edits):
        content.prepare(edits)


@compute.guarded
def chosen(row: EditRow, edits: Edits | None, attribute: str) -> dict[Any, Any]:
    """Puts the slider to where it was left for this attribute."""
    return gr.skip() if edits is None else _own(row, edits, _known(edits, attribute))


@compute.guarded
def slid(
    row: EditRow, edits: Edits | None, attribute: str, amount: float, request: gr.Request
) -> Iterator[dict[Any, Any]]:  # fmt: skip
    """Moves the network along the attribute, and shows it before what measures it is made. The slider itself is the
    visitor's, and stays as it is."""
    if edits is None:
        yield gr.skip()
        return
    moved = edits.moved(_known(edits, attribute), amount)
    told = "" if content.is_prepared(moved) else snippets.working(PREPARING)
    shown = _changed(row, moved, attribute, request, told)
    yield {widget: value for widget, value in shown.items() if widget is not row.amount}
    if told and row.edits in shown:
        yield {row.said: _told(moved, attribute)}


@compute.guarded
def undone(row: EditRow, edits: Edits | None, attribute: str, request: gr.Request) -> dict[Any, Any]:
    return gr.skip() if edits is None else _changed(row, edits.undone(), _known(edits, attribute), request)


@compute.guarded
def reset(row: EditRow, edits: Edits | None, attribute: str, request: gr.Request) -> dict[Any, Any]:
    return gr.skip() if edits is None else _changed(row, edits.reset(), _known(edits, attribute), request)


def _known(edits: Edits, attribute: Any) -> str:
    """The name of a direction from the page. WsrError for an unknown one."""
    return content.directions(edits.name, edits.cls)[str(attribute)].name


def _changed(row: EditRow, edits: Edits, attribute: str, request: gr.Request, told: str = "") -> dict[Any, Any]:
    shown = row.show(edits, request)
    if not shown:
        return gr.skip()
    return {row.fitted: edits.fitted} | shown | _own(row, edits, attribute, told)


def _filled(row: EditRow, edits: Edits) -> dict[Any, Any]:
    names = list(content.directions(edits.name, edits.cls))
    shown = _own(row, edits, names[0])
    amount = gr.update(value=shown[row.amount], **ON)
    return shown | {row.attribute: gr.update(choices=names, value=names[0], **ON), row.amount: amount}


def _cleared(row: EditRow) -> dict[Any, Any]:
    """Nothing can be moved before the row knows what there is: what was moved then would be lost."""
    nothing = {row.attribute: gr.update(choices=[], value=None, **OFF), row.amount: gr.update(value=0.0, **OFF)}
    return nothing | {row.way: "", row.said: snippets.settled(WAITING)}


def _own(row: EditRow, edits: Edits, attribute: str, told: str = "") -> dict[Any, Any]:
    """What the row itself shows of the edits. told: instead of what is measured."""
    any_of_them = ON if len(edits.steps) > 1 else OFF
    way = content.in_page(edits, attribute, row.shape and row.shape(edits.origin.modality))
    return {
        row.edits: edits, row.amount: edits.amounts.get(attribute, 0.0), row.said: told or _told(edits, attribute),
        row.way: json.dumps(way) if way else "",
        row.undo: gr.update(**any_of_them), row.reset: gr.update(**any_of_them),
    }  # fmt: skip


def _told(edits: Edits, attribute: str) -> str:
    """What is measured of an edited network, or how to edit one."""
    return content.said(edits, attribute) if any(edits.amounts.values()) else snippets.settled(WAITING)
