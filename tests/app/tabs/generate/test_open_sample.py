"""The open sample of the Generate tab: what it stands beside, and what is done with it."""

import sys
from dataclasses import replace

import gradio as gr
import pytest
import torch
import trimesh

from app.shared.edits import Edits
from app.shell import session
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import place_fit
from app.tabs.generate import drawn, handlers, models, open_sample
from app.tabs.generate import run as generate_run
from tests.app.tabs.generate.page_values import TAB, asked
from wsr.fitting.saved import load_weights


class Request:
    session_hash = "open-sample-tests"


def picked(sampled, number):
    return next(open_sample.pick(TAB, sampled, gr.EventData(None, {"id": number}), Request()))


def test_a_sample_that_is_opened_before_the_verdicts_are_there_gets_its_own(sampled):
    """Whoever had chosen another data set and was quick was told to wait, or saw a sample of the data set before."""
    first, judged = generate_run.opening("emoji-mlora-asym")
    assert first.sampled.asked == judged.sampled.asked and not first.sampled.verdicts and judged.sampled.verdicts
    early, then, last = open_sample.pick(TAB, first.sampled, gr.EventData(None, {"id": "1"}), Request())
    assert early["picked"] == "1" and early["pair"].count("<figure>") == 1 and "Comparing it" in early["verdict"]
    late = picked(judged.sampled, "1")
    assert then == {"pair": late["pair"], "verdict": late["verdict"]} and last == gr.skip()
    # an opening that another one ended goes on when the tab is opened again
    assert len(list(handlers.opened(TAB, "emoji", "mlora-asym", "diffusion", first.sampled, Request()))) == 3


def test_a_picked_sample_takes_the_place_of_the_one_that_opens_by_itself(sampled):
    made = sampled[-1].sampled
    by_itself = open_sample.reopen(TAB, made, "0", Request())
    assert picked(made, "5")["picked"] == "5" and next(by_itself)["picked"] == "0", "it had not begun"
    by_itself = open_sample.reopen(TAB, made, "0", Request())
    assert next(by_itself)["picked"] == "0"
    older, newer = (gr.EventData(None, {"id": one, "at": at}) for one, at in (("3", 1e12), ("4", 1e12 + 1)))
    assert next(open_sample.pick(TAB, made, newer, Request()))["picked"] == "4"
    assert list(open_sample.pick(TAB, made, older, Request())) == [gr.skip()]


def test_no_sample_is_opened_while_others_are_on_their_way(sampled):
    """In an earlier version, a click on a picture of the running job opened a network of the previous one."""
    made = sampled[-1].sampled
    handlers.prepare(TAB, asked(sampled=made), Request())
    with pytest.raises(gr.Error, match="on their way"):
        picked(made, "1")
    TAB.job.finish(Request())


def test_an_opened_sample_stands_beside_what_it_is_nearest_to(sampled):
    made = sampled[-1].sampled
    shown = picked(made, "1")
    # the sample and the two weights of which it is a mix
    assert shown["picked"] == "1" and shown["pair"].count("<figure>") == 3
    assert "a blend" in shown["verdict"] and shown["surface"]["visible"] == "hidden"
    assert shown["take"]["interactive"] and shown["place"]["interactive"]
    other = picked(made, "0")
    assert other["pair"].count("<figure>") == 2
    files = open_sample.take(TAB, made, "1", None, Request())["files"]["value"]
    again = open_sample.beside(TAB, made, "1", Request())  # after its edits have been taken back
    assert again == {"pair": shown["pair"], "verdict": shown["verdict"]}
    edited = replace(shown["fitted"], label="sample 2, edited", weights=shown["fitted"].weights + 1)
    kept = open_sample.take(TAB, made, "1", edited, Request())["files"]["value"][0]
    assert kept.endswith("-2-edited.safetensors") and torch.equal(load_weights(kept).weights, edited.weights)
    assert [file.rsplit(".")[-1] for file in files] == ["safetensors", "png"]
    placed, found, nearest = place_fit(shown["fitted"], Visit())
    assert shown["walked"] == "" and shown["fitted"].collection == found.name == "emoji-mlora-asym"
    assert nearest in found.ids and placed.points


def test_what_is_open_stays_open_when_others_come(sampled):
    made = sampled[-1].sampled
    assert list(open_sample.reopen(TAB, None, "", Request())) == [gr.skip()]
    assert next(open_sample.reopen(TAB, made, "", Request()))["picked"] == "0"
    shown = next(open_sample.reopen(TAB, made, "2", Request()))
    assert shown["picked"] == "2" and "sample 3" in shown["pair"]


def test_the_walk_begins_and_ends_at_samples(sampled):
    made = sampled[-1].sampled
    for part, number in ((0.0, 2), (1.0, 5)):
        found = generate_run.between(made.asked, 2, 5, part)
        assert torch.allclose(found[0], made.weights[number], atol=1e-4)
    assert "50% of the way from sample 3 to sample 6" in open_sample.walk(made, "2", 6, 0.5)
    with pytest.raises(gr.Error, match="between 0 and 1"):
        open_sample.walk(made, "2", 6, float("nan"))
    assert "Open a sample first" in open_sample.walk(None, "", 6, 0.5)
    for unknown in (0, 99, -3, None):
        assert "Samples are numbered 1 to 16" in open_sample.walk(made, "2", unknown, 0.5)


def test_an_edited_shape_is_written_once_beside_the_picture_of_what_it_was(assets, tmp_path, monkeypatch, small):
    """Fails if a slider also writes the surface of the unedited sample. One that the page turns needs no file."""
    wanted = models.checked("shapes10", "mlora-asym", "chair", 2.0, 10, 0)
    origin = drawn.fitted(models.Sampled(wanted, models.model(wanted.name).sample(1, steps=2), []), 0)
    ball = trimesh.creation.icosphere()
    monkeypatch.setattr(sys.modules["wsr.render.decode"], "decode", lambda *_: [ball])
    monkeypatch.setattr(handlers.session, "session_dir", lambda request: tmp_path)
    edited = replace(origin, weights=origin.weights + 7, label="sample 1, edited")
    edits = Edits(origin, wanted.name, "chair", fitted=edited)
    here = open_sample.show_edited(TAB, edits, Request())
    assert here["pair"].count("data-turns=") == 2 and not list(tmp_path.glob("*.glb"))
    monkeypatch.setattr(drawn, "field", lambda one: None)  # as of a network without a plan
    shown = open_sample.show_edited(TAB, edits, Request())
    (written,) = tmp_path.glob("*.glb")
    assert shown["surface"]["value"] == str(written)
    assert shown["pair"].count("<img") == 2 and "sample 1, edited" in shown["pair"]


def test_a_walk_that_comes_after_another_sample_was_opened_is_not_shown(sampled, monkeypatch):
    """It stood below the sample that had been opened meanwhile, and told of the one before."""
    made, between = sampled[-1].sampled, generate_run.between

    def meanwhile(*walked):
        picked(made, "5")
        return between(*walked)

    walk = session.latest(open_sample.walk, "walk")
    assert "to sample 2" in next(walk(Request(), made, "0", 2, 0.5))
    monkeypatch.setattr(generate_run, "between", meanwhile)
    assert list(walk(Request(), made, "0", 2, 0.5)) == [gr.skip()]


def test_forged_samples_are_told(sampled):
    made = sampled[-1].sampled
    for number in ("99", "x", "-1"):
        with pytest.raises(gr.Error, match="no sample"):
            picked(made, number)
    with pytest.raises(gr.Error, match="Press Sample"):
        picked(None, "0")


def test_an_opened_sample_that_comes_late_does_not_come_back(sampled, monkeypatch):
    """While it was being drawn, others were asked for."""
    large = open_sample.large

    def pressed(*args):
        found = large(*args)
        handlers.prepare(TAB, asked(sampled=sampled[-1].sampled), Request())
        return found

    monkeypatch.setattr(open_sample, "large", pressed)
    assert list(open_sample.reopen(TAB, sampled[-1].sampled, "0", Request())) == [gr.skip()]
    TAB.job.finish(Request())
