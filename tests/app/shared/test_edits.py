"""The row Edit: sliders of the open network, the texts beside them, undo, reset and combine."""

import json
from dataclasses import replace

import gradio as gr
import pytest
import torch
from by_name import by_name
from safetensors.torch import load

from app.components.field import files
from app.shared import edit_row, edits, library, networks
from app.shared.edit_row import EditRow
from app.shared.fitted import Fitted
from app.tabs.fit import handlers as fit_handlers
from app.tabs.fit.handlers import FitTab
from app.tabs.generate import open_sample
from app.tabs.generate.widgets import GenerateTab
from wsr.errors import WsrError

NAME = "shapes10-mlora-asym"


class Request:
    session_hash = "edit-tests"


@pytest.fixture
def chair(assets, small):
    """An open network: a chair of the tiny zoo, which has a height, and a style of legs."""
    model = networks.zoo(NAME).representation
    return Fitted("sample 1", model, networks.vector(NAME, "chair-00003"), (1, 1), 0.0, 0, NAME)


def row(show=lambda edited, request: {"shown": edited.fitted}):
    return replace(by_name(EditRow), show=show)


def said(answer):
    return answer["said"]


def slid(*asked):
    """All that is shown after a slider has been moved: later answers replace parts of earlier ones."""
    answers = list(edit_row.slid(row(), *asked))
    return {key: value for one in answers for key, value in one.items()} if answers[0] != gr.skip() else answers[0]


def test_a_network_without_attributes_is_not_edited(assets, small):
    name = "emoji-mlora"
    item = library.collection(name).ids[0]
    emoji = Fitted("fox", networks.zoo(name).representation, networks.vector(name, item), (1, 1), 0.0, 0, name)
    hidden = edit_row.offered(row(), emoji, None, True)
    assert hidden["row"]["visible"] is False and hidden["edits"] is None
    assert edit_row.offered(row(), None, None, False)["row"]["visible"] is False
    assert slid(None, "height", 1.0, Request()) == gr.skip()


def test_the_row_is_offered_folded_and_filled_when_it_is_wanted(chair):
    offered = edit_row.offered(row(), chair, None, False)
    assert offered["row"]["visible"] is True and offered["attribute"]["choices"] == []
    # an amount that was moved before the row was filled was lost, and the row stayed as if it waited for an answer
    assert not offered["attribute"]["interactive"] and not offered["amount"]["interactive"]
    begun = offered["edits"]
    assert (begun.name, begun.cls, begun.amounts) == (NAME, "chair", {})
    filled = edit_row.unfolded(row(), begun)
    assert filled["attribute"]["choices"] == ["height", "legs: round", "legs: square"]
    assert filled["wanted"] is True and filled["amount"] == gr.update(value=0.0, interactive=True)
    assert filled["attribute"]["interactive"] and not filled["undo"]["interactive"]
    again = edit_row.offered(row(), chair, None, True)  # another network is opened while the row is unfolded
    assert again["attribute"]["value"] == "height"


def test_a_slider_moves_the_network_and_says_what_is_measured(chair):
    begun = edits.begun(chair)
    moved = slid(begun, "height", 1.5, Request())
    step = edits.directions(NAME, "chair")["height"]
    torch.testing.assert_close(moved["fitted"].weights, chair.weights + 1.5 * step.vector)
    assert moved["shown"] is moved["fitted"] and moved["fitted"].label == "sample 1, edited"
    # the visitor is moving the slider, so its value is not sent back
    assert "amount" not in moved and moved["undo"]["interactive"]
    assert "asked for" in said(moved) and "of 100 fits of new targets" in said(moved)
    # an edit does not open another network
    assert edit_row.offered(row(), moved["fitted"], moved["edits"], True) == gr.skip()
    other = slid(moved["edits"], "legs: round", 1.0, Request())
    assert "sure →" in said(other)


def test_the_first_edit_of_a_kind_is_seen_at_once_and_says_what_its_measurements_wait_for(chair):
    """On a busy machine a picture was awaited for two minutes, because what measures it was made first."""
    begun = edits.begun(chair)
    edits.readings.cache_clear()
    first, last = edit_row.slid(row(), begun, "height", 1.5, Request())
    assert "Learning to read" in said(first) and first["shown"] is first["fitted"] is first["edits"].fitted
    assert set(last) == {"said"} and "asked for" in said(last)
    assert len(list(edit_row.slid(row(), first["edits"], "height", 1.0, Request()))) == 1
    edits.readings.cache_clear()  # as when others have needed the memory
    edit_row.prepared(row(), begun)  # as when the row has been unfolded
    assert len(list(edit_row.slid(row(), begun, "height", 1.0, Request()))) == 1


def test_the_page_knows_where_a_slider_leads(assets, small, chair):
    """Of pictures: the weights with the slider at 0 and at 1, whatever the other sliders are at. Surfaces are drawn by
    the server."""
    assert edit_row.unfolded(row(), edits.begun(chair))["way"] == ""
    name = "emoji-mlora-asym"
    model, weights = networks.zoo(name).representation, networks.vector(name, library.collection(name).ids[3])
    begun = edits.begun(Fitted("sample 1", model, weights, (1, 1), 0.0, 0, name))
    step = edits.directions(name, None).at(weights)["warmth"].vector
    moved = slid(begun, "warmth", 2.0, Request())
    assert moved["way"] == edit_row.unfolded(row(), begun)["way"]  # the slider's own amount is no part of it
    file = files._FOLDER / json.loads(moved["way"])["vectors"].rsplit("/")[-1]
    kept = load(file.read_bytes())
    torch.testing.assert_close(kept["a"].float(), weights[0])
    torch.testing.assert_close(kept["b"].float(), weights[0] + step[0] if step.ndim == 2 else weights[0] + step)
    assert torch.allclose(kept["a"] + 2 * (kept["b"] - kept["a"]), moved["fitted"].weights[0], atol=1e-5)


def test_edits_add_up_and_are_undone_one_by_one_or_all_together(chair):
    first = slid(edits.begun(chair), "height", 0.5, Request())["edits"]
    # the same slider again: the new amount replaces the old one
    first = slid(first, "height", 2.0, Request())["edits"]
    both = slid(first, "legs: round", -1.0, Request())["edits"]
    assert both.amounts == {"height": 2.0, "legs: round": -1.0}
    found = edits.directions(NAME, "chair").at(chair.weights)
    torch.testing.assert_close(both.fitted.weights, found.moved(chair.weights, both.amounts))
    assert edit_row.chosen(row(), both, "height")["amount"] == 2.0
    one = edit_row.undone(row(), both, "legs: round", Request())
    assert one["edits"].amounts == {"height": 2.0} and one["amount"] == 0 and one["undo"]["interactive"]
    none = edit_row.undone(row(), one["edits"], "height", Request())
    assert torch.equal(none["fitted"].weights, chair.weights) and not none["undo"]["interactive"]
    assert none["fitted"].label == "sample 1"
    reset = edit_row.reset(row(), both, "height", Request())
    assert torch.equal(reset["fitted"].weights, chair.weights) and reset["edits"].amounts == {}
    assert edits.begun(chair).undone().amounts == {}


def test_the_gauge_warns_when_the_network_leaves_the_data(chair):
    far = replace(edits.begun(chair).moved("height", 0.1))
    away = replace(far, fitted=replace(far.fitted, weights=chair.weights + 30))
    assert "has left the data" in edits.said(away, "height") and "wsr-failed" in edits.said(away, "height")


@pytest.mark.parametrize(("name", "amount"), [("heigth", 1.0), ("height", 3.5), ("height", "1"), ("height", True)])
def test_what_a_page_cannot_ask_is_refused(chair, name, amount):
    with pytest.raises(gr.Error, match="did you mean 'height'|goes from"):
        slid(edits.begun(chair), name, amount, Request())


def test_both_tabs_show_what_has_been_edited(chair):
    edited = edits.begun(chair).moved("height", 1.0)
    generate, fit = by_name(GenerateTab), by_name(FitTab)
    shown = open_sample.show_edited(generate, edited, Request())
    assert shown["pair"].count("<figure>") == 2 and "sample 1, edited" in shown["pair"] and shown["verdict"] == ""
    assert not shown["files"]["visible"], "those that were written are of the sample as it was"
    shown = fit_handlers.show_edited(fit, edited, Request())
    assert set(shown) == {"picture", "surface", "heat", "download"}
    before, after = (fit_handlers.show_edited(fit, one, Request())["heat"] for one in (edited.reset(), edited))
    assert after != before, "the picture of its weights stayed that of the fit"
    assert shown["download"]["value"].endswith("sample-1--edited-mlora-asym.safetensors")


def test_a_fit_finds_the_collection_that_decodes_alike(chair):
    fit = replace(chair, collection="")
    assert edits.editable(fit) == NAME
    model = networks.zoo("shapes10-mlp").representation
    other = replace(fit, model=model, weights=networks.vector("shapes10-mlp", "chair-00003"))
    assert edits.editable(other) == "shapes10-mlp"
    with pytest.raises(WsrError, match="goes from"):
        edits.begun(fit).moved("height", 4.0)
