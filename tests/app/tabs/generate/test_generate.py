"""The Generate tab's handlers: samples appear, are told from copies, taken home and placed."""

import sys
import threading
import time
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
import torch
import trimesh

from app.shared import library
from app.shell import compute
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import place_fit
from app.tabs.generate import run as generate_run
from app.tabs.generate import view as generate_tab
from wsr.analysis.novelty import Verdict
from wsr.errors import WsrError

ASKED = ("emoji", "mlora-asym", "any", 1.0, 10, 3)


class Request:
    session_hash = "generate-tests"


@pytest.fixture
def sampled(assets, tmp_path, monkeypatch):
    monkeypatch.setattr(generate_run, "LIVE", {2: (12, 0.0), 3: (8, 0.0)})
    monkeypatch.setattr(generate_run, "FINAL", {2: 16, 3: 12})
    monkeypatch.setattr(generate_run, "LARGE", {2: 24, 3: 12})
    monkeypatch.setattr(generate_run, "OPENED", {2: 24, 3: 12})
    monkeypatch.setattr(
        generate_run, "judged",
        lambda name, w: [
            Verdict(("novel", "blend", "replica")[i % 3], 0.5, 2, 0.9, 0.4, (1, 3), 0.9) for i in range(len(w))
        ],
    )  # fmt: skip
    monkeypatch.setattr(generate_run, "audit", lambda name: (None, library.collection(name).ids))
    return [screen for screen in generate_run.run(generate_run.checked(*ASKED), tmp_path / "stop")]


def test_samples_appear_step_by_step_and_are_judged(sampled):
    looks = [screen.items for screen in sampled if screen.items]
    assert len(looks) > 8 and all(len(look) == generate_run.COUNT for look in looks)
    last, ids = sampled[-1], library.collection("emoji-mlora-asym").labels
    assert [item["note"] for item in looks[-1]][:2] == [f"near {ids[2]}", f"near {ids[1]} + {ids[3]}"]
    assert [item["label"] for item in looks[-1]][:3] == ["1 · novel", "2 · blend", "3 · replica"]
    assert "6 novel, 5 blends of two, 5 replicas" in last.state and last.sampled.weights.shape[0] == 16
    again = list(generate_tab.sample(*ASKED, Request()))
    assert torch.equal(again[-1][2].weights, last.sampled.weights)


def test_the_tab_opens_with_samples_and_they_give_way_to_the_visitors_own(sampled):
    (sketch, first, judged), ask = generate_run.opening("emoji-mlora-asym"), ("emoji", "mlora-asym")
    assert len(sketch.items) == len(first.items) == len(judged.sampled.weights) == 6
    assert judged.items[1]["label"] == "2 · blend"
    assert "6 new networks" in judged.state
    nothing = gr.skip()
    again, same = generate_run.opening("emoji-mlora-asym")  # drawn once for all visitors
    assert again.items is first.items and same.sampled is judged.sampled
    _, shown, last = generate_tab.opened(*ask, None, Request())
    assert shown[2] is judged.sampled and last == (nothing,) * 3
    assert list(generate_tab.opened(*ask, judged.sampled, Request())) == [(nothing,) * 3]
    generate_tab.prepare(*ASKED, None, Request())
    assert all(part == (nothing,) * 3 for part in generate_tab.opened(*ask, None, Request()))
    generate_tab.finish(Request())
    assert len(list(generate_tab.opened(*ask, None, Request()))) == 3


def test_who_asks_for_what_is_on_screen_gets_others(sampled):
    """The first press gave the sixteen samples that were there already, and so did the next."""
    plain = ("emoji", "mlora-asym", "any", generate_run.PLAIN, 50, 0)
    assert generate_tab.prepare(*plain, None, Request())[1] == 1  # seed 0 is what the tab opens with
    made = sampled[-1].sampled
    assert generate_tab.prepare(*ASKED, made, Request())[1] == ASKED[-1] + 1
    assert generate_tab.prepare(*plain[:-1], 7, made, Request())[1] == gr.skip()
    assert generate_tab.prepare("emoji", "nobody", "any", 1.0, 10, 0, made, Request())[1] == gr.skip()
    generate_tab.finish(Request())


def test_no_sample_is_opened_while_others_are_on_their_way(sampled):
    """A click on a picture of the running job opened a network of the last one."""
    made = sampled[-1].sampled
    generate_tab.prepare(*ASKED, made, Request())
    with pytest.raises(gr.Error, match="on their way"):
        generate_tab.pick(made, gr.EventData(None, {"id": "1"}), Request())
    generate_tab.finish(Request())


def test_a_model_without_kept_samples_asks_for_a_press(assets, monkeypatch, tmp_path):
    monkeypatch.setattr(generate_run, "assets_dir", lambda: tmp_path)
    (only,) = generate_run.opening("emoji-mlora-asym")
    assert "Press Sample" in only.state and only.items == []


def test_stop_leaves_what_there_is(assets, tmp_path, monkeypatch):
    stop, records = tmp_path / "stop", generate_run._records

    def pressed(*args):
        for record in records(*args):
            stop.touch()
            yield record

    monkeypatch.setattr(generate_run, "_records", pressed)
    *_, last = generate_run.run(generate_run.checked(*ASKED), stop)
    assert "Stopped after 1 of 10" in last.state and len(last.items) == len(last.sampled.weights) == 16
    assert not last.sampled.verdicts and "near" not in last.items[0]


def test_an_opened_sample_stands_beside_what_it_is_nearest_to(sampled):
    made = sampled[-1].sampled
    picked, fitted, pair, said, surface, take, place, _, walked = generate_tab.pick(
        made, gr.EventData(None, {"id": "1"}), Request()
    )
    assert picked == "1" and pair.count("<figure>") == 3 and "a blend" in said  # with both that it is a mix of
    assert take["interactive"] and place["interactive"] and surface["visible"] == "hidden"
    assert generate_tab.pick(made, gr.EventData(None, {"id": "0"}), Request())[2].count("<figure>") == 2
    files = generate_tab.take(made, "1", Request())["value"]
    assert [file.rsplit(".")[-1] for file in files] == ["safetensors", "png"]
    placed, found, nearest = place_fit(fitted, Visit())
    assert walked == "" and fitted.collection == found.name == "emoji-mlora-asym"
    assert nearest in found.ids and placed.points


def test_what_is_open_stays_open_when_others_come(sampled):
    made = sampled[-1].sampled
    assert all(part == gr.skip() for part in generate_tab.reopen(None, "", Request()))
    assert generate_tab.reopen(made, "", Request())[0] == "0"
    picked, _, pair, *_ = generate_tab.reopen(made, "2", Request())
    assert picked == "2" and "sample 3" in pair


def test_the_walk_begins_and_ends_at_samples(sampled):
    made = sampled[-1].sampled
    for part, number in ((0.0, 2), (1.0, 5)):
        found = generate_run.between(made.asked, 2, 5, part)
        assert torch.allclose(found[0], made.weights[number], atol=1e-4)
    assert "50% of the way from sample 3 to sample 6" in generate_tab.walk(made, "2", 6, 0.5)
    with pytest.raises(gr.Error, match="0 to 1"):
        generate_tab.walk(made, "2", 6, float("nan"))
    assert "Open a sample first" in generate_tab.walk(None, "", 6, 0.5)


def test_shapes_are_drawn_and_taken_as_meshes(assets, tmp_path, monkeypatch):
    monkeypatch.setattr(generate_run, "COUNT", 2)
    monkeypatch.setattr(generate_run, "LARGE", {2: 24, 3: 12})
    asked = generate_run.checked("shapes10", "mlora-asym", "chair", 2.0, 10, 0)
    weights = generate_run.model(asked.name).sample(2, steps=2)
    made = generate_run.Sampled(asked, weights, [])
    shown = generate_run.items(asked, weights, {2: 16, 3: 12})
    assert len(shown) == 2 and shown[0]["src"].startswith("data:image")
    assert generate_run.summary(made) == "2 new networks."
    assert generate_run.files(made, 0, tmp_path)[0].endswith(".safetensors")
    one = generate_run.fitted(made, 0)
    for mesh in (trimesh.Trimesh(), trimesh.creation.icosphere()):
        monkeypatch.setattr(sys.modules["wsr.render.decode"], "decode", lambda *_, mesh=mesh: [mesh])
        other = replace(one, weights=one.weights + len(mesh.faces))  # what has been looked at is kept
        picture, glb = generate_run.look(other, tmp_path)
        assert bool(glb) == bool(len(mesh.faces))
    assert picture.shape == (generate_run.DRAWN,) * 2 + (3,) and trimesh.load(glb).geometry


def test_too_few_held_out_fits_give_no_verdict(assets):
    weights = generate_run.model("emoji-mlora-asym").sample(2, steps=2)
    assert generate_run.judged("emoji-mlora-asym", weights) == []


@pytest.mark.parametrize("forged", [
    ("emoji", "mlora", "any", 1.0, 10, 0), ("../x", "mlora-asym", "any", 1.0, 10, 0),
    ("emoji", "mlora-asym", "nobody", 1.0, 10, 0), ("emoji", "mlora-asym", "any", 99.0, 10, 0),
    ("emoji", "mlora-asym", "any", 1.0, "x", 0), ("emoji", "mlora-asym", "any", 1.0, 10, float("nan")),
])  # fmt: skip
def test_forged_requests_are_told_in_a_sentence(assets, forged):
    with pytest.raises(WsrError):
        generate_run.checked(*forged)
    (told,) = generate_tab.sample(*forged, Request())
    assert "wsr-state" in told[0] and compute.UNEXPECTED not in told[0]


def test_forged_samples_are_told(sampled):
    made = sampled[-1].sampled
    for number in ("99", "x", "-1"):
        with pytest.raises(gr.Error, match="no sample"):
            generate_tab.pick(made, gr.EventData(None, {"id": number}), Request())
    with pytest.raises(gr.Error, match="press Sample"):
        generate_tab.pick(None, gr.EventData(None, {"id": "0"}), Request())


def test_a_link_says_what_to_sample(assets):
    given = {"data": "emoji", "class": "food", "guidance": "1.5", "seed": "7", "sample": "3"}
    values = generate_tab.restore(given)
    assert values[0] == "emoji" and values[2]["value"] == "food" and values[3:7] == [1.5, 50, 7, "3"]
    assert values[7], "and they are drawn"
    first = generate_tab.restore({})
    assert first[0] == "shapes10" and first[3] == 2.5, "shapes come first, with the models' own guidance"
    assert first[7] == "", "these are there already"
    with pytest.raises(WsrError, match="numbered"):
        generate_tab.restore({"sample": "16"})
    assert np.isfinite(values[3])
    with pytest.raises(WsrError):
        generate_tab.restore({"class": "nobody"})


def test_a_model_is_made_ready_without_keeping_anybody_from_looking(assets, monkeypatch):
    began, over, done = threading.Event(), threading.Event(), []

    def slow(name):
        began.set()
        over.wait(30)
        done.append(name)

    monkeypatch.setattr(generate_run, "warm", slow)
    for _ in range(5):  # visitors
        generate_tab.warm(*ASKED[:2])
    assert began.wait(30) and not done
    over.set()
    until = time.monotonic() + 30
    while generate_tab._warming and time.monotonic() < until:
        time.sleep(0.01)
    assert done == ["emoji-mlora-asym"]
