"""The same seeds give the same weights as before the engine was rearranged, and files of that time can still be opened.

tests/fixtures/made_before.py made the files. Weights are equal bit for bit on a machine of the same kind. Elsewhere
sums are rounded in another order, and after six steps a weight may differ by a thousandth of a step.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import wsr
from wsr.fields.checkpoint import load_base
from wsr.generators.diffusion import load_diffusion
from wsr.zoo import Zoo

FIXTURES = Path(__file__).parents[1] / "fixtures"
BEFORE = FIXTURES / "before"
sys.path.append(str(FIXTURES))
import made_before  # noqa: E402

pytestmark = pytest.mark.once  # the expected files were made on one kind of CPU
EACH = pytest.mark.parametrize("name", wsr.representations)
OF_BOTH = pytest.mark.parametrize("dim", [2, 3])


@pytest.fixture(autouse=True)
def assets(monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(BEFORE))


@EACH
@OF_BOTH
def test_the_same_seeds_give_the_same_zoo(name, dim, tmp_path):
    before = Zoo.open(BEFORE / "zoos" / f"{made_before.DATA_SETS[dim]}-{name}")
    after = made_before.zoo(tmp_path, name, dim, load_base(made_before.DATA_SETS[dim]))
    assert after.ids == before.ids and list(after.index["target_sha256"]) == list(before.index["target_sha256"])
    moved = (before.weights() - before.representation.initial()).norm()
    if json.loads((BEFORE / "machine.json").read_text()) == made_before.machine():
        assert torch.equal(after.weights(), before.weights())
        assert after.index["quality"].equals(before.index["quality"])
    assert (after.weights() - before.weights()).norm() <= 1e-3 * moved
    assert np.allclose(after.index["quality"], before.index["quality"], atol=1e-2)


@OF_BOTH
def test_zoos_and_weights_of_then_decode(dim):
    dataset = made_before.DATA_SETS[dim]
    for name in wsr.representations:
        zoo = Zoo.open(BEFORE / "zoos" / f"{dataset}-{name}")
        assert zoo.representation.name == name and len(zoo.decode(zoo.ids[:2], 8)) == 2
    saved = wsr.load_weights(BEFORE / f"{dataset}.weights.safetensors")
    assert len(saved.render(8)) == 2


def test_a_generator_of_then_samples():
    model = load_diffusion("pictures-mlora-asym")
    *_, last = model.sample_stream(2, steps=4, seed=0)
    assert last.weights.shape == (2, model.representation.size) and last.weights.isfinite().all()
