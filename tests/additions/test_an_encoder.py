"""An encoder of weights: one file with its registration goes into Python's interface and the arena's table."""

import json

import pytest

from precompute.experiment import Context
from precompute.experiments import arena
from tests.additions.nearest import NEAREST
from tests.encoders.conftest import separable, zoo_of
from wsr import encoders
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo

pytestmark = pytest.mark.once


def test_the_encoder_is_compared_with_the_others(base, config, tmp_path, monkeypatch):
    zoo_of(tmp_path / "zoo", *(lambda model: (model, *separable(model)))(make_representation("mlp", None, config)))
    zoo = Zoo.open(tmp_path / "zoo")
    zoo._representation = make_representation("mlp", None, config)
    monkeypatch.setattr(Context, "open_zoo", lambda context, cell: zoo)
    assert "nearest-mean" not in encoders.names()
    with encoders.registered(NEAREST):
        context = Context(only="mlp")
        cells = [cell for cell in context.asked(arena.EXPERIMENT) if cell.data == "shapes10"]
        assert "nearest-mean" in {cell["encoder"] for cell in cells}
        cells = [cell for cell in cells if cell["encoder"] in ("nearest-mean", "product", "logistic")]
        found = [(cell, arena.run(cell, context)) for cell in cells]
        arena.report(found, [tmp_path / "arena.json", tmp_path / "arena.md"], context)
    rows = {row["encoder"]: row for row in json.loads((tmp_path / "arena.json").read_text())["rows"]}
    assert rows["nearest-mean"]["accuracy"] > 90 and rows["nearest-mean"]["seeds"] == len(arena.SEEDS)
    assert rows["nearest-mean"]["low"] < rows["nearest-mean"]["accuracy"] <= rows["nearest-mean"]["high"]
    assert rows["logistic"]["±"] == 0 and "no such pairs" in rows["product"]["why not"]
    assert "| nearest-mean |" in (tmp_path / "arena.md").read_text()
