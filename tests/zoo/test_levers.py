"""A zoo whose fits use levers records them, and is continued with them."""

import json

import pytest
import torch

from tests.zoo.test_runs import draw
from tests.zoo.test_runs import job as job  # a fixture
from wsr.commands import MISTAKE, OK
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fitting.fit import fit
from wsr.zoo import Zoo, check_zoo
from wsr.zoo.recipe import zoo_config

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
LEVERS = ["--pull", "0.5", "--average", "0.5", "--shared-points", "--lr", "0.02"]


def test_a_zoo_records_its_levers_and_goes_on_with_them(job, tmp_path, capsys):
    assert job(*LEVERS) == OK
    meta = json.loads((tmp_path / "zoo/zoo.json").read_text())
    assert {key: meta["fit"][key] for key in ("pull", "average", "shared_points", "lr")} == {
        "pull": 0.5, "average": 0.5, "shared_points": True, "lr": 0.02,
    }  # fmt: skip
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo_config(zoo).pull == 0.5 and zoo_config(zoo).shared_points and check_zoo(zoo).ok
    draw(tmp_path / "pictures", ["c.png"], 1)
    assert job() == MISTAKE
    assert "fit.pull was 0.5 and is now not stated" in " ".join(capsys.readouterr().err.split())
    assert job(*LEVERS) == OK and len(Zoo.open(tmp_path / "zoo")) == 3


def test_its_weights_are_those_of_a_fit_with_the_same_levers(job, tmp_path):
    assert job(*LEVERS) == OK and job(out="plain") == OK
    zoo, plain = Zoo.open(tmp_path / "zoo"), Zoo.open(tmp_path / "plain")
    signals = load_signals(f"images:{tmp_path / 'pictures'}")
    given = dict(steps=3, rank=2, lr=0.02, pull=0.5, average=0.5, shared_points=True)
    single = fit(signals, "mlora-asym", tmp_path / "base.safetensors", **given)
    assert torch.allclose(zoo.weights(signals.ids), single.weights.half().float(), atol=2e-3)
    assert not torch.allclose(plain.weights(signals.ids), zoo.weights(signals.ids), atol=2e-3)


@pytest.mark.parametrize("change", [{"pull": -1.0}, {"average": 1.0}, {"shared_points": "yes"}])
def test_levers_that_cannot_be_are_refused(change, job, tmp_path):
    assert job() == OK
    path = tmp_path / "zoo/zoo.json"
    meta = json.loads(path.read_text())
    path.write_text(json.dumps(meta | {"fit": meta["fit"] | change}))
    with pytest.raises(WsrError, match=next(iter(change))):
        Zoo.open(tmp_path / "zoo")
