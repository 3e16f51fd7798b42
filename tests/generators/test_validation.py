"""Which weights decide when training ends: those of the validation split, never those of the test split."""

from dataclasses import replace

import pytest
import torch

from tests.generators.conftest import TINY, zoo_of
from wsr.generators.diffusion.config import diffusion_preset, without_patience
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.tokens import make_tokens


def validated(training, zoo) -> list[str]:
    """The ids of the weights that a training is validated on."""
    stored = zoo.weights()
    return [zoo.ids[int((stored - row).abs().sum(1).argmin())] for row in training.validation[0]]


@pytest.fixture
def patient():
    return replace(TINY, patience=2, eval_every=5)


def test_a_zoo_with_a_validation_split_is_validated_on_it_and_trained_on_all_others(adapter, patient, tmp_path):
    zoo = zoo_of(adapter, tmp_path / "zoo", ["train"] * 40 + ["validation"] * 10 + ["test"] * 10)
    training = training_of(zoo, patient)
    assert len(training.data) == 40 and validated(training, zoo) == zoo.ids[40:50]
    assert training.model.about["trained_on"] == 40
    one = training_of(zoo, patient, cls="a")
    assert len(one.data) == 20 and validated(one, zoo) == zoo.ids[40:50:2]


def test_of_a_zoo_of_two_splits_a_tenth_is_set_aside_and_held_out_fits_stay_unseen(adapter, patient, tmp_path):
    zoo = zoo_of(adapter, tmp_path / "zoo", ["train"] * 40 + ["heldout"] * 10)
    training = training_of(zoo, patient)
    unseen = validated(training, zoo)
    assert len(unseen) == 4 and len(training.data) == 36 and set(unseen) < set(zoo.ids[:40])


def test_training_goes_on_as_long_as_it_gains(adapter, tmp_path):
    """Weights that have nothing in common can only be memorized, which does not reduce the loss on the validation
    split."""
    noise = torch.randn(60, adapter.size, generator=torch.Generator().manual_seed(1))
    zoo = zoo_of(adapter, tmp_path / "zoo", ["train"] * 20 + ["validation"] * 20 + ["test"] * 20, noise)
    config = replace(TINY, steps=100_000, width=64, batch=20, eval_every=20, patience=2)
    training = training_of(zoo, config)
    *_, last = training.run(record_every=20, monitor_every=0)
    assert last.done and last.step == training.best.step + 2 * 20 < 2000
    losses = dict(training.evaluations)
    assert losses[training.best.step] == pytest.approx(min(losses.values()), rel=1e-3)


def test_the_preset_ends_by_patience_and_others_get_a_fixed_length():
    cpu = diffusion_preset("cpu")
    assert cpu.patience and cpu.steps >= 40_000
    assert without_patience(cpu) == replace(cpu, patience=0, steps=4000)


@pytest.mark.parametrize("encoder", [True, False])
def test_long_layers_are_divided_into_equal_tokens(model, encoder):
    config = replace(TINY, encoder=encoder, token_size=30)
    tokens = make_tokens(model, config)
    if encoder and model.rank:
        assert tokens.count == model.layers  # with the layer encoder, the number of tokens is its own
        return
    whole = make_tokens(model, replace(config, token_size=None))
    assert max(tokens.sizes) <= 30 < max(whole.sizes) and sum(tokens.sizes) == model.size
    assert tokens.count == sum(-(-size // 30) for size in whole.sizes)
    x = torch.randn(2, model.size)
    assert tokens.decode(tokens.encode(x)).shape == x.shape
