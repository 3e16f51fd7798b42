"""Diffusion and flow matching on distributions whose moments are known."""

import json
from dataclasses import replace

import pytest
import torch

from tests.generators.conftest import TINY
from wsr.generators.diffusion import DiffusionConfig, Training, WeightDiffusion
from wsr.generators.diffusion.config import PREDICTIONS
from wsr.generators.diffusion.process import make_process

MEAN, STD = torch.tensor([1.5, -0.5, 0.0]), torch.tensor([0.2, 1.0, 3.0])


def best_predictor(config):
    """What a perfect network predicts if the data are independent Gaussians: E[… | x] in closed form."""
    process = make_process(config)

    def predict(x, time):
        if config.predict == "flow":
            part = time[:, None] / config.timesteps
            kept, noisy = 1 - part, part
        else:
            squared = process.forward.alphas_cumprod[time.long()][:, None]
            kept, noisy = squared.sqrt(), (1 - squared).sqrt()
        away = (x - kept * MEAN) / (kept**2 * STD**2 + noisy**2)
        clean, noise = MEAN + kept * STD**2 * away, noisy * away
        velocity = kept * noise - noisy * clean
        return {"epsilon": noise, "sample": clean, "v_prediction": velocity, "flow": noise - clean}[config.predict]

    return predict


@pytest.mark.parametrize("shift", [1.0, 5.0])
@pytest.mark.parametrize("predict", PREDICTIONS)
def test_the_best_predictor_leads_to_the_moments(predict, shift):
    if shift != 1 and predict != "flow":
        pytest.skip("only flow has it")
    config = replace(TINY, predict=predict, flow_shift=shift, timesteps=500, beta=(1e-4, 4e-2))
    noise = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    *_, (found, clean) = make_process(config).sample_loop(best_predictor(config), noise, 400)
    assert torch.equal(found, clean) or torch.allclose(found, clean, atol=1e-4)
    assert torch.allclose(found.mean(0), MEAN, atol=0.05)
    assert torch.allclose(found.std(0) / STD, torch.ones(3), atol=0.05)


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_clean_weights_are_predicted_whatever_the_network_predicts(predict):
    """The error of the best predictor is known: it is the variance of a Gaussian given a noisy sample of it."""
    config = replace(TINY, predict=predict, timesteps=1000, beta=(1e-4, 2e-2))
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(20_000, 3, generator=generator)
    x = MEAN + STD * torch.randn(20_000, 3, generator=generator)
    for level in (0.3, 0.7, 0.95):
        found = make_process(config).denoised(best_predictor(config), x, noise, level)
        known = STD**2 * level**2 / ((1 - level**2) * STD**2 + level**2)
        assert torch.allclose((found - x).square().mean(0) / known, torch.ones(3), atol=0.1)


def test_a_shift_draws_more_times_near_the_noise():
    even, shifted = (make_process(replace(TINY, predict="flow", flow_shift=s)) for s in (1.0, 9.0))
    draws = [one.times(4000, torch.Generator().manual_seed(0)) for one in (even, shifted)]
    assert float(draws[0].median()) == pytest.approx(0.5, abs=0.03)
    assert float(draws[1].median()) == pytest.approx(0.9, abs=0.03) and 0 < draws[1].min() and draws[1].max() <= 1


@pytest.mark.parametrize("end", [0.0, 0.3])
def test_the_times_of_a_flow_lead_from_the_noise_to_the_final_noise(end):
    seen = []

    def predict(x, time):
        seen.append(float(time[0]) / TINY.timesteps)
        return torch.zeros_like(x)

    list(make_process(replace(TINY, predict="flow", flow_shift=3.0)).sample_loop(predict, torch.zeros(1, 2), 20, end))
    assert len(seen) == 20 and seen[0] == 1 and seen == sorted(seen, reverse=True)
    assert seen[-1] == pytest.approx(end or 3 / 22, abs=1e-5)


@pytest.mark.parametrize(("predict", "shift"), [("sample", 1.0), ("flow", 1.0), ("flow", 3.0)])
def test_a_trained_network_samples_the_moments_and_its_file_knows_the_process(predict, shift):
    mixed = torch.tensor([[1.0, 0.0], [0.8, 0.6]])  # a correlation of 0.8
    known = torch.tensor([2.0, -1.0]) + torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) @ mixed.T
    config = DiffusionConfig(32, 2, 2, 100, 3e-3, 400, predict=predict, flow_shift=shift, beta=(1e-4, 4e-2), ema=0.99)
    made = WeightDiffusion.new(None, known, config, [""])
    list(Training(made, known, [""] * 400).run(monitor_every=0))
    found = made.sample(1000, steps=50)
    assert torch.allclose(found.mean(0), known.mean(0), atol=0.15)
    assert torch.allclose(found.T.cov(), known.T.cov(), atol=0.3)
    assert float(found.T.corrcoef()[0, 1]) == pytest.approx(0.8, abs=0.1)
    content = made.contents()
    content.config = json.loads(json.dumps(content.config))
    file = WeightDiffusion.from_contents(content, None)
    assert file.config == config and torch.equal(file.sample(3, steps=5), made.sample(3, steps=5))
