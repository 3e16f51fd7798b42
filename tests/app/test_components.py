"""The Python side of the components. tests/browser tests what they do in a browser."""

import json
import os
import re
import time
from pathlib import Path

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import app
from app.components import plotly_chart, plotly_script
from app.components.pictures import Pictures
from app.components.plotly_chart import PlotlyChart, chart_update, picked_at, picked_id

FIGURE = {"data": [{"type": "scattergl", "x": [1, 2], "y": [1, 2], "customdata": ["a", "b"]}], "layout": {}}


def event(data):
    return gr.EventData(None, data)


@pytest.mark.parametrize("make", [lambda: PlotlyChart(FIGURE, highlight=[{"id": "a", "role": "picked"}]), Pictures])
def test_the_config_is_plain_json(make):
    with gr.Blocks():
        config = make().get_config()
    json.dumps(config, allow_nan=False)
    assert config["component_class_name"] in ("PlotlyChart", "Pictures")


def test_a_figure_travels_as_text():
    with gr.Blocks():
        chart = PlotlyChart(FIGURE)
    assert json.loads(chart.value) == FIGURE
    assert chart.postprocess(None) is None


def test_a_large_figure_travels_as_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(plotly_chart, "LARGE", 50)
    monkeypatch.setattr(plotly_chart, "KEPT", 2)
    monkeypatch.setattr(plotly_chart, "_FOLDER", tmp_path)
    with gr.Blocks():
        chart = PlotlyChart(FIGURE)
    folder, _, name = chart.value.rpartition("/")
    assert folder == f"gradio_api/file={tmp_path}" and json.loads((tmp_path / name).read_text()) == FIGURE
    assert chart.postprocess(chart.value) == chart.value == chart.postprocess(FIGURE)
    for number in range(3):
        chart.postprocess({**FIGURE, "layout": {"height": number}})
    assert len(list(tmp_path.iterdir())) == 2


def test_a_large_figure_that_is_wanted_again_is_not_the_next_to_go(monkeypatch, tmp_path):
    """The map that most visitors see is written first: it went while their pages were about to fetch it."""
    monkeypatch.setattr(plotly_chart, "LARGE", 50)
    monkeypatch.setattr(plotly_chart, "KEPT", 2)
    monkeypatch.setattr(plotly_chart, "_FOLDER", tmp_path)
    with gr.Blocks():
        chart = PlotlyChart(FIGURE)
    name = chart.value.rpartition("/")[2]
    for number in range(3):
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=lambda one: one.stat().st_mtime), -9):
            os.utime(path, (time.time() + age,) * 2)
        assert chart.postprocess(FIGURE) == chart.value
        chart.postprocess({**FIGURE, "layout": {"height": number}})
        assert (tmp_path / name).exists()


def test_updates_name_what_changes_only():
    assert chart_update(highlight=[]) == {"__type__": "update", "highlight": []}
    assert chart_update(figure=FIGURE, sprite={})["value"] == FIGURE


@pytest.mark.parametrize("component", [PlotlyChart, Pictures])
def test_a_pick_can_be_listened_to_and_nothing_else_is_taken_for_an_event(component):
    with gr.Blocks() as page:
        widget = component()
        widget.pick(lambda: None, None, None)
        with pytest.raises(AttributeError):
            _ = widget.highlight_me
    assert [target[1] for fn in page.fns.values() for target in fn.targets] == ["pick"]


@pytest.mark.parametrize("data", [None, 3, [], {}, {"id": None}, {"id": 4}, {"id": ["a"]}])
def test_a_forged_pick_is_no_id(data):
    assert picked_id(event(data)) == ""


@pytest.mark.parametrize("at", [None, "3", True, float("inf"), float("nan"), [1], {}])
def test_when_a_point_was_picked_may_be_anything_that_a_visitor_sends(at):
    assert picked_at(event({"id": "a", "at": at})) is None
    assert picked_at(event({"id": "a", "at": 5})) == 5.0


def test_a_picked_id_is_bounded():
    assert picked_id(event({"id": "chair-00042"})) == "chair-00042"
    assert len(picked_id(event({"id": "x" * 10_000}))) == 200


def test_a_page_fetches_the_part_of_plotly_for_flat_charts_and_knows_where_the_whole_is():
    with gr.Blocks():
        chart = PlotlyChart()
    flat, whole = plotly_script.FLAT.address, plotly_script.WHOLE.address
    assert chart.head == f'<script src="{flat}"></script>' and not flat.startswith("/")
    assert f'data-whole="{whole}"' in chart.html_template and not whole.startswith("/")


@pytest.mark.parametrize("takes", ["br, gzip", "gzip", "identity"])
@pytest.mark.parametrize("script", [plotly_script.FLAT, plotly_script.WHOLE], ids=["flat", "whole"])
def test_plotly_is_sent_as_small_as_the_browser_takes_it(script, takes):
    answer = TestClient(Starlette(routes=plotly_script.routes())).get(
        f"/{script.address}", headers={"accept-encoding": takes}
    )
    assert answer.content == script.path.read_bytes() and "immutable" in answer.headers["cache-control"]
    size, part = int(answer.headers["content-length"]), 0.4 if script is plotly_script.FLAT else 1
    assert size < part * {"br, gzip": 1_300_000, "gzip": 1_500_000, "identity": 6_000_000}[takes]


def test_our_own_files_name_no_other_server():
    folder = Path(app.__file__).parent
    files = [path for kind in ("*.js", "*.css", "*.py") for path in folder.rglob(kind) if path.parent.name != "vendor"]
    assert len(files) > 10
    for path in files:
        named = set(re.findall(r"https?://([\w.]*)", path.read_text())) - {"127.0.0.1"}
        # a Space is a frame in a page of the Hub, which is told its address, and the guide links to the paper: nothing
        # is fetched from there, as tests/browser sees at every visit
        linked = {"huggingface.co", "arxiv.org", "inrainbws.github.io"} if path.parent.name == "guide" else set()
        assert named <= linked, path
