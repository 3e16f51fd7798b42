"""What a second run says of a claim, and how many masks a claim about a mask needs."""

import pytest

from precompute.claims import figure3, table1
from precompute.claims.claim import ONE_MASK, OPEN, one_mask
from precompute.claims.reports import Reports
from precompute.claims.starts import LITERAL, OWN, Pair, unlike
from precompute.experiment import Context
from wsr.stats import stated

FACES = next(column for column in table1.COLUMNS if column.data == "faces")


@pytest.fixture(scope="module")
def reports():
    return Reports(Context(), (*table1.GROUP.reports, *table1.GROUP.further))


def test_a_representation_and_its_masked_twin_differ_by_one_mask():
    assert one_mask(("mlora-asym", "mlora")) == one_mask(("lora", "lora-asym")) == (ONE_MASK,)
    assert not one_mask(("mlora-asym", "lora")) and not one_mask(("mlora-asym", "mlora-asym without encoder"))


def test_a_difference_that_a_second_run_moves_as_far_decides_nothing(reports):
    """MLPs of faces all start from one fit: another run with the same settings was 0.2 dB from the first."""
    near, far = (stated(mean, 0.15, 99, 100) for mean in (0.28, 1.9))
    moved = table1._moved(reports, FACES, ("mlora-asym", "mlp"))
    assert list(moved) == ["mlp"] and table1._moved(reports, FACES, ("mlora-asym", "lora")) == {}
    (fault,) = table1._no_further(near, moved)
    assert fault.verdict == OPEN and "second run of MLP" in fault.reason
    assert table1._no_further(far, moved) == table1._no_further(near, {}) == []


def test_the_end_of_what_was_tried_is_told(reports):
    own = reports(FACES.own)
    momenta, rates = table1._at_the_edge(own, ("mlora-asym", "mlp"))
    assert momenta == "momenta of mLoRA-Asym and MLP: the best were the last that were tried"
    assert rates == "rates of A of mLoRA-Asym: the best were the last that were tried"


def barrier(report: str, name: str, drop: float, **more) -> dict:
    drops = [drop + 0.001 * i for i in range(10)]
    return {"report": report, "representation": name, "series": LITERAL, "sigma": 1.0, "lambda": 1.0,
            "start_cosine": 0.0, "raw": {"drops": drops, **more}}  # fmt: skip


@pytest.mark.parametrize(("again", "count"), [((0.2, 0.5), 0), ((0.5, 0.2), 1), ((0.5, 0.5), 1)])
def test_a_second_run_from_the_same_starts_has_to_decide_alike(again, count):
    names = ("mlora-asym", "lora")
    first = [barrier("one", name, drop) for name, drop in zip(names, (0.2, 0.5), strict=True)]
    second = [barrier("two", name, drop) for name, drop in zip(names, again, strict=True)]
    pair, head = Pair(*first), {"rows": [*first, *second], "ids": list(range(10))}
    faults = figure3._not_again(head, pair, LITERAL, figure3._drops(pair, 10), figure3._drops)
    assert len(faults) == count and all("`two`" in fault.reason for fault in faults)
    alone = head | {"rows": [*first, second[0]]}  # an MLP has its own starts, which one report has
    faults = figure3._not_again(alone, pair, LITERAL, figure3._drops(pair, 10), figure3._drops)
    assert len(faults) == int(again[0] == 0.5)


def test_what_a_mask_does_is_told_at_one_learning_rate():
    rates = {"mlora": 0.015, "mlora-asym": 0.03, "lora": 0.03, "lora-asym": 0.03}
    (fault,) = figure3._rates({"rates": rates}, ("mlora-asym", "mlora"))
    assert "0.015" in fault.reason and fault.verdict == OPEN
    assert not figure3._rates({"rates": rates}, ("lora-asym", "lora"))
    assert not figure3._rates({"rates": rates}, ("mlora-asym", "lora")), "of two methods each has its own rate"
    assert not figure3._rates({"rates": {}}, ("mlora-asym", "mlora"))


def test_other_starts_than_the_paper_s_are_not_comparable():
    pair = Pair(*(barrier("one", name, 0.1) for name in ("mlora-asym", "mlora")))
    assert unlike(pair, ("mlora-asym", "mlora"), LITERAL) == []
    (fault,) = unlike(pair, ("mlora-asym", "mlora"), "lognormal 1.52")
    assert fault.verdict == "not comparable"
    (fault,) = unlike(pair, ("mlora-asym", "mlora"), OWN)
    assert fault.verdict == "not comparable"
    assert unlike(Pair(*(barrier("one", name, 0.1) for name in ("mlp", "mlp-asym"))), ("mlp", "mlp-asym"), OWN) == []
