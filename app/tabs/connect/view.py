"""The Connect tab: the visitor walks from one fit to another and sees which representations show the target on the
way."""

import json
from pathlib import Path

import gradio as gr

from app.components.field.sheet import FieldSheet, moved
from app.components.pictures import Pictures
from app.shared import pairs
from app.shared.charts import charted
from app.shared.palette import NAMES
from app.shell import compute, session, snippets
from app.shell.address import Part
from app.shell.jobs import HALT, Job, Step
from app.shell.tabs import Built, Place, Tab
from app.tabs.connect import handlers, plain, run
from app.tabs.connect.handlers import ConnectTab, items_of, sprite_of

PLAY = (Path(__file__).parent / "play.js").read_text()
PLACE = '{ alpha, to: aligned ? "aligned" : "b"%s }'
MOVE, MOVE_AGAIN = (
    moved(PLACE % again, "alpha, aligned", "update({ at: alpha })") for again in ("", ", again: performance.now()")
)
OLD = ".wsr-look, .wsr-walked, .wsr-curves"  # what tells of the target before
# For the end of a live pair: on a phone, its pictures and curves stand above its settings, out of sight.
ANSWERED = f"""(line) => {{
  const shown = document.querySelector(".wsr-walked"), fitted = {json.dumps([handlers.FITTED, handlers.STOPPED])};
  if (!fitted.some((said) => line.includes(said)) || !shown.checkVisibility()) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (shown.getBoundingClientRect().top < 0) shown.scrollIntoView({{ behavior: calm ? "auto" : "smooth" }});
}}"""
ALIGNED = [("as it came out", False), ("aligned with the first", True)]
INITS = [("at each one's usual start", pairs.OWN), ("around zero", pairs.NORMAL)]


def build(place: Place) -> Built:
    tab = _layout(run.datasets())
    _wire(tab, place)
    return Built(link=_link(tab, place.view))


TAB = Tab("connect", "Connect", build, run.datasets, "There are no pairs of fits here yet. Make them with")


def _link(tab: ConnectTab, view: gr.Tab) -> Part:
    """The tab's state in the address."""
    widgets = {"data": tab.dataset, "target": tab.target, "alpha": tab.alpha, "aligned": tab.aligned, "init": tab.init}
    widgets |= {"fit": tab.names, "sigma": tab.sigma, "lambda": tab.perturb, "pair": tab.pair}
    return Part("connect", view, widgets, tab.bind(handlers.restore), [tab.of, tab.strip, tab.live, tab.state])


def _layout(there: list[str]) -> ConnectTab:
    with gr.Row():
        dataset = gr.Radio(
            run.titles(), value=there[0], label="Data set", show_label=False, container=False, min_width=190, scale=0
        )
        strip = Pictures(items_of(there[0], decode=False), sprite=sprite_of(there[0]), elem_classes="wsr-strip")
    look = gr.HTML(snippets.caption(plain.BEGUN), elem_classes="wsr-look")
    with gr.Row(elem_classes="wsr-tight"):
        alpha = gr.Slider(
            0, 1, value=handlers.HALFWAY, step=run.STEP, label="α: from the first fit to the second",
            elem_classes="wsr-walk", min_width=240,
        )  # fmt: skip
        play = gr.Button("Play", elem_classes="wsr-play", scale=0, min_width=90, interactive=False)
    sheet = FieldSheet(handlers.being_drawn(there[0]), elem_classes=["wsr-six", "wsr-walked"])
    with gr.Row(equal_height=False):
        chart = charted(
            "How close to the target it is on the way",
            "Thin lines: before the walk, the second fit has been aligned with the first by changes of its weights "
            "that leave its picture as it is.",
            scale=2, height=330, description="Quality over α for each representation",
            placeholder="Reading the curves …", elem_classes="wsr-curves",
        )  # fmt: skip
        with gr.Column(min_width=320, elem_classes="wsr-tight"):
            aligned = gr.Radio(ALIGNED, value=False, label="The second fit")
            init = gr.Radio(INITS, value=pairs.OWN, label="Where fitting began")
            with gr.Accordion("Fit a new pair, live", open=False):
                names = gr.CheckboxGroup(
                    [(label, name) for name, label in NAMES.items()],
                    value=handlers.LIVE,
                    label="Representations",
                    show_label=False,
                )
                perturb = gr.Slider(
                    *run.LAMBDAS, value=handlers.LAMBDA, step=0.05, label="λ: how far apart the two starts are"
                )
                sigma = gr.Slider(
                    *run.SIGMAS, value=handlers.SIGMA, step=0.01, label="σ: standard deviation of the starts"
                )
                missing = gr.HTML(snippets.settled(handlers.OFFERED))
                with gr.Row():
                    fit = gr.Button("Fit two", variant="primary", min_width=120)
                    stop = gr.Button("Stop", interactive=False, min_width=120, elem_classes=HALT)
            state = gr.HTML()
    target = gr.Textbox(items_of(there[0], decode=False)[0]["id"], visible="hidden")
    of = gr.Textbox(there[0], visible="hidden")
    live, pair = gr.State(None, time_to_live=3600), gr.Textbox("", visible="hidden")
    return ConnectTab(
        dataset=dataset, strip=strip, look=look, play=play, alpha=alpha, aligned=aligned,
        init=init, sheet=sheet, chart=chart, state=state,
        job=Job("pair", fit, stop, state, "another fit"), names=names, sigma=sigma, perturb=perturb, target=target,
        of=of, live=live, pair=pair, missing=missing,
    )  # fmt: skip


def _wire(tab: ConnectTab, place: Place) -> None:
    look = {**compute.LOOK, **compute.PRIVATE}
    walk, drawn = session.latest(tab.bind(handlers.walk), "walk"), [tab.sheet, tab.chart]
    shown = [*drawn, tab.look, tab.play]
    asked = [tab.of, tab.target, tab.init, tab.live, tab.alpha, tab.aligned]
    newest = {**look, "trigger_mode": "always_last"}
    place.shown(handlers.strip_of, [tab.of, tab.target], tab.strip, **newest)
    place.shown(walk, asked, shown, **newest)
    for event in (place.shown, tab.dataset.change, tab.of.change):
        event(tab.bind(handlers.offer_pair), [tab.dataset, tab.of], [tab.job.start, tab.missing], **newest)
    for widget in (tab.alpha, tab.aligned):  # the page draws the pictures itself, or asks for them
        widget.input(None, [tab.alpha, tab.aligned], drawn, js=MOVE, queue=False, **compute.PRIVATE)
    tab.aligned.input(tab.bind(handlers.say), [one for one in asked if one is not tab.alpha], tab.look, **look)
    tab.play.click(None, js=PLAY, queue=False, **compute.PRIVATE)
    tab.sheet.ask(walk, asked, shown, trigger_mode="always_last", **look)
    left = [tab.live, tab.pair, tab.state]
    chosen = [tab.target, tab.of, *left]  # a target never without its data set
    at_once = {"queue": False, **compute.PRIVATE}
    for by, asks in (("target", tab.strip.pick), ("start", tab.init.input), ("data", tab.dataset.input)):
        asks(None, js=compute.outdated(OLD, by), **at_once)
    for by, event in (
        ("target", tab.strip.pick(tab.bind(handlers.choose), [tab.dataset, tab.of], chosen, **look)),
        ("start", tab.init.input(tab.bind(handlers.left), None, left, **at_once)),
        ("data", tab.dataset.input(tab.bind(handlers.change_dataset), tab.dataset, [tab.strip, *chosen], **look)),
    ):
        # whoever has moved α meanwhile sees their place, not the one that was asked for
        event.then(walk, asked, shown, **look).then(
            None, [tab.alpha, tab.aligned], drawn, js=MOVE_AGAIN, **at_once
        ).then(None, js=compute.answered(by), **at_once)
    pair = {tab.of, tab.target, tab.names, tab.sigma, tab.perturb, tab.alpha, tab.aligned}
    ended = tab.job.wire(Step(tab.bind(handlers.fit_pair), pair, [tab.live, tab.pair, *shown]))
    # whoever has moved α, or aligned the fits, while they were made
    drawn_there = ended.then(walk, asked, shown, **look).then(None, asked[-2:], drawn, js=MOVE_AGAIN, **at_once)
    drawn_there.then(None, tab.state, js=ANSWERED, **at_once)
