"""The simple generators do what their names say."""

import torch

from wsr.generators.baselines import averages, gaussian, noisy


def test_baselines_are_what_they_say():
    weights = torch.randn(400, 30, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.5, 2, 30)
    assert noisy(weights, 0.0, 5).unsqueeze(1).eq(weights).all(2).any(1).all()
    assert torch.allclose(averages(weights, 400, 2), weights.mean(0).expand(2, -1), atol=1e-5)
    drawn = gaussian(weights, 4000)
    assert torch.allclose(drawn.mean(0), weights.mean(0), atol=0.15)
    assert torch.allclose(drawn.std(0), weights.std(0), rtol=0.1)
