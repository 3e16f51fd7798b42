"""The Generate tab: networks that nobody fitted appear from noise, and each is told from a copy."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.pictures import Pictures
from app.components.plotly_chart import picked_id
from app.shared import library
from app.shared.palette import NAMES
from app.shell import compute, snippets
from app.shell.address import Part
from app.shell.tabs import Built, Offer, Place, Tab, Widgets
from app.tabs.generate import run as generate_run
from app.tabs.generate.run import ANY, Sampled
from wsr.errors import WsrError

COLUMNS = 4
STEPS, PLAIN = 50, generate_run.PLAIN
NOTHING = (gr.skip(),) * 3
_warming: set[str] = set()  # models that are being made ready


@dataclass
class GenerateTab(Widgets):
    """asked: the widgets that say what to sample, in the order of `generate_run.checked`."""

    asked: list[Any]
    sample: gr.Button
    stop: gr.Button
    state: gr.HTML
    grid: Pictures
    picked: gr.Textbox
    panel: list[Any]
    walk: list[Any]
    place: gr.Button
    sampled: gr.State
    fitted: gr.State
    linked: gr.Textbox
    view: gr.Tab


def build(place: Place) -> Built | None:
    names = generate_run.models()
    if not names:
        gr.HTML(snippets.empty("No diffusion model has been trained here yet. Train them with", "make assets"))
        return None
    tab = _layout(names, place.view)
    _wire(tab)
    return Built(link=part(tab), offers=[Offer(tab.place, tab.fitted, tab.state)])


TAB = Tab("generate", "Generate", build)


def part(tab: GenerateTab) -> Part:
    """The tab's state in the address: what to sample, and which of the samples is open."""
    widgets = dict(zip(("data", "kind", "class", "guidance", "steps", "seed"), tab.asked, strict=True))
    return Part("generate", tab.view, {**widgets, "sample": tab.picked}, tab.bind(restore), [tab.linked])


def restore(tab: GenerateTab, given: dict[str, str]) -> dict[Any, Any]:
    """What a link says. WsrError for what is not there."""
    first = library.collection(generate_run.models()[0])
    dataset, kind = given.get("data", first.dataset), given.get("kind", first.representation)
    values = [float(given.get(name, value)) for name, value in (("guidance", PLAIN), ("steps", STEPS), ("seed", 0))]
    asked = generate_run.checked(dataset, kind, given.get("class", ANY), *values)
    cls = gr.update(choices=[ANY, *generate_run.classes_of(asked.name)], value=asked.cls or ANY)
    picked = given.get("sample", "")
    if picked and not (picked.isdecimal() and int(picked) < generate_run.COUNT):
        raise WsrError(f"Samples of a link are numbered 0 to {generate_run.COUNT - 1}, not {picked[:20]!r}.")
    # other samples than those that are kept have to be drawn first: a change of this does it
    linked = "" if generate_run.alike(asked, generate_run.kept(asked.name)) else f"{asked}"
    shown = gr.update(choices=_kinds(dataset), value=kind)
    values = dataset, shown, cls, asked.guidance, asked.steps, asked.seed
    return {**dict(zip(tab.asked, values, strict=True)), tab.picked: picked, tab.linked: linked}


def _layout(names: list[str], view: gr.Tab) -> GenerateTab:
    first = library.collection(names[0])
    datasets = list(dict.fromkeys(library.collection(name).dataset for name in names))
    with gr.Row(equal_height=False):
        with gr.Column(elem_classes=["wsr-half", "wsr-tight"]):
            with gr.Row():
                titles = [(library.TITLES.get(name, name), name) for name in datasets]
                dataset = gr.Radio(titles, value=first.dataset, show_label=False, container=False, min_width=190)
                sample = gr.Button("Sample", variant="primary", min_width=90, scale=0)
                stop = gr.Button("Stop", interactive=False, min_width=90, scale=0)
            state = gr.HTML(snippets.settled("Press Sample: sixteen networks appear that nobody fitted."))
            grid = Pictures(columns=COLUMNS)
            with gr.Accordion("Settings", open=False, elem_classes="wsr-later"):
                kind = gr.Dropdown(_kinds(first.dataset), value=first.representation, label="Representation")
                cls = gr.Dropdown(
                    [ANY, *generate_run.classes_of(first.name)], value=ANY, label="Class",
                    info="Clusters are found in the weights, where these have no classes: of people hands, heads …",
                )  # fmt: skip
                guidance = gr.Slider(
                    *generate_run.GUIDANCE, value=PLAIN, step=0.25, label="Guidance",
                    info="How much the class counts: 1 as it was learnt, more exaggerates it.",
                )  # fmt: skip
                steps = gr.Slider(*generate_run.STEPS, value=STEPS, step=5, label="Steps from noise")
                seed = gr.Number(0, precision=0, label="Seed", minimum=0, maximum=generate_run.SEEDS[1])
        with gr.Column(elem_classes=["wsr-panel", "wsr-tight"]):
            pair = gr.HTML(snippets.blank("Open a sample: beside it comes the training network it is nearest to."))
            verdict = gr.HTML()
            surface = gr.Model3D(
                visible="hidden", show_label=False, height=320, interactive=False, camera_position=snippets.CAMERA
            )
            with gr.Row():
                take = gr.Button("Take it home", interactive=False, min_width=150)
                place = gr.Button("Place on the map", interactive=False, min_width=150)
            files = gr.File(visible=False, show_label=False, file_count="multiple", interactive=False, height=100)
            with gr.Accordion("Walk to another sample", open=False) as walking:
                other = gr.Number(2, precision=0, label="To sample", minimum=1, maximum=generate_run.COUNT)
                way = gr.Slider(0, 1, value=0.5, step=0.05, label="How far")
                walked = gr.HTML()
    return GenerateTab(
        [dataset, kind, cls, guidance, steps, seed], sample, stop, state, grid, gr.Textbox("", visible="hidden"),
        [pair, verdict, surface, take, place, files, walked], [other, way, walking], place,
        gr.State(None, time_to_live=3600), gr.State(None, time_to_live=3600), gr.Textbox("", visible="hidden"), view,
    )  # fmt: skip


def _kinds(dataset: str) -> list[tuple[str, str]]:
    found = [library.collection(name) for name in generate_run.models()]
    return [(NAMES[one.representation], one.representation) for one in found if one.dataset == dataset]


def _wire(tab: GenerateTab) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    dataset, kind, cls, *_ = tab.asked
    changed = (
        dataset.input(change_dataset, dataset, [kind, cls], **look),
        kind.input(change_kind, [dataset, kind], cls, **look),
    )
    screen = [tab.state, tab.grid, tab.sampled]
    large = [tab.picked, tab.fitted, *tab.panel]
    newest = {**look, "trigger_mode": "always_last"}
    for event in (tab.view.select, *(event.then for event in changed)):
        event(opened, [dataset, kind, tab.sampled], screen, **newest).then(
            reopen, [tab.sampled, tab.picked], large, **newest
        ).then(warm, [dataset, kind], None, **newest)
    buttons = [tab.sample, tab.stop]
    first = [*tab.asked, tab.sampled], [tab.state, tab.asked[-1], *buttons]
    waiting = gr.on([tab.sample.click, tab.linked.change], prepare, *first, queue=False, **compute.PRIVATE)
    running = waiting.then(
        sample, tab.asked, screen, show_progress_on=tab.state, **compute.COMPUTE,
        **{**compute.PRIVATE, "show_progress": "minimal"},
    )  # fmt: skip
    # another model may have been chosen meanwhile
    running.success(finish, None, buttons, queue=False, **compute.PRIVATE).then(
        opened, [dataset, kind, tab.sampled], screen, **newest
    ).then(reopen, [tab.sampled, tab.picked], large, **newest)
    running.failure(refused, None, [tab.state, *buttons], queue=False, **compute.PRIVATE)
    compute.wire_stop(tab.stop, stop, tab.state)
    tab.grid.pick(pick, tab.sampled, large, trigger_mode="multiple", **look)
    tab.panel[3].click(take, [tab.sampled, tab.picked], tab.panel[5], **look)
    other, way, walking = tab.walk
    for event in (other.change, way.input, walking.expand):
        event(walk, [tab.sampled, tab.picked, other, way], tab.panel[6], **{**newest, "show_progress": "minimal"})


@compute.guarded
def change_dataset(dataset: str) -> tuple[Any, Any]:
    """[representation, class]"""
    kinds = _kinds(dataset)
    if not kinds:
        raise WsrError(f"There is no model of {dataset!r} here.")
    classes = [ANY, *generate_run.classes_of(f"{dataset}-{kinds[0][1]}")]
    return gr.update(choices=kinds, value=kinds[0][1]), gr.update(choices=classes, value=ANY)


@compute.guarded
def change_kind(dataset: str, kind: str) -> Any:
    asked = generate_run.checked(dataset, kind, ANY, PLAIN, STEPS, 0)
    return gr.update(choices=[ANY, *generate_run.classes_of(asked.name)])


@compute.guarded
def opened(dataset: str, kind: str, sampled: Sampled | None, request: gr.Request) -> Iterator[tuple]:
    """The tab, or another model, is opened: [state, grid, sampled]. A visitor's own samples stay where they were, and
    those that are on their way come first. gradio empties what an answer without values is for: there is always one."""
    name = generate_run.checked(dataset, kind, ANY, PLAIN, STEPS, 0).name
    if sampled is None or sampled.asked.name != name:
        yield from compute.newest(request, _kept(name, request), "samples")
    else:
        yield NOTHING


def _kept(name: str, request: gr.Request) -> Iterator[tuple]:
    for screen in generate_run.opening(name):
        if _busy_file(request).exists():
            yield NOTHING
            return
        yield tuple(gr.skip() if part is None else part for part in (screen.state, screen.items, screen.sampled))


def prepare(
    dataset: str, kind: str, cls: str, guidance: float, steps: float, seed: float, sampled: Sampled | None,
    request: gr.Request,
) -> tuple:  # fmt: skip
    """A press on Sample: [state, seed, sample, stop]. Who asks for what is on screen already wants others."""
    _stop_file(request).unlink(missing_ok=True)
    _busy_file(request).touch()
    other = gr.skip()
    with contextlib.suppress(WsrError):  # `sample` says what is wrong
        asked = generate_run.checked(dataset, kind, cls, guidance, steps, seed)
        if generate_run.alike(asked, sampled.asked if sampled else generate_run.kept(asked.name)):
            other = (asked.seed + 1) % (generate_run.SEEDS[1] + 1)
    waiting = snippets.working("Waiting for the machine …")
    return waiting, other, gr.update(interactive=False), gr.update(interactive=True)


def sample(
    dataset: str, kind: str, cls: str, guidance: float, steps: float, seed: float, request: gr.Request
) -> Iterator[tuple]:
    """[state, grid, sampled]. Errors are said in the page."""
    try:
        asked = generate_run.checked(dataset, kind, cls, guidance, steps, seed)
        for screen in generate_run.run(asked, _stop_file(request)):
            parts = (screen.state, screen.items, screen.sampled)
            yield tuple(gr.skip() if part is None else part for part in parts)
    except Exception as error:
        yield snippets.failed(compute.sentence(error)), gr.skip(), gr.skip()


def finish(request: gr.Request) -> tuple:
    _busy_file(request).unlink(missing_ok=True)
    return gr.update(interactive=True), gr.update(interactive=False)


def refused(request: gr.Request) -> tuple:
    text = "The machine has no room for more samples at the moment. Please try again in a minute."
    return snippets.failed(text), *finish(request)


def stop(request: gr.Request) -> None:
    _stop_file(request).touch()


def _stop_file(request: gr.Request) -> Any:
    return compute.session_dir(request) / "stop-sampling"


def _busy_file(request: gr.Request) -> Any:
    return compute.session_dir(request) / "sampling"


@compute.guarded
def pick(sampled: Sampled | None, event: gr.EventData, request: gr.Request) -> tuple:
    """[picked, fitted, pair, verdict, surface, take, place, files, walked]"""
    if _busy_file(request).exists():
        raise WsrError("These are still on their way: wait a moment, or press Stop.")
    return _large(sampled, _number(sampled, picked_id(event)), request)


@compute.guarded
def reopen(sampled: Sampled | None, picked: str, request: gr.Request) -> tuple:
    """What is open when other samples come: the one with the same number, at first the first."""
    return (gr.skip(),) * 9 if sampled is None else _large(sampled, _number(sampled, picked or "0"), request)


@compute.guarded
def warm(dataset: str, kind: str) -> None:
    """Makes a model ready on a thread of its own: it may wait a minute for its turn, and looking must not."""
    name = generate_run.checked(dataset, kind, ANY, PLAIN, STEPS, 0).name
    if name not in _warming:
        _warming.add(name)
        threading.Thread(target=_warm, args=(name,), name="wsr-warm", daemon=True).start()


def _warm(name: str) -> None:
    try:
        generate_run.warm(name)
    except Exception as error:  # nobody asked for it: a press of Sample says what is wrong
        compute.log.warning("the model of %s is not ready: %s", name, error)
    finally:
        _warming.discard(name)


def _large(sampled: Sampled, at: int, request: gr.Request) -> tuple:
    """A sample beside what it is nearest to: [picked, fitted, pair, verdict, surface, take, place, files, walked]"""
    asked = sampled.asked
    fitted = generate_run.fitted(sampled, at)
    own, glb = generate_run.look(fitted, compute.session_dir(request))
    shown, said = [(f"sample {at + 1}", own)], ""
    if sampled.verdicts:
        verdict, training = sampled.verdicts[at], generate_run.audit(asked.name)[1]
        for row in generate_run.origins(verdict):
            weights = library.zoo(asked.name).weights([training[row]])
            near = generate_run.opened_picture(asked.name, weights)
            shown.append((f"training: {generate_run.label(asked.name, training[row])}", near))
        said = snippets.settled(f"Sample {at + 1} is {generate_run.MEANING[verdict.word]}.")
    on = gr.update(interactive=True)
    surface = gr.update(value=glb, visible=True) if glb else gr.update(visible="hidden")
    return str(at), fitted, snippets.pictures(shown), said, surface, on, on, gr.update(visible=False), ""


@compute.guarded
def take(sampled: Sampled | None, picked: str, request: gr.Request) -> Any:
    at = _number(sampled, picked)
    return gr.update(value=generate_run.files(sampled, at, compute.session_dir(request)), visible=True)


@compute.guarded
def walk(sampled: Sampled | None, picked: str, other: float, way: float) -> str:
    """The sample on the way from the one that is open to another."""
    if sampled is None or not picked:
        return snippets.settled("Open a sample first: the walk begins there.")
    at, part = _number(sampled, picked), float(way)
    if not 0 <= part <= 1:
        raise WsrError(f"The way from one sample to another is from 0 to 1, not {part!r}.")
    weights = generate_run.between(sampled.asked, at, int(other or 0) - 1, part)
    name = sampled.asked.name
    found = generate_run.pictures(name, weights, generate_run.FINAL[_dim(name)])[0]
    return snippets.pictures([(f"{part:.0%} of the way from sample {at + 1} to sample {int(other)}", found)])


def _number(sampled: Sampled | None, picked: str) -> int:
    """A sample's number that came from the page. WsrError for none."""
    if sampled is None:
        raise WsrError("There are no samples here: press Sample (after an hour they are gone; their seed brings them).")
    if not picked.isdigit() or int(picked) >= len(sampled.weights):
        raise WsrError(f"There is no sample {picked[:20]!r} among these {len(sampled.weights)}: open one of the grid.")
    return int(picked)


def _dim(name: str) -> int:
    return library.collection(name).dim
