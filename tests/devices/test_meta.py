"""The same on PyTorch's `meta` device, which has shapes and devices but no numbers, for code that reads no numbers."""

import pytest
import torch

import wsr
from wsr.fitting.autodecoder import BaseTraining
from wsr.fitting.loop import step_loss
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion
from wsr.generators.diffusion.config import PREDICTIONS
from wsr.generators.diffusion.process import make_process
from wsr.modalities.image_targets import ImageTargets
from wsr.modalities.occupancy_targets import ShapeTargets
from wsr.presets import BaseTrainingConfig, Stage
from wsr.render.decode import evaluate_in_chunks

META = torch.device("meta")


def targets(dim):
    if dim == 2:
        return ImageTargets(torch.zeros(3, 8, 8, 3, dtype=torch.uint8), META)
    return ShapeTargets(torch.zeros(3, 2, 64, 3), torch.zeros(3, 2, 64, dtype=torch.bool), META)


@pytest.mark.parametrize("name", wsr.representations)
def test_steps_of_a_fit_line_up(name, make):
    model, fitted = make(name), targets(2)
    there = model.to(META)
    assert there.device == META and model.device.type == "cpu" and fitted.device == META
    weights = (there.initial() / there.lr_multipliers(3.0)).expand(3, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=0.1)
    losses = step_loss(there, fitted, torch.float32)
    for step in range(3):
        batch = fitted.batch(step, 16)
        loss = losses(weights * there.lr_multipliers(3.0), batch.points, batch.values)
        loss.sum().backward()
        optimizer.step()
    assert loss.device == META and weights.grad.device == META
    values = evaluate_in_chunks(there, model.initial()[None], torch.zeros(1, 5, 2))
    assert values.device == META and values.shape == (1, 5, 3)


def test_steps_of_a_shapes_fit_line_up(base3):
    from wsr.fields.representation import make_representation

    there, fitted = make_representation("mlora-asym", base3, base3.config).to(META), targets(3)
    batch = fitted.batch(5, 16)
    loss = step_loss(there, fitted, torch.float32)(there.initial().expand(3, -1), batch.points, batch.values)
    assert loss.device == META and loss.shape == (3,)


def test_a_step_of_base_training_lines_up(config):
    training = BaseTraining(targets(2), config, BaseTrainingConfig((Stage(2, 2, 16, 1e-3),)), device=META)
    latents = training.latents(torch.zeros(2, dtype=torch.long, device=META))
    batch = training.targets.batch(0, 16, torch.zeros(2, dtype=torch.long, device=META))
    values = training.base(batch.points, training.base.modulated(training.base.styles(latents)))
    training.targets.loss(values, batch).mean().backward()
    assert training.base.weight.grad.device == META


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_a_step_of_diffusion_lines_up(predict, make):
    model = make("lora-asym")
    config = DiffusionConfig(16, 1, 2, 8, 1e-3, 2, timesteps=20, predict=predict)
    weights = model.initial() + torch.randn(5, model.size)
    here = WeightDiffusion.new(model, weights, config, ["a", "b"])
    there = here.to(META)
    assert there.mean.device == META and here.mean.device.type == "cpu"
    x = there.standardise(weights)
    times, labels = torch.zeros(5, device=META), torch.zeros(5, dtype=torch.long, device=META)
    if predict == "flow":
        loss = make_process(config).loss(lambda x, time: there.network(x, time, labels), x, torch.randn_like(x), times)
        assert loss.device == META
    assert there.restore(there.network(x, times, labels)).device == META
