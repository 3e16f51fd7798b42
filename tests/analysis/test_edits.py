"""The gauge, and readings of decoded weights, on weights with a known answer and on shapes of a real zoo."""

import numpy as np
import pandas as pd
import pytest
import torch

from wsr.analysis.attributes import attributes_of
from wsr.analysis.directions import directions
from wsr.analysis.gauge import Gauge
from wsr.analysis.readings import Readings
from wsr.errors import WsrError
from wsr.zoo import Zoo


def test_the_gauge_warns_of_what_is_farther_away_than_unseen_fits():
    draw = torch.Generator().manual_seed(0)
    training, unseen, new = (torch.randn(n, 50, generator=draw) * 3 + 7 for n in (200, 100, 100))
    gauge = Gauge(training, unseen)
    read = gauge.read(new)
    assert 0.35 < np.mean([one.nearer for one in read]) < 0.65
    assert sum(one.outside for one in read) <= 15
    assert all(one.outside and one.word == "outside the data" for one in gauge.read(new + 12))
    copy = gauge.read(training[:1])[0]
    assert copy.distance < 1e-2 and copy.nearer == 0 and copy.word == "in the data"
    steps = [gauge.read(new[:1] + 3 * amount)[0].distance for amount in range(4)]
    assert steps == sorted(steps)


def test_the_gauge_of_a_zoo_reads_no_test_and_says_what_is_missing(zoo):
    assert Gauge.of(zoo).read(zoo.weights()[:2])[0].distance < 1e-2
    zoo.index["split"] = "train"
    with pytest.raises(WsrError, match="0 of the validation split"):
        Gauge.of(zoo)


@pytest.fixture
def seen(zoo):
    """Attributes that are visible in the pictures of a zoo."""
    pictures = zoo.decode(zoo.ids, 16)
    bright = pictures.mean((1, 2, 3))
    table = pd.DataFrame({"light": bright, "red": np.where(pictures[..., 0].mean((1, 2)) > bright, "yes", "none")})
    return table.set_index(pd.Index(zoo.ids, name="id"))


def test_numbers_and_categories_are_read_off_what_weights_decode_to(zoo, seen):
    table = seen.assign(empty=np.where(np.arange(90) > 60, "a", "b"))
    readings, unseen = Readings(zoo, table), zoo.good("heldout")["id"].tolist()
    weights = zoo.weights(unseen)
    assert not readings.measured
    found = readings.read(weights, "light")
    assert np.corrcoef(found, seen.loc[unseen, "light"])[0, 1] > 0.9
    is_red = (seen.loc[unseen, "red"] == "yes").to_numpy()
    for name in ("red", "red: yes"):
        assert ((readings.read(weights, name) > 0.5) == is_red).mean() > 0.8
    np.testing.assert_allclose(readings.read(weights, "red: none"), 1 - readings.read(weights, "red"), atol=1e-6)
    with pytest.raises(WsrError, match="did you mean 'light'"):
        readings.read(weights, "lihgt")
    with pytest.raises(WsrError, match="0 have it and 60 have not"):
        readings.read(weights, "empty: a")
    assert readings.readable(["empty: a", "red: yes", "lihgt", "light"]) == ["red: yes", "light"]


def test_a_classifier_is_less_sure_of_mixtures(zoo, seen):
    """Between a fit with the value and one without it, the classifier is undecided somewhere. Numbers are left out, and
    values of a single fit."""
    ids = zoo.good("heldout")["id"].tolist()
    readings, unseen = Readings(zoo, seen), zoo.weights(ids)
    has = (readings.read(unseen, "red") > 0.5).tolist()
    one, other = unseen[has.index(True)], unseen[has.index(False)]
    mixtures = torch.lerp(one, other, torch.linspace(0, 1, 65)[:, None])
    fits, between = readings.certainty(unseen), readings.certainty(mixtures)
    assert list(fits) == ["red"] and len(fits) == len(unseen) and fits["red"].between(0.5, 1).all()
    assert between["red"].min() < 0.6 < fits["red"].mean()


def test_a_slider_changes_what_is_read(zoo, seen):
    found, readings = directions(zoo, seen), Readings(zoo, seen)
    weights = zoo.weights(zoo.good("heldout")["id"].tolist())
    low, as_is, high = (readings.read(found["light"].apply(weights, amount), "light") for amount in (-1.0, 0.0, 1.0))
    assert (low < as_is).mean() > 0.9 and (as_is < high).mean() > 0.9


def test_a_slider_of_a_real_zoo_moves_the_factor_that_is_measured_again():
    zoo = Zoo.open("shapes10-mlora-asym")
    # the index of this zoo holds no attributes
    cars = attributes_of(zoo, zoo.good("train").query("`class` == 'car'")["id"].tolist())
    found = directions(zoo, cars, cls="car")["width"]
    readings = Readings(zoo, cars, cls="car", resolution=32)
    assert {"width", "height", "depth", "waist height", "body width"} <= set(readings.measured)
    weights = zoo.weights(zoo.good("validation").query("`class` == 'car'")["id"].tolist()[:3])
    below, above = (readings.read(found.apply(weights, amount), "width") for amount in (-1.5, 1.5))
    moved = (above - below) / (3 * found.unit)
    assert (moved > 0.2).all(), moved
    assert list(readings.measure(weights[:1])) == readings.measured
