"""G.pt leads from the shared start to weights of low loss."""

import pytest
import torch

from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.g_pt import CheckpointGenerator, pairs_of
from wsr.zoo import Zoo

CONFIG = DiffusionConfig(32, 2, 2, 20, 3e-3, 200, timesteps=50, beta=(1e-3, 0.2), ema=0.98, shared_modulation=True)
SNAPSHOTS = [2, 5, 10]


@pytest.fixture
def zoo(base, config, tmp_path):
    """A zoo of fits that move in a straight line from the shared start to one of two goals."""
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    made = Zoo.create(
        tmp_path / "z", model, dataset="emoji", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=10,
        snapshots=SNAPSHOTS,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(1)
    goals = model.initial() + torch.randn(2, model.size, generator=generator)
    for i in range(12):
        way = goals[i % 2] - model.initial()
        weights = torch.stack([model.initial() + way * step / 10 for step in SNAPSHOTS])
        rows = [{"id": f"fit{i}@{step}", "class": "", "split": "heldout" if i > 9 else "train", "quality": step,
                 "steps": step, "seconds": 0.0, "target_sha256": "", "status": "ok", "loss": (1.001 - step / 10) ** 2}
                for step in SNAPSHOTS]  # fmt: skip
        made.append(weights + 0.02 * torch.randn(weights.shape, generator=generator), rows)
    return made, model, goals


def test_pairs_lead_from_earlier_to_later_snapshots_of_one_fit(zoo):
    made, model, goals = zoo
    pairs = pairs_of(made)
    assert pairs.start.shape == pairs.end.shape == (10 * 6, model.size), "three snapshots and the start: six pairs"
    assert (pairs.losses[:, 1] < pairs.losses[:, 0] + 1e-6).all()
    nearer = torch.cdist(pairs.end, goals).amin(1) <= torch.cdist(pairs.start, goals).amin(1) + 0.5
    assert nearer.all()


def test_samples_are_near_the_goals_that_the_prompt_asks_for(zoo):
    made, model, goals = zoo
    generator = CheckpointGenerator.new(made, CONFIG)
    records = list(generator.train_stream())
    assert records[-1].done and records[-1].loss < 0.7 * records[0].loss
    found = generator.sample(8, seed=2)
    assert torch.equal(found, generator.sample(8, seed=2)) and found.shape == (8, model.size)
    away = torch.cdist(found, goals).amin(1)
    assert (away < 0.5 * (goals - model.initial()).norm(dim=1).mean()).float().mean() > 0.8


def test_a_zoo_without_snapshots_is_refused(base, config, tmp_path):
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    plain = Zoo.create(
        tmp_path / "z", model, dataset="emoji", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=10
    )
    with pytest.raises(WsrError, match="no snapshots"):
        pairs_of(plain)
