"""A live fit begins where an encoder says, if one knows the target, and takes few steps by default."""

import gradio as gr
import pytest
import torch
import trimesh
from by_name import by_name

from app.tabs.fit import handlers, preparing
from app.tabs.fit import run as fit_run
from app.tabs.fit import six as fit_six
from app.tabs.fit.handlers import FitTab
from wsr.fitting.encoder import EncoderConfig, StartEncoder
from wsr.fitting.encoder_files import encoder_path, save_encoder
from wsr.fitting.fit import representation_for
from wsr.fitting.problem import make_problem

ASKED = "one", "mlora-asym", 4


@pytest.fixture
def encoder():
    """Makes an encoder with one start for all, near the plain one: the better of two opposite ones for a target."""
    made = []

    def make(target, known: float = 1.0) -> None:
        modality = target.modality
        model = representation_for("mlora-asym", None, modality, 4)
        found = StartEncoder.new(model, EncoderConfig(features=8, fit_steps=modality.encoded_steps))
        torch.nn.init.normal_(found.head.bias, std=1e-2, generator=torch.Generator().manual_seed(0))
        problem, plain = make_problem([target.signal], None), model.initial()
        predicted = plain + found(problem.targets.seen())
        if found.ratios(problem.targets, predicted, plain).item() > 1:
            found.head.bias.data.neg_()
        found.known = known
        made.append(encoder_path(modality.default_base, "mlora-asym"))
        made[-1].parent.mkdir(exist_ok=True)
        save_encoder(made[-1], found, {})

    yield make
    for path in made:
        path.unlink()


def suggested(target, way="one", representation="mlora-asym", rank=4, steps=None):
    found = handlers.suggest_steps(by_name(FitTab), target, way, representation, rank, steps or target.steps)
    return None if found == gr.skip() else found["steps"]


def fitted(run, target, tmp_path, representation="mlora-asym", steps=20):
    return list(run.run(target, fit_run.checked(representation, 4, steps), tmp_path / "stop"))


def test_a_fit_from_an_encoded_start_is_offered_with_few_steps(target, encoder, tmp_path, small):
    encoder(target)
    assert suggested(target) == 30 and suggested(target, steps=30) == 30
    assert suggested(target, steps=200) is None  # the visitor's own number of steps is kept
    for others in ({"way": "six"}, {"representation": "mlora"}, {"representation": "mlp"}, {"rank": 2}):
        assert suggested(target, **others, steps=30) == 450
    *live, last = fitted(fit_run, target, tmp_path)
    assert "Done after 20 steps" in last.state and "began at a start that an encoder predicted" in last.state
    assert last.curve["data"][0]["x"][:2] == [0, 1] and last.curve["layout"]["xaxis"]["type"] == "linear"
    # the first picture shows the start that the encoder predicts
    assert any("Step 0 of 20" in screen.state for screen in live)


def test_the_page_says_why_a_fit_began_at_the_usual_start(target, encoder, tmp_path, small):
    assert suggested(target) == 450
    *_, last = fitted(fit_run, target, tmp_path)
    assert "Done after" in last.state and "began" not in last.state  # there is no encoder
    assert last.curve["layout"]["xaxis"]["type"] == "log"
    encoder(target, 1e-6)
    assert suggested(target) == 450
    *_, last = fitted(fit_run, target, tmp_path)
    assert "began at the usual start, because the encoder does not know it." in last.state
    *_, last = fitted(fit_run, target, tmp_path, "mlp")  # it has no base that an encoder could know
    assert "Done after" in last.state and "began" not in last.state


def test_all_six_side_by_side_begin_plainly_and_say_nothing(target, encoder, tmp_path, small):
    *_, plain = fitted(fit_six, target, tmp_path, steps=10)
    encoder(target)
    *_, last = fitted(fit_six, target, tmp_path, steps=10)
    assert torch.equal(plain.fitted.weights, last.fitted.weights) and "began" not in last.state


def test_a_shape_is_looked_at_once_it_has_been_measured(encoder, tmp_path):
    path = tmp_path / "cube.obj"
    trimesh.creation.box((1, 1, 1)).export(path)
    own, tab = preparing.uploaded(str(path), lambda: False), by_name(FitTab)
    encoder(own)
    assert suggested(own) is None
    found = handlers.measure(tab, own, *ASKED, own.steps, None)
    assert found["target"].evaluator is not None and found["steps"] == own.modality.encoded_steps
    assert "steps" not in handlers.measure(tab, own, *ASKED, 90, None)


@pytest.mark.parametrize("target", ["photo:<script>", None])
def test_what_is_not_there_changes_no_step(target):
    assert suggested(target, steps=300) is None
