"""The Generate tab: networks that nobody fitted appear from noise, and each is told from a copy."""

from typing import Any

import gradio as gr

from app.components.field.sheet import LARGE, FieldSheet, moved
from app.components.pictures import Pictures
from app.shared import edit_row, library
from app.shared.edit_row import EditRow
from app.shell import compute, session, snippets
from app.shell.address import Part
from app.shell.jobs import HALT, Job, Step
from app.shell.tabs import Built, Offer, Place, Tab
from app.tabs.generate import drawn, handlers, models, open_sample, run
from app.tabs.generate.handlers import GenerateTab, generators_of, kinds_of
from app.tabs.generate.widgets import BLENDS

COLUMNS = 4
ASK_FOR_SECOND = '() => { document.dispatchEvent(new Event("wsr-blend-with")); }'


def build(place: Place) -> Built:
    tab, editing = _layout(models.models())
    _wire(tab, place)
    _wire_edits(tab, editing)
    return Built(link=_link(tab, place.view), offers=[Offer(tab.place, tab.fitted, tab.state)])


def warm() -> None:
    """Draws the sixteen surfaces of the stored samples and finds their nearest training networks. This takes seconds,
    once for all visitors."""
    for name in models.models()[:1]:
        with compute.told(name):
            for _ in run.opening(name, models.generators(name)[0].name):
                pass


MISSING = "No generator has been trained here yet. Train them with"
TAB = Tab("generate", "Generate", build, models.models, MISSING, warm)


def _link(tab: GenerateTab, view: gr.Tab) -> Part:
    """The tab's state in the address: what the samples on screen are, and which of them is open. The controls say what
    the next ones will be."""
    widgets = {"data": tab.dataset, "kind": tab.kind, **tab.on_screen, "by": tab.by, "sample": tab.picked}
    others = [tab.cls, tab.guidance, tab.steps, tab.seed, tab.linked, tab.sampled]
    return Part("generate", view, widgets, tab.bind(handlers.restore), others)


def _layout(names: list[str]) -> tuple[GenerateTab, dict[str, Any]]:
    first, offered = library.collection(names[0]), generators_of(names[0])
    with gr.Row(equal_height=False):
        with gr.Column(elem_classes=["wsr-half", "wsr-tight"]):
            with gr.Row():
                titles = library.titles(names)
                dataset = gr.Radio(
                    titles, value=first.dataset, label="Data set", show_label=False, container=False, min_width=190
                )
                with gr.Row(elem_classes="wsr-buttons"):
                    sample = gr.Button("Sample", variant="primary", min_width=90, scale=0)
                    stop = gr.Button("Stop", interactive=False, min_width=90, scale=0, elem_classes=HALT)
            classes = [models.ANY, *models.classes_of(first.name, offered[0][1])]
            cls = gr.Radio(
                classes, value=models.ANY, label="Class", show_label=False, container=False, elem_classes="wsr-chips",
                visible=len(classes) > 1,
            )  # fmt: skip
            state = gr.HTML(snippets.settled("Press Sample: sixteen networks appear that nobody fitted."))
            items = Pictures(columns=COLUMNS, blends=True)
            with gr.Accordion("Settings", open=False, elem_classes="wsr-later"):
                kind = gr.Dropdown(kinds_of(first.dataset), value=first.representation, label="Representation")
                by = gr.Dropdown(
                    offered, value=offered[0][1], label="Generator",
                    info="Learns the weights. Baselines only copy, mix or scatter the training networks.",
                )  # fmt: skip
                guidance = gr.Slider(
                    *models.GUIDANCE, value=models.PLAIN, step=0.25, label="Guidance",
                    info="How strongly samples follow the class: 1 is as learnt, more exaggerates it.",
                )  # fmt: skip
                steps = gr.Slider(*models.STEPS, value=handlers.STEPS, step=5, label="Steps from noise")
                seed = gr.Number(0, precision=0, label="Seed")  # `models.checked` knows its ends, and says them
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            pair = FieldSheet(snippets.blank(open_sample.NONE_OPEN), sizes=(256, *LARGE))
            verdict = gr.HTML(elem_classes=edit_row.TOLD)
            surface = gr.Model3D(
                visible="hidden", show_label=False, height=320, interactive=False, camera_position=snippets.CAMERA
            )
            editing = edit_row.layout()
            with gr.Row(elem_classes="wsr-alike"):
                take = gr.Button("Download it", interactive=False, min_width=150)
                place = gr.Button("Place on the map", interactive=False, min_width=150)
            files = gr.File(visible=False, show_label=False, file_count="multiple", interactive=False)
            with gr.Column(elem_classes=["wsr-blend", "wsr-tight"]):
                blended = FieldSheet(BLENDS, sizes=LARGE, blends=True)
                with gr.Row():
                    blend = gr.Button("Blend with another", min_width=210, scale=0)
                    share = gr.Slider(0, 1, value=0.5, step=0.05, label="Share of the second", min_width=200)
            with gr.Accordion("Walk to another sample", open=False) as walking:
                other = gr.Number(2, precision=0, label="To sample")
                way = gr.Slider(0, 1, value=0.5, step=0.05, label="How far")
                walked = gr.HTML()
    tab = GenerateTab(
        dataset=dataset, kind=kind, by=by, cls=cls, guidance=guidance, steps=steps, seed=seed,
        state=state, job=Job("sampling", sample, stop, state, "more samples"), items=items,
        picked=gr.Textbox("", visible="hidden"), pair=pair, verdict=verdict, surface=surface, take=take, place=place,
        files=files, other=other, way=way, walking=walking, walked=walked, blend=blend, blended=blended, share=share,
        sampled=gr.State(None, time_to_live=3600), fitted=gr.State(None, time_to_live=3600),
        linked=gr.Textbox("", visible="hidden"),
        **{name: gr.Textbox("", visible="hidden") for name in ("of_class", "of_guidance", "of_steps", "of_seed")},
    )  # fmt: skip
    return tab, editing


def _wire_edits(tab: GenerateTab, editing: dict[str, Any]) -> None:
    shown = tab.bind(open_sample.show_edited)
    row = EditRow(**editing, fitted=tab.fitted, show=shown, sheet=tab.pair, shape=drawn.shape_of)
    was_reset = edit_row.wire(row, [tab.pair, tab.verdict, tab.surface, tab.files])
    beside = [tab.pair, tab.verdict]  # the nearest training networks, and the verdict on the sample as it was
    was_reset.then(tab.bind(open_sample.beside), [tab.sampled, tab.picked], beside, **compute.LOOK, **compute.PRIVATE)


def _wire(tab: GenerateTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    newest = {**look, "trigger_mode": "always_last"}
    said = list(tab.on_screen.values())
    which = [tab.dataset, tab.kind, tab.by]
    offered = [tab.by, tab.cls, tab.guidance, tab.steps, tab.state, tab.sampled, *said]
    changed = (
        tab.dataset.input(tab.bind(handlers.change_dataset), tab.dataset, [tab.kind, *offered], **look),
        tab.kind.input(tab.bind(handlers.change_kind), [tab.dataset, tab.kind], offered, **look),
        tab.by.input(tab.bind(handlers.change_generator), which, offered, **look),
    )
    screen = [tab.state, tab.items, tab.sampled, *said]
    large = [
        tab.picked, tab.fitted, tab.pair, tab.verdict, tab.surface, tab.take, tab.place, tab.files, tab.walked,
        tab.items,
    ]  # fmt: skip
    filled = [*screen, *large[1:-1]]
    open_tab, reopen = tab.bind(handlers.opened), tab.bind(open_sample.reopen)
    for event in (place.shown, *(event.then for event in changed)):
        event(open_tab, [*which, tab.sampled], filled, **newest).then(
            reopen, [tab.sampled, tab.picked], large, **newest
        ).then(handlers.warm, which, None, **newest)
    ended = tab.job.wire(
        Step(tab.bind(handlers.sample), set(tab.asked), screen[1:]),
        prepare=Step(tab.bind(handlers.prepare), {*tab.asked, tab.sampled, tab.linked}, [tab.seed, *large[1:]]),
        finish=Step(tab.bind(handlers.finish), None, [tab.items]),
        refused=Step(tab.bind(handlers.refused), [tab.sampled, tab.picked], [*large, *said]),
        triggers=[tab.linked.change, tab.cls.input],
    )
    # another model may have been chosen meanwhile
    ended.then(tab.bind(handlers.ended), [*which, tab.sampled, tab.state], filled, **newest).then(
        reopen, [tab.sampled, tab.picked], large, **newest
    )
    tab.items.pick(tab.bind(open_sample.pick), tab.sampled, large, trigger_mode="multiple", **look)
    tab.items.ask(tab.bind(handlers.draw), tab.sampled, tab.items, trigger_mode="always_last", **look)
    tab.blend.click(None, js=ASK_FOR_SECOND, queue=False, **compute.PRIVATE)
    tab.share.input(None, tab.share, tab.blended, js=moved("{ alpha }", "alpha"), queue=False, **compute.PRIVATE)
    tab.take.click(tab.bind(open_sample.take), [tab.sampled, tab.picked, tab.fitted], tab.files, **look)
    asked = [tab.sampled, tab.picked, tab.other, tab.way]
    # one event: the answer to what was asked last is the last to come
    walked = {**newest, "show_progress": "minimal", "show_progress_on": tab.walked}
    walk = session.latest(open_sample.walk, "walk")
    gr.on([tab.other.change, tab.way.input, tab.walking.expand], walk, asked, tab.walked, **walked)
