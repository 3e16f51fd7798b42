"""The four measures on weights with a known answer: all lie in a few shared directions, plus a share of noise."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.conftest import Colours, family
from wsr.analysis.learnability import (
    LEAST_UNSEEN,
    generated_distance,
    noise_share,
    projected,
    read_attributes,
    span_share,
)
from wsr.errors import WsrError

SIZE = 400  # numbers in the weights of a fit


def low_rank(count: int, rank: int, noise: float, seed: int, common: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns two fits of each target. Their change is made of `rank` directions, one change that all targets share,
    and noise; its squared length is 1 on average, of which `noise` and `common` are the shares of the last two."""
    ways = torch.linalg.qr(torch.randn(SIZE, rank + 1, generator=torch.Generator().manual_seed(99))).Q.T
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randn(count, rank, generator=generator) @ ways[:rank] * ((1 - noise - common) / rank) ** 0.5
    shared = parts + ways[rank] * common**0.5
    return tuple(shared + torch.randn(count, SIZE, generator=generator) * (noise / SIZE) ** 0.5 for _ in range(2))


@settings(max_examples=20, deadline=None)
@given(noise=st.floats(0, 0.9), seed=st.integers(0, 1000))
def test_the_noise_share_is_the_share_of_noise(noise, seed):
    found = noise_share(*low_rank(200, 10, noise, seed))
    assert found.share.mean() == pytest.approx(noise, abs=0.05) and found.floor == pytest.approx(1, abs=0.05)


def test_a_common_change_counts_in_the_share_but_not_in_the_own_share():
    found = noise_share(*low_rank(300, 10, noise=0.3, seed=0, common=0.4))
    assert found.share.mean() == pytest.approx(0.3, abs=0.03) and found.floor == pytest.approx(0.6, abs=0.03)
    assert found.own.mean() == pytest.approx(0.3 / 0.6, abs=0.05)


def test_the_change_is_measured_from_the_start():
    a, b = low_rank(50, 5, 0.2, seed=1)
    start = 10 * torch.randn(SIZE, generator=torch.Generator().manual_seed(5))
    assert np.allclose(noise_share(a + start, b + start, start).share, noise_share(a, b).share, atol=1e-4)
    assert noise_share(a + start, b + start).share.mean() < 0.02  # if the start is not subtracted, it hides the noise
    assert np.allclose(noise_share(a, a).share, 0, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_span_holds_shared_directions_and_a_chance_share_of_noise(seed):
    """Of 100 fits in SIZE dimensions it holds a share 99 / SIZE of any noise, and all of five shared directions."""

    def share(noise: float) -> float:
        training, unseen = (low_rank(100, 5, noise, seed + number)[0] for number in (0, 1))
        return span_share(unseen, training, [100])[100]

    assert share(0.0) == pytest.approx(1, abs=1e-3) and share(1.0) == pytest.approx(99 / SIZE, abs=0.05)
    assert 1 > share(0.2) > share(0.5) > share(0.8) > share(1.0)


def test_more_training_fits_span_more():
    training, unseen = low_rank(200, 40, 0.3, 0)[0], low_rank(50, 40, 0.3, 1)[0]
    found = span_share(unseen, training, [20, 50, 100, 200])
    assert list(found) == [20, 50, 100, 200] and list(found.values()) == sorted(found.values())
    assert found == span_share(unseen, training, [20, 50, 100, 200]) and found[20] < 0.6 < found[200]
    with pytest.raises(WsrError, match="of 200 at most"):
        span_share(unseen, training, [300])


def test_a_projection_lies_in_the_span_and_keeps_what_does():
    training, unseen = low_rank(30, 10, 0.2, 0)[0], low_rank(8, 10, 0.2, 1)[0]
    inside, share = projected(unseen, training)
    assert 0 < share < 1 and projected(inside, training)[1] == pytest.approx(1, abs=1e-4)
    assert projected(training, training)[1] == pytest.approx(1, abs=1e-3)
    assert projected(unseen, training, 3)[1] < share


def attributes(count: int, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Weights that were made with a length, a colour, and a number of legs that only half of them have."""
    rng, ways = np.random.default_rng(seed), np.random.default_rng(99).normal(size=(5, SIZE))
    length, legs, colour = rng.normal(size=count), rng.integers(2, 6, count), rng.integers(0, 3, count)
    weights = np.outer(length, ways[0]) + np.outer(legs, ways[1]) + ways[2 + colour] + rng.normal(size=(count, SIZE))
    found = {"length": length, "legs": np.where(np.arange(count) % 2, legs, np.nan)}
    found |= {"colour": np.array(["red", "green", "blue"])[colour], "name": rng.choice(["a", "b"], count)}
    return weights.astype(np.float32), pd.DataFrame(found)


def test_attributes_are_read_and_what_the_weights_do_not_hold_is_not():
    found = read_attributes(*attributes(200, 0), *attributes(100, 1)).set_index("attribute")
    assert found["kind"].to_dict() == {"length": "number", "legs": "number", "colour": "category", "name": "category"}
    assert found.loc["length", "score"] > 0.9 and found.loc["legs", "score"] > 0.8
    assert found.loc["legs", ["training", "unseen"]].tolist() == [100, 50]
    assert found.loc["colour", "score"] > 0.95 and 0.2 < found.loc["colour", "chance"] < 0.5
    assert abs(found.loc["name", "score"] - 0.5) < 0.2
    noise = np.random.default_rng(0).normal(size=(200, SIZE)).astype(np.float32)
    nothing = read_attributes(noise, attributes(200, 0)[1], *attributes(100, 1)).set_index("attribute")
    assert nothing.loc["length", "score"] < 0.2


def test_a_ridge_regression_in_the_span_is_one_on_the_weights():
    from sklearn.linear_model import RidgeCV

    from wsr.analysis.learnability import ALPHAS

    (training, known), (unseen, asked) = attributes(60, 0), attributes(40, 1)
    mean, std = training.mean(0), training.std(0)
    near, far = ((weights - mean) / std / SIZE**0.5 for weights in (training, unseen))
    whole = RidgeCV(ALPHAS).fit(near, known["length"]).score(far, asked["length"])
    read = read_attributes(training, known, unseen, asked).set_index("attribute")
    assert read.loc["length", "score"] == pytest.approx(whole, abs=1e-3)


def test_attributes_that_are_constant_or_too_rare_are_left_out():
    (training, known), (unseen, asked) = attributes(60, 0), attributes(40, 1)
    few = asked["length"].where(np.arange(40) < LEAST_UNSEEN - 1)
    found = read_attributes(training, known.assign(same=1.0), unseen, asked.assign(same=1.0, length=few))
    assert "same" not in set(found["attribute"]) and "length" not in set(found["attribute"])
    empty = read_attributes(training, pd.DataFrame(index=range(60)), unseen, pd.DataFrame(index=range(40)))
    assert empty.empty and "score" in empty


def test_two_fits_of_one_target_are_no_comparison():
    with pytest.raises(WsrError, match="two targets"):
        noise_share(torch.zeros(1, 3), torch.zeros(1, 3))


def test_samples_like_the_fits_are_nearer_than_others(zoo):
    model = zoo.representation
    like = generated_distance(zoo, family(model, 30, 7), Colours(), 16)
    far = generated_distance(zoo, model.initial() + 0.6 * torch.randn(30, model.size), Colours(), 16)
    assert like < 0.5 * far
    with pytest.raises(WsrError, match="validation fits"):
        generated_distance(zoo, family(model, 1, 7), Colours(), 16)
