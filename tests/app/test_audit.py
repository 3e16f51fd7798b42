"""The Audit tab's handlers: the plane, a point beside what it is nearest to, and forged requests."""

import gradio as gr
import numpy as np
import pytest

from app import audit_run, audit_tab, generate_run, library
from wsr.errors import WsrError


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(generate_run, "LARGE", {2: 24, 3: 12})


def test_the_tab_opens_with_a_copy_beside_what_it_copies(assets):
    point, plane, histogram, table, pair, said, rows = audit_tab.show("emoji", "mlora-asym", "")
    assert point == "diffusion:0" and "a replica" in said
    assert [trace["name"] for trace in plane["data"][:3]] == ["diffusion", "held out", "noise 0.1"]
    assert len(plane["data"]) == 4, "and a ring around the open point"
    assert {trace["name"] for trace in histogram["data"]} == {"training", "diffusion", "held out"}
    assert pair.count("<figure>") == 3 and "held out" in table and "false" not in table
    assert len(rows["layout"]["yaxis"]["ticktext"]) == 4


@pytest.mark.parametrize("point", ["held out:1", "noise 0.1:2", "diffusion:3"])
def test_any_point_opens(assets, point):
    picked, plane, pair, said, rows = audit_tab.pick("emoji", "mlora-asym", gr.EventData(None, {"id": point}))
    assert picked == point and "<figure>" in pair and said


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
            audit_tab.show(dataset, kind, "")
    for point in ("nobody:1", "diffusion:99", ""):
        with pytest.raises(gr.Error, match="point"):
            audit_tab.pick("emoji", "mlora-asym", gr.EventData(None, {"id": point}))


def test_a_link_opens_a_point(assets):
    assert audit_tab.restore({"point": "held out:2"})[2] == "held out:2"
    with pytest.raises(WsrError):
        audit_tab.restore({"point": "held out:77"})
    dataset, kind, point = audit_tab.restore({"data": "shapes10"})
    assert dataset == "shapes10" and kind["value"] == "mlora-asym" and point == ""
