"""A fit that is made alone and the same one in a batch."""

import numpy as np
import pytest
import torch

import wsr
from wsr.fields.base import compute_dtype
from wsr.fields.registry import named
from wsr.fields.representation import make_representation
from wsr.fitting.fit import fit
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import FitSettings


@pytest.fixture(scope="module")
def many():
    y, x = np.mgrid[0:16, 0:16] / 15
    waves = [0.5 + 0.5 * np.sin(4 * x * y + phase) for phase in np.linspace(0, 3, 64)]
    return np.stack([np.stack([x, y, wave], -1) for wave in waves]).astype(np.float32)


def assert_as_good(name: str, alone, together, within: float):
    """Qualities (n,) in dB, of the same fits made alone and in a batch.

    Another order of sums is another rounding. Most fits end where they would have ended, but a step that switches a
    ReLU may move one MLP by 1 dB, to either side and on another CPU another one (mLoRA by 0.1 dB; 36 fits of each
    representation, in fp32 and bf16, with AVX2 and AVX-512). So half of twelve MLPs are asked, ten of twelve adapters,
    and the mean of all.
    """
    differences = np.asarray(alone) - np.asarray(together)
    assert len(differences) == 12
    assert np.median(np.abs(differences)) <= within
    assert not named(name).needs_base or np.sort(np.abs(differences))[9] <= within
    assert abs(differences.mean()) <= 0.3  # four standard errors of the mean of twelve MLPs


@pytest.mark.parametrize("name", ["mlp", "lora", "mlora-asym"])
def test_an_instance_is_as_good_alone_as_in_a_batch(name, base, many):
    """In the dtype in which this machine fits, and with its number of threads."""
    within = {torch.float32: 0.05, torch.bfloat16: 0.5}[compute_dtype("cpu")]  # in dB; bf16 has two decimal digits
    pictures, settings = many[::5][:12], {"steps": 80, "points": 64}
    alone = [fit(pictures[i : i + 1], name, base, **settings).quality[0] for i in range(12)]
    assert_as_good(name, alone, fit(pictures, name, base, **settings).quality, within)


@pytest.mark.parametrize("name", wsr.representations)
def test_in_fp64_an_instance_alone_has_the_weights_it_has_in_a_batch_of_64(name, base, many, compute_in):
    """In fp64, rounding is 1e-16 of a gradient, and Adam amplifies it to at most 1e-8 of a step (see `run_fit`)."""
    compute_in(torch.float64)
    model, config = make_representation(name, base, base.config), FitSettings(steps=10, points=64).config(name, "image")

    def fitted(part):
        records = run_fit(make_problem(part, None), model, model.initial(), config, 16, 1, torch.float64)
        return [record.weights for record in records]

    together, step = fitted(many), config.lr * model.lr_multipliers(config.a_rate)
    assert together[-1].dtype == torch.float64
    for i in (0, 41):
        alone = fitted(many[i : i + 1])
        assert ((alone[0][0] - together[0][i]).abs() <= 1e-8 * step).all()
        assert ((alone[-1][0] - together[-1][i]).abs() <= 1e-6 * step).all()


@pytest.mark.parametrize("name", wsr.representations)
def test_in_fp32_an_instance_alone_has_the_gradient_and_the_quality_it_has_in_a_batch_of_64(
    name, base, many, compute_in
):
    """But not the weights: rounding may switch a ReLU, and Adam turns the difference into whole steps (see `run_fit`).
    """
    compute_in(torch.float32)
    model, config = make_representation(name, base, base.config), FitSettings(steps=80, points=64).config(name, "image")

    def gradient(part):
        targets = make_problem(part, None).targets
        drawn, start = targets.batch(0, 64), model.initial().expand(len(part), -1).clone().requires_grad_()
        targets.loss(model.evaluate(start, drawn.points), drawn).sum().backward()
        return start.grad

    def quality(part):
        *_, last = run_fit(make_problem(part, None), model, model.initial(), config, 16, 0)
        return last.result.quality

    slopes, qualities = gradient(many), quality(many)
    some = range(2, 64, 5)[:12]
    for i in some:
        alone = gradient(many[i : i + 1])[0]
        assert (alone - slopes[i]).norm() <= 1e-5 * alone.norm()
    assert_as_good(name, [quality(many[i : i + 1])[0] for i in some], qualities[list(some)], 0.05)
