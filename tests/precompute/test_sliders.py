"""Sliders are judged by what they change and what they leave, on real weights whose attributes are visible."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from precompute.experiment import Context
from precompute.experiments import slider_ways
from precompute.experiments import sliders as final
from precompute.sliders import Judge, good, sliders_of, summary
from wsr.analysis.directions import Lengths, directions
from wsr.analysis.readings import Readings
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
COUNT, TRAINED = 120, 90
# The weights of this zoo are drawn, not fitted: what they decode to changes as much as the regression says.


@pytest.fixture
def zoo(base, config, tmp_path, monkeypatch):
    """A zoo whose index states how light its pictures are, whether they are red, and an attribute that is not visible.
    """
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    draw = torch.Generator().manual_seed(0)
    ways = torch.randn(4, model.size, generator=draw)
    weights = model.initial() + 0.15 * (torch.randn(COUNT, 4, generator=draw) @ ways)
    made = Zoo.create(
        tmp_path / "images-mlora-asym", model,
        dataset="images", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1,
    )  # fmt: skip
    monkeypatch.setattr("wsr.zoo.zoo.load_representation", lambda meta: model)
    from wsr.render.decode import decode

    pictures = decode(model, weights, 16)
    light, hidden = pictures.mean((1, 2, 3)), np.random.default_rng(0).normal(size=COUNT)
    red = np.where(pictures[..., 0].mean((1, 2)) > light, "yes", "none")
    common = {"class": "", "quality": 1.0, "steps": 1, "seconds": 0.0, "target_sha256": ""}
    rows = [{"id": f"i{i}", **common, "split": "train" if i < TRAINED else "test", "status": "ok" if i else "poor",
             "attribute light": float(light[i]), "attribute red": red[i], "attribute hidden": hidden[i]}
            for i in range(COUNT)]  # fmt: skip
    made.append(weights, rows)
    return made


def test_a_slider_that_works_is_seen_to_work_and_what_cannot_be_read_is_left_out(zoo):
    fits = good(zoo.index[zoo.index["split"] == "test"])
    rows = {row["slider"]: row for row in sliders_of(zoo, fits, lengths=Lengths())}
    assert set(rows) <= {"light", "red", "red: yes", "red: none"} and "light" in rows
    light = rows["light"]
    assert light["class"] == "all" and light["fits"] == 30 and not light["measured"] and light["kind"] == "number"
    assert light["reading"] >= 0.8 and light["R²"] > 0.7 and light["slope"] > 0.3 and light["moves"] > 0.5
    found = summary(list(rows.values()))
    assert found["sliders"] == len(rows) and found["numbers"] == 1 and 0 <= found["stays"] <= 1
    assert summary([]) == {"sliders": 0}


def test_unmoved_weights_are_decoded_once_for_all_attributes(zoo, monkeypatch):
    readings, ids = Readings(zoo), zoo.ids[TRAINED:]
    asked, decoded = zoo.weights(ids), []
    values = Readings._values
    monkeypatch.setattr(Readings, "_values", lambda self, weights: decoded.append(weights) or values(self, weights))
    judge = Judge(directions(zoo), readings, asked, zoo.attributes.loc[ids])
    assert len(judge.known) == 5 and sum(weights is asked for weights in decoded) == 1
    decoded.clear()
    judge.row("red: yes")
    assert len(decoded) == 2  # one step in either direction
    judge.row("light")
    assert len(decoded) == 6


def test_a_slider_that_does_nothing_or_the_opposite_is_seen(zoo):
    table, ids = zoo.attributes, zoo.ids[TRAINED:]
    judge = Judge(directions(zoo, lengths=Lengths()), Readings(zoo), zoo.weights(ids), table.loc[ids])
    vector = judge.found["light"].vector.clone()
    known = judge.found._products.clone()
    judge.found._products.zero_()
    still = judge.row("light")
    assert still["moves"] == 0 and still["slope"] == 0 and still["stays"] in (1.0, None)
    judge.found._products.copy_(-known)
    torch.testing.assert_close(judge.found["light"].vector, -vector)
    assert judge.row("light")["moves"] == 0 and judge.row("light")["slope"] < 0


def test_the_table_is_of_the_test_split_and_the_choice_is_not(zoo, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Zoo, "open", lambda path: zoo)
    monkeypatch.setattr(Context, "prepare", lambda self, data: None)
    monkeypatch.setattr(final, "sliders_of", lambda made, fits: asked.append(fits) or sliders_of(made, fits))
    cell = next(iter(Context().cells(final.EXPERIMENT)))
    rows = final.run(cell, Context())
    assert set(asked[0]["split"]) == {"test"} and rows[0]["zoo"] == zoo.path.name
    paths = [tmp_path / "sliders.json", tmp_path / "sliders.md"]
    final.report([(cell, rows), (cell, [])], paths, Context())
    assert json.loads(paths[0].read_text())["totals"][0]["sliders"] == len(rows)
    assert "R² ≥ 0.8" in paths[1].read_text()
    assert final.EXPERIMENT.final and not slider_ways.EXPERIMENT.final
    zoo.index["split"] = zoo.index["split"].replace("test", "validation")
    cell = next(iter(Context().cells(slider_ways.EXPERIMENT)))
    found = slider_ways.run(cell, Context())
    assert found["sliders"] >= 1
    paths = [tmp_path / "slider-ways.json", tmp_path / "slider-ways.md"]
    slider_ways.report([(cell, found)], paths, Context())
    assert json.loads(paths[0].read_text())["rows"][0]["way"] == "jointly"


def test_attributes_that_nobody_knows_are_explained(zoo):
    bare = pd.DataFrame(zoo.index).drop(columns=[name for name in zoo.index if name.startswith("attribute")])
    zoo.index = bare
    with pytest.raises(WsrError, match="data set"):
        sliders_of(zoo, good(bare))
