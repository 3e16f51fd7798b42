"""Batches of fits that are done within a few seconds are appended to a zoo together."""

import pytest
import torch

from wsr.zoo import Zoo, build_zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def test_short_batches_are_appended_together(made, tmp_path, monkeypatch):
    create, signals = made
    sizes, append = [], Zoo.append
    monkeypatch.setattr(Zoo, "append", lambda zoo, *batch: (sizes.append(len(batch[1])), append(zoo, *batch)))
    found = {}
    for seconds, wanted in ((0.0, [3, 3, 3, 1]), (1e3, [10])):
        monkeypatch.setattr("wsr.zoo.build.APPEND_EVERY", seconds)
        records = list(build_zoo(create(f"every {seconds}"), signals))
        found[seconds] = Zoo.open(tmp_path / f"every {seconds}")
        assert sizes == wanted and [r.done for r in records] == [3, 6, 9, 10]
        assert records[-1].quality == pytest.approx(found[seconds].index["quality"].mean())
        sizes.clear()
    one, other = found.values()
    assert torch.equal(one.weights(dtype=None), other.weights(dtype=None))
    own = ["seconds"]  # the only column that may differ
    assert one.index.drop(columns=own).equals(other.index.drop(columns=own))
    next(run := build_zoo(create("stopped"), signals))
    assert not len(Zoo.open(tmp_path / "stopped"))
    run.close()  # a run that is stopped appends its finished fits first
    assert len(Zoo.open(tmp_path / "stopped")) == 3
