"""The Audit tab's handlers: the plane, a point beside what it is nearest to, and forged requests."""

import gradio as gr
import numpy as np
import pytest

from app.shared import library
from app.shared.palette import REPRESENTATION_COLOURS
from app.shell import compute
from app.tabs.audit import run as audit_run
from app.tabs.audit import view as audit_tab
from app.tabs.generate import run as generate_run
from wsr.errors import WsrError


class Ann:
    session_hash = "ann"


ANN = Ann()


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(generate_run, "LARGE", {2: 24, 3: 12})


def test_the_tab_opens_with_a_copy_beside_what_it_copies(assets):
    (point, plane, histogram, table, headline, pair, said, rows), _ = audit_tab.show("emoji", "mlora-asym", "", ANN)
    report = audit_run.report("emoji-mlora-asym").rows
    made = report[report["generator"] == "diffusion"]
    assert point == f"diffusion:{made['novelty'].idxmin()}" and "a replica" in said  # of all, the clearest copy
    assert "of diffusion 100%" in headline and "5%" in headline
    assert [trace["name"] for trace in plane["value"]["data"]] == ["diffusion", "held out", "noise 0.1"]
    assert plane["value"]["data"][0]["marker"]["color"] == REPRESENTATION_COLOURS["mlora-asym"]
    assert plane["highlight"] == [{"id": point, "role": "picked"}]
    assert {trace["name"] for trace in histogram["data"]} == {"training", "diffusion", "held out"}
    assert pair.count("<figure>") == 3 and "held out" in table and "false" not in table
    assert len(rows["layout"]["yaxis"]["ticktext"]) == 4


@pytest.mark.parametrize("point", ["held out:1", "noise 0.1:2", "diffusion:3"])
def test_any_point_opens(assets, point):
    event = gr.EventData(None, {"id": point})
    (picked, plane, pair, said, rows), _ = audit_tab.pick("emoji", "mlora-asym", event, ANN)
    assert picked == point and "<figure>" in pair and said and "value" not in plane  # drawn as it is


def test_of_a_blend_both_parents_are_shown_and_are_the_first_rows(assets, monkeypatch):
    name = "emoji-mlora-asym"
    found = audit_run.report(name)
    rows = found.rows.assign(verdict="blend")
    monkeypatch.setattr(audit_run, "report", lambda _: audit_run.Report(name, rows, found.about))
    one, other = (generate_run.label(name, item) for item in rows.iloc[2]["between"].split(" + "))
    event = gr.EventData(None, {"id": "diffusion:2"})
    (_, _, pair, said, figure), _ = audit_tab.pick("emoji", "mlora-asym", event, ANN)
    assert f"a mix of: {one}" in pair and f"and of: {other}" in pair and "Diffusion no. 3 is a blend" in said
    assert figure["layout"]["yaxis"]["ticktext"][1:3] == [one, other]


def test_a_late_answer_does_not_undo_a_newer_one(assets):
    """Two clicks, or a click and another representation: the earlier answer came last and stayed."""
    older = audit_tab.pick("emoji", "mlora-asym", gr.EventData(None, {"id": "diffusion:3"}), ANN)
    (newer, *_), _ = audit_tab.pick("emoji", "mlora-asym", gr.EventData(None, {"id": "held out:1"}), ANN)
    late = next(older)
    assert newer == "held out:1" and late[0] == "diffusion:3"  # it began later after all
    charts = audit_tab._shown("emoji", "mlora-asym", "")
    shown = compute.newest(ANN, charts, "audit", "audit point")
    click = compute.newest(ANN, iter([("first",), ("second",)]), "audit point")
    assert next(click) == ("first",) and len(next(shown)) == 8
    assert list(click) == [(gr.skip(),)]  # the charts have come between


def test_a_held_out_fit_is_the_zoos_own_and_a_baseline_its_seeds(assets):
    name = "emoji-mlora-asym"
    index = library.collection(name).index
    item = index[index["split"] == "heldout"]["id"].iloc[1]
    assert np.array_equal(audit_run.weights(name, "held out", 1), library.zoo(name).weights([item]))
    assert audit_run.weights(name, "Gaussian", 3).shape[0] == 1
    with pytest.raises(WsrError, match="generator"):
        audit_run.weights(name, "nobody", 0)


def test_forged_requests_are_told(assets):
    for dataset, kind in (("emoji", "mlora"), ("../..", "x"), (None, 3)):
        with pytest.raises(gr.Error):
            next(audit_tab.show(dataset, kind, "", ANN))
    for point in ("nobody:1", "diffusion:99", ""):
        with pytest.raises(gr.Error, match="point"):
            next(audit_tab.pick("emoji", "mlora-asym", gr.EventData(None, {"id": point}), ANN))


def test_a_link_opens_a_point(assets):
    assert audit_tab.restore({"point": "held out:2"})[2] == "held out:2"
    with pytest.raises(WsrError):
        audit_tab.restore({"point": "held out:77"})
    dataset, kind, point = audit_tab.restore({"data": "shapes10"})
    assert dataset == "shapes10" and kind["value"] == "mlora-asym" and point == ""
