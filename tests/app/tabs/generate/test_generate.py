"""The Generate tab's handlers: samples appear, are compared with training weights, downloaded and placed on the map."""

import html
import sys
import threading
import time
from dataclasses import replace
from functools import partial

import gradio as gr
import pytest
import torch
import trimesh

from app.shared import library
from app.shell import compute, jobs, snippets
from app.tabs.generate import drawn, handlers, models, open_sample
from app.tabs.generate import run as generate_run
from tests.app.tabs.generate.page_values import ASKED, TAB, asked
from wsr.errors import WsrError


class Request:
    session_hash = "generate-tests"


def test_samples_appear_step_by_step_and_are_judged(sampled):
    looks = [screen.items for screen in sampled if screen.items]
    assert len(looks) > 8 and all(len(look) == models.COUNT for look in looks)
    last, ids = sampled[-1], library.collection("emoji-mlora-asym").labels
    assert [item["note"] for item in looks[-1]][:2] == [f"near {ids[2]}", f"near {ids[1]} + {ids[3]}"]
    assert [item["label"] for item in looks[-1]][:3] == ["1 · novel", "2 · blend", "3 · replica"]
    assert "6 novel, 5 blends of two, 5 replicas" in last.state and last.sampled.weights.shape[0] == 16
    again = list(handlers.sample(TAB, asked(), Request()))
    assert torch.equal(again[-1]["sampled"].weights, last.sampled.weights)


def test_the_tab_opens_with_samples_and_they_give_way_to_the_visitors_own(sampled):
    (first, judged), ask = generate_run.opening("emoji-mlora-asym"), ("emoji", "mlora-asym", "diffusion")
    assert len(first.items) == len(judged.sampled.weights) == 6
    assert all("src" not in item and item["field"]["network"] for item in first.items)  # the page draws them
    sketch, surfaces, *_ = generate_run.opening("shapes10-mlora-asym")
    assert len(sketch.items) == len(surfaces.items) == 6 and all("src" in item for item in sketch.items)
    assert judged.items[1]["label"] == "2 · blend"
    assert "6 samples" in judged.state
    nothing = gr.skip()
    again, same = generate_run.opening("emoji-mlora-asym")  # sampled once for all visitors
    assert again.items == first.items and same.sampled is judged.sampled
    assert next(generate_run.opening("shapes10-mlora-asym")).items is surfaces.items
    _, shown, last = handlers.opened(TAB, *ask, None, Request())
    assert shown["sampled"] is judged.sampled and last == nothing
    assert list(handlers.opened(TAB, *ask, judged.sampled, Request())) == [nothing]
    handlers.prepare(TAB, asked(), Request())
    assert all(part == nothing for part in handlers.opened(TAB, *ask, None, Request()))
    TAB.job.finish(Request())
    assert len(list(handlers.opened(TAB, *ask, None, Request()))) == 3


def test_pressing_sample_again_draws_other_samples_than_those_on_screen(sampled):
    """In an earlier version, the first and the second press of the button gave the sixteen samples that were already on
    screen."""
    plain = ("emoji", "mlora-asym", "any", models.PLAIN, 50, 0)
    assert handlers.prepare(TAB, asked(*plain), Request())["seed"] == 1  # seed 0 is what the tab opens with
    made = sampled[-1].sampled
    TAB.job.finish(Request())
    assert handlers.prepare(TAB, asked(sampled=made), Request())["seed"] == ASKED[-1] + 1
    TAB.job.finish(Request())
    assert "seed" not in handlers.prepare(TAB, asked(*plain[:-1], 7, sampled=made), Request())
    unknown = asked("emoji", "nobody", "any", 1.0, 10, 0, sampled=made)
    TAB.job.finish(Request())
    assert "seed" not in handlers.prepare(TAB, unknown, Request())
    TAB.job.finish(Request())


def test_the_samples_of_a_link_have_its_seed(assets):
    """The page read the link's generator last: a link to a baseline was compared with the kept samples of diffusion,
    and drew those of seed 1."""
    plain = ("emoji", "mlora-asym", "any", models.PLAIN, 50, 0)
    linked = handlers.restore(TAB, {"data": "emoji", "by": "gaussian", "seed": "0"})["linked"]
    assert linked and "seed" not in handlers.prepare(TAB, asked(*plain, linked=linked), Request())
    TAB.job.finish(Request())


def test_a_model_without_kept_samples_asks_for_a_press(sampled, monkeypatch, tmp_path):
    """What was open of another generator stayed open under its name, and was downloaded as one of it."""
    monkeypatch.setattr(models, "kept_in", lambda name, by: tmp_path)
    (only,) = generate_run.opening("emoji-mlora-asym")
    assert "Press Sample" in only.state and only.items == []
    shown, _ = handlers.opened(TAB, "emoji", "mlora-asym", "gaussian", sampled[-1].sampled, Request())
    assert shown["sampled"] is None and shown["fitted"] is None and shown["verdict"] == ""
    assert open_sample.NONE_OPEN in shown["pair"] and not shown["take"]["interactive"]


def test_what_a_failed_press_says_stays_when_the_verdicts_come(sampled):
    """They came after it, and a visitor read of sixteen new networks where none had been drawn."""
    ask, (first, _) = ("emoji", "mlora-asym", "diffusion"), generate_run.opening("emoji-mlora-asym")
    failed = snippets.failed("The seed must lie between 0 and 99999, and '-1' does not.")
    for kept, said, told in (
        (first.sampled, failed, False), (None, failed, False), (sampled[-1].sampled, failed, False),
        (first.sampled, snippets.settled("Stopped."), True), (None, None, True),
    ):  # fmt: skip
        shown = [part for part in handlers.ended(TAB, *ask, kept, said, Request()) if "state" in part]
        assert bool(shown) == told
    of_another = list(handlers.ended(TAB, *ask[:2], "gaussian", first.sampled, failed, Request()))
    assert "Press Sample" in of_another[0]["state"]


def test_stop_leaves_what_there_is(assets, tmp_path, monkeypatch):
    stop, records = tmp_path / "stop", generate_run.records

    def pressed(*args):
        for record in records(*args):
            stop.touch()
            yield record

    monkeypatch.setattr(generate_run, "records", pressed)
    *_, last = generate_run.run(models.checked(*ASKED), stop)
    assert "Stopped after 1 of 10" in last.state and len(last.items) == len(last.sampled.weights) == 16
    assert not last.sampled.verdicts and "near" not in (one := last.items[0]) and "data:" not in str(one)  # can blend


def test_stop_ends_the_drawing_of_the_last_pictures(assets, tmp_path, monkeypatch, small):
    stop, pictures = tmp_path / "stop", drawn.pictures

    def pressed(name, weights, resolution, pixels):
        if resolution == 12:
            stop.touch()
        return pictures(name, weights, resolution, pixels)

    monkeypatch.setattr(drawn, "pictures", pressed)
    monkeypatch.setattr(drawn, "fields_of", lambda *_, **options: None)  # as of a network without a plan
    *_, last = generate_run.run(models.checked("shapes10", *ASKED[1:]), stop)
    assert "Stopped after 10 of 10" in last.state and len(last.items) == len(last.sampled.weights) == 16


def test_shapes_are_drawn_and_taken_as_meshes(assets, tmp_path, monkeypatch, small):
    monkeypatch.setattr(models, "COUNT", 2)
    wanted = models.checked("shapes10", "mlora-asym", "chair", 2.0, 10, 0)
    weights = models.model(wanted.name).sample(2, steps=2)
    made = models.Sampled(wanted, weights, [])
    here = drawn.items(wanted.name, weights)
    assert len(here) == 2 and here[1]["field"]["shape"] == {"grid": 32, "pixels": 96} and "src" not in here[1]
    monkeypatch.setattr(drawn, "fields_of", lambda *_, **options: None)  # as of a network without a plan
    shown = drawn.items(wanted.name, weights)
    assert len(shown) == 2 and shown[0]["src"].startswith("data:image")
    assert generate_run.summary(made) == "2 samples."
    assert drawn.files(made, 0, tmp_path)[0].endswith(".safetensors")
    one = drawn.fitted(made, 0)
    for mesh in (trimesh.Trimesh(), trimesh.creation.icosphere()):
        monkeypatch.setattr(sys.modules["wsr.render.decode"], "decode", lambda *_, mesh=mesh: [mesh])
        # other weights for each mesh, because drawn pictures are cached
        other = replace(one, weights=one.weights + len(mesh.faces))
        picture, glb = drawn.look(other, tmp_path)
        assert bool(glb) == bool(len(mesh.faces))
    assert picture.shape == (drawn.DRAWN,) * 2 + (3,) and trimesh.load(glb).geometry


def test_samples_that_are_left_behind_give_way_to_those_that_are_kept(sampled, monkeypatch):
    """What was said of them stayed until the others had been drawn, which takes a while after the start of a server."""
    monkeypatch.setattr(jobs, "COURTESY", 0.0)
    asks = (partial(handlers.change_dataset, TAB, "emoji"), partial(handlers.change_kind, TAB, "emoji", "mlora-asym"),
            partial(handlers.change_generator, TAB, "emoji", "mlora-asym", "gaussian"))  # fmt: skip
    for ask in asks:
        assert not {"state", "sampled"} & set(ask(Request()))
        handlers.prepare(TAB, asked(), Request())
        shown = ask(Request())
        assert "Drawing the samples" in shown["state"] and shown["sampled"] is None
        TAB.job.finish(Request())


def test_baselines_are_offered_beside_what_was_trained(sampled, tmp_path):
    """One control offers both the trained generators and the baselines, which need only the zoo."""
    known = dict(handlers.generators_of("emoji-mlora-asym"))
    assert list(known) == ["diffusion", "noise (baseline)", "average (baseline)", "Gaussian (baseline)"]
    shown = handlers.change_generator(TAB, "emoji", "mlora-asym", "gaussian", None)
    assert shown["by"]["value"] == "gaussian" and shown["cls"]["choices"] == ["any"]
    assert not shown["guidance"]["interactive"] and not shown["steps"]["interactive"], "baselines have neither"
    shown = handlers.change_kind(TAB, "emoji", "mlora-asym", None)
    assert shown["by"]["value"] == "diffusion" and shown["guidance"]["interactive"] and shown["steps"]["interactive"]
    given = asked() | {"by": "gaussian"}
    assert "seed" not in handlers.prepare(TAB, given | {"sampled": sampled[-1].sampled}, Request()), "they are others"
    TAB.job.finish(Request())
    *_, last = handlers.sample(TAB, given, Request())
    made = last["sampled"]
    assert made.asked.by == "gaussian" and not torch.equal(made.weights, sampled[-1].sampled.weights)
    assert last["items"]["value"][0]["label"] == "1 · novel", "they carry their verdicts alike"
    assert "mlora-asym-gaussian-seed3-2" in open_sample.take(TAB, made, "1", None, Request())["files"]["value"][0]
    assert "Only a diffusion model" in open_sample.walk(made, "1", 3, 0.5)
    first, _ = handlers.opened(TAB, "emoji", "mlora-asym", "gaussian", sampled[-1].sampled, Request())
    assert "Press Sample" in first["state"], "what is on screen is another's"
    with pytest.raises(WsrError, match="Unknown generator"):
        models.checked(*ASKED, "p-diff")


def test_a_number_that_is_missing_is_told_in_words():
    with pytest.raises(WsrError, match="The seed must lie between 0 and 99999, and there is none."):
        models.require_within("seed", None, *models.SEEDS)


def test_a_link_names_the_generator(assets):
    given = {"data": "emoji", "kind": "mlora-asym", "by": "average"}
    shown = handlers.restore(TAB, given)
    assert shown["by"]["value"] == "average" and "by='average'" in shown["linked"]
    assert handlers.restore(TAB, {"data": "emoji"})["by"]["value"] == "diffusion", "as in links of before"
    with pytest.raises(WsrError, match="Unknown generator"):
        handlers.restore(TAB, given | {"by": "nobody"})


def test_too_few_held_out_fits_give_no_verdict(assets):
    weights = models.model("emoji-mlora-asym").sample(2, steps=2)
    assert generate_run.judged("emoji-mlora-asym", weights) == []


@pytest.mark.parametrize("forged", [
    ("emoji", "mlora", "any", 1.0, 10, 0), ("../x", "mlora-asym", "any", 1.0, 10, 0),
    ("emoji", "mlora-asym", "nobody", 1.0, 10, 0), ("emoji", "mlora-asym", "any", 99.0, 10, 0),
    ("emoji", "mlora-asym", "any", 1.0, "x", 0), ("emoji", "mlora-asym", "any", 1.0, 10, float("nan")),
])  # fmt: skip
def test_forged_requests_are_told_in_a_sentence(assets, forged):
    with pytest.raises(WsrError):
        models.checked(*forged)
    (told,) = handlers.sample(TAB, asked(*forged), Request())
    assert "wsr-state" in told["state"] and compute.UNEXPECTED not in html.unescape(told["state"])


def test_a_link_says_what_to_sample(assets):
    given = {"data": "emoji", "class": "food", "guidance": "1.5", "seed": "7", "sample": "3"}
    shown = handlers.restore(TAB, given)
    assert shown["dataset"] == "emoji" and shown["cls"]["value"] == "food"
    assert [shown[name]["value"] for name in ("guidance", "steps")] == [1.5, 50]
    assert (shown["seed"], shown["picked"]) == (7, "3")
    assert shown["linked"], "and they are drawn"
    first = handlers.restore(TAB, {})
    assert (first["dataset"], first["guidance"]["value"]) == ("shapes10", 2.5), "shapes first, with their own guidance"
    assert first["linked"] == "", "these are there already"
    with pytest.raises(WsrError, match="numbered"):
        handlers.restore(TAB, {"sample": "16"})
    with pytest.raises(WsrError):
        handlers.restore(TAB, {"class": "nobody"})


def test_a_model_is_made_ready_without_keeping_anybody_from_looking(assets, monkeypatch):
    began, over, done = threading.Event(), threading.Event(), []

    def slow(*which):
        began.set()
        over.wait(30)
        done.append(which)

    monkeypatch.setattr(generate_run, "warm", slow)
    for _ in range(5):  # each time as another visitor
        handlers.warm(*ASKED[:2], "diffusion")
    assert began.wait(30) and not done
    over.set()
    until = time.monotonic() + 30
    while handlers._warming and time.monotonic() < until:
        time.sleep(0.01)
    assert done == [("emoji-mlora-asym", "diffusion")]
