"""A zoo of related weights, and an extractor that takes no time."""

import pytest
import torch

from wsr.fields.representation import make_representation
from wsr.metrics.features import Extractor
from wsr.zoo import Zoo


class Colours(Extractor):
    """Means and standard deviations of the colours in the quarters of an image."""

    name, size = "colours", 24

    def check(self, items):
        assert items.ndim == 4

    def features(self, items):
        quarters = items.unflatten(1, (2, -1)).unflatten(3, (2, -1))
        return torch.cat([quarters.mean((2, 4)).flatten(1), quarters.std((2, 4)).flatten(1)], 1)


@pytest.fixture
def zoo(base, config, tmp_path, monkeypatch):
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
    made = Zoo.create(tmp_path / "zoo", model, **settings)
    rows = [{"id": f"i{i}", "class": "", "split": "train" if i < 60 else "heldout", "quality": 1.0, "steps": 1,
             "seconds": 0.0, "target_sha256": "", "status": "ok"} for i in range(90)]  # fmt: skip
    made.append(family(model, 90, 1), rows)
    return made


def family(model, count, seed):
    ways = torch.randn(6, model.size, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    return model.initial() + 0.15 * (torch.randn(count, 6, generator=generator) @ ways)
