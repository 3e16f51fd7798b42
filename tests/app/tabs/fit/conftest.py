"""A target for fits of the page."""

import numpy as np
import pytest

from app.shared import samples
from wsr.data.signals import Signal


@pytest.fixture
def target():
    image = np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)
    signal = Signal("noise", "", "train", 2, lambda: image)
    return samples.Target(signal, "noise", (image * 255).astype(np.uint8), 450, image.shape[:2])
