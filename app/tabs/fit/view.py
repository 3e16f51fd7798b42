"""The Fit tab: drop a picture or a shape, and watch it become weights."""

from typing import Any

import gradio as gr

from app.components.field.sheet import LARGE, FieldSheet
from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart
from app.figures.curves import empty_curve
from app.shared import edit_row, samples
from app.shared.charts import charted
from app.shared.edit_row import EditRow
from app.shared.palette import NAMES
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.jobs import HALT, Job, Step
from app.shell.tabs import Built, Offer, Place, Tab
from app.tabs.fit import handlers, preparing, recorded, run, six, starting
from app.tabs.fit.handlers import FitTab
from wsr.fields import registry
from wsr.modalities import IMAGE, everything

STATE = "wsr-fit-says"  # the class of the line
# For an event: on a phone, the line stands above the box for files, out of sight.
ANSWERED = """() => {
  const line = [...document.querySelectorAll(".STATE")].find((one) => one.offsetParent);
  const { top, bottom } = line?.getBoundingClientRect() ?? {};
  if (top < 0 || bottom > innerHeight) line.scrollIntoView({ block: "center" });
}""".replace("STATE", STATE)


def build(place: Place) -> Built:
    tab, editing = _layout()
    _wire(tab)
    newest = {**compute.LOOK, **compute.PRIVATE, "trigger_mode": "always_last"}
    place.again.click(tab.bind(handlers.followed), tab.sample, handlers.after_link(tab), **newest)
    row = EditRow(**editing, fitted=tab.fitted, show=tab.bind(handlers.show_edited), sheet=tab.picture)
    edit_row.wire(row, [tab.picture, tab.surface, tab.heat, tab.download])
    return Built(
        link=_link(tab, place.view),
        loads=[(samples.strip, tab.strip)],
        forget=preparing.forget,
        offers=[Offer(tab.place, tab.fitted, tab.state)],
    )


TAB = Tab("fit", "Fit", build)


def _link(tab: FitTab, view: gr.Tab) -> Part:
    """The tab's state in the address: the sample (a visitor's own file is not part of it) and the settings."""
    settings = {"kind": tab.representation, "rank": tab.rank, "steps": tab.steps}
    widgets = {"sample": tab.sample, "way": tab.way, **settings}
    others = [tab.target, tab.target_view, tab.state, tab.strip, tab.picture, tab.curve]
    return Part("fit", view, widgets, tab.bind(handlers.restore), others, always=True)


def _layout() -> tuple[FitTab, dict[str, Any]]:
    sample, picture_of = samples.first()
    with gr.Row(equal_height=False):
        with gr.Column(min_width=150, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Target</div>')
            target_view = gr.HTML(picture_of)
        with gr.Column(min_width=150, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Decoded from weights</div>')
            picture = FieldSheet(recorded.picture(sample), sizes=LARGE)
            surface = gr.Model3D(
                visible="hidden", show_label=False, height=322, interactive=False, camera_position=snippets.CAMERA
            )
            zooms = [("1×", 1), ("2×", 2), ("4×", 4)]
            zoom = gr.Radio(
                zooms, value=1, label="Resolution", visible=False, show_label=False, container=False,
                elem_classes="wsr-chips",
            )  # fmt: skip
        curve = charted(
            "How close it is", "Above a PSNR of 30 dB, or an IoU of 0.9, it looks right.",
            recorded.curve(sample) or empty_curve(IMAGE, run.usual_steps()), scale=2, height=300,
            description="Quality of the fit after each step",
        )  # fmt: skip
    with gr.Row():
        fit = gr.Button("Fit", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0, elem_classes=HALT)
        ways = list(zip(("one representation", f"{six.called()} side by side"), handlers.WAYS, strict=True))
        way = gr.Radio(ways, value="one", label="Fit", show_label=False, container=False, min_width=390, scale=0,
                       elem_classes="wsr-middle")  # fmt: skip
        state = gr.HTML(snippets.settled(recorded.invitation(sample)), elem_classes=["wsr-grow", STATE])
    editing = edit_row.layout()
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            gr.HTML('<div class="wsr-label">Samples, none of them seen in training, the quickest first</div>')
            strip = Pictures(chosen=sample, waiting="Drawing the samples …")
            upload = gr.File(
                label="Your own file", height=150,
                file_types=[ending for modality in everything() for ending in modality.files],
            )  # fmt: skip
            gr.HTML(snippets.caption(f"Pictures: {samples.PICTURES}. Shapes: OBJ, PLY, STL, GLB or OFF."))
        with gr.Column(min_width=320, scale=2, elem_classes="wsr-tight"):
            own = _weights() | _settings()
    tab = FitTab(
        target_view=target_view, strip=strip, upload=upload, picture=picture, surface=surface, zoom=zoom, curve=curve,
        state=state, job=Job("fit", fit, stop, state, "another fit"), way=way,
        target=gr.State(sample, time_to_live=3600), fitted=gr.State(None, time_to_live=3600),
        sample=gr.Textbox(sample, visible="hidden"), **own,
    )  # fmt: skip
    return tab, editing


def _weights() -> dict[str, Any]:
    """Lays out the heat map of the weights, and the buttons that download and place them."""
    gr.HTML('<div class="wsr-label">Its weights</div>')
    heat = PlotlyChart(
        None, height=230, description="Weights of the fit, layer by layer",
        placeholder="They appear here while the fit runs.", elem_classes=edit_row.TOLD,
    )  # fmt: skip
    with gr.Row(elem_classes="wsr-alike"):
        download = gr.DownloadButton("Download the weights", interactive=False, min_width=150)
        place = gr.Button("Place on the map", interactive=False, min_width=150)
    return {"heat": heat, "download": download, "place": place}


def _settings() -> dict[str, Any]:
    choices = [(label, name) for name, label in NAMES.items()]
    with gr.Accordion("Settings", open=False):
        representation = gr.Dropdown(
            choices, value=registry.DEFAULT, label="Representation",
            info="MLP: a network of its own. LoRA adds a small change to a shared network, mLoRA multiplies it. "
            "Asym freezes some entries, the same in all fits, so that neurons or pairs cannot change places.",
        )  # fmt: skip
        rank = gr.Slider(
            *run.RANKS,
            value=starting.RANK,
            step=1,
            label="Rank",
            info="Pairs of vectors for each layer of LoRA and mLoRA.",
        )
        steps = gr.Slider(
            *run.STEPS, value=run.usual_steps(), step=10, label="Steps",
            info="The default depends on the target: a photograph takes more than an emoji, since the base has learnt "
            "emoji, and a target whose start an encoder predicts takes few.",
        )  # fmt: skip
    return {"representation": representation, "rank": rank, "steps": steps}


def _wire(tab: FitTab) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    shown = [tab.picture, tab.surface, tab.curve, tab.heat, tab.fitted]
    after = [tab.zoom, tab.download, tab.place]
    chosen = [tab.target, tab.target_view, tab.state, tab.steps, tab.sample, tab.strip, *shown, *after]
    picked = tab.strip.pick(tab.bind(handlers.choose_sample), None, chosen, trigger_mode="multiple", **look)
    reading = compute.said_at_once(handlers.READING)
    tab.upload.upload(None, None, tab.state, js=reading, queue=False, **compute.PRIVATE)
    # a file that comes while another is read takes its place
    read = {"trigger_mode": "multiple", **compute.PREPARE, **compute.PRIVATE}
    uploaded = tab.upload.upload(tab.bind(handlers.choose_upload), tab.upload, [*chosen, tab.upload], **read)
    uploaded.then(None, js=ANSWERED, queue=False, **compute.PRIVATE)
    asked = [tab.target, tab.way, tab.representation, tab.rank, tab.steps]
    for event in (picked.then, uploaded.then, tab.way.input, tab.representation.input):
        event(tab.bind(handlers.suggest_steps), asked, tab.steps, **look)
    # input: a number that is typed is not released
    tab.rank.input(tab.bind(handlers.suggest_steps), asked, tab.steps, trigger_mode="always_last", **look)
    measuring = {**compute.PREPARE, **compute.PRIVATE}
    tab.job.wire(
        Step(tab.bind(handlers.fit), asked, shown),
        prepare=Step(tab.bind(handlers.prepare), outputs=[*after, tab.picture]),
        then=[Step(tab.bind(handlers.measure), asked, [tab.target, tab.steps], measuring)],
        finish=Step(tab.bind(handlers.finish), [tab.fitted, tab.way], [tab.picture, *after], look),
    )
    tab.zoom.input(tab.bind(handlers.zoom), [tab.fitted, tab.zoom], tab.picture, **look)
