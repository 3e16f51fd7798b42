"""Verdicts on the weights that a program sends."""

from dataclasses import replace

import pytest
import torch

from app.programs import in_child
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.fitting.saved import save_weights
from wsr.presets import FieldConfig
from wsr.zoo import Zoo

TINY = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 8, 2)
TRAINED, UNSEEN = 30, 100


@pytest.fixture(scope="module")
def model():
    return make_representation("mlp", None, TINY, mask_seed=7)


@pytest.fixture(scope="module")
def training(model):
    return model.initial() + torch.randn(TRAINED + UNSEEN, model.size, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", autouse=True)
def zoo(model, training, tmp_path_factory):
    assets = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(assets))
        made = Zoo.create(assets / "zoos/toys-mlp", model, dataset="toys", preset="cpu", init="centered", sigma=0.02,
                          init_seed=0, steps=6)  # fmt: skip
        common = {"class": "a", "quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
        splits = ["train"] * TRAINED + ["heldout"] * UNSEEN
        made.append(training, [{"id": f"toy-{i}", "split": split, **common} for i, split in enumerate(splits)])
        yield made


def sent(folder, model, weights):
    save_weights(folder / "sent.safetensors", weights, model, [f"mine-{i}" for i in range(len(weights))])
    return str(folder / "sent.safetensors")


def test_a_copy_is_called_a_replica_of_its_original_and_a_new_weight_is_novel(model, training, tmp_path):
    new = model.initial() + torch.randn(1, model.size, generator=torch.Generator().manual_seed(1))
    found = in_child.judged(sent(tmp_path, model, torch.cat([training[3:4] + 1e-3, new])), "toys-mlp")
    assert [one["id"] for one in found] == ["mine-0", "mine-1"]
    assert [one["verdict"] for one in found] == ["replica", "novel"]
    assert found[0]["nearest"] == "toy-3" and found[0]["distance"] < found[1]["distance"]


def test_weights_of_another_size_have_no_verdict(tmp_path):
    other = make_representation("mlp", None, FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2), mask_seed=7)
    with pytest.raises(WsrError, match="not of one representation"):
        in_child.judged(sent(tmp_path, other, other.initial()[None]), "toys-mlp")
    with pytest.raises(WsrError, match="1,001 rows"):
        in_child.read(sent(tmp_path, other, other.initial().expand(1001, -1).contiguous()))


def test_weights_with_another_mask_or_base_are_not_compared(model, training, tmp_path):
    """They have as many numbers, which was taken for the same field."""
    other = make_representation("mlp-asym", None, TINY, mask_seed=8)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mine = make_representation("mlp-asym", None, TINY, mask_seed=7)
    paths = [sent(tmp_path / name, one, one.initial()[None]) for name, one in (("a", mine), ("b", other))]
    with pytest.raises(WsrError, match="no line between .* masks differ"):
        in_child.mixed(*paths, 0.5, True, 16, str(tmp_path))
    solid = make_representation("mlp", None, replace(TINY, modality="occupancy", dim=3), mask_seed=7)
    with pytest.raises(WsrError, match="not of one representation on one base, but their sizes differ"):
        in_child.judged(sent(tmp_path, solid, solid.initial()[None]), "toys-mlp")


def test_messages_do_not_say_where_the_server_keeps_a_file(tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"no weights")
    with pytest.raises(WsrError, match="^'mine.safetensors' is not a file of saved weights"):
        in_child.read(str(tmp_path / "mine.safetensors"))
