"""Handlers of the Audit tab."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.plotly_chart import PlotlyChart, chart_update, picked_at, picked_id
from app.figures.plane import colours, distances_figure, plane_figure, rows_figure
from app.shared import library, own
from app.shared.palette import NAMES
from app.shell import compute, session, snippets
from app.shell.address import Nothing
from app.shell.jobs import Job
from app.shell.tabs import Widgets
from app.tabs.audit import run
from app.tabs.audit.run import Report
from wsr.fields.registry import named

NOTE = (
    "Each row is a generator, or a set to compare with. Its first two numbers are medians of its networks, the others "
    "how many percent of them are copies of one training network, mixes of two, and new."
)


@dataclass
class Bringing:
    """The widgets of an audit of what a visitor brings. samples, training: the uploads. form: the format of another
    program's files."""

    samples: gr.File
    training: gr.File
    form: gr.Dropdown
    job: Job


@dataclass
class AuditTab(Widgets):
    """The widgets of the tab. point: id of the open point. pair, said, rows: the open point beside its nearest training
    networks, as pictures, as a sentence and as weights. mine: names of the audits of what this visitor has brought.
    bringing: what brings them."""

    dataset: gr.Radio
    kind: gr.Dropdown
    plane: PlotlyChart
    histogram: PlotlyChart
    table: gr.HTML
    headline: gr.HTML
    point: gr.Textbox
    pair: gr.HTML
    said: gr.HTML
    rows: PlotlyChart
    mine: gr.State
    bringing: Bringing


@dataclass
class Screen:
    """New values of the tab's widgets. None leaves a widget as it is."""

    point: str
    plane: dict[str, Any]
    pair: str
    said: str
    rows: dict[str, Any]
    histogram: dict[str, Any] | None = None
    table: str | None = None
    headline: str | None = None


def kinds(dataset: str) -> list[tuple[str, str]]:
    found = [library.collection(name) for name in (run.names() if not own.find(dataset) else [dataset])]
    return [(NAMES[one.representation], one.representation) for one in found if one.dataset == dataset]


def restore(tab: AuditTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    if own.is_own(given.get("data")):
        raise Nothing(own.PRIVATE)
    first = library.collection(run.names()[0])
    dataset, kind = given.get("data", first.dataset), given.get("kind", first.representation)
    found = run.checked(dataset, kind)
    point = given.get("point", "")
    if point:
        found.row(point)
    return {tab.dataset: dataset, tab.kind: gr.update(choices=kinds(dataset), value=kind), tab.point: point}


@compute.guarded
def show(
    tab: AuditTab, dataset: str, kind: str, point: str, request: gr.Request, mine: Sequence[str] = ()
) -> Iterator[dict[Any, Any]]:  # fmt: skip
    """Fills the whole tab."""
    own.require(dataset, mine)
    yield from session.newest(request, (tab.fill(one) for one in shown(dataset, kind, point)), "audit", "audit point")


def shown(dataset: str, kind: str, point: str) -> Iterator[Screen]:
    found = run.checked(dataset, kind)
    if not found.has(point):  # of the data set or representation that has just been left
        point = run.first_point(found.name)
    plane = chart_update(figure=plane_figure(found.rows, colours(kind)), highlight=_marked(point))
    histogram = distances_figure(run.distances(found), colours(kind))
    said = snippets.settled(run.headline(found))
    yield Screen(point, plane, **_opened(found, point), histogram=histogram, table=table_of(found), headline=said)


def _marked(point: str) -> list[dict[str, str]]:
    return [{"id": point, "role": "picked"}]


def _opened(found: Report, point: str) -> dict[str, Any]:
    """New values of the widgets that show a point beside its nearest training networks."""
    pair, said = snippets.pictures(run.pictures(found, point)), snippets.settled(run.told(found, point))
    return {"pair": pair, "said": said, "rows": rows_figure(run.compared(found, point))}


@compute.guarded
def pick(
    tab: AuditTab, dataset: str, kind: str, event: gr.EventData, request: gr.Request, mine: Sequence[str] = ()
) -> Iterator[dict[Any, Any]]:
    own.require(dataset, mine)
    picked = _picked(dataset, kind, picked_id(event))
    yield from session.newest(request, (tab.fill(one) for one in picked), "audit point", at=picked_at(event))


def _picked(dataset: str, kind: str, point: str) -> Iterator[Screen]:
    found = run.checked(dataset, kind)
    found.row(point)
    yield Screen(point, chart_update(highlight=_marked(point)), **_opened(found, point))


@compute.guarded
def change_dataset(tab: AuditTab, dataset: str, mine: Sequence[str] = ()) -> dict[Any, Any]:
    own.require(dataset, mine)
    choices = kinds(dataset)
    run.checked(dataset, choices[0][1] if choices else "")
    return {tab.kind: gr.update(choices=choices, value=choices[0][1]), tab.point: ""}


def _missed(summaries: Mapping[str, Mapping[str, float]]) -> str:
    """What an audit of copies and blends of two cannot see, as measured; "" where it was not planted."""
    found = summaries.get("average of 16", {}).get("novel")
    if not found:
        return ""
    return f"Mixtures of many pass: of averages of 16 training networks {found:.0%} were called novel."


def table_of(found: Report) -> str:
    """Table of the generators as HTML: medians of their samples and the shares of the verdicts, above notes on how
    often new fits and planted copies are called copies."""
    from wsr.metrics import needing

    least = "all" if (least := min(found.about["planted"].values())) == 1 else f"at least {int(100 * least)}%"
    about, shares, kind = found.about, run.shares(found), named(library.collection(found.name).representation)
    metrics = [metric for metric in needing("placements") if any(metric.name in place for _, place in shares)]
    lines = [(name, [one.text(place.get(one.name, float("nan"))) for one in metrics]) for name, place in shares]
    unresolved, told = "permutation" in kind.unresolved, _compared(found.name)
    tested, wrong = about["tested"], about["false alarms"]
    more = [
        f"The bounds are set so that {about['alarm']:.0%} of really new fits would be called copies. As a test, each "
        f"half of the held-out fits was judged by bounds from the other: {wrong} of {tested} were called copies.",
        f"Of each kind of planted copies ({', '.join(about['planted'])}), {least} were found.",
        _missed(about["summaries"]),
        f"Copies with their {kind.parts} in another order were not looked for." if unresolved else "",
        f"What two networks show is compared by features of {about['extractor']}." if about["extractor"] else "",
        "Nothing says which networks of the training zoo the generator has seen, so samples were compared with all of "
        "them, and a quarter of them set the bounds." if about.get("everything") else "",
        f"Diffusion compared with held-out fits (in brackets, training fits): {', '.join(told)}." if told else "",
    ]
    titles = [metric.symbol for metric in metrics]
    return snippets.table(titles, lines, NOTE, "How this was judged", list(filter(None, more)))


def _compared(name: str) -> list[str]:
    """Texts of all measured metrics of our model's samples against held-out fits, each with the value of training fits
    in brackets."""
    from wsr.metrics import needing
    from wsr.metrics.registry import OF_SETS

    samples, real = run.measured(name), run.measured(name, "floor")
    there = [metric for metric in needing(*OF_SETS) if metric.symbol in samples]
    beside = [f" ({one.text(real[one.symbol])})" if one.symbol in real else "" for one in there]
    return [f"{one.heading} {one.text(samples[one.symbol])}{more}" for one, more in zip(there, beside, strict=True)]
