"""A clickable Plotly chart, used for every chart of the app because `gr.Plot` has no click event."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from app.components import plotly_script
from app.components.given import with_given
from wsr.cleanup import temporary_folder
from wsr.paths import atomic_path

_HERE = Path(__file__).parent
REVEAL = (_HERE / "reveal.js").read_text()
_SCRIPTS = (
    "reveal.js", "plotly_chart.js", "plotly_marks.js", "plotly_over.js", "plotly_pointer.js", "plotly_fingers.js",
)  # fmt: skip
_TEMPLATE = (
    f'<div class="wsr-chart" tabindex="0" role="group" data-whole="{plotly_script.WHOLE.address}">'
    '<div class="wsr-plot"></div>'
    '<div class="wsr-over" aria-hidden="true"></div><div class="wsr-message"></div>'
    '<div class="wsr-tip" hidden></div><div class="wsr-spoken" aria-live="polite"></div></div>'
)

# Number of characters from which a figure goes to the page as a file: gradio writes all properties of a component as
# JSON several times whenever one of them changes, which for a map of 100,000 points takes half a second.
LARGE = 400_000
KEPT = 40  # such files, of about 5 MB each
_FOLDER = temporary_folder("wsr-charts-")
gr.set_static_paths([_FOLDER])
# For the page's head (`app.shell.head`): the script is fetched together with gradio's own, not after them.
PRELOAD = f'<link rel="preload" as="script" href="{plotly_script.FLAT.address}">'
FIRST_PICTURE = f"<script>{(_HERE / 'first_picture.js').read_text()}</script>"  # for the page's head as well

# For a load event (`load(…, js=…)`): the event goes to Python once a chart is on screen, or after 10 s without one. An
# event that the chart fires itself would sometimes come before gradio listens, and be lost.
WHEN_DRAWN = """async (...inputs) => {
  for (let waited = 0; waited < 10000 && !document.querySelector(".wsr-plot .main-svg"); waited += 50)
    await new Promise((done) => setTimeout(done, 50));
  await new Promise((done) => setTimeout(done, 50));  // the browser paints
  return inputs;
}"""


# height: in pixels; zoom: whether it has buttons to zoom, and two fingers zoom; description: what a screen reader says
# of it; reveals: selector of what a pick opens, which then comes into view.
DEFAULTS: Mapping[str, Any] = {
    "highlight": (), "picked": None, "sprite": None, "height": 480, "zoom": False, "selectable": False,
    "selected": (), "at": None, "description": "Chart", "placeholder": "", "reveals": "",
}  # fmt: skip


class PlotlyChart(gr.HTML):
    """A Plotly figure (a dict with `data` and `layout`), drawn by plotly.js, with these additions. The page has
    what draws flat charts, and fetches the whole of plotly.js when a figure has a trace in space.

    * `pick` fires when a point is clicked, tapped, or chosen with the arrow keys and Enter: `event.id` is the
      point's `customdata`. Traces without `customdata` are not pickable.
    * `highlight`: points drawn on top, each `{"id", "role"}` with role `picked`, `neighbour` or `placed`; a placed
      point may be absent from the figure and then brings its own `x`, `y`, `z` and `label`.
    * `picked`: the id of what is picked, where the page keeps it beside the chart. It is ringed whatever `highlight`
      says, which may be part of an answer to what was asked before.
    * `sprite`: `{"url", "columns", "rows"}`, a sheet of thumbnails; a trace's `meta["cells"]` holds each point's
      cell, counted along the rows. The thumbnail floats beside the point under the pointer. Where only a few points of
      a flat chart are in view, each is drawn as its thumbnail.
    * A trace of a flat chart with `meta["middle"]`, a place, has its name there.
    * `choose` fires when a box or a lasso is drawn around points, or when the selection is cleared: `event.ids` are the
      ids of the selected points. It needs a `selectable` chart. `selected`: ids that stay bright while all others fade;
      if it is empty, none fade.
    * `at`: where on the x axis the shape called "at" stands, if it has been moved in the page.
    * `placeholder`: the text that is shown while there is no figure.
    * The colours of text, axes and background follow the page, light or dark; figures leave them out.

    A handler returns a new figure as a plain value, and uses `chart_update` to change other properties. A figure whose
    `layout.uirevision` stays the same keeps its zoom and camera.
    """

    EVENTS: ClassVar[list[str]] = ["pick", "choose"]

    def __init__(self, figure: Mapping[str, Any] | None = None, **props: Any):
        """Builds the component. props: those of DEFAULTS, described above, and those of any gradio component."""
        own = {name: props.get(name, value) for name, value in DEFAULTS.items()}
        super().__init__(
            value=figure,
            html_template=_TEMPLATE,
            css_template=(_HERE / "plotly_chart.css").read_text(),
            js_on_load=with_given(own, "\n".join((_HERE / name).read_text() for name in _SCRIPTS)),
            head=f'<script src="{plotly_script.FLAT.address}"></script>',
            apply_default_css=False,
            **{"min_height": own["height"]} | props | own,
        )

    def __getattr__(self, name: str) -> Any:
        # gr.HTML takes every quoted name in its script for an event, including the names of our props.
        raise AttributeError(name)

    def postprocess(self, value: Mapping[str, Any] | str | None) -> str | None:
        # The figure is sent as text: gradio wraps objects in reactive proxies and compares all fields at each change.
        text = value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        return _kept(text) if text and text.startswith("{") and len(text) > LARGE else text


def _kept(text: str) -> str:
    """Writes a large figure to a file and returns its address. The file's name is a digest of its content, so that
    nobody can guess the address of another visitor's figure."""
    path = _FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    try:
        os.utime(path)  # it is wanted: those go that have not been for longest
    except FileNotFoundError:
        with atomic_path(path) as temporary:
            temporary.write_text(text)
        for old in sorted(_FOLDER.glob("*.json"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    return f"gradio_api/file={path}"


def chart_update(**changes: Any) -> dict[str, Any]:
    """Returns the value by which a handler changes a chart. changes: any of `figure`, `highlight`, `selected`,
    `sprite` and `visible`."""
    if "figure" in changes:
        changes["value"] = changes.pop("figure")
    return gr.update(**changes)


def chosen_ids(event: gr.EventData) -> list[str]:
    """Returns the ids of the points that were selected, as the page sent them. They are not checked."""
    ids = (event._data or {}).get("ids") if isinstance(event._data, dict) else None
    return list(dict.fromkeys(str(item)[:200] for item in ids)) if isinstance(ids, list) else []


def picked_id(event: gr.EventData) -> str:
    """Returns the id of the point that was picked, as the page sent it. It is not checked, and a visitor can send
    anything."""
    value = (event._data or {}).get("id") if isinstance(event._data, dict) else None
    return value[:200] if isinstance(value, str) else ""


def picked_at(event: gr.EventData) -> float | None:
    """Returns when a point was picked, in milliseconds by the page's clock; None if the page did not say. Requests of
    several quick clicks can arrive in another order."""
    value = (event._data or {}).get("at") if isinstance(event._data, dict) else None
    return float(value) if type(value) in (int, float) and abs(value) < 1e15 else None
