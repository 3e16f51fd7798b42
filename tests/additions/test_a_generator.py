"""The third of the seven additions, a generator: one file with its registration goes through training, sampling, the
audit, the table and the page."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny_assets
import torch

from app.tabs.audit import run as audit_run
from app.tabs.generate import handlers, models
from app.tabs.generate import run as generate_run
from tests.additions.mixture import MIXTURE
from tests.analysis.conftest import Colours, family
from wsr.analysis.evaluation import Evaluation
from wsr.cli import main
from wsr.commands import OK
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.generators import registered
from wsr.zoo import Zoo

NAME = "emoji-people-mlora-asym"


@pytest.fixture
def mixture():
    with registered(MIXTURE):
        yield MIXTURE


@pytest.fixture
def assets(base, tmp_path, monkeypatch) -> Path:
    """A zoo of 90 related weights, 50 of them held out, with its base."""
    folder = tmp_path / "assets"
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    (folder / "reports").mkdir(parents=True)
    save_base(folder / "bases/test.safetensors", base, BaseInfo("test", "cpu", 3))
    model = make_representation("mlora-asym", load_base("test"), base.config, 4, 3)
    settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
    zoo = Zoo.create(folder / "zoos" / NAME, model, **settings)
    rows = [{"id": f"i{i}", "class": "", "split": "train" if i < 40 else "heldout", "quality": 1.0, "steps": 1,
             "seconds": 0.0, "target_sha256": "", "status": "ok"} for i in range(120)]  # fmt: skip
    zoo.append(family(model, 120, 1), rows)
    return folder


def test_the_generator_goes_from_a_zoo_to_the_table(mixture, assets, monkeypatch, capsys):
    from precompute.experiment import Cell, Context
    from precompute.experiments import audits, generation_tables
    from wsr.modalities import IMAGE

    samples = str(assets / "samples" / f"{NAME}-mixture")
    assert main(["diffuse", NAME, "--generator", "mixture"]) == OK
    assert (assets / "diffusion" / f"{NAME}-mixture.safetensors").exists()
    assert main(["sample", f"{NAME}-mixture", "--count", "20", "--out", samples]) == OK
    first = Zoo.open(samples).weights()
    assert main(["sample", f"{NAME}-mixture", "--count", "32", "--out", samples]) == OK
    assert torch.equal(Zoo.open(samples).weights()[:20], first) and len(Zoo.open(samples)) == 32
    assert main(["audit", samples, NAME, "--false-positive-rate", "0.1"]) == OK
    assert "sample-00003" in capsys.readouterr().out
    assert main(["render", samples, "--count", "1", "--resolution", "8", "--out", str(assets / "drawn")]) == OK

    # The audit compares it with a diffusion model that was trained on the same zoo for two steps.
    assert main(["diffuse", NAME, "--steps", "2"]) == OK
    own = str(assets / "samples" / NAME)
    assert main(["sample", NAME, "--count", "32", "--steps", "2", "--out", own]) == OK
    monkeypatch.setattr(audits, "Evaluation", partial(Evaluation, count=25, repeats=2))
    monkeypatch.setattr(audits, "COUNT", 25)
    monkeypatch.setattr(IMAGE, "resolutions", replace(IMAGE.resolutions, judged=8))
    monkeypatch.setattr(IMAGE, "extractor", Colours)
    context = Context()
    audits.run(Cell("audits", {"data": "emoji/people", "representation": "mlora-asym"}, NAME), context)
    rows = pd.read_parquet(assets / "reports" / f"audit-{NAME}.parquet")
    assert {"diffusion", "Mixture"} <= set(rows["generator"])
    shown = generation_tables.rows(generation_tables.frame("emoji/people", context), {})
    (line,) = [row for row in shown if row["representation"] == "mlora-asym by Mixture" and row["against"] == "train"]
    assert np.isfinite(line["FD"]) and line["set"] == "samples"


def test_the_page_offers_the_generator_and_its_audit(mixture, tmp_path_factory, tmp_path, monkeypatch, on_page):
    folder, name = tmp_path_factory.mktemp("tiny"), "emoji-mlora-asym"
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    tiny_assets.make(folder, {"emoji": "image"})
    assert "mixture" not in on_page(folder)["Generator"]
    assert main(["diffuse", name, "--generator", "mixture"]) == OK
    assert {"diffusion", "mixture", "gaussian"} <= on_page(folder)["Generator"]
    assert ("Mixture", "mixture") in handlers.generators_of(name)
    asked = models.checked("emoji", "mlora-asym", "any", 1.0, 10, 3, "mixture")
    *_, last = generate_run.run(asked, tmp_path / "stop")
    assert len(last.items) == models.COUNT and last.sampled.asked.by == "mixture"
    assert models.classes_of(name, "mixture") == []
    with pytest.raises(ValueError, match="diffusion model"):
        generate_run.between(asked, 0, 1, 0.5)
    assert "Mixture" in audit_run.generators()
