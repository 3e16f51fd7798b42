"""The Symmetry tab's handlers: transformations are applied to weights, and their effects are shown."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app.shared import library
from app.tabs.symmetry import cards as symmetry_cards
from app.tabs.symmetry import handlers, stripes, view
from app.tabs.symmetry import run as symmetry_run
from app.tabs.symmetry import shuffle as symmetry_shuffle
from app.tabs.symmetry import starts as symmetry_starts
from app.tabs.symmetry import terms as symmetry_terms
from app.tabs.symmetry.facts import by, measured, small
from wsr import WsrError, representations
from wsr.fields.registry import named

DATASET = "emoji"


def opened(card, *values):
    """Returns the values that a card shows for an item, in the order of its widgets."""
    shown = card.opening(DATASET, *values)
    return [shown[widget] for widget in card.outputs]


@pytest.fixture
def item(assets):
    return library.collection("emoji-mlora").ids[3]


@pytest.mark.parametrize("name", representations)
def test_what_is_done_leaves_the_picture_and_only_what_is_allowed_leaves_the_mask(item, name):
    of = symmetry_run.subject(f"{DATASET}-{name}", item)
    for kind in of.model.kind.symmetries:
        moved = symmetry_run.act(of, kind, 1, 0.5)
        assert moved.difference < 1e-4 and moved.distance > 1e-3 * moved.size
        assert (moved.broken == 0) == (kind in named(name).allowed)
    if of.model.masked:
        moved = symmetry_run.act(of, "permutation", 1, 1.0)
        back = symmetry_run.remasked(of, moved)
        assert back.broken == 0 and back.difference > 10 * moved.difference


def test_all_terms_together_are_the_field_and_fewer_are_not(item):
    for name in ("lora", "mlora-asym"):
        of = symmetry_run.subject(f"{DATASET}-{name}", item)
        whole = symmetry_run.terms(of, 2, [0, 1, 2, 3])
        assert np.allclose(whole.picture, symmetry_run.picture(of.model, of.full), atol=1e-5)
        assert not np.allclose(symmetry_run.terms(of, 2, [0]).picture, whole.picture, atol=1e-3)
    a, b = of.model.pairs(of.full)
    wanted = (b[2, 0] @ a[2, 0]) * of.model.folded[2]
    assert np.allclose(whole.terms.sum(0), wanted.numpy(), atol=1e-4)  # theorem 2
    with pytest.raises(WsrError, match="no terms"):
        symmetry_run.terms(symmetry_run.subject(f"{DATASET}-mlp", item), 0, [0])


def test_where_nothing_changes_no_number_is_said(item):
    """In an earlier version, no pixel moved by more than 0."""
    of = symmetry_run.subject(f"{DATASET}-mlora", item)
    moved = symmetry_run.act(of, "sign", 1, 0.5)
    assert by(0.0, " (m)") == "" and by(5e-7, " (m)") == " by more than 0.0000005 (m)"
    assert "by more than 0.25" in measured(of, replace(moved, difference=0.25))
    assert "more than" not in measured(of, replace(moved, difference=0.0))


def test_every_card_fills_its_widgets_for_images_and_shapes(assets):
    for dataset in ("emoji", "shapes10"):
        item = handlers.items_of(dataset)[0]["id"]
        with gr.Blocks():
            cards = [make(dataset) for make in view.CARDS]
        for card in cards:
            values = [widget.value for widget in card.inputs]
            assert card.opening(dataset, item, *values).keys() == set(card.outputs)
            assert set(card.linked.values()) <= set(card.inputs)


def test_the_weights_stand_in_two_strips_of_one_scale(item):
    """After this card, a visitor says: the numbers are all in other places, and the picture is the same."""
    with gr.Blocks():
        card = symmetry_shuffle.shuffle_card(DATASET)
    _, strips, _, _ = opened(card, item, "mlora", 0)
    assert strips.count("<img") == 2 and "numbers have changed" in strips
    of = symmetry_run.subject(f"{DATASET}-mlora", item)
    same = symmetry_run.changed(of, of.full)
    assert stripes.changed(of, same.full) == 0
    before, after = (part.split('"')[0] for part in stripes.stripes(of, same.full).split('src="')[1:])
    assert before == after  # one scale: equal weights are drawn alike
    moved = symmetry_run.act(of, "permutation", 0, 1.0)
    count = stripes.changed(of, moved.full)
    before, after = (part.split('"')[0] for part in stripes.stripes(of, moved.full).split('src="')[1:])
    assert before != after and f"{count:,} of {of.full.shape[1]:,} numbers have changed" in strips
    assert count > 0.3 * of.full.shape[1]
    for name in ("lora", "mlp"):
        of = symmetry_run.subject(f"{DATASET}-{name}", item)
        assert stripes.stripes(of, symmetry_run.shuffled(of, 0)).count("<img") == 2


def test_the_tab_opens_with_the_item_whose_point_jumps_furthest(assets):
    found = library.collection("emoji-mlp")
    held_out = [one for one, held in zip(found.ids, found.held_out, strict=True) if held]
    first, away = handlers.first_item(DATASET), {}
    for one in held_out:
        of = symmetry_run.subject("emoji-mlp", one)
        there = symmetry_run.jump(of, symmetry_run.shuffled(of, 0), "UMAP", 2)
        away[one] = np.linalg.norm(np.subtract(there, found.points("UMAP", 2)[found.position(one)]))
    assert first == max(away, key=away.get) and away[first] > 0
    tab = SimpleNamespace(item="item", of="of", strip="strip", cards=[])
    assert handlers.opened(tab, DATASET, "")["item"] == first
    assert "item" not in handlers.opened(tab, DATASET, first)  # what was chosen is not chosen again, perhaps too late
    other = handlers.opened(tab, DATASET, held_out[1])
    assert other["strip"]["chosen"] == other["strip"]["value"][0]["id"] == held_out[1]


def test_guesses_go_with_the_data_set(assets):
    """In an earlier version, another data set opened with its questions answered by the guesses about the last one."""
    with gr.Blocks():
        cards = [make(DATASET) for make in view.CARDS]
    tab = SimpleNamespace(item="item", strip="strip", cards=cards)
    anew = handlers.ask_anew(tab)
    guesses = [widget for card in cards for name, widget in card.linked.items() if "guess" in name]
    assert len(guesses) == 4 and all(anew[guess] is None for guess in guesses)
    switches = next(card.linked["terms"] for card in cards if "terms" in card.linked)
    assert anew[switches] == [0, 1, 2, 3]


def test_a_data_set_in_one_representation_offers_that_alone(item, monkeypatch):
    """In an earlier version, the first card of a large data set was asked for its MLPs, of which there are none, and
    stayed empty below an error."""
    with gr.Blocks():
        cards = [make(DATASET) for make in view.CARDS]
        known = dict(item="item", of="of", strip="strip", dataset=gr.Radio(), card=gr.Radio())
        tab = SimpleNamespace(**known, cards=cards)
    whole = handlers.offered(tab, DATASET)
    assert len(whole) >= 3 and not any("value" in update for update in whole.values())
    monkeypatch.setattr(symmetry_run, "names_of", lambda dataset: {"mlora-asym": "emoji-mlora-asym"})
    changed, linked = handlers.change_dataset(tab, DATASET), handlers.restore(tab, {"data": DATASET})
    assert changed["of"] == linked["of"] == DATASET
    for card in cards:
        for widget in set(card.linked.values()) & set(whole):
            assert len(changed[widget]["choices"]) == 1 and changed[widget]["value"] in ("mlora", "mlora-asym")
            assert linked[widget]["value"] == changed[widget]["value"]
    shown = cards[0].opening(DATASET, item, changed[cards[0].linked["shuffle"]]["value"], 0)
    assert "no pixel moves" in shown[cards[0].outputs[2]]


def test_a_guess_is_judged_and_explained(item):
    with gr.Blocks():
        card = symmetry_cards.mask_card(DATASET)
    assert opened(card, item, "mlora")[1:] == ["", None]  # the answer is not shown before the visitor has guessed
    sheet, answer, heat = opened(card, item, "mlora", "other")
    assert "Right." in answer and "held weights" in answer and sheet.count("<figure>") == 3
    assert heat["data"]
    assert "Look again." in opened(card, item, "mlora", "same")[1]


def test_what_a_mask_allows_is_asked_first(item):
    with gr.Blocks():
        card = symmetry_cards.group_card(DATASET)
    assert opened(card, item, "mlora-asym", "scale", 1.0)[1:] == ["", ""]
    assert "Right." in opened(card, item, "mlora-asym", "scale", 1.0, "kept")[1]
    assert "Right." in opened(card, item, "mlora-asym", "basis", 1.0, "moved")[1]
    assert "Look again." in opened(card, item, "lora-asym", "sign", 1.0, "kept")[1]
    assert "no mask" in opened(card, item, "lora", "basis", 1.0, "kept")[1]


def test_a_change_that_a_representation_does_not_have_is_told_and_not_asked_about(item):
    """In an earlier version, "any basis" of a plain network ended in an error, and the guess stood there unanswered."""
    with gr.Blocks():
        card = symmetry_cards.group_card(DATASET)
    for guess in (None, "kept", "moved"):
        sheet, answer, table = opened(card, item, "mlp", "basis", 1.0, guess)
        assert sheet.count("<figure>") == 1 and "has no such change" in answer and "<table" in table
        assert "Right." not in answer and "Look again." not in answer


def test_changes_are_told_in_plain_digits_and_with_their_unit(assets, item):
    assert [small(value) for value in (0, 5e-7, 0.25, 9.96, 182.3)] == ["0", "0.0000005", "0.25", "10", "180"]
    for dataset, one, unit in ((DATASET, item, "black to white"), ("shapes10", None, "(logit)")):
        with gr.Blocks():
            card = symmetry_cards.mask_card(dataset)
        one = one or handlers.items_of(dataset)[0]["id"]
        answer = card.opening(dataset, one, "mlp", "other")[card.outputs[1]]
        assert unit in answer and "e+" not in answer


def test_a_term_is_asked_about_in_words_and_its_formula_stands_apart(assets):
    with gr.Blocks() as page:
        symmetry_terms.theorem_card(DATASET)
    question = " ".join(block.value for block in page.blocks.values() if isinstance(block, gr.Markdown))
    assert "What does the picture lose?" in question and not set("Σ′ᵢ") & set(question)


def test_a_term_less_is_judged_by_what_is_seen(item):
    with gr.Blocks():
        card = symmetry_terms.theorem_card(DATASET)
    assert opened(card, item, "mlora", [0, 1, 2, 3], 4)[2] == ""
    answers = [opened(card, item, "mlora", [1, 2, 3], 4, guess)[2] for guess in symmetry_terms.SAID]
    assert sum("Right." in answer for answer in answers) == 1
    white, half = np.full((4, 4, 3), 255, np.uint8), np.full((4, 4, 3), 255, np.uint8)
    half[:2] = 50
    changed = half.copy()
    changed[0] = 150
    changed[1] -= 10  # a difference that is too small to be seen
    assert symmetry_terms.lost(white, white) == symmetry_terms.lost(half, half) == 0
    assert symmetry_terms.lost(white, half) == 1 and symmetry_terms.lost(half, changed) == 0.5


def test_the_better_start_is_the_one_that_loses_less_halfway(item):
    with gr.Blocks():
        card = symmetry_starts.starts_card(DATASET)
    sheet, answer, *asks = opened(card, item, "mlora", "own")
    assert all(one["visible"] for one in asks)
    assert sheet.count("<figure>") == 6 and "10.0 dB" in answer
    assert "Right." in answer and "Look again." in opened(card, item, "mlora", "normal")[1]


def test_another_target_than_the_chosen_one_is_named(item):
    """In an earlier version, the card drew a table where an aeroplane was chosen, and nothing at all for faces."""
    with gr.Blocks():
        card = symmetry_starts.starts_card(DATASET)
    known = symmetry_starts.connect_run.targets(DATASET)
    other = next(one for one in library.collection(f"{DATASET}-mlora").ids if one not in known)
    for guess in (None, "own"):
        assert "this is" not in opened(card, known[0], "mlora", guess)[0]
        assert "was not: this is" in opened(card, other, "mlora", guess)[0]
    sheet, _, *asks = card.outputs
    answer = card.opening("faces", item, "mlora", "own")
    assert "There are such fits of: Emoji" in answer[sheet] and "<figure" not in answer[sheet]
    # it was asked, and nothing answered: first with what can be chosen, then still in words
    assert [type(one) for one in asks] == [gr.Radio, gr.Radio, gr.Markdown] and "which kind" in asks[-1].value
    assert not any(answer[one]["visible"] for one in asks)


def test_examples_begin_with_what_we_like_and_leave_rude_gestures_out():
    ids = ["1f595-1f3fb", "a", "1f981", "b"]
    assert library.examples("emoji", ids, 3) == ["1f981", "a", "b"]


@pytest.mark.parametrize("forged", ["nobody", "../x"])
def test_forged_names_are_told_in_a_sentence(item, forged):
    with pytest.raises(gr.Error, match="Unknown"):
        handlers.choose(None, DATASET, DATASET, gr.EventData(None, {"id": forged}))
    with pytest.raises(WsrError):
        symmetry_cards.given_value(gr.Radio([("a", "a")]), forged)
