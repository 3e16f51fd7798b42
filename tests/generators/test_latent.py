"""The latent generators learn a distribution of weights, and state what they draw from."""

import pytest
import torch

from wsr.errors import WsrError
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.hyper_representations import HyperRepresentations
from wsr.generators.latent import LatentConfig
from wsr.generators.p_diff import PDiff, PDiffConfig

CONFIG = LatentConfig(latent=4, width=64, steps=600, batch=40)
NOISE = DiffusionConfig(32, 2, 2, 40, 3e-3, 200, timesteps=50, beta=(1e-3, 0.2), ema=0.98, shared_modulation=True)


def family(count, seed):
    ways = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    return 2 + torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)) @ ways


@pytest.mark.parametrize("make", [HyperRepresentations.new, lambda w, c: PDiff.new(w, PDiffConfig(c, NOISE))])
def test_samples_are_of_the_family_and_no_training_weights(make):
    data = family(200, 1)
    made = make(data, CONFIG)
    records = list(made.train_stream())
    assert records[11].loss < 0.1 * records[0].loss
    assert (made.reconstructed() - data).norm(dim=1).mean() < 0.4 * data.sub(data.mean(0)).norm(dim=1).mean()
    found = made.sample(40, seed=1)
    assert torch.equal(found, made.sample(40, seed=1)) and not torch.equal(found, made.sample(40, seed=2))
    basis = torch.linalg.svd(data - data.mean(0), full_matrices=False).Vh[:3]
    centred = found - data.mean(0)
    off = (centred - centred @ basis.T @ basis).norm(dim=1)
    assert off.mean() < 0.5 * centred.norm(dim=1).mean() and centred.norm(dim=1).mean() > 1


def test_too_few_weights_and_a_broken_loss_are_told():
    with pytest.raises(WsrError, match="four"):
        HyperRepresentations.new(torch.zeros(2, 5), CONFIG)
    data = family(20, 1)
    data[3] = float("nan")
    with pytest.raises(WsrError, match="step 50"):
        list(HyperRepresentations.new(data, CONFIG).train_stream())
