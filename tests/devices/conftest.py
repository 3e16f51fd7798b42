"""A pretended GPU that the code chooses by itself, and a small problem to fit on it."""

import numpy as np
import pytest
from pretend_gpu import chosen_gpu

from wsr.fields.base import BaseField
from wsr.fields.representation import make_representation


@pytest.fixture
def gpu():
    with chosen_gpu() as there:
        yield there


@pytest.fixture
def pictures():
    y, x = np.mgrid[0:16, 0:16] / 15
    return np.stack([np.stack([x, y, 0.5 * (1 + np.sin(k * x + y))], -1) for k in (2.0, 5.0)]).astype(np.float32)


@pytest.fixture
def base3():
    from tests.conftest import tiny_config

    return BaseField(tiny_config(3), seed=1).requires_grad_(False)


@pytest.fixture
def make(base, config):
    """A representation by name, over the tiny base."""
    return lambda name: make_representation(name, base, config, mask_seed=7)
