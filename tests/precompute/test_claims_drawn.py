"""What several draws of mask, starts and points say of Figure 3."""

import copy

import numpy as np
import pytest

from precompute.claims import drawn, figure3
from precompute.claims.claim import OPEN
from wsr.stats import mean_interval

LITERAL = 6**0.5


def row(name: str, drop: float, lr: float = 0.03, moved: float = 1.0, rise: float = 10.0, noise: float = 0.01) -> dict:
    rng = np.random.default_rng([*map(ord, f"{name}{lr}{moved}")])
    draws = rng.normal(0, noise, (5, 1)) + rng.normal(0, noise, (5, 30))
    return {"representation": name, "lr": lr, "lambda": moved, "start cosine": [0.01, -0.02, 0.0, 0.0, 0.01],
            "floor": [0.0] * 5, "drops": (drop + draws).tolist(), "rises": (rise + draws).tolist(),
            "cosines": (0.5 - drop / 2 + draws).tolist()}  # fmt: skip


def report(*rows: dict) -> dict:
    return {"preset": "cpu", "dataset": "shapes10/airplane", "draws": 5, "kappa std": LITERAL, "of targets": list(rows)}


@pytest.fixture
def twins():
    """A mask that lowers the barrier at both learning rates."""
    rows = [row("mlora-asym", 0.3, 0.03, rise=5), row("mlora-asym", 0.2, 0.015, rise=5)]
    rows += [row("mlora-asym", 0.05, moved=0.0), row("mlora", 0.6, 0.015), row("mlora", 0.7, 0.03), row("lora", 0.25)]
    return report(*rows)


PAIR = ("mlora-asym", "mlora")


def test_a_mask_is_judged_at_one_rate_and_in_several_draws(twins):
    found = drawn.barrier(twins, PAIR)
    assert found.difference.mean == pytest.approx(0.4, abs=0.03) and found.difference.verdict == "confirmed"
    assert not found.faults and found.seeds == 5
    assert [value.mean for value in found.ours] == pytest.approx([0.3, 0.7], abs=0.03), "both at the masked one's rate"
    assert found.more["at a learning rate of 0.015"][0] == pytest.approx(0.4, abs=0.03)
    assert drawn.likeness(twins, PAIR).difference.mean == pytest.approx(0.2, abs=0.03)


def test_another_rate_that_does_not_decide_alike_leaves_it_open(twins):
    other = copy.deepcopy(twins)
    other["of targets"][3] = row("mlora", 0.2, 0.015)
    (fault,) = drawn.barrier(other, PAIR).faults
    assert fault.verdict == OPEN and "0.015" in fault.reason


def test_two_methods_are_compared_at_their_own_rates(twins):
    found = drawn.barrier(twins, ("mlora", "lora"))
    assert found.difference.mean == pytest.approx(-0.35, abs=0.03), "mLoRA's own rate is 0.015"


def test_the_paper_s_own_measure_has_to_say_the_same(twins):
    other = copy.deepcopy(twins)
    for one in other["of targets"]:
        one["rises"] = row(one["representation"], 0, one["lr"], rise=5)["rises"]
    (fault,) = drawn.barrier(other, PAIR).faults
    assert "Chamfer" in fault.reason
    del (flat := copy.deepcopy(twins))["of targets"][0]["rises"]
    assert not drawn.barrier(flat, PAIR).faults, "pictures have no surfaces"


def test_draws_that_differ_widen_the_interval():
    """Every single draw would decide, and they do not agree."""
    sides = [row("lora", 0.2), row("mlp", 0.3)]
    for side, sign in zip(sides, (1, -1), strict=True):
        moved = sign * np.array([-0.5, -0.2, 0.1, 0.2, 0.5])[:, None]
        side["drops"] = (np.array(side["drops"]) + moved).tolist()
    assert drawn.barrier(report(*sides), ("lora", "mlp")).difference.verdict == "open"
    gains = np.array(sides[1]["drops"]) - np.array(sides[0]["drops"])
    assert {mean_interval(one).verdict for one in gains} == {"confirmed", "refuted"}


def test_independent_starts_are_compared_with_one_start(twins):
    found = drawn.steady(twins, "mlora-asym", 0.05)
    assert found.difference.verdict == "refuted" and found.difference.mean == pytest.approx(-0.2, abs=0.03)
    assert found.difference.low < found.difference.mean < found.difference.high


def test_what_was_drawn_takes_the_place_of_one_draw_and_of_no_other_start(twins):
    told = [*figure3._told(["normal", "lognormal 1.52"], ["normal", "own", "lognormal 1.52"], True)]
    assert told == ["lognormal 1.52"]
    assert figure3._told(["normal", "lognormal 1.52"], [], False) == ["normal", "lognormal 1.52"]
    assert figure3._told([], ["own"], False) == ["own"] and figure3._told([], [], False) == [""]
    assert drawn.has(twins, PAIR) and not drawn.has(twins, ("mlora-asym", "mlp")) and not drawn.has(None, PAIR)
    assert drawn.has(twins, ["mlora-asym"], 0) and not drawn.has(twins, ["mlora"], 0)
