"""The best linear guess, on weights that are normal."""

import pytest
import torch

from wsr.diffusion.config import DiffusionConfig
from wsr.diffusion.gaussian import GaussianGuess
from wsr.diffusion.process import make_process

SIZE, CLASSES, COMPONENTS = 12, 2, 4
PROCESS = make_process(DiffusionConfig(16, 2, 2, 8, 3e-3, 12))


@pytest.fixture
def data():
    """Two classes with means of their own, along four directions; (x, labels)."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(SIZE, COMPONENTS, generator=generator))[0].T
    labels = torch.arange(4000) % CLASSES
    along = torch.randn(4000, COMPONENTS, generator=generator) * torch.tensor([2.0, 1.0, 0.5, 0.3])
    along[:, 0] += torch.where(labels == 0, 1.5, -1.5)
    x = along @ directions
    return x - x.mean(0), labels


@pytest.fixture
def guess(data):
    made = GaussianGuess(SIZE, CLASSES, COMPONENTS, PROCESS.forward.alphas_cumprod)
    made.fit(*data)
    return made


def test_without_noise_it_is_the_weight_and_with_nothing_else_the_mean(guess, data):
    x, labels = data[0][:8], data[1][:8]
    first, last = torch.zeros(8), torch.full((8,), 499.0)
    found, left = guess(guess.kept[0].sqrt() * x, first, labels)
    torch.testing.assert_close(found, x, atol=0.02, rtol=0)
    assert (left < 0.1).all()
    found, left = guess(torch.zeros_like(x), last, labels)
    torch.testing.assert_close(found, guess.mean[labels], atol=0.15, rtol=0)
    assert (left > 0.5).all()


def test_no_linear_guess_is_better_and_it_knows_how_good_it_is(guess, data):
    x, labels = data
    own = x[labels == 0]
    time = torch.full((len(own),), 200.0)
    noise = torch.randn(own.shape, generator=torch.Generator().manual_seed(1))
    noisy = PROCESS.forward.add_noise(own, noise, time.long())
    found, left = guess(noisy, time, labels[labels == 0])
    ones = torch.cat([noisy, torch.ones(len(own), 1)], 1)
    best = ones @ torch.linalg.lstsq(ones, own).solution
    error = (found - own).square().mean()
    torch.testing.assert_close(error, (best - own).square().mean(), rtol=0.03, atol=0)
    torch.testing.assert_close(left.square().mean(), error, rtol=0.1, atol=0)


@pytest.mark.parametrize("label", range(CLASSES + 1))
def test_a_walk_by_the_guess_alone_gives_the_class_again(guess, data, label):
    x, labels = data
    own = x[labels == label] if label < CLASSES else x
    noise = torch.randn(4000, SIZE, generator=torch.Generator().manual_seed(2))
    marks = torch.full((4000,), label)
    *_, (_, made) = PROCESS.walk(lambda at, time: guess(at, time, marks)[0], noise, 100)
    # a walk starts at noise of mean 0, where the last step of the forward process still has 8 % of the mean
    torch.testing.assert_close(made.mean(0), own.mean(0), atol=0.25, rtol=0)
    torch.testing.assert_close(made.T.cov(), own.T.cov(), atol=0.15 if label < CLASSES else 0.4, rtol=0)


def test_a_class_with_one_weight_has_the_spread_of_all(data):
    x, labels = data
    labels = torch.cat([labels[:-1].clamp_max(0), torch.tensor([1])])
    made = GaussianGuess(SIZE, CLASSES, COMPONENTS, PROCESS.forward.alphas_cumprod)
    made.fit(x, labels)
    assert made.variance[1].sum() > 0.8 * x.var(0).sum()
