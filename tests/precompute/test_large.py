"""Large zoos begin with the part of them that comes with the assets."""

import pytest
import torch

from precompute.experiment import Context
from precompute.experiments import large_search
from precompute.large import take_over
from tests.generators.conftest import zoo_of
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo, compress_zoo

pytestmark = pytest.mark.once


@pytest.fixture
def adapter(base, config):
    return make_representation("mlora-asym", base, config)


def test_no_fit_of_the_part_is_made_twice(adapter, tmp_path):
    whole = zoo_of(adapter, tmp_path / "whole", ["train"] * 5 + ["test"] * 3)
    part = compress_zoo(whole, tmp_path / "part", ids=whole.ids[:6])
    begun = zoo_of(adapter, tmp_path / "begun", [])
    take_over(begun, tmp_path / "part")
    assert begun.ids == whole.ids[:6] and begun.index["split"].tolist() == whole.index["split"].tolist()[:6]
    assert torch.equal(begun.weights(begun.ids).half(), part.weights(part.ids).half())


def test_a_part_with_other_settings_is_left_alone(adapter, tmp_path):
    compress_zoo(zoo_of(adapter, tmp_path / "whole", ["train"] * 5), tmp_path / "part")
    how = dict(dataset="faces", preset="cpu", init="centered", sigma=0.02, init_seed=0)
    longer = Zoo.create(tmp_path / "longer", adapter, **how, steps=7)
    take_over(longer, tmp_path / "part")
    take_over(longer, tmp_path / "none")
    assert not len(longer)


def test_trials_change_the_tokens_of_either_side():
    axes = {cell.representation: large_search.axes(cell) for cell in Context().cells(large_search.EXPERIMENT)}
    assert "encoder" in axes["mlora-asym"] and "token_size" in axes["mlp"]
    assert len(axes["mlora-asym"]) == len(axes["mlp"])
