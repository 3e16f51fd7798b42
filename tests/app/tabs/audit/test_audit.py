"""The Audit tab's handlers: the plane, a point beside its nearest training networks, and forged requests."""

import gradio as gr
import numpy as np
import pytest
from by_name import by_name

from app.shared import library, networks
from app.shared.palette import REPRESENTATION_COLOURS
from app.shell import session
from app.tabs.audit import handlers
from app.tabs.audit import run as audit_run
from app.tabs.audit.handlers import AuditTab
from app.tabs.generate import drawn
from wsr.errors import WsrError


class Ann:
    session_hash = "ann"


ANN = Ann()
TAB = by_name(AuditTab)


@pytest.fixture(autouse=True)
def _small(small):
    """Decodes at small sizes."""


def test_the_tab_opens_with_a_copy_beside_what_it_copies(assets):
    shown, _ = handlers.show(TAB, "emoji", "mlora-asym", "", ANN)
    point, plane, histogram, table = (shown[name] for name in ("point", "plane", "histogram", "table"))
    headline, pair, said, rows = (shown[name] for name in ("headline", "pair", "said", "rows"))
    report = audit_run.report("emoji-mlora-asym").rows
    made = report[report["generator"] == "diffusion"]
    # the tab opens with the clearest copy
    assert point == f"diffusion:{made['novelty'].idxmin()}" and "a replica" in said
    assert "100% of diffusion" in headline and "5%" in headline
    assert [trace["name"] for trace in plane["value"]["data"]] == ["diffusion", "held out", "noise 0.1"]
    assert plane["value"]["data"][0]["marker"]["color"] == REPRESENTATION_COLOURS["mlora-asym"]
    assert plane["highlight"] == [{"id": point, "role": "picked"}]
    assert {trace["name"] for trace in histogram["data"]} == {"training", "diffusion", "held out"}
    assert pair.count("<figure>") == 3 and "held out" in table and "false" not in table
    assert len(rows["layout"]["yaxis"]["ticktext"]) == 4


def test_the_table_says_what_it_shows_in_two_sentences_and_the_rest_is_folded(assets):
    """In an earlier version, a paragraph of six terms stood above the table."""
    shown, _ = handlers.show(TAB, "emoji", "mlora-asym", "", ANN)
    above, _, below = shown["table"].partition("<table")
    assert handlers.NOTE in above and handlers.NOTE.count(".") == 2 and "<abbr" not in above
    assert "<details" in below and "bounds" in below and "planted copies" in below
    assert handlers._missed({"average of 16": {"novel": 1.0}}).endswith("100% were called novel.")
    assert handlers._missed({"average of 16": {"novel": 0.0}}) == "" == handlers._missed({})


@pytest.mark.parametrize("point", ["held out:1", "noise 0.1:2", "diffusion:3"])
def test_any_point_opens(assets, point):
    event = gr.EventData(None, {"id": point})
    shown, _ = handlers.pick(TAB, "emoji", "mlora-asym", event, ANN)
    assert set(shown) == {"point", "plane", "pair", "said", "rows"} and shown["point"] == point
    # the plane itself is not drawn again
    assert "<figure>" in shown["pair"] and shown["said"] and "value" not in shown["plane"]


def test_of_a_blend_both_parents_are_shown_and_are_the_first_rows(assets, monkeypatch):
    name = "emoji-mlora-asym"
    found = audit_run.report(name)
    rows = found.rows.assign(verdict="blend")
    monkeypatch.setattr(audit_run, "report", lambda _: audit_run.Report(name, rows, found.about))
    one, other = (drawn.label(name, item) for item in rows.iloc[2]["between"].split(" + "))
    event = gr.EventData(None, {"id": "diffusion:2"})
    shown, _ = handlers.pick(TAB, "emoji", "mlora-asym", event, ANN)
    pair, said, figure = shown["pair"], shown["said"], shown["rows"]
    assert f"a mix of: {one}" in pair and f"and of: {other}" in pair and "Diffusion no. 3 is a blend" in said
    assert figure["layout"]["yaxis"]["ticktext"][1:3] == [one, other]


def test_a_late_answer_does_not_undo_a_newer_one(assets):
    """After two clicks, or a click and the choice of another representation, the earlier answer may arrive last; it
    must not replace the newer one."""
    older = handlers.pick(TAB, "emoji", "mlora-asym", gr.EventData(None, {"id": "diffusion:3"}), ANN)
    newer, _ = handlers.pick(TAB, "emoji", "mlora-asym", gr.EventData(None, {"id": "held out:1"}), ANN)
    late = next(older)
    # a generator runs at its first `next`, so this one is the later question
    assert newer["point"] == "held out:1" and late["point"] == "diffusion:3"
    charts = handlers.shown("emoji", "mlora-asym", "")
    shown = session.newest(ANN, charts, "audit", "audit point")
    click = session.newest(ANN, iter(["first", "second"]), "audit point")
    assert next(click) == "first" and next(shown).table
    assert list(click) == [gr.skip()]  # the charts were asked for in between


def test_a_point_of_the_data_set_that_has_just_been_left_is_not_looked_for(assets):
    """In an earlier version, another data set that was pressed while one filled the tab was an error."""
    first, gone = (next(handlers.shown("emoji", "mlora-asym", point)) for point in ("", "p-diff of old:20"))
    assert gone.point == first.point


def test_a_held_out_fit_is_the_zoos_own_and_a_baseline_its_seeds(assets):
    name = "emoji-mlora-asym"
    index = library.collection(name).index
    item = index[index["split"] == "heldout"]["id"].iloc[1]
    assert np.array_equal(audit_run.weights(name, "held out", 1), networks.zoo(name).weights([item]))
    assert audit_run.weights(name, "Gaussian", 3).shape[0] == 1
    with pytest.raises(WsrError, match="generator"):
        audit_run.weights(name, "nobody", 0)


def test_forged_requests_are_told(assets):
    for dataset, kind in (("emoji", "mlora"), ("../..", "x"), (None, 3)):
        with pytest.raises(gr.Error):
            next(handlers.show(TAB, dataset, kind, "", ANN))
    for point in ("nobody:1", "diffusion:99", ""):
        with pytest.raises(gr.Error, match="point"):
            next(handlers.pick(TAB, "emoji", "mlora-asym", gr.EventData(None, {"id": point}), ANN))


def test_a_link_opens_a_point(assets):
    assert handlers.restore(TAB, {"point": "held out:2"})["point"] == "held out:2"
    with pytest.raises(WsrError):
        handlers.restore(TAB, {"point": "held out:77"})
    shown = handlers.restore(TAB, {"data": "shapes10"})
    assert shown["dataset"] == "shapes10" and shown["kind"]["value"] == "mlora-asym" and shown["point"] == ""
