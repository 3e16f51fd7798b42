"""The skip of diffusion transformers that predict noise and are too narrow for it, as the paper's is in 3D."""

from dataclasses import replace

import pytest
import torch

from tests.generators.conftest import TINY, classes, fresh, weights
from wsr import presets
from wsr.fields import registry
from wsr.fields.base import BaseField
from wsr.formats.generators import DiffusionConfigSchema
from wsr.generators.diffusion import Training, diffusion_preset, load_diffusion
from wsr.generators.diffusion.process import make_process
from wsr.generators.diffusion.tokens import make_tokens
from wsr.identity import Identity

NARROW = replace(TINY, width=8, pair_width=8, predict="epsilon", steps=40, lr=1e-2)  # 128 numbers a layer, 32 a pair


@pytest.mark.parametrize("modality", ["image", "occupancy"])
@pytest.mark.parametrize("encoder", [True, False])
@pytest.mark.parametrize("name", registry.names())
def test_whoever_predicts_noise_at_the_paper_preset_can_carry_it(name, encoder, modality):
    """The widths of everything that noise passes on its way, or a way around."""
    field, config = presets.preset("paper", modality).field, diffusion_preset("paper", name, modality)
    if config.predict != "epsilon":
        assert not config.skip and not registry.named(name).needs_base
        return
    with torch.device("meta"):
        base = BaseField(field)
    layer, pair = 2 * field.rank * field.channels, 2 * field.channels
    if not encoder:  # a token for each matrix
        assert layer // 2 < config.width
        return
    fits = layer <= config.width and pair <= config.width // field.rank
    assert fits is (modality == "image") and config.skip is not fits
    assert (layer, config.width // field.rank) == ((2048, 720) if fits else (3072, 960)) and base.weight.is_meta


def test_noise_passes_by_a_network_that_is_too_narrow(adapter):
    data, late = weights(adapter, 40), torch.full((40,), 49)
    losses = {}
    for skip in (False, True):
        made = fresh(adapter, replace(NARROW, skip=skip))
        x = made.standardise(data)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        losses[skip] = [_loss(made, x, noise, late)]
        list(Training(made, data, classes(40)).run(monitor_every=0))
        losses[skip].append(_loss(made, x, noise, late))
    assert min(losses[False]) > 0.8, "what does not fit through the network is missing in its prediction"
    assert losses[True][0] < 0.5, "at the last times the noisy weights are nearly all noise"
    assert losses[True][1] < 0.1


@torch.no_grad()
def _loss(made, x, noise, times) -> float:
    label = torch.zeros(len(x), dtype=torch.long)
    return float(make_process(made.config).loss(lambda x, t: made.network(x, t, label), x, noise, times).mean())


def test_each_layers_entries_have_a_gain_of_their_own(model):
    made = fresh(model, replace(NARROW, skip=True))
    tokens, skip = make_tokens(model, made.config), made.network.skip
    assert tokens.owner.shape == (model.size,) and set(tokens.owner.tolist()) == set(range(tokens.count))
    with torch.no_grad():
        skip.linear.bias.copy_(torch.arange(tokens.count))
        gains = skip(torch.zeros(1, made.config.width))
    assert torch.equal(gains[0], tokens.owner.float())
    layers = [entry.name.rpartition(".")[0] for entry in model.layout.entries for _ in range(entry.stored)]
    found = dict(zip(tokens.owner.tolist(), layers, strict=True))
    assert len(set(found.values())) == tokens.count and [found[i] for i in tokens.owner.tolist()] == layers


def test_it_is_stored_and_resumed_and_networks_without_it_are_as_before(adapter, tmp_path):
    config = replace(NARROW, skip=True, steps=4)
    made = fresh(adapter, config)
    training = Training(made, weights(adapter), classes())
    for record in training.run(record_every=1, monitor_every=0, checkpoint=tmp_path / "c"):
        if record.step == 2:
            break
    list(training.run(record_every=1, monitor_every=0, checkpoint=tmp_path / "c"))
    made.save(tmp_path / "m.safetensors")
    again = load_diffusion(tmp_path / "m.safetensors", adapter)
    assert again.config == config and torch.allclose(again.sample(2, steps=3), made.sample(2, steps=3), atol=0.05)
    plain = fresh(adapter, replace(config, skip=False))
    assert not any("skip" in name for name in plain.network.state_dict())
    assert "skip" not in Identity.of("x", 1, config=plain.config).parts["config"]
    assert not DiffusionConfigSchema.model_fields["skip"].default
