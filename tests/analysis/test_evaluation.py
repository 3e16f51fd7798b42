"""Evaluation ranks what it should: the data's own fits first, copies as copies, noise last."""

import numpy as np
import pytest
import torch

from wsr.analysis.evaluation import decoded, evaluate
from wsr.analysis.novelty import gaussian
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.metrics.features import Extractor
from wsr.presets import FieldConfig
from wsr.zoo import Zoo


class Colours(Extractor):
    """Means and spreads of the colours in the quarters of an image."""

    name, size = "colours", 24

    def check(self, items):
        assert items.ndim == 4

    def features(self, items):
        quarters = items.unflatten(1, (2, -1)).unflatten(3, (2, -1))
        return torch.cat([quarters.mean((2, 4)).flatten(1), quarters.std((2, 4)).flatten(1)], 1)


class Extents(Extractor):
    name, size = "extents", 6

    def check(self, items):
        assert items.shape[2] == 3

    def features(self, items):
        return torch.cat([items.amax(1), items.amin(1)], 1)


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


def test_new_ones_of_the_family_are_near_the_floor_and_noise_is_not(zoo):
    model = zoo.representation
    table = evaluate(family(model, 40, 5), zoo, Colours(), count=25, repeats=3, resolution=8)
    assert len(table) == 6 and {"FD", "FD sd", "MMD-G", "MMD-P"} <= set(table)
    of = {(row["set"], row["against"]): row for row in table.to_dict("records")}
    noise = evaluate(gaussian(zoo.weights(), 40), zoo, Colours(), count=25, repeats=3, resolution=8)
    bad = {(row["set"], row["against"]): row for row in noise.to_dict("records")}
    for against in ("train", "heldout"):
        assert of["samples", against]["FD"] < bad["samples", against]["FD"]
    assert of["replica", "train"]["FD"] < 1.5 * of["floor", "train"]["FD"]
    with pytest.raises(WsrError, match="held|heldout"):
        evaluate(family(model, 40, 5), zoo, Colours(), count=35)


def test_shapes_have_clouds_and_empty_ones_are_counted():
    model = make_representation("mlp", None, FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 12, 2))
    weights = model.initial()[None].repeat(3, 1)
    t = model.layout.unflatten(weights)
    t["output.bias"][0] = -100.0
    t["output.bias"][1:] = 100.0
    found = decoded(model, model.layout.flatten(t), Extents(), 12)
    assert found.clouds.shape == (3, 2048, 3) and found.empty >= 1 and len(found) == 3
    assert np.isfinite(found.features).all()
