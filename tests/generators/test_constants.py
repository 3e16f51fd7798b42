"""Parameters that are the same in (almost) all training weights are neither learnt nor noised."""

from dataclasses import replace

import pytest
import torch

from tests.generators.conftest import TINY, classes, weights
from tests.zoo.test_equal_results import BEFORE
from wsr.generators.diffusion import Training, WeightDiffusion, load_diffusion
from wsr.generators.diffusion.clusters import Clusters
from wsr.generators.diffusion.model import draw
from wsr.generators.diffusion.process import make_process

DEAD, RARE = [3, 50, 51, 200], 7  # equal in all training weights, and equal in all but one of them


def partly_constant(model, n=20):
    found = weights(model, n)
    found[:, [*DEAD, RARE]] = 0.25
    found[4, RARE] += 1e-3
    return found


def model_of(model, **changes):
    return WeightDiffusion.new(model, partly_constant(model), replace(TINY, **changes), ["even", "odd"])


def test_constant_parameters_are_left_out_and_put_back(model):
    made, known = model_of(model), partly_constant(model)
    assert len(made.varying) == model.size - 5 and not set(made.varying.tolist()) & {*DEAD, RARE}
    assert made.standardise(known).shape == (20, model.size - 5)
    assert torch.allclose(made.restore(made.standardise(known)), known, atol=2e-3)
    assert made.network(torch.randn(2, model.size - 5), torch.zeros(2), torch.tensor([0, 1])).shape[1] == model.size - 5
    found = made.sample(3, steps=2)
    assert found.shape == (3, model.size) and (found[:, DEAD] == 0.25).all()
    assert torch.allclose(found[:, RARE], torch.tensor(0.25), atol=1e-3)


@pytest.mark.parametrize("encoder", [True, False])
def test_training_is_not_troubled_by_them_and_the_file_says_which_they_are(adapter, encoder, tmp_path):
    made, unseen = model_of(adapter, encoder=encoder, patience=2, eval_every=6), partly_constant(adapter, 8)
    unseen[:, RARE] += 1e-3  # in an earlier version, this alone raised the validation loss to about 10⁵
    training = Training(made, partly_constant(adapter), classes())
    training.validation = unseen, classes(8)
    assert training.identity.parts["constants"] == 5
    *_, last = training.run(monitor_every=6)
    assert last.done and last.validation < 3
    made.about["zoo"] = {}
    made.save(tmp_path / "model.safetensors")
    again = load_diffusion(tmp_path / "model.safetensors", adapter)
    assert torch.equal(again.varying, made.varying)
    assert torch.allclose(again.sample(2, steps=3), made.sample(2, steps=3), atol=1e-2)
    assert (again.to("cpu").std == 0).sum() == 5


def test_noise_of_constant_parameters_does_not_change_samples(adapter):
    made, noise = model_of(adapter), draw(2, adapter.size, 0)
    assert torch.equal(made.sample(2, steps=2, noise=noise), made.sample(2, steps=2))
    noise[:, [*DEAD, RARE]] = 100.0
    assert torch.equal(made.sample(2, steps=2, noise=noise), made.sample(2, steps=2))


def test_of_weights_that_are_all_the_same_nothing_is_left_out(adapter):
    made = WeightDiffusion.new(adapter, adapter.initial()[None].repeat(5, 1), TINY, [""])
    assert len(made.varying) == adapter.size
    assert torch.allclose(made.sample(1, steps=2), adapter.initial(), atol=1e-4)


def test_clusters_do_not_hear_of_them(adapter):
    known = torch.cat([partly_constant(adapter), partly_constant(adapter) + 1e-4 * torch.randn(20, adapter.size)] * 3)
    found = Clusters.of(known, 2)
    moved = known.clone()
    moved[:, RARE] += 10.0
    assert found(known) == found(moved)


def test_models_of_before_learnt_them_and_sample_as_they_did(monkeypatch):
    """Files of earlier versions state a standard deviation of 10⁻⁶ for constants."""
    monkeypatch.setenv("WSR_ASSETS", str(BEFORE))
    made = load_diffusion("pictures-mlora-asym")
    assert len(made.varying) == len(made.mean) == made.representation.size
    noise, label = draw(2, len(made.mean), 5), torch.tensor([0, 1])
    made.network.eval()
    with torch.no_grad():
        loop = make_process(made.config).sample_loop(lambda x, time: made.network(x, time, label), noise, 4)
        *_, (_, clean) = loop
    assert torch.equal(made.sample(2, steps=4, seed=5, classes=made.classes), clean * made.std + made.mean)
