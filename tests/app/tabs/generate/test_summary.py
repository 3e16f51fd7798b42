"""The sentence below the samples."""

import torch

from app.shared import library
from app.tabs.generate import models, run
from wsr.analysis.novelty import Verdict


def test_it_says_that_only_a_part_of_what_was_learnt_is_here(assets, monkeypatch):
    """As of the large zoos, of which assets/ has a part."""
    here = len(library.collection("emoji-mlora-asym").ids)
    monkeypatch.setattr(models, "audit", lambda name: (None, library.collection(name).ids))
    assert models.learnt_from("emoji-mlora-asym", "diffusion") <= here  # 0: the tiny model does not state it
    assert models.learnt_from("emoji-mlora-asym", "noise") == 0
    asked = models.checked("emoji", "mlora-asym", "any", 1.0, 10, 3)
    made = models.Sampled(asked, torch.zeros(1, 8), [Verdict("novel", 0.5, 2, 0.9, 0.4, (1, 3), 0.9)])
    assert run.summary(made).startswith("1 sample: 1 novel") and "compared with" not in run.summary(made)
    monkeypatch.setattr(models, "learnt_from", lambda name, by: 10_000)
    assert f"compared with {here} of the 10,000 networks" in run.summary(made)
