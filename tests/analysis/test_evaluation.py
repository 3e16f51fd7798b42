"""Evaluation ranks sets of weights correctly: the zoo's own fits first, copies recognised as copies, noise last."""

import numpy as np
import pytest
import torch

from tests.analysis.conftest import Colours, family
from wsr.analysis.evaluation import Decoded, Evaluation, decoded, evaluate, some_rows
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.baselines import gaussian
from wsr.metrics.features import Extractor
from wsr.metrics.sets import pairwise_chamfer
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
    with pytest.raises(WsrError, match="samples: 16"):
        evaluate(family(model, 16, 5), zoo, Colours(), count=25)  # refused before anything is decoded


def test_shapes_have_clouds_and_empty_ones_are_counted():
    model = make_representation("mlp", None, FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 12, 2))
    weights = model.initial()[None].repeat(3, 1)
    t = model.layout.unflatten(weights)
    t["output.bias"][0] = -100.0
    t["output.bias"][1:] = 100.0
    found = decoded(model, model.layout.flatten(t), Extents(), 12)
    assert found.clouds.shape == (3, 2048, 3) and found.empty >= 1 and len(found) == 3
    assert np.isfinite(found.features).all()
    assert found.pieces.shape == (3,) and found.pieces.min() == 0 and found.classes.tolist() == [""] * 3


def test_tables_may_compare_with_other_fits_than_the_held_out_ones(zoo):
    made = family(zoo.representation, 25, 5)
    options = dict(count=15, repeats=2, resolution=8)
    plain, other, same = (Evaluation(zoo, Colours(), **options) for _ in range(3))
    zoo.index.loc[zoo.index["id"] == "i0", "status"] = "poor"
    other.compare_with(zoo.index[:20])
    same.compare_with(zoo.good("heldout"))
    assert other.ids["compared"] == [f"i{i}" for i in range(1, 20)] and same.unseen == "heldout"
    tables = [one.table(one.decoded(made)).set_index(["set", "against"])["FD"] for one in (plain, other, same)]
    assert tables[0].equals(tables[2]) and list(tables[1].index) == list(tables[0].index)
    assert tables[1]["samples", "heldout"] != tables[0]["samples", "heldout"]
    assert tables[1]["samples", "train"] == tables[0]["samples", "train"]
    assert tables[1]["floor", "heldout"] != tables[0]["floor", "heldout"]
    with pytest.raises(WsrError, match="compared: 5"):
        plain.compare_with(zoo.index[5:10])


def test_floating_pieces_of_each_class_are_compared_with_fits_of_that_class(zoo, monkeypatch):
    """Fits of class "a" have one piece and those of "b" two; samples of both have two."""
    zoo.index["class"] = ["ab"[i % 2] for i in range(len(zoo))]

    def pieces(model, weights, extractor, resolution, progress=None, classes=None):
        counts = np.array([2 if cls == "b" or len(weights) == 26 else 1 for cls in classes])
        return Decoded(weights[:, :6].numpy(), None, pieces=counts, classes=np.array(list(classes), dtype=object))

    monkeypatch.setattr("wsr.analysis.evaluation.decoded", pieces)
    made = Evaluation(zoo, Extents(), count=25, repeats=4, resolution=8)
    classes = ["a"] * 13 + ["b"] * 13
    table = made.table(made.decoded(family(zoo.representation, 26, 5), classes=classes)).set_index(["set", "against"])
    assert table["floating pieces"]["samples", "heldout"] == pytest.approx(0.5, abs=0.02)
    others = table["floating pieces"].drop("samples", level="set")
    assert len(others) == 4 and (others == 0).all()


def test_shapes_of_all_classes_are_compared_where_one_class_follows_the_other(zoo, monkeypatch):
    """Of a folder's zoo, only the first 256 shapes were compared with, and these were of the first classes."""
    mixed = ["b", "a", "a", "b", "c", "a"]
    assert some_rows(mixed, 3).tolist() == [0, 1, 2] and some_rows(mixed, 9).tolist() == list(range(6))
    assert some_rows(sorted(mixed), 3).tolist() == [0, 2, 5] and some_rows([""] * 6, 2).tolist() == [0, 1]
    zoo.index["class"] = ["ab"[i >= 30] for i in range(60)] + ["ab"[i >= 15] for i in range(30)]

    def clouds(model, weights, extractor, resolution, progress=None, classes=None):
        return Decoded(weights[:, :6].numpy(), np.zeros((len(weights), 4, 3)), classes=np.array(classes, dtype=object))

    seen = []
    monkeypatch.setattr("wsr.analysis.evaluation.decoded", clouds)
    monkeypatch.setattr("wsr.analysis.evaluation.CLOUD_POOL", 20)
    monkeypatch.setattr("wsr.analysis.evaluation.measured", lambda at_hand: seen.append(at_hand["features"][1]) or {})
    made = Evaluation(zoo, Extents(), count=20, repeats=1, resolution=8)
    made.table(made.decoded(family(zoo.representation, 25, 5), classes=[""] * 25))
    second = zoo.weights(zoo.ids[30:60])[:, :6].numpy()
    shared = [sum((row == second).all(1).any() for row in features) for features in seen[:1]]
    assert shared == [10]  # of 20 training fits, half are of either class


def test_distances_between_clouds_may_be_of_fewer_points(zoo, monkeypatch):
    def clouds(model, weights, extractor, resolution, progress=None, classes=None):
        points = torch.randn(len(weights), 64, 3, generator=torch.Generator().manual_seed(0)) + weights[:, :3][:, None]
        return Decoded(weights[:, :6].numpy(), points.numpy())

    seen = []

    def counted(x, y):
        seen.append({x.shape[1], y.shape[1]})
        return pairwise_chamfer(x, y)

    monkeypatch.setattr("wsr.analysis.evaluation.decoded", clouds)
    monkeypatch.setattr("wsr.analysis.evaluation.pairwise_chamfer", counted)
    made = Evaluation(zoo, Extents(), count=25, repeats=2, resolution=8, pair_points=16)
    table = made.table(made.decoded(family(zoo.representation, 25, 5)))
    assert seen and all(points == {16} for points in seen)
    assert {"mMD", "COV", "1-NNA"} <= set(table) and table["COV"].between(0, 1).all()
