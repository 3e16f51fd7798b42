"""Handlers of the Results tab."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.components.plotly_chart import picked_at, picked_id
from app.shell import compute, session
from app.shell.tabs import Widgets
from app.tabs.results import drawn, run
from app.tabs.results.picker import Picker


@dataclass
class ResultsTab(Widgets):
    """The widgets of the tab. first: the cards of the first screen; shown: the paper's table beside ours; listed: its
    claims, one by one; record: what the open cell or claim is made of; claim: its id."""

    first: Picker
    table: gr.Radio
    verdict: gr.Radio
    shown: Picker
    listed: Picker
    record: Picker
    claim: gr.Textbox


@dataclass
class Screen:
    """New values of the tab's widgets. None leaves a widget as it is."""

    claim: str | None = None
    record: str | None = None
    table: str | None = None
    shown: str | None = None
    listed: str | None = None
    first: str | None = None


def verdicts() -> list[tuple[str, str]]:
    """The filter's choices, with how many claims each leaves."""
    counts = run.report()["counts"]
    words = [(f"{one.mark} {name} ({counts.get(name, 0)})", name) for name, one in run.VERDICTS.items()]
    return [(f"all claims ({sum(counts.values())})", run.ALL), *words]


def restore(tab: ResultsTab, given: dict[str, str]) -> dict[Any, Any]:
    """Values of the widgets for a link. WsrError if the link names something that does not exist."""
    claim = given.get("claim", "")
    found = run.picked(claim) if claim else None
    table = given.get("table", run.table_of(found) if found else run.tables()[0][1])
    run.groups(table)
    return {tab.table: table, tab.verdict: run.checked(given.get("verdict", run.ALL)), tab.claim: claim}


@compute.guarded
def show(tab: ResultsTab, table: str, verdict: str, claim: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Fills the whole tab."""
    yield from session.newest(request, (tab.fill(one) for one in shown(table, verdict, claim)), "results", "record")


def shown(table: str, verdict: str, claim: str) -> Iterator[Screen]:
    opened = claim or run.first_pick(table)
    yield Screen(claim, drawn.record(opened), first=drawn.first(opened), **_tables(table, verdict, opened))


def _tables(table: str, verdict: str, opened: str) -> dict[str, str]:
    """A table and its claims, as values of their widgets."""
    verdict = run.checked(verdict)
    return {"shown": drawn.table(table, verdict, opened), "listed": drawn.claims(table, verdict, opened)}


@compute.guarded
def change(tab: ResultsTab, table: str, verdict: str, claim: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Shows another table, or claims of another verdict. What is open stays open if it is of this table."""
    yield from session.newest(request, (tab.fill(one) for one in _changed(table, verdict, claim)), "results", "record")


def _changed(table: str, verdict: str, claim: str) -> Iterator[Screen]:
    kept = claim if claim and run.table_of(run.picked(claim)) == table else ""
    opened = kept or run.first_pick(table)
    yield Screen(kept, drawn.record(opened), **_tables(table, verdict, opened))


@compute.guarded
def pick(
    tab: ResultsTab, table: str, verdict: str, event: gr.EventData, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    """Opens a cell or a claim, and the table that it is in."""
    opened = (tab.fill(one) for one in _picked(table, verdict, picked_id(event)))
    yield from session.newest(request, opened, "record", at=picked_at(event))


def _picked(table: str, verdict: str, claim: str) -> Iterator[Screen]:
    inside = run.table_of(run.picked(claim))
    if inside == table:
        yield Screen(claim, drawn.record(claim))
    else:
        yield Screen(claim, drawn.record(claim), inside, **_tables(inside, verdict, claim))
