"""Samples of a tiny generator, with verdicts of all three words."""

import pytest

from app.shared import library
from app.tabs.generate import models
from app.tabs.generate import run as generate_run
from tests.app.tabs.generate.page_values import ASKED
from wsr.analysis.novelty import Verdict


@pytest.fixture
def sampled(assets, tmp_path, monkeypatch, small):
    monkeypatch.setattr(
        generate_run, "judged",
        lambda name, w: [
            Verdict(("novel", "blend", "replica")[i % 3], 0.5, 2, 0.9, 0.4, (1, 3), 0.9) for i in range(len(w))
        ],
    )  # fmt: skip
    monkeypatch.setattr(models, "audit", lambda name: (None, library.collection(name).ids))
    return [screen for screen in generate_run.run(models.checked(*ASKED), tmp_path / "stop")]
