"""The third of the six additions, a generator: one file with its registration goes through training, sampling, the
audit, the table and the page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from tests.analysis.conftest import Colours, family
from wsr.analysis.evaluation import Evaluation
from wsr.cli import main
from wsr.commands import OK
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import Representation, make_representation
from wsr.generators import GeneratorKind, registered
from wsr.generators.base import Generator, TrainingRun, TrainRecord
from wsr.generators.files import ModelFile
from wsr.generators.jobs import about_training, training_identity, training_weights
from wsr.zoo import Zoo

NAME = "emoji-people-mlora-asym"


@dataclass
class Mixture(Generator):
    """A mixture of two Gaussians with diagonal covariances, by scikit-learn."""

    kind: ClassVar[str] = "mixture"
    representation: Representation | None
    about: dict
    means: torch.Tensor
    std: torch.Tensor
    shares: torch.Tensor

    def __post_init__(self):
        self.classes = [""]

    @classmethod
    def training(cls, zoo, settings):
        weights, _ = training_weights(zoo, settings)
        size = zoo.representation.size
        about = about_training(zoo, settings, len(weights))
        made = cls(zoo.representation, about, torch.zeros(2, size), torch.ones(2, size), torch.ones(2) / 2)
        identity = training_identity(cls.kind, 1, zoo, weights, seed=settings.seed)
        return TrainingRun(made, identity, lambda _: made.fit(weights, settings.seed), 1)

    def fit(self, weights: torch.Tensor, seed: int) -> Iterator[TrainRecord]:
        from sklearn.mixture import GaussianMixture

        found = GaussianMixture(2, covariance_type="diag", reg_covar=1e-6, random_state=seed)
        found.fit(weights.double().numpy())
        self.means, self.shares = (torch.from_numpy(part).float() for part in (found.means_, found.weights_))
        self.std = torch.from_numpy(found.covariances_).float().sqrt()
        yield TrainRecord(1, 1, -float(found.lower_bound_), 0.0, 0.0, done=True)

    def draw(self, count, settings, first=0):
        rows = []
        for number in range(first, first + count):
            generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + number)
            part = int(self.shares.multinomial(1, generator=generator))
            rows.append(self.means[part] + self.std[part] * torch.randn(len(self.std[part]), generator=generator))
        return torch.stack(rows), [""] * count

    def contents(self):
        state = {"means": self.means, "std": self.std, "shares": self.shares}
        return ModelFile({}, self.classes, self.about, state)

    @classmethod
    def from_contents(cls, file, representation):
        size = representation.size
        return cls(
            representation, file.about, file.tensor("means", (2, size)), file.tensor("std", (2, size)),
            file.tensor("shares", (2,)),
        )  # fmt: skip


@pytest.fixture
def mixture():
    with registered(GeneratorKind("mixture", "Mixture", Mixture)) as kind:
        yield kind


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

    # beside our own diffusion, which has learnt the same zoo for two steps
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


def test_the_page_offers_the_generator_and_its_audit(mixture, tmp_path, monkeypatch):
    import tiny_assets

    from app.shared import work
    from app.tabs.audit import run as audit_run
    from app.tabs.generate import drawn, models
    from app.tabs.generate import run as generate_run
    from wsr.memory import MEMORY

    folder = tmp_path / "assets"
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    MEMORY.drop()
    tiny_assets.make(folder)
    name = "emoji-mlora-asym"
    out = folder / "diffusion" / f"{name}.safetensors"
    assert main(["diffuse", name, "--generator", "mixture", "--out", str(out), "--overwrite"]) == OK
    assert name in models.models() and models.classes_of(name) == [""]
    asked = models.checked("emoji", "mlora-asym", "any", 1.0, 10, 3)
    *_, last = work.sample(out, 3, asked.cls, asked.guidance, asked.steps, asked.seed)
    assert len(drawn.items(name, last.weights, live=True)) == 3
    with pytest.raises(ValueError, match="diffusion model"):
        generate_run.between(asked, 0, 1, 0.5)
    assert "Mixture" in audit_run.generators()
    MEMORY.drop()
