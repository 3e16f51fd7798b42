"""Saved weights of all six representations can be loaded again, and decode to the same."""

import numpy as np
import pytest
import torch

from wsr import representations
from wsr.errors import WsrError
from wsr.fields.registry import named
from wsr.fields.representation import make_representation
from wsr.fitting.saved import load_weights, save_weights
from wsr.presets import FieldConfig
from wsr.render.decode import decode


@pytest.mark.parametrize("name", [name for name in representations if not named(name).needs_base])
def test_an_mlp_is_read_again_with_its_mask(name, tmp_path):
    model = make_representation(name, None, FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2), mask_seed=5)
    weights = model.initial() + 0.1 * torch.randn(3, model.size, generator=torch.Generator().manual_seed(0))
    save_weights(tmp_path / "w.safetensors", weights, model, ["a", "b", "../c"], (3, 2))
    found = load_weights(tmp_path / "w.safetensors")
    assert found.ids == ["a", "b", "../c"] and found.aspect == (3, 2) and torch.equal(found.weights, weights)
    assert np.allclose(found.render(12), decode(model, weights, 12, (3, 2)), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in representations if named(name).needs_base])
def test_an_adapter_is_read_again_on_its_own_base(name, tmp_path):
    from wsr.fields.checkpoint import load_base

    base = load_base("emoji")
    model = make_representation(name, base, base.config, 2, mask_seed=5)
    weights = model.initial()[None] + 0.1 * torch.randn(1, model.size, generator=torch.Generator().manual_seed(0))
    save_weights(tmp_path / "w.safetensors", weights, model, ["a"])
    assert np.allclose(load_weights(tmp_path / "w.safetensors").render(12), decode(model, weights, 12), atol=1e-6)


def test_what_is_no_file_of_weights_is_said(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    for path in (tmp_path / "x.safetensors", tmp_path / "nowhere.safetensors"):
        with pytest.raises(WsrError, match="saved weights"):
            load_weights(path)


def test_two_files_of_one_name_keep_their_weights_apart(tmp_path):
    from PIL import Image

    from wsr import fit

    for folder, colour in (("a", "red"), ("b", "blue"), ("c", "green")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (16, 16), colour).save(tmp_path / folder / "x.png")
    result = fit([tmp_path / folder / "x.png" for folder in "abc"], "mlp", steps=1)
    result.save(tmp_path / "w.safetensors")
    assert load_weights(tmp_path / "w.safetensors").ids == ["x", "x-2", "x-3"]
