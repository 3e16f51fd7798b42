"""The levers that make weights easier to learn from: the same points for all instances, the pull towards the start, and
the average of the last steps. Off, they change nothing (tests/zoo/test_equal_results.py)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from wsr.data import shared_places
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.representation import make_representation
from wsr.fitting.fit import fit, fit_stream
from wsr.fitting.iterates import Iterates, averaged_steps, cosine
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import FitSettings
from wsr.presets import FitConfig
from wsr.zoo.meta import zoo_meta

CONFIG = FitConfig(40, 64, 8, lr=0.1, betas=(0.7, 0.85))


@pytest.fixture
def pictures():
    y, x = np.mgrid[0:16, 0:16] / 15
    return np.stack([np.stack([x, y, 0.5 * (1 + np.sin(k * x + y))], -1) for k in (2.0, 5.0, 8.0)]).astype(np.float32)


def steps(config: FitConfig, target: float, noise: float = 0.0) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Fits two numbers, which begin at 1 and have the rates 1 and 3, to a target by the square of the distance, with
    noise in the gradient. Returns the weights after each step, and the result."""
    start, rates = torch.ones(2), torch.tensor([1.0, 3.0])
    iterates, found = Iterates(start, rates, 5, config), []
    generator = torch.Generator().manual_seed(0)
    for step in range(config.steps):
        weights = iterates.weights
        shaken = weights + noise * torch.randn(5, 2, generator=generator)
        iterates.step(step, (shaken - target).square().sum(1))
        found.append(iterates.weights.detach())
    return found, iterates.result


def test_without_levers_it_is_adam():
    found, result = steps(CONFIG, 4.0)
    assert torch.equal(result, found[-1])
    scaled = torch.tensor([1.0, 1 / 3]).expand(5, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([scaled], betas=CONFIG.betas, fused=True)
    for step in range(CONFIG.steps):
        optimizer.param_groups[0]["lr"] = cosine(step, CONFIG)
        optimizer.zero_grad()
        (scaled * torch.tensor([1.0, 3.0]) - 4.0).square().sum().backward()
        optimizer.step()
    assert torch.equal(result, (scaled * torch.tensor([1.0, 3.0])).detach())


def test_the_pull_leads_back_where_nothing_else_pulls():
    """Adam's steps do not become shorter if the gradient is only noise, so without the pull the weights wander off."""

    def distance(pull: float) -> torch.Tensor:
        start, rates = torch.ones(2), torch.tensor([1.0, 3.0])
        iterates, generator = Iterates(start, rates, 64, replace(CONFIG, pull=pull)), torch.Generator().manual_seed(0)
        for step in range(CONFIG.steps):
            iterates.step(step, (iterates.weights * torch.randn(64, 2, generator=generator)).sum(1))
        return ((iterates.result - start) / rates).square().mean(0).sqrt()

    assert (distance(2.0) < 0.8 * distance(0.0)).all() and (distance(8.0) < 0.8 * distance(2.0)).all()


def test_a_pull_shortens_the_way_from_the_start_by_one_share_in_every_entry():
    config = replace(CONFIG, steps=1, lr=0.05)
    plain, pulled = (steps(replace(config, pull=pull), 4.0)[1] for pull in (0.0, 2.0))
    assert torch.equal(plain, pulled)  # in the first step the pull is zero, because the weights are at the start
    iterates = Iterates(torch.zeros(2), torch.tensor([1.0, 3.0]), 1, replace(config, steps=2, lr_end=0.05, pull=2.0))
    iterates.step(0, (iterates.weights - 4.0).square().sum(1))
    before = iterates.weights.detach()
    iterates.step(1, 0.0 * iterates.weights.sum(1))  # without a gradient, Adam's momentum still moves it
    plain = Iterates(torch.zeros(2), torch.tensor([1.0, 3.0]), 1, replace(config, steps=2, lr_end=0.05))
    plain.step(0, (plain.weights - 4.0).square().sum(1))
    plain.step(1, 0.0 * plain.weights.sum(1))
    assert torch.allclose(plain.weights - iterates.weights, before * 0.05 * 2.0)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_the_average_is_that_of_the_last_steps(share):
    config = replace(CONFIG, average=share)
    found, result = steps(config, 4.0, noise=0.5)
    last = averaged_steps(config)
    assert last == round(share * 40) and torch.allclose(result, torch.stack(found[-last:]).mean(0), atol=1e-6)
    assert torch.equal(found[-1], steps(CONFIG, 4.0, noise=0.5)[1])  # averaging does not change the steps of the fit


def test_an_average_is_less_noisy_than_the_last_step():
    config = replace(CONFIG, steps=200, lr_end=CONFIG.lr)
    last, mean = (steps(replace(config, average=share), 4.0, noise=1.0)[1] for share in (0.0, 0.5))
    assert (mean - 4.0).square().mean() < 0.3 * (last - 4.0).square().mean()


def test_records_and_result_are_of_the_average(base, pictures):
    settings = dict(steps=10, points=64, every=1)
    plain = list(fit_stream(pictures, "mlora-asym", base, **settings))
    records = list(fit_stream(pictures, "mlora-asym", base, average=0.4, **settings))
    mean = torch.stack([record.weights for record in plain[-4:]]).mean(0)
    assert all(torch.equal(one.weights, other.weights) for one, other in zip(records[:7], plain[:7], strict=True))
    assert torch.allclose(records[-1].weights, mean, atol=1e-6)
    result, evaluator = records[-1].result, make_problem(pictures, None).evaluator
    assert torch.equal(result.weights, records[-1].weights)
    assert np.allclose(result.quality, evaluator.quality(result.representation, result.weights), atol=1e-4)


def test_levers_are_keywords_of_a_fit(base, pictures):
    plain = fit(pictures, "mlora-asym", base, steps=20, points=64)
    off = fit(pictures, "mlora-asym", base, steps=20, points=64, pull=0.0, average=0.0, shared_points=False)
    assert torch.equal(plain.weights, off.weights)
    shared = fit(pictures, "mlora-asym", base, steps=20, points=64, shared_points=True)
    assert torch.equal(plain.weights, shared.weights)  # instances of a batch of pictures always share their points
    near = fit(pictures, "mlora-asym", base, steps=20, points=64, pull=5.0)
    start = plain.representation.initial()
    assert ((near.weights - start).norm(dim=1) < (plain.weights - start).norm(dim=1)).all()


@pytest.mark.parametrize("given, said", [
    ({"pull": -1.0}, "positive number, not -1.0"), ({"pull": float("nan")}, "not nan"),
    ({"average": 1.0}, "below 1, not 1.0"), ({"average": -0.1}, "not -0.1"),
])  # fmt: skip
def test_levers_out_of_range_are_explained(given, said):
    with pytest.raises(WsrError, match=said):
        FitSettings(**given).config("mlp", "image")


def test_what_is_off_is_not_stated(base):
    """Otherwise zoos and runs that were begun before the levers existed could not be continued."""
    from wsr.identity import Identity

    assert not {"pull", "average", "shared_points"} & CONFIG.stated().keys()
    on = replace(CONFIG, pull=0.5, average=0.25, shared_points=True)
    assert on.stated() == CONFIG.stated() | {"pull": 0.5, "average": 0.25, "shared_points": True}
    plain, pulled = (Identity.of("fit", 1, fit=config) for config in (CONFIG, replace(CONFIG, pull=0.5)))
    assert "pull" not in plain.parts["fit"] and plain.parts["fit"]["far_steps"] is None
    assert pulled.differences(plain) == ["fit.pull is now 0.5 and was not stated"]
    model = make_representation("mlora-asym", base, base.config)
    about = dict(dataset="d", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
    assert "pull" not in zoo_meta(model, **about)["fit"]


@pytest.fixture
def few_places(monkeypatch, tmp_path):
    """Shapes with 16,000 sampled points instead of 131,072."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    monkeypatch.setattr(shared_places, "PLACES", 8192)
    monkeypatch.setattr(shared_places, "REFERENCES", 4)
    caches = (shared_places.shared_places, shared_places._places_hash)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()


def test_shapes_share_their_places_if_asked(few_places):
    shapes = [trimesh.creation.icosphere(2), trimesh.creation.box((1, 0.5, 1))]
    own, shared = (make_problem(shapes, None, 0, "cpu", 500, shared_points=one).targets for one in (False, True))
    assert len(own) == len(shared) == 2 and len(own.batch(3, 64).points) == 2
    batch = shared.batch(3, 64)
    assert batch.points.shape == (1, 64, 3) and batch.values.shape == (2, 64, 1)
    assert not torch.equal(batch.values[0], batch.values[1])
    inside = (batch.points[0].abs() < torch.tensor([0.5, 0.25, 0.5]) / 0.75).all(1)  # scaled to the unit sphere
    assert (inside == batch.values[1, :, 0].bool()).float().mean() > 0.95
    alone = make_problem(shapes[1:], None, 0, "cpu", 500, shared_points=True).targets.batch(3, 64)
    assert torch.equal(alone.points, batch.points) and torch.equal(alone.values[0], batch.values[1])
    some = shared.batch(3, 64, torch.tensor([1, 0]))
    assert torch.equal(some.points, batch.points) and torch.equal(some.values, batch.values[[1, 0]])
    points, values = shared.draw(1, 10, torch.Generator().manual_seed(0))
    assert points.shape == (10, 3) and values.shape == (10, 1)


def test_shared_places_are_cached_and_lie_near_surfaces(few_places):
    made = shared_places.shared_places()
    assert made.shape == (2, 8192, 3) and abs(made).max() <= 1 and not made.flags.writeable
    ball = trimesh.creation.icosphere(2)
    problem = [make_problem(ball, None, shared_points=True, evaluation_points=100) for _ in range(2)]
    assert torch.equal(problem[0].targets.inside, problem[1].targets.inside)
    (path,) = (few_places / "occupancy").rglob("*-shared-*.npz")
    path.write_bytes(b"damaged")
    again = make_problem(ball, None, shared_points=True, evaluation_points=100)
    assert torch.equal(again.targets.inside, problem[0].targets.inside)


def test_a_shape_is_fitted_at_shared_places(few_places):
    from tests.conftest import tiny_config

    base = BaseField(tiny_config(3), seed=1).requires_grad_(False)
    shapes = [trimesh.creation.icosphere(2), trimesh.creation.box()]
    asked = dict(steps=200, points=512, lr=3e-2)
    own, shared = (fit(shapes, "mlora-asym", base, **asked, shared_points=one).quality for one in (False, True))
    assert (shared > own - 0.1).all(), (shared, own)


def test_an_empty_shape_is_refused(few_places):
    flat = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    with pytest.raises(WsrError, match="encloses nothing"):
        fit(flat, "mlp", steps=1, shared_points=True)
