"""Evaluation ranks what it should: the data's own fits first, copies as copies, noise last."""

import numpy as np
import pytest
import torch

from tests.analysis.conftest import Colours, family
from wsr.analysis.evaluation import decoded, evaluate
from wsr.analysis.novelty import gaussian
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.metrics.features import Extractor
from wsr.presets import FieldConfig


class Extents(Extractor):
    name, size = "extents", 6

    def check(self, items):
        assert items.shape[2] == 3

    def features(self, items):
        return torch.cat([items.amax(1), items.amin(1)], 1)


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
