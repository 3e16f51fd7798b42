"""Each layout is read from tiny files, and what it decodes to is what the formula of its paper gives."""

import numpy as np
import pytest
import torch

from tests.imports import layouts
from wsr.imports.base import Options
from wsr.imports.run import import_zoo
from wsr.zoo import Zoo

CLOSE = 1e-5
PICTURES = {"dwsnets": (28, "siren"), "nfn": (32, "siren"), "implicit-zoo": (32, "siren")}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_those_of_the_formula(name, tmp_path):
    shown = getattr(layouts, name.replace("-", "_"))(tmp_path / "source")
    zoo = import_zoo(name, tmp_path / "source", tmp_path / "zoo").zoo
    size, kind = PICTURES[name]
    assert zoo.meta["representation"] == kind and zoo.meta["dtype"] == "float32"
    assert sorted(zoo.ids) == sorted(shown)
    for item, decoded in zip(zoo.ids, Zoo.open(zoo.path).decode(resolution=size), strict=True):
        assert decoded.shape == (size, size, 3) and np.abs(decoded - shown[item]).max() < CLOSE
        assert decoded.std() > 0.02  # and it is no blank picture


def test_occupancies_are_those_of_the_formula(tmp_path):
    known = layouts.hyperdiffusion(tmp_path / "source")
    zoo = import_zoo("hyperdiffusion", tmp_path / "source", tmp_path / "zoo").zoo
    assert zoo.meta["representation"] == "relu-mlp" and zoo.modality.name == "occupancy" and zoo.ids == list(known)
    assert zoo.index["split"].tolist() == ["train", "train", "validation", "test"]
    for item, (points, logits) in known.items():
        values = zoo.representation.evaluate(zoo.weights([item]), points[None])[0]
        assert (values - logits).abs().max() < CLOSE and (logits > 0).any() and (logits < 0).any()
    assert len(zoo.decode(zoo.ids[:1], 16)[0].faces)


def test_signed_distances_have_their_inside_outside_in(tmp_path):
    known = layouts.hyperdiffusion(tmp_path / "source", 2)
    zoo = import_zoo("hyperdiffusion", tmp_path / "source", tmp_path / "zoo", Options(values="distance")).zoo
    for item, (points, raw) in known.items():
        values = zoo.representation.evaluate(zoo.weights([item]), points[None])[0]
        assert (values + torch.tanh(raw)).abs().max() < CLOSE


def test_splits_and_classes_are_those_of_the_files(tmp_path):
    layouts.dwsnets(tmp_path / "source")
    zoo = import_zoo("dwsnets", tmp_path / "source", tmp_path / "zoo").zoo
    found = zoo.index.set_index("id")
    assert found.loc["mnist_png_training_3_0", ["class", "split"]].tolist() == ["3", "train"]
    assert found.loc["mnist_png_training_4_1", ["class", "split"]].tolist() == ["4", "validation"]
    assert found.loc["mnist_png_testing_3_2", "split"] == "test"


def test_a_state_dict_may_lie_within_a_checkpoint(tmp_path):
    shown = layouts.dwsnets(tmp_path / "source", 2)
    for path in (tmp_path / "source").rglob("*.pth"):
        state = torch.load(path, weights_only=True)
        whole = {"epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}}
        torch.save(whole | {"model": {f"module.{name}": one for name, one in state.items()}}, path)
    zoo = import_zoo("dwsnets", tmp_path / "source", tmp_path / "zoo").zoo
    assert np.abs(zoo.decode(resolution=28) - np.stack([shown[item] for item in zoo.ids])).max() < CLOSE


def test_without_a_validation_set_the_test_set_is_held_out(tmp_path):
    layouts.dwsnets(tmp_path / "source", split=False)
    zoo = import_zoo("dwsnets", tmp_path / "source", tmp_path / "zoo").zoo
    assert set(zoo.index["split"]) == {"train", "heldout"}
    layouts.nfn(tmp_path / "nfn")
    zoo = import_zoo("nfn", tmp_path / "nfn", tmp_path / "cifar").zoo
    assert zoo.ids == ["net0", "net20000", "net40000", "net60000"]
    assert zoo.index["split"].tolist() == ["train", "train", "train", "heldout"]


def test_a_source_without_splits_gets_a_share_that_depends_on_ids_only(tmp_path):
    layouts.implicit_zoo(tmp_path / "source", 12)
    zoo = import_zoo("implicit-zoo", tmp_path / "source", tmp_path / "zoo", Options(heldout=0.5)).zoo
    assert 2 <= (zoo.index["split"] == "heldout").sum() <= 10
    quality = zoo.index.set_index("id")["quality"]
    assert [quality[f"{i:06d}_0000042"] for i in range(3)] == [30.5, 31.5, 32.5]
