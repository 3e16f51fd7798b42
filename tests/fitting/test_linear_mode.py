"""The paper's central claim (section 4.2) at a small scale: with the mask, fits of one target from independent starts
lie in one linear mode; without it they do not. Targets are what the zoo's held-out weights decode to."""

import numpy as np
import pytest

import wsr
from wsr.paths import assets_dir
from wsr.zoo import Zoo

pytestmark = pytest.mark.skipif(
    not (assets_dir() / "zoos" / "emoji-mlora-asym" / "zoo.json").exists(), reason="the zoo is part of the repository"
)


@pytest.fixture(scope="module")
def targets():
    zoo = Zoo.open("emoji-mlora-asym")
    heldout = zoo.index[(zoo.index["split"] == "heldout") & (zoo.index["quality"] > 30)]["id"].tolist()[:4]
    return zoo.decode(heldout, 64)  # (4, 64, 64, 3)


def midpoint(targets: np.ndarray, representation: str) -> tuple[float, float]:
    """Returns the mean PSNR of two fits, and that of the field halfway between their weights."""
    ends = [wsr.fit(targets, representation, "emoji", steps=100, points=256, init_seed=seed) for seed in (0, 1)]
    middle = ends[0]
    quality = float(np.mean([end.quality.mean() for end in ends]))
    middle.weights = (ends[0].weights + ends[1].weights) / 2
    return quality, float(np.mean([wsr.metrics.psnr(a, b) for a, b in zip(middle.render(64), targets, strict=True)]))


def test_the_mask_brings_independent_fits_into_one_linear_mode(targets):
    masked, masked_middle = midpoint(targets, "mlora-asym")
    plain, plain_middle = midpoint(targets, "mlora")
    assert masked > 28 and abs(masked - plain) < 3  # both fit the target
    assert masked_middle > plain_middle + 3
    assert masked - masked_middle < 0.6 * (plain - plain_middle)
