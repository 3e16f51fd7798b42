"""What the Generate tab says of the samples on screen: beside them, and in the address."""

import gradio as gr
import numpy as np
from toy_features import Means

from app.shared import networks
from app.tabs.generate import drawn, handlers, models, open_sample
from app.tabs.generate import run as generate_run
from tests.app.tabs.generate.page_values import TAB, asked
from wsr.analysis.evaluation import decoded
from wsr.analysis.realism import Realism
from wsr.modalities import IMAGE


class Request:
    session_hash = "generate-screen-tests"


def said_of(sampled, number):
    event = gr.EventData(None, {"id": str(number)})
    return next(open_sample.pick(TAB, sampled, event, Request()))["verdict"]


def test_nothing_is_said_of_old_samples_while_others_are_on_their_way(sampled):
    """In an earlier version, the old verdicts stood below pictures that were being replaced."""
    made = sampled[-1].sampled
    begun = handlers.prepare(TAB, asked(sampled=made), Request())
    assert begun["items"]["stale"] and begun["verdict"] == "" and begun["fitted"] is None
    assert handlers.ON_THEIR_WAY in begun["pair"] and not begun["take"]["interactive"]
    assert list(open_sample.reopen(TAB, made, "0", Request())) == [gr.skip()]
    assert handlers.finish(TAB, Request())["items"] == gr.update(stale=False)
    screens = list(handlers.sample(TAB, asked(), Request()))
    pictures = [screen["items"] for screen in screens if "items" in screen]
    assert pictures and not any(shown["stale"] for shown in pictures)
    assert not any("note" in item for shown in pictures[:-1] for item in shown["value"])


def test_the_address_tells_of_the_samples_on_screen_and_not_of_the_controls(sampled):
    """In an earlier version, it kept guidance and seed of one data set over the stored samples of another."""
    *_, last = handlers.sample(TAB, asked(), Request())
    told = [last[name] for name in ("of_class", "of_guidance", "of_steps", "of_seed")]
    assert told == ["", "1", "10", "3"]
    nothing = dict.fromkeys(("of_class", "of_guidance", "of_steps", "of_seed"), "")
    assert nothing.items() <= handlers.change_dataset(TAB, "shapes10", None).items()
    *_, stored, _ = handlers.opened(TAB, "emoji", "mlora-asym", "diffusion", None, Request())
    assert stored["sampled"] is not None and nothing.items() <= stored.items()
    own = list(handlers.opened(TAB, "emoji", "mlora-asym", "diffusion", last["sampled"], Request()))
    assert own == [{name: last[name] for name in nothing}]
    linked = handlers.restore(TAB, {"data": "emoji", "class": "food", "guidance": "1.5", "seed": "7"})
    assert [linked[name] for name in nothing] == ["food", "1.5", "50", "7"]
    assert nothing.items() <= handlers.restore(TAB, {"data": "emoji"}).items()


def test_a_new_sample_is_told_to_be_like_real_ones_or_not(sampled, monkeypatch, tmp_path):
    made = sampled[-1].sampled
    assert not made.real and "like real" not in sampled[-1].items[0]["label"]  # nobody has calibrated it here
    representation = networks.zoo("emoji-mlora-asym").representation
    seen = decoded(representation, made.weights, Means(), 16).features
    near = np.linalg.norm(seen - seen[:1], axis=1) / 3**0.5
    measure = Realism("means", 16, seen[:1], 1.0, float(np.median(near)), 0.05)
    monkeypatch.setattr(models, "realism", lambda name: (measure, Means()))
    made.real = generate_run.realistic(made)
    assert made.real == (near <= np.median(near)).tolist() and made.real[0] and not all(made.real)
    labels = [item["label"] for item in drawn.noted([{} for _ in made.real], made)]
    assert labels[:3] == ["1 · new, and like real ones", "2 · blend", "3 · replica"]
    unlike = next(i for i, real in enumerate(made.real) if not real and made.verdicts[i].word == "novel")
    assert labels[unlike] == f"{unlike + 1} · new, but unlike real ones"
    shown = said_of(made, unlike)
    assert "is novel" in shown and "further from the nearest of them than 95% of them" in shown
    assert "like real ones" not in said_of(made, 1)
    count = sum(real for real, verdict in zip(made.real, made.verdicts, strict=True) if verdict.word == "novel")
    assert f"6 novel ({count} like real ones), 5 blends" in generate_run.summary(made)


def test_realism_of_another_extractor_is_not_used(assets, monkeypatch):
    path = models.realism_file("emoji-mlora-asym")
    assert models.realism("emoji-mlora-asym") is None
    monkeypatch.setattr(IMAGE.__class__, "extractor", lambda self: Means())
    path.parent.mkdir(exist_ok=True)
    try:
        for name, there in (("means", True), ("another", False)):
            Realism(name, 16, np.ones((1, 3), np.float32), 1.0, 1.5, 0.05).save(path)
            assert (models.realism("emoji-mlora-asym") is not None) == there
        path.write_bytes(b"rubbish")
        assert models.realism("emoji-mlora-asym") is None
    finally:
        path.unlink()
