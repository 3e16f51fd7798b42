import json
import math

import pytest
import torch

import wsr
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.masks import asymmetric_mask
from wsr.fields.representation import count_parameters, make_representation
from wsr.presets import preset


@pytest.fixture(params=wsr.representations)
def model(request, base, config):
    return make_representation(request.param, base, config, mask_seed=7)


def test_the_paper_counts_of_the_mlps():
    assert [count_parameters("mlp", "paper", dim) for dim in (2, 3)] == [27357, 30196]
    assert [count_parameters("mlp-asym", "paper", dim) for dim in (2, 3)] == [24537, 27226]


def test_the_paper_counts_of_the_adapters_before_masking():
    assert [count_parameters("mlora", "paper", dim) for dim in (2, 3)] == [24576, 24576]


def test_budgets_of_an_instance_at_the_cpu_preset():
    for name in wsr.representations:
        for dim in (2, 3):
            assert count_parameters(name, "cpu", dim) <= 16384


def test_values_have_the_right_shape_and_gradients_reach_every_weight(model, points):
    weights = model.initial()[None].repeat(3, 1)
    weights = (weights + 0.1 * torch.randn_like(weights)).requires_grad_()
    values = model.evaluate(weights, points)
    assert values.shape == (3, 64, 3)
    values.square().sum().backward()
    assert (weights.grad != 0).float().mean() > 0.8  # a ReLU may be zero at all of the 64 points


def test_a_copy_on_a_device_takes_all_tensors_with_it(model):
    model.extra = torch.ones(2)
    there = model.to("meta")
    tensors = [value for value in vars(there).values() if isinstance(value, torch.Tensor)]
    assert tensors and all(tensor.device.type == "meta" for tensor in tensors)
    assert there.base is None or there.base.weight.device.type == "meta"
    assert model.extra.device.type == "cpu" and (model.base is None or model.base.weight.device.type == "cpu")


def test_a_batch_equals_its_instances(model):
    weights = model.initial() + 0.1 * torch.randn(4, model.size)
    points = torch.rand(4, 32, 2) * 2 - 1
    together = model.evaluate(weights, points)
    for i in range(4):
        assert torch.allclose(together[i], model.evaluate(weights[i : i + 1], points[i : i + 1])[0], atol=1e-5)


def test_the_start_repeats_and_its_perturbation_keeps_its_spread(model):
    start = model.initial(init_seed=3)
    assert torch.equal(start, model.initial(init_seed=3))
    assert not torch.equal(start, model.initial(init_seed=4))
    assert not torch.equal(start, model.initial(init_seed=3, perturb=0.5))
    spread = model.initial("normal", init_seed=3, perturb=0.7).std()
    assert math.isclose(spread, model.initial("normal", init_seed=3).std(), rel_tol=0.2)


def test_spread_starts_lie_around_one_centre_equally_far_for_all_six(model):
    centre = model.initial_mean("spread")
    assert torch.equal(centre, model.initial("spread", sigma=0.0, init_seed=9))
    one, other = (model.initial("spread", sigma=0.3, init_seed=seed) for seed in (1, 2))
    assert math.isclose((one - centre).norm() / centre.norm(), 0.3, rel_tol=0.15)
    cosine = torch.nn.functional.cosine_similarity(one, other, dim=0)
    assert math.isclose(cosine, 1 / (1 + 0.3**2), rel_tol=0.05)
    away = model.initial("spread", sigma=0.3, init_seed=1, perturb=1.0)
    assert (away - one).norm() > 0.3 * centre.norm()


@pytest.mark.parametrize("sigma", [0.5, 1.0])
@pytest.mark.parametrize("name", ["mlora", "mlora-asym"])
def test_log_normal_starts_are_positive_and_as_independent_as_sigma_says(name, sigma, base, config):
    model = make_representation(name, base, config, mask_seed=7)
    starts = torch.stack([model.initial("lognormal", sigma=sigma, init_seed=seed) for seed in range(100)])
    assert (starts > 0).all()
    _, b = model.pairs(model.layout.fill(starts))
    one, other = b[:, ::2].flatten(), b[:, 1::2].flatten()  # enough numbers for a distribution with such a tail
    assert math.isclose(torch.nn.functional.cosine_similarity(one, other, dim=0), math.exp(-(sigma**2)), abs_tol=0.05)


@pytest.mark.parametrize("init", ["centered", "lognormal"])
@pytest.mark.parametrize("name", ["mlora", "mlora-asym"])
def test_a_start_around_the_mean_changes_nothing_on_average(name, init, base, config):
    model = make_representation(name, base, config, mask_seed=7)
    a, b = model.pairs(model.layout.fill(model.initial(init, sigma=0.1)[None]))
    assert torch.allclose((b @ a).mean(-2), torch.ones(base.config.layers, 1, 16), atol=1e-5)


@pytest.mark.parametrize("name", ["lora", "mlora"])
def test_an_unmasked_start_without_spread_is_the_mean_of_the_base(name, base, config, points):
    model = make_representation(name, base, config)
    values = model.evaluate(model.initial("centered", sigma=0.0)[None], points)
    assert torch.allclose(values, base(points, base.modulated(base.mean_style[None])), atol=1e-5)


def test_an_adapters_a_moves_at_its_own_rate(model):
    rates = model.lr_multipliers(3.0)
    assert rates.shape == (model.size,)
    if not model.kind.two_rates:
        assert (rates == 1).all()
    else:
        in_a = sum(entry.stored for entry in model.layout.entries if entry.name.endswith(".A"))
        assert (rates == 3).sum() == in_a and (rates == 1).sum() == model.size - in_a


def test_a_style_is_the_case_b_1_and_a_style_over_mean_style(base, config, points):
    model = make_representation("mlora", base, config, rank=1)
    styles = base.styles(torch.randn(1, config.latent))  # (1, l, c)
    a = (styles / base.mean_style).transpose(0, 1)[:, :, None, :]  # (l, 1, 1, c)
    weights = model.joined(a, torch.ones(base.config.layers, 1, 16, 1))
    assert torch.allclose(model.evaluate(weights, points), base(points, base.modulated(styles)), atol=1e-4)


def test_rank_components_may_be_permuted_without_a_mask_and_not_with_one(base, config, points):
    """Theorem 1 and corollary 2.1. With a mask, permuted weights leave the set of allowed weights."""
    for name in ("lora", "mlora"):
        model = make_representation(name, base, config, rank=3)
        a, b = model.pairs(torch.randn(2, model.layout.total))
        order = torch.tensor([2, 0, 1])
        before = model.evaluate(model.joined(a, b), points)
        after = model.evaluate(model.joined(a[:, :, order], b[:, :, :, order]), points)
        assert torch.allclose(before, after, atol=1e-4)
    masked = make_representation("mlora-asym", base, config, rank=3, mask_seed=1)
    a, b = masked.pairs(masked.layout.fill(torch.randn(1, masked.size)))
    permuted = masked.joined(a[:, :, [2, 0, 1]], b[:, :, :, [2, 0, 1]])
    frozen = torch.ones(masked.layout.total, dtype=torch.bool)
    frozen[masked.layout.trained] = False
    assert (permuted[0, frozen] != masked.layout.template[frozen]).any()


def test_masks_freeze_a_fixed_count_in_every_row_and_cut_no_column_off():
    for seed in range(20):
        mask = asymmetric_mask(4, 16, 4, seed, layer=0)
        counts = torch.zeros(4, 16)
        counts.view(-1)[list(mask)] = 1
        assert counts.sum(1).tolist() == [4, 4, 4, 4]
        assert counts.sum(0).max() < 4
    assert asymmetric_mask(4, 16, 4, 0, 0) != asymmetric_mask(4, 16, 4, 0, 1)
    assert asymmetric_mask(4, 16, 4, 0, 0) == asymmetric_mask(4, 16, 4, 0, 0)


def test_wrong_arguments_are_explained(base, config):
    with pytest.raises(WsrError, match="mlora-asym"):
        make_representation("mlora-asim", base, config)
    with pytest.raises(WsrError, match="rank"):
        make_representation("lora", base, config, rank=0)
    model = make_representation("mlora", base, config)
    with pytest.raises(WsrError, match="perturb"):
        model.initial(perturb=1.5)
    with pytest.raises(WsrError, match="sigma"):
        model.initial(sigma=float("nan"))
    with pytest.raises(WsrError, match="centered"):
        model.initial("centred")
    with pytest.raises(WsrError, match="preset"):
        preset("gpu", 2)


def test_the_layout_is_plain_json(model):
    entries = json.loads(json.dumps(model.layout.to_json()))
    assert sum(math.prod(e["shape"]) - len(e["frozen"]) for e in entries) == model.size


def test_another_reading_of_kappa_changes_frozen_entries_alone_and_is_not_saved(base):
    masked = make_representation("mlp-asym", None, preset("cpu", 2).field)
    smaller = masked.with_kappa(6**0.5)
    assert torch.equal(masked.layout.free, smaller.layout.free) and masked.kappa == 6
    frozen = ~masked.layout.free
    torch.testing.assert_close(masked.layout.template[frozen], 6**0.5 * smaller.layout.template[frozen])
    with pytest.raises(WsrError, match="κ = 2.449 cannot be saved"):
        FieldDescription.of(smaller)
    held = make_representation("mlora-asym", base, base.config)
    assert torch.equal(held.with_kappa(1.0).layout.template, held.layout.template)
