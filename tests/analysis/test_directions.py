"""Directions of attributes: found exactly where weights are linear in the attributes, and explained where there are
none."""

import numpy as np
import pandas as pd
import pytest
import torch

import wsr
from wsr.analysis.directions import LENGTHS, Lengths, arithmetic, directions, moved
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo

COUNT = 160  # instances; their weights are stored in 16 bits and so are exact to 1e-3 only
GLASSES = ("none", "round", "square")
EXACT = Lengths()  # in these zoos weights say exactly what they decode to, so that no step needs to be lengthened


@pytest.fixture(scope="module")
def truth():
    """Attributes that are correlated, from which the weights of `made` are computed."""
    rng = np.random.default_rng(3)
    height = rng.normal(size=COUNT)
    legs = 0.7 * height + 0.3 * rng.normal(size=COUNT) + 5
    glasses = np.where(height > 0.5, "round", rng.choice(GLASSES, COUNT))
    table = pd.DataFrame({"height": height, "legs": legs, "glasses": glasses, "fixed": 1.0, "wrong": "always"})
    table["size"] = 3 * table["height"] + 2  # the same attribute under another name and in another unit
    return table.set_index(pd.Index([f"i{i}" for i in range(COUNT)], name="id"))


@pytest.fixture
def made(base, config, tmp_path, truth):
    """Makes a zoo whose weights are the attributes times their steps, plus noise."""

    def make(noise=0.0, table=truth, kept=True, **columns):
        model = make_representation("mlora-asym", base, config, mask_seed=7)
        steps = torch.randn(5, model.size, generator=torch.Generator().manual_seed(1))
        known = torch.tensor(truth[["height", "legs"]].to_numpy(), dtype=torch.float32) @ steps[:2]
        worn = torch.tensor([GLASSES.index(value) for value in truth["glasses"]])
        more = torch.randn(COUNT, model.size, generator=torch.Generator().manual_seed(2))
        weights = model.initial() + 0.1 * (known + steps[2:][worn]) + noise * more
        weights[COUNT - 40 :] += 100  # the validation weights, from which nothing may be learnt, lie far away
        settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
        zoo = Zoo.create(tmp_path / f"zoo{noise}{kept}{len(columns)}", model, **settings)
        common = {"class": "", "quality": 1.0, "steps": 1, "seconds": 0.0, "target_sha256": "", "status": "ok"}
        rows = []
        for i, (name, row) in enumerate(table.iterrows()):
            split = {"split": "train" if i < COUNT - 40 else "validation"}
            said = {f"attribute {key}": value for key, value in row.items()} if kept else {}
            rows.append({"id": name, **common, **split, **said, **{key: of(i) for key, of in columns.items()}})
        zoo.append(weights, rows)
        return zoo, 0.1 * steps

    return make


def test_linear_attributes_are_found_exactly_and_the_others_stay(made, truth):
    zoo, steps = made()
    found = directions(zoo, ridge=1e-9, lengths=EXACT)
    unit = truth["legs"][:120].std(ddof=0)
    torch.testing.assert_close(found["legs"].vector, steps[1] * unit, rtol=1e-3, atol=1e-3)
    assert found["legs"].unit == pytest.approx(unit) and found["legs"].fits == 120
    # "height" and "size" are the same attribute, and the direction of each is the whole step
    for name in ("height", "size"):
        torch.testing.assert_close(
            found[name].vector, steps[0] * truth["height"][:120].std(ddof=0), rtol=1e-3, atol=1e-3
        )
    torch.testing.assert_close(
        found.between("glasses", "round", "square").vector, steps[4] - steps[3], rtol=1e-3, atol=1e-3
    )


def test_without_the_others_what_occurs_together_moves_together(made):
    zoo, steps = made()
    penalised, jointly, alone = (
        directions(zoo, **options)["legs"].vector for options in ({}, {"ridge": 1e-3}, {"way": "alone"})
    )
    away = [float((one @ steps[0]) / one.norm() / steps[0].norm()) for one in (penalised, jointly, alone)]
    assert abs(away[1]) < 0.1 < 0.4 < away[2] and away[0] < away[2]


def test_a_penalty_does_not_shorten_the_step(made, truth):
    zoo, steps = made()
    unit = truth["legs"][:120].std(ddof=0)
    for ridge in (1e-3, 0.1, 1.0):
        vector = directions(zoo, ridge=ridge, lengths=EXACT)["legs"].vector
        # how much of the step of each attribute the direction contains
        known = torch.linalg.lstsq(steps.T, vector[:, None]).solution[:, 0]
        assert float(known[1]) == pytest.approx(unit, rel=2e-2), ridge


def test_noise_is_averaged_and_more_of_it_needs_no_more_care(made, truth):
    zoo, steps = made(noise=0.3)
    found = directions(zoo)["legs"].vector
    assert float(torch.cosine_similarity(found, steps[1], dim=0)) > 0.6


def test_directions_of_categories_lead_from_one_value_or_from_all_others(made, truth):
    zoo, steps = made()
    found = directions(zoo, ridge=1e-9, lengths=EXACT)
    assert list(found)[:2] == ["height", "legs"] and len(found) == len(list(found)) == 7
    assert {"glasses", "glasses: none", "glasses: round", "glasses: square", "size"} <= set(found)
    assert found.values_of("glasses")[0] == truth["glasses"][:120].value_counts().index[0]
    assert not found.values_of("legs") and "fixed" not in found and "wrong" not in found
    counts = truth["glasses"][:120].value_counts()
    some = counts["round"] + counts["square"]
    worn = (counts["round"] * steps[3] + counts["square"] * steps[4]) / some - steps[2]
    torch.testing.assert_close(found["glasses"].vector, worn, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found["glasses: none"].vector, -worn, rtol=1e-3, atol=1e-3)
    there, back = (found.between("glasses", *way).vector for way in (("round", "none"), ("none", "round")))
    torch.testing.assert_close(there, -back)
    assert found["glasses"].unit is None


@pytest.mark.parametrize("start", GLASSES)
@pytest.mark.parametrize("end", GLASSES)
def test_a_step_leads_from_the_value_that_weights_have_to_the_asked_one_and_nothing_else_changes(
    made, truth, start, end
):
    """The average direction misses by the difference between the own value and the mean of the others."""
    zoo, steps = made()
    found = directions(zoo, ridge=1e-9, lengths=EXACT)
    unseen = [i for i in range(COUNT - 40, COUNT) if truth["glasses"].iloc[i] == start]
    weights = zoo.weights([f"i{i}" for i in unseen]) - 100  # they lie far away from the training weights
    asked = weights + steps[2 + GLASSES.index(end)] - steps[2 + GLASSES.index(start)]
    after = found.at(weights).moved(weights, {f"glasses: {end}": 1.0})
    size = float((steps[3] - steps[2]).norm())
    if start == end:
        torch.testing.assert_close(after, found.moved(weights, {f"glasses: {end}": 1.0}), rtol=0.1, atol=0.1)
    else:
        missed = (after - asked).norm(dim=1) / size
        average = (found.moved(weights, {f"glasses: {end}": 1.0}) - asked).norm(dim=1) / size
        assert missed.max() < 0.25 < 0.3 < average.min()
    # numbers have one direction, wherever they begin
    torch.testing.assert_close(found.at(weights)["legs"].vector, found["legs"].vector)
    one = found.at(weights[0])[f"glasses: {end}"].apply(weights[0], 1.0)
    torch.testing.assert_close(one, after[0], rtol=1e-3, atol=1e-3)


def test_nothing_is_left_to_do_for_who_wears_any_glasses(made, truth):
    zoo, steps = made()
    found = directions(zoo, ridge=1e-9, lengths=EXACT)
    with pytest.raises(WsrError, match="another representation"):
        found.at(torch.zeros(2, 3))
    ids = [f"i{i}" for i in range(COUNT - 40) if truth["glasses"].iloc[i] == "none"]
    bare = zoo.weights(ids)
    after = found.at(bare)["glasses"].apply(bare, 1.0)
    torch.testing.assert_close(after - bare, found["glasses"].vector.expand_as(bare), rtol=0.1, atol=0.1)


def test_steps_are_lengthened_each_kind_by_its_own_factor(made):
    zoo, _ = made()
    exact, long = directions(zoo, lengths=EXACT), directions(zoo)
    for name, factor in (("legs", LENGTHS.number), ("glasses: round", LENGTHS.category)):
        torch.testing.assert_close(long[name].vector, factor * exact[name].vector)


def test_amounts_add_up_and_undo_each_other(made):
    zoo, _ = made()
    found, weights = directions(zoo), zoo.weights()[:3]
    legs, glasses = found["legs"], found["glasses: round"]
    both = glasses.apply(legs.apply(weights, 1.5), -0.5)
    torch.testing.assert_close(both, found.moved(weights, {"legs": 1.5, "glasses: round": -0.5}))
    torch.testing.assert_close(moved(both, {legs: -1.5, glasses: 0.5}), weights, rtol=1e-5, atol=1e-5)
    assert torch.equal(found.moved(weights, {}), weights)


def test_classes_have_directions_too_and_a_class_its_own(made):
    zoo, _ = made(**{"class": lambda i: ("lamp", "chair")[i % 2]})
    whole, of_lamps = directions(zoo), directions(zoo, cls="lamp")
    assert {"class: lamp", "class: chair"} <= set(whole) and "class: lamp" not in of_lamps
    assert of_lamps["legs"].fits == 60 and whole["legs"].fits == 120
    weights = zoo.weights(zoo.good("train")["id"].tolist())
    gap = weights[::2].mean(0) - weights[1::2].mean(0)
    step = directions(zoo, way="alone", ridge=0.0, lengths=EXACT)["class: lamp"].vector
    torch.testing.assert_close(step, gap, rtol=1e-3, atol=1e-3)
    with pytest.raises(WsrError, match="did you mean 'lamp'"):
        directions(zoo, cls="lamb")


def test_gaps_are_no_values(made, truth):
    """Half of the instances have no legs, and so no value for their length."""
    table = truth.assign(legs=truth["legs"].where(np.arange(COUNT) % 2 == 0))
    zoo, steps = made(table=table)
    found = directions(zoo)["legs"]
    assert found.fits == 60
    assert float(torch.cosine_similarity(found.vector, steps[1], dim=0)) > 0.8


def test_attributes_come_from_the_index_the_data_set_or_the_caller(made, truth, monkeypatch):
    zoo, _ = made()
    assert torch.equal(directions(zoo)["legs"].vector, directions(zoo, truth)["legs"].vector)
    bare, _ = made(kept=False)
    with pytest.raises(WsrError, match="Unknown data set 'test'"):
        directions(bare)
    assert torch.equal(directions(bare, truth)["legs"].vector, directions(zoo)["legs"].vector)
    with pytest.raises(WsrError, match="no attribute that varies"):
        directions(bare, truth[["fixed", "wrong"]])


def test_categories_may_be_truth_values_or_numbers(made, truth):
    """With gaps, truth values are no numbers, and no column of them had a value: their directions held NaN."""
    zoo, _ = made()
    round_ones = (truth["glasses"] == "round").to_numpy()
    wanted = directions(zoo, pd.DataFrame({"round": np.where(round_ones, "True", "False")}, truth.index))["round: True"]
    gaps = [bool(one) if i % 7 else None for i, one in enumerate(round_ones)]
    for values in (gaps, pd.Categorical(round_ones.astype(int))):
        found = directions(zoo, pd.DataFrame({"round": values}, truth.index))
        one = found["round: True" if "round: True" in found else "round: 1"]
        assert torch.cosine_similarity(one.vector, wanted.vector, 0) > 0.9


def test_what_has_no_direction_is_explained(made):
    zoo, _ = made()
    found = directions(zoo)
    with pytest.raises(WsrError, match="did you mean 'legs'"):
        found["leg"]
    with pytest.raises(WsrError, match="is a number"):
        found.between("legs", "1", "2")
    with pytest.raises(WsrError, match="square"):
        found.between("glasses", "round", "squere")
    with pytest.raises(WsrError, match="another representation"):
        found["legs"].apply(torch.zeros(2, 3), 1.0)
    with pytest.raises(WsrError, match="number of steps"):
        found["legs"].apply(zoo.weights()[:1], float("nan"))
    with pytest.raises(WsrError, match="way to find"):
        directions(zoo, way="joint")
    assert "leg" not in found and found.get("leg") is None


def test_the_public_name_is_this_function():
    assert wsr.directions is directions and "directions" in wsr.__all__


def test_arithmetic_undoes_itself():
    a, b, c = np.random.default_rng(1).normal(size=(3, 5))
    assert np.allclose(arithmetic(arithmetic(a, b, c), c, b), a)
