"""Handlers of the Connect tab."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.field.sheet import FieldSheet
from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, picked_at, picked_id
from app.figures.barrier import barrier_figure
from app.shared import library, pairs, sheets
from app.shared.pairs import OWN
from app.shared.palette import NAMES
from app.shell import compute, looking, session, snippets
from app.shell.address import NotInLinks, flag, number
from app.shell.jobs import Job, Pace, said_in_line
from app.shell.tabs import Widgets
from app.tabs.connect import plain, run
from app.tabs.connect.run import Race
from wsr.errors import counted
from wsr.fields import registry

SHOWN = 10  # targets to choose from
HALFWAY = 0.5
OFFERED = "Fits the target above twice with each representation, from two starts."
LIVE, SIGMA, LAMBDA = ["mlora", "mlora-asym"], 0.02, 1.0  # initial settings of a live pair
SAID = 0.3  # seconds between two messages about progress
FITTED = "Fitted just now, on this machine. The pictures and curves above are of these fits."
STOPPED = "Stopped. The pairs that were finished are shown."
ENDED = "The fit that was going on has been stopped."
NOTHING_NEW = "Stopped before a pair was finished: all is as it was."
JUST_FITTED = "fitted"  # what the address says of pairs that the visitor has had fitted
GONE = "The pairs of this link were fitted live and are not kept. Those shown here were made before."


@dataclass
class ConnectTab(Widgets):
    """The widgets of the tab. look: what to look at. play: moves α by itself. names, sigma, perturb: settings of a new
    pair. target, of: id of the target of both fits, and its data set: another one than `dataset` says until a target of
    that has been chosen. live: the `Race` that the visitor has fitted, or None for the precomputed one; pair: says it
    in the address. missing: what a new pair is, or why none can be fitted."""

    dataset: gr.Radio
    strip: Pictures
    look: gr.HTML
    play: gr.Button
    alpha: gr.Slider
    aligned: gr.Radio
    init: gr.Radio
    sheet: FieldSheet
    chart: PlotlyChart
    state: gr.HTML
    job: Job
    names: gr.CheckboxGroup
    sigma: gr.Slider
    perturb: gr.Slider
    target: gr.Textbox
    of: gr.Textbox
    live: gr.State
    pair: gr.Textbox
    missing: gr.HTML

    def race(self, found: Race | None) -> dict[Any, Any]:
        """What changes where the visitor has had these pairs fitted, or looks at those that were made before."""
        return {self.live: found, self.pair: JUST_FITTED if found else ""}


@dataclass
class Shown:
    """New values of the widgets for one α: its pictures, the chart with α marked, what to look at, and whether it can
    be played."""

    sheet: str
    chart: dict[str, Any]
    look: str
    play: dict[str, Any]


def restore(tab: ConnectTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    if given.get("pair"):
        raise NotInLinks(GONE)
    dataset = given.get("data", run.datasets()[0])
    init, alpha = given.get("init", OWN), number(given["alpha"], 0, 1) if "alpha" in given else HALFWAY
    target = given.get("target", items_of(dataset, decode=False)[0]["id"])
    run.race(dataset, target, init)
    names = given["fit"].split(",") if "fit" in given else LIVE
    sigma, perturb = (float(given.get(key, value)) for key, value in (("sigma", SIGMA), ("lambda", LAMBDA)))
    run.check_live(names, sigma, perturb)
    return {
        tab.dataset: dataset,
        tab.of: dataset,
        tab.target: target,
        tab.alpha: alpha,
        tab.aligned: flag(given.get("aligned", "false")),
        tab.init: init,
        tab.names: names,
        tab.sigma: sigma,
        tab.perturb: perturb,
        tab.strip: strip_of(dataset, target),
        tab.state: "",
    } | tab.race(None)


@compute.guarded
def walk(
    tab: ConnectTab, dataset: str, target: str, init: str, live: Race | None, alpha: float, aligned: bool
) -> dict[Any, Any]:
    """Shows the pictures at α."""
    of = live or run.race(dataset, target, init)
    answer = shown(of, float(alpha), bool(aligned))
    run.look_ahead(of, float(alpha), bool(aligned))
    return tab.fill(answer)


def shown(of: Race, alpha: float, aligned: bool) -> Shown:
    key = tuple(of.lanes.values()), round(alpha, 4), aligned  # lanes are compared by identity
    return looking.SEEN.get(key, lambda: _drawn(of, alpha, aligned))


def _drawn(of: Race, alpha: float, aligned: bool) -> Shown:
    place = {"alpha": alpha, "to": "aligned" if aligned else "b"}
    found = {name: run.in_page(lane) for name, lane in of.lanes.items()}
    fields = {name: field and {**field, **place} for name, field in found.items()}
    cells = [
        snippets.cell(
            image,
            NAMES[name],
            name,
            [of.modality.in_short(run.quality_at(of.lanes[name], alpha, aligned))],
            field=fields[name],
        )
        for name, image in run.pictures(of, alpha, aligned).items()
    ]
    curves = {name: {"raw": lane.raw_curve, "aligned": lane.aligned_curve} for name, lane in of.lanes.items()}
    alphas = next(iter(of.lanes.values())).alphas if of.lanes else []
    chart = barrier_figure(alphas, curves, of=of.modality, at=alpha)
    plays = bool(fields) and all(fields.values())
    return Shown(snippets.sheet(cells), chart, _look(of, aligned, plays), gr.update(interactive=plays))


def _look(of: Race, aligned: bool, plays: bool) -> str:
    begun = plain.BEGUN if plays else f"{plain.BEGUN} {plain.BY_SERVER}"
    first = plain.over_all(of, plain.examples(of.dataset, SHOWN)[0])
    about = snippets.caption(" ".join(filter(None, (plain.starts(of), first))))
    return snippets.caption(begun) + snippets.label(plain.look_at(of, aligned)) + about


@compute.guarded
def say(tab: ConnectTab, dataset: str, target: str, init: str, live: Race | None, aligned: bool) -> dict[Any, Any]:
    """Says what to look at once the second fit is aligned, or no longer."""
    of = live or run.race(dataset, target, init)
    return {tab.look: _look(of, bool(aligned), all(map(run.in_page, of.lanes.values())))}


@compute.guarded
def choose(
    tab: ConnectTab, dataset: str, of: str, event: gr.EventData, request: gr.Request
) -> Iterator[dict[Any, Any]]:  # fmt: skip
    """Chooses a target of the strip. One of a data set that has just been left is not chosen."""
    if of != dataset:
        yield gr.skip()
        return
    target = picked_id(event)
    run.race(dataset, target)
    chosen = ({tab.target: target, tab.of: of, **left(tab, request)} for _ in range(1))
    yield from session.newest(request, chosen, "pair target", at=picked_at(event))


@compute.guarded
def change_dataset(tab: ConnectTab, dataset: str, request: gr.Request) -> dict[Any, Any]:
    first = items_of(dataset, decode=False)[0]["id"]
    return {tab.strip: strip_of(dataset, first), tab.target: first, tab.of: dataset, **left(tab, request)}


def left(tab: ConnectTab, request: gr.Request) -> dict[Any, Any]:
    """Leaves the pairs that the visitor has had fitted, for others that they have chosen. A fit that is going on ends:
    its pairs would come onto the page beside another target."""
    return tab.race(None) | {tab.state: snippets.settled(ENDED) if tab.job.end(request) else ""}


@compute.guarded
def offer_pair(tab: ConnectTab, dataset: str, of: str, request: gr.Request) -> dict[Any, Any]:
    """Offers a new pair where the data set's targets can be read here, and says why where they cannot. While those of
    another data set are on their way, none can be fitted: it would be one of the target before."""
    why = run.not_here(dataset)
    can = not why and of == dataset and not tab.job.is_going_on(request)
    return {tab.job.start: gr.update(interactive=can), tab.missing: snippets.settled(why or OFFERED)}


@said_in_line
def fit_pair(tab: ConnectTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Fits the target twice with each chosen representation, and shows each pair as soon as it is fitted."""
    dataset, target, names = values[tab.of], values[tab.target], values[tab.names]
    alpha, aligned = float(values[tab.alpha]), bool(values[tab.aligned])
    stop, pace, any_shown = tab.job.stop_file(request), Pace(SAID), False
    begun = f"Fitting twice with {counted(len(names), 'representation')} …"
    yield {tab.state: snippets.working(begun, 0.0)}
    sigma, perturb = float(values[tab.sigma]), float(values[tab.perturb])
    try:
        with contextlib.closing(run.fit_live(dataset, target, names, sigma, perturb, stop.exists)) as running:
            for done, found in running:
                if stop.exists():
                    yield {tab.state: snippets.settled(STOPPED if any_shown else NOTHING_NEW)}
                    return
                if found:
                    any_shown = True
                    words = snippets.working(f"{len(found.lanes)} of {len(names)} pairs fitted", done)
                    yield {tab.state: words} | tab.race(found) | tab.fill(shown(found, alpha, aligned))
                elif pace.is_due():
                    pace.drawn()
                    yield {tab.state: snippets.working(begun, done)}
    except run.NotHere as missing:
        yield {tab.state: snippets.settled(str(missing))}
        return
    said = FITTED if not stop.exists() else STOPPED if any_shown else NOTHING_NEW
    yield {tab.state: snippets.settled(said)}


def items_of(dataset: str, decode: bool = True) -> list[dict[str, Any]]:
    """Targets to choose from, each with the picture of a fit of it."""
    return sheets.examples(_collection(dataset), plain.examples(dataset, SHOWN), decode)


def being_drawn(dataset: str) -> str:
    """The sheet of pictures as HTML while its pictures are being decoded."""
    there = [name for name, start in pairs.kinds(dataset) if start == OWN]
    return snippets.sheet([snippets.cell(None, NAMES[name], name, [], missing="Decoding …") for name in there])


def strip_of(dataset: str, target: str) -> Any:
    """Update of the strip that adds its pictures. Decoding them imports the engine, so the page is built without
    them. target: id of the one that is shown as chosen, if it is among them."""
    return gr.update(value=items_of(dataset), sprite=sprite_of(dataset), chosen=target)


def sprite_of(dataset: str) -> dict[str, Any] | None:
    return sheets.shared(_collection(dataset))


def _collection(dataset: str) -> str:
    """The collection whose pictures the strip of targets shows."""
    return library.name_of(dataset, registry.DEFAULT)
