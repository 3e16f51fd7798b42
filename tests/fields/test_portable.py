"""Exported networks, evaluated by a reference in numpy that knows nothing but the files."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load

import wsr
from wsr.fields.checkpoint import load_base
from wsr.fields.portable import base_file, network_file, operations, vectors_file
from wsr.fields.representation import make_representation


def plan_of(file: bytes) -> dict:
    length = int.from_bytes(file[:8], "little")
    return json.loads(json.loads(file[8 : 8 + length])["__metadata__"]["network"])


def named_tensors(network: bytes, base: bytes, vector: np.ndarray) -> dict[str, np.ndarray]:
    plan, kept = plan_of(network), load(network)
    total = sum(int(np.prod(tensor["shape"])) for tensor in plan["tensors"])
    full, trained = np.zeros(total, np.float32), np.ones(total, bool)
    trained[kept["frozen"]] = False
    full[kept["frozen"]], full[trained] = kept["frozen_values"], vector
    tensors, start = {name: value.astype(np.float32) for name, value in load(base).items()}, 0
    for tensor in plan["tensors"]:
        count = int(np.prod(tensor["shape"]))
        tensors[tensor["name"]] = full[start : start + count].reshape(tensor["shape"])
        start += count
    return tensors


def values_of(plan: dict, tensors: dict[str, np.ndarray], points: np.ndarray) -> np.ndarray:
    h = np.sin(plan["omega"] * (points @ tensors[plan["fourier"]].T + tensors[plan["phase"]]))
    before = h
    for layer in plan["layers"]:
        matrix = tensors[layer["weight"]]
        if layer["a"]:
            product = tensors[layer["b"]] @ tensors[layer["a"]]
            matrix = matrix + product if layer["additive"] else matrix * product
        if layer["gain"]:
            matrix = layer["gain"] * matrix / np.sqrt((matrix**2).sum(1, keepdims=True) + plan["epsilon"])
        y = np.maximum(h @ matrix.T + tensors[layer["bias"]], 0)
        before, h = h, plan["half"] * (y + before) if layer["residual"] else y
    return h @ tensors[plan["output"]].T + tensors[plan["output_bias"]]


@pytest.mark.parametrize("base_name", ["emoji", "faces", "shapes10"])
@pytest.mark.parametrize("name", wsr.representations)
def test_an_exported_network_has_the_values_of_the_field(name, base_name):
    base = load_base(base_name)
    model = make_representation(name, base, base.config, mask_seed=base.info.mask_seed)
    noise = torch.Generator().manual_seed(1)
    vector = model.initial() + 0.05 * torch.randn(model.size, generator=noise)
    points = torch.rand(200, model.dim, generator=noise) * 2 - 1
    with torch.no_grad():
        wanted = model.evaluate(vector[None], points[None])[0].numpy()
    network = network_file(model, "the base")
    tensors = named_tensors(network, base_file(base), load(vectors_file({"it": vector}))["it"])
    found = values_of(plan_of(network), tensors, points.numpy())
    scale = np.abs(wanted).mean()
    assert np.abs(found - wanted).max() <= (1 / 127.5 if model.dim == 2 else 0.01 * scale)
    assert plan_of(network)["base"] == ("the base" if model.base else None)


def test_a_base_is_half_as_large_as_in_fp32_and_the_same_each_time():
    base = load_base("emoji")
    file = base_file(base)
    assert file == base_file(base) and len(file) < 2.2 * base.weight.numel()


def test_vectors_are_stored_in_fp16_only_where_that_is_exact():
    kept = load(vectors_file({"exact": torch.tensor([0.5, 2.0]), "other": torch.tensor([0.1, 2.0])}))
    assert kept["exact"].dtype == np.float16 and kept["other"].dtype == np.float32
    assert kept["other"].tolist() == pytest.approx([0.1, 2.0])


@pytest.mark.parametrize("name", wsr.representations)
def test_a_mask_that_is_taken_off_is_not_exported(name, base, config):
    model = make_representation(name, base, config).unmasked()
    assert len(load(network_file(model, "the base"))["frozen"]) == 0


def test_operations_are_two_for_each_entry_of_a_matrix(base, config):
    c = config.channels
    adapter, alone = (make_representation(name, base, config) for name in ("lora", "mlp"))
    assert operations(adapter) == 2 * (config.layers * c * c + 5 * c)
    assert operations(alone) == 2 * (3 * alone.width**2 + 5 * alone.width)


def test_a_representation_without_a_plan_has_no_file(base, config):
    model = make_representation("lora", base, config)
    model.plan = lambda: None
    assert network_file(model) is None and operations(model) == 0
